/*
 * clients.h
 *	  Kafka clients of a task: their properties and what they have to say.
 */
#ifndef CONNECT_CLIENTS_H
#define CONNECT_CLIENTS_H

#include "runtime/task.h"

/*
 * The configuration of a client: our defaults, the worker's "producer.…",
 * "consumer.…" or "admin.…" keys, the connector's "….override.…" keys.  extra
 * goes between defaults and the rest, NULL-key-terminated, or NULL.  The
 * caller closes it.
 */
extern ConnectKafkaConf *connect_clients_conf(ConnectTaskRun *run,
											  ConnectKafkaRole role,
											  const ConnectKafkaProperty *extra);
/* Is it the embedded broker that the clients of this role talk to? */
extern bool connect_clients_embedded(ConnectTaskRun *run,
									 ConnectKafkaRole role);

/*
 * Logs what the client has to say; raises if its credentials are wrong or it
 * is broken.  Call it after each poll of the client.
 */
extern void connect_clients_listen(ConnectTaskRun *run,
								   ConnectKafkaClient *client);

#endif							/* CONNECT_CLIENTS_H */
