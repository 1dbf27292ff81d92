//! SQLite's words → Postgres', where they mean the same: names, literals, operators and a few functions.
//!
//! Works on words, not on a tree: what is not known is refused with its reason, and what Postgres does not take it
//! refuses itself. Bare names are quoted in the spelling in which they were declared, since Postgres tells them apart.
//!
//! Source: <https://www.sqlite.org/lang_expr.html>.

use sqlparser::tokenizer::{Token, Word};

use super::definition::{is_bare, tokens};
use super::name::Names;
use crate::catalog::{TypeKind, TypeName};
use crate::transfer::target::literal;

/// Words of the grammar that both engines read alike.
pub(super) const GRAMMAR: &[&str] = &[
    "all",
    "and",
    "as",
    "asc",
    "between",
    "by",
    "case",
    "cross",
    "current",
    "desc",
    "distinct",
    "else",
    "end",
    "escape",
    "except",
    "exists",
    "false",
    "filter",
    "first",
    "following",
    "from",
    "full",
    "group",
    "having",
    "in",
    "inner",
    "intersect",
    "is",
    "isnull",
    "join",
    "last",
    "left",
    "limit",
    "materialized",
    "natural",
    "not",
    "notnull",
    "null",
    "nulls",
    "offset",
    "on",
    "or",
    "order",
    "outer",
    "over",
    "partition",
    "preceding",
    "range",
    "recursive",
    "right",
    "row",
    "rows",
    "select",
    "then",
    "true",
    "unbounded",
    "union",
    "using",
    "values",
    "when",
    "where",
    "window",
    "with",
];

/// Functions with one meaning, by both names.
const FUNCTIONS: &[(&str, &str)] = &[
    ("abs", "abs"),
    ("avg", "avg"),
    ("cast", "cast"),
    ("ceil", "ceil"),
    ("char", "chr"),
    ("coalesce", "coalesce"),
    ("count", "count"),
    ("dense_rank", "dense_rank"),
    ("exp", "exp"),
    ("first_value", "first_value"),
    ("floor", "floor"),
    ("ifnull", "coalesce"),
    ("instr", "strpos"),
    ("lag", "lag"),
    ("last_value", "last_value"),
    ("lead", "lead"),
    ("length", "length"),
    ("ln", "ln"),
    ("lower", "lower"),
    ("ltrim", "ltrim"),
    ("ntile", "ntile"),
    ("nullif", "nullif"),
    ("pow", "power"),
    ("power", "power"),
    ("rank", "rank"),
    ("replace", "replace"),
    ("round", "round"),
    ("row_number", "row_number"),
    ("rtrim", "rtrim"),
    ("sqrt", "sqrt"),
    ("substr", "substr"),
    ("substring", "substr"),
    ("sum", "sum"),
    ("trim", "btrim"),
    ("unicode", "ascii"),
    ("upper", "upper"),
];

/// Types of `CAST`.
const CASTS: &[(&str, &str)] = &[
    ("integer", "bigint"),
    ("int", "bigint"),
    ("bigint", "bigint"),
    ("real", "double precision"),
    ("text", "text"),
    ("numeric", "numeric"),
    ("blob", "bytea"),
];

/// Translates an expression, a list of them, or a query.
pub(super) fn translate(tokens: &[Token], names: &Names) -> Result<String, String> {
    Translation { tokens, names: names.clone(), written: Vec::new(), open: Vec::new() }.run()
}

/// Translates a default for a column of the type.
pub(super) fn default(text: &str, type_name: &TypeName, names: &Names) -> Result<String, String> {
    let mut tokens = tokens(text);
    while let [Token::LParen, inner @ .., Token::RParen] = tokens.as_slice() {
        tokens = inner.to_vec();
    }
    let moment = match tokens.as_slice() {
        [Token::Word(word)] if word.quote_style == Some('"') => return Ok(literal(&word.value)),
        [Token::Number(number, _)] if type_name.kind == TypeKind::Boolean => {
            return match number.as_str() {
                "0" => Ok("false".to_owned()),
                "1" => Ok("true".to_owned()),
                other => Err(format!("{other} is no boolean")),
            };
        }
        [Token::Word(word)] => word.value.to_lowercase(),
        [Token::Word(word), Token::LParen, Token::SingleQuotedString(now), Token::RParen]
            if now.eq_ignore_ascii_case("now") =>
        {
            match word.value.to_lowercase().as_str() {
                "datetime" => "current_timestamp".to_owned(),
                "date" => "current_date".to_owned(),
                "time" => "current_time".to_owned(),
                _ => String::new(),
            }
        }
        _ => String::new(),
    };
    match moment.as_str() {
        "current_timestamp" => now(type_name, "YYYY-MM-DD HH24:MI:SS", "second"),
        "current_date" => now(type_name, "YYYY-MM-DD", "day"),
        "current_time" => now(type_name, "HH24:MI:SS", "second"),
        _ => translate(&tokens, names),
    }
}

