/*
 * decimal.c
 *	  Exact decimal numbers: java.math.BigDecimal.
 *
 * NOTES
 *	  What fits 64 bits unscaled is a CONNECT_KIND_DECIMAL and costs no
 *	  memory; anything else keeps its text.  Arithmetic on long numbers is
 *	  schoolbook: JSON limits a number to 1000 characters, PostgreSQL's numeric
 *	  to 150,000 digits.
 */
#include "pure.h"

#include "record/record.h"

/* A number taken apart; digits have no leading zeros but a single one. */
typedef struct Parts
{
	bool		negative;
	const char *digits;
	int			ndigits;
	int			scale;
} Parts;

static const int small_powers[] = {1, 10, 100, 1000, 10000, 100000};

#define BIG_CHUNK	1000000000	/* 10^9: what fits a word of the magnitude */

/*
 * Takes text apart; digits are copied if there is a point between them.  False
 * if it is no number in Java's notation.
 */
static bool
parse_text(const char *p, int len, Parts *parts)
{
	const char *end = p + len;
	const char *start;
	const char *point = NULL;
	int64		scale = 0;

	parts->negative = p < end && *p == '-';
	if (p < end && (*p == '-' || *p == '+'))
		p++;
	start = p;
	for (; p < end; p++)
	{
		if (*p == '.')
		{
			if (point != NULL)
				return false;
			point = p;
		}
		else if (*p < '0' || *p > '9')
			break;
	}
	parts->digits = start;
	parts->ndigits = p - start;
	if (point != NULL)
	{
		char	   *digits = palloc(p - start);
		int			before = point - start;

		memcpy(digits, start, before);
		memcpy(digits + before, point + 1, p - point - 1);
		parts->digits = digits;
		parts->ndigits--;
		scale = p - point - 1;
	}
	if (parts->ndigits == 0)
		return false;
	if (p < end)
	{
		bool		negative;
		int64		exponent = 0;

		if (*p != 'e' && *p != 'E')
			return false;
		p++;
		negative = p < end && *p == '-';
		if (p < end && (*p == '-' || *p == '+'))
			p++;
		if (p == end)
			return false;
		for (; p < end; p++)
		{
			if (*p < '0' || *p > '9' || exponent > PG_INT32_MAX)
				return false;
			exponent = exponent * 10 + (*p - '0');
		}
		if (exponent > PG_INT32_MAX)
			return false;
		scale -= negative ? -exponent : exponent;
	}
	if (scale < PG_INT32_MIN || scale > PG_INT32_MAX)
		return false;
	parts->scale = scale;
	while (parts->ndigits > 1 && *parts->digits == '0')
	{
		parts->digits++;
		parts->ndigits--;
	}
	if (parts->ndigits == 1 && *parts->digits == '0')
		parts->negative = false;
	return true;
}

/* buf takes the digits of a short number. */
static void
open_value(const ConnectValue *v, char *buf, Parts *parts)
{
	if (v->kind == CONNECT_KIND_DECIMAL)
	{
		int			len = connect_int64_text(v->u.i, buf);

		parts->negative = v->u.i < 0;
		parts->digits = buf + parts->negative;
		parts->ndigits = len - parts->negative;
		parts->scale = v->len;
	}
	else if (!parse_text(v->u.p, v->len, parts))
	{
		Assert(false);
		memset(parts, 0, sizeof(*parts));
		parts->digits = "0";
		parts->ndigits = 1;
	}
}

static bool
fits_int64(const Parts *parts, int64 *result)
{
	uint64		u = 0;
	uint64		limit = (uint64) PG_INT64_MAX + parts->negative;

	if (parts->ndigits > 19)
		return false;
	for (int i = 0; i < parts->ndigits; i++)
		u = u * 10 + (parts->digits[i] - '0');
	if (u > limit)
		return false;
	*result = parts->negative ? (int64) -u : (int64) u;
	return true;
}

