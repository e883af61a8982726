/*
 * topics.h
 *	  Creating topics: topic.creation.* of sources, the dead letter queue.
 */
#ifndef CONNECT_TOPICS_H
#define CONNECT_TOPICS_H

#include "runtime/task.h"

typedef struct ConnectTopic
{
	const char *name;
	ConnectKafkaTopic *handle;	/* of the source's producer */
	bool		ready;			/* it exists, or the broker may create it */
	uint64		request;		/* admin request under way; 0 = none */
	bool		is_new;			/* the producer may not know it yet */
	TimestampTz opened_at;		/* handle was */
	TimestampTz look_at;		/* is_new: when to ask for it */
	long		look_ms;		/* is_new: pause before the question after that */
} ConnectTopic;

extern void connect_topics_start(ConnectTaskRun *run);
extern void connect_topics_close(ConnectTaskRun *run);

/*
 * The entry of a source's topic.  It is not ready at first if the connector
 * creates its topics; connect_topics_turn() makes it so.
 */
extern ConnectTopic *connect_topics_find(ConnectTaskRun *run,
										 const char *name,
										 ConnectKafkaProducer *producer);
/* The producer goes: so do its handles. */
extern void connect_topics_forget_handles(ConnectTaskRun *run);
/*
 * Goes on with what is under way; producer is that of the handles.  Raises if a
 * topic cannot be created.  Milliseconds until it wants to be called again, -1
 * = when there is an answer.
 */
extern long connect_topics_turn(ConnectTaskRun *run,
								ConnectKafkaProducer *producer);

/* Creates the dead letter queue's topic if it is missing; waits for it. */
extern void connect_topics_ensure_letters(ConnectTaskRun *run);

/* The admin client's fd, -1 while there is none. */
extern int	connect_topics_fd(const ConnectTaskRun *run);

/*
 * Waits for the answer to a request of the admin client.  False if the task
 * must leave what it is doing.  The result is valid until the next call.
 */
extern bool connect_topics_await(ConnectTaskRun *run, uint64 request,
								 ConnectKafkaAdminResult *result);
extern ConnectKafkaAdmin *connect_topics_admin(ConnectTaskRun *run);
/* Closes the admin client if nothing is asked of it. */
extern void connect_topics_idle(ConnectTaskRun *run);

#endif							/* CONNECT_TOPICS_H */
