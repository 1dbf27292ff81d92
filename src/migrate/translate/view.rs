//! Whose rights a view reads with: `security_invoker`.
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
///
/// `security_barrier` is about functions that tell what they are called with: a request can call none on SQLite.
/// `check_option` is about writes, which a view takes none of.
pub(super) fn rights(options: &[SqlOption]) -> Result<Option<Rights>, Refusal> {
    let mut rights = None;
    for option in options {
        let (key, is_on) = match option {
            SqlOption::Ident(ident) => (name::parts(ident)?.join("."), true),
            SqlOption::KeyValue { key, value } => (name::parts(key)?.join("."), is_on(value)?),
            other => return refuse(format!("the option {other} of a view is not supported")),
        };
        match key.as_str() {
            "security_invoker" => rights = Some(if is_on { Rights::Invoker } else { Rights::Owner }),
            "security_barrier" | "check_option" => {}
            other => return refuse(format!("the option {other} of a view is not supported")),
        }
    }
    Ok(rights)
}

/// A boolean as Postgres reads one among options. What is none is `check_option`'s word.
fn is_on(value: &Expr) -> Result<bool, Refusal> {
    let word = match (value, Literal::read(value)) {
        (Expr::Value(value), _) if matches!(value.value, Value::Boolean(_)) => value.value.to_string(),
        (_, Some(literal)) => literal.into_text(),
        (Expr::Identifier(ident), None) => ident.value.clone(),
        (other, None) => return refuse(format!("{other} is no value of an option")),
    };
    Ok(matches!(word.to_ascii_lowercase().as_str(), "true" | "on" | "1" | "yes"))
}

impl Translator<'_> {
    /// Notes whose rights a view reads with.
    pub(super) fn set_rights(&mut self, view: &str, rights: Rights) {
        match rights {
            Rights::Owner => self.schema.invoker_views.remove(view),
            Rights::Invoker => self.schema.invoker_views.insert(view.to_owned()),
        };
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
        let sqlparser::ast::CreateTableOptions::With(options) = &view.options else { return Ok(()) };
        if let Some(rights) = rights(options)? {
            self.set_rights(&name, if part(3).eq_ignore_ascii_case("reset") { Rights::Owner } else { rights });
        }
        Ok(())
    }
}
