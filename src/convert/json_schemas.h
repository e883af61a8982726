/*
 * json_schemas.h
 *	  Schemas that came with JSON messages.
 *
 * NOTES
 *	  They are known by what stands in the message before its payload: one that
 *	  starts with the same bytes as the last one has the same schema, and that
 *	  is not read at all.  Kept schemas live as long as the keeper, because
 *	  values point to them.  When it is full, further ones live in the caller's
 *	  context, and cost more.
 */
#ifndef CONNECT_JSON_SCHEMAS_H
#define CONNECT_JSON_SCHEMAS_H

#include "convert/json_read.h"
#include "convert/json_value.h"

typedef struct ConnectJsonSchemas ConnectJsonSchemas;

/* Lives in the current context. */
extern ConnectJsonSchemas *connect_json_schemas_make(const ConnectJsonOptions *options,
													 int max);

/* Whether the message starts as the last one; then *payload is where it goes on. */
extern bool connect_json_schemas_known(const ConnectJsonSchemas *schemas,
									   const ConnectJsonReader *r,
									   const char **payload,
									   ConnectSchema **schema);

/*
 * Reads a message's envelope: its schema and the payload as read.  r->payload
 * is where the payload begins, if r->nmembers is 2.
 */
extern bool connect_json_schemas_envelope(ConnectJsonSchemas *schemas,
										  ConnectJsonReader *r,
										  ConnectSchema **schema,
										  ConnectValue *payload,
										  ConnectError *err);

#endif							/* CONNECT_JSON_SCHEMAS_H */
