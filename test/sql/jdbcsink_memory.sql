-- The table sink keeps nothing of a batch: records in all modes, changes of tables and
-- schemas, bad records and errors leave memory where it was.
SET client_min_messages = warning;
CREATE SCHEMA sinkmemory;
SET search_path = sinkmemory, public;
\i sql/sinktest.inc
\set VERBOSITY terse
CREATE TABLE direct (id int PRIMARY KEY, v text, w numeric, at timestamp, doc jsonb, other int) WITH (fillfactor = 50);
CREATE TABLE executed (LIKE direct INCLUDING ALL);
CREATE FUNCTION pass() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
CREATE TRIGGER t BEFORE INSERT OR UPDATE ON executed FOR EACH ROW EXECUTE FUNCTION pass();

-- Ways to write, each with a batch for both tables.
CREATE TABLE way (n serial, what text, task int, records jsonb);
CREATE FUNCTION add_way(what text, config jsonb, records jsonb) RETURNS void LANGUAGE sql AS
$$ INSERT INTO way (what, task, records) SELECT what, sink('{"connector.class": "JdbcSink", "table.name.format": "sinkmemory.${topic}"}' || config),
	jsonb_agg(r || jsonb_build_object('topic', t) ORDER BY t, n) FROM unnest('{direct,executed}'::text[]) AS t, jsonb_array_elements(records) WITH ORDINALITY AS e(r, n) $$;
CREATE TABLE object AS SELECT g AS id, jsonb_build_object('id', g, 'v', repeat('v', g), 'w', g + 0.25, 'at', '2024-02-29T12:34:56Z', 'doc', jsonb_build_object('a', g)) AS o
	FROM generate_series(1, 40) g;
