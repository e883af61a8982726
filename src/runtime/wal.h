/*
 * wal.h
 *	  Nothing is sent that a crash could take back.
 */
#ifndef CONNECT_WAL_H
#define CONNECT_WAL_H

/*
 * Flushes WAL up to what the caller's snapshot, taken before, may have seen:
 * rows committed with synchronous_commit = off are visible before their WAL is
 * on disk, and are gone after a crash.
 */
extern void connect_wal_settle(void);

/*
 * The same for n transactions that were seen to be committed.  Most have been
 * flushed before anybody could see them: then it costs nothing.
 */
extern void connect_wal_settle_commits(const uint64 *txids, int n);

/*
 * What was read since must not be sent yet: standbys that are to have it do not
 * have it.  connect_wal_look() asks, and says what is missing, or NULL.
 */
extern bool connect_wal_waits;
extern const char *connect_wal_look(void);

#endif							/* CONNECT_WAL_H */
