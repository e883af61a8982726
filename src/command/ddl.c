/*
 * ddl.c
 *	  The text dialect: a scanner and a recursive descent.
 *
 * NOTES
 *	  Pure code, run in backends and, under sanitizers, by its fuzzer.
 *	  All positions are bytes; whoever shows them counts characters.
 */
#include "pure.h"

#include "command/ddl.h"

typedef enum TokenKind
{
	TOKEN_END,
	TOKEN_WORD,					/* bare: a keyword, a name, a key, a number */
	TOKEN_NAME,					/* in double quotes or backquotes */
	TOKEN_STRING,
	TOKEN_VARIABLE,				/* ${…}, as it is */
	TOKEN_SYMBOL,				/* one of ( ) , = ; */
	TOKEN_BAD					/* anything else; an open quote or comment */
} TokenKind;

typedef struct Token
{
	TokenKind	kind;
	int			start;
	int			end;
	char	   *text;			/* without quotes */
} Token;

typedef struct Parser
{
	const char *text;
	Token		token;			/* the next one */
	bool		in_value;		/* it stands behind the name of a property */
	ConnectDdlError *error;
} Parser;

static bool parse_statement(Parser *parser, ConnectDdl *ddl);
static bool parse_create(Parser *parser, ConnectDdl *ddl);
static bool parse_alter(Parser *parser, ConnectDdl *ddl);
static bool parse_drop(Parser *parser, ConnectDdl *ddl);
static bool parse_restart(Parser *parser, ConnectDdl *ddl);
static bool parse_show(Parser *parser, ConnectDdl *ddl);
static bool parse_properties(Parser *parser, ConnectDdl *ddl, bool with_values);
static bool parse_value(Parser *parser, const char **value);
static bool parse_name(Parser *parser, const char **name);
static bool accept_type(Parser *parser, ConnectDdl *ddl);
static bool accept_word(Parser *parser, const char *word);
static bool expect_word(Parser *parser, const char *word);
static bool expect_symbol(Parser *parser, char symbol);
static bool is_symbol(const Parser *parser, char symbol);
static bool fail(Parser *parser, const char *expected);
static void next_token(Parser *parser);
static int	skip_blanks(const char *text, int p);
static int	scan_quoted(const char *text, int p, Token *token);

/* What bare words are made of besides letters and digits. */
static inline bool
is_word_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		(c >= '0' && c <= '9') || strchr("_@.-+", c) != NULL ||
		(c & 0x80) != 0;
}

ConnectDdl *
connect_ddl_parse(const char *text, int *position, ConnectDdlError *error)
{
	Parser		parser = {text, {TOKEN_END, 0, *position, NULL}, false, error};
	ConnectDdl *ddl = palloc0(sizeof(ConnectDdl));

	memset(error, 0, sizeof(*error));
	next_token(&parser);
	while (is_symbol(&parser, ';'))
		next_token(&parser);
	*position = parser.token.start;
	if (parser.token.kind == TOKEN_END)
		return NULL;

	ddl->task = -1;
	ddl->config = connect_config_make();
	if (!parse_statement(&parser, ddl))
		return NULL;
	if (parser.token.kind != TOKEN_END && !is_symbol(&parser, ';'))
	{
		fail(&parser, "\";\" or the end");
		return NULL;
	}
	*position = parser.token.start;
	return ddl;
}

char *
connect_ddl_mask(const char *text)
{
	char	   *result = pstrdup(text);
	Parser		parser = {text, {TOKEN_END, 0, 0, NULL}, false, NULL};
	bool		in_list = false;

	for (;;)
	{
		bool		hidden;

		next_token(&parser);
		if (parser.token.kind == TOKEN_END)
			return result;
		hidden = parser.token.kind == TOKEN_STRING ||
			parser.token.kind == TOKEN_BAD ||
			(parser.token.kind != TOKEN_VARIABLE && parser.in_value);
		if (is_symbol(&parser, '='))
			parser.in_value = true;
		else if (parser.token.kind == TOKEN_SYMBOL)
		{
			in_list = is_symbol(&parser, '(') || is_symbol(&parser, ',');
			parser.in_value = false;
		}
		else
			parser.in_value |= in_list;
		if (!hidden || parser.token.kind == TOKEN_SYMBOL)
			continue;
		/* Server encodings have no ASCII byte inside other characters. */
		for (int i = parser.token.start; i < parser.token.end; i++)
		{
			if (result[i] != '\'' && (result[i] & 0x80) == 0)
				result[i] = '*';
			else if (result[i] & 0x80)
				result[i] = '?';
		}
	}
}

