# Every record is one row while tasks, brokers and servers come and go.
use strict;
use warnings;

use ConnectTest;
use OnceRows;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $kafka = start_broker();
my $broker = broker_file($kafka, 'bootstrap');
my $node = connect_node('primary', broker => $broker, init => [ allows_streaming => 1 ],
	conf => "connect.task_shutdown_graceful_timeout = 1s\nmax_worker_processes = 16\n");
my $topic = create_topic('orders', 6, { broker => $broker });
my $name = unique_topic('once');
my $rows = OnceRows->new(node => $node, topic => $topic, partitions => 6, connector => $name, table => 'orders', broker => $broker);

sub sql
{
	return $node->safe_psql('postgres', $_[0]);
}

$rows->add(100);
create_connector($node, $name,
	{ 'connector.class' => 'JdbcSink', topics => $topic, 'table.name.format' => 'orders', 'tasks.max' => 3,
		'consumer.override.session.timeout.ms' => 6000, 'consumer.override.heartbeat.interval.ms' => 500,
		'consumer.override.max.poll.records' => 50 });
$rows->check('a first batch');

# --- a storm of rebalances ------------------------------------------------------------
foreach my $tasks (1, 4, 2, 6, 3, 5, 1, 6, 2, 3)
{
	sql(qq(SELECT connect_patch('$name', '{"tasks.max": "$tasks"}')));
	$rows->add(200);
	sql("SELECT pg_terminate_backend(pid) FROM connect.task_status WHERE connector = '$name' AND task = $tasks % 2"
		  . ' AND pid IS NOT NULL');
	$rows->add(100);
}
$rows->check('tasks are added, removed and terminated while rows come');

# --- the broker restarts ------------------------------------------------------------------
$rows->add(3000);
broker_command('kill', $kafka);
broker_command('restart', $kafka);
$rows->add(300);
$rows->check('the broker is killed and comes back');

# --- rows and offsets travel together -------------------------------------------------------
$node->backup('b');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'b', has_streaming => 1);
$standby->start;
$rows->add(5000);
poll_until($standby, 'SELECT count(*) > 3700 FROM orders');
$node->stop('immediate');
$standby->promote;
$node = $rows->{node} = $standby;
$rows->add(200);
$rows->check('the standby is promoted in the middle of a batch and goes on where its rows end');
$standby->stop('fast');
finish();
