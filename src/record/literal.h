/*
 * literal.h
 *	  Values as literals: Kafka Connect's Values.parseString() and
 *	  convertToString(), which headers and some transforms use.
 */
#ifndef CONNECT_LITERAL_H
#define CONNECT_LITERAL_H

#include "record/record.h"

/*
 * Finds out what text stands for; what is nothing else is a string.  *schema
 * is NULL for null.  Results are in the current context or point into text.
 * False if the text is nested too deep.
 */
extern bool connect_literal_parse(const char *text, int len,
								  ConnectSchema **schema, ConnectValue *value);

/* The other way; v is not null. */
extern bool connect_literal_append(StringInfo buf, const ConnectSchema *schema,
								   const ConnectValue *v, ConnectError *err);

#endif							/* CONNECT_LITERAL_H */
