//! Dates and times as PostgreSQL reads them, written the one way in which they are stored and sort as text.
//!
//! ```text
//! date          YYYY-MM-DD
//! time          HH:MM:SS[.ffffff]
//! timestamp     YYYY-MM-DD HH:MM:SS[.ffffff]
//! timestamptz   YYYY-MM-DD HH:MM:SS[.ffffff]+00     always UTC
//! ```
//! Fractions end at their last digit that is not zero. `infinity` and `-infinity` stay words: they sort rightly.
//!
//! Source: <https://www.postgresql.org/docs/current/datatype-datetime.html>.

use jiff::civil::{Date, DateTime, Time};
use jiff::{SignedDuration, Unit};

use crate::catalog::TypeKind;

/// Writes `input` as a value of `kind` is stored; `None` when it cannot be read as one.
///
/// A moment without an offset is taken as UTC. Dates are year-month-day: other orders depend on a server's settings.
pub(super) fn canonical(kind: &TypeKind, input: &str) -> Option<String> {
    let input = input.trim();
    let word = input.to_ascii_lowercase();
    let dated = matches!(kind, TypeKind::Date | TypeKind::Timestamp | TypeKind::TimestampTz);
    if dated && matches!(word.as_str(), "infinity" | "-infinity") {
        return Some(word);
    }
    if matches!(kind, TypeKind::Time | TypeKind::TimeTz) {
        let time_of_day = input.rsplit_once([' ', 'T']).filter(|(date, _)| read_date(date).is_some());
        let (time, offset) = split_offset(time_of_day.map_or(input, |(_, time)| time))?;
        let time = write_time(read_time(time)?.to_datetime(Date::ZERO).round(Unit::Microsecond).ok()?.time());
        let offset = if *kind == TypeKind::TimeTz { write_offset(offset.unwrap_or_default()) } else { String::new() };
        return Some(time + &offset);
    }

    let (date, time) = input.split_once([' ', 'T', 't']).unwrap_or((input, ""));
    let (time, offset) = split_offset(time.trim())?;
    let midnight = if time.is_empty() { Some(Time::midnight()) } else { read_time(time) };
    let moment = read_date(date)?.to_datetime(midnight?).round(Unit::Microsecond).ok()?;
    let day = |moment: DateTime| format!("{:04}-{:02}-{:02}", moment.year(), moment.month(), moment.day());
    match kind {
        TypeKind::Date => Some(day(moment)),
        TypeKind::Timestamp => Some(format!("{} {}", day(moment), write_time(moment.time()))),
        TypeKind::TimestampTz => {
            let moment = moment.checked_sub(SignedDuration::from_secs(offset.unwrap_or_default())).ok()?;
            Some(format!("{} {}+00", day(moment), write_time(moment.time())))
        }
        _ => None,
    }
}

fn read_date(text: &str) -> Option<Date> {
    let mut parts = text.split('-').map(|part| part.parse::<i16>().ok().filter(|number| *number > 0));
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    if parts.next().is_some() {
        return None;
    }
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

fn read_time(text: &str) -> Option<Time> {
    let (clock, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut parts = clock.split(':').map(|part| part.parse::<i8>().ok());
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next().unwrap_or(Some(0))?);
    if parts.next().is_some() || !fraction.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let nanoseconds: String = fraction.chars().chain("000000000".chars()).take(9).collect();
    Time::new(hour, minute, second, nanoseconds.parse().ok()?).ok()
}

/// Cuts the offset off a time of day: seconds east of Greenwich, `None` inside when there is none.
fn split_offset(text: &str) -> Option<(&str, Option<i64>)> {
    let utc = ["Z", "z", "UTC", "utc", "GMT"].iter().find_map(|name| text.strip_suffix(name));
    if let Some(time) = utc {
        return Some((time.trim_end(), Some(0)));
    }
    let Some(at) = text.find(['+', '-']) else { return Some((text, None)) };
    let (time, offset) = (text.get(..at)?, text.get(at + 1..)?);
    let sign = if text.get(at..at + 1)? == "-" { -1 } else { 1 };
    let mut seconds = 0;
    let parts: Vec<&str> = match offset.len() {
        4 if !offset.contains(':') => vec![offset.get(..2)?, offset.get(2..)?],
        _ => offset.split(':').collect(),
    };
    for (part, unit) in parts.iter().zip([3600, 60, 1]) {
        seconds += part.parse::<i64>().ok().filter(|number| (0..60).contains(number))? * unit;
    }
    (parts.len() <= 3).then_some((time.trim_end(), Some(sign * seconds)))
}

fn write_time(time: Time) -> String {
    let whole = format!("{:02}:{:02}:{:02}", time.hour(), time.minute(), time.second());
    let microseconds = time.subsec_nanosecond() / 1000;
    if microseconds == 0 { whole } else { format!("{whole}.{microseconds:06}").trim_end_matches('0').to_owned() }
}

fn write_offset(seconds: i64) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    let (hours, minutes) = (seconds.abs() / 3600, seconds.abs() % 3600 / 60);
    if minutes == 0 { format!("{sign}{hours:02}") } else { format!("{sign}{hours:02}:{minutes:02}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_moment_is_stored_one_way() {
        let cases = [
            (TypeKind::Date, "2009-1-1", "2009-01-01"),
            (TypeKind::Date, "2009-01-01 10:00:00", "2009-01-01"),
            (TypeKind::Timestamp, "2009-1-1", "2009-01-01 00:00:00"),
            (TypeKind::Timestamp, "2009-01-01T10:20", "2009-01-01 10:20:00"),
            (TypeKind::Timestamp, "2009-01-01 10:20:30.500", "2009-01-01 10:20:30.5"),
            (TypeKind::Timestamp, "2009-12-31 23:59:59.9999996", "2010-01-01 00:00:00"),
            (TypeKind::Timestamp, "2009-01-01 10:20:30+02", "2009-01-01 10:20:30"),
            (TypeKind::TimestampTz, "2009-01-01 10:20:30+02", "2009-01-01 08:20:30+00"),
            (TypeKind::TimestampTz, "2009-01-01 00:20:30+05:30", "2008-12-31 18:50:30+00"),
            (TypeKind::TimestampTz, "2009-01-01T00:20:30-0100", "2009-01-01 01:20:30+00"),
            (TypeKind::TimestampTz, "2009-01-01T00:20:30Z", "2009-01-01 00:20:30+00"),
            (TypeKind::TimestampTz, "2009-01-01", "2009-01-01 00:00:00+00"),
            (TypeKind::TimestampTz, "Infinity", "infinity"),
            (TypeKind::Time, "7:05", "07:05:00"),
            (TypeKind::Time, "2009-01-01 7:05:01.25", "07:05:01.25"),
            (TypeKind::TimeTz, "07:05:01-03", "07:05:01-03"),
        ];
        for (kind, input, stored) in cases {
            assert_eq!(canonical(&kind, input).as_deref(), Some(stored), "{kind:?} {input}");
        }
    }

    #[test]
    fn what_is_no_date_is_not_guessed_at() {
        for input in ["", "tomorrow", "2009-02-30", "1/2/2009", "2009-01", "2009-01-01 25:00", "2009-01-01 10:00 CET"] {
            assert_eq!(canonical(&TypeKind::Timestamp, input), None, "{input}");
        }
    }
}
