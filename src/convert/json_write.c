/*
 * json_write.c
 *	  Values as JSON text.
 *
 * NOTES
 *	  A row costs one function call and one check for room per field; names are
 *	  escaped when the writer is made.
 */
#include "pure.h"

#include <math.h>

#include "convert/json_write.h"
#include "record/base64.h"
#include "record/calendar.h"

typedef bool (*WriteFunction) (const ConnectJsonWriter *w,
							   const ConnectValue *v, StringInfo out,
							   ConnectError *err);

struct ConnectJsonWriter
{
	WriteFunction write;		/* of a value that is not null */
	const ConnectSchema *schema;	/* NULL = schemaless */
	ConnectJsonOptions options;
	char	   *prefix;			/* of a field: {"name": or ,"name": and
								 * COPY_STEP bytes to spare */
	int			prefix_len;
	ConnectJsonWriter *key;
	ConnectJsonWriter *value;
	int			nfields;
	ConnectJsonWriter *fields;
};

/* Short texts are copied in steps of this size, which needs no call. */
#define COPY_STEP		16

/* Room that any number needs. */
#define NUMBER_ROOM		CONNECT_DOUBLE_TEXT_LEN

static void init_writer(ConnectJsonWriter *w, const ConnectSchema *schema,
						const ConnectJsonOptions *options);
static bool write_integer(const ConnectJsonWriter *w, const ConnectValue *v,
						  StringInfo out, ConnectError *err);
static bool write_float(const ConnectJsonWriter *w, const ConnectValue *v,
						StringInfo out, ConnectError *err);
static bool write_boolean(const ConnectJsonWriter *w, const ConnectValue *v,
						  StringInfo out, ConnectError *err);
static bool write_string(const ConnectJsonWriter *w, const ConnectValue *v,
						 StringInfo out, ConnectError *err);
static bool write_bytes(const ConnectJsonWriter *w, const ConnectValue *v,
						StringInfo out, ConnectError *err);
static bool write_array(const ConnectJsonWriter *w, const ConnectValue *v,
						StringInfo out, ConnectError *err);
static bool write_map(const ConnectJsonWriter *w, const ConnectValue *v,
					  StringInfo out, ConnectError *err);
static bool write_struct(const ConnectJsonWriter *w, const ConnectValue *v,
						 StringInfo out, ConnectError *err);
static bool write_decimal(const ConnectJsonWriter *w, const ConnectValue *v,
						  StringInfo out, ConnectError *err);
static bool write_date(const ConnectJsonWriter *w, const ConnectValue *v,
					   StringInfo out, ConnectError *err);
static bool write_any(const ConnectJsonWriter *w, const ConnectValue *v,
					  StringInfo out, ConnectError *err);

ConnectJsonWriter *
connect_json_writer_make(const ConnectSchema *schema,
						 const ConnectJsonOptions *options)
{
	ConnectJsonWriter *w = palloc(sizeof(ConnectJsonWriter));

	init_writer(w, schema, options);
	return w;
}

static void
init_writer(ConnectJsonWriter *w, const ConnectSchema *schema,
			const ConnectJsonOptions *options)
{
	static const WriteFunction by_type[] = {
		[CONNECT_INT8] = write_integer,
		[CONNECT_INT16] = write_integer,
		[CONNECT_INT32] = write_integer,
		[CONNECT_INT64] = write_integer,
		[CONNECT_FLOAT32] = write_float,
		[CONNECT_FLOAT64] = write_float,
		[CONNECT_BOOLEAN] = write_boolean,
		[CONNECT_STRING] = write_string,
		[CONNECT_BYTES] = write_bytes,
		[CONNECT_ARRAY] = write_array,
		[CONNECT_MAP] = write_map,
		[CONNECT_STRUCT] = write_struct,
	};

	memset(w, 0, sizeof(*w));
	w->schema = schema;
	w->options = *options;
	if (schema == NULL)
	{
		w->write = write_any;
		return;
	}
	if (schema->logical != CONNECT_LOGICAL_NONE)
	{
		w->write = schema->logical == CONNECT_LOGICAL_DECIMAL ?
			write_decimal : write_date;
		return;
	}
	w->write = by_type[schema->type];
	if (schema->type == CONNECT_MAP)
		w->key = connect_json_writer_make(schema->key_schema, options);
	if (schema->type == CONNECT_MAP || schema->type == CONNECT_ARRAY)
		w->value = connect_json_writer_make(schema->value_schema, options);
	if (schema->type == CONNECT_STRUCT)
	{
		w->nfields = schema->nfields;
		w->fields = palloc(Max(w->nfields, 1) * sizeof(ConnectJsonWriter));
		for (int i = 0; i < w->nfields; i++)
		{
			StringInfoData prefix;

			init_writer(&w->fields[i], schema->fields[i].schema, options);
			initStringInfo(&prefix);
			appendStringInfoChar(&prefix, i == 0 ? '{' : ',');
			connect_json_append_string(&prefix, schema->fields[i].name,
									   schema->fields[i].name_len);
			appendStringInfoChar(&prefix, ':');
			w->fields[i].prefix_len = prefix.len;
			appendStringInfoSpaces(&prefix, COPY_STEP);
			w->fields[i].prefix = prefix.data;
		}
	}
}

