//! Cuts a script into statements, by psql's rules for quotes, comments and its own lines.
//!
//! Source: <https://www.postgresql.org/docs/current/sql-syntax-lexical.html>,
//! <https://www.postgresql.org/docs/current/app-psql.html>.

use super::Statement;

/// What stops the cutting.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// Where, counted from one.
    pub(super) line: usize,
    /// What is wrong.
    pub(super) reason: String,
}

/// Cuts `text` at the semicolons that end statements.
pub(super) fn split(text: &str) -> Result<Vec<Statement>, Fault> {
    let mut cutter = Cutter { text, at: 0, line: 1 };
    let mut statements = Vec::new();
    loop {
        cutter.skip_blank()?;
        if cutter.rest().is_empty() {
            return Ok(statements);
        }
        if cutter.rest().starts_with('\\') {
            cutter.skip_psql_line()?;
            continue;
        }
        let line = cutter.line;
        let statement = cutter.take_statement()?;
        if statement.is_empty() {
            continue;
        }
        let copy = if reads_stdin(statement) { Some(cutter.take_copy_rows()) } else { None };
        statements.push(Statement { line, text: statement.to_owned(), copy });
    }
}

/// True for `COPY … FROM stdin`, whose rows follow it in the file.
fn reads_stdin(statement: &str) -> bool {
    let mut words = statement.split_whitespace().map(str::to_ascii_lowercase);
    words.next().as_deref() == Some("copy")
        && words.any(|word| word == "from")
        && statement.to_ascii_lowercase().contains("stdin")
}

/// A place in the text, and the line it is on.
struct Cutter<'a> {
    text: &'a str,
    at: usize,
    line: usize,
}

impl<'a> Cutter<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// The character before the current place.
    fn previous(&self) -> Option<char> {
        self.text.get(..self.at).unwrap_or_default().chars().next_back()
    }

    fn advance(&mut self, bytes: usize) {
        let passed = self.rest().get(..bytes).unwrap_or(self.rest());
        self.line += passed.bytes().filter(|byte| *byte == b'\n').count();
        self.at += passed.len();
    }

    fn fault(line: usize, reason: impl Into<String>) -> Fault {
        Fault { line, reason: reason.into() }
    }

    /// Passes white space and comments between statements.
    fn skip_blank(&mut self) -> Result<(), Fault> {
        loop {
            let rest = self.rest();
            self.advance(rest.len() - rest.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}').len());
            if !self.skip_comment()? {
                return Ok(());
            }
        }
    }

    /// Passes one comment if one begins here.
    fn skip_comment(&mut self) -> Result<bool, Fault> {
        let rest = self.rest();
        if rest.starts_with("--") {
            self.advance(rest.find('\n').unwrap_or(rest.len()));
            return Ok(true);
        }
        if !rest.starts_with("/*") {
            return Ok(false);
        }
        let (begun, mut depth) = (self.line, 0_usize);
        loop {
            let rest = self.rest();
            if rest.starts_with("/*") {
                depth += 1;
                self.advance(2);
            } else if rest.starts_with("*/") {
                depth -= 1;
                self.advance(2);
                if depth == 0 {
                    return Ok(true);
                }
            } else if let Some(character) = rest.chars().next() {
                self.advance(character.len_utf8());
            } else {
                return Err(Self::fault(begun, "a comment is not closed, expected \"*/\""));
            }
        }
    }

    /// Passes a line that is for psql. `pg_dump` prints `\restrict` and `\unrestrict`, which guard psql alone.
    fn skip_psql_line(&mut self) -> Result<(), Fault> {
        let rest = self.rest();
        let line = rest.lines().next().unwrap_or_default();
        let command = line.split_whitespace().next().unwrap_or_default();
        if !matches!(command, "\\restrict" | "\\unrestrict") {
            return Err(Self::fault(self.line, format!("\"{command}\" is a command of psql, expected SQL")));
        }
        self.advance(line.len());
        Ok(())
    }

    /// From here to the semicolon that ends the statement, or to the end of the text; passes the semicolon.
    fn take_statement(&mut self) -> Result<&'a str, Fault> {
        let from = self.at;
        let (mut parentheses, mut body) = (0_usize, Body::default());
        while let Some(character) = self.peek() {
            match character {
                ';' if parentheses == 0 && body.depth == 0 => {
                    let statement = self.text.get(from..self.at).unwrap_or_default();
                    self.advance(1);
                    return Ok(statement.trim_end());
                }
                '-' | '/' if self.skip_comment()? => {}
                '\'' | '"' => self.skip_quoted(character)?,
                '$' if !self.previous().is_some_and(is_word) => self.skip_dollar_quoted()?,
                '(' => {
                    parentheses += 1;
                    self.advance(1);
                }
                ')' => {
                    parentheses = parentheses.saturating_sub(1);
                    self.advance(1);
                }
                _ if is_word(character) => {
                    let rest = self.rest();
                    let word = rest.get(..rest.find(|c: char| !is_word(c)).unwrap_or(rest.len())).unwrap_or_default();
                    body.read(word);
                    self.advance(word.len());
                }
                _ => self.advance(character.len_utf8()),
            }
        }
        Ok(self.text.get(from..).unwrap_or_default().trim_end())
    }

    /// Passes `'…'`, `E'…'` or `"…"`; a doubled quote belongs to the text.
    fn skip_quoted(&mut self, quote: char) -> Result<(), Fault> {
        let begun = self.line;
        let escapes = quote == '\'' && {
            let before = self.text.get(..self.at).unwrap_or_default();
            let prefix = before.chars().next_back();
            let stands_alone = !before.chars().rev().nth(1).is_some_and(is_word);
            matches!(prefix, Some('e' | 'E')) && stands_alone
        };
        self.advance(1);
        while let Some(character) = self.peek() {
            self.advance(character.len_utf8());
            if character == '\\' && escapes {
                self.advance(self.peek().map_or(0, char::len_utf8));
            } else if character == quote {
                if self.peek() != Some(quote) {
                    return Ok(());
                }
                self.advance(1);
            }
        }
        Err(Self::fault(begun, format!("a quote is not closed, expected {quote}")))
    }

    /// Passes `$tag$…$tag$`; a lone dollar sign (`$1`) is just passed.
    fn skip_dollar_quoted(&mut self) -> Result<(), Fault> {
        let (begun, rest) = (self.line, self.rest());
        let tag_end = rest.get(1..).and_then(|after| after.find(|c: char| !is_word(c) || c == '$'));
        let tag = tag_end.and_then(|end| rest.get(..end + 2)).filter(|tag| {
            tag.ends_with('$') && !tag.get(1..).is_some_and(|inner| inner.starts_with(|c: char| c.is_ascii_digit()))
        });
        let Some(tag) = tag else {
            self.advance(1);
            return Ok(());
        };
        let Some(end) = rest.get(tag.len()..).and_then(|after| after.find(tag)) else {
            return Err(Self::fault(begun, format!("a quote is not closed, expected {tag}")));
        };
        self.advance(tag.len() + end + tag.len());
        Ok(())
    }

    /// The lines after `COPY … FROM stdin;` up to `\.` or the end of the text.
    fn take_copy_rows(&mut self) -> String {
        let rest = self.rest();
        self.advance(rest.find('\n').map_or(rest.len(), |end| end + 1));
        let mut rows = String::new();
        loop {
            let rest = self.rest();
            let line = rest.get(..rest.find('\n').map_or(rest.len(), |end| end + 1)).unwrap_or_default();
            self.advance(line.len());
            if line.is_empty() || line.trim_end_matches(['\r', '\n']) == "\\." {
                return rows;
            }
            rows.push_str(line);
        }
    }
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_' || character == '$'
}

