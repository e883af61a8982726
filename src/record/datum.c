/*
 * datum.c
 *	  Connect values to Datums.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "catalog/pg_type.h"
#include "common/int.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/uuid.h"

#include "compat.h"
#include "convert/json_read.h"
#include "convert/json_write.h"
#include "record/base64.h"
#include "record/calendar.h"
#include "record/datum.h"
#include "record/datum_time.h"
#include "record/numeric.h"

typedef bool (*MakeFunction) (const ConnectDatumPlan *plan,
							  const ConnectSchema *schema,
							  const ConnectValue *v, Datum *value,
							  ConnectError *err);

struct ConnectDatumPlan
{
	MakeFunction make;
	const char *name;			/* of the field, for errors */
	Oid			type;			/* below a domain */
	int32		typmod;
	Oid			domain;			/* InvalidOid = none */
	void	   *domain_extra;	/* domain_check()'s own */
	MemoryContext context;
	const ConnectDatumOptions *options;
	bool		convert_encoding;	/* the server's is not UTF-8 */
	FmgrInfo	input;
	Oid			ioparam;

	/* numeric(precision, scale); precision 0 = any */
	int			precision;
	int			scale;

	/* arrays */
	ConnectDatumPlan *element;
	int16		typlen;
	bool		typbyval;
	char		typalign;
};

/* A numeric's limits. */
#define MAX_NUMERIC_WEIGHT	131072
#define MAX_NUMERIC_SCALE	16383

static void choose(ConnectDatumPlan *plan);
static bool make_long_numeric(const ConnectDatumPlan *plan,
							  const ConnectValue *decimal, Datum *value,
							  ConnectError *err);

ConnectDatumPlan *
connect_datum_plan_make(const char *name, Oid type, int32 typmod,
						const ConnectDatumOptions *options)
{
	ConnectDatumPlan *plan = palloc0(sizeof(ConnectDatumPlan));
	ConnectDatumOptions *own = palloc(sizeof(ConnectDatumOptions));

	*own = *options;
	plan->name = pstrdup(name);
	plan->options = own;
	plan->context = CurrentMemoryContext;
	plan->convert_encoding = GetDatabaseEncoding() != PG_UTF8 &&
		GetDatabaseEncoding() != PG_SQL_ASCII;
	plan->typmod = typmod;
	plan->type = getBaseTypeAndTypmod(type, &plan->typmod);
	if (plan->type != type)
		plan->domain = type;
	choose(plan);
	return plan;
}

bool
connect_datum_make(const ConnectDatumPlan *plan, const ConnectSchema *schema,
				   const ConnectValue *v, Datum *value, bool *isnull,
				   ConnectError *err)
{
	*isnull = v->kind == CONNECT_KIND_NULL;
	*value = (Datum) 0;
	if (!*isnull && !plan->make(plan, schema, v, value, err))
		return false;
	if (OidIsValid(plan->domain))
		domain_check(*value, *isnull, plan->domain,
					 &unconstify(ConnectDatumPlan *, plan)->domain_extra,
					 plan->context);
	return true;
}

static bool
refuse(const ConnectDatumPlan *plan, ConnectError *err, const char *reason)
{
	return connect_error_set(err, CONNECT_DATA_EXCEPTION, "Field \"%s\": %s",
							 plan->name, reason);
}

/* The type has no place for such a value; shows a short one. */
static bool
refuse_value(const ConnectDatumPlan *plan, const ConnectValue *v,
			 ConnectError *err)
{
	char	   *type = format_type_be(plan->type);

	switch ((ConnectKind) v->kind)
	{
		case CONNECT_KIND_STRING:
		case CONNECT_KIND_NUMBER_TEXT:
		case CONNECT_KIND_JSON_TEXT:
			{
				int			len = Min(v->len, 64);

				len = connect_utf8_valid_len(v->u.p, len);
				return refuse(plan, err,
							  psprintf("invalid value for type %s: \"%s%s\"",
									   type, pnstrdup(v->u.p, len),
									   len < v->len ? "..." : ""));
			}
		default:
			return refuse(plan, err,
						  psprintf("a value of %s is none of type %s",
								   connect_value_class(v), type));
	}
}

