/*
 * json_write.h
 *	  Values as JSON text.
 */
#ifndef CONNECT_JSON_WRITE_H
#define CONNECT_JSON_WRITE_H

#include "convert/json_value.h"

/*
 * What is known of a schema before there are values: a writer per field and
 * the text that stands before each value.
 */
typedef struct ConnectJsonWriter ConnectJsonWriter;

/*
 * Made in the current context; points into schema.  schema NULL = schemaless.
 */
extern ConnectJsonWriter *connect_json_writer_make(const ConnectSchema *schema,
												   const ConnectJsonOptions *options);
extern bool connect_json_write(const ConnectJsonWriter *writer,
							   const ConnectValue *v, StringInfo out,
							   ConnectError *err);

/* Both in one, for a value that comes once. */
extern bool connect_json_append_value(StringInfo out,
									  const ConnectSchema *schema,
									  const ConnectValue *v,
									  const ConnectJsonOptions *options,
									  ConnectError *err);

/* In quotes, escaped as Jackson does. */
extern void connect_json_append_string(StringInfo out, const char *p, int len);

#endif							/* CONNECT_JSON_WRITE_H */
