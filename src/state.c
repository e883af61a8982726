/*
 * state.c
 *	  Names of states.
 */
#include "connect.h"

static const char *const names[] = {
	[CONNECT_UNASSIGNED] = "UNASSIGNED",
	[CONNECT_RUNNING] = "RUNNING",
	[CONNECT_PAUSED] = "PAUSED",
	[CONNECT_STOPPED] = "STOPPED",
	[CONNECT_FAILED] = "FAILED",
	[CONNECT_RESTARTING] = "RESTARTING"
};

const char *
connect_state_name(ConnectState state)
{
	return names[state];
}

bool
connect_state_parse(const char *name, ConnectState *state)
{
	for (int i = 0; i < lengthof(names); i++)
	{
		if (pg_strcasecmp(name, names[i]) == 0)
		{
			*state = i;
			return true;
		}
	}
	return false;
}
