/*
 * reader.c
 *	  Rows to records: from a statement, from what it left over, from the heap.
 *
 * NOTES
 *	  A statement runs inside one transaction and emits straight from the
 *	  executor's slots.  What does not fit into the poll goes to a tuplestore
 *	  that outlives the transaction (a temporary file beyond work_mem), so no
 *	  snapshot waits for the network.
 *
 *	  The heap of a plain table is read without the executor, some blocks at a
 *	  time, under one snapshot that is held between polls; no page stays pinned
 *	  meanwhile, for the rest of a page is copied.  When that has lasted for
 *	  connect.snapshot_max_age the rest of the table goes to a tuplestore as
 *	  well, and the snapshot is let go.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/heaptoast.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "executor/tstoreReceiver.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "tcop/pquery.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "jdbcsource/jdbcsource.h"

typedef struct RowReceiver
{
	DestReceiver pub;
	ConnectJdbcReader *reader;
} RowReceiver;

static void use_plan(ConnectJdbcReader *reader, TupleDesc desc,
					 const bool *optional);
static void emit(ConnectJdbcReader *reader, const Datum *values,
				 const bool *isnull);
static void track(ConnectJdbcReader *reader, const Datum *values,
				  const bool *isnull, ConnectPosition *position);

ConnectJdbcReader *
connect_jdbc_reader_make(ConnectTask *task, const ConnectJdbcSettings *settings,
						 const char *topic, const char *schema_name,
						 int32 partition)
{
	ConnectJdbcReader *reader = palloc0(sizeof(ConnectJdbcReader));

	reader->task = task;
	reader->settings = settings;
	reader->context = AllocSetContextCreate(CurrentMemoryContext,
											"Connect reader",
											ALLOCSET_DEFAULT_SIZES);
	reader->row_context = AllocSetContextCreate(reader->context,
												"Connect row",
												ALLOCSET_DEFAULT_SIZES);
	reader->page_context = AllocSetContextCreate(reader->context,
												 "Connect page",
												 ALLOCSET_DEFAULT_SIZES);
	reader->topic = topic;
	reader->schema_name = schema_name;
	reader->partition = partition;
	return reader;
}

/* May the field be null, as the JDBC driver finds out? */
static bool
attribute_optional(Oid relid, AttrNumber attnum, Oid type)
{
	HeapTuple	tuple;
	bool		not_null = false;

	tuple = SearchSysCache2(ATTNUM, ObjectIdGetDatum(relid),
							Int16GetDatum(attnum));
	if (HeapTupleIsValid(tuple))
	{
		not_null = ((Form_pg_attribute) GETSTRUCT(tuple))->attnotnull;
		ReleaseSysCache(tuple);
	}
	if (!not_null && get_typtype(type) == TYPTYPE_DOMAIN)
	{
		tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
		if (HeapTupleIsValid(tuple))
		{
			not_null = ((Form_pg_type) GETSTRUCT(tuple))->typnotnull;
			ReleaseSysCache(tuple);
		}
	}
	return !not_null;
}

/* A result column comes from a table's column, or is an expression. */
static bool *
portal_optional(Portal portal)
{
	bool	   *result = palloc(sizeof(bool) * Max(portal->tupDesc->natts, 1));
	int			i = 0;
	ListCell   *lc;

	foreach(lc, FetchPortalTargetList(portal))
	{
		TargetEntry *entry = lfirst(lc);

		if (entry->resjunk)
			continue;
		result[i] = !OidIsValid(entry->resorigtbl) ||
			attribute_optional(entry->resorigtbl, entry->resorigcol,
							   TupleDescAttr(portal->tupDesc, i)->atttypid);
		i++;
	}
	return result;
}

