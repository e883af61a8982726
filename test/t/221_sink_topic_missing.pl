# A sink whose topic is not there says so, and reads it when it comes.
use strict;
use warnings;

use ConnectTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $dir = PostgreSQL::Test::Utils::tempdir;
my $node = connect_node('main');
my ($there, $absent) = (create_topic('there'), unique_topic('absent'));
my $name = unique_topic('waits');
my $start = time();

create_connector($node, $name,
	{ 'connector.class' => 'FileStreamSink', file => "$dir/out", topics => "$there,$absent",
		'value.converter' => 'org.apache.kafka.connect.storage.StringConverter',
		'consumer.override.metadata.max.age.ms' => 1000 });
poll_until($node, "SELECT waiting_for FROM connect.task_status WHERE connector = '$name'",
	"Kafka: topic \"$absent\" does not exist");
cmp_ok(time() - $start, '<', 10, 'a topic that is missing is named at once');
is($node->safe_psql('postgres', "SELECT state FROM connect.task_status WHERE connector = '$name'"),
	'RUNNING', 'and waited for');

produce($there, { value => 'one' });
poll_until($node, "SELECT kafka_offset FROM connect.sink_offset WHERE kafka_topic = '$there'", 1);
is($node->safe_psql('postgres', "SELECT waiting_for FROM connect.task_status WHERE connector = '$name'"),
	"Kafka: topic \"$absent\" does not exist", 'also while others are read');

client('create', $absent, 1, -1);
poll_until($node, "SELECT waiting_for IS NULL FROM connect.task_status WHERE connector = '$name'");
produce($absent, { value => 'two' });
poll_until($node, "SELECT kafka_offset FROM connect.sink_offset WHERE kafka_topic = '$absent'", 1);
is(slurp_file("$dir/out"), "one\ntwo\n", 'once it is there it is read');
finish();
