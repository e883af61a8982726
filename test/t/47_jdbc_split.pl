# Several tasks read one table in one snapshot: every row is there, whatever
# moves and whoever dies meanwhile, and nothing is held for longer than allowed.
use strict;
use warnings;

use ConnectTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $rows = 30000;
my $kafka = start_broker();
my $bootstrap = broker_file($kafka, 'bootstrap');
my $node = connect_node('main', broker => $bootstrap, conf => <<'CONF');
max_worker_processes = 32
restart_after_crash = on
autovacuum = off
CONF

sub sql
{
	return $node->safe_psql('postgres', $_[0]);
}

# What a query says of the tasks, in their order.
sub of_tasks
{
	my ($name, $what) = @_;

	return sql("SELECT string_agg(($what)::text, ' ' ORDER BY task) FROM connect.task_status WHERE connector = '$name'");
}

sub wait_for_tasks
{
	my ($name, $what, $count) = @_;

	poll_until($node, "SELECT count(*) FILTER (WHERE $what) FROM connect.task_status WHERE connector = '$name'", $count);
	return;
}

# The queue of a task holds less than a third of the table.
sub source
{
	my ($name, $table, %config) = @_;

	create_connector($node, $name,
		{
			'connector.class' => 'JdbcSource',
			mode => 'bulk',
			'table.whitelist' => $table,
			'topic.prefix' => "$name-",
			'poll.interval.ms' => '3600000',
			'tasks.max' => '3',
			'table.split.bytes' => '0',
			'producer.override.buffer.memory' => '1048576',
			%config
		});
	return;
}

sub all_arrive
{
	my ($topic, $test) = @_;

	return is(scalar(keys %{ wait_for_ids($topic, $rows, broker => $bootstrap) }), $rows, $test);
}

# Psql itself dies while there is no server to talk to.
sub wait_for_all_running
{
	my ($name, $count) = @_;
	my $limit = time() + $PostgreSQL::Test::Utils::timeout_default;

	until (eval { wait_for_tasks($name, "state = 'RUNNING'", $count); 1 })
	{
		die 'the server does not come back' if time() > $limit;
	}
	return;
}

# The same while Kafka, which has the topic, is frozen.
sub source_on_frozen
{
	my ($name, $table, %config) = @_;

	client('create', "$name-$table", 2, -1, { broker => $bootstrap });
	broker_command('freeze', $kafka);
	source($name, $table, %config);
	return;
}

# Each task has begun to read its part and waits for Kafka.
sub in_the_middle
{
	my ($name, $table, %config) = @_;

	source_on_frozen($name, $table, %config);
	wait_for_tasks($name, q(progress ~ 'part \d of 3, block [1-9]\d* of \d+, ACCESS SHARE lock and snapshot .xmin \d+. held'), 3);
	return;
}

sub drop
{
	my ($name) = @_;

	sql("SELECT connect_drop('$name')");
	wait_for_no_connector($node, $name);
	return;
}

sql(qq(CREATE TABLE big (id int PRIMARY KEY, n int DEFAULT 0, a text DEFAULT repeat('x', 200)) WITH (fillfactor = 90);
	INSERT INTO big SELECT generate_series(1, $rows);
	CREATE VIEW seen AS SELECT * FROM big;
	CREATE TABLE parted (LIKE big) PARTITION BY RANGE (id); CREATE TABLE parted1 PARTITION OF parted DEFAULT;
	INSERT INTO parted SELECT * FROM big));

# --- who reads what -------------------------------------------------------------

source('never', 'big', 'table.split.bytes' => '-1');
source('small', 'big', 'table.split.bytes' => '1073741824');
source('keyed', 'big', mode => 'incrementing', 'incrementing.column.name' => 'id');
source('kinds', 'seen,parted', 'table.types' => 'VIEW,PARTITIONED TABLE');
source('most', 'big,parted1', 'tasks.max' => '4');
foreach my $name (qw(never small keyed))
{
	wait_for_tasks($name, "state = 'RUNNING'", 1);
	is(of_tasks($name, 'task'), '0', "one task: $name");
}
wait_for_tasks('kinds', "state = 'RUNNING'", 2);
is(of_tasks('kinds', 'task'), '0 1', 'views and partitioned tables are not split');
wait_for_tasks('most', q(progress ~ 'part \d of 2'), 4);
is(of_tasks('most', q(substring(progress from 'public\.\w+'))), 'public.big public.parted1 public.big public.parted1',
	'tasks that are left join in after those of the tables');
all_arrive('most-big', 'all of a table read by two');
drop($_) foreach qw(never small keyed kinds most);

# --- rows that move -----------------------------------------------------------------

my $script = $node->basedir . '/move.sql';

append_to_file($script, "\\set id random(1, $rows)\nUPDATE big SET n = n + 1 WHERE id BETWEEN :id AND :id + 100;\n");

# They end with the server.
sub start_writers
{
	return IPC::Run::start(
		[ 'pgbench', '-n', '-c', '2', '-T', '600', '-f', $script, '-h', $node->host, '-p', $node->port, 'postgres' ],
		'>', '/dev/null', '2>', '/dev/null');
}
my $writers = start_writers();
my $before = sql('SELECT sum(n) FROM big');

