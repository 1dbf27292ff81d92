//! Requests and nothing else.

use crate::differential::requests::Case;

/// Reads, each with the number of rows.
pub fn reads() -> Vec<Case> {
    let case =
        |(method, path, _): &(&'static str, &str, &str)| Case { method, ..Case::get(*path) }.prefer("count=exact");
    READS.iter().map(case).collect()
}

/// Writes that give rows back.
pub fn writes() -> Vec<Case> {
    let case = |(method, path, body): &(&'static str, &str, &str)| {
        Case::write(method, *path, *body).prefer("return=representation, count=exact")
    };
    WRITES.iter().map(case).collect()
}

/// Reads; none of them changes anything.
const READS: &[(&str, &str, &str)] = &[
    // Shapes.
    ("GET", "/films?select=title,directors!films_director_id_fkey(name)&order=id", ""),
    ("GET", "/films?select=*,director:director_id(*)&order=id", ""),
    ("GET", "/directors?select=name,films!films_director_id_fkey(*)&order=id", ""),
    ("GET", "/directors?select=name,films!director_id(title,year)&order=id&films.order=year.desc&films.limit=1", ""),
    ("GET", "/films?select=title,actors(name)&order=id&actors.order=name.desc", ""),
    ("GET", "/films?select=title,sheets(*)&order=id", ""),
    ("GET", "/sheets?select=camera,films(title)&order=film_id", ""),
    ("GET", "/films?select=title,notes()&order=id", ""),
    ("GET", "/films?select=notes(body)&order=id&notes.order=id", ""),
    ("GET", "/films?select=id,roles(part,actors(name,roles(film_id)))&id=eq.1&roles.order=part", ""),
    ("GET", "/actors?select=name,films(title,d:directors!films_director_id_fkey(name,mentor_id))&order=id", ""),
    ("GET", "/directors?select=name,mentor:mentor_id(name),pupils:directors(name)&order=id&pupils.order=name", ""),
    ("GET", "/directors?select=name,directors!mentor_id(name)&order=id&directors.order=id", ""),
    ("GET", "/films?select=title,films_director_id_fkey(name)&id=lt.3&order=id", ""),
    // Filters and ranges.
    ("GET", "/films?select=title,notes(body)&notes.body=eq.eins&order=id", ""),
    ("GET", "/films?select=title,n:notes(body)&n.or=(body.eq.eins,body.is.null)&n.order=id&order=id", ""),
    ("GET", "/films?select=title,n:notes(body)&notes.body=eq.eins&order=id", ""),
    ("GET", "/films?select=title,roles(actors(name))&roles.actors.name=eq.Ryu&roles.order=actor_id&order=id", ""),
    ("GET", "/films?select=title,notes(id)&notes.order=body.desc.nullslast&notes.limit=2&notes.offset=1&order=id", ""),
    ("GET", "/films?select=title,notes!inner(body)&notes.body=like.*e*&notes.order=id&order=id", ""),
    ("GET", "/films?select=title,notes!inner(body)&notes.order=id&order=id&limit=1", ""),
    ("GET", "/films?select=title,director:director_id!inner(name)&director.name=eq.Ozu&order=id&limit=1", ""),
    (
        "GET",
        "/directors?select=name,films!director_id!inner(title,actors!inner(name))&films.actors.name=eq.Ryu&order=id",
        "",
    ),
    ("GET", "/films?select=title,notes()&notes=is.null&order=id", ""),
    ("GET", "/films?select=title,notes()&notes=not.is.null&order=id&limit=1", ""),
    ("GET", "/films?select=title,notes(),sheets()&or=(notes.not.is.null,sheets.not.is.null)&order=id", ""),
    ("GET", "/films?select=title,notes()&notes.body=eq.eins&notes=not.is.null", ""),
    ("GET", "/films?select=title,d:director_id(name)&order=d(name).desc,id", ""),
    ("GET", "/films?select=title,d:director_id(n:name)&order=d(n),id.desc", ""),
    ("GET", "/films?select=title,d:director_id()&order=d(born).desc.nullslast,id&limit=3&offset=1", ""),
    // Spreads.
    ("GET", "/films?select=title,...directors!films_director_id_fkey(director:name,born)&order=id", ""),
    (
        "GET",
        "/films?select=title,...director_id(name,...mentor_id(mentor:name),films!director_id(title))&order=id&director_id.films.order=id",
        "",
    ),
    ("GET", "/films?select=title,...director_id!inner(name)&director_id.name=eq.Ozu&order=id", ""),
    (
        "GET",
        "/directors?select=name,...films!director_id(titles:title,years:year,rating,kept)&order=id&films.order=year.desc",
        "",
    ),
    ("GET", "/films?select=title,...notes(id,body)&order=id&notes.order=id&notes.body=not.is.null", ""),
    ("GET", "/films?select=title,...actors(name,roles(part))&order=id&actors.order=name&actors.roles.order=part", ""),
    ("GET", "/films?select=title,...roles(part,...actors(name))&order=id&roles.order=part", ""),
    (
        "GET",
        "/directors?select=name,...films!director_id(title,...notes(body))&order=id&films.order=id&films.notes.order=id",
        "",
    ),
    ("GET", "/roles?select=part,...films(title,data)&order=film_id,actor_id", ""),
    ("GET", "/notes?select=id,f:films(title,...director_id(name))&order=id", ""),
    // Aggregates.
    ("GET", "/films?select=count()", ""),
    (
        "GET",
        "/films?select=rating.sum(),rating.avg(),rating.max(),rating.min(),year.avg(),year.sum(),length.sum(),length.avg()",
        "",
    ),
    ("GET", "/films?select=price.sum(),price.avg(),views.sum(),views.avg(),title.max(),title.count()&id=lt.5", ""),
    ("GET", "/films?select=id.avg(),id.sum()&id=gt.99", ""),
    ("GET", "/films?select=id.avg()&id=lt.3", ""),
    ("GET", "/films?select=kept,n:count(),year.max()&order=kept.nullsfirst", ""),
    ("GET", "/films?select=year.sum()::text,rating.avg()::int,y:year::text.max(),length::int.sum()", ""),
    ("GET", "/films?select=director_id,count()&order=director_id.desc&limit=2", ""),
    ("GET", "/directors?select=name,films!director_id(count(),year.max())&order=id", ""),
    ("GET", "/directors?select=name,films!director_id(kept,count())&order=id&films.order=kept", ""),
    ("GET", "/films?select=count(),...director_id(name)&director_id=not.is.null&order=count", ""),
    ("GET", "/films?select=kept,...director_id(count(),name.max())&order=kept", ""),
    ("GET", "/films?select=id.count(),d:director_id(name)&director_id=lt.3&id=gt.2", ""),
    ("GET", "/films?select=id.count(),d:director_id(name,born)&id=lt.3", ""),
    ("GET", "/films?select=year.sum(),notes(body)&id=eq.2", ""),
    // What cannot be.
    ("GET", "/films?select=title,directors(name)", ""),
    ("GET", "/directors?select=name,films(title)", ""),
    ("GET", "/films?select=title,shelves(label)", ""),
    ("GET", "/films?select=title,note(body)", ""),
    ("GET", "/films?select=title,actors!nothing(name)", ""),
    ("GET", "/films?select=title&notes.id=eq.1", ""),
    ("GET", "/films?select=title,notes(id)&notes=eq.1", ""),
    ("GET", "/films?select=title,notes(id)&order=notes(id)", ""),
    ("GET", "/films?select=title&order=notes(id)", ""),
    ("GET", "/directors?select=name,...films!director_id(count())", ""),
];

/// Writes, in an order that leaves later ones something to write.
const WRITES: &[(&str, &str, &str)] = &[
    ("POST", "/notes?select=id,films(title,d:director_id(name))", r#"{"id": 10, "film_id": 1, "body": "neu"}"#),
    ("POST", "/notes?select=id,...films(title)", r#"[{"id": 11, "film_id": 2}, {"id": 12, "film_id": null}]"#),
    ("PATCH", "/films?id=eq.1&select=title,notes(id)&notes.order=id.desc&notes.limit=1", r#"{"year": 1950}"#),
    ("PATCH", "/films?id=eq.2&select=id,year,actors(name),sheets(camera)&actors.name=eq.Hara", r#"{"year": 1951}"#),
    ("PUT", "/notes?id=eq.11&select=*,films(title)", r#"{"id": 11, "film_id": 3, "body": "anders"}"#),
    (
        "PATCH",
        "/directors?id=eq.1&select=name,...films!director_id(id,title)&films.order=id.desc",
        r#"{"name": "Ozu Yasujiro"}"#,
    ),
    ("DELETE", "/notes?id=eq.12&select=id,films(title)", ""),
    ("DELETE", "/notes?id=gt.9&select=id,nothing(title)", ""),
    ("DELETE", "/notes?film_id=eq.3&select=body,f:films!inner(title)", ""),
];
