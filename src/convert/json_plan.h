/*
 * json_plan.h
 *	  Decoding a JSON object straight into the fields that are wanted.
 *
 * NOTES
 *	  For sinks that take values undecoded.  Unlike JsonConverter nothing is
 *	  bent: numbers stay text (CONNECT_KIND_NUMBER_TEXT), so that a column takes
 *	  them exactly or refuses them; a nested object or array is checked and
 *	  left as CONNECT_KIND_JSON_TEXT; a lone surrogate is an error.
 *
 *	  With schemas, a field's cell is what its schema says: 12.30 or base64
 *	  become a decimal, a Date its milliseconds.  An integer that does not fit
 *	  its type, or a value of a wrong JSON type, is an error.
 *
 *	  Records of a topic have the same members in the same order nearly always:
 *	  the plan expects the order of the last record, and compares a member's
 *	  name with one memcmp.
 */
#ifndef CONNECT_JSON_PLAN_H
#define CONNECT_JSON_PLAN_H

#include "record/record.h"

typedef struct ConnectJsonPlan ConnectJsonPlan;

/* A member that is not wanted. */
typedef struct ConnectJsonUnknown
{
	ConnectValue name;			/* a string */
	ConnectValue value;			/* as that of a wanted field */
	ConnectSchema *schema;		/* NULL = schemaless */
} ConnectJsonUnknown;

typedef struct ConnectJsonResult
{
	bool		is_null;		/* a null, or no bytes at all: a tombstone */
	bool		is_object;		/* false: nothing else is filled but value */
	ConnectValue value;			/* what stands in place of an object */
	ConnectSchema *schema;		/* of the whole value; NULL = schemaless */
	const bool *present;		/* by wanted field: has a member of its name;
								 * valid until the next call */
	int			nunknown;
	ConnectJsonUnknown *unknown;	/* if asked for; valid likewise */
} ConnectJsonResult;

/* Messages have an envelope with a schema. */
#define CONNECT_JSON_PLAN_SCHEMAS	0x01
/* Collect what is not wanted, instead of passing over it. */
#define CONNECT_JSON_PLAN_UNKNOWN	0x02
/* With schemas: a null gets the default of its field. */
#define CONNECT_JSON_PLAN_DEFAULTS	0x04

/* Made in the current context, which keeps schemas that come too. */
extern ConnectJsonPlan *connect_json_plan_make(const char *const *names, int n,
											   int flags);

/*
 * Fills a cell per wanted name, null if there is no such member.  Cells point
 * into data, or are in the current context.
 */
extern bool connect_json_plan_decode(ConnectJsonPlan *plan,
									 const char *data, int len,
									 ConnectValue *cells,
									 ConnectJsonResult *result,
									 ConnectError *err);

#endif							/* CONNECT_JSON_PLAN_H */
