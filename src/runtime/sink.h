/*
 * sink.h
 *	  The loop of a sink task: consume, convert, put, store offsets.
 */
#ifndef CONNECT_RUNTIME_SINK_H
#define CONNECT_RUNTIME_SINK_H

#include "runtime/task.h"

extern void connect_sink_start(ConnectTaskRun *run);
extern void connect_sink_close(ConnectTaskRun *run);

/*
 * One turn: rebalances, then if read is set a batch, then offsets that are due.
 * Milliseconds until the next turn is due, -1 = none.
 */
extern long connect_sink_turn(ConnectTaskRun *run, bool read);

/* Makes durable what was put and stores its offsets. */
extern void connect_sink_store_offsets(ConnectTaskRun *run);
/* Gives the batch at hand back: it is to be read again. */
extern void connect_sink_drop_batch(ConnectTaskRun *run);
/* The last calls of a task that stops in order. */
extern void connect_sink_finish(ConnectTaskRun *run);
extern int	connect_sink_fd(const ConnectTaskRun *run);
extern ConnectKafkaClient *connect_sink_client(const ConnectTaskRun *run);

#endif							/* CONNECT_RUNTIME_SINK_H */
