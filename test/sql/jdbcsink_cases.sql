-- The table sink in the cases in which Connect's JDBC sinks are tested by their makers: what comes of each.
SET client_min_messages = warning;
CREATE SCHEMA sinkcases;
SET search_path = sinkcases, public;
SET timezone = UTC;
SET datestyle = ISO;
\i sql/sinktest.inc
\set VERBOSITY terse
-- a task of Confluent's class, whose values have schemas
CREATE FUNCTION typed(config jsonb DEFAULT '{}') RETURNS int LANGUAGE sql AS
$$ SELECT sinkcases.sink('{"connector.class": "JdbcSink", "table.name.format": "sinkcases.${topic}", "value.converter": "JsonConverter",
	"key.converter": "JsonConverter"}' || config) $$;
-- what of a struct's fields a schema says: "id:int32 name:string?"; a question mark makes one optional
CREATE FUNCTION struct(fields text, payload jsonb) RETURNS jsonb LANGUAGE sql AS
$$ SELECT jsonb_build_object('schema', jsonb_build_object('type', 'struct', 'fields', coalesce(jsonb_agg(jsonb_build_object(
	'field', split_part(f, ':', 1), 'type', rtrim(split_part(f, ':', 2), '?'), 'optional', f LIKE '%?') ORDER BY n), '[]')), 'payload', payload)
   FROM string_to_table(fields, ' ') WITH ORDINALITY AS t(f, n) WHERE f <> '' $$;
