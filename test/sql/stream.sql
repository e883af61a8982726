-- Capture by trigger: what reaches the queue, without a task that empties it.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS connect;
CREATE SCHEMA stream_test;
SET search_path = stream_test, public;

-- the events of a connector's queue in order, without what differs by run
CREATE FUNCTION events(connector text)
RETURNS TABLE (op "char", old_row boolean, new_row boolean)
LANGUAGE plpgsql AS $$
DECLARE
	queue oid[] := (SELECT q.tables FROM connect.queue q
					JOIN connect.connector_def d ON d.id = q.connector_id
					WHERE d.name = connector);
BEGIN
	RETURN QUERY EXECUTE (
		SELECT 'SELECT op, old_row IS NOT NULL, new_row IS NOT NULL FROM ('
			|| string_agg(format('SELECT * FROM %s', t::regclass), ' UNION ALL ')
			|| ') q ORDER BY id'
		FROM unnest(queue) t);
END
$$;

CREATE TABLE orders (id int PRIMARY KEY, amount numeric, note text);
SELECT connect_create('orders', '{"connector.class": "TableStreamSource",
	"tables": "stream_test.orders", "operations": "insert,update,delete,truncate"}',
	'STOPPED');

-- each change is an event; a rolled-back savepoint takes its events along
BEGIN;
INSERT INTO orders VALUES (1, 10, 'a'), (2, 20, 'b');
SAVEPOINT s;
INSERT INTO orders VALUES (3, 30, 'gone');
ROLLBACK TO s;
UPDATE orders SET amount = 11 WHERE id = 1;
SAVEPOINT t;
DELETE FROM orders WHERE id = 2;
RELEASE t;
COMMIT;
SELECT * FROM events('orders');

-- a rolled-back transaction leaves none
BEGIN;
INSERT INTO orders VALUES (9, 90, 'gone');
ROLLBACK;
SELECT count(*) FROM events('orders');

-- truncate, upsert, merge, copy
TRUNCATE orders;
INSERT INTO orders VALUES (1, 1, 'x');
INSERT INTO orders VALUES (1, 2, 'y') ON CONFLICT (id) DO UPDATE SET note = excluded.note;
MERGE INTO orders o USING (VALUES (1), (5)) v (id) ON o.id = v.id
	WHEN MATCHED THEN UPDATE SET amount = 3
	WHEN NOT MATCHED THEN INSERT VALUES (v.id, 5, 'merged');
COPY orders FROM stdin;
7	7	copied
\.
SELECT op, count(*) FROM events('orders') GROUP BY op ORDER BY op;

-- a column list leaves out updates that touch none of its columns; a filter
-- makes of a row that enters an insert, of one that leaves a delete
CREATE TABLE items (id int PRIMARY KEY, price int, stock int);
SELECT connect_create('items', '{"connector.class": "TableStreamSource",
	"tables": "stream_test.items",
	"table.stream_test.items.columns": "id,price",
	"table.stream_test.items.where": "price > 10"}', 'STOPPED');
INSERT INTO items VALUES (1, 5, 0), (2, 50, 0);
UPDATE items SET stock = 1;
UPDATE items SET price = 20 WHERE id = 1;
UPDATE items SET price = 6 WHERE id = 2;
SELECT * FROM events('items');

-- partitions are captured through their root, moves as delete and insert
CREATE TABLE parts (id int, region text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE parts_a PARTITION OF parts FOR VALUES IN ('a');
CREATE TABLE parts_b PARTITION OF parts FOR VALUES IN ('b');
SELECT connect_create('parts', '{"connector.class": "TableStreamSource",
	"tables": "stream_test.parts"}', 'STOPPED');
INSERT INTO parts VALUES (1, 'a');
INSERT INTO parts_b VALUES (2, 'b');
UPDATE parts SET region = 'b' WHERE id = 1;
SELECT * FROM events('parts');

-- the outbox
SELECT connect_create('outbox', '{"connector.class": "OutboxSource"}', 'STOPPED');
SELECT connect_emit('outbox', 'topic', 'key', '{"a": 1}'::jsonb);
SELECT connect_emit('outbox', 'topic', 42, 'text', '{"h": "v"}');
SELECT * FROM events('outbox');
SELECT connect_emit('nobody', 'topic', 'key', 'value');

-- what cannot be streamed says why
SELECT connect_create('bad', '{"connector.class": "TableStreamSource", "tables": "connect.source_offset_def"}');
SELECT connect_create('bad', '{"connector.class": "TableStreamSource",
	"tables": "stream_test.missing"}');
CREATE VIEW orders_view AS SELECT * FROM orders;
SELECT connect_create('bad', '{"connector.class": "TableStreamSource",
	"tables": "stream_test.orders_view"}');
CREATE TEMPORARY TABLE passing (id int);
SELECT connect_create('bad', '{"connector.class": "TableStreamSource",
	"tables": "pg_temp.passing"}');
SELECT connect_create('bad', '{"connector.class": "TableStreamSource",
	"tables": "stream_test.orders", "table.stream_test.orders.key": "nope"}');
SELECT connect_create('bad', '{"connector.class": "TableStreamSource",
	"tables": "stream_test.orders", "table.stream_test.other.key": "id",
	"operations": "insert,upsert", "format": "xml"}');

SELECT connect_create('bad', '{"connector.class": "TableStreamSource",
	"tables": "stream_test.items", "table.stream_test.items.where": "nope > 1"}');
CREATE FUNCTION mine(int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT true';
SELECT connect_create('bad', '{"connector.class": "TableStreamSource",
	"tables": "stream_test.items", "table.stream_test.items.where": "stream_test.mine(price)"}');

-- by function: a second table joins, the last one to go ends the connector
SELECT connect_stream_table('orders', connector => 'both', snapshot => false);
SELECT connect_stream_table('items', connector => 'both', key => '{id}');
SELECT connect_stream_table('items', connector => 'both', format => 'debezium');
SELECT config - 'name' FROM connect.connector WHERE connector = 'both';
CREATE TABLE "a, b" (id int);
SELECT connect_stream_table('"a, b"');
SELECT connect_unstream_table('orders', 'both');
SELECT tgname ~ '^connect_' FROM pg_trigger WHERE tgrelid = 'orders'::regclass AND NOT tgisinternal ORDER BY 1;
SELECT connect_unstream_table('items', 'both');
SELECT count(*) FROM connect.connector WHERE connector = 'both';

-- a dropped connector leaves neither triggers nor queue
SELECT connect_drop(name) FROM unnest('{orders,items,parts,outbox}'::text[]) name;
SELECT count(*) FROM pg_trigger WHERE tgname ~ '^connect_' AND NOT tgisinternal;
SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
	WHERE n.nspname = 'connect' AND c.relname ~ '^queue_[0-9]';
DROP SCHEMA stream_test CASCADE;
