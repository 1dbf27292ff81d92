//! Regular expressions, brought from Postgres' spelling to that of the `regex` crate.

use regex::{Regex, RegexBuilder};

use super::Fault;
use super::like::Case;

/// Most memory a compiled expression may take: enough for some hundred Unicode classes, and a request has few patterns.
const COMPILED_BYTES_MAX: usize = 4 << 20;

/// Deepest nesting of groups, far beyond what people write.
const NESTING_MAX: u32 = 100;

/// Compiles a pattern. A point matches a line's end and `^`, `$` match at the text's ends only, as in Postgres.
///
/// # Errors
/// 2201B with Postgres' reason, where it has one for what is wrong.
pub(super) fn compile(pattern: &str, case: Case) -> Result<Regex, Fault> {
    RegexBuilder::new(&translate(pattern))
        .case_insensitive(case == Case::Folded)
        .dot_matches_new_line(true)
        .size_limit(COMPILED_BYTES_MAX)
        .dfa_size_limit(COMPILED_BYTES_MAX)
        .nest_limit(NESTING_MAX)
        .build()
        .map_err(|error| Fault { code: "2201B", message: format!("invalid regular expression: {}", reason(&error)) })
}

/// Spells Postgres' own escapes as `regex` does: words' bounds `\y \Y \m \M` and the text's end `\Z`.
fn translate(pattern: &str) -> String {
    let mut translated = String::with_capacity(pattern.len());
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            translated.push(character);
            continue;
        }
        match characters.next() {
            Some('y') => translated.push_str(r"\b"),
            Some('Y') => translated.push_str(r"\B"),
            Some('m') => translated.push_str(r"\b{start}"),
            Some('M') => translated.push_str(r"\b{end}"),
            Some('Z') => translated.push_str(r"\z"),
            Some(other) => translated.extend(['\\', other]),
            None => translated.push('\\'),
        }
    }
    translated
}

/// Postgres' words for what `regex` complains of, which is in the last line of its text.
fn reason(error: &regex::Error) -> String {
    let text = error.to_string();
    let complaint = text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
    let known = [
        ("unclosed group", "parentheses () not balanced"),
        ("unopened group", "parentheses () not balanced"),
        ("unclosed character class", "brackets [] not balanced"),
        ("repetition operator missing expression", "quantifier operand invalid"),
        ("unclosed counted repetition", "braces {} not balanced"),
        ("repetition quantifier expects", "invalid repetition count(s)"),
        ("invalid repetition count range", "invalid repetition count(s)"),
        ("decimal literal", "invalid repetition count(s)"),
        ("invalid character class range", "invalid character range"),
        ("ASCII class", "invalid character class"),
        ("escape sequence", r"invalid escape \ sequence"),
        ("exceeds size limit", "regular expression is too complex"),
        ("exceeded the maximum", "regular expression is too complex"),
    ];
    let found = known.iter().find(|(part, _)| complaint.contains(part));
    found.map_or(complaint.clone(), |(_, words)| (*words).to_owned())
}