/* BigDecimal.toString() */
static void
append_parts(StringInfo buf, const Parts *parts)
{
	int64		adjusted = -(int64) parts->scale + parts->ndigits - 1;

	if (parts->negative)
		appendStringInfoChar(buf, '-');
	if (parts->scale >= 0 && adjusted >= -6)
	{
		int			before = parts->ndigits - parts->scale;

		if (before > 0)
			appendBinaryStringInfo(buf, parts->digits, before);
		else
			appendStringInfoChar(buf, '0');
		if (parts->scale > 0)
		{
			appendStringInfoChar(buf, '.');
			for (int i = before; i < 0; i++)
				appendStringInfoChar(buf, '0');
			before = Max(before, 0);
			appendBinaryStringInfo(buf, parts->digits + before,
								   parts->ndigits - before);
		}
		return;
	}
	appendStringInfoChar(buf, parts->digits[0]);
	if (parts->ndigits > 1)
	{
		appendStringInfoChar(buf, '.');
		appendBinaryStringInfo(buf, parts->digits + 1, parts->ndigits - 1);
	}
	if (adjusted != 0)
		appendStringInfo(buf, "E%+lld", (long long) adjusted);
}

static ConnectValue
close_value(const Parts *parts)
{
	StringInfoData buf;
	int64		unscaled;

	if (fits_int64(parts, &unscaled))
		return connect_decimal_make(unscaled, parts->scale);
	initStringInfo(&buf);
	append_parts(&buf, parts);
	return connect_value_text(CONNECT_KIND_BIG_DECIMAL, buf.data, buf.len);
}

ConnectValue
connect_decimal_make(int64 unscaled, int scale)
{
	ConnectValue v = connect_value_int(CONNECT_KIND_DECIMAL, unscaled);

	v.len = scale;
	return v;
}

bool
connect_decimal_from_text(const char *p, int len, ConnectValue *out)
{
	Parts		parts;

	if (!parse_text(p, len, &parts))
		return false;
	*out = close_value(&parts);
	return true;
}

int
connect_decimal_scale(const ConnectValue *v)
{
	Parts		parts;

	if (v->kind == CONNECT_KIND_DECIMAL)
		return v->len;
	open_value(v, NULL, &parts);
	return parts.scale;
}

void
connect_decimal_append_text(StringInfo buf, const ConnectValue *v)
{
	char		digits[CONNECT_INT64_TEXT_LEN];
	Parts		parts;

	/* money and the like: digits with a point between them */
	if (v->kind == CONNECT_KIND_DECIMAL && v->len >= 0 && v->len < 6 &&
		buf->maxlen - buf->len > CONNECT_INT64_TEXT_LEN + 8)
	{
		char	   *p = buf->data + buf->len;
		uint64		u = v->u.i < 0 ? -(uint64) v->u.i : (uint64) v->u.i;
		uint64		power = small_powers[v->len];

		if (v->u.i < 0)
			*p++ = '-';
		if (v->len == 0)
			p = buf->data + buf->len + connect_int64_text(v->u.i, buf->data +
														  buf->len);
		else
		{
			uint64		fraction = u % power;

			p += connect_int64_text((int64) (u / power), p);
			*p++ = '.';
			for (int i = v->len - 1; i >= 0; i--)
			{
				p[i] = '0' + fraction % 10;
				fraction /= 10;
			}
			p += v->len;
		}
		*p = '\0';
		buf->len = p - buf->data;
		return;
	}
	if (v->kind == CONNECT_KIND_BIG_DECIMAL)
	{
		appendBinaryStringInfo(buf, v->u.p, v->len);
		return;
	}
	open_value(v, digits, &parts);
	append_parts(buf, &parts);
}

