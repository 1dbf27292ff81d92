//! Which rows of an answer are wanted: `limit`, `offset` and the `Range` header.
//!
//! Source: <https://docs.postgrest.org/en/v16/references/api/pagination_count.html>

use super::{Error, Method};

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

/// The `limit` and `offset` of one level, as sent. Texts that are no numbers are ignored, as in `PostgREST`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Wanted {
    /// May be negative.
    pub(super) limit: Option<i64>,
    /// May be negative.
    pub(super) offset: Option<i64>,
}

impl Wanted {
    /// The range of an embed.
    ///
    /// # Errors
    /// [`Error::NegativeLimit`].
    pub(super) fn range(self) -> Result<Range, Error> {
        let offset = u64::try_from(self.offset.unwrap_or_default()).unwrap_or_default();
        let limit = self.limit.map(u64::try_from).transpose().map_err(|_| Error::NegativeLimit)?;
        Ok(Range { offset, limit })
    }

    /// The range of the top level, which a `Range` header narrows further on `GET`.
    ///
    /// # Errors
    /// [`Error::NegativeLimit`], also when header and parameters have no row in common; [`Error::RangeReversed`];
    /// [`Error::PutRange`].
    pub(super) fn top_level(self, method: Method, header: Option<&str>) -> Result<Range, Error> {
        let wanted = self.range()?;
        if method == Method::Put && wanted != Range::ALL {
            return Err(Error::PutRange);
        }
        let Some((first, last)) = header.filter(|_| method == Method::Get).and_then(parse_header) else {
            return Ok(wanted);
        };
        if last.is_some_and(|last| last < first) {
            return Err(Error::RangeReversed);
        }
        // Nobody is refused for wanting nothing.
        if wanted.limit == Some(0) {
            return Ok(Range { offset: 0, limit: Some(0) });
        }
        let end = |range: Range| range.limit.map(|limit| range.offset.saturating_add(limit));
        let offset = wanted.offset.max(first);
        let end = match (end(wanted), last.map(|last| last.saturating_add(1))) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        match end {
            Some(end) if end <= offset => Err(Error::NegativeLimit),
            Some(end) => Ok(Range { offset, limit: Some(end - offset) }),
            None => Ok(Range { offset, limit: None }),
        }
    }
}

/// `0-9` or `5-`; anything else is no range and is ignored.
fn parse_header(text: &str) -> Option<(u64, Option<u64>)> {
    let (first, last) = text.trim().split_once('-')?;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if first.is_empty() || !digits(first) || !digits(last) {
        return None;
    }
    let last = if last.is_empty() { None } else { Some(last.parse().ok()?) };
    Some((first.parse().ok()?, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(limit: Option<i64>, offset: Option<i64>, header: Option<&str>) -> Result<(u64, Option<u64>), Error> {
        Wanted { limit, offset }.top_level(Method::Get, header).map(|range| (range.offset, range.limit))
    }

    #[test]
    fn header_and_parameters_are_cut_to_what_both_want() {
        assert_eq!(range(None, None, None), Ok((0, None)));
        assert_eq!(range(Some(5), Some(2), None), Ok((2, Some(5))));
        assert_eq!(range(None, None, Some("3-7")), Ok((3, Some(5))));
        assert_eq!(range(None, None, Some("3-")), Ok((3, None)));
        assert_eq!(range(Some(4), None, Some("3-7")), Ok((3, Some(1))));
        assert_eq!(range(Some(0), Some(3), Some("3-7")), Ok((0, Some(0))));
        assert_eq!(range(None, Some(-3), None), Ok((0, None)));
        assert_eq!(range(None, None, Some("rows=1")), Ok((0, None)));
    }

    #[test]
    fn ranges_without_a_row_are_refused() {
        assert_eq!(range(Some(-1), None, None), Err(Error::NegativeLimit));
        assert_eq!(range(None, None, Some("7-3")), Err(Error::RangeReversed));
        assert_eq!(range(Some(2), None, Some("5-7")), Err(Error::NegativeLimit));
        assert_eq!(Wanted { limit: Some(1), offset: None }.top_level(Method::Put, None), Err(Error::PutRange));
    }
}
