/*
 * rows.c
 *	  Rows of a source function as records.
 *
 * NOTES
 *	  Task process.  Columns are known by their names.  Key and value may be of
 *	  any type: a composite value becomes a struct, as a row of a table does in
 *	  JdbcSource; any other is what a column of its type is there.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

#include "function/function.h"
#include "headers.h"
#include "record/row.h"

static const struct
{
	const char *name;
	Oid			type;			/* InvalidOid = any */
}			columns[FUNCTION_NCOLUMNS] = {
	[FUNCTION_COLUMN_VALUE] = {"value", InvalidOid},
	[FUNCTION_COLUMN_OFFSET] = {"offset", JSONBOID},
	[FUNCTION_COLUMN_KEY] = {"key", InvalidOid},
	[FUNCTION_COLUMN_TOPIC] = {"topic", TEXTOID},
	[FUNCTION_COLUMN_PARTITION] = {"partition", INT4OID},
	[FUNCTION_COLUMN_HEADERS] = {"headers", JSONBOID},
	[FUNCTION_COLUMN_TIMESTAMP] = {"timestamp", TIMESTAMPTZOID},
};

/* How values of one type are converted; never freed: converters know schemas
 * by their address. */
typedef struct Shape
{
	struct Shape *next;
	uint64		identifier;		/* of a composite type's columns */
	TupleDesc	desc;
	ConnectRowPlan *plan;
	Datum	   *values;
	bool	   *isnull;
} Shape;

/* A key or value column. */
typedef struct Part
{
	int			attr;			/* -1: there is no such column */
	bool		is_composite;
	Shape	   *shapes;			/* one, unless it is composite */
	Shape	   *last;
} Part;

struct FunctionRows
{
	MemoryContext context;
	TupleDesc	desc;
	const char *topic;			/* of rows that name none */
	ConnectRowOptions options;
	int			attrs[FUNCTION_NCOLUMNS];	/* -1: there is no such column */
	Part		key;
	Part		value;
};

static int
find_attribute(TupleDesc desc, FunctionColumn column)
{
	for (int i = 0; i < desc->natts; i++)
	{
		if (strcmp(NameStr(TupleDescAttr(desc, i)->attname),
				   columns[column].name) == 0)
			return i;
	}
	return -1;
}

bool
connect_function_rows_have(TupleDesc desc, FunctionColumn column)
{
	return find_attribute(desc, column) >= 0;
}

char *
connect_function_rows_refuse(TupleDesc desc, char **hint)
{
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		int			column = 0;

		if (att->attisdropped)
			continue;
		while (column < FUNCTION_NCOLUMNS &&
			   strcmp(columns[column].name, NameStr(att->attname)) != 0)
			column++;
		if (column == FUNCTION_NCOLUMNS)
		{
			*hint = "Columns are key, value, offset, topic, partition, headers and timestamp; other fields belong into value, such as by ROW() or jsonb_build_object().";
			return psprintf("returns a column \"%s\"", NameStr(att->attname));
		}
		if (OidIsValid(columns[column].type) &&
			columns[column].type != att->atttypid)
		{
			*hint = psprintf("It must be of type %s.",
							 format_type_be(columns[column].type));
			return psprintf("returns a column \"%s\" of type %s",
							columns[column].name,
							format_type_be(att->atttypid));
		}
	}
	if (!connect_function_rows_have(desc, FUNCTION_COLUMN_VALUE) ||
		!connect_function_rows_have(desc, FUNCTION_COLUMN_OFFSET))
		return "does not return the columns \"value\" and \"offset\"";
	return NULL;
}

static Shape *
add_shape(Part *part, TupleDesc desc, const char *name,
		  const ConnectRowOptions *options)
{
	Shape	   *shape = palloc0(sizeof(Shape));
	int			n = Max(desc->natts, 1);
	bool	   *optional = palloc(n * sizeof(bool));

	memset(optional, true, n * sizeof(bool));
	shape->desc = desc;
	shape->plan = connect_row_plan_make(desc, optional, name, options);
	shape->values = palloc(n * sizeof(Datum));
	shape->isnull = palloc(n * sizeof(bool));
	shape->next = part->shapes;
	part->shapes = shape;
	return shape;
}

static void
make_part(FunctionRows *rows, Part *part, FunctionColumn column)
{
	ConnectRowOptions options = rows->options;
	Oid			type;

	part->attr = rows->attrs[column];
	if (part->attr < 0)
		return;
	type = getBaseType(TupleDescAttr(rows->desc, part->attr)->atttypid);
	part->is_composite = type == RECORDOID ||
		get_typtype(type) == TYPTYPE_COMPOSITE;
	if (!part->is_composite)
	{
		TupleDesc	desc = CreateTemplateTupleDesc(1);

		/* JSON that is the whole value is that, for every JSON converter. */
		options.plain |= type == JSONBOID || type == JSONOID;
		TupleDescCopyEntry(desc, 1, rows->desc, part->attr + 1);
		add_shape(part, desc, NULL, &options);
	}
}

FunctionRows *
connect_function_rows_make(TupleDesc desc, const char *topic, bool plain)
{
	FunctionRows *rows = palloc0(sizeof(FunctionRows));

	rows->context = CurrentMemoryContext;
	rows->desc = CreateTupleDescCopy(desc);
	rows->topic = topic;
	/* the defaults of JdbcSource */
	rows->options.plain = plain;
	rows->options.decimal_precision = true;
	rows->options.unconstrained_scale = 127;
	for (int i = 0; i < FUNCTION_NCOLUMNS; i++)
		rows->attrs[i] = find_attribute(desc, i);
	make_part(rows, &rows->key, FUNCTION_COLUMN_KEY);
	make_part(rows, &rows->value, FUNCTION_COLUMN_VALUE);
	return rows;
}