CREATE FUNCTION simple(type text, payload jsonb) RETURNS jsonb LANGUAGE sql AS
$$ SELECT jsonb_build_object('schema', jsonb_build_object('type', type), 'payload', payload) $$;
-- one record: what the error says, with the statement of ours that failed, or "stored"
CREATE FUNCTION put_one(task int, value jsonb, topic text DEFAULT 't', key jsonb DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	refused text;
	context text;
BEGIN
	SELECT message INTO refused FROM sinkcases.put(task, jsonb_build_array(jsonb_build_object('topic', topic, 'key', key, 'value', value)));
	RETURN coalesce('reported: ' || refused, 'stored');
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS context = PG_EXCEPTION_CONTEXT;
	RETURN SQLERRM || coalesce(E'\n' || substring(split_part(context, E'\n', 1) FROM '^SQL statement .*'), '');
END $$;

-- Options: kinds of tables.
SELECT typed('{"table.types": ""}');
SELECT typed('{"table.types": "TABLE,SEQUENCE"}');
SELECT typed('{"table.types": " TABLE , VIEW "}') > 0 AS accepted;

-- Keys: a primitive with two names, structs without a field, arrays and maps, nothing at all.
CREATE TABLE t (id int PRIMARY KEY, name text);
SELECT put_one(typed('{"pk.mode": "record_key", "pk.fields": "id,other"}'), struct('name:string', '{"name": "a"}'), key => simple('int32', '1'));
SELECT put_one(typed('{"pk.mode": "record_key", "pk.fields": "id"}'), struct('name:string', '{"name": "a"}'), key => struct('no:int32', '{"no": 1}'));
SELECT put_one(typed('{"pk.mode": "record_key", "pk.fields": "id"}'), struct('name:string', '{"name": "a"}'),
	key => '{"schema": {"type": "array", "items": {"type": "int32"}}, "payload": [1]}');
SELECT put_one(typed('{"pk.mode": "record_key", "pk.fields": "id"}'), struct('name:string', '{"name": "a"}'),
	key => '{"schema": {"type": "map", "keys": {"type": "string"}, "values": {"type": "int32"}}, "payload": {"id": 1}}');
SELECT put_one(typed('{"pk.mode": "record_value", "pk.fields": "id"}'), struct('name:string', '{"name": "a"}'));
SELECT put_one(typed(), struct('', '{}'));
SELECT put_one(typed('{"fields.whitelist": "none"}'), struct('id:int32', '{"id": 1}'));

-- Columns are in the order of the value, keys wherever they stand in it; keys that it does not have come last, by name.
SELECT typed('{"auto.create": "true", "pk.mode": "record_value", "pk.fields": "f4,f2"}') AS a,
	typed('{"auto.create": "true", "pk.mode": "record_value", "pk.fields": "f1", "fields.whitelist": "f2,f4"}') AS b,
	typed('{"auto.create": "true", "pk.mode": "record_key"}') AS c \gset
SELECT put_one(:a, struct('f1:int32 f2:int32 f3:int32 f4:int32 f5:int32', '{"f1": 1, "f2": 2, "f3": 3, "f4": 4, "f5": 5}'), 'key_order');
SELECT put_one(:b, struct('f1:int32 f2:int32 f3:int32 f4:int32', '{"f1": 1, "f2": 2, "f3": 3, "f4": 4}'), 'key_listed');
SELECT put_one(:c, struct('v:int32 k2:int32', '{"v": 1, "k2": 2}'), 'key_beside', struct('k3:int32 k2:int32 k1:int32', '{"k3": 3, "k2": 2, "k1": 1}'));
SELECT attrelid::regclass AS "table", string_agg(attname, ', ' ORDER BY attnum) AS columns,
	(SELECT pg_get_constraintdef(c.oid) FROM pg_constraint c WHERE conrelid = attrelid AND contype = 'p') AS key
	FROM pg_attribute WHERE attrelid::regclass::text LIKE 'key_%' AND attrelid IN (SELECT oid FROM pg_class WHERE relkind = 'r') AND attnum > 0 GROUP BY attrelid ORDER BY attrelid;

-- A value that is a string has a column of its own.
SELECT typed('{"auto.create": "true"}') AS s, typed('{"auto.create": "true", "string.output.value.column.name": "line", "pk.mode": "kafka"}') AS k,
	typed('{"pk.mode": "record_value"}') AS v, typed('{"fields.whitelist": "a", "timestamp.fields.list": "b"}') AS w,
	typed('{"pk.mode": "record_key", "pk.fields": "record_value"}') AS same \gset
SELECT put_one(:s, simple('string', '"a line"'), 'lines'), put_one(:k, simple('string', '"a line"'), 'keyed_lines');
TABLE lines;
TABLE keyed_lines;
SELECT put_one(:v, simple('string', '"a line"'));
SELECT put_one(:w, simple('string', '"a line"'));
SELECT put_one(:same, simple('string', '"a line"'), key => simple('string', '"key"'));
SELECT put_one(:s, simple('int32', '1'));

-- The same record twice, in one batch: a violation with insert, one row with upsert; all columns may be keys.
SELECT typed('{"auto.create": "true", "pk.mode": "kafka", "table.name.format": "sinkcases.kafka"}') AS ki,
	typed('{"insert.mode": "upsert", "pk.mode": "kafka", "table.name.format": "sinkcases.kafka"}') AS ku,
	typed('{"pk.mode": "record_key"}') AS ri, typed('{"insert.mode": "upsert", "pk.mode": "record_key"}') AS ru,
	typed('{"pk.mode": "record_value", "pk.fields": "id"}') AS vi, typed('{"insert.mode": "upsert", "pk.mode": "record_value"}') AS vu \gset
SELECT put_one(task, struct('id:int32', '{"id": 1}'), 't', CASE WHEN by_key THEN struct('id:int32', '{"id": 1}') END)
	FROM (VALUES (1, :ki, false), (2, :ki, false), (3, :ku, false), (4, :ri, true), (5, :ri, true), (6, :ru, true), (7, :vi, false), (8, :vu, false), (9, :vu, false))
	AS c(n, task, by_key) ORDER BY n;
TABLE kafka;
TABLE t;
SELECT * FROM put(:vu, (SELECT jsonb_agg(jsonb_build_object('value', struct('id:int32', '{"id": 2}'))) FROM generate_series(1, 5)));
TABLE t;

-- A delete whose schema is there, the value being null.
SELECT typed('{"insert.mode": "upsert", "pk.mode": "record_key", "delete.enabled": "true", "pk.fields": "id"}') AS d \gset
SELECT * FROM put(:d, jsonb_build_array(jsonb_build_object('key', simple('int32', '5'), 'value', struct('name:string', '{"name": "a"}')),
	jsonb_build_object('key', simple('int32', '5'), 'value', jsonb_set(struct('name:string', 'null'), '{schema,optional}', 'true')),
	jsonb_build_object('key', simple('int32', '2'), 'value', jsonb_set(struct('name:string', 'null'), '{schema,optional}', 'true'))));
TABLE t;

-- No table is made unless that is wanted; one that was dropped is made anew.
SELECT put_one(typed(), struct('id:int32', '{"id": 1}'), 'absent'), to_regclass('absent');
SELECT typed('{"auto.create": "true"}') AS c \gset
SELECT put_one(:c, struct('id:int32', '{"id": 1}'), 'again');
DROP TABLE again;
SELECT put_one(:c, struct('id:int32', '{"id": 2}'), 'again');
TABLE again;

-- A column that is missing and cannot be made is the record's fault: it is reported, all others are stored.
SELECT typed('{"auto.evolve": "true", "errors.tolerance": "all"}') AS e, typed('{"errors.tolerance": "all"}') AS n \gset
SELECT * FROM put(:e, jsonb_build_array(jsonb_build_object('topic', 'again', 'value', struct('id:int32', '{"id": 3}')),
	jsonb_build_object('topic', 'again', 'value', struct('id:int32 must:string', '{"id": 4, "must": "x"}')),
	jsonb_build_object('topic', 'again', 'value', struct('id:int32', '{"id": 5}'))));
SELECT * FROM put(:n, jsonb_build_array(jsonb_build_object('topic', 'again', 'value', struct('id:int32 may:string?', '{"id": 6, "may": "x"}'))));
SELECT * FROM put(:n, (SELECT jsonb_agg(jsonb_build_object('topic', 'again', 'value', struct('id:string', '{"id": "x"}'))) FROM generate_series(1, 3)));
TABLE again;

-- Changes that cannot be made say what would: in a view, a partition, another's table; a column that is too narrow.
CREATE TABLE base (id int, name text, hidden int DEFAULT 7);
CREATE VIEW fewer AS SELECT id FROM base;
CREATE VIEW more AS SELECT * FROM base;
CREATE TABLE parts (id int) PARTITION BY LIST (id);
CREATE TABLE part PARTITION OF parts FOR VALUES IN (1);
CREATE TABLE narrow (i smallint, v varchar(3), n numeric(3,1), f real, u boolean);
SELECT typed('{"auto.evolve": "true", "auto.create": "true", "table.types": "TABLE,VIEW,PARTITIONED TABLE"}') AS e \gset
SELECT put_one(:e, struct('id:int32 name:string?', '{"id": 1, "name": "a"}'), 'fewer');
SELECT put_one(:e, struct('id:int32', '{"id": 1}'), 'more');
TABLE base;
SELECT put_one(:e, struct('id:int32 name:string?', '{"id": 1, "name": "a"}'), 'part');
SELECT put_one(:e, struct('id:int32 name:string?', '{"id": 1, "name": "a"}'), 'parts');
TABLE part;
CREATE ROLE sinkcases_role;
GRANT USAGE ON SCHEMA sinkcases TO sinkcases_role;
GRANT INSERT ON base TO sinkcases_role;
SET ROLE sinkcases_role;
SELECT typed('{"auto.evolve": "true", "auto.create": "true"}') AS r \gset
SELECT put_one(:r, struct('id:int32 added:string?', '{"id": 1, "added": "a"}'), 'base');
SELECT put_one(:r, struct('id:int32', '{"id": 1}'), 'forbidden');
RESET ROLE;
SELECT put_one(:e, struct('i:int32', '{"i": 40000}'), 'narrow');
SELECT put_one(:e, struct('v:string', '{"v": "abcd"}'), 'narrow');
SELECT put_one(:e, struct('n:double', '{"n": 1000}'), 'narrow');
SELECT put_one(:e, struct('f:double', '{"f": 1e300}'), 'narrow');
SELECT put_one(:e, struct('u:string', '{"u": "x"}'), 'narrow');
SELECT put_one(:e, struct('i:string', '{"i": "x"}'), 'narrow');

-- Evolution in two steps, with a default; a key column that is missing.
SELECT typed('{"auto.create": "true", "auto.evolve": "true", "pk.mode": "record_key", "pk.fields": "id", "insert.mode": "upsert"}') AS a,
	typed('{"auto.evolve": "true", "pk.mode": "record_value", "pk.fields": "code", "insert.mode": "upsert"}') AS k \gset
SELECT put_one(:a, struct('title:string', '{"title": "a"}'), 'steps', simple('int64', '1'));
SELECT put_one(:a, '{"schema": {"type": "struct", "fields": [{"field": "title", "type": "string"}, {"field": "year", "type": "int32", "optional": true},
	{"field": "review", "type": "string", "default": ""}]}, "payload": {"title": "b", "year": 2024, "review": null}}', 'steps', simple('int64', '2'));
