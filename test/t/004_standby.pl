# Nothing runs on a standby; promotion starts it.
use strict;
use warnings;

use ConnectTest;
use PostgreSQL::Test::Cluster;
use Test::More;

my $primary = connect_node('primary', broker => '127.0.0.1:1', init => [ allows_streaming => 1 ]);

create_connector($primary, 'a',
	{ 'connector.class' => 'FileStreamSource', 'file' => $primary->basedir . '/none', 'topic' => 't' });
create_connector($primary, 's',
	{ 'connector.class' => 'FileStreamSource', 'file' => $primary->basedir . '/none', 'topic' => 't' });
$primary->safe_psql('postgres', "SELECT connect_stop('s')");
wait_for_state($primary, 'a', 'RUNNING', task => 0);
wait_for_state($primary, 's', 'STOPPED');

$primary->backup('b');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'b', has_streaming => 1);
$standby->start;
$primary->wait_for_catchup($standby);

is($standby->safe_psql('postgres', "SELECT count(*) FROM pg_stat_activity WHERE backend_type LIKE 'connect %'"),
	'0', 'nothing runs on a standby');
is( $standby->safe_psql('postgres', "SELECT DISTINCT state, reason FROM connect.connector_status"),
	'UNASSIGNED|standby', 'its views say UNASSIGNED, standby');

$primary->stop('fast');
$standby->promote;
my $lies = "SELECT count(*) FROM connect.task_status t WHERE state IN ('RUNNING', 'PAUSED')"
  . " AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.pid = t.pid)";
is($standby->safe_psql('postgres', $lies), '0', 'after a promotion no view says RUNNING without a process');
wait_for_state($standby, 'a', 'RUNNING', task => 0);
pass('promotion starts connectors');
wait_for_state($standby, 's', 'STOPPED');
pass('stopped ones stay stopped');
$standby->stop('fast');

finish();
