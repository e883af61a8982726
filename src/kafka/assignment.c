/*
 * assignment.c
 *	  Which partitions are ours, where each stands; rebalance, seek, pause.
 *
 * NOTES
 *	  The table of partitions holds exactly what is assigned.  A rebalance
 *	  first becomes an event; the table and librdkafka change when the caller
 *	  answers it.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

#include "consumer.h"

static Partition **
partition_bucket(ConnectKafkaConsumer *consumer, int32_t number)
{
	return &consumer->partitions[(uint32_t) number % PARTITION_BUCKETS];
}

Partition *
partition_find(ConnectKafkaConsumer *consumer, rd_kafka_topic_t *rkt,
			   int32_t number)
{
	Partition  *partition;

	for (partition = *partition_bucket(consumer, number); partition != NULL;
		 partition = partition->next)
	{
		if (partition->rkt == rkt && partition->number == number)
			return partition;
	}
	/* Should librdkafka ever have two handles of a topic. */
	return rkt != NULL ?
		partition_find_name(consumer, rd_kafka_topic_name(rkt), number) : NULL;
}

Partition *
partition_find_name(ConnectKafkaConsumer *consumer, const char *topic,
					int32_t number)
{
	Partition  *partition;

	for (partition = *partition_bucket(consumer, number); partition != NULL;
		 partition = partition->next)
	{
		if (partition->number == number &&
			strcmp(rd_kafka_topic_name(partition->rkt), topic) == 0)
			return partition;
	}
	return NULL;
}

static void
seek_set(ConnectKafkaConsumer *consumer, Partition *partition, int64_t offset)
{
	bool		was_pending = partition->seek_to != CONNECT_KAFKA_OFFSET_NONE;
	bool		is_pending = offset != CONNECT_KAFKA_OFFSET_NONE;

	partition->seek_to = offset;
	consumer->npending_seeks += is_pending - was_pending;
}

static bool
partition_add(ConnectKafkaConsumer *consumer, const ConnectKafkaOffset *offset)
{
	Partition **bucket = partition_bucket(consumer, offset->partition);
	Partition  *partition = partition_find_name(consumer, offset->topic,
												offset->partition);

	if (partition == NULL)
	{
		partition = calloc(1, sizeof(*partition));
		if (partition == NULL)
			return false;
		partition->rkt = rd_kafka_topic_new(consumer->client.rk, offset->topic, NULL);
		if (partition->rkt == NULL)
		{
			free(partition);
			return false;
		}
		partition->number = offset->partition;
		partition->seek_to = CONNECT_KAFKA_OFFSET_NONE;
		partition->next = *bucket;
		*bucket = partition;
		consumer->npartitions++;
	}
	seek_set(consumer, partition, CONNECT_KAFKA_OFFSET_NONE);
	partition->start = offset->offset;
	partition->position = offset->offset >= 0 ? offset->offset :
		CONNECT_KAFKA_OFFSET_NONE;
	partition->opaque = offset->opaque;
	partition->is_stopped = false;
	partition->is_paused = consumer->is_all_paused;
	return true;
}

static void
partition_remove(ConnectKafkaConsumer *consumer, const char *topic,
				 int32_t number)
{
	Partition **link = partition_bucket(consumer, number);

	for (; *link != NULL; link = &(*link)->next)
	{
		Partition  *partition = *link;

		if (partition->number != number ||
			strcmp(rd_kafka_topic_name(partition->rkt), topic) != 0)
			continue;
		seek_set(consumer, partition, CONNECT_KAFKA_OFFSET_NONE);
		*link = partition->next;
		consumer->npartitions--;
		rd_kafka_topic_destroy(partition->rkt);
		free(partition);
		return;
	}
}

void
partitions_clear(ConnectKafkaConsumer *consumer)
{
	for (int i = 0; i < PARTITION_BUCKETS; i++)
	{
		while (consumer->partitions[i] != NULL)
		{
			Partition  *partition = consumer->partitions[i];

			partition_remove(consumer, rd_kafka_topic_name(partition->rkt),
							 partition->number);
		}
	}
}

/* Runs body for each partition, named each. */
#define FOR_EACH_PARTITION(consumer, each) \
	for (int bucket_ = 0; bucket_ < PARTITION_BUCKETS; bucket_++) \
		for (Partition *each = (consumer)->partitions[bucket_]; \
			 each != NULL; each = each->next)

