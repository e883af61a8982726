-- Rows to JSON and back.  The module's functions are in record_functions.sql.
SET timezone = 'UTC';
SET datestyle = 'ISO, MDY';
SET intervalstyle = 'postgres';
SET client_min_messages = warning;
SET lc_monetary = 'C';
CREATE SCHEMA record;
SET search_path = record, public;
CREATE FUNCTION row_json(record, plain boolean DEFAULT true, numeric_mapping text DEFAULT 'none',
	timestamp_granularity text DEFAULT 'connect_logical', zone text DEFAULT 'UTC', schemas boolean DEFAULT false)
RETURNS text LANGUAGE c STABLE STRICT AS 'connect_record', 'connect_record_row_json';
CREATE FUNCTION from_json(row_type anyelement, input text, zone text DEFAULT 'UTC',
	schemas boolean DEFAULT false, json_text boolean DEFAULT false)
RETURNS anyelement LANGUAGE c STABLE AS 'connect_record', 'connect_record_from_json';
-- the message of an error, or the row
CREATE FUNCTION try_json(row_type anyelement, input text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	RETURN (from_json(row_type, input))::text;
EXCEPTION WHEN OTHERS THEN
	-- 15 raises what later versions only tell
	RETURN regexp_replace(sqlerrm, '^Field "d": (date/time field)', '\1');
END $$;

-- numeric.mapping: what a number loses is never lost silently
CREATE TABLE numbers (id int, n numeric, n0 numeric(2,0), n4 numeric(4,0), n9 numeric(9,0), n18 numeric(18,0),
	n19 numeric(19,0), n10_2 numeric(10,2), n20_4 numeric(20,4), n5_neg numeric(5,-2), nn numeric(6,3) NOT NULL);
INSERT INTO numbers VALUES
	(1, 3, 99, 9999, 999999999, 999999999999999999, 9999999999999999999, 12345678.91, 1234567890123456.7891, 12300, 1.250),
	(2, -3, -99, -9999, -999999999, -999999999999999999, -9999999999999999999, -0.01, -0.0001, -12300, -999.999),
	(3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0);
SELECT row_json(numbers, false, mapping) FROM numbers, unnest('{none,precision_only,best_fit,best_fit_eager_double}'::text[]) mapping
ORDER BY mapping COLLATE "C", id;
SELECT row_json(numbers) FROM numbers ORDER BY id;
SELECT row_json(numbers, false, schemas => true) FROM numbers WHERE id = 3;
UPDATE numbers SET n = 1.5 WHERE id = 1;
SELECT row_json(numbers, false) FROM numbers WHERE id = 1;
UPDATE numbers SET n = 'NaN' WHERE id = 1;
SELECT row_json(numbers, false) FROM numbers WHERE id = 1;
SELECT row_json(numbers) FROM numbers WHERE id = 1;

-- every numeric is the one that numeric_out prints
SELECT count(*) FROM (SELECT (random() * 10 ^ (random() * 40 - 20)::int)::numeric * (CASE WHEN i % 2 = 0 THEN 1 ELSE -1 END) AS n
	FROM generate_series(1, 2000) i UNION ALL SELECT s::numeric FROM unnest('{0,0.0,0.000000,1,10000,99999999,0.00010000,
	1e-20,123456789012345678.9,9223372036854775807,-9223372036854775808,9223372036854775808,1e100,-1.5e-100}'::text[]) s) q
WHERE (row_json(q)::json ->> 'n')::numeric IS DISTINCT FROM n;
CREATE TABLE anynumber AS SELECT (random() * 10 ^ (random() * 16 - 6)::int)::numeric AS n FROM generate_series(1, 2000) i;
SELECT count(*) FROM anynumber q
WHERE (from_json(q, row_json(q))).n IS DISTINCT FROM n OR (from_json(q, row_json(q))).n::text <> n::text;

-- dates and times
CREATE TABLE times (id int, d date, t time, tz timetz, ts timestamp, tstz timestamptz);
INSERT INTO times VALUES
	(1, '2024-02-29', '12:34:56.789123', '12:34:56.789123+02', '2024-02-29 12:34:56.789123', '2024-02-29 12:34:56.789123+02'),
	(2, '1969-12-31', '00:00:00', '23:59:59.999-08', '1969-12-31 23:59:59.999999', '1969-12-31 23:59:59.999999+00'),
	(3, '0044-03-15 BC', '24:00:00', '00:00+00', '0044-03-15 12:00:00 BC', '1582-10-04 00:00+00'),
	(4, '5874897-12-31', '23:59:59.999999', '00:00+15', '294276-12-31 23:59:59', '0001-01-01 00:00+00');
SELECT row_json(times, false) FROM times ORDER BY id;
SELECT row_json(times, false, zone => zone) FROM times, unnest('{Asia/Kolkata,America/Los_Angeles}'::text[]) zone
WHERE id < 3 ORDER BY zone COLLATE "C", id;
SELECT row_json(times) FROM times ORDER BY id;
SELECT g, row_json(times, false, timestamp_granularity => g) FROM times, unnest('{micros_long,micros_string,
	micros_iso_datetime_string,nanos_long,nanos_string,nanos_iso_datetime_string}'::text[]) g WHERE id = 1;
INSERT INTO times (id, ts) VALUES (5, 'infinity');
SELECT row_json(times, false) FROM times WHERE id = 5;
SELECT row_json(times) FROM times WHERE id = 5;
SELECT row_json(times, false, timestamp_granularity => 'nanos_long') FROM times WHERE id = 4;

-- all other types
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TYPE pair AS (a int, b text);
CREATE DOMAIN posint AS int CHECK (value > 0);
CREATE TABLE types (m mood, b1 bit(1), b3 bit(3), b8 bit(8), b12 bit(12), vb varbit, mo money, o oid, na name, ch "char",
	u uuid, j json, jb jsonb, by bytea, a int[], aa int[], ta text[], nu numeric[], da date[], ip inet, iv interval,
	r int4range, c char(5), p point, f4 real, f8 double precision, co pair, dom posint, t text);
INSERT INTO types VALUES ('ok', '1', '101', '11111111', '101010101010', '10101', '1234.56', 4294967295, 'nm', 'c',
	'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{"a": 1}', '{"b":[1,2]}', '\x0001ff', '{1,NULL,3}', '{1,2}', '{"a","b\"c"}',
	'{1.5,NaN}', '{2024-01-01}', '10.0.0.1', '1 day', '[1,5)', 'ab', '(1,2)', 'NaN', 1e300, '(1,x)', 5, E'q"\\\t\x01ün€');
SELECT row_json(types, false, 'best_fit_eager_double') FROM types;
SELECT row_json(types) FROM types;
UPDATE types SET aa = '{{1,2},{3,4}}';
SELECT row_json(types)::json -> 'aa' FROM types;
SELECT row_json(types, false, 'best_fit_eager_double') FROM types;
-- long values are detoasted
UPDATE types SET aa = '{}', t = repeat('toast', 100000), jb = to_jsonb(repeat('x', 100000));
SELECT length(row_json(types)), length(row_json(types)::json ->> 't'), length(row_json(types)::json ->> 'jb') FROM types;
-- and back
SELECT count(*) FROM types WHERE (from_json(types, row_json(types)))::text IS DISTINCT FROM types::text;
SELECT count(*) FROM times WHERE id < 3 AND (from_json(times, row_json(times)))::text IS DISTINCT FROM times::text;

-- JSON to rows: what has one meaning is taken, anything else refused by its field's name
CREATE TABLE target (i2 int2, i4 int4, i8 int8, f4 float4, f8 float8, b bool, t text, v varchar(5), c char(4), n numeric,
	n2 numeric(6,2), d date, tm time, ts timestamp, tz timestamptz, u uuid, j json, jb jsonb, by bytea, a int[], m mood, dom posint);
SELECT j, try_json(NULL::target, j) FROM unnest(ARRAY[
	'{"i2":32767,"i4":5.0,"i8":1e3}', '{"i2":32768}', '{"i4":5.5}', '{"i8":9223372036854775808}', '{"i4":"12"}', '{"i4":"x"}',
	'{"i4":true}', '{"i4":[1]}', '{"i4":""}', '{"f4":1e39}', '{"f4":0.1,"f8":"NaN"}', '{"f8":"-Infinity"}', '{"f8":1e400}',
	'{"b":"yes"}', '{"b":1}', '{"b":2}', '{"t":5.10,"v":true}', '{"t":{"a": [1]}}', '{"t":"\u0000"}', '{"t":"\ud800"}',
	'{"v":"abcdef"}', '{"v":"abcde  "}', '{"v":"äöüßé"}', '{"c":"ab"}', '{"n":123456789012345678901234567890.5}', '{"n":1e5}',
	'{"n":1e-20}', '{"n":1e200000}', '{"n":"NaN"}', '{"n":"Infinity"}', '{"n2":1.005}', '{"n2":9999.994}', '{"n2":9999.995}',
	'{"n2":-0.005}', '{"n2":123456789012345678901234567890}', '{"n2":"Infinity"}', '{"n":"1,5"}',
	'{"d":"2024-02-29"}', '{"d":"2023-02-29"}', '{"d":19782}', '{"d":"2024-02-29T23:00:00-05:00"}', '{"d":"infinity"}',
	'{"tm":"12:34"}', '{"tm":45296789}', '{"tm":-1}', '{"ts":"2024-02-29T12:34:56Z"}', '{"ts":"2024-02-29T12:34:56+02:00"}',
	'{"ts":1709210096789}', '{"tz":"2024-02-29 12:34:56.7891234"}', '{"tz":"2024-02-29T12:34:56"}', '{"tz":"12:00"}',
	'{"tz":1e30}', '{"u":"A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"}', '{"u":"{a0eebc999c0b4ef8bb6d6bb9bd380a11}"}',
	'{"u":"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1g"}', '{"u":1}', '{"j":{"a":1},"jb":[1,{"x":null}]}', '{"jb":"text"}', '{"jb":1.50}',
	'{"by":"AQI="}', '{"by":"\\x0102"}', '{"by":"!"}', '{"a":[1,2]}', '{"a":[[1,2],[3,4]]}', '{"a":[[1],[2,3]]}', '{"a":[]}',
	'{"a":["x"]}', '{"a":"{1,2}"}', '{"m":"ok"}', '{"dom":1}', '{"dom":0}',
	'{"i4":1,"i4":2}', '{"x":1,"i4":3,"y":{"z":[1,2]}}', '{}', 'null', '', '{"i4":1', '{"i4":01}', '[1]'
	]) WITH ORDINALITY AS q(j, n) ORDER BY n;
-- with schemas a field is what its schema says
SELECT from_json(NULL::target, '{"schema":{"type":"struct","fields":[{"field":"n","type":"bytes","name":"org.apache.kafka.connect.data.Decimal","parameters":{"scale":"2"}},'
	|| '{"field":"d","type":"int32","name":"org.apache.kafka.connect.data.Date"},{"field":"ts","type":"int64","name":"org.apache.kafka.connect.data.Timestamp"},'
	|| '{"field":"i4","type":"int32"},{"field":"f8","type":"double","optional":true}]},"payload":{"n":"BNI=","d":19782,"ts":1709210096789,"i4":7,"f8":"NaN"}}', schemas => true);
SELECT from_json(NULL::target, '{"schema":{"type":"struct","fields":[{"field":"i4","type":"int32"}]},"payload":{"i4":99999999999}}', schemas => true);
SELECT from_json(NULL::target, '{"schema":{"type":"struct","fields":[{"field":"i4","type":"int32"}]},"payload":{}}', schemas => true);
DROP SCHEMA record CASCADE;
