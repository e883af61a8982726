# FunctionSource with a real broker: what a function returns, in order, at
# least once whatever dies; functions that come, go, hang and fail.
use strict;
use warnings;

use ConnectTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = connect_node('main', conf => "restart_after_crash = on\nconnect.task_shutdown_graceful_timeout = '500ms'\n");
my $made = 0;

expect_in_log($node, qr/was terminated by signal 9/);

sub query { return $node->safe_psql('postgres', $_[0]) }

sub count_of { my @records = consume($_[0]); return scalar(@records) }

sub make_events
{
	my ($n) = @_;

	query("INSERT INTO events SELECT g, 'event ' || g FROM generate_series($made + 1, $made + $n) g");
	$made += $n;
	return;
}

# --- at least once, in order -----------------------------------------------------------
my $topic = create_topic('events');

query(q(
	CREATE TABLE events (id bigint PRIMARY KEY, body text);
	CREATE TABLE calls (last_id bigint, at timestamptz DEFAULT clock_timestamp());
	CREATE FUNCTION next_events(last_offset jsonb, max_rows integer)
	RETURNS TABLE (key bigint, value events, "offset" jsonb) LANGUAGE plpgsql AS $$
	BEGIN
		INSERT INTO public.calls VALUES ((last_offset->>'id')::bigint);
		RETURN QUERY SELECT e.id, e, jsonb_build_object('id', e.id) FROM public.events e
			WHERE e.id > coalesce((last_offset->>'id')::bigint, 0) ORDER BY e.id LIMIT max_rows;
	END $$;
));
make_events(250);
create_connector($node, 'events',
	{ 'connector.class' => 'FunctionSource', topic => $topic, 'function.name' => 'public.next_events',
	  'batch.max.rows' => 100, 'poll.interval.ms' => 20 });

sub check_topic
{
	my ($name) = @_;
	my %seen;

	poll_until($node, "SELECT source_offset->>'id' FROM connect.source_offset WHERE connector = 'events'", $made);
	is_deeply([ grep { !$seen{$_}++ } map { $_->{value} } consume($topic) ],
		[ map { qq({"id":$_,"body":"event $_"}) } 1 .. $made ], $name);
	return;
}

check_topic('rows are records, in order');
is((consume($topic))[0]{key}, '1', 'keys are what the function says');
is(count_of($topic), 250, 'each is there once if nothing dies');
is(query("SELECT source_partition FROM connect.source_offset"), '{"function": "public.next_events"}', 'the source partition is the function');
is(query("SELECT string_agg(DISTINCT last_id::text, ',') FROM calls WHERE last_id % 100 = 0"), '100,200', 'a full batch is followed by the next');

# Makes events while the task is paused, and lets it die over them.
sub die_over
{
	my ($step, $n) = @_;

	query("SELECT connect_pause('events')");
	wait_for_state($node, 'events', 'PAUSED', task => 0);
	make_events($n);
	# the answer may be lost in the crash
	crash_at($node, $step, sub { eval { $node->psql('postgres', "SELECT connect_resume('events')") } });
	return;
}

foreach my $step ('source-polled', 'source-store', 'source-stored')
{
	die_over($step, 150);
	check_topic("nothing is lost when it dies at $step");
}
query("SELECT connect_restart('events', true)");
make_events(10);
check_topic('nothing is lost by a restart');

# --- the function changes, fails, hangs ---------------------------------------------------
query(q(CREATE OR REPLACE FUNCTION next_events(last_offset jsonb, max_rows integer)
	RETURNS TABLE (key bigint, value events, "offset" jsonb) LANGUAGE sql AS
	$$ SELECT e.id, e, jsonb_build_object('id', e.id) FROM public.events e
		WHERE e.id > coalesce((last_offset->>'id')::bigint, 0) ORDER BY e.id LIMIT max_rows $$));
make_events(5);
check_topic('what replaces the function is called next');

query('DROP FUNCTION next_events');
wait_for_state($node, 'events', 'FAILED', task => 0);
like(query("SELECT trace FROM connect.task_status WHERE connector = 'events'"),
	qr/42883: function public\.next_events does not exist\nDETAIL:  It is named by "function\.name"/, 'a function that is gone fails the task');

