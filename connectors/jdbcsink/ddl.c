/*
 * ddl.c
 *	  auto.create and auto.evolve.
 *
 * NOTES
 *	  Task process, inside the batch's transaction and before it has locked
 *	  anything: a table appears together with its first rows, and two tasks do
 *	  not wait for each other in a circle.  A table that another task makes at
 *	  the same time is found once that task has committed.
 *
 *	  Nothing is ever narrowed, dropped, renamed or given another type.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/formatting.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "jdbcsink/jdbcsink.h"
#include "runtime/attempt.h"
#include "record/calendar.h"

static char *root_of(const JdbcTarget *target);
static bool append_column(JdbcSink *sink, StringInfo sql,
						  const JdbcField *field, ConnectError *err);
static char *column_type(JdbcSink *sink, const JdbcField *field,
						 const ConnectSchema *schema, ConnectError *err);
static bool append_default(StringInfo sql, const ConnectSchema *schema,
						   const ConnectValue *value);
static const char *column_name(JdbcSink *sink, const JdbcField *field);
static bool run_ddl(const char *sql);

bool
connect_jdbcsink_create_table(JdbcSink *sink, JdbcTarget *target,
							  const JdbcField *fields, int nfields,
							  ConnectError *err)
{
	StringInfoData sql;
	bool		has_key = false;

	initStringInfo(&sql);
	appendStringInfo(&sql, "CREATE TABLE %s (", connect_jdbcsink_quoted(target));
	for (int i = 0; i < nfields; i++)
	{
		if (i > 0)
			appendStringInfoString(&sql, ", ");
		if (!append_column(sink, &sql, &fields[i], err))
			return false;
	}
	for (int i = 0; i < nfields; i++)
	{
		if (!fields[i].is_key)
			continue;
		appendStringInfo(&sql, "%s%s", has_key ? ", " : ", PRIMARY KEY (",
						 quote_identifier(column_name(sink, &fields[i])));
		has_key = true;
	}
	appendStringInfoString(&sql, has_key ? "))" : ")");
	if (run_ddl(sql.data))
		ereport(LOG,
				(errmsg("connector \"%s\" created table %s",
						sink->task->connector, connect_jdbcsink_quoted(target)),
				 errdetail_internal("%s", sql.data)));
	return true;
}

bool
connect_jdbcsink_add_columns(JdbcSink *sink, JdbcTarget *target,
							 const JdbcField *fields, int nfields,
							 ConnectError *err)
{
	char	   *root = root_of(target);
	char	   *altered = root ? root : connect_jdbcsink_quoted(target);
	StringInfoData missing;
	StringInfoData sql;

	initStringInfo(&missing);
	initStringInfo(&sql);
	appendStringInfo(&sql, "ALTER TABLE %s", altered);
	for (int i = 0; i < nfields; i++)
	{
		const JdbcField *field = &fields[i];
		const ConnectSchema *schema = field->schema;
		char	   *text;

		if (schema == NULL)
			return connect_error_set(err, CONNECT_CONNECT_EXCEPTION,
									 "Table \"%s\" has no column for key field \"%s\"",
									 target->name, field->name);
		text = psprintf("SinkRecordField{schema=Schema{%s%s%s}, name='%s', isPrimaryKey=%s}",
						schema->name ? schema->name : "",
						schema->name ? ":" : "", connect_type_name(schema->type),
						field->name, field->is_key ? "true" : "false");
		if (!schema->optional && !schema->has_default &&
			target->relkind != RELKIND_VIEW)
		{
			char	   *type = column_type(sink, field, schema, err);
			char	   *why = sink->options.flavour == JDBC_AIVEN ?
				psprintf("Cannot ALTER to add missing field %s, as it is not optional and does not have a default value",
						 text) :
				psprintf("Cannot ALTER TABLE \"%s\" to add missing field %s, as the field is not optional and does not have a default value",
						 target->name, text);

			return type != NULL &&
				connect_error_set(err, CONNECT_CONNECT_EXCEPTION,
								  "%s\nThis would add it, null in the rows that are there: ALTER TABLE %s ADD COLUMN %s %s",
								  why, altered,
								  quote_identifier(column_name(sink, field)),
								  type);
		}
		appendStringInfo(&missing, "%s%s", i > 0 ? ", " : "", text);
		appendStringInfoString(&sql, i > 0 ? ", ADD COLUMN IF NOT EXISTS " :
							   " ADD COLUMN IF NOT EXISTS ");
		if (!append_column(sink, &sql, field, err))
			return false;
	}
	if (target->relkind == RELKIND_VIEW)
		return connect_error_set(err, CONNECT_CONNECT_EXCEPTION,
								 "View \"%s\" is missing fields ([%s]) and cannot be altered\nReplace it by one that has them, or leave them out of fields.whitelist",
								 target->name, missing.data);
	if (!sink->options.auto_evolve || root != NULL)
		return connect_error_set(err, CONNECT_CONNECT_EXCEPTION,
								 "Table \"%s\" is missing fields ([%s]) and %s\nThis would add them: %s",
								 target->name, missing.data,
								 sink->options.auto_evolve ? "is a partition" :
								 "auto-evolution is disabled", sql.data);
	run_ddl(sql.data);
	ereport(LOG,
			(errmsg("connector \"%s\" altered table %s",
					sink->task->connector, connect_jdbcsink_quoted(target)),
			 errdetail_internal("%s", sql.data)));
	return true;
}

/* The table that a partition has its columns from; NULL if it is none. */
static char *
root_of(const JdbcTarget *target)
{
	List	   *ancestors = NIL;
	Oid			root;

	if (get_rel_relispartition(target->relid))
		ancestors = get_partition_ancestors(target->relid);
	if (ancestors == NIL)
		return NULL;
	root = llast_oid(ancestors);
	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(root)),
									  get_rel_name(root));
}

