//! How documents stand in an index of words, FTS5 of SQLite, and what it is asked.
//!
//! The index knows no places and no weights. What it is asked is a condition that holds of every document that the query
//! finds; where it holds of others too, the documents are looked at again.
//!
//! A word is written such that FTS5's tokenizer `ascii`, told that `_` belongs to words, takes it for one: digits, lower
//! case and what is not ASCII as they are, each other byte as `_` and its two digits.

use std::fmt::Write as _;

use super::query::{Node, Query, Word};
use super::vector::Vector;

/// The tokenizer that FTS5 needs.
pub const TOKENIZER: &str = "ascii tokenchars '_'";

/// SQLite's own bound on FTS5's queries is 256 levels.
const DEPTH_MAX: usize = 100;

/// A document as the index takes it.
#[must_use]
pub fn document(vector: &Vector) -> String {
    let mut out = String::new();
    for word in vector.words() {
        out.push_str(if out.is_empty() { "" } else { " " });
        write_word(&mut out, word);
    }
    out
}

/// What the index is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// What `MATCH` takes.
    pub text: String,
    /// The index finds just what the query does.
    pub is_exact: bool,
}

/// What the index is asked for a query; `None` when it cannot tell, as for words that are not there.
#[must_use]
pub fn question(query: &Query) -> Option<Question> {
    let mut is_exact = true;
    let text = asked(query.root()?, 0, &mut is_exact)?;
    Some(Question { text, is_exact })
}

fn asked(node: &Node, depth: usize, is_exact: &mut bool) -> Option<String> {
    if depth > DEPTH_MAX {
        return None;
    }
    match node {
        Node::Word(Word { text, is_start, weights }) => {
            *is_exact &= weights.is_empty();
            let mut out = String::from("\"");
            write_word(&mut out, text);
            out.push_str(if *is_start { "\" *" } else { "\"" });
            Some(out)
        }
        Node::Not(_) | Node::Stop => {
            *is_exact = false;
            None
        }
        Node::And(children) => {
            let told: Vec<String> = children.iter().filter_map(|child| asked(child, depth + 1, is_exact)).collect();
            (!told.is_empty()).then(|| grouped(&told, " AND "))
        }
        Node::Or(children) => {
            let told: Option<Vec<String>> = children.iter().map(|child| asked(child, depth + 1, is_exact)).collect();
            told.map(|told| grouped(&told, " OR "))
        }
        Node::Phrase(first, rest) => {
            *is_exact = false;
            let children = std::iter::once(&**first).chain(rest.iter().map(|(_, node)| node));
            let told: Vec<String> = children.filter_map(|child| asked(child, depth + 1, is_exact)).collect();
            (!told.is_empty()).then(|| grouped(&told, " AND "))
        }
    }
}

fn grouped(told: &[String], operator: &str) -> String {
    match told {
        [only] => only.clone(),
        _ => format!("({})", told.join(operator)),
    }
}

fn write_word(out: &mut String, word: &str) {
    for character in word.chars() {
        if character.is_ascii_lowercase() || character.is_ascii_digit() || !character.is_ascii() {
            out.push(character);
        } else {
            // Writing to a string does not fail.
            _ = write!(out, "_{:02x}", u32::from(character));
        }
    }
}
