/*
 * queue.c
 *	  The queue of a capturing connector: a ring of tables.
 *
 * NOTES
 *	  Writers insert into the current table alone; it is found in
 *	  connect.queue, cached by each backend (trigger.c).  The task reads all
 *	  tables of the ring.  A table is truncated when every event in it has been
 *	  acknowledged and its exclusive lock comes without waiting: then no writer
 *	  is in the middle of a transaction that wrote to it.  A writer that still
 *	  believes an emptied table to be current does no harm, since all tables are
 *	  read; while one is being emptied he takes the next.
 *
 *	  Writer and task never wait for each other's lock on the row of
 *	  connect.queue: who finds it taken leaves it, and looks again later.
 *
 *	  Queue tables are members of the extension, so that no dump has them.
 *	  Creating and dropping runs under the extension owner's identity.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/multixact.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/index.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "commands/tablecmds.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/array.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/xid8.h"

#include "catalog/access.h"
#include "catalog/catalog.h"
#include "compat.h"
#include "stream/stream.h"

#define RING_TABLES 3			/* to begin with */
#define ROTATE_BLOCKS 2048		/* 16 MB: the current table gives way */
#define INSERT_CHUNK 1000
#define BULK_EVENTS 64			/* fewer do not pay for a buffer ring */

static void make_member(const char *name);

static Oid
queue_relid(const char *name)
{
	return get_relname_relid(name, get_namespace_oid("connect", false));
}

/* Creates table number n of a queue; SPI is connected, identity switched. */
static Oid
create_table(int64 connector_id, int n)
{
	char	   *name = psprintf("queue_" INT64_FORMAT "_%d", connector_id, n);

	SPI_execute(psprintf("CREATE TABLE connect.%s ("
						 " id bigint, txid pg_catalog.xid8,"
						 " stream bigint NOT NULL, layout bigint NOT NULL,"
						 " op \"char\" NOT NULL,"
						 " at pg_catalog.timestamptz NOT NULL,"
						 " old_row bytea, new_row bytea,"
						 " PRIMARY KEY (txid, id))"
						 " WITH (autovacuum_enabled = off)", name), false, 0);
	make_member(name);
	return queue_relid(name);
}

static void
make_member(const char *name)
{
	ObjectAddress object;
	ObjectAddress extension;

	CommandCounterIncrement();
	ObjectAddressSet(object, RelationRelationId, queue_relid(name));
	ObjectAddressSet(extension, ExtensionRelationId,
					 get_extension_oid("connect", false));
	recordDependencyOn(&object, &extension, DEPENDENCY_EXTENSION);
}

static void
store_ring(int64 connector_id, int current, Oid *tables, int n)
{
	static ConnectStatement stmt = {
		"INSERT INTO connect.queue (connector_id, current, tables)"
		" VALUES ($1, $2, $3) ON CONFLICT (connector_id)"
		" DO UPDATE SET current = $2, tables = $3",
		3, {INT8OID, INT4OID, OIDARRAYOID}
	};
	Datum		args[3];
	Datum	   *elems = palloc(sizeof(Datum) * n);

	for (int i = 0; i < n; i++)
		elems[i] = ObjectIdGetDatum(tables[i]);
	args[0] = Int64GetDatum(connector_id);
	args[1] = Int32GetDatum(current);
	args[2] = PointerGetDatum(construct_array(elems, n, OIDOID, sizeof(Oid),
											  true, TYPALIGN_INT));
	connect_catalog_run(&stmt, args, NULL);
	/* every backend's cache of queues and streams is stale from commit on */
	CacheInvalidateRelcacheByRelid(queue_relid("queue"));
}

void
connect_queue_create(int64 connector_id)
{
	ConnectCatalogScope saved;
	Oid			tables[RING_TABLES];

	connect_catalog_enter(&saved);
	for (int i = 0; i < RING_TABLES; i++)
		tables[i] = create_table(connector_id, i);
	store_ring(connector_id, 0, tables, RING_TABLES);
	connect_catalog_leave(&saved);
}

/* What the queue does when it has grown to max_bytes. */
void
connect_queue_limit(int64 connector_id, const ConnectConfig *cfg,
					const ConnectConfigDef *def)
{
	static ConnectStatement stmt = {
		"UPDATE connect.queue SET max_bytes = $2, full_policy = $3"
		" WHERE connector_id = $1"
		" AND (max_bytes, full_policy) IS DISTINCT FROM ($2, $3)",
		3, {INT8OID, INT8OID, TEXTOID}
	};
	const char *policy = connect_config_string(cfg, def, "queue.full.policy");
	Datum		args[] = {
		Int64GetDatum(connector_id),
		Int64GetDatum(connect_config_int(cfg, def, "queue.max.bytes")),
		CStringGetTextDatum(policy)
	};
	ConnectCatalogScope saved;

	connect_catalog_enter(&saved);
	connect_catalog_run(&stmt, args, NULL);
	CacheInvalidateRelcacheByRelid(queue_relid("queue"));
	connect_catalog_leave(&saved);
}

