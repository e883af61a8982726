/*
 * define.c
 *	  Streams, their triggers and queues, as the configuration says.
 *
 * NOTES
 *	  Runs in the backend of the user who creates, alters or drops a connector,
 *	  in his transaction, as the connector's owner.  The owner must have SELECT
 *	  and TRIGGER on each table, and see all its rows: triggers are created with
 *	  his rights.  Our own tables and the dropping of our own triggers go through
 *	  connect_catalog_enter().
 */
#include "postgres.h"

#include "access/table.h"
#include "access/transam.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/varlena.h"
#include "utils/xid8.h"

#include "catalog/access.h"
#include "catalog/catalog.h"
#include "catalog/command.h"
#include "compat.h"
#include "stream/config.h"
#include "stream/initial.h"
#include "stream/stream.h"

#define STREAM_COLUMNS \
	"SELECT s.id, s.connector_id, c.oid, coalesce(n.nspname, s.schema_name)," \
	" coalesce(c.relname, s.table_name), s.topic, s.columns, s.filter," \
	" s.operations, s.key, s.debezium, s.tombstones, s.old_row, s.pending," \
	" s.baseline, s.leaves, s.files, s.open" \
	" FROM connect.stream s LEFT JOIN pg_catalog.pg_class c" \
	" ON c.oid = s.relation LEFT JOIN pg_catalog.pg_namespace n" \
	" ON n.oid = c.relnamespace"

static List *
text_list(HeapTuple row, TupleDesc desc, int column)
{
	bool		isnull;
	Datum		array = SPI_getbinval(row, desc, column, &isnull);
	List	   *list = NIL;
	Datum	   *elems;
	int			n;

	if (isnull)
		return NIL;
	deconstruct_array(DatumGetArrayTypeP(array), TEXTOID, -1, false,
					  TYPALIGN_INT, &elems, NULL, &n);
	for (int i = 0; i < n; i++)
		list = lappend(list, TextDatumGetCString(elems[i]));
	return list;
}

static Oid *
number_array(HeapTuple row, TupleDesc desc, int column, int *n)
{
	bool		isnull;
	ArrayType  *array = DatumGetArrayTypePCopy(SPI_getbinval(row, desc, column,
															 &isnull));

	*n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	return (Oid *) ARR_DATA_PTR(array);
}

/* One row of STREAM_COLUMNS; allocates in the current context. */
static void *
make_stream(const ConnectCatalogScope *scope, uint64 i)
{
	ConnectStream *stream = palloc0(sizeof(ConnectStream));
	HeapTuple	row = SPI_tuptable->vals[i];
	TupleDesc	desc = SPI_tuptable->tupdesc;
	bool		isnull;

	stream->id = DatumGetInt64(SPI_getbinval(row, desc, 1, &isnull));
	stream->connector_id = DatumGetInt64(SPI_getbinval(row, desc, 2, &isnull));
	stream->relid = DatumGetObjectId(SPI_getbinval(row, desc, 3, &isnull));
	if (isnull)
		stream->relid = InvalidOid;
	stream->schema_name = SPI_getvalue(row, desc, 4);
	stream->table_name = SPI_getvalue(row, desc, 5);
	stream->topic = SPI_getvalue(row, desc, 6);
	stream->columns = text_list(row, desc, 7);
	stream->filter = SPI_getvalue(row, desc, 8);
	stream->operations = DatumGetInt32(SPI_getbinval(row, desc, 9, &isnull));
	stream->key = text_list(row, desc, 10);
	stream->debezium = DatumGetBool(SPI_getbinval(row, desc, 11, &isnull));
	stream->tombstones = DatumGetBool(SPI_getbinval(row, desc, 12, &isnull));
	stream->old_row = DatumGetBool(SPI_getbinval(row, desc, 13, &isnull));
	stream->pending = DatumGetBool(SPI_getbinval(row, desc, 14, &isnull));
	stream->baseline =
		U64FromFullTransactionId(DatumGetFullTransactionId(SPI_getbinval(row, desc, 15,
																		 &isnull)));
	stream->leaves = number_array(row, desc, 16, &stream->nleaves);
	stream->files = number_array(row, desc, 17, &stream->nleaves);
	stream->open = number_array(row, desc, 18, &stream->nopen);
	return stream;
}

/* Of ConnectStream, in the order of their ids. */
List *
connect_stream_list(int64 connector_id)
{
	static ConnectStatement stmt = {
		STREAM_COLUMNS " WHERE s.connector_id = $1 ORDER BY s.id",
		1, {INT8OID}, .latest = true
	};
	Datum		arg = Int64GetDatum(connector_id);

	return connect_catalog_list(&stmt, &arg, make_stream);
}

