/*
 * jdbcsink.h
 *	  Topics into tables of this database: the pieces of the table sink.
 *
 * NOTES
 *	  A batch goes through four steps, all in the transaction that advances the
 *	  sink's offsets (README.md beside this file draws it):
 *
 *	  event.c	record -> JdbcEvent: which table, write, delete or truncate, and
 *				where its value is (a Debezium envelope is unwrapped here)
 *	  shape.c	event -> JdbcRow: Datums in the target's columns.  A JdbcShape
 *				is the plan of that, one for each pair of schemas; it is where
 *				missing tables and columns are found (ddl.c makes them)
 *	  batch.c	rows -> work: the last change of a key wins, order is kept, a
 *				failing batch is halved
 *	  insert.c, upsert.c (with lookup.c), statement.c	work -> table: straight
 *				into the heap and its indexes, or through the executor
 *
 *	  Everything runs in the task's process.
 */
#ifndef CONNECT_JDBCSINK_H
#define CONNECT_JDBCSINK_H

#include "connector.h"

#include "executor/spi.h"
#include "executor/tuptable.h"
#include "nodes/bitmapset.h"
#include "utils/rel.h"

#include "convert/json_plan.h"
#include "jdbcsink/errors.h"
#include "record/datum.h"

typedef enum JdbcFlavour
{
	JDBC_CONFLUENT,
	JDBC_AIVEN,
	JDBC_DEBEZIUM
} JdbcFlavour;

typedef enum JdbcInsertMode
{
	JDBC_INSERT,
	JDBC_UPSERT,
	JDBC_UPDATE
} JdbcInsertMode;

typedef enum JdbcKeyMode
{
	JDBC_KEY_NONE,
	JDBC_KEY_KAFKA,
	JDBC_KEY_RECORD_KEY,
	JDBC_KEY_RECORD_VALUE,
	JDBC_KEY_RECORD_HEADER
} JdbcKeyMode;

/* What becomes of a field of a schemaless object that no column is for. */
typedef enum JdbcUnknown
{
	JDBC_UNKNOWN_FAIL,
	JDBC_UNKNOWN_IGNORE,
	JDBC_UNKNOWN_COLLECT
} JdbcUnknown;

/* What the configuration says, whichever connector's words it uses. */
typedef struct JdbcOptions
{
	JdbcFlavour flavour;
	JdbcInsertMode insert_mode;
	JdbcKeyMode key_mode;
	char	  **key_fields;
	int			nkey_fields;
	char	  **fields;			/* the only value fields to take; see below */
	int			nfields;
	char	  **excluded;		/* value fields not to take */
	int			nexcluded;
	const char *table_format;
	char	  **topic_tables;	/* "topic:table" */
	int			ntopic_tables;
	bool		normalize;		/* foreign characters of table names become _ */
	bool		fold_names;		/* identifiers in lower case */
	bool		delete_enabled;
	bool		truncate_enabled;
	bool		auto_create;
	bool		auto_evolve;
	bool		must_exist;		/* tables must be there at start */
	bool		allow_table;
	bool		allow_partitioned;
	bool		allow_view;
	bool		null_to_default;
	bool		override_identity;
	int			batch_size;
	int			lock_timeout_ms;	/* 0 = none */
	int			max_retries;
	int			retry_backoff_ms;
	bool		synchronous_commit; /* as the session has it; else off */
	JdbcUnknown unknown;
	const char *unknown_column;
	const char *string_column;	/* column of a bare string value */
	char	  **timestamp_fields;	/* epoch numbers that are timestamps */
	int			ntimestamp_fields;
	bool		timestamp_nanos;	/* … in ns, not us */
	ConnectDatumOptions datum;
} JdbcOptions;

/* ---- target.c ---- */

typedef struct JdbcColumn
{
	const char *name;
	Oid			type;			/* InvalidOid = dropped */
	int32		typmod;
	Oid			collation;
	bool		not_null;
	bool		has_default;
	char		identity;
	bool		is_generated;
	bool		is_domain;
} JdbcColumn;

/*
 * Which columns a row gives values for.  Rows of one column set go into one
 * statement; statements are prepared once for each.
 */
typedef enum JdbcStatementKind
{
	JDBC_STMT_INSERT,
	JDBC_STMT_UPSERT,
	JDBC_STMT_UPDATE,
	JDBC_STMT_DELETE,
	JDBC_NSTMT
} JdbcStatementKind;

