-- The text dialect, by connect_sql() and in DO blocks.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS connect;
RESET client_min_messages;

SELECT * FROM connect_sql('CREATE SOURCE CONNECTOR Lines WITH (connector.class = ''FileStreamSource'', "file" = ''/tmp/d1'', ''topic'' = ''t'')');
SELECT connector, config FROM connect.connector;
DO LANGUAGE connect $$
	CREATE SOURCE CONNECTOR IF NOT EXISTS lines WITH (connector.class = 'FileStreamSource', file = '/tmp/d1', topic = 't');
	STOP CONNECTOR lines; -- the second statement
$$;
SELECT connect_wait('lines', 'STOPPED', '60 s');
SELECT * FROM connect_sql('SHOW CONNECTORS; SHOW SINK CONNECTORS');
SELECT * FROM connect_sql('ALTER CONNECTOR lines SET (topic = ''t2'', my.own = 7); ALTER CONNECTOR lines RESET ("my.own")');
SELECT c - 'worker_id' FROM connect_sql('DESCRIBE CONNECTOR lines') AS s, LATERAL (SELECT s::jsonb) AS j (c);
SELECT count(*) > 0 FROM connect_sql('SHOW CONNECTOR PLUGINS') AS s WHERE s ->> 'class' LIKE '%FileStream%';
SELECT connect_alter_offsets('lines', '{"offsets": [{"partition": {"filename": "/tmp/d1"}, "offset": {"position": 7}}]}');
DO LANGUAGE connect 'SHOW OFFSETS FOR lines';
DO LANGUAGE connect 'RESET OFFSETS FOR lines; SHOW OFFSETS FOR lines';
DO LANGUAGE connect 'RESTART CONNECTOR lines ONLY FAILED';
DO LANGUAGE connect 'RESTART CONNECTOR lines TASK 0';
DO LANGUAGE connect 'DESCRIBE CONNECTOR nobody';
DO LANGUAGE connect 'CREATE SINK CONNECTOR x WITH (connector.class = ''FileStreamSource'')';
DO LANGUAGE connect 'CREATE CONNECTOR x WITH (file = ''f'')';

-- errors tell where and what was expected, and show no values
DO LANGUAGE connect 'CREATE CONNECTOR x WITH (a = ''secret'' b = ''secret'')';
DO LANGUAGE connect 'CREATE CONNECTOR x WITH (password = secret)';
DO LANGUAGE connect 'CREATE CONNECTOR x WITH (password = "secret")';
DO LANGUAGE connect 'CREATE CONNECTOR x WITH (password secret)';
DO LANGUAGE connect 'CREATE CONNECTOR x WITH (password = ''sec''ret'')';
SELECT * FROM connect_sql('CREATE CONNECTOR x WITH (a = 1, a = 2)');
SELECT * FROM connect_sql('DROP CONNECTOR lines; DROP TABLE lines');
SELECT connector FROM connect.connector;
DO LANGUAGE connect 'DROP CONNECTOR lines; DROP CONNECTOR IF EXISTS lines';
CREATE FUNCTION f() RETURNS void LANGUAGE connect AS 'SHOW CONNECTORS';
