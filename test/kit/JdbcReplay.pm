# JdbcReplay: replays recorded cases of the JDBC connectors, step by step.
#
#	use JdbcReplay;
#	replay_jdbc('source', 'jdbc_source_postgres.jsonl', 'jdbc_validate.jsonl');
#
# A case is a subtest.  Names of files are those of test/vectors, or paths; the
# environment variable CONNECT_VECTORS (paths, parted by colons) puts others in
# their place.  Where we do otherwise on purpose, test/vectors/jdbc_KIND_ours.jsonl
# says for a case's step what is right and why; a line without a step leaves
# out the case.  CONNECT_CASE is a pattern: only cases with such names.
package JdbcReplay;

use strict;
use warnings;

use ConnectTest;
use Exporter 'import';
use JSON::PP;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

our @EXPORT = qw(replay_jdbc);

my $json = JSON::PP->new->canonical->utf8->allow_nonref;
my $vectors = "$ENV{CONNECT_KIT}/../vectors";

# Topics have names of their own in each case, for the broker keeps what other
# cases left: a source's get a prefix, a sink's are looked up in %topics.
# %seen counts the records of a source's topic that steps have consumed.
my ($node, $user, $kind, $name, $prefix, %topics, %seen, %ours);
my $number = 0;

my %steps = (
	sql => sub { sql($_[0]{sql}); pass(label($_[0])) },
	produce => \&step_produce,
	create => \&step_create,
	validate => \&step_validate,
	consume => \&step_consume,
	status => \&step_status,
	offsets => \&step_offsets,
	task_configs => \&step_task_configs,
	table => \&step_table,
	restart => sub { sql("SELECT ours.connect_restart('$name', true)"); pass(label($_[0])) },
	log => sub { });

sub replay_jdbc
{
	($kind, my @files) = @_;

	@files = split /:/, $ENV{CONNECT_VECTORS} if defined $ENV{CONNECT_VECTORS};
	$node = connect_node('main', extension => 0, conf => "listen_addresses = '127.0.0.1'\n");
	$node->safe_psql('postgres', 'CREATE DATABASE app');
	sql('CREATE SCHEMA ours; CREATE EXTENSION connect SCHEMA ours');
	$user = sql('SELECT current_user');
	%ours = map { ($_->{case} . (defined $_->{step} ? " $_->{step}" : '') => $_) } lines("jdbc_${kind}_ours.jsonl");
	foreach my $case (grep { $_->{kind} eq $kind } map { lines($_) } @files)
	{
		next if defined $ENV{CONNECT_CASE} && $case->{case} !~ /$ENV{CONNECT_CASE}/;
	  SKIP:
		{
			skip "$case->{case}: $ours{$case->{case}}{why}", 1 if $ours{ $case->{case} };
			subtest $case->{case} => sub { run_case($case) };
		}
	}
	return;
}

sub lines
{
	my ($file) = @_;

	$file = "$vectors/$file" unless $file =~ m{/};
	return map { $json->decode($_) } grep { /\S/ } split /\n/, slurp_file($file);
}

sub sql
{
	return $node->safe_psql('app', $_[0]);
}

sub label
{
	my ($step) = @_;

	return "$step->{step}: $step->{do}" . (defined $step->{why} ? " ($step->{why})" : '');
}

sub run_case
{
	my ($case) = @_;
	my $step = 0;

	sql('DROP SCHEMA IF EXISTS s2 CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public');
	$name = 'c' . ++$number;
	$prefix = unique_topic('v');
	%seen = %topics = ();
	foreach my $recorded (@{ $case->{steps} })
	{
		my $ours = $ours{"$case->{case} $step"};
		my $do = { %{ $ours ? $ours->{is} : $recorded }, step => $step++ };

		$do->{config} = $recorded->{config} if $recorded->{config};
		$do->{why} = $ours->{why} if $ours;
		eval { $steps{ $do->{do} }->($do); 1 } or fail(label($do)) || diag($@);
	}

	# What came after the last step counts too: nothing more is there.
	$node->psql('app', "SELECT ours.connect_stop('$name')");
	$node->psql('app', "SELECT ours.connect_wait('$name', 'STOPPED')");
	foreach my $topic (sort keys %seen)
	{
		my @all = consume("$prefix$topic");
		is(scalar(@all), $seen{$topic}, "no other record in \"$topic\"");
	}
	sql("SELECT ours.connect_drop('$name', true)");
	poll_until($node, "SELECT count(*) FROM connect.connector_status", '0', database => 'app');
	return;
}

sub topic
{
	my ($topic) = @_;

	return $topics{$topic} //= create_topic($topic);
}