static inline bool
is_number_text(const ConnectValue *v)
{
	return v->kind == CONNECT_KIND_NUMBER_TEXT || v->kind == CONNECT_KIND_STRING;
}

static inline bool
is_integer(const ConnectValue *v)
{
	return v->kind >= CONNECT_KIND_INT8 && v->kind <= CONNECT_KIND_INT64;
}

/* Digits with at most one point, 18 of them at most; false if it is not so. */
static inline bool
short_decimal(const char *p, int len, int64 *unscaled, int *scale)
{
	const char *end = p + len;
	bool		negative;
	int64		u = 0;
	const char *point = NULL;

	if (len == 0 || len > 19)
		return false;
	negative = *p == '-';
	p += negative;
	if (p == end || end - p > 19)
		return false;
	for (; p < end; p++)
	{
		if (*p >= '0' && *p <= '9')
			u = u * 10 + (*p - '0');
		else if (*p == '.' && point == NULL)
			point = p;
		else
			return false;
	}
	if (end[-1] == '.' || end[-len + negative] == '.')
		return false;
	if (len - negative - (point != NULL) > 18)
		return false;
	*scale = point ? end - point - 1 : 0;
	*unscaled = negative ? -u : u;
	return true;
}

/* The value as a decimal; false if it is no finite number. */
static bool
to_decimal(const ConnectValue *v, ConnectValue *decimal)
{
	char		text[CONNECT_DOUBLE_TEXT_LEN];
	int64		unscaled;
	int			scale;

	switch ((ConnectKind) v->kind)
	{
		case CONNECT_KIND_INT8:
		case CONNECT_KIND_INT16:
		case CONNECT_KIND_INT32:
		case CONNECT_KIND_INT64:
			*decimal = connect_decimal_make(v->u.i, 0);
			return true;
		case CONNECT_KIND_DECIMAL:
		case CONNECT_KIND_BIG_DECIMAL:
			*decimal = *v;
			return true;
		case CONNECT_KIND_NUMBER_TEXT:
		case CONNECT_KIND_STRING:
		case CONNECT_KIND_BIG_INTEGER:
			if (short_decimal(v->u.p, v->len, &unscaled, &scale))
			{
				*decimal = connect_decimal_make(unscaled, scale);
				return true;
			}
			return connect_decimal_from_text(v->u.p, v->len, decimal);
		case CONNECT_KIND_FLOAT32:
		case CONNECT_KIND_FLOAT64:
			if (!isfinite(v->u.d))
				return false;
			return connect_decimal_from_text(text, v->kind ==
											 CONNECT_KIND_FLOAT32 ?
											 connect_float_text(v->u.d, text) :
											 connect_double_text(v->u.d, text),
											 decimal);
		default:
			return false;
	}
}

/* A whole number within 64 bits. */
static bool
to_int64(const ConnectValue *v, int64 *i)
{
	ConnectValue decimal;
	int			scale;

	if (is_integer(v))
	{
		*i = v->u.i;
		return true;
	}
	if (is_number_text(v) && short_decimal(v->u.p, v->len, i, &scale) &&
		scale == 0)
		return true;
	if (!to_decimal(v, &decimal) ||
		connect_decimal_scale(&decimal) < -19 ||
		!connect_decimal_rescale(&decimal, 0, &decimal) ||
		decimal.kind != CONNECT_KIND_DECIMAL)
		return false;
	*i = decimal.u.i;
	return true;
}

/*
 * As an INSERT casts what Connect's JDBC sinks bind: a double precision to the
 * nearest even number, a numeric away from zero.  Strings they bind as such.
 */
