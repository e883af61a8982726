/*
 * argument.c
 *	  Records as the array that a function is called with.
 *
 * NOTES
 *	  Task process, inside the batch's transaction.
 *
 *	  The function's declaration decides the form.  connect.record takes the
 *	  record as a whole; another composite type takes the value, each column the
 *	  field of its name, as a table would; any other type takes the value as it
 *	  is.  Composite columns are filled in the same way.
 *
 *	  Values that are plain JSON are left undecoded by the runtime.  Where jsonb
 *	  or json is wanted their text is taken as it is; else it is read with
 *	  numbers as text, so that no digit is lost on the way.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

#include "convert/json_read.h"
#include "convert/json_write.h"
#include "function/function.h"
#include "record/datum.h"

/* The parts of a record, by the names of columns. */
typedef enum Part
{
	PART_TOPIC,
	PART_PARTITION,
	PART_OFFSET,
	PART_TIMESTAMP,
	PART_TIMESTAMP_TYPE,
	PART_KEY,
	PART_VALUE,
	PART_HEADERS,
	NPARTS
} Part;

static const char *const part_names[NPARTS] = {
	"topic", "partition", "offset", "timestamp", "timestamp_type", "key",
	"value", "headers"
};

/* Where a value goes: a composite type's columns, or one Datum. */
typedef struct Target
{
	Oid			type;
	const char *name;			/* for errors */
	ConnectDatumPlan *plan;		/* not composite */
	bool		is_json;

	/* composite */
	TupleDesc	desc;
	uint64		identifier;		/* of desc */
	struct Target **columns;	/* by attribute; NULL = dropped */
	int		   *guess;			/* column of the i-th member, last time */
	int			nguess;
} Target;

struct FunctionArgument
{
	Oid			elem;
	int16		typlen;
	bool		typbyval;
	char		typalign;
	bool		is_record;		/* columns are parts of the record … */
	Part	   *parts;			/* … these, by attribute */
	bool		ignore_unknown;
	bool		plain_json;
	Target	   *target;
};

static bool fill(FunctionArgument *argument, Target *target,
				 const ConnectSchema *schema, const ConnectValue *v,
				 Datum *value, bool *isnull, ConnectError *err);

/* connect.record */
static Oid
record_type(void)
{
	return GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid,
						   CStringGetDatum("record"),
						   ObjectIdGetDatum(get_namespace_oid("connect", false)));
}

Oid
connect_function_record_array(void)
{
	return get_array_type(record_type());
}

static int
find_part(const char *name)
{
	for (int i = 0; i < NPARTS; i++)
	{
		if (strcmp(part_names[i], name) == 0)
			return i;
	}
	return -1;
}

char *
connect_function_argument_refuse(Oid type, FunctionForm form, char **hint)
{
	Oid			elem = get_element_type(type);
	TupleDesc	desc;
	char	   *problem = NULL;

	if (!OidIsValid(elem) || get_typtype(elem) == TYPTYPE_PSEUDO)
		return "does not take a batch of records";
	if (form != FUNCTION_FORM_RECORD)
		return NULL;
	if (get_typtype(elem) != TYPTYPE_COMPOSITE)
	{
		*hint = "Declare it with an array of a composite type, or set \"argument.form\" to auto.";
		return "takes a type without columns for the parts of a record";
	}
	desc = lookup_rowtype_tupdesc_copy(elem, -1);
	for (int i = 0; i < desc->natts && problem == NULL; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (att->attisdropped || find_part(NameStr(att->attname)) >= 0)
			continue;
		problem = psprintf("takes a type whose column \"%s\" is no part of a record",
						   NameStr(att->attname));
		*hint = "Parts are topic, partition, offset, timestamp, timestamp_type, key, value and headers; to fill columns from the value's fields set \"argument.form\" to value.";
	}
	return problem;
}

