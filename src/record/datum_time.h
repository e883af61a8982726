/*
 * datum_time.h
 *	  Dates and times from values and from ISO 8601 text.
 */
#ifndef CONNECT_DATUM_TIME_H
#define CONNECT_DATUM_TIME_H

#include "record/datum.h"

/* What a date or time text says. */
typedef struct ConnectIsoTime
{
	bool		has_date;
	bool		has_time;
	bool		has_zone;
	int64		days;			/* since the Unix epoch */
	int64		usecs;			/* of the day */
	int			zone_secs;		/* east of UTC */
} ConnectIsoTime;

/* False if text is of no form known here, which says nothing about it. */
extern bool connect_iso_time_parse(const char *p, int len,
								   ConnectIsoTime *time);

/*
 * The column's value for an instant, or for a date and time of the day in the
 * configured zone if that is all that is known.  NULL, or what is wrong.
 */
extern const char *connect_datum_from_iso(const ConnectIsoTime *time,
										  Oid type, int32 typmod,
										  const ConnectDatumOptions *options,
										  Datum *value);
extern const char *connect_datum_from_ms(ConnectLogical logical, int64 ms,
										 Oid type, int32 typmod,
										 const ConnectDatumOptions *options,
										 Datum *value);

#endif							/* CONNECT_DATUM_TIME_H */