static bool
round_to_int64(const ConnectDatumPlan *plan, const ConnectSchema *schema,
			   const ConnectValue *v, int64 *i, ConnectError *err)
{
	ConnectValue decimal;
	Datum		numeric;
	double		d;
	bool		exact = v->kind == CONNECT_KIND_DECIMAL ||
		v->kind == CONNECT_KIND_BIG_DECIMAL ||
		(v->kind == CONNECT_KIND_NUMBER_TEXT && schema != NULL &&
		 schema->logical == CONNECT_LOGICAL_DECIMAL);

	if (v->kind == CONNECT_KIND_FLOAT32 || v->kind == CONNECT_KIND_FLOAT64)
		d = v->u.d;
	else if ((!exact && v->kind != CONNECT_KIND_NUMBER_TEXT) ||
			 !to_decimal(v, &decimal))
		return false;
	else if (exact)
	{
		if (!make_long_numeric(plan, &decimal, &numeric, err))
			return false;
		*i = DatumGetInt64(DirectFunctionCall1(numeric_int8, numeric));
		return true;
	}
	else
		d = connect_decimal_to_double(&decimal);
	d = rint(d);
	if (!FLOAT8_FITS_IN_INT64(d))
		return false;
	*i = (int64) d;
	return true;
}

static bool
make_integer(const ConnectDatumPlan *plan, const ConnectSchema *schema,
			 const ConnectValue *v, Datum *value, ConnectError *err)
{
	int64		i;

	if (!to_int64(v, &i) &&
		!(plan->options->rounds && plan->type != OIDOID &&
		  round_to_int64(plan, schema, v, &i, err)))
		return refuse_value(plan, v, err);
	if (plan->type == INT8OID)
	{
		*value = Int64GetDatum(i);
		return true;
	}
	if ((plan->type == INT4OID && i == (int32) i) ||
		(plan->type == INT2OID && i == (int16) i) ||
		(plan->type == OIDOID && i == (uint32) i))
	{
		*value = plan->type == INT2OID ? Int16GetDatum(i) :
			plan->type == INT4OID ? Int32GetDatum(i) : ObjectIdGetDatum(i);
		return true;
	}
	return refuse(plan, err, psprintf(INT64_FORMAT " is out of range for type %s",
									  i, format_type_be(plan->type)));
}

/* The numbers that JSON has no notation for. */
static bool
special_double(const ConnectValue *v, double *d)
{
	if (v->kind != CONNECT_KIND_STRING)
		return false;
	if (v->len == 3 && pg_strncasecmp(v->u.p, "NaN", 3) == 0)
		*d = NAN;
	else if (v->len == 8 && pg_strncasecmp(v->u.p, "Infinity", 8) == 0)
		*d = INFINITY;
	else if (v->len == 9 && pg_strncasecmp(v->u.p, "-Infinity", 9) == 0)
		*d = -INFINITY;
	else
		return false;
	return true;
}

static bool
make_float(const ConnectDatumPlan *plan, const ConnectSchema *schema,
		   const ConnectValue *v, Datum *value, ConnectError *err)
{
	ConnectValue decimal;
	double		d;

	if (v->kind == CONNECT_KIND_FLOAT64 || v->kind == CONNECT_KIND_FLOAT32)
		d = v->u.d;
	else if (is_integer(v))
		d = v->u.i;
	else if (!special_double(v, &d))
	{
		if (!to_decimal(v, &decimal))
			return refuse_value(plan, v, err);
		d = connect_decimal_to_double(&decimal);
		if (!isfinite(d))
			return refuse(plan, err, "the number is out of range");
	}
	if (plan->type == FLOAT8OID)
	{
		*value = Float8GetDatum(d);
		return true;
	}
	if (isfinite(d) && fabs(d) > FLT_MAX)
		return refuse(plan, err, "the number is out of range for type real");
	*value = Float4GetDatum((float) d);
	return true;
}