/* Adds to the error about a value what would make room for it in its column. */
void
connect_jdbcsink_suggest_type(JdbcSink *sink, const JdbcTarget *target,
							  const JdbcField *field,
							  const ConnectValue *cell, ConnectError *err)
{
	const ConnectSchema *schema = field->schema;
	bool		is_number = schema->logical == CONNECT_LOGICAL_DECIMAL ||
		(schema->logical == CONNECT_LOGICAL_NONE &&
		 schema->type <= CONNECT_FLOAT64);
	const char *type = NULL;
	ConnectError unused = {0};

	switch (target->columns[field->column].type)
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case FLOAT4OID:
			if (is_number)
				type = column_type(sink, field, schema, &unused);
			break;
		case NUMERICOID:
			if (is_number && field->base_typmod >= 0)
				type = "NUMERIC";
			break;
		case VARCHAROID:
		case BPCHAROID:
			if (cell->kind == CONNECT_KIND_STRING && field->base_typmod >= 0 &&
				pg_mbstrlen_with_len(cell->u.p, cell->len) >
				field->base_typmod - VARHDRSZ)
				type = "TEXT";
			break;
		default:
			break;
	}
	if (type != NULL)
		err->message = psprintf("%s\nThis would make room: ALTER TABLE %s ALTER COLUMN %s TYPE %s",
								err->message, connect_jdbcsink_quoted(target),
								quote_identifier(target->columns[field->column].name),
								type);
}

static const char *
column_name(JdbcSink *sink, const JdbcField *field)
{
	return sink->options.fold_names ?
		str_tolower(field->name, strlen(field->name), DEFAULT_COLLATION_OID) :
		field->name;
}

