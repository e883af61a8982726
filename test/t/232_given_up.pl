# A source's process that was given up and wakes stores no offset.
use strict;
use warnings;

use ConnectTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $dir = PostgreSQL::Test::Utils::tempdir;
my $node = connect_node('main', conf => "connect.task_shutdown_graceful_timeout = 1s\n");
my $topic = create_topic('lines');
my $size = 0;

sub sql
{
	return $node->safe_psql('postgres', $_[0]);
}

sub add_lines
{
	append_to_file("$dir/in", "line\n" x 100);
	$size += 500;
	return;
}

my $tasks = "SELECT pid FROM connect.task_status WHERE connector = 'in'";
my $position = "SELECT source_offset ->> 'position' FROM connect.source_offset";

# The task's process, stopped at a place while it stores an offset.
sub frozen_at
{
	my ($place) = @_;
	my $limit = time() + $PostgreSQL::Test::Utils::timeout_default;
	my $pid = sql($tasks);

	$node->append_conf('postgresql.conf', "connect.fault = '$place:stop'\n");
	$node->reload;
	until (slurp_file("/proc/$pid/stat") =~ /\) T /)
	{
		die "no task stops at $place" if time() > $limit;
		add_lines();
		sql('SELECT 1');
	}
	$node->adjust_conf('postgresql.conf', 'connect.fault', undef);
	$node->reload;
	sql("SELECT connect_restart('in', true)");
	return $pid;
}

add_lines();
create_connector($node, 'in', { 'connector.class' => 'FileStreamSource', file => "$dir/in", topic => $topic });
poll_until($node, $position, $size);

my $frozen = frozen_at('source-settled');
poll_until($node, "SELECT count(*) FROM connect.task_status WHERE pid <> $frozen AND state = 'RUNNING'", 1);
add_lines();
poll_until($node, $position, $size);
kill 'CONT', $frozen;
poll_until($node, "SELECT count(*) FROM pg_stat_activity WHERE pid = $frozen", 0);
is(sql($position), $size, 'a process that was replaced stores nothing when it wakes');
like(slurp_file($node->logfile), qr/the task has been given to another process/, 'and says why');

$frozen = frozen_at('source-store');
poll_until($node, 'SELECT count(*) FROM connect.task_status WHERE waiting_for ='
	  . " 'retry: a process that had the task before has not ended its transaction with the offsets'", 1);
pass('the next process waits for a transaction that is open, and says so');
kill 'CONT', $frozen;
poll_until($node, "SELECT count(*) FROM connect.task_status WHERE pid <> $frozen AND state = 'RUNNING'", 1);
add_lines();
poll_until($node, $position, $size);
pass('and goes on from what it stored');

finish();
