//! Finds what no URI may hold in the targets of a connection's requests.
//!
//! `curl 'localhost:8080/films?select=tags->0'` sends the `>` as it is, and so do people's scripts; `PostgREST`'s own
//! documentation writes its examples so. The parser below actix refuses it (RFC 3986 has no place for it), so such
//! bytes are written as `%XX` before they get there.

/// What is kept of a field line: enough for the longest name that matters and a length of 20 digits.
const FIELD_BYTES: usize = 48;

/// Follows the requests of one connection: where each one's target is, and where its body ends.
#[derive(Debug, Default)]
pub(super) struct Targets {
    place: Place,
    /// Heads that have begun.
    heads: u64,
    /// The beginning of the field line at hand.
    field: Vec<u8>,
    /// The body's length, as far as the head has said.
    body_bytes: u64,
}

/// What the next byte belongs to.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Between requests; line breaks are nothing.
    #[default]
    Between,
    Method,
    Target,
    Version,
    Field,
    Body {
        rest: u64,
    },
    /// A body without a length: nothing after it is looked at, which only means that it must be a proper URI.
    Blind,
}

/// What a connection's next bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Awaited {
    /// The beginning of a request.
    Request,
    /// More of a head.
    Head {
        /// Which one of the connection, from 1.
        number: u64,
    },
    /// More of a body.
    Body,
    /// It is not known.
    Anything,
}

impl Targets {
    /// What comes next.
    pub(super) fn awaited(&self) -> Awaited {
        match self.place {
            Place::Between => Awaited::Request,
            Place::Method | Place::Target | Place::Version | Place::Field => Awaited::Head { number: self.heads },
            Place::Body { .. } => Awaited::Body,
            Place::Blind => Awaited::Anything,
        }
    }

    /// Places in `bytes`, the connection's next, of those that a request's target may not hold, in order.
    pub(super) fn illegal(&mut self, bytes: &[u8]) -> Vec<usize> {
        let mut found = Vec::new();
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            at += match self.place {
                Place::Between => {
                    let breaks = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
                    if breaks < rest.len() {
                        self.place = Place::Method;
                        self.heads += 1;
                    }
                    breaks
                }
                Place::Method => self.skip_past(b' ', rest, Place::Target),
                Place::Target => {
                    let end = rest.iter().position(|byte| matches!(byte, b' ' | b'\n'));
                    let target = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
                    found.extend(target.iter().enumerate().filter(|(_, byte)| is_illegal(**byte)).map(|(i, _)| at + i));
                    if end.is_some() {
                        self.place = Place::Version;
                    }
                    target.len()
                }
                Place::Version => self.skip_past(b'\n', rest, Place::Field),
                Place::Field => self.field(rest),
                Place::Body { rest: left } => {
                    let here = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
                    let left = left.saturating_sub(here as u64);
                    self.place = if left == 0 { Place::Between } else { Place::Body { rest: left } };
                    here
                }
                Place::Blind => break,
            };
        }
        found
    }

    /// Goes on after the first `end`; all of `bytes` belongs to this place when there is none.
    fn skip_past(&mut self, end: u8, bytes: &[u8], next: Place) -> usize {
        match bytes.iter().position(|byte| *byte == end) {
            Some(place) => {
                self.place = next;
                place + 1
            }
            None => bytes.len(),
        }
    }

    /// Reads on in a field line; gives the bytes read.
    fn field(&mut self, bytes: &[u8]) -> usize {
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let line = bytes.get(..end.unwrap_or(bytes.len())).unwrap_or_default();
        let room = FIELD_BYTES.saturating_sub(self.field.len()).min(line.len());
        self.field.extend_from_slice(line.get(..room).unwrap_or_default());
        if end.is_none() {
            return line.len();
        }
        self.end_field();
        self.field.clear();
        line.len() + 1
    }

    fn end_field(&mut self) {
        let line = self.field.trim_ascii_end();
        if line.is_empty() {
            self.place = match std::mem::take(&mut self.body_bytes) {
                0 => Place::Between,
                rest => Place::Body { rest },
            };
            return;
        }
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { return };
        let (name, value) = line.split_at(colon);
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        if name.eq_ignore_ascii_case(b"content-length") {
            match std::str::from_utf8(value).ok().and_then(|text| text.parse().ok()) {
                Some(length) => self.body_bytes = length,
                None => self.place = Place::Blind,
            }
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") || name.eq_ignore_ascii_case(b"upgrade") {
            self.place = Place::Blind;
        }
    }
}

