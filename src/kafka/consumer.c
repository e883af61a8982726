/*
 * consumer.c
 *	  Opening, fetching, closing.
 *
 * NOTES
 *	  Messages come by librdkafka's batch call, the fastest it has, with a
 *	  timeout of 0.  It calls our rebalance callback, in this thread; that only
 *	  takes a note, and the answer follows from accept() or revoke().
 *
 *	  We keep the position of each partition ourselves: what is below it is
 *	  dropped, and after a rebalance or resume librdkafka is told to go on from
 *	  it, because its batch call can skip or repeat messages around a pause
 *	  (before 2.1.0) and moves its own position on errors (before 2.13.2).
 */
#include "internal.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "consumer.h"

#define CHUNK 500

static void
rebalance_callback(rd_kafka_t *rk, rd_kafka_resp_err_t code,
				   rd_kafka_topic_partition_list_t *list, void *opaque)
{
	assignment_rebalance(opaque, code, list);
}

/*
 * librdkafka before 2.2.0 does not notice that its full queue was drained
 * until its fetching thread wakes for another reason, within a second.
 * Setting the credentials (again, to what they are) is the call that wakes
 * those threads and does nothing else.
 */
static void
consumer_wake_fetchers(ConnectKafkaConsumer *consumer)
{
	rd_kafka_error_t *error;

	consumer->bytes_since_wake = 0;
	consumer->messages_since_wake = 0;
	error = rd_kafka_sasl_set_credentials(consumer->client.rk,
										  consumer->username,
										  consumer->password);
	if (error != NULL)
		rd_kafka_error_destroy(error);
}

ConnectKafkaConsumer *
connect_kafka_consumer_open(ConnectKafkaConf *conf, ConnectKafkaError *err)
{
	ConnectKafkaConsumer *consumer;
	rd_kafka_conf_t *copy;
	const char *username;
	const char *password;
	ConnectKafkaNotice *notice;

	kafka_error_clear(err);
	if (conf->role != CONNECT_KAFKA_CONSUMER ||
		connect_kafka_conf_get(conf, "group.id") == NULL)
	{
		kafka_error_set(err, RD_KAFKA_RESP_ERR__INVALID_ARG,
						conf->role != CONNECT_KAFKA_CONSUMER ?
						"not a consumer's configuration" :
						"group.id is not set", "consumer");
		return NULL;
	}
	username = connect_kafka_conf_get(conf, "sasl.username");
	password = connect_kafka_conf_get(conf, "sasl.password");
	consumer = calloc(1, sizeof(*consumer));
	if (consumer != NULL)
	{
		consumer->client.efd = -1;
		consumer->chunk = calloc(CHUNK, sizeof(*consumer->chunk));
		consumer->group = strdup(connect_kafka_conf_get(conf, "group.id"));
		consumer->username = strdup(username ? username : "");
		consumer->password = strdup(password ? password : "");
	}
	if (consumer == NULL || consumer->chunk == NULL || consumer->group == NULL ||
		consumer->username == NULL || consumer->password == NULL)
	{
		kafka_error_set(err, RD_KAFKA_RESP_ERR__FAIL, "out of memory", "consumer");
		connect_kafka_consumer_close(&consumer, 0);
		return NULL;
	}
	consumer->average_size = 1024;
	consumer->poll_interval_ms =
		(int) connect_kafka_conf_get_int(conf, "max.poll.interval.ms", 300000);
	consumer->must_wake = rd_kafka_version() < VERSION_FETCH_BACKOFF;
	consumer->wake_bytes =
		connect_kafka_conf_get_int(conf, "queued.max.messages.kbytes", 65536) * 1024 / 4;
	consumer->wake_messages =
		(int) connect_kafka_conf_get_int(conf, "queued.min.messages", 100000) / 4;

	copy = rd_kafka_conf_dup(conf->conf);
	rd_kafka_conf_set_events(copy, RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_LOG);
	rd_kafka_conf_set_rebalance_cb(copy, rebalance_callback);
	rd_kafka_conf_set_opaque(copy, consumer);
	rd_kafka_conf_set(copy, "enable.partition.eof", "true", NULL, 0);
	if (!client_open(&consumer->client, RD_KAFKA_CONSUMER, conf, copy, err))
	{
		connect_kafka_consumer_close(&consumer, 0);
		return NULL;
	}
	if (conf->was_sticky &&
		(notice = client_add_notice(&consumer->client,
									CONNECT_KAFKA_NOTICE_LOG)) != NULL)
	{
		notice->level = 4;
		snprintf(notice->error.text, sizeof(notice->error.text),
				 "partition.assignment.strategy cooperative-sticky is not safe with librdkafka %s (mended in 2.3.0), the group uses \"%s\"",
				 rd_kafka_version_str(), EAGER_ASSIGNORS);
	}
	consumer->messages = rd_kafka_queue_get_consumer(consumer->client.rk);
	client_watch(&consumer->client, consumer->messages);
	return consumer;
}

