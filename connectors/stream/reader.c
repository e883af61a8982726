/*
 * reader.c
 *	  Committed events of a queue, in order, each exactly once.
 *
 * NOTES
 *	  A batch is what one snapshot sees and an earlier one did not: the events
 *	  whose top-level transaction is visible in "to" and not in "from".  Two
 *	  snapshots define a batch for ever, so a batch and the number of events of
 *	  it that are done are a position that survives a restart.
 *
 *	  Inside a batch transactions are ordered by their highest event (and, if
 *	  they never met, by their own number), events of a transaction by theirs.
 *	  Changes of one row are then in commit order: the row's lock made the later
 *	  transaction take its number after the earlier one had ended.
 *
 *	  What is to be looked at is what "from" did not see: transactions that were
 *	  open then and are no more, and those that began later.  So a transaction
 *	  that stays open for long costs nothing but a place in "from".
 *
 *	  A small batch is held in memory.  Of a large one only the list of its
 *	  transactions is (24 bytes each); its events are read transaction by
 *	  transaction through the index on (txid, id).
 *
 *	  The reader keeps no scan open between transactions: a caller says
 *	  connect_reader_rest() before it ends one.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/relscan.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/transam.h"
#include "catalog/namespace.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/xid8.h"

#include "compat.h"
#include "runtime/wal.h"
#include "stream/stream.h"

#define BUFFER_LIMIT	(8 * 1024 * 1024)	/* bytes of a batch held in memory */

typedef struct BatchTransaction
{
	uint64		txid;
	int64		last;			/* its highest event */
	int64		count;
} BatchTransaction;

/* A batch whose positions may still be asked for. */
typedef struct Batch
{
	int64		number;
	Datum		from;			/* pg_snapshot */
	Datum		to;
	int64		total;			/* events */
} Batch;

/* One table of the ring while events are streamed from it. */
typedef struct QueueScan
{
	Relation	rel;
	Relation	index;
	IndexScanDesc scan;
	TupleTableSlot *slot;		/* holds the next event, unless at_end */
	bool		at_end;
} QueueScan;

/* Counts the changes of connect.queue that this process has heard of. */
static uint64 queue_changes = 0;
static Oid	queue_relid = InvalidOid;

struct ConnectBatchReader
{
	MemoryContext context;
	int64		connector_id;
	ConnectQueue *queue;		/* as of the batch's beginning; NULL = none */
	uint64		queue_known;	/* queue_changes when it was loaded */
	MemoryContext queue_context;
	Datum		from;			/* all before it has been handed out */
	int64		last_number;
	List	   *batches;		/* of Batch: not yet acknowledged, in order */
	Datum		acknowledged;	/* pg_snapshot: all before it are */
	int64		acknowledged_number;	/* the last batch that is as a whole */
	bool		untrimmed;		/* some of it is still in the queue */
	Batch	   *batch;			/* being handed out; NULL = none */
	MemoryContext batch_context;
	BatchTransaction *txs;
	int			ntxs;
	int64		handed_out;		/* events of the batch */
	int64		skip;			/* … of these, not to be handed out again */

	/* a small batch */
	ConnectEvent *events;		/* NULL = a large one */

	/* a large batch */
	int			tx;				/* index of the transaction being streamed */
	int64		tx_done;		/* its highest event handed out; 0 = none */
	QueueScan  *scans;			/* one a table; NULL = not open */
	MemoryContext event_context;	/* the event handed out last */
	ConnectEvent event;
};

static void
relcache_callback(Datum arg, Oid relid)
{
	if (relid == InvalidOid || relid == queue_relid)
		queue_changes++;
}

ConnectBatchReader *
connect_reader_make(MemoryContext context, int64 connector_id)
{
	ConnectBatchReader *reader = MemoryContextAllocZero(context,
														sizeof(ConnectBatchReader));

	if (!OidIsValid(queue_relid))
		CacheRegisterRelcacheCallback(relcache_callback, (Datum) 0);
	reader->context = context;
	reader->connector_id = connector_id;
	reader->queue_context = AllocSetContextCreate(context, "Connect queue",
												  ALLOCSET_SMALL_SIZES);
	reader->batch_context = AllocSetContextCreate(context, "Connect queue batch",
												  ALLOCSET_DEFAULT_SIZES);
	reader->event_context = AllocSetContextCreate(context, "Connect queue event",
												  ALLOCSET_DEFAULT_SIZES);
	return reader;
}

