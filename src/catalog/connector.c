/*
 * connector.c
 *	  Rows of connect.connector_def and connect.task_def.
 *
 * NOTES
 *	  Lock order: the connector's row first (connect_connector_lock()), then
 *	  anything that belongs to it.  Commands hold that lock until they commit,
 *	  so that two commands on one connector never interleave.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "catalog/access.h"
#include "catalog/command.h"
#include "catalog/json.h"

#define CONNECTOR_COLUMNS \
	"SELECT c.id, c.name, c.owner::pg_catalog.oid," \
	" COALESCE(r.rolname, c.owner_name)::pg_catalog.text, r.oid IS NOT NULL," \
	" c.config, c.target, c.version, c.restarts," \
	" i.database IS DISTINCT FROM $1" \
	" OR c.system_id IS DISTINCT FROM i.system_id" \
	" OR c.database IS DISTINCT FROM i.database" \
	" FROM connect.connector_def c" \
	" LEFT JOIN pg_catalog.pg_roles r ON r.oid = c.owner" \
	" LEFT JOIN connect.identity i ON true"

static void *make_connector(const ConnectCatalogScope *scope, uint64 i);
static void *make_task(const ConnectCatalogScope *scope, uint64 i);
static ConnectConnectorRow *fetch_connector(ConnectStatement *stmt,
											Datum *values);

bool
connect_catalog_exists(void)
{
	return OidIsValid(get_extension_oid("connect", true));
}

char *
connect_catalog_version(void)
{
	static ConnectStatement stmt = {
		"SELECT extversion FROM pg_catalog.pg_extension WHERE extname = 'connect'"
	};
	ConnectCatalogScope scope;
	char	   *version;

	if (!connect_catalog_exists())
		return NULL;
	connect_catalog_enter(&scope);
	version = connect_catalog_run(&stmt, NULL, NULL) == 0 ? NULL :
		connect_catalog_text(&scope, 0, 1);
	connect_catalog_leave(&scope);
	return version;
}

bool
connect_catalog_may_create(Oid user, char **schema)
{
	static ConnectStatement stmt = {
		"SELECT n.nspname,"
		" pg_catalog.has_function_privilege($1, pg_catalog.format("
		"'%I.connect_create(text, jsonb, text)', n.nspname), 'EXECUTE')"
		" FROM pg_catalog.pg_extension e"
		" JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace"
		" WHERE e.extname = 'connect'", 1, {OIDOID}
	};
	Datum		values[] = {ObjectIdGetDatum(user)};
	ConnectCatalogScope scope;
	bool		may = false;

	*schema = NULL;
	connect_catalog_enter(&scope);
	if (connect_catalog_run(&stmt, values, NULL) > 0)
	{
		*schema = connect_catalog_text(&scope, 0, 1);
		may = connect_catalog_bool(0, 2);
	}
	connect_catalog_leave(&scope);
	return may;
}

List *
connect_catalog_connectors(void)
{
	static ConnectStatement stmt = {
		CONNECTOR_COLUMNS " ORDER BY c.id", 1, {OIDOID}
	};
	Datum		values[] = {ObjectIdGetDatum(MyDatabaseId)};

	return connect_catalog_list(&stmt, values, make_connector);
}

ConnectConnectorRow *
connect_catalog_connector(const char *name)
{
	static ConnectStatement stmt = {
		CONNECTOR_COLUMNS " WHERE c.name = $2", 2, {OIDOID, TEXTOID},
		.latest = true
	};
	Datum		values[] = {ObjectIdGetDatum(MyDatabaseId),
	CStringGetTextDatum(name)};

	return fetch_connector(&stmt, values);
}

ConnectConnectorRow *
connect_catalog_connector_by_id(int64 id)
{
	static ConnectStatement stmt = {
		CONNECTOR_COLUMNS " WHERE c.id = $2", 2, {OIDOID, INT8OID}
	};
	Datum		values[] = {ObjectIdGetDatum(MyDatabaseId), Int64GetDatum(id)};

	return fetch_connector(&stmt, values);
}

ConnectConnectorRow *
connect_connector_lock(const char *name)
{
	static ConnectStatement stmt = {
		CONNECTOR_COLUMNS " WHERE c.name = $2 FOR NO KEY UPDATE OF c",
		2, {OIDOID, TEXTOID}
	};
	Datum		values[] = {ObjectIdGetDatum(MyDatabaseId),
	CStringGetTextDatum(name)};

	return fetch_connector(&stmt, values);
}

bool
connect_connector_insert(const ConnectConnectorRow *row)
{
	static ConnectStatement stmt = {
		"INSERT INTO connect.connector_def (id, name, owner, owner_name,"
		" config, target, system_id, database)"
		" SELECT $1, $2, $3::pg_catalog.regrole, $4, $5, $6,"
		" i.system_id, i.database FROM connect.identity i"
		" ON CONFLICT (name) DO NOTHING",
		6, {INT8OID, TEXTOID, OIDOID, NAMEOID, JSONBOID, TEXTOID}
	};
	NameData	owner_name;
	Datum		values[] = {
		Int64GetDatum(row->id),
		CStringGetTextDatum(row->name),
		ObjectIdGetDatum(row->owner),
		NameGetDatum(&owner_name),
		JsonbPGetDatum(connect_config_to_jsonb(row->config)),
		CStringGetTextDatum(connect_state_name(row->target))
	};

	namestrcpy(&owner_name, row->owner_name);
	return connect_catalog_execute(&stmt, values, NULL) == 1;
}

int64
connect_connector_next_id(void)
{
	static ConnectStatement stmt = {
		"SELECT pg_catalog.nextval('connect.connector_def_id_seq')"
	};
	ConnectCatalogScope scope;
	int64		id;

	connect_catalog_enter(&scope);
	connect_catalog_run(&stmt, NULL, NULL);
	id = connect_catalog_int64(0, 1, 0);
	connect_catalog_leave(&scope);
	return id;
}

void
connect_connector_update(const ConnectConnectorRow *row)
{
	static ConnectStatement stmt = {
		"UPDATE connect.connector_def SET owner = $2::pg_catalog.regrole,"
		" owner_name = $3, config = $4, target = $5, version = $6,"
		" restarts = $7 WHERE id = $1",
		7, {INT8OID, OIDOID, NAMEOID, JSONBOID, TEXTOID, INT8OID, INT8OID}
	};
	NameData	owner_name;
	Datum		values[] = {
		Int64GetDatum(row->id),
		ObjectIdGetDatum(row->owner),
		NameGetDatum(&owner_name),
		JsonbPGetDatum(connect_config_to_jsonb(row->config)),
		CStringGetTextDatum(connect_state_name(row->target)),
		Int64GetDatum(row->version),
		Int64GetDatum(row->restarts)
	};

	namestrcpy(&owner_name, row->owner_name);
	connect_catalog_execute(&stmt, values, NULL);
}

void
connect_connector_lock_to_delete(int64 id)
{
	static ConnectStatement stmt = {
		"SELECT FROM connect.connector_def WHERE id = $1 FOR UPDATE",
		1, {INT8OID}
	};
	Datum		values[] = {Int64GetDatum(id)};

	connect_catalog_execute(&stmt, values, NULL);
}

void
connect_connector_delete(int64 id)
{
	static ConnectStatement stmt = {
		"DELETE FROM connect.connector_def WHERE id = $1", 1, {INT8OID}
	};
	Datum		values[] = {Int64GetDatum(id)};

	connect_catalog_execute(&stmt, values, NULL);
}

List *
connect_catalog_tasks(int64 connector_id)
{
	static ConnectStatement stmt = {
		"SELECT task, config, config_version, restarts FROM connect.task_def"
		" WHERE connector_id = $1 ORDER BY task", 1, {INT8OID}
	};
	Datum		values[] = {Int64GetDatum(connector_id)};

	return connect_catalog_list(&stmt, values, make_task);
}

static void *
make_task(const ConnectCatalogScope *scope, uint64 i)
{
	ConnectTaskRow *row = palloc0(sizeof(ConnectTaskRow));

	row->task = connect_catalog_int64(i, 1, 0);
	row->config = connect_catalog_config(scope, i, 2);
	row->config_version = connect_catalog_int64(i, 3, 0);
	row->restarts = connect_catalog_int64(i, 4, 0);
	return row;
}

/*
 * version is the connector's: a task whose configuration is new or has changed
 * takes it, or the next number if it has that one already.
 */
