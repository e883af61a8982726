/*
 * consumer.h
 *	  The consumer's state, for consumer.c, assignment.c and event.c.
 */
#ifndef CONNECT_KAFKA_CONSUMER_H
#define CONNECT_KAFKA_CONSUMER_H

#include "internal.h"

#define PARTITION_BUCKETS 256

/*
 * A partition that is assigned.  position is the offset after the last message
 * that fetch returned (at the end of the log: that end), or the start offset if
 * that is a number, else CONNECT_KAFKA_OFFSET_NONE.
 */
typedef struct Partition
{
	rd_kafka_topic_t *rkt;		/* held, so that it identifies the topic */
	int32_t		number;
	bool		is_paused;
	bool		is_stopped;		/* librdkafka gave it up: out of range */
	int64_t		start;			/* as assigned; may be logical */
	int64_t		position;
	/* a seek that librdkafka has still to take, or CONNECT_KAFKA_OFFSET_NONE */
	int64_t		seek_to;
	void	   *opaque;
	struct Partition *next;		/* in its bucket */
} Partition;

/* An event on its way to the caller, with all that it points to. */
typedef struct QueuedEvent
{
	ConnectKafkaEvent event;
	ConnectKafkaOffset *offsets;
	struct QueuedEvent *next;
} QueuedEvent;

/* What one call of fetch returned. */
typedef struct Batch
{
	ConnectKafkaMessage *messages;
	rd_kafka_message_t **handles;
	int			count;
	int			capacity;
	struct Batch *next;
} Batch;

typedef enum Rebalance
{
	REBALANCE_NONE,
	REBALANCE_ASSIGN,			/* the caller owes accept() */
	REBALANCE_REVOKE			/* the caller owes revoke() */
} Rebalance;

struct ConnectKafkaConsumer
{
	ConnectKafkaClient client;	/* first */
	rd_kafka_queue_t *messages;
	char	   *group;
	int			poll_interval_ms;
	int			average_size;	/* of recent messages, for max_bytes */

	Partition  *partitions[PARTITION_BUCKETS];
	int			npartitions;
	int			npending_seeks;
	bool		is_all_paused;

	Rebalance	rebalance;
	rd_kafka_topic_partition_list_t *rebalance_list;
	bool		is_leaving;
	bool		has_left;		/* the LEFT event was queued */

	QueuedEvent *events_first;
	QueuedEvent *events_last;
	QueuedEvent *event_taken;	/* what its caller still looks at */
	uint64_t	last_request;

	Batch	   *held;			/* newest first */
	Batch	   *spare;			/* one to use again */
	rd_kafka_message_t **chunk; /* what librdkafka fills */

	/* messages that waited here when the brokers went away: they prove nothing */
	size_t		fetched_before_loss;

	/* librdkafka before 2.2.0 has to be woken, see consumer_wake_fetchers */
	bool		must_wake;
	int64_t		bytes_since_wake;
	int			messages_since_wake;
	int64_t		wake_bytes;
	int			wake_messages;
	char	   *username;
	char	   *password;
};

/* ---- assignment.c ---- */

/* The entry of a message's partition; NULL if it is not assigned. */
extern Partition *partition_find(ConnectKafkaConsumer *consumer,
								 rd_kafka_topic_t *rkt, int32_t number);
extern Partition *partition_find_name(ConnectKafkaConsumer *consumer,
									  const char *topic, int32_t number);
extern void partitions_clear(ConnectKafkaConsumer *consumer);
/* librdkafka asks for a rebalance: the list is copied. */
extern void assignment_rebalance(ConnectKafkaConsumer *consumer,
								 rd_kafka_resp_err_t code,
								 const rd_kafka_topic_partition_list_t *list);
/* Seeks that could not be done when asked for. */
extern void assignment_seek_pending(ConnectKafkaConsumer *consumer);

/* ---- event.c ---- */

extern QueuedEvent *event_queue(ConnectKafkaConsumer *consumer,
								ConnectKafkaEventKind kind, int noffsets);
/* Copies a librdkafka list into the event. */
extern QueuedEvent *event_queue_list(ConnectKafkaConsumer *consumer,
									 ConnectKafkaEventKind kind,
									 const rd_kafka_topic_partition_list_t *list);
/* An error that came in place of a message. */
extern void event_queue_error(ConnectKafkaConsumer *consumer,
							  const rd_kafka_message_t *message);
/* Results and rebalances that wait in the main queue. */
extern void event_serve(ConnectKafkaConsumer *consumer);
extern void events_clear(ConnectKafkaConsumer *consumer);

#endif							/* CONNECT_KAFKA_CONSUMER_H */