static bool
make_bool(const ConnectDatumPlan *plan, const ConnectSchema *schema,
		  const ConnectValue *v, Datum *value, ConnectError *err)
{
	bool		b;
	int64		i;

	if (v->kind == CONNECT_KIND_BOOLEAN)
		b = v->u.i != 0;
	else if (v->kind == CONNECT_KIND_STRING)
	{
		if (!parse_bool_with_len(v->u.p, v->len, &b))
			return refuse_value(plan, v, err);
	}
	else if (to_int64(v, &i) && (i == 0 || i == 1))
		b = i == 1;
	else
		return refuse_value(plan, v, err);
	*value = BoolGetDatum(b);
	return true;
}

/* unscaled, with half a unit of the new scale rounded away from zero. */
static bool
round_int64(int64 unscaled, int scale, int new_scale, int64 *result)
{
	static const int64 powers[] = {
		1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000,
		1000000000, INT64CONST(10000000000), INT64CONST(100000000000),
		INT64CONST(1000000000000), INT64CONST(10000000000000),
		INT64CONST(100000000000000), INT64CONST(1000000000000000),
		INT64CONST(10000000000000000), INT64CONST(100000000000000000),
		INT64CONST(1000000000000000000)
	};
	int			more = new_scale - scale;

	if (more == 0)
		*result = unscaled;
	else if (more > 0)
		return more < lengthof(powers) &&
			!pg_mul_s64_overflow(unscaled, powers[more], result);
	else
	{
		int64		power;
		int64		rest;

		if (-more >= lengthof(powers))
			return false;
		power = powers[-more];
		rest = unscaled % power;
		*result = unscaled / power;
		if (rest >= power / 2 && rest > 0)
			(*result)++;
		else if (-rest >= power / 2 && rest < 0)
			(*result)--;
	}
	return true;
}

/* Any number, through text. */
static bool
make_long_numeric(const ConnectDatumPlan *plan, const ConnectValue *decimal,
				  Datum *value, ConnectError *err)
{
	int			scale = connect_decimal_scale(decimal);
	StringInfoData text;

	if (scale > MAX_NUMERIC_SCALE || scale < -MAX_NUMERIC_WEIGHT)
		return refuse(plan, err, "the number is out of range for type numeric");
	initStringInfo(&text);
	connect_decimal_append_plain(&text, decimal);
	if (text.len - Max(scale, 0) > MAX_NUMERIC_WEIGHT)
		return refuse(plan, err, "the number is out of range for type numeric");
	*value = DirectFunctionCall3(numeric_in, CStringGetDatum(text.data),
								 ObjectIdGetDatum(InvalidOid),
								 Int32GetDatum(-1));
	if (plan->precision > 0)
	{
		StringInfoData limit;
		Datum		rounded = DirectFunctionCall2(numeric_round, *value,
												  Int32GetDatum(plan->scale));

		initStringInfo(&limit);
		appendStringInfo(&limit, "1e%d", plan->precision - plan->scale);
		if (DatumGetBool(DirectFunctionCall2(numeric_ge,
											 DirectFunctionCall1(numeric_abs, rounded),
											 DirectFunctionCall3(numeric_in,
																 CStringGetDatum(limit.data),
																 ObjectIdGetDatum(InvalidOid),
																 Int32GetDatum(-1)))))
			return refuse(plan, err,
						  psprintf("the number has more than %d digits before the point",
								   plan->precision - plan->scale));
		*value = plan->scale >= 0 ? rounded :
			DirectFunctionCall2(numeric, *value, Int32GetDatum(plan->typmod));
	}
	return true;
}

