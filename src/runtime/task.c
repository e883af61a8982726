/*
 * task.c
 *	  The process of a task: its states, its waiting, its errors.
 *
 * NOTES
 *	  The state machine is step(); what the states are for is in task.h:
 *
 *		STARTING -> RUNNING <-> PAUSED
 *		any of these -> STOPPING -> DONE	asked to leave, or SIGTERM
 *		any of these -> FAILED -> DONE		an error that will not pass
 *		any of these -> STARTING			the Kafka client is broken, or the
 *											fence was lost: begin anew from
 *											the stored offsets
 *
 *	  Errors.  One step runs under one PG_TRY.  What it raises aborts the
 *	  transaction, if there is one.  SQLSTATE classes that may pass have the same
 *	  step run again after a pause: the connector's poll, or the batch that is
 *	  held.  Anything else fails the task; its trace is saved in a transaction of
 *	  its own.
 *
 *	  SIGTERM asks the task to end in order; a running transaction is cancelled,
 *	  so that no lock is waited for.  User code may swallow the cancellation:
 *	  a process that has not begun to stop DEAF_MS later ends where it is, by
 *	  a FATAL error.  One that has begun ends when
 *	  connect.task_shutdown_graceful_timeout is over: a timer sees to that.
 */
#include "postgres.h"

#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "access/xact.h"
#include "catalog/pg_authid.h"
#include "libpq/pqsignal.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/proc.h"
#include "tcop/tcopprot.h"
#include "utils/acl.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timeout.h"
#include "utils/timestamp.h"

#include "catalog/catalog.h"
#include "catalog/framework.h"
#include "catalog/resolve.h"
#include "compat.h"
#include "runtime/mask.h"
#include "runtime/sink.h"
#include "runtime/source.h"
#include "runtime/task.h"
#include "runtime/topics.h"
#include "runtime/worker.h"
#include "runtime/xact.h"

#define FLUSH_INTERVAL_MS 1000
#define BACKOFF_MIN_MS 300		/* doubled with each failure in a row */
#define BACKOFF_MAX_MS 10000
#define SAVE_COUNTERS_MS 60000
#define LAST_WORDS_MS 1000		/* of grace for the timer */
#define HURRY_MS 500			/* for a stop that somebody waits for */
#define DEAF_MS 1000			/* from SIGTERM to the begin of the stop */
#define PROBE_MS 5000			/* how often a broker that is away is asked */
#define PROBE_WAIT_MS 100		/* and how long its answer is waited for */

static ConnectTaskRun *my_run = NULL;	/* of this process */
static volatile sig_atomic_t asked_to_end = false;	/* SIGTERM came */
static volatile sig_atomic_t is_stopping = false;	/* a timer runs for that */
static timer_t deaf_timer;		/* since SIGTERM, until is_stopping */
static bool leaves_threads = false;

static void handle_sigterm(SIGNAL_ARGS);
static void handle_deafness(SIGNAL_ARGS);
static void handle_timer(void);
static void close_at_exit(int code, Datum arg);
static void leave_without_handlers(int code, Datum arg);
static void step(ConnectTaskRun *run);
static void begin_stopping(ConnectTaskRun *run);
static void start(ConnectTaskRun *run);
static void read_configuration(ConnectTaskRun *run);
static ConnectConverter *make_converter(ConnectTaskRun *run, const char *key,
										ConnectConverterRole role);
static void turn(ConnectTaskRun *run);
static void finish(ConnectTaskRun *run);
static void fail(ConnectTaskRun *run);
static void close_all(ConnectTaskRun *run);
static void save_counters(ConnectTaskRun *run);
static void handle_error(ConnectTaskRun *run, ErrorData *edata);
static void add_context(void *arg);
static int	collect_fds(ConnectTaskRun *run, ConnectTaskFd *fds, bool all);
static void wait_for_fds(ConnectTaskRun *run, const ConnectTaskFd *fds,
						 int nfds, long timeout);