static bool
append_column(JdbcSink *sink, StringInfo sql, const JdbcField *field,
			  ConnectError *err)
{
	const ConnectSchema *schema = field->schema;
	char	   *type;

	if (schema == NULL)
		return connect_error_set(err, CONNECT_CONNECT_EXCEPTION,
								 "Field \"%s\" has no schema to make a column from",
								 field->name);
	type = column_type(sink, field, schema, err);
	if (type == NULL)
		return false;
	appendStringInfo(sql, "%s %s", quote_identifier(column_name(sink, field)),
					 type);
	if (schema->has_default &&
		!connect_value_is_null(&schema->default_value))
	{
		appendStringInfoString(sql, " DEFAULT ");
		if (!append_default(sql, schema, &schema->default_value))
			return connect_error_set(err, CONNECT_CONNECT_EXCEPTION,
									 "The default of field \"%s\" cannot be written in SQL",
									 field->name);
	}
	else
		appendStringInfoString(sql, schema->optional ? " NULL" : " NOT NULL");
	return true;
}

/* NULL and *err if there is no such type. */
static char *
column_type(JdbcSink *sink, const JdbcField *field,
			const ConnectSchema *schema, ConnectError *err)
{
	const char *type;
	const char *precision;

	if (field != NULL && field->is_epoch)
		return pstrdup("TIMESTAMP");
	switch (schema->logical)
	{
		case CONNECT_LOGICAL_DECIMAL:
			precision = connect_schema_parameter(schema,
												 "connect.decimal.precision");
			if (sink->options.flavour == JDBC_DEBEZIUM && precision != NULL)
				return psprintf("NUMERIC(%d, %d)", atoi(precision), schema->scale);
			return pstrdup("DECIMAL");
		case CONNECT_LOGICAL_DATE:
			return pstrdup("DATE");
		case CONNECT_LOGICAL_TIME:
			return pstrdup("TIME");
		case CONNECT_LOGICAL_TIMESTAMP:
			return pstrdup("TIMESTAMP");
		case CONNECT_LOGICAL_NONE:
			break;
	}
	type = connect_debezium_column_type(schema);
	if (type != NULL)
		return pstrdup(type);
	switch (schema->type)
	{
		case CONNECT_INT8:
		case CONNECT_INT16:
			return pstrdup("SMALLINT");
		case CONNECT_INT32:
			return pstrdup("INT");
		case CONNECT_INT64:
			return pstrdup("BIGINT");
		case CONNECT_FLOAT32:
			return pstrdup("REAL");
		case CONNECT_FLOAT64:
			return pstrdup("DOUBLE PRECISION");
		case CONNECT_BOOLEAN:
			return pstrdup("BOOLEAN");
		case CONNECT_STRING:
			return pstrdup("TEXT");
		case CONNECT_BYTES:
			return pstrdup("BYTEA");
		case CONNECT_ARRAY:
			if (schema->value_schema == NULL)
				break;
			if ((schema->value_schema->type != CONNECT_ARRAY &&
				 schema->value_schema->type != CONNECT_MAP &&
				 schema->value_schema->type != CONNECT_STRUCT) ||
				connect_debezium_column_type(schema->value_schema) != NULL)
			{
				char	   *element = column_type(sink, NULL,
												  schema->value_schema, err);

				return element ? psprintf("%s[]", element) : NULL;
			}
			connect_error_set(err, CONNECT_DATA_EXCEPTION,
							  "Unsupported schema type %s for ARRAY values",
							  connect_type_name(schema->value_schema->type));
			return NULL;
		case CONNECT_MAP:
		case CONNECT_STRUCT:
			break;
	}
	connect_error_set(err, CONNECT_CONNECT_EXCEPTION,
					  "%s (%s) type doesn't have a mapping to the SQL database column type",
					  schema->name ? schema->name : "null",
					  connect_type_name(schema->type));
	return NULL;
}

