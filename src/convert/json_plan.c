/*
 * json_plan.c
 *	  Decoding a JSON object straight into the fields that are wanted.
 */
#include "pure.h"

#include <math.h>

#include "convert/json_plan.h"
#include "convert/json_schemas.h"

/* A member as the last record had it in its place. */
typedef struct Expected
{
	char	   *key;			/* with its quotes, as it stood there */
	int			key_len;
	int			field;			/* wanted field, -1 = none */
	uint64		schema_id;		/* for which schema_field holds */
	int			schema_field;	/* -1 = none */
} Expected;

struct ConnectJsonPlan
{
	int			flags;
	int			n;
	const char **names;
	int		   *name_lens;
	MemoryContext context;
	Expected   *expected;		/* by place of the member */
	int			nexpected;
	bool	   *present;
	ConnectJsonUnknown *unknown;
	int			maxunknown;
	ConnectJsonOptions options;
	ConnectJsonSchemas *schemas;
};

#define MAX_SCHEMAS		1000
/* Members beyond this one are not foreseen. */
#define MAX_EXPECTED	2000

static bool decode_value(ConnectJsonPlan *plan, ConnectJsonReader *r,
						 ConnectValue *cells, ConnectJsonResult *result,
						 ConnectError *err);
static bool decode_object(ConnectJsonPlan *plan, ConnectJsonReader *r,
						  ConnectValue *cells, ConnectJsonResult *result,
						  ConnectError *err);
static bool fill_missing(ConnectJsonPlan *plan, ConnectValue *cells,
						 ConnectJsonResult *result, ConnectError *err);
static bool is_strict(const ConnectSchema *schema, const ConnectValue *node);

ConnectJsonPlan *
connect_json_plan_make(const char *const *names, int n, int flags)
{
	ConnectJsonPlan *plan = palloc0(sizeof(ConnectJsonPlan));

	plan->flags = flags;
	plan->n = n;
	plan->names = palloc(Max(n, 1) * sizeof(char *));
	plan->name_lens = palloc(Max(n, 1) * sizeof(int));
	for (int i = 0; i < n; i++)
	{
		plan->names[i] = pstrdup(names[i]);
		plan->name_lens[i] = strlen(names[i]);
	}
	plan->context = CurrentMemoryContext;
	plan->present = palloc(Max(n, 1) * sizeof(bool));
	plan->options.schemas_enable = (flags & CONNECT_JSON_PLAN_SCHEMAS) != 0;
	plan->options.replace_null = (flags & CONNECT_JSON_PLAN_DEFAULTS) != 0;
	if (plan->options.schemas_enable)
		plan->schemas = connect_json_schemas_make(&plan->options, MAX_SCHEMAS);
	return plan;
}

bool
connect_json_plan_decode(ConnectJsonPlan *plan, const char *data, int len,
						 ConnectValue *cells, ConnectJsonResult *result,
						 ConnectError *err)
{
	ConnectJsonReader r;
	ConnectValue payload;
	const char *p;

	memset(result, 0, sizeof(*result));
	result->present = plan->present;
	memset(plan->present, 0, plan->n);
	for (int i = 0; i < plan->n; i++)
		cells[i] = connect_value_null();
	if (data == NULL)
	{
		result->is_null = true;
		return true;
	}
	connect_json_reader_init(&r, data, len, CONNECT_JSON_NUMBER_TEXT |
							 CONNECT_JSON_NO_SURROGATES, err);
	if (plan->schemas == NULL)
	{
		connect_json_skip_blanks(&r);
		if (r.p == r.end)
		{
			result->is_null = true;
			return true;
		}
		return decode_value(plan, &r, cells, result, err);
	}

	if (connect_json_schemas_known(plan->schemas, &r, &p, &result->schema))
	{
		const char *start = r.p;

		r.p = p;
		r.depth = 1;
		if (!decode_value(plan, &r, cells, result, err))
			return false;
		connect_json_skip_blanks(&r);
		if (r.p < r.end && *r.p == '}')
			return true;
		r.p = start;
		r.depth = 0;
	}
	if (!connect_json_schemas_envelope(plan->schemas, &r, &result->schema,
									   &payload, err))
		return false;
	if (r.nmembers != 2)
		return connect_error_set(err, CONNECT_DATA_EXCEPTION,
								 "a member of the JSON envelope is repeated");
	r.p = r.payload;
	r.depth = 1;
	return decode_value(plan, &r, cells, result, err);
}

