/*
 * sink.c
 *	  JdbcSink: topics into tables of this database.
 *
 * NOTES
 *	  Task process.  put() runs in the transaction that advances the sink's
 *	  offsets: rows and position commit together or not at all.
 *
 *	  Order within put(): first every record's shape, with whatever DDL that
 *	  takes and no lock held; then the tables are locked; then, slice by slice,
 *	  records become rows and rows are written, each slice in a subtransaction.
 *	  If a record cannot be converted, its slice is converted again one by one.
 */
#include "postgres.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/memutils.h"

#include "jdbcsink/jdbcsink.h"
#include "jdbcsource/jdbcsource.h"
#include "runtime/attempt.h"

/*
 * Rows at hand at a time: few enough to stay in a core's cache, enough for what
 * a slice costs by itself not to matter.  With a key more: sorted, they walk
 * its index once.
 */
#define SLICE 1000
#define KEYED_SLICE 10000
#define AHEAD 4					/* values fetched from memory ahead of use */

/* Arguments of convert(), and what it returns; -1 = it has not. */
typedef struct Conversion
{
	JdbcSink   *sink;
	JdbcEvent  *events;
	int			n;
	JdbcRow    *rows;
	int			nrows;
} Conversion;
#define SLICE_MEMORY (1024 * 1024)

static void reach_url(JdbcSink *sink);
static void put_batch(JdbcSink *sink, ConnectRecord *records, int n);
static void find_shapes(JdbcSink *sink, JdbcEvent *events, int n);
static void refuse_at(JdbcSink *sink, JdbcEvent *event);
static bool lock_targets(JdbcSink *sink, const JdbcEvent *events, int n);
static void convert_and_write(JdbcSink *sink, JdbcEvent *events, int n);
static int	convert_singly(JdbcSink *sink, JdbcEvent *events, int n,
						   JdbcRow *rows);
static void convert_and_apply(void *arg);
static void convert_all(void *arg);
static int	convert(JdbcSink *sink, JdbcEvent *events, int n, JdbcRow *rows);
static void context_callback(void *arg);

/* Kept targets go with the sink's memory. */
static void
forget_targets(void *arg)
{
	connect_jdbcsink_targets_forget();
}

void
connect_jdbcsink_start(ConnectTask *task, JdbcFlavour flavour)
{
	JdbcSink   *sink = palloc0(sizeof(JdbcSink));

	sink->task = task;
	sink->context = CurrentMemoryContext;
	sink->forget.func = forget_targets;
	MemoryContextRegisterResetCallback(sink->context, &sink->forget);
	connect_jdbcsink_options(task->config, flavour, &sink->options);
	sink->plain_json = flavour != JDBC_DEBEZIUM &&
		connect_json_converter_is_plain(connect_task_value_converter(task));
	if (sink->options.insert_mode != JDBC_INSERT &&
		sink->options.key_mode == JDBC_KEY_NONE)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_ATTRIBUTE_VALUE),
				 errmsg("Write to table '\"%s\"' in %s mode requires key field names to be known, check the primary key configuration",
						sink->options.table_format ?
						sink->options.table_format : "${topic}",
						sink->options.insert_mode == JDBC_UPSERT ? "UPSERT" : "UPDATE"),
				 errhint("Set pk.mode (primary.key.mode of Debezium's connector).")));
	sink->slice_context = AllocSetContextCreate(CurrentMemoryContext,
												"Connect sink slice",
												0, SLICE_MEMORY,
												8 * SLICE_MEMORY);
	task->state = sink;
	reach_url(sink);
}

