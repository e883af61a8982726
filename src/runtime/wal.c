/*
 * wal.c
 *	  Nothing is sent that a crash could take back.
 */
#include "postgres.h"

#include "access/transam.h"
#include "access/xlog.h"
#include "access/xlog_internal.h"

#include "runtime/fault.h"
#include "runtime/wal.h"

/* Commits that lie further back were flushed by the WAL writer long ago, and
 * the server may have forgotten their status. */
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

	for (int i = 0; i < n; i++)
	{
		if (txids[i] + RECENT_TRANSACTIONS > next)
			lsn = Max(lsn, TransactionIdGetCommitLSN((TransactionId) txids[i]));
	}
	if (!XLogRecPtrIsInvalid(lsn))
		XLogFlush(lsn);
}