TABLE steps;
SELECT put_one(:k, struct('title:string code:int32?', '{"title": "c", "code": 1}'), 'steps');

-- Types: arrays and nulls in columns that are added; defaults; timestamp.fields.list; a null that has a default.
SELECT typed('{"auto.create": "true", "auto.evolve": "true", "timestamp.fields.list": "at,text_at"}') AS y,
	typed('{"replace.null.with.default": "false", "value.converter.replace.null.with.default": "false"}') AS n \gset
SELECT put_one(:y, '{"schema": {"type": "struct", "fields": [{"field": "numbers", "type": "array", "items": {"type": "int32"}, "optional": true},
	{"field": "names", "type": "array", "items": {"type": "string", "optional": true}, "optional": true},
	{"field": "hobbies", "type": "array", "items": {"type": "string"}, "default": ["Fencing", "Horse ''Riding''"]},
	{"field": "at", "type": "int64", "optional": true}, {"field": "text_at", "type": "string", "optional": true},
	{"field": "d", "type": "int32", "name": "org.apache.kafka.connect.data.Date", "version": 1, "default": 11396},
	{"field": "h", "type": "int32", "name": "org.apache.kafka.connect.data.Time", "version": 1, "default": 0},
	{"field": "z", "type": "int64", "name": "org.apache.kafka.connect.data.Timestamp", "version": 1, "default": 984614400000},
	{"field": "b", "type": "boolean", "default": true}]},
	"payload": {"numbers": [10, 6221], "names": ["Lucas", null], "at": 1709210096789012, "text_at": "1709210096789012", "b": null}}', 'types');
