# Capture by trigger: the first read of a table loses nothing, whatever becomes
# of the table meanwhile; offsets that say nonsense, or more, are refused.
use strict;
use warnings;

use ConnectTest;
use Test::More;

my $rows = 20000;
my $kafka = start_broker();
my $bootstrap = broker_file($kafka, 'bootstrap');
my $node = connect_node('main', broker => $bootstrap, conf => "autovacuum = off\nmax_worker_processes = 20\n");

sub sql
{
	return $node->safe_psql('postgres', @_);
}

sub stream
{
	my ($table, %config) = @_;
	create_connector(
		$node, $table,
		{
			'connector.class' => 'TableStreamSource',
			tables => "public.$table",
			'producer.override.buffer.memory' => '1048576',
			%config
		});
	wait_for_state($node, $table, 'RUNNING', task => 0);
	return;
}

sub all_arrive
{
	my ($topic, $test) = @_;

	return is(scalar(keys %{ wait_for_ids($topic, $rows, broker => $bootstrap) }), $rows, $test);
}

# --- the table is written anew in the middle -------------------------------------

my %change = (
	vacuumed => 'VACUUM FULL vacuumed',
	retyped => 'ALTER TABLE retyped ALTER id TYPE bigint',
	restarted => 'ALTER TABLE restarted ALTER id TYPE bigint');

foreach my $table (sort keys %change)
{
	# Dead rows in front make place for the others to move to.
	sql(qq(CREATE TABLE $table (id int PRIMARY KEY, a text DEFAULT repeat('x', 200));
		INSERT INTO $table SELECT generate_series(-$rows, $rows); DELETE FROM $table WHERE id <= 0));
	client('create', $table, 1, -1, { broker => $bootstrap });
	broker_command('freeze', $kafka);
	stream($table);
	poll_until($node, "SELECT progress ~ 'block [1-9]' FROM connect.task_status WHERE connector = '$table'");
	sql($change{$table});
	sql("SELECT connect_restart('$table', true)") if $table eq 'restarted';
	broker_command('thaw', $kafka);
	all_arrive($table, "every row comes: $change{$table}");
	sql("SELECT connect_drop('$table')");
}

# --- the table is gone before what it saw is sent -----------------------------------

sql('CREATE TABLE gone (id int PRIMARY KEY)');
stream('gone');
sql("SELECT connect_stop('gone')");
wait_for_state($node, 'gone', 'STOPPED');
sql('INSERT INTO gone VALUES (1), (2); DROP TABLE gone; CREATE TABLE gone ()');
sql("SELECT connect_resume('gone')");
is(join(' ', map { $_->{value} } wait_for_records('gone', 2, broker => $bootstrap)), '{"id":1} {"id":2}',
	'what was captured of a table that is dropped is sent');

# --- who writes to a partition while the stream begins ---------------------------------

sql(q(CREATE TABLE parts (id int PRIMARY KEY) PARTITION BY RANGE (id);
	CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (1) TO (10);
	CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (10) TO (20)));
my $writer = $node->background_psql('postgres', on_error_stop => 1);
my $streamer = $node->background_psql('postgres', on_error_stop => 1);
$writer->query_safe('BEGIN; INSERT INTO parts_1 VALUES (1)');
$streamer->query_until(qr/begins/, "\\echo begins\nSELECT connect_stream_table('parts');\n");
poll_until($node, 'SELECT count(*) FROM pg_locks WHERE NOT granted', '1');
sql('INSERT INTO parts_2 VALUES (10)');
$writer->query_safe('COMMIT');
$_->quit foreach $writer, $streamer;
sql('INSERT INTO parts_2 VALUES (11)');
is(join(' ', sort map { $_->{value} =~ /(\d+)/ } wait_for_records('parts', 3, broker => $bootstrap)), '1 10 11',
	'a row that comes into a partition while another is waited for is there');

# --- who is under way while the stream begins, and who begins it -------------------------

# What each writes comes once, be it by the read or by the queue.
sql('CREATE TABLE other (id int); CREATE TABLE early (id int PRIMARY KEY, v text); INSERT INTO early VALUES (1), (2), (3)');
$writer = $node->background_psql('postgres', on_error_stop => 1);
$writer->query_safe('BEGIN; INSERT INTO other VALUES (1); SAVEPOINT a; INSERT INTO other VALUES (2)');
sql(q(BEGIN;
	INSERT INTO early VALUES (4);
	SAVEPOINT a;
	INSERT INTO early VALUES (5);
	RELEASE a;
	SELECT connect_create('early', '{"connector.class": "TableStreamSource", "tables": "public.early"}', 'PAUSED');
	INSERT INTO early VALUES (6);
	UPDATE early SET v = 'own' WHERE id = 1;
	DELETE FROM early WHERE id = 2;
	COMMIT));
