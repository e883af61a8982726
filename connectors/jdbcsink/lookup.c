/*
 * lookup.c
 *	  Keys looked for in a unique index, many of them in their order.
 *
 * NOTES
 *	  Task process.  For plain B-tree indexes of heap tables (upsert.c says
 *	  which).  What an index scan finds, found faster where keys come sorted:
 *
 *	  - The leaf of the key before stays pinned, not locked.  The next key is
 *		looked for on it first.  A leaf only ever loses keys at its upper end, to
 *		a right sibling, while its first entry tells its lower end: a key behind
 *		the one and before the other can be on no other leaf.  A key behind it is
 *		looked for on the right sibling if keys lie close to each other; any
 *		other key from the root.
 *	  - An index scan prunes each heap page that it comes to while some of the
 *		room that fillfactor keeps for new versions is used.  Here half of it is
 *		used first.
 *
 *	  The active snapshot is older than the pin.  It keeps a leaf that is deleted
 *	  meanwhile from being used again, and a row that takes over a dead one's
 *	  place from being seen.  No buffer stays locked while anything is waited for.
 *
 *	  What is not plain (several entries of a key, posting lists, entries marked
 *	  as dead) is left to an index scan.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/nbtree.h"
#include "access/relscan.h"
#include "access/tableam.h"
#include "pgstat.h"
#include "storage/bufmgr.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

#include "compat.h"
#include "jdbcsink/jdbcsink.h"

/* After so many keys on one leaf, the next leaf is tried before the root. */
#define DENSE 2

/* What the index says of a key. */
typedef enum Entries
{
	ENTRIES_NONE,
	ENTRIES_ONE,
	ENTRIES_OTHER,				/* ask a scan */
	ENTRIES_BEHIND,				/* the key is behind this leaf */
	ENTRIES_ELSEWHERE			/* … or before it, or the leaf is gone */
} Entries;

struct JdbcLookup
{
	Relation	rel;
	Relation	index;
	Snapshot	snapshot;
	int			nkeys;
	BTScanInsert key;
	Buffer		leaf;			/* of the key before; pinned */
	int			hits;			/* keys looked for on it */
	Buffer		page;			/* of the heap; pinned */
	Size		room;			/* with less, a page is pruned */
	IndexScanDesc scan;			/* NULL until one is needed */
	ScanKeyData scan_keys[INDEX_MAX_KEYS];
};

static Entries find_entry(JdbcLookup *lookup, ItemPointer tid);
static Entries find_on_leaf(JdbcLookup *lookup, bool not_before,
							ItemPointer tid);
static JdbcFinding fetch(JdbcLookup *lookup, ItemPointer tid,
						 TupleTableSlot *slot);
static JdbcFinding scan(JdbcLookup *lookup, TupleTableSlot *slot);
static void make_scan_keys(JdbcLookup *lookup);

/* What is visible is said by the active snapshot, which has to stay. */
JdbcLookup *
connect_jdbcsink_lookup_begin(Relation rel, Relation index)
{
	JdbcLookup *lookup = palloc0(sizeof(JdbcLookup));

	lookup->rel = rel;
	lookup->index = index;
	lookup->snapshot = GetActiveSnapshot();
	lookup->nkeys = IndexRelationGetNumberOfKeyAttributes(index);
	lookup->key = _bt_mkscankey(index, NULL);
	_bt_metaversion(index, &lookup->key->heapkeyspace,
					&lookup->key->allequalimage);
	lookup->key->anynullkeys = false;
	lookup->key->keysz = lookup->nkeys;
	for (int i = 0; i < lookup->nkeys; i++)
		lookup->key->scankeys[i].sk_flags &= ~SK_ISNULL;
	lookup->leaf = InvalidBuffer;
	lookup->page = InvalidBuffer;
	lookup->room = Max(RelationGetTargetPageFreeSpace(rel, HEAP_DEFAULT_FILLFACTOR) / 2,
					   BLCKSZ / 10);
	return lookup;
}

void
connect_jdbcsink_lookup_end(JdbcLookup *lookup)
{
	if (BufferIsValid(lookup->leaf))
		ReleaseBuffer(lookup->leaf);
	if (BufferIsValid(lookup->page))
		ReleaseBuffer(lookup->page);
	if (lookup->scan != NULL)
		index_endscan(lookup->scan);
	pfree(lookup->key);
	pfree(lookup);
}

/*
 * The row whose key's columns are like those of values, which has no null in
 * them: into the slot, a heap's.
 */
JdbcFinding
connect_jdbcsink_lookup(JdbcLookup *lookup, const Datum *values,
						TupleTableSlot *slot)
{
	int16	   *columns = lookup->index->rd_index->indkey.values;
	ItemPointerData tid;
	Entries		entries;

	for (int i = 0; i < lookup->nkeys; i++)
		lookup->key->scankeys[i].sk_argument = values[columns[i] - 1];
	entries = find_entry(lookup, &tid);
	if (entries != ENTRIES_NONE && entries != ENTRIES_ONE)
		return scan(lookup, slot);
	pgstat_count_index_scan(lookup->index);
	return entries == ENTRIES_NONE ? JDBC_ABSENT : fetch(lookup, &tid, slot);
}

