//! Keeps filters from looking closer at rows that are not shown than at those that do not exist.
//!
//! A comparison with a column's value ends at once, and an index may answer it. Patterns, regular expressions and what
//! stands inside of JSON take a time that depends on the row: they are tried only on rows that are shown, whatever order
//! the engine prefers. Postgres does the same with functions that are not leakproof.
//!
//! Source: <https://www.postgresql.org/docs/15/rules-privileges.html>.

use super::{Rules, Source};
use crate::catalog::{QualifiedName, TypeKind};
use crate::plan::{Action, Condition, Embed, Guard, Insert, Keyset, Plan, ReadNode, Related, Returning, Target, Test};

/// What each row that is shown says so in.
const MARK: &str = "berth_shown";

/// Guards all filters of a plan.
pub(super) fn guard(plan: &mut Plan, rules: &mut Rules) {
    match &mut plan.action {
        Action::Read(read) => {
            rules.guard_node(&mut read.node);
            if let Some(keyset) = &mut read.keyset {
                rules.guard_page(&read.node.from, keyset);
            }
        }
        Action::Call(call) => rules.guard_given(&mut call.read.node),
        Action::Insert(Insert { returning, .. }) => rules.guard_returning(returning),
        Action::Update(update) => {
            rules.guard_written(&mut update.filter, update.through.is_some());
            rules.guard_returning(&mut update.returning);
        }
        Action::Delete(delete) => {
            rules.guard_written(&mut delete.filter, delete.through.is_some());
            rules.guard_returning(&mut delete.returning);
        }
        Action::TableInfo(_) | Action::RoutineInfo(_) | Action::RootInfo | Action::Describe { .. } => {}
    }
}

impl Rules {
    fn guard_returning(&mut self, returning: &mut Returning) {
        if let Returning::Rows(node) = returning {
            node.embeds.iter_mut().for_each(|embed| self.guard_embed(embed));
        }
    }

    /// Calls itself for what is embedded; planning has bounded the depth.
    fn guard_node(&mut self, node: &mut ReadNode) {
        self.guard_filter(&node.from, &mut node.filter);
        self.guard_around(node);
    }

    /// Guards what a function gives: which rows those are is the function's affair.
    fn guard_given(&mut self, node: &mut ReadNode) {
        self.guard_below(&mut node.filter);
        self.guard_around(node);
    }

    fn guard_around(&mut self, node: &mut ReadNode) {
        for order in &mut node.order {
            if let Some(related) = &mut order.related {
                self.guard_related(related);
            }
        }
        node.embeds.iter_mut().for_each(|embed| self.guard_embed(embed));
    }

    fn guard_embed(&mut self, embed: &mut Embed) {
        match embed.relationship.computed() {
            Some(_) => self.guard_given(&mut embed.node),
            None => self.guard_node(&mut embed.node),
        }
    }

    fn guard_page(&mut self, table: &QualifiedName, keyset: &mut Keyset) {
        if let Some(beyond) = &mut keyset.beyond {
            self.guard_filter(table, beyond);
        }
        for related in keyset.order.iter_mut().filter_map(|term| term.related.as_mut()) {
            self.guard_related(related);
        }
    }

    fn guard_related(&mut self, related: &mut Related) {
        if related.relationship.computed().is_some() {
            return self.guard_below(&mut related.filter);
        }
        let target = related.relationship.target.clone();
        self.guard_filter(&target, &mut related.filter);
    }

    fn guard_filter(&mut self, table: &QualifiedName, filter: &mut Condition) {
        self.guard_below(filter);
        if !is_close(filter) {
            return;
        }
        let Some(shown) = self.shown.iter_mut().find(|shown| &shown.relation == table) else { return };
        filter.forget_indexes();
        match &mut shown.source {
            Source::Rows { mark, columns, .. } => {
                let mark = mark.get_or_insert_with(|| {
                    let mut free = MARK.to_owned();
                    while columns.contains(&free) {
                        free.push('_');
                    }
                    free
                });
                put_behind(filter, &Guard::Mark(mark.clone()));
            }
            // Its rows have no mark: it is worked out first.
            Source::Query { .. } => shown.apart = true,
            Source::Itself(_) => {}
        }
    }

    /// Guards what a filter asks of related rows.
    fn guard_below(&mut self, filter: &mut Condition) {
        match filter {
            Condition::And(children) | Condition::Or(children) => {
                children.iter_mut().for_each(|child| self.guard_below(child));
            }
            Condition::Not(child) | Condition::Behind(_, child) => self.guard_below(child),
            Condition::Related(related) => self.guard_related(related),
            Condition::Test(..) => {}
        }
    }

    fn guard_written(&mut self, filter: &mut Condition, is_view: bool) {
        if (is_view || !self.write.existing.is_empty()) && is_close(filter) {
            filter.forget_indexes();
            put_behind(filter, &Guard::Rules(self.write.existing.clone()));
        }
    }
}

/// True when something in the filter looks closer.
fn is_close(filter: &Condition) -> bool {
    match filter {
        Condition::And(children) | Condition::Or(children) => children.iter().any(is_close),
        Condition::Not(child) | Condition::Behind(_, child) => is_close(child),
        Condition::Test(target, test) => looks_closer(target, test),
        Condition::Related(_) => true,
    }
}

fn looks_closer(target: &Target, test: &Test) -> bool {
    let is_document = matches!(target.type_name.kind, TypeKind::Json | TypeKind::Jsonb | TypeKind::Array(_));
    let by_pattern = match test {
        Test::Compare(comparison, _) | Test::Quantified(comparison, _, _) => comparison.is_pattern(),
        Test::In(_) | Test::Is(_) | Test::IsDistinctFrom(_) => false,
        Test::Contain(..) | Test::FullText { .. } | Test::Search(_) => true,
    };
    by_pattern || is_document || !target.path.is_empty() || target.computed.is_some()
}

/// Puts each test that looks closer behind the guard.
fn put_behind(filter: &mut Condition, guard: &Guard) {
    match filter {
        Condition::And(children) | Condition::Or(children) => {
            children.iter_mut().for_each(|child| put_behind(child, guard));
        }
        Condition::Not(child) => put_behind(child, guard),
        Condition::Test(..) | Condition::Related(_) if is_close(filter) => {
            let inner = std::mem::replace(filter, Condition::And(Vec::new()));
            *filter = Condition::Behind(guard.clone(), Box::new(inner));
        }
        Condition::Test(..) | Condition::Related(_) | Condition::Behind(..) => {}
    }
}
