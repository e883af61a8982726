/*
 * row_column.h
 *	  What the files that convert rows share: one column of a plan.
 */
#ifndef CONNECT_ROW_COLUMN_H
#define CONNECT_ROW_COLUMN_H

#include "postgres.h"

#include "fmgr.h"

#include "record/row.h"

typedef struct ConnectRowColumn ConnectRowColumn;

typedef bool (*ConnectRowConvert) (const ConnectRowColumn *column, Datum value,
								 ConnectValue *cell, ConnectError *err);

struct ConnectRowColumn
{
	ConnectRowConvert convert;
	int			attr;			/* index into values */
	const char *name;			/* UTF-8 */
	ConnectSchema *schema;
	const ConnectRowOptions *options;
	int			scale;			/* of a decimal */
	bool		convert_encoding;	/* the server's is not UTF-8 */
	FmgrInfo	output;			/* of other types */

	/* arrays */
	ConnectRowColumn *element;
	int16		typlen;
	bool		typbyval;
	char		typalign;
};

extern void connect_row_set_type(ConnectRowColumn *column, ConnectType type,
								 ConnectRowConvert convert);
extern void connect_row_set_logical(ConnectRowColumn *column,
									ConnectLogical logical,
									ConnectRowConvert convert);
/* The value has no place in its field: fills *err, returns false. */
extern bool connect_row_no_place(const ConnectRowColumn *column,
								 ConnectError *err, const char *what);

/* Dates and times (row_time.c); false if type is none. */
extern bool connect_row_choose_time(ConnectRowColumn *column, Oid type);

#endif							/* CONNECT_ROW_COLUMN_H */
