CREATE ROLE vw_anon;
CREATE ROLE vw_user;
CREATE ROLE vw_narrow;
CREATE ROLE vw_service BYPASSRLS;

CREATE TABLE teams (person text PRIMARY KEY, team int);
CREATE TABLE sayings (
    id int PRIMARY KEY,
    owner text NOT NULL DEFAULT 'nobody',
    body text UNIQUE,
    team int DEFAULT 1,
    hidden int DEFAULT 0
);
CREATE TABLE plain_rows (
    id int PRIMARY KEY,
    owner text NOT NULL,
    body text
);
INSERT INTO teams VALUES ('ann', 1), ('bob', 2);
INSERT INTO sayings VALUES (1, 'ann', 'so', 1, 0), (2, 'bob', 'be', 2, 0), (3, 'ann', 'secret', 2, 1), (4, 'carl', 'it', 1, 1);
INSERT INTO plain_rows VALUES (1, 'ann', 'so'), (2, 'bob', 'be'), (3, 'ann', 'secret'), (4, 'carl', 'it');

ALTER TABLE sayings ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON sayings FOR SELECT USING (hidden = 0);
CREATE POLICY added ON sayings FOR INSERT WITH CHECK (owner = current_setting('request.jwt.claims', true)::json ->> 'name');
CREATE POLICY changed ON sayings FOR UPDATE USING (owner <> 'carl') WITH CHECK (body <> 'secret');
CREATE POLICY gone ON sayings FOR DELETE USING (owner = current_setting('request.jwt.claims', true)::json ->> 'name');
ALTER TABLE teams ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON teams USING (person = current_setting('request.jwt.claims', true)::json ->> 'name');

CREATE VIEW as_owner AS SELECT id, owner, body FROM sayings;
CREATE VIEW as_invoker WITH (security_invoker = true) AS SELECT id, owner, body FROM sayings;
CREATE VIEW own AS
    SELECT id, owner, body FROM sayings WHERE owner = current_setting('request.jwt.claims', true)::json ->> 'name';
CREATE VIEW own_checked AS
    SELECT id, owner, body FROM sayings WHERE owner = current_setting('request.jwt.claims', true)::json ->> 'name'
    WITH CHECK OPTION;
CREATE VIEW renamed AS SELECT s.id AS no, s.owner AS who, s.body AS said, upper(s.body) AS shout FROM sayings s WHERE s.hidden = 0;
CREATE VIEW renamed_again AS SELECT no AS number, who, said, shout || '!' AS louder FROM renamed r WHERE r.shout <> 'SO'
    WITH LOCAL CHECK OPTION;
CREATE VIEW invoker_of_owner WITH (security_invoker = true) AS SELECT id, owner, body FROM as_owner WHERE id < 4;
CREATE VIEW owner_of_invoker AS SELECT id, owner, body FROM as_invoker WHERE id > 1;
CREATE VIEW of_teams AS
    SELECT id, owner, body FROM sayings s WHERE EXISTS (SELECT 1 FROM teams t WHERE t.team = s.team AND t.person = 'bob')
    WITH CHECK OPTION;
CREATE VIEW of_teams_as_invoker WITH (security_invoker = true) AS
    SELECT id, owner, body FROM sayings WHERE team IN (SELECT team FROM teams) WITH CASCADED CHECK OPTION;
CREATE VIEW open_rows AS SELECT id, owner, body FROM plain_rows;
CREATE VIEW open_as_invoker WITH (security_invoker = true) AS SELECT id, owner, body FROM plain_rows;
CREATE VIEW loud AS SELECT id, owner, upper(body) AS body FROM sayings;
CREATE VIEW readable AS SELECT id, owner, body FROM sayings;

GRANT SELECT, INSERT, UPDATE, DELETE ON as_owner, as_invoker, own, own_checked, renamed, renamed_again, invoker_of_owner,
    owner_of_invoker, of_teams, of_teams_as_invoker, open_rows, open_as_invoker, loud TO vw_user, vw_service;
GRANT SELECT ON readable TO vw_user, vw_anon;
GRANT SELECT, INSERT, UPDATE, DELETE ON sayings TO vw_user;
GRANT SELECT (id, owner, body, hidden), INSERT (id, owner, body), UPDATE (body) ON sayings TO vw_narrow;
GRANT SELECT ON teams, plain_rows TO vw_user;
GRANT SELECT ON teams TO vw_service;
GRANT SELECT (id, body), INSERT (id, owner, body), UPDATE (body), DELETE ON as_owner TO vw_narrow;
GRANT SELECT, INSERT, UPDATE, DELETE ON as_invoker, invoker_of_owner, owner_of_invoker TO vw_narrow;
GRANT INSERT, UPDATE (said), DELETE ON renamed TO vw_narrow;
