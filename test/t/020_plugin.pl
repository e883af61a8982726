# A library that is not ours brings a connector and a converter.
use strict;
use warnings;

use ConnectTest;
use Test::More;

my $node = connect_node('main', start => 0);
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'connect,connect_plugin'\n");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION connect');
my $topic = create_topic('counter', 1);

is( $node->safe_psql('postgres', "SELECT class, type FROM connect_plugins() WHERE class ~ '^com.example' ORDER BY 1"),
	"com.example.CounterSourceConnector|source\ncom.example.RomanConverter|converter",
	'its classes are listed');
like(
	$node->safe_psql('postgres', q{SELECT errors FROM connect_validate('{"name": "c", "connector.class": "CounterSource"}') WHERE key = 'topic'}),
	qr/Missing required configuration/,
	'its keys are checked');

create_connector($node, 'counter',
	{ 'connector.class' => 'CounterSource', topic => $topic, count => 4, 'value.converter' => 'com.example.RomanConverter' });
my @records = wait_for_records($topic, 4);
is_deeply([ map { $_->{value} } @records ], [qw(I II III IV)], 'its records arrive, written by its converter');
poll_until($node, "SELECT source_offset ->> 'n' FROM connect.source_offset", '4');
finish();
