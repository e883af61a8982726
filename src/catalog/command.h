/*
 * command.h
 *	  The part of the catalog that commands alone use: changes of connectors,
 *	  secrets, identity and history.
 *
 * NOTES
 *	  As in catalog.h: in a transaction, as the owner of our tables.  Whoever
 *	  calls has checked the user's rights.
 */
#ifndef CONNECT_CATALOG_COMMAND_H
#define CONNECT_CATALOG_COMMAND_H

#include "catalog/catalog.h"

/* ---- connectors ---- */
/*
 * Who may create connectors is who may execute connect_create().  *schema is
 * where our functions are.
 */
extern bool connect_catalog_may_create(Oid user, char **schema);
/* The row, locked until the transaction ends; NULL if there is none. */
extern ConnectConnectorRow *connect_connector_lock(const char *name);
extern int64 connect_connector_next_id(void);
/* False: the name is taken. */
extern bool connect_connector_insert(const ConnectConnectorRow *row);
extern void connect_connector_update(const ConnectConnectorRow *row);
/*
 * Before anything else of a connector is deleted: waits for its tasks'
 * transactions, which lock its row and then what belongs to it.
 */
extern void connect_connector_lock_to_delete(int64 id);
extern void connect_connector_delete(int64 id);
/* All its tasks start anew: what their references stand for has changed. */
extern void connect_tasks_touch(int64 connector_id);
/* False: there is no such task. */
extern bool connect_task_restart_request(int64 connector_id, int task);

/* ---- identity ---- */
/* Gives a copied database an identity of its own before anything is added. */
extern void connect_identity_ensure(void);
/* Makes the connector one of this database. */
extern void connect_identity_adopt(int64 connector_id);

/* ---- history ---- */
/* config NULL: the change was none of the configuration. */
extern void connect_history_add(const ConnectConnectorRow *row,
								const ConnectConfig *config,
								const char *change);
/* Of the connector's version; NULL if there is none. */
extern ConnectConfig *connect_history_config(int64 connector_id, int64 version);

/* ---- secrets ---- */
/*
 * Stores; connector_id 0 = one of connect_secret_set().  An existing one must
 * belong to that owner and connector.
 */
extern void connect_secret_store(const char *name, const char *value,
								 Oid owner, int64 connector_id);
extern bool connect_secret_delete(const char *name); /* false: none */
extern Oid	connect_secret_owner(const char *name);	/* InvalidOid: none */
extern void connect_secret_give(int64 connector_id, Oid owner);
/* Its value for a user with owner's rights; NULL if none or not allowed. */
extern char *connect_secret_get(const char *name, Oid owner);

/* ---- offsets ---- */
extern void connect_offsets_reset(int64 connector_id);
extern List *connect_sink_offsets(int64 connector_id);	/* of ConnectSinkOffsetRow */
extern void connect_sink_offset_set(int64 connector_id, const char *topic,
									int32 partition, int64 offset); /* -1 removes */

typedef struct ConnectSinkOffsetRow
{
	const char *topic;
	int32		partition;
	int64		offset;
} ConnectSinkOffsetRow;

#endif							/* CONNECT_CATALOG_COMMAND_H */
