# The coordinator makes what runs agree with what is wanted, one connector
# at a time.
use strict;
use warnings;

use ConnectTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $node = connect_node('main', broker => '127.0.0.1:1', conf => "max_worker_processes = 40\n");
my %file = ('connector.class' => 'FileStreamSource', 'file' => $node->basedir . '/none', 'topic' => 't');
my %sink = ('connector.class' => 'FileStreamSink', 'file' => $node->basedir . '/out', 'topics' => 't');
my $properties = $node->basedir . '/properties';

sub pids
{
	my ($connector) = @_;

	return $node->safe_psql('postgres',
		"SELECT string_agg(pid::text, ',' ORDER BY task) FROM connect.task_status WHERE connector = '$connector'");
}

sub call
{
	my ($sql) = @_;

	return $node->safe_psql('postgres', "SELECT $sql");
}

# one connector's failure is its own
append_to_file($properties, "topic=t\n");
call(qq{connect_create('bad', '{"connector.class": "FileStreamSource", "file": "/none", "topic": "\${file:$properties:topic}"}', 'STOPPED')});
unlink $properties;
call("connect_resume('bad')");
create_connector($node, 'good', \%file);
wait_for_state($node, 'good', 'RUNNING', task => 0);
wait_for_state($node, 'bad', 'FAILED');
like($node->safe_psql('postgres', "SELECT reason FROM connect.connector_status WHERE connector = 'bad'"),
	qr/Could not read properties/, 'a connector whose work cannot be split is FAILED, with the reason');
like($node->safe_psql('postgres', "SELECT trace FROM connect.connector_status WHERE connector = 'bad'"),
	qr/F0000/, 'and with the trace');
my $good = pids('good');
call("connect_restart('bad')");
wait_for_state($node, 'bad', 'FAILED');
is(pids('good'), $good, 'a bad connector never stops the others');
$node->safe_psql('postgres', q{SELECT connect_alter('bad', '{"connector.class": "MockSource", "mock_mode": "task-failure", "delay_ms": "0"}')});
wait_for_state($node, 'bad', 'RUNNING');
pass('a corrected one runs');

# a connector that fails by itself, its tasks do not
create_connector($node, 'late', { 'connector.class' => 'MockSource', mock_mode => 'connector-failure', delay_ms => 0 });
foreach my $start (1, 2)
{
	poll_until($node, "SELECT c.state || ' ' || t.state || ' ' || c.reason FROM connect.connector_status c"
		  . " JOIN connect.task_status t USING (connector) WHERE connector = 'late'",
		'FAILED RUNNING the mock connector fails as it was told to');
	pass("start $start: the connector has failed, its task runs");
	my $failed = $node->safe_psql('postgres', "SELECT since FROM connect.connector_status WHERE connector = 'late'");
	call("connect_restart('late', true)");
	poll_until($node, "SELECT since > '$failed' FROM connect.connector_status WHERE connector = 'late'");
}
call(q{connect_patch('late', '{"delay_ms": "3600000"}')});
wait_for_state($node, 'late', 'RUNNING');
pass('a changed configuration takes the failure back');
call("connect_drop('late')");
wait_for_no_connector($node, 'late');

# failed tasks
wait_for_state($node, 'bad', 'FAILED', task => 0);
poll_until($node, "SELECT pid IS NULL FROM connect.task_status WHERE connector = 'bad'");
pass('a failed task has no process');
my $since = $node->safe_psql('postgres', "SELECT since FROM connect.task_status WHERE connector = 'bad'");
call("connect_pause('bad')");
wait_for_state($node, 'bad', 'PAUSED');
call("connect_resume('bad')");
wait_for_state($node, 'bad', 'RUNNING');
is($node->safe_psql('postgres', "SELECT since FROM connect.task_status WHERE connector = 'bad' AND state = 'FAILED'"),
	$since, 'pause and resume leave it FAILED');
foreach my $restart ("connect_restart_task('bad', 0)", "connect_restart('bad', true)", "connect_restart('bad', true, true)")
{
	$since = $node->safe_psql('postgres', "SELECT since FROM connect.task_status WHERE connector = 'bad'");
	call($restart);
	poll_until($node, "SELECT since > '$since' AND state = 'FAILED' FROM connect.task_status WHERE connector = 'bad'");
	pass("$restart tries again");
}
call("connect_restart('good', true, true)");
call("connect_pause('good')");
wait_for_state($node, 'good', 'PAUSED', task => 0);
call("connect_resume('good')");
is(pids('good'), $good, 'only_failed leaves tasks that run alone');
$since = $node->safe_psql('postgres', "SELECT since FROM connect.task_status WHERE connector = 'bad'");
$node->restart;
poll_until($node, "SELECT since > '$since' AND state = 'FAILED' FROM connect.task_status WHERE connector = 'bad'");
pass('a restart of the server tries again');
call("connect_drop('bad')");
wait_for_no_connector($node, 'bad');

