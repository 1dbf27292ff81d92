"""postgrest-py against the berth at BERTH_URL, over the rows of schema.sql; what a test writes it takes away again."""

import os

import pytest
from postgrest import SyncPostgrestClient
from postgrest.exceptions import APIError


@pytest.fixture
def client():
    with SyncPostgrestClient(os.environ["BERTH_URL"]) as client:
        yield client


FILTERS = [
    ("eq", lambda q: q.eq("title", "Fictions"), [3]),
    ("neq", lambda q: q.neq("id", 1), [2, 3, 4]),
    ("gt", lambda q: q.gt("pages", 170), [3]),
    ("gte", lambda q: q.gte("pages", 170), [2, 3]),
    ("lt", lambda q: q.lt("pages", 170), [1]),
    ("lte", lambda q: q.lte("pages", 170), [1, 2]),
    ("like", lambda q: q.like("title", "The%"), [1, 2]),
    ("like_all_of", lambda q: q.like_all_of("title", "The%,%Star"), [1]),
    ("like_any_of", lambda q: q.like_any_of("title", "Fic%,%Star"), [1, 3]),
    ("ilike", lambda q: q.ilike("title", "%PASSION"), [2]),
    ("is null", lambda q: q.is_("pages", "null"), [4]),
    ("in", lambda q: q.in_("title", ["Fictions", 'a,"b"']), [3]),
    ("contains an array", lambda q: q.contains("labels", ["novel"]), [1, 2]),
    ("contains JSON", lambda q: q.contains("facts", {"cats": 1}), [2]),
    ("contained_by", lambda q: q.contained_by("labels", ["novel", "stories"]), [2, 3, 4]),
    ("overlaps", lambda q: q.overlaps("labels", ["short", "stories"]), [1, 3]),
    ("match", lambda q: q.match({"author_id": 1, "pages": 96}), [1]),
    ("not", lambda q: q.not_.eq("author_id", 1), [3]),
    ("text_search", lambda q: q.text_search("title", "stars", {"config": "english", "type": "web_search"}), [1]),
    ("in with signs of its own", lambda q: q.in_("title", ["a b", "(p)", "x,y", "Fictions"]), [3]),
    ("or", lambda q: q.or_("id.eq.4,and(author_id.eq.1,pages.lt.100)"), [1, 4]),
]


@pytest.mark.parametrize("ask,expected", [case[1:] for case in FILTERS], ids=[case[0] for case in FILTERS])
def test_it_filters(client, ask, expected):
    rows = ask(client.from_("books").select("id")).order("id").execute().data
    assert [row["id"] for row in rows] == expected


def test_it_inserts_updates_upserts_and_deletes(client):
    books = lambda: client.from_("books")
    inserted = books().insert({"title": "New", "labels": ["a", "b,c"]}).execute().data
    assert inserted[0]["labels"] == ["a", "b,c"] and inserted[0]["printed"] is True
    assert books().update({"pages": 7}).eq("title", "New").execute().data[0]["pages"] == 7
    books().insert([{"id": 50, "title": "x"}, {"id": 51, "title": "y"}]).execute()
    upserted = books().upsert([{"id": 50, "title": "z"}, {"id": 52, "title": "w"}]).execute().data
    assert sorted(row["title"] for row in upserted) == ["w", "z"]
    books().upsert({"id": 50, "title": "ignored"}, ignore_duplicates=True).execute()
    assert books().select("title").eq("id", 50).single().execute().data == {"title": "z"}
    gone = books().delete(count="exact").or_("id.in.(50,51,52),title.eq.New").execute()
    assert gone.count == 4 and len(gone.data) == 4


def test_it_embeds_counts_orders_and_cuts(client):
    authors = client.from_("authors").select("name,books(title)").order("id").execute().data
    assert [len(author["books"]) for author in authors] == [2, 1, 0]
    inner = client.from_("books").select("id,author:authors!inner(name)").eq("author.name", "Borges").execute().data
    assert inner == [{"id": 3, "author": {"name": "Borges"}}]
    page = client.from_("books").select("id", count="exact").order("id", desc=True).range(1, 2).execute()
    assert (page.data, page.count) == ([{"id": 3}, {"id": 2}], 4)
    assert client.from_("books").select("*", count="exact", head=True).gt("pages", 100).execute().count == 2


def test_it_filters_embedded_rows_and_bounds_what_is_written(client):
    either = client.from_("authors").select("id,books(id)").or_("id.eq.1,pages.gt.200", "books").order("id").execute()
    assert either.data == [{"id": 1, "books": [{"id": 1}]}, {"id": 2, "books": []}, {"id": 3, "books": []}]
    rows = [{"id": 50, "title": "a"}, {"id": 51, "title": "b", "printed": False}]
    upserted = client.from_("books").upsert(rows, default_to_null=False).execute().data
    assert [row["printed"] for row in upserted] == [True, False]
    with pytest.raises(APIError) as raised:
        client.from_("books").delete().gte("id", 50).max_affected(1).execute()
    assert raised.value.code == "PGRST124"
    assert client.from_("books").delete(count="exact").gte("id", 50).execute().count == 2


def test_it_reads_one_row_perhaps_one_row_and_csv(client):
    assert client.from_("books").select("id").eq("id", 2).single().execute().data == {"id": 2}
    assert client.from_("books").select("id").eq("id", 99).maybe_single().execute() is None
    csv = client.from_("authors").select("id,name,born").order("id").csv().execute().data
    assert csv == "id,name,born\n1,Lispector,1920\n2,Borges,1899\n3,Nobody,"


def test_it_calls_functions(client):
    assert client.rpc("count_of_pages", {}).execute().data == 440
    long = client.rpc("longest", {"at_least": 100}).select("title,authors(name)").eq("id", 3).execute().data
    assert long == [{"title": "Fictions", "authors": {"name": "Borges"}}]
    assert client.rpc("longest", {"at_least": 171}, get=True).execute().data[0]["id"] == 3
    added = client.rpc("add_author", {"name": "of postgrest-py"}).execute().data
    assert (added["name"], added["born"]) == ("of postgrest-py", None)
    client.from_("authors").delete().eq("name", "of postgrest-py").execute()


ERRORS = [
    ("PGRST205", lambda c: c.from_("nothing").select("*")),
    ("42703", lambda c: c.from_("books").select("nothing")),
    ("PGRST200", lambda c: c.from_("books").select("nothing(id)")),
    ("PGRST116", lambda c: c.from_("books").select("id").eq("id", 99).single()),
    ("22P02", lambda c: c.from_("books").select("*").eq("id", "x")),
    ("23505", lambda c: c.from_("authors").insert({"name": "Borges"})),
    ("23502", lambda c: c.from_("books").insert({"pages": 1})),
    ("23503", lambda c: c.from_("books").insert({"title": "x", "author_id": 99})),
    ("23514", lambda c: c.from_("books").insert({"title": "x", "pages": 0})),
    ("PGRST202", lambda c: c.rpc("nothing", {"a": 1})),
]


@pytest.mark.parametrize("code,ask", ERRORS, ids=[case[0] for case in ERRORS])
def test_it_is_told_what_is_wrong(client, code, ask):
    with pytest.raises(APIError) as raised:
        ask(client).execute()
    assert raised.value.code == code
