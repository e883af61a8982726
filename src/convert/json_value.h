/*
 * json_value.h
 *	  What a JSON text means under a schema, and the schema's own JSON form.
 */
#ifndef CONNECT_JSON_VALUE_H
#define CONNECT_JSON_VALUE_H

#include "record/record.h"

typedef struct ConnectJsonOptions
{
	bool		schemas_enable;
	bool		decimal_numeric;	/* else base64 */
	bool		replace_null;	/* a null gets the schema's default */
} ConnectJsonOptions;

/*
 * The node of a message without a value, which is not the same as a null.  The
 * reader makes no structs.
 */
static inline ConnectValue
connect_json_missing(void)
{
	return connect_value_elems(CONNECT_KIND_STRUCT, NULL, 0);
}

/*
 * The value that node, read with CONNECT_JSON_NUMBER_TEXT, stands for.  node
 * NULL = a member that is not there; schema NULL = infer.
 */
extern bool connect_json_to_value(const ConnectSchema *schema,
								  const ConnectValue *node,
								  const ConnectJsonOptions *options,
								  ConnectValue *out, ConnectError *err);

/* *schema is NULL for a JSON null. */
extern bool connect_json_to_schema(const ConnectValue *node,
								   const ConnectJsonOptions *options,
								   ConnectSchema **schema, ConnectError *err);

extern bool connect_json_append_schema(StringInfo out,
									   const ConnectSchema *schema,
									   const ConnectJsonOptions *options,
									   ConnectError *err);

#endif							/* CONNECT_JSON_VALUE_H */
