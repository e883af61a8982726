/*
 * json_schema.c
 *	  Schemas in their JSON form.
 */
#include "pure.h"

#include "convert/json_read.h"
#include "convert/json_value.h"
#include "convert/json_write.h"

static const struct
{
	const char *name;
	ConnectType type;
}			type_names[] = {
	{"int8", CONNECT_INT8},
	{"int16", CONNECT_INT16},
	{"int32", CONNECT_INT32},
	{"int64", CONNECT_INT64},
	{"float", CONNECT_FLOAT32},
	{"double", CONNECT_FLOAT64},
	{"boolean", CONNECT_BOOLEAN},
	{"string", CONNECT_STRING},
	{"bytes", CONNECT_BYTES},
	{"array", CONNECT_ARRAY},
	{"map", CONNECT_MAP},
	{"struct", CONNECT_STRUCT},
};

static bool read_fields(const ConnectValue *node,
						const ConnectJsonOptions *options,
						ConnectSchema *schema, ConnectError *err);
static bool read_parameters(const ConnectValue *node, ConnectSchema *schema,
							ConnectError *err);
static bool read_default(const ConnectValue *node,
						 const ConnectJsonOptions *options,
						 ConnectSchema *schema, ConnectError *err);

static const ConnectValue *
member(const ConnectValue *node, const char *name)
{
	return connect_value_field(NULL, node, name, strlen(name));
}

static const ConnectValue *
member_of_kind(const ConnectValue *node, const char *name, ConnectKind kind)
{
	const ConnectValue *v = member(node, name);

	return v != NULL && v->kind == kind ? v : NULL;
}

static char *
text_of(const ConnectValue *v)
{
	return pnstrdup(v->u.p, v->len);
}

bool
connect_json_to_schema(const ConnectValue *node,
					   const ConnectJsonOptions *options,
					   ConnectSchema **result, ConnectError *err)
{
	const ConnectValue *type;
	const ConnectValue *v;
	ConnectSchema *schema;
	int			i;

	*result = NULL;
	if (node->kind == CONNECT_KIND_NULL)
		return true;
	type = member_of_kind(node, "type", CONNECT_KIND_STRING);
	if (type == NULL)
		return connect_error_set(err, CONNECT_DATA_EXCEPTION,
								 "Schema must contain 'type' field");
	for (i = 0; i < lengthof(type_names); i++)
	{
		if (strlen(type_names[i].name) == type->len &&
			memcmp(type_names[i].name, type->u.p, type->len) == 0)
			break;
	}
	if (i == lengthof(type_names))
		return connect_error_set(err, CONNECT_DATA_EXCEPTION,
								 "Unknown schema type: %.*s",
								 type->len, type->u.p);

	schema = connect_schema_make(type_names[i].type);
	if (schema->type == CONNECT_ARRAY)
	{
		v = member(node, "items");
		if (v == NULL || v->kind == CONNECT_KIND_NULL)
			return connect_error_set(err, CONNECT_DATA_EXCEPTION,
									 "Array schema did not specify the element type");
		if (!connect_json_to_schema(v, options, &schema->value_schema, err))
			return false;
	}
	else if (schema->type == CONNECT_MAP)
	{
		const ConnectValue *values = member(node, "values");

		v = member(node, "keys");
		if (v == NULL)
			return connect_error_set(err, CONNECT_DATA_EXCEPTION,
									 "Map schema did not specify the key type");
		if (values == NULL)
			return connect_error_set(err, CONNECT_DATA_EXCEPTION,
									 "Map schema did not specify the value type");
		if (!connect_json_to_schema(v, options, &schema->key_schema, err) ||
			!connect_json_to_schema(values, options, &schema->value_schema,
									err))
			return false;
		if (schema->key_schema == NULL)
			return connect_error_set(err, CONNECT_SCHEMA_BUILDER_EXCEPTION,
									 "keySchema cannot be null.");
		if (schema->value_schema == NULL)
			return connect_error_set(err, CONNECT_SCHEMA_BUILDER_EXCEPTION,
									 "valueSchema cannot be null.");
	}
	else if (schema->type == CONNECT_STRUCT &&
			 !read_fields(node, options, schema, err))
		return false;

	v = member_of_kind(node, "optional", CONNECT_KIND_BOOLEAN);
	schema->optional = v != NULL && v->u.i != 0;
	v = member_of_kind(node, "name", CONNECT_KIND_STRING);
	if (v != NULL)
		connect_schema_set_name(schema, text_of(v));
	v = member_of_kind(node, "version", CONNECT_KIND_NUMBER_TEXT);
	if (v != NULL && connect_json_number_is_integral(v))
	{
		schema->has_version = true;
		schema->version = connect_json_number_int32(v);
	}
	v = member_of_kind(node, "doc", CONNECT_KIND_STRING);
	if (v != NULL)
		schema->doc = text_of(v);
	v = member_of_kind(node, "parameters", CONNECT_KIND_MAP);
	if (v != NULL && !read_parameters(v, schema, err))
		return false;
	v = member(node, "default");
	if (v != NULL && !read_default(v, options, schema, err))
		return false;
	*result = schema;
	return true;
}