static bool
parse_statement(Parser *parser, ConnectDdl *ddl)
{
	static const struct
	{
		const char *word;
		ConnectDdlKind kind;
	}			simple[] = {
		{"PAUSE", CONNECT_DDL_PAUSE},
		{"RESUME", CONNECT_DDL_RESUME},
		{"STOP", CONNECT_DDL_STOP},
		{"DESCRIBE", CONNECT_DDL_DESCRIBE}
	};

	if (accept_word(parser, "CREATE"))
		return parse_create(parser, ddl);
	if (accept_word(parser, "ALTER"))
		return parse_alter(parser, ddl);
	if (accept_word(parser, "DROP"))
		return parse_drop(parser, ddl);
	if (accept_word(parser, "RESTART"))
		return parse_restart(parser, ddl);
	if (accept_word(parser, "SHOW") || accept_word(parser, "LIST"))
		return parse_show(parser, ddl);
	if (accept_word(parser, "RESET"))
	{
		ddl->kind = CONNECT_DDL_RESET_OFFSETS;
		return expect_word(parser, "OFFSETS") &&
			expect_word(parser, "FOR") && parse_name(parser, &ddl->name);
	}
	for (int i = 0; i < lengthof(simple); i++)
	{
		if (!accept_word(parser, simple[i].word))
			continue;
		ddl->kind = simple[i].kind;
		return expect_word(parser, "CONNECTOR") &&
			parse_name(parser, &ddl->name);
	}
	return fail(parser, "CREATE, ALTER, DROP, PAUSE, RESUME, STOP, RESTART, RESET, SHOW, LIST or DESCRIBE");
}

/* CREATE [SOURCE|SINK] CONNECTOR [IF NOT EXISTS] n WITH (…) */
static bool
parse_create(Parser *parser, ConnectDdl *ddl)
{
	ddl->kind = CONNECT_DDL_CREATE;
	if (!accept_type(parser, ddl) &&
		!(parser->token.kind == TOKEN_WORD &&
		  pg_strcasecmp(parser->token.text, "CONNECTOR") == 0))
		return fail(parser, "SOURCE, SINK or CONNECTOR");
	if (!expect_word(parser, "CONNECTOR"))
		return false;
	if (accept_word(parser, "IF"))
	{
		if (!expect_word(parser, "NOT") || !expect_word(parser, "EXISTS"))
			return false;
		ddl->if_exists = true;
	}
	return parse_name(parser, &ddl->name) && expect_word(parser, "WITH") &&
		parse_properties(parser, ddl, true);
}

/* ALTER CONNECTOR n SET (…) | RESET (…) */
static bool
parse_alter(Parser *parser, ConnectDdl *ddl)
{
	ddl->kind = CONNECT_DDL_ALTER;
	if (!expect_word(parser, "CONNECTOR") || !parse_name(parser, &ddl->name))
		return false;
	if (accept_word(parser, "SET"))
		return parse_properties(parser, ddl, true);
	if (accept_word(parser, "RESET"))
		return parse_properties(parser, ddl, false);
	return fail(parser, "SET or RESET");
}

/* DROP CONNECTOR [IF EXISTS] n */
static bool
parse_drop(Parser *parser, ConnectDdl *ddl)
{
	ddl->kind = CONNECT_DDL_DROP;
	if (!expect_word(parser, "CONNECTOR"))
		return false;
	if (accept_word(parser, "IF"))
	{
		if (!expect_word(parser, "EXISTS"))
			return false;
		ddl->if_exists = true;
	}
	return parse_name(parser, &ddl->name);
}

/* RESTART CONNECTOR n [TASK i] [ONLY FAILED] */
static bool
parse_restart(Parser *parser, ConnectDdl *ddl)
{
	ddl->kind = CONNECT_DDL_RESTART;
	if (!expect_word(parser, "CONNECTOR") || !parse_name(parser, &ddl->name))
		return false;
	if (accept_word(parser, "TASK"))
	{
		const char *text = parser->token.text;

		if (parser->token.kind != TOKEN_WORD ||
			text[strspn(text, "0123456789")] != '\0' || strlen(text) > 6)
			return fail(parser, "the number of a task");
		ddl->task = atoi(text);
		next_token(parser);
	}
	if (accept_word(parser, "ONLY"))
	{
		if (!expect_word(parser, "FAILED"))
			return false;
		ddl->only_failed = true;
	}
	return true;
}

