/*
 * sinktest.c
 *	  A transactional sink without Kafka: batches come from SQL.
 *
 * NOTES
 *	  For tests.  The library holds the sink's own code and stands in for the
 *	  runtime: put() runs in the caller's transaction as the current user, so
 *	  that statements, DDL, rights and the isolation of bad records can be tested
 *	  and compared with plain INSERT by SQL alone.
 */
#include "postgres.h"

#include <time.h>

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/tuplestore.h"

#include "connector.h"
#include "convert/json_read.h"
#include "jdbcsink/jdbcsink.h"
#include "registry.h"

PG_MODULE_MAGIC;

typedef struct TestReport
{
	const ConnectRecord *record;
	ConnectError err;
} TestReport;

typedef struct TestTask
{
	ConnectTask task;			/* first: what the sink sees */
	ConnectConverter *key_converter;
	ConnectConverter *value_converter;
	bool		tolerant;
	List	   *reports;		/* of TestReport, of the last put */
} TestTask;

static List *tasks = NIL;

static const ConnectConnectorClass *const classes[] = {
	&connect_jdbcsink, &connect_jdbcsink_aiven, &connect_jdbcsink_debezium,
	&connect_function_sink
};

/* ---- the runtime's part ---- */

void
connect_task_begin(ConnectTask *task)
{
	PushActiveSnapshot(GetTransactionSnapshot());
}

void
connect_task_commit(ConnectTask *task)
{
	PopActiveSnapshot();
}

bool
connect_task_decode_value(ConnectTask *task, ConnectRecord *record,
						  ConnectError *err)
{
	ConnectConverter *converter = ((TestTask *) task)->value_converter;

	record->value_decoded = true;
	return converter->cls->to_connect(converter, record->topic,
									  record->raw_value.data,
									  record->raw_value.len,
									  &record->value_schema, &record->value,
									  err);
}

ConnectConverter *
connect_task_value_converter(ConnectTask *task)
{
	return ((TestTask *) task)->value_converter;
}

void
connect_task_report(ConnectTask *task, const ConnectRecord *record,
					const ConnectError *err)
{
	TestTask   *test = (TestTask *) task;
	TestReport *report;

	if (!test->tolerant)
		ereport(ERROR,
				(errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
				 errmsg("%s: %s", err->class_name, err->message)));
	report = palloc(sizeof(TestReport));
	report->record = record;
	report->err = *err;
	test->reports = lappend(test->reports, report);
}

void
connect_task_waiting_for(ConnectTask *task, const char *what)
{
}

/* ---- SQL ---- */

static char **
text_array(ArrayType *array, int *n)
{
	Datum	   *elems;
	bool	   *nulls;
	char	  **result;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &elems, &nulls,
					  n);
	result = palloc0((*n + 1) * sizeof(char *));
	for (int i = 0; i < *n; i++)
	{
		if (!nulls[i])
			result[i] = TextDatumGetCString(elems[i]);
	}
	return result;
}

static ConnectConverter *
make_converter(const ConnectConfig *cfg, const char *key)
{
	const char *name = connect_config_get(cfg, key);
	ConnectConfig *own = connect_config_with_prefix(cfg, psprintf("%s.", key));
	const ConnectConverterClass *cls = connect_converter_find(name ? name : "JsonConverter");
	ConnectConverter *converter;
	ConnectError err = {0};

	if (name == NULL)
		connect_config_set(own, "schemas.enable", "false");
	converter = cls->make(cls, own, strcmp(key, "key.converter") == 0 ?
						  CONNECT_CONVERT_KEY : CONNECT_CONVERT_VALUE, &err);
	if (converter == NULL)
		elog(ERROR, "%s", err.message);
	return converter;
}

/* start(class text, keys text[], values text[]): number of a new task */
PG_FUNCTION_INFO_V1(sinktest_start);
Datum
sinktest_start(PG_FUNCTION_ARGS)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	ConnectConfig *cfg;
	ConnectConfigErrors errors = {0};
	TestTask   *test;
	MemoryContext old;
	char	  **keys;
	char	  **values;
	int			n;

	old = MemoryContextSwitchTo(AllocSetContextCreate(TopMemoryContext,
													  "sinktest",
													  ALLOCSET_DEFAULT_SIZES));
	test = palloc0(sizeof(TestTask));
	test->task.context = CurrentMemoryContext;
	cfg = connect_config_make();
	keys = text_array(PG_GETARG_ARRAYTYPE_P(1), &n);
	values = text_array(PG_GETARG_ARRAYTYPE_P(2), &n);
	for (int i = 0; i < n; i++)
		connect_config_set(cfg, keys[i], values[i]);
	for (int i = 0; i < lengthof(classes); i++)
	{
		if (strcmp(classes[i]->class_name, name) == 0 ||
			(classes[i]->aliases != NULL &&
			 strcmp(classes[i]->aliases[0], name) == 0))
			test->task.cls = classes[i];
	}
	if (test->task.cls == NULL)
		elog(ERROR, "no such class: %s", name);
	connect_config_check(cfg, &test->task.cls->config, &errors);
	if (test->task.cls->validate != NULL)
		test->task.cls->validate(cfg, &errors);
	for (int i = 0; i < errors.nerrors; i++)
		ereport(i + 1 < errors.nerrors ? NOTICE : ERROR,
				(errcode(ERRCODE_FDW_INVALID_ATTRIBUTE_VALUE),
				 errmsg("%s: %s", errors.errors[i].key,
						errors.errors[i].message)));
	test->task.connector = "test";
	test->task.config = cfg;
	test->task.owner = GetUserId();
	test->tolerant = connect_config_get(cfg, "errors.tolerance") != NULL &&
		strcmp(connect_config_get(cfg, "errors.tolerance"), "all") == 0;
	test->key_converter = make_converter(cfg, "key.converter");
	test->value_converter = make_converter(cfg, "value.converter");
	connect_json_converter_keep_numbers(test->key_converter);
	connect_json_converter_keep_numbers(test->value_converter);
	test->task.batch_context = AllocSetContextCreate(CurrentMemoryContext,
													 "sinktest batch",
													 ALLOCSET_DEFAULT_SIZES);
	test->task.cls->start(&test->task);
	tasks = lappend(tasks, test);
	MemoryContextSwitchTo(old);
	PG_RETURN_INT32(list_length(tasks));
}

