/*
 * notation.c
 *	  The notation of schemas and values in the vectors.
 */
#include "pure.h"

#include <math.h>

#include "convert/json_read.h"
#include "convert/json_write.h"
#include "record/base64.h"
#include "vectors.h"

static const char *const type_names[] = {
	[CONNECT_INT8] = "int8", [CONNECT_INT16] = "int16",
	[CONNECT_INT32] = "int32", [CONNECT_INT64] = "int64",
	[CONNECT_FLOAT32] = "float32", [CONNECT_FLOAT64] = "float64",
	[CONNECT_BOOLEAN] = "boolean", [CONNECT_STRING] = "string",
	[CONNECT_BYTES] = "bytes", [CONNECT_ARRAY] = "array",
	[CONNECT_MAP] = "map", [CONNECT_STRUCT] = "struct",
};

const ConnectValue *
vector_member(const ConnectValue *node, const char *name)
{
	return connect_value_field(NULL, node, name, strlen(name));
}

const char *
vector_text(const ConnectValue *node, const char *name)
{
	const ConnectValue *v = vector_member(node, name);

	if (v == NULL || v->kind == CONNECT_KIND_NULL)
		return NULL;
	return pnstrdup(v->u.p, v->len);
}

static bool
is_absent(const ConnectValue *v)
{
	return v == NULL || v->kind == CONNECT_KIND_NULL;
}

ConnectSchema *
vector_schema(const ConnectValue *node)
{
	const char *type;
	const ConnectValue *v;
	ConnectSchema *schema;

	if (is_absent(node))
		return NULL;
	type = vector_text(node, "type");
	schema = connect_schema_make(CONNECT_INT8);
	while (strcmp(type_names[schema->type], type) != 0)
		schema->type++;
	schema->value_schema = vector_schema(vector_member(node, schema->type ==
													   CONNECT_ARRAY ?
													   "items" : "values"));
	schema->key_schema = vector_schema(vector_member(node, "keys"));
	v = vector_member(node, "fields");
	if (schema->type == CONNECT_STRUCT)
	{
		schema->nfields = v->len;
		schema->fields = palloc0((v->len + 1) * sizeof(ConnectField));
		for (int i = 0; i < v->len; i++)
			connect_schema_set_field(schema, i,
									 vector_text(&v->u.elems[i], "name"),
									 vector_schema(vector_member(&v->u.elems[i],
																 "schema")));
	}
	v = vector_member(node, "optional");
	schema->optional = v != NULL && v->u.i != 0;
	v = vector_member(node, "parameters");
	for (int i = 0; v != NULL && i < v->len; i++)
		connect_schema_add_parameter(schema,
									 pnstrdup(v->u.elems[2 * i].u.p,
											  v->u.elems[2 * i].len),
									 pnstrdup(v->u.elems[2 * i + 1].u.p,
											  v->u.elems[2 * i + 1].len));
	connect_schema_set_name(schema, vector_text(node, "name"));
	v = vector_member(node, "version");
	if (!is_absent(v))
	{
		schema->has_version = true;
		schema->version = connect_json_number_int32(v);
	}
	schema->doc = vector_text(node, "doc");
	v = vector_member(node, "default");
	if (!is_absent(v))
	{
		schema->has_default = true;
		schema->default_value = vector_value(v, schema);
	}
	return schema;
}

static double
java_double(const ConnectValue *v)
{
	const char *text = pnstrdup(v->u.p, v->len);

	return strcmp(text, "NaN") == 0 ? NAN : strtod(text, NULL);
}

