/*
 * trigger.c
 *	  The capturing trigger, and the events of a transaction until it ends.
 *
 * NOTES
 *	  Runs in the backend of whoever writes to a streamed table.  What a trigger
 *	  needs to know of its stream is cached by trigger OID and thrown away when
 *	  the table, connect.stream or connect.queue changes.
 *
 *	  Events are buffered and inserted in bulk: when the buffer is full and
 *	  before the transaction commits or is prepared.  Each event carries the
 *	  subtransaction that made it: an aborted one takes its events along, a
 *	  committed one leaves them to its parent.  Only events of the current
 *	  subtransaction are inserted while it runs, since an insert belongs to the
 *	  subtransaction that does it.
 *
 *	  An event's number is the end of the WAL when the row changes, or one more
 *	  than the event's before it in the buffer.  An event makes more WAL than one
 *	  byte when it is inserted (or is made to: pass_numbers()), so the end of the
 *	  WAL has passed every number of a transaction by the time of its commit
 *	  record: who waited for one of its locks takes higher ones.  Numbers are
 *	  unique within a transaction.
 */
#include "postgres.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "access/xloginsert.h"
#include "catalog/namespace.h"
#include "catalog/pg_control.h"
#include "catalog/partition.h"
#include "commands/trigger.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "catalog/access.h"
#include "catalog/catalog.h"
#include "stream/stream.h"

#define BUFFER_EVENTS	1000
#define FIRST_EVENTS	16		/* that there is room for at once */
#define BUFFER_BYTES	(4 * 1024 * 1024)

/* What a trigger on one table (or partition) needs to know. */
typedef struct CaptureTarget
{
	Oid			trigger;		/* hash key */
	Oid			relid;
	bool		active;			/* false: capture nothing (no queue here) */
	int			operations;
	bool		some_columns;	/* a column list: skip updates beside it */
	ConnectLayout *layout;
	ConnectFilter *filter;		/* or NULL */
	ConnectQueue *queue;
	MemoryContext context;
} CaptureTarget;

/* By trigger OID; NULL until the first capture of this backend. */
static HTAB *targets = NULL;

/* The cache is to be rebuilt before it is used again. */
static bool targets_stale = false;

/* A layout row was inserted by this transaction: an abort unmakes it. */
static bool layout_created = false;

/* OIDs of connect.stream and connect.queue, for the invalidation callback. */
static Oid	stream_relid = InvalidOid;
static Oid	queue_relid = InvalidOid;

/* Events of the open transaction; in a child of TopTransactionContext. */
static ConnectEvent *events = NULL;
static int	nevents = 0;
static int	maxevents = 0;
static Size event_bytes = 0;
static MemoryContext event_context = NULL;

/* Queues that the buffered events go to; same life as the buffer. */
static List *event_queues = NIL;

/* A stream that the open transaction has begun. */
typedef struct Begun
{
	int64		stream;
	TransactionId baseline;
	bool		captures;
} Begun;

static List *begun = NIL;

PG_FUNCTION_INFO_V1(connect_capture);

static bool is_read_first(int64 stream);
static void register_callbacks(void);
static void capture_truncate(const CaptureTarget *target, Relation rel);
static void capture_row(CaptureTarget *target, char op, TupleTableSlot *old_slot,
						TupleTableSlot *new_slot);
static CaptureTarget *target_get(TriggerData *trigdata);
static int64 next_id(void);
static void flush_events(SubTransactionId subid);
static void buffer_reset(void);
static void xact_callback(XactEvent event, void *arg);
static void subxact_callback(SubXactEvent event, SubTransactionId subid,
							 SubTransactionId parent, void *arg);

/*
 * Trigger function connect_capture('connector'): AFTER, FOR EACH ROW on
 * insert, update and delete, FOR EACH STATEMENT on truncate.
 */
