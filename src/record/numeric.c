/*
 * numeric.c
 *	  PostgreSQL's numeric to decimals and back, without text.
 *
 * NOTES
 *	  A numeric is a sign, a weight (of its first digit, as a power of 10000), a
 *	  display scale and digits to base 10000; a 16-bit header holds the first
 *	  three if they are small.
 */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"
#include "utils/builtins.h"

#include "compat.h"
#include "record/numeric.h"

#define SIGN_MASK			0xC000
#define SIGN_NEGATIVE		0x4000
#define SIGN_SHORT			0x8000
#define SIGN_SPECIAL		0xC000
#define SPECIAL_MASK		0xF000
#define SPECIAL_INFINITY	0xD000
#define SPECIAL_NEG_INFINITY 0xF000

#define SHORT_NEGATIVE		0x2000
#define SHORT_SCALE_MASK	0x1F80
#define SHORT_SCALE_SHIFT	7
#define SHORT_SCALE_MAX		(SHORT_SCALE_MASK >> SHORT_SCALE_SHIFT)
#define SHORT_WEIGHT_SIGN	0x0040
#define SHORT_WEIGHT_MASK	0x003F
#define LONG_SCALE_MASK		0x3FFF

#define BASE				10000

/* The parts of a numeric; digits may be unaligned. */
typedef struct Parts
{
	bool		negative;
	int			weight;
	int			scale;
	const char *digits;
	int			ndigits;
} Parts;

static inline uint16
read_uint16(const char *p)
{
	uint16		u;

	memcpy(&u, p, sizeof(u));
	return u;
}

static uint16
open_numeric(Datum numeric, Parts *parts)
{
	struct varlena *value = PG_DETOAST_DATUM_PACKED(numeric);
	const char *p = VARDATA_ANY(value);
	int			len = VARSIZE_ANY_EXHDR(value);
	uint16		header = read_uint16(p);

	if ((header & SIGN_MASK) == SIGN_SPECIAL)
		return header;
	if ((header & SIGN_MASK) == SIGN_SHORT)
	{
		parts->negative = (header & SHORT_NEGATIVE) != 0;
		parts->scale = (header & SHORT_SCALE_MASK) >> SHORT_SCALE_SHIFT;
		parts->weight = header & SHORT_WEIGHT_MASK;
		if ((header & SHORT_WEIGHT_SIGN) != 0)
			parts->weight -= SHORT_WEIGHT_MASK + 1;
		parts->digits = p + 2;
		parts->ndigits = (len - 2) / 2;
	}
	else
	{
		parts->negative = (header & SIGN_MASK) == SIGN_NEGATIVE;
		parts->scale = header & LONG_SCALE_MASK;
		parts->weight = (int16) read_uint16(p + 2);
		parts->digits = p + 4;
		parts->ndigits = (len - 4) / 2;
	}
	return header;
}

/* The digit of a weight; 0 where none is stored. */
static inline int
digit_at(const Parts *parts, int weight)
{
	int			i = parts->weight - weight;

	return i >= 0 && i < parts->ndigits ?
		read_uint16(parts->digits + 2 * i) : 0;
}

static ConnectValue
long_value(const Parts *parts)
{
	StringInfoData text;
	int			last = -((parts->scale + 3) / 4);
	int			fraction_at = 0;
	ConnectValue cell = connect_value_null();

	initStringInfo(&text);
	if (parts->negative)
		appendStringInfoChar(&text, '-');
	for (int weight = Max(parts->weight, 0); weight >= last; weight--)
	{
		if (weight == -1)
		{
			appendStringInfoChar(&text, '.');
			fraction_at = text.len;
		}
		appendStringInfo(&text, "%04d", digit_at(parts, weight));
	}
	if (parts->scale > 0)
		text.len = fraction_at + parts->scale;
	if (!connect_decimal_from_text(text.data, text.len, &cell))
		elog(ERROR, "malformed numeric");
	return cell;
}

