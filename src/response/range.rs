//! `Content-Range` and the status that goes with it.
//!
//! Source: <https://docs.postgrest.org/en/v16/references/api/pagination_count.html>

/// `0-14/57`: the rows of a page from `offset` on, of `total`.
///
/// # Example
/// ```
/// use berth::response::range::of_rows;
/// assert_eq!(of_rows(10, 5, Some(57)), "10-14/57");
/// assert_eq!(of_rows(0, 0, None), "*/*");
/// assert_eq!(of_rows(0, 0, Some(0)), "*/0");
/// ```
#[must_use]
pub fn of_rows(offset: u64, rows: u64, total: Option<u64>) -> String {
    let of = total.map_or_else(|| "*".to_owned(), |total| total.to_string());
    if rows == 0 || total == Some(0) {
        return format!("*/{of}");
    }
    format!("{offset}-{}/{of}", offset.saturating_add(rows - 1))
}

/// `*/3`: a number of rows without a place.
#[must_use]
pub fn of_count(total: Option<u64>) -> String {
    of_rows(0, 0, total)
}

/// 200 for everything, 206 for a part, 416 when the page begins behind the end.
#[must_use]
pub fn status(offset: u64, rows: u64, total: Option<u64>) -> u16 {
    match total {
        Some(total) if offset > total => 416,
        Some(total) if rows < total => 206,
        Some(_) | None => 200,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_206_and_all_of_it_200() {
        assert_eq!(status(0, 5, Some(57)), 206);
        assert_eq!(status(0, 57, Some(57)), 200);
        assert_eq!(status(0, 5, None), 200);
    }

    #[test]
    fn an_offset_behind_the_end_is_416_but_at_the_end_is_not() {
        assert_eq!(status(58, 0, Some(57)), 416);
        assert_eq!(status(57, 0, Some(57)), 206);
        assert_eq!(status(0, 0, Some(0)), 200);
    }
}