static void show_broker(ConnectTaskRun *run);
static void show_waiting(ConnectTaskRun *run);
static const ConnectConfigDef *def_of(const ConnectTaskRun *run,
									  const char *key);

void
connect_task_main(ConnectSlot *slot)
{
	ConnectTaskRun *run = palloc0(sizeof(ConnectTaskRun));
	ErrorContextCallback callback;
	struct sigevent at_deafness = {
		.sigev_notify = SIGEV_SIGNAL,.sigev_signo = SIGUSR2
	};
	int64		counters[CONNECT_NCOUNTERS];

	my_run = run;
	run->context = CurrentMemoryContext;
	run->slot = slot;
	run->task.connector = pstrdup(slot->connector);
	run->task.connector_id = slot->connector_id;
	run->task.id = slot->task;
	run->task.owner = slot->owner;
	run->task.wait_socket = PGINVALID_SOCKET;
	run->task.retry_ms = -1;
	run->task.context = AllocSetContextCreate(run->context, "Connect task",
											  ALLOCSET_DEFAULT_SIZES);
	run->task.batch_context = AllocSetContextCreate(run->context,
													"Connect batch",
													ALLOCSET_DEFAULT_SIZES);
	if (timer_create(CLOCK_MONOTONIC, &at_deafness, &deaf_timer) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_SYSTEM_ERROR),
				 errmsg("could not create a timer: %m")));
	pqsignal(SIGUSR2, handle_deafness);
	pqsignal(SIGTERM, handle_sigterm);
	before_shmem_exit(close_at_exit, (Datum) 0);
	callback.callback = add_context;
	callback.arg = run;
	callback.previous = error_context_stack;
	error_context_stack = &callback;

	connect_xact_begin();
	connect_catalog_load_counters(run->task.connector_id, run->task.id,
								  counters, CONNECT_NCOUNTERS);
	connect_xact_commit();
	for (int i = 0; i < CONNECT_NCOUNTERS; i++)
		connect_my_slot_set(i, counters[i]);
	connect_my_slot_set(CONNECT_COUNT_LAG, -1);
	run->counters_at = GetCurrentTimestamp();

	while (run->phase != CONNECT_TASK_DONE)
	{
		PG_TRY();
		{
			MemoryContextSwitchTo(run->context);
			step(run);
		}
		PG_CATCH();
		{
			ErrorData  *edata;

			MemoryContextSwitchTo(run->context);
			edata = CopyErrorData();
			connect_mask_error(edata);
			HOLD_INTERRUPTS();
			FlushErrorState();
			connect_xact_abort();
			RESUME_INTERRUPTS();
			error_context_stack = &callback;
			MemoryContextSwitchTo(run->context);
			handle_error(run, edata);
			FreeErrorData(edata);
		}
		PG_END_TRY();
	}
	error_context_stack = callback.previous;
	close_all(run);
	if (asked_to_end)
	{
		ProcDiePending = true;
		InterruptPending = true;
		CHECK_FOR_INTERRUPTS();
	}
}

bool
connect_task_interrupted(ConnectTaskRun *run)
{
	ConnectState wanted;

	if (run->stop_by != 0)
		return GetCurrentTimestamp() >= run->stop_by;
	if (asked_to_end || !connect_my_slot_wanted(&wanted))
		return true;
	return wanted == CONNECT_PAUSED && run->phase != CONNECT_TASK_PAUSED;
}

void
connect_task_wait(ConnectTaskRun *run)
{
	ConnectTaskFd fds[CONNECT_TASK_NFDS];
	int			nfds = collect_fds(run, fds, false);

	wait_for_fds(run, fds, nfds, run->stop_by == 0 ? PROBE_MS :
				 connect_task_ms_until(run->stop_by));
}

