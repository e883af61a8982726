/*
 * sink.c
 *	  The loop of a sink task: consume, convert, put, store offsets.
 *
 * NOTES
 *	  A batch is what fetch gave, and is held until it is done: an error that
 *	  may pass has it converted and put again from its beginning.  Events of the
 *	  group are taken between two attempts, never inside one.
 *
 *	  Each move of a stored offset names the epoch under which the partition was
 *	  taken (assignment.c) and the offset before.  If no row matches, another
 *	  task has taken the partition: this one joins the group anew.
 *
 *	  Transactional sinks put inside the transaction that moves the offsets.
 *	  A record that such a sink reports as bad rolls the batch back if there are
 *	  dead letters to be written: they are acknowledged first, then the batch is
 *	  put again without the record.  For others the order is put, flush, dead
 *	  letters acknowledged, offsets.
 *
 *	  The group's offsets in Kafka follow ours, for tools that show lag.
 */
#include "postgres.h"

#include "nodes/bitmapset.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "catalog/catalog.h"
#include "runtime/assignment.h"
#include "runtime/clients.h"
#include "runtime/fault.h"
#include "runtime/sink.h"
#include "runtime/xact.h"

#define MAX_RECORDS 4000		/* in a batch, unless max.poll.records says: so
								 * many stay in a near cache */
#define MAX_BYTES (8 * 1024 * 1024) /* in a batch */
#define MAX_HEADERS 256
#define LAG_MS 500				/* lag is counted that often at most */

/* A record that a transactional sink could not process. */
typedef struct Report
{
	int			message;		/* in the batch */
	ConnectRecord record;
	ConnectStage stage;
	const char *class_name;		/* what failed */
	ConnectError error;
} Report;

struct ConnectSink
{
	ConnectKafkaConsumer *consumer;
	bool		transactional;
	bool		raw;			/* values stay undecoded */
	int			max_records;
	long		keep_alive;		/* ms between two calls of fetch, at most */

	ConnectAssignment *assignment;
	bool		paused;			/* the consumer is */

	/* The batch at hand. */
	const ConnectKafkaMessage *messages;
	int			nmessages;
	ConnectRecord *records;		/* room for them: kept, for memory that is
								 * given back and taken again costs more than
								 * what is done with it */
	int			max_held;		/* … for so many */
	MemoryContext held;			/* as long as the batch */
	Bitmapset  *excluded;		/* messages dealt with: dead or tolerated */
	List	   *reports;		/* of Report */

	TimestampTz fetched_at;		/* fetch was called last */
	TimestampTz stored_at;		/* offsets were stored last */
	TimestampTz told_at;		/* … and the group was told */
	TimestampTz lag_at;
	TimestampTz put_at;			/* put is called without records; 0 = never */
};

static int	message_of(const ConnectSink *sink, const ConnectRecord *record);
static void subscribe(ConnectTaskRun *run);
static void fetch(ConnectTaskRun *run, bool read);
static void pause_consumer(ConnectSink *sink, bool pause);
static void release_batch(ConnectSink *sink);
static ConnectRecord *records_of_batch(ConnectTaskRun *run);
static int64 fetched_up_to(const ConnectSink *sink,
						   const ConnectSinkPartition *partition);
static void pass_ends(ConnectSink *sink);
static bool deliver(ConnectTaskRun *run);
static int	convert_batch(ConnectTaskRun *run, ConnectRecord *records);
static bool convert_message(ConnectTaskRun *run, int index,
							ConnectRecord *record);
static bool put_in_transaction(ConnectTaskRun *run, ConnectRecord *records,
							   int n);
static void advance(ConnectTaskRun *run, ConnectSinkPartition *partition, int64 next);
static bool await_letters(ConnectTaskRun *run);
static void tell_group(ConnectTaskRun *run);
static bool count_lag(ConnectTaskRun *run);

