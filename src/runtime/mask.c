/*
 * mask.c
 *	  Secrets that this process knows, kept out of what it says.  See mask.h.
 *
 * NOTES
 *	  A reference may stand in any key, so a secret may be part of a file name,
 *	  a topic or a server's address, and of any message about it.  Whatever a
 *	  task or the coordinator says passes one of these:
 *		- the server log: the hook of worker.c
 *		- errors that end as a state's reason and trace: task.c, split.c
 *		- texts of the slot: slot.c
 *		- errors of records, on their way to dead letters: errors.c
 *	  A task knows the secrets of its connector, older values too; the
 *	  coordinator those of the connector whose work it splits.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "catalog/resolve.h"
#include "runtime/mask.h"
#include "runtime/worker.h"

static MemoryContext mask_context = NULL;
static List *known = NIL;		/* of char *, in mask_context */

static bool is_known(const char *secret);
static void mask_field(char **field);

void
connect_mask_learn(List *secrets)
{
	MemoryContext caller;
	ListCell   *lc;

	if (secrets == NIL)
		return;
	if (mask_context == NULL)
		mask_context = AllocSetContextCreate(connect_worker_context,
											 "Connect secrets",
											 ALLOCSET_SMALL_SIZES);
	caller = MemoryContextSwitchTo(mask_context);
	foreach(lc, secrets)
	{
		const char *secret = lfirst(lc);

		if (strlen(secret) >= CONNECT_MASK_MIN && !is_known(secret))
			known = lappend(known, pstrdup(secret));
	}
	MemoryContextSwitchTo(caller);
}

void
connect_mask_forget(void)
{
	known = NIL;
	if (mask_context != NULL)
		MemoryContextReset(mask_context);
}

const char *
connect_masked(const char *text)
{
	ListCell   *lc;

	if (text == NULL)
		return NULL;
	foreach(lc, known)
	{
		if (strstr(text, lfirst(lc)) != NULL)
			return connect_mask(text, known);
	}
	return text;
}

void
connect_mask_error(ErrorData *edata)
{
	mask_field(&edata->message);
	mask_field(&edata->detail);
	mask_field(&edata->detail_log);
	mask_field(&edata->hint);
	mask_field(&edata->context);
	mask_field(&edata->internalquery);
}

static bool
is_known(const char *secret)
{
	ListCell   *lc;

	foreach(lc, known)
	{
		if (strcmp(lfirst(lc), secret) == 0)
			return true;
	}
	return false;
}

/* In the current context, which is that of the error. */
static void
mask_field(char **field)
{
	const char *masked = connect_masked(*field);

	if (masked != *field)
	{
		pfree(*field);
		*field = unconstify(char *, masked);
	}
}
