/*
 * target.c
 *	  The tables that a sink writes to, as far as they have been looked up.
 *
 * NOTES
 *	  Task process.  A JdbcTarget lives as long as the task; what is known of
 *	  its table lies in a context of its own, thrown away when the relcache
 *	  says that the table has changed.  Between connect_jdbcsink_target_lock()
 *	  and the end of the transaction nothing of it can become wrong: whatever
 *	  adds a column, an index, a trigger, a rule or a policy conflicts with ROW
 *	  EXCLUSIVE.  (Invalidations still come, from ANALYZE say; they only take
 *	  effect in the next batch.)
 *
 *	  The catalog is looked at with ACCESS SHARE held for that moment only, so
 *	  that DDL of ours never upgrades a lock (two tasks would deadlock).
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/relation.h"
#include "access/table.h"
#include "access/transam.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_am.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_index.h"
#include "commands/dbcommands.h"
#include "commands/trigger.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "rewrite/rewriteHandler.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/formatting.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

#include "jdbcsink/jdbcsink.h"

#define MAX_FORMS	500			/* shapes and column sets of a table, between batches */

static JdbcTarget *all_targets = NULL;	/* for the relcache callback */
static bool callback_registered = false;

static void parse_name(JdbcSink *sink, JdbcTarget *target, const char *name);
static Oid	find_relation(JdbcTarget *target);
static void describe(JdbcTarget *target, Relation rel);
static bool is_direct(Relation rel);
static bool has_deferred_constraint(Relation rel);
static void relation_changed(Datum arg, Oid relid);
static void lock_relation(JdbcSink *sink, const JdbcTarget *target, Oid relid,
						  LOCKMODE mode);
static void describe_defaults(JdbcTarget *target, JdbcColumnSet *set);

JdbcTarget *
connect_jdbcsink_target(JdbcSink *sink, const char *name)
{
	MemoryContext old;
	JdbcTarget *target;
	ListCell   *lc;

	foreach(lc, sink->targets)
	{
		target = lfirst(lc);
		if (strcmp(target->name, name) == 0)
			return target;
	}

	if (!callback_registered)
	{
		CacheRegisterRelcacheCallback(relation_changed, (Datum) 0);
		callback_registered = true;
	}
	old = MemoryContextSwitchTo(sink->context);
	target = palloc0(sizeof(JdbcTarget));
	target->name = pstrdup(name);
	parse_name(sink, target, name);
	target->context = AllocSetContextCreate(sink->context,
											"Connect sink table",
											ALLOCSET_SMALL_SIZES);
	sink->targets = lappend(sink->targets, target);
	target->next = all_targets;
	all_targets = target;
	MemoryContextSwitchTo(old);
	return target;
}

/* Must run when the sink's memory goes: the callback walks all targets. */
void
connect_jdbcsink_targets_forget(void)
{
	all_targets = NULL;
}

/*
 * Schemas, and which members objects have, may differ without end: a table that
 * has come to know too many is read again.
 */
void
connect_jdbcsink_targets_trim(JdbcSink *sink)
{
	ListCell   *lc;

	foreach(lc, sink->targets)
	{
		JdbcTarget *target = lfirst(lc);

		if (list_length(target->shapes) + list_length(target->column_sets) >
			MAX_FORMS)
			target->valid = false;
	}
}

static void
relation_changed(Datum arg, Oid relid)
{
	for (JdbcTarget *target = all_targets; target != NULL; target = target->next)
	{
		if (relid == InvalidOid || relid == target->relid)
			target->valid = false;
	}
}

/*
 * [catalog.][schema.]table; double quotes may be around a part.  A part that
 * is too long is cut as the server would cut it.
 */
