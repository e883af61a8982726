/*
 * digest.h
 *	  What a connector has to read, as one number: has it changed?
 */
#ifndef CONNECT_DIGEST_H
#define CONNECT_DIGEST_H

#include "postgres.h"

#include "nodes/pg_list.h"

/* Of texts; their order counts. */
extern char *connect_digest(List *texts);

#endif							/* CONNECT_DIGEST_H */