static Datum
snapshot_copy(ConnectBatchReader *reader, Datum snapshot)
{
	MemoryContext old = MemoryContextSwitchTo(reader->context);
	Datum		copy = datumCopy(snapshot, false, -1);

	MemoryContextSwitchTo(old);
	return copy;
}

/* Transactions [first, end) that one scan of a queue table is to return. */
typedef struct TxidRange
{
	uint64		first;
	uint64		end;
} TxidRange;

static uint64
snapshot_xmax(Datum snapshot)
{
	return U64FromFullTransactionId(DatumGetFullTransactionId(DirectFunctionCall1(pg_snapshot_xmax,
																				  snapshot)));
}

static bool
snapshot_sees(Datum snapshot, uint64 txid)
{
	return DatumGetBool(DirectFunctionCall2(pg_visible_in_snapshot,
											FullTransactionIdGetDatum(FullTransactionIdFromU64(txid)),
											snapshot));
}

/* Where transactions can be that "to" sees and "from" did not. */
static TxidRange *
ranges_between(Datum from, Datum to, int *n)
{
	char	   *text = DatumGetCString(DirectFunctionCall1(pg_snapshot_out, from));
	char	   *p = strrchr(text, ':') + 1;
	TxidRange  *ranges = palloc(sizeof(TxidRange) * (strlen(p) / 2 + 2));

	*n = 0;
	while (*p != '\0')
	{
		uint64		open = strtou64(p, &p, 10);

		if (*p == ',')
			p++;
		if (snapshot_sees(to, open))
			ranges[(*n)++] = (TxidRange) {open, open + 1};
	}
	ranges[(*n)++] = (TxidRange) {snapshot_xmax(from), snapshot_xmax(to)};
	return ranges;
}

/* Reads an event out of a queue table's slot; rows are copied if asked for. */
static void
event_from_slot(ConnectEvent *event, TupleTableSlot *slot, bool with_rows)
{
	memset(event, 0, sizeof(*event));
	slot_getallattrs(slot);
	event->id = DatumGetInt64(slot->tts_values[QUEUE_ID - 1]);
	event->txid =
		U64FromFullTransactionId(DatumGetFullTransactionId(slot->tts_values[QUEUE_TXID - 1]));
	event->stream = DatumGetInt64(slot->tts_values[QUEUE_STREAM - 1]);
	event->layout = DatumGetInt64(slot->tts_values[QUEUE_LAYOUT - 1]);
	event->op = DatumGetChar(slot->tts_values[QUEUE_OP - 1]);
	event->at = DatumGetTimestampTz(slot->tts_values[QUEUE_AT - 1]);
	if (!with_rows)
		return;
	if (!slot->tts_isnull[QUEUE_OLD - 1])
		event->old_row = DatumGetByteaPCopy(slot->tts_values[QUEUE_OLD - 1]);
	if (!slot->tts_isnull[QUEUE_NEW - 1])
		event->new_row = DatumGetByteaPCopy(slot->tts_values[QUEUE_NEW - 1]);
}

static Size
event_size(const ConnectEvent *event)
{
	return sizeof(ConnectEvent) +
		(event->old_row ? VARSIZE(event->old_row) : 0) +
		(event->new_row ? VARSIZE(event->new_row) : 0);
}

static int
compare_by_txid(const void *a, const void *b)
{
	const BatchTransaction *x = a;
	const BatchTransaction *y = b;

	return x->txid < y->txid ? -1 : x->txid > y->txid;
}

static int
compare_by_last(const void *a, const void *b)
{
	const BatchTransaction *x = a;
	const BatchTransaction *y = b;

	if (x->last != y->last)
		return x->last < y->last ? -1 : 1;
	return compare_by_txid(a, b);
}

