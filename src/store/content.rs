//! Names the rows of an answer by what they are.

use crate::request::MediaType;
use crate::request::digest::Digest;
use crate::request::tag::Content;

/// Names the one row of a body; the same whether it stands alone, in an array or on a line.
///
/// `None` for bodies of which a row cannot be told, such as CSV, or that leave nulls out.
#[must_use]
pub fn of_row(body: &[u8], media: &MediaType) -> Option<Content> {
    let row = match media {
        MediaType::Any | MediaType::Json | MediaType::ArrayJson { strip_nulls: false } => {
            body.strip_prefix(b"[")?.strip_suffix(b"]")?
        }
        MediaType::ObjectJson { strip_nulls: false } | MediaType::NdJson => body,
        MediaType::ArrayJson { strip_nulls: true }
        | MediaType::ObjectJson { strip_nulls: true }
        | MediaType::GeoJson
        | MediaType::Csv
        | MediaType::Text
        | MediaType::Xml
        | MediaType::OpenApi
        | MediaType::UrlEncoded
        | MediaType::OctetStream
        | MediaType::Plan { .. }
        | MediaType::Other(_) => return None,
    };
    let mut digest = Digest::default();
    digest.add(b"row").add(row.trim_ascii());
    Some(digest.half())
}

/// Names a whole body, and what its headers say of it: which rows of how many.
#[must_use]
pub fn of_body(body: &[u8], range: &str) -> Content {
    let mut digest = Digest::default();
    digest.add(b"body").add(range.as_bytes()).add(body);
    digest.half()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_one_name_in_an_array_and_alone() {
        let alone = of_row(br#"{"id":1}"#, &MediaType::ObjectJson { strip_nulls: false });
        assert!(alone.is_some());
        assert_eq!(of_row(br#"[{"id":1}]"#, &MediaType::Json), alone);
        assert_ne!(of_row(br#"[{"id":2}]"#, &MediaType::Json), alone);
        assert_eq!(of_row(b"{\"id\":1}\n", &MediaType::NdJson), alone);
        assert_eq!(of_row(b"id\n1", &MediaType::Csv), None);
        assert_ne!(Some(of_body(br#"{"id":1}"#, "")), alone, "a body is no row");
    }

    #[test]
    fn the_same_rows_of_more_are_another_body() {
        assert_ne!(of_body(b"[]", "*/0"), of_body(b"[]", "*/1"));
    }
}
