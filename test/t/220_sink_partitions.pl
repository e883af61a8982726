# Partitions of a sink: they come, go, grow, are shared, and are left where the
# stored offset says.
use strict;
use warnings;

use ConnectTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $dir = PostgreSQL::Test::Utils::tempdir;
my $node = connect_node('main');
# Groups outlive connectors: names of our own.
my ($both, $ranged, $regex) = map { unique_topic($_) } qw(both ranged regex);
my %string = (
	'value.converter' => 'org.apache.kafka.connect.storage.StringConverter',
	'consumer.override.metadata.max.age.ms' => 1000);

sub sink
{
	my ($name, $topic, %config) = @_;

	create_connector($node, $name,
		{ 'connector.class' => 'FileStreamSink', file => "$dir/$name", topics => $topic, %string, %config });
	return;
}

sub wait_for_offsets
{
	my ($name, $total) = @_;

	poll_until($node, "SELECT sum(kafka_offset) FROM connect.sink_offset WHERE connector = '$name'", $total);
	return sort split /\n/, slurp_file("$dir/$name");
}

# --- shared by two tasks, then one ------------------------------------------------
my $topic = create_topic('shared', 4);

produce($topic, map { { value => "a$_", partition => $_ % 4 } } 0 .. 99);
sink($both, $topic, 'tasks.max' => 2);
is_deeply([ wait_for_offsets($both, 100) ], [ sort map { "a$_" } 0 .. 99 ], 'two tasks write every record once');
poll_until($node, "SELECT count(*) FILTER (WHERE lag = 0) FROM connect.task_status WHERE connector = '$both'", 2);
pass('and both see that nothing is left');

my ($victim) = split /\n/, $node->safe_psql('postgres', "SELECT pid FROM connect.task_status WHERE connector = '$both' ORDER BY task");
$node->safe_psql('postgres', "SELECT pg_terminate_backend($victim)");
produce($topic, map { { value => "b$_", partition => $_ % 4 } } 0 .. 99);
my @lines = wait_for_offsets($both, 200);
my %seen = map { $_ => 1 } @lines;
is(scalar(keys %seen), 200, 'the loss of a task loses no record');

# --- new partitions, from their beginning ------------------------------------------
client('grow', $topic, 6);
produce($topic, map { { value => "c$_", partition => 4 + $_ % 2 } } 0 .. 9);
wait_for_offsets($both, 210);
pass('partitions that are added are read');

# --- pause keeps the membership, drop and create goes on at the group's offset -------
$node->safe_psql('postgres', "SELECT connect_pause('$both')");
wait_for_state($node, $both, 'PAUSED', task => $_) foreach 0, 1;
produce($topic, { value => 'paused', partition => 0 });
$node->safe_psql('postgres', "SELECT connect_resume('$both')");
wait_for_offsets($both, 211);
pass('a paused sink goes on where it was');

my $group = group_offsets("connect-$both");
my $sum = 0;
$sum += $_ foreach values %$group;
is($sum, 211, 'the group is told the offsets');
$node->safe_psql('postgres', "SELECT connect_drop('$both')");
wait_for_no_connector($node, $both);
unlink "$dir/$both";
sink($both, $topic);
produce($topic, { value => 'after', partition => 0 });
is_deeply([ wait_for_offsets($both, 212) ], ['after'], 'a new connector begins at its group\'s offsets');

# --- a partition without a row starts at the log's start ---------------------------------
$node->safe_psql('postgres', "SELECT connect_stop('$both')");
wait_for_state($node, $both, 'STOPPED');
poll_until($node, "SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'connect task'");
$node->safe_psql('postgres', "SELECT connect_reset_offsets('$both')");
unlink "$dir/$both";
$node->safe_psql('postgres', "SELECT connect_resume('$both')");
is(scalar(@{ [ wait_for_offsets($both, 212) ] }), 212, 'reset offsets mean everything again, whatever the group says');

# --- out of range ---------------------------------------------------------------------------
my $short = create_topic('short');
produce($short, map { { value => "d$_" } } 0 .. 9);
sink($ranged, $short);
wait_for_offsets($ranged, 10);
$node->safe_psql('postgres', "SELECT connect_stop('$ranged')");
wait_for_state($node, $ranged, 'STOPPED');
produce($short, map { { value => "e$_" } } 0 .. 9);
client('trim', $short, 0, 15);
$node->safe_psql('postgres', "SELECT connect_resume('$ranged')");
wait_for_state($node, $ranged, 'FAILED', task => 0);
like($node->safe_psql('postgres', "SELECT trace FROM connect.task_status WHERE connector = '$ranged'"),
	qr/offset 10 of partition 0 .*out of range.*15 to 20/s, 'a gap fails the task and is named');
$node->safe_psql('postgres', qq{SELECT connect_patch('$ranged', '{"offset.out.of.range": "earliest"}')});
is_deeply([ grep { /^e/ } wait_for_offsets($ranged, 20) ], [ map { "e$_" } 5 .. 9 ], 'unless the config says where to go on');

# --- topics by pattern ------------------------------------------------------------------------
my $prefix = unique_topic('pattern');
client('create', "$prefix-1", 1, -1);
produce("$prefix-1", { value => 'one' });
create_connector($node, $regex, {
	'connector.class' => 'FileStreamSink', file => "$dir/$regex", 'topics.regex' => "$prefix-\\d", %string });
is_deeply([ wait_for_offsets($regex, 1) ], ['one'], 'topics.regex subscribes to what matches');
client('create', "$prefix-2", 1, -1);
client('create', "$prefix-2-not", 1, -1);
produce("$prefix-2-not", { value => 'not' });
produce("$prefix-2", { value => 'two' });
is_deeply([ wait_for_offsets($regex, 2) ], [ 'one', 'two' ], 'and to what comes later');
finish();
