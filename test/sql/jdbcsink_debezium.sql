-- The table sink under Debezium's name: each of its options does what its users rely on.
SET client_min_messages = warning;
CREATE SCHEMA sinkdbz;
SET search_path = sinkdbz, public;
SET timezone = UTC;
SET datestyle = ISO;
\i sql/sinktest.inc
\set VERBOSITY terse
-- a task of that class, events as Debezium writes them, and what has come of them
CREATE FUNCTION dbz(config jsonb) RETURNS int LANGUAGE sql AS
$$ SELECT sinkdbz.sink('{"connector.class": "DebeziumJdbcSink", "collection.name.format": "sinkdbz.${topic}"}' || config) $$;
CREATE FUNCTION event(op text, before jsonb, after jsonb, key jsonb DEFAULT NULL, topic text DEFAULT 't', source jsonb DEFAULT '{"table": "t", "schema": "sinkdbz"}')
	RETURNS jsonb LANGUAGE sql AS
$$ SELECT jsonb_build_object('topic', topic, 'key', key, 'value', jsonb_build_object('op', op, 'before', before, 'after', after, 'source', source)) $$;
-- a record whose value, flat, has schemas
CREATE FUNCTION flat(fields jsonb, payload jsonb, key jsonb DEFAULT NULL, topic text DEFAULT 'made') RETURNS jsonb LANGUAGE sql AS
$$ SELECT jsonb_build_object('topic', topic, 'key', key, 'value',
	jsonb_build_object('schema', jsonb_build_object('type', 'struct', 'fields', fields), 'payload', payload)) $$;
CREATE FUNCTION key_of(id int) RETURNS jsonb LANGUAGE sql AS
$$ SELECT jsonb_build_object('schema', '{"type": "struct", "fields": [{"field": "id", "type": "int32"}]}'::jsonb, 'payload', jsonb_build_object('id', id)) $$;
CREATE TABLE t (id int PRIMARY KEY, v text, w int);

-- insert.mode; what is there already
SELECT dbz('{"insert.mode": "insert"}') AS i, dbz('{"insert.mode": "upsert", "primary.key.mode": "record_key"}') AS u,
	dbz('{"insert.mode": "update", "primary.key.mode": "record_key"}') AS p \gset
SELECT * FROM put(:i, jsonb_build_array(event('c', NULL, '{"id": 1, "v": "a"}'), event('r', NULL, '{"id": 2, "v": "b"}')));
SELECT * FROM put(:i, jsonb_build_array(event('c', NULL, '{"id": 1, "v": "again"}')));
SELECT * FROM put(:u, jsonb_build_array(event('u', '{"id": 1}', '{"id": 1, "v": "A", "w": 1}', '{"id": 1}'), event('c', NULL, '{"id": 3, "v": "c"}', '{"id": 3}')));
SELECT * FROM put(:p, jsonb_build_array(event('u', NULL, '{"id": 3, "v": "C"}', '{"id": 3}'), event('u', NULL, '{"id": 4, "v": "none"}', '{"id": 4}')));
SELECT * FROM t ORDER BY id;

-- delete.enabled: off, on with each way to a key; tombstones; what is not there; create, delete, create
SELECT * FROM put(:u, jsonb_build_array(event('d', '{"id": 1}', NULL, '{"id": 1}'), '{"key": {"id": 1}}'::jsonb));
SELECT count(*) AS kept FROM t;
SELECT dbz('{"insert.mode": "upsert", "primary.key.mode": "record_key", "delete.enabled": "true"}') AS k,
	dbz('{"insert.mode": "upsert", "primary.key.mode": "record_value", "primary.key.fields": "id", "delete.enabled": "true"}') AS v,
	dbz('{"insert.mode": "upsert", "primary.key.mode": "record_header", "primary.key.fields": "id", "delete.enabled": "true"}') AS h \gset
SELECT * FROM put(:k, jsonb_build_array(event('d', '{"id": 1}', NULL, '{"id": 1}'), '{"topic": "t", "key": {"id": 1}}'::jsonb, '{"topic": "t", "key": {"id": 77}}'::jsonb));
SELECT * FROM put(:v, jsonb_build_array(event('d', '{"id": 2, "v": "b"}', NULL), '{"topic": "t"}'::jsonb));
SELECT * FROM put(:h, jsonb_build_array(event('d', '{"id": 3}', NULL) || '{"headers": {"id": 3}}', '{"topic": "t"}'::jsonb));
SELECT count(*) AS gone FROM t;
SELECT * FROM put(:k, jsonb_build_array(event('c', NULL, '{"id": 5, "v": "1"}', '{"id": 5}'), event('d', '{"id": 5}', NULL, '{"id": 5}'), event('c', NULL, '{"id": 5, "v": "2"}', '{"id": 5}')));
TABLE t;

