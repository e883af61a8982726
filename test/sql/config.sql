-- Plugins, their definitions and validation, with Kafka Connect's meaning.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS connect;
RESET client_min_messages;

SELECT class, type FROM connect.plugin WHERE class LIKE '%FileStream%';
SELECT name, type, required, default_value, importance, "group", order_in_group, width, display_name
FROM connect_plugin_config('FileStreamSource');
SELECT count(*) FROM connect_plugin_config('org.apache.kafka.connect.file.FileStreamSinkConnector');
SELECT name FROM connect_plugin_config('FileStreamSinkConnector') EXCEPT SELECT name FROM connect_plugin_config('FileStreamSource') ORDER BY 1;
SELECT recommended_values FROM connect_plugin_config('FileStreamSource') WHERE name = 'header.converter';
SELECT * FROM connect_plugin_config('com.example.NoSuch') LIMIT 0;

-- what is wrong with a source, and with a sink
PREPARE wrong(jsonb) AS SELECT key, value, errors FROM connect_validate($1) WHERE errors <> '{}';
EXECUTE wrong('{"connector.class": "FileStreamSource", "file": "/tmp/x"}');
EXECUTE wrong('{"connector.class": "FileStreamSource", "name": "v", "file": "/tmp/x", "topic": "t"}');
EXECUTE wrong('{"connector.class": "FileStreamSource", "name": "v", "file": "/tmp/x", "topic": "t", "tasks.max": "abc", "batch.size": "x"}');
EXECUTE wrong('{"connector.class": "FileStreamSource", "name": "v", "file": "/tmp/x", "topic": "", "unknown": null}');
EXECUTE wrong('{"connector.class": "FileStreamSource", "name": "v", "file": "/tmp/x", "topic": "t", "config.action.reload": "never", "errors.retry.timeout": "x", "errors.tolerance": "some", "errors.log.enable": "yes"}');
EXECUTE wrong('{"connector.class": "FileStreamSource", "name": "v", "file": "/tmp/x", "topic": "t", "exactly.once.support": "maybe", "transaction.boundary": "connector", "transaction.boundary.interval.ms": "-1", "offsets.storage.topic": "", "topic.creation.groups": "g,g"}');
EXECUTE wrong('{"connector.class": "FileStreamSource", "name": "v", "file": "/tmp/x", "topic": "t", "connector.plugin.version": "1.0"}');
EXECUTE wrong('{"connector.class": "FileStreamSource", "name": "v", "file": "/tmp/x", "topic": "t", "connector.plugin.version": "[4.0,5.0)"}');
EXECUTE wrong('{"connector.class": "FileStreamSource", "name": "v", "file": "/tmp/x", "topic": "t", "topic.creation.groups": "default"}');
EXECUTE wrong('{"connector.class": "FileStreamSink", "name": "v", "file": "/tmp/x"}');
EXECUTE wrong('{"connector.class": "FileStreamSink", "name": "v", "file": "/tmp/x", "topics": "t", "topics.regex": "a.*"}');
EXECUTE wrong('{"connector.class": "FileStreamSink", "name": "v", "file": "/tmp/x", "topics": "a,,b,a"}');
EXECUTE wrong('{"connector.class": "FileStreamSink", "name": "v", "file": "/tmp/x", "topics": "t", "errors.deadletterqueue.topic.name": "t"}');
EXECUTE wrong('{"connector.class": "FileStreamSink", "name": "v", "file": "/tmp/x", "topics.regex": "dl.*", "errors.deadletterqueue.topic.name": "dlq1"}');
EXECUTE wrong('{"connector.class": "FileStreamSink", "name": "v", "file": "/tmp/x", "topics": "t", "errors.deadletterqueue.topic.replication.factor": "abc", "errors.deadletterqueue.context.headers.enable": "2"}');

-- converters and transforms
EXECUTE wrong('{"connector.class": "FileStreamSource", "name": "v", "file": "/tmp/x", "topic": "t", "key.converter": "com.example.No", "header.converter": "FileStreamSource"}');
EXECUTE wrong('{"connector.class": "FileStreamSource", "name": "v", "file": "/tmp/x", "topic": "t", "value.converter": "JsonConverter", "value.converter.schemas.enable": "maybe", "key.converter.schemas.enable": "unused"}');
EXECUTE wrong('{"connector.class": "FileStreamSource", "name": "v", "file": "/tmp/x", "topic": "t", "transforms": "a,b", "transforms.a.type": "com.example.No", "transforms.a.negate": "true"}');
SELECT key, value FROM connect_validate('{"connector.class": "FileStreamSource", "name": "v", "file": "/tmp/x", "topic": "t", "value.converter": "StringConverter"}') WHERE key LIKE 'value.converter%';

-- large ones
SELECT count(*) FILTER (WHERE errors <> '{}') AS wrong, min(errors::text) FILTER (WHERE errors <> '{}') AS errors
FROM (VALUES (60000), (59999)) AS v(different), connect_validate((SELECT jsonb_build_object('connector.class', 'FileStreamSink', 'name', 'v',
	'file', '/tmp/x', 'topics', string_agg('topic' || i % different, ',')) || jsonb_object_agg('key' || i, 'x') FROM generate_series(1, 60000) i))
GROUP BY different ORDER BY 1;

-- client properties: an allow-list, and the worker's policy
EXECUTE wrong('{"connector.class": "FileStreamSource", "name": "v", "file": "/tmp/x", "topic": "t", "producer.override.linger.ms": "5", "producer.override.plugin.library.paths": "/tmp/evil.so"}');
SET connect.worker_defaults = '{"connector.client.config.override.policy": "None"}';
EXECUTE wrong('{"connector.class": "FileStreamSource", "name": "v", "file": "/tmp/x", "topic": "t", "producer.override.linger.ms": "5"}');
SET connect.worker_defaults = '{"connector.client.config.override.policy": "Allowlist", "connector.client.config.override.allowlist": "linger.ms"}';
EXECUTE wrong('{"connector.class": "FileStreamSource", "name": "v", "file": "/tmp/x", "topic": "t", "producer.override.linger.ms": "5", "producer.override.acks": "1"}');

-- worker-level keys work or are refused with a reason
SET connect.worker_defaults = '{"value.converter": "StringConverter", "group.id": "g"}';
SELECT key, value FROM connect_validate('{"connector.class": "FileStreamSource", "name": "v", "file": "/tmp/x", "topic": "t"}') WHERE key IN ('key.converter', 'value.converter');
EXECUTE wrong('{"connector.class": "FileStreamSink", "name": "v", "file": "/tmp/x", "topics": "t", "consumer.override.group.id": "g"}');
SET connect.worker_defaults = '{"plugin.path": "/x"}';
SET connect.worker_defaults = '{"offset.storage.topic": "x"}';
SET connect.worker_defaults = '{"offset.flush.interval.ms": "often"}';
SET connect.worker_defaults = '{"connector.client.config.override.policy": "com.example.Policy"}';
SET connect.worker_defaults = '{"a": 1}';
SET connect.worker_defaults = '[]';
SET connect.worker_defaults = '{bad';
RESET connect.worker_defaults;
