//! Sizes and durations as people write them.

use std::time::Duration;

/// A deadline is a moment plus a duration: much beyond a century the sum would not fit the clock.
const LONGEST: Duration = Duration::from_secs(100 * 366 * 86_400);

/// Bytes of a size such as `10MB` (decimal), `512KiB` (binary) or `4096` (bytes).
///
/// `None` when it is no size or too large for 64 bits.
///
/// # Example
/// ```
/// use berth::config::quantity::size_bytes;
/// assert_eq!(size_bytes("10MB"), Some(10_000_000));
/// assert_eq!(size_bytes("512KiB"), Some(524_288));
/// assert_eq!(size_bytes("ten"), None);
/// ```
#[must_use]
pub fn size_bytes(text: &str) -> Option<u64> {
    let (number, unit) = split_unit(text)?;
    let factor: u64 = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kb" | "k" => 1_000,
        "mb" | "m" => 1_000_000,
        "gb" | "g" => 1_000_000_000,
        "kib" | "ki" => 1 << 10,
        "mib" | "mi" => 1 << 20,
        "gib" | "gi" => 1 << 30,
        _ => return None,
    };
    number.checked_mul(factor)
}

/// The duration of a text such as `500ms`, `30s`, `15m`, `24h`, `7d`; a bare number is seconds.
///
/// `None` when it is no duration, or longer than a century.
///
/// # Example
/// ```
/// use std::time::Duration;
/// use berth::config::quantity::duration;
/// assert_eq!(duration("500ms"), Some(Duration::from_millis(500)));
/// assert_eq!(duration("24h"), Some(Duration::from_secs(86_400)));
/// assert_eq!(duration("soon"), None);
/// ```
#[must_use]
pub fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = split_unit(text)?;
    let milliseconds = match unit {
        "ms" => 1,
        "" | "s" => 1_000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.checked_mul(milliseconds).map(Duration::from_millis).filter(|total| *total <= LONGEST)
}

/// The leading digits as a number, and what follows them.
fn split_unit(text: &str) -> Option<(u64, &str)> {
    let text = text.trim();
    let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at_checked(end)?;
    Some((digits.parse().ok()?, unit.trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_decimal_or_binary_by_their_unit() {
        for (text, bytes) in [
            ("0", 0),
            ("4096", 4096),
            ("1kB", 1_000),
            ("1KiB", 1_024),
            ("2 MiB", 2 << 20),
            ("3Gi", 3 << 30),
            ("10MB", 10_000_000),
        ] {
            assert_eq!(size_bytes(text), Some(bytes), "{text}");
        }
    }

    #[test]
    fn what_is_no_size_is_refused() {
        for text in ["", "MB", "-1", "1.5MB", "10 parsecs", "99999999999999999999", "18446744073709551615GB"] {
            assert_eq!(size_bytes(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in ["", "s", "-1s", "1.5s", "3 weeks", "18446744073709551615d", "9999999999999h"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    #[test]
    fn a_bare_number_is_seconds() {
        assert_eq!(duration("10"), Some(Duration::from_secs(10)));
        assert_eq!(duration("15m"), Some(Duration::from_secs(900)));
        assert_eq!(duration("2d"), Some(Duration::from_secs(172_800)));
    }
}
