# A broker that is away is waited for: at the start, in mid-batch, at commit and
# at the end.  Nothing is lost, and nothing that must end waits for it.
use strict;
use warnings;

use ConnectTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $kafka = start_broker();
my $broker = broker_file($kafka, 'bootstrap');
my $dir = PostgreSQL::Test::Utils::tempdir;
my $node = connect_node('main', broker => $broker,
	conf => "connect.task_shutdown_graceful_timeout = 2s\n");
my $topic = unique_topic('lines');
my $lines = 0;

client('create', $topic, 1, -1, { broker => $broker });

sub add_lines
{
	my ($n) = @_;

	append_to_file("$dir/in", join('', map { sprintf "line %07d\n", $lines + $_ } 1 .. $n));
	$lines += $n;
	return;
}

sub count_records
{
	my @records = consume($topic, broker => $broker);

	return scalar @records;
}

# All lines, each at least once, first appearances in order.
sub check_topic
{
	my ($name) = @_;
	my %seen;
	my @first = grep { !$seen{$_}++ } map { $_->{value} } wait_for_records($topic, $lines, broker => $broker);

	is_deeply(\@first, [ map { sprintf '"line %07d"', $_ } 1 .. $lines ], $name);
	return;
}

sub waits_for_kafka
{
	my ($connector) = @_;

	poll_until($node,
		"SELECT state = 'RUNNING' AND waiting_for LIKE 'Kafka: %' FROM connect.task_status WHERE connector = '$connector'");
	return;
}

sub waits_no_more
{
	my ($connector) = @_;

	poll_until($node, "SELECT waiting_for IS NULL FROM connect.task_status WHERE connector = '$connector'");
	return;
}

# --- at the start --------------------------------------------------------------
broker_command('kill', $kafka);
add_lines(3);
create_connector($node, 'in',
	{ 'connector.class' => 'FileStreamSource', file => "$dir/in", topic => $topic });
waits_for_kafka('in');
pass('a source that starts without a broker runs and says what it waits for');
broker_command('restart', $kafka);
check_topic('what it read meanwhile arrives when the broker is there');
waits_no_more('in');

# --- in mid-batch ----------------------------------------------------------------
add_lines(150_000);
poll_until($node, "SELECT records_sent > 1000 FROM connect.task_status WHERE connector = 'in'");
broker_command('kill', $kafka);
waits_for_kafka('in');
broker_command('restart', $kafka);
check_topic('a broker that dies under a batch costs nothing');
is(count_records(), $lines, 'and doubles nothing');
poll_until($node, "SELECT source_offset->>'position' = '" . $lines * 13 . "' FROM connect.source_offset");
pass('the offset arrives at the end');

# --- while nothing is sent ---------------------------------------------------------
broker_command('kill', $kafka);
waits_for_kafka('in');
broker_command('restart', $kafka);
waits_no_more('in');
pass('an idle source notices that the broker is back');

# --- at the end -----------------------------------------------------------------
broker_command('freeze', $kafka);
add_lines(10);
poll_until($node, "SELECT records_polled >= $lines FROM connect.task_status WHERE connector = 'in'");
my $start = time;
$node->safe_psql('postgres', "SELECT connect_stop('in')");
wait_for_state($node, 'in', 'STOPPED');
poll_until($node, "SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'connect task'");
cmp_ok(time - $start, '<', 10, 'a source with records on their way stops in time');
broker_command('thaw', $kafka);
$node->safe_psql('postgres', "SELECT connect_resume('in')");
check_topic('what was on its way is sent again');

broker_command('freeze', $kafka);
add_lines(10);
poll_until($node, "SELECT waiting_for IS NULL FROM connect.task_status WHERE connector = 'in'");
$start = time;
$node->stop('fast');
cmp_ok(time - $start, '<', 10, 'the server stops in time');
$node->start;
broker_command('thaw', $kafka);
check_topic('and goes on after its start');

# --- sinks ----------------------------------------------------------------------
broker_command('kill', $kafka);
create_connector($node, 'out', {
	'connector.class' => 'FileStreamSink', file => "$dir/out", topics => $topic,
	'value.converter' => 'org.apache.kafka.connect.storage.StringConverter' });
waits_for_kafka('out');
pass('a sink that starts without a broker runs and says what it waits for');
broker_command('restart', $kafka);
waits_no_more('out');

sub check_file
{
	my ($name) = @_;
	my $records = count_records();

	poll_until($node, "SELECT kafka_offset = $records FROM connect.sink_offset");
	my @lines = split /\n/, slurp_file("$dir/out");
	my %seen;
	my @first = grep { !$seen{$_}++ } @lines;

	is_deeply(\@first, [ map { sprintf '"line %07d"', $_ } 1 .. $lines ], $name);
	return;
}

check_file('it writes everything once the broker is there');
is_deeply(group_offsets('connect-out', broker => $broker),
	{ "$topic-0" => count_records() }, 'the group is told the offset');

broker_command('kill', $kafka);
add_lines(1000);
waits_for_kafka('out');
broker_command('restart', $kafka);
check_topic('source and sink survive another restart of the broker: the source');
check_file('the sink');

broker_command('freeze', $kafka);
$start = time;
$node->safe_psql('postgres', "SELECT connect_drop('in'), connect_drop('out')");
wait_for_no_connector($node, $_) foreach 'in', 'out';
poll_until($node, "SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'connect task'");
cmp_ok(time - $start, '<', 12, 'connectors are dropped in time');
broker_command('thaw', $kafka);
finish();
