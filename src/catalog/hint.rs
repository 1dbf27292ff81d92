//! Names that are close to a name that was not found.
//!
//! Two names are compared by their edit distance, ignoring case: `1 - distance / length of the longer`.
//!
//! Source: <https://docs.postgrest.org/en/v16/references/errors.html> (hints of PGRST200, PGRST202 and PGRST205).

/// How alike a suggestion must be: below it, a hint would reveal names rather than mend a typing error.
pub const MIN_SCORE: f64 = 0.75;

/// How alike what belongs to a known name must be: the parameters of a function to the arguments that were sent, a
/// relation of a table to the one that was asked for. Who knows the one may see the other.
pub const BELONGING_MIN_SCORE: f64 = 0.33;

/// Longest name that is compared, in characters. Postgres cuts names at 63 bytes; the bound keeps the cost of a
/// name that a client made up in hand.
pub const NAME_MAX_CHARACTERS: usize = 128;

/// The candidate most like `name`, when one is at least [`MIN_SCORE`] alike; the first of several.
#[must_use]
pub fn closest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    closest_above(MIN_SCORE, name, candidates)
}

/// The candidate most like `name`, when one is at least `min_score` alike; the first of several.
#[must_use]
pub fn closest_above<'a>(min_score: f64, name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = folded(name)?;
    let mut best: Option<(f64, &str)> = None;
    for candidate in candidates {
        let Some(score) = folded(candidate).and_then(|other| similarity(&wanted, &other, min_score)) else { continue };
        if score >= min_score && best.is_none_or(|(highest, _)| score > highest) {
            best = Some((score, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// The name's characters in lower case; `None` when there are none or too many.
fn folded(name: &str) -> Option<Vec<char>> {
    let characters: Vec<char> = name.chars().flat_map(char::to_lowercase).take(NAME_MAX_CHARACTERS + 1).collect();
    (!characters.is_empty() && characters.len() <= NAME_MAX_CHARACTERS).then_some(characters)
}

/// How alike two names are, from 0 to 1; `None` when their lengths alone keep them below `min_score`.
fn similarity(a: &[char], b: &[char], min_score: f64) -> Option<f64> {
    let longer = bounded(a.len().max(b.len()));
    let difference = bounded(a.len().abs_diff(b.len()));
    if 1.0 - difference / longer < min_score {
        return None;
    }
    Some(1.0 - bounded(edit_distance(a, b)) / longer)
}

/// A length as a float; lengths here are at most [`NAME_MAX_CHARACTERS`].
fn bounded(length: usize) -> f64 {
    u32::try_from(length).map_or(f64::INFINITY, f64::from)
}

/// Levenshtein's distance, one row of the table kept.
fn edit_distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (index, from) in a.iter().enumerate() {
        let mut diagonal = index;
        let mut left = index + 1;
        for (to, cell) in b.iter().zip(row.iter_mut().skip(1)) {
            let replaced = diagonal + usize::from(from != to);
            diagonal = *cell;
            left = replaced.min(left + 1).min(diagonal + 1);
            *cell = left;
        }
        if let Some(first) = row.first_mut() {
            *first = index + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_close_name_is_suggested_and_a_distant_one_is_not() {
        let tables = ["actors", "directors", "films", "roles"];
        for (asked, expected) in [
            ("film", Some("films")),
            ("FILMS", Some("films")),
            ("directer", Some("directors")),
            ("fi", None),
            ("noclosealternative", None),
            ("", None),
        ] {
            assert_eq!(closest(asked, tables), expected, "{asked}");
        }
    }

    #[test]
    fn the_edit_distance_counts_single_changes() {
        for (a, b, expected) in
            [("kitten", "sitting", 3), ("", "abc", 3), ("abc", "", 3), ("abc", "abc", 0), ("ab", "ba", 2)]
        {
            let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
            assert_eq!(edit_distance(&a, &b), expected);
        }
    }

    #[test]
    fn a_name_past_the_bound_gets_no_suggestion() {
        let long = "a".repeat(NAME_MAX_CHARACTERS + 1);
        assert_eq!(closest(&long, [long.as_str()]), None);
    }
}