void
connect_task_succeeded(ConnectTaskRun *run)
{
	if (run->attempts == 0)
		return;
	run->attempts = 0;
	run->retry_at = 0;
	run->errors.retry_until = 0;
	connect_task_waits_in_runtime(run, NULL);
}

void
connect_task_waits_in_runtime(ConnectTaskRun *run, const char *what)
{
	if (what == run->waits_runtime)
		return;					/* both NULL: the usual case */
	if (run->waits_runtime != NULL)
		pfree(run->waits_runtime);
	run->waits_runtime = what == NULL ? NULL :
		MemoryContextStrdup(run->context, what);
	show_waiting(run);
}

void
connect_task_leaves_threads(void)
{
	leaves_threads = true;
}

const char *
connect_task_option(const ConnectTaskRun *run, const char *key)
{
	return connect_config_string(run->config, def_of(run, key), key);
}

int64
connect_task_option_int(const ConnectTaskRun *run, const char *key)
{
	return connect_config_int(run->config, def_of(run, key), key);
}

bool
connect_task_option_bool(const ConnectTaskRun *run, const char *key)
{
	return connect_config_bool(run->config, def_of(run, key), key);
}

long
connect_task_ms_until(TimestampTz when)
{
	return when == DT_NOEND ? -1 :
		TimestampDifferenceMilliseconds(GetCurrentTimestamp(), when);
}

/* ---- services for connectors ---- */

void
connect_task_begin(ConnectTask *task)
{
	connect_xact_begin();
}

void
connect_task_commit(ConnectTask *task)
{
	connect_xact_commit();
	MemoryContextSwitchTo(task->batch_context);
}

ConnectConverter *
connect_task_value_converter(ConnectTask *task)
{
	return connect_task_run(task)->value_converter;
}

void
connect_task_waiting_for(ConnectTask *task, const char *what)
{
	ConnectTaskRun *run = connect_task_run(task);

	if (run->waits_connector != NULL)
		pfree(run->waits_connector);
	run->waits_connector = what == NULL ? NULL :
		MemoryContextStrdup(run->context, what);
	show_waiting(run);
}

void
connect_task_progress(ConnectTask *task, const char *what)
{
	connect_my_slot_set_progress(what);
}

void
connect_task_reconfigure(ConnectTask *task)
{
	connect_my_slot_reconfigure();
}

void
connect_task_fail_connector(ConnectTask *task, const char *reason)
{
	connect_my_slot_fail_connector(reason);
}

/* ---- the end of the process ---- */

/*
 * Cancels what is running and has the loop end in order.  More of them change
 * nothing: a timer ends the process where it is.  Of the timers only this kind
 * may be set in a signal handler.
 */
static void
handle_sigterm(SIGNAL_ARGS)
{
	int			save_errno = errno;

	if (!asked_to_end)
	{
		asked_to_end = true;
		if (!is_stopping)
		{
			struct itimerspec limit = {
				.it_value = {
					.tv_sec = DEAF_MS / 1000,.tv_nsec = DEAF_MS % 1000 * 1000000L
				}
			};

			(void) timer_settime(deaf_timer, 0, &limit, NULL);
			QueryCancelPending = true;
			InterruptPending = true;
		}
	}
	SetLatch(MyLatch);
	errno = save_errno;
}

/* SIGTERM came and was not heeded. */
static void
handle_deafness(SIGNAL_ARGS)
{
	int			save_errno = errno;

	if (!is_stopping)
		handle_timer();
	errno = save_errno;
}

static void
handle_timer(void)
{
	ProcDiePending = true;
	InterruptPending = true;
	SetLatch(MyLatch);
}

/* FATAL errors come by here too. */
static void
close_at_exit(int code, Datum arg)
{
	close_all(my_run);
	if (leaves_threads)
		on_proc_exit(leave_without_handlers, (Datum) 0);
}

static void
leave_without_handlers(int code, Datum arg)
{
	_exit(code);
}

