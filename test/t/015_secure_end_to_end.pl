# Logins, TLS and access rights of the broker, by a connector's own settings.
use strict;
use warnings;

use ConnectTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = connect_node('main', broker => '');
my $broker = shared_broker();
my $ca = broker_file($broker, 'ca.pem');
my $dir = PostgreSQL::Test::Utils::tempdir;

append_to_file("$dir/in", "line\n");

# A source that logs in as these settings say.
sub source
{
	my ($name, $topic, %client) = @_;
	my %config = (
		'connector.class' => 'FileStreamSource',
		file => "$dir/in",
		topic => $topic,
		map { ("producer.override.$_" => $client{$_}) } keys %client);

	return create_connector($node, $name, \%config);
}

sub jaas
{
	my ($module, $user, $password) = @_;

	return "org.apache.kafka.common.security.$module required username=\"$user\" password=\"$password\";";
}

# TLS
my $topic = create_topic('tls');

source('tls', $topic,
	'bootstrap.servers' => broker_file($broker, 'ssl'),
	'security.protocol' => 'SSL',
	'ssl.truststore.type' => 'PEM',
	'ssl.truststore.certificates' => $ca);
is((wait_for_records($topic, 1))[0]{value}, '"line"', 'a source writes by TLS');

# PLAIN, without and with the right to write
my $alice = unique_topic('alice');

client('create', $alice, 1);
source('alice', $alice,
	'bootstrap.servers' => broker_file($broker, 'sasl'),
	'security.protocol' => 'SASL_PLAINTEXT',
	'sasl.mechanism' => 'PLAIN',
	'sasl.jaas.config' => jaas('plain.PlainLoginModule', 'alice', 'alice-secret'));
wait_for_state($node, 'alice', 'FAILED', task => 0);
like($node->safe_psql('postgres', "SELECT trace FROM connect.task_status WHERE connector = 'alice'"),
	qr/authoriz/i, 'a source without the right to write fails and says so');
client('acl', 'User:alice', 'ALL', $alice);
$node->safe_psql('postgres', "SELECT connect_restart('alice', true)");
is((wait_for_records($alice, 1))[0]{value}, '"line"', 'with the right it writes after a restart');

# SCRAM over TLS: librdkafka before 2.6.1 cannot log in to this Kafka
my ($major, $minor) = split /\./, client('version');
my $admin = create_topic('scram');

source('scram', $admin,
	'bootstrap.servers' => broker_file($broker, 'sasl_ssl'),
	'security.protocol' => 'SASL_SSL',
	'sasl.mechanism' => 'SCRAM-SHA-256',
	'sasl.jaas.config' => jaas('scram.ScramLoginModule', 'admin', 'admin-secret'),
	'ssl.truststore.type' => 'PEM',
	'ssl.truststore.certificates' => $ca);
if ($major > 2 || $minor > 6)
{
	is((wait_for_records($admin, 1))[0]{value}, '"line"', 'a source logs in by SCRAM');
}
else
{
	poll_until($node, "SELECT reason ~* 'scram' FROM connect.task_status WHERE connector = 'scram'");
	like($node->safe_psql('postgres', "SELECT reason, trace FROM connect.task_status WHERE connector = 'scram'"),
		qr/librdkafka/, 'the status says that this librdkafka cannot log in by SCRAM');
}

unlike(slurp_file($node->logfile), qr/alice-secret|admin-secret/, 'the log holds no password');
finish();
