/*
 * calendar.h
 *	  Days and milliseconds since the epoch, in UTC, proleptic Gregorian.
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

extern void connect_calendar_from_ms(int64 ms, ConnectCalendar *cal);
/* Days since the epoch; month and day may be out of range and carry over. */
extern int64 connect_calendar_days(int64 year, int month, int day);

/* As java.util.Date prints it: "Tue Nov 14 22:13:20 UTC 2023". */
extern void connect_date_append_java(StringInfo buf, int64 ms);
/* yyyy-MM-dd, HH:mm:ss.SSS'Z', yyyy-MM-dd'T'HH:mm:ss.SSS'Z' */
extern void connect_date_append_iso_date(StringInfo buf, int64 ms);
extern void connect_date_append_iso_time(StringInfo buf, int64 ms);
extern void connect_date_append_iso_timestamp(StringInfo buf, int64 ms);

#endif							/* CONNECT_CALENDAR_H */