-- truncate.enabled: off, on, between others
SELECT * FROM put(:k, jsonb_build_array(event('t', NULL, NULL)));
SELECT count(*) AS kept FROM t;
SELECT dbz('{"truncate.enabled": "true", "insert.mode": "upsert", "primary.key.mode": "record_key"}') AS x \gset
SELECT * FROM put(:x, jsonb_build_array(event('c', NULL, '{"id": 6}', '{"id": 6}'), event('t', NULL, NULL), event('c', NULL, '{"id": 7}', '{"id": 7}')));
TABLE t;

-- collection.name.format, its alias, what has no source block; messages and changes of schemas
SELECT sink('{"connector.class": "DebeziumJdbcSink", "collection.name.format": "${source.schema}.copy_${source.table}"}') AS c,
	sink('{"connector.class": "DebeziumJdbcSink", "table.name.format": "sinkdbz.${topic}"}') AS a \gset
CREATE TABLE copy_t (id int);
CREATE TABLE server_shop_orders (id int);
SELECT * FROM put(:c, jsonb_build_array(event('c', NULL, '{"id": 1}'), '{"value": {"id": 2}}'::jsonb, event('m', NULL, NULL),
	'{"value": {"source": {"table": "t", "schema": "sinkdbz"}, "databaseName": "d", "ddl": "ALTER TABLE t ADD x int", "tableChanges": []}}'::jsonb));
SELECT * FROM put(:a, jsonb_build_array(event('c', NULL, '{"id": 3}', NULL, 'server.shop.orders')));
SELECT * FROM put(:a, '[{"topic": "changes", "value": {"source": {"table": "t"}, "databaseName": "d", "ddl": "ALTER TABLE t ADD x int", "tableChanges": []}}]');
SELECT 'copy_t', id FROM copy_t UNION ALL SELECT 'server_shop_orders', id FROM server_shop_orders;

-- schema.evolution: none, validate-only, basic (columns come, none go, types stay)
SELECT * FROM put(:a, '[{"topic": "absent", "value": {"id": 1}}]');
SELECT dbz('{"schema.evolution": "basic", "value.converter": "JsonConverter", "key.converter": "JsonConverter", "insert.mode": "upsert",
	"primary.key.mode": "record_key", "delete.enabled": "true"}') AS b \gset
SELECT * FROM put(:b, jsonb_build_array(flat('[{"field": "v", "type": "string", "optional": true, "parameters": {"__debezium.source.column.type": "VARCHAR", "__debezium.source.column.length": "5"}},
	{"field": "n", "type": "bytes", "name": "org.apache.kafka.connect.data.Decimal", "parameters": {"scale": "2", "connect.decimal.precision": "5"}},
	{"field": "at", "type": "int64", "name": "io.debezium.time.MicroTimestamp"}, {"field": "z", "type": "string", "name": "io.debezium.time.ZonedTimestamp"},
	{"field": "doc", "type": "string", "name": "io.debezium.data.Json", "optional": true}, {"field": "u", "type": "string", "name": "io.debezium.data.Uuid"},
	{"field": "d", "type": "int32", "default": 7}, {"field": "o", "type": "int32", "optional": true, "default": 8}]',
	'{"v": "abc", "n": "MDk=", "at": 1709210096789012, "z": "2024-02-29T12:34:56Z", "doc": "{}", "u": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "d": null, "o": null}', key_of(1))));
SELECT attname, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute WHERE attrelid = 'made'::regclass AND attnum > 0 ORDER BY attnum;
\x on
SELECT * FROM made ORDER BY id;
\x off
SELECT * FROM put(:b, '[{"topic": "never", "key": {"schema": {"type": "struct", "fields": [{"field": "id", "type": "int32"}]}, "payload": {"id": 1}}}]');
SELECT to_regclass('never');

-- primary.key.mode none, kafka, all fields of the value; two headers
SELECT dbz('{"schema.evolution": "basic", "value.converter": "JsonConverter"}') AS n,
	dbz('{"schema.evolution": "basic", "value.converter": "JsonConverter", "primary.key.mode": "kafka"}') AS k,
	dbz('{"schema.evolution": "basic", "value.converter": "JsonConverter", "primary.key.mode": "record_value"}') AS v,
	dbz('{"schema.evolution": "basic", "value.converter": "JsonConverter", "primary.key.mode": "record_header", "primary.key.fields": "h1,h2"}') AS h \gset
