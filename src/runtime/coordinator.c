/*
 * coordinator.c
 *	  The coordinator of a database: makes the slots agree with the catalog.
 *
 * NOTES
 *	  A dynamic worker, started by the launcher, connected as the bootstrap
 *	  superuser.  It sleeps until its latch is set: a commit that changed the
 *	  catalog (the database's slot is "dirty" then), the end of a task.  Timers
 *	  run only while something waits for its next try or is asked to leave.
 *
 *	  In each turn it reads the catalog if that is dirty, then looks at each
 *	  connector, then at each task, and does the next thing that brings the slot
 *	  nearer to what is wanted.  All it knows is in the catalog and in the slots,
 *	  so that another coordinator can go on from any point:
 *
 *		no process:	 start it, unless FAILED or start_after is to come
 *		starting:	 registered; the process clears the flag when it claims the
 *					 slot.  If it ended before: count a failure
 *		process:	 tell it PAUSED or RUNNING.  If its configuration has
 *					 changed, a restart is requested or it is not wanted any
 *					 more: ask it to leave (wanted = STOPPED), later terminate
 *					 it, later still give it up: the next generation replaces
 *					 it, and it leaves when it sees that
 *		lost:		 the process has ended without an outcome: back-off
 *
 *	  One connector's error (task_configs() raises, its owner is gone) is kept
 *	  in that connector's slot and leaves the others alone.
 *
 *	  Takes connect_slot_lock() exclusively, for short; never while it
 *	  registers a worker or is in a transaction's statements.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_authid.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "catalog/catalog.h"
#include "compat.h"
#include "runtime/errors.h"
#include "runtime/slot.h"
#include "runtime/split.h"
#include "runtime/worker.h"
#include "runtime/xact.h"

/* A task that lived this long was healthy. */
#define HEALTHY_MS 60000
/* Until the next try for what others free unseen: workers, slots, locks. */
#define RETRY_MS 1000

/* A connector as the catalog wants it. */
typedef struct Connector
{
	ConnectConnectorRow *row;
	List	   *tasks;			/* of ConnectTaskRow */
	bool		nologin;		/* the owner may not log in */
	bool		may_connect;	/* the owner may connect to this database */
	bool		runs;			/* its tasks shall have processes */
	bool		is_split;		/* tasks are those of row->version */
} Connector;

static MemoryContext catalog_context = NULL;
static List *connectors = NIL;	/* of Connector, in catalog_context */
static TimestampTz wakeup_at = 0;	/* of this turn; 0 = none */

/* By index of the slot; NULL = not started by this process. */
static BackgroundWorkerHandle **handles = NULL;

static void
wake_at(TimestampTz when)
{
	if (wakeup_at == 0 || when < wakeup_at)
		wakeup_at = when;
}

static int
slot_index(const ConnectSlot *slot)
{
	return slot - connect_slot_at(0);
}

/* ---- reading the catalog ---- */

static Connector *
make_connector(ConnectConnectorRow *row)
{
	Connector  *connector = palloc0_object(Connector);
	HeapTuple	tuple;

	connector->row = row;
	connector->tasks = connect_catalog_tasks(row->id);
	tuple = SearchSysCache1(AUTHOID, ObjectIdGetDatum(row->owner));
	if (HeapTupleIsValid(tuple))
	{
		connector->nologin =
			!((Form_pg_authid) GETSTRUCT(tuple))->rolcanlogin;
		connector->may_connect =
			connect_database_may_connect(MyDatabaseId, row->owner);
		ReleaseSysCache(tuple);
	}
	else
		row->owner_exists = false;
	return connector;
}

/*
 * Reads what is wanted, in one transaction and with one snapshot.  False: the
 * extension that this process serves has gone; *replaced: another is here.
 * *reason is set if nothing can run.
 */
