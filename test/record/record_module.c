/*
 * record_module.c
 *	  SQL functions over the record model, for tests and measurements.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "executor/executor.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "portability/instr_time.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/typcache.h"

#include "convert/convert.h"
#include "convert/json_plan.h"
#include "record/datum.h"
#include "record/row.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(connect_record_row_json);
PG_FUNCTION_INFO_V1(connect_record_bench_json);
PG_FUNCTION_INFO_V1(connect_record_from_json);
PG_FUNCTION_INFO_V1(connect_record_bench_decode);

static void
raise_error(const ConnectError *err)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 errmsg("%s", err->message),
			 errdetail("%s", err->class_name)));
}

static int
option(text *value, const char *const *names)
{
	char	   *name = text_to_cstring(value);

	for (int i = 0; names[i] != NULL; i++)
	{
		if (strcmp(name, names[i]) == 0)
			return i;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown option \"%s\"", name)));
}

static ConnectConverter *
json_converter(bool schemas, bool numeric)
{
	ConnectConfig *cfg = connect_config_make();
	ConnectError err;
	ConnectConverter *converter;

	connect_config_set(cfg, "schemas.enable", schemas ? "true" : "false");
	connect_config_set(cfg, "decimal.format", numeric ? "NUMERIC" : "BASE64");
	converter = connect_json_converter.make(&connect_json_converter, cfg,
											CONNECT_CONVERT_VALUE, &err);
	if (converter == NULL)
		raise_error(&err);
	return converter;
}

/*
 * connect_record_row_json(record, plain bool, numeric_mapping text,
 * timestamp_granularity text, zone text, schemas bool) returns text
 */
Datum
connect_record_row_json(PG_FUNCTION_ARGS)
{
	static const char *const mappings[] = {
		"none", "precision_only", "best_fit", "best_fit_eager_double", NULL
	};
	static const char *const forms[] = {
		"connect_logical", "micros_long", "micros_string",
		"micros_iso_datetime_string", "nanos_long", "nanos_string",
		"nanos_iso_datetime_string", NULL
	};
	HeapTupleHeader header = PG_GETARG_HEAPTUPLEHEADER(0);
	bool		plain = PG_GETARG_BOOL(1);
	char	   *zone = text_to_cstring(PG_GETARG_TEXT_PP(4));
	TupleDesc	desc = lookup_rowtype_tupdesc(HeapTupleHeaderGetTypeId(header),
											  HeapTupleHeaderGetTypMod(header));
	HeapTupleData tuple = {.t_len = HeapTupleHeaderGetDatumLength(header),
	.t_data = header};
	ConnectRowOptions options = {.plain = plain};
	Datum	   *values = palloc(desc->natts * sizeof(Datum));
	bool	   *isnull = palloc(desc->natts * sizeof(bool));
	ConnectRowPlan *plan;
	ConnectConverter *converter = json_converter(PG_GETARG_BOOL(5), plain);
	ConnectValue value;
	ConnectError err;
	StringInfoData out;
	bool		is_null;

	options.numeric = option(PG_GETARG_TEXT_PP(2), mappings);
	options.timestamp = option(PG_GETARG_TEXT_PP(3), forms);
	if (strcmp(zone, "UTC") != 0)
		options.zone = pg_tzset(zone);
	plan = connect_row_plan_make(desc, NULL, NULL, &options);
	heap_deform_tuple(&tuple, desc, values, isnull);
	ReleaseTupleDesc(desc);
	value = connect_value_elems(CONNECT_KIND_STRUCT,
								palloc(plan->ncells * sizeof(ConnectValue)),
								plan->ncells);
	initStringInfo(&out);
	if (!connect_row_convert(plan, values, isnull, value.u.elems, &err) ||
		!connect_json_converter.from_connect(converter, "t", plan->schema,
											 &value, &out, &is_null, &err))
		raise_error(&err);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}

typedef struct Bench
{
	Relation	rel;
	ConnectRowPlan *plan;
	ConnectConverter *converter;
	MemoryContext row_context;
	int64		rows;
	int64		bytes;
} Bench;

