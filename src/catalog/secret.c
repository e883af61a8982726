/*
 * secret.c
 *	  connect.secret: values that no view, log or dump shows.
 *
 * NOTES
 *	  A secret belongs to a role; a connector may use it if its owner has that
 *	  role's rights.  Those of a connector are named "connector/key", belong to
 *	  its owner and go with it.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/acl.h"
#include "utils/builtins.h"

#include "catalog/access.h"
#include "catalog/command.h"

void
connect_secret_store(const char *name, const char *value, Oid owner,
					 int64 connector_id)
{
	static ConnectStatement stmt = {
		"INSERT INTO connect.secret AS s (name, owner, connector_id, value)"
		" VALUES ($1, $2::pg_catalog.regrole, NULLIF($3, 0), $4)"
		" ON CONFLICT (name) DO UPDATE SET value = $4"
		" WHERE s.connector_id IS NOT DISTINCT FROM NULLIF($3, 0)"
		" AND s.owner = $2::pg_catalog.regrole",
		4, {TEXTOID, OIDOID, INT8OID, TEXTOID}
	};
	Datum		values[] = {
		CStringGetTextDatum(name),
		ObjectIdGetDatum(owner),
		Int64GetDatum(connector_id),
		CStringGetTextDatum(value)
	};
	ConnectCatalogScope scope;

	connect_catalog_enter(&scope);
	if (connect_catalog_run(&stmt, values, NULL) != 1)
		elog(ERROR, "secret \"%s\" belongs to another connector", name);
	connect_catalog_leave(&scope);
}

bool
connect_secret_delete(const char *name)
{
	static ConnectStatement stmt = {
		"DELETE FROM connect.secret WHERE name = $1", 1, {TEXTOID}
	};
	Datum		values[] = {CStringGetTextDatum(name)};

	return connect_catalog_execute(&stmt, values, NULL) == 1;
}

Oid
connect_secret_owner(const char *name)
{
	static ConnectStatement stmt = {
		"SELECT owner::pg_catalog.oid FROM connect.secret WHERE name = $1"
		" FOR UPDATE", 1, {TEXTOID}
	};
	Datum		values[] = {CStringGetTextDatum(name)};
	ConnectCatalogScope scope;
	Oid			owner = InvalidOid;

	connect_catalog_enter(&scope);
	if (connect_catalog_run(&stmt, values, NULL) == 1)
		owner = connect_catalog_int64(0, 1, 0);
	connect_catalog_leave(&scope);
	return owner;
}

void
connect_secret_give(int64 connector_id, Oid owner)
{
	static ConnectStatement stmt = {
		"UPDATE connect.secret SET owner = $2::pg_catalog.regrole"
		" WHERE connector_id = $1", 2, {INT8OID, OIDOID}
	};
	Datum		values[] = {Int64GetDatum(connector_id), ObjectIdGetDatum(owner)};

	connect_catalog_execute(&stmt, values, NULL);
}

char *
connect_secret_get(const char *name, Oid owner)
{
	static ConnectStatement stmt = {
		"SELECT owner::pg_catalog.oid, value FROM connect.secret"
		" WHERE name = $1", 1, {TEXTOID}
	};
	Datum		values[] = {CStringGetTextDatum(name)};
	ConnectCatalogScope scope;
	char	   *value = NULL;

	connect_catalog_enter(&scope);
	if (connect_catalog_run(&stmt, values, NULL) == 1 &&
		has_privs_of_role(owner, connect_catalog_int64(0, 1, 0)))
		value = connect_catalog_text(&scope, 0, 2);
	connect_catalog_leave(&scope);
	return value;
}
