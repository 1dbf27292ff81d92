//! Entity tags, and the conditions that a request puts on them.
//!
//! ```text
//! condition = "*" / tag *( "," tag )
//! tag       = [ "W/" ] DQUOTE representation *( "-" part ) DQUOTE
//! part      = state / content
//! ```
//!
//! | part | digits | what it names |
//! |---|---|---|
//! | representation | 16 | who asked what: two answers that may differ while the rows are the same differ here |
//! | state | 16 | the state of the whole store that the answer was read from |
//! | content | 32 | the one row of the answer, or all of its body |
//!
//! Two answers are the same when the representation and either of the others are. The state is known without a query;
//! the content outlives writes to other rows. A tag never comes weak from berth: `W/` is what a compressing proxy puts
//! before it, and is passed over.
//!
//! Source: RFC 9110, sections 8.8.3 and 13.

use std::fmt;

use super::{Error, Raw};

/// Most tags of one header that are looked at: a cache holds some variants of an address, not dozens.
const TAGS_MAX: usize = 32;

/// Names a row, or a body: the half of a SHA-256.
pub type Content = [u8; 16];

/// Names one state of one answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tag {
    /// Who asked what.
    pub representation: u64,
    /// The store's state.
    pub state: Option<u64>,
    /// The rows.
    pub content: Option<Content>,
}

impl Tag {
    /// True when both are of the same bytes.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let same_state = self.state.is_some() && self.state == other.state;
        let same_content = self.content.is_some() && self.content == other.content;
        self.representation == other.representation && (same_state || same_content)
    }

    /// Reads a tag; `None` for what berth never gave.
    fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix("W/").unwrap_or(text).strip_prefix('"')?.strip_suffix('"')?;
        let mut parts = text.split('-');
        let representation = number(parts.next()?)?;
        let mut tag = Self { representation, state: None, content: None };
        for part in parts {
            match part.len() {
                16 if tag.state.is_none() && tag.content.is_none() => tag.state = Some(number(part)?),
                32 if tag.content.is_none() => tag.content = Some(content(part)?),
                _ => return None,
            }
        }
        Some(tag)
    }
}

/// As the header has it.
impl fmt::Display for Tag {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "\"{:016x}", self.representation)?;
        if let Some(state) = self.state {
            write!(formatter, "-{state:016x}")?;
        }
        if let Some(content) = self.content {
            write!(formatter, "-{:032x}", u128::from_be_bytes(content))?;
        }
        formatter.write_str("\"")
    }
}

fn number(digits: &str) -> Option<u64> {
    (digits.len() == 16 && is_hex(digits)).then(|| u64::from_str_radix(digits, 16).ok())?
}

fn content(digits: &str) -> Option<Content> {
    is_hex(digits).then(|| u128::from_str_radix(digits, 16).ok().map(u128::to_be_bytes))?
}

fn is_hex(digits: &str) -> bool {
    digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// What one header asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// `*`: anything that is there.
    Any,
    /// One of these; tags of others are left out, since nothing is the same as they are.
    Tags(Vec<Tag>),
}

impl Wanted {
    /// True when `tag` is among them.
    #[must_use]
    pub fn includes(&self, tag: &Tag) -> bool {
        match self {
            Self::Any => true,
            Self::Tags(tags) => tags.iter().any(|wanted| wanted.is_same(tag)),
        }
    }

    /// True when a row is among them, whoever asked for it in whichever way.
    fn includes_row(&self, row: Option<&Content>) -> bool {
        match self {
            Self::Any => true,
            Self::Tags(tags) => row.is_some_and(|row| tags.iter().any(|wanted| wanted.content.as_ref() == Some(row))),
        }
    }
}

/// The conditions of a request. Of a header that comes twice, all lines count.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Conditions {
    /// `If-Match`: do it only if this is there.
    pub matches: Option<Wanted>,
    /// `If-None-Match`: do it only if this is not there.
    pub none_matches: Option<Wanted>,
}

impl Conditions {
    /// Reads the headers. Never fails: what is no tag of berth's is the same as nothing.
    #[must_use]
    pub fn read(raw: &Raw) -> Self {
        Self { matches: wanted(raw, "if-match"), none_matches: wanted(raw, "if-none-match") }
    }

    /// True when the answer to a request may have a name: a read's, or that of a write to one address.
    #[must_use]
    pub fn may_name(raw: &Raw) -> bool {
        matches!(raw.method.as_str(), "GET" | "HEAD" | "PATCH" | "PUT")
    }

    /// True when a write is to be done only under these conditions.
    ///
    /// # Errors
    /// [`Error::InvalidCondition`] for a write that has no row of its own to hold them against.
    pub fn are_on_write(&self, raw: &Raw) -> Result<bool, Error> {
        match raw.method.as_str() {
            "PATCH" | "PUT" | "DELETE" => Ok(self.matches.is_some() || self.none_matches.is_some()),
            "POST" if self.matches.is_some() || self.none_matches == Some(Wanted::Any) => Err(Error::InvalidCondition),
            _ => Ok(false),
        }
    }

