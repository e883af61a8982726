/*
 * vectors.h
 *	  What the parts of the vector program share.
 */
#ifndef VECTORS_H
#define VECTORS_H

#include "config/config.h"
#include "record/record.h"

/* One line of a file, read with CONNECT_JSON_NUMBER_TEXT. */
typedef struct VectorLine
{
	const char *id;
	const ConnectValue *node;
} VectorLine;

/* Members of an object; NULL if there is none of that name. */
extern const ConnectValue *vector_member(const ConnectValue *node,
										 const char *name);
/* The text of a member, NULL if it is absent or null. */
extern const char *vector_text(const ConnectValue *node, const char *name);

/* The vectors' notation. */
extern ConnectSchema *vector_schema(const ConnectValue *node);
extern ConnectValue vector_value(const ConnectValue *node,
								 const ConnectSchema *schema);
extern ConnectConfig *vector_config(const ConnectValue *node);
extern void vector_append_schema(StringInfo buf, const ConnectSchema *schema);
extern void vector_append_value(StringInfo buf, const ConnectSchema *schema,
								const ConnectValue *v);

/* Say what differs; return false. */
extern bool vector_differs(const VectorLine *line, const char *what,
						   const char *expected, const char *found);
/* Compares an error, NULL for none, with the line's; true if both agree. */
extern bool vector_check_error(const VectorLine *line, const char *stage,
							   const ConnectError *err);

/* One case each: true if it passes. */
extern bool vector_run_converter(const VectorLine *line);

#endif							/* VECTORS_H */
