/*
 * errors.c
 *	  Records that cannot be processed: tolerance, log, dead letters.
 *
 * NOTES
 *	  A failed record is first reported (log, dead letter queue), then its
 *	  failure is tolerated or ends the task: dead letters are written with
 *	  errors.tolerance=none too, as Kafka Connect does.
 *
 *	  A dead letter is sent in the background.  No offset of its batch is stored
 *	  before it is acknowledged, and if the queue refuses it the task fails: a
 *	  record never goes away silently.
 *
 *	  errors.retry.timeout: a failure that its maker calls retriable is raised
 *	  as a connection failure, the runtime repeats the poll or the batch, and
 *	  only when the time is over the failure counts.
 */
#include "postgres.h"

#include <math.h>

#include "access/xact.h"
#include "catalog/pg_authid.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "catalog/catalog.h"
#include "runtime/clients.h"
#include "runtime/errors.h"
#include "runtime/mask.h"
#include "runtime/source.h"
#include "runtime/topics.h"

static const char *const stage_names[] = {
	[CONNECT_STAGE_TRANSFORMATION] = "TRANSFORMATION",
	[CONNECT_STAGE_KEY_CONVERTER] = "KEY_CONVERTER",
	[CONNECT_STAGE_VALUE_CONVERTER] = "VALUE_CONVERTER",
	[CONNECT_STAGE_HEADER_CONVERTER] = "HEADER_CONVERTER",
	[CONNECT_STAGE_KAFKA_PRODUCE] = "KAFKA_PRODUCE",
	[CONNECT_STAGE_TASK_PUT] = "TASK_PUT"
};

#define MAX_MESSAGE_HEADERS 256
#define NLETTER_HEADERS 10
#define LETTER_BATCH 64

static void log_failure(ConnectTaskRun *run, ConnectStage stage,
						const char *class_name, const ConnectRecord *record,
						const ConnectKafkaMessage *message,
						const ConnectError *err);
static void send_letter(ConnectTaskRun *run, ConnectStage stage,
						const char *class_name, const ConnectRecord *record,
						const ConnectKafkaMessage *message,
						const ConnectError *err);
static void store_letter(ConnectTaskRun *run, ConnectStage stage,
						 const ConnectRecord *record,
						 const ConnectKafkaMessage *message,
						 const ConnectError *err);
static void check_tolerance(ConnectTaskRun *run, ConnectStage stage,
							const ConnectKafkaMessage *message,
							const ConnectError *err);
static void append_source_record(StringInfo out, ConnectTaskRun *run,
								 const ConnectRecord *record);
static void append_schema(StringInfo out, const ConnectSchema *schema);
static void append_map(StringInfo out, const char *json);
static bool is_java_trace(const char *text);

void
connect_errors_start(ConnectTaskRun *run)
{
	ConnectErrors *errors = &run->errors;
	const char *topic;

	errors->tolerant = strcmp(connect_task_option(run, "errors.tolerance"),
							  "all") == 0;
	errors->retry_timeout = connect_task_option_int(run, "errors.retry.timeout");
	errors->delay_max = connect_task_option_int(run, "errors.retry.delay.max.ms");
	errors->log = connect_task_option_bool(run, "errors.log.enable");
	errors->log_messages = connect_task_option_bool(run,
													"errors.log.include.messages");
	if (run->task.cls->type != CONNECT_SINK)
		return;
	topic = connect_task_option(run, "errors.deadletterqueue.topic.name");
	errors->letter_topic = topic != NULL && topic[0] != '\0' ? topic : NULL;
	errors->letter_replication = connect_task_option_int(run,
														 "errors.deadletterqueue.topic.replication.factor");
	errors->letter_headers = connect_task_option_bool(run,
													  "errors.deadletterqueue.context.headers.enable");
	errors->letter_table = connect_task_option_bool(run,
													"errors.deadletterqueue.table.enable");
	if (errors->letter_topic != NULL)
	{
		ConnectKafkaProperty extra[] = {
			{"client.id", psprintf("connector-dlq-producer-%s-%d",
								   run->task.connector, run->task.id)},
			{NULL, NULL}
		};
		ConnectKafkaConf *conf = connect_clients_conf(run,
													  CONNECT_KAFKA_PRODUCER,
													  extra);
		ConnectKafkaError err;

		errors->letter_producer = connect_kafka_producer_open(conf, &err);
		connect_kafka_conf_close(&conf);
		if (errors->letter_producer == NULL)
			connect_errors_raise_kafka("could not start the dead letter queue's producer",
									   &err);
		connect_topics_ensure_letters(run);
		errors->letter_handle = connect_kafka_producer_topic(errors->letter_producer,
															 errors->letter_topic,
															 &err);
		if (errors->letter_handle == NULL)
			connect_errors_raise_kafka("could not open the dead letter queue",
									   &err);
	}
}