PGDLLEXPORT Datum
connect_capture(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	CaptureTarget *target;
	TriggerEvent event;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("\"%s\" was not called as a trigger",
						"connect_capture")));
	event = trigdata->tg_event;
	if (!TRIGGER_FIRED_AFTER(event) ||
		TRIGGER_FIRED_FOR_ROW(event) == TRIGGER_FIRED_BY_TRUNCATE(event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("\"%s\" must be fired after each row, for truncate after each statement",
						"connect_capture")));

	target = target_get(trigdata);
	if (!target->active || is_read_first(target->layout->stream))
		return PointerGetDatum(NULL);

	if (TRIGGER_FIRED_BY_INSERT(event))
		capture_row(target, CONNECT_OP_INSERT, NULL, trigdata->tg_trigslot);
	else if (TRIGGER_FIRED_BY_UPDATE(event))
		capture_row(target, CONNECT_OP_UPDATE, trigdata->tg_trigslot,
					trigdata->tg_newslot);
	else if (TRIGGER_FIRED_BY_DELETE(event))
		capture_row(target, CONNECT_OP_DELETE, trigdata->tg_trigslot, NULL);
	else if (target->operations & CONNECT_CAPTURE_TRUNCATE)
		capture_truncate(target, trigdata->tg_relation);
	return PointerGetDatum(NULL);
}

/*
 * What the transaction that begins a stream changes afterwards is there when
 * the table is read, and need not be in the queue.  Unless a savepoint since
 * then has put something there: that the read leaves out, and what follows has
 * to come behind it.
 */
static bool
is_read_first(int64 stream)
{
	ListCell   *lc;

	foreach(lc, begun)
	{
		Begun	   *each = lfirst(lc);

		if (each->stream != stream)
			continue;
		each->captures |= !TransactionIdPrecedes(GetCurrentTransactionId(),
												 each->baseline);
		return !each->captures;
	}
	return false;
}

void
connect_capture_begun(int64 stream, TransactionId baseline)
{
	MemoryContext old = MemoryContextSwitchTo(TopTransactionContext);
	Begun	   *each = palloc0(sizeof(Begun));

	register_callbacks();
	each->stream = stream;
	each->baseline = baseline;
	begun = lappend(begun, each);
	MemoryContextSwitchTo(old);
}

/* A partition may be emptied alone: the event says which table it was. */
static void
capture_truncate(const CaptureTarget *target, Relation rel)
{
	ConnectEvent event = {
		.stream = target->layout->stream,
		.layout = target->layout->id,
		.op = CONNECT_OP_TRUNCATE
	};
	Datum		names[2];
	bool		nulls[2] = {false, false};

	names[0] = CStringGetTextDatum(get_namespace_name(RelationGetNamespace(rel)));
	names[1] = CStringGetTextDatum(RelationGetRelationName(rel));
	event.old_row = connect_layout_pack(connect_layout_table_desc(), names,
										nulls);
	connect_capture_add(target->queue, &event);
}

static bool
same_columns(CaptureTarget *target, TupleTableSlot *old_slot,
			 TupleTableSlot *new_slot)
{
	slot_getallattrs(old_slot);
	slot_getallattrs(new_slot);
	for (int i = 0; i < target->layout->desc->natts; i++)
	{
		int			att = target->layout->attnums[i] - 1;
		Form_pg_attribute form = TupleDescAttr(old_slot->tts_tupleDescriptor,
											   att);

		if (old_slot->tts_isnull[att] != new_slot->tts_isnull[att])
			return false;
		if (!old_slot->tts_isnull[att] &&
			!datum_image_eq(old_slot->tts_values[att],
							new_slot->tts_values[att],
							form->attbyval, form->attlen))
			return false;
	}
	return true;
}

static bool
passes(CaptureTarget *target, TupleTableSlot *slot)
{
	return slot != NULL &&
		(target->filter == NULL || connect_filter_passes(target->filter, slot));
}

/*
 * With a filter an update counts for what it is to a reader of the filtered
 * rows, as with publications: a row that enters is inserted, one that leaves is
 * deleted.
 */
