-- Connectors are created, changed and dropped, all in transactions.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS connect;
RESET client_min_messages;

SELECT connect_create('c1', '{"connector.class": "FileStreamSource", "file": "/tmp/c1", "topic": "t", "tasks.max": 1}', 'STOPPED');
SELECT connector, type, class, owner = current_user AS mine, target, config, version FROM connect.connector;

-- a name is taken once
SELECT connect_create('c1', '{"connector.class": "FileStreamSource", "file": "/tmp/c1", "topic": "t"}');
SELECT connect_create('c2', '{"name": "c3", "connector.class": "FileStreamSource", "file": "/tmp/c1", "topic": "t"}');
SELECT connect_create('c2', '{"connector.class": "FileStreamSource", "file": "/tmp/c1", "topic": "t"}', 'FAILED');
SELECT connect_create('c2', '{"connector.class": "FileStreamSource", "file": "/tmp/c1", "topic": "t"}', 'on');
SELECT connect_create('c2', '["connector.class"]');
SELECT connect_create('c2', '{"connector.class": {"a": 1}}');
SELECT connect_create('c2', '{"file": "/tmp/c1"}');
SELECT connect_create('', '{"connector.class": "FileStreamSource", "file": "/tmp/c1", "topic": "t"}');
SELECT connect_create(repeat('x', 256), '{"connector.class": "FileStreamSource", "file": "/tmp/c1", "topic": "t"}');

-- all errors at once
SELECT connect_create('c2', '{"connector.class": "FileStreamSource", "file": "/tmp/c1", "tasks.max": "0", "batch.size": "q", "errors.tolerance": "x", "unknown": null}');

-- alter replaces, patch merges and removes
SELECT connect_alter('c1', '{"connector.class": "FileStreamSource", "file": "/tmp/c1", "topic": "t2", "my.own": "kept"}');
SELECT config FROM connect.connector;
SELECT connect_patch('c1', '{"topic": "t3", "my.own": null, "tasks.max": 2}');
SELECT config, version FROM connect.connector;
SELECT connect_patch('c1', '{"topic": null}');
SELECT connect_patch('c1', '{"name": "other"}');
SELECT connect_alter('nobody', '{"connector.class": "FileStreamSource"}');

-- history: what it was, what differs, and back again
SELECT connector, version, config, changed_by = current_user AS me, change FROM connect.config_history ORDER BY changed_at, version;
SELECT * FROM connect_diff('c1', 1, 3) ORDER BY key;
SELECT connect_rollback('c1', 1);
SELECT config, version FROM connect.connector;
SELECT connect_rollback('c1', 77);
SELECT connect_diff('c1', 1, 77);

-- states
SELECT connect_pause('c1');
SELECT target FROM connect.connector;
SELECT connect_resume('c1');
SELECT target FROM connect.connector;
SELECT connect_stop('c1');
SELECT connect_stop('c1');
SELECT target FROM connect.connector;
SELECT connect_wait('c1', 'STOPPED', '60 s');
SELECT connect_wait('c1', 'RUNNING', '10 ms');
SELECT connect_wait('c1', 'WAITING');
SELECT connect_wait('nobody', 'STOPPED');
SELECT connect_restart('c1', include_tasks => true, only_failed => true);
SELECT connect_restart_task('c1', 0);
SELECT connector, type, state, reason, trace, tasks, tasks_failed FROM connect.connector_status;
SELECT count(*) FROM connect.task_status;

-- nothing happened when it is rolled back
BEGIN;
SELECT connect_create('c9', '{"connector.class": "FileStreamSource", "file": "/tmp/c9", "topic": "t"}');
SELECT connect_drop('c1');
SELECT connector FROM connect.connector ORDER BY 1;
ROLLBACK;
SELECT connector FROM connect.connector ORDER BY 1;

-- dropped and created again in one transaction
BEGIN;
SELECT connect_drop('c1');
SELECT connect_create('c1', '{"connector.class": "FileStreamSource", "file": "/tmp/c1", "topic": "again"}', 'stopped');
COMMIT;
SELECT config ->> 'topic' AS topic, version FROM connect.connector;

SELECT connect_drop('c1');
SELECT connect_drop('c1');
SELECT connect_drop('c1', if_exists => true);
SELECT connector, change FROM connect.config_history WHERE change = 'drop' ORDER BY changed_at;

-- every table has a primary key
SELECT c.relname FROM pg_class c
WHERE c.relnamespace = 'connect'::regnamespace AND c.relkind = 'r'
AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary);
-- every function pins its search path, but for those that run nothing and
-- those that are called for each row
SELECT p.oid::regprocedure FROM pg_proc p
JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'connect'
WHERE p.proconfig IS NULL AND p.proname NOT IN ('connect_capture', 'connect_emit', 'partition_digest') ORDER BY 1;

-- kept plans survive DROP EXTENSION
DROP EXTENSION connect;
SELECT nspname FROM pg_namespace WHERE nspname = 'connect';
CREATE EXTENSION connect;
SELECT connect_create('c1', '{"connector.class": "FileStreamSource", "file": "/tmp/c1", "topic": "t"}', 'STOPPED');
SELECT connector, version FROM connect.connector;
SELECT connect_drop('c1');
