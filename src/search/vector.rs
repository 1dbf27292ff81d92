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
use std::fmt;
use std::iter::Peekable;
use std::ops::Bound;
use std::str::CharIndices;

use super::Error;

/// The greatest place: what lies behind it counts as there.
pub(super) const PLACE_MAX: u16 = 16_383;
/// Most places of a word that are kept.
const PLACES_MAX: usize = 255;

/// How much a place counts: `A` most, `D` where nothing is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// The heaviest.
    A,
    /// The second.
    B,
    /// The third.
    C,
    /// The lightest, which is not written.
    D,
}

impl Weight {
    /// The weight of that letter, in capitals or not.
    #[must_use]
    pub fn of(letter: char) -> Option<Self> {
        match letter.to_ascii_uppercase() {
            'A' => Some(Self::A),
            'B' => Some(Self::B),
            'C' => Some(Self::C),
            'D' => Some(Self::D),
            _ => None,
        }
    }

    /// Its letter.
    #[must_use]
    pub fn letter(self) -> char {
        match self {
            Self::A => 'A',
            Self::B => 'B',
            Self::C => 'C',
            Self::D => 'D',
        }
    }
}

/// The heaviest mark of each place of a word.
pub(super) type Places = BTreeMap<u16, Weight>;

/// What a text is found by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Vector {
    words: BTreeMap<String, Places>,
}

impl Vector {
    /// Reads what Postgres takes for a `tsvector`.
    ///
    /// # Errors
    /// 42601 for what is none.
    pub fn read(text: &str) -> Result<Self, Error> {
        Self::parse(text).ok_or_else(|| Error::new("42601", format!("syntax error in tsvector: \"{text}\"")))
    }

    fn parse(text: &str) -> Option<Self> {
        let mut vector = Self::default();
        let mut rest = text.char_indices().peekable();
        loop {
            while rest.next_if(|(_, character)| character.is_ascii_whitespace()).is_some() {}
            if rest.peek().is_none() {
                return Some(vector);
            }
            let word = read_word(&mut rest)?;
            let places = vector.words.entry(word).or_default();
            if rest.next_if(|(_, character)| *character == ':').is_some() {
                read_places(&mut rest, places)?;
            }
        }
    }

    /// The words in the order of their bytes.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.words.keys().map(String::as_str)
    }

    /// How many places all words have; a word without any counts as one.
    #[must_use]
    pub fn length(&self) -> usize {
        self.words.values().map(|places| places.len().max(1)).sum()
    }

    /// The word, or each that begins so, with its places.
    pub(super) fn found<'a>(&'a self, text: &'a str, is_start: bool) -> impl Iterator<Item = (&'a str, &'a Places)> {
        let words = self.words.range::<str, _>((Bound::Included(text), Bound::Unbounded));
        words
            .take_while(move |(word, _)| if is_start { word.starts_with(text) } else { *word == text })
            .map(|(word, places)| (word.as_str(), places))
    }

    /// Notes a word at a place, counted from 1.
    pub(super) fn add(&mut self, word: String, place: u32) {
        add_place(self.words.entry(word).or_default(), place, Weight::D);
    }

    /// Notes a word at a place of that weight.
    pub(super) fn add_weighed(&mut self, word: &str, place: u16, weight: Weight) {
        if !self.words.contains_key(word) {
            self.words.insert(word.to_owned(), Places::new());
        }
        if let Some(places) = self.words.get_mut(word) {
            add_place(places, u32::from(place), weight);
        }
    }

    /// The greatest place that any word has; 0 when none has one.
    fn last_place(&self) -> u32 {
        self.words.values().filter_map(|places| places.keys().next_back()).max().map_or(0, |place| u32::from(*place))
    }

    /// This document with `weight` at every place.
    #[must_use]
    pub fn with_weight(mut self, weight: Weight) -> Self {
        self.words.values_mut().flat_map(BTreeMap::values_mut).for_each(|of| *of = weight);
        self
    }

    /// Its words without their places.
    #[must_use]
    pub fn stripped(mut self) -> Self {
        self.words.values_mut().for_each(BTreeMap::clear);
        self
    }

    /// This document and behind it `other`, whose places count on from where this one's end.
    #[must_use]
    pub fn joined(mut self, other: Self) -> Self {
        let before = self.last_place();
        for (word, places) in other.words {
            let own = self.words.entry(word).or_default();
            for (place, weight) in places {
                add_place(own, u32::from(place) + before, weight);
            }
        }
        self
    }
}

impl fmt::Display for Vector {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut space = "";
        for (word, places) in &self.words {
            write!(out, "{space}'{}'", quoted(word))?;
            space = " ";
            for (index, (place, weight)) in places.iter().enumerate() {
                let before = if index == 0 { ':' } else { ',' };
                write!(out, "{before}{place}")?;
                if *weight != Weight::D {
                    write!(out, "{}", weight.letter())?;
                }
            }
        }
        Ok(())
    }
}

/// What stands between the quotes of a word.
pub(super) fn quoted(word: &str) -> String {
    word.replace('\\', "\\\\").replace('\'', "''")
}

fn add_place(places: &mut Places, place: u32, weight: Weight) {
    let place = u16::try_from(place).map_or(PLACE_MAX, |place| place.min(PLACE_MAX));
    if places.len() < PLACES_MAX || places.contains_key(&place) {
        places.entry(place).and_modify(|known| *known = weight.min(*known)).or_insert(weight);
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
        let weight = rest.next_if(|(_, character)| Weight::of(*character).is_some());
        add_place(places, place, weight.and_then(|(_, character)| Weight::of(character)).unwrap_or(Weight::D));
        match rest.peek() {
            Some((_, ',')) => _ = rest.next(),
            Some((_, character)) if !character.is_ascii_whitespace() => return None,
            Some(_) | None => return Some(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(text: &str) -> Option<String> {
        Vector::read(text).ok().map(|vector| vector.to_string())
    }

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

    // Asked of Postgres 15.
    #[test]
    fn documents_are_joined_and_weighed_as_postgres_does() {
        let read = |text| Vector::read(text).unwrap();
        let joined = read("'a':1 'b':4B 'c'").joined(read("'a':1A 'd':2 'c'"));
        assert_eq!(joined.to_string(), "'a':1,5A 'b':4B 'c' 'd':6");
        assert_eq!(read("'a':1,2B 'b'").with_weight(Weight::A).to_string(), "'a':1A,2A 'b'");
    }
}
