//! Requests made by chance from a grammar, the same ones for a seed.
//!
//! Left out is what `docs/dialect.md` says SQLite answers otherwise. Writes are undone, so that each request stands alone
//! and can be made smaller.

use super::reckoned::reckon;
use super::requests::Case;
use super::search;

/// Columns of `kinds` that can be compared: name, and values as an address writes them. The last value is wrong.
const COLUMNS: &[(&str, &[&str])] = &[
    ("small", &["-3", "0", "12", "32767", "x"]),
    ("medium", &["7", "1", "-5", "2147483647", "1.5"]),
    ("big", &["9007199254740993", "-1", "0", "9223372036854775807", "9223372036854775808"]),
    ("single", &["0.5", "1e10", "-2", "Infinity", "one"]),
    ("twice", &["0.1", "-1.5e-7", "0", "1e300", "--1"]),
    ("exact", &["12.5", "-0.001", "0", "7", "1.2.3"]),
    ("money_like", &["3.10", "0", "3.1", "99.99", "x"]),
    ("truth", &["true", "false", "t", "no", "maybe"]),
    ("words", &["One", "one", "A", "none", "none"]),
    ("short", &["abc", "a", "zz", "abcdefgh", "abcdefgh"]),
    ("day", &["2024-02-29", "0001-01-01", "2000-01-01", "1999-12-31", "2023-02-29"]),
    ("moment", &["2024-02-29T23:59:59.125", "1999-12-31", "2000-01-01T00:00:00", "2030-01-01", "never"]),
    ("instant", &["2024-02-29T21:59:59.5Z", "1999-12-31T00:00:00Z", "2000-01-01", "2030-01-01T00:00:00Z", "x"]),
    ("clock", &["12:30", "00:00:00.000001", "23:59:59", "12:00", "25:00"]),
    ("code", &["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "00000000-0000-0000-0000-000000000000", "12"]),
    ("feeling", &["happy", "sad", "ok", "angry"]),
    ("share", &["10", "0", "50", "x"]),
    ("doubled", &["14", "2", "0", "x"]),
];

pub(super) const COMPARISONS: &[&str] = &["eq", "neq", "gt", "gte", "lt", "lte"];

/// Columns with a cast of every kind that both engines write alike.
const SELECTED: &[&str] = &[
    "small",
    "medium",
    "n:big",
    "single",
    "twice",
    "money_like",
    "truth",
    "words",
    "fixed",
    "day",
    "moment",
    "instant",
    "clock",
    "code",
    "binary_document",
    "bytes",
    "feeling",
    "share",
    "numbers",
    "labels",
    "doubled",
    "medium::text",
    "big::text",
    "day::text",
    "truth::text",
    "small::bigint",
    "binary_document->a",
    "feeling::text",
    "d:binary_document->a->>d",
    "binary_document->>b",
    "words::text",
];

/// Resources with others inside them, that may be filtered and ordered: path, then what may be appended.
const EMBEDDED: &[(&str, &[&str])] = &[
    (
        "/films?select=id,title,directors(name,born)",
        &["directors.name=like.*a*", "directors=is.null", "order=directors(name),id"],
    ),
    ("/films?select=id,directors!inner(name)", &["directors.born=lt.1930-01-01", "directors.name=eq.Fritz Lang"]),
    ("/films?select=title,reviews(stars,body)", &["reviews.stars=gt.4", "reviews=not.is.null", "reviews.limit=1"]),
    ("/films?select=title,...directors(by:name)", &["year=gt.1960", "color=eq.color", "order=directors(name).desc,id"]),
    ("/directors?select=name,films(title,year)", &["films.year=gte.1960", "films.order=year.desc", "films=is.null"]),
    (
        "/directors?select=name,films!inner(title,reviews(stars))",
        &["films.rating=gt.8", "films.limit=1", "films.order=id"],
    ),
    ("/films?select=id,age,siblings(title,age)", &["age=gt.30", "order=age,id", "siblings.age=lt.20"]),
    ("/parents?select=name,offspring(note,weight)", &["offspring.weight=gte.2", "offspring.order=id.desc"]),
    ("/offspring?select=note,parents(name)", &["parents.name=eq.a", "parents=not.is.null", "weight=lt.2"]),
];

/// Columns that are grouped by or gathered.
const GROUPS: &[&str] = &["truth", "feeling", "share", "small"];
const AGGREGATES: &[&str] =
    &["count()", "medium.sum()", "big.max()", "day.min()", "small.avg()", "twice.max()", "instant.max()", "id.count()"];

/// Values to write, as JSON; the last one of each is wrong.
const WRITTEN: &[(&str, &[&str])] = &[
    ("small", &["1", "-32768", "\"12\"", "null", "40000"]),
    ("medium", &["5", "\"6\"", "null", "2147483647", "0"]),
    ("big", &["9223372036854775807", "-1", "\"x\""]),
    ("money_like", &["1.5", "\"2.25\"", "0", "1000000"]),
    ("truth", &["true", "false", "\"no\"", "\"perhaps\""]),
    ("short", &["\"abc\"", "\"\"", "null", "\"too long\""]),
    ("day", &["\"2024-01-31\"", "null", "\"2024-02-30\""]),
    ("instant", &["\"2024-01-31T10:00:00+05:30\"", "\"2024-01-31\"", "\"2024-13-01\""]),
    ("binary_document", &["{\"b\":1}", "[1, null]", "\"text\"", "null"]),
    ("feeling", &["\"sad\"", "\"happy\"", "\"SAD\""]),
    ("share", &["0", "100", "101"]),
    ("numbers", &["[4,5]", "[]", "[\"x\"]"]),
];

/// A stream of choices: `SplitMix64`, so that a seed gives the same requests everywhere.
pub struct Chance(pub u64);

impl Chance {
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % u64::try_from(bound).unwrap()).unwrap()
    }

    pub fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// A value of a column; rarely the wrong one.
    pub(super) fn value(&mut self, values: &[&'static str]) -> &'static str {
        if self.one_in(40) { values[values.len() - 1] } else { self.pick(&values[..values.len() - 1]) }
    }
}

/// One filter: the column, and the operator with its value.
fn filter(chance: &mut Chance) -> (&'static str, String) {
    let (column, values) = chance.pick(COLUMNS);
    let not = if chance.one_in(4) { "not." } else { "" };
    let comparison = chance.pick(COMPARISONS);
    let rest = match chance.below(10) {
        0 => "is.null".to_owned(),
        1 => format!("in.({},{})", chance.value(values), chance.value(values)),
        2 => format!("isdistinct.{}", chance.value(values)),
        3 => {
            let gathered = chance.pick(&["any", "all"]);
            let operator = if comparison == "neq" { "eq" } else { comparison };
            format!("{operator}({gathered}).{{{},{}}}", chance.value(values), chance.value(values))
        }
        4 if matches!(column, "words" | "short") => {
            format!("{}.{}", chance.pick(&["like", "ilike"]), chance.pick(&["*n*", "a*", "*", "_ne", "O%25"]))
        }
        _ => format!("{comparison}.{}", chance.value(values)),
    };
    (column, format!("{not}{rest}"))
}

/// A tree of conditions, as `and` and `or` take it.
fn tree(chance: &mut Chance, depth: usize) -> String {
    let count = 1 + chance.below(3);
    let terms = (0..count).map(|_| {
        if depth > 0 && chance.one_in(4) {
            let not = if chance.one_in(3) { "not." } else { "" };
            format!("{not}{}({})", chance.pick(&["and", "or"]), tree(chance, depth - 1))
        } else {
            let (column, condition) = filter(chance);
            format!("{column}.{condition}")
        }
    });
    terms.collect::<Vec<_>>().join(",")
}

fn conditions(chance: &mut Chance, parameters: &mut Vec<String>) {
    for _ in 0..chance.below(3) {
        let (column, condition) = filter(chance);
        parameters.push(format!("{column}={condition}"));
    }
    if chance.one_in(3) {
        let name = chance.pick(&["or", "and", "not.or", "not.and"]);
        parameters.push(format!("{name}=({})", tree(chance, 2)));
    }
}

pub(super) fn page(chance: &mut Chance, parameters: &mut Vec<String>, case: Case) -> Case {
    if chance.one_in(4) {
        parameters.push(format!("limit={}", chance.below(4)));
    }
    if chance.one_in(6) {
        parameters.push(format!("offset={}", chance.below(5)));
    }
    match chance.below(6) {
        0 => case.prefer("count=exact"),
        1 => case.with("Accept", "text/csv"),
        _ => case,
    }
}

fn read(chance: &mut Chance) -> Case {
    let selected: Vec<_> = (0..1 + chance.below(4)).map(|_| chance.pick(SELECTED)).collect();
    let mut parameters = vec![format!("select=id,{}", selected.join(","))];
    conditions(chance, &mut parameters);
    let direction = chance.pick(&["", ".desc", ".asc.nullsfirst", ".desc.nullslast"]);
    parameters.push(format!("order={}{direction},id", chance.pick(COLUMNS).0));
    let case = page(chance, &mut parameters, Case::get(""));
    Case { path: format!("/kinds?{}", parameters.join("&")), ..case }
}

fn embed(chance: &mut Chance) -> Case {
    let (path, tails) = chance.pick(EMBEDDED);
    let mut parameters = vec![path.to_owned()];
    let tail = chance.pick(tails);
    if chance.one_in(2) {
        parameters.push(tail.to_owned());
    }
    if !parameters.iter().any(|parameter| parameter.starts_with("order=")) {
        parameters.push("order=id".to_owned());
    }
    let case = page(chance, &mut parameters, Case::get(""));
    Case { path: parameters.join("&"), ..case }
}

fn aggregate(chance: &mut Chance) -> Case {
    let group = chance.pick(GROUPS);
    let first = chance.pick(AGGREGATES);
    let mut parameters = vec![format!("select={group},{first}")];
    conditions(chance, &mut parameters);
    parameters.push(format!("order={group}"));
    Case::get(format!("/kinds?{}", parameters.join("&")))
}

/// A row to write, with an identity of its own where it has one.
fn row(chance: &mut Chance, id: Option<usize>) -> String {
    let mut members: Vec<String> = id.map(|id| format!("\"id\":{id}")).into_iter().collect();
    for _ in 0..1 + chance.below(2) {
        let (column, values) = chance.pick(WRITTEN);
        let member = format!("\"{column}\":{}", chance.value(values));
        if !members.iter().any(|other| other.starts_with(&format!("\"{column}\":"))) {
            members.push(member);
        }
    }
    format!("{{{}}}", members.join(","))
}

fn write(chance: &mut Chance) -> Case {
    let direction = chance.pick(&["", ".desc", ".asc.nullsfirst", ".desc.nullslast"]);
    let order = format!("order={}{direction},id", chance.pick(COLUMNS).0);
    let shown = format!("select=id,{},{}&{order}", chance.pick(WRITTEN).0, chance.pick(SELECTED));
    let id = || Some(1000);
    // The table itself, or through a view that shows some of its rows.
    let kinds = chance.pick(&["kinds", "kinds", "few_kinds", "odd_kinds"]);
    let (method, path, body) = match chance.below(6) {
        0 => ("POST", format!("/{kinds}?{shown}"), row(chance, id())),
        1 => ("PATCH", format!("/{kinds}?id=eq.2&{shown}"), row(chance, None)),
        2 => {
            let rows = [row(chance, Some(3)), row(chance, Some(1001))].join(",");
            ("POST", format!("/{kinds}?columns=id,small,words&{shown}"), format!("[{rows}]"))
        }
        3 => {
            let (column, condition) = filter(chance);
            ("PATCH", format!("/{kinds}?{column}={condition}&{shown}"), row(chance, None))
        }
        4 => ("PUT", format!("/{kinds}?id=eq.1000&{shown}"), row(chance, id())),
        _ => {
            let (column, condition) = filter(chance);
            ("DELETE", format!("/{kinds}?{column}={condition}&{shown}"), String::new())
        }
    };
    let resolution = if method == "POST" && chance.one_in(2) {
        chance.pick(&["resolution=merge-duplicates, ", "resolution=ignore-duplicates, "])
    } else {
        ""
    };
    let given = chance.pick(&["return=representation", "return=headers-only", "return=minimal"]);
    let more = chance.pick(&["", "", ", count=exact", ", missing=default", ", max-affected=1, handling=strict"]);
    Case::write(method, path, body).prefer(&format!("{resolution}{given}{more}, tx=rollback"))
}

/// Functions that give rows of a table: the call, columns, and what may be appended.
const ROW_FUNCTIONS: &[(&str, &[&str], &[&str])] = &[
    (
        "films_since?since=1960",
        &["id", "title", "year", "age", "directors(name)"],
        &["year=gt.1970", "order=year.desc,id", "title=like.*a*", "limit=2", "age=lt.30"],
    ),
    ("by_director?fewest=1", &["name", "films", "first"], &["films=gt.1", "order=first.desc,name", "limit=1"]),
    ("by_director", &["name", "films"], &["films=eq.0", "order=name", "offset=1"]),
    ("kinds_of?wanted=happy", &["id", "words", "day", "money_like"], &["order=id", "id=lt.2", "words=is.null"]),
    ("oldest", &["id", "name", "born", "films(title)"], &["born=is.null", "films.order=id", "name=like.*a*"]),
    (
        "above?fewest=2.9",
        &["id", "part", "span", "price"],
        &["part=gt.1.5", "order=part.desc,id", "limit=3", "price=lt.50"],
    ),
    ("above?fewest=24691357802469135780", &["id", "part"], &["part=gt.1.5", "order=part,id"]),
    ("years?most=4", &[], &["limit=2", "offset=1"]),
];

/// Calls of single values, as arguments of an address, and the same as a body.
const VALUE_FUNCTIONS: &[(&str, &str, &str)] = &[
    ("sum_of", "a=1&b=2", r#"{"a":1,"b":2}"#),
    ("sum_of", "a=1", r#"{"a":1}"#),
    ("sum_of", "b=1", r#"{"b":1}"#),
    ("sum_of", "a=x", r#"{"a":"x"}"#),
    ("sum_of", "a=2147483646", r#"{"a":2147483646}"#),
    ("sum_of", "a=1&c=1", r#"{"a":1,"c":1}"#),
    ("said", "a=one", r#"{"a":"one"}"#),
    ("said", "a=one&b=two", r#"{"a":"one","b":null}"#),
    ("total", "n=1&n=2", r#"{"n":[1,2]}"#),
    ("total", "n=5", r#"{"n":[]}"#),
    ("years", "most=0", r#"{"most":2}"#),
    ("kinds_of", "wanted=angry", r#"{"wanted":"angry"}"#),
    ("nothing_of_that_name", "a=1", "{}"),
    ("worth", "part=1.50&times=2", r#"{"part":1.50,"times":2}"#),
    ("worth", "part=12345678901234567890.25&times=-3", r#"{"part":12345678901234567890.25,"times":-3}"#),
    ("worth", "part=NaN&times=0", r#"{"part":"NaN","times":0}"#),
    ("worth", "part=1,5&times=0", r#"{"part":"x","times":0}"#),
];

fn call(chance: &mut Chance) -> Case {
    if chance.one_in(3) {
        let (name, query, body) = chance.pick(VALUE_FUNCTIONS);
        return match chance.below(4) {
            0 => Case { method: "HEAD", ..Case::get(format!("/rpc/{name}?{query}")) },
            1 => Case::write("POST", format!("/rpc/{name}"), body),
            2 => Case::write("POST", format!("/rpc/{name}"), body).prefer("count=exact"),
            _ => Case::get(format!("/rpc/{name}?{query}")),
        };
    }
    if chance.one_in(4) {
        let (name, body) = chance.pick(&[
            ("add_kind", r#"{"id":1000,"small":4}"#),
            ("add_kind", r#"{"id":1,"words":"twice"}"#),
            ("add_kind", r#"{"id":1001,"small":40000}"#),
            ("calm", r#"{"fewest":1}"#),
            ("calm", r#"{"fewest":9999}"#),
            ("forget_kinds", r#"{"fewest":2}"#),
        ]);
        let query =
            if name == "forget_kinds" { "" } else { chance.pick(&["?select=id,feeling", "?select=id&id=lt.3", ""]) };
        let method = if chance.one_in(6) { "GET" } else { "POST" };
        let body = if method == "GET" { "" } else { body };
        return Case::write(method, format!("/rpc/{name}{query}"), body).prefer("tx=rollback");
    }
    let (function, columns, tails) = chance.pick(ROW_FUNCTIONS);
    let mut parameters = Vec::new();
    if !columns.is_empty() {
        let selected: Vec<_> = (0..1 + chance.below(3)).map(|_| chance.pick(columns)).collect();
        parameters.push(format!("select={}", selected.join(",")));
    }
    for _ in 0..chance.below(3) {
        let tail = chance.pick(tails);
        let name = tail.split('=').next().unwrap();
        if !parameters.iter().any(|parameter| parameter.starts_with(name)) {
            parameters.push(tail.to_owned());
        }
    }
    let between = if function.contains('?') { "&" } else { "?" };
    let case = if chance.one_in(4) { Case::get("").prefer("count=exact") } else { Case::get("") };
    Case { path: format!("/rpc/{function}{between}{}", parameters.join("&")), ..case }
}

/// `count` requests of a seed.
pub fn cases(seed: u64, count: usize) -> Vec<Case> {
    let mut chance = Chance(seed);
    (0..count)
        .map(|_| match chance.below(16) {
            0..=4 => read(&mut chance),
            5 | 6 => embed(&mut chance),
            7 => aggregate(&mut chance),
            8 | 9 => call(&mut chance),
            10 | 11 => search::case(&mut chance),
            12 | 13 => reckon(&mut chance),
            _ => write(&mut chance),
        })
        .collect()
}
