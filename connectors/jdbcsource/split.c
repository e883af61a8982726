/*
 * split.c
 *	  Who reads what: tables to tasks, and one large table to several tasks.
 *
 * NOTES
 *	  Tables are dealt out as JDBC connectors do it.  In mode bulk, tasks that
 *	  are left over then join in reading the largest tables: part i of n reads
 *	  each n-th chunk of blocks, beginning with the i-th, all under one snapshot.
 *
 *	  Part 0 leads.  It begins a pass, that is one reading of the table, when
 *	  all parts are free; takes the snapshot, tells of it in its slot, and emits
 *	  nothing before all have it.  Each part says that it is done once Kafka has
 *	  acknowledged what it sent.  The leader keeps the snapshot until then, so
 *	  that a part whose process is lost can join in again, but for no longer
 *	  than connect.snapshot_max_age; nor does any other part.  What is not done
 *	  then and was not begun makes the leader begin a new pass.  If the leader is
 *	  lost, or gives the pass up, so do the others.
 *
 *	  What parts tell each other is in their slots (ConnectShare, runtime/slot.h).
 *	  A process starts with none of it, and so does each start of a task in it.
 *
 *	  A part that does not get the table's lock, for somebody waits to change
 *	  the table, refuses; the leader then lets go: nobody waits for us in turn.
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "common/hashfn.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "jdbcsource/jdbcsource.h"
#include "runtime/xact.h"

/* ConnectShare.state of the leader. */
#define CLOSED		0
#define OPEN		1			/* the snapshot can be had */
#define LET_GO		2			/* … no more; parts that have it go on */

/* ConnectShare.state of the others. */
#define FREE		0
#define WORKING		1			/* at pass */
#define DONE		2			/* with pass */
#define REFUSED		3			/* cannot join in pass */

static void tell(ConnectJdbcSplit *split, int state);

/* ---- in the coordinator ---- */

/* Blocks of a table whose heap can be split, else 0. */
static BlockNumber
table_blocks(Oid relid)
{
	Relation	rel;
	BlockNumber result = 0;

	if (!ConditionalLockRelationOid(relid, AccessShareLock))
	{
		/* Somebody changes it: as it was when it was analyzed. */
		HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));

		if (HeapTupleIsValid(tuple))
		{
			Form_pg_class form = (Form_pg_class) GETSTRUCT(tuple);

			if (form->relkind == RELKIND_RELATION)
				result = form->relpages;
			ReleaseSysCache(tuple);
		}
		return result;
	}
	rel = try_relation_open(relid, NoLock);
	if (rel == NULL)
	{
		UnlockRelationOid(relid, AccessShareLock);
		return 0;
	}
	if (rel->rd_rel->relkind == RELKIND_RELATION)
		result = RelationGetNumberOfBlocks(rel);
	relation_close(rel, AccessShareLock);
	return result;
}

/*
 * How many tasks each table gets: those that are left go one by one to the
 * table of which a part is largest.
 */
static int *
count_parts(const ConnectJdbcSettings *settings, List *tables, int max_tasks)
{
	int			n = list_length(tables);
	int		   *parts = palloc(sizeof(int) * Max(n, 1));
	BlockNumber *blocks = palloc0(sizeof(BlockNumber) * Max(n, 1));
	bool		may_split = settings->mode == CONNECT_JDBC_BULK &&
		settings->split_bytes >= 0 && n < max_tasks &&
		settings->ncolumn_include == 0 && settings->ncolumn_exclude == 0 &&
		*settings->query_suffix == '\0';

	for (int i = 0; i < n; i++)
	{
		parts[i] = 1;
		if (may_split)
			blocks[i] = table_blocks(((ConnectJdbcTable *) list_nth(tables, i))->relid);
		if ((int64) blocks[i] * BLCKSZ < settings->split_bytes)
			blocks[i] = 0;
	}
	for (int left = max_tasks - n; left > 0; left--)
	{
		int			largest = 0;

		for (int i = 1; i < n; i++)
		{
			if (blocks[i] / parts[i] > blocks[largest] / parts[largest])
				largest = i;
		}
		if (n == 0 || blocks[largest] / parts[largest] <= CONNECT_JDBC_CHUNK_BLOCKS)
			break;
		parts[largest]++;
	}
	return parts;
}