TupleDesc
connect_function_rows_desc(const FunctionRows *rows)
{
	return rows->desc;
}

/* The shape of a composite value; its type may have changed since the last. */
static Shape *
composite_shape(FunctionRows *rows, Part *part, HeapTupleHeader tuple)
{
	Oid			type = HeapTupleHeaderGetTypeId(tuple);
	int32		typmod = HeapTupleHeaderGetTypMod(tuple);
	uint64		identifier = assign_record_type_identifier(type, typmod);
	Shape	   *shape = part->last;
	MemoryContext old;

	if (shape != NULL && shape->identifier == identifier)
		return shape;
	for (shape = part->shapes; shape != NULL; shape = shape->next)
	{
		if (shape->identifier == identifier)
			return shape;
	}
	old = MemoryContextSwitchTo(rows->context);
	shape = add_shape(part, lookup_rowtype_tupdesc_copy(type, typmod),
					  type == RECORDOID ? NULL :
					  get_rel_name(get_typ_typrelid(type)),
					  &rows->options);
	shape->identifier = identifier;
	MemoryContextSwitchTo(old);
	return shape;
}

static void
fill_part(FunctionRows *rows, Part *part, const Datum *values,
		  const bool *isnull, ConnectSchema **schema, ConnectValue *value)
{
	Shape	   *shape = part->shapes;
	ConnectValue *cells;
	ConnectError err = {0};

	*value = connect_value_null();
	if (part->attr < 0 || isnull[part->attr])
		return;
	if (part->is_composite)
	{
		HeapTupleHeader header = DatumGetHeapTupleHeader(values[part->attr]);
		HeapTupleData tuple;

		shape = part->last = composite_shape(rows, part, header);
		tuple.t_len = HeapTupleHeaderGetDatumLength(header);
		ItemPointerSetInvalid(&tuple.t_self);
		tuple.t_tableOid = InvalidOid;
		tuple.t_data = header;
		heap_deform_tuple(&tuple, shape->desc, shape->values, shape->isnull);
	}
	else
	{
		shape->values[0] = values[part->attr];
		shape->isnull[0] = false;
	}
	cells = palloc(Max(shape->plan->ncells, 1) * sizeof(ConnectValue));
	if (!connect_row_convert(shape->plan, shape->values, shape->isnull, cells,
							 &err))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("%s", err.message)));
	if (part->is_composite)
	{
		*schema = shape->plan->schema;
		*value = connect_value_elems(CONNECT_KIND_STRUCT, cells,
									 shape->plan->ncells);
	}
	else
	{
		*schema = shape->plan->schema->fields[0].schema;
		*value = cells[0];
	}
}

static Jsonb *
object_of(const FunctionRows *rows, FunctionColumn column, const Datum *values,
		  const bool *isnull)
{
	int			attr = rows->attrs[column];
	Jsonb	   *object;

	if (attr < 0 || isnull[attr])
		return NULL;
	object = DatumGetJsonbP(values[attr]);
	if (!JB_ROOT_IS_OBJECT(object))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("column \"%s\" must be a JSON object",
						columns[column].name),
				 errdetail("The function returned %s.",
						   JsonbToCString(NULL, &object->root, 0)),
				 errhint("Use jsonb_build_object().")));
	return object;
}

void
connect_function_rows_record(FunctionRows *rows, const Datum *values,
							 const bool *isnull, ConnectRecord *record,
							 Jsonb **offset)
{
	Jsonb	   *headers;
	int			attr;

	memset(record, 0, sizeof(*record));
	record->topic = rows->topic;
	attr = rows->attrs[FUNCTION_COLUMN_TOPIC];
	if (attr >= 0 && !isnull[attr])
		record->topic = TextDatumGetCString(values[attr]);
	if (record->topic == NULL || record->topic[0] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("a row has no topic"),
				 errhint("Set \"topic\", or have the function return the column in each row.")));
	record->partition = -1;
	attr = rows->attrs[FUNCTION_COLUMN_PARTITION];
	if (attr >= 0 && !isnull[attr])
	{
		record->partition = DatumGetInt32(values[attr]);
		if (record->partition < 0)
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("column \"partition\" is %d", record->partition),
					 errhint("Return null to leave the choice to the key.")));
	}
	record->timestamp = -1;
	attr = rows->attrs[FUNCTION_COLUMN_TIMESTAMP];
	if (attr >= 0 && !isnull[attr])
	{
		TimestampTz at = DatumGetTimestampTz(values[attr]);

		if (TIMESTAMP_NOT_FINITE(at))
			ereport(ERROR,
					(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
					 errmsg("column \"timestamp\" is infinite")));
		record->timestamp = at / 1000 - (at % 1000 < 0) +
			(POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * (USECS_PER_DAY / 1000);
	}
	headers = object_of(rows, FUNCTION_COLUMN_HEADERS, values, isnull);
	if (headers != NULL)
		connect_headers_from_jsonb(record, headers);
	fill_part(rows, &rows->key, values, isnull, &record->key_schema,
			  &record->key);
	fill_part(rows, &rows->value, values, isnull, &record->value_schema,
			  &record->value);
	*offset = object_of(rows, FUNCTION_COLUMN_OFFSET, values, isnull);
}
