-- The table sink: keys, modes, deletes, DDL, bad records, Debezium's events.
SET client_min_messages = warning;
CREATE SCHEMA jdbcsink;
SET search_path = jdbcsink, public;
\i sql/sinktest.inc
\set VERBOSITY terse

-- Plain JSON: columns by name; what is absent gets its default, null is null.
CREATE TABLE t (id int PRIMARY KEY, v text DEFAULT 'd', n numeric(10,2));
SELECT sink('{"connector.class": "JdbcSink", "table.name.format": "jdbcsink.t"}') AS s \gset
SELECT * FROM put(:s, '[{"value": {"id": 1, "n": 1.005}}, {"value": {"id": 2, "v": null}}, {"value": {"n": 1, "id": 3, "v": "x"}}]');
TABLE t;
SELECT * FROM put(:s, '[{"value": {"id": 4}}, {"value": {"id": 5, "other": 1}}]');
SELECT * FROM put(:s, '[{"value": {"id": 4}}, {"value": {"id": "x"}}]');
SELECT * FROM put(:s, '[{"value": {"id": 4}}, {"value": {"id": 1}}]');
SELECT * FROM put(:s, '[{"value": [1]}]');
SELECT * FROM put(:s, '[{"value": null}]');
SELECT count(*) FROM t;

-- errors.tolerance=all: all but the bad ones are stored.
SELECT sink('{"connector.class": "JdbcSink", "table.name.format": "jdbcsink.t", "errors.tolerance": "all"}') AS s \gset
SELECT * FROM put(:s, (SELECT jsonb_agg(jsonb_build_object('value', jsonb_build_object('id',
	CASE g WHEN 17 THEN '"x"' WHEN 100 THEN '2' WHEN 1500 THEN '1600' WHEN 2300 THEN 'null' ELSE (g + 10)::text END::jsonb)) ORDER BY g)
	FROM generate_series(1, 2500) g));
SELECT count(*), min(id), max(id) FROM t;

-- Unknown fields are ignored, or collected.
ALTER TABLE t ADD extra jsonb;
TRUNCATE t;
SELECT sink('{"connector.class": "JdbcSink", "table.name.format": "jdbcsink.t", "unknown.fields": "ignore"}') AS i,
	sink('{"connector.class": "JdbcSink", "table.name.format": "jdbcsink.t", "unknown.fields": "collect"}') AS c \gset
SELECT * FROM put(:i, '[{"value": {"id": 1, "x": 1}}]');
SELECT * FROM put(:c, '[{"value": {"id": 2, "x": {"y": [1.50, null]}, "z": "q"}}, {"value": {"id": 3}}]');
TABLE t;

-- A fraction for an integer column is cast as what Connect's JDBC sinks bind: a double to even, a decimal away from zero, text not at all.
CREATE TABLE whole (i2 smallint, i4 int, i8 bigint, o oid);
SELECT sink('{"connector.class": "JdbcSink", "table.name.format": "jdbcsink.whole", "errors.tolerance": "all"}') AS plain,
	sink('{"connector.class": "JdbcSink", "table.name.format": "jdbcsink.whole", "errors.tolerance": "all", "value.converter": "JsonConverter", "value.converter.schemas.enable": "true"}') AS typed \gset
