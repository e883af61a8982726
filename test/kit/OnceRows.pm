# OnceRows: numbered records for a table sink, and whether each of them is one row.
#
#	my $rows = OnceRows->new(node => $node, topic => $topic, partitions => 2, connector => $name, table => 'orders');
#	$rows->add(100);            # to all partitions in turn
#	$rows->add(100, 0);         # to partition 0
#	$rows->check('a crash');    # waits until the sink is at the end
#
# The table has columns id and v, and no key that would hide a second copy.  A
# record's key is one of seven.  broker => address: another than the shared one.
package OnceRows;

use strict;
use warnings;

use ConnectTest;
use Test::More;

sub new
{
	my ($class, %self) = @_;

	$self{node}->safe_psql('postgres', "CREATE TABLE $self{table} (id int, v text)");
	return bless { broker => broker(), sent => 0, %self }, $class;
}

sub add
{
	my ($self, $n, $partition) = @_;

	produce($self->{topic}, (map { { key => $_ % 7, value => sprintf('{"id":%d,"v":"row %d"}', $_, $_),
				partition => $partition // $_ % $self->{partitions} } } $self->{sent} + 1 .. $self->{sent} + $n),
		[ broker => $self->{broker} ]);
	$self->{sent} += $n;
	return;
}

# Offsets are stored with the rows.
sub wait_for_end
{
	my ($self) = @_;

	return poll_until($self->{node},
		"SELECT sum(kafka_offset) FROM connect.sink_offset WHERE connector = '$self->{connector}'", $self->{sent});
}

sub check
{
	my ($self, $what) = @_;
	my $sent = $self->{sent};

	$self->wait_for_end;
	is($self->{node}->safe_psql('postgres', "SELECT count(*), count(DISTINCT id), min(id), max(id) FROM $self->{table}"),
		"$sent|$sent|1|$sent", $what);
	return;
}

1;
