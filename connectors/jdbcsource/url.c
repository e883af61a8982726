/*
 * url.c
 *	  Is a JDBC URL this very database?
 *
 * NOTES
 *	  The answer comes from one libpq connection made with the URL's user and
 *	  password: who it logs in as, in which database of which system.  Then the
 *	  connection is closed and tables are reached natively, as that role.  All
 *	  waiting answers interrupts and ends after a limit.  Of the URL's parameters
 *	  those that name files or programs are not used.
 */
#include "postgres.h"

#include "access/xlog.h"
#include "libpq-fe.h"
#include "miscadmin.h"
#include "storage/latch.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"

#include "jdbcsource/jdbcsource.h"
#include "compat.h"

#define PREFIX			"jdbc:postgresql:"
#define TIME_LIMIT_MS	10000

/* What libpq is told. */
#define MAX_WORDS	12

typedef struct Target
{
	const char *keywords[MAX_WORDS];
	const char *values[MAX_WORDS];
	int			n;
} Target;

static bool parse_url(const ConnectJdbcSettings *settings, const char *owner,
					  Target *target);
static const char *without_parameters(const char *url);
static bool wait_for(PGconn *conn, int events, TimestampTz until);
static PGresult *query(PGconn *conn, const char *sql, TimestampTz until);
static char *plain_message(const char *message);

