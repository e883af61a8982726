/*
 * source.c
 *	  The loop of a source task: poll, convert, send, store offsets.
 *
 * NOTES
 *	  A record goes through these places: the connector's poll, a group of some
 *	  records that the client takes at once, our overflow (only while its topic
 *	  is being created or the client's queue is full) and the client's queue.
 *	  Each has a number in the window from the moment it was emitted.  The order
 *	  of records is kept: while the overflow holds anything, all go through it,
 *	  the group is empty, and the connector is not polled.
 *
 *	  Bounds.  The connector may emit task->room records in a poll: what the
 *	  client's queue still takes, by number and by bytes.  So the overflow holds
 *	  at most one poll, and nothing ever waits inside a poll, which may be in a
 *	  transaction.
 *
 *	  Offsets.  A partition's offset moves when the window's head moves over one
 *	  of its records, and is stored every offset.flush.interval.ms and when the
 *	  task stops or pauses: always of records that Kafka has acknowledged.
 *	  Records that a transform filtered out, or that failed and are tolerated,
 *	  move it only together with a later record, as in Kafka Connect, unless the
 *	  connector holds something until it is acknowledged (cls->acknowledged).
 *
 *	  Standbys.  What they must have and do not have yet waits in the overflow.
 *
 *	  Too large.  Kafka refuses a whole batch of which one record, or the sum, is
 *	  too large for the topic.  The task then begins anew with batches of one
 *	  record, so that only the record itself is at fault, and goes back to full
 *	  batches once those records are through.
 */
#include "postgres.h"

#include "storage/lock.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "catalog/catalog.h"
#include "runtime/clients.h"
#include "runtime/encoder.h"
#include "runtime/fault.h"
#include "runtime/source.h"
#include "runtime/topics.h"
#include "runtime/wal.h"
#include "runtime/window.h"
#include "runtime/xact.h"

#define DELIVERY_BATCH 1024
#define MAX_ROOM 10000			/* records in one poll */
#define ISOLATED_RECORDS 10000	/* sent in batches of one after a refusal */
#define OFFSETS_LOCK_MS "1000"
#define RECORD_OVERHEAD 64		/* bytes that a record counts beside its own */
#define STANDBY_FIRST_MS 1		/* standbys are looked for again, later each time */
#define STANDBY_MAX_MS 50
#define GROUP_BYTES 16384		/* stays in a core's cache */

typedef struct SourcePartition
{
	char	   *name;			/* its JSON object */
	ConnectPosition position;	/* acknowledged last */
	bool		dirty;			/* position is not stored yet */
} SourcePartition;

/* A record that waits for its topic or for room. */
typedef struct Waiting
{
	struct Waiting *next;
	uint64		number;			/* in the window */
	ConnectTopic *topic;
	int32		partition;
	int64		timestamp;
	ConnectBytes key;
	ConnectBytes value;
	ConnectKafkaHeader *headers;
	int			nheaders;
} Waiting;

/*
 * Records of one topic that are handed over together.  Their bytes are in the
 * encoder's buffers, which may move: the pointers are set last.
 */
typedef struct Group
{
	ConnectTopic *topic;
	int32		partition;
	int			n;
	ConnectKafkaOutgoing messages[CONNECT_KAFKA_OUTGOING_MAX];
	int			key_at[CONNECT_KAFKA_OUTGOING_MAX]; /* -1 = null */
	int			value_at[CONNECT_KAFKA_OUTGOING_MAX];
} Group;

struct ConnectSource
{
	ConnectKafkaProducer *producer;
	ConnectTopic *topic;		/* of the last record */
	ConnectWindow *window;

	Group		group;

	Waiting    *waiting;		/* the overflow, first to last */
	Waiting   **waiting_tail;
	MemoryContext waiting_context;

	SourcePartition *partitions;
	int			npartitions;
	int			maxpartitions;
	List	   *stored;			/* of ConnectSourceOffsetRow, at the start */
	bool		dirty;			/* some partition is */
	TimestampTz stored_at;		/* offsets were stored last, or tried to be */

