# Capture by trigger: session_replication_role and what a subscription applies.
use strict;
use warnings;

use ConnectTest;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use Test::More;

my $origin = PostgreSQL::Test::Cluster->new('origin');
$origin->init(allows_streaming => 'logical');
$origin->start;
my $node = connect_node('main');
my $json = JSON::PP->new;

my $tables = <<'SQL';
CREATE TABLE plain (id int PRIMARY KEY, v int);
CREATE TABLE parts (id int PRIMARY KEY, v int) PARTITION BY RANGE (id);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (1) TO (100);
SQL
$origin->safe_psql('postgres', $tables);
$node->safe_psql('postgres', $tables);

my %topic = map { $_ => create_topic($_, 1) } qw(plain parts);
create_connector(
	$node, 'replicas',
	{
		'connector.class' => 'TableStreamSource',
		tables => 'public.plain,public.parts',
		format => 'debezium',
		'tombstones.on.delete' => 'false',
		operations => 'insert,update,delete,truncate',
		'table.public.plain.topic' => $topic{plain},
		'table.public.parts.topic' => $topic{parts}
	});
wait_for_state($node, 'replicas', 'RUNNING', task => 0);
my $trigger = $node->safe_psql('postgres',
	"SELECT 'connect_capture_' || id FROM connect.connector_def WHERE name = 'replicas'");

# "op id v" of the records of a topic from $from on, when it holds $count more.
sub changes
{
	my ($table, $from, $count) = @_;
	my @records = wait_for_records($topic{$table}, $from + $count);
	return [
		map {
			my $value = $json->decode($_->{value});
			my $row = $value->{after} // $value->{before} // {};
			join ' ', $value->{op}, map { $_ // '-' } @$row{qw(id v)};
		} @records[ $from .. $#records ]
	];
}

# Inserts as a replica and as an origin, for each state of the trigger.
sub insert_both
{
	my ($id) = @_;
	$node->safe_psql('postgres', <<SQL);
SET session_replication_role = replica;
INSERT INTO plain VALUES ($id, 1);
SET session_replication_role = origin;
INSERT INTO plain VALUES ($id + 1, 2);
SQL
	return;
}

insert_both(1);
is_deeply(changes('plain', 0, 1), ['c 2 2'], 'what a replica session writes is not captured');
$node->safe_psql('postgres', "ALTER TABLE plain ENABLE ALWAYS TRIGGER $trigger");
insert_both(3);
is_deeply(changes('plain', 1, 2), [ 'c 3 1', 'c 4 2' ], 'with ENABLE ALWAYS all is');
$node->safe_psql('postgres', "ALTER TABLE plain ENABLE REPLICA TRIGGER $trigger");
insert_both(5);
is_deeply(changes('plain', 3, 1), ['c 5 1'], 'with ENABLE REPLICA what a replica writes is');

# A subscription applies as a replica does.
$node->safe_psql('postgres', "ALTER TABLE plain ENABLE TRIGGER $trigger; TRUNCATE plain");
is_deeply(changes('plain', 4, 1), ['t - -'], 'the truncate trigger follows');
$origin->safe_psql('postgres', 'CREATE PUBLICATION p FOR TABLE plain, parts');
my $connection = $origin->connstr . ' dbname=postgres';
$node->safe_psql('postgres', "CREATE SUBSCRIPTION s CONNECTION '$connection' PUBLICATION p");
$origin->safe_psql('postgres', 'INSERT INTO plain VALUES (10, 1); INSERT INTO parts VALUES (10, 1)');
poll_until($node, 'SELECT (SELECT count(*) FROM plain) + (SELECT count(*) FROM parts)', '2');
$node->safe_psql('postgres', 'INSERT INTO plain VALUES (11, 1); INSERT INTO parts VALUES (11, 1)');
is_deeply(changes('plain', 5, 1), ['c 11 1'], 'what a subscription applies is not captured');
is_deeply(changes('parts', 0, 1), ['c 11 1'], 'nor into partitions');

$node->safe_psql('postgres',
	"ALTER TABLE plain ENABLE ALWAYS TRIGGER $trigger; ALTER TABLE parts ENABLE ALWAYS TRIGGER $trigger");
$origin->safe_psql('postgres', <<'SQL');
BEGIN;
INSERT INTO plain SELECT i, i FROM generate_series(20, 22) i;
UPDATE plain SET v = 99 WHERE id = 21;
DELETE FROM plain WHERE id = 22;
SAVEPOINT a;
INSERT INTO plain VALUES (23, 23);
ROLLBACK TO a;
COMMIT;
INSERT INTO parts VALUES (20, 20);
UPDATE parts SET v = 21 WHERE id = 20;
TRUNCATE plain;
TRUNCATE parts;
SQL
is_deeply(changes('plain', 6, 6), [ 'c 20 20', 'c 21 21', 'c 22 22', 'u 21 99', 'd 22 22', 't - -' ],
	'with ENABLE ALWAYS it is, in the order of the origin');
is_deeply(changes('parts', 1, 3), [ 'c 20 20', 'u 20 21', 't - -' ], 'also into partitions');

# The first copy of a table is a COPY by a worker of its own.
$node->safe_psql('postgres', 'DROP SUBSCRIPTION s');
$origin->safe_psql('postgres', 'INSERT INTO plain SELECT i, i FROM generate_series(30, 32) i');
$node->safe_psql('postgres', "CREATE SUBSCRIPTION again CONNECTION '$connection' PUBLICATION p");
is_deeply(changes('plain', 12, 3), [ 'c 30 30', 'c 31 31', 'c 32 32' ], 'and so is the first copy');
$node->safe_psql('postgres', 'DROP SUBSCRIPTION again');
$origin->stop;
finish();
