//! The kinds of values that variables have, and what is no such value.

use std::borrow::Cow;
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use super::fault::{Fault, Problem};
use super::resolve::Resolver;
use super::{Switch, quantity};

/// Largest size: Postgres takes no larger value.
const SIZE_MOST_BYTES: u64 = 1 << 30;

/// Longest time for something to be done: Postgres counts `statement_timeout` in 31 bits of milliseconds.
const TIME_LIMIT_LONGEST: Duration = Duration::from_secs(24 * 86_400);

impl Resolver {
    /// A whole number of what `of` says, within a range.
    pub(super) fn number<T: FromStr + PartialOrd + fmt::Display>(
        &mut self,
        variable: &'static str,
        typed: &Option<String>,
        of: &str,
        range: RangeInclusive<T>,
    ) -> Option<T> {
        let value = text(typed)?;
        let number = value.parse().ok().filter(|number| range.contains(number));
        if number.is_none() {
            self.unexpected(variable, &value, format!("{of}, {} to {}", range.start(), range.end()));
        }
        number
    }

    pub(super) fn size(&mut self, variable: &'static str, typed: &Option<String>) -> Option<u64> {
        let value = text(typed)?;
        let size = quantity::size_bytes(&value).filter(|bytes| (1..=SIZE_MOST_BYTES).contains(bytes));
        if size.is_none() {
            self.unexpected(variable, &value, "a size such as 10MB or 512KiB, at most 1GiB");
        }
        size
    }

    pub(super) fn duration(&mut self, variable: &'static str, typed: &Option<String>) -> Duration {
        let value = text(typed).unwrap_or_default();
        quantity::duration(&value).unwrap_or_else(|| {
            self.unexpected(variable, &value, "a duration such as 500ms, 30s or 24h, at most 36600d");
            Duration::ZERO
        })
    }

    /// A duration within which something must be done, so zero would forbid it.
    pub(super) fn time_limit(&mut self, variable: &'static str, typed: &Option<String>) -> Duration {
        let value = text(typed).unwrap_or_default();
        let limit = quantity::duration(&value).filter(|limit| !limit.is_zero() && *limit <= TIME_LIMIT_LONGEST);
        limit.unwrap_or_else(|| {
            self.unexpected(variable, &value, "a duration such as 500ms, 30s or 2h, longer than zero, at most 24d");
            Duration::ZERO
        })
    }

    pub(super) fn switch(&mut self, variable: &'static str, typed: &Option<String>) -> Switch {
        let value = text(typed).unwrap_or_default().to_ascii_lowercase();
        match value.as_str() {
            "true" | "1" | "yes" | "on" => Switch::On,
            "false" | "0" | "no" | "off" => Switch::Off,
            _ => {
                self.unexpected(variable, &value, "true or false");
                Switch::Off
            }
        }
    }

    pub(super) fn choice<T: Copy>(
        &mut self,
        variable: &'static str,
        typed: &Option<String>,
        expected: &'static str,
        otherwise: T,
        choices: &[(&str, T)],
    ) -> T {
        let Some(value) = text(typed) else {
            return otherwise;
        };
        let found = choices.iter().find(|(name, _)| value.eq_ignore_ascii_case(name)).map(|(_, choice)| *choice);
        found.unwrap_or_else(|| {
            self.unexpected(variable, &value, expected);
            otherwise
        })
    }

    pub(super) fn web_address(&mut self, variable: &'static str, typed: &Option<String>) -> Option<String> {
        let address = text(typed)?;
        let rest = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://"));
        let names_host = |rest: &str| rest.starts_with(|first: char| first.is_alphanumeric() || first == '[');
        if rest.is_some_and(names_host) && !address.contains(char::is_whitespace) {
            return Some(address);
        }
        self.unexpected(variable, &address, "an address such as https://example.com/path");
        None
    }

    pub(super) fn unexpected(&mut self, variable: &'static str, value: &str, expected: impl Into<Cow<'static, str>>) {
        self.fault(variable, Problem::Unexpected { value: value.to_owned(), expected: expected.into() });
    }

    pub(super) fn unexpected_secret(&mut self, variable: &'static str, expected: &'static str) {
        self.fault(variable, Problem::UnexpectedSecret { expected });
    }

    /// Names the variable as the operator typed it.
    pub(super) fn fault(&mut self, variable: &'static str, problem: Problem) {
        let variable = self.typed_as.get(variable).cloned().unwrap_or_else(|| variable.to_owned());
        self.faults.push(Fault { variable, problem });
    }
}

/// A value without surrounding blanks; `None` when nothing is left.
pub(super) fn text(typed: &Option<String>) -> Option<String> {
    typed.as_deref().map(str::trim).filter(|value| !value.is_empty()).map(str::to_owned)
}

/// Values between commas, blanks around them and empty ones left out.
pub(super) fn list(typed: &Option<String>) -> Vec<String> {
    let typed = typed.as_deref().unwrap_or_default();
    typed.split(',').map(str::trim).filter(|value| !value.is_empty()).map(str::to_owned).collect()
}
