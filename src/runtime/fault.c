/*
 * fault.c
 *	  Places where a test may make a process die or fail: see fault.h.
 */
#include "postgres.h"

#ifdef CONNECT_FAULTS

#include <signal.h>
#include <unistd.h>

#include "utils/guc.h"

#include "runtime/fault.h"

static char *fault;				/* connect.fault */

void
connect_fault_define_setting(void)
{
	DefineCustomStringVariable("connect.fault",
							   "Place where the next process to pass it fails.",
							   NULL, &fault, "", PGC_SIGHUP, 0,
							   NULL, NULL, NULL);
}

/* NULL if another place, or none, is set. */
static const char *
action_at(const char *name)
{
	size_t		len = strlen(name);

	if (fault == NULL || strncmp(fault, name, len) != 0 ||
		(fault[len] != '\0' && fault[len] != ':'))
		return NULL;
	return fault[len] == ':' ? fault + len + 1 : "kill";
}

void
connect_fault_pass(const char *name)
{
	const char *action = action_at(name);

	if (action == NULL)
		return;
	if (strcmp(action, "error") == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_RESOURCES),
				 errmsg("fault \"%s\"", name)));
	kill(getpid(), strcmp(action, "stop") == 0 ? SIGSTOP : SIGKILL);
}

bool
connect_fault_skips(const char *name)
{
	const char *action = action_at(name);

	return action != NULL && strcmp(action, "skip") == 0;
}

#endif							/* CONNECT_FAULTS */
