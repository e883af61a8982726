/*
 * slot.h
 *	  Shared memory: who serves which database, and how each task fares.
 *
 * NOTES
 *	  One LWLock (connect_slot_lock()) guards both arrays; nothing that can
 *	  raise, wait or do I/O runs under it.  Counters are atomics without lock.
 *	  There are no pointers in here: processes are known by pid, latches by the
 *	  PGPROC of the pid.
 *
 *	  A slot belongs to the task (database, connector, number) from the moment
 *	  the coordinator reserves it until the coordinator frees it; a failed task
 *	  keeps its slot, without a pid, so that its state can be seen.  Each start
 *	  of a process for a slot takes a new generation; a process whose
 *	  generation is not the slot's has been replaced and leaves.
 */
#ifndef CONNECT_SLOT_H
#define CONNECT_SLOT_H

#include "connect.h"

#include "datatype/timestamp.h"
#include "port/atomics.h"
#include "storage/condition_variable.h"
#include "storage/lwlock.h"

#define CONNECT_TEXT_LEN 512

typedef enum ConnectCounter
{
	CONNECT_COUNT_POLLED,		/* records read from the source, or from Kafka */
	CONNECT_COUNT_SENT,			/* records acknowledged by Kafka, or written */
	CONNECT_COUNT_FAILED,		/* records that could not be processed */
	CONNECT_COUNT_SKIPPED,		/* … of these, tolerated */
	CONNECT_COUNT_FILTERED,		/* dropped by a transform */
	CONNECT_COUNT_DEAD_LETTERS,
	CONNECT_COUNT_BYTES,		/* bytes sent to or read from Kafka */
	CONNECT_COUNT_BATCHES,
	CONNECT_COUNT_RETRIES,
	CONNECT_COUNT_COMMITS,		/* offsets stored */
	CONNECT_COUNT_LAST_COMMIT,	/* a TimestampTz; 0 = never */
	CONNECT_COUNT_LAG,			/* records, as int64; -1 = not known */
	CONNECT_NCOUNTERS
} ConnectCounter;

typedef struct ConnectSlot
{
	/* Written by the coordinator, under the lock exclusively. */
	bool		in_use;
	Oid			database;
	int64		connector_id;
	int			task;			/* number; -1 = the connector itself */
	char		connector[CONNECT_NAME_LEN];
	uint64		generation;
	ConnectState wanted;		/* RUNNING, PAUSED or STOPPED */
	int64		config_version; /* what the process was started with */
	int64		restarts;		/* restart requests it has obeyed */
	int			failures;		/* starts in a row that failed retriably */
	TimestampTz start_after;	/* back-off; 0 = at once */

	/*
	 * Written by the task while its pid stands here, by the coordinator while
	 * pid is 0; under the lock exclusively.
	 */
	pid_t		pid;
	ConnectState state;
	TimestampTz since;
	char		reason[CONNECT_TEXT_LEN];	/* first line; "" = none */
	char		waiting_for[CONNECT_TEXT_LEN];
	char		progress[CONNECT_TEXT_LEN];
	bool		reconfigure;	/* the task asks for task_configs() */
	bool		woken;			/* connect_wake_source_at_commit() */

	pg_atomic_uint64 counters[CONNECT_NCOUNTERS];	/* task alone writes */
} ConnectSlot;

/* One per database with the extension. */
typedef struct ConnectDatabaseSlot
{
	/* Written by the launcher, the coordinator and the DDL hooks, under lock. */
	bool		in_use;
	Oid			database;
	uint64		generation;
	pid_t		coordinator;	/* 0 = none */
	int			barred;			/* DDL in progress: start nothing */
	bool		dirty;			/* the catalog has changed since it last looked */
	bool		ready;			/* it has looked at the catalog once */
} ConnectDatabaseSlot;

extern void connect_slot_request_shmem(void);
extern void connect_slot_startup_shmem(void);
extern LWLock *connect_slot_lock(void);
extern int	connect_slot_count(void);
extern ConnectSlot *connect_slot_at(int i);
extern int	connect_database_slot_count(void);
extern ConnectDatabaseSlot *connect_database_slot_at(int i);
/* Caller holds the lock; NULL if there is none. */
extern ConnectSlot *connect_slot_find(Oid database, int64 connector_id, int task);
extern ConnectDatabaseSlot *connect_database_slot_find(Oid database);

/*
 * Broadcast, after the lock is released, whenever a state or a failure in a
 * slot changes or a slot comes or goes: connect_wait() sleeps on it.
 */
extern ConditionVariable *connect_slot_changed(void);

/* Address of the embedded broker, "" while there is none. */
extern void connect_embedded_broker_address(char *out, Size size);

/* ---- in a task: its own slot ---- */
extern ConnectSlot *connect_my_slot(void);
extern void connect_my_slot_set_state(ConnectState state, const char *reason);
extern void connect_my_slot_count(ConnectCounter counter, int64 n);
extern void connect_my_slot_set(ConnectCounter counter, int64 n);
/* False: replaced or no longer wanted; the process shall end in order. */
extern bool connect_my_slot_wanted(ConnectState *wanted);

/* ---- in any backend: at commit ---- */
/* The catalog of this database has changed: its coordinator looks at commit. */
extern void connect_wake_coordinator_at_commit(void);

#endif							/* CONNECT_SLOT_H */
