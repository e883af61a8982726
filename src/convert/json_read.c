/*
 * json_read.c
 *	  JSON text into cells.
 *
 * NOTES
 *	  Texts of errors are those of Jackson, the original's reader, because
 *	  dead letters and status views show them.  Its columns count bytes from 1.
 */
#include "pure.h"

#include "convert/json_read.h"

/* Internal flag: values are checked and forgotten. */
#define SKIP				0x100

#define SERIALIZATION_ERROR \
	"Converting byte[] to Kafka Connect data failed due to serialization error: "

/* A number of the most digits, its signs, point, e and a NUL. */
#define NUMBER_TEXT_SIZE	(CONNECT_JSON_MAX_NUMBER + 8)

#define LONE_SURROGATE(c)	((c) >= 0xD800 && (c) <= 0xDFFF)

static bool read_container(ConnectJsonReader *r, ConnectValue *out);
static bool read_text(ConnectJsonReader *r, ConnectValue *out, bool in_name);
static bool mismatched_close(ConnectJsonReader *r, const char *open);
static bool read_number(ConnectJsonReader *r, ConnectValue *out);
static bool read_word(ConnectJsonReader *r, ConnectValue *out);
static void drop_duplicates(ConnectValue *map);

/* What ends the run of characters of a string that can be taken as they are. */
static const bool string_stop[256] = {
	[0x00 ... 0x1F] = true, ['"'] = true, ['\\'] = true,
	[0x80 ... 0xFF] = true
};

void
connect_json_reader_init(ConnectJsonReader *r, const char *data, int len,
						 int flags, ConnectError *err)
{
	memset(r, 0, sizeof(*r));
	r->start = data;
	r->p = data;
	r->end = data + len;
	r->flags = flags;
	r->err = err;
	if (len >= 3 && memcmp(data, "\xEF\xBB\xBF", 3) == 0)
		r->p += 3;
}

static void
find_position(ConnectJsonReader *r, const char *p, int *line, int *column)
{
	const char *line_start = r->start;

	*line = 1;
	for (const char *q = r->start; q < p && q < r->end; q++)
	{
		if (*q == '\n' || (*q == '\r' && (q + 1 == r->end || q[1] != '\n')))
		{
			(*line)++;
			line_start = q + 1;
		}
	}
	*column = p - line_start + 1;
}

/* As the original nests it; the innermost class stands in the text as well. */
static bool
fail_at(ConnectJsonReader *r, const char *p, const char *class_name,
		const char *message)
{
	int			line;
	int			column;

	find_position(r, p, &line, &column);
	connect_error_set(r->err, CONNECT_SERIALIZATION_EXCEPTION,
					  "%s: %s\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: %d, column: %d]",
					  class_name, message, line, column);
	return connect_error_wrap(r->err, CONNECT_DATA_EXCEPTION, SERIALIZATION_ERROR);
}

/* A limit that was passed: the original tells no position. */
static bool
fail_limit(ConnectJsonReader *r, const char *message)
{
	connect_error_set(r->err, CONNECT_SERIALIZATION_EXCEPTION,
					  "com.fasterxml.jackson.core.exc.StreamConstraintsException: %s",
					  message);
	return connect_error_wrap(r->err, CONNECT_DATA_EXCEPTION, SERIALIZATION_ERROR);
}

static bool fail(ConnectJsonReader *r, const char *p, const char *fmt,...) pg_attribute_printf(3, 4);

static bool
fail(ConnectJsonReader *r, const char *p, const char *fmt,...)
{
	char		message[512];
	va_list		args;

	va_start(args, fmt);
	vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	return fail_at(r, p, "com.fasterxml.jackson.core.JsonParseException",
				   message);
}

bool
connect_json_unexpected_end(ConnectJsonReader *r, const char *in,
							const char *open)
{
	char		message[300];

	if (open == NULL)
		snprintf(message, sizeof(message), "Unexpected end-of-input%s", in);
	else
	{
		int			line;
		int			column;

		find_position(r, open, &line, &column);
		snprintf(message, sizeof(message),
				 "Unexpected end-of-input%s (start marker at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: %d, column: %d])",
				 in, line, column);
	}
	return fail_at(r, r->end, "com.fasterxml.jackson.core.io.JsonEOFException",
				   message);
}

