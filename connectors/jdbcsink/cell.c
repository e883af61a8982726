/*
 * cell.c
 *	  Values that mean something else to their column than to Connect.
 *
 * NOTES
 *	  Task process.  A column of bits gets them from a boolean, a number or
 *	  bytes, as the table source gives them, and from Debezium's Bits; hstore a
 *	  map or struct; a point and a number their structs of Debezium.  What is
 *	  none of these stays as it is, and its column says whether it takes it.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/syscache.h"

#include "convert/json_read.h"
#include "convert/json_write.h"
#include "jdbcsink/jdbcsink.h"

#define VARIABLE_SCALE_DECIMAL	"io.debezium.data.VariableScaleDecimal"

static const ConnectValue *decimal_of(const JdbcField *field,
									  const ConnectValue *cell,
									  ConnectValue *other);
static const ConnectValue *decimals_of(const JdbcField *field,
									   const ConnectValue *cell,
									   ConnectValue *other);
static const ConnectValue *bits_of(const JdbcField *field,
								   const ConnectValue *cell,
								   ConnectValue *other);
static const ConnectValue *hstore_of(const JdbcField *field,
									 const ConnectValue *cell,
									 ConnectValue *other);
static const ConnectValue *point_of(const JdbcField *field,
									const ConnectValue *cell,
									ConnectValue *other);

static bool
has_name(const ConnectSchema *schema, const char *name)
{
	return schema != NULL && schema->name != NULL &&
		strcmp(schema->name, name) == 0;
}

/* An extension's type, wherever it was put. */
static bool
is_hstore(Oid type)
{
	HeapTuple	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
	Form_pg_type form;
	bool		result;

	if (!HeapTupleIsValid(tuple))
		return false;
	form = (Form_pg_type) GETSTRUCT(tuple);
	result = form->typtype == TYPTYPE_BASE &&
		strcmp(NameStr(form->typname), "hstore") == 0;
	ReleaseSysCache(tuple);
	return result;
}

JdbcCellFunction
connect_jdbcsink_cell_function(const JdbcField *field)
{
	const ConnectSchema *schema = field->schema;

	if (field->base_type != JSONOID && field->base_type != JSONBOID)
	{
		if (has_name(schema, VARIABLE_SCALE_DECIMAL))
			return decimal_of;
		if (schema != NULL && schema->type == CONNECT_ARRAY &&
			has_name(schema->value_schema, VARIABLE_SCALE_DECIMAL))
			return decimals_of;
	}
	if (field->base_type == BITOID || field->base_type == VARBITOID)
		return bits_of;
	if (field->base_type == POINTOID)
		return point_of;
	return is_hstore(field->base_type) ? hstore_of : NULL;
}

/* An object is JSON text as long as nobody has looked into it. */
static const ConnectValue *
parsed(const ConnectValue *cell, ConnectValue *value)
{
	ConnectJsonReader reader;
	ConnectError err = {0};

	if (cell->kind != CONNECT_KIND_JSON_TEXT)
		return cell;
	connect_json_reader_init(&reader, cell->u.p, cell->len,
							 CONNECT_JSON_NUMBER_TEXT, &err);
	return connect_json_read_value(&reader, value) ? value : cell;
}

static const ConnectValue *
member_of(const ConnectSchema *schema, const ConnectValue *cell,
		  const char *name)
{
	if (cell->kind != CONNECT_KIND_STRUCT && cell->kind != CONNECT_KIND_MAP)
		return NULL;
	return connect_value_field(schema, cell, name, strlen(name));
}

static const ConnectValue *
text_cell(const StringInfo text, ConnectValue *other)
{
	*other = connect_value_text(CONNECT_KIND_STRING, text->data, text->len);
	return other;
}

static const ConnectValue *
decimal_of_struct(const ConnectSchema *schema, const ConnectValue *cell,
				  ConnectValue *other)
{
	const ConnectValue *scale = member_of(schema, cell, "scale");
	const ConnectValue *digits = member_of(schema, cell, "value");

	if (scale == NULL || scale->kind != CONNECT_KIND_INT32 ||
		digits == NULL || digits->len == 0 ||
		(digits->kind != CONNECT_KIND_BYTES &&
		 digits->kind != CONNECT_KIND_BYTEBUFFER))
		return cell;
	*other = connect_decimal_from_bytes(digits->u.p, digits->len, scale->u.i);
	return other;
}

static const ConnectValue *
decimal_of(const JdbcField *field, const ConnectValue *cell,
		   ConnectValue *other)
{
	return decimal_of_struct(field->schema, cell, other);
}

static const ConnectValue *
decimals_of(const JdbcField *field, const ConnectValue *cell,
			ConnectValue *other)
{
	ConnectValue *elems;
	ConnectValue decimal;

	if (cell->kind != CONNECT_KIND_ARRAY)
		return cell;
	elems = palloc(Max(1, cell->len) * sizeof(ConnectValue));
	for (int i = 0; i < cell->len; i++)
		elems[i] = *decimal_of_struct(field->schema->value_schema,
									  &cell->u.elems[i], &decimal);
	*other = *cell;
	other->u.elems = elems;
	return other;
}

/* A number's last bits: as many as the column has, if the others say nothing. */
static const ConnectValue *
bits_of_number(const JdbcField *field, int64 number, ConnectValue *other)
{
	int32		length = field->base_typmod;
	Datum		bits;

	if (field->base_type == VARBITOID || length < 1 ||
		(length < 64 && (number < 0 ? number >> (length - 1) != -1 :
						 number >> length != 0)))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("the number " INT64_FORMAT " has no place in a column of type %s",
						number,
						format_type_with_typemod(field->base_type, length))));
	bits = DirectFunctionCall2(bitfromint8, Int64GetDatum(number),
							   Int32GetDatum(length));
	*other = connect_value_string(DatumGetCString(DirectFunctionCall1(bit_out,
																	  bits)));
	return other;
}

