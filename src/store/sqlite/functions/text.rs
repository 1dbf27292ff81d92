//! Functions of text that SQLite lacks, or has with another meaning beyond ASCII or for odd arguments; each gives null
//! when an argument is null.
//!
//! | function | Postgres |
//! |---|---|
//! | `berth_<name>(…)` of [`FUNCTIONS`] | `<name>(…)` |
//! | `berth_match_text(text, pattern)` | `substring(text FROM pattern)` |
//! | `berth_replace_match(text, pattern, new, options)` | `regexp_replace(text, pattern, new, options)` |
//!
//! Of an alternation the first that fits is taken, where Postgres takes the longest.
//!
//! Source: <https://www.postgresql.org/docs/15/functions-string.html>.

use std::borrow::Cow;

use regex::{Captures, Regex};
use rusqlite::functions::Context;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Error, Result};

use super::like::Case;
use super::{Fault, Patience, add_of, failed, pattern, text};
use crate::plan::Value;
use crate::search::lower;

/// Most bytes of a text that is made longer: as large as what a request may send by default.
const TEXT_BYTES_MAX: usize = 16 << 20;

type Answer = std::result::Result<Value, Fault>;

/// What one of them gives. No argument is null.
type Give = fn(&Context<'_>) -> Answer;

/// Name without `berth_`, how many arguments it takes, and what it gives.
const FUNCTIONS: [(&str, i32, Give); 18] = [
    ("ascii", 1, |of| Ok(Value::Integer(word(of, 0).chars().next().map_or(0, |first| i64::from(u32::from(first)))))),
    ("chr", 1, character),
    ("initcap", 1, |of| Ok(Value::Text(capitalised(&word(of, 0))))),
    ("left", 2, |of| Ok(Value::Text(left(&word(of, 0), number(of, 1)).to_owned()))),
    ("lower", 1, |of| Ok(Value::Text(lower(&word(of, 0))))),
    ("lpad", 3, |of| pad(of, Side::Left)),
    ("quote_literal", 1, |of| Ok(Value::Text(quoted(&word(of, 0))))),
    ("repeat", 2, repeat),
    ("reverse", 1, |of| Ok(Value::Text(word(of, 0).chars().rev().collect()))),
    ("right", 2, |of| Ok(Value::Text(right(&word(of, 0), number(of, 1)).to_owned()))),
    ("rpad", 3, |of| pad(of, Side::Right)),
    ("split_part", 3, |of| split_part(&word(of, 0), &word(of, 1), number(of, 2)).map(Value::Text)),
    ("starts_with", 2, |of| Ok(Value::Integer(i64::from(word(of, 0).starts_with(&*word(of, 1)))))),
    ("substring", 2, |of| substring(of, None)),
    ("substring", 3, |of| substring(of, Some(number(of, 2)))),
    ("to_hex", 1, |of| Ok(Value::Text(hexadecimal(number(of, 0))))),
    ("translate", 3, |of| Ok(Value::Text(translate(&word(of, 0), &word(of, 1), &word(of, 2))))),
    ("upper", 1, |of| Ok(Value::Text(upper(&word(of, 0))))),
];

/// Adds the functions to a connection.
pub(super) fn register(connection: &Connection) -> Result<()> {
    for (name, arguments, function) in FUNCTIONS {
        add_of(connection, &format!("berth_{name}"), arguments, move |context| {
            if has_null(context) { Ok(Value::Null) } else { function(context).map_err(failed) }
        })?;
    }
    add_of(connection, "berth_match_text", 2, |context| {
        if has_null(context) {
            return Ok(Value::Null);
        }
        let pattern = context.get_or_create_aux(1, |value| compiled(value, Case::Kept))?;
        let subject = word(context, 0);
        // The first group, where there is one.
        let found = pattern.captures(&subject);
        let found = found.and_then(|found| found.get(usize::from(pattern.captures_len() > 1)));
        Ok(found.map_or(Value::Null, |found| Value::Text(found.as_str().to_owned())))
    })?;
    add_of(connection, "berth_replace_match", 4, |context| {
        if has_null(context) {
            return Ok(Value::Null);
        }
        let (case, is_global) = options(&word(context, 3)).map_err(failed)?;
        let kept = context.get_or_create_aux(1, |value| Ok::<_, Error>((case, compiled(value, case)?)))?;
        // The options may be other ones in each row.
        let anew = if kept.0 == case { None } else { Some(compiled(context.get_raw(1), case)?) };
        let pattern = anew.as_ref().unwrap_or(&kept.1);
        replace(&word(context, 0), pattern, &word(context, 2), is_global).map(Value::Text).map_err(failed)
    })
}

fn has_null(context: &Context<'_>) -> bool {
    (0..context.len()).any(|place| matches!(context.get_raw(place), ValueRef::Null))
}

/// An argument that is text, or is taken for it.
fn word<'a>(context: &'a Context<'_>, place: usize) -> Cow<'a, str> {
    text(context.get_raw(place)).unwrap_or_default()
}

/// An argument that is an integer.
fn number(context: &Context<'_>, place: usize) -> i64 {
    match context.get_raw(place) {
        ValueRef::Integer(integer) => integer,
        other @ (ValueRef::Null | ValueRef::Real(_) | ValueRef::Text(_) | ValueRef::Blob(_)) => {
            text(other).and_then(|text| text.trim().parse().ok()).unwrap_or(0)
        }
    }
}

/// Character by character: what has several capitals, as `ß`, stays.
fn upper(text: &str) -> String {
    let one = |character: char| {
        let mut capitals = character.to_uppercase();
        capitals.next().filter(|_| capitals.next().is_none()).unwrap_or(character)
    };
    if text.is_ascii() { text.to_ascii_uppercase() } else { text.chars().map(one).collect() }
}

fn capitalised(text: &str) -> String {
    let mut is_inside = false;
    let mut written = String::with_capacity(text.len());
    for character in text.chars() {
        let one = character.to_string();
        written += &if is_inside { lower(&one) } else { upper(&one) };
        is_inside = character.is_alphanumeric();
    }
    written
}

/// Where the character begins that so many stand before.
fn place_of(text: &str, characters: usize) -> usize {
    text.char_indices().nth(characters).map_or(text.len(), |(place, _)| place)
}

/// As many characters as an index can count.
fn count(number: i64) -> usize {
    usize::try_from(number).unwrap_or(if number < 0 { 0 } else { usize::MAX })
}

/// The first characters; of a negative number all but so many.
fn left(text: &str, characters: i64) -> &str {
    let kept = if characters < 0 {
        text.chars().count().saturating_sub(count(characters.saturating_neg()))
    } else {
        count(characters)
    };
    text.get(..place_of(text, kept)).unwrap_or_default()
}

/// The last characters; of a negative number all but so many.
fn right(text: &str, characters: i64) -> &str {
    let passed = if characters < 0 {
        count(characters.saturating_neg())
    } else {
        text.chars().count().saturating_sub(count(characters))
    };
    text.get(place_of(text, passed)..).unwrap_or_default()
}

/// Characters count from one; what would stand before the first is passed over.
fn substring(context: &Context<'_>, length: Option<i64>) -> Answer {
    let (subject, from) = (word(context, 0), number(context, 1));
    let end = match length {
        Some(length) if length < 0 => {
            return Err(Fault { code: "22011", message: "negative substring length not allowed".to_owned() });
        }
        Some(length) => from.saturating_add(length),
        None => i64::MAX,
    };
    let (first, last) = (from.max(1), end.max(1));
    let begin = place_of(&subject, count(first - 1));
    let rest = subject.get(begin..).unwrap_or_default();
    let kept = rest.get(..place_of(rest, count(last.saturating_sub(first)))).unwrap_or_default();
    Ok(Value::Text(kept.to_owned()))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Left,
    Right,
}

fn pad(context: &Context<'_>, side: Side) -> Answer {
    let (subject, length, fill) = (word(context, 0), count(number(context, 1)), word(context, 2));
    let has = subject.chars().count();
    if has >= length || fill.is_empty() {
        return Ok(Value::Text(subject.get(..place_of(&subject, length)).unwrap_or_default().to_owned()));
    }
    let missing = length - has;
    bounded(missing.saturating_mul(fill.len() / fill.chars().count().max(1)))?;
    let padding: String = fill.chars().cycle().take(missing).collect();
    Ok(Value::Text(match side {
        Side::Left => padding + &subject,
        Side::Right => subject.into_owned() + &padding,
    }))
}

fn repeat(context: &Context<'_>) -> Answer {
    let (subject, times) = (word(context, 0), count(number(context, 1)));
    bounded(subject.len().saturating_mul(times))?;
    Ok(Value::Text(subject.repeat(times)))
}

fn bounded(bytes: usize) -> std::result::Result<(), Fault> {
    if bytes <= TEXT_BYTES_MAX {
        return Ok(());
    }
    Err(Fault { code: "54000", message: "requested length too large".to_owned() })
}

fn character(context: &Context<'_>) -> Answer {
    let code = number(context, 0);
    let fault = |message: String| Err(Fault { code: "54000", message });
    match u32::try_from(code).map(char::from_u32) {
        Ok(Some('\0')) => fault("null character not permitted".to_owned()),
        Ok(Some(character)) => Ok(Value::Text(character.to_string())),
        Ok(None) if code <= i64::from(u32::from(char::MAX)) => {
            fault(format!("requested character not valid for encoding: {code}"))
        }
        Ok(None) => fault(format!("requested character too large for encoding: {code}")),
        Err(_) => fault("character number must be positive".to_owned()),
    }
}

fn hexadecimal(number: i64) -> String {
    // An integer has eight digits, and what is negative beyond it sixteen.
    i32::try_from(number).map_or_else(|_| format!("{number:x}"), |number| format!("{number:x}"))
}

fn quoted(text: &str) -> String {
    let doubled = text.replace('\'', "''").replace('\\', "\\\\");
    if text.contains('\\') { format!(" E'{doubled}'").trim_start().to_owned() } else { format!("'{doubled}'") }
}

/// The part with that number, from the end where it is negative.
fn split_part(text: &str, separator: &str, place: i64) -> std::result::Result<String, Fault> {
    if place == 0 {
        return Err(Fault { code: "22023", message: "field position must not be zero".to_owned() });
    }
    let nth = count(place.saturating_abs() - 1);
    let part = match (separator.is_empty() || text.is_empty(), place > 0) {
        (true, _) => (nth == 0).then_some(text),
        (false, true) => text.split(separator).nth(nth),
        (false, false) => text.rsplit(separator).nth(nth),
    };
    Ok(part.unwrap_or_default().to_owned())
}

/// Each character of `from` becomes the one at its place in `to`, or goes.
fn translate(text: &str, from: &str, to: &str) -> String {
    let to: Vec<char> = to.chars().collect();
    let one = |character: char| match from.chars().position(|of| of == character) {
        Some(place) => to.get(place).copied(),
        None => Some(character),
    };
    text.chars().filter_map(one).collect()
}

fn compiled(value: ValueRef<'_>, case: Case) -> Result<Regex> {
    pattern::regex(&text(value).unwrap_or_default(), case).map_err(failed)
}

/// What `regexp_replace` is told: whether case counts, and whether all matches are replaced.
fn options(options: &str) -> std::result::Result<(Case, bool), Fault> {
    let (mut case, mut is_global) = (Case::Kept, false);
    for option in options.chars() {
        match option {
            'g' => is_global = true,
            'i' => case = Case::Folded,
            'c' => case = Case::Kept,
            other => {
                let message = format!("invalid regular expression option: \"{other}\"");
                return Err(Fault { code: "22023", message });
            }
        }
    }
    Ok((case, is_global))
}

fn replace(text: &str, pattern: &Regex, new: &str, is_global: bool) -> std::result::Result<String, Fault> {
    let (mut written, mut end) = (String::new(), 0);
    for found in pattern.captures_iter(text).take(if is_global { usize::MAX } else { 1 }) {
        Patience::look()?;
        let Some(whole) = found.get(0) else { break };
        written += text.get(end..whole.start()).unwrap_or_default();
        replacement(&mut written, new, &found);
        end = whole.end();
        bounded(written.len())?;
    }
    Ok(written + text.get(end..).unwrap_or_default())
}

/// `\1` to `\9` are the groups, `\&` is the match, `\\` a backslash.
fn replacement(written: &mut String, new: &str, found: &Captures<'_>) {
    let mut characters = new.chars().peekable();
    while let Some(character) = characters.next() {
        let group = |of: usize| found.get(of).map_or("", |group| group.as_str());
        match (character, characters.peek().copied()) {
            ('\\', Some('&')) => written.push_str(group(0)),
            ('\\', Some('\\')) => written.push('\\'),
            ('\\', Some(digit @ '1'..='9')) => {
                written.push_str(group(digit.to_digit(10).map_or(0, |digit| digit as usize)));
            }
            (other, _) => {
                written.push(other);
                continue;
            }
        }
        characters.next();
    }
}

#[cfg(test)]
mod tests {
    use crate::store::sqlite::functions::tests::computed;

    /// Expected values taken from Postgres 15.
    #[test]
    fn texts_become_what_they_become_on_postgres() {
        for (call, expected) in [
            ("upper('é ß ǆ x')", "É ß Ǆ X"),
            ("lower('É İ ẞ X')", "é i ß x"),
            ("initcap('hello wORLD-élan 1st')", "Hello World-Élan 1st"),
            ("left('héllo', 2)", "hé"),
            ("left('héllo', -2)", "hél"),
            ("left('héllo', -9)", ""),
            ("right('héllo', 2)", "lo"),
            ("right('héllo', -2)", "llo"),
            ("right('héllo', 9)", "héllo"),
            ("substring('héllo', 2)", "éllo"),
            ("substring('héllo', -2, 4)", "h"),
            ("substring('héllo', 0, 2)", "h"),
            ("substring('héllo', 4, 99)", "lo"),
            ("lpad('hi', 5, 'xy')", "xyxhi"),
            ("lpad('hello', 2, 'x')", "he"),
            ("lpad('hi', -1, 'x')", ""),
            ("rpad('hi', 5, 'xy')", "hixyx"),
            ("rpad('hi', 5, '')", "hi"),
            ("repeat('ab', 3)", "ababab"),
            ("repeat('ab', -3)", ""),
            ("reverse('héllo')", "olléh"),
            ("split_part('a,b,c', ',', 2)", "b"),
            ("split_part('a,b,c', ',', -1)", "c"),
            ("split_part('a,b,c', ',', 4)", ""),
            ("split_part('a,b', '', 1)", "a,b"),
            ("split_part('a,b', '', 2)", ""),
            ("translate('12345', '143', 'ax')", "a2x5"),
            ("starts_with('alphabet', 'alph')", "1"),
            ("ascii('é')", "233"),
            ("ascii('')", "0"),
            ("chr(233)", "é"),
            ("to_hex(255)", "ff"),
            ("to_hex(-1)", "ffffffff"),
            ("quote_literal('it''s')", "'it''s'"),
            ("quote_literal('a\\b')", "E'a\\\\b'"),
        ] {
            assert_eq!(computed(&format!("berth_{call}")), Ok(Some(expected.to_owned())), "{call}");
        }
        assert_eq!(computed("berth_lpad(NULL, 5, 'x')"), Ok(None));
    }

    #[test]
    fn what_fits_a_pattern_is_taken_or_replaced() {
        for (call, expected) in [
            ("berth_match_text('foobar', 'o.b')", Some("oob")),
            ("berth_match_text('foobar', 'o(.)b')", Some("o")),
            ("berth_match_text('foobar', 'x')", None),
            ("berth_replace_match('foobarbaz', 'b..', 'X', '')", Some("fooXbaz")),
            ("berth_replace_match('foobarbaz', 'b(..)', 'X\\1Y', 'g')", Some("fooXarYXazY")),
            ("berth_replace_match('Hello', 'L', '<\\&>', 'gi')", Some("He<l><l>o")),
        ] {
            assert_eq!(computed(call), Ok(expected.map(str::to_owned)), "{call}");
        }
    }

    #[test]
    fn what_cannot_be_is_an_error() {
        for (call, expected) in [
            ("berth_split_part('a', ',', 0)", "22023: field position must not be zero"),
            ("berth_substring('a', 1, -1)", "22011: negative substring length not allowed"),
            ("berth_repeat('abcd', 2000000000)", "54000: requested length too large"),
            ("berth_lpad('a', 2000000000, 'b')", "54000: requested length too large"),
            ("berth_chr(0)", "54000: null character not permitted"),
            ("berth_replace_match('a', 'a', 'b', 'z')", "22023: invalid regular expression option: \"z\""),
            ("berth_match_text('a', '(')", "2201B: invalid regular expression: parentheses () not balanced"),
        ] {
            assert_eq!(computed(call), Err(expected.to_owned()), "{call}");
        }
    }

    #[test]
    fn options_of_a_replacement_hold_for_their_own_row() {
        let rows = "(SELECT 'abc' AS t, 'i' AS o UNION ALL SELECT 'abc', '' UNION ALL SELECT 'aBc', '')";
        let replaced = computed(&format!("(SELECT group_concat(berth_replace_match(t, 'B', 'x', o)) FROM {rows})"));
        assert_eq!(replaced, Ok(Some("axc,abc,axc".to_owned())));
    }
}