void
connect_sink_start(ConnectTaskRun *run)
{
	ConnectSink *sink = palloc0(sizeof(ConnectSink));
	ConnectKafkaProperty extra[] = {
		{"client.id", psprintf("connector-consumer-%s-%d",
							   run->task.connector, run->task.id)},
		{"group.id", psprintf("connect-%s", run->task.connector)},
		/* How long the partitions of a killed process wait for an owner. */
		{"session.timeout.ms", "10000"},
		{NULL, NULL}
	};
	const char *out_of_range = connect_config_get(run->config,
												  "offset.out.of.range");
	const char *reset;
	ConnectKafkaConf *conf;
	ConnectKafkaError err;

	run->sink = sink;
	sink->transactional = (run->task.cls->flags &
						   CONNECT_CONNECTOR_TRANSACTIONAL) != 0;
	sink->raw = (run->task.cls->flags & CONNECT_CONNECTOR_RAW_VALUES) != 0;
	if (sink->raw)
	{
		connect_json_converter_keep_numbers(run->key_converter);
		connect_json_converter_keep_numbers(run->value_converter);
	}
	sink->held = AllocSetContextCreate(CurrentMemoryContext,
									   "Connect held batch",
									   ALLOCSET_SMALL_SIZES);

	conf = connect_clients_conf(run, CONNECT_KAFKA_CONSUMER, extra);
	sink->max_records = connect_kafka_conf_get_int(conf, "max.poll.records",
												   MAX_RECORDS);
	sink->assignment = palloc0(sizeof(ConnectAssignment));
	sink->assignment->group = pstrdup(connect_kafka_conf_get(conf, "group.id"));
	reset = connect_kafka_conf_get(conf, "auto.offset.reset");
	sink->assignment->latest = reset != NULL &&
		(strcmp(reset, "latest") == 0 || strcmp(reset, "largest") == 0 ||
		 strcmp(reset, "end") == 0);
	sink->assignment->out_of_range = out_of_range ? out_of_range : "fail";
	sink->consumer = connect_kafka_consumer_open(conf, &err);
	connect_kafka_conf_close(&conf);
	if (sink->consumer == NULL)
		connect_errors_raise_kafka("could not start the consumer", &err);
	sink->assignment->consumer = sink->consumer;
	sink->keep_alive = connect_kafka_consumer_poll_interval(sink->consumer) / 3;
	subscribe(run);
}

void
connect_sink_close(ConnectTaskRun *run)
{
	if (run->sink == NULL)
		return;
	if (run->sink->nmessages > 0)
		connect_kafka_consumer_release(run->sink->consumer);
	if (!connect_kafka_consumer_close(&run->sink->consumer,
									  run->stop_by == 0 ? 1000 :
									  connect_task_ms_until(run->stop_by)))
		connect_task_leaves_threads();
	run->sink = NULL;
}

long
connect_sink_turn(ConnectTaskRun *run, bool read)
{
	ConnectSink *sink = run->sink;
	TimestampTz now;
	long		timeout = sink->keep_alive;
	bool		idle = true;

	(void) connect_errors_letters_pending(run);
	connect_assignment_listen(run, sink->assignment);
	if (connect_assignment_backs_off(run, sink->assignment))
		return sink->keep_alive;
	if (!connect_assignment_answer(run, sink->assignment))
		return 0;
	if (run->phase == CONNECT_TASK_PAUSED && sink->nmessages > 0)
		connect_sink_drop_batch(run);
	fetch(run, read);
	if (read && sink->nmessages > 0)
	{
		if (!deliver(run))
			return 0;
		idle = false;
	}
	else if (read)
		pass_ends(sink);
	connect_clients_listen(run, connect_kafka_consumer_client(sink->consumer));

	now = GetCurrentTimestamp();
	if (read && idle && sink->put_at != 0)
	{
		if (now >= sink->put_at)
		{
			MemoryContextReset(run->task.batch_context);
			MemoryContextSwitchTo(run->task.batch_context);
			sink->put_at = 0;
			run->task.wait_ms = -1;
			run->task.cls->put(&run->task, NULL, 0);
			if (run->task.wait_ms >= 0)
				sink->put_at = TimestampTzPlusMilliseconds(now,
														   run->task.wait_ms);
		}
		if (sink->put_at != 0)
			timeout = Min(timeout, connect_task_ms_until(sink->put_at));
	}
	for (int i = 0; i < sink->assignment->npartitions; i++)
	{
		ConnectSinkPartition *partition = sink->assignment->partitions[i];

		if (partition->position != partition->stored)
		{
			TimestampTz due = TimestampTzPlusMilliseconds(sink->stored_at,
														  run->flush_interval);

			if (now >= due)
				connect_sink_store_offsets(run);
			else
				timeout = Min(timeout, connect_task_ms_until(due));
			break;
		}
	}
	for (int i = 0; i < sink->assignment->npartitions; i++)
	{
		if (sink->assignment->partitions[i]->told != sink->assignment->partitions[i]->stored)
		{
			TimestampTz due = TimestampTzPlusMilliseconds(sink->told_at,
														  run->flush_interval);

			if (now >= due)
				tell_group(run);
			else
				timeout = Min(timeout, connect_task_ms_until(due));
			break;
		}
	}
	if ((idle || TimestampDifferenceExceeds(sink->lag_at, now, LAG_MS)) &&
		!count_lag(run))
		timeout = Min(timeout, LAG_MS);
	connect_assignment_look(run, sink->assignment);
	if (sink->assignment->look_at != 0)
		timeout = Min(timeout, connect_task_ms_until(sink->assignment->look_at));
	/* What fetch has come across: the fd does not tell of it again. */
	connect_assignment_listen(run, sink->assignment);
	return sink->assignment->rebalance != NULL ? 0 : timeout;
}

