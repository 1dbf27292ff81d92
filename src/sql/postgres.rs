//! Postgres' spelling. Values are bound as text of no declared type: the server reads each into the type that its
//! place in the statement asks for.

use super::aggregate::write_postgres;
use super::computed::write_call;
use super::dialect::{Dialect, Field, Scope};
use super::embed::Naming;
use super::writer::Writer;
use crate::catalog::{Computed, QualifiedName, TypeKind, TypeName};
use crate::plan::{Search, Value};
use crate::request::filter::{Arrow, Comparison, Containment, FullText, JsonOperand, JsonStep, Quantifier};

/// The spelling of Postgres.
#[derive(Debug)]
pub(super) struct Postgres;

impl Dialect for Postgres {
    const PLACEHOLDER: char = '$';
    const IS_UNKNOWN: &'static str = " IS UNKNOWN";
    const NO_LIMIT: &'static str = "ALL";
    const NO_COLUMNS: &'static str = "";
    const HAS_LATERAL: bool = true;
    const ROW_NAMING: Naming = Naming::Member;

    fn number(number: u64) -> Value {
        Value::Text(i64::try_from(number).unwrap_or(i64::MAX).to_string())
    }

    fn table(writer: &mut Writer, table: &QualifiedName) {
        writer.identifier(&table.schema).push(".").identifier(&table.name);
    }

    fn result_name(writer: &mut Writer, name: &str) {
        writer.push(" AS ").identifier(name);
    }

    /// Arrows work on JSON only; other columns (arrays, composites) are made JSON first. JSON columns are left as they
    /// are, so that an index on the expression is used.
    fn field(writer: &mut Writer, field: Field<'_>) {
        if let Some((values, aggregation)) = field.take_aggregation() {
            return write_postgres(writer, values, aggregation);
        }
        if let Some(formatter) = field.formatter {
            return write_through(writer, formatter, |writer| {
                Self::field(writer, Field { formatter: None, ..field });
            });
        }
        let is_json = matches!(field.type_name.kind, TypeKind::Json | TypeKind::Jsonb);
        if field.path.is_empty() || is_json {
            field.scope.column::<Self>(writer, field.column);
        } else {
            writer.push("to_jsonb(");
            field.scope.column::<Self>(writer, field.column);
            writer.push(")");
        }
        for step in field.path {
            write_step(writer, step);
        }
    }

    /// A view's "foreign key" may lead to several rows; the first is given.
    fn object(writer: &mut Writer, _: &[(&str, TypeName)], query: &mut dyn FnMut(&mut Writer)) {
        let rows = writer.alias();
        writer.push("(SELECT row_to_json(").alias_name(rows).push(".*) FROM (");
        query(writer);
        writer.push(") AS ").alias_name(rows).push(" LIMIT 1)");
    }

    fn array(writer: &mut Writer, _: &[(&str, TypeName)], query: &mut dyn FnMut(&mut Writer)) {
        let rows = writer.alias();
        writer.push("(SELECT coalesce(json_agg(").alias_name(rows).push(".*), '[]') FROM (");
        query(writer);
        writer.push(") AS ").alias_name(rows).push(")");
    }

    fn gather(writer: &mut Writer, types: &[TypeName], query: &mut dyn FnMut(&mut Writer)) {
        let rows = writer.alias();
        writer.push("SELECT ");
        writer.separated(", ", 0..types.len(), |writer, index| {
            writer.push("coalesce(json_agg(").alias_name(rows).push(".").column_number(index);
            writer.push("), '[]') AS ").column_number(index);
        });
        writer.push(" FROM (");
        query(writer);
        writer.push(") AS ").alias_name(rows);
    }

    fn gather_one(writer: &mut Writer, types: &[TypeName], index: usize, query: &mut dyn FnMut(&mut Writer)) {
        let gathered = writer.alias();
        writer.push("(SELECT ").alias_name(gathered).push(".").column_number(index).push(" FROM (");
        Self::gather(writer, types, query);
        writer.push(") AS ").alias_name(gathered).push(")");
    }

