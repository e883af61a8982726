-- FunctionSink: forms of the argument, errors, what becomes of a changed function.
SET client_min_messages = warning;
SET timezone = 'UTC';
SET datestyle = 'ISO';
CREATE EXTENSION IF NOT EXISTS connect;
CREATE SCHEMA functionsink;
SET search_path = functionsink, public;
\i sql/sinktest.inc
\set VERBOSITY terse

-- The standard form: the record as a whole.
CREATE TABLE seen (call bigint, r jsonb);
CREATE SEQUENCE calls;
CREATE FUNCTION store(records connect.record[]) RETURNS void LANGUAGE plpgsql AS
$$
DECLARE
	n bigint := nextval('functionsink.calls');
BEGIN
	INSERT INTO functionsink.seen SELECT n, to_jsonb(r) FROM unnest(records) AS r;
END
$$;
SELECT sink('{"connector.class": "FunctionSink", "function.name": "functionsink.store", "batch.size": "2"}') AS s \gset
SELECT * FROM put(:s, '[{"key": 1, "value": {"id": 1, "n": 12345678901234567890.1230}}, {"key": "a", "value": null},
	{"topic": "u", "value": "text", "headers": {"h": "x", "i": 5}}]');
SELECT * FROM seen;
TRUNCATE seen;

-- SQL functions, functions that return rows.
CREATE FUNCTION store_sql(records connect.record[]) RETURNS SETOF bigint LANGUAGE sql AS
$$ INSERT INTO functionsink.seen SELECT 0, r.value FROM unnest(records) AS r RETURNING call $$;
SELECT sink('{"connector.class": "FunctionSink", "function.name": "functionsink.store_sql"}') AS s \gset
SELECT * FROM put(:s, '[{"value": 1}, {"value": 2}]');
SELECT * FROM seen;
TRUNCATE seen;

-- Rows of a table, filled by name; nested types; unknown fields.
CREATE TYPE place AS (city text, tags text[]);
CREATE TABLE t (id int PRIMARY KEY, n numeric, at timestamptz, place place, doc jsonb, gone int);
ALTER TABLE t DROP gone;
CREATE FUNCTION store_rows(rows t[]) RETURNS void LANGUAGE sql AS
$$ INSERT INTO functionsink.t SELECT (r).* FROM unnest(rows) AS r WHERE NOT r IS NULL $$;
SELECT sink('{"connector.class": "FunctionSink", "function.name": "functionsink.store_rows", "errors.tolerance": "all"}') AS s \gset
SELECT * FROM put(:s, '[{"value": {"ID": 1, "n": 0.10000000000000000001, "at": "2020-01-02T03:04:05Z", "place": {"city": "x", "tags": ["a", "b"]}, "doc": {"b": [1.50]}}},
	{"value": {"id": 2, "other": 1}}, {"value": null}, {"value": 5}, {"value": {"id": "x"}}, {"value": {"id": 1}}, {"value": {"id": 3, "place": 7}}, {"value": {"id": 4}}]');
TABLE t;
SELECT sink('{"connector.class": "FunctionSink", "function.name": "functionsink.store_rows", "unknown.fields": "ignore"}') AS s \gset
SELECT * FROM put(:s, '[{"value": {"id": 5, "other": 1}}]');
SELECT id FROM t ORDER BY 1;

-- A name with a zero in it is another name, however long.
SELECT message LIKE 'Record t-0@0: field "%" has no column in t;%' AS unknown FROM sink_put(
	sink_start('FunctionSink', ARRAY['function.name', 'errors.tolerance'], ARRAY['functionsink.store_rows', 'all']),
	ARRAY['t'], ARRAY[0::bigint], ARRAY[null::text], ARRAY['{"id\u0000' || repeat('x', 64000000) || '": 7}'], ARRAY[null::text]);

-- The type of an argument changes while the connector runs.
ALTER TABLE t ADD other int;
SELECT * FROM put(:s, '[{"value": {"id": 6, "other": 1}}]');
SELECT id, other FROM t ORDER BY 1;

-- With a schema: Connect's types.
SELECT sink('{"connector.class": "FunctionSink", "function.name": "functionsink.store_rows",
	"value.converter": "JsonConverter", "value.converter.schemas.enable": "true"}') AS s \gset
SELECT * FROM put(:s, '[{"value": {"schema": {"type": "struct", "fields": [{"field": "id", "type": "int32"},
	{"field": "n", "type": "bytes", "name": "org.apache.kafka.connect.data.Decimal", "parameters": {"scale": "2"}},
	{"field": "at", "type": "int64", "name": "org.apache.kafka.connect.data.Timestamp"},
	{"field": "place", "type": "struct", "fields": [{"field": "city", "type": "string"}]}]},
	"payload": {"id": 7, "n": "BNI=", "at": 1577934245000, "place": {"city": "y"}}}}]');
SELECT id, n, at, place FROM t WHERE id = 7;

