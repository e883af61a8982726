-- The table sink's upserts are those of INSERT … ON CONFLICT, over many shapes of
-- tables: the way around the executor cannot be told from it.
SET client_min_messages = warning;
CREATE SCHEMA jdbcsink_same_upsert;
SET search_path = jdbcsink_same_upsert, public;
\i sql/sinktest.inc
\i sql/sinksame.inc

CREATE FUNCTION same(what text, key text, ddl text, VARIADIC records jsonb[]) RETURNS text LANGUAGE sql AS
$$ SELECT same_as_plain(what, key, ddl, records) $$;
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
SELECT same('plain', 'id', 'CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, ''a''), (3, ''c'')',
	'{"id": 1, "v": "A"}', '{"id": 2, "v": "B"}', '{"id": 3, "v": "C"}', '{"id": 4, "v": null}');
SELECT same('what is not given stays', 'id', 'CREATE TABLE t (id int PRIMARY KEY, v text, w text, n numeric); INSERT INTO t VALUES (1, ''a'', repeat(''w'', 9000), 1.50)',
	'{"id": 1, "v": "A"}', '{"id": 2, "v": "B"}', '{"id": 3, "w": "C"}');
SELECT same('what is not given has a default', 'id', 'CREATE TABLE t (id int PRIMARY KEY, v text, w text DEFAULT ''d''); INSERT INTO t VALUES (1, ''a'', ''w'')',
	'{"id": 1, "v": "A"}', '{"id": 2, "v": "B"}');
SELECT same('what is not given must not be null', 'id', 'CREATE TABLE t (id int PRIMARY KEY, v text, w text NOT NULL); INSERT INTO t VALUES (1, ''a'', ''w'')',
	'{"id": 1, "v": "A"}', '{"id": 2, "v": "B", "w": "W"}');
SELECT same('what is not given is checked', 'id', 'CREATE TABLE t (id int PRIMARY KEY, v text, w int, CHECK (w IS NOT NULL OR v = ''x'')); INSERT INTO t VALUES (1, ''a'', 5)',
	'{"id": 1, "v": "A"}', '{"id": 2, "v": "x"}');
SELECT same('check', 'id', 'CREATE TABLE t (id int PRIMARY KEY, v int CHECK (v > 0)); INSERT INTO t VALUES (1, 1), (2, 2)',
	'{"id": 1, "v": 5}', '{"id": 2, "v": -2}', '{"id": 3, "v": -3}');
SELECT same('domain', 'id', 'CREATE TABLE t (id positive PRIMARY KEY, v positive); INSERT INTO t VALUES (1, 1)',
	'{"id": 1, "v": 5}', '{"id": 2, "v": 6}');
SELECT same('default of a domain', 'id', 'CREATE DOMAIN d AS int DEFAULT -1 CHECK (VALUE > 0); CREATE TABLE t (id int PRIMARY KEY, v int, w d); INSERT INTO t VALUES (1, 1, 1)',
	'{"id": 1, "v": 5}');
SELECT same('key of two columns, in another order', 'b,a', 'CREATE TABLE t (id int DEFAULT 0, a int, b text, v int, PRIMARY KEY (a, b)); INSERT INTO t VALUES (0, 1, ''x'', 1)',
	'{"a": 1, "b": "x", "v": 2}', '{"a": 1, "b": "y", "v": 3}', '{"a": 2, "b": "x", "v": 4}');
SELECT same('key equal but not the same', 'id', 'CREATE TABLE t (id numeric PRIMARY KEY, v int); INSERT INTO t VALUES (1.0, 1)',
	'{"id": 1.00, "v": 2}', '{"id": 2.50, "v": 3}');
SELECT same('key equal but not the same is checked', 'id', 'CREATE TABLE t (id numeric PRIMARY KEY CHECK (scale(id) < 3), v int); INSERT INTO t VALUES (1.0, 1)',
	'{"id": 1.000, "v": 2}');
SELECT same('key equal and checked', 'id', 'CREATE TABLE t (id numeric PRIMARY KEY CHECK (scale(id) < 3), v int); INSERT INTO t VALUES (1.0, 1)',
	'{"id": 1.00, "v": 2}');
SELECT same('null in the key', 'id', 'CREATE TABLE t (id int UNIQUE, v int); INSERT INTO t VALUES (null, 1), (1, 1)',
	'{"id": null, "v": 2}', '{"id": 1, "v": 3}', '{"id": null, "v": 4}');
