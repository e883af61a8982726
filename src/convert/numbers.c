/*
 * numbers.c
 *	  Converters of single numbers and booleans: big-endian bytes.
 */
#include "pure.h"

#include "convert/numbers.h"

typedef struct NumberKind
{
	const ConnectConverterClass *cls;
	ConnectKind kind;
	ConnectType type;
	int			size;
	const char *name;			/* in errors */
	const char *java_class;
	const char *deserializer;
} NumberKind;

static const NumberKind number_kinds[] = {
	{&connect_short_converter, CONNECT_KIND_INT16, CONNECT_INT16, 2,
	"short", "java.lang.Short", "ShortDeserializer"},
	{&connect_integer_converter, CONNECT_KIND_INT32, CONNECT_INT32, 4,
	"integer", "java.lang.Integer", "IntegerDeserializer"},
	{&connect_long_converter, CONNECT_KIND_INT64, CONNECT_INT64, 8,
	"long", "java.lang.Long", "LongDeserializer"},
	{&connect_float_converter, CONNECT_KIND_FLOAT32, CONNECT_FLOAT32, 4,
	"float", "java.lang.Float", "Deserializer"},
	{&connect_double_converter, CONNECT_KIND_FLOAT64, CONNECT_FLOAT64, 8,
	"double", "java.lang.Double", "Deserializer"},
	{&connect_boolean_converter, CONNECT_KIND_BOOLEAN, CONNECT_BOOLEAN, 1,
	"boolean", "java.lang.Boolean", "BooleanDeserializer"},
};

typedef struct NumberConverter
{
	ConnectConverter base;
	const NumberKind *kind;
	ConnectSchema *schema;		/* of what is read */
} NumberConverter;

static ConnectConverter *
number_make(const ConnectConverterClass *cls, const ConnectConfig *cfg,
			ConnectConverterRole role, ConnectError *err)
{
	NumberConverter *self = palloc0(sizeof(NumberConverter));

	self->base.cls = cls;
	self->base.role = role;
	self->kind = number_kinds;
	while (self->kind->cls != cls)
		self->kind++;
	self->schema = connect_schema_make(self->kind->type);
	self->schema->optional = true;
	return &self->base;
}

static bool
is_number(const ConnectValue *v)
{
	switch ((ConnectKind) v->kind)
	{
		case CONNECT_KIND_INT8:
		case CONNECT_KIND_INT16:
		case CONNECT_KIND_INT32:
		case CONNECT_KIND_INT64:
		case CONNECT_KIND_FLOAT32:
		case CONNECT_KIND_FLOAT64:
		case CONNECT_KIND_DECIMAL:
		case CONNECT_KIND_BIG_DECIMAL:
		case CONNECT_KIND_BIG_INTEGER:
		case CONNECT_KIND_NUMBER_TEXT:
			return true;
		default:
			return false;
	}
}

/* What Java says of a cast that fails. */
static bool
wrong_class(const NumberKind *kind, const ConnectValue *v, ConnectError *err)
{
	const char *from = connect_value_class(v) + strlen("class ");
	const char *to = is_number(v) ? kind->java_class : "java.lang.Number";

	if (v->kind == CONNECT_KIND_STRUCT)
		connect_error_set(err, "java.lang.ClassCastException",
						  "class %s cannot be cast to class %s (%s is in unnamed module of loader 'app'; %s is in module java.base of loader 'bootstrap')",
						  from, to, from, to);
	else
		connect_error_set(err, "java.lang.ClassCastException",
						  "class %s cannot be cast to class %s (%s and %s are in module java.base of loader 'bootstrap')",
						  from, to, from, to);
	return connect_error_wrap(err, CONNECT_DATA_EXCEPTION,
							  "Failed to serialize to %s (was class %s): ",
							  kind->name, from);
}