/* ---- states ---- */

static void
step(ConnectTaskRun *run)
{
	ConnectState wanted = CONNECT_RUNNING;
	bool		leaves;

	/*
	 * Outside of transactions there is nothing to cancel.  SIGTERM is looked
	 * for after that: what comes later cancels what is done in this step.
	 */
	connect_worker_check();
	leaves = asked_to_end || !connect_my_slot_wanted(&wanted);
	switch (run->phase)
	{
		case CONNECT_TASK_STARTING:
			if (leaves)
				begin_stopping(run);
			else if (wanted == CONNECT_PAUSED)
				run->phase = CONNECT_TASK_PAUSED;
			else if (run->retry_at > GetCurrentTimestamp())
				wait_for_fds(run, NULL, 0,
							 connect_task_ms_until(run->retry_at));
			else
				start(run);
			break;

		case CONNECT_TASK_RUNNING:
			if (leaves)
				begin_stopping(run);
			else if (wanted == CONNECT_PAUSED)
			{
				run->phase = CONNECT_TASK_PAUSED;
				if (run->sink != NULL)
					connect_sink_store_offsets(run);
			}
			else
				turn(run);
			break;

		case CONNECT_TASK_PAUSED:
			if (leaves)
				begin_stopping(run);
			else if (wanted == CONNECT_RUNNING)
			{
				run->poll_soon = true;
				run->phase = run->started ? CONNECT_TASK_RUNNING :
					CONNECT_TASK_STARTING;
				if (run->started)
					connect_my_slot_set_state(CONNECT_RUNNING, NULL);
			}
			else
			{
				if (run->slot->state != CONNECT_PAUSED)
					connect_my_slot_set_state(CONNECT_PAUSED, NULL);
				turn(run);
			}
			break;

		case CONNECT_TASK_STOPPING:
			finish(run);
			break;

		case CONNECT_TASK_FAILED:
			fail(run);
			break;

		case CONNECT_TASK_DONE:
			break;
	}
}

/* From now on the process ends, with or without our doing. */
static void
begin_stopping(ConnectTaskRun *run)
{
	static TimeoutId timer = 0;
	int			timeout = connect_shutdown_timeout;

	if (connect_my_slot_hurries())
		timeout = Min(timeout, HURRY_MS);
	run->phase = CONNECT_TASK_STOPPING;
	run->stop_by = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), timeout);
	if (timer == 0)
		timer = RegisterTimeout(USER_TIMEOUT, handle_timer);
	enable_timeout_after(timer, timeout + LAST_WORDS_MS);
	/* From here on SIGTERM cancels nothing, nor does the last one. */
	is_stopping = true;
	connect_worker_check();
}

static void
start(ConnectTaskRun *run)
{
	const ConnectConnectorClass *cls;

	close_all(run);
	MemoryContextReset(run->task.context);
	MemoryContextReset(run->task.batch_context);
	MemoryContextSwitchTo(run->task.context);
	read_configuration(run);
	cls = run->task.cls;

	connect_topics_start(run);
	connect_errors_start(run);
	run->key_converter = make_converter(run, "key.converter",
										CONNECT_CONVERT_KEY);
	run->value_converter = make_converter(run, "value.converter",
										  CONNECT_CONVERT_VALUE);
	run->header_converter = make_converter(run, "header.converter",
										   CONNECT_CONVERT_HEADER);
	if (cls->type == CONNECT_SOURCE)
		connect_source_start(run);
	MemoryContextSwitchTo(run->task.context);
	if (cls->start != NULL)
		cls->start(&run->task);
	run->started = true;
	MemoryContextSwitchTo(run->task.context);
	if (cls->type == CONNECT_SINK)
		connect_sink_start(run);
	run->poll_soon = true;
	run->phase = CONNECT_TASK_RUNNING;
	connect_my_slot_set_state(CONNECT_RUNNING, NULL);
}

