/*
 * history.c
 *	  connect.config_history_def: who changed what, and how it was.
 *
 * NOTES
 *	  Rows outlive their connector.  Configurations are as stored, so passwords
 *	  are references there; nothing is masked because nothing needs it.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "catalog/access.h"
#include "catalog/command.h"
#include "catalog/json.h"

void
connect_history_add(const ConnectConnectorRow *row,
					const ConnectConfig *config, const char *change)
{
	static ConnectStatement stmt = {
		"INSERT INTO connect.config_history_def (connector_id, connector,"
		" owner, version, config, changed_by, change)"
		" VALUES ($1, $2, $3::pg_catalog.regrole, $4, $5, $6, $7)",
		7, {INT8OID, TEXTOID, OIDOID, INT8OID, JSONBOID, TEXTOID, TEXTOID}
	};
	Datum		values[] = {
		Int64GetDatum(row->id),
		CStringGetTextDatum(row->name),
		ObjectIdGetDatum(row->owner),
		Int64GetDatum(row->version),
		config == NULL ? (Datum) 0 :
		JsonbPGetDatum(connect_config_to_jsonb(config)),
		CStringGetTextDatum(GetUserNameFromId(GetUserId(), false)),
		CStringGetTextDatum(change)
	};
	char		nulls[] = "       ";

	if (config == NULL)
		nulls[4] = 'n';
	connect_catalog_execute(&stmt, values, nulls);
}

ConnectConfig *
connect_history_config(int64 connector_id, int64 version)
{
	static ConnectStatement stmt = {
		"SELECT config FROM connect.config_history_def"
		" WHERE connector_id = $1 AND version = $2 AND config IS NOT NULL"
		" ORDER BY id DESC LIMIT 1", 2, {INT8OID, INT8OID}
	};
	Datum		values[] = {Int64GetDatum(connector_id), Int64GetDatum(version)};
	ConnectCatalogScope scope;
	ConnectConfig *config = NULL;

	connect_catalog_enter(&scope);
	if (connect_catalog_run(&stmt, values, NULL) > 0)
		config = connect_catalog_config(&scope, 0, 1);
	connect_catalog_leave(&scope);
	return config;
}