source('moved', 'big');
all_arrive('moved-big', 'every row is there, though rows move from part to part');
wait_for_tasks('moved', "progress ~ 'held'", 0);
cmp_ok(sql('SELECT sum(n) FROM big'), '>', $before, 'they did move');
is(scalar(grep { $_ != 1 } values %{ count_ids('moved-big', broker => $bootstrap) }), 0, 'and each is there once');
is(of_tasks('moved', 'records_sent > 0'), 'true true true', 'each task has sent some');
drop('moved');

# --- kill -9, which ends all -----------------------------------------------------------

expect_in_log($node, qr/was terminated by signal 9/);
foreach my $task (0 .. 2)
{
	in_the_middle("killed$task", 'big');
	kill 'KILL', sql("SELECT pid FROM connect.task_status WHERE connector = 'killed$task' AND task = $task");
	broker_command('thaw', $kafka);
	wait_for_all_running("killed$task", 3);
	$writers->finish;
	$writers = start_writers();
	all_arrive("killed$task-big", "no row is lost when task $task is killed");
	drop("killed$task");
}
$writers->kill_kill;

# --- one of them is lost ------------------------------------------------------------------

expect_in_log($node, qr/terminating background worker "connect task" due to administrator command/);
foreach my $task (0 .. 2)
{
	in_the_middle("lost$task", 'big');
	sql("SELECT pg_terminate_backend(pid, 10000) FROM connect.task_status WHERE connector = 'lost$task' AND task = $task");
	broker_command('thaw', $kafka);
	all_arrive("lost$task-big", "no row is missing when task $task is lost");
	wait_for_tasks("lost$task", "progress ~ 'held' OR waiting_for IS NOT NULL", 0);
	my @twice = grep { $_ > 1 } values %{ count_ids("lost$task-big", broker => $bootstrap) };

	cmp_ok(scalar(@twice), '<', $rows / 2, 'only its part is sent again') if $task > 0;
	drop("lost$task");
}

# --- other numbers of tasks, pauses, restarts -------------------------------------------------

in_the_middle('fewer', 'big');
sql(q(SELECT connect_patch('fewer', '{"tasks.max": "2"}')));
broker_command('thaw', $kafka);
wait_for_tasks('fewer', q(progress ~ 'part \d of 2'), 2);
all_arrive('fewer-big', 'no row is missing when the number of tasks changes');
drop('fewer');

in_the_middle('paused', 'big');
sql("SELECT connect_pause('paused')");
wait_for_tasks('paused', "state = 'PAUSED'", 3);
broker_command('thaw', $kafka);
sql("SELECT connect_resume('paused')");
all_arrive('paused-big', 'nor after a pause');
drop('paused');

in_the_middle('restarted', 'big');
sql("SELECT connect_restart_task('restarted', 1)");
broker_command('thaw', $kafka);
all_arrive('restarted-big', 'nor when one is restarted');
drop('restarted');

# --- what is held -------------------------------------------------------------------------------

# The bound passes: the rest waits in files, and nothing is held any more.
sql('ALTER SYSTEM SET connect.snapshot_max_age = 1000; SELECT pg_reload_conf()');
source_on_frozen('bounded', 'big');
wait_for_tasks('bounded', "progress ~ 'temporary storage'", 3);
sql("SET lock_timeout = '60s'; ALTER TABLE big ADD late int");
ok(1, 'a change of the table gets its lock while Kafka is away');
is(sql(q(SELECT count(*) FROM pg_locks WHERE relation = 'big'::regclass AND pid <> pg_backend_pid())), '0', 'nothing is locked');
is(sql(q(SELECT count(backend_xmin) FROM pg_stat_activity WHERE backend_type = 'connect task')), '0', 'no snapshot holds vacuum back');
sql('DELETE FROM big WHERE id = 1');
my $said = '';
$node->psql('postgres', 'VACUUM (VERBOSE) big', stderr => \$said);
like($said, qr/0 are dead but not yet removable|0 dead row versions cannot be removed/,
	'vacuum removes what was deleted');
sql('INSERT INTO big VALUES (1)');
broker_command('thaw', $kafka);
all_arrive('bounded-big', 'all rows come from the files');
drop('bounded');

# Parts that have the snapshot, but not yet the table's lock when the leader lets go of both.
sql(q(CREATE TABLE moving (LIKE big); INSERT INTO moving SELECT -id, n, a FROM big; INSERT INTO moving SELECT * FROM big;
	DELETE FROM moving WHERE id < 0));
$node->append_conf('postgresql.conf', "connect.fault = 'part-joined:stop'\n");
$node->reload;
source('late', 'moving');
wait_for_tasks('late', "progress !~ 'held' AND waiting_for ~ 'which reads a part'", 1);
$node->adjust_conf('postgresql.conf', 'connect.fault', undef);
$node->reload;
sql("SET lock_timeout = '60s'; VACUUM FULL moving");
kill 'CONT', split /\n/, sql("SELECT pid FROM connect.task_status WHERE connector = 'late' AND task > 0");
all_arrive('late-moving', 'no row is missing when the table is written anew before a part has its lock');
drop('late');

# A command that waits for the lock is through when the bound passes, at the latest.
source_on_frozen('dropped', 'big');
wait_for_tasks('dropped', q(progress ~ 'held|temporary storage'), 3);
sql("SET lock_timeout = '60s'; DROP TABLE big CASCADE");
ok(1, 'a table can be dropped while it is read and Kafka is away');
broker_command('thaw', $kafka);
all_arrive('dropped-big', 'what was in its snapshot is sent');
finish();