	TimestampTz poll_at;		/* 0 = at once, DT_NOEND = when woken */
	bool		done;			/* there will never be more */

	long		standby_ms;		/* pause before looking for standbys again */
	bool		standby_shown;

	bool		lingers;		/* the client holds records back for others */
	int64		max_records;	/* of the client's queue */
	int64		max_bytes;
	int64		records;		/* sent so far, and their bytes: for the mean */
	int64		bytes;

	ConnectEncoder encoder;		/* bytes of the group and the record in hand */
};

static void load_offsets(ConnectTaskRun *run);
static void open_producer(ConnectTaskRun *run);
static void end_isolation(ConnectTaskRun *run);
static void take_deliveries(ConnectTaskRun *run);
static ConnectDelivery delivery_failed(ConnectTaskRun *run,
									   const ConnectKafkaDelivery *delivery,
									   const ConnectKafkaError *err);
static bool is_not_the_records_fault(const ConnectKafkaError *err);
static void raise_refusal(ConnectTaskRun *run,
						  const ConnectKafkaError *err) CONNECT_NORETURN;
static void move_head(ConnectTaskRun *run);
static void send_group(ConnectTaskRun *run);
static void push_waiting(ConnectTaskRun *run);
static int64 room(const ConnectSource *source);
static long look_for_standbys(ConnectTaskRun *run);
static long rest(ConnectTaskRun *run, long timeout);
static void poll_connector(ConnectTaskRun *run);
static void join_group(ConnectSource *source, int32 partition, uint64 number,
					   const ConnectBytes *key, const ConnectBytes *value);
static void drop(ConnectSource *source, const ConnectPosition *position);
static void wait_for_room(ConnectSource *source, uint64 number,
						  ConnectTopic *topic, const ConnectRecord *record,
						  const ConnectBytes *key, const ConnectBytes *value);
static ConnectBytes copy_bytes(const char *data, int len);
static void refused(ConnectTaskRun *run, uint64 number, ConnectTopic *topic,
					const ConnectKafkaError *err);
static char *jsonb_text(const char *json);

void
connect_source_start(ConnectTaskRun *run)
{
	ConnectSource *source = palloc0(sizeof(ConnectSource));

	run->source = source;
	source->window = connect_window_make(CurrentMemoryContext);
	source->waiting_context = AllocSetContextCreate(CurrentMemoryContext,
													"Connect waiting records",
													ALLOCSET_DEFAULT_SIZES);
	source->waiting_tail = &source->waiting;
	connect_encoder_init(&source->encoder, CurrentMemoryContext);

	load_offsets(run);
	open_producer(run);
}

/*
 * A process that was given up may still live, and be about to store offsets.
 * Who reads them has a newer generation than it: after the lock that one finds
 * that it was replaced, and what it stored before the lock is read.
 */
