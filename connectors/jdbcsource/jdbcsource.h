/*
 * jdbcsource.h
 *	  The table source: what its files share.
 *
 * NOTES
 *	  config.c reads configurations, url.c finds out whether a connection URL
 *	  is this database, tables.c lists relations, split.c deals them out,
 *	  statement.c builds what is read, writers.c tells who may still commit below
 *	  a bound, reader.c turns rows into records, offset.c writes positions,
 *	  source.c drives it all.
 */
#ifndef CONNECT_JDBCSOURCE_H
#define CONNECT_JDBCSOURCE_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "executor/spi.h"
#include "nodes/pg_list.h"
#include "utils/relcache.h"
#include "utils/snapshot.h"
#include "utils/tuplestore.h"

#include "connector.h"
#include "record/row.h"
#include "runtime/slot.h"

/* ---- config.c ---- */

typedef enum ConnectJdbcMode
{
	CONNECT_JDBC_BULK,
	CONNECT_JDBC_INCREMENTING,
	CONNECT_JDBC_TIMESTAMP,
	CONNECT_JDBC_TIMESTAMP_INCREMENTING
} ConnectJdbcMode;

/* An entry of incrementing.column.mapping or timestamp.columns.mapping. */
typedef struct ConnectJdbcMapping
{
	const char *pattern;		/* of full names */
	char	  **columns;
	int			ncolumns;
} ConnectJdbcMapping;

typedef struct ConnectJdbcSettings
{
	ConnectJdbcMode mode;
	bool		incrementing;	/* the mode has an incrementing column */
	bool		timestamp;		/* the mode has timestamp columns */
	const char *incrementing_column;	/* "" = the first that counts up */
	char	  **timestamp_columns;
	int			ntimestamp_columns;
	ConnectJdbcMapping *incrementing_mapping;
	int			nincrementing_mapping;
	ConnectJdbcMapping *timestamp_mapping;
	int			ntimestamp_mapping;
	int64		incrementing_initial;	/* PG_INT64_MIN = from the first */
	TimestampTz timestamp_initial;	/* DT_NOBEGIN = from the first */
	bool		timestamp_initial_now;
	int64		delay_ms;		/* timestamp.delay.interval.ms */
	int64		guard_ms;		/* timestamp.guard.interval.ms */
	bool		validate_non_null;

	const char *query;			/* NULL = tables */
	bool		masked;			/* the query must not be shown */
	const char *query_suffix;
	bool		quote;			/* in names that configurations show */
	bool		qualify;

	char	  **whitelist;
	int			nwhitelist;
	char	  **blacklist;
	int			nblacklist;
	char	  **include;
	int			ninclude;
	char	  **exclude;
	int			nexclude;
	char	  **column_include;
	int			ncolumn_include;
	char	  **column_exclude;
	int			ncolumn_exclude;
	const char *catalog_pattern;
	const char *schema_pattern;
	char	  **types;
	int			ntypes;
	int64		table_poll_ms;

	const char *topic_prefix;
	int64		poll_ms;
	int			batch;			/* rows that one statement reads */
	int64		split_bytes;	/* several tasks read tables of this size; -1 = none */
	pg_tz	   *zone;
	ConnectRowOptions row;

	const char *url;			/* NULL = this database */
	const char *user;
	const char *password;
	const char *current_schema; /* for what has no schema; NULL = not said */
} ConnectJdbcSettings;

extern ConnectJdbcSettings *connect_jdbc_settings(const ConnectConfig *cfg);
/* True if the whole of text matches pattern, a regular expression. */
extern bool connect_jdbc_matches(const char *pattern, const char *text);

/* ---- url.c ---- */

typedef enum ConnectJdbcReach
{
	CONNECT_JDBC_NATIVE,		/* it is this database */
	CONNECT_JDBC_FAILED,		/* no connection */
	CONNECT_JDBC_REFUSED		/* another database, or not for this owner */
} ConnectJdbcReach;

/* What the connection would have been. */
typedef struct ConnectJdbcLogin
{
	char	   *role;			/* who it is logged in as */
	char	   *search_path;	/* by the URL, the role or the database */
} ConnectJdbcLogin;

