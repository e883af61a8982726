/*
 * resolve.h
 *	  References in configurations: ${secret:…}, ${env:…}, ${file:…}.
 */
#ifndef CONNECT_RESOLVE_H
#define CONNECT_RESOLVE_H

#include "postgres.h"

#include "nodes/pg_list.h"

#include "config/config.h"

/* Does the value hold a reference to one of our providers? */
extern bool connect_config_has_reference(const char *value);

/*
 * As connect_config_resolve(); also appends the values put in to *secrets, as
 * texts, so that messages can be masked.
 */
extern bool connect_config_resolve_masked(const ConnectConfig *cfg, Oid owner,
										  ConnectConfig **resolved,
										  List **secrets, ConnectError *err);
/* Text with every secret replaced by [hidden]. */
extern char *connect_mask(const char *text, List *secrets);

#endif							/* CONNECT_RESOLVE_H */
