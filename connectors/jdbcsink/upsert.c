/*
 * upsert.c
 *	  Upserts around the executor, with the outcome of INSERT … ON CONFLICT.
 *
 * NOTES
 *	  Task process.  For a plain unique index on exactly the key's columns, of a
 *	  table that target.c calls direct.  A row whose key has no index entry at all
 *	  is inserted, as insert.c does it.  A row whose key is there and visible is
 *	  updated.  From the first that is neither, all rows of a chunk are left to
 *	  the executor, and so is each row that somebody else has changed by the time
 *	  that we come to it.
 *
 *	  What makes that equal to ON CONFLICT at read committed:
 *	  - Somebody else inserts the same key at this moment: our index entry waits
 *		for him, in the unique check, and raises if he commits; batch.c does the
 *		slice again through the executor then.
 *	  - Somebody else changes the row at this moment: the update waits for him,
 *		and reports it if he commits; the row is left.
 *	  - Locks are taken in the order of the keys, whether a row is new or not:
 *		heap tuples are stored first, for nobody can wait for those; then index
 *		entries, updates and what is left come in one walk.  Tasks do not
 *		deadlock.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_am.h"
#include "catalog/pg_publication.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "compat.h"
#include "jdbcsink/jdbcsink.h"

/* What is known of a row before anything is written. */
typedef enum Fate
{
	FATE_INSERT,
	FATE_UPDATE
} Fate;

typedef struct Upsert
{
	JdbcHeap	heap;
	Relation	index;
	TupleTableSlot *found;		/* the row that is there */
	Fate		fates[JDBC_CHUNK];
	ItemPointerData tids[JDBC_CHUNK];	/* of rows to be updated */
	TupleTableSlot *slots[JDBC_CHUNK];	/* the new rows */
} Upsert;

static bool is_plain(Relation index);
static bool may_update(const JdbcTarget *target);
static int	foresee(Upsert *upsert, JdbcRow **rows, int n);
static bool has_null_key(const JdbcRow *row);
static bool is_checked_alike(Upsert *upsert, const JdbcRow *row);
static void prepare_update(Upsert *upsert, const JdbcRow *row, int i);
static bool update(Upsert *upsert, int i);
static void upsert_chunk(JdbcSink *sink, Upsert *upsert, JdbcRow **rows,
						 int n);

/*
 * The unique index on exactly the key's columns; InvalidOid = none is plain.
 */
Oid
connect_jdbcsink_unique_index(Relation rel, const Bitmapset *keys)
{
	Oid			found = InvalidOid;
	ListCell   *lc;

	foreach(lc, RelationGetIndexList(rel))
	{
		Relation	index = index_open(lfirst_oid(lc), AccessShareLock);
		Form_pg_index form = index->rd_index;
		Bitmapset  *columns = NULL;

		for (int i = 0; i < form->indnkeyatts; i++)
		{
			if (form->indkey.values[i] > 0)
				columns = bms_add_member(columns, form->indkey.values[i] - 1);
		}
		if (form->indisunique && form->indimmediate && is_plain(index) &&
			bms_num_members(columns) == form->indnkeyatts &&
			bms_equal(columns, keys))
			found = RelationGetRelid(index);
		index_close(index, AccessShareLock);
	}
	return found;
}

static bool
is_plain(Relation index)
{
	return index->rd_index->indisvalid && index->rd_index->indisready &&
		index->rd_rel->relam == BTREE_AM_OID &&
		RelationGetIndexPredicate(index) == NIL;
}

/*
 * Can rows of this column set be updated with nobody able to tell that from ON
 * CONFLICT DO UPDATE?  That checks the row to be inserted too, with its
 * defaults: where a column is not given that has something to check, the
 * executor shall do so.
 */
