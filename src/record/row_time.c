/*
 * row_time.c
 *	  Dates and times of rows.
 *
 * NOTES
 *	  For JDBC they become Connect's logical types, in the configured zone and
 *	  calendar; for plain JSON text in ISO 8601.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/int.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

#include "record/calendar.h"
#include "record/row_column.h"

/* After 400 years days and weekdays are the same again. */
#define CALENDAR_CYCLE_DAYS INT64CONST(146097)
#define EPOCH_DAYS			(POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE)
#define EPOCH_USECS			(EPOCH_DAYS * USECS_PER_DAY)

/* As the configured calendar counts days. */
static int64
count_days(const ConnectRowColumn *column, int64 days)
{
	return column->options->proleptic ? days : connect_days_to_java(days);
}

static bool
convert_date(const ConnectRowColumn *column, Datum value,
			 ConnectValue *cell, ConnectError *err)
{
	DateADT		date = DatumGetDateADT(value);

	if (DATE_NOT_FINITE(date))
		return connect_row_no_place(column, err, "infinity has no place in a Date");
	*cell = connect_value_int(CONNECT_KIND_DATE,
							  count_days(column, (int64) date + EPOCH_DAYS) *
							  CONNECT_MS_PER_DAY);
	return true;
}

/* Microseconds into the day in UTC, to milliseconds. */
static void
set_time(int64 usecs, ConnectValue *cell)
{
	if (usecs < 0 || usecs > USECS_PER_DAY)
		usecs = ((usecs % USECS_PER_DAY) + USECS_PER_DAY) % USECS_PER_DAY;
	*cell = connect_value_int(CONNECT_KIND_DATE, usecs / 1000);
}

/* A time of day in a zone is taken on 1970-01-01, as JDBC does. */
static bool
convert_time(const ConnectRowColumn *column, Datum value,
			 ConnectValue *cell, ConnectError *err)
{
	int64		usecs = DatumGetTimeADT(value);

	if (column->options->zone != NULL)
	{
		struct pg_tm tm = {.tm_year = 1970, .tm_mon = 1, .tm_mday = 1};

		tm.tm_hour = usecs / USECS_PER_HOUR;
		tm.tm_min = usecs / USECS_PER_MINUTE % 60;
		tm.tm_sec = usecs / USECS_PER_SEC % 60;
		usecs += DetermineTimeZoneOffset(&tm, column->options->zone) *
			USECS_PER_SEC;
	}
	set_time(usecs, cell);
	return true;
}

static bool
convert_timetz(const ConnectRowColumn *column, Datum value,
			   ConnectValue *cell, ConnectError *err)
{
	TimeTzADT  *time = DatumGetTimeTzADTP(value);

	set_time(time->time + time->zone * USECS_PER_SEC, cell);
	return true;
}

/*
 * Microseconds since the Unix epoch.  A timestamp without zone is one of the
 * configured zone.
 */
static bool
epoch_usecs(const ConnectRowColumn *column, Timestamp timestamp,
			bool with_zone, int64 *usecs, ConnectError *err)
{
	int64		days;

	if (TIMESTAMP_NOT_FINITE(timestamp))
		return connect_row_no_place(column, err, "infinity has no place in a Timestamp");
	if (pg_add_s64_overflow(timestamp, EPOCH_USECS, usecs))
		return connect_row_no_place(column, err, "the timestamp is out of range");
	if (!with_zone && column->options->zone != NULL)
	{
		struct pg_tm tm;
		fsec_t		fsec;

		if (timestamp2tm(timestamp, NULL, &tm, &fsec, NULL, NULL) != 0)
			return connect_row_no_place(column, err, "the timestamp is out of range");
		*usecs += (int64) DetermineTimeZoneOffset(&tm, column->options->zone) *
			USECS_PER_SEC;
	}
	if (unlikely(*usecs < 0))
	{
		days = *usecs / USECS_PER_DAY - (*usecs % USECS_PER_DAY < 0);
		*usecs += (count_days(column, days) - days) * USECS_PER_DAY;
	}
	return true;
}

static void
set_string(char *text, int len, ConnectValue *cell)
{
	*cell = connect_value_text(CONNECT_KIND_STRING, text, len);
}