-- Scalars; jsonb and json alone; parts of the record in types of one's own.
CREATE TABLE texts (n int, v text);
CREATE FUNCTION scalars(v text[]) RETURNS void LANGUAGE sql AS
$$ INSERT INTO functionsink.texts SELECT 1, x FROM unnest(v) AS x $$;
CREATE FUNCTION scalars(v int[]) RETURNS void LANGUAGE sql AS
$$ INSERT INTO functionsink.texts SELECT 2, x FROM unnest(v) AS x $$;
CREATE FUNCTION one(v jsonb) RETURNS void LANGUAGE sql AS
$$ INSERT INTO functionsink.texts SELECT 3, x FROM jsonb_array_elements(v) AS x $$;
CREATE FUNCTION one_json(v json) RETURNS void LANGUAGE sql AS
$$ INSERT INTO functionsink.texts SELECT 4, x->>'value' FROM json_array_elements(v) AS x $$;
CREATE TYPE own_record AS ("offset" numeric, key text, value place, topic name);
CREATE FUNCTION own(r own_record[]) RETURNS void LANGUAGE sql AS
$$ INSERT INTO functionsink.texts SELECT 5, x FROM unnest(r) AS x $$;
SELECT sink('{"connector.class": "FunctionSink", "function.name": "functionsink.scalars(text[])"}') AS a,
	sink('{"connector.class": "FunctionSink", "function.name": "functionsink.scalars(int4[])"}') AS b;
SELECT sink('{"connector.class": "FunctionSink", "function.name": "functionsink.scalars(text[])"}') AS a,
	sink('{"connector.class": "FunctionSink", "function.name": "functionsink.scalars( INTEGER [] )"}') AS b,
	sink('{"connector.class": "FunctionSink", "function.name": "functionsink.one"}') AS c,
	sink('{"connector.class": "FunctionSink", "function.name": "functionsink.one_json"}') AS d,
	sink('{"connector.class": "FunctionSink", "function.name": "functionsink.own", "argument.form": "record"}') AS e \gset
SELECT * FROM put(:a, '[{"value": "x"}, {"value": 1.50}, {"value": {"a": [1]}}, {"value": null}]');
SELECT * FROM put(:b, '[{"value": 7}, {"value": null}]');
SELECT * FROM put(:c, '[{"value": {"a": 1}, "key": 5}]');
SELECT * FROM put(:d, '[{"value": "x"}]');
SELECT * FROM put(:e, '[{"key": 5, "value": {"city": "z"}}]');
SELECT * FROM texts;

-- A bad record is found by halving, whatever raises; the others are taken.
CREATE TABLE checked (id int CHECK (id <> 3), CONSTRAINT u UNIQUE (id) DEFERRABLE INITIALLY DEFERRED);
CREATE FUNCTION checks(records connect.record[]) RETURNS void LANGUAGE plpgsql AS
$$
DECLARE
	r connect.record;
BEGIN
	FOREACH r IN ARRAY records LOOP
		IF r.value->>'id' = '5' THEN
			RAISE EXCEPTION 'five is right out' USING DETAIL = 'Not even once.';
		END IF;
		INSERT INTO functionsink.checked SELECT (r.value->>'id')::int;
	END LOOP;
END
$$;
SELECT sink('{"connector.class": "FunctionSink", "function.name": "functionsink.checks", "errors.tolerance": "all", "batch.size": "4"}') AS s \gset
SELECT * FROM put(:s, '[{"value": {"id": 1}}, {"value": {"id": 2}}, {"value": {"id": 3}}, {"value": {"id": 4}}, {"value": {"id": 5}},
	{"value": {"id": 6}}, {"value": {"id": "x"}}, {"value": {"id": 1}}, {"value": {"id": 9}}]');
SELECT array_agg(id ORDER BY id) FROM checked;
SELECT sink('{"connector.class": "FunctionSink", "function.name": "functionsink.checks"}') AS s \gset
SELECT * FROM put(:s, '[{"value": {"id": 10}}, {"value": {"id": 3}}]');
SELECT array_agg(id ORDER BY id) FROM checked;

-- Constraints are deferred within each call, and checked after it.
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE child (id int REFERENCES parent DEFERRABLE INITIALLY DEFERRED);
CREATE FUNCTION family(records connect.record[]) RETURNS void LANGUAGE sql AS
$$ INSERT INTO functionsink.child SELECT (r.value->>'id')::int FROM unnest(records) AS r;
   INSERT INTO functionsink.parent SELECT (r.value->>'id')::int FROM unnest(records) AS r WHERE NOT r.value ? 'orphan' $$;
SELECT sink('{"connector.class": "FunctionSink", "function.name": "functionsink.family", "errors.tolerance": "all", "batch.size": "2"}') AS s \gset
SELECT * FROM put(:s, '[{"value": {"id": 1}}, {"value": {"id": 2}}, {"value": {"id": 3}}, {"value": {"id": 4, "orphan": 1}}, {"value": {"id": 5}}]');
SELECT array_agg(id ORDER BY id) FROM child;

