/*
 * initial.h
 *	  The rows that a table had when its stream began.
 */
#ifndef CONNECT_INITIAL_H
#define CONNECT_INITIAL_H

#include "storage/block.h"
#include "storage/lockdefs.h"

#include "stream/stream.h"

typedef struct ConnectInitialRead
{
	const ConnectStream *stream;
	Oid			leaf;			/* being read; InvalidOid = not begun */
	BlockNumber block;			/* next block of it */
	Oid			file;			/* what block counts in: a relfilenode */
	int32		partition;		/* source partition of its progress */
} ConnectInitialRead;

typedef void (*ConnectInitialEmit) (void *arg, const ConnectLayout *layout,
									const Datum *values, const bool *nulls);

/* The tables with rows of a table, itself or its partitions; locks them. */
extern List *connect_initial_leaves(Oid relid, LOCKMODE lockmode);
/* Goes on where a stored offset says; from the first row if there is no such leaf. */
extern void connect_initial_seek(ConnectInitialRead *read, Oid leaf, Oid file,
								 BlockNumber block);
extern bool connect_initial_read(ConnectInitialRead *read,
								 int (*room) (void *),
								 ConnectInitialEmit emit, void *arg);

#endif							/* CONNECT_INITIAL_H */