SELECT * FROM put(:plain, '[{"value": {"i2": 2.5, "i4": 3.5, "i8": -2.5}}, {"value": {"i4": 2147483647.4}}, {"value": {"i4": 2147483647.5}}, {"value": {"i8": 1e300}}, {"value": {"i4": "1.5"}}, {"value": {"o": 1.5}}, {"value": {"i4": 7.0, "o": 8.0}}]');
SELECT * FROM put(:typed, (SELECT jsonb_agg(jsonb_build_object('value', jsonb_build_object('schema', '{"type": "struct", "fields": [{"field": "i4", "type": "double", "optional": true},
	{"field": "i8", "type": "bytes", "name": "org.apache.kafka.connect.data.Decimal", "parameters": {"scale": "1"}, "optional": true}, {"field": "i2", "type": "float", "optional": true}]}'::jsonb, 'payload', p))) FROM
	(VALUES ('{"i4": 2.5, "i8": "GQ==", "i2": -3.5}'::jsonb), ('{"i4": -0.5, "i8": "5w==", "i2": 0.5}'), ('{"i2": 32767.5}'), ('{"i8": "BP/////////x"}'), ('{"i8": "BP/////////7"}')) AS v(p)));
TABLE whole;
DROP TABLE whole;

-- upsert: the last change of a key wins; fields of single changes are merged.
SELECT sink('{"connector.class": "JdbcSink", "table.name.format": "jdbcsink.t", "insert.mode": "upsert", "pk.mode": "record_value", "pk.fields": "id"}') AS u \gset
SELECT * FROM put(:u, '[{"value": {"id": 1, "v": "a"}}, {"value": {"id": 9, "v": "b"}}, {"value": {"id": 9, "n": 2}}, {"value": {"id": 1, "v": "c"}}]');
SELECT id, v, n FROM t ORDER BY id;
SELECT * FROM put(:u, '[{"value": {"v": "no key"}}]');

-- A key is the table's primary key if nothing else is said.
SELECT sink('{"connector.class": "JdbcSink", "table.name.format": "jdbcsink.t", "insert.mode": "upsert", "pk.mode": "record_value"}') AS u \gset
SELECT * FROM put(:u, '[{"value": {"id": 1, "v": "primary"}}]');

-- delete: order within a batch counts; what is not there is no error.
SELECT sink('{"connector.class": "JdbcSink", "table.name.format": "jdbcsink.t", "insert.mode": "upsert", "pk.mode": "record_key", "pk.fields": "id", "delete.enabled": "true"}') AS d \gset
SELECT * FROM put(:d, '[{"key": 1}, {"key": 2}, {"key": 2, "value": {"v": "again"}}, {"key": 7, "value": {"v": "new"}}, {"key": 7}, {"key": 77}]');
SELECT id, v, extra FROM t ORDER BY id;
-- … and with insert.mode=insert
SELECT sink('{"connector.class": "JdbcSink", "table.name.format": "jdbcsink.t", "pk.mode": "record_key", "pk.fields": "id", "delete.enabled": "true"}') AS d \gset
SELECT * FROM put(:d, '[{"key": 5, "value": {"v": "one"}}, {"key": 5}, {"key": 5, "value": {"v": "two"}}]');
SELECT id, v FROM t ORDER BY id;

-- update: only what is there.
SELECT sink('{"connector.class": "JdbcSink", "table.name.format": "jdbcsink.t", "insert.mode": "update", "pk.mode": "record_key", "pk.fields": "id"}') AS u \gset
SELECT * FROM put(:u, '[{"key": 5, "value": {"v": "three"}}, {"key": 5, "value": {"n": 3}}, {"key": 6, "value": {"v": "none"}}]');
SELECT id, v, n FROM t ORDER BY id;

-- Keys of several columns, of text with a collation, from a header, from Kafka.
CREATE TABLE k (a text COLLATE "C", b int, v int, PRIMARY KEY (a, b));
SELECT sink('{"connector.class": "JdbcSink", "table.name.format": "jdbcsink.k", "insert.mode": "upsert", "pk.mode": "record_key", "delete.enabled": "true"}') AS u \gset
SELECT * FROM put(:u, '[{"key": {"a": "x", "b": 1}, "value": {"v": 1}}, {"key": {"a": "x", "b": 2}, "value": {"v": 2}}, {"key": {"a": "x", "b": 1}, "value": {"v": 3}}, {"key": {"a": "x", "b": 2}}]');
TABLE k;
SELECT sink('{"connector.class": "JdbcSink", "table.name.format": "jdbcsink.k", "insert.mode": "upsert", "pk.mode": "record_header", "pk.fields": "a,b"}') AS u \gset
SELECT * FROM put(:u, '[{"headers": {"a": "h", "b": 5}, "value": {"v": 1}}, {"headers": {"a": "h", "b": 5}, "value": {"v": 2}}]');
SELECT * FROM put(:u, '[{"headers": {"a": "h"}, "value": {"v": 1}}]');
TABLE k;

-- Schemas make tables and columns; a table is never made for a delete.
SELECT sink('{"connector.class": "JdbcSink", "table.name.format": "jdbcsink.made", "auto.create": "true", "auto.evolve": "true", "insert.mode": "upsert", "pk.mode": "record_key", "pk.fields": "id", "delete.enabled": "true", "value.converter": "JsonConverter", "key.converter": "JsonConverter"}') AS m \gset
SELECT * FROM put(:m, '[{"key": {"schema": {"type": "int32"}, "payload": 1}}]');
SELECT to_regclass('jdbcsink.made');
SELECT * FROM put(:m, '[{"key": {"schema": {"type": "int32"}, "payload": 1},
	"value": {"schema": {"type": "struct", "fields": [{"field": "v", "type": "string", "optional": true}]}, "payload": {"v": "a"}}},
	{"key": {"schema": {"type": "int32"}, "payload": 2},
	"value": {"schema": {"type": "struct", "fields": [{"field": "v", "type": "string", "optional": true}, {"field": "w", "type": "int64", "default": 5}]}, "payload": {"v": "b"}}}]');
