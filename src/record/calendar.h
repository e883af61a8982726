/*
 * calendar.h
 *	  Days and milliseconds since the epoch, in UTC.
 *
 * NOTES
 *	  PostgreSQL counts all days in the Gregorian calendar.  Java's old classes,
 *	  which Connect's dates are, count those before 15 October 1582 in the
 *	  Julian one: the same date is another number of days.
 */
#ifndef CONNECT_CALENDAR_H
#define CONNECT_CALENDAR_H

#include "pure.h"

#define CONNECT_MS_PER_DAY	INT64CONST(86400000)

typedef struct ConnectCalendar
{
	int64		year;			/* 0 = 1 BC */
	int			month;			/* 1 to 12 */
	int			day;
	int			hour;
	int			minute;
	int			second;
	int			ms;
	int			weekday;		/* 0 = Sunday */
} ConnectCalendar;

/* The Gregorian date and the time. */
extern void connect_calendar_from_ms(int64 ms, ConnectCalendar *cal);
/* Days of a Gregorian date; the day may be out of range and carries over. */
extern int64 connect_calendar_days(int64 year, int month, int64 day);
/* Days of a date as Java counts them; likewise. */
extern int64 connect_java_days(int64 year, int month, int64 day);

/* From one count to the other: the same date. */
extern int64 connect_days_to_java(int64 days);
extern int64 connect_days_from_java(int64 days);

/* All of these take a java.util.Date's milliseconds. */

/* As java.util.Date prints it: "Tue Nov 14 22:13:20 UTC 2023". */
extern void connect_date_append_java(StringInfo buf, int64 ms);
/* yyyy-MM-dd, HH:mm:ss.SSS'Z', yyyy-MM-dd'T'HH:mm:ss.SSS'Z' */
extern void connect_date_append_iso_date(StringInfo buf, int64 ms);
extern void connect_date_append_iso_time(StringInfo buf, int64 ms);
extern void connect_date_append_iso_timestamp(StringInfo buf, int64 ms);

#endif							/* CONNECT_CALENDAR_H */