/// Printable, but not of a URI (RFC 3986, section 2). Control characters are left for the parser to refuse.
fn is_illegal(byte: u8) -> bool {
    matches!(byte, b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' | 0x80..)
}

/// Writes the bytes at `places` as `%XX`.
pub(super) fn encode(bytes: &[u8], places: &[usize]) -> Vec<u8> {
    const DIGITS: [u8; 16] = *b"0123456789ABCDEF";
    let digit = |value: u8| DIGITS.get(usize::from(value)).copied().unwrap_or(b'0');
    let mut encoded = Vec::with_capacity(bytes.len() + 2 * places.len());
    let mut from = 0;
    for place in places {
        encoded.extend_from_slice(bytes.get(from..*place).unwrap_or_default());
        if let Some(byte) = bytes.get(*place) {
            encoded.extend_from_slice(&[b'%', digit(byte >> 4), digit(byte & 15)]);
        }
        from = place + 1;
    }
    encoded.extend_from_slice(bytes.get(from..).unwrap_or_default());
    encoded
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What goes on when `text` comes in pieces of `size` bytes.
    fn passed(text: &str, size: usize) -> String {
        let mut targets = Targets::default();
        let pieces = text.as_bytes().chunks(size);
        let bytes: Vec<u8> = pieces.flat_map(|piece| encode(piece, &targets.illegal(piece))).collect();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn only_targets_are_encoded() {
        for (given, expected) in [
            (
                "GET /t?select=a->b,c->>\"d\" HTTP/1.1\r\nX: a->b\r\n\r\n",
                "GET /t?select=a-%3Eb,c-%3E%3E%22d%22 HTTP/1.1\r\nX: a->b\r\n\r\n",
            ),
            // A body is passed by, whatever it looks like; what follows it is a request again.
            (
                "POST /a HTTP/1.1\r\nContent-length:  16\r\n\r\nGET /> HTTP/1.1\nGET /> HTTP/1.1\r\n\r\n",
                "POST /a HTTP/1.1\r\nContent-length:  16\r\n\r\nGET /> HTTP/1.1\nGET /%3E HTTP/1.1\r\n\r\n",
            ),
            ("\r\nGET /é HTTP/1.1\r\n\r\nGET /| ", "\r\nGET /%C3%A9 HTTP/1.1\r\n\r\nGET /%7C "),
            // Of unknown length.
            (
                "POST /> HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /> HTTP/1.1\r\n\r\n",
                "POST /%3E HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /> HTTP/1.1\r\n\r\n",
            ),
        ] {
            for size in [1, 2, 3, 7, 1_000] {
                assert_eq!(passed(given, size), expected, "{size}");
            }
        }
    }

    #[test]
    fn long_fields_are_passed_by() {
        let long = "x".repeat(100_000);
        let text =
            format!("GET /> HTTP/1.1\r\nContent-Length-{long}: 5\r\nCookie: {long}\r\n\r\nGET /> HTTP/1.1\r\n\r\n");
        assert_eq!(passed(&text, 4_096), text.replace("/>", "/%3E"));
    }

    proptest! {
        #[test]
        fn any_bytes_in_any_pieces_come_out_the_same(bytes in proptest::collection::vec(any::<u8>(), 0..300), size in 1usize..50) {
            let mut whole = Targets::default();
            let mut pieces = Targets::default();
            let at_once = encode(&bytes, &whole.illegal(&bytes));
            let in_pieces: Vec<u8> = bytes.chunks(size).flat_map(|piece| encode(piece, &pieces.illegal(piece))).collect();
            prop_assert_eq!(at_once, in_pieces);
        }
    }
}
