# Files of the server are for members of pg_read_server_files and
# pg_write_server_files, by whatever way.
use strict;
use warnings;

use ConnectTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = connect_node('main', broker => '', conf => "connect.embedded_broker = on\n");
my $dir = PostgreSQL::Test::Utils::tempdir;

append_to_file("$dir/in", "line\n");
append_to_file("$dir/properties", "topic=t\n");
$node->safe_psql('postgres', <<'SQL');
CREATE ROLE plain;
CREATE ROLE reader;
CREATE ROLE writer;
GRANT pg_read_server_files TO reader;
GRANT pg_write_server_files TO writer;
GRANT EXECUTE ON FUNCTION connect_create(text, jsonb, text) TO plain, reader, writer;
SQL

# Creates as a role: the error, or the state that the connector comes to.
sub outcome
{
	my ($role, $name, $config) = @_;
	my ($stdout, $stderr) = ('', '');

	$node->psql('postgres', "SET ROLE $role; SELECT connect_create('$name', '$config')", stderr => \$stderr);
	return $stderr if $stderr ne '';
	poll_until($node, "SELECT state IN ('RUNNING', 'FAILED') FROM connect.task_status WHERE connector = '$name'");
	return $node->safe_psql('postgres', "SELECT concat_ws(' ', state, reason) FROM connect.task_status WHERE connector = '$name'");
}

my $source = qq({"connector.class": "FileStreamSource", "file": "$dir/in", "topic": "t"});
my $sink = qq({"connector.class": "FileStreamSink", "file": "$dir/out", "topics": "t"});
like(outcome('plain', 'p', $source), qr/may not read server files/, 'a source of files needs the right to read them');
like(outcome('writer', 'p', $source), qr/may not read server files/, 'the right to write is not that');
like(outcome('reader', 'p', $sink), qr/may not write server files/, 'a sink needs the right to write');
is(outcome('reader', 'source', $source), 'RUNNING', 'with it a source runs');
is(outcome('writer', 'sink', $sink), 'RUNNING', 'with it a sink runs');
poll_until($node, "SELECT pg_read_file('$dir/out', 0, 100, true)", "line\n");

# a client that reads files, and a reference to one
my $mock = '"connector.class": "VerifiableSource", "topic": "v", "throughput": "1"';
like(outcome('plain', 'p', qq({$mock, "producer.override.ssl.ca.location": "$dir/in"})),
	qr/ssl\.ca\.location/, 'nor may a Kafka client read files for everybody');
like(outcome('plain', 'p', qq({"connector.class": "VerifiableSource", "topic": "v", "throughput": "\${file:$dir/properties:topic}"})),
	qr/\$\{file:/, 'nor does a reference reach them');

# a right that is lost
$node->safe_psql('postgres', "REVOKE pg_read_server_files FROM reader; SELECT connect_restart_task('source', 0)");
wait_for_state($node, 'source', 'FAILED', task => 0);
like($node->safe_psql('postgres', "SELECT reason FROM connect.task_status WHERE connector = 'source'"),
	qr/permission denied to read server files/, 'who loses the right fails at the next start');
finish();