void
connect_errors_close(ConnectTaskRun *run)
{
	if (!connect_kafka_producer_close(&run->errors.letter_producer, 0))
		connect_task_leaves_threads();
	memset(&run->errors, 0, sizeof(run->errors));
}

void
connect_errors_handle(ConnectTaskRun *run, ConnectStage stage,
					  const char *class_name, const ConnectRecord *record,
					  const ConnectKafkaMessage *message,
					  const ConnectError *err)
{
	ConnectErrors *errors = &run->errors;

	if (err->retriable && errors->retry_timeout != 0)
	{
		TimestampTz now = GetCurrentTimestamp();

		if (errors->retry_until == 0)
			errors->retry_until = errors->retry_timeout < 0 ? DT_NOEND :
				TimestampTzPlusMilliseconds(now, errors->retry_timeout);
		if (now < errors->retry_until)
			ereport(ERROR,
					(errcode(ERRCODE_CONNECTION_EXCEPTION),
					 errmsg("%s", err->message ? err->message : err->class_name),
					 errdetail_log("%s", connect_errors_java_trace(err))));
	}
	connect_errors_report(run, stage, class_name, record, message, err);
	check_tolerance(run, stage, message, err);
}

/*
 * With errors.tolerance=all the record is left out; else it fails the task,
 * and the error says which record it is.
 */
static void
check_tolerance(ConnectTaskRun *run, ConnectStage stage,
				const ConnectKafkaMessage *message, const ConnectError *err)
{
	const char *place = "";

	if (run->errors.tolerant)
	{
		connect_my_slot_count(CONNECT_COUNT_SKIPPED, 1);
		return;
	}
	/* an error of put() says so itself */
	if (message != NULL && stage != CONNECT_STAGE_TASK_PUT)
		place = psprintf("Record %s-%d@" INT64_FORMAT ", %s",
						 message->topic, message->partition, message->offset,
						 stage_names[stage]);
	ereport(ERROR,
			(errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
			 errmsg("Tolerance exceeded in error handler: %s%s%s",
					place, place[0] == '\0' ? "" : ": ",
					err->message ? err->message : err->class_name),
			 errdetail_log(CONNECT_CONNECT_EXCEPTION ": Tolerance exceeded in error handler\n%s%s%sCaused by: %s",
						   place[0] == '\0' ? "" : "\tat ", place,
						   place[0] == '\0' ? "" : "\n",
						   connect_errors_java_trace(err))));
}

void
connect_errors_report(ConnectTaskRun *run, ConnectStage stage,
					  const char *class_name, const ConnectRecord *record,
					  const ConnectKafkaMessage *message,
					  const ConnectError *err)
{
	ConnectError masked = *err;

	masked.message = unconstify(char *, connect_masked(err->message));
	masked.cause_message = unconstify(char *, connect_masked(err->cause_message));
	err = &masked;
	connect_my_slot_count(CONNECT_COUNT_FAILED, 1);
	if (run->errors.log)
		log_failure(run, stage, class_name, record, message, err);
	if (message == NULL)
		return;
	if (run->errors.letter_producer != NULL)
		send_letter(run, stage, class_name, record, message, err);
	if (run->errors.letter_table && !IsTransactionState())
		store_letter(run, stage, record, message, err);
}

