/*
 * wal.c
 *	  Nothing is sent that a crash could take back.
 */
#include "postgres.h"

#include "access/xlog.h"
#include "access/xlog_internal.h"

#include "runtime/wal.h"

/*
 * XLogFlush() refuses a position that no record reaches: just behind the
 * header of a page on which nothing has been written yet.
 */
void
connect_wal_settle(void)
{
	XLogRecPtr	lsn = GetXLogInsertRecPtr();

	if (XLogSegmentOffset(lsn, wal_segment_size) == SizeOfXLogLongPHD)
		lsn -= SizeOfXLogLongPHD;
	else if (lsn % XLOG_BLCKSZ == SizeOfXLogShortPHD)
		lsn -= SizeOfXLogShortPHD;
	XLogFlush(lsn);
}
