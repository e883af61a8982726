/*
 * assignment.c
 *	  The partitions of a sink task: how they come, where they start, how they
 *	  go.
 *
 * NOTES
 *	  Where a partition starts is decided here alone, when it is assigned: at
 *	  the offset in connect.sink_offset_def, else at the log's start.  Taking it
 *	  commits a new epoch in its row, which fences whoever had it before.
 *
 *	  A rebalance is kept until it is answered, with what has been done of it,
 *	  so that an error that may pass leaves the rest to the next turn.
 *
 *	  Who had a partition before may be in a transaction that advances its
 *	  offset, even while it is frozen.  Nobody can take the partition until that
 *	  has ended, one way or the other: the wait is shown, and cut into pieces so
 *	  that the task can be stopped.
 *
 *	  librdkafka is silent about a topic that is missing for half a minute.  If
 *	  none of a topic's partitions comes to us soon we look for ourselves.
 *
 *	  The group's offsets in Kafka are read once: by a connector that has no
 *	  offset of its own yet.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "catalog/catalog.h"
#include "runtime/assignment.h"
#include "runtime/clients.h"
#include "runtime/fault.h"
#include "runtime/sink.h"
#include "runtime/topics.h"
#include "runtime/xact.h"

#define ADMIN_MS 30000
#define QUERY_MS 5000
#define TAKE_LOCK_MS "1000"
#define LOOK_MS 1000			/* for an assignment, before topics are looked for */
#define LOOK_AGAIN_MS 5000		/* while one is missing */

struct ConnectRebalance
{
	ConnectKafkaEventKind kind;
	bool		lost;
	ConnectKafkaOffset *parts;
	int			nparts;
	bool		tried;			/* an answer was begun, and may have failed */

	/* An assignment's partitions, as parts. */
	ConnectSinkPartition **partitions;
	bool		taken;			/* under a new epoch */
	bool		accepted;		/* by the consumer; they are ours */
};

static void keep_rebalance(ConnectTaskRun *run, ConnectAssignment *assignment,
						   const ConnectKafkaEvent *event);
static bool assigned(ConnectTaskRun *run, ConnectAssignment *assignment);
static bool take(ConnectTaskRun *run, ConnectRebalance *rebalance);
static void accept_partitions(ConnectTaskRun *run,
							  ConnectAssignment *assignment);
static void revoked(ConnectTaskRun *run, ConnectAssignment *assignment);
static void expect_topics(ConnectAssignment *assignment);
static void take_look(ConnectTaskRun *run, ConnectAssignment *assignment,
					  const ConnectKafkaAdminResult *result);
static bool import_offsets(ConnectTaskRun *run, ConnectAssignment *assignment);
static void out_of_range(ConnectTaskRun *run, ConnectAssignment *assignment,
						 const ConnectKafkaEvent *event);
static int	compare_offsets(const void *a, const void *b);
static ConnectSinkPartition *find_partition(ConnectAssignment *assignment,
											const char *topic,
											int32 partition);
static void add_partition(ConnectTaskRun *run, ConnectAssignment *assignment,
						  ConnectSinkPartition *partition);

void
connect_assignment_listen(ConnectTaskRun *run,
						  ConnectAssignment *assignment)
{
	ConnectKafkaEvent event;

	while (assignment->rebalance == NULL &&
		   connect_kafka_consumer_event(assignment->consumer, &event))
	{
		switch (event.kind)
		{
			case CONNECT_KAFKA_EVENT_ASSIGN:
			case CONNECT_KAFKA_EVENT_REVOKE:
				keep_rebalance(run, assignment, &event);
				break;
			case CONNECT_KAFKA_EVENT_OUT_OF_RANGE:
				out_of_range(run, assignment, &event);
				break;
			case CONNECT_KAFKA_EVENT_PARTITION_ERROR:
				if (event.error.auth)
					connect_errors_raise_kafka("Kafka refuses to let the task read",
											   &event.error);
				if (event.error.code != CONNECT_KAFKA_UNKNOWN_TOPIC_OR_PART ||
					assignment->missing == NULL)
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
			case CONNECT_KAFKA_EVENT_LEFT:
				break;
		}
	}
}

