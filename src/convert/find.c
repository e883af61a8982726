/*
 * find.c
 *	  The converters that come with the extension.
 */
#include "pure.h"

#include "convert/convert.h"
#include "convert/numbers.h"

static const ConnectConverterClass *const converters[] = {
	&connect_boolean_converter,
	&connect_bytes_converter,
	&connect_double_converter,
	&connect_float_converter,
	&connect_integer_converter,
	&connect_json_converter,
	&connect_long_converter,
	&connect_short_converter,
	&connect_simple_header_converter,
	&connect_string_converter,
};

const ConnectConverterClass *const *
connect_converter_all(int *n)
{
	*n = lengthof(converters);
	return converters;
}

const ConnectConverterClass *
connect_converter_find(const char *name)
{
	for (int i = 0; i < lengthof(converters); i++)
	{
		const ConnectConverterClass *cls = converters[i];

		if (strcmp(cls->class_name, name) == 0)
			return cls;
		for (int k = 0; cls->aliases != NULL && cls->aliases[k] != NULL; k++)
		{
			if (strcmp(cls->aliases[k], name) == 0)
				return cls;
		}
	}
	return NULL;
}