ConnectStream *
connect_stream_find(int64 connector_id, Oid relid)
{
	ListCell   *lc;

	foreach(lc, connect_stream_list(connector_id))
	{
		ConnectStream *stream = lfirst(lc);

		if (stream->relid == relid)
			return stream;
	}
	return NULL;
}

static void
streams_changed(void)
{
	CacheInvalidateRelcacheByRelid(get_relname_relid("stream",
													 get_namespace_oid("connect",
																	   false)));
}

/* The initial read of a stream is complete. */
void
connect_stream_read(int64 id)
{
	static ConnectStatement stmt = {
		"UPDATE connect.stream SET pending = false WHERE id = $1",
		1, {INT8OID}
	};
	Datum		arg = Int64GetDatum(id);

	connect_catalog_execute(&stmt, &arg, NULL);
}

/* RangeVarGetRelidCallback: nobody waits for a table that he may not stream. */
static void
check_table(const RangeVar *rv, Oid relid, Oid old_relid, void *arg)
{
	const char *name = rv->schemaname ?
		psprintf("%s.%s", rv->schemaname, rv->relname) : rv->relname;
	char		relkind;
	AclResult	acl;

	if (!OidIsValid(relid))
		return;
	relkind = get_rel_relkind(relid);
	if (relkind != RELKIND_RELATION && relkind != RELKIND_PARTITIONED_TABLE)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("cannot stream \"%s\": it is not a table", name)));
	if (get_rel_namespace(relid) == get_namespace_oid("connect", false))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("cannot stream \"%s\": it is a table of connect itself", name)));
	if (get_rel_persistence(relid) == RELPERSISTENCE_TEMP)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("cannot stream \"%s\": it is a temporary table", name),
				 errdetail("Its rows are in its session alone.")));
	acl = pg_class_aclmask(relid, GetUserId(), ACL_SELECT | ACL_TRIGGER,
						   ACLMASK_ALL) == (ACL_SELECT | ACL_TRIGGER) ?
		ACLCHECK_OK : ACLCHECK_NO_PRIV;
	if (acl != ACLCHECK_OK)
		aclcheck_error(acl, get_relkind_objtype(relkind), name);
}

/* The table of a configured name, locked against other DDL. */
static Oid
resolve_table(const char *name)
{
	RangeVar   *rv = makeRangeVarFromNameList(connect_name_list(name));
	Oid			relid = RangeVarGetRelidExtended(rv, ShareRowExclusiveLock, 0,
												 check_table, NULL);

	if (check_enable_rls(relid, GetUserId(), true) == RLS_ENABLED)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("cannot stream \"%s\": row-level security hides rows from \"%s\"",
						name, GetUserNameFromId(GetUserId(), false)),
				 errhint("Give the connector an owner who sees all rows.")));
	return relid;
}

/* The schema that the extension's functions are in. */
static char *
function_schema(void)
{
	MemoryContext caller = CurrentMemoryContext;
	char	   *schema;

	SPI_connect();
	SPI_execute("SELECT n.nspname FROM pg_catalog.pg_extension e"
				" JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace"
				" WHERE e.extname = 'connect'", true, 1);
	schema = MemoryContextStrdup(caller,
								 SPI_getvalue(SPI_tuptable->vals[0],
											  SPI_tuptable->tupdesc, 1));
	SPI_finish();
	return schema;
}

static char *
qualified_name(Oid relid)
{
	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)),
									  get_rel_name(relid));
}

/*
 * Runs as the owner.  Row triggers are cloned to partitions by the server,
 * TRUNCATE fires on the leaves it empties: each gets a trigger of its own.
 */
static void
create_triggers(int64 connector_id, const char *connector, Oid relid,
				List *leaves)
{
	char	   *function =
		quote_qualified_identifier(function_schema(),
								   "connect_capture");
	ListCell   *lc;

	SPI_connect();
	SPI_execute(psprintf("CREATE TRIGGER " CONNECT_CAPTURE_TRIGGER INT64_FORMAT
						 " AFTER INSERT OR UPDATE OR DELETE ON %s"
						 " FOR EACH ROW EXECUTE FUNCTION %s(%s)",
						 connector_id, qualified_name(relid), function,
						 quote_literal_cstr(connector)), false, 0);
	foreach(lc, leaves)
		SPI_execute(psprintf("CREATE TRIGGER " CONNECT_TRUNCATE_TRIGGER INT64_FORMAT
							 " AFTER TRUNCATE ON %s"
							 " FOR EACH STATEMENT EXECUTE FUNCTION %s(%s)",
							 connector_id, qualified_name(lfirst_oid(lc)), function,
							 quote_literal_cstr(connector)), false, 0);
	SPI_finish();
}