static void
load_offsets(ConnectTaskRun *run)
{
	MemoryContext context = CurrentMemoryContext;

	PG_TRY();
	{
		connect_task_begin(&run->task);
		(void) set_config_option("lock_timeout", OFFSETS_LOCK_MS, PGC_USERSET,
								 PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0,
								 false);
		connect_xact_lock_connector(run->task.connector_id,
									CONNECT_LOCK_SOURCE_OFFSETS, ExclusiveLock);
		/* They outlive the transaction. */
		MemoryContextSwitchTo(context);
		run->source->stored = connect_source_offsets(run->task.connector_id);
		connect_task_commit(&run->task);
	}
	PG_CATCH();
	{
		if (geterrcode() != ERRCODE_LOCK_NOT_AVAILABLE)
			PG_RE_THROW();
		MemoryContextSwitchTo(context);
		FlushErrorState();
		ereport(ERROR,
				(errcode(ERRCODE_LOCK_NOT_AVAILABLE),
				 errmsg("a process that had the task before has not ended its transaction with the offsets")));
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
}

void
connect_source_close(ConnectTaskRun *run)
{
	if (run->source != NULL &&
		!connect_kafka_producer_close(&run->source->producer, 0))
		connect_task_leaves_threads();
	run->source = NULL;
}

/* Of two timeouts, either -1 = for ever. */
static long
sooner(long a, long b)
{
	return a < 0 ? b : b < 0 ? a : Min(a, b);
}

long
connect_source_turn(ConnectTaskRun *run, bool read)
{
	ConnectSource *source = run->source;
	TimestampTz now;
	long		timeout;

	take_deliveries(run);
	send_group(run);			/* an error may have left some */
	timeout = connect_topics_turn(run, source->producer);
	if (connect_wal_waits)
		timeout = sooner(timeout, look_for_standbys(run));
	push_waiting(run);
	move_head(run);

	now = GetCurrentTimestamp();
	if (source->dirty)
	{
		TimestampTz due = TimestampTzPlusMilliseconds(source->stored_at,
													  run->flush_interval);

		/* A task that pauses or ends stores them as soon as all is settled. */
		if (now >= due || (!read && source->window->pending == 0))
			connect_source_store_offsets(run);
		else
			timeout = sooner(timeout, connect_task_ms_until(due));
	}

	if (run->isolates && source->waiting == NULL &&
		(source->records >= ISOLATED_RECORDS || source->poll_at != 0))
	{
		if (source->window->pending > 0)
			return rest(run, timeout);
		end_isolation(run);
	}
	if (!read || source->done || source->waiting != NULL)
		return rest(run, timeout);
	if (!run->poll_soon && now < source->poll_at)
		return source->poll_at == DT_NOEND ? timeout :
			sooner(timeout, connect_task_ms_until(source->poll_at));
	if ((run->task.room = room(source)) == 0)
		return rest(run, timeout);
	run->poll_soon = false;
	poll_connector(run);
	return 0;
}

/* Milliseconds until one should look again, -1 = records may go. */
static long
look_for_standbys(ConnectTaskRun *run)
{
	ConnectSource *source = run->source;
	const char *missing;

	MemoryContextReset(run->task.batch_context);
	MemoryContextSwitchTo(run->task.batch_context);
	missing = connect_wal_look();
	if (missing == NULL)
	{
		if (source->standby_shown)
			connect_task_waits_in_runtime(run, NULL);
		source->standby_shown = false;
		source->standby_ms = 0;
		return -1;
	}
	source->standby_ms = source->standby_ms == 0 ? STANDBY_FIRST_MS :
		Min(source->standby_ms * 2, STANDBY_MAX_MS);
	if (source->standby_ms == STANDBY_MAX_MS && run->waits_runtime == NULL)
	{
		connect_task_waits_in_runtime(run, missing);
		source->standby_shown = true;
	}
	return source->standby_ms;
}

/* The connector is not polled: it may hold something that it should not. */
static long
rest(ConnectTaskRun *run, long timeout)
{
	long		ms = -1;

	if (run->started && run->task.cls->idle != NULL)
	{
		MemoryContextSwitchTo(run->task.batch_context);
		ms = run->task.cls->idle(&run->task);
	}
	return sooner(timeout, ms);
}

bool
connect_source_is_settled(const ConnectTaskRun *run)
{
	const ConnectSource *source = run->source;

	return connect_kafka_producer_outstanding(source->producer) == 0 &&
		((source->waiting == NULL && source->group.n == 0) ||
		 connect_wal_waits ||	/* who knows for how long */
		 run->phase == CONNECT_TASK_FAILED);
}

void
connect_source_store_offsets(ConnectTaskRun *run)
{
	ConnectSource *source = run->source;
	StringInfoData offset;

	move_head(run);
	source->stored_at = GetCurrentTimestamp();
	if (!source->dirty)
		return;
	MemoryContextReset(run->task.batch_context);
	MemoryContextSwitchTo(run->task.batch_context);
	initStringInfo(&offset);

	CONNECT_FAULT("source-settled");
	connect_task_begin(&run->task);
	connect_xact_lock_connector(run->task.connector_id,
								CONNECT_LOCK_SOURCE_OFFSETS, ShareLock);
	if (!connect_my_slot_is_mine())
		ereport(ERROR,
				(errcode(ERRCODE_CONNECTION_DOES_NOT_EXIST),
				 errmsg("the task has been given to another process"),
				 errdetail("Its offsets were not stored.")));
	/* What is lost of it in a crash is sent once more. */
	(void) set_config_option("synchronous_commit", "off", PGC_USERSET,
							 PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0, false);
	for (int i = 0; i < source->npartitions; i++)
	{
		SourcePartition *partition = &source->partitions[i];

		if (!partition->dirty)
			continue;
		resetStringInfo(&offset);
		run->task.cls->format_offset(&run->task, &partition->position, &offset);
		connect_source_offset_store(run->task.connector_id, partition->name,
									offset.data);
		if (run->task.cls->acknowledged != NULL)
			run->task.cls->acknowledged(&run->task, &partition->position);
	}
	CONNECT_FAULT("source-store");
	connect_task_commit(&run->task);
	CONNECT_FAULT("source-stored");

	for (int i = 0; i < source->npartitions; i++)
		source->partitions[i].dirty = false;
	source->dirty = false;
	connect_my_slot_count(CONNECT_COUNT_COMMITS, 1);
	connect_my_slot_set(CONNECT_COUNT_LAST_COMMIT, source->stored_at);
}

int
connect_source_fd(const ConnectTaskRun *run)
{
	if (run->source == NULL || run->source->producer == NULL)
		return -1;
	return connect_kafka_client_fd(connect_kafka_producer_client(run->source->producer));
}

ConnectKafkaClient *
connect_source_client(const ConnectTaskRun *run)
{
	return run->source == NULL || run->source->producer == NULL ? NULL :
		connect_kafka_producer_client(run->source->producer);
}

const char *
connect_source_partition_text(ConnectTaskRun *run, int32 partition)
{
	return run->source->partitions[partition].name;
}

int32
connect_task_source_partition(ConnectTask *task, const char *partition_json)
{
	ConnectSource *source = connect_task_run(task)->source;
	SourcePartition *partition;

	for (int i = 0; i < source->npartitions; i++)
	{
		if (strcmp(source->partitions[i].name, partition_json) == 0)
			return i;
	}
	if (source->npartitions == source->maxpartitions)
	{
		source->maxpartitions = Max(8, source->maxpartitions * 2);
		source->partitions = source->partitions == NULL ?
			MemoryContextAlloc(task->context, source->maxpartitions *
							   sizeof(SourcePartition)) :
			repalloc(source->partitions, source->maxpartitions *
					 sizeof(SourcePartition));
	}
	partition = &source->partitions[source->npartitions];
	memset(partition, 0, sizeof(*partition));
	partition->name = MemoryContextStrdup(task->context, partition_json);
	return source->npartitions++;
}

const char *
connect_task_source_offset(ConnectTask *task, const char *partition_json)
{
	ConnectSource *source = connect_task_run(task)->source;
	char	   *name = jsonb_text(partition_json);
	ListCell   *lc;

	foreach(lc, source->stored)
	{
		ConnectSourceOffsetRow *row = lfirst(lc);

		if (strcmp(row->partition, name) == 0)
			return row->offset;
	}
	return NULL;
}

void
connect_task_emit(ConnectTask *task, ConnectRecord *record)
{
	ConnectTaskRun *run = connect_task_run(task);
	ConnectSource *source = run->source;
	Group	   *group = &source->group;
	bool		plain = record->nheaders == 0 && record->timestamp < 0;
	ConnectBytes key;
	ConnectBytes value;
	uint64		number;
	uint32		bytes;
	ConnectKafkaResult result = CONNECT_KAFKA_QUEUE_FULL;
	ConnectKafkaError err;

	task->room = Max(task->room - 1, 0);
	connect_my_slot_count(CONNECT_COUNT_POLLED, 1);
	if (group->n == 0)
		connect_encoder_reset(&source->encoder);
	if (!connect_encoder_encode(&source->encoder, run, record, &key, &value))
	{
		drop(source, &record->position);
		return;
	}

	if (source->topic == NULL || !source->topic->ready ||
		strcmp(source->topic->name, record->topic) != 0)
		source->topic = connect_topics_find(run, record->topic,
											source->producer);
	if (!plain || !source->topic->ready || connect_wal_waits ||
		group->topic != source->topic || group->partition != record->partition)
		send_group(run);

	bytes = key.len + value.len + source->encoder.header_values.len;
	number = connect_window_push(source->window, &record->position,
								 bytes + RECORD_OVERHEAD);
	source->records++;
	source->bytes += bytes + RECORD_OVERHEAD;
	connect_my_slot_count(CONNECT_COUNT_BYTES, bytes);
	if (source->window->bytes >= source->max_bytes)
		task->room = 0;

	if (source->waiting == NULL && source->topic->ready && !connect_wal_waits)
	{
		if (plain)
		{
			join_group(source, record->partition, number, &key, &value);
			if (group->n == CONNECT_KAFKA_OUTGOING_MAX ||
				source->encoder.key.len + source->encoder.value.len >= GROUP_BYTES)
				send_group(run);
			return;
		}
		result = connect_kafka_produce(source->producer, source->topic->handle,
									   record->partition, key.data, key.len,
									   value.data, value.len,
									   source->encoder.headers, record->nheaders,
									   record->timestamp, number, &err);
	}
	if (result == CONNECT_KAFKA_QUEUE_FULL)
		wait_for_room(source, number, source->topic, record, &key, &value);
	else if (result == CONNECT_KAFKA_FAILED)
		refused(run, number, source->topic, &err);
}

void
connect_task_skip(ConnectTask *task, const ConnectPosition *position)
{
	ConnectWindow *window = connect_task_run(task)->source->window;

	connect_window_settle(window, connect_window_push(window, position, 0),
						  CONNECT_DELIVERY_ACKNOWLEDGED);
}

int64
connect_task_in_flight(ConnectTask *task)
{
	return connect_task_run(task)->source->window->pending;
}

static void
open_producer(ConnectTaskRun *run)
{
	ConnectSource *source = run->source;
	ConnectKafkaProperty extra[] = {
		{"client.id", psprintf("connector-producer-%s-%d",
							   run->task.connector, run->task.id)},
		{run->isolates ? "batch.num.messages" : NULL, "1"},
		{NULL, NULL}
	};
	ConnectKafkaConf *conf;
	ConnectKafkaError err;

	conf = connect_clients_conf(run, CONNECT_KAFKA_PRODUCER, extra);
	source->max_records = connect_kafka_conf_get_int(conf,
													 "queue.buffering.max.messages",
													 100000);
	source->max_bytes = 1024 *
		connect_kafka_conf_get_int(conf, "queue.buffering.max.kbytes", 16384);
	source->lingers = connect_kafka_conf_get_int(conf, "linger.ms", 5) > 0;
	source->producer = connect_kafka_producer_open(conf, &err);
	run->fds_stale = true;
	connect_kafka_conf_close(&conf);
	if (source->producer == NULL)
		connect_errors_raise_kafka("could not start the producer", &err);
}

/* All is settled: full batches again. */
static void
end_isolation(ConnectTaskRun *run)
{
	ConnectSource *source = run->source;

	if (!connect_kafka_producer_close(&source->producer, 0))
		connect_task_leaves_threads();
	connect_topics_forget_handles(run);
	source->topic = NULL;
	run->isolates = false;
	open_producer(run);
}

/*
 * Settles what Kafka has answered.  A failure that is not the record's, or is
 * not tolerated, holds the window's head where it is and is raised once all
 * answers at hand are settled.
 */
static void
take_deliveries(ConnectTaskRun *run)
{
	ConnectSource *source = run->source;
	ConnectKafkaDelivery deliveries[DELIVERY_BATCH];
	ConnectKafkaError failure;
	bool		failed = false;
	int			n;

	while (!failed &&
		   (n = connect_kafka_producer_poll(source->producer, deliveries,
											DELIVERY_BATCH)) > 0)
	{
		int			acknowledged = 0;

		for (int i = 0; i < n; i++)
		{
			ConnectDelivery state = CONNECT_DELIVERY_ACKNOWLEDGED;
			ConnectKafkaError err;

			if (deliveries[i].code == CONNECT_KAFKA_NO_ERROR)
				acknowledged++;
			else
			{
				connect_kafka_delivery_error(source->producer, &deliveries[i],
											 &err);
				state = delivery_failed(run, &deliveries[i], &err);
				if (state == CONNECT_DELIVERY_FAILED && !failed)
				{
					failure = err;
					failed = true;
				}
			}
			connect_window_settle(source->window, deliveries[i].opaque, state);
		}
		connect_my_slot_count(CONNECT_COUNT_SENT, acknowledged);
	}
	if (failed)
		raise_refusal(run, &failure);
	connect_clients_listen(run, connect_kafka_producer_client(source->producer));
}

/* What becomes of a record that Kafka did not take. */
static ConnectDelivery
delivery_failed(ConnectTaskRun *run, const ConnectKafkaDelivery *delivery,
				const ConnectKafkaError *err)
{
	ConnectRecord record = {
		.topic = connect_kafka_topic_name(delivery->topic),
		.partition = delivery->partition,
		.timestamp = -1,
		.position = connect_window_entry(run->source->window,
										 delivery->opaque)->position
	};
	ConnectError error = {
		.class_name = connect_kafka_error_class(err->code),
		.message = pstrdup(err->text)
	};

	if (is_not_the_records_fault(err) ||
		(err->code == CONNECT_KAFKA_MSG_TOO_LARGE && !run->isolates))
		return CONNECT_DELIVERY_FAILED;
	connect_errors_report(run, CONNECT_STAGE_KAFKA_PRODUCE,
						  run->task.cls->class_name, &record, NULL, &error);
	if (!run->errors.tolerant)
		return CONNECT_DELIVERY_FAILED;
	connect_my_slot_count(CONNECT_COUNT_SKIPPED, 1);
	return CONNECT_DELIVERY_DROPPED;
}

static bool
is_not_the_records_fault(const ConnectKafkaError *err)
{
	return err->fatal || err->auth || err->retriable ||
		err->code == CONNECT_KAFKA_PURGED ||
		err->code == CONNECT_KAFKA_UNKNOWN_TOPIC_OR_PART;
}

static void
raise_refusal(ConnectTaskRun *run, const ConnectKafkaError *err)
{
	if (err->code == CONNECT_KAFKA_UNKNOWN_TOPIC_OR_PART)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("Kafka did not take a record: %s", err->text),
				 errhint("Create the topic, or have the connector create it by \"topic.creation.default.partitions\" and \"topic.creation.default.replication.factor\".")));
	/* The head of the window stays where it is: only a new start resends. */
	if (!err->auth && is_not_the_records_fault(err))
		ereport(ERROR,
				(errcode(ERRCODE_CONNECTION_DOES_NOT_EXIST),
				 errmsg("Kafka did not take a record: %s", err->text)));
	if (err->auth)
		connect_errors_raise_kafka("Kafka did not take a record", err);
	if (err->code == CONNECT_KAFKA_MSG_TOO_LARGE && !run->isolates)
	{
		run->isolates = true;
		ereport(ERROR,
				(errcode(ERRCODE_CONNECTION_DOES_NOT_EXIST),
				 errmsg("Kafka did not take a batch: %s", err->text),
				 errdetail("The records are sent again, one by one.")));
	}
	ereport(ERROR,
			(errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
			 errmsg("Unrecoverable exception from producer send callback: %s",
					err->text),
			 errdetail_log(CONNECT_CONNECT_EXCEPTION ": Unrecoverable exception from producer send callback\nCaused by: %s: %s",
									connect_kafka_error_class(err->code),
									err->text)));
}

