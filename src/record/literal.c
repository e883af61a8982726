/*
 * literal.c
 *	  Values as literals.
 *
 * NOTES
 *	  The reader follows the original token by token, so that it agrees in odd
 *	  cases too: "10:11" is the number 10, [1,"a"] has no element schema, a
 *	  number with a fraction is a float whenever it is in a float's range.
 *
 *	  Time zone is UTC, the calendar that of Java's old classes.
 */
#include "pure.h"

#include <math.h>

#include "record/base64.h"
#include "record/calendar.h"
#include "record/literal.h"

#define MAX_DEPTH	500

/*
 * The tokenizer.  Delimiters are tokens of their own unless a backslash stands
 * before them.
 */
typedef struct Literal
{
	const char *start;
	const char *end;
	const char *p;				/* first character not yet in a token */
	const char *next;			/* a token looked at and not taken, or NULL */
	int			next_len;
	bool		after_comma;	/* the last token taken was a comma */
	int			depth;
	bool		too_deep;
} Literal;

/* What an element or entry turned out to be; schema NULL = null. */
typedef struct Parsed
{
	ConnectSchema *schema;
	ConnectValue value;
} Parsed;

/* The schema that all of several values have, as far as there is one. */
typedef struct Merger
{
	ConnectSchema *common;
	bool		compatible;
} Merger;

typedef struct Elements
{
	ConnectValue *cells;
	int			ncells;
	int			maxcells;
} Elements;

static bool parse(Literal *lit, bool embedded, Parsed *result);
static bool parse_token(Literal *lit, bool embedded, const char *token,
						int len, Parsed *result);
static bool parse_array(Literal *lit, Parsed *result);
static bool parse_map(Literal *lit, Parsed *result);
static bool parse_quoted(Literal *lit, Parsed *result);
static bool parse_number(const char *p, int len, Parsed *result);
static bool parse_temporal(const char *p, int len, Parsed *result);
static bool align(const ConnectSchema *schema, ConnectValue *v);

bool
connect_literal_parse(const char *text, int len, ConnectSchema **schema,
					  ConnectValue *value)
{
	Literal		lit = {.start = text, .p = text, .end = text + len};
	Parsed		result;

	if (len == 0)
	{
		*schema = connect_schema_make(CONNECT_STRING);
		*value = connect_value_text(CONNECT_KIND_STRING, text, len);
		return true;
	}
	if (!parse(&lit, false, &result))
		return false;
	*schema = result.schema;
	*value = result.value;
	return true;
}

static inline bool
is_delimiter(char c)
{
	switch (c)
	{
		case '"':
		case ',':
		case ':':
		case '[':
		case ']':
		case '{':
		case '}':
			return true;
		default:
			return false;
	}
}

/* Java's trim() */
static void
trim(const char **p, int *len)
{
	while (*len > 0 && (unsigned char) **p <= ' ')
	{
		(*p)++;
		(*len)--;
	}
	while (*len > 0 && (unsigned char) (*p)[*len - 1] <= ' ')
		(*len)--;
}

static bool
is_blank(const char *p, int len)
{
	trim(&p, &len);
	return len == 0;
}

static void
scan_token(Literal *lit, const char **token, int *len)
{
	bool		escaped = false;

	*token = lit->p;
	for (; lit->p < lit->end; lit->p++)
	{
		if (*lit->p == '\\')
			escaped = !escaped;
		else if (is_delimiter(*lit->p) && !escaped)
		{
			if (lit->p == *token)
				lit->p++;
			break;
		}
		else
			escaped = false;
	}
	*len = lit->p - *token;
}

static bool
has_next(Literal *lit)
{
	return lit->next != NULL || lit->p < lit->end;
}

static const char *
mark(Literal *lit)
{
	return lit->next != NULL ? lit->next : lit->p;
}

static void
rewind_to(Literal *lit, const char *position)
{
	lit->p = position;
	lit->next = NULL;
}

static void
take(Literal *lit, const char **token, int *len)
{
	if (lit->next != NULL)
	{
		*token = lit->next;
		*len = lit->next_len;
		lit->next = NULL;
	}
	else
		scan_token(lit, token, len);
	lit->after_comma = *len == 1 && **token == ',';
}

/* Takes the next token if it is expected; blanks around do not count. */
static bool
consume(Literal *lit, const char *expected)
{
	const char *p;
	int			len;

	if (lit->next == NULL)
	{
		if (lit->p == lit->end)
			return false;
		scan_token(lit, &lit->next, &lit->next_len);
	}
	while (is_blank(lit->next, lit->next_len) && lit->p < lit->end)
		scan_token(lit, &lit->next, &lit->next_len);
	p = lit->next;
	len = lit->next_len;
	trim(&p, &len);
	if (len != strlen(expected) || memcmp(p, expected, len) != 0)
		return false;
	take(lit, &p, &len);
	return true;
}

