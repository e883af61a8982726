/*
 * verifiable.c
 *	  VerifiableSource and VerifiableSink: numbered records, for tests.
 *
 * NOTES
 *	  The source of Kafka's system tests: task i makes the records (i, 0), (i, 1),
 *	  … at a given rate; whoever counts them finds what is lost or doubled.  The
 *	  sink tells of each record that it takes and each flush.  Where Kafka's write
 *	  JSON lines to standard output, these write them to the server log, if
 *	  "log.records" is set.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/timestamp.h"

#include "connect.h"
#include "registry.h"

#define MS_PER_SLICE 10			/* how often a throttled source wakes */

#define LOG_RECORDS_KEY \
	{ \
		.name = "log.records", .type = CONNECT_CONFIG_BOOLEAN, \
		.default_value = "false", .importance = CONNECT_IMPORTANCE_LOW, \
		.doc = "Whether each record is written to the server log as a JSON line." \
	}

static const ConnectConfigKey source_keys[] = {
	{
		.name = "topic", .type = CONNECT_CONFIG_STRING, .required = true,
		.importance = CONNECT_IMPORTANCE_HIGH,
		.doc = "The topic that the numbers go to.",
		.validator = connect_config_non_empty
	},
	{
		.name = "throughput", .type = CONNECT_CONFIG_LONG,
		.default_value = "-1", .importance = CONNECT_IMPORTANCE_MEDIUM,
		.doc = "Records a second and task; -1 sets no limit."
	},
	{
		.name = "max.records", .type = CONNECT_CONFIG_LONG,
		.default_value = "-1", .importance = CONNECT_IMPORTANCE_LOW,
		.doc = "How many records a task makes in all; -1 sets no limit."
	},
	LOG_RECORDS_KEY
};

static const ConnectConfigKey sink_keys[] = {
	LOG_RECORDS_KEY
};

static const ConnectConfigDef source_def = {source_keys, lengthof(source_keys)};
static const ConnectConfigDef sink_def = {sink_keys, lengthof(sink_keys)};

typedef struct Verifiable
{
	int64		id;
	const char *topic;
	int64		throughput;
	int64		max_records;
	bool		log_records;
	int32		partition;
	ConnectSchema *schema;
	int64		next;			/* sequence number */
	int64		first;			/* of this start */
	TimestampTz began;
} Verifiable;

