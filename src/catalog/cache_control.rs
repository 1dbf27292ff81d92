//! How long answers may be kept, as the comment of a table or function says it in a line of its own:
//!
//! ```text
//! @cache-control max-age=60, public
//! ```
//!
//! A comment is what both engines keep for a table, and what needs no right but its owner's.

use std::borrow::Cow;

/// What such a line begins with.
const MARK: &str = "@cache-control ";

/// The value of `Cache-Control`; `None` without the line, or when it is not what a header may hold.
#[must_use]
pub fn of_comment(comment: &str) -> Option<&str> {
    let value = comment.lines().find_map(|line| line.trim().strip_prefix(MARK))?.trim();
    let is_fit = value.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
    (is_fit && !value.is_empty()).then_some(value)
}

/// The comment without the line: what is for people.
#[must_use]
pub fn description(comment: &str) -> Option<Cow<'_, str>> {
    if !comment.contains(MARK) {
        return Some(Cow::Borrowed(comment));
    }
    let lines: Vec<&str> = comment.lines().filter(|line| !line.trim().starts_with(MARK)).collect();
    let text = lines.join("\n").trim().to_owned();
    (!text.is_empty()).then_some(Cow::Owned(text))
}

/// Of two values the one that keeps an answer shorter; without `max-age` it is not kept unasked at all.
#[must_use]
pub fn stricter<'a>(one: &'a str, other: &'a str) -> &'a str {
    if max_age_seconds(other) < max_age_seconds(one) { other } else { one }
}

fn max_age_seconds(value: &str) -> u64 {
    let forbids = value.split(',').any(|part| matches!(part.trim(), "no-store" | "no-cache"));
    let age = value.split(',').find_map(|part| part.trim().strip_prefix("max-age=")?.parse().ok());
    age.filter(|_| !forbids).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_comment_says_it_and_people_do_not_see_it() {
        let comment = "Films.\n\nAll of them.\n@cache-control max-age=60, public";
        assert_eq!(of_comment(comment), Some("max-age=60, public"));
        assert_eq!(description(comment).as_deref(), Some("Films.\n\nAll of them."));
        assert_eq!(description("@cache-control no-store"), None);
        assert_eq!((of_comment("Films."), description("Films.").as_deref()), (None, Some("Films.")));
    }

    #[test]
    fn what_no_header_may_hold_is_none() {
        for comment in ["@cache-control ", "@cache-control max-age=60\u{7}", "@cache-control größer", "@cache-controlx"]
        {
            assert_eq!(of_comment(comment), None, "{comment:?}");
        }
    }

    #[test]
    fn the_shorter_age_is_stricter() {
        assert_eq!(stricter("max-age=60", "public, max-age=5"), "public, max-age=5");
        assert_eq!(stricter("max-age=60", "no-store"), "no-store");
        assert_eq!(stricter("max-age=60", "max-age=600, no-cache"), "max-age=600, no-cache");
        assert_eq!(stricter("max-age=60", "max-age=60, public"), "max-age=60");
    }
}