/* Copies the event. */
static void
keep_rebalance(ConnectTaskRun *run, ConnectAssignment *assignment,
			   const ConnectKafkaEvent *event)
{
	MemoryContext old = MemoryContextSwitchTo(run->task.context);
	ConnectRebalance *rebalance = palloc0(sizeof(ConnectRebalance));

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
	/* In the order of locking. */
	qsort(rebalance->parts, rebalance->nparts, sizeof(ConnectKafkaOffset),
		  compare_offsets);
	if (event->kind == CONNECT_KAFKA_EVENT_ASSIGN)
	{
		rebalance->partitions = palloc(Max(rebalance->nparts, 1) *
									   sizeof(ConnectSinkPartition *));
		for (int i = 0; i < rebalance->nparts; i++)
		{
			rebalance->partitions[i] = palloc0(sizeof(ConnectSinkPartition));
			rebalance->partitions[i]->topic = pstrdup(rebalance->parts[i].topic);
			rebalance->partitions[i]->partition = rebalance->parts[i].partition;
		}
	}
	assignment->rebalance = rebalance;
	MemoryContextSwitchTo(old);
}

bool
connect_assignment_answer(ConnectTaskRun *run,
						  ConnectAssignment *assignment)
{
	ConnectRebalance *rebalance = assignment->rebalance;
	ConnectKafkaError err;

	if (rebalance == NULL)
		return true;
	rebalance->tried = true;
	if (rebalance->kind == CONNECT_KAFKA_EVENT_ASSIGN)
	{
		if (!assigned(run, assignment))
		{
			rebalance->tried = false;
			return false;
		}
		pfree(rebalance->partitions);
	}
	else
	{
		revoked(run, assignment);
		if (!connect_kafka_consumer_revoke(assignment->consumer, &err))
			connect_errors_raise_kafka("could not give up partitions", &err);
	}
	assignment->rebalance = NULL;
	for (int i = 0; i < rebalance->nparts; i++)
		pfree(unconstify(char *, rebalance->parts[i].topic));
	pfree(rebalance->parts);
	pfree(rebalance);
	return true;
}

bool
connect_assignment_backs_off(const ConnectTaskRun *run,
							 const ConnectAssignment *assignment)
{
	return assignment->rebalance != NULL && assignment->rebalance->tried &&
		run->retry_at > GetCurrentTimestamp();
}

/* False: call again, unless the task must leave what it is doing. */
static bool
assigned(ConnectTaskRun *run, ConnectAssignment *assignment)
{
	ConnectRebalance *rebalance = assignment->rebalance;

	MemoryContextReset(run->task.batch_context);
	MemoryContextSwitchTo(run->task.batch_context);
	if (!rebalance->taken)
	{
		bool		imported;

		connect_task_begin(&run->task);
		imported = connect_sink_offset_any(run->task.connector_id);
		connect_task_commit(&run->task);
		if (!imported && !import_offsets(run, assignment))
			return false;
		if (!take(run, rebalance))
			return false;
		rebalance->taken = true;
		CONNECT_FAULT("sink-taken");
	}
	if (!rebalance->accepted)
	{
		accept_partitions(run, assignment);
		rebalance->accepted = true;
	}
	CONNECT_FAULT("sink-open");
	if (run->task.cls->open != NULL && rebalance->nparts > 0)
		run->task.cls->open(&run->task,
							connect_assignment_list(rebalance->partitions,
													rebalance->nparts),
							rebalance->nparts);
	expect_topics(assignment);
	connect_task_waits_in_runtime(run, assignment->missing);
	return true;
}

/* Is any topic without a partition of ours? */
static void
expect_topics(ConnectAssignment *assignment)
{
	int			at = 0;

	assignment->look_at = 0;
	for (int i = 0; i < assignment->ntopics; i++)
	{
		for (at = 0; at < assignment->npartitions; at++)
		{
			if (strcmp(assignment->partitions[at]->topic, assignment->topics[i]) == 0)
				break;
		}
		if (at == assignment->npartitions)
			assignment->look_at = TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
															  LOOK_MS);
	}
	if (assignment->look_at == 0 && assignment->missing != NULL)
	{
		pfree(assignment->missing);
		assignment->missing = NULL;
	}
}

void
connect_assignment_expect(ConnectAssignment *assignment, char **topics,
						  int ntopics)
{
	assignment->topics = topics;
	assignment->ntopics = ntopics;
	expect_topics(assignment);
}

void
connect_assignment_look(ConnectTaskRun *run, ConnectAssignment *assignment)
{
	ConnectKafkaAdminResult result;
	ConnectKafkaError err;

	if (assignment->look_at == 0 ||
		assignment->look_at > GetCurrentTimestamp())
		return;
	if (connect_kafka_client_is_down(connect_kafka_consumer_client(assignment->consumer)))
	{
		assignment->look_at = TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
														  LOOK_AGAIN_MS);
		return;
	}
	if (assignment->look == 0)
		assignment->look = connect_kafka_admin_describe_topics(connect_topics_admin(run),
															   (const char *const *) assignment->topics,
															   assignment->ntopics,
															   QUERY_MS, &err);
	if (assignment->look == 0)
		connect_errors_raise_kafka("could not look for the topics", &err);
	while (connect_kafka_admin_poll(connect_topics_admin(run), &result))
	{
		if (result.request == assignment->look)
		{
			take_look(run, assignment, &result);
			connect_topics_idle(run);
			break;
		}
	}
}

