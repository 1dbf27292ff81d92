//! Time zones, by the names and rules that `SET timezone` takes.
//!
//! ```text
//! zone  = hours                        a number, east of Greenwich
//!       / name                         of the IANA database, in any case
//!       / posix
//! posix = [ abbreviation ] offset [ abbreviation [ offset ] [ "," rules ] ]      offset: west of Greenwich
//! ```
//!
//! The database is part of the program: an image has no other.
//!
//! Source: <https://www.postgresql.org/docs/15/datatype-posix-timezone-specs.html>; `check_timezone` of Postgres 15.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone, TimeZoneDatabase};

use super::{fault, temporal};
use crate::catalog::TypeKind;
use crate::plan::Error;

/// When the clocks change where an abbreviation of daylight saving time stands without rules.
const DEFAULT_RULES: &str = ",M3.2.0,M11.1.0";

/// A moment by which Postgres looks whether a zone counts leap seconds: the beginning of the year 2000, in Unix time.
const LOOKED_AT: i64 = 946_684_800;

/// A name of jiff's own, which the IANA database has not.
const UNKNOWN: &str = "Etc/Unknown";

/// A time zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

/// The zone in which moments are stored, and shown where nothing else is asked for.
pub(super) static UTC: Zone = Zone(TimeZone::UTC);

impl Zone {
    /// The zone that `SET timezone` would set.
    ///
    /// # Errors
    /// 22023 for what is none, or is not whole minutes away from UTC, as if it counted leap seconds.
    pub fn read(text: &str) -> Result<Self, Error> {
        let zone = of_hours(text).or_else(|| Self::named(text)).or_else(|| of_rules(text));
        let zone = zone.ok_or_else(|| fault::invalid_zone(text))?;
        let at = Timestamp::from_second(LOOKED_AT).unwrap_or(Timestamp::UNIX_EPOCH);
        if zone.0.to_offset(at).seconds() % 60 != 0 {
            return Err(fault::leap_seconds(text));
        }
        Ok(zone)
    }

    /// The zone of that name in the IANA database.
    pub(super) fn named(name: &str) -> Option<Self> {
        let is_known = !name.eq_ignore_ascii_case(UNKNOWN);
        TimeZoneDatabase::bundled().get(name).ok().filter(|_| is_known).map(Self)
    }

    /// A value of the type as it is shown in the zone; `None` where that is as it is stored.
    #[must_use]
    pub fn show(&self, stored: &str, kind: &TypeKind) -> Option<String> {
        if !is_zoned(kind) {
            return None;
        }
        if *kind == TypeKind::TimestampTz {
            return temporal::show(stored, self);
        }
        let mut array = serde_json::from_str(stored).ok()?;
        self.show_elements(&mut array);
        Some(array.to_string())
    }

    /// Calls itself for arrays inside, which are at most six deep.
    fn show_elements(&self, array: &mut serde_json::Value) {
        match array {
            serde_json::Value::Array(items) => items.iter_mut().for_each(|item| self.show_elements(item)),
            serde_json::Value::String(text) => {
                if let Some(shown) = temporal::show(text, self) {
                    *text = temporal::with_minutes(&shown);
                }
            }
            serde_json::Value::Null
            | serde_json::Value::Bool(_)
            | serde_json::Value::Number(_)
            | serde_json::Value::Object(_) => {}
        }
    }

    /// Seconds east of UTC at a moment of UTC.
    pub(super) fn offset_at(&self, utc: DateTime) -> i32 {
        let offset = Offset::UTC.to_timestamp(utc).map(|moment| self.0.to_offset(moment));
        offset.map_or(0, Offset::seconds)
    }

    /// Seconds east of UTC when the clocks of the zone show that time. What they skip is reckoned as before the skip; of
    /// a time that they show twice it is the second.
    ///
    /// Source: `DetermineTimeZoneOffset` of Postgres 15.
    pub(super) fn offset_of(&self, local: DateTime) -> i32 {
        let offset = match self.0.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Unambiguous { offset } => offset,
            AmbiguousOffset::Gap { before, .. } => before,
            AmbiguousOffset::Fold { after, .. } => after,
        };
        offset.seconds()
    }
}

/// True for moments that are shown in a zone.
#[must_use]
pub fn is_zoned(kind: &TypeKind) -> bool {
    if let TypeKind::Array(element) = kind { is_zoned(element) } else { *kind == TypeKind::TimestampTz }
}

/// `-4`, `5.5`.
fn of_hours(text: &str) -> Option<Zone> {
    let hours: f64 = text.trim_start().parse().ok().filter(|hours: &f64| hours.is_finite())?;
    #[expect(clippy::cast_possible_truncation, reason = "what is too large is no offset either")]
    let seconds = (hours * 3_600.0) as i32;
    fixed(seconds)
}

fn fixed(seconds: i32) -> Option<Zone> {
    Offset::from_seconds(seconds).ok().map(|offset| Zone(TimeZone::fixed(offset)))
}

