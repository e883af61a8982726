# connect_validate() answers as Kafka Connect was seen to answer: the keys in
# their order, their values, errors and recommended values, what is visible.
use strict;
use warnings;

use ConnectTest;
use JSON::PP;
use PostgreSQL::Test::Utils;
use Test::More;

my $json = JSON::PP->new->canonical->utf8->allow_nonref;
my $node = connect_node('main', broker => '');

# Answered otherwise on purpose.
my %ours = (
	'rest-pub-validate-041' => 'the recorded worker could deliver exactly once',
	'rest-pub-variant-3-024' => 'the same',
	'rest-pub-variant-3-017' => 'the same: then the admin client is used');

sub worker_defaults
{
	my ($case) = @_;
	my %defaults = (
		'group.id' => '${group_id}',
		'value.converter' => 'org.apache.kafka.connect.json.JsonConverter',
		'key.converter' => 'org.apache.kafka.connect.json.JsonConverter');

	foreach my $property (@{ $case->{worker} // [] })
	{
		my ($name, $value) = split /=/, $property, 2;

		$defaults{$name} = $value;
	}
	return $json->encode(\%defaults);
}

foreach my $line (split /\n/, slurp_file("$ENV{CONNECT_KIT}/../vectors/validate.jsonl"))
{
	my $case = $json->decode($line);
	my $sql = sprintf(
		'SET connect.worker_defaults = $w$%s$w$;'
		  . q{ SELECT json_agg(json_build_object('name', key, 'value', value, 'errors', errors,}
		  . q{ 'recommended_values', recommended_values, 'visible', visible)) FROM connect_validate($c$%s$c$)},
		worker_defaults($case), $json->encode($case->{config}));
	my @got = @{ $json->decode($node->safe_psql('postgres', $sql)) };

	if (defined $ours{ $case->{id} })
	{
		isnt($json->encode(\@got), $json->encode($case->{values}), "$case->{id}: $ours{$case->{id}}");
	}
	else
	{
		is_deeply(\@got, $case->{values}, $case->{id});
	}
}

my ($status, $stdout, $stderr) = $node->psql('postgres', q{SELECT connect_create('t', '{"connector.class": "FileStreamSource",
	"file": "/none", "topic": "t", "transforms": "a", "transforms.a.type": "org.apache.kafka.connect.transforms.Filter"}')});
like($stderr, qr/transforms and predicates are not part of this version/, 'a connector with transforms is refused');
finish();
