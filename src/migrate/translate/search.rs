//! Functions and operators of text search, by those of berth (`store/sqlite/functions/search.rs`).
//!
//! Documents and queries are held as the text that Postgres prints of them.

use sqlparser::ast::{BinaryOperator, DataType, Expr, Function, UnaryOperator};

use super::literal::Literal;
use super::scope::Scope;
use super::{Refusal, function, name, refuse, words};
use crate::catalog::TypeKind;
use crate::search::headline::Options;
use crate::search::{Configuration, Query, Vector};

/// Functions that make documents and queries by a configuration.
const CONFIGURED: [&str; 5] =
    ["to_tsvector", "to_tsquery", "plainto_tsquery", "phraseto_tsquery", "websearch_to_tsquery"];

/// True for a function that gives a query.
pub(super) fn gives_query(function: &str) -> bool {
    function.ends_with("to_tsquery") && CONFIGURED.contains(&function)
}

/// What a function of text search gives.
pub(super) fn kind_of(function: &str) -> Option<TypeKind> {
    match function {
        "to_tsvector" | "setweight" | "strip" => Some(TypeKind::TsVector),
        "ts_rank" | "ts_rank_cd" => Some(TypeKind::Real),
        "ts_headline" => Some(TypeKind::Text { max_length: None }),
        _ => None,
    }
}