static void
capture_row(CaptureTarget *target, char op, TupleTableSlot *old_slot,
			TupleTableSlot *new_slot)
{
	bool		old_passes = passes(target, old_slot);
	bool		new_passes = passes(target, new_slot);
	ConnectEvent event = {
		.stream = target->layout->stream,
		.layout = target->layout->id
	};

	if (op == CONNECT_OP_UPDATE && old_passes != new_passes)
		op = new_passes ? CONNECT_OP_INSERT : CONNECT_OP_DELETE;
	if (!old_passes && !new_passes)
		return;
	if (op == CONNECT_OP_UPDATE && target->some_columns &&
		same_columns(target, old_slot, new_slot))
		return;
	if (!(target->operations & (op == CONNECT_OP_INSERT ? CONNECT_CAPTURE_INSERT :
								op == CONNECT_OP_UPDATE ? CONNECT_CAPTURE_UPDATE :
								CONNECT_CAPTURE_DELETE)))
		return;

	event.op = op;
	if (op != CONNECT_OP_DELETE)
		event.new_row = connect_layout_pack_slot(target->layout, new_slot);
	/* an update's old row also tells of a changed key */
	if (op != CONNECT_OP_INSERT)
		event.old_row = connect_layout_pack_slot(target->layout, old_slot);
	connect_capture_add(target->queue, &event);
}

static void
check_limit(const ConnectQueue *queue)
{
	if (queue->max_bytes == 0 || queue->policy == CONNECT_QUEUE_HOLD ||
		connect_queue_bytes(queue) < queue->max_bytes)
		return;
	if (queue->policy == CONNECT_QUEUE_FAIL)
		ereport(ERROR,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("the capture queue of this table has reached its limit of " INT64_FORMAT " bytes",
						queue->max_bytes),
				 errhint("See connect.task_status for what keeps its connector from sending, or raise \"queue.max.bytes\".")));
	connect_queue_set_dropped(queue->connector_id);
}

/*
 * Adds an event to the transaction.  Its rows are copied.
 */
void
connect_capture_add(const ConnectQueue *queue, ConnectEvent *event)
{
	MemoryContext old;
	ListCell   *lc;
	bool		known = false;

	if (event_context == NULL)
	{
		register_callbacks();
		event_context = AllocSetContextCreate(TopTransactionContext,
											  "Connect capture",
											  ALLOCSET_DEFAULT_SIZES);
		maxevents = FIRST_EVENTS;
		events = MemoryContextAlloc(event_context,
									sizeof(ConnectEvent) * maxevents);
	}

	if (nevents >= BUFFER_EVENTS || event_bytes >= BUFFER_BYTES)
		flush_events(GetCurrentSubTransactionId());

	old = MemoryContextSwitchTo(event_context);
	if (nevents == maxevents)
	{
		maxevents *= 2;
		events = repalloc_huge(events, sizeof(ConnectEvent) * maxevents);
	}
	foreach(lc, event_queues)
	{
		if (((ConnectQueue *) lfirst(lc))->connector_id == queue->connector_id)
			known = true;
	}
	if (!known)
	{
		ConnectQueue *copy = palloc(sizeof(ConnectQueue));

		*copy = *queue;
		copy->tables = palloc(sizeof(Oid) * queue->ntables);
		memcpy(copy->tables, queue->tables, sizeof(Oid) * queue->ntables);
		event_queues = lappend(event_queues, copy);
		connect_wake_source_at_commit(queue->connector_id);
	}
	event->id = next_id();
	event->at = GetCurrentTimestamp();
	event->queue = queue->connector_id;
	event->subid = GetCurrentSubTransactionId();
	if (event->old_row)
	{
		Size		len = VARSIZE(event->old_row);

		event->old_row = memcpy(palloc(len), event->old_row, len);
		event_bytes += len;
	}
	if (event->new_row)
	{
		Size		len = VARSIZE(event->new_row);

		event->new_row = memcpy(palloc(len), event->new_row, len);
		event_bytes += len;
	}
	events[nevents++] = *event;
	MemoryContextSwitchTo(old);
}

static void
register_callbacks(void)
{
	static bool registered = false;

	if (registered)
		return;
	RegisterXactCallback(xact_callback, NULL);
	RegisterSubXactCallback(subxact_callback, NULL);
	registered = true;
}

static int64
next_id(void)
{
	int64		id = (int64) GetXLogInsertRecPtr();

	return nevents == 0 ? id : Max(id, events[nevents - 1].id + 1);
}

/*
 * With wal_level minimal a queue of this very transaction is not logged: then
 * something that says nothing is.
 */