static bool
read_catalog_xact(const char **reason, bool *replaced)
{
	bool		exists;

	MemoryContextReset(catalog_context);
	connectors = NIL;
	*reason = NULL;

	connect_xact_begin_bare();
	exists = connect_xact_lock_extension();
	*replaced = !exists && connect_catalog_exists();
	if (exists)
	{
		char	   *version;

		XactIsoLevel = XACT_REPEATABLE_READ;
		PushActiveSnapshot(GetTransactionSnapshot());
		MemoryContextSwitchTo(catalog_context);
		version = connect_catalog_version();
		if (!connect_enabled)
			*reason = "connect.enabled is off";
		else if (strcmp(version, CONNECT_VERSION) != 0)
			*reason = psprintf("the extension's SQL objects are of version %s, the library of version %s: run ALTER EXTENSION connect UPDATE, or install the library and restart the server",
							   version, CONNECT_VERSION);
		else
		{
			ListCell   *lc;

			foreach(lc, connect_catalog_connectors())
				connectors = lappend(connectors, make_connector(lfirst(lc)));
		}
	}
	connect_xact_commit();
	return exists;
}

/* ---- connectors ---- */

/* Keeps the state of a connector for the time after this process. */
static void
save_state_xact(int64 id, ConnectState state, const char *reason,
				const char *trace)
{
	MemoryContext caller = CurrentMemoryContext;

	PG_TRY();
	{
		connect_xact_begin();
		connect_catalog_save_state(id, -1, state, reason, trace);
		connect_xact_commit();
	}
	PG_CATCH();
	{
		/* The slot has it, and the connector may just have been dropped. */
		MemoryContextSwitchTo(caller);
		EmitErrorReport();
		FlushErrorState();
		connect_xact_abort();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(caller);
}

static void
set_connector_state(ConnectSlot *slot, ConnectState state, const char *reason)
{
	bool		changed;

	LWLockAcquire(connect_slot_lock(), LW_EXCLUSIVE);
	changed = slot->state != state || strcmp(slot->reason, reason) != 0;
	connect_slot_set_state(slot, state, reason);
	LWLockRelease(connect_slot_lock());
	if (changed)
		ConditionVariableBroadcast(connect_slot_changed());
}

/* Why it may not run at all; NULL if it may. */
static const char *
find_obstacle(const Connector *connector, ConnectState *state)
{
	const ConnectConnectorRow *row = connector->row;

	*state = CONNECT_FAILED;
	if (row->foreign)
	{
		*state = CONNECT_STOPPED;
		return "restored or copied from another database: connect_adopt() takes it on";
	}
	if (!row->owner_exists)
		return psprintf("role \"%s\", its owner, does not exist: connect_alter_owner() gives it another",
						row->owner_name);
	if (!connector->may_connect)
		return psprintf("role \"%s\", its owner, has no CONNECT privilege on this database",
						row->owner_name);
	return NULL;
}

/* Tries again what task_configs() was asked for, unless that is to come. */
static void
split_connector(Connector *connector, ConnectSlot *slot)
{
	ConnectConnectorRow *row = connector->row;
	ErrorData  *error = NULL;

	LWLockAcquire(connect_slot_lock(), LW_EXCLUSIVE);
	if (slot->config_version != row->version ||
		slot->restarts != row->restarts)
	{
		slot->failures = 0;
		slot->is_failed_by_task = slot->is_failure_new = false;
	}
	slot->config_version = row->version;
	slot->restarts = row->restarts;
	slot->reconfigure = false;
	slot->splitting = true;
	LWLockRelease(connect_slot_lock());

	if (connect_split_xact(row, false, &connector->tasks, catalog_context,
						   &error))
	{
		LWLockAcquire(connect_slot_lock(), LW_EXCLUSIVE);
		slot->splitting = false;
		slot->failures = 0;
		slot->start_after = 0;
		LWLockRelease(connect_slot_lock());
		if (slot->state == CONNECT_FAILED)
			save_state_xact(row->id, row->target, NULL, NULL);
		if (!slot->is_failed_by_task)
			set_connector_state(slot, row->target, "");
	}
	else
	{
		char	   *reason = connect_errors_reason(error);

		LWLockAcquire(connect_slot_lock(), LW_EXCLUSIVE);
		slot->splitting = false;
		slot->failures++;
		slot->start_after = connect_worker_backoff(slot->failures);
		LWLockRelease(connect_slot_lock());

		/* A user's lock, or the like, is no failure of the connector. */
		if (error->sqlerrcode != ERRCODE_LOCK_NOT_AVAILABLE)
		{
			if (slot->failures == 1)
			{
				ereport(LOG,
						(errmsg("connector \"%s\" has failed: %s", row->name,
								reason)));
				save_state_xact(row->id, CONNECT_FAILED, reason,
								connect_errors_trace(error));
			}
			set_connector_state(slot, CONNECT_FAILED, reason);
		}
	}
}

/* Has one of its tasks asked for a new split? */
static bool
take_reconfigure(const Connector *connector)
{
	bool		result = false;

	LWLockAcquire(connect_slot_lock(), LW_EXCLUSIVE);
	for (int i = 0; i < connect_slot_count(); i++)
	{
		ConnectSlot *slot = connect_slot_at(i);

		if (slot->in_use && slot->database == MyDatabaseId &&
			slot->connector_id == connector->row->id && slot->reconfigure)
		{
			slot->reconfigure = false;
			result = true;
		}
	}
	LWLockRelease(connect_slot_lock());
	return result;
}

/* One of its tasks says that the connector has failed. */
static void
note_failure(const Connector *connector, ConnectSlot *slot)
{
	char		reason[CONNECT_TEXT_LEN];
	bool		is_new;

	LWLockAcquire(connect_slot_lock(), LW_EXCLUSIVE);
	is_new = slot->is_failure_new;
	slot->is_failure_new = false;
	strlcpy(reason, slot->reason, sizeof(reason));
	LWLockRelease(connect_slot_lock());
	if (!is_new)
		return;
	ereport(LOG,
			(errmsg("connector \"%s\" has failed: %s", connector->row->name,
					reason)));
	save_state_xact(connector->row->id, CONNECT_FAILED, reason, reason);
}

/* A connector that is stopped has no tasks. */
static void
stop_connector(Connector *connector, ConnectSlot *slot)
{
	ErrorData  *error;

	if (connector->tasks != NIL &&
		!connect_split_xact(connector->row, true, &connector->tasks,
							catalog_context, &error))
	{
		/* Somebody holds a lock on them, or the connector is being dropped. */
		wake_at(TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
											RETRY_MS));
	}
	LWLockAcquire(connect_slot_lock(), LW_EXCLUSIVE);
	slot->config_version = 0;	/* split anew when it resumes */
	slot->restarts = connector->row->restarts;
	slot->failures = 0;
	slot->is_failed_by_task = slot->is_failure_new = false;
	LWLockRelease(connect_slot_lock());
	set_connector_state(slot, CONNECT_STOPPED, "");
}

