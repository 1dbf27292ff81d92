COMMENT ON FUNCTION add_them IS E'Adds\n\ntwo numbers';
CREATE TYPE point_2d AS (x int, y int);
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE DOMAIN film_domain AS films;
CREATE FUNCTION origin() RETURNS point_2d LANGUAGE sql IMMUTABLE AS $$ SELECT (0, 1)::point_2d $$;
CREATE FUNCTION out_one(num int, OUT next int) LANGUAGE sql IMMUTABLE AS $$ SELECT num + 1 $$;
CREATE FUNCTION out_two(INOUT num int, OUT word text) LANGUAGE sql IMMUTABLE AS $$ SELECT num * 2, 'two' $$;
CREATE FUNCTION untyped() RETURNS record LANGUAGE sql STABLE AS $$ SELECT 1 AS a, 'b' AS b $$;
CREATE FUNCTION film_of_domain() RETURNS film_domain LANGUAGE sql STABLE AS $$ SELECT f::film_domain FROM films f ORDER BY id LIMIT 1 $$;
CREATE FUNCTION sum_all(VARIADIC v int[] DEFAULT '{}') RETURNS bigint LANGUAGE sql IMMUTABLE AS $$ SELECT sum(n) FROM unnest(v) n $$;
CREATE FUNCTION plus_one(arr int[]) RETURNS int[] LANGUAGE sql IMMUTABLE AS $$ SELECT array_agg(n + 1) FROM unnest(arr) n $$;
CREATE FUNCTION the_mood(is_ mood) RETURNS mood LANGUAGE sql IMMUTABLE AS $$ SELECT is_ $$;
CREATE FUNCTION letters(c character) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT c::text $$;
CREATE FUNCTION kind_of(value json) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT json_typeof(value) $$;
CREATE FUNCTION whole_json(json) RETURNS json LANGUAGE sql IMMUTABLE AS $$ SELECT $1 $$;
CREATE FUNCTION whole_text(text) RETURNS int LANGUAGE sql IMMUTABLE AS $$ SELECT length($1) $$;
CREATE FUNCTION whole_bytes(bytea) RETURNS int LANGUAGE sql IMMUTABLE AS $$ SELECT length($1) $$;
CREATE FUNCTION fallback(a int) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'named' $$;
CREATE FUNCTION fallback(jsonb) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'whole' $$;
CREATE FUNCTION same(arg int) RETURNS int LANGUAGE sql IMMUTABLE AS $$ SELECT 1 $$;
CREATE FUNCTION same(arg text, num int DEFAULT 1) RETURNS int LANGUAGE sql IMMUTABLE AS $$ SELECT 2 $$;
CREATE FUNCTION "quoted Name"("full Name" text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT "full Name" $$;
CREATE FUNCTION fails() RETURNS void LANGUAGE plpgsql AS $$ BEGIN RAISE 'no' USING DETAIL = 'd', HINT = 'h'; END $$;
CREATE FUNCTION teapot() RETURNS void LANGUAGE plpgsql AS $$ BEGIN RAISE SQLSTATE 'PT418' USING MESSAGE = 'short'; END $$;
CREATE FUNCTION with_headers() RETURNS int LANGUAGE plpgsql AS $$ BEGIN
    PERFORM set_config('response.headers', '[{"X-Film": "M"}]', true);
    PERFORM set_config('response.status', '202', true);
    RETURN 1;
END $$;
CREATE SEQUENCE calls;
CREATE FUNCTION count_calls() RETURNS bigint LANGUAGE sql AS $$ SELECT nextval('calls') $$;
CREATE ROLE it_rpc;
CREATE FUNCTION secret() RETURNS int LANGUAGE sql IMMUTABLE AS $$ SELECT 42 $$;
REVOKE EXECUTE ON FUNCTION secret FROM PUBLIC;
CREATE FUNCTION upper_title(films) RETURNS text LANGUAGE sql STABLE AS $$ SELECT upper($1.title) $$;
CREATE FUNCTION maker(films) RETURNS SETOF directors ROWS 1 LANGUAGE sql STABLE AS $$
    SELECT * FROM directors WHERE id = $1.director_id
$$;
CREATE FUNCTION old_films(directors) RETURNS SETOF films LANGUAGE sql STABLE AS $$
    SELECT * FROM films WHERE director_id = $1.id AND year < 1930
$$;
