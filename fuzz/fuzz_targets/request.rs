//! Any request parses or is refused; the canonical query of one that parses is stable.
//!
//! Input: see `berth_fuzz::message`.

#![no_main]

use berth::request::{Batch, Raw, Request};
use berth_fuzz::message::Message;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let raw = Message::read(input).raw;
    let _ = Batch::parse(&raw);
    let Ok(request) = Request::parse(&raw) else { return };

    // The first pass joins the values of equal keys, so the second is the first that must be stable.
    let again = |query: String| Request::parse(&Raw { query, ..raw.clone() }).ok().map(|next| next.canonical_query);
    if let Some(second) = again(request.canonical_query)
        && let Some(third) = again(second.clone())
    {
        assert_eq!(third, second);
    }
});
