//! Filters and logic trees of a request become a [`Condition`].
//!
//! On Postgres values stay text: the server reads them into the type they have in the statement. On SQLite they are
//! typed here, and operators that the column's type lacks are refused in Postgres' words.

use super::scope::{Scope, text_type};
use super::{Condition, Embed, Engine, Error, Target, Test, Value, capability, embed, search};
use crate::request::filter::{Comparison, Filter, Logic, LogicTree, Operation, Quantifier};

/// Each filter and each tree must hold. A filter may name one of `embeds` instead of a column.
pub(super) fn plan_condition(
    scope: &Scope<'_>,
    embeds: &[Embed],
    filters: impl IntoIterator<Item = Filter>,
    trees: impl IntoIterator<Item = LogicTree>,
) -> Result<Condition, Error> {
    let filters = filters.into_iter().map(|filter| plan_filter(scope, embeds, filter));
    let trees = trees.into_iter().map(|tree| plan_tree(scope, embeds, tree));
    Ok(Condition::And(filters.chain(trees).collect::<Result<_, _>>()?))
}

/// Goes down as deep as the request's parser let the tree become.
fn plan_tree(scope: &Scope<'_>, embeds: &[Embed], tree: LogicTree) -> Result<Condition, Error> {
    match tree {
        LogicTree::Leaf(filter) => plan_filter(scope, embeds, filter),
        LogicTree::Node { negated, operator, children } => {
            let children =
                children.into_iter().map(|child| plan_tree(scope, embeds, child)).collect::<Result<_, _>>()?;
            let joined = match operator {
                Logic::And => Condition::And(children),
                Logic::Or => Condition::Or(children),
            };
            Ok(if negated { denied(joined) } else { joined })
        }
    }
}

fn plan_filter(scope: &Scope<'_>, embeds: &[Embed], filter: Filter) -> Result<Condition, Error> {
    if let Some(condition) = embed::plan_presence(scope, embeds, &filter)? {
        return Ok(condition);
    }
    let target = scope.compared_target(filter.field)?;
    let test = match scope.engine {
        Engine::Postgres => test_as_text(filter.operation),
        Engine::Sqlite => test_as_typed(scope, &target, filter.operation)?,
    };
    let condition = Condition::Test(target, test);
    Ok(if filter.negated { denied(condition) } else { condition })
}

/// The condition does not hold.
fn denied(mut condition: Condition) -> Condition {
    condition.forget_indexes();
    Condition::Not(Box::new(condition))
}

fn test_as_text(operation: Operation) -> Test {
    match operation {
        Operation::Compare { operator, quantifier, value } => {
            let value = Value::Text(with_wildcards(operator, value));
            match quantifier {
                None => Test::Compare(operator, value),
                Some(quantifier) => Test::Quantified(operator, quantifier, vec![value]),
            }
        }
        Operation::Contain { operator, value } => Test::Contain(operator, Value::Text(value)),
        Operation::In(values) => Test::In(without_empty_list(values).into_iter().map(Value::Text).collect()),
        Operation::Is(value) => Test::Is(value),
        Operation::IsDistinctFrom(value) => Test::IsDistinctFrom(Value::Text(value)),
        Operation::FullText { operator, language, value } => Test::FullText { operator, language, query: value },
    }
}

fn test_as_typed(scope: &Scope<'_>, target: &Target, operation: Operation) -> Result<Test, Error> {
    let compared = target.compared_type();
    match operation {
        Operation::Compare { operator, quantifier, value } => compare(scope, target, operator, quantifier, value),
        Operation::Contain { operator, value } => {
            capability::check_containment(operator, &compared)?;
            Ok(Test::Contain(operator, scope.reader().coerce(&value, &compared)?))
        }
        Operation::In(values) => {
            capability::check_equality(&compared)?;
            let values = without_empty_list(values).into_iter();
            Ok(Test::In(values.map(|value| scope.reader().coerce(&value, &compared)).collect::<Result<_, _>>()?))
        }
        Operation::Is(value) => {
            capability::check_is(value, &compared)?;
            Ok(Test::Is(value))
        }
        Operation::IsDistinctFrom(value) => {
            capability::check_equality(&compared)?;
            Ok(Test::IsDistinctFrom(scope.reader().coerce(&value, &compared)?))
        }
        Operation::FullText { operator, language, value } => {
            search::plan_search(scope, target, operator, language.as_deref(), &value)
                .map(|search| Test::Search(Box::new(search)))
        }
    }
}

fn compare(
    scope: &Scope<'_>,
    target: &Target,
    operator: Comparison,
    quantifier: Option<Quantifier>,
    value: String,
) -> Result<Test, Error> {
    let compared = target.compared_type();
    capability::check_comparison(operator, &compared)?;
    let pattern = operator.is_pattern();
    let value = with_wildcards(operator, value);
    match quantifier {
        None if pattern => Ok(Test::Compare(operator, Value::Text(value))),
        None => Ok(Test::Compare(operator, scope.reader().coerce(&value, &compared)?)),
        Some(quantifier) => {
            let element = if pattern { text_type() } else { compared };
            Ok(Test::Quantified(operator, quantifier, scope.reader().array(&value, &element.kind)?))
        }
    }
}

/// `*` stands for `%` in patterns of `like`, so that they need no escaping in an address.
fn with_wildcards(operator: Comparison, value: String) -> String {
    match operator {
        Comparison::Like | Comparison::ILike => value.replace('*', "%"),
        Comparison::Equal
        | Comparison::NotEqual
        | Comparison::Greater
        | Comparison::GreaterOrEqual
        | Comparison::Less
        | Comparison::LessOrEqual
        | Comparison::Match
        | Comparison::IMatch => value,
    }
}

/// `in.()` is an empty list, not a list of one empty text.
fn without_empty_list(values: Vec<String>) -> Vec<String> {
    match values.as_slice() {
        [only] if only.is_empty() => Vec::new(),
        _ => values,
    }
}