typedef struct JdbcColumnSet
{
	Bitmapset  *given;			/* column numbers, 0-based */
	Bitmapset  *keys;			/* … of these, the key */
	bool		direct;			/* an insert may go around the executor */
	Oid			unique_index;	/* on the key, for upserts that may, too */
	bool		updates_direct; /* an update of such may, too */
	int			ndefaults;		/* columns not given that have a default … */
	int		   *default_columns;
	Expr	  **default_exprs;	/* … which is this, planned */
	TupleDesc	batch_desc;		/* of the given columns, for statements */
	int		   *batch_columns;
	SPIPlanPtr	plans[JDBC_NSTMT];
} JdbcColumnSet;

typedef struct JdbcTarget
{
	const char *schema;			/* NULL until the table has been found */
	const char *wanted_schema;	/* as configured; NULL = first in the path */
	const char *table;
	const char *name;			/* as configured, for messages */

	/* What follows is reset when the table changes. */
	MemoryContext context;
	MemoryContextCallback free_plans;	/* goes with it */
	bool		valid;			/* false: relcache says it has changed */
	Oid			relid;			/* InvalidOid: there is no such table */
	char		relkind;
	bool		direct;			/* heap table without what needs an executor */
	bool		direct_upsert;	/* … nor statement triggers of an UPDATE */
	bool		has_deferred;	/* … constraints */
	int			ncolumns;		/* dropped ones included */
	JdbcColumn *columns;
	int			nprimary;
	int		   *primary;		/* column numbers of the primary key */
	Bitmapset  *index_columns;	/* with which an index starts */
	TupleTableSlot **slots;		/* JDBC_CHUNK, once a row went around the
								 * executor */
	List	   *column_sets;	/* of JdbcColumnSet */
	List	   *shapes;			/* of JdbcShape */

	struct JdbcTarget *next;	/* all targets of this process */
} JdbcTarget;

typedef struct JdbcSink JdbcSink;
typedef struct JdbcShape JdbcShape;
typedef struct JdbcEvent JdbcEvent;
typedef struct JdbcRow JdbcRow;

extern JdbcTarget *connect_jdbcsink_target(JdbcSink *sink, const char *name);
extern void connect_jdbcsink_targets_forget(void);
/* Before a batch. */
extern void connect_jdbcsink_targets_trim(JdbcSink *sink);
/* Brings it up to date; takes no lock that outlives the call. */
extern void connect_jdbcsink_target_refresh(JdbcSink *sink, JdbcTarget *target);
/* Locks it for writing.  False: it has changed, begin again. */
extern bool connect_jdbcsink_target_lock(JdbcSink *sink, JdbcTarget *target);
/* Number of the column of that name: exact, then without regard to case. */
extern int	connect_jdbcsink_column(const JdbcTarget *target, const char *name);
extern JdbcColumnSet *connect_jdbcsink_column_set(JdbcTarget *target,
												  const Bitmapset *given,
												  const Bitmapset *keys);
extern char *connect_jdbcsink_quoted(const JdbcTarget *target);

/* ---- event.c ---- */

typedef enum JdbcOperation
{
	JDBC_OP_SKIP,
	JDBC_OP_WRITE,
	JDBC_OP_DELETE,
	JDBC_OP_TRUNCATE
} JdbcOperation;

struct JdbcEvent
{
	ConnectRecord *record;
	JdbcOperation op;
	JdbcTarget *target;
	JdbcShape  *shape;
	bool		refused;		/* error says why */
	ConnectError error;
	bool		raw;			/* value: plain JSON still, in raw_value */
	const ConnectSchema *value_schema;	/* of the row's image */
	const ConnectValue *value;	/* the row's image; of a delete: NULL or what
								 * was there */
};

/*
 * False: the record cannot be taken, *err says why.
 */
extern bool connect_jdbcsink_find_target(JdbcSink *sink, JdbcEvent *event,
										 ConnectError *err);
extern bool connect_jdbcsink_event(JdbcSink *sink, ConnectRecord *record,
								   JdbcEvent *event, ConnectError *err);

/* ---- debezium.c ---- */

extern bool connect_debezium_is_envelope(const ConnectSchema *schema,
										 const ConnectValue *value);
extern bool connect_debezium_is_schema_change(const ConnectSchema *schema,
											  const ConnectValue *value);
/* Fills op, value_schema and value of an event that holds an envelope. */
extern bool connect_debezium_unwrap(JdbcEvent *event, ConnectError *err);
/* Replaces ${source.field}; NULL if there is no such field. */
extern char *connect_debezium_format(const char *format,
									 const ConnectRecord *record);
/* SQL type of a field that has a Debezium semantic type; or NULL. */
extern const char *connect_debezium_column_type(const ConnectSchema *schema);

/* ---- shape.c ---- */

