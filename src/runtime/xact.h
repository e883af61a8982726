/*
 * xact.h
 *	  Transactions of our workers, under the right identity.
 *
 * NOTES
 *	  A task's transactions run with the rights of its connector's owner.  The
 *	  session user is the owner, so that no trigger or default expression can
 *	  get more by RESET ROLE.  Where an owner without LOGIN cannot be a worker's
 *	  session user (PostgreSQL 15 and 16), the worker is connected as the
 *	  bootstrap superuser and each transaction runs under
 *	  SECURITY_LOCAL_USERID_CHANGE, which refuses SET and RESET of ROLE and
 *	  SESSION AUTHORIZATION; the identity is held until the commit has ended,
 *	  because deferred triggers run in it.
 *
 *	  What ALTER ROLE or ALTER DATABASE SET, and what user code left behind in
 *	  the session, have no effect on these transactions: read committed, read
 *	  write, no statement or transaction timeout, lock_timeout at its default,
 *	  row_security on, the default search_path, and settings that change how
 *	  values are read and printed.
 */
#ifndef CONNECT_XACT_H
#define CONNECT_XACT_H

#include "connect.h"

/*
 * Advisory locks of ours, on a connector's id, to the end of the transaction;
 * those of users have the classes 1 and 2.
 */
#define CONNECT_LOCK_IMPORT 3	/* of the group's offsets, once */
/* Exclusively by who reads offsets to go on from them, shared by who stores. */
#define CONNECT_LOCK_SOURCE_OFFSETS 4
extern void connect_xact_lock_connector(int64 connector_id, int class, int mode);

/*
 * Once, after connecting.  owner valid: each transaction switches to it; else
 * the session user is the right one already.
 */
extern void connect_xact_pin(Oid owner);

/*
 * Opens a transaction and pushes an active snapshot.  Locks the extension
 * against removal first, so that a DROP EXTENSION and a worker never wait for
 * each other; the process exits with 0 if the extension has gone.
 */
extern void connect_xact_begin(void);
/*
 * The same with a snapshot that another transaction has exported, for reading
 * only; raises what is tried again if that transaction has gone.
 */
extern void connect_xact_begin_imported(const char *snapshot);
/* Pops the snapshot and commits. */
extern void connect_xact_commit(void);
/* After an error, or instead of commit. */
extern void connect_xact_abort(void);

/*
 * Like the above, without snapshot or lock: the coordinator's look whether the
 * extension is there.
 */
extern void connect_xact_begin_bare(void);
/* Locks the extension against removal; false if it is not there. */
extern bool connect_xact_lock_extension(void);

/*
 * Before a wait, outside of transactions: reports statistics of earlier ones
 * when it is time.  The wait's timeout in ms (-1 = none), if need be shorter.
 */
extern long connect_xact_idle(long timeout);

/*
 * What follows may take that long.  The process ends if user code swallows the
 * cancellation.  An abort does not end the timers.
 */
extern void connect_xact_start_timeout(int timeout_ms);
extern void connect_xact_stop_timeout(void);

#endif							/* CONNECT_XACT_H */
