/*
 * plugin.c
 *	  A connector and a converter that are not ours: the plug-in interface as
 *	  somebody else's library uses it.
 *
 * NOTES
 *	  CounterSource emits the numbers from 1 to "count".  RomanConverter writes
 *	  small numbers as Roman numerals.
 */
#include "postgres.h"

#include "fmgr.h"

#include "connector.h"

PG_MODULE_MAGIC;

PGDLLEXPORT void _PG_init(void);

static const ConnectConfigKey keys[] = {
	{
		.name = "topic", .type = CONNECT_CONFIG_STRING, .required = true,
		.importance = CONNECT_IMPORTANCE_HIGH, .doc = "Where the numbers go."
	},
	{
		.name = "count", .type = CONNECT_CONFIG_LONG, .default_value = "10",
		.importance = CONNECT_IMPORTANCE_LOW, .doc = "How many numbers."
	}
};

typedef struct Counter
{
	const char *topic;
	int64		next;
	int64		count;
	int32		partition;
	ConnectSchema schema;
} Counter;

static void
counter_start(ConnectTask *task)
{
	Counter    *state = palloc0(sizeof(Counter));
	const char *count = connect_config_get(task->config, "count");
	const char *offset = connect_task_source_offset(task, "{\"counter\": 1}");

	task->state = state;
	state->topic = connect_config_get(task->config, "topic");
	state->count = count ? strtoll(count, NULL, 10) : 10;
	state->partition = connect_task_source_partition(task, "{\"counter\": 1}");
	state->next = 1;
	if (offset != NULL && sscanf(offset, "{\"n\": " INT64_FORMAT "}", &state->next) == 1)
		state->next++;
	state->schema.type = CONNECT_INT64;
}

static ConnectPollResult
counter_poll(ConnectTask *task)
{
	Counter    *state = task->state;

	while (task->room > 0 && state->next <= state->count)
	{
		ConnectRecord record = {
			.topic = state->topic,
			.partition = -1,
			.timestamp = -1,
			.value_schema = &state->schema,
			.value = connect_value_int(CONNECT_KIND_INT64, state->next),
			.position.partition = state->partition,
			.position.a = state->next
		};

		connect_task_emit(task, &record);
		state->next++;
	}
	return state->next <= state->count ? CONNECT_POLL_AGAIN : CONNECT_POLL_DONE;
}

static void
counter_format_offset(ConnectTask *task, const ConnectPosition *position,
					  StringInfo out)
{
	appendStringInfo(out, "{\"n\": " INT64_FORMAT "}", position->a);
}

static const ConnectConnectorClass counter_source = {
	.abi = CONNECT_CONNECTOR_ABI,
	.class_name = "com.example.CounterSourceConnector",
	.type = CONNECT_SOURCE,
	.version = "0.1",
	.doc = "Numbers, from a library that is not ours.",
	.config = {keys, lengthof(keys)},
	.start = counter_start,
	.poll = counter_poll,
	.format_offset = counter_format_offset
};

static ConnectConverter *
roman_make(const ConnectConverterClass *cls, const ConnectConfig *cfg,
		   ConnectConverterRole role, ConnectError *err)
{
	ConnectConverter *self = palloc0(sizeof(ConnectConverter));

	self->cls = cls;
	self->role = role;
	return self;
}

static bool
roman_from_connect(ConnectConverter *self, const char *topic,
				   const ConnectSchema *schema, const ConnectValue *value,
				   StringInfo out, bool *is_null, ConnectError *err)
{
	static const struct
	{
		int			n;
		const char *text;
	}			digits[] = {{10, "X"}, {9, "IX"}, {5, "V"}, {4, "IV"}, {1, "I"}};
	int64		n = value->u.i;

	*is_null = connect_value_is_null(value);
	for (int i = 0; !*is_null && i < lengthof(digits); i++)
	{
		for (; n >= digits[i].n; n -= digits[i].n)
			appendStringInfoString(out, digits[i].text);
	}
	return true;
}

static bool
roman_to_connect(ConnectConverter *self, const char *topic, const char *data,
				 int len, ConnectSchema **schema, ConnectValue *value,
				 ConnectError *err)
{
	*schema = NULL;
	*value = data == NULL ? connect_value_null() :
		connect_value_text(CONNECT_KIND_STRING, data, len);
	return true;
}

static const ConnectConverterClass roman_converter = {
	.class_name = "com.example.RomanConverter",
	.version = "0.1",
	.doc = "Roman numerals.",
	.is_converter = true,
	.make = roman_make,
	.from_connect = roman_from_connect,
	.to_connect = roman_to_connect
};

void
_PG_init(void)
{
	connect_register_connector(&counter_source);
	connect_register_converter(&roman_converter);
}
