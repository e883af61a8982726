# The broker inside the server, for demonstrations.
use strict;
use warnings;

use ConnectTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = connect_node('main', broker => '', conf => "connect.embedded_broker = on\n");
my $file = $node->basedir . '/lines';
my $out = $node->basedir . '/out';

append_to_file($file, "one\ntwo\n");
poll_until($node, "SELECT count(*) FROM connect.worker_status WHERE worker = 'broker' AND pid IS NOT NULL AND reason LIKE '127.0.0.1:%'", '1');
pass('its address is in connect.worker_status');
like(slurp_file($node->logfile), qr/embedded broker listens on 127\.0\.0\.1:.*keeps nothing/s, 'the log says that it keeps nothing');

create_connector($node, 'in', { 'connector.class' => 'FileStreamSource', 'file' => $file, 'topic' => 't' });
create_connector($node, 'out', { 'connector.class' => 'FileStreamSink', 'file' => $out, 'topics' => 't' });
# its topics have several partitions: there is no order between the lines
poll_until($node, "SELECT pg_read_file('$out', 0, 100, true) IN (E'one\\ntwo\\n', E'two\\none\\n')");
pass('records go through it');

my $pid = $node->safe_psql('postgres', "SELECT pid FROM connect.worker_status WHERE worker = 'broker'");
$node->safe_psql('postgres', "SELECT pg_terminate_backend($pid)");
poll_until($node, "SELECT pid <> $pid FROM connect.worker_status WHERE worker = 'broker'");
pass('a terminated broker is started again');

finish();
