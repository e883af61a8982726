# ConnectTest: what TAP tests of connect stand on.
#
#	use ConnectTest;
#	my $node = connect_node('main');             # running, extension created
#	my $topic = unique_topic('orders');
#	$node->safe_psql('postgres', "SELECT connect_create('a', '{...}')");
#	wait_for_state($node, 'a', 'RUNNING');
#	produce($topic, { key => 'k', value => 'v' });
#	my @records = wait_for_records($topic, 1);
#	finish();                                    # in place of done_testing()
#
# A node is a PostgreSQL::Test::Cluster with all its methods.  finish() stops
# the nodes and brokers and reads their logs: a PANIC, a failed assertion, a
# sanitizer's report, a leak warning or a process that ended by a signal fails
# the test, unless the test announced it (expect_in_log).  No test sleeps: it
# polls for a condition, within PG_TEST_TIMEOUT_DEFAULT seconds.
#
# Brokers.  broker() is the address of a broker shared by all test files: use
# topics of your own (unique_topic).  It has SASL and TLS listeners too, see
# shared_broker().  A test that stops brokers, or wants other
# settings, starts its own with start_broker().
package ConnectTest;

use strict;
use warnings;

use Exporter 'import';
use IPC::Run ();
use JSON::PP ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);

our @EXPORT = qw(
  connect_node create_connector poll_until wait_for_state wait_for_no_connector crash_at expect_in_log finish
  broker shared_broker start_broker broker_command broker_file client client_fails
  unique_topic create_topic produce consume wait_for_records count_ids wait_for_ids group_offsets
);

# What no server log may hold unannounced: the lines of the file "oracle".
my $ORACLE = join '|', split /\n/, slurp_file("$ENV{CONNECT_KIT}/oracle");
die 'the oracle knows nothing' if $ORACLE eq '';
my $BROKER_ORACLE = qr/OutOfMemoryError|SIGSEGV/;

my (@nodes, @brokers, %announced, $topics, $finished);

# --- nodes -------------------------------------------------------------------