static bool
write_null(const ConnectJsonWriter *w, StringInfo out, ConnectError *err)
{
	const ConnectSchema *schema = w->schema;

	if (schema != NULL && schema->has_default && w->options.replace_null)
		return w->write(w, &schema->default_value, out, err);
	if (schema != NULL && !schema->optional)
		return connect_error_set(err, CONNECT_DATA_EXCEPTION,
								 "Conversion error: null value for field that is required and has no default value");
	appendBinaryStringInfo(out, "null", 4);
	return true;
}

bool
connect_json_write(const ConnectJsonWriter *w, const ConnectValue *v,
				   StringInfo out, ConnectError *err)
{
	if (unlikely(v->kind == CONNECT_KIND_NULL))
		return write_null(w, out, err);
	return w->write(w, v, out, err);
}

bool
connect_json_append_value(StringInfo out, const ConnectSchema *schema,
						  const ConnectValue *v,
						  const ConnectJsonOptions *options,
						  ConnectError *err)
{
	return connect_json_write(connect_json_writer_make(schema, options), v,
							  out, err);
}

static bool
wrong_type(const ConnectJsonWriter *w, const ConnectValue *v,
		   ConnectError *err)
{
	return connect_error_set(err, CONNECT_DATA_EXCEPTION,
							 "Invalid type for %s: %s",
							 connect_type_name(w->schema->type),
							 connect_value_class(v));
}

/* Makes room for len bytes and a NUL. */
static inline void
make_room(StringInfo out, int len)
{
	if (unlikely(out->maxlen - out->len <= len))
		enlargeStringInfo(out, len);
}

/* Appends what fits surely: the caller has made room. */
static inline void
put(StringInfo out, const char *p, int len)
{
	memcpy(out->data + out->len, p, len);
	out->len += len;
}

static inline void
put_char(StringInfo out, char c)
{
	out->data[out->len++] = c;
}

/* Appends what fits surely with COPY_STEP bytes to spare behind both texts. */
static inline void
put_in_steps(StringInfo out, const char *p, int len)
{
	char	   *o = out->data + out->len;

	out->len += len;
	for (; len > 0; len -= COPY_STEP)
	{
		memcpy(o, p, COPY_STEP);
		p += COPY_STEP;
		o += COPY_STEP;
	}
}

/*
 * Copies the start of a text that stands for itself, and returns its length:
 * no quote, backslash or control character, nor what may be a surrogate or lie
 * beyond the 16-bit characters.  There must be room for all of the text.
 */
static inline int
put_plain(StringInfo out, const char *p, int len)
{
	const uint64 ones = UINT64CONST(0x0101010101010101);
	const uint64 highs = UINT64CONST(0x8080808080808080);
	const char *start = p;
	const char *end = p + len;
	char	   *o = out->data + out->len;

	while (end - p >= 8)
	{
		uint64		chunk;
		uint64		quotes;
		uint64		slashes;
		uint64		stops;

		memcpy(&chunk, p, 8);
		quotes = chunk ^ (ones * '"');
		slashes = chunk ^ (ones * '\\');
		stops = ((chunk - ones * 0x20) & ~chunk) |
			((quotes - ones) & ~quotes) | ((slashes - ones) & ~slashes);
		if (((stops | chunk) & highs) != 0)
			break;
		memcpy(o, &chunk, 8);
		p += 8;
		o += 8;
	}
	while (p < end)
	{
		unsigned char c = *p;

		if (c < 0x20 || c == '"' || c == '\\' || c == 0xED || c >= 0xF0)
			break;
		*o++ = c;
		p++;
	}
	out->len += p - start;
	return p - start;
}

static void
put_unicode_escape(StringInfo out, uint32 c)
{
	static const char hex[] = "0123456789ABCDEF";
	char		text[6] = {'\\', 'u', hex[c >> 12 & 15], hex[c >> 8 & 15],
	hex[c >> 4 & 15], hex[c & 15]};

	put(out, text, 6);
}