void
connect_decimal_append_plain(StringInfo buf, const ConnectValue *v)
{
	char		digits[CONNECT_INT64_TEXT_LEN];
	Parts		parts;
	int			before;

	open_value(v, digits, &parts);
	if (parts.negative)
		appendStringInfoChar(buf, '-');
	if (parts.scale <= 0)
	{
		appendBinaryStringInfo(buf, parts.digits, parts.ndigits);
		if (parts.digits[0] != '0')
		{
			enlargeStringInfo(buf, -parts.scale);
			memset(buf->data + buf->len, '0', -parts.scale);
			buf->len += -parts.scale;
			buf->data[buf->len] = '\0';
		}
		return;
	}
	before = parts.ndigits - parts.scale;
	if (before > 0)
		appendBinaryStringInfo(buf, parts.digits, before);
	else
		appendStringInfoChar(buf, '0');
	appendStringInfoChar(buf, '.');
	for (int i = before; i < 0; i++)
		appendStringInfoChar(buf, '0');
	before = Max(before, 0);
	appendBinaryStringInfo(buf, parts.digits + before, parts.ndigits - before);
}

/* Modulo 2^64 the digits beyond do not matter, nor does 10^64. */
int64
connect_decimal_to_int64(const ConnectValue *v)
{
	char		digits[CONNECT_INT64_TEXT_LEN];
	Parts		parts;
	uint64		u = 0;
	int			ndigits;

	open_value(v, digits, &parts);
	ndigits = parts.scale > 0 ? parts.ndigits - parts.scale : parts.ndigits;
	for (int i = 0; i < ndigits; i++)
		u = u * 10 + (parts.digits[i] - '0');
	if (parts.scale < -64)
		u = 0;
	for (int i = parts.scale; i < 0 && u != 0; i++)
		u *= 10;
	return parts.negative ? (int64) -u : (int64) u;
}

double
connect_decimal_to_double(const ConnectValue *v)
{
	StringInfoData buf;
	double		d;

	initStringInfo(&buf);
	connect_decimal_append_text(&buf, v);
	d = strtod(buf.data, NULL);
	pfree(buf.data);
	return d;
}

bool
connect_decimal_rescale(const ConnectValue *v, int scale, ConnectValue *out)
{
	char		buf[CONNECT_INT64_TEXT_LEN];
	Parts		parts;
	int64		more;

	open_value(v, buf, &parts);
	more = (int64) scale - parts.scale;
	if (more == 0)
	{
		*out = *v;
		return true;
	}
	if (parts.ndigits == 1 && parts.digits[0] == '0')
		more = 0;
	if (more < 0)
	{
		if (-more >= parts.ndigits)
			return false;
		for (int64 i = more; i < 0; i++)
		{
			if (parts.digits[parts.ndigits + i] != '0')
				return false;
		}
		parts.ndigits += more;
	}
	else if (more > 0)
	{
		char	   *digits;

		if (more > PG_INT32_MAX / 4)
			return false;
		digits = palloc(parts.ndigits + more);
		memcpy(digits, parts.digits, parts.ndigits);
		memset(digits + parts.ndigits, '0', more);
		parts.digits = digits;
		parts.ndigits += more;
	}
	parts.scale = scale;
	*out = close_value(&parts);
	return true;
}

static void
append_int64_bytes(StringInfo out, int64 i)
{
	int			n = 8;

	/* leave out bytes that only repeat the sign */
	while (n > 1 && (i >> (8 * (n - 1) - 1)) == (i < 0 ? -1 : 0))
		n--;
	while (n-- > 0)
		appendStringInfoCharMacro(out, (char) (i >> (8 * n)));
}