int
connect_errors_letters_pending(ConnectTaskRun *run)
{
	ConnectErrors *errors = &run->errors;
	ConnectKafkaDelivery deliveries[LETTER_BATCH];
	int			n;

	if (errors->letter_producer == NULL)
		return 0;
	while ((n = connect_kafka_producer_poll(errors->letter_producer,
											deliveries, LETTER_BATCH)) > 0)
	{
		for (int i = 0; i < n; i++)
		{
			if (deliveries[i].code == CONNECT_KAFKA_NO_ERROR)
			{
				connect_my_slot_count(CONNECT_COUNT_DEAD_LETTERS, 1);
				continue;
			}
			errors->letter_failed = true;
			connect_kafka_delivery_error(errors->letter_producer,
										 &deliveries[i],
										 &errors->letter_error);
		}
	}
	connect_clients_listen(run,
						   connect_kafka_producer_client(errors->letter_producer));
	if (errors->letter_failed)
	{
		errors->letter_failed = false;
		connect_errors_raise_kafka("the dead letter queue does not take a record",
								   &errors->letter_error);
	}
	connect_kafka_producer_flush(errors->letter_producer);
	return connect_kafka_producer_outstanding(errors->letter_producer);
}

char *
connect_errors_java_trace(const ConnectError *err)
{
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfoString(&buf, err->class_name);
	if (err->message != NULL)
		appendStringInfo(&buf, ": %s", err->message);
	if (err->cause_class != NULL)
	{
		appendStringInfo(&buf, "\nCaused by: %s", err->cause_class);
		if (err->cause_message != NULL)
			appendStringInfo(&buf, ": %s", err->cause_message);
	}
	return buf.data;
}

bool
connect_errors_retriable(int sqlerrcode)
{
	if (sqlerrcode == ERRCODE_UNDEFINED_FILE ||
		sqlerrcode == ERRCODE_DUPLICATE_FILE)
		return false;
	switch (ERRCODE_TO_CATEGORY(sqlerrcode))
	{
		case ERRCODE_CONNECTION_EXCEPTION:
		case ERRCODE_TRANSACTION_ROLLBACK:
		case ERRCODE_INSUFFICIENT_RESOURCES:
		case ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE:
		case ERRCODE_OPERATOR_INTERVENTION:
		case ERRCODE_SYSTEM_ERROR:
			return true;
		default:
			return false;
	}
}

char *
connect_errors_reason(const ErrorData *edata)
{
	const char *message = edata->message ? edata->message : "missing error text";

	return pnstrdup(message, strcspn(message, "\n"));
}

char *
connect_errors_trace(const ErrorData *edata)
{
	StringInfoData buf;

	if (edata->detail_log != NULL && is_java_trace(edata->detail_log))
		return pstrdup(edata->detail_log);
	initStringInfo(&buf);
	appendStringInfo(&buf, "ERROR:  %s: %s",
					 unpack_sql_state(edata->sqlerrcode), edata->message);
	if (edata->detail != NULL)
		appendStringInfo(&buf, "\nDETAIL:  %s", edata->detail);
	if (edata->hint != NULL)
		appendStringInfo(&buf, "\nHINT:  %s", edata->hint);
	if (edata->context != NULL && !edata->hide_ctx)
		appendStringInfo(&buf, "\nCONTEXT:  %s", edata->context);
	return buf.data;
}

void
connect_errors_raise_kafka(const char *what, const ConnectKafkaError *err)
{
	int			code = ERRCODE_EXTERNAL_ROUTINE_EXCEPTION;

	if (err->auth)
		code = ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION;
	else if (err->fatal || err->code == CONNECT_KAFKA_PURGED)
		code = ERRCODE_CONNECTION_DOES_NOT_EXIST;	/* begin anew */
	else if (err->retriable || err->abort)
		code = ERRCODE_CONNECTION_FAILURE;
	ereport(ERROR,
			(errcode(code),
			 errmsg("%s: %s", what, err->text),
			 errdetail_log(CONNECT_CONNECT_EXCEPTION ": %s\nCaused by: %s: %s",
									what,
									connect_kafka_error_class(err->code),
									err->text)));
}

void
connect_error_raise(const ConnectError *err)
{
	int			code = ERRCODE_EXTERNAL_ROUTINE_EXCEPTION;

	if (err->retriable)
		code = ERRCODE_CONNECTION_EXCEPTION;
	else if (strcmp(err->class_name, CONNECT_DATA_EXCEPTION) == 0)
		code = ERRCODE_DATA_EXCEPTION;
	ereport(ERROR,
			(errcode(code),
			 errmsg("%s", err->message ? err->message : err->class_name),
			 errdetail_log("%s", connect_errors_java_trace(err))));
}