static Target *
target_make(const char *name, Oid type, int32 typmod)
{
	static const ConnectDatumOptions options = {.proleptic = true};
	Target	   *target = palloc0(sizeof(Target));

	target->type = type;
	target->name = pstrdup(name);
	if (get_typtype(type) != TYPTYPE_COMPOSITE)
	{
		Oid			base = getBaseType(type);

		target->is_json = base == JSONBOID || base == JSONOID;
		target->plan = connect_datum_plan_make(name, type, typmod, &options);
		return target;
	}
	target->identifier = lookup_type_cache(type, TYPECACHE_TUPDESC)->tupDesc_identifier;
	target->desc = lookup_rowtype_tupdesc_copy(type, typmod);
	target->columns = palloc0(Max(target->desc->natts, 1) * sizeof(Target *));
	for (int i = 0; i < target->desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(target->desc, i);

		if (!att->attisdropped)
			target->columns[i] = target_make(NameStr(att->attname),
											 att->atttypid, att->atttypmod);
	}
	return target;
}

FunctionArgument *
connect_function_argument_make(Oid elem, FunctionForm form,
							   bool ignore_unknown, bool plain_json)
{
	FunctionArgument *argument = palloc0(sizeof(FunctionArgument));
	Target	   *target = target_make("value", elem, -1);

	argument->elem = elem;
	argument->target = target;
	argument->ignore_unknown = ignore_unknown;
	argument->plain_json = plain_json;
	get_typlenbyvalalign(elem, &argument->typlen, &argument->typbyval,
						 &argument->typalign);
	argument->is_record = form == FUNCTION_FORM_RECORD ||
		(form == FUNCTION_FORM_AUTO && elem == record_type());
	if (argument->is_record)
	{
		argument->parts = palloc0(Max(target->desc->natts, 1) * sizeof(Part));
		for (int i = 0; i < target->desc->natts; i++)
		{
			if (target->columns[i] != NULL)
				argument->parts[i] = find_part(target->columns[i]->name);
		}
	}
	return argument;
}

static bool
target_is_current(const Target *target)
{
	if (target->desc == NULL)
		return true;
	if (lookup_type_cache(target->type, TYPECACHE_TUPDESC)->tupDesc_identifier !=
		target->identifier)
		return false;
	for (int i = 0; i < target->desc->natts; i++)
	{
		if (target->columns[i] != NULL &&
			!target_is_current(target->columns[i]))
			return false;
	}
	return true;
}

bool
connect_function_argument_is_current(const FunctionArgument *argument)
{
	return target_is_current(argument->target);
}

/* ---- a value by its fields ---- */

static bool
read_json(const char *data, int len, ConnectValue *out, ConnectError *err)
{
	ConnectJsonReader reader;
	bool		missing = false;

	connect_json_reader_init(&reader, data, len, CONNECT_JSON_NUMBER_TEXT |
							 CONNECT_JSON_NO_SURROGATES, err);
	if (!connect_json_read(&reader, out, &missing))
		return false;
	if (missing)
		*out = connect_value_null();
	return true;
}

/* The column for the i-th member: exact, then without regard to case. */
static int
find_column(Target *target, int i, const char *name, int len)
{
	const Target *guess = NULL;

	if (i >= target->nguess)
	{
		MemoryContext context = GetMemoryChunkContext(target);
		int			n = Max(16, 2 * (i + 1));
		int		   *larger = MemoryContextAllocZero(context, n * sizeof(int));

		if (target->nguess > 0)
			memcpy(larger, target->guess, target->nguess * sizeof(int));
		target->guess = larger;
		target->nguess = n;
	}
	if (target->guess[i] < target->desc->natts)
		guess = target->columns[target->guess[i]];
	if (guess != NULL && strlen(guess->name) == len &&
		strncmp(guess->name, name, len) == 0)
		return target->guess[i];
	for (int pass = 0; pass < 2; pass++)
	{
		for (int k = 0; k < target->desc->natts; k++)
		{
			const Target *column = target->columns[k];

			if (column == NULL || strlen(column->name) != len ||
				(pass == 0 ? strncmp(column->name, name, len) :
				 pg_strncasecmp(column->name, name, len)) != 0)
				continue;
			if (pass == 0)
				target->guess[i] = k;
			return k;
		}
	}
	return -1;
}