    /// States of the store in which the sender has the answer already.
    #[must_use]
    pub fn known_states(&self, representation: u64) -> Vec<u64> {
        // An answer is refused before it is left out.
        let Some(Wanted::Tags(tags)) = self.none_matches.as_ref().filter(|_| self.matches.is_none()) else {
            return Vec::new();
        };
        tags.iter().filter(|tag| tag.representation == representation).filter_map(|tag| tag.state).collect()
    }

    /// Whether a write may be done: `rows` are there at its address, and `row` names the one when it is one.
    #[must_use]
    pub fn allow_write(&self, rows: u64, row: Option<&Content>) -> bool {
        let is_there = |wanted: &Wanted| rows > 0 && wanted.includes_row(row);
        self.matches.as_ref().is_none_or(is_there) && !self.none_matches.as_ref().is_some_and(is_there)
    }
}

fn wanted(raw: &Raw, name: &str) -> Option<Wanted> {
    let mut values = raw.headers.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str()).peekable();
    values.peek()?;
    let mut tags = Vec::new();
    // Tags of berth hold no comma, so those of others may fall apart.
    for text in values.flat_map(|value| value.split(',')).map(str::trim).take(TAGS_MAX) {
        if text == "*" {
            return Some(Wanted::Any);
        }
        tags.extend(Tag::parse(text));
    }
    Some(Wanted::Tags(tags))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: Content = [7; 16];

    fn conditions(headers: &[(&str, &str)]) -> Conditions {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Conditions::read(&Raw {
            method: "GET".into(),
            path: "/films".into(),
            query: String::new(),
            headers,
            body: bytes::Bytes::new(),
        })
    }

    #[test]
    fn a_tag_is_read_as_it_was_written() {
        for (state, content) in [(None, None), (Some(u64::MAX), None), (None, Some(ROW)), (Some(0), Some(ROW))] {
            let tag = Tag { representation: 0xab, state, content };
            assert_eq!(Tag::parse(&tag.to_string()), Some(tag));
            assert_eq!(Tag::parse(&format!("W/{tag}")), Some(tag), "a proxy compressed it");
        }
    }

    #[test]
    fn what_berth_never_gave_is_no_tag() {
        for text in [
            "",
            "\"\"",
            "\"xyzzy\"",
            "\"00000000000000ab",
            "00000000000000ab",
            "\"00000000000000AB\"",
            "\"+0000000000000ab\"",
            "\"00000000000000ab-\"",
            "\"00000000000000ab-00000000000000ab-00000000000000ab\"",
        ] {
            assert_eq!(Tag::parse(text), None, "{text}");
        }
    }

    #[test]
    fn answers_are_the_same_by_state_or_by_content_but_never_across_representations() {
        let tag = Tag { representation: 1, state: Some(2), content: Some(ROW) };
        assert!(tag.is_same(&Tag { content: None, ..tag }));
        assert!(tag.is_same(&Tag { state: Some(3), ..tag }), "the row is the same");
        assert!(!tag.is_same(&Tag { state: Some(3), content: None, ..tag }));
        assert!(!tag.is_same(&Tag { representation: 9, ..tag }));
        let bare = Tag { state: None, content: None, ..tag };
        assert!(!bare.is_same(&bare), "nothing says so");
    }

    #[test]
    fn all_lines_of_a_header_count_and_a_star_is_anything() {
        let mine = Tag { representation: 1, state: Some(2), content: None };
        let listed = format!("\"theirs, with a comma\", {mine}");
        let read = conditions(&[("if-none-match", "\"other\""), ("if-none-match", &listed)]);
        assert_eq!(read.none_matches, Some(Wanted::Tags(vec![mine])));
        assert_eq!(read.known_states(1), [2]);
        assert_eq!(read.known_states(9), [0_u64; 0], "of another representation");
        assert_eq!(conditions(&[("if-match", "*")]).matches, Some(Wanted::Any));
        assert_eq!(conditions(&[]), Conditions::default());
    }

    #[test]
    fn a_write_is_allowed_by_its_row() {
        let tag = |row| Tag { representation: 1, state: Some(2), content: row }.to_string();
        let mine = conditions(&[("if-match", &tag(Some(ROW)))]);
        assert!(mine.allow_write(1, Some(&ROW)));
        assert!(!mine.allow_write(1, Some(&[8; 16])) && !mine.allow_write(0, None) && !mine.allow_write(2, None));
        assert!(!conditions(&[("if-match", &tag(None))]).allow_write(1, Some(&ROW)), "it names no row");
        assert!(!conditions(&[("if-match", "\"theirs\"")]).allow_write(1, Some(&ROW)));
        let any = conditions(&[("if-match", "*")]);
        assert!(any.allow_write(2, None) && !any.allow_write(0, None));
        let absent = conditions(&[("if-none-match", "*")]);
        assert!(absent.allow_write(0, None) && !absent.allow_write(1, Some(&ROW)));
        assert!(conditions(&[]).allow_write(0, None));
    }
}
