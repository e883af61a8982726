# Topics of a source: created as topic.creation.* says, missing, deleted; records
# that are too large.
use strict;
use warnings;

use ConnectTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $kafka = start_broker('--set', 'auto.create.topics.enable=false');
my $broker = broker_file($kafka, 'bootstrap');
my $dir = PostgreSQL::Test::Utils::tempdir;
my $node = connect_node('main', broker => $broker);

sub source
{
	my ($name, $topic, %config) = @_;

	append_to_file("$dir/$name", "first\nsecond\n");
	create_connector($node, $name,
		{ 'connector.class' => 'FileStreamSource', file => "$dir/$name", topic => $topic, %config });
	return;
}

sub values_of
{
	my ($topic, $count) = @_;

	my %seen;

	return [ sort grep { !$seen{$_}++ } map { $_->{value} } wait_for_records($topic, $count, broker => $broker) ];
}

sub failed_with
{
	my ($name, $pattern, $test) = @_;

	wait_for_state($node, $name, 'FAILED', task => 0);
	like($node->safe_psql('postgres', "SELECT reason FROM connect.task_status WHERE connector = '$name'"),
		$pattern, $test);
	return;
}

my %default = (
	'topic.creation.default.partitions' => 3,
	'topic.creation.default.replication.factor' => 1);

# --- created -----------------------------------------------------------------
source('created', 'made-default', %default);
is_deeply(values_of('made-default', 2), [ '"first"', '"second"' ], 'the topic is created');
like(client('partitions', 'made-default', { broker => $broker }), qr/^3$/, 'with the default group\'s partitions');

source('grouped', 'made-by-group', %default,
	'topic.creation.groups' => 'other, mine',
	'topic.creation.other.include' => 'made',
	'topic.creation.mine.include' => 'made-by-.*',
	'topic.creation.mine.exclude' => '.*-not',
	'topic.creation.mine.partitions' => 2,
	'topic.creation.mine.retention.ms' => 3600000);
is_deeply(values_of('made-by-group', 2), [ '"first"', '"second"' ], 'a group matches the whole name');
like(client('partitions', 'made-by-group', { broker => $broker }), qr/^2$/, 'and gives its partitions');
like(client('topic-config', 'made-by-group', { broker => $broker }), qr/^retention\.ms=3600000$/m, 'and settings');

source('refused', 'never', 'topic.creation.default.partitions' => 1);
failed_with('refused', qr/topic\.creation\.default\.replication\.factor/, 'the default group needs both numbers');

source('unreplicable', 'never', %default, 'topic.creation.default.replication.factor' => 5);
failed_with('unreplicable', qr/could not create topic "never".*replicat/, 'what the broker refuses is shown');

# --- missing -------------------------------------------------------------------
# The client waits for a topic to appear; 30 s by default.
source('missing', 'no-such-topic', 'producer.override.topic.metadata.propagation.max.ms' => 2000);
failed_with('missing', qr/no-such-topic/, 'a topic that nobody creates fails the task');
client('create', 'no-such-topic', 1, -1, { broker => $broker });
$node->safe_psql('postgres', "SELECT connect_restart_task('missing', 0)");
is_deeply(values_of('no-such-topic', 2), [ '"first"', '"second"' ], 'once it is there nothing is missing');

source('patient', 'not-yet');
poll_until($node, "SELECT waiting_for FROM connect.task_status WHERE connector = 'patient'",
	'topic "not-yet", which Kafka does not have');
client('create', 'not-yet', 1, -1, { broker => $broker });
is_deeply(values_of('not-yet', 2), [ '"first"', '"second"' ], 'a topic that is waited for is shown, and used as soon as it is there');
poll_until($node, "SELECT waiting_for IS NULL FROM connect.task_status WHERE connector = 'patient'", 't');

# --- too large -------------------------------------------------------------------
client('create', 'small', 1, -1, 'max.message.bytes=10000', { broker => $broker });
source('large', 'small', 'producer.override.topic.metadata.propagation.max.ms' => 2000);
values_of('small', 2);
poll_until($node, "SELECT source_offset->>'position' = '13' FROM connect.source_offset WHERE connector = 'large'");
append_to_file("$dir/large", ('x' x 50_000) . "\nlast\n");
failed_with('large', qr/Unrecoverable exception from producer send callback.*small/, 'a record that is too large fails the task');
is($node->safe_psql('postgres', "SELECT source_offset->>'position' FROM connect.source_offset WHERE connector = 'large'"),
	'13', 'its offset is not stored');
$node->safe_psql('postgres', q{SELECT connect_patch('large', '{"errors.tolerance": "all", "errors.log.enable": "true"}')});
is_deeply(values_of('small', 3), [ '"first"', '"last"', '"second"' ], 'tolerated, it is skipped alone');
poll_until($node, "SELECT source_offset->>'position' = '50019' FROM connect.source_offset WHERE connector = 'large'");
is($node->safe_psql('postgres', "SELECT records_skipped FROM connect.task_status WHERE connector = 'large'"),
	'1', 'and counted');
like(slurp_file($node->logfile), qr/Executing stage 'KAFKA_PRODUCE'/, 'and logged');

# --- deleted -----------------------------------------------------------------------
client('delete', 'small', { broker => $broker });
append_to_file("$dir/large", "lost?\n");
failed_with('large', qr/small/, 'a topic deleted under a source fails the task');
is($node->safe_psql('postgres', "SELECT source_offset->>'position' FROM connect.source_offset WHERE connector = 'large'"),
	'50019', 'with its offset kept');
finish();
