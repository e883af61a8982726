/*
 * shape.c
 *	  From a layout to the schemas and plans of its records.
 *
 * NOTES
 *	  Runs in the task.  A shape lives as long as the task; there is one a
 *	  layout, and a layout never changes.
 */
#include "postgres.h"

#include "commands/dbcommands.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "stream/shape.h"

/* Fields of Debezium's source block, in its order. */
enum
{
	SOURCE_VERSION, SOURCE_CONNECTOR, SOURCE_NAME, SOURCE_TS_MS,
	SOURCE_SNAPSHOT, SOURCE_DB, SOURCE_SCHEMA, SOURCE_TABLE, SOURCE_TXID,
	SOURCE_NFIELDS
};

enum
{
	ENVELOPE_BEFORE, ENVELOPE_AFTER, ENVELOPE_SOURCE, ENVELOPE_OP,
	ENVELOPE_TS_MS, ENVELOPE_NFIELDS
};

static ConnectSchema *
optional(ConnectSchema *schema)
{
	schema->optional = true;
	return schema;
}

static ConnectSchema *
source_schema(void)
{
	ConnectSchema *schema =
		connect_schema_make_struct("io.debezium.connector.postgresql.Source",
								   SOURCE_NFIELDS);

	connect_schema_set_field(schema, SOURCE_VERSION, "version",
							 connect_schema_make(CONNECT_STRING));
	connect_schema_set_field(schema, SOURCE_CONNECTOR, "connector",
							 connect_schema_make(CONNECT_STRING));
	connect_schema_set_field(schema, SOURCE_NAME, "name",
							 connect_schema_make(CONNECT_STRING));
	connect_schema_set_field(schema, SOURCE_TS_MS, "ts_ms",
							 connect_schema_make(CONNECT_INT64));
	connect_schema_set_field(schema, SOURCE_SNAPSHOT, "snapshot",
							 optional(connect_schema_make(CONNECT_STRING)));
	connect_schema_set_field(schema, SOURCE_DB, "db",
							 connect_schema_make(CONNECT_STRING));
	connect_schema_set_field(schema, SOURCE_SCHEMA, "schema",
							 connect_schema_make(CONNECT_STRING));
	connect_schema_set_field(schema, SOURCE_TABLE, "table",
							 connect_schema_make(CONNECT_STRING));
	connect_schema_set_field(schema, SOURCE_TXID, "txId",
							 optional(connect_schema_make(CONNECT_INT64)));
	return schema;
}

static ConnectSchema *
envelope_schema(const char *topic, const ConnectSchema *row)
{
	ConnectSchema *schema =
		connect_schema_make_struct(psprintf("%s.Envelope", topic),
								   ENVELOPE_NFIELDS);

	connect_schema_set_field(schema, ENVELOPE_BEFORE, "before",
							 optional(connect_schema_copy(row)));
	connect_schema_set_field(schema, ENVELOPE_AFTER, "after",
							 optional(connect_schema_copy(row)));
	connect_schema_set_field(schema, ENVELOPE_SOURCE, "source",
							 source_schema());
	connect_schema_set_field(schema, ENVELOPE_OP, "op",
							 connect_schema_make(CONNECT_STRING));
	connect_schema_set_field(schema, ENVELOPE_TS_MS, "ts_ms",
							 optional(connect_schema_make(CONNECT_INT64)));
	return schema;
}

/*
 * Into the current context; layout and stream must live as long.  plain: no
 * converter is named, so that values are for plain JSON.
 */
ConnectShape *
connect_shape_make(const ConnectLayout *layout, const ConnectStream *stream,
				   const char *connector, bool plain)
{
	ConnectShape *shape = palloc0(sizeof(ConnectShape));
	ConnectRowOptions options = {
		.numeric = CONNECT_NUMERIC_NONE,
		.timestamp = CONNECT_TIMESTAMP_LOGICAL,
		.plain = plain
	};

	shape->layout = layout;
	shape->stream = stream;
	shape->plan = connect_row_plan_make(layout->desc, NULL,
										stream->debezium ?
										psprintf("%s.Value", stream->topic) :
										stream->table_name, &options);
	shape->nulls = palloc(sizeof(bool) * Max(layout->desc->natts, 1));
	shape->values = palloc(sizeof(Datum) * Max(layout->desc->natts, 1));
	if (layout->nkeys > 0)
	{
		shape->key_schema =
			connect_schema_make_struct(stream->debezium ?
									   psprintf("%s.Key", stream->topic) :
									   stream->table_name, layout->nkeys);
		for (int i = 0; i < layout->nkeys; i++)
		{
			ConnectField *field = &shape->plan->schema->fields[layout->keys[i]];

			connect_schema_set_field(shape->key_schema, i, field->name,
									 field->schema);
		}
	}
	if (stream->debezium)
	{
		shape->envelope = envelope_schema(stream->topic, shape->plan->schema);
		shape->source = palloc0(sizeof(ConnectValue) * SOURCE_NFIELDS);
		shape->source[SOURCE_VERSION] = connect_value_string(CONNECT_VERSION);
		shape->source[SOURCE_CONNECTOR] = connect_value_string("postgresql");
		shape->source[SOURCE_NAME] = connect_value_string(pstrdup(connector));
		shape->source[SOURCE_DB] =
			connect_value_string(get_database_name(MyDatabaseId));
		shape->source[SOURCE_SCHEMA] = connect_value_string(stream->schema_name);
		shape->source[SOURCE_TABLE] = connect_value_string(stream->table_name);
	}
	return shape;
}