/*
 * Escapes what stands at p and returns its length.  Characters beyond 16 bits
 * become two escapes, as the original writes them.
 */
static int
put_escaped(StringInfo out, const char *p, const char *end)
{
	unsigned char c = *p;
	const char *short_escape;
	uint32		code;

	static const char short_escapes[] = "\"\"\\\\\bb\ff\nn\rr\tt";

	if (c < 0x80)
	{
		short_escape = short_escapes;
		while (*short_escape != '\0' && *short_escape != c)
			short_escape += 2;
		if (c != 0 && *short_escape != '\0')
		{
			put_char(out, '\\');
			put_char(out, short_escape[1]);
		}
		else
			put_unicode_escape(out, c);
		return 1;
	}
	if (c == 0xED && end - p >= 3 && (unsigned char) p[1] >= 0xA0)
	{
		put_unicode_escape(out, 0xD000 | (p[1] & 0x3F) << 6 | (p[2] & 0x3F));
		return 3;
	}
	if (c >= 0xF0 && end - p >= 4)
	{
		code = (c & 7) << 18 | (p[1] & 0x3F) << 12 | (p[2] & 0x3F) << 6 |
			(p[3] & 0x3F);
		code -= 0x10000;
		put_unicode_escape(out, 0xD800 + (code >> 10));
		put_unicode_escape(out, 0xDC00 + (code & 0x3FF));
		return 4;
	}
	put_char(out, c);
	return 1;
}

void
connect_json_append_string(StringInfo out, const char *p, int len)
{
	const char *end = p + len;

	make_room(out, len + 2);
	put_char(out, '"');
	for (;;)
	{
		p += put_plain(out, p, end - p);
		if (p == end)
			break;
		/* the longest escape, what remains of the text, and the quote */
		make_room(out, 12 + (end - p) + 1);
		p += put_escaped(out, p, end);
	}
	put_char(out, '"');
	out->data[out->len] = '\0';
}

static void
append_integer(StringInfo out, int64 i)
{
	make_room(out, NUMBER_ROOM);
	out->len += connect_int64_text(i, out->data + out->len);
	out->data[out->len] = '\0';
}

/* NaN and the infinities are no JSON numbers: they go in quotes. */
static void
append_float(StringInfo out, const ConnectValue *v)
{
	bool		quoted = !isfinite(v->u.d);

	make_room(out, NUMBER_ROOM + 2);
	if (quoted)
		put_char(out, '"');
	if (v->kind == CONNECT_KIND_FLOAT32)
		out->len += connect_float_text(v->u.d, out->data + out->len);
	else
		out->len += connect_double_text(v->u.d, out->data + out->len);
	if (quoted)
		put_char(out, '"');
	out->data[out->len] = '\0';
}

static bool
write_integer(const ConnectJsonWriter *w, const ConnectValue *v,
			  StringInfo out, ConnectError *err)
{
	if (unlikely(!connect_value_fits(w->schema, v)))
		return wrong_type(w, v, err);
	append_integer(out, v->u.i);
	return true;
}

static bool
write_float(const ConnectJsonWriter *w, const ConnectValue *v,
			StringInfo out, ConnectError *err)
{
	if (unlikely(!connect_value_fits(w->schema, v)))
		return wrong_type(w, v, err);
	append_float(out, v);
	return true;
}

static bool
write_boolean(const ConnectJsonWriter *w, const ConnectValue *v,
			  StringInfo out, ConnectError *err)
{
	if (v->kind != CONNECT_KIND_BOOLEAN)
		return wrong_type(w, v, err);
	make_room(out, 5);
	if (v->u.i != 0)
		put(out, "true", 4);
	else
		put(out, "false", 5);
	out->data[out->len] = '\0';
	return true;
}

static bool
write_string(const ConnectJsonWriter *w, const ConnectValue *v,
			 StringInfo out, ConnectError *err)
{
	if (likely(v->kind == CONNECT_KIND_STRING))
	{
		connect_json_append_string(out, v->u.p, v->len);
		return true;
	}
	if (v->kind != CONNECT_KIND_JSON_TEXT)
		return wrong_type(w, v, err);
	return write_any(w, v, out, err);
}

static bool
write_bytes(const ConnectJsonWriter *w, const ConnectValue *v,
			StringInfo out, ConnectError *err)
{
	if (v->kind != CONNECT_KIND_BYTES && v->kind != CONNECT_KIND_BYTEBUFFER)
		return connect_error_set(err, CONNECT_DATA_EXCEPTION,
								 "Invalid type for bytes type: %s",
								 connect_value_class(v));
	appendStringInfoChar(out, '"');
	connect_base64_append(out, v->u.p, v->len);
	appendStringInfoChar(out, '"');
	return true;
}

