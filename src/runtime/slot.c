/*
 * slot.c
 *	  Shared memory: slots of tasks and databases.  See slot.h.
 *
 * NOTES
 *	  Runs in the postmaster (request, startup) and in every process.  Takes
 *	  connect_slot_lock() where slot.h does not ask the caller for it.
 *
 *	  Half of the array's slots are for tasks, half for connectors, in any order.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "storage/procarray.h"
#include "storage/shmem.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "runtime/mask.h"
#include "runtime/slot.h"
#include "runtime/worker.h"

/* A database needs one even while it has no task. */
#define MIN_DATABASE_SLOTS 64

#define TRANCHE "connect"

typedef struct ConnectShared
{
	ConditionVariable changed;

	/* Written by the static workers, under the lock exclusively. */
	pid_t		static_pid[CONNECT_NSTATIC];
	int			static_procno[CONNECT_NSTATIC];
	char		broker_address[256];

	/* A change of roles has been prepared; any backend, under the lock. */
	bool		roles_prepared;

	int			nslots_used;	/* grows under the lock, exclusively */
	int			nslots;			/* constant */
	int			ndatabases;		/* constant */
	ConnectSlot slots[FLEXIBLE_ARRAY_MEMBER];
	/* ConnectDatabaseSlot[ndatabases] follows */
} ConnectShared;

static ConnectShared *shared = NULL;
static ConnectDatabaseSlot *databases = NULL;
static LWLock *slot_lock = NULL;

/* This process's own; NULL in all but ours. */
static ConnectSlot *my_slot = NULL;
static uint64 my_generation = 0;

static int
slots_configured(void)
{
	return 2 * connect_max_tasks;
}

static int
databases_configured(void)
{
	return Max(connect_max_tasks, MIN_DATABASE_SLOTS);
}

static Size
slots_size(void)
{
	return add_size(MAXALIGN(offsetof(ConnectShared, slots)),
					MAXALIGN(mul_size(slots_configured(), sizeof(ConnectSlot))));
}

static Size
shared_size(void)
{
	return add_size(slots_size(),
					mul_size(databases_configured(),
							 sizeof(ConnectDatabaseSlot)));
}

void
connect_slot_request_shmem(void)
{
	RequestAddinShmemSpace(shared_size());
	RequestNamedLWLockTranche(TRANCHE, 1);
}

void
connect_slot_startup_shmem(void)
{
	bool		found;

	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	shared = ShmemInitStruct("connect", shared_size(), &found);
	databases = (ConnectDatabaseSlot *) ((char *) shared + slots_size());
	slot_lock = &GetNamedLWLockTranche(TRANCHE)->lock;
	if (!found)
	{
		memset(shared, 0, shared_size());
		ConditionVariableInit(&shared->changed);
		shared->nslots = slots_configured();
		shared->ndatabases = databases_configured();
		for (int i = 0; i < shared->nslots; i++)
		{
			pg_atomic_init_u32(&shared->slots[i].woken, 0);
			for (int c = 0; c < CONNECT_NCOUNTERS; c++)
				pg_atomic_init_u64(&shared->slots[i].counters[c], 0);
		}
	}
	LWLockRelease(AddinShmemInitLock);
}

LWLock *
connect_slot_lock(void)
{
	return slot_lock;
}

void
connect_roles_note_prepared(void)
{
	LWLockAcquire(slot_lock, LW_EXCLUSIVE);
	shared->roles_prepared = true;
	LWLockRelease(slot_lock);
}

bool
connect_roles_were_prepared(void)
{
	bool		were;

	LWLockAcquire(slot_lock, LW_SHARED);
	were = shared->roles_prepared;
	LWLockRelease(slot_lock);
	return were;
}

ConditionVariable *
connect_slot_changed(void)
{
	return &shared->changed;
}

int
connect_slot_count(void)
{
	return shared->nslots_used;
}

ConnectSlot *
connect_slot_at(int i)
{
	Assert(i >= 0 && i < shared->nslots);
	return &shared->slots[i];
}

int
connect_database_slot_count(void)
{
	return shared->ndatabases;
}

ConnectDatabaseSlot *
connect_database_slot_at(int i)
{
	Assert(i >= 0 && i < shared->ndatabases);
	return &databases[i];
}

ConnectSlot *
connect_slot_find(Oid database, int64 connector_id, int task)
{
	Assert(LWLockHeldByMe(slot_lock));
	for (int i = 0; i < shared->nslots_used; i++)
	{
		ConnectSlot *slot = &shared->slots[i];

		if (slot->in_use && slot->connector_id == connector_id &&
			slot->task == task && slot->database == database)
			return slot;
	}
	return NULL;
}