bool
connect_jdbcsink_updates_direct(Relation rel, const JdbcColumnSet *set)
{
	TriggerDesc *triggers = rel->trigdesc;
	TupleDesc	desc = RelationGetDescr(rel);
	PublicationDesc published;
	bool		has_ungiven = false;

	if (bms_equal(set->given, set->keys))
		return false;			/* there is nothing to set */
	if (triggers != NULL &&
		(triggers->trig_update_before_row || triggers->trig_update_after_row ||
		 triggers->trig_update_instead_row))
		return false;
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (att->attisdropped || bms_is_member(i, set->given))
			continue;
		has_ungiven = true;
		if (att->attnotnull || att->atthasdef || att->attidentity != '\0' ||
			get_typtype(att->atttypid) == TYPTYPE_DOMAIN)
			return false;
	}
	if (has_ungiven && desc->constr != NULL && desc->constr->num_check > 0)
		return false;

	/* An update that cannot be published is refused: not by us. */
	RelationBuildPublicationDesc(rel, &published);
	return !published.pubactions.pubupdate ||
		(published.rf_valid_for_update && published.cols_valid_for_update &&
		 rel->rd_rel->relreplident == REPLICA_IDENTITY_DEFAULT &&
		 OidIsValid(RelationGetReplicaIndex(rel)));
}

/*
 * All rows are of one column set, sorted by key, each key once.
 */
void
connect_jdbcsink_upsert_direct(JdbcSink *sink, JdbcTarget *target,
							   JdbcRow **rows, int n)
{
	JdbcColumnSet *set = rows[0]->set;
	Upsert	   *upsert;

	if (!OidIsValid(set->unique_index) || !may_update(target))
	{
		connect_jdbcsink_execute(sink, JDBC_STMT_UPSERT, rows, n);
		return;
	}
	upsert = palloc(sizeof(Upsert));
	connect_jdbcsink_heap_open(&upsert->heap, target, set);
	upsert->index = index_open(set->unique_index, RowExclusiveLock);
	upsert->found = table_slot_create(upsert->heap.rel, NULL);
	for (int start = 0; start < n; start += JDBC_CHUNK)
	{
		int			nchunk = Min(n - start, JDBC_CHUNK);
		MemoryContext old;

		CHECK_FOR_INTERRUPTS();
		ResetPerTupleExprContext(upsert->heap.estate);
		old = MemoryContextSwitchTo(GetPerTupleMemoryContext(upsert->heap.estate));
		upsert_chunk(sink, upsert, rows + start, nchunk);
		MemoryContextSwitchTo(old);
	}
	ExecDropSingleTupleTableSlot(upsert->found);
	index_close(upsert->index, NoLock);
	connect_jdbcsink_heap_close(&upsert->heap);
	pfree(upsert);
}

/* What ON CONFLICT DO UPDATE asks for besides the right to insert. */
static bool
may_update(const JdbcTarget *target)
{
	return pg_class_aclcheck(target->relid, GetUserId(),
							 ACL_UPDATE) == ACLCHECK_OK &&
		pg_class_aclcheck(target->relid, GetUserId(),
						  ACL_SELECT) == ACLCHECK_OK;
}

static void
upsert_chunk(JdbcSink *sink, Upsert *upsert, JdbcRow **rows, int n)
{
	JdbcTarget *target = upsert->heap.target;
	JdbcRow   **fresh = palloc(n * sizeof(JdbcRow *));
	TupleTableSlot **slots = palloc(n * sizeof(TupleTableSlot *));
	int			nfresh = 0;
	int			nours;
	bool		others = false; /* the executor has been at work */

	/* As a statement of its own would see the table. */
	CommandCounterIncrement();
	PushActiveSnapshot(GetLatestSnapshot());
	nours = foresee(upsert, rows, n);
	for (int i = 0; i < nours; i++)
	{
		upsert->slots[i] = target->slots[i];
		if (upsert->fates[i] == FATE_INSERT)
		{
			slots[nfresh] = target->slots[i];
			fresh[nfresh++] = rows[i];
		}
	}
	if (nfresh > 0)
		connect_jdbcsink_heap_insert(&upsert->heap, slots, fresh, nfresh);
	for (int i = 0; i < nours; i++)
	{
		if (upsert->fates[i] == FATE_INSERT)
			connect_jdbcsink_heap_index(&upsert->heap, upsert->slots[i]);
		else if (others || !update(upsert, i))
		{
			connect_jdbcsink_execute(sink, JDBC_STMT_UPSERT, rows + i, 1);
			others = true;		/* its triggers may change what we looked at */
		}
	}
	if (nours < n)
		connect_jdbcsink_execute(sink, JDBC_STMT_UPSERT, rows + nours,
								 n - nours);
	PopActiveSnapshot();
}