static void
drop_member(Oid relid)
{
	ObjectAddress object;

	if (!OidIsValid(relid))
		return;
	ObjectAddressSet(object, RelationRelationId, relid);
	deleteDependencyRecordsForClass(RelationRelationId, relid,
									ExtensionRelationId, DEPENDENCY_EXTENSION);
	CommandCounterIncrement();
	performDeletion(&object, DROP_RESTRICT, PERFORM_DELETION_INTERNAL);
}

void
connect_queue_drop(int64 connector_id)
{
	ConnectQueue *queue = connect_queue_load(connector_id);
	ConnectCatalogScope saved;
	Oid			argtype = INT8OID;
	Datum		arg = Int64GetDatum(connector_id);

	if (queue == NULL)
		return;
	connect_catalog_enter(&saved);
	for (int i = 0; i < queue->ntables; i++)
		drop_member(queue->tables[i]);
	SPI_execute_with_args("DELETE FROM connect.queue WHERE connector_id = $1",
						  1, &argtype, &arg, NULL, false, 0);
	CacheInvalidateRelcacheByRelid(queue_relid("queue"));
	connect_catalog_leave(&saved);
}

/* Into the caller's context; NULL: no queue here (a restored copy). */
ConnectQueue *
connect_queue_load(int64 connector_id)
{
	static ConnectStatement stmt = {
		"SELECT current, tables, dropped, full_policy, max_bytes"
		" FROM connect.queue WHERE connector_id = $1",
		1, {INT8OID}, .latest = true
	};
	MemoryContext caller = CurrentMemoryContext;
	ConnectQueue *queue = NULL;
	ConnectCatalogScope saved;
	Datum		arg = Int64GetDatum(connector_id);

	connect_catalog_enter(&saved);
	if (connect_catalog_run(&stmt, &arg, NULL) == 1)
	{
		HeapTuple	row = SPI_tuptable->vals[0];
		TupleDesc	desc = SPI_tuptable->tupdesc;
		char	   *policy = SPI_getvalue(row, desc, 4);
		bool		isnull;
		Datum	   *elems;
		MemoryContext spi;
		int			n;

		deconstruct_array(DatumGetArrayTypeP(SPI_getbinval(row, desc, 2,
														   &isnull)),
						  OIDOID, sizeof(Oid), true, TYPALIGN_INT,
						  &elems, NULL, &n);
		spi = MemoryContextSwitchTo(caller);
		queue = palloc0(sizeof(ConnectQueue));
		queue->connector_id = connector_id;
		queue->current = DatumGetInt32(SPI_getbinval(row, desc, 1, &isnull));
		queue->dropped = DatumGetBool(SPI_getbinval(row, desc, 3, &isnull));
		queue->policy = strcmp(policy, "fail") == 0 ? CONNECT_QUEUE_FAIL :
			strcmp(policy, "drop") == 0 ? CONNECT_QUEUE_DROP :
			CONNECT_QUEUE_HOLD;
		queue->max_bytes = DatumGetInt64(SPI_getbinval(row, desc, 5, &isnull));
		queue->ntables = n;
		queue->tables = palloc(sizeof(Oid) * n);
		for (int i = 0; i < n; i++)
			queue->tables[i] = DatumGetObjectId(elems[i]);
		MemoryContextSwitchTo(spi);
	}
	connect_catalog_leave(&saved);
	return queue;
}

/* Blocks of an open queue table and of what it stores out of line. */
static int64
table_blocks(Relation rel)
{
	int64		blocks = RelationGetNumberOfBlocks(rel);

	if (OidIsValid(rel->rd_rel->reltoastrelid))
	{
		Relation	toast = relation_open(rel->rd_rel->reltoastrelid,
										  AccessShareLock);

		blocks += RelationGetNumberOfBlocks(toast);
		relation_close(toast, AccessShareLock);
	}
	return blocks;
}

/* A table that is being emptied just now counts as empty. */
int64
connect_queue_bytes(const ConnectQueue *queue)
{
	int64		blocks = 0;

	for (int i = 0; i < queue->ntables; i++)
	{
		Relation	rel;

		if (!ConditionalLockRelationOid(queue->tables[i], AccessShareLock))
			continue;
		rel = try_relation_open(queue->tables[i], NoLock);
		if (rel == NULL)
			continue;
		blocks += table_blocks(rel);
		relation_close(rel, AccessShareLock);
	}
	return blocks * BLCKSZ;
}

