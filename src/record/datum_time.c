/*
 * datum_time.c
 *	  Dates and times from values and from ISO 8601 text.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/int.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

#include "record/calendar.h"
#include "record/datum_time.h"

#define EPOCH_DAYS			(POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE)

static bool
digits(const char **p, const char *end, int n, int *value)
{
	if (end - *p < n)
		return false;
	*value = 0;
	for (int i = 0; i < n; i++, (*p)++)
	{
		if (**p < '0' || **p > '9')
			return false;
		*value = *value * 10 + (**p - '0');
	}
	return true;
}

static bool
parse_clock(const char **p, const char *end, int64 *usecs)
{
	int			hour;
	int			minute;
	int			second = 0;
	int			fraction = 0;
	int			ndigits = 0;

	if (!digits(p, end, 2, &hour) || *p == end || *(*p)++ != ':' ||
		!digits(p, end, 2, &minute))
		return false;
	if (*p < end && **p == ':')
	{
		(*p)++;
		if (!digits(p, end, 2, &second))
			return false;
		if (*p < end && **p == '.')
		{
			for ((*p)++; *p < end && **p >= '0' && **p <= '9'; (*p)++)
			{
				if (ndigits == 6)
					return false;
				fraction = fraction * 10 + (**p - '0');
				ndigits++;
			}
			if (ndigits == 0)
				return false;
			for (; ndigits < 6; ndigits++)
				fraction *= 10;
		}
	}
	if (hour > 23 || minute > 59 || second > 59)
		return false;
	*usecs = ((hour * 60 + minute) * 60 + second) * USECS_PER_SEC + fraction;
	return true;
}

static bool
parse_zone(const char **p, const char *end, int *secs)
{
	int			sign;
	int			hours;
	int			minutes = 0;

	if (**p == 'Z' || **p == 'z')
	{
		(*p)++;
		*secs = 0;
		return true;
	}
	if (**p != '+' && **p != '-')
		return false;
	sign = *(*p)++ == '-' ? -1 : 1;
	if (!digits(p, end, 2, &hours))
		return false;
	if (*p < end && **p == ':')
		(*p)++;
	if (*p < end && !digits(p, end, 2, &minutes))
		return false;
	if (hours > 15 || minutes > 59)
		return false;
	*secs = sign * (hours * 3600 + minutes * 60);
	return true;
}

bool
connect_iso_time_parse(const char *p, int len, ConnectIsoTime *time)
{
	static const int month_days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	const char *end = p + len;

	memset(time, 0, sizeof(*time));
	if (len >= 10 && p[4] == '-')
	{
		int			year;
		int			month;
		int			day;

		if (!digits(&p, end, 4, &year) || *p++ != '-' ||
			!digits(&p, end, 2, &month) || *p++ != '-' ||
			!digits(&p, end, 2, &day) || year == 0 ||
			month < 1 || month > 12 || day < 1 || day > month_days[month - 1] ||
			(month == 2 && day == 29 && !isleap(year)))
			return false;
		time->has_date = true;
		time->days = connect_calendar_days(year, month, day);
		if (p == end)
			return true;
		if (*p != 'T' && *p != 't' && *p != ' ')
			return false;
		p++;
	}
	if (!parse_clock(&p, end, &time->usecs))
		return false;
	time->has_time = true;
	if (p < end)
	{
		time->has_zone = true;
		if (!parse_zone(&p, end, &time->zone_secs))
			return false;
	}
	return p == end;
}

/* The zone's offset, east of UTC, at a date and time there. */
static int
offset_of_local(int64 local, pg_tz *zone)
{
	struct pg_tm tm;
	fsec_t		fsec;

	if (zone == NULL ||
		timestamp2tm(local - EPOCH_DAYS * USECS_PER_DAY, NULL, &tm, &fsec,
					 NULL, NULL) != 0)
		return 0;
	return -DetermineTimeZoneOffset(&tm, zone);
}

/* The same at an instant. */
static int
offset_of_instant(int64 instant, pg_tz *zone)
{
	struct pg_tm tm;
	fsec_t		fsec;
	int			tz;

	if (zone == NULL ||
		timestamp2tm(instant - EPOCH_DAYS * USECS_PER_DAY, &tz, &tm, &fsec,
					 NULL, zone) != 0)
		return 0;
	return -tz;
}

