-- Offsets change only while their connector is stopped, in Connect's shape.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS connect;
RESET client_min_messages;

SELECT connect_create('o1', '{"connector.class": "FileStreamSource", "file": "/tmp/o1", "topic": "t"}', 'STOPPED');
SELECT connect_create('o2', '{"connector.class": "FileStreamSink", "file": "/tmp/o2", "topics": "t"}', 'STOPPED');
SELECT connect_wait('o1', 'STOPPED', '60 s'), connect_wait('o2', 'STOPPED', '60 s');
SELECT connect_offsets('o1'), connect_offsets('o2');

SELECT connect_alter_offsets('o1', '{"offsets": [{"partition": {"filename": "/tmp/o1"}, "offset": {"position": 12}}]}');
SELECT connect_offsets('o1');
SELECT * FROM connect.source_offset;
SELECT connect_alter_offsets('o1', '{"offsets": [{"partition": {"filename": "/tmp/o1"}, "offset": {"position": true}}]}');
SELECT connect_alter_offsets('o1', '{"offsets": [{"partition": {"filename": {"a": 1}}, "offset": {"position": 1}}]}');
SELECT connect_alter_offsets('o1', '{"offsets": [{"partition": {"filename": "/tmp/o1"}, "offset": {"position": [1]}}]}');
SELECT connect_alter_offsets('o1', '{"offsets": [{"partition": null, "offset": {"position": 1}}]}');
SELECT connect_alter_offsets('o1', '{"offsets": ["a"]}');
SELECT connect_alter_offsets('o1', '{"offsets": []}');
SELECT connect_alter_offsets('o1', '{"offsets": null}');
SELECT connect_alter_offsets('o1', '{"offsets": {}}');
SELECT connect_alter_offsets('o1', '[]');
SELECT connect_alter_offsets('o1', '{"offsets": [{"partition": {"filename": "/tmp/o1"}, "offset": null}]}');
SELECT connect_offsets('o1');

-- a partition too large for an index, with characters that need care
SELECT jsonb_build_object('filename', E'\\\u00e4\n' || string_agg(sha512(i::text::bytea)::text, '')) AS large FROM generate_series(1, 100) i \gset
SELECT connect_alter_offsets('o1', jsonb_build_object('offsets', jsonb_build_array(jsonb_build_object('partition', :'large'::jsonb, 'offset', jsonb_build_object('position', n))))) FROM generate_series(1, 2) n;
SELECT source_partition = :'large' AS same, source_offset FROM connect.source_offset;
SELECT connect_alter_offsets('o1', jsonb_build_object('offsets', jsonb_build_array(jsonb_build_object('partition', :'large'::jsonb, 'offset', NULL))));
SELECT connect_offsets('o1');

SELECT connect_alter_offsets('o2', '{"offsets": [{"partition": {"kafka_topic": "t", "kafka_partition": 0}, "offset": {"kafka_offset": 5}}, {"partition": {"kafka_topic": "t", "kafka_partition": "1"}, "offset": {"kafka_offset": "6"}}]}');
SELECT * FROM connect.sink_offset;
SELECT connect_alter_offsets('o2', '{"offsets": [{"partition": {"kafka_topic": "t", "kafka_partition": 1}, "offset": null}]}');
SELECT connect_offsets('o2');
SELECT connect_alter_offsets('o2', '{"offsets": [{"partition": {"kafka_topic": "t"}, "offset": {"kafka_offset": 5}}]}');
SELECT connect_alter_offsets('o2', '{"offsets": [{"partition": {"kafka_topic": null, "kafka_partition": 0}, "offset": {"kafka_offset": 5}}]}');
SELECT connect_alter_offsets('o2', '{"offsets": [{"partition": {"kafka_topic": "t", "kafka_partition": "a"}, "offset": {"kafka_offset": 5}}]}');
SELECT connect_alter_offsets('o2', '{"offsets": [{"partition": {"kafka_topic": "t", "kafka_partition": 0}, "offset": {"kafka_offset": 1.5}}]}');
SELECT connect_alter_offsets('o2', '{"offsets": [{"partition": {"kafka_topic": "t", "kafka_partition": 0}, "offset": {"kafka_offset": true}}]}');
SELECT connect_alter_offsets('o2', '{"offsets": [{"partition": {"kafka_topic": "t", "kafka_partition": 0}, "offset": {"kafka_offset": -1}}]}');
SELECT connect_alter_offsets('o2', '{"offsets": [{"partition": {"kafka_topic": "t", "kafka_partition": 0}, "offset": {"offset": 1}}]}');
SELECT connect_reset_offsets('o2');
SELECT connect_offsets('o2');

-- not while it runs, or is about to
BEGIN;
SELECT connect_pause('o1');
SELECT connect_reset_offsets('o1');
ROLLBACK;
SELECT connect_alter_offsets('nobody', '{"offsets": []}');
SELECT connect_drop('o1'), connect_drop('o2');
SELECT count(*) FROM connect.source_offset;
