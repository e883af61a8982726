/*
 * registry.c
 *	  The connector classes of this process.
 *
 * NOTES
 *	  Ours are listed here; libraries loaded by shared_preload_libraries add
 *	  theirs in the postmaster, so that every process has the same list.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "registry.h"

#define MAX_CLASSES 256

static const ConnectConnectorClass *classes[MAX_CLASSES] = {
	&connect_jdbc_source,
	&connect_jdbc_source_aiven,
	&connect_jdbcsink,
	&connect_jdbcsink_aiven,
	&connect_jdbcsink_debezium,
	&connect_function_source,
	&connect_function_sink,
	&connect_file_stream_source,
	&connect_file_stream_sink,
	&connect_verifiable_source,
	&connect_verifiable_sink,
	&connect_mock_source,
	&connect_mock_sink,
	&connect_table_stream_source,
	&connect_outbox_source,
};
static int	nclasses = 0;		/* 0 = ours have not been counted yet */

static void
count_classes(void)
{
	while (classes[nclasses] != NULL)
		nclasses++;
}

static void
check_starting(const char *class_name)
{
	if (!process_shared_preload_libraries_in_progress)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("\"%s\" can be registered only while the server starts",
						class_name),
				 errhint("Name its library in shared_preload_libraries, after connect.")));
}

void
connect_register_converter(const ConnectConverterClass *cls)
{
	check_starting(cls->class_name);
	if (!connect_converter_add(cls))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many converter classes")));
}

void
connect_register_connector(const ConnectConnectorClass *cls)
{
	check_starting(cls->class_name);
	if (cls->abi != CONNECT_CONNECTOR_ABI)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("connector \"%s\" was built for version %d of the plug-in interface, this is version %d",
						cls->class_name, cls->abi, CONNECT_CONNECTOR_ABI)));
	if (nclasses == 0)
		count_classes();
	if (nclasses == MAX_CLASSES - 1)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many connector classes")));
	classes[nclasses++] = cls;
}

const ConnectConnectorClass *const *
connect_connector_all(int *n)
{
	if (nclasses == 0)
		count_classes();
	*n = nclasses;
	return classes;
}

/* The part of a Java class name behind its last dot. */
static const char *
simple_name(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot ? dot + 1 : name;
}

/* Is name the class's full or simple name, with or without "Connector"? */
static bool
is_named(const char *class_name, const char *name)
{
	const char *simple = simple_name(class_name);
	Size		len = strlen(simple);
	Size		suffix = strlen("Connector");

	if (strcmp(name, class_name) == 0 || strcmp(name, simple) == 0)
		return true;
	return len > suffix && strcmp(simple + len - suffix, "Connector") == 0 &&
		strlen(name) == len - suffix && strncmp(name, simple, len - suffix) == 0;
}

const ConnectConnectorClass *
connect_connector_find(const char *name)
{
	int			n;
	const ConnectConnectorClass *const *all = connect_connector_all(&n);

	for (int i = 0; i < n; i++)
	{
		if (is_named(all[i]->class_name, name))
			return all[i];
		for (const char *const *alias = all[i]->aliases;
			 alias != NULL && *alias != NULL; alias++)
		{
			if (is_named(*alias, name))
				return all[i];
		}
	}
	return NULL;
}
