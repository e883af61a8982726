/*
 * sink.c
 *	  The loop of a sink task: consume, convert, put, store offsets.
 *
 * NOTES
 *	  A batch is what fetch gave, and is held until it is done: an error that
 *	  may pass has it converted and put again from its beginning.  Events of the
 *	  group are taken between two attempts, never inside one.
 *
 *	  Where a partition starts is decided here alone, when it is assigned: at
 *	  the offset in connect.sink_offset_def, else at the log's start.  Taking it
 *	  commits a new epoch in its row; each later move of the offset names that
 *	  epoch and the offset before.  If no row matches, another task has taken
 *	  the partition: this one joins the group anew.
 *
 *	  Transactional sinks put inside the transaction that moves the offsets.
 *	  A record that such a sink reports as bad rolls the batch back if there are
 *	  dead letters to be written: they are acknowledged first, then the batch is
 *	  put again without the record.  For others the order is put, flush, dead
 *	  letters acknowledged, offsets.
 *
 *	  The group's offsets in Kafka follow ours, for tools that show lag; they
 *	  are read once, by a connector that has no offset of its own yet.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "nodes/bitmapset.h"
#include "storage/lock.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "catalog/catalog.h"
#include "runtime/clients.h"
#include "runtime/fault.h"
#include "runtime/sink.h"
#include "runtime/topics.h"
#include "runtime/xact.h"

#define MAX_RECORDS 10000		/* in a batch, unless max.poll.records says */
#define MAX_BYTES (8 * 1024 * 1024) /* in a batch */
#define MAX_HEADERS 256
#define ADMIN_MS 30000
#define QUERY_MS 5000
#define LAG_MS 500				/* lag is counted that often at most */
#define LOCK_IMPORT 3			/* advisory locks of users have 1 and 2 */

/* One of our partitions. */
typedef struct SinkPartition
{
	char	   *topic;
	int32		partition;
	int64		epoch;
	int64		stored;			/* in the table; -1 = none */
	int64		position;		/* next to be put; -1 = not known yet */
	int64		told;			/* to the group; -1 = nothing */
	int64		next;			/* behind the batch at hand; -1 = not in it */
} SinkPartition;

/* A record that a transactional sink could not process. */
typedef struct Report
{
	int			message;		/* in the batch */
	ConnectRecord record;
	ConnectError error;
} Report;

/* A rebalance that is not answered yet. */
typedef struct Rebalance
{
	ConnectKafkaEventKind kind;
	bool		lost;
	ConnectKafkaOffset *parts;
	int			nparts;
} Rebalance;

struct ConnectSink
{
	ConnectKafkaConsumer *consumer;
	char	   *group;
	bool		transactional;
	bool		raw;			/* values stay undecoded */
	bool		latest;			/* auto.offset.reset */
	const char *out_of_range;	/* fail, earliest or latest */
	int			max_records;
	long		keep_alive;		/* ms between two calls of fetch, at most */

	SinkPartition **partitions; /* by topic and partition */
	int			npartitions;
	int			maxpartitions;
	Rebalance  *rebalance;		/* to be answered; NULL = none */
	bool		paused;			/* the consumer is */

	/* The batch at hand. */
	const ConnectKafkaMessage *messages;
	int			nmessages;
	MemoryContext held;			/* as long as the batch */
	Bitmapset  *excluded;		/* messages dealt with: dead or tolerated */
	List	   *reports;		/* of Report */

	TimestampTz fetched_at;		/* fetch was called last */
	TimestampTz stored_at;		/* offsets were stored last */
	TimestampTz told_at;		/* … and the group was told */
	TimestampTz lag_at;
	TimestampTz put_at;			/* put is called without records; 0 = never */
};

static void subscribe(ConnectTaskRun *run);
static void take_events(ConnectTaskRun *run);
static void keep_rebalance(ConnectTaskRun *run,
						   const ConnectKafkaEvent *event);