static bool
consume_word(Literal *lit, bool embedded, const char *word)
{
	const char *start = mark(lit);

	if (consume(lit, word) && (embedded || !has_next(lit)))
		return true;
	rewind_to(lit, start);
	return false;
}

static Parsed
parsed(ConnectSchema *schema, ConnectValue value)
{
	Parsed		result = {schema, value};

	return result;
}

static Parsed
parsed_text(const char *p, int len)
{
	return parsed(connect_schema_make(CONNECT_STRING),
				  connect_value_text(CONNECT_KIND_STRING, p, len));
}

/*
 * False where the original raises: the containers around give up, and the
 * outermost text is a string.
 */
static bool
parse(Literal *lit, bool embedded, Parsed *result)
{
	const char *start;
	const char *token;
	int			len;
	bool		(*container) (Literal *, Parsed *) = NULL;
	bool		ok = false;

	*result = parsed(NULL, connect_value_null());
	if (!has_next(lit))
		return true;
	if (embedded && consume(lit, "\""))
		return parse_quoted(lit, result);
	if (consume_word(lit, embedded, "null"))
		return true;
	for (int i = 0; i <= 1; i++)
	{
		if (consume_word(lit, embedded, i ? "true" : "false"))
		{
			*result = parsed(connect_schema_make(CONNECT_BOOLEAN),
							 connect_value_int(CONNECT_KIND_BOOLEAN, i));
			return true;
		}
	}

	start = mark(lit);
	if (lit->depth == MAX_DEPTH)
	{
		lit->too_deep = true;
		return false;
	}
	lit->depth++;
	if (consume(lit, "["))
		container = parse_array;
	else if (consume(lit, "{"))
		container = parse_map;
	if (container != NULL)
	{
		ok = container(lit, result);
		if (!ok)
			rewind_to(lit, start);
	}
	lit->depth--;
	if (ok || lit->too_deep)
		return ok;

	take(lit, &token, &len);
	if (is_blank(token, len))
	{
		*result = parsed_text(token, len);
		return true;
	}
	trim(&token, &len);
	return parse_token(lit, embedded, token, len, result);
}

static bool
parse_token(Literal *lit, bool embedded, const char *token, int len,
			Parsed *result)
{
	bool		digit = *token >= '0' && *token <= '9';

	if (digit)
	{
		/* a colon is a delimiter: the times are five tokens */
		const char *start = mark(lit);
		int			i;

		for (i = 0; i < 4 && has_next(lit); i++)
		{
			const char *more;
			int			more_len;

			take(lit, &more, &more_len);
		}
		if (i == 4)
		{
			StringInfoData joined;

			initStringInfo(&joined);
			appendBinaryStringInfo(&joined, token, len);
			appendBinaryStringInfo(&joined, start, mark(lit) - start);
			if (parse_temporal(joined.data, joined.len, result))
				return true;
		}
		rewind_to(lit, start);
		if (parse_temporal(token, len, result))
			return true;
	}
	if ((digit || *token == '+' || *token == '-') &&
		parse_number(token, len, result))
		return true;
	if (embedded)
		return false;
	*result = parsed_text(lit->start, lit->end - lit->start);
	return true;
}

/* Text up to the next quote, escapes left in it. */
static bool
parse_quoted(Literal *lit, Parsed *result)
{
	StringInfoData text;

	initStringInfo(&text);
	while (has_next(lit) && !consume(lit, "\""))
	{
		const char *token;
		int			len;

		take(lit, &token, &len);
		appendBinaryStringInfo(&text, token, len);
	}
	if (!parse_temporal(text.data, text.len, result))
		*result = parsed_text(text.data, text.len);
	return true;
}

/* The schema that fits values of both; NULL if there is none. */
static ConnectSchema *
merge(ConnectSchema *a, ConnectSchema *b)
{
	bool		a_float = a->type == CONNECT_FLOAT32 || a->type == CONNECT_FLOAT64;
	bool		b_float = b->type == CONNECT_FLOAT32 || b->type == CONNECT_FLOAT64;

	if (a->type == b->type)
		return b;
	if (a->type > CONNECT_FLOAT64 || b->type > CONNECT_FLOAT64)
		return NULL;
	if (a_float != b_float)
		return a_float ? a : b;
	return a->type > b->type ? a : b;
}

