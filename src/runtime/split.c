/*
 * split.c
 *	  How a connector's work is split into tasks.  See split.h.
 *
 * NOTES
 *	  Runs in the coordinator.  The connector gets its configuration with
 *	  references resolved; what it returns is stored with the references put
 *	  back, so that no secret reaches connect.task_def.
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/guc.h"
#include "utils/memutils.h"

#include "catalog/catalog.h"
#include "catalog/resolve.h"
#include "config/config.h"
#include "connector.h"
#include "runtime/mask.h"
#include "runtime/split.h"
#include "runtime/xact.h"

/* A task_configs() that takes longer holds up all connectors: it is ended. */
#define SPLIT_TIMEOUT_MS 5000
/* Locks that users hold in open transactions: tried again later. */
#define LOCK_TIMEOUT "1000"

static List *
default_split(const ConnectConnectorClass *cls, const ConnectConfig *cfg,
			  int max_tasks)
{
	List	   *result = NIL;
	int			n = cls->type == CONNECT_SOURCE ? 1 : max_tasks;

	for (int i = 0; i < n; i++)
		result = lappend(result, connect_config_copy(cfg));
	return result;
}

/* Values that came from references are written as references again. */
static void
restore_references(List *configs, const ConnectConfig *written,
				   const ConnectConfig *resolved)
{
	ListCell   *lc;

	foreach(lc, configs)
	{
		ConnectConfig *cfg = lfirst(lc);

		for (int i = 0; i < written->nentries; i++)
		{
			const char *key = written->entries[i].key;
			const char *raw = written->entries[i].value;
			const char *value = connect_config_get(resolved, key);

			if (raw && value && strcmp(raw, value) != 0 &&
				connect_config_has(cfg, key))
				connect_config_set(cfg, key, raw);
		}
	}
}

static void
add_context(void *arg)
{
	errcontext("splitting the work of connector \"%s\"", (char *) arg);
}

/* In a transaction. */
static List *
split(const ConnectConnectorRow *row)
{
	const char *class_name = connect_config_get(row->config, "connector.class");
	const ConnectConnectorClass *cls = class_name ?
		connect_connector_find(class_name) : NULL;
	const char *max_text;
	const char *enforce;
	int			max_tasks;
	ConnectConfig *resolved;
	List	   *secrets = NIL;
	ConnectError err = {0};
	ConnectRoleScope scope;
	ErrorContextCallback callback;
	List	   *configs;

	if (cls == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("connector class \"%s\" is not known",
						class_name ? class_name : ""),
				 errhint("A library that brings connectors must be in shared_preload_libraries, after connect.")));
	if (!connect_config_resolve_masked(row->config, row->owner, &resolved,
									   &secrets, &err))
		ereport(ERROR,
				(errcode(ERRCODE_CONFIG_FILE_ERROR),
				 errmsg("%s", err.message ? err.message : err.class_name)));
	connect_mask_learn(secrets);

	/* More than the server can run would only fill memory and the catalog. */
	max_text = connect_config_get(resolved, "tasks.max");
	enforce = connect_config_get(resolved, "tasks.max.enforce");
	max_tasks = max_text ? Min(atoi(max_text), connect_max_tasks) : 1;

	callback.callback = add_context;
	callback.arg = unconstify(char *, row->name);
	callback.previous = error_context_stack;
	error_context_stack = &callback;
	connect_xact_start_timeout(SPLIT_TIMEOUT_MS);
	connect_role_enter(&scope, row->owner);
	configs = cls->task_configs ?
		cls->task_configs(resolved, max_tasks) :
		default_split(cls, resolved, max_tasks);
	connect_role_leave(&scope);
	connect_xact_stop_timeout();
	error_context_stack = callback.previous;

	if (list_length(configs) > max_tasks)
	{
		bool		fail = enforce == NULL || pg_strcasecmp(enforce, "false") != 0;

		ereport(fail ? ERROR : WARNING,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("the connector %s has generated %d tasks, which is greater than %d, the maximum number of tasks it is configured to create",
						row->name, list_length(configs), max_tasks),
				 errhint("Raise tasks.max.")));
	}
	restore_references(configs, row->config, resolved);
	return configs;
}

bool
connect_split_xact(const ConnectConnectorRow *row, bool none, List **tasks,
				   MemoryContext tasks_context, ErrorData **error)
{
	MemoryContext caller = CurrentMemoryContext;
	volatile bool done = false;

	PG_TRY();
	{
		List	   *configs = NIL;

		connect_xact_begin();
		(void) set_config_option("lock_timeout", LOCK_TIMEOUT, PGC_USERSET,
								 PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0,
								 false);
		if (!none)
			configs = split(row);
		connect_catalog_store_tasks(row->id, configs, row->version);
		MemoryContextSwitchTo(tasks_context);
		*tasks = connect_catalog_tasks(row->id);
		connect_xact_commit();
		done = true;
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(caller);
		*error = CopyErrorData();
		connect_mask_error(*error);
		FlushErrorState();
		connect_xact_stop_timeout();
		connect_xact_abort();
	}
	PG_END_TRY();
	connect_mask_forget();
	MemoryContextSwitchTo(caller);
	return done;
}