static bool
same_rows(const ConnectJdbcReader *reader, TupleDesc desc, const bool *optional)
{
	if (reader->desc->natts != desc->natts)
		return false;
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute a = TupleDescAttr(reader->desc, i);
		Form_pg_attribute b = TupleDescAttr(desc, i);

		if (a->attisdropped != b->attisdropped ||
			a->atttypid != b->atttypid || a->atttypmod != b->atttypmod ||
			strcmp(NameStr(a->attname), NameStr(b->attname)) != 0 ||
			reader->optional[i] != optional[i])
			return false;
	}
	return true;
}

/*
 * A new plan if rows have a new shape.  The old one stays where it is:
 * converters know its schema by the address.
 */
static void
use_plan(ConnectJdbcReader *reader, TupleDesc desc, const bool *optional)
{
	MemoryContext old;

	if (reader->plan != NULL && same_rows(reader, desc, optional))
		return;
	old = MemoryContextSwitchTo(reader->context);
	if (reader->slot != NULL)
		ExecDropSingleTupleTableSlot(reader->slot);
	reader->slot = NULL;
	reader->desc = CreateTupleDescCopy(desc);
	reader->optional = palloc(sizeof(bool) * Max(desc->natts, 1));
	memcpy(reader->optional, optional, sizeof(bool) * desc->natts);
	reader->plan = connect_row_plan_make(reader->desc, reader->optional,
										 reader->schema_name,
										 &reader->settings->row);
	reader->cells = palloc(sizeof(ConnectValue) * Max(reader->plan->ncells, 1));
	reader->values = palloc(sizeof(Datum) * Max(desc->natts, 1));
	reader->isnull = palloc(sizeof(bool) * Max(desc->natts, 1));
	reader->slot = MakeSingleTupleTableSlot(reader->desc, &TTSOpsMinimalTuple);
	MemoryContextSwitchTo(old);
}

/* Is the key the time alone, which several rows may share? */
static inline bool
key_is_time(const ConnectJdbcReader *reader)
{
	return reader->settings->mode == CONNECT_JDBC_TIMESTAMP;
}

static void
emit(ConnectJdbcReader *reader, const Datum *values, const bool *isnull)
{
	MemoryContext old = MemoryContextSwitchTo(reader->row_context);
	ConnectRecord record;
	ConnectError err;

	memset(&record, 0, sizeof(record));
	if (!connect_row_convert(reader->plan, values, isnull, reader->cells, &err))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("%s", err.message),
				 errhint("Options numeric.mapping, numeric.unconstrained.scale and timestamp.granularity choose other forms; column.exclude.list leaves a column out."),
				 errcontext("reading rows for topic \"%s\"", reader->topic)));
	record.topic = reader->topic;
	record.partition = -1;
	record.timestamp = -1;
	record.value_schema = reader->plan->schema;
	record.value = connect_value_elems(CONNECT_KIND_STRUCT, reader->cells,
									   reader->plan->ncells);
	track(reader, values, isnull, &record.position);
	reader->rows++;
	connect_task_emit(reader->task, &record);
	reader->sent = key_is_time(reader) ? reader->done : reader->last;
	MemoryContextSwitchTo(old);
	MemoryContextReset(reader->row_context);
}

/*
 * Moves on to this row's key.  By time alone a row tells the last time of which
 * all rows have been read: a task that dies within a group reads it again.
 */
static void
track(ConnectJdbcReader *reader, const Datum *values, const bool *isnull,
	  ConnectPosition *position)
{
	const ConnectJdbcStatement *statement = reader->statement;
	const ConnectJdbcSettings *settings = reader->settings;
	TimestampTz ts = DT_NOBEGIN;

	position->partition = reader->partition;
	if (settings->mode == CONNECT_JDBC_BULK)
		return;
	for (int i = 0; i < statement->nts; i++)
	{
		int			att = statement->ts_attrs[i] - 1;

		if (isnull[att])
			continue;
		ts = connect_jdbc_instant(settings, statement->ts_types[i], values[att]);
		reader->last_bound = statement->ts_type == statement->ts_types[i] ?
			values[att] : TimestampTzGetDatum(ts);
		reader->has_bound = true;
		break;
	}
	if (ts != reader->last.ts)
		reader->done.ts = reader->last.ts;
	reader->last.ts = ts;
	if (settings->incrementing)
	{
		reader->last.id = connect_jdbc_id(statement->id_type,
										  values[statement->id_attr - 1]);
		reader->done = reader->last;
	}
	connect_jdbc_reader_position(reader, &reader->done, position);
}

