-- FunctionSource: what is refused at once, with the option and the remedy.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS connect;
CREATE SCHEMA functionsource;
SET search_path = functionsource, public;
\set VERBOSITY terse

CREATE FUNCTION good(last_offset jsonb) RETURNS TABLE (value jsonb, "offset" jsonb) LANGUAGE sql AS 'SELECT NULL::jsonb, NULL::jsonb WHERE false';
CREATE FUNCTION full_form(source_partition jsonb, last_offset jsonb, max_rows int, OUT topic text, OUT partition int, OUT key int, OUT value text,
	OUT headers jsonb, OUT "timestamp" timestamptz, OUT "offset" jsonb) RETURNS SETOF record LANGUAGE sql AS 'SELECT NULL, 1, 1, NULL, NULL::jsonb, now(), NULL::jsonb WHERE false';
CREATE TABLE shape (value text, "offset" jsonb);
CREATE FUNCTION by_table(last_offset jsonb, max_rows int) RETURNS SETOF shape LANGUAGE sql AS 'SELECT * FROM functionsource.shape';
CREATE FUNCTION strict_one(last_offset jsonb) RETURNS TABLE (value jsonb, "offset" jsonb) STRICT LANGUAGE sql AS 'SELECT NULL::jsonb, NULL::jsonb';
CREATE FUNCTION one_row(last_offset jsonb, OUT value jsonb, OUT "offset" jsonb) LANGUAGE sql AS 'SELECT NULL::jsonb, NULL::jsonb';
CREATE FUNCTION scalar(last_offset jsonb) RETURNS SETOF jsonb LANGUAGE sql AS 'SELECT NULL::jsonb';
CREATE FUNCTION any_record(last_offset jsonb) RETURNS SETOF record LANGUAGE sql AS 'SELECT 1, 2';
CREATE FUNCTION no_offset(last_offset jsonb) RETURNS TABLE (value jsonb) LANGUAGE sql AS 'SELECT NULL::jsonb';
CREATE FUNCTION text_offset(last_offset jsonb) RETURNS TABLE (value jsonb, "offset" text) LANGUAGE sql AS 'SELECT NULL::jsonb, NULL::text';
CREATE FUNCTION other_column(last_offset jsonb) RETURNS TABLE (value jsonb, "offset" jsonb, name text) LANGUAGE sql AS 'SELECT NULL::jsonb, NULL::jsonb, NULL::text';
CREATE FUNCTION wrong_argument(last_offset bigint) RETURNS TABLE (value jsonb, "offset" jsonb) LANGUAGE sql AS 'SELECT NULL::jsonb, NULL::jsonb';
CREATE FUNCTION wrong_third(a jsonb, b jsonb, c text) RETURNS TABLE (value jsonb, "offset" jsonb) LANGUAGE sql AS 'SELECT NULL::jsonb, NULL::jsonb';
CREATE FUNCTION no_argument() RETURNS TABLE (value jsonb, "offset" jsonb) LANGUAGE sql AS 'SELECT NULL::jsonb, NULL::jsonb';
CREATE FUNCTION twice(a jsonb) RETURNS TABLE (value jsonb, "offset" jsonb) LANGUAGE sql AS 'SELECT NULL::jsonb, NULL::jsonb';
CREATE FUNCTION twice(a jsonb, b int) RETURNS TABLE (value jsonb, "offset" jsonb) LANGUAGE sql AS 'SELECT NULL::jsonb, NULL::jsonb';
CREATE PROCEDURE proc(last_offset jsonb) LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION names() RETURNS SETOF text LANGUAGE sql AS 'SELECT NULL::text WHERE false';
CREATE FUNCTION numbers() RETURNS SETOF int LANGUAGE sql AS 'SELECT 1';

-- the part of the message behind its fixed beginning
CREATE FUNCTION refused(config jsonb) RETURNS text LANGUAGE plpgsql AS
$$
BEGIN
	PERFORM connect_create('functionsource', jsonb_build_object('connector.class', 'FunctionSource', 'topic', 't') || config, 'STOPPED');
	PERFORM connect_drop('functionsource');
	RETURN NULL;
EXCEPTION WHEN OTHERS THEN
	RETURN (SELECT string_agg(line, E'\n') FROM regexp_split_to_table(SQLERRM, '\n') WITH ORDINALITY AS l(line, n)
		WHERE n > 1 AND line NOT LIKE 'You can also%' AND line <> '');
END
$$;
\t
\a
SELECT n || ': ' || coalesce(refused(jsonb_build_object('function.name', 'functionsource.' || n)), 'taken')
FROM unnest('{good, full_form, by_table, strict_one, one_row, scalar, any_record, no_offset, text_offset, other_column, wrong_argument,
	wrong_third, no_argument, twice, "twice(jsonb, integer)", proc, nothing}'::text[]) AS n;
SELECT refused('{}');
SELECT refused('{"function.name": "good"}');
SELECT refused('{"function.name": "functionsource.good", "topic": null}');
SELECT refused('{"function.name": "functionsource.full_form", "topic": null}');
SELECT refused('{"function.name": "functionsource.good", "partitions": "a,b"}');
SELECT refused('{"function.name": "functionsource.full_form", "partitions": "a,b"}');
SELECT refused('{"function.name": "functionsource.full_form", "partitions.function": "functionsource.names"}');
SELECT refused('{"function.name": "functionsource.full_form", "partitions.function": "functionsource.numbers"}');
SELECT refused('{"function.name": "functionsource.full_form", "partitions.function": "functionsource.good"}');
SELECT refused('{"function.name": "functionsource.full_form", "partitions.function": "functionsource.names", "partitions": "a"}');
SELECT refused('{"function.name": "functionsource.good", "poll.interval.ms": "0", "batch.max.rows": "x"}');
\a
\t

-- The keys, as they are documented.
SELECT name, type, default_value, required, importance, order_in_group FROM connect_plugin_config('FunctionSource')
WHERE "group" IN ('Function', 'Partitions') ORDER BY "group", order_in_group;
SELECT name, type, default_value, required, importance, order_in_group FROM connect_plugin_config('FunctionSink')
WHERE "group" = 'Function' ORDER BY order_in_group;
DROP SCHEMA functionsource CASCADE;
