/*
 * functionsink.c
 *	  FunctionSink: calls a function with each batch of records.
 *
 * NOTES
 *	  Task process.  put() runs in the transaction that advances the sink's
 *	  offsets: what the function does and the position commit together or not at
 *	  all.  So the function cannot end the transaction; a procedure is refused.
 *
 *	  Each call is made in a subtransaction.  When it fails by a record's fault
 *	  its records are halved, in order, until the bad one is alone; that one is
 *	  reported, with all others the function has been called.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "tcop/dest.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

#include "connect.h"
#include "function/function.h"
#include "jdbcsink/errors.h"
#include "registry.h"
#include "runtime/attempt.h"

static const char *const forms[] = {"auto", "record", "value", NULL};
static const char *const unknown_fields[] = {"fail", "ignore", NULL};

static const ConnectConfigKey keys[] = {
	{
		.name = "function.name", .type = CONNECT_CONFIG_STRING,
		.required = true, .importance = CONNECT_IMPORTANCE_HIGH,
		.doc = "The function that is called with each batch: schema.function, or schema.function(type) where there are several of the name. Its one argument is an array: connect.record[] takes records whole, an array of another composite type the fields of values by the names of its columns, an array of any other type (jsonb, text, bytea, ...) the values; jsonb or json alone takes an array of objects like connect.record.",
		.group = "Function", .order = 1, .width = CONNECT_WIDTH_LONG,
		.display_name = "Function",
		.validator = connect_config_non_empty
	},
	{
		.name = "batch.size", .type = CONNECT_CONFIG_INT,
		.default_value = "1000", .importance = CONNECT_IMPORTANCE_MEDIUM,
		.doc = "How many records the function is called with at most.",
		.group = "Function", .order = 2, .width = CONNECT_WIDTH_SHORT,
		.display_name = "Batch size",
		.validator = connect_config_at_least, .min = 1
	},
	{
		.name = "argument.form", .type = CONNECT_CONFIG_STRING,
		.default_value = "auto", .importance = CONNECT_IMPORTANCE_LOW,
		.doc = "What an element of the argument is made of: record (columns topic, partition, offset, timestamp, timestamp_type, key, value, headers, those that the type has and in its own types), value (fields of the value), or auto: record for connect.record, value for all others.",
		.group = "Function", .order = 3, .width = CONNECT_WIDTH_SHORT,
		.display_name = "Form of the argument",
		.recommended = forms,
		.validator = connect_config_one_of, .allowed = forms
	},
	{
		.name = "unknown.fields", .type = CONNECT_CONFIG_STRING,
		.default_value = "fail", .importance = CONNECT_IMPORTANCE_LOW,
		.doc = "What becomes of a field for which a composite type has no column: fail (the record is bad) or ignore.",
		.group = "Function", .order = 4, .width = CONNECT_WIDTH_SHORT,
		.display_name = "Unknown fields",
		.recommended = unknown_fields,
		.validator = connect_config_one_of, .allowed = unknown_fields
	},
};

static const ConnectConfigDef def = {keys, lengthof(keys)};

typedef struct FunctionSink
{
	ConnectTask *task;
	const char *name;
	int			batch_size;
	FunctionForm form;
	bool		ignore_unknown;
	bool		plain_json;		/* values are JSON without schemas */
	MemoryContext call_context; /* reset after each call */

	/* The function as it was last found; reset when it has changed. */
	MemoryContext context;
	FunctionRef ref;
	FunctionArgument *argument; /* NULL: to be made */
	SPIPlanPtr	plan;

	/* Statements after a call; NULL = none. */
	const char *check_constraints;
	char	   *defer_constraints;
} FunctionSink;

/* The statements are still right: set by find_constraints(). */
static bool constraints_known = false;

/* A record of the batch. */
typedef struct Event
{
	ConnectRecord *record;
	bool		refused;		/* error says why */
	ConnectError error;
} Event;

/* Arguments of call(). */
typedef struct Call
{
	FunctionSink *sink;
	Event	   *events;
	int			n;
} Call;

