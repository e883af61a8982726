/*
 * event.c
 *	  What a record asks for: a table, and a write, a delete or a truncation.
 *
 * NOTES
 *	  Task process.  Errors are the record's and are returned, worded as
 *	  Confluent's connector words them.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "utils/builtins.h"

#include "jdbcsink/jdbcsink.h"

static bool take_null(JdbcSink *sink, JdbcEvent *event, ConnectError *err);
static char *mapping_text(const JdbcOptions *options);
static char *normalized(const char *name);
static char *replaced(const char *text, const char *what, const char *by);

/* A tombstone, as Kafka or as JSON says it. */
static bool
is_null_text(const ConnectBytes *bytes)
{
	return bytes->data == NULL || bytes->len == 0 ||
		(bytes->len == 4 && memcmp(bytes->data, "null", 4) == 0);
}

bool
connect_jdbcsink_event(JdbcSink *sink, ConnectRecord *record,
					   JdbcEvent *event, ConnectError *err)
{
	memset(event, 0, sizeof(*event));
	event->record = record;
	event->op = JDBC_OP_WRITE;

	if (!record->value_decoded)
	{
		event->raw = sink->plain_json && !is_null_text(&record->raw_value);
		if (!event->raw && !connect_task_decode_value(sink->task, record, err))
			return false;
	}
	if (!event->raw)
	{
		event->value_schema = record->value_schema;
		event->value = &record->value;
		if (connect_value_is_null(&record->value))
		{
			if (!take_null(sink, event, err))
				return false;
		}
		else if (sink->options.flavour == JDBC_DEBEZIUM &&
				 connect_debezium_is_schema_change(record->value_schema,
												   &record->value))
			event->op = JDBC_OP_SKIP;
		else if (connect_debezium_is_envelope(record->value_schema,
											  &record->value))
		{
			if (!connect_debezium_unwrap(event, err))
				return false;
			if ((event->op == JDBC_OP_DELETE && !sink->options.delete_enabled) ||
				(event->op == JDBC_OP_TRUNCATE && !sink->options.truncate_enabled))
				event->op = JDBC_OP_SKIP;
		}
		else if (!(record->value.kind == CONNECT_KIND_STRUCT ||
				   (record->value.kind == CONNECT_KIND_MAP &&
					record->value_schema == NULL) ||
				   (record->value.kind == CONNECT_KIND_STRING &&
					sink->options.flavour == JDBC_CONFLUENT)))
			return connect_error_set(err, CONNECT_CONNECT_EXCEPTION,
									 "Value schema must be of type Struct");
	}
	if (event->op == JDBC_OP_SKIP)
		return true;
	return connect_jdbcsink_find_target(sink, event, err);
}

/* Tombstones. */
static bool
take_null(JdbcSink *sink, JdbcEvent *event, ConnectError *err)
{
	static const char *const modes[] = {
		"none", "kafka", "record_key", "record_value", "record_header"
	};
	const JdbcOptions *options = &sink->options;
	const ConnectRecord *record = event->record;

	event->value = NULL;
	event->value_schema = NULL;
	if (options->delete_enabled &&
		options->key_mode == JDBC_KEY_RECORD_KEY)
		event->op = JDBC_OP_DELETE;
	else if (options->flavour == JDBC_DEBEZIUM)
		event->op = JDBC_OP_SKIP;
	else
		return connect_error_set(err, CONNECT_CONNECT_EXCEPTION,
								 "Sink connector '%s' is configured with 'delete.enabled=%s' and 'pk.mode=%s' and therefore requires records with a non-null Struct value and non-null Struct schema, but found record at (topic='%s',partition=%d,offset=" INT64_FORMAT ",timestamp=" INT64_FORMAT ") with a null value and null value schema.",
								 sink->task->connector,
								 options->delete_enabled ? "true" : "false",
								 modes[options->key_mode],
								 record->topic, record->partition,
								 record->offset, record->timestamp);
	return true;
}

/* The table that a topic's records go to. */
bool
connect_jdbcsink_find_target(JdbcSink *sink, JdbcEvent *event,
							 ConnectError *err)
{
	const JdbcOptions *options = &sink->options;
	const char *topic = event->record->topic;
	char	   *name = NULL;

	if (sink->last_topic != NULL && strcmp(sink->last_topic, topic) == 0)
	{
		event->target = sink->last_target;
		return true;
	}

	for (int i = 0; i < options->ntopic_tables; i++)
	{
		const char *entry = options->topic_tables[i];
		const char *colon = strchr(entry, ':');

		if (colon != NULL && strlen(topic) == colon - entry &&
			strncmp(entry, topic, colon - entry) == 0)
			name = pstrdup(colon + 1);
	}
	if (name == NULL && options->ntopic_tables > 0)
		return connect_error_set(err, CONNECT_CONNECT_EXCEPTION,
								 "Destination table for the topic: '%s' couldn't be found in the topics to tables mapping: '%s' and couldn't be generated for the format string '%s'",
								 topic, mapping_text(options),
								 options->table_format);
	if (name == NULL && options->flavour == JDBC_DEBEZIUM)
	{
		const char *format = options->table_format ? options->table_format :
			"${topic}";
		char	   *flat = pstrdup(topic);

		for (char *p = flat; *p != '\0'; p++)
		{
			if (*p == '.')
				*p = '_';
		}
		name = connect_debezium_format(replaced(format, "${topic}", flat),
									   event->record);
		if (name == NULL)
		{
			event->op = JDBC_OP_SKIP;
			return true;
		}
		event->target = connect_jdbcsink_target(sink, name);
		if (strstr(format, "${source.") != NULL)
			return true;		/* each record for itself */
	}
	else if (name == NULL)
	{
		name = replaced(options->table_format, "${topic}", topic);
		if (options->normalize)
			name = normalized(name);
	}
	event->target = connect_jdbcsink_target(sink, name);
	strlcpy(sink->last_topic_buf, event->record->topic,
			sizeof(sink->last_topic_buf));
	sink->last_topic = sink->last_topic_buf;
	sink->last_target = event->target;
	return true;
}

/* The mapping as Aiven's connector shows it. */
static char *
mapping_text(const JdbcOptions *options)
{
	StringInfoData text;

	initStringInfo(&text);
	for (int i = 0; i < options->ntopic_tables; i++)
		appendStringInfo(&text, "%s%s", i > 0 ? "," : "",
						 replaced(options->topic_tables[i], ":", "->"));
	return text.data;
}

/*
 * Aiven's table.name.normalize: an underscore for each character that is no
 * ASCII letter or digit, a dot too.
 */
static char *
normalized(const char *name)
{
	StringInfoData result;

	initStringInfo(&result);
	for (const char *p = name; *p != '\0'; p += pg_mblen(p))
	{
		bool		kept = !IS_HIGHBIT_SET(*p) &&
			(isalnum((unsigned char) *p) || *p == '_');

		appendStringInfoChar(&result, kept ? *p : '_');
	}
	return result.data;
}

static char *
replaced(const char *text, const char *what, const char *by)
{
	StringInfoData buf;
	const char *hit;

	initStringInfo(&buf);
	while ((hit = strstr(text, what)) != NULL)
	{
		appendBinaryStringInfo(&buf, text, hit - text);
		appendStringInfoString(&buf, by);
		text = hit + strlen(what);
	}
	appendStringInfoString(&buf, text);
	return buf.data;
}