/// Follows `BEGIN ATOMIC … END` of a function's body, in which semicolons end nothing.
#[derive(Default)]
struct Body {
    depth: usize,
    seen: usize,
    creates_routine: bool,
    after_begin: bool,
}

impl Body {
    fn read(&mut self, word: &str) {
        let is = |keyword: &str| word.eq_ignore_ascii_case(keyword);
        self.seen += 1;
        // `CREATE [OR REPLACE] FUNCTION`: the kind stands among the first four words.
        if self.seen <= 4 && (is("function") || is("procedure")) {
            self.creates_routine = true;
        }
        if self.creates_routine {
            if (self.after_begin && is("atomic")) || (self.depth > 0 && is("case")) {
                self.depth += 1;
            } else if self.depth > 0 && is("end") {
                self.depth -= 1;
            }
        }
        self.after_begin = is("begin");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(script: &str) -> Vec<String> {
        split(script).expect("statements").into_iter().map(|statement| statement.text).collect()
    }

    #[test]
    fn semicolons_inside_quotes_and_comments_end_nothing() {
        for statement in [
            "select 'a;b''c;'",
            r"select E'it\'s; so', 1",
            "select \"odd;\"\";name\"",
            "do $$ begin; end $$",
            "do $body$ a; $$ ; $body$",
            "select 1 -- one; still one\n, 2",
            "select /* a; /* b; */ c; */ 1",
            "create rule r as on insert to t do also (select 1; select 2)",
            "create function f() returns int begin atomic select 1; select case when true then 1 end; end",
            r"select 'a\'",
            "select a$b$c, $1",
        ] {
            assert_eq!(texts(&format!("{statement};\nselect 2;")), [statement, "select 2"]);
        }
    }

    #[test]
    fn a_statement_knows_the_line_it_begins_on() {
        let statements = split("-- a\n\nselect\n 1;\n/* x\n */ select 2").expect("statements");
        let lines: Vec<_> = statements.iter().map(|statement| statement.line).collect();
        assert_eq!(lines, [3, 6]);
    }

    #[test]
    fn rows_of_a_copy_belong_to_it() {
        let statements = split("COPY public.t (a, b) FROM stdin;\n1\tit's; so\n2\t\\N\n\\.\n\nselect 1;").expect("ok");
        assert_eq!(statements.len(), 2);
        assert_eq!(statements.first().and_then(|s| s.copy.as_deref()), Some("1\tit's; so\n2\t\\N\n"));
        assert_eq!(statements.get(1).map(|s| s.line), Some(6));
    }

    #[test]
    fn the_guards_of_pg_dump_are_passed_and_other_commands_of_psql_are_refused() {
        assert_eq!(texts("\\restrict abc\nselect 1;\n\\unrestrict abc\n"), ["select 1"]);
        let fault = split("select 1;\n\\i other.sql\n").expect_err("a fault");
        assert_eq!((fault.line, fault.reason.contains("\\i")), (2, true));
    }

    #[test]
    fn what_is_left_open_is_named_with_its_line() {
        for open in ["\n'abc", "\n\"abc", "\n$x$ abc", "\n/* abc"] {
            assert_eq!(split(&format!("select 1; {open}")).map_err(|fault| fault.line), Err(2), "{open}");
        }
    }
}
