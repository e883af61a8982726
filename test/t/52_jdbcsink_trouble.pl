# What stands in a table sink's way: errors that pass are tried again, visibly and
# without losing a record, whatever errors.tolerance says; bad records leave
# their batch alone.
use strict;
use warnings;

use ConnectTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = connect_node('main', conf => "max_prepared_transactions = 2\nmax_worker_processes = 32\n");
my %sink = ('connector.class' => 'JdbcSink', 'retry.backoff.ms' => 50);

# A table into whose way "trouble" can be put: each row raises its SQLSTATE.
$node->safe_psql('postgres', q{
	CREATE TABLE trouble (code text);
	CREATE FUNCTION meet_trouble() RETURNS trigger LANGUAGE plpgsql AS $$
	DECLARE wanted text := (SELECT code FROM trouble);
	BEGIN
		IF wanted IS NOT NULL THEN
			RAISE 'trouble' USING ERRCODE = wanted;
		END IF;
		RETURN new;
	END $$});

sub make_table
{
	my ($name) = @_;

	$node->safe_psql('postgres', "CREATE TABLE $name (id int PRIMARY KEY, v text)");
	return;
}

# The names of connectors are those of their groups, and outlive the test.
sub start_sink
{
	my ($table, %config) = @_;
	my $topic = create_topic($table);
	my $name = unique_topic($table);

	create_connector($node, $name, { %sink, topics => $topic, 'table.name.format' => "public.$table", %config });
	return ($topic, $name);
}

sub ids { return map { { value => qq({"id": $_, "v": "v$_"}) } } @_; }

sub status
{
	my ($name, $what) = @_;

	return $node->safe_psql('postgres', "SELECT $what FROM connect.task_status WHERE connector = '$name'");
}

# --- errors that pass --------------------------------------------------------------
make_table('passing');
$node->safe_psql('postgres',
	'CREATE TRIGGER t BEFORE INSERT ON passing FOR EACH ROW EXECUTE FUNCTION meet_trouble()');
my ($topic, $name) = start_sink('passing', 'errors.tolerance' => 'all', 'max.retries' => 1000000);
my $stored = 0;
foreach my $case ([ '53100', 'a full disk' ], [ '55P03', 'a lock timeout' ], [ '40P01', 'a deadlock' ],
	[ '57014', 'a cancelled statement' ], [ '58030', 'a failing disk' ])
{
	my ($code, $what) = @$case;
	my $retries = status($name, 'coalesce(max(retries), 0)') || 0;

	$node->safe_psql('postgres', "INSERT INTO trouble VALUES ('$code')");
	produce($topic, ids($stored + 1 .. $stored + 20));
	poll_until($node, "SELECT retries > $retries + 2 AND waiting_for = 'retry: trouble' AND state = 'RUNNING' "
		. "FROM connect.task_status WHERE connector = '$name'");
	is($node->safe_psql('postgres', 'SELECT count(*) FROM passing'), $stored, "$what is waited out");
	$node->safe_psql('postgres', 'DELETE FROM trouble');
	$stored += 20;
	poll_until($node, 'SELECT count(*) FROM passing', $stored);
	pass("and then discards no record, with errors.tolerance=all");
}
poll_until($node, "SELECT waiting_for IS NULL FROM connect.task_status WHERE connector = '$name'");
pass('what it waited for is not shown any longer');

# --- max.retries ----------------------------------------------------------------------
expect_in_log($node, qr/Task threw an uncaught/);
make_table('bounded');
$node->safe_psql('postgres',
	'CREATE TRIGGER t BEFORE INSERT ON bounded FOR EACH ROW EXECUTE FUNCTION meet_trouble()');
$node->safe_psql('postgres', "INSERT INTO trouble VALUES ('53100')");
($topic, $name) = start_sink('bounded', 'errors.tolerance' => 'all', 'max.retries' => 3);
produce($topic, ids(1));
wait_for_state($node, $name, 'FAILED', task => 0);
like(status($name, 'trace'), qr/trouble.*Tried 4 times; max\.retries is 3/s, 'max.retries bounds it');
$node->safe_psql('postgres', 'DELETE FROM trouble');
$node->safe_psql('postgres', "SELECT connect_restart('$name', true)");
poll_until($node, 'SELECT count(*) FROM bounded', 1);
pass('a restart finds the record where it was');

# --- a locked table ---------------------------------------------------------------------
make_table('locked');
$node->safe_psql('postgres', "BEGIN; LOCK TABLE locked IN SHARE MODE; PREPARE TRANSACTION 'locker'");
($topic, $name) = start_sink('locked');
produce($topic, ids(1 .. 10));
poll_until($node, "SELECT waiting_for FROM connect.task_status WHERE connector = '$name'", 'lock on table public.locked');
pass('a lock that is waited for is shown');
$node->safe_psql('postgres', "COMMIT PREPARED 'locker'");
poll_until($node, 'SELECT count(*) FROM locked', 10);
pass('and the rows come when it is released');

