/*
 * connector.h
 *	  The plug-in interface: what a connector is, and what it may ask for.
 *
 * NOTES
 *	  A connector class is a constant struct of functions.  Ours are listed in
 *	  connectors/registry.c; a third party's shared library, named in
 *	  shared_preload_libraries after connect, calls
 *	  connect_register_connector() (and its kin for converters) in its _PG_init.
 *
 *	  Where things run:
 *	  validate, alter_offsets, created, dropped, adopted: in the backend of the user who
 *	  calls connect_create() and its kin, inside that user's transaction, as the
 *	  connector's owner.  task_configs: in the coordinator, in a transaction, as
 *	  the owner.  All others: in the task's own process, outside any transaction
 *	  unless it is said otherwise.
 *
 *	  A function fails by ereport(ERROR).  By SQLSTATE the runtime tries the
 *	  step again (classes 08, 40, 53, 55, 57, 58) or lets the task fail.  A
 *	  function must return soon: it must not wait for a network or a lock
 *	  without answering interrupts, and never waits inside a transaction.  When
 *	  there is nothing to do poll() returns and says what shall wake it.
 */
#ifndef CONNECT_CONNECTOR_H
#define CONNECT_CONNECTOR_H

#include "postgres.h"

#include "nodes/pg_list.h"
#include "storage/latch.h"

#include "config/config.h"
#include "convert/convert.h"
#include "record/record.h"

#define CONNECT_CONNECTOR_ABI	1

typedef struct ConnectTask ConnectTask;
typedef struct ConnectConnectorClass ConnectConnectorClass;

typedef enum ConnectConnectorType
{
	CONNECT_SOURCE,
	CONNECT_SINK
} ConnectConnectorType;

/* ConnectConnectorClass.flags */
/*
 * Sink: put() runs inside the transaction that advances the sink's offsets, so
 * that its rows and its position commit together.
 */
#define CONNECT_CONNECTOR_TRANSACTIONAL	0x01
/*
 * Sink: if no transform needs it, leave values undecoded in raw_value; the
 * sink decodes them itself (into just the columns that it writes).  Numbers
 * of JSON without schemas stay as they are written, in keys as well.
 */
#define CONNECT_CONNECTOR_RAW_VALUES	0x02
/*
 * Source: records go to Kafka at once, and do not linger for others to come:
 * linger.ms is 0 unless the connector's configuration says otherwise.
 */
#define CONNECT_CONNECTOR_PROMPT		0x08
/* Never listed or recommended; for tests. */
#define CONNECT_CONNECTOR_HIDDEN		0x04

typedef enum ConnectPollResult
{
	CONNECT_POLL_AGAIN,			/* call again at once (when there is room) */
	CONNECT_POLL_WAIT,			/* call again when task->wait_ms have passed,
								 * wait_latch is set or wait_socket is ready */
	CONNECT_POLL_DONE			/* there will never be more; the task idles */
} ConnectPollResult;

/* One stored or requested source offset; JSON texts, offset NULL = remove. */
typedef struct ConnectOffset
{
	const char *partition;
	const char *offset;
} ConnectOffset;

/* One topic partition of a sink. */
typedef struct ConnectTopicPartition
{
	const char *topic;
	int32		partition;
	int64		offset;			/* next to be read */
} ConnectTopicPartition;

struct ConnectConnectorClass
{
	int			abi;			/* CONNECT_CONNECTOR_ABI */
	const char *class_name;		/* the Java class that it stands for */
	const char *const *aliases; /* more names; NULL-terminated, or NULL */
	ConnectConnectorType type;
	const char *version;
	const char *doc;
	ConnectConfigDef config;	/* own keys, without the framework's */
	uint32		flags;

	/* Checks what a single key's validator cannot; adds to errors.  Or NULL. */
	void		(*validate) (const ConnectConfig *cfg,
							 ConnectConfigErrors *errors);