/* Moves the partitions over what is settled without a gap. */
static void
move_head(ConnectTaskRun *run)
{
	ConnectSource *source = run->source;
	bool		counts_dropped = run->task.cls->acknowledged != NULL;
	ConnectWindowEntry entry;

	while (connect_window_pop(source->window, &entry))
	{
		SourcePartition *partition;

		if (entry.state == CONNECT_DELIVERY_DROPPED && !counts_dropped)
			continue;
		if (entry.position.partition < 0)
			continue;			/* its connector keeps no offsets */
		partition = &source->partitions[entry.position.partition];
		partition->position = entry.position;
		partition->dirty = true;
		source->dirty = true;
	}
}

/* Adds the record in hand. */
static void
join_group(ConnectSource *source, int32 partition, uint64 number,
		   const ConnectBytes *key, const ConnectBytes *value)
{
	Group	   *group = &source->group;
	int			i = group->n++;

	Assert(i < CONNECT_KAFKA_OUTGOING_MAX && source->waiting == NULL);
	group->topic = source->topic;
	group->partition = partition;
	group->messages[i].opaque = number;
	group->messages[i].key_len = key->len;
	group->messages[i].value_len = value->len;
	group->key_at[i] = key->data ? key->data - source->encoder.key.data : -1;
	group->value_at[i] = value->data ? value->data - source->encoder.value.data : -1;
}