static void
pass_numbers(int64 last)
{
	int64		behind;

	while ((behind = last - (int64) GetXLogInsertRecPtr()) >= 0)
	{
		int			len = Min(behind + 1, BUFFER_EVENTS);

		XLogBeginInsert();
		XLogRegisterData(palloc0(len), len);
		XLogInsert(RM_XLOG_ID, XLOG_NOOP);
	}
}

/*
 * Inserts the buffered events that subid made; they are the last ones, since
 * subtransactions nest.
 */
static void
flush_events(SubTransactionId subid)
{
	int			first = nevents;
	ListCell   *lc;

	while (first > 0 && events[first - 1].subid == subid)
		first--;
	foreach(lc, event_queues)
	{
		ConnectQueue *queue = lfirst(lc);
		ConnectEvent *mine = palloc(sizeof(ConnectEvent) * (nevents - first + 1));
		int			n = 0;

		for (int i = first; i < nevents; i++)
		{
			if (events[i].queue == queue->connector_id)
				mine[n++] = events[i];
		}
		if (n > 0)
		{
			check_limit(queue);
			connect_queue_insert(queue, mine, n);
		}
		pfree(mine);
	}
	if (first < nevents)
		pass_numbers(events[nevents - 1].id);
	for (int i = first; i < nevents; i++)
	{
		if (events[i].old_row)
			pfree(events[i].old_row);
		if (events[i].new_row)
			pfree(events[i].new_row);
	}
	nevents = first;
	event_bytes = 0;
}

static void
buffer_reset(void)
{
	/* the memory goes with the transaction */
	events = NULL;
	event_context = NULL;
	event_queues = NIL;
	begun = NIL;
	nevents = maxevents = 0;
	event_bytes = 0;
}

static void
xact_callback(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_PRE_COMMIT:
		case XACT_EVENT_PRE_PREPARE:
			if (nevents > 0)
			{
				/* its first block is at hand, others would have to be made */
				MemoryContext old = MemoryContextSwitchTo(event_context);

				/* Rows with a TOAST table may be touched under a snapshot alone. */
				PushActiveSnapshot(GetTransactionSnapshot());
				flush_events(TopSubTransactionId);
				PopActiveSnapshot();
				MemoryContextSwitchTo(old);
			}
			break;
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PREPARE:
			/* what was prepared may yet be rolled back */
			if (layout_created)
				targets_stale = true;
			/* fall through */
		case XACT_EVENT_COMMIT:
			layout_created = false;
			buffer_reset();
			break;
		default:
			break;
	}
}

static void
subxact_callback(SubXactEvent event, SubTransactionId subid,
				 SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_COMMIT_SUB)
	{
		for (int i = nevents; i > 0 && events[i - 1].subid == subid; i--)
			events[i - 1].subid = parent;
	}
	else if (event == SUBXACT_EVENT_ABORT_SUB)
	{
		while (nevents > 0 && events[nevents - 1].subid == subid)
			nevents--;
		if (layout_created)
			targets_stale = true;
	}
}

/* ---- the cache of targets ---- */

static void
relcache_callback(Datum arg, Oid relid)
{
	HASH_SEQ_STATUS seq;
	CaptureTarget *target;

	if (relid == InvalidOid || relid == stream_relid || relid == queue_relid)
	{
		targets_stale = true;
		return;
	}
	hash_seq_init(&seq, targets);
	while ((target = hash_seq_search(&seq)) != NULL)
	{
		if (target->relid == relid)
			targets_stale = true;
	}
}

static void
targets_discard(void)
{
	HASH_SEQ_STATUS seq;
	CaptureTarget *target;

	hash_seq_init(&seq, targets);
	while ((target = hash_seq_search(&seq)) != NULL)
	{
		if (target->context)
			MemoryContextDelete(target->context);
		hash_search(targets, &target->trigger, HASH_REMOVE, NULL);
	}
	targets_stale = false;
}

static void
targets_init(void)
{
	HASHCTL		ctl = {.keysize = sizeof(Oid), .entrysize = sizeof(CaptureTarget)};

	targets = hash_create("Connect capture targets", 32, &ctl,
						  HASH_ELEM | HASH_BLOBS);
	CacheRegisterRelcacheCallback(relcache_callback, (Datum) 0);
}

