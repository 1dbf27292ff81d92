-- Decimals of any size: as values, keys and references, in views, functions, checks and generated columns.

CREATE TABLE accounts (
    number numeric(24, 0) PRIMARY KEY,
    owner text NOT NULL,
    "limit" numeric DEFAULT 100.00 CHECK ("limit" > -0.5)
);

CREATE TABLE payments (
    id integer PRIMARY KEY,
    account numeric(24, 0) REFERENCES accounts (number) ON DELETE CASCADE,
    amount numeric,
    fee numeric(30, 10),
    rate numeric(6, 3),
    code numeric(20, 2) UNIQUE,
    quantity integer NOT NULL DEFAULT 1,
    doubled numeric GENERATED ALWAYS AS (quantity * 2) STORED,
    CONSTRAINT payments_amount_check CHECK (amount IS NULL OR amount < 1000000000000000000000000000000 OR amount = 'NaN')
);

CREATE INDEX payments_amount_idx ON payments (amount);

INSERT INTO accounts VALUES
    (123456789012345678901234, 'ann', 10.50),
    (123456789012345678901235, 'bob', 0),
    (7, 'cem', NULL);

INSERT INTO payments (id, account, amount, fee, rate, code, quantity) VALUES
    (1, 123456789012345678901234, 2.50, 0.1, 1.5, 1, 3),
    (2, 123456789012345678901234, 2.5, 12345678901234567890.0123456789, 0.125, 2.5, 2),
    (3, 123456789012345678901235, 123456789012345678901234567890, -0.0000000001, 2, 100000000000000000, 1),
    (4, 7, 123456789012345678901234567890.5, 0, 2.000, 99999999999999999.99, 10),
    (5, NULL, -0.10, NULL, NULL, NULL, 1),
    (6, 123456789012345678901235, NULL, 2, 10, 100000000000000000.01, 4),
    (7, 123456789012345678901234, 'NaN', 3, 9.999, 9, 4),
    (8, 7, 10, 3.0000000001, 9.99, 10, 4),
    (9, 7, 9, 3.0000000001, 9.9, 0.01, 4);

CREATE VIEW totals AS SELECT account, amount, fee FROM payments WHERE amount > 2 AND amount <> 'NaN';
CREATE VIEW by_account AS SELECT account, count(*) AS payments FROM payments GROUP BY account;
CREATE VIEW lines AS SELECT id, quantity * rate AS price, coalesce(rate, 0) AS rate FROM payments;

CREATE FUNCTION above(floor_of numeric) RETURNS SETOF payments LANGUAGE sql STABLE AS $$
    SELECT * FROM payments WHERE amount > floor_of ORDER BY id
$$;
CREATE FUNCTION amounts(most integer DEFAULT 9) RETURNS TABLE (id integer, amount numeric) LANGUAGE sql STABLE AS $$
    SELECT id, amount FROM payments WHERE id <= most ORDER BY id
$$;
CREATE FUNCTION amount_of(payment integer) RETURNS numeric LANGUAGE sql STABLE AS $$
    SELECT amount FROM payments WHERE id = payment
$$;
CREATE FUNCTION is_large(amount numeric) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT amount > 3 $$;
CREATE FUNCTION add_payment(id integer, amount numeric) RETURNS payments LANGUAGE sql AS $$
    INSERT INTO payments (id, amount) VALUES (id, amount) RETURNING *
$$;
CREATE FUNCTION raise_fee(payment integer) RETURNS SETOF payments LANGUAGE sql AS $$
    UPDATE payments SET fee = amount WHERE id = payment RETURNING *
$$;
CREATE FUNCTION owed(accounts) RETURNS numeric LANGUAGE sql STABLE AS $$ SELECT $1."limit" $$;
CREATE FUNCTION has_limit(accounts) RETURNS boolean LANGUAGE sql STABLE AS $$ SELECT $1."limit" > 5 $$;

-- Later changes of tables that have rows.
CREATE TABLE changed (id integer PRIMARY KEY, narrow numeric(10, 2), wide numeric, whole bigint, words text);
INSERT INTO changed VALUES (1, 1.50, 12345678901234567890.5, 9007199254740993, '2.5'), (2, NULL, 1.10, NULL, '-1e3');
ALTER TABLE changed ALTER COLUMN narrow TYPE numeric(30, 5);
ALTER TABLE changed ALTER COLUMN whole TYPE numeric;
ALTER TABLE changed ALTER COLUMN words TYPE numeric USING words::numeric;
ALTER TABLE changed ALTER COLUMN wide TYPE numeric(40, 3);
ALTER TABLE changed ADD COLUMN more numeric NOT NULL DEFAULT 0.50;
