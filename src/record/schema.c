/*
 * schema.c
 *	  Schemas: making, naming, comparing.
 *
 * NOTES
 *	  Everything is allocated in the current memory context; texts are copied.
 */
#include "pure.h"

#include "record/record.h"

/* Ids given out in this process. */
static uint64 last_schema_id = 0;

const char *
connect_type_name(ConnectType type)
{
	static const char *const names[] = {
		[CONNECT_INT8] = "INT8",
		[CONNECT_INT16] = "INT16",
		[CONNECT_INT32] = "INT32",
		[CONNECT_INT64] = "INT64",
		[CONNECT_FLOAT32] = "FLOAT32",
		[CONNECT_FLOAT64] = "FLOAT64",
		[CONNECT_BOOLEAN] = "BOOLEAN",
		[CONNECT_STRING] = "STRING",
		[CONNECT_BYTES] = "BYTES",
		[CONNECT_ARRAY] = "ARRAY",
		[CONNECT_MAP] = "MAP",
		[CONNECT_STRUCT] = "STRUCT",
	};

	return names[type];
}

ConnectSchema *
connect_schema_make(ConnectType type)
{
	ConnectSchema *schema = palloc0(sizeof(ConnectSchema));

	schema->id = ++last_schema_id;
	schema->type = type;
	return schema;
}

ConnectSchema *
connect_schema_make_logical(ConnectLogical logical, int scale)
{
	static const struct
	{
		ConnectType type;
		const char *name;
	}			known[] = {
		[CONNECT_LOGICAL_DECIMAL] = {CONNECT_BYTES, CONNECT_DECIMAL_NAME},
		[CONNECT_LOGICAL_DATE] = {CONNECT_INT32, CONNECT_DATE_NAME},
		[CONNECT_LOGICAL_TIME] = {CONNECT_INT32, CONNECT_TIME_NAME},
		[CONNECT_LOGICAL_TIMESTAMP] = {CONNECT_INT64, CONNECT_TIMESTAMP_NAME},
	};
	ConnectSchema *schema = connect_schema_make(known[logical].type);

	if (logical == CONNECT_LOGICAL_DECIMAL)
	{
		char		text[16];

		snprintf(text, sizeof(text), "%d", scale);
		connect_schema_add_parameter(schema, "scale", text);
	}
	connect_schema_set_name(schema, known[logical].name);
	schema->has_version = true;
	schema->version = 1;
	return schema;
}

ConnectSchema *
connect_schema_make_struct(const char *name, int nfields)
{
	ConnectSchema *schema = connect_schema_make(CONNECT_STRUCT);

	schema->nfields = nfields;
	schema->fields = palloc0(Max(nfields, 1) * sizeof(ConnectField));
	if (name != NULL)
		connect_schema_set_name(schema, name);
	return schema;
}

ConnectSchema *
connect_schema_copy(const ConnectSchema *schema)
{
	ConnectSchema *copy;

	if (schema == NULL)
		return NULL;
	copy = palloc(sizeof(ConnectSchema));
	*copy = *schema;
	copy->id = ++last_schema_id;
	copy->name = schema->name ? pstrdup(schema->name) : NULL;
	copy->doc = schema->doc ? pstrdup(schema->doc) : NULL;
	copy->nparameters = 0;
	copy->parameters = NULL;
	for (int i = 0; i < schema->nparameters; i++)
		connect_schema_add_parameter(copy, schema->parameters[i].key,
									 schema->parameters[i].value);
	copy->default_value = connect_value_copy(&schema->default_value);
	copy->key_schema = connect_schema_copy(schema->key_schema);
	copy->value_schema = connect_schema_copy(schema->value_schema);
	if (schema->type == CONNECT_STRUCT)
	{
		copy->fields = palloc(Max(schema->nfields, 1) * sizeof(ConnectField));
		for (int i = 0; i < schema->nfields; i++)
			connect_schema_set_field(copy, i, schema->fields[i].name,
									 connect_schema_copy(schema->fields[i].schema));
	}
	return copy;
}

static void
derive_scale(ConnectSchema *schema)
{
	const char *text = connect_schema_parameter(schema, "scale");

	schema->has_scale = false;
	if (schema->logical == CONNECT_LOGICAL_DECIMAL && text != NULL)
	{
		const char *digits = text + (*text == '-' || *text == '+');
		char	   *end;
		long		scale;

		errno = 0;
		scale = strtol(text, &end, 10);
		if (*digits >= '0' && *digits <= '9' && *end == '\0' && errno == 0 &&
			scale >= PG_INT32_MIN && scale <= PG_INT32_MAX)
		{
			schema->has_scale = true;
			schema->scale = scale;
		}
	}
}

