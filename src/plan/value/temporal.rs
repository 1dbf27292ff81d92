//! Dates and times of day in their ISO forms, and a few of Postgres' looser ones.
//!
//! ```text
//! moment = date [ ( "T" | ws ) time ] [ ws ] [ zone ]            or, for times of day, time [ ws ] [ zone ]
//! date   = year sep month sep day | month sep day sep year | yyyymmdd          sep = "-" | "/" | "."
//! time   = ( h ":" m [ ":" s [ "." f ] ] | hhmmss [ "." f ] | hhmm ) [ ws ] [ "AM" | "PM" ]
//! zone   = "Z" | "UTC" | "GMT" | "zulu" | ( "+" | "-" ) ( hh [ ":" mm [ ":" ss ] ] | hmm | hhmm )
//!        | area "/" place                                                       of the IANA database
//! ```
//!
//! Source: <https://www.postgresql.org/docs/15/datetime-input-rules.html>.

use jiff::SignedDuration;
use jiff::civil::{Date, DateTime};

use super::fault;
use super::interval::{DAY, HOUR, MINUTE, SECOND};
use super::zone::{self, Zone};
use crate::catalog::TypeKind;
use crate::plan::Error;

/// Digits of a second that Postgres keeps.
const FRACTION_DIGITS_MAX: u32 = 6;

/// Hours an offset may not reach (`MAX_TZDISP_HOUR` and one).
const OFFSET_HOURS_END: i64 = 16;

/// Postgres counts from here; rounding goes away from it.
const EPOCH: DateTime = jiff::civil::datetime(2000, 1, 1, 0, 0, 0, 0);

/// What a text says; microseconds throughout.
struct Moment {
    date: Option<Date>,
    time: Option<i64>,
    /// East of UTC.
    offset: Option<Displacement>,
}

/// How far a time is from UTC.
enum Displacement {
    Fixed(i64),
    /// As far as the clocks there are at that time.
    Zone(Zone),
}

impl Moment {
    /// Microseconds east of UTC; `elsewhere` where the text does not say.
    fn offset(&self, elsewhere: &Zone) -> i64 {
        let of_zone = |zone: &Zone| {
            let local = self.date.map_or(0, since_epoch) + self.time.unwrap_or(0);
            let local = EPOCH.checked_add(SignedDuration::from_micros(local));
            local.map_or(0, |local| i64::from(zone.offset_of(local)) * SECOND)
        };
        match &self.offset {
            Some(Displacement::Fixed(offset)) => *offset,
            Some(Displacement::Zone(zone)) => of_zone(zone),
            None => of_zone(elsewhere),
        }
    }
}

/// Reads a type of time into the form it is stored in, rounded to `digits` of a second. A moment without a zone is one
/// of `zone`; a time of day without one is one of UTC, since how far a zone is from that depends on the day.
///
/// # Errors
/// 22007 when the text is none, 22008 and 22009 when a field is beyond its range, 22023 for a zone's name.
pub(super) fn read(text: &str, kind: &TypeKind, digits: Option<u32>, zone: &Zone) -> Result<String, Error> {
    let trimmed = text.trim_ascii();
    if let Some(special) = read_special(trimmed, kind) {
        return Ok(special);
    }
    let moment = Scanner { text, rest: trimmed, kind }.moment()?;
    let time = moment.time.unwrap_or(0);
    match (kind, moment.date) {
        (TypeKind::Date, Some(date)) => Ok(date.to_string()),
        (TypeKind::Time, _) => Ok(write_time(round(time, digits))),
        // How far the zone is from UTC depends on the day.
        (TypeKind::TimeTz, None) if matches!(moment.offset, Some(Displacement::Zone(_))) => {
            Err(fault::invalid_datetime(kind, text))
        }
        (TypeKind::TimeTz, _) => {
            let offset = moment.offset(&zone::UTC);
            Ok(format!("{}{}", write_time(round(time, digits)), write_offset(offset)))
        }
        (TypeKind::Timestamp, Some(date)) => write_timestamp(since_epoch(date) + time, digits, text),
        (_, Some(date)) => {
            let utc = since_epoch(date) + time - moment.offset(zone);
            Ok(write_timestamp(utc, digits, text)? + "+00")
        }
        (_, None) => Err(fault::invalid_datetime(kind, text)),
    }
}