/*
 * The table to write to, locked: the current one, or the next that is not being
 * emptied just now.
 */
static Relation
open_to_write(const ConnectQueue *queue)
{
	Relation	rel;

	for (int i = 0; i < queue->ntables; i++)
	{
		Oid			relid = queue->tables[(queue->current + i) % queue->ntables];

		if (!ConditionalLockRelationOid(relid, RowExclusiveLock))
			continue;
		rel = try_table_open(relid, NoLock);
		if (rel != NULL)
			return rel;
	}
	rel = try_table_open(queue->tables[queue->current], RowExclusiveLock);
	if (rel == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("the connector whose queue this transaction wrote to has been dropped")));
	return rel;
}

/* Stores an event's row in a slot, which owns it. */
static void
fill_slot(TupleTableSlot *slot, Datum txid, const ConnectEvent *event)
{
	Datum		values[QUEUE_NATTS];
	bool		nulls[QUEUE_NATTS] = {0};

	values[QUEUE_ID - 1] = Int64GetDatum(event->id);
	values[QUEUE_TXID - 1] = txid;
	values[QUEUE_STREAM - 1] = Int64GetDatum(event->stream);
	values[QUEUE_LAYOUT - 1] = Int64GetDatum(event->layout);
	values[QUEUE_OP - 1] = CharGetDatum(event->op);
	values[QUEUE_AT - 1] = TimestampTzGetDatum(event->at);
	values[QUEUE_OLD - 1] = PointerGetDatum(event->old_row);
	nulls[QUEUE_OLD - 1] = event->old_row == NULL;
	values[QUEUE_NEW - 1] = PointerGetDatum(event->new_row);
	nulls[QUEUE_NEW - 1] = event->new_row == NULL;
	ExecStoreHeapTuple(heap_form_tuple(slot->tts_tupleDescriptor, values, nulls),
					   slot, true);
}

/*
 * Inserts events, all of the current (sub)transaction, into the current table.
 * Trusted code on our own table: no privileges are asked for.
 */
void
connect_queue_insert(const ConnectQueue *queue, ConnectEvent *events, int n)
{
	Relation	rel = open_to_write(queue);
	Relation	index = index_open(connect_primary_key_index(rel),
								   RowExclusiveLock);
	IndexInfo  *info = BuildIndexInfo(index);
	BulkInsertState bulk = n < BULK_EVENTS ? NULL : GetBulkInsertState();
	Datum		txid = FullTransactionIdGetDatum(GetTopFullTransactionId());
	CommandId	command = GetCurrentCommandId(true);
	int			size = Min(n, INSERT_CHUNK);
	TupleTableSlot **slots = palloc(sizeof(TupleTableSlot *) * size);

	/* not the table's own kind of slot, which would copy each row */
	for (int i = 0; i < size; i++)
		slots[i] = MakeSingleTupleTableSlot(RelationGetDescr(rel),
											&TTSOpsHeapTuple);
	for (int done = 0; done < n; done += size)
	{
		int			chunk = Min(size, n - done);

		for (int i = 0; i < chunk; i++)
			fill_slot(slots[i], txid, &events[done + i]);
		/* the scratch space of a multi-insert does not pay for one row */
		if (chunk == 1)
			table_tuple_insert(rel, slots[0], command, 0, bulk);
		else
			table_multi_insert(rel, slots, chunk, command, 0, bulk);
		for (int i = 0; i < chunk; i++)
		{
			Datum		values[2];
			bool		nulls[2] = {0};

			values[0] = txid;
			values[1] = Int64GetDatum(events[done + i].id);
			/* unique as they are made: this saves looking */
			index_insert(index, values, nulls, &slots[i]->tts_tid, rel,
						 UNIQUE_CHECK_NO, false, info);
		}
	}
	for (int i = 0; i < size; i++)
		ExecDropSingleTupleTableSlot(slots[i]);
	if (bulk)
		FreeBulkInsertState(bulk);
	index_close(index, NoLock);
	table_close(rel, NoLock);
	pfree(slots);
}

