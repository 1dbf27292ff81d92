//! The DSN: what the driver reads, and the part of libpq's settings that it leaves to us (`sslmode`, `sslrootcert`).
//!
//! Source: <https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING>,
//! <https://www.postgresql.org/docs/current/libpq-ssl.html#LIBPQ-SSL-PROTECTION>

use std::path::PathBuf;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use thiserror::Error as ThisError;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode as DriverMode, TargetSessionAttrs};

use super::{Link, PostgresSettings};

/// How long a server may take to answer a connection attempt when the DSN does not say.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The same where the DSN names several: one that is gone must not hold up those behind it.
const CONNECT_TIMEOUT_OF_MANY: Duration = Duration::from_secs(2);

/// How long what was sent may go unconfirmed before the connection counts as broken.
const UNCONFIRMED_FOR: Duration = Duration::from_secs(10);

/// The driver's own silence before it asks whether the other side is there, if the DSN says nothing: two hours, which
/// is longer than any router remembers a connection.
const DRIVERS_KEEPALIVE: Duration = Duration::from_secs(2 * 60 * 60);

/// Ours.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// Where to connect and how far to trust it.
#[derive(Debug, Clone)]
pub(super) struct Target {
    /// What the driver reads.
    pub(super) config: Config,
    /// How the server's certificate is checked.
    pub(super) trust: Trust,
    /// Whether each transaction may have another server connection (`pgbouncer=true`, as many platforms write it).
    pub(super) is_pooled: bool,
}

/// How the server's certificate is checked; whether TLS is used at all is the driver's setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trust {
    /// Not at all (`allow`, `prefer`, and `require` without a root certificate).
    Anything,
    /// A trusted authority signed it, for whatever host (`verify-ca`, and `require` with a root certificate).
    Authority(Roots),
    /// A trusted authority signed it for this host (`verify-full`).
    Host(Roots),
}

/// Authorities that are trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Roots {
    /// Those of the operating system.
    System,
    /// Those of a PEM file.
    File(PathBuf),
}

/// What is wrong with a DSN. Never holds a value of it: values may be secrets.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
pub(super) enum Fault {
    /// The driver cannot read it.
    #[error("not a DSN: expected postgres://user:password@host/database or host=… dbname=…")]
    Unreadable,
    /// An `sslmode` that libpq does not know either.
    #[error("sslmode must be disable, allow, prefer, require, verify-ca or verify-full")]
    SslMode,
    /// A setting berth cannot honour.
    #[error("\"{0}\" is not supported")]
    Unsupported(String),
}

impl Target {
    /// What is known of the way there.
    pub(super) fn link(&self) -> Link {
        let is_local = |host: &Host| match host {
            Host::Unix(_) => true,
            Host::Tcp(name) => matches!(name.as_str(), "localhost" | "::1") || name.starts_with("127."),
        };
        let hosts = self.config.get_hosts();
        Link {
            is_local: !hosts.is_empty() && hosts.iter().all(is_local),
            is_verified: self.trust != Trust::Anything,
            is_pooled: self.is_pooled,
        }
    }

    /// Reads the DSN.
    pub(super) fn parse(settings: &PostgresSettings) -> Result<Self, Fault> {
        let (kept, ssl) = Ssl::take(&settings.dsn)?;
        let mut config: Config = kept.parse().map_err(|_| Fault::Unreadable)?;
        let is_pooled = ssl.is_pooled;
        let (mode, trust) = ssl.decide()?;
        config.ssl_mode(mode);
        if config.get_application_name().is_none() {
            config.application_name(&settings.application_name);
        }
        let hosts = config.get_hosts().len().max(config.get_hostaddrs().len());
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(if hosts > 1 { CONNECT_TIMEOUT_OF_MANY } else { CONNECT_TIMEOUT });
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(UNCONFIRMED_FOR);
        }
        if config.get_keepalives_idle() == DRIVERS_KEEPALIVE {
            config.keepalives_idle(KEEPALIVE);
        }
        Ok(Self { config, trust, is_pooled })
    }

    /// How long a connection attempt may take, whichever of the hosts answers.
    pub(super) fn connect_within(&self) -> Duration {
        let hosts = self.config.get_hosts().len().max(self.config.get_hostaddrs().len()).max(1);
        let each = self.config.get_connect_timeout().copied().unwrap_or(CONNECT_TIMEOUT);
        each.saturating_mul(u32::try_from(hosts).unwrap_or(u32::MAX)).saturating_add(Duration::from_secs(1))
    }

    /// Whether only a server that takes writes is to be used.
    pub(super) fn wants_primary(&self) -> bool {
        self.config.get_target_session_attrs() == TargetSessionAttrs::ReadWrite
    }
}

/// The settings that the driver does not know.
#[derive(Debug, Default, PartialEq, Eq)]
struct Ssl {
    mode: Option<String>,
    root: Option<String>,
    is_pooled: bool,
}

impl Ssl {
    /// Takes them out of a DSN; gives what is left for the driver.
    fn take(dsn: &str) -> Result<(String, Self), Fault> {
        let mut ssl = Self::default();
        let is_uri = dsn.starts_with("postgres://") || dsn.starts_with("postgresql://");
        if is_uri {
            let Some((before, query)) = dsn.split_once('?') else { return Ok((dsn.to_owned(), ssl)) };
            let mut kept = Vec::new();
            for pair in query.split('&').filter(|pair| !pair.is_empty()) {
                let (key, value) = pair.split_once('=').ok_or(Fault::Unreadable)?;
                let value = percent_decode_str(value).decode_utf8().map_err(|_| Fault::Unreadable)?;
                if !ssl.keep(key, &value)? {
                    kept.push(pair);
                }
            }
            let mark = if kept.is_empty() { "" } else { "?" };
            return Ok((format!("{before}{mark}{}", kept.join("&")), ssl));
        }
        let mut kept = Vec::new();
        for (key, value, text) in key_values(dsn)? {
            if !ssl.keep(&key, &value)? {
                kept.push(text);
            }
        }
        Ok((kept.join(" "), ssl))
    }