/// A moment as the clocks of a zone show it, with their distance from UTC; `None` for a text that is none, and where it
/// is beyond the years that are written.
pub(super) fn show(stored: &str, zone: &Zone) -> Option<String> {
    let moment = Scanner { text: stored, rest: stored, kind: &TypeKind::TimestampTz }.moment().ok()?;
    let utc = since_epoch(moment.date?) + moment.time? - moment.offset(&zone::UTC);
    let offset = i64::from(zone.offset_at(EPOCH.checked_add(SignedDuration::from_micros(utc)).ok()?)) * SECOND;
    let local = write_timestamp(utc + offset, None, stored).ok()?;
    Some(local + &write_offset(offset))
}

/// The moment as JSON has it: with a `T`, and minutes behind the hours of its offset.
pub(super) fn with_minutes(shown: &str) -> String {
    let has_minutes = shown.rfind(['+', '-']).is_some_and(|sign| shown.len() > sign + 3);
    shown.replacen(' ', "T", 1) + if has_minutes { "" } else { ":00" }
}

/// The words that stand for a value by themselves.
fn read_special(trimmed: &str, kind: &TypeKind) -> Option<String> {
    let word = trimmed.to_ascii_lowercase();
    let is_time_of_day = matches!(kind, TypeKind::Time | TypeKind::TimeTz);
    let stored = match (word.as_str(), kind) {
        ("allballs", TypeKind::Time) => "00:00:00",
        ("allballs", TypeKind::TimeTz) => "00:00:00+00",
        _ if is_time_of_day => return None,
        ("infinity" | "+infinity", _) => "infinity",
        ("-infinity", _) => "-infinity",
        ("epoch", TypeKind::Date) => "1970-01-01",
        ("epoch", TypeKind::Timestamp) => "1970-01-01 00:00:00",
        ("epoch", _) => "1970-01-01 00:00:00+00",
        _ => return None,
    };
    Some(stored.to_owned())
}

fn since_epoch(date: Date) -> i64 {
    let micros = date.to_datetime(jiff::civil::Time::midnight()).duration_since(EPOCH).as_micros();
    i64::try_from(micros).unwrap_or_default()
}

/// Rounds half away from zero.
fn round(micros: i64, digits: Option<u32>) -> i64 {
    let kept = digits.unwrap_or(FRACTION_DIGITS_MAX).min(FRACTION_DIGITS_MAX);
    let unit = 10_i64.pow(FRACTION_DIGITS_MAX - kept);
    let half = if micros < 0 { -(unit / 2) } else { unit / 2 };
    (micros + half) / unit * unit
}

fn write_timestamp(micros: i64, digits: Option<u32>, text: &str) -> Result<String, Error> {
    let micros = round(micros, digits);
    let moment = EPOCH
        .checked_add(SignedDuration::from_micros(micros))
        .ok()
        .filter(|moment| (1..=9999).contains(&moment.year()))
        .ok_or_else(|| fault::field_out_of_range(text))?;
    Ok(format!("{} {}", moment.date(), write_time(micros.rem_euclid(DAY))))
}

/// `HH:MM:SS[.ffffff]`, zeros at the end left out.
pub(super) fn write_time(micros: i64) -> String {
    let (hours, minutes, seconds) = (micros / HOUR, micros % HOUR / MINUTE, micros % MINUTE / SECOND);
    let mut time = format!("{hours:02}:{minutes:02}:{seconds:02}");
    let fraction = micros % SECOND;
    if fraction != 0 {
        time.push_str(format!(".{fraction:06}").trim_end_matches('0'));
    }
    time
}

/// `+HH[:MM[:SS]]`.
fn write_offset(micros: i64) -> String {
    let sign = if micros < 0 { '-' } else { '+' };
    let seconds = micros.abs() / SECOND;
    let (hours, minutes, seconds) = (seconds / 3600, seconds % 3600 / 60, seconds % 60);
    match (minutes, seconds) {
        (0, 0) => format!("{sign}{hours:02}"),
        (_, 0) => format!("{sign}{hours:02}:{minutes:02}"),
        _ => format!("{sign}{hours:02}:{minutes:02}:{seconds:02}"),
    }
}

/// Microseconds of the digits behind a point, rounded as Postgres does.
pub(super) fn read_fraction(digits: &str) -> i64 {
    let fraction: f64 = format!("0.{digits}0").parse().unwrap_or(0.0);
    #[expect(clippy::cast_possible_truncation, reason = "between 0 and 1,000,000")]
    let micros = (fraction * 1e6).round_ties_even() as i64;
    micros
}

