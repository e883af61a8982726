# The file source reads as Kafka Connect's does: line ends, unfinished lines,
# positions, missing files; and it stays right where that one does not.
use strict;
use warnings;

use ConnectTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = connect_node('main', conf => 'max_worker_processes = 32');
my $dir = PostgreSQL::Test::Utils::tempdir;
my %string = ('value.converter' => 'org.apache.kafka.connect.storage.StringConverter');

sub source
{
	my ($name, %config) = @_;
	my $topic = create_topic($name);

	create_connector($node, $name,
		{ 'connector.class' => 'FileStreamSource', file => "$dir/$name", topic => $topic, %string, %config });
	return $topic;
}

sub position_is
{
	my ($name, $position, $test) = @_;

	poll_until($node, "SELECT source_offset->>'position' FROM connect.source_offset WHERE connector = '$name'", $position);
	pass("$test: position $position");
	return;
}

sub values_are
{
	my ($topic, $expected, $test) = @_;

	is_deeply([ map { $_->{value} } wait_for_records($topic, scalar @$expected) ], $expected, $test);
	return;
}

# --- line ends -----------------------------------------------------------------
append_to_file("$dir/ends", 'partial line');
my $topic = source('ends');
append_to_file("$dir/ends", " finished\n");
values_are($topic, ['partial line finished'], 'a line arrives when it has an end');
position_is('ends', 22, 'LF');
append_to_file("$dir/ends", "line1\rline2\r\nline3\nline4\n\r");
values_are($topic, [ 'partial line finished', map { "line$_" } 1 .. 4 ], 'CR, CRLF and LF end lines');
position_is('ends', 47, 'the last CR waits');
append_to_file("$dir/ends", "tail\n");
values_are($topic, [ 'partial line finished', (map { "line$_" } 1 .. 4), '', 'tail' ], 'it was an end of its own');
position_is('ends', 53, 'CR');

# --- restart in text that is not ASCII --------------------------------------------
append_to_file("$dir/utf", "\xc3\xbcber\n\xf0\x9f\x90\x98\n");
$topic = source('utf');
values_are($topic, [ "\xc3\xbcber", "\xf0\x9f\x90\x98" ], 'UTF-8 passes');
position_is('utf', 8, 'characters as Java counts them');
$node->safe_psql('postgres', "SELECT connect_restart('utf', true)");
append_to_file("$dir/utf", "next\n");
values_are($topic, [ "\xc3\xbcber", "\xf0\x9f\x90\x98", 'next' ], 'a restart goes on at the right byte');
append_to_file("$dir/utf", "bad \xff byte\n");
values_are($topic, [ "\xc3\xbcber", "\xf0\x9f\x90\x98", 'next', "bad \xef\xbf\xbd byte" ], 'what is no UTF-8 is replaced');
position_is('utf', 24, 'the replacement is one character');
$node->safe_psql('postgres', "SELECT connect_restart('utf', true)");
append_to_file("$dir/utf", "last\n");
is((wait_for_records($topic, 5))[4]{value}, 'last', 'and counts the same after a restart');

# --- batches, long lines, missing files --------------------------------------------
append_to_file("$dir/many", join('', map { "$_\n" } 1 .. 10000));
append_to_file("$dir/many", ('x' x 300_000) . "\n");
$topic = source('one', 'batch.size' => 0);
append_to_file("$dir/one", "a\nb\n");
values_are($topic, [ 'a', 'b' ], 'a batch is of one line at the least');

$topic = source('many', 'batch.size' => 5000);
my @records = wait_for_records($topic, 10001);
is_deeply([ map { $_->{value} } @records[ 0 .. 9999 ] ], [ 1 .. 10000 ], 'all lines, in order');
is(length $records[10000]{value}, 300_000, 'a long line is one record');

$topic = source('late');
poll_until($node, "SELECT state = 'RUNNING' AND waiting_for LIKE '%late%' FROM connect.task_status WHERE connector = 'late'");
append_to_file("$dir/late", "here\n");
values_are($topic, ['here'], 'a missing file is waited for');

# --- rights and refusals ----------------------------------------------------------------
create_connector($node, 'stdin',
	{ 'connector.class' => 'FileStreamSource', file => undef, topic => 'never' });
wait_for_state($node, 'stdin', 'FAILED', task => 0);
like($node->safe_psql('postgres', "SELECT reason FROM connect.task_status WHERE connector = 'stdin'"),
	qr/no standard input/, 'standard input is refused with a reason');

# --- connectors that fail when told to ---------------------------------------------------
create_connector($node, 'mock', {
	'connector.class' => 'MockSource', mock_mode => 'task-failure', delay_ms => 100 });
wait_for_state($node, 'mock', 'FAILED', task => 0);
create_connector($node, 'mocksink', {
	'connector.class' => 'MockSink', mock_mode => 'task-failure', delay_ms => 100, topics => $topic });
wait_for_state($node, 'mocksink', 'FAILED', task => 0);
pass('mock tasks fail');
my $numbers = create_topic('numbers', 2);
create_connector($node, 'numbers', {
	'connector.class' => 'VerifiableSource', topic => $numbers, throughput => 1000, 'tasks.max' => 2 });
wait_for_records($numbers, 100);
pass('verifiable sources number their records');
finish();