/*
 * Runs as the owner of the connector, who must own the table for this.  The
 * triggers of partitions and of TRUNCATE follow (partition.c).
 */
static void
set_always(int64 connector_id, Oid relid, bool always)
{
	char	   *name = psprintf(CONNECT_CAPTURE_TRIGGER INT64_FORMAT,
								connector_id);

	if (!OidIsValid(get_trigger_oid(relid, name, true)))
		return;
	SPI_connect();
	SPI_execute(psprintf("ALTER TABLE %s ENABLE %s TRIGGER %s",
						 qualified_name(relid), always ? "ALWAYS" : "", name),
				false, 0);
	SPI_finish();
}

/* Drops our triggers of one stream, or all of the connector's (relid 0). */
static void
drop_triggers(int64 connector_id, Oid relid)
{
	ConnectCatalogScope saved;
	Oid			argtypes[] = {TEXTOID, TEXTOID, OIDOID};
	Datum		args[3];
	SPITupleTable *found;
	uint64		n;

	args[0] = CStringGetTextDatum(psprintf(CONNECT_CAPTURE_TRIGGER INT64_FORMAT,
										   connector_id));
	args[1] = CStringGetTextDatum(psprintf(CONNECT_TRUNCATE_TRIGGER INT64_FORMAT,
										   connector_id));
	args[2] = ObjectIdGetDatum(relid);
	connect_catalog_enter(&saved);
	SPI_execute_with_args("SELECT pg_catalog.format('DROP TRIGGER %I ON %s',"
						  " t.tgname, t.tgrelid::pg_catalog.regclass)"
						  " FROM pg_catalog.pg_trigger t"
						  " WHERE t.tgname IN ($1, $2) AND t.tgparentid = 0"
						  " AND ($3 = 0 OR t.tgrelid = $3 OR t.tgrelid IN"
						  " (SELECT relid FROM pg_catalog.pg_partition_tree($3)))",
						  3, argtypes, args, NULL, true, 0);
	found = SPI_tuptable;
	n = SPI_processed;
	for (uint64 i = 0; i < n; i++)
		SPI_execute(SPI_getvalue(found->vals[i], found->tupdesc, 1), false, 0);
	connect_catalog_leave(&saved);
}

static Datum
text_array_or_null(char **names, int n, char *null)
{
	Datum	   *elems = palloc(sizeof(Datum) * Max(n, 1));

	*null = n == 0 ? 'n' : ' ';
	for (int i = 0; i < n; i++)
		elems[i] = CStringGetTextDatum(names[i]);
	return PointerGetDatum(construct_array(elems, n, TEXTOID, -1, false,
										   TYPALIGN_INT));
}

/* The leaves, and what each is stored in. */
static void
store_leaves(List *leaves, Datum *relids, Datum *files)
{
	int			n = list_length(leaves);
	Datum	   *relid = palloc(sizeof(Datum) * Max(n, 1));
	Datum	   *file = palloc(sizeof(Datum) * Max(n, 1));

	for (int i = 0; i < n; i++)
	{
		Relation	rel = table_open(list_nth_oid(leaves, i), NoLock);

		relid[i] = ObjectIdGetDatum(RelationGetRelid(rel));
		file[i] = ObjectIdGetDatum(rel->rd_rel->relfilenode);
		table_close(rel, NoLock);
	}
	*relids = PointerGetDatum(construct_array(relid, n, OIDOID, sizeof(Oid),
											  true, TYPALIGN_INT));
	*files = PointerGetDatum(construct_array(file, n, OIDOID, sizeof(Oid),
											 true, TYPALIGN_INT));
}

/*
 * Transactions before the baseline that may still write, with their
 * subtransactions, but for the current one and its own; sorted.  Of one with
 * more than 64 subtransactions these are missing: what such a one writes from
 * now on is read and in the queue, too.
 */