static void
merger_add(Merger *merger, const Parsed *latest)
{
	if (latest->schema == NULL || !merger->compatible)
		return;
	merger->common = merger->common == NULL ? latest->schema :
		merge(merger->common, latest->schema);
	merger->compatible = merger->common != NULL;
}

static void
add_cell(Elements *elements, const ConnectValue *v)
{
	if (elements->ncells == elements->maxcells)
	{
		elements->maxcells = Max(16, elements->maxcells * 2);
		if (elements->cells == NULL)
			elements->cells = palloc(elements->maxcells * sizeof(*v));
		else
			elements->cells = repalloc(elements->cells,
									   elements->maxcells * sizeof(*v));
	}
	elements->cells[elements->ncells++] = *v;
}

static bool
parse_array(Literal *lit, Parsed *result)
{
	Elements	elements = {0};
	Merger		merger = {.compatible = true};

	while (has_next(lit))
	{
		Parsed		element;
		const char *position;

		if (consume(lit, "]"))
		{
			ConnectSchema *schema = connect_schema_make(CONNECT_ARRAY);

			schema->value_schema = merger.common;
			for (int i = 0; merger.common != NULL && i < elements.ncells; i++)
			{
				if (!align(merger.common, &elements.cells[i]))
					return false;
			}
			*result = parsed(schema, connect_value_elems(CONNECT_KIND_ARRAY,
														 elements.cells,
														 elements.ncells));
			return true;
		}
		if (consume(lit, ",") || !parse(lit, true, &element))
			return false;
		merger_add(&merger, &element);
		add_cell(&elements, &element.value);

		position = mark(lit);
		if (consume(lit, "]"))
			rewind_to(lit, position);
		else if (!consume(lit, ","))
			return false;
	}
	return false;
}

static bool
parse_map(Literal *lit, Parsed *result)
{
	Elements	elements = {0};
	Merger		keys = {.compatible = true};
	Merger		values = {.compatible = true};

	while (has_next(lit))
	{
		Parsed		key;
		Parsed		value;
		int			i;

		if (consume(lit, "}"))
		{
			ConnectSchema *schema = connect_schema_make(CONNECT_MAP);

			schema->key_schema = keys.common;
			if (keys.common != NULL)
				schema->value_schema = values.common;
			for (i = 0; keys.common != NULL && i < elements.ncells; i++)
			{
				ConnectSchema *target = i % 2 == 0 ? keys.common : values.common;

				if (target != NULL && !align(target, &elements.cells[i]))
					return false;
			}
			*result = parsed(schema, connect_value_elems(CONNECT_KIND_MAP,
														 elements.cells,
														 elements.ncells / 2));
			return true;
		}
		if (consume(lit, ",") || !parse(lit, true, &key) ||
			key.value.kind == CONNECT_KIND_NULL || !consume(lit, ":") ||
			!parse(lit, true, &value))
			return false;
		for (i = 0; i < elements.ncells; i += 2)
		{
			if (connect_value_equal(&elements.cells[i], &key.value))
				break;
		}
		if (i < elements.ncells)
			elements.cells[i + 1] = value.value;
		else
		{
			add_cell(&elements, &key.value);
			add_cell(&elements, &value.value);
		}
		consume(lit, ",");
		merger_add(&keys, &key);
		merger_add(&values, &value);
	}
	return false;
}

/*
 * Turns an element into a value of the schema that all have; false where the
 * original cannot.
 */
static bool
align(const ConnectSchema *schema, ConnectValue *v)
{
	bool		integer = v->kind >= CONNECT_KIND_INT8 &&
		v->kind <= CONNECT_KIND_INT64;

	if (v->kind == CONNECT_KIND_NULL)
		return false;
	if (schema->logical != CONNECT_LOGICAL_NONE &&
		schema->logical != CONNECT_LOGICAL_DECIMAL)
	{
		if (v->kind == CONNECT_KIND_DATE)
			return true;
		if (!integer)
			return false;
		if (schema->logical == CONNECT_LOGICAL_DATE)
			v->u.i *= CONNECT_MS_PER_DAY;
		else if (schema->logical == CONNECT_LOGICAL_TIME &&
				 (v->u.i < 0 || v->u.i > CONNECT_MS_PER_DAY))
			return false;
		v->kind = CONNECT_KIND_DATE;
		return true;
	}
	switch (schema->type)
	{
		case CONNECT_INT8:
		case CONNECT_INT16:
		case CONNECT_INT32:
		case CONNECT_INT64:
			if (!integer)
				return false;
			v->kind = CONNECT_KIND_INT8 + (schema->type - CONNECT_INT8);
			return true;
		case CONNECT_FLOAT32:
		case CONNECT_FLOAT64:
			if (!integer && v->kind != CONNECT_KIND_FLOAT32 &&
				v->kind != CONNECT_KIND_FLOAT64)
				return false;
			if (integer)
				v->u.d = (double) v->u.i;
			v->kind = schema->type == CONNECT_FLOAT32 ?
				CONNECT_KIND_FLOAT32 : CONNECT_KIND_FLOAT64;
			if (schema->type == CONNECT_FLOAT32)
				v->u.d = (float) v->u.d;
			return true;
		default:
			return true;
	}
}

