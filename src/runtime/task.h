/*
 * task.h
 *	  A task as the runtime sees it, shared by task.c, source.c, sink.c and
 *	  what they stand on.
 *
 * NOTES
 *	  One process runs one task; everything here belongs to that process.  The
 *	  part that connectors see is ConnectTask, the first member.
 */
#ifndef CONNECT_TASK_H
#define CONNECT_TASK_H

#include "connect.h"

#include "datatype/timestamp.h"
#include "storage/latch.h"

#include "connector.h"
#include "kafka/kafka.h"
#include "runtime/errors.h"
#include "runtime/slot.h"

typedef enum ConnectTaskPhase
{
	CONNECT_TASK_STARTING,		/* read the configuration, open, cls->start */
	CONNECT_TASK_RUNNING,
	CONNECT_TASK_PAUSED,		/* all is open, nothing is read */
	CONNECT_TASK_STOPPING,		/* wait for acknowledgements, store offsets */
	CONNECT_TASK_FAILED,		/* save the trace */
	CONNECT_TASK_DONE			/* leave the process */
} ConnectTaskPhase;

typedef struct ConnectSource ConnectSource;
typedef struct ConnectSink ConnectSink;
typedef struct ConnectTopics ConnectTopics;

#define CONNECT_TASK_NFDS 5		/* clients and the connector's own socket */

typedef struct ConnectTaskFd
{
	int			fd;
	uint32		events;
} ConnectTaskFd;

typedef struct ConnectTaskRun
{
	ConnectTask task;			/* first: what the connector sees */

	ConnectTaskPhase phase;
	const ConnectConfig *config;	/* the connector's; references resolved */
	MemoryContext context;		/* of the process; task.context is reset by a
								 * restart inside the task */
	ConnectSlot *slot;
	bool		started;		/* cls->start() has returned */
	bool		poll_soon;		/* latch or socket: something may have come */

	/* As of the last start. */
	ConnectConfig *worker;		/* the worker's configuration */
	bool		files_allowed;	/* owner may have client read server files */
	ConnectErrors errors;
	ConnectConverter *key_converter;
	ConnectConverter *value_converter;
	ConnectConverter *header_converter;
	long		flush_interval; /* offset.flush.interval.ms */

	ConnectSource *source;		/* one of the two */
	ConnectSink *sink;
	ConnectTopics *topics;		/* admin client and what it is asked for */

	/* Retries of what failed for a reason that may pass. */
	int			attempts;		/* in a row */
	TimestampTz retry_at;		/* 0 = nothing waits */

	bool		isolates;		/* source: one record a batch, to find which one
								 * Kafka does not take */
	TimestampTz stop_by;		/* STOPPING, FAILED: give up then; 0 = not set */
	char	   *reason;			/* FAILED */
	char	   *trace;
	TimestampTz counters_at;	/* counters were saved last */

	/* Waiting. */
	WaitEventSet *events;
	ConnectTaskFd fds[CONNECT_TASK_NFDS];	/* what events was made for */
	int			nfds;
	bool		fds_stale;		/* one may have been closed and its number given
								 * to another: events does not know it */
	char	   *waits_connector;	/* what the connector waits for; or NULL */
	TimestampTz probed_at;		/* a broker that is away was asked last */
	char	   *waits_runtime;	/* what we wait for: is shown first */
} ConnectTaskRun;

/* The process of a task: from worker.c, once connected. */
extern void connect_task_main(ConnectSlot *slot);

static inline ConnectTaskRun *
connect_task_run(ConnectTask *task)
{
	return (ConnectTaskRun *) task;
}

/* Must the task leave what it is doing (stop, pause, restart, shutdown)? */
extern bool connect_task_interrupted(ConnectTaskRun *run);

/*
 * For loops that wait for one thing inside a turn: sleeps until the latch is
 * set, the admin client or the dead letters' producer has something, or the
 * time limit of a task that ends is over.  Outside transactions only.
 */
extern void connect_task_wait(ConnectTaskRun *run);

/* The step that had failed before has succeeded: no more back-off. */
extern void connect_task_succeeded(ConnectTaskRun *run);
/* Shown as waiting_for, before what the connector waits for; NULL = nothing. */
extern void connect_task_waits_in_runtime(ConnectTaskRun *run,
										  const char *what);
/* librdkafka's threads did not end: the process must not run exit handlers. */
extern void connect_task_leaves_threads(void);

/* Keys of the framework, with their defaults. */
extern const char *connect_task_option(const ConnectTaskRun *run,
									   const char *key);
extern int64 connect_task_option_int(const ConnectTaskRun *run,
									 const char *key);
extern bool connect_task_option_bool(const ConnectTaskRun *run,
									 const char *key);
/* Milliseconds from now, never less than 0. */
extern long connect_task_ms_until(TimestampTz when);

#endif							/* CONNECT_TASK_H */