static bool answer_rebalance(ConnectTaskRun *run);
static bool assigned(ConnectTaskRun *run, const Rebalance *rebalance);
static void revoked(ConnectTaskRun *run, const Rebalance *rebalance);
static bool import_offsets(ConnectTaskRun *run);
static void out_of_range(ConnectTaskRun *run, const ConnectKafkaEvent *event);
static void fetch(ConnectTaskRun *run, bool read);
static void pause_consumer(ConnectSink *sink, bool pause);
static void release_batch(ConnectSink *sink);
static void drop_batch(ConnectTaskRun *run);
static bool deliver(ConnectTaskRun *run);
static int	convert_batch(ConnectTaskRun *run, ConnectRecord *records);
static bool convert_message(ConnectTaskRun *run, int index,
							ConnectRecord *record);
static bool put_in_transaction(ConnectTaskRun *run, ConnectRecord *records,
							   int n);
static void advance(ConnectTaskRun *run, SinkPartition *partition, int64 next);
static bool await_letters(ConnectTaskRun *run);
static void tell_group(ConnectTaskRun *run);
static void count_lag(ConnectTaskRun *run);
static int	compare_offsets(const void *a, const void *b);
static SinkPartition *find_partition(ConnectSink *sink, const char *topic,
									 int32 partition);
static void add_partition(ConnectTaskRun *run, SinkPartition *partition);
static ConnectTopicPartition *topic_partitions(SinkPartition **partitions,
											   int n);