/* A row as a struct value, in the current context; raises what cannot be. */
ConnectValue
connect_shape_row(ConnectShape *shape, const Datum *values, const bool *nulls)
{
	ConnectValue *cells = palloc(sizeof(ConnectValue) * Max(shape->plan->ncells, 1));
	ConnectError err;

	if (!connect_row_convert(shape->plan, values, nulls, cells, &err))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("cannot carry a row of table \"%s\": %s",
						shape->stream->table_name, err.message)));
	return connect_value_elems(CONNECT_KIND_STRUCT, cells, shape->plan->ncells);
}

ConnectValue
connect_shape_unpack(ConnectShape *shape, const bytea *row)
{
	if (row == NULL)
		return connect_value_null();
	connect_layout_unpack(shape->layout->desc, row, shape->values, shape->nulls);
	return connect_shape_row(shape, shape->values, shape->nulls);
}

/* The key of a row value; null if the table has none. */
ConnectValue
connect_shape_key(const ConnectShape *shape, const ConnectValue *row)
{
	ConnectValue *cells;

	if (shape->key_schema == NULL || connect_value_is_null(row))
		return connect_value_null();
	cells = palloc(sizeof(ConnectValue) * shape->layout->nkeys);
	for (int i = 0; i < shape->layout->nkeys; i++)
		cells[i] = row->u.elems[shape->layout->keys[i]];
	return connect_value_elems(CONNECT_KIND_STRUCT, cells, shape->layout->nkeys);
}

/* Debezium's envelope. */
ConnectValue
connect_shape_envelope(const ConnectShape *shape, char op,
					   const ConnectValue *before, const ConnectValue *after,
					   int64 at_ms, int64 now_ms, uint64 txid)
{
	ConnectValue *cells = palloc(sizeof(ConnectValue) * ENVELOPE_NFIELDS);
	ConnectValue *source = palloc(sizeof(ConnectValue) * SOURCE_NFIELDS);
	char	   *code = palloc(1);

	memcpy(source, shape->source, sizeof(ConnectValue) * SOURCE_NFIELDS);
	source[SOURCE_TS_MS] = connect_value_int(CONNECT_KIND_INT64, at_ms);
	source[SOURCE_SNAPSHOT] =
		connect_value_string(op == CONNECT_OP_READ ? "true" : "false");
	source[SOURCE_TXID] = txid == 0 ? connect_value_null() :
		connect_value_int(CONNECT_KIND_INT64, (int64) txid);

	*code = op;
	cells[ENVELOPE_BEFORE] = *before;
	cells[ENVELOPE_AFTER] = *after;
	cells[ENVELOPE_SOURCE] = connect_value_elems(CONNECT_KIND_STRUCT, source,
												 SOURCE_NFIELDS);
	cells[ENVELOPE_OP] = connect_value_text(CONNECT_KIND_STRING, code, 1);
	cells[ENVELOPE_TS_MS] = connect_value_int(CONNECT_KIND_INT64, now_ms);
	return connect_value_elems(CONNECT_KIND_STRUCT, cells, ENVELOPE_NFIELDS);
}

/* The envelope of a truncate; table: what it emptied, a leaf perhaps. */
ConnectValue
connect_shape_truncate(const ConnectShape *shape, const bytea *table,
					   int64 at_ms, int64 now_ms, uint64 txid)
{
	ConnectValue none = connect_value_null();
	ConnectValue value = connect_shape_envelope(shape, CONNECT_OP_TRUNCATE,
												&none, &none, at_ms, now_ms,
												txid);
	ConnectValue *source = value.u.elems[ENVELOPE_SOURCE].u.elems;
	Datum		names[2];
	bool		nulls[2];

	connect_layout_unpack(connect_layout_table_desc(), table, names, nulls);
	source[SOURCE_SCHEMA] = connect_value_string(TextDatumGetCString(names[0]));
	source[SOURCE_TABLE] = connect_value_string(TextDatumGetCString(names[1]));
	return value;
}
