/*
 * ddl.h
 *	  The text dialect: from text to statements.
 *
 * NOTES
 *	  Pure code.
 *
 *	  CREATE [SOURCE|SINK] CONNECTOR [IF NOT EXISTS] n WITH (k = v, …)
 *	  ALTER CONNECTOR n SET (k = v, …) | RESET (k, …)
 *	  DROP CONNECTOR [IF EXISTS] n
 *	  PAUSE | RESUME | STOP CONNECTOR n
 *	  RESTART CONNECTOR n [TASK i] [ONLY FAILED]
 *	  SHOW | LIST [SOURCE|SINK] CONNECTORS
 *	  SHOW | LIST CONNECTOR PLUGINS
 *	  SHOW | LIST OFFSETS FOR n
 *	  RESET OFFSETS FOR n
 *	  DESCRIBE CONNECTOR n
 *
 *	  Statements are separated by semicolons.  Keywords fold; so do the names
 *	  of connectors that are not in double quotes or backquotes.  Keys of
 *	  properties keep their case, and need no quotes for dots and dashes.
 *	  Values are strings in single quotes, numbers, TRUE, FALSE, NULL or
 *	  ${references}.  Comments are those of SQL.
 */
#ifndef CONNECT_DDL_H
#define CONNECT_DDL_H

#include "pure.h"

#include "config/config.h"

typedef enum ConnectDdlKind
{
	CONNECT_DDL_CREATE,
	CONNECT_DDL_ALTER,			/* SET or RESET: config is the patch */
	CONNECT_DDL_DROP,
	CONNECT_DDL_PAUSE,
	CONNECT_DDL_RESUME,
	CONNECT_DDL_STOP,
	CONNECT_DDL_RESTART,
	CONNECT_DDL_SHOW_CONNECTORS,
	CONNECT_DDL_SHOW_PLUGINS,
	CONNECT_DDL_SHOW_OFFSETS,
	CONNECT_DDL_RESET_OFFSETS,
	CONNECT_DDL_DESCRIBE
} ConnectDdlKind;

typedef struct ConnectDdl
{
	ConnectDdlKind kind;
	const char *type;			/* "source", "sink" or NULL = not said */
	const char *name;			/* of the connector */
	bool		if_exists;		/* IF EXISTS or IF NOT EXISTS */
	ConnectConfig *config;
	int			task;			/* RESTART; -1 = all */
	bool		only_failed;
} ConnectDdl;

typedef struct ConnectDdlError
{
	int			position;		/* byte in the text */
	char	   *near;			/* the token there; NULL = the end */
	char	   *expected;		/* "a name", …; NULL if message says all */
	char	   *message;		/* instead of "syntax error"; or NULL */
} ConnectDdlError;

/*
 * Reads the statement that starts at *position and moves it behind.  NULL with
 * an error; NULL without one (message, near and expected NULL) at the end.
 */
extern ConnectDdl *connect_ddl_parse(const char *text, int *position,
									 ConnectDdlError *error);

/* The text with values and strings made unreadable, of the same length. */
extern char *connect_ddl_mask(const char *text);

#endif							/* CONNECT_DDL_H */