static bool
append_default_date(StringInfo sql, const ConnectSchema *schema, int64 ms)
{
	ConnectCalendar cal;

	connect_calendar_from_ms(ms, &cal);
	if (cal.year < 1 || cal.year > 9999)
		return false;
	appendStringInfoChar(sql, '\'');
	if (schema->logical != CONNECT_LOGICAL_TIME)
		appendStringInfo(sql, "%04d-%02d-%02d", (int) cal.year, cal.month,
						 cal.day);
	if (schema->logical == CONNECT_LOGICAL_TIMESTAMP)
		appendStringInfoChar(sql, ' ');
	if (schema->logical != CONNECT_LOGICAL_DATE)
		appendStringInfo(sql, "%02d:%02d:%02d.%03d", cal.hour, cal.minute,
						 cal.second, cal.ms);
	appendStringInfoChar(sql, '\'');
	return true;
}

/* False: there is no way to write it. */
static bool
append_default(StringInfo sql, const ConnectSchema *schema,
			   const ConnectValue *value)
{
	StringInfoData text;

	initStringInfo(&text);
	switch (value->kind)
	{
		case CONNECT_KIND_BOOLEAN:
			appendStringInfoString(sql, value->u.i ? "true" : "false");
			return true;
		case CONNECT_KIND_INT8:
		case CONNECT_KIND_INT16:
		case CONNECT_KIND_INT32:
		case CONNECT_KIND_INT64:
			appendStringInfo(sql, INT64_FORMAT, value->u.i);
			return true;
		case CONNECT_KIND_FLOAT32:
			connect_float_append_java(&text, value->u.d);
			break;
		case CONNECT_KIND_FLOAT64:
			connect_double_append_java(&text, value->u.d);
			break;
		case CONNECT_KIND_DECIMAL:
		case CONNECT_KIND_BIG_DECIMAL:
			connect_decimal_append_text(sql, value);
			return true;
		case CONNECT_KIND_STRING:
			appendStringInfoString(sql,
								   quote_literal_cstr(pnstrdup(value->u.p,
															   value->len)));
			return true;
		case CONNECT_KIND_BYTES:
		case CONNECT_KIND_BYTEBUFFER:
			appendStringInfoString(sql, "'\\x");
			for (int i = 0; i < value->len; i++)
				appendStringInfo(sql, "%02x", (unsigned char) value->u.p[i]);
			appendStringInfoChar(sql, '\'');
			return true;
		case CONNECT_KIND_DATE:
			return append_default_date(sql, schema, value->u.i);
		case CONNECT_KIND_ARRAY:
			if (value->len == 0)
			{
				/* ARRAY[] would have no type */
				appendStringInfoString(sql, "'{}'");
				return true;
			}
			appendStringInfoString(sql, "ARRAY[");
			for (int i = 0; i < value->len; i++)
			{
				if (i > 0)
					appendStringInfoChar(sql, ',');
				if (connect_value_is_null(&value->u.elems[i]))
					appendStringInfoString(sql, "NULL");
				else if (!append_default(sql, schema->value_schema,
										 &value->u.elems[i]))
					return false;
			}
			appendStringInfoChar(sql, ']');
			return true;
		default:
			return false;
	}

	/* NaN and the infinities are no SQL numbers. */
	if (text.data[text.len - 1] >= '0' && text.data[text.len - 1] <= '9')
		appendStringInfoString(sql, text.data);
	else
		appendStringInfo(sql, "'%s'", text.data);
	return true;
}

static void
execute_ddl(void *sql)
{
	SPI_connect();
	if (SPI_execute(sql, false, 0) != SPI_OK_UTILITY)
		elog(ERROR, "statement was no DDL: %s", (char *) sql);
	SPI_finish();
}

/*
 * In a subtransaction; false if somebody else has made the table meanwhile.
 */
static bool
run_ddl(const char *sql)
{
	ErrorData  *edata = connect_attempt(execute_ddl,
										unconstify(char *, sql),
										CurrentMemoryContext);

	if (edata == NULL)
		return true;
	if (edata->sqlerrcode != ERRCODE_DUPLICATE_TABLE &&
		edata->sqlerrcode != ERRCODE_UNIQUE_VIOLATION)
		ReThrowError(edata);
	FreeErrorData(edata);
	return false;
}
