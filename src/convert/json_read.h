/*
 * json_read.h
 *	  JSON text into cells.
 *
 * NOTES
 *	  Takes what Kafka Connect's JSON reader takes: one value, and whatever
 *	  follows it; leading zeros; a byte order mark.  Limits: 1000 levels, 1000
 *	  digits in a number.  Bytes that are not UTF-8 are refused.
 *
 *	  Texts point into the message unless they hold escapes.  An object becomes
 *	  a map in the order of its members; of equal keys the last one counts.
 */
#ifndef CONNECT_JSON_READ_H
#define CONNECT_JSON_READ_H

#include "record/record.h"

#define CONNECT_JSON_MAX_DEPTH		1000
#define CONNECT_JSON_MAX_NUMBER		1000

/* Numbers stay CONNECT_KIND_NUMBER_TEXT instead of INT64 and FLOAT64. */
#define CONNECT_JSON_NUMBER_TEXT	0x01
/* A lone surrogate is an error, as PostgreSQL's text has no room for it. */
#define CONNECT_JSON_NO_SURROGATES	0x02

typedef struct ConnectJsonReader
{
	const char *start;			/* of the message */
	const char *p;				/* what is to be read next */
	const char *end;
	int			flags;
	int			depth;
	const char *payload;		/* where the value of the outermost object's
								 * member "payload" begins; NULL = none */
	int			nmembers;		/* of the outermost object, repeated ones too */
	ConnectValue *stack;		/* elements of containers being read */
	int			nstack;
	int			maxstack;
	ConnectError *err;
} ConnectJsonReader;

extern void connect_json_reader_init(ConnectJsonReader *r, const char *data,
									 int len, int flags, ConnectError *err);

/*
 * Reads the message's value.  *missing instead, if there is nothing but blanks.
 */
extern bool connect_json_read(ConnectJsonReader *r, ConnectValue *out,
							  bool *missing);

/* Reads a value at r->p; blanks before it are skipped. */
extern bool connect_json_read_value(ConnectJsonReader *r, ConnectValue *out);
/* Passes over a value, checking it. */
extern bool connect_json_skip_value(ConnectJsonReader *r);
/* Reads a string whose opening quote is at r->p. */
extern bool connect_json_read_string(ConnectJsonReader *r, ConnectValue *out);
extern void connect_json_skip_blanks(ConnectJsonReader *r);
/* The error of what stands at p; what was wanted is told by expected. */
extern bool connect_json_unexpected(ConnectJsonReader *r, const char *p,
									const char *expected);
/* The error of a message that ends too soon. */
extern bool connect_json_unexpected_end(ConnectJsonReader *r,
										const char *in, const char *open);

/* A checked number, as Jackson's nodes and JsonConverter convert it. */
extern bool connect_json_number_is_integral(const ConnectValue *number);
extern int64 connect_json_number_int64(const ConnectValue *number);
extern int32 connect_json_number_int32(const ConnectValue *number);
extern double connect_json_number_double(const ConnectValue *number);
extern float connect_json_number_float(const ConnectValue *number);
/* INT64 or FLOAT64, what the schemaless form has. */
extern void connect_json_number_resolve(ConnectValue *number);

#endif							/* CONNECT_JSON_READ_H */
