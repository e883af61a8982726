/*
 * bytes.c
 *	  ByteArrayConverter: bytes as they are.
 */
#include "pure.h"

#include "convert/convert.h"

typedef struct BytesConverter
{
	ConnectConverter base;
	ConnectSchema *schema;		/* of what is read */
} BytesConverter;

static ConnectConverter *
bytes_make(const ConnectConverterClass *cls, const ConnectConfig *cfg,
		   ConnectConverterRole role, ConnectError *err)
{
	BytesConverter *self = palloc0(sizeof(BytesConverter));

	self->base.cls = cls;
	self->base.role = role;
	self->schema = connect_schema_make(CONNECT_BYTES);
	self->schema->optional = true;
	return &self->base;
}

static bool
bytes_from_connect(ConnectConverter *base, const char *topic,
				   const ConnectSchema *schema, const ConnectValue *value,
				   StringInfo out, bool *is_null, ConnectError *err)
{
	if (schema != NULL && schema->type != CONNECT_BYTES)
		return connect_error_set(err, CONNECT_DATA_EXCEPTION,
								 "Invalid schema type for ByteArrayConverter: %s",
								 connect_type_name(schema->type));
	*is_null = value->kind == CONNECT_KIND_NULL;
	if (*is_null)
		return true;
	if (value->kind != CONNECT_KIND_BYTES &&
		value->kind != CONNECT_KIND_BYTEBUFFER)
		return connect_error_set(err, CONNECT_DATA_EXCEPTION,
								 "ByteArrayConverter is not compatible with objects of type %s",
								 connect_value_class(value));
	appendBinaryStringInfo(out, value->u.p, value->len);
	return true;
}

static bool
bytes_to_connect(ConnectConverter *base, const char *topic,
				 const char *data, int len, ConnectSchema **schema,
				 ConnectValue *value, ConnectError *err)
{
	*schema = ((BytesConverter *) base)->schema;
	*value = data == NULL ? connect_value_null() :
		connect_value_text(CONNECT_KIND_BYTES, data, len);
	return true;
}

const ConnectConverterClass connect_bytes_converter = {
	.class_name = "org.apache.kafka.connect.converters.ByteArrayConverter",
	.aliases = (const char *const[]) {"ByteArrayConverter", "ByteArray", NULL},
	.version = CONNECT_CONVERTER_VERSION,
	.doc = "Bytes as they are.",
	.is_converter = true,
	.is_header_converter = true,
	.make = bytes_make,
	.from_connect = bytes_from_connect,
	.to_connect = bytes_to_connect,
};
