//! Generated requests for what views compute of numbers, and for equal values in several spellings.

use super::generated::{COMPARISONS, Chance, page};
use super::requests::Case;

/// What is computed of `measures`: columns with values to compare them with; the last one is none of the type.
const RECKONED: &[(&str, &[&str])] = &[
    ("next", &["2", "3", "8", "-4", "x"]),
    ("triple", &["6", "9", "0", "-15", "1.5"]),
    ("half", &["0", "1", "-2", "x"]),
    ("rest", &["0", "1", "2", "-2", "x"]),
    ("product", &["0.015", "14.985", "123456789012345678905.0", "-0.0033", "x"]),
    ("more", &["1.6", "1.60", "12345678901234567890.6", "0.1", "1,5"]),
    ("third", &["3.33", "33333333.33", "-1.1", "x"]),
    ("rounded", &["1.5", "0", "100", "x"]),
    ("owed", &["-9.99", "3.3", "-100", "x"]),
    ("sure", &["0", "1.5", "100.0", "x"]),
    ("chosen", &["1.50", "99999999.99", "-3.3", "x"]),
    ("most", &["12345678901234567890.5", "1.5", "0", "x"]),
];
const RECKONED_ONLY: &[&str] = &["is_large", "told"];
/// Columns of `measures` of which equal values have several texts, and others.
const MEASURED: &[&str] = &["span", "parts", "document", "whole", "price", "part"];
const MEASURED_VALUES: &[(&str, &[&str])] = &[
    ("span", &["1 day", "24:00:00", "P30D", "-1 hours", "soon"]),
    ("part", &["1.5", "1.50", "100", "12345678901234567890.5", "x"]),
    ("price", &["10", "2.50", "-3.3", "x"]),
    ("share_of", &["0.2", "14.3", "0", "x"]),
];
const GATHERED: &[&str] = &[
    "product.sum()",
    "third.avg()",
    "most.max()",
    "rounded.min()",
    "more.sum()",
    "triple.sum()",
    "next.avg()",
    "id.count()",
    "product.sum()::text",
    "owed.max()::int",
    "chosen::text.max()",
];

fn compare(chance: &mut Chance, columns: &[(&'static str, &[&'static str])]) -> String {
    let (column, values) = chance.pick(columns);
    let not = if chance.one_in(5) { "not." } else { "" };
    match chance.below(6) {
        0 => format!("{column}={not}in.({},{})", chance.value(values), chance.value(values)),
        1 => format!("{column}={not}is.null"),
        2 => format!("{column}=isdistinct.{}", chance.value(values)),
        _ => format!("{column}={not}{}.{}", chance.pick(COMPARISONS), chance.value(values)),
    }
}

/// A read of what is computed, or of values that are told apart by more than their texts.
pub(super) fn reckon(chance: &mut Chance) -> Case {
    let direction = chance.pick(&["", ".desc", ".asc.nullsfirst", ".desc.nullslast"]);
    let mut parameters = Vec::new();
    let path = match chance.below(6) {
        0 => {
            let (group, gathered) = (chance.pick(&["rest", "half", "is_large", "most"]), chance.pick(GATHERED));
            parameters.push(format!("select={group},{gathered}&order={group}"));
            "/reckoned"
        }
        1 => {
            let group = chance.pick(&["whole", "price", "part"]);
            parameters.push(format!("select={group},count()&order={group}"));
            "/measures"
        }
        2 => {
            // Which text stands for equal values is left open.
            let counted = chance.pick(MEASURED);
            parameters.push(format!("select={counted}.countdistinct()"));
            parameters.extend(chance.one_in(2).then(|| compare(chance, MEASURED_VALUES)));
            return Case::get(format!("/measures?{}", parameters.join("&")));
        }
        3 => {
            let columns = [chance.pick(MEASURED), chance.pick(MEASURED), "share_of"];
            parameters.push(format!("select=id,{}&order={}{direction},id", columns.join(","), columns[0]));
            parameters.push(compare(chance, MEASURED_VALUES));
            "/measures"
        }
        4 => {
            parameters.push("order=whole".to_owned());
            parameters.extend(chance.one_in(2).then(|| "total=gt.1".to_owned()));
            parameters.extend(chance.one_in(3).then(|| "select=mean,most::text,wholes".to_owned()));
            "/by_whole"
        }
        _ => {
            let (first, second) = (chance.pick(RECKONED).0, chance.pick(RECKONED).0);
            let more = chance.pick(RECKONED_ONLY);
            parameters.push(format!("select=id,{first},{second},{more}&order={first}{direction},id"));
            "/reckoned"
        }
    };
    if path == "/reckoned" {
        for _ in 0..chance.below(3) {
            parameters.push(compare(chance, RECKONED));
        }
    }
    let case = page(chance, &mut parameters, Case::get(""));
    Case { path: format!("{path}?{}", parameters.join("&")), ..case }
}
