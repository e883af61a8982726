/*
 * window.c
 *	  Records sent and not yet acknowledged: see window.h.
 */
#include "postgres.h"

#include "runtime/window.h"

#define INITIAL_SIZE 1024

static void grow(ConnectWindow *window);

static inline ConnectWindowEntry *
entry_at(const ConnectWindow *window, uint64 number)
{
	Assert(number >= window->head && number < window->next);
	return &window->ring[number & (window->size - 1)];
}

ConnectWindow *
connect_window_make(MemoryContext context)
{
	ConnectWindow *window = MemoryContextAllocZero(context,
												   sizeof(ConnectWindow));

	window->context = context;
	window->size = INITIAL_SIZE;
	window->ring = MemoryContextAlloc(context, window->size *
									  sizeof(ConnectWindowEntry));
	return window;
}

uint64
connect_window_push(ConnectWindow *window, const ConnectPosition *position,
					uint32 bytes)
{
	ConnectWindowEntry *entry;

	if (window->next - window->head == window->size)
		grow(window);
	window->next++;
	entry = entry_at(window, window->next - 1);
	entry->position = *position;
	entry->bytes = bytes;
	entry->state = CONNECT_DELIVERY_PENDING;
	window->bytes += bytes;
	window->pending++;
	return window->next - 1;
}

void
connect_window_settle(ConnectWindow *window, uint64 number,
					  ConnectDelivery state)
{
	ConnectWindowEntry *entry = entry_at(window, number);

	Assert(entry->state == CONNECT_DELIVERY_PENDING);
	Assert(state != CONNECT_DELIVERY_PENDING);
	entry->state = state;
	window->bytes -= entry->bytes;
	window->pending--;
}

const ConnectWindowEntry *
connect_window_entry(const ConnectWindow *window, uint64 number)
{
	return entry_at(window, number);
}

bool
connect_window_pop(ConnectWindow *window, ConnectWindowEntry *entry)
{
	if (window->head == window->next)
		return false;
	*entry = *entry_at(window, window->head);
	if (entry->state == CONNECT_DELIVERY_PENDING ||
		entry->state == CONNECT_DELIVERY_FAILED)
		return false;
	window->head++;
	return true;
}

static void
grow(ConnectWindow *window)
{
	uint64		size = window->size * 2;
	ConnectWindowEntry *ring;

	ring = MemoryContextAllocHuge(window->context,
								  size * sizeof(ConnectWindowEntry));
	for (uint64 i = window->head; i < window->next; i++)
		ring[i & (size - 1)] = window->ring[i & (window->size - 1)];
	pfree(window->ring);
	window->ring = ring;
	window->size = size;
}
