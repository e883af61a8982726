-- Passwords move out of configurations, and references resolve for whom they may.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS connect;
RESET client_min_messages;

SELECT connect_create('s1', '{"connector.class": "FileStreamSource", "file": "/tmp/s1", "topic": "t", "producer.override.sasl.password": "hunter2", "producer.override.linger.ms": "5"}', 'STOPPED');
SELECT config FROM connect.connector;
SELECT config FROM connect.config_history WHERE connector = 's1' AND config IS NOT NULL;
SELECT name, value FROM connect.secret;

-- the reference stays when it is written back; a new literal replaces the value
SELECT connect_patch('s1', '{"topic": "t2"}');
SELECT connect_patch('s1', '{"producer.override.sasl.password": "hunter3"}');
SELECT config ->> 'producer.override.sasl.password' AS stored FROM connect.connector;
SELECT name, value FROM connect.secret;

-- nothing of it in errors or answers
SELECT connect_patch('s1', '{"producer.override.sasl.password": "hunter4", "tasks.max": "hunter4"}');
SELECT key, value, errors FROM connect_validate('{"connector.class": "FileStreamSource", "name": "v", "file": "/tmp/s1", "topic": "t", "tasks.max": "${secret:s1/producer.override.sasl.password}", "producer.override.sasl.password": "hunter5"}')
WHERE key IN ('tasks.max', 'producer.override.sasl.password');
SELECT connect_drop('s1');
SELECT count(*) FROM connect.secret;

-- named secrets
SELECT connect_secret_set('topic', 'from_secret');
SELECT connect_secret_set('a/b', 'x');
SELECT connect_secret_set('', 'x');
SELECT connect_create('s2', '{"connector.class": "FileStreamSource", "file": "/tmp/s2", "topic": "${secret:topic}", "x": "${secret:none} ${other:a:b} ${"}', 'STOPPED');
SELECT config FROM connect.connector;
SELECT connect_secret_set('topic', '');
SELECT connect_patch('s2', '{"x": null}');
SELECT connect_secret_drop('topic');
SELECT connect_secret_drop('topic');
SELECT connect_drop('s2');

-- the class is in plain text; any other key may be a reference
SELECT connect_secret_set('class', 'MockSource'), connect_secret_set('two', '2');
\set VERBOSITY sqlstate
SELECT connect_create('s3', '{"connector.class": "${secret:class}"}');
\set VERBOSITY default
SELECT connect_create('s3', '{"connector.class": "VerifiableSource", "topic": "t", "tasks.max": "${secret:two}"}', 'PAUSED');
SELECT connect_wait('s3', 'PAUSED', '60 s');
SELECT tasks FROM connect.connector_status WHERE connector = 's3';
SELECT connect_drop('s3');
SELECT connect_secret_drop('class'), connect_secret_drop('two');

-- a limit by reference is the one that counts
SELECT connect_secret_set('limit', '70000');
SELECT connect_create('s4', '{"connector.class": "OutboxSource", "queue.max.bytes": "${secret:limit}"}', 'stopped');
SELECT max_bytes, full_policy FROM connect.queue_status WHERE connector = 's4';
SELECT connect_patch('s4', '{"queue.max.bytes": null, "queue.full.policy": "fail"}');
SELECT max_bytes, full_policy FROM connect.queue_status WHERE connector = 's4';
SELECT connect_drop('s4'), connect_secret_drop('limit');

-- of the environment and of files only for who may read the server's files
CREATE ROLE connect_plain;
GRANT EXECUTE ON FUNCTION connect_validate(jsonb), connect_secret_set(text, text) TO connect_plain;
SELECT key, errors FROM connect_validate('{"connector.class": "FileStreamSource", "name": "v", "file": "/tmp/s1", "topic": "t", "tasks.max": "${env:HOME}"}') WHERE key = 'tasks.max';
SELECT connect_validate('{"connector.class": "FileStreamSource", "name": "v", "file": "/tmp/s1", "topic": "${file:/nonexistent/x:key}"}');
SET ROLE connect_plain;
SELECT key, value, errors FROM connect_validate('{"connector.class": "VerifiableSource", "name": "v", "topic": "t", "tasks.max": "${env:HOME}", "id": "${file:/nonexistent/x:key}"}') WHERE key = 'tasks.max';
-- another role's secret
RESET ROLE;
SELECT connect_secret_set('mine', '7');
SET ROLE connect_plain;
SELECT key, errors FROM connect_validate('{"connector.class": "VerifiableSource", "name": "v", "topic": "t", "tasks.max": "${secret:mine}"}') WHERE key = 'tasks.max';
SELECT connect_secret_set('mine', '8');
SELECT connect_secret_drop('mine');
-- his own, changed by a superuser, stays his
SELECT connect_secret_set('his', '7');
RESET ROLE;
SELECT connect_secret_set('his', '8');
SET ROLE connect_plain;
SELECT value FROM connect_validate('{"connector.class": "VerifiableSource", "name": "v", "topic": "t", "tasks.max": "${secret:his}"}') WHERE key = 'tasks.max';
SELECT connect_secret_drop('his');
RESET ROLE;
SELECT connect_secret_drop('mine');
DROP OWNED BY connect_plain;
DROP ROLE connect_plain;
