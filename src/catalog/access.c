/*
 * access.c
 *	  The switches of identity: around statements on the connect.* tables, and
 *	  around what a connector's class does as its owner.
 *
 * NOTES
 *	  Runs in backends, coordinators and tasks, inside a transaction.  The
 *	  tables belong to whoever created the extension; that role is taken from
 *	  connect.connector_def itself.  SECURITY_LOCAL_USERID_CHANGE refuses SET
 *	  ROLE and SET SESSION AUTHORIZATION while it lasts.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "commands/extension.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "catalog/access.h"
#include "catalog/catalog.h"
#include "catalog/json.h"

static Oid	tables_owner(void);

void
connect_catalog_enter(ConnectCatalogScope *scope)
{
	Assert(IsTransactionState());

	scope->caller = CurrentMemoryContext;
	GetUserIdAndSecContext(&scope->user, &scope->sec_context);
	SetUserIdAndSecContext(tables_owner(),
						   scope->sec_context | SECURITY_LOCAL_USERID_CHANGE);
	scope->guc_level = NewGUCNestLevel();
	(void) set_config_option("search_path", "pg_catalog, pg_temp",
							 PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE,
							 true, 0, false);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to SPI");
}

void
connect_catalog_leave(ConnectCatalogScope *scope)
{
	SPI_finish();
	AtEOXact_GUC(false, scope->guc_level);
	SetUserIdAndSecContext(scope->user, scope->sec_context);
}

void
connect_role_enter(ConnectRoleScope *scope, Oid role)
{
	GetUserIdAndSecContext(&scope->user, &scope->sec_context);
	scope->guc_level = NewGUCNestLevel();
	SetUserIdAndSecContext(role, scope->sec_context |
						   SECURITY_LOCAL_USERID_CHANGE |
						   SECURITY_RESTRICTED_OPERATION);
}

void
connect_role_leave(const ConnectRoleScope *scope)
{
	AtEOXact_GUC(false, scope->guc_level);
	SetUserIdAndSecContext(scope->user, scope->sec_context);
}

uint64
connect_catalog_run(ConnectStatement *stmt, Datum *values, const char *nulls)
{
	int			result;

	if (stmt->plan == NULL)
	{
		SPIPlanPtr	plan = SPI_prepare(stmt->sql, stmt->nargs, stmt->argtypes);

		if (plan == NULL)
			elog(ERROR, "could not prepare \"%s\": %s", stmt->sql,
				 SPI_result_code_string(SPI_result));
		SPI_keepplan(plan);
		stmt->plan = plan;
	}

	if (stmt->latest)
	{
		Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());

		result = SPI_execute_snapshot(stmt->plan, values, nulls, snapshot,
									  InvalidSnapshot, false, true, 0);
		UnregisterSnapshot(snapshot);
	}
	else
		result = SPI_execute_plan(stmt->plan, values, nulls, false, 0);
	if (result < 0)
		elog(ERROR, "could not execute \"%s\": %s", stmt->sql,
			 SPI_result_code_string(result));
	return SPI_processed;
}

uint64
connect_catalog_execute(ConnectStatement *stmt, Datum *values,
						const char *nulls)
{
	ConnectCatalogScope scope;
	uint64		n;

	connect_catalog_enter(&scope);
	n = connect_catalog_run(stmt, values, nulls);
	connect_catalog_leave(&scope);
	return n;
}

List *
connect_catalog_list(ConnectStatement *stmt, Datum *values,
					 void *(*make) (const ConnectCatalogScope *scope, uint64 row))
{
	ConnectCatalogScope scope;
	MemoryContext old;
	List	   *result = NIL;
	uint64		n;

	connect_catalog_enter(&scope);
	n = connect_catalog_run(stmt, values, NULL);
	old = MemoryContextSwitchTo(scope.caller);
	for (uint64 i = 0; i < n; i++)
		result = lappend(result, make(&scope, i));
	MemoryContextSwitchTo(old);
	connect_catalog_leave(&scope);
	return result;
}

Datum
connect_catalog_text_arg(const char *value, char *null)
{
	if (value != NULL)
		return CStringGetTextDatum(value);
	*null = 'n';
	return (Datum) 0;
}

char *
connect_catalog_text(const ConnectCatalogScope *scope, uint64 row, int col)
{
	char	   *value = SPI_getvalue(SPI_tuptable->vals[row],
									 SPI_tuptable->tupdesc, col);

	return value == NULL ? NULL : MemoryContextStrdup(scope->caller, value);
}

int64
connect_catalog_int64(uint64 row, int col, int64 if_null)
{
	bool		isnull;
	Datum		value = SPI_getbinval(SPI_tuptable->vals[row],
									  SPI_tuptable->tupdesc, col, &isnull);

	if (isnull)
		return if_null;
	switch (SPI_gettypeid(SPI_tuptable->tupdesc, col))
	{
		case INT8OID:
			return DatumGetInt64(value);
		case INT4OID:
			return DatumGetInt32(value);
		case OIDOID:
			return DatumGetObjectId(value);
	}
	elog(ERROR, "column %d is no integer", col);
}

bool
connect_catalog_bool(uint64 row, int col)
{
	bool		isnull;
	Datum		value = SPI_getbinval(SPI_tuptable->vals[row],
									  SPI_tuptable->tupdesc, col, &isnull);

	return !isnull && DatumGetBool(value);
}

ConnectConfig *
connect_catalog_config(const ConnectCatalogScope *scope, uint64 row, int col)
{
	bool		isnull;
	Datum		value = SPI_getbinval(SPI_tuptable->vals[row],
									  SPI_tuptable->tupdesc, col, &isnull);
	MemoryContext old;
	ConnectConfig *cfg;

	if (isnull)
		return NULL;
	old = MemoryContextSwitchTo(scope->caller);
	cfg = connect_config_from_jsonb(DatumGetJsonbPCopy(value));
	MemoryContextSwitchTo(old);
	return cfg;
}

static Oid
tables_owner(void)
{
	Oid			schema = get_namespace_oid("connect", true);
	Oid			table = OidIsValid(schema) ?
		get_relname_relid("connector_def", schema) : InvalidOid;
	HeapTuple	tuple = OidIsValid(table) ?
		SearchSysCache1(RELOID, ObjectIdGetDatum(table)) : NULL;
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("extension \"connect\" is not installed in this database"),
				 errhint("Run CREATE EXTENSION connect.")));
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return owner;
}
