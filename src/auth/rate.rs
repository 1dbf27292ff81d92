//! How often someone may ask: a token bucket for each client address, sender and role.
//!
//! The buckets are this instance's own: instances do not talk to each other, so `n` of them let through up to `n` times
//! as much. They are of the kind that needs one number each (GCRA): the moment at which the bucket is full again.
//!
//! ```text
//! limits = limit *("," limit)
//! limit  = ("address" / "sender" / "role:" name) "=" rate
//! rate   = count "/" ("s" / "m" / "h")
//! ```
//!
//! Source: <https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm>

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use thiserror::Error as ThisError;

use super::{Error, Identity};
use crate::clock::Stopwatch;

/// Buckets of one generation, about 80 bytes each: two generations take at most 3 MiB.
const GENERATION_BUCKETS: usize = 16_384;

/// Addresses that one customer of a provider has as a matter of course: a host may take any of its /64.
const IPV6_PREFIX_BITS: u32 = 64;

/// At most `count` requests in each `period`; all of them may come at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    count: u32,
    period: Duration,
}

/// A text that limits nothing.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
#[error("\"{0}\" is not a limit such as address=20/s, sender=600/m or role:anon=10000/h")]
pub struct ParseError(String);

/// Who has a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Owner {
    Address(IpAddr),
    /// SHA-256 of who it is: subjects are as long as tokens allow.
    Sender([u8; 32]),
    /// By its place among the limits.
    Role(usize),
}

/// What kind of limit turned a request away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The client's address.
    Address,
    /// Who the token or key says it is.
    Sender,
    /// The role.
    Role,
}

impl By {
    /// The word of the setting, of metrics and of answers.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Sender => "sender",
            Self::Role => "role",
        }
    }
}

/// The limits and their buckets.
#[derive(Debug)]
pub struct RateLimits {
    address: Option<Rate>,
    sender: Option<Rate>,
    roles: Vec<(String, Rate)>,
    buckets: Mutex<Buckets>,
    started: Stopwatch,
}

/// When each bucket is full again, since the start. Those that are full stand for nothing and need no place.
///
/// Two generations, as in the memory of tokens: who has more addresses than there are places is not held up by this.
#[derive(Debug, Default)]
struct Buckets {
    young: HashMap<Owner, Duration>,
    old: HashMap<Owner, Duration>,
}

impl Rate {
    /// Reads a rate, e.g. `20/s`.
    ///
    /// # Errors
    /// When the text is none, or its count is zero.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let fault = || ParseError(text.to_owned());
        let (count, unit) = text.trim().split_once('/').ok_or_else(fault)?;
        let period = match unit.trim() {
            "s" => 1,
            "m" => 60,
            "h" => 3_600,
            _ => return Err(fault()),
        };
        let count = count.trim().parse().ok().filter(|count| *count > 0).ok_or_else(fault)?;
        Ok(Self { count, period: Duration::from_secs(period) })
    }

    /// Takes `requests` from a bucket that is full at `full`: when it will be full then, or how long to wait for them.
    /// More than the bucket holds are never there.
    fn take(self, requests: u32, full: Duration, now: Duration) -> Result<Duration, Duration> {
        let next = full.max(now) + (self.period / self.count).saturating_mul(requests);
        match next.checked_sub(self.period).and_then(|earliest| earliest.checked_sub(now)) {
            Some(wait) if !wait.is_zero() => Err(wait),
            Some(_) | None => Ok(next),
        }
    }
}

impl RateLimits {
    /// Nobody is limited.
    #[must_use]
    pub fn none() -> Self {
        let buckets = Mutex::default();
        Self { address: None, sender: None, roles: Vec::new(), buckets, started: Stopwatch::start() }
    }

    /// Reads limits.
    ///
    /// # Errors
    /// When the text has something that is no limit, or one twice.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let mut limits = Self::none();
        for limit in text.split(',').map(str::trim).filter(|limit| !limit.is_empty()) {
            let fault = || ParseError(limit.to_owned());
            let (who, rate) = limit.rsplit_once('=').ok_or_else(fault)?;
            let rate = Rate::parse(rate).map_err(|_| fault())?;
            let is_new = match (who.trim(), who.trim().strip_prefix("role:")) {
                ("address", _) => limits.address.replace(rate).is_none(),
                ("sender", _) => limits.sender.replace(rate).is_none(),
                (_, Some(role)) if !role.is_empty() => {
                    limits.roles.push((role.to_owned(), rate));
                    limits.roles.iter().filter(|(other, _)| other == role).count() == 1
                }
                (_, Some(_) | None) => false,
            };
            if !is_new {
                return Err(fault());
            }
        }
        Ok(limits)
    }

    /// Counts requests of a client.
    ///
    /// # Errors
    /// [`Error::TooManyRequests`].
    pub fn admit_address(&self, address: IpAddr, requests: u32) -> Result<(), Error> {
        let owner = Owner::Address(customer(address));
        self.take(By::Address, owner, self.address, requests, self.started.elapsed())
    }

    /// Counts requests of a sender, whose own rate counts before the general one, and of its role.
    ///
    /// # Errors
    /// [`Error::TooManyRequests`].
    pub(super) fn admit(&self, identity: &Identity, own: Option<Rate>, requests: u32) -> Result<(), Error> {
        let now = self.started.elapsed();
        let rate = own.or(self.sender);
        if rate.is_some() && identity.authenticated {
            let hash = Sha256::digest(format!("{} {}", identity.role, identity.subject()).as_bytes());
            self.take(By::Sender, Owner::Sender(hash.into()), rate, requests, now)?;
        }
        match self.roles.iter().enumerate().find(|(_, (role, _))| *role == identity.role) {
            Some((place, (_, rate))) => self.take(By::Role, Owner::Role(place), Some(*rate), requests, now),
            None => Ok(()),
        }
    }

    fn take(&self, by: By, owner: Owner, rate: Option<Rate>, requests: u32, now: Duration) -> Result<(), Error> {
        let Some(rate) = rate else { return Ok(()) };
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let full = buckets.find(&owner);
        let next = rate.take(requests, full, now).map_err(|wait| Error::TooManyRequests { by, wait })?;
        buckets.put(owner, next, now);
        Ok(())
    }
}

impl Buckets {
    /// When a bucket is full; one that is not there is.
    fn find(&self, owner: &Owner) -> Duration {
        self.young.get(owner).or_else(|| self.old.get(owner)).copied().unwrap_or_default()
    }

    fn put(&mut self, owner: Owner, full: Duration, now: Duration) {
        if self.young.len() >= GENERATION_BUCKETS && !self.young.contains_key(&owner) {
            self.young.retain(|_, full| *full > now);
            if self.young.len() >= GENERATION_BUCKETS / 2 {
                self.old = std::mem::take(&mut self.young);
            }
        }
        self.young.insert(owner, full);
    }
}

/// The address, or the network that stands for one customer.
fn customer(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let mask = u128::MAX << (u128::BITS - IPV6_PREFIX_BITS);
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & mask))
        }
    }
}

#[cfg(test)]
mod tests;