bool
connect_numeric_to_value(Datum numeric, ConnectValue *cell)
{
	static const int powers[] = {1, 1000, 100, 10};
	Parts		parts;
	uint16		header = open_numeric(numeric, &parts);
	int			last;
	uint64		u = 0;
	bool		overflow = false;

	if ((header & SIGN_MASK) == SIGN_SPECIAL)
		return false;

	/* one group of four digits too many may be cut off at the end */
	last = -((parts.scale + 3) / 4);
	for (int weight = parts.weight; weight >= last; weight--)
	{
		overflow |= __builtin_mul_overflow(u, (uint64) BASE, &u);
		overflow |= __builtin_add_overflow(u, (uint64) digit_at(&parts, weight),
										   &u);
		if (overflow)
			break;
	}
	if (overflow || u > PG_INT64_MAX)
	{
		*cell = long_value(&parts);
		return true;
	}
	u /= powers[parts.scale % 4];
	*cell = connect_decimal_make(parts.negative ? -(int64) u : (int64) u,
								 parts.scale);
	return true;
}

double
connect_numeric_special(Datum numeric)
{
	Parts		parts;

	switch (open_numeric(numeric, &parts) & SPECIAL_MASK)
	{
		case SPECIAL_INFINITY:
			return INFINITY;
		case SPECIAL_NEG_INFINITY:
			return -INFINITY;
		default:
			return NAN;
	}
}

Datum
connect_numeric_make(int64 unscaled, int scale)
{
	static const int powers[] = {1, 1000, 100, 10};
	uint64		u = unscaled < 0 ? -(uint64) unscaled : (uint64) unscaled;
	int			groups = (scale + 3) / 4;	/* behind the point */
	uint16		digits[8];
	int			first = lengthof(digits);
	int			weight;
	int			ndigits;
	bool		is_short;
	struct varlena *result;
	char	   *p;
	Size		size;
	uint16		rest;

	/*
	 * Align the point to a group of four: the last group takes what is left of
	 * the scale.
	 */
	if (scale % 4 != 0)
	{
		int			power = powers[scale % 4];
		int			keep = BASE / power;

		rest = u % keep * power;
		u /= keep;
		digits[--first] = rest;
	}
	while (u > 0)
	{
		digits[--first] = u % BASE;
		u /= BASE;
	}
	weight = lengthof(digits) - first - groups - 1;

	/* no zeros at either end are stored */
	ndigits = lengthof(digits) - first;
	while (ndigits > 0 && digits[first] == 0)
	{
		first++;
		ndigits--;
		weight--;
	}
	while (ndigits > 0 && digits[first + ndigits - 1] == 0)
		ndigits--;
	if (ndigits == 0)
		weight = 0;

	is_short = scale <= SHORT_SCALE_MAX && weight <= SHORT_WEIGHT_MASK &&
		weight >= -(SHORT_WEIGHT_MASK + 1);
	size = VARHDRSZ + (is_short ? 2 : 4) + ndigits * 2;
	result = palloc(size);
	SET_VARSIZE(result, size);
	p = VARDATA(result);
	if (is_short)
	{
		uint16		header = SIGN_SHORT |
			(unscaled < 0 && ndigits > 0 ? SHORT_NEGATIVE : 0) |
			scale << SHORT_SCALE_SHIFT |
			(weight < 0 ? SHORT_WEIGHT_SIGN : 0) |
			(weight & SHORT_WEIGHT_MASK);

		memcpy(p, &header, 2);
		p += 2;
	}
	else
	{
		uint16		header = (unscaled < 0 ? SIGN_NEGATIVE : 0) | scale;
		int16		long_weight = weight;

		memcpy(p, &header, 2);
		memcpy(p + 2, &long_weight, 2);
		p += 4;
	}
	memcpy(p, digits + first, ndigits * 2);
	return PointerGetDatum(result);
}
