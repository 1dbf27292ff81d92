//! What the functions that migrations noted mean to tables and requests.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rusqlite::Connection;

use crate::catalog::{
    Cardinality, Computed, Kind, Piece, QualifiedName, Relationship, ReturnKind, Routine, RowFunctions, Step, Table,
    TypeName,
};

/// The function, its decimals read as text: as that its parameters are given, and what a body gives may be a number too.
pub(super) fn with_decimals(mut routine: Routine) -> Routine {
    let read_as_text = |of: &mut TypeName| {
        if of.kind.is_wide() {
            of.kind = of.kind.clone().as_decimal_text();
        }
    };
    routine.parameters.iter_mut().for_each(|parameter| read_as_text(&mut parameter.type_name));
    match &mut routine.returns.kind {
        ReturnKind::Value(of) => read_as_text(of),
        ReturnKind::Row { columns, .. } => columns.iter_mut().for_each(|column| read_as_text(&mut column.type_name)),
        ReturnKind::Void => {}
    }
    routine
}

/// Functions of a table's row: those that give a value by table and name, and those that lead to rows of a table.
pub(super) fn of_rows(
    routines: &[Routine],
    tables: &BTreeMap<QualifiedName, Table>,
) -> (RowFunctions, Vec<Relationship>) {
    let (mut values, mut ways) = (RowFunctions::new(), Vec::new());
    for routine in routines.iter().filter(|routine| routine.body.is_some()) {
        let Some(table) = routine.row_of.as_ref().and_then(|of| tables.get(of)) else { continue };
        match &routine.returns.kind {
            ReturnKind::Value(_) if !routine.returns.set => {
                values.insert((table.name.clone(), routine.name.name.clone()), Arc::new(routine.clone()));
            }
            ReturnKind::Row { of: Some(of), .. } if tables.contains_key(of) => ways.push(Relationship {
                table: table.name.clone(),
                target: of.clone(),
                cardinality: Cardinality::Computed(Computed {
                    function: routine.name.clone(),
                    single: routine.is_single(),
                    body: routine.body.clone(),
                    grantees: routine.grantees.clone(),
                    row: table.columns.iter().map(|column| column.name.clone()).collect(),
                }),
                target_kind: tables.get(of).map_or(Kind::Table, |of| of.kind),
            }),
            ReturnKind::Value(_) | ReturnKind::Row { .. } | ReturnKind::Void => {}
        }
    }
    (values, ways)
}

/// Whether a default, a view, a trigger, a policy or a function asks for the headers or cookies of a request: only then
/// are they told.
pub(super) fn asks_headers(
    connection: &Connection,
    names: &BTreeSet<&str>,
    routines: &[Routine],
) -> rusqlite::Result<bool> {
    const QUESTIONS: [&str; 3] =
        ["berth_setting('request.headers'", "berth_setting('request.cookies'", "berth_any_setting("];
    let is_asked = |sql: &str| QUESTIONS.iter().any(|question| sql.contains(question));
    let asks = |step: &Step| step.sql.0.iter().any(|piece| matches!(piece, Piece::Text(sql) if is_asked(sql)));
    if routines.iter().filter_map(|routine| routine.body.as_ref()).any(|body| body.steps.iter().any(asks)) {
        return Ok(true);
    }
    let asks = |text: &str| [1, 2, 3].map(|place| format!("instr({text}, ?{place}) > 0")).join(" OR ");
    let mut sql = format!("SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE {})", asks("sql"));
    if names.contains("_berth_policies") {
        let in_policy = asks("concat(using_sql, check_sql)");
        sql += &format!(" OR EXISTS (SELECT 1 FROM _berth_policies WHERE {in_policy})");
    }
    connection.query_row(&sql, QUESTIONS, |row| row.get(0))
}
