/*
 * slot.h
 *	  Shared memory: who serves which database, and how each task fares.
 *
 * NOTES
 *	  One LWLock (connect_slot_lock()) guards all of it; nothing that can raise,
 *	  wait or do I/O runs under it.  Counters and "woken" are atomics without
 *	  lock.  There are no pointers in here: a process is known by its pid, its
 *	  latch by the number of its PGPROC.
 *
 *	  A slot belongs to the task (database, connector, number) from the moment
 *	  the coordinator reserves it until the coordinator frees it; a failed task
 *	  keeps its slot, without a pid, so that its state can be seen.  Number -1
 *	  is the connector itself, which the coordinator runs: its pid is the
 *	  coordinator's.  Each start of a process for a slot takes a new
 *	  generation; a process whose generation is not the slot's has been replaced
 *	  and leaves.
 *
 *	  A process claims its slot before it connects to the database, and gives it
 *	  up in a before_shmem_exit callback registered before that, so that it runs
 *	  last: a slot without a pid means that transaction and locks are gone.
 */
#ifndef CONNECT_SLOT_H
#define CONNECT_SLOT_H

#include "connect.h"

#include "datatype/timestamp.h"
#include "port/atomics.h"
#include "storage/condition_variable.h"
#include "storage/lwlock.h"

#include "runtime/wakeup.h"

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

/* What the tasks of a connector tell each other; the connector says what of. */
typedef struct ConnectShare
{
	uint64		group;			/* who belongs together; 0 = nothing is told */
	uint64		pass;
	int			state;
	TimestampTz since;
	uint32		nblocks;
	char		snapshot[64];	/* for ImportSnapshot() */
} ConnectShare;

typedef struct ConnectSlot
{
	/* Written by the coordinator, under the lock exclusively. */
	bool		in_use;
	Oid			database;
	int64		connector_id;
	int			task;			/* number; -1 = the connector itself */
	char		connector[CONNECT_NAME_LEN];
	Oid			owner;
	bool		owner_nologin;	/* may not log in: see xact.c */
	uint64		generation;
	ConnectState wanted;		/* RUNNING, PAUSED; STOPPED = leave in order */
	int64		config_version; /* connector's, that it was started with */
	int64		task_version;	/* task's, likewise */
	int64		restarts;		/* restart requests it has obeyed */
	int			failures;		/* starts in a row that came to nothing */
	TimestampTz start_after;	/* back-off; 0 = at once */
	TimestampTz started;		/* last registration of a process */
	TimestampTz stop_by;		/* asked to leave until then; 0 = not asked */
	bool		terminated;		/* … and was sent SIGTERM */
	bool		splitting;		/* connector: task_configs() runs */

	/* Coordinator sets, the process that attaches clears; under the lock. */
	bool		starting;

	/*
	 * Written by the task while its pid stands here, by the coordinator while
	 * pid is 0 or the task is asked to leave; under the lock exclusively.
	 */
	pid_t		pid;
	int			procno;
	ConnectState state;
	TimestampTz since;
	bool		lost;			/* the process left without an outcome */
	char		reason[CONNECT_TEXT_LEN];	/* first line; "" = none */
	char		waiting_for[CONNECT_TEXT_LEN];
	char		progress[CONNECT_TEXT_LEN];
	bool		reconfigure;	/* the task asks for task_configs() */
	ConnectShare share;			/* zero without a process */

	/*
	 * Of a connector: a task has made it fail, until it is restarted or
	 * changed.  Tasks set both, the coordinator clears them; under the lock.
	 */
	bool		is_failed_by_task;
	bool		is_failure_new;

	pg_atomic_uint32 woken;		/* connect_wake_source_at_commit() sets, the
								 * task clears */
	pg_atomic_uint64 counters[CONNECT_NCOUNTERS];	/* task alone writes */
} ConnectSlot;

/* One per database with the extension. */
typedef struct ConnectDatabaseSlot
{
	/* Written by the launcher, under the lock exclusively. */
	bool		in_use;
	Oid			database;
	uint64		generation;
	int			failures;		/* coordinators in a row that died early */
	TimestampTz start_after;	/* back-off; 0 = at once */

	/* Launcher sets, the coordinator that attaches clears; under the lock. */
	bool		starting;
	TimestampTz started;

	/* Written by the DDL hooks, under the lock exclusively. */
	int			barred;			/* commands that want no process of ours here */

	/* Written by the coordinator while its pid stands here; under the lock. */
	pid_t		coordinator;	/* 0 = none */
	int			procno;
	bool		absent;			/* it looked: no extension here */
	bool		ready;			/* it has looked at the catalog once */
	bool		lost;			/* it left without being told to */

	/* Set by whoever commits a change, cleared by the coordinator. */
	bool		dirty;			/* the catalog */
	bool		roles_changed;	/* roles or privileges: caches are stale */

	char		reason[CONNECT_TEXT_LEN];	/* why nothing runs; "" = it does */
} ConnectDatabaseSlot;

