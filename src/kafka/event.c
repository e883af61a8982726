/*
 * event.c
 *	  What a consumer tells its caller besides messages: rebalances, outcomes
 *	  of commits and look-ups, errors of partitions.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

#include "consumer.h"

#define WATERMARK_TIMEOUT_MS 100

static void
event_free(QueuedEvent *event)
{
	if (event == NULL)
		return;
	for (int i = 0; i < event->event.noffsets; i++)
		free((char *) event->offsets[i].topic);
	free(event->offsets);
	free(event);
}

void
events_clear(ConnectKafkaConsumer *consumer)
{
	while (consumer->events_first != NULL)
	{
		QueuedEvent *event = consumer->events_first;

		consumer->events_first = event->next;
		event_free(event);
	}
	consumer->events_last = NULL;
	event_free(consumer->event_taken);
	consumer->event_taken = NULL;
}

/* NULL without memory: an event is lost then, and librdkafka aborts anyway. */
QueuedEvent *
event_queue(ConnectKafkaConsumer *consumer, ConnectKafkaEventKind kind,
			int noffsets)
{
	QueuedEvent *event = calloc(1, sizeof(*event));

	if (event == NULL)
		return NULL;
	event->offsets = calloc(noffsets > 0 ? noffsets : 1, sizeof(*event->offsets));
	if (event->offsets == NULL)
	{
		free(event);
		return NULL;
	}
	event->event.kind = kind;
	event->event.offsets = event->offsets;
	event->event.noffsets = noffsets;
	event->event.low = CONNECT_KAFKA_OFFSET_NONE;
	event->event.high = CONNECT_KAFKA_OFFSET_NONE;
	if (consumer->events_last != NULL)
		consumer->events_last->next = event;
	else
		consumer->events_first = event;
	consumer->events_last = event;
	return event;
}

QueuedEvent *
event_queue_list(ConnectKafkaConsumer *consumer, ConnectKafkaEventKind kind,
				 const rd_kafka_topic_partition_list_t *list)
{
	int			count = list != NULL ? list->cnt : 0;
	QueuedEvent *event = event_queue(consumer, kind, count);

	for (int i = 0; event != NULL && i < count; i++)
	{
		const rd_kafka_topic_partition_t *from = &list->elems[i];
		ConnectKafkaOffset *to = &event->offsets[i];
		Partition  *partition = partition_find_name(consumer, from->topic,
													from->partition);

		to->topic = strdup(from->topic);
		to->partition = from->partition;
		to->offset = from->offset < 0 ? CONNECT_KAFKA_OFFSET_NONE : from->offset;
		to->opaque = partition != NULL ? partition->opaque : NULL;
		to->code = from->err;
	}
	return event;
}

void
event_queue_error(ConnectKafkaConsumer *consumer,
				  const rd_kafka_message_t *message)
{
	ConnectKafkaEventKind kind = CONNECT_KAFKA_EVENT_PARTITION_ERROR;
	const char *topic;
	Partition  *partition;
	QueuedEvent *event;

	/* Of the group or the client rather than of a partition. */
	if (message->rkt == NULL)
	{
		client_add_error(&consumer->client, message->err,
						 rd_kafka_message_errstr(message));
		return;
	}
	topic = rd_kafka_topic_name(message->rkt);
	partition = partition_find(consumer, message->rkt, message->partition);
	if (message->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET ||
			 message->err == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE)
		kind = CONNECT_KAFKA_EVENT_OUT_OF_RANGE;
	/* A partition that has gone meanwhile has no news. */
	if (partition == NULL && message->partition >= 0)
		return;

	event = event_queue(consumer, kind, 1);
	if (event == NULL)
		return;
	event->offsets[0].topic = strdup(topic);
	event->offsets[0].partition = message->partition;
	event->offsets[0].offset = message->offset < 0 ?
		CONNECT_KAFKA_OFFSET_NONE : message->offset;
	event->offsets[0].opaque = partition != NULL ? partition->opaque : NULL;
	event->offsets[0].code = message->err;
	if (kind == CONNECT_KAFKA_EVENT_PARTITION_ERROR)
	{
		if (message->partition >= 0)
			kafka_error_set(&event->event.error, message->err, NULL,
							"topic \"%s\" partition %d", topic, message->partition);
		else
			kafka_error_set(&event->event.error, message->err, NULL,
							"topic \"%s\"", topic);
		return;
	}

	if (partition != NULL)
	{
		partition->is_stopped = true;
		/* What the message has need not be the offset that was wanted. */
		if (partition->position >= 0)
			event->offsets[0].offset = partition->position;
	}
	event->offsets[0].code = CONNECT_KAFKA_OFFSET_OUT_OF_RANGE;
	(void) connect_kafka_consumer_query_watermarks(consumer, topic,
												   message->partition,
												   WATERMARK_TIMEOUT_MS,
												   &event->event.low,
												   &event->event.high, NULL);
	if (event->offsets[0].offset == CONNECT_KAFKA_OFFSET_NONE)
		kafka_error_set(&event->event.error, CONNECT_KAFKA_OFFSET_OUT_OF_RANGE,
						"the group has no committed offset",
						"topic \"%s\" partition %d", topic, message->partition);
	else if (event->event.high >= 0)
		kafka_error_set(&event->event.error, CONNECT_KAFKA_OFFSET_OUT_OF_RANGE,
						"offset out of range",
						"topic \"%s\" partition %d: offset %lld, but the log has %lld to %lld",
						topic, message->partition,
						(long long) event->offsets[0].offset,
						(long long) event->event.low,
						(long long) event->event.high);
	else
		kafka_error_set(&event->event.error, CONNECT_KAFKA_OFFSET_OUT_OF_RANGE,
						"offset out of range",
						"topic \"%s\" partition %d: offset %lld", topic,
						message->partition,
						(long long) event->offsets[0].offset);
}

