//! How long an answer may be kept: as long as the tables behind it say.

use super::{Action, ReadNode};
use crate::catalog::cache_control::{of_comment, stricter};
use crate::catalog::{Catalog, QualifiedName, Routine};

/// `Cache-Control` of a read. An answer with rows of several tables is kept for as long as the strictest says, and not
/// at all when one says nothing.
pub(super) fn control_of(action: &Action, catalog: &Catalog) -> Option<String> {
    match action {
        Action::Read(read) => {
            let mut tables = Vec::new();
            add_tables(&read.node, &mut tables);
            let mut controls = tables.into_iter().map(|name| of_comment(catalog.table(name)?.comment.as_deref()?));
            let first = controls.next()??;
            controls.try_fold(first, |strictest, control| Some(stricter(strictest, control?))).map(str::to_owned)
        }
        Action::Insert(_)
        | Action::Update(_)
        | Action::Delete(_)
        | Action::Call(_)
        | Action::TableInfo(_)
        | Action::RoutineInfo(_)
        | Action::RootInfo
        | Action::Describe { .. } => None,
    }
}

/// `Cache-Control` of a call: what it reads is known to the function alone.
pub(super) fn control_of_call(routine: &Routine, node: &ReadNode) -> Option<String> {
    let comment = routine.comment.as_deref().filter(|_| node.embeds.is_empty())?;
    of_comment(comment).map(str::to_owned)
}

fn add_tables<'a>(node: &'a ReadNode, tables: &mut Vec<&'a QualifiedName>) {
    tables.push(&node.from);
    for embed in &node.embeds {
        tables.extend(embed.relationship.junction().map(|junction| &junction.table));
        add_tables(&embed.node, tables);
    }
}
