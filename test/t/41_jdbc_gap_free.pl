# Polling by id and by time loses no row, whatever order transactions commit in.
use strict;
use warnings;

use ConnectTest;
use JSON::PP;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = connect_node('main', conf => <<'CONF');
max_prepared_transactions = 20
max_worker_processes = 32
autovacuum = off
CONF

sub source
{
	my ($name, $table, $mode, %more) = @_;
	my $topic = unique_topic($name);

	$node->safe_psql('postgres', "CREATE TABLE IF NOT EXISTS $table (id bigserial PRIMARY KEY,"
		  . " at timestamptz NOT NULL DEFAULT now(), who text)");
	create_connector($node, $name,
		{
			'connector.class' => 'JdbcSource',
			'mode' => $mode,
			'incrementing.column.name' => 'id',
			'timestamp.column.name' => 'at',
			'table.whitelist' => $table,
			'topic.prefix' => "$topic-",
			'poll.interval.ms' => '20',
			%more
		});
	wait_for_state($node, $name, 'RUNNING', task => 0);
	return "$topic-$table";
}

sub ids
{
	my ($topic, $count) = @_;

	return join ' ', map { decode_json($_->{value})->{id} } wait_for_records($topic, $count);
}

sub session
{
	return $node->background_psql('postgres', on_error_stop => 1);
}

sub waits_for
{
	my ($name, $pattern) = @_;

	return poll_until($node, "SELECT waiting_for ~ \$p\$$pattern\$p\$ FROM connect.task_status WHERE connector = '$name'");
}

# --- by id ------------------------------------------------------------------

my $topic = source('by-id', 'a', 'incrementing');
my $slow = session();
my $pid = $slow->query_safe('SELECT pg_backend_pid()');

$slow->query_safe('BEGIN; INSERT INTO a(who) VALUES (\'slow\')');
$node->safe_psql('postgres', "INSERT INTO a(who) VALUES ('fast')");
waits_for('by-id', "pid $pid, which writes to public.a");
ok(1, 'the status names the writer that is waited for');
$node->safe_psql('postgres', "VACUUM a; INSERT INTO a(who) VALUES ('later')");
ok(1, 'who waits blocks nobody');
$slow->query_safe('COMMIT');
is(ids($topic, 3), '1 2 3', 'a row that commits late comes in its place');

$node->safe_psql('postgres', "BEGIN; INSERT INTO a(who) VALUES ('two-phase'); PREPARE TRANSACTION 'p1'");
$node->safe_psql('postgres', "INSERT INTO a(who) VALUES ('after')");
waits_for('by-id', "prepared transaction 'p1'");
ok(1, 'the status names the prepared transaction');
$node->safe_psql('postgres', "COMMIT PREPARED 'p1'");
is(ids($topic, 5), '1 2 3 4 5', 'a prepared row comes in its place');

$slow->query_safe('BEGIN; SAVEPOINT s; INSERT INTO a(who) VALUES (\'undone\'); ROLLBACK TO s; INSERT INTO a(who) VALUES (\'kept\')');
$node->safe_psql('postgres', "INSERT INTO a(who) VALUES ('next')");
$slow->query_safe('COMMIT');
is(ids($topic, 7), '1 2 3 4 5 7 8', 'what was rolled back is not waited for in vain');

# A vacuum holds a lock and delays nothing.
my $vacuum = session();
$vacuum->query_safe('BEGIN; LOCK TABLE a IN SHARE UPDATE EXCLUSIVE MODE');
$node->safe_psql('postgres', "INSERT INTO a(who) VALUES ('during vacuum')");
is(ids($topic, 8), '1 2 3 4 5 7 8 9', 'the lock that a vacuum holds delays nothing');
$vacuum->query_safe('COMMIT');
$vacuum->quit;

# Writers may name a partition.
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE parts (id bigserial, at timestamptz NOT NULL DEFAULT now(), who text) PARTITION BY LIST (who);
CREATE TABLE part1 PARTITION OF parts FOR VALUES IN ('one');
CREATE TABLE part2 PARTITION OF parts FOR VALUES IN ('two');
ALTER TABLE parts ADD PRIMARY KEY (id, who);
SQL
$topic = source('partitioned', 'parts', 'incrementing', 'table.types' => 'PARTITIONED TABLE');
$slow->query_safe("BEGIN; INSERT INTO part1(who) VALUES ('one')");
$node->safe_psql('postgres', "INSERT INTO part2(who) VALUES ('two')");
waits_for('partitioned', "pid $pid, which writes to public.part1");
$slow->query_safe('COMMIT');
is(ids($topic, 2), '1 2', 'a writer that names a partition is waited for');