struct Scanner<'a> {
    text: &'a str,
    rest: &'a str,
    kind: &'a TypeKind,
}

impl<'a> Scanner<'a> {
    fn moment(mut self) -> Result<Moment, Error> {
        let is_time_of_day = matches!(self.kind, TypeKind::Time | TypeKind::TimeTz);
        let mut moment = Moment { date: None, time: None, offset: None };
        if !is_time_of_day || self.begins_with_date() {
            moment.date = Some(self.date()?);
        }
        let separator = self.separator(moment.date.is_some());
        if matches!(separator, Separator::Letter) || self.begins_with_digit() {
            if matches!(separator, Separator::None) && moment.date.is_some() {
                return Err(self.syntax());
            }
            moment.time = Some(self.time()?);
        }
        self.rest = self.rest.trim_ascii_start();
        moment.offset = self.zone()?;
        if self.rest.is_empty() && (moment.date.is_some() || moment.time.is_some()) {
            Ok(moment)
        } else {
            Err(self.syntax())
        }
    }

    fn syntax(&self) -> Error {
        fault::invalid_datetime(self.kind, self.text)
    }

    fn out_of_range(&self) -> Error {
        fault::field_out_of_range(self.text)
    }

    fn begins_with_digit(&self) -> bool {
        self.rest.starts_with(|c: char| c.is_ascii_digit())
    }

    /// Digits, then `-`, `/` or `.`: what a time of day never begins with.
    fn begins_with_date(&self) -> bool {
        self.rest.trim_start_matches(|c: char| c.is_ascii_digit()).starts_with(['-', '/', '.'])
            && self.begins_with_digit()
    }

    fn separator(&mut self, follows_date: bool) -> Separator {
        if let Some(rest) =
            self.rest.strip_prefix(['T', 't']).filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        {
            self.rest = rest;
            return Separator::Letter;
        }
        let rest = self.rest.trim_ascii_start();
        let is_space = rest.len() < self.rest.len() || !follows_date;
        self.rest = rest;
        if is_space { Separator::Space } else { Separator::None }
    }

