/*
 * hooks.c
 *	  Commands of the server that our processes must make room for.
 *
 * NOTES
 *	  Runs in any backend.
 *
 *	  DROP DATABASE, ALTER DATABASE … RENAME and SET TABLESPACE, CREATE DATABASE
 *	  … TEMPLATE wait five seconds for other sessions in the database and fail.
 *	  So, once the user is known to be allowed the command, the database is
 *	  barred (nothing starts there), our processes in it are terminated, and we
 *	  wait until they have left.  The bar is lifted when the command has ended,
 *	  well or not, or at the end of the transaction that still holds the
 *	  database's lock; the launcher then starts what is to run.
 *
 *	  The extension marks its database when it is created and takes the mark
 *	  away when it is dropped, by whatever command: object access hook.
 *
 *	  Whatever else concerns running connectors (roles, COMMIT PREPARED, changed
 *	  databases) wakes them, so that they look.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_database.h"
#include "catalog/pg_extension.h"
#include "commands/dbcommands.h"
#include "commands/defrem.h"
#include "commands/extension.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "runtime/hooks.h"
#include "runtime/label.h"
#include "runtime/slot.h"

/* The server itself would wait that long. */
#define LEAVE_TIMEOUT_MS 5000
#define LEAVE_STEP_MS 5

static ProcessUtility_hook_type previous_utility = NULL;
static object_access_hook_type previous_object_access = NULL;

/* Databases that this backend has barred, in TopMemoryContext: a bar must be
 * lifted after any error. */
static List *barred = NIL;
static bool lift_at_end = false;	/* the command has ended */

/* ---- bars ---- */

static void
lift_bars(void)
{
	ListCell   *lc;

	if (barred == NIL)
		return;
	LWLockAcquire(connect_slot_lock(), LW_EXCLUSIVE);
	foreach(lc, barred)
	{
		ConnectDatabaseSlot *db = connect_database_slot_find(lfirst_oid(lc));

		if (db && db->barred > 0)
			db->barred--;
	}
	LWLockRelease(connect_slot_lock());
	list_free(barred);
	barred = NIL;
	lift_at_end = false;
	connect_static_wake(CONNECT_LAUNCHER);
}

static void
lift_at_exit(int code, Datum arg)
{
	lift_bars();
}

static void
lift_at_xact_end(XactEvent event, void *arg)
{
	/*
	 * Some commands commit in the middle of their work: not the end of it.
	 */
	if (lift_at_end && (event == XACT_EVENT_COMMIT ||
						event == XACT_EVENT_ABORT ||
						event == XACT_EVENT_PREPARE))
		lift_bars();
}

/* Terminates our processes in the database; gives their pids. */
static int
expel(Oid database, pid_t *pids)
{
	int			npids = 0;
	ConnectDatabaseSlot *db;

	LWLockAcquire(connect_slot_lock(), LW_SHARED);
	db = connect_database_slot_find(database);
	if (db && db->coordinator != 0)
		pids[npids++] = db->coordinator;
	for (int i = 0; i < connect_slot_count(); i++)
	{
		ConnectSlot *slot = connect_slot_at(i);

		if (slot->in_use && slot->database == database && slot->task >= 0 &&
			slot->pid != 0)
			pids[npids++] = slot->pid;
	}
	/* Under the lock, so that each pid is still that process. */
	for (int i = 0; i < npids; i++)
		kill(pids[i], SIGTERM);
	LWLockRelease(connect_slot_lock());
	return npids;
}

/*
 * Bars the database and waits until our processes have left it.  If one does
 * not leave in time the command itself reports who is in its way.
 */
