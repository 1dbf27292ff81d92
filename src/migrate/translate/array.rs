//! Array literals of PostgreSQL → JSON, as SQLite keeps them.
//!
//! Source: <https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO>.

use serde_json::Value;

use super::literal::Literal;
use super::{Refusal, refuse};
use crate::catalog::TypeKind;

/// How deep arrays may nest; Postgres' own bound.
const DEPTH_MAX: usize = 6;

/// Reads `{1,2,NULL,"a b"}`, nested to six levels, as a JSON array of values of `element`.
pub(super) fn to_json(text: &str, element: &TypeKind) -> Result<String, Refusal> {
    let mut characters = text.trim().chars().peekable();
    let value = read_array(&mut characters, element, 0);
    match value {
        Some(value) if characters.next().is_none() => Ok(value.to_string()),
        _ => refuse(format!("malformed array literal: \"{text}\"")),
    }
}

type Characters<'a> = std::iter::Peekable<std::str::Chars<'a>>;

fn read_array(characters: &mut Characters<'_>, element: &TypeKind, depth: usize) -> Option<Value> {
    if depth >= DEPTH_MAX || characters.next() != Some('{') {
        return None;
    }
    let mut values = Vec::new();
    loop {
        while characters.next_if(|c| c.is_whitespace()).is_some() {}
        match characters.peek()? {
            '}' if values.is_empty() => {
                characters.next();
                return Some(Value::Array(values));
            }
            '{' => values.push(read_array(characters, element, depth + 1)?),
            _ => values.push(read_element(characters, element)?),
        }
        while characters.next_if(|c| c.is_whitespace()).is_some() {}
        match characters.next()? {
            ',' => {}
            '}' => return Some(Value::Array(values)),
            _ => return None,
        }
    }
}

fn read_element(characters: &mut Characters<'_>, element: &TypeKind) -> Option<Value> {
    let mut text = String::new();
    if characters.next_if_eq(&'"').is_some() {
        loop {
            match characters.next()? {
                '"' => break,
                '\\' => text.push(characters.next()?),
                other => text.push(other),
            }
        }
    } else {
        while let Some(character) = characters.next_if(|c| !matches!(c, ',' | '{' | '}' | '"')) {
            text.push(if character == '\\' { characters.next()? } else { character });
        }
        text.truncate(text.trim_end().len());
        if text.eq_ignore_ascii_case("null") {
            return Some(Value::Null);
        }
        if text.is_empty() {
            return None;
        }
    }
    to_value(Literal::Text(text).canonical(element).ok()?)
}

fn to_value(literal: Literal) -> Option<Value> {
    match literal {
        Literal::Text(text) => Some(Value::String(text)),
        Literal::Number(number) => serde_json::from_str(&number).ok(),
        Literal::Boolean(value) => Some(Value::Bool(value)),
        bytes @ Literal::Bytes(_) => Some(Value::String(bytes.into_text())),
        Literal::Null => Some(Value::Null),
    }
}
