//! The files of a migrations directory.

use std::fmt::Write as _;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::Error;
use super::split::split;

/// Largest file that is read: a script is held in memory whole, and its steps beside it.
const SCRIPT_MAX_BYTES: u64 = 256 * 1024 * 1024;

/// Characters of a statement that an error repeats.
const EXCERPT_CHARACTERS: usize = 80;

/// One file of migrations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// The file's name with its ending, e.g. `0001_films.sql`; scripts are applied in the order of their names.
    pub name: String,
    /// The whole text.
    pub text: String,
    /// SHA-256 of the text, 64 hexadecimal digits in lower case.
    pub checksum: String,
    /// The text cut into statements.
    pub statements: Vec<Statement>,
}

/// One statement of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Line of the file on which it begins, counted from one.
    pub line: usize,
    /// From its first word to before its semicolon, without comments around it.
    pub text: String,
    /// The rows that follow `COPY … FROM stdin`, one a line, without the final `\.`.
    pub copy: Option<String>,
}

impl Script {
    /// Cuts `text` into statements and computes its checksum.
    ///
    /// # Errors
    /// [`Error::Syntax`] when a quote or a comment is left open, or a line is a command of psql that
    /// stands for nothing here (`\i`, `\connect`, …).
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Result<Self, Error> {
        let (name, text) = (name.into(), text.into());
        let statements = split(&text).map_err(|fault| Error::Syntax {
            file: name.clone(),
            line: fault.line,
            reason: fault.reason,
        })?;
        let checksum = Sha256::digest(text.as_bytes()).iter().fold(String::with_capacity(64), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        Ok(Self { name, text, checksum, statements })
    }

    /// What it defines: its statements, in its own words, without those that only move rows.
    #[must_use]
    pub fn definitions(&self) -> String {
        let defining = self.statements.iter().filter(|statement| !statement.moves_rows());
        defining.map(|statement| format!("{};\n\n", statement.text)).collect()
    }

    /// Reads the `*.sql` files of `directory`, in the order of their names' bytes. None when there is no directory.
    ///
    /// # Errors
    /// [`Error::Read`], [`Error::TooLarge`] and what [`Script::new`] says of a file.
    pub fn read_directory(directory: &Path) -> Result<Vec<Self>, Error> {
        let unreadable = |source| Error::Read { path: directory.to_path_buf(), source };
        let entries = match fs::read_dir(directory) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(unreadable)?,
        };
        let mut paths = Vec::new();
        for entry in entries {
            let path = entry.map_err(unreadable)?.path();
            if path.extension().is_some_and(|ending| ending == "sql") && path.is_file() {
                paths.push(path);
            }
        }
        paths.sort();
        paths.iter().map(|path| read_script(path)).collect()
    }
}

impl Statement {
    /// True when it changes rows and nothing else.
    fn moves_rows(&self) -> bool {
        let first = self.text.split_whitespace().next().unwrap_or_default();
        ["insert", "update", "delete", "truncate", "copy"].iter().any(|word| first.eq_ignore_ascii_case(word))
    }

    /// The first characters on one line, for errors.
    #[must_use]
    pub fn excerpt(&self) -> String {
        let mut words = String::new();
        for word in self.text.split_whitespace() {
            if !words.is_empty() {
                words.push(' ');
            }
            words.push_str(word);
            if words.chars().count() > EXCERPT_CHARACTERS {
                return words.chars().take(EXCERPT_CHARACTERS).collect();
            }
        }
        words
    }
}

fn read_script(path: &Path) -> Result<Script, Error> {
    let unreadable = |source| Error::Read { path: path.to_path_buf(), source };
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let bytes = fs::metadata(path).map_err(unreadable)?.len();
    if bytes > SCRIPT_MAX_BYTES {
        return Err(Error::TooLarge { file: name, bytes, limit: SCRIPT_MAX_BYTES });
    }
    Script::new(name, fs::read_to_string(path).map_err(unreadable)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_come_in_the_order_of_their_names_and_other_files_stay_out() {
        let directory = tempfile::tempdir().expect("a directory");
        for (name, text) in [("0010_b.sql", "select 2;"), ("0002_a.sql", "select 1;"), ("notes.md", "no")] {
            fs::write(directory.path().join(name), text).expect("a file");
        }
        let scripts = Script::read_directory(directory.path()).expect("scripts");
        let names: Vec<_> = scripts.iter().map(|script| script.name.as_str()).collect();
        assert_eq!(names, ["0002_a.sql", "0010_b.sql"]);
    }

    #[test]
    fn the_checksum_is_the_sha_256_of_the_text() {
        let script = Script::new("a.sql", "").expect("a script");
        assert_eq!(script.checksum, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }

    #[test]
    fn what_a_script_defines_is_cut_into_the_same_statements() {
        let text = "CREATE TABLE a (b text DEFAULT ';'); -- no more\nINSERT INTO a VALUES ('x');\n\
            COPY a FROM stdin;\nx\n\\.\nDO $$ BEGIN CREATE ROLE r; END $$; UPDATE a SET b = ''; SELECT setval('s', 3)";
        let script = Script::new("a.sql", text).expect("a script");
        let defined = Script::new("a.sql", script.definitions()).expect("its definitions");
        let texts: Vec<_> = defined.statements.iter().map(|statement| statement.text.as_str()).collect();
        assert_eq!(
            texts,
            ["CREATE TABLE a (b text DEFAULT ';')", "DO $$ BEGIN CREATE ROLE r; END $$", "SELECT setval('s', 3)"]
        );
    }

    #[test]
    fn an_excerpt_is_one_line_of_at_most_eighty_characters() {
        let script = Script::new("a.sql", format!("select\n  1,\n {}", "é, ".repeat(200))).expect("a script");
        let excerpt = script.statements.first().map(Statement::excerpt).unwrap_or_default();
        assert_eq!(excerpt.chars().count(), 80);
        assert!(excerpt.starts_with("select 1, é, é"), "{excerpt}");
    }
}