SELECT same('other unique index', 'id', 'CREATE TABLE t (id int PRIMARY KEY, u int UNIQUE, v int); INSERT INTO t VALUES (1, 1, 1), (2, 2, 2)',
	'{"id": 1, "u": 1, "v": 5}', '{"id": 2, "u": 1, "v": 6}', '{"id": 3, "u": 2, "v": 7}', '{"id": 4, "u": 4, "v": 8}');
SELECT same('indexes of all kinds', 'id', 'CREATE TABLE t (id int PRIMARY KEY, v text, w int[]); CREATE INDEX ON t (lower(v)); CREATE INDEX ON t (v) WHERE id > 1;
	CREATE INDEX ON t USING gin (w); CREATE INDEX ON t USING brin (id); CREATE INDEX ON t USING hash (v); INSERT INTO t VALUES (1, ''a'', ''{1}''), (2, ''b'', ''{2}'')',
	'{"id": 1, "v": "A", "w": [3]}', '{"id": 2, "v": "B", "w": [4, 5]}', '{"id": 3, "v": "C", "w": []}');
SELECT same('unique index on an expression', 'id', 'CREATE TABLE t (id int PRIMARY KEY, v text); CREATE UNIQUE INDEX ON t (lower(v)); INSERT INTO t VALUES (1, ''a''), (2, ''b'')',
	'{"id": 1, "v": "c"}', '{"id": 2, "v": "C"}', '{"id": 3, "v": "d"}');
SELECT same('partial unique index beside', 'id', 'CREATE TABLE t (id int PRIMARY KEY, v int); CREATE UNIQUE INDEX ON t (v) WHERE id > 1; INSERT INTO t VALUES (1, 1), (2, 2)',
	'{"id": 1, "v": 2}', '{"id": 3, "v": 2}');
SELECT same('exclusion constraint', 'id', 'CREATE TABLE t (id int PRIMARY KEY, r int4range, EXCLUDE USING gist (r WITH &&)); INSERT INTO t VALUES (1, ''[1,5)''), (2, ''[10,15)'')',
	'{"id": 1, "r": "[2,6)"}', '{"id": 2, "r": "[5,7)"}', '{"id": 3, "r": "[20,30)"}');
SELECT same('deferrable unique beside', 'id', 'CREATE TABLE t (id int PRIMARY KEY, v int UNIQUE DEFERRABLE); INSERT INTO t VALUES (1, 1), (2, 2)',
	'{"id": 1, "v": 5}', '{"id": 2, "v": 6}', '{"id": 3, "v": 6}');
SELECT same('foreign key', 'id', 'CREATE TABLE other (o int PRIMARY KEY); INSERT INTO other VALUES (1), (2); CREATE TABLE t (id int PRIMARY KEY, o int REFERENCES other); INSERT INTO t VALUES (1, 1)',
	'{"id": 1, "o": 2}', '{"id": 2, "o": 1}', '{"id": 3, "o": 9}', '{"id": 1, "o": 9}');
SELECT same('referenced', 'id', 'CREATE TABLE t (id int PRIMARY KEY, u int UNIQUE); INSERT INTO t VALUES (1, 1), (2, 2); CREATE TABLE other (u int REFERENCES t (u)); INSERT INTO other VALUES (1)',
	'{"id": 2, "u": 5}', '{"id": 1, "u": 6}', '{"id": 3, "u": 3}');
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('INSERT INTO %I.audit VALUES ($1)', TG_TABLE_SCHEMA) USING TG_OP || ' ' || coalesce(old::text, '') || ' ' || new::text;
	RETURN new;
END $$;
SELECT same('AFTER triggers', 'id', 'CREATE TABLE audit (what text); CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t VALUES (1, 1);
	CREATE TRIGGER a AFTER INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION jdbcsink_same_upsert.note()',
	'{"id": 1, "v": 5}', '{"id": 2, "v": 6}');
SELECT same('AFTER UPDATE OF', 'id', 'CREATE TABLE audit (what text); CREATE TABLE t (id int PRIMARY KEY, v int, w int); INSERT INTO t VALUES (1, 1, 1), (2, 2, 2);
	CREATE TRIGGER a AFTER UPDATE OF w ON t FOR EACH ROW EXECUTE FUNCTION jdbcsink_same_upsert.note()',
	'{"id": 1, "v": 5}', '{"id": 2, "w": 6}');