# A running node with connect preloaded and, in database postgres, created.
#	conf => text        more lines for postgresql.conf
#	broker => address   connect.bootstrap_servers; by default broker(), '' for none
#	extension => 0      do not create the extension
#	start => 0          do not start
#	init => [...]       arguments of PostgreSQL::Test::Cluster's init
sub connect_node
{
	my ($name, %opt) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);
	my $broker = $opt{broker} // broker();

	push @nodes, $node;
	$node->init(@{ $opt{init} // [] });
	$node->append_conf('postgresql.conf', "shared_preload_libraries = 'connect'\nlog_statement = none\n");
	$node->append_conf('postgresql.conf', "connect.bootstrap_servers = '$broker'\n") if $broker ne '';
	$node->append_conf('postgresql.conf', $opt{conf}) if defined $opt{conf};
	return $node if defined $opt{start} && !$opt{start};
	$node->start(fail_ok => 1) or die "node $name does not start";
	$node->safe_psql('postgres', 'CREATE EXTENSION connect')
	  unless defined $opt{extension} && !$opt{extension};
	return $node;
}

# connect_create with a hash as configuration; database => name for another than postgres.
sub create_connector
{
	my ($node, $name, $config, %opt) = @_;
	my $json = JSON::PP->new->canonical->encode($config);

	return $node->safe_psql($opt{database} // 'postgres',
		sprintf('SELECT connect_create($name$%s$name$, $config$%s$config$)', $name, $json));
}

# Runs the query until it answers $expected (by default 't'); dies with the
# last answer after the limit.  Errors of the query count as no answer.
sub poll_until
{
	my ($node, $query, $expected, %opt) = @_;
	my $limit = time() + ($opt{timeout} // $PostgreSQL::Test::Utils::timeout_default);
	my $pause = 10_000;
	my ($answer, $stderr);

	$expected //= 't';
	do
	{
		# a server that is not up yet closes the pipe in psql's face
		eval { $node->psql($opt{database} // 'postgres', $query, stdout => \$answer, stderr => \$stderr); 1 }
		  or ($answer, $stderr) = (undef, $@);
		return 1 if ($answer // '') eq $expected && $stderr eq '';
		usleep($pause);
		$pause = $pause * 2 > 200_000 ? 200_000 : $pause * 2;
	} while (time() < $limit);
	die "timed out waiting for \"$expected\" from: $query\nlast answer: " . ($answer // '') . "\n$stderr";
}

# Waits for a connector, and with task => N for that task, to be in a state.
sub wait_for_state
{
	my ($node, $connector, $state, %opt) = @_;
	my $query = defined $opt{task}
	  ? "SELECT state FROM connect.task_status WHERE connector = '$connector' AND task = $opt{task}"
	  : "SELECT state FROM connect.connector_status WHERE connector = '$connector'";

	return poll_until($node, $query, $state, %opt);
}

sub wait_for_no_connector
{
	my ($node, $connector, %opt) = @_;

	return poll_until($node,
		"SELECT count(*) FROM connect.connector_status WHERE connector = '$connector'", '0', %opt);
}

# Sets a fault, does something, and waits until a process has come by: the
# server crashes and starts again without the fault.
sub crash_at
{
	my ($node, $fault, $do) = @_;
	my $crashes = () = slurp_file($node->logfile) =~ /was terminated by signal 9/g;

	$node->append_conf('postgresql.conf', "connect.fault = '$fault'\n");
	$node->reload;
	$do->();
	poll_until($node, "SELECT " . $crashes
		  . " < (length(log) - length(replace(log, 'was terminated by signal 9', ''))) / 26"
		  . " FROM pg_read_file('" . $node->logfile . "') AS log");
	$node->adjust_conf('postgresql.conf', 'connect.fault', undef);
	$node->reload;
	return;
}

# Announces a line that would otherwise fail the test; it must then appear.
sub expect_in_log
{
	my ($node, $pattern) = @_;

	push @{ $announced{ $node->name } }, $pattern;
	return;
}

sub log_tail
{
	my ($node) = @_;
	my @lines = split /\n/, -f $node->logfile ? slurp_file($node->logfile) : '';

	return join("\n", @lines > 30 ? @lines[ -30 .. -1 ] : @lines) . "\n";
}

sub check_log
{
	my ($node) = @_;
	my @patterns = @{ $announced{ $node->name } // [] };
	my @lines = split /\n/, -f $node->logfile ? slurp_file($node->logfile) : '';
	my @bad;

	foreach my $line (grep { /$ORACLE/ } @lines)
	{
		push @bad, $line unless grep { $line =~ $_ } @patterns;
	}
	is(join("\n", @bad), '', 'log of node ' . $node->name . ' holds no crash');
	foreach my $pattern (@patterns)
	{
		ok(scalar(grep { $_ =~ $pattern } @lines),
			'log of node ' . $node->name . " holds what was announced: $pattern");
	}
	return;
}

# Stops everything, reads the logs, ends the test.
sub finish
{
	$finished = 1;
	foreach my $node (@nodes)
	{
		$node->stop('fast', fail_ok => 1) if defined $node->{_pid};
		check_log($node);
	}
	foreach my $dir (@brokers)
	{
		broker_command('kill', $dir);
		foreach my $log (glob("$dir/[0-9]*/log"))
		{
			unlike(slurp_file($log), $BROKER_ORACLE, 'broker had enough memory');
		}
	}
	done_testing();
	return;
}

END
{
	# A test that died: show why its servers may be the cause, leave nothing running.
	if (!$finished)
	{
		my $status = $?;

		foreach my $node (@nodes)
		{
			diag('log of node ' . $node->name . ":\n" . log_tail($node));
		}
		broker_command('kill', $_) foreach @brokers;
		$? = $status || 1;
	}
}

# --- brokers -----------------------------------------------------------------

sub kit
{
	my ($tool) = @_;

	return "$ENV{CONNECT_KIT}/$tool";
}

# The directory of the shared broker, for broker_file: it has every kind of listener.
sub shared_broker
{
	return $ENV{CONNECT_KIT_BROKER} // die 'run TAP tests by test/kit/test: there is no broker';
}

# The shared broker's plain address.
sub broker
{
	return broker_file(shared_broker(), 'bootstrap');
}

# Starts brokers of the test's own: start_broker('--secure', '--set', 'a=b').
# Returns their directory, for broker_command and broker_file.
sub start_broker
{
	my (@options) = @_;
	my $dir = PostgreSQL::Test::Utils::tempdir('kafka');

	push @brokers, $dir;
	broker_command('start', $dir, @options);
	return $dir;
}

# broker_command('kill', $dir, 2): see the head of test/kit/kafka.
sub broker_command
{
	my ($command, $dir, @args) = @_;
	my ($out, $err) = ('', '');

	IPC::Run::run([ kit('kafka'), $command, $dir, @args ], '<', \undef, '>', \$out, '2>', \$err)
	  or die "kafka $command failed: $err";
	return $out;
}

# The content of a file of the broker: bootstrap, sasl, ssl, sasl_ssl (addresses), ca.pem.
sub broker_file
{
	my ($dir, $name) = @_;
	my $text = slurp_file("$dir/$name");

	chomp $text;
	return $text;
}

# Runs the kit's client; the last argument may be a hash with broker => address,
# properties => { ... }, input => text.  Returns its output; dies if it fails.
sub client
{
	my ($ok, $out, $err) = run_client(@_);

	die "kafka-client @_: $err" unless $ok;
	return $out;
}

# The same for what must fail: returns the error.
sub client_fails
{
	my ($ok, $out, $err) = run_client(@_);

	die "kafka-client @_ did not fail" if $ok;
	return $err;
}

sub run_client
{
	my (@args) = @_;
	my %opt = ref $args[-1] eq 'HASH' ? %{ pop @args } : ();
	my %properties = %{ $opt{properties} // {} };
	my ($out, $err) = ('', '');
	my $input = $opt{input} // '';
	my $ok = IPC::Run::run(
		[
			$ENV{KIT_CLIENT}, (map { ('-X', "$_=$properties{$_}") } sort keys %properties),
			$opt{broker} // broker(), @args
		],
		'<', \$input, '>', \$out, '2>', \$err);

	return ($ok, $out, $err);
}

# --- topics and records --------------------------------------------------------

# A name that no other test file uses.
sub unique_topic
{
	my ($base) = @_;

	return sprintf('%s-%d-%d', $base, $$, ++$topics);
}

# A new topic with a unique name; name=value settings may follow.
sub create_topic
{
	my ($base, $partitions, @rest) = @_;
	my %opt = ref $rest[-1] eq 'HASH' ? %{ pop @rest } : ();
	my $topic = unique_topic($base);

	client('create', $topic, $partitions // 1, $opt{replicas} // -1, @rest, \%opt);
	return $topic;
}

sub hex_or_null
{
	my ($bytes) = @_;

	return defined $bytes ? unpack('H*', $bytes) : '-';
}

sub bytes_or_undef
{
	my ($hex) = @_;

	return $hex eq '-' ? undef : pack('H*', $hex);
}

# Records are hashes: key, value (bytes or undef), headers ([[name, value], ...]),
# partition, timestamp (ms), all optional.  An array behind them has options as
# client's, and end: how a transaction ends, if not by its commit (abort, leave).
sub produce
{
	my ($topic, @records) = @_;
	my %opt = ref $records[-1] eq 'ARRAY' ? @{ pop @records } : ();
	my $command = delete $opt{end} // 'produce';
	my $input = '';

	foreach my $record (@records)
	{
		my @headers = map { (hex_or_null($_->[0]), hex_or_null($_->[1])) } @{ $record->{headers} // [] };

		$input .= join("\t",
			$record->{partition} // -1, 0, $record->{timestamp} // 0,
			hex_or_null($record->{key}), hex_or_null($record->{value}), @headers) . "\n";
	}
	client($command, $topic, { %opt, input => $input });
	return;
}

# All records of a topic, by partition and offset; options as client's.
sub consume
{
	my ($topic, %opt) = @_;
	my @records;

	foreach my $line (split /\n/, client('consume', $topic, \%opt))
	{
		my ($partition, $offset, $timestamp, $key, $value, @headers) = split /\t/, $line, -1;
		my @pairs;

		while (my ($name, $header) = splice(@headers, 0, 2))
		{
			push @pairs, [ bytes_or_undef($name), bytes_or_undef($header) ];
		}
		push @records,
		  {
			partition => $partition,
			offset => $offset,
			timestamp => $timestamp,
			key => bytes_or_undef($key),
			value => bytes_or_undef($value),
			headers => \@pairs
		  };
	}
	return sort { $a->{partition} <=> $b->{partition} || $a->{offset} <=> $b->{offset} } @records;
}

# Waits until the topic holds at least that many records, and returns them.
sub wait_for_records
{
	my ($topic, $count, %opt) = @_;
	my $limit = time() + (delete $opt{timeout} // $PostgreSQL::Test::Utils::timeout_default);
	my @records;

	do
	{
		@records = consume($topic, %opt);
		return @records if @records >= $count;
		usleep(50_000);
	} while (time() < $limit);
	die sprintf('topic %s holds %d records, not %d, after the limit', $topic, scalar @records, $count);
}

# How often each id is in the topic: { id => times }.  JSON::PP would take long for many.
sub count_ids
{
	my %ids;

	$ids{ $_->{value} =~ /"id":(\d+)/ ? $1 : die "no id in $_->{value}" }++ foreach consume(@_);
	return \%ids;
}

# The same once there are so many ids, or in vain at the limit.
sub wait_for_ids
{
	my ($topic, $count, %opt) = @_;
	my $limit = time() + $PostgreSQL::Test::Utils::timeout_default;
	my $ids;

	do
	{
		$ids = count_ids($topic, %opt);
	} while (keys %$ids < $count && time() < $limit);
	return $ids;
}

# The committed offsets of a group: { "topic-partition" => offset }.
sub group_offsets
{
	my ($group, %opt) = @_;
	my %offsets;

	foreach my $line (split /\n/, client('group-offsets', $group, \%opt))
	{
		my ($topic, $partition, $offset) = split /\t/, $line;

		$offsets{"$topic-$partition"} = $offset;
	}
	return \%offsets;
}

1;
