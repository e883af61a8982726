/*
 * base64.c
 *	  Base64 as in RFC 4648, with padding.
 */
#include "pure.h"

#include "record/base64.h"

static const char alphabet[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* -1 for what is not in the alphabet */
static inline int
value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

void
connect_base64_append(StringInfo out, const char *data, int len)
{
	const uint8 *p = (const uint8 *) data;
	char	   *o;

	enlargeStringInfo(out, (len + 2) / 3 * 4);
	o = out->data + out->len;
	for (; len >= 3; len -= 3, p += 3)
	{
		uint32		bits = (uint32) p[0] << 16 | p[1] << 8 | p[2];

		*o++ = alphabet[bits >> 18];
		*o++ = alphabet[(bits >> 12) & 63];
		*o++ = alphabet[(bits >> 6) & 63];
		*o++ = alphabet[bits & 63];
	}
	if (len > 0)
	{
		uint32		bits = (uint32) p[0] << 16 | (len > 1 ? p[1] << 8 : 0);

		*o++ = alphabet[bits >> 18];
		*o++ = alphabet[(bits >> 12) & 63];
		*o++ = len > 1 ? alphabet[(bits >> 6) & 63] : '=';
		*o++ = '=';
	}
	*o = '\0';
	out->len = o - out->data;
}

static char *
bad_character(const char *p, int index, const char *more)
{
	unsigned char c = *p;

	if (c <= ' ')
		return psprintf("Illegal white space character (code 0x%x) as character #%d of 4-char base64 unit: can only used between units",
						c, index + 1);
	if (c == '=')
		return psprintf("Unexpected padding character ('=') as character #%d of 4-char base64 unit: padding only legal as 3rd or 4th character",
						index + 1);
	if (c == 0x7F)
		return psprintf("Illegal character (code 0x%x) in base64 content%s",
						c, more);
	if (c >= 0xC0 && c < 0xF0)
	{
		/* the text is well-formed UTF-8 */
		int			n = c < 0xE0 ? 2 : 3;
		uint32		code = c & (0xFF >> (n + 1));

		for (int i = 1; i < n; i++)
			code = code << 6 | (p[i] & 0x3F);
		return psprintf("Illegal character '%.*s' (code 0x%x) in base64 content%s",
						n, p, code, more);
	}
	return psprintf("Illegal character '%c' (code 0x%x) in base64 content%s",
					c, c, more);
}

char *
connect_base64_decode(const char *text, int len, StringInfo out)
{
	const char *p = text;
	const char *end = text + len;

	enlargeStringInfo(out, len / 4 * 3 + 3);
	for (;;)
	{
		uint32		bits = 0;
		int			n;

		while (p < end && (unsigned char) *p <= ' ')
			p++;
		if (p == end)
			return NULL;
		for (n = 0; n < 4; n++)
		{
			int			value;

			if (p == end)
				return pstrdup("Unexpected end of base64-encoded String: base64 variant 'MIME-NO-LINEFEEDS' expects padding (one or more '=' characters) at the end. This Base64Variant might have been incorrectly configured");
			value = value_of(*p);
			if (value < 0)
			{
				if (*p != '=' || n < 2)
					return bad_character(p, n, "");
				p++;
				if (n == 3)
					break;
				if (p == end)
					continue;	/* says that the end is unexpected */
				if (*p != '=')
					return bad_character(p, 3,
										 ": expected padding character '='");
				p++;
				break;
			}
			bits = bits << 6 | value;
			p++;
		}
		/* four characters make three bytes, three make two, two make one */
		bits <<= 6 * (4 - n);
		appendStringInfoCharMacro(out, (char) (bits >> 16));
		if (n >= 3)
			appendStringInfoCharMacro(out, (char) (bits >> 8));
		if (n == 4)
			appendStringInfoCharMacro(out, (char) bits);
	}
}
