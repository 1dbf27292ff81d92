//! Expressions: PostgreSQL's → SQLite's. What stands in the definition of a table is written with SQLite's own functions
//! where they mean the same ([`Functions::Own`]): whoever writes to the file by other means has no others.
//!
//! What is not known to mean the same on both engines is refused. Start at [`Scope::write`].

use sqlparser::ast::{
    AccessExpr, Array, BinaryOperator, DataType, Expr, Subscript, TrimWhereField, TypedString, UnaryOperator,
};

use super::arithmetic::{is_number, unbounded};
use super::choice::results_of;
use super::literal::Literal;
use super::scope::Scope;
use super::{Refusal, name, refuse, session, types};
use crate::catalog::TypeKind;

/// How deep an expression may nest: each level costs stack, and SQLite itself stops at 1000.
const DEPTH_MAX: usize = 200;

/// Which functions an expression may call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Functions {
    /// SQLite's own where they serve, so that others can write to the file.
    Own,
    /// berth's too, which mean what Postgres' operators and casts mean also for odd values.
    Served,
    /// The same, inside of an expression that asks the request and no row.
    Request,
}

impl Functions {
    /// True where berth's may be called.
    pub(super) fn are_extended(self) -> bool {
        matches!(self, Self::Request | Self::Served)
    }
}

