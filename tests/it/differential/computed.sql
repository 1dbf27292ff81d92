-- What SQL computes of numbers: in views, functions, policies, checks and generated columns.

CREATE TABLE nums (
    id integer PRIMARY KEY,
    s smallint,
    i integer,
    j integer,
    b bigint,
    c bigint,
    n numeric,
    p numeric(10, 2),
    q numeric(10, 2),
    f double precision,
    g real
);
INSERT INTO nums VALUES
    (1, 7, 7, 2, 7, 2, 7, 7, 2, 7, 2),
    (2, 32767, 2147483647, 1, 9223372036854775807, 1, 12345678901234567890.123, 99999999.99, 0.03, 1e300, 1.5),
    (3, -7, -7, 2, -7, 2, -7.5, -7.05, 2.5, -7.5, 0.1),
    (4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
    (5, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    (6, -32768, -2147483648, -1, -9223372036854775808, -1, -0.10, 1.005, -1, 'NaN', 'Infinity');

CREATE VIEW whole_sum AS SELECT id, i + j AS x FROM nums;
CREATE VIEW whole_difference AS SELECT id, i - j AS x FROM nums;
CREATE VIEW whole_product AS SELECT id, i * j AS x FROM nums;
CREATE VIEW whole_quotient AS SELECT id, i / j AS x FROM nums;
CREATE VIEW whole_rest AS SELECT id, i % j AS x, mod(i, 3) AS y FROM nums;
CREATE VIEW wide_sum AS SELECT id, b + c AS x FROM nums;
CREATE VIEW wide_difference AS SELECT id, b - c AS x FROM nums;
CREATE VIEW wide_product AS SELECT id, b * c AS x, i::bigint * j AS y FROM nums;
CREATE VIEW wide_quotient AS SELECT id, b / c AS x FROM nums;
CREATE VIEW wide_rest AS SELECT id, b % c AS x FROM nums;
CREATE VIEW small_sum AS SELECT id, s + s AS x FROM nums;
CREATE VIEW whole_sign AS SELECT id, -i AS x, -s AS y FROM nums;
CREATE VIEW whole_size AS SELECT id, abs(i) AS x FROM nums;
CREATE VIEW narrowed AS SELECT id, b::integer AS x FROM nums;
CREATE VIEW nonzero AS SELECT id, i / nullif(j, 0) AS x, CASE WHEN j = 0 THEN 0 ELSE j / j END AS y FROM nums WHERE id < 6;
CREATE VIEW in_condition AS SELECT id FROM nums WHERE i + 1 > 0;
CREATE VIEW between_integers AS SELECT id FROM nums WHERE i > 6.5 AND j < 2.5 OR s = 0.0;
CREATE VIEW powers AS SELECT id, i ^ j AS x FROM nums WHERE id IN (1, 3, 4);
CREATE VIEW exact_sum AS SELECT id, n + p AS x, n + 0.1 AS y, n - 1 AS z FROM nums;
CREATE VIEW exact_product AS SELECT id, n * p AS x, p * 2 AS y FROM nums;
CREATE VIEW exact_quotient AS SELECT id, p / q AS x, i / 2.0 AS y FROM nums;
CREATE VIEW exact_rest AS SELECT id, p % q AS x, mod(p, 2) AS y FROM nums;
CREATE VIEW exact_sign AS SELECT id, -n AS a, -p AS b, abs(n) AS c, sign(p) AS d FROM nums;
CREATE VIEW float_quotient AS SELECT id, f / g AS x, -f AS y FROM nums;
CREATE VIEW float_overflow AS SELECT id, f * f AS x, f + f AS y FROM nums;
CREATE VIEW rounded AS
    SELECT id, round(p) AS a, round(p, 1) AS b, round(n, 2) AS c, round(n, -1) AS d, round(i / 3.0, 2) AS e, trunc(p, 1) AS g
    FROM nums;
CREATE VIEW floats_rounded AS SELECT id, round(f) AS a, floor(f) AS b, ceil(f) AS c, sign(f) AS d FROM nums WHERE id < 6;
CREATE VIEW whole_parts AS SELECT id, floor(n) AS a, ceil(p) AS b, trunc(n) AS c, sqrt(f * f) AS d FROM nums WHERE id IN (1, 3, 4, 5);
CREATE VIEW gathered AS
    SELECT sum(s) AS a, sum(j) AS b, avg(j) AS c, sum(p) AS d, avg(p) AS e, sum(q) AS g, max(n) AS h, min(p) AS k
    FROM nums WHERE id < 6;
CREATE VIEW gathered_wide AS SELECT sum(b) AS a, avg(b) AS c, sum(n) AS d, avg(n) AS e FROM nums WHERE id IN (1, 2);
CREATE VIEW gathered_once AS
    SELECT count(DISTINCT n) AS a, sum(DISTINCT p) AS b, sum(DISTINCT n) AS c, avg(DISTINCT j) AS d FROM nums WHERE id < 6;
CREATE VIEW groups AS SELECT p * 2 AS x, count(*) AS c FROM nums WHERE id < 6 GROUP BY p * 2;
CREATE VIEW chosen_groups AS SELECT j, sum(p) AS s FROM nums WHERE id < 6 GROUP BY j HAVING sum(p) > 1;
CREATE VIEW compared AS
    SELECT id, n > p AS a, n = f AS b, n BETWEEN p AND q AS c, n IN (7, p) AS d, n * 1 > 2.5 AS e FROM nums WHERE id < 6;
CREATE VIEW joined AS SELECT a.id, b.id AS other FROM nums a JOIN nums b ON a.n * 1 = b.n;
CREATE VIEW in_query AS SELECT id FROM nums WHERE n * 1 IN (SELECT p FROM nums) OR n IN (SELECT i FROM nums);
CREATE VIEW united AS SELECT id, n AS x FROM nums UNION ALL SELECT 10, 5 UNION ALL SELECT 11, 12345678901234567890.5;
CREATE VIEW united_once AS
    SELECT id, p AS x FROM nums WHERE id <> 4 UNION SELECT id, n * 3 FROM nums UNION SELECT 20, 2.50;
CREATE VIEW nested AS SELECT id, x * 2 AS y FROM (SELECT id, n + 1 AS x FROM nums) t WHERE x > 1;
CREATE VIEW nested_again AS SELECT * FROM nested WHERE y > 10;
CREATE VIEW named AS WITH t (id, x) AS (SELECT id, n + 1 FROM nums) SELECT id, x, x > 5 AS large FROM t;
CREATE VIEW cases AS
    SELECT id, CASE WHEN id = 1 THEN p ELSE 0 END AS a, CASE n * 1 WHEN 7 THEN 'seven' ELSE 'no' END AS b,
        CASE i WHEN 7 THEN 1.5 ELSE 2 END AS c, coalesce(p, 0) AS d, greatest(n, 1) AS e, coalesce(n, 0) AS g
    FROM nums;
CREATE VIEW constants AS SELECT true AS t, 'abc' AS s, 5 AS i, 1.50 AS n, 12345678901234567890.12345 AS w;
CREATE VIEW printed AS
    SELECT id, n::text AS a, p::text AS b, f::text AS c, n || 'x' AS d, p || 'x' AS e, f || 'x' AS g, (i > 0) || 'x' AS h
    FROM nums WHERE id < 6;
CREATE VIEW casts AS
    SELECT id, n::numeric(30, 1) AS a, p::integer AS b, q::double precision AS c, (p * 1.0)::numeric(12, 3) AS d, i::numeric AS e
    FROM nums WHERE id IN (1, 3, 4, 5);
CREATE VIEW documents AS
    SELECT id, jsonb_build_object('n', n, 'p', p, 'k', n * 2, 'f', f, 't', i > 0, 'd', jsonb_build_array(n, true)) AS d FROM nums;
CREATE VIEW parts AS
    SELECT jsonb_agg(n ORDER BY id) AS n, jsonb_agg(i > 0 ORDER BY id) AS t, array_agg(p ORDER BY id) AS p FROM nums;
CREATE VIEW only_one AS
    SELECT id, (SELECT max(k.n) FROM nums k WHERE k.id < 6) AS a, (SELECT k.n FROM nums k WHERE k.id = nums.id) AS b,
        (SELECT k.p FROM nums k ORDER BY k.id LIMIT 1) AS c, (SELECT k.i FROM nums k WHERE k.id > nums.id AND k.id = 6) AS d
    FROM nums;
CREATE VIEW several AS SELECT id, (SELECT k.i FROM nums k WHERE k.id > nums.id) AS x FROM nums;
-- What is named here is not the table, and has no key.
CREATE VIEW several_named AS SELECT 1 AS id, (WITH nums (id, i) AS (VALUES (1, 5), (1, 6)) SELECT i FROM nums WHERE id = 1) AS x;
CREATE VIEW wide_whole_parts AS
    SELECT 1 AS id, floor(12345678901234567.5) AS a, ceil(12345678901234567.5) AS b, ceiling(12345678901234567.5) AS c;

CREATE FUNCTION added(x integer, y integer) RETURNS bigint LANGUAGE sql AS $$ SELECT x + y $$;
CREATE FUNCTION divided(x integer, y integer) RETURNS integer LANGUAGE sql AS $$ SELECT x / y $$;
CREATE FUNCTION multiplied(x bigint, y bigint) RETURNS bigint LANGUAGE sql AS $$ SELECT x * y $$;
CREATE FUNCTION exact_multiplied(x numeric, y numeric) RETURNS numeric LANGUAGE sql AS $$ SELECT x * y $$;
CREATE FUNCTION exact_added(x numeric, y numeric) RETURNS numeric LANGUAGE sql AS $$ SELECT x + y $$;
CREATE FUNCTION exact_divided(x numeric, y numeric) RETURNS numeric LANGUAGE sql AS $$ SELECT x / y $$;
CREATE FUNCTION is_more_than_half(x numeric, y numeric) RETURNS boolean LANGUAGE sql AS $$ SELECT x * 2 > y $$;
CREATE FUNCTION exact_rounded(x numeric, y integer) RETURNS numeric LANGUAGE sql AS $$ SELECT round(x, y) $$;
CREATE FUNCTION given_back(x numeric) RETURNS numeric LANGUAGE sql AS $$ SELECT x $$;
CREATE FUNCTION whole_double(x numeric) RETURNS integer LANGUAGE sql AS $$ SELECT (x * 2)::integer $$;
CREATE FUNCTION half(x numeric) RETURNS numeric LANGUAGE sql AS $$ SELECT x / 2 $$;
CREATE FUNCTION halves(x numeric) RETURNS numeric LANGUAGE sql AS $$ SELECT half(x) + half(1) $$;
CREATE FUNCTION as_text(x numeric) RETURNS text LANGUAGE sql AS $$ SELECT 'n' || x $$;
CREATE FUNCTION several_values(x integer) RETURNS integer LANGUAGE sql AS $$ SELECT (SELECT i FROM nums WHERE id > x) $$;
CREATE FUNCTION from_n(x numeric) RETURNS SETOF nums LANGUAGE sql AS $$ SELECT * FROM nums WHERE n - 1 >= x ORDER BY id $$;
CREATE FUNCTION row_of(x numeric) RETURNS TABLE (a numeric, b bigint, c text) LANGUAGE sql AS $$ SELECT x * 1.10, 5, x::text $$;
CREATE FUNCTION mean() RETURNS numeric LANGUAGE sql AS $$ SELECT avg(j) FROM nums $$;
CREATE FUNCTION total() RETURNS numeric LANGUAGE sql AS $$ SELECT sum(p * q) FROM nums $$;
CREATE FUNCTION add_nums(x numeric) RETURNS SETOF nums LANGUAGE sql AS $$
    INSERT INTO nums (id, n, p, f) VALUES (50, x * 2, x, x) RETURNING *
$$;
CREATE FUNCTION twice(nums) RETURNS numeric LANGUAGE sql STABLE AS $$ SELECT $1.n * 2 $$;

CREATE TABLE made (
    id integer PRIMARY KEY,
    a integer,
    b integer,
    x integer GENERATED ALWAYS AS (a * b) STORED,
    y integer GENERATED ALWAYS AS (a / b) STORED
);
CREATE TABLE checked (id integer PRIMARY KEY, a integer, b integer, CHECK (a / b < 50), CHECK (a % b = 0));
CREATE TABLE priced (
    id integer PRIMARY KEY,
    price numeric(10, 2) CHECK (price * 2 > 5),
    amount numeric CHECK (amount + 1 < 100 AND amount * 2 <> 8),
    quantity integer DEFAULT 1,
    worth numeric(12, 2) GENERATED ALWAYS AS (price * quantity) STORED
);
CREATE FUNCTION doubles(lowest numeric) RETURNS TABLE (id integer, x numeric) LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT id, n * 2 FROM nums WHERE n * 2 >= lowest ORDER BY id
$$;
CREATE FUNCTION large_doubles(lowest numeric) RETURNS SETOF numeric LANGUAGE sql STABLE AS $$
    SELECT t.x FROM doubles(lowest) t WHERE t.x > 5 AND t.x <> 14.5 ORDER BY t.x
$$;
CREATE VIEW doubled AS SELECT t.id, t.x, t.x > 13.5 AS large FROM doubles(-20) t WHERE t.x <> 0;
