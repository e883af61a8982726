/*
 * internal.h
 *	  What the files of src/kafka/ share.  Nobody else includes this.
 *
 * NOTES
 *	  Each client (producer, consumer, admin) begins with a ConnectKafkaClient.
 *	  Its main queue carries deliveries, results, errors and log lines as
 *	  events; a consumer has a second queue, for messages and rebalances.  Both
 *	  wake the same eventfd.
 *
 *	  @locality lines say who may run a function.  "main thread" is the thread
 *	  that opened the client; no function of ours runs on any other, but for
 *	  client_destroy_thread.
 */
#ifndef CONNECT_KAFKA_INTERNAL_H
#define CONNECT_KAFKA_INTERNAL_H

#if defined(POSTGRES_H) || defined(POSTGRES_FE_H) || defined(C_H)
#error "src/kafka includes no server header: librdkafka runs threads"
#endif

#include <librdkafka/rdkafka.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/types.h>

#include "kafka.h"

#define lengthof(array) (sizeof(array) / sizeof((array)[0]))

/* The versions at which librdkafka changed what we work around. */
#define VERSION_FETCH_BACKOFF	0x020200ff	/* fetch.queue.backoff.ms */
#define VERSION_STICKY_FIXED	0x020300ff	/* cooperative-sticky, see conf.c */
#define VERSION_SCRAM_FIXED		0x020601ff	/* SCRAM with Kafka 3.8.1 and up */
#define VERSION_GROUP_PROTOCOL	0x020c00ff	/* group.protocol=consumer */

#define NOTICES_MAX 64

struct ConnectKafkaClient
{
	rd_kafka_t *rk;
	rd_kafka_queue_t *queue;	/* main queue: everything but messages */
	int			efd;
	pid_t		pid;			/* who opened it */
	bool		is_down;		/* all brokers were away when last heard of */
	bool		is_scram;
	bool		is_fatal;
	ConnectKafkaError fatal;
	/* a ring; notices_first is the oldest */
	ConnectKafkaNotice *notices;
	int			notices_first;
	int			notices_count;
	unsigned	notices_dropped;	/* since the last that was kept */
};

struct ConnectKafkaConf
{
	ConnectKafkaRole role;
	rd_kafka_conf_t *conf;
	bool		is_scram;
	bool		was_sticky;		/* asked for, and replaced */
	struct KeptProperty *kept;	/* obeyed by the caller, not by librdkafka */
};

/* ---- error.c ---- */

/* Fills *err (if not NULL) with "what: reason; remedy"; returns code. */
extern int	kafka_error_set(ConnectKafkaError *err, int code,
							const char *reason, const char *fmt,...)
			__attribute__((format(printf, 4, 5)));
/* The same from a librdkafka error object, which it destroys. */
extern void kafka_error_take(ConnectKafkaError *err, rd_kafka_error_t *error,
							 const char *fmt,...)
			__attribute__((format(printf, 3, 4)));
extern void kafka_error_clear(ConnectKafkaError *err);
extern void kafka_error_add_hint(ConnectKafkaError *err, const char *fmt,...)
			__attribute__((format(printf, 2, 3)));

/* ---- client.c ---- */

/* All signals blocked, for a piece of code that may create threads. */
extern void signals_block(sigset_t *saved);
extern void signals_restore(const sigset_t *saved);

extern bool client_open(ConnectKafkaClient *client, rd_kafka_type_t type,
						const ConnectKafkaConf *conf, rd_kafka_conf_t *copy,
						ConnectKafkaError *err);
/* Wakes the same eventfd for a second queue; returns it for convenience. */
extern void client_watch(ConnectKafkaClient *client, rd_kafka_queue_t *queue);
/* Resets the eventfd; before the queues are read. */
extern void client_fd_clear(ConnectKafkaClient *client);
/* Makes it readable: something was left behind. */
extern void client_fd_set(ConnectKafkaClient *client);
/*
 * Next event of the main queue that the caller must handle and destroy; NULL
 * when it is empty.  Log lines and errors become notices on the way.
 */
extern rd_kafka_event_t *client_next_event(ConnectKafkaClient *client);
extern ConnectKafkaNotice *client_add_notice(ConnectKafkaClient *client,
											 ConnectKafkaNoticeKind kind);
/* An error of the client as a whole: a notice; remembered if fatal. */
extern void client_add_error(ConnectKafkaClient *client, int code,
							 const char *reason);
/* Is this the process that opened it?  Fills *err if not. */
extern bool client_check(ConnectKafkaClient *client, ConnectKafkaError *err);
/* What is said of the client's errors everywhere: fatal state, SCRAM hint. */
extern void client_explain(ConnectKafkaClient *client, ConnectKafkaError *err);
/*
 * Frees all but the struct.  False if librdkafka did not end in time (a broker
 * thread sits in a name look-up, say): its threads run on.
 */
extern bool client_close(ConnectKafkaClient *client, int destroy_flags,
						 int deadline_ms);
extern int64_t client_now_ms(void);

/* ---- conf.c ---- */

/* What takes the place of the cooperative-sticky assignor, see conf.c. */
#define EAGER_ASSIGNORS "roundrobin,range"

/* ---- property.c ---- */

typedef struct PropertySink
{
	ConnectKafkaRole role;
	bool		allow_files;
	rd_kafka_conf_t *conf;		/* what is being built */
	struct KeptProperty *kept;	/* for the caller, or for property_finish */
	bool		has_idempotence;	/* the user said so */
	bool		has_mechanism;
	bool		is_value_bad;	/* the library refuses a value */
	bool		was_sticky;		/* cooperative-sticky was replaced */
	char		why[400];		/* the reason of a refusal */
} PropertySink;

typedef struct KeptProperty
{
	char	   *key;
	char	   *value;
	struct KeptProperty *next;
} KeptProperty;

/* Applies one property; false with sink->why set. */
extern bool property_apply(PropertySink *sink, const char *key,
						   const char *value);
/* What can be told only when all are known. */
extern bool property_finish(PropertySink *sink);
extern void property_sink_clear(PropertySink *sink);
/* librdkafka's name of a property that is taken over as it is. */
extern const char *property_target(const char *key);
/* Sets one in librdkafka; false with sink->why set. */
extern bool property_set(PropertySink *sink, const char *key,
						 const char *value);
extern bool property_refuse(PropertySink *sink, const char *fmt,...)
			__attribute__((format(printf, 2, 3)));

/* ---- jaas.c ---- */

extern bool jaas_apply(PropertySink *sink, const char *value);

#endif							/* CONNECT_KAFKA_INTERNAL_H */
