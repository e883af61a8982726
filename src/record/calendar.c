/*
 * calendar.c
 *	  Days and milliseconds since the epoch, in UTC.
 */
#include "pure.h"

#include "record/calendar.h"

#define EPOCH_JULIAN_DAY	2440588
/* 1582-10-15, the first day that is Gregorian in Java */
#define JAVA_CUTOVER_DAYS	(-141427)

int64
connect_calendar_days(int64 year, int month, int64 day)
{
	int64		era;
	int64		year_of_era;
	int64		day_of_year;

	/* years begin in March, so that the leap day is the last */
	if (month <= 2)
		year--;
	era = (year >= 0 ? year : year - 399) / 400;
	year_of_era = year - era * 400;
	day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5;
	return era * 146097 + year_of_era * 365 + year_of_era / 4 -
		year_of_era / 100 + day_of_year + day - 1 - 719468;
}

/* Days of a Julian date; years from 4800 BC on. */
static int64
julian_days(int64 year, int month, int64 day)
{
	year += 4800 - (month <= 2);
	month += month <= 2 ? 9 : -3;
	return day + (153 * month + 2) / 5 + 365 * year + year / 4 - 32083 -
		EPOCH_JULIAN_DAY;
}

int64
connect_java_days(int64 year, int month, int64 day)
{
	int64		days = connect_calendar_days(year, month, day);

	return days >= JAVA_CUTOVER_DAYS ? days : julian_days(year, month, day);
}

int64
connect_days_to_java(int64 days)
{
	ConnectCalendar cal;

	if (days >= JAVA_CUTOVER_DAYS)
		return days;
	connect_calendar_from_ms(days * CONNECT_MS_PER_DAY, &cal);
	return julian_days(cal.year, cal.month, cal.day);
}

int64
connect_days_from_java(int64 days)
{
	int64		c;
	int64		d;
	int64		m;

	if (days >= JAVA_CUTOVER_DAYS)
		return days;
	/* the Julian date of a Julian day number */
	c = days + EPOCH_JULIAN_DAY + 32082;
	d = (4 * c + 3) / 1461;
	c -= 1461 * d / 4;
	m = (5 * c + 2) / 153;
	return connect_calendar_days(d - 4800 + m / 10, m + 3 - 12 * (m / 10),
								 c - (153 * m + 2) / 5 + 1);
}

void
connect_calendar_from_ms(int64 ms, ConnectCalendar *cal)
{
	int64		days = ms / CONNECT_MS_PER_DAY;
	int64		rest = ms % CONNECT_MS_PER_DAY;
	int64		era;
	int64		day_of_era;
	int64		year_of_era;
	int64		day_of_year;
	int			month;

	if (rest < 0)
	{
		rest += CONNECT_MS_PER_DAY;
		days--;
	}
	cal->ms = rest % 1000;
	rest /= 1000;
	cal->second = rest % 60;
	rest /= 60;
	cal->minute = rest % 60;
	cal->hour = rest / 60;
	cal->weekday = ((days + 4) % 7 + 7) % 7;

	days += 719468;
	era = (days >= 0 ? days : days - 146096) / 146097;
	day_of_era = days - era * 146097;
	year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 -
				   day_of_era / 146096) / 365;
	day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 -
								year_of_era / 100);
	month = (5 * day_of_year + 2) / 153;
	cal->day = day_of_year - (153 * month + 2) / 5 + 1;
	cal->month = month < 10 ? month + 3 : month - 9;
	cal->year = year_of_era + era * 400 + (cal->month <= 2);
}

/* The date that Java shows for a number of milliseconds. */
static void
java_calendar(int64 ms, ConnectCalendar *cal)
{
	int64		days = ms / CONNECT_MS_PER_DAY - (ms % CONNECT_MS_PER_DAY < 0);
	int			weekday = ((days + 4) % 7 + 7) % 7;

	connect_calendar_from_ms(ms + (connect_days_from_java(days) - days) *
							 CONNECT_MS_PER_DAY, cal);
	cal->weekday = weekday;
}

void
connect_date_append_java(StringInfo buf, int64 ms)
{
	static const char *const weekdays[] = {
		"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"
	};
	static const char *const months[] = {
		"Jan", "Feb", "Mar", "Apr", "May", "Jun",
		"Jul", "Aug", "Sep", "Oct", "Nov", "Dec"
	};
	ConnectCalendar cal;

	java_calendar(ms, &cal);
	appendStringInfo(buf, "%s %s %02d %02d:%02d:%02d UTC %lld",
					 weekdays[cal.weekday], months[cal.month - 1], cal.day,
					 cal.hour, cal.minute, cal.second,
					 (long long) (cal.year > 0 ? cal.year : 1 - cal.year));
}

void
connect_date_append_iso_date(StringInfo buf, int64 ms)
{
	ConnectCalendar cal;

	java_calendar(ms, &cal);
	appendStringInfo(buf, "%04lld-%02d-%02d",
					 (long long) (cal.year > 0 ? cal.year : 1 - cal.year),
					 cal.month, cal.day);
}

void
connect_date_append_iso_time(StringInfo buf, int64 ms)
{
	ConnectCalendar cal;

	java_calendar(ms, &cal);
	appendStringInfo(buf, "%02d:%02d:%02d.%03dZ",
					 cal.hour, cal.minute, cal.second, cal.ms);
}

void
connect_date_append_iso_timestamp(StringInfo buf, int64 ms)
{
	connect_date_append_iso_date(buf, ms);
	appendStringInfoChar(buf, 'T');
	connect_date_append_iso_time(buf, ms);
}
