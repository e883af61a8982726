# A disk that is full under the table sink: it waits, visibly, gives up no record
# whatever errors.tolerance says, and goes on by itself when there is room.
use strict;
use warnings;

use ConnectTest;
use IPC::Run ();
use PostgreSQL::Test::Utils;
use Test::More;

my $dir = PostgreSQL::Test::Utils::tempdir('disk');
my $disk = "$dir/disk";
my $library = "$dir/full_disk.so";
my ($records, $size) = (6000, 3_000_000);

sub resize
{
	my ($bytes) = @_;

	open(my $file, '>', "$disk.new") or die $!;
	print $file $bytes;
	close $file;
	rename "$disk.new", "$disk.size" or die $!;
	return;
}

mkdir $disk or die $!;
IPC::Run::run([ 'gcc', '-O1', '-shared', '-fPIC', '-o', $library, "$ENV{CONNECT_KIT}/full_disk.c", '-ldl' ])
  or die 'full_disk.c does not build';
my $node = connect_node('main', start => 0);
{
	local $ENV{LD_PRELOAD} = $library;
	local $ENV{FULL_DISK} = $disk;
	$node->start;
}

sub sql
{
	return $node->safe_psql('postgres', $_[0]);
}

resize(1_000_000);
sql('CREATE EXTENSION connect');
sql("CREATE TABLESPACE small LOCATION '$disk'");

foreach my $mode ('insert', 'upsert', 'through the executor')
{
	my ($topic, $name) = (create_topic('disk'), unique_topic('disk'));
	my %config = ('connector.class' => 'JdbcSink', topics => $topic, 'table.name.format' => 'public.disk',
		'errors.tolerance' => 'all', 'retry.backoff.ms' => 50, 'max.retries' => 1000000,
		'consumer.override.max.poll.records' => 500);

	resize(1_000_000);
	sql('CREATE TABLE disk (id int PRIMARY KEY USING INDEX TABLESPACE small, v text) TABLESPACE small');
	sql(q{CREATE FUNCTION pass() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
		CREATE TRIGGER t BEFORE INSERT ON disk FOR EACH ROW EXECUTE FUNCTION pass()}) if $mode =~ /executor/;
	%config = (%config, 'insert.mode' => 'upsert', 'pk.mode' => 'record_value', 'pk.fields' => 'id') if $mode eq 'upsert';
	produce($topic, map { { value => sprintf('{"id": %d, "v": "%s"}', $_, 'x' x 500) } } 1 .. $records);
	create_connector($node, $name, \%config);

	poll_until($node, "SELECT retries > 2 AND state = 'RUNNING' AND waiting_for LIKE 'retry: could not extend file %No space left on device'"
		  . " FROM connect.task_status WHERE connector = '$name'");
	my ($stored, $position) = split /\|/, sql('SELECT count(*), (SELECT coalesce(sum(kafka_offset), 0)'
		  . " FROM connect.sink_offset WHERE connector = '$name') FROM disk");
	cmp_ok($stored, '<', $records, "$mode: the disk is full and the task waits, which is shown");
	is($position, $stored, 'its position is that of the rows which had room');
	resize(20_000_000);
	poll_until($node, 'SELECT count(*) FROM disk', $records);
	is(sql('SELECT count(DISTINCT id), min(id), max(id) FROM disk'), "$records|1|$records",
		'and all are stored once there is room');
	poll_until($node, "SELECT waiting_for IS NULL AND state = 'RUNNING' FROM connect.task_status WHERE connector = '$name'");
	sql("SELECT connect_drop('$name')");
	wait_for_no_connector($node, $name);
	sql('DROP TABLE disk');
}
finish();
