/*
 * offset.c
 *	  Source partitions and offsets, as the JDBC connectors write them.
 *
 * NOTES
 *	  A timestamp is milliseconds since the epoch with the nanoseconds inside
 *	  its second beside it, so the millisecond part is written twice.  Parts
 *	  that are missing mean: from the start.
 */
#include "postgres.h"

#include "common/int.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "jdbcsource/jdbcsource.h"

#define EPOCH_US \
	((int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY)

/* The JSON object in text, or NULL if it is none. */
static Jsonb *
parse_object(const char *json)
{
	Jsonb	   *result = DatumGetJsonbP(DirectFunctionCall1(jsonb_in,
															CStringGetDatum(json)));

	return JB_ROOT_IS_OBJECT(result) ? result : NULL;
}

/* False if the key is there and no integer of 64 bits; *value is kept if it is not there. */
static bool
read_integer(Jsonb *object, const char *key, int64 *value, bool *found)
{
	JsonbValue	buf;
	JsonbValue *v;
	Numeric		floor;

	v = getKeyJsonValueFromContainer(&object->root, key, strlen(key), &buf);
	*found = false;
	if (v == NULL || v->type == jbvNull)
		return true;
	if (v->type != jbvNumeric || numeric_is_nan(v->val.numeric) ||
		numeric_is_inf(v->val.numeric))
		return false;
	floor = DatumGetNumeric(DirectFunctionCall1(numeric_floor,
												NumericGetDatum(v->val.numeric)));
	if (!DatumGetBool(DirectFunctionCall2(numeric_eq, NumericGetDatum(floor),
										  NumericGetDatum(v->val.numeric))) ||
		!DatumGetBool(DirectFunctionCall2(numeric_le, NumericGetDatum(floor),
										  DirectFunctionCall1(int8_numeric, Int64GetDatum(PG_INT64_MAX)))) ||
		!DatumGetBool(DirectFunctionCall2(numeric_ge, NumericGetDatum(floor),
										  DirectFunctionCall1(int8_numeric, Int64GetDatum(PG_INT64_MIN)))))
		return false;
	*value = DatumGetInt64(DirectFunctionCall1(numeric_int8,
											   NumericGetDatum(floor)));
	*found = true;
	return true;
}

bool
connect_jdbc_offset_parse(const char *json, ConnectJdbcOffset *offset,
						  char **message)
{
	Jsonb	   *object = parse_object(json);
	int64		ms = 0;
	int64		nanos = 0;
	bool		has_ms;
	bool		has_nanos;
	bool		has_id;

	offset->id = PG_INT64_MIN;
	offset->ts = DT_NOBEGIN;
	if (object == NULL)
	{
		*message = "an offset must be an object";
		return false;
	}
	if (!read_integer(object, "incrementing", &offset->id, &has_id))
		*message = "\"incrementing\" must be an integer of 64 bits";
	else if (!read_integer(object, "timestamp", &ms, &has_ms))
		*message = "\"timestamp\" must be milliseconds since the epoch";
	else if (!read_integer(object, "timestamp_nanos", &nanos, &has_nanos) ||
			 nanos < 0 || nanos > 999999999)
		*message = "\"timestamp_nanos\" must be from 0 to 999999999";
	else if (has_ms)
	{
		int64		second = ms / 1000 - (ms % 1000 < 0);
		int64		us = has_nanos ? nanos / 1000 : (ms - second * 1000) * 1000;

		if (pg_mul_s64_overflow(second, USECS_PER_SEC, &second) ||
			pg_add_s64_overflow(second, us - EPOCH_US, &offset->ts) ||
			!IS_VALID_TIMESTAMP(offset->ts))
		{
			*message = "\"timestamp\" is out of range";
			return false;
		}
		return true;
	}
	else
		return true;
	return false;
}

void
connect_jdbc_offset_format(StringInfo out, bool timestamp, bool incrementing,
						   const ConnectJdbcOffset *offset)
{
	const char *comma = "";

	appendStringInfoChar(out, '{');
	if (timestamp && offset->ts != DT_NOBEGIN)
	{
		int64		us = offset->ts + EPOCH_US;
		int64		second = us / USECS_PER_SEC - (us % USECS_PER_SEC < 0);
		int64		rest = us - second * USECS_PER_SEC;

		appendStringInfo(out, "\"timestamp_nanos\":" INT64_FORMAT ",\"timestamp\":" INT64_FORMAT,
						 rest * 1000, second * 1000 + rest / 1000);
		comma = ",";
	}
	if (incrementing && offset->id != PG_INT64_MIN)
		appendStringInfo(out, "%s\"incrementing\":" INT64_FORMAT, comma, offset->id);
	appendStringInfoChar(out, '}');
}

char *
connect_jdbc_partition(const char *dotted)
{
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfoString(&buf, "{\"protocol\":\"1\",\"table\":");
	escape_json(&buf, dotted);
	appendStringInfoChar(&buf, '}');
	return buf.data;
}

char *
connect_jdbc_partition_v0(const char *name)
{
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfoString(&buf, "{\"table\":");
	escape_json(&buf, name);
	appendStringInfoChar(&buf, '}');
	return buf.data;
}

/* Whether object has the key with a text value, which must be value if given. */
static bool
has_text(Jsonb *object, const char *key, const char *value)
{
	JsonbValue	buf;
	JsonbValue *v;

	v = getKeyJsonValueFromContainer(&object->root, key, strlen(key), &buf);
	return v != NULL && v->type == jbvString &&
		(value == NULL ||
		 (strlen(value) == v->val.string.len &&
		  memcmp(value, v->val.string.val, v->val.string.len) == 0));
}

void
connect_jdbc_alter_offsets(const ConnectConfig *cfg,
						   const ConnectOffset *offsets, int n)
{
	const char *mode = connect_config_get(cfg, "mode");

	for (int i = 0; i < n; i++)
	{
		Jsonb	   *partition = parse_object(offsets[i].partition);
		ConnectJdbcOffset offset;
		char	   *message;
		int			keys = partition ? JB_ROOT_COUNT(partition) : 0;

		if (!(keys == 1 && has_text(partition, "query", "query")) &&
			!(keys == 1 && has_text(partition, "table", NULL)) &&
			!(keys == 2 && has_text(partition, "table", NULL) &&
			  has_text(partition, "protocol", "1")))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("%s is no source partition of this connector",
							offsets[i].partition),
					 errhint("Partitions are {\"protocol\":\"1\",\"table\":\"schema.table\"} and {\"query\":\"query\"}.")));
		if (offsets[i].offset == NULL)
			continue;
		if (mode != NULL && strcmp(mode, "bulk") == 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("mode bulk keeps no offsets")));
		if (!connect_jdbc_offset_parse(offsets[i].offset, &offset, &message))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("offset of %s: %s", offsets[i].partition, message)));
	}
}