static void
log_failure(ConnectTaskRun *run, ConnectStage stage, const char *class_name,
			const ConnectRecord *record, const ConnectKafkaMessage *message,
			const ConnectError *err)
{
	StringInfoData what;

	initStringInfo(&what);
	if (run->errors.log_messages && message != NULL)
	{
		static const char *const types[] = {
			"NoTimestampType", "CreateTime", "LogAppendTime"
		};

		appendStringInfo(&what, ", where consumed record is {topic='%s', partition=%d, offset=" INT64_FORMAT,
						 message->topic, message->partition, message->offset);
		if (message->timestamp_type != CONNECT_KAFKA_TIMESTAMP_NONE)
			appendStringInfo(&what, ", timestamp=" INT64_FORMAT ", timestampType=%s",
							 message->timestamp,
							 types[message->timestamp_type]);
		appendStringInfoChar(&what, '}');
	}
	else if (run->errors.log_messages)
	{
		appendStringInfoString(&what, ", where source record is = ");
		append_source_record(&what, run, record);
	}
	ereport(WARNING,
			(errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
			 errmsg("[%s|task-%d] Error encountered in task %s-%d. Executing stage '%s' with class '%s'%s.",
					run->task.connector, run->task.id,
					run->task.connector, run->task.id,
					stage_names[stage], class_name, what.data),
			 errdetail_internal("%s", connect_errors_java_trace(err))));
	pfree(what.data);
}

/*
 * The record as it was consumed, with what happened to it in headers after its
 * own.  Only queued here; connect_errors_letters_pending() hears of the end.
 */
static void
send_letter(ConnectTaskRun *run, ConnectStage stage, const char *class_name,
			const ConnectRecord *record, const ConnectKafkaMessage *message,
			const ConnectError *err)
{
	ConnectKafkaHeader *headers;
	int			n;
	ConnectKafkaError kafka_err;
	ConnectKafkaResult result;

	headers = palloc((MAX_MESSAGE_HEADERS + NLETTER_HEADERS) *
					 sizeof(ConnectKafkaHeader));
	n = Min(connect_kafka_message_headers(message, headers,
										  MAX_MESSAGE_HEADERS),
			MAX_MESSAGE_HEADERS);
	if (run->errors.letter_headers)
	{
		const char *const context[NLETTER_HEADERS][2] = {
			{"__connect.errors.topic", message->topic},
			{"__connect.errors.partition", psprintf("%d", message->partition)},
			{"__connect.errors.offset",
			psprintf(INT64_FORMAT, message->offset)},
			{"__connect.errors.connector.name", run->task.connector},
			{"__connect.errors.task.id", psprintf("%d", run->task.id)},
			{"__connect.errors.stage", stage_names[stage]},
			{"__connect.errors.class.name", class_name},
			{"__connect.errors.exception.class.name", err->class_name},
			{"__connect.errors.exception.message", err->message},
			{"__connect.errors.exception.stacktrace",
			psprintf("%s\n", connect_errors_java_trace(err))}
		};

		for (int i = 0; i < NLETTER_HEADERS; i++)
		{
			headers[n].key = context[i][0];
			headers[n].value = context[i][1];
			headers[n].value_len = context[i][1] ? strlen(context[i][1]) : 0;
			n++;
		}
	}
	result = connect_kafka_produce(run->errors.letter_producer,
								   run->errors.letter_handle, -1,
								   message->key, message->key_len,
								   message->value, message->value_len,
								   headers, n, message->timestamp, 0,
								   &kafka_err);
	if (result == CONNECT_KAFKA_QUEUE_FULL)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_RESOURCES),
				 errmsg("the dead letter queue takes no more records for now")));
	if (result == CONNECT_KAFKA_FAILED)
		connect_errors_raise_kafka("could not send to the dead letter queue",
								   &kafka_err);
	pfree(headers);
}