void
connect_jdbc_reader_position(const ConnectJdbcReader *reader,
							 const ConnectJdbcOffset *offset,
							 ConnectPosition *position)
{
	position->partition = reader->partition;
	position->a = reader->settings->timestamp ? offset->ts : offset->id;
	position->b = offset->id;
}

static void
begin_store(ConnectJdbcReader *reader)
{
	MemoryContext old = MemoryContextSwitchTo(reader->context);

	if (reader->store == NULL)
		reader->store = tuplestore_begin_heap(false, true, work_mem);
	MemoryContextSwitchTo(old);
}

/* With values of its own: toasted ones may be gone with the snapshot. */
static void
store_row(ConnectJdbcReader *reader, HeapTuple tuple, TupleDesc desc)
{
	HeapTuple	flat = toast_flatten_tuple(tuple, desc);

	tuplestore_puttuple(reader->store, flat);
	heap_freetuple(flat);
}

/* A record may take more room than its own: what comes then is stored. */
static bool
receive(TupleTableSlot *slot, DestReceiver *self)
{
	ConnectJdbcReader *reader = ((RowReceiver *) self)->reader;

	reader->chunk_rows++;
	if (reader->task->room > 0)
	{
		slot_getallattrs(slot);
		emit(reader, slot->tts_values, slot->tts_isnull);
	}
	else
	{
		bool		free_it;
		HeapTuple	tuple = ExecFetchSlotHeapTuple(slot, false, &free_it);

		begin_store(reader);
		store_row(reader, tuple, slot->tts_tupleDescriptor);
		if (free_it)
			heap_freetuple(tuple);
	}
	return true;
}

static void
receiver_startup(DestReceiver *self, int operation, TupleDesc desc)
{
}

static void
receiver_end(DestReceiver *self)
{
}

/* Puts the rest of the portal's rows aside. */
static void
store_portal(ConnectJdbcReader *reader, Portal portal)
{
	DestReceiver *dest = CreateDestReceiver(DestTuplestore);

	begin_store(reader);
	SetTuplestoreDestReceiverParams(dest, reader->store, reader->context, true,
									NULL, NULL);
	reader->chunk_rows += PortalRunFetch(portal, FETCH_FORWARD, FETCH_ALL, dest);
	dest->rDestroy(dest);
}

void
connect_jdbc_reader_execute(ConnectJdbcReader *reader, SPIPlanPtr plan,
							Datum *args, bool store_all)
{
	RowReceiver receiver = {{receive, receiver_startup, receiver_end,
	receiver_end, DestSPI}, reader};
	Portal		portal;

	SPI_connect();
	portal = SPI_cursor_open(NULL, plan, args, NULL, true);
	if (portal == NULL)
		elog(ERROR, "could not open a cursor: %s",
			 SPI_result_code_string(SPI_result));
	use_plan(reader, portal->tupDesc, portal_optional(portal));
	reader->chunk_rows = 0;
	while (!store_all && !portal->atEnd && reader->task->room > 0)
		PortalRunFetch(portal, FETCH_FORWARD, reader->task->room,
					   &receiver.pub);
	if (!portal->atEnd)
		store_portal(reader, portal);
	SPI_cursor_close(portal);
	SPI_finish();
}

bool
connect_jdbc_reader_drain(ConnectJdbcReader *reader)
{
	TupleTableSlot *slot = reader->slot;

	while (reader->task->room > 0)
	{
		if (!tuplestore_gettupleslot(reader->store, true, false, slot))
		{
			ExecClearTuple(slot);
			tuplestore_end(reader->store);
			reader->store = NULL;
			return true;
		}
		slot_getallattrs(slot);
		emit(reader, slot->tts_values, slot->tts_isnull);
	}
	ExecClearTuple(slot);
	return false;
}