/* YYYY-MM-DDTHH:MM:SS.ffffff in the configured zone, with 6 or 9 digits. */
static bool
set_iso_timestamp(const ConnectRowColumn *column, int64 usecs, bool nanos,
				  ConnectValue *cell, ConnectError *err)
{
	struct pg_tm tm;
	fsec_t		fsec;
	int			tz;
	TimestampTz instant = usecs - EPOCH_USECS;
	pg_tz	   *zone = column->options->zone;
	char	   *text;

	if (timestamp2tm(instant, zone ? &tz : NULL, &tm, &fsec, NULL,
					 zone) != 0)
		return connect_row_no_place(column, err, "the timestamp is out of range");
	text = psprintf("%04d-%02d-%02dT%02d:%02d:%02d.%06d%s",
					tm.tm_year, tm.tm_mon, tm.tm_mday, tm.tm_hour, tm.tm_min,
					tm.tm_sec, (int) fsec, nanos ? "000" : "");
	set_string(text, strlen(text), cell);
	return true;
}

static bool
set_timestamp(const ConnectRowColumn *column, Timestamp timestamp,
			  bool with_zone, ConnectValue *cell, ConnectError *err)
{
	ConnectTimestampForm form = column->options->timestamp;
	int64		usecs = 0;
	int64		later = 0;
	char	   *text;

	/* In milliseconds the last centuries have a place as well. */
	if (form == CONNECT_TIMESTAMP_LOGICAL && IS_VALID_TIMESTAMP(timestamp) &&
		timestamp > PG_INT64_MAX - EPOCH_USECS - USECS_PER_DAY)
		later = CALENDAR_CYCLE_DAYS * USECS_PER_DAY;
	if (!epoch_usecs(column, timestamp - later, with_zone, &usecs, err))
		return false;
	switch (form)
	{
		case CONNECT_TIMESTAMP_LOGICAL:
			*cell = connect_value_int(CONNECT_KIND_DATE, usecs / 1000 -
									  (usecs % 1000 < 0) + later / 1000);
			return true;
		case CONNECT_TIMESTAMP_MICROS_ISO:
		case CONNECT_TIMESTAMP_NANOS_ISO:
			return set_iso_timestamp(column, usecs,
									 form == CONNECT_TIMESTAMP_NANOS_ISO,
									 cell, err);
		case CONNECT_TIMESTAMP_NANOS_LONG:
		case CONNECT_TIMESTAMP_NANOS_STRING:
			if (pg_mul_s64_overflow(usecs, 1000, &usecs))
				return connect_row_no_place(column, err,
								"the timestamp has no number of nanoseconds in 64 bits");
			break;
		case CONNECT_TIMESTAMP_MICROS_LONG:
		case CONNECT_TIMESTAMP_MICROS_STRING:
			break;
	}
	*cell = connect_value_int(CONNECT_KIND_INT64, usecs);
	if (form == CONNECT_TIMESTAMP_MICROS_STRING ||
		form == CONNECT_TIMESTAMP_NANOS_STRING)
	{
		text = palloc(CONNECT_INT64_TEXT_LEN);
		set_string(text, connect_int64_text(usecs, text), cell);
	}
	return true;
}

static bool
convert_timestamp(const ConnectRowColumn *column, Datum value,
				  ConnectValue *cell, ConnectError *err)
{
	return set_timestamp(column, DatumGetTimestamp(value), false, cell, err);
}

static bool
convert_timestamptz(const ConnectRowColumn *column, Datum value,
					ConnectValue *cell, ConnectError *err)
{
	return set_timestamp(column, DatumGetTimestampTz(value), true, cell, err);
}

static inline char *
put_two(char *p, int n)
{
	*p++ = '0' + n / 10;
	*p++ = '0' + n % 10;
	return p;
}

static char *
put_date(char *p, const ConnectCalendar *cal)
{
	int			year = cal->year > 0 ? cal->year : 1 - cal->year;

	if (year < 10000)
	{
		p = put_two(p, year / 100);
		p = put_two(p, year % 100);
	}
	else
		p += connect_int64_text(year, p);
	*p++ = '-';
	p = put_two(p, cal->month);
	*p++ = '-';
	return put_two(p, cal->day);
}

/* HH:MM:SS and the fraction without trailing zeros; 24:00:00 is a time too. */
static char *
put_time(char *p, int64 usecs)
{
	int			fraction = usecs % USECS_PER_SEC;

	p = put_two(p, usecs / USECS_PER_HOUR);
	*p++ = ':';
	p = put_two(p, usecs / USECS_PER_MINUTE % 60);
	*p++ = ':';
	p = put_two(p, usecs / USECS_PER_SEC % 60);
	if (fraction != 0)
	{
		*p++ = '.';
		p = put_two(p, fraction / 10000);
		p = put_two(p, fraction / 100 % 100);
		p = put_two(p, fraction % 100);
		while (p[-1] == '0')
			p--;
	}
	return p;
}

#define PLAIN_TIME_LEN	48

