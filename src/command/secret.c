/*
 * secret.c
 *	  Commands on named secrets.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/acl.h"

#include "catalog/command.h"
#include "command/command.h"
#include "runtime/slot.h"

static Oid	check_secret_owner(const char *name);
static void touch_users(const char *name);

void
connect_command_secret_set(const char *name, const char *value)
{
	Oid			owner;

	if (*name == '\0' || strpbrk(name, "/}") != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("name of a secret must not be empty nor contain \"/\" or \"}\"")));
	owner = check_secret_owner(name);
	connect_secret_store(name, value,
						 OidIsValid(owner) ? owner : GetUserId(), 0);
	touch_users(name);
}

void
connect_command_secret_drop(const char *name)
{
	if (!OidIsValid(check_secret_owner(name)) || strchr(name, '/') != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("secret \"%s\" does not exist", name)));
	connect_secret_delete(name);
	touch_users(name);
}

/* Who it belongs to; InvalidOid: there is none. */
static Oid
check_secret_owner(const char *name)
{
	Oid			owner = connect_secret_owner(name);

	if (OidIsValid(owner) && !has_privs_of_role(GetUserId(), owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be owner of secret \"%s\"", name)));
	return owner;
}

/* config.action.reload: connectors that use it start their tasks anew. */
static void
touch_users(const char *name)
{
	char	   *reference = psprintf("${secret:%s}", name);
	ListCell   *lc;

	foreach(lc, connect_catalog_connectors())
	{
		ConnectConnectorRow *row = lfirst(lc);
		const char *reload = connect_config_get(row->config,
												"config.action.reload");
		bool		uses = false;

		for (int i = 0; i < row->config->nentries; i++)
			uses |= row->config->entries[i].value != NULL &&
				strstr(row->config->entries[i].value, reference) != NULL;
		if (!uses || (reload != NULL && strcmp(reload, "none") == 0))
			continue;
		connect_tasks_touch(row->id);
		connect_wake_coordinator_at_commit();
	}
}
