# FunctionSink with a real broker: each record once whatever dies, bad records
# to the dead letters, functions that come, go, hang and fail.
use strict;
use warnings;

use ConnectTest;
use JSON::PP;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = connect_node('main', conf => "restart_after_crash = on\nconnect.task_shutdown_graceful_timeout = '500ms'\n");
my $topic = create_topic('events', 2);
my $produced = 0;

expect_in_log($node, qr/was terminated by signal 9/);

sub query { return $node->safe_psql('postgres', $_[0]) }

sub produce_more
{
	my ($n) = @_;

	produce($topic, map { { key => qq("k$_"), value => qq({"id": $_}) } } $produced + 1 .. $produced + $n);
	$produced += $n;
	return;
}

# --- exactly once ----------------------------------------------------------------
query(q(
	CREATE TABLE got (id int, topic text, part int, off bigint);
	CREATE TABLE total (n bigint);
	INSERT INTO total VALUES (0);
	CREATE FUNCTION take(records connect.record[]) RETURNS void LANGUAGE plpgsql AS $$
	BEGIN
		INSERT INTO public.got SELECT (r.value->>'id')::int, r.topic, r.partition, r."offset" FROM unnest(records) AS r;
		UPDATE public.total SET n = n + cardinality(records);
	END $$;
));
produce_more(10);
create_connector($node, 'take',
	{ 'connector.class' => 'FunctionSink', topics => $topic, 'function.name' => 'public.take', 'batch.size' => 7 });

sub check_once
{
	my ($name) = @_;

	poll_until($node, "SELECT count(*) >= $produced FROM got");
	is(query('SELECT count(*), count(DISTINCT id), count(DISTINCT (part, off)), (SELECT n FROM total) FROM got'),
		join('|', ($produced) x 4), $name);
	return;
}

check_once('a function gets each record');
is(query("SELECT string_agg(DISTINCT topic, ',') FROM got"), $topic, 'and where it comes from');

foreach my $step ('sink-begun', 'sink-put', 'sink-committed')
{
	crash_at($node, $step, sub { produce_more(100) });
	check_once("each record once after kill -9 at $step");
}
query("SELECT connect_restart('take', true)");
produce_more(5);
check_once('each record once after a restart');

# --- the function changes ----------------------------------------------------------
query('DROP FUNCTION take');
produce_more(5);
wait_for_state($node, 'take', 'FAILED', task => 0);
like(
	query("SELECT trace FROM connect.task_status WHERE connector = 'take'"),
	qr/42883: function public\.take does not exist\nDETAIL:  It is named by "function\.name"\.\nHINT:  Create it, like/,
	'a function that is gone fails the task, with what to do');
query(q(
	CREATE FUNCTION take(ids int[]) RETURNS void LANGUAGE sql AS
		$$ INSERT INTO public.got SELECT -1 $$;
	DROP FUNCTION take;
	CREATE TYPE just_id AS (id int);
	CREATE FUNCTION take(ids just_id[]) RETURNS void LANGUAGE sql AS $$
		INSERT INTO public.got SELECT i.id, 'later', 100, i.id FROM unnest(ids) AS i;
		UPDATE public.total SET n = n + cardinality(ids) $$;
	SELECT connect_restart_task('take', 0);
));
check_once('made anew, with another argument, it goes on where it was');

my $drop = $node->background_psql('postgres');
$drop->query_safe('BEGIN; DROP FUNCTION take');
produce_more(5);
poll_until($node, "SELECT waiting_for LIKE 'lock on function public.take(%' FROM connect.task_status WHERE connector = 'take'");
$drop->query_safe('ROLLBACK');
$drop->quit;
check_once('a DROP that is rolled back only delays the batch');

