# The table sink does what the JDBC sink connectors were seen to do: each
# recorded case runs step by step.  Where we do otherwise on purpose,
# test/vectors/jdbc_sink_ours.jsonl says what and why.
use strict;
use warnings;

use ConnectTest;
use JSON::PP;
use PostgreSQL::Test::Utils;
use Test::More;

my $json = JSON::PP->new->canonical->utf8->allow_nonref;
my $vectors = "$ENV{CONNECT_KIT}/../vectors";
my $node = connect_node('main', extension => 0, conf => "listen_addresses = '127.0.0.1'\n");

$node->safe_psql('postgres', 'CREATE DATABASE app');
sql('CREATE SCHEMA ours; CREATE EXTENSION connect SCHEMA ours');
my $user = sql('SELECT current_user');

my %ours;
foreach my $line (lines('jdbc_sink_ours.jsonl'))
{
	$ours{"$line->{case} $line->{step}"} = $line;
}

# Topics and connectors have names of their own in each case, for the broker
# keeps what other cases left.
my ($name, %topics);
my %steps = (
	sql => sub { sql($_[0]{sql}); ok(1, label($_[0])) },
	produce => \&step_produce,
	create => \&step_create,
	validate => \&step_validate,
	status => \&step_status,
	table => \&step_table);

my $only = $ENV{CONNECT_CASE};
my $number = 0;
foreach my $case (lines('jdbc_sink_postgres.jsonl'),
	grep { $_->{case} =~ /^val_snk_(?!empty)/ } lines('jdbc_validate.jsonl'))
{
	next if defined $only && $case->{case} !~ /$only/;
	# transforms are not part of this version
	next if grep { $_->{config}{transforms} } @{ $case->{steps} };
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

	sql('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
	$name = 'c' . ++$number;
	%topics = ();
	foreach my $recorded (@{ $case->{steps} })
	{
		my $ours = $ours{"$case->{case} $step"};
		my $do = { %{ $ours ? $ours->{is} : $recorded }, case => $case->{case}, step => $step++ };

		$do->{config} = $recorded->{config} if $recorded->{config};
		$do->{why} = $ours->{why} if $ours;
		eval { $steps{ $do->{do} }->($do); 1 } or ok(0, label($do)) || diag($@);
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
	ok(1, label($step));
	return;
}

sub config_of
{
	my ($step) = @_;
	my %config = %{ $step->{config} };
	my $port = $node->port;

	$config{'connection.user'} = $user if exists $config{'connection.user'};
	$config{'connection.url'} =~ s/dbhost:5432/127.0.0.1:$port/ if exists $config{'connection.url'};
	$config{topics} = join(',', map { topic($_) } split /,/, $config{topics}) if exists $config{topics};
	$config{'topics.to.tables.mapping'} =~ s/(\w+):(\w+)/topic($1) . ":$2"/ge
	  if exists $config{'topics.to.tables.mapping'};
	foreach my $role ('key', 'value')
	{
		next if exists $config{"$role.converter"};
		$config{"$role.converter"} = 'org.apache.kafka.connect.json.JsonConverter';
		$config{"$role.converter.schemas.enable"} = 'true';
	}
	return \%config;
}

sub step_create
{
	my ($step) = @_;
	my ($stdout, $stderr);

	$node->psql('app', sprintf('SELECT ours.connect_create($n$%s$n$, $c$%s$c$)', $name, $json->encode(config_of($step))),
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
	my $got = sql(sprintf("SELECT coalesce(json_object_agg(key, errors), '{}')"
			  . " FROM ours.connect_validate(\$c\$%s\$c\$) WHERE errors <> '{}'", $json->encode({ name => $name, %{ config_of($step) } })));

	same($json->decode($got), $step->{errors}, label($step));
	return;
}

# A running task has put all that there is when its offsets are at the end.
sub step_status
{
	my ($step) = @_;
	my $states = join(',', map { $_->{state} } @{ $step->{tasks} // [] });

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
	foreach my $task (@{ $step->{tasks} })
	{
		next unless $task->{trace};
		my $message = $step->{message};

		foreach my $line (@{ $task->{trace} })
		{
			$message //= $1 if $line =~ /ERROR: (.*?)(?:  Call getNextException.*)?$/;
		}
		($message) = $task->{trace}[-1] =~ /Exception: (.*)/ unless defined $message;
		like(sql("SELECT string_agg(trace, ' ') FROM connect.task_status"), qr/\Q$message\E/, label($step) . ': trace');
	}
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
	my $limit = time() + 20;
	my $got = '';

	do
	{
		$node->psql('app', "SELECT coalesce(json_agg(row_to_json(connect_row)), '[]') FROM (SELECT * FROM $table ORDER BY 1) connect_row",
			stdout => \$got);
		$got = '[]' if ($got // '') eq '';
		$got = $json->encode($json->decode($got));
	} while ($got ne $rows && time() < $limit);
	same($json->decode($got), $json->decode($rows), label($step) . ': rows');
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

sub same
{
	my ($got, $expected, $what) = @_;

	return is($json->encode($got), $json->encode($expected), $what);
}
