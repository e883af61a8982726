/*
 * kafka.h
 *	  Kafka for the rest of the extension: producer, consumer, admin client,
 *	  mock cluster, client properties.  Plain C, no server types.
 *
 * NOTES
 *	  Only src/kafka/ includes rdkafka.h, and nothing in src/kafka/ includes a
 *	  server header: librdkafka runs threads, and a thread may touch nothing of
 *	  the server.
 *
 *	  Threads.  Every function here is called by one thread, the process's main
 *	  thread.  librdkafka's threads run no code of ours.  What they have to say
 *	  (deliveries, messages, log lines, errors, results) waits in queues; each
 *	  client has one non-blocking eventfd, readable while its queues may hold
 *	  something.  Wait for it (level-triggered) in the process's own
 *	  WaitEventSet, then call the client's poll function until it returns 0 and
 *	  take its notices.  The poll functions read the eventfd themselves, and
 *	  leave it readable when they stop before the queues are empty.
 *	  All signals are blocked while threads are being created, so that every
 *	  one of librdkafka's threads blocks them.
 *
 *	  Processes.  A handle belongs to the process that opened it and must not
 *	  cross a fork.  After a fork its functions fail with _STATE, and close
 *	  frees nothing.  Open handles in workers only, never in the postmaster,
 *	  and close them before exit() runs libc's handlers.
 *
 *	  Time.  Nothing blocks longer than 100 ms, but for calls that take a
 *	  timeout or a deadline and are given a longer one.  Opening a client does
 *	  no network I/O: a broker that is away shows as notices.
 *
 *	  Memory is malloc'ed and belongs to the handle.  Strings that are passed
 *	  in are copied; a pointer that is handed out says until when it is valid.
 *	  X_close(&x) frees all, sets x to NULL, and does nothing for NULL.
 *	  Closing a client returns false if librdkafka's threads did not end in
 *	  time (one may sit in a name look-up); they run on, and the process had
 *	  better end by _exit().  Close clients before the mock cluster they are
 *	  connected to.
 *
 *	  Errors.  A function that can fail takes a ConnectKafkaError (may be NULL)
 *	  and fills it when it returns NULL, false, 0 or CONNECT_KAFKA_FAILED.
 *	  What a caller does with one:
 *		fatal		close the handle, open a new one, go on from the last
 *					acknowledged position
 *		abort		abort the transaction, go on from its start
 *		auth		fail the task: credentials or ACLs are wrong
 *		retriable	do the same again later
 *		none		fail the task or, for a single record, treat it as bad
 *
 *	  Producer, state of one message:
 *		produce() = OK -> queued -> one ConnectKafkaDelivery, sooner or later,
 *		also when it failed and when it was purged, as long as the handle is
 *		open.  produce() = QUEUE_FULL: nothing was taken; poll, wait for the
 *		fd, try again.
 *
 *	  Consumer, group mode:
 *		subscribe -> ASSIGN event -> accept(start offsets) -> messages
 *		-> REVOKE event (commit your work first, unless lost) -> release
 *		acknowledged with revoke() -> ASSIGN ...
 *	  From the moment a rebalance event was queued until it is answered,
 *	  fetch() returns no messages.  Both events name only the partitions that
 *	  come or go.  Manual mode: assign(all partitions with offsets) at will.
 */
#ifndef CONNECT_KAFKA_H
#define CONNECT_KAFKA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ------------------------------ errors ------------------------------ */

/* Codes that callers test.  All others are Kafka's (> 0) or librdkafka's. */
enum
{
	CONNECT_KAFKA_NO_ERROR = 0,
	CONNECT_KAFKA_OFFSET_OUT_OF_RANGE = 1,
	CONNECT_KAFKA_UNKNOWN_TOPIC_OR_PART = 3,
	CONNECT_KAFKA_MSG_TOO_LARGE = 10,
	CONNECT_KAFKA_TOPIC_ALREADY_EXISTS = 36,
	CONNECT_KAFKA_GROUP_NOT_EMPTY = 68,
	CONNECT_KAFKA_GROUP_NOT_FOUND = 69,
	CONNECT_KAFKA_INVALID_CONFIG = -186,	/* also: a property was refused */
	CONNECT_KAFKA_TIMED_OUT = -185,
	CONNECT_KAFKA_STATE = -172,
	CONNECT_KAFKA_PURGED = -152
};