query(q(CREATE FUNCTION next_events(last_offset jsonb) RETURNS TABLE (value events, "offset" jsonb) LANGUAGE plpgsql AS
	$$ BEGIN INSERT INTO calls VALUES (-1); LOOP END LOOP; END $$;
	SELECT connect_restart_task('events', 0)));
poll_until($node, "SELECT count(*) FROM pg_stat_activity a JOIN connect.task_status t USING (pid) WHERE a.xact_start < clock_timestamp() - interval '100 ms'", 1);
query("SELECT connect_stop('events')");
wait_for_state($node, 'events', 'STOPPED');
poll_until($node, "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'connect task'", 0);
is(query('SELECT count(*) FROM calls WHERE last_id < 0'), 0, 'a function that never returns is cancelled by connect_stop');

query(q(CREATE OR REPLACE FUNCTION next_events(last_offset jsonb) RETURNS TABLE (value events, "offset" jsonb) LANGUAGE plpgsql AS
	$$ BEGIN
		RETURN QUERY SELECT e, to_jsonb(e.id) FROM public.events e LIMIT 1;
	END $$;
	SELECT connect_resume('events')));
wait_for_state($node, 'events', 'FAILED', task => 0);
like(query("SELECT trace FROM connect.task_status WHERE connector = 'events'"),
	qr/column "offset" must be a JSON object\nDETAIL:  The function returned 1\.\nHINT:  Use jsonb_build_object/, 'an offset that is none is refused');

# Offsets are altered as in Connect; rows of one offset stay together.
query(q(CREATE OR REPLACE FUNCTION next_events(last_offset jsonb) RETURNS TABLE (value events, "offset" jsonb) LANGUAGE sql AS
	$$ SELECT e, jsonb_build_object('id', (e.id + 9) / 10 * 10) FROM public.events e
		WHERE e.id > coalesce((last_offset->>'id')::bigint, 0) ORDER BY e.id $$;
	SELECT connect_stop('events')));
wait_for_state($node, 'events', 'STOPPED');
my $before = count_of($topic);
query(sprintf(q(SELECT connect_alter_offsets('events', '{"offsets": [{"partition": {"function": "public.next_events"}, "offset": {"id": %d}}]}');
	SELECT connect_resume('events')), $made - 5));
poll_until($node, "SELECT source_offset->>'id' FROM connect.source_offset WHERE connector = 'events'", int(($made + 9) / 10) * 10);
is(count_of($topic), $before + 5, 'it begins after an offset that was altered');
query("SELECT connect_drop('events')");

# --- forms -----------------------------------------------------------------------------------
my $forms = create_topic('forms', 2);
my $other = create_topic('other');

query(qq(
	CREATE FUNCTION forms(last_offset jsonb) RETURNS TABLE (topic text, partition integer, key text, value jsonb, headers jsonb,
		"timestamp" timestamptz, "offset" jsonb) LANGUAGE sql AS \$\$
		SELECT * FROM (VALUES
			(NULL, 1, 'a', '{"n": 1.50, "x": [null]}'::jsonb, '{"h": "v", "n": 5}'::jsonb, timestamptz '2020-01-01 00:00:00.123+00', '{"i": 1}'::jsonb),
			('$other', NULL, 'b', '"text"', NULL, NULL, '{"i": 2}'),
			(NULL, 0, NULL, NULL, NULL, '2020-01-01 00:00:00+00', '{"i": 3}')) v
		WHERE last_offset IS NULL \$\$;
));
create_connector($node, 'forms', { 'connector.class' => 'FunctionSource', topic => $forms, 'function.name' => 'public.forms' });
poll_until($node, "SELECT source_offset FROM connect.source_offset WHERE connector = 'forms'", '{"i": 3}');
is_deeply(
	[ map { [ @$_{qw(partition timestamp key value headers)} ] } consume($forms) ],
	[ [ 0, 1577836800000, undef, undef, [] ], [ 1, 1577836800123, '"a"', '{"n": 1.50, "x": [null]}', [ [ 'h', 'v' ], [ 'n', '5' ] ] ] ],
	'topic, partition, timestamp and headers are what the function says; a null is a tombstone');
is((consume($other))[0]{value}, '"text"', 'a row may name its topic');