/* By rank of the transaction (kept in "queue"), then number. */
static int
compare_events(const void *a, const void *b)
{
	const ConnectEvent *x = a;
	const ConnectEvent *y = b;

	if (x->queue != y->queue)
		return x->queue < y->queue ? -1 : 1;
	if (x->txid != y->txid)
		return x->txid < y->txid ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

/* Two keys; rescanned with others by index_rescan(). */
static void
scan_open(QueueScan *scan, Oid relid, ScanKey keys)
{
	scan->rel = table_open(relid, AccessShareLock);
	scan->index = index_open(linitial_oid(RelationGetIndexList(scan->rel)),
							 AccessShareLock);
	scan->slot = table_slot_create(scan->rel, NULL);
	scan->scan = connect_index_beginscan(scan->rel, scan->index,
										 GetActiveSnapshot(), 2, 0);
	index_rescan(scan->scan, keys, 2, NULL, 0);
}

static void
scan_close(QueueScan *scan)
{
	index_endscan(scan->scan);
	ExecDropSingleTupleTableSlot(scan->slot);
	index_close(scan->index, AccessShareLock);
	table_close(scan->rel, AccessShareLock);
}

/* Transactions that stand more than once, in several tables, become one. */
static int
merge_transactions(BatchTransaction *txs, int n)
{
	int			out = 0;

	qsort(txs, n, sizeof(BatchTransaction), compare_by_txid);
	for (int i = 1; i < n; i++)
	{
		if (txs[i].txid == txs[out].txid)
		{
			txs[out].last = Max(txs[out].last, txs[i].last);
			txs[out].count += txs[i].count;
		}
		else
			txs[++out] = txs[i];
	}
	return n == 0 ? 0 : out + 1;
}

/* A batch while it is collected. */
typedef struct Collection
{
	ConnectBatchReader *reader;
	Datum		from;
	Datum		to;
	int			maxtxs;
	int			maxevents;
	int			nevents;
	int64		total;
	Size		bytes;			/* of the events kept */
	uint64		txid;			/* of the event seen last */
	bool		wanted;			/* its transaction belongs to the batch */
} Collection;

/* The first event of a transaction in one table: is it one of the batch? */
static void
collect_transaction(Collection *c, uint64 txid)
{
	ConnectBatchReader *reader = c->reader;

	c->txid = txid;
	c->wanted = !snapshot_sees(c->from, txid) && snapshot_sees(c->to, txid);
	if (!c->wanted)
		return;
	if (reader->ntxs == c->maxtxs)
	{
		c->maxtxs *= 2;
		reader->txs = repalloc_huge(reader->txs,
									sizeof(BatchTransaction) * c->maxtxs);
	}
	reader->txs[reader->ntxs++] = (BatchTransaction) {.txid = txid};
}

/* Keeps an event in memory, or finds that the batch is too large for that. */
static void
collect_event(Collection *c, TupleTableSlot *slot)
{
	ConnectBatchReader *reader = c->reader;
	ConnectEvent event;

	event_from_slot(&event, slot, true);
	c->bytes += event_size(&event);
	if (c->nevents == c->maxevents)
	{
		c->maxevents *= 2;
		reader->events = repalloc(reader->events,
								  sizeof(ConnectEvent) * c->maxevents);
	}
	reader->events[c->nevents++] = event;
	if (c->bytes <= BUFFER_LIMIT)
		return;
	for (int i = 0; i < c->nevents; i++)
	{
		if (reader->events[i].old_row)
			pfree(reader->events[i].old_row);
		if (reader->events[i].new_row)
			pfree(reader->events[i].new_row);
	}
	pfree(reader->events);
	reader->events = NULL;
}

static void
range_keys(ScanKeyData *keys, const TxidRange *range)
{
	ScanKeyInit(&keys[0], 1, BTGreaterEqualStrategyNumber, F_XID8GE,
				FullTransactionIdGetDatum(FullTransactionIdFromU64(range->first)));
	ScanKeyInit(&keys[1], 1, BTLessStrategyNumber, F_XID8LT,
				FullTransactionIdGetDatum(FullTransactionIdFromU64(range->end)));
}

static void
collect_table(Collection *c, Oid relid, const TxidRange *ranges, int nranges)
{
	ConnectBatchReader *reader = c->reader;
	QueueScan	scan;
	ScanKeyData keys[2];

	range_keys(keys, &ranges[0]);
	scan_open(&scan, relid, keys);
	for (int i = 0; i < nranges; i++)
	{
		if (i > 0)
		{
			range_keys(keys, &ranges[i]);
			index_rescan(scan.scan, keys, 2, NULL, 0);
		}
		c->txid = 0;
		while (index_getnext_slot(scan.scan, ForwardScanDirection, scan.slot))
		{
			ConnectEvent event;

			CHECK_FOR_INTERRUPTS();
			event_from_slot(&event, scan.slot, false);
			if (event.txid != c->txid)
				collect_transaction(c, event.txid);
			if (!c->wanted)
				continue;
			reader->txs[reader->ntxs - 1].last = event.id;
			reader->txs[reader->ntxs - 1].count++;
			c->total++;
			if (reader->events != NULL)
				collect_event(c, scan.slot);
		}
	}
	scan_close(&scan);
}

/* Orders the events in memory by their transaction's last, then by number. */
static void
order_events(ConnectBatchReader *reader, int n)
{
	/* the transaction's last event is scratch in "queue" */
	for (int i = 0; i < n; i++)
	{
		BatchTransaction probe = {.txid = reader->events[i].txid};
		BatchTransaction *tx = bsearch(&probe, reader->txs, reader->ntxs,
									   sizeof(BatchTransaction),
									   compare_by_txid);

		reader->events[i].queue = tx->last;
	}
	qsort(reader->events, n, sizeof(ConnectEvent), compare_events);
}

/* Nothing of the batch is sent that a crash could take back. */
static void
settle(const ConnectBatchReader *reader)
{
	uint64	   *txids = palloc_extended(sizeof(uint64) * Max(reader->ntxs, 1),
										MCXT_ALLOC_HUGE);

	for (int i = 0; i < reader->ntxs; i++)
		txids[i] = reader->txs[i].txid;
	connect_wal_settle_commits(txids, reader->ntxs);
	pfree(txids);
}

/*
 * Lists the transactions between from and to, and keeps their events while they
 * are few.  Returns the number of events.
 */
static int64
collect(ConnectBatchReader *reader, Datum from, Datum to)
{
	Collection	c = {
		.reader = reader, .from = from, .to = to,
		.maxtxs = 64, .maxevents = 64
	};
	int			nranges;
	TxidRange  *ranges = ranges_between(from, to, &nranges);
	MemoryContext old = MemoryContextSwitchTo(reader->batch_context);

	reader->txs = palloc(sizeof(BatchTransaction) * c.maxtxs);
	reader->ntxs = 0;
	reader->events = palloc(sizeof(ConnectEvent) * c.maxevents);
	for (int i = 0; i < reader->queue->ntables; i++)
		collect_table(&c, reader->queue->tables[i], ranges, nranges);

	reader->ntxs = merge_transactions(reader->txs, reader->ntxs);
	settle(reader);
	if (reader->events != NULL && c.nevents > 1)
		order_events(reader, c.nevents);
	qsort(reader->txs, reader->ntxs, sizeof(BatchTransaction), compare_by_last);
	MemoryContextSwitchTo(old);
	return c.total;
}

/*
 * Looks the queue up when it has changed.  The tables of its ring are made by
 * this process alone; who ends the capture is heard of at the next turn at
 * the latest, since what is not acknowledged makes the task look again.
 */
static void
know_queue(ConnectBatchReader *reader)
{
	uint64		now;
	MemoryContext old;

	if (reader->queue != NULL && reader->queue_known == queue_changes)
		return;
	queue_relid = get_relname_relid("queue",
									get_namespace_oid("connect", false));
	reader->queue = NULL;
	MemoryContextReset(reader->queue_context);
	now = queue_changes;
	old = MemoryContextSwitchTo(reader->queue_context);
	reader->queue = connect_queue_load(reader->connector_id);
	MemoryContextSwitchTo(old);
	reader->queue_known = now;
}

/* Collects the events between reader->from and to. */
static int64
batch_load(ConnectBatchReader *reader, Datum to)
{
	MemoryContextReset(reader->batch_context);
	know_queue(reader);
	if (reader->queue == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("the capture queue of the connector is missing"),
				 errhint("Queues are in no dump: drop the connector and create it again.")));
	if (reader->queue->dropped)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("capture has ended: the queue had reached its limit of " INT64_FORMAT " bytes",
						reader->queue->max_bytes),
				 errhint("Drop the connector and create it again; its tables are then read anew.")));
	return collect(reader, reader->from, to);
}