typedef struct ConnectKafkaError
{
	int			code;
	char		text[512];		/* names topic and partition; no secrets */
	bool		retriable;
	bool		fatal;
	bool		abort;			/* the transaction must be aborted */
	bool		auth;			/* authentication or authorization */
} ConnectKafkaError;

typedef enum ConnectKafkaResult
{
	CONNECT_KAFKA_OK,
	CONNECT_KAFKA_QUEUE_FULL,	/* produce: nothing taken, poll and retry */
	CONNECT_KAFKA_IN_PROGRESS,	/* call the same function again */
	CONNECT_KAFKA_FAILED		/* see the ConnectKafkaError */
} ConnectKafkaResult;

/* "RecordTooLargeException" …, fully qualified, as Kafka Connect shows it. */
extern const char *connect_kafka_error_class(int code);

/* "2.0.2" of the library at run time, as text and as 0x020002ff. */
extern const char *connect_kafka_version(void);
extern int	connect_kafka_version_number(void);
/* NULL, or why an administrator should install a newer library. */
extern const char *connect_kafka_version_warning(void);

/* ------------------------------ properties ------------------------------ */

typedef enum ConnectKafkaRole
{
	CONNECT_KAFKA_PRODUCER,
	CONNECT_KAFKA_CONSUMER,
	CONNECT_KAFKA_ADMIN
} ConnectKafkaRole;

typedef struct ConnectKafkaProperty
{
	const char *key;			/* Java client name or librdkafka name */
	const char *value;
} ConnectKafkaProperty;

typedef struct ConnectKafkaConf ConnectKafkaConf;

/*
 * Builds a configuration.  Later entries replace earlier ones, so pass
 * defaults, worker properties and overrides one after the other.  Java names
 * are translated; properties without a meaning here (serializers, metrics
 * reporters …) are ignored; anything outside the allow-list is refused.
 * Properties that make the client read files (or log at length, or take more
 * than 256 MB) need allow_files.
 * A conf can be used for any number of handles.
 */
extern ConnectKafkaConf *connect_kafka_conf_build(ConnectKafkaRole role,
												  const ConnectKafkaProperty *props,
												  int nprops, bool allow_files,
												  ConnectKafkaError *err);
extern void connect_kafka_conf_close(ConnectKafkaConf **conf);

/*
 * The value that holds after translation and defaults, by its Java or its
 * librdkafka name; or, for properties that librdkafka does not know but the
 * caller obeys ("max.poll.records", "max.block.ms", "auto.offset.reset"), as
 * the user wrote it.  NULL if not set.  Valid until the conf is closed.
 */
extern const char *connect_kafka_conf_get(ConnectKafkaConf *conf,
										  const char *key);
extern int64_t connect_kafka_conf_get_int(ConnectKafkaConf *conf,
										  const char *key, int64_t if_unset);

/*
 * For config validation: may it be set?  False, with the reason, if not.  What
 * the library thinks of the value connect_kafka_conf_build() says, as a
 * client of Kafka's does at its start.
 */
extern bool connect_kafka_property_check(const char *key, const char *value,
										 ConnectKafkaRole role, bool allow_files,
										 char *errbuf, size_t errbuf_len);
/* Must its value be hidden? */
extern bool connect_kafka_property_is_secret(const char *key);
/* Does it make the client read a file of the server? */
extern bool connect_kafka_property_reads_file(const char *key);

/*
 * topics.regex: a Java regular expression with full match, as the pattern
 * (starting with ^) that librdkafka subscribes to.  False with a reason if it
 * uses what POSIX expressions cannot say.
 */
extern bool connect_kafka_regex_translate(const char *java, char *out,
										  size_t outlen, char *errbuf,
										  size_t errbuf_len);

/* ------------------------------ all clients ------------------------------ */

/* What every client has: the fd, notices, the name. */
typedef struct ConnectKafkaClient ConnectKafkaClient;
typedef struct ConnectKafkaProducer ConnectKafkaProducer;
typedef struct ConnectKafkaConsumer ConnectKafkaConsumer;
typedef struct ConnectKafkaAdmin ConnectKafkaAdmin;

extern ConnectKafkaClient *connect_kafka_producer_client(ConnectKafkaProducer *producer);
extern ConnectKafkaClient *connect_kafka_consumer_client(ConnectKafkaConsumer *consumer);
extern ConnectKafkaClient *connect_kafka_admin_client(ConnectKafkaAdmin *admin);

