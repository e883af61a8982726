/*
 * probe.c
 *	  Which keys of an upsert are new to the table?
 *
 * NOTES
 *	  Task process.  A key without any entry in the unique index is new, but for
 *	  what others may insert at this moment: such rows are inserted the direct
 *	  way, whose unique check waits for those others and raises if they commit;
 *	  batch.c then does the rows again by INSERT … ON CONFLICT.  A key with an
 *	  entry, dead or alive, goes there at once.  So the outcome is always that of
 *	  ON CONFLICT at read committed.
 *
 *	  Looking is wasted where most keys are there already.  Then only a sample is
 *	  looked at, until it says that times have changed.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/nbtree.h"
#include "access/relscan.h"
#include "access/table.h"
#include "catalog/pg_am.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

#include "compat.h"
#include "jdbcsink/jdbcsink.h"

#define SAMPLE 16				/* each so-manyth row */

/* The unique index on exactly the key's columns; InvalidOid = none is plain. */
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
		if (form->indisunique && form->indimmediate && form->indisvalid &&
			form->indisready && index->rd_rel->relam == BTREE_AM_OID &&
			bms_num_members(columns) == form->indnkeyatts &&
			bms_equal(columns, keys) &&
			RelationGetIndexPredicate(index) == NIL)
			found = RelationGetRelid(index);
		index_close(index, AccessShareLock);
	}
	return found;
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

/* Has the index no entry of the row's key? */
static bool
is_fresh(IndexScanDesc scan, ScanKey keys, const JdbcRow *row)
{
	Form_pg_index form = scan->indexRelation->rd_index;

	for (int i = 0; i < form->indnkeyatts; i++)
	{
		int			column = form->indkey.values[i] - 1;

		if (row->nulls[column])
			return false;
		keys[i].sk_argument = row->values[column];
	}
	index_rescan(scan, keys, form->indnkeyatts, NULL, 0);
	return index_getnext_tid(scan, ForwardScanDirection) == NULL;
}

/*
 * Moves rows whose key is new to the front, order kept; their number.
 */
int
connect_jdbcsink_probe(JdbcTarget *target, JdbcRow **rows, int n)
{
	JdbcColumnSet *set = rows[0]->set;
	JdbcRow   **others;
	Relation	rel;
	Relation	index;
	IndexScanDesc scan;
	ScanKeyData keys[INDEX_MAX_KEYS];
	int			nkeys;
	int			nfresh = 0;
	int			nothers = 0;

	if (!OidIsValid(set->unique_index) || !may_update(target))
		return 0;
	rel = table_open(target->relid, NoLock);
	index = index_open(set->unique_index, AccessShareLock);
	nkeys = index->rd_index->indnkeyatts;
	for (int i = 0; i < nkeys; i++)
	{
		Oid			type = index->rd_opcintype[i];
		Oid			operator = get_opfamily_member(index->rd_opfamily[i], type,
												   type, BTEqualStrategyNumber);

		ScanKeyEntryInitialize(&keys[i], 0, i + 1, BTEqualStrategyNumber,
							   InvalidOid, index->rd_indcollation[i],
							   get_opcode(operator), (Datum) 0);
	}
	scan = connect_index_beginscan(rel, index, GetActiveSnapshot(), nkeys,
								   0);
	if (set->mostly_known)
	{
		int			nlooked = 0;

		for (int r = 0; r < n; r += SAMPLE, nlooked++)
			nfresh += is_fresh(scan, keys, rows[r]);
		set->mostly_known = nfresh < nlooked / 2;
		nfresh = 0;
	}
	if (!set->mostly_known)
	{
		others = palloc(n * sizeof(JdbcRow *));
		for (int r = 0; r < n; r++)
		{
			if (is_fresh(scan, keys, rows[r]))
				rows[nfresh++] = rows[r];
			else
				others[nothers++] = rows[r];
		}
		memcpy(rows + nfresh, others, nothers * sizeof(JdbcRow *));
		set->mostly_known = nfresh < n / 2;
	}
	index_endscan(scan);
	index_close(index, NoLock);
	table_close(rel, NoLock);
	return nfresh;
}