static bool
fill_columns(FunctionArgument *argument, Target *target,
			 const ConnectSchema *schema, const ConnectValue *v,
			 Datum *value, ConnectError *err)
{
	int			natts = target->desc->natts;
	Datum	   *values = palloc0(Max(natts, 1) * sizeof(Datum));
	bool	   *nulls = palloc(Max(natts, 1) * sizeof(bool));
	ConnectValue parsed;

	if (v->kind == CONNECT_KIND_JSON_TEXT)
	{
		if (!read_json(v->u.p, v->len, &parsed, err))
			return false;
		v = &parsed;
		schema = NULL;
	}
	if (v->kind != CONNECT_KIND_STRUCT && v->kind != CONNECT_KIND_MAP)
		return connect_error_set(err, CONNECT_DATA_EXCEPTION,
								 "\"%s\" is no object, %s has columns",
								 target->name, format_type_be(target->type));

	memset(nulls, true, Max(natts, 1) * sizeof(bool));
	for (int i = 0; i < v->len; i++)
	{
		const ConnectValue *member;
		const ConnectSchema *member_schema;
		const char *name;
		int			len;
		int			column;

		if (v->kind == CONNECT_KIND_STRUCT)
		{
			name = schema->fields[i].name;
			len = schema->fields[i].name_len;
			member = &v->u.elems[i];
			member_schema = schema->fields[i].schema;
		}
		else
		{
			const ConnectValue *key = &v->u.elems[2 * i];

			if (key->kind != CONNECT_KIND_STRING)
				return connect_error_set(err, CONNECT_DATA_EXCEPTION,
										 "\"%s\" is a map whose keys are no strings",
										 target->name);
			name = key->u.p;
			len = key->len;
			member = &v->u.elems[2 * i + 1];
			member_schema = schema ? schema->value_schema : NULL;
		}
		column = find_column(target, i, name, len);
		if (column >= 0)
		{
			if (!fill(argument, target->columns[column], member_schema, member,
					  &values[column], &nulls[column], err))
				return false;
		}
		else if (!argument->ignore_unknown)
			return connect_error_set(err, CONNECT_DATA_EXCEPTION,
									 "field \"%s\" has no column in %s; add one, or set \"unknown.fields\" to ignore",
									 pnstrdup(name, len),
									 format_type_be(target->type));
	}
	*value = HeapTupleGetDatum(heap_form_tuple(target->desc, values, nulls));
	return true;
}

static bool
fill(FunctionArgument *argument, Target *target, const ConnectSchema *schema,
	 const ConnectValue *v, Datum *value, bool *isnull, ConnectError *err)
{
	if (target->desc == NULL)
		return connect_datum_make(target->plan, schema, v, value, isnull, err);
	*value = (Datum) 0;
	*isnull = v->kind == CONNECT_KIND_NULL;
	return *isnull || fill_columns(argument, target, schema, v, value, err);
}

/* ---- a record ---- */

/* A tombstone, as Kafka or as JSON says it. */
static bool
is_null_text(const ConnectBytes *bytes)
{
	return bytes->data == NULL || bytes->len == 0 ||
		(bytes->len == 4 && memcmp(bytes->data, "null", 4) == 0);
}

static bool
fill_value(FunctionArgument *argument, Target *target, ConnectTask *task,
		   ConnectRecord *record, Datum *value, bool *isnull,
		   ConnectError *err)
{
	if (!record->value_decoded && argument->plain_json)
	{
		ConnectValue v;

		if (is_null_text(&record->raw_value))
			v = connect_value_null();
		else if (target->is_json || target->desc != NULL)
			v = connect_value_text(CONNECT_KIND_JSON_TEXT,
								   record->raw_value.data,
								   record->raw_value.len);
		else if (!read_json(record->raw_value.data, record->raw_value.len, &v,
							err))
			return false;
		return fill(argument, target, NULL, &v, value, isnull, err);
	}
	return (record->value_decoded ||
			connect_task_decode_value(task, record, err)) &&
		fill(argument, target, record->value_schema, &record->value, value,
			 isnull, err);
}