static ConnectConfig *
task_config(const ConnectConfig *cfg, const ConnectJdbcSettings *settings,
			List *tables, int first, int n)
{
	ConnectConfig *task = connect_config_copy(cfg);
	StringInfoData names;

	initStringInfo(&names);
	for (int i = first; i < first + n; i++)
		appendStringInfo(&names, "%s%s", i > first ? "," : "",
						 connect_jdbc_table_quoted(list_nth(tables, i),
												   settings->quote));
	connect_config_set(task, "tables", names.data);
	return task;
}

/*
 * The tables in order, in runs of equal length, longer ones first; then more
 * parts of tables that have several.  The first task watches whether the list
 * changes.
 */
List *
connect_jdbc_task_configs(const ConnectConfig *cfg, int max_tasks)
{
	ConnectJdbcSettings *settings = connect_jdbc_settings(cfg);
	List	   *tables = NIL;
	List	   *result = NIL;
	int		   *parts;
	int			ntables;
	int			ntasks;
	int			next = 0;
	int			extra;

	if (settings->query == NULL)
	{
		tables = connect_jdbc_tables(settings);
		connect_jdbc_tables_check(tables);
	}
	ntables = list_length(tables);
	parts = count_parts(settings, tables, max_tasks);
	ntasks = Max(Min(ntables, max_tasks), 1);
	for (int i = 0; i < ntasks; i++)
	{
		int			n = ntables / ntasks + (i < ntables % ntasks);

		result = lappend(result, task_config(cfg, settings, tables, next, n));
		next += n;
	}
	if (settings->query == NULL)
		connect_config_set(linitial(result), "tables.digest",
						   connect_jdbc_tables_digest(tables));

	extra = ntasks;
	for (int i = 0; i < ntables && ntables == ntasks; i++)
	{
		StringInfoData members;

		if (parts[i] == 1)
			continue;
		initStringInfo(&members);
		appendStringInfo(&members, "%d", i);
		for (int part = 1; part < parts[i]; part++)
		{
			result = lappend(result, task_config(cfg, settings, tables, i, 1));
			appendStringInfo(&members, ",%d", extra++);
		}
		for (int part = 0; part < parts[i]; part++)
		{
			ConnectConfig *task = list_nth(result, part == 0 ? i :
										   extra - parts[i] + part);

			connect_config_set(task, "split.part", psprintf("%d", part));
			connect_config_set(task, "split.tasks", members.data);
		}
	}
	return result;
}

/* ---- in the task ---- */

ConnectJdbcSplit *
connect_jdbc_split_make(ConnectTask *task)
{
	const char *part = connect_config_get(task->config, "split.part");
	const char *members = connect_config_get(task->config, "split.tasks");
	const char *tables = connect_config_get(task->config, "tables");
	ConnectJdbcSplit *split;
	char	  **ids;

	if (part == NULL || members == NULL || tables == NULL)
		return NULL;
	split = palloc0(sizeof(ConnectJdbcSplit));
	split->part = atoi(part);
	ids = connect_config_split(members, &split->nparts);
	split->tasks = palloc(sizeof(int) * split->nparts);
	for (int i = 0; i < split->nparts; i++)
		split->tasks[i] = atoi(ids[i]);
	/* Tasks that still have, or have already, another split are no partners. */
	split->mine.group = hash_bytes_extended((const unsigned char *) tables,
											strlen(tables),
											hash_bytes_extended((const unsigned char *) members,
																strlen(members), 1));
	tell(split, split->part == 0 ? CLOSED : FREE);
	return split;
}

/* Tells the others, and wakes those who wait for it. */
static void
tell(ConnectJdbcSplit *split, int state)
{
	split->mine.state = state;
	connect_my_slot_share(&split->mine);
	for (int i = 0; i < split->nparts; i++)
	{
		if (i != split->part && (split->part == 0 || i == 0))
			connect_my_slot_wake_task(split->tasks[i]);
	}
}