void
connect_decimal_append_bytes(StringInfo out, const ConnectValue *v)
{
	char		buf[CONNECT_INT64_TEXT_LEN];
	Parts		parts;
	uint32	   *words;
	int			nwords = 0;
	int			i;
	bool		carry = true;
	bool		started = false;

	if (v->kind == CONNECT_KIND_DECIMAL)
	{
		append_int64_bytes(out, v->u.i);
		return;
	}
	open_value(v, buf, &parts);

	/* the magnitude, least word first, with one word to spare for the sign */
	words = palloc0((parts.ndigits / 9 + 2) * sizeof(uint32));
	for (i = 0; i < parts.ndigits;)
	{
		int			step = (parts.ndigits - i - 1) % 9 + 1;
		uint64		acc = 0;

		for (int k = 0; k < step; k++)
			acc = acc * 10 + (parts.digits[i + k] - '0');
		i += step;
		for (int w = 0; w < nwords; w++)
		{
			acc += (uint64) words[w] * BIG_CHUNK;
			words[w] = (uint32) acc;
			acc >>= 32;
		}
		if (acc != 0)
			words[nwords++] = (uint32) acc;
	}
	nwords++;
	if (parts.negative)
	{
		for (i = 0; i < nwords; i++)
		{
			words[i] = ~words[i] + carry;
			carry = carry && words[i] == 0;
		}
	}
	for (i = nwords * 4 - 1; i >= 0; i--)
	{
		uint8		byte = words[i / 4] >> (i % 4 * 8);
		uint8		sign = parts.negative ? 0xFF : 0;

		if (!started && byte == sign && i > 0)
		{
			uint8		next = words[(i - 1) / 4] >> ((i - 1) % 4 * 8);

			if ((next & 0x80) == (sign & 0x80))
				continue;
		}
		started = true;
		appendStringInfoCharMacro(out, (char) byte);
	}
	pfree(words);
}

ConnectValue
connect_decimal_from_bytes(const char *data, int len, int scale)
{
	const uint8 *bytes = (const uint8 *) data;
	bool		negative = (bytes[0] & 0x80) != 0;
	bool		carry = true;
	int			nwords = len / 4 + 1;
	uint32	   *words;
	char	   *digits;
	char	   *end;
	char	   *p;
	Parts		parts;

	if (len <= 8)
	{
		uint64		u = negative ? PG_UINT64_MAX : 0;

		for (int i = 0; i < len; i++)
			u = (u << 8) | bytes[i];
		return connect_decimal_make((int64) u, scale);
	}

	words = palloc0(nwords * sizeof(uint32));
	for (int i = 0; i < len; i++)
	{
		uint8		byte = bytes[len - 1 - i];

		if (negative)
		{
			byte = ~byte + carry;
			carry = carry && byte == 0;
		}
		words[i / 4] |= (uint32) byte << (i % 4 * 8);
	}
	if (negative && carry)
		words[len / 4] |= (uint32) 1 << (len % 4 * 8);

	/* 32 bits make less than 10 digits */
	digits = palloc(nwords * 10 + 10);
	end = p = digits + nwords * 10 + 10;
	while (nwords > 0)
	{
		uint64		rest = 0;

		for (int w = nwords - 1; w >= 0; w--)
		{
			rest = (rest << 32) | words[w];
			words[w] = (uint32) (rest / BIG_CHUNK);
			rest %= BIG_CHUNK;
		}
		for (int k = 0; k < 9; k++)
		{
			*--p = '0' + rest % 10;
			rest /= 10;
		}
		while (nwords > 0 && words[nwords - 1] == 0)
			nwords--;
	}
	while (p < end - 1 && *p == '0')
		p++;
	pfree(words);
	parts.negative = negative;
	parts.digits = p;
	parts.ndigits = end - p;
	parts.scale = scale;
	return close_value(&parts);
}

bool
connect_decimal_schema_scale(const ConnectSchema *schema, int *scale,
							 ConnectError *err)
{
	const char *text;

	if (likely(schema->has_scale))
	{
		*scale = schema->scale;
		return true;
	}
	text = connect_schema_parameter(schema, "scale");
	if (text != NULL)
	{
		connect_error_set(err, "java.lang.NumberFormatException",
						  "For input string: \"%s\"", text);
		return connect_error_wrap(err, CONNECT_DATA_EXCEPTION,
								  "Invalid scale parameter found in Decimal schema: ");
	}
	if (schema->nparameters > 0)
		return connect_error_set(err, CONNECT_DATA_EXCEPTION,
								 "Invalid Decimal schema: scale parameter not found.");
	return connect_error_set(err, "java.lang.NullPointerException",
							 "Cannot invoke \"java.util.Map.get(Object)\" because the return value of \"org.apache.kafka.connect.data.Schema.parameters()\" is null");
}
