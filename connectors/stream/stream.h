/*
 * stream.h
 *	  Capture by trigger: what its files share.
 *
 * NOTES
 *	  Writers (any backend): trigger.c turns row changes into events and
 *	  buffers them, queue.c inserts them into the connector's queue before the
 *	  transaction commits.  Task: reader.c finds committed events by comparing
 *	  two snapshots, source.c turns them into records.  define.c keeps streams,
 *	  triggers and queues as the configuration says.
 *
 *	  A row travels as a MinimalTuple of its layout: the captured columns,
 *	  detoasted, values of types that are not built in as text.  So an event can
 *	  be read whatever DDL came later.
 */
#ifndef CONNECT_STREAM_H
#define CONNECT_STREAM_H

#include "connect.h"

#include "access/tupdesc.h"
#include "datatype/timestamp.h"
#include "executor/tuptable.h"
#include "fmgr.h"
#include "nodes/pg_list.h"
#include "utils/relcache.h"

#include "connector.h"

/* Operations of an event, as Debezium names them. */
#define CONNECT_OP_INSERT	'c'
#define CONNECT_OP_UPDATE	'u'
#define CONNECT_OP_DELETE	'd'
#define CONNECT_OP_TRUNCATE 't'
#define CONNECT_OP_READ		'r' /* initial read; never in a queue */
#define CONNECT_OP_MESSAGE	'm' /* connect_emit() */

/* Bits of a stream's operations. */
#define CONNECT_CAPTURE_INSERT	0x01
#define CONNECT_CAPTURE_UPDATE	0x02
#define CONNECT_CAPTURE_DELETE	0x04
#define CONNECT_CAPTURE_TRUNCATE 0x08

/* Names of the triggers that we make, before the connector's number. */
#define CONNECT_CAPTURE_TRIGGER "connect_capture_"
#define CONNECT_TRUNCATE_TRIGGER "connect_truncate_"

/* Columns of a queue table. */
enum
{
	QUEUE_ID = 1,				/* rises within a transaction, and from one to who
								 * waited for its locks: see trigger.c */
	QUEUE_TXID,					/* top-level transaction, 64 bits */
	QUEUE_STREAM,				/* connect.stream.id; 0 for messages */
	QUEUE_LAYOUT,				/* connect.stream_layout.id; 0 for messages */
	QUEUE_OP,
	QUEUE_AT,					/* when it was captured */
	QUEUE_OLD,					/* a MinimalTuple, or null */
	QUEUE_NEW
};
#define QUEUE_NATTS QUEUE_NEW

/* One event, on its way into the queue or out of it. */
typedef struct ConnectEvent
{
	int64		id;
	uint64		txid;			/* when read */
	int64		stream;
	int64		layout;
	char		op;
	TimestampTz at;
	bytea	   *old_row;		/* or NULL; of a truncate: which table */
	bytea	   *new_row;		/* or NULL */
	int64		queue;			/* connector, when written */
	SubTransactionId subid;		/* when written */
} ConnectEvent;

/* What policy the queue follows when it has reached its size limit. */
typedef enum ConnectQueuePolicy
{
	CONNECT_QUEUE_HOLD,			/* keeps all; the limit is only shown */
	CONNECT_QUEUE_FAIL,			/* the writer's statement fails */
	CONNECT_QUEUE_DROP			/* capture ends; the task fails and says so */
} ConnectQueuePolicy;

/* A queue as a writer or its task sees it. */
typedef struct ConnectQueue
{
	int64		connector_id;
	int			current;		/* index of the table that writers use */
	int			ntables;
	Oid		   *tables;
	bool		dropped;		/* policy drop has struck */
	ConnectQueuePolicy policy;
	int64		max_bytes;		/* 0 = no limit */
} ConnectQueue;

/* A row of connect.stream. */
typedef struct ConnectStream
{
	int64		id;
	int64		connector_id;
	Oid			relid;			/* InvalidOid: the table is gone */
	char	   *schema_name;	/* its names, or what they were */
	char	   *table_name;
	char	   *topic;
	List	   *columns;		/* of char *; NIL = all */
	char	   *filter;			/* SQL expression, or NULL */
	int			operations;
	List	   *key;			/* of char *; NIL = the primary key */
	bool		debezium;		/* else plain rows */
	bool		tombstones;
	bool		old_row;		/* old rows are kept */
	bool		pending;		/* its initial read is not finished */
	uint64		baseline;		/* rows of transactions from here on are in the
								 * queue, older ones in the initial read, but
								 * for those that were under way: */
	int			nopen;
	TransactionId *open;		/* sorted by xidComparator() */
	int			nleaves;
	Oid		   *leaves;			/* tables that held rows then */
	Oid		   *files;			/* the relfilenode of each */
} ConnectStream;

/* The shape of captured rows. */
typedef struct ConnectLayout
{
	int64		id;
	int64		stream;
	TupleDesc	desc;
	int			nkeys;
	int		   *keys;			/* indexes into desc */

	/* where the columns come from; only in a layout made from a table */
	AttrNumber *attnums;
	FmgrInfo   *outputs;		/* fn_oid set: travels as text, an array as an
								 * array of its elements' */
	bool	   *varlena;
	bool		has_settings;	/* settings matter to an output function */
} ConnectLayout;

