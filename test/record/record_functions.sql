-- Functions of the module connect_record, for tests and measurements.
CREATE FUNCTION connect_record_row_json(record, plain boolean DEFAULT true, numeric_mapping text DEFAULT 'none',
	timestamp_granularity text DEFAULT 'connect_logical', zone text DEFAULT 'UTC', schemas boolean DEFAULT false)
RETURNS text LANGUAGE c STABLE STRICT AS 'connect_record';

CREATE FUNCTION connect_record_bench_json(rel regclass, runs integer DEFAULT 5,
	OUT ours double precision, OUT row_to_json double precision, OUT ratio double precision, OUT bytes double precision)
LANGUAGE c VOLATILE STRICT AS 'connect_record';

CREATE FUNCTION connect_record_from_json(row_type anyelement, json text, zone text DEFAULT 'UTC',
	schemas boolean DEFAULT false, json_text boolean DEFAULT false)
RETURNS anyelement LANGUAGE c STABLE AS 'connect_record';

CREATE FUNCTION connect_record_bench_decode(rel regclass, runs integer DEFAULT 20)
RETURNS double precision LANGUAGE c VOLATILE STRICT AS 'connect_record';
