//! How a role or a function wants the transactions of its requests to run (Postgres only).
//!
//! Source: <https://docs.postgrest.org/en/v16/references/transactions.html#transaction-settings>

/// An isolation level, and settings that hold until the transaction's end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tuning {
    /// `default_transaction_isolation`; the server's own without one.
    pub isolation: Option<Isolation>,
    /// Names and values, as `set_config` takes them.
    pub settings: Vec<(String, String)>,
}

/// How far a transaction is kept from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isolation {
    /// Each statement sees what was committed before it.
    ReadCommitted,
    /// All see what was committed before the first.
    RepeatableRead,
    /// As if transactions ran one after the other.
    Serializable,
}

/// The setting that says the level.
const ISOLATION: &str = "default_transaction_isolation";

impl Tuning {
    /// Reads settings as Postgres keeps them: `name=value`.
    ///
    /// # Example
    /// ```
    /// use berth::catalog::{Isolation, Tuning};
    /// let tuning = Tuning::read(["default_transaction_isolation=repeatable read", "work_mem=8MB"]);
    /// assert_eq!(tuning.isolation, Some(Isolation::RepeatableRead));
    /// assert_eq!(tuning.settings, [("work_mem".to_owned(), "8MB".to_owned())]);
    /// ```
    pub fn read<'a>(settings: impl IntoIterator<Item = &'a str>) -> Self {
        let mut tuning = Self::default();
        for (name, value) in settings.into_iter().filter_map(|setting| setting.split_once('=')) {
            if name == ISOLATION {
                tuning.isolation = Isolation::parse(value);
            } else {
                tuning.settings.push((name.to_owned(), value.to_owned()));
            }
        }
        tuning
    }
}

impl Isolation {
    /// What is not known is the server's own, which is read committed.
    fn parse(text: &str) -> Option<Self> {
        match text.to_ascii_lowercase().as_str() {
            "repeatable read" => Some(Self::RepeatableRead),
            "serializable" => Some(Self::Serializable),
            "read committed" | "read uncommitted" => Some(Self::ReadCommitted),
            _ => None,
        }
    }
}