/* The eventfd to wait on; owned by the client. */
extern int	connect_kafka_client_fd(const ConnectKafkaClient *client);
/* Set once a fatal error was seen; the handle is good for close only. */
extern bool connect_kafka_client_is_fatal(ConnectKafkaClient *client,
										  ConnectKafkaError *err);
/*
 * Were all brokers away when last heard of?  For status views.  Ends with the
 * next acknowledgement, message or result; an idle client hears nothing, so
 * probe now and then while it holds: OK when a broker answered, IN_PROGRESS
 * when none did within timeout_ms.
 */
extern bool connect_kafka_client_is_down(const ConnectKafkaClient *client);
extern ConnectKafkaResult connect_kafka_client_probe(ConnectKafkaClient *client,
													 int timeout_ms,
													 ConnectKafkaError *err);

typedef enum ConnectKafkaNoticeKind
{
	CONNECT_KAFKA_NOTICE_LOG,	/* a log line of the library */
	CONNECT_KAFKA_NOTICE_ERROR	/* an error of the client as a whole */
} ConnectKafkaNoticeKind;

typedef struct ConnectKafkaNotice
{
	ConnectKafkaNoticeKind kind;
	int			level;			/* LOG: syslog level, 0 to 7 */
	char		facility[32];	/* LOG */
	ConnectKafkaError error;	/* ERROR; LOG has only its text */
	unsigned	dropped;		/* notices lost before this one */
} ConnectKafkaNotice;

/*
 * Takes the oldest notice; false when there is none.  Poll fills this store,
 * which is small: take notices after each poll.
 */
extern bool connect_kafka_client_notice(ConnectKafkaClient *client,
										ConnectKafkaNotice *notice);

/* ------------------------------ producer ------------------------------ */

typedef struct ConnectKafkaTopic ConnectKafkaTopic;

typedef struct ConnectKafkaHeader
{
	const char *key;
	const void *value;			/* NULL: null value */
	size_t		value_len;
} ConnectKafkaHeader;

typedef struct ConnectKafkaDelivery
{
	uint64_t	opaque;			/* as given to produce */
	ConnectKafkaTopic *topic;
	int32_t		partition;
	int			code;			/* CONNECT_KAFKA_NO_ERROR: acknowledged */
	int64_t		offset;
} ConnectKafkaDelivery;

extern ConnectKafkaProducer *connect_kafka_producer_open(const ConnectKafkaConf *conf,
														 ConnectKafkaError *err);

/*
 * The handle of a topic: created at the first call, then cached; valid until
 * the producer is closed.  Get it when a task learns of a topic rather than at
 * the first record: it fetches the topic's metadata in the background.
 */
extern ConnectKafkaTopic *connect_kafka_producer_topic(ConnectKafkaProducer *producer,
													   const char *name,
													   ConnectKafkaError *err);
extern const char *connect_kafka_topic_name(const ConnectKafkaTopic *topic);
/*
 * Asks the brokers for the topic, which creates it where they do that.  OK: the
 * producer knows its partitions now.  IN_PROGRESS: not yet, *err says why.
 */
extern ConnectKafkaResult connect_kafka_producer_look(ConnectKafkaProducer *producer,
													  ConnectKafkaTopic *topic,
													  int timeout_ms,
													  ConnectKafkaError *err);

/*
 * Hands one message over.  Key, value and headers are copied.  partition -1:
 * by key as Kafka's default partitioner does (murmur2), or sticky without a
 * key.  key NULL, value NULL (tombstone): null.  timestamp -1: now.
 */
extern ConnectKafkaResult connect_kafka_produce(ConnectKafkaProducer *producer,
												ConnectKafkaTopic *topic,
												int32_t partition,
												const void *key, size_t key_len,
												const void *value, size_t value_len,
												const ConnectKafkaHeader *headers,
												int nheaders,
												int64_t timestamp,
												uint64_t opaque,
												ConnectKafkaError *err);

/* One of several messages for a partition of a topic, or for -1. */
typedef struct ConnectKafkaOutgoing
{
	const void *key;
	size_t		key_len;
	const void *value;
	size_t		value_len;
	uint64_t	opaque;
	ConnectKafkaResult result;	/* OK, QUEUE_FULL or FAILED */
	int			code;			/* FAILED: why */
} ConnectKafkaOutgoing;

/* Messages in one call of connect_kafka_produce_all(). */
#define CONNECT_KAFKA_OUTGOING_MAX 64

