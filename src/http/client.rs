//! Which client sent a request: the peer, or what trusted proxies say of theirs.

use std::net::{IpAddr, SocketAddr};

use actix_http::{HttpMessage as _, Request};

/// The header to which each proxy adds the address of who asked it.
const FORWARDED: &str = "x-forwarded-for";

/// The client's address, with `trusted_proxies` in front of this server.
///
/// Each trusted proxy adds one address at the end, so what stands before that many was written by the client and is
/// not believed. Where the header has too few, or no address there, somebody came around the proxies: the peer counts.
pub(super) fn address(request: &Request, trusted_proxies: usize) -> Option<IpAddr> {
    let peer = request.peer_addr().map(|peer| peer.ip());
    let headers = request.headers().get_all(FORWARDED).filter_map(|value| value.to_str().ok());
    forwarded(headers, trusted_proxies).or(peer)
}

fn forwarded<'a>(headers: impl Iterator<Item = &'a str>, trusted_proxies: usize) -> Option<IpAddr> {
    let from_end = trusted_proxies.checked_sub(1)?;
    let addresses: Vec<&str> = headers.flat_map(|header| header.split(',')).map(str::trim).collect();
    let text = addresses.iter().rev().nth(from_end)?;
    // Some proxies add the port.
    text.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_trusted_proxies_added_is_believed() {
        for (headers, trusted, expected) in [
            (vec!["198.51.100.7"], 0, None),
            (vec!["198.51.100.7"], 1, Some("198.51.100.7")),
            (vec!["6.6.6.6, 198.51.100.7"], 1, Some("198.51.100.7")),
            (vec!["6.6.6.6, 198.51.100.7, 10.0.0.1"], 2, Some("198.51.100.7")),
            (vec!["6.6.6.6", "198.51.100.7 , 10.0.0.1"], 2, Some("198.51.100.7")),
            (vec!["198.51.100.7:4711"], 1, Some("198.51.100.7")),
            (vec!["[2001:db8::1]:4711"], 1, Some("2001:db8::1")),
            (vec!["2001:db8::1"], 1, Some("2001:db8::1")),
            (vec!["198.51.100.7"], 2, None),
            (vec!["unknown"], 1, None),
            (vec![], 1, None),
        ] {
            let found = forwarded(headers.iter().copied(), trusted);
            assert_eq!(found.map(|address| address.to_string()).as_deref(), expected, "{headers:?} {trusted}");
        }
    }
}
