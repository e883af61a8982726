# Tables come, go and change under a running source; it reads with its owner's
# rights, and goes on where it was after a kill.
use strict;
use warnings;

use ConnectTest;
use JSON::PP;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = connect_node('main', conf => <<'CONF');
max_worker_processes = 32
connect.snapshot_max_age = 1s
restart_after_crash = on
CONF
my $prefix = unique_topic('t');

sub sql
{
	return $node->safe_psql('postgres', $_[0]);
}

sub source
{
	my ($name, %config) = @_;

	create_connector($node, $name,
		{ 'connector.class' => 'JdbcSource', 'topic.prefix' => "$prefix-", 'poll.interval.ms' => '20', %config });
	wait_for_state($node, $name, 'RUNNING', task => 0);
	return;
}

sub field
{
	my ($topic, $count, $field) = @_;

	return join ' ', map { decode_json($_->{value})->{$field} // 'null' } wait_for_records("$prefix-$topic", $count);
}

# --- tables come and go -------------------------------------------------------

sql(q(CREATE TABLE one (id int PRIMARY KEY, a text); INSERT INTO one VALUES (1, 'x')));
source('watch', mode => 'incrementing', 'incrementing.column.name' => 'id', 'table.include.list' => 'public\.(one|two)',
	'table.poll.interval.ms' => '50', 'tasks.max' => '4');
is(field('one', 1, 'id'), '1', 'a table is read');
sql(q(CREATE TABLE two (id int PRIMARY KEY); INSERT INTO two VALUES (7)));
is(field('two', 1, 'id'), '7', 'a new table is noticed without a restart');
sql('DROP TABLE two');
poll_until($node, "SELECT count(*) FROM connect.task_status WHERE connector = 'watch'", '1');
poll_until($node, "SELECT state FROM connect.task_status WHERE connector = 'watch'", 'RUNNING');
ok(1, 'a dropped table ends cleanly');
sql(q(ALTER TABLE one ADD b int; INSERT INTO one VALUES (2, 'y', 5)));
is(field('one', 2, 'b'), 'null 5', 'a new column is in the next record');
sql(q(ALTER TABLE one RENAME TO gone; CREATE TABLE one (id bigint PRIMARY KEY, c text); INSERT INTO one VALUES (3, 'z')));
is(field('one', 3, 'c'), 'null null z', 'a table made anew under the same name is read on');

# --- rights -------------------------------------------------------------------

sql(q(CREATE ROLE reader LOGIN; GRANT EXECUTE ON FUNCTION connect_create(text, jsonb, text) TO reader;
	CREATE TABLE secret (id int PRIMARY KEY, who text); INSERT INTO secret VALUES (1, 'reader'), (2, 'other');
	GRANT SELECT ON secret TO reader; ALTER TABLE secret ENABLE ROW LEVEL SECURITY;
	CREATE POLICY p ON secret USING (who = current_user)));
sql(qq(SET ROLE reader; SELECT connect_create('rls', '{"connector.class": "JdbcSource", "mode": "bulk",
	"table.whitelist": "secret", "topic.prefix": "$prefix-", "poll.interval.ms": "3600000"}')));
is(field('secret', 1, 'id'), '1', 'row security holds for a bulk read');
sql('REVOKE SELECT ON secret FROM reader');
sql("SELECT connect_restart('rls', true)");
wait_for_state($node, 'rls', 'FAILED', task => 0);
like(sql("SELECT trace FROM connect.task_status WHERE connector = 'rls'"), qr/permission denied for table secret/,
	'a right that was taken away counts');
sql("SELECT connect_drop('rls')");

# Who may create in the search path has no operator of his called.
sql(q(CREATE SCHEMA lib; CREATE DOMAIN number AS int; CREATE TABLE lib.numeric (id numeric PRIMARY KEY); INSERT INTO lib.numeric VALUES (1);
	CREATE TABLE lib.domain (id number PRIMARY KEY); INSERT INTO lib.domain VALUES (1);
	GRANT CREATE ON SCHEMA public TO reader));
foreach my $type (qw(numeric number))
{
	sql(qq(SET ROLE reader; CREATE OR REPLACE FUNCTION mine($type, bigint) RETURNS boolean LANGUAGE plpgsql AS \$\$ BEGIN
		RAISE EXCEPTION 'called as %', current_user; END \$\$;
		CREATE OPERATOR $_ (LEFTARG = $type, RIGHTARG = bigint, FUNCTION = mine))) foreach qw(>= <=);
}
source('mine', mode => 'incrementing', 'incrementing.column.name' => 'id', 'schema.pattern' => 'lib');
is(field($_, 1, 'id'), '1', "a key of type $_ is compared as PostgreSQL does") foreach qw(numeric domain);
sql("SELECT connect_drop('mine')");
sql(q(SET ROLE reader; CREATE FUNCTION mine(name, name) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'called'; END $$;
	CREATE OPERATOR !~~ (LEFTARG = name, RIGHTARG = name, FUNCTION = mine); RESET ROLE; CREATE TABLE lib.bare (id int); INSERT INTO lib.bare VALUES (5)));
source('bare', mode => 'bulk', 'schema.pattern' => 'lib', 'table.whitelist' => 'bare', 'table.names.qualify' => 'false', 'poll.interval.ms' => '3600000');
is(field('bare', 1, 'id'), '5', 'nor when a table is looked for in all schemas');
sql("SELECT connect_drop('bare')");

# --- another database is refused ------------------------------------------------

my ($stdout, $stderr);
$node->psql('postgres', q(SELECT connect_create('my', '{"connector.class": "JdbcSource", "mode": "bulk", "table.whitelist": "one",
	"connection.url": "jdbc:mysql://localhost/x"}')), stdout => \$stdout, stderr => \$stderr);
like($stderr, qr/only jdbc:postgresql: URLs of this very database/, 'another database is refused');

# --- large tables -----------------------------------------------------------------

# The lock keeps the table back until the broker is frozen; a small table shows that it was there.
sql(q(CREATE TABLE big AS SELECT g AS id, repeat('x', 200) AS a FROM generate_series(1, 200000) g;
	ALTER TABLE big ADD PRIMARY KEY (id);
	CREATE TABLE small AS SELECT 1 AS id));
my $kafka = start_broker();
my $lock = $node->background_psql('postgres', on_error_stop => 1);
$lock->query_safe('BEGIN; LOCK TABLE big');
create_connector($node, 'big',
	{
		'connector.class' => 'JdbcSource',
		mode => 'bulk',
		'table.whitelist' => 'small,big',
		'topic.prefix' => "$prefix-",
		'poll.interval.ms' => '3600000',
		'producer.override.bootstrap.servers' => broker_file($kafka, 'bootstrap'),
		'producer.override.buffer.memory' => '8388608'
	});
poll_until($node, "SELECT records_sent FROM connect.task_status WHERE connector = 'big'", '1');
broker_command('freeze', $kafka);
$lock->query_safe('COMMIT');
$lock->quit;
poll_until($node, q(SELECT progress ~ 'temporary storage' FROM connect.task_status WHERE connector = 'big'));
poll_until($node, q(SELECT count(*) FROM pg_locks WHERE relation = 'big'::regclass), '0');
poll_until($node, q(SELECT backend_xmin IS NULL AND backend_xid IS NULL FROM pg_stat_activity
	WHERE pid = (SELECT pid FROM connect.task_status WHERE connector = 'big')));
ok(1, 'a snapshot is let go when Kafka takes no more, and holds no vacuum back');
sql('ALTER TABLE big ADD b int');
broker_command('thaw', $kafka);
poll_until($node, "SELECT records_sent FROM connect.task_status WHERE connector = 'big'", '200001');
my $sent = count_ids("$prefix-big", broker => broker_file($kafka, 'bootstrap'));
is(scalar(keys %$sent), 200000, 'the rest of the table comes from temporary storage');
sql("SELECT connect_drop('big')");

# --- kill -9 ------------------------------------------------------------------------

sql(q(CREATE TABLE many AS SELECT g AS id FROM generate_series(1, 50000) g; ALTER TABLE many ADD PRIMARY KEY (id)));
expect_in_log($node, qr/was terminated by signal 9/);
source('many', mode => 'incrementing', 'incrementing.column.name' => 'id', 'table.whitelist' => 'many',
	'offset.flush.interval.ms' => '20');
poll_until($node, "SELECT source_offset ->> 'incrementing' FROM connect.source_offset WHERE connector = 'many'", '50000');
sql('INSERT INTO many SELECT generate_series(50001, 100000)');
kill 'KILL', sql("SELECT pid FROM connect.task_status WHERE connector = 'many'");
# psql itself dies while there is no server to talk to.
my $limit = time() + $PostgreSQL::Test::Utils::timeout_default;
until (eval { wait_for_state($node, 'many', 'RUNNING', task => 0, timeout => 1) })
{
	die 'the server does not come back' if time() > $limit;
}
poll_until($node, "SELECT source_offset ->> 'incrementing' FROM connect.source_offset WHERE connector = 'many'", '100000');
$sent = count_ids("$prefix-many");
is(scalar(keys %$sent), 100000, 'after a kill reading goes on from the stored offset and loses nothing');
is(scalar(grep { $_ <= 50000 && $sent->{$_} > 1 } keys %$sent), 0, 'and sends nothing twice that was stored before');

finish();