sub step_produce
{
	my ($step) = @_;

	foreach my $record (@{ $step->{records} })
	{
		my %sent;

		foreach my $part ('key', 'value')
		{
			my $it = $record->{$part};

			next unless defined $it;
			$sent{$part} = ref $it eq 'HASH' && exists $it->{'$bytes'} ? $it->{'$bytes'} : $json->encode($it);
		}
		produce(topic($record->{topic}), \%sent);
	}
	pass(label($step));
	return;
}

sub config_of
{
	my ($step) = @_;
	my %config = %{ $step->{config} };
	my $port = $node->port;

	$config{'connection.user'} = $user if exists $config{'connection.user'};
	$config{'connection.url'} =~ s/dbhost:5432/127.0.0.1:$port/ if exists $config{'connection.url'};
	if ($kind eq 'sink')
	{
		$config{topics} = join(',', map { topic($_) } split /,/, $config{topics}) if exists $config{topics};
		$config{'topics.to.tables.mapping'} =~ s/(\w+):(\w+)/topic($1) . ":$2"/ge
		  if exists $config{'topics.to.tables.mapping'};
	}
	return %config;
}

sub step_create
{
	my ($step) = @_;
	my %config = config_of($step);
	my $exists = sql("SELECT count(*) FROM connect.connector_status");
	my ($stdout, $stderr);

	foreach my $role ('key', 'value')
	{
		next if exists $config{"$role.converter"};
		$config{"$role.converter"} = 'org.apache.kafka.connect.json.JsonConverter';
		$config{"$role.converter.schemas.enable"} = 'true';
	}
	$config{'topic.prefix'} = "$prefix$config{'topic.prefix'}" if exists $config{'topic.prefix'};
	$node->psql('app',
		sprintf('SELECT ours.%s($n$%s$n$, $c$%s$c$)',
			$exists ? 'connect_alter' : 'connect_create', $name, $json->encode(\%config)),
		stdout => \$stdout, stderr => \$stderr);
	if ($step->{http_status} < 300)
	{
		is($stderr, '', label($step));
	}
	else
	{
		isnt($stderr, '', label($step));
	}
	return;
}

sub step_validate
{
	my ($step) = @_;
	my $config = $json->encode({ name => 'c', config_of($step) });
	my $port = $node->port;
	my ($got, $stderr);

	$node->psql('app',
		"SELECT coalesce(json_object_agg(key, errors), '{}')"
		  . " FROM ours.connect_validate(\$c\$$config\$c\$) WHERE errors <> '{}'",
		stdout => \$got, stderr => \$stderr);
	if (defined $step->{http_status} && $step->{http_status} >= 400)
	{
		isnt($stderr, '', label($step));
		return;
	}
	die $stderr if $stderr ne '';
	$got =~ s/127\.0\.0\.1:$port/dbhost:5432/g;
	same($json->decode($got), $step->{errors}, label($step));
	return;
}

