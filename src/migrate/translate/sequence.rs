//! Sequences: on SQLite they exist only under a column that is counted, from a number on and by one.

use sqlparser::ast::{
    AlterColumnOperation, ColumnDef, ColumnOption, Expr, Function, ObjectName, Query, SelectItem, SequenceOptions,
    SetExpr,
};

use super::literal::Literal;
use super::{Refusal, Translator, cast, function, name, parse, refuse, table};

/// The first number of a sequence that says nothing of it.
const FIRST: i64 = 1;

/// The greatest numbers of the types that may be counted: with these as its bound a sequence ends where its column does.
const GREATEST: [i64; 3] = [i16::MAX as i64, i32::MAX as i64, i64::MAX];

impl Translator<'_> {
    /// Notes a sequence; a column that takes its default from it becomes an identity.
    pub(super) fn create_sequence(&mut self, name: &ObjectName, options: &[SequenceOptions]) -> Result<(), Refusal> {
        self.schema.sequences.insert(name::local(name)?, first_of(options)?);
        Ok(())
    }

    /// `ALTER SEQUENCE`, which the parser does not know: what it says of ownership is known already.
    pub(super) fn alter_sequence(&mut self, text: &str) -> Result<(), Refusal> {
        let words = text.to_ascii_lowercase();
        if words.contains(" owned by ") {
            return Ok(());
        }
        let Some((sequence, number)) = parse::restarted_sequence(text) else {
            return refuse("of ALTER SEQUENCE only OWNED BY and RESTART WITH are supported");
        };
        self.continue_with(&sequence, number)
    }

    /// Notes where the counters of new columns begin.
    pub(super) fn begin_counting(&mut self, table: &str, columns: &[ColumnDef]) -> Result<(), Refusal> {
        for column in columns {
            for option in &column.options {
                match &option.option {
                    ColumnOption::Default(value) => self.begin_default(table, &name::fold(&column.name), value)?,
                    ColumnOption::Generated { sequence_options: Some(options), .. } => {
                        self.begin_at(table, first_of(options)?);
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// The same, of a column that is altered.
    pub(super) fn begin_counting_altered(
        &mut self,
        table: &str,
        column: &str,
        operation: &AlterColumnOperation,
    ) -> Result<(), Refusal> {
        match operation {
            AlterColumnOperation::SetDefault { value } => self.begin_default(table, column, value),
            AlterColumnOperation::AddGenerated { sequence_options: Some(options), .. } => {
                self.begin_at(table, first_of(options)?);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn begin_default(&mut self, table: &str, column: &str, value: &Expr) -> Result<(), Refusal> {
        let Some(sequence) = table::next_of(value) else { return Ok(()) };
        let other = self.schema.tables.values().find(|other| {
            let is_same = |of: &super::model::Column| other.name == table && of.name == column;
            other
                .columns
                .iter()
                .filter(|of| !is_same(of))
                .any(|of| of.identity.as_ref().is_some_and(|identity| identity.sequence == sequence))
        });
        if let Some(other) = other {
            let other = &other.name;
            return refuse(format!(
                "the sequence \"{sequence}\" counts \"{other}\": on SQLite each table counts for itself"
            ));
        }
        let first = self.schema.sequences.get(&sequence).copied().unwrap_or(FIRST);
        self.begin_at(table, first);
        Ok(())
    }

    fn begin_at(&mut self, table: &str, first: i64) {
        if first > FIRST {
            self.will_count(table, first - 1);
        }
    }

    /// A query on its own: only those that set something up mean anything in a migration.
    pub(super) fn query_alone(&mut self, query: &Query) -> Result<(), Refusal> {
        let select = match query.body.as_ref() {
            SetExpr::Select(select) => select,
            SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) => {
                return refuse("WITH before INSERT, UPDATE or DELETE is not supported: INSERT INTO … WITH … SELECT is");
            }
            _ => return refuse("a query changes nothing"),
        };
        let [SelectItem::UnnamedExpr(Expr::Function(call))] = select.projection.as_slice() else {
            return refuse("a query changes nothing");
        };
        match function::name_of(call)?.as_str() {
            // The parameters of a session of Postgres.
            "set_config" => Ok(()),
            "setval" => self.set_value(call),
            other => refuse(format!("the function {other}() is not supported here")),
        }
    }

    fn set_value(&mut self, call: &Function) -> Result<(), Refusal> {
        let arguments = function::arguments(call)?;
        let (Some(sequence), Some(value)) = (arguments.first(), arguments.get(1)) else {
            return refuse("setval() takes a sequence and a value");
        };
        let Some(Literal::Number(value)) = Literal::read(value) else {
            return refuse("the value of setval() must be a number");
        };
        let Ok(value) = value.parse::<i64>() else { return refuse(format!("{value} is not a whole number")) };
        let was_given_out =
            !matches!(arguments.get(2).and_then(|last| Literal::read(last)), Some(Literal::Boolean(false)));
        let Some(sequence) = cast::sequence_name(sequence) else { return refuse("setval() takes a sequence's name") };
        self.continue_with(&sequence, if was_given_out { value.saturating_add(1) } else { value })
    }

    /// Lets a sequence give `number` next.
    fn continue_with(&mut self, sequence: &str, number: i64) -> Result<(), Refusal> {
        let owner = self.schema.tables.values().find(|table| {
            let mut identities = table.columns.iter().filter_map(|column| column.identity.as_ref());
            identities.any(|identity| identity.sequence == sequence)
        });
        match owner.map(|table| table.name.clone()) {
            Some(table) => self.will_count(&table, number.saturating_sub(1)),
            None => match self.schema.sequences.get_mut(sequence) {
                Some(first) => *first = number,
                None => return refuse(format!("relation \"{sequence}\" does not exist")),
            },
        }
        Ok(())
    }
}

/// The first number that a sequence gives. What SQLite cannot count by is refused.
fn first_of(options: &[SequenceOptions]) -> Result<i64, Refusal> {
    let mut first = None;
    let mut least = FIRST;
    for option in options {
        match option {
            SequenceOptions::StartWith(start, _) => first = Some(number(start)?),
            SequenceOptions::MinValue(Some(bound)) => least = number(bound)?,
            SequenceOptions::IncrementBy(step, _) if number(step)? != 1 => {
                return refuse(format!("a sequence counts by one on SQLite, and not by {step}"));
            }
            SequenceOptions::MaxValue(Some(bound)) if !GREATEST.contains(&number(bound)?) => {
                return refuse(format!("a sequence that ends at {bound} is not supported"));
            }
            // The parser's word is whether `NO` stands before it.
            SequenceOptions::Cycle(false) => return refuse("a sequence that begins anew is not supported"),
            SequenceOptions::DataType(_)
            | SequenceOptions::IncrementBy(..)
            | SequenceOptions::MinValue(_)
            | SequenceOptions::MaxValue(_)
            | SequenceOptions::Cache(_)
            | SequenceOptions::Cycle(_)
            | SequenceOptions::OwnedBy(_) => {}
        }
    }
    let first = first.unwrap_or(least);
    if first < FIRST {
        return refuse(format!("a sequence begins with one or more on SQLite, and not with {first}"));
    }
    Ok(first)
}

fn number(expression: &Expr) -> Result<i64, Refusal> {
    let number = match Literal::read(expression) {
        Some(Literal::Number(number)) => number.parse().ok(),
        _ => None,
    };
    number.map_or_else(|| refuse(format!("{expression} is not a whole number")), Ok)
}
