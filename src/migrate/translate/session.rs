//! What an expression may ask of the request that it runs for: who sends it, and with which claims.
//!
//! | PostgreSQL | SQLite |
//! |---|---|
//! | `current_user`, `current_role`, `user` | `berth_user()` |
//! | `session_user` | `berth_session_user()` |
//! | `current_setting('name' [, missing_ok])` | `berth_setting('name', missing_ok)` |
//! | the same with another name than a constant | `berth_any_setting(name, missing_ok)` |
//! | `auth.uid()`, `auth.role()`, `auth.email()`, `auth.jwt()` | `berth_auth_uid()` and its like |
//!
//! berth registers the functions (`store/sqlite/session.rs`). In a query, what asks only the request and no row is
//! written as a query of its own, which SQLite runs once and not for each row.

use sqlparser::ast::{Expr, Function, FunctionArguments, Ident};

use super::expression::Functions;
use super::literal::Literal;
use super::scope::Scope;
use super::{Refusal, function, name, refuse};
use crate::catalog::TypeKind;

/// Functions that change neither type nor meaning of what they are given.
const TRANSPARENT: [&str; 2] = ["coalesce", "nullif"];

/// A question to the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Asked {
    /// `current_user`.
    User,
    /// `session_user`.
    SessionUser,
    /// `current_setting`.
    Setting {
        /// In lower case: Postgres does not mind the case.
        name: String,
        /// Null, not an error, when there is none of that name.
        missing_ok: bool,
    },
    /// `auth.uid()`.
    Uid,
    /// `auth.role()`.
    Role,
    /// `auth.email()`.
    Email,
    /// `auth.jwt()`.
    Jwt,
}

impl Asked {
    /// What a call asks; `None` for other functions.
    pub(super) fn by(call: &Function) -> Result<Option<Self>, Refusal> {
        let parts = name::parts(&call.name)?;
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let has_no_arguments = || match &call.args {
            FunctionArguments::None => true,
            FunctionArguments::List(list) => list.args.is_empty(),
            FunctionArguments::Subquery(_) => false,
        };
        Ok(match parts.as_slice() {
            ["auth", name] => {
                let asked = match *name {
                    "uid" => Self::Uid,
                    "role" => Self::Role,
                    "email" => Self::Email,
                    "jwt" => Self::Jwt,
                    _ => return Ok(None),
                };
                if !has_no_arguments() {
                    return refuse(format!("the function auth.{name}() takes no arguments"));
                }
                Some(asked)
            }
            [name] | ["pg_catalog", name] => match *name {
                "current_user" | "current_role" | "user" if has_no_arguments() => Some(Self::User),
                "session_user" if has_no_arguments() => Some(Self::SessionUser),
                "current_setting" => Self::setting(call)?,
                _ => None,
            },
            _ => None,
        })
    }

    /// `None` when the name is not a constant.
    fn setting(call: &Function) -> Result<Option<Self>, Refusal> {
        let arguments = function::arguments(call)?;
        let (name, missing_ok) = match arguments.as_slice() {
            [name] => (name, false),
            [name, missing_ok] => (name, Literal::read(missing_ok) == Some(Literal::Boolean(true))),
            _ => return refuse("the function current_setting() takes one or two arguments"),
        };
        Ok(match uncast(name) {
            Some(Literal::Text(name)) => Some(Self::Setting { name: name.to_ascii_lowercase(), missing_ok }),
            _ => None,
        })
    }

    /// The question for SQLite.
    pub(super) fn write(&self) -> String {
        match self {
            Self::User => "berth_user()".to_owned(),
            Self::SessionUser => "berth_session_user()".to_owned(),
            Self::Setting { name, missing_ok } => {
                format!("berth_setting({}, {})", name::text(name), u8::from(*missing_ok))
            }
            Self::Uid => "berth_auth_uid()".to_owned(),
            Self::Role => "berth_auth_role()".to_owned(),
            Self::Email => "berth_auth_email()".to_owned(),
            Self::Jwt => "berth_auth_jwt()".to_owned(),
        }
    }

    /// The kind of the answer.
    pub(super) fn kind(&self) -> TypeKind {
        match self {
            Self::User | Self::SessionUser | Self::Setting { .. } | Self::Role | Self::Email => {
                TypeKind::Text { max_length: None }
            }
            Self::Uid => TypeKind::Uuid,
            Self::Jwt => TypeKind::Jsonb,
        }
    }
}

/// `current_role`, which the parser takes for a column's name.
pub(super) fn is_current_role(ident: &Ident) -> bool {
    ident.quote_style.is_none() && ident.value.eq_ignore_ascii_case("current_role")
}

/// A constant, its casts left out: `'request.jwt.claims'::text`, as `pg_dump` prints it.
fn uncast(expression: &Expr) -> Option<Literal> {
    match expression {
        Expr::Nested(inner) | Expr::Cast { expr: inner, .. } => uncast(inner),
        other => Literal::read(other),
    }
}

/// What an expression depends on besides constants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Nothing,
    Request,
    Other,
}

impl Scope<'_> {
    /// Writes an expression that asks the request and no row; `None` for any other, and inside of one.
    ///
    /// Only berth evaluates it, so it may call berth's functions.
    pub(super) fn ask_request(&self, expression: &Expr) -> Result<Option<String>, Refusal> {
        let has_operands = matches!(expression, Expr::Cast { .. } | Expr::BinaryOp { .. } | Expr::UnaryOp { .. });
        if self.functions.get() == Functions::Request || source(expression) != Source::Request {
            return Ok(None);
        }
        let outside = self.functions.replace(Functions::Request);
        let written = self.write(expression);
        self.functions.set(outside);
        let written = written?;
        Ok(Some(match (self.is_definition() || self.value.is_some(), has_operands) {
            // A definition takes no query.
            (true, true) => format!("({written})"),
            (true, false) => written,
            (false, _) => format!("(SELECT {written})"),
        }))
    }
}

/// Calls itself for operands; the parser bounded the depth.
fn source(expression: &Expr) -> Source {
    let all = |operands: &[&Expr]| {
        operands.iter().fold(Source::Nothing, |found, operand| match (found, source(operand)) {
            (Source::Other, _) | (_, Source::Other) => Source::Other,
            (Source::Request, _) | (_, Source::Request) => Source::Request,
            (Source::Nothing, Source::Nothing) => Source::Nothing,
        })
    };
    match expression {
        Expr::Value(_) | Expr::TypedString(_) => Source::Nothing,
        Expr::Identifier(ident) if is_current_role(ident) => Source::Request,
        Expr::Nested(inner) | Expr::Cast { expr: inner, .. } | Expr::UnaryOp { expr: inner, .. } => all(&[inner]),
        Expr::BinaryOp { left, right, .. } => all(&[left, right]),
        Expr::Function(call) => match (Asked::by(call), function::name_of(call), function::arguments(call)) {
            (Ok(Some(_)), _, _) => Source::Request,
            (Ok(None), Ok(name), Ok(arguments)) if TRANSPARENT.contains(&name.as_str()) => all(&arguments),
            _ => Source::Other,
        },
        _ => Source::Other,
    }
}