void
connect_sink_store_offsets(ConnectTaskRun *run)
{
	ConnectSink *sink = run->sink;
	bool		any = false;

	for (int i = 0; i < sink->assignment->npartitions; i++)
		any |= sink->assignment->partitions[i]->position != sink->assignment->partitions[i]->stored;
	if (!any)
		return;
	sink->stored_at = GetCurrentTimestamp();
	MemoryContextSwitchTo(run->task.batch_context);
	if (run->task.cls->flush != NULL)
		run->task.cls->flush(&run->task);
	if (!await_letters(run))
		return;
	CONNECT_FAULT("sink-flushed");
	connect_task_begin(&run->task);
	for (int i = 0; i < sink->assignment->npartitions; i++)
	{
		ConnectSinkPartition *partition = sink->assignment->partitions[i];

		if (partition->position != partition->stored)
			advance(run, partition, partition->position);
	}
	connect_task_commit(&run->task);
	for (int i = 0; i < sink->assignment->npartitions; i++)
		sink->assignment->partitions[i]->stored = sink->assignment->partitions[i]->position;
	connect_my_slot_count(CONNECT_COUNT_COMMITS, 1);
	connect_my_slot_set(CONNECT_COUNT_LAST_COMMIT, sink->stored_at);
}

void
connect_sink_finish(ConnectTaskRun *run)
{
	ConnectSink *sink = run->sink;

	connect_sink_drop_batch(run);
	connect_sink_store_offsets(run);
	tell_group(run);
	if (run->task.cls->close != NULL && sink->assignment->npartitions > 0)
		run->task.cls->close(&run->task,
							 connect_assignment_list(sink->assignment->partitions,
											  sink->assignment->npartitions),
							 sink->assignment->npartitions);
	sink->assignment->npartitions = 0;
}

int
connect_sink_fd(const ConnectTaskRun *run)
{
	if (run->sink == NULL || run->sink->consumer == NULL)
		return -1;
	return connect_kafka_client_fd(connect_kafka_consumer_client(run->sink->consumer));
}

ConnectKafkaClient *
connect_sink_client(const ConnectTaskRun *run)
{
	return run->sink == NULL || run->sink->consumer == NULL ? NULL :
		connect_kafka_consumer_client(run->sink->consumer);
}

bool
connect_task_decode_value(ConnectTask *task, ConnectRecord *record,
						  ConnectError *err)
{
	ConnectConverter *converter = connect_task_run(task)->value_converter;

	if (record->value_decoded)
		return true;
	record->value_decoded =
		converter->cls->to_connect(converter, record->origin_topic,
								   record->raw_value.data,
								   record->raw_value.len,
								   &record->value_schema, &record->value, err);
	return record->value_decoded;
}