static bool
number_from_connect(ConnectConverter *base, const char *topic,
					const ConnectSchema *schema, const ConnectValue *value,
					StringInfo out, bool *is_null, ConnectError *err)
{
	const NumberKind *kind = ((NumberConverter *) base)->kind;
	uint64		bits = value->u.i;

	if (kind->type == CONNECT_BOOLEAN && schema != NULL &&
		schema->type != CONNECT_BOOLEAN)
		return connect_error_set(err, CONNECT_DATA_EXCEPTION,
								 "Invalid schema type for BooleanConverter: %s",
								 connect_type_name(schema->type));
	*is_null = value->kind == CONNECT_KIND_NULL;
	if (*is_null)
		return true;
	if (value->kind != kind->kind)
	{
		if (kind->type == CONNECT_BOOLEAN)
			return connect_error_set(err, CONNECT_DATA_EXCEPTION,
									 "BooleanConverter is not compatible with objects of type %s",
									 connect_value_class(value));
		return wrong_class(kind, value, err);
	}
	if (kind->kind == CONNECT_KIND_FLOAT32)
	{
		float		f = value->u.d;
		uint32		float_bits;

		memcpy(&float_bits, &f, sizeof(f));
		bits = f != f ? 0x7FC00000 : float_bits;
	}
	else if (kind->kind == CONNECT_KIND_FLOAT64 && value->u.d != value->u.d)
		bits = UINT64CONST(0x7FF8000000000000);
	for (int shift = 8 * (kind->size - 1); shift >= 0; shift -= 8)
		appendStringInfoChar(out, (char) (bits >> shift));
	return true;
}

static bool
number_to_connect(ConnectConverter *base, const char *topic,
				  const char *data, int len, ConnectSchema **schema,
				  ConnectValue *value, ConnectError *err)
{
	NumberConverter *self = (NumberConverter *) base;
	const NumberKind *kind = self->kind;
	uint64		bits = 0;

	*schema = self->schema;
	*value = connect_value_null();
	if (data == NULL)
		return true;
	if (len != kind->size)
	{
		connect_error_set(err, CONNECT_SERIALIZATION_EXCEPTION,
						  "Size of data received by %s is not %d",
						  kind->deserializer, kind->size);
		return connect_error_wrap(err, CONNECT_DATA_EXCEPTION,
								  "Failed to deserialize %s: ", kind->name);
	}
	for (int i = 0; i < len; i++)
		bits = bits << 8 | (unsigned char) data[i];
	value->kind = kind->kind;
	switch (kind->kind)
	{
		case CONNECT_KIND_INT16:
			value->u.i = (int16) bits;
			break;
		case CONNECT_KIND_INT32:
			value->u.i = (int32) bits;
			break;
		case CONNECT_KIND_FLOAT32:
			{
				uint32		float_bits = bits;
				float		f;

				memcpy(&f, &float_bits, sizeof(f));
				value->u.d = f;
			}
			break;
		case CONNECT_KIND_BOOLEAN:
			value->u.i = bits;
			if (bits > 1)
			{
				connect_error_set(err, CONNECT_SERIALIZATION_EXCEPTION,
								  "Unexpected byte received by BooleanDeserializer: %d",
								  (int8) bits);
				return connect_error_wrap(err, CONNECT_DATA_EXCEPTION,
										  "Failed to deserialize boolean: ");
			}
			break;
		default:
			value->u.i = bits;
			break;
	}
	return true;
}

#define NUMBER_CONVERTER(variable, alias, doc_text) \
const ConnectConverterClass variable = { \
	.class_name = "org.apache.kafka.connect.converters." alias "Converter", \
	.aliases = (const char *const[]) {alias "Converter", alias, NULL}, \
	.version = CONNECT_CONVERTER_VERSION, \
	.doc = doc_text, \
	.is_converter = true, \
	.is_header_converter = true, \
	.make = number_make, \
	.from_connect = number_from_connect, \
	.to_connect = number_to_connect, \
}

NUMBER_CONVERTER(connect_short_converter, "Short", "16-bit integers, big-endian.");
NUMBER_CONVERTER(connect_integer_converter, "Integer", "32-bit integers, big-endian.");
NUMBER_CONVERTER(connect_long_converter, "Long", "64-bit integers, big-endian.");
NUMBER_CONVERTER(connect_float_converter, "Float", "32-bit floating-point numbers, big-endian.");
NUMBER_CONVERTER(connect_double_converter, "Double", "64-bit floating-point numbers, big-endian.");
NUMBER_CONVERTER(connect_boolean_converter, "Boolean", "One byte, 1 or 0.");