static const ConnectValue *
bits_of(const JdbcField *field, const ConnectValue *cell, ConnectValue *other)
{
	bool		reversed = has_name(field->schema, "io.debezium.data.Bits");
	int			length = cell->len * BITS_PER_BYTE;
	const char *parameter;
	StringInfoData text;
	int64		number;
	char	   *digits;
	char	   *end;

	switch ((ConnectKind) cell->kind)
	{
		case CONNECT_KIND_BOOLEAN:
			*other = connect_value_string(cell->u.i ? "1" : "0");
			return other;

		case CONNECT_KIND_INT8:
		case CONNECT_KIND_INT16:
		case CONNECT_KIND_INT32:
		case CONNECT_KIND_INT64:
			return bits_of_number(field, cell->u.i, other);

		case CONNECT_KIND_NUMBER_TEXT:
			digits = pnstrdup(cell->u.p, cell->len);
			errno = 0;
			number = strtoi64(digits, &end, 10);
			if (errno != 0 || *end != '\0')
				return cell;
			return bits_of_number(field, number, other);

		case CONNECT_KIND_BYTES:
		case CONNECT_KIND_BYTEBUFFER:
			break;

		default:
			return cell;
	}

	/* Debezium puts the least significant byte first, and says how many bits count. */
	parameter = reversed ?
		connect_schema_parameter(field->schema, "length") : NULL;
	if (parameter != NULL && atoi(parameter) > 0)
		length = Min(length, atoi(parameter));
	/* The last byte may be filled up. */
	if (!reversed && field->base_type == BITOID &&
		field->base_typmod > length - BITS_PER_BYTE)
		length = Min(length, field->base_typmod);

	initStringInfo(&text);
	for (int i = 0; i < length; i++)
	{
		int			bit = reversed ? length - 1 - i :
			i / BITS_PER_BYTE * BITS_PER_BYTE + 7 - i % BITS_PER_BYTE;

		appendStringInfoChar(&text, (cell->u.p[bit / BITS_PER_BYTE] >>
									 bit % BITS_PER_BYTE) & 1 ? '1' : '0');
	}
	return text_cell(&text, other);
}

static void
append_quoted(StringInfo text, const char *p, int len)
{
	appendStringInfoChar(text, '"');
	for (int i = 0; i < len; i++)
	{
		if (p[i] == '"' || p[i] == '\\')
			appendStringInfoChar(text, '\\');
		appendStringInfoChar(text, p[i]);
	}
	appendStringInfoChar(text, '"');
}

static bool
append_pair(StringInfo text, const char *name, int len,
			const ConnectSchema *schema, const ConnectValue *value)
{
	static const ConnectJsonOptions json = {.decimal_numeric = true};
	StringInfoData own;
	ConnectError err = {0};

	if (text->len > 0)
		appendStringInfoString(text, ", ");
	append_quoted(text, name, len);
	appendStringInfoString(text, "=>");
	initStringInfo(&own);
	if (connect_value_is_null(value))
		appendStringInfoString(text, "NULL");
	else if (value->kind == CONNECT_KIND_STRING ||
			 value->kind == CONNECT_KIND_NUMBER_TEXT)
		append_quoted(text, value->u.p, value->len);
	else if (value->kind == CONNECT_KIND_ARRAY ||
			 value->kind == CONNECT_KIND_MAP ||
			 value->kind == CONNECT_KIND_STRUCT)
	{
		if (!connect_json_append_value(&own, schema, value, &json, &err))
			return false;
		append_quoted(text, own.data, own.len);
	}
	else
	{
		connect_value_append_string(&own, schema, value);
		append_quoted(text, own.data, own.len);
	}
	return true;
}

static const ConnectValue *
hstore_of(const JdbcField *field, const ConnectValue *cell,
		  ConnectValue *other)
{
	const ConnectSchema *schema = field->schema;
	const ConnectValue *object = parsed(cell, other);
	StringInfoData text;

	initStringInfo(&text);
	if (object->kind == CONNECT_KIND_STRUCT)
	{
		for (int i = 0; i < schema->nfields; i++)
		{
			if (!append_pair(&text, schema->fields[i].name,
							 strlen(schema->fields[i].name),
							 schema->fields[i].schema, &object->u.elems[i]))
				return cell;
		}
		return text_cell(&text, other);
	}
	if (object->kind != CONNECT_KIND_MAP)
		return cell;
	for (int i = 0; i < object->len; i++)
	{
		const ConnectValue *name = &object->u.elems[2 * i];

		if (name->kind != CONNECT_KIND_STRING ||
			!append_pair(&text, name->u.p, name->len,
						 schema ? schema->value_schema : NULL, name + 1))
			return cell;
	}
	return text_cell(&text, other);
}

static const ConnectValue *
point_of(const JdbcField *field, const ConnectValue *cell,
		 ConnectValue *other)
{
	const ConnectValue *object = parsed(cell, other);
	const ConnectValue *x = member_of(field->schema, object, "x");
	const ConnectValue *y = member_of(field->schema, object, "y");
	StringInfoData text;

	if (x == NULL || y == NULL)
		return cell;
	initStringInfo(&text);
	appendStringInfoChar(&text, '(');
	connect_value_append_string(&text, NULL, x);
	appendStringInfoChar(&text, ',');
	connect_value_append_string(&text, NULL, y);
	appendStringInfoChar(&text, ')');
	return text_cell(&text, other);
}