static ConnectValue
tagged_value(const char *tag, const ConnectValue *v,
			 const ConnectSchema *schema)
{
	static const struct
	{
		const char *tag;
		ConnectKind kind;
	}			integers[] = {
		{"int8", CONNECT_KIND_INT8}, {"int16", CONNECT_KIND_INT16},
		{"int32", CONNECT_KIND_INT32}, {"int64", CONNECT_KIND_INT64},
		{"date_ms", CONNECT_KIND_DATE},
	};
	ConnectValue result = connect_value_null();
	StringInfoData bytes;
	ConnectValue *elems;

	for (int i = 0; i < lengthof(integers); i++)
	{
		if (strcmp(tag, integers[i].tag) == 0)
			return connect_value_int(integers[i].kind,
									 connect_json_number_int64(v));
	}
	if (strcmp(tag, "float32") == 0)
		return connect_value_double(CONNECT_KIND_FLOAT32,
									(float) java_double(v));
	if (strcmp(tag, "float64") == 0)
		return connect_value_double(CONNECT_KIND_FLOAT64, java_double(v));
	if (strcmp(tag, "bytes") == 0 || strcmp(tag, "bytebuffer") == 0)
	{
		initStringInfo(&bytes);
		connect_base64_decode(v->u.p, v->len, &bytes);
		return connect_value_text(strcmp(tag, "bytes") == 0 ?
								  CONNECT_KIND_BYTES : CONNECT_KIND_BYTEBUFFER,
								  bytes.data, bytes.len);
	}
	if (strcmp(tag, "decimal") == 0)
	{
		connect_decimal_from_text(v->u.p, v->len, &result);
		return result;
	}
	if (strcmp(tag, "biginteger") == 0)
		return connect_value_text(CONNECT_KIND_BIG_INTEGER, v->u.p, v->len);
	if (strcmp(tag, "char") == 0)
		return connect_value_int(CONNECT_KIND_CHAR, (unsigned char) *v->u.p);
	if (strcmp(tag, "list") == 0)
	{
		elems = palloc((v->len + 1) * sizeof(ConnectValue));
		for (int i = 0; i < v->len; i++)
			elems[i] = vector_value(&v->u.elems[i],
									schema ? schema->value_schema : NULL);
		return connect_value_elems(CONNECT_KIND_ARRAY, elems, v->len);
	}
	if (strcmp(tag, "map") == 0)
	{
		elems = palloc((v->len + 1) * 2 * sizeof(ConnectValue));
		for (int i = 0; i < v->len; i++)
		{
			const ConnectValue *pair = v->u.elems[i].u.elems;

			elems[2 * i] = vector_value(&pair[0],
										schema ? schema->key_schema : NULL);
			elems[2 * i + 1] = vector_value(&pair[1],
											schema ? schema->value_schema : NULL);
		}
		return connect_value_elems(CONNECT_KIND_MAP, elems, v->len);
	}
	if (strcmp(tag, "struct") == 0)
	{
		elems = palloc0((schema->nfields + 1) * sizeof(ConnectValue));
		for (int i = 0; i < v->len; i++)
		{
			const ConnectValue *pair = v->u.elems[i].u.elems;
			int			field = connect_schema_field(schema, pair[0].u.p,
													 pair[0].len);

			elems[field] = vector_value(&pair[1], schema->fields[field].schema);
		}
		return connect_value_elems(CONNECT_KIND_STRUCT, elems,
								   schema->nfields);
	}
	fprintf(stderr, "unknown tag \"%s\"\n", tag);
	exit(1);
}

ConnectValue
vector_value(const ConnectValue *node, const ConnectSchema *schema)
{
	if (node == NULL)
		return connect_value_null();
	if (node->kind != CONNECT_KIND_MAP)
		return *node;
	return tagged_value(pnstrdup(node->u.elems[0].u.p, node->u.elems[0].len),
						&node->u.elems[1], schema);
}

ConnectConfig *
vector_config(const ConnectValue *node)
{
	ConnectConfig *cfg = connect_config_make();

	for (int i = 0; node != NULL && i < node->len; i++)
	{
		const ConnectValue *pair = &node->u.elems[2 * i];

		connect_config_set(cfg, pnstrdup(pair[0].u.p, pair[0].len),
						   pair[1].kind == CONNECT_KIND_NULL ? NULL :
						   pnstrdup(pair[1].u.p, pair[1].len));
	}
	return cfg;
}

static void
append_member(StringInfo buf, const char *name, const char *text)
{
	if (text == NULL)
		return;
	appendStringInfo(buf, ",\"%s\":", name);
	connect_json_append_string(buf, text, strlen(text));
}

void
vector_append_schema(StringInfo buf, const ConnectSchema *schema)
{
	if (schema == NULL)
	{
		appendStringInfoString(buf, "null");
		return;
	}
	appendStringInfo(buf, "{\"type\":\"%s\"", type_names[schema->type]);
	if (schema->type == CONNECT_MAP)
	{
		appendStringInfoString(buf, ",\"keys\":");
		vector_append_schema(buf, schema->key_schema);
	}
	if (schema->type == CONNECT_MAP || schema->type == CONNECT_ARRAY)
	{
		appendStringInfo(buf, ",\"%s\":",
						 schema->type == CONNECT_MAP ? "values" : "items");
		vector_append_schema(buf, schema->value_schema);
	}
	if (schema->optional)
		appendStringInfoString(buf, ",\"optional\":true");
	append_member(buf, "name", schema->name);
	if (schema->has_version)
		appendStringInfo(buf, ",\"version\":%d", schema->version);
	append_member(buf, "doc", schema->doc);
	for (int i = 0; i < schema->nparameters; i++)
	{
		appendStringInfo(buf, "%s", i == 0 ? ",\"parameters\":{" : ",");
		connect_json_append_string(buf, schema->parameters[i].key,
								   strlen(schema->parameters[i].key));
		appendStringInfoChar(buf, ':');
		connect_json_append_string(buf, schema->parameters[i].value,
								   strlen(schema->parameters[i].value));
	}
	if (schema->nparameters > 0)
		appendStringInfoChar(buf, '}');
	if (schema->has_default)
	{
		appendStringInfoString(buf, ",\"default\":");
		vector_append_value(buf, schema, &schema->default_value);
	}
	if (schema->type == CONNECT_STRUCT)
	{
		appendStringInfoString(buf, ",\"fields\":[");
		for (int i = 0; i < schema->nfields; i++)
		{
			appendStringInfoString(buf, i == 0 ? "{\"name\":" : ",{\"name\":");
			connect_json_append_string(buf, schema->fields[i].name,
									   schema->fields[i].name_len);
			appendStringInfoString(buf, ",\"schema\":");
			vector_append_schema(buf, schema->fields[i].schema);
			appendStringInfoChar(buf, '}');
		}
		appendStringInfoChar(buf, ']');
	}
	appendStringInfoChar(buf, '}');
}

