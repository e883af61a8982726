/*
 * config.c
 *	  Configurations: maps, typed readers, Kafka's error texts.
 */
#include "pure.h"

#include "config/config.h"

static int	passed;
static int	failed;

static void
check(const char *what, const char *expected, const char *found)
{
	if (expected == NULL || found == NULL ? expected == found :
		strcmp(expected, found) == 0)
		passed++;
	else
	{
		failed++;
		printf("%s\n  expected: %s\n  found:    %s\n", what,
			   expected ? expected : "NULL", found ? found : "NULL");
	}
}

static const ConnectConfigKey keys[] = {
	{.name = "mode", .type = CONNECT_CONFIG_STRING, .required = true, .validator = connect_config_one_of,
	.allowed = (const char *const[]) {"bulk", "timestamp", NULL}},
	{.name = "tasks.max", .type = CONNECT_CONFIG_INT, .default_value = "1", .validator = connect_config_at_least, .min = 1},
	{.name = "enabled", .type = CONNECT_CONFIG_BOOLEAN, .default_value = "false"},
	{.name = "format", .type = CONNECT_CONFIG_STRING, .default_value = "a", .validator = connect_config_one_of_nocase,
	.allowed = (const char *const[]) {"a", "b", NULL}},
	{.name = "ratio", .type = CONNECT_CONFIG_DOUBLE, .default_value = "0.5"},
	{.name = "port", .type = CONNECT_CONFIG_SHORT, .default_value = "1"},
	{.name = "big", .type = CONNECT_CONFIG_LONG, .default_value = "1"},
	{.name = "list", .type = CONNECT_CONFIG_LIST, .default_value = "x, y"},
	{.name = "topic", .type = CONNECT_CONFIG_STRING, .validator = connect_config_non_empty},
	{.name = "name", .type = CONNECT_CONFIG_STRING, .default_value = "n", .validator = connect_config_printable},
};
static const ConnectConfigDef def = {keys, lengthof(keys)};

/* All errors of a configuration with one key set, one a line. */
static char *
errors_of(const char *key, const char *value)
{
	ConnectConfig *cfg = connect_config_make();
	ConnectConfigErrors errors = {0};
	StringInfoData buf;

	connect_config_set(cfg, "mode", "bulk");
	connect_config_set(cfg, key, value);
	connect_config_check(cfg, &def, &errors);
	initStringInfo(&buf);
	for (int i = 0; i < errors.nerrors; i++)
		appendStringInfo(&buf, "%s%s", i > 0 ? "\n" : "", errors.errors[i].message);
	return buf.data;
}

