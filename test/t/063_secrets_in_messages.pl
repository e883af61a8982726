# A secret in a key that is no password shows in no message of a task or of the
# coordinator: states, traces, what is waited for, log, dead letters.
use strict;
use warnings;

use ConnectTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = connect_node('main', conf => "log_min_messages = debug1\n");
my $topic = create_topic('masked', 1);
my $letters = create_topic('masked-letters', 1);

sub query { return $node->safe_psql('postgres', $_[0]) }

sub trace_of
{
	my ($name) = @_;

	my $traces = "(SELECT trace FROM connect.task_status WHERE connector = '$name' UNION ALL"
		. " SELECT trace FROM connect.connector_status WHERE connector = '$name') AS t WHERE trace IS NOT NULL";

	poll_until($node, "SELECT count(*) > 0 FROM $traces");
	return query("SELECT trace FROM $traces LIMIT 1");
}

query(q(
	SELECT connect_secret_set('name', 'hunter2'), connect_secret_set('longer', 'hunter2_and_more'), connect_secret_set('short', 'abc');
	CREATE TABLE hunter2 (id int NOT NULL);
	CREATE SCHEMA other CREATE TABLE hunter2 (id int);
	CREATE FUNCTION hunter2(last_offset jsonb) RETURNS TABLE (value int, "offset" jsonb) LANGUAGE plpgsql AS
		$$ BEGIN RAISE EXCEPTION 'no hunter2_and_more for abc' USING DETAIL = 'hunter2', HINT = 'ask hunter2'; END $$));

# --- a task that fails -------------------------------------------------------------
create_connector($node, 'fails', { 'connector.class' => 'FunctionSource', topic => $topic, 'function.name' => 'public.${secret:name}',
	longer => '${secret:longer}', short => '${secret:short}' });
my $trace = trace_of('fails');
like($trace, qr/no \[hidden\] for abc\nDETAIL:  \[hidden\]\nHINT:  ask \[hidden\]\nCONTEXT:  PL\/pgSQL function (public\.)?\[hidden\]\(jsonb\)/,
	'a trace is told without secrets: the longest counts, and three letters are none');
like(query("SELECT reason FROM connect.task_status WHERE connector = 'fails'"), qr/no \[hidden\] for abc/, 'and so is the reason');

# --- the coordinator ---------------------------------------------------------------
create_connector($node, 'splits', { 'connector.class' => 'JdbcSource', mode => 'bulk', 'topic.prefix' => "$topic-",
	'table.include.list' => '.*\.${secret:name}' });
like(trace_of('splits'), qr/duplicate unqualified table names.*\[hidden\]/s, 'a connector that fails does not tell them');

# --- what is waited for ------------------------------------------------------------
create_connector($node, 'waits', { 'connector.class' => 'FileStreamSource', topic => $topic, file => '/nowhere/${secret:name}' });
poll_until($node, "SELECT waiting_for FROM connect.task_status WHERE connector = 'waits'", 'file "/nowhere/[hidden]"');
ok(1, 'nor does a task that waits');

# --- records -----------------------------------------------------------------------
create_connector($node, 'refuses', { 'connector.class' => 'JdbcSink', topics => $topic, 'table.name.format' => '${secret:name}',
	'auto.create' => 'false', 'errors.tolerance' => 'all', 'errors.log.enable' => 'true',
	'errors.deadletterqueue.topic.name' => $letters, 'errors.deadletterqueue.topic.replication.factor' => 1,
	'errors.deadletterqueue.context.headers.enable' => 'true', 'errors.deadletterqueue.table.enable' => 'true',
	'value.converter' => 'JsonConverter' });
produce($topic, { value => '{"schema":{"type":"struct","optional":false,"fields":[{"field":"id","type":"int32","optional":true}]},"payload":{"id":null}}' });
my ($letter) = wait_for_records($letters, 1);
my %headers = map { $_->[0] => $_->[1] } @{ $letter->{headers} };
like($headers{'__connect.errors.exception.message'}, qr/relation "\[hidden\]"/, 'headers of a dead letter are masked');
unlike($headers{'__connect.errors.exception.stacktrace'}, qr/hunter2/, 'all of them');
poll_until($node, 'SELECT count(*) FROM connect.dead_letter', '1');
like(query('SELECT message FROM connect.dead_letter'), qr/relation "\[hidden\]"/, 'and the table of dead letters is');

foreach my $view (qw(connector connector_status task_status config_history dead_letter metric))
{
	unlike(query("SELECT * FROM connect.$view"), qr/hunter2/, "connect.$view shows no secret");
}
my $log = slurp_file($node->logfile);
unlike($log, qr/hunter2/, 'the server log has none');
like($log, qr/stage 'TASK_PUT'.*relation "\[hidden\]"/s, 'though it tells of the record');

finish();