static void
take_look(ConnectTaskRun *run, ConnectAssignment *assignment,
		  const ConnectKafkaAdminResult *result)
{
	StringInfoData text;
	int			n = 0;

	MemoryContextSwitchTo(run->task.batch_context);
	initStringInfo(&text);
	for (int i = 0; i < result->nitems; i++)
	{
		if (result->items[i].error.code == CONNECT_KAFKA_UNKNOWN_TOPIC_OR_PART)
			appendStringInfo(&text, "%s\"%s\"", n++ > 0 ? ", " : "",
							 result->items[i].name);
	}
	assignment->look = 0;
	if (assignment->missing != NULL)
		pfree(assignment->missing);
	assignment->missing = NULL;
	if (n > 0)
		assignment->missing = MemoryContextStrdup(run->task.context,
												  psprintf("Kafka: %s %s %s not exist",
														   n == 1 ? "topic" : "topics",
														   text.data,
														   n == 1 ? "does" : "do"));
	assignment->look_at = n > 0 || result->error.code != CONNECT_KAFKA_NO_ERROR ?
		TimestampTzPlusMilliseconds(GetCurrentTimestamp(), LOOK_AGAIN_MS) : 0;
	connect_task_waits_in_runtime(run, assignment->missing);
}

/*
 * Commits a new epoch for each partition.  False if one of them is still in
 * somebody's transaction.
 */
static bool
take(ConnectTaskRun *run, ConnectRebalance *rebalance)
{
	volatile int at = 0;
	volatile bool locked = false;

	PG_TRY();
	{
		connect_task_begin(&run->task);
		(void) set_config_option("lock_timeout", TAKE_LOCK_MS, PGC_USERSET,
								 PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0,
								 false);
		for (; at < rebalance->nparts; at++)
		{
			ConnectSinkPartition *partition = rebalance->partitions[at];

			connect_sink_offset_take(run->task.connector_id, partition->topic,
									 partition->partition, &partition->epoch,
									 &partition->stored);
		}
		connect_task_commit(&run->task);
	}
	PG_CATCH();
	{
		if (geterrcode() != ERRCODE_LOCK_NOT_AVAILABLE)
			PG_RE_THROW();
		MemoryContextSwitchTo(run->task.batch_context);
		HOLD_INTERRUPTS();
		FlushErrorState();
		connect_xact_abort();
		RESUME_INTERRUPTS();
		MemoryContextSwitchTo(run->task.batch_context);
		locked = true;
	}
	PG_END_TRY();
	if (locked)
	{
		ConnectSinkPartition *partition = rebalance->partitions[at];
		int			pid;

		connect_task_begin(&run->task);
		pid = connect_sink_offset_holder(run->task.connector_id,
										 partition->topic,
										 partition->partition);
		connect_task_commit(&run->task);
		connect_task_waits_in_runtime(run, pid == 0 ?
									  psprintf("partition %d of topic \"%s\" is in a transaction of who had it before",
											   partition->partition,
											   partition->topic) :
									  psprintf("partition %d of topic \"%s\" is in a transaction of process %d, which had it before",
											   partition->partition,
											   partition->topic, pid));
	}
	return !locked;
}