# --- a row that somebody else has locked ----------------------------------------------
$node->safe_psql('postgres', "BEGIN; UPDATE locked SET v = 'other' WHERE id = 5; PREPARE TRANSACTION 'locker'");
($topic, $name) = start_sink('locked', 'insert.mode' => 'upsert', 'pk.mode' => 'record_value', 'pk.fields' => 'id');
produce($topic, ids(1 .. 20));
poll_until($node, "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'connect task' AND wait_event = 'transactionid'", 1);
$node->safe_psql('postgres', "COMMIT PREPARED 'locker'");
poll_until($node, 'SELECT count(*) FROM locked', 20);
is($node->safe_psql('postgres', 'SELECT v FROM locked WHERE id = 5'), 'v5', 'an upsert waits for a row, and wins after it');

# --- bad records ---------------------------------------------------------------------------
make_table('bad');
$node->safe_psql('postgres', 'ALTER TABLE bad ADD CHECK (id <> 13)');
my $letters = create_topic('letters');
($topic, $name) = start_sink('bad', 'errors.tolerance' => 'all', 'errors.deadletterqueue.topic.name' => $letters,
	'errors.deadletterqueue.topic.replication.factor' => 1, 'errors.deadletterqueue.context.headers.enable' => 'true');
produce($topic, ids(1 .. 12), { value => '{"id": "x"}' }, ids(13 .. 16), { value => '{"id": 7}' },
	{ value => '{"id": 8' }, ids(17 .. 30));
poll_until($node, 'SELECT count(*) FROM bad', 29);
my @letters = wait_for_records($letters, 4);
is_deeply([ map { $_->{value} } @letters ], [ '{"id": "x"}', '{"id": 13, "v": "v13"}', '{"id": 7}', '{"id": 8' ],
	'the bad records of a batch are dead letters, all others are stored');
my @headers = map { { map { @$_ } @{ $_->{headers} } } } @letters;
is_deeply([ map { $_->{'__connect.errors.offset'} } @headers ], [ 12, 13, 17, 18 ], 'their headers name the offset');
is_deeply([ map { $_->{'__connect.errors.topic'} } @headers ], [ ($topic) x 4 ], 'and the topic');
is_deeply([ map { "$_->{'__connect.errors.stage'} $_->{'__connect.errors.class.name'}" } @headers ],
	[ ('TASK_PUT org.apache.kafka.connect.sink.SinkTask') x 3, 'VALUE_CONVERTER org.apache.kafka.connect.json.JsonConverter' ],
	'and the stage: what is no JSON failed in the converter');
like($headers[0]{'__connect.errors.exception.message'}, qr/\Q$topic\E-0\@12.*"id"/s, 'a bad value names record and field');
like($headers[1]{'__connect.errors.exception.message'}, qr/check constraint/, 'a check its constraint');
like($headers[2]{'__connect.errors.exception.message'}, qr/duplicate key.*\(id\)=\(7\)/s, 'a duplicate its key');

# --- a table that changes, or goes, while it is written to -----------------------------------
make_table('changing');
($topic, $name) = start_sink('changing');
produce($topic, ids(1));
poll_until($node, 'SELECT count(*) FROM changing', 1);
$node->safe_psql('postgres', 'ALTER TABLE changing ADD w int DEFAULT 3, DROP v; ALTER TABLE changing ADD v varchar(10)');
produce($topic, ids(2));
poll_until($node, "SELECT v FROM changing WHERE id = 2 AND w = 3", 'v2');
pass('columns come and go between two batches');
expect_in_log($node, qr/Table "public\.changing" is missing/);
$node->safe_psql('postgres', 'DROP TABLE changing');
produce($topic, ids(3));
wait_for_state($node, $name, 'FAILED', task => 0);
like(status($name, 'trace'), qr/Table "public\.changing" is missing/, 'a table that has gone fails the task');
make_table('changing');
$node->safe_psql('postgres', "SELECT connect_restart('$name', true)");
poll_until($node, 'SELECT id FROM changing', 3);
pass('and made again it gets the record');

# --- two tasks make the same table -------------------------------------------------------------
my $made = create_topic('made', 4);
my $maker = unique_topic('maker');
produce($made, map { { partition => $_ % 4, value =>
		qq({"schema": {"type": "struct", "fields": [{"field": "id", "type": "int32"}]}, "payload": {"id": $_}}) } } 1 .. 40);
create_connector($node, $maker, { %sink, topics => $made, 'tasks.max' => 2, 'table.name.format' => 'public.made',
		'auto.create' => 'true', 'pk.mode' => 'record_value', 'pk.fields' => 'id',
		'value.converter' => 'org.apache.kafka.connect.json.JsonConverter' });
poll_until($node, 'SELECT count(*) FROM made', 40);
pass('two tasks create one table');
finish();
