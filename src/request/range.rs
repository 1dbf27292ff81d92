//! Which rows of an answer are wanted.
//!
//! `limit` and `offset` come with the query, for the top level and for each embedded resource. On `GET` the `Range`
//! header (`0-9`, `5-`) narrows the top level; its unit is not looked at, and one that does not parse is ignored.

use super::{EmbedPath, Error, Method};

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

/// `limit` and `offset` of one level as they were sent; below zero too.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Window {
    limit: Option<i64>,
    offset: Option<i64>,
}

impl Window {
    fn to_range(self) -> Result<Range, Error> {
        let limit = self.limit.map(|limit| u64::try_from(limit).map_err(|_| Error::NegativeLimit)).transpose()?;
        Ok(Range { offset: self.offset.and_then(|offset| u64::try_from(offset).ok()).unwrap_or(0), limit })
    }
}

/// Which of the two a parameter sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bound {
    /// `limit`
    Limit,
    /// `offset`
    Offset,
}

/// The windows of a request: the top level's and those of its embedded resources.
#[derive(Debug, Default)]
pub(super) struct Windows {
    top: Window,
    embeds: Vec<(EmbedPath, Window)>,
}

impl Windows {
    /// Takes one parameter in; the last of several counts, and what is no number is as if not sent.
    pub(super) fn set(&mut self, path: EmbedPath, bound: Bound, value: &str) {
        let window = if path.is_empty() {
            &mut self.top
        } else {
            let known = self.embeds.iter().position(|(other, _)| *other == path);
            let index = known.unwrap_or_else(|| {
                self.embeds.push((path, Window::default()));
                self.embeds.len() - 1
            });
            match self.embeds.get_mut(index) {
                Some((_, window)) => window,
                None => return,
            }
        };
        match bound {
            Bound::Limit => window.limit = number(value),
            Bound::Offset => window.offset = number(value),
        }
    }

    /// The range of each embedded resource that has one.
    ///
    /// # Errors
    /// [`Error::NegativeLimit`].
    pub(super) fn embed_ranges(&self) -> Result<Vec<(EmbedPath, Range)>, Error> {
        self.embeds.iter().map(|(path, window)| Ok((path.clone(), window.to_range()?))).collect()
    }

    /// The range of the top level, narrowed by the `Range` header on `GET`.
    ///
    /// # Errors
    /// [`Error::RangeReversed`] for a header like `9-0`, [`Error::NegativeLimit`] when nothing can be in the range
    /// (other than by `limit=0`), [`Error::PutRange`] for any range on `PUT`.
    pub(super) fn top_range(&self, method: Method, header: Option<&str>) -> Result<Range, Error> {
        let header = header.filter(|_| method == Method::Get).and_then(header_bounds);
        let range = if self.top.limit == Some(0) {
            self.top.to_range()?
        } else {
            match header {
                Some((first, Some(last))) if last < first => return Err(Error::RangeReversed),
                Some((first, last)) => intersect(self.top.to_range()?, first, last)?,
                None => self.top.to_range()?,
            }
        };
        if method == Method::Put && range != Range::ALL { Err(Error::PutRange) } else { Ok(range) }
    }
}

/// First and last row of a `Range` header, both counted from zero.
fn header_bounds(value: &str) -> Option<(u64, Option<u64>)> {
    let (first, last) = value.split_once('-')?;
    let last = if last.is_empty() { None } else { Some(digits(last)?) };
    Some((digits(first)?, last))
}

fn intersect(range: Range, first: u64, last: Option<u64>) -> Result<Range, Error> {
    let offset = range.offset.max(first);
    let ends = [range.limit.map(|limit| range.offset.saturating_add(limit)), last.map(|last| last.saturating_add(1))];
    match ends.into_iter().flatten().min() {
        None => Ok(Range { offset, limit: None }),
        Some(end) if end > offset => Ok(Range { offset, limit: Some(end - offset) }),
        Some(_) => Err(Error::NegativeLimit),
    }
}

/// A whole number; one beyond 64 bits becomes the nearest that fits.
fn number(text: &str) -> Option<i64> {
    let text = text.trim();
    let magnitude = digits(text.strip_prefix('-').unwrap_or(text))?;
    let magnitude = i64::try_from(magnitude).unwrap_or(i64::MAX);
    Some(if text.starts_with('-') { -magnitude } else { magnitude })
}

/// Digits and nothing else; a number beyond what the engines count becomes the greatest of those.
fn digits(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(u64::MAX).min(ROW_MAX))
}

/// The greatest row number: both engines count rows in signed 64 bits.
const ROW_MAX: u64 = i64::MAX.unsigned_abs();
