/*
 * source.h
 *	  The loop of a source task: poll, convert, send, store offsets.
 */
#ifndef CONNECT_RUNTIME_SOURCE_H
#define CONNECT_RUNTIME_SOURCE_H

#include "runtime/task.h"

extern void connect_source_start(ConnectTaskRun *run);
extern void connect_source_close(ConnectTaskRun *run);

/*
 * One turn: takes acknowledgements, stores offsets, polls the connector if
 * read is set.  Milliseconds until the next turn is due, -1 = none.
 */
extern long connect_source_turn(ConnectTaskRun *run, bool read);

/* Is nothing on its way?  What a failed task has not sent does not count. */
extern bool connect_source_is_settled(const ConnectTaskRun *run);
/* Stores what has been acknowledged. */
extern void connect_source_store_offsets(ConnectTaskRun *run);
extern int	connect_source_fd(const ConnectTaskRun *run);
extern ConnectKafkaClient *connect_source_client(const ConnectTaskRun *run);
extern const char *connect_source_partition_text(ConnectTaskRun *run,
												 int32 partition);

#endif							/* CONNECT_RUNTIME_SOURCE_H */
