//! The name of a request in logs and in its answer.

use std::sync::atomic::{AtomicU64, Ordering};

/// Longest name that is taken from a client: it is repeated in the answer and in each log line.
const LONGEST: usize = 128;

/// Gives names that no other process gives, without asking the operating system each time.
#[derive(Debug)]
pub(super) struct RequestIds {
    next: AtomicU64,
}

impl RequestIds {
    /// Starts at a random place.
    pub(super) fn new() -> Result<Self, getrandom::Error> {
        Ok(Self { next: AtomicU64::new(crate::clock::nonce()?) })
    }

    /// The client's own name for the request when it is a sane one, else a new one: 16 hexadecimal digits.
    pub(super) fn name(&self, sent: Option<&str>) -> String {
        match sent.filter(|name| is_sane(name)) {
            Some(name) => name.to_owned(),
            None => format!("{:016x}", scattered(self.next.fetch_add(1, Ordering::Relaxed))),
        }
    }
}

fn is_sane(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/+=".contains(&byte);
    !name.is_empty() && name.len() <= LONGEST && name.bytes().all(is_plain)
}

/// Maps numbers one to one so that neighbours look nothing alike.
///
/// Source: the finaliser of splitmix64, <https://prng.di.unimi.it/splitmix64.c>
fn scattered(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sane_name_is_kept() {
        let ids = RequestIds::new().unwrap();
        assert_eq!(ids.name(Some("a-b_c.1:2/3+4=")), "a-b_c.1:2/3+4=");
    }

    #[test]
    fn what_is_not_sane_gets_a_new_name() {
        let ids = RequestIds::new().unwrap();
        let long = "x".repeat(LONGEST + 1);
        for sent in [None, Some(""), Some("a b"), Some("a\"b"), Some("é"), Some(long.as_str())] {
            let name = ids.name(sent);
            assert!(name.len() == 16 && name.bytes().all(|byte| byte.is_ascii_hexdigit()), "{sent:?}: {name}");
        }
        assert_ne!(ids.name(None), ids.name(None));
    }
}