/*
 * Is it all there is to read the heap?  Rights are those of the current user,
 * now.
 */
static bool
heap_is_plain(Relation rel)
{
	TupleDesc	desc = RelationGetDescr(rel);
	Oid			relid = RelationGetRelid(rel);

	if (rel->rd_rel->relkind != RELKIND_RELATION ||
		rel->rd_tableam != GetHeapamTableAmRoutine() ||
		has_subclass(relid) ||
		pg_class_aclcheck(relid, GetUserId(), ACL_SELECT) != ACLCHECK_OK ||
		check_enable_rls(relid, InvalidOid, true) == RLS_ENABLED)
		return false;
	for (int i = 0; i < desc->natts; i++)
	{
		/* What is computed when it is read is not in the heap. */
		if (TupleDescAttr(desc, i)->attgenerated != '\0' &&
			TupleDescAttr(desc, i)->attgenerated != ATTRIBUTE_GENERATED_STORED)
			return false;
	}
	return true;
}

bool
connect_jdbc_reader_heap_begin(ConnectJdbcReader *reader)
{
	Relation	rel = table_open(reader->statement->relid, AccessShareLock);
	TupleDesc	desc = RelationGetDescr(rel);
	bool	   *optional;

	if (!heap_is_plain(rel))
	{
		table_close(rel, NoLock);
		return false;
	}
	optional = palloc(sizeof(bool) * Max(desc->natts, 1));
	for (int i = 0; i < desc->natts; i++)
		optional[i] = !TupleDescAttr(desc, i)->attisdropped &&
			attribute_optional(RelationGetRelid(rel), i + 1,
							   TupleDescAttr(desc, i)->atttypid);
	use_plan(reader, desc, optional);
	reader->rel = rel;
	reader->xmin = GetActiveSnapshot()->xmin;
	reader->part = 0;
	reader->nparts = 1;
	reader->next_block = 0;
	reader->nblocks = RelationGetNumberOfBlocks(rel);
	reader->npending = reader->next_pending = 0;
	reader->holding = true;
	reader->held_since = GetCurrentTimestamp();
	return true;
}

/* Keeps a row of the page for the next poll. */
static void
keep_row(ConnectJdbcReader *reader, TupleTableSlot *slot)
{
	MemoryContext old = MemoryContextSwitchTo(reader->page_context);

	if (reader->npending == 0)
		reader->pending = palloc(sizeof(HeapTuple) * MaxHeapTuplesPerPage);
	Assert(reader->npending < MaxHeapTuplesPerPage);
	reader->pending[reader->npending++] = ExecCopySlotHeapTuple(slot);
	MemoryContextSwitchTo(old);
}

static void
emit_pending(ConnectJdbcReader *reader)
{
	while (reader->next_pending < reader->npending && reader->task->room > 0)
	{
		heap_deform_tuple(reader->pending[reader->next_pending++],
						  RelationGetDescr(reader->rel), reader->values,
						  reader->isnull);
		emit(reader, reader->values, reader->isnull);
	}
	if (reader->next_pending == reader->npending && reader->npending > 0)
	{
		reader->npending = reader->next_pending = 0;
		MemoryContextReset(reader->page_context);
	}
}

/*
 * Scans from next_block on.  All rows are stored if that is asked for; else
 * they are emitted until there is no more room, and the rest of that page is
 * kept.
 */