# A view's base tables have the writers.
$node->safe_psql('postgres', 'CREATE VIEW v AS SELECT id, at, who FROM a WHERE id > 100; ALTER SEQUENCE a_id_seq RESTART 101');
$topic = source('view', 'v', 'incrementing', 'table.types' => 'VIEW', 'validate.non.null' => 'false');
$slow->query_safe("BEGIN; INSERT INTO a(who) VALUES ('slow')");
$node->safe_psql('postgres', "INSERT INTO a(who) VALUES ('fast')");
waits_for('view', "pid $pid, which writes to public.a");
$slow->query_safe('COMMIT');
is(ids($topic, 2), '101 102', 'the writers of a view are those of its tables');

# --- by time ----------------------------------------------------------------

$topic = source('by-time', 'b', 'timestamp');
$slow->query_safe('BEGIN; SELECT now()');
$node->safe_psql('postgres', "INSERT INTO b(who) VALUES ('fast')");
waits_for('by-time', "pid $pid, whose transaction began at");
ok(1, 'the status names the oldest transaction');
$slow->query_safe("INSERT INTO b(who) VALUES ('slow'); COMMIT");
is(ids($topic, 2), '2 1', 'a transaction that writes long after its start loses no row');

$slow->query_safe("BEGIN; INSERT INTO b(who) VALUES ('two-phase'); PREPARE TRANSACTION 'p2'");
$node->safe_psql('postgres', "INSERT INTO b(who) VALUES ('after')");
waits_for('by-time', "prepared transaction 'p2'");
$node->safe_psql('postgres', "COMMIT PREPARED 'p2'");
is(ids($topic, 4), '2 1 3 4', 'a prepared row comes in its place by time');
$slow->quit;

# --- many writers, beside a naive poller ------------------------------------

my %topics = (
	incrementing => source('many-id', 'c', 'incrementing'),
	timestamp => source('many-time', 'c', 'timestamp'),
	both => source('many-both', 'c', 'timestamp+incrementing'));

$node->safe_psql('postgres', 'CREATE TABLE naive (id bigint); CREATE TABLE done (x int)');
my $naive = session();
$naive->query_until(qr/begun/, <<'SQL');
\echo begun
DO $$
DECLARE
	last bigint := 0;
	top bigint;
BEGIN
	LOOP
		INSERT INTO naive SELECT id FROM c WHERE id > last;
		SELECT max(id) INTO top FROM naive;
		last := coalesce(top, 0);
		COMMIT;
		EXIT WHEN EXISTS (SELECT FROM done);
	END LOOP;
END $$;
SQL

my $script = $node->basedir . '/writers.sql';
append_to_file($script, <<'SQL');
\set kind random(1, 10)
\set pause random(0, 20)
BEGIN;
INSERT INTO c(who) VALUES ('first');
\sleep :pause ms
\if :kind = 1
ROLLBACK;
\elif :kind = 2
SAVEPOINT s;
INSERT INTO c(who) VALUES ('undone');
ROLLBACK TO s;
COMMIT;
\elif :kind = 3
PREPARE TRANSACTION 'g:client_id';
\sleep :pause ms
COMMIT PREPARED 'g:client_id';
\elif :kind = 4
SET LOCAL synchronous_commit = off;
INSERT INTO c(who) VALUES ('second');
COMMIT;
\else
COMMIT;
\endif
SQL
# pgbench puts variables into statements, not into text: one file a client.
my @writers = map {
	my $file = "$script.$_";
	(my $text = slurp_file($script)) =~ s/:client_id/$_/g;
	append_to_file($file, $text);
	[ 'pgbench', '-n', '-c', '1', '-T', '6', '-f', $file, '-h', $node->host, '-p', $node->port, 'postgres' ];
} 1 .. 8;
my @running = map { my $out = ''; IPC::Run::start($_, '>', \$out, '2>', \$out) } @writers;
foreach my $run (@running)
{
	$run->finish or die 'a writer failed';
}

my $expected = $node->safe_psql('postgres', "SELECT string_agg(id::text, ' ' ORDER BY id) FROM c");
my $count = split / /, $expected;
foreach my $mode (sort keys %topics)
{
	my @got = sort { $a <=> $b } split / /, ids($topics{$mode}, $count);

	is("@got", $expected, "of $count rows of eight writers none is lost and none sent twice: $mode");
}
$node->safe_psql('postgres', 'INSERT INTO done VALUES (1)');
poll_until($node, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%last bigint%' AND pid <> pg_backend_pid() AND state = 'active'", '0');
my $lost = $node->safe_psql('postgres', 'SELECT count(*) FROM c WHERE id NOT IN (SELECT id FROM naive)');
cmp_ok($lost, '>', 0, "a naive poller beside it lost rows ($lost)");
$naive->quit;

finish();