static void
serve_commit(ConnectKafkaConsumer *consumer, rd_kafka_event_t *from)
{
	QueuedEvent *event;
	rd_kafka_resp_err_t code = rd_kafka_event_error(from);

	event = event_queue_list(consumer, CONNECT_KAFKA_EVENT_COMMITTED,
							 rd_kafka_event_topic_partition_list(from));
	if (event == NULL)
		return;
	event->event.request = (uintptr_t) rd_kafka_event_opaque(from);
	for (int i = 0; code == RD_KAFKA_RESP_ERR_NO_ERROR && i < event->event.noffsets; i++)
		code = event->offsets[i].code;
	if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
	{
		consumer->client.is_down = false;
		return;
	}
	kafka_error_set(&event->event.error, code, NULL, "offsets were not committed");
	client_explain(&consumer->client, &event->event.error);
}

static void
serve_committed(ConnectKafkaConsumer *consumer, rd_kafka_event_t *from)
{
	const rd_kafka_ListConsumerGroupOffsets_result_t *result =
		rd_kafka_event_ListConsumerGroupOffsets_result(from);
	rd_kafka_resp_err_t code = rd_kafka_event_error(from);
	const char *reason = rd_kafka_event_error_string(from);
	const rd_kafka_group_result_t **groups = NULL;
	size_t		ngroups = 0;
	QueuedEvent *event;

	if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
		groups = rd_kafka_ListConsumerGroupOffsets_result_groups(result, &ngroups);
	if (ngroups > 0 && rd_kafka_group_result_error(groups[0]) != NULL)
	{
		code = rd_kafka_error_code(rd_kafka_group_result_error(groups[0]));
		reason = rd_kafka_error_string(rd_kafka_group_result_error(groups[0]));
	}
	event = event_queue_list(consumer, CONNECT_KAFKA_EVENT_OFFSETS,
							 ngroups > 0 ?
							 rd_kafka_group_result_partitions(groups[0]) : NULL);
	if (event == NULL)
		return;
	event->event.request = (uintptr_t) rd_kafka_event_opaque(from);
	if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
	{
		consumer->client.is_down = false;
		return;
	}
	kafka_error_set(&event->event.error, code, reason,
					"committed offsets could not be read");
	client_explain(&consumer->client, &event->event.error);
}

void
event_serve(ConnectKafkaConsumer *consumer)
{
	rd_kafka_event_t *event;
	bool		was_down = consumer->client.is_down;

	while ((event = client_next_event(&consumer->client)) != NULL)
	{
		switch (rd_kafka_event_type(event))
		{
			case RD_KAFKA_EVENT_OFFSET_COMMIT:
				serve_commit(consumer, event);
				break;
			case RD_KAFKA_EVENT_LISTCONSUMERGROUPOFFSETS_RESULT:
				serve_committed(consumer, event);
				break;
			case RD_KAFKA_EVENT_REBALANCE:
				/* While leaving; else it comes by the callback. */
				assignment_rebalance(consumer, rd_kafka_event_error(event),
									 rd_kafka_event_topic_partition_list(event));
				break;
			default:
				break;
		}
		rd_kafka_event_destroy(event);
	}
	if (consumer->client.is_down && !was_down)
		consumer->fetched_before_loss =
			rd_kafka_queue_length(consumer->messages);
	if (consumer->is_leaving && !consumer->has_left &&
		rd_kafka_consumer_closed(consumer->client.rk))
	{
		consumer->has_left = true;
		(void) event_queue(consumer, CONNECT_KAFKA_EVENT_LEFT, 0);
	}
}

