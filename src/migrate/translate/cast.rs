//! Casts, constants and the current moment.

use sqlparser::ast::{DataType, Expr, FunctionArguments};

use super::arithmetic::is_number;
use super::decimal::held;
use super::expression::{is_fractional, is_temporal, moment};
use super::literal::Literal;
use super::scope::Scope;
use super::{Refusal, function, name, refuse, types};
use crate::catalog::{TypeKind, TypeName};

impl Scope<'_> {
    /// Writes `expression` as a value for a column of the type: constants and moments in the form that is stored there.
    pub(super) fn assigned(&self, expression: &Expr, type_name: &TypeName) -> Result<String, Refusal> {
        let kind = &type_name.kind;
        if self.moment(expression).is_some() {
            let text = matches!(kind, TypeKind::Text { .. } | TypeKind::Other | TypeKind::Any);
            return Ok(moment(if is_temporal(kind) && !text { kind } else { &TypeKind::TimestampTz }));
        }
        if let Some(literal) = self.constant(expression)? {
            return Ok(literal.stored(type_name)?.to_sql());
        }
        let is_extended = self.functions.get().are_extended();
        if is_extended && let Some(written) = self.assigned_number(expression, kind)? {
            return Ok(written);
        }
        let written = if kind.is_decimal_text() { self.write_for_text(expression)? } else { self.write(expression)? };
        if matches!(kind, TypeKind::Numeric { precision: Some(_), .. }) && is_extended {
            return Ok(format!("berth_cast({written}, {})", name::text(&type_name.held_name())));
        }
        if let Some(from) = self.computed_number(expression, kind).filter(|_| is_extended) {
            let (from, to) = (from.postgres_name(), kind.postgres_name());
            return Ok(format!("berth_convert({written}, {}, {})", name::text(&from), name::text(&to)));
        }
        match self.kind(expression) {
            Some(from) if is_temporal(&from) && is_temporal(kind) && from != *kind => convert(&written, &from, kind),
            _ => Ok(written),
        }
    }

    /// Writes a number for what takes another kind of number; `None` where SQLite does, or the rest of
    /// [`assigned`](Self::assigned).
    fn assigned_number(&self, expression: &Expr, to: &TypeKind) -> Result<Option<String>, Refusal> {
        let Some(from) = self.number_kind(expression) else { return Ok(None) };
        Ok(match (&from, to) {
            (_, TypeKind::Numeric { precision: None, .. }) if self.is_kept(expression) => {
                Some(self.write_name(expression)?)
            }
            (_, TypeKind::Numeric { precision: None, .. }) => Some(self.decimal(expression)?),
            (TypeKind::Numeric { .. }, TypeKind::Real | TypeKind::Double) => {
                let number = self.decimal(expression)?;
                Some(format!("berth_convert({number}, 'numeric', {})", name::text(&to.postgres_name())))
            }
            _ => None,
        })
    }

    /// The kind of number that an expression computes for an integer of the kind `to`, which it may not fit; `None` for
    /// what is in its range already, and for what is not known to be a number.
    fn computed_number(&self, expression: &Expr, to: &TypeKind) -> Option<TypeKind> {
        let width = integer_width(to)?;
        let (from, is_kept) = match expression {
            Expr::Nested(inner) => return self.computed_number(inner, to),
            Expr::Identifier(_) | Expr::CompoundIdentifier(_) => (self.kind(expression)?, true),
            // A cast of one integer to another writes nothing.
            Expr::Cast { expr, .. } if self.number_kind(expr).as_ref().and_then(integer_width).is_some() => {
                return self.computed_number(expr, to);
            }
            Expr::Cast { .. } => (self.kind(expression)?, true),
            other => (self.number_kind(other)?, false),
        };
        match integer_width(&from) {
            Some(from_width) if is_kept && from_width <= width => None,
            // SQLite's integers are of 64 bits, whatever they are computed of.
            Some(_) => Some(TypeKind::BigInt),
            None => is_fractional(&from).then_some(from),
        }
    }

    /// The constant that an expression is, its casts carried out; `None` when it is none.
    pub(super) fn constant(&self, expression: &Expr) -> Result<Option<Literal>, Refusal> {
        let (inner, data_type) = match expression {
            Expr::Nested(inner) => return self.constant(inner),
            // It is read where it is asked for.
            Expr::Cast { data_type: DataType::TsQuery, .. } => return Ok(None),
            Expr::Cast { expr, data_type, .. } => (self.constant(expr)?, data_type),
            Expr::TypedString(typed) => (Literal::read(&Expr::Value(typed.value.clone())), &typed.data_type),
            _ => return Ok(Literal::read(expression)),
        };
        let Some(literal) = inner.filter(|_| !matches!(data_type, DataType::Regclass)) else { return Ok(None) };
        let declared = types::declared(data_type, &self.schema.types)?;
        if let (Some(labels), Literal::Text(text)) = (types::labels(&declared, &self.schema.types), &literal)
            && !labels.contains(text)
        {
            return refuse(format!("invalid input value for enum {declared}: \"{text}\""));
        }
        let type_name = types::type_name(types::base(&declared, &self.schema.types));
        if let (TypeKind::Text { max_length: Some(length) }, Literal::Text(text)) = (&type_name.kind, &literal) {
            // An explicit cast cuts off what does not fit.
            return Ok(Some(Literal::Text(
                text.chars().take(usize::try_from(*length).unwrap_or(usize::MAX)).collect(),
            )));
        }
        let stored = literal.clone().stored(&type_name)?;
        // An array stays in Postgres' spelling, to be read again by whatever it is assigned to or compared with.
        Ok(Some(if matches!(type_name.kind, TypeKind::Array(_)) { literal } else { stored }))
    }

    /// The kind of moment when the expression is the current one: `now()`, `CURRENT_DATE`, `now()::date`, …
    pub(super) fn moment(&self, expression: &Expr) -> Option<TypeKind> {
        match expression {
            Expr::Nested(inner) => self.moment(inner),
            Expr::Cast { expr, data_type, .. } => {
                let declared = types::declared(data_type, &self.schema.types).ok()?;
                let kind = Some(types::type_name(&declared).kind).filter(is_temporal);
                let now = matches!(Literal::read(expr), Some(Literal::Text(text)) if text == "now");
                if now { kind } else { self.moment(expr).and(kind) }
            }
            Expr::AtTimeZone { timestamp, time_zone } if is_utc(time_zone) => {
                self.moment(timestamp).filter(|kind| *kind == TypeKind::TimestampTz).and(Some(TypeKind::Timestamp))
            }
            Expr::Function(call) => {
                let arguments = match &call.args {
                    FunctionArguments::None => &[],
                    FunctionArguments::List(list) => list.args.as_slice(),
                    FunctionArguments::Subquery(_) => return None,
                };
                match (function::name_of(call).ok()?.as_str(), arguments) {
                    ("now" | "transaction_timestamp" | "statement_timestamp" | "clock_timestamp", [])
                    | ("current_timestamp", _) => Some(TypeKind::TimestampTz),
                    ("localtimestamp", _) => Some(TypeKind::Timestamp),
                    ("current_date", _) => Some(TypeKind::Date),
                    ("current_time", _) => Some(TypeKind::TimeTz),
                    ("localtime", _) => Some(TypeKind::Time),
                    ("timezone", [zone, time]) => {
                        let (zone, time) = (function::plain(zone).ok()?, function::plain(time).ok()?);
                        self.moment(time)
                            .filter(|kind| *kind == TypeKind::TimestampTz && is_utc(zone))
                            .and(Some(TypeKind::Timestamp))
                    }
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// `timestamp AT TIME ZONE 'utc'`, the only zone whose rules need no table.
    pub(super) fn at_time_zone(&self, timestamp: &Expr, zone: &Expr) -> Result<String, Refusal> {
        if !is_utc(zone) {
            return refuse("of the time zones only UTC is supported");
        }
        let written = self.write(timestamp)?;
        match self.kind(timestamp) {
            Some(TypeKind::TimestampTz) => convert(&written, &TypeKind::TimestampTz, &TypeKind::Timestamp),
            Some(TypeKind::Timestamp) => convert(&written, &TypeKind::Timestamp, &TypeKind::TimestampTz),
            _ => refuse("AT TIME ZONE needs a column of a timestamp type"),
        }
    }

    /// `CAST (expression AS type)` and `expression::type`.
    pub(super) fn cast(&self, expression: &Expr, data_type: &DataType) -> Result<String, Refusal> {
        let declared = types::declared(data_type, &self.schema.types)?;
        let to = types::type_name(types::base(&declared, &self.schema.types));
        let kind = to.kind.clone();
        if let (Expr::Array(array), TypeKind::Array(_)) = (expression, &kind)
            && array.elem.is_empty()
        {
            return Ok("'[]'".to_owned());
        }
        if let Some(written) = self.cast_number(expression, &to)? {
            return Ok(written);
        }
        let is_text = matches!(kind, TypeKind::Text { .. });
        let written = if is_text { self.operand_as_held(expression)? } else { self.operand(expression)? };
        let from = self.kind(expression);
        if from.as_ref() == Some(&kind) {
            return Ok(written);
        }
        if let Some(written) = self.read_as(&written, from.as_ref(), &to) {
            return Ok(written);
        }
        if let Some(written) = self.converted(&written, from.as_ref(), &kind) {
            return Ok(written);
        }
        convert(&written, from.as_ref().unwrap_or(&TypeKind::Any), &kind)
    }

    /// A cast of a number by berth's functions; `None` where SQLite's own do, or they may not be called.
    fn cast_number(&self, expression: &Expr, to: &TypeName) -> Result<Option<String>, Refusal> {
        if !self.functions.get().are_extended() {
            return Ok(None);
        }
        let Some(from) = self.number_kind(expression) else { return Ok(None) };
        let is_widened = integer_width(&from).zip(integer_width(&to.kind)).is_some_and(|(from, to)| from <= to);
        let is_printed = matches!(to.kind, TypeKind::Text { max_length: None }) && integer_width(&from).is_some();
        if from == to.kind || is_widened || is_printed || !(is_number(&to.kind) || is_text(&to.kind)) {
            return Ok(None);
        }
        if matches!(to.kind, TypeKind::Numeric { precision: None, .. }) {
            return self.decimal(expression).map(Some);
        }
        let is_decimal = matches!(from, TypeKind::Numeric { .. });
        let number = if is_decimal { self.decimal(expression)? } else { self.write(expression)? };
        if is_decimal && to.kind == (TypeKind::Text { max_length: None }) {
            return Ok(Some(number));
        }
        let from = if is_decimal { "numeric".to_owned() } else { from.postgres_name() };
        let to = held(to.clone()).held_name();
        Ok(Some(format!("berth_convert({number}, {}, {})", name::text(&from), name::text(&to))))
    }
}

/// Turns `written`, a value of the kind `from` (`Any`: unknown), into one of the kind `to`.
pub(super) fn convert(written: &str, from: &TypeKind, to: &TypeKind) -> Result<String, Refusal> {
    use TypeKind as Kind;
    let whole = matches!(from, Kind::SmallInt | Kind::Integer | Kind::BigInt | Kind::Boolean);
    Ok(match (from, to) {
        (_, Kind::SmallInt | Kind::Integer | Kind::BigInt) if whole => written.to_owned(),
        (_, Kind::SmallInt | Kind::Integer) => format!("CAST(round({written}) AS INTEGER)"),
        (_, Kind::BigInt) => format!("CAST({written} AS INTEGER)"),
        (_, Kind::Real | Kind::Double) => format!("CAST({written} AS REAL)"),
        (_, Kind::Numeric { scale: Some(scale), .. }) => format!("round({written}, {scale})"),
        (_, Kind::Numeric { .. }) => format!("CAST({written} AS NUMERIC)"),
        (Kind::SmallInt | Kind::Integer | Kind::BigInt, Kind::Boolean) => format!("({written} <> 0)"),
        (Kind::Boolean, Kind::Text { .. }) => {
            format!("CASE WHEN {written} THEN 'true' WHEN NOT {written} THEN 'false' END")
        }
        (_, Kind::Text { max_length: Some(length) }) => format!("substr(CAST({written} AS TEXT), 1, {length})"),
        (Kind::Text { .. }, Kind::Text { .. }) => written.to_owned(),
        (_, Kind::Text { .. }) => format!("CAST({written} AS TEXT)"),
        (Kind::Date | Kind::Timestamp | Kind::TimestampTz | Kind::Any, Kind::Date) => {
            format!("substr({written}, 1, 10)")
        }
        (Kind::Date, Kind::Timestamp) => format!("({written} || ' 00:00:00')"),
        (Kind::Date, Kind::TimestampTz) => format!("({written} || ' 00:00:00+00')"),
        (Kind::Timestamp, Kind::TimestampTz) => format!("({written} || '+00')"),
        (Kind::TimestampTz, Kind::Timestamp) => format!("substr({written}, 1, length({written}) - 3)"),
        (Kind::Timestamp, Kind::Time) => format!("substr({written}, 12)"),
        (Kind::Text { .. } | Kind::Any, Kind::Uuid) => format!("lower({written})"),
        (Kind::Text { .. } | Kind::Json | Kind::Jsonb | Kind::Any, Kind::Json | Kind::Jsonb) => {
            format!("json({written})")
        }
        (Kind::Text { .. } | Kind::Other | Kind::Any, Kind::Other) => written.to_owned(),
        (Kind::Array(from), Kind::Array(to)) if from == to => written.to_owned(),
        (Kind::Array(from), Kind::Array(to)) if is_text(from) && is_text(to) => written.to_owned(),
        (from, to) => {
            let (from, to) = (from.postgres_name(), to.postgres_name());
            return refuse(format!("a cast from {from} to {to} is not supported"));
        }
    })
}

/// Bytes of an integer; `None` for what is none.
pub(super) fn integer_width(kind: &TypeKind) -> Option<u8> {
    match kind {
        TypeKind::SmallInt => Some(2),
        TypeKind::Integer => Some(4),
        TypeKind::BigInt => Some(8),
        _ => None,
    }
}

fn is_text(kind: &TypeKind) -> bool {
    matches!(kind, TypeKind::Text { .. })
}

fn is_utc(zone: &Expr) -> bool {
    let zone = match zone {
        Expr::Cast { expr, .. } => Literal::read(expr),
        other => Literal::read(other),
    };
    matches!(zone, Some(Literal::Text(zone)) if ["utc", "gmt", "z"].contains(&zone.to_lowercase().as_str()))
}

/// The name of a sequence in `nextval('public.films_id_seq'::regclass)`, without its schema.
pub(super) fn sequence_name(expression: &Expr) -> Option<String> {
    let text = match expression {
        Expr::Nested(inner) => return sequence_name(inner),
        Expr::Cast { expr, .. } => return sequence_name(expr),
        other => match Literal::read(other)? {
            Literal::Text(text) => text,
            Literal::Number(_) | Literal::Boolean(_) | Literal::Bytes(_) | Literal::Null => return None,
        },
    };
    let prefix = format!("{}.", name::SCHEMA);
    Some(text.strip_prefix(&prefix).unwrap_or(&text).trim_matches('"').to_owned())
}
