/*
 * insert.c
 *	  Rows straight into a heap and its indexes, as COPY FROM puts them there.
 *
 * NOTES
 *	  Task process.  Only for tables that target.c calls direct: nobody can
 *	  tell these rows from inserted ones.  Privileges are checked as for INSERT.
 *	  Constraints, foreign keys and AFTER ROW triggers work as in COPY.  When
 *	  anything raises, batch.c does the rows again through the executor, so that
 *	  errors are INSERT's own.
 *
 *	  Slots are virtual and point at the rows' own arrays: a row is formed once,
 *	  by the heap, and index keys are taken without deforming it again.  Their
 *	  descriptor is a copy, for thousands of references to the relation's own
 *	  are slow to release.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "compat.h"
#include "jdbcsink/jdbcsink.h"

#define CHUNK 1000				/* rows formed and stored at a time */

static void check_privileges(const JdbcTarget *target,
							 const JdbcColumnSet *set);
static void insert_chunk(JdbcTarget *target, ResultRelInfo *rri, EState *estate,
						 TupleTableSlot **slots, ExprState **defaults,
						 BulkInsertState bistate, JdbcRow **rows, int n);

/*
 * All rows are of one column set.
 */
void
connect_jdbcsink_insert_direct(JdbcSink *sink, JdbcTarget *target,
							   JdbcRow **rows, int n)
{
	JdbcColumnSet *set = rows[0]->set;
	EState	   *estate;
	ResultRelInfo *rri;
	Relation	rel;
	MemoryContext old;
	TupleDesc	desc;
	TupleTableSlot **slots;
	ExprState **defaults;
	BulkInsertState bistate;

	rel = table_open(target->relid, RowExclusiveLock);
	check_privileges(target, set);

	estate = CreateExecutorState();
	old = MemoryContextSwitchTo(estate->es_query_cxt);
	rri = makeNode(ResultRelInfo);
	InitResultRelInfo(rri, rel, 0, NULL, 0);
	ExecOpenIndices(rri, false);
	estate->es_opened_result_relations = list_make1(rri);

	desc = CreateTupleDescCopyConstr(RelationGetDescr(rel));
	slots = palloc(Min(n, CHUNK) * sizeof(TupleTableSlot *));
	for (int i = 0; i < Min(n, CHUNK); i++)
	{
		slots[i] = MakeSingleTupleTableSlot(desc, &TTSOpsVirtual);
		slots[i]->tts_tableOid = target->relid;
	}
	defaults = palloc(set->ndefaults * sizeof(ExprState *));
	for (int i = 0; i < set->ndefaults; i++)
		defaults[i] = ExecInitExpr(set->default_exprs[i], NULL);
	AfterTriggerBeginQuery();
	bistate = GetBulkInsertState();

	for (int i = 0; i < n; i += CHUNK)
		insert_chunk(target, rri, estate, slots, defaults, bistate, rows + i,
					 Min(n - i, CHUNK));

	FreeBulkInsertState(bistate);
	table_finish_bulk_insert(rel, 0);
	AfterTriggerEndQuery(estate);
	ExecResetTupleTable(estate->es_tupleTable, false);
	ExecCloseResultRelations(estate);
	MemoryContextSwitchTo(old);
	FreeExecutorState(estate);
	table_close(rel, NoLock);
}

/* INSERT asks for the privilege on the table or on each column given. */
static void
check_privileges(const JdbcTarget *target, const JdbcColumnSet *set)
{
	Oid			user = GetUserId();
	int			column = -1;

	if (pg_class_aclcheck(target->relid, user, ACL_INSERT) == ACLCHECK_OK)
		return;
	while ((column = bms_next_member(set->given, column)) >= 0)
	{
		if (pg_attribute_aclcheck(target->relid, column + 1, user,
								  ACL_INSERT) != ACLCHECK_OK)
			aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, target->table);
	}
}

static void
insert_chunk(JdbcTarget *target, ResultRelInfo *rri, EState *estate,
			 TupleTableSlot **slots, ExprState **defaults,
			 BulkInsertState bistate, JdbcRow **rows, int n)
{
	Relation	rel = rri->ri_RelationDesc;
	ExprContext *econtext = GetPerTupleExprContext(estate);
	JdbcColumnSet *set = rows[0]->set;
	bool		has_constraints = RelationGetDescr(rel)->constr != NULL;
	bool		has_triggers = rri->ri_TrigDesc != NULL &&
		rri->ri_TrigDesc->trig_insert_after_row;
	MemoryContext old;

	ResetPerTupleExprContext(estate);
	old = MemoryContextSwitchTo(GetPerTupleMemoryContext(estate));
	for (int i = 0; i < n; i++)
	{
		TupleTableSlot *slot = slots[i];

		ExecClearTuple(slot);
		/* copied: materializing the slot repoints what its array holds */
		memcpy(slot->tts_values, rows[i]->values,
			   sizeof(Datum) * RelationGetDescr(rel)->natts);
		memcpy(slot->tts_isnull, rows[i]->nulls,
			   sizeof(bool) * RelationGetDescr(rel)->natts);
		for (int j = 0; j < set->ndefaults; j++)
		{
			int			column = set->default_columns[j];

			slot->tts_values[column] = ExecEvalExpr(defaults[j], econtext,
													&slot->tts_isnull[column]);
		}
		ExecStoreVirtualTuple(slot);
		if (has_constraints)
			ExecConstraints(rri, slot, estate);
	}
	table_multi_insert(rel, slots, n, GetCurrentCommandId(true), 0, bistate);

	for (int i = 0; i < n; i++)
	{
		List	   *recheck = NIL;

		if (rri->ri_NumIndices > 0)
			recheck = connect_insert_index_tuples(rri, slots[i], estate);
		if (has_triggers)
			ExecARInsertTriggers(estate, rri, slots[i], recheck, NULL);
		list_free(recheck);
	}
	MemoryContextSwitchTo(old);
}