/*
 * Caller holds the lock exclusively.  A connector that is stopped can do
 * without a slot: it gives it to one that is not.
 */
static ConnectSlot *
reserve_connector(const ConnectConnectorRow *row)
{
	ConnectSlot *slot = connect_slot_reserve(MyDatabaseId, row->id, -1);

	for (int i = 0; slot == NULL && row->target != CONNECT_STOPPED &&
		 i < connect_slot_count(); i++)
	{
		ConnectSlot *other = connect_slot_at(i);

		if (other->in_use && other->database == MyDatabaseId &&
			other->task < 0 && other->state == CONNECT_STOPPED)
		{
			connect_slot_free(other);
			slot = connect_slot_reserve(MyDatabaseId, row->id, -1);
		}
	}
	return slot;
}

static void
look_at_connector(Connector *connector)
{
	ConnectConnectorRow *row = connector->row;
	ConnectSlot *slot;
	const char *obstacle;
	ConnectState state;
	bool		reconfigure;

	connector->runs = false;
	LWLockAcquire(connect_slot_lock(), LW_EXCLUSIVE);
	slot = connect_slot_find(MyDatabaseId, row->id, -1);
	if (slot == NULL)
		slot = reserve_connector(row);
	if (slot)
	{
		slot->pid = MyProcPid;
		slot->owner = row->owner;
		strlcpy(slot->connector, row->name, sizeof(slot->connector));
		if (slot->splitting)
		{
			/* That was the end of the coordinator before this one. */
			slot->splitting = false;
			slot->failures++;
			slot->start_after = connect_worker_backoff(slot->failures);
			connect_slot_set_state(slot, CONNECT_FAILED,
								   "its class did not say in time how to split its work");
		}
	}
	LWLockRelease(connect_slot_lock());
	if (slot == NULL)
	{
		/* The view says why: see status.c. */
		if (row->target != CONNECT_STOPPED)
			wake_at(TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
												RETRY_MS));
		return;
	}

	obstacle = find_obstacle(connector, &state);
	if (obstacle)
	{
		if (state == CONNECT_FAILED && strcmp(slot->reason, obstacle) != 0)
			save_state_xact(row->id, state, obstacle, NULL);
		LWLockAcquire(connect_slot_lock(), LW_EXCLUSIVE);
		slot->config_version = 0;
		LWLockRelease(connect_slot_lock());
		set_connector_state(slot, state, obstacle);
		return;
	}
	if (row->target == CONNECT_STOPPED)
	{
		stop_connector(connector, slot);
		return;
	}

	connector->runs = true;
	reconfigure = take_reconfigure(connector);
	if (reconfigure || slot->config_version != row->version ||
		slot->restarts != row->restarts ||
		(slot->failures > 0 && slot->start_after <= GetCurrentTimestamp()))
		split_connector(connector, slot);
	else if (slot->is_failed_by_task)
		note_failure(connector, slot);
	else if (slot->failures == 0)
		set_connector_state(slot, row->target, "");
	connector->is_split = slot->failures == 0;
	if (slot->failures > 0)
		wake_at(slot->start_after);
}

