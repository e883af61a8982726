/*
 * record.c
 *	  Decimals, numbers, text, calendar and schemas: what vectors do not reach.
 */
#include "pure.h"

#include <math.h>

#include "convert/convert.h"
#include "record/base64.h"
#include "record/calendar.h"
#include "record/literal.h"

static int	passed;
static int	failed;

static void
check(const char *what, const char *expected, const char *found)
{
	if (strcmp(expected, found) == 0)
		passed++;
	else
	{
		failed++;
		printf("%s\n  expected: %s\n  found:    %s\n", what, expected, found);
	}
}

static void
check_true(const char *what, bool ok)
{
	check(what, "true", ok ? "true" : "false");
}

static ConnectValue
decimal(const char *text)
{
	ConnectValue v = connect_value_null();

	check_true(text, connect_decimal_from_text(text, strlen(text), &v));
	return v;
}

static char *
decimal_text(const ConnectValue *v, bool plain)
{
	StringInfoData buf;

	initStringInfo(&buf);
	if (plain)
		connect_decimal_append_plain(&buf, v);
	else
		connect_decimal_append_text(&buf, v);
	return buf.data;
}

static void
test_decimals(void)
{
	static const char *const texts[][3] = {
		{"0", "0", "0"}, {"-0", "0", "0"}, {"+1", "1", "1"},
		{"007.50", "7.50", "7.50"}, {"1e3", "1E+3", "1000"},
		{"12e-1", "1.2", "1.2"}, {"0.000001", "0.000001", "0.000001"},
		{"0.0000001", "1E-7", "0.0000001"}, {"-1.5E-10", "-1.5E-10", "-0.00000000015"},
		{"9223372036854775807", "9223372036854775807", "9223372036854775807"},
		{"-9223372036854775808", "-9223372036854775808", "-9223372036854775808"},
		{"9223372036854775808", "9223372036854775808", "9223372036854775808"},
		{"123456789012345678901234567890.12", "123456789012345678901234567890.12", "123456789012345678901234567890.12"},
		{".5", "0.5", "0.5"}, {"5.", "5", "5"},
	};
	static const char *const bad[] = {
		"", "-", "+", ".", "1e", "1e+", "e5", "1.2.3", "1 ", " 1", "0x1", "NaN", "1e99999999999", "--1"
	};
	static const struct
	{
		const char *from;
		int			scale;
		const char *to;
	}			rescales[] = {
		{"1.50", 1, "1.5"}, {"1.55", 1, NULL}, {"1", 3, "1.000"}, {"1e3", 0, "1000"}, {"100", -2, "1E+2"},
		{"0.000", 0, "0"}, {"9223372036854775807", 1, "9223372036854775807.0"}, {"1e30", 0, "1000000000000000000000000000000"},
	};
	ConnectValue v;

	for (int i = 0; i < lengthof(texts); i++)
	{
		v = decimal(texts[i][0]);
		check(texts[i][0], texts[i][1], decimal_text(&v, false));
		check(texts[i][0], texts[i][2], decimal_text(&v, true));
	}
	for (int i = 0; i < lengthof(bad); i++)
		check_true(psprintf("\"%s\" is no number", bad[i]),
				   !connect_decimal_from_text(bad[i], strlen(bad[i]), &v));
	for (int i = 0; i < lengthof(rescales); i++)
	{
		ConnectValue from = decimal(rescales[i].from);

		if (!connect_decimal_rescale(&from, rescales[i].scale, &v))
			check_true(rescales[i].from, rescales[i].to == NULL);
		else
			check(rescales[i].from, rescales[i].to ? rescales[i].to : "refused",
				  decimal_text(&v, false));
	}
	v = decimal("-12.7");
	check_true("fractions are cut", connect_decimal_to_int64(&v) == -12);
	v = decimal("18446744073709551617");
	check_true("integers wrap", connect_decimal_to_int64(&v) == 1);
	v = decimal("1e100");
	check_true("powers of ten wrap to 0", connect_decimal_to_int64(&v) == 0);
	v = decimal("1e2147483647");
	check_true("a huge exponent costs nothing", connect_decimal_to_int64(&v) == 0);
}