static void
read_headers(ConnectRecord *record, const char *json)
{
	ConnectJsonReader reader;
	ConnectValue map;
	ConnectError err = {0};
	bool		missing;

	connect_json_reader_init(&reader, json, strlen(json), 0, &err);
	if (!connect_json_read(&reader, &map, &missing))
		elog(ERROR, "%s", err.message);
	record->nheaders = map.len;
	record->headers = palloc0(map.len * sizeof(ConnectHeader));
	for (int i = 0; i < map.len; i++)
	{
		ConnectHeader *header = &record->headers[i];
		ConnectValue *value = &map.u.elems[2 * i + 1];

		header->name = pnstrdup(map.u.elems[2 * i].u.p,
								map.u.elems[2 * i].len);
		header->value = *value;
		header->schema =
			connect_schema_make(value->kind == CONNECT_KIND_INT64 ?
								CONNECT_INT64 : CONNECT_STRING);
	}
}

/*
 * put(task int, topics text[], offsets bigint[], keys text[], values text[],
 *	   headers text[]): the records that could not be stored
 */
PG_FUNCTION_INFO_V1(sinktest_put);
Datum
sinktest_put(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	TestTask   *test = list_nth(tasks, PG_GETARG_INT32(0) - 1);
	ConnectRecord *records;
	MemoryContext old;
	char	  **topics;
	char	  **keys;
	char	  **values;
	char	  **headers;
	Datum	   *offsets;
	int			n;
	ListCell   *lc;

	InitMaterializedSRF(fcinfo, 0);
	MemoryContextReset(test->task.batch_context);
	old = MemoryContextSwitchTo(test->task.batch_context);
	topics = text_array(PG_GETARG_ARRAYTYPE_P(1), &n);
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(2), INT8OID, 8, true,
					  TYPALIGN_DOUBLE, &offsets, NULL, &n);
	keys = text_array(PG_GETARG_ARRAYTYPE_P(3), &n);
	values = text_array(PG_GETARG_ARRAYTYPE_P(4), &n);
	headers = text_array(PG_GETARG_ARRAYTYPE_P(5), &n);
	test->reports = NIL;
	records = palloc0(n * sizeof(ConnectRecord));
	for (int i = 0; i < n; i++)
	{
		ConnectRecord *record = &records[i];
		ConnectError err = {0};

		record->topic = record->origin_topic = topics[i];
		record->offset = DatumGetInt64(offsets[i]);
		record->timestamp = -1;
		record->raw_key.data = keys[i];
		record->raw_key.len = keys[i] ? strlen(keys[i]) : 0;
		record->raw_value.data = values[i];
		record->raw_value.len = values[i] ? strlen(values[i]) : 0;
		if (!test->key_converter->cls->to_connect(test->key_converter, topics[i],
												  record->raw_key.data,
												  record->raw_key.len,
												  &record->key_schema,
												  &record->key, &err))
			elog(ERROR, "%s", err.message);
		if (headers[i] != NULL)
			read_headers(record, headers[i]);
	}
	test->task.cls->put(&test->task, records, n);
	MemoryContextSwitchTo(old);

	foreach(lc, test->reports)
	{
		TestReport *report = lfirst(lc);
		Datum		row[3];
		bool		nulls[3] = {false};

		row[0] = CStringGetTextDatum(report->record->topic);
		row[1] = Int64GetDatum(report->record->offset);
		row[2] = CStringGetTextDatum(report->err.message);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, row, nulls);
	}
	return (Datum) 0;
}

/* cpu(): seconds of a processor that this backend has used */
PG_FUNCTION_INFO_V1(sinktest_cpu);
Datum
sinktest_cpu(PG_FUNCTION_ARGS)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	PG_RETURN_FLOAT8(now.tv_sec + now.tv_nsec / 1e9);
}
