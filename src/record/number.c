/*
 * number.c
 *	  Text of integers and of floating-point numbers in Java's notation.
 *
 * NOTES
 *	  Numbers get the fewest digits that read back as the same number, as in
 *	  Double.toString() of Java 19 and later; but integers below 2^63 as in
 *	  Java 17, which most workers run: all digits that a bit tells something of.
 */
#include "pure.h"

#include <math.h>

#include "common/shortest_dec.h"
#include "port/pg_bitutils.h"

#include "record/record.h"

static const char digit_pairs[] =
	"00010203040506070809"
	"10111213141516171819"
	"20212223242526272829"
	"30313233343536373839"
	"40414243444546474849"
	"50515253545556575859"
	"60616263646566676869"
	"70717273747576777879"
	"80818283848586878889"
	"90919293949596979899";

static int	integer_text(int64 i, int significant_bits, char *buf);
static int	java_notation(const char *text, int len, char *buf);

int
connect_int64_text(int64 i, char *buf)
{
	uint64		u = i < 0 ? -(uint64) i : (uint64) i;
	char	   *p = buf;
	char	   *end;
	int			ndigits = 1;

	if (i < 0)
		*p++ = '-';
	for (uint64 rest = u; rest >= 10; ndigits++)
	{
		if (rest >= 10000)
		{
			rest /= 10000;
			ndigits += 3;
		}
		else if (rest >= 100)
		{
			rest /= 100;
			ndigits++;
		}
		else
			rest = 0;
	}
	end = p + ndigits;
	p = end;
	while (u >= 100)
	{
		p -= 2;
		memcpy(p, digit_pairs + u % 100 * 2, 2);
		u /= 100;
	}
	if (u >= 10)
		memcpy(p - 2, digit_pairs + u * 2, 2);
	else
		p[-1] = '0' + u;
	return end - buf;
}

/*
 * What both widths have in common: NaN, infinities and integers.  0 if it is
 * none of these.
 */
static int
special_text(double d, int significant_bits, char *buf)
{
	const char *text;
	int			len;

	if (isnan(d))
		text = "NaN";
	else if (isinf(d))
		text = d < 0 ? "-Infinity" : "Infinity";
	else if (fabs(d) < 1e7 && d == (double) (int64) d)
	{
		len = 0;
		if (d == 0 && signbit(d))
			buf[len++] = '-';
		len += connect_int64_text((int64) d, buf + len);
		buf[len++] = '.';
		buf[len++] = '0';
		return len;
	}
	else if (fabs(d) < 9.2e18 && d == (double) (int64) d)
		return integer_text((int64) d, significant_bits, buf);
	else
		return 0;
	len = strlen(text);
	memcpy(buf, text, len);
	return len;
}

/* An integer from 10^7 on, less the digits that lie below its last bit. */
static int
integer_text(int64 i, int significant_bits, char *buf)
{
	char		digits[CONNECT_INT64_TEXT_LEN + 4];
	uint64		u = i < 0 ? -(uint64) i : (uint64) i;
	int			idle_bits = pg_leftmost_one_pos64(u) - significant_bits - 1;
	uint64		power = 1;
	int			len;

	if (idle_bits > 1)
	{
		/* 10^k for the largest k with 10^k <= 2^idle_bits */
		while (power * 10 <= UINT64CONST(1) << idle_bits)
			power *= 10;
		u = u / power + (power > 1 && u % power >= power / 2);
	}
	len = snprintf(digits, sizeof(digits), "%s" UINT64_FORMAT,
				   i < 0 ? "-" : "", u);
	for (; power > 1; power /= 10)
		digits[len++] = '0';
	return java_notation(digits, len, buf);
}

int
connect_double_text(double d, char *buf)
{
	char		tmp[DOUBLE_SHORTEST_DECIMAL_LEN];
	int			len = special_text(d, 53, buf);

	if (len > 0)
		return len;
	len = double_to_shortest_decimal_bufn(d, tmp);

	/*
	 * Java writes two digits at least, the nearest ones: 4.9E-324, not
	 * 5.0E-324.  Above the subnormals the second is 0.
	 */
	if (fabs(d) < 1e-300)
	{
		char		two[DOUBLE_SHORTEST_DECIMAL_LEN];

		snprintf(two, sizeof(two), "%.1e", d);
		if (strtod(two, NULL) == d)
			len = snprintf(tmp, sizeof(tmp), "%s", two);
	}
	return java_notation(tmp, len, buf);
}

int
connect_float_text(float f, char *buf)
{
	char		tmp[FLOAT_SHORTEST_DECIMAL_LEN];
	int			len = special_text(f, 24, buf);

	if (len > 0)
		return len;
	len = float_to_shortest_decimal_bufn(f, tmp);
	if (fabsf(f) < 1e-37f)
	{
		char		two[FLOAT_SHORTEST_DECIMAL_LEN];

		snprintf(two, sizeof(two), "%.1e", f);
		if (strtof(two, NULL) == f)
			len = snprintf(tmp, sizeof(tmp), "%s", two);
	}
	return java_notation(tmp, len, buf);
}

/* Turns a decimal number as C writes it into Java's notation. */
static int
java_notation(const char *text, int len, char *buf)
{
	char		digits[DOUBLE_SHORTEST_DECIMAL_LEN + 4];
	int			ndigits = 0;
	int			exponent = -1;	/* of the first digit */
	bool		point = false;
	char	   *p = buf;

	for (int i = 0; i < len; i++)
	{
		char		c = text[i];

		if (c == '-')
			*p++ = '-';
		else if (c == '.')
			point = true;
		else if (c == 'e')
		{
			exponent += strtol(pnstrdup(text + i + 1, len - i - 1), NULL, 10);
			break;
		}
		else
		{
			if (c == '0' && ndigits == 0)
			{
				if (point)
					exponent--;
				continue;
			}
			digits[ndigits++] = c;
			if (!point)
				exponent++;
		}
	}
	while (ndigits > 1 && digits[ndigits - 1] == '0')
		ndigits--;

	if (exponent >= -3 && exponent < 7)
	{
		int			i = 0;

		if (exponent < 0)
		{
			*p++ = '0';
			*p++ = '.';
			for (int zeros = -exponent - 1; zeros > 0; zeros--)
				*p++ = '0';
		}
		else
		{
			for (; i <= exponent; i++)
				*p++ = i < ndigits ? digits[i] : '0';
			*p++ = '.';
			if (i >= ndigits)
				*p++ = '0';
		}
		for (; i < ndigits; i++)
			*p++ = digits[i];
	}
	else
	{
		*p++ = digits[0];
		*p++ = '.';
		if (ndigits == 1)
			*p++ = '0';
		for (int i = 1; i < ndigits; i++)
			*p++ = digits[i];
		*p++ = 'E';
		p += connect_int64_text(exponent, p);
	}
	return p - buf;
}

void
connect_double_append_java(StringInfo buf, double d)
{
	char		text[CONNECT_DOUBLE_TEXT_LEN];

	appendBinaryStringInfo(buf, text, connect_double_text(d, text));
}

void
connect_float_append_java(StringInfo buf, float f)
{
	char		text[CONNECT_DOUBLE_TEXT_LEN];

	appendBinaryStringInfo(buf, text, connect_float_text(f, text));
}
