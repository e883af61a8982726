# What a configuration of the table source may say: wrong ones are refused with
# the option named, a masked query is shown nowhere, and waiting has an end.
use strict;
use warnings;

use ConnectTest;
use JSON::PP;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = connect_node('main', conf => "listen_addresses = '127.0.0.1'\n");
my $prefix = unique_topic('s');

sub sql
{
	return $node->safe_psql('postgres', $_[0]);
}

# "option: error" for each option with errors.
sub errors_of
{
	my (%config) = @_;
	my $config = encode_json({ name => 'c', 'connector.class' => 'JdbcSource', mode => 'bulk', 'topic.prefix' => $prefix, %config });

	return sql("SELECT key || ': ' || array_to_string(errors, '; ') FROM connect_validate(\$c\$$config\$c\$)"
		  . " WHERE errors <> '{}' ORDER BY key");
}

sub refuses
{
	my ($what, $expected, %config) = @_;

	return like(errors_of(%config), $expected, "$what is refused");
}

sql('CREATE TABLE t (id int PRIMARY KEY, ts timestamptz NOT NULL DEFAULT clock_timestamp()); INSERT INTO t VALUES (1)');

# --- what is refused ------------------------------------------------------------

my %by_pattern = ('table.include.list' => 'public[.]t', mode => 'incrementing');

refuses('a query of bad syntax', qr/\Aquery: .*not valid: syntax error at or near "FRO"/, query => 'SELECT id x FRO t');
refuses('a query of a table that is not there', qr/\Aquery: .*relation "nowhere" does not exist/,
	query => 'SELECT * FROM nowhere');
refuses('a bad masked query, of which nothing is told,', qr/\Aquery\.masked: .*not valid: SQLSTATE 42703\z/,
	'query.masked' => 'SELECT hidden FROM t');
refuses("a query that $_", qr/\Aquery: .*must write nothing and lock no rows/, query => {
		'writes' => 'WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d',
		'locks rows' => 'SELECT * FROM t FOR UPDATE' }->{$_}) foreach 'writes', 'locks rows';
is(errors_of(query => 'SELECT id FROM t'), '', 'a good query is taken');
is(errors_of('query.masked' => 'SELECT id FROM t'), '', 'a good masked query is taken');
refuses('no attempt to connect', qr/\Aconnection\.attempts: .*at least 1/, 'connection.attempts' => '0');
refuses('a granularity that is none', qr/\Atimestamp\.granularity: .*Invalid enumerator/,
	'timestamp.granularity' => 'hours');
refuses('a mapping without a column', qr/\Aincrementing\.column\.mapping: .*"public\[.\]t" is not regex:column/,
	%by_pattern, 'incrementing.column.mapping' => 'public[.]t');
refuses('a mapping of no columns', qr/\Aincrementing\.column\.mapping: .*"x:\[\]" is not regex:column/,
	%by_pattern, 'incrementing.column.mapping' => 'x:[]');
refuses('a mapping with a bad pattern', qr/\Aincrementing\.column\.mapping: .*no regular expression/,
	%by_pattern, 'incrementing.column.mapping' => '(:id');
is(errors_of(%by_pattern, 'incrementing.column.mapping' => 'public[.](?:t|u):id'), '', 'a pattern may hold a colon');
refuses('an unknown zone', qr/\Adb\.timezone: .*Invalid time zone identifier/, 'db.timezone' => 'PSX');
is(errors_of('db.timezone' => $_), '', "zone $_ is known") foreach 'PST', 'IST', 'EST', 'UTC+2', '+05:30', 'Z', 'Asia/Kolkata';

# --- a masked query is shown nowhere ----------------------------------------------

create_connector($node, 'masked',
	{ 'connector.class' => 'JdbcSource', mode => 'bulk', 'topic.prefix' => $prefix,
		'query.masked' => 'SELECT 1 / (id - 1) AS hidden FROM t' });
