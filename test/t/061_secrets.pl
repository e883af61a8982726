# No password reaches the server log from functions that take configurations.
use strict;
use warnings;

use ConnectTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = connect_node('main', broker => '', conf => "connect.embedded_broker = on\nlog_min_messages = debug1\nlog_parameter_max_length_on_error = -1\n");
my $config = q{"connector.class": "FileStreamSource", "file": "/tmp/connect_no_such_file", "topic": "t",
	"producer.override.sasl.password": "hunter2"};
my @good = (
	"SELECT connect_create('a', '{$config}', 'STOPPED')",
	"SELECT connect_alter('a', '{$config}')",
	q{SELECT connect_patch('a', '{"producer.override.sasl.password": "hunter2"}')},
	"SELECT connect_rollback('a', 1)",
	"SELECT connect_secret_set('s', 'hunter2')",
	"SELECT count(*) FROM connect_validate('{$config}')",
	q{DO LANGUAGE connect 'ALTER CONNECTOR a SET ("producer.override.sasl.password" = ''hunter2'')'});
my @bad = (
	[ "SELECT connect_create('a', '{$config}')", qr/already exists/ ],
	[ "SELECT connect_create('b', '{$config, \"tasks.max\": \"hunter2\"}')", qr/Invalid value \[hidden\]/ ],
	[ "SELECT connect_create('b', '{$config, \"x\": {\"y\": \"hunter2\"}}')", qr/must be a string/ ],
	[ "SELECT connect_alter('b', '{$config}')", qr/does not exist/ ],
	[ q{SELECT connect_patch('a', '{"topic": null, "producer.override.sasl.password": "hunter2"}')}, qr/topic/ ],
	[ "SELECT connect_secret_set('', 'hunter2')", qr/name of a secret/ ],
	[ q{DO LANGUAGE connect 'CREATE CONNECTOR x WITH (password = ''hunter2'' oops)'}, qr/syntax error/ ],
	[ q{DO LANGUAGE connect 'CREATE CONNECTOR x WITH (password = hunter2)'}, qr/syntax error/ ],
	[ "DO 'BEGIN PERFORM connect_create(''a'', ''{$config}''); END'", qr/already exists/ ],
	[ "PREPARE p (text, jsonb) AS SELECT connect_create(\$1, \$2); EXECUTE p('a', '{$config}')", qr/already exists/ ],
	[ "BEGIN; DECLARE c CURSOR FOR SELECT connect_create('a', '{$config}'); FETCH c", qr/already exists/ ]);

foreach my $sql (@good)
{
	is($node->psql('postgres', $sql), 0, (split /\(/, $sql)[0] . ' works');
}
foreach my $case (@bad)
{
	my ($sql, $message) = @$case;
	my $stderr;

	$node->psql('postgres', $sql, stderr => \$stderr);
	like($stderr, $message, "$message is told");
}
is($node->safe_psql('postgres', "SELECT value FROM connect.secret WHERE connector_id IS NOT NULL"), 'hunter2',
	'the password is where it belongs');
foreach my $view (qw(connector config_history connector_status task_status metric))
{
	unlike($node->safe_psql('postgres', "SELECT * FROM connect.$view"), qr/hunter2/, "connect.$view does not show it");
}
unlike(slurp_file($node->logfile), qr/hunter2/, 'the server log does not have it');

finish();
