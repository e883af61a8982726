/*
 * state.c
 *	  connect.task_state: what must outlive a task's process.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "catalog/access.h"
#include "catalog/catalog.h"

void
connect_catalog_save_state(int64 connector_id, int task, ConnectState state,
						   const char *reason, const char *trace)
{
	/* The connector may be gone by now; a worker's last words then are lost. */
	static ConnectStatement stmt = {
		"INSERT INTO connect.task_state AS s"
		" (connector_id, task, state, reason, trace, since)"
		" SELECT id, $2, $3, $4, $5, pg_catalog.clock_timestamp()"
		" FROM connect.connector_def WHERE id = $1 FOR KEY SHARE"
		" ON CONFLICT (connector_id, task) DO UPDATE SET state = $3,"
		" reason = $4, trace = $5, since = CASE WHEN s.state = $3"
		" THEN s.since ELSE pg_catalog.clock_timestamp() END",
		5, {INT8OID, INT4OID, TEXTOID, TEXTOID, TEXTOID}
	};
	char		nulls[] = "     ";
	Datum		values[] = {
		Int64GetDatum(connector_id),
		Int32GetDatum(task),
		CStringGetTextDatum(connect_state_name(state)),
		connect_catalog_text_arg(reason, &nulls[3]),
		connect_catalog_text_arg(trace, &nulls[4])
	};

	connect_catalog_execute(&stmt, values, nulls);
}

void
connect_catalog_save_counters(int64 connector_id, int task,
							  const int64 *counters, int n)
{
	static ConnectStatement stmt = {
		"INSERT INTO connect.task_state AS s"
		" (connector_id, task, state, since, counters)"
		" SELECT id, $2, 'UNASSIGNED', pg_catalog.clock_timestamp(), $3"
		" FROM connect.connector_def WHERE id = $1 FOR KEY SHARE"
		" ON CONFLICT (connector_id, task) DO UPDATE SET counters = $3",
		3, {INT8OID, INT4OID, INT8ARRAYOID}
	};
	Datum	   *elems = palloc(n * sizeof(Datum));
	Datum		values[] = {
		Int64GetDatum(connector_id),
		Int32GetDatum(task),
		(Datum) 0
	};

	for (int i = 0; i < n; i++)
		elems[i] = Int64GetDatum(counters[i]);
	values[2] = PointerGetDatum(construct_array(elems, n, INT8OID, 8,
												FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
	connect_catalog_execute(&stmt, values, NULL);
}

void
connect_catalog_load_counters(int64 connector_id, int task,
							  int64 *counters, int n)
{
	static ConnectStatement stmt = {
		"SELECT counters FROM connect.task_state"
		" WHERE connector_id = $1 AND task = $2", 2, {INT8OID, INT4OID}
	};
	Datum		values[] = {Int64GetDatum(connector_id), Int32GetDatum(task)};
	ConnectCatalogScope scope;

	memset(counters, 0, n * sizeof(int64));
	connect_catalog_enter(&scope);
	if (connect_catalog_run(&stmt, values, NULL) > 0)
	{
		bool		isnull;
		Datum		array = SPI_getbinval(SPI_tuptable->vals[0],
										  SPI_tuptable->tupdesc, 1, &isnull);
		Datum	   *elems;
		int			nelems;

		deconstruct_array(DatumGetArrayTypeP(array), INT8OID, 8,
						  FLOAT8PASSBYVAL, TYPALIGN_DOUBLE,
						  &elems, NULL, &nelems);
		for (int i = 0; i < Min(n, nelems); i++)
			counters[i] = DatumGetInt64(elems[i]);
	}
	connect_catalog_leave(&scope);
}
