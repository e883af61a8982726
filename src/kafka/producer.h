/*
 * producer.h
 *	  The producer's state, for producer.c and transaction.c.
 */
#ifndef CONNECT_KAFKA_PRODUCER_H
#define CONNECT_KAFKA_PRODUCER_H

#include "internal.h"

struct ConnectKafkaTopic
{
	rd_kafka_topic_t *rkt;		/* its opaque points back here */
	ConnectKafkaTopic *next;
};

struct ConnectKafkaProducer
{
	ConnectKafkaClient client;	/* first */
	ConnectKafkaTopic *topics;
	rd_kafka_event_t *current;	/* deliveries that poll is in the middle of */
	bool		is_in_transaction;
};

#endif							/* CONNECT_KAFKA_PRODUCER_H */
