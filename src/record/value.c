/*
 * value.c
 *	  Values: copying, comparing, checking against a schema.
 */
#include "pure.h"

#include <math.h>

#include "record/record.h"

static bool validate_at(const ConnectSchema *schema, const ConnectValue *v,
						const char *location, ConnectError *err);

ConnectValue
connect_value_string(const char *cstring)
{
	return connect_value_text(CONNECT_KIND_STRING, cstring, strlen(cstring));
}

/* Number of cells behind elems. */
static int
element_count(const ConnectValue *v)
{
	switch ((ConnectKind) v->kind)
	{
		case CONNECT_KIND_ARRAY:
		case CONNECT_KIND_STRUCT:
			return v->len;
		case CONNECT_KIND_MAP:
			return v->len * 2;
		default:
			return 0;
	}
}

static bool
is_text(ConnectKind kind)
{
	switch (kind)
	{
		case CONNECT_KIND_STRING:
		case CONNECT_KIND_BYTES:
		case CONNECT_KIND_BYTEBUFFER:
		case CONNECT_KIND_BIG_DECIMAL:
		case CONNECT_KIND_BIG_INTEGER:
		case CONNECT_KIND_NUMBER_TEXT:
		case CONNECT_KIND_JSON_TEXT:
			return true;
		default:
			return false;
	}
}

ConnectValue
connect_value_copy(const ConnectValue *v)
{
	ConnectValue copy = *v;

	if (is_text(v->kind))
	{
		char	   *p = palloc(v->len + 1);

		memcpy(p, v->u.p, v->len);
		p[v->len] = '\0';
		copy.u.p = p;
	}
	else if (v->kind == CONNECT_KIND_ARRAY || v->kind == CONNECT_KIND_MAP ||
			 v->kind == CONNECT_KIND_STRUCT)
	{
		int			n = element_count(v);

		copy.u.elems = palloc(Max(n, 1) * sizeof(ConnectValue));
		for (int i = 0; i < n; i++)
			copy.u.elems[i] = connect_value_copy(&v->u.elems[i]);
	}
	return copy;
}

/* Bytes of both kinds are the same thing; maps are compared in any order. */
static bool
map_equal(const ConnectValue *a, const ConnectValue *b)
{
	int			hint = 0;

	if (a->len != b->len)
		return false;
	for (int i = 0; i < a->len; i++)
	{
		const ConnectValue *key = &a->u.elems[2 * i];
		int			j;

		for (j = 0; j < b->len; j++)
		{
			const ConnectValue *other = &b->u.elems[2 * ((hint + j) % b->len)];

			if (connect_value_equal(key, other))
			{
				if (!connect_value_equal(key + 1, other + 1))
					return false;
				hint = (hint + j + 1) % b->len;
				break;
			}
		}
		if (j == b->len)
			return false;
	}
	return true;
}

bool
connect_value_equal(const ConnectValue *a, const ConnectValue *b)
{
	ConnectKind kind = a->kind;

	if (kind == CONNECT_KIND_BYTEBUFFER)
		kind = CONNECT_KIND_BYTES;
	if (kind != b->kind &&
		!(kind == CONNECT_KIND_BYTES && b->kind == CONNECT_KIND_BYTEBUFFER))
		return false;
	if (kind == CONNECT_KIND_NULL)
		return true;
	if (is_text(kind))
		return a->len == b->len && memcmp(a->u.p, b->u.p, a->len) == 0;
	switch (kind)
	{
		case CONNECT_KIND_FLOAT32:
		case CONNECT_KIND_FLOAT64:
			/* as Double.equals(): by bits, but one NaN is like another */
			return a->u.i == b->u.i || (isnan(a->u.d) && isnan(b->u.d));
		case CONNECT_KIND_DECIMAL:
			return a->u.i == b->u.i && a->len == b->len;
		case CONNECT_KIND_MAP:
			return map_equal(a, b);
		case CONNECT_KIND_ARRAY:
		case CONNECT_KIND_STRUCT:
			if (a->len != b->len)
				return false;
			for (int i = 0; i < a->len; i++)
			{
				if (!connect_value_equal(&a->u.elems[i], &b->u.elems[i]))
					return false;
			}
			return true;
		default:
			return a->u.i == b->u.i;
	}
}

const char *
connect_value_class(const ConnectValue *v)
{
	switch ((ConnectKind) v->kind)
	{
		case CONNECT_KIND_NULL:
			return "null";
		case CONNECT_KIND_BOOLEAN:
			return "class java.lang.Boolean";
		case CONNECT_KIND_INT8:
			return "class java.lang.Byte";
		case CONNECT_KIND_INT16:
			return "class java.lang.Short";
		case CONNECT_KIND_INT32:
			return "class java.lang.Integer";
		case CONNECT_KIND_INT64:
			return "class java.lang.Long";
		case CONNECT_KIND_FLOAT32:
			return "class java.lang.Float";
		case CONNECT_KIND_FLOAT64:
			return "class java.lang.Double";
		case CONNECT_KIND_STRING:
		case CONNECT_KIND_JSON_TEXT:
			return "class java.lang.String";
		case CONNECT_KIND_BYTES:
			return "class [B";
		case CONNECT_KIND_BYTEBUFFER:
			return "class java.nio.HeapByteBuffer";
		case CONNECT_KIND_DECIMAL:
		case CONNECT_KIND_BIG_DECIMAL:
		case CONNECT_KIND_NUMBER_TEXT:
			return "class java.math.BigDecimal";
		case CONNECT_KIND_BIG_INTEGER:
			return "class java.math.BigInteger";
		case CONNECT_KIND_DATE:
			return "class java.util.Date";
		case CONNECT_KIND_ARRAY:
			return "class java.util.ArrayList";
		case CONNECT_KIND_MAP:
			return "class java.util.HashMap";
		case CONNECT_KIND_STRUCT:
			return "class org.apache.kafka.connect.data.Struct";
		case CONNECT_KIND_CHAR:
			return "class java.lang.Character";
	}
	return "class java.lang.Object";
}

