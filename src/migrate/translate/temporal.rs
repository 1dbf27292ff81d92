//! Dates, times and lengths of time in expressions: what is reckoned, taken out, cut off and printed.
//!
//! What the functions mean is in `store/sqlite/functions/moment.rs`.

use sqlparser::ast::{BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Interval};

use super::arithmetic::{is_number, result_of};
use super::cast::{convert, integer_width};
use super::expression::{is_fractional, is_temporal};
use super::literal::Literal;
use super::scope::Scope;
use super::{Refusal, function, name, refuse};
use crate::catalog::TypeKind;

/// What a sum, a difference or a product is.
enum Reckoned<'e> {
    /// A date and days, which are taken away where that is told.
    Days { date: &'e Expr, days: &'e Expr, are_less: bool },
    /// A moment and an interval.
    Moved { moment: &'e Expr, interval: &'e Expr, is_back: bool, kind: TypeKind },
    /// Days between two dates.
    DaysBetween,
    /// The interval between two moments.
    Between,
    /// A sum of intervals; the second one is taken away where that is told.
    Intervals { is_less: bool },
    /// An interval and a number.
    Times { interval: &'e Expr, number: &'e Expr, is_part: bool },
}

impl Scope<'_> {
    /// Writes an operator between dates, times, intervals and numbers; `None` where none of them is a time.
    pub(super) fn reckon(
        &self,
        left: &Expr,
        operator: &BinaryOperator,
        right: &Expr,
    ) -> Result<Option<String>, Refusal> {
        let kinds = (self.kind(left), self.kind(right));
        let Some(reckoned) = reckoned((left, &kinds.0), operator, (right, &kinds.1)) else {
            let is_time = [&kinds.0, &kinds.1].into_iter().flatten().any(is_temporal);
            let is_arithmetic = matches!(
                operator,
                BinaryOperator::Plus | BinaryOperator::Minus | BinaryOperator::Multiply | BinaryOperator::Divide
            );
            return if is_time && is_arithmetic {
                refuse(format!("of {left} {operator} {right} it cannot be told what it is: cast both sides"))
            } else {
                Ok(None)
            };
        };
        let less = |interval: String, is_less: bool| {
            if is_less { format!("berth_interval_times({interval}, -1)") } else { interval }
        };
        let sides = || -> Result<(String, String), Refusal> {
            Ok((self.timed(left, operator, right)?, self.timed(right, operator, left)?))
        };
        Ok(Some(match reckoned {
            Reckoned::Days { date, days, are_less } => {
                let sign = if are_less { "-" } else { "" };
                format!("berth_date_plus({}, {sign}({}))", self.write(date)?, self.write(days)?)
            }
            Reckoned::Moved { moment, interval, is_back, .. } => {
                let interval = self.timed(interval, operator, moment)?;
                format!("berth_moment_plus({}, {})", self.write(moment)?, less(interval, is_back))
            }
            Reckoned::DaysBetween | Reckoned::Between => {
                let function =
                    if matches!(reckoned, Reckoned::Between) { "berth_between" } else { "berth_days_between" };
                let (left, right) = sides()?;
                format!("{function}({left}, {right})")
            }
            Reckoned::Intervals { is_less } => {
                let (left, right) = sides()?;
                format!("berth_interval_plus({left}, {})", less(right, is_less))
            }
            Reckoned::Times { interval, number, is_part } => {
                let (interval, number) = (self.write(interval)?, self.operand(number)?);
                let number = if is_part { format!("1.0 / {number}") } else { number };
                format!("berth_interval_times({interval}, {number})")
            }
        }))
    }

    /// The kind of what an operator of arithmetic gives.
    pub(super) fn kind_of_arithmetic(&self, left: &Expr, operator: &BinaryOperator, right: &Expr) -> Option<TypeKind> {
        // Each side is asked once, for it asks its own sides.
        let (of_left, of_right) = (self.kind(left), self.kind(right));
        let numbers = result_of((left, &of_left), operator, (right, &of_right));
        match reckoned((left, &of_left), operator, (right, &of_right)) {
            Some(reckoned) => Some(reckoned.kind()),
            None if numbers.is_some() => numbers,
            None => match (operator, of_left) {
                (BinaryOperator::Minus, Some(document @ (TypeKind::Json | TypeKind::Jsonb))) => Some(document),
                (BinaryOperator::Divide, of_left) => of_left,
                (_, of_left) => of_left.filter(is_fractional).or(of_right),
            },
        }
    }

    /// A side of an operator between times; a text without a type is read as what it is there.
    fn timed(&self, side: &Expr, operator: &BinaryOperator, other: &Expr) -> Result<String, Refusal> {
        match (self.kind(side), literal_kind(side, operator, self.kind(other).as_ref())) {
            (None, Some(kind)) if matches!(Literal::read(side), Some(Literal::Text(_))) => {
                self.as_constant_of(side, &kind)
            }
            _ => self.write(side),
        }
    }

    /// `make_interval(days => 3)`, also with its arguments in their order.
    fn make_interval(&self, arguments: &[FunctionArg]) -> Result<String, Refusal> {
        const FIELDS: [(&str, &str); 7] = [
            ("years", "1 year"),
            ("months", "1 mon"),
            ("weeks", "7 days"),
            ("days", "1 day"),
            ("hours", "01:00:00"),
            ("mins", "00:01:00"),
            ("secs", "00:00:01"),
        ];
        let mut written = "'00:00:00'".to_owned();
        for (place, argument) in arguments.iter().enumerate() {
            let (unit, value) = match argument {
                FunctionArg::Named { name, arg: FunctionArgExpr::Expr(value), .. }
                | FunctionArg::ExprNamed { name: Expr::Identifier(name), arg: FunctionArgExpr::Expr(value), .. } => {
                    (FIELDS.iter().find(|(field, _)| *field == name::fold(name)), value)
                }
                other => (FIELDS.get(place), function::plain(other)?),
            };
            let Some((_, unit)) = unit else { return refuse(format!("make_interval() has no argument {argument}")) };
            let part = format!("berth_interval_times('{unit}', {})", self.write(value)?);
            written = format!("berth_interval_plus({written}, {part})");
        }
        Ok(written)
    }

    /// `INTERVAL '1 day'`, and with a field behind it.
    pub(super) fn interval(&self, interval: &Interval) -> Result<String, Refusal> {
        let is_plain = interval.leading_precision.is_none() && interval.last_field.is_none();
        let Some(literal) = Literal::read(&interval.value).filter(|_| is_plain) else {
            return refuse(format!("the expression {interval} is not supported"));
        };
        let unit = interval.leading_field.as_ref().map(ToString::to_string).unwrap_or_default();
        let text = Literal::Text(format!("{} {unit}", literal.into_text()).trim_end().to_owned());
        Ok(text.comparable(&TypeKind::Interval)?.to_sql())
    }

    /// One side of a comparison of two kinds of time, or of intervals; `None` where nothing has to be done for it.
    pub(super) fn aligned(&self, side: &Expr, other: &Expr) -> Result<Option<String>, Refusal> {
        let (of, with) = (self.kind(side), self.kind(other));
        let is_interval = with == Some(TypeKind::Interval) || self.constant(other)?.is_some();
        if of == Some(TypeKind::Interval) && is_interval {
            return Ok(Some(format!("berth_key({}, 'interval')", self.write(side)?)));
        }
        let (Some(of), Some(with)) = (of, with) else { return Ok(None) };
        let rank = |kind: &TypeKind| match kind {
            TypeKind::Date => Some(1),
            TypeKind::Timestamp => Some(2),
            TypeKind::TimestampTz => Some(3),
            _ => None,
        };
        match (rank(&of), rank(&with)) {
            (Some(low), Some(high)) if low < high => Ok(Some(convert(&self.operand(side)?, &of, &with)?)),
            _ => Ok(None),
        }
    }

    /// The side of `BETWEEN` and of `IN` that the others are compared with.
    pub(super) fn compared_side(&self, side: &Expr, other: &Expr) -> Result<String, Refusal> {
        match self.aligned(side, other)? {
            Some(written) => Ok(written),
            None => self.operand_as_held(side),
        }
    }

    pub(super) fn date_trunc(&self, unit: &Expr, moment: &Expr) -> Result<String, Refusal> {
        match self.kind(moment) {
            Some(kind) if is_moment(&kind) => {}
            _ => return refuse("date_trunc() needs a date or a timestamp: cast it"),
        }
        let unit = match self.constant(unit)? {
            Some(Literal::Text(unit)) => name::text(&unit.to_lowercase()),
            _ => format!("lower({})", self.write(unit)?),
        };
        Ok(format!("berth_moment_trunc({unit}, {})", self.write(moment)?))
    }

    /// `EXTRACT(field FROM value)`.
    pub(super) fn extract(&self, field: &str, value: &Expr) -> Result<String, Refusal> {
        match self.kind(value) {
            Some(kind) if is_temporal(&kind) && kind != TypeKind::TimeTz => {}
            _ => return refuse(format!("EXTRACT of {field} needs a date, a time or an interval: cast it")),
        }
        Ok(format!("berth_extract({}, {})", name::text(&field.to_lowercase()), self.write(value)?))
    }

    /// Functions of dates and times; `None` when this is none of them.
    pub(super) fn temporal_call(&self, name: &str, call: &Function) -> Result<Option<String>, Refusal> {
        const NAMES: [&str; 7] = ["age", "date", "make_date", "make_interval", "timezone", "to_char", "to_timestamp"];
        if !NAMES.contains(&name) {
            return Ok(None);
        }
        if let ("make_interval", FunctionArguments::List(list)) = (name, &call.args) {
            return self.make_interval(&list.args).map(Some);
        }
        let is_time = |of: &Expr| self.kind(of).as_ref().is_some_and(is_temporal);
        let arguments = function::arguments(call)?;
        Ok(match (name, arguments.as_slice()) {
            ("age", [of]) if is_time(of) => Some(format!("berth_age(date('now'), {})", self.write(of)?)),
            ("age", [later, earlier]) if is_time(later) && is_time(earlier) => {
                Some(format!("berth_age({}, {})", self.write(later)?, self.write(earlier)?))
            }
            ("to_char", [moment, format]) if self.kind(moment).as_ref().is_some_and(is_moment) => {
                Some(format!("berth_moment_text({}, {})", self.write(moment)?, self.write(format)?))
            }
            ("age" | "to_char", _) => {
                return refuse(format!("the function {name}() is supported of dates and timestamps only: cast them"));
            }
            ("date", [of]) => {
                let from = self.kind(of).unwrap_or(TypeKind::Any);
                Some(convert(&self.operand(of)?, &from, &TypeKind::Date)?)
            }
            ("to_timestamp", [seconds]) => {
                let seconds = self.write(seconds)?;
                Some(format!(
                    "berth_moment_plus('1970-01-01 00:00:00+00', berth_interval_times('00:00:01', {seconds}))"
                ))
            }
            ("make_date", [year, month, day]) => {
                let fields = [year, month, day].map(|field| self.write(field));
                let [year, month, day] = fields;
                Some(format!("berth_cast(printf('%04d-%02d-%02d', {}, {}, {}), 'date')", year?, month?, day?))
            }
            ("timezone", [zone, moment]) => Some(self.at_time_zone(moment, zone)?),
            _ => None,
        })
    }

    /// The kind of what [`temporal_call`](Self::temporal_call) writes.
    pub(super) fn kind_of_temporal(&self, name: &str, call: &Function) -> Option<TypeKind> {
        if name == "make_interval" {
            return Some(TypeKind::Interval);
        }
        Some(match (name, function::arguments(call).ok()?.as_slice()) {
            ("age", _) => TypeKind::Interval,
            ("date", [_]) => TypeKind::Date,
            ("date_part", _) => TypeKind::Double,
            ("to_char", _) => TypeKind::Text { max_length: None },
            ("to_timestamp", [_]) => TypeKind::TimestampTz,
            ("make_date", _) => TypeKind::Date,
            ("timezone", [_, moment]) => match self.kind(moment)? {
                TypeKind::TimestampTz => TypeKind::Timestamp,
                _ => TypeKind::TimestampTz,
            },
            ("date_trunc", [_, moment]) => match self.kind(moment)? {
                TypeKind::Date => TypeKind::TimestampTz,
                other => other,
            },
            _ => return None,
        })
    }
}

