-- Capture by trigger: partitions that come and go, and what has no rows.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS connect;
CREATE SCHEMA stream_partitions;
SET search_path = stream_partitions, public;

-- our triggers, by table, with the connector's number left out
CREATE VIEW triggers AS
	SELECT tgrelid::regclass AS relation, regexp_replace(tgname, '_\d+$', '') AS trigger,
		tgenabled AS enabled
	FROM pg_trigger WHERE tgname ~ '^connect_'
	AND tgrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'stream_partitions'::regnamespace);

CREATE TABLE parts (id int, region text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE parts_a PARTITION OF parts FOR VALUES IN ('a');
SELECT connect_create('parts', '{"connector.class": "TableStreamSource", "format": "debezium",
	"tables": "stream_partitions.parts", "operations": "insert,update,delete,truncate"}', 'STOPPED');
SELECT * FROM triggers ORDER BY relation::text, trigger;

-- the names of tables that truncates were captured of, in order
CREATE FUNCTION truncated(connector text) RETURNS SETOF text
LANGUAGE plpgsql AS $$
DECLARE
	queue oid[] := (SELECT q.tables FROM connect.queue q
					JOIN connect.connector_def d ON d.id = q.connector_id
					WHERE d.name = connector);
BEGIN
	RETURN QUERY EXECUTE (
		SELECT 'SELECT substring(encode(old_row, ''escape'') FROM ''stream_partitions[^a-z]*([a-z_]+)'')'
			|| ' FROM (' || string_agg(format('SELECT * FROM %s', t::regclass), ' UNION ALL ')
			|| ') q WHERE op = ''t'' ORDER BY id'
		FROM unnest(queue) t);
END
$$;

-- created, attached and attached with partitions of its own
CREATE TABLE parts_b PARTITION OF parts FOR VALUES IN ('b');
CREATE TABLE parts_c (id int NOT NULL, region text NOT NULL);
ALTER TABLE parts ATTACH PARTITION parts_c FOR VALUES IN ('c');
CREATE TABLE parts_d (id int NOT NULL, region text NOT NULL) PARTITION BY RANGE (id);
CREATE TABLE parts_d_one PARTITION OF parts_d FOR VALUES FROM (1) TO (10);
ALTER TABLE parts ATTACH PARTITION parts_d FOR VALUES IN ('d');
CREATE TABLE parts_d_two PARTITION OF parts_d FOR VALUES FROM (10) TO (20);
SELECT * FROM triggers WHERE relation::text ~ '_[bcd]' ORDER BY relation::text, trigger;
TRUNCATE parts_b;
TRUNCATE parts_d;
TRUNCATE parts;
SELECT truncated('parts');

-- who leaves takes no trigger along, and is captured no more
ALTER TABLE parts DETACH PARTITION parts_c;
ALTER TABLE parts DETACH PARTITION parts_b CONCURRENTLY;
ALTER TABLE parts DETACH PARTITION parts_d;
SELECT * FROM triggers ORDER BY relation::text, trigger;
TRUNCATE parts_b, parts_c, parts_d;
INSERT INTO parts_b VALUES (1, 'b');
SELECT count(*) FROM truncated('parts');
-- and may come back
ALTER TABLE parts ATTACH PARTITION parts_d FOR VALUES IN ('d');
SELECT * FROM triggers WHERE relation::text ~ '_d' ORDER BY relation::text, trigger;
-- a rolled-back command leaves nothing
BEGIN;
CREATE TABLE parts_e PARTITION OF parts FOR VALUES IN ('e');
ROLLBACK;
SELECT count(*) FROM triggers;

-- the triggers of partitions follow the state of their table's, later ones, too
SELECT 'connect_capture_' || id AS capture FROM connect.connector_def WHERE name = 'parts' \gset
ALTER TABLE parts ENABLE ALWAYS TRIGGER :capture;
CREATE TABLE parts_f PARTITION OF parts FOR VALUES IN ('f');
SELECT enabled, trigger, count(*) FROM triggers GROUP BY enabled, trigger ORDER BY 1, 2;
ALTER TABLE parts DISABLE TRIGGER :capture;
SELECT enabled, trigger, count(*) FROM triggers GROUP BY enabled, trigger ORDER BY 1, 2;
ALTER TABLE parts ENABLE TRIGGER :capture;

-- a restored dump brings triggers of its own: CREATE TRIGGER is not followed
CREATE TABLE other (id int) PARTITION BY LIST (id);
CREATE TABLE other_a PARTITION OF other FOR VALUES IN (1);
CREATE TRIGGER connect_capture_0 AFTER INSERT ON other FOR EACH ROW EXECUTE FUNCTION connect_capture('parts');
SELECT * FROM triggers WHERE relation::text ~ 'other' ORDER BY relation::text, trigger;
DROP TABLE other;

-- what replication applies counts by option, which changes what it has set alone
CREATE TABLE replicated (id int, region text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE replicated_a PARTITION OF replicated FOR VALUES IN ('a');
SELECT connect_stream_table('replicated', connector => 'replicated', always => true, snapshot => false);
CREATE TABLE replicated_b PARTITION OF replicated FOR VALUES IN ('b');
SELECT * FROM triggers WHERE relation::text ~ 'replicated' ORDER BY relation::text, trigger;
SELECT connect_patch('replicated', '{"table.stream_partitions.replicated.always": "maybe"}');
SELECT connect_patch('replicated', '{"table.stream_partitions.replicated.always": null}');
SELECT enabled, trigger, count(*) FROM triggers WHERE relation::text ~ 'replicated' GROUP BY enabled, trigger ORDER BY 1, 2;
SELECT connect_patch('replicated', '{"triggers.always": true}');
SELECT enabled, trigger, count(*) FROM triggers WHERE relation::text ~ 'replicated' GROUP BY enabled, trigger ORDER BY 1, 2;
SELECT 'connect_capture_' || id AS capture FROM connect.connector_def WHERE name = 'replicated' \gset
ALTER TABLE replicated DISABLE TRIGGER :capture;
SELECT connect_patch('replicated', '{"format": "plain"}');
SELECT enabled, trigger, count(*) FROM triggers WHERE relation::text ~ 'replicated' GROUP BY enabled, trigger ORDER BY 1, 2;
SELECT connect_drop('replicated');

-- children by inheritance are tables of their own
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE child () INHERITS (parent);
SELECT connect_create('parent', '{"connector.class": "TableStreamSource",
	"tables": "stream_partitions.parent", "operations": "insert,update,delete,truncate"}', 'STOPPED');
ALTER TABLE child NO INHERIT parent;
ALTER TABLE child INHERIT parent;
SELECT * FROM triggers WHERE relation::text IN ('parent', 'child') ORDER BY relation::text, trigger;

-- a filter runs nothing that a user wrote: no function, no constraint of a domain
CREATE FUNCTION mine(int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT true';
CREATE DOMAIN checked AS int CHECK (stream_partitions.mine(VALUE));
CREATE TYPE composite AS (a checked);
CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE TABLE typed (id int PRIMARY KEY, c checked, m mood, a mood[]);
SELECT connect_create('bad', '{"connector.class": "TableStreamSource", "tables": "stream_partitions.typed",
	"table.stream_partitions.typed.where": "id::stream_partitions.checked > 0"}');
SELECT connect_create('bad', '{"connector.class": "TableStreamSource", "tables": "stream_partitions.typed",
	"table.stream_partitions.typed.where": "row(id)::stream_partitions.composite IS NOT NULL"}');
SELECT connect_create('bad', '{"connector.class": "TableStreamSource", "tables": "stream_partitions.typed",
	"table.stream_partitions.typed.where": "''{1}''::stream_partitions.checked[] IS NOT NULL"}');
SELECT connect_create('typed', '{"connector.class": "TableStreamSource", "tables": "stream_partitions.typed",
	"table.stream_partitions.typed.where": "c > 0 AND m = ''happy'' AND a @> ''{sad}''"}', 'STOPPED');

-- a class that comes back makes its triggers anew
SELECT connect_alter('typed', '{"connector.class": "OutboxSource"}');
SELECT count(*) FROM triggers WHERE relation = 'typed'::regclass;
SELECT connect_alter('typed', '{"connector.class": "TableStreamSource", "tables": "stream_partitions.typed"}');
SELECT count(*) FROM triggers WHERE relation = 'typed'::regclass;

SELECT connect_drop(name) FROM unnest('{parts,parent,typed}'::text[]) name;
SELECT count(*) FROM triggers;
SELECT count(*) FROM connect.stream_layout;
DROP SCHEMA stream_partitions CASCADE;