/* Every length of two's complement, both signs. */
static void
test_decimal_bytes(void)
{
	for (int len = 1; len <= 40; len++)
	{
		for (int first = 0; first < 256; first += 51)
		{
			char		data[40];
			StringInfoData out;
			ConnectValue v;
			ConnectValue v2;

			for (int i = 0; i < len; i++)
				data[i] = (char) (first + i * 37);
			v = connect_decimal_from_bytes(data, len, 3);
			initStringInfo(&out);
			connect_decimal_append_bytes(&out, &v);
			v2 = connect_decimal_from_bytes(out.data, out.len, 3);
			check_true("bytes of a decimal", connect_value_equal(&v, &v2) &&
					   out.len <= len);
		}
	}
}

static void
test_numbers(void)
{
	static const struct
	{
		double		d;
		const char *text;
	}			doubles[] = {
		{0, "0.0"}, {-0.0, "-0.0"}, {1, "1.0"}, {0.001, "0.001"}, {0.00099, "9.9E-4"}, {1e7, "1.0E7"},
		{9999999, "9999999.0"}, {1234567.5, "1234567.5"}, {12345678.5, "1.23456785E7"}, {4.9e-324, "4.9E-324"},
		{1.7976931348623157e308, "1.7976931348623157E308"}, {0.1 + 0.2, "0.30000000000000004"}, {-1e-5, "-1.0E-5"},
		{NAN, "NaN"}, {INFINITY, "Infinity"}, {-INFINITY, "-Infinity"}, {9007199254740993.0, "9.007199254740992E15"},
	};
	static const struct
	{
		float		f;
		const char *text;
	}			floats[] = {
		{0.1f, "0.1"}, {3.4028235e38f, "3.4028235E38"}, {1.4e-45f, "1.4E-45"}, {123456792.0f, "1.23456792E8"},
		{3701328640.0f, "3.70132864E9"}, {16777216.0f, "1.6777216E7"},
	};
	static const int64 integers[] = {
		0, 9, 10, 99, 100, 999, 1000, 9999, 10000, 99999, 100000,
		123456789, PG_INT64_MAX, PG_INT64_MIN, -1, -10, -99, -100
	};
	char		buf[64];

	for (int i = 0; i < lengthof(doubles); i++)
		check("double", doubles[i].text,
			  pnstrdup(buf, connect_double_text(doubles[i].d, buf)));
	for (int i = 0; i < lengthof(floats); i++)
		check("float", floats[i].text,
			  pnstrdup(buf, connect_float_text(floats[i].f, buf)));
	for (int i = 0; i < lengthof(integers); i++)
		check("integer", psprintf(INT64_FORMAT, integers[i]),
			  pnstrdup(buf, connect_int64_text(integers[i], buf)));
}

static void
test_calendar(void)
{
	StringInfoData buf;
	ConnectCalendar cal;
	int64		days = connect_calendar_days(1, 1, 1);

	/*
	 * Each day of 2,100 years has its own date, in both calendars; but the ten
	 * days before 1582-10-15 Java does not have.
	 */
	for (int64 day = days; day < days + 2100 * 366; day++)
	{
		connect_calendar_from_ms(day * CONNECT_MS_PER_DAY, &cal);
		if (connect_calendar_days(cal.year, cal.month, cal.day) != day ||
			((day < -141437 || day >= -141427) &&
			 connect_days_from_java(connect_days_to_java(day)) != day))
		{
			check_true(psprintf("day " INT64_FORMAT, day), false);
			return;
		}
	}
	passed++;
	initStringInfo(&buf);
	connect_date_append_java(&buf, INT64CONST(1700000000123));
	check("Date.toString()", "Tue Nov 14 22:13:20 UTC 2023", buf.data);
	resetStringInfo(&buf);
	connect_date_append_iso_timestamp(&buf, INT64CONST(-62135769600000));
	check("the Julian first of January 1", "0001-01-01T00:00:00.000Z", buf.data);
}

