/*
 * utf8.c
 *	  UTF-8: check, repair, encode.
 */
#include "pure.h"

#include "record/record.h"

/*
 * Length of the well-formed sequence at p, or minus the number of bytes that
 * Java's decoder replaces by one U+FFFD.
 */
static int
sequence_len(const unsigned char *p, const unsigned char *end)
{
	unsigned char lo = 0x80;
	unsigned char hi = 0xBF;
	int			len;

	if (*p < 0x80)
		return 1;
	if (*p < 0xC2 || *p > 0xF4)
		return -1;
	len = *p < 0xE0 ? 2 : *p < 0xF0 ? 3 : 4;
	if (*p == 0xE0)
		lo = 0xA0;
	else if (*p == 0xED)
		hi = 0x9F;
	else if (*p == 0xF0)
		lo = 0x90;
	else if (*p == 0xF4)
		hi = 0x8F;

	for (int i = 1; i < len; i++)
	{
		if (p + i >= end || p[i] < lo || p[i] > hi)
		{
			/* Java takes an encoded surrogate for one bad character. */
			if (i == 1 && *p == 0xED && p + 2 < end &&
				(p[1] & 0xC0) == 0x80 && (p[2] & 0xC0) == 0x80)
				return -3;
			return -i;
		}
		lo = 0x80;
		hi = 0xBF;
	}
	return len;
}

int
connect_utf8_valid_len(const char *p, int len)
{
	const unsigned char *s = (const unsigned char *) p;
	const unsigned char *end = s + len;

	while (s < end)
	{
		uint64		chunk;
		int			n;

		if (end - s >= 8)
		{
			memcpy(&chunk, s, 8);
			if ((chunk & UINT64CONST(0x8080808080808080)) == 0)
			{
				s += 8;
				continue;
			}
		}
		n = sequence_len(s, end);
		if (n < 0)
			break;
		s += n;
	}
	return (const char *) s - p;
}

void
connect_utf8_append_java(StringInfo buf, const char *p, int len)
{
	const char *end = p + len;

	while (p < end)
	{
		int			valid = connect_utf8_valid_len(p, end - p);

		appendBinaryStringInfo(buf, p, valid);
		p += valid;
		if (p < end)
		{
			appendBinaryStringInfo(buf, "\xEF\xBF\xBD", 3);
			p -= sequence_len((const unsigned char *) p,
							  (const unsigned char *) end);
		}
	}
}

int
connect_utf8_put(char *p, uint32 c)
{
	if (c < 0x80)
	{
		p[0] = c;
		return 1;
	}
	if (c < 0x800)
	{
		p[0] = 0xC0 | (c >> 6);
		p[1] = 0x80 | (c & 0x3F);
		return 2;
	}
	if (c < 0x10000)
	{
		p[0] = 0xE0 | (c >> 12);
		p[1] = 0x80 | ((c >> 6) & 0x3F);
		p[2] = 0x80 | (c & 0x3F);
		return 3;
	}
	p[0] = 0xF0 | (c >> 18);
	p[1] = 0x80 | ((c >> 12) & 0x3F);
	p[2] = 0x80 | ((c >> 6) & 0x3F);
	p[3] = 0x80 | (c & 0x3F);
	return 4;
}