    /// True when the setting is ours and was taken.
    fn keep(&mut self, key: &str, value: &str) -> Result<bool, Fault> {
        match key {
            "sslmode" => self.mode = Some(value.to_owned()),
            "sslrootcert" => self.root = Some(value.to_owned()),
            "pgbouncer" => self.is_pooled = value == "true",
            "sslcert" | "sslkey" | "sslcrl" | "sslpassword" | "gssencmode" if value.is_empty() => {}
            "gssencmode" if value == "disable" || value == "prefer" => {}
            "sslcert" | "sslkey" | "sslcrl" | "sslpassword" | "gssencmode" | "passfile" | "service" => {
                return Err(Fault::Unsupported(key.to_owned()));
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn decide(self) -> Result<(DriverMode, Trust), Fault> {
        let given = self.root.clone();
        let roots = match self.root.as_deref() {
            None | Some("" | "system") => Roots::System,
            Some(path) => Roots::File(path.into()),
        };
        // As libpq: a root certificate makes `require` check it; `system` asks for the host too.
        let default = if given.as_deref() == Some("system") { "verify-full" } else { "prefer" };
        Ok(match self.mode.as_deref().unwrap_or(default) {
            "disable" => (DriverMode::Disable, Trust::Anything),
            "allow" | "prefer" => (DriverMode::Prefer, Trust::Anything),
            "require" if matches!(roots, Roots::File(_)) => (DriverMode::Require, Trust::Authority(roots)),
            "require" => (DriverMode::Require, Trust::Anything),
            "verify-ca" => (DriverMode::Require, Trust::Authority(roots)),
            "verify-full" => (DriverMode::Require, Trust::Host(roots)),
            _ => return Err(Fault::SslMode),
        })
    }
}

/// Splits `key=value key='quoted value'` into keys, values and the texts they stood in.
fn key_values(dsn: &str) -> Result<Vec<(String, String, String)>, Fault> {
    let mut pairs = Vec::new();
    let mut rest = dsn.trim_start();
    while !rest.is_empty() {
        let (key, after) = rest.split_once('=').ok_or(Fault::Unreadable)?;
        let after = after.trim_start();
        let (value, length) = read_value(after)?;
        let (text, tail) = after.split_at(length);
        pairs.push((key.trim().to_owned(), value, format!("{}={text}", key.trim())));
        rest = tail.trim_start();
    }
    Ok(pairs)
}

/// A value and how many bytes it took: quoted with `'`, or up to a blank; a backslash takes the next character.
fn read_value(text: &str) -> Result<(String, usize), Fault> {
    let quoted = text.starts_with('\'');
    let mut value = String::new();
    let mut characters = text.char_indices().skip(usize::from(quoted));
    while let Some((position, c)) = characters.next() {
        match c {
            '\\' => value.push(characters.next().ok_or(Fault::Unreadable)?.1),
            '\'' if quoted => return Ok((value, position + 1)),
            c if c.is_whitespace() && !quoted => return Ok((value, position)),
            c => value.push(c),
        }
    }
    if quoted { Err(Fault::Unreadable) } else { Ok((value, text.len())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(dsn: &str) -> (String, DriverMode, Trust) {
        let (kept, ssl) = Ssl::take(dsn).unwrap();
        let (mode, trust) = ssl.decide().unwrap();
        (kept, mode, trust)
    }

    #[test]
    fn ssl_settings_are_taken_out_of_both_forms() {
        let file = || Roots::File("/ca.pem".into());
        for (dsn, kept, mode, trust) in [
            ("postgres://u:p@h/d", "postgres://u:p@h/d", DriverMode::Prefer, Trust::Anything),
            ("postgres://h/d?sslmode=disable", "postgres://h/d", DriverMode::Disable, Trust::Anything),
            (
                "postgres://a,b/d?sslmode=verify-full&target_session_attrs=read-write",
                "postgres://a,b/d?target_session_attrs=read-write",
                DriverMode::Require,
                Trust::Host(Roots::System),
            ),
            (
                "postgresql://h/d?sslrootcert=%2Fca.pem&sslmode=require",
                "postgresql://h/d",
                DriverMode::Require,
                Trust::Authority(file()),
            ),
            ("host=h sslmode=require", "host=h", DriverMode::Require, Trust::Anything),
            (
                "host=h password='a b\\'c' sslmode=verify-ca sslrootcert=/ca.pem",
                "host=h password='a b\\'c'",
                DriverMode::Require,
                Trust::Authority(file()),
            ),
            ("host=h sslrootcert=system", "host=h", DriverMode::Require, Trust::Host(Roots::System)),
        ] {
            assert_eq!(taken(dsn), (kept.to_owned(), mode, trust), "{dsn}");
        }
    }

    #[test]
    fn what_cannot_be_honoured_is_named_without_its_value() {
        assert_eq!(Ssl::take("host=h sslkey=secret").unwrap_err(), Fault::Unsupported("sslkey".into()));
        assert_eq!(Ssl::take("host=h password='open").unwrap_err(), Fault::Unreadable);
        let (_, ssl) = Ssl::take("host=h sslmode=sometimes").unwrap();
        assert_eq!(ssl.decide().unwrap_err(), Fault::SslMode);
    }
}