static void
scan_blocks(ConnectJdbcReader *reader, BlockNumber n, TupleTableSlot *slot,
			bool store)
{
	TableScanDesc scan;
	BlockNumber last = InvalidBlockNumber;
	BlockNumber stop = reader->next_block + n;

	scan = table_beginscan_strat(reader->rel, GetActiveSnapshot(), 0, NULL,
								 true, false);
	heap_setscanlimits(scan, reader->next_block, n);
	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		BlockNumber block = ItemPointerGetBlockNumber(&slot->tts_tid);

		if (store)
		{
			store_row(reader, ExecFetchSlotHeapTuple(slot, false, NULL),
					  RelationGetDescr(reader->rel));
		}
		else if (reader->task->room > 0)
		{
			slot_getallattrs(slot);
			emit(reader, slot->tts_values, slot->tts_isnull);
			last = block;
		}
		else if (block == last)
			keep_row(reader, slot);
		else
		{
			stop = block;
			break;
		}
	}
	reader->next_block = stop;
	ExecClearTuple(slot);
	table_endscan(scan);
}

/*
 * Goes on to the next chunk that is ours, if next_block is in none; returns how
 * many blocks there are until its end.
 */
static BlockNumber
next_chunk(ConnectJdbcReader *reader)
{
	BlockNumber chunk = reader->next_block / CONNECT_JDBC_CHUNK_BLOCKS;
	int			ahead = (reader->part + reader->nparts -
						 chunk % reader->nparts) % reader->nparts;

	if (ahead > 0)
		reader->next_block = Min(((uint64) chunk + ahead) * CONNECT_JDBC_CHUNK_BLOCKS,
								 reader->nblocks);
	return Min(CONNECT_JDBC_CHUNK_BLOCKS -
			   reader->next_block % CONNECT_JDBC_CHUNK_BLOCKS,
			   reader->nblocks - reader->next_block);
}

bool
connect_jdbc_reader_heap_next(ConnectJdbcReader *reader)
{
	TupleTableSlot *slot = table_slot_create(reader->rel, NULL);
	BlockNumber n;

	emit_pending(reader);
	while ((n = next_chunk(reader)) > 0 && reader->task->room > 0)
		scan_blocks(reader, n, slot, false);
	ExecDropSingleTupleTableSlot(slot);
	return n == 0 && reader->npending == 0;
}

void
connect_jdbc_reader_heap_store(ConnectJdbcReader *reader)
{
	TupleTableSlot *slot = table_slot_create(reader->rel, NULL);
	BlockNumber n;

	begin_store(reader);
	while (reader->next_pending < reader->npending)
		store_row(reader, reader->pending[reader->next_pending++],
				  RelationGetDescr(reader->rel));
	while ((n = next_chunk(reader)) > 0)
	{
		CHECK_FOR_INTERRUPTS();
		scan_blocks(reader, n, slot, true);
	}
	ExecDropSingleTupleTableSlot(slot);
}

/* The transaction's end closes the relation's lock. */
void
connect_jdbc_reader_heap_end(ConnectJdbcReader *reader)
{
	table_close(reader->rel, NoLock);
	reader->rel = NULL;
	reader->holding = false;
	reader->npending = reader->next_pending = 0;
	MemoryContextReset(reader->page_context);
}

/*
 * All rows up to the last one's key have been emitted.  True if that is more
 * than was known.
 */
bool
connect_jdbc_reader_complete(ConnectJdbcReader *reader)
{
	bool		news = reader->done.ts != reader->last.ts;

	reader->done = reader->sent = reader->last;
	return news && key_is_time(reader);
}

/*
 * An error has ended the transaction: goes back to what was sent.  What hung
 * on the transaction is gone with it.
 */
void
connect_jdbc_reader_reset(ConnectJdbcReader *reader)
{
	if (reader->store != NULL)
	{
		ExecClearTuple(reader->slot);
		tuplestore_end(reader->store);
	}
	reader->store = NULL;
	reader->rel = NULL;
	reader->holding = false;
	reader->npending = reader->next_pending = 0;
	reader->last = reader->done = reader->sent;
	reader->has_bound = false;
	MemoryContextReset(reader->row_context);
	MemoryContextReset(reader->page_context);
}

/* Starts at a stored offset, or at the initial one. */
void
connect_jdbc_reader_seek(ConnectJdbcReader *reader,
						 const ConnectJdbcOffset *offset)
{
	reader->last = reader->done = reader->sent = *offset;
	reader->has_bound = false;
}
