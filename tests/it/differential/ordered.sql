-- Values whose stored text does not sort as they do.

CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');

CREATE TABLE ordered (
    id integer PRIMARY KEY,
    span interval,
    clock timetz,
    numbers integer[],
    labels text[],
    exact numeric[],
    floats double precision[],
    moments timestamptz[],
    spans interval[],
    flags boolean[],
    document jsonb
);

INSERT INTO ordered VALUES
    (1, '1 day', '12:00:00+02', '{1,2}', '{a,b}', '{1.50}', '{0.5,-0}', '{2024-01-01T00:00:00Z}', '{1 day}', '{t,f}', '{"a": 1, "n": 2.50}'),
    (2, '24:00:00', '10:00:00+00', '{1,2,3}', '{a}', '{1.5}', '{0.5,0}', '{2024-01-01T00:00:00.5Z}', '{24:00:00}', '{t}', '{"n": 2.5, "a": 1.0}'),
    (3, '1 mon', '09:00:00+00', '{10}', '{B}', '{9.9,10}', '{1e300}', '{2023-12-31T23:00:00-02}', '{1 mon}', '{f}', '[1, 2]'),
    (4, '30 days', '23:59:59.5+15', '{2}', '{"",z}', '{NaN}', '{Infinity}', '{}', '{}', '{}', '[]'),
    (5, '-1 day', '00:00:00-15', '{}', '{}', '{}', '{}', '{NULL}', '{NULL}', '{NULL}', '"text"'),
    (6, '1 day 00:00:01', '12:00:00+02:30', '{1,NULL}', '{é,NULL}', '{-0.05}', '{NaN}', '{infinity}', '{-1 day}', '{f,t}', '{"b": {"c": []}}'),
    (7, '-00:00:00.000001', '10:00:00.000001+00', '{{1,2},{3,4}}', '{{a},{b}}', '{100}', '{-1}', '{-infinity}', '{1 year}', '{t,t}', 'null'),
    (8, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    (9, '2 years', '10:00:00+00', '{1,2,3,4}', '{b}', '{10}', '{2}', '{2024-01-01T00:00:00Z,NULL}', '{2 days}', '{t,NULL}', '12345678901234567890.5');
