//! Text search in views and functions that users write: matches, ranks, queries put together.

use super::{SCHEMA, encoded};
use crate::differential::requests::Case;
use crate::differential::{Pair, assert_equal};
use crate::support::deployment::Deployment;

const FUNCTIONS: &str = "
    CREATE VIEW ranked AS
        SELECT id, ts_rank(found, query) AS rank, ts_rank_cd(found, query) AS covers,
            ts_rank(found, query, 1 | 8) AS shortened, ts_rank_cd(found, query, 32) AS below_one,
            ts_rank('{0.5, 0.2, 0.4, 0.1}', found, query) AS weighed,
            ts_rank_cd(ARRAY[0.1, -1, 0.4, 0.9]::real[], found, query, 2) AS weighed_covers,
            length(found) AS words, strip(found) AS bare, strip(found) || to_tsvector('german', title) AS both
        FROM books, to_tsquery('english', 'fat & cat | fox | ( dog <-> thing )') query;
    CREATE VIEW matched AS
        SELECT id, body @@ 'the rats' AS by_text, body @@ to_tsquery('english', 'rat | fox') AS by_query,
            to_tsquery('english', 'rat') @@ found AS turned, kept @@ 'cat:A' AS by_literal,
            found @@ ('fat & cat'::tsquery && !! 'dog'::tsquery) AS joined,
            found @@ (plainto_tsquery('english', 'foxes') || phraseto_tsquery('simple', title)) AS either,
            'fat:1 cat:2'::tsvector @@ to_tsquery('simple', 'fat <-> cat') AS constant,
            to_tsvector(data) @@ to_tsquery('fat') AS in_json
        FROM books;
    CREATE FUNCTION best(words text, language text DEFAULT 'english') RETURNS SETOF books LANGUAGE sql STABLE AS $$
        SELECT b.* FROM books b, websearch_to_tsquery(language::regconfig, words) AS query
        WHERE b.found @@ query ORDER BY ts_rank_cd(b.found, query) DESC, b.id
    $$;
    CREATE FUNCTION rated(words text, normalization int DEFAULT 0, weights real[] DEFAULT '{0.1,0.2,0.4,1}')
        RETURNS TABLE (book int, rank real, covers real) LANGUAGE sql STABLE AS $$
        SELECT id, ts_rank(weights, found, to_tsquery('english', words), normalization),
            ts_rank_cd(weights, found, to_tsquery('english', words), normalization) FROM books ORDER BY id
    $$;
    CREATE VIEW headlines AS
        SELECT id, ts_headline('english', body, query) AS usual, ts_headline(body, query, 'MaxWords=4, MinWords=2') AS short,
            ts_headline('simple', title, 'cat'::tsquery, 'StartSel=*, StopSel=*') AS title,
            ts_headline(body, query, 'MaxFragments=2, MaxWords=3, MinWords=1, FragmentDelimiter='' | ''') AS fragments,
            ts_headline(body, query, 'HighlightAll=on') AS whole
        FROM books, to_tsquery('english', 'rat | fox | version | brave') query;
    CREATE DOMAIN some_words AS tsvector CHECK ((VALUE)::tsvector <> ''::tsvector);
    CREATE TABLE worded (id int PRIMARY KEY, kept some_words DEFAULT 'b a:2A');
    CREATE FUNCTION score(books) RETURNS real LANGUAGE sql STABLE AS $$
        SELECT ts_rank($1.found, to_tsquery('english', 'cat | rat'))
    $$;
";

#[test]
fn views_and_functions_rank_and_match_alike() {
    let Some(pair) = Pair::start("full_text_functions", &format!("{SCHEMA}{FUNCTIONS}")) else { return };
    let mut cases: Vec<Case> = [
        "/ranked?order=id",
        "/headlines?order=id",
        "/ranked?order=rank.desc,id&select=id,rank&rank=gt.0.01",
        "/matched?order=id",
        "/books?select=id,score&order=score.desc,id",
        "/books?select=id,score&score=gt.0.1&order=id",
        "/rpc/best?words=cats",
        "/rpc/best?words=cats%20or%20foxes&select=id,title,authors(name)",
        "/rpc/best?words=-fat&select=id&title=fts(english).dog",
        "/rpc/best?words=katzen&language=german&select=id",
        "/rpc/best?words=katzen&language=klingon&select=id",
        "/rpc/rated?words=fat%26",
        "/rpc/rated?words=fat&weights={0.1,0.2}",
        "/rpc/rated?words=fat&weights={0.1,0.2,0.3,2}",
        "/rpc/rated?words=fat&weights={0.1,null,0.3,1}",
        "/rpc/rated?words=fat&weights={-1,-1,-1,-1,7}",
    ]
    .map(Case::get)
    .into();
    for words in
        ["fat", "cat|rat", "fat&cat", "fat<->cat", "fat & !dog", "!dog", "f:*|ca:*B", "cat:A & rat", "the", "cat & cat"]
    {
        for normalization in [0, 1, 2, 4, 8, 16, 32, 63] {
            cases.push(Case::get(format!("/rpc/rated?words={}&normalization={normalization}", encoded(words))));
        }
    }
    assert_equal("text search in functions", &pair, &cases);
}

#[test]
fn a_migration_says_which_function_of_text_search_it_lacks() {
    for (statement, reason) in [
        (
            "CREATE VIEW v AS SELECT ts_rewrite(to_tsquery('fat'), 'fat', 'thin') AS h FROM books",
            "the function ts_rewrite() is not supported",
        ),
        (
            "CREATE VIEW v AS SELECT ts_headline(body, to_tsquery('fat'), 'Loud=yes') AS h FROM books",
            "unrecognized headline parameter: \"Loud\"",
        ),
        (
            "CREATE VIEW v AS SELECT to_tsvector('klingon', body) AS h FROM books",
            "text search configuration \"klingon\" does not exist",
        ),
        ("CREATE VIEW v AS SELECT found @@ 'fat &' AS h FROM books", "no operand in tsquery: \"fat &\""),
        ("CREATE VIEW v AS SELECT found @@ body AS h FROM books", "@@ needs a tsquery beside a tsvector"),
        (
            "CREATE VIEW v AS SELECT year @@ to_tsquery('fat') AS h FROM books",
            "@@ needs a tsvector or a text on its left",
        ),
        ("CREATE VIEW v AS SELECT ts_rank(found) AS h FROM books", "the function ts_rank() takes other arguments"),
        ("CREATE TABLE t (id int PRIMARY KEY, q tsquery)", "the type TSQUERY is not supported"),
    ] {
        let deployment = Deployment::in_place(&format!("{SCHEMA}{statement};"));
        let said = crate::support::command::refused(
            deployment.folder(),
            &[("VOLUME", &*deployment.folder().join("volume").to_string_lossy()), ("MIGRATIONS", "migrations")],
            &["migrate"],
        );
        assert!(said.contains(reason), "{statement}: {said}");
    }
}
