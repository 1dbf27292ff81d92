//! How deep the tree of a statement will be, told from its tokens.
//!
//! The parser bounds what it descends into, brackets above all. It builds a chain of operators in a loop, though, each
//! around those before it: `1 + 1 + 1 + …` is a tree as deep as it is long, and letting go of one takes stack too. So
//! chains are counted before there is a tree.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::{Refusal, refuse};

/// Most operators around each other. Translating stops long before, and so does SQLite.
const CHAIN_MAX: usize = 2_000;

/// Refuses a statement whose tree would be too deep to be held.
///
/// # Errors
/// When it is.
pub(super) fn check(tokens: &[TokenWithSpan]) -> Result<(), Refusal> {
    let mut chain = Chain::default();
    for token in tokens {
        chain.take(&token.token);
        if chain.length > CHAIN_MAX {
            return refuse(format!("an expression nests deeper than {CHAIN_MAX}"));
        }
    }
    Ok(())
}

/// What a chain stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bracket {
    Round,
    Case,
}

/// Operators around each other, at one place of the statement.
#[derive(Debug, Default)]
struct Chain {
    /// Those around the next operand.
    length: usize,
    /// Those around all of the level.
    base: usize,
    /// The longest chain of the level.
    longest: usize,
    /// The levels outside, each with its `base` and `longest`.
    outside: Vec<(Bracket, usize, usize)>,
}

impl Chain {
    fn take(&mut self, token: &Token) {
        match token {
            Token::LParen | Token::LBracket => self.open(Bracket::Round),
            Token::RParen | Token::RBracket => self.close(),
            Token::Comma => self.length = self.base,
            Token::Word(word) => self.take_keyword(word.keyword),
            Token::Whitespace(_) | Token::EOF | Token::SemiColon | Token::Period | Token::Number(..) => {}
            token if is_literal(token) => {}
            _ => self.grow(),
        }
    }

    fn take_keyword(&mut self, keyword: Keyword) {
        match keyword {
            Keyword::CASE => self.open(Bracket::Case),
            Keyword::END => self.close(),
            Keyword::WHEN | Keyword::THEN | Keyword::ELSE => {
                if matches!(self.outside.last(), Some((Bracket::Case, ..))) {
                    self.length = self.base;
                }
            }
            // A list in one of its selects does not end it.
            Keyword::UNION | Keyword::EXCEPT | Keyword::INTERSECT => {
                self.base += 1;
                self.length = self.base;
                self.longest = self.longest.max(self.length);
            }
            Keyword::AND
            | Keyword::OR
            | Keyword::NOT
            | Keyword::IS
            | Keyword::IN
            | Keyword::LIKE
            | Keyword::ILIKE
            | Keyword::SIMILAR
            | Keyword::BETWEEN
            | Keyword::COLLATE
            | Keyword::OPERATOR
            | Keyword::AT => self.grow(),
            _ => {}
        }
    }

    fn grow(&mut self) {
        self.length += 1;
        self.longest = self.longest.max(self.length);
    }

    fn open(&mut self, bracket: Bracket) {
        self.outside.push((bracket, self.base, self.longest));
        (self.base, self.longest) = (self.length, self.length);
    }

    /// What stands in brackets may be the innermost part of what follows.
    fn close(&mut self) {
        self.length = self.longest;
        let (_, base, longest) = self.outside.pop().unwrap_or((Bracket::Round, self.base, self.longest));
        (self.base, self.longest) = (base, longest.max(self.length));
    }
}

fn is_literal(token: &Token) -> bool {
    matches!(
        token,
        Token::SingleQuotedString(_)
            | Token::DollarQuotedString(_)
            | Token::EscapedStringLiteral(_)
            | Token::NationalStringLiteral(_)
            | Token::UnicodeStringLiteral(_)
            | Token::HexStringLiteral(_)
            | Token::Placeholder(_)
    )
}

#[cfg(test)]
mod tests {
    use crate::migrate::translate::parse;

    const LONG: usize = 60_000;

    fn is_too_deep(sql: &str) -> bool {
        parse::statement(sql).is_err_and(|refusal| refusal.0.contains("nests deeper than 2000"))
    }

    #[test]
    fn a_chain_is_refused_before_it_fills_the_stack() {
        for (first, more) in [
            ("1", " + 1"),
            ("a", "::int"),
            ("a = 1", " AND a = 1"),
            ("'x'", " || 'x'"),
            ("a", " COLLATE \"C\""),
            ("a", " IS NULL"),
            ("f(1, 2)", " + f(1, 2)"),
            ("CASE WHEN a THEN 1 ELSE 2 END", " + CASE WHEN a THEN 1 ELSE 2 END"),
            ("ARRAY[1, 2]", " || ARRAY[1, 2]"),
        ] {
            assert!(is_too_deep(&format!("SELECT {first}{}", more.repeat(LONG))), "{more}");
        }
        assert!(is_too_deep(&format!("SELECT 1, 2{}", " UNION ALL SELECT 1, 2".repeat(LONG))));
        let inner = format!("SELECT {}1{}", "(".repeat(40), " + 1)".repeat(40));
        assert!(parse::statement(&inner).is_ok());
        let nested = format!("SELECT {}1{}", "(".repeat(40), format!("{})", " + 1".repeat(100)).repeat(40));
        assert!(is_too_deep(&nested));
    }

    #[test]
    fn what_is_only_long_is_no_chain() {
        let rows = "(1 + 1, 'a' || 'b', -3), ".repeat(20_000);
        assert!(parse::statement(&format!("INSERT INTO t VALUES {rows}(1, 'c', 2)")).is_ok());
        let branches = "WHEN a = 1 AND b = 2 THEN a + 1 ".repeat(3_000);
        assert!(parse::statement(&format!("SELECT CASE {branches} ELSE 0 END")).is_ok());
        let columns = "a integer CHECK (a > 0 AND a < 9) DEFAULT 1 + 1, ".repeat(1_500);
        assert!(parse::statement(&format!("CREATE TABLE t ({columns} z integer)")).is_ok());
    }
}