my %seen;
query('CREATE TYPE just_row AS (id int, n numeric(6,2))');
foreach my $case (
	[ 'text', "'x'::text", 'StringConverter', 'x' ],
	[ 'bytea', "'\\x4142'::bytea", 'ByteArrayConverter', 'AB' ],
	[ 'record', "ROW(1, 'a')", undef, '{"f1":1,"f2":"a"}' ],
	[ 'integer', '7', undef, '7' ],
	[ 'text[]', "'{a,b}'::text[]", undef, '["a","b"]' ],
	[ 'jsonb', q('{"a": 1.50}'::jsonb), undef, '{"a": 1.50}' ],
	[ 'jsonb', q('{"a": 1.50}'::jsonb), 'StringConverter', '{"a": 1.50}' ],
	[ 'jsonb', q('{"a": 1.50}'::jsonb), 'JsonConverter', '{"a": 1.50}', 'value.converter.schemas.enable' => 'false' ],
	[ 'just_row', q(ROW(1, 0.10)::just_row), 'JsonConverter',
		'{"schema":{"type":"struct","fields":[{"type":"int32","optional":true,"field":"id"},{"type":"bytes","optional":true,'
		  . '"name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2","connect.decimal.precision":"6"},"field":"n"}],'
		  . '"optional":false,"name":"just_row"},"payload":{"id":1,"n":"Cg=="}}' ],
	[ 'integer', '7', 'JsonConverter', '{"schema":{"type":"int32","optional":true},"payload":7}' ])
{
	my ($type, $value, $converter, $expected, %more) = @$case;
	my $to = create_topic('typed');
	my $name = 'typed_' . ++$seen{typed};

	query(qq(CREATE FUNCTION $name(last_offset jsonb) RETURNS TABLE (value $type, "offset" jsonb) LANGUAGE sql AS
		\$\$ SELECT $value, '{}'::jsonb WHERE last_offset IS NULL \$\$));
	create_connector($node, $name, { 'connector.class' => 'FunctionSource', topic => $to, 'function.name' => "public.$name",
		defined $converter ? ('value.converter' => $converter) : (), %more });
	is((wait_for_records($to, 1))[0]{value}, $expected, "a value of type $type" . ($converter ? " with $converter" : ''));
	query("SELECT connect_drop('$name')");
}

# --- large results ---------------------------------------------------------------------------------
my $large = create_topic('large');

query(qq(
	ALTER DATABASE postgres SET work_mem = '64kB';
	CREATE FUNCTION large(last_offset jsonb) RETURNS TABLE (value text, "offset" jsonb) LANGUAGE sql AS
		\$\$ SELECT repeat('x', 1000) || g, jsonb_build_object('g', g) FROM generate_series(1, 40000) g
			WHERE g > coalesce((last_offset->>'g')::int, 0) \$\$;
));
create_connector($node, 'large', { 'connector.class' => 'FunctionSource', topic => $large, 'function.name' => 'public.large',
	'value.converter' => 'StringConverter', 'producer.override.queue.buffering.max.messages' => 1000 });
poll_until($node, "SELECT source_offset->>'g' FROM connect.source_offset WHERE connector = 'large'", 40000);
my $wrong = 0;
my $n = 0;
foreach my $record (consume($large))
{
	$wrong++ if substr($record->{value}, 1000) != ++$n;
}
is("$n $wrong", '40000 0', 'a result larger than memory and queue arrives whole and in order');
query("SELECT connect_drop('large'); ALTER DATABASE postgres RESET work_mem");

# --- source partitions -------------------------------------------------------------------------------
my $parted = create_topic('parted');

query(q(
	CREATE TABLE parts (name text PRIMARY KEY);
	INSERT INTO parts VALUES ('a'), ('b'), ('c');
	CREATE FUNCTION parts() RETURNS SETOF text LANGUAGE sql AS 'SELECT name FROM public.parts';
	CREATE FUNCTION part_rows(source_partition jsonb, last_offset jsonb) RETURNS TABLE (value text, "offset" jsonb) LANGUAGE sql AS
		$$ SELECT (source_partition->>'partition') || g, jsonb_build_object('g', g) FROM generate_series(1, 3) g
			WHERE g > coalesce((last_offset->>'g')::int, 0) $$;
));
create_connector($node, 'parted', { 'connector.class' => 'FunctionSource', topic => $parted, 'function.name' => 'public.part_rows',
	'value.converter' => 'StringConverter', 'partitions.function' => 'public.parts', 'tasks.max' => 2,
	'partitions.poll.interval.ms' => 50 });