ConnectKafkaClient *
connect_kafka_consumer_client(ConnectKafkaConsumer *consumer)
{
	return &consumer->client;
}

int
connect_kafka_consumer_poll_interval(const ConnectKafkaConsumer *consumer)
{
	return consumer->poll_interval_ms;
}

bool
connect_kafka_consumer_subscribe(ConnectKafkaConsumer *consumer,
								 const char *const *topics, int ntopics,
								 ConnectKafkaError *err)
{
	rd_kafka_topic_partition_list_t *list;
	rd_kafka_resp_err_t code;

	kafka_error_clear(err);
	list = rd_kafka_topic_partition_list_new(ntopics);
	for (int i = 0; i < ntopics; i++)
		rd_kafka_topic_partition_list_add(list, topics[i],
										  RD_KAFKA_PARTITION_UA);
	code = rd_kafka_subscribe(consumer->client.rk, list);
	rd_kafka_topic_partition_list_destroy(list);
	if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
		kafka_error_set(err, code, NULL, "could not subscribe");
	return code == RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* A batch with room for capacity messages, put first among the held ones. */
static Batch *
batch_new(ConnectKafkaConsumer *consumer, int capacity)
{
	Batch	   *batch = consumer->spare;

	consumer->spare = NULL;
	if (batch == NULL)
		batch = calloc(1, sizeof(*batch));
	if (batch == NULL)
		return NULL;
	if (batch->capacity < capacity)
	{
		free(batch->messages);
		free(batch->handles);
		batch->messages = malloc(sizeof(*batch->messages) * capacity);
		batch->handles = malloc(sizeof(*batch->handles) * capacity);
		batch->capacity = capacity;
	}
	batch->count = 0;
	batch->next = consumer->held;
	consumer->held = batch;
	if (batch->messages == NULL || batch->handles == NULL)
		batch->capacity = 0;
	return batch;
}

static void
batch_free(Batch *batch)
{
	if (batch == NULL)
		return;
	free(batch->messages);
	free(batch->handles);
	free(batch);
}

/* Of the partition of a message, or of its end; NULL if it is to be dropped. */
static Partition *
partition_of(ConnectKafkaConsumer *consumer, const rd_kafka_message_t *handle)
{
	Partition  *partition = partition_find(consumer, handle->rkt,
										   handle->partition);

	if (partition == NULL || partition->is_paused ||
		partition->seek_to != CONNECT_KAFKA_OFFSET_NONE ||
		(partition->position >= 0 && handle->offset < partition->position))
		return NULL;
	return partition;
}

/* Puts one message into the batch, or drops it; returns its size. */
static size_t
batch_add(ConnectKafkaConsumer *consumer, Batch *batch,
		  rd_kafka_message_t *handle)
{
	Partition  *partition = partition_of(consumer, handle);
	ConnectKafkaMessage *message;
	rd_kafka_timestamp_type_t type;

	if (partition == NULL)
	{
		rd_kafka_message_destroy(handle);
		return 0;
	}
	partition->position = handle->offset + 1;

	batch->handles[batch->count] = handle;
	message = &batch->messages[batch->count++];
	message->topic = rd_kafka_topic_name(partition->rkt);
	message->opaque = partition->opaque;
	message->partition = handle->partition;
	message->offset = handle->offset;
	message->timestamp = rd_kafka_message_timestamp(handle, &type);
	message->timestamp_type =
		type == RD_KAFKA_TIMESTAMP_CREATE_TIME ? CONNECT_KAFKA_TIMESTAMP_CREATE :
		type == RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME ? CONNECT_KAFKA_TIMESTAMP_LOG_APPEND :
		CONNECT_KAFKA_TIMESTAMP_NONE;
	message->key = handle->key;
	message->key_len = handle->key != NULL ? handle->key_len : 0;
	message->value = handle->payload;
	message->value_len = handle->payload != NULL ? handle->len : 0;
	message->handle = handle;
	return handle->len + handle->key_len;
}

int
connect_kafka_consumer_fetch(ConnectKafkaConsumer *consumer, int max,
							 size_t max_bytes, const ConnectKafkaMessage **out)
{
	Batch	   *batch;
	size_t		bytes = 0;
	int			nbatch = 0;
	bool		is_drained = false;

	client_fd_clear(&consumer->client);
	event_serve(consumer);
	if (consumer->rebalance != REBALANCE_NONE || consumer->is_leaving)
		return 0;
	if (consumer->npending_seeks > 0)
		assignment_seek_pending(consumer);
	batch = batch_new(consumer, max);
	if (batch == NULL)
		return 0;

	/* A rebalance ends the batch: the caller must see it first. */
	while (batch->count < batch->capacity && bytes < max_bytes &&
		   consumer->rebalance == REBALANCE_NONE)
	{
		size_t		wanted = (max_bytes - bytes) / consumer->average_size + 1;
		size_t		chunk_bytes = 0;
		ssize_t		count;

		if (wanted > CHUNK)
			wanted = CHUNK;
		if (wanted > (size_t) (batch->capacity - batch->count))
			wanted = batch->capacity - batch->count;
		count = rd_kafka_consume_batch_queue(consumer->messages, 0,
											 consumer->chunk, wanted);
		for (ssize_t i = 0; i < count; i++)
		{
			rd_kafka_message_t *handle = consumer->chunk[i];

			if (handle->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
			{
				Partition  *partition = partition_of(consumer, handle);

				if (partition != NULL)
					partition->position = handle->offset;
				rd_kafka_message_destroy(handle);
			}
			else if (handle->err != RD_KAFKA_RESP_ERR_NO_ERROR)
			{
				event_queue_error(consumer, handle);
				rd_kafka_message_destroy(handle);
			}
			else
				chunk_bytes += batch_add(consumer, batch, handle);
		}
		if (batch->count > nbatch)
		{
			consumer->average_size =
				(int) ((3 * (size_t) consumer->average_size +
						chunk_bytes / (batch->count - nbatch)) / 4) + 1;
			consumer->messages_since_wake += batch->count - nbatch;
			consumer->bytes_since_wake += chunk_bytes;
			if (consumer->fetched_before_loss < (size_t) (batch->count - nbatch))
				consumer->client.is_down = false;
			else
				consumer->fetched_before_loss -= batch->count - nbatch;
			nbatch = batch->count;
			bytes += chunk_bytes;
		}
		if (count < (ssize_t) wanted)
		{
			is_drained = true;
			break;
		}
	}
	if (!is_drained)
		client_fd_set(&consumer->client);
	if (consumer->must_wake &&
		(consumer->bytes_since_wake >= consumer->wake_bytes ||
		 consumer->messages_since_wake >= consumer->wake_messages))
		consumer_wake_fetchers(consumer);

	*out = batch->messages;
	if (batch->count == 0)
	{
		consumer->held = batch->next;
		batch_free(consumer->spare);
		consumer->spare = batch;
		return 0;
	}
	return batch->count;
}

void
connect_kafka_consumer_release(ConnectKafkaConsumer *consumer)
{
	while (consumer->held != NULL)
	{
		Batch	   *batch = consumer->held;

		consumer->held = batch->next;
		for (int i = 0; i < batch->count; i++)
			rd_kafka_message_destroy(batch->handles[i]);
		batch_free(consumer->spare);
		consumer->spare = batch;
	}
}

int64_t
connect_kafka_consumer_position(ConnectKafkaConsumer *consumer,
								const char *topic, int32_t number)
{
	Partition  *partition = partition_find_name(consumer, topic, number);

	return partition != NULL ? partition->position : CONNECT_KAFKA_OFFSET_NONE;
}

int
connect_kafka_message_headers(const ConnectKafkaMessage *message,
							  ConnectKafkaHeader *out, int max)
{
	rd_kafka_headers_t *headers;
	int			count;

	if (rd_kafka_message_headers(message->handle, &headers) !=
		RD_KAFKA_RESP_ERR_NO_ERROR)
		return 0;
	count = (int) rd_kafka_header_cnt(headers);
	for (int i = 0; i < count && i < max; i++)
		rd_kafka_header_get_all(headers, i, &out[i].key, &out[i].value,
								&out[i].value_len);
	return count;
}

bool
connect_kafka_consumer_leave(ConnectKafkaConsumer *consumer,
							 ConnectKafkaError *err)
{
	rd_kafka_error_t *error;

	kafka_error_clear(err);
	if (consumer->is_leaving)
		return true;
	/* From here on the main queue has all that comes. */
	error = rd_kafka_consumer_close_queue(consumer->client.rk,
										  consumer->client.queue);
	if (error != NULL)
	{
		kafka_error_take(err, error, "could not leave the group");
		return false;
	}
	consumer->is_leaving = true;
	client_fd_set(&consumer->client);
	return true;
}

bool
connect_kafka_consumer_close(ConnectKafkaConsumer **handle, int deadline_ms)
{
	ConnectKafkaConsumer *consumer = *handle;
	bool		is_done;

	if (consumer == NULL)
		return true;
	*handle = NULL;

	if (consumer->client.rk != NULL && consumer->client.pid == getpid())
	{
		int64_t		until = client_now_ms() + deadline_ms;

		connect_kafka_consumer_release(consumer);
		if (deadline_ms > 0 && !consumer->has_left &&
			connect_kafka_consumer_leave(consumer, NULL))
		{
			ConnectKafkaEvent event;

			while (!rd_kafka_consumer_closed(consumer->client.rk))
			{
				struct pollfd fd = {.fd = consumer->client.efd,.events = POLLIN};
				int64_t		left = until - client_now_ms();

				client_fd_clear(&consumer->client);
				while (connect_kafka_consumer_event(consumer, &event))
					;
				if (consumer->rebalance == REBALANCE_REVOKE)
					(void) connect_kafka_consumer_revoke(consumer, NULL);
				else if (consumer->rebalance == REBALANCE_ASSIGN)
					(void) connect_kafka_consumer_accept(consumer, NULL, 0, NULL);
				consumer->client.notices_count = 0;
				if (left <= 0)
					break;
				(void) poll(&fd, 1, left < 50 ? (int) left : 50);
			}
		}
		partitions_clear(consumer);
		if (consumer->messages != NULL)
		{
			rd_kafka_queue_io_event_enable(consumer->messages, -1, NULL, 0);
			rd_kafka_queue_destroy(consumer->messages);
		}
	}
	if (consumer->rebalance_list != NULL)
		rd_kafka_topic_partition_list_destroy(consumer->rebalance_list);
	events_clear(consumer);
	batch_free(consumer->spare);
	free(consumer->chunk);
	free(consumer->group);
	free(consumer->username);
	if (consumer->password != NULL)
		explicit_bzero(consumer->password, strlen(consumer->password));
	free(consumer->password);
	is_done = client_close(&consumer->client,
						   RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE, 1000);
	free(consumer);
	return is_done;
}