-- Any other error is the function's.
CREATE FUNCTION broken(records connect.record[]) RETURNS void LANGUAGE plpgsql AS
$$ BEGIN INSERT INTO functionsink.nowhere VALUES (1); END $$;
SELECT sink('{"connector.class": "FunctionSink", "function.name": "functionsink.broken", "errors.tolerance": "all"}') AS s \gset
SELECT * FROM put(:s, '[{"value": 1}]');
CREATE OR REPLACE FUNCTION broken(records connect.record[]) RETURNS void LANGUAGE plpgsql AS
$$ BEGIN COMMIT; END $$;
\set VERBOSITY default
SELECT * FROM put(:s, '[{"value": 1}]');
\set VERBOSITY terse

-- The function is replaced, dropped, made anew, made with another argument.
CREATE OR REPLACE FUNCTION broken(records connect.record[]) RETURNS void LANGUAGE sql AS
$$ INSERT INTO functionsink.texts SELECT 6, cardinality(records) $$;
SELECT * FROM put(:s, '[{"value": 1}]');
DROP FUNCTION broken;
SELECT * FROM put(:s, '[{"value": 1}]');
CREATE FUNCTION broken(v jsonb[]) RETURNS void LANGUAGE sql AS
$$ INSERT INTO functionsink.texts SELECT 7, x FROM unnest(v) AS x $$;
SELECT * FROM put(:s, '[{"value": {"a": 1}}]');
CREATE FUNCTION broken(v text[]) RETURNS void LANGUAGE sql AS 'SELECT';
SELECT * FROM put(:s, '[{"value": 1}]');
SELECT * FROM texts WHERE n > 5;

-- What is refused at once, with the option and the remedy.
CREATE PROCEDURE proc(records connect.record[]) LANGUAGE sql AS 'SELECT 1';
CREATE AGGREGATE agg(int) (SFUNC = int4pl, STYPE = int);
CREATE FUNCTION two(a connect.record[], b int) RETURNS void LANGUAGE sql AS 'SELECT';
CREATE FUNCTION number(a int) RETURNS void LANGUAGE sql AS 'SELECT';
CREATE FUNCTION poly(a anyarray) RETURNS void LANGUAGE sql AS 'SELECT';
CREATE FUNCTION forbidden(records connect.record[]) RETURNS void LANGUAGE sql AS 'SELECT';
REVOKE EXECUTE ON FUNCTION forbidden FROM PUBLIC;
CREATE FUNCTION refused(name text, form text DEFAULT 'auto', OUT message text) RETURNS SETOF text LANGUAGE plpgsql AS
$$
BEGIN
	message := NULL;
	PERFORM functionsink.sink(jsonb_build_object('connector.class', 'FunctionSink', 'function.name', name, 'argument.form', form));
	RETURN NEXT;
EXCEPTION WHEN OTHERS THEN
	message := SQLERRM;
	RETURN NEXT;
END
$$;
SELECT n, refused(n) FROM unnest('{nowhere.f, store, "functionsink.", functionsink.nothing, functionsink.proc, functionsink.agg, functionsink.two,
	functionsink.number, functionsink.poly, functionsink.scalars, functionsink.scalars(bytea[]), pg_catalog.rank, a.b.c.d, "functionsink.\"store\""}'::text[]) AS n;
SELECT refused('functionsink.store_rows', 'record');
SELECT refused('functionsink.scalars(text[])', 'record');
SELECT refused('functionsink.store', 'other');

-- The rights are those of the owner.
CREATE ROLE functionsink_user;
GRANT USAGE ON SCHEMA functionsink TO functionsink_user;
SET ROLE functionsink_user;
SELECT refused('functionsink.forbidden');
SELECT refused('functionsink.store');
SELECT sink('{"connector.class": "FunctionSink", "function.name": "functionsink.store"}') AS s \gset
SELECT * FROM put(:s, '[{"value": 1}]');
RESET ROLE;
ALTER FUNCTION store(connect.record[]) SECURITY DEFINER SET search_path = pg_catalog;
SET ROLE functionsink_user;
SELECT * FROM put(:s, '[{"value": 1}]');
RESET ROLE;
SELECT r->'value' AS value FROM seen;
-- put again, by a function that needs no right on the schema
CREATE FUNCTION public.functionsink_put(task int, topics text[], offsets bigint[], keys text[], texts text[], headers text[],
	OUT topic text, OUT "offset" bigint, OUT message text) RETURNS SETOF record
	LANGUAGE c AS 'connect_sinktest', 'sinktest_put';
REVOKE USAGE ON SCHEMA functionsink FROM functionsink_user;
SET ROLE functionsink_user;
SELECT * FROM public.functionsink_put(:s, '{t}', '{0}', '{1}', '{1}', '{null}');
RESET ROLE;
DROP FUNCTION public.functionsink_put;
DROP ROLE functionsink_user;
DROP SCHEMA functionsink CASCADE;