poll_until($node, "SELECT count(*) FROM connect.source_offset WHERE connector = 'parted' AND source_offset = '{\"g\": 3}'", 3);
is(join(' ', sort map { $_->{value} } consume($parted)), 'a1 a2 a3 b1 b2 b3 c1 c2 c3', 'each source partition is read');
is(query("SELECT count(*) FROM connect.task_status WHERE connector = 'parted'"), 2, 'they are split among the tasks');
query("INSERT INTO parts VALUES ('d')");
poll_until($node, q(SELECT source_offset FROM connect.source_offset WHERE connector = 'parted' AND source_partition = '{"partition": "d"}'), '{"g": 3}');
is(count_of($parted), 12, 'a new one is found, and the others go on where they were');

# What the coordinator asks may fail; the connector says so, and goes on when it is mended.
query(q(CREATE OR REPLACE FUNCTION parts() RETURNS SETOF text LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no parts today'; END $$;
	SELECT connect_patch('parted', '{"tasks.max": 3}')));
poll_until($node, "SELECT coalesce(trace, reason) LIKE '%no parts today%' FROM connect.connector_status WHERE connector = 'parted'");
query(q(CREATE OR REPLACE FUNCTION parts() RETURNS SETOF text LANGUAGE sql AS 'SELECT name FROM public.parts';
	SELECT connect_restart('parted', true)));
poll_until($node, "SELECT count(*) FROM connect.task_status WHERE connector = 'parted' AND state = 'RUNNING'", 3);
is(count_of($parted), 12, 'a function of partitions that fails fails the connector until it is mended');

# --- rights ------------------------------------------------------------------------------------------
my $rights = create_topic('rights');

query(q(
	CREATE ROLE app;
	CREATE TABLE secret (id int, owner name);
	INSERT INTO secret VALUES (1, 'app'), (2, 'other');
	ALTER TABLE secret ENABLE ROW LEVEL SECURITY;
	CREATE POLICY own ON secret USING (owner = current_user);
	GRANT SELECT ON secret TO app;
	CREATE FUNCTION secrets(last_offset jsonb) RETURNS TABLE (value int, "offset" jsonb) LANGUAGE sql AS
		$$ SELECT id, jsonb_build_object('id', id) FROM public.secret WHERE last_offset IS NULL $$;
));
create_connector($node, 'rights', { 'connector.class' => 'FunctionSource', topic => $rights, 'function.name' => 'public.secrets', 'poll.interval.ms' => 20 });
query("SELECT connect_stop('rights'); SELECT connect_alter_owner('rights', 'app')");
wait_for_state($node, 'rights', 'STOPPED');
query("SELECT connect_reset_offsets('rights'); SELECT connect_resume('rights')");
poll_until($node, "SELECT source_offset FROM connect.source_offset WHERE connector = 'rights'", '{"id": 1}');
query('REVOKE EXECUTE ON FUNCTION secrets FROM PUBLIC');
wait_for_state($node, 'rights', 'FAILED', task => 0);
like(query("SELECT trace FROM connect.task_status WHERE connector = 'rights'"),
	qr/42501: permission denied for function public\.secrets\(jsonb\)\n.*\nHINT:  GRANT EXECUTE/, 'EXECUTE that is revoked fails the task');
# --- times before 2000 -------------------------------------------------------------
my $old = create_topic('old', 1);

query(q(CREATE FUNCTION old(last_offset jsonb) RETURNS TABLE (value int, "timestamp" timestamptz, "offset" jsonb) LANGUAGE sql AS
	$$ SELECT 1, '1999-12-31 23:59:59.9985Z'::timestamptz, '{"i": 1}'::jsonb WHERE last_offset IS NULL $$));
create_connector($node, 'old', { 'connector.class' => 'FunctionSource', topic => $old, 'function.name' => 'public.old' });
is((wait_for_records($old, 1))[0]->{timestamp}, 946684799998, 'a fraction of a millisecond before 2000 is dropped, not rounded up');

finish();
