//! Hosts, emails, addresses and files.

use super::{REACH, Scan};

/// What was found from a place on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// A host or an email, and its end.
    Host(usize),
    /// An address: the end of its host, and its own.
    Url { host: usize, end: usize },
}

/// Whether what is found may be more than a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Anything,
    Host,
}

/// Where in a name the search stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// In a label that may not be the last.
    Label,
    /// Behind `-` or `_`.
    Joint,
    /// Behind a dot.
    Dot,
    /// Behind the first letter of a label that may become the last.
    Letter,
    /// In a label that may be the last.
    Domain,
}

/// A host, an email or an address that begins at `at`.
pub(super) fn host(scan: &Scan<'_>, at: usize) -> Option<Found> {
    find(scan, at, Wanted::Anything)
}

fn find(scan: &Scan<'_>, start: usize, wanted: Wanted) -> Option<Found> {
    let (mut at, mut state, mut found) = (start, State::Label, None);
    while let Some(character) = scan.peek(at).filter(|_| at - start < REACH) {
        if state == State::Domain && !character.is_ascii_alphanumeric() {
            found = Some(ended(scan, at, wanted));
        }
        let is_settled = state != State::Joint && state != State::Dot;
        state = match character {
            'a'..='z' | 'A'..='Z' => match state {
                State::Label | State::Joint => State::Label,
                State::Dot => State::Letter,
                State::Letter | State::Domain => State::Domain,
            },
            '0'..='9' => State::Label,
            '-' | '_' if is_settled => State::Joint,
            '.' if is_settled => State::Dot,
            '@' if is_settled && wanted == Wanted::Anything => {
                let email = scan.is_at(at + 1, |next| next.is_ascii_alphanumeric());
                let email = email.then(|| find(scan, at + 1, Wanted::Host)).flatten();
                return email.or(found);
            }
            _ => return found,
        };
        at += 1;
    }
    match state {
        State::Domain => Some(Found::Host(at)),
        State::Label | State::Joint | State::Dot | State::Letter => found,
    }
}

/// What a host that ends at `end` is a part of, with the port that may follow.
fn ended(scan: &Scan<'_>, end: usize, wanted: Wanted) -> Found {
    let mut host = end;
    if scan.is_at(end, |character| character == ':') {
        let port = scan.end_of(end + 1, |character| character.is_ascii_digit());
        if port > end + 1 {
            host = port;
        }
    }
    if wanted == Wanted::Anything && scan.is_at(host, |character| character == '/') {
        let path = scan.end_of(host + 1, is_in_path);
        if path > host + 1 {
            return Found::Url { host, end: path };
        }
    }
    Found::Host(host)
}

/// Characters of a path, as RFC 3986 has them.
fn is_in_path(character: char) -> bool {
    character.is_ascii_graphic() && !matches!(character, '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}')
}

/// The end of a file's name that goes on at `at` with `/` or `.`; what stands before belongs to it.
pub(super) fn file_behind(scan: &Scan<'_>, at: usize) -> Option<usize> {
    let first = match scan.peek(at)? {
        '/' => folder(scan, at + 1)?,
        '.' => Some(at + 1).filter(|at| scan.is_at(*at, is_in_name))?,
        _ => return None,
    };
    names(scan, at, first)
}

/// The end of a file's name that begins at `at` with `.` or `~`.
pub(super) fn file_at(scan: &Scan<'_>, at: usize) -> Option<usize> {
    match scan.peek(at)? {
        '~' => {
            let has_folder = scan.is_at(at + 1, |next| next == '/');
            let first =
                if has_folder { folder(scan, at + 2) } else { Some(at + 1).filter(|at| scan.is_at(*at, is_in_name)) };
            names(scan, at, first?)
        }
        '.' if scan.is_at(at + 1, |next| next == '/') => names(scan, at, folder(scan, at + 2)?),
        '.' if scan.is_at(at + 1, |next| next == '.') => parent(scan, at, at + 2),
        _ => None,
    }
}

/// What follows `..`.
fn parent(scan: &Scan<'_>, start: usize, at: usize) -> Option<usize> {
    match scan.peek(at) {
        None => Some(at),
        Some('/') => folder(scan, at + 1).and_then(|first| names(scan, start, first)).or(Some(at)),
        Some(next) if next.is_whitespace() => Some(at),
        Some(_) => None,
    }
}

/// Where a name begins behind a `/`; points lead to this folder and the one above.
fn folder(scan: &Scan<'_>, at: usize) -> Option<usize> {
    let mut at = at;
    let end = at + REACH;
    while at < end {
        let rest = scan.text.get(at..)?;
        at += match rest {
            _ if rest.starts_with("../") => 3,
            _ if rest.starts_with("./") => 2,
            _ if rest.starts_with(['.', '~']) => 1,
            _ => return scan.is_at(at, is_in_name).then_some(at),
        };
    }
    None
}

/// The end of names with `/` and `.` between, the first of which begins at `at`.
fn names(scan: &Scan<'_>, start: usize, at: usize) -> Option<usize> {
    let mut end = at;
    let mut at = scan.end_of(at, |character| is_in_name(character) || character == '-');
    while at > end && at - start < REACH {
        end = at;
        let next = match scan.peek(at) {
            Some('.') => Some(at + 1).filter(|at| scan.is_at(*at, is_in_name)),
            Some('/') => folder(scan, at + 1),
            _ => None,
        };
        let Some(next) = next else { break };
        at = scan.end_of(next, |character| is_in_name(character) || character == '-');
    }
    Some(end).filter(|end| *end > start)
}

fn is_in_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}
