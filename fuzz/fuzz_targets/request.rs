//! Any request parses or is refused; the canonical query of one that parses is stable.
//!
//! Input: verb, path, query, content type, other headers and body, each on a line of its own; the body is all that is
//! left.

#![no_main]

use berth::request::{Raw, Request};
use bytes::Bytes;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let mut lines = input.splitn(6, |byte| *byte == b'\n');
    let mut text = || lines.next().map(|line| String::from_utf8_lossy(line).into_owned()).unwrap_or_default();
    let (method, path, query, media, header) = (text(), text(), text(), text(), text());
    let headers = ["accept", "accept-profile", "content-profile", "prefer", "range"];
    let raw = Raw {
        method,
        path,
        query,
        headers: headers
            .into_iter()
            .map(|name| (name.to_owned(), header.clone()))
            .chain([("content-type".to_owned(), media)])
            .collect(),
        body: Bytes::copy_from_slice(lines.next().unwrap_or_default()),
    };
    let Ok(request) = Request::parse(&raw) else { return };

    // The first pass joins the values of equal keys, so the second is the first that must be stable.
    let again = |query: String| Request::parse(&Raw { query, ..raw.clone() }).ok().map(|next| next.canonical_query);
    if let Some(second) = again(request.canonical_query)
        && let Some(third) = again(second.clone())
    {
        assert_eq!(third, second);
    }
});