impl Reckoned<'_> {
    fn kind(self) -> TypeKind {
        match self {
            Self::Days { .. } => TypeKind::Date,
            Self::Moved { kind, .. } => kind,
            Self::DaysBetween => TypeKind::Integer,
            Self::Between | Self::Intervals { .. } | Self::Times { .. } => TypeKind::Interval,
        }
    }
}

/// What an operator does whose sides are of these kinds; `None` where none of them is a time.
fn reckoned<'e>(
    (left, left_kind): (&'e Expr, &Option<TypeKind>),
    operator: &BinaryOperator,
    (right, right_kind): (&'e Expr, &Option<TypeKind>),
) -> Option<Reckoned<'e>> {
    use BinaryOperator as Op;
    use TypeKind as Kind;
    let kind = |side: &Expr, of: &Option<TypeKind>, other: &Option<TypeKind>| {
        of.clone().or_else(|| literal_kind(side, operator, other.as_ref()))
    };
    let kinds = (kind(left, left_kind, right_kind)?, kind(right, right_kind, left_kind)?);
    let moved = |moment: &'e Expr, of: &Kind, interval: &'e Expr, is_back: bool| {
        let kind = if *of == Kind::Date { Kind::Timestamp } else { of.clone() };
        Some(Reckoned::Moved { moment, interval, is_back, kind })
    };
    match (&kinds.0, operator, &kinds.1) {
        (Kind::Date, Op::Plus | Op::Minus, days) if integer_width(days).is_some() => {
            Some(Reckoned::Days { date: left, days: right, are_less: *operator == Op::Minus })
        }
        (days, Op::Plus, Kind::Date) if integer_width(days).is_some() => {
            Some(Reckoned::Days { date: right, days: left, are_less: false })
        }
        (of, Op::Plus | Op::Minus, Kind::Interval) if is_moment(of) || *of == Kind::Time => {
            moved(left, of, right, *operator == Op::Minus)
        }
        (Kind::Interval, Op::Plus, of) if is_moment(of) || *of == Kind::Time => moved(right, of, left, false),
        (Kind::Date, Op::Minus, Kind::Date) => Some(Reckoned::DaysBetween),
        (one, Op::Minus, other) if is_moment(one) && is_moment(other) => Some(Reckoned::Between),
        (Kind::Time, Op::Minus, Kind::Time) => Some(Reckoned::Between),
        (Kind::Interval, Op::Plus | Op::Minus, Kind::Interval) => {
            Some(Reckoned::Intervals { is_less: *operator == Op::Minus })
        }
        (Kind::Interval, Op::Multiply | Op::Divide, number) if is_number(number) => {
            Some(Reckoned::Times { interval: left, number: right, is_part: *operator == Op::Divide })
        }
        (number, Op::Multiply, Kind::Interval) if is_number(number) => {
            Some(Reckoned::Times { interval: right, number: left, is_part: false })
        }
        _ => None,
    }
}

/// What a constant without a type is beside a time: a text that is added is an interval, one that is taken away from a
/// moment is a moment.
fn literal_kind(side: &Expr, operator: &BinaryOperator, other: Option<&TypeKind>) -> Option<TypeKind> {
    let literal = Literal::read(side)?;
    if let Literal::Text(_) = literal {
        return match (operator, other?) {
            (BinaryOperator::Plus | BinaryOperator::Minus, TypeKind::Interval)
            | (BinaryOperator::Plus, TypeKind::Timestamp | TypeKind::TimestampTz) => Some(TypeKind::Interval),
            (BinaryOperator::Minus, of) if is_moment(of) => Some(of.clone()),
            _ => None,
        };
    }
    literal.number_kind()
}

fn is_moment(kind: &TypeKind) -> bool {
    matches!(kind, TypeKind::Date | TypeKind::Timestamp | TypeKind::TimestampTz)
}
