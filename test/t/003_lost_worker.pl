# Workers that end, or cannot start, are shown and replaced.
use strict;
use warnings;

use ConnectTest;
use Test::More;
use Time::HiRes qw(time);

my $node = connect_node('main', broker => '127.0.0.1:1');
my %config = (
	'connector.class' => 'FileStreamSource',
	'file' => $node->basedir . '/none',
	'topic' => 't');

sub task_pid
{
	my ($connector) = @_;

	return $node->safe_psql('postgres',
		"SELECT pid FROM connect.task_status WHERE connector = '$connector' AND task = 0");
}

create_connector($node, $_, \%config) foreach qw(a b);
wait_for_state($node, $_, 'RUNNING', task => 0) foreach qw(a b);

# terminate
my ($a, $b) = (task_pid('a'), task_pid('b'));
my $start = time();
$node->safe_psql('postgres', "SELECT pg_terminate_backend($a)");
poll_until($node, "SELECT pid IS DISTINCT FROM $a FROM connect.task_status WHERE connector = 'a'");
cmp_ok(time() - $start, '<', 1, 'a terminated task shows within a second');
wait_for_state($node, 'a', 'RUNNING', task => 0);
is(task_pid('b'), $b, 'a terminated task is started again and the others go on');

foreach my $kind (qw(coordinator launcher))
{
	my $pid = $node->safe_psql('postgres', "SELECT pid FROM pg_stat_activity WHERE backend_type = 'connect $kind'");

	$node->safe_psql('postgres', "SELECT pg_terminate_backend($pid)");
	poll_until($node, "SELECT pid <> $pid FROM pg_stat_activity WHERE backend_type = 'connect $kind'");
	is(task_pid('b'), $b, "a terminated $kind is started again and tasks go on");
	$node->safe_psql('postgres', "SELECT connect_restart_task('b', 0)");
	poll_until($node, "SELECT pid <> $b FROM connect.task_status WHERE connector = 'b' AND state = 'RUNNING'");
	pass("the new $kind does its work");
	$b = task_pid('b');
}

# cancel
my $coordinator = $node->safe_psql('postgres', "SELECT pid FROM pg_stat_activity WHERE backend_type = 'connect coordinator'");
$node->safe_psql('postgres', "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE backend_type LIKE 'connect %'");
$node->safe_psql('postgres', "SELECT connect_pause('a')");
wait_for_state($node, 'a', 'PAUSED', task => 0);
is($node->safe_psql('postgres', "SELECT pid FROM pg_stat_activity WHERE backend_type = 'connect coordinator'"),
	$coordinator, 'pg_cancel_backend leaves idle workers alone');
is(task_pid('b'), $b, 'tasks too');

# too few workers: of five, one is the server's own, two are not tasks
$node->append_conf('postgresql.conf', 'max_worker_processes = 5');
$node->restart;
create_connector($node, 'c', \%config);
poll_until($node, "SELECT count(*) FROM connect.task_status WHERE state = 'UNASSIGNED' AND reason LIKE '%max_worker_processes%'", '1');
pass('too few worker slots: UNASSIGNED, with the reason and what to do');
my $loser = $node->safe_psql('postgres', "SELECT connector FROM connect.task_status WHERE state = 'UNASSIGNED'");
my ($winner) = grep { $_ ne $loser } qw(a b c);
$node->safe_psql('postgres', "SELECT connect_stop('$winner')");
poll_until($node, "SELECT state IN ('RUNNING', 'PAUSED') FROM connect.task_status WHERE connector = '$loser'");
pass('it starts when a worker slot is free');

# no worker for the coordinator itself
$node->safe_psql('postgres', "SELECT connect_resume('$winner')");
$node->append_conf('postgresql.conf', 'max_worker_processes = 2');
$node->restart;
poll_until($node, "SELECT count(*) FROM connect.connector_status WHERE state = 'UNASSIGNED' AND reason LIKE '%max_worker_processes%'", '3');
pass('no worker slot for the coordinator: the connectors say so');

# too many tasks
$node->append_conf('postgresql.conf', "max_worker_processes = 20\nconnect.max_tasks = 2");
$node->restart;
poll_until($node, "SELECT count(*) FROM connect.task_status WHERE state IN ('RUNNING', 'PAUSED')", '2');
poll_until($node, "SELECT count(*) FROM connect.task_status WHERE state = 'UNASSIGNED' AND reason LIKE '%connect.max_tasks%'", '1');
pass('more tasks than connect.max_tasks: UNASSIGNED, with the reason');
$node->safe_psql('postgres', "SELECT connect_drop('b'), connect_drop('c')");
create_connector($node, 'huge', { 'connector.class' => 'VerifiableSink', 'topics' => 't', 'tasks.max' => '2147483647' });
poll_until($node, "SELECT tasks FROM connect.connector_status WHERE connector = 'huge'", '2');
pass('no connector gets more tasks than that');
create_connector($node, 'third', \%config);
poll_until($node, "SELECT state, reason FROM connect.connector_status WHERE connector = 'third'",
	'UNASSIGNED|all slots for tasks are in use; raise connect.max_tasks, now 2');
pass('nor are there more connectors: UNASSIGNED, with the reason');
$node->safe_psql('postgres', "SELECT connect_stop('huge')");
poll_until($node, "SELECT count(*) FROM connect.task_status WHERE connector IN ('a', 'third') AND state IN ('RUNNING', 'PAUSED')", '2');
is($node->safe_psql('postgres', "SELECT state FROM connect.connector_status WHERE connector = 'huge'"), 'STOPPED', 'but those that are stopped do not count');

# connectors that have no task
$node->safe_psql('postgres', "SELECT connect_drop('huge'), connect_drop('third'); CREATE TABLE twin (); CREATE SCHEMA other CREATE TABLE twin ()");
create_connector($node, 'fails', { 'connector.class' => 'JdbcSource', 'mode' => 'bulk', 'topic.prefix' => 't-', 'table.include.list' => '.*\.twin' });
wait_for_state($node, 'fails', 'FAILED');
create_connector($node, 'third', \%config);
poll_until($node, "SELECT state, reason FROM connect.connector_status WHERE connector = 'third'",
	'UNASSIGNED|all slots for connectors are in use; raise connect.max_tasks, now 2');
pass('as many as that fail: the next is UNASSIGNED, with the reason');
$node->safe_psql('postgres', "SELECT connect_drop('fails')");
poll_until($node, "SELECT state IN ('RUNNING', 'PAUSED') FROM connect.task_status WHERE connector = 'third'");
pass('and runs when one of them has gone');

finish();
