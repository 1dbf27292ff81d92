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

/// Reads of Chinook, where tables have thousands of rows.
pub fn chinook() -> Vec<Case> {
    CHINOOK.iter().map(|path| Case::get(*path).prefer("count=exact")).collect()
}

const CHINOOK: &[&str] = &[
    "/album?select=title,artist(name),track(name,milliseconds)&order=album_id&track.order=track_id&limit=20",
    "/artist?select=name,album(title,track(name,genre(name),media_type(name)))&order=artist_id&album.order=album_id&album.track.order=track_id&limit=5&offset=40",
    "/artist?select=name,album!inner(title)&album.title=ilike.*live*&order=artist_id&album.order=album_id",
    "/artist?select=name,album()&album=is.null&order=artist_id",
    "/track?select=name,...album(title,...artist(artist:name)),...genre(genre:name)&order=track_id&limit=50&offset=1000",
    "/track?select=name,album(title)&order=album(title).desc,track_id&limit=25",
    "/album?select=title,...track(names:name,unit_price)&order=album_id&track.order=track_id&limit=10",
    "/playlist?select=name,track(name)&order=playlist_id&track.order=track_id&track.limit=3",
    "/track?select=name,playlist(name)&order=track_id&limit=10&playlist.order=playlist_id",
    "/employee?select=last_name,reports_to(last_name),employee(last_name)&order=employee_id&employee.order=employee_id",
    "/employee?select=last_name,boss:reports_to(last_name,boss:reports_to(last_name))&order=employee_id",
    "/customer?select=last_name,employee(last_name),invoice(total.sum(),count())&order=customer_id&limit=20",
    "/customer?select=country,count()&order=country",
    "/invoice?select=billing_country,total.sum(),total.avg(),total.min(),total.max(),count()&order=billing_country",
    "/invoice?select=total.sum(),...customer(country)&order=customer(country)",
    "/invoice_line?select=unit_price.sum(),quantity.sum()::text,...track(...genre(genre:name))&limit=0",
    "/track?select=milliseconds.avg(),bytes.sum(),composer.count()&genre_id=eq.1",
    "/genre?select=name,track(count())&order=genre_id",
    "/invoice?select=invoice_date,invoice_line(quantity,track(name))&order=invoice_id&limit=5&invoice_line.order=invoice_line_id",
    "/album?select=title,track!inner(name)&track.milliseconds=gt.500000&track.or=(composer.is.null,name.like.*a*)&order=album_id&track.order=track_id",
    "/album?select=album_id&artist_id=eq.90&or=(track.is.null,title.like.*Live*)",
    "/album?select=album_id,track()&artist_id=eq.90&or=(track.is.null,title.like.*Live*)&order=album_id",
];

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
    ("GET", "/films?select=count(),...director_id(name)&director_id=not.is.null&order=director_id(name)", ""),
    ("GET", "/films?select=kept,...director_id(count(),name.max())&order=kept", ""),
    ("GET", "/films?select=id.count(),d:director_id(name)&director_id=lt.3&id=gt.2", ""),
    ("GET", "/films?select=id.count(),d:director_id(name,born)&id=lt.3", ""),
    ("GET", "/films?select=year.sum(),notes(body)&id=eq.2", ""),
    // As it was written before there were aggregate functions.
    ("GET", "/films?select=count", ""),
    ("GET", "/films?select=n:count::text&year=gt.1950", ""),
    ("GET", "/directors?select=name,films!films_director_id_fkey(count)&order=id", ""),
    ("GET", "/directors?select=name,films:films!director_id(total:count)&films.year=lt.1960&order=id", ""),
    ("GET", "/films?select=title,actors(count)&order=id", ""),
    ("GET", "/reels?select=state.max(),lowest:state.min(),state.count()", ""),
    ("GET", "/films?select=title,reels(state.max())&order=id", ""),
    ("GET", "/reels?select=state,count()&order=state", ""),
    ("GET", "/films?select=...director_id(name,born),count()&order=director_id(name).desc&director_id=not.is.null", ""),
    ("GET", "/notes?select=...films(title,...director_id(name)),count()&order=films(title)", ""),
    ("GET", "/films?select=count(),director_id,d:director_id(name)&order=d(name)", ""),
    ("GET", "/films?select=x:length::int,y:rating::int,z:price::int&order=id", ""),
    ("GET", "/notes?select=count(),...films(title)&film_id=not.is.null&order=films(title)&limit=1", ""),
    ("GET", "/films?select=year.sum(),...director_id(count())", ""),
    ("GET", "/films?select=seen.max(),copied.min(),kept.max()", ""),
    ("GET", "/films?select=data->a->0.sum()", ""),
    ("GET", "/films?select=data->>a.max(),n:data->a->>0::int.sum()", ""),
    ("GET", "/films?select=title.avg()", ""),
    ("GET", "/films?select=count(),year&year=gt.1950&order=year.desc", ""),
    ("GET", "/films?select=count()&id=gt.99", ""),
    ("GET", "/films?select=kept,count()&id=gt.99", ""),
    ("GET", "/films?select=count(),title&order=year", ""),
    // Composite keys, arrays, enumerations.
    ("GET", "/reels?select=*,checks(day)&order=film_id,place&checks.order=day", ""),
    ("GET", "/checks?select=day,reels(state,tags,films(title))&order=day", ""),
    ("GET", "/checks?select=day,reels!checks_reel_fkey(state)&order=reels(state).desc,day", ""),
    ("GET", "/films?select=title,reels(tags)&reels.tags=cs.{a}&order=id&reels.state=gt.poor", ""),
    ("GET", "/checks?select=day,...reels(state,tags)&order=day", ""),
    (
        "GET",
        "/films?select=title,...reels(state,tags,days:checks(day))&order=id&reels.order=place&reels.checks.order=day",
        "",
    ),
    // Views.
    ("GET", "/titles?select=title,directors(name)&order=film", ""),
    ("GET", "/directors?select=name,titles(title)&order=id&titles.order=film", ""),
    ("GET", "/titles?select=title,notes(body)&order=film&notes.order=id", ""),
    ("GET", "/notes?select=id,titles(title)&order=id", ""),
    (
        "GET",
        "/long_titles?select=name,directors!films_director_id_fkey(name),reels(place)&order=number&reels.order=place",
        "",
    ),
    ("GET", "/long_titles?select=name,by:director(name)&order=number", ""),
    ("GET", "/directors?select=name,long_titles!inner(name)&order=id&long_titles.name=like.*o*", ""),
    ("GET", "/billing?select=name,films(title),actors(id)&order=film_id,actor_id", ""),
    ("GET", "/films?select=title,billing(name)&order=id&billing.order=actor_id", ""),
    ("GET", "/titles?select=title,billing(name)&order=film&billing.order=actor_id", ""),
    ("GET", "/per_director?select=films,directors(name)&order=films,director_id", ""),
    ("GET", "/films?select=title,actors!roles(name)&order=id&actors.order=id", ""),
    ("GET", "/films?select=title,actors!billing(name)&order=id&actors.order=id", ""),
    ("GET", "/titles?select=title,actors!roles(name)&order=film&actors.order=id", ""),
    ("GET", "/everyone?select=name,films(title)", ""),
    ("GET", "/titles?select=title,sheets(camera),...director(name)&order=director(name),film", ""),
    ("GET", "/films?select=title,actors(name)", ""),
    ("GET", "/titles?select=title,nots(body)", ""),
    // Nothing of them, and null.
    ("GET", "/films?select=title,...notes(),...director_id()&order=id", ""),
    ("GET", "/films?select=title,...notes!inner()&order=id", ""),
    ("GET", "/films?select=title,notes(id,films())&order=id&notes.order=id", ""),
    ("GET", "/films?select=title,notes!inner(),n:notes()&n=is.null", ""),
    ("GET", "/films?select=title,n:notes(body)&n=is.null&order=id", ""),
    ("GET", "/films?select=title,n:notes(body)&n.body=eq.eins&not.or=(n.is.null,id.eq.7)", ""),
    (
        "GET",
        "/directors?select=name,films!director_id(notes(id))&films.notes=not.is.null&order=id&films.notes.order=id",
        "",
    ),
    (
        "GET",
        "/directors?select=name,films!director_id(notes(id))&films.or=(notes.not.is.null,title.eq.Cleo)&films=not.is.null&order=id&films.notes.order=id",
        "",
    ),
    ("GET", "/films?select=", ""),
    ("GET", "/films?select=id,notes!left(body)&order=id&notes.order=id", ""),
    ("GET", "/films?select=id,notes!notes_film_id_fkey!inner(body)&order=id&notes.order=id", ""),
    ("GET", "/films?select=id&id=eq.1&limit=1&notes.limit=1", ""),
    ("GET", "/films?select=id,notes(id)&order=id&notes.limit=0", ""),
    ("GET", "/films?select=id,notes(id)&order=id&notes.offset=-1&notes.order=id", ""),
    ("GET", "/films?select=id,notes(*,films(*))&id=eq.2", ""),
    ("GET", "/films?select=id,notes(id)&notes.id=eq.x", ""),
    ("GET", "/directors?select=name,mentor:directors!directors_mentor_id_fkey(name)&order=id", ""),
    ("GET", "/directors?select=id,films!director_id(count())&order=id&films.year=gt.1950", ""),
    ("GET", "/directors?select=id,...mentor_id(mentor:name,...mentor_id(grand:name))&order=id", ""),
    ("GET", "/directors?select=id,p:directors(id,q:directors(id))&order=id&p.order=id&p.q.limit=1", ""),
    ("GET", "/actors?select=name,roles(*,films(*,sheets(*)))&name=eq.Hara&roles.order=film_id", ""),
    ("GET", "/films?select=id,x:notes(y:id::text)&order=id&x.order=id", ""),
    ("GET", "/films?select=data->a,notes(id)&order=id&notes.order=id", ""),
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
    (
        "POST",
        "/films?select=title,directors!films_director_id_fkey(name),billing(name)",
        r#"{"id": 20, "title": "Neu", "director_id": 2}"#,
    ),
    ("PATCH", "/films?id=eq.20&select=title,reels(place),...director_id!inner(name)", r#"{"year": 2000}"#),
    (
        "POST",
        "/reels?select=state,films(title,directors!films_director_id_fkey(name))&columns=film_id,place,state",
        r#"[{"film_id": 20, "place": 1, "state": "poor"}]"#,
    ),
    ("POST", "/roles?select=part,films(title),actors(name)", r#"{"film_id": 20, "actor_id": 4, "part": "x"}"#),
    ("PATCH", "/films?id=eq.20&select=title,actors!roles(name)", r#"{"title": "Anders"}"#),
    ("POST", "/notes?select=id,film(title)", r#"{"id": 30, "film_id": 20}"#),
    ("GET", "/notes?id=eq.30", ""),
    ("DELETE", "/notes?film_id=eq.3&select=body,f:films!inner(title)", ""),
];
