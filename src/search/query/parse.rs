//! Reads queries.
//!
//! ```text
//! query    = any
//! any      = all ("|" all)*
//! all      = phrase ("&" phrase)*
//! phrase   = one (("<->" | "<" digits ">") one)*
//! one      = "!" one  |  "(" any ")"  |  word [":" ("*" | A | B | C | D)*]
//! word     = "'" any character, "''" or "\" and a character "'"  |  characters without white space and ! & | ( ) < :
//!
//! web search = ["-"]* ('"' text '"' | word), one behind the other: all of them, or with "or" between: one of them
//! ```
//!
//! Source: <https://www.postgresql.org/docs/15/textsearch-controls.html#TEXTSEARCH-PARSING-QUERIES>, and what Postgres 15
//! answered when asked.

use super::{Node, Word};
use crate::search::vector::Weight;
use crate::search::{Configuration, Error};

/// How deep a query may nest: each level costs stack.
pub(super) const DEPTH_MAX: usize = 200;
/// Words may be so many places apart.
const DISTANCE_MAX: u32 = 16_384;

/// How the words of one operand are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Joint {
    /// Each is there.
    And,
    /// They stand one behind the other.
    Phrase,
}

/// The words that an operand stands for. A word between others that is left out keeps its place.
pub(super) fn operand(configuration: Configuration, joint: Joint, text: &str) -> Node {
    let mut words: Vec<(u32, Node)> = Vec::new();
    configuration.add_words(text, 0, &mut |text, place| {
        words.push((place, Node::Word(Word { text, is_start: false, weights: Vec::new() })));
    });
    let mut before = words.first().map_or(0, |(place, _)| *place);
    let mut words = words.into_iter().map(|(place, node)| (place - std::mem::replace(&mut before, place), node));
    let Some((_, first)) = words.next() else { return Node::Stop };
    let rest: Vec<(u32, Node)> = words.collect();
    match joint {
        _ if rest.is_empty() => first,
        Joint::And => Node::And(std::iter::once(first).chain(rest.into_iter().map(|(_, node)| node)).collect()),
        Joint::Phrase => Node::Phrase(Box::new(first), rest),
    }
}

/// Reads operators and operands; `None` without any.
pub(super) fn query(text: &str, operand: &mut dyn FnMut(Word) -> Node) -> Result<Option<Node>, Error> {
    let mut reader = Reader { text, rest: text, depth: 0, operand };
    reader.skip_space();
    if reader.rest.is_empty() {
        return Ok(None);
    }
    let node = reader.any()?;
    if reader.rest.is_empty() { Ok(Some(node)) } else { Err(reader.syntax()) }
}

struct Reader<'a> {
    text: &'a str,
    rest: &'a str,
    depth: usize,
    operand: &'a mut dyn FnMut(Word) -> Node,
}

impl Reader<'_> {
    fn any(&mut self) -> Result<Node, Error> {
        self.list('|', Self::all, Node::Or)
    }

    fn all(&mut self) -> Result<Node, Error> {
        self.list('&', Self::phrase, Node::And)
    }

    fn list(
        &mut self,
        operator: char,
        child: fn(&mut Self) -> Result<Node, Error>,
        join: fn(Vec<Node>) -> Node,
    ) -> Result<Node, Error> {
        let mut children = vec![child(self)?];
        while self.take(operator) {
            children.push(child(self)?);
        }
        Ok(match (children.len(), children.pop()) {
            (1, Some(only)) => only,
            (_, last) => {
                children.extend(last);
                join(children)
            }
        })
    }

    fn phrase(&mut self) -> Result<Node, Error> {
        let first = self.one()?;
        let mut rest = Vec::new();
        while let Some(distance) = self.take_distance()? {
            rest.push((distance, self.one()?));
        }
        Ok(if rest.is_empty() { first } else { Node::Phrase(Box::new(first), rest) })
    }

    fn one(&mut self) -> Result<Node, Error> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(Error::new("54001", "stack depth limit exceeded"));
        }
        self.skip_space();
        let node = if self.take('!') {
            Node::Not(Box::new(self.one()?))
        } else if self.take('(') {
            let inner = self.any()?;
            if !self.take(')') {
                return Err(self.syntax());
            }
            inner
        } else {
            let word = self.word()?;
            (self.operand)(word)
        };
        self.depth -= 1;
        Ok(node)
    }

    fn word(&mut self) -> Result<Word, Error> {
        if self.rest.is_empty() {
            return Err(Error::new("42601", format!("no operand in tsquery: \"{}\"", self.text)));
        }
        let (text, rest) = match read_word(self.rest) {
            Ok(read) => read,
            Err(NoWord::Syntax) => return Err(self.syntax()),
            Err(NoWord::Escape) => {
                return Err(Error::new("42601", format!("there is no escaped character: \"{}\"", self.text)));
            }
        };
        self.rest = rest;
        let mut word = Word { text, is_start: false, weights: Vec::new() };
        if let Some(rest) = self.rest.strip_prefix(':') {
            let marks = rest.find(|mark| mark != '*' && Weight::of(mark).is_none()).unwrap_or(rest.len());
            let (marks, rest) = rest.split_at(marks);
            word.is_start = marks.contains('*');
            word.weights = marks.chars().filter_map(Weight::of).collect();
            word.weights.sort_unstable();
            word.weights.dedup();
            self.rest = rest;
        }
        self.skip_space();
        Ok(word)
    }

    /// Takes `<->` or `<2>`.
    fn take_distance(&mut self) -> Result<Option<u32>, Error> {
        self.skip_space();
        let Some((inside, rest)) = self.rest.strip_prefix('<').and_then(|rest| rest.split_once('>')) else {
            return Ok(None);
        };
        if rest.is_empty() {
            return Ok(None);
        }
        let distance = match inside {
            "-" => 1,
            digits if !digits.is_empty() && digits.bytes().all(|of| of.is_ascii_digit()) => {
                digits.parse().ok().filter(|distance| *distance <= DISTANCE_MAX).ok_or_else(|| {
                    let bound = "an integer value between zero and 16384 inclusive";
                    Error::new("22023", format!("distance in phrase operator must be {bound}"))
                })?
            }
            _ => return Ok(None),
        };
        self.rest = rest;
        Ok(Some(distance))
    }

    fn take(&mut self, character: char) -> bool {
        self.skip_space();
        match self.rest.strip_prefix(character) {
            Some(rest) => {
                self.rest = rest.trim_start();
                true
            }
            None => false,
        }
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn syntax(&self) -> Error {
        Error::new("42601", format!("syntax error in tsquery: \"{}\"", self.text))
    }
}