static void
parse_name(JdbcSink *sink, JdbcTarget *target, const char *name)
{
	char	   *parts[3] = {NULL, NULL, NULL};
	StringInfoData part;
	int			n = 0;
	bool		quoted = false;

	initStringInfo(&part);
	for (const char *p = name;; p++)
	{
		if (*p == '"')
		{
			if (quoted && p[1] == '"')
				appendStringInfoChar(&part, *p++);
			else
				quoted = !quoted;
		}
		else if (*p == '\0' || (*p == '.' && !quoted && n < 2))
		{
			char	   *text = pstrdup(part.data);

			if (sink->options.fold_names)
				text = str_tolower(text, part.len, DEFAULT_COLLATION_OID);
			text[pg_mbcliplen(text, strlen(text), NAMEDATALEN - 1)] = '\0';
			parts[n++] = text;
			resetStringInfo(&part);
			if (*p == '\0')
				break;
		}
		else
			appendStringInfoChar(&part, *p);
	}
	target->table = parts[n - 1];
	target->wanted_schema = n > 1 ? parts[n - 2] : NULL;
	if (n == 3 && strcmp(parts[0], get_database_name(MyDatabaseId)) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("table \"%s\" is in another database", name)));
}

void
connect_jdbcsink_target_refresh(JdbcSink *sink, JdbcTarget *target)
{
	Relation	rel;
	MemoryContext old;

	for (;;)
	{
		Oid			relid = find_relation(target);

		if (target->valid && relid == target->relid)
			return;

		sink->tables_changed |= target->shapes != NIL;
		MemoryContextReset(target->context);
		target->relid = InvalidOid;
		target->valid = false;
		target->columns = NULL;
		target->ncolumns = 0;
		target->nprimary = 0;
		target->index_columns = NULL;
		target->slots = NULL;
		target->column_sets = NIL;
		target->shapes = NIL;
		if (!OidIsValid(relid))
			return;
		lock_relation(sink, target, relid, AccessShareLock);
		rel = try_relation_open(relid, NoLock);
		if (rel != NULL)
			break;
		UnlockRelationOid(relid, AccessShareLock);
	}

	target->free_plans.func = connect_jdbcsink_statements_free;
	target->free_plans.arg = target;
	MemoryContextRegisterResetCallback(target->context, &target->free_plans);
	/* First, so that a change which comes while it is described is heeded. */
	target->relid = RelationGetRelid(rel);
	target->valid = true;
	old = MemoryContextSwitchTo(target->context);
	describe(target, rel);
	MemoryContextSwitchTo(old);
	relation_close(rel, AccessShareLock);
}

/*
 * A name without schema is looked for, and made, where psql would by default:
 * in the schema named as the owner if there is one, then in "public".
 */
static Oid
find_relation(JdbcTarget *target)
{
	Oid			nsp;

	if (target->wanted_schema != NULL)
	{
		target->schema = target->wanted_schema;
		nsp = LookupExplicitNamespace(target->schema, true);
		return OidIsValid(nsp) ? get_relname_relid(target->table, nsp) :
			InvalidOid;
	}
	else
	{
		char	   *own = GetUserNameFromId(GetUserId(), false);
		Oid			relid = InvalidOid;
		bool		has_own;

		nsp = get_namespace_oid(own, true);
		has_own = OidIsValid(nsp);
		if (has_own)
			relid = get_relname_relid(target->table, nsp);
		if (!OidIsValid(relid))
		{
			nsp = get_namespace_oid("public", true);
			if (OidIsValid(nsp))
				relid = get_relname_relid(target->table, nsp);
			has_own = has_own && !OidIsValid(relid);
		}
		if (target->schema == NULL ||
			strcmp(target->schema, has_own ? own : "public") != 0)
			target->schema = MemoryContextStrdup(GetMemoryChunkContext((void *) target),
												 has_own ? own : "public");
		return relid;
	}
}