typedef enum JdbcOrigin
{
	JDBC_FROM_VALUE_FIELD,
	JDBC_FROM_VALUE,
	JDBC_FROM_KEY_FIELD,
	JDBC_FROM_KEY,
	JDBC_FROM_HEADER,
	JDBC_FROM_TOPIC,
	JDBC_FROM_PARTITION,
	JDBC_FROM_OFFSET,
	JDBC_FROM_UNKNOWN			/* the object of what no column is for */
} JdbcOrigin;

struct JdbcField;

/* The cell, or what stands for it in *other. */
typedef const ConnectValue *(*JdbcCellFunction) (const struct JdbcField *field,
												 const ConnectValue *cell,
												 ConnectValue *other);

/* A field of a record as a column sees it. */
typedef struct JdbcField
{
	const char *name;
	const ConnectSchema *schema;	/* NULL = schemaless */
	JdbcOrigin	origin;
	int			index;			/* in the struct; -1 = look it up by name */
	bool		is_key;
	bool		is_epoch;		/* of timestamp.fields.list */
	int			column;
	Oid			base_type;		/* of the column, below a domain */
	int32		base_typmod;
	JdbcCellFunction turn;		/* what a value is turned into before its column
								 * reads it; NULL = nothing */
	ConnectDatumPlan *plan;
} JdbcField;

struct JdbcShape
{
	JdbcTarget *target;
	bool		is_delete;
	bool		raw;
	ConnectSchema *key_schema;	/* copies */
	ConnectSchema *value_schema;
	int			nfields;
	JdbcField  *fields;
	Bitmapset  *keys;			/* columns */
	JdbcColumnSet *column_set;	/* NULL: differs from record to record */
	int			nwanted;		/* fields looked for in objects … */
	int		   *wanted_fields;	/* … are these */
	ConnectJsonPlan *json;		/* raw: decodes them … */
	ConnectValue *cells;		/* … to here, one record's */

	/* Schemaless: the record before had these members and this set. */
	bool	   *last_present;
	bool		last_unknown;
	JdbcColumnSet *last_set;
};

struct JdbcRow
{
	JdbcEvent  *event;
	JdbcTarget *target;
	JdbcColumnSet *set;
	JdbcOperation op;
	Datum	   *values;			/* target->ncolumns */
	bool	   *nulls;
};

/*
 * Finds or makes the shape of an event, and with it the table and its columns.
 * False: such records cannot be stored, *err says why.
 */
extern bool connect_jdbcsink_shape(JdbcSink *sink, JdbcEvent *event,
								   ConnectError *err);
/* Do the options want this field of the topic's values? */
extern bool connect_jdbcsink_is_wanted(const JdbcOptions *options,
									   const char *topic, const char *name);

/* ---- convert.c ---- */

/* Converts; raises what a column refuses. */
extern bool connect_jdbcsink_row(JdbcSink *sink, JdbcEvent *event,
								 JdbcRow *row, ConnectError *err);

/* ---- cell.c ---- */

/* For values of a field in a column of its base type; NULL = they stay. */
extern JdbcCellFunction connect_jdbcsink_cell_function(const JdbcField *field);

/* ---- temporal.c ---- */

/*
 * Numbers since the epoch that the configuration or Debezium's schema names
 * call dates and times.  False: the cell is none of these, or null.
 */
extern bool connect_jdbcsink_temporal(JdbcSink *sink, const JdbcField *field,
									  const JdbcColumn *column,
									  const ConnectValue *cell, Datum *value);

/* ---- ddl.c ---- */

extern bool connect_jdbcsink_create_table(JdbcSink *sink, JdbcTarget *target,
										  const JdbcField *fields, int nfields,
										  ConnectError *err);
extern bool connect_jdbcsink_add_columns(JdbcSink *sink, JdbcTarget *target,
										 const JdbcField *fields, int nfields,
										 ConnectError *err);
extern void connect_jdbcsink_suggest_type(JdbcSink *sink,
										  const JdbcTarget *target,
										  const JdbcField *field,
										  const ConnectValue *cell,
										  ConnectError *err);

/* ---- batch.c ---- */

/*
 * direct: the way around the executor may be taken.  apply raises what goes
 * wrong; write isolates the records at fault, as isolate does with rows that
 * have failed together.
 */
extern void connect_jdbcsink_apply(JdbcSink *sink, JdbcRow *rows, int n,
								   bool direct);
extern void connect_jdbcsink_write(JdbcSink *sink, JdbcRow *rows, int n,
								   bool direct);
extern void connect_jdbcsink_isolate(JdbcSink *sink, JdbcRow *rows, int n,
									 bool direct, ErrorData *edata);

/* ---- insert.c ---- */

