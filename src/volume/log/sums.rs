//! The checksum of every page of a working copy, so that a commit's checksum costs its own pages only.

use super::change::{CHECKSUM_FLAG, Change, Checksum, page_checksum};

/// Checksums by page, eight bytes for each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sums {
    pages: Vec<u64>,
    whole: u64,
}

/// What a change does to the sums.
#[derive(Debug)]
pub struct Delta {
    pages: Vec<(usize, u64)>,
    database_pages: usize,
    whole: u64,
}

impl Delta {
    /// The database's checksum after the change.
    #[must_use]
    pub fn checksum(&self) -> Checksum {
        Checksum(CHECKSUM_FLAG | self.whole)
    }
}

impl Sums {
    /// The database's checksum.
    #[must_use]
    pub fn checksum(&self) -> Checksum {
        Checksum(CHECKSUM_FLAG | self.whole)
    }

    /// Pages of the database.
    #[must_use]
    pub fn len(&self) -> u32 {
        u32::try_from(self.pages.len()).unwrap_or(u32::MAX)
    }

    /// True before the first commit.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pages.is_empty()
    }

    /// Adds page `number`, whose checksum is `sum`, after all that are there; pages left out count for nothing.
    pub(super) fn push(&mut self, number: u32, sum: u64) {
        self.pages.resize(usize::try_from(number).unwrap_or(usize::MAX).saturating_sub(1), 0);
        self.pages.push(sum);
        self.whole ^= sum;
    }

    /// Sets the number of pages: those that were left out at the end count for nothing.
    pub(super) fn set_len(&mut self, database_pages: u32) {
        self.pages.resize(usize::try_from(database_pages).unwrap_or(usize::MAX), 0);
    }

    /// Whether page `number` is there with this content.
    pub(super) fn has(&self, number: u32, content: &[u8]) -> bool {
        let place = usize::try_from(number.saturating_sub(1)).unwrap_or(usize::MAX);
        self.pages.get(place) == Some(&page_checksum(number, content))
    }

    /// What `change` would do.
    #[must_use]
    pub fn delta(&self, change: &Change) -> Delta {
        let database_pages = usize::try_from(change.database_pages).unwrap_or(usize::MAX);
        let gone = self.pages.get(database_pages..).unwrap_or_default();
        let mut whole = gone.iter().fold(self.whole, |whole, sum| whole ^ sum);
        let mut pages = Vec::with_capacity(change.pages.len());
        for (number, content) in &change.pages {
            let place = usize::try_from(number.saturating_sub(1)).unwrap_or(usize::MAX);
            let old = self.pages.get(place).copied().unwrap_or_default();
            let new = page_checksum(*number, content);
            whole ^= old ^ new;
            pages.push((place, new));
        }
        Delta { pages, database_pages, whole }
    }

    /// Does it.
    pub fn apply(&mut self, delta: &Delta) {
        self.pages.resize(delta.database_pages, 0);
        for (place, sum) in &delta.pages {
            if let Some(page) = self.pages.get_mut(*place) {
                *page = *sum;
            }
        }
        self.whole = delta.whole;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn change(database_pages: u32, pages: &[(u32, u8)]) -> Change {
        let pages = pages.iter().filter(|(number, _)| (1..=database_pages).contains(number));
        Change {
            page_size: 512,
            database_pages,
            pages: pages.map(|(number, fill)| (*number, vec![*fill; 512])).collect(),
        }
    }

    proptest! {
        #[test]
        fn sums_are_those_of_the_pages(changes in proptest::collection::vec((1u32..12, proptest::collection::vec((1u32..12, any::<u8>()), 0..6)), 1..12)) {
            let mut sums = Sums::default();
            let mut model: BTreeMap<u32, Vec<u8>> = BTreeMap::new();
            for (database_pages, pages) in changes {
                let mut change = change(database_pages, &pages);
                // A database that grows writes every new page.
                for number in 1..=database_pages {
                    if !model.contains_key(&number) {
                        change.pages.entry(number).or_insert_with(|| vec![0; 512]);
                    }
                }
                model.retain(|number, _| *number <= database_pages);
                model.extend(change.pages.clone());
                let delta = sums.delta(&change);
                sums.apply(&delta);
                let expected = Checksum::of_pages(model.iter().map(|(number, content)| (*number, content.as_slice())));
                prop_assert_eq!(sums.checksum(), expected);
                prop_assert_eq!(delta.checksum(), expected);
            }
        }
    }
}
