/*
 * record.c
 *	  A libFuzzer target: bytes through every reader of the record model.
 *
 * NOTES
 *	  Besides crashes it looks for what must always hold: what is written can
 *	  be read again as the same value, and a literal that was read can be
 *	  written.  The first byte chooses.
 */
#include "pure.h"

#include "convert/convert.h"
#include "convert/json_plan.h"
#include "record/literal.h"

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static ConnectConverter *
make(const ConnectConverterClass *cls, const char *key, const char *value)
{
	ConnectConfig *cfg = connect_config_make();
	ConnectError err;

	if (key != NULL)
		connect_config_set(cfg, key, value);
	return cls->make(cls, cfg, CONNECT_CONVERT_VALUE, &err);
}

static void
must(bool ok, const char *what)
{
	if (!ok)
	{
		fprintf(stderr, "%s\n", what);
		abort();
	}
}

/*
 * What a converter reads it can write, and reads again; written once more it is
 * the same.  But infinity is written as a text, which a double's schema reads as
 * 0, and an object under an array's schema becomes an array.
 */
static void
there_and_back(ConnectConverter *converter, const char *data, int len)
{
	const ConnectConverterClass *cls = converter->cls;
	StringInfoData out[2];
	bool		is_null[2] = {false, false};

	for (int i = 0; i < 2; i++)
	{
		ConnectSchema *schema;
		ConnectValue value;
		ConnectError err;

		if (!cls->to_connect(converter, "t", data, len, &schema, &value, &err))
		{
			must(i == 0, "cannot read what was written");
			must(err.class_name != NULL && err.message != NULL,
				 "error without text");
			return;
		}
		initStringInfo(&out[i]);
		if (!cls->from_connect(converter, "t", schema, &value, &out[i],
							   &is_null[i], &err))
		{
			must(i == 0, "cannot write what was read");
			return;
		}
		data = is_null[i] ? NULL : out[i].data;
		len = out[i].len;
	}
	if (strstr(out[0].data, "Infinity") != NULL)
		return;
	must(is_null[0] == is_null[1] && out[0].len == out[1].len &&
		 memcmp(out[0].data, out[1].data, out[0].len) == 0,
		 "something else came back");
}

static void
plan(const char *data, int len, int flags)
{
	static const char *const names[] = {"a", "b", "schema", "payload", ""};
	static ConnectJsonPlan *plans[8];
	ConnectValue cells[lengthof(names)];
	ConnectJsonResult result;
	ConnectError err;

	if (plans[flags] == NULL)
		plans[flags] = connect_json_plan_make(names, lengthof(names), flags);
	connect_json_plan_decode(plans[flags], data, len, cells, &result, &err);
}

static void
literal(const char *data, int len)
{
	ConnectSchema *schema;
	ConnectValue value;
	ConnectError err;
	StringInfoData text;
	StringInfoData out;

	initStringInfo(&text);
	connect_utf8_append_java(&text, data, len);
	must(connect_utf8_valid_len(text.data, text.len) == text.len,
		 "repaired text is malformed");
	if (!connect_literal_parse(text.data, text.len, &schema, &value) ||
		value.kind == CONNECT_KIND_NULL)
		return;
	initStringInfo(&out);
	must(connect_literal_append(&out, schema, &value, &err),
		 "cannot write a literal that was read");
}

static void
decimal(const char *data, int len)
{
	ConnectValue v;
	ConnectValue v2;
	StringInfoData text;
	StringInfoData bytes;

	if (len > 0)
	{
		v = connect_decimal_from_bytes(data, len, len % 7 - 3);
		initStringInfo(&bytes);
		connect_decimal_append_bytes(&bytes, &v);
		v2 = connect_decimal_from_bytes(bytes.data, bytes.len, len % 7 - 3);
		must(connect_value_equal(&v, &v2), "another decimal came back from bytes");
	}
	if (!connect_decimal_from_text(data, len, &v))
		return;
	initStringInfo(&text);
	connect_decimal_append_text(&text, &v);
	must(connect_decimal_from_text(text.data, text.len, &v2) &&
		 connect_value_equal(&v, &v2), "another decimal came back from text");
	connect_decimal_to_int64(&v);
	connect_decimal_to_double(&v);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static ConnectConverter *plain;
	static ConnectConverter *string;
	static ConnectConverter *utf16;
	const char *text = (const char *) data + 1;
	int			len = size - 1;
	ConnectConverter *envelope;

	if (size == 0)
		return 0;
	if (plain == NULL)
	{
		plain = make(&connect_json_converter, "schemas.enable", "false");
		string = make(&connect_string_converter, NULL, NULL);
		utf16 = make(&connect_string_converter, "converter.encoding", "UTF-16");
	}
	switch (data[0] % 8)
	{
		case 0:
			there_and_back(plain, text, len);
			break;
		case 1:
			envelope = make(&connect_json_converter, NULL, NULL);
			there_and_back(envelope, text, len);
			break;
		case 2:
			plan(text, len, data[0] / 8 % 8);
			break;
		case 3:
			literal(text, len);
			break;
		case 4:
			decimal(text, len);
			break;
		case 5:
			there_and_back(string, text, len);
			break;
		case 6:
			there_and_back(utf16, text, len);
			break;
		default:
			envelope = make(&connect_json_converter, "schema.content", "{\"type\":\"struct\",\"fields\":[{\"field\":\"a\",\"type\":\"int32\",\"default\":1},{\"field\":\"b\",\"type\":\"map\",\"keys\":{\"type\":\"int8\"},\"values\":{\"type\":\"bytes\",\"optional\":true},\"optional\":true},{\"field\":\"c\",\"type\":\"array\",\"items\":{\"type\":\"bytes\",\"name\":\"org.apache.kafka.connect.data.Decimal\",\"parameters\":{\"scale\":\"2\"}},\"optional\":true}]}");
			must(envelope != NULL, "bad schema");
			{
				ConnectSchema *schema;
				ConnectValue value;
				ConnectError err;

				envelope->cls->to_connect(envelope, "t", text, len, &schema,
										  &value, &err);
			}
			break;
	}
	return 0;
}
