# The extension comes and goes, also in transactions that do not commit.
use strict;
use warnings;

use ConnectTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $node = connect_node('main', broker => '127.0.0.1:1', extension => 0,
	conf => "max_prepared_transactions = 5\nwal_level = logical\n");
my $file = $node->basedir . '/lines';

# No broker answers: each task is stuck with records that it cannot deliver.
append_to_file($file, join('', map { "line $_\n" } 1 .. 1000));

my $config = qq({"connector.class": "FileStreamSource", "file": "$file", "topic": "t"});
my $coordinators = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'connect coordinator'";
my $tasks = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'connect task'";
my $label = "SELECT count(*) FROM pg_shseclabel WHERE provider = 'connect'";

sub create
{
	my ($name) = @_;

	return "SELECT connect_create('$name', '$config')";
}

$node->safe_psql('postgres', 'BEGIN; CREATE EXTENSION connect; ROLLBACK');
is($node->safe_psql('postgres', $label), '0', 'a rolled back CREATE EXTENSION leaves no mark');
# operators that others made in the schema that it is created in
$node->safe_psql('postgres', <<'SQL');
CREATE DATABASE shared;
CREATE ROLE hostile;
\connect shared
GRANT CREATE ON SCHEMA public TO hostile;
SET ROLE hostile;
CREATE FUNCTION multiply(a bigint, b interval) RETURNS interval LANGUAGE sql AS 'SELECT b';
CREATE FUNCTION equal(a oid, b regclass) RETURNS bool LANGUAGE sql AS 'SELECT true';
CREATE OPERATOR * (LEFTARG = bigint, RIGHTARG = interval, FUNCTION = multiply);
CREATE OPERATOR = (LEFTARG = oid, RIGHTARG = regclass, FUNCTION = equal);
RESET ROLE;
CREATE EXTENSION connect;
SQL
is($node->safe_psql('shared', <<'SQL'), '0', 'the extension uses no operator of its schema');
SELECT count(*) FROM pg_depend WHERE refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass)
AND refobjid IN (SELECT oid FROM pg_proc WHERE proowner = 'hostile'::regrole
	UNION ALL SELECT oid FROM pg_operator WHERE oprowner = 'hostile'::regrole)
AND classid IN ('pg_rewrite'::regclass, 'pg_proc'::regclass);
SQL
$node->safe_psql('postgres', 'DROP DATABASE shared');

$node->safe_psql('postgres', 'CREATE EXTENSION connect');
poll_until($node, $coordinators, '1');
$node->safe_psql('postgres', create('a'));
wait_for_state($node, 'a', 'RUNNING', task => 0);

# drops that do not happen
my $pid = $node->safe_psql('postgres', "SELECT pid FROM connect.task_status");
foreach my $drop ('DROP EXTENSION connect', 'DROP SCHEMA connect CASCADE', "SELECT connect_drop('a')")
{
	my ($status, undef, $stderr) = $node->psql('postgres', "BEGIN; $drop; ROLLBACK");
	is($node->safe_psql('postgres', "SELECT state, pid FROM connect.task_status"),
		"RUNNING|$pid", "rolled back: $drop");
}
is($node->safe_psql('postgres', $label), '1', 'the mark is still there');

# commit in another session
$node->safe_psql('postgres', "BEGIN; " . create('p') . "; PREPARE TRANSACTION 'x'");
is($node->safe_psql('postgres', "SELECT count(*) FROM connect.connector_status"), '1', 'a prepared create runs nothing');
$node->safe_psql('postgres', "COMMIT PREPARED 'x'");
wait_for_state($node, 'p', 'RUNNING', task => 0, timeout => 5);
pass('COMMIT PREPARED of a create starts the connector');
$node->safe_psql('postgres', "BEGIN; " . create('q') . "; PREPARE TRANSACTION 'x'");
$node->safe_psql('postgres', "ROLLBACK PREPARED 'x'");
is($node->safe_psql('postgres', "SELECT count(*) FROM connect.connector_status"), '2', 'ROLLBACK PREPARED: nothing ever ran');