static bool
write_array(const ConnectJsonWriter *w, const ConnectValue *v,
			StringInfo out, ConnectError *err)
{
	if (v->kind != CONNECT_KIND_ARRAY)
		return wrong_type(w, v, err);
	appendStringInfoChar(out, '[');
	for (int i = 0; i < v->len; i++)
	{
		if (i > 0)
			appendStringInfoCharMacro(out, ',');
		if (!connect_json_write(w->value, &v->u.elems[i], out, err))
			return false;
	}
	appendStringInfoChar(out, ']');
	return true;
}

/* A key of an object: the key's own JSON value as text. */
static bool
append_key(const ConnectJsonWriter *w, const ConnectValue *key,
		   StringInfo out, ConnectError *err)
{
	if (key->kind == CONNECT_KIND_NULL && w->schema != NULL &&
		w->schema->has_default && w->options.replace_null)
		key = &w->schema->default_value;
	if (key->kind == CONNECT_KIND_STRING)
	{
		connect_json_append_string(out, key->u.p, key->len);
		return true;
	}
	if (key->kind == CONNECT_KIND_NULL &&
		(w->schema == NULL || w->schema->optional))
	{
		appendStringInfoString(out, "\"null\"");
		return true;
	}
	return connect_json_write(w, key, out, err);
}

static bool
append_pairs(const ConnectJsonWriter *key, const ConnectJsonWriter *value,
			 bool object, const ConnectValue *v, StringInfo out,
			 ConnectError *err)
{
	appendStringInfoChar(out, object ? '{' : '[');
	for (int i = 0; i < v->len; i++)
	{
		const ConnectValue *pair = &v->u.elems[2 * i];

		if (i > 0)
			appendStringInfoCharMacro(out, ',');
		if (!object)
			appendStringInfoChar(out, '[');
		if (!(object ? append_key(key, pair, out, err) :
			  connect_json_write(key, pair, out, err)))
			return false;
		appendStringInfoChar(out, object ? ':' : ',');
		if (!connect_json_write(value, pair + 1, out, err))
			return false;
		if (!object)
			appendStringInfoChar(out, ']');
	}
	appendStringInfoChar(out, object ? '}' : ']');
	return true;
}

static bool
write_map(const ConnectJsonWriter *w, const ConnectValue *v,
		  StringInfo out, ConnectError *err)
{
	if (v->kind != CONNECT_KIND_MAP)
		return wrong_type(w, v, err);
	return append_pairs(w->key, w->value,
						w->schema->key_schema->type == CONNECT_STRING,
						v, out, err);
}

static bool
write_struct(const ConnectJsonWriter *w, const ConnectValue *v,
			 StringInfo out, ConnectError *err)
{
	if (v->kind != CONNECT_KIND_STRUCT)
		return wrong_type(w, v, err);
	if (v->len != w->nfields)
		return connect_error_set(err, CONNECT_DATA_EXCEPTION,
								 "Mismatching schema.");
	if (w->nfields == 0)
		appendStringInfoChar(out, '{');
	for (int i = 0; i < w->nfields; i++)
	{
		const ConnectJsonWriter *field = &w->fields[i];
		const ConnectValue *value = &v->u.elems[i];

		make_room(out, field->prefix_len + COPY_STEP);
		put_in_steps(out, field->prefix, field->prefix_len);
		if (unlikely(value->kind == CONNECT_KIND_NULL))
		{
			if (!write_null(field, out, err))
				return false;
		}
		else if (!field->write(field, value, out, err))
			return false;
	}
	make_room(out, 1);
	put_char(out, '}');
	out->data[out->len] = '\0';
	return true;
}

static bool
write_decimal(const ConnectJsonWriter *w, const ConnectValue *v,
			  StringInfo out, ConnectError *err)
{
	StringInfoData bytes;
	int			scale;

	if (v->kind == CONNECT_KIND_FLOAT64 && w->options.decimal_numeric &&
		!isfinite(v->u.d))
	{
		/* NaN or infinity of a plain row's numeric */
		append_float(out, v);
		return true;
	}
	if (v->kind != CONNECT_KIND_DECIMAL && v->kind != CONNECT_KIND_BIG_DECIMAL)
		return connect_error_set(err, CONNECT_DATA_EXCEPTION,
								 "Invalid type for Decimal, expected BigDecimal but was %s",
								 connect_value_class(v));
	if (w->options.decimal_numeric)
	{
		make_room(out, NUMBER_ROOM);
		connect_decimal_append_text(out, v);
		return true;
	}
	if (!connect_decimal_schema_scale(w->schema, &scale, err))
		return false;
	if (connect_decimal_scale(v) != scale)
		return connect_error_set(err, CONNECT_DATA_EXCEPTION,
								 "Decimal value has mismatching scale for given Decimal schema. Schema has scale %d, value has scale %d.",
								 scale, connect_decimal_scale(v));
	initStringInfo(&bytes);
	connect_decimal_append_bytes(&bytes, v);
	appendStringInfoChar(out, '"');
	connect_base64_append(out, bytes.data, bytes.len);
	appendStringInfoChar(out, '"');
	pfree(bytes.data);
	return true;
}

