/*
 * wal.c
 *	  Nothing is sent that a crash could take back.
 */
#include "postgres.h"

#include "access/xlog.h"

#include "runtime/wal.h"

void
connect_wal_settle(void)
{
	XLogFlush(GetXLogInsertRecPtr());
}
