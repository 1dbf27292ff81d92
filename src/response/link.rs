//! Links to other pages (RFC 8288).
//!
//! The targets are relative to the request's own address, so that they hold behind any proxy: `<?limit=10&-after=…>`.

use crate::plan::Keyset;
use crate::plan::keyset::cursor;
use crate::request::seek::Side;
use crate::store::Edges;

use super::Error;

/// The value of `Link`; `None` when the page is all there is.
///
/// # Errors
/// [`Error::LongCursor`] when the keys of a row do not fit into a link.
pub(super) fn of_page(keyset: &Keyset, edges: &Edges) -> Result<Option<String>, Error> {
    // A page that holds no rows never gets to another one.
    if keyset.size == Some(0) {
        return Ok(None);
    }
    let (before, after) = match keyset.side {
        Side::After => (keyset.begins_at_cursor, edges.more),
        Side::Before => (edges.more, keyset.begins_at_cursor),
    };
    let cursor = |keys: &Option<Vec<serde_json::Value>>| match keys {
        // A page without rows is at an end.
        None => Ok(String::new()),
        Some(keys) => cursor::write(&keyset.signature, keys).ok_or(Error::LongCursor),
    };
    let mut links = Vec::new();
    let mut add = |relation: &str, side: &str, cursor: &str| {
        let separator = if keyset.query.is_empty() { "" } else { "&" };
        links.push(format!("<?{}{separator}{side}={cursor}>; rel=\"{relation}\"", keyset.query));
    };
    if before {
        add("first", "-after", "");
        add("prev", "-before", &cursor(&edges.first)?);
    }
    if after {
        add("next", "-after", &cursor(&edges.last)?);
        add("last", "-before", "");
    }
    Ok((!links.is_empty()).then(|| links.join(", ")))
}
