//! Holds a query against a document.
//!
//! Outside of phrases a word is there or not. Within a phrase each part has places, or all but some:
//! `!fat <-> cat` is a cat with anything else before it.
//!
//! Source: <https://www.postgresql.org/docs/15/functions-textsearch.html>, and what Postgres 15 answered when asked.

use std::collections::BTreeSet;

use super::{Node, Query, Word};
use crate::search::vector::{Places, Vector, Weight};

/// Where a part of a phrase stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Stand {
    /// The places of its last word.
    places: BTreeSet<u32>,
    /// It stands at each place but these.
    is_denied: bool,
    /// A word is there, and nobody knows where: such a phrase is not found.
    is_unknown: bool,
    /// How far before its last word its first one stands.
    width: u32,
}

impl Query {
    /// True when the document is what is looked for.
    #[must_use]
    pub fn matches(&self, vector: &Vector) -> bool {
        self.root().is_some_and(|root| root.holds(vector))
    }
}

impl Node {
    fn holds(&self, vector: &Vector) -> bool {
        match self {
            Self::Word(word) => word.is_in(vector),
            Self::Not(inner) => !inner.holds(vector),
            Self::And(children) => children.iter().all(|child| child.holds(vector)),
            Self::Or(children) => children.iter().any(|child| child.holds(vector)),
            Self::Phrase(..) => self.stand(vector).is_found(),
            Self::Stop => false,
        }
    }

    fn stand(&self, vector: &Vector) -> Stand {
        match self {
            Self::Word(word) => word.stand(vector),
            Self::Not(inner) => {
                let inner = inner.stand(vector);
                Stand { is_denied: !inner.is_denied, ..inner }
            }
            Self::And(children) => folded(children, vector, |left, right| both(left, right, None)),
            Self::Or(children) => folded(children, vector, either),
            Self::Phrase(first, rest) => rest
                .iter()
                .fold(first.stand(vector), |left, (distance, node)| both(left, node.stand(vector), Some(*distance))),
            Self::Stop => Stand::default(),
        }
    }
}

fn folded(children: &[Node], vector: &Vector, join: fn(Stand, Stand) -> Stand) -> Stand {
    children.iter().map(|child| child.stand(vector)).reduce(join).unwrap_or_default()
}

impl Stand {
    fn is_somewhere(&self) -> bool {
        self.is_unknown || self.is_found()
    }

    fn is_found(&self) -> bool {
        !self.is_unknown && (self.is_denied || !self.places.is_empty())
    }

    /// What is made of two of which one is unknown.
    fn unknown() -> Self {
        Self { is_unknown: true, ..Self::default() }
    }

    fn moved(&self, by: u32) -> BTreeSet<u32> {
        self.places.iter().map(|place| place + by).collect()
    }
}

/// Both stand: at the same place, or the second so far behind the first.
fn both(left: Stand, right: Stand, distance: Option<u32>) -> Stand {
    if !left.is_somewhere() || !right.is_somewhere() {
        return Stand::default();
    }
    if left.is_unknown || right.is_unknown {
        return Stand::unknown();
    }
    let (first, second, width) = match distance {
        Some(distance) => {
            (left.moved(distance + right.width), right.places.clone(), distance + left.width + right.width)
        }
        None => aligned(&left, &right),
    };
    let (places, is_denied) = match (left.is_denied, right.is_denied) {
        (false, false) => (&first & &second, false),
        (false, true) => (&first - &second, false),
        (true, false) => (&second - &first, false),
        (true, true) => (&first | &second, true),
    };
    Stand { places, is_denied, is_unknown: false, width }
}

/// One of them stands.
fn either(left: Stand, right: Stand) -> Stand {
    if left.is_unknown || right.is_unknown {
        return Stand::unknown();
    }
    let (first, second, width) = aligned(&left, &right);
    let (places, is_denied) = match (left.is_denied, right.is_denied) {
        (false, false) => (&first | &second, false),
        (false, true) => (&second - &first, true),
        (true, false) => (&first - &second, true),
        (true, true) => (&first & &second, true),
    };
    Stand { places, is_denied, is_unknown: false, width }
}

/// The places as if both were equally wide.
fn aligned(left: &Stand, right: &Stand) -> (BTreeSet<u32>, BTreeSet<u32>, u32) {
    let width = left.width.max(right.width);
    (left.moved(width - left.width), right.moved(width - right.width), width)
}

impl Word {
    /// What of the document it finds, whatever its weight.
    pub(in crate::search) fn entries<'a>(&'a self, vector: &'a Vector) -> impl Iterator<Item = (&'a str, &'a Places)> {
        vector.found(&self.text, self.is_start)
    }

    /// True when a place of that weight counts.
    pub(in crate::search) fn counts(&self, weight: Weight) -> bool {
        self.weights.is_empty() || self.weights.contains(&weight)
    }

    /// A word without places counts as one of any weight.
    fn is_in(&self, vector: &Vector) -> bool {
        self.entries(vector).any(|(_, places)| places.is_empty() || places.values().any(|weight| self.counts(*weight)))
    }

    fn stand(&self, vector: &Vector) -> Stand {
        let mut stand = Stand::default();
        for (_, places) in self.entries(vector) {
            stand.is_unknown |= places.is_empty();
            let counted = places.iter().filter(|(_, weight)| self.counts(**weight));
            stand.places.extend(counted.map(|(place, _)| u32::from(*place)));
        }
        stand
    }
}