sub step_consume
{
	my ($step) = @_;
	my $topics = $step->{topics};

	foreach my $topic (sort keys %$topics)
	{
		my $expected = $topics->{$topic};
		my $n = @{ $expected->{records} };
		my @all = wait_for_records("$prefix$topic", ($seen{$topic} // 0) + $n);
		my @new = splice(@all, $seen{$topic} // 0, $n);
		my (@schemas, @values);

		$seen{$topic} += $n;
		foreach my $record (@new)
		{
			my ($key_schema, $key) = part_of($record->{key}, $expected->{key_schema});
			my ($value_schema, $value) = part_of($record->{value}, $expected->{value_schema});

			push @schemas, [ $key_schema, $value_schema ];
			push @values, { key => $key, value => $value };
		}
		same(\@schemas, [ map { [ @$expected{ 'key_schema', 'value_schema' } ] } @new ],
			label($step) . " schemas of \"$topic\"");
		same(\@values, $expected->{records}, label($step) . " records of \"$topic\"");
	}
	return;
}

# A record's key or value as the recording shows it: schema and payload if all
# records share the schema, else "$inline" and the whole.
sub part_of
{
	my ($text, $schema) = @_;

	return (undef, $text) unless defined $text && defined $schema;
	my $part = eval { $json->decode($text) } // $text;

	return ($schema, $part) unless ref $schema && ref $part eq 'HASH';
	return @$part{ 'schema', 'payload' };
}

# The words of a recorded trace that ours must hold too: what the innermost
# exception says; for an error of the server's, that alone.
sub message_of
{
	my ($step, @trace) = @_;
	my $message = $step->{message};

	foreach my $line (@trace)
	{
		$message //= $1 if $line =~ /ERROR: (.*?)(?:  Call getNextException.*)?$/;
	}
	($message) = $trace[-1] =~ /Exception: (.*)/ unless defined $message;
	return $message;
}

sub step_status
{
	my ($step) = @_;
	my $tasks = $step->{tasks};
	my $states = join(',', map { $_->{state} } @{ $tasks // [] });

	if (($step->{http_status} // 200) == 404)
	{
		is(sql("SELECT count(*) FROM connect.connector_status"), '0', label($step));
		return;
	}
	poll_until($node,
		"SELECT (SELECT state FROM connect.connector_status) || ' ' ||"
		  . " coalesce((SELECT string_agg(state, ',' ORDER BY task) FROM connect.task_status), '')",
		"$step->{connector}{state} $states", database => 'app');
	pass(label($step));
	foreach my $task ($step->{connector}, @$tasks)
	{
		next unless $task->{trace};
		my $message = message_of($step, @{ $task->{trace} });
		my $trace = sql("SELECT string_agg(trace, ' ') FROM (SELECT trace FROM connect.task_status"
			  . " UNION ALL SELECT trace FROM connect.connector_status) t");

		# It names topics as they are here.
		$trace =~ s/\Q$topics{$_}\E/$_/g foreach keys %topics;
		like($trace, qr/\Q$message\E/, label($step) . ': trace');
	}
	return;
}

# Asks until the answer is the one expected; returns the last.
sub ask_until
{
	my ($expected, $ask) = @_;
	my $limit = time() + $PostgreSQL::Test::Utils::timeout_default;
	my $got = $ask->();

	while ($got ne $expected && time() < $limit)
	{
		usleep(20_000);
		$got = $ask->();
	}
	return $got;
}

sub step_offsets
{
	my ($step) = @_;
	my $expected = sorted($step->{offsets});
	my $got = ask_until($expected,
		sub {
			sorted($json->decode(sql("SELECT coalesce(json_agg(json_build_object('partition', source_partition,"
						  . " 'offset', source_offset)), '[]') FROM connect.source_offset")));
		});

	is($got, $expected, label($step));
	return;
}

sub step_task_configs
{
	my ($step) = @_;
	my @got = map { $json->decode($_) } split /\n/, sql('SELECT config FROM connect.task_def ORDER BY task');

	foreach my $config (@got)
	{
		$config = { map { ($_ => $config->{$_}) } grep { exists $config->{$_} } 'mode', 'query', 'tables' };
	}
	is(sorted(\@got), sorted($step->{tasks}), label($step));
	return;
}

sub step_table
{
	my ($step) = @_;
	my $table = $step->{table};
	my $topic_name = join('|', map { quotemeta } keys %topics);

	# A table that is named after its topic has the name of ours.
	$table =~ s/^kafka_($topic_name)$/kafka_$topics{$1}/ if $topic_name ne '';
	$table = qq("$table") unless $table =~ /["]/ || $table =~ /^\w+\.\w+$/;
	if (exists $step->{exists} && !$step->{exists})
	{
		is(sql("SELECT to_regclass('$table')"), '', label($step) . ': is not there');
		return;
	}

	my $rows = $json->encode($step->{rows});
	foreach my $column ('t', '__connect_topic')
	{
		$rows =~ s/"$column":"($topic_name)"/"$column":"$topics{$1}"/g if $topic_name ne '';
	}
	my $got = ask_until($rows,
		sub {
			my $rows_now;

			$node->psql('app',
				"SELECT coalesce(json_agg(row_to_json(connect_row)), '[]') FROM (SELECT * FROM $table ORDER BY 1) connect_row",
				stdout => \$rows_now);
			return $json->encode($json->decode(($rows_now // '') eq '' ? '[]' : $rows_now));
		});
	is($got, $rows, label($step) . ': rows');
	same($json->decode(sql("SELECT json_agg(json_build_array(attname, format_type(atttypid, atttypmod),"
				  . " CASE WHEN attnotnull THEN 'not null' ELSE 'null' END, pg_get_expr(adbin, adrelid)) ORDER BY attnum)"
				  . " FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum"
				  . " WHERE attrelid = '$table'::regclass AND attnum > 0 AND NOT attisdropped")),
		$step->{columns}, label($step) . ': columns');
	same($json->decode(sql("SELECT coalesce(json_agg(attname ORDER BY attname), '[]') FROM pg_index, pg_attribute"
				  . " WHERE indrelid = '$table'::regclass AND indisprimary AND attrelid = indrelid AND attnum = ANY (indkey)")),
		[ sort @{ $step->{primary_key} } ], label($step) . ': primary key');
	return;
}

sub sorted
{
	my ($list) = @_;

	return join("\n", sort map { $json->encode($_) } @$list);
}

sub same
{
	my ($got, $expected, $what) = @_;

	return is($json->encode($got), $json->encode($expected), $what);
}

1;