	/*
	 * Splits the work: a list of at most max_tasks ConnectConfig.  NULL: for a
	 * source one task with the connector's configuration, for a sink max_tasks
	 * of them.
	 */
	List	   *(*task_configs) (const ConnectConfig *cfg, int max_tasks);

	/* Checks requested source offsets; raises what is wrong.  Or NULL. */
	void		(*alter_offsets) (const ConnectConfig *cfg,
								  const ConnectOffset *offsets, int n);

	/*
	 * The connector is created, altered (old_cfg is what it was) or dropped
	 * in this transaction.  id is its number in the catalog.  Or NULL.
	 */
	void		(*created) (int64 id, const ConnectConfig *cfg);
	void		(*altered) (int64 id, const ConnectConfig *cfg,
							const ConnectConfig *old_cfg);
	void		(*dropped) (int64 id, const ConnectConfig *cfg);
	/* It came from a dump or another database, and shall run in this one. */
	void		(*adopted) (int64 id, const ConnectConfig *cfg);

	/* Task begins; it may set task->state.  Memory: CurrentMemoryContext is
	 * task->context. */
	void		(*start) (ConnectTask *task);

	/*
	 * Source: emits up to task->room records with connect_task_emit() and
	 * returns.  CurrentMemoryContext is task->batch_context, reset before each
	 * call.  It may return inside its transaction, to keep a snapshot, if no
	 * offsets are stored meanwhile; then it needs idle.  An error anywhere ends
	 * that transaction.
	 */
	ConnectPollResult (*poll) (ConnectTask *task);

	/*
	 * Source: the runtime does not poll for now: paused, or Kafka takes no
	 * more.  Lets go of what must not be held for long.  Returns in how many
	 * milliseconds it wants to be called again, -1 = not before a poll.  Or
	 * NULL.
	 */
	long		(*idle) (ConnectTask *task);

	/* Source: appends the offset map of position as a JSON object. */
	void		(*format_offset) (ConnectTask *task,
								  const ConnectPosition *position,
								  StringInfo out);

	/*
	 * Source: all records up to position (of its source partition) are
	 * acknowledged and its offset is being stored: runs inside that
	 * transaction.  Or NULL.
	 */
	void		(*acknowledged) (ConnectTask *task,
								 const ConnectPosition *position);

	/* Sink: partitions came or went; offsets as they stand.  Or NULL. */
	void		(*open) (ConnectTask *task,
						 const ConnectTopicPartition *parts, int n);
	void		(*close) (ConnectTask *task,
						  const ConnectTopicPartition *parts, int n);

	/* Sink: takes n records.  Memory: task->batch_context. */
	void		(*put) (ConnectTask *task, ConnectRecord *records, int n);

	/* Sink that is not transactional: make what put() took durable; offsets
	 * are stored afterwards.  Or NULL. */
	void		(*flush) (ConnectTask *task);

	/* Task ends in order: after the last flush.  Or NULL. */
	void		(*stop) (ConnectTask *task);
};

/*
 * A running task.  The runtime owns it; a connector reads the first part and
 * writes the second.
 */
struct ConnectTask
{
	const ConnectConnectorClass *cls;
	const char *connector;		/* its name */
	int64		connector_id;
	int			id;				/* number of the task */
	Oid			owner;
	const ConnectConfig *config;	/* of this task; references resolved */
	MemoryContext context;		/* lives as long as the task */
	MemoryContext batch_context;	/* reset before each poll or batch */
	int			room;			/* source: records that may still be emitted in
								 * this poll; connect_task_emit() counts down */

	void	   *state;			/* the connector's own */
	long		wait_ms;		/* with CONNECT_POLL_WAIT; -1 = for ever */
	pgsocket	wait_socket;	/* PGINVALID_SOCKET = none */
	int			wait_events;	/* WL_SOCKET_READABLE … */
	long		retry_ms;		/* sink: when put() raises what may pass, how
								 * long to wait; -1 = as the runtime likes */
};

