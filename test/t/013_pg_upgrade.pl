# After pg_upgrade connectors go on: it is the same database, not a copy.
use strict;
use warnings;

use ConnectTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $old = connect_node('old');
my $new = connect_node('new', start => 0);
my $topic = create_topic('upgraded');
my $file = PostgreSQL::Test::Utils::tempdir . '/in';

append_to_file($file, "before\n");
create_connector($old, 'a', {
	'connector.class' => 'FileStreamSource', file => $file, topic => $topic, 'producer.override.linger.ms' => '1',
	'producer.override.ssl.key.password' => 'hunter2' });
create_connector($old, 's', { 'connector.class' => 'FileStreamSource', file => $file, topic => create_topic('stopped') });
$old->safe_psql('postgres', "SELECT connect_stop('s'), connect_secret_set('kept', 'x')");
wait_for_state($old, 's', 'STOPPED');
wait_for_records($topic, 1);
poll_until($old, "SELECT source_offset->>'position' FROM connect.source_offset WHERE connector = 'a'", '7');
$old->stop;

my $bin = $old->config_data('--bindir');
chdir $new->basedir or die;
command_ok(
	[
		'pg_upgrade', '--no-sync', '-d', $old->data_dir, '-D', $new->data_dir, '-b', $bin, '-B', $bin,
		'-s', $new->host, '-p', $old->port, '-P', $new->port
	],
	'pg_upgrade of a server with connectors');

$new->start;
wait_for_state($new, 'a', 'RUNNING', task => 0);
pass('a connector goes on without connect_adopt()');
append_to_file($file, "after\n");
is_deeply([ map { $_->{value} } wait_for_records($topic, 2) ], [ '"before"', '"after"' ], 'where it was');
wait_for_state($new, 's', 'STOPPED');
is($new->safe_psql('postgres', "SELECT reason IS NULL OR reason !~ 'adopt' FROM connect.connector_status WHERE connector = 's'"),
	't', 'one that was stopped is, and not as a copy');
is($new->safe_psql('postgres', 'SELECT connect_adopt()'), '0', 'there is nothing to adopt');
is($new->safe_psql('postgres', "SELECT count(*) FROM connect.secret WHERE value IN ('hunter2', 'x')"), '2', 'secrets are there');
finish();