    fn digits(&mut self) -> &'a str {
        let end = self.rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at(end);
        self.rest = rest;
        digits
    }

    /// A number of at most `most` digits.
    fn number(&mut self, most: usize) -> Result<i64, Error> {
        let digits = self.digits();
        if digits.is_empty() || digits.len() > most {
            Err(self.syntax())
        } else {
            digits.parse().map_err(|_| self.syntax())
        }
    }

    fn take(&mut self, wanted: char) -> bool {
        match self.rest.strip_prefix(wanted) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn date(&mut self) -> Result<Date, Error> {
        let first = self.digits();
        let separator = self.rest.chars().next().filter(|c| matches!(c, '-' | '/' | '.'));
        let (year, month, day) = match (first.len(), separator) {
            (8, None) => {
                let part = |range| first.get(range).and_then(|digits: &str| digits.parse::<i64>().ok()).unwrap_or(0);
                (part(0..4), part(4..6), part(6..8))
            }
            (1.., Some(separator)) => {
                self.take(separator);
                let second = self.number(2)?;
                if !self.take(separator) {
                    return Err(self.syntax());
                }
                let third = self.digits();
                self.order_fields(first, second, third)?
            }
            _ => return Err(self.syntax()),
        };
        if self.rest.trim_ascii().to_ascii_lowercase().ends_with("bc") || !(1..=9999).contains(&year) {
            return Err(self.out_of_range());
        }
        if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
            return Err(fault::month_or_day_out_of_range(self.text));
        }
        match (i16::try_from(year), i8::try_from(month), i8::try_from(day)) {
            (Ok(year), Ok(month), Ok(day)) => Date::new(year, month, day).map_err(|_| self.out_of_range()),
            _ => Err(self.out_of_range()),
        }
    }

    /// Year, month, day: three digits or more in front are a year, else the month comes first.
    fn order_fields(&self, first: &str, second: i64, third: &str) -> Result<(i64, i64, i64), Error> {
        // More digits than a number holds are a year beyond all.
        let number = |digits: &str| digits.parse::<i64>().unwrap_or(i64::MAX);
        match (first.len(), third.len()) {
            (3.., 1..=2) => Ok((number(first), second, number(third))),
            (1..=2, 1..=2) => {
                let year = number(third);
                Ok((if year < 70 { 2000 + year } else { 1900 + year }, number(first), second))
            }
            (1..=2, 3..) => Ok((number(third), number(first), second)),
            _ => Err(self.syntax()),
        }
    }

    fn time(&mut self) -> Result<i64, Error> {
        let first = self.digits();
        let part = |range| first.get(range).and_then(|digits: &str| digits.parse::<i64>().ok()).unwrap_or(0);
        let is_compact = !self.rest.starts_with(':');
        let (mut hours, minutes, mut seconds) = match (first.len(), is_compact) {
            (6, true) => (part(0..2), part(2..4), part(4..6)),
            (4, true) => (part(0..2), part(2..4), 0),
            (1..=2, false) => {
                self.take(':');
                (part(0..first.len()), self.number(2)?, 0)
            }
            _ => return Err(self.syntax()),
        };
        let has_seconds = if is_compact { first.len() == 6 } else { self.take(':') };
        if has_seconds && !is_compact {
            seconds = self.number(2)?;
        }
        let fraction = if has_seconds && self.take('.') { read_fraction(self.digits()) } else { 0 };
        hours = self.half_of_day(hours)?;

        let time = hours * HOUR + minutes * MINUTE + seconds * SECOND + fraction;
        if minutes > 59 || seconds > 60 || time > DAY { Err(self.out_of_range()) } else { Ok(time) }
    }

    /// Applies `AM` or `PM`, if one follows.
    fn half_of_day(&mut self, hours: i64) -> Result<i64, Error> {
        let rest = self.rest.trim_ascii_start();
        let word = rest.get(..2).unwrap_or_default().to_ascii_lowercase();
        if !matches!(word.as_str(), "am" | "pm") {
            return Ok(hours);
        }
        self.rest = rest.get(2..).unwrap_or_default();
        match (hours, word.as_str()) {
            (13.., _) => Err(self.out_of_range()),
            (12, "am") => Ok(0),
            (12, _) | (_, "am") => Ok(hours),
            _ => Ok(hours + 12),
        }
    }

    fn zone(&mut self) -> Result<Option<Displacement>, Error> {
        let word_end =
            self.rest.find(|c: char| !(c.is_ascii_alphabetic() || matches!(c, '/' | '_'))).unwrap_or(self.rest.len());
        let word = self.rest.get(..word_end).unwrap_or_default();
        if !word.is_empty() {
            if word.contains('/') {
                // Behind the area, a name may have hyphens and digits too.
                let name = std::mem::take(&mut self.rest).trim_ascii_end();
                return match Zone::named(name) {
                    Some(zone) => Ok(Some(Displacement::Zone(zone))),
                    None => Err(fault::unknown_zone(name)),
                };
            }
            let is_utc = matches!(word.to_ascii_lowercase().as_str(), "z" | "utc" | "gmt" | "ut" | "zulu");
            self.rest = self.rest.get(word_end..).unwrap_or_default();
            return if is_utc { Ok(Some(Displacement::Fixed(0))) } else { Err(self.syntax()) };
        }
        let sign = if self.take('+') {
            1
        } else if self.take('-') {
            -1
        } else {
            return Ok(None);
        };
        let (hours, minutes, seconds) = self.displacement()?;
        if hours >= OFFSET_HOURS_END || minutes > 59 || seconds > 59 {
            return Err(fault::displacement_out_of_range(self.text));
        }
        Ok(Some(Displacement::Fixed(sign * (hours * HOUR + minutes * MINUTE + seconds * SECOND))))
    }

    fn displacement(&mut self) -> Result<(i64, i64, i64), Error> {
        let first = self.digits();
        if matches!(first.len(), 1..=2) {
            let hours = first.parse().map_err(|_| self.syntax())?;
            let minutes = if self.take(':') { self.number(2)? } else { 0 };
            let seconds = if self.take(':') { self.number(2)? } else { 0 };
            return Ok((hours, minutes, seconds));
        }
        if !matches!(first.len(), 3..=4) {
            return Err(self.syntax());
        }
        let together: i64 = first.parse().map_err(|_| self.syntax())?;
        Ok((together / 100, together % 100, 0))
    }
}

/// What stood between a date and what follows it.
enum Separator {
    Letter,
    Space,
    None,
}