/* A value as it is wanted of a schemaless record. */
static bool
read_raw(ConnectJsonReader *r, ConnectValue *out)
{
	const char *start;

	connect_json_skip_blanks(r);
	if (r->p == r->end || (*r->p != '{' && *r->p != '['))
		return connect_json_read_value(r, out);
	start = r->p;
	if (!connect_json_skip_value(r))
		return false;
	*out = connect_value_text(CONNECT_KIND_JSON_TEXT, start, r->p - start);
	return true;
}

/* A value under a schema; name is for errors. */
static bool
read_typed(ConnectJsonPlan *plan, ConnectJsonReader *r, const char *name,
		   int name_len, const ConnectSchema *schema, ConnectValue *out,
		   ConnectError *err)
{
	ConnectValue node;

	if (!connect_json_read_value(r, &node))
		return false;
	if (schema->type == CONNECT_FLOAT32 || schema->type == CONNECT_FLOAT64)
	{
		/* written in quotes, as JSON has no such numbers */
		if (node.kind == CONNECT_KIND_STRING && node.len >= 3 &&
			schema->logical == CONNECT_LOGICAL_NONE)
		{
			double		d = 0;

			if (node.len == 3 && memcmp(node.u.p, "NaN", 3) == 0)
				d = NAN;
			else if (node.len == 8 && memcmp(node.u.p, "Infinity", 8) == 0)
				d = INFINITY;
			else if (node.len == 9 && memcmp(node.u.p, "-Infinity", 9) == 0)
				d = -INFINITY;
			if (d != 0)
			{
				*out = connect_value_double(schema->type == CONNECT_FLOAT32 ?
											CONNECT_KIND_FLOAT32 :
											CONNECT_KIND_FLOAT64, d);
				return true;
			}
		}
	}
	if (!is_strict(schema, &node))
		return connect_error_set(err, CONNECT_DATA_EXCEPTION,
								 "Field \"%.*s\": the JSON value does not fit its schema's type %s",
								 name_len, name,
								 connect_type_name(schema->type));
	if (!connect_json_to_value(schema, &node, &plan->options, out, err))
	{
		connect_error_set(err, CONNECT_DATA_EXCEPTION, "Field \"%.*s\": %s",
						  name_len, name, err->message);
		return false;
	}
	return true;
}

/* The object, or what stands in its place. */
static bool
decode_value(ConnectJsonPlan *plan, ConnectJsonReader *r,
			 ConnectValue *cells, ConnectJsonResult *result,
			 ConnectError *err)
{
	ConnectSchema *schema = result->schema;

	connect_json_skip_blanks(r);
	if (r->p < r->end && *r->p == '{' &&
		(schema == NULL || schema->type == CONNECT_STRUCT))
	{
		result->is_object = true;
		return decode_object(plan, r, cells, result, err) &&
			fill_missing(plan, cells, result, err);
	}
	if (schema == NULL)
	{
		if (!read_raw(r, &result->value))
			return false;
	}
	else if (!read_typed(plan, r, "payload", 7, schema, &result->value, err))
		return false;
	result->is_null = result->value.kind == CONNECT_KIND_NULL;
	return true;
}

static void
set_expected(ConnectJsonPlan *plan, int place, const char *key, int key_len,
			 const ConnectValue *name, Expected *out)
{
	MemoryContext old;

	out->field = -1;
	for (int i = 0; i < plan->n; i++)
	{
		if (plan->name_lens[i] == name->len &&
			memcmp(plan->names[i], name->u.p, name->len) == 0)
			out->field = i;
	}
	out->schema_id = 0;
	out->schema_field = -1;
	if (place >= MAX_EXPECTED)
		return;

	old = MemoryContextSwitchTo(plan->context);
	if (plan->expected == NULL)
		plan->expected = palloc0(MAX_EXPECTED * sizeof(Expected));
	if (place < plan->nexpected)
		pfree(plan->expected[place].key);
	else
		plan->nexpected = place + 1;
	out->key = palloc(key_len);
	memcpy(out->key, key, key_len);
	/* a name with escapes never matches, or it would have to be kept as well */
	out->key_len = name->len == key_len - 2 ? key_len : PG_INT32_MAX;
	plan->expected[place] = *out;
	MemoryContextSwitchTo(old);
}

