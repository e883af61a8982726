/*
 * properties.c
 *	  Java's properties files, as java.util.Properties.load() reads them.
 *
 * NOTES
 *	  Pure code.  Lines end with LF, CR or CRLF; an odd number of backslashes
 *	  before the end joins the next line without its leading blanks.  A line
 *	  whose first character is # or ! is a comment.  The key ends at the first
 *	  =, : or blank that is not escaped.
 */
#include "pure.h"

#include "mb/pg_wchar.h"

#include "catalog/properties.h"

static const char *next_line(const char *text, StringInfo line);
static const char *unescape(const char *p, bool is_key, StringInfo out);
static const char *unescape_unicode(const char *p, StringInfo out);
static const char *skip_blanks(const char *p);

char *
connect_properties_get(const char *text, const char *key)
{
	char	   *result = NULL;
	StringInfoData line;
	StringInfoData found;
	StringInfoData value;

	initStringInfo(&line);
	initStringInfo(&found);
	while (*text != '\0')
	{
		const char *p;

		resetStringInfo(&line);
		text = next_line(text, &line);
		if (line.len == 0)
			continue;
		resetStringInfo(&found);
		p = skip_blanks(unescape(line.data, true, &found));
		if (*p == '=' || *p == ':')
			p = skip_blanks(p + 1);
		if (strcmp(found.data, key) == 0)
		{
			initStringInfo(&value);
			unescape(p, false, &value);
			result = value.data;
		}
	}
	return result;
}

/* Appends one logical line, escapes untouched; none for comments. */
static const char *
next_line(const char *text, StringInfo line)
{
	bool		comment;

	text = skip_blanks(text);
	comment = *text == '#' || *text == '!';
	while (*text != '\0' && *text != '\n' && *text != '\r')
	{
		if (*text == '\\' && !comment)
		{
			if (text[1] == '\n' || text[1] == '\r')
			{
				text += text[1] == '\r' && text[2] == '\n' ? 3 : 2;
				text = skip_blanks(text);
				continue;
			}
			appendStringInfoChar(line, *text++);
			if (*text == '\0')
				break;
		}
		if (!comment)
			appendStringInfoChar(line, *text);
		text++;
	}
	return *text == '\0' ? text : text + 1;
}

/* A key ends at =, : or a blank; a value with the line. */
static const char *
unescape(const char *p, bool is_key, StringInfo out)
{
	while (*p != '\0')
	{
		if (is_key && (*p == '=' || *p == ':' || p != skip_blanks(p)))
			break;
		if (*p != '\\')
		{
			appendStringInfoChar(out, *p++);
			continue;
		}
		p++;
		switch (*p)
		{
			case '\0':
				return p;
			case 't':
				appendStringInfoChar(out, '\t');
				break;
			case 'n':
				appendStringInfoChar(out, '\n');
				break;
			case 'r':
				appendStringInfoChar(out, '\r');
				break;
			case 'f':
				appendStringInfoChar(out, '\f');
				break;
			case 'u':
				p = unescape_unicode(p + 1, out);
				continue;
			default:
				appendStringInfoChar(out, *p);
				break;
		}
		p++;
	}
	return p;
}

/* p is behind the u.  Surrogates and malformed escapes become U+FFFD. */
static const char *
unescape_unicode(const char *p, StringInfo out)
{
	pg_wchar	c = 0;
	unsigned char utf8[5] = {0};

	for (int i = 0; i < 4; i++, p++)
	{
		if (!isxdigit((unsigned char) *p))
		{
			c = 0xFFFD;
			break;
		}
		c = c * 16 + (*p <= '9' ? *p - '0' : (*p | 0x20) - 'a' + 10);
	}
	if (c == 0 || (c >= 0xD800 && c <= 0xDFFF))
		c = 0xFFFD;
	unicode_to_utf8(c, utf8);
	appendStringInfoString(out, (char *) utf8);
	return p;
}

static const char *
skip_blanks(const char *p)
{
	while (*p == ' ' || *p == '\t' || *p == '\f')
		p++;
	return p;
}
