//! The shortest parts of a document in which a query holds, from the first to the last.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use crate::search::query::Query;
use crate::search::vector::{Vector, Weight};

/// A word of the query where it stands in the document.
type Spot<'a> = (u16, Reverse<Weight>, &'a str);

/// A part of a document.
#[derive(Debug)]
pub(super) struct Cover {
    /// Its first place.
    pub(super) first: u32,
    /// Its last place.
    pub(super) last: u32,
    /// The weights of the query's words in it.
    pub(super) weights: Vec<Weight>,
}

impl Cover {
    /// How many other words stand between those of the query. Behind the greatest place all words stand at it: then half of
    /// them is taken for others.
    pub(super) fn others(&self) -> u32 {
        let further = u32::try_from(self.weights.len()).unwrap_or(u32::MAX).saturating_sub(1);
        (self.last - self.first).checked_sub(further).unwrap_or(further / 2)
    }
}

/// Finds one after the other.
#[derive(Debug)]
pub(super) struct Covers<'a> {
    query: &'a Query,
    spots: Vec<Spot<'a>>,
    from: usize,
}

impl<'a> Covers<'a> {
    /// `None` when no word of the query stands anywhere.
    pub(super) fn of(vector: &'a Vector, query: &'a Query) -> Option<Self> {
        let mut words = Vec::new();
        query.root()?.add_words(&mut words);
        let mut spots: BTreeSet<Spot<'a>> = BTreeSet::new();
        for word in words {
            for (text, places) in word.entries(vector) {
                let counted = places.iter().filter(|(_, weight)| word.counts(**weight));
                spots.extend(counted.map(|(place, weight)| (*place, Reverse(*weight), text)));
            }
        }
        (!spots.is_empty()).then(|| Self { query, spots: spots.into_iter().collect(), from: 0 })
    }

    /// The next one.
    ///
    /// # Errors
    /// What `go_on` says.
    pub(super) fn next<Over>(&mut self, go_on: &mut dyn FnMut() -> Result<(), Over>) -> Result<Option<Cover>, Over> {
        while let Some(end) = self.first_with(self.from..self.spots.len(), go_on)? {
            let begin = self.first_with((self.from..=end).rev(), go_on)?;
            self.from = begin.unwrap_or(self.from) + 1;
            if let Some(spots) = begin.and_then(|begin| self.spots.get(begin..=end))
                && let [(first, ..), ..] = spots
                && let [.., (last, ..)] = spots
            {
                let weights = spots.iter().map(|(_, weight, _)| weight.0).collect();
                return Ok(Some(Cover { first: u32::from(*first), last: u32::from(*last), weights }));
            }
        }
        Ok(None)
    }

    /// The first of the spots, taken one after the other, with which the query holds.
    fn first_with<Over>(
        &self,
        spots: impl Iterator<Item = usize>,
        go_on: &mut dyn FnMut() -> Result<(), Over>,
    ) -> Result<Option<usize>, Over> {
        let mut part = Vector::default();
        for at in spots {
            let Some((place, weight, word)) = self.spots.get(at) else { break };
            part.add_weighed(word, *place, weight.0);
            if self.query.matches(&part) {
                return Ok(Some(at));
            }
            go_on()?;
        }
        Ok(None)
    }
}
