/*
 * row.c
 *	  Table rows to Connect values.
 *
 * NOTES
 *	  A conversion is chosen once a column, by type.  The common types are read
 *	  straight from their Datums; of all others the output function's text is
 *	  taken, so that no column is ever left out.
 */
#include "postgres.h"

#include <math.h>

#include "access/detoast.h"
#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "common/int.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/pg_locale.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"
#include "utils/varbit.h"

#include "record/calendar.h"
#include "record/numeric.h"
#include "record/row.h"

typedef struct ConnectRowColumn ConnectRowColumn;

typedef bool (*ConvertFunction) (const ConnectRowColumn *column, Datum value,
								 ConnectValue *cell, ConnectError *err);

struct ConnectRowColumn
{
	ConvertFunction convert;
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

/* After 400 years days and weekdays are the same again. */
#define CALENDAR_CYCLE_DAYS INT64CONST(146097)
#define EPOCH_DAYS			(POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE)
#define EPOCH_USECS			(EPOCH_DAYS * USECS_PER_DAY)
#define MAX_PRECISION_INT64 18

static void choose(ConnectRowColumn *column, Oid type, int32 typmod);
static void choose_numeric(ConnectRowColumn *column, int32 typmod);
static void choose_array(ConnectRowColumn *column, Oid element, int32 typmod);

ConnectRowPlan *
connect_row_plan_make(TupleDesc desc, const bool *optional, const char *name,
					  const ConnectRowOptions *options)
{
	ConnectRowPlan *plan = palloc0(sizeof(ConnectRowPlan));
	ConnectRowOptions *own = palloc(sizeof(ConnectRowOptions));
	bool		convert_encoding = GetDatabaseEncoding() != PG_UTF8 &&
		GetDatabaseEncoding() != PG_SQL_ASCII;

	*own = *options;
	for (int i = 0; i < desc->natts; i++)
	{
		if (!TupleDescAttr(desc, i)->attisdropped)
		{
			plan->ncells++;
			plan->maxattr = i + 1;
		}
	}
	plan->schema = connect_schema_make_struct(name, plan->ncells);
	plan->columns = palloc0(Max(plan->ncells, 1) * sizeof(ConnectRowColumn));

	for (int i = 0, n = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		ConnectRowColumn *column;

		if (att->attisdropped)
			continue;
		column = &plan->columns[n];
		column->attr = i;
		column->options = own;
		column->convert_encoding = convert_encoding;
		column->name = pstrdup(NameStr(att->attname));
		if (convert_encoding)
			column->name = pg_server_to_any(pstrdup(column->name),
											strlen(column->name), PG_UTF8);
		choose(column, att->atttypid, att->atttypmod);
		column->schema->optional = optional ? optional[i] : !att->attnotnull;
		connect_schema_set_field(plan->schema, n, column->name,
								 column->schema);
		n++;
	}
	return plan;
}

bool
connect_row_convert(const ConnectRowPlan *plan, const Datum *values,
					const bool *isnull, ConnectValue *cells,
					ConnectError *err)
{
	for (int i = 0; i < plan->ncells; i++)
	{
		const ConnectRowColumn *column = &plan->columns[i];

		if (isnull[column->attr])
			cells[i] = connect_value_null();
		else if (!column->convert(column, values[column->attr], &cells[i],
								  err))
			return false;
	}
	return true;
}

static bool
no_place(const ConnectRowColumn *column, ConnectError *err,
		 const char *what)
{
	return connect_error_set(err, CONNECT_DATA_EXCEPTION,
							 "Column \"%s\": %s", column->name, what);
}

static bool
convert_int16(const ConnectRowColumn *column, Datum value,
			  ConnectValue *cell, ConnectError *err)
{
	*cell = connect_value_int(CONNECT_KIND_INT16, DatumGetInt16(value));
	return true;
}

static bool
convert_int32(const ConnectRowColumn *column, Datum value,
			  ConnectValue *cell, ConnectError *err)
{
	*cell = connect_value_int(CONNECT_KIND_INT32, DatumGetInt32(value));
	return true;
}

static bool
convert_int64(const ConnectRowColumn *column, Datum value,
			  ConnectValue *cell, ConnectError *err)
{
	*cell = connect_value_int(CONNECT_KIND_INT64, DatumGetInt64(value));
	return true;
}

static bool
convert_oid(const ConnectRowColumn *column, Datum value,
			ConnectValue *cell, ConnectError *err)
{
	*cell = connect_value_int(CONNECT_KIND_INT64, DatumGetObjectId(value));
	return true;
}

static bool
convert_float4(const ConnectRowColumn *column, Datum value,
			   ConnectValue *cell, ConnectError *err)
{
	*cell = connect_value_double(CONNECT_KIND_FLOAT32, DatumGetFloat4(value));
	return true;
}

static bool
convert_float8(const ConnectRowColumn *column, Datum value,
			   ConnectValue *cell, ConnectError *err)
{
	*cell = connect_value_double(CONNECT_KIND_FLOAT64, DatumGetFloat8(value));
	return true;
}

static bool
convert_bool(const ConnectRowColumn *column, Datum value,
			 ConnectValue *cell, ConnectError *err)
{
	*cell = connect_value_int(CONNECT_KIND_BOOLEAN, DatumGetBool(value));
	return true;
}

/* Text in the server's encoding. */
static void
set_text(const ConnectRowColumn *column, char *p, int len, ConnectKind kind,
		 ConnectValue *cell)
{
	if (unlikely(column->convert_encoding))
	{
		char	   *text = pnstrdup(p, len);

		p = pg_server_to_any(text, len, PG_UTF8);
		len = strlen(p);
	}
	*cell = connect_value_text(kind, p, len);
}

static bool
convert_text(const ConnectRowColumn *column, Datum value,
			 ConnectValue *cell, ConnectError *err)
{
	struct varlena *text = PG_DETOAST_DATUM_PACKED(value);

	set_text(column, VARDATA_ANY(text), VARSIZE_ANY_EXHDR(text),
			 CONNECT_KIND_STRING, cell);
	return true;
}

/* json is text already */
static bool
convert_json(const ConnectRowColumn *column, Datum value,
			 ConnectValue *cell, ConnectError *err)
{
	convert_text(column, value, cell, err);
	if (column->options->plain)
		cell->kind = CONNECT_KIND_JSON_TEXT;
	return true;
}

static bool
convert_jsonb(const ConnectRowColumn *column, Datum value,
			  ConnectValue *cell, ConnectError *err)
{
	Jsonb	   *jb = DatumGetJsonbP(value);
	StringInfoData text;

	initStringInfo(&text);
	JsonbToCString(&text, &jb->root, VARSIZE(jb));
	set_text(column, text.data, text.len, column->options->plain ?
			 CONNECT_KIND_JSON_TEXT : CONNECT_KIND_STRING, cell);
	return true;
}

static bool
convert_name(const ConnectRowColumn *column, Datum value,
			 ConnectValue *cell, ConnectError *err)
{
	char	   *name = NameStr(*DatumGetName(value));

	set_text(column, name, strnlen(name, NAMEDATALEN), CONNECT_KIND_STRING,
			 cell);
	return true;
}

static bool
convert_bytea(const ConnectRowColumn *column, Datum value,
			  ConnectValue *cell, ConnectError *err)
{
	struct varlena *bytes = PG_DETOAST_DATUM_PACKED(value);

	*cell = connect_value_text(CONNECT_KIND_BYTES, VARDATA_ANY(bytes),
							   VARSIZE_ANY_EXHDR(bytes));
	return true;
}

static bool
convert_output(const ConnectRowColumn *column, Datum value,
			   ConnectValue *cell, ConnectError *err)
{
	char	   *text = OutputFunctionCall(unconstify(FmgrInfo *,
													 &column->output), value);

	set_text(column, text, strlen(text), CONNECT_KIND_STRING, cell);
	return true;
}

static bool
convert_uuid(const ConnectRowColumn *column, Datum value,
			 ConnectValue *cell, ConnectError *err)
{
	static const char hex[] = "0123456789abcdef";
	const pg_uuid_t *uuid = DatumGetUUIDP(value);
	char	   *text = palloc(36);
	char	   *p = text;

	for (int i = 0; i < UUID_LEN; i++)
	{
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*p++ = '-';
		*p++ = hex[uuid->data[i] >> 4];
		*p++ = hex[uuid->data[i] & 15];
	}
	*cell = connect_value_text(CONNECT_KIND_STRING, text, 36);
	return true;
}

static bool
convert_money(const ConnectRowColumn *column, Datum value,
			  ConnectValue *cell, ConnectError *err)
{
	int			digits = PGLC_localeconv()->frac_digits;

	/* as cash.c: no sensible setting means two */
	if (digits < 0 || digits > 10)
		digits = 2;
	*cell = connect_value_double(CONNECT_KIND_FLOAT64,
								 (double) DatumGetInt64(value) /
								 pow(10, digits));
	return true;
}

/* bit(1) is a boolean, up to bit(8) a byte, more are bytes */
static bool
convert_bit(const ConnectRowColumn *column, Datum value,
			ConnectValue *cell, ConnectError *err)
{
	VarBit	   *bits = DatumGetVarBitP(value);

	if (column->schema->type == CONNECT_BOOLEAN)
		*cell = connect_value_int(CONNECT_KIND_BOOLEAN, *VARBITS(bits) != 0);
	else if (column->schema->type == CONNECT_INT8)
		*cell = connect_value_int(CONNECT_KIND_INT8,
								  (int8) (*VARBITS(bits) >>
										  (BITS_PER_BYTE - VARBITLEN(bits))));
	else
		*cell = connect_value_text(CONNECT_KIND_BYTES,
								   (char *) VARBITS(bits), VARBITBYTES(bits));
	return true;
}

/* A number that fits its field's scale; NaN and infinities have no decimal. */
static bool
convert_decimal(const ConnectRowColumn *column, Datum value,
				ConnectValue *cell, ConnectError *err)
{
	if (!connect_numeric_to_value(value, cell))
		return no_place(column, err,
						"NaN and infinity have no place in a Decimal");
	if (likely(connect_decimal_scale(cell) == column->scale))
		return true;
	if (!connect_decimal_rescale(cell, column->scale, cell))
		return no_place(column, err,
						psprintf("the value has more than %d digits after the point",
								 column->scale));
	return true;
}

static bool
convert_plain_numeric(const ConnectRowColumn *column, Datum value,
					  ConnectValue *cell, ConnectError *err)
{
	if (!connect_numeric_to_value(value, cell))
		*cell = connect_value_double(CONNECT_KIND_FLOAT64,
									 connect_numeric_special(value));
	return true;
}

/* Of an array's element, which has no schema to tell a decimal by. */
static bool
convert_numeric_text(const ConnectRowColumn *column, Datum value,
					 ConnectValue *cell, ConnectError *err)
{
	StringInfoData text;

	convert_plain_numeric(column, value, cell, err);
	if (cell->kind == CONNECT_KIND_FLOAT64)
		return true;
	initStringInfo(&text);
	connect_decimal_append_text(&text, cell);
	*cell = connect_value_text(CONNECT_KIND_NUMBER_TEXT, text.data, text.len);
	return true;
}

static bool
convert_numeric_double(const ConnectRowColumn *column, Datum value,
					   ConnectValue *cell, ConnectError *err)
{
	double		d;

	if (!connect_numeric_to_value(value, cell))
		d = connect_numeric_special(value);
	else
		d = connect_decimal_to_double(cell);
	*cell = connect_value_double(CONNECT_KIND_FLOAT64, d);
	return true;
}

static bool
convert_numeric_integer(const ConnectRowColumn *column, Datum value,
						ConnectValue *cell, ConnectError *err)
{
	int			bits = 8 << (column->schema->type - CONNECT_INT8);
	int64		limit = PG_INT64_MAX >> (64 - bits);

	if (!connect_numeric_to_value(value, cell) ||
		!connect_decimal_rescale(cell, 0, cell) ||
		cell->kind != CONNECT_KIND_DECIMAL ||
		cell->u.i > limit || cell->u.i < -limit - 1)
		return no_place(column, err,
						psprintf("the value does not fit an %s",
								 connect_type_name(column->schema->type)));
	*cell = connect_value_int(CONNECT_KIND_INT8 +
							  (column->schema->type - CONNECT_INT8),
							  cell->u.i);
	return true;
}

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
		return no_place(column, err, "infinity has no place in a Date");
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
		return no_place(column, err, "infinity has no place in a Timestamp");
	if (pg_add_s64_overflow(timestamp, EPOCH_USECS, usecs))
		return no_place(column, err, "the timestamp is out of range");
	if (!with_zone && column->options->zone != NULL)
	{
		struct pg_tm tm;
		fsec_t		fsec;

		if (timestamp2tm(timestamp, NULL, &tm, &fsec, NULL, NULL) != 0)
			return no_place(column, err, "the timestamp is out of range");
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
		return no_place(column, err, "the timestamp is out of range");
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
				return no_place(column, err,
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

/* One dimension of an array; *next is the element to take. */
static bool
convert_dimension(const ConnectRowColumn *column, int ndims, const int *dims,
				  const Datum *values, const bool *isnull, int *next,
				  ConnectValue *cell, ConnectError *err)
{
	int			n = ndims > 0 ? dims[0] : 0;
	ConnectValue *elems = palloc(Max(n, 1) * sizeof(ConnectValue));

	for (int i = 0; i < n; i++)
	{
		if (ndims > 1)
		{
			if (!convert_dimension(column, ndims - 1, dims + 1, values,
								   isnull, next, &elems[i], err))
				return false;
			continue;
		}
		if (isnull[*next])
			elems[i] = connect_value_null();
		else if (!column->element->convert(column->element, values[*next],
										   &elems[i], err))
			return false;
		(*next)++;
	}
	*cell = connect_value_elems(CONNECT_KIND_ARRAY, elems, n);
	return true;
}

static bool
convert_array(const ConnectRowColumn *column, Datum value,
			  ConnectValue *cell, ConnectError *err)
{
	ArrayType  *array = DatumGetArrayTypeP(value);
	Datum	   *values;
	bool	   *isnull;
	int			n;
	int			next = 0;

	if (ARR_NDIM(array) > 1 && column->schema->value_schema != NULL)
		return no_place(column, err,
						"an array of more than one dimension has no place in an ARRAY of scalars");
	deconstruct_array(array, ARR_ELEMTYPE(array), column->typlen,
					  column->typbyval, column->typalign,
					  &values, &isnull, &n);
	return convert_dimension(column, ARR_NDIM(array), ARR_DIMS(array),
							 values, isnull, &next, cell, err);
}

static void
set_plain(ConnectRowColumn *column, ConnectType type, ConvertFunction convert)
{
	column->schema = connect_schema_make(type);
	column->convert = convert;
}

static void
set_logical(ConnectRowColumn *column, ConnectLogical logical,
			ConvertFunction convert)
{
	column->schema = connect_schema_make_logical(logical, column->scale);
	column->convert = convert;
}

static void
set_timestamp_column(ConnectRowColumn *column, ConvertFunction convert)
{
	switch (column->options->timestamp)
	{
		case CONNECT_TIMESTAMP_LOGICAL:
			set_logical(column, CONNECT_LOGICAL_TIMESTAMP, convert);
			break;
		case CONNECT_TIMESTAMP_MICROS_LONG:
		case CONNECT_TIMESTAMP_NANOS_LONG:
			set_plain(column, CONNECT_INT64, convert);
			break;
		default:
			set_plain(column, CONNECT_STRING, convert);
			break;
	}
}

/* Dates and times; false if type is none. */
static bool
choose_time(ConnectRowColumn *column, Oid type)
{
	bool		plain = column->options->plain;

	switch (type)
	{
		case DATEOID:
			if (plain)
				set_plain(column, CONNECT_STRING, convert_plain_date);
			else
				set_logical(column, CONNECT_LOGICAL_DATE, convert_date);
			return true;
		case TIMEOID:
			if (plain)
				set_plain(column, CONNECT_STRING, convert_plain_time);
			else
				set_logical(column, CONNECT_LOGICAL_TIME, convert_time);
			return true;
		case TIMETZOID:
			if (plain)
				return false;
			set_logical(column, CONNECT_LOGICAL_TIME, convert_timetz);
			return true;
		case TIMESTAMPOID:
			if (plain)
				set_plain(column, CONNECT_STRING, convert_plain_timestamp);
			else
				set_timestamp_column(column, convert_timestamp);
			return true;
		case TIMESTAMPTZOID:
			if (plain)
				set_plain(column, CONNECT_STRING, convert_plain_timestamptz);
			else
				set_timestamp_column(column, convert_timestamptz);
			return true;
		default:
			return false;
	}
}

static void
choose(ConnectRowColumn *column, Oid type, int32 typmod)
{
	bool		plain = column->options->plain;
	Oid			element;
	Oid			output;
	bool		varlena;

	type = getBaseTypeAndTypmod(type, &typmod);
	if (choose_time(column, type))
		return;
	switch (type)
	{
		case INT2OID:
			set_plain(column, CONNECT_INT16, convert_int16);
			return;
		case INT4OID:
			set_plain(column, CONNECT_INT32, convert_int32);
			return;
		case INT8OID:
			set_plain(column, CONNECT_INT64, convert_int64);
			return;
		case OIDOID:
			set_plain(column, CONNECT_INT64, convert_oid);
			return;
		case FLOAT4OID:
			set_plain(column, CONNECT_FLOAT32, convert_float4);
			return;
		case FLOAT8OID:
			set_plain(column, CONNECT_FLOAT64, convert_float8);
			return;
		case BOOLOID:
			set_plain(column, CONNECT_BOOLEAN, convert_bool);
			return;
		case NUMERICOID:
			choose_numeric(column, typmod);
			return;
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
		case XMLOID:
			set_plain(column, CONNECT_STRING, convert_text);
			return;
		case NAMEOID:
			set_plain(column, CONNECT_STRING, convert_name);
			return;
		case JSONOID:
			set_plain(column, CONNECT_STRING, convert_json);
			return;
		case JSONBOID:
			set_plain(column, CONNECT_STRING, convert_jsonb);
			return;
		case BYTEAOID:
			set_plain(column, CONNECT_BYTES, convert_bytea);
			return;
		case UUIDOID:
			set_plain(column, CONNECT_STRING, convert_uuid);
			return;
		case CASHOID:
			if (plain)
				break;
			set_plain(column, CONNECT_FLOAT64, convert_money);
			return;
		case BITOID:
			if (plain || typmod <= 0)
				break;
			set_plain(column, typmod == 1 ? CONNECT_BOOLEAN :
					  typmod <= 8 ? CONNECT_INT8 : CONNECT_BYTES,
					  convert_bit);
			return;
		default:
			break;
	}
	element = get_base_element_type(type);
	if (OidIsValid(element))
	{
		choose_array(column, element, typmod);
		return;
	}
	getTypeOutputInfo(type, &output, &varlena);
	fmgr_info(output, &column->output);
	set_plain(column, CONNECT_STRING, convert_output);
}

/* The smallest integer for that many digits. */
static ConnectType
integer_for(int digits)
{
	return digits > 9 ? CONNECT_INT64 : digits > 4 ? CONNECT_INT32 :
		digits > 2 ? CONNECT_INT16 : CONNECT_INT8;
}

/*
 * By numeric.mapping.  A numeric without precision may hold any number: it is
 * never an integer, unlike in the JDBC connectors, which lose what does not
 * fit.
 */
static void
choose_numeric(ConnectRowColumn *column, int32 typmod)
{
	const ConnectRowOptions *options = column->options;
	bool		constrained = typmod >= (int32) VARHDRSZ;
	int			precision = 0;
	int			scale = options->unconstrained_scale;
	bool		integer = false;
	bool		is_double = false;

	if (constrained)
	{
		/* as numeric.c packs it: the scale has 11 bits and a sign */
		precision = ((typmod - VARHDRSZ) >> 16) & 0xFFFF;
		scale = (((typmod - VARHDRSZ) & 0x7FF) ^ 1024) - 1024;
	}
	column->scale = scale;
	if (options->plain)
	{
		set_logical(column, CONNECT_LOGICAL_DECIMAL, convert_plain_numeric);
		return;
	}

	switch (options->numeric)
	{
		case CONNECT_NUMERIC_NONE:
			break;
		case CONNECT_NUMERIC_PRECISION_ONLY:
			integer = constrained && scale == 0 &&
				precision <= MAX_PRECISION_INT64;
			break;
		case CONNECT_NUMERIC_BEST_FIT:
		case CONNECT_NUMERIC_BEST_FIT_EAGER_DOUBLE:
			integer = constrained && scale <= 0 &&
				precision - scale <= MAX_PRECISION_INT64;
			is_double = constrained ? scale > 0 &&
				(precision <= MAX_PRECISION_INT64 ||
				 options->numeric == CONNECT_NUMERIC_BEST_FIT_EAGER_DOUBLE) :
				options->numeric == CONNECT_NUMERIC_BEST_FIT_EAGER_DOUBLE;
			break;
	}
	if (integer)
		set_plain(column, integer_for(precision - scale),
				  convert_numeric_integer);
	else if (is_double)
		set_plain(column, CONNECT_FLOAT64, convert_numeric_double);
	else
	{
		set_logical(column, CONNECT_LOGICAL_DECIMAL, convert_decimal);
		if (options->decimal_precision)
			connect_schema_add_parameter(column->schema,
										 "connect.decimal.precision",
										 psprintf("%d", precision));
	}
}

/*
 * Elements may be null always.  In plain mode they have no schema, so that
 * there may be arrays in arrays.
 */
static void
choose_array(ConnectRowColumn *column, Oid element, int32 typmod)
{
	ConnectRowColumn *elem = palloc0(sizeof(ConnectRowColumn));

	elem->name = column->name;
	elem->options = column->options;
	elem->convert_encoding = column->convert_encoding;
	choose(elem, element, typmod);
	elem->schema->optional = true;
	set_plain(column, CONNECT_ARRAY, convert_array);
	column->element = elem;
	if (!column->options->plain)
		column->schema->value_schema = elem->schema;
	else if (elem->convert == convert_plain_numeric)
		elem->convert = convert_numeric_text;
	get_typlenbyvalalign(element, &column->typlen, &column->typbyval,
						 &column->typalign);
}
