//! Full text: `fts`, `plfts`, `phfts`, `wfts`, asked of both engines, with indexes and without.

mod functions;
mod languages;

use std::fmt::Write as _;

use crate::differential::requests::Case;
use crate::differential::{Pair, assert_equal};
use crate::support::deployment::Deployment;

pub(crate) const SCHEMA: &str = "
    CREATE TABLE authors (id int PRIMARY KEY, name text NOT NULL);
    CREATE TABLE books (
        id int PRIMARY KEY, author_id int REFERENCES authors (id) ON DELETE CASCADE, title varchar(80), body text,
        year int, data jsonb, kept tsvector,
        found tsvector GENERATED ALWAYS AS (
            setweight(to_tsvector('english', coalesce(title, '')), 'A') || to_tsvector('english', coalesce(body, ''))
        ) STORED
    );
    CREATE TABLE notes (code text PRIMARY KEY, book_id int REFERENCES books (id) ON DELETE CASCADE, text text);
    INSERT INTO authors VALUES (1, 'Ann'), (2, 'Bob'), (3, 'Cid');
    INSERT INTO books (id, author_id, title, body, year, data, kept) VALUES
        (1, 1, 'The fat cat', 'A fat cat sat on a mat and ate a fat rat', 1990, '{\"a\": \"fat cats\", \"b\": [1, \"rats\"]}', '''cat'':2A ''fat'':1'),
        (2, 1, 'Running foxes', 'See http://www.example.com/a?b=1 or mail bob@example.com about x-ray foo-bar', 1991, '{\"t\": {\"u\": \"run\"}}', 'fat cat'),
        (3, 2, 'Cats and dogs', 'It''s impossible to do 3.14 -5 things, version 1.2.3', 1992, '[]', NULL),
        (4, 2, NULL, 'Naïve école, <b>bold</b> &amp; brave', NULL, NULL, ''),
        (5, 3, 'Nothing', NULL, 1990, '\"a fat string\"', '''rat'':3,4B');
    INSERT INTO notes VALUES ('a', 1, 'fat notes'), ('b', 1, 'thin notes'), ('c', 3, 'a rat');
    CREATE INDEX books_found ON books USING gin (found);
    CREATE INDEX ON books USING gin (to_tsvector('english', body));
    CREATE INDEX books_title ON books USING gin (to_tsvector('simple'::regconfig, title));
    CREATE INDEX notes_text ON notes USING gin (to_tsvector('english', text));
    CREATE FUNCTION about(words text) RETURNS SETOF books LANGUAGE sql STABLE AS $$
        SELECT * FROM books WHERE found @@ websearch_to_tsquery('english', words)
    $$;
    CREATE FUNCTION said(books) RETURNS text LANGUAGE sql STABLE AS $$ SELECT $1.title || ' ' || $1.body $$;
    CREATE FUNCTION words(books) RETURNS tsvector LANGUAGE sql STABLE AS $$ SELECT to_tsvector('english', $1.body) $$;
    CREATE VIEW old_books AS SELECT id, title, body, found FROM books WHERE year < 1992;
";

const READS: &[&str] = &[
    "/books?found=fts.fat&select=id,found",
    "/books?found=fts(english).cats%26fat",
    "/books?found=fts.fat%3C-%3Ecat",
    "/books?found=fts.cat:A",
    "/books?found=fts.ca:*",
    "/books?found=fts.!cat",
    "/books?found=fts.cat%26!dog",
    "/books?found=fts.nothing|dog",
    "/books?found=fts.the",
    "/books?found=not.fts.fat",
    "/books?found=fts(simple).cats",
    "/books?kept=fts.cat",
    "/books?kept=not.fts.cat",
    "/books?kept=fts(simple).cat:A",
    "/books?kept=phfts.fat%20cat",
    "/books?body=fts.rats",
    "/books?body=fts(english).rats",
    "/books?body=fts(simple).rats",
    "/books?body=not.fts(english).rats",
    "/books?body=plfts(english).The%20Fat%20Rats",
    "/books?body=phfts(english).fat%20cat%20sat",
    "/books?body=wfts(english).%22fat%20rat%22%20-dog",
    "/books?body=wfts.rat%20or%20fox%20or%20x-ray",
    "/books?body=wfts(english).example.com",
    "/books?body=plfts(english).bob@example.com",
    "/books?body=plfts(simple).3.14",
    "/books?body=wfts.(((",
    "/books?body=plfts(english).école",
    "/books?title=fts(simple).the",
    "/books?title=fts(simple).Cat",
    "/books?title=fts.cat",
    "/books?data=fts(english).fat",
    "/books?data=phfts(simple).cats%20rats",
    "/books?data->t->>u=fts.running",
    "/books?data->t=fts.running",
    "/books?or=(body.fts(english).rat,title.plfts(simple).dogs)",
    "/books?not.or=(body.fts(english).rat,title.plfts(simple).dogs)",
    "/books?and=(found.fts.cat,year.gt.1990)",
    "/books?said=fts.foxes",
    "/books?said=fts(simple).foxes",
    "/books?words=fts.foxes",
    "/books?words=fts.rat",
    "/books?year=fts.1990",
    "/books?year=fts(english).1990",
    "/books?year=fts(klingon).1990",
    "/books?body=fts(german).fetten%26ratten",
    "/books?found=wfts(french).chats%20et%20rats",
    "/books?found=fts.fat%20cat",
    "/books?found=fts.(fat",
    "/books?found=fts.!",
    "/books?found=fts.a%20%3C99999%3E%20b",
    "/books?found=fts(klingon).fat",
    "/books?body=wfts(klingon).fat",
    "/books?found=fts(pg_catalog.english).fat",
    "/books?found=fts(any).fat",
    "/old_books?found=fts.cat",
    "/old_books?body=fts(english).fox",
    "/authors?select=name,books(title)&books.found=fts.cat&order=id",
    "/authors?select=name,books!inner(title)&books.body=wfts(english).rat",
    "/authors?select=name,books(title,notes(text))&books.notes.text=fts(english).rat&order=id",
    "/books?select=id,notes!inner(code)&notes.text=fts(english).notes",
    "/notes?text=fts(english).note&order=code",
    "/notes?text=fts.note&select=code,books(title)&books.found=fts.dog&order=code",
    "/rpc/about?words=fat%20or%20dogs",
    "/rpc/about?words=fat%20or%20dogs&title=fts(simple).cat",
    "/rpc/about?words=-fat&body=fts(english).version&select=id",
];

/// The reads, with a count and without, in an order that both stores keep.
pub(crate) fn reads() -> Vec<Case> {
    let ordered = |path: &&str| match path {
        path if path.contains("order=") || path.starts_with("/authors") => Case::get(*path),
        path => Case::get(format!("{path}&order=id")),
    };
    let counted = |case: Case| [case.clone(), case.prefer("count=exact")];
    READS.iter().map(ordered).flat_map(counted).collect()
}

#[test]
fn both_engines_find_the_same_texts() {
    let Some(pair) = Pair::start("full_text", SCHEMA) else { return };
    let mut cases = reads();
    for (method, path, body) in [
        ("POST", "/books", r#"{"id": 6, "title": "New rats", "body": "fresh text about zebras"}"#),
        ("PATCH", "/books?body=fts(english).zebra", r#"{"body": "now about lions"}"#),
        ("PATCH", "/books?id=eq.1", r#"{"id": 7, "title": "Moved"}"#),
        ("POST", "/books?on_conflict=id", r#"{"id": 2, "body": "merged lions"}"#),
        ("POST", "/books", r#"{"id": 8, "kept": "'a"}"#),
        ("POST", "/books", r#"{"id": 8, "found": "a"}"#),
        ("DELETE", "/books?found=fts.dog&select=id", ""),
        ("DELETE", "/authors?id=eq.1", ""),
    ] {
        let prefer = "return=representation, resolution=merge-duplicates";
        cases.push(Case::write(method, path, body).prefer(prefer));
        for path in ["/books?found=wfts.lion%20or%20zebra%20or%20rat", "/books?body=fts(english).zebra|lion|fox"] {
            cases.push(Case::get(format!("{path}&select=id,found&order=id")));
        }
        cases.push(Case::get("/notes?text=fts(english).note|rat&order=code"));
    }
    assert_equal("full text", &pair, &cases);
}

/// Numbers that look random and are the same each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }

    fn one_of<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }
}

const PIECES: [&str; 44] = [
    "the",
    "fat",
    "cats",
    "rats",
    "running",
    "x",
    "foo",
    "bar.com",
    "ex.org",
    "www.a-b.co.uk",
    "12",
    "3.14",
    "-5",
    "1e10",
    "1.2.3",
    "_",
    "-",
    "-",
    ".",
    "/",
    "@",
    ":",
    "http://",
    "<b>",
    "</b>",
    "&amp;",
    "'",
    "\"",
    "é",
    "naïve",
    "10km",
    "abc12",
    "~",
    " ",
    " ",
    " ",
    " ",
    " ",
    " ",
    "E-mail",
    "c.txt",
    "flies",
    "generously",
    ",",
];

/// A query for `to_tsquery` and its like.
fn query(numbers: &mut Numbers, operator: &str) -> String {
    let words = ["fat", "the", "cats", "rat", "x-ray", "foo", "flies", "'a b the c'", "run:*", "ab:AB", "!fat", "12"];
    let mut text = numbers.one_of(&words).to_owned();
    for _ in 0..numbers.below(4) {
        let between = match operator {
            "fts" => numbers.one_of(&[" & ", " | ", " <-> ", "<2>", " & !", " "]),
            _ => numbers.one_of(&[" ", " or ", " -", " \"", "-"]),
        };
        text += between;
        text += numbers.one_of(&words);
    }
    text
}

/// Text as an address has it.
pub(crate) fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        _ = write!(out, "%{byte:02X}");
        out
    })
}

#[test]
fn generated_texts_are_found_by_generated_queries_alike() {
    const SCHEMA: &str = "
        CREATE TABLE texts (
            id int PRIMARY KEY, plain text, indexed text,
            made tsvector GENERATED ALWAYS AS (to_tsvector('english', plain)) STORED,
            simple tsvector GENERATED ALWAYS AS (to_tsvector('simple', plain)) STORED
        );
        CREATE INDEX ON texts USING gin (made);
        CREATE INDEX ON texts USING gin (to_tsvector('english', indexed));
    ";
    let Some(pair) = Pair::start("full_text_generated", SCHEMA) else { return };
    let mut numbers = Numbers(42);
    let rows: Vec<serde_json::Value> = (0..300)
        .map(|id| {
            let length = 1 + numbers.below(14);
            let text: String = (0..length).map(|_| numbers.one_of(&PIECES)).collect();
            serde_json::json!({"id": id, "plain": text, "indexed": text})
        })
        .collect();
    let mut cases =
        vec![Case::write("POST", "/texts", serde_json::Value::from(rows).to_string()), Case::get("/texts?order=id")];
    for _ in 0..300 {
        let operator = numbers.one_of(&["fts", "plfts", "phfts", "wfts"]);
        let language = numbers.one_of(&["", "(english)", "(simple)"]);
        let column = numbers.one_of(&["plain", "indexed", "made", "simple"]);
        let not = numbers.one_of(&["", "", "not."]);
        let query = encoded(&query(&mut numbers, operator));
        cases.push(Case::get(format!("/texts?{column}={not}{operator}{language}.{query}&select=id&order=id")));
    }
    assert_equal("full text", &pair, &cases);
}

#[test]
fn an_index_of_words_answers_on_sqlite() {
    let deployment = Deployment::in_place(SCHEMA);
    let berth = deployment.instance().with("DB_PLAN_ENABLED", true).run();
    let plan = |path: &str| {
        let headers = [("Accept", "application/vnd.pgrst.plan+text")];
        berth.client().send("GET", path, &headers, "").body
    };
    for (path, index) in [
        ("/books?found=fts.fat", "_berth_words_books_found"),
        ("/books?body=wfts(english).fat", "_berth_words_books_"),
        ("/books?title=plfts(simple).fat", "_berth_words_books_title"),
        ("/notes?text=phfts.fat%20notes", "_berth_words_notes_text"),
        ("/authors?select=books(id)&books.found=fts.fat", "_berth_words_books_found"),
    ] {
        let plan = plan(path);
        assert!(plan.contains(index) && plan.contains("VIRTUAL TABLE INDEX"), "{path}: {plan}");
    }
    for path in
        ["/books?found=not.fts.fat", "/books?body=fts(simple).fat", "/books?found=fts.!fat", "/books?kept=fts.fat"]
    {
        assert!(!plan(path).contains("_berth_words"), "{path}: {}", plan(path));
    }
    let root = berth.client().get("/").body;
    assert!(!root.contains("_berth") && berth.client().get("/_berth_words_books_found").status == 404, "{root}");
}

#[test]
fn an_index_follows_what_later_migrations_do_to_its_table() {
    const LATER: &str = "
        ALTER TABLE notes RENAME TO remarks;
        ALTER TABLE remarks RENAME COLUMN text TO said;
        ALTER TABLE books ADD COLUMN pages int DEFAULT 1;
        ALTER TABLE books ALTER COLUMN year TYPE bigint;
        INSERT INTO books (id, body) VALUES (20, 'a late zebra');
        DROP INDEX books_title;
        DROP TABLE authors CASCADE;
    ";
    for make in [Deployment::in_place, Deployment::shared_log] {
        let deployment = make(SCHEMA);
        drop(deployment.instance().run());
        std::fs::write(deployment.folder().join("migrations/2.sql"), LATER).unwrap();
        let berth = deployment.instance().with("DB_PLAN_ENABLED", true).run();
        let get = |path: &str| berth.client().get(path).body;
        assert_eq!(get("/books?found=fts.zebra&select=id"), r#"[{"id":20}]"#);
        assert_eq!(get("/books?body=fts(english).rat&select=id"), r#"[{"id":1}]"#);
        assert_eq!(get("/remarks?said=fts(english).rats&select=code"), r#"[{"code":"c"}]"#);
        let headers = [("Accept", "application/vnd.pgrst.plan+text")];
        let plan = |path: &str| berth.client().send("GET", path, &headers, "").body;
        assert!(plan("/remarks?said=fts(english).rats").contains("_berth_words_notes_text"));
        assert!(!plan("/books?title=fts(simple).fat").contains("_berth_words"), "the index was dropped");
        assert_eq!(berth.client().send("PATCH", "/remarks?code=eq.a", &[], r#"{"said": "lions"}"#).status, 204);
        assert_eq!(get("/remarks?said=fts(english).lion&select=code"), r#"[{"code":"a"}]"#);
    }
}

#[test]
fn a_search_shows_no_more_than_policies_and_grants_do() {
    const POLICIES: &str = "
        CREATE ROLE reader;
        GRANT SELECT (id, body, found, owner) ON secrets TO reader;
        ALTER TABLE secrets ENABLE ROW LEVEL SECURITY;
        CREATE POLICY own ON secrets USING (owner = current_setting('request.jwt.claims', true)::json ->> 'sub');
    ";
    let schema = format!(
        "CREATE TABLE secrets (id int PRIMARY KEY, owner text, body text, hidden text,
            found tsvector GENERATED ALWAYS AS (to_tsvector('english', body)) STORED);
         CREATE INDEX ON secrets USING gin (found);
         CREATE INDEX ON secrets USING gin (to_tsvector('english', hidden));
         INSERT INTO secrets VALUES (1, 'ann', 'fat cats', 'deep'), (2, 'bob', 'fat rats', 'deep');
         {POLICIES}"
    );
    for deployment in Deployment::on_each_store("full_text_policies", &schema) {
        let secret = "a secret of thirty-two characters";
        let berth = deployment.instance().with("ACCESS", "closed").with("JWT_SECRET", secret).run();
        let token = crate::support::command::done(
            deployment.folder(),
            &[("JWT_SECRET", secret)],
            &["token", "--role", "reader", "--claim", "sub=ann"],
        );
        let authorization = format!("Bearer {}", token.trim());
        let get = |path: &str| berth.client().send("GET", path, &[("Authorization", &authorization)], "");
        let name = deployment.name();
        assert_eq!(get("/secrets?found=fts.fat&select=id").body, r#"[{"id":1}]"#, "{name}");
        assert_eq!(get("/secrets?found=fts.rat&select=id").body, "[]", "{name}");
        assert_eq!(get("/secrets?body=not.fts(english).dog&select=id").body, r#"[{"id":1}]"#, "{name}");
        assert_eq!(get("/secrets?hidden=fts(english).deep&select=id").status, 403, "{name}");
    }
}