/* SHOW [SOURCE|SINK] CONNECTORS | CONNECTOR PLUGINS | OFFSETS FOR n */
static bool
parse_show(Parser *parser, ConnectDdl *ddl)
{
	bool		typed = accept_type(parser, ddl);

	if (accept_word(parser, "CONNECTORS"))
	{
		ddl->kind = CONNECT_DDL_SHOW_CONNECTORS;
		return true;
	}
	if (typed)
		return fail(parser, "CONNECTORS");
	if (accept_word(parser, "CONNECTOR"))
	{
		ddl->kind = CONNECT_DDL_SHOW_PLUGINS;
		return expect_word(parser, "PLUGINS");
	}
	if (accept_word(parser, "OFFSETS"))
	{
		ddl->kind = CONNECT_DDL_SHOW_OFFSETS;
		return expect_word(parser, "FOR") && parse_name(parser, &ddl->name);
	}
	return fail(parser, "CONNECTORS, SOURCE, SINK, CONNECTOR PLUGINS or OFFSETS");
}

/* (key = value, …), or (key, …) which makes their values null */
static bool
parse_properties(Parser *parser, ConnectDdl *ddl, bool with_values)
{
	if (!expect_symbol(parser, '('))
		return false;
	for (;;)
	{
		Token		key = parser->token;
		const char *value = NULL;

		if (key.kind != TOKEN_WORD && key.kind != TOKEN_NAME &&
			key.kind != TOKEN_STRING)
			return fail(parser, "the name of a property");
		if (connect_config_has(ddl->config, key.text))
		{
			fail(parser, NULL);
			parser->error->message =
				psprintf("property \"%s\" is given twice", key.text);
			return false;
		}
		parser->in_value = with_values;
		next_token(parser);
		if (with_values && (!expect_symbol(parser, '=') ||
							!parse_value(parser, &value)))
			return false;
		connect_config_set(ddl->config, key.text, value);
		if (!is_symbol(parser, ','))
			break;
		parser->in_value = false;
		next_token(parser);
	}
	if (!is_symbol(parser, ')'))
		return fail(parser, "\",\" or \")\"");
	parser->in_value = false;
	next_token(parser);
	return true;
}

static bool
parse_value(Parser *parser, const char **value)
{
	const Token *token = &parser->token;
	const char *digits = token->text;

	switch (token->kind)
	{
		case TOKEN_STRING:
		case TOKEN_VARIABLE:
			*value = token->text;
			break;
		case TOKEN_WORD:
			if (pg_strcasecmp(token->text, "NULL") == 0)
				*value = NULL;
			else if (pg_strcasecmp(token->text, "TRUE") == 0)
				*value = "true";
			else if (pg_strcasecmp(token->text, "FALSE") == 0)
				*value = "false";
			else
			{
				digits += *digits == '-' || *digits == '+';
				if (!isdigit((unsigned char) *digits) ||
					digits[strspn(digits, "0123456789.eE+-")] != '\0')
					return fail(parser, "a string in single quotes, a number, TRUE, FALSE or NULL");
				*value = token->text;
			}
			break;
		default:
			return fail(parser, "a string in single quotes, a number, TRUE, FALSE or NULL");
	}
	next_token(parser);
	return true;
}

/* Bare names fold to lower case as SQL's do. */
static bool
parse_name(Parser *parser, const char **name)
{
	if (parser->token.kind == TOKEN_WORD)
	{
		char	   *folded = pstrdup(parser->token.text);

		for (char *p = folded; *p != '\0'; p++)
			*p = pg_ascii_tolower((unsigned char) *p);
		*name = folded;
	}
	else if (parser->token.kind == TOKEN_NAME && *parser->token.text != '\0')
		*name = parser->token.text;
	else
		return fail(parser, "the name of a connector");
	next_token(parser);
	return true;
}

static bool
accept_type(Parser *parser, ConnectDdl *ddl)
{
	if (accept_word(parser, "SOURCE"))
		ddl->type = "source";
	else if (accept_word(parser, "SINK"))
		ddl->type = "sink";
	return ddl->type != NULL;
}

