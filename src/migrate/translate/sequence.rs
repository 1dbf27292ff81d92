//! Sequences: on SQLite they exist only under a column that is counted.

use sqlparser::ast::{Expr, Function, ObjectName, Query, SelectItem, SetExpr};

use super::literal::Literal;
use super::{Refusal, Translator, cast, function, name, refuse};

impl Translator<'_> {
    /// Notes a sequence; a column that takes its default from it becomes an identity.
    pub(super) fn create_sequence(&mut self, name: &ObjectName) -> Result<(), Refusal> {
        self.schema.sequences.insert(name::local(name)?);
        Ok(())
    }

    /// `ALTER SEQUENCE`, which the parser does not know: what it says of ownership is known already.
    pub(super) fn alter_sequence(text: &str) -> Result<(), Refusal> {
        let words = text.to_ascii_lowercase();
        if words.contains(" owned by ") {
            return Ok(());
        }
        refuse("of ALTER SEQUENCE only OWNED BY is supported")
    }

    /// A query on its own: only those that set something up mean anything in a migration.
    pub(super) fn query_alone(&mut self, query: &Query) -> Result<(), Refusal> {
        let SetExpr::Select(select) = query.body.as_ref() else { return refuse("a query changes nothing") };
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
        let owner = self.schema.tables.values().find(|table| {
            let mut identities = table.columns.iter().filter_map(|column| column.identity.as_ref());
            identities.any(|identity| identity.sequence == sequence)
        });
        match owner.map(|table| table.name.clone()) {
            Some(table) => self.will_count(&table, if was_given_out { value } else { value - 1 }),
            None if self.schema.sequences.contains(&sequence) => {}
            None => return refuse(format!("relation \"{sequence}\" does not exist")),
        }
        Ok(())
    }
}