static void
describe(JdbcTarget *target, Relation rel)
{
	TupleDesc	desc = RelationGetDescr(rel);
	Bitmapset  *primary;
	int			column = -1;
	ListCell   *lc;

	target->relkind = rel->rd_rel->relkind;
	target->direct = is_direct(rel);
	target->direct_upsert = target->direct &&
		(rel->trigdesc == NULL ||
		 (!rel->trigdesc->trig_update_before_statement &&
		  !rel->trigdesc->trig_update_after_statement &&
		  !rel->trigdesc->trig_update_new_table &&
		  !rel->trigdesc->trig_update_old_table));
	target->has_deferred = has_deferred_constraint(rel);
	target->ncolumns = desc->natts;
	target->columns = palloc0(desc->natts * sizeof(JdbcColumn));
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		JdbcColumn *col = &target->columns[i];

		if (att->attisdropped)
			continue;
		col->name = pstrdup(NameStr(att->attname));
		col->type = att->atttypid;
		col->typmod = att->atttypmod;
		col->collation = att->attcollation;
		col->not_null = att->attnotnull;
		col->has_default = att->atthasdef || att->attidentity;
		col->identity = att->attidentity;
		col->is_generated = att->attgenerated != '\0';
		col->is_domain = get_typtype(att->atttypid) == TYPTYPE_DOMAIN;
	}

	foreach(lc, RelationGetIndexList(rel))
	{
		Relation	index = index_open(lfirst_oid(lc), AccessShareLock);
		int			first = index->rd_index->indkey.values[0];

		if (index->rd_index->indisvalid && first > 0 &&
			RelationGetIndexPredicate(index) == NIL)
			target->index_columns = bms_add_member(target->index_columns,
												   first - 1);
		index_close(index, AccessShareLock);
	}
	primary = RelationGetIndexAttrBitmap(rel, INDEX_ATTR_BITMAP_PRIMARY_KEY);
	target->primary = palloc0((bms_num_members(primary) + 1) * sizeof(int));
	while ((column = bms_next_member(primary, column)) >= 0)
		target->primary[target->nprimary++] =
			column + FirstLowInvalidHeapAttributeNumber - 1;
}

/*
 * Can rows be put into the heap and its indexes with nobody able to tell that
 * from INSERT?  (Row security depends on the role and is asked for each batch;
 * foreign keys are AFTER ROW triggers, which the direct path queues.)
 */
static bool
is_direct(Relation rel)
{
	TriggerDesc *triggers = rel->trigdesc;
	TupleConstr *constr = RelationGetDescr(rel)->constr;

	if (rel->rd_rel->relkind != RELKIND_RELATION ||
		rel->rd_rel->relam != HEAP_TABLE_AM_OID ||
		rel->rd_rel->relispartition ||
		rel->rd_rel->relhasrules ||
		RelationGetRelid(rel) < FirstNormalObjectId)
		return false;
	if (triggers != NULL &&
		(triggers->trig_insert_before_row ||
		 triggers->trig_insert_instead_row ||
		 triggers->trig_insert_before_statement ||
		 triggers->trig_insert_after_statement ||
		 triggers->trig_insert_new_table))
		return false;
	if (constr != NULL && constr->has_generated_stored)
		return false;
	for (int i = 0; i < RelationGetDescr(rel)->natts; i++)
	{
		if (TupleDescAttr(RelationGetDescr(rel), i)->attgenerated != '\0')
			return false;
	}
	return true;
}

static bool
has_deferred_constraint(Relation rel)
{
	TriggerDesc *triggers = rel->trigdesc;

	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		if (triggers->triggers[i].tginitdeferred)
			return true;
	}
	return false;
}

bool
connect_jdbcsink_target_lock(JdbcSink *sink, JdbcTarget *target)
{
	lock_relation(sink, target, target->relid, RowExclusiveLock);
	return target->valid;
}

/* Shows what it waits for. */
static void
lock_relation(JdbcSink *sink, const JdbcTarget *target, Oid relid,
			  LOCKMODE mode)
{
	if (ConditionalLockRelationOid(relid, mode))
		return;
	connect_task_waiting_for(sink->task,
							 psprintf("lock on table %s",
									  connect_jdbcsink_quoted(target)));
	LockRelationOid(relid, mode);
	connect_task_waiting_for(sink->task, NULL);
}

/* As the server cuts a name that is too long. */
static char *
clipped(const char *name)
{
	return pnstrdup(name, pg_mbcliplen(name, strlen(name), NAMEDATALEN - 1));
}

