-- The table sink: every type of column and what it takes, with and without schemas.
SET client_min_messages = warning;
CREATE SCHEMA sinktypes;
SET search_path = sinktypes, public;
SET timezone = UTC;
SET datestyle = ISO;
SET intervalstyle = postgres;
\i sql/sinktest.inc
\i sql/sinkstored.inc
\set VERBOSITY terse
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TYPE pair AS (x int, y text);
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE DOMAIN named AS text NOT NULL;
CREATE DOMAIN moods AS mood[] CHECK (cardinality(VALUE) < 3);
CREATE DOMAIN money2 AS numeric(6,2);
CREATE DOMAIN document AS jsonb CHECK (VALUE ? 'id');
CREATE DOMAIN late AS timestamptz(0);
CREATE DOMAIN span AS int4range CHECK (NOT isempty(VALUE));

-- JSON without schemas
CREATE TABLE plain (n serial, type text, value jsonb);
INSERT INTO plain (type, value) VALUES
('smallint', '32767'), ('smallint', '32768'), ('smallint', '"12"'), ('smallint', '1.0'), ('smallint', '1.5'), ('smallint', 'null'),
('integer', '-2147483648'), ('integer', '2147483648'), ('integer', 'true'), ('integer', '[]'),
('bigint', '9223372036854775807'), ('bigint', '9223372036854775808'), ('bigint', '1e3'), ('oid', '4294967295'), ('oid', '-1'),
('real', '1.5'), ('real', '1e39'), ('real', '"NaN"'), ('double precision', '1e308'), ('double precision', '1e309'),
('double precision', '"-Infinity"'), ('double precision', '"x"'),
('numeric', '123456789012345678901234567890.123456789'), ('numeric(5,2)', '999.994'), ('numeric(5,2)', '999.995'), ('numeric(3,5)', '0.00123'),
('numeric(2,-3)', '12345'), ('numeric', '"NaN"'), ('numeric(5,2)', '"Infinity"'), ('numeric', '"1e-20"'), ('numeric', '"x"'),
('money', '12.5'), ('money', '"$1,234.50"'), ('boolean', 'true'), ('boolean', '0'), ('boolean', '"off"'), ('boolean', '2'), ('boolean', '"x"'),
('text', '"žluťoučký"'), ('text', '12.50'), ('text', 'true'), ('text', '{"a": [1]}'), ('varchar(3)', '"abc"'), ('varchar(3)', '"abcd"'), ('varchar(3)', '"abc  "'),
('char(3)', '"a"'), ('char(3)', '"abcd"'), ('"char"', '"x"'), ('name', '"a name"'),
('date', '"2024-02-29"'), ('date', '"2023-02-29"'), ('date', '19782'), ('date', '"infinity"'), ('date', '"0044-03-15 BC"'), ('date', '"x"'),
('time', '"12:34:56.789012"'), ('time(2)', '"12:34:56.789"'), ('time', '45296789'), ('time', '"25:00"'), ('timetz', '"12:34:56+02"'), ('timetz(0)', '"12:34:56.7Z"'),
('timestamp', '"2024-02-29T12:34:56.789012"'), ('timestamp(0)', '"2024-02-29T12:34:56.789Z"'), ('timestamp', '1709210096789'), ('timestamp', '"-infinity"'),
('timestamptz', '"2024-02-29T12:34:56+02:00"'), ('timestamptz(3)', '"2024-02-29 12:34:56.7896Z"'), ('timestamptz', '1709210096789'), ('timestamptz', '"2024-13-01"'),
('timestamp', '9223372036854775807'), ('timestamptz', '-9223372036854775808'), ('timestamp', '9223372036854775808'), ('date', '9223372036854775807'), ('time', '-1'),
('interval', '"1 day 02:03:04"'), ('interval', '"P1DT2H"'), ('interval(0)', '"1.6 s"'), ('interval', '"x"'), ('interval', '5'),
('bytea', '"AQID"'), ('bytea', '"\\x010203"'), ('bytea', '"?"'), ('bytea', '1'),
('bit', 'true'), ('bit(1)', 'false'), ('bit(4)', '"1010"'), ('bit(4)', '"101"'), ('bit(4)', '10'), ('bit(8)', '-1'), ('bit(4)', '16'), ('varbit(4)', '"101"'), ('varbit(4)', '"10101"'), ('varbit', 'true'), ('varbit(4)', '5'), ('bit(64)', '-9223372036854775808'), ('bit(63)', '9223372036854775807'), ('bit(4)', '1.5'),
('uuid', '"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"'), ('uuid', '"{A0EEBC99-9c0b4ef8-bb6d-6bb9bd380a11}"'), ('uuid', '"a0eebc99"'), ('uuid', '1'),
('inet', '"10.0.0.1/8"'), ('inet', '"10.0.0.256"'), ('cidr', '"10.0.0.0/8"'), ('cidr', '"10.0.0.1/8"'), ('macaddr', '"08:00:2b:01:02:03"'), ('macaddr8', '"08002b0102030405"'), ('macaddr', '"x"'),
('json', '{"b": 1, "a": [1.50, null]}'), ('json', '"{\"a\":  1}"'), ('jsonb', '{"b": 1, "a": [1.50, null]}'), ('jsonb', '[1, "x"]'), ('jsonb', '1.50'), ('jsonb', 'true'), ('jsonb', 'null'), ('jsonb', '"{\"a\": 1}"'), ('jsonb', '"{"'), ('jsonb', '"x"'), ('jsonb', '"\"x\""'), ('jsonb', '"1"'),
('jsonpath', '"$.a[*]"'), ('tsvector', '"a b"'), ('tsquery', '"a & b"'), ('pg_lsn', '"16/B374D848"'), ('point', '"(1,2)"'), ('box', '"(1,1),(0,0)"'), ('circle', '"<(1,2),3>"'), ('regclass', '"pg_class"'), ('regclass', '"nothing"'),
('mood', '"ok"'), ('mood', '"fine"'), ('mood', '1'), ('mood[]', '["ok", null, "sad"]'), ('mood[]', '["ok", "fine"]'),
('integer[]', '[1, "2", null]'), ('integer[]', '[[1, 2], [3, 4]]'), ('integer[]', '[[1, 2], [3]]'), ('integer[]', '[]'), ('integer[]', '"{1,2}"'), ('integer[]', '[1.5]'), ('integer[]', '1'),
('text[]', '["a", "b,\"c", null, "null"]'), ('varchar(2)[]', '["abc"]'), ('numeric(4,1)[]', '[1.25, 12345]'), ('timestamptz[]', '["2024-02-29T12:34:56Z"]'), ('bytea[]', '["AQID"]'), ('jsonb[]', '[{"a": 1}, [1], "2", null]'), ('uuid[]', '["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"]'), ('boolean[]', '[true, "no", 1]'), ('inet[]', '["::1"]'), ('int4range[]', '["[1,2)"]'), ('positive[]', '[1, 0]'), ('pair[]', '["(1,a)"]'),
('int4range', '"[1,5]"'), ('int4range', '"[5,1]"'), ('int4range', '"empty"'), ('numrange', '"(1.5,)"'), ('daterange', '"[2024-01-01,2024-02-01)"'), ('tstzrange', '"[2024-01-01T00:00:00Z,)"'), ('int8range', '{"lower": 1}'),
('int4multirange', '"{[1,3),[5,8)}"'), ('datemultirange', '"{}"'), ('nummultirange', '"{[2,1]}"'),
('pair', '{"x": 1, "y": "a,b"}'), ('pair', '{"y": null}'), ('pair', '{"z": 1}'), ('pair', '{"x": "x"}'), ('pair', '"(1,a)"'), ('pair', '[1]'), ('pair[]', '[{"x": 1, "y": "b"}, null]'),
('positive', '1'), ('positive', '0'), ('named', '"a"'), ('named', 'null'), ('moods', '["ok"]'), ('moods', '["ok", "ok", "ok"]'), ('money2', '1.005'), ('money2', '12345'), ('document', '{"id": 1}'), ('document', '{}'), ('late', '"2024-02-29T12:34:56.7Z"'), ('span', '"[1,2)"'), ('span', '"empty"');
SELECT type, left(value::text, 50) AS value, left(stored(type, value), 90) AS stored FROM plain ORDER BY n;

