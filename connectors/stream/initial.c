/*
 * initial.c
 *	  The rows that a table had when its stream began.
 *
 * NOTES
 *	  Runs in the task.  The table is read a few blocks at a time, each time
 *	  under a new snapshot, so that nothing is held while Kafka is slow.  That
 *	  loses and doubles nothing: a row version of a transaction from the stream's
 *	  baseline on, or of one that was under way then, is in the queue, and is
 *	  left out here; one from before the baseline stays where it is until it is
 *	  changed, and a change is in the queue.  The same holds for a read that goes
 *	  on after a restart.
 *
 *	  Unless the table is written anew (VACUUM FULL, CLUSTER, some forms of ALTER
 *	  TABLE): then rows are elsewhere, and may bear the number of who did that.
 *	  So a leaf that is stored in another file than at the baseline is read as a
 *	  whole, from its first block; what has changed since then comes twice.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/sysattr.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/transam.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "stream/initial.h"

/* In the order in which they are read. */
List *
connect_initial_leaves(Oid relid, LOCKMODE lockmode)
{
	List	   *leaves = NIL;
	ListCell   *lc;

	foreach(lc, find_all_inheritors(relid, lockmode, NULL))
	{
		Oid			child = lfirst_oid(lc);

		if (get_rel_relkind(child) == RELKIND_RELATION &&
			(child == relid || get_rel_relispartition(child)))
			leaves = lappend_oid(leaves, child);
	}
	list_sort(leaves, list_oid_cmp);
	return leaves;
}

/* First leaf after "after" (by OID), or InvalidOid. */
static Oid
next_leaf(Oid relid, Oid after)
{
	ListCell   *lc;

	foreach(lc, connect_initial_leaves(relid, AccessShareLock))
	{
		if (lfirst_oid(lc) > after)
			return lfirst_oid(lc);
	}
	return InvalidOid;
}

void
connect_initial_seek(ConnectInitialRead *read, Oid leaf, Oid file,
					 BlockNumber block)
{
	if (!list_member_oid(connect_initial_leaves(read->stream->relid,
												AccessShareLock), leaf))
		return;
	read->leaf = leaf;
	read->file = file;
	read->block = block;
}

/* Is the leaf stored in another file than when the stream began? */
static bool
is_rewritten(const ConnectStream *stream, Relation rel)
{
	for (int i = 0; i < stream->nleaves; i++)
	{
		if (stream->leaves[i] == RelationGetRelid(rel))
			return stream->files[i] != rel->rd_rel->relfilenode;
	}
	return false;
}

/* The row may be read: it was there before the stream's triggers. */
static bool
before_baseline(TupleTableSlot *slot, const ConnectStream *stream)
{
	bool		isnull;
	TransactionId xmin =
		DatumGetTransactionId(slot_getsysattr(slot,
											  MinTransactionIdAttributeNumber,
											  &isnull));
	TransactionId from = XidFromFullTransactionId(FullTransactionIdFromU64(stream->baseline));
	TransactionId next = XidFromFullTransactionId(ReadNextFullTransactionId());

	return !TransactionIdIsNormal(xmin) ||
		(TransactionIdPrecedes(xmin, from) &&
		 bsearch(&xmin, stream->open, stream->nopen, sizeof(TransactionId),
				 xidComparator) == NULL) ||
		!TransactionIdPrecedes(xmin, next);
}

/*
 * Reads on from read->leaf, read->block while room lasts, giving each row to
 * emit.  Runs in a transaction with an active snapshot.  False: all is read.
 */
bool
connect_initial_read(ConnectInitialRead *read, int (*room) (void *),
					 ConnectInitialEmit emit, void *arg)
{
	const ConnectStream *stream = read->stream;

	if (!OidIsValid(read->leaf))
		read->leaf = next_leaf(stream->relid, InvalidOid);
	while (OidIsValid(read->leaf) && room(arg) >= MaxHeapTuplesPerPage)
	{
		Relation	rel = try_table_open(read->leaf, AccessShareLock);
		BlockNumber nblocks;

		if (rel != NULL && rel->rd_rel->relfilenode != read->file)
		{
			read->file = rel->rd_rel->relfilenode;
			read->block = 0;
		}
		if (rel == NULL || read->block >= (nblocks = RelationGetNumberOfBlocks(rel)))
		{
			if (rel != NULL)
				table_close(rel, AccessShareLock);
			read->leaf = next_leaf(stream->relid, read->leaf);
			read->block = 0;
			continue;
		}
		if (pg_class_aclcheck(stream->relid, GetUserId(), ACL_SELECT) != ACLCHECK_OK)
			ereport(ERROR,
					(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					 errmsg("permission denied for table %s",
							stream->table_name)));
		{
			ConnectLayout *layout = connect_layout_make(rel, stream);
			ConnectFilter *filter = stream->filter ?
				connect_filter_make(rel, stream->filter) : NULL;
			TupleTableSlot *slot = table_slot_create(rel, NULL);
			int			natts = Max(layout->desc->natts, 1);
			Datum	   *values = palloc(sizeof(Datum) * natts);
			bool	   *nulls = palloc(sizeof(bool) * natts);
			bool		all = is_rewritten(stream, rel);
			bool		created;

			connect_layout_store(layout, &created);
			while (read->block < nblocks && room(arg) >= MaxHeapTuplesPerPage)
			{
				ItemPointerData first;
				ItemPointerData last;
				TableScanDesc scan;

				CHECK_FOR_INTERRUPTS();
				ItemPointerSet(&first, read->block, FirstOffsetNumber);
				ItemPointerSet(&last, read->block, MaxOffsetNumber);
				scan = table_beginscan_tidrange(rel, GetActiveSnapshot(),
												&first, &last);
				while (table_scan_getnextslot_tidrange(scan, ForwardScanDirection,
													   slot))
				{
					if (!(all || before_baseline(slot, stream)) ||
						(filter && !connect_filter_passes(filter, slot)))
						continue;
					connect_layout_read_slot(layout, slot, values, nulls);
					emit(arg, layout, values, nulls);
				}
				table_endscan(scan);
				read->block++;
			}
			ExecDropSingleTupleTableSlot(slot);
		}
		table_close(rel, AccessShareLock);
	}
	return OidIsValid(read->leaf);
}