void
assignment_rebalance(ConnectKafkaConsumer *consumer, rd_kafka_resp_err_t code,
					 const rd_kafka_topic_partition_list_t *list)
{
	QueuedEvent *event;

	if (code != RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS &&
		code != RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS)
	{
		client_add_error(&consumer->client, code, NULL);
		rd_kafka_assign(consumer->client.rk, NULL);
		partitions_clear(consumer);
		return;
	}
	event = event_queue_list(consumer,
							 code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS ?
							 CONNECT_KAFKA_EVENT_ASSIGN :
							 CONNECT_KAFKA_EVENT_REVOKE, list);
	if (event != NULL)
		event->event.lost = rd_kafka_assignment_lost(consumer->client.rk);
	if (consumer->rebalance_list != NULL)
		rd_kafka_topic_partition_list_destroy(consumer->rebalance_list);
	consumer->rebalance_list = rd_kafka_topic_partition_list_copy(list);
	consumer->rebalance = code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS ?
		REBALANCE_ASSIGN : REBALANCE_REVOKE;
}

static void
rebalance_end(ConnectKafkaConsumer *consumer)
{
	rd_kafka_topic_partition_list_destroy(consumer->rebalance_list);
	consumer->rebalance_list = NULL;
	consumer->rebalance = REBALANCE_NONE;

	/*
	 * librdkafka paused what stays and resumes it where it believes that we
	 * are.  We know better.
	 */
	FOR_EACH_PARTITION(consumer, each)
	{
		if (each->position >= 0 && each->position != each->start &&
			!each->is_stopped)
			seek_set(consumer, each, each->position);
	}
	client_fd_set(&consumer->client);
}

static bool
is_cooperative(ConnectKafkaConsumer *consumer)
{
	const char *protocol = rd_kafka_rebalance_protocol(consumer->client.rk);

	return protocol != NULL && strcmp(protocol, "COOPERATIVE") == 0;
}

static rd_kafka_topic_partition_list_t *
list_from_offsets(const ConnectKafkaOffset *offsets, int noffsets)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(noffsets);

	for (int i = 0; i < noffsets; i++)
		rd_kafka_topic_partition_list_add(list, offsets[i].topic,
										  offsets[i].partition)->offset =
			offsets[i].offset;
	return list;
}

/* Newly assigned partitions start paused if all are. */
static void
pause_if_all(ConnectKafkaConsumer *consumer, rd_kafka_topic_partition_list_t *list)
{
	if (consumer->is_all_paused && list->cnt > 0)
		(void) rd_kafka_pause_partitions(consumer->client.rk, list);
}

bool
connect_kafka_consumer_accept(ConnectKafkaConsumer *consumer,
							  const ConnectKafkaOffset *offsets, int noffsets,
							  ConnectKafkaError *err)
{
	rd_kafka_topic_partition_list_t *list;
	rd_kafka_error_t *error = NULL;
	rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;

	kafka_error_clear(err);
	if (consumer->rebalance != REBALANCE_ASSIGN)
	{
		kafka_error_set(err, RD_KAFKA_RESP_ERR__STATE, "no assignment to accept",
						"consumer");
		return false;
	}
	list = list_from_offsets(offsets, noffsets);
	for (int i = 0; i < noffsets; i++)
	{
		if (!partition_add(consumer, &offsets[i]))
			code = RD_KAFKA_RESP_ERR__FAIL;
	}
	if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
		;
	else if (is_cooperative(consumer))
		error = rd_kafka_incremental_assign(consumer->client.rk, list);
	else
		code = rd_kafka_assign(consumer->client.rk, list);
	if (error != NULL || code != RD_KAFKA_RESP_ERR_NO_ERROR)
	{
		for (int i = 0; i < noffsets; i++)
			partition_remove(consumer, offsets[i].topic, offsets[i].partition);
		if (error != NULL)
			kafka_error_take(err, error, "could not assign partitions");
		else
			kafka_error_set(err, code, NULL, "could not assign partitions");
	}
	else
		pause_if_all(consumer, list);
	rd_kafka_topic_partition_list_destroy(list);
	rebalance_end(consumer);
	return error == NULL && code == RD_KAFKA_RESP_ERR_NO_ERROR;
}

