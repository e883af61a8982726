/*
 * connect.h
 *	  Names shared by the server side of the extension.
 */
#ifndef CONNECT_H
#define CONNECT_H

#include "postgres.h"

#include "fmgr.h"

#define CONNECT_VERSION "1.0"	/* of the SQL objects this library serves */
#define CONNECT_KAFKA_VERSION "4.3.1"	/* the Kafka Connect it answers as */

/* Declares a function for SQL; PostgreSQL 15's own macro exports none. */
#define CONNECT_FUNCTION(name) \
	extern PGDLLEXPORT Datum name(PG_FUNCTION_ARGS); \
	PG_FUNCTION_INFO_V1(name)

#define CONNECT_NAME_LEN 256	/* connector names, with the NUL */

/*
 * States as Kafka Connect names them.  The numbers are in shared memory and in
 * no table: tables hold the names.
 */
typedef enum ConnectState
{
	CONNECT_UNASSIGNED = 0,
	CONNECT_RUNNING,
	CONNECT_PAUSED,
	CONNECT_STOPPED,
	CONNECT_FAILED,
	CONNECT_RESTARTING
} ConnectState;

extern const char *connect_state_name(ConnectState state);
extern bool connect_state_parse(const char *name, ConnectState *state);

/* GUCs: guc.c. */
extern bool connect_enabled;	/* connect.enabled: run connectors at all */
extern int	connect_max_tasks;	/* connect.max_tasks: slots for tasks */
extern char *connect_bootstrap_servers; /* connect.bootstrap_servers */
extern char *connect_worker_defaults;	/* connect.worker_defaults: JSON object */
extern bool connect_embedded_broker;	/* connect.embedded_broker */
extern int	connect_snapshot_max_age;	/* connect.snapshot_max_age, ms */
extern char *connect_wait_for_standbys;
extern int	connect_shutdown_timeout;	/* connect.task_shutdown_graceful_timeout, ms */

#endif							/* CONNECT_H */