/* A connection URL must be this very database; rows are its user's then. */
static void
reach_url(JdbcSink *sink)
{
	ConnectTask *task = sink->task;
	const ConnectConfig *cfg = task->config;
	ConnectJdbcSettings settings = {0};
	ConnectJdbcReach reach;
	ConnectJdbcLogin login;
	char	   *message = NULL;

	settings.url = connect_config_get(cfg, "connection.url");
	settings.user = connect_config_get(cfg, sink->options.flavour == JDBC_DEBEZIUM ?
									   "connection.username" : "connection.user");
	settings.password = connect_config_get(cfg, "connection.password");
	if (settings.url == NULL)
		return;
	reach = connect_jdbc_reach(&settings, connect_jdbc_owner(task), &login, &message);
	if (reach == CONNECT_JDBC_NATIVE)
	{
		connect_task_begin(task);
		sink->role = connect_jdbc_role(login.role, task->owner, &message);
		connect_task_commit(task);
		MemoryContextSwitchTo(task->context);
		if (!OidIsValid(sink->role))
			reach = CONNECT_JDBC_REFUSED;
		if (sink->role == task->owner)
			sink->role = InvalidOid;
	}
	if (reach != CONNECT_JDBC_NATIVE)
		ereport(ERROR,
				(errcode(reach == CONNECT_JDBC_FAILED ?
						 ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION :
						 ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("%s", message),
				 errhint("Leave connection.url out to write to this database as the connector's owner.")));
}

/* schema.evolution=validate-only: the tables of the topics must be there. */
void
connect_jdbcsink_open(ConnectTask *task, const ConnectTopicPartition *parts,
					  int n)
{
	JdbcSink   *sink = task->state;

	if (!sink->options.must_exist)
		return;
	connect_task_begin(task);
	for (int i = 0; i < n; i++)
	{
		ConnectRecord record = {.topic = parts[i].topic};
		JdbcEvent	event = {.record = &record, .op = JDBC_OP_WRITE};
		ConnectError err = {0};

		if (!connect_jdbcsink_find_target(sink, &event, &err) ||
			event.target == NULL)
			continue;
		connect_jdbcsink_target_refresh(sink, event.target);
		if (!OidIsValid(event.target->relid))
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_TABLE),
					 errmsg("table \"%s\" of topic \"%s\" does not exist",
							event.target->name, parts[i].topic)));
	}
	connect_task_commit(task);
}

void
connect_jdbcsink_stop(ConnectTask *task)
{
	connect_jdbcsink_targets_forget();
}

/*
 * An error that may pass is tried again by the runtime; after max.retries such
 * errors in a row it becomes one that does not.
 */
void
connect_jdbcsink_put(ConnectTask *task, ConnectRecord *records, int n)
{
	JdbcSink   *sink = task->state;

	PG_TRY();
	{
		put_batch(sink, records, n);
		sink->retries = 0;
	}
	PG_CATCH();
	{
		ErrorData  *edata;

		MemoryContextSwitchTo(task->batch_context);
		edata = CopyErrorData();
		if (connect_jdbcsink_fault(edata->sqlerrcode) != JDBC_FAULT_RETRY)
			PG_RE_THROW();
		FlushErrorState();
		if (sink->retries++ >= sink->options.max_retries)
		{
			edata->hint = psprintf("Tried %d times; max.retries is %d.",
								   sink->retries, sink->options.max_retries);
			edata->sqlerrcode = ERRCODE_EXTERNAL_ROUTINE_EXCEPTION;
		}
		else
			task->retry_ms = sink->options.retry_backoff_ms;
		ReThrowError(edata);
	}
	PG_END_TRY();
}

/* Kept from batch to batch, as the runtime keeps the records. */
static JdbcEvent *
events_of_batch(JdbcSink *sink, int n)
{
	if (n > sink->max_events)
	{
		if (sink->events != NULL)
			pfree(sink->events);
		sink->events = NULL;
		sink->max_events = 0;
		sink->events = MemoryContextAllocHuge(sink->context,
											  Max(n, SLICE) * sizeof(JdbcEvent));
		sink->max_events = Max(n, SLICE);
	}
	return sink->events;
}