static bool
write_date(const ConnectJsonWriter *w, const ConnectValue *v,
		   StringInfo out, ConnectError *err)
{
	static const char *const names[] = {
		[CONNECT_LOGICAL_DATE] = "Date",
		[CONNECT_LOGICAL_TIME] = "Time",
		[CONNECT_LOGICAL_TIMESTAMP] = "Timestamp",
	};
	int64		i = v->u.i;

	if (v->kind != CONNECT_KIND_DATE)
		return connect_error_set(err, CONNECT_DATA_EXCEPTION,
								 "Invalid type for %s, expected Date but was %s",
								 names[w->schema->logical],
								 connect_value_class(v));
	if (w->schema->logical == CONNECT_LOGICAL_DATE)
	{
		if (i % CONNECT_MS_PER_DAY != 0)
			return connect_error_set(err, CONNECT_DATA_EXCEPTION,
									 "Kafka Connect Date type should not have any time fields set to non-zero values.");
		i /= CONNECT_MS_PER_DAY;
	}
	else if (w->schema->logical == CONNECT_LOGICAL_TIME &&
			 (i < 0 || i > CONNECT_MS_PER_DAY))
		return connect_error_set(err, CONNECT_DATA_EXCEPTION,
								 "Kafka Connect Time type should not have any date fields set to non-zero values.");
	append_integer(out, i);
	return true;
}

/* Whether all keys are strings, or the map is empty. */
static bool
has_string_keys(const ConnectValue *map)
{
	for (int i = 0; i < map->len; i++)
	{
		if (map->u.elems[2 * i].kind != CONNECT_KIND_STRING)
			return false;
	}
	return true;
}

/* Without a schema the kind decides. */
static bool
write_any(const ConnectJsonWriter *w, const ConnectValue *v,
		  StringInfo out, ConnectError *err)
{
	switch ((ConnectKind) v->kind)
	{
		case CONNECT_KIND_NULL:
			appendStringInfoString(out, "null");
			return true;
		case CONNECT_KIND_BOOLEAN:
			return write_boolean(w, v, out, err);
		case CONNECT_KIND_INT8:
		case CONNECT_KIND_INT16:
		case CONNECT_KIND_INT32:
		case CONNECT_KIND_INT64:
			append_integer(out, v->u.i);
			return true;
		case CONNECT_KIND_FLOAT32:
		case CONNECT_KIND_FLOAT64:
			append_float(out, v);
			return true;
		case CONNECT_KIND_STRING:
			connect_json_append_string(out, v->u.p, v->len);
			return true;
		case CONNECT_KIND_BYTES:
		case CONNECT_KIND_BYTEBUFFER:
			return write_bytes(w, v, out, err);
		case CONNECT_KIND_NUMBER_TEXT:
			appendBinaryStringInfo(out, v->u.p, v->len);
			return true;
		case CONNECT_KIND_JSON_TEXT:
			if (w->options.schemas_enable)
				connect_json_append_string(out, v->u.p, v->len);
			else
				appendBinaryStringInfo(out, v->u.p, v->len);
			return true;
		case CONNECT_KIND_ARRAY:
			appendStringInfoChar(out, '[');
			for (int i = 0; i < v->len; i++)
			{
				if (i > 0)
					appendStringInfoCharMacro(out, ',');
				if (!write_any(w, &v->u.elems[i], out, err))
					return false;
			}
			appendStringInfoChar(out, ']');
			return true;
		case CONNECT_KIND_MAP:
			return append_pairs(w, w, has_string_keys(v), v, out, err);
		case CONNECT_KIND_DECIMAL:
		case CONNECT_KIND_BIG_DECIMAL:
		case CONNECT_KIND_BIG_INTEGER:
		case CONNECT_KIND_DATE:
		case CONNECT_KIND_STRUCT:
		case CONNECT_KIND_CHAR:
			break;
	}
	return connect_error_set(err, CONNECT_DATA_EXCEPTION,
							 "Java class %s does not have corresponding schema type.",
							 connect_value_class(v));
}