static void prepare(FunctionSink *sink);
static void find_constraints(FunctionSink *sink);
static void forget_constraints(Datum arg, int cacheid, uint32 hashvalue);
static void call_safely(FunctionSink *sink, Event *events, int n);
static void call(void *arg);
static void check_deferred(FunctionSink *sink);
static void context_callback(void *arg);

/* ---- configuration ---- */

static FunctionForm
form_of(const ConnectConfig *cfg)
{
	const char *form = connect_config_string(cfg, &def, "argument.form");

	for (int i = 0; forms[i] != NULL; i++)
	{
		if (strcmp(forms[i], form) == 0)
			return (FunctionForm) i;
	}
	return FUNCTION_FORM_AUTO;
}

static inline bool
is_json(Oid type)
{
	return type == JSONBOID || type == JSONOID;
}

static char *
refuse(HeapTuple tuple, FunctionForm form, char **hint)
{
	Form_pg_proc proc = (Form_pg_proc) GETSTRUCT(tuple);

	if (proc->pronargs != 1)
		return psprintf("takes %d arguments, not one", proc->pronargs);
	if (is_json(proc->proargtypes.values[0]))
		return NULL;
	return connect_function_argument_refuse(proc->proargtypes.values[0], form,
											hint);
}

static char *
refuse_auto(HeapTuple tuple, char **hint)
{
	return refuse(tuple, FUNCTION_FORM_AUTO, hint);
}

static char *
refuse_record(HeapTuple tuple, char **hint)
{
	return refuse(tuple, FUNCTION_FORM_RECORD, hint);
}

static const FunctionUse *
use_of(FunctionForm form)
{
#define EXAMPLE "f(records connect.record[]) RETURNS void"
	static const FunctionUse any = {"function.name", EXAMPLE, refuse_auto};
	static const FunctionUse record = {"function.name", EXAMPLE, refuse_record};

	return form == FUNCTION_FORM_RECORD ? &record : &any;
}

static void
sink_validate(const ConnectConfig *cfg, ConnectConfigErrors *errors)
{
	FunctionRef ref;

	(void) connect_function_check(cfg, use_of(form_of(cfg)), &ref, errors);
}

static void
sink_start(ConnectTask *task)
{
	/* What find_constraints() looks at, privileges included. */
	static const int caches[] = {CONSTROID, NAMESPACEOID, AUTHOID, AUTHMEMROLEMEM};
	static bool is_watching = false;
	FunctionSink *sink = palloc0(sizeof(FunctionSink));
	const ConnectConfig *cfg = task->config;

	sink->task = task;
	sink->name = connect_config_string(cfg, &def, "function.name");
	sink->batch_size = (int) connect_config_int(cfg, &def, "batch.size");
	sink->form = form_of(cfg);
	sink->ignore_unknown =
		strcmp(connect_config_string(cfg, &def, "unknown.fields"), "ignore") == 0;
	sink->plain_json =
		connect_json_converter_is_plain(connect_task_value_converter(task));
	sink->context = AllocSetContextCreate(CurrentMemoryContext,
										  "Connect function",
										  ALLOCSET_SMALL_SIZES);
	sink->call_context = AllocSetContextCreate(CurrentMemoryContext,
											   "Connect function call",
											   ALLOCSET_DEFAULT_SIZES);
	task->state = sink;

	constraints_known = false;
	if (!is_watching)
	{
		for (int i = 0; i < lengthof(caches); i++)
			CacheRegisterSyscacheCallback(caches[i], forget_constraints, (Datum) 0);
		is_watching = true;
	}

	/* A function that is not there is told now, not by the first record. */
	connect_task_begin(task);
	prepare(sink);
	connect_task_commit(task);
	MemoryContextSwitchTo(task->context);
}

static void
forget(FunctionSink *sink)
{
	if (sink->plan != NULL)
		SPI_freeplan(sink->plan);
	sink->plan = NULL;
	sink->argument = NULL;
	MemoryContextReset(sink->context);
}

static void
sink_stop(ConnectTask *task)
{
	forget(task->state);
}

/* ---- a batch ---- */

