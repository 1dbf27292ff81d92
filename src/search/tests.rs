//! What Postgres 15 answered when it was asked.

use super::*;

fn words(configuration: Configuration, text: &str) -> String {
    configuration.vector(text).to_string()
}

#[test]
fn texts_become_the_words_that_postgres_makes_of_them() {
    for (text, expected) in [
        ("", ""),
        ("The quick brown foxes don't jump", "'brown':3 'fox':4 'jump':7 'quick':2"),
        ("x-ray foo-bar-5", "'5':7 'bar':6 'foo':5 'foo-bar':4 'ray':3 'x':2 'x-ray':1"),
        ("see http://www.ex.com/a?x=1 or ex.com", "'/a?x=1':4 'ex.com':6 'see':1 'www.ex.com':3 'www.ex.com/a?x=1':2"),
        ("mail bob@ex.com, -5 and 3.14 or 1e10; v1.2.3", "'-5':3 '1e10':7 '3.14':5 'bob@ex.com':2 'mail':1 'v1.2.3':8"),
        ("<b>bold</b> &amp; /usr/bin <!-- no --> fat-1.2.3", "'/usr/bin':2 '1.2.3':4 'bold':1 'fat':3"),
        ("Naïve ÉCOLE", "'naïv':1 'école':2"),
    ] {
        assert_eq!(words(Configuration::English, text), expected, "{text}");
    }
    assert_eq!(words(Configuration::Simple, "The Rats' 12"), "'12':3 'rats':2 'the':1");
    let json = ["fat cat", "the dog", "x"];
    assert_eq!(Configuration::English.vector_of_all(json).to_string(), "'cat':2 'dog':5 'fat':1 'x':7");
}

#[test]
fn queries_are_read_as_postgres_reads_them() {
    for (form, text, expected) in [
        (Form::Query, "", ""),
        (Form::Query, "the", ""),
        (Form::Query, "fat <-> the <-> cats", "'fat' <2> 'cat'"),
        (Form::Query, "fat & (rat | !cat)", "'fat' & ( 'rat' | !'cat' )"),
        (Form::Query, "foo-bar:*AC", "'foo-bar':*AC <-> 'foo':*AC <-> 'bar':*AC"),
        (Form::Query, "'fat cats':b | a", "'fat':B <-> 'cat':B"),
        (Form::Plain, "the fat foo-bar", "'fat' & 'foo-bar' & 'foo' & 'bar'"),
        (Form::Phrase, "foo-bar the baz", "'foo-bar' <-> 'foo' <-> 'bar' <2> 'baz'"),
        (Form::WebSearch, "\"fat cat\" -dog or rat", "'fat' <-> 'cat' & !'dog' | 'rat'"),
        (Form::WebSearch, "x or or", "'x'"),
        (Form::WebSearch, "((( !&| \"", ""),
        (Form::WebSearch, "-x-y z", "!( 'x-i' <-> 'x' <-> 'y' ) & 'z'"),
    ] {
        let query = Query::read(form, Configuration::English, text).unwrap();
        assert_eq!(query.to_string(), expected, "{text}");
        assert_eq!(Query::of_lexemes(expected), Ok(query), "{text}: what is written is read again");
    }
}

#[test]
fn what_is_no_query_is_refused_in_the_words_of_postgres() {
    let syntax = |text: &str| format!("42601: syntax error in tsquery: \"{text}\"");
    for text in ["a b", "(a", "a)", "&", "a & & b", "()", ":*", "a<b", "a <x> b", "a:1", "'a", "a <-1> b", "1<->"] {
        let error = Query::read(Form::Query, Configuration::English, text).unwrap_err();
        assert_eq!(format!("{}: {}", error.code, error.message), syntax(text));
    }
    for (text, expected) in [
        ("!", "42601: no operand in tsquery: \"!\"".to_owned()),
        ("a <-> ", "42601: no operand in tsquery: \"a <-> \"".to_owned()),
        ("a\\", "42601: there is no escaped character: \"a\\\"".to_owned()),
        (
            "a <16385> b",
            "22023: distance in phrase operator must be an integer value between zero and 16384 inclusive".to_owned(),
        ),
        (&"!".repeat(500), "54001: stack depth limit exceeded".to_owned()),
    ] {
        let error = Query::read(Form::Query, Configuration::English, text).unwrap_err();
        assert_eq!(format!("{}: {}", error.code, error.message), expected);
    }
}