static void
append_tagged(StringInfo buf, const char *tag, const ConnectValue *v,
			  bool quoted)
{
	StringInfoData text;

	initStringInfo(&text);
	connect_value_append_string(&text, NULL, v);
	appendStringInfo(buf, "{\"%s\":", tag);
	if (quoted)
		connect_json_append_string(buf, text.data, text.len);
	else
		appendBinaryStringInfo(buf, text.data, text.len);
	appendStringInfoChar(buf, '}');
}

void
vector_append_value(StringInfo buf, const ConnectSchema *schema,
					const ConnectValue *v)
{
	const ConnectSchema *elem = schema ? schema->value_schema : NULL;
	const ConnectSchema *key = schema ? schema->key_schema : NULL;

	switch ((ConnectKind) v->kind)
	{
		case CONNECT_KIND_NULL:
			appendStringInfoString(buf, "null");
			break;
		case CONNECT_KIND_BOOLEAN:
			appendStringInfoString(buf, v->u.i ? "true" : "false");
			break;
		case CONNECT_KIND_INT8:
			append_tagged(buf, "int8", v, false);
			break;
		case CONNECT_KIND_INT16:
			append_tagged(buf, "int16", v, false);
			break;
		case CONNECT_KIND_INT32:
			append_tagged(buf, "int32", v, false);
			break;
		case CONNECT_KIND_INT64:
			append_tagged(buf, "int64", v, false);
			break;
		case CONNECT_KIND_FLOAT32:
			append_tagged(buf, "float32", v, true);
			break;
		case CONNECT_KIND_FLOAT64:
			append_tagged(buf, "float64", v, true);
			break;
		case CONNECT_KIND_STRING:
			connect_json_append_string(buf, v->u.p, v->len);
			break;
		case CONNECT_KIND_NUMBER_TEXT:
			append_tagged(buf, "number_text", v, true);
			break;
		case CONNECT_KIND_JSON_TEXT:
			append_tagged(buf, "json_text", v, true);
			break;
		case CONNECT_KIND_BYTES:
			append_tagged(buf, "bytes", v, true);
			break;
		case CONNECT_KIND_BYTEBUFFER:
			append_tagged(buf, "bytebuffer", v, true);
			break;
		case CONNECT_KIND_DECIMAL:
		case CONNECT_KIND_BIG_DECIMAL:
			append_tagged(buf, "decimal", v, true);
			break;
		case CONNECT_KIND_BIG_INTEGER:
			append_tagged(buf, "biginteger", v, true);
			break;
		case CONNECT_KIND_CHAR:
			append_tagged(buf, "char", v, true);
			break;
		case CONNECT_KIND_DATE:
			appendStringInfo(buf, "{\"date_ms\":%lld}", (long long) v->u.i);
			break;
		case CONNECT_KIND_ARRAY:
			appendStringInfoString(buf, "{\"list\":[");
			for (int i = 0; i < v->len; i++)
			{
				if (i > 0)
					appendStringInfoChar(buf, ',');
				vector_append_value(buf, elem, &v->u.elems[i]);
			}
			appendStringInfoString(buf, "]}");
			break;
		case CONNECT_KIND_MAP:
			appendStringInfoString(buf, "{\"map\":[");
			for (int i = 0; i < v->len; i++)
			{
				appendStringInfoString(buf, i > 0 ? ",[" : "[");
				vector_append_value(buf, key, &v->u.elems[2 * i]);
				appendStringInfoChar(buf, ',');
				vector_append_value(buf, elem, &v->u.elems[2 * i + 1]);
				appendStringInfoChar(buf, ']');
			}
			appendStringInfoString(buf, "]}");
			break;
		case CONNECT_KIND_STRUCT:
			appendStringInfoString(buf, "{\"struct\":[");
			for (int i = 0; i < v->len; i++)
			{
				appendStringInfoString(buf, i > 0 ? ",[" : "[");
				connect_json_append_string(buf, schema->fields[i].name,
										   schema->fields[i].name_len);
				appendStringInfoChar(buf, ',');
				vector_append_value(buf, schema->fields[i].schema,
									&v->u.elems[i]);
				appendStringInfoChar(buf, ']');
			}
			appendStringInfoString(buf, "]}");
			break;
	}
}