SELECT same('BEFORE UPDATE', 'id', 'CREATE TABLE audit (what text); CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t VALUES (1, 1);
	CREATE TRIGGER b BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION jdbcsink_same_upsert.note()',
	'{"id": 1, "v": 5}', '{"id": 2, "v": 6}');
SELECT same('generated', 'id', 'CREATE TABLE t (id int PRIMARY KEY, v int, g int GENERATED ALWAYS AS (v * 2) STORED); INSERT INTO t VALUES (1, 1)',
	'{"id": 1, "v": 5}', '{"id": 2, "v": 6}');
SELECT same('identity', 'id', 'CREATE TABLE t (id int PRIMARY KEY, v int, i int GENERATED ALWAYS AS IDENTITY (START 100)); INSERT INTO t VALUES (7, 1)',
	'{"id": 1, "v": 5}', '{"id": 2, "v": 6}');
SELECT same('dropped column', 'id', 'CREATE TABLE t (x text, id int PRIMARY KEY, y int, v int); INSERT INTO t VALUES (''x'', 1, 1, 1); ALTER TABLE t DROP x, DROP y',
	'{"id": 1, "v": 5}', '{"id": 2, "v": 6}');
SELECT same('added column', 'id', 'CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t VALUES (1, 1); ALTER TABLE t ADD w text DEFAULT ''new''',
	'{"id": 1, "v": 5}', '{"id": 2, "v": 6, "w": "w"}', '{"id": 1, "w": "v"}');
SELECT same('toast', 'id', 'CREATE TABLE t (id int PRIMARY KEY, v text, w text); ALTER TABLE t ALTER v SET STORAGE EXTERNAL, ALTER w SET STORAGE EXTERNAL; INSERT INTO t VALUES (1, repeat(''a'', 9000), repeat(''b'', 9000))',
	'{"id": 1, "w": "short"}', jsonb_build_object('id', 2, 'v', repeat('long', 5000)));
SELECT same('partitions', 'id', 'CREATE TABLE t (id int PRIMARY KEY, v int) PARTITION BY RANGE (id); CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (10);
	CREATE TABLE t2 PARTITION OF t FOR VALUES FROM (10) TO (20); INSERT INTO t VALUES (1, 1), (11, 11)',
	'{"id": 1, "v": 5}', '{"id": 11, "v": 6}', '{"id": 12, "v": 7}');
SELECT same('200 partitions', 'id', 'CREATE TABLE t (id int PRIMARY KEY, v int) PARTITION BY HASH (id);
	DO $x$ BEGIN FOR i IN 0 .. 199 LOOP EXECUTE format(''CREATE TABLE p%s PARTITION OF t FOR VALUES WITH (MODULUS 200, REMAINDER %s)'', i, i); END LOOP; END $x$; INSERT INTO t VALUES (1, 1)',
	'{"id": 1, "v": 5}', '{"id": 2, "v": 6}', '{"id": 12345, "v": 7}');
SELECT same('view', 'id', 'CREATE TABLE base (id int PRIMARY KEY, v int); INSERT INTO base VALUES (1, 1); CREATE VIEW t AS SELECT * FROM base WHERE v < 10 WITH CHECK OPTION',
	'{"id": 1, "v": 5}', '{"id": 2, "v": 6}', '{"id": 3, "v": 60}');
SELECT same('inheritance', 'id', 'CREATE TABLE t (id int PRIMARY KEY, v int); CREATE TABLE child () INHERITS (t); INSERT INTO child VALUES (1, 1); INSERT INTO t VALUES (2, 2)',
	'{"id": 1, "v": 5}', '{"id": 2, "v": 6}');

-- Values of a batch that has all of it: new, old, repeated, deleted and there again.
CREATE TABLE t (id int PRIMARY KEY, v text) WITH (fillfactor = 50);
INSERT INTO t SELECT g, 'old' FROM generate_series(1, 6000, 2) g;
DELETE FROM t WHERE id % 10 = 1;
SELECT sink('{"connector.class": "JdbcSink", "table.name.format": "jdbcsink_same_upsert.t", "insert.mode": "upsert", "pk.mode": "record_key", "pk.fields": "id", "delete.enabled": "true"}') AS s \gset
SELECT * FROM put(:s, (SELECT jsonb_agg(CASE WHEN g % 7 = 0 THEN jsonb_build_object('key', g % 5000) ELSE
	jsonb_build_object('key', g % 5000, 'value', jsonb_build_object('v', g::text)) END ORDER BY g) FROM generate_series(1, 12000) g));
