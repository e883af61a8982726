/*
 * json_value.c
 *	  What a JSON text means under a schema.
 *
 * NOTES
 *	  As in the original, a value of a wrong JSON type is not refused for the
 *	  simple types: it becomes 0, false or null, and integers wrap.  Existing
 *	  pipelines rely on it; a sink that decodes straight into columns
 *	  (json_plan.h) does not do so.
 */
#include "pure.h"

#include "convert/json_read.h"
#include "convert/json_value.h"
#include "record/base64.h"
#include "record/calendar.h"

static bool to_logical(const ConnectSchema *schema, const ConnectValue *node,
					   ConnectValue *out, ConnectError *err);
static bool to_decimal(const ConnectSchema *schema, const ConnectValue *node,
					   ConnectValue *out, ConnectError *err);
static bool to_simple(const ConnectSchema *schema, const ConnectValue *node,
					  ConnectValue *out, ConnectError *err);
static bool to_array(const ConnectSchema *schema, const ConnectValue *node,
					 const ConnectJsonOptions *options, ConnectValue *out,
					 ConnectError *err);
static bool to_map(const ConnectSchema *schema, const ConnectValue *node,
				   const ConnectJsonOptions *options, ConnectValue *out,
				   ConnectError *err);
static bool to_struct(const ConnectSchema *schema, const ConnectValue *node,
					  const ConnectJsonOptions *options, ConnectValue *out,
					  ConnectError *err);
static void infer(const ConnectValue *node, ConnectValue *out);

/* Beyond this a map with other keys than strings may keep equal ones. */
#define MAX_KEYS_COMPARED	1024

/*
 * The time to read a number grows with the square of its length: a megabyte
 * would take a minute.  PostgreSQL's numeric has less than this.
 */
#define MAX_UNSCALED_BYTES	65536

static const char *
node_type(const ConnectValue *node)
{
	switch ((ConnectKind) node->kind)
	{
		case CONNECT_KIND_BOOLEAN:
			return "BOOLEAN";
		case CONNECT_KIND_NUMBER_TEXT:
			return "NUMBER";
		case CONNECT_KIND_STRING:
			return "STRING";
		case CONNECT_KIND_ARRAY:
			return "ARRAY";
		case CONNECT_KIND_MAP:
			return "OBJECT";
		case CONNECT_KIND_STRUCT:
			return "MISSING";
		default:
			return "NULL";
	}
}

bool
connect_json_to_value(const ConnectSchema *schema, const ConnectValue *node,
					  const ConnectJsonOptions *options, ConnectValue *out,
					  ConnectError *err)
{
	if (schema == NULL)
	{
		infer(node, out);
		return true;
	}
	if (node == NULL || node->kind == CONNECT_KIND_NULL)
	{
		if (schema->has_default && options->replace_null)
			*out = schema->default_value;
		else if (schema->optional)
			*out = connect_value_null();
		else
			return connect_error_set(err, CONNECT_DATA_EXCEPTION,
									 "Invalid null value for required %s field",
									 connect_type_name(schema->type));
		return true;
	}
	if (schema->logical != CONNECT_LOGICAL_NONE)
		return to_logical(schema, node, out, err);
	switch (schema->type)
	{
		case CONNECT_ARRAY:
			return to_array(schema, node, options, out, err);
		case CONNECT_MAP:
			return to_map(schema, node, options, out, err);
		case CONNECT_STRUCT:
			return to_struct(schema, node, options, out, err);
		default:
			return to_simple(schema, node, out, err);
	}
}

/* Fits a Java int, which Jackson tells from a long. */
static bool
is_int32(const ConnectValue *node)
{
	ConnectValue decimal;

	return node->kind == CONNECT_KIND_NUMBER_TEXT &&
		connect_json_number_is_integral(node) &&
		connect_decimal_from_text(node->u.p, node->len, &decimal) &&
		decimal.kind == CONNECT_KIND_DECIMAL &&
		decimal.u.i >= PG_INT32_MIN && decimal.u.i <= PG_INT32_MAX;
}

static bool
to_logical(const ConnectSchema *schema, const ConnectValue *node,
		   ConnectValue *out, ConnectError *err)
{
	int64		i;

	switch (schema->logical)
	{
		case CONNECT_LOGICAL_DATE:
		case CONNECT_LOGICAL_TIME:
			if (!is_int32(node))
				return connect_error_set(err, CONNECT_DATA_EXCEPTION,
										 "Invalid type for %s, underlying representation should be integer but was %s",
										 schema->logical == CONNECT_LOGICAL_DATE ?
										 "Date" : "Time", node_type(node));
			i = connect_json_number_int64(node);
			if (schema->logical == CONNECT_LOGICAL_DATE)
				i *= CONNECT_MS_PER_DAY;
			else if (i < 0 || i > CONNECT_MS_PER_DAY)
				return connect_error_set(err, CONNECT_DATA_EXCEPTION,
										 "Time values must use number of milliseconds greater than 0 and less than 86400000");
			break;
		case CONNECT_LOGICAL_TIMESTAMP:
			if (node->kind != CONNECT_KIND_NUMBER_TEXT ||
				!connect_json_number_is_integral(node))
				return connect_error_set(err, CONNECT_DATA_EXCEPTION,
										 "Invalid type for Timestamp, underlying representation should be integral but was %s",
										 node_type(node));
			i = connect_json_number_int64(node);
			break;
		default:
			return to_decimal(schema, node, out, err);
	}
	*out = connect_value_int(CONNECT_KIND_DATE, i);
	return true;
}

