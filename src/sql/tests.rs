//! One plan, both spellings. Every SQLite text in these tests is prepared on a database, so that it is SQL at all.

mod call;
mod condition;
mod read;
mod rules;
mod through;
mod write;

use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;

use super::{Argument, Invocation, Planned, Query, Run, Work, envelope, work};
use crate::catalog::{QualifiedName, TypeKind, TypeName};
use crate::plan::{Action, Condition, Distinct, Engine, Plan, Projection, ReadNode, Rules, Target, Test, Value};
use crate::request::filter::{Arrow, Comparison, JsonOperand, JsonStep};
use crate::request::{MediaType, Preferences, Range};

const TABLE: &str = "CREATE TABLE films (id INTEGER PRIMARY KEY, title TEXT, year SMALLINT, rating DOUBLE PRECISION,
    kept BOOLEAN, data JSONB, tags TEXT, made TIMESTAMPTZ, raw BYTEA, UNIQUE (title, year))";

/// A database with the table and stand-ins for the functions that a store registers.
fn database() -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(TABLE).unwrap();
    connection.execute_batch("CREATE TABLE members (film INT, person TEXT)").unwrap();
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    for name in
        ["like", "ilike", "match", "imatch", "json", "json_text", "contains", "array_contains", "overlaps", "key"]
            .map(|name| format!("berth_{name}"))
    {
        connection.create_scalar_function(name.as_str(), 2, flags, |_| Ok(None::<i64>)).unwrap();
    }
    connection.create_scalar_function("berth_convert", 3, flags, |_| Ok(None::<i64>)).unwrap();
    connection.create_scalar_function("berth_convert_here", 3, flags, |_| Ok(None::<i64>)).unwrap();
    connection.create_scalar_function("berth_refuse", 1, FunctionFlags::SQLITE_UTF8, |_| Ok(1_i64)).unwrap();
    connection.create_scalar_function("berth_refuse_unshown", 1, FunctionFlags::SQLITE_UTF8, |_| Ok(1_i64)).unwrap();
    connection.create_scalar_function("berth_updated", 0, FunctionFlags::SQLITE_UTF8, |_| Ok(1_i64)).unwrap();
    connection
}

