/*
 * split.h
 *	  How a connector's work is split into tasks.
 */
#ifndef CONNECT_SPLIT_H
#define CONNECT_SPLIT_H

#include "connect.h"

#include "nodes/pg_list.h"

#include "catalog/catalog.h"

/*
 * Calls the connector's task_configs() with its owner's rights, within limits
 * of time, and stores what it says; none: stores that it has no tasks.  Opens
 * and closes its own transaction.
 * True: *tasks is the list of ConnectTaskRow, in tasks_context.  False: *error
 * says what was raised; nothing has changed.
 */
extern bool connect_split_xact(const ConnectConnectorRow *row, bool none,
							   List **tasks, MemoryContext tasks_context,
							   ErrorData **error);

#endif							/* CONNECT_SPLIT_H */
