# Kafka refuses: wrong passwords and missing rights fail the task with a clear
# reason; once they are mended a restart goes on.
use strict;
use warnings;

use ConnectTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = connect_node('main');
my $dir = PostgreSQL::Test::Utils::tempdir;
my $topic = create_topic('guarded');
my $sasl = broker_file(ConnectTest::shared_broker(), 'sasl');

sub login
{
	my ($client, $password) = @_;

	return (
		"$client.override.bootstrap.servers" => $sasl,
		"$client.override.security.protocol" => 'SASL_PLAINTEXT',
		"$client.override.sasl.mechanism" => 'PLAIN',
		"$client.override.sasl.jaas.config" =>
		  "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"alice\" password=\"$password\";");
}

sub failed_with
{
	my ($name, $pattern, $test) = @_;

	wait_for_state($node, $name, 'FAILED', task => 0);
	like($node->safe_psql('postgres', "SELECT reason FROM connect.task_status WHERE connector = '$name'"), $pattern, $test);
	return;
}

append_to_file("$dir/in", "line\n");
my %source = ('connector.class' => 'FileStreamSource', file => "$dir/in", topic => $topic);

create_connector($node, 'wrong', { %source, login('producer', 'guess') });
failed_with('wrong', qr/credentials|[Aa]uthentication/, 'a wrong password fails the task');
unlike($node->safe_psql('postgres', "SELECT reason || trace FROM connect.task_status WHERE connector = 'wrong'"),
	qr/guess/, 'and is not in its messages');

create_connector($node, 'source', { %source, login('producer', 'alice-secret') });
failed_with('source', qr/[Aa]uthoriz/, 'a missing right to write fails the task');
client('acl', 'User:alice', 'WRITE', $topic);
client('acl', 'User:alice', 'DESCRIBE', $topic);
$node->safe_psql('postgres', "SELECT connect_restart_task('source', 0)");
wait_for_records($topic, 1);
pass('with the right and a restart it goes on');

my $sink = unique_topic('sink');
create_connector($node, $sink, {
	'connector.class' => 'FileStreamSink', file => "$dir/out", topics => $topic, login('consumer', 'alice-secret') });
failed_with($sink, qr/[Aa]uthoriz/, 'a missing right to read fails the task');
finish();
