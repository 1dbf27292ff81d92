//! Keys of machine clients: random texts whose hashes stand in a file (`API_KEYS_FILE`), each with a role.
//!
//! ```text
//! file  = *(line LF)
//! line  = [hash SP role *(SP claim "=" value) [SP "rate=" rate]] ["#" comment]
//! hash  = 64HEXDIG                 ; SHA-256 of the key
//! value = JSON, or else text       ; without blanks
//! rate  = e.g. 20/s                ; see `rate`
//! ```
//!
//! The hash has no salt: keys must be random, as those that `berth token --key` makes, and never words. Whoever reads the
//! file learns no key from it.

use std::fmt;
use std::fs::{self, File, Metadata};
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use thiserror::Error as ThisError;

use super::rate::Rate;
use super::{Identity, is_nobody};
use crate::telemetry::{Event, Telemetry};

/// More keys are a directory of users, which is what tokens are for; all are compared with each key that is sent.
const MAX_KEYS: usize = 1_000;

/// A thousand lines with claims.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// What keys made here begin with, so that scanners for leaked secrets know them.
const PREFIX: &str = "berth_";

/// Bytes of randomness in a key made here.
const RANDOM_BYTES: usize = 32;

type Hash = [u8; 32];

/// Why a file holds no keys.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
pub enum Error {
    /// It cannot be read.
    #[error("\"{path}\" cannot be read: {reason}")]
    Unreadable {
        /// The file.
        path: String,
        /// The operating system's words.
        reason: String,
    },
    /// A line is not what it must be.
    #[error("\"{path}\", line {line}: {problem}")]
    Line {
        /// The file.
        path: String,
        /// Counted from 1.
        line: usize,
        /// What is wrong with it; never the line itself.
        problem: Problem,
    },
    /// It holds too much.
    #[error("\"{path}\" has more than {MAX_KEYS} keys or {MAX_FILE_BYTES} bytes")]
    TooLarge {
        /// The file.
        path: String,
    },
}

/// What is wrong with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ThisError)]
pub enum Problem {
    /// It does not begin with a hash.
    #[error("it does not begin with the SHA-256 of a key in 64 hexadecimal digits")]
    Hash,
    /// Anyone could send no key at all.
    #[error("it is the hash of an empty key")]
    EmptyKey,
    /// The role is missing, or is one that nobody has.
    #[error("no role stands behind the hash")]
    Role,
    /// The rate is none.
    #[error("the rate is not one such as 20/s, 600/m or 10000/h")]
    Rate,
    /// What stands behind the role is no claim, or names the role again.
    #[error("what stands behind the role is not claim=value")]
    Claim,
    /// A key stands there twice.
    #[error("the key stands on an earlier line too")]
    Twice,
}

/// The keys of a file, read anew when the file changes.
pub struct ApiKeys {
    path: PathBuf,
    table: ArcSwap<Vec<ApiKey>>,
    look: Mutex<Look>,
    telemetry: Telemetry,
}

struct ApiKey {
    hash: Hash,
    identity: Identity,
    rate: Option<Rate>,
}

/// The last look at the file.
struct Look {
    /// Unix seconds.
    at: i64,
    stamp: Option<Stamp>,
}

/// What tells a file from the one that was read: a mounted secret is replaced by a link to another file.
type Stamp = (u64, u64, u64, i64, i64);

impl ApiKeys {
    /// Reads the keys of a file.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn open(path: &Path, telemetry: Telemetry) -> Result<Self, Error> {
        let stamp = stamp(path);
        let table = read(path)?;
        telemetry.record(&Event::ApiKeysRead { keys: table.len() });
        let look = Mutex::new(Look { at: crate::clock::unix_seconds(), stamp });
        Ok(Self { path: path.to_owned(), table: ArcSwap::from_pointee(table), look, telemetry })
    }

    /// Whom a key stands for and how often it may come, at `now` (Unix seconds). Takes as long for a key that is nearly
    /// right as for any other.
    pub(super) fn find(&self, key: &str, now: i64) -> Option<(Identity, Option<Rate>)> {
        self.look(now);
        let hash: Hash = Sha256::digest(key.as_bytes()).into();
        let table = self.table.load();
        let found =
            table.iter().fold(None, |found, entry| if are_equal(&entry.hash, &hash) { Some(entry) } else { found });
        found.map(|entry| (entry.identity.clone(), entry.rate))
    }

    /// Reads the file anew, changed or not. One that cannot be used is told to the log, and its last keys stay.
    pub fn reload(&self) {
        let stamp = stamp(&self.path);
        self.look.lock().unwrap_or_else(PoisonError::into_inner).stamp = stamp;
        match read(&self.path) {
            Ok(table) => {
                self.telemetry.record(&Event::ApiKeysRead { keys: table.len() });
                self.table.store(Arc::new(table));
            }
            Err(error) => self.telemetry.record(&Event::ApiKeysNotRead { cause: &error.to_string() }),
        }
    }

    /// Looks once in a second whether the file is another.
    fn look(&self, now: i64) {
        {
            let mut look = self.look.lock().unwrap_or_else(PoisonError::into_inner);
            if look.at == now {
                return;
            }
            look.at = now;
            if stamp(&self.path) == look.stamp {
                return;
            }
        }
        self.reload();
    }
}

