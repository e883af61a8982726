/*
 * partition.c
 *	  TRUNCATE triggers of partitions that come and go.
 *
 * NOTES
 *	  Runs in the backend of whoever changes a partitioned table, as part of his
 *	  command.  The server clones row triggers to a new partition, and drops the
 *	  clones when it is detached; TRUNCATE triggers it leaves alone.  So after
 *	  such a command each leaf that it named gets one for each of our row
 *	  triggers that it has, and loses what belongs to none.  The same goes for
 *	  which of them are enabled.
 *
 *	  A restored dump brings its triggers itself, all of them, after the
 *	  partitions have been attached: nothing is done for CREATE TRIGGER.
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_trigger.h"
#include "commands/extension.h"
#include "commands/tablecmds.h"
#include "commands/trigger.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "tcop/utility.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "stream/stream.h"

static ProcessUtility_hook_type previous_utility = NULL;

/* The part of a trigger's name behind prefix, if the trigger is ours. */
static const char *
suffix_of(const Trigger *trigger, const char *prefix, Oid extension)
{
	Size		len = strlen(prefix);

	if (strncmp(trigger->tgname, prefix, len) != 0 || trigger->tgnargs != 1 ||
		getExtensionOfObject(ProcedureRelationId, trigger->tgfoid) != extension)
		return NULL;
	return trigger->tgname + len;
}

static Trigger *
find_partner(TriggerDesc *triggers, const char *prefix, const char *suffix,
			 Oid extension)
{
	for (int i = 0; i < triggers->numtriggers; i++)
	{
		const char *other = suffix_of(&triggers->triggers[i], prefix, extension);

		if (other != NULL && strcmp(other, suffix) == 0)
			return &triggers->triggers[i];
	}
	return NULL;
}

/* The kind of ALTER TABLE command that brings a trigger into a state. */
static AlterTableType
state_command(char enabled)
{
	return enabled == TRIGGER_FIRES_ALWAYS ? AT_EnableAlwaysTrig :
		enabled == TRIGGER_FIRES_ON_REPLICA ? AT_EnableReplicaTrig :
		enabled == TRIGGER_DISABLED ? AT_DisableTrig : AT_EnableTrig;
}

static void
follow_capture(Oid relid, TriggerDesc *triggers, const Trigger *capture,
			   const char *suffix, Oid extension)
{
	Trigger    *partner = find_partner(triggers, CONNECT_TRUNCATE_TRIGGER,
									   suffix, extension);

	if (partner == NULL)
	{
		CreateTrigStmt *stmt = makeNode(CreateTrigStmt);

		stmt->trigname = psprintf("%s%s", CONNECT_TRUNCATE_TRIGGER, suffix);
		stmt->args = list_make1(makeString(capture->tgargs[0]));
		stmt->timing = TRIGGER_TYPE_AFTER;
		stmt->events = TRIGGER_TYPE_TRUNCATE;
		CreateTriggerFiringOn(stmt, NULL, relid, InvalidOid, InvalidOid,
							  InvalidOid, capture->tgfoid, InvalidOid, NULL,
							  false, false, capture->tgenabled);
	}
	else if (partner->tgenabled != capture->tgenabled)
	{
		AlterTableCmd *cmd = makeNode(AlterTableCmd);

		cmd->subtype = state_command(capture->tgenabled);
		cmd->name = partner->tgname;
		AlterTableInternal(relid, list_make1(cmd), false);
	}
}

/* Makes the TRUNCATE triggers of one leaf agree with its row triggers. */
static void
follow_leaf(Oid relid, Oid extension)
{
	Relation	rel = table_open(relid, ShareRowExclusiveLock);
	TriggerDesc *triggers = CopyTriggerDesc(rel->trigdesc);

	table_close(rel, NoLock);
	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		Trigger    *trigger = &triggers->triggers[i];
		const char *suffix = suffix_of(trigger, CONNECT_CAPTURE_TRIGGER,
									   extension);
		ObjectAddress object;

		if (suffix != NULL)
			follow_capture(relid, triggers, trigger, suffix, extension);
		suffix = suffix_of(trigger, CONNECT_TRUNCATE_TRIGGER, extension);
		if (suffix == NULL ||
			find_partner(triggers, CONNECT_CAPTURE_TRIGGER, suffix, extension))
			continue;
		ObjectAddressSet(object, TriggerRelationId, trigger->tgoid);
		performDeletion(&object, DROP_RESTRICT, PERFORM_DELETION_INTERNAL);
	}
	CommandCounterIncrement();
}

static void
follow(const RangeVar *table)
{
	Oid			extension = get_extension_oid("connect", true);
	Oid			relid;
	ListCell   *lc;

	if (!OidIsValid(extension))
		return;
	CommandCounterIncrement();
	relid = RangeVarGetRelid(table, NoLock, true);
	if (!OidIsValid(relid))
		return;
	foreach(lc, find_all_inheritors(relid, ShareRowExclusiveLock, NULL))
	{
		if (get_rel_relkind(lfirst_oid(lc)) == RELKIND_RELATION)
			follow_leaf(lfirst_oid(lc), extension);
	}
}

/* The tables whose leaves a command may give or take triggers. */
static List *
tables_to_follow(Node *stmt)
{
	List	   *tables = NIL;
	ListCell   *lc;

	if (IsA(stmt, CreateStmt) && castNode(CreateStmt, stmt)->partbound != NULL)
		return list_make1(copyObject(castNode(CreateStmt, stmt)->relation));
	if (!IsA(stmt, AlterTableStmt) ||
		castNode(AlterTableStmt, stmt)->objtype != OBJECT_TABLE)
		return NIL;
	foreach(lc, castNode(AlterTableStmt, stmt)->cmds)
	{
		AlterTableCmd *cmd = lfirst_node(AlterTableCmd, lc);

		switch (cmd->subtype)
		{
			case AT_AttachPartition:
			case AT_DetachPartition:
			case AT_DetachPartitionFinalize:
				tables = lappend(tables,
								 copyObject(castNode(PartitionCmd,
													 cmd->def)->name));
				break;
			case AT_EnableTrig:
			case AT_EnableAlwaysTrig:
			case AT_EnableReplicaTrig:
			case AT_DisableTrig:
				if (strncmp(cmd->name, CONNECT_CAPTURE_TRIGGER,
							strlen(CONNECT_CAPTURE_TRIGGER)) == 0)
					tables = lappend(tables,
									 copyObject(castNode(AlterTableStmt,
														 stmt)->relation));
				break;
			default:
				break;
		}
	}
	return tables;
}

static void
utility(PlannedStmt *pstmt, const char *query, bool read_only_tree,
		ProcessUtilityContext context, ParamListInfo params,
		QueryEnvironment *env, DestReceiver *dest, QueryCompletion *qc)
{
	List	   *tables = tables_to_follow(pstmt->utilityStmt);
	ListCell   *lc;

	if (previous_utility)
		previous_utility(pstmt, query, read_only_tree, context, params, env,
						 dest, qc);
	else
		standard_ProcessUtility(pstmt, query, read_only_tree, context, params,
								env, dest, qc);
	foreach(lc, tables)
		follow(lfirst(lc));
}

void
connect_stream_init(void)
{
	previous_utility = ProcessUtility_hook;
	ProcessUtility_hook = utility;
}
