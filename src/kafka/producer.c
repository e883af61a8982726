/*
 * producer.c
 *	  Messages out, delivery reports back.
 *
 * NOTES
 *	  Delivery reports come as events, each with a batch of messages; poll
 *	  hands them out piecemeal and keeps the event it is in (current).
 *
 *	  A topic's handle is made before its first message: producing by name
 *	  alone can delay the first message by up to a second before librdkafka
 *	  2.10.1.
 */
#include "internal.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "producer.h"

_Static_assert(sizeof(void *) == sizeof(uint64_t),
			   "an opaque travels as a pointer");

ConnectKafkaProducer *
connect_kafka_producer_open(const ConnectKafkaConf *conf, ConnectKafkaError *err)
{
	ConnectKafkaProducer *producer;
	rd_kafka_conf_t *copy;

	kafka_error_clear(err);
	if (conf->role != CONNECT_KAFKA_PRODUCER)
	{
		kafka_error_set(err, RD_KAFKA_RESP_ERR__INVALID_ARG,
						"not a producer's configuration", "producer");
		return NULL;
	}
	producer = calloc(1, sizeof(*producer));
	if (producer == NULL)
	{
		kafka_error_set(err, RD_KAFKA_RESP_ERR__FAIL, "out of memory", "producer");
		return NULL;
	}
	copy = rd_kafka_conf_dup(conf->conf);
	rd_kafka_conf_set_events(copy, RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR |
							 RD_KAFKA_EVENT_LOG);
	if (!client_open(&producer->client, RD_KAFKA_PRODUCER, conf, copy, err))
	{
		connect_kafka_producer_close(&producer, 0);
		return NULL;
	}
	return producer;
}

ConnectKafkaClient *
connect_kafka_producer_client(ConnectKafkaProducer *producer)
{
	return &producer->client;
}

ConnectKafkaTopic *
connect_kafka_producer_topic(ConnectKafkaProducer *producer, const char *name,
							 ConnectKafkaError *err)
{
	ConnectKafkaTopic *topic;
	rd_kafka_topic_conf_t *topic_conf;

	for (topic = producer->topics; topic != NULL; topic = topic->next)
	{
		if (strcmp(rd_kafka_topic_name(topic->rkt), name) == 0)
			return topic;
	}

	kafka_error_clear(err);
	topic = calloc(1, sizeof(*topic));
	topic_conf = rd_kafka_default_topic_conf_dup(producer->client.rk);
	if (topic != NULL && topic_conf != NULL)
	{
		rd_kafka_topic_conf_set_opaque(topic_conf, topic);
		topic->rkt = rd_kafka_topic_new(producer->client.rk, name, topic_conf);
	}
	if (topic == NULL || topic->rkt == NULL)
	{
		if (topic_conf != NULL)
			rd_kafka_topic_conf_destroy(topic_conf);
		free(topic);
		kafka_error_set(err, rd_kafka_last_error(), NULL, "topic \"%s\"", name);
		return NULL;
	}
	topic->next = producer->topics;
	producer->topics = topic;
	return topic;
}

/*
 * librdkafka itself asks for a topic that it was told to be missing once a
 * second; every answer that comes counts.
 */
ConnectKafkaResult
connect_kafka_producer_look(ConnectKafkaProducer *producer,
							ConnectKafkaTopic *topic, int timeout_ms,
							ConnectKafkaError *err)
{
	const struct rd_kafka_metadata *metadata;
	rd_kafka_resp_err_t code;
	bool		has_partitions = false;

	kafka_error_clear(err);
	code = rd_kafka_metadata(producer->client.rk, 0, topic->rkt, &metadata,
							 timeout_ms);
	if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
	{
		if (metadata->topic_cnt > 0)
		{
			code = metadata->topics[0].err;
			has_partitions = metadata->topics[0].partition_cnt > 0;
		}
		rd_kafka_metadata_destroy(metadata);
	}
	if (code == RD_KAFKA_RESP_ERR_NO_ERROR && has_partitions)
		return CONNECT_KAFKA_OK;
	kafka_error_set(err, code, NULL, "topic \"%s\"",
					rd_kafka_topic_name(topic->rkt));
	return CONNECT_KAFKA_IN_PROGRESS;
}

const char *
connect_kafka_topic_name(const ConnectKafkaTopic *topic)
{
	return rd_kafka_topic_name(topic->rkt);
}

