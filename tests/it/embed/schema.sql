-- Films with their people: every kind of relationship, and a column of most types. No grants: access is open.
CREATE TABLE directors (
  id integer PRIMARY KEY,
  name text NOT NULL,
  born date,
  mentor_id integer,
  CONSTRAINT directors_mentor_id_fkey FOREIGN KEY (mentor_id) REFERENCES directors (id)
);
CREATE TABLE films (
  id integer PRIMARY KEY,
  title text NOT NULL,
  year smallint,
  director_id integer,
  producer_id integer,
  rating numeric(4,2),
  length double precision,
  kept boolean,
  data jsonb,
  seen timestamp with time zone,
  copied timestamp without time zone,
  price numeric,
  views bigint,
  CONSTRAINT films_director_id_fkey FOREIGN KEY (director_id) REFERENCES directors (id),
  CONSTRAINT films_producer_id_fkey FOREIGN KEY (producer_id) REFERENCES directors (id)
);
CREATE TABLE actors (id integer PRIMARY KEY, name text NOT NULL);
CREATE TABLE roles (
  film_id integer,
  actor_id integer,
  part text,
  PRIMARY KEY (film_id, actor_id),
  CONSTRAINT roles_film_id_fkey FOREIGN KEY (film_id) REFERENCES films (id),
  CONSTRAINT roles_actor_id_fkey FOREIGN KEY (actor_id) REFERENCES actors (id)
);
CREATE TABLE sheets (
  film_id integer PRIMARY KEY,
  camera text,
  CONSTRAINT sheets_film_id_fkey FOREIGN KEY (film_id) REFERENCES films (id)
);
CREATE TABLE notes (
  id integer PRIMARY KEY,
  film_id integer,
  body text,
  CONSTRAINT notes_film_id_fkey FOREIGN KEY (film_id) REFERENCES films (id) ON DELETE CASCADE
);
CREATE TABLE shelves (id integer PRIMARY KEY, label text);
CREATE INDEX notes_by_body ON notes (film_id, body);

CREATE TYPE stock AS ENUM ('poor', 'fair', 'fine');
CREATE TABLE reels (
  film_id integer,
  place integer,
  state stock,
  tags text[],
  PRIMARY KEY (film_id, place),
  CONSTRAINT reels_film_id_fkey FOREIGN KEY (film_id) REFERENCES films (id)
);
CREATE TABLE checks (
  film_id integer,
  place integer,
  day date NOT NULL,
  CONSTRAINT checks_reel_fkey FOREIGN KEY (film_id, place) REFERENCES reels (film_id, place)
);
-- Views: of one table under other names, of a view, of two tables, of groups, of two queries.
CREATE VIEW titles AS SELECT f.id AS film, f.title, f.director_id AS director FROM films f;
CREATE VIEW long_titles AS SELECT film AS number, director, title AS name FROM titles;
CREATE VIEW billing AS SELECT r.film_id, r.actor_id, a.name FROM roles r JOIN actors a ON a.id = r.actor_id;
CREATE VIEW per_director AS SELECT director_id, count(*) AS films FROM films GROUP BY director_id;
CREATE VIEW everyone AS SELECT id, name FROM directors UNION SELECT id, name FROM actors;

INSERT INTO directors VALUES
  (1, 'Ozu', '1903-12-12', NULL), (2, 'Varda', '1928-05-30', 1), (3, 'Tati "Hulot"', NULL, 1), (4, 'Nobody', NULL, 2);
INSERT INTO films VALUES
  (1, 'Late Spring', 1949, 1, 3, 8.20, 108.5, TRUE, '{"a": [1, 2]}', '2024-02-29 23:00:00+00:00', '2024-02-29 23:00:00.5', 1.5, 9007199254740993),
  (2, 'Tokyo Story', 1953, 1, NULL, 8.10, 137, FALSE, NULL, NULL, NULL, 2.25, 7),
  (3, 'Cleo', 1962, 2, 2, NULL, 90, NULL, '[]', NULL, NULL, NULL, NULL),
  (4, 'Playtime', 1967, 3, 1, 7.90, 0.1, TRUE, NULL, NULL, NULL, 10, 1),
  (5, 'Lost', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO actors VALUES (1, 'Hara'), (2, 'Ryu'), (3, 'Marchand'), (4, 'Idle');
INSERT INTO roles VALUES (1, 1, 'Noriko'), (1, 2, 'Somiya'), (2, 1, 'Noriko'), (2, 2, 'Shukichi'), (3, 3, 'Cleo');
INSERT INTO sheets VALUES (1, 'Mitchell'), (4, NULL);
INSERT INTO notes VALUES (1, 1, 'zwei'), (2, 1, 'eins'), (3, 2, 'a
b "c"'), (4, 1, NULL);
INSERT INTO reels VALUES (1, 1, 'fine', '{a,"b c"}'), (1, 2, 'poor', '{}'), (2, 1, 'fair', NULL), (3, 1, NULL, NULL);
INSERT INTO checks VALUES (1, 1, '2024-02-29'), (1, 1, '2023-01-01'), (2, 1, '2024-03-01');
