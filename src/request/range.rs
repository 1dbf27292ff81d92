//! Which rows of an answer are wanted.

/// Rows from `offset` on, at most `limit`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Range {
    /// Rows to leave out first.
    pub offset: u64,
    /// Most rows to give; `None` for all.
    pub limit: Option<u64>,
}

impl Range {
    /// All rows.
    pub const ALL: Self = Self { offset: 0, limit: None };

    /// The same range with no more than `max` rows.
    #[must_use]
    pub fn at_most(self, max: Option<u64>) -> Self {
        let limit = match (self.limit, max) {
            (Some(limit), Some(max)) => Some(limit.min(max)),
            (limit, max) => limit.or(max),
        };
        Self { limit, ..self }
    }
}
