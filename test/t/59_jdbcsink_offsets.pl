# The offsets of a table sink are altered and reset while it is stopped, and not
# otherwise; rows and Kafka's group follow.
use strict;
use warnings;

use ConnectTest;
use Test::More;

my $node = connect_node('main');
my $topic = create_topic('offsets', 2);
my $name = unique_topic('offsets');

sub sql
{
	return $node->safe_psql('postgres', $_[0]);
}

sub refused
{
	my ($call) = @_;
	my ($out, $err);

	$node->psql('postgres', "SELECT $call", stdout => \$out, stderr => \$err);
	return $err;
}

sub stop
{
	sql("SELECT connect_stop('$name')");
	wait_for_state($node, $name, 'STOPPED');
	poll_until($node, "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'connect task'", 0);
	return;
}

# Rows by partition, once the sink has reached the end of both, and what the group has then.
sub rows_at_end
{
	my %group;

	poll_until($node, "SELECT string_agg(kafka_offset::text, ' ' ORDER BY kafka_partition) FROM connect.sink_offset"
		  . " WHERE connector = '$name'", '10 10');
	stop();
	%group = %{ group_offsets("connect-$name") };
	is_deeply(\%group, { "$topic-0" => 10, "$topic-1" => 10 }, 'the group is told the same offsets');
	return sql('SELECT p, count(*), min(n), max(n) FROM offsets GROUP BY p ORDER BY p; TRUNCATE offsets');
}

my $altered = sprintf(
	q~connect_alter_offsets('%s', '{"offsets": [{"partition": {"kafka_topic": "%s", "kafka_partition": 0}, "offset": {"kafka_offset": 4}}]}')~,
	$name, $topic);
sql('CREATE TABLE offsets (p int, n int)');
produce($topic, map { { partition => $_ % 2, value => sprintf('{"p": %d, "n": %d}', $_ % 2, $_ / 2) } } 0 .. 19);
create_connector($node, $name, { 'connector.class' => 'JdbcSink', topics => $topic, 'table.name.format' => 'offsets' });
poll_until($node, 'SELECT count(*) FROM offsets', 20);
like(refused($altered), qr/STOPPED/, 'offsets of a running sink are not altered');
like(refused("connect_reset_offsets('$name')"), qr/STOPPED/, 'nor reset');
sql("SELECT connect_pause('$name')");
wait_for_state($node, $name, 'PAUSED');
like(refused($altered), qr/STOPPED/, 'nor of a paused one');
sql("SELECT connect_resume('$name')");
is(rows_at_end(), "0|10|0|9\n1|10|0|9", 'and nothing has changed by that');

sql("BEGIN; SELECT $altered; ROLLBACK");
is(sql("SELECT kafka_offset FROM connect.sink_offset WHERE connector = '$name' AND kafka_partition = 0"), 10,
	'what is rolled back is not altered');
sql("SELECT $altered");
is(sql("SELECT connect_offsets('$name')::text ~ '\"kafka_offset\": 4'"), 't', 'an altered offset is shown');
sql("SELECT connect_resume('$name')");
is(rows_at_end(), '0|6|4|9', 'the sink goes on at the altered offset, in the others where it was');

sql("SELECT connect_reset_offsets('$name')");
is(sql("SELECT count(*) FROM connect.sink_offset WHERE connector = '$name'"), 0, 'reset offsets are gone');
sql("SELECT connect_resume('$name')");
is(rows_at_end(), "0|10|0|9\n1|10|0|9", 'and all records come again');
finish();