static void
send_group(ConnectTaskRun *run)
{
	ConnectSource *source = run->source;
	Group	   *group = &source->group;
	int			n = group->n;

	if (n == 0)
		return;
	group->n = 0;
	for (int i = 0; i < n; i++)
	{
		group->messages[i].key = group->key_at[i] < 0 ? NULL :
			source->encoder.key.data + group->key_at[i];
		group->messages[i].value = group->value_at[i] < 0 ? NULL :
			source->encoder.value.data + group->value_at[i];
	}
	if (connect_kafka_produce_all(source->producer, group->topic->handle,
								  group->partition, group->messages, n))
		return;

	/* No error before those that wait are safe. */
	for (int i = 0; i < n; i++)
	{
		const ConnectKafkaOutgoing *message = &group->messages[i];
		ConnectRecord record = {.partition = group->partition,.timestamp = -1};
		ConnectBytes key = {message->key, message->key_len};
		ConnectBytes value = {message->value, message->value_len};

		if (message->result == CONNECT_KAFKA_QUEUE_FULL)
			wait_for_room(source, message->opaque, group->topic, &record, &key,
						  &value);
	}
	for (int i = 0; i < n; i++)
	{
		ConnectKafkaError err;

		if (group->messages[i].result != CONNECT_KAFKA_FAILED)
			continue;
		connect_kafka_outgoing_error(source->producer, group->topic->handle,
									 group->partition, &group->messages[i],
									 &err);
		refused(run, group->messages[i].opaque, group->topic, &err);
	}
}

