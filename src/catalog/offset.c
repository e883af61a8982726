/*
 * offset.c
 *	  connect.source_offset_def and connect.sink_offset_def.
 *
 * NOTES
 *	  The row of a sink's partition is its fence.  Whoever takes the partition
 *	  raises the epoch and commits that before it reads a record.  Each batch
 *	  then moves kafka_offset from where it was to where it will be, under that
 *	  epoch, in the transaction of its own rows: if another task has taken the
 *	  partition meanwhile, no row matches and the batch is rolled back.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "catalog/access.h"
#include "catalog/command.h"
#include "catalog/json.h"

static void *make_source_offset(const ConnectCatalogScope *scope, uint64 i);
static void *make_sink_offset(const ConnectCatalogScope *scope, uint64 i);

List *
connect_source_offsets(int64 connector_id)
{
	static ConnectStatement stmt = {
		"SELECT source_partition, source_offset FROM connect.source_offset_def"
		" WHERE connector_id = $1 ORDER BY source_partition", 1, {INT8OID}
	};
	Datum		values[] = {Int64GetDatum(connector_id)};

	return connect_catalog_list(&stmt, values, make_source_offset);
}

static void *
make_source_offset(const ConnectCatalogScope *scope, uint64 i)
{
	ConnectSourceOffsetRow *row = palloc(sizeof(ConnectSourceOffsetRow));

	row->partition = connect_catalog_text(scope, i, 1);
	row->offset = connect_catalog_text(scope, i, 2);
	return row;
}

/*
 * Nothing if the connector has gone.  Its row is locked before any other, as
 * those who drop a connector do.
 */
void
connect_source_offset_store(int64 connector_id, const char *partition,
							const char *offset)
{
	static ConnectStatement upsert = {
		"INSERT INTO connect.source_offset_def"
		" (connector_id, source_partition, source_offset)"
		" SELECT $1, $2, $3 FROM connect.connector_def WHERE id = $1"
		" FOR KEY SHARE"
		" ON CONFLICT (connector_id, digest)"
		" DO UPDATE SET source_offset = $3",
		3, {INT8OID, JSONBOID, JSONBOID}
	};
	static ConnectStatement delete = {
		"DELETE FROM connect.source_offset_def"
		" WHERE connector_id = $1 AND digest = connect.partition_digest($2)",
		2, {INT8OID, JSONBOID}
	};
	Datum		values[] = {
		Int64GetDatum(connector_id),
		JsonbPGetDatum(connect_json_parse(partition)),
		offset == NULL ? (Datum) 0 :
		JsonbPGetDatum(connect_json_parse(offset))
	};

	connect_catalog_execute(offset == NULL ? &delete : &upsert, values, NULL);
}

void
connect_sink_offset_take(int64 connector_id, const char *topic,
						 int32 partition, int64 *epoch, int64 *offset)
{
	static ConnectStatement stmt = {
		"INSERT INTO connect.sink_offset_def AS o"
		" (connector_id, kafka_topic, kafka_partition) VALUES ($1, $2, $3)"
		" ON CONFLICT (connector_id, kafka_topic, kafka_partition)"
		" DO UPDATE SET epoch = o.epoch + 1 RETURNING epoch, kafka_offset",
		3, {INT8OID, TEXTOID, INT4OID}
	};
	Datum		values[] = {
		Int64GetDatum(connector_id),
		CStringGetTextDatum(topic),
		Int32GetDatum(partition)
	};

	ConnectCatalogScope scope;

	connect_catalog_enter(&scope);
	connect_catalog_run(&stmt, values, NULL);
	*epoch = connect_catalog_int64(0, 1, 0);
	*offset = connect_catalog_int64(0, 2, -1);
	connect_catalog_leave(&scope);
}

int
connect_sink_offset_holder(int64 connector_id, const char *topic,
						   int32 partition)
{
	static ConnectStatement stmt = {
		"SELECT l.pid FROM connect.sink_offset_def o"
		" JOIN pg_catalog.pg_locks l"
		" ON l.locktype = 'transactionid' AND l.transactionid = o.xmax"
		" AND l.granted WHERE o.connector_id = $1 AND o.kafka_topic = $2"
		" AND o.kafka_partition = $3",
		3, {INT8OID, TEXTOID, INT4OID}
	};
	Datum		values[] = {
		Int64GetDatum(connector_id),
		CStringGetTextDatum(topic),
		Int32GetDatum(partition)
	};
	ConnectCatalogScope scope;
	int			pid = 0;

	connect_catalog_enter(&scope);
	if (connect_catalog_run(&stmt, values, NULL) > 0)
		pid = connect_catalog_int64(0, 1, 0);
	connect_catalog_leave(&scope);
	return pid;
}

