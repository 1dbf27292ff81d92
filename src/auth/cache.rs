//! Tokens that were verified already: a signature is checked once.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use sha2::{Digest as _, Sha256};

use super::Identity;

/// Claims beyond this size are not remembered, so that a full cache of the default 1,000 entries takes at most 4 MiB.
const MAX_CLAIMS_BYTES: usize = 4 * 1024;

/// A bounded memory of verified tokens, by their hash. No entry outlives its token's `exp`.
///
/// Two generations: when the younger has half of the entries it becomes the older, and the older one is forgotten. What
/// is asked for moves to the younger one.
pub struct TokenCache {
    generation_entries: usize,
    generations: Mutex<Generations>,
}

#[derive(Default)]
struct Generations {
    young: HashMap<[u8; 32], Entry>,
    old: HashMap<[u8; 32], Entry>,
}

#[derive(Clone)]
struct Entry {
    identity: Identity,
    /// Unix seconds.
    expires: Option<i64>,
    /// Of the keys that verified it.
    keys: u64,
}

impl Entry {
    fn holds(&self, keys: u64, now: i64) -> bool {
        self.keys == keys && self.expires.is_none_or(|expires| now < expires)
    }
}

impl TokenCache {
    /// Remembers at most `max_entries` tokens (one more when that is odd); zero remembers none.
    #[must_use]
    pub fn new(max_entries: usize) -> Self {
        // A single entry is a generation too; rounding up keeps it from being none.
        Self { generation_entries: max_entries.div_ceil(2), generations: Mutex::default() }
    }

    /// Whom a token stands for, when it was verified before and has not expired at `now` (Unix seconds).
    ///
    /// `keys`: the generation of the keys at hand. What other keys verified is forgotten: one of them may have been
    /// withdrawn.
    pub(super) fn find(&self, token: &str, keys: u64, now: i64) -> Option<Identity> {
        if self.generation_entries == 0 {
            return None;
        }
        let hash = hash_of(token);
        let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = generations.young.get(&hash) {
            return entry.holds(keys, now).then(|| entry.identity.clone());
        }
        let entry = generations.old.remove(&hash).filter(|entry| entry.holds(keys, now))?;
        let identity = entry.identity.clone();
        self.insert(&mut generations, hash, entry);
        Some(identity)
    }

    /// Remembers a token that the keys of a generation verified, until `expires` (Unix seconds).
    pub(super) fn remember(&self, token: &str, identity: &Identity, keys: u64, expires: Option<i64>) {
        if self.generation_entries == 0 || identity.claims.len() > MAX_CLAIMS_BYTES {
            return;
        }
        let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        self.insert(&mut generations, hash_of(token), Entry { identity: identity.clone(), expires, keys });
    }

    fn insert(&self, generations: &mut Generations, hash: [u8; 32], entry: Entry) {
        if generations.young.len() >= self.generation_entries {
            generations.old = std::mem::take(&mut generations.young);
        }
        generations.young.insert(hash, entry);
    }
}

/// The hash stands for the token: the cache holds nothing that could be replayed.
fn hash_of(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

impl fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenCache({})", self.generation_entries.saturating_mul(2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_entry_outlives_its_token() {
        let cache = TokenCache::new(10);
        cache.remember("a", &Identity::anonymous("web"), 1, Some(100));
        assert_eq!(cache.find("a", 1, 99).unwrap().role, "web");
        assert!(cache.find("a", 1, 100).is_none());
        assert!(cache.find("b", 1, 0).is_none());
        assert!(cache.find("a", 2, 99).is_none(), "other keys did not verify it");
    }

    #[test]
    fn it_never_holds_more_than_its_bound_and_keeps_what_is_used() {
        let cache = TokenCache::new(10);
        for number in 0..1_000 {
            cache.remember(&format!("{number}"), &Identity::anonymous("web"), 1, None);
            assert!(cache.find("0", 1, 0).is_some(), "used all the time, lost at {number}");
            let generations = cache.generations.lock().unwrap();
            assert!(generations.young.len() + generations.old.len() <= 10);
        }
    }

    #[test]
    fn a_cache_of_none_and_claims_too_large_are_not_remembered() {
        let cache = TokenCache::new(0);
        cache.remember("a", &Identity::anonymous("web"), 1, None);
        assert!(cache.find("a", 1, 0).is_none());
        let cache = TokenCache::new(2);
        cache.remember("a", &Identity::anonymous(&"x".repeat(5_000)), 1, None);
        assert!(cache.find("a", 1, 0).is_none());
    }
}