static void
bar(Oid database)
{
	static uint32 wait_event = 0;
	static bool registered = false;
	ConnectDatabaseSlot *db;
	MemoryContext old;
	TimestampTz until;
	pid_t	   *pids;
	int			npids;

	LWLockAcquire(connect_slot_lock(), LW_SHARED);
	db = connect_database_slot_find(database);
	LWLockRelease(connect_slot_lock());
	if (db == NULL && !connect_label_is_set(database))
		return;					/* nothing of ours runs or will start there */

	if (!registered)
	{
		RegisterXactCallback(lift_at_xact_end, NULL);
		before_shmem_exit(lift_at_exit, (Datum) 0);
		registered = true;
	}

	pids = palloc_array(pid_t, 2 * connect_max_tasks + 1);
	old = MemoryContextSwitchTo(TopMemoryContext);
	barred = lappend_oid(barred, database);
	MemoryContextSwitchTo(old);
	lift_at_end = false;

	LWLockAcquire(connect_slot_lock(), LW_EXCLUSIVE);
	db = connect_database_slot_find(database);
	if (db == NULL)
		db = connect_database_slot_reserve(database);
	if (db)
		db->barred++;
	LWLockRelease(connect_slot_lock());

	npids = expel(database, pids);
	until = TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
										LEAVE_TIMEOUT_MS);
	while (npids > 0 && GetCurrentTimestamp() < until)
	{
		if (!connect_pid_is_live(pids[npids - 1]))
		{
			npids--;
			continue;
		}
		(void) WaitLatch(MyLatch,
						 WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
						 LEAVE_STEP_MS,
						 connect_wait_event(&wait_event, "ConnectDatabaseLeave"));
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
	pfree(pids);
}

/* ---- which database a command needs for itself ---- */

/* The server's own check of this is not exported by every minor release. */
static bool
may_create_databases(void)
{
	HeapTuple	tuple;
	bool		allowed = superuser();

	if (!allowed)
	{
		tuple = SearchSysCache1(AUTHOID, ObjectIdGetDatum(GetUserId()));
		if (HeapTupleIsValid(tuple))
		{
			allowed = ((Form_pg_authid) GETSTRUCT(tuple))->rolcreatedb;
			ReleaseSysCache(tuple);
		}
	}
	return allowed;
}

static bool
is_template(Oid database)
{
	HeapTuple	tuple = SearchSysCache1(DATABASEOID,
										ObjectIdGetDatum(database));
	bool		result = false;

	if (HeapTupleIsValid(tuple))
	{
		result = ((Form_pg_database) GETSTRUCT(tuple))->datistemplate;
		ReleaseSysCache(tuple);
	}
	return result;
}

static const char *
option(List *options, const char *name)
{
	ListCell   *lc;

	foreach(lc, options)
	{
		DefElem    *def = lfirst_node(DefElem, lc);

		if (strcmp(def->defname, name) == 0 && def->arg != NULL)
			return defGetString(def);
	}
	return NULL;
}

/*
 * The database that stmt is about, if it is one of these commands and the user
 * may run it; InvalidOid else: the command itself says what is wrong.
 */
static Oid
database_to_empty(Node *stmt, bool top_level)
{
	Oid			database = InvalidOid;
	bool		allowed = false;
	bool		needs_no_block = true;
	bool		may_be_mine = false;

	if (IsA(stmt, DropdbStmt))
	{
		database = get_database_oid(castNode(DropdbStmt, stmt)->dbname, true);
		allowed = OidIsValid(database) &&
			connect_database_ownercheck(database, GetUserId()) &&
			!is_template(database);
	}
	else if (IsA(stmt, RenameStmt) &&
			 castNode(RenameStmt, stmt)->renameType == OBJECT_DATABASE)
	{
		RenameStmt *rename = castNode(RenameStmt, stmt);

		database = get_database_oid(rename->subname, true);
		allowed = OidIsValid(database) &&
			connect_database_ownercheck(database, GetUserId()) &&
			may_create_databases() &&
			!OidIsValid(get_database_oid(rename->newname, true));
		needs_no_block = false;
	}
	else if (IsA(stmt, AlterDatabaseStmt) &&
			 option(castNode(AlterDatabaseStmt, stmt)->options, "tablespace"))
	{
		database = get_database_oid(castNode(AlterDatabaseStmt, stmt)->dbname,
									true);
		allowed = OidIsValid(database) &&
			connect_database_ownercheck(database, GetUserId());
	}
	else if (IsA(stmt, CreatedbStmt))
	{
		CreatedbStmt *create = castNode(CreatedbStmt, stmt);
		const char *template = option(create->options, "template");

		database = get_database_oid(template ? template : "template1", true);
		may_be_mine = true;
		allowed = OidIsValid(database) && may_create_databases() &&
			(is_template(database) ||
			 connect_database_ownercheck(database, GetUserId())) &&
			!OidIsValid(get_database_oid(create->dbname, true));
	}

	if (!allowed || (database == MyDatabaseId && !may_be_mine) ||
		(needs_no_block && (!top_level || IsTransactionBlock())))
		return InvalidOid;
	return database;
}