static Datum
open_transactions(TransactionId baseline)
{
	Snapshot	snapshot = GetLatestSnapshot();
	int32		nlater = (int32) (baseline - snapshot->xmax);
	int			max = snapshot->xcnt + snapshot->subxcnt + Max(nlater, 0);
	TransactionId *open = palloc(sizeof(TransactionId) * Max(max, 1));
	Datum	   *values = palloc(sizeof(Datum) * Max(max, 1));
	int			n = snapshot->xcnt;

	memcpy(open, snapshot->xip, sizeof(TransactionId) * snapshot->xcnt);
	for (int i = 0; i < snapshot->subxcnt; i++)
		open[n++] = snapshot->subxip[i];
	for (TransactionId xid = snapshot->xmax; TransactionIdPrecedes(xid, baseline);)
	{
		if (!TransactionIdIsCurrentTransactionId(xid))
			open[n++] = xid;
		TransactionIdAdvance(xid);
	}
	qsort(open, n, sizeof(TransactionId), xidComparator);
	for (int i = 0; i < n; i++)
		values[i] = TransactionIdGetDatum(open[i]);
	return PointerGetDatum(construct_array(values, n, XIDOID,
										   sizeof(TransactionId), true,
										   TYPALIGN_INT));
}

/* Inserts the stream of one table, or updates its options. */
static void
store_stream(int64 connector_id, Oid relid, bool is_new, List *leaves,
			 const char *table, const ConnectConfig *cfg)
{
	Oid			argtypes[] = {INT8OID, OIDOID, TEXTOID, TEXTARRAYOID, TEXTOID,
		INT4OID, TEXTARRAYOID, BOOLOID, BOOLOID, BOOLOID, BOOLOID, XID8OID,
	OIDARRAYOID, OIDARRAYOID, TEXTOID, TEXTOID, XIDARRAYOID};
	Datum		args[17];
	char		nulls[17];
	ConnectCatalogScope saved;
	const char *filter = connect_stream_option(cfg, table, "where");
	const char *schema_name = get_namespace_name(get_rel_namespace(relid));
	const char *table_name = get_rel_name(relid);
	Relation	rel = table_open(relid, NoLock);
	FullTransactionId baseline;
	int			ncolumns;
	int			nkeys;
	char	  **columns;
	char	  **keys;

	memset(nulls, ' ', sizeof(nulls));
	columns = connect_config_split(connect_stream_option(cfg, table, "columns"),
								   &ncolumns);
	keys = connect_config_split(connect_stream_option(cfg, table, "key"), &nkeys);
	for (int i = 0; i < ncolumns; i++)
		connect_layout_check_column(rel, columns[i], "columns");
	for (int i = 0; i < nkeys; i++)
		connect_layout_check_column(rel, keys[i], "key");
	/* what does not compile must not wait for the first writer */
	if (filter != NULL)
		(void) connect_filter_make(rel, filter);
	table_close(rel, NoLock);

	args[0] = Int64GetDatum(connector_id);
	args[1] = ObjectIdGetDatum(relid);
	args[2] = CStringGetTextDatum(connect_stream_topic(cfg, table, schema_name,
													   table_name));
	args[3] = text_array_or_null(columns, ncolumns, &nulls[3]);
	if (filter == NULL)
		nulls[4] = 'n';
	else
		args[4] = CStringGetTextDatum(filter);
	args[5] = Int32GetDatum(connect_stream_operations(cfg, table));
	args[6] = text_array_or_null(keys, nkeys, &nulls[6]);
	args[7] = BoolGetDatum(strcmp(connect_config_string(cfg, &connect_stream_config,
														"format"), "debezium") == 0);
	args[8] = BoolGetDatum(connect_config_bool(cfg, &connect_stream_config,
											   "tombstones.on.delete"));
	args[9] = BoolGetDatum(connect_config_bool(cfg, &connect_stream_config,
											   "old.row"));
	args[10] = BoolGetDatum(strcmp(connect_config_string(cfg, &connect_stream_config,
														 "snapshot.mode"),
								   "initial") == 0);
	/* the leaves are locked against writers until the trigger is there */
	(void) GetCurrentTransactionId();
	baseline = ReadNextFullTransactionId();
	args[11] = FullTransactionIdGetDatum(baseline);
	args[16] = open_transactions(XidFromFullTransactionId(baseline));
	store_leaves(leaves, &args[12], &args[13]);
	args[14] = CStringGetTextDatum(schema_name);
	args[15] = CStringGetTextDatum(table_name);
	connect_catalog_enter(&saved);
	SPI_execute_with_args("INSERT INTO connect.stream (connector_id, relation,"
						  " topic, columns, filter, operations, key, debezium,"
						  " tombstones, old_row, pending, baseline, leaves,"
						  " files, schema_name, table_name, open) VALUES ($1,"
						  " $2::pg_catalog.regclass, $3, $4, $5, $6, $7, $8, $9,"
						  " $10, $11, $12, $13, $14, $15, $16, $17)"
						  " ON CONFLICT (connector_id, relation) DO"
						  " UPDATE SET topic = $3, columns = $4, filter = $5,"
						  " operations = $6, key = $7, debezium = $8,"
						  " tombstones = $9, old_row = $10,"
						  " schema_name = $15, table_name = $16"
						  " RETURNING id",
						  17, argtypes, args, nulls, false, 0);
	if (is_new && DatumGetBool(args[10]))
		connect_capture_begun(connect_catalog_int64(0, 1, 0),
							  XidFromFullTransactionId(baseline));
	connect_catalog_leave(&saved);
}