/*
 * A whole number within 64 bits, 1.0 and 1e3 too; NULL schema in *result if it
 * is none.
 */
static void
parse_whole(const ConnectValue *decimal, Parsed *result)
{
	ConnectValue whole;
	int64		i;
	int			size;

	*result = parsed(NULL, connect_value_null());
	if (decimal->kind == CONNECT_KIND_DECIMAL && decimal->u.i == 0)
		i = 0;
	else if (connect_decimal_scale(decimal) < -19 ||
			 !connect_decimal_rescale(decimal, 0, &whole) ||
			 whole.kind != CONNECT_KIND_DECIMAL)
		return;
	else
		i = whole.u.i;
	size = i == (int8) i ? 0 : i == (int16) i ? 1 : i == (int32) i ? 2 : 3;
	*result = parsed(connect_schema_make(CONNECT_INT8 + size),
					 connect_value_int(CONNECT_KIND_INT8 + size, i));
}

static bool
parse_number(const char *p, int len, Parsed *result)
{
	ConnectValue decimal;
	int			scale;
	double		d;
	float		f;
	char	   *text;

	if (!connect_decimal_from_text(p, len, &decimal))
		return false;
	parse_whole(&decimal, result);
	if (result->schema != NULL)
		return true;
	scale = connect_decimal_scale(&decimal);
	text = pnstrdup(p, len);
	d = strtod(text, NULL);
	f = strtof(text, NULL);
	pfree(text);
	if (scale != 0 && isfinite(f))
		*result = parsed(connect_schema_make(CONNECT_FLOAT32),
						 connect_value_double(CONNECT_KIND_FLOAT32, f));
	else if (scale != 0 && isfinite(d))
		*result = parsed(connect_schema_make(CONNECT_FLOAT64),
						 connect_value_double(CONNECT_KIND_FLOAT64, d));
	else
		*result = parsed(connect_schema_make_logical(CONNECT_LOGICAL_DECIMAL,
													 scale), decimal);
	return true;
}

/* One part of a date: blanks, digits; years beyond Java's are none. */
static bool
scan_part(const char **p, const char *end, int64 *value)
{
	const char *start;

	while (*p < end && (**p == ' ' || **p == '\t'))
		(*p)++;
	start = *p;
	*value = 0;
	while (*p < end && **p >= '0' && **p <= '9')
	{
		*value = *value * 10 + (*(*p)++ - '0');
		if (*value > 100000000)
			return false;
	}
	return *p > start;
}

/*
 * By length: yyyy-MM-dd, HH:mm:ss.SSSZ, or both with a T between.  As Java's
 * lenient format: parts out of range carry over, what follows does not count.
 */
static bool
parse_temporal(const char *p, int len, Parsed *result)
{
	static const char *const patterns[] = {
		[CONNECT_LOGICAL_DATE] = "n-n-n",
		[CONNECT_LOGICAL_TIME] = "n:n:n.nZ",
		[CONNECT_LOGICAL_TIMESTAMP] = "n-n-nTn:n:n.nZ",
	};
	ConnectLogical logical;
	StringInfoData text;
	const char *end;
	int64		parts[7] = {1970, 1, 1, 0, 0, 0, 0};
	int			part;
	int64		ms;

	initStringInfo(&text);
	for (int i = 0; i < len; i++)
	{
		if (p[i] == '\\' && i + 1 < len && p[i + 1] == ':')
			continue;
		appendStringInfoCharMacro(&text, p[i]);
		if (text.len > 24)
			break;
	}
	if (text.len == 10)
		logical = CONNECT_LOGICAL_DATE;
	else if (text.len == 13)
		logical = CONNECT_LOGICAL_TIME;
	else if (text.len == 24)
		logical = CONNECT_LOGICAL_TIMESTAMP;
	else
		return false;

	p = text.data;
	end = p + text.len;
	part = logical == CONNECT_LOGICAL_TIME ? 3 : 0;
	for (const char *pattern = patterns[logical]; *pattern != '\0'; pattern++)
	{
		if (*pattern == 'n')
		{
			if (!scan_part(&p, end, &parts[part++]))
				return false;
		}
		else if (p == end || *p++ != *pattern)
			return false;
	}
	ms = connect_java_days(parts[0] + (parts[1] - 1) / 12,
						   (parts[1] + 11) % 12 + 1, parts[2]) *
		CONNECT_MS_PER_DAY + parts[3] * 3600000 + parts[4] * 60000 +
		parts[5] * 1000 + parts[6];
	*result = parsed(connect_schema_make_logical(logical, 0),
					 connect_value_int(CONNECT_KIND_DATE, ms));
	return true;
}

