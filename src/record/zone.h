/*
 * zone.h
 *	  Time zones by the names that Java has for them.
 */
#ifndef CONNECT_RECORD_ZONE_H
#define CONNECT_RECORD_ZONE_H

#include "pgtime.h"

/* NULL = there is none. */
extern pg_tz *connect_zone_find(const char *name);

#endif
