# A row that a crash takes back is never in the topic.
use strict;
use warnings;

use ConnectTest;
use JSON::PP;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = connect_node('main', conf => <<'CONF');
synchronous_commit = off
wal_writer_delay = 10s
wal_writer_flush_after = 1GB
autovacuum = off
CONF
my $topic = unique_topic('flushed');

# The second stores no offsets while it runs, since the commit of an offset flushes the WAL as well.
source('t', '1000');
source('few', '600000');

my $script = $node->basedir . '/writer.sql';

append_to_file($script, "INSERT INTO t DEFAULT VALUES;\n");
foreach my $round (1 .. 3)
{
	my ($table, $sent) = crash();

	is(inventions($table, $sent), 0, "round $round: no row in the topic that is not in the table");
	poll_until_all("$topic-t", $table, "round $round: all of the table is in the topic");
}
is(inventions(crash_after_few()), 0, 'few rows: no row in the topic that is not in the table');

# The control: without the flush rows are found that no table has, unless the WAL writer came by, once in ten seconds.
$node->safe_psql('postgres', "ALTER SYSTEM SET connect.fault = 'wal-settle:skip'");
$node->reload;
my $found = 0;
for (my $round = 0; $found == 0 && $round < 5; $round++)
{
	$found = inventions(crash_after_few());
}
cmp_ok($found, '>', 0, "a source that does not flush the WAL invents rows ($found)");
$node->safe_psql('postgres', 'ALTER SYSTEM RESET connect.fault');
finish();

sub source
{
	my ($table, $interval) = @_;

	$node->safe_psql('postgres', "CREATE TABLE $table (id bigserial PRIMARY KEY, mark uuid DEFAULT gen_random_uuid())");
	create_connector($node, $table,
		{
			'connector.class' => 'JdbcSource',
			'mode' => 'incrementing',
			'incrementing.column.name' => 'id',
			'table.whitelist' => $table,
			'topic.prefix' => "$topic-",
			'poll.interval.ms' => '1',
			'offset.flush.interval.ms' => $interval
		});
	wait_for_state($node, $table, 'RUNNING', task => 0);
	return;
}

# Crashes the server under writers; returns what the table and the topic hold then.
sub crash
{
	my $before = $node->safe_psql('postgres', "SELECT records_sent FROM connect.task_status WHERE connector = 't'");
	my $out = '';
	my $writers = IPC::Run::start(
		[ 'pgbench', '-n', '-c', '2', '-T', '60', '-f', $script, '-h', $node->host, '-p', $node->port, 'postgres' ],
		'>', \$out, '2>', \$out);

	poll_until($node, "SELECT records_sent > $before + 200 FROM connect.task_status WHERE connector = 't'");
	$node->stop('immediate');
	$writers->finish;
	$node->start;
	wait_for_state($node, 't', 'RUNNING', task => 0);

	return table_and_topic('t');
}

# Crashes the server when rows that were just committed, too few to fill a page of WAL, are in the topic.
sub crash_after_few
{
	my @marks = map { $node->safe_psql('postgres', 'INSERT INTO few DEFAULT VALUES RETURNING mark') } 1 .. 5;

	poll_until_all("$topic-few", \@marks, 'few rows: all are in the topic');
	$node->stop('immediate');
	$node->start;
	wait_for_state($node, 'few', 'RUNNING', task => 0);
	return table_and_topic('few');
}

sub table_and_topic
{
	my ($name) = @_;
	my @table = split /\n/, $node->safe_psql('postgres', "SELECT mark FROM $name ORDER BY 1");

	return (\@table, [ map { decode_json($_->{value})->{mark} } wait_for_records("$topic-$name", scalar @table) ]);
}

sub inventions
{
	my ($table, $sent) = @_;
	my %table = map { ($_ => 1) } @$table;

	return scalar(grep { !$table{$_} } @$sent);
}

sub poll_until_all
{
	my ($of, $marks, $name) = @_;
	my $limit = time() + $PostgreSQL::Test::Utils::timeout_default;
	my @missing;

	do
	{
		my %sent = map { (decode_json($_->{value})->{mark} => 1) } consume($of);

		@missing = grep { !$sent{$_} } @$marks;
	} while (@missing && time() < $limit);
	return is(scalar(@missing), 0, $name);
}