/// Panics unless SQLite understands the text and the text has as many placeholders as there are values.
fn assert_prepares(text: &str, values: usize) {
    let connection = database();
    let statement = connection.prepare(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(statement.parameter_count(), values, "{text}");
}

fn films() -> QualifiedName {
    QualifiedName::new("public", "films")
}

/// The type of a column of the table.
fn type_of(column: &str) -> TypeName {
    let (declared, kind) = match column {
        "id" => ("integer", TypeKind::Integer),
        "year" => ("smallint", TypeKind::SmallInt),
        "rating" => ("double precision", TypeKind::Double),
        "kept" => ("boolean", TypeKind::Boolean),
        "data" => ("jsonb", TypeKind::Jsonb),
        "tags" => ("text[]", TypeKind::Array(Box::new(TypeKind::Text { max_length: None }))),
        "made" => ("timestamp with time zone", TypeKind::TimestampTz),
        "raw" => ("bytea", TypeKind::Bytea),
        "search" => ("tsvector", TypeKind::TsVector),
        _ => ("text", TypeKind::Text { max_length: None }),
    };
    TypeName { declared: declared.to_owned(), kind }
}

fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

fn texts(values: &[&str]) -> Vec<Value> {
    values.iter().map(|value| text(value)).collect()
}

fn step(arrow: Arrow, operand: &str) -> JsonStep {
    let operand = operand.parse().map_or_else(|_| JsonOperand::Key(operand.to_owned()), JsonOperand::Index);
    JsonStep { arrow, operand }
}

fn test(column: &str, test: Test) -> Condition {
    test_at(column, Vec::new(), test)
}

fn test_at(column: &str, path: Vec<JsonStep>, test: Test) -> Condition {
    Condition::Test(Target { path, ..Target::column(column, type_of(column)) }, test)
}

fn equal(column: &str, value: &str) -> Condition {
    test(column, Test::Compare(Comparison::Equal, text(value)))
}

fn projection(column: &str) -> Projection {
    let target = Target::column(column, type_of(column));
    Projection { target, formatter: None, cast: None, aggregate: None, name: column.to_owned() }
}

fn node(select: Vec<Projection>) -> ReadNode {
    ReadNode {
        from: films(),
        select,
        filter: Condition::And(Vec::new()),
        order: Vec::new(),
        range: Range::ALL,
        embeds: Vec::new(),
    }
}

fn plan(action: Action, media: MediaType) -> Plan {
    let preferences = Preferences::default();
    Plan { action, media, maker: None, profile: None, preferences, zone: None, cache_control: None }
}

/// The work for an engine, written for a reader: SQLite's is prepared on the way, the settings at the end of
/// Postgres' are left out.
fn shown(action: Action, engine: Engine) -> String {
    shown_as(action, MediaType::Json, engine)
}

fn shown_as(action: Action, media: MediaType, engine: Engine) -> String {
    shown_with(action, media, &Rules::default(), engine)
}

fn shown_with(action: Action, media: MediaType, rules: &Rules, engine: Engine) -> String {
    match work(&plan(action, media), rules, engine) {
        Work::Envelope { query, planned } => {
            let planned = planned.map(show_planned);
            let shown = show(&query).replace(&format!(", {}", envelope::SETTINGS), "").replace(") SELECT", ")\nSELECT");
            shown + &planned.unwrap_or_default()
        }
        Work::Lines { head, planned, query } => {
            let planned = planned.map(show_planned);
            let head = show(&head).replace(&format!(", {}", envelope::SETTINGS), "");
            format!("{head}\nrows: {}{}", show(&query), planned.unwrap_or_default())
        }
        Work::Explain { query, .. } => show(&query).replace(&format!(", {}", envelope::SETTINGS), ""),
        Work::Rows { query, count, by_key, page, output } => {
            assert_prepares(&query.text, query.values.len());
            let names: Vec<String> =
                output.columns.iter().map(|column| format!("{} {}", column.name, column.type_name)).collect();
            let mut shown = format!("{}\noutput: {}", show(&query), names.join(", "));
            if let Some(count) = count {
                assert_prepares(&count.text, count.values.len());
                shown += &format!("\ncount: {}", show(&count));
            }
            if let Some(page) = page {
                shown += &format!("\npage: {:?} {:?} of {} keys", page.side, page.size, page.keys.len());
            }
            if by_key { shown + "\nby key" } else { shown }
        }
        Work::Write { before, runs, output, location, .. } => {
            let mut lines: Vec<String> = before.iter().map(|query| format!("before: {}", show(query))).collect();
            lines.extend(runs.iter().map(show_run));
            lines.extend(output.map(|output| format!("output: {} columns", output.columns.len())));
            lines.extend(location.map(|key| format!("location: {}", key.columns.join(", "))));
            lines.join("\n")
        }
        Work::Call(invocation) => show_call(&invocation),
        Work::None => "nothing".to_owned(),
    }
}

fn show_call(invocation: &Invocation) -> String {
    let arguments: Vec<String> = invocation
        .arguments
        .iter()
        .map(|argument| match argument {
            Argument::Value(value) => show_values(std::slice::from_ref(value)),
            Argument::Default(sql) => sql.clone(),
        })
        .collect();
    let mut lines = vec![format!("arguments: {}", arguments.join(", "))];
    lines.extend(invocation.before.iter().map(|run| format!("before: {}", show_step(run))));
    lines.extend(
        invocation
            .kept
            .iter()
            .map(|kept| format!("kept{}: {}", if kept.one { " one" } else { "" }, show_step(&kept.run))),
    );
    lines.extend(invocation.read.iter().map(|query| format!("read: {}", show(query))));
    lines.extend(invocation.count.iter().map(|query| format!("count: {}", show(query))));
    lines.push(if invocation.writes { "writes".to_owned() } else { "reads".to_owned() });
    lines.join("\n")
}

fn show_step(run: &Run) -> String {
    let values: Vec<String> = run.values.iter().map(|values| show_values(values)).collect();
    format!("{}  {}", run.text, values.join(" ")).trim_end().to_owned()
}

fn show(query: &Query) -> String {
    format!("{}  {}", query.text, show_values(&query.values)).trim_end().to_owned()
}

fn show_planned(planned: Planned) -> String {
    let above = planned.above.map(|most| format!(" above {most}")).unwrap_or_default();
    format!("\nplanned{above}: {}", show(&planned.query))
}

fn show_run(run: &Run) -> String {
    let values: Vec<String> = run.values.iter().map(|values| show_values(values)).collect();
    run.values.iter().for_each(|values| assert_prepares(&run.text, values.len()));
    format!("{}  ({}) {}", run.text, run.columns.join(", "), values.join(" ")).trim_end().to_owned()
}

fn show_values(values: &[Value]) -> String {
    if values.is_empty() {
        return String::new();
    }
    let shown: Vec<String> = values
        .iter()
        .map(|value| match value {
            Value::Null => "null".to_owned(),
            Value::Integer(number) => number.to_string(),
            Value::Real(number) => format!("{number:?}"),
            Value::Text(text) => format!("'{text}'"),
            Value::Blob(bytes) => format!("{bytes:?}"),
        })
        .collect();
    format!("[{}]", shown.join(", "))
}
