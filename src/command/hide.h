/*
 * hide.h
 *	  Keeps statements that may hold secrets out of the server log.
 */
#ifndef CONNECT_HIDE_H
#define CONNECT_HIDE_H

#include "postgres.h"

typedef struct ConnectHiding
{
	ErrorContextCallback callback;
} ConnectHiding;

/* Until end, reports are logged without statement and context. */
extern void connect_hide_begin(ConnectHiding *hiding);
extern void connect_hide_end(ConnectHiding *hiding);

#endif							/* CONNECT_HIDE_H */
