//! `Prefer: timezone=`: what clocks show where the sender is, on both stores.

use crate::differential::requests::Case;
use crate::differential::{Pair, assert_equal};
use crate::support::deployment::Deployment;

/// Moments around the turns of the clocks, at the end of a day, and none.
const SCHEMA: &str = "
    CREATE TABLE rooms (id int PRIMARY KEY, opened timestamptz);
    CREATE TABLE events (
        id int PRIMARY KEY, at timestamptz, rounded timestamptz(0), also timestamptz[], local timestamp, day date,
        clock time, room int REFERENCES rooms, UNIQUE (at)
    );
    CREATE TABLE keys (at timestamptz PRIMARY KEY, of timestamptz REFERENCES keys);
    CREATE VIEW upcoming AS SELECT id, at FROM events WHERE id > 2;
    CREATE FUNCTION latest() RETURNS timestamptz LANGUAGE sql STABLE AS $$ SELECT max(at) FROM events $$;
    CREATE FUNCTION between_them(since timestamptz, until timestamptz) RETURNS SETOF events LANGUAGE sql STABLE AS $$
        SELECT * FROM events WHERE at >= since AND at < until $$;
    CREATE FUNCTION moments(VARIADIC moments timestamptz[]) RETURNS timestamptz[] LANGUAGE sql IMMUTABLE AS $$
        SELECT moments $$;
    INSERT INTO rooms VALUES (1, '2020-01-01 00:00+00'), (2, '2020-07-01 00:00+00'), (3, NULL);
    INSERT INTO events VALUES
        (1, '2024-03-31 00:59:59.25+00', '2024-03-31 00:59:59+00', '{\"2024-01-01 12:00+00\",NULL}', '2024-03-31 02:30:00',
            '2024-03-31', '02:30', 1),
        (2, '2024-03-31 01:00:00+00', '2024-03-31 01:00:00+00', '{}', '2024-10-27 02:30:00', '2024-10-27', '23:59', 1),
        (3, '2024-10-27 00:30:00+00', NULL, NULL, '2024-12-31 23:30:00', '2024-12-31', NULL, 2),
        (4, '2024-10-27 01:30:00+00', 'infinity', '{infinity,\"2024-07-01 12:00+00\"}', NULL, NULL, NULL, NULL),
        (5, NULL, '2024-12-31 23:30:00+00', NULL, '2024-07-01 00:00:00', '2024-07-01', '00:00', 2);
";

const ZONES: [&str; 10] = [
    "Europe/Berlin",
    "america/new_york",
    "Asia/Kolkata",
    "Pacific/Chatham",
    "UTC",
    "+05:30",
    "-4",
    "CET-1CEST,M3.5.0,M10.5.0/3",
    "Nowhere/Land",
    "05:30:15",
];

const READS: [&str; 22] = [
    "/events?order=id",
    "/events?select=id,at&order=at.desc.nullslast,id&limit=3",
    "/events?select=id&at=eq.2024-03-31 03:00&order=id",
    "/events?select=id&at=gte.2024-10-27 02:30:00&order=id",
    "/events?select=id&at=in.(\"2024-03-31 02:30\",2024-10-27,\"2024-10-27T02:30:00+02\")&order=id",
    "/events?select=id&at=lt(any).{2024-03-31,\"2024-03-31 02:00\"}&order=id",
    "/events?select=id&at=isdistinct.2024-03-31 03:00&order=id",
    "/events?select=id&at=gt.2024-10-27 02:30 Europe/Berlin&order=id",
    "/events?select=id&at=gt.2024-10-27 02:30 Europe/Nowhere&order=id",
    "/events?select=id&also=cs.{2024-01-01 13:00}&order=id",
    "/events?select=id,at::text,at::timestamp,at::date,at::time,rounded::text&order=id",
    "/events?select=id,local::timestamptz,day::timestamptz,also::text&order=id",
    "/events?select=room,at.max(),at.min()::text&order=room",
    "/events?select=at::date,count()&order=at",
    "/events?select=id,rooms(opened)&order=id",
    "/rooms?select=id,events(at,also)&order=id&events.order=id",
    "/rooms?select=id,...events(at)&order=id&events.order=id",
    "/upcoming?order=id",
    "/rpc/latest",
    "/rpc/between_them?since=2024-03-31&until=2024-10-27 02:30&select=id,at&order=id",
    "/rpc/moments?moments=2024-03-31 02:30&moments=2024-10-27 02:30",
    "/events?select=id,at&id=eq.1&at=eq.tomorrow afternoon",
];