SELECT * FROM put(:n, (SELECT jsonb_build_array(f, f) FROM flat('[{"field": "a", "type": "int32"}]', '{"a": 1}', NULL, 'by_none') f));
SELECT * FROM put(:n, jsonb_build_array(flat('[{"field": "extra", "type": "string", "optional": true}, {"field": "a", "type": "string"}]', '{"extra": "new", "a": "2"}', NULL, 'by_none')));
TABLE by_none;
SELECT * FROM put(:n, (SELECT jsonb_agg(flat('[{"field": "n", "type": "array", "items": {"type": "struct", "name": "io.debezium.data.VariableScaleDecimal", "optional": true,
	"fields": [{"field": "scale", "type": "int32"}, {"field": "value", "type": "bytes"}]}, "optional": true}, {"field": "t", "type": "array", "items": {"type": "string", "optional": true}, "optional": true}]',
	v, NULL, 'arrays')) FROM unnest('{"{\"n\": [{\"scale\": 3, \"value\": \"MDk=\"}, null], \"t\": [\"a\", null]}","{\"n\": [], \"t\": []}","{\"n\": null, \"t\": null}"}'::jsonb[]) v));
TABLE arrays;
SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'arrays'::regclass AND attnum > 0;
SELECT * FROM put(:k, (SELECT jsonb_build_array(f, f) FROM flat('[{"field": "a", "type": "int32"}]', '{"a": 1}', NULL, 'by_kafka') f));
SELECT * FROM put(:v, jsonb_build_array(flat('[{"field": "a", "type": "int32"}, {"field": "b", "type": "int32"}]', '{"a": 1, "b": 2}', NULL, 'by_value')));
SELECT * FROM put(:h, jsonb_build_array(flat('[{"field": "a", "type": "int32"}]', '{"a": 1}', NULL, 'by_header') || '{"headers": {"h1": 1, "h2": "x"}}'));
SELECT conrelid::regclass, pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'sinkdbz'::regnamespace AND conrelid::regclass::text LIKE 'by%' AND contype = 'p' ORDER BY 1;
SELECT (SELECT count(*) FROM by_none) AS by_none, (SELECT count(*) FROM by_kafka) AS by_kafka;

-- quote.identifiers; field.include.list, field.exclude.list, for one topic
CREATE TABLE "Upper" ("Id" int, "Name" text);
CREATE TABLE upper ("id" int, "name" text);
SELECT dbz('{"quote.identifiers": "true"}') AS q, dbz('{}') AS f, dbz('{"field.include.list": "t:id,v"}') AS i, dbz('{"field.exclude.list": "t:w,x:v"}') AS x \gset
SELECT * FROM put(:q, '[{"topic": "Upper", "value": {"Id": 1, "Name": "kept"}}]');
SELECT * FROM put(:f, '[{"topic": "Upper", "value": {"id": 2, "name": "folded"}}]');
SELECT * FROM "Upper" UNION ALL SELECT * FROM upper;
SELECT * FROM put(:i, '[{"value": {"id": 11, "v": "in", "w": 1}}]');
SELECT * FROM put(:x, '[{"value": {"id": 12, "v": "in", "w": 1}}]');
SELECT * FROM t WHERE id > 10 ORDER BY id;
SELECT dbz('{"field.include.list": "a", "field.exclude.list": "b"}');

-- use.time.zone; identity columns; infinity beside others
CREATE TABLE times (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamp, z timestamptz);
SELECT dbz('{"value.converter": "JsonConverter", "use.time.zone": "Asia/Tokyo"}') AS z \gset
SELECT * FROM put(:z, (SELECT jsonb_agg(flat('[{"field": "id", "type": "int32"}, {"field": "at", "type": "int64", "name": "io.debezium.time.MicroTimestamp"},
	{"field": "z", "type": "int64", "name": "org.apache.kafka.connect.data.Timestamp"}]', jsonb_build_object('id', n, 'at', v, 'z', 0), NULL, 'times') ORDER BY n)
	FROM unnest('{9223372036825200000,1709210096789012,-9223372036832400000}'::bigint[]) WITH ORDINALITY AS u(v, n)));
SELECT * FROM times ORDER BY id;
SET client_min_messages = error;
DROP SCHEMA sinkdbz CASCADE;
