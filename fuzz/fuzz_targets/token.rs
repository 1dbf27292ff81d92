//! No text that the secret did not sign is taken for a token, whatever its header says; nothing panics.
//!
//! `cargo fuzz run token` needs cargo-fuzz and a nightly toolchain; `src/auth/token/corpus.rs` holds the same properties in a
//! small way for `cargo test`.
//!
//! Input: the token's header and its claims as plain text, each on a line; the rest is the signature, or the whole token
//! when there is no line break.

#![no_main]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use berth::auth::{ClaimPath, Keys, token};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Ok(keys) = Keys::from_secret(b"a secret of at least thirty-two bytes, for fuzzing") else { return };
    let text = String::from_utf8_lossy(input);
    assert!(token::verify(&text, &keys).is_err());

    let mut parts = input.splitn(3, |byte| *byte == b'\n').map(|part| URL_SAFE_NO_PAD.encode(part));
    let mut part = || parts.next().unwrap_or_default();
    let shaped = format!("{}.{}.{}", part(), part(), part());
    assert!(token::verify(&shaped, &keys).is_err());

    if let Ok(text) = std::str::from_utf8(input)
        && let Ok(set) = Keys::from_jwks(text)
    {
        let _ = token::verify(&shaped, &set);
    }

    if let Some((path, claims)) = text.split_once('\n')
        && let Ok(path) = ClaimPath::parse(path)
        && let Ok(mut claims) = serde_json::from_str(claims)
    {
        let _ = path.find(&claims);
        path.place(&mut claims, "web");
        let _ = path.find(&claims);
    }
});
