//! Function calls: the ones that SQLite has under the same or another name, and a few that it can spell out.

use sqlparser::ast::{
    DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentClause, FunctionArgumentList,
    FunctionArguments, WindowType,
};

use super::arithmetic::Gathering;
use super::expression::is_temporal;
use super::literal::Literal;
use super::scope::Scope;
use super::{Refusal, document, name, refuse, search, session};
use crate::catalog::TypeKind;
use crate::catalog::type_name::DECIMAL;

/// A random UUID of version 4, in lower case.
const UUID_V4: &str = "lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || \
    substr(hex(randomblob(2)), 2) || '-' || substr('89ab', 1 + (random() & 3), 1) || \
    substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))";

/// Most arguments of `greatest` and `least`: what is written doubles with each.
const COMPARED_MAX: usize = 8;

/// PostgreSQL's name and SQLite's, where the arguments and the meaning are the same.
const RENAMED: [(&str, &str); 57] = [
    ("abs", "abs"),
    ("acos", "acos"),
    ("asin", "asin"),
    ("atan", "atan"),
    ("atan2", "atan2"),
    ("avg", "avg"),
    ("bool_and", "min"),
    ("bool_or", "max"),
    ("btrim", "trim"),
    ("ceil", "ceil"),
    ("ceiling", "ceil"),
    ("char_length", "length"),
    ("character_length", "length"),
    ("coalesce", "coalesce"),
    ("cos", "cos"),
    ("count", "count"),
    ("cume_dist", "cume_dist"),
    ("degrees", "degrees"),
    ("dense_rank", "dense_rank"),
    ("every", "min"),
    ("exp", "exp"),
    ("first_value", "first_value"),
    ("floor", "floor"),
    ("json_array_length", "json_array_length"),
    ("jsonb_array_length", "json_array_length"),
    ("lag", "lag"),
    ("last_value", "last_value"),
    ("lead", "lead"),
    ("length", "length"),
    ("ln", "ln"),
    ("log", "log"),
    ("log10", "log10"),
    ("ltrim", "ltrim"),
    ("max", "max"),
    ("min", "min"),
    ("nth_value", "nth_value"),
    ("ntile", "ntile"),
    ("nullif", "nullif"),
    ("octet_length", "octet_length"),
    ("percent_rank", "percent_rank"),
    ("pi", "pi"),
    ("pow", "pow"),
    ("power", "pow"),
    ("radians", "radians"),
    ("rank", "rank"),
    ("replace", "replace"),
    ("round", "round"),
    ("row_number", "row_number"),
    ("rtrim", "rtrim"),
    ("sign", "sign"),
    ("sin", "sin"),
    ("sqrt", "sqrt"),
    ("string_agg", "group_concat"),
    ("strpos", "instr"),
    ("sum", "sum"),
    ("tan", "tan"),
    ("trunc", "trunc"),
];

/// The function's name without the schemas that extensions and the catalog live in.
pub(super) fn name_of(call: &Function) -> Result<String, Refusal> {
    let mut parts = name::parts(&call.name)?;
    let last = parts.pop().unwrap_or_default();
    match parts.last().map(String::as_str) {
        None | Some("pg_catalog" | "extensions" | name::SCHEMA) => Ok(last),
        Some(schema) => refuse(format!("the function {} lies in the schema \"{schema}\"", call.name)),
    }
}

/// An argument without a name.
pub(super) fn plain(argument: &FunctionArg) -> Result<&Expr, Refusal> {
    match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expression)) => Ok(expression),
        other => refuse(format!("the argument {other} is not supported")),
    }
}

/// The arguments of a call, which must be expressions.
pub(super) fn arguments(call: &Function) -> Result<Vec<&Expr>, Refusal> {
    match &call.args {
        FunctionArguments::None => Ok(Vec::new()),
        FunctionArguments::List(list) => list.args.iter().map(plain).collect(),
        FunctionArguments::Subquery(_) => refuse("a query is no argument"),
    }
}

