/*
 * main.c
 *	  Entry of the library.
 *
 * NOTES
 *	  Runs in the postmaster, which forks: nothing here may start a thread.
 *	  Loaded later than that the library is of no use, and says so, which also
 *	  answers every call of its functions on a server that lacks the setting.
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "storage/ipc.h"

#include "connect.h"
#include "guc.h"
#include "runtime/fault.h"
#include "runtime/hooks.h"
#include "runtime/label.h"
#include "runtime/slot.h"
#include "runtime/worker.h"
#include "stream/stream.h"

PG_MODULE_MAGIC;

PGDLLEXPORT void _PG_init(void);

static shmem_request_hook_type previous_shmem_request = NULL;
static shmem_startup_hook_type previous_shmem_startup = NULL;

static void
shmem_request(void)
{
	if (previous_shmem_request)
		previous_shmem_request();
	connect_slot_request_shmem();
}

static void
shmem_startup(void)
{
	if (previous_shmem_startup)
		previous_shmem_startup();
	connect_slot_startup_shmem();
}

void
_PG_init(void)
{
	if (!process_shared_preload_libraries_in_progress)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("\"connect\" must be loaded by shared_preload_libraries"),
				 errhint("Add the line  shared_preload_libraries = 'connect'  to postgresql.conf and restart the server.")));

#ifdef CONNECT_FAULTS
	connect_fault_define_setting();
#endif
	connect_guc_define();
	connect_label_init();
	connect_hooks_init();
	connect_stream_init();
	previous_shmem_request = shmem_request_hook;
	shmem_request_hook = shmem_request;
	previous_shmem_startup = shmem_startup_hook;
	shmem_startup_hook = shmem_startup;

	/* pg_upgrade wants no session but its own. */
	if (IsBinaryUpgrade)
		return;
	connect_worker_register_static(CONNECT_WORKER_LAUNCHER);
	if (connect_embedded_broker)
		connect_worker_register_static(CONNECT_WORKER_BROKER);
}
