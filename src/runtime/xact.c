/*
 * xact.c
 *	  Transactions of our workers, under the right identity.  See xact.h.
 *
 * NOTES
 *	  Runs in coordinators and tasks.  Takes the lock of the extension
 *	  (AccessShare), held until the end of each transaction.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_extension.h"
#include "commands/extension.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/ipc.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/timeout.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "runtime/xact.h"

/*
 * Session settings that are ours to choose.  Set once with PGC_S_OVERRIDE: that
 * makes them what RESET goes back to, for user code too.
 */
static const struct
{
	const char *name;
	const char *value;			/* NULL = name of the database's encoding */
}			pinned[] =
{
	{"role", "none"},
	{"search_path", "\"$user\", public"},
	{"default_transaction_isolation", "read committed"},
	{"default_transaction_read_only", "off"},
	{"default_transaction_deferrable", "off"},
	{"statement_timeout", "0"},
	{"lock_timeout", "0"},
	{"idle_in_transaction_session_timeout", "0"},
	{"transaction_timeout", "0"},
	{"row_security", "on"},
	{"client_encoding", NULL},
	{"DateStyle", "ISO, MDY"},
	{"IntervalStyle", "postgres"},
	{"TimeZone", "UTC"},
	{"extra_float_digits", "1"},
	{"bytea_output", "hex"},
	{"xmlbinary", "base64"},
	{"xmloption", "content"},
	{"array_nulls", "on"},
	{"standard_conforming_strings", "on"},
	{"transform_null_equals", "off"},
	{"quote_all_identifiers", "off"},
};

/* From the cancellation to the end of who swallows it. */
#define DEAF_MS 1000

/* Valid: transactions run as this role, the session is a superuser's. */
static Oid	switch_to = InvalidOid;

/* Ends a process that does not heed its statement timeout. */
static TimeoutId deaf_timeout = MAX_TIMEOUTS;

/* The extension as this process first saw it. */
static Oid	extension_oid = InvalidOid;
static Oid	extension_schema = InvalidOid;

/* When statistics of transactions are to be reported; 0 = none wait for that. */
static TimestampTz report_at = 0;

void
connect_xact_pin(Oid owner)
{
	switch_to = owner;
	for (int i = 0; i < lengthof(pinned); i++)
	{
		const char *value = pinned[i].value;

		/* transaction_timeout came with 17 */
		if (GetConfigOption(pinned[i].name, true, false) == NULL)
			continue;
		SetConfigOption(pinned[i].name,
						value ? value : GetDatabaseEncodingName(),
						PGC_USERSET, PGC_S_OVERRIDE);
	}
}

/*
 * Is the extension there, and the one that this process serves?  The lock
 * comes first, as in DROP EXTENSION: who has it need not fear to meet a DROP
 * half way through the tables.
 */
bool
connect_xact_lock_extension(void)
{
	if (!OidIsValid(extension_oid))
	{
		Oid			oid = get_extension_oid("connect", true);

		if (!OidIsValid(oid))
			return false;
		LockDatabaseObject(ExtensionRelationId, oid, 0, AccessShareLock);
		extension_schema = get_namespace_oid("connect", true);
		if (get_extension_oid("connect", true) != oid ||
			!OidIsValid(extension_schema))
			return false;
		extension_oid = oid;
		return true;
	}

	/* The schema has a cache entry, and goes with the extension. */
	LockDatabaseObject(ExtensionRelationId, extension_oid, 0, AccessShareLock);
	return SearchSysCacheExists1(NAMESPACEOID,
								 ObjectIdGetDatum(extension_schema));
}

void
connect_xact_lock_connector(int64 connector_id, int class, int mode)
{
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, (uint32) (connector_id >> 32),
						 (uint32) connector_id, class);
	(void) LockAcquire(&tag, mode, false, false);
}

void
connect_xact_begin_bare(void)
{
	/* What user code has SET in earlier transactions. */
	ResetAllOptions();

	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	XactIsoLevel = XACT_READ_COMMITTED;
	XactReadOnly = RecoveryInProgress();
	XactDeferrable = false;
	if (OidIsValid(switch_to))
		SetUserIdAndSecContext(switch_to, SECURITY_LOCAL_USERID_CHANGE);
}

void
connect_xact_begin(void)
{
	connect_xact_begin_bare();
	if (!connect_xact_lock_extension())
		proc_exit(0);
	PushActiveSnapshot(GetTransactionSnapshot());
}

void
connect_xact_begin_imported(const char *snapshot)
{
	MemoryContext context;

	connect_xact_begin_bare();
	context = CurrentMemoryContext;
	XactIsoLevel = XACT_REPEATABLE_READ;
	XactReadOnly = true;
	if (!connect_xact_lock_extension())
		proc_exit(0);
	PG_TRY();
	{
		ImportSnapshot(snapshot);
	}
	PG_CATCH();
	{
		if (geterrcode() == ERRCODE_QUERY_CANCELED)
			PG_RE_THROW();
		MemoryContextSwitchTo(context);
		FlushErrorState();
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("snapshot \"%s\" has gone", snapshot)));
	}
	PG_END_TRY();
	PushActiveSnapshot(GetTransactionSnapshot());
}

/* The session's own identity again, after the transaction has ended. */
static void
restore_session(void)
{
	if (OidIsValid(switch_to))
		SetUserIdAndSecContext(GetSessionUserId(), 0);
	/* SET ROLE is for the transaction that said so. */
	else if (GetUserId() != GetSessionUserId())
		SetConfigOption("role", "none", PGC_USERSET, PGC_S_OVERRIDE);
}

/* As sessions do: not more often than once a second, the rest when idle. */
static void
report_statistics(void)
{
	long		ms = pgstat_report_stat(false);

	report_at = ms == 0 ? 0 :
		TimestampTzPlusMilliseconds(GetCurrentTimestamp(), ms);
}

long
connect_xact_idle(long timeout)
{
	long		ms;

	if (report_at == 0)
		return timeout;
	ms = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), report_at);
	if (ms > 0)
		return timeout < 0 ? ms : Min(timeout, ms);
	(void) pgstat_report_stat(true);
	report_at = 0;
	return timeout;
}

void
connect_xact_commit(void)
{
	if (ActiveSnapshotSet())
		PopActiveSnapshot();
	CommitTransactionCommand();
	restore_session();
	report_statistics();
}

void
connect_xact_abort(void)
{
	AbortOutOfAnyTransaction();
	restore_session();
	report_statistics();
}

static void
end_process(void)
{
	ProcDiePending = true;
	InterruptPending = true;
}

void
connect_xact_start_timeout(int timeout_ms)
{
	if (deaf_timeout == MAX_TIMEOUTS)
		deaf_timeout = RegisterTimeout(USER_TIMEOUT, end_process);
	enable_timeout_after(STATEMENT_TIMEOUT, timeout_ms);
	enable_timeout_after(deaf_timeout, timeout_ms + DEAF_MS);
}

void
connect_xact_stop_timeout(void)
{
	disable_timeout(STATEMENT_TIMEOUT, false);
	if (deaf_timeout != MAX_TIMEOUTS)
		disable_timeout(deaf_timeout, false);
}
