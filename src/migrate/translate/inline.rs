//! Calls of the user's own functions: the body takes the place of the call.
//!
//! | the body is | a call becomes |
//! |---|---|
//! | an expression without queries | the expression, with the arguments in the places of the parameters |
//! | any other query | `(SELECT (query) FROM (SELECT arguments))`, so that a name in an argument keeps its meaning |
//! | in `FROM`: a query | the query, when its arguments look at nothing that the query might hide |

use sqlparser::ast::{
    self, Expr, FunctionArg, FunctionArgExpr, FunctionArgOperator, FunctionArguments, GroupByExpr, Query, SelectItem,
    SetExpr, Statement, TableAlias,
};

use super::argument::{Argument, Routine, Row, Written};
use super::decimal::held;
use super::model::{Column, Function, Mode, Parameter};
use super::query::Target;
use super::routine::body;
use super::scope::{Found, Scope, Source};
use super::source::renamed;
use super::{Refusal, name, parse, refuse};
use crate::catalog::{self, ReturnKind, TypeKind};

/// How deep calls may nest: each level is written out.
const CALLS_MAX: usize = 16;

/// What a parameter is given.
enum Given<'e> {
    One(&'e Expr),
    /// The elements of a variadic parameter.
    Many(Vec<&'e Expr>),
    Default,
}

impl<'a> Scope<'a> {
    /// Writes a call of one of the user's functions; `None` when there is none of that name.
    pub(super) fn own_call(&self, name: &str, call: &ast::Function) -> Result<Option<String>, Refusal> {
        let FunctionArguments::List(list) = &call.args else { return Ok(None) };
        let Some((function, given)) = self.find_own(name, &list.args)? else {
            return if self.is_called(name) { calls_itself(name) } else { Ok(None) };
        };
        if function.returns_set {
            return refuse(format!("the function {name}() gives a set: it can stand in FROM only"));
        }
        let query = self.called_query(function)?;
        let type_name = match body::signature(function, self.schema).returns.kind {
            ReturnKind::Value(type_name) => type_name,
            ReturnKind::Row { columns, .. } if columns.len() == 1 => {
                columns.into_iter().map(|column| column.type_name).next().unwrap_or_else(super::change::untyped)
            }
            ReturnKind::Void | ReturnKind::Row { .. } => {
                return refuse(format!("the function {name}() gives no value"));
            }
        };
        let written = match only_expression(&query).filter(|expression| !parse::has_query(&expression.to_string())) {
            Some(expression) => {
                let inner = self.called(function, self.arguments_in_place(function, &given)?);
                format!("({})", inner.assigned(expression, &type_name)?)
            }
            None if self.is_definition() => {
                return refuse(format!("the function {name}() reads rows, which an expression of a table cannot"));
            }
            None => {
                let (arguments, beside) = self.arguments_beside(function, &given)?;
                let inner = self.called(function, arguments);
                let types = [type_name];
                let query = inner.query_into(&query, Some(Target { types: &types, is_row: false }))?;
                if beside.is_empty() { format!("({query})") } else { format!("(SELECT ({query}) FROM {beside})") }
            }
        };
        self.if_not_null(function, &given, written).map(Some)
    }

    /// Reads a call of one of the user's functions in `FROM`: its columns, and how it is written.
    pub(super) fn own_rows(
        &self,
        name: &str,
        arguments: &[FunctionArg],
        alias: Option<&TableAlias>,
    ) -> Result<Option<(Source, String)>, Refusal> {
        let Some((function, given)) = self.find_own(name, arguments)? else { return Ok(None) };
        let query = self.called_query(function)?;
        let known_as = alias.map_or_else(|| name.to_owned(), |alias| name::fold(&alias.name));
        let (columns, is_row) = match body::signature(function, self.schema).returns.kind {
            ReturnKind::Row { columns, .. } => (columns, true),
            ReturnKind::Value(type_name) => (vec![catalog::Column::plain(known_as.clone(), type_name)], false),
            ReturnKind::Void => return refuse(format!("the function {name}() gives no rows")),
        };
        let types: Vec<_> = columns.iter().map(|column| held(column.type_name.clone())).collect();
        let outer = self.outer();
        let inner = outer.called(function, outer.arguments_in_place(function, &given)?);
        outer.check_hidden(&query, &given)?;
        let query = inner.query_into(&query, Some(Target { types: &types, is_row }))?;
        let plain = columns.iter().zip(&types).map(|(column, of)| Column::plain(column.name.clone(), of.held_name()));
        let columns = match alias {
            Some(alias) => renamed(Some(plain.collect()), alias).unwrap_or_default(),
            None => plain.collect(),
        };
        let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
        let limit = if function.returns_set { "" } else { " LIMIT 1" };
        let (quoted, names) = (name::quote(&known_as), name::quote_all(&names));
        let written = format!("(WITH {quoted}({names}) AS ({query}) SELECT * FROM {quoted}{limit}) AS {quoted}");
        Ok(Some((Source::of_query(&known_as, Some(columns), None), written)))
    }

    /// The type that a call of one of the user's functions gives.
    pub(super) fn kind_of_own(&self, name: &str, call: &ast::Function) -> Option<TypeKind> {
        let FunctionArguments::List(list) = &call.args else { return None };
        let (function, _) = self.find_own(name, &list.args).ok()??;
        match body::signature(function, self.schema).returns.kind {
            ReturnKind::Value(type_name) => Some(type_name.kind),
            ReturnKind::Void | ReturnKind::Row { .. } => None,
        }
    }

    /// The function that is meant, with what each of its parameters is given.
    fn find_own<'e>(
        &self,
        name: &str,
        arguments: &'e [FunctionArg],
    ) -> Result<Option<(&'a Function, Vec<Given<'e>>)>, Refusal> {
        let mut best: Vec<(usize, &Function, Vec<Given<'_>>)> = Vec::new();
        let mut is_known = false;
        for function in self.schema.functions.values().filter(|function| function.name == name) {
            is_known = true;
            let Some(given) = fit(function, arguments)? else { continue };
            let Some(score) = self.score(function, &given) else { continue };
            match best.first().map(|(best, ..)| score.cmp(best)) {
                Some(std::cmp::Ordering::Less) => {}
                Some(std::cmp::Ordering::Equal) => best.push((score, function, given)),
                Some(std::cmp::Ordering::Greater) | None => best = vec![(score, function, given)],
            }
        }
        let is_ambiguous = best.len() > 1;
        match best.pop() {
            _ if is_ambiguous => refuse(format!("function {name}() is not unique: write casts that tell which")),
            Some((_, function, given)) => Ok(Some((function, given))),
            None if is_known => refuse(format!("no function {name}() takes these arguments")),
            None => Ok(None),
        }
    }

    /// How well arguments fit a function's types; `None` when a row is none.
    fn score(&self, function: &Function, given: &[Given<'_>]) -> Option<usize> {
        let score = |(parameter, given): (&Parameter, &Given<'_>)| {
            let Given::One(expression) = given else { return Some(1) };
            let is_row = self.row(expression).is_some();
            match body::columns_of_type(&parameter.declared, self.schema) {
                Some((of, _)) => self.is_row_of(expression, of).then_some(3),
                None if is_row => None,
                None => match (self.kind(expression), self.kind_of_declared(&parameter.declared)) {
                    (Some(given), Some(wanted)) if given == wanted => Some(3),
                    (Some(TypeKind::Numeric { .. }), Some(TypeKind::Numeric { .. })) => Some(3),
                    (Some(_), _) => Some(0),
                    (None, _) => Some(1),
                },
            }
        };
        function.taken().zip(given).map(score).sum()
    }

    fn is_row_of(&self, expression: &Expr, table: &str) -> bool {
        let Some(row) = self.row(expression) else { return false };
        let wanted = body::columns_of_type(table, self.schema).map(|(_, columns)| columns).unwrap_or_default();
        row.columns.iter().map(|column| &column.name).eq(wanted.iter().map(|column| &column.name))
    }

    /// The one query that a function's body is.
    fn called_query(&self, function: &Function) -> Result<Query, Refusal> {
        let name = &function.name;
        if self.is_called(name) || self.call_depth() >= CALLS_MAX {
            return calls_itself(name);
        }
        self.note_call(function);
        match parse::statements(&function.body)?.as_slice() {
            [Statement::Query(query)] => Ok((**query).clone()),
            _ => refuse(format!("the function {name}() is more than one query, and can only be called by requests")),
        }
    }

    fn called(&self, function: &Function, arguments: Vec<Argument>) -> Scope<'a> {
        self.of_called(Routine { name: function.name.clone(), arguments }, function.bearer)
    }

    /// The arguments, written where the parameters stand.
    fn arguments_in_place(&self, function: &Function, given: &[Given<'_>]) -> Result<Vec<Argument>, Refusal> {
        let argument = |(parameter, given): (&Parameter, &Given<'_>)| {
            let written = match given {
                Given::One(expression) if body::columns_of_type(&parameter.declared, self.schema).is_some() => {
                    match self.row(expression) {
                        Some(row) => Written::Row(row),
                        None => return refuse(format!("{expression} is not a row")),
                    }
                }
                _ => Written::Value(wrapped(self.given_value(parameter, given)?)),
            };
            Ok(Argument { name: parameter.name.clone(), declared: parameter.declared.clone(), written })
        };
        function.taken().zip(given).map(argument).collect()
    }

    /// The arguments as columns of queries beside the body, and these queries.
    fn arguments_beside(&self, function: &Function, given: &[Given<'_>]) -> Result<(Vec<Argument>, String), Refusal> {
        let mut queries = Vec::new();
        let mut arguments = Vec::new();
        for argument in self.arguments_in_place(function, given)? {
            let query = self.fresh_name("argument");
            let written = match argument.written {
                Written::Value(value) => {
                    queries.push(format!("(SELECT {value} AS given) AS {query}"));
                    Written::Value(format!("{query}.given"))
                }
                Written::Row(row) => {
                    let member =
                        |column: &Column| format!("{} AS {}", row.write(&column.name), name::quote(&column.name));
                    let members: Vec<String> = row.columns.iter().map(member).collect();
                    queries.push(format!("(SELECT {}) AS {query}", members.join(", ")));
                    Written::Row(Row { prefix: Some(query), ..row })
                }
            };
            arguments.push(Argument { written, ..argument });
        }
        Ok((arguments, queries.join(", ")))
    }

    fn given_value(&self, parameter: &Parameter, given: &Given<'_>) -> Result<String, Refusal> {
        let type_name = body::type_name(&parameter.declared, self.schema);
        match (given, &parameter.default) {
            (Given::One(expression), _) => self.assigned(expression, &type_name),
            (Given::Many(expressions), _) => {
                let items: Result<Vec<_>, _> = expressions.iter().map(|expression| self.write(expression)).collect();
                Ok(format!("json_array({})", items?.join(", ")))
            }
            (Given::Default, Some(default)) => self.assigned(&parse::expression(default)?, &type_name),
            (Given::Default, None) => Ok("NULL".to_owned()),
        }
    }

    /// A strict function gives null without being run when an argument is null.
    fn if_not_null(&self, function: &Function, given: &[Given<'_>], written: String) -> Result<String, Refusal> {
        if !function.strict {
            return Ok(written);
        }
        let mut conditions = Vec::new();
        for (parameter, given) in function.taken().zip(given) {
            if body::columns_of_type(&parameter.declared, self.schema).is_none() {
                conditions.push(format!("{} IS NOT NULL", wrapped(self.given_value(parameter, given)?)));
            }
        }
        if conditions.is_empty() {
            return Ok(written);
        }
        Ok(format!("CASE WHEN {} THEN {written} END", conditions.join(" AND ")))
    }

    /// Refuses arguments that name what the query reads from as well: inside it, the name would mean that.
    fn check_hidden(&self, query: &Query, given: &[Given<'_>]) -> Result<(), Refusal> {
        let mut expressions = given.iter().flat_map(|given| match given {
            Given::One(expression) => vec![*expression],
            Given::Many(expressions) => expressions.clone(),
            Given::Default => Vec::new(),
        });
        match expressions.find(|expression| self.looks_at_rows(expression)) {
            Some(expression) if !matches!(query.body.as_ref(), SetExpr::Select(select) if select.from.is_empty()) => {
                refuse(format!(
                    "the argument {expression} of a function in FROM looks at rows, and SQLite has no LATERAL"
                ))
            }
            _ => Ok(()),
        }
    }

    /// True for an expression that names a column.
    fn looks_at_rows(&self, expression: &Expr) -> bool {
        let names: &[ast::Ident] = match expression {
            Expr::Identifier(ident) => std::slice::from_ref(ident),
            Expr::CompoundIdentifier(idents) => idents,
            Expr::Value(_) | Expr::TypedString(_) => return false,
            Expr::Nested(inner) | Expr::Cast { expr: inner, .. } | Expr::UnaryOp { expr: inner, .. } => {
                return self.looks_at_rows(inner);
            }
            Expr::BinaryOp { left, right, .. } => return self.looks_at_rows(left) || self.looks_at_rows(right),
            Expr::Function(call) => {
                let FunctionArguments::List(list) = &call.args else { return true };
                return list.args.iter().any(|argument| argument_of(argument).is_none_or(|of| self.looks_at_rows(of)));
            }
            _ => return true,
        };
        let names: Vec<String> = names.iter().map(name::fold).collect();
        matches!(self.find(&names), Some(Found::Column(..)) | None)
    }
}

fn calls_itself<T>(name: &str) -> Result<T, Refusal> {
    refuse(format!("the function {name}() calls itself, or calls nest deeper than {CALLS_MAX}"))
}

/// The expression that a query consists of.
fn only_expression(query: &Query) -> Option<&Expr> {
    let is_plain = query.with.is_none() && query.order_by.is_none() && query.limit_clause.is_none();
    let SetExpr::Select(select) = query.body.as_ref() else { return None };
    let is_alone = select.from.is_empty()
        && select.selection.is_none()
        && select.having.is_none()
        && select.distinct.is_none()
        && matches!(&select.group_by, GroupByExpr::Expressions(keys, _) if keys.is_empty());
    match select.projection.as_slice() {
        [SelectItem::UnnamedExpr(expression) | SelectItem::ExprWithAlias { expr: expression, .. }]
            if is_plain && is_alone =>
        {
            Some(expression)
        }
        _ => None,
    }
}

/// What each parameter is given; `None` when the arguments do not fit.
fn fit<'e>(function: &Function, arguments: &'e [FunctionArg]) -> Result<Option<Vec<Given<'e>>>, Refusal> {
    let taken: Vec<&Parameter> = function.taken().collect();
    let mut given: Vec<Given<'e>> = taken.iter().map(|_| Given::Default).collect();
    let mut place = 0;
    for argument in arguments {
        match argument {
            FunctionArg::Named {
                name,
                arg: FunctionArgExpr::Expr(expression),
                operator: FunctionArgOperator::RightArrow | FunctionArgOperator::Assignment,
            } => {
                let name = name::fold(name);
                let Some(at) = taken.iter().position(|parameter| parameter.name == name) else { return Ok(None) };
                if let Some(slot) = given.get_mut(at) {
                    *slot = Given::One(expression);
                }
            }
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expression)) => {
                let Some(parameter) = taken.get(place) else { return Ok(None) };
                match given.get_mut(place) {
                    Some(Given::Many(many)) => many.push(expression),
                    Some(slot) if parameter.mode == Mode::Variadic => *slot = Given::Many(vec![expression]),
                    Some(slot) => {
                        *slot = Given::One(expression);
                        place += 1;
                    }
                    None => return Ok(None),
                }
            }
            other => return refuse(format!("the argument {other} is not supported")),
        }
    }
    let is_missing =
        |(parameter, given): (&&Parameter, &Given<'_>)| matches!(given, Given::Default) && parameter.default.is_none();
    Ok((!taken.iter().zip(&given).any(is_missing)).then_some(given))
}

fn argument_of(argument: &FunctionArg) -> Option<&Expr> {
    match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expression))
        | FunctionArg::Named { arg: FunctionArgExpr::Expr(expression), .. } => Some(expression),
        _ => None,
    }
}

/// In parentheses, unless it is one word.
fn wrapped(written: String) -> String {
    let is_word = written.chars().all(|character| character.is_alphanumeric() || matches!(character, '_' | '.'));
    if is_word { written } else { format!("({written})") }
}
