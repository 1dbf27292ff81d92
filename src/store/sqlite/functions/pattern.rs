//! Regular expressions, brought from Postgres' spelling to that of the `regex` crate.
//!
//! A match takes at most the product of text and pattern in steps, which may be minutes. So the text is fed to a lazy
//! automaton piece by piece, and the statement's deadline is looked at in between.

use std::sync::{Mutex, PoisonError};

use regex::{Regex, RegexBuilder};
use regex_automata::hybrid::LazyStateID;
use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::nfa::thompson::{self, WhichCaptures};
use regex_automata::util::syntax;
use regex_automata::{Anchored, Input};

use super::like::Case;
use super::{Fault, Patience};

/// Most memory a compiled expression may take: enough for some hundred Unicode classes, and a request has few patterns.
const COMPILED_BYTES_MAX: usize = 4 << 20;

/// The same for an expression with words' bounds: beyond ASCII it is matched without a look at the deadline.
const BOUNDED_BYTES_MAX: usize = 256 << 10;

/// Memory of an automaton's states; they are made anew when it is full.
const STATES_BYTES: usize = 1 << 20;

/// Deepest nesting of groups, far beyond what people write.
const NESTING_MAX: u32 = 100;

/// Bytes of text between two looks at the deadline. For each, a new state may have to be made out of the whole pattern.
const PIECE_BYTES: usize = 64;

/// A pattern, compiled once per statement.
#[derive(Debug)]
pub(super) struct Pattern {
    /// For texts that the automaton gives up on.
    regex: Regex,
    automaton: DFA,
    states: Mutex<Cache>,
}

impl Pattern {
    /// Compiles a pattern. A point matches a line's end and `^`, `$` match at the text's ends only, as in Postgres.
    ///
    /// # Errors
    /// 2201B with Postgres' reason, where it has one for what is wrong.
    pub(super) fn new(pattern: &str, case: Case) -> Result<Self, Fault> {
        let translated = translate(pattern);
        let regex = compile(&translated, case, COMPILED_BYTES_MAX)?;
        let syntax = syntax::Config::new()
            .case_insensitive(case == Case::Folded)
            .dot_matches_new_line(true)
            .nest_limit(NESTING_MAX);
        let states = DFA::config()
            .unicode_word_boundary(true)
            .cache_capacity(STATES_BYTES)
            .skip_cache_capacity_check(true)
            .minimum_cache_clear_count(None);
        let automaton = DFA::builder()
            .syntax(syntax)
            .thompson(thompson::Config::new().which_captures(WhichCaptures::None))
            .configure(states)
            .build(&translated)
            .map_err(|_| invalid(TOO_COMPLEX))?;
        if automaton.get_nfa().look_set_any().contains_word_unicode() {
            compile(&translated, case, BOUNDED_BYTES_MAX)?;
        }
        let states = Mutex::new(automaton.create_cache());
        Ok(Self { regex, automaton, states })
    }

    /// Whether there is a match anywhere in the text.
    ///
    /// # Errors
    /// When the statement's time is over.
    pub(super) fn is_match(&self, text: &str) -> Result<bool, Fault> {
        // What a panic leaves behind is made anew from its beginning.
        let mut states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        match self.run(&mut states, text)? {
            Some(found) => Ok(found),
            None => Ok(self.regex.is_match(text)),
        }
    }

    /// `None` where the automaton gives up.
    fn run(&self, states: &mut Cache, text: &str) -> Result<Option<bool>, Fault> {
        let start = self.automaton.start_state_forward(states, &Input::new(text).anchored(Anchored::No));
        let Ok(mut state) = start else { return Ok(None) };
        for piece in text.as_bytes().chunks(PIECE_BYTES) {
            Patience::look()?;
            for byte in piece {
                let Ok(next) = self.automaton.next_state(states, state, *byte) else { return Ok(None) };
                match settled(next) {
                    Settled::No => state = next,
                    Settled::Answer(found) => return Ok(Some(found)),
                    Settled::GaveUp => return Ok(None),
                }
            }
        }
        let end = self.automaton.next_eoi_state(states, state);
        Ok(end.ok().map(|state| state.is_match()))
    }
}

/// What a state says of the whole text.
enum Settled {
    No,
    Answer(bool),
    GaveUp,
}