/* Says why produce failed; *err may be NULL. */
static ConnectKafkaResult
produce_failed(ConnectKafkaProducer *producer, ConnectKafkaTopic *topic,
			   int32_t partition, size_t size, rd_kafka_resp_err_t code,
			   ConnectKafkaError *err)
{
	if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL)
		return CONNECT_KAFKA_QUEUE_FULL;
	if (code == RD_KAFKA_RESP_ERR__FATAL)
	{
		char		text[400];
		int			cause = rd_kafka_fatal_error(producer->client.rk, text,
												 sizeof(text));

		kafka_error_set(err, cause ? cause : code, cause ? text : NULL,
						"topic \"%s\"", rd_kafka_topic_name(topic->rkt));
		if (err != NULL)
		{
			err->fatal = true;
			err->retriable = false;
		}
	}
	else if (code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
		kafka_error_set(err, code, NULL, "message of %zu bytes for topic \"%s\"",
						size, rd_kafka_topic_name(topic->rkt));
	else if (partition >= 0)
		kafka_error_set(err, code, NULL, "topic \"%s\" partition %d",
						rd_kafka_topic_name(topic->rkt), partition);
	else
		kafka_error_set(err, code, NULL, "topic \"%s\"",
						rd_kafka_topic_name(topic->rkt));
	/* A transaction that must be aborted takes no more messages. */
	if (err != NULL && code == RD_KAFKA_RESP_ERR__STATE)
		err->abort = producer->is_in_transaction;
	client_explain(&producer->client, err);
	return CONNECT_KAFKA_FAILED;
}

ConnectKafkaResult
connect_kafka_produce(ConnectKafkaProducer *producer, ConnectKafkaTopic *topic,
					  int32_t partition, const void *key, size_t key_len,
					  const void *value, size_t value_len,
					  const ConnectKafkaHeader *headers, int nheaders,
					  int64_t timestamp, uint64_t opaque,
					  ConnectKafkaError *err)
{
	rd_kafka_headers_t *list = NULL;
	rd_kafka_resp_err_t code;

	if (nheaders == 0 && timestamp < 0)
	{
		if (rd_kafka_produce(topic->rkt, partition, RD_KAFKA_MSG_F_COPY,
							 (void *) value, value_len, key, key_len,
							 (void *) (uintptr_t) opaque) == 0)
			return CONNECT_KAFKA_OK;
		return produce_failed(producer, topic, partition, key_len + value_len,
							  rd_kafka_last_error(), err);
	}

	if (nheaders > 0)
	{
		list = rd_kafka_headers_new(nheaders);
		for (int i = 0; i < nheaders; i++)
			rd_kafka_header_add(list, headers[i].key, -1, headers[i].value,
								headers[i].value != NULL ?
								(ssize_t) headers[i].value_len : -1);
	}
	/* timestamp 0 is librdkafka's "now", as -1 is ours. */
	code = rd_kafka_producev(producer->client.rk,
							 RD_KAFKA_V_RKT(topic->rkt),
							 RD_KAFKA_V_PARTITION(partition),
							 RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
							 RD_KAFKA_V_KEY(key, key_len),
							 RD_KAFKA_V_VALUE((void *) value, value_len),
							 RD_KAFKA_V_TIMESTAMP(timestamp < 0 ? 0 : timestamp),
							 RD_KAFKA_V_OPAQUE((void *) (uintptr_t) opaque),
							 list != NULL ? RD_KAFKA_VTYPE_HEADERS : RD_KAFKA_VTYPE_END,
							 list,
							 RD_KAFKA_V_END);
	if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
		return CONNECT_KAFKA_OK;
	if (list != NULL)
		rd_kafka_headers_destroy(list);
	return produce_failed(producer, topic, partition, key_len + value_len, code,
						  err);
}

bool
connect_kafka_produce_all(ConnectKafkaProducer *producer,
						  ConnectKafkaTopic *topic, int32_t partition,
						  ConnectKafkaOutgoing *messages, int n)
{
	rd_kafka_message_t list[CONNECT_KAFKA_OUTGOING_MAX];

	for (int i = 0; i < n; i++)
	{
		list[i].payload = (void *) messages[i].value;
		list[i].len = messages[i].value_len;
		list[i].key = (void *) messages[i].key;
		list[i].key_len = messages[i].key_len;
		list[i]._private = (void *) (uintptr_t) messages[i].opaque;
	}
	if (rd_kafka_produce_batch(topic->rkt, partition, RD_KAFKA_MSG_F_COPY, list,
							   n) == n)
		return true;
	for (int i = 0; i < n; i++)
	{
		messages[i].code = list[i].err;
		messages[i].result = list[i].err == RD_KAFKA_RESP_ERR_NO_ERROR ?
			CONNECT_KAFKA_OK :
			list[i].err == RD_KAFKA_RESP_ERR__QUEUE_FULL ?
			CONNECT_KAFKA_QUEUE_FULL : CONNECT_KAFKA_FAILED;
	}
	return false;
}