static void
put_batch(JdbcSink *sink, ConnectRecord *records, int n)
{
	JdbcEvent  *events = events_of_batch(sink, n);
	ErrorContextCallback callback;
	int			slice = sink->options.insert_mode == JDBC_INSERT ? SLICE :
		KEYED_SLICE;
	Oid			user;
	int			security;

	if (OidIsValid(sink->role))
	{
		GetUserIdAndSecContext(&user, &security);
		SetUserIdAndSecContext(sink->role,
							   security | SECURITY_LOCAL_USERID_CHANGE);
	}
	/* Rows and position are lost together: nothing has to wait for the disk. */
	if (!sink->options.synchronous_commit &&
		synchronous_commit > SYNCHRONOUS_COMMIT_OFF)
		(void) set_config_option("synchronous_commit", "off", PGC_USERSET,
								 PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0,
								 false);
	if (sink->options.lock_timeout_ms > 0)
		(void) set_config_option("lock_timeout",
								 psprintf("%d", sink->options.lock_timeout_ms),
								 PGC_USERSET, PGC_S_SESSION, GUC_ACTION_LOCAL,
								 true, 0, false);
	callback.callback = context_callback;
	callback.arg = sink;
	callback.previous = error_context_stack;
	error_context_stack = &callback;
	sink->current_record = NULL;
	sink->current_field = NULL;

	for (int i = 0; i < n; i++)
	{
		sink->current_record = &records[i];
		if (!connect_jdbcsink_event(sink, &records[i], &events[i],
									&events[i].error))
			refuse_at(sink, &events[i]);
	}
	connect_jdbcsink_targets_trim(sink);
	do
	{
		/* Shapes found before a table was read again are gone. */
		do
		{
			sink->tables_changed = false;
			sink->last_shape = NULL;
			find_shapes(sink, events, n);
		} while (sink->tables_changed);
		sink->current_record = NULL;
	} while (!lock_targets(sink, events, n));
	MemoryContextSwitchTo(sink->slice_context);
	for (int i = 0; i < n; i += slice)
	{
		convert_and_write(sink, events + i, Min(n - i, slice));
		MemoryContextReset(sink->slice_context);
	}
	MemoryContextSwitchTo(sink->task->batch_context);
	if (OidIsValid(sink->role))
		SetUserIdAndSecContext(user, security);

	sink->current_record = NULL;
	for (int i = 0; i < n; i++)
	{
		if (events[i].refused)
			connect_task_report(sink->task, events[i].record, &events[i].error);
	}
	error_context_stack = callback.previous;
}

/* The record cannot be stored; reported when the others have been. */
void
connect_jdbcsink_refuse(JdbcSink *sink, JdbcEvent *event)
{
	event->error.message = MemoryContextStrdup(sink->task->batch_context,
											   event->error.message);
	event->op = JDBC_OP_SKIP;
	event->refused = true;
}

/* The same, of an error that does not say yet which record it is about. */
static void
refuse_at(JdbcSink *sink, JdbcEvent *event)
{
	connect_jdbcsink_place_error(event->record, &event->error);
	connect_jdbcsink_refuse(sink, event);
}

/* Writes first: they make the tables that deletes look for. */
static void
find_shapes(JdbcSink *sink, JdbcEvent *events, int n)
{
	bool		has_deletes = false;

	for (int pass = 0; pass < 1 + has_deletes; pass++)
	{
		for (int i = 0; i < n; i++)
		{
			JdbcEvent  *event = &events[i];

			if (event->op == JDBC_OP_SKIP)
				continue;
			if ((event->op == JDBC_OP_DELETE) != (pass == 1))
			{
				has_deletes = true;
				continue;
			}
			sink->current_record = event->record;
			if (event->op == JDBC_OP_TRUNCATE)
			{
				connect_jdbcsink_target_refresh(sink, event->target);
				if (!OidIsValid(event->target->relid))
					event->op = JDBC_OP_SKIP;
			}
			else if (!connect_jdbcsink_shape(sink, event, &event->error))
				refuse_at(sink, event);
		}
	}
}

static bool
lock_targets(JdbcSink *sink, const JdbcEvent *events, int n)
{
	JdbcTarget *last = NULL;
	bool		current = true;

	for (int i = 0; i < n; i++)
	{
		if (events[i].op == JDBC_OP_SKIP || events[i].target == last)
			continue;
		last = events[i].target;
		current &= connect_jdbcsink_target_lock(sink, last);
	}
	return current;
}