/*
 * As connect_kafka_produce() without headers and with the time of now, for
 * several messages at once: the clock is read and the topic locked once.  After
 * one that finds the queue full none is taken.  True if all were taken.
 */
extern bool connect_kafka_produce_all(ConnectKafkaProducer *producer,
									  ConnectKafkaTopic *topic,
									  int32_t partition,
									  ConnectKafkaOutgoing *messages, int n);
/* Explains a message that FAILED. */
extern void connect_kafka_outgoing_error(ConnectKafkaProducer *producer,
										 ConnectKafkaTopic *topic,
										 int32_t partition,
										 const ConnectKafkaOutgoing *message,
										 ConnectKafkaError *err);

/*
 * Takes up to max deliveries, and whatever else waits (logs, errors: see
 * notices).  Order is kept within a partition only.  Returns their number; 0
 * means that nothing waits.
 */
extern int	connect_kafka_producer_poll(ConnectKafkaProducer *producer,
										ConnectKafkaDelivery *out, int max);
/* Explains a delivery that failed: topic, reason, remedy. */
extern void connect_kafka_delivery_error(ConnectKafkaProducer *producer,
										 const ConnectKafkaDelivery *delivery,
										 ConnectKafkaError *err);

/* Messages taken whose delivery was not polled yet. */
extern int	connect_kafka_producer_outstanding(ConnectKafkaProducer *producer);

/*
 * Sends what lingers.  OK when nothing is outstanding, else IN_PROGRESS: poll
 * deliveries, wait for the fd, call again.  Never blocks.
 */
extern ConnectKafkaResult connect_kafka_producer_flush(ConnectKafkaProducer *producer);

/*
 * Gives up all messages, in flight or not; each still gets its delivery, with
 * CONNECT_KAFKA_PURGED or an error (one in flight may have been written).
 */
extern void connect_kafka_producer_purge(ConnectKafkaProducer *producer);

/*
 * Waits up to flush_ms for outstanding messages, purges the rest, frees all,
 * which may take another second at most.  flush_ms 0: purge at once.
 * Deliveries that were not polled are lost, so a clean stop flushes and polls
 * first.
 */
extern bool connect_kafka_producer_close(ConnectKafkaProducer **producer,
										 int flush_ms);

/*
 * Transactions, for a conf with transactional.id.  init once after open: it
 * fences older producers of that id.  init, commit and abort go on in the
 * background while they return IN_PROGRESS: poll, wait for the fd or some
 * milliseconds, and call the same one again; each call blocks timeout_ms at
 * most (100 is a good value).  commit flushes by itself.
 */
extern ConnectKafkaResult connect_kafka_txn_init(ConnectKafkaProducer *producer,
												 int timeout_ms,
												 ConnectKafkaError *err);
extern ConnectKafkaResult connect_kafka_txn_begin(ConnectKafkaProducer *producer,
												  ConnectKafkaError *err);
extern ConnectKafkaResult connect_kafka_txn_commit(ConnectKafkaProducer *producer,
												   int timeout_ms,
												   ConnectKafkaError *err);
extern ConnectKafkaResult connect_kafka_txn_abort(ConnectKafkaProducer *producer,
												  int timeout_ms,
												  ConnectKafkaError *err);

/* ------------------------------ consumer ------------------------------ */

/* Offsets with a meaning, where a start offset is asked for. */
#define CONNECT_KAFKA_OFFSET_BEGINNING	INT64_C(-2)
#define CONNECT_KAFKA_OFFSET_END		INT64_C(-1)
/* The group's committed offset; without one an OUT_OF_RANGE event. */
#define CONNECT_KAFKA_OFFSET_COMMITTED	INT64_C(-1000)
/* Results: nothing known, nothing committed. */
#define CONNECT_KAFKA_OFFSET_NONE		INT64_C(-1001)

typedef struct ConnectKafkaOffset
{
	const char *topic;
	int32_t		partition;
	int64_t		offset;			/* next offset to read */
	void	   *opaque;			/* in: comes back in each message */
	int			code;			/* out: error of this partition */
} ConnectKafkaOffset;

typedef enum ConnectKafkaTimestampType
{
	CONNECT_KAFKA_TIMESTAMP_NONE,
	CONNECT_KAFKA_TIMESTAMP_CREATE,
	CONNECT_KAFKA_TIMESTAMP_LOG_APPEND
} ConnectKafkaTimestampType;