bool
connect_value_validate(const ConnectSchema *schema, const ConnectValue *v,
					   ConnectError *err)
{
	return validate_at(schema, v, "value", err);
}

bool
connect_value_validate_field(const ConnectField *field, const ConnectValue *v,
							 ConnectError *err)
{
	if (likely(v->kind != CONNECT_KIND_NULL || field->schema->optional) &&
		field->schema->type < CONNECT_ARRAY &&
		(v->kind == CONNECT_KIND_NULL ||
		 connect_value_fits(field->schema, v)))
		return true;
	return validate_at(field->schema, v,
					   psprintf("field: \"%s\"", field->name), err);
}

bool
connect_value_fits(const ConnectSchema *schema, const ConnectValue *v)
{
	switch (schema->logical)
	{
		case CONNECT_LOGICAL_DECIMAL:
			return v->kind == CONNECT_KIND_DECIMAL ||
				v->kind == CONNECT_KIND_BIG_DECIMAL;
		case CONNECT_LOGICAL_DATE:
		case CONNECT_LOGICAL_TIME:
		case CONNECT_LOGICAL_TIMESTAMP:
			return v->kind == CONNECT_KIND_DATE;
		case CONNECT_LOGICAL_NONE:
			break;
	}
	switch (schema->type)
	{
		case CONNECT_INT8:
			return v->kind == CONNECT_KIND_INT8;
		case CONNECT_INT16:
			return v->kind == CONNECT_KIND_INT16;
		case CONNECT_INT32:
			return v->kind == CONNECT_KIND_INT32;
		case CONNECT_INT64:
			return v->kind == CONNECT_KIND_INT64;
		case CONNECT_FLOAT32:
			return v->kind == CONNECT_KIND_FLOAT32;
		case CONNECT_FLOAT64:
			return v->kind == CONNECT_KIND_FLOAT64;
		case CONNECT_BOOLEAN:
			return v->kind == CONNECT_KIND_BOOLEAN;
		case CONNECT_STRING:
			return v->kind == CONNECT_KIND_STRING ||
				v->kind == CONNECT_KIND_JSON_TEXT;
		case CONNECT_BYTES:
			return v->kind == CONNECT_KIND_BYTES ||
				v->kind == CONNECT_KIND_BYTEBUFFER;
		case CONNECT_ARRAY:
			return v->kind == CONNECT_KIND_ARRAY;
		case CONNECT_MAP:
			return v->kind == CONNECT_KIND_MAP;
		case CONNECT_STRUCT:
			return v->kind == CONNECT_KIND_STRUCT;
	}
	return false;
}

static bool
validate_at(const ConnectSchema *schema, const ConnectValue *v,
			const char *location, ConnectError *err)
{
	if (v->kind == CONNECT_KIND_NULL)
	{
		if (schema->optional)
			return true;
		return connect_error_set(err, CONNECT_DATA_EXCEPTION,
								 "Invalid value: null used for required %s, schema type: %s",
								 location, connect_type_name(schema->type));
	}
	if (!connect_value_fits(schema, v))
	{
		if (schema->name != NULL)
			return connect_error_set(err, CONNECT_DATA_EXCEPTION,
									 "Invalid Java object for schema \"%s\" with type %s: %s for %s",
									 schema->name,
									 connect_type_name(schema->type),
									 connect_value_class(v), location);
		return connect_error_set(err, CONNECT_DATA_EXCEPTION,
								 "Invalid Java object for schema with type %s: %s for %s",
								 connect_type_name(schema->type),
								 connect_value_class(v), location);
	}

	switch ((ConnectKind) v->kind)
	{
		case CONNECT_KIND_STRUCT:
			for (int i = 0; i < v->len; i++)
			{
				const ConnectField *field = &schema->fields[i];
				const ConnectValue *value = &v->u.elems[i];

				if (value->kind == CONNECT_KIND_NULL &&
					field->schema->has_default)
					continue;
				if (!connect_value_validate_field(field, value, err))
					return false;
			}
			return true;
		case CONNECT_KIND_ARRAY:
			if (schema->value_schema == NULL)
				return true;
			location = psprintf("element of array %s", location);
			for (int i = 0; i < v->len; i++)
			{
				if (!validate_at(schema->value_schema, &v->u.elems[i],
								 location, err))
					return false;
			}
			return true;
		case CONNECT_KIND_MAP:
			if (schema->key_schema == NULL || schema->value_schema == NULL)
				return true;
			for (int i = 0; i < v->len; i++)
			{
				if (!validate_at(schema->key_schema, &v->u.elems[2 * i],
								 psprintf("key of map %s", location), err) ||
					!validate_at(schema->value_schema, &v->u.elems[2 * i + 1],
								 psprintf("value of map %s", location), err))
					return false;
			}
			return true;
		default:
			return true;
	}
}

const ConnectValue *
connect_value_field(const ConnectSchema *schema, const ConnectValue *v,
					const char *name, int len)
{
	if (v->kind == CONNECT_KIND_STRUCT)
	{
		int			i = connect_schema_field(schema, name, len);

		return i < 0 ? NULL : &v->u.elems[i];
	}
	if (v->kind == CONNECT_KIND_MAP)
	{
		for (int i = 0; i < v->len; i++)
		{
			const ConnectValue *key = &v->u.elems[2 * i];

			if (key->kind == CONNECT_KIND_STRING && key->len == len &&
				memcmp(key->u.p, name, len) == 0)
				return key + 1;
		}
	}
	return NULL;
}