static void
push_waiting(ConnectTaskRun *run)
{
	ConnectSource *source = run->source;

	while (source->waiting != NULL && source->waiting->topic->ready &&
		   !connect_wal_waits)
	{
		Waiting    *waiting = source->waiting;
		ConnectKafkaResult result;
		ConnectKafkaError err;

		if (waiting->topic->handle == NULL)
			connect_topics_find(run, waiting->topic->name, source->producer);
		result = connect_kafka_produce(source->producer,
									   waiting->topic->handle,
									   waiting->partition,
									   waiting->key.data, waiting->key.len,
									   waiting->value.data, waiting->value.len,
									   waiting->headers, waiting->nheaders,
									   waiting->timestamp, waiting->number,
									   &err);
		if (result == CONNECT_KAFKA_QUEUE_FULL)
			return;
		source->waiting = waiting->next;
		if (result == CONNECT_KAFKA_FAILED)
			refused(run, waiting->number, waiting->topic, &err);
	}
	if (source->waiting == NULL && source->waiting_tail != &source->waiting)
	{
		source->waiting_tail = &source->waiting;
		MemoryContextReset(source->waiting_context);
		connect_kafka_producer_flush(source->producer);
	}
}

/*
 * Records that the client's queue still takes; 0 until there is room for a
 * batch worth polling for.
 */