static void
read_configuration(ConnectTaskRun *run)
{
	ConnectConnectorRow *row;
	ConnectConfig *config;
	ConnectConfig *task_config = NULL;
	ConnectError err;
	List	   *secrets = NIL;
	ListCell   *lc;
	const char *value;

	connect_xact_begin();
	MemoryContextSwitchTo(run->task.context);
	row = connect_catalog_connector_by_id(run->task.connector_id);
	if (row == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("connector \"%s\" does not exist", run->task.connector)));
	foreach(lc, connect_catalog_tasks(row->id))
	{
		ConnectTaskRow *task = lfirst(lc);

		if (task->task == run->task.id)
			task_config = task->config;
	}
	if (task_config == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("connector \"%s\" has no task %d",
						run->task.connector, run->task.id)));
	if (!connect_config_resolve_masked(row->config, run->task.owner, &config,
									   &secrets, &err) ||
		!connect_config_resolve_masked(task_config, run->task.owner,
									   &task_config, &secrets, &err))
		connect_error_raise(&err);
	connect_mask_learn(secrets);
	run->config = config;
	run->task.config = task_config;
	run->worker = connect_worker_config();
	run->files_allowed = has_privs_of_role(run->task.owner,
										   ROLE_PG_READ_SERVER_FILES);
	connect_xact_commit();
	MemoryContextSwitchTo(run->task.context);

	value = connect_config_get(config, "connector.class");
	run->task.cls = value ? connect_connector_find(value) : NULL;
	if (run->task.cls == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("connector class \"%s\" does not exist",
						value ? value : ""),
				 errhint("Is the library that brings it in shared_preload_libraries?")));
	value = connect_config_get(config, "transforms");
	if (value != NULL && value[0] != '\0')
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("transforms are not supported")));
	value = connect_config_get(config, "offset.flush.interval.ms");
	if (value == NULL)
		value = connect_config_get(run->worker, "offset.flush.interval.ms");
	run->flush_interval = value ? Max(0, strtol(value, NULL, 10)) :
		FLUSH_INTERVAL_MS;
}

/*
 * The connector's own, with its options; one that its class prefers; else the
 * worker's, with the worker's options.
 */
static ConnectConverter *
make_converter(ConnectTaskRun *run, const char *key, ConnectConverterRole role)
{
	const ConnectConfig *from = run->config;
	const char *name = connect_config_get(from, key);
	const ConnectConfigKey *preferred =
		connect_config_def_key(&run->task.cls->config, key);
	const ConnectConverterClass *cls;
	ConnectConverter *converter;
	ConnectError err;

	if (name == NULL && preferred != NULL)
		name = preferred->default_value;
	if (name == NULL)
	{
		from = run->worker;
		name = connect_config_get(from, key);
	}
	cls = name ? connect_converter_find(name) : NULL;
	if (cls == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("converter \"%s\" does not exist", name ? name : key)));
	converter = cls->make(cls,
						  connect_config_with_prefix(from, psprintf("%s.", key)),
						  role, &err);
	if (converter == NULL)
		connect_error_raise(&err);
	return converter;
}

/* Work, or while paused what is left of it, then sleep until there is more. */
static void
turn(ConnectTaskRun *run)
{
	bool		backs_off = run->retry_at > GetCurrentTimestamp();
	bool		read = run->phase == CONNECT_TASK_RUNNING && !backs_off;
	ConnectTaskFd fds[CONNECT_TASK_NFDS];
	int			nfds;
	long		timeout = -1;

	if (connect_my_slot_woken())
		run->poll_soon = true;
	if (run->source != NULL)
		timeout = connect_source_turn(run, read);
	else if (run->sink != NULL)
		timeout = connect_sink_turn(run, read);
	/* A connector may keep its transaction between polls. */
	if (!IsTransactionState() &&
		TimestampDifferenceExceeds(run->counters_at, GetCurrentTimestamp(),
								   SAVE_COUNTERS_MS))
		save_counters(run);
	show_broker(run);
	if (timeout == 0)
		return;
	if (backs_off)
		timeout = timeout < 0 ? connect_task_ms_until(run->retry_at) :
			Min(timeout, connect_task_ms_until(run->retry_at));
	if (run->waits_runtime != NULL)
		timeout = timeout < 0 ? PROBE_MS : Min(timeout, PROBE_MS);
	nfds = collect_fds(run, fds, true);
	wait_for_fds(run, fds, nfds, timeout);
}