/* A text that is no base64, as the original reports it. */
static bool
bad_base64(const char *outer, const char *reason, ConnectError *err)
{
	connect_error_set(err,
					  "com.fasterxml.jackson.databind.exc.InvalidFormatException",
					  "Cannot access contents of TextNode as binary due to broken Base64 encoding: %s",
					  reason);
	return connect_error_wrap(err, CONNECT_DATA_EXCEPTION, "%s", outer);
}

static bool
to_decimal(const ConnectSchema *schema, const ConnectValue *node,
		   ConnectValue *out, ConnectError *err)
{
	static const char outer[] = "Invalid bytes for Decimal field";
	StringInfoData bytes;
	char	   *reason;
	int			scale;

	if (node->kind == CONNECT_KIND_NUMBER_TEXT)
	{
		if (!connect_decimal_from_text(node->u.p, node->len, out))
			return connect_error_set(err, CONNECT_DATA_EXCEPTION, "%s", outer);
		return true;
	}
	if (node->kind != CONNECT_KIND_STRING)
		return connect_error_set(err, CONNECT_DATA_EXCEPTION,
								 "Invalid type for Decimal, underlying representation should be numeric or bytes but was %s",
								 node_type(node));
	initStringInfo(&bytes);
	reason = connect_base64_decode(node->u.p, node->len, &bytes);
	if (reason != NULL)
		return bad_base64(outer, reason, err);
	if (bytes.len == 0)
	{
		connect_error_set(err, "java.lang.NumberFormatException",
						  "Zero length BigInteger");
		return connect_error_wrap(err, CONNECT_DATA_EXCEPTION, "%s", outer);
	}
	if (bytes.len > MAX_UNSCALED_BYTES)
		return connect_error_set(err, CONNECT_DATA_EXCEPTION,
								 "%s: %d bytes are more than %d", outer,
								 bytes.len, MAX_UNSCALED_BYTES);
	if (!connect_decimal_schema_scale(schema, &scale, err))
		return connect_error_wrap(err, CONNECT_DATA_EXCEPTION, "%s", outer);
	*out = connect_decimal_from_bytes(bytes.data, bytes.len, scale);
	pfree(bytes.data);
	return true;
}

static bool
to_simple(const ConnectSchema *schema, const ConnectValue *node,
		  ConnectValue *out, ConnectError *err)
{
	bool		number = node->kind == CONNECT_KIND_NUMBER_TEXT;
	StringInfoData bytes;
	char	   *reason;

	switch (schema->type)
	{
		case CONNECT_BOOLEAN:
			*out = connect_value_int(CONNECT_KIND_BOOLEAN,
									 node->kind == CONNECT_KIND_BOOLEAN &&
									 node->u.i != 0);
			break;
		case CONNECT_INT8:
			*out = connect_value_int(CONNECT_KIND_INT8, number ?
									 (int8) connect_json_number_int32(node) : 0);
			break;
		case CONNECT_INT16:
			*out = connect_value_int(CONNECT_KIND_INT16, number ?
									 (int16) connect_json_number_int32(node) : 0);
			break;
		case CONNECT_INT32:
			*out = connect_value_int(CONNECT_KIND_INT32, number ?
									 connect_json_number_int32(node) : 0);
			break;
		case CONNECT_INT64:
			*out = connect_value_int(CONNECT_KIND_INT64, number ?
									 connect_json_number_int64(node) : 0);
			break;
		case CONNECT_FLOAT32:
			*out = connect_value_double(CONNECT_KIND_FLOAT32, number ?
										connect_json_number_float(node) : 0);
			break;
		case CONNECT_FLOAT64:
			*out = connect_value_double(CONNECT_KIND_FLOAT64, number ?
										connect_json_number_double(node) : 0);
			break;
		case CONNECT_STRING:
			if (node->kind == CONNECT_KIND_STRING)
				*out = *node;
			else
				*out = connect_value_null();
			break;
		default:
			*out = connect_value_null();
			if (node->kind != CONNECT_KIND_STRING)
				break;
			initStringInfo(&bytes);
			reason = connect_base64_decode(node->u.p, node->len, &bytes);
			if (reason != NULL)
				return bad_base64("Invalid bytes field", reason, err);
			*out = connect_value_text(CONNECT_KIND_BYTES, bytes.data,
									  bytes.len);
			break;
	}
	return true;
}