static int64
room(const ConnectSource *source)
{
	const ConnectWindow *window = source->window;
	int64		mean = source->records > 0 ?
		source->bytes / source->records + 1 : RECORD_OVERHEAD;
	int64		free_records = source->max_records - window->pending;
	int64		free_bytes = source->max_bytes - window->bytes;

	if (window->pending > 0 && (free_records < source->max_records / 8 ||
								free_bytes < source->max_bytes / 8))
		return 0;
	return Max(1, Min(MAX_ROOM, Min(free_records, free_bytes / mean)));
}

static void
poll_connector(ConnectTaskRun *run)
{
	ConnectSource *source = run->source;
	ConnectPollResult result;
	int64		before = source->records;

	run->task.wait_ms = -1;
	MemoryContextReset(run->task.batch_context);
	MemoryContextSwitchTo(run->task.batch_context);
	result = run->task.cls->poll(&run->task);
	send_group(run);
	connect_encoder_reset(&source->encoder);
	run->fds_stale |= run->task.wait_socket != PGINVALID_SOCKET;
	CONNECT_FAULT("source-polled");
	connect_task_succeeded(run);
	if (source->records > before)
		connect_my_slot_count(CONNECT_COUNT_BATCHES, 1);
	source->done = result == CONNECT_POLL_DONE;
	if (result == CONNECT_POLL_AGAIN)
		source->poll_at = 0;
	else
	{
		source->poll_at = run->task.wait_ms < 0 ? DT_NOEND :
			TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
										run->task.wait_ms);
		/* Nothing more for now: what lingers shall go. */
		if (source->lingers)
			connect_kafka_producer_flush(source->producer);
	}
}