static void
one_row(Bench *bench, TupleTableSlot *slot, bool ours, StringInfo out)
{
	if (ours)
	{
		ConnectValue cells[64];
		ConnectValue value = connect_value_elems(CONNECT_KIND_STRUCT, cells,
												 bench->plan->ncells);
		ConnectError err;
		bool		is_null;

		slot_getallattrs(slot);
		resetStringInfo(out);
		if (!connect_row_convert(bench->plan, slot->tts_values,
								 slot->tts_isnull, cells, &err) ||
			!connect_json_converter.from_connect(bench->converter, "t",
												 bench->plan->schema, &value,
												 out, &is_null, &err))
			raise_error(&err);
		bench->bytes += out->len;
	}
	else
	{
		Datum		row = ExecFetchSlotHeapTupleDatum(slot);
		text	   *json = DatumGetTextPP(DirectFunctionCall1(row_to_json, row));

		bench->bytes += VARSIZE_ANY_EXHDR(json);
	}
}

/* Reads the table once; the seconds that it took. */
static double
scan(Bench *bench, bool ours)
{
	TupleTableSlot *slot = table_slot_create(bench->rel, NULL);
	TableScanDesc scan = table_beginscan(bench->rel, GetActiveSnapshot(), 0,
										 NULL);
	StringInfoData out;
	instr_time	start;
	instr_time	end;

	initStringInfo(&out);
	bench->rows = 0;
	bench->bytes = 0;
	INSTR_TIME_SET_CURRENT(start);
	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		MemoryContext old;

		if (bench->rows++ % 100 == 0)
		{
			CHECK_FOR_INTERRUPTS();
			MemoryContextReset(bench->row_context);
		}
		old = MemoryContextSwitchTo(bench->row_context);
		one_row(bench, slot, ours, &out);
		MemoryContextSwitchTo(old);
	}
	INSTR_TIME_SET_CURRENT(end);
	INSTR_TIME_SUBTRACT(end, start);
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	return INSTR_TIME_GET_DOUBLE(end);
}

/*
 * connect_record_bench_json(regclass, runs int) returns table (ours float8,
 * row_to_json float8, ratio float8, bytes float8): microseconds a row, scan
 * included, the best of the runs, which alternate
 */
Datum
connect_record_bench_json(PG_FUNCTION_ARGS)
{
	Bench		bench = {0};
	ConnectRowOptions options = {.plain = true};
	double		best[2] = {1e9, 1e9};
	Datum		values[4];
	bool		nulls[4] = {0};
	TupleDesc	desc;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	bench.rel = table_open(PG_GETARG_OID(0), AccessShareLock);
	bench.plan = connect_row_plan_make(RelationGetDescr(bench.rel), NULL, NULL,
									   &options);
	bench.converter = json_converter(false, true);
	bench.row_context = AllocSetContextCreate(CurrentMemoryContext, "row",
											  ALLOCSET_DEFAULT_SIZES);
	for (int run = 0; run < PG_GETARG_INT32(1); run++)
	{
		for (int ours = 0; ours <= 1; ours++)
		{
			double		seconds = scan(&bench, ours);

			best[ours] = Min(best[ours], seconds * 1e6 / bench.rows);
		}
	}
	values[0] = Float8GetDatum(best[1]);
	values[1] = Float8GetDatum(best[0]);
	values[2] = Float8GetDatum(best[0] / best[1]);
	values[3] = Float8GetDatum((double) bench.bytes / bench.rows);
	table_close(bench.rel, AccessShareLock);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc),
													  values, nulls)));
}

typedef struct Decoder
{
	ConnectJsonPlan *json;
	TupleDesc	desc;
	ConnectDatumPlan **columns;
	ConnectValue *cells;
	Datum	   *values;
	bool	   *isnull;
} Decoder;

static void
decoder_init(Decoder *decoder, TupleDesc desc, const char *zone, int flags,
			 bool json_text)
{
	ConnectDatumOptions options = {.json_text = json_text};
	const char **names = palloc(desc->natts * sizeof(char *));

	if (strcmp(zone, "UTC") != 0)
		options.zone = pg_tzset(zone);
	decoder->desc = desc;
	decoder->columns = palloc(desc->natts * sizeof(ConnectDatumPlan *));
	decoder->cells = palloc(desc->natts * sizeof(ConnectValue));
	decoder->values = palloc(desc->natts * sizeof(Datum));
	decoder->isnull = palloc(desc->natts * sizeof(bool));
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		names[i] = NameStr(att->attname);
		decoder->columns[i] = connect_datum_plan_make(names[i], att->atttypid,
													  att->atttypmod, &options);
	}
	decoder->json = connect_json_plan_make(names, desc->natts, flags);
}

