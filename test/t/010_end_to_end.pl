# Lines of a file go into a topic and out of it into another file; a table is
# streamed.
use strict;
use warnings;

use ConnectTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = connect_node('main');
my $topic = create_topic('lines');
my $dir = PostgreSQL::Test::Utils::tempdir;

append_to_file("$dir/in", "first\nsecond\n");
create_connector($node, 'in',
	{ 'connector.class' => 'FileStreamSource', file => "$dir/in", topic => $topic });
wait_for_state($node, 'in', 'RUNNING');
wait_for_state($node, 'in', 'RUNNING', task => 0);

my @records = wait_for_records($topic, 2);

is_deeply([ map { $_->{value} } @records ], [ '"first"', '"second"' ], 'each line is a record, in order');
is($records[0]{key}, undef, 'a line has no key');

create_connector($node, 'out',
	{ 'connector.class' => 'FileStreamSink', file => "$dir/out", topics => $topic });
append_to_file("$dir/in", "third\n");
poll_until($node, "SELECT pg_read_file('$dir/out', 0, 1000000, true)", "first\nsecond\nthird\n");

$node->restart;
wait_for_state($node, 'in', 'RUNNING', task => 0);
append_to_file("$dir/in", "fourth\n");
@records = wait_for_records($topic, 4);
is_deeply(
	[ map { $_->{value} } @records ],
	[ '"first"', '"second"', '"third"', '"fourth"' ],
	'after a restart the source goes on where it was');
poll_until($node, "SELECT pg_read_file('$dir/out', 0, 1000000, true)", "first\nsecond\nthird\nfourth\n");

$node->safe_psql('postgres', "SELECT connect_drop('in')");
wait_for_no_connector($node, 'in');

# Columns that are computed when they are read came with PostgreSQL 18.
my $virtual = $node->safe_psql('postgres', 'SHOW server_version_num') >= 180000;
my $changes = create_topic('changes');
my $stderr = '';

$node->safe_psql('postgres', 'CREATE TABLE t (id int PRIMARY KEY' . ($virtual ? ', twice int GENERATED ALWAYS AS (2 * id) VIRTUAL' : '') . ');'
	  . "INSERT INTO t (id) VALUES (1); SELECT connect_stream_table('t', topic => '$changes')");
wait_for_records($changes, 1);
$node->safe_psql('postgres', 'INSERT INTO t (id) VALUES (2)');
is(join(' ', map { $_->{value} } wait_for_records($changes, 2)), '{"id":1} {"id":2}', 'rows and changes have what is stored in them');
foreach my $option (q("where" => 'twice > 1'), q(key => '{twice}'), q(columns => '{twice}'))
{
	$node->psql('postgres', "SELECT connect_stream_table('t', connector => 'more', $option)", stderr => \$stderr);
	like($stderr, $virtual ? qr/virtual generated column/ : qr/column "twice".* does not exist/, "what is not there is refused: $option");
}
finish();
