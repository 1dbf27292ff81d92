//! Numbers: `12`, `-3.5`, `1e10`, and versions such as `1.2.3`.

use super::{Scan, is_in_word};

/// The end of a number without a sign; `None` when letters follow its digits, which make it a word.
pub(super) fn unsigned(scan: &Scan<'_>, at: usize) -> Option<usize> {
    let digits = digits_end(scan, at);
    if let Some(end) = fraction(scan, digits) {
        if let Some(end) = exponent(scan, end) {
            return Some(end);
        }
        let mut version = end;
        while let Some(further) = fraction(scan, version) {
            version = further;
        }
        return Some(version);
    }
    if let Some(end) = exponent(scan, digits) {
        return Some(end);
    }
    let is_word = scan.is_at(digits, is_in_word);
    // Its digits may begin the name of a folder.
    let is_file =
        scan.is_at(digits, |character| character == '/') && super::address::file_behind(scan, digits).is_some();
    (!is_word && !is_file).then_some(digits)
}

/// The end of a number with a sign at `at`.
pub(super) fn signed(scan: &Scan<'_>, at: usize) -> Option<usize> {
    let digits = digits_end(scan, at + 1);
    if digits == at + 1 {
        return None;
    }
    let end = fraction(scan, digits).unwrap_or(digits);
    if end > digits && fraction(scan, end).is_some() {
        // A version has no sign.
        return None;
    }
    Some(exponent(scan, end).unwrap_or(end))
}

/// The end of an exponent at `at`.
pub(super) fn exponent(scan: &Scan<'_>, at: usize) -> Option<usize> {
    if !scan.is_at(at, |character| matches!(character, 'e' | 'E')) {
        return None;
    }
    let sign = usize::from(scan.is_at(at + 1, |character| matches!(character, '+' | '-')));
    let digits = at + 1 + sign;
    Some(digits_end(scan, digits)).filter(|end| *end > digits)
}

fn fraction(scan: &Scan<'_>, at: usize) -> Option<usize> {
    if !scan.is_at(at, |character| character == '.') {
        return None;
    }
    Some(digits_end(scan, at + 1)).filter(|end| *end > at + 1)
}

fn digits_end(scan: &Scan<'_>, at: usize) -> usize {
    scan.end_of(at, |character| character.is_ascii_digit())
}