/* A stream's filter on rows of one table. */
typedef struct ConnectFilter ConnectFilter;

/* queue.c */
extern void connect_queue_create(int64 connector_id);
extern void connect_queue_limit(int64 connector_id, const ConnectConfig *cfg,
								const ConnectConfigDef *def);
extern void connect_queue_drop(int64 connector_id);
extern ConnectQueue *connect_queue_load(int64 connector_id);	/* or NULL */
extern int64 connect_queue_bytes(const ConnectQueue *queue);
extern void connect_queue_insert(const ConnectQueue *queue,
								 ConnectEvent *events, int n);
extern bool connect_queue_trim(ConnectQueue *queue, Datum acknowledged);
extern void connect_queue_set_dropped(int64 connector_id);

/* layout.c */
extern ConnectLayout *connect_layout_load(int64 id);
extern ConnectLayout *connect_layout_make(Relation rel,
										  const ConnectStream *stream);
extern void connect_layout_check_column(Relation rel, const char *name,
										const char *option);
extern void connect_layout_store(ConnectLayout *layout, bool *created);
/* Captured columns of a slot, as the layout has them. */
extern void connect_layout_read_slot(const ConnectLayout *layout,
									 TupleTableSlot *slot,
									 Datum *values, bool *nulls);
extern bytea *connect_layout_pack_slot(const ConnectLayout *layout,
									   TupleTableSlot *slot);
extern ConnectFilter *connect_filter_make(Relation rel, const char *expression);
extern bool connect_filter_passes(ConnectFilter *filter, TupleTableSlot *slot);
extern bytea *connect_layout_pack(TupleDesc desc, Datum *values, bool *nulls);
extern void connect_layout_unpack(TupleDesc desc, const bytea *row,
								  Datum *values, bool *nulls);
extern TupleDesc connect_layout_message_desc(void);
extern TupleDesc connect_layout_table_desc(void);

/* define.c */
extern List *connect_stream_list(int64 connector_id);	/* of ConnectStream */
extern ConnectStream *connect_stream_find(int64 connector_id, Oid relid);
extern void connect_stream_read(int64 id);
extern void connect_stream_created(int64 id, const ConnectConfig *cfg);
extern void connect_stream_altered(int64 id, const ConnectConfig *cfg,
								   const ConnectConfig *old_cfg);
extern void connect_stream_dropped(int64 id, const ConnectConfig *cfg);
extern void connect_stream_adopted(int64 id, const ConnectConfig *cfg);
extern void connect_outbox_created(int64 id, const ConnectConfig *cfg);
extern void connect_outbox_altered(int64 id, const ConnectConfig *cfg,
								   const ConnectConfig *old_cfg);
extern void connect_outbox_adopted(int64 id, const ConnectConfig *cfg);

/* partition.c */
extern void connect_stream_init(void);	/* in _PG_init */

/* trigger.c */
extern void connect_capture_add(const ConnectQueue *queue, ConnectEvent *event);
/* The current transaction has begun a stream that reads its table first. */
extern void connect_capture_begun(int64 stream, TransactionId baseline);

/* reader.c */
typedef struct ConnectBatchReader ConnectBatchReader;

extern ConnectBatchReader *connect_reader_make(MemoryContext context,
											   int64 connector_id);
/* Starts at a stored position: "from" acknowledged, n events of the batch up to
 * "to" already sent; to 0 = no batch was open. */
extern void connect_reader_seek(ConnectBatchReader *reader, Datum from,
								Datum to, int64 n);
/* Next committed event in order, or NULL when there is none now. */
extern ConnectEvent *connect_reader_next(ConnectBatchReader *reader,
										 ConnectPosition *position);
/* The event last handed out has been emitted. */
extern void connect_reader_emitted(ConnectBatchReader *reader);
/* After an error: from the first event that has not been emitted. */
extern void connect_reader_recover(ConnectBatchReader *reader);
/* Ends the reader's use of the transaction that is about to end. */
extern void connect_reader_rest(ConnectBatchReader *reader);
extern void connect_reader_format(ConnectBatchReader *reader,
								  const ConnectPosition *position,
								  StringInfo out);
/* Acknowledged up to position: the queue may be trimmed behind it. */
extern void connect_reader_acknowledged(ConnectBatchReader *reader,
										const ConnectPosition *position);
/* Empties what could not be emptied then.  False: there is still something, or
 * something not yet acknowledged. */
extern bool connect_reader_trim(ConnectBatchReader *reader);
/* When the first event behind a stored position was captured; 0 = there is none. */
extern TimestampTz connect_reader_oldest(const ConnectQueue *queue, Datum from);

/* source.c */
extern Datum connect_stream_stored(int64 connector_id);
extern const ConnectConnectorClass connect_table_stream_source;
extern const ConnectConnectorClass connect_outbox_source;

#endif							/* CONNECT_STREAM_H */