/* STOPPING: what was sent is waited for, what was acknowledged is stored. */
static void
finish(ConnectTaskRun *run)
{
	if (run->source != NULL && !connect_source_is_settled(run) &&
		!connect_task_interrupted(run))
	{
		(void) connect_source_turn(run, false);
		if (!connect_source_is_settled(run))
		{
			ConnectTaskFd fds[CONNECT_TASK_NFDS];
			int			nfds = collect_fds(run, fds, true);

			wait_for_fds(run, fds, nfds, connect_task_ms_until(run->stop_by));
		}
		return;
	}
	/* Whatever fails from here on, the process ends: see handle_error(). */
	if (run->source != NULL)
		connect_source_store_offsets(run);
	if (run->sink != NULL)
		connect_sink_finish(run);
	if (run->started && run->task.cls->stop != NULL)
	{
		run->started = false;
		run->task.cls->stop(&run->task);
	}
	save_counters(run);
	run->phase = CONNECT_TASK_DONE;
}

/*
 * FAILED: what was sent is waited for, what is done is stored, then the trace
 * is saved.  Each part is begun once only; an error leads to the next.
 */
static void
fail(ConnectTaskRun *run)
{
	bool		started = run->started;

	if (!connect_task_interrupted(run) &&
		(connect_errors_letters_pending(run) > 0 ||
		 (started && run->source != NULL && !connect_source_is_settled(run))))
	{
		ConnectTaskFd fds[CONNECT_TASK_NFDS];

		if (run->source != NULL)
			(void) connect_source_turn(run, false);
		wait_for_fds(run, fds, collect_fds(run, fds, true),
					 connect_task_ms_until(run->stop_by));
		return;
	}
	run->started = false;
	if (started && run->source != NULL)
		connect_source_store_offsets(run);
	if (started && run->sink != NULL)
		connect_sink_finish(run);

	run->phase = CONNECT_TASK_DONE;
	connect_my_slot_set_state(CONNECT_FAILED, run->reason);
	connect_xact_begin();
	connect_catalog_save_state(run->task.connector_id, run->task.id,
							   CONNECT_FAILED, run->reason, run->trace);
	connect_xact_commit();
	save_counters(run);
}

static void
close_all(ConnectTaskRun *run)
{
	run->started = false;
	connect_source_close(run);
	connect_sink_close(run);
	connect_errors_close(run);
	connect_topics_close(run);
	if (run->events != NULL)
		FreeWaitEventSet(run->events);
	run->events = NULL;
	run->task.wait_socket = PGINVALID_SOCKET;
}

static void
save_counters(ConnectTaskRun *run)
{
	int64		counters[CONNECT_NCOUNTERS];

	for (int i = 0; i < CONNECT_NCOUNTERS; i++)
		counters[i] = (int64) pg_atomic_read_u64(&run->slot->counters[i]);
	run->counters_at = GetCurrentTimestamp();
	connect_xact_begin();
	connect_catalog_save_counters(run->task.connector_id, run->task.id,
								  counters, CONNECT_NCOUNTERS);
	connect_xact_commit();
}

/* ---- errors ---- */