\d made
TABLE made;
SELECT * FROM put(:m, '[{"key": {"schema": {"type": "int32"}, "payload": 3},
	"value": {"schema": {"type": "struct", "fields": [{"field": "must", "type": "string"}]}, "payload": {"must": "a"}}}]');

-- Names that are too long are cut as the server cuts them; two fields never share a column; \u0000 is in no name.
CREATE FUNCTION fields(VARIADIC names text[]) RETURNS jsonb LANGUAGE sql AS
$$ SELECT jsonb_build_array(jsonb_build_object('value', jsonb_build_object('schema', jsonb_build_object('type', 'struct', 'fields',
   jsonb_agg(jsonb_build_object('field', name, 'type', 'int32', 'optional', true) ORDER BY n)), 'payload', jsonb_object_agg(name, n))))
   FROM unnest(names) WITH ORDINALITY AS f(name, n) $$;
SELECT sink('{"connector.class": "JdbcSink", "table.name.format": "jdbcsink.long", "auto.create": "true", "auto.evolve": "true", "value.converter": "JsonConverter"}') AS m \gset
SELECT * FROM put(:m, fields(repeat('x', 70), 'a"b', 'ÄÖ'));
SELECT * FROM put(:m, fields(repeat('x', 70), 'äö', repeat('ü', 40)));
SELECT * FROM put(:m, fields(repeat('x', 70), repeat('x', 71)));
SELECT * FROM put(:m, fields('a"b', 'A"b'));
\d long
SELECT sink('{"connector.class": "JdbcSink", "table.name.format": "jdbcsink.LONG", "auto.evolve": "true", "quote.sql.identifiers": "never", "value.converter": "JsonConverter"}') AS m \gset
SELECT * FROM put(:m, fields('A"B', 'NEW'));
SELECT "a""b", new FROM long WHERE new IS NOT NULL;
SELECT "offset", message FROM sink_put(:m, '{t}', '{0}', '{NULL}', ARRAY[replace(fields('a"b', 'a"b0')->0->>'value', 'b0"', 'b\u0000"')], '{NULL}');
SELECT sink('{"connector.class": "JdbcSink", "table.name.format": "jdbcsink.t"}') AS m \gset
SELECT "offset", message FROM sink_put(:m, '{t}', '{0}', '{NULL}', '{"{\"id\": 50, \"v\\u0000\": 1}"}', '{NULL}');
-- … a key's name may differ in case from its column's
SELECT sink('{"connector.class": "JdbcSink", "table.name.format": "jdbcsink.t", "insert.mode": "upsert", "pk.mode": "record_key", "pk.fields": "ID"}') AS m \gset
SELECT * FROM put(:m, '[{"key": 51, "value": {"v": "case"}}]');
-- A default that is an empty array.
SELECT sink('{"connector.class": "JdbcSink", "table.name.format": "jdbcsink.empty", "auto.create": "true", "value.converter": "JsonConverter"}') AS m \gset
SELECT * FROM put(:m, '[{"value": {"schema": {"type": "struct", "fields": [{"field": "a", "type": "array", "items": {"type": "int8"}, "default": []}]}, "payload": {}}}]');
TABLE empty;