#[test]
fn only_configurations_that_there_are_can_be_named() {
    for name in ["english", "English", "pg_catalog.english", "\"english\""] {
        assert_eq!(Configuration::named(name), Ok(Configuration::English), "{name}");
    }
    let unknown = |name: &str| Configuration::named(name).map_err(|error| error.message);
    for name in ["\"English\"", "klingon", "public.english"] {
        assert_eq!(unknown(name), Err(format!("text search configuration \"{name}\" does not exist")));
    }
    assert_eq!(unknown(""), Err("invalid name syntax".to_owned()));
}

#[test]
fn documents_are_found_as_postgres_finds_them() {
    for (vector, query, expected) in [
        ("'cat':3 'fat':2", "fat <-> cat", true),
        ("'cat':3 'fat':2", "cat <-> fat", false),
        ("'cat':3 'fat':1", "fat <2> cat", true),
        ("'cat' 'fat'", "fat <-> cat", false),
        ("'cat' 'fat'", "!(fat <-> cat)", true),
        ("'cat':2", "!fat <-> cat", true),
        ("'cat':2 'fat':1", "!fat <-> cat", false),
        ("'cat':2 'fat':1", "(fat | dog) <-> (cat & !dog)", true),
        ("'cat':2B", "cat:A", false),
        ("'cat':2B", "ca:*B", true),
        ("'cat'", "cat:D", true),
        ("'cat'", "cat:A", true),
        ("'cat':1", "ca", false),
        ("", "!cat", true),
        ("'cat':1", "", false),
        ("'a':1 'b'", "a <-> !b", false),
        ("'a':1 'b':2 'c':4", "(a <-> b) <2> c", true),
        ("'a':1 'b':2 'c':3", "a <-> (b <-> c)", true),
    ] {
        let found = Query::of_lexemes(query).unwrap().matches(&Vector::read(vector).unwrap());
        assert_eq!(found, expected, "{vector} @@ {query}");
    }
}

#[test]
fn an_index_is_asked_for_all_that_may_be_found() {
    let asked = |query: &str| index::question(&Query::of_lexemes(query).unwrap()).map(|of| (of.text, of.is_exact));
    let told = |text: &str, is_exact| Some((text.to_owned(), is_exact));
    assert_eq!(asked("fat & (Rat | ca:*)"), told("(\"fat\" AND (\"_52at\" OR \"ca\" *))", true));
    assert_eq!(asked("fat <-> cat"), told("(\"fat\" AND \"cat\")", false));
    assert_eq!(asked("fat & !cat"), told("\"fat\"", false));
    assert_eq!(asked("fat:A"), told("\"fat\"", false));
    assert_eq!(asked("fat | !cat"), None);
    assert_eq!(asked(""), None);
    let vector = Vector::read("'a-b':1 'É':2 'x y'").unwrap();
    assert_eq!(index::document(&vector), "a_2db x_20y É");
}

#[expect(clippy::disallowed_methods, reason = "what is measured is the time that a text takes")]
#[test]
fn texts_that_look_like_much_are_scanned_once() {
    let begun = std::time::Instant::now();
    for piece in ["<!--", "<a '", "a_", "a@", "a/", "a-", "&a", "a.", "<a ", "../", "1e"] {
        words(Configuration::English, &piece.repeat(20_000));
    }
    assert!(begun.elapsed() < std::time::Duration::from_secs(30), "{:?}", begun.elapsed());
}

