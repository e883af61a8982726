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
 *	  A slot borrows the arrays of its row: the row is formed once, by the heap,
 *	  and index keys are taken without deforming it again.  Slots are kept with
 *	  the table.  Their descriptor is a copy, for thousands of references to the
 *	  relation's own are slow to release.
 *
 *	  No bulk insert strategy is used: its small ring would have this process
 *	  write all pages out itself; rows that have just arrived are worth caching.
 */
#include "postgres.h"

#include "access/genam.h"
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
#include "utils/snapmgr.h"

#include "compat.h"
#include "jdbcsink/jdbcsink.h"

static TupleTableSlotOps borrowing_ops;

static void check_privileges(const JdbcTarget *target,
							 const JdbcColumnSet *set);

/* What the slot points at outlives what is done with it. */
static void
leave_borrowed(TupleTableSlot *slot)
{
}

static void
make_slots(JdbcTarget *target, Relation rel)
{
	MemoryContext old;
	TupleDesc	desc;
	TupleTableSlot **slots;

	if (borrowing_ops.materialize == NULL)
	{
		borrowing_ops = TTSOpsVirtual;
		borrowing_ops.materialize = leave_borrowed;
	}
	old = MemoryContextSwitchTo(target->context);
	desc = CreateTupleDescCopyConstr(RelationGetDescr(rel));
	slots = palloc(JDBC_CHUNK * sizeof(TupleTableSlot *));
	for (int i = 0; i < JDBC_CHUNK; i++)
	{
		slots[i] = MakeSingleTupleTableSlot(desc, &borrowing_ops);
		slots[i]->tts_tableOid = target->relid;
	}
	target->slots = slots;
	MemoryContextSwitchTo(old);
}

/* For rows of this column set; within one (sub)transaction. */
void
connect_jdbcsink_heap_open(JdbcHeap *heap, JdbcTarget *target,
						   JdbcColumnSet *set)
{
	MemoryContext old;
	ResultRelInfo *rri;

	heap->target = target;
	heap->set = set;
	heap->rel = table_open(target->relid, NoLock);
	check_privileges(target, set);
	if (target->slots == NULL)
		make_slots(target, heap->rel);

	/* What functions of defaults, checks and triggers see of the database. */
	PushActiveSnapshot(GetLatestSnapshot());
	heap->estate = CreateExecutorState();
	old = MemoryContextSwitchTo(heap->estate->es_query_cxt);
	rri = makeNode(ResultRelInfo);
	InitResultRelInfo(rri, heap->rel, 0, NULL, 0);
	ExecOpenIndices(rri, false);
	heap->estate->es_opened_result_relations = list_make1(rri);
	heap->rri = rri;
	heap->has_constraints = RelationGetDescr(heap->rel)->constr != NULL;
	heap->has_triggers = rri->ri_TrigDesc != NULL &&
		rri->ri_TrigDesc->trig_insert_after_row;
	heap->defaults = palloc(set->ndefaults * sizeof(ExprState *));
	for (int i = 0; i < set->ndefaults; i++)
		heap->defaults[i] = ExecInitExpr(set->default_exprs[i], NULL);
	AfterTriggerBeginQuery();
	MemoryContextSwitchTo(old);
}

void
connect_jdbcsink_heap_close(JdbcHeap *heap)
{
	MemoryContext old = MemoryContextSwitchTo(heap->estate->es_query_cxt);

	AfterTriggerEndQuery(heap->estate);
	ExecResetTupleTable(heap->estate->es_tupleTable, false);
	ExecCloseResultRelations(heap->estate);
	MemoryContextSwitchTo(old);
	FreeExecutorState(heap->estate);
	PopActiveSnapshot();
	table_close(heap->rel, NoLock);
}

/*
 * INSERT asks for the privilege on the table or on each column given; if there
 * is none, on any column.
 */
static void
check_privileges(const JdbcTarget *target, const JdbcColumnSet *set)
{
	Oid			user = GetUserId();
	int			column = -1;

	if (pg_class_aclcheck(target->relid, user, ACL_INSERT) == ACLCHECK_OK)
		return;
	if (bms_is_empty(set->given) &&
		pg_attribute_aclcheck_all(target->relid, user, ACL_INSERT,
								  ACLMASK_ANY) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, target->table);
	while ((column = bms_next_member(set->given, column)) >= 0)
	{
		if (pg_attribute_aclcheck(target->relid, column + 1, user,
								  ACL_INSERT) != ACLCHECK_OK)
			aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, target->table);
	}
}

/* Shows a row's arrays through the slot and checks what tuples must obey. */
void
connect_jdbcsink_heap_show(JdbcHeap *heap, TupleTableSlot *slot,
						   Datum *values, bool *nulls)
{
	ExecClearTuple(slot);
	slot->tts_values = values;
	slot->tts_isnull = nulls;
	ExecStoreVirtualTuple(slot);
	if (heap->has_constraints)
		ExecConstraints(heap->rri, slot, heap->estate);
}

/* Into the heap, at most JDBC_CHUNK of them: slots[i] is rows[i] then. */
void
connect_jdbcsink_heap_insert(JdbcHeap *heap, TupleTableSlot **slots,
							 JdbcRow **rows, int n)
{
	JdbcColumnSet *set = heap->set;
	ExprContext *econtext = GetPerTupleExprContext(heap->estate);

	for (int i = 0; i < n; i++)
	{
		JdbcRow    *row = rows[i];

		for (int j = 0; j < set->ndefaults; j++)
		{
			int			column = set->default_columns[j];

			row->values[column] = ExecEvalExpr(heap->defaults[j], econtext,
											   &row->nulls[column]);
		}
		connect_jdbcsink_heap_show(heap, slots[i], row->values, row->nulls);
	}
	table_multi_insert(heap->rel, slots, n, GetCurrentCommandId(true), 0, NULL);
}

/* Entries of a row in the heap; what waits for the end of the statement. */
void
connect_jdbcsink_heap_index(JdbcHeap *heap, TupleTableSlot *slot)
{
	List	   *recheck = NIL;

	if (heap->rri->ri_NumIndices > 0)
		recheck = connect_insert_index_tuples(heap->rri, slot, heap->estate);
	if (heap->has_triggers)
		ExecARInsertTriggers(heap->estate, heap->rri, slot, recheck, NULL);
	list_free(recheck);
}

/*
 * All rows are of one column set.
 */
void
connect_jdbcsink_insert_direct(JdbcTarget *target, JdbcRow **rows, int n)
{
	JdbcHeap	heap;

	connect_jdbcsink_heap_open(&heap, target, rows[0]->set);
	for (int start = 0; start < n; start += JDBC_CHUNK)
	{
		int			nchunk = Min(n - start, JDBC_CHUNK);
		MemoryContext old;

		ResetPerTupleExprContext(heap.estate);
		old = MemoryContextSwitchTo(GetPerTupleMemoryContext(heap.estate));
		connect_jdbcsink_heap_insert(&heap, target->slots, rows + start, nchunk);
		for (int i = 0; i < nchunk; i++)
			connect_jdbcsink_heap_index(&heap, target->slots[i]);
		MemoryContextSwitchTo(old);
	}
	connect_jdbcsink_heap_close(&heap);
}
