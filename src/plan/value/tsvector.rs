//! Documents of text search: `'fat':2 'rat':3A`, words in the order of their bytes, each with its places.
//!
//! ```text
//! tsvector = entry*, with white space between
//! entry    = word [":" place ("," place)*]
//! word     = "'" any character, "''" or "\" and a character "'"  |  characters without white space and, but for the first, ":"
//! place    = digits [A | B | C | D]
//! ```
//!
//! Source: <https://www.postgresql.org/docs/15/datatype-textsearch.html>; Postgres' `tsvector_parser.c`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::iter::Peekable;
use std::str::CharIndices;

/// The greatest place: what lies behind it counts as there.
const PLACE_MAX: u32 = 16_383;
/// Most places of a word that are kept.
const PLACES_MAX: usize = 255;

/// The heaviest mark of each place of a word.
type Places = BTreeMap<u16, char>;

/// The document as Postgres prints it; `None` for what is none.
pub(super) fn canonical(text: &str) -> Option<String> {
    let mut words: BTreeMap<String, Places> = BTreeMap::new();
    let mut rest = text.char_indices().peekable();
    loop {
        while rest.next_if(|(_, character)| character.is_ascii_whitespace()).is_some() {}
        if rest.peek().is_none() {
            return Some(print(&words));
        }
        let word = read_word(&mut rest)?;
        let places = words.entry(word).or_default();
        if rest.next_if(|(_, character)| *character == ':').is_some() {
            read_places(&mut rest, places)?;
        }
    }
}

fn read_word(rest: &mut Peekable<CharIndices<'_>>) -> Option<String> {
    let mut word = String::new();
    if rest.next_if(|(_, character)| *character == '\'').is_none() {
        // A colon begins a word as any other character does.
        while let Some((_, character)) =
            rest.next_if(|(_, of)| !of.is_ascii_whitespace() && (*of != ':' || word.is_empty()))
        {
            match character {
                '\\' => word.push(rest.next()?.1),
                // A quote inside of a word is written twice.
                '\'' => word.push(rest.next_if(|(_, next)| *next == '\'')?.1),
                _ => word.push(character),
            }
        }
        return Some(word).filter(|word| !word.is_empty());
    }
    loop {
        match rest.next()?.1 {
            '\\' => word.push(rest.next()?.1),
            '\'' if rest.next_if(|(_, next)| *next == '\'').is_some() => word.push('\''),
            '\'' => return Some(word).filter(|word| !word.is_empty()),
            character => word.push(character),
        }
    }
}

fn read_places(rest: &mut Peekable<CharIndices<'_>>, places: &mut Places) -> Option<()> {
    loop {
        let mut place: u32 = 0;
        let mut is_number = false;
        while let Some(digit) = rest.peek().and_then(|(_, character)| character.to_digit(10)) {
            rest.next();
            is_number = true;
            place = place.saturating_mul(10).saturating_add(digit);
        }
        if !is_number || place == 0 {
            return None;
        }
        let mark = rest.next_if(|(_, character)| matches!(character.to_ascii_uppercase(), 'A'..='D'));
        let mark = mark.map_or('D', |(_, character)| character.to_ascii_uppercase());
        let place = u16::try_from(place.min(PLACE_MAX)).ok()?;
        if places.len() < PLACES_MAX || places.contains_key(&place) {
            places.entry(place).and_modify(|known| *known = mark.min(*known)).or_insert(mark);
        }
        match rest.peek() {
            Some((_, ',')) => _ = rest.next(),
            Some((_, character)) if !character.is_ascii_whitespace() => return None,
            Some(_) | None => return Some(()),
        }
    }
}

fn print(words: &BTreeMap<String, Places>) -> String {
    let mut out = String::new();
    for (word, places) in words {
        let space = if out.is_empty() { "" } else { " " };
        // Writing to a string does not fail.
        _ = write!(out, "{space}'{}'", word.replace('\\', "\\\\").replace('\'', "''"));
        for (index, (place, mark)) in places.iter().enumerate() {
            let before = if index == 0 { ':' } else { ',' };
            _ = write!(out, "{before}{place}");
            if *mark != 'D' {
                out.push(*mark);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::canonical;

    // Asked of Postgres 15.
    #[test]
    fn documents_are_printed_as_postgres_prints_them() {
        for (given, printed) in [
            ("", ""),
            ("  the fat  rat ", "'fat' 'rat' 'the'"),
            ("'fat':2,4C 'cat':3A a:1", "'a':1 'cat':3A 'fat':2,4C"),
            ("b b:3 b:1d,3A", "'b':1,3A"),
            ("$$ 'it''s' 'x y' a\\ b", "'$$' 'a b' 'it''s' 'x y'"),
            ("'Joe''s':3 \\\\x", "'Joe''s':3 '\\\\x'"),
            ("a:99999", "'a':16383"),
            (":1", "':1'"),
            ("é e z", "'e' 'z' 'é'"),
        ] {
            assert_eq!(canonical(given).as_deref(), Some(printed), "{given}");
        }
        for refused in ["'a", "a:", "a:0", "a:x", "a:1,", "a:1x", "''"] {
            assert_eq!(canonical(refused), None, "{refused}");
        }
    }
}
