# The examples of README's page on functions, as they stand there.
use strict;
use warnings;

use ConnectTest;
use File::Basename;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = connect_node('main');
my $in = create_topic('payments');
my $out = create_topic('payments-copy');
my ($page) = slurp_file(dirname(__FILE__) . '/../../README.md') =~ /^## Functions as connectors\n(.*?)^## /ms;
my @blocks = $page =~ /^```sql\n(.*?)^```$/msg;

is(scalar(@blocks), 2, 'README has an example of each');
foreach my $sql (@blocks)
{
	$sql =~ s/"payments"/"$in"/;
	$sql =~ s/"payments-copy"/"$out"/;
	$node->safe_psql('postgres', $sql);
}
produce($in,
	{ value => '{"id": 1, "amount": 12.50}', headers => [ [ 'sender', 'Ann' ] ] },
	{ value => '{"id": 2, "amount": 3}' },
	{ value => '{"id": 3, "amount": 0.123456789012345678901}' });
my @records = wait_for_records($out, 3);
is($node->safe_psql('postgres', 'SELECT * FROM payments ORDER BY id'),
	"1|12.50|Ann\n2|3|\n3|0.123456789012345678901|", 'the function of the sink has stored the records');
is_deeply(
	[ map { [ @$_{qw(key value)} ] } @records ],
	[
		[ '1', '{"id":1,"amount":12.50,"sender":"Ann"}' ],
		[ '2', '{"id":2,"amount":3,"sender":null}' ],
		[ '3', '{"id":3,"amount":0.123456789012345678901,"sender":null}' ]
	],
	'the function of the source has given them back');
finish();
