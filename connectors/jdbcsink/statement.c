/*
 * statement.c
 *	  Rows into a table through the executor: one prepared statement a batch.
 *
 * NOTES
 *	  Task process.  A batch is handed to its statement as an ephemeral named
 *	  relation, as the transition tables of triggers are:
 *
 *		INSERT INTO t (a, b) SELECT c1, c2 FROM connect_batch
 *
 *	  so that rules, triggers, row security, defaults, generated columns,
 *	  partitions and views work as for any INSERT, and no array is built.
 *	  Statements are prepared once for each column set of a table.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_operator.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/queryenvironment.h"
#include "utils/syscache.h"
#include "utils/tuplestore.h"
#include "utils/typcache.h"

#include "jdbcsink/jdbcsink.h"

#define BATCH_NAME "connect_batch"

static void plan_with_index(SPIPlanPtr plan);
static SPIPlanPtr prepare(JdbcSink *sink, JdbcStatementKind kind,
						  JdbcTarget *target, JdbcColumnSet *set);
static char *statement_text(JdbcSink *sink, JdbcStatementKind kind,
							const JdbcTarget *target, const JdbcColumnSet *set);
static void append_key_condition(StringInfo sql, const JdbcTarget *target,
								 const JdbcColumnSet *set);

/*
 * All rows are of one target and one column set, at most one for each key if
 * there is one.
 */
void
connect_jdbcsink_execute(JdbcSink *sink, JdbcStatementKind kind,
						 JdbcRow **rows, int n)
{
	JdbcColumnSet *set = rows[0]->set;
	EphemeralNamedRelation enr;
	Tuplestorestate *store;
	Datum	   *values;
	bool	   *nulls;
	int			natts = set->batch_desc->natts;
	int			rc;

	if (kind == JDBC_STMT_UPDATE && bms_equal(set->given, set->keys))
		return;					/* nothing to set */

	store = tuplestore_begin_heap(false, false, work_mem);
	values = palloc(natts * sizeof(Datum));
	nulls = palloc(natts * sizeof(bool));
	for (int i = 0; i < n; i++)
	{
		for (int j = 0; j < natts; j++)
		{
			values[j] = rows[i]->values[set->batch_columns[j]];
			nulls[j] = rows[i]->nulls[set->batch_columns[j]];
		}
		tuplestore_putvalues(store, set->batch_desc, values, nulls);
	}

	enr = palloc0(sizeof(EphemeralNamedRelationData));
	enr->md.name = pstrdup(BATCH_NAME);
	enr->md.reliddesc = InvalidOid;
	enr->md.tupdesc = set->batch_desc;
	enr->md.enrtype = ENR_NAMED_TUPLESTORE;
	enr->md.enrtuples = n;
	enr->reldata = store;

	SPI_connect();
	rc = SPI_register_relation(enr);
	if (rc != SPI_OK_REL_REGISTER)
		elog(ERROR, "SPI_register_relation failed: %s",
			 SPI_result_code_string(rc));
	if (set->plans[kind] == NULL)
		set->plans[kind] = prepare(sink, kind, rows[0]->target, set);
	if ((kind == JDBC_STMT_UPDATE || kind == JDBC_STMT_DELETE) &&
		bms_overlap(rows[0]->target->index_columns, set->keys))
		plan_with_index(set->plans[kind]);
	rc = SPI_execute_plan(set->plans[kind], NULL, NULL, false, 0);
	if (rc < 0)
		elog(ERROR, "SPI_execute_plan failed: %s", SPI_result_code_string(rc));
	SPI_finish();
	tuplestore_end(store);
}

void
connect_jdbcsink_truncate(JdbcSink *sink, JdbcTarget *target)
{
	char	   *sql = psprintf("TRUNCATE TABLE %s",
							   connect_jdbcsink_quoted(target));

	SPI_connect();
	if (SPI_execute(sql, false, 0) != SPI_OK_UTILITY)
		elog(ERROR, "could not execute: %s", sql);
	SPI_finish();
}

/* Plans live apart from their table's memory. */
void
connect_jdbcsink_statements_free(void *arg)
{
	JdbcTarget *target = arg;
	ListCell   *lc;

	foreach(lc, target->column_sets)
	{
		JdbcColumnSet *set = lfirst(lc);

		for (int i = 0; i < JDBC_NSTMT; i++)
		{
			if (set->plans[i] != NULL)
				SPI_freeplan(set->plans[i]);
		}
	}
}

static SPIPlanPtr
prepare(JdbcSink *sink, JdbcStatementKind kind, JdbcTarget *target,
		JdbcColumnSet *set)
{
	SPIPlanPtr	plan = SPI_prepare(statement_text(sink, kind, target, set),
								   0, NULL);

	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s",
			 SPI_result_code_string(SPI_result));
	SPI_keepplan(plan);
	return plan;
}

/*
 * How big the table will be is not known; it may be empty now.  So a batch
 * finds its rows through the index on the key, whatever the statistics say.
 * Planned apart from running it, for triggers plan their own queries then.
 */
