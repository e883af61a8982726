/*
 * string.c
 *	  StringConverter: a value's text.
 *
 * NOTES
 *	  Character sets other than those below are left to iconv(), under the
 *	  names that it knows.
 */
#include "pure.h"

#include <iconv.h>

#include "convert/convert.h"

typedef enum Charset
{
	CHARSET_UTF8,
	CHARSET_ASCII,
	CHARSET_LATIN1,
	CHARSET_UTF16,				/* big-endian with a mark; either when read */
	CHARSET_UTF16BE,
	CHARSET_UTF16LE,
	CHARSET_OTHER
} Charset;

typedef struct StringConverter
{
	ConnectConverter base;
	Charset		charset;
	const char *encoding;
	ConnectSchema *schema;		/* of what is read */
} StringConverter;

static const ConnectConfigKey keys[] = {
	{.name = "converter.encoding",
		.type = CONNECT_CONFIG_STRING,
		.default_value = "UTF-8",
		.importance = CONNECT_IMPORTANCE_HIGH,
		.width = CONNECT_WIDTH_MEDIUM,
		.display_name = "Encoding",
	.doc = "Character set of the texts in Kafka."},
};

static bool
find_charset(const char *name, Charset *charset)
{
	static const struct
	{
		const char *name;
		Charset		charset;
	}			known[] = {
		{"UTF-8", CHARSET_UTF8}, {"UTF8", CHARSET_UTF8},
		{"US-ASCII", CHARSET_ASCII}, {"ASCII", CHARSET_ASCII},
		{"ISO-8859-1", CHARSET_LATIN1}, {"ISO8859_1", CHARSET_LATIN1},
		{"latin1", CHARSET_LATIN1},
		{"UTF-16", CHARSET_UTF16}, {"UTF-16BE", CHARSET_UTF16BE},
		{"UTF-16LE", CHARSET_UTF16LE},
	};
	iconv_t		cd;

	for (int i = 0; i < lengthof(known); i++)
	{
		if (pg_strcasecmp(name, known[i].name) == 0)
		{
			*charset = known[i].charset;
			return true;
		}
	}
	cd = iconv_open(name, "UTF-8");
	if (cd == (iconv_t) -1)
		return false;
	iconv_close(cd);
	*charset = CHARSET_OTHER;
	return true;
}

static ConnectConverter *
string_make(const ConnectConverterClass *cls, const ConnectConfig *cfg,
			ConnectConverterRole role, ConnectError *err)
{
	StringConverter *self;

	if (!connect_config_parse(cfg, &cls->config, err))
		return NULL;
	self = palloc0(sizeof(StringConverter));
	self->base.cls = cls;
	self->base.role = role;
	self->encoding = connect_config_string(cfg, &cls->config,
										   "converter.encoding");
	if (!find_charset(self->encoding, &self->charset))
	{
		connect_error_set(err, "java.nio.charset.UnsupportedCharsetException",
						  "%s", self->encoding);
		connect_error_wrap(err, CONNECT_SERIALIZATION_EXCEPTION,
						   "Unsupported encoding %s", self->encoding);
		return NULL;
	}
	self->schema = connect_schema_make(CONNECT_STRING);
	self->schema->optional = true;
	return &self->base;
}

/* The code point at *p, which is well-formed but for lone surrogates. */
static uint32
next_code_point(const char **p, const char *end)
{
	const unsigned char *s = (const unsigned char *) *p;
	int			n = *s < 0xC0 ? 1 : *s < 0xE0 ? 2 : *s < 0xF0 ? 3 : 4;
	uint32		c = n == 1 ? *s : *s & (0xFF >> (n + 1));

	n = Min(n, end - *p);
	for (int i = 1; i < n; i++)
		c = c << 6 | (s[i] & 0x3F);
	*p += n;
	return c;
}

static void
append_utf16(StringInfo out, uint32 unit, bool little)
{
	appendStringInfoChar(out, (char) (little ? unit : unit >> 8));
	appendStringInfoChar(out, (char) (little ? unit >> 8 : unit));
}

static void
encode(StringInfo out, Charset charset, const char *p, int len)
{
	const char *end = p + len;
	uint32		limit = charset == CHARSET_ASCII ? 0x80 : 0x100;
	bool		little = charset == CHARSET_UTF16LE;

	if (charset == CHARSET_UTF16 && len > 0)
		append_utf16(out, 0xFEFF, false);
	while (p < end)
	{
		const char *start = p;
		uint32		c = next_code_point(&p, end);

		if (charset == CHARSET_UTF8)
		{
			if (c >= 0xD800 && c <= 0xDFFF)
				appendStringInfoChar(out, '?');
			else
				appendBinaryStringInfo(out, start, p - start);
		}
		else if (charset == CHARSET_ASCII || charset == CHARSET_LATIN1)
			appendStringInfoChar(out, c < limit ? (char) c : '?');
		else if (c >= 0x10000)
		{
			append_utf16(out, 0xD800 + ((c - 0x10000) >> 10), little);
			append_utf16(out, 0xDC00 + ((c - 0x10000) & 0x3FF), little);
		}
		else
			append_utf16(out, c >= 0xD800 && c <= 0xDFFF ? 0xFFFD : c, little);
	}
}

static void
append_code_point(StringInfo out, uint32 c)
{
	enlargeStringInfo(out, 4);
	out->len += connect_utf8_put(out->data + out->len, c);
	out->data[out->len] = '\0';
}