/*
 * Decides what becomes of rows and makes those that are updated, up to the
 * first one that is left; the number of those before.
 */
static int
foresee(Upsert *upsert, JdbcRow **rows, int n)
{
	JdbcColumnSet *set = upsert->heap.set;
	JdbcLookup *lookup = connect_jdbcsink_lookup_begin(upsert->heap.rel,
													   upsert->index);
	int			r;

	for (r = 0; r < n; r++)
	{
		JdbcRow    *row = rows[r];
		JdbcFinding finding;

		CHECK_FOR_INTERRUPTS();
		if (has_null_key(row))
			break;
		finding = connect_jdbcsink_lookup(lookup, row->values, upsert->found);
		if (finding == JDBC_ABSENT)
		{
			upsert->fates[r] = FATE_INSERT;
			continue;
		}
		if (finding == JDBC_UNSURE || !set->updates_direct ||
			!is_checked_alike(upsert, row))
			break;
		upsert->fates[r] = FATE_UPDATE;
		prepare_update(upsert, row, r);
	}
	ExecClearTuple(upsert->found);
	connect_jdbcsink_lookup_end(lookup);
	return r;
}

static bool
has_null_key(const JdbcRow *row)
{
	int			column = -1;

	while ((column = bms_next_member(row->set->keys, column)) >= 0)
	{
		if (row->nulls[column])
			return true;
	}
	return false;
}

/*
 * ON CONFLICT checks the row with the key as it is given, which may be equal to
 * the one that stays and yet another, as 1.00 and 1.0 are.
 */
static bool
is_checked_alike(Upsert *upsert, const JdbcRow *row)
{
	TupleDesc	desc = RelationGetDescr(upsert->heap.rel);
	int			column = -1;

	if (desc->constr == NULL || desc->constr->num_check == 0)
		return true;
	while ((column = bms_next_member(upsert->heap.set->keys, column)) >= 0)
	{
		Form_pg_attribute att = TupleDescAttr(desc, column);
		bool		isnull;

		if (!datum_image_eq(slot_getattr(upsert->found, column + 1, &isnull),
							row->values[column], att->attbyval, att->attlen))
			return false;
	}
	return true;
}

/* The new row: what is given, but the key; the rest as it is. */
static void
prepare_update(Upsert *upsert, const JdbcRow *row, int i)
{
	JdbcHeap   *heap = &upsert->heap;
	TupleDesc	desc = RelationGetDescr(heap->rel);
	TupleTableSlot *found = upsert->found;

	Datum	   *values = palloc(desc->natts * (sizeof(Datum) + sizeof(bool)));
	bool	   *nulls = (bool *) (values + desc->natts);

	upsert->tids[i] = found->tts_tid;
	slot_getallattrs(found);
	for (int column = 0; column < desc->natts; column++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, column);

		if (bms_is_member(column, heap->set->given) &&
			!bms_is_member(column, heap->set->keys))
		{
			values[column] = row->values[column];
			nulls[column] = row->nulls[column];
			continue;
		}
		nulls[column] = att->attisdropped || found->tts_isnull[column];
		values[column] = nulls[column] ? (Datum) 0 :
			datumCopy(found->tts_values[column], att->attbyval, att->attlen);
	}
	connect_jdbcsink_heap_show(heap, heap->target->slots[i], values, nulls);
}

/* False: somebody else has changed the row since. */
static bool
update(Upsert *upsert, int i)
{
	JdbcHeap   *heap = &upsert->heap;
	TupleTableSlot *slot = upsert->slots[i];
	TM_FailureData failure;
	LockTupleMode mode;
	ConnectIndexUpdate indexes;

	if (table_tuple_update(heap->rel, &upsert->tids[i], slot,
						   GetCurrentCommandId(true), GetActiveSnapshot(),
						   InvalidSnapshot, true, &failure, &mode,
						   &indexes) != TM_Ok)
		return false;
	(void) connect_update_index_tuples(heap->rri, slot, heap->estate, indexes);
	return true;
}
