/*
 * wal.c
 *	  Nothing is sent that a crash could take back.
 *
 * NOTES
 *	  WAL of what was read is flushed here before it is sent.  With
 *	  connect.wait_for_standbys it must have been flushed there, too: until then
 *	  connect_wal_waits holds, and the runtime keeps records back.  Standbys tell
 *	  their walsenders how far they are, who wake nobody for it.
 */
#include "postgres.h"

#include "access/transam.h"
#include "access/xlog.h"
#include "access/xlog_internal.h"
#include "replication/walsender.h"
#include "replication/walsender_private.h"
#include "storage/lwlock.h"
#include "utils/backend_status.h"
#include "utils/builtins.h"
#include "utils/varlena.h"

#include "compat.h"
#include "connect.h"
#include "runtime/fault.h"
#include "runtime/wal.h"

/* Commits that lie further back were flushed by the WAL writer long ago. */
#define RECENT_TRANSACTIONS 10000000

bool		connect_wal_waits = false;

static XLogRecPtr settled;		/* of what was read so far */

static void await_standbys(XLogRecPtr lsn);

/*
 * XLogFlush() refuses a position that no record reaches: just behind the
 * header of a page on which nothing has been written yet.
 */
void
connect_wal_settle(void)
{
	XLogRecPtr	lsn = GetXLogInsertRecPtr();

	if (CONNECT_FAULT_SKIPS("wal-settle"))
		return;
	if (XLogSegmentOffset(lsn, wal_segment_size) == SizeOfXLogLongPHD)
		lsn -= SizeOfXLogLongPHD;
	else if (lsn % XLOG_BLCKSZ == SizeOfXLogShortPHD)
		lsn -= SizeOfXLogShortPHD;
	XLogFlush(lsn);
	await_standbys(lsn);
}

void
connect_wal_settle_commits(const uint64 *txids, int n)
{
	uint64		next = U64FromFullTransactionId(ReadNextFullTransactionId());
	XLogRecPtr	lsn = InvalidXLogRecPtr;

	/* what the server has forgotten the status of is old enough, too */
	LWLockAcquire(XactTruncationLock, LW_SHARED);
	for (int i = 0; i < n; i++)
	{
		TransactionId xid = (TransactionId) txids[i];

		if (txids[i] + RECENT_TRANSACTIONS > next &&
			!TransactionIdPrecedes(xid, connect_oldest_clog_xid()))
			lsn = Max(lsn, TransactionIdGetCommitLSN(xid));
	}
	LWLockRelease(XactTruncationLock);
	if (!XLogRecPtrIsInvalid(lsn))
		XLogFlush(lsn);
	/* The others were flushed before: how far they reach is forgotten. */
	if (n > 0)
		await_standbys(GetFlushRecPtr(NULL));
}

static void
await_standbys(XLogRecPtr lsn)
{
	settled = Max(settled, lsn);
	connect_wal_waits = connect_wait_for_standbys != NULL &&
		*connect_wait_for_standbys != '\0';
}

/* How far the standbys of that name have flushed; "*": any. */
static XLogRecPtr
flushed_by(const char *name)
{
	XLogRecPtr	result = InvalidXLogRecPtr;
	int			n = pgstat_fetch_stat_numbackends();

	for (int i = 0; i < max_wal_senders; i++)
	{
		WalSnd	   *sender = &WalSndCtl->walsnds[i];
		XLogRecPtr	flush;
		pid_t		pid;

		SpinLockAcquire(&sender->mutex);
		pid = sender->pid;
		flush = sender->state == WALSNDSTATE_STREAMING ? sender->flush :
			InvalidXLogRecPtr;
		SpinLockRelease(&sender->mutex);
		for (int j = 1; pid != 0 && flush > result && j <= n; j++)
		{
			LocalPgBackendStatus *local = connect_local_beentry(j);

			if (local != NULL && local->backendStatus.st_procpid == pid &&
				(strcmp(name, "*") == 0 ||
				 pg_strcasecmp(name, local->backendStatus.st_appname) == 0))
				result = flush;
		}
	}
	return result;
}

const char *
connect_wal_look(void)
{
	char	   *names = pstrdup(connect_wait_for_standbys);
	List	   *list;
	ListCell   *lc;

	/* It was checked when it was set. */
	(void) SplitIdentifierString(names, ',', &list);
	pgstat_clear_backend_activity_snapshot();
	foreach(lc, list)
	{
		const char *name = lfirst(lc);
		XLogRecPtr	flush = flushed_by(name);

		if (flush < settled)
			return psprintf(XLogRecPtrIsInvalid(flush) ?
							"standby %s, which is not connected, to flush WAL up to %X/%X" :
							"standby %s to flush WAL up to %X/%X", name,
							LSN_FORMAT_ARGS(settled));
	}
	connect_wal_waits = false;
	return NULL;
}
