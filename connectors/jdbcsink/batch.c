/*
 * batch.c
 *	  A batch of rows into its tables: order, repeated keys, bad records.
 *
 * NOTES
 *	  Task process, inside the batch's transaction.
 *
 *	  What always holds:
 *	  - The outcome is that of applying the rows one by one in their order.
 *	  - With a key, at most one delete and one write of a key reach the table:
 *		changes of one key are merged first.  Deletes go before writes, and
 *		each kind is sorted by key: two tasks lock rows in the same order, and
 *		the index is walked once.
 *	  - Rows are tried in a subtransaction.  When that fails by a record's
 *		fault the rows are halved, in order and through the executor, until
 *		the bad record is alone; it is reported, all others are stored.
 */
#include "postgres.h"

#include "access/xact.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rls.h"
#include "utils/sortsupport.h"
#include "utils/typcache.h"

#include "jdbcsink/jdbcsink.h"
#include "runtime/attempt.h"

/* Arguments of connect_jdbcsink_apply(). */
typedef struct Write
{
	JdbcSink   *sink;
	JdbcRow    *rows;
	int			n;
	bool		direct;
} Write;

/* One key of a batch. */
typedef struct KeyEntry
{
	uint32		hash;
	JdbcRow    *removed;		/* a delete of it, or NULL */
	JdbcRow    *written;		/* its last write after that, or NULL */
} KeyEntry;

/* The key columns of a table, and how to compare them. */
typedef struct KeyColumns
{
	int			n;
	int		   *columns;
	Oid		   *collations;
	FmgrInfo  **hash;			/* NULL: the type has none */
	FmgrInfo  **equal;
	SortSupport sort;			/* NULL: some type has no order */
} KeyColumns;

static void apply_to_target(JdbcSink *sink, JdbcRow **rows, int n,
							bool direct);
static void apply_in_order(JdbcSink *sink, JdbcRow **rows, int n, bool direct);
static void apply_by_key(JdbcSink *sink, JdbcRow **rows, int n, bool direct);
static KeyColumns *key_columns(JdbcRow *row);
static KeyEntry *find_key(KeyEntry *table, uint32 mask, const KeyColumns *keys,
						  JdbcRow *row);
static JdbcRow *merged(JdbcRow *older, JdbcRow *newer);
static void execute_sets(JdbcSink *sink, JdbcStatementKind kind,
						 JdbcRow **rows, int n, bool direct);
static int	compare_rows(const void *a, const void *b, void *arg);

/* For connect_attempt(). */
static void
apply_all(void *arg)
{
	Write	   *write = arg;

	connect_jdbcsink_apply(write->sink, write->rows, write->n, write->direct);
}

/*
 * direct: the direct path may be taken.
 */
void
connect_jdbcsink_write(JdbcSink *sink, JdbcRow *rows, int n, bool direct)
{
	Write		arguments = {sink, rows, n, direct};
	ErrorData  *edata;

	if (n == 0)
		return;
	edata = connect_attempt(apply_all, &arguments, CurrentMemoryContext);
	if (edata == NULL)
		return;

	if (connect_jdbcsink_fault(edata->sqlerrcode) != JDBC_FAULT_RECORD)
		ReThrowError(edata);
	connect_jdbcsink_isolate(sink, rows, n, direct, edata);
}

/*
 * The rows failed together with *edata, a record's fault; the subtransaction
 * is gone.
 */
void
connect_jdbcsink_isolate(JdbcSink *sink, JdbcRow *rows, int n, bool direct,
						 ErrorData *edata)
{
	JdbcEvent  *event = rows->event;

	CHECK_FOR_INTERRUPTS();
	/* Somebody else has inserted a key: nothing is bad, and order is kept. */
	if (direct && sink->options.insert_mode == JDBC_UPSERT &&
		edata->sqlerrcode == ERRCODE_UNIQUE_VIOLATION)
		connect_jdbcsink_write(sink, rows, n, false);
	else if (n > 1)
	{
		connect_jdbcsink_write(sink, rows, n / 2, false);
		connect_jdbcsink_write(sink, rows + n / 2, n - n / 2, false);
	}
	else if (direct)
		connect_jdbcsink_write(sink, rows, n, false);
	else
	{
		connect_jdbcsink_error_of(edata, event->record, NULL, &event->error);
		connect_jdbcsink_refuse(sink, event);
	}
}

