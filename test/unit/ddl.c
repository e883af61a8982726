/*
 * ddl.c
 *	  Tests of the text dialect's parser: what it takes, what it refuses and
 *	  where, and that no text makes it stumble.
 */
#include "pure.h"

#include "command/ddl.h"

static int	passed;
static int	failed;

static void
check(bool ok, const char *what)
{
	if (ok)
		passed++;
	else
	{
		failed++;
		printf("not ok: %s\n", what);
	}
}

/* A statement in one line: kind type name if_exists task only_failed {k=v}. */
static char *
describe(const ConnectDdl *ddl)
{
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfo(&out, "%d %s %s %d %d %d", ddl->kind,
					 ddl->type ? ddl->type : "-", ddl->name ? ddl->name : "-",
					 ddl->if_exists, ddl->task, ddl->only_failed);
	for (int i = 0; i < ddl->config->nentries; i++)
		appendStringInfo(&out, " %s=%s", ddl->config->entries[i].key,
						 ddl->config->entries[i].value ?
						 ddl->config->entries[i].value : "NULL");
	return out.data;
}

static void
accepts(const char *text, const char *expected)
{
	ConnectDdlError error;
	int			position = 0;
	ConnectDdl *ddl = connect_ddl_parse(text, &position, &error);
	char	   *got = ddl ? describe(ddl) : psprintf("error at %d: %s",
													 error.position,
													 error.expected);

	if (strcmp(got, expected) != 0)
		printf("%s\n  expected %s\n  got      %s\n", text, expected, got);
	check(strcmp(got, expected) == 0, text);
}

static void
refuses(const char *text, int position, const char *near, const char *expected)
{
	ConnectDdlError error;
	int			start = 0;
	ConnectDdl *ddl = connect_ddl_parse(text, &start, &error);
	const char *got_near = error.near ? error.near : "";
	const char *got = error.expected ? error.expected :
		error.message ? error.message : "";
	bool		ok = ddl == NULL && error.position == position &&
		strcmp(got_near, near) == 0 && strcmp(got, expected) == 0;

	if (!ok)
		printf("%s\n  got %d near \"%s\": %s\n", text, error.position,
			   got_near, got);
	check(ok, text);
}

/*
 * Every prefix of every text, and texts with bytes changed by a fixed random
 * sequence: the parser ends, within the text.  Sanitizers watch it.
 */
static void
survives(const char *const *texts, int n)
{
	static const char bytes[] = "'\"`();=,-*/$}{ \n\0aA0.\xc3\xbc;";
	uint32		seed = 42;
	bool		within = true;

	for (int round = 0; round < 20000; round++)
	{
		char	   *text = pstrdup(texts[round % n]);
		size_t		len = strlen(text);
		ConnectDdlError error;
		int			position = 0;
		int			before = -1;

		for (int i = 0; i < 1 + round % 4; i++)
		{
			seed = seed * 1103515245 + 12345;
			text[(seed >> 8) % len] = bytes[(seed >> 20) % sizeof(bytes)];
		}
		len = strlen(text);
		while (connect_ddl_parse(text, &position, &error) != NULL)
		{
			within &= position > before && position <= len;
			before = position;
		}
		within &= error.position >= 0 && error.position <= len;
		within &= strlen(connect_ddl_mask(text)) == len;
	}
	check(within, "positions stay within any text");
}