void
connect_task_report(ConnectTask *task, const ConnectRecord *record,
					const ConnectError *err)
{
	ConnectTaskRun *run = connect_task_run(task);
	ConnectSink *sink = run->sink;
	ConnectStage stage = CONNECT_STAGE_TASK_PUT;
	const char *class_name = "org.apache.kafka.connect.sink.SinkTask";
	ConnectRecord copy = *record;
	ConnectError undecodable = {0};
	int			index = message_of(sink, record);
	MemoryContext old;
	Report	   *report;

	/* A value that no converter can read is not the connector's to judge. */
	if (!connect_task_decode_value(task, &copy, &undecodable))
	{
		stage = CONNECT_STAGE_VALUE_CONVERTER;
		class_name = run->value_converter->cls->class_name;
		err = &undecodable;
	}
	if (!sink->transactional || !run->errors.tolerant)
	{
		connect_errors_handle(run, stage, class_name, record,
							  &sink->messages[index], err);
		return;
	}
	old = MemoryContextSwitchTo(sink->held);
	report = palloc(sizeof(Report));
	report->message = index;
	report->record = *record;
	report->stage = stage;
	report->class_name = class_name;
	report->error = *err;
	if (err->message != NULL)
		report->error.message = pstrdup(err->message);
	if (err->cause_message != NULL)
		report->error.cause_message = pstrdup(err->cause_message);
	sink->reports = lappend(sink->reports, report);
	MemoryContextSwitchTo(old);
}

/* Records are mostly reported in their order. */
static int
message_of(const ConnectSink *sink, const ConnectRecord *record)
{
	int			first = sink->reports == NIL ? 0 :
		((Report *) llast(sink->reports))->message + 1;

	for (int i = 0; i < sink->nmessages; i++)
	{
		int			index = (first + i) % sink->nmessages;
		const ConnectKafkaMessage *message = &sink->messages[index];

		if (message->offset == record->offset &&
			message->partition == record->origin_partition &&
			strcmp(message->topic, record->origin_topic) == 0)
			return index;
	}
	elog(ERROR, "reported record is not in the batch");
}

static void
subscribe(ConnectTaskRun *run)
{
	const char *regex = connect_task_option(run, "topics.regex");
	const char *list = connect_task_option(run, "topics");
	ConnectKafkaError err;
	char	  **topics;
	int			n;
	char		pattern[1024];
	char		reason[256];

	if (regex != NULL && regex[0] != '\0')
	{
		if (!connect_kafka_regex_translate(regex, pattern, sizeof(pattern),
										   reason, sizeof(reason)))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_REGULAR_EXPRESSION),
					 errmsg("Invalid value %s for configuration topics.regex: %s",
							regex, reason)));
		topics = palloc(sizeof(char *));
		topics[0] = pattern;
		n = 1;
	}
	else
	{
		topics = connect_config_split(list, &n);
		if (!connect_clients_embedded(run, CONNECT_KAFKA_ADMIN))
			connect_assignment_expect(run->sink->assignment, topics, n);
	}
	if (!connect_kafka_consumer_subscribe(run->sink->consumer,
										  (const char *const *) topics, n,
										  &err))
		connect_errors_raise_kafka("could not subscribe", &err);
}

/*
 * Takes a batch, unless one is held or nothing shall be read.  Then the call
 * is made only as often as the group needs it to know that we live, with all
 * partitions paused.
 */
static void
fetch(ConnectTaskRun *run, bool read)
{
	ConnectSink *sink = run->sink;
	TimestampTz now = GetCurrentTimestamp();
	int64		bytes = 0;

	if (sink->nmessages > 0 || !read)
	{
		const ConnectKafkaMessage *none;

		if (run->phase == CONNECT_TASK_PAUSED)
			pause_consumer(sink, true);
		if (!TimestampDifferenceExceeds(sink->fetched_at, now,
										sink->keep_alive))
			return;
		pause_consumer(sink, true);
		(void) connect_kafka_consumer_fetch(sink->consumer, 1, 1, &none);
		sink->fetched_at = now;
		return;
	}
	pause_consumer(sink, false);
	sink->fetched_at = now;
	sink->nmessages = connect_kafka_consumer_fetch(sink->consumer,
												   sink->max_records, MAX_BYTES,
												   &sink->messages);
	if (sink->nmessages == 0)
		return;
	for (int i = 0; i < sink->nmessages; i++)
		bytes += sink->messages[i].key_len + sink->messages[i].value_len;
	connect_my_slot_count(CONNECT_COUNT_POLLED, sink->nmessages);
	connect_my_slot_count(CONNECT_COUNT_BYTES, bytes);
	connect_task_waits_in_runtime(run, sink->assignment->missing);
}

