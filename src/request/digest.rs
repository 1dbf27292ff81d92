//! Hashes of lists of parts.

use sha2::{Digest as _, Sha256};

/// A SHA-256 in the making, over parts each with its length before it, so that no two lists of parts have the same.
#[derive(Default)]
pub struct Digest(Sha256);

impl Digest {
    /// Adds a part.
    pub fn add(&mut self, part: &[u8]) -> &mut Self {
        self.0.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        self.0.update(part);
        self
    }

    /// The whole hash.
    #[must_use]
    pub fn whole(self) -> [u8; 32] {
        self.0.finalize().into()
    }

    /// Half of the hash.
    #[must_use]
    pub fn half(self) -> [u8; 16] {
        let [low, _] = self.halves();
        low
    }

    /// A quarter of the hash.
    #[must_use]
    pub fn quarter(self) -> u64 {
        let [low, _] = self.halves();
        let [a, b, c, d, e, f, g, h, ..] = low;
        u64::from_be_bytes([a, b, c, d, e, f, g, h])
    }

    fn halves(self) -> [[u8; 16]; 2] {
        let mut halves = [[0; 16]; 2];
        for (half, bytes) in halves.iter_mut().zip(self.whole().chunks_exact(16)) {
            half.copy_from_slice(bytes);
        }
        halves
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_part_ends_makes_a_difference() {
        let of = |parts: &[&str]| {
            let mut digest = Digest::default();
            parts.iter().for_each(|part| _ = digest.add(part.as_bytes()));
            digest.half()
        };
        assert_eq!(of(&["ab", "c"]), of(&["ab", "c"]));
        assert_ne!(of(&["ab", "c"]), of(&["a", "bc"]));
        assert_ne!(of(&["ab"]), of(&["ab", ""]));
    }

    #[test]
    fn halves_and_quarters_are_the_beginning_of_the_whole() {
        let digest = || {
            let mut digest = Digest::default();
            digest.add(b"x");
            digest
        };
        let whole = digest().whole();
        assert_eq!(whole[..16], digest().half());
        assert_eq!(whole[..8], digest().quarter().to_be_bytes());
    }
}