#define JDBC_CHUNK 1000			/* rows formed and stored at a time */

/* A table open for rows to go around the executor. */
typedef struct JdbcHeap
{
	JdbcTarget *target;
	JdbcColumnSet *set;
	Relation	rel;
	EState	   *estate;
	ResultRelInfo *rri;
	ExprState **defaults;
	bool		has_constraints;
	bool		has_triggers;	/* AFTER INSERT */
} JdbcHeap;

extern void connect_jdbcsink_heap_open(JdbcHeap *heap, JdbcTarget *target,
									   JdbcColumnSet *set);
extern void connect_jdbcsink_heap_close(JdbcHeap *heap);
extern void connect_jdbcsink_heap_show(JdbcHeap *heap, TupleTableSlot *slot,
									   Datum *values, bool *nulls);
extern void connect_jdbcsink_heap_insert(JdbcHeap *heap, TupleTableSlot **slots,
										 JdbcRow **rows, int n);
extern void connect_jdbcsink_heap_index(JdbcHeap *heap, TupleTableSlot *slot);
extern void connect_jdbcsink_insert_direct(JdbcTarget *target, JdbcRow **rows,
										   int n);

/* ---- lookup.c ---- */

typedef struct JdbcLookup JdbcLookup;

typedef enum JdbcFinding
{
	JDBC_ABSENT,				/* no row, not even one to wait for */
	JDBC_FOUND,
	JDBC_UNSURE					/* none is visible, but there may be one */
} JdbcFinding;

extern JdbcLookup *connect_jdbcsink_lookup_begin(Relation rel, Relation index);
extern JdbcFinding connect_jdbcsink_lookup(JdbcLookup *lookup,
										   const Datum *values,
										   TupleTableSlot *slot);
extern void connect_jdbcsink_lookup_end(JdbcLookup *lookup);

/* ---- upsert.c ---- */

extern Oid	connect_jdbcsink_unique_index(Relation rel, const Bitmapset *keys);
extern bool connect_jdbcsink_updates_direct(Relation rel,
											const JdbcColumnSet *set);
extern void connect_jdbcsink_upsert_direct(JdbcSink *sink, JdbcTarget *target,
										   JdbcRow **rows, int n);

/* ---- statement.c ---- */

extern void connect_jdbcsink_execute(JdbcSink *sink, JdbcStatementKind kind,
									 JdbcRow **rows, int n);
extern void connect_jdbcsink_statements_free(void *target);
extern void connect_jdbcsink_truncate(JdbcSink *sink, JdbcTarget *target);

/* ---- options.c ---- */

extern void connect_jdbcsink_options(const ConnectConfig *cfg,
									 JdbcFlavour flavour,
									 JdbcOptions *options);

/* ---- sink.c ---- */

struct JdbcSink
{
	MemoryContextCallback forget;	/* of kept targets, with the context */
	ConnectTask *task;
	JdbcOptions options;
	Oid			role;			/* connection.url's; InvalidOid = the owner */
	MemoryContext context;		/* of the task */
	MemoryContext slice_context;	/* reset after each slice of a batch */
	List	   *targets;		/* of JdbcTarget */
	JdbcEvent  *events;			/* of the batch */
	int			max_events;
	bool		plain_json;		/* values are JSON without schemas */
	int			retries;		/* batches in a row that failed in passing */

	/* The topic seen last and its table; Kafka's limit is 249 characters. */
	const char *last_topic;
	char		last_topic_buf[256];
	JdbcTarget *last_target;

	bool		tables_changed; /* a target was read again: its shapes are gone */

	/* The shape used last in this batch and the schemas that it was found by:
	 * their addresses mean nothing in the next batch. */
	JdbcShape  *last_shape;
	const ConnectSchema *last_key_schema;
	const ConnectSchema *last_value_schema;

	/* What is being converted, for the context of errors. */
	const ConnectRecord *current_record;
	const char *current_field;
};

extern void connect_jdbcsink_refuse(JdbcSink *sink, JdbcEvent *event);
extern void connect_jdbcsink_start(ConnectTask *task, JdbcFlavour flavour);
extern void connect_jdbcsink_open(ConnectTask *task,
								  const ConnectTopicPartition *parts, int n);
extern void connect_jdbcsink_put(ConnectTask *task, ConnectRecord *records,
								 int n);
extern void connect_jdbcsink_stop(ConnectTask *task);

extern const ConnectConnectorClass connect_jdbcsink;
extern const ConnectConnectorClass connect_jdbcsink_aiven;
extern const ConnectConnectorClass connect_jdbcsink_debezium;

#endif							/* CONNECT_JDBCSINK_H */
