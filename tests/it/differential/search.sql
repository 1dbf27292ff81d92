-- Texts that the generated requests of the differential test search.

CREATE TABLE articles (
    id int PRIMARY KEY, title varchar(60), body text, data jsonb, document json, kept tsvector, year int,
    found tsvector GENERATED ALWAYS AS (
        setweight(to_tsvector('english', coalesce(title, '')), 'A') || to_tsvector('english', coalesce(body, ''))
    ) STORED
);
CREATE TABLE remarks (id int PRIMARY KEY, article_id int REFERENCES articles (id), text text, german tsvector);

INSERT INTO articles (id, title, body, data, document, kept, year) VALUES
    (1, 'The fat cat', 'A fat cat sat on a mat and ate a fat rat', '{"a": "fat cats", "t": ["running", 1]}', '{"a": "cats"}', '''cat'':2A ''fat'':1', 1990),
    (2, 'Running foxes', 'foxes ran from the cats to a house by the river', '{"t": {"u": "run"}}', '["rivers", null]', 'fat cat', 1991),
    (3, 'Cats and dogs', 'it is impossible to do such things in version 1.2.3', '[]', NULL, NULL, 1992),
    (4, NULL, 'les enfants jouaient dans les jardins avec des chats', NULL, '"fat"', '', NULL),
    (5, 'Gardens', 'die kinder spielten in den alten gärten der häuser', '{"a": "die katzen"}', '{}', '''rat'':3,4B ''run''', 1990),
    (6, 'Nothing', NULL, '"a fat string"', '{"b": {"a": "running"}}', '''katz'':1 ''hund'':2C', 1993),
    (7, 'river', 'rivers run by houses, and x-ray cats run by rivers', '{"a": "x-ray"}', '[1, true]', '''river'':1B,2,9', 1990);
INSERT INTO remarks VALUES
    (1, 1, 'fat remarks about cats', to_tsvector('german', 'dicke katzen und hunde')), (2, 1, 'thin remarks', NULL),
    (3, 3, 'a rat, not a dog', to_tsvector('german', 'eine ratte')), (4, 5, 'alte gärten', to_tsvector('german', 'alte gärten')),
    (5, 7, 'running', ''), (6, NULL, 'the river', NULL);

CREATE INDEX articles_found ON articles USING gin (found);
CREATE INDEX articles_body ON articles USING gin (to_tsvector('english', body));
CREATE INDEX remarks_text ON remarks USING gin (to_tsvector('french', text));
CREATE INDEX remarks_german ON remarks USING gin (german);

CREATE FUNCTION said(articles) RETURNS text LANGUAGE sql STABLE AS $$ SELECT $1.title || ' ' || $1.body $$;
CREATE FUNCTION french(articles) RETURNS tsvector LANGUAGE sql STABLE AS $$ SELECT to_tsvector('french', $1.body) $$;
CREATE FUNCTION articles_about(words text) RETURNS SETOF articles LANGUAGE sql STABLE AS $$
    SELECT a.* FROM articles a, websearch_to_tsquery('english', words) query
    WHERE a.found @@ query ORDER BY ts_rank(a.found, query) DESC, a.id
$$;
CREATE VIEW old_articles AS SELECT id, title, body, found FROM articles WHERE year < 1993;
