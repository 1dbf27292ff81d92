//! Full text by chance: what is searched, by which function and in which language, for what, and where it stands.

use super::generated::Chance;
use super::requests::Case;
use crate::full_text::encoded;

const COLUMNS: &[&str] =
    &["title", "body", "data", "document", "kept", "found", "data->>a", "data->t", "said", "french", "year"];
const OPERATORS: &[&str] = &["fts", "plfts", "phfts", "wfts"];
const LANGUAGES: &[&str] = &["", "", "(english)", "(simple)", "(french)", "(german)", "(italian)", "(german)"];
const WORDS: &[&str] = &[
    "fat",
    "cats",
    "cat",
    "the",
    "rat",
    "running",
    "runs",
    "river",
    "houses",
    "x-ray",
    "gärten",
    "kinder",
    "jardins",
    "chats",
    "katzen",
    "1.2.3",
    "impossible",
    "dog",
];
/// What only `to_tsquery` reads otherwise than as words.
const MARKED: &[&str] = &["ca:*", "cat:A", "fat:AB", "!cat", "'fat cat'", "rat:D", "riv:*B", "!(fat | dog)"];

fn query(chance: &mut Chance, operator: &str) -> String {
    let mut text = String::new();
    for place in 0..1 + chance.below(3) {
        if place > 0 {
            text += match operator {
                "fts" => chance.pick(&[" & ", " | ", " <-> ", "<2>", " & !"]),
                "wfts" => chance.pick(&[" ", " or ", " -", " \""]),
                _ => " ",
            };
        }
        let is_marked = operator == "fts" && chance.one_in(3);
        text += chance.pick(if is_marked { MARKED } else { WORDS });
    }
    text
}

/// A condition on one of the columns, as an address has it, or within `and` and `or`.
fn condition(chance: &mut Chance, columns: &[&'static str], is_within: bool) -> (&'static str, String) {
    let operator = chance.pick(OPERATORS);
    let not = if chance.one_in(4) { "not." } else { "" };
    let query = query(chance, operator);
    let query = if is_within { format!("\"{}\"", query.replace('"', "\\\"")) } else { query };
    (chance.pick(columns), format!("{not}{operator}{}.{}", chance.pick(LANGUAGES), encoded(&query)))
}

fn tree(chance: &mut Chance, depth: usize) -> String {
    let terms = (0..1 + chance.below(3)).map(|_| match chance.below(6) {
        0 if depth > 0 => format!("{}({})", chance.pick(&["and", "or", "not.and", "not.or"]), tree(chance, depth - 1)),
        1 => chance.pick(&["year.gt.1990", "title.is.null", "id.in.(1,5,7)"]).to_owned(),
        _ => {
            let (column, condition) = condition(chance, COLUMNS, true);
            format!("{column}.{condition}")
        }
    });
    terms.collect::<Vec<_>>().join(",")
}

/// A read of rows that a text is searched in.
pub(super) fn case(chance: &mut Chance) -> Case {
    let (path, prefix, columns): (&str, &str, &[&str]) = match chance.below(9) {
        0 => ("/articles?select=id,remarks(id,text)", "remarks.", &["text", "german"]),
        1 => ("/articles?select=id,remarks!inner(id)", "remarks.", &["text", "german"]),
        2 => ("/remarks?select=id,articles(title,found)", "articles.", COLUMNS),
        3 => ("/remarks?select=text,...articles!inner(title)", "articles.", COLUMNS),
        4 => ("/old_articles?select=id,title", "", &["title", "body", "found"]),
        5 => ("/rpc/articles_about?words=cats%20or%20rivers%20or%20rats&select=id,title", "", COLUMNS),
        6 => ("/remarks?select=id,german", "", &["text", "german"]),
        _ => ("/articles?select=id,kept,data", "", COLUMNS),
    };
    let mut parameters = vec![path.to_owned()];
    for _ in 0..1 + chance.below(2) {
        let (column, condition) = condition(chance, columns, false);
        parameters.push(format!("{prefix}{column}={condition}"));
    }
    if path.starts_with("/articles?") && chance.one_in(2) {
        let name = chance.pick(&["or", "and", "not.or", "not.and"]);
        parameters.push(format!("{name}=({})", tree(chance, 1)));
    }
    if !path.starts_with("/rpc/") {
        parameters.push("order=id".to_owned());
    }
    let case = if chance.one_in(4) { Case::get("").prefer("count=exact") } else { Case::get("") };
    Case { path: parameters.join("&"), ..case }
}
