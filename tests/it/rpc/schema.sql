CREATE TABLE directors (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE films (
    id int PRIMARY KEY,
    title text NOT NULL,
    year int,
    director_id int REFERENCES directors (id)
);
INSERT INTO directors VALUES (1, 'Lang'), (2, 'Kubrick');
INSERT INTO films VALUES (1, 'Metropolis', 1927, 1), (2, 'M', 1931, 1), (3, 'Barry Lyndon', 1975, 2);

CREATE FUNCTION add_them(a int, b int) RETURNS int LANGUAGE sql IMMUTABLE AS $$ SELECT a + b $$;
CREATE FUNCTION greet(name text DEFAULT 'guest') RETURNS text LANGUAGE sql STABLE AS $$ SELECT 'Hello ' || name $$;
CREATE FUNCTION nothing() RETURNS void LANGUAGE sql AS $$ SELECT $$;
CREATE FUNCTION films_since(since int) RETURNS SETOF films LANGUAGE sql STABLE AS $$
    SELECT * FROM films WHERE year >= since ORDER BY id
$$;
CREATE FUNCTION film(wanted int) RETURNS films LANGUAGE sql STABLE AS $$ SELECT * FROM films WHERE id = wanted $$;
CREATE FUNCTION years() RETURNS SETOF int LANGUAGE sql STABLE AS $$ SELECT year FROM films ORDER BY id $$;
CREATE FUNCTION by_director() RETURNS TABLE (name text, films bigint) LANGUAGE sql STABLE AS $$
    SELECT d.name, count(*) FROM directors d JOIN films f ON f.director_id = d.id GROUP BY d.name ORDER BY d.name
$$;
CREATE FUNCTION retitle(film int, title text) RETURNS films LANGUAGE sql AS $$
    UPDATE films SET title = retitle.title WHERE id = film RETURNING *
$$;
CREATE FUNCTION rent(days int) RETURNS int LANGUAGE sql STABLE AS $$ SELECT days $$;
CREATE FUNCTION rent(days int, late int) RETURNS int LANGUAGE sql STABLE AS $$ SELECT days + late $$;
