/*
 * simple_header.c
 *	  SimpleHeaderConverter: literals in UTF-8.
 */
#include "pure.h"

#include "convert/convert.h"
#include "record/literal.h"

static ConnectConverter *
header_make(const ConnectConverterClass *cls, const ConnectConfig *cfg,
			ConnectConverterRole role, ConnectError *err)
{
	ConnectConverter *self = palloc0(sizeof(ConnectConverter));

	self->cls = cls;
	self->role = role;
	return self;
}

static bool
header_from_connect(ConnectConverter *self, const char *topic,
					const ConnectSchema *schema, const ConnectValue *value,
					StringInfo out, bool *is_null, ConnectError *err)
{
	*is_null = value->kind == CONNECT_KIND_NULL;
	return *is_null || connect_literal_append(out, schema, value, err);
}

/* What cannot be read at all is handed on as bytes. */
static bool
header_to_connect(ConnectConverter *self, const char *topic,
				  const char *data, int len, ConnectSchema **schema,
				  ConnectValue *value, ConnectError *err)
{
	StringInfoData text;

	*schema = NULL;
	*value = connect_value_null();
	if (data == NULL)
		return true;
	initStringInfo(&text);
	connect_utf8_append_java(&text, data, len);
	if (!connect_literal_parse(text.data, text.len, schema, value))
	{
		*schema = connect_schema_make(CONNECT_BYTES);
		*value = connect_value_text(CONNECT_KIND_BYTES, data, len);
	}
	return true;
}

const ConnectConverterClass connect_simple_header_converter = {
	.class_name = "org.apache.kafka.connect.storage.SimpleHeaderConverter",
	.aliases = (const char *const[]) {"SimpleHeaderConverter", "Simple", NULL},
	.version = CONNECT_CONVERTER_VERSION,
	.doc = "Header values as literals, whose type is found out when they are read.",
	.is_header_converter = true,
	.make = header_make,
	.from_connect = header_from_connect,
	.to_connect = header_to_connect,
};
