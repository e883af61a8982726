/*
 * initial.h
 *	  The rows that a table had when its stream began.
 */
#ifndef CONNECT_INITIAL_H
#define CONNECT_INITIAL_H

#include "storage/block.h"

#include "stream/stream.h"

typedef struct ConnectInitialRead
{
	const ConnectStream *stream;
	Oid			leaf;			/* being read; InvalidOid = not begun */
	BlockNumber block;			/* next block of it */
	int32		partition;		/* source partition of its progress */
	bool		done;
} ConnectInitialRead;

typedef void (*ConnectInitialEmit) (void *arg, const ConnectLayout *layout,
									const Datum *values, const bool *nulls);

extern bool connect_initial_read(ConnectInitialRead *read,
								 int (*room) (void *),
								 ConnectInitialEmit emit, void *arg);

#endif							/* CONNECT_INITIAL_H */