static void
accept_partitions(ConnectTaskRun *run, ConnectAssignment *assignment)
{
	const ConnectRebalance *rebalance = assignment->rebalance;
	ConnectKafkaError err;

	for (int i = 0; i < rebalance->nparts; i++)
	{
		ConnectSinkPartition *partition = rebalance->partitions[i];
		ConnectKafkaOffset *offset = &rebalance->parts[i];

		partition->position = partition->stored;
		partition->told = partition->stored;
		partition->next = -1;
		offset->opaque = partition;
		offset->offset = partition->stored >= 0 ? partition->stored :
			CONNECT_KAFKA_OFFSET_BEGINNING;
		if (partition->stored < 0 && assignment->latest)
		{
			int64_t		low;
			int64_t		high;

			/* A number, to be stored: the end moves. */
			if (connect_kafka_consumer_query_watermarks(assignment->consumer,
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
	if (!connect_kafka_consumer_accept(assignment->consumer, rebalance->parts,
									   rebalance->nparts, &err))
		connect_errors_raise_kafka("could not take partitions", &err);
	for (int i = 0; i < rebalance->nparts; i++)
		add_partition(run, assignment, rebalance->partitions[i]);
}

/*
 * Partitions go: what was put is made durable and stored first, unless others
 * may own them already.
 */
static void
revoked(ConnectTaskRun *run, ConnectAssignment *assignment)
{
	const ConnectRebalance *rebalance = assignment->rebalance;
	ConnectSinkPartition **gone;
	int			ngone = 0;

	MemoryContextReset(run->task.batch_context);
	MemoryContextSwitchTo(run->task.batch_context);
	connect_sink_drop_batch(run);
	if (!rebalance->lost)
		connect_sink_store_offsets(run);

	gone = palloc(Max(rebalance->nparts, 1) * sizeof(ConnectSinkPartition *));
	for (int i = 0; i < rebalance->nparts; i++)
	{
		ConnectSinkPartition *partition = find_partition(assignment,
												  rebalance->parts[i].topic,
												  rebalance->parts[i].partition);

		if (partition != NULL)
			gone[ngone++] = partition;
	}
	if (run->task.cls->close != NULL && ngone > 0)
		run->task.cls->close(&run->task, connect_assignment_list(gone, ngone), ngone);
	for (int i = 0; i < ngone; i++)
	{
		int			at = 0;

		while (assignment->partitions[at] != gone[i])
			at++;
		assignment->npartitions--;
		memmove(&assignment->partitions[at], &assignment->partitions[at + 1],
				(assignment->npartitions - at) * sizeof(ConnectSinkPartition *));
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
import_offsets(ConnectTaskRun *run, ConnectAssignment *assignment)
{
	ConnectKafkaAdminResult result;
	ConnectKafkaError err;
	uint64		request;

	if (connect_clients_embedded(run, CONNECT_KAFKA_CONSUMER))
		return true;			/* nobody can have used it before */
	assignment->look = 0;		/* its answer would be lost below */
	request = connect_kafka_admin_list_group_offsets(connect_topics_admin(run),
													 assignment->group, NULL, 0,
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
	{
		/* With whatever is still under way. */
		connect_topics_idle(run);
		connect_errors_raise_kafka("could not read the group's offsets", &err);
	}

	connect_task_begin(&run->task);
	connect_xact_lock_connector(run->task.connector_id, CONNECT_LOCK_IMPORT,
								ExclusiveLock);
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
out_of_range(ConnectTaskRun *run, ConnectAssignment *assignment,
			 const ConnectKafkaEvent *event)
{
	const ConnectKafkaOffset *at = &event->offsets[0];
	ConnectSinkPartition *partition = find_partition(assignment, at->topic, at->partition);
	int64		offset = CONNECT_KAFKA_OFFSET_BEGINNING;
	ConnectKafkaError err;

	if (partition == NULL)
		return;
	if (strcmp(assignment->out_of_range, "latest") == 0)
		offset = CONNECT_KAFKA_OFFSET_END;
	else if (strcmp(assignment->out_of_range, "earliest") != 0)
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
					assignment->out_of_range),
			 errdetail("The log of the partition holds offsets " INT64_FORMAT " to " INT64_FORMAT ".",
					   event->low, event->high)));
	if (!connect_kafka_consumer_seek(assignment->consumer, at->topic, at->partition,
									 offset, &err))
		connect_errors_raise_kafka("could not seek", &err);
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

static ConnectSinkPartition *
find_partition(ConnectAssignment *assignment, const char *topic,
			   int32 partition)
{
	for (int i = 0; i < assignment->npartitions; i++)
	{
		if (assignment->partitions[i]->partition == partition &&
			strcmp(assignment->partitions[i]->topic, topic) == 0)
			return assignment->partitions[i];
	}
	return NULL;
}

static void
add_partition(ConnectTaskRun *run, ConnectAssignment *assignment,
			  ConnectSinkPartition *partition)
{
	int			at = 0;

	if (assignment->npartitions == assignment->maxpartitions)
	{
		assignment->maxpartitions = Max(16, assignment->maxpartitions * 2);
		assignment->partitions = assignment->partitions == NULL ?
			MemoryContextAlloc(run->task.context, assignment->maxpartitions *
							   sizeof(ConnectSinkPartition *)) :
			repalloc(assignment->partitions, assignment->maxpartitions *
					 sizeof(ConnectSinkPartition *));
	}
	while (at < assignment->npartitions)
	{
		int			order = strcmp(assignment->partitions[at]->topic,
								   partition->topic);

		if (order > 0 || (order == 0 && assignment->partitions[at]->partition >
						  partition->partition))
			break;
		at++;
	}
	memmove(&assignment->partitions[at + 1], &assignment->partitions[at],
			(assignment->npartitions - at) * sizeof(ConnectSinkPartition *));
	assignment->partitions[at] = partition;
	assignment->npartitions++;
}

ConnectTopicPartition *
connect_assignment_list(ConnectSinkPartition **partitions, int n)
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