typedef struct ConnectKafkaMessage
{
	const char *topic;			/* same pointer for all of one partition */
	void	   *opaque;			/* the partition's, from accept or assign */
	int32_t		partition;
	ConnectKafkaTimestampType timestamp_type;
	int64_t		offset;
	int64_t		timestamp;		/* ms; -1 if none */
	const void *key;			/* NULL: null key */
	const void *value;			/* NULL: tombstone */
	size_t		key_len;
	size_t		value_len;
	void	   *handle;			/* for connect_kafka_message_headers */
} ConnectKafkaMessage;

typedef enum ConnectKafkaEventKind
{
	CONNECT_KAFKA_EVENT_ASSIGN,	/* answer with accept() */
	CONNECT_KAFKA_EVENT_REVOKE,	/* answer with revoke() */
	CONNECT_KAFKA_EVENT_COMMITTED,	/* a commit() ended */
	CONNECT_KAFKA_EVENT_OFFSETS,	/* a committed() ended */
	CONNECT_KAFKA_EVENT_OUT_OF_RANGE,	/* the partition stands still: seek */
	CONNECT_KAFKA_EVENT_PARTITION_ERROR,	/* retried unless it says auth */
	CONNECT_KAFKA_EVENT_LEFT	/* leave() ended: close is quick now */
} ConnectKafkaEventKind;

typedef struct ConnectKafkaEvent
{
	ConnectKafkaEventKind kind;
	bool		lost;			/* REVOKE: others may own them already; do
								 * not commit */
	uint64_t	request;		/* COMMITTED, OFFSETS: as returned by the call */
	ConnectKafkaError error;
	const ConnectKafkaOffset *offsets;	/* all but LEFT; one for the last
										 * three kinds of a partition */
	int			noffsets;
	int64_t		low;			/* OUT_OF_RANGE: the log's bounds, or */
	int64_t		high;			/* CONNECT_KAFKA_OFFSET_NONE if unknown */
} ConnectKafkaEvent;

/*
 * group.id must be in the conf.  auto.offset.reset is never left to the
 * library: a position that is gone is an OUT_OF_RANGE event.
 */
extern ConnectKafkaConsumer *connect_kafka_consumer_open(ConnectKafkaConf *conf,
														 ConnectKafkaError *err);

/* Group mode: topics by name, or one starting with ^ from regex_translate. */
extern bool connect_kafka_consumer_subscribe(ConnectKafkaConsumer *consumer,
											 const char *const *topics,
											 int ntopics, ConnectKafkaError *err);
/* Answers ASSIGN, with a start offset for each partition of the event. */
extern bool connect_kafka_consumer_accept(ConnectKafkaConsumer *consumer,
										  const ConnectKafkaOffset *offsets,
										  int noffsets, ConnectKafkaError *err);
/* Answers REVOKE. */
extern bool connect_kafka_consumer_revoke(ConnectKafkaConsumer *consumer,
										  ConnectKafkaError *err);
/* Manual mode: replaces the whole assignment; none with noffsets 0. */
extern bool connect_kafka_consumer_assign(ConnectKafkaConsumer *consumer,
										  const ConnectKafkaOffset *offsets,
										  int noffsets, ConnectKafkaError *err);

/*
 * Takes waiting messages without waiting: up to max, and up to about max_bytes
 * of keys and values (the size of what comes is guessed from what came).  *out and what
 * it points to are valid until release.  May be called again before it, to add
 * to what is held.  0: nothing waits, or an event must be taken first.
 */
extern int	connect_kafka_consumer_fetch(ConnectKafkaConsumer *consumer,
										 int max, size_t max_bytes,
										 const ConnectKafkaMessage **out);
extern void connect_kafka_consumer_release(ConnectKafkaConsumer *consumer);
/* Headers of a message that is held: how many there are; max are filled. */
extern int	connect_kafka_message_headers(const ConnectKafkaMessage *message,
										  ConnectKafkaHeader *out, int max);

/*
 * Where reading goes on: behind the last message that fetch returned, and at
 * the end of the partition behind what is no message there, too (the ends of
 * transactions).  CONNECT_KAFKA_OFFSET_NONE while unknown.
 */
extern int64_t connect_kafka_consumer_position(ConnectKafkaConsumer *consumer,
											   const char *topic,
											   int32_t partition);