$node->safe_psql('postgres', 'CREATE ROLE prepared LOGIN IN ROLE pg_read_server_files; CREATE DATABASE beside');
$node->safe_psql('beside', 'CREATE EXTENSION connect; GRANT EXECUTE ON FUNCTION connect_create(text, jsonb, text) TO prepared');
$node->safe_psql('beside', 'SET ROLE prepared; ' . create('r'));
wait_for_state($node, 'r', 'RUNNING', task => 0, database => 'beside');
$node->safe_psql('postgres', "BEGIN; REVOKE CONNECT ON DATABASE beside FROM PUBLIC; PREPARE TRANSACTION 'x'");
$node->safe_psql('postgres', "COMMIT PREPARED 'x'");
wait_for_state($node, 'r', 'FAILED', database => 'beside');
pass('COMMIT PREPARED of a change of rights is heeded in other databases');
$node->safe_psql('postgres', 'DROP DATABASE beside');
$node->safe_psql('postgres', 'DROP ROLE prepared');

# drop and create in one transaction
$node->safe_psql('postgres', "BEGIN; SELECT connect_drop('p'); " . create('p') . "; COMMIT");
wait_for_state($node, 'p', 'RUNNING', task => 0);
poll_until($node, $tasks, '2');
pass('a connector dropped and created in one transaction runs, once');
$pid = $node->safe_psql('postgres', "SELECT pid FROM connect.task_status WHERE connector = 'a'");
$node->safe_psql('postgres', "BEGIN; DROP EXTENSION connect; CREATE EXTENSION connect; " . create('a') . "; COMMIT");
poll_until($node, "SELECT pid <> $pid FROM connect.task_status WHERE connector = 'a' AND state = 'RUNNING'");
poll_until($node, $tasks, '1');
pass('the extension dropped and created in one transaction runs its new connectors alone');

# publications
$node->safe_psql('postgres', 'CREATE PUBLICATION p FOR ALL TABLES');
$node->safe_psql('postgres', "SELECT connect_pause('a'); SELECT connect_resume('a'); SELECT connect_restart_task('a', 0); " . create('b'));
wait_for_state($node, $_, 'RUNNING', task => 0) foreach qw(a b);
$node->safe_psql('postgres', "SELECT connect_drop('b')");
wait_for_no_connector($node, 'b');
pass('everything works under a FOR ALL TABLES publication with wal_level = logical');
$node->safe_psql('postgres', 'DROP PUBLICATION p');

# labels by hand
my ($status, undef, $stderr) = $node->psql('postgres', "SECURITY LABEL FOR connect ON DATABASE postgres IS NULL");
like($stderr, qr/cannot be changed by hand/, 'the mark cannot be removed by hand');
($status, undef, $stderr) = $node->psql('postgres', "SECURITY LABEL FOR connect ON DATABASE postgres IS 'evil'");
like($stderr, qr/cannot be changed by hand/, 'nor set to something else');
$node->safe_psql('postgres', "CREATE DATABASE empty");
$node->safe_psql('postgres', "SECURITY LABEL FOR connect ON DATABASE empty IS 'connect'");
poll_until($node, $coordinators, '1');
pass('a mark on a database without the extension runs nothing');
$node->safe_psql('empty', 'CREATE EXTENSION connect');
poll_until($node, $coordinators, '2');
pass('until the extension is created there');

# drops that happen
foreach my $drop ('DROP EXTENSION connect', 'DROP EXTENSION connect CASCADE', 'DROP SCHEMA s CASCADE', 'DROP OWNED BY creator')
{
	$node->safe_psql('postgres', 'DROP EXTENSION IF EXISTS connect');
	if ($drop =~ /SCHEMA/)
	{
		$node->safe_psql('postgres', 'CREATE SCHEMA s; CREATE EXTENSION connect SCHEMA s');
	}
	elsif ($drop =~ /OWNED/)
	{
		$node->safe_psql('postgres', 'CREATE ROLE creator SUPERUSER; SET ROLE creator; CREATE EXTENSION connect');
	}
	else
	{
		$node->safe_psql('postgres', 'CREATE EXTENSION connect');
	}
	$node->safe_psql('postgres', 'SET search_path = public, s; ' . create('a'));
	wait_for_state($node, 'a', 'RUNNING', task => 0);
	my $start = time();
	$node->safe_psql('postgres', $drop);
	cmp_ok(time() - $start, '<', 3, "$drop is prompt");
	poll_until($node, $tasks, '0', timeout => 10);
	poll_until($node, $coordinators, '1');
	is($node->safe_psql('postgres', "$label AND objoid = (SELECT oid FROM pg_database WHERE datname = 'postgres')"),
		'0', "$drop takes the mark away, and the processes");
}

finish();