fn settled(state: LazyStateID) -> Settled {
    if !state.is_tagged() {
        Settled::No
    } else if state.is_match() {
        Settled::Answer(true)
    } else if state.is_dead() {
        Settled::Answer(false)
    } else if state.is_quit() {
        Settled::GaveUp
    } else {
        Settled::No
    }
}

fn compile(pattern: &str, case: Case, bytes_max: usize) -> Result<Regex, Fault> {
    RegexBuilder::new(pattern)
        .case_insensitive(case == Case::Folded)
        .dot_matches_new_line(true)
        .size_limit(bytes_max)
        .dfa_size_limit(STATES_BYTES)
        .nest_limit(NESTING_MAX)
        .build()
        .map_err(|error| invalid(&reason(&error)))
}

/// A pattern whose matches are taken out of a text.
///
/// # Errors
/// As of [`Pattern::new`].
pub(super) fn regex(pattern: &str, case: Case) -> Result<Regex, Fault> {
    compile(&translate(pattern), case, BOUNDED_BYTES_MAX)
}

fn invalid(reason: &str) -> Fault {
    Fault { code: "2201B", message: format!("invalid regular expression: {reason}") }
}

/// Spells Postgres' own escapes as `regex` does: words' bounds `\y \Y \m \M` and the text's end `\Z`; and what stands in
/// brackets, where `regex` knows nested sets and operators between them, and ASCII's classes only.
fn translate(pattern: &str) -> String {
    let mut translated = String::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some(character) = rest.chars().next() {
        rest = rest.get(character.len_utf8()..).unwrap_or_default();
        match character {
            '[' => rest = translate_brackets(rest, &mut translated),
            '\\' => rest = translate_escape(rest, &mut translated),
            other => translated.push(other),
        }
    }
    translated
}

/// What follows a backslash; gives the rest.
fn translate_escape<'text>(rest: &'text str, translated: &mut String) -> &'text str {
    let mut characters = rest.chars();
    match characters.next() {
        Some('y') => translated.push_str(r"\b"),
        Some('Y') => translated.push_str(r"\B"),
        Some('m') => translated.push_str(r"\b{start}"),
        Some('M') => translated.push_str(r"\b{end}"),
        Some('Z') => translated.push_str(r"\z"),
        Some(other) => translated.extend(['\\', other]),
        None => translated.push('\\'),
    }
    characters.as_str()
}

/// What follows an opening bracket, up to the closing one; gives the rest.
fn translate_brackets<'text>(rest: &'text str, translated: &mut String) -> &'text str {
    translated.push('[');
    let mut rest = rest;
    if let Some(negated) = rest.strip_prefix('^') {
        translated.push('^');
        rest = negated;
    }
    if let Some(closing) = rest.strip_prefix(']') {
        translated.push_str(r"\]");
        rest = closing;
    }
    while let Some(character) = rest.chars().next() {
        if let Some((class, after)) = rest.strip_prefix("[:").and_then(|class| class.split_once(":]")) {
            match UNICODE_CLASSES.iter().find(|(name, _)| *name == class) {
                Some((_, unicode)) => translated.push_str(unicode),
                None => translated.extend(["[:", class, ":]"]),
            }
            rest = after;
            continue;
        }
        rest = rest.get(character.len_utf8()..).unwrap_or_default();
        match character {
            ']' => {
                translated.push(']');
                return rest;
            }
            '\\' => rest = translate_escape(rest, translated),
            '[' | '&' | '~' => translated.extend(['\\', character]),
            other => translated.push(other),
        }
    }
    rest
}

/// Classes that hold more than ASCII under a UTF-8 locale.
const UNICODE_CLASSES: [(&str, &str); 6] = [
    ("alpha", r"\p{Alphabetic}"),
    ("alnum", r"\p{Alphabetic}\p{N}"),
    ("lower", r"\p{Lowercase}"),
    ("upper", r"\p{Uppercase}"),
    ("punct", r"\p{P}\p{S}"),
    ("space", r"\s"),
];

/// Postgres' words for a pattern beyond its bounds.
const TOO_COMPLEX: &str = "regular expression is too complex";

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
        ("exceeds size limit", TOO_COMPLEX),
        ("exceeded the maximum", TOO_COMPLEX),
    ];
    let found = known.iter().find(|(part, _)| complaint.contains(part));
    found.map_or(complaint.clone(), |(_, words)| (*words).to_owned())
}