/* ---- tasks ---- */

/* Caller holds the lock.  Brings the process nearer to its end. */
static void
dismiss(ConnectSlot *slot, bool again)
{
	TimestampTz now = GetCurrentTimestamp();

	if (slot->stop_by == 0)
	{
		slot->wanted = CONNECT_STOPPED;
		slot->stop_by = TimestampTzPlusMilliseconds(now, connect_shutdown_timeout);
		slot->terminated = false;
		if (again)
			connect_slot_set_state(slot, CONNECT_RESTARTING, NULL);
		connect_slot_set_latch(slot);
	}
	else if (slot->stop_by <= now && !slot->terminated)
	{
		slot->terminated = true;
		slot->stop_by = TimestampTzPlusMilliseconds(now, connect_shutdown_timeout);
		kill(slot->pid, SIGTERM);
	}
	else if (slot->stop_by <= now)
	{
		/* It does not even answer SIGTERM: replaced by the next generation. */
		slot->pid = 0;
		slot->stop_by = 0;
		slot->generation++;
		return;
	}
	wake_at(slot->stop_by);
}

/* Caller holds the lock.  What became of the process that was started? */
static void
settle(ConnectSlot *slot)
{
	BackgroundWorkerHandle *handle = handles[slot_index(slot)];
	TimestampTz now = GetCurrentTimestamp();
	pid_t		pid;

	if (slot->starting &&
		(handle == NULL || GetBackgroundWorkerPid(handle, &pid) == BGWH_STOPPED))
	{
		slot->starting = false;
		slot->lost = true;
		slot->generation++;
		connect_slot_set_state(slot, CONNECT_UNASSIGNED,
							   "the process ended before it began");
	}
	if (slot->pid == 0)
		slot->stop_by = 0;
	if (slot->lost)
	{
		slot->lost = false;
		if (TimestampDifferenceExceeds(slot->started, now, HEALTHY_MS))
			slot->failures = 0;
		slot->failures++;
		slot->start_after = connect_worker_backoff(slot->failures);
	}
}

static void
start_task(const Connector *connector, const ConnectTaskRow *task,
		   ConnectSlot *slot)
{
	int			index = slot_index(slot);
	ConnectWorkerArgs args = {
		.database = MyDatabaseId,
		.slot = index,
		.generation = slot->generation,
	};

	if (handles[index])
		pfree(handles[index]);
	handles[index] = NULL;
	if (!connect_worker_register(CONNECT_WORKER_TASK, &args,
								 psprintf("%s-%d", connector->row->name,
										  task->task),
								 &handles[index]))
	{
		TimestampTz again = TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
														RETRY_MS);
		char		reason[CONNECT_TEXT_LEN];

		snprintf(reason, sizeof(reason),
				 "no free background worker; raise max_worker_processes, now %d",
				 max_worker_processes);
		if (strcmp(slot->reason, reason) != 0)
			ereport(WARNING,
					(errcode(ERRCODE_INSUFFICIENT_RESOURCES),
					 errmsg("no free background worker for task %d of connector \"%s\"",
							task->task, connector->row->name),
					 errhint("Raise max_worker_processes, now %d.",
							 max_worker_processes)));
		LWLockAcquire(connect_slot_lock(), LW_EXCLUSIVE);
		slot->starting = false;
		slot->start_after = again;
		connect_slot_set_state(slot, CONNECT_UNASSIGNED, reason);
		LWLockRelease(connect_slot_lock());
		ConditionVariableBroadcast(connect_slot_changed());
		wake_at(again);
	}
}

