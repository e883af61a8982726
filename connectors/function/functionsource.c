/*
 * functionsource.c
 *	  FunctionSource: asks a function what comes after an offset.
 *
 * NOTES
 *	  Task process.  A call is one transaction: the function gets the last offset
 *	  of its source partition and returns rows, each with its offset.  They go to
 *	  a tuplestore (a temporary file beyond work_mem), the transaction commits,
 *	  WAL is flushed; only then are they sent, as Kafka takes them.  So nothing is
 *	  sent that a crash or an error of the function takes back, and no snapshot
 *	  waits for the network.
 *
 *	  Rows of one offset belong together: a row's record carries the offset
 *	  before its own, and the last offset of a call goes with its end.  Whoever
 *	  dies within a group has it sent again.
 *
 *	  Offsets are numbered in a queue until they are acknowledged; a record's
 *	  position is its offset's number.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "executor/tstoreReceiver.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "tcop/pquery.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/memutils.h"
#include "utils/portal.h"
#include "utils/timestamp.h"

#include "catalog/catalog.h"
#include "connect.h"
#include "digest.h"
#include "function/function.h"
#include "registry.h"
#include "runtime/wal.h"

/* What task_configs() adds for a task. */
#define TASK_PARTITIONS "task.partitions"
#define PARTITIONS_DIGEST "partitions.digest"

static const ConnectConfigKey keys[] = {
	{
		.name = "function.name", .type = CONNECT_CONFIG_STRING,
		.required = true, .importance = CONNECT_IMPORTANCE_HIGH,
		.doc = "The function that is asked for rows: schema.function, or schema.function(type, ...) where there are several of the name. Its arguments: the source partition (jsonb, may be left out), the last offset (jsonb, null at first), how many rows are wanted (integer, may be left out). Its columns: value and key of any type, offset jsonb, and if wanted topic text, partition integer, headers jsonb, timestamp timestamptz.",
		.group = "Function", .order = 1, .width = CONNECT_WIDTH_LONG,
		.display_name = "Function",
		.validator = connect_config_non_empty
	},
	{
		.name = "topic", .type = CONNECT_CONFIG_STRING,
		.importance = CONNECT_IMPORTANCE_HIGH,
		.doc = "The topic of rows that name none in a column topic.",
		.group = "Function", .order = 2, .width = CONNECT_WIDTH_MEDIUM,
		.display_name = "Topic"
	},
	{
		.name = "poll.interval.ms", .type = CONNECT_CONFIG_LONG,
		.default_value = "1000", .importance = CONNECT_IMPORTANCE_MEDIUM,
		.doc = "How long after a call the function is called again.",
		.group = "Function", .order = 3, .width = CONNECT_WIDTH_SHORT,
		.display_name = "Poll interval (ms)",
		.validator = connect_config_at_least, .min = 1
	},
	{
		.name = "batch.max.rows", .type = CONNECT_CONFIG_INT,
		.default_value = "1000", .importance = CONNECT_IMPORTANCE_LOW,
		.doc = "How many rows are wanted: the function's integer argument, if it has one. All that it returns is sent; when it returned that many and its offset moved on it is called again at once.",
		.group = "Function", .order = 4, .width = CONNECT_WIDTH_SHORT,
		.display_name = "Rows in a batch",
		.validator = connect_config_at_least, .min = 1
	},
	{
		.name = "partitions", .type = CONNECT_CONFIG_LIST,
		.importance = CONNECT_IMPORTANCE_MEDIUM,
		.doc = "Names of source partitions, split among tasks.max tasks. The function is called for each with {\"partition\": name}, and each has its own offset.",
		.group = "Partitions", .order = 1, .width = CONNECT_WIDTH_LONG,
		.display_name = "Source partitions"
	},
	{
		.name = "partitions.function", .type = CONNECT_CONFIG_STRING,
		.importance = CONNECT_IMPORTANCE_MEDIUM,
		.doc = "A function without arguments that returns the source partitions instead: a set of text (names) or of jsonb (objects). It must answer within some seconds.",
		.group = "Partitions", .order = 2, .width = CONNECT_WIDTH_LONG,
		.display_name = "Function of source partitions"
	},
	{
		.name = "partitions.poll.interval.ms", .type = CONNECT_CONFIG_LONG,
		.default_value = "60000", .importance = CONNECT_IMPORTANCE_LOW,
		.doc = "How often partitions.function is asked whether there are others.",
		.group = "Partitions", .order = 3, .width = CONNECT_WIDTH_SHORT,
		.display_name = "Partitions poll interval (ms)",
		.validator = connect_config_at_least, .min = 1
	},
	{
		.name = TASK_PARTITIONS, .type = CONNECT_CONFIG_STRING,
		.importance = CONNECT_IMPORTANCE_LOW, .internal = true,
		.doc = "The source partitions of a task."
	},
	{
		.name = PARTITIONS_DIGEST, .type = CONNECT_CONFIG_STRING,
		.importance = CONNECT_IMPORTANCE_LOW, .internal = true,
		.doc = "Which source partitions there were when the work was split."
	},
};

