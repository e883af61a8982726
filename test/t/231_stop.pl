# A task ends when it is told to, whatever the code of a user does.
use strict;
use warnings;

use ConnectTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $node = connect_node('main', conf => "connect.task_shutdown_graceful_timeout = 1s\n");
my $deaf = q{
	CREATE TABLE t (id int);
	CREATE FUNCTION deaf() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN
		LOOP
			BEGIN
				PERFORM pg_catalog.pg_advisory_lock(1);
			EXCEPTION WHEN query_canceled THEN
				RAISE LOG 'swallowed';
			END;
		END LOOP;
	END $$;
	CREATE TRIGGER deaf BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION deaf()};
my $holder;

# A sink whose task stands in the trigger.
sub deaf_sink
{
	my ($name, $database) = @_;
	my $topic = create_topic('deaf');

	produce($topic, { value => '{"id":1}' });
	create_connector($node, $name,
		{ 'connector.class' => 'JdbcSink', topics => $topic, 'table.name.format' => 't' }, database => $database);
	poll_until($node, "SELECT count(*) FROM pg_stat_activity WHERE datname = '$database'"
		  . " AND backend_type = 'connect task' AND wait_event_type = 'Lock'", 1);
	return;
}

sub gone
{
	my ($what, $since) = @_;

	poll_until($node, "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'connect task'", 0);
	cmp_ok(time() - $since, '<', 10, $what);
	return;
}

$node->safe_psql('postgres', $deaf);
$holder = $node->background_psql('postgres');
$holder->query_safe('SELECT pg_advisory_lock(1)');

deaf_sink('stopped', 'postgres');
my $start = time();
$node->safe_psql('postgres', "SELECT connect_stop('stopped')");
gone('connect_stop() ends a task whose trigger swallows the cancellation', $start);
like(slurp_file($node->logfile), qr/LOG:  swallowed/, 'which was cancelled first');
$node->safe_psql('postgres', "SELECT connect_drop('stopped')");
$holder->quit;

$node->safe_psql('postgres', 'CREATE DATABASE doomed');
$node->safe_psql('doomed', "CREATE EXTENSION connect; $deaf");
$holder = $node->background_psql('doomed');
$holder->query_safe('SELECT pg_advisory_lock(1)');
deaf_sink('doomed', 'doomed');
$start = time();
$node->safe_psql('postgres', 'DROP DATABASE doomed WITH (FORCE)');
gone('DROP DATABASE ends it too', $start);
eval { $holder->quit };

finish();
