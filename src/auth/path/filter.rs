//! Which element of a list is the role: `[?(@ == 'editor')]`.
//!
//! ```text
//! filter   = "[?" ["("] test [")"] "]"
//! test     = "@" operator text / "search(@," text ")"
//! operator = "==" / "!="           ; RFC 9535
//!          / "^==" / "==^" / "*=="  ; PostgREST's older ones: begins with, ends with, contains
//! text     = "'" *char "'" / DQUOTE *char DQUOTE
//! ```

use regex::{Regex, RegexBuilder};
use serde_json::Value;

/// A pattern that takes more memory than this once compiled is a mistake.
const MAX_REGEX_BYTES: usize = 256 * 1024;

/// A test of a list's elements. Only texts pass it.
#[derive(Debug, Clone)]
pub(super) enum Filter {
    Equals(String),
    Differs(String),
    BeginsWith(String),
    EndsWith(String),
    Contains(String),
    Matches(Regex),
}

impl Filter {
    /// Reads what stands behind `[?`, and gives what follows the filter.
    pub(super) fn parse(text: &str) -> Option<(Self, &str)> {
        let text = text.trim_start();
        let (test, is_wrapped) = match text.strip_prefix('(') {
            Some(inner) => (inner.trim_start(), true),
            None => (text, false),
        };
        let (filter, rest) = match test.strip_prefix("search(") {
            Some(arguments) => Self::parse_search(arguments)?,
            None => Self::parse_comparison(test)?,
        };
        let rest = if is_wrapped { rest.trim_start().strip_prefix(')')? } else { rest };
        Some((filter, rest.trim_start().strip_prefix(']')?))
    }

    fn parse_search(arguments: &str) -> Option<(Self, &str)> {
        let pattern = arguments.trim_start().strip_prefix('@')?.trim_start().strip_prefix(',')?;
        let (pattern, rest) = quoted(pattern)?;
        let regex = RegexBuilder::new(pattern).size_limit(MAX_REGEX_BYTES).build().ok()?;
        Some((Self::Matches(regex), rest.trim_start().strip_prefix(')')?))
    }

    fn parse_comparison(text: &str) -> Option<(Self, &str)> {
        let text = text.strip_prefix('@')?.trim_start();
        // Longer ones first: one of them begins with another.
        let sign = ["==^", "^==", "*==", "==", "!="].into_iter().find(|sign| text.starts_with(sign))?;
        let (operand, rest) = quoted(text.strip_prefix(sign)?)?;
        let operand = operand.to_owned();
        let filter = match sign {
            "==^" => Self::EndsWith(operand),
            "^==" => Self::BeginsWith(operand),
            "*==" => Self::Contains(operand),
            "==" => Self::Equals(operand),
            _ => Self::Differs(operand),
        };
        Some((filter, rest))
    }

    /// True when an element passes.
    pub(super) fn passes(&self, element: &Value) -> bool {
        let Some(text) = element.as_str() else { return false };
        match self {
            Self::Equals(operand) => text == operand,
            Self::Differs(operand) => text != operand,
            Self::BeginsWith(operand) => text.starts_with(operand),
            Self::EndsWith(operand) => text.ends_with(operand),
            Self::Contains(operand) => text.contains(operand),
            Self::Matches(regex) => regex.is_match(text),
        }
    }
}

/// The text between quotes, and what follows.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start();
    let quote = text.chars().next().filter(|quote| matches!(quote, '\'' | '"'))?;
    text.strip_prefix(quote)?.split_once(quote)
}
