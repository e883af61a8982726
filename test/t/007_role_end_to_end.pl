# Tasks act as their connector's owner, whoever that is and whatever he sets.
use strict;
use warnings;

use ConnectTest;
use Test::More;

my $node = connect_node('main', broker => '127.0.0.1:1');
my $config = '{"connector.class": "FileStreamSource", "file": "' . $node->basedir . '/none", "topic": "t"}';

sub create_as
{
	my ($role, $name) = @_;

	$node->safe_psql('postgres', "SET ROLE $role; SELECT connect_create('$name', '$config')");
	return;
}

$node->safe_psql('postgres', <<'SQL');
CREATE ROLE alice LOGIN;
CREATE ROLE group_role NOLOGIN;
CREATE ROLE hostile LOGIN;
GRANT EXECUTE ON FUNCTION connect_create(text, jsonb, text) TO alice, group_role, hostile;
GRANT pg_read_server_files TO alice, group_role, hostile;
SQL

create_as('alice', 'a');
wait_for_state($node, 'a', 'RUNNING', task => 0);
is($node->safe_psql('postgres', "SELECT usename FROM pg_stat_activity WHERE backend_type = 'connect task'"),
	'alice', "a task's session user is the connector's owner");

create_as('group_role', 'g');
wait_for_state($node, 'g', 'RUNNING', task => 0);
pass('an owner without LOGIN');

# settings of the role reach the session, but not our transactions
$node->safe_psql('postgres', <<'SQL');
ALTER ROLE hostile SET default_transaction_read_only = on;
ALTER ROLE hostile SET default_transaction_isolation = 'serializable';
ALTER ROLE hostile SET statement_timeout = '1ms';
ALTER ROLE hostile SET lock_timeout = '1ms';
ALTER ROLE hostile SET idle_in_transaction_session_timeout = '1ms';
ALTER ROLE hostile SET search_path = 'nowhere';
ALTER ROLE hostile SET row_security = off;
ALTER ROLE hostile SET DateStyle = 'SQL, DMY';
ALTER ROLE hostile SET client_encoding = 'LATIN1';
ALTER ROLE hostile SET standard_conforming_strings = off;
ALTER ROLE hostile SET bytea_output = 'escape';
ALTER ROLE hostile SET role = 'none';
SQL
create_as('hostile', 'h');
wait_for_state($node, 'h', 'RUNNING', task => 0);
pass('an owner with hostile ALTER ROLE SET values');

# renamed, dropped
my $pid = $node->safe_psql('postgres', "SELECT pid FROM connect.task_status WHERE connector = 'a'");
$node->safe_psql('postgres', 'ALTER ROLE alice RENAME TO alice2');
$node->safe_psql('postgres', "SELECT connect_restart_task('a', 0)");
poll_until($node, "SELECT state || (pid <> $pid) FROM connect.task_status WHERE connector = 'a'", 'RUNNINGtrue');
is($node->safe_psql('postgres', "SELECT owner FROM connect.connector WHERE connector = 'a'"), 'alice2', 'a renamed owner');

$node->safe_psql('postgres', 'DROP OWNED BY alice2; DROP ROLE alice2');
wait_for_state($node, 'a', 'FAILED');
like($node->safe_psql('postgres', "SELECT reason FROM connect.connector_status WHERE connector = 'a'"),
	qr/alice.*does not exist.*connect_alter_owner/, 'a dropped owner: FAILED, with what to do');
poll_until($node, "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'connect task'", '2');
pass('its task has no process any more, the others have');
$node->safe_psql('postgres', "SELECT connect_alter_owner('a', 'hostile')");
wait_for_state($node, 'a', 'RUNNING', task => 0);
pass('connect_alter_owner() gives it another');

# no right to connect
$node->safe_psql('postgres', 'REVOKE CONNECT ON DATABASE postgres FROM PUBLIC; GRANT CONNECT ON DATABASE postgres TO group_role');
wait_for_state($node, 'a', 'FAILED');
like($node->safe_psql('postgres', "SELECT reason FROM connect.connector_status WHERE connector = 'a'"),
	qr/CONNECT privilege/, 'an owner without CONNECT privilege: FAILED, with the reason');
wait_for_state($node, 'g', 'RUNNING', task => 0);
$node->safe_psql('postgres', 'GRANT CONNECT ON DATABASE postgres TO PUBLIC');
wait_for_state($node, 'a', 'RUNNING', task => 0);
pass('until it is granted');

# a role that loses LOGIN
$node->safe_psql('postgres', 'ALTER ROLE hostile NOLOGIN');
$pid = $node->safe_psql('postgres', "SELECT pid FROM connect.task_status WHERE connector = 'a'");
$node->safe_psql('postgres', "SELECT pg_terminate_backend($pid)");
poll_until($node, "SELECT state || (pid <> $pid) FROM connect.task_status WHERE connector = 'a'", 'RUNNINGtrue');
pass('an owner that loses LOGIN');

# superuser again: nobody else's rights are shown
is($node->safe_psql('postgres', "SET ROLE group_role; SELECT string_agg(connector, ',') FROM connect.task_status"),
	'g', 'a user sees the tasks of his own connectors');

finish();