static char *
code_point_text(uint32 code)
{
	char		text[4];

	if (code < 0x20 || (code >= 0x7F && code < 0xA0))
		return psprintf("(CTRL-CHAR, code %u)", code);
	if (code > 0xFF)
		return psprintf("'%.*s' (code %u / 0x%x)",
						connect_utf8_put(text, code), text, code, code);
	return psprintf("'%.*s' (code %u)", connect_utf8_put(text, code), text,
					code);
}

/*
 * A character as Jackson names it: 'b' (code 98).  Between tokens it looks at
 * single bytes.
 */
static char *
character(const char *p)
{
	return code_point_text((unsigned char) *p);
}

/* The same of a character within a string. */
static char *
wide_character(const char *p, const char *end)
{
	unsigned char c = *p;
	uint32		code = c;

	if (c >= 0x80 && connect_utf8_valid_len(p, Min(end - p, 3)) >= 2)
	{
		int			n = c < 0xE0 ? 2 : 3;

		code = c & (0xFF >> (n + 1));
		for (int i = 1; i < n; i++)
			code = code << 6 | (p[i] & 0x3F);
	}
	return code_point_text(code);
}

bool
connect_json_unexpected(ConnectJsonReader *r, const char *p,
						const char *expected)
{
	if ((unsigned char) *p < ' ')
		return fail(r, p + 1, "Illegal character (%s): only regular white space (\\r, \\n, \\t) is allowed between tokens",
					character(p));
	return fail(r, p, "Unexpected character (%s)%s%s",
				character(p), *expected ? ": " : "", expected);
}

void
connect_json_skip_blanks(ConnectJsonReader *r)
{
	while (r->p < r->end &&
		   (*r->p == ' ' || *r->p == '\n' || *r->p == '\r' || *r->p == '\t'))
		r->p++;
}

bool
connect_json_read(ConnectJsonReader *r, ConnectValue *out, bool *missing)
{
	bool		number;

	*missing = false;
	connect_json_skip_blanks(r);
	if (r->p == r->end)
	{
		*missing = true;
		*out = connect_value_null();
		return true;
	}
	if (*r->p == '}' || *r->p == ']')
		return mismatched_close(r, NULL);
	number = *r->p == '-' || (*r->p >= '0' && *r->p <= '9');
	if (!connect_json_read_value(r, out))
		return false;
	if (number && r->p < r->end && *r->p != ' ' && *r->p != '\n' &&
		*r->p != '\r' && *r->p != '\t')
		return connect_json_unexpected(r, r->p,
									   "Expected space separating root-level values");
	return true;
}

bool
connect_json_read_value(ConnectJsonReader *r, ConnectValue *out)
{
	connect_json_skip_blanks(r);
	if (r->p == r->end)
		return connect_json_unexpected_end(r, "", NULL);
	switch (*r->p)
	{
		case '"':
			return connect_json_read_string(r, out);
		case '{':
		case '[':
			return read_container(r, out);
		case '-':
		case '0':
		case '1':
		case '2':
		case '3':
		case '4':
		case '5':
		case '6':
		case '7':
		case '8':
		case '9':
			return read_number(r, out);
		default:
			return read_word(r, out);
	}
}

static inline void
push(ConnectJsonReader *r, const ConnectValue *v)
{
	if ((r->flags & SKIP) != 0)
		return;
	if (unlikely(r->nstack == r->maxstack))
	{
		int			max = Max(64, r->maxstack * 2);

		if (r->stack == NULL)
			r->stack = palloc(max * sizeof(ConnectValue));
		else
			r->stack = repalloc(r->stack, max * sizeof(ConnectValue));
		r->maxstack = max;
	}
	r->stack[r->nstack++] = *v;
}

/* A message ends within a member. */
static bool
end_in_member(ConnectJsonReader *r)
{
	return connect_json_unexpected_end(r, " within/between Object entries",
									   NULL);
}