static void
pause_consumer(ConnectSink *sink, bool pause)
{
	ConnectKafkaError err;

	if (pause == sink->paused)
		return;
	if (!(pause ? connect_kafka_consumer_pause(sink->consumer, NULL, -1, &err) :
		  connect_kafka_consumer_resume(sink->consumer, NULL, -1, &err)))
		connect_errors_raise_kafka("could not pause or resume", &err);
	sink->paused = pause;
}

static void
release_batch(ConnectSink *sink)
{
	if (sink->nmessages > 0)
		connect_kafka_consumer_release(sink->consumer);
	sink->messages = NULL;
	sink->nmessages = 0;
	sink->excluded = NULL;
	sink->reports = NIL;
	MemoryContextReset(sink->held);
}

void
connect_sink_drop_batch(ConnectTaskRun *run)
{
	ConnectSink *sink = run->sink;
	ConnectKafkaError err;

	for (int i = 0; i < sink->assignment->npartitions; i++)
		sink->assignment->partitions[i]->next = -1;
	for (int i = sink->nmessages - 1; i >= 0; i--)
		((ConnectSinkPartition *) sink->messages[i].opaque)->next =
			sink->messages[i].offset;
	for (int i = 0; i < sink->assignment->npartitions; i++)
	{
		ConnectSinkPartition *partition = sink->assignment->partitions[i];

		if (partition->next >= 0 &&
			!connect_kafka_consumer_seek(sink->consumer, partition->topic,
										 partition->partition,
										 partition->next, &err))
			ereport(DEBUG1,
					(errmsg_internal("could not seek: %s", err.text)));
	}
	release_batch(sink);
}

static ConnectRecord *
records_of_batch(ConnectTaskRun *run)
{
	ConnectSink *sink = run->sink;

	if (sink->nmessages > sink->max_held)
	{
		int			room = Max(sink->nmessages, Min(sink->max_records, 1000));

		if (sink->records != NULL)
			pfree(sink->records);
		sink->records = NULL;
		sink->max_held = 0;
		sink->records =
			MemoryContextAllocHuge(run->task.context,
								   room * sizeof(ConnectRecord));
		sink->max_held = room;
	}
	return sink->records;
}

static int64
fetched_up_to(const ConnectSink *sink, const ConnectSinkPartition *partition)
{
	return connect_kafka_consumer_position(sink->consumer, partition->topic,
										   partition->partition);
}

/*
 * Nothing is at hand: what ends a log without being a record is done with.  A
 * log that is empty has no offset, as in Kafka Connect.
 */
static void
pass_ends(ConnectSink *sink)
{
	for (int i = 0; i < sink->assignment->npartitions; i++)
	{
		ConnectSinkPartition *partition = sink->assignment->partitions[i];
		int64		position = fetched_up_to(sink, partition);
		int64_t		low;
		int64_t		high;

		if (position > partition->position &&
			(partition->position >= 0 ||
			 (connect_kafka_consumer_watermarks(sink->consumer,
												partition->topic,
												partition->partition,
												&low, &high) &&
			  position > low)))
			partition->position = position;
	}
}