void
connect_sink_start(ConnectTaskRun *run)
{
	ConnectSink *sink = palloc0(sizeof(ConnectSink));
	ConnectKafkaProperty extra[] = {
		{"client.id", psprintf("connector-consumer-%s-%d",
							   run->task.connector, run->task.id)},
		{"group.id", psprintf("connect-%s", run->task.connector)},
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
	sink->out_of_range = out_of_range ? out_of_range : "fail";
	sink->held = AllocSetContextCreate(CurrentMemoryContext,
									   "Connect held batch",
									   ALLOCSET_SMALL_SIZES);

	conf = connect_clients_conf(run, CONNECT_KAFKA_CONSUMER, extra);
	sink->max_records = connect_kafka_conf_get_int(conf, "max.poll.records",
												   MAX_RECORDS);
	reset = connect_kafka_conf_get(conf, "auto.offset.reset");
	sink->latest = reset != NULL && (strcmp(reset, "latest") == 0 ||
									 strcmp(reset, "largest") == 0 ||
									 strcmp(reset, "end") == 0);
	sink->group = pstrdup(connect_kafka_conf_get(conf, "group.id"));
	sink->consumer = connect_kafka_consumer_open(conf, &err);
	connect_kafka_conf_close(&conf);
	if (sink->consumer == NULL)
		connect_errors_raise_kafka("could not start the consumer", &err);
	sink->keep_alive = connect_kafka_consumer_poll_interval(sink->consumer) / 3;
	subscribe(run);
}

void
connect_sink_close(ConnectTaskRun *run)
{
	if (run->sink == NULL)
		return;
	if (run->sink->messages != NULL)
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
	take_events(run);
	if (!answer_rebalance(run))
		return 0;
	if (run->phase == CONNECT_TASK_PAUSED && sink->nmessages > 0)
		drop_batch(run);
	fetch(run, read);
	if (read && sink->nmessages > 0)
	{
		if (!deliver(run))
			return 0;
		idle = false;
	}
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
	for (int i = 0; i < sink->npartitions; i++)
	{
		SinkPartition *partition = sink->partitions[i];

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
	for (int i = 0; i < sink->npartitions; i++)
	{
		if (sink->partitions[i]->told != sink->partitions[i]->stored)
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
	if (idle || TimestampDifferenceExceeds(sink->lag_at, now, LAG_MS))
		count_lag(run);
	/* What fetch has come across: the fd does not tell of it again. */
	take_events(run);
	return sink->rebalance != NULL ? 0 : timeout;
}

void
connect_sink_store_offsets(ConnectTaskRun *run)
{
	ConnectSink *sink = run->sink;
	bool		any = false;

	for (int i = 0; i < sink->npartitions; i++)
		any |= sink->partitions[i]->position != sink->partitions[i]->stored;
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
	for (int i = 0; i < sink->npartitions; i++)
	{
		SinkPartition *partition = sink->partitions[i];

		if (partition->position != partition->stored)
			advance(run, partition, partition->position);
	}
	connect_task_commit(&run->task);
	for (int i = 0; i < sink->npartitions; i++)
		sink->partitions[i]->stored = sink->partitions[i]->position;
	connect_my_slot_count(CONNECT_COUNT_COMMITS, 1);
	connect_my_slot_set(CONNECT_COUNT_LAST_COMMIT, sink->stored_at);
}

void
connect_sink_finish(ConnectTaskRun *run)
{
	ConnectSink *sink = run->sink;

	drop_batch(run);
	connect_sink_store_offsets(run);
	tell_group(run);
	if (run->task.cls->close != NULL && sink->npartitions > 0)
		run->task.cls->close(&run->task,
							 topic_partitions(sink->partitions,
											  sink->npartitions),
							 sink->npartitions);
	sink->npartitions = 0;
}

int
connect_sink_fd(const ConnectTaskRun *run)
{
	if (run->sink == NULL || run->sink->consumer == NULL)
		return -1;
	return connect_kafka_client_fd(connect_kafka_consumer_client(run->sink->consumer));
}

const ConnectKafkaClient *
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
	int			index;
	MemoryContext old;
	Report	   *report;

	for (index = 0; index < sink->nmessages; index++)
	{
		const ConnectKafkaMessage *message = &sink->messages[index];

		if (message->offset == record->offset &&
			message->partition == record->origin_partition &&
			strcmp(message->topic, record->origin_topic) == 0)
			break;
	}
	if (index == sink->nmessages)
		elog(ERROR, "reported record is not in the batch");
	if (!sink->transactional || !run->errors.tolerant)
	{
		connect_errors_handle(run, CONNECT_STAGE_TASK_PUT,
							  task->cls->class_name, record,
							  &sink->messages[index], err);
		return;
	}
	old = MemoryContextSwitchTo(sink->held);
	report = palloc(sizeof(Report));
	report->message = index;
	report->record = *record;
	report->error = *err;
	if (err->message != NULL)
		report->error.message = pstrdup(err->message);
	if (err->cause_message != NULL)
		report->error.cause_message = pstrdup(err->cause_message);
	sink->reports = lappend(sink->reports, report);
	MemoryContextSwitchTo(old);
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
		topics = connect_config_split(list, &n);
	if (!connect_kafka_consumer_subscribe(run->sink->consumer,
										  (const char *const *) topics, n,
										  &err))
		connect_errors_raise_kafka("could not subscribe", &err);
}

static void
take_events(ConnectTaskRun *run)
{
	ConnectSink *sink = run->sink;
	ConnectKafkaEvent event;

	while (sink->rebalance == NULL &&
		   connect_kafka_consumer_event(sink->consumer, &event))
	{
		switch (event.kind)
		{
			case CONNECT_KAFKA_EVENT_ASSIGN:
			case CONNECT_KAFKA_EVENT_REVOKE:
				keep_rebalance(run, &event);
				break;
			case CONNECT_KAFKA_EVENT_OUT_OF_RANGE:
				out_of_range(run, &event);
				break;
			case CONNECT_KAFKA_EVENT_PARTITION_ERROR:
				if (event.error.auth)
					connect_errors_raise_kafka("Kafka refuses to let the task read",
											   &event.error);
				connect_task_waits_in_runtime(run, psprintf("Kafka: %s",
															event.error.text));
				break;
			case CONNECT_KAFKA_EVENT_COMMITTED:
				if (event.error.code != CONNECT_KAFKA_NO_ERROR)
					ereport(DEBUG1,
							(errmsg_internal("could not tell the group its offsets: %s",
											 event.error.text)));
				break;
			case CONNECT_KAFKA_EVENT_OFFSETS:
			case CONNECT_KAFKA_EVENT_EOF:
			case CONNECT_KAFKA_EVENT_LEFT:
				break;
		}
	}
}

/* Copies the event, sorted in the order of locking. */
static void
keep_rebalance(ConnectTaskRun *run, const ConnectKafkaEvent *event)
{
	MemoryContext old = MemoryContextSwitchTo(run->task.context);
	Rebalance  *rebalance = palloc0(sizeof(Rebalance));

	rebalance->kind = event->kind;
	rebalance->lost = event->lost;
	rebalance->nparts = event->noffsets;
	rebalance->parts = palloc0(Max(event->noffsets, 1) *
							   sizeof(ConnectKafkaOffset));
	for (int i = 0; i < event->noffsets; i++)
	{
		rebalance->parts[i].topic = pstrdup(event->offsets[i].topic);
		rebalance->parts[i].partition = event->offsets[i].partition;
	}
	qsort(rebalance->parts, rebalance->nparts, sizeof(ConnectKafkaOffset),
		  compare_offsets);
	run->sink->rebalance = rebalance;
	MemoryContextSwitchTo(old);
}

/* False if the task must leave what it is doing. */
static bool
answer_rebalance(ConnectTaskRun *run)
{
	ConnectSink *sink = run->sink;
	Rebalance  *rebalance = sink->rebalance;
	ConnectKafkaError err;

	if (rebalance == NULL)
		return true;
	if (rebalance->kind == CONNECT_KAFKA_EVENT_ASSIGN)
	{
		if (!assigned(run, rebalance))
			return false;
	}
	else
	{
		revoked(run, rebalance);
		if (!connect_kafka_consumer_revoke(sink->consumer, &err))
			connect_errors_raise_kafka("could not give up partitions", &err);
	}
	sink->rebalance = NULL;
	for (int i = 0; i < rebalance->nparts; i++)
		pfree(unconstify(char *, rebalance->parts[i].topic));
	pfree(rebalance->parts);
	pfree(rebalance);
	return true;
}

static bool
assigned(ConnectTaskRun *run, const Rebalance *rebalance)
{
	ConnectSink *sink = run->sink;
	SinkPartition **taken;
	MemoryContext old;
	ConnectKafkaError err;
	bool		imported;

	MemoryContextReset(run->task.batch_context);
	MemoryContextSwitchTo(run->task.batch_context);

	connect_task_begin(&run->task);
	imported = connect_sink_offset_any(run->task.connector_id);
	connect_task_commit(&run->task);
	if (!imported && !import_offsets(run))
		return false;

	old = MemoryContextSwitchTo(run->task.context);
	taken = palloc(Max(rebalance->nparts, 1) * sizeof(SinkPartition *));
	for (int i = 0; i < rebalance->nparts; i++)
	{
		taken[i] = palloc0(sizeof(SinkPartition));
		taken[i]->topic = pstrdup(rebalance->parts[i].topic);
		taken[i]->partition = rebalance->parts[i].partition;
	}
	MemoryContextSwitchTo(old);

	connect_task_begin(&run->task);
	for (int i = 0; i < rebalance->nparts; i++)
		connect_sink_offset_take(run->task.connector_id, taken[i]->topic,
								 taken[i]->partition, &taken[i]->epoch,
								 &taken[i]->stored);
	connect_task_commit(&run->task);
	CONNECT_FAULT("sink-taken");

	for (int i = 0; i < rebalance->nparts; i++)
	{
		SinkPartition *partition = taken[i];
		ConnectKafkaOffset *offset = &rebalance->parts[i];

		partition->position = partition->stored;
		partition->told = partition->stored;
		partition->next = -1;
		offset->opaque = partition;
		offset->offset = partition->stored >= 0 ? partition->stored :
			CONNECT_KAFKA_OFFSET_BEGINNING;
		if (partition->stored < 0 && sink->latest)
		{
			int64_t		low;
			int64_t		high;

			/* A number, to be stored: the end moves. */
			if (connect_kafka_consumer_query_watermarks(sink->consumer,
														partition->topic,
														partition->partition,
														QUERY_MS, &low, &high,
														&err) != CONNECT_KAFKA_OK)
				connect_errors_raise_kafka("could not find the end of a partition",
										   &err);
			offset->offset = high;
			partition->position = high;
		}
	}
	if (!connect_kafka_consumer_accept(sink->consumer, rebalance->parts,
									   rebalance->nparts, &err))
		connect_errors_raise_kafka("could not take partitions", &err);
	for (int i = 0; i < rebalance->nparts; i++)
		add_partition(run, taken[i]);
	connect_task_waits_in_runtime(run, NULL);
	if (run->task.cls->open != NULL && rebalance->nparts > 0)
		run->task.cls->open(&run->task,
							topic_partitions(taken, rebalance->nparts),
							rebalance->nparts);
	pfree(taken);
	return true;
}

/*
 * Partitions go: what was put is made durable and stored first, unless others
 * may own them already.
 */
static void
revoked(ConnectTaskRun *run, const Rebalance *rebalance)
{
	ConnectSink *sink = run->sink;
	SinkPartition **gone;
	int			ngone = 0;

	MemoryContextReset(run->task.batch_context);
	MemoryContextSwitchTo(run->task.batch_context);
	drop_batch(run);
	if (!rebalance->lost)
		connect_sink_store_offsets(run);

	gone = palloc(Max(rebalance->nparts, 1) * sizeof(SinkPartition *));
	for (int i = 0; i < rebalance->nparts; i++)
	{
		SinkPartition *partition = find_partition(sink,
												  rebalance->parts[i].topic,
												  rebalance->parts[i].partition);

		if (partition != NULL)
			gone[ngone++] = partition;
	}
	if (run->task.cls->close != NULL && ngone > 0)
		run->task.cls->close(&run->task, topic_partitions(gone, ngone), ngone);
	for (int i = 0; i < ngone; i++)
	{
		int			at = 0;

		while (sink->partitions[at] != gone[i])
			at++;
		sink->npartitions--;
		memmove(&sink->partitions[at], &sink->partitions[at + 1],
				(sink->npartitions - at) * sizeof(SinkPartition *));
		pfree(gone[i]->topic);
		pfree(gone[i]);
	}
}

/*
 * A connector without any offset begins where its group in Kafka is: it may
 * have run elsewhere before.  Tasks of one connector do this one after the
 * other, and all partitions are imported, whoever will own them.
 */
static bool
import_offsets(ConnectTaskRun *run)
{
	ConnectKafkaAdminResult result;
	ConnectKafkaError err;
	LOCKTAG		tag;
	uint64		request;

	if (connect_clients_embedded(run, CONNECT_KAFKA_CONSUMER))
		return true;			/* nobody can have used it before */
	request = connect_kafka_admin_list_group_offsets(connect_topics_admin(run),
													 run->sink->group, NULL, 0,
													 ADMIN_MS, &err);
	if (request == 0)
		connect_errors_raise_kafka("could not read the group's offsets", &err);
	if (!connect_topics_await(run, request, &result))
		return false;
	err = result.error;
	if (err.code == CONNECT_KAFKA_NO_ERROR && result.nitems == 1 &&
		result.items[0].partition < 0)
		err = result.items[0].error;
	if (err.code != CONNECT_KAFKA_NO_ERROR &&
		err.code != CONNECT_KAFKA_GROUP_NOT_FOUND)
		connect_errors_raise_kafka("could not read the group's offsets", &err);

	connect_task_begin(&run->task);
	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId,
						 (uint32) (run->task.connector_id >> 32),
						 (uint32) run->task.connector_id, LOCK_IMPORT);
	(void) LockAcquire(&tag, ExclusiveLock, false, false);
	if (!connect_sink_offset_any(run->task.connector_id))
	{
		for (int i = 0; i < result.nitems; i++)
		{
			const ConnectKafkaAdminItem *item = &result.items[i];
			int64		epoch;
			int64		offset;

			if (item->partition < 0 || item->offset < 0)
				continue;
			connect_sink_offset_take(run->task.connector_id, item->name,
									 item->partition, &epoch, &offset);
			if (!connect_sink_offset_advance(run->task.connector_id,
											 item->name, item->partition,
											 epoch, -1, item->offset))
				elog(ERROR, "could not store an imported offset");
		}
	}
	connect_task_commit(&run->task);
	connect_topics_idle(run);
	return true;
}

/* The log no longer, or not yet, holds where we are. */
static void
out_of_range(ConnectTaskRun *run, const ConnectKafkaEvent *event)
{
	ConnectSink *sink = run->sink;
	const ConnectKafkaOffset *at = &event->offsets[0];
	SinkPartition *partition = find_partition(sink, at->topic, at->partition);
	int64		offset = CONNECT_KAFKA_OFFSET_BEGINNING;
	ConnectKafkaError err;

	if (partition == NULL)
		return;
	if (strcmp(sink->out_of_range, "latest") == 0)
		offset = CONNECT_KAFKA_OFFSET_END;
	else if (strcmp(sink->out_of_range, "earliest") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("offset " INT64_FORMAT " of partition %d of topic \"%s\" is out of range",
						partition->position, at->partition, at->topic),
				 errdetail("The log of the partition holds offsets " INT64_FORMAT " to " INT64_FORMAT ".",
						   event->low, event->high),
				 errhint("Records may be lost.  Reset the connector's offsets, or set \"offset.out.of.range\" to \"earliest\" or \"latest\".")));
	ereport(WARNING,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("offset " INT64_FORMAT " of partition %d of topic \"%s\" is out of range, going on at the %s",
					partition->position, at->partition, at->topic,
					sink->out_of_range),
			 errdetail("The log of the partition holds offsets " INT64_FORMAT " to " INT64_FORMAT ".",
					   event->low, event->high)));
	if (!connect_kafka_consumer_seek(sink->consumer, at->topic, at->partition,
									 offset, &err))
		connect_errors_raise_kafka("could not seek", &err);
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
	connect_task_waits_in_runtime(run, NULL);
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

