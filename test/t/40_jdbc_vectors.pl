# The table source does what the JDBC source connectors were seen to do: each
# recorded case runs step by step.  Where we do otherwise on purpose,
# test/vectors/jdbc_source_ours.jsonl says what and why.
use strict;
use warnings;

use ConnectTest;
use JSON::PP;
use PostgreSQL::Test::Utils;
use Test::More;

my $json = JSON::PP->new->canonical->utf8->allow_nonref;
my $vectors = "$ENV{CONNECT_KIT}/../vectors";
my $node = connect_node('main', extension => 0, conf => <<'CONF');
listen_addresses = '127.0.0.1'
CONF

$node->safe_psql('postgres', 'CREATE DATABASE app');
sql('CREATE SCHEMA ours; CREATE EXTENSION connect SCHEMA ours');
my $user = sql('SELECT current_user');

my %ours;
foreach my $line (lines('jdbc_source_ours.jsonl'))
{
	$ours{"$line->{case} $line->{step}"} = $line;
}

my ($prefix, %seen, $number);
my %steps = (
	sql => sub { sql($_[0]{sql}); ok(1, label($_[0])) },
	create => \&step_create,
	validate => \&step_validate,
	consume => \&step_consume,
	status => \&step_status,
	offsets => \&step_offsets,
	task_configs => \&step_task_configs,
	restart => sub { sql("SELECT ours.connect_restart('c', true)"); ok(1, label($_[0])) },
	log => sub { });

my $only = $ENV{CONNECT_CASE};
foreach my $case (lines('jdbc_source_postgres.jsonl'),
	grep { $_->{kind} eq 'source' } lines('jdbc_validate.jsonl'))
{
	next if defined $only && $case->{case} !~ /$only/;
	run_case($case);
}
finish();

sub lines
{
	return map { $json->decode($_) } grep { /\S/ } split /\n/, slurp_file("$vectors/$_[0]");
}

sub sql
{
	return $node->safe_psql('app', $_[0]);
}

sub label
{
	my ($step) = @_;

	return "$step->{case} $step->{step}: $step->{do}" . (defined $step->{why} ? " ($step->{why})" : '');
}

sub run_case
{
	my ($case) = @_;
	my $step = 0;

	sql('DROP SCHEMA IF EXISTS s2 CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public');
	$prefix = unique_topic('v');
	%seen = ();
	foreach my $recorded (@{ $case->{steps} })
	{
		my $ours = $ours{"$case->{case} $step"};
		my $do = { %{ $ours ? $ours->{is} : $recorded }, case => $case->{case}, step => $step++ };

		$do->{config} = $recorded->{config} if $recorded->{config};
		$do->{why} = $ours->{why} if $ours;
		eval { $steps{ $do->{do} }->($do); 1 } or ok(0, label($do)) || diag($@);
	}

	# What came after the last step counts too: nothing more is there.
	$node->psql('app', "SELECT ours.connect_stop('c')");
	$node->psql('app', "SELECT ours.connect_wait('c', 'STOPPED')");
	foreach my $topic (sort keys %seen)
	{
		my @all = consume("$prefix$topic");
		is(scalar(@all), $seen{$topic}, "$case->{case}: no other record in \"$topic\"");
	}
	sql("SELECT ours.connect_drop('c', true)");
	poll_until($node, "SELECT count(*) FROM connect.connector_status", '0', database => 'app');
	return;
}

sub config_of
{
	my ($step, %more) = @_;
	my %config = (%{ $step->{config} }, %more);
	my $port = $node->port;

	$config{'connection.user'} = $user if exists $config{'connection.user'};
	$config{'connection.url'} =~ s/dbhost:5432/127.0.0.1:$port/ if exists $config{'connection.url'};
	return \%config;
}

sub step_create
{
	my ($step) = @_;
	my $config = config_of($step);
	my $exists = sql("SELECT count(*) FROM connect.connector_status");
	my ($stdout, $stderr);

	foreach my $role ('key', 'value')
	{
		next if exists $config->{"$role.converter"};
		$config->{"$role.converter"} = 'org.apache.kafka.connect.json.JsonConverter';
		$config->{"$role.converter.schemas.enable"} = 'true';
	}
	$config->{'topic.prefix'} = "$prefix$config->{'topic.prefix'}" if exists $config->{'topic.prefix'};
	$node->psql('app',
		sprintf('SELECT ours.%s($n$c$n$, $c$%s$c$)', $exists ? 'connect_alter' : 'connect_create', $json->encode($config)),
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
	my $config = $json->encode(config_of($step, name => 'c'));
	my $port = $node->port;
	my $got = sql("SELECT coalesce(json_object_agg(key, errors), '{}') FROM ours.connect_validate(\$c\$$config\$c\$)"
		  . " WHERE errors <> '{}'");

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
			my $value = $json->decode($record->{value});

			push @schemas, $value->{schema};
			push @values, { key => $record->{key}, value => $value->{payload} };
		}
		same(\@schemas, [ map { $expected->{value_schema} } @new ], label($step) . " schema of \"$topic\"");
		same(\@values, $expected->{records}, label($step) . " records of \"$topic\"");
	}
	return;
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
	ok(1, label($step));
	foreach my $task ($step->{connector}, @$tasks)
	{
		next unless $task->{trace};
		my ($message) = $task->{trace}[-1] =~ /Exception: (.*)/;
		my $trace = sql("SELECT string_agg(trace, ' ') FROM (SELECT trace FROM connect.task_status"
			  . " UNION ALL SELECT trace FROM connect.connector_status) t");

		like($trace, qr/\Q$message\E/, label($step) . ': trace');
	}
	return;
}

sub step_offsets
{
	my ($step) = @_;
	my $expected = sorted($step->{offsets});
	my $limit = time() + $PostgreSQL::Test::Utils::timeout_default;
	my $got;

	do
	{
		$got = sorted($json->decode(sql("SELECT coalesce(json_agg(json_build_object('partition', source_partition,"
					  . " 'offset', source_offset)), '[]') FROM connect.source_offset")));
	} while ($got ne $expected && time() < $limit);
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

sub sorted
{
	my ($list) = @_;

	return join("\n", sort map { $json->encode($_) } @$list);
}

sub same
{
	my ($got, $expected, $name) = @_;

	return is($json->encode($got), $json->encode($expected), $name);
}