/* Reads a member's name, up to and with the colon. */
static bool
read_name(ConnectJsonPlan *plan, ConnectJsonReader *r, int place,
		  Expected **expected, Expected *spare, ConnectValue *name)
{
	const char *key = r->p;
	Expected   *e;

	if (likely(place < plan->nexpected))
	{
		e = &plan->expected[place];
		if (likely(r->end - r->p > e->key_len &&
				   memcmp(r->p, e->key, e->key_len) == 0))
		{
			r->p += e->key_len;
			*expected = e;
			*name = connect_value_text(CONNECT_KIND_STRING, key + 1,
									   e->key_len - 2);
			goto colon;
		}
	}
	if (r->p == r->end)
		return connect_json_unexpected_end(r, ": expected close marker for Object", NULL);
	if (*r->p != '"')
		return connect_json_unexpected(r, r->p,
									   "was expecting double-quote to start field name");
	if (!connect_json_read_string(r, name))
		return false;
	set_expected(plan, place, key, r->p - key, name, spare);
	*expected = place < MAX_EXPECTED ? &plan->expected[place] : spare;

colon:
	connect_json_skip_blanks(r);
	if (r->p == r->end)
		return connect_json_unexpected_end(r, " within/between Object entries",
										   NULL);
	if (*r->p != ':')
		return connect_json_unexpected(r, r->p,
									   "was expecting a colon to separate field name and value");
	r->p++;
	return true;
}

static bool
add_unknown(ConnectJsonPlan *plan, ConnectJsonResult *result,
			const ConnectValue *name, const ConnectValue *value,
			ConnectSchema *schema)
{
	if (result->nunknown == plan->maxunknown)
	{
		MemoryContext old = MemoryContextSwitchTo(plan->context);
		int			max = Max(16, plan->maxunknown * 2);

		if (plan->unknown == NULL)
			plan->unknown = palloc(max * sizeof(ConnectJsonUnknown));
		else
			plan->unknown = repalloc(plan->unknown,
									 max * sizeof(ConnectJsonUnknown));
		plan->maxunknown = max;
		MemoryContextSwitchTo(old);
	}
	plan->unknown[result->nunknown].name = *name;
	plan->unknown[result->nunknown].value = *value;
	plan->unknown[result->nunknown].schema = schema;
	result->nunknown++;
	result->unknown = plan->unknown;
	return true;
}

/* r->p is at the opening brace. */
static bool
decode_object(ConnectJsonPlan *plan, ConnectJsonReader *r,
			  ConnectValue *cells, ConnectJsonResult *result,
			  ConnectError *err)
{
	const ConnectSchema *schema = result->schema;
	const char *open = r->p++;

	r->depth++;
	connect_json_skip_blanks(r);
	if (r->p < r->end && *r->p == '}')
	{
		r->p++;
		r->depth--;
		return true;
	}
	for (int place = 0;; place++)
	{
		Expected	spare;
		Expected   *e = NULL;
		ConnectValue name;
		ConnectValue value;
		ConnectSchema *field_schema = NULL;

		connect_json_skip_blanks(r);
		if (!read_name(plan, r, place, &e, &spare, &name))
			return false;
		if (schema != NULL)
		{
			if (unlikely(e->schema_id != schema->id))
			{
				e->schema_id = schema->id;
				e->schema_field = connect_schema_field(schema, name.u.p,
													   name.len);
			}
			if (e->schema_field >= 0)
				field_schema = schema->fields[e->schema_field].schema;
		}

		/* a member that the schema does not have does not count */
		if ((e->field < 0 && (plan->flags & CONNECT_JSON_PLAN_UNKNOWN) == 0) ||
			(schema != NULL && field_schema == NULL))
		{
			if (!connect_json_skip_value(r))
				return false;
		}
		else
		{
			if (!(field_schema == NULL ? read_raw(r, &value) :
				  read_typed(plan, r, name.u.p, name.len, field_schema,
							 &value, err)))
				return false;
			if (e->field >= 0)
			{
				cells[e->field] = value;
				plan->present[e->field] = true;
			}
			else
				add_unknown(plan, result, &name, &value, field_schema);
		}

		connect_json_skip_blanks(r);
		if (r->p == r->end)
			return connect_json_unexpected_end(r, ": expected close marker for Object",
											   open);
		if (*r->p == '}')
			break;
		if (*r->p != ',')
			return connect_json_unexpected(r, r->p,
										   "was expecting comma to separate Object entries");
		r->p++;
	}
	r->p++;
	r->depth--;
	return true;
}

