//! JSON: checked with Postgres' complaints, and brought into the form `jsonb` prints.
//!
//! Source: <https://www.postgresql.org/docs/15/datatype-json.html>, RFC 8259.

use serde_json::Value as Json;

use super::{fault, form, numeric};
use crate::plan::Error;

/// Deepest nesting taken; `serde_json` reads no deeper either.
const DEPTH_MAX: usize = 127;

/// Which of the two types the text is for: `jsonb` also looks into escapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Escapes {
    /// Any four hexadecimal digits.
    Kept,
    /// Only what stands for a character.
    Decoded,
}

/// Checks that `text` is one JSON value.
///
/// # Errors
/// 22P02 with Postgres' details, 22P05 for `\u0000` where it is decoded, 54001 when nested too deep.
pub(super) fn check(text: &str, escapes: Escapes) -> Result<(), Error> {
    let mut parser = Parser { text, at: 0, escapes };
    let first = parser.token()?;
    parser.value(first, 0)?;
    let token = parser.token()?;
    if token == Token::End { Ok(()) } else { Err(expected("end of input", &token)) }
}

/// Reads text into `jsonb`'s form.
///
/// # Errors
/// As [`check`], and 22003 for a number beyond all bounds.
pub(super) fn read_jsonb(text: &str) -> Result<String, Error> {
    check(text, Escapes::Decoded)?;
    let json: Json = serde_json::from_str(text).map_err(|_| fault::too_deep())?;
    canonical(&json)
}

/// The value as `jsonb` prints it: keys by length then bytes, the last of equal keys, `, ` and `: ` between.
///
/// # Errors
/// 22P05 for a NUL in a string, 22003 for a number beyond all bounds.
pub fn canonical(json: &Json) -> Result<String, Error> {
    let mut out = Vec::new();
    write_canonical(&mut out, json)?;
    String::from_utf8(out).map_err(|_| fault::nul_byte())
}

/// Calls itself for what is nested; the depth was bounded when the value was read.
fn write_canonical(out: &mut Vec<u8>, json: &Json) -> Result<(), Error> {
    match json {
        Json::Null => out.extend_from_slice(b"null"),
        Json::Bool(boolean) => out.extend_from_slice(if *boolean { b"true" } else { b"false" }),
        Json::Number(number) => {
            out.extend_from_slice(numeric::canonical_json_number(&number.to_string())?.as_bytes());
        }
        Json::String(string) => write_string(out, string)?,
        Json::Array(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                out.extend_from_slice(if index > 0 { b", " } else { b"" });
                write_canonical(out, item)?;
            }
            out.push(b']');
        }
        Json::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by(|(a, _), (b, _)| a.len().cmp(&b.len()).then_with(|| a.as_bytes().cmp(b.as_bytes())));
            out.push(b'{');
            for (index, (key, member)) in members.into_iter().enumerate() {
                out.extend_from_slice(if index > 0 { b", " } else { b"" });
                write_string(out, key)?;
                out.extend_from_slice(b": ");
                write_canonical(out, member)?;
            }
            out.push(b'}');
        }
    }
    Ok(())
}

fn write_string(out: &mut Vec<u8>, string: &str) -> Result<(), Error> {
    if string.contains('\0') {
        return Err(fault::nul_escape());
    }
    form::write_json_string(out, string);
    Ok(())
}

/// A token with its text where a complaint may show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    Punctuation(&'a str),
    String(&'a str),
    /// A number, `true`, `false` or `null`.
    Scalar(&'a str),
    End,
}

/// What stands behind an item of an array or object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Follows {
    Item,
    End,
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    escapes: Escapes,
}

