/*
 * worker.c
 *	  Background workers: registration, common skeleton, process of a task.
 *	  See worker.h.
 *
 * NOTES
 *	  A worker's order of life, which must not change:
 *		1. signal handlers; SIGTERM is die(), acted upon at
 *		   CHECK_FOR_INTERRUPTS(), so that lock waits end too
 *		2. the callback that gives up the slot, registered before connecting:
 *		   callbacks run in reverse order, so it runs when the transaction has
 *		   been closed and the locks are gone
 *		3. claim of the slot, which fails when the database is barred or the
 *		   process was replaced before it started
 *		4. signals unblocked, connection, session settings pinned
 *		5. its loop
 */
#include "postgres.h"

#include "libpq/pqsignal.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "runtime/mask.h"
#include "runtime/slot.h"
#include "runtime/task.h"
#include "runtime/worker.h"
#include "runtime/xact.h"

#define RESTART_SECONDS 1		/* of static workers, by the postmaster */
#define BACKOFF_MIN_MS 250
#define BACKOFF_MAX_MS 60000

/* By ConnectWorkerKind. */
static const struct
{
	const char *type;			/* pg_stat_activity.backend_type */
	const char *function;
	BgWorkerStartTime start;
	int			restart;
}			kinds[] =
{
	{"connect launcher", "connect_launcher_main", BgWorkerStart_RecoveryFinished, RESTART_SECONDS},
	{"connect broker", "connect_broker_main", BgWorkerStart_RecoveryFinished, RESTART_SECONDS},
	{"connect coordinator", "connect_coordinator_main", BgWorkerStart_RecoveryFinished, BGW_NEVER_RESTART},
	{"connect task", "connect_task_worker_main", BgWorkerStart_RecoveryFinished, BGW_NEVER_RESTART},
};

StaticAssertDecl(sizeof(ConnectWorkerArgs) <= BGW_EXTRALEN,
				 "arguments must fit into bgw_extra");

MemoryContext connect_worker_context = NULL;

static ConnectWorkerArgs my_args;
static char last_words[CONNECT_TEXT_LEN];
static emit_log_hook_type previous_emit_log_hook = NULL;

static void
fill(BackgroundWorker *worker, ConnectWorkerKind kind, const char *name)
{
	memset(worker, 0, sizeof(*worker));
	worker->bgw_flags = BGWORKER_SHMEM_ACCESS |
		BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker->bgw_start_time = kinds[kind].start;
	worker->bgw_restart_time = kinds[kind].restart;
	strlcpy(worker->bgw_library_name, "connect",
			sizeof(worker->bgw_library_name));
	strlcpy(worker->bgw_function_name, kinds[kind].function,
			sizeof(worker->bgw_function_name));
	strlcpy(worker->bgw_type, kinds[kind].type, sizeof(worker->bgw_type));
	strlcpy(worker->bgw_name, name, sizeof(worker->bgw_name));
}

void
connect_worker_register_static(ConnectWorkerKind kind)
{
	BackgroundWorker worker;

	fill(&worker, kind, kinds[kind].type);
	RegisterBackgroundWorker(&worker);
}

bool
connect_worker_register(ConnectWorkerKind kind, const ConnectWorkerArgs *args,
						const char *name, BackgroundWorkerHandle **handle)
{
	BackgroundWorker worker;
	MemoryContext caller;
	bool		registered;
	char	   *full = psprintf("%s %s", kinds[kind].type, name);

	full[pg_mbcliplen(full, strlen(full), BGW_MAXLEN - 1)] = '\0';
	fill(&worker, kind, full);
	memcpy(worker.bgw_extra, args, sizeof(*args));
	worker.bgw_notify_pid = MyProcPid;
	caller = MemoryContextSwitchTo(connect_worker_context);
	registered = RegisterDynamicBackgroundWorker(&worker, handle);
	MemoryContextSwitchTo(caller);
	return registered;
}

/*
 * Masks secrets in all that goes to the log, and keeps what a FATAL or an
 * uncaught ERROR said, for the status.
 */
static void
watch_log(ErrorData *edata)
{
	connect_mask_error(edata);
	if (edata->elevel >= ERROR && edata->message)
		connect_text_copy(last_words, edata->message);
	if (previous_emit_log_hook)
		previous_emit_log_hook(edata);
}

const char *
connect_worker_last_words(void)
{
	return last_words[0] ? last_words : "the process has ended";
}

const ConnectWorkerArgs *
connect_worker_begin(void)
{
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, die);

	previous_emit_log_hook = emit_log_hook;
	emit_log_hook = watch_log;

	connect_worker_context = AllocSetContextCreate(TopMemoryContext,
												   "Connect worker",
												   ALLOCSET_DEFAULT_SIZES);
	memcpy(&my_args, MyBgworkerEntry->bgw_extra, sizeof(my_args));
	return &my_args;
}

void
connect_worker_connect(Oid database, Oid owner, bool nologin)
{
	bool		switched;
	uint32		flags = nologin ? CONNECT_BYPASS_ROLELOGINCHECK : 0;

	BackgroundWorkerUnblockSignals();
	if (!OidIsValid(database))
	{
		BackgroundWorkerInitializeConnection(NULL, NULL, 0);
		MemoryContextSwitchTo(connect_worker_context);
		return;
	}

	switched = nologin && !CONNECT_CAN_BYPASS_ROLELOGINCHECK;
	BackgroundWorkerInitializeConnectionByOid(database,
											  switched ? InvalidOid : owner,
											  flags);
	connect_xact_pin(switched ? owner : InvalidOid);
	SetConfigOption("application_name", MyBgworkerEntry->bgw_name,
					PGC_USERSET, PGC_S_OVERRIDE);
	pgstat_report_activity(STATE_IDLE, NULL);
	MemoryContextSwitchTo(connect_worker_context);
}

void
connect_worker_check(void)
{
	QueryCancelPending = false;
	CHECK_FOR_INTERRUPTS();
	if (ConfigReloadPending)
	{
		ConfigReloadPending = false;
		ProcessConfigFile(PGC_SIGHUP);
	}
}

void
connect_worker_sleep(TimestampTz wakeup_at, uint32 wait_event)
{
	long		timeout = connect_xact_idle(wakeup_at == 0 ? -1 :
											TimestampDifferenceMilliseconds(GetCurrentTimestamp(),
																			wakeup_at));

	(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_EXIT_ON_PM_DEATH |
					 (timeout < 0 ? 0 : WL_TIMEOUT), timeout, wait_event);
	ResetLatch(MyLatch);
}

TimestampTz
connect_worker_backoff(int failures)
{
	int64		ms = BACKOFF_MAX_MS;

	if (failures < 10)
		ms = Min((int64) BACKOFF_MIN_MS << Max(failures - 1, 0), BACKOFF_MAX_MS);
	return GetCurrentTimestamp() + ms * 1000;
}

/* The process of a task: claims its slot, becomes the owner, runs task.c. */
void
connect_task_worker_main(Datum arg)
{
	const ConnectWorkerArgs *args = connect_worker_begin();
	ConnectSlot *slot;

	if (!connect_my_slot_attach(args->slot, args->generation))
		proc_exit(0);
	slot = connect_my_slot();
	connect_worker_connect(args->database, slot->owner, slot->owner_nologin);
	connect_task_main(slot);
	proc_exit(0);
}
