//! What can be wrong with what was typed.

use std::borrow::Cow;
use std::fmt;

use thiserror::Error;

/// One variable and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{variable}: {problem}")]
pub struct Fault {
    /// The name as it was typed, second names included.
    pub variable: String,
    /// What is wrong.
    pub problem: Problem,
}

/// What is wrong with a variable's value.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Problem {
    /// The value is none of what is possible.
    #[error("\"{value}\" is not {expected}")]
    Unexpected {
        /// What was typed; never of a secret.
        value: String,
        /// What would be right.
        expected: Cow<'static, str>,
    },
    /// The value is no text.
    #[error("\"{value}\" is not UTF-8")]
    NoText {
        /// What was typed, as far as it is text.
        value: String,
    },
    /// A secret's value is not what is possible; it is not repeated.
    #[error("the value is not {expected}")]
    UnexpectedSecret {
        /// What would be right.
        expected: &'static str,
    },
    /// The file that a `…_FILE` variable names cannot be read.
    #[error("the file \"{path}\" cannot be read: {reason}")]
    Unreadable {
        /// The file.
        path: String,
        /// The operating system's words.
        reason: String,
    },
    /// The value is given directly and as a file.
    #[error("\"{other}\" is set too; set one of them")]
    GivenTwice {
        /// The other variable.
        other: String,
    },
    /// A secret that can be guessed.
    #[error("it must have at least {least} characters")]
    TooShort {
        /// Fewest characters.
        least: usize,
    },
    /// The environment cannot be read at all.
    #[error("{reason}")]
    Environment {
        /// The reader's words.
        reason: String,
    },
}

/// Every fault of an environment; never empty.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub struct Faults(pub Vec<Fault>);

impl fmt::Display for Faults {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, fault) in self.0.iter().enumerate() {
            if position > 0 {
                writeln!(formatter)?;
            }
            write!(formatter, "{fault}")?;
        }
        Ok(())
    }
}

/// Something typed that is not wrong but does not do what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// The name as it was typed.
    pub variable: String,
    /// What the operator should know.
    pub message: String,
}