bool
connect_catalog_store_tasks(int64 connector_id, List *configs, int64 version)
{
	static ConnectStatement upsert = {
		"INSERT INTO connect.task_def AS t"
		" (connector_id, task, config, config_version)"
		" VALUES ($1, $2, $3, $4)"
		" ON CONFLICT (connector_id, task) DO UPDATE SET config = $3,"
		" config_version = GREATEST($4, t.config_version + 1)"
		" WHERE t.config <> $3",
		4, {INT8OID, INT4OID, JSONBOID, INT8OID}
	};
	static ConnectStatement cut = {
		"DELETE FROM connect.task_def WHERE connector_id = $1 AND task >= $2",
		2, {INT8OID, INT4OID}
	};
	ConnectCatalogScope scope;
	uint64		changed = 0;
	int			task = 0;
	ListCell   *lc;

	connect_catalog_enter(&scope);
	foreach(lc, configs)
	{
		ConnectConfig *cfg = lfirst(lc);
		Datum		values[] = {
			Int64GetDatum(connector_id),
			Int32GetDatum(task++),
			JsonbPGetDatum(connect_config_to_jsonb(cfg)),
			Int64GetDatum(version)
		};

		changed += connect_catalog_run(&upsert, values, NULL);
	}
	{
		Datum		values[] = {
			Int64GetDatum(connector_id), Int32GetDatum(task)
		};

		changed += connect_catalog_run(&cut, values, NULL);
	}
	connect_catalog_leave(&scope);
	return changed > 0;
}

