/*
 * wakeup.c
 *	  Telling our processes that something has been committed.  See wakeup.h.
 *
 * NOTES
 *	  Runs in any backend.  The wishes of a transaction are kept in static
 *	  variables, without allocation: triggers call connect_wake_source_at_commit()
 *	  for each statement.  They are granted on XACT_EVENT_COMMIT, when the change
 *	  is visible.  A prepared transaction forgets them: COMMIT PREPARED may run
 *	  in another backend, and wakes the whole database (hooks.c).
 *	  Takes connect_slot_lock(), shared for sources.
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "storage/latch.h"

#include "compat.h"
#include "connector.h"
#include "runtime/slot.h"
#include "runtime/wakeup.h"

/* A transaction that feeds more sources than this wakes all of the database. */
#define MAX_SOURCES 16

static bool registered = false; /* is the callback there? */
static bool coordinator_pending = false;
static bool launcher_pending = false;
static bool everyone_pending = false;
static int	nsources = 0;		/* MAX_SOURCES + 1 = all */
static int64 sources[MAX_SOURCES];

static void
wake_coordinator(ConnectDatabaseSlot *db, bool roles)
{
	db->dirty = true;
	db->roles_changed |= roles;
	db->absent = false;
	if (db->coordinator != 0)
		SetLatch(connect_proc_latch(db->procno));
}

/* all: of every database; else of this one. */
static void
wake_coordinators(Oid database, bool all)
{
	bool		missing = false;

	LWLockAcquire(connect_slot_lock(), LW_EXCLUSIVE);
	if (all)
	{
		for (int i = 0; i < connect_database_slot_count(); i++)
		{
			if (connect_database_slot_at(i)->in_use)
				wake_coordinator(connect_database_slot_at(i), true);
		}
	}
	else
	{
		ConnectDatabaseSlot *db = connect_database_slot_find(database);

		if (db)
			wake_coordinator(db, false);
		missing = db == NULL || db->coordinator == 0;
	}
	LWLockRelease(connect_slot_lock());

	if (missing)
		connect_static_wake(CONNECT_LAUNCHER);
}

static bool
source_is_wanted(int64 connector_id)
{
	if (nsources > MAX_SOURCES)
		return true;
	for (int i = 0; i < nsources; i++)
	{
		if (sources[i] == connector_id)
			return true;
	}
	return false;
}

static void
wake_sources(Oid database)
{
	LWLockAcquire(connect_slot_lock(), LW_SHARED);
	for (int i = 0; i < connect_slot_count(); i++)
	{
		ConnectSlot *slot = connect_slot_at(i);

		if (slot->in_use && slot->task >= 0 && slot->database == database &&
			source_is_wanted(slot->connector_id) &&
			pg_atomic_exchange_u32(&slot->woken, 1) == 0)
			connect_slot_set_latch(slot);
	}
	LWLockRelease(connect_slot_lock());
}

static void
at_xact_end(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_COMMIT:
			if (nsources > 0)
				wake_sources(MyDatabaseId);
			if (coordinator_pending || everyone_pending)
				wake_coordinators(MyDatabaseId, everyone_pending);
			if (launcher_pending)
				connect_static_wake(CONNECT_LAUNCHER);
			break;
		case XACT_EVENT_PREPARE:
			if (everyone_pending)
				connect_roles_note_prepared();
			break;
		case XACT_EVENT_ABORT:
			break;
		default:
			return;
	}
	nsources = 0;
	coordinator_pending = launcher_pending = everyone_pending = false;
}

static void
ensure_registered(void)
{
	if (!registered)
	{
		RegisterXactCallback(at_xact_end, NULL);
		registered = true;
	}
}

void
connect_wake_coordinator_at_commit(void)
{
	ensure_registered();
	coordinator_pending = true;
}

void
connect_wake_launcher_at_commit(void)
{
	ensure_registered();
	launcher_pending = true;
}

void
connect_wake_everyone_at_commit(void)
{
	ensure_registered();
	everyone_pending = true;
}

void
connect_wake_source_at_commit(int64 connector_id)
{
	if (source_is_wanted(connector_id))
		return;
	ensure_registered();
	if (nsources < MAX_SOURCES)
		sources[nsources] = connector_id;
	nsources++;
}

void
connect_wake_database(Oid database)
{
	nsources = MAX_SOURCES + 1;
	wake_sources(database);
	nsources = 0;
	wake_coordinators(database, connect_roles_were_prepared());
	connect_static_wake(CONNECT_LAUNCHER);
}
