/*
 * regex.c
 *	  Java's regular expressions, as far as topics.regex needs them, in the
 *	  notation of POSIX extended expressions, which librdkafka subscribes with.
 *
 * NOTES
 *	  The match is of the whole name, so how greedy a quantifier is makes no
 *	  difference, and lazy ones become plain.  What has no counterpart is
 *	  refused: look-around, back-references, possessive quantifiers, Unicode
 *	  classes, class intersection.
 *
 *	  The C library copies what is repeated, without a limit and without a way
 *	  to interrupt it: ten nested {9} or thirty nested + would end the server.
 *	  So the size after that is bounded here, before it sees the expression.
 */
#include "internal.h"

#include <ctype.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SIZE 2000
#define MAX_DEPTH 50

typedef struct Translation
{
	const char *in;
	char	   *out;
	size_t		len;
	size_t		outlen;
	const char *java;			/* the whole expression */
	bool		ignores_case;
	int			depth;			/* parentheses that are open */
	size_t		sizes[MAX_DEPTH];	/* in characters and sets, repetitions
									 * written out, of what is open */
	size_t		last;			/* of these, what a quantifier would follow */
	const char *why;			/* of a refusal */
	char		mistake[256];	/* what Java says of it, if it is no expression there either */
} Translation;

static void
put_char(Translation *t, char c)
{
	if (t->len + 1 < t->outlen)
		t->out[t->len++] = c;
	else
		t->why = "the expression is too long";
}

static void
put_text(Translation *t, const char *text)
{
	while (*text != '\0')
		put_char(t, *text++);
}

/* Java's words for a mistake at this place: it shows the expression and a mark. */
static void
java_mistake(Translation *t, const char *what, const char *at)
{
	int			index = (int) (at - t->java);
	int			len = snprintf(t->mistake, sizeof(t->mistake), "%s", what);

	if (index >= 0)
		len += snprintf(t->mistake + len, sizeof(t->mistake) - len,
						" near index %d", index);
	if (len + strlen(t->java) + index + 4 <= sizeof(t->mistake))
	{
		len += snprintf(t->mistake + len, sizeof(t->mistake) - len, "\n%s",
						t->java);
		if (index >= 0 && index < (int) strlen(t->java))
			snprintf(t->mistake + len, sizeof(t->mistake) - len, "\n%*s",
					 index + 1, "^");
	}
	t->why = t->mistake;
}

static void
add_size(Translation *t, size_t size)
{
	t->sizes[t->depth] += size;
	if (t->sizes[t->depth] > MAX_SIZE)
		t->why = "it repeats too much";
}

static void
add_atom(Translation *t)
{
	t->last = 1;
	add_size(t, 1);
}

/* A character that stands for itself, outside of brackets. */
static void
put_literal(Translation *t, char c)
{
	add_atom(t);
	if (t->ignores_case && isalpha((unsigned char) c))
	{
		put_char(t, '[');
		put_char(t, (char) tolower((unsigned char) c));
		put_char(t, (char) toupper((unsigned char) c));
		put_char(t, ']');
		return;
	}
	if (strchr(".[](){}*+?|^$\\", c) != NULL)
		put_char(t, '\\');
	put_char(t, c);
}

/* What \d, \w, \s mean, to go between brackets; NULL for others. */
static const char *
class_of(char c)
{
	switch (c)
	{
		case 'd':
			return "0-9";
		case 'w':
			return "A-Za-z0-9_";
		case 's':
			return " \t\n\r\f\v";
		default:
			return NULL;
	}
}

/* The name between braces of \p, as POSIX calls the class; NULL if unknown. */
static const char *
posix_class(const char *name, size_t len)
{
	static const char *const names[] = {"Lower", "Upper", "Alpha", "Digit",
	"Alnum", "Punct", "Space", "XDigit"};
	static const char *const classes[] = {"[:lower:]", "[:upper:]", "[:alpha:]",
	"[:digit:]", "[:alnum:]", "[:punct:]", "[:space:]", "[:xdigit:]"};

	for (size_t i = 0; i < lengthof(names); i++)
	{
		if (strlen(names[i]) == len && strncmp(names[i], name, len) == 0)
			return classes[i];
	}
	return NULL;
}

/* After \p or \P: takes {Name}. */
static const char *
take_posix_class(Translation *t)
{
	const char *end;
	const char *found = NULL;

	if (*t->in == '{' && (end = strchr(t->in, '}')) != NULL)
	{
		found = posix_class(t->in + 1, end - t->in - 1);
		t->in = end + 1;
	}
	if (found == NULL)
		t->why = "\\p knows Lower, Upper, Alpha, Digit, Alnum, Punct, Space and XDigit";
	return found;
}