/* The bracket at r->p is not the one that closes what was opened. */
static bool
mismatched_close(ConnectJsonReader *r, const char *open)
{
	int			line;
	int			column;

	if (open == NULL)
		return fail(r, r->p, "Unexpected close marker '%c': no open %s to close",
					*r->p, *r->p == '}' ? "Object" : "Array");
	find_position(r, open, &line, &column);
	return fail(r, r->p, "Unexpected close marker '%c': expected '%c' (for %s starting at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: %d, column: %d])",
				*r->p, *open == '{' ? '}' : ']',
				*open == '{' ? "Object" : "Array", line, column);
}

/* A member's name and colon, up to its value. */
static bool
read_name(ConnectJsonReader *r)
{
	ConnectValue name;

	if (*r->p != '"')
		return connect_json_unexpected(r, r->p,
									   "was expecting double-quote to start field name");
	if (!read_text(r, &name, true))
		return false;
	push(r, &name);
	connect_json_skip_blanks(r);
	if (r->p == r->end)
		return end_in_member(r);
	if (*r->p != ':')
		return connect_json_unexpected(r, r->p,
									   "was expecting a colon to separate field name and value");
	r->p++;
	connect_json_skip_blanks(r);
	if (r->p == r->end)
		return end_in_member(r);
	if (r->depth == 1 && (r->flags & SKIP) == 0)
	{
		r->nmembers++;
		if (name.len == 7 && memcmp(name.u.p, "payload", 7) == 0)
			r->payload = r->p;
	}
	return true;
}

/* An object or an array; r->p is at its bracket. */
static bool
read_container(ConnectJsonReader *r, ConnectValue *out)
{
	const char *open = r->p;
	bool		object = *r->p == '{';
	char		close = object ? '}' : ']';
	int			base = r->nstack;
	int			ncells;
	ConnectValue *elems;
	ConnectValue v;

	r->p++;
	if (++r->depth > CONNECT_JSON_MAX_DEPTH)
		return fail_limit(r,
						  "Document nesting depth (1001) exceeds the maximum allowed (1000, from `StreamReadConstraints.getMaxNestingDepth()`)");

	for (bool first = true;; first = false)
	{
		connect_json_skip_blanks(r);
		if (r->p == r->end)
			return connect_json_unexpected_end(r, object ?
											   ": expected close marker for Object" :
											   ": expected close marker for Array",
											   open);
		if (*r->p == close)
		{
			r->p++;
			break;
		}
		if (*r->p == '}' || *r->p == ']')
			return mismatched_close(r, open);
		if (!first)
		{
			if (*r->p != ',')
				return connect_json_unexpected(r, r->p, object ?
											   "was expecting comma to separate Object entries" :
											   "was expecting comma to separate Array entries");
			r->p++;
			connect_json_skip_blanks(r);
			if (r->p == r->end)
				return fail(r, r->p, "Unexpected end-of-input within/between %s entries",
							object ? "Object" : "Array");
		}
		if (object)
		{
			if (!read_name(r))
				return false;
		}
		if (*r->p == ',' || *r->p == '}' || (*r->p == ']' && !object))
			return connect_json_unexpected(r, r->p, "expected a value");
		if (!connect_json_read_value(r, &v))
			return false;
		push(r, &v);
	}

	r->depth--;
	if ((r->flags & SKIP) != 0)
		return true;
	ncells = r->nstack - base;
	elems = palloc(Max(ncells, 1) * sizeof(ConnectValue));
	if (ncells > 0)
		memcpy(elems, r->stack + base, ncells * sizeof(ConnectValue));
	r->nstack = base;
	if (object)
	{
		*out = connect_value_elems(CONNECT_KIND_MAP, elems, ncells / 2);
		if (out->len > 1)
			drop_duplicates(out);
	}
	else
		*out = connect_value_elems(CONNECT_KIND_ARRAY, elems, ncells);
	return true;
}

static inline bool
same_text(const ConnectValue *a, const ConnectValue *b)
{
	return a->len == b->len && memcmp(a->u.p, b->u.p, a->len) == 0;
}

/* Orders cells by text, equal ones by place. */
static int
compare_keys(const void *a, const void *b)
{
	const ConnectValue *x = *(const ConnectValue *const *) a;
	const ConnectValue *y = *(const ConnectValue *const *) b;
	int			result = x->len - y->len;

	if (result == 0)
		result = memcmp(x->u.p, y->u.p, x->len);
	if (result == 0)
		result = x < y ? -1 : 1;
	return result;
}

