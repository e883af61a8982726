# Capture by trigger: the queue stays small, makes nobody wait, and keeps its limit.
use strict;
use warnings;

use ConnectTest;
use PostgreSQL::Test::Utils;
use Test::More;

use constant MB => 1024 * 1024;

my $kafka = start_broker();
my $broker = broker_file($kafka, 'bootstrap');
my $node = connect_node(
	'main',
	broker => $broker,
	conf => "max_worker_processes = 20\nlog_lock_waits = on\ndeadlock_timeout = '20ms'\nautovacuum = off\n");

sub sql
{
	return $node->safe_psql('postgres', @_);
}

# A table and its stream; rows take two kilobytes, just short of being compressed.
sub stream
{
	my ($name, %config) = @_;
	my $topic = create_topic($name, 1, { broker => $broker });
	sql("CREATE TABLE $name (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text)");
	create_connector($node, $name,
		{ 'connector.class' => 'TableStreamSource', tables => "public.$name", "table.public.$name.topic" => $topic, %config });
	wait_for_state($node, $name, 'RUNNING', task => 0);
	return $topic;
}

sub insert_statement
{
	my ($name, $rows) = @_;
	return "INSERT INTO $name (note) SELECT repeat(md5(i::text), 56) FROM generate_series(1, $rows) i";
}

sub queue_bytes
{
	my ($name) = @_;
	return sql("SELECT bytes FROM connect.queue_status WHERE connector = '$name'");
}

sub wait_until_sent
{
	my ($name) = @_;
	return poll_until($node, "SELECT oldest IS NULL FROM connect.queue_status WHERE connector = '$name'");
}

# --- flat, beside a transaction that stays open and readers of the queue ---

stream('flat');
my $tables = sql(q{SELECT string_agg(t::regclass::text, ' UNION ALL SELECT count(*) FROM ') FROM connect.queue q, unnest(q.tables) t});

# it has written to the queue: more than a writer keeps in memory
my $open = $node->background_psql('postgres', on_error_stop => 1);
$open->set_query_timer_restart;
$open->query_safe('BEGIN');
$open->query_safe(insert_statement('flat', 1500));

# reads all of the queue, again and again
my $script = PostgreSQL::Test::Utils::tempdir . '/read.sql';
append_to_file($script, "SELECT count(*) FROM $tables;\n");
my ($out, $err) = ('', '');
my $reader = IPC::Run::start(
	[ $node->installed_command('pgbench'), '-n', '-c', 1, '-T', 3600, '-f', $script, '-h', $node->host, '-p', $node->port, 'postgres' ],
	'<', \undef, '>', \$out, '2>', \$err);

my @sizes;
for my $step (1 .. 12)
{
	# sixteen megabytes, in the queue as in the table
	sql(join ';', (insert_statement('flat', 2000)) x 4);
	wait_until_sent('flat');
	push @sizes, queue_bytes('flat');
}
my @files = split /\|/, sql('SELECT min(pg_relation_filenode(t)), max(pg_relation_filenode(t)), count(*) FROM connect.queue q, unnest(q.tables) t');
note("sizes after each 16 MB: @sizes");
my ($largest) = sort { $b <=> $a } @sizes;
cmp_ok($largest, '<', 110 * MB, 'the queue stays small while two hundred megabytes pass, a transaction stays open and others read');
cmp_ok($files[2], '<=', 6, 'nor does the ring');
$reader->signal('TERM');
$reader->finish;
$open->query_safe('COMMIT');
$open->quit;
wait_until_sent('flat');
poll_until($node, "SELECT bytes <= 17 * 1024 * 1024 FROM connect.queue_status WHERE connector = 'flat'");
pass('what the open transaction held is given back when it ends');
is(sql("SELECT records_sent = (SELECT count(*) FROM flat) FROM connect.task_status WHERE connector = 'flat'"),
	't', 'all was sent, once');
unlike(slurp_file($node->logfile), qr/still waiting for (?:RowExclusive|Share)Lock/, 'and no writer waited for a lock');

# --- limits, while Kafka is away ---

my %topic = map { $_ => stream($_, 'queue.max.bytes' => 2 * MB, 'queue.full.policy' => $_) } qw(hold fail drop);
sql("INSERT INTO $_ (note) VALUES ('first')") for qw(hold fail drop);
wait_for_records($topic{$_}, 1, broker => $broker) for qw(hold fail drop);
wait_until_sent($_) for qw(hold fail drop);
broker_command('freeze', $kafka);

sql(insert_statement('hold', 2000));
my ($bytes, $age, $max, $policy) = split /\|/,
  sql("SELECT bytes, age > '0', max_bytes, full_policy FROM connect.queue_status WHERE connector = 'hold'");
cmp_ok($bytes, '>', 2 * MB, 'hold: the queue grows beyond its limit');
is("$age $max $policy", 't ' . 2 * MB . ' hold', 'and its size, limit and age are shown');

# The writer that finds the queue full fails; what it wrote is gone with it.
sub insert_until
{
	my ($name, $pattern) = @_;
	my $stderr = '';
	for (1 .. 20)
	{
		$node->psql('postgres', insert_statement($name, 1500), stderr => \$stderr);
		last if $stderr ne '';
	}
	return like($stderr, $pattern, "$name: the writer is told");
}

insert_until('fail', qr/the capture queue of this table has reached its limit of 2097152 bytes/);
my $rows = sql('SELECT count(*) FROM fail');
isnt($node->psql('postgres', "INSERT INTO fail (note) VALUES ('one more')"), 0, 'and so is the next one');
is(sql('SELECT count(*) FROM fail'), $rows, 'nothing of theirs is in the table');

sql(insert_statement('drop', 1500)) for 1 .. 3;
is(sql("SELECT dropped FROM connect.queue_status WHERE connector = 'drop'"), 't', 'drop: capture ends, writers go on');
$bytes = queue_bytes('drop');
sql(insert_statement('drop', 1500));
is(queue_bytes('drop'), $bytes, 'and nothing more is queued');
my $stderr = '';
$node->psql('postgres', "SELECT connect_emit('drop', 'drop', 'k', 'v')", stderr => \$stderr);
like($stderr, qr/the queue of connector "drop" was full/, 'nor is a message taken that would not be sent');

broker_command('thaw', $kafka);
wait_for_state($node, 'drop', 'FAILED', task => 0);
like(sql("SELECT trace FROM connect.task_status WHERE connector = 'drop'"),
	qr/capture has ended: the queue had reached its limit of 2097152 bytes/, 'its task says so');
wait_until_sent('fail');
poll_until($node, "SELECT bytes < max_bytes FROM connect.queue_status WHERE connector = 'fail'");
sql("INSERT INTO fail (note) VALUES ('taken again')");
wait_for_records($topic{fail}, sql('SELECT count(*) FROM fail'), broker => $broker);
pass('fail: once Kafka is back writers are taken again, and all they wrote arrives');
wait_until_sent('hold');
is(scalar(wait_for_records($topic{hold}, 2001, broker => $broker)), 2001, 'hold: all arrives');
finish();