-- A table that changes between batches.
ALTER TABLE t DROP COLUMN n, ADD COLUMN w int DEFAULT 3;
SELECT * FROM put(:s, '[{"value": {"id": 100, "w": 1}}, {"value": {"id": 101}}]');
DROP TABLE t;
SELECT * FROM put(:s, '[{"value": {"id": 100, "w": 1}}]');
CREATE TABLE t (w int, id bigint);
SELECT * FROM put(:s, '[{"value": {"id": 100, "w": 1}}]');
TABLE t;

-- Deferred constraints are checked with the batch that breaks them.
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE child (id int PRIMARY KEY, p int REFERENCES parent DEFERRABLE INITIALLY DEFERRED);
SELECT sink('{"connector.class": "JdbcSink", "table.name.format": "jdbcsink.${topic}", "errors.tolerance": "all"}') AS f \gset
SELECT * FROM put(:f, '[{"topic": "child", "value": {"id": 1, "p": 1}}, {"topic": "parent", "value": {"id": 1}}]');
SELECT * FROM put(:f, '[{"topic": "child", "value": {"id": 2, "p": 9}}, {"topic": "parent", "value": {"id": 2}}]');
TABLE child;
TABLE parent;

-- Debezium's events.
CREATE TABLE dbz (id int PRIMARY KEY, name text, at timestamp, day date);
SELECT sink('{"connector.class": "DebeziumJdbcSink", "collection.name.format": "jdbcsink.${source.table}", "insert.mode": "upsert", "primary.key.mode": "record_key", "delete.enabled": "true", "truncate.enabled": "true", "schema.evolution": "basic"}') AS z \gset
SELECT * FROM put(:z, '[{"key": {"id": 1}, "value": {"op": "c", "source": {"table": "dbz"}, "after": {"id": 1, "name": "a"}}},
	{"key": {"id": 2}, "value": {"op": "r", "source": {"table": "dbz"}, "after": {"id": 2, "name": "b"}}},
	{"key": {"id": 2}, "value": {"op": "u", "source": {"table": "dbz"}, "before": {"id": 2}, "after": {"id": 2, "name": "B"}}},
	{"key": {"id": 1}, "value": {"op": "d", "source": {"table": "dbz"}, "before": {"id": 1}}},
	{"key": {"id": 1}, "value": null},
	{"value": {"op": "m", "source": {"table": "dbz"}}}]');
