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
    FROM few_kinds AS f WHERE f.id < 1001 AND (small IS NULL OR small < 5);

-- Numbers and lengths of time, some equal ones in several spellings, and what is computed of them.
CREATE TABLE measures (
    id integer PRIMARY KEY,
    whole integer,
    part numeric,
    price numeric(10, 2),
    span interval,
    parts numeric[],
    document jsonb
);
INSERT INTO measures VALUES
    (1, 1, 1.50, 9.99, '1 day', '{1.0,2}', '{"a": 1.0}'),
    (2, 2, 1.5, 0.01, '24:00:00', '{1,2.00}', '{"a": 1}'),
    (3, 2, 12345678901234567890.5, 10, '1 mon', '{}', '[1, 2]'),
    (4, 3, -0.001, -3.30, '30 days', '{NaN}', '[1.0, 2.00]'),
    (5, 3, 0, 99999999.99, '-1 hours', '{0.5}', 'null'),
    (6, 7, NULL, NULL, NULL, NULL, NULL),
    (7, NULL, 100, 100, '23:59:59.5', '{NULL}', '"x"'),
    (8, -5, 100.00, 2.5, '1 day', '{1,2}', '{}');
CREATE VIEW reckoned AS
    SELECT id, whole + 1 AS next, whole * 3 AS triple, whole / 2 AS half, whole % 3 AS rest, part * price AS product,
        part + 0.10 AS more, price / 3 AS third, round(part, 1) AS rounded, -price AS owed, coalesce(part, 0) AS sure,
        CASE WHEN whole > 2 THEN price ELSE part END AS chosen, whole > 2.5 AS is_large,
        (SELECT max(m.part) FROM measures m WHERE m.whole = measures.whole) AS most, part || ' of ' || price AS told
    FROM measures;
CREATE VIEW by_whole AS
    SELECT whole, count(*) AS count, sum(part) AS total, avg(price) AS mean, max(part) AS most, sum(whole) AS wholes
    FROM measures GROUP BY whole;
CREATE FUNCTION worth(part numeric, times integer) RETURNS numeric LANGUAGE sql IMMUTABLE AS $$ SELECT part * times - 0.5 $$;
CREATE FUNCTION above(fewest numeric) RETURNS SETOF measures LANGUAGE sql STABLE AS $$
    SELECT * FROM measures WHERE part * 2 > fewest ORDER BY id
$$;
CREATE FUNCTION share_of(measures) RETURNS numeric LANGUAGE sql STABLE AS $$ SELECT $1.part / 7 $$;