/* Finds and locks the function, and makes the statement that calls it. */
static void
prepare(FunctionSink *sink)
{
	MemoryContext old = CurrentMemoryContext;
	FunctionRef ref;
	bool		json;
	Oid			array;
	StringInfoData sql;
	SPIPlanPtr	plan;

	connect_function_open(sink->task, sink->name, use_of(sink->form), &ref);
	if (sink->argument != NULL && connect_function_same(&sink->ref, &ref) &&
		connect_function_argument_is_current(sink->argument))
		return;

	forget(sink);
	json = is_json(ref.args[0]);
	array = json ? connect_function_record_array() : ref.args[0];
	initStringInfo(&sql);
	appendStringInfo(&sql, !json ? "SELECT %s($1)" : ref.args[0] == JSONBOID ?
					 "SELECT %s(pg_catalog.to_jsonb($1))" :
					 "SELECT %s(pg_catalog.to_json($1))", ref.call);
	SPI_connect();
	plan = SPI_prepare(sql.data, 1, &array);
	if (plan == NULL)
		elog(ERROR, "could not prepare the call of %s: %s", ref.signature,
			 SPI_result_code_string(SPI_result));
	SPI_keepplan(plan);
	sink->plan = plan;
	SPI_finish();

	MemoryContextSwitchTo(sink->context);
	sink->ref = ref;
	sink->ref.call = pstrdup(ref.call);
	sink->ref.signature = pstrdup(ref.signature);
	sink->argument =
		connect_function_argument_make(get_element_type(array), sink->form,
									   sink->ignore_unknown, sink->plain_json);
	MemoryContextSwitchTo(old);
}

/*
 * Is there a constraint that can be deferred, and which are from the start?
 * Those go by their names: one that shares its name with another that cannot
 * be, or is in a schema that is closed to us, stays checked at once after the
 * first call of a batch.
 */