    fn computed_rows(writer: &mut Writer, computed: &Computed, of: &QualifiedName, outer: Scope<'_>) {
        write_call(writer, &computed.function, of, outer);
    }

    fn comparable_json(writer: &mut Writer, write: &mut dyn FnMut(&mut Writer)) {
        write(writer);
        writer.push("::jsonb");
    }

    fn key(writer: &mut Writer, write: &mut dyn FnMut(&mut Writer)) {
        writer.push("(");
        write(writer);
        writer.push(")::text");
    }

    fn cast(writer: &mut Writer, field: Field<'_>, to: &TypeName) {
        writer.push("CAST(");
        Self::field(writer, field);
        writer.push(" AS ").requested_type(&to.declared).push(")");
    }

    fn compare(writer: &mut Writer, field: Field<'_>, comparison: Comparison, value: &Value) {
        Self::field(writer, field);
        writer.push(operator(comparison));
        write_operand(writer, parser(field, comparison), value);
    }

    /// `values` is one array literal; the server takes it apart.
    fn quantified(
        writer: &mut Writer,
        field: Field<'_>,
        comparison: Comparison,
        quantifier: Quantifier,
        values: &[Value],
    ) {
        Self::field(writer, field);
        writer.push(operator(comparison)).push(match quantifier {
            Quantifier::Any => "ANY (",
            Quantifier::All => "ALL (",
        });
        write_operands(writer, parser(field, comparison), values.first().cloned().unwrap_or(Value::Null));
        writer.push(")");
    }

    /// `= ANY` of one array: one text for lists of every length, the empty one too.
    fn is_one_of(writer: &mut Writer, field: Field<'_>, values: &[Value]) {
        Self::field(writer, field);
        writer.push(" = ANY (");
        write_operands(writer, field.parser, Value::Text(array_literal(values)));
        writer.push(")");
    }

    fn contain(writer: &mut Writer, field: Field<'_>, containment: Containment, value: &Value) {
        Self::field(writer, field);
        writer.push(match containment {
            Containment::Contains => " @> ",
            Containment::ContainedIn => " <@ ",
            Containment::Overlap => " && ",
            Containment::StrictlyLeft => " << ",
            Containment::StrictlyRight => " >> ",
            Containment::NotExtendsRight => " &< ",
            Containment::NotExtendsLeft => " &> ",
            Containment::Adjacent => " -|- ",
        });
        write_operand(writer, field.parser, value);
    }

    fn is_distinct(writer: &mut Writer, field: Field<'_>, value: &Value) {
        Self::field(writer, field);
        writer.push(" IS DISTINCT FROM ");
        write_operand(writer, field.parser, value);
    }

    fn full_text(writer: &mut Writer, field: Field<'_>, operator: FullText, language: Option<&str>, query: &str) {
        // What is no column of the table is a function of its rows, and gives what it gives.
        let is_computed = field.type_name.declared.is_empty();
        if field.path.is_empty() && (is_computed || field.type_name.kind == TypeKind::TsVector) {
            Self::field(writer, field);
        } else {
            writer.push("to_tsvector(");
            write_language(writer, language);
            Self::field(writer, field);
            writer.push(")");
        }
        writer.push(match operator {
            FullText::Query => " @@ to_tsquery(",
            FullText::Plain => " @@ plainto_tsquery(",
            FullText::Phrase => " @@ phraseto_tsquery(",
            FullText::WebSearch => " @@ websearch_to_tsquery(",
        });
        write_language(writer, language);
        writer.bind(Value::Text(query.to_owned())).push(")");
    }

    /// Planning leaves queries to the server; should one come that is read, it is unknown, which no row passes.
    fn search(writer: &mut Writer, _: Field<'_>, _: &Search) {
        writer.push("NULL");
    }
}