static void
test_text(void)
{
	static const struct
	{
		const char *in;
		int			len;
		const char *out;
	}			repairs[] = {
		{"abc", 3, "abc"}, {"\xff", 1, "\xEF\xBF\xBD"}, {"\xc3\xbc", 2, "\xc3\xbc"}, {"\xe2\x82", 2, "\xEF\xBF\xBD"},
		{"\xe2\x82x", 3, "\xEF\xBF\xBDx"}, {"\xf0\x9f\x98", 3, "\xEF\xBF\xBD"}, {"\xc0\x80", 2, "\xEF\xBF\xBD\xEF\xBF\xBD"},
		{"\xed\xa0\x80", 3, "\xEF\xBF\xBD"}, {"abcdefgh\x80ijklmnop", 17, "abcdefgh\xEF\xBF\xBDijklmnop"},
	};
	StringInfoData buf;

	for (int i = 0; i < lengthof(repairs); i++)
	{
		initStringInfo(&buf);
		connect_utf8_append_java(&buf, repairs[i].in, repairs[i].len);
		check("repaired text", repairs[i].out, buf.data);
	}
	for (int len = 0; len < 20; len++)
	{
		StringInfoData decoded;

		initStringInfo(&buf);
		initStringInfo(&decoded);
		connect_base64_append(&buf, "\x00\xff\x10\x80yxwvutsrqponmlkjih", len);
		check_true("base64 is well-formed",
				   connect_base64_decode(buf.data, buf.len, &decoded) == NULL);
		check_true("base64", decoded.len == len &&
				   memcmp(decoded.data, "\x00\xff\x10\x80yxwvutsrqponmlkjih", len) == 0);
	}
}

static void
test_schemas(void)
{
	ConnectSchema *a = connect_schema_make_struct("r", 2);
	ConnectSchema *b;

	connect_schema_set_field(a, 0, "x", connect_schema_make_logical(CONNECT_LOGICAL_DECIMAL, -2));
	connect_schema_set_field(a, 1, "y", connect_schema_make(CONNECT_MAP));
	a->fields[1].schema->key_schema = connect_schema_make(CONNECT_STRING);
	a->fields[1].schema->value_schema = connect_schema_make(CONNECT_INT8);
	b = connect_schema_copy(a);
	check_true("a copy is equal", connect_schema_equal(a, b));
	check_true("a copy has an id of its own", a->id != b->id);
	check_true("a scale may be negative", b->fields[0].schema->has_scale &&
			   b->fields[0].schema->scale == -2);
	check_true("field by name", connect_schema_field(b, "y", 1) == 1 &&
			   connect_schema_field(b, "z", 1) == -1);
	b->fields[1].schema->value_schema->optional = true;
	check_true("a nested difference is seen", !connect_schema_equal(a, b));
	connect_schema_add_parameter(b->fields[0].schema, "scale", "x");
	check_true("a scale that is no number is none",
			   !b->fields[0].schema->has_scale);
}

/* Nesting that would exhaust a stack is handed on as bytes. */
static void
test_deep_literal(void)
{
	char	   *text = palloc(100001);
	ConnectSchema *schema;
	ConnectValue v;

	memset(text, '[', 100000);
	text[100000] = '\0';
	check_true("a literal nested too deep",
			   !connect_literal_parse(text, 100000, &schema, &v));
}

/* A megabyte of digits would take a minute, and nothing could stop it. */
static void
test_long_decimal(void)
{
	ConnectConverter *converter;
	ConnectError err;

	converter = connect_json_converter.make(&connect_json_converter,
											connect_config_make(),
											CONNECT_CONVERT_VALUE, &err);
	for (int len = 65536; len <= 1 << 20; len += (1 << 20) - 65536)
	{
		char	   *bytes = palloc(len);
		StringInfoData message;
		ConnectSchema *schema;
		ConnectValue value;
		bool		ok;

		memset(bytes, 0x7f, len);
		initStringInfo(&message);
		appendStringInfoString(&message,
							   "{\"schema\":{\"type\":\"bytes\",\"name\":\"org.apache.kafka.connect.data.Decimal\","
							   "\"version\":1,\"parameters\":{\"scale\":\"2\"}},\"payload\":\"");
		connect_base64_append(&message, bytes, len);
		appendStringInfoString(&message, "\"}");
		ok = converter->cls->to_connect(converter, "t", message.data,
										message.len, &schema, &value, &err);
		check_true("a long decimal", ok == (len == 65536));
		if (!ok)
			check("why not", "Invalid bytes for Decimal field: 1048576 bytes are more than 65536",
				  err.message);
	}
}

int
main(void)
{
	test_decimals();
	test_decimal_bytes();
	test_numbers();
	test_calendar();
	test_text();
	test_schemas();
	test_deep_literal();
	test_long_decimal();
	printf("%d passed, %d failed\n", passed, failed);
	return failed > 0;
}
