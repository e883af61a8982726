# What a dump and a copy of a database carry, and that neither starts anything.
use strict;
use warnings;

use ConnectTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = connect_node('main', broker => '', conf => "connect.embedded_broker = on\nmax_worker_processes = 20\n");
my $config = {
	'connector.class' => 'FileStreamSource',
	file => '/tmp/connect_no_such_file',
	topic => 'dumped',
	'producer.override.sasl.password' => 'hunter2'
};

create_connector($node, 'a', $config);
wait_for_state($node, 'a', 'RUNNING');
$node->safe_psql('postgres', "SELECT connect_stop('a')");
$node->safe_psql('postgres', "SELECT connect_wait('a', 'STOPPED')");
$node->safe_psql('postgres',
	q{SELECT connect_alter_offsets('a', jsonb_build_object('offsets', jsonb_agg(jsonb_build_object('partition', jsonb_build_object('filename', f), 'offset', '{"position": 7}'::jsonb))))
		FROM (VALUES ('x'), ((SELECT string_agg(sha512(i::text::bytea)::text, '') FROM generate_series(1, 100) i))) AS v(f)});
$node->safe_psql('postgres', "SELECT connect_resume('a'), connect_secret_set('s', 'hunter3')");
wait_for_state($node, 'a', 'RUNNING');

# A dump.
my $dump = $node->basedir . '/dump.sql';
$node->command_ok([ 'pg_dump', '--file', $dump, $node->connstr('postgres') ], 'a database with connectors is dumped');
my $text = slurp_file($dump);
unlike($text, qr/hunter[23]/, 'no secret is in the dump');
like($text, qr/\$\{secret:a\/producer/, 'references to secrets are');
unlike($text, qr/COPY connect\.(identity|secret|task_state|dead_letter_def)/, 'identity, secrets and states are not dumped');

$node->safe_psql('postgres', 'CREATE DATABASE restored');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $dump, $node->connstr('restored') ],
	'the dump is restored');
wait_for_state($node, 'a', 'STOPPED', database => 'restored');
my $reason = "SELECT reason FROM connect.connector_status WHERE connector = 'a'";
like($node->safe_psql('restored', $reason), qr/connect_adopt/, 'a restored connector is stopped and says why');
is($node->safe_psql('restored', 'SELECT target FROM connect.connector'), 'RUNNING', 'what it was wanted to do is kept');
is($node->safe_psql('restored', 'SELECT source_offset FROM connect.source_offset'), qq({"position": 7}\n{"position": 7}),
	'its offsets came along');
is($node->safe_psql('restored', "SELECT count(*) FROM connect.config_history WHERE connector = 'a' AND change = 'create'"),
	'1', 'and its history');
create_connector($node, 'b', $config, database => 'restored');
wait_for_state($node, 'b', 'RUNNING', database => 'restored');
is($node->safe_psql('restored', "SELECT state FROM connect.connector_status WHERE connector = 'a'"), 'STOPPED',
	'a new connector beside it runs, the restored one does not');

my ($stdout, $stderr);
$node->psql('restored', 'SELECT connect_adopt()', stdout => \$stdout, stderr => \$stderr);
is($stdout, '1', 'connect_adopt() takes it on');
like($stderr, qr/refers to a secret that is not here: "producer.override.sasl.password"/, 'and names the secret it lacks');
wait_for_state($node, 'a', 'RUNNING', database => 'restored');

# A copy.
$node->safe_psql('postgres', 'CREATE DATABASE copied TEMPLATE restored');
is($node->safe_psql('copied', "SELECT DISTINCT state FROM connect.connector_status"), 'STOPPED',
	'connectors of a copied database are stopped');
create_connector($node, 'c', $config, database => 'copied');
wait_for_state($node, 'c', 'RUNNING', database => 'copied');
is($node->safe_psql('copied', "SELECT string_agg(connector, ' ' ORDER BY connector) FROM connect.connector_status WHERE state = 'STOPPED'"),
	'a b', 'and stay so beside a new one');
is($node->safe_psql('copied', "SELECT connect_adopt('b')"), '1', 'one of them is adopted by name');
wait_for_state($node, 'b', 'RUNNING', database => 'copied');
is($node->safe_psql('copied', "SELECT connect_adopt('b')"), '0', 'once');
is($node->safe_psql('copied', "SELECT state FROM connect.connector_status WHERE connector = 'a'"), 'STOPPED',
	'the other is as it was');

# Capture goes on in a copy, and begins anew after a dump.
$node->safe_psql('postgres', q(SELECT connect_drop('a'); CREATE TABLE streamed (id int PRIMARY KEY); INSERT INTO streamed VALUES (1);
	SELECT connect_stream_table('streamed', connector => 'stream'); SELECT connect_create('outbox', '{"connector.class": "OutboxSource"}')));

sub sent
{
	my ($database, $connector, $count) = @_;

	return poll_until($node, "SELECT records_sent FROM connect.task_status WHERE connector = '$connector'", $count, database => $database);
}

# A row that is there, a change and a message are sent.
sub streams
{
	my ($database, $rows) = @_;

	sent($database, 'stream', $rows);
	$node->safe_psql($database, "INSERT INTO streamed SELECT max(id) + 1 FROM streamed; SELECT connect_emit('outbox', 'o', 'k', 'v')");
	sent($database, 'stream', $rows + 1);
	sent($database, 'outbox', $rows);
	return pass("changes and messages are captured in database $database");
}
streams('postgres', 1);
poll_until($node, q(SELECT count(*) FROM connect.source_offset WHERE source_offset ? 'from'), '2');
$node->command_ok([ 'pg_dump', '--file', "$dump.2", $node->connstr('postgres') ], 'a database with streams is dumped');
$node->safe_psql('postgres', 'CREATE DATABASE streaming');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', "$dump.2", $node->connstr('streaming') ], 'and restored');
$node->safe_psql('streaming', 'INSERT INTO streamed VALUES (3)');
isnt($node->psql('streaming', "SELECT connect_emit('outbox', 'o', 'k', 'v')"), 0, 'no message is taken that would not be sent');
$node->safe_psql('streaming', 'DELETE FROM streamed WHERE id > 1; SELECT connect_adopt()');
streams('streaming', 1);
$node->safe_psql('streaming', "SELECT connect_pause('stream')");
wait_for_state($node, 'stream', 'PAUSED', database => 'streaming');
$node->safe_psql('postgres', 'CREATE DATABASE goes_on TEMPLATE streaming');
$node->safe_psql('goes_on', "SELECT connect_resume('stream'), connect_adopt()");
wait_for_state($node, 'stream', 'RUNNING', database => 'goes_on', task => 0);
streams('goes_on', 2);

finish();
