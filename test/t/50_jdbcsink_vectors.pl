# The table sink does what the JDBC sink connectors were seen to do.
use strict;
use warnings;

use ConnectTest;
use JdbcReplay;

replay_jdbc('sink', 'jdbc_sink_postgres.jsonl', 'jdbc_validate.jsonl', 'jdbc_more.jsonl');
finish();