static bool
make_numeric(const ConnectDatumPlan *plan, const ConnectSchema *schema,
			 const ConnectValue *v, Datum *value, ConnectError *err)
{
	ConnectValue decimal;
	int64		unscaled = 0;
	double		d;

	if (!to_decimal(v, &decimal))
	{
		if (v->kind == CONNECT_KIND_FLOAT32 || v->kind == CONNECT_KIND_FLOAT64)
			d = v->u.d;
		else if (!special_double(v, &d))
			return refuse_value(plan, v, err);
		if (plan->precision > 0 && isinf(d))
			return refuse(plan, err, "infinity does not fit a numeric with precision");
		*value = DirectFunctionCall3(numeric_in,
									 CStringGetDatum(isnan(d) ? "NaN" : d > 0 ?
													 "Infinity" : "-Infinity"),
									 ObjectIdGetDatum(InvalidOid),
									 Int32GetDatum(-1));
		return true;
	}
	if (decimal.kind == CONNECT_KIND_DECIMAL && plan->precision == 0 &&
		decimal.len >= 0 && decimal.len <= 30)
	{
		*value = connect_numeric_make(decimal.u.i, decimal.len);
		return true;
	}
	if (decimal.kind == CONNECT_KIND_DECIMAL && plan->precision > 0 &&
		plan->precision <= 18 && plan->scale >= 0 && decimal.len >= 0 &&
		round_int64(decimal.u.i, decimal.len, plan->scale, &unscaled))
	{
		int64		limit = 1;

		for (int i = 0; i < plan->precision; i++)
			limit *= 10;
		if (unscaled >= limit || unscaled <= -limit)
			return refuse(plan, err,
						  psprintf("the number has more than %d digits before the point",
								   plan->precision - plan->scale));
		*value = connect_numeric_make(unscaled, plan->scale);
		return true;
	}
	return make_long_numeric(plan, &decimal, value, err);
}

/*
 * The value's text, in UTF-8.  Containers are JSON; dates and times are written
 * by their schema's logical type.
 */
static bool
to_text(const ConnectDatumPlan *plan, const ConnectSchema *schema,
		const ConnectValue *v, const char **p, int *len, ConnectError *err)
{
	static const ConnectJsonOptions json = {.decimal_numeric = true};
	StringInfoData text;

	if (v->kind == CONNECT_KIND_STRING || v->kind == CONNECT_KIND_NUMBER_TEXT ||
		v->kind == CONNECT_KIND_JSON_TEXT)
	{
		*p = v->u.p;
		*len = v->len;
		return true;
	}
	initStringInfo(&text);
	switch ((ConnectKind) v->kind)
	{
		case CONNECT_KIND_BYTES:
		case CONNECT_KIND_BYTEBUFFER:
			return refuse_value(plan, v, err);
		case CONNECT_KIND_ARRAY:
		case CONNECT_KIND_MAP:
		case CONNECT_KIND_STRUCT:
			if (!connect_json_append_value(&text, schema, v, &json, err))
				return refuse(plan, err, err->message);
			break;
		case CONNECT_KIND_DATE:
			if (schema != NULL && schema->logical == CONNECT_LOGICAL_DATE)
				connect_date_append_iso_date(&text, v->u.i);
			else if (schema != NULL && schema->logical == CONNECT_LOGICAL_TIME)
				connect_date_append_iso_time(&text, v->u.i);
			else
				connect_date_append_iso_timestamp(&text, v->u.i);
			break;
		case CONNECT_KIND_DECIMAL:
		case CONNECT_KIND_BIG_DECIMAL:
			/* A scale of a few bytes may ask for a gigabyte of zeros. */
			if (connect_decimal_scale(v) < -MAX_NUMERIC_WEIGHT ||
				connect_decimal_scale(v) > MAX_NUMERIC_WEIGHT)
				return refuse(plan, err, "the number is too long");
			connect_decimal_append_plain(&text, v);
			break;
		default:
			connect_value_append_string(&text, schema, v);
			break;
	}
	*p = text.data;
	*len = text.len;
	return true;
}