-- Connect's types, logical types and Debezium's.
CREATE TABLE typed (n serial, schema jsonb, value jsonb, types text[]);
INSERT INTO typed (schema, value, types) VALUES
('{"type": "int8"}', '5', '{smallint,integer,bigint,numeric,"numeric(1,0)",real,text,boolean,oid,money,"bit(8)","bit(2)",jsonb,date}'),
('{"type": "int16"}', '300', '{smallint,integer,"numeric(2,0)","double precision","varchar(2)",text,jsonb}'),
('{"type": "int32"}', '70000', '{smallint,integer,numeric,real,text,jsonb,date}'),
('{"type": "int64"}', '1709210096789', '{integer,bigint,numeric,"double precision",text,timestamp,timestamptz,jsonb}'),
('{"type": "float"}', '1.5', '{smallint,numeric,real,"double precision",text,jsonb,money}'),
('{"type": "double"}', '1e300', '{numeric,real,"double precision",text,jsonb}'),
('{"type": "boolean"}', 'true', '{boolean,text,jsonb,integer,bit,"bit(2)"}'),
('{"type": "string"}', '"12"', '{text,"char(4)",smallint,numeric,uuid,jsonb,date,interval,inet,mood,bytea,int4range}'),
('{"type": "bytes"}', '"AQI="', '{bytea,text,"bit(16)","bit(4)",varbit,jsonb,uuid,integer}'),
('{"type": "bytes", "name": "org.apache.kafka.connect.data.Decimal", "version": 1, "parameters": {"scale": "2"}}', '"MDk="', '{numeric,"numeric(5,2)","numeric(4,1)","numeric(2,0)",integer,real,"double precision",text,money,jsonb}'),
('{"type": "int32", "name": "org.apache.kafka.connect.data.Date", "version": 1}', '19782', '{date,timestamp,timestamptz,text,jsonb,integer,time}'),
('{"type": "int32", "name": "org.apache.kafka.connect.data.Time", "version": 1}', '45296789', '{time,"time(0)",timetz,text,jsonb,date}'),
('{"type": "int64", "name": "org.apache.kafka.connect.data.Timestamp", "version": 1}', '1709210096789', '{timestamp,"timestamp(0)",timestamptz,date,time,text,jsonb,bigint}'),
('{"type": "array", "items": {"type": "int32"}}', '[1, 2]', '{integer[],text[],jsonb,text,bigint[],"numeric(2,1)[]",integer}'),
('{"type": "array", "items": {"type": "string", "optional": true}}', '["a", null]', '{text[],mood[],jsonb}'),
('{"type": "array", "items": {"type": "int32", "name": "org.apache.kafka.connect.data.Date", "version": 1}}', '[19782]', '{date[],text[],jsonb}'),
('{"type": "array", "items": {"type": "bytes", "name": "org.apache.kafka.connect.data.Decimal", "parameters": {"scale": "1"}}}', '["GQ=="]', '{numeric[],"numeric(3,0)[]",jsonb}'),
('{"type": "map", "keys": {"type": "string"}, "values": {"type": "int32"}}', '{"a": 1}', '{jsonb,text,integer}'),
('{"type": "struct", "fields": [{"field": "x", "type": "int32"}, {"field": "y", "type": "string", "optional": true}]}', '{"x": 1, "y": null}', '{pair,jsonb,text,integer}'),
('{"type": "int32", "name": "io.debezium.time.Date"}', '19782', '{date,timestamp,timestamptz,time,text,integer}'),
('{"type": "int64", "name": "io.debezium.time.MicroTime"}', '45296789012', '{time,"time(3)",timetz,timestamp,text,bigint}'),
('{"type": "int64", "name": "io.debezium.time.NanoTimestamp"}', '1709210096789012345', '{timestamp,"timestamp(3)",timestamptz,late,date,time,interval,bigint}'),
('{"type": "int64", "name": "io.debezium.time.MicroDuration"}', '90000000', '{interval,"interval(0)"}'),
-- … at the ends of what they count
('{"type": "int64", "name": "org.apache.kafka.connect.data.Timestamp", "version": 1}', '9223372036854775807', '{timestamp,timestamptz,date,time,text}'),
('{"type": "int64", "name": "org.apache.kafka.connect.data.Timestamp", "version": 1}', '-9223372036854775808', '{timestamp,timestamptz,date,time,text}'),
('{"type": "int32", "name": "org.apache.kafka.connect.data.Date", "version": 1}', '2147483647', '{date,timestamp,timestamptz}'),
('{"type": "int32", "name": "org.apache.kafka.connect.data.Date", "version": 1}', '-2147483648', '{date,timestamp,timestamptz}'),
('{"type": "int32", "name": "io.debezium.time.Date"}', '2147483647', '{date,timestamp,timestamptz}'),
('{"type": "int32", "name": "io.debezium.time.Date"}', '-2147483648', '{date,timestamp,timestamptz}'),
('{"type": "int32", "name": "io.debezium.time.Date"}', '2147483', '{date,timestamp,timestamptz}'),
('{"type": "int32", "name": "io.debezium.time.Date"}', '110000000', '{date,timestamp,timestamptz}'),
('{"type": "int64", "name": "io.debezium.time.Timestamp"}', '9223372036854775807', '{timestamp,timestamptz,date,time}'),
('{"type": "int64", "name": "io.debezium.time.MicroTimestamp"}', '9223372036854775807', '{timestamp,timestamptz,date,time}'),
('{"type": "int64", "name": "io.debezium.time.MicroTimestamp"}', '-9223372036854775808', '{timestamp,timestamptz,date,time}'),
('{"type": "int64", "name": "io.debezium.time.NanoTimestamp"}', '9223372036854775807', '{timestamp,timestamptz,date,time}'),
('{"type": "int64", "name": "io.debezium.time.NanoTimestamp"}', '-9223372036854775808', '{timestamp,timestamptz,date,time}'),
('{"type": "int64", "name": "io.debezium.time.MicroTimestamp"}', '9223372036825200000', '{timestamp,timestamptz,date,time}'),
('{"type": "int64", "name": "io.debezium.time.MicroTime"}', '-1', '{time,timetz}'),
('{"type": "int64", "name": "io.debezium.time.MicroDuration"}', '9223372036854775807', '{interval}'),
('{"type": "int64", "name": "io.debezium.time.MicroDuration"}', '-9223372036854775808', '{interval}'),
('{"type": "string", "name": "io.debezium.time.ZonedTimestamp"}', '"2024-02-29T12:34:56.789Z"', '{timestamptz,timestamp,"timestamptz(0)",text}'),
('{"type": "string", "name": "io.debezium.time.ZonedTime"}', '"12:34:56Z"', '{timetz,time}'),
('{"type": "string", "name": "io.debezium.data.Json"}', '"{\"a\": 1}"', '{jsonb,json,text}'),
('{"type": "string", "name": "io.debezium.data.Uuid"}', '"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"', '{uuid,text}'),
('{"type": "bytes", "name": "io.debezium.data.Bits", "parameters": {"length": "10"}}', '"BQI="', '{"bit(10)",varbit,bytea}'),
('{"type": "struct", "name": "io.debezium.data.VariableScaleDecimal", "fields": [{"field": "scale", "type": "int32"}, {"field": "value", "type": "bytes"}]}', '{"scale": 3, "value": "MDk="}', '{numeric,"numeric(6,1)","double precision",text}'),
('{"type": "struct", "name": "io.debezium.data.geometry.Point", "fields": [{"field": "x", "type": "double"}, {"field": "y", "type": "double"}, {"field": "wkb", "type": "bytes", "optional": true}, {"field": "srid", "type": "int32", "optional": true}]}', '{"x": 1.5, "y": -2, "wkb": null, "srid": null}', '{point,text}');
SELECT regexp_replace(coalesce(schema->>'name', schema->>'type'), '.*\.', '') AS connect, left(value::text, 50) AS value, t AS type,
	left(stored(t, value, schema), 90) AS stored
FROM typed, unnest(types) WITH ORDINALITY AS u(t, i) ORDER BY n, i;

-- null has a place wherever a column may be null
SELECT DISTINCT stored(t, 'null', schema) FROM typed, unnest(types) AS t;
SET client_min_messages = error;
DROP SCHEMA sinktypes CASCADE;