static bool
accept_word(Parser *parser, const char *word)
{
	if (parser->token.kind != TOKEN_WORD ||
		pg_strcasecmp(parser->token.text, word) != 0)
		return false;
	next_token(parser);
	return true;
}

static bool
expect_word(Parser *parser, const char *word)
{
	return accept_word(parser, word) || fail(parser, word);
}

static bool
expect_symbol(Parser *parser, char symbol)
{
	if (!is_symbol(parser, symbol))
		return fail(parser, psprintf("\"%c\"", symbol));
	next_token(parser);
	return true;
}

static bool
is_symbol(const Parser *parser, char symbol)
{
	return parser->token.kind == TOKEN_SYMBOL &&
		parser->text[parser->token.start] == symbol;
}

/* Always false.  A value is not shown: it may be a secret. */
static bool
fail(Parser *parser, const char *expected)
{
	const Token *token = &parser->token;
	ConnectDdlError *error = parser->error;

	error->position = token->start;
	error->expected = expected ? pstrdup(expected) : NULL;
	if (token->kind == TOKEN_STRING)
		error->near = pstrdup("'...'");
	else if (parser->in_value && (token->kind == TOKEN_WORD ||
								  token->kind == TOKEN_NAME))
		error->near = pstrdup("...");
	else if (token->kind != TOKEN_END)
		error->near = pnstrdup(parser->text + token->start,
							   token->kind == TOKEN_BAD ? 1 :
							   token->end - token->start);
	return false;
}

static void
next_token(Parser *parser)
{
	const char *text = parser->text;
	Token	   *token = &parser->token;
	int			p = skip_blanks(text, token->end);

	token->start = p;
	token->text = NULL;
	if (text[p] == '\0')
		token->kind = TOKEN_END;
	else if (strchr("(),=;", text[p]) != NULL)
	{
		token->kind = TOKEN_SYMBOL;
		p++;
	}
	else if (strchr("'\"`", text[p]) != NULL)
		p = scan_quoted(text, p, token);
	else if (text[p] == '$' && text[p + 1] == '{' &&
			 strchr(text + p, '}') != NULL)
	{
		token->kind = TOKEN_VARIABLE;
		p = strchr(text + p, '}') - text + 1;
		token->text = pnstrdup(text + token->start, p - token->start);
	}
	else if (is_word_char(text[p]))
	{
		token->kind = TOKEN_WORD;
		while (text[p] != '\0' && is_word_char(text[p]) &&
			   !(text[p] == '-' && text[p + 1] == '-'))
			p++;
		token->text = pnstrdup(text + token->start, p - token->start);
	}
	else
	{
		token->kind = TOKEN_BAD;
		p += text[p] == '/' && text[p + 1] == '*' ? strlen(text + p) : 1;
	}
	token->end = p;
}

/* Also skips comments; an open block comment is left to be refused. */
static int
skip_blanks(const char *text, int p)
{
	for (;;)
	{
		if (strchr(" \t\n\r\f\v", text[p]) != NULL && text[p] != '\0')
			p++;
		else if (text[p] == '-' && text[p + 1] == '-')
		{
			while (text[p] != '\0' && text[p] != '\n')
				p++;
		}
		else if (text[p] == '/' && text[p + 1] == '*')
		{
			int			depth = 0;
			int			q = p;

			do
			{
				if (text[q] == '/' && text[q + 1] == '*')
				{
					depth++;
					q += 2;
				}
				else if (text[q] == '*' && text[q + 1] == '/')
				{
					depth--;
					q += 2;
				}
				else if (text[q] == '\0')
					return p;
				else
					q++;
			} while (depth > 0);
			p = q;
		}
		else
			return p;
	}
}

/* A doubled quote stands for one.  An open quote reaches to the end. */
static int
scan_quoted(const char *text, int p, Token *token)
{
	char		quote = text[p++];
	StringInfoData value;

	initStringInfo(&value);
	for (; text[p] != '\0'; p++)
	{
		if (text[p] == quote)
		{
			if (text[p + 1] != quote)
			{
				token->kind = quote == '\'' ? TOKEN_STRING : TOKEN_NAME;
				token->text = value.data;
				return p + 1;
			}
			p++;
		}
		appendStringInfoChar(&value, text[p]);
	}
	token->kind = TOKEN_BAD;
	return p;
}
