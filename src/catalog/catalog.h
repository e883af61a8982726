/*
 * catalog.h
 *	  The connect.* tables, for the processes and commands that use them.
 *
 * NOTES
 *	  All functions assert a transaction.  They reach our tables under the
 *	  identity of the extension's owner: one narrow switch
 *	  (connect_catalog_enter/leave) around plain SPI with fixed statements and
 *	  pinned search_path; no user-supplied code can run inside it.
 *	  Results are palloc'ed in the caller's context.
 */
#ifndef CONNECT_CATALOG_H
#define CONNECT_CATALOG_H

#include "connect.h"

#include "datatype/timestamp.h"
#include "nodes/pg_list.h"

#include "config/config.h"
#include "record/record.h"

/* A row of connect.connector_def. */
typedef struct ConnectConnectorRow
{
	int64		id;
	const char *name;
	Oid			owner;
	const char *owner_name;
	bool		owner_exists;	/* and has the stored name's role */
	ConnectConfig *config;		/* as stored: references unresolved */
	ConnectState target;		/* RUNNING, PAUSED or STOPPED */
	int64		version;		/* of the configuration */
	int64		restarts;		/* restart requests for the connector */
	bool		foreign;		/* restored or copied: not adopted */
} ConnectConnectorRow;

/* A row of connect.task_def: what task_configs() gave last. */
typedef struct ConnectTaskRow
{
	int			task;
	ConnectConfig *config;		/* unresolved */
	int64		config_version; /* grows when this task's config changes */
	int64		restarts;		/* restart requests for the task */
} ConnectTaskRow;

/*
 * Acts as role: code that he may have brought along can neither change the
 * role nor leave anything behind in the session, no setting, no temporary
 * object, no deferred trigger.  An abort of the (sub)transaction ends it too.
 */
typedef struct ConnectRoleScope
{
	Oid			user;			/* to be restored */
	int			sec_context;
	int			guc_level;
} ConnectRoleScope;

extern void connect_role_enter(ConnectRoleScope *scope, Oid role);
extern void connect_role_leave(const ConnectRoleScope *scope);

extern bool connect_catalog_exists(void);	/* is the extension here? */
extern char *connect_catalog_version(void); /* of the SQL objects; or NULL */
extern List *connect_catalog_connectors(void);	/* of ConnectConnectorRow, by id */
extern ConnectConnectorRow *connect_catalog_connector(const char *name);	/* or NULL */
extern ConnectConnectorRow *connect_catalog_connector_by_id(int64 id);
extern List *connect_catalog_tasks(int64 connector_id); /* of ConnectTaskRow */
/*
 * Stores the split of a connector's work.  Unchanged tasks keep their
 * config_version.  True if anything changed.
 */
extern bool connect_catalog_store_tasks(int64 connector_id,
										List *configs, int64 version);

/*
 * Replaces ${secret:…}, ${env:…}, ${file:…} as owner may; an unknown reference
 * stays as written.  False, with the reason, if a file cannot be read.
 */
extern bool connect_config_resolve(const ConnectConfig *cfg, Oid owner,
								   ConnectConfig **resolved, ConnectError *err);

/* The worker's configuration: connect.worker_defaults over built-in defaults. */
extern ConnectConfig *connect_worker_config(void);
/* Values go out as plain JSON: neither cfg nor the worker names a converter. */
extern bool connect_worker_plain_values(const ConnectConfig *cfg);

/* task -1 = the connector itself.  reason and trace may be NULL. */
extern void connect_catalog_save_state(int64 connector_id, int task,
									   ConnectState state, const char *reason,
									   const char *trace);
/*
 * Counters are totals over the life of the connector: a starting task sets its
 * slot's to what load gives (zeros if there are none), and a task saves them
 * when it ends and now and then.
 */
extern void connect_catalog_load_counters(int64 connector_id, int task,
										  int64 *counters, int n);
extern void connect_catalog_save_counters(int64 connector_id, int task,
										  const int64 *counters, int n);

/* ---- source offsets ---- */
typedef struct ConnectSourceOffsetRow
{
	const char *partition;		/* JSON, as jsonb prints it */
	const char *offset;
} ConnectSourceOffsetRow;

extern List *connect_source_offsets(int64 connector_id);
extern void connect_source_offset_store(int64 connector_id,
										const char *partition,
										const char *offset);	/* NULL removes */

/* ---- sink offsets, which fence (DESIGN: the offset row is the fence) ---- */
/*
 * Takes a partition: commits nothing itself.  Inserts the row or raises its
 * epoch; gives the new epoch and the stored offset, -1 if it had none.
 */
extern void connect_sink_offset_take(int64 connector_id, const char *topic,
									 int32 partition, int64 *epoch,
									 int64 *offset);
/* The process whose open transaction has changed the row; 0 = not known. */
extern int	connect_sink_offset_holder(int64 connector_id, const char *topic,
									   int32 partition);
/* expected -1 = none yet.  False: somebody else took it; abort and re-seek. */
extern bool connect_sink_offset_advance(int64 connector_id, const char *topic,
										int32 partition, int64 epoch,
										int64 expected, int64 next);
/* Has this connector any row at all?  (If not, the group's are imported.) */
extern bool connect_sink_offset_any(int64 connector_id);

/* ---- dead letters ---- */
typedef struct ConnectDeadLetter
{
	int			task;
	const char *topic;
	int32		partition;
	int64		offset;
	int64		timestamp;
	ConnectBytes key;
	ConnectBytes value;
	const char *headers_json;	/* or NULL */
	const char *stage;
	const char *class_name;
	const char *message;
	const char *trace;
} ConnectDeadLetter;

extern void connect_dead_letter_store(int64 connector_id,
									  const ConnectDeadLetter *letter);

#endif							/* CONNECT_CATALOG_H */
