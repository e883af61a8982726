/*
 * row.h
 *	  Table rows to Connect values: one plan a tuple descriptor.
 *
 * NOTES
 *	  Server code.  A plan holds the struct's schema and one conversion a
 *	  column, straight from the Datum to a cell.  Types map as the JDBC
 *	  connectors map them; what those leave out is carried as README's type
 *	  table says.  Cells point into the tuple where they can; what must be
 *	  made (detoasted values, text of other types) is palloc'ed in the current
 *	  context.
 */
#ifndef CONNECT_ROW_H
#define CONNECT_ROW_H

#include "postgres.h"

#include "access/tupdesc.h"
#include "pgtime.h"

#include "record/record.h"

/* numeric.mapping */
typedef enum ConnectNumericMapping
{
	CONNECT_NUMERIC_NONE,		/* Decimal */
	CONNECT_NUMERIC_PRECISION_ONLY,
	CONNECT_NUMERIC_BEST_FIT,
	CONNECT_NUMERIC_BEST_FIT_EAGER_DOUBLE
} ConnectNumericMapping;

/* timestamp.granularity */
typedef enum ConnectTimestampForm
{
	CONNECT_TIMESTAMP_LOGICAL,	/* Timestamp, ms */
	CONNECT_TIMESTAMP_MICROS_LONG,
	CONNECT_TIMESTAMP_MICROS_STRING,
	CONNECT_TIMESTAMP_MICROS_ISO,
	CONNECT_TIMESTAMP_NANOS_LONG,
	CONNECT_TIMESTAMP_NANOS_STRING,
	CONNECT_TIMESTAMP_NANOS_ISO
} ConnectTimestampForm;

typedef struct ConnectRowOptions
{
	bool		plain;			/* for plain JSON: text of dates and times in
								 * ISO 8601 and UTC, json as it is, numerics with
								 * their own scale; the other options do not
								 * count */
	ConnectNumericMapping numeric;
	ConnectTimestampForm timestamp;
	pg_tz	   *zone;			/* db.timezone: of timestamp and time without
								 * zone; NULL = UTC */
	bool		proleptic;		/* date.calendar.system: false = as Java's old
								 * classes, Julian before 1582-10-15 */
	bool		decimal_precision;	/* Decimals carry connect.decimal.precision */
	int			unconstrained_scale;	/* of Decimals from numeric without
										 * precision */
} ConnectRowOptions;

typedef struct ConnectRowPlan
{
	ConnectSchema *schema;		/* a struct; one field a live column */
	int			ncells;			/* fields of it */
	struct ConnectRowColumn *columns;	/* ncells of them; private */
	int			maxattr;		/* attributes that must be deformed */
} ConnectRowPlan;

/*
 * Plan of desc, without its dropped columns.  optional: by attribute, whether
 * the field may be null; NULL = as desc's attnotnull says.  name: the schema's,
 * or NULL.  Built in the current context.
 */
extern ConnectRowPlan *connect_row_plan_make(TupleDesc desc,
											 const bool *optional,
											 const char *name,
											 const ConnectRowOptions *options);

/*
 * values and isnull by attribute, as slot_getallattrs() leaves them; fills
 * plan->ncells cells.  False and *err if a value has no place in its field
 * (infinity in a Date, a fraction in an integer); *err names the column.
 */
extern bool connect_row_convert(const ConnectRowPlan *plan,
								const Datum *values, const bool *isnull,
								ConnectValue *cells, ConnectError *err);

#endif							/* CONNECT_ROW_H */