/* False if the task must leave what it is doing. */
static bool
deliver(ConnectTaskRun *run)
{
	ConnectSink *sink = run->sink;
	ConnectRecord *records = records_of_batch(run);
	int			n;

	CONNECT_FAULT("sink-fetched");
	for (int i = 0; i < sink->assignment->npartitions; i++)
		sink->assignment->partitions[i]->next = -1;
	for (int i = 0; i < sink->nmessages; i++)
		((ConnectSinkPartition *) sink->messages[i].opaque)->next =
			sink->messages[i].offset + 1;
	for (int i = 0; i < sink->assignment->npartitions; i++)
	{
		ConnectSinkPartition *partition = sink->assignment->partitions[i];

		if (partition->next >= 0)
			partition->next = Max(partition->next, fetched_up_to(sink, partition));
	}
	do
	{
		MemoryContextReset(run->task.batch_context);
		MemoryContextSwitchTo(run->task.batch_context);
		n = convert_batch(run, records);
		if (!await_letters(run))
			return false;
		run->task.wait_ms = -1;
		if (!sink->transactional)
		{
			run->task.cls->put(&run->task, records, n);
			CONNECT_FAULT("sink-put");
			break;
		}
	} while (!put_in_transaction(run, records, n));

	for (int i = 0; i < sink->assignment->npartitions; i++)
	{
		ConnectSinkPartition *partition = sink->assignment->partitions[i];

		if (partition->next < 0)
			continue;
		partition->position = partition->next;
		if (sink->transactional)
			partition->stored = partition->next;
	}
	sink->put_at = run->task.wait_ms < 0 ? 0 :
		TimestampTzPlusMilliseconds(GetCurrentTimestamp(), run->task.wait_ms);
	connect_my_slot_count(CONNECT_COUNT_SENT, n);
	connect_my_slot_count(CONNECT_COUNT_BATCHES, 1);
	release_batch(sink);
	connect_task_succeeded(run);
	return true;
}

/* Number of records to be put. */
static int
convert_batch(ConnectTaskRun *run, ConnectRecord *records)
{
	ConnectSink *sink = run->sink;
	int			n = 0;

	for (int i = 0; i < sink->nmessages; i++)
	{
		MemoryContext old;

		if (bms_is_member(i, sink->excluded))
			continue;
		if (convert_message(run, i, &records[n]))
		{
			n++;
			continue;
		}
		old = MemoryContextSwitchTo(sink->held);
		sink->excluded = bms_add_member(sink->excluded, i);
		MemoryContextSwitchTo(old);
	}
	return n;
}

/* False if the message has failed and that is tolerated. */
static bool
convert_message(ConnectTaskRun *run, int index, ConnectRecord *record)
{
	ConnectSink *sink = run->sink;
	const ConnectKafkaMessage *message = &sink->messages[index];
	ConnectKafkaHeader headers[MAX_HEADERS];
	ConnectConverter *converter = run->key_converter;
	ConnectStage stage = CONNECT_STAGE_KEY_CONVERTER;
	ConnectError err;

	memset(record, 0, sizeof(*record));
	record->topic = message->topic;
	record->partition = message->partition;
	record->timestamp = message->timestamp;
	record->origin_topic = message->topic;
	record->origin_partition = message->partition;
	record->offset = message->offset;
	record->timestamp_type = message->timestamp_type;
	record->raw_key.data = message->key;
	record->raw_key.len = message->key_len;
	record->raw_value.data = message->value;
	record->raw_value.len = message->value_len;

	if (!converter->cls->to_connect(converter, message->topic, message->key,
									message->key_len, &record->key_schema,
									&record->key, &err))
		goto failed;

	converter = run->value_converter;
	stage = CONNECT_STAGE_VALUE_CONVERTER;
	if (!sink->raw)
	{
		if (!converter->cls->to_connect(converter, message->topic,
										message->value, message->value_len,
										&record->value_schema, &record->value,
										&err))
			goto failed;
		record->value_decoded = true;
	}

	converter = run->header_converter;
	stage = CONNECT_STAGE_HEADER_CONVERTER;
	record->nheaders = Min(connect_kafka_message_headers(message, headers,
														 MAX_HEADERS),
						   MAX_HEADERS);
	if (record->nheaders > 0)
		record->headers = palloc(record->nheaders * sizeof(ConnectHeader));
	for (int i = 0; i < record->nheaders; i++)
	{
		record->headers[i].name = headers[i].key;
		if (!converter->cls->to_connect(converter, headers[i].key,
										headers[i].value,
										headers[i].value_len,
										&record->headers[i].schema,
										&record->headers[i].value, &err))
			goto failed;
	}
	return true;

failed:
	connect_errors_handle(run, stage, converter->cls->class_name, record,
						  message, &err);
	return false;
}

/*
 * Rows and position in one transaction.  False: records were reported and
 * have to be left out, nothing was committed.
 */
