/*
 * writers.c
 *	  Who may still commit rows below a bound.
 *
 * NOTES
 *	  A row becomes visible at commit, long after its id or time was taken.  A
 *	  reader that has seen a bound must know that nothing below it will come
 *	  any more.
 *
 *	  Ids: an insert locks its table in ROW EXCLUSIVE mode before it takes a
 *	  default from a sequence, and holds the lock until its transaction ends.
 *	  So take the bound from a snapshot first, then ask who holds such a lock:
 *	  all who may yet commit a smaller id are among them.  Locks are released
 *	  after the transaction has become visible.  SHARE UPDATE EXCLUSIVE does not
 *	  count: vacuum holds it.
 *
 *	  Times: now() is the start of the transaction, which may come long before
 *	  the first lock.  So the bound is the earliest start of all transactions of
 *	  the database, from the backends' status entries.  An entry is cleared
 *	  after the transaction has become visible, and after a prepared one has
 *	  handed its locks over; so who has prepared a transaction between is seen
 *	  by its locks if one looks for these afterwards.  Between reading the clock
 *	  and showing the start in its entry a backend may take a moment: the guard
 *	  interval (connect_writers_horizon's caller subtracts it).
 *
 *	  Takes the lock manager's partition locks and ProcArrayLock, each for a
 *	  moment.
 */
#include "postgres.h"

#include "access/transam.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "storage/proc.h"
#include "storage/procarray.h"
#include "utils/backend_status.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "jdbcsource/jdbcsource.h"
#include "compat.h"

#define WRITER_MODES \
	(LOCKBIT_ON(RowExclusiveLock) | LOCKBIT_ON(ShareRowExclusiveLock) | \
	 LOCKBIT_ON(ExclusiveLock) | LOCKBIT_ON(AccessExclusiveLock))

static bool
contains(const Oid *relids, int n, Oid relid)
{
	for (int i = 0; i < n; i++)
	{
		if (relids[i] == relid)
			return true;
	}
	return false;
}

/*
 * The transaction's own id, which it holds a lock on; those of its
 * subtransactions are younger.
 */
static TransactionId
holder_xid(const LockData *data, const ConnectWriter *writer)
{
	TransactionId result = InvalidTransactionId;

	for (int i = 0; i < data->nelements; i++)
	{
		const LockInstanceData *lock = &data->locks[i];
		TransactionId xid = lock->locktag.locktag_field1;

		if (lock->locktag.locktag_type == LOCKTAG_TRANSACTION &&
			lock->holdMask != 0 &&
			connect_lock_backend(lock) == writer->backend &&
			connect_lock_lxid(lock) == writer->lxid &&
			(result == InvalidTransactionId || TransactionIdPrecedes(xid, result)))
			result = xid;
	}
	return result;
}

ConnectWriter *
connect_writers(const Oid *relids, int nrelids, bool only_prepared, int *n)
{
	LockData   *data = GetLockStatusData();
	ConnectWriter *result = NULL;

	*n = 0;
	for (int i = 0; i < data->nelements; i++)
	{
		const LockInstanceData *lock = &data->locks[i];
		ConnectWriter *writer;

		if (lock->locktag.locktag_type != LOCKTAG_RELATION ||
			lock->locktag.locktag_field1 != MyDatabaseId ||
			(lock->holdMask & WRITER_MODES) == 0 ||
			lock->pid == MyProcPid ||
			(only_prepared && lock->pid != 0) ||
			!contains(relids, nrelids, lock->locktag.locktag_field2))
			continue;
		if (result == NULL)
			result = palloc(data->nelements * sizeof(ConnectWriter));
		writer = &result[(*n)++];
		writer->backend = connect_lock_backend(lock);
		writer->lxid = connect_lock_lxid(lock);
		writer->pid = lock->pid;
		writer->relid = lock->locktag.locktag_field2;
	}
	for (int i = 0; i < *n; i++)
		result[i].xid = holder_xid(data, &result[i]);
	pfree(data->locks);
	pfree(data);
	return result;
}

/*
 * A transaction keeps its virtual id when it is prepared.  One that has gone
 * and come back under the same id cannot be: ids are not used twice.
 */
int
connect_writers_remaining(ConnectWriter *writers, int n,
						  const Oid *relids, int nrelids)
{
	int			nnow;
	ConnectWriter *now = connect_writers(relids, nrelids, false, &nnow);
	int			left = 0;

	for (int i = 0; i < n; i++)
	{
		for (int j = 0; j < nnow; j++)
		{
			if (now[j].backend == writers[i].backend &&
				now[j].lxid == writers[i].lxid)
			{
				writers[left++] = now[j];
				break;
			}
		}
	}
	if (now != NULL)
		pfree(now);
	return left;
}

TimestampTz
connect_writers_horizon(TimestampTz previous, int *holder)
{
	TimestampTz result = GetCurrentTimestamp();
	int			n;

	*holder = 0;
	pgstat_clear_backend_activity_snapshot();
	n = pgstat_fetch_stat_numbackends();
	for (int i = 1; i <= n; i++)
	{
		LocalPgBackendStatus *local = connect_local_beentry(i);
		PgBackendStatus *entry = local ? &local->backendStatus : NULL;
		TimestampTz start;
		PGPROC	   *proc;

		if (entry == NULL || entry->st_procpid == MyProcPid ||
			entry->st_databaseid != MyDatabaseId ||
			entry->st_backendType == B_AUTOVAC_WORKER)
			continue;
		proc = BackendPidGetProc(entry->st_procpid);
		if (proc != NULL &&
			(proc->statusFlags & (PROC_IN_VACUUM | PROC_IN_SAFE_IC)) != 0)
			continue;

		if (entry->st_xact_start_timestamp != 0)
			start = entry->st_xact_start_timestamp;
		else if (entry->st_state == STATE_RUNNING)
			start = entry->st_activity_start_timestamp;
		else if (entry->st_state == STATE_DISABLED && proc != NULL &&
				 connect_proc_lxid(proc) != InvalidLocalTransactionId)
			start = previous;	/* track_activities is off: not known */
		else
			continue;
		if (start < result)
		{
			result = start;
			*holder = entry->st_procpid;
		}
	}
	return result;
}

/* Who is to end a prepared transaction needs its name. */
static char *
prepared_name(TransactionId xid)
{
	Oid			types[] = {XIDOID};
	Datum		args[] = {TransactionIdGetDatum(xid)};
	MemoryContext caller = CurrentMemoryContext;
	char	   *result = NULL;

	SPI_connect();
	SPI_execute_with_args("SELECT pg_catalog.quote_literal(gid) FROM pg_catalog.pg_prepared_xacts"
						  " WHERE transaction = $1", 1, types, args, NULL, true, 1);
	if (SPI_processed == 1)
		result = MemoryContextStrdup(caller, SPI_getvalue(SPI_tuptable->vals[0],
														  SPI_tuptable->tupdesc, 1));
	SPI_finish();
	return psprintf("prepared transaction %s", result ? result : "?");
}

char *
connect_writer_describe(const ConnectWriter *writer)
{
	char	   *relation = get_rel_name(writer->relid);
	char	   *schema = get_namespace_name(get_rel_namespace(writer->relid));
	char	   *who = writer->pid != 0 ? psprintf("pid %d", writer->pid) :
		prepared_name(writer->xid);

	return psprintf("%s, which writes to %s.%s", who, schema ? schema : "?",
					relation ? relation : "?");
}