int
main(void)
{
	static const char *const texts[] = {
		"CREATE SOURCE CONNECTOR IF NOT EXISTS \"a\"\"b\" WITH ('x' = 'it''s', y.z = 1)",
		"alter connector a set (k = ${env:X}, /* c /* d */ */ l = NULL); drop connector if exists b -- c",
		"RESTART CONNECTOR a TASK 3 ONLY FAILED; show source connectors;",
		"SHOW OFFSETS FOR `x`; LIST CONNECTOR PLUGINS; RESET OFFSETS FOR y"
	};

	accepts("CREATE SOURCE CONNECTOR My WITH ('connector.class'='X', Key=1)",
			"0 source my 0 -1 0 connector.class=X Key=1");
	accepts("create connector if not exists \"My\" with (a.b-c = 'it''s')",
			"0 - My 1 -1 0 a.b-c=it's");
	accepts("CREATE SINK CONNECTOR `a``b` WITH (\"A\" = TRUE, b=false, c=NULL, d=-1.5e3, e=${secret:x})",
			"0 sink a`b 0 -1 0 A=true b=false c=NULL d=-1.5e3 e=${secret:x}");
	accepts("ALTER CONNECTOR a SET (k='v')", "1 - a 0 -1 0 k=v");
	accepts("ALTER CONNECTOR a RESET (k, 'l', \"M\")",
			"1 - a 0 -1 0 k=NULL l=NULL M=NULL");
	accepts("DROP CONNECTOR IF EXISTS a;", "2 - a 1 -1 0");
	accepts(" -- x\n/* /* */ */ PAUSE CONNECTOR my-conn.1", "3 - my-conn.1 0 -1 0");
	accepts("RESUME CONNECTOR a", "4 - a 0 -1 0");
	accepts("STOP CONNECTOR a", "5 - a 0 -1 0");
	accepts("RESTART CONNECTOR a", "6 - a 0 -1 0");
	accepts("RESTART CONNECTOR a TASK 12 ONLY FAILED", "6 - a 0 12 1");
	accepts("SHOW CONNECTORS", "7 - - 0 -1 0");
	accepts("LIST SINK CONNECTORS", "7 sink - 0 -1 0");
	accepts("SHOW CONNECTOR PLUGINS", "8 - - 0 -1 0");
	accepts("SHOW OFFSETS FOR a", "9 - a 0 -1 0");
	accepts("RESET OFFSETS FOR a", "10 - a 0 -1 0");
	accepts("DESCRIBE CONNECTOR a", "11 - a 0 -1 0");

	refuses("", 0, "", "");
	refuses(" ; ; -- nothing", 0, "", "");
	refuses("CREATE TABLE x", 7, "TABLE", "SOURCE, SINK or CONNECTOR");
	refuses("CREATE CONNECTOR x", 18, "", "WITH");
	refuses("CREATE CONNECTOR x WITH ()", 25, ")", "the name of a property");
	refuses("CREATE CONNECTOR x WITH (a)", 26, ")", "\"=\"");
	refuses("CREATE CONNECTOR x WITH (a=secret)", 27, "...",
			"a string in single quotes, a number, TRUE, FALSE or NULL");
	refuses("CREATE CONNECTOR x WITH (a='b' c='d')", 31, "...", "\",\" or \")\"");
	refuses("CREATE CONNECTOR x WITH (a='b', a='c')", 32, "a",
			"property \"a\" is given twice");
	refuses("CREATE CONNECTOR x WITH (a='b", 27, "'",
			"a string in single quotes, a number, TRUE, FALSE or NULL");
	refuses("DROP CONNECTOR 'x'", 15, "'...'", "the name of a connector");
	refuses("DROP CONNECTOR \"\"", 15, "\"\"", "the name of a connector");
	refuses("DROP CONNECTOR x y", 17, "y", "\";\" or the end");
	refuses("RESTART CONNECTOR x TASK y", 25, "y", "the number of a task");
	refuses("SHOW SINK CONNECTOR", 10, "CONNECTOR", "CONNECTORS");
	refuses("/* open", 0, "/",
			"CREATE, ALTER, DROP, PAUSE, RESUME, STOP, RESTART, RESET, SHOW, LIST or DESCRIBE");

	check(strcmp(connect_ddl_mask("SET (a = 'x''y', b = pw, \"k\")"),
				 "SET (a = '*''*', b = **, \"k\")") == 0,
		  "values cannot be read in a masked text");
	survives(texts, lengthof(texts));

	printf("%d passed, %d failed\n", passed, failed);
	return failed > 0;
}
