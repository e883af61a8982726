/*
 * wal.c
 *	  Nothing is sent that a crash could take back.
 */
#include "postgres.h"

#include "access/transam.h"
#include "access/xlog.h"
#include "access/xlog_internal.h"
#include "storage/lwlock.h"

#include "compat.h"
#include "runtime/fault.h"
#include "runtime/wal.h"

/* Commits that lie further back were flushed by the WAL writer long ago. */
#define RECENT_TRANSACTIONS 10000000

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
}
