//! Queries: words, and what must hold of them.

mod matching;
mod parse;

use std::fmt;

use super::vector::{Weight, quoted};
use super::{Configuration, Error};

/// Which of Postgres' functions reads a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `to_tsquery`: operators and operands.
    Query,
    /// `plainto_tsquery`: all of the words.
    Plain,
    /// `phraseto_tsquery`: the words one behind the other.
    Phrase,
    /// `websearch_to_tsquery`: as search engines read it.
    WebSearch,
}

/// What a document is searched for; without a word nothing is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    root: Option<Node>,
}

/// A part of a query. No deeper than [`parse::DEPTH_MAX`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node {
    /// A word.
    Word(Word),
    /// It does not hold.
    Not(Box<Node>),
    /// Each holds; two or more.
    And(Vec<Node>),
    /// One holds; two or more.
    Or(Vec<Node>),
    /// The first, and each further one so many places behind the one before it.
    Phrase(Box<Node>, Vec<(u32, Node)>),
    /// A word that is left out; none is left in a query that is read.
    Stop,
}

/// A word that is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) text: String,
    /// Also words that begin so.
    pub(super) is_start: bool,
    /// The weights that count; empty: each.
    pub(super) weights: Vec<Weight>,
}

impl Query {
    /// Reads what Postgres' function of that form takes.
    ///
    /// # Errors
    /// 42601 for what is no query, 22023 for places too far apart, 54001 for what nests too deep.
    pub fn read(form: Form, configuration: Configuration, text: &str) -> Result<Self, Error> {
        let operand = |joint, text: &str| parse::operand(configuration, joint, text);
        let node = match form {
            Form::Query => {
                parse::query(text, &mut |of| operand(parse::Joint::Phrase, &of.text).marked(of.is_start, &of.weights))?
            }
            Form::Plain => Some(operand(parse::Joint::And, text)),
            Form::Phrase => Some(operand(parse::Joint::Phrase, text)),
            Form::WebSearch => parse::web_search(text, &mut |text| operand(parse::Joint::Phrase, text))?,
        };
        Ok(Self { root: node.and_then(|node| node.without_stops().node) })
    }

    /// Reads a query whose words are lexemes, as a cast to `tsquery` does and [`Display`](fmt::Display) writes it.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn of_lexemes(text: &str) -> Result<Self, Error> {
        Ok(Self { root: parse::query(text, &mut Node::Word)? })
    }

    /// Both hold; one without a word asks for nothing.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        self.with(other, Node::And)
    }

    /// One of them holds; one without a word asks for nothing.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        self.with(other, Node::Or)
    }

    /// It does not hold.
    #[must_use]
    pub fn denied(self) -> Self {
        Self { root: self.root.map(|root| Node::Not(Box::new(root))) }
    }

    fn with(self, other: Self, join: fn(Vec<Node>) -> Node) -> Self {
        let mut sides: Vec<Node> = self.root.into_iter().chain(other.root).collect();
        Self { root: if sides.len() > 1 { Some(join(sides)) } else { sides.pop() } }
    }

    /// This query with the number of each word in its place, as [`Node::add_words`] counts them, without their marks.
    pub(super) fn with_numbers_for_words(&self) -> Self {
        let mut count = 0;
        Self { root: self.root.as_ref().map(|root| root.numbered(&mut count)) }
    }

    pub(super) fn root(&self) -> Option<&Node> {
        self.root.as_ref()
    }
}

/// What is left of a part without the words that are left out.
#[derive(Debug)]
struct Cleaned {
    node: Option<Node>,
    /// Places that were left out before it, as far as a phrase has to know.
    before: u32,
    /// Places that were left out behind it.
    behind: u32,
}