/* Makes the events between reader->from and to the current batch. */
static void
batch_begin(ConnectBatchReader *reader, Datum to, int64 skip)
{
	int64		total = batch_load(reader, to);
	MemoryContext old;

	if (total == 0)
	{
		pfree(DatumGetPointer(reader->from));
		reader->from = snapshot_copy(reader, to);
		return;
	}
	old = MemoryContextSwitchTo(reader->context);
	reader->batch = palloc(sizeof(Batch));
	reader->batch->number = ++reader->last_number;
	reader->batch->from = datumCopy(reader->from, false, -1);
	reader->batch->to = datumCopy(to, false, -1);
	reader->batch->total = total;
	reader->batches = lappend(reader->batches, reader->batch);
	MemoryContextSwitchTo(old);
	reader->handed_out = 0;
	reader->skip = skip;
	reader->tx = 0;
	reader->tx_done = 0;
}

static void
batch_end(ConnectBatchReader *reader)
{
	connect_reader_rest(reader);
	pfree(DatumGetPointer(reader->from));
	reader->from = snapshot_copy(reader, reader->batch->to);
	reader->batch = NULL;
}

void
connect_reader_seek(ConnectBatchReader *reader, Datum from, Datum to, int64 n)
{
	reader->from = snapshot_copy(reader, from);
	reader->acknowledged = snapshot_copy(reader, from);
	reader->untrimmed = true;
	if (to != (Datum) 0)
		batch_begin(reader, to, n);
}