/* A key that comes again gives its value to the first one and goes. */
static void
drop_duplicates(ConnectValue *map)
{
	ConnectValue *elems = map->u.elems;
	int			n = map->len;
	bool	   *gone = NULL;
	int			kept = 0;

	if (n <= 16)
	{
		for (int i = 1; i < n; i++)
		{
			for (int j = 0; j < i; j++)
			{
				if (!same_text(&elems[2 * i], &elems[2 * j]) ||
					(gone != NULL && gone[j]))
					continue;
				if (gone == NULL)
					gone = palloc0(n);
				elems[2 * j + 1] = elems[2 * i + 1];
				gone[i] = true;
				break;
			}
		}
	}
	else
	{
		ConnectValue **keys = palloc(n * sizeof(ConnectValue *));

		for (int i = 0; i < n; i++)
			keys[i] = &elems[2 * i];
		qsort(keys, n, sizeof(ConnectValue *), compare_keys);
		for (int i = 1, first = 0; i < n; i++)
		{
			if (!same_text(keys[i], keys[first]))
			{
				first = i;
				continue;
			}
			if (gone == NULL)
				gone = palloc0(n);
			keys[first][1] = keys[i][1];
			gone[(keys[i] - elems) / 2] = true;
		}
		pfree(keys);
	}
	if (gone == NULL)
		return;
	for (int i = 0; i < n; i++)
	{
		if (gone[i])
			continue;
		elems[2 * kept] = elems[2 * i];
		elems[2 * kept + 1] = elems[2 * i + 1];
		kept++;
	}
	map->len = kept;
	pfree(gone);
}

/* Four hexadecimal digits at p; -1 with an error if there are none. */
static int
read_hex(ConnectJsonReader *r, const char *p)
{
	int			c = 0;

	for (int i = 0; i < 4; i++, p++)
	{
		int			digit;

		if (p == r->end)
		{
			connect_json_unexpected_end(r, " in character escape sequence", NULL);
			return -1;
		}
		if (*p >= '0' && *p <= '9')
			digit = *p - '0';
		else if ((*p | 0x20) >= 'a' && (*p | 0x20) <= 'f')
			digit = (*p | 0x20) - 'a' + 10;
		else
		{
			connect_json_unexpected(r, p,
									"expected a hex-digit for character escape sequence");
			return -1;
		}
		c = c << 4 | digit;
	}
	return c;
}

/*
 * Checks the escape at p, just past its backslash.  Returns its length, 0 with
 * an error; the character is stored in *c.
 */
static int
read_escape(ConnectJsonReader *r, const char *p, uint32 *c)
{
	static const char plain[] = "\"\"\\\\//b\bf\fn\nr\rt\t";
	int			low;

	if (p == r->end)
	{
		connect_json_unexpected_end(r, " in character escape sequence", NULL);
		return 0;
	}
	if (*p != 'u')
	{
		for (const char *q = plain; *q != '\0'; q += 2)
		{
			if (*p == *q)
			{
				*c = q[1];
				return 1;
			}
		}
		fail(r, p, "Unrecognized character escape %s",
			 wide_character(p, r->end));
		return 0;
	}
	low = read_hex(r, p + 1);
	if (low < 0)
		return 0;
	*c = low;
	if (low >= 0xD800 && low <= 0xDBFF && r->end - p >= 11 &&
		p[5] == '\\' && p[6] == 'u')
	{
		low = read_hex(r, p + 7);
		if (low < 0)
			return 0;
		if (low >= 0xDC00 && low <= 0xDFFF)
		{
			*c = 0x10000 + ((*c - 0xD800) << 10) + (low - 0xDC00);
			return 11;
		}
	}
	if (LONE_SURROGATE(*c) && (r->flags & CONNECT_JSON_NO_SURROGATES) != 0)
	{
		fail(r, p, "Unpaired surrogate \\u%04X", *c);
		return 0;
	}
	return 5;
}