/* Takes what follows a backslash outside of brackets. */
static void
translate_escape(Translation *t)
{
	char		c = *t->in;
	const char *set;

	if (c == '\0')
	{
		t->why = "it ends with a backslash";
		return;
	}
	t->in++;
	if (c == 'Q')
	{
		while (*t->in != '\0' && strncmp(t->in, "\\E", 2) != 0)
			put_literal(t, *t->in++);
		if (*t->in != '\0')
			t->in += 2;
		return;
	}
	if (c == 'p' || c == 'P')
	{
		set = take_posix_class(t);
		if (set == NULL)
			return;
	}
	else
		set = class_of((char) tolower((unsigned char) c));
	if (set != NULL)
	{
		add_atom(t);
		put_text(t, isupper((unsigned char) c) ? "[^" : "[");
		put_text(t, set);
		put_char(t, ']');
	}
	else if (isdigit((unsigned char) c))
		t->why = "back-references are not supported";
	else if (isalpha((unsigned char) c))
		t->why = "only the escapes \\d \\w \\s \\p{...} and \\Q...\\E are supported";
	else
		put_literal(t, c);
}

/* Takes a bracket expression, from after the bracket. */
static void
translate_brackets(Translation *t)
{
	char		members[512];
	size_t		len = 0;
	bool		is_negated = *t->in == '^';
	bool		has_bracket = false;
	bool		has_dash = false;
	bool		has_caret = false;

	if (is_negated)
		t->in++;
	for (bool is_first = true; *t->in != ']' || is_first; is_first = false)
	{
		const char *set = NULL;
		char		c = *t->in++;
		bool		is_escaped = c == '\\';

		if (c == '\0')
		{
			java_mistake(t, "Unclosed character class", t->in - 2);
			return;
		}
		if (!is_escaped && *t->in == '-' && t->in[1] != ']' &&
			(t->in[1] == '\0' || (t->in[1] != '\\' && t->in[1] != '[' &&
								  (unsigned char) t->in[1] < (unsigned char) c)))
		{
			java_mistake(t, "Illegal character range", t->in + 1);
			return;
		}
		if (c == '[' || (c == '&' && *t->in == '&'))
		{
			t->why = "nested brackets and && are not supported";
			return;
		}
		if (is_escaped)
		{
			c = *t->in;
			if (c != '\0')
				t->in++;
			if (c == 'p')
			{
				set = take_posix_class(t);
				if (set == NULL)
					return;
			}
			else
				set = class_of(c);
			if (set == NULL && (c == '\0' || isalnum((unsigned char) c)))
			{
				t->why = "this escape is not supported between brackets";
				return;
			}
		}
		/* In POSIX brackets these three mean themselves only in their places. */
		if (set == NULL && c == ']')
			has_bracket = true;
		else if (set == NULL && c == '^')
			has_caret = true;
		else if (set == NULL && c == '-' &&
				 (is_escaped || is_first || *t->in == ']'))
			has_dash = true;
		else
		{
			char		one[3] = {c, '\0', '\0'};

			if (set == NULL && t->ignores_case && isalpha((unsigned char) c) &&
				*t->in != '-' && (len == 0 || members[len - 1] != '-'))
			{
				one[0] = (char) tolower((unsigned char) c);
				one[1] = (char) toupper((unsigned char) c);
			}
			else if (set == NULL && t->ignores_case && isalpha((unsigned char) c))
			{
				t->why = "ranges of letters are not supported with (?i)";
				return;
			}
			if (set == NULL)
				set = one;
			if (len + strlen(set) + 5 > sizeof(members))
			{
				t->why = "a bracket expression is too long";
				return;
			}
			memcpy(members + len, set, strlen(set));
			len += strlen(set);
		}
	}
	t->in++;
	add_atom(t);
	members[len] = '\0';
	if (has_caret && !has_bracket && !has_dash && len == 0 && !is_negated)
	{
		put_text(t, "\\^");
		return;
	}
	put_text(t, is_negated ? "[^" : "[");
	if (has_bracket)
		put_char(t, ']');
	put_text(t, members);
	if (has_caret)
		put_char(t, '^');
	if (has_dash)
		put_char(t, '-');
	put_char(t, ']');
}