void
connect_tasks_touch(int64 connector_id)
{
	static ConnectStatement stmt = {
		"UPDATE connect.task_def SET config_version = config_version + 1"
		" WHERE connector_id = $1", 1, {INT8OID}
	};
	Datum		values[] = {Int64GetDatum(connector_id)};

	connect_catalog_execute(&stmt, values, NULL);
}

bool
connect_task_restart_request(int64 connector_id, int task)
{
	static ConnectStatement stmt = {
		"UPDATE connect.task_def SET restarts = restarts + 1"
		" WHERE connector_id = $1 AND task = $2", 2, {INT8OID, INT4OID}
	};
	Datum		values[] = {Int64GetDatum(connector_id), Int32GetDatum(task)};

	return connect_catalog_execute(&stmt, values, NULL) == 1;
}

static ConnectConnectorRow *
fetch_connector(ConnectStatement *stmt, Datum *values)
{
	List	   *rows = connect_catalog_list(stmt, values, make_connector);

	return rows == NIL ? NULL : linitial(rows);
}

static void *
make_connector(const ConnectCatalogScope *scope, uint64 i)
{
	ConnectConnectorRow *row = palloc0(sizeof(ConnectConnectorRow));

	row->id = connect_catalog_int64(i, 1, 0);
	row->name = connect_catalog_text(scope, i, 2);
	row->owner = connect_catalog_int64(i, 3, 0);
	row->owner_name = connect_catalog_text(scope, i, 4);
	row->owner_exists = connect_catalog_bool(i, 5);
	row->config = connect_catalog_config(scope, i, 6);
	if (!connect_state_parse(connect_catalog_text(scope, i, 7), &row->target))
		elog(ERROR, "connector " INT64_FORMAT " has an unknown target",
			 row->id);
	row->version = connect_catalog_int64(i, 8, 0);
	row->restarts = connect_catalog_int64(i, 9, 0);
	row->foreign = connect_catalog_bool(i, 10);
	return row;
}