/* Length of the character beyond ASCII at p; 0 with an error. */
static int
check_wide(ConnectJsonReader *r, const char *p)
{
	unsigned char c = *p;
	int			n = c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;

	if (c < 0xC2 || c > 0xF4)
	{
		fail(r, p + 1, "Invalid UTF-8 start byte 0x%x", c);
		return 0;
	}
	for (int i = 1; i < n; i++)
	{
		if (p + i == r->end)
		{
			connect_json_unexpected_end(r, " in VALUE_STRING", NULL);
			return 0;
		}
		if ((p[i] & 0xC0) != 0x80)
		{
			fail(r, p + i + 1, "Invalid UTF-8 middle byte 0x%x",
				 (unsigned char) p[i]);
			return 0;
		}
	}
	if (c == 0xED && (unsigned char) p[1] >= 0xA0)
	{
		fail(r, p + n, "Invalid UTF-8: Illegal surrogate character 0x%x",
			 0xD000 | (p[1] & 0x3F) << 6 | (p[2] & 0x3F));
		return 0;
	}
	if (connect_utf8_valid_len(p, n) != n)
	{
		fail(r, p + 2, "Invalid UTF-8 middle byte 0x%x", (unsigned char) p[1]);
		return 0;
	}
	return n;
}

bool
connect_json_read_string(ConnectJsonReader *r, ConnectValue *out)
{
	return read_text(r, out, false);
}

static bool
read_text(ConnectJsonReader *r, ConnectValue *out, bool in_name)
{
	const char *start = ++r->p;
	const char *p = start;
	const char *end = r->end;
	bool		escapes = false;
	char	   *text;
	char	   *o;

	for (;;)
	{
		int			n;
		uint32		c;

		while (p < end && !string_stop[(unsigned char) *p])
			p++;
		if (p == end)
			return connect_json_unexpected_end(r, in_name ? " in field name" :
											   " in VALUE_STRING", NULL);
		if (*p == '"')
			break;
		if (*p == '\\')
		{
			escapes = true;
			n = read_escape(r, p + 1, &c) + 1;
			if (n == 1)
				return false;
			if (unlikely(LONE_SURROGATE(c)) && in_name && p + n < end)
				return fail(r, p + n, "Broken surrogate pair in field name: expected '\\' to start low surrogate, got 0x%x",
							(unsigned char) p[n]);
		}
		else if ((unsigned char) *p < 0x20)
			return fail(r, p, "Illegal unquoted character (%s): has to be escaped using backslash to be included in string value",
						character(p));
		else
		{
			n = check_wide(r, p);
			if (n == 0)
				return false;
		}
		p += n;
	}
	r->p = p + 1;
	if (likely(!escapes) || (r->flags & SKIP) != 0)
	{
		*out = connect_value_text(CONNECT_KIND_STRING, start, p - start);
		return true;
	}

	/* no escape is shorter than what it stands for */
	text = o = palloc(p - start);
	end = p;
	p = start;
	while (p < end)
	{
		const char *backslash = memchr(p, '\\', end - p);
		uint32		c = 0;

		if (backslash == NULL)
			backslash = end;
		memcpy(o, p, backslash - p);
		o += backslash - p;
		p = backslash;
		if (p < end)
		{
			p += 1 + read_escape(r, p + 1, &c);
			o += connect_utf8_put(o, c);
		}
	}
	*out = connect_value_text(CONNECT_KIND_STRING, text, o - text);
	return true;
}

