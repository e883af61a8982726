/*
 * command.h
 *	  What SQL, the text dialect and REST call: changes of connectors.
 *
 * NOTES
 *	  Everything runs in the caller's transaction with the caller's rights: who
 *	  is allowed to do a thing is decided here, nowhere else.  A change takes
 *	  effect when the transaction commits.  All raise on failure, with these
 *	  codes: undefined_object (no such connector), duplicate_object,
 *	  insufficient_privilege, invalid_parameter_value (bad configuration or
 *	  argument), object_not_in_prerequisite_state (not stopped).
 */
#ifndef CONNECT_COMMAND_H
#define CONNECT_COMMAND_H

#include "catalog/catalog.h"

/* ---- connector.c ---- */
/*
 * The connector, locked, for a caller who has its owner's rights.  NULL only
 * with missing_ok.
 */
extern ConnectConnectorRow *connect_command_lock(const char *name,
												 bool missing_ok);
/* The same without lock, for those who only look. */
extern ConnectConnectorRow *connect_command_find(const char *name);

/* False: it exists, and if_not_exists is set. */
extern bool connect_command_create(const char *name, const ConnectConfig *cfg,
								   ConnectState target, bool if_not_exists);
/* False if there was none and missing_ok is set. */
extern bool connect_command_drop(const char *name, bool missing_ok);
extern void connect_command_alter(const char *name, const ConnectConfig *cfg);
/* Keys of patch replace; those that are null there are removed. */
extern void connect_command_patch(const char *name, const ConnectConfig *patch);
extern void connect_command_rollback(const char *name, int64 version);
/* The configuration that had this version. */
extern ConnectConfig *connect_command_version(const char *name, int64 version);

/* ---- state.c ---- */
/* RUNNING, PAUSED or STOPPED. */
extern void connect_command_set_target(const char *name, ConnectState target);
extern void connect_command_restart(const char *name, bool include_tasks,
									bool only_failed);
extern void connect_command_restart_task(const char *name, int task,
										 bool only_failed);
/* As the status views see it. */
extern ConnectState connect_command_state(const ConnectConnectorRow *row);
extern bool connect_command_is_stopped(const ConnectConnectorRow *row);
/* False: the time is over.  timeout_ms -1 = none. */
extern bool connect_command_wait(const char *name, ConnectState state,
								 int64 timeout_ms);

/* ---- owner.c ---- */
extern void connect_command_alter_owner(const char *name, Oid owner);
/* All that the caller may adopt with name NULL.  How many it were. */
extern int	connect_command_adopt(const char *name);

/* ---- offsets.c ---- */
/* {"offsets": [{"partition": {…}, "offset": {…}}, …]} as JSON text. */
extern char *connect_command_offsets(const char *name);
/* The same shape; an offset null removes. */
extern void connect_command_alter_offsets(const char *name, const char *json);
extern void connect_command_reset_offsets(const char *name);

/* ---- secret.c ---- */
extern void connect_command_secret_set(const char *name, const char *value);
extern void connect_command_secret_drop(const char *name);



#endif							/* CONNECT_COMMAND_H */
