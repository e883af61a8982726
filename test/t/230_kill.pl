# kill -9 of a task at each step of a batch: no record is lost.
use strict;
use warnings;

use ConnectTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $dir = PostgreSQL::Test::Utils::tempdir;
my $node = connect_node('main', conf => "restart_after_crash = on\n");
my $topic = create_topic('lines');
my $out = unique_topic('out');
my $lines = 0;

expect_in_log($node, qr/was terminated by signal 9/);

sub add_lines
{
	my ($n) = @_;

	append_to_file("$dir/in", join('', map { sprintf "line %d\n", $lines + $_ } 1 .. $n));
	$lines += $n;
	return;
}

sub check_topic
{
	my ($name) = @_;
	my %seen;
	my @values;

	poll_until($node,
		"SELECT source_offset->>'position' = (SELECT size::text FROM pg_stat_file('$dir/in')) FROM connect.source_offset");
	@values = map { $_->{value} } consume($topic);
	is_deeply([ grep { !$seen{$_}++ } @values ], [ map { "line $_" } 1 .. $lines ], $name);
	return;
}

my %string = (
	'key.converter' => 'org.apache.kafka.connect.storage.StringConverter',
	'value.converter' => 'org.apache.kafka.connect.storage.StringConverter');

# --- sources -------------------------------------------------------------------
add_lines(3);
create_connector($node, 'in',
	{ 'connector.class' => 'FileStreamSource', file => "$dir/in", topic => $topic, %string });
check_topic('before any crash');
foreach my $step ('source-polled', 'source-store', 'source-stored')
{
	crash_at($node, $step, sub { add_lines(100) });
	check_topic("nothing is lost at $step");
}

# --- sinks ---------------------------------------------------------------------
sub check_file
{
	my ($name) = @_;
	my %seen;
	my @records = consume($topic);

	poll_until($node, 'SELECT kafka_offset FROM connect.sink_offset', scalar @records);
	my @written = split /\n/, slurp_file("$dir/out");

	is_deeply([ grep { !$seen{$_}++ } @written ], [ map { "line $_" } 1 .. $lines ], $name);
	return;
}

create_connector($node, $out,
	{ 'connector.class' => 'FileStreamSink', file => "$dir/out", topics => $topic, %string });
check_file('before any crash of the sink');
foreach my $step ('sink-put', 'sink-flushed')
{
	crash_at($node, $step, sub { add_lines(100) });
	check_topic("$step: the source");
	check_file("nothing is lost at $step");
}
crash_at($node, 'sink-taken', sub { $node->safe_psql('postgres', "SELECT connect_restart('$out', true)") });
add_lines(10);
check_topic('sink-taken: the source');
check_file('nothing is lost at sink-taken');
finish();
