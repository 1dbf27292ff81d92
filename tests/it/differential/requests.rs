//! The requests that both stores must answer alike.

use crate::support::{Answer, Client};

/// One request.
#[derive(Debug, Clone)]
pub struct Case {
    pub method: &'static str,
    pub path: String,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

impl Case {
    pub fn get(path: impl Into<String>) -> Self {
        Self { method: "GET", path: path.into(), headers: Vec::new(), body: String::new() }
    }

    pub fn write(method: &'static str, path: impl Into<String>, body: impl Into<String>) -> Self {
        Self { method, path: path.into(), headers: Vec::new(), body: body.into() }
            .with("Content-Type", "application/json")
    }

    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub fn prefer(self, value: &str) -> Self {
        self.with("Prefer", value)
    }

    /// Sends it, with more headers.
    pub fn send(&self, client: &Client, more: &[(&str, &str)]) -> Answer {
        let mut headers: Vec<(&str, &str)> = self.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        headers.extend(more);
        client.send(self.method, &self.path, &headers, &self.body)
    }
}

/// A table of Chinook, with columns that operators can be tried on.
struct Sample {
    table: &'static str,
    /// Orders the rows completely.
    key: &'static str,
    /// An integer column.
    number: &'static str,
    /// A text column, when there is one, with a pattern that finds some rows.
    text: Option<(&'static str, &'static str)>,
    /// Columns for `select`.
    select: &'static str,
}

const SAMPLES: &[Sample] = &[
    Sample {
        table: "album",
        key: "album_id",
        number: "artist_id",
        text: Some(("title", "the")),
        select: "album_id,title",
    },
    Sample {
        table: "artist",
        key: "artist_id",
        number: "artist_id",
        text: Some(("name", "ac")),
        select: "id:artist_id,name",
    },
    Sample {
        table: "customer",
        key: "customer_id",
        number: "support_rep_id",
        text: Some(("last_name", "an")),
        select: "first_name,last_name,company,email,country",
    },
    Sample {
        table: "employee",
        key: "employee_id",
        number: "reports_to",
        text: Some(("title", "manager")),
        select: "employee_id,last_name,birth_date,hire_date",
    },
    Sample { table: "genre", key: "genre_id", number: "genre_id", text: Some(("name", "roc")), select: "*" },
    Sample {
        table: "invoice",
        key: "invoice_id",
        number: "customer_id",
        text: Some(("billing_city", "par")),
        select: "invoice_id,invoice_date,total,billing_country",
    },
    Sample {
        table: "invoice_line",
        key: "invoice_line_id",
        number: "track_id",
        text: None,
        select: "invoice_line_id,unit_price,quantity",
    },
    Sample {
        table: "media_type",
        key: "media_type_id",
        number: "media_type_id",
        text: Some(("name", "aac")),
        select: "name",
    },
    Sample {
        table: "playlist",
        key: "playlist_id",
        number: "playlist_id",
        text: Some(("name", "music")),
        select: "name,playlist_id",
    },
    Sample {
        table: "playlist_track",
        key: "playlist_id,track_id",
        number: "track_id",
        text: None,
        select: "track_id,list:playlist_id",
    },
    Sample {
        table: "track",
        key: "track_id",
        number: "milliseconds",
        text: Some(("composer", "young")),
        select: "track_id,name,unit_price,bytes",
    },
];

/// Reads and writes over all tables of Chinook.
pub fn chinook() -> Vec<Case> {
    let mut cases = Vec::new();
    for sample in SAMPLES {
        reads(sample, &mut cases);
        if let Some((column, pattern)) = sample.text {
            texts(sample, column, pattern, &mut cases);
        }
        wrong(sample, &mut cases);
    }
    times_and_decimals(&mut cases);
    writes(&mut cases);
    cases
}

fn reads(sample: &Sample, cases: &mut Vec<Case>) {
    let Sample { table, key, number, select, .. } = *sample;
    let order = format!("order={key}");
    for tail in [
        String::new(),
        "&limit=3".into(),
        "&limit=2&offset=1".into(),
        "&limit=0".into(),
        "&offset=1000000".into(),
        "&offset=-1".into(),
    ] {
        cases.push(Case::get(format!("/{table}?{order}{tail}")).with("Range-Unit", "items"));
    }
    cases.push(Case::get(format!("/{table}?{order}&limit=2")).prefer("count=exact"));
    cases.push(Case::get(format!("/{table}?{order}&offset=1000000")).prefer("count=exact"));
    cases.push(Case::get(format!("/{table}?{order}")).with("Range", "1-3"));
    cases.push(Case::get(format!("/{table}?{order}")).with("Range", "1-3").prefer("count=exact"));
    cases.push(Case::get(format!("/{table}?{order}")).with("Range", "5-2"));
    cases.push(Case::get(format!("/{table}?{order}&limit=-1")));
    cases.push(Case::get(format!("/{table}?select={select}&{order}&limit=4")));
    cases.push(Case::get(format!("/{table}?select={number}::text,n:{number}::bigint&{order}&limit=4")));
    cases.push(Case::get(format!("/{table}?select=&limit=2")));
    cases.push(Case::get(format!("/{table}?order={number}.desc.nullslast,{key}&limit=5&select={number}")));
    cases.push(Case::get(format!("/{table}?order={number}.nullsfirst,{key}&limit=5&select={number}")));
    cases.push(Case::get(format!("/{table}?order={number}.desc,{key}&limit=5&select={number}")));
    for filter in [
        "eq.2",
        "neq.2",
        "gt.3",
        "gte.3",
        "lt.4",
        "lte.4",
        "in.(1,2,3)",
        "in.()",
        "not.in.(1,2)",
        "is.null",
        "not.is.null",
        "is.not_null",
        "isdistinct.2",
        "not.eq.2",
        "eq(any).{1,2}",
        "gt(all).{1,2}",
        "lt(any).{3,1}",
        "not.gte(all).{1,2}",
    ] {
        cases.push(
            Case::get(format!("/{table}?{number}={filter}&{order}&limit=5&select={number}")).prefer("count=exact"),
        );
    }
    cases.push(Case::get(format!("/{table}?or=({number}.eq.1,{number}.gt.100)&{order}&limit=5")));
    cases.push(Case::get(format!("/{table}?not.or=({number}.eq.1,{number}.lt.3)&{order}&limit=5")));
    cases.push(Case::get(format!(
        "/{table}?and=({number}.gte.1,or({number}.lt.3,not.and({number}.lt.9,{number}.gt.4)))&{order}&limit=5"
    )));
    cases.push(Case::get(format!("/{table}?{number}=gte.2&{number}=lte.5&{order}&limit=5")));
    cases.push(Case::get(format!("/{table}?{order}&limit=3")).with("Accept", "text/csv"));
    cases.push(Case::get(format!("/{table}?{number}=eq.-77")).with("Accept", "text/csv"));
    cases.push(Case::get(format!("/{table}?{order}&limit=1")).with("Accept", "application/vnd.pgrst.object+json"));
    cases.push(Case::get(format!("/{table}?{order}&limit=2")).with("Accept", "application/vnd.pgrst.object+json"));
    cases.push(
        Case::get(format!("/{table}?{order}&limit=2"))
            .with("Accept", "application/vnd.pgrst.array+json;nulls=stripped"),
    );
    cases.push(Case { method: "HEAD", ..Case::get(format!("/{table}?{order}&limit=2")).prefer("count=exact") });
    cases.push(Case { method: "OPTIONS", ..Case::get(format!("/{table}")) });
}

fn texts(sample: &Sample, column: &str, pattern: &str, cases: &mut Vec<Case>) {
    let Sample { table, key, .. } = *sample;
    let tail = format!("order={key}&limit=6&select={column}");
    for filter in [
        format!("like.*{pattern}*"),
        format!("ilike.*{pattern}*"),
        format!("ilike.%25{pattern}%25"),
        format!("not.ilike.*{pattern}*"),
        format!("match.{pattern}"),
        format!("imatch.^.*{pattern}"),
        format!("ilike(any).{{*{pattern}*,*z*}}"),
        format!("ilike(all).{{*{pattern}*,*a*}}"),
        format!("in.(\"{pattern}\",\"Rock\",\"Music\")"),
        format!("gt.{pattern}"),
        format!("neq.{pattern}"),
        "eq.".into(),
        "is.null".into(),
        "like.___".into(),
        "ilike.*'*".into(),
        "eq.O'Reilly \"x\"".replace(' ', "%20").replace('"', "%22"),
    ] {
        cases.push(Case::get(format!("/{table}?{column}={filter}&{tail}")).prefer("count=exact"));
    }
    cases.push(Case::get(format!("/{table}?order={column}.desc,{key}&limit=9&select={column}")));
    cases.push(Case::get(format!("/{table}?or=({column}.ilike.*{pattern}*,{column}.is.null)&{tail}")));
}

fn wrong(sample: &Sample, cases: &mut Vec<Case>) {
    let Sample { table, key, number, .. } = *sample;
    cases.push(Case::get(format!("/{table}?{number}=eq.abc")));
    cases.push(Case::get(format!("/{table}?{number}=eq.99999999999999999999")));
    cases.push(Case::get(format!("/{table}?{number}=in.(1,x)")));
    cases.push(Case::get(format!("/{table}?{number}=is.true")));
    cases.push(Case::get(format!("/{table}?{number}=like.*1*")));
    cases.push(Case::get(format!("/{table}?nothing=eq.1")));
    cases.push(Case::get(format!("/{table}?select=nothing")));
    cases.push(Case::get(format!("/{table}?order=nothing")));
    cases.push(Case::get(format!("/{table}?{number}=noop.1")));
    cases.push(Case::get(format!("/{table}?select={number}::nothing&order={key}")));
    cases.push(Case::get(format!("/{table}s_")));
    cases.push(Case::get(format!("/{table}?order={key}")).with("Accept", "application/x-nothing"));
    cases.push(Case::get(format!("/{table}?order={key}&limit=1")).prefer("handling=strict, nothing=1"));
}

fn times_and_decimals(cases: &mut Vec<Case>) {
    for filter in [
        "invoice_date=gte.2010-01-01",
        "invoice_date=lt.2010-02-01T00:00:00",
        "invoice_date=eq.2009-01-01%2000:00:00",
        "invoice_date=in.(\"2009-01-01\",\"2009-01-02\")",
        "total=gt.10.5",
        "total=eq.1.98",
        "total=eq.1.980",
        "total=in.(0.99,1.98)",
        "total=lt.1",
        "total=eq.abc",
        "invoice_date=eq.yesterday-ish",
        "invoice_date=eq.2009-02-31",
    ] {
        cases.push(Case::get(format!("/invoice?{filter}&order=invoice_id&limit=5")).prefer("count=exact"));
    }
    cases.push(Case::get("/invoice?select=total,invoice_date&order=total.desc,invoice_id&limit=5"));
    cases.push(Case::get("/invoice?select=total::text,invoice_date::date,invoice_date::text&order=invoice_id&limit=5"));
    cases.push(Case::get("/employee?select=birth_date&order=birth_date.desc&limit=5"));
}

fn writes(cases: &mut Vec<Case>) {
    let full = "return=representation";
    let new = r#"{"artist_id":9001,"name":"Nobody \"quoted\" ünïcode \\ \n tab\t"}"#;
    cases.push(Case::write("POST", "/artist", new).prefer(full));
    cases.push(Case::write("POST", "/artist", new).prefer(full));
    cases.push(Case::write("POST", "/artist", r#"{"artist_id":9002,"name":null}"#).prefer("return=headers-only"));
    cases.push(Case::write("POST", "/artist", r#"{"artist_id":9003}"#));
    cases.push(
        Case::write("POST", "/artist?select=name", r#"[{"artist_id":9004,"name":"a"},{"artist_id":9005,"name":"b"}]"#)
            .prefer("return=representation, count=exact"),
    );
    cases.push(Case::write("POST", "/artist", "[]").prefer(full));
    cases.push(Case::write("POST", "/artist", "{}").prefer(full));
    cases.push(Case::write("POST", "/artist", r#"[{"artist_id":1},{"name":"x"}]"#));
    cases.push(Case::write("POST", "/artist", "{").prefer(full));
    cases.push(Case::write("POST", "/artist", r#"{"artist_id":"x"}"#));
    cases.push(Case::write("POST", "/artist", r#"{"artist_id":9006,"nothing":1}"#));
    cases.push(
        Case::write(
            "POST",
            "/artist?columns=artist_id,name",
            r#"[{"artist_id":9007,"name":"c","other":1},{"artist_id":9008}]"#,
        )
        .prefer(full),
    );
    cases.push(
        Case::write("POST", "/artist?columns=artist_id,name", r#"[{"artist_id":9009,"name":"c"},{"artist_id":9010}]"#)
            .prefer("return=representation, missing=default"),
    );
    cases.push(
        Case::write("POST", "/artist", r#"[{"artist_id":9001,"name":"merged"},{"artist_id":9011,"name":"new"}]"#)
            .prefer("return=representation, resolution=merge-duplicates"),
    );
    cases.push(
        Case::write("POST", "/artist", r#"[{"artist_id":9001,"name":"again"}]"#)
            .prefer("return=representation, resolution=merge-duplicates"),
    );
    cases.push(
        Case::write(
            "POST",
            "/artist?on_conflict=artist_id",
            r#"[{"artist_id":9001,"name":"ignored"},{"artist_id":9012,"name":"new"}]"#,
        )
        .prefer("return=representation, resolution=ignore-duplicates"),
    );
    cases.push(
        Case::write("POST", "/artist?on_conflict=nothing", r#"[{"artist_id":9001,"name":"x"}]"#)
            .prefer("resolution=merge-duplicates"),
    );
    cases.push(
        Case::write("POST", "/artist", "artist_id,name\n9020,Csv\n9021,NULL\n").with("Accept", "text/csv").prefer(full),
    );
    if let Some(case) = cases.last_mut() {
        case.headers.retain(|(name, _)| *name != "Content-Type");
        case.headers.push(("Content-Type", "text/csv".into()));
    }
    cases.push(Case::write("POST", "/album", r#"{"album_id":9001,"title":"No artist","artist_id":777777}"#));
    cases.push(Case::write("POST", "/album", r#"{"album_id":9001,"artist_id":1}"#));
    cases.push(
        Case::write("POST", "/genre", r#"{"genre_id":9001,"name":"x"}"#)
            .with("Accept", "application/vnd.pgrst.object+json")
            .prefer(full),
    );
    cases.push(Case::write("PUT", "/genre?genre_id=eq.9001", r#"{"genre_id":9001,"name":"put"}"#).prefer(full));
    cases.push(Case::write("PUT", "/genre?genre_id=eq.9002", r#"{"genre_id":9002,"name":"put new"}"#).prefer(full));
    cases.push(Case::write("PUT", "/genre?genre_id=eq.9002", r#"{"genre_id":9003,"name":"wrong"}"#).prefer(full));
    cases.push(Case::write("PUT", "/genre?name=eq.put", r#"{"genre_id":9002,"name":"wrong"}"#));
    cases.push(Case::write("PUT", "/genre?genre_id=eq.9002&limit=1", r#"{"genre_id":9002,"name":"wrong"}"#));
    cases.push(Case::write("PUT", "/genre?genre_id=eq.9002", r#"{"genre_id":9002,"name":"quiet"}"#));
    cases.push(Case::write("PATCH", "/artist?artist_id=eq.9001", r#"{"name":"patched"}"#).prefer(full));
    cases.push(
        Case::write("PATCH", "/artist?artist_id=gte.9001&artist_id=lte.9003", r#"{"name":"many"}"#)
            .prefer("count=exact"),
    );
    cases.push(Case::write("PATCH", "/artist?artist_id=eq.9001", "{}").prefer(full));
    cases.push(Case::write("PATCH", "/artist?artist_id=eq.777777", r#"{"name":"none"}"#).prefer(full));
    cases.push(
        Case::write("PATCH", "/artist?artist_id=gte.9001", r#"{"name":"too many"}"#)
            .prefer("handling=strict, max-affected=2"),
    );
    cases.push(Case::write("PATCH", "/artist?artist_id=eq.9001", r#"{"artist_id":9002}"#));
    cases.push(Case::write("PATCH", "/artist?artist_id=eq.9001", r#"{"artist_id":null}"#));
    cases.push(Case::write("PATCH", "/artist?artist_id=eq.9001", r#"{"nothing":1}"#));
    cases.push(
        Case::write("PATCH", "/artist?artist_id=eq.9001", r#"{"name":"one"}"#)
            .with("Accept", "application/vnd.pgrst.object+json")
            .prefer(full),
    );
    cases.push(
        Case::write("PATCH", "/artist?artist_id=gte.9001", r#"{"name":"one"}"#)
            .with("Accept", "application/vnd.pgrst.object+json")
            .prefer(full),
    );
    cases.push(Case::write("POST", "/artist", format!(r#"{{"artist_id":9100,"name":"{}"}}"#, "x".repeat(200))));
    cases.push(Case { method: "DELETE", ..Case::get("/artist?artist_id=eq.1") });
    cases.push(Case { method: "DELETE", ..Case::get("/artist?artist_id=eq.9001&select=artist_id,name").prefer(full) });
    cases.push(Case {
        method: "DELETE",
        ..Case::get("/artist?artist_id=gte.9002").prefer("handling=strict, max-affected=1")
    });
    cases.push(Case { method: "DELETE", ..Case::get("/artist?artist_id=gte.9002").prefer("count=exact") });
    cases.push(Case { method: "DELETE", ..Case::get("/genre?genre_id=gte.9001") });
    cases.push(Case { method: "DELETE", ..Case::get("/genre?genre_id=eq.x") });
    cases.push(Case { method: "PROPFIND", ..Case::get("/genre") });
    for sample in SAMPLES {
        cases.push(Case::get(format!("/{}?order={}&limit=1000", sample.table, sample.key)).prefer("count=exact"));
    }
}