/*
 * Whether the URL, with user and password, is this very database.  owner logs in
 * if neither names a user.  *message is what is wrong otherwise.  Waits, and
 * answers interrupts.
 */
extern ConnectJdbcReach connect_jdbc_reach(const ConnectJdbcSettings *settings,
										   const char *owner,
										   ConnectJdbcLogin *login,
										   char **message);
/* The name of the task's owner.  Outside of a transaction. */
extern char *connect_jdbc_owner(ConnectTask *task);
/* The role if owner may act as it, else InvalidOid.  In a transaction. */
extern Oid	connect_jdbc_role(const char *role, Oid owner, char **message);

/* ---- tables.c ---- */

typedef struct ConnectJdbcTable
{
	Oid			relid;
	const char *schema;			/* NULL = unqualified (table.names.qualify) */
	const char *name;
} ConnectJdbcTable;

/*
 * The relations that the filters choose, in the order in which JDBC lists
 * them.  In a transaction.  The check raises if two of them have one topic.
 */
extern List *connect_jdbc_tables(const ConnectJdbcSettings *settings);
extern void connect_jdbc_tables_check(List *tables);
/* "schema"."table", as the option tables and error texts have it. */
extern char *connect_jdbc_table_quoted(const ConnectJdbcTable *table,
									   bool quote);
/* schema.table */
extern char *connect_jdbc_table_dotted(const ConnectJdbcTable *table);
/* Takes the option tables apart. */
extern List *connect_jdbc_tables_parse(const char *value);
/* InvalidOid if there is no such relation (now).  In a transaction. */
extern Oid	connect_jdbc_table_lookup(const ConnectJdbcTable *table);
/* A short text that differs between different lists. */
extern char *connect_jdbc_tables_digest(List *tables);

/* ---- writers.c ---- */

typedef struct ConnectWriter
{
	int			backend;		/* with lxid the virtual transaction */
	uint32		lxid;
	int			pid;			/* 0 = prepared */
	TransactionId xid;			/* if it has one */
	Oid			relid;
} ConnectWriter;

/*
 * Transactions that may write one of relids, but our own.  only_prepared:
 * those that are prepared.  Outside of a transaction or inside.
 */
extern ConnectWriter *connect_writers(const Oid *relids, int nrelids,
									  bool only_prepared, int *n);
/* Takes those out of writers that hold nothing any more; returns how many are left. */
extern int	connect_writers_remaining(ConnectWriter *writers, int n,
									  const Oid *relids, int nrelids);
/*
 * No transaction of this database that is open now or begins later has begun
 * before this.  previous: what it was last time.  *holder: the pid that holds
 * it back, 0 if none does.
 */
extern TimestampTz connect_writers_horizon(TimestampTz previous, int *holder);
/* "pid 4711 on public.t", for the status.  In a transaction. */
extern char *connect_writer_describe(const ConnectWriter *writer);

/* ---- offset.c ---- */

typedef struct ConnectJdbcOffset
{
	TimestampTz ts;				/* DT_NOBEGIN = none */
	int64		id;				/* PG_INT64_MIN = none */
} ConnectJdbcOffset;

extern bool connect_jdbc_offset_parse(const char *json,
									  ConnectJdbcOffset *offset,
									  char **message);
extern void connect_jdbc_offset_format(StringInfo out, bool timestamp,
									   bool incrementing,
									   const ConnectJdbcOffset *offset);
extern void connect_jdbc_alter_offsets(const ConnectConfig *cfg,
									   const ConnectOffset *offsets, int n);
/* {"protocol":"1","table":"public.t"} and {"table":"t"} */
extern char *connect_jdbc_partition(const char *dotted);
extern char *connect_jdbc_partition_v0(const char *name);
#define CONNECT_JDBC_QUERY_PARTITION "{\"query\":\"query\"}"

/* ---- statement.c ---- */

/*
 * What is read of one table, or of the query.  Built by
 * connect_jdbc_statement_make() in its own memory context; stale once the
 * relation changes.
 */
