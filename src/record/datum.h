/*
 * datum.h
 *	  Connect values to Datums: one plan a target column.
 *
 * NOTES
 *	  Server code.  A value is taken if it has one meaning as the column's type
 *	  and loses nothing by it: 5.0 is an integer, 5.5 is not, unless the option
 *	  "rounds" has it cast as an INSERT casts a parameter.  As in an INSERT,
 *	  digits beyond a numeric's scale are rounded and blanks beyond a
 *	  character(n)'s length are cut.
 *
 *	  Types without a path of their own go through their input function, which
 *	  raises on bad text where PostgreSQL has no way to ask it not to (15).
 */
#ifndef CONNECT_DATUM_H
#define CONNECT_DATUM_H

#include "postgres.h"

#include "pgtime.h"

#include "record/record.h"

typedef struct ConnectDatumOptions
{
	pg_tz	   *zone;			/* of text and columns without zone; NULL = UTC */
	bool		proleptic;		/* Dates and Timestamps of long ago: false = as
								 * Java's old classes count them */
	bool		rounds;			/* a fraction for an integer column is rounded */
	bool		json_text;		/* a string for a json column is JSON text, not a
								 * JSON string */
} ConnectDatumOptions;

typedef struct ConnectDatumPlan ConnectDatumPlan;

/* name, of the field, is for errors.  Built in the current context. */
extern ConnectDatumPlan *connect_datum_plan_make(const char *name, Oid type,
												 int32 typmod,
												 const ConnectDatumOptions *options);

/*
 * schema is v's, or NULL.  The Datum is made in the current context or points
 * into v.
 */
extern bool connect_datum_make(const ConnectDatumPlan *plan,
							   const ConnectSchema *schema,
							   const ConnectValue *v,
							   Datum *value, bool *isnull, ConnectError *err);

#endif							/* CONNECT_DATUM_H */
