# Every record is one row while tasks, brokers and servers come and go.
use strict;
use warnings;

use ConnectTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $kafka = start_broker();
my $broker = broker_file($kafka, 'bootstrap');
my $node = connect_node('primary', broker => $broker, init => [ allows_streaming => 1 ],
	conf => "connect.task_shutdown_graceful_timeout = 1s\nmax_worker_processes = 16\n");
my $topic = create_topic('orders', 6, { broker => $broker });
my $name = unique_topic('once');
my $sent = 0;

sub sql
{
	return $node->safe_psql('postgres', $_[0]);
}

sub send_rows
{
	my ($n) = @_;

	produce($topic, (map { { key => $_ % 7, value => sprintf('{"id":%d,"v":"row %d"}', $_, $_),
				partition => $_ % 6 } } $sent + 1 .. $sent + $n), [ broker => $broker ]);
	$sent += $n;
	return;
}

sub check
{
	my ($what) = @_;

	poll_until($node, "SELECT sum(kafka_offset) FROM connect.sink_offset WHERE connector = '$name'", $sent);
	is(sql('SELECT count(*), count(DISTINCT id), min(id), max(id) FROM orders'), "$sent|$sent|1|$sent", $what);
	return;
}

sql('CREATE TABLE orders (id int, v text)');
send_rows(100);
create_connector($node, $name,
	{ 'connector.class' => 'JdbcSink', topics => $topic, 'table.name.format' => 'orders', 'tasks.max' => 3,
		'consumer.override.session.timeout.ms' => 6000, 'consumer.override.heartbeat.interval.ms' => 500,
		'consumer.override.max.poll.records' => 50 });
check('a first batch');

# --- a storm of rebalances ------------------------------------------------------------
foreach my $tasks (1, 4, 2, 6, 3, 5, 1, 6, 2, 3)
{
	sql(qq(SELECT connect_patch('$name', '{"tasks.max": "$tasks"}')));
	send_rows(200);
	sql("SELECT pg_terminate_backend(pid) FROM connect.task_status WHERE connector = '$name' AND task = $tasks % 2"
		  . ' AND pid IS NOT NULL');
	send_rows(100);
}
check('tasks are added, removed and terminated while rows come');

# --- the broker restarts ------------------------------------------------------------------
send_rows(3000);
broker_command('kill', $kafka);
broker_command('restart', $kafka);
send_rows(300);
check('the broker is killed and comes back');

# --- rows and offsets travel together -------------------------------------------------------
$node->backup('b');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'b', has_streaming => 1);
$standby->start;
send_rows(5000);
poll_until($standby, 'SELECT count(*) > 3700 FROM orders');
$node->stop('immediate');
$standby->promote;
$node = $standby;
send_rows(200);
check('the standby is promoted in the middle of a batch and goes on where its rows end');
$standby->stop('fast');
finish();