typedef struct ConnectJdbcStatement
{
	MemoryContext context;
	Oid			relid;			/* InvalidOid: the query */
	uint64		version;		/* connect_jdbc_version() it was made at */

	int			id_attr;		/* attribute numbers in the rows, 0 = none */
	Oid			id_type;
	int			nts;
	int		   *ts_attrs;
	Oid		   *ts_types;
	Oid			ts_type;		/* what the bounds are compared as */

	SPIPlanPtr	read;			/* rows of the window, in order */
	SPIPlanPtr	top;			/* incrementing: the highest id beyond the last */
	bool		chunked;		/* read ends after some rows, with their ties */
	bool		heap;			/* bulk of all columns: the heap may be scanned */
	Oid		   *relids;			/* what must be watched for writers */
	int			nrelids;
} ConnectJdbcStatement;

/* Counts up with each change to a relation that one may read. */
extern uint64 connect_jdbc_version(void);
/* relid InvalidOid: the query.  In a transaction. */
extern ConnectJdbcStatement *connect_jdbc_statement_make(const ConnectJdbcSettings *settings,
														 Oid relid,
														 MemoryContext parent);
/*
 * What is wrong with the query for the role and the search path (NULL: that of
 * tasks); NULL if nothing is, or if there is no query.
 */
extern char *connect_jdbc_query_check(const ConnectJdbcSettings *settings,
									  Oid role, const char *search_path);
extern void connect_jdbc_statement_free(ConnectJdbcStatement *statement);
/* An instant as a bound of the statement's timestamp columns. */
extern Datum connect_jdbc_statement_bound(const ConnectJdbcStatement *statement,
										  const ConnectJdbcSettings *settings,
										  TimestampTz ts);
/* A value of the attribute as an instant. */
extern TimestampTz connect_jdbc_instant(const ConnectJdbcSettings *settings,
										Oid type, Datum value);
extern int64 connect_jdbc_id(Oid type, Datum value);

/* ---- reader.c ---- */

typedef struct ConnectJdbcReader ConnectJdbcReader;

/* The reader of one table or query. */
struct ConnectJdbcReader
{
	ConnectTask *task;
	const ConnectJdbcSettings *settings;
	MemoryContext context;		/* as long as the reader */
	MemoryContext row_context;	/* reset after each row */
	const char *topic;
	const char *schema_name;	/* of the value; NULL = none */
	int32		partition;		/* source partition; -1 = keeps no offsets */

	ConnectJdbcStatement *statement;	/* NULL = none yet */
	TupleDesc	desc;			/* of the rows that plan converts */
	bool	   *optional;
	ConnectRowPlan *plan;
	ConnectValue *cells;
	Datum	   *values;
	bool	   *isnull;
	TupleTableSlot *slot;		/* of plan's descriptor, for stored rows */

	/* how far it has read */
	ConnectJdbcOffset last;		/* of the last row */
	ConnectJdbcOffset done;		/* stored with the next row */
	ConnectJdbcOffset sent;		/* from where to go on after an error */
	Datum		last_bound;		/* last.ts as the statement compares it */
	bool		has_bound;
	int64		rows;			/* of this pass */
	int64		chunk_rows;		/* of this statement */

	/* rows that wait for room; no snapshot stands behind them */
	Tuplestorestate *store;

	/* a heap scan under a snapshot that is held between polls */
	bool		holding;
	TimestampTz held_since;
	TransactionId xmin;			/* of the snapshot */
	Relation	rel;
	int			part;			/* of nparts: reads each nparts-th chunk */
	int			nparts;
	BlockNumber next_block;
	BlockNumber nblocks;
	HeapTuple  *pending;		/* rest of a page */
	int			npending;
	int			next_pending;
	MemoryContext page_context; /* of pending */
};

extern ConnectJdbcReader *connect_jdbc_reader_make(ConnectTask *task,
												   const ConnectJdbcSettings *settings,
												   const char *topic,
												   const char *schema_name,
												   int32 partition);
extern void connect_jdbc_reader_seek(ConnectJdbcReader *reader,
									 const ConnectJdbcOffset *offset);
extern bool connect_jdbc_reader_complete(ConnectJdbcReader *reader);
extern void connect_jdbc_reader_reset(ConnectJdbcReader *reader);
extern void connect_jdbc_reader_position(const ConnectJdbcReader *reader,
										 const ConnectJdbcOffset *offset,
										 ConnectPosition *position);
/*
 * Runs a plan; emits what fits and stores the rest, or stores all.  In a
 * transaction.
 */
