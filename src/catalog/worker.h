/*
 * worker.h
 *	  What the worker's configuration says about connectors.
 */
#ifndef CONNECT_WORKER_H
#define CONNECT_WORKER_H

#include "postgres.h"

/*
 * Would connect.worker_defaults take this?  NULL, or the palloc'ed reason why
 * not.  Never raises.
 */
extern char *connect_worker_refusal(const char *json);

/* Does connector.client.config.override.policy let this property through? */
extern bool connect_worker_allows_override(const char *property);

/* host:port, as Kafka Connect names its workers. */
extern char *connect_worker_name(void);

/* Is version in a Maven-style range, or equal to a plain one? */
extern bool connect_version_matches(const char *version, const char *range);

#endif							/* CONNECT_WORKER_H */
