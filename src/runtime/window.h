/*
 * window.h
 *	  Records sent and not yet acknowledged, in the order of their sending.
 *
 * NOTES
 *	  Kafka acknowledges in any order across partitions; an offset may be
 *	  stored only when its record and all before it are acknowledged.  The
 *	  window is a ring of positions; its head moves over the acknowledged
 *	  prefix.  Numbers of records never repeat in a process.
 */
#ifndef CONNECT_WINDOW_H
#define CONNECT_WINDOW_H

#include "postgres.h"

#include "record/record.h"

typedef enum ConnectDelivery
{
	CONNECT_DELIVERY_PENDING,
	CONNECT_DELIVERY_ACKNOWLEDGED,
	CONNECT_DELIVERY_DROPPED,	/* filtered, or failed and tolerated */
	CONNECT_DELIVERY_FAILED		/* holds the head for good */
} ConnectDelivery;

typedef struct ConnectWindowEntry
{
	ConnectPosition position;
	uint32		bytes;
	uint8		state;			/* ConnectDelivery */
} ConnectWindowEntry;

typedef struct ConnectWindow
{
	ConnectWindowEntry *ring;
	uint64		size;			/* a power of two; grows */
	uint64		head;			/* number of the oldest entry */
	uint64		next;			/* number of the next entry */
	int64		bytes;			/* of pending entries */
	int64		pending;		/* entries not yet settled */
	MemoryContext context;
} ConnectWindow;

extern ConnectWindow *connect_window_make(MemoryContext context);
/* Number of the new, pending entry. */
extern uint64 connect_window_push(ConnectWindow *window,
								  const ConnectPosition *position,
								  uint32 bytes);
/* The outcome of one; its bytes no longer count. */
extern void connect_window_settle(ConnectWindow *window, uint64 number,
								  ConnectDelivery state);
extern const ConnectWindowEntry *connect_window_entry(const ConnectWindow *window,
													  uint64 number);
/* Takes the head entry if it is settled and did not fail. */
extern bool connect_window_pop(ConnectWindow *window,
							   ConnectWindowEntry *entry);

#endif							/* CONNECT_WINDOW_H */