static const ConnectConfigDef def = {keys, lengthof(keys)};

/* An offset that is not yet behind what is stored. */
typedef struct SentOffset
{
	struct SentOffset *next;
	int64		number;
	Jsonb	   *object;
} SentOffset;

typedef struct Partition
{
	char	   *name;			/* its JSON object; NULL: there is but one */
	int32		index;			/* of the task's table of source partitions */
	SentOffset *first;			/* what may still be stored … */
	SentOffset *last;			/* … to what was read last; NULL = none */
	int64		done;			/* number of the offset whose rows have all
								 * been sent; 0 = none */
	TimestampTz due;			/* is asked again then */
} Partition;

typedef struct FunctionSource
{
	ConnectTask *task;
	const char *name;
	const char *topic;
	int64		poll_ms;
	int			max_rows;
	bool		plain;
	bool		partitioned;
	Partition  *partitions;
	int			npartitions;
	int			next;			/* is asked next, if it is due */
	const char *digest;			/* of all partitions; NULL: not ours to watch */
	int64		watch_ms;
	TimestampTz watch_due;

	/* The function as it was last found; reset when it has changed. */
	MemoryContext context;
	FunctionRef ref;
	SPIPlanPtr	plan;

	/* Rows that the last call returned. */
	FunctionRows *rows;			/* NULL: none was made yet */
	MemoryContext row_context;	/* reset after each row */
	TupleTableSlot *slot;
	Tuplestorestate *store;		/* NULL: all are sent */
	bool		committed;		/* the call that fills it has ended */
	bool		has_row;		/* slot holds one that is not sent */
	Partition  *asked;			/* whose they are */
	int64		nrows;
	int64		last_number;	/* of its last offset before the call */
} FunctionSource;

static void find_function(FunctionSource *source);
static Partition *add_partition(FunctionSource *source, const char *name);
static void ask(FunctionSource *source, Partition *partition);
static bool send_rows(FunctionSource *source);
static void end_rows(FunctionSource *source);
static void drop_rows(FunctionSource *source);
static void push_offset(FunctionSource *source, Partition *partition,
						const Jsonb *object);
static void watch_partitions(FunctionSource *source);
static void context_callback(void *arg);

/* ---- configuration ---- */

static TupleDesc
result_of(Oid function)
{
	TupleDesc	desc;
	Oid			type;

	if (get_func_result_type(function, &type, &desc) != TYPEFUNC_COMPOSITE)
		return NULL;
	return desc;
}

/* Do the arguments have a place for the source partition? */
static inline bool
takes_partition(const Oid *args, int nargs)
{
	return nargs > 1 && args[1] == JSONBOID;
}

static char *
refuse(HeapTuple tuple, char **hint)
{
	Form_pg_proc proc = (Form_pg_proc) GETSTRUCT(tuple);
	const Oid  *args = proc->proargtypes.values;
	int			nargs = proc->pronargs;
	int			nobjects = 0;
	TupleDesc	desc;

	while (nobjects < nargs && nobjects < 2 && args[nobjects] == JSONBOID)
		nobjects++;
	if (nobjects == 0 || nobjects < nargs - 1 ||
		(nobjects == nargs - 1 && args[nobjects] != INT4OID))
	{
		*hint = "Declare it like f(last_offset jsonb), f(last_offset jsonb, max_rows integer) or f(source_partition jsonb, last_offset jsonb, max_rows integer).";
		return "has other arguments than a source does";
	}
	if (!proc->proretset)
		return "does not return a set";
	if (proc->proisstrict)
	{
		*hint = "Declare it CALLED ON NULL INPUT: the first offset is null.";
		return "is strict, and would never be called";
	}
	desc = result_of(proc->oid);
	if (desc == NULL)
		return "does not return the columns \"value\" and \"offset\"";
	return connect_function_rows_refuse(desc, hint);
}