/* In the order in which the task notes that it has read them. */
static void
lock_streams(int64 connector_id)
{
	static ConnectStatement stmt = {
		"SELECT FROM connect.stream WHERE connector_id = $1"
		" ORDER BY id FOR UPDATE", 1, {INT8OID}
	};
	Datum		arg = Int64GetDatum(connector_id);

	connect_catalog_execute(&stmt, &arg, NULL);
}

/* Deletes one stream, or all of the connector's (id 0). */
static void
delete_streams(int64 connector_id, int64 id)
{
	static ConnectStatement stmt = {
		"WITH gone AS (DELETE FROM connect.stream"
		" WHERE connector_id = $1 AND ($2 = 0 OR id = $2)"
		" RETURNING id) DELETE FROM connect.stream_layout l"
		" USING gone WHERE l.stream_id = gone.id", 2, {INT8OID, INT8OID}
	};
	Datum		args[] = {Int64GetDatum(connector_id), Int64GetDatum(id)};

	connect_catalog_execute(&stmt, args, NULL);
}

void
connect_stream_created(int64 id, const ConnectConfig *cfg)
{
	connect_queue_create(id);
	connect_stream_altered(id, cfg, NULL);
}

/* Streams not in the configuration end, new ones begin, others are updated. */
void
connect_stream_altered(int64 id, const ConnectConfig *cfg,
					   const ConnectConfig *old_cfg)
{
	const char *connector = connect_config_get(cfg, "name");
	bool		triggers = connect_config_bool(cfg, &connect_stream_config,
											   "create.triggers");
	int			n;
	char	  **tables = connect_config_list(cfg, &connect_stream_config,
											 "tables", &n);
	List	   *wanted = NIL;
	ListCell   *lc;

	connect_queue_limit(id, cfg, &connect_stream_config);
	lock_streams(id);
	for (int i = 0; i < n; i++)
	{
		Oid			relid = resolve_table(tables[i]);
		bool		is_new = connect_stream_find(id, relid) == NULL;
		bool		always = connect_stream_always(cfg, tables[i]);
		List	   *leaves;

		if (list_member_oid(wanted, relid))
			continue;
		wanted = lappend_oid(wanted, relid);
		leaves = is_new ?
			connect_initial_leaves(relid, ShareRowExclusiveLock) : NIL;
		store_stream(id, relid, is_new, leaves, tables[i], cfg);
		if (is_new && triggers)
			create_triggers(id, connector, relid, leaves);
		/* else it stays as it is: who owns the table may have set it */
		if (triggers && always != (!is_new &&
								   connect_stream_always(old_cfg, tables[i])))
			set_always(id, relid, always);
	}
	foreach(lc, connect_stream_list(id))
	{
		ConnectStream *stream = lfirst(lc);

		if (list_member_oid(wanted, stream->relid))
			continue;
		if (OidIsValid(stream->relid))
			drop_triggers(id, stream->relid);
		delete_streams(id, stream->id);
	}
	streams_changed();
}

void
connect_stream_dropped(int64 id, const ConnectConfig *cfg)
{
	drop_triggers(id, InvalidOid);
	delete_streams(id, 0);
	connect_queue_drop(id);
}

/*
 * A copy of a database has all that there was.  A dump has our triggers, but no
 * queue, and offsets that count another server's transactions.  False: the
 * former.
 */
static bool
begin_anew(int64 id)
{
	ConnectQueue *queue = connect_queue_load(id);

	if (queue == NULL)
	{
		connect_offsets_reset(id);
		drop_triggers(id, InvalidOid);
	}
	return queue == NULL;
}

void
connect_stream_adopted(int64 id, const ConnectConfig *cfg)
{
	if (begin_anew(id))
		connect_stream_created(id, cfg);
}

void
connect_outbox_created(int64 id, const ConnectConfig *cfg)
{
	connect_queue_create(id);
	connect_outbox_altered(id, cfg, NULL);
}

void
connect_outbox_adopted(int64 id, const ConnectConfig *cfg)
{
	if (begin_anew(id))
		connect_outbox_created(id, cfg);
}

void
connect_outbox_altered(int64 id, const ConnectConfig *cfg,
					   const ConnectConfig *old_cfg)
{
	connect_queue_limit(id, cfg, &connect_outbox_config);
}
