# A topic that is deleted under a sink keeps it from no other topic.
use strict;
use warnings;

use ConnectTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $kafka = start_broker('--set', 'auto.create.topics.enable=false');
my $broker = broker_file($kafka, 'bootstrap');
my $dir = PostgreSQL::Test::Utils::tempdir;
my $node = connect_node('main', broker => $broker);

client('create', $_, 1, -1, { broker => $broker }) foreach qw(stays goes);
produce('stays', { value => 'one' }, [ broker => $broker ]);
produce('goes', { value => 'two' }, [ broker => $broker ]);
create_connector($node, 'sink',
	{
		'connector.class' => 'FileStreamSink',
		file => "$dir/out",
		topics => 'stays,goes',
		'value.converter' => 'org.apache.kafka.connect.storage.StringConverter',
		'consumer.override.metadata.max.age.ms' => 500
	});
poll_until($node, 'SELECT count(*) FROM connect.sink_offset WHERE kafka_offset = 1', '2');
is_deeply([ sort split /\n/, slurp_file("$dir/out") ], [qw(one two)], 'both topics are read');

client('delete', 'goes', { broker => $broker });
poll_until($node, "SELECT waiting_for LIKE '%goes%' FROM connect.task_status");
pass('the status names the topic that is gone');
produce('stays', { value => 'three' }, [ broker => $broker ]);
poll_until($node, "SELECT kafka_offset FROM connect.sink_offset WHERE kafka_topic = 'stays'", '2');
is($node->safe_psql('postgres', 'SELECT state FROM connect.task_status'), 'RUNNING', 'the other is read on');
finish();