static char *
refuse_partitioned(HeapTuple tuple, char **hint)
{
	Form_pg_proc proc = (Form_pg_proc) GETSTRUCT(tuple);
	char	   *reason = refuse(tuple, hint);

	if (reason != NULL ||
		takes_partition(proc->proargtypes.values, proc->pronargs))
		return reason;
	*hint = "Declare it like f(source_partition jsonb, last_offset jsonb), or set no \"partitions\".";
	return "has no argument for the source partition";
}

static const FunctionUse *
use_of(bool partitioned)
{
#define EXAMPLE "f(last_offset jsonb) RETURNS TABLE (value jsonb, \"offset\" jsonb)"
	static const FunctionUse single = {"function.name", EXAMPLE, refuse};
	static const FunctionUse several = {"function.name", EXAMPLE, refuse_partitioned};

	return partitioned ? &several : &single;
}

static void
source_validate(const ConnectConfig *cfg, ConnectConfigErrors *errors)
{
	const char *topic = connect_config_get(cfg, "topic");
	bool		partitioned = connect_function_is_partitioned(cfg);
	FunctionRef ref;
	int			n = 0;

	if (connect_function_check(cfg, use_of(partitioned), &ref, errors) &&
		(topic == NULL || topic[0] == '\0') &&
		!connect_function_rows_have(result_of(ref.oid), FUNCTION_COLUMN_TOPIC))
		connect_config_error_add(errors, "topic",
								 "Missing configuration topic: the function returns no column \"topic\"");
	(void) connect_function_check(cfg, &connect_function_partitions_use, &ref,
								  errors);
	(void) connect_config_list(cfg, &def, "partitions", &n);
	if (n > 0 && connect_config_get(cfg, "partitions.function") != NULL)
		connect_config_error_add(errors, "partitions.function",
								 "Only one of partitions and partitions.function can be set");
}

static List *
source_task_configs(const ConnectConfig *cfg, int max_tasks)
{
	List	   *partitions;
	List	   *tasks = NIL;
	int			n;
	int			ntasks;

	if (!connect_function_is_partitioned(cfg))
		return list_make1(connect_config_copy(cfg));
	partitions = connect_function_partitions(cfg);
	n = list_length(partitions);
	/* One looks for partitions, even while there are none. */
	ntasks = Max(1, Min(n, max_tasks));
	for (int i = 0; i < ntasks; i++)
	{
		ConnectConfig *task = connect_config_copy(cfg);
		StringInfoData list;

		initStringInfo(&list);
		appendStringInfoChar(&list, '[');
		for (int k = n * i / ntasks; k < n * (i + 1) / ntasks; k++)
			appendStringInfo(&list, "%s%s", list.len > 1 ? ", " : "",
							 (char *) list_nth(partitions, k));
		appendStringInfoChar(&list, ']');
		connect_config_set(task, TASK_PARTITIONS, list.data);
		if (i == 0)
			connect_config_set(task, PARTITIONS_DIGEST,
							   connect_digest(partitions));
		tasks = lappend(tasks, task);
	}
	return tasks;
}

/* ---- start ---- */

static void
read_partitions(FunctionSource *source, const char *list)
{
	Jsonb	   *array = DatumGetJsonbP(DirectFunctionCall1(jsonb_in,
														   CStringGetDatum(list)));
	int			n = JsonContainerSize(&array->root);

	source->partitions = palloc0(Max(n, 1) * sizeof(Partition));
	for (int i = 0; i < n; i++)
	{
		JsonbValue *v = getIthJsonbValueFromContainer(&array->root, i);

		(void) add_partition(source,
							 JsonbToCString(NULL, v->val.binary.data, 0));
	}
}