/* ---- services of the runtime, for the functions that run in a task ---- */

/*
 * A transaction as the connector's owner with the task's settings pinned
 * (read committed, read-write, statement_timeout 0, search_path).  begin pushes
 * an active snapshot, commit pops it.  An error inside aborts.
 */
extern PGDLLEXPORT void connect_task_begin(ConnectTask *task);
extern PGDLLEXPORT void connect_task_commit(ConnectTask *task);

/*
 * Index of a source partition, known by its JSON object.  The text is copied;
 * the same text gives the same index.
 */
extern PGDLLEXPORT int32 connect_task_source_partition(ConnectTask *task,
													   const char *partition_json);
/* The stored offset of a source partition as JSON text, or NULL.  As of the
 * start of the task. */
extern PGDLLEXPORT const char *connect_task_source_offset(ConnectTask *task,
														  const char *partition_json);

/*
 * Source: transforms, converts and sends one record; the record and what it
 * points to may be reused at once.  Records that fail follow errors.tolerance.
 * Call it at most task->room times in a poll.
 */
extern PGDLLEXPORT void connect_task_emit(ConnectTask *task,
										  ConnectRecord *record);
/* Source: a position passed without a record (all filtered, a heartbeat). */
extern PGDLLEXPORT void connect_task_skip(ConnectTask *task,
										  const ConnectPosition *position);
/* Number of records and bytes sent but not yet acknowledged. */
extern PGDLLEXPORT int64 connect_task_in_flight(ConnectTask *task);

/* Sink: decodes raw_value of a CONNECT_CONNECTOR_RAW_VALUES record. */
extern PGDLLEXPORT bool connect_task_decode_value(ConnectTask *task,
												  ConnectRecord *record,
												  ConnectError *err);
/* The instance that decodes or encodes values. */
extern PGDLLEXPORT ConnectConverter *connect_task_value_converter(ConnectTask *task);

/*
 * Sink: the record cannot be processed.  Follows errors.tolerance: raises, or
 * logs and sends it to the dead letters.  In a transactional sink the dead
 * letter is written once the transaction has committed.
 */
extern PGDLLEXPORT void connect_task_report(ConnectTask *task,
											const ConnectRecord *record,
											const ConnectError *err);

/*
 * Raises it as the Java exception that it stands for: tried again if it says
 * retriable.  For what concerns the task rather than one record.
 */
extern PGDLLEXPORT void connect_error_raise(const ConnectError *err) CONNECT_NORETURN;

/* Shown as waiting_for in the status; NULL = for nothing. */
extern PGDLLEXPORT void connect_task_waiting_for(ConnectTask *task,
												 const char *what);
/* Shown as progress in the status ("table public.t: 1200000 rows"). */
extern PGDLLEXPORT void connect_task_progress(ConnectTask *task,
											  const char *what);
/* The split of the work is stale: have task_configs() called again. */
extern PGDLLEXPORT void connect_task_reconfigure(ConnectTask *task);
/*
 * The connector has failed, its tasks go on: FAILED with this reason until it is
 * restarted or its configuration changes.
 */
extern PGDLLEXPORT void connect_task_fail_connector(ConnectTask *task,
													const char *reason);

/*
 * Wakes the tasks of a connector of this database (their poll is called) when
 * the current transaction commits.  For triggers and functions that feed a
 * source; runs in any backend.
 */
extern PGDLLEXPORT void connect_wake_source_at_commit(int64 connector_id);

/* ---- registry ---- */

extern PGDLLEXPORT void connect_register_connector(const ConnectConnectorClass *cls);
extern PGDLLEXPORT void connect_register_converter(const ConnectConverterClass *cls);

/* By Java class name, simple name, simple name without "Connector", or alias. */
extern const ConnectConnectorClass *connect_connector_find(const char *name);
extern const ConnectConnectorClass *const *connect_connector_all(int *n);

#endif							/* CONNECT_CONNECTOR_H */