static void
decode(StringInfo out, Charset charset, const char *data, int len)
{
	const unsigned char *p = (const unsigned char *) data;
	const unsigned char *end = p + len;
	bool		little = charset == CHARSET_UTF16LE;
	uint32		high = 0;

	if (charset == CHARSET_ASCII || charset == CHARSET_LATIN1)
	{
		for (; p < end; p++)
			append_code_point(out, charset == CHARSET_ASCII && *p >= 0x80 ?
							  0xFFFD : *p);
		return;
	}
	if (charset == CHARSET_UTF16 && len >= 2 &&
		((p[0] == 0xFF && p[1] == 0xFE) || (p[0] == 0xFE && p[1] == 0xFF)))
	{
		little = p[0] == 0xFF;
		p += 2;
	}
	for (; end - p >= 2; p += 2)
	{
		uint32		c = little ? p[1] << 8 | p[0] : p[0] << 8 | p[1];

		if (high != 0 && c >= 0xDC00 && c <= 0xDFFF)
		{
			append_code_point(out, 0x10000 + ((high - 0xD800) << 10) +
							  (c - 0xDC00));
			high = 0;
			continue;
		}
		if (high != 0)
			append_code_point(out, 0xFFFD);
		high = c >= 0xD800 && c <= 0xDBFF ? c : 0;
		if (high == 0)
			append_code_point(out, c >= 0xDC00 && c <= 0xDFFF ? 0xFFFD : c);
	}
	if (high != 0 || p < end)
		append_code_point(out, 0xFFFD);
}

/* What cannot be converted becomes replacement. */
static bool
convert_other(StringInfo out, const char *to, const char *from,
			  const char *replacement, const char *p, int len,
			  ConnectError *err)
{
	iconv_t		cd = iconv_open(to, from);
	char	   *in = unconstify(char *, p);
	size_t		left = len;

	if (cd == (iconv_t) -1)
		return connect_error_set(err, CONNECT_DATA_EXCEPTION,
								 "Unsupported encoding %s", to);
	while (left > 0)
	{
		char	   *o;
		size_t		room;

		enlargeStringInfo(out, 64 + left * 2);
		o = out->data + out->len;
		room = out->maxlen - out->len - 1;
		if (iconv(cd, &in, &left, &o, &room) == (size_t) -1 && errno != E2BIG)
		{
			out->len = o - out->data;
			appendStringInfoString(out, replacement);
			in++;
			left--;
			while (left > 0 && strcmp(from, "UTF-8") == 0 &&
				   (*in & 0xC0) == 0x80)
			{
				in++;
				left--;
			}
			continue;
		}
		out->len = o - out->data;
	}
	out->data[out->len] = '\0';
	iconv_close(cd);
	return true;
}

static bool
string_from_connect(ConnectConverter *base, const char *topic,
					const ConnectSchema *schema, const ConnectValue *value,
					StringInfo out, bool *is_null, ConnectError *err)
{
	StringConverter *self = (StringConverter *) base;
	StringInfoData text;

	*is_null = value->kind == CONNECT_KIND_NULL;
	if (*is_null)
		return true;
	if (self->charset == CHARSET_UTF8)
	{
		int			start = out->len;
		int			len;

		if (value->kind == CONNECT_KIND_STRING)
			appendBinaryStringInfo(out, value->u.p, value->len);
		else
			connect_value_append_string(out, schema, value);
		len = out->len - start;
		if (likely(connect_utf8_valid_len(out->data + start, len) == len))
			return true;
		initStringInfo(&text);
		appendBinaryStringInfo(&text, out->data + start, len);
		out->len = start;
	}
	else
	{
		initStringInfo(&text);
		connect_value_append_string(&text, schema, value);
	}
	if (self->charset == CHARSET_OTHER)
		return convert_other(out, self->encoding, "UTF-8", "?", text.data,
							 text.len, err);
	encode(out, self->charset, text.data, text.len);
	pfree(text.data);
	return true;
}

static bool
string_to_connect(ConnectConverter *base, const char *topic,
				  const char *data, int len, ConnectSchema **schema,
				  ConnectValue *value, ConnectError *err)
{
	StringConverter *self = (StringConverter *) base;
	StringInfoData text;

	*schema = self->schema;
	*value = connect_value_null();
	if (data == NULL)
		return true;
	if (self->charset == CHARSET_UTF8 &&
		connect_utf8_valid_len(data, len) == len)
	{
		*value = connect_value_text(CONNECT_KIND_STRING, data, len);
		return true;
	}
	initStringInfo(&text);
	if (self->charset == CHARSET_UTF8)
		connect_utf8_append_java(&text, data, len);
	else if (self->charset == CHARSET_OTHER)
	{
		if (!convert_other(&text, "UTF-8", self->encoding, "\xEF\xBF\xBD",
						   data, len, err))
			return false;
	}
	else
		decode(&text, self->charset, data, len);
	*value = connect_value_text(CONNECT_KIND_STRING, text.data, text.len);
	return true;
}

const ConnectConverterClass connect_string_converter = {
	.class_name = "org.apache.kafka.connect.storage.StringConverter",
	.aliases = (const char *const[]) {"StringConverter", "String", NULL},
	.version = CONNECT_CONVERTER_VERSION,
	.doc = "A value's text.",
	.config = {keys, lengthof(keys)},
	.is_converter = true,
	.is_header_converter = true,
	.make = string_make,
	.from_connect = string_from_connect,
	.to_connect = string_to_connect,
};