static void
source_start(ConnectTask *task)
{
	FunctionSource *source = palloc0(sizeof(FunctionSource));
	const ConnectConfig *cfg = task->config;
	const char *list = connect_config_get(cfg, TASK_PARTITIONS);

	source->task = task;
	source->name = connect_config_string(cfg, &def, "function.name");
	source->topic = connect_config_string(cfg, &def, "topic");
	source->poll_ms = connect_config_int(cfg, &def, "poll.interval.ms");
	source->max_rows = (int) connect_config_int(cfg, &def, "batch.max.rows");
	source->plain = connect_worker_plain_values(cfg);
	source->partitioned = list != NULL;
	source->watch_ms = connect_config_int(cfg, &def,
										  "partitions.poll.interval.ms");
	if (connect_config_get(cfg, "partitions.function") != NULL)
		source->digest = connect_config_get(cfg, PARTITIONS_DIGEST);
	source->context = AllocSetContextCreate(CurrentMemoryContext,
											"Connect function",
											ALLOCSET_SMALL_SIZES);
	source->row_context = AllocSetContextCreate(CurrentMemoryContext,
												"Connect row",
												ALLOCSET_DEFAULT_SIZES);
	task->state = source;

	/* A function that is not there is told now. */
	connect_task_begin(task);
	find_function(source);
	MemoryContextSwitchTo(task->context);
	if (list != NULL)
		read_partitions(source, list);
	else
	{
		StringInfoData name;

		initStringInfo(&name);
		appendStringInfoString(&name, "{\"function\": ");
		escape_json(&name, source->ref.call);
		appendStringInfoChar(&name, '}');
		source->partitions = palloc0(sizeof(Partition));
		add_partition(source, name.data)->name = NULL;
	}
	connect_task_commit(task);
	MemoryContextSwitchTo(task->context);
}

static Partition *
add_partition(FunctionSource *source, const char *name)
{
	Partition  *partition = &source->partitions[source->npartitions++];
	const char *offset = connect_task_source_offset(source->task, name);

	partition->name = pstrdup(name);
	partition->index = connect_task_source_partition(source->task, name);
	if (offset != NULL)
	{
		push_offset(source, partition,
					DatumGetJsonbP(DirectFunctionCall1(jsonb_in,
													   CStringGetDatum(offset))));
		partition->done = partition->last->number;
	}
	return partition;
}

static void
forget(FunctionSource *source)
{
	if (source->plan != NULL)
		SPI_freeplan(source->plan);
	source->plan = NULL;
	MemoryContextReset(source->context);
}

static void
source_stop(ConnectTask *task)
{
	FunctionSource *source = task->state;

	drop_rows(source);
	forget(source);
}

/* ---- asking ---- */

/* Finds and locks the function, and makes the statement that calls it. */
static void
find_function(FunctionSource *source)
{
	FunctionRef ref;
	StringInfoData sql;
	SPIPlanPtr	plan;

	connect_function_open(source->task, source->name,
						  use_of(source->partitioned), &ref);
	if (source->plan != NULL && connect_function_same(&source->ref, &ref))
		return;

	forget(source);
	initStringInfo(&sql);
	appendStringInfo(&sql, "SELECT * FROM %s(", ref.call);
	for (int i = 0; i < ref.nargs; i++)
		appendStringInfo(&sql, "%s$%d", i > 0 ? ", " : "", i + 1);
	appendStringInfoChar(&sql, ')');
	SPI_connect();
	plan = SPI_prepare(sql.data, ref.nargs, ref.args);
	if (plan == NULL)
		elog(ERROR, "could not prepare the call of %s: %s", ref.signature,
			 SPI_result_code_string(SPI_result));
	SPI_keepplan(plan);
	source->plan = plan;
	SPI_finish();
	source->ref = ref;
	source->ref.call = MemoryContextStrdup(source->context, ref.call);
	source->ref.signature = MemoryContextStrdup(source->context, ref.signature);
}

static ConnectPollResult
source_poll(ConnectTask *task)
{
	FunctionSource *source = task->state;
	TimestampTz now = GetCurrentTimestamp();
	TimestampTz due = source->digest != NULL ? source->watch_due : DT_NOEND;

	/* A call that failed left rows behind. */
	if (source->store != NULL && !source->committed)
		drop_rows(source);
	if (source->store != NULL)
	{
		if (send_rows(source))
			end_rows(source);
		return CONNECT_POLL_AGAIN;
	}
	if (source->digest != NULL && now >= source->watch_due)
		watch_partitions(source);
	for (int i = 0; i < source->npartitions; i++)
	{
		int			k = (source->next + i) % source->npartitions;
		Partition  *partition = &source->partitions[k];

		if (partition->due <= now)
		{
			source->next = k + 1;
			ask(source, partition);
			return CONNECT_POLL_AGAIN;
		}
		due = Min(due, partition->due);
	}
	task->wait_ms = due == DT_NOEND ? -1 :
		Max(1, TimestampDifferenceMilliseconds(now, due));
	return CONNECT_POLL_WAIT;
}

