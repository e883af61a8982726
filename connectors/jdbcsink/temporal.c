/*
 * temporal.c
 *	  Numbers since the epoch that are dates and times.
 *
 * NOTES
 *	  Task process.  Which field is one is said by timestamp.fields.list or by
 *	  the name of its schema, as Debezium gives it.  A column without a zone
 *	  gets the local time of db.timezone for the first kind; Debezium's numbers
 *	  of columns without a zone are local time already.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/int.h"
#include "datatype/timestamp.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

#include "jdbcsink/jdbcsink.h"

/* PostgreSQL's JDBC driver says infinity so, in whatever unit. */
#define DEBEZIUM_INFINITY		INT64CONST(9223372036825200000)
#define DEBEZIUM_MINUS_INFINITY	(-INT64CONST(9223372036832400000))

typedef enum Temporal
{
	TEMPORAL_NONE,
	TEMPORAL_DATE,				/* days */
	TEMPORAL_TIME,				/* since midnight */
	TEMPORAL_TIMESTAMP,			/* since the epoch */
	TEMPORAL_DURATION
} Temporal;

static Temporal debezium_temporal(const char *name, int64 *per_second);
static int64 number_of(const JdbcField *field, const ConnectValue *cell);
static bool to_local(pg_tz *zone, Timestamp *stamp);
static void raise_range(const JdbcField *field, const char *what) CONNECT_NORETURN;

bool
connect_jdbcsink_temporal(JdbcSink *sink, const JdbcField *field,
						  const JdbcColumn *column, const ConnectValue *cell,
						  Datum *value)
{
	const char *name = field->schema ? field->schema->name : NULL;
	int64		per_second = sink->options.timestamp_nanos ?
		INT64CONST(1000000000) : USECS_PER_SEC;
	Temporal	temporal = TEMPORAL_TIMESTAMP;
	int64		number;
	int64		stamp;

	if (cell->kind == CONNECT_KIND_NULL)
		return false;
	if (!field->is_epoch)
	{
		if (name == NULL || strncmp(name, "io.debezium.time.", 17) != 0)
			return false;
		temporal = debezium_temporal(name + 17, &per_second);
		if (temporal == TEMPORAL_NONE)
			return false;
	}
	number = number_of(field, cell);
	if (number == DEBEZIUM_INFINITY || number == DEBEZIUM_MINUS_INFINITY)
	{
		if (column->type != TIMESTAMPOID && column->type != TIMESTAMPTZOID)
			return false;
		*value = TimestampGetDatum(number > 0 ? DT_NOEND : DT_NOBEGIN);
		return true;
	}
	if (per_second > USECS_PER_SEC)
		number = number / (per_second / USECS_PER_SEC) -
			(number % (per_second / USECS_PER_SEC) < 0 ? 1 : 0);
	else if (pg_mul_s64_overflow(number, USECS_PER_SEC / per_second, &number))
		raise_range(field, "timestamp");

	switch (temporal)
	{
		case TEMPORAL_DATE:
			number /= USECS_PER_SEC;
			number -= POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE;
			if (!IS_VALID_DATE(number))
				raise_range(field, "date");
			if (column->type == DATEOID)
			{
				*value = DateADTGetDatum(number);
				return true;
			}
			return false;

		case TEMPORAL_TIME:
			if (column->type != TIMEOID || number < 0 ||
				number > USECS_PER_DAY)
				return false;
			*value = TimeADTGetDatum(number);
			return true;

		case TEMPORAL_TIMESTAMP:
			if (column->type != TIMESTAMPOID && column->type != TIMESTAMPTZOID)
				return false;
			if (pg_sub_s64_overflow(number,
									(POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) *
									USECS_PER_DAY, &stamp) ||
				!IS_VALID_TIMESTAMP(stamp))
				raise_range(field, "timestamp");
			if (field->is_epoch && column->type == TIMESTAMPOID &&
				!to_local(sink->options.datum.zone, &stamp))
				raise_range(field, "timestamp");
			*value = TimestampGetDatum(stamp);
			if (column->typmod >= 0)
				*value = DirectFunctionCall2(timestamp_scale, *value,
											 Int32GetDatum(column->typmod));
			return true;

		case TEMPORAL_DURATION:
			if (column->type == INTERVALOID)
			{
				Interval   *interval = palloc0(sizeof(Interval));

				interval->time = number;
				*value = IntervalPGetDatum(interval);
				return true;
			}
			return false;

		case TEMPORAL_NONE:
			break;
	}
	return false;
}

static Temporal
debezium_temporal(const char *name, int64 *per_second)
{
	static const struct
	{
		const char *name;
		Temporal	temporal;
		int64		per_second;
	}			names[] = {
		{"Date", TEMPORAL_DATE, 1},
		{"Time", TEMPORAL_TIME, 1000},
		{"MicroTime", TEMPORAL_TIME, USECS_PER_SEC},
		{"NanoTime", TEMPORAL_TIME, INT64CONST(1000000000)},
		{"Timestamp", TEMPORAL_TIMESTAMP, 1000},
		{"MicroTimestamp", TEMPORAL_TIMESTAMP, USECS_PER_SEC},
		{"NanoTimestamp", TEMPORAL_TIMESTAMP, INT64CONST(1000000000)},
		{"MicroDuration", TEMPORAL_DURATION, USECS_PER_SEC},
	};

	for (int i = 0; i < lengthof(names); i++)
	{
		if (strcmp(names[i].name, name) == 0)
		{
			*per_second = names[i].per_second;
			return names[i].temporal;
		}
	}
	return TEMPORAL_NONE;
}

/* An integer, or its digits in a string. */
static int64
number_of(const JdbcField *field, const ConnectValue *cell)
{
	int64		number;
	char	   *text;
	char	   *end;

	switch (cell->kind)
	{
		case CONNECT_KIND_INT8:
		case CONNECT_KIND_INT16:
		case CONNECT_KIND_INT32:
		case CONNECT_KIND_INT64:
		case CONNECT_KIND_DATE:
			return cell->u.i;
		case CONNECT_KIND_STRING:
		case CONNECT_KIND_NUMBER_TEXT:
			text = pnstrdup(cell->u.p, cell->len);
			errno = 0;
			number = strtoi64(text, &end, 10);
			if (errno == 0 && end > text && *end == '\0')
				return number;
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
					 errmsg("field \"%s\" holds no number since the epoch: \"%s\"",
							field->name, text)));
			break;
		default:
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("field \"%s\" holds no number since the epoch",
							field->name)));
	}
	return 0;
}

/* From UTC; false if that is out of range. */
static bool
to_local(pg_tz *zone, Timestamp *stamp)
{
	struct pg_tm tm;
	fsec_t		fsec;
	int			offset;

	return timestamp2tm(*stamp, &offset, &tm, &fsec, NULL, zone) == 0 &&
		tm2timestamp(&tm, fsec, NULL, stamp) == 0;
}

static void
raise_range(const JdbcField *field, const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
			 errmsg("field \"%s\" holds a %s out of range", field->name, what)));
}