SELECT count(*), count(*) FILTER (WHERE v = 'old') AS old, sum(id), min(v::int) FILTER (WHERE v <> 'old'), max(v::int) FILTER (WHERE v <> 'old'),
	count(*) FILTER (WHERE v <> 'old' AND v::int % 5000 <> id) AS wrong FROM t;
-- A key that is changed is another key: delete and insert.
SELECT * FROM put(:s, '[{"key": 6001, "value": {"v": "moved"}}, {"key": 5001}]');
SELECT * FROM t WHERE id IN (5001, 6001);
-- Keys are looked for in many pages, whether the index is in the order in which they come or not.
CREATE PROCEDURE many_keys(key text, index text) LANGUAGE plpgsql AS $$
DECLARE
	differ bigint;
BEGIN
	DROP TABLE IF EXISTS ours, plain;
	CREATE TABLE ours (id text COLLATE "C", n int, v text) WITH (fillfactor = 60);
	EXECUTE format('CREATE UNIQUE INDEX ON ours (%s)', index);
	INSERT INTO ours SELECT 'key ' || g, g % 7, 'old' FROM generate_series(1, 6000, 2) g;
	COMMIT;
	UPDATE ours SET v = 'older' WHERE n < 3;
	COMMIT;
	UPDATE ours SET v = 'oldest' WHERE n = 1;
	DELETE FROM ours WHERE n = 5;
	COMMIT;
	CREATE TABLE plain (LIKE ours INCLUDING ALL);
	INSERT INTO plain TABLE ours;
	PERFORM put(sink(jsonb_build_object('connector.class', 'JdbcSink', 'table.name.format', 'jdbcsink_same_upsert.ours', 'insert.mode', 'upsert',
			'pk.mode', 'record_value', 'pk.fields', key)),
		(SELECT jsonb_agg(jsonb_build_object('value', jsonb_build_object('id', 'key ' || g, 'n', g % 7, 'v', 'new'))) FROM generate_series(1, 7000, 3) g));
	EXECUTE format('INSERT INTO plain SELECT ''key '' || g, g %% 7, ''new'' FROM generate_series(1, 7000, 3) g
		ON CONFLICT (%s) DO UPDATE SET n = EXCLUDED.n, v = EXCLUDED.v', key);
	COMMIT;
	SELECT count(*) INTO differ FROM ((TABLE ours EXCEPT ALL TABLE plain) UNION ALL (TABLE plain EXCEPT ALL TABLE ours)) d;
	SET LOCAL enable_seqscan = off;
	RAISE WARNING '(%): % rows differ; % rows, % by the index', index, differ, (SELECT count(*) FROM ours),
		(SELECT count(*) FROM plain p WHERE EXISTS (SELECT FROM ours o WHERE (o.id, o.n) = (p.id, p.n)));
END $$;
CALL many_keys('id', 'id');
CALL many_keys('id', 'id DESC');
CALL many_keys('id,n', 'n DESC, id');
CALL many_keys('id', 'id COLLATE "POSIX" text_pattern_ops');

-- A batch again gives the same table.
SELECT md5(string_agg(t::text, ',' ORDER BY id)) AS before FROM t \gset
SELECT * FROM put(:s, '[{"key": 6001, "value": {"v": "moved"}}, {"key": 5001}]');
SELECT md5(string_agg(t::text, ',' ORDER BY id)) = :'before' AS same FROM t;
-- Several topics into one table.
SELECT sink('{"connector.class": "JdbcSink", "topics.to.tables.mapping": "x:jdbcsink_same_upsert.t,y:jdbcsink_same_upsert.t", "insert.mode": "upsert", "pk.mode": "record_key", "pk.fields": "id"}') AS s \gset
SELECT * FROM put(:s, '[{"topic": "x", "key": 7001, "value": {"v": "x"}}, {"topic": "y", "key": 7001, "value": {"v": "y"}}, {"topic": "y", "key": 7002, "value": {"v": "y"}}]');
SELECT * FROM t WHERE id > 7000 ORDER BY id;
SET client_min_messages = error;
DROP SCHEMA jdbcsink_same_upsert CASCADE;
