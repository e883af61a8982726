/*
 * partitions.c
 *	  The source partitions of a FunctionSource: a list, or what a function says.
 *
 * NOTES
 *	  The coordinator asks for them to split the work, the first task to see
 *	  whether they have changed.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"

#include "function/function.h"

static char *
refuse(HeapTuple tuple, char **hint)
{
	Form_pg_proc proc = (Form_pg_proc) GETSTRUCT(tuple);

	if (proc->pronargs != 0)
		return "takes arguments";
	if (!proc->proretset || (proc->prorettype != TEXTOID &&
							 proc->prorettype != JSONBOID))
		return "does not return a set of text or jsonb";
	return NULL;
}

const FunctionUse connect_function_partitions_use = {
	"partitions.function", "f() RETURNS SETOF text", refuse
};

bool
connect_function_is_partitioned(const ConnectConfig *cfg)
{
	int			n = 0;
	const char *list = connect_config_get(cfg, "partitions");

	if (list != NULL)
		(void) connect_config_split(list, &n);
	return n > 0 || connect_config_get(cfg, "partitions.function") != NULL;
}

static char *
named_partition(const char *name)
{
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfoString(&buf, "{\"partition\": ");
	escape_json(&buf, name);
	appendStringInfoChar(&buf, '}');
	return buf.data;
}

static char *
partition_of(Datum value, Oid type)
{
	Jsonb	   *object;

	if (type == TEXTOID)
		return named_partition(TextDatumGetCString(value));
	object = DatumGetJsonbP(value);
	if (!JB_ROOT_IS_OBJECT(object))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a source partition must be a JSON object"),
				 errdetail("The function of \"partitions.function\" returned %s.",
						   JsonbToCString(NULL, &object->root, 0)),
				 errhint("Use jsonb_build_object(), or return text.")));
	return JsonbToCString(NULL, &object->root, 0);
}

static List *
ask(const char *name)
{
	MemoryContext caller = CurrentMemoryContext;
	FunctionRef ref;
	FunctionProblem problem;
	List	   *result = NIL;

	if (!connect_function_find(name, &connect_function_partitions_use, &ref,
							   &problem))
		connect_function_raise(&connect_function_partitions_use, &problem);
	SPI_connect();
	if (SPI_execute(psprintf("SELECT p FROM %s() AS p", ref.call), true,
					0) != SPI_OK_SELECT)
		elog(ERROR, "could not call %s", ref.signature);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool		isnull;
		Datum		value = SPI_getbinval(SPI_tuptable->vals[i],
										  SPI_tuptable->tupdesc, 1, &isnull);
		MemoryContext old;

		if (isnull)
			continue;
		old = MemoryContextSwitchTo(caller);
		result = lappend(result, partition_of(value,
											  SPI_gettypeid(SPI_tuptable->tupdesc, 1)));
		MemoryContextSwitchTo(old);
	}
	SPI_finish();
	return result;
}

static int
compare(const ListCell *a, const ListCell *b)
{
	return strcmp(lfirst(a), lfirst(b));
}

List *
connect_function_partitions(const ConnectConfig *cfg)
{
	const char *function = connect_config_get(cfg, "partitions.function");
	const char *list = connect_config_get(cfg, "partitions");
	List	   *all = NIL;
	List	   *result = NIL;
	ListCell   *lc;

	if (function != NULL)
		all = ask(function);
	else if (list != NULL)
	{
		int			n;
		char	  **names = connect_config_split(list, &n);

		for (int i = 0; i < n; i++)
			all = lappend(all, named_partition(names[i]));
	}
	list_sort(all, compare);
	foreach(lc, all)
	{
		if (result == NIL || strcmp(llast(result), lfirst(lc)) != 0)
			result = lappend(result, lfirst(lc));
	}
	return result;
}