TABLE dbz;
SELECT * FROM put(:z, '[{"value": {"op": "t", "source": {"table": "dbz"}}}, {"key": {"id": 5}, "value": {"op": "c", "source": {"table": "dbz"}, "after": {"id": 5, "name": "after truncate"}}}]');
TABLE dbz;
SELECT sink('{"connector.class": "DebeziumJdbcSink", "collection.name.format": "jdbcsink.dbz", "value.converter": "JsonConverter"}') AS z \gset
SELECT * FROM put(:z, '[{"value": {"schema": {"type": "struct", "fields": [{"field": "id", "type": "int32"},
	{"field": "at", "type": "int64", "name": "io.debezium.time.MicroTimestamp"}, {"field": "day", "type": "int32", "name": "io.debezium.time.Date"}]},
	"payload": {"id": 7, "at": 1709210096789123, "day": 19782}}},
	{"value": {"schema": {"type": "struct", "fields": [{"field": "id", "type": "int32"},
	{"field": "at", "type": "int64", "name": "io.debezium.time.MicroTimestamp"}, {"field": "day", "type": "int32", "name": "io.debezium.time.Date"}]},
	"payload": {"id": 8, "at": 9223372036825200000, "day": 0}}}]');
TABLE dbz;

-- Numbers keep all their digits, in keys and in events without schemas too.
CREATE TABLE digits (id numeric PRIMARY KEY, n numeric, v text, j jsonb);
SELECT sink('{"connector.class": "DebeziumJdbcSink", "collection.name.format": "jdbcsink.digits", "insert.mode": "upsert", "primary.key.mode": "record_key", "primary.key.fields": "id", "delete.enabled": "true"}') AS z \gset
SELECT * FROM put(:z, '[{"key": {"id": 12345678901234567890.10}, "value": {"op": "c", "source": {"table": "digits"}, "after":
	{"id": 12345678901234567890.10, "n": 98765432109876543210, "v": 1.50, "j": {"a": [12345678901234567890.10]}}}},
	{"key": {"id": 12345678901234567890}, "value": {"id": 12345678901234567890, "n": 0.10}},
	{"key": {"id": 18446744073709551617}, "value": {"id": 18446744073709551617}}, {"key": {"id": 1}, "value": {"id": 1}}]');
SELECT * FROM digits ORDER BY id;
SELECT * FROM put(:z, '[{"key": {"id": 18446744073709551617}}]');
SELECT sink('{"connector.class": "JdbcSink", "table.name.format": "jdbcsink.digits", "pk.mode": "record_key", "pk.fields": "id", "delete.enabled": "true"}') AS z \gset
SELECT * FROM put(:z, '[{"key": 12345678901234567890}, {"key": 1.5, "value": {"v": "x"}}]');
SELECT id FROM digits ORDER BY id;

-- Numbers since the epoch.
CREATE TABLE e (id int, at timestamp, tz timestamptz);
SELECT sink('{"connector.class": "JdbcSink", "table.name.format": "jdbcsink.e", "timestamp.fields.list": "at,tz", "timestamp.precision.mode": "nanoseconds", "db.timezone": "America/Los_Angeles"}') AS e \gset
SELECT * FROM put(:e, '[{"value": {"id": 1, "at": 1709210096789123456, "tz": "1709210096789123456"}}]');
SELECT * FROM put(:e, '[{"value": {"id": 1, "at": "2024-02-29"}}]');
SELECT id, at, tz AT TIME ZONE 'UTC' AS tz FROM e;
SELECT sink('{"connector.class": "JdbcSink", "table.name.format": "jdbcsink.e", "timestamp.fields.list": "at,tz", "errors.tolerance": "all"}') AS e \gset
SELECT * FROM put(:e, '[{"value": {"at": -9223372036854775808}}, {"value": {"tz": 9223372036854775000}}, {"value": {"at": -210866803200000000}}]');
SELECT at FROM e WHERE id IS NULL;

-- Options are checked.
SELECT sink('{"connector.class": "JdbcSink", "insert.mode": "upsert"}');
SELECT sink('{"connector.class": "JdbcSink", "insert.mode": "nothing", "pk.mode": "x", "batch.size": "-1", "table.name.format": "", "table.types": "INDEX"}');
SELECT sink('{"connector.class": "DebeziumJdbcSink", "insert.mode": "upsert", "field.include.list": "a", "field.exclude.list": "b"}');
SET client_min_messages = error;
DROP SCHEMA jdbcsink CASCADE;
