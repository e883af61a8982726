-- The table sink: columns of types that not every server has: hstore's, and XML.  The second expected output is of servers without both.
SET client_min_messages = warning;
CREATE SCHEMA sinkextensions;
SET search_path = sinkextensions, public;
\i sql/sinktest.inc
\i sql/sinkstored.inc
\set VERBOSITY terse
SELECT stored('xml', v) FROM unnest('{"\"<a>1</a>\"","\"<a>\""}'::jsonb[]) AS v;
CREATE EXTENSION hstore;
SELECT stored('hstore', v) FROM unnest('{"{\"a\": \"1\", \"b\\\"\": null, \"c\": 2.50, \"d\": true, \"e\": {\"x\": [1]}}","{}","\"a=>1\""}'::jsonb[]) AS v;
SELECT left(stored('hstore', v), 8) FROM unnest('{"\"a\"","[1]"}'::jsonb[]) AS v;
SELECT stored('hstore', '{"a": 1, "b\\": null}', '{"type": "map", "keys": {"type": "string"}, "values": {"type": "int32", "optional": true}}');
SELECT stored('hstore', '{"x": 1, "y": null}', '{"type": "struct", "fields": [{"field": "x", "type": "int32"}, {"field": "y", "type": "string", "optional": true}]}');
SET client_min_messages = error;
DROP SCHEMA sinkextensions CASCADE;