static void
test_errors(void)
{
	static const char *const cases[][3] = {
		{"mode", "x", "Invalid value x for configuration mode: String must be one of: bulk, timestamp"},
		{"mode", NULL, "Invalid value null for configuration mode: String must be one of: bulk, timestamp"},
		{"tasks.max", "abc", "Invalid value abc for configuration tasks.max: Not a number of type INT\n"
		"Invalid value null for configuration tasks.max: Value must be non-null"},
		{"tasks.max", "0", "Invalid value 0 for configuration tasks.max: Value must be at least 1"},
		{"tasks.max", " 3 ", ""}, {"tasks.max", "+3", ""}, {"tasks.max", "3.0", "Invalid value 3.0 for configuration tasks.max: Not a number of type INT\n"
		"Invalid value null for configuration tasks.max: Value must be non-null"},
		{"tasks.max", "2147483648", "Invalid value 2147483648 for configuration tasks.max: Not a number of type INT\n"
		"Invalid value null for configuration tasks.max: Value must be non-null"},
		{"enabled", "yes", "Invalid value yes for configuration enabled: Expected value to be either true or false"},
		{"enabled", "TRUE", ""},
		{"format", "B", ""}, {"format", "c", "Invalid value c for configuration format: String must be one of (case insensitive): A, B"},
		{"ratio", "1e3", ""}, {"ratio", "NaN", ""}, {"ratio", "-Infinity", ""}, {"ratio", "1.5d", ""}, {"ratio", ".5", ""},
		{"ratio", "x", "Invalid value x for configuration ratio: Not a number of type DOUBLE"},
		{"ratio", "inf", "Invalid value inf for configuration ratio: Not a number of type DOUBLE"},
		{"port", "40000", "Invalid value 40000 for configuration port: Not a number of type SHORT"},
		{"big", "9223372036854775808", "Invalid value 9223372036854775808 for configuration big: Not a number of type LONG"},
		{"topic", "", "Invalid value  for configuration topic: String must be non-empty"},
		{"name", "", "Invalid value  for configuration name: String may not be empty"},
		{"name", "a\x01\x7f\xc2\x85", "Invalid value a\x01\x7f\xc2\x85 for configuration name: String may not contain control sequences but had the following ASCII chars: 1, 127, 133"},
		{"name", "\xc3\xbc", ""},
		{"unknown", "x", ""},
	};
	ConnectConfig *cfg = connect_config_make();
	ConnectError err;

	for (int i = 0; i < lengthof(cases); i++)
		check(cases[i][0], cases[i][2], errors_of(cases[i][0], cases[i][1]));
	check("the first error alone", "false",
		  connect_config_parse(cfg, &def, &err) ? "true" : "false");
	check("a missing key", "Missing required configuration \"mode\" which has no default value.", err.message);
	check("its class", CONNECT_CONFIG_EXCEPTION, err.class_name);
}

static void
test_readers(void)
{
	ConnectConfig *cfg = connect_config_make();
	char	  **list;
	int			n;

	connect_config_set(cfg, "b.x", "1");
	connect_config_set(cfg, "a", NULL);
	connect_config_set(cfg, "b.y", "2");
	check("null is there", "true", connect_config_has(cfg, "a") ? "true" : "false");
	check("and has no value", NULL, connect_config_get(cfg, "a"));
	cfg = connect_config_with_prefix(cfg, "b.");
	check("a prefix is taken off", "2", connect_config_get(cfg, "y"));
	connect_config_remove(cfg, "x");
	check("what is removed is gone", NULL, connect_config_get(cfg, "x"));
	check("the order of entries does not count", "true",
		  connect_config_equal(cfg, connect_config_copy(cfg)) ? "true" : "false");

	check("default", "1", psprintf(INT64_FORMAT, connect_config_int(cfg, &def, "tasks.max")));
	connect_config_set(cfg, "tasks.max", " 7 ");
	check("trimmed", "7", psprintf(INT64_FORMAT, connect_config_int(cfg, &def, "tasks.max")));
	connect_config_set(cfg, "tasks.max", "x");
	check("what does not parse is the default", "1",
		  psprintf(INT64_FORMAT, connect_config_int(cfg, &def, "tasks.max")));
	list = connect_config_list(cfg, &def, "list", &n);
	check("list", "2 x y", psprintf("%d %s %s", n, list[0], list[1]));
	check("end of list", NULL, list[2]);
	connect_config_split(" ", &n);
	check("an empty list", "0", psprintf("%d", n));
	list = connect_config_split("a,,b ,", &n);
	check("empty elements count", "4 [a][][b][]",
		  psprintf("%d [%s][%s][%s][%s]", n, list[0], list[1], list[2], list[3]));
	check("no element is there twice", "false",
		  connect_config_has_twins(connect_config_split("b,a,ab", &n), 3) ? "true" : "false");
	check("one is", "true",
		  connect_config_has_twins(connect_config_split("b,a,ab,a", &n), 4) ? "true" : "false");
	check("as Java prints it", "[a, b]", connect_config_list_text("a ,b"));
}

int
main(void)
{
	test_errors();
	test_readers();
	printf("%d passed, %d failed\n", passed, failed);
	return failed > 0;
}