bool
connect_kafka_consumer_event(ConnectKafkaConsumer *consumer,
							 ConnectKafkaEvent *event)
{
	QueuedEvent *first;

	event_free(consumer->event_taken);
	consumer->event_taken = NULL;
	event_serve(consumer);
	first = consumer->events_first;
	if (first == NULL)
		return false;
	consumer->events_first = first->next;
	if (first->next == NULL)
		consumer->events_last = NULL;
	consumer->event_taken = first;
	*event = first->event;
	return true;
}

uint64_t
connect_kafka_consumer_commit(ConnectKafkaConsumer *consumer,
							  const ConnectKafkaOffset *offsets, int noffsets,
							  ConnectKafkaError *err)
{
	rd_kafka_topic_partition_list_t *list;
	rd_kafka_resp_err_t code;
	uint64_t	request = ++consumer->last_request;

	kafka_error_clear(err);
	list = rd_kafka_topic_partition_list_new(noffsets);
	for (int i = 0; i < noffsets; i++)
		rd_kafka_topic_partition_list_add(list, offsets[i].topic,
										  offsets[i].partition)->offset =
			offsets[i].offset;
	code = rd_kafka_commit_queue(consumer->client.rk, list,
								 consumer->client.queue, NULL,
								 (void *) (uintptr_t) request);
	rd_kafka_topic_partition_list_destroy(list);
	if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
		return request;
	kafka_error_set(err, code, NULL, "offsets were not committed");
	return 0;
}

uint64_t
connect_kafka_consumer_committed(ConnectKafkaConsumer *consumer,
								 const ConnectKafkaOffset *partitions,
								 int npartitions, int timeout_ms,
								 ConnectKafkaError *err)
{
	rd_kafka_topic_partition_list_t *list;
	rd_kafka_AdminOptions_t *options;
	rd_kafka_ListConsumerGroupOffsets_t *request;
	char		reason[256];

	kafka_error_clear(err);
	list = rd_kafka_topic_partition_list_new(npartitions);
	for (int i = 0; i < npartitions; i++)
		rd_kafka_topic_partition_list_add(list, partitions[i].topic,
										  partitions[i].partition);
	request = rd_kafka_ListConsumerGroupOffsets_new(consumer->group, list);
	rd_kafka_topic_partition_list_destroy(list);
	options = rd_kafka_AdminOptions_new(consumer->client.rk,
										RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS);
	rd_kafka_AdminOptions_set_request_timeout(options, timeout_ms, reason,
											  sizeof(reason));
	rd_kafka_AdminOptions_set_opaque(options,
									 (void *) (uintptr_t) ++consumer->last_request);
	rd_kafka_ListConsumerGroupOffsets(consumer->client.rk, &request, 1, options,
									  consumer->client.queue);
	rd_kafka_AdminOptions_destroy(options);
	rd_kafka_ListConsumerGroupOffsets_destroy(request);
	return consumer->last_request;
}

bool
connect_kafka_consumer_watermarks(ConnectKafkaConsumer *consumer,
								  const char *topic, int32_t partition,
								  int64_t *low, int64_t *high)
{
	return rd_kafka_get_watermark_offsets(consumer->client.rk, topic, partition,
										  low, high) == RD_KAFKA_RESP_ERR_NO_ERROR &&
		*high >= 0;
}

ConnectKafkaResult
connect_kafka_consumer_query_watermarks(ConnectKafkaConsumer *consumer,
										const char *topic, int32_t partition,
										int timeout_ms, int64_t *low,
										int64_t *high, ConnectKafkaError *err)
{
	rd_kafka_resp_err_t code;
	int64_t		found_low;
	int64_t		found_high;

	kafka_error_clear(err);
	code = rd_kafka_query_watermark_offsets(consumer->client.rk, topic,
											partition, &found_low, &found_high,
											timeout_ms);
	if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
	{
		*low = found_low;
		*high = found_high;
		return CONNECT_KAFKA_OK;
	}
	kafka_error_set(err, code, NULL, "topic \"%s\" partition %d", topic, partition);
	return code == RD_KAFKA_RESP_ERR__TIMED_OUT ?
		CONNECT_KAFKA_IN_PROGRESS : CONNECT_KAFKA_FAILED;
}
