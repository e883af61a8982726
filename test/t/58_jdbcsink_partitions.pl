# A topic of a thousand partitions, shared by several tasks: every row once, the
# offsets right, the table of offsets no larger for many commits.
use strict;
use warnings;

use ConnectTest;
use OnceRows;
use Test::More;

my ($partitions, $tasks) = (1000, 4);
my $node = connect_node('main', conf => "max_worker_processes = 32\nautovacuum = off\n");
my $topic = create_topic('wide', $partitions);
my $name = unique_topic('wide');
my $rows = OnceRows->new(node => $node, topic => $topic, partitions => $partitions, connector => $name, table => 'wide');

sub sql
{
	return $node->safe_psql('postgres', $_[0]);
}

# Rows, and as many offsets as partitions.
sub check
{
	my ($what) = @_;

	$rows->check($what);
	is(sql("SELECT count(*), count(DISTINCT kafka_partition), min(kafka_offset), max(kafka_offset)"
		  . " FROM connect.sink_offset WHERE connector = '$name'"),
		join('|', $partitions, $partitions, ($rows->{sent} / $partitions) x 2), 'each partition has its offset');
	return;
}

$rows->add(10 * $partitions);
create_connector($node, $name, { 'connector.class' => 'JdbcSink', topics => $topic, 'table.name.format' => 'wide',
	'tasks.max' => $tasks, 'consumer.override.max.poll.records' => 100 });
check('every record of a thousand partitions is a row');
# the first task may have been alone so far
poll_until($node, "SELECT count(*) FILTER (WHERE lag = 0) FROM connect.task_status WHERE connector = '$name'", $tasks);
$rows->add($partitions);
poll_until($node, "SELECT count(*) FILTER (WHERE records_sent > 0) FROM connect.task_status WHERE connector = '$name'", $tasks);
check('all tasks have their part');

# --- many commits ---------------------------------------------------------------------------
my $size = sql("SELECT pg_total_relation_size('connect.sink_offset_def')");
foreach my $round (1 .. 4)
{
	$rows->add(2 * $partitions);
	$rows->wait_for_end;
}
check('and of many small batches');
poll_until($node, "SELECT n_tup_upd >= 4000 FROM pg_stat_all_tables WHERE relid = 'connect.sink_offset_def'::regclass");
my ($updates, $hot) = split /\|/, sql("SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_all_tables WHERE relid = 'connect.sink_offset_def'::regclass");
cmp_ok($hot, '>=', 0.95 * $updates, 'updates of offsets are HOT');
my $grown = sql("SELECT pg_total_relation_size('connect.sink_offset_def')");
cmp_ok($grown, '<=', 2 * $size, 'and the table of offsets keeps its size, without vacuum');
note sprintf('%d of %d updates HOT; offsets %d kB, then %d kB', $hot, $updates, $size / 1024, $grown / 1024);

# --- a task less: its partitions move ---------------------------------------------------------
sql(qq(SELECT connect_patch('$name', '{"tasks.max": "2"}')));
$rows->add(2 * $partitions);
check('partitions that move lose nothing and double nothing');
sql("SELECT connect_drop('$name')");
wait_for_no_connector($node, $name);
client('delete', $topic);
finish();