wait_for_state($node, 'masked', 'FAILED', task => 0);
is(sql("SELECT trace FROM connect.task_status WHERE connector = 'masked'"), 'ERROR:  22012: division by zero',
	'the trace tells what went wrong');
unlike(slurp_file($node->logfile), qr/hidden/, 'the server log has nothing of a masked query');
unlike(sql('SELECT string_agg(c::text, $$$$) FROM connect.connector c') . sql('SELECT string_agg(t::text, $$$$) FROM connect.task_status t'),
	qr/hidden/, 'nor has a view');
sql("SELECT connect_drop('masked')");

# --- a URL says who reads, or leaves it to the owner ---------------------------------

my $url = 'jdbc:postgresql://127.0.0.1:' . $node->port . '/postgres';
sql('CREATE ROLE other LOGIN; GRANT SELECT ON t TO other');
my %users = ('nobody' => [ $url, sql('SELECT current_user') ], 'other' => [ "$url?user=other&sslmode=disable", 'other' ]);
foreach my $user (sort keys %users)
{
	my ($of, $as) = @{ $users{$user} };

	create_connector($node, 'url',
		{ 'connector.class' => 'JdbcSource', mode => 'bulk', 'topic.prefix' => "$prefix-$user-", 'table.whitelist' => 't',
			'connection.url' => $of });
	wait_for_records("$prefix-$user-t", 1);
	like(sql("SELECT progress FROM connect.task_status WHERE connector = 'url'"), qr/\Anative access as $as;/,
		"a URL that names $user");
	sql("SELECT connect_drop('url')");
	wait_for_no_connector($node, 'url');
}

# --- a query finds tables where the connection would ---------------------------------

sql('CREATE SCHEMA far; CREATE TABLE far.away AS SELECT 7 AS id; GRANT USAGE ON SCHEMA far TO other;'
	  . ' GRANT SELECT ON far.away TO other; ALTER ROLE other SET search_path = far');
my %paths = (
	parameter => { 'connection.url' => "$url?currentSchema=far%2Cpublic" },
	property => { 'connection.url' => $url, 'connection.currentSchema' => 'far' },
	option => { 'connection.url' => "$url?options=-c%20search_path=far" },
	role => { 'connection.url' => $url, 'connection.user' => 'other' });
foreach my $by (sort keys %paths)
{
	my $topic = "$prefix-path-$by";

	create_connector($node, 'path',
		{ 'connector.class' => 'JdbcSource', mode => 'incrementing', 'incrementing.column.name' => 'id', 'topic.prefix' => $topic,
			query => 'SELECT id FROM away', %{ $paths{$by} } });
	is((wait_for_records($topic, 1))[0]{value}, '{"id":7}', "the search path is set by $by");
	sql("SELECT connect_drop('path')");
	wait_for_no_connector($node, 'path');
}
refuses('a query of a table that is in no schema of the path', qr/\Aquery: .*"away" does not exist/,
	query => 'SELECT id FROM away', 'connection.url' => $url);

# --- waiting for a writer ends with it ----------------------------------------------

create_connector($node, 'wait',
	{ 'connector.class' => 'JdbcSource', mode => 'timestamp', 'timestamp.column.name' => 'ts', 'table.whitelist' => 't',
		'topic.prefix' => "$prefix-", 'poll.interval.ms' => '20' });
wait_for_records("$prefix-t", 1);
my $writer = $node->background_psql('postgres', on_error_stop => 1);
$writer->query_safe('BEGIN; INSERT INTO t VALUES (2)');
poll_until($node, "SELECT waiting_for ~ '^pid \\d+, whose transaction began' FROM connect.task_status WHERE connector = 'wait'");
ok(1, 'who is waited for is named');
$writer->query_safe('COMMIT');
$writer->quit;
wait_for_records("$prefix-t", 2);
poll_until($node, "SELECT waiting_for IS NULL FROM connect.task_status WHERE connector = 'wait'");
ok(1, 'and named no more when it has ended');

finish();
