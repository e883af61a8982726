# Locks of others in the table sink's way: deadlocks that happen are tried again,
# tasks make none among themselves, and what is waited for is shown.
use strict;
use warnings;

use ConnectTest;
use IPC::Run ();
use PostgreSQL::Test::Utils;
use Test::More;

my $node = connect_node('main',
	conf => "max_prepared_transactions = 4\nmax_worker_processes = 32\ndeadlock_timeout = 50ms\n");
my %sink = ('connector.class' => 'JdbcSink', 'retry.backoff.ms' => 50, 'max.retries' => 1000000,
	'errors.tolerance' => 'all', 'insert.mode' => 'upsert', 'pk.mode' => 'record_value', 'pk.fields' => 'id');

sub sql
{
	return $node->safe_psql('postgres', $_[0]);
}

sub start_sink
{
	my ($table, $partitions, %config) = @_;
	my $topic = create_topic($table, $partitions);
	my $name = unique_topic($table);

	create_connector($node, $name, { %sink, topics => $topic, 'table.name.format' => "public.$table",
		'tasks.max' => $partitions, %config });
	poll_until($node, "SELECT count(*) FILTER (WHERE lag = 0) FROM connect.task_status WHERE connector = '$name'", $partitions);
	return ($topic, $name);
}

sub records
{
	my ($partition, @ids) = @_;

	return map { { partition => $partition, value => qq({"id": $_, "v": "task"}) } } @ids;
}

# How many processes of a kind wait for another's transaction.
sub wait_for_waiters
{
	my ($type, $n) = @_;

	poll_until($node, "SELECT count(*) FROM pg_stat_activity WHERE backend_type = '$type' AND wait_event = 'transactionid'", $n);
	return;
}

# The statistics of a backend may come late; those of one that found a deadlock come with its next commit.
sub deadlocks { return sql("SELECT deadlocks FROM pg_stat_database WHERE datname = 'postgres'"); }

# --- a session locks in the opposite order; the task is the one to give way ------------------
foreach my $direct (1, 0)
{
	my $table = $direct ? 'direct' : 'executed';
	my $how = $direct ? 'around the executor' : 'through the executor';

	sql("CREATE TABLE $table (id int PRIMARY KEY, v text)");
	sql("INSERT INTO $table SELECT g, 'old' FROM generate_series(1, 20) g");
	sql(qq{CREATE FUNCTION pass() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
		CREATE TRIGGER t BEFORE INSERT ON $table FOR EACH ROW EXECUTE FUNCTION pass()}) if !$direct;
	my ($topic, $name) = start_sink($table, 1);
	my $before = deadlocks();

	sql("BEGIN; UPDATE $table SET v = 'gate' WHERE id = 10; PREPARE TRANSACTION 'gate'");
	produce($topic, records(0, 1 .. 20));
	wait_for_waiters('connect task', 1);
	my $out = '';
	my $session = IPC::Run::start([ 'psql', '-XAt', '-d', $node->connstr('postgres'), '-c', "SET deadlock_timeout = '1h'",
		'-c', "BEGIN; UPDATE $table SET v = 'session' WHERE id = 20; UPDATE $table SET v = 'session' WHERE id = 1; COMMIT" ],
		'>', \$out, '2>', \$out);
	wait_for_waiters('client backend', 1);
	sql("COMMIT PREPARED 'gate'");
	ok($session->finish, "$how: the session that stood crosswise commits") or diag($out);
	poll_until($node, "SELECT count(*) FROM $table WHERE v = 'task'", 20);
	pass('and then the task writes all its rows');
	poll_until($node, "SELECT deadlocks > $before FROM pg_stat_database WHERE datname = 'postgres'");
	is(sql("SELECT retries >= 1, state FROM connect.task_status WHERE connector = '$name'"), 't|RUNNING',
		'a deadlock was found, and tried again');
}

