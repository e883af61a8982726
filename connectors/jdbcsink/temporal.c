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
static Datum make_datum(JdbcSink *sink, const JdbcField *field,
						Temporal temporal, int64 number);
static Datum timestamp_datum(const JdbcField *field, Timestamp stamp);
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
	if (field->base_type != DATEOID && field->base_type != TIMEOID &&
		field->base_type != TIMETZOID && field->base_type != TIMESTAMPOID &&
		field->base_type != TIMESTAMPTZOID && field->base_type != INTERVALOID)
	{
		if (field->is_epoch)
			(void) number_of(field, cell);
		return false;			/* a number, then */
	}

	number = number_of(field, cell);
	if (temporal == TEMPORAL_TIMESTAMP &&
		(number == DEBEZIUM_INFINITY || number == DEBEZIUM_MINUS_INFINITY))
	{
		Timestamp	stamp = number > 0 ? DT_NOEND : DT_NOBEGIN;

		*value = timestamp_datum(field, stamp);
	}
	else
	{
		if (per_second > USECS_PER_SEC)
			number = number / (per_second / USECS_PER_SEC) -
				(number % (per_second / USECS_PER_SEC) < 0 ? 1 : 0);
		else if (pg_mul_s64_overflow(number, USECS_PER_SEC / per_second, &number))
			raise_range(field, "timestamp");
		*value = make_datum(sink, field, temporal, number);
	}
	if (field->base_type != column->type)
		domain_check(*value, false, column->type, NULL, NULL);
	return true;
}

static void
no_place(const JdbcField *field)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_DATETIME_FORMAT),
			 errmsg("what field \"%s\" counts has no place in a column of type %s",
					field->name, format_type_be(field->base_type))));
}

/* number: microseconds; of a date: days in microseconds' place. */
static Datum
make_datum(JdbcSink *sink, const JdbcField *field, Temporal temporal,
		   int64 number)
{
	Oid			type = field->base_type;
	Datum		typmod = Int32GetDatum(field->base_typmod);
	int64		stamp;

	switch (temporal)
	{
		case TEMPORAL_DATE:
			number /= USECS_PER_SEC;
			number -= POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE;
			if (!IS_VALID_DATE(number))
				raise_range(field, "date");
			if (type == DATEOID)
				return DateADTGetDatum(number);
			if (type != TIMESTAMPOID && type != TIMESTAMPTZOID)
				no_place(field);
			return DirectFunctionCall1(date_timestamp, DateADTGetDatum(number));

		case TEMPORAL_TIME:
			if ((type != TIMEOID && type != TIMETZOID) || number < 0 ||
				number > USECS_PER_DAY)
				no_place(field);
			if (type == TIMETZOID)
			{
				TimeTzADT  *time = palloc0(sizeof(TimeTzADT));

				time->time = number;
				return DirectFunctionCall2(timetz_scale,
										   TimeTzADTPGetDatum(time), typmod);
			}
			return DirectFunctionCall2(time_scale, TimeADTGetDatum(number),
									   typmod);

		case TEMPORAL_TIMESTAMP:
			if (pg_sub_s64_overflow(number,
									(POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) *
									USECS_PER_DAY, &stamp) ||
				!IS_VALID_TIMESTAMP(stamp) ||
				(field->is_epoch && type != TIMESTAMPTZOID &&
				 !to_local(sink->options.datum.zone, &stamp)))
				raise_range(field, "timestamp");
			return timestamp_datum(field, stamp);

		case TEMPORAL_DURATION:
			if (type == INTERVALOID)
			{
				Interval   *interval = palloc0(sizeof(Interval));

				interval->time = number;
				return DirectFunctionCall2(interval_scale,
										   IntervalPGetDatum(interval), typmod);
			}
			break;

		case TEMPORAL_NONE:
			break;
	}
	no_place(field);
	return (Datum) 0;
}

static Datum
timestamp_datum(const JdbcField *field, Timestamp stamp)
{
	switch (field->base_type)
	{
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			return DirectFunctionCall2(timestamp_scale,
									   TimestampGetDatum(stamp),
									   Int32GetDatum(field->base_typmod));
		case DATEOID:
			return DirectFunctionCall1(timestamp_date, TimestampGetDatum(stamp));
		case TIMEOID:
			if (!TIMESTAMP_NOT_FINITE(stamp))
				return DirectFunctionCall2(time_scale,
										   DirectFunctionCall1(timestamp_time,
															   TimestampGetDatum(stamp)),
										   Int32GetDatum(field->base_typmod));
			break;
		default:
			break;
	}
	no_place(field);
	return (Datum) 0;
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
					(errcode(ERRCODE_INVALID_DATETIME_FORMAT),
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
