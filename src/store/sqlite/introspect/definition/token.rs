//! Words, quoted names, literals and symbols of SQL.

/// A token; words, names and symbols know the byte at which they stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// Letters, digits, `_`, `$`: a keyword, a bare name or a number.
    Word(String, usize),
    /// A name in `"…"`, `` `…` `` or `[…]`, without its quotes.
    Name(String, usize),
    /// A string.
    Literal,
    /// Anything else, one character.
    Symbol(char, usize),
}

impl Token {
    /// Whether it is this keyword.
    pub(super) fn is_word(&self, keyword: &str) -> bool {
        matches!(self, Self::Word(word, _) if word.eq_ignore_ascii_case(keyword))
    }

    /// Whether it is this character.
    pub(super) fn is_symbol(&self, character: char) -> bool {
        matches!(self, Self::Symbol(symbol, _) if *symbol == character)
    }

    /// The name it may be.
    pub(super) fn text(&self) -> Option<String> {
        match self {
            Self::Word(text, _) | Self::Name(text, _) => Some(text.clone()),
            Self::Literal | Self::Symbol(..) => None,
        }
    }
}

/// Splits a text; comments and white space are left out.
pub(super) fn tokens(sql: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let start = sql.len() - rest.len();
        let length = match first {
            '-' if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + "*/".len()),
            '\'' => {
                found.push(Token::Literal);
                quoted(rest, '\'').1
            }
            '"' | '`' | '[' => {
                let (name, length) = quoted(rest, if first == '[' { ']' } else { first });
                found.push(Token::Name(name, start));
                length
            }
            _ if is_word(first) => {
                let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
                found.push(Token::Word(rest.get(..length).unwrap_or_default().to_owned(), start));
                length
            }
            _ => {
                if !first.is_whitespace() {
                    found.push(Token::Symbol(first, start));
                }
                first.len_utf8()
            }
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    found
}

/// The place of the parenthesis that closes the one at `open`; the end of the tokens when there is none.
pub(super) fn matching_parenthesis(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0_usize;
    for (place, token) in tokens.iter().enumerate().skip(open) {
        if token.is_symbol('(') {
            depth += 1;
        } else if token.is_symbol(')') {
            depth = depth.saturating_sub(1);
            if depth == 0 {
                return place;
            }
        }
    }
    tokens.len()
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '$')
}

/// What stands between the first character and the next `end`, a doubled one being part of it (not in brackets); and
/// the bytes up to and with the end.
fn quoted(text: &str, end: char) -> (String, usize) {
    let mut content = String::new();
    let mut characters = text.char_indices().skip(1).peekable();
    while let Some((place, character)) = characters.next() {
        if character != end {
            content.push(character);
        } else if end != ']' && characters.peek().is_some_and(|(_, next)| *next == end) {
            content.push(end);
            characters.next();
        } else {
            return (content, place + end.len_utf8());
        }
    }
    (content, text.len())
}
