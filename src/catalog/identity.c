/*
 * identity.c
 *	  Who this installation is: one row in connect.identity.
 *
 * NOTES
 *	  A connector carries the identity that it was made or adopted under.  The
 *	  row is in no dump, so a restored connector's does not match; a database
 *	  copied from a template keeps the row but not the OID.  pg_upgrade keeps
 *	  both: its files carry the row over, and database OIDs stay.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"

#include "catalog/access.h"
#include "catalog/command.h"
#include "runtime/label.h"

void
connect_identity_ensure(void)
{
	static ConnectStatement update = {
		"UPDATE connect.identity SET system_id = pg_catalog.gen_random_uuid(),"
		" database = $1 WHERE database <> $1", 1, {OIDOID}
	};
	static ConnectStatement insert = {
		"INSERT INTO connect.identity"
		" SELECT pg_catalog.gen_random_uuid(), $1"
		" WHERE NOT EXISTS (SELECT FROM connect.identity)", 1, {OIDOID}
	};
	Datum		values[] = {ObjectIdGetDatum(MyDatabaseId)};
	bool		changed;

	changed = connect_catalog_execute(&update, values, NULL) > 0 ||
		connect_catalog_execute(&insert, values, NULL) > 0;

	/* A copy has no mark yet: nothing has run in it so far. */
	if (changed)
		connect_label_set(true);
}

void
connect_identity_adopt(int64 connector_id)
{
	static ConnectStatement stmt = {
		"UPDATE connect.connector_def c"
		" SET system_id = i.system_id, database = i.database"
		" FROM connect.identity i WHERE c.id = $1", 1, {INT8OID}
	};
	Datum		values[] = {Int64GetDatum(connector_id)};

	connect_identity_ensure();
	connect_catalog_execute(&stmt, values, NULL);
}
