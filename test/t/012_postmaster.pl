# The postmaster dies: no worker outlives it, and the next one begins anew.
use strict;
use warnings;

use ConnectTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $node = connect_node('main', broker => '127.0.0.1:1');
my $file = $node->basedir . '/lines';

# No broker answers: each task is stuck with records that it cannot deliver.
append_to_file($file, join('', map { "line $_\n" } 1 .. 1000));
create_connector($node, 'source', { 'connector.class' => 'FileStreamSource', file => $file, topic => 't' });
create_connector($node, 'sink', { 'connector.class' => 'FileStreamSink', file => "$file.out", topics => 't' });
create_connector($node, 'paused', { 'connector.class' => 'FileStreamSource', file => $file, topic => 't' });
$node->safe_psql('postgres', "SELECT connect_pause('paused')");
wait_for_state($node, $_, 'RUNNING', task => 0) foreach qw(source sink);
wait_for_state($node, 'paused', 'PAUSED', task => 0);
poll_until($node, "SELECT count(*) FROM connect.task_status WHERE connector <> 'paused' AND waiting_for LIKE 'Kafka: %'", '2');

my @pids = split /\n/, $node->safe_psql('postgres', "SELECT pid FROM pg_stat_activity WHERE backend_type LIKE 'connect %'");
is(scalar @pids, 5, 'launcher, coordinator and three tasks run');

my $start = time();
$node->kill9;
foreach my $pid (@pids)
{
	command_ok([ 'timeout', $PostgreSQL::Test::Utils::timeout_default, 'tail', '-f', "--pid=$pid", '-s', '0.05', '/dev/null' ],
		"worker $pid does not outlive the postmaster");
}
cmp_ok(time() - $start, '<', 5, 'all leave at once');

# What held the shared memory is gone: the server starts.
$node->start;
wait_for_state($node, $_, 'RUNNING', task => 0) foreach qw(source sink);
wait_for_state($node, 'paused', 'PAUSED', task => 0);
pass('the next server runs the connectors as they were');
finish();