/* An object is the array of its values; anything else is an empty one. */
static bool
to_array(const ConnectSchema *schema, const ConnectValue *node,
		 const ConnectJsonOptions *options, ConnectValue *out,
		 ConnectError *err)
{
	int			step = node->kind == CONNECT_KIND_MAP ? 2 : 1;
	int			n = 0;
	ConnectValue *elems;

	if (node->kind == CONNECT_KIND_MAP || node->kind == CONNECT_KIND_ARRAY)
		n = node->len;
	elems = palloc(Max(n, 1) * sizeof(ConnectValue));
	for (int i = 0; i < n; i++)
	{
		if (!connect_json_to_value(schema->value_schema,
								   &node->u.elems[i * step + step - 1],
								   options, &elems[i], err))
			return false;
	}
	*out = connect_value_elems(CONNECT_KIND_ARRAY, elems, n);
	return true;
}

static bool
to_map(const ConnectSchema *schema, const ConnectValue *node,
	   const ConnectJsonOptions *options, ConnectValue *out,
	   ConnectError *err)
{
	bool		strings = schema->key_schema->type == CONNECT_STRING;
	int			n = 0;
	ConnectValue *elems;

	if (strings && node->kind != CONNECT_KIND_MAP)
		return connect_error_set(err, CONNECT_DATA_EXCEPTION,
								 "Maps with string fields should be encoded as JSON objects, but found %s",
								 node_type(node));
	if (!strings && node->kind != CONNECT_KIND_ARRAY)
		return connect_error_set(err, CONNECT_DATA_EXCEPTION,
								 "Maps with non-string fields should be encoded as JSON array of tuples, but found %s",
								 node_type(node));
	elems = palloc(Max(node->len, 1) * 2 * sizeof(ConnectValue));
	for (int i = 0; i < node->len; i++)
	{
		const ConnectValue *pair = &node->u.elems[2 * i];
		int			same = 0;

		if (strings)
			elems[2 * n] = *pair;
		else
		{
			const ConnectValue *entry = &node->u.elems[i];

			if (entry->kind != CONNECT_KIND_ARRAY)
				return connect_error_set(err, CONNECT_DATA_EXCEPTION,
										 "Found invalid map entry instead of array tuple: %s",
										 node_type(entry));
			if (entry->len != 2)
				return connect_error_set(err, CONNECT_DATA_EXCEPTION,
										 "Found invalid map entry, expected length 2 but found :%d",
										 entry->len);
			pair = entry->u.elems;
			if (!connect_json_to_value(schema->key_schema, pair, options,
									   &elems[2 * n], err))
				return false;
		}
		if (!connect_json_to_value(schema->value_schema, pair + 1, options,
								   &elems[2 * n + 1], err))
			return false;

		/* the last of equal keys counts; the reader has seen to strings */
		if (strings || n > MAX_KEYS_COMPARED)
			same = n;
		while (same < n &&
			   !connect_value_equal(&elems[2 * same], &elems[2 * n]))
			same++;
		if (same < n)
			elems[2 * same + 1] = elems[2 * n + 1];
		else
			n++;
	}
	*out = connect_value_elems(CONNECT_KIND_MAP, elems, n);
	return true;
}

static bool
to_struct(const ConnectSchema *schema, const ConnectValue *node,
		  const ConnectJsonOptions *options, ConnectValue *out,
		  ConnectError *err)
{
	ConnectValue *elems;
	int			next = 0;

	if (node->kind != CONNECT_KIND_MAP)
		return connect_error_set(err, CONNECT_DATA_EXCEPTION,
								 "Structs should be encoded as JSON objects, but found %s",
								 node_type(node));
	elems = palloc(Max(schema->nfields, 1) * sizeof(ConnectValue));
	for (int i = 0; i < schema->nfields; i++)
	{
		const ConnectField *field = &schema->fields[i];
		const ConnectValue *member = NULL;

		/* members mostly come in the order of the fields */
		for (int tries = 0; tries < node->len; tries++)
		{
			const ConnectValue *key;

			if (next >= node->len)
				next = 0;
			key = &node->u.elems[2 * next++];
			if (key->len == field->name_len &&
				memcmp(key->u.p, field->name, key->len) == 0)
			{
				member = key + 1;
				break;
			}
		}
		if (!connect_json_to_value(field->schema, member, options,
								   &elems[i], err) ||
			!connect_value_validate_field(field, &elems[i], err))
			return false;
	}
	*out = connect_value_elems(CONNECT_KIND_STRUCT, elems, schema->nfields);
	return true;
}

/* Integers are INT64, other numbers FLOAT64. */
static void
infer(const ConnectValue *node, ConnectValue *out)
{
	int			ncells = 0;

	if (node == NULL)
	{
		*out = connect_value_null();
		return;
	}
	*out = *node;
	if (node->kind == CONNECT_KIND_NUMBER_TEXT)
		connect_json_number_resolve(out);
	else if (node->kind == CONNECT_KIND_ARRAY)
		ncells = node->len;
	else if (node->kind == CONNECT_KIND_MAP)
		ncells = node->len * 2;
	for (int i = 0; i < ncells; i++)
		infer(&node->u.elems[i], &out->u.elems[i]);
}
