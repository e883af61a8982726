# Capture by trigger: every committed change arrives, in the order of each row.
use strict;
use warnings;

use ConnectTest;
use IPC::Run;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = connect_node('main', conf => "max_prepared_transactions = 5\nrestart_after_crash = on\n");

# Four writers that contend for twenty counters; savepoints and whole
# transactions are rolled back.
my $script = PostgreSQL::Test::Utils::tempdir . '/writers.sql';
append_to_file($script, <<'SQL');
\set id random(1, 20)
\set other random(1, 20)
\set fate random(1, 4)
BEGIN;
UPDATE counters SET v = v + 1 WHERE id = :id;
SAVEPOINT s;
UPDATE counters SET v = v + 100000 WHERE id = :id;
ROLLBACK TO s;
SAVEPOINT t;
UPDATE counters SET v = v + 1 WHERE id = :id;
RELEASE t;
\if :fate = 1
ROLLBACK;
\else
COMMIT;
\endif
SQL

sub start_writers
{
	my ($transactions) = @_;
	my ($out, $err) = ('', '');
	return IPC::Run::start(
		[
			$node->installed_command('pgbench'), '-n', '-c', 4, '-j', 2, '-t', $transactions,
			'-f', $script, '-h', $node->host, '-p', $node->port, 'postgres'
		],
		'>', \$out, '2>', \$err);
}

# The values of each counter, in the order of the topic.
sub values_by_id
{
	my ($topic) = @_;
	my %seen;
	for my $record (consume($topic))
	{
		my ($id) = $record->{key} =~ /"id":(\d+)/;
		my ($v) = $record->{value} =~ /"v":(\d+)/;
		push @{ $seen{$id} }, $v;
	}
	return \%seen;
}

sub last_values
{
	my ($seen) = @_;
	return join(',', map { "$_=" . $seen->{$_}[-1] } sort { $a <=> $b } keys %$seen);
}

# Waits until the topic's last values are the table's, and returns all values.
sub wait_for_table
{
	my ($topic) = @_;
	my $expected = $node->safe_psql('postgres',
		"SELECT string_agg(id || '=' || v, ',' ORDER BY id) FROM counters");
	my $seen;
	for (1 .. 600)
	{
		$seen = values_by_id($topic);
		last if last_values($seen) eq $expected;
		# a condition, not a pause: the next record
		$node->safe_psql('postgres', "SELECT connect_wait('counters', 'FAILED', '100ms')");
	}
	is(last_values($seen), $expected, 'the last record of each row is the row');
	return $seen;
}

$node->safe_psql('postgres',
	'CREATE TABLE counters (id int PRIMARY KEY, v int);'
	  . 'INSERT INTO counters SELECT i, 0 FROM generate_series(1, 20) i');
my $topic = create_topic('counters', 1);
my $writers = start_writers(400);
$node->safe_psql('postgres',
	"SELECT connect_stream_table('counters', topic => '$topic', connector => 'counters')");
wait_for_state($node, 'counters', 'RUNNING', task => 0);
$writers->finish;
is($writers->result(0), 0, 'writers were not disturbed');

my $seen = wait_for_table($topic);
my @wrong;
for my $id (keys %$seen)
{
	my $values = $seen->{$id};
	push @wrong, "$id: $values->[$_ - 1], $values->[$_]"
	  for grep { $values->[$_] != $values->[ $_ - 1 ] + 1 } 1 .. $#$values;
}
is_deeply(\@wrong, [], 'from the first read on each change comes once, in order, and none that was rolled back');

# the task dies by kill -9, and the server with it
$writers = start_writers(100000);
my $count = scalar consume($topic);
wait_for_records($topic, $count + 500);
expect_in_log($node, qr/was terminated by signal 9/);
my $pid = $node->safe_psql('postgres', "SELECT pid FROM connect.task_status WHERE connector = 'counters'");
kill 'KILL', $pid;
$writers->finish;
poll_until($node, 'SELECT NOT pg_is_in_recovery()');
wait_for_state($node, 'counters', 'RUNNING', task => 0);
$writers = start_writers(50);
$writers->finish;
$seen = wait_for_table($topic);
@wrong = ();
for my $id (keys %$seen)
{
	my %have = map { $_ => 1 } @{ $seen->{$id} };
	push @wrong, grep { !$have{$_} } $seen->{$id}[0] .. $seen->{$id}[-1];
}
is_deeply(\@wrong, [], 'after kill -9 no change is missing');

# a prepared transaction counts when it is committed, from whatever session
my $outbox = create_topic('outbox', 1);
create_connector($node, 'outbox', { 'connector.class' => 'OutboxSource' });
wait_for_state($node, 'outbox', 'RUNNING', task => 0);
$node->safe_psql('postgres', <<SQL);
BEGIN;
SELECT connect_emit('outbox', '$outbox', 'k', 'prepared');
PREPARE TRANSACTION 'p';
SQL
$node->safe_psql('postgres', "SELECT connect_emit('outbox', '$outbox', 'k', 'first')");
$node->safe_psql('postgres', "BEGIN; SELECT connect_emit('outbox', '$outbox', 'k', 'gone'); ROLLBACK");
$node->safe_psql('postgres', "COMMIT PREPARED 'p'");
$node->safe_psql('postgres', "SELECT connect_emit('outbox', '$outbox', 'k', '{\"a\": 1}'::jsonb)");
my @records = wait_for_records($outbox, 3);
is_deeply(
	[ map { $_->{value} } @records ],
	[ 'first', 'prepared', '{"a": 1}' ],
	'messages come when their transaction commits, and only then');

# the queue gives its space back
poll_until($node, <<SQL, '0');
SELECT count(*) FROM connect.queue q, unnest(q.tables) t
WHERE pg_relation_size(t::regclass) > 32 * 1024 * 1024
SQL
finish();