static void
plan_with_index(SPIPlanPtr plan)
{
	int			level = NewGUCNestLevel();
	CachedPlan *cached;

	(void) set_config_option("enable_hashjoin", "off", PGC_USERSET,
							 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	(void) set_config_option("enable_mergejoin", "off", PGC_USERSET,
							 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	(void) set_config_option("enable_seqscan", "off", PGC_USERSET,
							 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	cached = SPI_plan_get_cached_plan(plan);
	if (cached != NULL)
		ReleaseCachedPlan(cached, CurrentResourceOwner);
	AtEOXact_GUC(false, level);
}

static char *
statement_text(JdbcSink *sink, JdbcStatementKind kind,
			   const JdbcTarget *target, const JdbcColumnSet *set)
{
	StringInfoData sql;
	int			natts = set->batch_desc->natts;
	int			column = -1;
	bool		first = true;

	initStringInfo(&sql);
	switch (kind)
	{
		case JDBC_STMT_INSERT:
		case JDBC_STMT_UPSERT:
			appendStringInfo(&sql, "INSERT INTO %s",
							 connect_jdbcsink_quoted(target));
			for (int i = 0; i < natts; i++)
				appendStringInfo(&sql, "%s%s%s", i > 0 ? ", " : " (",
								 quote_identifier(target->columns[set->batch_columns[i]].name),
								 i == natts - 1 ? ")" : "");
			appendStringInfo(&sql, "%s SELECT ",
							 sink->options.override_identity ?
							 " OVERRIDING SYSTEM VALUE" : "");
			for (int i = 0; i < natts; i++)
				appendStringInfo(&sql, "%sc%d", i > 0 ? ", " : "", i + 1);
			appendStringInfoString(&sql, " FROM " BATCH_NAME);
			if (kind == JDBC_STMT_INSERT)
				break;

			appendStringInfoString(&sql, " ON CONFLICT (");
			while ((column = bms_next_member(set->keys, column)) >= 0)
			{
				appendStringInfo(&sql, "%s%s", first ? "" : ", ",
								 quote_identifier(target->columns[column].name));
				first = false;
			}
			if (bms_equal(set->given, set->keys))
			{
				appendStringInfoString(&sql, ") DO NOTHING");
				break;
			}
			appendStringInfoString(&sql, ") DO UPDATE SET ");
			first = true;
			for (int i = 0; i < natts; i++)
			{
				const char *name;

				if (bms_is_member(set->batch_columns[i], set->keys))
					continue;
				name = quote_identifier(target->columns[set->batch_columns[i]].name);
				appendStringInfo(&sql, "%s%s = EXCLUDED.%s",
								 first ? "" : ", ", name, name);
				first = false;
			}
			break;

		case JDBC_STMT_UPDATE:
			appendStringInfo(&sql, "UPDATE %s AS connect_target SET ",
							 connect_jdbcsink_quoted(target));
			for (int i = 0; i < natts; i++)
			{
				if (bms_is_member(set->batch_columns[i], set->keys))
					continue;
				appendStringInfo(&sql, "%s%s = b.c%d", first ? "" : ", ",
								 quote_identifier(target->columns[set->batch_columns[i]].name),
								 i + 1);
				first = false;
			}
			appendStringInfoString(&sql, " FROM " BATCH_NAME " b");
			append_key_condition(&sql, target, set);
			break;

		case JDBC_STMT_DELETE:
			appendStringInfo(&sql, "DELETE FROM %s AS connect_target USING "
							 BATCH_NAME " b",
							 connect_jdbcsink_quoted(target));
			append_key_condition(&sql, target, set);
			break;

		case JDBC_NSTMT:
			elog(ERROR, "unknown kind of statement");
	}
	return sql.data;
}

/* The operator is the type's own, wherever it lives. */
static void
append_key_condition(StringInfo sql, const JdbcTarget *target,
					 const JdbcColumnSet *set)
{
	bool		first = true;

	for (int i = 0; i < set->batch_desc->natts; i++)
	{
		int			column = set->batch_columns[i];
		TypeCacheEntry *type;
		HeapTuple	tuple;
		Form_pg_operator op;

		if (!bms_is_member(column, set->keys))
			continue;
		type = lookup_type_cache(target->columns[column].type, TYPECACHE_EQ_OPR);
		if (!OidIsValid(type->eq_opr))
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_FUNCTION),
					 errmsg("column \"%s\" of table %s cannot be part of a key",
							target->columns[column].name,
							connect_jdbcsink_quoted(target)),
					 errdetail("Its type %s has no equality operator.",
							   format_type_be(target->columns[column].type))));
		tuple = SearchSysCache1(OPEROID, ObjectIdGetDatum(type->eq_opr));
		if (!HeapTupleIsValid(tuple))
			elog(ERROR, "cache lookup failed for operator %u", type->eq_opr);
		op = (Form_pg_operator) GETSTRUCT(tuple);
		appendStringInfo(sql, "%s connect_target.%s OPERATOR(%s.%s) b.c%d",
						 first ? " WHERE" : " AND",
						 quote_identifier(target->columns[column].name),
						 quote_identifier(get_namespace_name(op->oprnamespace)),
						 NameStr(op->oprname), i + 1);
		ReleaseSysCache(tuple);
		first = false;
	}
	if (first)
		appendStringInfoString(sql, " WHERE false");
}