fn writes() -> Vec<Case> {
    let insert = r#"[{"id":9,"at":"2024-10-27 02:30","rounded":"2024-07-01T12:00:00.5","also":["2024-07-01","infinity"],"local":"2024-07-01 12:00"}]"#;
    vec![
        Case::write("POST", "/events", insert).prefer("return=representation, tx=rollback"),
        Case::write("POST", "/events?select=at,rooms(opened)", r#"{"id":9,"at":"2024-03-31 02:30","room":1}"#)
            .prefer("return=representation, tx=rollback"),
        Case::write("POST", "/keys", r#"[{"at":"2024-10-27 02:30"}]"#).prefer("return=headers-only, tx=rollback"),
        Case::write("POST", "/keys", r#"[{"at":"2024-10-27 02:30","of":"2024-01-01"}]"#),
        Case::write("PATCH", "/events?at=eq.2024-03-31 03:00&select=id,at", r#"{"at":"2025-01-01"}"#)
            .prefer("return=representation, tx=rollback"),
        Case::write("DELETE", "/events?at=lt.2024-03-31 03:00&select=id,at", "")
            .prefer("return=representation, tx=rollback"),
        Case::write(
            "POST",
            "/rpc/between_them?select=id,at&order=id",
            r#"{"since":"2024-03-31","until":"2025-01-01"}"#,
        ),
    ]
}

#[test]
fn moments_are_shown_and_read_in_the_zone_that_is_asked_for() {
    let Some(pair) = Pair::start("time_zones", SCHEMA) else { return };
    let read = |path: &&str| {
        let get = || Case::get(path.replace(' ', "%20").replace('+', "%2B"));
        [
            get(),
            get().with("Accept", "text/csv"),
            get().with("Accept", "application/vnd.pgrst.array+json;nulls=stripped"),
        ]
    };
    let cases: Vec<Case> = READS.iter().flat_map(read).chain(writes()).collect();
    let of_zone = |zone: &&str| {
        let prefer = format!("timezone={zone}");
        cases.iter().map(move |case| case.clone().prefer(&prefer)).collect::<Vec<_>>()
    };
    assert_equal("time zones", &pair, &ZONES.iter().flat_map(of_zone).collect::<Vec<_>>());
}

#[test]
fn an_answer_names_its_zone_and_shares_no_tag_with_that_of_another() {
    for deployment in Deployment::on_each_store("time_zone_tags", SCHEMA) {
        let (berth, store) = (deployment.instance().run(), deployment.name());
        let client = berth.client();
        let get = |zone: &str, more: &[(&str, &str)]| {
            let prefer = format!("timezone={zone}");
            client.send("GET", "/events?select=at&id=eq.2", &[&[("Prefer", prefer.as_str())], more].concat(), "")
        };
        let berlin = get("Europe/Berlin", &[]);
        assert_eq!(berlin.body, r#"[{"at":"2024-03-31T03:00:00+02:00"}]"#, "{store}");
        assert_eq!(berlin.header("Preference-Applied"), Some("timezone=Europe/Berlin"), "{store}");
        let tag = berlin.header("ETag").expect("a tag");
        assert_eq!(get("Europe/Berlin", &[("If-None-Match", tag)]).status, 304, "{store}");
        let kolkata = get("Asia/Kolkata", &[("If-None-Match", tag)]);
        assert_eq!(
            (kolkata.status, kolkata.body.as_str()),
            (200, r#"[{"at":"2024-03-31T06:30:00+05:30"}]"#),
            "{store}"
        );
        let lines = [("Accept", "application/x-ndjson")];
        assert_eq!(get("-4", &lines).body, "{\"at\":\"2024-03-30T21:00:00-04:00\"}\n", "{store}");
        let plain = client.get("/events?select=at::text&id=eq.2");
        assert_eq!(plain.body, r#"[{"at":"2024-03-31 01:00:00+00"}]"#, "{store}: the zone is of one request");
    }
}
