# Every record is one row, whatever dies or stands still: the table has no key
# that would hide a second copy.
use strict;
use warnings;

use ConnectTest;
use OnceRows;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $node = connect_node('main',
	conf => "restart_after_crash = on\nconnect.task_shutdown_graceful_timeout = 1s\n");
my $topic = create_topic('orders', 2);
my $name = unique_topic('once');
my $rows = OnceRows->new(node => $node, topic => $topic, partitions => 2, connector => $name, table => 'orders');

expect_in_log($node, qr/was terminated by signal 9/);

sub sql
{
	return $node->safe_psql('postgres', $_[0]);
}

# Has a process pass a fault: does something again and again, since a process
# reads its settings when it comes to it, until the effect is there.
sub at_fault
{
	my ($fault, $do, $effect) = @_;
	my $limit = time() + $PostgreSQL::Test::Utils::timeout_default;

	$node->append_conf('postgresql.conf', "connect.fault = '$fault'\n");
	$node->reload;
	until ($effect->())
	{
		die "fault $fault has no effect" if time() > $limit;
		eval { $do->(); 1 } or note $@;
	}
	$node->adjust_conf('postgresql.conf', 'connect.fault', undef);
	$node->reload;
	return;
}

sub die_at
{
	my ($fault, $do) = @_;
	my $count = sub { my $n = () = slurp_file($node->logfile) =~ /was terminated by signal 9/g; return $n; };
	my $before = $count->();

	at_fault($fault, $do, sub { $count->() > $before });
	return;
}

# Which process stands at a fault that stops it.
sub stop_at
{
	my ($fault) = @_;
	my $stopped;

	at_fault("$fault:stop", sub { $rows->add(200, 0) }, sub {
		($stopped) = grep { slurp_file("/proc/$_/stat") =~ /\) T / }
		  split /\n/, sql("SELECT pid FROM pg_stat_activity WHERE backend_type = 'connect task'");
		return defined $stopped;
	});
	return $stopped;
}

sub two_tasks
{
	poll_until($node, "SELECT count(*) FILTER (WHERE lag = 0) FROM connect.task_status"
		  . " WHERE connector = '$name' AND state = 'RUNNING'", 2);
	return;
}

$rows->add(100);
create_connector($node, $name,
	{ 'connector.class' => 'JdbcSink', topics => $topic, 'table.name.format' => 'orders', 'tasks.max' => 2,
		'consumer.override.session.timeout.ms' => 6000, 'consumer.override.heartbeat.interval.ms' => 500,
		'consumer.override.max.poll.records' => 50 });
$rows->check('a first batch');

# --- kill -9 at each step ---------------------------------------------------------
foreach my $step ('sink-fetched', 'sink-begun', 'sink-put', 'sink-committed')
{
	die_at($step, sub { $rows->add(500) });
	$rows->check("kill -9 at $step");
}
foreach my $step ('sink-taken', 'sink-open')
{
	die_at($step, sub { sql("SELECT connect_restart('$name', true)"); $rows->add(200) });
	$rows->check("kill -9 at $step");
}

$rows->add(1000);
$node->stop('immediate');
$node->start;
$rows->add(300);
$rows->check('a crash of the server');

# --- an answer to a rebalance that fails in the middle -------------------------------
at_fault('sink-open:error', sub { sql("SELECT connect_restart('$name', true)"); $rows->add(10) },
	sub { sql("SELECT count(*) FROM connect.task_status WHERE connector = '$name' AND waiting_for ~ 'sink-open'") > 0 });
$rows->check('partitions that could not be opened are opened later, and taken once');

# --- partitions move between live tasks ----------------------------------------------
foreach my $tasks (1, 2, 1, 2)
{
	sql(qq(SELECT connect_patch('$name', '{"tasks.max": "$tasks"}')));
	$rows->add(200);
}
$rows->check('tasks come and go while rows come');

# --- frozen outside of a transaction, with rows in hand that others get --------------------
two_tasks();
my $frozen = stop_at('sink-fetched');
$rows->check('the partitions of a frozen task go to the other');
kill 'CONT', $frozen;
poll_until($node, 'SELECT count(*) > 0 FROM pg_read_file(' . "'" . $node->logfile . "') AS log"
	  . " WHERE log ~ 'has been taken by another task'");
$rows->add(400);
$rows->check('the woken task writes nothing of what it held');

# --- frozen inside: who gets its partitions waits, and says for whom ---------------------
two_tasks();
$frozen = stop_at('sink-put');
poll_until($node, "SELECT count(*) FROM connect.task_status WHERE connector = '$name' AND waiting_for ="
	  . " 'partition 0 of topic \"$topic\" is in a transaction of process $frozen, which had it before'", 1);
pass('a task waits for the transaction of a frozen one, and names it');
$rows->add(100);
kill 'CONT', $frozen;
$rows->check('a task frozen inside its transaction commits before others go on');

# --- frozen inside, and given up by the coordinator ---------------------------------------
two_tasks();
$frozen = stop_at('sink-begun');
sql("SELECT connect_restart('$name', true)");
poll_until($node, "SELECT count(*) FROM connect.task_status WHERE connector = '$name' AND pid <> $frozen", 2);
$rows->add(100);
kill 'CONT', $frozen;
$rows->check('a frozen task that was replaced writes nothing twice');
poll_until($node, "SELECT count(*) FROM pg_stat_activity WHERE pid = $frozen", 0);
pass('and leaves when it wakes');

sql("SELECT connect_drop('$name')");
wait_for_no_connector($node, $name);
finish();
