# Each type of PostgreSQL is carried as README's table says; nothing is dropped or bent in silence.
use strict;
use warnings;

use ConnectTest;
use JSON::PP;
use Test::More;

my $node = connect_node('main', conf => "lc_monetary = 'C'\ntimezone = 'UTC'\n");
my $prefix = unique_topic('types');

sub sql
{
	return $node->safe_psql('postgres', $_[0]);
}

sub source
{
	my ($name, %config) = @_;

	return create_connector($node, $name,
		{
			'connector.class' => 'JdbcSource',
			mode => 'bulk',
			'topic.prefix' => "$prefix-",
			'poll.interval.ms' => '3600000',
			%config
		});
}

# The members of a JSON object as they are written: columns are named c0, c1, ...
sub members
{
	my ($json) = @_;
	my @parts = split /[,{]"c\d+":/, $json;

	shift @parts;
	$parts[-1] =~ s/\}\z//;
	return @parts;
}

my %logical = (
	'value.converter' => 'org.apache.kafka.connect.json.JsonConverter',
	'value.converter.schemas.enable' => 'true',
	'value.converter.decimal.format' => 'NUMERIC');

# type, value, in plain JSON, with JsonConverter (same if there is none), schema type
my @types = (
	[ 'int2', '-32768', '-32768', undef, 'int16' ],
	[ 'int4', '2147483647', '2147483647', undef, 'int32' ],
	[ 'int8', '9223372036854775807', '9223372036854775807', undef, 'int64' ],
	[ 'oid', '4294967295', '4294967295', undef, 'int64' ],
	[ 'float4', '1.5', '1.5', undef, 'float' ],
	[ 'float8', 'NaN', '"NaN"', undef, 'double' ],
	[ 'float8', '-Infinity', '"-Infinity"', undef, 'double' ],
	[ 'bool', 'true', 'true', undef, 'boolean' ],
	[ 'numeric(10,2)', '12.3', '12.30', undef, 'bytes' ],
	[ 'numeric(50,2)', '1234567890123456789012345678901234567890.12', '1234567890123456789012345678901234567890.12', undef, 'bytes' ],
	[ 'money', '12.34', '"$12.34"', '12.34', 'double' ],
	[ 'char(3)', 'a', '"a  "', undef, 'string' ],
	[ 'varchar(5)', '', '""', undef, 'string' ],
	[ 'text', "a\"\n\x{1}b", '"a\"\n\u0001b"', undef, 'string' ],
	[ 'name', 'n', '"n"', undef, 'string' ],
	[ 'bytea', '\x00ff', '"AP8="', undef, 'bytes' ],
	[ 'date', '2024-02-29', '"2024-02-29"', '19782', 'int32' ],
	[ 'time', '23:59:59.5', '"23:59:59.5"', '86399500', 'int32' ],
	[ 'timetz', '12:00+02', '"12:00:00+02"', '36000000', 'int32' ],
	[ 'timestamp', '2024-02-29 12:00:00.123456', '"2024-02-29T12:00:00.123456"', '1709208000123', 'int64' ],
	[ 'timestamptz', '2024-02-29 12:00:00.123456+02', '"2024-02-29T10:00:00.123456+00:00"', '1709200800123', 'int64' ],
	[ 'timestamptz', '10000-01-01 00:00+00', '"10000-01-01T00:00:00+00:00"', '253402300800000', 'int64' ],
	[ 'interval', '1 year 2 days 03:04:05.6', '"1 year 2 days 03:04:05.6"', undef, 'string' ],
	[ 'uuid', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"', undef, 'string' ],
	[ 'json', '{"a": 1}', '{"a": 1}', '"{\"a\": 1}"', 'string' ],
	[ 'jsonb', '{"b":[1,null]}', '{"b": [1, null]}', '"{\"b\": [1, null]}"', 'string' ],
	[ 'xml', '<a/>', '"<a/>"', undef, 'string' ],
	[ 'mood', 'ok', '"ok"', undef, 'string' ],
	[ 'pair', '(1,"x y")', '"(1,\"x y\")"', undef, 'string' ],
	[ 'small', '3', '3', undef, 'int32' ],
	[ 'int4range', '[1,4]', '"[1,5)"', undef, 'string' ],
	[ 'int4multirange', '{[1,5),[7,8)}', '"{[1,5),[7,8)}"', undef, 'string' ],
	[ 'hstore', 'a=>1', '"\"a\"=>\"1\""', undef, 'string' ],
	[ 'inet', '10.0.0.1/8', '"10.0.0.1/8"', undef, 'string' ],
	[ 'cidr', '10.0.0.0/8', '"10.0.0.0/8"', undef, 'string' ],
	[ 'macaddr', '08:00:2b:01:02:03', '"08:00:2b:01:02:03"', undef, 'string' ],
	[ 'bit', '1', '"1"', 'true', 'boolean' ],
	[ 'bit(8)', '11111111', '"11111111"', '-1', 'int8' ],
	[ 'bit(9)', '101010101', '"101010101"', '"qoA="', 'bytes' ],
	[ 'varbit', '101', '"101"', undef, 'string' ],
	[ 'point', '(1,2)', '"(1,2)"', undef, 'string' ],
	[ 'line', '{1,2,3}', '"{1,2,3}"', undef, 'string' ],
	[ 'box', '(3,4),(1,2)', '"(3,4),(1,2)"', undef, 'string' ],
	[ 'polygon', '((1,2),(3,4))', '"((1,2),(3,4))"', undef, 'string' ],
	[ 'circle', '<(1,2),3>', '"<(1,2),3>"', undef, 'string' ],
	[ 'int[]', '{1,NULL,3}', '[1,null,3]', undef, 'array' ],
	[ 'text[]', '{a,"b c"}', '["a","b c"]', undef, 'array' ],
	[ 'numeric(4,2)[]', '{1.5}', '[1.50]', undef, 'array' ],
	[ 'mood[]', '{sad}', '["sad"]', undef, 'array' ],
	[ 'tsvector', 'a cat', q("'a' 'cat'"), undef, 'string' ],
	[ 'pg_lsn', '16/B374D848', '"16/B374D848"', undef, 'string' ],
	[ 'regclass', 'pg_class', '"pg_class"', undef, 'string' ]);

sql("CREATE EXTENSION hstore; CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TYPE pair AS (a int, b text);"
	  . ' CREATE DOMAIN small AS int CHECK (VALUE < 10)');
sql('CREATE TABLE each (' . join(', ', map { "c$_ $types[$_][0]" } 0 .. $#types) . '); INSERT INTO each VALUES ('
	  . join(', ', map { '$v$' . $_->[1] . '$v$' } @types) . '); INSERT INTO each DEFAULT VALUES');
source('plain', 'table.whitelist' => 'each');
source('logical', 'table.whitelist' => 'each', 'topic.prefix' => "$prefix-logical-", %logical);

my @plain = wait_for_records("$prefix-each", 2);
my @values = members($plain[0]{value});
my @envelopes = wait_for_records("$prefix-logical-each", 2);
my @logical = members($envelopes[0]{value} =~ /"payload":(.*)\}\z/s ? $1 : '');
my $fields = decode_json($envelopes[0]{value})->{schema}{fields};
foreach my $i (0 .. $#types)
{
	my ($type, undef, $expected, $envelope, $schema) = @{ $types[$i] };

	is($values[$i], $expected, "$type in plain JSON");
	is("$fields->[$i]{type} $logical[$i]", "$schema " . ($envelope // $expected), "$type with JsonConverter");
}
is(join(' ', members($plain[1]{value})), join(' ', map { 'null' } @types), 'NULL is null in each');

# --- what has no place in Connect's types ---------------------------------------

my @special = (
	[ 'numeric(10,2)', 'NaN', '"NaN"', 'NaN and infinity have no place in a Decimal' ],
	[ 'numeric', 'Infinity', '"Infinity"', 'NaN and infinity have no place in a Decimal' ],
	[ 'date', 'infinity', '"infinity"', 'infinity has no place in a Date' ],
	[ 'timestamp', '-infinity', '"-infinity"', 'infinity has no place in a Timestamp' ],
	[ 'timestamptz', 'infinity', '"infinity"', 'infinity has no place in a Timestamp' ],
	[ 'date', '0044-03-15 BC', '"0044-03-15 BC"', undef ],
	[ 'timestamp', '0001-01-01 00:00 BC', '"0001-01-01T00:00:00 BC"', undef ],
	[ 'numeric', '1234567890123456789012345678901234567890.123456789', '1234567890123456789012345678901234567890.123456789', undef ],
	[ 'int[]', '{{1,2},{3,4}}', '[[1,2],[3,4]]', 'an array of more than one dimension has no place in an ARRAY of scalars' ]);
foreach my $i (0 .. $#special)
{
	my ($type, $value, $expected, $refusal) = @{ $special[$i] };

	sql("CREATE TABLE special$i (c0 $type); INSERT INTO special$i VALUES ('$value')");
	source("special$i", 'table.whitelist' => "special$i");
	my ($record) = wait_for_records("$prefix-special$i", 1);
	is((members($record->{value}))[0], $expected, "$type $value in plain JSON");
	sql("SELECT connect_drop('special$i')");
	wait_for_no_connector($node, "special$i");
	next unless defined $refusal;
	source("special$i", 'table.whitelist' => "special$i", 'topic.prefix' => "$prefix-logical-", %logical);
	wait_for_state($node, "special$i", 'FAILED', task => 0);
	like(sql("SELECT trace FROM connect.task_status WHERE connector = 'special$i'"),
		qr/Column "c0": $refusal/, "$type $value with JsonConverter: the column is named");
	sql("SELECT connect_drop('special$i')");
}

finish();
