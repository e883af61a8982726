/*
 * wakeup.h
 *	  Telling our processes that something has been committed.
 *
 * NOTES
 *	  The _at_commit functions run in any backend, inside a transaction, cost a
 *	  few instructions, and do nothing if the transaction (or its prepared form)
 *	  rolls back.  connect_wake_source_at_commit() is in connectors/connector.h.
 *	  All wake-ups are level-triggered: who is woken looks for itself.
 */
#ifndef CONNECT_WAKEUP_H
#define CONNECT_WAKEUP_H

#include "connect.h"

/* The catalog of this database has changed: its coordinator looks at commit. */
extern void connect_wake_coordinator_at_commit(void);
/* Labels or databases have changed. */
extern void connect_wake_launcher_at_commit(void);
/* Roles have changed: all databases are concerned. */
extern void connect_wake_everyone_at_commit(void);

/*
 * Now: all of this database, after COMMIT PREPARED; the coordinators of others
 * too if roles may have changed.
 */
extern void connect_wake_database(Oid database);

#endif							/* CONNECT_WAKEUP_H */
