/*
 * connector.c
 *	  Commands that create, change and drop connectors.
 *
 * NOTES
 *	  A configuration is checked with its references resolved and stored with
 *	  them unresolved.  Passwords that were written out move to connect.secret
 *	  and leave a reference behind, so that the stored configuration, its
 *	  history, dumps and views hold none.
 *
 *	  The callbacks of connector classes run as the connector's owner.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"

#include "catalog/command.h"
#include "catalog/resolve.h"
#include "catalog/validate.h"
#include "command/command.h"
#include "connector.h"
#include "runtime/slot.h"

/* A literal password on its way to connect.secret. */
typedef struct Password
{
	const char *name;
	const char *value;
} Password;

typedef enum Change
{
	CHANGE_CREATED,
	CHANGE_ALTERED,
	CHANGE_DROPPED
} Change;

static void require_create_right(void);
static ConnectConfig *named_config(const char *name, const ConnectConfig *cfg);
static void require_matching_owner(const ConnectConnectorRow *row);
static ConnectConfig *take_passwords(const ConnectConnectorRow *row,
									 const ConnectConfig *cfg,
									 const ConnectValidation *validation,
									 List **passwords);
static const char *reference_name(const ConnectConnectorRow *row);
static void store_passwords(const ConnectConnectorRow *row, List *passwords);
static void configure(ConnectConnectorRow *row, const ConnectConfig *cfg,
					  const char *change);
static void tell_class(Change change, const ConnectConnectorRow *row,
					   const ConnectConfig *cfg, const ConnectConfig *old_cfg);
static ConnectConfig *resolved_config(const ConnectConfig *cfg, Oid owner);

ConnectConnectorRow *
connect_command_lock(const char *name, bool missing_ok)
{
	ConnectConnectorRow *row = connect_connector_lock(name);

	if (row == NULL)
	{
		if (missing_ok)
			return NULL;
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("connector \"%s\" does not exist", name)));
	}
	require_matching_owner(row);
	return row;
}

ConnectConnectorRow *
connect_command_find(const char *name)
{
	ConnectConnectorRow *row = connect_catalog_connector(name);

	if (row == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("connector \"%s\" does not exist", name)));
	require_matching_owner(row);
	return row;
}

bool
connect_command_create(const char *name, const ConnectConfig *cfg,
					   ConnectState target, bool if_not_exists)
{
	ConnectConnectorRow row = {0};
	ConnectValidation *validation;
	List	   *passwords = NIL;

	require_create_right();
	if (target != CONNECT_RUNNING && target != CONNECT_PAUSED &&
		target != CONNECT_STOPPED)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a connector cannot be created in state %s",
						connect_state_name(target)),
				 errhint("Use RUNNING, PAUSED or STOPPED.")));
	if (strlen(name) >= CONNECT_NAME_LEN)
		ereport(ERROR,
				(errcode(ERRCODE_NAME_TOO_LONG),
				 errmsg("name of a connector is longer than %d bytes",
						CONNECT_NAME_LEN - 1)));

	row.name = name;
	row.owner = GetUserId();
	row.owner_name = GetUserNameFromId(row.owner, false);
	row.owner_exists = true;
	row.target = target;
	row.version = 1;
	row.config = named_config(name, cfg);

	validation = connect_config_validate(row.config, row.owner);
	connect_validation_raise(validation);

	connect_identity_ensure();
	row.id = connect_connector_next_id();
	row.config = take_passwords(&row, row.config, validation, &passwords);
	if (!connect_connector_insert(&row))
	{
		if (!if_not_exists)
			ereport(ERROR,
					(errcode(ERRCODE_DUPLICATE_OBJECT),
					 errmsg("connector \"%s\" already exists", name)));
		ereport(NOTICE,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("connector \"%s\" already exists, skipping", name)));
		return false;
	}
	store_passwords(&row, passwords);
	connect_history_add(&row, row.config, "create");
	tell_class(CHANGE_CREATED, &row, row.config, NULL);
	connect_wake_coordinator_at_commit();
	return true;
}

bool
connect_command_drop(const char *name, bool missing_ok)
{
	ConnectConnectorRow *row = connect_command_lock(name, missing_ok);

	if (row == NULL)
	{
		ereport(NOTICE,
				(errmsg("connector \"%s\" does not exist, skipping", name)));
		return false;
	}
	connect_connector_lock_to_delete(row->id);
	tell_class(CHANGE_DROPPED, row, row->config, NULL);
	connect_history_add(row, NULL, "drop");
	connect_connector_delete(row->id);
	connect_wake_coordinator_at_commit();
	return true;
}

void
connect_command_alter(const char *name, const ConnectConfig *cfg)
{
	configure(connect_command_lock(name, false), cfg, "alter");
}

void
connect_command_patch(const char *name, const ConnectConfig *patch)
{
	ConnectConnectorRow *row = connect_command_lock(name, false);
	ConnectConfig *cfg = connect_config_copy(row->config);

	for (int i = 0; i < patch->nentries; i++)
	{
		const ConnectConfigEntry *entry = &patch->entries[i];

		if (entry->value == NULL)
			connect_config_remove(cfg, entry->key);
		else
			connect_config_set(cfg, entry->key, entry->value);
	}
	configure(row, cfg, "patch");
}

void
connect_command_rollback(const char *name, int64 version)
{
	ConnectConnectorRow *row = connect_command_lock(name, false);

	configure(row, connect_command_version(name, version),
			  psprintf("rollback to " INT64_FORMAT, version));
}