#[test]
fn documents_are_ranked_as_postgres_ranks_them() {
    let vector = |text| Vector::read(text).unwrap();
    let query = |text| Query::of_lexemes(text).unwrap();
    for (document, asked, normalization, by_words, by_covers) in [
        ("'cat':3 'fat':2", "fat & cat", 0, 0.099_103_22, 0.1),
        ("'cat':3A 'fat':2 'rat'", "fat | rat", 0, 0.060_792_71, 0.1),
        ("'cat':3A 'fat':2,9B 'rat'", "cat <-> rat", 0, 3.162_277_6e-16, 0.0),
        ("'cat':3A 'fat':2,9B 'rat'", "fat & !dog", 1 | 8, 1.435_588_5e-21, 0.103_555_82),
        ("'cat':3A 'fat':2,9B 'rat'", "f:* & cat", 32, 0.406_103_25, 0.216_949_15),
        ("'cat':3A", "", 0, 0.0, 0.0),
        ("", "cat", 0, 0.0, 0.0),
    ] {
        let (vector, query, weights) = (vector(document), query(asked), rank::Weights::default());
        let normalization = rank::Normalization(normalization);
        let found = [
            rank::rank(&weights, &vector, &query, normalization),
            rank::rank_by_covers(&weights, &vector, &query, normalization, &mut || Ok::<(), ()>(())).unwrap(),
        ];
        assert_eq!(
            found.map(|rank| rank.to_string()),
            [by_words, by_covers].map(|rank: f32| rank.to_string()),
            "{document} @@ {asked}"
        );
    }
    let refused = |given: &[Option<f32>]| rank::Weights::new(given).map_err(|error| error.code);
    assert_eq!(refused(&[Some(0.1); 3]), Err("2202E"));
    assert_eq!(refused(&[Some(0.1), None, Some(0.1), Some(0.1)]), Err("22004"));
    assert_eq!(refused(&[Some(1.1); 4]), Err("22023"));
    assert_eq!(refused(&[Some(-1.0); 5]), Ok(rank::Weights::default()));
}

#[test]
fn the_part_is_shown_that_postgres_shows() {
    let text = "A fat cat sat on a <i>mat</i> &amp; ate 3 rats in www.ex.com/a, and a well-known dog saw it all from the roof.";
    let shown = |query: &str, options: &str| {
        let options = headline::Options::read(options).map_err(|error| error.message)?;
        let query = Query::of_lexemes(query).unwrap();
        headline::headline(Configuration::English, text, &query, &options, &mut || Ok::<(), &str>(()))
            .map_err(str::to_owned)
    };
    for (query, options, expected) in [
        ("cat", "", "<b>cat</b> sat on a  mat  &amp; ate 3 rats in www.ex.com/a, and a well"),
        ("cat & rat", "MaxWords=5, MinWords=2", "<b>cat</b> sat "),
        ("dog", "MaxWords=4,MinWords=2,StartSel=<em>,StopSel=</em>", "<em>dog</em> saw it all"),
        (
            "cat | dog | roof",
            "MaxFragments=2, MaxWords=4, MinWords=1, FragmentDelimiter=\" | \"",
            "<b>cat</b> | known <b>dog</b>",
        ),
        (
            "known <-> dog",
            "HighlightAll=yes",
            "A fat cat sat on a <i>mat</i> &amp; ate 3 rats in www.ex.com/a, and a well-<b>known</b> <b>dog</b> saw it all from the roof.",
        ),
        ("zebra", "MaxWords=6,MinWords=3", "A fat cat"),
        ("rat & www.ex.com:*", "ShortWord=0, MaxWords=8, MinWords=3", "<b>rats</b> in <b>www.ex.com</b>"),
        ("", "MaxWords=6,MinWords=3", "A fat cat"),
        ("3", "MinWords=1,MaxWords=2", "<b>3</b>"),
    ] {
        assert_eq!(shown(query, options).as_deref(), Ok(expected), "{query} {options}");
    }
    for (options, refused) in [
        ("MaxWords=3, MinWords=3", "MinWords should be less than MaxWords"),
        ("MinWords=0", "MinWords should be positive"),
        ("ShortWord=-1", "ShortWord should be >= 0"),
        ("MaxFragments=-1", "MaxFragments should be >= 0"),
        ("MaxWords=x", "invalid input syntax for type integer: \"x\""),
        ("Loud=1", "unrecognized headline parameter: \"Loud\""),
        ("MaxWords", "invalid parameter list format: \"MaxWords\""),
    ] {
        assert_eq!(shown("cat", options), Err(refused.to_owned()), "{options}");
    }
    let options = headline::Options::read("").unwrap();
    let query = Query::of_lexemes("cat & dog").unwrap();
    let over = headline::headline(Configuration::English, text, &query, &options, &mut || Err("over"));
    assert_eq!(over, Err("over"));
}