/* Next event; false when none.  Its pointers are valid until the next call. */
extern bool connect_kafka_consumer_event(ConnectKafkaConsumer *consumer,
										 ConnectKafkaEvent *event);

/*
 * Reading on from offset.  Messages fetched before the call are not taken
 * back; none of the old position is returned after it.
 */
extern bool connect_kafka_consumer_seek(ConnectKafkaConsumer *consumer,
										const char *topic, int32_t partition,
										int64_t offset, ConnectKafkaError *err);
/*
 * Stops and resumes delivery of partitions; of all when topic is NULL, also of
 * those assigned later.  Nothing is skipped or repeated.  To stop for a while,
 * not fetching is enough, but in group mode one must keep calling fetch (with
 * all paused) at least every poll_interval ms, or the group expels us.
 */
extern bool connect_kafka_consumer_pause(ConnectKafkaConsumer *consumer,
										 const char *topic, int32_t partition,
										 ConnectKafkaError *err);
extern bool connect_kafka_consumer_resume(ConnectKafkaConsumer *consumer,
										  const char *topic, int32_t partition,
										  ConnectKafkaError *err);
extern int	connect_kafka_consumer_poll_interval(const ConnectKafkaConsumer *consumer);

/*
 * Commits offsets to the group in the background; a COMMITTED event tells the
 * outcome.  Returns the request's number, 0 on failure.
 */
extern uint64_t connect_kafka_consumer_commit(ConnectKafkaConsumer *consumer,
											  const ConnectKafkaOffset *offsets,
											  int noffsets, ConnectKafkaError *err);
/* Reads the group's committed offsets; an OFFSETS event brings them. */
extern uint64_t connect_kafka_consumer_committed(ConnectKafkaConsumer *consumer,
												 const ConnectKafkaOffset *partitions,
												 int npartitions, int timeout_ms,
												 ConnectKafkaError *err);

/* Log bounds as the last fetch told them: for lag.  False while unknown. */
extern bool connect_kafka_consumer_watermarks(ConnectKafkaConsumer *consumer,
											  const char *topic, int32_t partition,
											  int64_t *low, int64_t *high);
/* The same from the broker, blocking up to timeout_ms. */
extern ConnectKafkaResult connect_kafka_consumer_query_watermarks(ConnectKafkaConsumer *consumer,
																  const char *topic,
																  int32_t partition,
																  int timeout_ms,
																  int64_t *low, int64_t *high,
																  ConnectKafkaError *err);

/*
 * Leaves the group in the background: REVOKE for what is assigned (answer it),
 * then LEFT.  Optional before close, which else does it within its deadline.
 */
extern bool connect_kafka_consumer_leave(ConnectKafkaConsumer *consumer,
										 ConnectKafkaError *err);
extern bool connect_kafka_consumer_close(ConnectKafkaConsumer **consumer,
										 int deadline_ms);

/* ------------------------------ admin ------------------------------ */

typedef struct ConnectKafkaNewTopic
{
	const char *name;
	int			partitions;		/* -1: broker default */
	int			replication_factor; /* -1: broker default */
	const ConnectKafkaProperty *configs;
	int			nconfigs;
} ConnectKafkaNewTopic;

typedef enum ConnectKafkaAdminOp
{
	CONNECT_KAFKA_CREATE_TOPICS,
	CONNECT_KAFKA_DELETE_TOPICS,
	CONNECT_KAFKA_DESCRIBE_TOPICS,
	CONNECT_KAFKA_DELETE_GROUP,
	CONNECT_KAFKA_LIST_GROUP_OFFSETS,
	CONNECT_KAFKA_ALTER_GROUP_OFFSETS,
	CONNECT_KAFKA_DELETE_GROUP_OFFSETS
} ConnectKafkaAdminOp;

typedef struct ConnectKafkaAdminItem
{
	const char *name;			/* topic or group */
	int32_t		partition;		/* group offsets; else -1 */
	int64_t		offset;			/* group offsets: CONNECT_KAFKA_OFFSET_NONE if
								 * none */
	const char *metadata;		/* group offsets: text committed with it, or
								 * NULL */
	int			partitions;		/* DESCRIBE_TOPICS: number of them */
	int			replication_factor; /* DESCRIBE_TOPICS */
	ConnectKafkaError error;	/* of this topic, group or partition */
} ConnectKafkaAdminItem;

