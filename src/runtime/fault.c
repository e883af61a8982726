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

void
connect_fault_pass(const char *name)
{
	size_t		len = strlen(name);
	const char *action;

	if (fault == NULL || strncmp(fault, name, len) != 0 ||
		(fault[len] != '\0' && fault[len] != ':'))
		return;
	action = fault[len] == ':' ? fault + len + 1 : "kill";
	if (strcmp(action, "error") == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_RESOURCES),
				 errmsg("fault \"%s\"", name)));
	kill(getpid(), strcmp(action, "stop") == 0 ? SIGSTOP : SIGKILL);
}

#endif							/* CONNECT_FAULTS */