/* Table by table, in the order in which they come first. */
void
connect_jdbcsink_apply(JdbcSink *sink, JdbcRow *rows, int n, bool direct)
{
	JdbcRow   **chosen = palloc(n * sizeof(JdbcRow *));
	List	   *targets = NIL;
	ListCell   *lc;
	bool		has_deferred = false;
	JdbcTarget *last = NULL;

	for (int i = 0; i < n; i++)
	{
		if (rows[i].target == last)
			continue;
		last = rows[i].target;
		targets = list_append_unique_ptr(targets, last);
	}
	foreach(lc, targets)
	{
		JdbcTarget *target = lfirst(lc);
		int			nchosen = 0;

		for (int i = 0; i < n; i++)
		{
			if (rows[i].target == target)
				chosen[nchosen++] = &rows[i];
		}
		apply_to_target(sink, chosen, nchosen, direct);
		has_deferred |= target->has_deferred;
	}

	/* What a deferred constraint says is the record's fault too. */
	if (has_deferred)
	{
		SPI_connect();
		SPI_execute("SET CONSTRAINTS ALL IMMEDIATE", false, 0);
		SPI_finish();
	}
	list_free(targets);
	pfree(chosen);
}

static void
apply_to_target(JdbcSink *sink, JdbcRow **rows, int n, bool direct)
{
	int			start = 0;

	for (int i = 0; i <= n; i++)
	{
		if (i < n && rows[i]->op != JDBC_OP_TRUNCATE)
			continue;
		if (i > start)
		{
			if (sink->options.insert_mode == JDBC_INSERT)
				apply_in_order(sink, rows + start, i - start, direct);
			else
				apply_by_key(sink, rows + start, i - start, direct);
		}
		if (i < n)
			connect_jdbcsink_truncate(sink, rows[i]->target);
		start = i + 1;
	}
}

/* Inserts, and deletes between them. */
static void
apply_in_order(JdbcSink *sink, JdbcRow **rows, int n, bool direct)
{
	int			start = 0;

	for (int i = 1; i <= n; i++)
	{
		if (i < n && rows[i]->op == rows[start]->op)
			continue;
		if (rows[start]->op == JDBC_OP_DELETE)
			apply_by_key(sink, rows + start, i - start, direct);
		else
			execute_sets(sink, JDBC_STMT_INSERT, rows + start, i - start,
						 direct);
		start = i;
	}
}

static void
apply_by_key(JdbcSink *sink, JdbcRow **rows, int n, bool direct)
{
	KeyColumns *keys = key_columns(rows[0]);
	uint32		size = pg_nextpower2_32(Max(16, 2 * n));
	KeyEntry   *table = palloc0(size * sizeof(KeyEntry));
	JdbcRow   **writes = palloc(n * sizeof(JdbcRow *));
	JdbcRow   **deletes = palloc(n * sizeof(JdbcRow *));
	bool		updates = sink->options.insert_mode == JDBC_UPDATE;
	int			nwrites = 0;
	int			ndeletes = 0;

	for (int i = 0; i < n; i++)
	{
		JdbcRow    *row = rows[i];
		KeyEntry   *entry = find_key(table, size - 1, keys, row);

		if (entry == NULL)
		{
			/* A null in the key: equal to no other row, nor to one stored. */
			if (row->op == JDBC_OP_WRITE && !updates)
				writes[nwrites++] = row;
		}
		else if (row->op == JDBC_OP_DELETE)
		{
			entry->removed = row;
			entry->written = NULL;
		}
		else if (updates && entry->removed != NULL)
			;					/* there is nothing left to update */
		else if (entry->written == NULL)
			entry->written = row;
		else
			entry->written = merged(entry->written, row);
	}
	for (uint32 i = 0; i < size; i++)
	{
		if (table[i].removed != NULL)
			deletes[ndeletes++] = table[i].removed;
		if (table[i].written != NULL)
			writes[nwrites++] = table[i].written;
	}
	if (keys->sort != NULL)
	{
		qsort_arg(deletes, ndeletes, sizeof(JdbcRow *), compare_rows, keys);
		qsort_arg(writes, nwrites, sizeof(JdbcRow *), compare_rows, keys);
	}
	execute_sets(sink, JDBC_STMT_DELETE, deletes, ndeletes, false);
	execute_sets(sink, updates ? JDBC_STMT_UPDATE : JDBC_STMT_UPSERT,
				 writes, nwrites, direct);
}

static KeyColumns *
key_columns(JdbcRow *row)
{
	const JdbcTarget *target = row->target;
	const Bitmapset *members = row->set->keys;
	KeyColumns *keys = palloc0(sizeof(KeyColumns));
	int			n = bms_num_members(members);
	int			column = -1;

	keys->columns = palloc(n * sizeof(int));
	keys->collations = palloc(n * sizeof(Oid));
	keys->hash = palloc0(n * sizeof(FmgrInfo *));
	keys->equal = palloc0(n * sizeof(FmgrInfo *));
	keys->sort = palloc0(n * sizeof(SortSupportData));
	while ((column = bms_next_member(members, column)) >= 0)
	{
		const JdbcColumn *col = &target->columns[column];
		TypeCacheEntry *type = lookup_type_cache(getBaseType(col->type),
												 TYPECACHE_HASH_PROC_FINFO |
												 TYPECACHE_EQ_OPR_FINFO |
												 TYPECACHE_LT_OPR);

		if (!OidIsValid(type->eq_opr))
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_FUNCTION),
					 errmsg("column \"%s\" of table %s cannot be part of a key",
							col->name, connect_jdbcsink_quoted(target)),
					 errdetail("Its type has no equality operator.")));
		keys->columns[keys->n] = column;
		keys->collations[keys->n] = col->collation;
		keys->equal[keys->n] = &type->eq_opr_finfo;
		if (OidIsValid(type->hash_proc))
			keys->hash[keys->n] = &type->hash_proc_finfo;
		if (OidIsValid(type->lt_opr) && keys->sort != NULL)
		{
			SortSupport sort = &keys->sort[keys->n];

			sort->ssup_cxt = CurrentMemoryContext;
			sort->ssup_collation = col->collation;
			PrepareSortSupportFromOrderingOp(type->lt_opr, sort);
		}
		else
			keys->sort = NULL;
		keys->n++;
	}
	return keys;
}

