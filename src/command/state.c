/*
 * state.c
 *	  Commands that pause, resume, stop, restart and wait.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/condition_variable.h"
#include "utils/timestamp.h"

#include "catalog/command.h"
#include "command/command.h"
#include "compat.h"
#include "runtime/slot.h"

static ConnectState slot_state(const ConnectConnectorRow *row, int task,
							   bool *live);
static bool has_reached(const ConnectConnectorRow *row, ConnectState state);

void
connect_command_set_target(const char *name, ConnectState target)
{
	static const char *const changes[] = {
		[CONNECT_RUNNING] = "resume",
		[CONNECT_PAUSED] = "pause",
		[CONNECT_STOPPED] = "stop"
	};
	ConnectConnectorRow *row = connect_command_lock(name, false);

	if (row->target == target)
		return;
	row->target = target;
	connect_connector_update(row);
	connect_history_add(row, NULL, changes[target]);
	connect_wake_coordinator_at_commit();
}

void
connect_command_restart(const char *name, bool include_tasks, bool only_failed)
{
	ConnectConnectorRow *row = connect_command_lock(name, false);
	bool		live;

	if (!only_failed || slot_state(row, -1, &live) == CONNECT_FAILED)
	{
		row->restarts++;
		connect_connector_update(row);
	}
	if (include_tasks)
	{
		ListCell   *lc;

		foreach(lc, connect_catalog_tasks(row->id))
		{
			ConnectTaskRow *task = lfirst(lc);

			if (!only_failed ||
				slot_state(row, task->task, &live) == CONNECT_FAILED)
				connect_task_restart_request(row->id, task->task);
		}
	}
	connect_wake_coordinator_at_commit();
}

void
connect_command_restart_task(const char *name, int task, bool only_failed)
{
	ConnectConnectorRow *row = connect_command_lock(name, false);
	bool		live;

	if (row->target == CONNECT_STOPPED)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("connector \"%s\" is stopped and has no tasks", name),
				 errhint("Start it with connect_resume().")));
	if (only_failed && slot_state(row, task, &live) != CONNECT_FAILED)
		return;
	if (!connect_task_restart_request(row->id, task))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("connector \"%s\" has no task %d", name, task)));
	connect_wake_coordinator_at_commit();
}

ConnectState
connect_command_state(const ConnectConnectorRow *row)
{
	bool		live;
	ConnectState state = slot_state(row, -1, &live);

	if (live)
		return state;
	if (row->foreign || row->target == CONNECT_STOPPED)
		return CONNECT_STOPPED;
	return CONNECT_UNASSIGNED;
}

/*
 * Wanted to be stopped, and known to be: none of its tasks is alive, and the
 * coordinator, if there is one, will start none.
 */
bool
connect_command_is_stopped(const ConnectConnectorRow *row)
{
	ConnectDatabaseSlot *db;
	bool		acknowledged;
	bool		live = false;

	if (row->target != CONNECT_STOPPED && !row->foreign)
		return false;

	LWLockAcquire(connect_slot_lock(), LW_SHARED);
	db = connect_database_slot_find(MyDatabaseId);
	acknowledged = db == NULL || db->coordinator == 0;
	for (int i = 0; i < connect_slot_count(); i++)
	{
		ConnectSlot *slot = connect_slot_at(i);

		if (!slot->in_use || slot->database != MyDatabaseId ||
			slot->connector_id != row->id)
			continue;
		if (slot->task >= 0)
			live |= slot->pid != 0;
		else
			acknowledged = slot->state == CONNECT_STOPPED;
	}
	LWLockRelease(connect_slot_lock());
	return acknowledged && !live;
}

/*
 * Waits until the connector and all its tasks are in that state.  FAILED is
 * reached when any of them has failed.  Slots tell by themselves; what only
 * another transaction's commit changes is looked up once a second.
 */
bool
connect_command_wait(const char *name, ConnectState state, int64 timeout_ms)
{
	static uint32 event = 0;
	ConditionVariable *changed = connect_slot_changed();
	TimestampTz start = GetCurrentTimestamp();
	bool		reached = false;

	ConditionVariablePrepareToSleep(changed);
	for (;;)
	{
		ConnectConnectorRow *row = connect_command_find(name);
		int64		left = 1000;

		if (has_reached(row, state))
		{
			reached = true;
			break;
		}
		if (timeout_ms >= 0)
		{
			left = timeout_ms -
				(GetCurrentTimestamp() - start) / INT64CONST(1000);
			if (left <= 0)
				break;
		}
		(void) ConditionVariableTimedSleep(changed, Min(left, 1000),
										   connect_wait_event(&event, "ConnectWait"));
	}
	ConditionVariableCancelSleep();
	return reached;
}

/* Of the slot, if there is one: of a task, or of the connector with -1. */
static ConnectState
slot_state(const ConnectConnectorRow *row, int task, bool *live)
{
	ConnectState state = CONNECT_UNASSIGNED;
	ConnectSlot *slot;

	LWLockAcquire(connect_slot_lock(), LW_SHARED);
	slot = connect_slot_find(MyDatabaseId, row->id, task);
	*live = slot != NULL;
	if (slot != NULL)
		state = slot->state;
	LWLockRelease(connect_slot_lock());
	return state;
}

static bool
has_reached(const ConnectConnectorRow *row, ConnectState state)
{
	ConnectState connector = connect_command_state(row);
	List	   *tasks = connect_catalog_tasks(row->id);
	bool		failed = connector == CONNECT_FAILED;
	bool		agree = connector == state;
	ListCell   *lc;

	if (state == CONNECT_STOPPED)
		return connect_command_is_stopped(row);
	foreach(lc, tasks)
	{
		ConnectTaskRow *task = lfirst(lc);
		bool		live;
		ConnectState task_state = slot_state(row, task->task, &live);

		failed |= task_state == CONNECT_FAILED;
		agree &= task_state == state;
	}
	if (state == CONNECT_FAILED)
		return failed;
	return agree && (state != CONNECT_RUNNING || tasks != NIL);
}