# --- a function that does not come back ----------------------------------------------
query(q(
	CREATE OR REPLACE FUNCTION take(ids just_id[]) RETURNS void LANGUAGE plpgsql AS
		$$ BEGIN INSERT INTO public.got SELECT -1; LOOP END LOOP; END $$;
));
produce_more(1);
poll_until($node, "SELECT count(*) FROM pg_stat_activity a JOIN connect.task_status t USING (pid) WHERE a.state = 'active' OR a.xact_start < now() - interval '100 ms'", 1);
query("SELECT connect_stop('take')");
wait_for_state($node, 'take', 'STOPPED');
poll_until($node, "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'connect task'", 0);
is(query('SELECT count(*) FROM got WHERE id < 0'), 0, 'a function that never returns is cancelled by connect_stop');
query(q(
	CREATE OR REPLACE FUNCTION take(ids just_id[]) RETURNS void LANGUAGE plpgsql AS $$ BEGIN
		INSERT INTO public.got SELECT i.id, 'later', 100, i.id FROM unnest(ids) AS i;
		UPDATE public.total SET n = n + cardinality(ids); END $$;
	SELECT connect_resume('take');
));
check_once('put right, it goes on');

# --- what passes is tried again --------------------------------------------------------
query(q(CREATE OR REPLACE FUNCTION take(ids just_id[]) RETURNS void LANGUAGE plpgsql AS $$ BEGIN
	SET LOCAL lock_timeout = '10ms';
	INSERT INTO public.got SELECT i.id, 'later', 100, i.id FROM unnest(ids) AS i;
	UPDATE public.total SET n = n + cardinality(ids); END $$));
my $locker = $node->background_psql('postgres');
$locker->query_safe('BEGIN; LOCK TABLE total');
produce_more(3);
poll_until($node, "SELECT retries > 2 AND state = 'RUNNING' AND waiting_for LIKE 'retry: %lock timeout%' FROM connect.task_status WHERE connector = 'take'");
$locker->query_safe('COMMIT');
$locker->quit;
check_once('a lock that is not free is waited for');

query(q(CREATE OR REPLACE FUNCTION take(ids just_id[]) RETURNS void LANGUAGE sql AS $$
	INSERT INTO public.got SELECT i.id, 'later', 100, i.id FROM unnest(ids) AS i;
	UPDATE public.total SET n = n + cardinality(ids) $$));
$locker = $node->background_psql('postgres');
$locker->query_safe('BEGIN; LOCK TABLE total');
produce_more(1);
poll_until($node, "SELECT pg_cancel_backend(a.pid) FROM pg_stat_activity a JOIN connect.task_status t USING (pid) WHERE a.wait_event_type = 'Lock'");
poll_until($node, "SELECT state = 'RUNNING' AND waiting_for LIKE 'retry: canceling statement%' FROM connect.task_status WHERE connector = 'take'");
$locker->query_safe('COMMIT');
$locker->quit;
check_once('a call that is cancelled is made again');

# --- bad records ---------------------------------------------------------------------------
my $dead = unique_topic('dead');
my $in = create_topic('mixed');

query(q(
	CREATE TABLE good (id int PRIMARY KEY);
	CREATE FUNCTION judge(records connect.record[]) RETURNS void LANGUAGE plpgsql AS $$
	DECLARE
		r connect.record;
	BEGIN
		FOREACH r IN ARRAY records LOOP
			IF r.headers ? 'bad' THEN
				RAISE EXCEPTION 'bad by its header: %', r.headers->>'bad';
			END IF;
			INSERT INTO public.good VALUES ((r.value->>'id')::int);
		END LOOP;
	END $$;
));
produce($in, { value => '{"id": 1}' }, { value => '{"id": "x"}' }, { value => '{"id": 1}' }, { value => '{no json' },
	{ value => '{"id": 2}', headers => [ [ 'bad', 'very' ] ] }, { value => '{"id": 3}' });
create_connector($node, 'judge',
	{ 'connector.class' => 'FunctionSink', topics => $in, 'function.name' => 'public.judge', 'errors.tolerance' => 'all',
	  'errors.deadletterqueue.topic.name' => $dead, 'errors.deadletterqueue.topic.replication.factor' => 1,
	  'errors.deadletterqueue.context.headers.enable' => 'true' });
my @dead = wait_for_records($dead, 4);
is_deeply([ map { $_->{value} } @dead ], [ '{"id": "x"}', '{"id": 1}', '{no json', '{"id": 2}' ],
	'the bad records are in the dead letters, as they came');