/* Checks UTF-8 and turns it into the server's encoding. */
static bool
to_server(const ConnectDatumPlan *plan, const char **p, int *len,
		  ConnectError *err)
{
	if (!pg_verify_mbstr(PG_UTF8, *p, *len, true))
		return refuse(plan, err,
					  memchr(*p, '\0', *len) != NULL ?
					  "the character \\u0000 has no place in a text" :
					  "the text holds a character that is none");
	if (unlikely(plan->convert_encoding))
	{
		*p = pg_any_to_server(pnstrdup(*p, *len), *len, PG_UTF8);
		*len = strlen(*p);
	}
	return true;
}

static bool
make_text(const ConnectDatumPlan *plan, const ConnectSchema *schema,
		  const ConnectValue *v, Datum *value, ConnectError *err)
{
	const char *p;
	int			len;
	int			padding = 0;
	int			limit = plan->typmod - (int32) VARHDRSZ;
	struct varlena *text;

	if (!to_text(plan, schema, v, &p, &len, err) ||
		!to_server(plan, &p, &len, err))
		return false;
	if (limit >= 0 && plan->type != TEXTOID)
	{
		int			nchars = len <= limit && plan->type == VARCHAROID ? len :
			pg_mbstrlen_with_len(p, len);

		if (nchars > limit)
		{
			int			fit = pg_mbcharcliplen(p, len, limit);

			for (int i = fit; i < len; i++)
			{
				if (p[i] != ' ')
					return refuse(plan, err,
								  psprintf("the text is longer than %d characters",
										   limit));
			}
			len = fit;
		}
		else if (plan->type == BPCHAROID)
			padding = limit - nchars;
	}
	text = palloc(VARHDRSZ + len + padding);
	SET_VARSIZE(text, VARHDRSZ + len + padding);
	memcpy(VARDATA(text), p, len);
	memset(VARDATA(text) + len, ' ', padding);
	*value = PointerGetDatum(text);
	return true;
}

static bool
make_input_from(const ConnectDatumPlan *plan, const char *p, int len,
				Datum *value, ConnectError *err)
{
	char	   *message;

	if (!to_server(plan, &p, &len, err))
		return false;
	if (!connect_compat_input(unconstify(FmgrInfo *, &plan->input),
							  pnstrdup(p, len), plan->ioparam, plan->typmod,
							  value, &message))
		return refuse(plan, err, message);
	return true;
}

static bool
make_input(const ConnectDatumPlan *plan, const ConnectSchema *schema,
		   const ConnectValue *v, Datum *value, ConnectError *err)
{
	const char *p;
	int			len;

	return to_text(plan, schema, v, &p, &len, err) &&
		make_input_from(plan, p, len, value, err);
}

