/*
 * zone.c
 *	  Time zones by the names that Java has for them.
 *
 * NOTES
 *	  PostgreSQL reads what is no region as POSIX does: GMT+2 and FOO+2 are two
 *	  hours west there.  In Java the first is two hours east, the second
 *	  nothing.
 */
#include "postgres.h"

#include "datatype/timestamp.h"

#include "record/zone.h"

/* Two digits; -1 if there are none. */
static int
two_digits(const char *p)
{
	if (p[0] < '0' || p[0] > '9' || p[1] < '0' || p[1] > '9')
		return -1;
	return (p[0] - '0') * 10 + (p[1] - '0');
}

/* h, hh, hhmm, hhmmss, hh:mm or hh:mm:ss, as ZoneOffset has it. */
static bool
parse_offset(const char *p, int *secs)
{
	int			len = strlen(p);
	int			step;
	int			minutes = 0;
	int			seconds = 0;
	int			hours;

	if (len == 1 && *p >= '0' && *p <= '9')
	{
		*secs = (*p - '0') * SECS_PER_HOUR;
		return true;
	}
	hours = two_digits(p);
	if (hours < 0)
		return false;
	step = p[2] == ':' ? 3 : 2;
	if (len != 2 && len != 2 + step && len != 2 + 2 * step)
		return false;
	if (len > 2)
		minutes = two_digits(p + step);
	if (len > 2 + step)
	{
		if (step == 3 && p[5] != ':')
			return false;
		seconds = two_digits(p + 2 * step);
	}
	*secs = hours * SECS_PER_HOUR + minutes * SECS_PER_MINUTE + seconds;
	return minutes >= 0 && minutes < 60 && seconds >= 0 && seconds < 60 &&
		*secs <= 18 * SECS_PER_HOUR;
}

/* Regions with a number in their name; of others it would be POSIX's offset. */
static bool
may_have_digits(const char *name)
{
	static const char *const names[] = {"EST5EDT", "CST6CDT", "MST7MDT",
	"PST8PDT", "GMT0", "Etc/GMT0"};

	for (int i = 0; i < lengthof(names); i++)
	{
		if (pg_strcasecmp(name, names[i]) == 0)
			return true;
	}
	return pg_strncasecmp(name, "Etc/GMT", 7) == 0 &&
		(name[7] == '+' || name[7] == '-');
}

/* Java's short names that are no regions (ZoneId.SHORT_IDS). */
static const char *
long_name(const char *name)
{
	static const char *const names[][2] = {
		{"ACT", "Australia/Darwin"}, {"AET", "Australia/Sydney"},
		{"AGT", "America/Argentina/Buenos_Aires"}, {"ART", "Africa/Cairo"},
		{"AST", "America/Anchorage"}, {"BET", "America/Sao_Paulo"},
		{"BST", "Asia/Dhaka"}, {"CAT", "Africa/Harare"},
		{"CNT", "America/St_Johns"}, {"CST", "America/Chicago"},
		{"CTT", "Asia/Shanghai"}, {"EAT", "Africa/Addis_Ababa"},
		{"ECT", "Europe/Paris"}, {"IET", "America/Indiana/Indianapolis"},
		{"IST", "Asia/Kolkata"}, {"JST", "Asia/Tokyo"}, {"MIT", "Pacific/Apia"},
		{"NET", "Asia/Yerevan"}, {"NST", "Pacific/Auckland"},
		{"PLT", "Asia/Karachi"}, {"PNT", "America/Phoenix"},
		{"PRT", "America/Puerto_Rico"}, {"PST", "America/Los_Angeles"},
		{"SST", "Pacific/Guadalcanal"}, {"VST", "Asia/Ho_Chi_Minh"}
	};

	for (int i = 0; i < lengthof(names); i++)
	{
		if (strcmp(name, names[i][0]) == 0)
			return names[i][1];
	}
	return name;
}

pg_tz *
connect_zone_find(const char *name)
{
	const char *offset = name;
	int			secs;

	if (strcmp(name, "Z") == 0)
		return pg_tzset("UTC");
	if (strncmp(name, "UTC", 3) == 0 || strncmp(name, "GMT", 3) == 0)
		offset += 3;
	else if (strncmp(name, "UT", 2) == 0)
		offset += 2;
	if (*offset == '+' || *offset == '-')
	{
		if (!parse_offset(offset + 1, &secs))
			return NULL;
		return pg_tzset_offset(*offset == '+' ? -secs : secs);
	}
	if (strcspn(name, "0123456789<,") < strlen(name) && !may_have_digits(name))
		return NULL;
	return pg_tzset(long_name(name));
}