impl Scope<'_> {
    /// Writes an expression for SQLite.
    pub(super) fn write(&self, expression: &Expr) -> Result<String, Refusal> {
        if self.depth.get() >= DEPTH_MAX {
            return refuse(format!("an expression nests deeper than {DEPTH_MAX}"));
        }
        self.depth.set(self.depth.get() + 1);
        let written = self.write_one(expression);
        self.depth.set(self.depth.get() - 1);
        written
    }

    fn write_one(&self, expression: &Expr) -> Result<String, Refusal> {
        if let Some(kind) = self.moment(expression) {
            return Ok(moment(&kind));
        }
        if let Some(literal) = self.constant(expression)? {
            return Ok(match self.kind(expression) {
                Some(kind @ TypeKind::Array(_)) => literal.comparable(&kind)?.to_sql(),
                _ => literal.to_sql(),
            });
        }
        if let Some(asked) = self.ask_request(expression)? {
            return Ok(asked);
        }
        match expression {
            Expr::Identifier(ident) if session::is_current_role(ident) => Ok(session::Asked::User.write()),
            Expr::Identifier(_) | Expr::CompoundIdentifier(_) | Expr::Value(_) | Expr::CompoundFieldAccess { .. } => {
                Ok(self.as_number(expression, self.write_name(expression)?))
            }
            Expr::Nested(inner) => {
                let inner = self.write(inner)?;
                Ok(if is_wrapped(&inner) { inner } else { format!("({inner})") })
            }
            Expr::Cast { data_type: DataType::TsQuery, .. } => self.search_query(expression),
            Expr::Cast { expr, data_type, format: None, .. } => self.cast(expr, data_type),
            Expr::BinaryOp { left, op, right } => self.binary(left, op, right),
            Expr::UnaryOp { op, expr } => self.unary(op, expr),
            Expr::IsNull(inner) | Expr::IsUnknown(inner) => Ok(format!("{} IS NULL", self.operand_as_held(inner)?)),
            Expr::IsNotNull(inner) | Expr::IsNotUnknown(inner) => {
                Ok(format!("{} IS NOT NULL", self.operand_as_held(inner)?))
            }
            Expr::IsTrue(inner) => Ok(format!("{} IS TRUE", self.operand(inner)?)),
            Expr::IsNotTrue(inner) => Ok(format!("{} IS NOT TRUE", self.operand(inner)?)),
            Expr::IsFalse(inner) => Ok(format!("{} IS FALSE", self.operand(inner)?)),
            Expr::IsNotFalse(inner) => Ok(format!("{} IS NOT FALSE", self.operand(inner)?)),
            Expr::IsDistinctFrom(left, right) => self.compare(left, "IS NOT", right),
            Expr::IsNotDistinctFrom(left, right) => self.compare(left, "IS", right),
            Expr::In { expr, target, negated, .. } => self.write_in(expr, target, not(*negated)),
            Expr::AnyOp { left, compare_op: BinaryOperator::Eq, right, .. } => self.write_any(left, right, ""),
            Expr::AllOp { left, compare_op: BinaryOperator::NotEq, right } => self.write_any(left, right, "NOT "),
            Expr::Between { expr, negated, low, high } => self.write_between(expr, low, high, not(*negated)),
            Expr::Like { negated, any: false, expr, pattern, escape_char: None } => {
                self.write_like(expr, pattern, not(*negated))
            }
            Expr::ILike { negated, any: false, expr, pattern, escape_char: None } => {
                self.write_ilike(expr, pattern, not(*negated))
            }
            Expr::Case { operand, conditions, else_result, .. } => {
                self.case(operand.as_deref(), conditions, else_result.as_deref())
            }
            Expr::Exists { subquery, negated } => Ok(format!("{}EXISTS ({})", not(*negated), self.query(subquery)?)),
            Expr::Subquery(query) => self.value_of(query),
            Expr::Tuple(items) => Ok(format!("({})", self.write_all(items)?)),
            Expr::Array(Array { elem, .. }) => Ok(format!("json_array({})", self.write_all(elem)?)),
            Expr::Function(function) => self.call(function),
            Expr::Interval(interval) => self.interval(interval),
            _ => self.write_syntax(expression),
        }
    }

    /// A column, a parameter, or a member of one.
    pub(super) fn write_name(&self, expression: &Expr) -> Result<String, Refusal> {
        match expression {
            Expr::Nested(inner) => self.write_name(inner),
            Expr::Identifier(ident) => self.column(std::slice::from_ref(ident)),
            Expr::CompoundIdentifier(idents) => self.column(idents),
            Expr::CompoundFieldAccess { root, access_chain } => self.written_argument(root, access_chain),
            other => self.written_argument(other, &[]),
        }
    }

    /// Functions with a syntax of their own.
    fn write_syntax(&self, expression: &Expr) -> Result<String, Refusal> {
        match expression {
            Expr::Extract { field, expr, .. } => self.extract(&field.to_string(), expr),
            Expr::Position { expr, r#in } => Ok(format!("instr({}, {})", self.write(r#in)?, self.write(expr)?)),
            Expr::Substring { expr, substring_from: from, substring_for: length, .. } => {
                let first = Expr::value(sqlparser::ast::Value::Number("1".to_owned(), false));
                self.substring(expr, from.as_deref().unwrap_or(&first), length.as_deref())
            }
            Expr::Trim { trim_where, trim_what, expr, trim_characters: None } => {
                let function = match trim_where {
                    None | Some(TrimWhereField::Both) => "trim",
                    Some(TrimWhereField::Leading) => "ltrim",
                    Some(TrimWhereField::Trailing) => "rtrim",
                };
                let what = trim_what.as_ref().map(|what| self.write(what)).transpose()?;
                let what = what.map(|what| format!(", {what}")).unwrap_or_default();
                Ok(format!("{function}({}{what})", self.write(expr)?))
            }
            Expr::Floor { expr, .. } => self.whole_number("floor", expr),
            Expr::Ceil { expr, .. } => self.whole_number("ceil", expr),
            Expr::AtTimeZone { timestamp, time_zone } => self.at_time_zone(timestamp, time_zone),
            Expr::Collate { expr, collation } => match name::parts(collation)?.last().map(String::as_str) {
                Some("C" | "POSIX" | "default") => Ok(format!("{} COLLATE BINARY", self.operand(expr)?)),
                _ => refuse(format!("the collation {collation} is not supported")),
            },
            other => refuse(format!("the expression {other} is not supported")),
        }
    }

    fn whole_number(&self, function: &str, number: &Expr) -> Result<String, Refusal> {
        if self.functions.get().are_extended()
            && let Some(written) = self.number_function(function, &[number])?
        {
            return Ok(written);
        }
        Ok(format!("{function}({})", self.write(number)?))
    }

    fn written_argument(&self, root: &Expr, access: &[AccessExpr]) -> Result<String, Refusal> {
        if let (Some(TypeKind::Array(_)), [AccessExpr::Subscript(Subscript::Index { index })]) =
            (self.kind(root), access)
        {
            return Ok(format!("berth_array_element({}, {})", self.write(root)?, self.write(index)?));
        }
        match self.argument(root, access)? {
            Some(written) => Ok(written),
            None => {
                let access: String = access.iter().map(ToString::to_string).collect();
                refuse(format!("the expression {root}{access} is not supported"))
            }
        }
    }

    /// Several expressions, separated by commas.
    pub(super) fn write_all(&self, expressions: &[Expr]) -> Result<String, Refusal> {
        let written: Result<Vec<_>, _> = expressions.iter().map(|expression| self.write(expression)).collect();
        Ok(written?.join(", "))
    }

    /// An expression as part of another, in parentheses unless it needs none.
    pub(super) fn operand(&self, expression: &Expr) -> Result<String, Refusal> {
        let written = self.write(expression)?;
        let atomic = !written.contains(|c: char| c.is_whitespace() || "-~".contains(c))
            || is_wrapped(&written)
            || self.constant(expression)?.is_some()
            || matches!(expression, Expr::Function(_) | Expr::Identifier(_) | Expr::CompoundIdentifier(_));
        Ok(if atomic { written } else { format!("({written})") })
    }

    /// What kind of value an expression gives, when that can be told.
    pub(super) fn kind(&self, expression: &Expr) -> Option<TypeKind> {
        let kind = match expression {
            Expr::Identifier(ident) if session::is_current_role(ident) => Some(session::Asked::User.kind()),
            Expr::Identifier(_) | Expr::CompoundIdentifier(_) => self.kind_of_name(&name::of_column(expression)?),
            Expr::CompoundFieldAccess { root, access_chain } => match (self.kind(root), access_chain.as_slice()) {
                (Some(TypeKind::Array(element)), [AccessExpr::Subscript(Subscript::Index { .. })]) => Some(*element),
                _ => self.kind_of_member(root, access_chain),
            },
            Expr::Value(_) => self.placeholder(expression).and_then(|of| self.kind_of_declared(&of.declared)),
            Expr::Nested(inner) => self.kind(inner),
            Expr::Cast { data_type, .. } | Expr::TypedString(TypedString { data_type, .. }) => {
                let declared = types::declared(data_type, &self.schema.types).ok()?;
                Some(types::type_name(types::base(&declared, &self.schema.types)).kind)
            }
            Expr::BinaryOp {
                left,
                op:
                    op @ (BinaryOperator::Plus
                    | BinaryOperator::Minus
                    | BinaryOperator::Multiply
                    | BinaryOperator::Divide
                    | BinaryOperator::Modulo
                    | BinaryOperator::PGExp),
                right,
            } => self.kind_of_arithmetic(left, op, right),
            Expr::Interval(_) => Some(TypeKind::Interval),
            // A number of SQLite, which may have a fraction.
            Expr::Extract { .. } => Some(TypeKind::Double),
            Expr::UnaryOp { op: UnaryOperator::Minus, expr } => constant_kind(expr)
                .or_else(|| self.kind(expr))
                .filter(|kind| is_number(kind) || *kind == TypeKind::Interval)
                .map(unbounded),
            Expr::UnaryOp { op: UnaryOperator::Plus, expr } => self.number_kind(expr),
            Expr::Subquery(query) => {
                self.output(query).ok().flatten().and_then(|columns| self.kind_of_declared(&columns.first()?.declared))
            }
            Expr::BinaryOp { op: BinaryOperator::StringConcat, .. } if self.is_query(expression) => None,
            Expr::BinaryOp { left, op: BinaryOperator::StringConcat, right } => self.kind_of_joined(left, right),
            Expr::BinaryOp { op: BinaryOperator::LongArrow | BinaryOperator::HashLongArrow, .. } => {
                Some(TypeKind::Text { max_length: None })
            }
            Expr::BinaryOp {
                left,
                op: BinaryOperator::Arrow | BinaryOperator::HashArrow | BinaryOperator::HashMinus,
                ..
            } => self.kind(left),
            Expr::BinaryOp {
                op:
                    BinaryOperator::Eq
                    | BinaryOperator::NotEq
                    | BinaryOperator::Lt
                    | BinaryOperator::LtEq
                    | BinaryOperator::Gt
                    | BinaryOperator::GtEq
                    | BinaryOperator::And
                    | BinaryOperator::Or
                    | BinaryOperator::AtAt
                    | BinaryOperator::AtArrow
                    | BinaryOperator::ArrowAt
                    | BinaryOperator::PGOverlap
                    | BinaryOperator::Question
                    | BinaryOperator::QuestionAnd
                    | BinaryOperator::QuestionPipe
                    | BinaryOperator::PGRegexMatch
                    | BinaryOperator::PGRegexIMatch
                    | BinaryOperator::PGRegexNotMatch
                    | BinaryOperator::PGRegexNotIMatch,
                ..
            }
            | Expr::UnaryOp { op: UnaryOperator::Not, .. }
            | Expr::IsNull(_)
            | Expr::IsNotNull(_)
            | Expr::IsTrue(_)
            | Expr::IsNotTrue(_)
            | Expr::IsFalse(_)
            | Expr::IsNotFalse(_)
            | Expr::IsDistinctFrom(..)
            | Expr::IsNotDistinctFrom(..)
            | Expr::AnyOp { .. }
            | Expr::AllOp { .. }
            | Expr::In { .. }
            | Expr::Between { .. }
            | Expr::Like { .. }
            | Expr::ILike { .. }
            | Expr::Exists { .. } => Some(TypeKind::Boolean),
            Expr::Floor { expr, .. } => self.number_function_kind("floor", &[expr]),
            Expr::Ceil { expr, .. } => self.number_function_kind("ceil", &[expr]),
            Expr::Case { conditions, else_result, .. } => {
                self.common_kind(&results_of(conditions, else_result.as_deref()))
            }
            Expr::Function(function) => self.function_kind(function).or_else(|| self.moment(expression)),
            Expr::Array(Array { elem, .. }) => {
                let of = elem.iter().find_map(|element| self.kind(element).or_else(|| constant_kind(element)))?;
                Some(TypeKind::Array(Box::new(of)))
            }
            Expr::AtTimeZone { timestamp, .. } => match self.kind(timestamp)? {
                TypeKind::TimestampTz => Some(TypeKind::Timestamp),
                TypeKind::Timestamp => Some(TypeKind::TimestampTz),
                _ => None,
            },
            Expr::Substring { .. } | Expr::Trim { .. } => Some(TypeKind::Text { max_length: None }),
            _ => self.moment(expression),
        };
        kind.filter(|kind| *kind != TypeKind::Any)
    }

    fn unary(&self, operator: &UnaryOperator, inner: &Expr) -> Result<String, Refusal> {
        if *operator == UnaryOperator::Minus && self.kind(inner) == Some(TypeKind::Interval) {
            return Ok(format!("berth_interval_times({}, -1)", self.write(inner)?));
        }
        if self.functions.get().are_extended()
            && let Some(written) = self.negation(operator, inner)?
        {
            return Ok(written);
        }
        let sign = match operator {
            UnaryOperator::PGPrefixFactorial if self.is_query(inner) => {
                return Ok(format!("berth_ts_not({})", self.write(inner)?));
            }
            UnaryOperator::Not => "NOT ",
            UnaryOperator::Minus => "-",
            UnaryOperator::Plus => "+",
            UnaryOperator::BitwiseNot => "~",
            _ => return refuse(format!("the operator {operator} is not supported")),
        };
        Ok(format!("{sign}{}", self.operand(inner)?))
    }

    fn binary(&self, left: &Expr, operator: &BinaryOperator, right: &Expr) -> Result<String, Refusal> {
        use BinaryOperator as Op;
        if let Some(written) = self.join_queries(left, operator, right)? {
            return Ok(written);
        }
        if let Some(written) = self.call_for(left, operator, right)? {
            return Ok(written);
        }
        if let Some(written) = self.reckon(left, operator, right)? {
            return Ok(written);
        }
        match operator {
            Op::AtAt => self.search_match(left, right),
            Op::StringConcat if self.kind(left) == Some(TypeKind::TsVector) => {
                Ok(format!("berth_ts_join({}, {})", self.write(left)?, self.write(right)?))
            }
            Op::StringConcat => Ok(format!("{} || {}", self.printed(left)?, self.printed(right)?)),
            Op::Eq | Op::NotEq | Op::Lt | Op::LtEq | Op::Gt | Op::GtEq => {
                self.compare(left, &operator.to_string(), right)
            }
            Op::PGLikeMatch => self.write_like(left, right, ""),
            Op::PGNotLikeMatch => self.write_like(left, right, "NOT "),
            Op::PGILikeMatch => self.write_ilike(left, right, ""),
            Op::PGNotILikeMatch => self.write_ilike(left, right, "NOT "),
            Op::PGExp => Ok(format!("pow({}, {})", self.write(left)?, self.write(right)?)),
            Op::Divide if [left, right].iter().any(|side| self.kind(side).as_ref().is_some_and(is_fractional)) => {
                // A numeric without a fraction is stored as an integer, and SQLite would cut the quotient off.
                Ok(format!("CAST({} AS REAL) / {}", self.write(left)?, self.divisor(right)?))
            }
            Op::Divide | Op::Modulo => Ok(format!("{} {operator} {}", self.operand(left)?, self.divisor(right)?)),
            Op::Plus
            | Op::Minus
            | Op::Multiply
            | Op::And
            | Op::Or
            | Op::BitwiseAnd
            | Op::BitwiseOr
            | Op::PGBitwiseShiftLeft
            | Op::PGBitwiseShiftRight => Ok(format!("{} {operator} {}", self.operand(left)?, self.operand(right)?)),
            other => refuse(format!("the operator {other} is not supported")),
        }
    }
}

