# Connectors follow the server: start, stop, restart, crash, settings.
use strict;
use warnings;

use ConnectTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $node = connect_node('main', broker => '127.0.0.1:1', conf => "restart_after_crash = on\n");
my $file = $node->basedir . '/lines';

# No broker answers: each task is stuck with records that it cannot deliver.
append_to_file($file, join('', map { "line $_\n" } 1 .. 1000));

my %config = ('connector.class' => 'FileStreamSource', 'file' => $file, 'topic' => 't');
my $workers = "SELECT count(*) FROM pg_stat_activity WHERE backend_type LIKE 'connect %'";

# The process of a worker, from outside of the extension.
sub pid_of
{
	my ($kind) = @_;

	return $node->safe_psql('postgres',
		"SELECT pid FROM pg_stat_activity WHERE backend_type = 'connect $kind'");
}

# A state that needs a process, without that process.
my $lies = "SELECT count(*) FROM connect.task_status t"
  . " WHERE state IN ('RUNNING', 'PAUSED')"
  . " AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.pid = t.pid AND a.backend_type = 'connect task')";

$node->safe_psql('postgres', q{BEGIN; SELECT connect_create('never', '{"connector.class": "FileStreamSource", "topic": "t", "file": "/none"}'); ROLLBACK});
is($node->safe_psql('postgres', 'SELECT count(*) FROM connect.connector_status'),
	'0', 'connect_create rolled back: nothing ever ran');

create_connector($node, 'a', \%config);
wait_for_state($node, 'a', 'RUNNING', task => 0);
ok(pid_of('task'), 'a connector runs in a process of its own');
is($node->safe_psql('postgres', "SELECT connect_pause('a')"), '', 'pause');
wait_for_state($node, 'a', 'PAUSED', task => 0);
my $pid = pid_of('task');
$node->safe_psql('postgres', "SELECT connect_resume('a')");
wait_for_state($node, 'a', 'RUNNING', task => 0);
is(pid_of('task'), $pid, 'a paused task keeps its process');
$node->safe_psql('postgres', "SELECT connect_stop('a')");
poll_until($node, "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'connect task'", '0');
wait_for_state($node, 'a', 'STOPPED');
pass('a stopped connector has no process');
$node->safe_psql('postgres', "SELECT connect_resume('a')");
wait_for_state($node, 'a', 'RUNNING', task => 0);

# restart
$pid = pid_of('task');
$node->safe_psql('postgres', "SELECT connect_restart_task('a', 0)");
poll_until($node, "SELECT state || (pid <> $pid) FROM connect.task_status WHERE connector = 'a'", 'RUNNINGtrue');
pass('connect_restart_task gives the task a new process');

$node->restart;
is($node->safe_psql('postgres', $lies), '0', 'after a restart no view says RUNNING without a process');
wait_for_state($node, 'a', 'RUNNING', task => 0);
pass('connectors run again after a restart');

my $before = time();
$node->stop('smart');
cmp_ok(time() - $before, '<', 10, 'a smart shutdown is prompt with connectors running');
$node->start;
wait_for_state($node, 'a', 'RUNNING', task => 0);

$node->stop('immediate');
$node->start;
is($node->safe_psql('postgres', $lies), '0', 'after an immediate shutdown neither');
wait_for_state($node, 'a', 'RUNNING', task => 0);

# crashes
foreach my $kind (qw(task coordinator launcher))
{
	expect_in_log($node, qr/was terminated by signal 9/);
	wait_for_state($node, 'a', 'RUNNING', task => 0);
	kill 9, pid_of($kind);
	poll_until($node, $lies, '0');
	wait_for_state($node, 'a', 'RUNNING', task => 0);
	pass("kill -9 of the $kind: connectors run again");
}

# settings
my $old = pid_of('task');
$node->append_conf('postgresql.conf', 'connect.task_shutdown_graceful_timeout = 3s');
$node->reload;
poll_until($node, 'SHOW connect.task_shutdown_graceful_timeout', '3s');
is(pid_of('task'), $old, 'a reload leaves tasks alone');
$node->append_conf('postgresql.conf', 'connect.enabled = off');
$node->reload;
poll_until($node, $workers, '1');
is($node->safe_psql('postgres', "SELECT state, reason FROM connect.connector_status"),
	'UNASSIGNED|connect.enabled is off', 'connect.enabled = off ends all, and says so');
$node->restart;
poll_until($node, $workers, '1');
pass('connect.enabled = off starts nothing');
$node->append_conf('postgresql.conf', 'connect.enabled = on');
$node->reload;
wait_for_state($node, 'a', 'RUNNING', task => 0);
pass('connect.enabled = on starts them again');

# without the line
$node->append_conf('postgresql.conf', "shared_preload_libraries = ''");
$node->restart;
my ($status, $stdout, $stderr) = $node->psql('postgres', "SELECT connect_pause('a')");
like($stderr, qr/shared_preload_libraries = 'connect'/, 'functions name the line that is missing');
$node->safe_psql('postgres', 'CREATE DATABASE other');
($status, $stdout, $stderr) = $node->psql('other', 'CREATE EXTENSION connect');
like($stderr, qr/shared_preload_libraries = 'connect'/,
	'CREATE EXTENSION without shared_preload_libraries names the line to add');

finish();