/* Makes the plan of rows anew if they have another shape than before. */
static void
use_shape(FunctionSource *source, TupleDesc desc)
{
	MemoryContext old;
	char	   *hint;

	if (source->rows != NULL &&
		equalTupleDescs(connect_function_rows_desc(source->rows), desc))
		return;
	/* Its columns were checked; those of a table's type may change meanwhile. */
	if (connect_function_rows_refuse(desc, &hint) != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("function %s was changed while it was called",
						source->ref.signature)));
	/* The old one stays: converters know its schemas by their address. */
	old = MemoryContextSwitchTo(source->task->context);
	source->rows = connect_function_rows_make(desc, source->topic,
											  source->plain);
	if (source->slot != NULL)
		ExecDropSingleTupleTableSlot(source->slot);
	source->slot =
		MakeSingleTupleTableSlot(connect_function_rows_desc(source->rows),
								 &TTSOpsMinimalTuple);
	MemoryContextSwitchTo(old);
}

static void
ask(FunctionSource *source, Partition *partition)
{
	ConnectTask *task = source->task;
	ErrorContextCallback callback = {error_context_stack, context_callback, source};
	Datum		values[FUNCTION_MAX_ARGS] = {0};
	char		nulls[FUNCTION_MAX_ARGS + 1] = "   ";
	int			n = 0;
	Portal		portal;
	DestReceiver *dest;
	MemoryContext old;

	connect_task_begin(task);
	error_context_stack = &callback;
	find_function(source);
	if (takes_partition(source->ref.args, source->ref.nargs))
	{
		if (partition->name == NULL)
			nulls[n++] = 'n';
		else
			values[n++] = DirectFunctionCall1(jsonb_in,
											  CStringGetDatum(partition->name));
	}
	if (partition->last == NULL)
		nulls[n++] = 'n';
	else
		values[n++] = JsonbPGetDatum(partition->last->object);
	values[n] = Int32GetDatum(source->max_rows);

	SPI_connect();
	portal = SPI_cursor_open(NULL, source->plan, values, nulls, false);
	if (portal == NULL)
		elog(ERROR, "could not call %s: %s", source->ref.signature,
			 SPI_result_code_string(SPI_result));
	use_shape(source, portal->tupDesc);
	old = MemoryContextSwitchTo(task->context);
	source->committed = false;
	source->store = tuplestore_begin_heap(false, true, work_mem);
	MemoryContextSwitchTo(old);
	dest = CreateDestReceiver(DestTuplestore);
	SetTuplestoreDestReceiverParams(dest, source->store, task->context, true,
									NULL, NULL);
	source->nrows = PortalRunFetch(portal, FETCH_FORWARD, FETCH_ALL, dest);
	dest->rDestroy(dest);
	SPI_cursor_close(portal);
	SPI_finish();
	error_context_stack = callback.previous;
	connect_task_commit(task);
	source->committed = true;
	source->asked = partition;
	source->last_number = partition->last ? partition->last->number : 0;

	/* What it wrote, and what it read of others. */
	connect_wal_settle();
}

/* ---- sending ---- */

static bool
same_offset(const Jsonb *a, const Jsonb *b)
{
	return VARSIZE(a) == VARSIZE(b) && memcmp(a, b, VARSIZE(a)) == 0;
}

static void
send_row(FunctionSource *source)
{
	Partition  *partition = source->asked;
	ConnectRecord record;
	Jsonb	   *offset;

	slot_getallattrs(source->slot);
	connect_function_rows_record(source->rows, source->slot->tts_values,
								 source->slot->tts_isnull, &record, &offset);
	if (offset != NULL && (partition->last == NULL ||
						   !same_offset(offset, partition->last->object)))
	{
		partition->done = partition->last ? partition->last->number : 0;
		push_offset(source, partition, offset);
	}
	record.position.partition = partition->done > 0 ? partition->index : -1;
	record.position.a = partition->done;
	connect_task_emit(source->task, &record);
}

