/*
 * status.c
 *	  What connect.queue_status shows of a queue.
 *
 * NOTES
 *	  Runs in any backend.  It needs no task: a queue is most interesting while
 *	  nothing empties it.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "catalog/catalog.h"
#include "stream/stream.h"

PG_FUNCTION_INFO_V1(connect_queue_state);

/* connect.queue_state(connector_id bigint) */
PGDLLEXPORT Datum
connect_queue_state(PG_FUNCTION_ARGS)
{
	int64		connector_id = PG_GETARG_INT64(0);
	ConnectQueue *queue = connect_queue_load(connector_id);
	TupleDesc	desc;
	Datum		values[2] = {0};
	bool		nulls[2] = {true, true};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	if (queue != NULL)
	{
		TimestampTz oldest =
			connect_reader_oldest(queue, connect_stream_stored(connector_id));

		values[0] = Int64GetDatum(connect_queue_bytes(queue));
		nulls[0] = false;
		values[1] = TimestampTzGetDatum(oldest);
		nulls[1] = oldest == 0;
	}
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, nulls)));
}