impl Node {
    /// Tells the words in the order in which they are written.
    pub(super) fn add_words<'a>(&'a self, words: &mut Vec<&'a Word>) {
        match self {
            Self::Word(word) => words.push(word),
            Self::Not(inner) => inner.add_words(words),
            Self::And(children) | Self::Or(children) => children.iter().for_each(|child| child.add_words(words)),
            Self::Phrase(first, rest) => {
                first.add_words(words);
                rest.iter().for_each(|(_, child)| child.add_words(words));
            }
            Self::Stop => {}
        }
    }

    /// This part with the numbers of its words in their places, counted on from `count`.
    fn numbered(&self, count: &mut usize) -> Self {
        match self {
            Self::Word(_) => {
                let text = count.to_string();
                *count += 1;
                Self::Word(Word { text, is_start: false, weights: Vec::new() })
            }
            Self::Not(inner) => Self::Not(Box::new(inner.numbered(count))),
            Self::And(children) => Self::And(children.iter().map(|child| child.numbered(count)).collect()),
            Self::Or(children) => Self::Or(children.iter().map(|child| child.numbered(count)).collect()),
            Self::Phrase(first, rest) => {
                let first = Box::new(first.numbered(count));
                Self::Phrase(first, rest.iter().map(|(distance, child)| (*distance, child.numbered(count))).collect())
            }
            Self::Stop => Self::Stop,
        }
    }

    /// This part with marks at its words.
    fn marked(self, is_start: bool, weights: &[Weight]) -> Self {
        match self {
            Self::Word(word) => Self::Word(Word { is_start, weights: weights.to_vec(), ..word }),
            Self::Phrase(first, rest) => {
                let rest = rest.into_iter().map(|(distance, node)| (distance, node.marked(is_start, weights)));
                Self::Phrase(Box::new(first.marked(is_start, weights)), rest.collect())
            }
            // An operand is made of words and phrases.
            Self::Not(_) | Self::And(_) | Self::Or(_) | Self::Stop => self,
        }
    }

    fn without_stops(self) -> Cleaned {
        match self {
            Self::Word(_) => Cleaned { node: Some(self), before: 0, behind: 0 },
            Self::Stop => Cleaned { node: None, before: 0, behind: 0 },
            Self::Not(inner) => {
                let inner = inner.without_stops();
                Cleaned { node: inner.node.map(|node| Self::Not(Box::new(node))), ..inner }
            }
            Self::And(children) => joined(children, Self::And),
            Self::Or(children) => joined(children, Self::Or),
            Self::Phrase(first, rest) => phrase(*first, rest),
        }
    }
}

fn joined(children: Vec<Node>, join: fn(Vec<Node>) -> Node) -> Cleaned {
    let (mut left, mut before, mut behind) = (Vec::new(), 0, 0);
    for child in children {
        let child = child.without_stops();
        match (left.is_empty(), child.node) {
            (true, None) => {
                before = child.before.max(before);
                behind = before;
            }
            (true, Some(node)) => {
                left.push(node);
                (before, behind) = (child.before, child.behind);
            }
            (false, None) => {}
            (false, Some(node)) => {
                left.push(node);
                (before, behind) = (0, 0);
            }
        }
    }
    let node = if left.len() > 1 { Some(join(left)) } else { left.pop() };
    Cleaned { node, before, behind }
}

fn phrase(first: Node, rest: Vec<(u32, Node)>) -> Cleaned {
    let Cleaned { node: mut first, mut before, mut behind } = first.without_stops();
    let mut kept: Vec<(u32, Node)> = Vec::new();
    for (distance, child) in rest {
        let child = child.without_stops();
        match (first.is_some(), child.node) {
            (false, None) => {
                before += distance + child.before;
                behind = before;
            }
            (false, Some(node)) => {
                first = Some(node);
                before += distance + child.before;
                behind = child.behind;
            }
            (true, None) => behind += distance + child.behind,
            (true, Some(node)) => {
                kept.push((distance + behind + child.before, node));
                behind = child.behind;
            }
        }
    }
    let node = first.map(|first| if kept.is_empty() { first } else { Node::Phrase(Box::new(first), kept) });
    Cleaned { node, before, behind }
}

impl fmt::Display for Query {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.root.iter().try_for_each(|root| write!(out, "{root}"))
    }
}

impl Node {
    /// How close an operator binds.
    fn rank(&self) -> u8 {
        match self {
            Self::Or(_) => 1,
            Self::And(_) => 2,
            Self::Phrase(..) => 3,
            Self::Not(_) => 4,
            Self::Word(_) | Self::Stop => 5,
        }
    }

    fn write_within(&self, out: &mut fmt::Formatter<'_>, rank: u8) -> fmt::Result {
        if self.rank() < rank { write!(out, "( {self} )") } else { write!(out, "{self}") }
    }
}

impl fmt::Display for Node {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let separated = |out: &mut fmt::Formatter<'_>, children: &[Self], operator: &str| {
            children.iter().enumerate().try_for_each(|(place, child)| {
                out.write_str(if place == 0 { "" } else { operator })?;
                child.write_within(out, self.rank())
            })
        };
        match self {
            Self::Word(word) => {
                write!(out, "'{}'", quoted(&word.text))?;
                if word.is_start || !word.weights.is_empty() {
                    out.write_str(if word.is_start { ":*" } else { ":" })?;
                }
                word.weights.iter().try_for_each(|weight| write!(out, "{}", weight.letter()))
            }
            Self::Not(inner) => {
                out.write_str("!")?;
                inner.write_within(out, self.rank())
            }
            Self::And(children) => separated(out, children, " & "),
            Self::Or(children) => separated(out, children, " | "),
            Self::Phrase(first, rest) => {
                first.write_within(out, self.rank())?;
                rest.iter().try_for_each(|(distance, node)| {
                    match distance {
                        1 => out.write_str(" <-> ")?,
                        distance => write!(out, " <{distance}> ")?,
                    }
                    node.write_within(out, self.rank() + 1)
                })
            }
            Self::Stop => Ok(()),
        }
    }
}