/* ---- the hooks ---- */

static void
before_command(Node *stmt, bool top_level)
{
	Oid			database = database_to_empty(stmt, top_level);

	if (OidIsValid(database))
		bar(database);
	if (IsA(stmt, AlterDatabaseStmt))
		connect_wake_launcher_at_commit();	/* connections, template */
	if (IsA(stmt, AlterRoleStmt) ||
		(IsA(stmt, GrantStmt) &&
		 castNode(GrantStmt, stmt)->objtype == OBJECT_DATABASE) ||
		(IsA(stmt, RenameStmt) &&
		 castNode(RenameStmt, stmt)->renameType == OBJECT_ROLE))
		connect_wake_everyone_at_commit();
}

static void
utility(PlannedStmt *pstmt, const char *query, bool read_only_tree,
		ProcessUtilityContext context, ParamListInfo params,
		QueryEnvironment *env, DestReceiver *dest, QueryCompletion *qc)
{
	Node	   *stmt = pstmt->utilityStmt;
	bool		commits_prepared = IsA(stmt, TransactionStmt) &&
		castNode(TransactionStmt, stmt)->kind == TRANS_STMT_COMMIT_PREPARED;

	PG_TRY();
	{
		if (!IsA(stmt, TransactionStmt))
			before_command(stmt, context == PROCESS_UTILITY_TOPLEVEL);

		if (previous_utility)
			previous_utility(pstmt, query, read_only_tree, context, params,
							 env, dest, qc);
		else
			standard_ProcessUtility(pstmt, query, read_only_tree, context,
									params, env, dest, qc);
	}
	PG_FINALLY();
	{
		/* The transaction may still hold the database's lock. */
		lift_at_end = barred != NIL;
	}
	PG_END_TRY();

	/* Its wake-ups were known to the session that prepared it alone. */
	if (commits_prepared)
		connect_wake_database(MyDatabaseId);
}

/* Not yet visible to the command that creates it. */
static bool
is_our_extension(Oid oid)
{
	Relation	rel = table_open(ExtensionRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		result;

	ScanKeyInit(&key, Anum_pg_extension_oid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(oid));
	scan = systable_beginscan(rel, ExtensionOidIndexId, true, SnapshotSelf, 1,
							  &key);
	tuple = systable_getnext(scan);
	result = HeapTupleIsValid(tuple) &&
		strcmp(NameStr(((Form_pg_extension) GETSTRUCT(tuple))->extname),
			   "connect") == 0;
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return result;
}

static void
object_access(ObjectAccessType access, Oid class, Oid object, int sub,
			  void *arg)
{
	if (previous_object_access)
		previous_object_access(access, class, object, sub, arg);

	if (class == ExtensionRelationId && is_our_extension(object))
	{
		if (access == OAT_POST_CREATE)
			connect_label_set(true);
		else if (access == OAT_DROP)
			connect_label_set(false);
		else if (access == OAT_POST_ALTER)
			connect_wake_coordinator_at_commit();
	}
	else if (class == AuthIdRelationId && access == OAT_DROP)
		connect_wake_everyone_at_commit();
}

void
connect_hooks_init(void)
{
	previous_utility = ProcessUtility_hook;
	ProcessUtility_hook = utility;
	previous_object_access = object_access_hook;
	object_access_hook = object_access;
}
