//! Names of columns and relations, and ways into JSON.
//!
//! ```text
//! field      = name [ json-path ]
//! tree-path  = name *( "." name ) [ json-path ]
//! name       = quoted / identifier *( "-" identifier )      ; "-" not before ">"
//! identifier = 1*( letter / digit / "_" / "$" / " " )       ; spaces around it are dropped
//! quoted     = DQUOTE *( "\" any / any but DQUOTE and "\" ) DQUOTE
//! json-path  = *( ( "->>" / "->" ) ( index / key ) )
//! index      = [ "-" ] 1*digit                              ; before "->", "::", ".", "," or the end
//! key        = quoted / key-part *( "-" key-part )
//! key-part   = 1*( any but "(" "-" ":" "." "," ">" ")" )
//! ```

use std::borrow::Cow;

use super::filter::{Arrow, EmbedPath, Field, JsonOperand, JsonStep};
use super::lex::{Bound, DEPTH_MAX, Failure, ITEMS_MAX, Lexer, NAME_MAX_BYTES, Parsed};

/// `name [json-path]` with space around it.
pub(super) fn field(lexer: &mut Lexer<'_>) -> Parsed<Field> {
    lexer.lexeme(|lexer| {
        let name = name(lexer)?.into_owned();
        Ok(Field { name, path: json_path(lexer)? })
    })
}

/// A key of the query string: the way to an embedded resource, then its field.
pub(super) fn tree_path(lexer: &mut Lexer<'_>) -> Parsed<(EmbedPath, Field)> {
    let mut path = embed_names(lexer)?;
    let name = path.pop().unwrap_or_default();
    Ok((path, Field { name, path: json_path(lexer)? }))
}

/// Names with dots between them, at least one.
pub(super) fn embed_names(lexer: &mut Lexer<'_>) -> Parsed<Vec<String>> {
    lexer.separated((DEPTH_MAX + 1, Bound::Depth), |lexer| name(lexer).map(Cow::into_owned), Lexer::delimiter)
}

/// A list of names: `columns=` and `on_conflict=`.
pub(super) fn names(lexer: &mut Lexer<'_>) -> Parsed<Vec<String>> {
    lexer.separated((ITEMS_MAX, Bound::Items), |lexer| name(lexer).map(Cow::into_owned), Lexer::comma)
}

/// A name, quoted or not.
pub(super) fn name<'a>(lexer: &mut Lexer<'a>) -> Parsed<Cow<'a, str>> {
    let name = lexer.label("field name (* or [a..z0..9_$])", |lexer| match lexer.optional(Lexer::quoted)? {
        Some(quoted) => Ok(quoted),
        None => with_dashes(lexer, identifier),
    })?;
    if name.len() > NAME_MAX_BYTES { Err(Failure::TooLarge(Bound::Name)) } else { Ok(name) }
}

/// Letters, digits, `_`, `$` and inner spaces.
pub(super) fn identifier<'a>(lexer: &mut Lexer<'a>) -> Parsed<&'a str> {
    let is_part = |character: char| {
        character.is_alphabetic() || character.is_ascii_digit() || matches!(character, '_' | ' ' | '$')
    };
    lexer.take_some(is_part, &["letter", "digit"]).map(str::trim)
}

/// Parts with single dashes between them, as one text.
fn with_dashes<'a>(lexer: &mut Lexer<'a>, part: impl Fn(&mut Lexer<'a>) -> Parsed<&'a str>) -> Parsed<Cow<'a, str>> {
    let mut whole = Cow::Borrowed(part(lexer)?);
    while let Some(next) = lexer.optional(|lexer| dash(lexer).and_then(|()| part(lexer)))? {
        let whole = whole.to_mut();
        whole.push('-');
        whole.push_str(next);
        if whole.len() > NAME_MAX_BYTES {
            return Err(Failure::TooLarge(Bound::Name));
        }
        lexer.forget();
    }
    Ok(whole)
}

/// A dash that begins no arrow.
fn dash(lexer: &mut Lexer<'_>) -> Parsed<()> {
    lexer.attempt(|lexer| {
        lexer.symbol('-', "-")?;
        lexer.not_followed_by(|character| character == '>')
    })
}

/// Arrows into JSON, perhaps none.
pub(super) fn json_path(lexer: &mut Lexer<'_>) -> Parsed<Vec<JsonStep>> {
    let mut steps = Vec::new();
    while let Some(step) = lexer.optional(json_step)? {
        if steps.len() >= DEPTH_MAX {
            return Err(Failure::TooLarge(Bound::Depth));
        }
        steps.push(step);
    }
    Ok(steps)
}

fn json_step(lexer: &mut Lexer<'_>) -> Parsed<JsonStep> {
    let arrow = match lexer.perhaps(|lexer| lexer.word("->>"))? {
        Some(()) => Arrow::Text,
        None => lexer.attempt(|lexer| lexer.word("->")).map(|()| Arrow::Json)?,
    };
    let operand = match lexer.perhaps(json_index)? {
        Some(index) => JsonOperand::Index(index),
        None => JsonOperand::Key(lexer.attempt(json_key)?),
    };
    Ok(JsonStep { arrow, operand })
}

/// An index; one too great for any array becomes the greatest.
fn json_index(lexer: &mut Lexer<'_>) -> Parsed<i64> {
    let negative = lexer.optional(|lexer| lexer.symbol('-', "-"))?.is_some();
    let digits = lexer.take_some(|character| character.is_ascii_digit(), &["digit"])?;
    index_end(lexer)?;
    let magnitude = digits.parse::<i64>().unwrap_or(i64::MAX);
    Ok(if negative { -magnitude } else { magnitude })
}

fn index_end(lexer: &mut Lexer<'_>) -> Parsed<()> {
    for word in ["->", "::", ".", ","] {
        if lexer.optional(|lexer| lexer.look_ahead(|lexer| lexer.word(word)))?.is_some() {
            return Ok(());
        }
    }
    lexer.end()
}

fn json_key(lexer: &mut Lexer<'_>) -> Parsed<String> {
    let is_part = |character: char| !matches!(character, '(' | '-' | ':' | '.' | ',' | '>' | ')');
    let key = lexer.label("any non reserved character different from: .,>()", |lexer| {
        match lexer.optional(Lexer::quoted)? {
            Some(quoted) => Ok(quoted),
            None => with_dashes(lexer, |lexer| lexer.take_some(is_part, &[]).map(str::trim)),
        }
    })?;
    if key.len() > NAME_MAX_BYTES { Err(Failure::TooLarge(Bound::Name)) } else { Ok(key.into_owned()) }
}
