# Capture by trigger: whatever changes rows is captured, as what it is.
use strict;
use warnings;

use ConnectTest;
use JSON::PP;
use Test::More;

my $node = connect_node('main', conf => "wal_level = logical\nmax_worker_processes = 20\n");
my $json = JSON::PP->new->canonical->allow_nonref;

sub sql
{
	return $node->safe_psql('postgres', @_);
}

# A stream of tables into one topic each, and the connector runs.
sub stream
{
	my ($name, %config) = @_;
	create_connector($node, $name, { 'connector.class' => 'TableStreamSource', %config });
	wait_for_state($node, $name, 'RUNNING', task => 0);
	return;
}

# The values of a topic, from record $from on, once it holds $count more.
sub values_from
{
	my ($topic, $from, $count) = @_;
	my @records = wait_for_records($topic, $from + $count);
	return map { defined $_->{value} ? $json->decode($_->{value}) : undef } @records[ $from .. $#records ];
}

# "op key" of each record of a topic in Debezium's form; "tombstone key".
sub changes
{
	my ($topic, $from, $count) = @_;
	my @records = wait_for_records($topic, $from + $count);
	my @changes;
	for my $record (@records[ $from .. $#records ])
	{
		my $key = defined $record->{key} ? join '/', map { $_ // 'null' } do
		{
			my $k = $json->decode($record->{key});
			map { $k->{$_} } sort keys %$k;
		} : '-';
		my $op = defined $record->{value} ? $json->decode($record->{value})->{op} : 'tombstone';
		push @changes, "$op $key";
	}
	return \@changes;
}

# --- Debezium's envelope ---

my $orders = create_topic('orders', 1);
sql('CREATE TABLE orders (id int PRIMARY KEY, amount numeric(10,2), note text)');
stream(
	'orders',
	tables => 'public.orders',
	format => 'debezium',
	operations => 'insert,update,delete,truncate',
	'table.public.orders.topic' => $orders);
my $txid = sql("BEGIN; INSERT INTO orders VALUES (1, 10.5, 'a'); SELECT pg_current_xact_id(); COMMIT");
sql("UPDATE orders SET note = 'b'");
sql('UPDATE orders SET id = 2');
sql('DELETE FROM orders');
sql('TRUNCATE orders');
my ($c, $u, $d1, $t1, $c2, $d2, $t2, $t) = values_from($orders, 0, 8);
is($c->{op}, 'c', 'an insert is op c');
is($c->{before}, undef, 'without before');
is_deeply($c->{after}, { id => 1, amount => 10.5, note => 'a' }, 'and the row in after');
is_deeply([ sort keys %$c ], [qw(after before op source ts_ms)], 'the envelope has Debezium\'s fields');
my $source = $c->{source};
is_deeply([ sort keys %$source ], [qw(connector db name schema snapshot table ts_ms txId version)],
	'and the source block');
is_deeply(
	[ @$source{qw(connector name db schema table snapshot txId)} ],
	[ 'postgresql', 'orders', 'postgres', 'public', 'orders', 'false', $txid ],
	'which says where and in which transaction');
ok($c->{ts_ms} >= $source->{ts_ms} && $source->{ts_ms} > 1_600_000_000_000, 'and when');
is_deeply([ @$u{qw(op before after)} ],
	[ 'u', { id => 1, amount => 10.5, note => 'a' }, { id => 1, amount => 10.5, note => 'b' } ],
	'an update has both rows, whatever the replica identity');
is_deeply([ $d1->{op}, $d1->{before}{id}, $t1, $c2->{op}, $c2->{before}, $c2->{after}{id} ],
	[ 'd', 1, undef, 'c', undef, 2 ], 'a changed key is a delete, a tombstone and an insert');
is_deeply([ @$d2{qw(op before after)}, $t2 ], [ 'd', { id => 2, amount => 10.5, note => 'b' }, undef, undef ],
	'a delete has the old row, then comes a tombstone');
is_deeply([ @$t{qw(op before after)}, $t->{source}{table} ], [ 't', undef, undef, 'orders' ],
	'a truncate has the name of its table alone');

# --- who changes rows ---

my $parent = create_topic('parent', 1);
my $child = create_topic('child', 1);
my $parts = create_topic('parts', 1);
sql(<<'SQL');
CREATE TABLE parent (id int PRIMARY KEY, v int);
CREATE TABLE child (id int PRIMARY KEY, parent int REFERENCES parent ON DELETE CASCADE ON UPDATE CASCADE,
	other int REFERENCES parent ON DELETE SET NULL);
CREATE TABLE parts (id int, region text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE parts_a PARTITION OF parts FOR VALUES IN ('a');
SQL
stream(
	'writers',
	tables => 'public.parent,public.child,public.parts',
	format => 'debezium',
	operations => 'insert,update,delete,truncate',
	'table.public.parent.topic' => $parent,
	'table.public.child.topic' => $child,
	'table.public.parts.topic' => $parts);

sql('INSERT INTO parent SELECT i, i FROM generate_series(1, 4) i');
sql('INSERT INTO child VALUES (1, 1, 2), (2, 2, 1), (3, 3, NULL)');
is_deeply(changes($child, 0, 3), [ 'c 1', 'c 2', 'c 3' ], 'inserts');
sql('DELETE FROM parent WHERE id = 1');
is_deeply(changes($child, 3, 3), [ 'd 1', 'tombstone 1', 'u 2' ], 'ON DELETE CASCADE deletes, SET NULL updates');
sql('UPDATE parent SET id = 30 WHERE id = 3');
is_deeply(changes($child, 6, 1), ['u 3'], 'ON UPDATE CASCADE updates');
is_deeply(changes($parent, 4, 5), [ 'd 1', 'tombstone 1', 'd 3', 'tombstone 3', 'c 30' ], 'as the table itself does');

sql(<<'SQL');
MERGE INTO parent p USING (VALUES (2), (5), (4)) m (id) ON p.id = m.id
	WHEN MATCHED AND m.id = 4 THEN DELETE
	WHEN MATCHED THEN UPDATE SET v = 20
	WHEN NOT MATCHED THEN INSERT VALUES (m.id, m.id);
SQL
my $merged = changes($parent, 9, 4);
is_deeply([ sort @$merged ], [ 'c 5', 'd 4', 'tombstone 4', 'u 2' ], 'MERGE inserts, updates and deletes');
sql("INSERT INTO parent VALUES (5, 50), (6, 60) ON CONFLICT (id) DO UPDATE SET v = excluded.v;"
	  . "INSERT INTO parent VALUES (5, 55), (7, 70) ON CONFLICT DO NOTHING");
is_deeply(changes($parent, 13, 3), [ 'u 5', 'c 6', 'c 7' ], 'ON CONFLICT is the update it does, or nothing');
sql("COPY parent FROM stdin;\n8\t80\n9\t90\n\\.\n");
is_deeply(changes($parent, 16, 2), [ 'c 8', 'c 9' ], 'COPY inserts');
sql(<<'SQL');
BEGIN;
UPDATE parent SET v = 1 WHERE id = 8;
SAVEPOINT a;
UPDATE parent SET v = 2 WHERE id = 8;
SAVEPOINT b;
DELETE FROM parent WHERE id = 9;
RELEASE b;
ROLLBACK TO a;
UPDATE parent SET v = 3 WHERE id = 8;
DO $$ BEGIN
	BEGIN
		DELETE FROM parent WHERE id = 8;
		RAISE EXCEPTION 'no';
	EXCEPTION WHEN raise_exception THEN
		UPDATE parent SET v = 4 WHERE id = 8;
	END;
END $$;
COMMIT;
SQL
is_deeply([ map { $_->{after}{v} } values_from($parent, 18, 3) ],
	[ 1, 3, 4 ], 'what a savepoint or a handler took back does not come');

sql("INSERT INTO parts VALUES (1, 'a')");
sql("CREATE TABLE parts_b PARTITION OF parts FOR VALUES IN ('b')");
sql("UPDATE parts SET region = 'b'");
sql("INSERT INTO parts_b VALUES (2, 'b')");
is_deeply(changes($parts, 0, 5), [ 'c 1/a', 'd 1/a', 'tombstone 1/a', 'c 1/b', 'c 2/b' ],
	'a row that moves to a new partition is deleted and inserted; a partition can be written directly');
sql('TRUNCATE parts_b');
sql('TRUNCATE parts');
is_deeply([ map { "$_->{op} $_->{source}{table}" } values_from($parts, 5, 3) ],
	[ 't parts_b', 't parts_a', 't parts_b' ], 'a truncate names the partition that it emptied');
sql('TRUNCATE parent CASCADE');
is_deeply(changes($parent, 21, 1), ['t -'], 'TRUNCATE CASCADE is one of the table');
is_deeply(changes($child, 7, 1), ['t -'], 'and one of each that refers to it');

# --- which changes count ---

my $chosen = create_topic('chosen', 1);
sql('CREATE TABLE chosen (id int PRIMARY KEY, price int, stock int)');
stream(
	'chosen',
	tables => 'public.chosen',
	'table.public.chosen.topic' => $chosen,
	'table.public.chosen.columns' => 'id,price',
	'table.public.chosen.where' => 'price > 10');
sql('INSERT INTO chosen VALUES (1, 5, 0), (2, 50, 0)');
sql('UPDATE chosen SET stock = stock + 1');
sql('UPDATE chosen SET price = 20 WHERE id = 1');
sql('UPDATE chosen SET price = 6 WHERE id = 2');
sql('UPDATE chosen SET price = 21, stock = 9 WHERE id = 1');
is_deeply([ values_from($chosen, 0, 4) ],
	[ { id => 2, price => 50 }, { id => 1, price => 20 }, undef, { id => 1, price => 21 } ],
	'with a column list and a filter a reader sees the filtered rows of these columns, and no other update');

# --- keys ---

my $identity = create_topic('identity', 1);
my $full = create_topic('full', 1);
sql(<<'SQL');
CREATE TABLE identity (a int NOT NULL, b text NOT NULL, c int);
CREATE UNIQUE INDEX identity_b ON identity (b);
ALTER TABLE identity REPLICA IDENTITY USING INDEX identity_b;
CREATE TABLE "full" (a int, b text);
ALTER TABLE "full" REPLICA IDENTITY FULL;
SQL
stream(
	'keys',
	tables => 'public.identity,public.full',
	format => 'debezium',
	'table.public.identity.topic' => $identity,
	'table.public.full.topic' => $full);
sql("INSERT INTO identity VALUES (1, 'x', 1); UPDATE identity SET c = 2; DELETE FROM identity");
is_deeply(changes($identity, 0, 4), [ 'c x', 'u x', 'd x', 'tombstone x' ],
	'without a primary key the index of the replica identity is the key');
sql(q{INSERT INTO "full" VALUES (1, 'x'); UPDATE "full" SET a = 2; DELETE FROM "full"});
is_deeply(changes($full, 0, 3), [ 'c -', 'u -', 'd -' ], 'with a full one there is none, and no tombstone');

my $renamed = create_topic('renamed', 1);
sql('CREATE TABLE renamed (id int PRIMARY KEY, code text, price int)');
stream('renamed', tables => 'public.renamed', format => 'debezium', map { ("table.public.renamed.$_->[0]" => $_->[1]) }
	[ topic => $renamed ], [ key => 'code' ], [ where => 'price > 10' ]);
sql(q{INSERT INTO renamed VALUES (1, 'a', 20); ALTER TABLE renamed RENAME code TO codes; INSERT INTO renamed VALUES (2, 'b', 20);
	DELETE FROM renamed WHERE id = 2});
is_deeply(changes($renamed, 0, 4), [ 'c a', 'c 2', 'd 2', 'tombstone 2' ], 'the primary key takes the place of a key that is gone');
my $stderr = '';
$node->psql('postgres', 'ALTER TABLE renamed RENAME price TO prices; INSERT INTO renamed VALUES (3, NULL, 20)', stderr => \$stderr);
like($stderr, qr/column "price" does not exist.*filter "where" of streamed table "renamed"/s, 'who writes learns of a filter that is broken');
sql(q{SELECT connect_patch('renamed', '{"table.public.renamed.where": "prices > 10", "table.public.renamed.key": "codes"}');
	INSERT INTO renamed VALUES (4, 'd', 20)});
is_deeply(changes($renamed, 4, 1), ['c d'], 'until the connector says what there is');

# --- streams that end and begin while events wait ---

my $stays = create_topic('stays', 1);
my $joins = create_topic('joins', 1);
sql('CREATE TABLE stays (id int PRIMARY KEY); CREATE TABLE leaves (id int PRIMARY KEY); CREATE TABLE joins (id int PRIMARY KEY)');
sql("SELECT connect_stream_table('stays', topic => '$stays', connector => 'both', snapshot => false)");
sql("SELECT connect_stream_table('leaves', connector => 'both')");
wait_for_state($node, 'both', 'RUNNING', task => 0);
sql("SELECT connect_pause('both')");
wait_for_state($node, 'both', 'PAUSED');
sql('INSERT INTO leaves VALUES (1); INSERT INTO stays VALUES (1)');
sql("SELECT connect_unstream_table('leaves', 'both')");
sql("SELECT connect_stream_table('joins', topic => '$joins', connector => 'both'); INSERT INTO joins VALUES (1)");
sql('INSERT INTO joins VALUES (2)');
sql("SELECT connect_resume('both')");
is_deeply([ values_from($stays, 0, 1) ], [ { id => 1 } ],
	'a table that is streamed no more keeps no other from being sent');
is_deeply([ sort { $a->{id} <=> $b->{id} } values_from($joins, 0, 2) ], [ { id => 1 }, { id => 2 } ],
	'a table that joins loses nothing');

# --- triggers that users write ---

my $own = create_topic('own', 1);
sql(qq(CREATE TABLE own (id int PRIMARY KEY); INSERT INTO own VALUES (1)));
sql(<<SQL);
BEGIN;
SELECT connect_create('own', '{"connector.class": "TableStreamSource", "tables": "public.own", "create.triggers": false,
	"table.public.own.topic": "$own"}');
CREATE TRIGGER mine AFTER INSERT ON own FOR EACH ROW WHEN (NEW.id <> 2) EXECUTE FUNCTION connect_capture('own');
COMMIT;
INSERT INTO own VALUES (2), (3);
SQL
is_deeply([ values_from($own, 0, 2) ], [ { id => 1 }, { id => 3 } ], 'a trigger that its user wrote captures what it fires for');
sql("CREATE TRIGGER typo AFTER INSERT ON own FOR EACH ROW EXECUTE FUNCTION connect_capture('onw')");
$node->psql('postgres', 'INSERT INTO own VALUES (4)', stderr => \$stderr);
like($stderr, qr/WARNING:  changes of table "own" are not captured: there is no connector "onw"/, 'one that names nobody says so');

# --- an owner who is gone ---

sql(q(CREATE TABLE left_behind (id int PRIMARY KEY); CREATE ROLE gone; GRANT SELECT, TRIGGER ON left_behind TO gone;
	GRANT EXECUTE ON FUNCTION connect_create(text, jsonb, text) TO gone));
sql(q(SET ROLE gone; SELECT connect_stream_table('left_behind', connector => 'left_behind')));
my $tables = sql(q(SELECT count(*) FROM pg_class WHERE relname ~ '^queue_\d+_\d+$'));
sql(q(DROP OWNED BY gone; DROP ROLE gone; SELECT connect_drop('left_behind')));
is(sql(q(SELECT count(*) FROM pg_trigger WHERE tgrelid = 'left_behind'::regclass)), '0', 'a connector without owner leaves no trigger behind');
is(sql(q(SELECT count(*) FROM pg_class WHERE relname ~ '^queue_\d+_\d+$')), $tables - 3, 'nor its queue');

# --- types that somebody defined ---

my $odd = create_topic('odd', 1);
sql(q{CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TYPE pair AS (a int, b text); CREATE DOMAIN few AS int[];
	CREATE TABLE odd (mood mood, moods mood[], pairs pair[], few few, fews few[]);
	INSERT INTO odd VALUES ('ok', '{sad,NULL}', array[row(1, 'x y'), NULL]::pair[], '{1,2}', '{"{3,4}"}')});
stream('odd', tables => 'public.odd', 'table.public.odd.topic' => $odd);
sql(q{INSERT INTO odd VALUES (NULL, '{}', array[[row(1, NULL)], [NULL]]::pair[], '{}', NULL)});
is_deeply(
	[ values_from($odd, 0, 2) ],
	[
		{ mood => 'ok', moods => [ 'sad', undef ], pairs => [ '(1,"x y")', undef ], few => [ 1, 2 ], fews => ['{3,4}'] },
		{ mood => undef, moods => [], pairs => [ ['(1,)'], [undef] ], few => [], fews => undef }
	],
	'arrays of any type are arrays, of text at the least');

my $settings = create_topic('settings', 1);
sql(q{CREATE TYPE moment AS (d date, ts timestamptz, i interval, f float8, b bytea); CREATE TABLE settings (m moment, ms moment[])});
stream('settings', tables => 'public.settings', 'table.public.settings.topic' => $settings);
sql(q{SET DateStyle = German; SET TimeZone = 'Asia/Kolkata'; SET IntervalStyle = iso_8601; SET extra_float_digits = -5; SET bytea_output = escape;
	INSERT INTO settings SELECT m, ARRAY[m] FROM (VALUES (ROW('06.05.2024', '2024-05-06 12:00+00', '1 day', 0.1 + 0.2::float8, 'x')::moment)) AS v (m)});
my $moment = '(2024-05-06,"2024-05-06 12:00:00+00","1 day",0.30000000000000004,"\\\\x78")';
is_deeply([ values_from($settings, 0, 1) ], [ { m => $moment, ms => [$moment] } ], 'the settings of who writes change no text');

# --- messages ---

my $outbox = create_topic('outbox', 1);
create_connector($node, 'outbox', { 'connector.class' => 'OutboxSource' });
sql(<<SQL);
BEGIN;
SELECT connect_emit('outbox', '$outbox', 'k', 'one');
SAVEPOINT s;
SELECT connect_emit('outbox', '$outbox', 'k', 'gone');
ROLLBACK TO s;
SELECT connect_emit('outbox', '$outbox', NULL::text, 'two');
COMMIT;
SQL
sql("BEGIN; SELECT connect_emit('outbox', '$outbox', 'k', 'gone'); ROLLBACK");
sql("SELECT connect_emit('outbox', '$outbox', 'k', NULL::text, '{\"h\": 1}')");
is_deeply([ map { [ $_->{key}, $_->{value} ] } wait_for_records($outbox, 3) ],
	[ [ 'k', 'one' ], [ undef, 'two' ], [ 'k', undef ] ],
	'a message is sent if and only if its transaction commits');

$stderr = '';
$node->psql('postgres', "BEGIN READ ONLY; SELECT connect_emit('outbox', '$outbox', 'k', 'x'); COMMIT", stderr => \$stderr);
like($stderr, qr/cannot execute connect_emit\(\) in a read-only transaction/, 'a transaction that is to write nothing sends nothing');

# --- a publication of everything ---

sql('CREATE PUBLICATION everything FOR ALL TABLES');
my $before = () = consume($orders);
sql("INSERT INTO orders VALUES (7, 7, 'published')");
is_deeply(changes($orders, $before, 1), ['c 7'], 'a publication FOR ALL TABLES does not stop the queue');
poll_until($node, "SELECT oldest IS NULL FROM connect.queue_status WHERE connector = 'orders'");
is(sql("SELECT state FROM connect.task_status WHERE connector = 'orders'"), 'RUNNING', 'nor the offsets');
finish();
