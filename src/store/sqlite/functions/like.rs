//! `LIKE`: `%` any characters, `_` one character, `\` takes the next character as it is.

use super::{Fault, Patience};

/// Whether case matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    /// It does.
    Kept,
    /// It does not.
    Folded,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    AnyCharacters,
    OneCharacter,
    Character(char),
}

/// A pattern, read once per statement.
#[derive(Debug)]
pub(super) struct Pattern {
    steps: Vec<Step>,
    case: Case,
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// 22025 when a `\` stands at its end.
    pub(super) fn new(pattern: &str, case: Case) -> Result<Self, Fault> {
        let mut steps = Vec::with_capacity(pattern.len());
        let mut characters = pattern.chars();
        while let Some(character) = characters.next() {
            let literal = match character {
                '%' => {
                    // Two in a row say no more than one.
                    if steps.last() != Some(&Step::AnyCharacters) {
                        steps.push(Step::AnyCharacters);
                    }
                    continue;
                }
                '_' => {
                    steps.push(Step::OneCharacter);
                    continue;
                }
                '\\' => characters.next().ok_or_else(|| Fault {
                    code: "22025",
                    message: "LIKE pattern must not end with escape character".to_owned(),
                })?,
                other => other,
            };
            match case {
                Case::Kept => steps.push(Step::Character(literal)),
                Case::Folded => steps.extend(literal.to_lowercase().map(Step::Character)),
            }
        }
        Ok(Self { steps, case })
    }

    /// Whether the whole text fits the pattern.
    ///
    /// # Errors
    /// When the statement's time is over.
    pub(super) fn is_match(&self, text: &str) -> Result<bool, Fault> {
        match self.case {
            Case::Kept => self.fits(text),
            Case::Folded if text.is_ascii() => self.fits(&text.to_ascii_lowercase()),
            Case::Folded => self.fits(&text.chars().flat_map(char::to_lowercase).collect::<String>()),
        }
    }

    /// Goes through both at once; where they part, the last `%` takes one character more.
    ///
    /// Takes at most the product of both lengths in steps, and no memory.
    fn fits(&self, text: &str) -> Result<bool, Fault> {
        let mut patience = Patience::default();
        let mut rest = text.chars();
        let mut at = 0;
        let mut retry: Option<(usize, std::str::Chars<'_>)> = None;
        loop {
            patience.step()?;
            let mut ahead = rest.clone();
            let character = ahead.next();
            let fits = match (self.steps.get(at), character) {
                (None, None) => return Ok(true),
                (Some(Step::AnyCharacters), _) => {
                    at += 1;
                    retry = Some((at, rest.clone()));
                    continue;
                }
                (Some(Step::OneCharacter), Some(_)) => true,
                (Some(Step::Character(wanted)), Some(found)) => *wanted == found,
                (None, Some(_)) | (Some(_), None) => false,
            };
            if fits {
                at += 1;
                rest = ahead;
                continue;
            }
            let Some((after, from)) = &mut retry else { return Ok(false) };
            if from.next().is_none() {
                return Ok(false);
            }
            at = *after;
            rest = from.clone();
        }
    }
}
