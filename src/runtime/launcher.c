/*
 * launcher.c
 *	  The launcher: sees that each database with the extension has a
 *	  coordinator.
 *
 * NOTES
 *	  A static worker without a database.  It runs no work of users: it reads
 *	  pg_shseclabel and pg_database, and starts processes.
 *
 *	  It sleeps until somebody sets its latch: a commit that changes labels or
 *	  databases, the end of a coordinator, the end of a command that barred a
 *	  database, a reload.  A timer runs only while a coordinator waits for its
 *	  next try.
 *
 *	  Coordinators outlive the launcher: a new one finds them in their slots.
 *	  What it fails at is shown as the reason in the database's slot.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/latch.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "runtime/label.h"
#include "runtime/slot.h"
#include "runtime/worker.h"

/* A coordinator that lived this long was healthy. */
#define HEALTHY_MS 60000
/* Until the next try for a free background worker. */
#define NO_WORKER_MS 2000

/* By index of the database's slot; NULL = not started by this process. */
static BackgroundWorkerHandle **handles = NULL;

/* A database that the last turn had no slot for, to say so once. */
static Oid	warned_no_slot = InvalidOid;

static void
sooner(TimestampTz *wakeup_at, TimestampTz when)
{
	if (*wakeup_at == 0 || when < *wakeup_at)
		*wakeup_at = when;
}

/* The database, or its extension, has gone. */
static void
free_database_slot(ConnectDatabaseSlot *db)
{
	bool		orphans = false;

	for (int i = 0; i < connect_slot_count(); i++)
	{
		ConnectSlot *slot = connect_slot_at(i);

		if (!slot->in_use || slot->database != db->database)
			continue;
		if (slot->pid != 0)
		{
			/* An orphan: its coordinator died just before.  Its end wakes us. */
			kill(slot->pid, SIGTERM);
			orphans = true;
		}
		else
			connect_slot_free(slot);
	}
	if (!orphans)
		db->in_use = false;
}

/*
 * Caller holds the lock.  Decides whether db is to be started now; if so takes
 * its next generation.
 */
static bool
prepare_start(ConnectDatabaseSlot *db, int index, TimestampTz *wakeup_at)
{
	TimestampTz now = GetCurrentTimestamp();
	pid_t		pid;

	if (db->starting &&
		(handles[index] == NULL ||
		 GetBackgroundWorkerPid(handles[index], &pid) == BGWH_STOPPED))
	{
		/* It ended before it could claim the slot. */
		db->starting = false;
		db->lost = db->barred == 0;
	}
	if (db->starting || db->coordinator != 0 || db->barred > 0 || db->absent)
		return false;

	if (db->lost)
	{
		db->lost = false;
		if (TimestampDifferenceExceeds(db->started, now, HEALTHY_MS))
			db->failures = 0;
		db->failures++;
		db->start_after = connect_worker_backoff(db->failures);
		connect_text_copy(db->reason, "the coordinator has ended and is started again");
	}
	if (db->start_after > now)
	{
		sooner(wakeup_at, db->start_after);
		return false;
	}
	db->generation++;
	db->starting = true;
	db->started = now;
	return true;
}

static void
start_coordinator(ConnectDatabaseSlot *db, int index, TimestampTz *wakeup_at)
{
	ConnectWorkerArgs args = {
		.database = db->database,
		.generation = db->generation,
	};

	if (handles[index])
		pfree(handles[index]);
	handles[index] = NULL;
	if (connect_worker_register(CONNECT_WORKER_COORDINATOR, &args,
								psprintf("%u", db->database),
								&handles[index]))
		return;

	if (db->reason[0] == '\0')
		ereport(WARNING,
				(errcode(ERRCODE_INSUFFICIENT_RESOURCES),
				 errmsg("no free background worker for the connectors of database %u",
						db->database),
				 errhint("Raise max_worker_processes, now %d.",
						 max_worker_processes)));
	LWLockAcquire(connect_slot_lock(), LW_EXCLUSIVE);
	db->starting = false;
	db->start_after = TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
												  NO_WORKER_MS);
	sooner(wakeup_at, db->start_after);
	snprintf(db->reason, sizeof(db->reason),
			 "no free background worker for the coordinator; raise max_worker_processes, now %d",
			 max_worker_processes);
	LWLockRelease(connect_slot_lock());
}

/* Makes the slots agree with the labels.  Returns when to look again. */
static TimestampTz
launcher_turn(void)
{
	List	   *labelled = connect_label_databases_xact();
	TimestampTz wakeup_at = 0;
	int		   *starts = palloc_array(int, connect_database_slot_count());
	int			nstarts = 0;
	Oid			no_slot = InvalidOid;
	ListCell   *lc;

	LWLockAcquire(connect_slot_lock(), LW_EXCLUSIVE);
	for (int i = 0; i < connect_database_slot_count(); i++)
	{
		ConnectDatabaseSlot *db = connect_database_slot_at(i);

		if (db->in_use && !list_member_oid(labelled, db->database) &&
			db->coordinator == 0 && db->barred == 0)
			free_database_slot(db);
	}
	foreach(lc, labelled)
	{
		if (connect_database_slot_find(lfirst_oid(lc)) == NULL &&
			connect_database_slot_reserve(lfirst_oid(lc)) == NULL)
			no_slot = lfirst_oid(lc);
	}
	for (int i = 0; i < connect_database_slot_count(); i++)
	{
		ConnectDatabaseSlot *db = connect_database_slot_at(i);

		if (db->in_use && list_member_oid(labelled, db->database) &&
			prepare_start(db, i, &wakeup_at))
			starts[nstarts++] = i;
	}
	LWLockRelease(connect_slot_lock());

	if (OidIsValid(no_slot) && !OidIsValid(warned_no_slot))
		ereport(WARNING,
				(errcode(ERRCODE_INSUFFICIENT_RESOURCES),
				 errmsg("connectors of database %u do not run: too many databases with the extension",
						no_slot),
				 errhint("Raise connect.max_tasks, now %d.", connect_max_tasks)));
	warned_no_slot = no_slot;

	for (int i = 0; i < nstarts; i++)
		start_coordinator(connect_database_slot_at(starts[i]), starts[i],
						  &wakeup_at);
	return wakeup_at;
}

void
connect_launcher_main(Datum arg)
{
	static uint32 wait_event = 0;
	MemoryContext turn;

	(void) connect_worker_begin();
	connect_static_attach(CONNECT_LAUNCHER);
	connect_worker_connect(InvalidOid, InvalidOid, false);
	handles = palloc0_array(BackgroundWorkerHandle *,
							connect_database_slot_count());
	turn = AllocSetContextCreate(connect_worker_context, "Connect turn",
								 ALLOCSET_DEFAULT_SIZES);
	for (;;)
	{
		TimestampTz wakeup_at = 0;

		connect_worker_check();
		if (connect_enabled)
		{
			MemoryContextSwitchTo(turn);
			wakeup_at = launcher_turn();
			MemoryContextReset(turn);
		}
		connect_worker_sleep(wakeup_at,
							 connect_wait_event(&wait_event, "ConnectLauncherMain"));
	}
}
