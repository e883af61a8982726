# User code that a task runs has its connector's owner's rights, and no more.
use strict;
use warnings;

use ConnectTest;
use Test::More;

my $node = connect_node('main', broker => '', conf => "connect.embedded_broker = on\n");

$node->safe_psql('postgres', <<'SQL');
CREATE ROLE login LOGIN;
CREATE ROLE nologin NOLOGIN;
CREATE ROLE hostile LOGIN;
ALTER ROLE hostile SET default_transaction_read_only = on;
ALTER ROLE hostile SET default_transaction_isolation = 'serializable';
ALTER ROLE hostile SET default_transaction_deferrable = on;
ALTER ROLE hostile SET statement_timeout = '1ms';
ALTER ROLE hostile SET lock_timeout = '1ms';
ALTER ROLE hostile SET idle_in_transaction_session_timeout = '1ms';
ALTER ROLE hostile SET search_path = 'nowhere';
ALTER ROLE hostile SET row_security = off;
ALTER ROLE hostile SET DateStyle = 'SQL, DMY';
ALTER ROLE hostile SET TimeZone = 'Asia/Tokyo';
ALTER ROLE hostile SET client_encoding = 'LATIN1';
ALTER ROLE hostile SET standard_conforming_strings = off;
ALTER ROLE hostile SET bytea_output = 'escape';
ALTER ROLE hostile SET extra_float_digits = -15;
ALTER ROLE hostile SET IntervalStyle = 'sql_standard';
ALTER ROLE hostile SET xmlbinary = 'hex';
ALTER ROLE hostile SET transform_null_equals = on;
GRANT EXECUTE ON FUNCTION connect_create(text, jsonb, text) TO login, nologin, hostile;

CREATE TABLE src (id int PRIMARY KEY);
CREATE TABLE seen (sink text, what text, value text);
GRANT INSERT ON seen TO PUBLIC;

CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
	attack text;
	name text;
BEGIN
	INSERT INTO public.seen VALUES (TG_TABLE_NAME, TG_NAME || ' user', current_user);
	FOREACH attack IN ARRAY ARRAY['RESET ROLE', 'RESET SESSION AUTHORIZATION', 'SET ROLE postgres',
		'SET SESSION AUTHORIZATION postgres', 'SET SESSION AUTHORIZATION DEFAULT', 'RESET ALL',
		'TABLE pg_catalog.pg_authid'] LOOP
		BEGIN
			EXECUTE attack;
			INSERT INTO public.seen VALUES (TG_TABLE_NAME, 'after ' || attack, current_user);
		EXCEPTION WHEN OTHERS THEN
			INSERT INTO public.seen VALUES (TG_TABLE_NAME, 'after ' || attack, current_user);
		END;
	END LOOP;
	FOREACH name IN ARRAY ARRAY['transaction_read_only', 'transaction_isolation', 'transaction_deferrable',
		'statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout', 'search_path', 'row_security',
		'DateStyle', 'TimeZone', 'client_encoding', 'standard_conforming_strings', 'bytea_output',
		'extra_float_digits', 'IntervalStyle', 'xmlbinary', 'transform_null_equals'] LOOP
		INSERT INTO public.seen VALUES (TG_TABLE_NAME, name, current_setting(name));
	END LOOP;
	-- what it leaves behind must not reach the next transaction
	SET search_path = 'nowhere';
	SET row_security = off;
	RETURN NULL;
END $$;
SQL

foreach my $role (qw(login nologin hostile))
{
	$node->safe_psql('postgres', <<"SQL");
CREATE TABLE dst_$role (id int);
CREATE TRIGGER row AFTER INSERT ON dst_$role FOR EACH ROW EXECUTE FUNCTION look();
CREATE CONSTRAINT TRIGGER deferred AFTER INSERT ON dst_$role DEFERRABLE INITIALLY DEFERRED
	FOR EACH ROW EXECUTE FUNCTION look();
ALTER TABLE dst_$role OWNER TO $role;
SET ROLE $role;
SELECT connect_create('sink_$role', '{"connector.class": "JdbcSink", "topics": "t-src",
	"table.name.format": "dst_$role", "pk.mode": "none", "insert.mode": "insert",
	"key.converter": "org.apache.kafka.connect.storage.StringConverter",
	"value.converter": "org.apache.kafka.connect.json.JsonConverter"}');
SQL
}
$node->safe_psql('postgres', <<'SQL');
SELECT connect_create('src', '{"connector.class": "JdbcSource", "mode": "incrementing",
	"incrementing.column.name": "id", "table.whitelist": "src", "topic.prefix": "t-", "poll.interval.ms": "100",
	"value.converter": "org.apache.kafka.connect.json.JsonConverter"}');
SQL

# two batches: the second shows what the first left behind
foreach my $id (1, 2)
{
	$node->safe_psql('postgres', "INSERT INTO src VALUES ($id)");
	poll_until($node, "SELECT count(*) FROM dst_$_", $id) foreach qw(login nologin hostile);
}

is($node->safe_psql('postgres', "SELECT count(*) FROM seen WHERE what LIKE '%user' OR what LIKE 'after %'"),
	3 * 2 * 2 * 8, 'all triggers ran, the deferred ones too');
is($node->safe_psql('postgres', "SELECT DISTINCT sink || ' ' || value FROM seen WHERE what LIKE '%user' OR what LIKE 'after %' ORDER BY 1"),
	"dst_hostile hostile\ndst_login login\ndst_nologin nologin",
	"nobody's trigger has more than the owner's rights, at commit neither");
foreach my $role (qw(login nologin hostile))
{
	is($node->safe_psql('postgres',
		"SELECT string_agg(DISTINCT value, ',' ORDER BY value) || count(DISTINCT what) FROM seen WHERE sink = 'dst_$role' AND what IN ('transaction_read_only', 'transaction_deferrable')"),
		'off2', "$role: transactions are read write");
	is($node->safe_psql('postgres',
		"SELECT string_agg(DISTINCT what || '=' || value, ';' ORDER BY what || '=' || value) FROM seen WHERE sink = 'dst_$role'"
		  . " AND what NOT LIKE '%user' AND what NOT LIKE 'after %' AND what NOT IN ('transaction_read_only', 'transaction_deferrable')"),
		'DateStyle=ISO, MDY;IntervalStyle=postgres;TimeZone=UTC;bytea_output=hex;client_encoding=UTF8;'
		  . 'extra_float_digits=1;idle_in_transaction_session_timeout=0;lock_timeout=0;row_security=on;'
		  . 'search_path="$user", public;standard_conforming_strings=on;statement_timeout=0;'
		  . 'transaction_isolation=read committed;transform_null_equals=off;xmlbinary=base64',
		"$role: settings are ours, whatever the role or earlier user code has set");
}

finish();