/* Caller holds the lock.  True: a process is to be registered. */
static bool
decide(const Connector *connector, const ConnectTaskRow *task,
	   ConnectSlot *slot)
{
	const ConnectConnectorRow *row = connector->row;
	bool		stale;

	settle(slot);
	stale = (connector->is_split && slot->config_version != row->version) ||
		slot->task_version != task->config_version ||
		slot->restarts != task->restarts || slot->owner != row->owner;
	if (slot->pid != 0)
	{
		if (stale || slot->stop_by != 0)
			dismiss(slot, true);
		else if (slot->wanted != row->target)
		{
			slot->wanted = row->target;
			connect_slot_set_latch(slot);
		}
		if (slot->pid != 0)
			return false;
	}
	if (slot->starting)
	{
		if (!stale)
		{
			slot->wanted = row->target;
			return false;
		}
		slot->generation++;		/* the one that starts leaves at once */
	}
	if (stale)
	{
		slot->failures = 0;
		slot->start_after = 0;
	}
	else if (slot->state == CONNECT_FAILED)
		return false;
	if (slot->start_after > GetCurrentTimestamp())
	{
		wake_at(slot->start_after);
		return false;
	}

	if (connector->is_split)
		slot->config_version = row->version;
	slot->task_version = task->config_version;
	slot->restarts = task->restarts;
	slot->owner = row->owner;
	slot->owner_nologin = connector->nologin;
	slot->wanted = row->target;
	slot->generation++;
	slot->starting = true;
	slot->started = GetCurrentTimestamp();
	if (slot->state == CONNECT_FAILED)
		connect_slot_set_state(slot, CONNECT_RESTARTING, NULL);
	return true;
}

static void
look_at_task(const Connector *connector, const ConnectTaskRow *task)
{
	ConnectSlot *slot;
	bool		start = false;

	LWLockAcquire(connect_slot_lock(), LW_EXCLUSIVE);
	slot = connect_slot_find(MyDatabaseId, connector->row->id, task->task);
	if (slot == NULL)
	{
		slot = connect_slot_reserve(MyDatabaseId, connector->row->id,
									task->task);
		if (slot)
			strlcpy(slot->connector, connector->row->name,
					sizeof(slot->connector));
	}
	if (slot)
		start = decide(connector, task, slot);
	LWLockRelease(connect_slot_lock());

	if (slot == NULL)
		wake_at(TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
											RETRY_MS));
	else if (start)
		start_task(connector, task, slot);
}

/* Caller holds the lock. */
static bool
is_wanted(const ConnectSlot *slot)
{
	ListCell   *lc;

	foreach(lc, connectors)
	{
		const Connector *connector = lfirst(lc);

		if (connector->row->id == slot->connector_id)
			return slot->task < 0 ||
				(connector->runs &&
				 slot->task < list_length(connector->tasks));
	}
	return false;
}

/* Slots of tasks and connectors that are not wanted any more.  Their number. */
static int
clear_unwanted(void)
{
	int			left = 0;

	LWLockAcquire(connect_slot_lock(), LW_EXCLUSIVE);
	for (int i = 0; i < connect_slot_count(); i++)
	{
		ConnectSlot *slot = connect_slot_at(i);

		if (!slot->in_use || slot->database != MyDatabaseId || is_wanted(slot))
			continue;
		if (slot->task >= 0 && slot->pid != 0)
			dismiss(slot, false);
		if (slot->task >= 0 && slot->pid != 0)
			left++;
		else
			connect_slot_free(slot);
	}
	LWLockRelease(connect_slot_lock());
	ConditionVariableBroadcast(connect_slot_changed());
	return left;
}

/* ---- the process ---- */

static ConnectDatabaseSlot *
my_database_slot(void)
{
	ConnectDatabaseSlot *db = connect_database_slot_find(MyDatabaseId);

	/* The slot stays while a live coordinator stands in it. */
	Assert(db != NULL && db->coordinator == MyProcPid);
	return db;
}

