# A sink of transactions: what is aborted is never read, what is open is waited for.
use strict;
use warnings;

use ConnectTest;
use Test::More;

my $node = connect_node('main');
my $topic = create_topic('ledger', 2);
my $name = unique_topic('ledger');

sub query { return $node->safe_psql('postgres', $_[0]) }

# Ids into one partition, in a transaction of that producer.
sub transact
{
	my ($producer, $end, $partition, @ids) = @_;

	produce($topic, (map { { partition => $partition, value => qq({"id": $_}) } } @ids),
		[ properties => { 'transactional.id' => "$topic-$producer" }, end => $end ]);
	return;
}

sub rows { return query('SELECT string_agg(id::text, $$,$$ ORDER BY id) FROM ledger') }

query('CREATE TABLE ledger (id int)');
create_connector($node, "$name-idle", { 'connector.class' => 'JdbcSink', topics => create_topic('empty'), 'table.name.format' => 'ledger' });
create_connector($node, $name, { 'connector.class' => 'JdbcSink', topics => $topic, 'table.name.format' => 'ledger' });
transact('a', 'produce', 0, 1, 2);
transact('a', 'abort', 0, 3, 4);
transact('a', 'produce', 0, 5);
poll_until($node, 'SELECT count(*) FROM ledger', 3);
is(rows(), '1,2,5', 'records of an aborted transaction are passed over');

transact('b', 'leave', 0, 6, 7);
transact('c', 'produce', 0, 8);
transact('c', 'produce', 1, 9);
poll_until($node, 'SELECT id FROM ledger WHERE id = 9', 9);
is(rows(), '1,2,5,9', 'those of an open one, and what follows them, are waited for');
poll_until($node, "SELECT lag > 0 FROM connect.task_status WHERE connector = '$name'");
pass('and lag shows them');

query("SELECT connect_restart('$name', true)");
transact('c', 'produce', 1, 10);
poll_until($node, 'SELECT id FROM ledger WHERE id = 10', 10);
is(rows(), '1,2,5,9,10', 'also after a restart');

# A producer's return ends what it has left open.
transact('b', 'produce', 0, 11);
poll_until($node, 'SELECT id FROM ledger WHERE id = 11', 11);
is(rows(), '1,2,5,8,9,10,11', 'once it is aborted the rest comes');
poll_until($node, "SELECT lag FROM connect.task_status WHERE connector = '$name'", 0);
pass('and nothing is left');
poll_until($node, "SELECT lag FROM connect.task_status WHERE connector = '$name-idle'", 0);
is(query("SELECT connect_offsets('$name-idle')"), '{"offsets": []}', 'a topic without records has no offset');
finish();