fn operator(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Equal => " = ",
        Comparison::NotEqual => " <> ",
        Comparison::Greater => " > ",
        Comparison::GreaterOrEqual => " >= ",
        Comparison::Less => " < ",
        Comparison::LessOrEqual => " <= ",
        Comparison::Like => " LIKE ",
        Comparison::ILike => " ILIKE ",
        Comparison::Match => " ~ ",
        Comparison::IMatch => " ~* ",
    }
}

/// What reads the right side of a comparison: a pattern is no value of the left side's type.
fn parser(field: Field<'_>, comparison: Comparison) -> Option<&QualifiedName> {
    field.parser.filter(|_| !comparison.is_pattern())
}

/// Adds a call of `function`.
pub(super) fn write_through(writer: &mut Writer, function: &QualifiedName, write: impl FnOnce(&mut Writer)) {
    Postgres::table(writer, function);
    writer.push("(");
    write(writer);
    writer.push(")");
}

/// Adds a value, which the function reads when there is one.
pub(super) fn write_operand(writer: &mut Writer, parser: Option<&QualifiedName>, value: &Value) {
    match parser {
        None => _ = writer.bind(value.clone()),
        Some(parser) => write_through(writer, parser, |writer| _ = writer.bind(value.clone()).push("::text")),
    }
}

/// The same for each element of an array literal.
fn write_operands(writer: &mut Writer, parser: Option<&QualifiedName>, literal: Value) {
    let Some(parser) = parser else {
        writer.bind(literal);
        return;
    };
    writer.push("SELECT ");
    write_through(writer, parser, |writer| _ = writer.push("berth_operand"));
    writer.push(" FROM unnest(").bind(literal).push("::text[]) AS berth_operand");
}

/// An operand without a type is read as text, so only an index needs its type named.
fn write_step(writer: &mut Writer, step: &JsonStep) {
    writer.push(match step.arrow {
        Arrow::Json => "->",
        Arrow::Text => "->>",
    });
    match &step.operand {
        JsonOperand::Key(key) => writer.bind(Value::Text(key.clone())),
        JsonOperand::Index(index) => writer.bind(Value::Text(index.to_string())).push("::int"),
    };
}

fn write_language(writer: &mut Writer, language: Option<&str>) {
    if let Some(language) = language {
        writer.bind(Value::Text(language.to_owned())).push("::regconfig, ");
    }
}

/// `values` as an array literal. Every element is quoted, so that `NULL`, commas and braces are text; NUL, which
/// Postgres cannot hold, is left out.
///
/// Source: <https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO>.
pub(super) fn array_literal(values: &[Value]) -> String {
    let mut literal = String::from("{");
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            literal.push(',');
        }
        match value {
            Value::Null => literal.push_str("NULL"),
            Value::Integer(number) => literal.push_str(&number.to_string()),
            Value::Real(number) => literal.push_str(&number.to_string()),
            Value::Text(text) => push_element(&mut literal, text),
            Value::Blob(bytes) => {
                let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                push_element(&mut literal, &format!("\\x{digits}"));
            }
        }
    }
    literal.push('}');
    literal
}

fn push_element(literal: &mut String, text: &str) {
    literal.push('"');
    for character in text.chars().filter(|character| *character != '\0') {
        if matches!(character, '"' | '\\') {
            literal.push('\\');
        }
        literal.push(character);
    }
    literal.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_of_an_array_literal_cannot_leave_their_quotes() {
        let values = ["a,b", "c\"d", "e\\f", "NULL", "{}", "", "g\0h"].map(|text| Value::Text(text.to_owned()));
        assert_eq!(array_literal(&values), r#"{"a,b","c\"d","e\\f","NULL","{}","","gh"}"#);
        assert_eq!(
            array_literal(&[Value::Null, Value::Integer(-1), Value::Blob(vec![1, 255])]),
            r#"{NULL,-1,"\\x01ff"}"#
        );
        assert_eq!(array_literal(&[]), "{}");
    }
}
