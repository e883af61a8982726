-- Who may do what, and who sees what.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS connect;
RESET client_min_messages;

CREATE ROLE connect_maker;
CREATE ROLE connect_member IN ROLE connect_maker;
CREATE ROLE connect_stranger;
CREATE ROLE connect_watcher IN ROLE pg_monitor;
GRANT EXECUTE ON FUNCTION connect_create(text, jsonb, text) TO connect_maker;
GRANT pg_read_server_files TO connect_maker;

-- creating is granted, by function and by text alike
SET ROLE connect_stranger;
SELECT connect_create('r1', '{"connector.class": "FileStreamSource", "file": "/tmp/r1", "topic": "t"}');
DO LANGUAGE connect 'CREATE CONNECTOR r1 WITH (connector.class = ''FileStreamSource'', file = ''/tmp/r1'', topic = ''t'')';
SELECT connect_secret_set('s', 'x');
SELECT count(*) FROM connect_validate('{}');
RESET ROLE;
SET ROLE connect_maker;
SELECT connect_create('r1', '{"connector.class": "FileStreamSource", "file": "/tmp/r1", "topic": "t"}', 'STOPPED');
RESET ROLE;
-- a namesake of connect_create() grants and takes nothing
CREATE FUNCTION connect_create() RETURNS void LANGUAGE sql AS '';
REVOKE EXECUTE ON FUNCTION connect_create() FROM PUBLIC;
SET ROLE connect_maker;
DO LANGUAGE connect 'CREATE CONNECTOR IF NOT EXISTS r1 WITH (connector.class = ''FileStreamSource'', file = ''/tmp/r1'', topic = ''t'')';
RESET ROLE;
DROP FUNCTION connect_create();

-- the owner's members manage it; strangers neither see nor touch it
SET ROLE connect_member;
SELECT connector, owner FROM connect.connector;
SELECT connect_patch('r1', '{"topic": "t2"}');
RESET ROLE;
SET ROLE connect_stranger;
SELECT connector FROM connect.connector;
SELECT connector FROM connect.connector_status;
SELECT connector FROM connect.config_history;
SELECT connect_patch('r1', '{"topic": "t3"}');
SELECT connect_drop('r1');
SELECT connect_pause('r1');
SELECT connect_offsets('r1');
SELECT connect_reset_offsets('r1');
SELECT connect_rollback('r1', 1);
SELECT connect_diff('r1', 1, 2);
SELECT connect_alter_owner('r1', 'connect_stranger');
SELECT connect_adopt('r1');
DO LANGUAGE connect 'DESCRIBE CONNECTOR r1';
RESET ROLE;

-- monitors see the status, and no configuration
SET ROLE connect_watcher;
SELECT connector, state FROM connect.connector_status;
SELECT connector FROM connect.connector;
SELECT connector FROM connect.config_history;
SELECT connect_stop('r1');
RESET ROLE;

-- nobody reads the tables behind the views
SET ROLE connect_maker;
SELECT * FROM connect.connector_def;
SELECT * FROM connect.secret;
SELECT * FROM connect.identity;
SELECT * FROM connect.connector_all;
INSERT INTO connect.task_state VALUES (1, 0, 'RUNNING', NULL, NULL, now());
RESET ROLE;

-- an owner is given by a member of both roles
SET ROLE connect_maker;
SELECT connect_alter_owner('r1', 'connect_stranger');
RESET ROLE;
SELECT connect_alter_owner('r1', 'connect_watcher');
GRANT pg_read_server_files TO connect_watcher;
SELECT connect_alter_owner('r1', 'connect_watcher');
SELECT owner FROM connect.connector;

-- an owner who is gone
REVOKE pg_monitor FROM connect_watcher;
DROP ROLE connect_watcher;
SELECT owner FROM connect.connector;
SELECT connect_patch('r1', '{"topic": "t4"}');
SELECT connect_alter_owner('r1', 'connect_maker');
SELECT owner FROM connect.connector;
ALTER ROLE connect_maker RENAME TO connect_renamed;
SELECT owner FROM connect.connector;
SELECT connect_drop('r1');
DROP OWNED BY connect_renamed;
DROP ROLE connect_member, connect_stranger, connect_renamed;
