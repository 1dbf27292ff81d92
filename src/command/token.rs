//! `berth token`: makes a token for development from the configured secret, or a key for a machine client.

use std::io::{self, Write as _};
use std::time::Duration;

use clap::Args;
use serde_json::{Map, Value};
use thiserror::Error;

use crate::auth::{ClaimPath, api_key, mint, path};
use crate::clock;
use crate::config::{self, Access};

/// What the token shall say.
#[derive(Debug, Clone, Args)]
pub(super) struct Wish {
    /// The role it stands for.
    #[arg(long)]
    role: String,
    /// One more claim, `name=value`; a value that is JSON is taken as such. May be repeated.
    #[arg(long = "claim", value_name = "NAME=VALUE", value_parser = parse_claim)]
    claims: Vec<(String, Value)>,
    /// How long it holds, e.g. `30m`, `24h`.
    #[arg(long, default_value = "1h", value_parser = parse_duration)]
    expires: Duration,
    /// Makes a key for a machine client instead, and writes its line for the file of keys to stderr.
    #[arg(long, conflicts_with = "expires")]
    key: bool,
}

/// Why there is no token.
#[derive(Debug, Error)]
pub(super) enum Error {
    /// Nothing to sign with.
    #[error("JWT_SECRET is not set: there is nothing to sign a token with")]
    NoSecret,
    /// The key cannot sign.
    #[error(transparent)]
    Mint(#[from] mint::Error),
    /// `JWT_ROLE_CLAIM`.
    #[error("JWT_ROLE_CLAIM")]
    RoleClaim(#[from] path::Error),
    /// A key needs randomness.
    #[error("no randomness: {0}")]
    Randomness(getrandom::Error),
    /// The role or a claim has a blank or `#` in it, which the file has no way to write.
    #[error("a role or a claim of API_KEYS_FILE has no blanks and no #")]
    Blank,
    /// Stdout is closed.
    #[error("the token cannot be written")]
    Write(#[from] io::Error),
}

/// Writes the token and a line break to stdout, nothing else, so that `$(berth token --role web)` is a token.
pub(super) fn run(access: &Access, wish: &Wish) -> Result<(), Error> {
    if wish.key {
        return make_key(wish);
    }
    let secret = access.jwt_secret.as_ref().ok_or(Error::NoSecret)?;
    let claims = claims(access, wish, clock::unix_seconds())?;
    let token = mint::mint(secret.expose(), &claims)?;
    Ok(writeln!(io::stdout().lock(), "{token}")?)
}

/// The key goes to stdout and its line to stderr: `berth token --key --role ingest 2>> api-keys`.
fn make_key(wish: &Wish) -> Result<(), Error> {
    let (key, line) = api_key::make(&wish.role, &wish.claims.iter().cloned().collect()).map_err(Error::Randomness)?;
    if line.split_whitespace().count() != 2 + wish.claims.len() || line.contains(['#', '\n']) {
        return Err(Error::Blank);
    }
    writeln!(io::stdout().lock(), "{key}")?;
    Ok(writeln!(io::stderr().lock(), "{line}")?)
}

fn claims(access: &Access, wish: &Wish, now: i64) -> Result<Map<String, Value>, Error> {
    let seconds = i64::try_from(wish.expires.as_secs()).unwrap_or(i64::MAX);
    let mut claims = Map::new();
    claims.insert("iat".into(), now.into());
    claims.insert("exp".into(), now.saturating_add(seconds).into());
    if let Some(audience) = &access.jwt_audience {
        claims.insert("aud".into(), audience.clone().into());
    }
    claims.extend(wish.claims.iter().cloned());
    ClaimPath::parse(&access.jwt_role_claim)?.place(&mut claims, &wish.role);
    Ok(claims)
}

fn parse_claim(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text.split_once('=').ok_or("a claim is written name=value")?;
    let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
    Ok((name.to_owned(), value))
}

fn parse_duration(text: &str) -> Result<Duration, String> {
    config::quantity::duration(text).ok_or_else(|| "a duration is written 30s, 15m or 24h".to_owned())
}