/// The current moment as a column of `kind` stores it: UTC, its fraction without zeros at the end.
pub(super) fn moment(kind: &TypeKind) -> String {
    let trimmed = |format: &str| format!("rtrim(rtrim(strftime('{format}', 'now'), '0'), '.')");
    match kind {
        TypeKind::Date => "date('now')".to_owned(),
        TypeKind::Time => trimmed("%H:%M:%f"),
        TypeKind::TimeTz => format!("({} || '+00')", trimmed("%H:%M:%f")),
        TypeKind::Timestamp => trimmed("%Y-%m-%d %H:%M:%f"),
        _ => format!("({} || '+00')", trimmed("%Y-%m-%d %H:%M:%f")),
    }
}

/// The kind of a constant without a cast, as far as it has one.
pub(super) fn constant_kind(expression: &Expr) -> Option<TypeKind> {
    match Literal::read(expression)? {
        Literal::Text(_) => Some(TypeKind::Text { max_length: None }),
        Literal::Boolean(_) => Some(TypeKind::Boolean),
        number @ Literal::Number(_) => number.number_kind(),
        Literal::Bytes(_) | Literal::Null => None,
    }
}

pub(super) fn is_temporal(kind: &TypeKind) -> bool {
    use TypeKind::{Date, Interval, Time, TimeTz, Timestamp, TimestampTz};
    matches!(kind, Date | Time | TimeTz | Timestamp | TimestampTz | Interval)
}

pub(super) fn is_fractional(kind: &TypeKind) -> bool {
    matches!(kind, TypeKind::Numeric { .. } | TypeKind::Real | TypeKind::Double)
}

fn not(negated: bool) -> &'static str {
    if negated { "NOT " } else { "" }
}

/// True when one pair of parentheses holds all of `written`.
fn is_wrapped(written: &str) -> bool {
    if !written.starts_with('(') {
        return false;
    }
    let (mut depth, mut quote) = (0_usize, None);
    for (at, byte) in written.bytes().enumerate() {
        match (byte, quote) {
            (b'\'' | b'"', None) => quote = Some(byte),
            (byte, Some(open)) if byte == open => quote = None,
            (b'(', None) => depth += 1,
            (b')', None) => {
                depth -= 1;
                if depth == 0 {
                    return at + 1 == written.len();
                }
            }
            _ => {}
        }
    }
    false
}
