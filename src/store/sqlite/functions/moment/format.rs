//! `to_char` of a moment.
//!
//! Source: <https://www.postgresql.org/docs/15/functions-formatting.html>.

use jiff::civil::DateTime;

use super::Fault;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// Patterns, longer ones before those that they begin with.
const PATTERNS: [&str; 46] = [
    "HH24", "HH12", "HH", "MI", "SS", "MS", "US", "YYYY", "YYY", "YY", "Y", "IYYY", "IW", "ID", "MONTH", "Month",
    "month", "MON", "Mon", "mon", "MM", "DDD", "DD", "DAY", "Day", "day", "DY", "Dy", "dy", "D", "WW", "W", "Q", "AM",
    "PM", "am", "pm", "A.M.", "P.M.", "a.m.", "p.m.", "TZ", "tz", "OF", "CC", "J",
];

/// Width to which names are filled up.
const NAME_WIDTH: usize = 9;

/// Writes a moment as a format says. `is_utc`: it has a zone.
pub(super) fn write(at: DateTime, format: &str, is_utc: bool) -> Result<String, Fault> {
    let (mut out, mut rest, mut is_bare) = (String::new(), format, false);
    while let Some(first) = rest.chars().next() {
        if let Some(behind) = rest.strip_prefix("FM") {
            (rest, is_bare) = (behind, true);
            continue;
        }
        if let Some(quoted) = rest.strip_prefix('"') {
            let (text, behind) = quoted.split_once('"').unwrap_or((quoted, ""));
            out += text;
            rest = behind;
            continue;
        }
        match PATTERNS.iter().find(|pattern| rest.starts_with(**pattern)) {
            Some(pattern) => {
                let written = field(at, pattern, is_bare, is_utc)?;
                rest = rest.get(pattern.len()..).unwrap_or_default();
                is_bare = false;
                if let (Some(behind), Ok(number)) = (rest.strip_prefix("th"), written.parse()) {
                    out += &format!("{written}{}", ordinal(number));
                    rest = behind;
                } else if let (Some(behind), Ok(number)) = (rest.strip_prefix("TH"), written.parse()) {
                    out += &format!("{written}{}", ordinal(number).to_uppercase());
                    rest = behind;
                } else {
                    out += &written;
                }
            }
            None => {
                out.push(first);
                rest = rest.get(first.len_utf8()..).unwrap_or_default();
            }
        }
    }
    Ok(out)
}

fn ordinal(number: u32) -> &'static str {
    match (number % 100, number % 10) {
        (11..=13, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    }
}

fn field(at: DateTime, pattern: &str, is_bare: bool, is_utc: bool) -> Result<String, Fault> {
    let number = |number: i64, width: usize| {
        if is_bare { number.to_string() } else { format!("{number:0width$}") }
    };
    let filled = |name: String| if is_bare { name } else { format!("{name:NAME_WIDTH$}") };
    let short = |name: &str| name.chars().take(3).collect::<String>();
    let month = MONTHS.get(usize::try_from(at.month() - 1).unwrap_or_default()).copied().unwrap_or_default();
    let weekday = at.weekday().to_sunday_zero_offset();
    let day = DAYS.get(usize::try_from(weekday).unwrap_or_default()).copied().unwrap_or_default();
    let (year, hour, week) = (i64::from(at.year()), i64::from(at.hour()), at.date().iso_week_date());
    let micros = i64::from(at.time().subsec_nanosecond() / 1000);
    let half = if hour < 12 { "AM" } else { "PM" };
    Ok(match pattern {
        "HH24" => number(hour, 2),
        "HH12" | "HH" => number((hour + 11) % 12 + 1, 2),
        "MI" => number(at.minute().into(), 2),
        "SS" => number(at.second().into(), 2),
        "MS" => number(micros / 1000, 3),
        "US" => number(micros, 6),
        "YYYY" => number(year, 4),
        "YYY" => number(year % 1000, 3),
        "YY" => number(year % 100, 2),
        "Y" => number(year % 10, 1),
        "IYYY" => number(week.year().into(), 4),
        "IW" => number(week.week().into(), 2),
        "ID" => number(at.weekday().to_monday_one_offset().into(), 1),
        "CC" => number((year + 99) / 100, 2),
        "MONTH" => filled(month.to_uppercase()),
        "Month" => filled(month.to_owned()),
        "month" => filled(month.to_lowercase()),
        "MON" => short(month).to_uppercase(),
        "Mon" => short(month),
        "mon" => short(month).to_lowercase(),
        "MM" => number(at.month().into(), 2),
        "DDD" => number(at.day_of_year().into(), 3),
        "DD" => number(at.day().into(), 2),
        "DAY" => filled(day.to_uppercase()),
        "Day" => filled(day.to_owned()),
        "day" => filled(day.to_lowercase()),
        "DY" => short(day).to_uppercase(),
        "Dy" => short(day),
        "dy" => short(day).to_lowercase(),
        "D" => number(i64::from(weekday) + 1, 1),
        "WW" => number(i64::from(at.day_of_year() - 1) / 7 + 1, 2),
        "W" => number(i64::from(at.day() - 1) / 7 + 1, 1),
        "Q" => number(i64::from(at.month() - 1) / 3 + 1, 1),
        "AM" | "PM" => half.to_owned(),
        "am" | "pm" => half.to_lowercase(),
        "A.M." | "P.M." => half.replace('M', ".M."),
        "a.m." | "p.m." => half.to_lowercase().replace('m', ".m."),
        "TZ" => if is_utc { "UTC" } else { "" }.to_owned(),
        "tz" => if is_utc { "utc" } else { "" }.to_owned(),
        "OF" => "+00".to_owned(),
        other => {
            let message = format!("the pattern {other} of to_char() is not supported on SQLite");
            return Err(Fault { code: "0A000", message });
        }
    })
}
