# Commands that want a database for themselves.
use strict;
use warnings;

use ConnectTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $node = connect_node('main', broker => '127.0.0.1:1');
my $file = $node->basedir . '/lines';

# No broker answers: each task is stuck with records that it cannot deliver.
append_to_file($file, join('', map { "line $_\n" } 1 .. 1000));

my %config = ('connector.class' => 'FileStreamSource', 'file' => $file, 'topic' => 't');
my $here = "SELECT count(*) FROM pg_stat_activity WHERE datname = 'd' AND backend_type LIKE 'connect %'";

# A database d with a connector that runs, owned by user.
sub fresh
{
	$node->safe_psql('postgres', 'DROP DATABASE IF EXISTS d');
	$node->safe_psql('postgres', 'CREATE DATABASE d OWNER owner');
	$node->safe_psql('d', 'CREATE EXTENSION connect');
	create_connector($node, 'a', \%config, database => 'd');
	wait_for_state($node, 'a', 'RUNNING', task => 0, database => 'd');
	return;
}

# Runs a command and checks that it took less than 3 seconds.
sub prompt
{
	my ($sql, $name, %opt) = @_;
	my $start = time();
	my ($status, undef, $stderr) = $node->psql('postgres', $sql, %opt);

	is($stderr, '', $name);
	cmp_ok(time() - $start, '<', 3, "$name: promptly");
	return;
}

$node->safe_psql('postgres', 'CREATE ROLE owner LOGIN CREATEDB; CREATE ROLE stranger LOGIN CREATEDB');

# two databases
fresh();
create_connector($node, 'a', \%config);
wait_for_state($node, 'a', 'RUNNING', task => 0);
is($node->safe_psql('postgres', "SELECT count(*) FROM connect.connector_status"), '1', 'two databases with the extension: each sees its own');
my $other = $node->safe_psql('postgres', "SELECT pid FROM connect.task_status");

# copies
prompt('CREATE DATABASE copy TEMPLATE d', 'CREATE DATABASE ... TEMPLATE of a database with connectors');
wait_for_state($node, 'a', 'RUNNING', task => 0, database => 'd');
pass('its connectors run again');
prompt('CREATE DATABASE copy2 TEMPLATE d STRATEGY FILE_COPY', 'CREATE DATABASE ... STRATEGY FILE_COPY');
prompt('CREATE DATABASE copy3 TEMPLATE postgres', 'CREATE DATABASE ... TEMPLATE of the current database');
wait_for_state($node, 'a', 'RUNNING', task => 0);
$other = $node->safe_psql('postgres', "SELECT pid FROM connect.task_status");
is($node->safe_psql('postgres', "SELECT count(*) FROM pg_stat_activity WHERE datname LIKE 'copy%'"), '0', 'a copy runs nothing');
is($node->safe_psql('copy', "SELECT state, reason LIKE '%connect_adopt%' FROM connect.connector_status"),
	'STOPPED|t', 'its connectors are STOPPED, with the reason');
$node->safe_psql('copy', "SELECT connect_adopt('a')");
wait_for_state($node, 'a', 'RUNNING', task => 0, database => 'copy');
pass('connect_adopt() takes them on');

# names
wait_for_state($node, 'a', 'RUNNING', task => 0, database => 'd');
prompt('ALTER DATABASE d RENAME TO e', 'ALTER DATABASE ... RENAME');
wait_for_state($node, 'a', 'RUNNING', task => 0, database => 'e');
pass('connectors run in a renamed database');
prompt('BEGIN; ALTER DATABASE e RENAME TO f; ROLLBACK', 'a rename that is rolled back');
wait_for_state($node, 'a', 'RUNNING', task => 0, database => 'e');
pass('connectors run again after it');
prompt('ALTER DATABASE e RENAME TO d', 'and back');
wait_for_state($node, 'a', 'RUNNING', task => 0, database => 'd');

# places
mkdir $node->basedir . '/space';
$node->safe_psql('postgres', "CREATE TABLESPACE space LOCATION '" . $node->basedir . "/space'");
prompt('ALTER DATABASE d SET TABLESPACE space', 'ALTER DATABASE ... SET TABLESPACE');
wait_for_state($node, 'a', 'RUNNING', task => 0, database => 'd');
pass('connectors run in a moved database');

# commands that fail
my $pid = $node->safe_psql('d', "SELECT pid FROM connect.task_status");
foreach my $sql ('DROP DATABASE d', 'DROP DATABASE d WITH (FORCE)', 'ALTER DATABASE d RENAME TO mine',
	'CREATE DATABASE mine TEMPLATE d', 'ALTER DATABASE d SET TABLESPACE pg_default')
{
	my (undef, undef, $stderr) = $node->psql('postgres', $sql, extra_params => [ '-U', 'stranger' ]);

	like($stderr, qr/must be owner|permission denied/, "a stranger's $sql fails");
}
foreach my $sql ('BEGIN; DROP DATABASE d', 'ALTER DATABASE d RENAME TO postgres', 'CREATE DATABASE copy TEMPLATE d')
{
	my (undef, undef, $stderr) = $node->psql('postgres', $sql);

	isnt($stderr, '', "$sql fails");
}
is($node->safe_psql('d', "SELECT state, pid FROM connect.task_status"), "RUNNING|$pid", 'and has stopped nothing');

my $session = $node->background_psql('d', on_error_stop => 0);
$session->query('SELECT 1');
my (undef, undef, $stderr) = $node->psql('postgres', 'DROP DATABASE d');
like($stderr, qr/being accessed by other users/, 'a DROP DATABASE that fails for another session');
wait_for_state($node, 'a', 'RUNNING', task => 0, database => 'd');
pass('connectors run again after a failed DROP DATABASE');
$session->quit;

# drops
prompt('DROP DATABASE d', "the owner's DROP DATABASE", extra_params => [ '-U', 'owner' ]);
is($node->safe_psql('postgres', $here), '0', 'nothing of ours is left');
fresh();
prompt('DROP DATABASE d WITH (FORCE)', "the owner's DROP DATABASE ... FORCE", extra_params => [ '-U', 'owner' ]);
is($node->safe_psql('postgres', "SELECT count(*) FROM connect.worker_status WHERE worker <> 'launcher' AND database IS NULL"),
	'0', 'no slot remains');
fresh();
pass('a database of the same name runs connectors');

is($node->safe_psql('postgres', "SELECT state, pid FROM connect.task_status"), "RUNNING|$other", 'the other database was never disturbed');

# connections
$node->safe_psql('postgres', 'ALTER DATABASE d ALLOW_CONNECTIONS false');
$node->restart;
wait_for_state($node, 'a', 'RUNNING', task => 0);
is($node->safe_psql('postgres', $here), '0', 'a database that allows no connections is left alone');
$node->safe_psql('postgres', 'ALTER DATABASE d ALLOW_CONNECTIONS true');
wait_for_state($node, 'a', 'RUNNING', task => 0, database => 'd');
pass('until it allows them again');

finish();