/// Why no word was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NoWord {
    /// None begins, or its quote does not end.
    Syntax,
    /// Nothing follows a backslash.
    Escape,
}

/// A word at the beginning, and what follows it.
fn read_word(text: &str) -> Result<(String, &str), NoWord> {
    let mut word = String::new();
    let mut rest = text.chars();
    if text.starts_with('\'') {
        rest.next();
        loop {
            match rest.next().ok_or(NoWord::Syntax)? {
                '\\' => word.push(rest.next().ok_or(NoWord::Escape)?),
                '\'' if rest.as_str().starts_with('\'') => word.extend(rest.next()),
                '\'' if word.is_empty() => return Err(NoWord::Syntax),
                '\'' => return Ok((word, rest.as_str())),
                character => word.push(character),
            }
        }
    }
    while let Some(character) = rest.clone().next().filter(|of| !of.is_whitespace() && !ends_word(*of)) {
        rest.next();
        word.push(if character == '\\' { rest.next().ok_or(NoWord::Escape)? } else { character });
    }
    if word.is_empty() { Err(NoWord::Syntax) } else { Ok((word, rest.as_str())) }
}

fn ends_word(character: char) -> bool {
    is_operator(character) || character == ':'
}

fn is_operator(character: char) -> bool {
    matches!(character, '!' | '&' | '|' | '(' | ')' | '<')
}

/// Reads what people type into search engines. It has no syntax errors.
pub(super) fn web_search(text: &str, operand: &mut dyn FnMut(&str) -> Node) -> Result<Option<Node>, Error> {
    let mut any: Vec<Vec<Node>> = vec![Vec::new()];
    let is_blank = |of: char| of.is_whitespace() || is_operator(of);
    let mut rest = text.trim_start_matches(is_blank);
    while !rest.is_empty() {
        if any.last().is_some_and(|all| !all.is_empty())
            && let Some(behind) = after_or(rest)
        {
            any.push(Vec::new());
            rest = behind;
        }
        let (node, behind) = web_operand(rest, operand)?;
        any.last_mut().into_iter().for_each(|all| all.push(node.clone()));
        rest = behind.trim_start_matches(is_blank);
    }
    let mut any: Vec<Node> = any.into_iter().filter(|all| !all.is_empty()).map(|all| one_or(all, Node::And)).collect();
    Ok(if any.len() > 1 { Some(Node::Or(any)) } else { any.pop() })
}

fn one_or(mut nodes: Vec<Node>, join: fn(Vec<Node>) -> Node) -> Node {
    match (nodes.len(), nodes.pop()) {
        (1, Some(only)) => only,
        (_, last) => {
            nodes.extend(last);
            join(nodes)
        }
    }
}

/// What follows an `or` that is an operator: something does, and it is no part of a word.
fn after_or(text: &str) -> Option<&str> {
    let (word, rest) = text.split_at_checked(2)?;
    let goes_on = rest.starts_with(|next: char| matches!(next, '-' | '_') || next.is_alphanumeric());
    let is_operator = word.eq_ignore_ascii_case("or") && !goes_on && !rest.trim_start().is_empty();
    is_operator.then_some(rest)
}

/// One operand, with what denies it, and what follows it.
fn web_operand<'a>(text: &'a str, operand: &mut dyn FnMut(&str) -> Node) -> Result<(Node, &'a str), Error> {
    let mut rest = text;
    let mut denials = 0;
    let node = loop {
        rest = rest.trim_start();
        let Some(first) = rest.chars().next() else { break Node::Stop };
        let behind = rest.get(first.len_utf8()..).unwrap_or_default();
        if first == '-' {
            denials += 1;
            rest = behind;
        } else if first == '"' {
            let (quoted, behind) = behind.split_once('"').unwrap_or((behind, ""));
            rest = behind;
            break operand(quoted);
        } else if is_operator(first) {
            rest = behind;
        } else {
            let ends = |next: char| next.is_whitespace() || next == '"' || ends_word(next);
            let length = behind.find(ends).unwrap_or(behind.len());
            let (word, after) = rest.split_at(first.len_utf8() + length);
            rest = after;
            break operand(word);
        }
    };
    if denials > DEPTH_MAX {
        return Err(Error::new("54001", "stack depth limit exceeded"));
    }
    Ok(((0..denials).fold(node, |node, _| Node::Not(Box::new(node))), rest))
}