ConnectConfig *
connect_command_version(const char *name, int64 version)
{
	ConnectConnectorRow *row = connect_command_find(name);
	ConnectConfig *cfg = connect_history_config(row->id, version);

	if (cfg == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("connector \"%s\" has no version " INT64_FORMAT,
						name, version)));
	return cfg;
}

/* Checks and stores a whole configuration for a connector that exists. */
static void
configure(ConnectConnectorRow *row, const ConnectConfig *cfg,
		  const char *change)
{
	ConnectConfig *old_cfg = row->config;
	ConnectConfig *new_cfg = named_config(row->name, cfg);
	ConnectValidation *validation;
	List	   *passwords = NIL;

	if (!row->owner_exists)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("owner of connector \"%s\" does not exist", row->name),
				 errhint("Give it an owner with connect_alter_owner().")));
	validation = connect_config_validate(new_cfg, row->owner);
	connect_validation_raise(validation);

	row->config = take_passwords(row, new_cfg, validation, &passwords);
	row->version++;
	connect_connector_update(row);
	store_passwords(row, passwords);
	if (passwords != NIL)
		connect_tasks_touch(row->id);
	connect_history_add(row, row->config, change);
	tell_class(CHANGE_ALTERED, row, row->config, old_cfg);
	connect_wake_coordinator_at_commit();
}

static void
require_create_right(void)
{
	char	   *schema;

	if (!connect_catalog_may_create(GetUserId(), &schema))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to create connectors"),
				 errhint("An administrator can GRANT EXECUTE ON FUNCTION %s.connect_create(text, jsonb, text).",
						 quote_identifier(schema))));
}

static void
require_matching_owner(const ConnectConnectorRow *row)
{
	bool		allowed = row->owner_exists ?
		has_privs_of_role(GetUserId(), row->owner) : superuser();

	if (!allowed)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be owner of connector \"%s\"", row->name)));
}

/* The configuration with the name in it. */
static ConnectConfig *
named_config(const char *name, const ConnectConfig *cfg)
{
	ConnectConfig *result = connect_config_copy(cfg);
	const char *given = connect_config_get(cfg, "name");

	if (given != NULL && strcmp(given, name) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("Connector name configuration (%s) doesn't match connector name in the URL (%s)",
						given, name)));
	connect_config_set(result, "name", name);
	return result;
}

static ConnectConfig *
take_passwords(const ConnectConnectorRow *row, const ConnectConfig *cfg,
			   const ConnectValidation *validation, List **passwords)
{
	ConnectConfig *result = connect_config_copy(cfg);

	for (int i = 0; i < cfg->nentries; i++)
	{
		const ConnectConfigEntry *entry = &cfg->entries[i];
		Password   *password;

		if (entry->value == NULL || *entry->value == '\0' ||
			!connect_validation_is_secret(validation, entry->key) ||
			connect_config_has_reference(entry->value))
			continue;
		password = palloc(sizeof(Password));
		password->name = psprintf("%s/%s", reference_name(row), entry->key);
		password->value = entry->value;
		*passwords = lappend(*passwords, password);
		connect_config_set(result, entry->key,
						   psprintf("${secret:%s}", password->name));
	}
	return result;
}

/*
 * A name that can stand in a reference and is like no other's: the
 * connector's, or its number.
 */
static const char *
reference_name(const ConnectConnectorRow *row)
{
	if (row->name[0] == '#' || strpbrk(row->name, "/}") != NULL)
		return psprintf("#" INT64_FORMAT, row->id);
	return row->name;
}

static void
store_passwords(const ConnectConnectorRow *row, List *passwords)
{
	ListCell   *lc;

	foreach(lc, passwords)
	{
		Password   *password = lfirst(lc);

		connect_secret_store(password->name, password->value, row->owner,
							 row->id);
	}
}

/* Calls what the class wants to know, as the connector's owner if there is one. */
static void
tell_class(Change change, const ConnectConnectorRow *row,
		   const ConnectConfig *cfg, const ConnectConfig *old_cfg)
{
	const char *name = connect_config_get(cfg, "connector.class");
	const ConnectConnectorClass *cls = connect_connector_find(name);
	const ConnectConnectorClass *old_cls = NULL;
	ConnectConfig *resolved;
	ConnectConfig *old_resolved = NULL;
	ConnectRoleScope scope;

	if (old_cfg != NULL)
	{
		old_cls = connect_connector_find(connect_config_get(old_cfg,
															"connector.class"));
		old_resolved = resolved_config(old_cfg, row->owner);
	}
	resolved = resolved_config(cfg, row->owner);

	/* Of one whose owner is gone a superuser disposes. */
	connect_role_enter(&scope, row->owner_exists ? row->owner : GetUserId());
	if (change == CHANGE_ALTERED && old_cls != cls)
	{
		if (old_cls != NULL && old_cls->dropped != NULL)
			old_cls->dropped(row->id, old_resolved);
		change = CHANGE_CREATED;
	}
	if (change == CHANGE_CREATED && cls->created != NULL)
		cls->created(row->id, resolved);
	else if (change == CHANGE_ALTERED && cls->altered != NULL)
		cls->altered(row->id, resolved, old_resolved);
	else if (change == CHANGE_DROPPED && cls != NULL && cls->dropped != NULL)
		cls->dropped(row->id, resolved);
	connect_role_leave(&scope);
}

/* References that no longer resolve stay as they are. */
static ConnectConfig *
resolved_config(const ConnectConfig *cfg, Oid owner)
{
	ConnectConfig *resolved;
	ConnectError err = {0};

	if (!connect_config_resolve(cfg, owner, &resolved, &err))
		return connect_config_copy(cfg);
	return resolved;
}