/* Finds the stream of a table: its own, or that of the partitioned root. */
static ConnectStream *
stream_of(int64 connector_id, Relation rel)
{
	ConnectStream *stream = connect_stream_find(connector_id,
												RelationGetRelid(rel));

	if (stream == NULL && rel->rd_rel->relispartition)
	{
		ListCell   *lc;

		foreach(lc, get_partition_ancestors(RelationGetRelid(rel)))
		{
			stream = connect_stream_find(connector_id, lfirst_oid(lc));
			if (stream != NULL)
				break;
		}
	}
	return stream;
}

static void
target_fill(CaptureTarget *target, TriggerData *trigdata)
{
	Relation	rel = trigdata->tg_relation;
	const char *connector;
	ConnectConnectorRow *row;
	int64		connector_id;
	ConnectStream *stream;
	bool		created;
	MemoryContext old;

	if (trigdata->tg_trigger->tgnargs != 1)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("trigger \"%s\" must name one connector",
						trigdata->tg_trigger->tgname),
				 errhint("Write EXECUTE FUNCTION connect_capture('connector').")));
	connector = trigdata->tg_trigger->tgargs[0];
	row = connect_catalog_connector(connector);
	connector_id = row && !row->foreign ? row->id : 0;

	target->context = AllocSetContextCreate(CacheMemoryContext,
											"Connect capture target",
											ALLOCSET_SMALL_SIZES);
	old = MemoryContextSwitchTo(target->context);
	target->relid = RelationGetRelid(rel);
	target->queue = connector_id ? connect_queue_load(connector_id) : NULL;
	target->active = target->queue != NULL && !target->queue->dropped;
	if (target->queue == NULL && !(row && row->foreign))
		ereport(WARNING,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("changes of table \"%s\" are not captured: there is no connector \"%s\" of class TableStreamSource",
						RelationGetRelationName(rel), connector),
				 errhint("Create it, or drop trigger \"%s\".",
						 trigdata->tg_trigger->tgname)));
	if (target->active)
	{
		stream = stream_of(connector_id, rel);
		target->active = stream != NULL;
		if (stream == NULL)
			ereport(WARNING,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("table \"%s\" is not streamed by connector \"%s\": its changes are not captured",
							RelationGetRelationName(rel), connector),
					 errhint("Add it with connect_stream_table(), or drop trigger \"%s\".",
							 trigdata->tg_trigger->tgname)));
	}
	if (target->active)
	{
		target->operations = stream->operations;
		target->some_columns = stream->columns != NIL;
		target->layout = connect_layout_make(rel, stream);
		connect_layout_store(target->layout, &created);
		layout_created |= created;
		if (stream->filter != NULL)
			target->filter = connect_filter_make(rel, stream->filter);
	}
	MemoryContextSwitchTo(old);
}

static CaptureTarget *
target_get(TriggerData *trigdata)
{
	Oid			trigger = trigdata->tg_trigger->tgoid;
	CaptureTarget *target;
	bool		found;

	if (targets == NULL)
		targets_init();
	if (!OidIsValid(stream_relid) || targets_stale)
	{
		Oid			namespace = get_namespace_oid("connect", false);

		stream_relid = get_relname_relid("stream", namespace);
		queue_relid = get_relname_relid("queue", namespace);
	}
	/* the buffer has its own copies: nothing in flight points into targets */
	if (targets_stale)
		targets_discard();

	target = hash_search(targets, &trigger, HASH_ENTER, &found);
	if (!found)
	{
		/* an error while filling leaves no half-made entry */
		PG_TRY();
		{
			memset((char *) target + sizeof(Oid), 0,
				   sizeof(CaptureTarget) - sizeof(Oid));
			target_fill(target, trigdata);
		}
		PG_CATCH();
		{
			if (target->context)
				MemoryContextDelete(target->context);
			hash_search(targets, &trigger, HASH_REMOVE, NULL);
			PG_RE_THROW();
		}
		PG_END_TRY();
	}
	return target;
}