$writer->query_safe(q(INSERT INTO early VALUES (7); RELEASE a; INSERT INTO early VALUES (8);
	UPDATE early SET v = 'other' WHERE id = 3; COMMIT));
$writer->quit;
sql(q(BEGIN; INSERT INTO early VALUES (9); SAVEPOINT a; INSERT INTO early VALUES (10); COMMIT));
sql("SELECT connect_resume('early')");
sql('INSERT INTO early VALUES (11)');
wait_for_records('early', 10, broker => $bootstrap);
is(join(' ', sort map { join('', $_->{value} =~ /(\d+).*(null|"o.*")/) } consume('early', broker => $bootstrap)),
	'1"own" 10null 11null 3"other" 4null 5null 6null 7null 8null 9null',
	'no change comes twice, whoever was under way when the stream began');

# A savepoint's change is in the queue: what follows it has to come behind it.
sql(q(CREATE TABLE later (id int PRIMARY KEY, v int);
	BEGIN;
	SELECT connect_stream_table('later');
	INSERT INTO later VALUES (1, 0);
	SAVEPOINT a;
	UPDATE later SET v = 1;
	RELEASE a;
	UPDATE later SET v = 2;
	COMMIT;
	INSERT INTO later VALUES (2, 0)));
my @later;
do { @later = map { $_->{value} } consume('later', broker => $bootstrap) } until grep { /"id":2/ } @later;
is($later[-2], '{"id":1,"v":2}', 'the last of the changes of one transaction comes last');

# --- a stream that writes no WAL yet -----------------------------------------------------

my $minimal = connect_node('minimal', broker => $bootstrap, conf => "wal_level = minimal\nmax_wal_senders = 0\n");
$minimal->safe_psql('postgres', <<'SQL');
BEGIN;
CREATE TABLE unlogged (id int PRIMARY KEY);
SELECT connect_stream_table('unlogged', snapshot => false);
INSERT INTO unlogged SELECT generate_series(1, 20000);
COMMIT;
SQL
my $last = 0;
my @wrong = grep { my $id = ($_->{value} =~ /(\d+)/)[0]; $id != ++$last } wait_for_records('unlogged', $rows, broker => $bootstrap);
is(scalar(@wrong), 0, 'changes keep their order while nothing goes into the WAL');
$minimal->stop;

# --- offsets that are altered --------------------------------------------------------------

sql(q(CREATE TABLE secret (id int PRIMARY KEY); INSERT INTO secret VALUES (4711);
	CREATE ROLE low; GRANT EXECUTE ON FUNCTION connect_create(text, jsonb, text) TO low; CREATE SCHEMA low AUTHORIZATION low;
	SET ROLE low; CREATE TABLE low.mine (id int PRIMARY KEY); INSERT INTO low.mine VALUES (1);
	SELECT connect_create('low', '{"connector.class": "TableStreamSource", "tables": "low.mine"}', 'STOPPED')));
wait_for_state($node, 'low', 'STOPPED');

sub refuses
{
	my ($what, $expected, $partition, $offset) = @_;
	my $stderr = '';

	$node->psql('postgres', qq(SELECT connect_alter_offsets('low', '{"offsets": [{"partition": $partition, "offset": $offset}]}')),
		stderr => \$stderr);
	return like($stderr, $expected, "$what is refused");
}

refuses('a position in no queue', qr/is no source partition/, '{"queue": "gone"}', '{"from": "3:3:"}');
refuses('a partition of another kind', qr/is no source partition/, '{"file": "x"}', '{"position": 1}');
refuses('a queue without a position', qr/has no "from"/, '{"queue": "low"}', '{"x": 1}');
refuses('a position that is none', qr/pg_snapshot: "x"/, '{"queue": "low"}', '{"from": "x"}');
refuses('a position in the future', qr/is ahead of all transactions/, '{"queue": "low"}', '{"from": "1000000:1000000:"}');
sql(q(SET ROLE low; SELECT connect_alter_offsets('low', format(
	'{"offsets": [{"partition": {"table": "low.mine"}, "offset": {"leaf": %s, "file": %s, "block": 0}}]}',
	'secret'::regclass::oid, pg_relation_filenode('secret'))::jsonb); SELECT connect_resume('low')));
poll_until($node, q(SELECT source_offset = '{"read": true}' FROM connect.source_offset WHERE connector = 'low'));
is(join(' ', map { $_->{value} } wait_for_records('mine', 1, broker => $bootstrap)), '{"id":1}',
	'nor has another table read who names it in an offset');
finish();