void
connect_schema_set_name(ConnectSchema *schema, const char *name)
{
	static const struct
	{
		const char *name;
		ConnectLogical logical;
	}			known[] = {
		{CONNECT_DECIMAL_NAME, CONNECT_LOGICAL_DECIMAL},
		{CONNECT_DATE_NAME, CONNECT_LOGICAL_DATE},
		{CONNECT_TIME_NAME, CONNECT_LOGICAL_TIME},
		{CONNECT_TIMESTAMP_NAME, CONNECT_LOGICAL_TIMESTAMP},
	};

	schema->name = name ? pstrdup(name) : NULL;
	schema->logical = CONNECT_LOGICAL_NONE;
	for (int i = 0; name != NULL && i < lengthof(known); i++)
	{
		if (strcmp(name, known[i].name) == 0)
			schema->logical = known[i].logical;
	}
	derive_scale(schema);
}

void
connect_schema_set_field(ConnectSchema *schema, int i, const char *name,
						 ConnectSchema *field)
{
	Assert(schema->type == CONNECT_STRUCT && i < schema->nfields);
	schema->fields[i].name = pstrdup(name);
	schema->fields[i].name_len = strlen(name);
	schema->fields[i].schema = field;
}

/* A key that exists gets the new value. */
void
connect_schema_add_parameter(ConnectSchema *schema, const char *key,
							 const char *value)
{
	int			i;

	for (i = 0; i < schema->nparameters; i++)
	{
		if (strcmp(schema->parameters[i].key, key) == 0)
			break;
	}
	if (i == schema->nparameters)
	{
		Size		size = (i + 1) * sizeof(ConnectParameter);

		schema->parameters = i == 0 ? palloc(size)
			: repalloc(schema->parameters, size);
		schema->parameters[i].key = pstrdup(key);
		schema->nparameters++;
	}
	schema->parameters[i].value = pstrdup(value);
	derive_scale(schema);
}

const char *
connect_schema_parameter(const ConnectSchema *schema, const char *key)
{
	for (int i = 0; i < schema->nparameters; i++)
	{
		if (strcmp(schema->parameters[i].key, key) == 0)
			return schema->parameters[i].value;
	}
	return NULL;
}

int
connect_schema_field(const ConnectSchema *schema, const char *name, int len)
{
	for (int i = 0; i < schema->nfields; i++)
	{
		const ConnectField *field = &schema->fields[i];

		if (field->name_len == len && memcmp(field->name, name, len) == 0)
			return i;
	}
	return -1;
}

static bool
text_equal(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return strcmp(a, b) == 0;
}

/* Parameters are a map in Java: their order does not count. */
static bool
parameters_equal(const ConnectSchema *a, const ConnectSchema *b)
{
	if (a->nparameters != b->nparameters)
		return false;
	for (int i = 0; i < a->nparameters; i++)
	{
		if (!text_equal(a->parameters[i].value,
						connect_schema_parameter(b, a->parameters[i].key)))
			return false;
	}
	return true;
}

bool
connect_schema_equal(const ConnectSchema *a, const ConnectSchema *b)
{
	if (a == b)
		return true;
	if (a == NULL || b == NULL || a->id == b->id)
		return a != NULL && b != NULL;
	if (a->type != b->type || a->optional != b->optional ||
		a->has_version != b->has_version ||
		(a->has_version && a->version != b->version) ||
		!text_equal(a->name, b->name) || !text_equal(a->doc, b->doc) ||
		!parameters_equal(a, b) ||
		a->has_default != b->has_default ||
		(a->has_default &&
		 !connect_value_equal(&a->default_value, &b->default_value)) ||
		!connect_schema_equal(a->key_schema, b->key_schema) ||
		!connect_schema_equal(a->value_schema, b->value_schema) ||
		a->nfields != b->nfields)
		return false;
	for (int i = 0; i < a->nfields; i++)
	{
		if (!text_equal(a->fields[i].name, b->fields[i].name) ||
			!connect_schema_equal(a->fields[i].schema, b->fields[i].schema))
			return false;
	}
	return true;
}