bool
connect_sink_offset_advance(int64 connector_id, const char *topic,
							int32 partition, int64 epoch, int64 expected,
							int64 next)
{
	static ConnectStatement stmt = {
		"UPDATE connect.sink_offset_def SET kafka_offset = $6"
		" WHERE connector_id = $1 AND kafka_topic = $2"
		" AND kafka_partition = $3 AND epoch = $4"
		" AND kafka_offset IS NOT DISTINCT FROM $5",
		6, {INT8OID, TEXTOID, INT4OID, INT8OID, INT8OID, INT8OID}
	};
	Datum		values[] = {
		Int64GetDatum(connector_id),
		CStringGetTextDatum(topic),
		Int32GetDatum(partition),
		Int64GetDatum(epoch),
		Int64GetDatum(expected),
		Int64GetDatum(next)
	};

	return connect_catalog_execute(&stmt, values,
								   expected == -1 ? "    n " : NULL) == 1;
}

bool
connect_sink_offset_any(int64 connector_id)
{
	static ConnectStatement stmt = {
		"SELECT FROM connect.sink_offset_def WHERE connector_id = $1 LIMIT 1",
		1, {INT8OID}
	};
	Datum		values[] = {Int64GetDatum(connector_id)};

	return connect_catalog_execute(&stmt, values, NULL) > 0;
}

List *
connect_sink_offsets(int64 connector_id)
{
	static ConnectStatement stmt = {
		"SELECT kafka_topic, kafka_partition, kafka_offset"
		" FROM connect.sink_offset_def"
		" WHERE connector_id = $1 AND kafka_offset IS NOT NULL"
		" ORDER BY kafka_topic, kafka_partition", 1, {INT8OID}
	};
	Datum		values[] = {Int64GetDatum(connector_id)};

	return connect_catalog_list(&stmt, values, make_sink_offset);
}

static void *
make_sink_offset(const ConnectCatalogScope *scope, uint64 i)
{
	ConnectSinkOffsetRow *row = palloc(sizeof(ConnectSinkOffsetRow));

	row->topic = connect_catalog_text(scope, i, 1);
	row->partition = connect_catalog_int64(i, 2, 0);
	row->offset = connect_catalog_int64(i, 3, 0);
	return row;
}

/*
 * A partition whose offset is removed keeps its row: the group's offsets are
 * imported only while a connector has none at all.
 */
void
connect_sink_offset_set(int64 connector_id, const char *topic,
						int32 partition, int64 offset)
{
	static ConnectStatement stmt = {
		"INSERT INTO connect.sink_offset_def AS o"
		" (connector_id, kafka_topic, kafka_partition, kafka_offset)"
		" VALUES ($1, $2, $3, $4)"
		" ON CONFLICT (connector_id, kafka_topic, kafka_partition)"
		" DO UPDATE SET kafka_offset = $4, epoch = o.epoch + 1",
		4, {INT8OID, TEXTOID, INT4OID, INT8OID}
	};
	Datum		values[] = {
		Int64GetDatum(connector_id),
		CStringGetTextDatum(topic),
		Int32GetDatum(partition),
		Int64GetDatum(offset)
	};

	connect_catalog_execute(&stmt, values, offset == -1 ? "   n" : NULL);
}

void
connect_offsets_reset(int64 connector_id)
{
	static ConnectStatement source = {
		"DELETE FROM connect.source_offset_def WHERE connector_id = $1",
		1, {INT8OID}
	};
	static ConnectStatement sink = {
		"UPDATE connect.sink_offset_def SET kafka_offset = NULL,"
		" epoch = epoch + 1 WHERE connector_id = $1", 1, {INT8OID}
	};
	Datum		values[] = {Int64GetDatum(connector_id)};

	connect_catalog_execute(&source, values, NULL);
	connect_catalog_execute(&sink, values, NULL);
}
