/*
 * owner.c
 *	  Commands that give connectors an owner, or this database as their home.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/acl.h"

#include "catalog/command.h"
#include "catalog/resolve.h"
#include "catalog/validate.h"
#include "command/command.h"
#include "compat.h"
#include "runtime/slot.h"

static void adopt(ConnectConnectorRow *row);

/* As ALTER … OWNER: of the old owner and of the new one the caller is one. */
void
connect_command_alter_owner(const char *name, Oid owner)
{
	ConnectConnectorRow *row = connect_command_lock(name, false);

	if (!connect_may_set_role(GetUserId(), owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be member of role \"%s\"",
						GetUserNameFromId(owner, false))));

	/* What the old owner may read or reach, the new one may not. */
	connect_validation_raise(connect_config_validate(row->config, owner));

	row->owner = owner;
	row->owner_name = GetUserNameFromId(owner, false);
	connect_connector_update(row);
	connect_secret_give(row->id, owner);
	connect_tasks_touch(row->id);
	connect_history_add(row, NULL, "owner");
	connect_wake_coordinator_at_commit();
}

int
connect_command_adopt(const char *name)
{
	List	   *rows;
	ListCell   *lc;
	int			n = 0;

	if (name != NULL)
	{
		ConnectConnectorRow *row = connect_command_lock(name, false);

		if (!row->foreign)
			return 0;
		adopt(row);
		return 1;
	}

	rows = connect_catalog_connectors();
	foreach(lc, rows)
	{
		ConnectConnectorRow *row = lfirst(lc);

		if (!row->foreign || !row->owner_exists ||
			!has_privs_of_role(GetUserId(), row->owner))
			continue;
		row = connect_connector_lock(row->name);
		if (row == NULL)
			continue;
		adopt(row);
		n++;
	}
	return n;
}

static void
adopt(ConnectConnectorRow *row)
{
	const ConnectConnectorClass *cls =
		connect_connector_find(connect_config_get(row->config,
												  "connector.class"));
	ConnectConfig *resolved;
	ConnectError err = {0};

	connect_identity_adopt(row->id);
	connect_history_add(row, NULL, "adopt");
	connect_wake_coordinator_at_commit();

	if (!connect_config_resolve(row->config, row->owner, &resolved, &err))
		ereport(WARNING,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("configuration of connector \"%s\": %s",
						row->name, err.message)));
	for (int i = 0; err.message == NULL && i < resolved->nentries; i++)
	{
		if (resolved->entries[i].value != NULL &&
			connect_config_has_reference(resolved->entries[i].value))
			ereport(WARNING,
					(errcode(ERRCODE_UNDEFINED_OBJECT),
					 errmsg("connector \"%s\" refers to a secret that is not here: \"%s\"",
							row->name, resolved->entries[i].key),
					 errhint("Dumps hold no secrets: set it again with connect_patch() or connect_secret_set().")));
	}

	if (err.message == NULL && row->owner_exists && cls != NULL &&
		cls->adopted != NULL)
	{
		ConnectRoleScope scope;

		connect_role_enter(&scope, row->owner);
		cls->adopted(row->id, resolved);
		connect_role_leave(&scope);
	}
}
