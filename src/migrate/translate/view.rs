//! Whose rights a view reads with (`security_invoker`), and what rows written through it must be (`check_option`).
//!
//! Source: <https://www.postgresql.org/docs/15/sql-createview.html>.

use std::sync::LazyLock;

use regex::Regex;
use sqlparser::ast::{Expr, SqlOption, Statement, Value};

use super::literal::Literal;
use super::{Refusal, Translator, name, parse, refuse};

/// Whose rights a view reads with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rights {
    /// Those of its owner.
    Owner,
    /// Those of whoever asks.
    Invoker,
}

/// What the options of a view say; `None` for nothing.
#[derive(Debug, Clone, Default)]
pub(super) struct Options {
    pub(super) rights: Option<Rights>,
    /// `local` or `cascaded`.
    pub(super) check: Option<String>,
}

/// Reads the options of a view.
///
/// `security_barrier` is about functions that tell what they are called with: a request can call none on SQLite.
pub(super) fn options(options: &[SqlOption]) -> Result<Options, Refusal> {
    let mut read = Options::default();
    for option in options {
        let (key, value) = match option {
            SqlOption::Ident(ident) => (name::parts(ident)?.join("."), None),
            SqlOption::KeyValue { key, value } => (name::parts(key)?.join("."), Some(word(value)?)),
            other => return refuse(format!("the option {other} of a view is not supported")),
        };
        match key.as_str() {
            "security_invoker" => {
                let is_on = value.is_none_or(|value| matches!(value.as_str(), "true" | "on" | "1" | "yes"));
                read.rights = Some(if is_on { Rights::Invoker } else { Rights::Owner });
            }
            "check_option" => read.check = Some(value.unwrap_or_default()),
            "security_barrier" => {}
            other => return refuse(format!("the option {other} of a view is not supported")),
        }
    }
    Ok(read)
}

/// The word that an option is set to.
fn word(value: &Expr) -> Result<String, Refusal> {
    let word = match (value, Literal::read(value)) {
        (Expr::Value(value), _) if matches!(value.value, Value::Boolean(_)) => value.value.to_string(),
        (_, Some(literal)) => literal.into_text(),
        (Expr::Identifier(ident), None) => ident.value.clone(),
        (other, None) => return refuse(format!("{other} is no value of an option")),
    };
    Ok(word.to_ascii_lowercase())
}

impl Translator<'_> {
    /// Notes whose rights a view reads with.
    pub(super) fn set_rights(&mut self, view: &str, rights: Rights) {
        match rights {
            Rights::Owner => self.schema.invoker_views.remove(view),
            Rights::Invoker => self.schema.invoker_views.insert(view.to_owned()),
        };
    }

    /// Notes what rows that are written through a view must be; `None`: nothing more than the table asks for.
    pub(super) fn set_check_option(&mut self, view: &str, option: Option<&str>) -> Result<(), Refusal> {
        match option {
            None => drop(self.schema.checked_views.remove(view)),
            Some(option @ ("local" | "cascaded")) => {
                self.schema.checked_views.insert(view.to_owned(), option.to_owned());
            }
            Some(other) => return refuse(format!("\"{other}\" is no check option: it is \"local\" or \"cascaded\"")),
        }
        Ok(())
    }

    /// `ALTER VIEW … SET (…)` and `RESET (…)`, which the parser does not read: their options are read as those of a new
    /// view.
    pub(super) fn alter_view(&mut self, text: &str) -> Result<(), Refusal> {
        static STATEMENT: LazyLock<Option<Regex>> =
            LazyLock::new(|| Regex::new(r"(?is)^alter\s+view\s+(if\s+exists\s+)?(\S+)\s+(set|reset)\s*(\(.*\))$").ok());
        let Some(found) = STATEMENT.as_ref().and_then(|statement| statement.captures(text)) else {
            return refuse("of ALTER VIEW only SET and RESET of options are supported");
        };
        let part = |at: usize| found.get(at).map_or("", |part| part.as_str());
        let Statement::CreateView(view) =
            parse::statement(&format!("CREATE VIEW {} WITH {} AS SELECT 1", part(2), part(4)))?
        else {
            return refuse("expected a view");
        };
        let name = name::local(&view.name)?;
        if !self.schema.views.contains_key(&name) {
            return if found.get(1).is_some() { Ok(()) } else { refuse(format!("view \"{name}\" does not exist")) };
        }
        let sqlparser::ast::CreateTableOptions::With(given) = &view.options else { return Ok(()) };
        let (Options { rights, check }, resets) = (options(given)?, part(3).eq_ignore_ascii_case("reset"));
        if let Some(rights) = rights {
            self.set_rights(&name, if resets { Rights::Owner } else { rights });
        }
        match check {
            Some(_) if resets => self.set_check_option(&name, None),
            Some(option) => self.set_check_option(&name, Some(&option)),
            None => Ok(()),
        }
    }
}