/* False: nobody is there, or it belongs to another split. */
static bool
look(const ConnectJdbcSplit *split, int part, ConnectShare *share)
{
	return connect_task_share(split->tasks[part], share) &&
		share->group == split->mine.group;
}

/* ---- the leader ---- */

int
connect_jdbc_split_unready(const ConnectJdbcSplit *split)
{
	for (int i = 1; i < split->nparts; i++)
	{
		ConnectShare share;

		if (!look(split, i, &share) || share.state == WORKING)
			return split->tasks[i];
	}
	return -1;
}

void
connect_jdbc_split_open(ConnectJdbcSplit *split, const ConnectJdbcReader *reader)
{
	TimestampTz now = GetCurrentTimestamp();

	/* Not that of any pass before, by whichever process. */
	split->mine.pass = Max((uint64) now, split->mine.pass + 1);
	split->mine.since = reader->held_since;
	split->mine.nblocks = reader->nblocks;
	strlcpy(split->mine.snapshot, ExportSnapshot(GetActiveSnapshot()),
			sizeof(split->mine.snapshot));
	tell(split, OPEN);
}

void
connect_jdbc_split_let_go(ConnectJdbcSplit *split)
{
	if (connect_jdbc_split_is_open(split) && split->mine.state == OPEN)
		tell(split, LET_GO);
}

void
connect_jdbc_split_close(ConnectJdbcSplit *split)
{
	if (connect_jdbc_split_is_open(split))
		tell(split, CLOSED);
}

bool
connect_jdbc_split_is_open(const ConnectJdbcSplit *split)
{
	return split->part == 0 && split->mine.state != CLOSED;
}

ConnectJdbcOthers
connect_jdbc_split_others(const ConnectJdbcSplit *split, int *task)
{
	ConnectJdbcOthers result = CONNECT_JDBC_OTHERS_DONE;

	*task = -1;
	for (int i = 1; i < split->nparts; i++)
	{
		ConnectShare share;
		ConnectJdbcOthers one;

		if (!look(split, i, &share))
			one = CONNECT_JDBC_OTHERS_AWAY;
		else if (share.pass != split->mine.pass || share.state == FREE)
			one = CONNECT_JDBC_OTHERS_FREE;
		else if (share.state == REFUSED)
			one = CONNECT_JDBC_OTHERS_REFUSE;
		else if (share.state == WORKING)
			one = CONNECT_JDBC_OTHERS_WORK;
		else
			continue;
		if (one > result)
		{
			result = one;
			*task = split->tasks[i];
		}
	}
	return result;
}

/* ---- the others ---- */

bool
connect_jdbc_split_offered(const ConnectJdbcSplit *split, ConnectShare *leader)
{
	return look(split, 0, leader) && leader->state == OPEN &&
		!(leader->pass == split->mine.pass && split->mine.state != FREE);
}

void
connect_jdbc_split_join(ConnectJdbcSplit *split, const ConnectShare *leader)
{
	split->mine.pass = leader->pass;
	tell(split, WORKING);
}

bool
connect_jdbc_split_is_held(const ConnectJdbcSplit *split)
{
	ConnectShare leader;

	return look(split, 0, &leader) && leader.state == OPEN &&
		leader.pass == split->mine.pass;
}

bool
connect_jdbc_split_is_current(const ConnectJdbcSplit *split)
{
	ConnectShare leader;

	return look(split, 0, &leader) && leader.state != CLOSED &&
		leader.pass == split->mine.pass;
}

void
connect_jdbc_split_refuse(ConnectJdbcSplit *split)
{
	tell(split, REFUSED);
}

void
connect_jdbc_split_done(ConnectJdbcSplit *split)
{
	tell(split, DONE);
}

/* ---- both ---- */

void
connect_jdbc_split_leave(ConnectJdbcSplit *split)
{
	if (split->part == 0)
		connect_jdbc_split_close(split);
	else if (split->mine.state == WORKING)
		tell(split, FREE);
}