ConnectDatabaseSlot *
connect_database_slot_find(Oid database)
{
	Assert(LWLockHeldByMe(slot_lock));
	for (int i = 0; i < shared->ndatabases; i++)
	{
		if (databases[i].in_use && databases[i].database == database)
			return &databases[i];
	}
	return NULL;
}

/* How many slots of tasks, or of connectors, are in use? */
static int
slots_in_use(bool tasks)
{
	int			n = 0;

	for (int i = 0; i < shared->nslots_used; i++)
	{
		if (shared->slots[i].in_use && (shared->slots[i].task >= 0) == tasks)
			n++;
	}
	return n;
}

bool
connect_slot_is_full(bool tasks)
{
	Assert(LWLockHeldByMe(slot_lock));
	return slots_in_use(tasks) >= connect_max_tasks;
}

ConnectSlot *
connect_slot_reserve(Oid database, int64 connector_id, int task)
{
	ConnectSlot *slot;
	uint64		generation;
	int			i = 0;

	Assert(LWLockHeldByMeInMode(slot_lock, LW_EXCLUSIVE));
	if (connect_slot_is_full(task >= 0))
		return NULL;
	while (shared->slots[i].in_use)
		i++;
	Assert(i < shared->nslots);

	slot = &shared->slots[i];
	generation = slot->generation;
	memset(slot, 0, offsetof(ConnectSlot, woken));
	pg_atomic_write_u32(&slot->woken, 0);
	for (int c = 0; c < CONNECT_NCOUNTERS; c++)
		pg_atomic_write_u64(&slot->counters[c], 0);
	pg_atomic_write_u64(&slot->counters[CONNECT_COUNT_LAG], (uint64) -1);
	slot->in_use = true;
	slot->database = database;
	slot->connector_id = connector_id;
	slot->task = task;
	slot->generation = generation + 1;
	slot->state = CONNECT_UNASSIGNED;
	slot->since = GetCurrentTimestamp();
	shared->nslots_used = Max(shared->nslots_used, i + 1);
	return slot;
}

ConnectDatabaseSlot *
connect_database_slot_reserve(Oid database)
{
	Assert(LWLockHeldByMeInMode(slot_lock, LW_EXCLUSIVE));
	for (int i = 0; i < shared->ndatabases; i++)
	{
		ConnectDatabaseSlot *db = &databases[i];
		uint64		generation = db->generation;

		if (db->in_use)
			continue;
		memset(db, 0, sizeof(*db));
		db->in_use = true;
		db->database = database;
		db->generation = generation + 1;
		return db;
	}
	return NULL;
}

void
connect_slot_free(ConnectSlot *slot)
{
	Assert(LWLockHeldByMeInMode(slot_lock, LW_EXCLUSIVE));
	slot->in_use = false;
	slot->pid = 0;
	slot->starting = false;
	slot->generation++;			/* what still starts for it leaves at once */
}

void
connect_text_copy(char *field, const char *text)
{
	int			len;

	if (text == NULL)
		text = "";
	len = pg_mbcliplen(text, strlen(text), CONNECT_TEXT_LEN - 1);
	memcpy(field, text, len);
	field[len] = '\0';
}

void
connect_slot_set_state(ConnectSlot *slot, ConnectState state,
					   const char *reason)
{
	Assert(LWLockHeldByMeInMode(slot_lock, LW_EXCLUSIVE));
	if (slot->state != state)
		slot->since = GetCurrentTimestamp();
	slot->state = state;
	connect_text_copy(slot->reason, reason);
}

void
connect_slot_set_latch(const ConnectSlot *slot)
{
	Assert(LWLockHeldByMe(slot_lock));
	if (slot->pid != 0)
		SetLatch(connect_proc_latch(slot->procno));
}

bool
connect_pid_is_live(pid_t pid)
{
	return pid != 0 && BackendPidGetProc(pid) != NULL;
}

/* ---- static workers ---- */

static void
static_detach(int code, Datum arg)
{
	ConnectStatic which = DatumGetInt32(arg);

	LWLockAcquire(slot_lock, LW_EXCLUSIVE);
	if (shared->static_pid[which] == MyProcPid)
	{
		shared->static_pid[which] = 0;
		if (which == CONNECT_BROKER)
			shared->broker_address[0] = '\0';
	}
	LWLockRelease(slot_lock);
}

void
connect_static_attach(ConnectStatic which)
{
	before_shmem_exit(static_detach, Int32GetDatum(which));
	LWLockAcquire(slot_lock, LW_EXCLUSIVE);
	shared->static_pid[which] = MyProcPid;
	shared->static_procno[which] = connect_procno(MyProc);
	LWLockRelease(slot_lock);
}

pid_t
connect_static_pid(ConnectStatic which)
{
	return shared->static_pid[which];
}

void
connect_static_wake(ConnectStatic which)
{
	bool		live;
	int			procno;

	LWLockAcquire(slot_lock, LW_SHARED);
	live = shared->static_pid[which] != 0;
	procno = shared->static_procno[which];
	LWLockRelease(slot_lock);
	if (live)
		SetLatch(connect_proc_latch(procno));
}

