/*
 * convert.c
 *	  Cases of converters.
 */
#include "pure.h"

#include "convert/convert.h"
#include "record/base64.h"
#include "vectors.h"

static bool
check_bytes(const VectorLine *line, const StringInfoData *out, bool is_null)
{
	const char *expected = vector_text(line->node, "bytes_base64");
	StringInfoData bytes;

	if (is_null || expected == NULL)
	{
		if (is_null && expected == NULL)
			return true;
		return vector_differs(line, "bytes", expected ? expected : "null",
							  is_null ? "null" : out->data);
	}
	initStringInfo(&bytes);
	connect_base64_decode(expected, strlen(expected), &bytes);
	if (bytes.len == out->len && memcmp(bytes.data, out->data, out->len) == 0)
		return true;
	return vector_differs(line, "bytes", bytes.data, out->data);
}

static bool
check_value(const VectorLine *line, const ConnectSchema *schema,
			const ConnectValue *value)
{
	ConnectSchema *expected_schema = vector_schema(vector_member(line->node,
																 "schema"));
	ConnectValue expected = vector_value(vector_member(line->node, "value"),
										 expected_schema);
	StringInfoData a;
	StringInfoData b;

	initStringInfo(&a);
	initStringInfo(&b);
	if (!connect_schema_equal(expected_schema, schema))
	{
		vector_append_schema(&a, expected_schema);
		vector_append_schema(&b, schema);
		return vector_differs(line, "schema", a.data, b.data);
	}
	if (!connect_value_equal(&expected, value))
	{
		vector_append_value(&a, expected_schema, &expected);
		vector_append_value(&b, schema, value);
		return vector_differs(line, "value", a.data, b.data);
	}
	return true;
}

/*
 * Each case runs twice on one instance: what is kept from the first time must
 * not change the second.
 */
bool
vector_run_converter(const VectorLine *line)
{
	const char *direction = vector_text(line->node, "direction");
	const ConnectConverterClass *cls =
		connect_converter_find(vector_text(line->node, "converter"));
	ConnectConverterRole role = strstr(direction, "Header") ?
		CONNECT_CONVERT_HEADER : CONNECT_CONVERT_VALUE;
	ConnectConverter *converter;
	ConnectSchema *schema;
	ConnectValue value;
	ConnectError err = {0};
	const char *text;
	StringInfoData bytes;

	if (cls == NULL)
		return vector_differs(line, "converter",
							  vector_text(line->node, "converter"), "none");
	converter = cls->make(cls, vector_config(vector_member(line->node,
														   "config")),
						  role, &err);
	if (converter == NULL)
		return vector_check_error(line, "configure", &err);

	if (strncmp(direction, "from", 4) == 0)
	{
		schema = vector_schema(vector_member(line->node, "schema"));
		value = vector_value(vector_member(line->node, "value"), schema);
		for (int i = 0; i < 2; i++)
		{
			bool		is_null = false;

			initStringInfo(&bytes);
			if (!cls->from_connect(converter, "oracle-topic", schema, &value,
								   &bytes, &is_null, &err))
			{
				if (!vector_check_error(line, "convert", &err))
					return false;
			}
			else if (!vector_check_error(line, NULL, NULL) ||
					 !check_bytes(line, &bytes, is_null))
				return false;
		}
		return true;
	}

	text = vector_text(line->node, "bytes_base64");
	initStringInfo(&bytes);
	if (text != NULL)
		connect_base64_decode(text, strlen(text), &bytes);
	for (int i = 0; i < 2; i++)
	{
		/* a copy of just that size, so that reading past its end is seen */
		char	   *data = memcpy(malloc(Max(bytes.len, 1)), bytes.data,
								  bytes.len);
		bool		ok = cls->to_connect(converter, "oracle-topic",
										 text ? data : NULL, bytes.len,
										 &schema, &value, &err);

		if (!ok)
			ok = vector_check_error(line, "convert", &err);
		else
			ok = vector_check_error(line, NULL, NULL) &&
				check_value(line, schema, &value);
		free(data);
		if (!ok)
			return false;
	}
	return true;
}