static void
store_letter(ConnectTaskRun *run, ConnectStage stage,
			 const ConnectRecord *record, const ConnectKafkaMessage *message,
			 const ConnectError *err)
{
	ConnectDeadLetter letter = {
		.task = run->task.id,
		.topic = message->topic,
		.partition = message->partition,
		.offset = message->offset,
		.timestamp = message->timestamp,
		.key = {message->key, message->key_len},
		.value = {message->value, message->value_len},
		.stage = stage_names[stage],
		.class_name = err->class_name,
		.message = err->message,
		.trace = connect_errors_java_trace(err)
	};

	connect_task_begin(&run->task);
	connect_dead_letter_store(run->task.connector_id, &letter);
	connect_task_commit(&run->task);
	connect_my_slot_count(CONNECT_COUNT_DEAD_LETTERS, 1);
}

/* SourceRecord.toString() */
static void
append_source_record(StringInfo out, ConnectTaskRun *run,
					 const ConnectRecord *record)
{
	StringInfoData offset;

	initStringInfo(&offset);
	run->task.cls->format_offset(&run->task, &record->position, &offset);
	appendStringInfoString(out, "SourceRecord{sourcePartition=");
	append_map(out, connect_source_partition_text(run,
												  record->position.partition));
	appendStringInfoString(out, ", sourceOffset=");
	append_map(out, offset.data);
	appendStringInfo(out, "} ConnectRecord{topic='%s', kafkaPartition=",
					 record->topic);
	if (record->partition < 0)
		appendStringInfoString(out, "null");
	else
		appendStringInfo(out, "%d", record->partition);
	appendStringInfoString(out, ", key=");
	connect_value_append_string(out, record->key_schema, &record->key);
	appendStringInfoString(out, ", keySchema=");
	append_schema(out, record->key_schema);
	appendStringInfoString(out, ", value=");
	connect_value_append_string(out, record->value_schema, &record->value);
	appendStringInfoString(out, ", valueSchema=");
	append_schema(out, record->value_schema);
	if (record->timestamp < 0)
		appendStringInfoString(out, ", timestamp=null");
	else
		appendStringInfo(out, ", timestamp=" INT64_FORMAT, record->timestamp);
	appendStringInfoString(out, ", headers=ConnectHeaders(headers=");
	for (int i = 0; i < record->nheaders; i++)
	{
		const ConnectHeader *header = &record->headers[i];

		appendStringInfo(out, "%sConnectHeader(key=%s, value=",
						 i == 0 ? "[" : ", ", header->name);
		connect_value_append_string(out, header->schema, &header->value);
		appendStringInfoString(out, ", schema=");
		append_schema(out, header->schema);
		appendStringInfoString(out, ")");
	}
	appendStringInfoString(out, record->nheaders > 0 ? "])}" : ")}");
}

static void
append_schema(StringInfo out, const ConnectSchema *schema)
{
	if (schema == NULL)
		appendStringInfoString(out, "null");
	else if (schema->name != NULL)
		appendStringInfo(out, "Schema{%s:%s}", schema->name,
						 connect_type_name(schema->type));
	else
		appendStringInfo(out, "Schema{%s}", connect_type_name(schema->type));
}

/* A flat JSON object as Java prints a map: {a=1, b=x}. */
static void
append_map(StringInfo out, const char *json)
{
	Jsonb	   *jb = DatumGetJsonbP(DirectFunctionCall1(jsonb_in,
														CStringGetDatum(json)));
	JsonbIterator *it = JsonbIteratorInit(&jb->root);
	JsonbIteratorToken token;
	JsonbValue	v;
	const char *separator = "";

	appendStringInfoChar(out, '{');
	while ((token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
		{
			appendStringInfo(out, "%s%.*s=", separator, v.val.string.len,
							 v.val.string.val);
			separator = ", ";
		}
		else if (token == WJB_VALUE && v.type == jbvString)
			appendBinaryStringInfo(out, v.val.string.val, v.val.string.len);
		else if (token == WJB_VALUE && v.type == jbvNumeric)
			appendStringInfoString(out, numeric_normalize(v.val.numeric));
		else if (token == WJB_VALUE && v.type == jbvBool)
			appendStringInfoString(out, v.val.boolean ? "true" : "false");
		else if (token == WJB_VALUE)
			appendStringInfoString(out, "null");
	}
	appendStringInfoChar(out, '}');
}

/* Does it start with a Java class name? */
static bool
is_java_trace(const char *text)
{
	size_t		len = strcspn(text, ": \n");

	return memchr(text, '.', len) != NULL && text[len] != ' ';
}
