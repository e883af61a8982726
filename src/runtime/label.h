/*
 * label.h
 *	  The mark on databases that have the extension.
 *
 * NOTES
 *	  A shared security label of our own provider: the only per-database fact
 *	  that a process without a database can read and that comes and goes with a
 *	  transaction.  CREATE DATABASE copies none, so a copy starts nothing.
 */
#ifndef CONNECT_LABEL_H
#define CONNECT_LABEL_H

#include "connect.h"

#include "nodes/pg_list.h"

extern void connect_label_init(void);	/* in _PG_init */
/* Marks this database, or takes the mark away, if the transaction commits. */
extern void connect_label_set(bool present);
extern bool connect_label_is_set(Oid database);
/*
 * Databases with the mark that can be connected to, as a list of Oid.  Opens
 * and closes its own transaction; the list is in the caller's context.
 */
extern List *connect_label_databases_xact(void);

#endif							/* CONNECT_LABEL_H */