static void
decode_row(Decoder *decoder, const char *data, int len)
{
	ConnectJsonResult result;
	ConnectError err;

	if (!connect_json_plan_decode(decoder->json, data, len, decoder->cells,
								  &result, &err))
	{
		if (err.cause_message != NULL)
			ereport(ERROR,
					(errcode(ERRCODE_DATA_EXCEPTION),
					 errmsg("%s", err.cause_message)));
		raise_error(&err);
	}
	for (int i = 0; i < decoder->desc->natts; i++)
	{
		ConnectSchema *schema = NULL;

		if (result.schema != NULL && result.schema->type == CONNECT_STRUCT)
		{
			Form_pg_attribute att = TupleDescAttr(decoder->desc, i);
			int			field = connect_schema_field(result.schema,
													 NameStr(att->attname),
													 strlen(NameStr(att->attname)));

			if (field >= 0)
				schema = result.schema->fields[field].schema;
		}
		if (!connect_datum_make(decoder->columns[i], schema,
								&decoder->cells[i], &decoder->values[i],
								&decoder->isnull[i], &err))
			raise_error(&err);
	}
}

/*
 * connect_record_from_json(anyelement, text, zone text, schemas bool,
 * json_text bool) returns anyelement: the first argument tells the row type
 */
Datum
connect_record_from_json(PG_FUNCTION_ARGS)
{
	text	   *json = PG_GETARG_TEXT_PP(1);
	Oid			type = get_fn_expr_argtype(fcinfo->flinfo, 0);
	TupleDesc	desc = lookup_rowtype_tupdesc_copy(type, -1);
	Decoder		decoder;

	decoder_init(&decoder, desc, text_to_cstring(PG_GETARG_TEXT_PP(2)),
				 PG_GETARG_BOOL(3) ? CONNECT_JSON_PLAN_SCHEMAS : 0,
				 PG_GETARG_BOOL(4));
	decode_row(&decoder, VARDATA_ANY(json), VARSIZE_ANY_EXHDR(json));
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, decoder.values,
													  decoder.isnull)));
}

/*
 * connect_record_bench_decode(regclass, runs int) returns float8:
 * microseconds a row from JSON bytes to Datums, the best of the runs
 */
Datum
connect_record_bench_decode(PG_FUNCTION_ARGS)
{
	Relation	rel = table_open(PG_GETARG_OID(0), AccessShareLock);
	TupleTableSlot *slot = table_slot_create(rel, NULL);
	TableScanDesc scan = table_beginscan(rel, GetActiveSnapshot(), 0, NULL);
	ConnectRowOptions options = {.plain = true};
	ConnectRowPlan *plan = connect_row_plan_make(RelationGetDescr(rel), NULL,
												 NULL, &options);
	ConnectConverter *converter = json_converter(false, true);
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "row",
												  ALLOCSET_DEFAULT_SIZES);
	StringInfoData all;
	int			ends[10000];
	int			n = 0;
	Decoder		decoder;
	double		best = 1e9;

	initStringInfo(&all);
	while (n < lengthof(ends) &&
		   table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		ConnectValue cells[64];
		ConnectValue value = connect_value_elems(CONNECT_KIND_STRUCT, cells,
												 plan->ncells);
		ConnectError err;
		bool		is_null;

		slot_getallattrs(slot);
		if (!connect_row_convert(plan, slot->tts_values, slot->tts_isnull,
								 cells, &err) ||
			!connect_json_converter.from_connect(converter, "t", plan->schema,
												 &value, &all, &is_null, &err))
			raise_error(&err);
		ends[n++] = all.len;
	}
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	decoder_init(&decoder, RelationGetDescr(rel), "UTC", 0, false);
	for (int run = 0; run < PG_GETARG_INT32(1); run++)
	{
		instr_time	start;
		instr_time	end;

		INSTR_TIME_SET_CURRENT(start);
		for (int i = 0; i < n; i++)
		{
			int			begin = i > 0 ? ends[i - 1] : 0;
			MemoryContext old;

			if (i % 100 == 0)
				MemoryContextReset(context);
			old = MemoryContextSwitchTo(context);
			decode_row(&decoder, all.data + begin, ends[i] - begin);
			MemoryContextSwitchTo(old);
		}
		INSTR_TIME_SET_CURRENT(end);
		INSTR_TIME_SUBTRACT(end, start);
		best = Min(best, INSTR_TIME_GET_DOUBLE(end) * 1e6 / Max(n, 1));
	}
	table_close(rel, AccessShareLock);
	PG_RETURN_FLOAT8(best);
}
