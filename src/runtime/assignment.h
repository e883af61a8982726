/*
 * assignment.h
 *	  The partitions of a sink task: how they come, where they start, how they
 *	  go.
 */
#ifndef CONNECT_ASSIGNMENT_H
#define CONNECT_ASSIGNMENT_H

#include "runtime/task.h"

/* One of our partitions. */
typedef struct ConnectSinkPartition
{
	char	   *topic;
	int32		partition;
	int64		epoch;
	int64		stored;			/* in the table; -1 = none */
	int64		position;		/* next to be put; -1 = not known yet */
	int64		told;			/* to the group; -1 = nothing */
	int64		next;			/* behind the batch at hand; -1 = not in it */
} ConnectSinkPartition;

typedef struct ConnectRebalance ConnectRebalance;

typedef struct ConnectAssignment
{
	ConnectKafkaConsumer *consumer;
	char	   *group;
	bool		latest;			/* auto.offset.reset */
	const char *out_of_range;	/* fail, earliest or latest */

	/* Topics that shall be there; none for a pattern. */
	char	  **topics;
	int			ntopics;
	TimestampTz look_at;		/* when they are looked for; 0 = all are there */
	uint64		look;			/* request under way; 0 = none */
	char	   *missing;		/* what is shown; NULL = nothing */

	ConnectSinkPartition **partitions;	/* by topic and partition */
	int			npartitions;
	int			maxpartitions;
	ConnectRebalance *rebalance;	/* to be answered; NULL = none */
} ConnectAssignment;

/* Takes the consumer's events, up to the first rebalance. */
extern void connect_assignment_listen(ConnectTaskRun *run,
									  ConnectAssignment *assignment);
/*
 * Answers a rebalance.  False: it has still to be answered, unless the task
 * must leave what it is doing.
 */
extern bool connect_assignment_answer(ConnectTaskRun *run,
									  ConnectAssignment *assignment);
/* Is there a rebalance whose answer failed, to be tried again later? */
extern bool connect_assignment_backs_off(const ConnectTaskRun *run,
										 const ConnectAssignment *assignment);
/* What is subscribed to: the topics shall be there. */
extern void connect_assignment_expect(ConnectAssignment *assignment,
									  char **topics, int ntopics);
/* Looks whether the subscribed topics exist, if there is a doubt. */
extern void connect_assignment_look(ConnectTaskRun *run,
									ConnectAssignment *assignment);
/* As connectors see partitions; palloc'ed. */
extern ConnectTopicPartition *connect_assignment_list(ConnectSinkPartition **partitions,
													  int n);

#endif							/* CONNECT_ASSIGNMENT_H */
