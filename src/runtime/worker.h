/*
 * worker.h
 *	  Background workers: the one place that registers them, the skeleton that
 *	  all of them share, and the process of a task.
 *
 * NOTES
 *	  Exit codes: 0 = done (a task: its slot says how), 1 = restart me.  A
 *	  static worker is restarted by the postmaster, a coordinator by the
 *	  launcher, a task by its coordinator.
 */
#ifndef CONNECT_RUNTIME_WORKER_H
#define CONNECT_RUNTIME_WORKER_H

#include "connect.h"

#include "datatype/timestamp.h"
#include "postmaster/bgworker.h"

typedef enum ConnectWorkerKind
{
	CONNECT_WORKER_LAUNCHER,
	CONNECT_WORKER_BROKER,
	CONNECT_WORKER_COORDINATOR,
	CONNECT_WORKER_TASK
} ConnectWorkerKind;

/* What a dynamic worker is told, in bgw_extra. */
typedef struct ConnectWorkerArgs
{
	Oid			database;
	int			slot;			/* task: its index */
	uint64		generation;		/* of the slot it is to claim */
} ConnectWorkerArgs;

/* In _PG_init. */
extern void connect_worker_register_static(ConnectWorkerKind kind);
/*
 * False: no free background worker.  name is shown in the process list; the
 * handle is in connect_worker_context.
 */
extern bool connect_worker_register(ConnectWorkerKind kind,
									const ConnectWorkerArgs *args,
									const char *name,
									BackgroundWorkerHandle **handle);

/* Root of all memory of a worker; current after connect_worker_connect(). */
extern MemoryContext connect_worker_context;

/*
 * Start of each worker's main function: signal handlers, memory.  Signals stay
 * blocked: claim the slot, then call connect_worker_connect().  Returns the
 * arguments.
 */
extern const ConnectWorkerArgs *connect_worker_begin(void);
/*
 * Unblocks signals and connects.  database InvalidOid: shared catalogs alone.
 * owner InvalidOid: as the bootstrap superuser.
 */
extern void connect_worker_connect(Oid database, Oid owner, bool nologin);
/*
 * In each turn of a worker's loop: interrupts, reload of the configuration.
 * An idle worker has nothing to cancel, so a cancel request is dropped.
 */
extern void connect_worker_check(void);
/*
 * Sleeps until the latch is set or wakeup_at has come (0: for ever), then
 * resets the latch.
 */
extern void connect_worker_sleep(TimestampTz wakeup_at, uint32 wait_event);

/* Why this process is about to end: the last error that it logged. */
extern const char *connect_worker_last_words(void);

/* 250 ms, doubled with each failure, at most a minute. */
extern TimestampTz connect_worker_backoff(int failures);

extern PGDLLEXPORT void connect_launcher_main(Datum arg);
extern PGDLLEXPORT void connect_broker_main(Datum arg);
extern PGDLLEXPORT void connect_coordinator_main(Datum arg);
extern PGDLLEXPORT void connect_task_worker_main(Datum arg);

#endif							/* CONNECT_RUNTIME_WORKER_H */
