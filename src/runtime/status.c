/*
 * status.c
 *	  What the views show of shared memory.
 *
 * NOTES
 *	  Runs in any backend.  A slot is copied under the lock and judged
 *	  afterwards: no state that needs a process is shown without a live one.
 *
 *	  A user sees the slots of connectors whose owner's rights he has, and all
 *	  of them as a member of pg_read_all_stats (pg_monitor is one).
 */
#include "postgres.h"

#include "access/xlog.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "runtime/slot.h"

CONNECT_FUNCTION(connect_live);
CONNECT_FUNCTION(connect_workers);
CONNECT_FUNCTION(connect_idle_reason);

#define LIVE_COLUMNS 12
#define WORKER_COLUMNS 6

static Datum
text_or_null(const char *text, bool *isnull)
{
	*isnull = text == NULL || text[0] == '\0';
	return *isnull ? (Datum) 0 : CStringGetTextDatum(text);
}

static bool
may_see(Oid owner)
{
	return has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_STATS) ||
		has_privs_of_role(GetUserId(), owner);
}

/* Copies of the slots that match; in the current context. */
static ConnectSlot *
copy_slots(Oid database, int *n)
{
	/* Allocated before the lock is taken; slots may grow in number meanwhile */
	int			max = connect_slot_count() + 16;
	ConnectSlot *copies = palloc_array(ConnectSlot, max);

	*n = 0;
	LWLockAcquire(connect_slot_lock(), LW_SHARED);
	for (int i = 0; i < connect_slot_count() && *n < max; i++)
	{
		ConnectSlot *slot = connect_slot_at(i);

		if (slot->in_use &&
			(!OidIsValid(database) || slot->database == database))
			memcpy(&copies[(*n)++], slot, sizeof(ConnectSlot));
	}
	LWLockRelease(connect_slot_lock());
	return copies;
}

/*
 * connect.live(): the slots of this database.
 *
 * (connector_id, task, connector, state, wanted, pid, reason, since,
 *	waiting_for, progress, restarting_at, counters)
 */