/* ---- a large batch: one transaction at a time ---- */

static void
open_transaction(ConnectBatchReader *reader)
{
	uint64		txid = reader->txs[reader->tx].txid;
	ScanKeyData keys[2];
	MemoryContext old = MemoryContextSwitchTo(reader->batch_context);

	ScanKeyInit(&keys[0], 1, BTEqualStrategyNumber, F_XID8EQ,
				FullTransactionIdGetDatum(FullTransactionIdFromU64(txid)));
	ScanKeyInit(&keys[1], 2, BTGreaterStrategyNumber, F_INT8GT,
				Int64GetDatum(reader->tx_done));
	reader->scans = palloc0(sizeof(QueueScan) * reader->queue->ntables);
	for (int i = 0; i < reader->queue->ntables; i++)
	{
		QueueScan  *scan = &reader->scans[i];

		scan_open(scan, reader->queue->tables[i], keys);
		scan->at_end = !index_getnext_slot(scan->scan, ForwardScanDirection,
										   scan->slot);
	}
	MemoryContextSwitchTo(old);
}

void
connect_reader_rest(ConnectBatchReader *reader)
{
	if (reader->scans == NULL)
		return;
	for (int i = 0; i < reader->queue->ntables; i++)
		scan_close(&reader->scans[i]);
	pfree(reader->scans);
	reader->scans = NULL;
}

static ConnectEvent *
stream_event(ConnectBatchReader *reader)
{
	for (;;)
	{
		QueueScan  *lowest = NULL;
		int64		lowest_id = 0;
		MemoryContext old;

		if (reader->scans == NULL)
			open_transaction(reader);
		for (int i = 0; i < reader->queue->ntables; i++)
		{
			QueueScan  *scan = &reader->scans[i];
			bool		isnull;
			int64		id;

			if (scan->at_end)
				continue;
			id = DatumGetInt64(slot_getattr(scan->slot, QUEUE_ID, &isnull));
			if (lowest == NULL || id < lowest_id)
			{
				lowest = scan;
				lowest_id = id;
			}
		}
		if (lowest == NULL)
		{
			/* this transaction is done; the batch knows how many there are */
			connect_reader_rest(reader);
			reader->tx++;
			reader->tx_done = 0;
			Assert(reader->tx < reader->ntxs);
			continue;
		}
		MemoryContextReset(reader->event_context);
		old = MemoryContextSwitchTo(reader->event_context);
		event_from_slot(&reader->event, lowest->slot, true);
		MemoryContextSwitchTo(old);
		reader->tx_done = lowest_id;
		lowest->at_end = !index_getnext_slot(lowest->scan, ForwardScanDirection,
											 lowest->slot);
		return &reader->event;
	}
}

/*
 * The event lives until the next call.  Runs in a transaction with an active
 * snapshot.
 */