/* Passes over a number; NULL with an error. */
static const char *
scan_number(ConnectJsonReader *r, bool *integral, uint64 *magnitude)
{
	const char *p = r->p;
	const char *end = r->end;
	const char *digits;
	uint64		u = 0;

	*integral = true;
	if (*p == '-')
	{
		p++;
		if (p == end)
		{
			connect_json_unexpected_end(r, " in null", NULL);
			return NULL;
		}
		if (end - p >= 8 && memcmp(p, "Infinity", 8) == 0)
		{
			fail(r, p + 8, "Non-standard token '-Infinity': enable `JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS` to allow");
			return NULL;
		}
		if (*p == 'I' && p + 1 < end)
			p++;
		if (*p < '0' || *p > '9')
		{
			fail(r, p, "Unexpected character (%s) in numeric value: expected digit (0-9) to follow minus sign, for valid numeric value",
				 character(p));
			return NULL;
		}
	}
	digits = p;
	while (p < end && *p >= '0' && *p <= '9')
		u = u * 10 + (*p++ - '0');
	*magnitude = u;
	if (p < end && *p == '.')
	{
		const char *point = p++;

		*integral = false;
		while (p < end && *p >= '0' && *p <= '9')
			p++;
		if (p == point + 1)
		{
			fail(r, p < end ? p : point, "Unexpected character (%s) in numeric value: Decimal point not followed by a digit",
				 character(p < end ? p : point));
			return NULL;
		}
	}
	if (p < end && (*p == 'e' || *p == 'E'))
	{
		const char *e = p++;

		*integral = false;
		if (p < end && (*p == '-' || *p == '+'))
			p++;
		if (p == end)
		{
			connect_json_unexpected_end(r, " in null", NULL);
			return NULL;
		}
		if (*p < '0' || *p > '9')
		{
			fail(r, p, "Unexpected character (%s) in numeric value: Exponent indicator not followed by a digit",
				 character(p));
			return NULL;
		}
		while (p < end && *p >= '0' && *p <= '9')
			p++;
		if (p - e > 12)
		{
			fail(r, p, "Malformed numeric value: exponent out of range");
			return NULL;
		}
	}
	if (p - r->p > CONNECT_JSON_MAX_NUMBER)
	{
		int			ndigits = 0;

		for (const char *q = r->p; q < p; q++)
			ndigits += *q >= '0' && *q <= '9';
		if (ndigits > CONNECT_JSON_MAX_NUMBER)
		{
			fail_limit(r, psprintf("Number value length (%d) exceeds the maximum allowed (1000, from `StreamReadConstraints.getMaxNumberLength()`)",
								   ndigits));
			return NULL;
		}
	}
	/* what wrapped is of no use */
	if (p - digits > 18)
		*magnitude = PG_UINT64_MAX;
	return p;
}

static bool
read_number(ConnectJsonReader *r, ConnectValue *out)
{
	const char *start = r->p;
	bool		integral;
	uint64		magnitude;
	const char *end = scan_number(r, &integral, &magnitude);

	if (end == NULL)
		return false;
	r->p = end;
	if (integral && magnitude != PG_UINT64_MAX &&
		(r->flags & CONNECT_JSON_NUMBER_TEXT) == 0)
	{
		*out = connect_value_int(CONNECT_KIND_INT64, *start == '-' ?
								 -(int64) magnitude : (int64) magnitude);
		return true;
	}
	*out = connect_value_text(CONNECT_KIND_NUMBER_TEXT, start, end - start);
	if ((r->flags & CONNECT_JSON_NUMBER_TEXT) == 0)
		connect_json_number_resolve(out);
	return true;
}

static bool
is_word_part(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		(c >= '0' && c <= '9') || c == '_' || c == '$' || (c & 0x80) != 0;
}

/*
 * Jackson takes a first byte beyond ASCII for a Latin-1 character, and
 * complains about what follows.
 */
static bool
bad_word(ConnectJsonReader *r, const char *p, const char *end)
{
	int			valid = connect_utf8_valid_len(p + 1, end - p - 1);
	char		first[4];
	int			len = connect_utf8_put(first, (unsigned char) *p);

	if ((*p & 0x80) != 0 && p + 1 + valid < end)
		return fail(r, p + valid + 2, "Invalid UTF-8 start byte 0x%x",
					(unsigned char) p[1 + valid]);
	return fail(r, p, "Unrecognized token '%.*s%.*s': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')",
				len, first, (int) Min(end - p - 1, 255), p + 1);
}

/* Whether Java would let a name begin with the Latin-1 character. */
static bool
is_word_start(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
		c == '$' || (c >= 0xA2 && c <= 0xA5) || c == 0xAA || c == 0xB5 ||
		c == 0xBA || (c >= 0xC0 && c != 0xD7 && c != 0xF7);
}