Datum
connect_live(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	ConnectSlot *slots;
	int			n;

	InitMaterializedSRF(fcinfo, 0);
	slots = copy_slots(MyDatabaseId, &n);
	for (int i = 0; i < n; i++)
	{
		ConnectSlot *slot = &slots[i];
		Datum		values[LIVE_COLUMNS];
		bool		nulls[LIVE_COLUMNS] = {false};
		Datum		counters[CONNECT_NCOUNTERS];
		bool		live = connect_pid_is_live(slot->pid);
		ConnectState state = slot->state;
		const char *reason = slot->reason;

		if (!may_see(slot->owner))
			continue;
		if (!live && state != CONNECT_FAILED && state != CONNECT_STOPPED &&
			state != CONNECT_RESTARTING)
		{
			if (state != CONNECT_UNASSIGNED)
				reason = slot->task < 0 ?
					"the coordinator is not running" : "the process has gone";
			state = CONNECT_UNASSIGNED;
		}
		for (int c = 0; c < CONNECT_NCOUNTERS; c++)
			counters[c] = Int64GetDatum((int64) pg_atomic_read_u64(&slot->counters[c]));

		values[0] = Int64GetDatum(slot->connector_id);
		values[1] = Int32GetDatum(slot->task);
		values[2] = text_or_null(slot->connector, &nulls[2]);
		values[3] = CStringGetTextDatum(connect_state_name(state));
		values[4] = CStringGetTextDatum(connect_state_name(slot->wanted));
		values[5] = Int32GetDatum(slot->pid);
		nulls[5] = !live;
		values[6] = text_or_null(reason, &nulls[6]);
		values[7] = TimestampTzGetDatum(slot->since);
		values[8] = text_or_null(slot->waiting_for, &nulls[8]);
		values[9] = text_or_null(slot->progress, &nulls[9]);
		values[10] = TimestampTzGetDatum(slot->start_after);
		nulls[10] = slot->start_after <= GetCurrentTimestamp() || live;
		values[11] = PointerGetDatum(construct_array_builtin(counters,
															 CONNECT_NCOUNTERS,
															 INT8OID));
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}

static void
put_worker(ReturnSetInfo *rsinfo, const char *kind, pid_t pid, Oid database,
		   const ConnectSlot *slot, const char *reason)
{
	Datum		values[WORKER_COLUMNS] = {0};
	bool		nulls[WORKER_COLUMNS] = {false};

	values[0] = CStringGetTextDatum(kind);
	values[1] = Int32GetDatum(pid);
	nulls[1] = !connect_pid_is_live(pid);
	values[2] = ObjectIdGetDatum(database);
	nulls[2] = !OidIsValid(database);
	values[3] = text_or_null(slot ? slot->connector : NULL, &nulls[3]);
	values[4] = Int32GetDatum(slot ? slot->task : 0);
	nulls[4] = slot == NULL;
	values[5] = text_or_null(reason, &nulls[5]);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/*
 * connect.workers(): the extension's processes in the whole server.
 *
 * (worker, pid, database, connector, task, reason)
 */
Datum
connect_workers(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	int			n = 0;
	ConnectSlot *slots;
	ConnectDatabaseSlot *databases =
		palloc_array(ConnectDatabaseSlot, connect_database_slot_count());

	InitMaterializedSRF(fcinfo, 0);
	LWLockAcquire(connect_slot_lock(), LW_SHARED);
	for (int i = 0; i < connect_database_slot_count(); i++)
	{
		if (connect_database_slot_at(i)->in_use)
			databases[n++] = *connect_database_slot_at(i);
	}
	LWLockRelease(connect_slot_lock());

	put_worker(rsinfo, "launcher", connect_static_pid(CONNECT_LAUNCHER),
			   InvalidOid, NULL, RecoveryInProgress() ? "standby" : NULL);
	if (connect_embedded_broker)
	{
		char		address[256];

		connect_embedded_broker_address(address, sizeof(address));
		put_worker(rsinfo, "broker", connect_static_pid(CONNECT_BROKER),
				   InvalidOid, NULL, address);
	}
	for (int i = 0; i < n; i++)
		put_worker(rsinfo, "coordinator", databases[i].coordinator,
				   databases[i].database, NULL, databases[i].reason);

	slots = copy_slots(InvalidOid, &n);
	for (int i = 0; i < n; i++)
	{
		if (slots[i].task >= 0 && may_see(slots[i].owner))
			put_worker(rsinfo, "task", slots[i].pid, slots[i].database,
					   &slots[i], slots[i].reason);
	}
	return (Datum) 0;
}

/*
 * connect.idle_reason(): why connectors of this database have no slot; null if
 * nothing is in the way of having one.
 */
Datum
connect_idle_reason(PG_FUNCTION_ARGS)
{
	ConnectDatabaseSlot *db;
	char		own[CONNECT_TEXT_LEN] = "";
	const char *full = NULL;
	const char *reason = NULL;

	if (RecoveryInProgress())
		reason = "standby";
	else if (!connect_enabled)
		reason = "connect.enabled is off";
	else if (connect_static_pid(CONNECT_LAUNCHER) == 0)
		reason = "the launcher is not running";
	else
	{
		LWLockAcquire(connect_slot_lock(), LW_SHARED);
		db = connect_database_slot_find(MyDatabaseId);
		if (db == NULL)
			reason = "starting";
		else if (db->reason[0] != '\0')
			reason = strcpy(own, db->reason);
		else if (!db->ready)
			reason = "starting";
		else if (connect_slot_is_full(true))
			full = "tasks";
		else if (connect_slot_is_full(false))
			full = "connectors";
		LWLockRelease(connect_slot_lock());
	}
	if (full != NULL)
		reason = psprintf("all slots for %s are in use; raise connect.max_tasks, now %d",
						  full, connect_max_tasks);
	if (reason == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(reason));
}