ConnectEvent *
connect_reader_next(ConnectBatchReader *reader, ConnectPosition *position)
{
	ConnectEvent *event;

	if (reader->batch != NULL && reader->handed_out == reader->batch->total)
		batch_end(reader);
	if (reader->batch == NULL)
		batch_begin(reader, DirectFunctionCall1(pg_current_snapshot, (Datum) 0),
					0);
	if (reader->batch == NULL)
		return NULL;
	do
	{
		if (reader->handed_out == reader->batch->total)
			return connect_reader_next(reader, position);
		event = reader->events ? &reader->events[reader->handed_out] :
			stream_event(reader);
		reader->handed_out++;
	} while (reader->handed_out <= reader->skip);
	position->a = reader->batch->number;
	position->b = reader->handed_out;
	return event;
}

/* The event handed out last has been emitted. */
void
connect_reader_emitted(ConnectBatchReader *reader)
{
	reader->skip = reader->handed_out;
}

/*
 * An error ended the transaction of the last read: starts the batch over,
 * behind the last event that was emitted.
 */
void
connect_reader_recover(ConnectBatchReader *reader)
{
	reader->scans = NULL;
	if (reader->batch == NULL)
		return;
	batch_load(reader, reader->batch->to);
	reader->handed_out = 0;
	reader->tx = 0;
	reader->tx_done = 0;
}

/* ---- positions ---- */

static Batch *
batch_of(ConnectBatchReader *reader, const ConnectPosition *position)
{
	ListCell   *lc;

	foreach(lc, reader->batches)
	{
		Batch	   *batch = lfirst(lc);

		if (batch->number == position->a)
			return batch;
	}
	elog(ERROR, "position " INT64_FORMAT " of the capture queue is unknown",
		 position->a);
}

void
connect_reader_format(ConnectBatchReader *reader,
					  const ConnectPosition *position, StringInfo out)
{
	Batch	   *batch = batch_of(reader, position);
	char	   *to = DatumGetCString(DirectFunctionCall1(pg_snapshot_out,
														 batch->to));

	if (position->b == batch->total)
		appendStringInfo(out, "{\"from\":\"%s\"}", to);
	else
		appendStringInfo(out, "{\"from\":\"%s\",\"to\":\"%s\",\"events\":" INT64_FORMAT "}",
						 DatumGetCString(DirectFunctionCall1(pg_snapshot_out,
															 batch->from)),
						 to, position->b);
}

void
connect_reader_acknowledged(ConnectBatchReader *reader,
							const ConnectPosition *position)
{
	Batch	   *batch = batch_of(reader, position);

	while (linitial(reader->batches) != batch)
	{
		Batch	   *done = linitial(reader->batches);

		reader->batches = list_delete_first(reader->batches);
		pfree(DatumGetPointer(done->from));
		pfree(DatumGetPointer(done->to));
		pfree(done);
	}
	if (position->b < batch->total)
		return;
	pfree(DatumGetPointer(reader->acknowledged));
	reader->acknowledged = snapshot_copy(reader, batch->to);
	reader->acknowledged_number = batch->number;
	reader->untrimmed = true;
	(void) connect_reader_trim(reader);
}

bool
connect_reader_trim(ConnectBatchReader *reader)
{
	ConnectQueue *queue;

	if (reader->untrimmed)
	{
		queue = connect_queue_load(reader->connector_id);
		reader->untrimmed = queue != NULL &&
			!connect_queue_trim(queue, reader->acknowledged);
	}
	return !reader->untrimmed &&
		reader->acknowledged_number == reader->last_number;
}

/* ---- for the status ---- */

TimestampTz
connect_reader_oldest(const ConnectQueue *queue, Datum from)
{
	int			n;
	TxidRange  *ranges = ranges_between(from,
										DirectFunctionCall1(pg_current_snapshot,
															(Datum) 0), &n);
	TimestampTz oldest = 0;

	for (int i = 0; i < queue->ntables * n; i++)
	{
		QueueScan	scan;
		ScanKeyData keys[2];
		ConnectEvent event;

		range_keys(keys, &ranges[i % n]);
		scan_open(&scan, queue->tables[i / n], keys);
		if (index_getnext_slot(scan.scan, ForwardScanDirection, scan.slot))
		{
			event_from_slot(&event, scan.slot, false);
			if (oldest == 0 || event.at < oldest)
				oldest = event.at;
		}
		scan_close(&scan);
	}
	return oldest;
}
