/*
 * guc.c
 *	  The settings connect.*.
 *
 * NOTES
 *	  What may differ between databases is PGC_SUSET: ALTER DATABASE refuses
 *	  PGC_SIGHUP.  Such a change reaches a running task when it restarts.
 */
#include "postgres.h"

#include <limits.h>

#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/varlena.h"

#include "catalog/worker.h"
#include "connect.h"
#include "guc.h"

bool		connect_enabled = true;
int			connect_max_tasks = 128;
char	   *connect_bootstrap_servers = NULL;
char	   *connect_worker_defaults = NULL;
bool		connect_embedded_broker = false;
int			connect_snapshot_max_age = 3600000;
int			connect_shutdown_timeout = 5000;
char	   *connect_wait_for_standbys = NULL;

static bool
check_worker_defaults(char **newval, void **extra, GucSource source)
{
	char	   *reason = connect_worker_refusal(*newval);

	if (reason == NULL)
		return true;
	GUC_check_errdetail("%s", reason);
	return false;
}

static bool
check_standbys(char **newval, void **extra, GucSource source)
{
	char	   *names = pstrdup(*newval);
	List	   *list;

	if (SplitIdentifierString(names, ',', &list))
		return true;
	GUC_check_errdetail("It is not a list of names.");
	return false;
}

void
connect_guc_define(void)
{
	DefineCustomBoolVariable("connect.enabled",
							 "Runs connectors.",
							 "Off: none runs on this server, whatever the databases hold. Start a clone of a server with it.",
							 &connect_enabled, true,
							 PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("connect.max_tasks",
							"Tasks that can exist at a time in the whole server.",
							NULL,
							&connect_max_tasks, 128, 1, 10000,
							PGC_POSTMASTER, 0, NULL, NULL, NULL);
	DefineCustomStringVariable("connect.bootstrap_servers",
							   "Kafka brokers of connectors that name none.",
							   NULL,
							   &connect_bootstrap_servers, "",
							   PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomStringVariable("connect.worker_defaults",
							   "Worker-level configuration of Kafka Connect, as a JSON object.",
							   NULL,
							   &connect_worker_defaults, "",
							   PGC_SUSET, GUC_SUPERUSER_ONLY,
							   check_worker_defaults, NULL, NULL);
	DefineCustomBoolVariable("connect.embedded_broker",
							 "Runs an imitation of a Kafka broker in the server, for demonstrations.",
							 "It keeps nothing beyond its own life.",
							 &connect_embedded_broker, false,
							 PGC_POSTMASTER, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("connect.snapshot_max_age",
							"How long the snapshot of one table's initial copy may be held.",
							NULL,
							&connect_snapshot_max_age, 3600000, 1000, INT_MAX,
							PGC_SUSET, GUC_UNIT_MS, NULL, NULL, NULL);
	DefineCustomIntVariable("connect.task_shutdown_graceful_timeout",
							"How long a task may take to end in order.",
							NULL,
							&connect_shutdown_timeout, 5000, 0, 600000,
							PGC_SIGHUP, GUC_UNIT_MS, NULL, NULL, NULL);
	DefineCustomStringVariable("connect.wait_for_standbys",
							   "Standbys that must have flushed what sources send.",
							   "A list of their application names, of which all count; * is any standby.",
							   &connect_wait_for_standbys, "",
							   PGC_SUSET, 0, check_standbys, NULL, NULL);
	MarkGUCPrefixReserved("connect");
}