# numbers of tasks
create_connector($node, 's', { %sink, 'tasks.max' => 3 });
poll_until($node, "SELECT count(*) FROM connect.task_status WHERE connector = 's' AND state = 'RUNNING'", '3');
pass('tasks.max says how many tasks a sink has');
wait_for_state($node, 'good', 'RUNNING', task => 0);
$good = pids('good');
my $old = pids('s');
call(q{connect_patch('s', '{"tasks.max": "2"}')});
poll_until($node, "SELECT count(*) FROM connect.task_status WHERE connector = 's' AND state = 'RUNNING'", '2');
poll_until($node, "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'connect task'", '3');
is(pids('good'), $good, "a config change restarts just what it changes: not the other connectors' tasks");
call(q{connect_patch('s', '{"tasks.max": "4"}')});
poll_until($node, "SELECT count(*) FROM connect.task_status WHERE connector = 's' AND state = 'RUNNING'", '4');
pass('and more tasks when it is raised');
$node->safe_psql('postgres', "BEGIN; SELECT connect_stop('s'); ROLLBACK");
$old = pids('s');
$node->safe_psql('postgres', "SELECT connect_stop('s'); SELECT connect_resume('s')");
poll_until($node, "SELECT count(*) FROM connect.task_status WHERE connector = 's' AND state = 'RUNNING'", '4');
pass('stopped and resumed at once: it runs');
call("connect_drop('s')");
wait_for_no_connector($node, 's');
poll_until($node, "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'connect task'", '1');
pass('a dropped connector has no process');

# a user's open transaction
my $session = $node->background_psql('postgres');
$session->query_safe("BEGIN; SELECT connect_restart_task('good', 0)");
create_connector($node, 'other', \%file);
wait_for_state($node, 'other', 'RUNNING', task => 0);
is(pids('good'), $good, 'an open transaction holds up nothing, and changes nothing until it commits');
$session->query_safe('COMMIT');
poll_until($node, "SELECT pid <> $good FROM connect.task_status WHERE connector = 'good' AND state = 'RUNNING'");
$session->quit;

# a process that does not answer
$node->safe_psql('postgres', "ALTER SYSTEM SET connect.task_shutdown_graceful_timeout = '1s'");
$node->reload;
my $frozen = pids('other');
kill 'STOP', $frozen;
call("connect_restart_task('other', 0)");
wait_for_state($node, 'other', 'RESTARTING', task => 0);
pass('it is RESTARTING as long as its old process is there');
poll_until($node, "SELECT pid <> $frozen FROM connect.task_status WHERE connector = 'other' AND state = 'RUNNING'");
pass('a frozen task is replaced');
my $new = pids('other');
kill 'CONT', $frozen;
poll_until($node, "SELECT count(*) FROM pg_stat_activity WHERE pid = $frozen", '0');
is($node->safe_psql('postgres', "SELECT state, pid FROM connect.task_status WHERE connector = 'other'"),
	"RUNNING|$new", 'it leaves when it wakes, and disturbs nothing');

# user code that swallows its cancellation while work is split
$node->safe_psql('postgres', <<'SQL');
CREATE FUNCTION deaf() RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	LOOP
		BEGIN
			PERFORM pg_sleep_for('1 hour');
		EXCEPTION WHEN query_canceled THEN
			NULL;
		END;
	END LOOP;
END $$;
CREATE FUNCTION nothing(p jsonb, o jsonb) RETURNS TABLE (value jsonb, "offset" jsonb) LANGUAGE sql
	AS 'SELECT NULL::jsonb, NULL::jsonb WHERE false';
SQL
create_connector($node, 'deaf', { 'connector.class' => 'FunctionSource', 'function.name' => 'public.nothing',
	'topic' => 't', 'partitions.function' => 'public.deaf' });
create_connector($node, 'behind', \%file);
wait_for_state($node, 'behind', 'RUNNING', task => 0);
pass('connectors behind it run');
is($node->safe_psql('postgres', "SELECT state, reason LIKE '%in time%' FROM connect.connector_status WHERE connector = 'deaf'"),
	'FAILED|t', 'its own connector is FAILED, with the reason');
call("connect_drop('deaf')");
call("connect_drop('behind')");

# speed
my $ms = $node->safe_psql('postgres', <<'SQL');
CREATE PROCEDURE measure(n int) LANGUAGE plpgsql AS $$
DECLARE
	start timestamptz;
	times float[];
BEGIN
	FOR i IN 1 .. n LOOP
		PERFORM connect_create('m' || i, '{"connector.class": "FileStreamSource", "file": "/none", "topic": "t"}');
		start := clock_timestamp();
		COMMIT;
		PERFORM connect_wait('m' || i, 'RUNNING', '10 s');
		times := times || extract(epoch FROM clock_timestamp() - start)::float * 1000;
		PERFORM connect_drop('m' || i);
		COMMIT;
	END LOOP;
	CREATE TEMP TABLE result AS
		SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY t) AS p50 FROM unnest(times) t;
END $$;
CALL measure(50);
SELECT p50 FROM result;
SQL
diag("from commit of connect_create to RUNNING: p50 of 50 = $ms ms");
cmp_ok($ms, '<', 100, 'from create to RUNNING in less than 100 ms');

finish();