/* By its exact name, then without regard to case; -1 if there is none. */
int
connect_jdbcsink_column(const JdbcTarget *target, const char *name)
{
	const char *exact = clipped(name);
	const char *folded;

	for (int i = 0; i < target->ncolumns; i++)
	{
		if (OidIsValid(target->columns[i].type) &&
			strcmp(target->columns[i].name, exact) == 0)
			return i;
	}
	folded = clipped(str_tolower(name, strlen(name), DEFAULT_COLLATION_OID));
	for (int i = 0; i < target->ncolumns; i++)
	{
		if (OidIsValid(target->columns[i].type) &&
			(pg_strcasecmp(target->columns[i].name, exact) == 0 ||
			 strcmp(target->columns[i].name, folded) == 0))
			return i;
	}
	return -1;
}

char *
connect_jdbcsink_quoted(const JdbcTarget *target)
{
	return quote_qualified_identifier(target->schema, target->table);
}

JdbcColumnSet *
connect_jdbcsink_column_set(JdbcTarget *target, const Bitmapset *given,
							const Bitmapset *keys)
{
	JdbcColumnSet *set;
	MemoryContext old;
	ListCell   *lc;

	foreach(lc, target->column_sets)
	{
		set = lfirst(lc);
		if (bms_equal(set->given, given) && bms_equal(set->keys, keys))
			return set;
	}
	old = MemoryContextSwitchTo(target->context);
	set = palloc0(sizeof(JdbcColumnSet));
	set->given = bms_copy(given);
	set->keys = bms_copy(keys);
	describe_defaults(target, set);
	target->column_sets = lappend(target->column_sets, set);
	MemoryContextSwitchTo(old);
	return set;
}

/*
 * The columns that are not given get their defaults: those that the direct
 * path cannot compute as INSERT does send the set to the executor.
 */
static void
describe_defaults(JdbcTarget *target, JdbcColumnSet *set)
{
	Relation	rel;
	int			n = 0;

	set->batch_columns = palloc(Max(1, target->ncolumns) * sizeof(int));
	set->batch_desc = CreateTemplateTupleDesc(bms_num_members(set->given));
	for (int i = 0; i < target->ncolumns; i++)
	{
		if (!bms_is_member(i, set->given))
			continue;
		set->batch_columns[n++] = i;
		TupleDescInitEntry(set->batch_desc, n, psprintf("c%d", n),
						   target->columns[i].type,
						   target->columns[i].typmod, 0);
		TupleDescInitEntryCollation(set->batch_desc, n,
									target->columns[i].collation);
	}

	set->direct = target->direct;
	if (!set->direct)
		return;
	rel = relation_open(target->relid, AccessShareLock);
	if (target->direct_upsert && !bms_is_empty(set->keys))
	{
		set->unique_index = connect_jdbcsink_unique_index(rel, set->keys);
		set->updates_direct = connect_jdbcsink_updates_direct(rel, set);
	}
	set->default_columns = palloc(target->ncolumns * sizeof(int));
	set->default_exprs = palloc(target->ncolumns * sizeof(Expr *));
	for (int i = 0; i < target->ncolumns; i++)
	{
		JdbcColumn *col = &target->columns[i];
		Expr	   *expr;

		if (!OidIsValid(col->type))
			continue;
		if (bms_is_member(i, set->given))
		{
			if (col->identity == ATTRIBUTE_IDENTITY_ALWAYS)
				set->direct = false;
			continue;
		}
		expr = (Expr *) build_column_default(rel, i + 1);
		if (expr == NULL)
		{
			if (col->is_domain)
				set->direct = false;
			continue;
		}
		expr = expression_planner(expr);
		if (contain_volatile_functions_not_nextval((Node *) expr))
			set->direct = false;
		set->default_columns[set->ndefaults] = i;
		set->default_exprs[set->ndefaults++] = expr;
	}
	relation_close(rel, AccessShareLock);
}