typedef struct ConnectKafkaAdminResult
{
	uint64_t	request;		/* as returned by the call */
	ConnectKafkaAdminOp op;
	ConnectKafkaError error;	/* of the request as a whole */
	const ConnectKafkaAdminItem *items;
	int			nitems;
	const char *cluster_id;		/* DESCRIBE_TOPICS; NULL if not told */
} ConnectKafkaAdminResult;

extern ConnectKafkaAdmin *connect_kafka_admin_open(const ConnectKafkaConf *conf,
												   ConnectKafkaError *err);

/*
 * Each starts a request and returns its number, or 0 on failure.  Its result
 * comes from admin_poll, at the latest after about timeout_ms.
 */
extern uint64_t connect_kafka_admin_create_topics(ConnectKafkaAdmin *admin,
												  const ConnectKafkaNewTopic *topics,
												  int ntopics, int timeout_ms,
												  ConnectKafkaError *err);
extern uint64_t connect_kafka_admin_delete_topics(ConnectKafkaAdmin *admin,
												  const char *const *topics,
												  int ntopics, int timeout_ms,
												  ConnectKafkaError *err);
/*
 * All topics with ntopics 0.  Creates none.  A topic that is not there has
 * CONNECT_KAFKA_UNKNOWN_TOPIC_OR_PART in its item.  Also brings the cluster
 * id.  While it runs the fd stays readable and admin_poll blocks up to 100 ms.
 */
extern uint64_t connect_kafka_admin_describe_topics(ConnectKafkaAdmin *admin,
													const char *const *topics,
													int ntopics, int timeout_ms,
													ConnectKafkaError *err);
extern uint64_t connect_kafka_admin_delete_group(ConnectKafkaAdmin *admin,
												 const char *group, int timeout_ms,
												 ConnectKafkaError *err);
/* All committed partitions with npartitions 0. */
extern uint64_t connect_kafka_admin_list_group_offsets(ConnectKafkaAdmin *admin,
													   const char *group,
													   const ConnectKafkaOffset *partitions,
													   int npartitions, int timeout_ms,
													   ConnectKafkaError *err);
/* The group must have no members. */
extern uint64_t connect_kafka_admin_alter_group_offsets(ConnectKafkaAdmin *admin,
														const char *group,
														const ConnectKafkaOffset *offsets,
														int noffsets, int timeout_ms,
														ConnectKafkaError *err);
extern uint64_t connect_kafka_admin_delete_group_offsets(ConnectKafkaAdmin *admin,
														 const char *group,
														 const ConnectKafkaOffset *partitions,
														 int npartitions, int timeout_ms,
														 ConnectKafkaError *err);

/* Next result; false when none waits.  Valid until the next call. */
extern bool connect_kafka_admin_poll(ConnectKafkaAdmin *admin,
									 ConnectKafkaAdminResult *result);
extern bool connect_kafka_admin_close(ConnectKafkaAdmin **admin);

/* ------------------------------ mock cluster ------------------------------ */

/*
 * librdkafka's own imitation of a cluster, on loopback with ports that the
 * kernel picks.  Keeps 5 MiB a partition, in memory; no admin requests, no
 * TLS, no real transactions.  For connect.embedded_broker and for tests.
 */
typedef struct ConnectKafkaMock ConnectKafkaMock;

extern ConnectKafkaMock *connect_kafka_mock_start(int nbrokers,
												  char *bootstrap,
												  size_t bootstrap_len,
												  ConnectKafkaError *err);
extern bool connect_kafka_mock_topic(ConnectKafkaMock *mock, const char *topic,
									 int partitions, ConnectKafkaError *err);
extern void connect_kafka_mock_close(ConnectKafkaMock **mock);

/* Faults, for tests.  broker -1: all of them. */
extern void connect_kafka_mock_broker_up(ConnectKafkaMock *mock, int broker, bool up);
extern void connect_kafka_mock_broker_delay(ConnectKafkaMock *mock, int broker, int ms);
/* The next requests of this API key fail with these codes, one each; 0: none. */
extern void connect_kafka_mock_fail(ConnectKafkaMock *mock, int api_key,
									const int *codes, int ncodes);
/* What metadata requests say of this topic; 0 ends it. */
extern void connect_kafka_mock_topic_error(ConnectKafkaMock *mock,
										   const char *topic, int code);
/* Moves a partition to another broker, -1: to none. */
extern void connect_kafka_mock_leader(ConnectKafkaMock *mock, const char *topic,
									  int partition, int broker);

#endif							/* CONNECT_KAFKA_H */