fn expected(what: &str, token: &Token<'_>) -> Error {
    match token {
        Token::End => fault::invalid_json("The input string ended unexpectedly.".to_owned()),
        Token::Punctuation(found) | Token::String(found) | Token::Scalar(found) => {
            fault::invalid_json(format!("Expected {what}, but found \"{found}\"."))
        }
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

impl<'a> Parser<'a> {
    fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    fn slice(&self, from: usize, to: usize) -> &'a str {
        self.text.get(from..to).unwrap_or_default()
    }

    fn invalid_token(&self, from: usize, to: usize) -> Error {
        fault::invalid_json(format!("Token \"{}\" is invalid.", self.slice(from, to)))
    }

    /// The value that begins with `token`. Calls itself for what is nested, at most [`DEPTH_MAX`] deep.
    fn value(&mut self, token: Token<'a>, depth: usize) -> Result<(), Error> {
        match token {
            Token::String(_) | Token::Scalar(_) => Ok(()),
            Token::Punctuation("{" | "[") if depth >= DEPTH_MAX => Err(fault::too_deep()),
            Token::Punctuation("{") => self.members(depth),
            Token::Punctuation("[") => self.items(depth),
            Token::Punctuation(_) | Token::End => Err(expected("JSON value", &token)),
        }
    }

    fn items(&mut self, depth: usize) -> Result<(), Error> {
        let mut token = self.token()?;
        if token == Token::Punctuation("]") {
            return Ok(());
        }
        loop {
            self.value(token, depth + 1)?;
            if self.next_or_end("]")? == Follows::End {
                return Ok(());
            }
            token = self.token()?;
        }
    }

    fn members(&mut self, depth: usize) -> Result<(), Error> {
        let mut token = self.token()?;
        let mut wanted = "string or \"}\"";
        if token == Token::Punctuation("}") {
            return Ok(());
        }
        loop {
            if !matches!(token, Token::String(_)) {
                return Err(expected(wanted, &token));
            }
            let colon = self.token()?;
            if colon != Token::Punctuation(":") {
                return Err(expected("\":\"", &colon));
            }
            let value = self.token()?;
            self.value(value, depth + 1)?;
            if self.next_or_end("}")? == Follows::End {
                return Ok(());
            }
            token = self.token()?;
            wanted = "string";
        }
    }

    /// Reads what stands behind an item: a comma or the closing bracket.
    fn next_or_end(&mut self, closing: &str) -> Result<Follows, Error> {
        let token = self.token()?;
        if token == Token::Punctuation(closing) {
            Ok(Follows::End)
        } else if token == Token::Punctuation(",") {
            Ok(Follows::Item)
        } else {
            Err(expected(&format!("\",\" or \"{closing}\""), &token))
        }
    }

    fn token(&mut self) -> Result<Token<'a>, Error> {
        while matches!(self.byte(self.at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
        let start = self.at;
        match self.byte(start) {
            None => Ok(Token::End),
            Some(b'{' | b'}' | b'[' | b']' | b':' | b',') => {
                self.at += 1;
                Ok(Token::Punctuation(self.slice(start, self.at)))
            }
            Some(b'"') => self.string(),
            Some(byte) if byte == b'-' || byte.is_ascii_digit() => self.number(),
            Some(_) => {
                let word = self.slice(start, self.end_of_word(start));
                if matches!(word, "true" | "false" | "null") {
                    self.at = start + word.len();
                    return Ok(Token::Scalar(word));
                }
                Err(self.invalid_token(start, start + word.len().max(1)))
            }
        }
    }

    fn end_of_word(&self, from: usize) -> usize {
        let rest = self.text.as_bytes().get(from..).unwrap_or_default();
        from + rest.iter().take_while(|byte| is_word(**byte)).count()
    }

    fn end_of_digits(&self, from: usize) -> usize {
        let rest = self.text.as_bytes().get(from..).unwrap_or_default();
        from + rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
    }

    fn number(&mut self) -> Result<Token<'a>, Error> {
        let start = self.at;
        let whole = start + usize::from(self.byte(start) == Some(b'-'));
        let mut end = if self.byte(whole) == Some(b'0') { whole + 1 } else { self.end_of_digits(whole) };
        let mut is_valid = end > whole;
        if is_valid && self.byte(end) == Some(b'.') {
            let fraction = end + 1;
            end = self.end_of_digits(fraction);
            is_valid = end > fraction;
        }
        if is_valid && matches!(self.byte(end), Some(b'e' | b'E')) {
            let exponent = end + 1 + usize::from(matches!(self.byte(end + 1), Some(b'+' | b'-')));
            end = self.end_of_digits(exponent);
            is_valid = end > exponent;
        }
        let end_of_word = self.end_of_word(end);
        if !is_valid || end_of_word > end {
            return Err(self.invalid_token(start, end_of_word));
        }
        self.at = end;
        Ok(Token::Scalar(self.slice(start, end)))
    }

    fn string(&mut self) -> Result<Token<'a>, Error> {
        let start = self.at;
        let mut at = start + 1;
        loop {
            match self.byte(at) {
                None => return Err(self.invalid_token(start, self.text.len())),
                Some(b'"') => {
                    self.at = at + 1;
                    return Ok(Token::String(self.slice(start, self.at)));
                }
                Some(b'\\') => at = self.escape(start, at + 1)?,
                Some(byte @ 0..=0x1f) => {
                    return Err(fault::invalid_json(format!("Character with value 0x{byte:02x} must be escaped.")));
                }
                Some(_) => at += 1,
            }
        }
    }

    /// Checks the escape whose letter stands at `at`; gives where the string goes on.
    fn escape(&self, start: usize, at: usize) -> Result<usize, Error> {
        match self.byte(at) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 1),
            Some(b'u') => {
                let unit = self.code_unit(at + 1)?;
                if self.escapes == Escapes::Kept {
                    return Ok(at + 5);
                }
                match unit {
                    0 => Err(fault::nul_escape()),
                    0xd800..=0xdbff => {
                        let follows = self.slice(at + 5, at + 7) == "\\u";
                        match if follows { self.code_unit(at + 7)? } else { 0 } {
                            0xdc00..=0xdfff => Ok(at + 11),
                            _ => Err(lone_surrogate()),
                        }
                    }
                    0xdc00..=0xdfff => Err(lone_surrogate()),
                    _ => Ok(at + 5),
                }
            }
            Some(_) => {
                let character = self.text.get(at..).and_then(|rest| rest.chars().next()).unwrap_or_default();
                Err(fault::invalid_json(format!("Escape sequence \"\\{character}\" is invalid.")))
            }
            None => Err(self.invalid_token(start, self.text.len())),
        }
    }

    fn code_unit(&self, at: usize) -> Result<u32, Error> {
        let digits = self.slice(at, at + 4);
        if digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(u32::from_str_radix(digits, 16).unwrap_or_default());
        }
        Err(fault::invalid_json("\"\\u\" must be followed by four hexadecimal digits.".to_owned()))
    }
}

fn lone_surrogate() -> Error {
    fault::invalid_json("Unicode low surrogate must follow a high surrogate.".to_owned())
}