/* A number is what the Connect type counts: days, or milliseconds. */
static bool
make_datetime(const ConnectDatumPlan *plan, const ConnectSchema *schema,
		  const ConnectValue *v, Datum *value, ConnectError *err)
{
	ConnectLogical logical = CONNECT_LOGICAL_TIMESTAMP;
	const char *problem;
	int64		i;

	if (v->kind == CONNECT_KIND_STRING)
	{
		ConnectIsoTime time;

		if (!connect_iso_time_parse(v->u.p, v->len, &time))
			return make_input(plan, schema, v, value, err);
		problem = connect_datum_from_iso(&time, plan->type, plan->typmod,
										 plan->options, value);
	}
	else
	{
		if (v->kind == CONNECT_KIND_DATE)
		{
			i = v->u.i;
			if (schema != NULL && schema->logical != CONNECT_LOGICAL_NONE)
				logical = schema->logical;
		}
		else if (!to_int64(v, &i))
			return refuse_value(plan, v, err);
		else if (plan->type == DATEOID)
		{
			logical = CONNECT_LOGICAL_DATE;
			if (pg_mul_s64_overflow(i, CONNECT_MS_PER_DAY, &i))
				return refuse(plan, err, "the date is out of range");
		}
		else if (plan->type == TIMEOID)
		{
			logical = CONNECT_LOGICAL_TIME;
			if (i < 0 || i > CONNECT_MS_PER_DAY)
				return refuse(plan, err, "the time is out of range");
		}
		problem = connect_datum_from_ms(logical, i, plan->type, plan->typmod,
										plan->options, value);
	}
	return problem == NULL || refuse(plan, err, problem);
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool
make_uuid(const ConnectDatumPlan *plan, const ConnectSchema *schema,
		  const ConnectValue *v, Datum *value, ConnectError *err)
{
	pg_uuid_t  *uuid;
	const char *p = v->u.p;

	if (v->kind != CONNECT_KIND_STRING)
		return refuse_value(plan, v, err);
	if (v->len != 36)
		return make_input(plan, schema, v, value, err);
	uuid = palloc(sizeof(pg_uuid_t));
	for (int i = 0; i < UUID_LEN; i++)
	{
		int			high;
		int			low;

		if ((i == 4 || i == 6 || i == 8 || i == 10) && *p++ != '-')
			return make_input(plan, schema, v, value, err);
		high = hex_digit(*p++);
		low = hex_digit(*p++);
		if (high < 0 || low < 0)
			return refuse_value(plan, v, err);
		uuid->data[i] = high << 4 | low;
	}
	*value = UUIDPGetDatum(uuid);
	return true;
}

/* Text is hexadecimal after \x, else base64, as JSON has bytes. */
static bool
make_bytea(const ConnectDatumPlan *plan, const ConnectSchema *schema,
		   const ConnectValue *v, Datum *value, ConnectError *err)
{
	const char *p = v->u.p;
	int			len = v->len;
	struct varlena *bytes;

	if (v->kind == CONNECT_KIND_STRING && len >= 2 && p[0] == '\\' &&
		p[1] == 'x')
		return make_input(plan, schema, v, value, err);
	if (v->kind == CONNECT_KIND_STRING)
	{
		StringInfoData decoded;

		initStringInfo(&decoded);
		if (connect_base64_decode(p, len, &decoded) != NULL)
			return refuse(plan, err, "the text is neither base64 nor hexadecimal after \\x");
		p = decoded.data;
		len = decoded.len;
	}
	else if (v->kind != CONNECT_KIND_BYTES && v->kind != CONNECT_KIND_BYTEBUFFER)
		return refuse_value(plan, v, err);
	bytes = palloc(VARHDRSZ + len);
	SET_VARSIZE(bytes, VARHDRSZ + len);
	memcpy(VARDATA(bytes), p, len);
	*value = PointerGetDatum(bytes);
	return true;
}

static bool
make_json(const ConnectDatumPlan *plan, const ConnectSchema *schema,
		  const ConnectValue *v, Datum *value, ConnectError *err)
{
	static const ConnectJsonOptions json = {.decimal_numeric = true};
	StringInfoData text;

	if (v->kind == CONNECT_KIND_JSON_TEXT ||
		(v->kind == CONNECT_KIND_STRING && plan->options->json_text))
		return make_input(plan, schema, v, value, err);
	initStringInfo(&text);
	if (!connect_json_append_value(&text, schema, v, &json, err))
		return refuse(plan, err, err->message);
	return make_input_from(plan, text.data, text.len, value, err);
}

/* Collects the elements of an array of ndims dimensions. */
static bool
collect(const ConnectDatumPlan *plan, const ConnectSchema *schema,
		const ConnectValue *v, int ndims, const int *dims, Datum *values,
		bool *isnull, int *n, ConnectError *err)
{
	if (v->kind != CONNECT_KIND_ARRAY || v->len != dims[0])
		return refuse(plan, err, "an array's parts must be arrays of one length");
	for (int i = 0; i < v->len; i++)
	{
		const ConnectSchema *elem = schema ? schema->value_schema : NULL;

		if (ndims > 1)
		{
			if (!collect(plan, elem, &v->u.elems[i], ndims - 1, dims + 1,
						 values, isnull, n, err))
				return false;
			continue;
		}
		if (!connect_datum_make(plan->element, elem, &v->u.elems[i],
								&values[*n], &isnull[*n], err))
			return false;
		(*n)++;
	}
	return true;
}

static bool
make_array(const ConnectDatumPlan *plan, const ConnectSchema *schema,
		   const ConnectValue *v, Datum *value, ConnectError *err)
{
	ConnectValue parsed;
	const ConnectValue *level;
	int			dims[MAXDIM];
	int			lbs[MAXDIM];
	int			ndims = 0;
	int64		total = 1;
	Datum	   *values;
	bool	   *isnull;
	int			n = 0;

	if (v->kind == CONNECT_KIND_STRING)
		return make_input(plan, schema, v, value, err);
	if (v->kind == CONNECT_KIND_JSON_TEXT)
	{
		ConnectJsonReader reader;

		connect_json_reader_init(&reader, v->u.p, v->len,
								 CONNECT_JSON_NUMBER_TEXT, err);
		if (!connect_json_read_value(&reader, &parsed))
			return refuse(plan, err, "malformed JSON");
		v = &parsed;
		schema = NULL;
	}
	if (v->kind != CONNECT_KIND_ARRAY)
		return refuse_value(plan, v, err);
	for (level = v; level->kind == CONNECT_KIND_ARRAY; level = level->u.elems)
	{
		if (ndims == MAXDIM)
			return refuse(plan, err, "the array has too many dimensions");
		dims[ndims] = level->len;
		lbs[ndims++] = 1;
		total *= level->len;
		if (total == 0)
			break;
		if (total > MaxAllocSize / sizeof(Datum))
			return refuse(plan, err, "the array is too large");
	}
	if (total == 0)
	{
		*value = PointerGetDatum(construct_empty_array(plan->element->type));
		return true;
	}
	values = palloc(total * sizeof(Datum));
	isnull = palloc(total * sizeof(bool));
	if (!collect(plan, schema, v, ndims, dims, values, isnull, &n, err))
		return false;
	*value = PointerGetDatum(construct_md_array(values, isnull, ndims, dims,
												lbs, OidIsValid(plan->element->domain) ?
												plan->element->domain :
												plan->element->type,
												plan->typlen, plan->typbyval,
												plan->typalign));
	return true;
}

static void
choose(ConnectDatumPlan *plan)
{
	Oid			input;
	Oid			element;

	getTypeInputInfo(plan->type, &input, &plan->ioparam);
	fmgr_info(input, &plan->input);
	switch (plan->type)
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case OIDOID:
			plan->make = make_integer;
			return;
		case FLOAT4OID:
		case FLOAT8OID:
			plan->make = make_float;
			return;
		case BOOLOID:
			plan->make = make_bool;
			return;
		case NUMERICOID:
			plan->make = make_numeric;
			if (plan->typmod >= (int32) VARHDRSZ)
			{
				int32		packed = plan->typmod - VARHDRSZ;

				plan->precision = (packed >> 16) & 0xFFFF;
				plan->scale = ((packed & 0x7FF) ^ 1024) - 1024;
			}
			return;
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
			plan->make = make_text;
			return;
		case DATEOID:
		case TIMEOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			plan->make = make_datetime;
			return;
		case UUIDOID:
			plan->make = make_uuid;
			return;
		case BYTEAOID:
			plan->make = make_bytea;
			return;
		case JSONOID:
		case JSONBOID:
			plan->make = make_json;
			return;
		default:
			break;
	}
	element = get_element_type(plan->type);
	if (!OidIsValid(element))
	{
		plan->make = make_input;
		return;
	}
	plan->make = make_array;
	plan->element = connect_datum_plan_make(plan->name, element, plan->typmod,
											plan->options);
	get_typlenbyvalalign(element, &plan->typlen, &plan->typbyval,
						 &plan->typalign);
}