static void
handle_error(ConnectTaskRun *run, ErrorData *edata)
{
	bool		retriable = connect_errors_retriable(edata->sqlerrcode);
	long		delay;

	switch (run->phase)
	{
		case CONNECT_TASK_STARTING:
		case CONNECT_TASK_RUNNING:
		case CONNECT_TASK_PAUSED:
			break;
		case CONNECT_TASK_STOPPING:
			ereport(WARNING,
					(errcode(edata->sqlerrcode),
					 errmsg("[%s|task-%d] did not stop in order: %s",
							run->task.connector, run->task.id,
							edata->message)));
			run->phase = CONNECT_TASK_DONE;
			return;
		case CONNECT_TASK_FAILED:
		case CONNECT_TASK_DONE:
			run->stop_by = GetCurrentTimestamp();
			ereport(LOG,
					(errmsg("[%s|task-%d] %s", run->task.connector,
							run->task.id, edata->message)));
			return;
	}
	if (asked_to_end)
		return;					/* cancelled by SIGTERM: step() knows */

	if (!retriable)
	{
		run->reason = connect_errors_reason(edata);
		run->trace = connect_errors_trace(edata);
		ereport(WARNING,
				(errcode(edata->sqlerrcode),
				 errmsg("[%s|task-%d] %s{id=%s-%d} Task threw an uncaught and unrecoverable exception. Task is being killed and will not recover until manually restarted",
						run->task.connector, run->task.id,
						run->task.cls && run->task.cls->type == CONNECT_SINK ?
						"WorkerSinkTask" : "WorkerSourceTask",
						run->task.connector, run->task.id),
				 errdetail_internal("%s", run->trace)));
		run->phase = CONNECT_TASK_FAILED;
		run->stop_by = TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
												   connect_shutdown_timeout);
		return;
	}

	delay = Min((int64) BACKOFF_MIN_MS << Min(run->attempts, 8), BACKOFF_MAX_MS);
	if (run->task.retry_ms >= 0)
		delay = run->task.retry_ms;
	run->task.retry_ms = -1;
	if (run->errors.delay_max > 0)
		delay = Min(delay, run->errors.delay_max);
	if (run->errors.retry_until != 0 && run->errors.retry_until != DT_NOEND)
		delay = Min(delay, connect_task_ms_until(run->errors.retry_until));
	run->attempts++;
	run->retry_at = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), delay);
	run->poll_soon = true;
	connect_my_slot_count(CONNECT_COUNT_RETRIES, 1);
	connect_task_waits_in_runtime(run, run->waits_connector == NULL ?
								  psprintf("retry: %s", edata->message) :
								  psprintf("retry: %s (%s)", edata->message,
										   run->waits_connector));
	connect_task_waiting_for(&run->task, NULL);
	ereport(LOG,
			(errcode(edata->sqlerrcode),
			 errmsg("[%s|task-%d] will try again in %ld ms: %s",
					run->task.connector, run->task.id, delay,
					edata->message)));
	if (edata->sqlerrcode == ERRCODE_CONNECTION_DOES_NOT_EXIST)
	{
		close_all(run);
		if (run->phase == CONNECT_TASK_RUNNING)
			run->phase = CONNECT_TASK_STARTING;
	}
}

static void
add_context(void *arg)
{
	ConnectTaskRun *run = arg;

	errcontext("task %d of connector \"%s\"", run->task.id,
			   run->task.connector);
}

/* ---- waiting ---- */

/* What may wake the task; with all also what brings it work. */
static int
collect_fds(ConnectTaskRun *run, ConnectTaskFd *fds, bool all)
{
	bool		reads = run->phase == CONNECT_TASK_RUNNING &&
		run->retry_at <= GetCurrentTimestamp();
	int			candidates[] = {
		connect_topics_fd(run),
		run->errors.letter_producer == NULL ? -1 :
		connect_kafka_client_fd(connect_kafka_producer_client(run->errors.letter_producer)),
		all ? connect_source_fd(run) : -1,
		/* Its messages wait too: it would not let us sleep. */
		all && (reads || run->phase == CONNECT_TASK_PAUSED) ?
		connect_sink_fd(run) : -1
	};
	int			n = 0;

	for (int i = 0; i < lengthof(candidates); i++)
	{
		if (candidates[i] < 0)
			continue;
		fds[n].fd = candidates[i];
		fds[n].events = WL_SOCKET_READABLE;
		n++;
	}
	if (all && reads && run->source != NULL &&
		run->task.wait_socket != PGINVALID_SOCKET)
	{
		fds[n].fd = run->task.wait_socket;
		fds[n].events = run->task.wait_events;
		n++;
	}
	return n;
}