static void
append_quoted(StringInfo buf, const char *p, int len)
{
	appendStringInfoChar(buf, '"');
	for (int i = 0; i < len; i++)
	{
		if (p[i] == '"' || p[i] == '\\')
			appendStringInfoChar(buf, '\\');
		appendStringInfoChar(buf, p[i]);
	}
	appendStringInfoChar(buf, '"');
}

static bool
append_value(StringInfo buf, const ConnectSchema *schema,
			 const ConnectValue *v, bool embedded, ConnectError *err)
{
	const ConnectSchema *elem = schema ? schema->value_schema : NULL;
	const ConnectSchema *key = schema ? schema->key_schema : NULL;

	switch ((ConnectKind) v->kind)
	{
		case CONNECT_KIND_STRING:
		case CONNECT_KIND_JSON_TEXT:
			if (embedded)
				append_quoted(buf, v->u.p, v->len);
			else
				appendBinaryStringInfo(buf, v->u.p, v->len);
			return true;
		case CONNECT_KIND_BYTES:
		case CONNECT_KIND_BYTEBUFFER:
			if (embedded)
				appendStringInfoChar(buf, '"');
			connect_base64_append(buf, v->u.p, v->len);
			if (embedded)
				appendStringInfoChar(buf, '"');
			return true;
		case CONNECT_KIND_ARRAY:
			appendStringInfoChar(buf, '[');
			for (int i = 0; i < v->len; i++)
			{
				if (i > 0)
					appendStringInfoChar(buf, ',');
				if (!append_value(buf, elem, &v->u.elems[i], true, err))
					return false;
			}
			appendStringInfoChar(buf, ']');
			return true;
		case CONNECT_KIND_MAP:
			appendStringInfoChar(buf, '{');
			for (int i = 0; i < v->len; i++)
			{
				if (i > 0)
					appendStringInfoChar(buf, ',');
				if (!append_value(buf, key, &v->u.elems[2 * i], true, err))
					return false;
				appendStringInfoChar(buf, ':');
				if (!append_value(buf, elem, &v->u.elems[2 * i + 1], true,
								  err))
					return false;
			}
			appendStringInfoChar(buf, '}');
			return true;
		case CONNECT_KIND_STRUCT:
			appendStringInfoChar(buf, '{');
			for (int i = 0; i < v->len; i++)
			{
				const ConnectField *field = &schema->fields[i];
				const ConnectValue *value = &v->u.elems[i];

				if (value->kind == CONNECT_KIND_NULL &&
					field->schema->has_default)
					value = &field->schema->default_value;
				if (i > 0)
					appendStringInfoChar(buf, ',');
				append_quoted(buf, field->name, field->name_len);
				appendStringInfoChar(buf, ':');
				if (!append_value(buf, field->schema, value, true, err))
					return false;
			}
			appendStringInfoChar(buf, '}');
			return true;
		case CONNECT_KIND_DATE:
			if (v->u.i < CONNECT_MS_PER_DAY)
				connect_date_append_iso_time(buf, v->u.i);
			else if (v->u.i % CONNECT_MS_PER_DAY == 0)
				connect_date_append_iso_date(buf, v->u.i);
			else
				connect_date_append_iso_timestamp(buf, v->u.i);
			return true;
		case CONNECT_KIND_CHAR:
			{
				StringInfoData text;

				initStringInfo(&text);
				connect_value_append_string(&text, schema, v);
				return connect_error_set(err, CONNECT_DATA_EXCEPTION,
										 "Failed to serialize unexpected value type java.lang.Character: %s",
										 text.data);
			}
		default:
			connect_value_append_string(buf, schema, v);
			return true;
	}
}

bool
connect_literal_append(StringInfo buf, const ConnectSchema *schema,
					   const ConnectValue *v, ConnectError *err)
{
	return append_value(buf, schema, v, false, err);
}