/* As one JSON object: of headers with one name the last one counts. */
static bool
headers_value(const ConnectRecord *record, ConnectValue *v, ConnectError *err)
{
	static const ConnectJsonOptions json = {.decimal_numeric = true};
	StringInfoData text;

	*v = connect_value_null();
	if (record->nheaders == 0)
		return true;
	initStringInfo(&text);
	appendStringInfoChar(&text, '{');
	for (int i = 0; i < record->nheaders; i++)
	{
		const ConnectHeader *header = &record->headers[i];

		if (i > 0)
			appendStringInfoChar(&text, ',');
		connect_json_append_string(&text, header->name, strlen(header->name));
		appendStringInfoChar(&text, ':');
		if (!connect_json_append_value(&text, header->schema, &header->value,
									   &json, err))
			return false;
	}
	appendStringInfoChar(&text, '}');
	*v = connect_value_text(CONNECT_KIND_JSON_TEXT, text.data, text.len);
	return true;
}

static bool
fill_part(FunctionArgument *argument, Part part, Target *target,
		  ConnectTask *task, ConnectRecord *record, Datum *value, bool *isnull,
		  ConnectError *err)
{
	static const char *const timestamp_types[] = {
		NULL, "CreateTime", "LogAppendTime"
	};
	ConnectValue v = connect_value_null();

	switch (part)
	{
		case PART_TOPIC:
			v = connect_value_string(record->topic);
			break;
		case PART_PARTITION:
			v = connect_value_int(CONNECT_KIND_INT32, record->partition);
			break;
		case PART_OFFSET:
			v = connect_value_int(CONNECT_KIND_INT64, record->offset);
			break;
		case PART_TIMESTAMP:
			if (record->timestamp >= 0)
				v = connect_value_int(CONNECT_KIND_INT64, record->timestamp);
			break;
		case PART_TIMESTAMP_TYPE:
			if (timestamp_types[record->timestamp_type] != NULL)
				v = connect_value_string(timestamp_types[record->timestamp_type]);
			break;
		case PART_KEY:
			return fill(argument, target, record->key_schema, &record->key,
						value, isnull, err);
		case PART_VALUE:
			return fill_value(argument, target, task, record, value, isnull,
							  err);
		case PART_HEADERS:
			if (!headers_value(record, &v, err))
				return false;
			break;
		case NPARTS:
			break;
	}
	return fill(argument, target, NULL, &v, value, isnull, err);
}

bool
connect_function_element(FunctionArgument *argument, ConnectTask *task,
						 ConnectRecord *record, Datum *value, bool *isnull,
						 ConnectError *err)
{
	Target	   *target = argument->target;
	int			natts;
	Datum	   *values;
	bool	   *nulls;

	if (!argument->is_record)
		return fill_value(argument, target, task, record, value, isnull, err);

	natts = target->desc->natts;
	values = palloc0(natts * sizeof(Datum));
	nulls = palloc(natts * sizeof(bool));
	for (int i = 0; i < natts; i++)
	{
		nulls[i] = true;
		if (target->columns[i] != NULL &&
			!fill_part(argument, argument->parts[i], target->columns[i], task,
					   record, &values[i], &nulls[i], err))
			return false;
	}
	*value = HeapTupleGetDatum(heap_form_tuple(target->desc, values, nulls));
	*isnull = false;
	return true;
}

Oid
connect_function_array_type(const FunctionArgument *argument)
{
	return get_array_type(argument->elem);
}

Datum
connect_function_array(const FunctionArgument *argument, Datum *values,
					   bool *nulls, int n)
{
	int			lower = 1;

	return PointerGetDatum(construct_md_array(values, nulls, 1, &n, &lower,
											  argument->elem, argument->typlen,
											  argument->typbyval,
											  argument->typalign));
}