static bool
take_dirty(void)
{
	ConnectDatabaseSlot *db;
	bool		dirty;
	bool		roles_changed;

	LWLockAcquire(connect_slot_lock(), LW_EXCLUSIVE);
	db = my_database_slot();
	dirty = db->dirty;
	roles_changed = db->roles_changed;
	db->dirty = db->roles_changed = false;
	LWLockRelease(connect_slot_lock());

	/*
	 * A transaction wakes us before it sends its invalidation messages.  Our
	 * tables and the extension are protected by their locks; roles have none.
	 */
	if (roles_changed)
		InvalidateSystemCaches();
	return dirty;
}

static void
mark_dirty(void)
{
	LWLockAcquire(connect_slot_lock(), LW_EXCLUSIVE);
	my_database_slot()->dirty = true;
	LWLockRelease(connect_slot_lock());
}

static void
show_ready(const char *reason)
{
	ConnectDatabaseSlot *db;

	LWLockAcquire(connect_slot_lock(), LW_EXCLUSIVE);
	db = my_database_slot();
	db->ready = true;
	db->failures = 0;
	connect_text_copy(db->reason, reason);
	LWLockRelease(connect_slot_lock());
	ConditionVariableBroadcast(connect_slot_changed());
}

/*
 * The extension has gone: so do the tasks, at once, and this process.  If it
 * was created anew the launcher starts the next coordinator.
 */
static void
leave(bool replaced)
{
	static uint32 wait_event = 0;

	LWLockAcquire(connect_slot_lock(), LW_EXCLUSIVE);
	for (int i = 0; i < connect_slot_count(); i++)
	{
		ConnectSlot *slot = connect_slot_at(i);

		if (slot->in_use && slot->database == MyDatabaseId &&
			slot->task >= 0 && slot->pid != 0)
		{
			slot->wanted = CONNECT_STOPPED;
			slot->stop_by = TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
														connect_shutdown_timeout);
			slot->terminated = true;
			kill(slot->pid, SIGTERM);
		}
	}
	LWLockRelease(connect_slot_lock());

	wakeup_at = 0;
	while (clear_unwanted() > 0)
	{
		connect_worker_sleep(wakeup_at,
							 connect_wait_event(&wait_event, "ConnectCoordinatorLeave"));
		connect_worker_check();
		wakeup_at = 0;
	}

	LWLockAcquire(connect_slot_lock(), LW_EXCLUSIVE);
	my_database_slot()->absent = !replaced && !my_database_slot()->dirty;
	LWLockRelease(connect_slot_lock());
	proc_exit(0);
}

static void
coordinator_turn(void)
{
	ListCell   *lc;

	wakeup_at = 0;
	if (take_dirty())
	{
		const char *reason;
		bool		replaced;

		if (!read_catalog_xact(&reason, &replaced))
			leave(replaced);
		show_ready(reason);
	}

	/* Those that were stopped or dropped first: they free workers. */
	foreach(lc, connectors)
		look_at_connector(lfirst(lc));
	if (clear_unwanted() == 0 && !connect_enabled)
		proc_exit(0);
	foreach(lc, connectors)
	{
		Connector  *connector = lfirst(lc);
		ListCell   *task;

		if (!connector->runs)
			continue;
		foreach(task, connector->tasks)
			look_at_task(connector, lfirst(task));
	}
}

void
connect_coordinator_main(Datum arg)
{
	static uint32 wait_event = 0;
	const ConnectWorkerArgs *args = connect_worker_begin();
	MemoryContext turn;

	if (!connect_my_database_slot_attach(args->database, args->generation))
		proc_exit(0);
	connect_worker_connect(args->database, InvalidOid, false);

	handles = palloc0_array(BackgroundWorkerHandle *, 2 * connect_max_tasks);
	catalog_context = AllocSetContextCreate(connect_worker_context,
											"Connect catalog",
											ALLOCSET_DEFAULT_SIZES);
	turn = AllocSetContextCreate(connect_worker_context, "Connect turn",
								 ALLOCSET_DEFAULT_SIZES);
	for (;;)
	{
		bool		enabled = connect_enabled;

		connect_worker_check();
		if (enabled != connect_enabled)
			mark_dirty();
		MemoryContextSwitchTo(turn);
		coordinator_turn();
		MemoryContextReset(turn);
		connect_worker_sleep(wakeup_at,
							 connect_wait_event(&wait_event, "ConnectCoordinatorMain"));
	}
}