/* With a schema, fields without a member are null, or their default. */
static bool
fill_missing(ConnectJsonPlan *plan, ConnectValue *cells,
			 ConnectJsonResult *result, ConnectError *err)
{
	const ConnectSchema *schema = result->schema;

	for (int i = 0; schema != NULL && i < plan->n; i++)
	{
		int			field;

		if (plan->present[i])
			continue;
		field = connect_schema_field(schema, plan->names[i],
									 plan->name_lens[i]);
		if (field < 0)
			continue;
		if (!connect_json_to_value(schema->fields[field].schema, NULL,
								   &plan->options, &cells[i], err))
			return connect_error_set(err, CONNECT_DATA_EXCEPTION,
									 "Field \"%s\": %s", plan->names[i],
									 err->message);
		plan->present[i] = true;
	}
	return true;
}

/* Whether node is of the JSON type that a value of schema is written as. */
static bool
is_strict(const ConnectSchema *schema, const ConnectValue *node)
{
	ConnectValue decimal;
	int			bits;

	if (node->kind == CONNECT_KIND_NULL ||
		schema->logical != CONNECT_LOGICAL_NONE)
		return true;			/* connect_json_to_value() sees to these */
	switch (schema->type)
	{
		case CONNECT_INT8:
		case CONNECT_INT16:
		case CONNECT_INT32:
		case CONNECT_INT64:
			bits = 8 << (schema->type - CONNECT_INT8);
			return node->kind == CONNECT_KIND_NUMBER_TEXT &&
				connect_json_number_is_integral(node) &&
				connect_decimal_from_text(node->u.p, node->len, &decimal) &&
				decimal.kind == CONNECT_KIND_DECIMAL &&
				decimal.u.i <= PG_INT64_MAX >> (64 - bits) &&
				decimal.u.i >= PG_INT64_MIN >> (64 - bits);
		case CONNECT_FLOAT32:
		case CONNECT_FLOAT64:
			return node->kind == CONNECT_KIND_NUMBER_TEXT;
		case CONNECT_BOOLEAN:
			return node->kind == CONNECT_KIND_BOOLEAN;
		case CONNECT_STRING:
		case CONNECT_BYTES:
			return node->kind == CONNECT_KIND_STRING;
		case CONNECT_ARRAY:
			if (node->kind != CONNECT_KIND_ARRAY)
				return false;
			for (int i = 0; i < node->len; i++)
			{
				if (!is_strict(schema->value_schema, &node->u.elems[i]))
					return false;
			}
			return true;
		case CONNECT_MAP:
			if (node->kind != CONNECT_KIND_MAP &&
				node->kind != CONNECT_KIND_ARRAY)
				return false;
			/* one with other keys than strings is an array of pairs */
			for (int i = 0; i < node->len; i++)
			{
				const ConnectValue *value = &node->u.elems[2 * i + 1];

				if (node->kind != CONNECT_KIND_MAP)
				{
					if (node->u.elems[i].kind != CONNECT_KIND_ARRAY ||
						node->u.elems[i].len != 2 ||
						!is_strict(schema->key_schema,
								   &node->u.elems[i].u.elems[0]))
						return false;
					value = &node->u.elems[i].u.elems[1];
				}
				if (!is_strict(schema->value_schema, value))
					return false;
			}
			return true;
		case CONNECT_STRUCT:
			for (int i = 0; i < schema->nfields; i++)
			{
				const ConnectValue *value =
					connect_value_field(NULL, node, schema->fields[i].name,
										schema->fields[i].name_len);

				if (value != NULL &&
					!is_strict(schema->fields[i].schema, value))
					return false;
			}
			return true;
	}
	return false;
}