static void
drop(ConnectSource *source, const ConnectPosition *position)
{
	connect_window_settle(source->window,
						  connect_window_push(source->window, position, 0),
						  CONNECT_DELIVERY_DROPPED);
}

static void
wait_for_room(ConnectSource *source, uint64 number, ConnectTopic *topic,
			  const ConnectRecord *record, const ConnectBytes *key,
			  const ConnectBytes *value)
{
	MemoryContext old = MemoryContextSwitchTo(source->waiting_context);
	Waiting    *waiting = palloc0(sizeof(Waiting));

	waiting->number = number;
	waiting->topic = topic;
	waiting->partition = record->partition;
	waiting->timestamp = record->timestamp;
	waiting->key = copy_bytes(key->data, key->len);
	waiting->value = copy_bytes(value->data, value->len);
	waiting->nheaders = record->nheaders;
	waiting->headers = palloc(record->nheaders * sizeof(ConnectKafkaHeader));
	for (int i = 0; i < record->nheaders; i++)
	{
		const ConnectKafkaHeader *header = &source->encoder.headers[i];

		waiting->headers[i].key = pstrdup(header->key);
		waiting->headers[i].value = copy_bytes(header->value,
											   header->value_len).data;
		waiting->headers[i].value_len = header->value_len;
	}
	*source->waiting_tail = waiting;
	source->waiting_tail = &waiting->next;
	MemoryContextSwitchTo(old);
}

static ConnectBytes
copy_bytes(const char *data, int len)
{
	ConnectBytes copy = {NULL, len};

	if (data != NULL)
	{
		char	   *p = palloc(len + 1);

		memcpy(p, data, len);
		copy.data = p;
	}
	return copy;
}

/* The client did not even queue the record. */
static void
refused(ConnectTaskRun *run, uint64 number, ConnectTopic *topic,
		const ConnectKafkaError *err)
{
	ConnectKafkaDelivery delivery = {
		.opaque = number,
		.topic = topic->handle,
		.partition = -1
	};
	ConnectDelivery state = delivery_failed(run, &delivery, err);

	connect_window_settle(run->source->window, number, state);
	if (state == CONNECT_DELIVERY_FAILED)
		raise_refusal(run, err);
}

/* As jsonb prints it, so that equal objects are equal texts. */
static char *
jsonb_text(const char *json)
{
	Datum		jb = DirectFunctionCall1(jsonb_in, CStringGetDatum(json));

	return DatumGetCString(DirectFunctionCall1(jsonb_out, jb));
}