/// The moment as SQLite gives it: UTC, without fractions.
fn now(type_name: &TypeName, format: &str, unit: &str) -> Result<String, String> {
    Ok(match &type_name.kind {
        TypeKind::TimestampTz => format!("date_trunc('{unit}', now())"),
        TypeKind::Timestamp => format!("date_trunc('{unit}', now() AT TIME ZONE 'utc')"),
        TypeKind::Date => "(now() AT TIME ZONE 'utc')::date".to_owned(),
        TypeKind::Text { .. } => format!("to_char(now() AT TIME ZONE 'utc', '{format}')"),
        TypeKind::Time => "date_trunc('second', now() AT TIME ZONE 'utc')::time".to_owned(),
        _ => return Err(format!("{} holds no moment", type_name.postgres_name())),
    })
}

struct Translation<'a> {
    tokens: &'a [Token],
    names: Names,
    written: Vec<String>,
    /// For each open parenthesis, whether it is that of `CAST`.
    open: Vec<bool>,
}

impl Translation<'_> {
    fn run(mut self) -> Result<String, String> {
        let mut at = 0;
        while let Some(token) = self.tokens.get(at) {
            at += self.take(at, token)?;
        }
        Ok(self.written.join(" "))
    }

    /// Writes a token, and says how many were taken.
    fn take(&mut self, at: usize, token: &Token) -> Result<usize, String> {
        let written = match token {
            Token::Word(word) => return self.take_word(at, word),
            Token::SingleQuotedString(text) => literal(text),
            Token::HexStringLiteral(digits) => format!("'\\x{}'::bytea", digits.to_lowercase()),
            Token::Number(number, _) if number.to_lowercase().starts_with("0x") => {
                return Err(format!("{number} is a hexadecimal number"));
            }
            Token::DoubleEq => "=".to_owned(),
            Token::LParen => {
                let of_cast = at.checked_sub(1).and_then(|before| self.tokens.get(before));
                self.open.push(of_cast.is_some_and(|token| is_bare(token, "CAST")));
                "(".to_owned()
            }
            Token::RParen => {
                self.open.pop();
                ")".to_owned()
            }
            Token::Number(..)
            | Token::Comma
            | Token::Period
            | Token::Eq
            | Token::Neq
            | Token::Lt
            | Token::Gt
            | Token::LtEq
            | Token::GtEq
            | Token::Plus
            | Token::Minus
            | Token::Mul
            | Token::Div
            | Token::Mod
            | Token::StringConcat => token.to_string(),
            other => return Err(format!("{other} means something else on Postgres")),
        };
        self.written.push(written);
        Ok(1)
    }

    fn take_word(&mut self, at: usize, word: &Word) -> Result<usize, String> {
        let before = |places: usize| at.checked_sub(places).and_then(|before| self.tokens.get(before));
        if let (Some(Token::Word(qualifier)), Some(Token::Period)) = (before(2), before(1)) {
            self.written.push(self.names.quoted_of(&qualifier.value, &word.value));
            return Ok(1);
        }
        if word.quote_style.is_some() {
            self.written.push(self.names.quoted(&word.value));
            return Ok(1);
        }
        let lower = word.value.to_lowercase();
        let next = self.tokens.get(at + 1);
        match lower.as_str() {
            "as" if self.open.last() == Some(&true) => return self.take_type(at),
            "as" => {
                if let Some(Token::Word(alias)) = next
                    && !matches!(
                        alias.value.to_lowercase().as_str(),
                        "materialized" | "not" | "select" | "with" | "values"
                    )
                {
                    self.names.add(&alias.value);
                    self.written.push(format!("AS {}", self.names.quoted(&alias.value)));
                    return Ok(2);
                }
            }
            "like" => {
                // SQLite's knows no case, of ASCII at least.
                self.written.push("ILIKE".to_owned());
                return Ok(1);
            }
            "is" => return Ok(self.take_is(at)),
            _ => {}
        }
        let is_column = self.names.knows(&lower) && next != Some(&Token::LParen);
        if GRAMMAR.contains(&lower.as_str()) && !is_column {
            self.written.push(lower.to_uppercase());
            return Ok(1);
        }
        if next == Some(&Token::LParen) {
            return self.take_function(&lower);
        }
        if matches!(lower.as_str(), "glob" | "match" | "regexp" | "collate" | "indexed" | "rowid" | "oid" | "_rowid_")
            && !self.names.knows(&lower)
            || lower.starts_with("current_")
        {
            return Err(format!("{} means something else on Postgres", word.value));
        }
        self.names.add(&word.value);
        self.written.push(self.names.quoted(&word.value));
        Ok(1)
    }

    /// `AS integer` of a cast.
    fn take_type(&mut self, at: usize) -> Result<usize, String> {
        let named = match (self.tokens.get(at + 1), self.tokens.get(at + 2)) {
            (Some(Token::Word(word)), Some(Token::RParen)) => word.value.to_lowercase(),
            _ => return Err("a cast to that type is not known".to_owned()),
        };
        let known = CASTS.iter().find(|(theirs, _)| *theirs == named);
        let (_, own) = known.ok_or_else(|| format!("a cast to {named} is not known"))?;
        self.written.push(format!("AS {own}"));
        Ok(2)
    }

    /// `IS` compares anything on SQLite.
    fn take_is(&mut self, at: usize) -> usize {
        let word = |ahead: usize| match self.tokens.get(at + ahead) {
            Some(Token::Word(word)) if word.quote_style.is_none() => word.value.to_lowercase(),
            _ => String::new(),
        };
        let is_truth = |word: &str| matches!(word, "null" | "true" | "false" | "distinct");
        let (written, taken) = match (word(1).as_str(), word(2).as_str()) {
            ("not", second) if is_truth(second) => ("IS NOT", 2),
            ("not", _) => ("IS DISTINCT FROM", 2),
            (first, _) if is_truth(first) => ("IS", 1),
            _ => ("IS NOT DISTINCT FROM", 1),
        };
        self.written.push(written.to_owned());
        taken
    }

    fn take_function(&mut self, name: &str) -> Result<usize, String> {
        match FUNCTIONS.iter().find(|(theirs, _)| *theirs == name) {
            Some((_, own)) => self.written.push((*own).to_owned()),
            // With two arguments they are others.
            None if matches!(name, "min" | "max") => self.written.push(name.to_owned()),
            None => return Err(format!("the function {name}() is SQLite's own")),
        }
        Ok(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::type_name::Origin;

    fn names() -> Names {
        Names::for_test(&["Album", "AlbumId", "Title", "price"], ("b", &["ID"]))
    }

    fn translated(text: &str) -> Result<String, String> {
        translate(&tokens(text), &names())
    }

    #[test]
    fn what_means_the_same_is_written_as_postgres_has_it() {
        for (sqlite, postgres) in [
            ("albumid > 3 AND [Title] <> 'it''s'", r#""AlbumId" > 3 AND "Title" <> 'it''s'"#),
            ("length(title) == 4", r#"length ( "Title" ) = 4"#),
            ("title LIKE 'a%'", r#""Title" ILIKE 'a%'"#),
            ("price IS NOT NULL OR price IS 3", r#""price" IS NOT NULL OR "price" IS NOT DISTINCT FROM 3"#),
            ("price IS NOT 3", r#""price" IS DISTINCT FROM 3"#),
            ("ifnull(price, 0) + CAST(title AS INTEGER)", r#"coalesce ( "price" , 0 ) + cast ( "Title" AS bigint )"#),
            ("b.id = a.id", r#""b" . "ID" = "a" . "id""#),
            ("title = x'00FF'", r#""Title" = '\x00ff'::bytea"#),
            (
                "AS SELECT a.Title, count(*) AS Number FROM album a GROUP BY a.title ORDER BY number DESC",
                r#"AS SELECT "a" . "Title" , count ( * ) AS "Number" FROM "Album" "a" GROUP BY "a" . "Title" ORDER BY "Number" DESC"#,
            ),
        ] {
            assert_eq!(translated(sqlite).as_deref(), Ok(postgres), "{sqlite}");
        }
    }

    #[test]
    fn what_means_something_else_is_refused() {
        for sqlite in [
            "strftime('%Y', title) = '2024'",
            "title GLOB 'a*'",
            "title COLLATE NOCASE = 'a'",
            "rowid > 3",
            "title -> '$.a'",
            "price & 3",
            "CAST(price AS DATETIME) > 0",
            "title > current_timestamp",
        ] {
            assert!(translated(sqlite).is_err(), "{sqlite}: {:?}", translated(sqlite));
        }
    }

    #[test]
    fn defaults_are_those_of_the_columns_type() {
        let default = |text: &str, declared: &str| {
            super::default(text, &TypeName::parse(declared, Origin::Postgres), &names()).unwrap_or_else(|why| why)
        };
        assert_eq!(default("1", "boolean"), "true");
        assert_eq!(default("'x'", "text"), "'x'");
        assert_eq!(default("\"x\"", "text"), "'x'");
        assert_eq!(default("-1.5", "numeric"), "- 1.5");
        assert_eq!(default("CURRENT_TIMESTAMP", "text"), "to_char(now() AT TIME ZONE 'utc', 'YYYY-MM-DD HH24:MI:SS')");
        assert_eq!(default("(datetime('now'))", "timestamp"), "date_trunc('second', now() AT TIME ZONE 'utc')");
        assert_eq!(default("(date('now'))", "date"), "(now() AT TIME ZONE 'utc')::date");
        assert_eq!(default("CURRENT_TIMESTAMP", "bigint"), "bigint holds no moment");
        assert_eq!(default("(random())", "bigint"), "the function random() is SQLite's own");
    }
}
