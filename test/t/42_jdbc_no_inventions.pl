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

$node->safe_psql('postgres', 'CREATE TABLE t (id bigserial PRIMARY KEY, mark uuid DEFAULT gen_random_uuid())');
create_connector($node, 'c',
	{
		'connector.class' => 'JdbcSource',
		'mode' => 'incrementing',
		'incrementing.column.name' => 'id',
		'table.whitelist' => 't',
		'topic.prefix' => "$topic-",
		'poll.interval.ms' => '1'
	});
wait_for_state($node, 'c', 'RUNNING', task => 0);

my $script = $node->basedir . '/writer.sql';

append_to_file($script, "INSERT INTO t DEFAULT VALUES;\n");
foreach my $round (1 .. 3)
{
	my ($table, $sent) = crash();

	is(inventions($table, $sent), 0, "round $round: no row in the topic that is not in the table");
	poll_until_all("$topic-t", $table, "round $round: all of the table is in the topic");
}

# The control: without the flush rows are found that no table has.
$node->safe_psql('postgres', "ALTER SYSTEM SET connect.fault = 'wal-settle:skip'");
$node->reload;
my $found = 0;
for (my $round = 0; $found == 0 && $round < 5; $round++)
{
	$found = inventions(crash());
}
cmp_ok($found, '>', 0, "a source that does not flush the WAL invents rows ($found)");
$node->safe_psql('postgres', 'ALTER SYSTEM RESET connect.fault');
finish();

# Crashes the server under writers; returns what the table and the topic hold then.
sub crash
{
	my $before = $node->safe_psql('postgres', "SELECT records_sent FROM connect.task_status WHERE connector = 'c'");
	my $out = '';
	my $writers = IPC::Run::start(
		[ 'pgbench', '-n', '-c', '2', '-T', '60', '-f', $script, '-h', $node->host, '-p', $node->port, 'postgres' ],
		'>', \$out, '2>', \$out);

	poll_until($node, "SELECT records_sent > $before + 200 FROM connect.task_status WHERE connector = 'c'");
	$node->stop('immediate');
	$writers->finish;
	$node->start;
	wait_for_state($node, 'c', 'RUNNING', task => 0);

	my @table = split /\n/, $node->safe_psql('postgres', 'SELECT mark FROM t ORDER BY 1');

	return (\@table, [ map { decode_json($_->{value})->{mark} } wait_for_records("$topic-t", scalar @table) ]);
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