poll_until($node, "SELECT kafka_offset FROM connect.sink_offset WHERE connector = 'judge'", 6);
is(query("SELECT string_agg(id::text, ',' ORDER BY id) FROM good"), '1,3', 'the good ones are stored');
like(
	join(' ', map { "$_->[0]=$_->[1]" } @{ $dead[3]{headers} }),
	qr/__connect\.errors\.exception\.message=\S.*bad by its header: very/s,
	'the letter says what the function said');

# --- errors that are the function's ------------------------------------------------------------
query(q(CREATE OR REPLACE FUNCTION judge(records connect.record[]) RETURNS void LANGUAGE plpgsql AS $$ BEGIN COMMIT; END $$));
produce($in, { value => '{"id": 9}' });
wait_for_state($node, 'judge', 'FAILED', task => 0);
like(
	query("SELECT trace FROM connect.task_status WHERE connector = 'judge'"),
	qr/2D000: invalid transaction termination\nHINT:  The batch commits together with its offsets/,
	'a function that commits fails the task');

# --- rights ----------------------------------------------------------------------------------------
query(q(
	CREATE ROLE app LOGIN;
	GRANT EXECUTE ON FUNCTION connect_create(text, jsonb, text), connect_validate(jsonb) TO app;
	CREATE TABLE rows (id int, owner text);
	ALTER TABLE rows ENABLE ROW LEVEL SECURITY;
	CREATE POLICY small ON rows FOR INSERT TO app WITH CHECK (id < 100);
	GRANT INSERT ON rows TO app;
	CREATE FUNCTION as_owner(records connect.record[]) RETURNS void LANGUAGE sql AS
		$$ INSERT INTO public.rows SELECT (r.value->>'id')::int, current_user FROM unnest(records) AS r $$;
	CREATE FUNCTION as_definer(records connect.record[]) RETURNS void LANGUAGE sql SECURITY DEFINER AS
		$$ INSERT INTO public.rows SELECT (r.value->>'id')::int, current_user FROM unnest(records) AS r $$;
	REVOKE EXECUTE ON FUNCTION as_owner, as_definer FROM PUBLIC;
	GRANT EXECUTE ON FUNCTION as_definer TO app;
));
my $rights = create_topic('rights');
my %config = ('connector.class' => 'FunctionSink', topics => $rights, 'errors.tolerance' => 'all');
my ($stdout, $stderr);

$node->psql('postgres', qq(SELECT connect_create('app-owner', '{"connector.class": "FunctionSink", "topics": "$rights", "function.name": "public.as_owner"}')),
	extra_params => [ '-U', 'app' ], stderr => \$stderr);
like($stderr, qr/permission denied for function public\.as_owner\(connect\.record\[\]\)\. GRANT EXECUTE/,
	'the owner needs EXECUTE, and is told');
query('GRANT EXECUTE ON FUNCTION as_owner TO app');
produce($rights, { value => '{"id": 1}' });
foreach my $function ('owner', 'definer')
{
	my $json = encode_json({ %config, 'function.name' => "public.as_$function" });

	# in one transaction: nothing runs as the creator
	query("BEGIN; SELECT connect_create('app-$function', '$json');"
		  . " SELECT connect_alter_owner('app-$function', 'app'); COMMIT");
}
poll_until($node, "SELECT count(*) FROM connect.sink_offset WHERE connector LIKE 'app-%' AND kafka_offset = 1", 2);
query('REVOKE EXECUTE ON FUNCTION as_owner FROM app');
produce($rights, { value => '{"id": 200}' });
wait_for_state($node, 'app-owner', 'FAILED', task => 0);
like(query("SELECT trace FROM connect.task_status WHERE connector = 'app-owner'"),
	qr/42501: permission denied for function public\.as_owner/, 'EXECUTE that is revoked fails the task');