/* null, true, false, or what Jackson says of anything else. */
static bool
read_word(ConnectJsonReader *r, ConnectValue *out)
{
	const char *p = r->p;
	const char *end = p;
	int			len;

	while (end < r->end && is_word_part(*end))
		end++;
	len = end - p;
	if (len == 4 && memcmp(p, "null", 4) == 0)
		*out = connect_value_null();
	else if (len == 4 && memcmp(p, "true", 4) == 0)
		*out = connect_value_int(CONNECT_KIND_BOOLEAN, 1);
	else if (len == 5 && memcmp(p, "false", 5) == 0)
		*out = connect_value_int(CONNECT_KIND_BOOLEAN, 0);
	else if (*p == '+')
		return fail(r, p + 1, "Unexpected character ('+' (code 43)) in numeric value: JSON spec does not allow numbers to have plus signs: enable `JsonReadFeature.ALLOW_LEADING_PLUS_SIGN_FOR_NUMBERS` to allow");
	else if (*p == '/')
		return connect_json_unexpected(r, p,
									   "maybe a (non-standard) comment? (not recognized as one since Feature 'ALLOW_COMMENTS' not enabled for parser)");
	else if ((len == 3 && memcmp(p, "NaN", 3) == 0) ||
			 (len == 8 && memcmp(p, "Infinity", 8) == 0))
		return fail(r, end, "Non-standard token '%.*s': enable `JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS` to allow",
					len, p);
	else if (len > 0 && is_word_start(*p))
		return bad_word(r, p, end);
	else
		return connect_json_unexpected(r, p,
									   "expected a valid value (JSON String, Number, Array, Object or token 'null', 'true' or 'false')");
	r->p = end;
	return true;
}

bool
connect_json_skip_value(ConnectJsonReader *r)
{
	ConnectValue ignored;
	int			flags = r->flags;
	bool		result;

	r->flags |= SKIP | CONNECT_JSON_NUMBER_TEXT;
	result = connect_json_read_value(r, &ignored);
	r->flags = flags;
	return result;
}

bool
connect_json_number_is_integral(const ConnectValue *number)
{
	for (int i = 0; i < number->len; i++)
	{
		char		c = number->u.p[i];

		if (c == '.' || c == 'e' || c == 'E')
			return false;
	}
	return true;
}

/* Cuts fractions off and wraps, as BigDecimal.longValue(). */
int64
connect_json_number_int64(const ConnectValue *number)
{
	ConnectValue decimal;

	if (!connect_decimal_from_text(number->u.p, number->len, &decimal))
		return 0;
	return connect_decimal_to_int64(&decimal);
}

int32
connect_json_number_int32(const ConnectValue *number)
{
	return (int32) connect_json_number_int64(number);
}

/*
 * A short number is one multiplication or division of two exact doubles, which
 * rounds once.  There is no negative zero: the original goes through
 * BigDecimal, which has none.
 */
double
connect_json_number_double(const ConnectValue *number)
{
	static const double powers[] = {
		1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
		1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22
	};
	char		text[NUMBER_TEXT_SIZE];
	const char *p = number->u.p;
	const char *end = p + number->len;
	bool		negative = *p == '-';
	double		d;

	if (number->len <= 17)
	{
		uint64		u = 0;
		int			scale = 0;
		bool		point = false;

		for (p += negative; p < end; p++)
		{
			if (*p == '.')
				point = true;
			else if (*p >= '0' && *p <= '9')
			{
				u = u * 10 + (*p - '0');
				scale += point;
			}
			else
				break;
		}
		if (p == end && u < (UINT64CONST(1) << 53))
		{
			d = (double) u / powers[scale];
			return negative && u != 0 ? -d : d;
		}
	}
	memcpy(text, number->u.p, number->len);
	text[number->len] = '\0';
	d = strtod(text, NULL);
	return d == 0 ? 0 : d;
}

float
connect_json_number_float(const ConnectValue *number)
{
	char		text[NUMBER_TEXT_SIZE];
	float		f;

	memcpy(text, number->u.p, number->len);
	text[number->len] = '\0';
	f = strtof(text, NULL);
	return f == 0 ? 0 : f;
}

void
connect_json_number_resolve(ConnectValue *number)
{
	if (connect_json_number_is_integral(number))
		*number = connect_value_int(CONNECT_KIND_INT64,
									connect_json_number_int64(number));
	else
		*number = connect_value_double(CONNECT_KIND_FLOAT64,
									   connect_json_number_double(number));
}
