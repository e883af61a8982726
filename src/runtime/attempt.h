/*
 * attempt.h
 *	  Something that may raise, tried in a subtransaction.
 */
#ifndef CONNECT_ATTEMPT_H
#define CONNECT_ATTEMPT_H

#include "postgres.h"

/*
 * Calls run(arg) in a subtransaction, in the memory context inside; the current
 * one stays.  NULL if that went well; else the error, for the caller to judge,
 * and the subtransaction is gone.
 */
extern ErrorData *connect_attempt(void (*run) (void *arg), void *arg,
								  MemoryContext inside);

#endif							/* CONNECT_ATTEMPT_H */