static void
convert_and_write(JdbcSink *sink, JdbcEvent *events, int n)
{
	JdbcRow    *rows = palloc(n * sizeof(JdbcRow));
	Conversion	conversion = {sink, events, n, rows, -1};
	ErrorData  *edata;

	edata = connect_attempt(convert_and_apply, &conversion,
							CurrentMemoryContext);
	if (edata == NULL)
	{
		/* the WAL writer shall write meanwhile: less is left for the commit */
		XLogSetAsyncXactLSN(XactLastRecEnd);
		return;
	}
	if ((conversion.nrows >= 0 ? connect_jdbcsink_fault(edata->sqlerrcode) :
		 connect_jdbcsink_value_fault(edata->sqlerrcode)) != JDBC_FAULT_RECORD)
		ReThrowError(edata);
	if (conversion.nrows >= 0)
		connect_jdbcsink_isolate(sink, rows, conversion.nrows, true, edata);
	else
		connect_jdbcsink_write(sink, rows,
							   convert_singly(sink, events, n, rows), true);
}

/* For connect_attempt(), as the next. */
static void
convert_and_apply(void *arg)
{
	Conversion *conversion = arg;

	convert_all(conversion);
	connect_jdbcsink_apply(conversion->sink, conversion->rows,
						   conversion->nrows, true);
}

static void
convert_all(void *arg)
{
	Conversion *conversion = arg;

	conversion->nrows = convert(conversion->sink, conversion->events,
								conversion->n, conversion->rows);
}

static int
convert(JdbcSink *sink, JdbcEvent *events, int n, JdbcRow *rows)
{
	int			nrows = 0;

	for (int i = 0; i < n; i++)
	{
		JdbcEvent  *event = &events[i];

		/* another thread has put it there: it is in no near cache */
		if (event->raw && i + AHEAD < n)
			for (int j = 0; j < 256; j += 64)
				__builtin_prefetch((const char *)
								   events[i + AHEAD].record->raw_value.data + j);
		if (event->op == JDBC_OP_TRUNCATE)
		{
			rows[nrows] = (JdbcRow) {
				.event = event, .target = event->target, .op = event->op
			};
			nrows++;
		}
		else if (event->op != JDBC_OP_SKIP)
		{
			if (connect_jdbcsink_row(sink, event, &rows[nrows], &event->error))
				nrows++;
			else
				refuse_at(sink, event);
		}
	}
	return nrows;
}

/* Each record in its own subtransaction: those that raise are reported. */
static int
convert_singly(JdbcSink *sink, JdbcEvent *events, int n, JdbcRow *rows)
{
	int			nrows = 0;

	for (int i = 0; i < n; i++)
	{
		Conversion	conversion = {sink, &events[i], 1, &rows[nrows], 0};
		ErrorData  *edata;

		CHECK_FOR_INTERRUPTS();
		edata = connect_attempt(convert_all, &conversion,
								CurrentMemoryContext);
		if (edata == NULL)
		{
			nrows += conversion.nrows;
			continue;
		}
		if (connect_jdbcsink_value_fault(edata->sqlerrcode) != JDBC_FAULT_RECORD)
			ReThrowError(edata);
		connect_jdbcsink_error_of(edata, events[i].record, sink->current_field,
								  &events[i].error);
		connect_jdbcsink_refuse(sink, &events[i]);
		FreeErrorData(edata);
	}
	return nrows;
}

static void
context_callback(void *arg)
{
	JdbcSink   *sink = arg;

	if (sink->current_record == NULL)
		return;
	if (sink->current_field != NULL)
		errcontext("field \"%s\" of record %s-%d@" INT64_FORMAT,
				   sink->current_field, sink->current_record->topic,
				   sink->current_record->partition,
				   sink->current_record->offset);
	else
		errcontext("record %s-%d@" INT64_FORMAT,
				   sink->current_record->topic,
				   sink->current_record->partition,
				   sink->current_record->offset);
}
