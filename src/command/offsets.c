/*
 * offsets.c
 *	  Commands that show, alter and reset offsets.
 *
 * NOTES
 *	  Offsets change only while the connector is STOPPED and none of its tasks
 *	  is alive: the connector's row is locked, so none starts until the change
 *	  is committed or gone.  The shape and the texts are Connect's.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "catalog/command.h"
#include "catalog/json.h"
#include "catalog/resolve.h"
#include "catalog/validate.h"
#include "command/command.h"
#include "connector.h"

static ConnectConnectorRow *lock_stopped(const char *name);
static const ConnectConnectorClass *row_class(const ConnectConnectorRow *row);
static List *parse_offsets(const char *json);
static char *json_member(JsonbContainer *object, const char *key);
static void check_source_map(const char *json, const char *what);
static void alter_source(const ConnectConnectorRow *row,
						 const ConnectConnectorClass *cls, List *offsets);
static void alter_sink(const ConnectConnectorRow *row, List *offsets);
static int64 sink_number(JsonbContainer *object, const char *key,
						 const char *what, int64 max);
static void bad_offsets(const char *fmt,...) pg_attribute_printf(1, 2) CONNECT_NORETURN;

char *
connect_command_offsets(const char *name)
{
	ConnectConnectorRow *row = connect_command_find(name);
	const ConnectConnectorClass *cls = row_class(row);
	const char *separator = "";
	StringInfoData out;
	ListCell   *lc;

	initStringInfo(&out);
	appendStringInfoString(&out, "{\"offsets\": [");
	if (cls == NULL || cls->type == CONNECT_SOURCE)
	{
		foreach(lc, connect_source_offsets(row->id))
		{
			ConnectSourceOffsetRow *offset = lfirst(lc);

			appendStringInfo(&out, "%s{\"partition\": %s, \"offset\": %s}",
							 separator, offset->partition, offset->offset);
			separator = ", ";
		}
	}
	else
	{
		foreach(lc, connect_sink_offsets(row->id))
		{
			ConnectSinkOffsetRow *offset = lfirst(lc);

			appendStringInfo(&out, "%s{\"partition\": {\"kafka_topic\": ",
							 separator);
			connect_json_string(&out, offset->topic);
			appendStringInfo(&out, ", \"kafka_partition\": %d},"
							 " \"offset\": {\"kafka_offset\": " INT64_FORMAT "}}",
							 offset->partition, offset->offset);
			separator = ", ";
		}
	}
	appendStringInfoString(&out, "]}");
	return out.data;
}

void
connect_command_alter_offsets(const char *name, const char *json)
{
	ConnectConnectorRow *row = lock_stopped(name);
	const ConnectConnectorClass *cls = row_class(row);
	List	   *offsets = parse_offsets(json);

	if (cls == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("class of connector \"%s\" is not known", name)));
	if (cls->type == CONNECT_SOURCE)
		alter_source(row, cls, offsets);
	else
		alter_sink(row, offsets);
	connect_history_add(row, NULL, "alter offsets");
}

void
connect_command_reset_offsets(const char *name)
{
	ConnectConnectorRow *row = lock_stopped(name);

	connect_offsets_reset(row->id);
	connect_history_add(row, NULL, "reset offsets");
}

static ConnectConnectorRow *
lock_stopped(const char *name)
{
	ConnectConnectorRow *row = connect_command_lock(name, false);

	if (row->target != CONNECT_STOPPED)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("Connectors must be in the STOPPED state before their offsets can be modified."),
				 errhint("Stop it with connect_stop() and wait for that with connect_wait().")));

	if (!connect_command_is_stopped(row))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("tasks of connector \"%s\" are still stopping", name),
				 errhint("Wait for them with connect_wait(%s, 'STOPPED').",
						 quote_literal_cstr(name))));
	return row;
}

static const ConnectConnectorClass *
row_class(const ConnectConnectorRow *row)
{
	return connect_connector_find(connect_config_get(row->config,
													 "connector.class"));
}

/* A list of ConnectOffset. */
static List *
parse_offsets(const char *json)
{
	Jsonb	   *jb = connect_json_parse(json);
	JsonbValue	key;
	JsonbValue *array;
	JsonbIterator *it;
	JsonbValue	element;
	JsonbIteratorToken token;
	List	   *result = NIL;

	key.type = jbvString;
	key.val.string.val = "offsets";
	key.val.string.len = strlen("offsets");
	array = JB_ROOT_IS_OBJECT(jb) ?
		findJsonbValueFromContainer(&jb->root, JB_FOBJECT, &key) : NULL;
	if (array == NULL || array->type == jbvNull)
		bad_offsets("Partitions / offsets need to be provided for an alter offsets request");
	if (array->type != jbvBinary || !JsonContainerIsArray(array->val.binary.data))
		bad_offsets("\"offsets\" must be an array");

	it = JsonbIteratorInit(array->val.binary.data);
	while ((token = JsonbIteratorNext(&it, &element, true)) != WJB_DONE)
	{
		ConnectOffset *offset;

		if (token != WJB_ELEM)
			continue;
		if (element.type != jbvBinary ||
			!JsonContainerIsObject(element.val.binary.data))
			bad_offsets("each element of \"offsets\" must be an object with \"partition\" and \"offset\"");
		offset = palloc(sizeof(ConnectOffset));
		offset->partition = json_member(element.val.binary.data, "partition");
		offset->offset = json_member(element.val.binary.data, "offset");
		result = lappend(result, offset);
	}
	if (result == NIL)
		bad_offsets("Partitions / offsets need to be provided for an alter offsets request");
	return result;
}