query("GRANT EXECUTE ON FUNCTION as_owner TO app; SELECT connect_restart_task('app-owner', 0)");
poll_until($node, "SELECT trace LIKE '%42501: new row violates row-level security policy%' FROM connect.task_status WHERE connector = 'app-owner'");
is(query("SELECT id, owner FROM rows WHERE owner = 'app'"), '1|app', "privileges and row security are the owner's");
poll_until($node, "SELECT kafka_offset FROM connect.sink_offset WHERE connector = 'app-definer'", 2);
is(query("SELECT string_agg(id::text, ',' ORDER BY id) FROM rows WHERE owner <> 'app'"), '1,200', "those of SECURITY DEFINER its own");
# --- several tasks -----------------------------------------------------------------
my $spread = create_topic('spread', 4);
my $sent = 0;

sub spread_more
{
	my ($rounds) = @_;

	produce($spread, map { { partition => $_ % 4, value => qq({"id": $_}) } } $sent .. $sent + 4 * $rounds - 1);
	$sent += 4 * $rounds;
	return;
}

sub check_spread
{
	my ($name) = @_;

	poll_until($node, "SELECT count(*) >= $sent FROM spread");
	is(query('SELECT count(*), count(DISTINCT id), count(DISTINCT (part, off)) FROM spread'), join('|', ($sent) x 3), $name);
	return;
}

# Until each of the tasks has taken one of four records.
sub share
{
	my $limit = time() + $PostgreSQL::Test::Utils::timeout_default;
	my $pids;

	do
	{
		spread_more(1);
		poll_until($node, "SELECT count(*) >= $sent FROM spread");
		$pids = query("SELECT count(DISTINCT pid) FROM spread WHERE id >= $sent - 4");
	} while ($pids < 3 && time() < $limit);
	is($pids, 3, $_[0]);
	return;
}

query(q(
	CREATE TABLE spread (id int, part int, off bigint, pid int DEFAULT pg_backend_pid());
	CREATE FUNCTION spread(records connect.record[]) RETURNS void LANGUAGE sql AS $$
		INSERT INTO public.spread SELECT (r.value->>'id')::int, r.partition, r."offset" FROM unnest(records) AS r $$;
	SELECT connect_drop(connector) FROM connect.connector;
));
create_connector($node, 'spread', { 'connector.class' => 'FunctionSink', topics => $spread, 'function.name' => 'public.spread', 'tasks.max' => 3, 'batch.size' => 7 });
share('three tasks share four partitions');
foreach my $step ('sink-begun', 'sink-put', 'sink-committed')
{
	crash_at($node, $step, sub { spread_more(50) });
	check_spread("each record once after kill -9 of one of several tasks at $step");
}
share('the tasks share them again');
my $last = query("SELECT pid FROM spread ORDER BY id DESC LIMIT 1");
spread_more(100);
query("SELECT pg_terminate_backend($last)");
spread_more(100);
check_spread('each record once after one of them was terminated');

# --- constraints -------------------------------------------------------------------
# The sink looks for them once: it has to notice one that comes, and one that goes.
my $bound = create_topic('bound', 1);

query(q(
	CREATE TABLE parent (id int PRIMARY KEY);
	CREATE TABLE child (id int);
	CREATE FUNCTION child(records connect.record[]) RETURNS void LANGUAGE sql AS $$
		INSERT INTO public.child SELECT (r.value->>'id')::int FROM unnest(records) AS r $$;
));
create_connector($node, 'bound', { 'connector.class' => 'FunctionSink', topics => $bound, 'function.name' => 'public.child', 'errors.tolerance' => 'all' });
produce($bound, { value => '{"id": 1}' });
poll_until($node, 'SELECT count(*) FROM child', '1');
query('TRUNCATE child; ALTER TABLE child ADD CONSTRAINT child_parent FOREIGN KEY (id) REFERENCES parent DEFERRABLE INITIALLY DEFERRED');
produce($bound, { value => '{"id": 2}' });
poll_until($node, "SELECT records_skipped FROM connect.task_status WHERE connector = 'bound'", '1');
pass('a constraint that has come, and is deferred, is the fault of a record');
query('ALTER TABLE child DROP CONSTRAINT child_parent');
produce($bound, { value => '{"id": 3}' });
poll_until($node, 'SELECT id FROM child', '3');
pass('one that has gone is not in the way');

finish();