impl fmt::Debug for ApiKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKeys({})", self.table.load().len())
    }
}

/// A new key, and the line that lets it in.
///
/// # Errors
/// When the operating system has no randomness to give.
pub fn make(role: &str, claims: &Map<String, Value>) -> Result<(String, String), getrandom::Error> {
    let mut random = [0; RANDOM_BYTES];
    getrandom::fill(&mut random)?;
    let key = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(random));
    let mut line: String = Sha256::digest(key.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    line.push(' ');
    line.push_str(role);
    for (name, value) in claims {
        line.push_str(&format!(" {name}={value}"));
    }
    Ok((key, line))
}

fn stamp(path: &Path) -> Option<Stamp> {
    let of = |file: Metadata| (file.dev(), file.ino(), file.len(), file.mtime(), file.mtime_nsec());
    fs::metadata(path).ok().map(of)
}

fn read(path: &Path) -> Result<Vec<ApiKey>, Error> {
    let name = || path.display().to_string();
    let mut text = String::new();
    let length = File::open(path)
        .and_then(|file| file.take(MAX_FILE_BYTES + 1).read_to_string(&mut text))
        .map_err(|error| Error::Unreadable { path: name(), reason: error.to_string() })?;
    let mut table: Vec<ApiKey> = Vec::new();
    for (position, line) in text.lines().enumerate() {
        let fault = |problem| Error::Line { path: name(), line: position + 1, problem };
        let Some(key) = read_line(line).map_err(fault)? else { continue };
        if table.iter().any(|other| other.hash == key.hash) {
            return Err(fault(Problem::Twice));
        }
        table.push(key);
    }
    if length as u64 > MAX_FILE_BYTES || table.len() > MAX_KEYS {
        return Err(Error::TooLarge { path: name() });
    }
    Ok(table)
}

/// The key of a line; `None` when there is only a comment.
fn read_line(line: &str) -> Result<Option<ApiKey>, Problem> {
    let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
    let Some(hash) = words.next() else { return Ok(None) };
    let hash = read_hash(hash).ok_or(Problem::Hash)?;
    if hash == Hash::from(Sha256::digest(b"")) {
        return Err(Problem::EmptyKey);
    }
    let role = words.next().filter(|role| !role.contains('=') && !is_nobody(role)).ok_or(Problem::Role)?;
    let mut claims = Map::from_iter([("role".to_owned(), role.into())]);
    let mut rate = None;
    for word in words {
        let (name, value) = word.split_once('=').ok_or(Problem::Claim)?;
        if name == "rate" {
            rate = Some(Rate::parse(value).map_err(|_| Problem::Rate)?);
            continue;
        }
        if name.is_empty() || claims.contains_key(name) {
            return Err(Problem::Claim);
        }
        claims.insert(name.to_owned(), serde_json::from_str(value).unwrap_or_else(|_| value.into()));
    }
    let identity = Identity { role: role.to_owned(), claims: Value::Object(claims).to_string(), authenticated: true };
    Ok(Some(ApiKey { hash, identity, rate }))
}

fn read_hash(text: &str) -> Option<Hash> {
    let mut hash = Hash::default();
    if text.len() != 2 * hash.len() || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (position, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * position..2 * position + 2)?, 16).ok()?;
    }
    Some(hash)
}

/// Compares all bytes, wherever the first difference is.
fn are_equal(left: &Hash, right: &Hash) -> bool {
    let difference = left.iter().zip(right).fold(0, |difference, (left, right)| difference | (left ^ right));
    std::hint::black_box(difference) == 0
}

#[cfg(test)]
mod tests;