static void
open_group(Translation *t)
{
	if (*t->in == '?')
	{
		if (strncmp(t->in, "?:", 2) == 0)
			t->in += 2;
		else if (strncmp(t->in, "?<", 2) == 0 && isalpha((unsigned char) t->in[2]) &&
				 strchr(t->in, '>') != NULL)
			t->in = strchr(t->in, '>') + 1;
		else
		{
			t->why = "look-around and inline flags are not supported, but for (?i) in front";
			return;
		}
	}
	if (t->depth + 1 == MAX_DEPTH)
	{
		t->why = "it nests too deep";
		return;
	}
	t->sizes[++t->depth] = 0;
	put_char(t, '(');
}

static void
close_group(Translation *t)
{
	if (t->depth == 0)
	{
		java_mistake(t, "Unmatched closing ')'", t->in - 2);
		return;
	}
	t->last = t->sizes[t->depth--] + 1;
	add_size(t, t->last);
	put_char(t, ')');
}

/* Takes a quantifier from after its first character. */
static void
translate_quantifier(Translation *t, char c)
{
	size_t		copies = c == '+' ? 2 : 1;

	put_char(t, c);
	if (c == '{')
	{
		const char *from = t->in;
		char	   *end;
		unsigned long least = strtoul(from, &end, 10);
		unsigned long most = least;

		if (*end == ',')
		{
			most = least + 1;
			if (*++end != '}')
				most = strtoul(end, &end, 10);
		}
		if (!isdigit((unsigned char) *from) || *end != '}')
		{
			t->why = "a repetition is {n}, {n,} or {n,m}";
			return;
		}
		if (least > MAX_SIZE || most > MAX_SIZE)
		{
			t->why = "it repeats too much";
			return;
		}
		copies = most > 0 ? most : 1;
		while (t->in <= end)
			put_char(t, *t->in++);
	}
	add_size(t, t->last * (copies - 1));
	t->last *= copies;
}

static void
translate(Translation *t)
{
	char		before = '\0';	/* '(', '|', '*' for any quantifier, '.' for
								 * what a quantifier can follow */

	while (t->why == NULL && *t->in != '\0')
	{
		char		c = *t->in++;
		char		what = '.';

		switch (c)
		{
			case '\\':
				translate_escape(t);
				break;
			case '[':
				translate_brackets(t);
				break;
			case '(':
				open_group(t);
				what = c;
				break;
			case ')':
				close_group(t);
				break;
			case '*':
			case '+':
			case '?':
			case '{':
				/* After another quantifier: lazy or possessive. */
				if (before == '*' && c == '?')
					what = ' ';
				else if (before == '*' && c != '{')
					t->why = "possessive quantifiers are not supported";
				else if (before != '.' && before != '*')
				{
					char		mistake[40];

					snprintf(mistake, sizeof(mistake),
							 "Dangling meta character '%c'", c);
					java_mistake(t, mistake, t->in - 1);
				}
				else
				{
					translate_quantifier(t, c);
					what = '*';
				}
				break;
			case '^':
			case '$':
				/* The match is of the whole name anyway. */
				if ((c == '^' && before != '\0' && before != '(' && before != '|') ||
					(c == '$' && *t->in != '\0' && *t->in != ')' && *t->in != '|'))
					t->why = "^ and $ are supported at the ends only";
				what = before;
				break;
			case '|':
				put_char(t, c);
				what = c;
				break;
			case '.':
				add_atom(t);
				put_char(t, c);
				break;
			default:
				put_literal(t, c);
				break;
		}
		before = what;
	}
}

bool
connect_kafka_regex_translate(const char *java, char *out, size_t outlen,
							  char *errbuf, size_t errbuf_len)
{
	Translation t = {.in = java,.out = out,.outlen = outlen,.java = java};
	regex_t		compiled;
	char		reason[200];
	int			code;

	if (strncmp(java, "(?i)", 4) == 0)
	{
		t.ignores_case = true;
		t.in += 4;
	}
	put_text(&t, "^(");
	translate(&t);
	if (t.why == NULL && t.depth > 0)
		java_mistake(&t, "Unclosed group", t.in);
	put_text(&t, ")$");
	if (t.why == NULL)
	{
		out[t.len] = '\0';
		code = regcomp(&compiled, out, REG_EXTENDED | REG_NOSUB);
		if (code == 0)
		{
			regfree(&compiled);
			return true;
		}
		regerror(code, &compiled, reason, sizeof(reason));
		t.why = reason;
	}
	snprintf(errbuf, errbuf_len, "%s", t.why);
	return false;
}