void
connect_embedded_broker_address(char *out, Size size)
{
	LWLockAcquire(slot_lock, LW_SHARED);
	strlcpy(out, shared->broker_address, size);
	LWLockRelease(slot_lock);
}

void
connect_embedded_broker_set_address(const char *address)
{
	LWLockAcquire(slot_lock, LW_EXCLUSIVE);
	strlcpy(shared->broker_address, address, sizeof(shared->broker_address));
	LWLockRelease(slot_lock);
}

/* ---- the coordinator's database ---- */

static void
my_database_slot_detach(int code, Datum arg)
{
	Oid			database = DatumGetObjectId(arg);
	ConnectDatabaseSlot *db;

	LWLockAcquire(slot_lock, LW_EXCLUSIVE);
	db = connect_database_slot_find(database);
	if (db && db->coordinator == MyProcPid)
	{
		db->coordinator = 0;
		db->ready = false;
		db->lost = code != 0 && db->barred == 0;
		for (int i = 0; i < shared->nslots_used; i++)
		{
			ConnectSlot *slot = &shared->slots[i];

			/* What the coordinator itself ran: the connectors. */
			if (slot->in_use && slot->database == database &&
				slot->task < 0 && slot->pid == MyProcPid)
				slot->pid = 0;
		}
	}
	LWLockRelease(slot_lock);
	ConditionVariableBroadcast(&shared->changed);
	connect_static_wake(CONNECT_LAUNCHER);
}

/*
 * False: the database is barred, or this process has been replaced.
 */
bool
connect_my_database_slot_attach(Oid database, uint64 generation)
{
	ConnectDatabaseSlot *db;
	bool		attached = false;

	before_shmem_exit(my_database_slot_detach, ObjectIdGetDatum(database));
	LWLockAcquire(slot_lock, LW_EXCLUSIVE);
	db = connect_database_slot_find(database);
	if (db && db->generation == generation && db->coordinator == 0)
	{
		db->starting = false;
		if (db->barred == 0)
		{
			db->coordinator = MyProcPid;
			db->procno = connect_procno(MyProc);
			db->started = GetCurrentTimestamp();
			db->dirty = true;
			attached = true;
		}
	}
	LWLockRelease(slot_lock);
	return attached;
}

/* ---- the task's own slot ---- */

/* Runs last of the callbacks: the transaction is closed. */
static void
my_slot_detach(int code, Datum arg)
{
	ConnectDatabaseSlot *db;
	bool		orphan;

	LWLockAcquire(slot_lock, LW_EXCLUSIVE);
	db = connect_database_slot_find(my_slot->database);
	if (my_slot->pid == MyProcPid)
	{
		my_slot->pid = 0;
		my_slot->waiting_for[0] = '\0';
		my_slot->progress[0] = '\0';
		memset(&my_slot->share, 0, sizeof(my_slot->share));
		if (my_slot->wanted != CONNECT_STOPPED &&
			my_slot->state != CONNECT_FAILED)
		{
			my_slot->lost = db == NULL || db->barred == 0;
			connect_slot_set_state(my_slot, CONNECT_UNASSIGNED,
								   connect_worker_last_words());
		}
	}
	orphan = db == NULL || db->coordinator == 0;
	if (!orphan)
		SetLatch(connect_proc_latch(db->procno));
	LWLockRelease(slot_lock);
	ConditionVariableBroadcast(&shared->changed);
	if (orphan)
		connect_static_wake(CONNECT_LAUNCHER);
}

/*
 * False: the database is barred, the task is no longer wanted, or this process
 * has been replaced.
 */
bool
connect_my_slot_attach(int index, uint64 generation)
{
	ConnectSlot *slot = connect_slot_at(index);
	bool		attached = false;

	my_slot = slot;
	my_generation = generation;
	before_shmem_exit(my_slot_detach, (Datum) 0);

	LWLockAcquire(slot_lock, LW_EXCLUSIVE);
	if (slot->in_use && slot->generation == generation && slot->pid == 0)
	{
		ConnectDatabaseSlot *db = connect_database_slot_find(slot->database);

		slot->starting = false;
		if (slot->wanted != CONNECT_STOPPED && db && db->barred == 0)
		{
			slot->pid = MyProcPid;
			slot->procno = connect_procno(MyProc);
			memset(&slot->share, 0, sizeof(slot->share));
			attached = true;
		}
	}
	LWLockRelease(slot_lock);
	return attached;
}

ConnectSlot *
connect_my_slot(void)
{
	return my_slot;
}

/* Caller holds the lock: may this process still write its slot? */
static bool
my_slot_is_mine(void)
{
	return my_slot->pid == MyProcPid && my_slot->generation == my_generation;
}