/// `count(*)`.
fn is_wildcard(list: &FunctionArgumentList) -> bool {
    matches!(list.args.as_slice(), [FunctionArg::Unnamed(FunctionArgExpr::Wildcard)])
}

impl Scope<'_> {
    pub(super) fn call(&self, call: &Function) -> Result<String, Refusal> {
        if let Some(asked) = session::Asked::by(call)? {
            return Ok(asked.write());
        }
        let name = name_of(call)?;
        if let Some(written) = self.own_call(&name, call)? {
            return Ok(written);
        }
        if let Some(written) = self.search_call(&name, call)? {
            return Ok(written);
        }
        if let Some(written) = self.served_call(&name, call)? {
            return Ok(written);
        }
        if let Some(written) = self.temporal_call(&name, call)? {
            return Ok(written);
        }
        if let Some(written) = self.document_call(&name, call)? {
            return Ok(written);
        }
        if self.functions.get().are_extended()
            && let Some(written) = self.number_function(&name, &arguments(call).unwrap_or_default())?
        {
            return Ok(written);
        }
        if let Some(written) = self.spell_out(&name, call)? {
            return Ok(written);
        }
        let Some((_, own)) = RENAMED.iter().find(|(theirs, _)| *theirs == name) else {
            return refuse(format!("the function {name}() is not supported"));
        };
        if matches!(*own, "min" | "max") && arguments(call)?.len() != 1 {
            return refuse(format!("the function {name}() takes one argument"));
        }
        let items = self.arguments_text(call)?;
        match self.gathering(&name, call).filter(|_| self.functions.get().are_extended()) {
            Some(Gathering { function, more }) => self.aggregate(function, call, &(items + &more)),
            None => self.aggregate(own, call, &items),
        }
    }

    /// What a function is given, separated by commas.
    fn arguments_text(&self, call: &Function) -> Result<String, Refusal> {
        if matches!(&call.args, FunctionArguments::List(list) if is_wildcard(list)) {
            return Ok("*".to_owned());
        }
        Ok(self.items_of(call)?.join(", "))
    }

    /// Writes a call of SQLite's own function over `items`, with all that an aggregate or a window has.
    pub(super) fn aggregate(&self, own: &str, call: &Function, items: &str) -> Result<String, Refusal> {
        if !call.within_group.is_empty() || call.null_treatment.is_some() {
            return refuse(format!("WITHIN GROUP and IGNORE NULLS are not supported: {call}"));
        }
        let mut written = format!("{own}({})", self.argument_list(call, items)?);
        if let Some(filter) = &call.filter {
            written += &format!(" FILTER (WHERE {})", self.write(filter)?);
        }
        match &call.over {
            None => {}
            Some(WindowType::NamedWindow(window)) => written += &format!(" OVER {}", name::quote(&name::fold(window))),
            Some(WindowType::WindowSpec(window)) => written += &format!(" OVER ({})", self.window(window)?),
        }
        Ok(written)
    }

    fn argument_list(&self, call: &Function, items: &str) -> Result<String, Refusal> {
        let FunctionArguments::List(list) = &call.args else { return Ok(String::new()) };
        let mut written = match list.duplicate_treatment {
            Some(DuplicateTreatment::Distinct) => "DISTINCT ".to_owned(),
            Some(DuplicateTreatment::All) | None => String::new(),
        };
        written += items;
        for clause in &list.clauses {
            let FunctionArgumentClause::OrderBy(order) = clause else {
                return refuse(format!("{clause} is not supported"));
            };
            written += &format!(" ORDER BY {}", self.order(order)?);
        }
        Ok(written)
    }

    /// The arguments of a call, each in the form that the function takes.
    fn items_of(&self, call: &Function) -> Result<Vec<String>, Refusal> {
        let (name, arguments) = (name_of(call)?, arguments(call)?);
        if name == "coalesce" {
            return self.alike(&arguments);
        }
        let write = |argument: &Expr| match name.as_str() {
            "min" | "max" | "nullif" if self.is_wide(argument) => self.write_as_held(argument),
            "sum" | "avg" if self.is_distinct(call) => self.decimal_operand(argument),
            _ => self.write(argument),
        };
        match (name.as_str(), arguments.as_slice()) {
            ("nullif", [value, other]) => Ok(vec![write(value)?, self.comparand(other, value)?]),
            _ => arguments.into_iter().map(write).collect(),
        }
    }

    fn is_distinct(&self, call: &Function) -> bool {
        matches!(&call.args, FunctionArguments::List(list)
            if list.duplicate_treatment == Some(DuplicateTreatment::Distinct) && self.functions.get().are_extended())
    }

    /// Functions that SQLite has no name for; `None` when this is none of them.
    fn spell_out(&self, name: &str, call: &Function) -> Result<Option<String>, Refusal> {
        let pair = || -> Result<(&Expr, &Expr), Refusal> {
            match arguments(call)?.as_slice() {
                [first, second] => Ok((first, second)),
                _ => refuse(format!("the function {name}() takes two arguments")),
            }
        };
        Ok(Some(match name {
            // Of a name that is no constant: any other is asked for by `session`.
            "current_setting" => {
                let written = arguments(call)?.into_iter().map(|argument| self.write(argument));
                let mut written = written.collect::<Result<Vec<_>, _>>()?;
                written.resize(2, "0".to_owned());
                format!("berth_any_setting({})", written.join(", "))
            }
            "gen_random_uuid" | "uuid_generate_v4" => UUID_V4.to_owned(),
            "random" => "(0.5 + random() / 18446744073709551616.0)".to_owned(),
            "mod" => {
                let (dividend, divisor) = pair()?;
                self.remainder(dividend, divisor)?
            }
            // SQLite's min and max give null when any argument is null; Postgres' pass nulls over.
            "greatest" | "least" => {
                let function = if name == "greatest" { "max" } else { "min" };
                let [rest @ .., last] = &arguments(call)?[..] else { return refuse(format!("{name}() of nothing")) };
                if rest.len() >= COMPARED_MAX {
                    return refuse(format!("the function {name}() takes at most {COMPARED_MAX} arguments"));
                }
                let are_decimals = self.are_decimals(&arguments(call)?);
                let collation = if are_decimals { format!(" COLLATE {DECIMAL}") } else { String::new() };
                let write = |of: &Expr| if are_decimals { self.decimal(of) } else { self.write(of) };
                let mut written = write(last)?;
                for argument in rest.iter().rev() {
                    let first = write(argument)?;
                    written =
                        format!("{function}(coalesce({first}, {written}){collation}, coalesce({written}, {first}))");
                }
                written
            }
            // An argument that is null is passed over, and a separator that is null gives null.
            "concat" | "concat_ws" => {
                let written: Result<Vec<_>, _> = arguments(call)?.into_iter().map(|of| self.concatenated(of)).collect();
                format!("{name}({})", written?.join(", "))
            }
            "coalesce" | "nullif" => {
                let Some(kind) = self.kind_of_texts(call)? else { return Ok(None) };
                let written: Result<Vec<_>, _> =
                    arguments(call)?.into_iter().map(|of| self.as_constant_of(of, &kind)).collect();
                format!("{name}({})", written?.join(", "))
            }
            "round" if self.is_float(call)? => format!("berth_round({})", self.arguments_text(call)?),
            "json_typeof" | "jsonb_typeof" => {
                let [json] = arguments(call)?[..] else { return refuse(format!("the function {name}() takes JSON")) };
                let json = self.write(json)?;
                format!(
                    "CASE json_type({json}) WHEN 'text' THEN 'string' WHEN 'integer' THEN 'number' \
                     WHEN 'real' THEN 'number' WHEN 'true' THEN 'boolean' WHEN 'false' THEN 'boolean' \
                     ELSE json_type({json}) END"
                )
            }
            "date_trunc" => {
                let (unit, moment) = pair()?;
                self.date_trunc(unit, moment)?
            }
            "date_part" => {
                let (field, moment) = pair()?;
                let Some(Literal::Text(field)) = self.constant(field)? else {
                    return refuse("the field of date_part() must be a constant");
                };
                self.extract(&field, moment)?
            }
            "nextval" | "currval" | "lastval" | "setval" => {
                return refuse("sequences exist only under identity and serial columns");
            }
            _ => return Ok(None),
        }))
    }

    /// An argument of `concat`: booleans become `t` and `f` there.
    fn concatenated(&self, argument: &Expr) -> Result<String, Refusal> {
        match self.kind(argument) {
            Some(TypeKind::Boolean) => {
                let written = self.operand(argument)?;
                Ok(format!("CASE WHEN {written} THEN 't' WHEN NOT {written} THEN 'f' END"))
            }
            _ => self.printed(argument),
        }
    }

    /// The kind of the arguments where it is one whose constants are written otherwise than they are kept.
    fn kind_of_texts(&self, call: &Function) -> Result<Option<TypeKind>, Refusal> {
        let kind = arguments(call)?.into_iter().find_map(|argument| self.kind(argument));
        let is_kept_otherwise =
            |kind: &TypeKind| matches!(kind, TypeKind::Array(_) | TypeKind::Jsonb) || is_temporal(kind);
        Ok(kind.filter(is_kept_otherwise))
    }

    /// True when the only argument is a float.
    fn is_float(&self, call: &Function) -> Result<bool, Refusal> {
        let [only] = arguments(call)?[..] else { return Ok(false) };
        Ok(matches!(self.kind(only), Some(TypeKind::Real | TypeKind::Double)))
    }

    pub(super) fn function_kind(&self, call: &Function) -> Option<TypeKind> {
        if let Ok(Some(asked)) = session::Asked::by(call) {
            return Some(asked.kind());
        }
        let name = name_of(call).ok()?;
        let own = self.kind_of_own(&name, call).or_else(|| self.kind_of_served(&name, call));
        if let Some(kind) = own.or_else(|| self.kind_of_temporal(&name, call)) {
            return Some(kind);
        }
        match name.as_str() {
            "current_setting" => Some(TypeKind::Text { max_length: None }),
            "sum" => match self.number_kind(arguments(call).ok()?.first()?)? {
                TypeKind::SmallInt | TypeKind::Integer => Some(TypeKind::BigInt),
                TypeKind::BigInt | TypeKind::Numeric { .. } => Some(TypeKind::DECIMAL),
                other => Some(other),
            },
            "bool_and" | "bool_or" | "every" => Some(TypeKind::Boolean),
            "array_agg" => Some(TypeKind::Array(Box::new(self.kind(arguments(call).ok()?.first()?)?))),
            "coalesce" | "greatest" | "least" => self.common_kind(&arguments(call).ok()?),
            "min" | "max" | "nullif" | "lag" | "lead" | "first_value" | "last_value" => {
                self.kind(arguments(call).ok()?.first()?)
            }
            "avg" => match self.number_kind(arguments(call).ok()?.first()?)? {
                TypeKind::Real | TypeKind::Double => Some(TypeKind::Double),
                _ => Some(TypeKind::DECIMAL),
            },
            "count" | "row_number" | "rank" | "dense_rank" => Some(TypeKind::BigInt),
            "length" | "char_length" | "character_length" | "octet_length" | "strpos" => Some(TypeKind::Integer),
            "btrim" | "concat" | "concat_ws" | "json_typeof" | "jsonb_typeof" | "ltrim" | "replace" | "rtrim"
            | "string_agg" => Some(TypeKind::Text { max_length: None }),
            "gen_random_uuid" | "uuid_generate_v4" => Some(TypeKind::Uuid),
            other => document::kind_of(other)
                .or_else(|| search::kind_of(other))
                .or_else(|| self.number_function_kind(other, &arguments(call).ok()?)),
        }
    }
}