static Entries
find_entry(JdbcLookup *lookup, ItemPointer tid)
{
	Relation	index = lookup->index;
	Entries		entries = ENTRIES_ELSEWHERE;

	if (BufferIsValid(lookup->leaf))
	{
		_bt_lockbuf(index, lookup->leaf, BT_READ);
		entries = find_on_leaf(lookup, false, tid);
		if (entries == ENTRIES_BEHIND && lookup->hits >= DENSE)
		{
			Page		page = BufferGetPage(lookup->leaf);

			lookup->leaf = _bt_relandgetbuf(index, lookup->leaf,
											BTPageGetOpaque(page)->btpo_next,
											BT_READ);
			lookup->hits = 0;
			entries = find_on_leaf(lookup, true, tid);
		}
	}
	if (entries == ENTRIES_BEHIND || entries == ENTRIES_ELSEWHERE)
	{
		if (BufferIsValid(lookup->leaf))
			_bt_relbuf(index, lookup->leaf);
		_bt_freestack(connect_bt_search(index, lookup->rel, lookup->key,
										&lookup->leaf, lookup->snapshot));
		lookup->hits = 0;
		if (!BufferIsValid(lookup->leaf))
			return ENTRIES_NONE;	/* the index is empty */
		entries = find_on_leaf(lookup, true, tid);
	}
	lookup->hits++;
	_bt_unlockbuf(index, lookup->leaf);
	return entries;
}

/* not_before: no leaf before this one can have the key. */
static Entries
find_on_leaf(JdbcLookup *lookup, bool not_before, ItemPointer tid)
{
	Relation	index = lookup->index;
	Page		page = BufferGetPage(lookup->leaf);
	BTPageOpaque opaque = BTPageGetOpaque(page);
	OffsetNumber first = P_FIRSTDATAKEY(opaque);
	OffsetNumber low = first;
	OffsetNumber last = PageGetMaxOffsetNumber(page);
	OffsetNumber high = last + 1;
	ItemId		item;
	IndexTuple	entry;
	int			end = -1;
	bool		equal = false;

	if (P_IGNORE(opaque))
		return ENTRIES_ELSEWHERE;
	if (!P_RIGHTMOST(opaque))
		end = _bt_compare(index, lookup->key, page, P_HIKEY);
	if (end > 0)
		return ENTRIES_BEHIND;
	if (end == 0)
		return ENTRIES_OTHER;	/* here, or there, or on both */

	while (low < high)
	{
		OffsetNumber middle = low + (high - low) / 2;
		int			side = _bt_compare(index, lookup->key, page, middle);

		if (side > 0)
			low = middle + 1;
		else
		{
			high = middle;
			equal = side == 0;
		}
	}
	if (low == first && !not_before)
		return ENTRIES_ELSEWHERE;
	if (!equal)
		return ENTRIES_NONE;
	item = PageGetItemId(page, low);
	entry = (IndexTuple) PageGetItem(page, item);
	if (ItemIdIsDead(item) || BTreeTupleIsPosting(entry) ||
		(low < last && _bt_compare(index, lookup->key, page, low + 1) == 0))
		return ENTRIES_OTHER;
	*tid = entry->t_tid;
	return ENTRIES_ONE;
}

/* A row that is dead to everybody is as good as none. */
static JdbcFinding
fetch(JdbcLookup *lookup, ItemPointer tid, TupleTableSlot *slot)
{
	HeapTuple	tuple = &((BufferHeapTupleTableSlot *) slot)->base.tupdata;
	Page		page;
	bool		found;
	bool		all_dead;

	ExecClearTuple(slot);
	lookup->page = ReleaseAndReadBuffer(lookup->page, lookup->rel,
										ItemPointerGetBlockNumber(tid));
	page = BufferGetPage(lookup->page);
	/* read without a lock: a hint, as for heap_page_prune_opt() itself */
	if (PageIsFull(page) || PageGetHeapFreeSpace(page) < lookup->room)
		heap_page_prune_opt(lookup->rel, lookup->page);
	LockBuffer(lookup->page, BUFFER_LOCK_SHARE);
	found = heap_hot_search_buffer(tid, lookup->rel, lookup->page,
								   lookup->snapshot, tuple, &all_dead, true);
	LockBuffer(lookup->page, BUFFER_LOCK_UNLOCK);
	if (!found)
		return all_dead ? JDBC_ABSENT : JDBC_UNSURE;
	tuple->t_self = *tid;
	slot->tts_tableOid = RelationGetRelid(lookup->rel);
	ExecStoreBufferHeapTuple(tuple, slot, lookup->page);
	return JDBC_FOUND;
}

static JdbcFinding
scan(JdbcLookup *lookup, TupleTableSlot *slot)
{
	if (lookup->scan == NULL)
	{
		make_scan_keys(lookup);
		lookup->scan = connect_index_beginscan(lookup->rel, lookup->index,
											   lookup->snapshot,
											   lookup->nkeys, 0);
	}
	for (int i = 0; i < lookup->nkeys; i++)
		lookup->scan_keys[i].sk_argument = lookup->key->scankeys[i].sk_argument;
	index_rescan(lookup->scan, lookup->scan_keys, lookup->nkeys, NULL, 0);
	if (index_getnext_tid(lookup->scan, ForwardScanDirection) == NULL)
		return JDBC_ABSENT;
	do
	{
		if (index_fetch_heap(lookup->scan, slot))
			return JDBC_FOUND;
	} while (index_getnext_tid(lookup->scan, ForwardScanDirection) != NULL);
	return JDBC_UNSURE;
}

static void
make_scan_keys(JdbcLookup *lookup)
{
	Relation	index = lookup->index;

	for (int i = 0; i < lookup->nkeys; i++)
	{
		Oid			type = index->rd_opcintype[i];
		Oid			operator = get_opfamily_member(index->rd_opfamily[i], type,
												   type, BTEqualStrategyNumber);

		ScanKeyEntryInitialize(&lookup->scan_keys[i], 0, i + 1,
							   BTEqualStrategyNumber, InvalidOid,
							   index->rd_indcollation[i], get_opcode(operator),
							   (Datum) 0);
	}
}