/* One line as Kafka's connectors print it. */
static void
log_record(ConnectTask *task, const char *topic, int64 id, int64 seqno,
		   const char *what, bool value)
{
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfoString(&buf, "{\"name\":");
	escape_json(&buf, task->connector);
	appendStringInfo(&buf, ",\"task\":" INT64_FORMAT ",\"topic\":", id);
	escape_json(&buf, topic);
	appendStringInfo(&buf, ",\"time_ms\":" INT64_FORMAT ",\"seqno\":" INT64_FORMAT ",\"%s\":%s}",
					 GetCurrentTimestamp() / 1000 +
					 (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * (USECS_PER_DAY / 1000),
					 seqno, what, value ? "true" : "false");
	ereport(LOG, (errmsg("%s", buf.data)));
	pfree(buf.data);
}

static List *
source_task_configs(const ConnectConfig *cfg, int max_tasks)
{
	List	   *tasks = NIL;

	for (int i = 0; i < max_tasks; i++)
	{
		ConnectConfig *task = connect_config_copy(cfg);

		connect_config_set(task, "id", psprintf("%d", i));
		tasks = lappend(tasks, task);
	}
	return tasks;
}

static void
source_start(ConnectTask *task)
{
	Verifiable *state = palloc0(sizeof(Verifiable));
	const char *id = connect_config_get(task->config, "id");
	const char *offset;
	char	   *partition;

	task->state = state;
	state->id = id ? strtoll(id, NULL, 10) : task->id;
	state->topic = connect_config_string(task->config, &source_def, "topic");
	state->throughput = connect_config_int(task->config, &source_def,
										   "throughput");
	state->max_records = connect_config_int(task->config, &source_def,
											"max.records");
	state->log_records = connect_config_bool(task->config, &source_def,
											 "log.records");
	state->schema = connect_schema_make(CONNECT_INT64);
	partition = psprintf("{\"id\":" INT64_FORMAT "}", state->id);
	state->partition = connect_task_source_partition(task, partition);
	offset = connect_task_source_offset(task, partition);
	if (offset != NULL && sscanf(offset, "{\"seqno\": " INT64_FORMAT "}",
								 &state->next) == 1)
		state->next++;
	state->first = state->next;
	state->began = GetCurrentTimestamp();
}

static ConnectPollResult
source_poll(ConnectTask *task)
{
	Verifiable *state = task->state;
	int64		limit = PG_INT64_MAX;

	if (state->max_records >= 0 && state->next >= state->max_records)
		return CONNECT_POLL_DONE;
	if (state->throughput >= 0)
	{
		double		due = (double) (GetCurrentTimestamp() - state->began) *
			state->throughput / USECS_PER_SEC;

		if (due < PG_INT64_MAX / 2)
			limit = state->first + (int64) due;
	}
	if (state->max_records >= 0)
		limit = Min(limit, state->max_records);
	while (task->room > 0 && state->next < limit)
	{
		ConnectRecord record = {
			.topic = state->topic,
			.partition = -1,
			.timestamp = -1,
			.key_schema = state->schema,
			.key = connect_value_int(CONNECT_KIND_INT64, state->id),
			.value_schema = state->schema,
			.value = connect_value_int(CONNECT_KIND_INT64, state->next),
			.position.partition = state->partition,
			.position.a = state->next
		};

		connect_task_emit(task, &record);
		if (state->log_records)
			log_record(task, state->topic, state->id, state->next, "committed",
					   false);
		state->next++;
	}
	if (state->next < limit || state->throughput < 0)
		return CONNECT_POLL_AGAIN;
	task->wait_ms = MS_PER_SLICE;
	return CONNECT_POLL_WAIT;
}

static void
source_format_offset(ConnectTask *task, const ConnectPosition *position,
					 StringInfo out)
{
	appendStringInfo(out, "{\"seqno\":" INT64_FORMAT "}", position->a);
}

static void
sink_start(ConnectTask *task)
{
	Verifiable *state = palloc0(sizeof(Verifiable));

	task->state = state;
	state->log_records = connect_config_bool(task->config, &sink_def,
											 "log.records");
}

static int64
number_of(const ConnectValue *v)
{
	return v->kind >= CONNECT_KIND_INT8 && v->kind <= CONNECT_KIND_INT64 ?
		v->u.i : -1;
}

static void
sink_put(ConnectTask *task, ConnectRecord *records, int n)
{
	Verifiable *state = task->state;

	for (int i = 0; state->log_records && i < n; i++)
		log_record(task, records[i].topic, number_of(&records[i].key),
				   number_of(&records[i].value), "flushed", false);
	if (n > 0)
		state->next = number_of(&records[n - 1].value);
}

static void
sink_flush(ConnectTask *task)
{
	Verifiable *state = task->state;

	if (state->log_records)
		log_record(task, "", task->id, state->next, "flushed", true);
}

static const char *const source_aliases[] = {"VerifiableSource", NULL};
static const char *const sink_aliases[] = {"VerifiableSink", NULL};

const ConnectConnectorClass connect_verifiable_source = {
	.abi = CONNECT_CONNECTOR_ABI,
	.class_name = "org.apache.kafka.connect.tools.VerifiableSourceConnector",
	.aliases = source_aliases,
	.type = CONNECT_SOURCE,
	.version = CONNECT_KAFKA_VERSION,
	.doc = "Numbered records, for tests.",
	.config = {source_keys, lengthof(source_keys)},
	.flags = CONNECT_CONNECTOR_HIDDEN,
	.task_configs = source_task_configs,
	.start = source_start,
	.poll = source_poll,
	.format_offset = source_format_offset
};

const ConnectConnectorClass connect_verifiable_sink = {
	.abi = CONNECT_CONNECTOR_ABI,
	.class_name = "org.apache.kafka.connect.tools.VerifiableSinkConnector",
	.aliases = sink_aliases,
	.type = CONNECT_SINK,
	.version = CONNECT_KAFKA_VERSION,
	.doc = "Tells of each record that it takes, for tests.",
	.config = {sink_keys, lengthof(sink_keys)},
	.flags = CONNECT_CONNECTOR_HIDDEN,
	.start = sink_start,
	.put = sink_put,
	.flush = sink_flush
};
