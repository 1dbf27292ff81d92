//! Tags, entities and schemes, which are passed over.

use super::{Passed, Scan};

impl Scan<'_> {
    /// Goes over the tag or comment that begins here; false when there is none.
    pub(super) fn pass_tag(&mut self) -> bool {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let end = match rest.as_bytes().get(1) {
            Some(b'!') if rest.starts_with("<!--") => self.comment_end(),
            Some(b'!') if rest.get(2..9).is_some_and(|word| word.eq_ignore_ascii_case("doctype")) => self.tag_end(9),
            Some(b'?') if rest.get(2..5).is_some_and(|word| word.eq_ignore_ascii_case("xml")) => self.tag_end(5),
            Some(b'/') => self.named_end(2),
            Some(_) => self.named_end(1),
            None => None,
        };
        let Some(end) = end else { return false };
        let tag = rest.get(..end - self.at).unwrap_or_default();
        let begins = |word: &str| tag.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
        if begins("<script") || begins("<style") {
            self.is_hidden = !tag.ends_with("/>");
        } else if begins("</script") || begins("</style") {
            self.is_hidden = false;
        }
        self.pass(end, Passed::Tag);
        true
    }

    fn comment_end(&mut self) -> Option<usize> {
        if self.comments_open {
            return None;
        }
        let start = self.at + 4;
        let end = self.text.get(start..).and_then(|rest| rest.find("-->"));
        self.comments_open = end.is_none();
        end.map(|end| start + end + 3)
    }

    /// The end of a tag whose name begins so many bytes from here.
    fn named_end(&self, from: usize) -> Option<usize> {
        let start = self.at + from;
        self.is_at(start, |character| character.is_ascii_alphabetic() || matches!(character, '_' | ':'))
            .then(|| self.end_of(start, |character| character.is_ascii_alphanumeric() || "_:.-".contains(character)))
            .filter(|end| self.is_at(*end, |next| next.is_ascii_whitespace() || matches!(next, '/' | '>')))
            .and_then(|end| self.tag_end(end - self.at))
    }

    /// The end of what stands in a tag, so many bytes from here.
    fn tag_end(&self, from: usize) -> Option<usize> {
        let mut at = self.at + from;
        loop {
            let next = self.peek(at)?;
            at += next.len_utf8();
            match next {
                '>' => return Some(at),
                '"' | '\'' => at += self.text.get(at..)?.find(next)? + 1,
                _ if next.is_ascii_alphanumeric() || next.is_ascii_whitespace() => {}
                '=' | '-' | '_' | '#' | '/' | ':' | '.' | '&' | '?' | '%' | '~' => {}
                _ => return None,
            }
        }
    }

    /// Goes over the entity that begins here; false when there is none.
    pub(super) fn pass_entity(&mut self) -> bool {
        let rest = self.text.get(self.at + 1..).unwrap_or_default();
        let is_name = |character: char| character.is_ascii_alphanumeric() || "_:.-".contains(character);
        let length = match rest.as_bytes() {
            [b'#', b'x' | b'X', ..] => inner(rest, 2, |of| of.is_ascii_hexdigit()),
            [b'#', ..] => inner(rest, 1, |of| of.is_ascii_digit()),
            [first, ..] if first.is_ascii_alphabetic() || matches!(first, b'_' | b':') => inner(rest, 0, is_name),
            _ => None,
        };
        let Some(length) = length else { return false };
        self.pass(self.at + 1 + length, Passed::Sign);
        true
    }

    /// Goes over the scheme of an address that begins here; false when there is none.
    pub(super) fn pass_scheme(&mut self) -> bool {
        let end = self.end_of(self.at, |character| character.is_ascii_alphabetic());
        let is_scheme = end > self.at && self.text.get(end..).is_some_and(|rest| rest.starts_with("://"));
        if is_scheme {
            self.pass(end + 3, Passed::Sign);
        }
        is_scheme
    }
}

/// The length up to a semicolon behind at least one character that passes.
fn inner(rest: &str, from: usize, test: impl Fn(char) -> bool) -> Option<usize> {
    let inside = rest.get(from..)?;
    let end = inside.find(|character| !test(character))?;
    (end > 0 && inside.get(end..)?.starts_with(';')).then_some(from + end + 1)
}