void
connect_my_slot_set_state(ConnectState state, const char *reason)
{
	reason = connect_masked(reason);
	LWLockAcquire(slot_lock, LW_EXCLUSIVE);
	if (my_slot_is_mine() && my_slot->wanted != CONNECT_STOPPED)
		connect_slot_set_state(my_slot, state, reason);
	LWLockRelease(slot_lock);
	ConditionVariableBroadcast(&shared->changed);
}

static void
my_slot_set_text(char *field, const char *what)
{
	what = connect_masked(what);
	LWLockAcquire(slot_lock, LW_EXCLUSIVE);
	if (my_slot_is_mine())
		connect_text_copy(field, what);
	LWLockRelease(slot_lock);
}

void
connect_my_slot_set_waiting_for(const char *what)
{
	my_slot_set_text(my_slot->waiting_for, what);
}

void
connect_my_slot_set_progress(const char *what)
{
	my_slot_set_text(my_slot->progress, what);
}

void
connect_my_slot_share(const ConnectShare *share)
{
	LWLockAcquire(slot_lock, LW_EXCLUSIVE);
	if (my_slot_is_mine())
		my_slot->share = *share;
	LWLockRelease(slot_lock);
}

bool
connect_task_share(int task, ConnectShare *share)
{
	const ConnectSlot *slot;
	bool		found;

	LWLockAcquire(slot_lock, LW_SHARED);
	slot = connect_slot_find(my_slot->database, my_slot->connector_id, task);
	found = slot != NULL && slot->pid != 0;
	if (found)
		*share = slot->share;
	LWLockRelease(slot_lock);
	return found;
}

void
connect_my_slot_wake_task(int task)
{
	const ConnectSlot *slot;

	LWLockAcquire(slot_lock, LW_SHARED);
	slot = connect_slot_find(my_slot->database, my_slot->connector_id, task);
	if (slot != NULL)
		connect_slot_set_latch(slot);
	LWLockRelease(slot_lock);
}

/* Caller holds the lock. */
static void
wake_my_coordinator(void)
{
	ConnectDatabaseSlot *db = connect_database_slot_find(my_slot->database);

	if (db)
	{
		db->dirty = true;
		if (db->coordinator != 0)
			SetLatch(connect_proc_latch(db->procno));
	}
}

void
connect_my_slot_reconfigure(void)
{
	LWLockAcquire(slot_lock, LW_EXCLUSIVE);
	if (my_slot_is_mine())
		my_slot->reconfigure = true;
	wake_my_coordinator();
	LWLockRelease(slot_lock);
}

void
connect_my_slot_fail_connector(const char *reason)
{
	ConnectSlot *slot;

	reason = connect_masked(reason);
	LWLockAcquire(slot_lock, LW_EXCLUSIVE);
	slot = connect_slot_find(my_slot->database, my_slot->connector_id, -1);
	if (my_slot_is_mine() && slot != NULL)
	{
		slot->is_failed_by_task = true;
		slot->is_failure_new = true;
		connect_slot_set_state(slot, CONNECT_FAILED, reason);
	}
	wake_my_coordinator();
	LWLockRelease(slot_lock);
	ConditionVariableBroadcast(&shared->changed);
}

bool
connect_my_slot_woken(void)
{
	return pg_atomic_read_u32(&my_slot->woken) != 0 &&
		pg_atomic_exchange_u32(&my_slot->woken, 0) != 0;
}

void
connect_my_slot_count(ConnectCounter counter, int64 n)
{
	/* Only this process writes them, so no atomic addition is needed. */
	pg_atomic_write_u64(&my_slot->counters[counter],
						pg_atomic_read_u64(&my_slot->counters[counter]) + n);
}

void
connect_my_slot_set(ConnectCounter counter, int64 n)
{
	pg_atomic_write_u64(&my_slot->counters[counter], n);
}

bool
connect_my_slot_is_mine(void)
{
	bool		mine;

	LWLockAcquire(slot_lock, LW_SHARED);
	mine = my_slot_is_mine();
	LWLockRelease(slot_lock);
	return mine;
}

bool
connect_my_slot_wanted(ConnectState *wanted)
{
	bool		mine;

	LWLockAcquire(slot_lock, LW_SHARED);
	mine = my_slot_is_mine();
	*wanted = my_slot->wanted;
	LWLockRelease(slot_lock);
	return mine && *wanted != CONNECT_STOPPED;
}

bool
connect_my_slot_hurries(void)
{
	ConnectDatabaseSlot *db;
	bool		hurries;

	LWLockAcquire(slot_lock, LW_SHARED);
	db = connect_database_slot_find(my_slot->database);
	hurries = my_slot->terminated || db == NULL || db->barred > 0;
	LWLockRelease(slot_lock);
	return hurries;
}
