# The table source does what the JDBC source connectors were seen to do.
use strict;
use warnings;

use ConnectTest;
use JdbcReplay;

replay_jdbc('source', 'jdbc_source_postgres.jsonl', 'jdbc_validate.jsonl', 'jdbc_more.jsonl');
finish();
