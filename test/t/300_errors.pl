# What Kafka Connect did with records that it could not process, we do: states,
# offsets, sink files, dead letters with their headers, log lines.  The cases
# are recorded (test/vectors/errors.jsonl).
use strict;
use warnings;

use ConnectTest;
use JSON::PP;
use MIME::Base64;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = connect_node('main');
my $dir = PostgreSQL::Test::Utils::tempdir;
my $json = JSON::PP->new->canonical->allow_nonref;

# First line and causes: the frames between them are Java's own.  Of the causes
# Connect shows all; ours are the first of them.
sub causes
{
	my ($trace) = @_;

	$trace =~ s/java.util.concurrent.ExecutionException: //g;
	$trace =~ s/topic "[^"]*": //g;
	return grep { /^Caused by: / || /^[a-z][A-Za-z.]+\.[A-Z]\w+/ } split /\n/, $trace;
}

sub same_trace
{
	my ($got, $expected, $name) = @_;
	my @got = causes($got);
	my @expected = causes($expected);

	cmp_ok(scalar @got, '<=', scalar @expected, "$name: no more causes than recorded");
	is_deeply([ map { s/^(Caused by: [\w.]+SerializationException): .*/$1/r } @got ],
		[ map { s/^(Caused by: [\w.]+SerializationException): .*/$1/r } @expected[ 0 .. $#got ] ],
		"$name: trace");
	return;
}

sub bytes
{
	my ($value) = @_;

	return $value unless ref $value;
	return decode_base64($value->{'$base64'});
}

sub check_case
{
	my ($case) = @_;
	my $id = $case->{id};
	my $name = $case->{connector};
	my $fill = sub { my $text = shift; $text =~ s/\$\{dir\}/$dir/g; return $text; };
	my %config = map { $_ => $fill->($case->{config}{$_}) } keys %{ $case->{config} };
	my $state = $case->{status}{tasks}[0]{state};
	my $topic = $case->{input_topic} // $config{topic};

	if ($case->{kind} eq 'sink')
	{
		client('create', $topic, 1, -1);
		produce($topic,
			map { { %$_, partition => 0, key => bytes($_->{key}), value => bytes($_->{value}),
					headers => [ map { [ $_->{name}, $_->{value} ] } @{ $_->{headers} // [] } ] } }
			  @{ $case->{input_records} });
	}
	else
	{
		append_to_file($config{file}, $case->{input_file_text});
	}
	create_connector($node, $name, \%config);
	wait_for_state($node, $name, $state, task => 0);

	# Offsets are stored when all else is done.
	my $view = $case->{kind} eq 'sink'
	  ? "SELECT coalesce(json_agg(json_build_object('kafka_offset', kafka_offset)), '[]')"
	  . " FROM connect.sink_offset WHERE connector = '$name' AND kafka_offset IS NOT NULL"
	  : "SELECT coalesce(json_agg(source_offset), '[]') FROM connect.source_offset WHERE connector = '$name'";
	my $offsets = join ', ', map { my $o = $_->{offset}; map { "{\"$_\" : $o->{$_}}" } keys %$o }
	  @{ $case->{offsets}{offsets} };
	my $answer = "[$offsets]";
	poll_until($node,
		"SELECT ($view)::jsonb = '$answer'::jsonb"
		  . ($state eq 'FAILED' ? '' : " AND (SELECT records_polled FROM connect.task_status WHERE connector = '$name') = "
			  . ($case->{kind} eq 'sink' ? scalar @{ $case->{input_records} } : ($case->{input_file_text} =~ tr/\n//))));
	pass("$id: offsets");

	if ($state eq 'FAILED')
	{
		same_trace($node->safe_psql('postgres',
				"SELECT trace FROM connect.task_status WHERE connector = '$name' AND task = 0"),
			$fill->($case->{status}{tasks}[0]{trace}), $id);
		like($node->safe_psql('postgres', "SELECT reason FROM connect.task_status WHERE connector = '$name'"),
			qr/: Record \Q$topic\E-0@\d+, \w+_CONVERTER: /, "$id: the reason names the record")
		  if $case->{kind} eq 'sink' && $case->{status}{tasks}[0]{trace} =~ /SerializationException/;
	}
	if (defined $case->{sink_file_text})
	{
		is(-f $config{file} ? slurp_file($config{file}) : '', $case->{sink_file_text}, "$id: file");
	}
	if ($case->{topic_records})
	{
		is_deeply([ map { $_->{value} } @{ [ consume($topic) ] } ],
			[ map { $_->{value} } @{ $case->{topic_records} } ], "$id: topic");
	}
	if ($case->{dlq_records})
	{
		my @letters = wait_for_records($case->{dlq_topic}, scalar @{ $case->{dlq_records} });

		foreach my $expected (@{ $case->{dlq_records} })
		{
			my $got = shift @letters;
			my @want = map { [ $_->{name}, $_->{value} ] } @{ $expected->{headers} };

			is($got->{key}, bytes($expected->{key}), "$id: key of the dead letter");
			is($got->{value}, bytes($expected->{value}), "$id: value of the dead letter");
			is($got->{timestamp}, $expected->{timestamp}, "$id: time of the dead letter");
			if (@want && $want[-1][0] eq '__connect.errors.exception.stacktrace')
			{
				same_trace((pop @{ $got->{headers} })->[1], (pop @want)->[1], "$id: dead letter");
			}
			is_deeply($got->{headers}, \@want, "$id: headers of the dead letter");
		}
		is(scalar @letters, 0, "$id: no more dead letters");
	}
	my $log = slurp_file($node->logfile);
	foreach my $entry (grep { /Error encountered|uncaught/ } @{ $case->{log_entries} })
	{
		my ($text) = $entry =~ /ERROR (\[.*) \(org\.[\w.]+:\d+\)\n/ or die $entry;

		$text = $fill->($text);
		$text =~ s/ExactlyOnceWorkerSourceTask/WorkerSourceTask/;
		my $pattern = quotemeta $text;
		$pattern =~ s/\\\$\\\{epoch_ms\\\}/\\d+/g;
		like($log, qr/WARNING:  $pattern/, "$id: log");
	}
	$node->safe_psql('postgres', "SELECT connect_drop('$name')");
	return;
}

# CONNECT_VECTORS (paths, parted by colons) names other files to replay.
foreach my $file (split /:/, $ENV{CONNECT_VECTORS} // "$ENV{CONNECT_KIT}/../vectors/errors.jsonl")
{
	foreach my $line (split /\n/, slurp_file($file))
	{
		# Names of our own, so that the test can share a broker with others.
		my $case = $json->decode($line =~ s/oracle-(?!topic)/oracle-$$-/gr);

	  SKIP:
		{
			skip "$case->{id}: transforms are not part of this version", 1 if defined $case->{config}{transforms};
			subtest $case->{id} => sub { check_case($case) };
		}
	}
}
finish();