bool
connect_kafka_consumer_revoke(ConnectKafkaConsumer *consumer,
							  ConnectKafkaError *err)
{
	rd_kafka_topic_partition_list_t *list = consumer->rebalance_list;
	rd_kafka_error_t *error = NULL;
	rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;

	kafka_error_clear(err);
	if (consumer->rebalance != REBALANCE_REVOKE)
	{
		kafka_error_set(err, RD_KAFKA_RESP_ERR__STATE, "nothing to revoke",
						"consumer");
		return false;
	}
	for (int i = 0; i < list->cnt; i++)
		partition_remove(consumer, list->elems[i].topic,
						 list->elems[i].partition);
	if (is_cooperative(consumer))
		error = rd_kafka_incremental_unassign(consumer->client.rk, list);
	else
		code = rd_kafka_assign(consumer->client.rk, NULL);
	rebalance_end(consumer);
	if (error != NULL)
	{
		kafka_error_take(err, error, "could not give partitions back");
		return false;
	}
	if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
		kafka_error_set(err, code, NULL, "could not give partitions back");
	return code == RD_KAFKA_RESP_ERR_NO_ERROR;
}

bool
connect_kafka_consumer_assign(ConnectKafkaConsumer *consumer,
							  const ConnectKafkaOffset *offsets, int noffsets,
							  ConnectKafkaError *err)
{
	rd_kafka_topic_partition_list_t *list;
	rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;

	kafka_error_clear(err);
	partitions_clear(consumer);
	for (int i = 0; i < noffsets; i++)
	{
		if (!partition_add(consumer, &offsets[i]))
			code = RD_KAFKA_RESP_ERR__FAIL;
	}
	list = list_from_offsets(offsets, noffsets);
	if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
		code = rd_kafka_assign(consumer->client.rk, noffsets > 0 ? list : NULL);
	if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
	{
		partitions_clear(consumer);
		kafka_error_set(err, code, NULL, "could not assign partitions");
	}
	else
		pause_if_all(consumer, list);
	rd_kafka_topic_partition_list_destroy(list);
	return code == RD_KAFKA_RESP_ERR_NO_ERROR;
}

/*
 * Begins a partition anew at its seek_to: librdkafka seeks only in those that
 * it reads.
 */
static rd_kafka_resp_err_t
partition_restart(ConnectKafkaConsumer *consumer, Partition *partition)
{
	const char *protocol = rd_kafka_rebalance_protocol(consumer->client.rk);
	const char *name = rd_kafka_topic_name(partition->rkt);
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
	rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
	int64_t		offset = partition->seek_to;

	if (protocol != NULL && strcmp(protocol, "EAGER") == 0)
	{
		FOR_EACH_PARTITION(consumer, each)
		{
			rd_kafka_topic_partition_list_add(list, rd_kafka_topic_name(each->rkt),
											  each->number)->offset =
				each->seek_to != CONNECT_KAFKA_OFFSET_NONE ? each->seek_to :
				each->position >= 0 ? each->position : each->start;
		}
		code = rd_kafka_assign(consumer->client.rk, list);
	}
	else
	{
		rd_kafka_error_t *error;

		rd_kafka_topic_partition_list_add(list, name, partition->number)->offset = offset;
		error = rd_kafka_incremental_unassign(consumer->client.rk, list);
		if (error == NULL)
			error = rd_kafka_incremental_assign(consumer->client.rk, list);
		if (error != NULL)
		{
			code = rd_kafka_error_code(error);
			rd_kafka_error_destroy(error);
		}
	}
	rd_kafka_topic_partition_list_destroy(list);
	if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
		return code;

	/* To be assigned anew ends a pause. */
	list = rd_kafka_topic_partition_list_new(1);
	FOR_EACH_PARTITION(consumer, each)
	{
		if (each->is_paused)
			rd_kafka_topic_partition_list_add(list, rd_kafka_topic_name(each->rkt),
											  each->number);
	}
	if (list->cnt > 0)
		(void) rd_kafka_pause_partitions(consumer->client.rk, list);
	rd_kafka_topic_partition_list_destroy(list);
	partition->is_stopped = false;
	return code;
}