static void
find_constraints(FunctionSink *sink)
{
	static const char sql[] =
		"SELECT pg_catalog.string_agg(DISTINCT pg_catalog.format('%I.%I', n.nspname, c.conname), ', ')"
		" FILTER (WHERE c.condeferred AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')"
		" AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint o WHERE o.conname = c.conname"
		" AND o.connamespace = c.connamespace AND NOT o.condeferrable))"
		" FROM pg_catalog.pg_constraint c JOIN pg_catalog.pg_namespace n ON n.oid = c.connamespace"
		" WHERE c.condeferrable HAVING pg_catalog.count(*) > 0";

	if (constraints_known)
		return;
	sink->check_constraints = NULL;
	if (sink->defer_constraints != NULL)
		pfree(sink->defer_constraints);
	sink->defer_constraints = NULL;
	/* Whoever changes them from here on resets it: the snapshot is newer. */
	constraints_known = true;
	SPI_connect();
	if (SPI_execute(sql, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not look for constraints");
	if (SPI_processed > 0)
	{
		char	   *names = SPI_getvalue(SPI_tuptable->vals[0],
										 SPI_tuptable->tupdesc, 1);
		MemoryContext old = MemoryContextSwitchTo(sink->task->context);

		sink->check_constraints = "SET CONSTRAINTS ALL IMMEDIATE";
		if (names != NULL)
			sink->defer_constraints = psprintf("SET CONSTRAINTS %s DEFERRED",
											   names);
		MemoryContextSwitchTo(old);
	}
	SPI_finish();
}

static void
forget_constraints(Datum arg, int cacheid, uint32 hashvalue)
{
	constraints_known = false;
}

static void
sink_put(ConnectTask *task, ConnectRecord *records, int n)
{
	FunctionSink *sink = task->state;
	Event	   *events = palloc0(n * sizeof(Event));

	prepare(sink);
	find_constraints(sink);
	for (int i = 0; i < n; i++)
		events[i].record = &records[i];
	for (int i = 0; i < n; i += sink->batch_size)
		call_safely(sink, events + i, Min(n - i, sink->batch_size));
	for (int i = 0; i < n; i++)
	{
		if (events[i].refused)
			connect_task_report(task, events[i].record, &events[i].error);
	}
}

/* The record is bad; reported when the others have been taken. */
static void
mark_refused(FunctionSink *sink, Event *event)
{
	event->refused = true;
	event->error.message = MemoryContextStrdup(sink->task->batch_context,
											   event->error.message);
}

static void
call_safely(FunctionSink *sink, Event *events, int n)
{
	Call		arguments = {sink, events, n};
	ErrorData  *edata;

	CHECK_FOR_INTERRUPTS();
	edata = connect_attempt(call, &arguments, sink->call_context);
	MemoryContextReset(sink->call_context);
	if (edata == NULL)
		return;

	if (connect_jdbcsink_fault(edata->sqlerrcode) != JDBC_FAULT_RECORD)
	{
		if (edata->sqlerrcode == ERRCODE_INVALID_TRANSACTION_TERMINATION &&
			edata->hint == NULL)
			edata->hint = pstrdup("The batch commits together with its offsets: the function can neither commit nor roll back.");
		ReThrowError(edata);
	}
	if (n > 1)
	{
		FreeErrorData(edata);
		call_safely(sink, events, n / 2);
		call_safely(sink, events + n / 2, n - n / 2);
		return;
	}
	connect_jdbcsink_error_of(edata, events->record, NULL, &events->error);
	mark_refused(sink, events);
	FreeErrorData(edata);
}

static void
call(void *arg)
{
	FunctionSink *sink = ((Call *) arg)->sink;
	Event	   *events = ((Call *) arg)->events;
	int			n = ((Call *) arg)->n;
	Datum	   *values = palloc(n * sizeof(Datum));
	bool	   *nulls = palloc(n * sizeof(bool));
	ParamListInfo params = makeParamList(1);
	SPIExecuteOptions options = {0};
	ErrorContextCallback callback = {error_context_stack, context_callback, sink};
	int			nvalues = 0;
	int			result;

	error_context_stack = &callback;
	for (int i = 0; i < n; i++)
	{
		Event	   *event = &events[i];

		if (event->refused)
			continue;
		if (connect_function_element(sink->argument, sink->task, event->record,
									 &values[nvalues], &nulls[nvalues],
									 &event->error))
			nvalues++;
		else
		{
			connect_jdbcsink_place_error(event->record, &event->error);
			mark_refused(sink, event);
		}
	}
	if (nvalues > 0)
	{
		params->params[0].value = connect_function_array(sink->argument, values,
														 nulls, nvalues);
		params->params[0].isnull = false;
		params->params[0].pflags = PARAM_FLAG_CONST;
		params->params[0].ptype = connect_function_array_type(sink->argument);
		options.params = params;
		options.dest = None_Receiver;
		SPI_connect();
		result = SPI_execute_plan_extended(sink->plan, &options);
		if (result < 0)
			elog(ERROR, "could not call %s: %s", sink->ref.signature,
				 SPI_result_code_string(result));
		check_deferred(sink);
		SPI_finish();
	}
	error_context_stack = callback.previous;
}

/*
 * What a deferred constraint says is the record's fault too.  The next call
 * finds them deferred again.
 */
static void
check_deferred(FunctionSink *sink)
{
	if (sink->check_constraints != NULL)
		SPI_execute(sink->check_constraints, false, 0);
	if (sink->defer_constraints != NULL)
		SPI_execute(sink->defer_constraints, false, 0);
}

static void
context_callback(void *arg)
{
	FunctionSink *sink = arg;

	errcontext("function %s", sink->ref.signature);
}

const ConnectConnectorClass connect_function_sink = {
	.abi = CONNECT_CONNECTOR_ABI,
	.class_name = "FunctionSink",
	.type = CONNECT_SINK,
	.version = CONNECT_VERSION,
	.doc = "Calls a function of this database with each batch of records; what it does and the position commit together.",
	.config = {keys, lengthof(keys)},
	.flags = CONNECT_CONNECTOR_TRANSACTIONAL | CONNECT_CONNECTOR_RAW_VALUES,
	.validate = sink_validate,
	.start = sink_start,
	.put = sink_put,
	.stop = sink_stop
};