/* Static workers. */
typedef enum ConnectStatic
{
	CONNECT_LAUNCHER,
	CONNECT_BROKER,
	CONNECT_NSTATIC
} ConnectStatic;

extern void connect_slot_request_shmem(void);
extern void connect_slot_startup_shmem(void);
extern LWLock *connect_slot_lock(void);
/* Slots that have ever been used: none beyond is in use.  Grows under lock. */
extern int	connect_slot_count(void);
extern ConnectSlot *connect_slot_at(int i);
extern int	connect_database_slot_count(void);
extern ConnectDatabaseSlot *connect_database_slot_at(int i);
/* Caller holds the lock; NULL if there is none. */
extern ConnectSlot *connect_slot_find(Oid database, int64 connector_id, int task);
extern ConnectDatabaseSlot *connect_database_slot_find(Oid database);
/*
 * Caller holds the lock: have all of connect.max_tasks been reserved for tasks,
 * or for connectors?
 */
extern bool connect_slot_is_full(bool tasks);
/* Caller holds the lock exclusively; NULL if all are taken. */
extern ConnectSlot *connect_slot_reserve(Oid database, int64 connector_id, int task);
extern ConnectDatabaseSlot *connect_database_slot_reserve(Oid database);
/* Caller holds the lock exclusively.  The slot has no process. */
extern void connect_slot_free(ConnectSlot *slot);
/* Caller holds the lock exclusively. */
extern void connect_slot_set_state(ConnectSlot *slot, ConnectState state,
								   const char *reason);
/* Caller holds the lock: the latch of the slot's process, if it has one. */
extern void connect_slot_set_latch(const ConnectSlot *slot);

/*
 * Broadcast, after the lock is released, whenever a state or a failure in a
 * slot changes or a slot comes or goes: connect_wait() sleeps on it.
 */
extern ConditionVariable *connect_slot_changed(void);

/* Static workers: their pid while they live. */
extern void connect_static_attach(ConnectStatic which);
extern pid_t connect_static_pid(ConnectStatic which);
extern void connect_static_wake(ConnectStatic which);

/*
 * Has a change of roles been prepared since the server started?  From then on
 * each COMMIT PREPARED may be that one.
 */
extern void connect_roles_note_prepared(void);
extern bool connect_roles_were_prepared(void);

/* Address of the embedded broker, "" while there is none. */
extern void connect_embedded_broker_address(char *out, Size size);
extern void connect_embedded_broker_set_address(const char *address);

/* Copies a text into a field of CONNECT_TEXT_LEN, whole characters only. */
extern void connect_text_copy(char *field, const char *text);

/* Is a process with this pid alive and one of the server's? */
extern bool connect_pid_is_live(pid_t pid);

/* ---- in a task: its own slot ---- */
extern ConnectSlot *connect_my_slot(void);
/*
 * Shows a state.  FAILED is final: the process ends soon.  Ignored once the
 * task has been asked to leave or was replaced.
 */
extern void connect_my_slot_set_state(ConnectState state, const char *reason);
/* False: this process has been replaced. */
extern bool connect_my_slot_is_mine(void);
extern void connect_my_slot_set_waiting_for(const char *what);	/* NULL: nothing */
extern void connect_my_slot_set_progress(const char *what);
extern void connect_my_slot_share(const ConnectShare *share);
/* Another task of the connector: false if it has no process. */
extern bool connect_task_share(int task, ConnectShare *share);
extern void connect_my_slot_wake_task(int task);
extern void connect_my_slot_reconfigure(void);	/* have task_configs() called */
extern void connect_my_slot_fail_connector(const char *reason);
/* True once after a commit that wakes this source: ask before polling. */
extern bool connect_my_slot_woken(void);
extern void connect_my_slot_count(ConnectCounter counter, int64 n);
extern void connect_my_slot_set(ConnectCounter counter, int64 n);
/*
 * RUNNING or PAUSED.  False: replaced or no longer wanted; the process shall
 * end in order.  Ask whenever the latch was set.
 */
extern bool connect_my_slot_wanted(ConnectState *wanted);
/*
 * Told to end while somebody waits for it: a command wants the database for
 * itself, or the extension is being removed.
 */
extern bool connect_my_slot_hurries(void);

/* ---- used by worker.c ---- */
extern bool connect_my_slot_attach(int index, uint64 generation);
extern bool connect_my_database_slot_attach(Oid database, uint64 generation);

#endif							/* CONNECT_SLOT_H */