SELECT jsonb_agg(jsonb_build_object('key', jsonb_build_object('id', id), 'value', o)) AS plain,
	jsonb_agg(jsonb_build_object('key', jsonb_build_object('id', id))) AS tombstones,
	jsonb_agg(jsonb_build_object('value', CASE id % 4 WHEN 0 THEN o || '{"id": "x"}' WHEN 1 THEN o || '{"unknown": 1}' ELSE o END)) AS bad,
	jsonb_agg(jsonb_build_object('key', jsonb_build_object('id', id), 'value', jsonb_build_object('op', CASE id % 3 WHEN 0 THEN 'd' ELSE 'u' END, 'source', '{}'::jsonb, 'before', o, 'after', o))) AS events,
	jsonb_agg(jsonb_build_object('value', jsonb_build_object('schema', '{"type": "struct", "fields": [{"field": "id", "type": "int32"}, {"field": "v", "type": "string"},
		{"field": "at", "type": "int64", "name": "io.debezium.time.MicroTimestamp"}]}'::jsonb, 'payload', jsonb_build_object('id', id, 'v', 'typed', 'at', id)))) AS typed
	FROM object \gset
SELECT add_way('upsert', '{"insert.mode": "upsert", "pk.mode": "record_key"}', :'plain'),
	add_way('delete', '{"pk.mode": "record_key", "pk.fields": "id", "delete.enabled": "true"}', :'tombstones'),
	add_way('insert', '{}', :'plain'),
	add_way('duplicates', '{"errors.tolerance": "all"}', :'plain'),
	add_way('an error', '{}', :'plain'),
	add_way('update', '{"insert.mode": "update", "pk.mode": "record_value"}', :'plain'),
	add_way('bad records', '{"errors.tolerance": "all", "insert.mode": "upsert", "pk.mode": "record_value"}', :'bad'),
	add_way('collected', '{"unknown.fields": "collect", "unknown.fields.column": "doc", "errors.tolerance": "all", "insert.mode": "upsert", "pk.mode": "record_value"}', :'bad'),
	add_way('events', '{"connector.class": "DebeziumJdbcSink", "collection.name.format": "sinkmemory.${topic}", "insert.mode": "upsert", "primary.key.mode": "record_key", "delete.enabled": "true"}', :'events'),
	add_way('typed', '{"value.converter": "JsonConverter", "insert.mode": "upsert", "pk.mode": "record_value", "pk.fields": "id"}', :'typed');

CREATE FUNCTION put_quietly(task int, records jsonb) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
	RETURN (SELECT count(*) FROM sinkmemory.put(task, records));
EXCEPTION WHEN OTHERS THEN
	RETURN -1;
END $$;
-- each way in turn; after each fifth round the tables change
CREATE PROCEDURE rounds(n int) LANGUAGE plpgsql AS $$
DECLARE
	w record;
BEGIN
	FOR i IN 1 .. n LOOP
		FOR w IN SELECT task, records FROM sinkmemory.way ORDER BY way.n LOOP
			PERFORM sinkmemory.put_quietly(w.task, w.records);
			COMMIT;
		END LOOP;
		IF i % 10 = 0 THEN
			ALTER TABLE sinkmemory.direct RENAME unknown TO other;
			ALTER TABLE sinkmemory.executed RENAME unknown TO other;
		ELSIF i % 10 = 5 THEN
			ALTER TABLE sinkmemory.direct RENAME other TO unknown;
			ALTER TABLE sinkmemory.executed RENAME other TO unknown;
		END IF;
		COMMIT;
	END LOOP;
END $$;
-- schemas that differ in each record, and objects that do in their members
CREATE PROCEDURE forms(task int, plain int, n int) LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1 .. n LOOP
		PERFORM sinkmemory.put(task, (SELECT jsonb_agg(jsonb_build_object('topic', 'many', 'value', jsonb_build_object('schema', jsonb_build_object('type', 'struct', 'doc', i || '.' || g, 'fields',
			'[{"field": "id", "type": "int32"}]'::jsonb), 'payload', '{"id": 1}'::jsonb))) FROM generate_series(1, 20) g));
		PERFORM sinkmemory.put(plain, (SELECT jsonb_agg(jsonb_build_object('topic', 'many', 'value', (SELECT jsonb_object_agg('c' || c, c) || '{"id": 1}' FROM generate_series(1, 12) c
			WHERE c = 1 OR (i * 20 + g) & (1 << c - 1) > 0))) FROM generate_series(1, 20) g));
		COMMIT;
	END LOOP;
END $$;
CREATE TABLE many (id int, c1 int, c2 int, c3 int, c4 int, c5 int, c6 int, c7 int, c8 int, c9 int, c10 int, c11 int, c12 int);
SELECT sink('{"connector.class": "JdbcSink", "table.name.format": "sinkmemory.many", "value.converter": "JsonConverter"}') AS task,
	sink('{"connector.class": "JdbcSink", "table.name.format": "sinkmemory.many"}') AS plain \gset
CREATE FUNCTION kept(OUT bytes bigint, OUT plans bigint) LANGUAGE sql AS
$$ SELECT sum(used_bytes), count(*) FILTER (WHERE name LIKE 'CachedPlan%') FROM pg_backend_memory_contexts $$;
CREATE FUNCTION judged(bytes bigint, plans bigint, allowed int) RETURNS text LANGUAGE sql AS
$$ SELECT CASE WHEN bytes > allowed OR plans > 10 THEN format('%s bytes, %s plans', bytes, plans) ELSE 'no' END $$;
SELECT n, what, put_quietly(task, records) AS refused FROM way ORDER BY n;
CALL rounds(20);
CALL forms(:task, :plain, 60);
SELECT * FROM kept() \gset before_
CALL rounds(250);
SELECT * FROM kept() \gset after_
-- 1 byte a record would be 200,000
SELECT judged(:after_bytes - :before_bytes, :after_plans - :before_plans, 150000) AS grown;
-- some forms are kept, and it may just have forgotten them
CALL forms(:task, :plain, 400);
SELECT * FROM kept() \gset last_
SELECT judged(:last_bytes - :after_bytes, :last_plans - :after_plans, 4000000) AS grown;
SELECT (SELECT count(*) FROM direct) AS direct, (SELECT count(*) FROM executed) AS executed, (SELECT count(*) FROM many) AS many;
SET client_min_messages = error;
DROP SCHEMA sinkmemory CASCADE;
