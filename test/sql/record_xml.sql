-- A row with xml to JSON.  The second expected output is of servers built without libxml.
CREATE SCHEMA record;
SET search_path = record, public;
CREATE FUNCTION row_json(record, plain boolean DEFAULT true, numeric_mapping text DEFAULT 'none',
	timestamp_granularity text DEFAULT 'connect_logical', zone text DEFAULT 'UTC', schemas boolean DEFAULT false)
RETURNS text LANGUAGE c STABLE STRICT AS 'connect_record', 'connect_record_row_json';
SELECT row_json(q) FROM (SELECT '<a/>'::xml AS x) AS q;
SET client_min_messages = warning;
DROP SCHEMA record CASCADE;
