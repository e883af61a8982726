/*
 * find.c
 *	  The converter classes of this process.
 *
 * NOTES
 *	  Ours come first.  Libraries that are loaded while the server starts add
 *	  theirs by connect_register_converter() (connectors/registry.c), so that
 *	  every process has the same list.
 */
#include "pure.h"

#include "convert/convert.h"
#include "convert/numbers.h"

#define MAX_CLASSES 64
#define OURS 10

static const ConnectConverterClass *classes[MAX_CLASSES] = {
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
static int	nclasses = OURS;

/* False: there is no room for more. */
bool
connect_converter_add(const ConnectConverterClass *cls)
{
	if (nclasses == MAX_CLASSES)
		return false;
	classes[nclasses++] = cls;
	return true;
}

const ConnectConverterClass *const *
connect_converter_all(int *n)
{
	*n = nclasses;
	return classes;
}

const ConnectConverterClass *
connect_converter_find(const char *name)
{
	for (int i = 0; i < nclasses; i++)
	{
		const ConnectConverterClass *cls = classes[i];

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
