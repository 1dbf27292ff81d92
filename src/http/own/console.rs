//! The console at `/-/`: one page for whoever develops against the API or runs it.
//!
//! It holds nothing of the data and asks nobody but the API it is served with, as its reader's token allows. Its parts
//! are put together once; the policy that is sent with it names them by their hashes, so that nothing else runs in it.
//!
//! Source: <https://www.w3.org/TR/CSP3/>.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use crate::response::Reply;

const PAGE: &str = include_str!("console/page.html");
const STYLE: &str = include_str!("console/style.css");
/// One script, whose parts share their names.
const SCRIPT: &str = concat!(
    include_str!("console/script/element.js"),
    include_str!("console/script/token.js"),
    include_str!("console/script/ask.js"),
    include_str!("console/script/place.js"),
    include_str!("console/script/snippet.js"),
    include_str!("console/script/overview.js"),
    include_str!("console/script/rows.js"),
    include_str!("console/script/field.js"),
    include_str!("console/script/function.js"),
);

struct Console {
    page: Bytes,
    policy: String,
}

static CONSOLE: LazyLock<Console> = LazyLock::new(|| Console {
    page: Bytes::from(PAGE.replacen("/*style*/", STYLE, 1).replacen("/*script*/", SCRIPT, 1)),
    policy: format!(
        "default-src 'none'; script-src {}; style-src {}; connect-src 'self'; img-src data:; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
        hash(SCRIPT),
        hash(STYLE)
    ),
});

/// An inline part, as a policy names it.
fn hash(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text.as_bytes())))
}

pub(super) fn answer() -> Reply {
    let mut reply = super::reply(200, "text/html; charset=utf-8", CONSOLE.page.clone());
    for (name, value) in [
        ("Content-Security-Policy", CONSOLE.policy.as_str()),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        ("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    ] {
        reply.headers.push((name.to_owned(), value.to_owned()));
    }
    reply
}

/// Leads from `/-` to `/-/`, below whatever path a proxy serves it at.
pub(super) fn lead() -> Reply {
    let mut reply = super::reply(308, "text/plain; charset=utf-8", "The console is at /-/\n");
    reply.headers.push(("Location".to_owned(), "-/".to_owned()));
    reply
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(reply: &Reply) -> String {
        String::from_utf8(reply.body.to_vec()).unwrap()
    }

    #[test]
    fn the_page_is_whole_small_and_asks_nobody_else() {
        let page = text(&answer());
        assert!(page.contains(STYLE) && page.contains(SCRIPT));
        assert!(page.len() < 64 * 1024, "{}", page.len());
        let addresses = page.matches("://").count();
        assert_eq!(addresses, page.matches("='http://www.w3.org/2000/svg'").count(), "no address but a namespace");
        for forbidden in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "localStorage"] {
            assert!(!page.contains(forbidden), "{forbidden}");
        }
        for forbidden in [" style=\"", " onclick=\"", " src=", "@import"] {
            assert!(!page.contains(forbidden), "{forbidden}");
        }
    }

    #[test]
    fn the_style_asks_for_nothing() {
        assert!(!STYLE.contains("url("));
    }

    #[test]
    fn the_policy_lets_in_the_pages_own_parts_and_nothing_else() {
        let reply = answer();
        let header = |name: &str| reply.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let policy = header("Content-Security-Policy").unwrap();
        let page = text(&reply);
        for (from, to, directive) in [("<style>", "</style>", "style-src"), ("<script>", "</script>", "script-src")] {
            let part = page.split_once(from).and_then(|(_, rest)| rest.split_once(to)).unwrap().0;
            assert!(policy.contains(&format!("{directive} {};", hash(part))), "{directive}: {policy}");
        }
        assert!(policy.starts_with("default-src 'none';") && !policy.contains("unsafe"));
        assert_eq!(header("Cache-Control"), Some("no-store"));
        assert_eq!(header("X-Content-Type-Options"), Some("nosniff"));
    }
}