/* An object as JSON text; NULL if it is null or missing. */
static char *
json_member(JsonbContainer *object, const char *name)
{
	JsonbValue	key;
	JsonbValue *value;

	key.type = jbvString;
	key.val.string.val = unconstify(char *, name);
	key.val.string.len = strlen(name);
	value = findJsonbValueFromContainer(object, JB_FOBJECT, &key);
	if (value == NULL || value->type == jbvNull)
		return NULL;
	if (value->type != jbvBinary ||
		!JsonContainerIsObject(value->val.binary.data))
		bad_offsets("\"%s\" must be an object or null", name);
	return JsonbToCString(NULL, value->val.binary.data,
						  value->val.binary.len);
}

static void
alter_source(const ConnectConnectorRow *row, const ConnectConnectorClass *cls,
			 List *offsets)
{
	int			n = list_length(offsets);
	ConnectOffset *array = palloc(n * sizeof(ConnectOffset));
	ConnectConfig *cfg;
	ConnectError err = {0};
	int			i = 0;
	ListCell   *lc;

	foreach(lc, offsets)
	{
		ConnectOffset *offset = lfirst(lc);

		if (offset->partition == NULL)
			bad_offsets("The partition for a source connector offset cannot be null or missing");
		check_source_map(offset->partition, "partition");
		if (offset->offset != NULL)
			check_source_map(offset->offset, "offset");
		array[i++] = *offset;
	}
	if (cls->alter_offsets != NULL)
	{
		if (!connect_config_resolve(row->config, row->owner, &cfg, &err))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("%s", err.message)));
		cls->alter_offsets(cfg, array, n);
	}
	for (i = 0; i < n; i++)
		connect_source_offset_store(row->id, array[i].partition,
									array[i].offset);
}

/* Members of source partitions and offsets are scalars. */
static void
check_source_map(const char *json, const char *what)
{
	Jsonb	   *jb = connect_json_parse(json);
	JsonbIterator *it = JsonbIteratorInit(&jb->root);
	JsonbIteratorToken token;
	JsonbValue	value;
	char	   *key = NULL;

	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			key = pnstrdup(value.val.string.val, value.val.string.len);
		else if (token == WJB_VALUE && value.type == jbvBinary)
			bad_offsets("Offsets may only contain primitive types as values, but field %s contains %s",
						key, JsonContainerIsObject(value.val.binary.data) ?
						"MAP" : "ARRAY");
	}
}

static void
alter_sink(const ConnectConnectorRow *row, List *offsets)
{
	ListCell   *lc;

	foreach(lc, offsets)
	{
		ConnectOffset *offset = lfirst(lc);
		JsonbContainer *partition;
		JsonbValue	topic_key = {.type = jbvString};
		JsonbValue *topic;
		int64		number;
		int64		next = -1;

		if (offset->partition == NULL)
			bad_offsets("The partition for a sink connector offset cannot be null or missing");
		partition = &connect_json_parse(offset->partition)->root;
		topic_key.val.string.val = "kafka_topic";
		topic_key.val.string.len = strlen("kafka_topic");
		topic = findJsonbValueFromContainer(partition, JB_FOBJECT, &topic_key);
		if (topic == NULL)
			bad_offsets("The partition for a sink connector offset must contain the keys 'kafka_topic' and 'kafka_partition'");
		if (topic->type != jbvString)
			bad_offsets("Kafka topic names must be valid strings and may not be null");
		number = sink_number(partition, "kafka_partition", "partition",
							 PG_INT32_MAX);
		if (offset->offset != NULL)
			next = sink_number(&connect_json_parse(offset->offset)->root,
							   "kafka_offset", "offset", PG_INT64_MAX);
		connect_sink_offset_set(row->id, connect_json_scalar(topic), number,
								next);
	}
}

/* A whole number from 0 to max, or a string of one. */
static int64
sink_number(JsonbContainer *object, const char *name, const char *what,
			int64 max)
{
	JsonbValue	key = {.type = jbvString};
	JsonbValue *value;
	char	   *text;
	char	   *end;
	int64		number;
	bool		is_offset = strcmp(what, "offset") == 0;

	key.val.string.val = unconstify(char *, name);
	key.val.string.len = strlen(name);
	value = findJsonbValueFromContainer(object, JB_FOBJECT, &key);
	if (value == NULL && is_offset)
		bad_offsets("The offset for a sink connector should either be null or contain the key 'kafka_offset'");
	if (value == NULL)
		bad_offsets("The partition for a sink connector offset must contain the keys 'kafka_topic' and 'kafka_partition'");
	text = value->type == jbvBinary ? NULL : connect_json_scalar(value);
	if (text == NULL)
		text = "null";
	errno = 0;
	number = strtoi64(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || value->type == jbvBool)
		bad_offsets("Failed to parse the following Kafka %s value in the provided offsets: '%s'. %s values for sink connectors need to be integers.",
					what, text, is_offset ? "Offset" : "Partition");
	if (number < 0 || number > max)
		bad_offsets("Kafka %s " INT64_FORMAT " is out of range", what, number);
	return number;
}

static void
bad_offsets(const char *fmt,...)
{
	StringInfoData text;

	initStringInfo(&text);
	for (;;)
	{
		va_list		args;
		int			needed;

		va_start(args, fmt);
		needed = appendStringInfoVA(&text, fmt, args);
		va_end(args);
		if (needed == 0)
			break;
		enlargeStringInfo(&text, needed);
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s", text.data)));
}