/*
 * In a transaction, because values may need catalogs.  False if there is no
 * more room.  A row that met an error that passes is sent when it has.
 */
static bool
send_rows(FunctionSource *source)
{
	ConnectTask *task = source->task;
	ErrorContextCallback callback = {error_context_stack, context_callback, source};
	bool		more = true;

	connect_task_begin(task);
	error_context_stack = &callback;
	while (task->room > 0)
	{
		/* the slot owns its copy of the row */
		MemoryContextSwitchTo(task->context);
		if (!source->has_row &&
			!tuplestore_gettupleslot(source->store, true, true, source->slot))
		{
			more = false;
			break;
		}
		source->has_row = true;
		MemoryContextSwitchTo(source->row_context);
		send_row(source);
		MemoryContextReset(source->row_context);
		source->has_row = false;
	}
	MemoryContextSwitchTo(task->batch_context);
	error_context_stack = callback.previous;
	connect_task_commit(task);
	return !more;
}

/* All rows of a call are sent. */
static void
end_rows(FunctionSource *source)
{
	Partition  *partition = source->asked;
	bool		moved = partition->last != NULL &&
		partition->last->number != source->last_number;

	if (moved)
	{
		ConnectPosition position = {
			.partition = partition->index,
			.a = partition->last->number
		};

		partition->done = partition->last->number;
		connect_task_skip(source->task, &position);
	}
	partition->due = 0;
	if (!moved || source->nrows < source->max_rows)
		partition->due = TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
													 source->poll_ms);
	drop_rows(source);
}

static void
drop_rows(FunctionSource *source)
{
	if (source->slot != NULL)
		ExecClearTuple(source->slot);
	source->has_row = false;
	if (source->store != NULL)
		tuplestore_end(source->store);
	source->store = NULL;
}

/* ---- offsets ---- */

static void
push_offset(FunctionSource *source, Partition *partition, const Jsonb *object)
{
	MemoryContext old = MemoryContextSwitchTo(source->task->context);
	SentOffset *offset = palloc0(sizeof(SentOffset));

	offset->number = partition->last ? partition->last->number + 1 : 1;
	offset->object = palloc(VARSIZE(object));
	memcpy(offset->object, object, VARSIZE(object));
	if (partition->last != NULL)
		partition->last->next = offset;
	else
		partition->first = offset;
	partition->last = offset;
	MemoryContextSwitchTo(old);
}

/* What lies before is never stored again. */
static void
source_format_offset(ConnectTask *task, const ConnectPosition *position,
					 StringInfo out)
{
	FunctionSource *source = task->state;
	Partition  *partition = source->partitions;

	while (partition->index != position->partition)
		partition++;
	while (partition->first->number < position->a)
	{
		SentOffset *offset = partition->first;

		partition->first = offset->next;
		pfree(offset->object);
		pfree(offset);
	}
	(void) JsonbToCString(out, &partition->first->object->root, 0);
}

/* ---- partitions ---- */

/* The first task looks whether there are others. */
static void
watch_partitions(FunctionSource *source)
{
	ConnectTask *task = source->task;
	List	   *partitions;

	source->watch_due = TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
													source->watch_ms);
	connect_task_begin(task);
	partitions = connect_function_partitions(task->config);
	if (strcmp(connect_digest(partitions), source->digest) != 0)
		connect_task_reconfigure(task);
	connect_task_commit(task);
}

static void
context_callback(void *arg)
{
	FunctionSource *source = arg;

	if (source->ref.signature != NULL)
		errcontext("function %s", source->ref.signature);
}

const ConnectConnectorClass connect_function_source = {
	.abi = CONNECT_CONNECTOR_ABI,
	.class_name = "FunctionSource",
	.type = CONNECT_SOURCE,
	.version = CONNECT_VERSION,
	.doc = "Rows that a function of this database returns for an offset, into topics.",
	.config = {keys, lengthof(keys)},
	.validate = source_validate,
	.task_configs = source_task_configs,
	.start = source_start,
	.poll = source_poll,
	.format_offset = source_format_offset,
	.stop = source_stop
};