/* Is every event of the table visible in the snapshot? */
static bool
all_acknowledged(Relation rel, Datum acknowledged)
{
	Relation	index = index_open(linitial_oid(RelationGetIndexList(rel)),
								   AccessShareLock);
	TupleTableSlot *slot = table_slot_create(rel, NULL);
	IndexScanDesc scan;
	ScanKeyData key;
	bool		all = true;

	ScanKeyInit(&key, 1, BTGreaterEqualStrategyNumber, F_XID8GE,
				DirectFunctionCall1(pg_snapshot_xmin, acknowledged));
	scan = connect_index_beginscan(rel, index, GetActiveSnapshot(), 1, 0);
	index_rescan(scan, &key, 1, NULL, 0);
	while (all && index_getnext_slot(scan, ForwardScanDirection, slot))
	{
		bool		isnull;
		Datum		txid = slot_getattr(slot, QUEUE_TXID, &isnull);

		all = DatumGetBool(DirectFunctionCall2(pg_visible_in_snapshot, txid,
											   acknowledged));
	}
	index_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	index_close(index, AccessShareLock);
	return all;
}

/* Empties one table if nobody needs it and nobody is in the way. */
static bool
truncate_table(Oid relid, Datum acknowledged)
{
	Relation	rel;
	bool		empty;

	if (!ConditionalLockRelationOid(relid, AccessExclusiveLock))
		return false;
	rel = table_open(relid, NoLock);
	PushActiveSnapshot(GetLatestSnapshot());
	empty = all_acknowledged(rel, acknowledged);
	PopActiveSnapshot();
	if (empty)
		connect_truncate(list_make1(rel), list_make1_oid(relid));
	table_close(rel, NoLock);
	return empty;
}

/* Takes the row of connect.queue, unless a writer has it. */
static bool
lock_ring(int64 connector_id)
{
	static ConnectStatement stmt = {
		"SELECT FROM connect.queue WHERE connector_id = $1 AND NOT dropped"
		" FOR NO KEY UPDATE SKIP LOCKED", 1, {INT8OID}, .latest = true
	};
	Datum		arg = Int64GetDatum(connector_id);

	return connect_catalog_run(&stmt, &arg, NULL) == 1;
}

/* Size at which the current table gives way; in a longer ring it is larger. */
static int64
rotate_blocks(const ConnectQueue *queue)
{
	int64		blocks = ROTATE_BLOCKS * (queue->ntables / RING_TABLES);

	/* a limit must be reached with what waits, not with what could be emptied */
	if (queue->policy != CONNECT_QUEUE_HOLD && queue->max_bytes > 0)
		blocks = Min(blocks, queue->max_bytes / BLCKSZ / 4);
	return blocks;
}

/* Moves writers to table number empty, or to a new one (-1). */
static bool
rotate(ConnectQueue *queue, int empty)
{
	ConnectCatalogScope saved;
	bool		locked;

	connect_catalog_enter(&saved);
	locked = lock_ring(queue->connector_id);
	if (locked)
	{
		if (empty < 0)
		{
			/* all others are still needed: the ring grows */
			queue->tables = repalloc(queue->tables,
									 sizeof(Oid) * (queue->ntables + 1));
			queue->tables[queue->ntables] = create_table(queue->connector_id,
														 queue->ntables);
			empty = queue->ntables++;
		}
		queue->current = empty;
		store_ring(queue->connector_id, empty, queue->tables, queue->ntables);
	}
	connect_catalog_leave(&saved);
	return locked;
}

/*
 * Gives back the space of acknowledged events, and moves writers on when the
 * current table has grown.  Never waits.  False: something is left that could
 * not be emptied now.
 */
bool
connect_queue_trim(ConnectQueue *queue, Datum acknowledged)
{
	int			empty = -1;
	int			full = 0;
	int			old = queue->current;
	bool		grown = false;

	for (int i = 0; i < queue->ntables; i++)
	{
		Relation	rel = table_open(queue->tables[i], AccessShareLock);
		int64		blocks = table_blocks(rel);

		table_close(rel, AccessShareLock);
		if (i == queue->current)
			grown = blocks > rotate_blocks(queue);
		else if (blocks == 0 ||
				 truncate_table(queue->tables[i], acknowledged))
			empty = i;
		else
			full++;
	}
	return !grown ? full == 0 :
		rotate(queue, empty) &&
		truncate_table(queue->tables[old], acknowledged) && full == 0;
}

void
connect_queue_set_dropped(int64 connector_id)
{
	static ConnectStatement stmt = {
		"UPDATE connect.queue SET dropped = true WHERE connector_id = $1",
		1, {INT8OID}, .latest = true
	};
	ConnectCatalogScope saved;
	Datum		arg = Int64GetDatum(connector_id);

	connect_catalog_enter(&saved);
	if (lock_ring(connector_id))
	{
		connect_catalog_run(&stmt, &arg, NULL);
		CacheInvalidateRelcacheByRelid(queue_relid("queue"));
	}
	connect_catalog_leave(&saved);
}