/* True if it is done, or can never be. */
static bool
seek_try(ConnectKafkaConsumer *consumer, Partition *partition,
		 ConnectKafkaError *err)
{
	rd_kafka_resp_err_t code = partition->is_stopped ?
		partition_restart(consumer, partition) :
		rd_kafka_seek(partition->rkt, partition->number, partition->seek_to, 100);

	/* librdkafka has not begun with it, or is about to stop. */
	if (code == RD_KAFKA_RESP_ERR__STATE ||
		code == RD_KAFKA_RESP_ERR__PREV_IN_PROGRESS ||
		code == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION)
		return false;
	seek_set(consumer, partition, CONNECT_KAFKA_OFFSET_NONE);
	/* On a timeout the request was taken, but its outcome is not known yet. */
	if (code != RD_KAFKA_RESP_ERR_NO_ERROR &&
		code != RD_KAFKA_RESP_ERR__TIMED_OUT)
		kafka_error_set(err, code, NULL, "could not seek in topic \"%s\" partition %d",
						rd_kafka_topic_name(partition->rkt), partition->number);
	return true;
}

void
assignment_seek_pending(ConnectKafkaConsumer *consumer)
{
	FOR_EACH_PARTITION(consumer, each)
	{
		if (each->seek_to != CONNECT_KAFKA_OFFSET_NONE)
			(void) seek_try(consumer, each, NULL);
	}
}

/* An error for a partition that is not ours. */
static bool
not_assigned(const char *topic, int32_t number, ConnectKafkaError *err)
{
	kafka_error_set(err, RD_KAFKA_RESP_ERR__STATE, "it is not assigned",
					"topic \"%s\" partition %d", topic, number);
	return false;
}

bool
connect_kafka_consumer_seek(ConnectKafkaConsumer *consumer, const char *topic,
							int32_t number, int64_t offset,
							ConnectKafkaError *err)
{
	Partition  *partition = partition_find_name(consumer, topic, number);
	ConnectKafkaError own;

	if (err == NULL)
		err = &own;
	kafka_error_clear(err);
	if (partition == NULL)
		return not_assigned(topic, number, err);
	seek_set(consumer, partition, offset);
	partition->start = offset;
	partition->position = offset >= 0 ? offset : CONNECT_KAFKA_OFFSET_NONE;
	(void) seek_try(consumer, partition, err);
	client_fd_set(&consumer->client);
	return err->code == CONNECT_KAFKA_NO_ERROR;
}

static bool
set_paused(ConnectKafkaConsumer *consumer, const char *topic, int32_t number,
		   bool is_paused, ConnectKafkaError *err)
{
	rd_kafka_topic_partition_list_t *list;
	rd_kafka_resp_err_t code;

	kafka_error_clear(err);
	list = rd_kafka_topic_partition_list_new(8);
	if (topic == NULL)
		consumer->is_all_paused = is_paused;
	else if (partition_find_name(consumer, topic, number) == NULL)
	{
		rd_kafka_topic_partition_list_destroy(list);
		return not_assigned(topic, number, err);
	}
	FOR_EACH_PARTITION(consumer, each)
	{
		const char *name = rd_kafka_topic_name(each->rkt);

		if (each->is_paused == is_paused ||
			(topic != NULL && (each->number != number ||
							   strcmp(name, topic) != 0)))
			continue;
		each->is_paused = is_paused;
		rd_kafka_topic_partition_list_add(list, name, each->number);
		/* Going on exactly where the caller is. */
		if (!is_paused && each->position >= 0 && !each->is_stopped)
			seek_set(consumer, each, each->position);
	}
	code = list->cnt == 0 ? RD_KAFKA_RESP_ERR_NO_ERROR :
		is_paused ? rd_kafka_pause_partitions(consumer->client.rk, list) :
		rd_kafka_resume_partitions(consumer->client.rk, list);
	rd_kafka_topic_partition_list_destroy(list);
	if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
		kafka_error_set(err, code, NULL, "could not %s",
						is_paused ? "pause" : "resume");
	client_fd_set(&consumer->client);
	return code == RD_KAFKA_RESP_ERR_NO_ERROR;
}

bool
connect_kafka_consumer_pause(ConnectKafkaConsumer *consumer, const char *topic,
							 int32_t partition, ConnectKafkaError *err)
{
	return set_paused(consumer, topic, partition, true, err);
}

bool
connect_kafka_consumer_resume(ConnectKafkaConsumer *consumer, const char *topic,
							  int32_t partition, ConnectKafkaError *err)
{
	return set_paused(consumer, topic, partition, false, err);
}
