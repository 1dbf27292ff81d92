//! `bytea` and `uuid`: bytes written as text.

use super::fault;
use crate::plan::Error;

/// Reads `\x…` or Postgres' older escape form.
///
/// Source: <https://www.postgresql.org/docs/15/datatype-binary.html>.
pub(super) fn read_bytea(text: &str) -> Result<Vec<u8>, Error> {
    match text.strip_prefix("\\x") {
        Some(hexadecimal) => read_hexadecimal(hexadecimal),
        None => read_escaped(text.as_bytes()),
    }
}

fn read_hexadecimal(text: &str) -> Result<Vec<u8>, Error> {
    let digit = |character: char| match character.to_digit(16) {
        Some(value) => Ok(u8::try_from(value).unwrap_or_default()),
        None => Err(fault::invalid_hexadecimal(&format!("digit: \"{character}\""))),
    };
    let mut bytes = Vec::with_capacity(text.len() / 2);
    let mut rest = text.chars();
    while let Some(high) = rest.next() {
        if high.is_ascii_whitespace() {
            continue;
        }
        let high = digit(high)?;
        let low = rest.next().ok_or_else(|| fault::invalid_hexadecimal("data: odd number of digits"))?;
        bytes.push(high << 4 | digit(low)?);
    }
    Ok(bytes)
}

fn read_escaped(mut rest: &[u8]) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::with_capacity(rest.len());
    loop {
        rest = match rest {
            [] => return Ok(bytes),
            [b'\\', b'\\', tail @ ..] => {
                bytes.push(b'\\');
                tail
            }
            [b'\\', a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', tail @ ..] => {
                bytes.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
                tail
            }
            [b'\\', ..] => return Err(fault::invalid_bytea()),
            [byte, tail @ ..] => {
                bytes.push(*byte);
                tail
            }
        };
    }
}

/// Reads 32 hexadecimal digits, a hyphen allowed after every fourth, braces allowed around; gives the usual form.
///
/// Source: <https://www.postgresql.org/docs/15/datatype-uuid.html>.
pub(super) fn read_uuid(text: &str) -> Option<String> {
    let inner = match text.strip_prefix('{') {
        Some(inner) => inner.strip_suffix('}')?,
        None => text,
    };
    let mut uuid = String::with_capacity(36);
    let mut digits = 0_usize;
    let mut may_hyphen = false;
    for character in inner.chars() {
        if character == '-' && may_hyphen {
            may_hyphen = false;
            continue;
        }
        if !character.is_ascii_hexdigit() || digits == 32 {
            return None;
        }
        if matches!(digits, 8 | 12 | 16 | 20) {
            uuid.push('-');
        }
        uuid.push(character.to_ascii_lowercase());
        digits += 1;
        may_hyphen = digits.is_multiple_of(4) && digits < 32;
    }
    (digits == 32).then_some(uuid)
}
