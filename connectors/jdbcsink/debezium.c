/*
 * debezium.c
 *	  Debezium's change events: the envelope, and types told by schema names.
 *
 * NOTES
 *	  Task process.  An envelope is known by its members, with or without
 *	  schemas: "op" and one of "after" and "before".
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "jdbcsink/jdbcsink.h"

static const ConnectValue *member(const ConnectSchema *schema,
								  const ConnectValue *value,
								  const char *name,
								  const ConnectSchema **member_schema);

bool
connect_debezium_is_envelope(const ConnectSchema *schema,
							 const ConnectValue *value)
{
	const ConnectSchema *unused;
	const ConnectValue *op;

	if (value->kind != CONNECT_KIND_STRUCT && value->kind != CONNECT_KIND_MAP)
		return false;
	op = member(schema, value, "op", &unused);
	return op != NULL && op->kind == CONNECT_KIND_STRING && op->len == 1 &&
		member(schema, value, "source", &unused) != NULL;
}

/* What Debezium's sources write about DDL, not about rows. */
bool
connect_debezium_is_schema_change(const ConnectSchema *schema,
								  const ConnectValue *value)
{
	const ConnectSchema *unused;

	return member(schema, value, "ddl", &unused) != NULL &&
		member(schema, value, "tableChanges", &unused) != NULL &&
		member(schema, value, "source", &unused) != NULL;
}

bool
connect_debezium_unwrap(JdbcEvent *event, ConnectError *err)
{
	const ConnectRecord *record = event->record;
	const ConnectSchema *unused;
	const ConnectValue *op = member(record->value_schema, &record->value,
									"op", &unused);

	switch (op->u.p[0])
	{
		case 'c':
		case 'u':
		case 'r':
			event->op = JDBC_OP_WRITE;
			event->value = member(record->value_schema, &record->value,
								  "after", &event->value_schema);
			if (event->value == NULL || connect_value_is_null(event->value))
				return connect_error_set(err, CONNECT_DATA_EXCEPTION,
										 "The change event has no \"after\"");
			return true;
		case 'd':
			event->op = JDBC_OP_DELETE;
			event->value = member(record->value_schema, &record->value,
								  "before", &event->value_schema);
			if (event->value != NULL && connect_value_is_null(event->value))
				event->value = NULL;
			return true;
		case 't':
			event->op = JDBC_OP_TRUNCATE;
			return true;
		default:				/* 'm': a logical decoding message */
			event->op = JDBC_OP_SKIP;
			return true;
	}
}

char *
connect_debezium_format(const char *format, const ConnectRecord *record)
{
	StringInfoData buf;
	const char *hit;

	initStringInfo(&buf);
	while ((hit = strstr(format, "${source.")) != NULL)
	{
		const char *name = hit + strlen("${source.");
		const char *end = strchr(name, '}');
		const ConnectSchema *source_schema;
		const ConnectSchema *unused;
		const ConnectValue *source;
		const ConnectValue *field = NULL;

		if (end == NULL)
			break;
		source = member(record->value_schema, &record->value, "source",
						&source_schema);
		if (source != NULL)
			field = member(source_schema, source, pnstrdup(name, end - name),
						   &unused);
		if (field == NULL || field->kind != CONNECT_KIND_STRING)
			return NULL;
		appendBinaryStringInfo(&buf, format, hit - format);
		appendBinaryStringInfo(&buf, field->u.p, field->len);
		format = end + 1;
	}
	appendStringInfoString(&buf, format);
	return buf.data;
}

/* A member of a struct or a map; NULL if there is none. */
static const ConnectValue *
member(const ConnectSchema *schema, const ConnectValue *value,
	   const char *name, const ConnectSchema **member_schema)
{
	*member_schema = NULL;
	if (value->kind == CONNECT_KIND_STRUCT)
	{
		int			i = connect_schema_field(schema, name, strlen(name));

		if (i < 0)
			return NULL;
		*member_schema = schema->fields[i].schema;
		return &value->u.elems[i];
	}
	if (value->kind != CONNECT_KIND_MAP)
		return NULL;
	return connect_value_field(schema, value, name, strlen(name));
}

/*
 * The names are those of io.debezium.time and io.debezium.data, and what a
 * source column's type was if the source passes it on.
 */
const char *
connect_debezium_column_type(const ConnectSchema *schema)
{
	static const struct
	{
		const char *name;
		const char *type;
	}			types[] = {
		{"io.debezium.time.Date", "DATE"},
		{"io.debezium.time.Time", "TIME(3)"},
		{"io.debezium.time.MicroTime", "TIME(6)"},
		{"io.debezium.time.NanoTime", "TIME(6)"},
		{"io.debezium.time.ZonedTime", "TIMETZ"},
		{"io.debezium.time.Timestamp", "TIMESTAMP(3)"},
		{"io.debezium.time.MicroTimestamp", "TIMESTAMP(6)"},
		{"io.debezium.time.NanoTimestamp", "TIMESTAMP(6)"},
		{"io.debezium.time.ZonedTimestamp", "TIMESTAMPTZ"},
		{"io.debezium.time.MicroDuration", "INTERVAL"},
		{"io.debezium.time.Interval", "INTERVAL"},
		{"io.debezium.time.Year", "INTEGER"},
		{"io.debezium.data.Json", "JSON"},
		{"io.debezium.data.Xml", "XML"},
		{"io.debezium.data.Uuid", "UUID"},
		{"io.debezium.data.Enum", "TEXT"},
		{"io.debezium.data.EnumSet", "TEXT"},
		{"io.debezium.data.VariableScaleDecimal", "NUMERIC"},
	};
	const char *length;

	if (schema->name != NULL)
	{
		for (int i = 0; i < lengthof(types); i++)
		{
			if (strcmp(types[i].name, schema->name) == 0)
				return types[i].type;
		}
		return NULL;
	}
	length = connect_schema_parameter(schema, "__debezium.source.column.length");
	if (schema->type == CONNECT_STRING && length != NULL && atoi(length) > 0)
	{
		const char *type = connect_schema_parameter(schema,
													"__debezium.source.column.type");

		if (type != NULL && pg_strcasecmp(type, "VARCHAR") == 0)
			return psprintf("VARCHAR(%d)", atoi(length));
		if (type != NULL && (pg_strcasecmp(type, "CHAR") == 0 ||
							 pg_strcasecmp(type, "BPCHAR") == 0))
			return psprintf("CHAR(%d)", atoi(length));
	}
	return NULL;
}