fn of_rules(text: &str) -> Option<Zone> {
    let behind_name = match text.strip_prefix('<') {
        Some(quoted) => quoted.split_once('>')?.1,
        None => text.trim_start_matches(|c: char| !c.is_ascii_digit() && !matches!(c, ',' | '+' | '-')),
    };
    let end = behind_name.find(|c: char| !c.is_ascii_digit() && !matches!(c, ':' | '+' | '-'));
    let (offset, daylight) = behind_name.split_at(end.unwrap_or(behind_name.len()));
    if daylight.is_empty() {
        return fixed(-read_offset(offset)?);
    }
    let rules = if daylight.contains(',') { "" } else { DEFAULT_RULES };
    TimeZone::posix(&format!("{text}{rules}")).ok().map(Zone)
}

/// Seconds of `[+|-]hh[:mm[:ss]]`.
fn read_offset(text: &str) -> Option<i32> {
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut parts = text.split(':').map(|part| {
        let is_number = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        part.parse::<i32>().ok().filter(|_| is_number)
    });
    let (hours, minutes, seconds) =
        (parts.next()??, parts.next().unwrap_or(Some(0))?, parts.next().unwrap_or(Some(0))?);
    let is_within = hours < 168 && minutes < 60 && seconds <= 60 && parts.next().is_none();
    is_within.then_some(sign * (hours * 3_600 + minutes * 60 + seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(zone: &str, stored: &str) -> String {
        let zone = Zone::read(zone).unwrap();
        zone.show(stored, &TypeKind::TimestampTz).unwrap_or_else(|| stored.to_owned())
    }

    /// Expected values taken from Postgres 15.
    #[test]
    fn a_moment_is_shown_as_the_clocks_of_the_zone_show_it() {
        for (zone, stored, expected) in [
            ("Europe/Berlin", "2024-01-15 12:00:00+00", "2024-01-15 13:00:00+01"),
            ("europe/berlin", "2024-07-15 12:00:00.5+00", "2024-07-15 14:00:00.5+02"),
            ("Asia/Kolkata", "2024-12-31 23:59:59+00", "2025-01-01 05:29:59+05:30"),
            ("America/Los_Angeles", "2024-03-10 09:59:59+00", "2024-03-10 01:59:59-08"),
            ("America/Los_Angeles", "2024-03-10 10:00:00+00", "2024-03-10 03:00:00-07"),
            ("Europe/Amsterdam", "1850-01-01 00:00:00+00", "1850-01-01 00:17:30+00:17:30"),
            ("America/New_York", "2500-07-01 00:00:00+00", "2500-06-30 20:00:00-04"),
            ("UTC", "2024-01-15 12:00:00+00", "2024-01-15 12:00:00+00"),
            ("EST5EDT", "2024-07-15 12:00:00+00", "2024-07-15 08:00:00-04"),
            ("FOO5BAR", "2024-07-15 12:00:00+00", "2024-07-15 08:00:00-04"),
            ("CET-1CEST,M3.5.0,M10.5.0/3", "2024-07-15 12:00:00+00", "2024-07-15 14:00:00+02"),
            ("+05:30", "2024-01-15 12:00:00+00", "2024-01-15 06:30:00-05:30"),
            ("<+03>-3", "2024-01-15 12:00:00+00", "2024-01-15 15:00:00+03"),
            ("XYZ-3", "2024-01-15 12:00:00+00", "2024-01-15 15:00:00+03"),
            ("-4", "2024-01-15 12:00:00+00", "2024-01-15 08:00:00-04"),
            ("5.5", "2024-01-15 12:00:00+00", "2024-01-15 17:30:00+05:30"),
            ("Europe/Berlin", "infinity", "infinity"),
        ] {
            assert_eq!(shown(zone, stored), expected, "{zone}");
        }
    }

    #[test]
    fn elements_of_an_array_are_shown_in_the_zone_too() {
        let kind = TypeKind::Array(Box::new(TypeKind::TimestampTz));
        let zone = Zone::read("Europe/Berlin").unwrap();
        let stored = r#"["2024-01-15T12:00:00+00:00",null,"infinity"]"#;
        let shown = r#"["2024-01-15T13:00:00+01:00",null,"infinity"]"#;
        assert_eq!(zone.show(stored, &kind).as_deref(), Some(shown));
        assert_eq!(zone.show(stored, &TypeKind::Text { max_length: None }), None);
    }

    /// Texts taken from Postgres 15.
    #[test]
    fn what_is_no_zone_is_refused() {
        for name in ["Invalid/Timezone", "", "PST", "Etc/Unknown", "+", "5:", "<+03>", "+200:00", "inf", "1:2:3:4"] {
            let Err(Error::Sqlstate { code, message, .. }) = Zone::read(name) else { panic!("{name:?} is a zone") };
            assert_eq!((code, message), ("22023", format!("invalid value for parameter \"TimeZone\": \"{name}\"")));
        }
        let Err(Error::Sqlstate { code, message, details, .. }) = Zone::read("05:30:15") else { panic!("a zone") };
        assert_eq!((code, message.as_str()), ("22023", "time zone \"05:30:15\" appears to use leap seconds"));
        assert_eq!(details.as_deref(), Some("PostgreSQL does not support leap seconds."));
    }
}