impl Scope<'_> {
    /// Functions of text search; `None` when this is none of them.
    pub(super) fn search_call(&self, name: &str, call: &Function) -> Result<Option<String>, Refusal> {
        let is_one = CONFIGURED.contains(&name)
            || kind_of(name).is_some()
            // Of anything else the length is no matter of text search.
            || name == "length"
                && matches!(function::arguments(call)?[..], [of] if self.kind(of) == Some(TypeKind::TsVector));
        is_one.then(|| self.search_function(name, &function::arguments(call)?)).transpose()
    }

    /// One of these functions.
    pub(super) fn search_function(&self, name: &str, arguments: &[&Expr]) -> Result<String, Refusal> {
        match (name, arguments) {
            ("strip", [document]) => Ok(format!("berth_ts_strip({})", self.document(document)?)),
            ("length", [document]) => Ok(format!("berth_ts_length({})", self.document(document)?)),
            ("setweight", [document, letter]) => {
                Ok(format!("berth_setweight({}, {})", self.document(document)?, self.write(letter)?))
            }
            ("ts_rank" | "ts_rank_cd", _) => self.rank(name, arguments),
            ("ts_headline", _) => self.headline(arguments),
            (_, [text]) if CONFIGURED.contains(&name) => {
                self.configured(name, name::text(Configuration::DEFAULT.name()), text)
            }
            (_, [configuration, text]) if CONFIGURED.contains(&name) => {
                self.configured(name, self.configuration(configuration)?, text)
            }
            _ => refuse(format!("the function {name}() takes other arguments")),
        }
    }

    /// A function that makes something of `text` by a configuration.
    fn configured(&self, name: &str, configuration: String, text: &Expr) -> Result<String, Refusal> {
        let name = if name == "to_tsvector" && self.is_document(text) { "json_to_tsvector" } else { name };
        Ok(format!("berth_{name}({configuration}, {})", self.write(text)?))
    }

    /// `ts_rank([weights,] document, query [, normalization])`.
    fn rank(&self, name: &str, arguments: &[&Expr]) -> Result<String, Refusal> {
        let is_document = |expression: &Expr| self.kind(expression) == Some(TypeKind::TsVector);
        let (weights, document, query, normalization) = match arguments {
            [document, query] => (None, document, query, None),
            [document, query, normalization] if is_document(document) => (None, document, query, Some(normalization)),
            [weights, document, query] => (Some(weights), document, query, None),
            [weights, document, query, normalization] => (Some(weights), document, query, Some(normalization)),
            _ => return refuse(format!("the function {name}() takes other arguments")),
        };
        let weights = weights.map_or_else(|| Ok(name::text("")), |weights| self.weights(weights))?;
        let normalization = normalization.map_or_else(|| Ok("0".to_owned()), |of| self.write(of))?;
        let (document, query) = (self.document(document)?, self.search_query(query)?);
        Ok(format!("berth_{name}({weights}, {document}, {query}, {normalization})"))
    }

    /// `ts_headline([configuration,] text, query [, options])`.
    fn headline(&self, arguments: &[&Expr]) -> Result<String, Refusal> {
        let (configuration, text, query, options) = match arguments {
            [text, query] => (None, text, query, None),
            [text, query, options] if self.is_query(query) => (None, text, query, Some(options)),
            [configuration, text, query] => (Some(configuration), text, query, None),
            [configuration, text, query, options] => (Some(configuration), text, query, Some(options)),
            _ => return refuse("the function ts_headline() takes other arguments"),
        };
        if self.is_document(text) {
            return refuse("ts_headline() of JSON is not supported");
        }
        if let Some(Literal::Text(options)) = options.map_or(Ok(None), |options| self.constant(options))? {
            Options::read(&options).map_err(|error| Refusal(error.message))?;
        }
        let configuration =
            configuration.map_or_else(|| Ok(name::text(Configuration::DEFAULT.name())), |of| self.configuration(of))?;
        let options = options.map_or_else(|| Ok(name::text("")), |options| self.write(options))?;
        let (text, query) = (self.write(text)?, self.search_query(query)?);
        Ok(format!("berth_ts_headline({configuration}, {text}, {query}, {options})"))
    }

    /// An array of weights, as JSON.
    fn weights(&self, expression: &Expr) -> Result<String, Refusal> {
        let array = TypeKind::Array(Box::new(TypeKind::Real));
        match (self.constant(expression)?, expression) {
            (Some(constant), _) => Ok(constant.comparable(&array)?.to_sql()),
            (None, Expr::Cast { expr, .. }) if self.kind(expression) == Some(array) => self.weights(expr),
            (None, _) => self.write(expression),
        }
    }

    /// The name of a configuration; a constant one must be there.
    fn configuration(&self, expression: &Expr) -> Result<String, Refusal> {
        let expression = words::of_configuration(expression);
        if let Some(Literal::Text(named)) = self.constant(expression)? {
            Configuration::named(&named).map_err(|error| Refusal(error.message))?;
        }
        self.write(expression)
    }

    /// A `tsvector`; one that is written out must be one.
    fn document(&self, expression: &Expr) -> Result<String, Refusal> {
        if let Some(Literal::Text(text)) = self.constant(expression)? {
            let vector = Vector::read(&text).map_err(|error| Refusal(error.message))?;
            return Ok(name::text(&vector.to_string()));
        }
        self.write(expression)
    }

    /// A `tsquery`; one that is written out must be one.
    pub(super) fn search_query(&self, expression: &Expr) -> Result<String, Refusal> {
        let inner = match expression {
            Expr::Nested(inner) => return self.search_query(inner),
            Expr::Cast { expr, data_type: DataType::TsQuery, .. } => expr,
            other => other,
        };
        if let Some(Literal::Text(text)) = self.constant(inner)? {
            let query = Query::of_lexemes(&text).map_err(|error| Refusal(error.message))?;
            return Ok(name::text(&query.to_string()));
        }
        if std::ptr::eq(inner, expression) {
            return self.write(expression);
        }
        Ok(format!("berth_tsquery({})", self.write(inner)?))
    }

    /// True for what is a `tsquery` for certain.
    pub(super) fn is_query(&self, expression: &Expr) -> bool {
        match expression {
            Expr::Nested(inner) | Expr::UnaryOp { op: UnaryOperator::PGPrefixFactorial, expr: inner } => {
                self.is_query(inner)
            }
            Expr::Cast { data_type, .. } => *data_type == DataType::TsQuery,
            Expr::Function(call) => function::name_of(call).is_ok_and(|name| gives_query(&name)),
            Expr::BinaryOp { left, op: BinaryOperator::StringConcat | BinaryOperator::PGOverlap, right } => {
                self.is_query(left) || self.is_query(right)
            }
            other => name::of_column(other).and_then(|names| self.declared_of(&names)).as_deref() == Some("tsquery"),
        }
    }

    /// `document @@ query`, in either order; a text is made a document, and to a text a text is a query.
    pub(super) fn search_match(&self, left: &Expr, right: &Expr) -> Result<String, Refusal> {
        let (left, right) = if self.is_query(left) { (right, left) } else { (left, right) };
        let by_default = name::text(Configuration::DEFAULT.name());
        let is_text = |expression: &Expr| matches!(self.kind(expression), Some(TypeKind::Text { .. }));
        if self.kind(left) == Some(TypeKind::TsVector) {
            if is_text(right) {
                return refuse("@@ needs a tsquery beside a tsvector: make one with to_tsquery() or its like");
            }
            return Ok(format!("berth_ts_match({}, {})", self.document(left)?, self.search_query(right)?));
        }
        if !is_text(left) {
            return refuse("@@ needs a tsvector or a text on its left");
        }
        let query = match self.constant(right)? {
            Some(_) if !self.is_query(right) => self.configured("plainto_tsquery", by_default.clone(), right)?,
            None if is_text(right) => self.configured("plainto_tsquery", by_default.clone(), right)?,
            _ => self.search_query(right)?,
        };
        Ok(format!("berth_ts_match(berth_to_tsvector({by_default}, {}), {query})", self.write(left)?))
    }

    /// `query && query` and `query || query`; `None` when they are none.
    pub(super) fn join_queries(
        &self,
        left: &Expr,
        operator: &BinaryOperator,
        right: &Expr,
    ) -> Result<Option<String>, Refusal> {
        let function = match operator {
            BinaryOperator::PGOverlap => "berth_ts_and",
            BinaryOperator::StringConcat => "berth_ts_or",
            _ => return Ok(None),
        };
        if !self.is_query(left) && !self.is_query(right) {
            return Ok(None);
        }
        Ok(Some(format!("{function}({}, {})", self.search_query(left)?, self.search_query(right)?)))
    }
}