void
connect_kafka_outgoing_error(ConnectKafkaProducer *producer,
							 ConnectKafkaTopic *topic, int32_t partition,
							 const ConnectKafkaOutgoing *message,
							 ConnectKafkaError *err)
{
	(void) produce_failed(producer, topic, partition,
						  message->key_len + message->value_len, message->code,
						  err);
}

int
connect_kafka_producer_poll(ConnectKafkaProducer *producer,
							ConnectKafkaDelivery *out, int max)
{
	int			count = 0;

	client_fd_clear(&producer->client);
	while (count < max)
	{
		const rd_kafka_message_t *message;
		ConnectKafkaDelivery *delivery;

		if (producer->current == NULL)
		{
			producer->current = client_next_event(&producer->client);
			if (producer->current == NULL)
				return count;
		}
		message = rd_kafka_event_message_next(producer->current);
		if (message == NULL)
		{
			rd_kafka_event_destroy(producer->current);
			producer->current = NULL;
			continue;
		}
		delivery = &out[count++];
		delivery->opaque = (uintptr_t) message->_private;
		delivery->topic = rd_kafka_topic_opaque(message->rkt);
		delivery->partition = message->partition;
		delivery->offset = message->offset;
		delivery->code = message->err;
		if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
			producer->client.is_down = false;
		else if (message->err == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT)
			delivery->code = CONNECT_KAFKA_PURGED;
	}
	client_fd_set(&producer->client);
	return count;
}

void
connect_kafka_delivery_error(ConnectKafkaProducer *producer,
							 const ConnectKafkaDelivery *delivery,
							 ConnectKafkaError *err)
{
	(void) produce_failed(producer, delivery->topic, delivery->partition, 0,
						  delivery->code, err);
	if (delivery->code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
		kafka_error_set(err, delivery->code, NULL, "message for topic \"%s\"",
						rd_kafka_topic_name(delivery->topic->rkt));
}

int
connect_kafka_producer_outstanding(ConnectKafkaProducer *producer)
{
	int			count = rd_kafka_outq_len(producer->client.rk);

	/* The queue of events also counts log lines: 0 is what must be exact. */
	return producer->current != NULL && count == 0 ? 1 : count;
}

ConnectKafkaResult
connect_kafka_producer_flush(ConnectKafkaProducer *producer)
{
	if (producer->current == NULL && rd_kafka_outq_len(producer->client.rk) == 0)
		return CONNECT_KAFKA_OK;
	/* Long enough for the threads that it wakes to see that we flush. */
	(void) rd_kafka_flush(producer->client.rk, 1);
	return CONNECT_KAFKA_IN_PROGRESS;
}

void
connect_kafka_producer_purge(ConnectKafkaProducer *producer)
{
	rd_kafka_purge(producer->client.rk, RD_KAFKA_PURGE_F_QUEUE |
				   RD_KAFKA_PURGE_F_INFLIGHT | RD_KAFKA_PURGE_F_NON_BLOCKING);
}

bool
connect_kafka_producer_close(ConnectKafkaProducer **handle, int flush_ms)
{
	ConnectKafkaProducer *producer = *handle;
	bool		is_ours;
	bool		is_done;

	if (producer == NULL)
		return true;
	*handle = NULL;
	is_ours = producer->client.rk != NULL && producer->client.pid == getpid();
	if (is_ours)
	{
		ConnectKafkaDelivery ignored[64];
		int64_t		until = client_now_ms() + flush_ms;

		while (flush_ms > 0 &&
			   connect_kafka_producer_flush(producer) == CONNECT_KAFKA_IN_PROGRESS)
		{
			struct pollfd fd = {.fd = producer->client.efd,.events = POLLIN};
			int64_t		left = until - client_now_ms();

			if (connect_kafka_producer_poll(producer, ignored, lengthof(ignored)) > 0)
				continue;
			producer->client.notices_count = 0;
			if (left <= 0)
				break;
			(void) poll(&fd, 1, left < 20 ? (int) left : 20);
		}
		connect_kafka_producer_purge(producer);
		if (producer->current != NULL)
			rd_kafka_event_destroy(producer->current);
	}
	while (producer->topics != NULL)
	{
		ConnectKafkaTopic *topic = producer->topics;

		producer->topics = topic->next;
		if (is_ours)
			rd_kafka_topic_destroy(topic->rkt);
		free(topic);
	}
	is_done = client_close(&producer->client, 0, 1000);
	free(producer);
	return is_done;
}