static bool
read_fields(const ConnectValue *node, const ConnectJsonOptions *options,
			ConnectSchema *schema, ConnectError *err)
{
	const ConnectValue *fields = member_of_kind(node, "fields",
												CONNECT_KIND_ARRAY);

	if (fields == NULL)
		return connect_error_set(err, CONNECT_DATA_EXCEPTION,
								 "Struct schema's \"fields\" argument is not an array.");
	schema->fields = palloc0(Max(fields->len, 1) * sizeof(ConnectField));
	for (int i = 0; i < fields->len; i++)
	{
		const ConnectValue *field = &fields->u.elems[i];
		const ConnectValue *name = member_of_kind(field, "field",
												  CONNECT_KIND_STRING);
		ConnectSchema *field_schema;

		if (name == NULL)
			return connect_error_set(err, CONNECT_DATA_EXCEPTION,
									 "Struct schema's field name not specified properly");
		if (!connect_json_to_schema(field, options, &field_schema, err))
			return false;
		if (name->len == 0)
			return connect_error_set(err, CONNECT_SCHEMA_BUILDER_EXCEPTION,
									 "fieldName cannot be null.");
		if (memchr(name->u.p, '\0', name->len) != NULL)
			return connect_error_set(err, CONNECT_DATA_EXCEPTION,
									 "The name of field \"%s\" contains the character \\u0000",
									 text_of(name));
		if (connect_schema_field(schema, name->u.p, name->len) >= 0)
			return connect_error_set(err, CONNECT_SCHEMA_BUILDER_EXCEPTION,
									 "Cannot create field because of field name duplication %.*s",
									 name->len, name->u.p);
		schema->nfields++;
		connect_schema_set_field(schema, i, text_of(name), field_schema);
	}
	return true;
}

static bool
read_parameters(const ConnectValue *node, ConnectSchema *schema,
				ConnectError *err)
{
	for (int i = 0; i < node->len; i++)
	{
		const ConnectValue *pair = &node->u.elems[2 * i];

		if (pair[1].kind != CONNECT_KIND_STRING)
			return connect_error_set(err, CONNECT_DATA_EXCEPTION,
									 "Schema parameters must have string values.");
		connect_schema_add_parameter(schema, text_of(&pair[0]),
									 text_of(&pair[1]));
	}
	return true;
}

static bool
read_default(const ConnectValue *node, const ConnectJsonOptions *options,
			 ConnectSchema *schema, ConnectError *err)
{
	ConnectValue v;

	if (!connect_json_to_value(schema, node, options, &v, err))
		return false;
	/* there it meets a schema that is not finished, and is never its own */
	if (v.kind == CONNECT_KIND_STRUCT)
	{
		connect_error_set(err, CONNECT_DATA_EXCEPTION,
						  "Struct schemas do not match.");
		return connect_error_wrap(err, CONNECT_SCHEMA_BUILDER_EXCEPTION,
								  "Invalid default value");
	}
	if (!connect_value_validate(schema, &v, err))
		return connect_error_wrap(err, CONNECT_SCHEMA_BUILDER_EXCEPTION,
								  "Invalid default value");
	schema->has_default = v.kind != CONNECT_KIND_NULL;
	schema->default_value = connect_value_copy(&v);
	return true;
}

static void
append_text_member(StringInfo out, const char *prefix, const char *text)
{
	if (text == NULL)
		return;
	appendStringInfoString(out, prefix);
	connect_json_append_string(out, text, strlen(text));
}

/* The schema's object, left open: a struct's field goes on with its name. */
static bool
append_open(StringInfo out, const ConnectSchema *schema,
			const ConnectJsonOptions *options, ConnectError *err)
{
	appendStringInfo(out, "{\"type\":\"%s\"", type_names[schema->type].name);
	if (schema->type == CONNECT_ARRAY)
	{
		appendStringInfoString(out, ",\"items\":");
		if (!connect_json_append_schema(out, schema->value_schema, options,
										err))
			return false;
	}
	else if (schema->type == CONNECT_MAP)
	{
		appendStringInfoString(out, ",\"keys\":");
		if (!connect_json_append_schema(out, schema->key_schema, options, err))
			return false;
		appendStringInfoString(out, ",\"values\":");
		if (!connect_json_append_schema(out, schema->value_schema, options,
										err))
			return false;
	}
	else if (schema->type == CONNECT_STRUCT)
	{
		appendStringInfoString(out, ",\"fields\":[");
		for (int i = 0; i < schema->nfields; i++)
		{
			if (i > 0)
				appendStringInfoChar(out, ',');
			if (!append_open(out, schema->fields[i].schema, options, err))
				return false;
			append_text_member(out, ",\"field\":", schema->fields[i].name);
			appendStringInfoChar(out, '}');
		}
		appendStringInfoChar(out, ']');
	}
	appendStringInfo(out, ",\"optional\":%s",
					 schema->optional ? "true" : "false");
	append_text_member(out, ",\"name\":", schema->name);
	if (schema->has_version)
		appendStringInfo(out, ",\"version\":%d", schema->version);
	append_text_member(out, ",\"doc\":", schema->doc);
	for (int i = 0; i < schema->nparameters; i++)
	{
		appendStringInfoString(out, i == 0 ? ",\"parameters\":{" : ",");
		append_text_member(out, "", schema->parameters[i].key);
		append_text_member(out, ":", schema->parameters[i].value);
	}
	if (schema->nparameters > 0)
		appendStringInfoChar(out, '}');
	if (schema->has_default)
	{
		appendStringInfoString(out, ",\"default\":");
		return connect_json_append_value(out, schema, &schema->default_value,
										 options, err);
	}
	return true;
}

bool
connect_json_append_schema(StringInfo out, const ConnectSchema *schema,
						   const ConnectJsonOptions *options,
						   ConnectError *err)
{
	if (schema == NULL)
	{
		appendStringInfoString(out, "null");
		return true;
	}
	if (!append_open(out, schema, options, err))
		return false;
	appendStringInfoChar(out, '}');
	return true;
}