/* A wait event set cannot forget a socket: a new set when the sockets change. */
static void
wait_for_fds(ConnectTaskRun *run, const ConnectTaskFd *fds, int nfds,
			 long timeout)
{
	static uint32 wait_event = 0;
	WaitEvent	event;

	if (run->events == NULL || run->fds_stale || nfds != run->nfds ||
		memcmp(fds, run->fds, nfds * sizeof(ConnectTaskFd)) != 0)
	{
		if (run->events != NULL)
			FreeWaitEventSet(run->events);
		run->events = connect_create_wait_event_set(CONNECT_TASK_NFDS + 2);
		AddWaitEventToSet(run->events, WL_LATCH_SET, PGINVALID_SOCKET, MyLatch,
						  NULL);
		AddWaitEventToSet(run->events, WL_EXIT_ON_PM_DEATH, PGINVALID_SOCKET,
						  NULL, NULL);
		for (int i = 0; i < nfds; i++)
		{
			AddWaitEventToSet(run->events, fds[i].events, fds[i].fd, NULL,
							  NULL);
			run->fds[i] = fds[i];
		}
		run->nfds = nfds;
		run->fds_stale = false;
	}
	if (WaitEventSetWait(run->events, connect_xact_idle(timeout), &event, 1,
						 connect_wait_event(&wait_event,
											"ConnectTaskMain")) > 0)
	{
		if (event.events & WL_LATCH_SET)
		{
			ResetLatch(MyLatch);
			run->poll_soon = true;
		}
		else if (event.fd == run->task.wait_socket)
			run->poll_soon = true;
	}
	connect_worker_check();
}

/*
 * Shows that no broker can be reached.  An idle client does not notice when one
 * is back, so it is asked now and then.
 */
static void
show_broker(ConnectTaskRun *run)
{
	static const char text[] = "Kafka: no broker can be reached";
	ConnectKafkaClient *client = run->source != NULL ?
		connect_source_client(run) : connect_sink_client(run);
	bool		down = client != NULL && connect_kafka_client_is_down(client);
	bool		shown = run->waits_runtime != NULL &&
		strcmp(run->waits_runtime, text) == 0;

	if (down && shown &&
		TimestampDifferenceExceeds(run->probed_at, GetCurrentTimestamp(),
								   PROBE_MS))
	{
		down = connect_kafka_client_probe(client, PROBE_WAIT_MS, NULL) !=
			CONNECT_KAFKA_OK;
		run->probed_at = GetCurrentTimestamp();
	}
	if (down && run->waits_runtime == NULL)
	{
		connect_task_waits_in_runtime(run, text);
		run->probed_at = GetCurrentTimestamp();
	}
	else if (!down && shown)
		connect_task_waits_in_runtime(run, NULL);
}

static void
show_waiting(ConnectTaskRun *run)
{
	connect_my_slot_set_waiting_for(run->waits_runtime != NULL ?
									run->waits_runtime : run->waits_connector);
}

static const ConnectConfigDef *
def_of(const ConnectTaskRun *run, const char *key)
{
	const ConnectConfigDef *own = run->task.cls->type == CONNECT_SOURCE ?
		&connect_source_def : &connect_sink_def;

	return connect_config_def_key(own, key) != NULL ? own :
		&connect_common_def;
}
