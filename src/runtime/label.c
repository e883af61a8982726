/*
 * label.c
 *	  The mark on databases that have the extension.  See label.h.
 *
 * NOTES
 *	  Set when the extension is created, removed when it is dropped (hooks.c).
 *	  SECURITY LABEL by hand: pg_dump writes the mark with the database and a
 *	  restore sets it again, so the right text is accepted; it makes the
 *	  launcher look once, and is without effect if there is no extension.
 *	  Nothing else is accepted, removal neither.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_database.h"
#include "catalog/pg_shseclabel.h"
#include "commands/seclabel.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "runtime/label.h"
#include "runtime/wakeup.h"

#define PROVIDER "connect"
#define LABEL "connect"

/* pg_database.datconnlimit of a database whose removal was interrupted. */
#define INVALID_DATABASE (-2)

static void
check_label(const ObjectAddress *object, const char *label)
{
	if (object->classId != DatabaseRelationId)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("security labels of provider \"%s\" are for databases only",
						PROVIDER)));
	if (label == NULL || strcmp(label, LABEL) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("security labels of provider \"%s\" cannot be changed by hand",
						PROVIDER),
				 errhint("CREATE EXTENSION and DROP EXTENSION set and remove them.")));
	connect_wake_launcher_at_commit();
}

void
connect_label_init(void)
{
	register_label_provider(PROVIDER, check_label);
}

void
connect_label_set(bool present)
{
	ObjectAddress database;

	ObjectAddressSet(database, DatabaseRelationId, MyDatabaseId);
	SetSecurityLabel(&database, PROVIDER, present ? LABEL : NULL);
	connect_wake_launcher_at_commit();
	connect_wake_coordinator_at_commit();
}

bool
connect_label_is_set(Oid database)
{
	ObjectAddress object;

	ObjectAddressSet(object, DatabaseRelationId, database);
	return GetSecurityLabel(&object, PROVIDER) != NULL;
}

/* Databases that carry the mark. */
static List *
labelled_databases(void)
{
	List	   *result = NIL;
	Relation	rel = table_open(SharedSecLabelRelationId, AccessShareLock);
	TableScanDesc scan = table_beginscan_catalog(rel, 0, NULL);
	HeapTuple	tuple;

	while (HeapTupleIsValid(tuple = heap_getnext(scan, ForwardScanDirection)))
	{
		Form_pg_shseclabel row = (Form_pg_shseclabel) GETSTRUCT(tuple);
		bool		isnull;
		Datum		provider = heap_getattr(tuple, Anum_pg_shseclabel_provider,
											RelationGetDescr(rel), &isnull);

		if (row->classoid == DatabaseRelationId && !isnull &&
			strcmp(TextDatumGetCString(provider), PROVIDER) == 0)
			result = lappend_oid(result, row->objoid);
	}
	table_endscan(scan);
	table_close(rel, AccessShareLock);
	return result;
}

List *
connect_label_databases_xact(void)
{
	MemoryContext caller = CurrentMemoryContext;
	List	   *labelled;
	List	   *result = NIL;
	Relation	rel;
	TableScanDesc scan;
	HeapTuple	tuple;

	StartTransactionCommand();
	(void) GetTransactionSnapshot();

	labelled = labelled_databases();
	rel = table_open(DatabaseRelationId, AccessShareLock);
	scan = table_beginscan_catalog(rel, 0, NULL);
	while (HeapTupleIsValid(tuple = heap_getnext(scan, ForwardScanDirection)))
	{
		Form_pg_database row = (Form_pg_database) GETSTRUCT(tuple);

		if (row->datallowconn && !row->datistemplate &&
			row->datconnlimit != INVALID_DATABASE &&
			list_member_oid(labelled, row->oid))
		{
			MemoryContext old = MemoryContextSwitchTo(caller);

			result = lappend_oid(result, row->oid);
			MemoryContextSwitchTo(old);
		}
	}
	table_endscan(scan);
	table_close(rel, AccessShareLock);

	CommitTransactionCommand();
	MemoryContextSwitchTo(caller);
	return result;
}