SELECT put_one(:n, '{"schema": {"type": "struct", "fields": [{"field": "b", "type": "boolean", "optional": true, "default": true}, {"field": "hobbies", "type": "array", "items": {"type": "string"}, "optional": true}]},
	"payload": {"b": null, "hobbies": null}}', 'types');
SELECT attname, format_type(atttypid, atttypmod), attnotnull, pg_get_expr(adbin, adrelid) AS default
	FROM pg_attribute LEFT JOIN pg_attrdef ON (adrelid, adnum) = (attrelid, attnum) WHERE attrelid = 'types'::regclass AND attnum > 0 ORDER BY attnum;
\x on
TABLE types;
\x off
SELECT put_one(:y, '{"schema": {"type": "struct", "fields": [{"field": "a", "type": "array", "items": {"type": "struct", "fields": []}, "optional": true}]}, "payload": {}}', 'types');
SELECT put_one(:y, '{"schema": {"type": "struct", "fields": [{"field": "m", "type": "map", "keys": {"type": "string"}, "values": {"type": "string"}, "optional": true}]}, "payload": {}}', 'types');
-- a uuid in the key
CREATE TABLE ids (id uuid PRIMARY KEY, v int);
INSERT INTO ids VALUES ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 1);
SELECT * FROM put(:d, jsonb_build_array(jsonb_build_object('topic', 'ids', 'key', simple('string', '"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"'))));
TABLE ids;
SET client_min_messages = error;
DROP OWNED BY sinkcases_role;
DROP ROLE sinkcases_role;
DROP SCHEMA sinkcases CASCADE;
