# A task's memory does not grow with the table; large values are sent, or refused with a reason.
use strict;
use warnings;

use ConnectTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = connect_node('main');
my $kafka = start_broker('--set', 'message.max.bytes=200000000', '--set', 'socket.request.max.bytes=300000000');
my $bootstrap = broker_file($kafka, 'bootstrap');

sub sql
{
	return $node->safe_psql('postgres', $_[0]);
}

sub source
{
	my ($name, %config) = @_;

	create_connector($node, $name,
		{
			'connector.class' => 'JdbcSource',
			mode => 'bulk',
			'topic.prefix' => "$name-",
			'poll.interval.ms' => '3600000',
			'producer.override.bootstrap.servers' => $bootstrap,
			%config
		});
	wait_for_state($node, $name, 'RUNNING', task => 0);
	return sql("SELECT pid FROM connect.task_status WHERE connector = '$name'");
}

# Of the process alone, without shared buffers; MB.
sub private_memory
{
	my ($pid) = @_;

	return slurp_file("/proc/$pid/status") =~ /^RssAnon:\s+(\d+)/m ? $1 / 1024 : die "no memory of process $pid";
}

# The most that was seen until that many records were sent.
sub peak_memory
{
	my ($name, $pid, $rows) = @_;
	my $peak = 0;
	my $limit = time() + $PostgreSQL::Test::Utils::timeout_default;

	do
	{
		my $now = private_memory($pid);

		$peak = $now if $now > $peak;
		die "$rows records are not sent" if time() > $limit;
	} while (sql("SELECT records_sent FROM connect.task_status WHERE connector = '$name'") < $rows);
	sql("SELECT connect_drop('$name')");
	return $peak;
}

# --- memory -------------------------------------------------------------------

SKIP:
{
	skip 'no /proc tells the private memory', 5 unless -r '/proc/self/status';
	# more than the bound in either form, and more than a queue holds
	sql("CREATE TABLE rows AS SELECT g AS id, repeat(md5(g::text), 4) AS a FROM generate_series(1, 1000000) g;
		CREATE TABLE few AS SELECT * FROM rows LIMIT 100000; ALTER TABLE rows ADD PRIMARY KEY (id); ALTER TABLE few ADD PRIMARY KEY (id)");
	my %modes = (
		'of a scanned heap' => [ mode => 'bulk' ],
		'by id' => [ mode => 'incrementing', 'incrementing.column.name' => 'id' ]);
	foreach my $mode (sort keys %modes)
	{
		my @config = @{ $modes{$mode} };

		cmp_ok(peak_memory('few', source('few', @config, 'table.whitelist' => 'few'), 100000),
			'<', 64, "100,000 rows $mode take less than 64 MB");
		cmp_ok(peak_memory('many', source('many', @config, 'table.whitelist' => 'rows'), 1000000),
			'<', 64, "and so do a million");
	}
	my $query = 'SELECT * FROM rows ORDER BY a';
	cmp_ok(peak_memory('sorted', source('sorted', query => $query, 'topic.prefix' => 'sorted'), 1000000),
		'<', 64, 'nor do the rows of a query, whose rest waits in a file');
}

# --- a large value --------------------------------------------------------------

sql(q(CREATE TABLE docs (id int PRIMARY KEY, doc text);
	INSERT INTO docs SELECT 1, string_agg(md5(g::text), '') FROM generate_series(1, 3125000) g));
is(sql('SELECT octet_length(doc) FROM docs'), '100000000', 'there is a value of 100 MB');
source('refused', 'table.whitelist' => 'docs');
wait_for_state($node, 'refused', 'FAILED', task => 0);
my $trace = sql("SELECT trace FROM connect.task_status WHERE connector = 'refused'");
like($trace, qr/message of 1000000\d\d bytes for topic "refused-docs"/, 'too large a value fails with its size and topic');
like($trace, qr/max\.request\.size/, 'and names the option');
sql("SELECT connect_drop('refused')");

my $pid = source('large', 'table.whitelist' => 'docs', 'producer.override.max.request.size' => '150000000');
poll_until($node, "SELECT records_sent FROM connect.task_status WHERE connector = 'large'", '1');
cmp_ok(-s "$kafka/1/data/large-docs-0/00000000000000000000.log", '>', 100000000, 'a value of 100 MB is sent when the limits allow it');
SKIP:
{
	skip 'no /proc tells the private memory', 1 unless -r '/proc/self/status';
	my $limit = time() + $PostgreSQL::Test::Utils::timeout_default;
	my $now;

	do
	{
		$now = private_memory($pid);
	} while ($now >= 64 && time() < $limit);
	cmp_ok($now, '<', 64, 'and its memory given back');
}

finish();