/* Gives the batch back: what was not put is to be read again. */
static void
drop_batch(ConnectTaskRun *run)
{
	ConnectSink *sink = run->sink;
	ConnectKafkaError err;

	for (int i = 0; i < sink->npartitions; i++)
		sink->partitions[i]->next = -1;
	for (int i = sink->nmessages - 1; i >= 0; i--)
		((SinkPartition *) sink->messages[i].opaque)->next =
			sink->messages[i].offset;
	for (int i = 0; i < sink->npartitions; i++)
	{
		SinkPartition *partition = sink->partitions[i];

		if (partition->next >= 0 &&
			!connect_kafka_consumer_seek(sink->consumer, partition->topic,
										 partition->partition,
										 partition->next, &err))
			ereport(DEBUG1,
					(errmsg_internal("could not seek: %s", err.text)));
	}
	release_batch(sink);
}

/* False if the task must leave what it is doing. */
static bool
deliver(ConnectTaskRun *run)
{
	ConnectSink *sink = run->sink;
	ConnectRecord *records;
	int			n;

	for (int i = 0; i < sink->npartitions; i++)
		sink->partitions[i]->next = -1;
	for (int i = 0; i < sink->nmessages; i++)
		((SinkPartition *) sink->messages[i].opaque)->next =
			sink->messages[i].offset + 1;
	do
	{
		MemoryContextReset(run->task.batch_context);
		MemoryContextSwitchTo(run->task.batch_context);
		records = palloc_extended(sink->nmessages * sizeof(ConnectRecord),
								  MCXT_ALLOC_HUGE);
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

	for (int i = 0; i < sink->npartitions; i++)
	{
		SinkPartition *partition = sink->partitions[i];

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
	for (int i = 0; i < sink->npartitions; i++)
	{
		if (sink->partitions[i]->next >= 0)
			advance(run, sink->partitions[i], sink->partitions[i]->next);
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
		connect_errors_handle(run, CONNECT_STAGE_TASK_PUT,
							  run->task.cls->class_name, &report->record,
							  &sink->messages[report->message],
							  &report->error);
	}
	return reports == NIL || !letters;
}

/* Moves a stored offset in the open transaction; raises if it is not ours. */
static void
advance(ConnectTaskRun *run, SinkPartition *partition, int64 next)
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
	offsets = palloc0(Max(sink->npartitions, 1) * sizeof(ConnectKafkaOffset));
	for (int i = 0; i < sink->npartitions; i++)
	{
		SinkPartition *partition = sink->partitions[i];

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

static void
count_lag(ConnectTaskRun *run)
{
	ConnectSink *sink = run->sink;
	int64		lag = sink->npartitions > 0 ? 0 : -1;

	for (int i = 0; i < sink->npartitions; i++)
	{
		SinkPartition *partition = sink->partitions[i];
		int64_t		low;
		int64_t		high;

		if (!connect_kafka_consumer_watermarks(sink->consumer,
											   partition->topic,
											   partition->partition,
											   &low, &high))
			return;
		lag += Max(0, high - Max(partition->position, low));
	}
	sink->lag_at = GetCurrentTimestamp();
	connect_my_slot_set(CONNECT_COUNT_LAG, lag);
}

static int
compare_offsets(const void *a, const void *b)
{
	const ConnectKafkaOffset *x = a;
	const ConnectKafkaOffset *y = b;
	int			order = strcmp(x->topic, y->topic);

	if (order != 0)
		return order;
	return x->partition < y->partition ? -1 : x->partition > y->partition;
}

static SinkPartition *
find_partition(ConnectSink *sink, const char *topic, int32 partition)
{
	for (int i = 0; i < sink->npartitions; i++)
	{
		if (sink->partitions[i]->partition == partition &&
			strcmp(sink->partitions[i]->topic, topic) == 0)
			return sink->partitions[i];
	}
	return NULL;
}

static void
add_partition(ConnectTaskRun *run, SinkPartition *partition)
{
	ConnectSink *sink = run->sink;
	int			at = 0;

	if (sink->npartitions == sink->maxpartitions)
	{
		sink->maxpartitions = Max(16, sink->maxpartitions * 2);
		sink->partitions = sink->partitions == NULL ?
			MemoryContextAlloc(run->task.context, sink->maxpartitions *
							   sizeof(SinkPartition *)) :
			repalloc(sink->partitions, sink->maxpartitions *
					 sizeof(SinkPartition *));
	}
	while (at < sink->npartitions)
	{
		int			order = strcmp(sink->partitions[at]->topic,
								   partition->topic);

		if (order > 0 || (order == 0 && sink->partitions[at]->partition >
						  partition->partition))
			break;
		at++;
	}
	memmove(&sink->partitions[at + 1], &sink->partitions[at],
			(sink->npartitions - at) * sizeof(SinkPartition *));
	sink->partitions[at] = partition;
	sink->npartitions++;
}

static ConnectTopicPartition *
topic_partitions(SinkPartition **partitions, int n)
{
	ConnectTopicPartition *result = palloc(n * sizeof(ConnectTopicPartition));

	for (int i = 0; i < n; i++)
	{
		result[i].topic = partitions[i]->topic;
		result[i].partition = partitions[i]->partition;
		result[i].offset = partitions[i]->position;
	}
	return result;
}