# --- two tasks, whose triggers lock crosswise -----------------------------------------------
sql(q{
	CREATE TABLE counter (name text PRIMARY KEY, n int NOT NULL);
	INSERT INTO counter VALUES ('a', 0), ('b', 0);
	CREATE TABLE counted (id int PRIMARY KEY, v text);
	INSERT INTO counted VALUES (50, 'old'), (150, 'old');
	CREATE FUNCTION tally() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN
		UPDATE public.counter SET n = n + 1 WHERE name = CASE WHEN new.id IN (1, 200) THEN 'a' ELSE 'b' END
			AND new.id IN (1, 100, 101, 200);
		RETURN new;
	END $$;
	CREATE TRIGGER t BEFORE INSERT ON counted FOR EACH ROW EXECUTE FUNCTION tally()});
my ($topic, $name) = start_sink('counted', 2);
my $before = deadlocks();
sql("BEGIN; UPDATE counted SET v = 'gate' WHERE id IN (50, 150); PREPARE TRANSACTION 'gate'");
produce($topic, records(0, 1 .. 100), records(1, 101 .. 200));
wait_for_waiters('connect task', 2);
sql("COMMIT PREPARED 'gate'");
poll_until($node, "SELECT count(*) FROM counted WHERE v = 'task'", 200);
is(sql('SELECT n FROM counter ORDER BY name'), "2\n2", 'two tasks deadlocked, and each row was counted once');
poll_until($node, "SELECT deadlocks > $before FROM pg_stat_database WHERE datname = 'postgres'");
pass('it was a deadlock');
sql("SELECT connect_stop('$name')");

# --- tasks among themselves: one order of locks, whatever order records come in ---------------
sql('CREATE TABLE shared (id int PRIMARY KEY, v text, w int)');
($topic, $name) = start_sink('shared', 2);
$before = deadlocks();
foreach my $round (1 .. 8)
{
	produce($topic, map { my $r = $_; map { { partition => $r, value => qq({"id": $_, "v": "$round", "w": $r}) } }
			$r ? reverse(1 .. 1500) : 1 .. 1500 } 0, 1);
}
poll_until($node, "SELECT sum(kafka_offset) FROM connect.sink_offset WHERE connector = '$name'", 24000);
is(sql("SELECT count(*), min(v), max(v) FROM shared"), '1500|8|8', 'two tasks write the same keys in opposite orders');
is(sql("SELECT sum(retries) FROM connect.task_status WHERE connector = '$name'") . '|' . deadlocks(), "0|$before",
	'and never lock them crosswise');

# --- a locked table --------------------------------------------------------------------------
sql('CREATE TABLE locked (id int PRIMARY KEY, v text)');
($topic, $name) = start_sink('locked', 1, 'lock.timeout.ms' => 100);
sql("BEGIN; LOCK TABLE locked IN ACCESS EXCLUSIVE MODE; PREPARE TRANSACTION 'locker'");
produce($topic, records(0, 1 .. 50));
poll_until($node, "SELECT retries > 2 AND state = 'RUNNING' FROM connect.task_status WHERE connector = '$name'"
	  . " AND waiting_for = 'retry: canceling statement due to lock timeout (lock on table public.locked)'");
pass('a locked table is waited for, no longer than lock.timeout.ms at a time, and named');
sql("COMMIT PREPARED 'locker'");
poll_until($node, 'SELECT count(*) FROM locked', 50);
poll_until($node, "SELECT waiting_for IS NULL FROM connect.task_status WHERE connector = '$name'");
pass('and all rows come when the lock goes, and nothing is waited for');
sql("BEGIN; UPDATE locked SET v = 'other' WHERE id = 7; PREPARE TRANSACTION 'locker'");
my $retries = sql("SELECT retries FROM connect.task_status WHERE connector = '$name'");
produce($topic, records(0, 1 .. 60));
poll_until($node, "SELECT retries > $retries + 2 FROM connect.task_status WHERE connector = '$name'");
is(sql('SELECT count(*) FROM locked'), 50, 'a locked row holds its batch back, and nothing of it is stored');
sql("COMMIT PREPARED 'locker'");
poll_until($node, "SELECT count(*) FROM locked WHERE v = 'task'", 60);
pass('until it is released');
finish();