extern void connect_jdbc_reader_execute(ConnectJdbcReader *reader,
										SPIPlanPtr plan, Datum *args,
										bool store_all);
/* Emits stored rows; true once none is left.  In a transaction. */
extern bool connect_jdbc_reader_drain(ConnectJdbcReader *reader);
/*
 * Bulk: begins to scan the heap under the active snapshot; false if the rows
 * must come through a statement.  The transaction stays open until the end.
 * The whole of it, unless part, nparts and nblocks are set afterwards.
 */
extern bool connect_jdbc_reader_heap_begin(ConnectJdbcReader *reader);
/* Emits what fits; true at the end of the table. */
extern bool connect_jdbc_reader_heap_next(ConnectJdbcReader *reader);
/* Stores what is left of the table. */
extern void connect_jdbc_reader_heap_store(ConnectJdbcReader *reader);
extern void connect_jdbc_reader_heap_end(ConnectJdbcReader *reader);

/* ---- split.c ---- */

/* What parts of a table are made of. */
#define CONNECT_JDBC_CHUNK_BLOCKS	64

/* A task's part of a table that several tasks read. */
typedef struct ConnectJdbcSplit
{
	int			part;			/* 0 leads */
	int			nparts;
	int		   *tasks;			/* by part */
	ConnectShare mine;			/* as told last */
} ConnectJdbcSplit;

/* How the others stand in the leader's pass: what matters most of them. */
typedef enum ConnectJdbcOthers
{
	CONNECT_JDBC_OTHERS_DONE,	/* all */
	CONNECT_JDBC_OTHERS_WORK,
	CONNECT_JDBC_OTHERS_AWAY,	/* no such task runs */
	CONNECT_JDBC_OTHERS_FREE,	/* has not begun, or lost it */
	CONNECT_JDBC_OTHERS_REFUSE	/* does not get the table */
} ConnectJdbcOthers;

extern List *connect_jdbc_task_configs(const ConnectConfig *cfg, int max_tasks);
/* NULL: the task's tables are its own. */
extern ConnectJdbcSplit *connect_jdbc_split_make(ConnectTask *task);
/* A task that is not ready for a new pass, -1 = all are. */
extern int	connect_jdbc_split_unready(const ConnectJdbcSplit *split);
/* Begins a pass under the active snapshot, which the reader scans under. */
extern void connect_jdbc_split_open(ConnectJdbcSplit *split,
									const ConnectJdbcReader *reader);
/* Just before the snapshot goes: nobody can join in any more. */
extern void connect_jdbc_split_let_go(ConnectJdbcSplit *split);
/* The pass is over, or given up. */
extern void connect_jdbc_split_close(ConnectJdbcSplit *split);
extern bool connect_jdbc_split_is_open(const ConnectJdbcSplit *split);
/* *task: one that is so, if not all are done. */
extern ConnectJdbcOthers connect_jdbc_split_others(const ConnectJdbcSplit *split,
												   int *task);
/* Not the leader: is there a pass to join? */
extern bool connect_jdbc_split_offered(const ConnectJdbcSplit *split,
									   ConnectShare *leader);
extern void connect_jdbc_split_join(ConnectJdbcSplit *split,
									const ConnectShare *leader);
/* Does the leader still hold the snapshot and the table? */
extern bool connect_jdbc_split_is_held(const ConnectJdbcSplit *split);
/* Is the pass that was joined still under way? */
extern bool connect_jdbc_split_is_current(const ConnectJdbcSplit *split);
extern void connect_jdbc_split_refuse(ConnectJdbcSplit *split);
extern void connect_jdbc_split_done(ConnectJdbcSplit *split);
/* The task ends, or an error has ended what it did. */
extern void connect_jdbc_split_leave(ConnectJdbcSplit *split);

/* ---- source.c: the functions of the classes ---- */

extern void connect_jdbc_start(ConnectTask *task);
extern ConnectPollResult connect_jdbc_poll(ConnectTask *task);
extern long connect_jdbc_idle(ConnectTask *task);
extern void connect_jdbc_format_offset(ConnectTask *task,
									   const ConnectPosition *position,
									   StringInfo out);
extern void connect_jdbc_stop(ConnectTask *task);

#endif							/* CONNECT_JDBCSOURCE_H */
