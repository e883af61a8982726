# ALTER EXTENSION UPDATE while connectors run.
use strict;
use warnings;

use ConnectTest;
use Test::More;

my $node = connect_node('main', broker => '', conf => "connect.embedded_broker = on\n");

create_connector($node, 'a', { 'connector.class' => 'FileStreamSource', file => '/tmp/connect_no_such_file', topic => 't' });
wait_for_state($node, 'a', 'RUNNING');

# To objects that this library does not serve: nothing runs, and it says why.
$node->safe_psql('postgres', "ALTER EXTENSION connect UPDATE TO '1.0.1test'");
wait_for_state($node, 'a', 'UNASSIGNED');
like($node->safe_psql('postgres', 'SELECT reason FROM connect.connector_status'), qr/1\.0\.1test/,
	'connectors of another version do not run, and the status tells the version');

# And back: what it was before goes on.
$node->safe_psql('postgres', "ALTER EXTENSION connect UPDATE TO '1.0'");
wait_for_state($node, 'a', 'RUNNING');
is($node->safe_psql('postgres', 'SELECT version FROM connect.connector'), '1', 'its configuration is untouched');

finish();
