# A topic of a thousand partitions, shared by several tasks: every row once, the
# offsets right, the table of offsets no larger for many commits.
use strict;
use warnings;

use ConnectTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my ($partitions, $tasks) = (1000, 4);
my $node = connect_node('main', conf => "max_worker_processes = 32\nautovacuum = off\n");
my $topic = create_topic('wide', $partitions);
my $name = unique_topic('wide');
my $sent = 0;

sub sql
{
	return $node->safe_psql('postgres', $_[0]);
}

# One record for each partition, in rounds.
sub send_rounds
{
	my ($rounds) = @_;

	produce($topic, map { { partition => $_ % $partitions, value => sprintf('{"id": %d, "p": %d}', $_, $_ % $partitions) } }
		$sent .. $sent + $rounds * $partitions - 1);
	$sent += $rounds * $partitions;
	return;
}

sub check
{
	my ($what) = @_;

	poll_until($node, "SELECT sum(kafka_offset) FROM connect.sink_offset WHERE connector = '$name'", $sent);
	is(sql('SELECT count(*), count(DISTINCT id), min(id), max(id) FROM wide'), "$sent|$sent|0|" . ($sent - 1), $what);
	is(sql("SELECT count(*), count(DISTINCT kafka_partition), min(kafka_offset), max(kafka_offset)"
		  . " FROM connect.sink_offset WHERE connector = '$name'"),
		join('|', $partitions, $partitions, ($sent / $partitions) x 2), 'each partition has its offset');
	return;
}

# Private memory of the tasks, in MB.
sub memory
{
	my $kb = 0;

	foreach my $pid (split /\n/, sql("SELECT pid FROM connect.task_status WHERE connector = '$name'"))
	{
		my $text = slurp_file("/proc/$pid/smaps_rollup");

		$kb += $1 while $text =~ /^Private_\w+: +(\d+) kB/mg;
	}
	return int($kb / 1024);
}

sql('CREATE TABLE wide (id int, p int)');
send_rounds(10);
my $began = time();
create_connector($node, $name, { 'connector.class' => 'JdbcSink', topics => $topic, 'table.name.format' => 'wide',
	'tasks.max' => $tasks, 'consumer.override.max.poll.records' => 100 });
check('every record of a thousand partitions is a row');
my $seconds = time() - $began;
my $start = memory();
is(sql("SELECT count(*) FROM connect.task_status WHERE connector = '$name' AND state = 'RUNNING' AND records_sent > 0"), $tasks,
	'all tasks have their part');

# --- many commits ---------------------------------------------------------------------------
my $size = sql("SELECT pg_total_relation_size('connect.sink_offset_def')");
foreach my $round (1 .. 4)
{
	send_rounds(2);
	poll_until($node, "SELECT sum(kafka_offset) FROM connect.sink_offset WHERE connector = '$name'", $sent);
}
check('and of many small batches');
poll_until($node, "SELECT n_tup_upd >= 4000 FROM pg_stat_all_tables WHERE relid = 'connect.sink_offset_def'::regclass");
my ($updates, $hot) = split /\|/, sql("SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_all_tables WHERE relid = 'connect.sink_offset_def'::regclass");
cmp_ok($hot, '>=', 0.95 * $updates, 'updates of offsets are HOT');
my $grown = sql("SELECT pg_total_relation_size('connect.sink_offset_def')");
cmp_ok($grown, '<=', 2 * $size, 'and the table of offsets keeps its size, without vacuum');
my $now = memory();
note sprintf('%d rows in %.1f s from creation; %d MB in %d tasks, %d MB at the end; %d of %d updates HOT; offsets %d kB, then %d kB',
	10 * $partitions, $seconds, $start, $tasks, $now, $hot, $updates, $size / 1024, $grown / 1024);

# --- a task less: its partitions move ---------------------------------------------------------
sql(qq(SELECT connect_patch('$name', '{"tasks.max": "2"}')));
send_rounds(2);
check('partitions that move lose nothing and double nothing');
sql("SELECT connect_drop('$name')");
wait_for_no_connector($node, $name);
client('delete', $topic);
finish();
