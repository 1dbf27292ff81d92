//! Booleans: unique prefixes of the words, in any case.

/// Reads `t`, `yes`, `on`, `1` and their like; `None` when the text is none of them.
///
/// Source: <https://www.postgresql.org/docs/15/datatype-boolean.html>.
pub(super) fn read(text: &str) -> Option<bool> {
    let word = text.trim_ascii().to_ascii_lowercase();
    let begins = |whole: &str, least: usize| word.len() >= least && whole.starts_with(&word);
    if begins("true", 1) || begins("yes", 1) || begins("on", 2) || word == "1" {
        Some(true)
    } else if begins("false", 1) || begins("no", 1) || begins("off", 2) || word == "0" {
        Some(false)
    } else {
        None
    }
}
