-- Functions that the generated requests of the differential test call, and views that they write through.

CREATE FUNCTION sum_of(a integer, b integer DEFAULT 1) RETURNS integer LANGUAGE sql IMMUTABLE AS $$ SELECT a + b $$;
CREATE FUNCTION said(a text, b text DEFAULT 'nobody') RETURNS text LANGUAGE sql STABLE STRICT AS $$ SELECT a || ' ' || b $$;
CREATE FUNCTION total(VARIADIC n integer[]) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$ SELECT sum(m) FROM unnest(n) m $$;
CREATE FUNCTION films_since(since integer) RETURNS SETOF films LANGUAGE sql STABLE AS $$
    SELECT * FROM films WHERE year >= since ORDER BY id
$$;
CREATE FUNCTION oldest(of_country text DEFAULT NULL) RETURNS directors LANGUAGE sql STABLE AS $$
    SELECT * FROM directors ORDER BY born NULLS LAST, id LIMIT 1
$$;
CREATE FUNCTION years(most integer DEFAULT 3) RETURNS SETOF integer LANGUAGE sql STABLE AS $$
    SELECT year FROM films ORDER BY year, id LIMIT most
$$;
CREATE FUNCTION by_director(fewest integer DEFAULT 0) RETURNS TABLE (name text, films bigint, first integer)
    LANGUAGE sql STABLE AS $$
    SELECT d.name, count(f.id), min(f.year) FROM directors d LEFT JOIN films f ON f.director_id = d.id
    GROUP BY d.id, d.name HAVING count(f.id) >= fewest ORDER BY d.name
$$;
CREATE FUNCTION kinds_of(wanted mood) RETURNS SETOF kinds LANGUAGE sql STABLE AS $$
    SELECT * FROM kinds WHERE feeling = wanted ORDER BY id
$$;
CREATE FUNCTION add_kind(id integer, small smallint DEFAULT NULL, words text DEFAULT 'made') RETURNS kinds LANGUAGE sql AS $$
    INSERT INTO kinds (id, small, words) VALUES (id, small, words) RETURNING *
$$;
CREATE FUNCTION calm(fewest integer) RETURNS SETOF kinds LANGUAGE sql AS $$
    UPDATE kinds SET feeling = 'ok' WHERE kinds.id >= fewest RETURNING *
$$;
CREATE FUNCTION forget_kinds(fewest integer) RETURNS void LANGUAGE sql AS $$ DELETE FROM kinds WHERE id >= fewest $$;
CREATE FUNCTION age(films) RETURNS integer LANGUAGE sql STABLE AS $$ SELECT 2000 - $1.year $$;
CREATE FUNCTION siblings(films) RETURNS SETOF films LANGUAGE sql STABLE AS $$
    SELECT * FROM films f WHERE f.director_id = $1.director_id AND f.id <> $1.id ORDER BY f.id
$$;

CREATE VIEW few_kinds AS SELECT * FROM kinds WHERE medium IS NULL OR medium < 100 WITH CHECK OPTION;
CREATE VIEW odd_kinds AS
    SELECT
        id, small, medium, big, single, twice, exact, money_like, truth, upper(words) AS words, short, fixed, day, moment,
        instant, clock, code, document, binary_document, bytes, feeling, share, numbers, labels, doubled
    FROM few_kinds AS f WHERE f.id <> 2 AND (small IS NULL OR small < 5);
