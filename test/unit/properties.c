/*
 * properties.c
 *	  Tests of the reader of Java's properties files.
 */
#include "pure.h"

#include "catalog/properties.h"

static int	passed;
static int	failed;

static void
gives(const char *text, const char *key, const char *expected)
{
	char	   *got = connect_properties_get(text, key);

	if (expected == NULL ? got == NULL :
		got != NULL && strcmp(got, expected) == 0)
	{
		passed++;
		return;
	}
	failed++;
	printf("not ok: %s of <%s>: %s\n", key, text, got ? got : "none");
}

int
main(void)
{
	gives("a=b", "a", "b");
	gives("a = b ", "a", "b ");
	gives("a:b", "a", "b");
	gives("a b=c", "a", "b=c");
	gives("a", "a", "");
	gives("a=", "a", "");
	gives("# a=b\n! a=c\n  # a=d", "a", NULL);
	gives("a=1\na=2", "a", "2");
	gives("a=1\rb=2\r\nc=3", "c", "3");
	gives("a=x\\\n   y", "a", "xy");
	gives("a=x\\\\\nb=y", "a", "x\\");
	gives("# c \\\na=b", "a", "b");
	gives("a\\=b\\:c\\ d=e", "a=b:c d", "e");
	gives("a=\\t\\n\\r\\f\\q", "a", "\t\n\r\fq");
	gives("a=\\u00fc\\u20AC", "a", "\xc3\xbc\xe2\x82\xac");
	gives("a=\\u12", "a", "\xef\xbf\xbd");
	gives("a=\\ud800", "a", "\xef\xbf\xbd");
	gives("a=b\\", "a", "b");
	gives("a.b-c=d\xc3\xbc", "a.b-c", "d\xc3\xbc");
	gives("", "a", NULL);
	printf("%d passed, %d failed\n", passed, failed);
	return failed > 0;
}
