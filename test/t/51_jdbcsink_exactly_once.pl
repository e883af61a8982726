# Every record is one row, whatever dies: the table has no key that would hide
# a second copy.
use strict;
use warnings;

use ConnectTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = connect_node('main', conf => "restart_after_crash = on\n");
my $topic = create_topic('orders', 2);
my $name = unique_topic('once');
my $sent = 0;

expect_in_log($node, qr/was terminated by signal 9/);
$node->safe_psql('postgres', 'CREATE TABLE orders (id int, v text)');

sub sql
{
	return $node->safe_psql('postgres', $_[0]);
}

sub send_rows
{
	my ($n) = @_;

	produce($topic, map { { key => $_ % 7, value => sprintf('{"id":%d,"v":"row %d"}', $_, $_), partition => $_ % 2 } }
		  $sent + 1 .. $sent + $n);
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

# Sets a fault, does something, and waits until the server has crashed of it.
sub crash_at
{
	my ($fault, $do) = @_;
	my $crashes = () = slurp_file($node->logfile) =~ /was terminated by signal 9/g;

	$node->append_conf('postgresql.conf', "connect.fault = '$fault'\n");
	$node->reload;
	$do->();
	poll_until($node, "SELECT $crashes < (length(log) - length(replace(log, 'was terminated by signal 9', ''))) / 26"
		  . " FROM pg_read_file('" . $node->logfile . "') AS log");
	$node->adjust_conf('postgresql.conf', 'connect.fault', undef);
	$node->reload;
	return;
}

send_rows(100);
create_connector($node, $name,
	{ 'connector.class' => 'JdbcSink', topics => $topic, 'table.name.format' => 'orders', 'tasks.max' => 2,
		'consumer.override.session.timeout.ms' => 6000, 'consumer.override.heartbeat.interval.ms' => 500 });
check('a first batch');

foreach my $step ('sink-begun', 'sink-put', 'sink-committed')
{
	crash_at($step, sub { send_rows(500) });
	check("kill -9 at $step");
}
crash_at('sink-taken', sub { sql("SELECT connect_restart('$name', true)"); send_rows(200) });
check('kill -9 at sink-taken');

send_rows(1000);
$node->stop('immediate');
$node->start;
send_rows(300);
check('a crash of the server');

# --- partitions move between live tasks -----------------------------------------
foreach my $tasks (1, 2, 1)
{
	sql(qq(SELECT connect_patch('$name', '{"tasks.max": "$tasks"}')));
	send_rows(200);
}
check('tasks come and go while rows come');

# --- a task that is frozen and wakes when others have its partitions ----------------
sql(qq(SELECT connect_patch('$name', '{"tasks.max": "2"}')));
poll_until($node, "SELECT count(*) FROM connect.task_status WHERE connector = '$name' AND state = 'RUNNING'", 2);
send_rows(100);
check('two tasks again');
my ($frozen) = split /\n/, sql("SELECT pid FROM connect.task_status WHERE connector = '$name' ORDER BY task");
kill 'STOP', $frozen;
send_rows(400);
check('a frozen task is replaced by the other');
kill 'CONT', $frozen;
send_rows(400);
check('the woken task writes nothing twice');

# --- frozen inside a transaction: the other waits for its row -------------------------
$node->append_conf('postgresql.conf', "connect.fault = 'sink-put:stop'\n");
$node->reload;
send_rows(10);
my @stopped;
my $limit = time() + $PostgreSQL::Test::Utils::timeout_default;
until (@stopped || time() > $limit)
{
	@stopped = grep { slurp_file("/proc/$_/stat") =~ /\) T / }
	  split /\n/, sql("SELECT pid FROM connect.task_status WHERE connector = '$name' AND pid IS NOT NULL");
}
is(scalar(@stopped), 1, 'a task stops between its rows and its commit');
$node->adjust_conf('postgresql.conf', 'connect.fault', undef);
$node->reload;
kill 'CONT', @stopped;
send_rows(200);
check('a task frozen inside its transaction writes nothing twice');

sql("SELECT connect_drop('$name')");
wait_for_no_connector($node, $name);
finish();