ConnectJdbcReach
connect_jdbc_reach(const ConnectJdbcSettings *settings, const char *owner,
				   ConnectJdbcLogin *login, char **message)
{
	TimestampTz until = GetCurrentTimestamp() + TIME_LIMIT_MS * INT64CONST(1000);
	ConnectJdbcReach reach = CONNECT_JDBC_FAILED;
	Target		target = {0};
	PGconn	   *conn = NULL;
	PGresult   *result = NULL;

	if (strncmp(settings->url, PREFIX, strlen(PREFIX)) != 0 ||
		!parse_url(settings, owner, &target))
	{
		*message = psprintf("connection.url %s cannot be used: only jdbc:postgresql: URLs of this very database are supported",
							without_parameters(settings->url));
		return CONNECT_JDBC_REFUSED;
	}

	PG_TRY();
	{
		PostgresPollingStatusType state = PGRES_POLLING_WRITING;

		conn = PQconnectStartParams(target.keywords, target.values, 0);
		if (conn == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
		while (PQstatus(conn) != CONNECTION_BAD &&
			   state != PGRES_POLLING_OK && state != PGRES_POLLING_FAILED)
		{
			if (!wait_for(conn, state == PGRES_POLLING_READING ?
						  WL_SOCKET_READABLE : WL_SOCKET_WRITEABLE, until))
				break;
			state = PQconnectPoll(conn);
		}
		if (PQstatus(conn) == CONNECTION_OK)
			result = query(conn,
						   "SELECT s.system_identifier, d.oid, pg_catalog.pg_is_in_recovery(), current_user,"
						   " pg_catalog.current_setting('search_path')"
						   " FROM pg_catalog.pg_control_system() s, pg_catalog.pg_database d"
						   " WHERE d.datname = pg_catalog.current_database()",
						   until);
		if (result == NULL || PQresultStatus(result) != PGRES_TUPLES_OK)
		{
			*message = plain_message(PQerrorMessage(conn));
			if (**message == '\0')
				*message = pstrdup("The connection attempt timed out.");
		}
		else if (strtou64(PQgetvalue(result, 0, 0), NULL, 10) != GetSystemIdentifier() ||
				 strtoul(PQgetvalue(result, 0, 1), NULL, 10) != MyDatabaseId ||
				 *PQgetvalue(result, 0, 2) == 't')
		{
			reach = CONNECT_JDBC_REFUSED;
			*message = psprintf("connection.url %s is another database: only this very database can be read",
								without_parameters(settings->url));
		}
		else
		{
			reach = CONNECT_JDBC_NATIVE;
			login->role = pstrdup(PQgetvalue(result, 0, 3));
			login->search_path = pstrdup(PQgetvalue(result, 0, 4));
		}
	}
	PG_FINALLY();
	{
		PQclear(result);
		PQfinish(conn);
	}
	PG_END_TRY();
	return reach;
}

char *
connect_jdbc_owner(ConnectTask *task)
{
	char	   *name;

	connect_task_begin(task);
	name = MemoryContextStrdup(task->context,
							   GetUserNameFromId(task->owner, false));
	connect_task_commit(task);
	MemoryContextSwitchTo(task->context);
	return name;
}

Oid
connect_jdbc_role(const char *role, Oid owner, char **message)
{
	Oid			oid = get_role_oid(role, true);

	if (OidIsValid(oid) && connect_may_set_role(owner, oid))
		return oid;
	*message = psprintf("connection.user \"%s\" cannot be used: the connector's owner \"%s\" is not a member of that role",
						role, GetUserNameFromId(owner, false));
	return InvalidOid;
}

/* What follows the name may hold a password. */
static const char *
without_parameters(const char *url)
{
	return pnstrdup(url, strcspn(url, "?"));
}

static void
add_word(Target *target, const char *keyword, const char *value)
{
	if (value == NULL || *value == '\0')
		return;
	Assert(target->n < MAX_WORDS - 1);
	target->keywords[target->n] = keyword;
	target->values[target->n++] = value;
}

/* Percent-encoded text of a URL, decoded. */
static char *
decode(const char *text, size_t len)
{
	char	   *result = palloc(len + 1);
	char	   *out = result;

	for (size_t i = 0; i < len; i++)
	{
		unsigned int c;

		if (text[i] == '%' && i + 2 < len &&
			sscanf(text + i + 1, "%2x", &c) == 1 && c != 0)
		{
			*out++ = c;
			i += 2;
		}
		else
			*out++ = text[i];
	}
	*out = '\0';
	return result;
}

/* As one word of libpq's "options". */
static char *
escape(const char *text)
{
	StringInfoData buf;

	initStringInfo(&buf);
	for (const char *p = text; *p != '\0'; p++)
	{
		if (*p == '\\' || isspace((unsigned char) *p))
			appendStringInfoChar(&buf, '\\');
		appendStringInfoChar(&buf, *p);
	}
	return buf.data;
}

/* "a:1,[::1]:2,c" into the two lists that libpq wants. */
static void
parse_hosts(const char *text, size_t len, Target *target)
{
	StringInfoData hosts;
	StringInfoData ports;
	const char *p = text;
	const char *end = text + len;

	initStringInfo(&hosts);
	initStringInfo(&ports);
	while (p < end)
	{
		const char *comma = memchr(p, ',', end - p);
		const char *stop = comma ? comma : end;
		const char *host = p;
		const char *host_end;
		const char *port;

		if (*host == '[' && memchr(host, ']', stop - host) != NULL)
		{
			host_end = memchr(host, ']', stop - host);
			host++;
			port = host_end + 1;
		}
		else
		{
			port = memchr(host, ':', stop - host);
			host_end = port = port ? port : stop;
		}
		if (p > text)
		{
			appendStringInfoChar(&hosts, ',');
			appendStringInfoChar(&ports, ',');
		}
		appendBinaryStringInfo(&hosts, host, host_end - host);
		if (port < stop && *port == ':')
			appendBinaryStringInfo(&ports, port + 1, stop - port - 1);
		else
			appendStringInfoString(&ports, "5432");
		p = comma ? comma + 1 : end;
	}
	add_word(target, "host", hosts.len > 0 ? hosts.data : "localhost");
	add_word(target, "port", ports.len > 0 ? ports.data : "5432");
}

/*
 * jdbc:postgresql:[//hosts/]database[?parameters].  The database defaults to
 * the user, as in the driver.
 */
static bool
parse_url(const ConnectJdbcSettings *settings, const char *owner,
		  Target *target)
{
	const char *p = settings->url + strlen(PREFIX);
	const char *params = strchr(p, '?');
	const char *end = params ? params : p + strlen(p);
	const char *user = settings->user;
	const char *password = settings->password;
	const char *schema = settings->current_schema;
	const char *sslmode = NULL;
	const char *options = "";
	const char *database;

	if (strncmp(p, "//", 2) == 0)
	{
		const char *slash;

		p += 2;
		slash = memchr(p, '/', end - p);
		parse_hosts(p, (slash ? slash : end) - p, target);
		p = slash ? slash + 1 : end;
	}
	else
	{
		parse_hosts(p, 0, target);
		if (p < end && *p == '/')
			p++;
	}
	database = decode(p, end - p);
	while (params != NULL && *params != '\0')
	{
		const char *name = params + 1;
		const char *stop = strchr(name, '&');
		const char *equals = strchr(name, '=');
		size_t		len = (stop ? stop : name + strlen(name)) - name;
		char	   *value;

		params = stop;
		if (equals == NULL || equals - name >= len)
			continue;
		value = decode(equals + 1, name + len - equals - 1);
		if (strncmp(name, "user=", 5) == 0 && user == NULL)
			user = value;
		else if (strncmp(name, "password=", 9) == 0 && password == NULL)
			password = value;
		else if (strncmp(name, "sslmode=", 8) == 0)
			sslmode = value;
		else if (strncmp(name, "currentSchema=", 14) == 0)
			schema = value;
		else if (strncmp(name, "options=", 8) == 0)
			options = value;
	}
	if (user == NULL || *user == '\0')
		user = owner;
	add_word(target, "user", user);
	add_word(target, "password", password);
	add_word(target, "dbname", *database != '\0' ? database : user);
	add_word(target, "sslmode", sslmode);
	add_word(target, "options", schema != NULL ?
			 psprintf("%s -csearch_path=%s", options, escape(schema)) : options);
	/* Nobody else's password may be used. */
	add_word(target, "passfile", "connect-uses-no-file");
	add_word(target, "fallback_application_name", "connect");
	return true;
}

/* False once the time is over. */
static bool
wait_for(PGconn *conn, int events, TimestampTz until)
{
	for (;;)
	{
		long		ms = TimestampDifferenceMilliseconds(GetCurrentTimestamp(),
														 until);
		int			rc;

		if (ms <= 0)
			return false;
		rc = WaitLatchOrSocket(MyLatch,
							   WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH | events,
							   PQsocket(conn), ms, PG_WAIT_EXTENSION);
		if (rc & WL_LATCH_SET)
		{
			ResetLatch(MyLatch);
			CHECK_FOR_INTERRUPTS();
		}
		if (rc & events)
			return true;
	}
}

/* NULL once the time is over. */
static PGresult *
query(PGconn *conn, const char *sql, TimestampTz until)
{
	if (!PQsendQuery(conn, sql))
		return NULL;
	while (PQisBusy(conn))
	{
		if (!wait_for(conn, WL_SOCKET_READABLE, until) ||
			!PQconsumeInput(conn))
			return NULL;
	}
	return PQgetResult(conn);
}

/*
 * The server's own words as the JDBC driver tells them: "FATAL: database …",
 * without what libpq puts before them.
 */
static char *
plain_message(const char *message)
{
	const char *fatal = strstr(message, "FATAL:  ");
	char	   *text;

	if (fatal != NULL)
		text = psprintf("FATAL: %s", fatal + strlen("FATAL:  "));
	else
		text = pstrdup(message);
	for (char *p = text + strlen(text); p > text && strchr("\r\n ", p[-1]); p--)
		p[-1] = '\0';
	return text;
}