/* The entry of a row's key, made if there is none; NULL if it has a null. */
static KeyEntry *
find_key(KeyEntry *table, uint32 mask, const KeyColumns *keys, JdbcRow *row)
{
	uint32		hash = 0;
	uint32		i;

	for (int k = 0; k < keys->n; k++)
	{
		int			column = keys->columns[k];
		uint32		part = 0;

		if (row->nulls[column])
			return NULL;
		if (keys->hash[k] != NULL)
			part = DatumGetUInt32(FunctionCall1Coll(keys->hash[k],
													keys->collations[k],
													row->values[column]));
		hash = hash_combine(hash, part);
	}
	for (i = hash & mask;; i = (i + 1) & mask)
	{
		KeyEntry   *entry = &table[i];
		JdbcRow    *other = entry->written ? entry->written : entry->removed;
		bool		equal = true;

		if (other == NULL)
		{
			entry->hash = hash;
			return entry;
		}
		if (entry->hash != hash)
			continue;
		for (int k = 0; k < keys->n && equal; k++)
		{
			int			column = keys->columns[k];

			equal = DatumGetBool(FunctionCall2Coll(keys->equal[k],
												   keys->collations[k],
												   other->values[column],
												   row->values[column]));
		}
		if (equal)
			return entry;
	}
}

/* Both writes of a key as one: what the newer gives counts. */
static JdbcRow *
merged(JdbcRow *older, JdbcRow *newer)
{
	JdbcRow    *row;
	JdbcTarget *target = newer->target;
	int			column = -1;

	if (bms_is_subset(older->set->given, newer->set->given))
		return newer;
	row = palloc(sizeof(JdbcRow));
	*row = *newer;
	row->values = palloc(target->ncolumns * (sizeof(Datum) + sizeof(bool)));
	row->nulls = (bool *) (row->values + target->ncolumns);
	memcpy(row->values, older->values, target->ncolumns * sizeof(Datum));
	memcpy(row->nulls, older->nulls, target->ncolumns * sizeof(bool));
	while ((column = bms_next_member(newer->set->given, column)) >= 0)
	{
		row->values[column] = newer->values[column];
		row->nulls[column] = newer->nulls[column];
	}
	row->set = connect_jdbcsink_column_set(target,
										   bms_union(older->set->given,
													 newer->set->given),
										   newer->set->keys);
	return row;
}

/* Each run of rows of one column set is a statement. */
static void
execute_sets(JdbcSink *sink, JdbcStatementKind kind, JdbcRow **rows, int n,
			 bool direct)
{
	int			limit = sink->options.batch_size > 0 ?
		sink->options.batch_size : INT_MAX;
	int			start = 0;

	for (int i = 1; i <= n; i++)
	{
		JdbcTarget *target = rows[start]->target;
		int			nrun = i - start;

		if (i < n && rows[i]->set == rows[start]->set && i - start < limit)
			continue;
		CHECK_FOR_INTERRUPTS();
		if (direct && rows[start]->set->direct &&
			(kind == JDBC_STMT_INSERT || kind == JDBC_STMT_UPSERT) &&
			check_enable_rls(target->relid, InvalidOid, true) != RLS_ENABLED)
		{
			if (kind == JDBC_STMT_UPSERT)
				connect_jdbcsink_upsert_direct(sink, target, rows + start, nrun);
			else
				connect_jdbcsink_insert_direct(target, rows + start, nrun);
		}
		else
			connect_jdbcsink_execute(sink, kind, rows + start, nrun);
		CommandCounterIncrement();
		start = i;
	}
}

static int
compare_rows(const void *a, const void *b, void *arg)
{
	const JdbcRow *x = *(JdbcRow *const *) a;
	const JdbcRow *y = *(JdbcRow *const *) b;
	const KeyColumns *keys = arg;

	for (int k = 0; k < keys->n; k++)
	{
		int			column = keys->columns[k];
		int			result = ApplySortComparator(x->values[column],
												 x->nulls[column],
												 y->values[column],
												 y->nulls[column],
												 &keys->sort[k]);

		if (result != 0)
			return result;
	}
	return 0;
}