static bool
convert_plain_date(const ConnectRowColumn *column, Datum value,
				   ConnectValue *cell, ConnectError *err)
{
	DateADT		date = DatumGetDateADT(value);
	ConnectCalendar cal;
	char	   *text;
	char	   *p;

	if (DATE_NOT_FINITE(date))
		*cell = connect_value_string(DATE_IS_NOBEGIN(date) ?
									 "-infinity" : "infinity");
	else
	{
		text = p = palloc(PLAIN_TIME_LEN);
		connect_calendar_from_ms(((int64) date + EPOCH_DAYS) *
								 CONNECT_MS_PER_DAY, &cal);
		p = put_date(p, &cal);
		if (cal.year <= 0)
		{
			memcpy(p, " BC", 3);
			p += 3;
		}
		set_string(text, p - text, cell);
	}
	return true;
}

static bool
convert_plain_time(const ConnectRowColumn *column, Datum value,
				   ConnectValue *cell, ConnectError *err)
{
	char	   *text = palloc(PLAIN_TIME_LEN);

	set_string(text, put_time(text, DatumGetTimeADT(value)) - text, cell);
	return true;
}

/* As to_json() writes it when the time zone is UTC. */
static void
set_plain_timestamp(Timestamp timestamp, const char *zone, int zone_len,
					ConnectValue *cell)
{
	ConnectCalendar cal;
	int64		days;
	int64		usecs;
	char	   *text;
	char	   *p;

	if (TIMESTAMP_NOT_FINITE(timestamp))
	{
		*cell = connect_value_string(TIMESTAMP_IS_NOBEGIN(timestamp) ?
									 "-infinity" : "infinity");
		return;
	}
	days = timestamp / USECS_PER_DAY;
	usecs = timestamp % USECS_PER_DAY;
	if (usecs < 0)
	{
		usecs += USECS_PER_DAY;
		days--;
	}
	connect_calendar_from_ms((days + EPOCH_DAYS) * CONNECT_MS_PER_DAY, &cal);
	text = p = palloc(PLAIN_TIME_LEN);
	p = put_date(p, &cal);
	*p++ = 'T';
	p = put_time(p, usecs);
	memcpy(p, zone, zone_len);
	p += zone_len;
	if (cal.year <= 0)
	{
		memcpy(p, " BC", 3);
		p += 3;
	}
	set_string(text, p - text, cell);
}

static bool
convert_plain_timestamp(const ConnectRowColumn *column, Datum value,
						ConnectValue *cell, ConnectError *err)
{
	set_plain_timestamp(DatumGetTimestamp(value), "", 0, cell);
	return true;
}

static bool
convert_plain_timestamptz(const ConnectRowColumn *column, Datum value,
						  ConnectValue *cell, ConnectError *err)
{
	set_plain_timestamp(DatumGetTimestampTz(value), "+00:00", 6, cell);
	return true;
}

static void
set_timestamp_column(ConnectRowColumn *column, ConnectRowConvert convert)
{
	switch (column->options->timestamp)
	{
		case CONNECT_TIMESTAMP_LOGICAL:
			connect_row_set_logical(column, CONNECT_LOGICAL_TIMESTAMP, convert);
			break;
		case CONNECT_TIMESTAMP_MICROS_LONG:
		case CONNECT_TIMESTAMP_NANOS_LONG:
			connect_row_set_type(column, CONNECT_INT64, convert);
			break;
		default:
			connect_row_set_type(column, CONNECT_STRING, convert);
			break;
	}
}

bool
connect_row_choose_time(ConnectRowColumn *column, Oid type)
{
	bool		plain = column->options->plain;

	switch (type)
	{
		case DATEOID:
			if (plain)
				connect_row_set_type(column, CONNECT_STRING, convert_plain_date);
			else
				connect_row_set_logical(column, CONNECT_LOGICAL_DATE, convert_date);
			return true;
		case TIMEOID:
			if (plain)
				connect_row_set_type(column, CONNECT_STRING, convert_plain_time);
			else
				connect_row_set_logical(column, CONNECT_LOGICAL_TIME, convert_time);
			return true;
		case TIMETZOID:
			if (plain)
				return false;
			connect_row_set_logical(column, CONNECT_LOGICAL_TIME, convert_timetz);
			return true;
		case TIMESTAMPOID:
			if (plain)
				connect_row_set_type(column, CONNECT_STRING, convert_plain_timestamp);
			else
				set_timestamp_column(column, convert_timestamp);
			return true;
		case TIMESTAMPTZOID:
			if (plain)
				connect_row_set_type(column, CONNECT_STRING, convert_plain_timestamptz);
			else
				set_timestamp_column(column, convert_timestamptz);
			return true;
		default:
			return false;
	}
}