static bool
put_in_transaction(ConnectTaskRun *run, ConnectRecord *records, int n)
{
	ConnectSink *sink = run->sink;
	bool		letters = run->errors.letter_topic != NULL ||
		run->errors.letter_table;
	List	   *reports;
	ListCell   *lc;

	sink->reports = NIL;
	connect_task_begin(&run->task);
	for (int i = 0; i < sink->assignment->npartitions; i++)
	{
		if (sink->assignment->partitions[i]->next >= 0)
			advance(run, sink->assignment->partitions[i], sink->assignment->partitions[i]->next);
	}
	MemoryContextSwitchTo(run->task.batch_context);
	CONNECT_FAULT("sink-begun");
	if (n > 0)
		run->task.cls->put(&run->task, records, n);
	CONNECT_FAULT("sink-put");
	if (sink->reports != NIL && letters)
		connect_xact_abort();
	else
	{
		connect_task_commit(&run->task);
		CONNECT_FAULT("sink-committed");
		connect_my_slot_count(CONNECT_COUNT_COMMITS, 1);
		connect_my_slot_set(CONNECT_COUNT_LAST_COMMIT, GetCurrentTimestamp());
	}

	MemoryContextSwitchTo(run->task.batch_context);
	reports = sink->reports;
	sink->reports = NIL;
	foreach(lc, reports)
	{
		Report	   *report = lfirst(lc);
		MemoryContext old = MemoryContextSwitchTo(sink->held);

		sink->excluded = bms_add_member(sink->excluded, report->message);
		MemoryContextSwitchTo(old);
		connect_errors_handle(run, report->stage, report->class_name,
							  &report->record,
							  &sink->messages[report->message],
							  &report->error);
	}
	return reports == NIL || !letters;
}

/* Moves a stored offset in the open transaction; raises if it is not ours. */
static void
advance(ConnectTaskRun *run, ConnectSinkPartition *partition, int64 next)
{
	if (!connect_sink_offset_advance(run->task.connector_id, partition->topic,
									 partition->partition, partition->epoch,
									 partition->stored, next))
		ereport(ERROR,
				(errcode(ERRCODE_CONNECTION_DOES_NOT_EXIST),
				 errmsg("partition %d of topic \"%s\" has been taken by another task",
						partition->partition, partition->topic),
				 errdetail("Nothing of this batch was written.")));
}

/* Waits until the dead letters are in Kafka; false if the task must leave. */
static bool
await_letters(ConnectTaskRun *run)
{
	while (connect_errors_letters_pending(run) > 0)
	{
		if (connect_task_interrupted(run))
			return false;
		connect_task_wait(run);
	}
	return true;
}

static void
tell_group(ConnectTaskRun *run)
{
	ConnectSink *sink = run->sink;
	ConnectKafkaOffset *offsets;
	int			n = 0;
	ConnectKafkaError err;

	MemoryContextSwitchTo(run->task.batch_context);
	offsets = palloc0(Max(sink->assignment->npartitions, 1) * sizeof(ConnectKafkaOffset));
	for (int i = 0; i < sink->assignment->npartitions; i++)
	{
		ConnectSinkPartition *partition = sink->assignment->partitions[i];

		if (partition->told == partition->stored)
			continue;
		offsets[n].topic = partition->topic;
		offsets[n].partition = partition->partition;
		offsets[n].offset = partition->stored;
		partition->told = partition->stored;
		n++;
	}
	sink->told_at = GetCurrentTimestamp();
	if (n > 0 && connect_kafka_consumer_commit(sink->consumer, offsets, n,
											   &err) == 0)
		ereport(DEBUG1,
				(errmsg_internal("could not tell the group its offsets: %s",
								 err.text)));
	pfree(offsets);
}

/* False if it is not known yet, or not 0: it changes without a message. */
static bool
count_lag(ConnectTaskRun *run)
{
	ConnectSink *sink = run->sink;
	int64		lag = sink->assignment->npartitions > 0 ? 0 : -1;

	for (int i = 0; i < sink->assignment->npartitions; i++)
	{
		ConnectSinkPartition *partition = sink->assignment->partitions[i];
		int64_t		low;
		int64_t		high;

		if (!connect_kafka_consumer_watermarks(sink->consumer,
											   partition->topic,
											   partition->partition,
											   &low, &high))
			return false;
		lag += Max(0, high - Max(partition->position, low));
	}
	sink->lag_at = GetCurrentTimestamp();
	connect_my_slot_set(CONNECT_COUNT_LAG, lag);
	return lag <= 0;
}
