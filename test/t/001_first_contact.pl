# The extension can be created, and says what is missing when it cannot.
use strict;
use warnings;

use ConnectTest;
use Test::More;

my $node = connect_node('main');

is($node->safe_psql('postgres', "SELECT extversion FROM pg_extension WHERE extname = 'connect'"),
	'1.0', 'CREATE EXTENSION works on a server with connect preloaded');

# The kit itself: what goes into Kafka comes out as it was.
my $topic = create_topic('first', 2);

produce(
	$topic,
	{ key => 'k', value => "\0\xff", headers => [ [ 'h', undef ], [ 'h', '' ] ], partition => 1, timestamp => 5 },
	{ value => '', partition => 0 });

my @records = wait_for_records($topic, 2);

is($records[0]{value}, '', 'an empty value is empty');
is($records[0]{key}, undef, 'a missing key is null');
is_deeply(
	$records[1],
	{ partition => 1, offset => 0, timestamp => 5, key => 'k', value => "\0\xff",
		headers => [ [ 'h', undef ], [ 'h', '' ] ] },
	'bytes, headers and time come back');

finish();
