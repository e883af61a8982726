# With connect.wait_for_standbys no record is sent whose row a failover to one of
# them could lose.
use strict;
use warnings;

use ConnectTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = connect_node('main', init => [ allows_streaming => 1 ], conf => "max_worker_processes = 32\nwal_sender_timeout = 0\n");
my $prefix = unique_topic('standbys');

$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->append_conf('postgresql.conf', "wal_receiver_status_interval = 1s\n");

sub sql
{
	return $node->safe_psql('postgres', $_[0]);
}

sub sent
{
	my ($name) = @_;

	return sql("SELECT records_sent FROM connect.task_status WHERE connector = '$name'");
}

sub waits
{
	my ($name, $pattern, $test) = @_;

	poll_until($node, "SELECT waiting_for ~ '$pattern' FROM connect.task_status WHERE connector = '$name'");
	ok(1, $test);
	return;
}

sql(q(CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY); CREATE TABLE c (id int PRIMARY KEY);
	INSERT INTO t VALUES (1); INSERT INTO b VALUES (1);
	ALTER SYSTEM SET connect.wait_for_standbys = 'standby'; SELECT pg_reload_conf()));
poll_until($node, 'SHOW connect.wait_for_standbys', 'standby');

my %source = ('connector.class' => 'JdbcSource', 'topic.prefix' => "$prefix-", 'poll.interval.ms' => '10');
create_connector($node, 'ids', { %source, mode => 'incrementing', 'incrementing.column.name' => 'id', 'table.whitelist' => 't' });
create_connector($node, 'all', { %source, mode => 'bulk', 'table.whitelist' => 'b', 'poll.interval.ms' => '3600000' });
sql("SELECT connect_stream_table('c', topic => '$prefix-c')");
my $stream = sql(q(SELECT connector FROM connect.task_status WHERE connector NOT IN ('ids', 'all')));
sql('INSERT INTO c VALUES (1)');

# --- it is missing ------------------------------------------------------------------

waits($_, 'standby standby, which is not connected', "a missing standby is waited for: $_") foreach ('ids', 'all', $stream);
is(sent($_), '0', "nothing is sent: $_") foreach ('ids', 'all', $stream);
is(sql(q(SELECT count(backend_xmin) FROM pg_stat_activity WHERE backend_type = 'connect task')), '0', 'no snapshot is held');
sql("SELECT connect_restart('ids', true)");
waits('ids', 'standby standby', 'a task that waits can be restarted');
sql("SELECT connect_pause('all')");
wait_for_state($node, 'all', 'PAUSED', task => 0);
ok(1, 'or paused');
sql("SELECT connect_resume('all')");
$node->restart;
ok(1, 'or shut down');
waits('ids', 'standby standby', 'and waits again');

# --- it comes, stands still, goes on ------------------------------------------------

$standby->start;
foreach my $topic ("$prefix-t", "$prefix-b", "$prefix-c")
{
	is((wait_for_records($topic, 1))[0]{value} =~ /"id":\s*(\d+)/ && $1, 1, "what it has is sent: $topic");
}
poll_until($node, 'SELECT count(*) FROM connect.task_status WHERE waiting_for IS NOT NULL', '0');

my $receiver = $standby->safe_psql('postgres', 'SELECT pid FROM pg_stat_wal_receiver');
my ($before, $before_stream) = (sent('ids'), sent($stream));
kill 'STOP', $receiver;
sql('INSERT INTO t VALUES (2); INSERT INTO c VALUES (2)');
waits($_, 'standby standby to flush WAL up to', "one that lags is waited for: $_") foreach ('ids', $stream);
is(sent('ids'), $before, 'and nothing sent');
is(sent($stream), $before_stream, 'nor by capture');
kill 'CONT', $receiver;
is(scalar(wait_for_records("$prefix-t", 2)), 2, 'once it has it, it is sent');
is(scalar(wait_for_records("$prefix-c", 2)), 2, 'by capture, too');

# --- it is not waited for any more ------------------------------------------------------

$standby->stop;
sql('INSERT INTO t VALUES (3)');
waits('ids', 'standby standby, which is not connected', 'one that has gone is waited for');
sql(q(ALTER SYSTEM RESET connect.wait_for_standbys; SELECT pg_reload_conf()));
is(scalar(wait_for_records("$prefix-t", 3)), 3, 'until the setting says otherwise');
finish();