/* Rounds to the column's precision. */
static int64
round_to(int64 usecs, int32 typmod)
{
	static const int64 steps[] = {1000000, 100000, 10000, 1000, 100, 10, 1};
	int64		step;
	int64		rest;

	if (typmod < 0 || typmod > 5)
		return usecs;
	step = steps[typmod];
	rest = usecs % step;
	if (rest >= 0)
		return usecs - rest + (rest >= step / 2 ? step : 0);
	return usecs - rest - (-rest >= step / 2 ? step : 0);
}

/* local is a date and time in the zone, instant one in UTC, since the epoch. */
static const char *
from_local(int64 local, int64 instant, Oid type, int32 typmod, Datum *value)
{
	int64		usecs = type == TIMESTAMPTZOID ? instant : local;
	int64		days = local / USECS_PER_DAY - (local % USECS_PER_DAY < 0);

	switch (type)
	{
		case DATEOID:
			days -= EPOCH_DAYS;
			if (!IS_VALID_DATE(days))
				return "the date is out of range";
			*value = DateADTGetDatum(days);
			return NULL;
		case TIMEOID:
			*value = TimeADTGetDatum(round_to(local - days * USECS_PER_DAY,
											  typmod));
			return NULL;
		default:
			if (pg_sub_s64_overflow(usecs, EPOCH_DAYS * USECS_PER_DAY, &usecs))
				return "the timestamp is out of range";
			usecs = round_to(usecs, typmod);
			if (!IS_VALID_TIMESTAMP(usecs))
				return "the timestamp is out of range";
			*value = TimestampGetDatum(usecs);
			return NULL;
	}
}

const char *
connect_datum_from_iso(const ConnectIsoTime *time, Oid type, int32 typmod,
					   const ConnectDatumOptions *options, Datum *value)
{
	int64		local = time->days * USECS_PER_DAY + time->usecs;
	int64		instant;

	if (!time->has_date && type != TIMEOID)
		return "a time has no date";
	if (!time->has_time && type == TIMEOID)
		return "a date has no time";
	if (!time->has_zone)
		instant = local - offset_of_local(local, options->zone) *
			USECS_PER_SEC;
	else
	{
		instant = local - time->zone_secs * USECS_PER_SEC;
		/* a date or a time as written is not moved to another zone */
		if (type == TIMESTAMPOID)
			local = instant + offset_of_instant(instant, options->zone) *
				USECS_PER_SEC;
	}
	return from_local(local, instant, type, typmod, value);
}

const char *
connect_datum_from_ms(ConnectLogical logical, int64 ms, Oid type,
					  int32 typmod, const ConnectDatumOptions *options,
					  Datum *value)
{
	int64		instant;
	int64		local;
	int64		days;

	if (ms / 1000 > PG_INT64_MAX / USECS_PER_SEC - SECS_PER_DAY * 400 ||
		ms / 1000 < PG_INT64_MIN / USECS_PER_SEC + SECS_PER_DAY * 400)
		return "the timestamp is out of range";
	instant = ms * 1000;
	if (!options->proleptic && instant < 0)
	{
		days = instant / USECS_PER_DAY - (instant % USECS_PER_DAY < 0);
		instant += (connect_days_from_java(days) - days) * USECS_PER_DAY;
	}
	local = instant;
	if (logical == CONNECT_LOGICAL_DATE)
	{
		/* a day is a day everywhere; as a timestamp it begins in the zone */
		if (type == TIMEOID)
			return "a date has no time";
		instant -= offset_of_local(local, options->zone) * USECS_PER_SEC;
	}
	else if (type != TIMESTAMPTZOID)
		local += offset_of_instant(instant, options->zone) * USECS_PER_SEC;
	if (logical == CONNECT_LOGICAL_TIME)
	{
		if (type != TIMEOID)
			return "a time has no date";
		/* the end of the day is a time too */
		if (ms == CONNECT_MS_PER_DAY && options->zone == NULL)
		{
			*value = TimeADTGetDatum(USECS_PER_DAY);
			return NULL;
		}
	}
	return from_local(local, instant, type, typmod, value);
}
