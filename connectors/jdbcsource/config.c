/*
 * config.c
 *	  The table source's two classes: their options and checks.
 *
 * NOTES
 *	  The Confluent class (which JdbcSource stands for) and the Aiven class share
 *	  most keys; the shared ones are written once, as macros of table rows.
 *	  Our own additions are in both: column.include.list, column.exclude.list,
 *	  numeric.unconstrained.scale, timestamp.guard.interval.ms,
 *	  table.split.bytes.
 */
#include "postgres.h"

#include "catalog/pg_collation.h"
#include "common/int.h"
#include "miscadmin.h"
#include "regex/regex.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "connect.h"
#include "jdbcsource/jdbcsource.h"
#include "record/zone.h"
#include "registry.h"

#define EPOCH_US \
	((int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY)

/* Below this many rows a statement's fixed cost would be felt. */
#define MIN_CHUNK	1000
#define MAX_CHUNK	100000

static char *check_zone(const ConnectConfigKey *key, const char *value);
static char *check_enum(const ConnectConfigKey *key, const char *value);
static char *check_topic_prefix(const ConnectConfigKey *key, const char *value);
static char *check_regexes(const ConnectConfigKey *key, const char *value);
static char *check_mappings(const ConnectConfigKey *key, const char *value);
static char *check_query(const ConnectConfigKey *key, const char *value);
static char *check_positive(const ConnectConfigKey *key, const char *value);

static const char *const modes[] = {
	"bulk", "timestamp", "incrementing", "timestamp+incrementing", NULL
};
static const char *const modes_or_none[] = {
	"", "bulk", "timestamp", "incrementing", "timestamp+incrementing", NULL
};
static const char *const numeric_mappings[] = {
	"none", "precision_only", "best_fit", "best_fit_eager_double", NULL
};
static const char *const aiven_numeric_mappings[] = {
	"none", "precision_only", "best_fit", NULL
};
static const char *const granularities[] = {
	"connect_logical", "micros_long", "micros_string",
	"micros_iso_datetime_string", "nanos_long", "nanos_string",
	"nanos_iso_datetime_string", NULL
};
static const char *const calendars[] = {
	"LEGACY", "PROLEPTIC_GREGORIAN", NULL
};
static const char *const quotings[] = {"always", "never", NULL};
static const char *const isolations[] = {
	"DEFAULT", "READ_UNCOMMITTED", "READ_COMMITTED", "REPEATABLE_READ",
	"SERIALIZABLE", NULL
};
static const char *const dialects[] = {
	"", "PostgreSqlDatabaseDialect", "GenericDatabaseDialect", NULL
};
static const char *const table_types[] = {
	"TABLE", "PARTITIONED TABLE", "VIEW", "MATERIALIZED VIEW", "FOREIGN TABLE",
	"SYSTEM TABLE", "SYSTEM VIEW", NULL
};
static const char *const mode_dependents[] = {
	"incrementing.column.name", "timestamp.column.name", "validate.non.null",
	NULL
};

#define DATABASE	.group = "Database"
#define MODE		.group = "Mode"
#define CONNECTOR	.group = "Connector"
#define HIGH		.importance = CONNECT_IMPORTANCE_HIGH
#define MEDIUM		.importance = CONNECT_IMPORTANCE_MEDIUM
#define LOW			.importance = CONNECT_IMPORTANCE_LOW

#define CONNECTION_KEYS \
	{.name = "connection.user", .type = CONNECT_CONFIG_STRING, HIGH, DATABASE, \
	 .order = 2, .width = CONNECT_WIDTH_MEDIUM, .display_name = "JDBC User", \
	 .doc = "Role that the connection URL is used with; the connector's owner must be a member of it, and tables are read with its rights."}, \
	{.name = "connection.password", .type = CONNECT_CONFIG_PASSWORD, HIGH, DATABASE, \
	 .order = 3, .width = CONNECT_WIDTH_SHORT, .display_name = "JDBC Password", \
	 .doc = "Password of connection.user."}

#define ATTEMPT_KEYS(...) \
	{.name = "connection.attempts", .type = CONNECT_CONFIG_INT, \
	 .default_value = "3", LOW, DATABASE, .order = 4, \
	 .width = CONNECT_WIDTH_SHORT, .display_name = "JDBC connection attempts", \
	 __VA_ARGS__ \
	 .doc = "Accepted; the runtime tries again by itself."}, \
	{.name = "connection.backoff.ms", .type = CONNECT_CONFIG_LONG, \
	 .default_value = "10000", LOW, DATABASE, .order = 5, \
	 .width = CONNECT_WIDTH_SHORT, .display_name = "JDBC connection backoff (ms)", \
	 .doc = "Accepted; the runtime has its own pauses."}

#define LIST_KEYS \
	{.name = "table.whitelist", .type = CONNECT_CONFIG_LIST, \
	 .default_value = "", MEDIUM, DATABASE, .order = 6, \
	 .width = CONNECT_WIDTH_LONG, .display_name = "Table Whitelist", \
	 .doc = "Tables to read: bare names or schema.table. Not together with table.blacklist."}, \
	{.name = "table.blacklist", .type = CONNECT_CONFIG_LIST, \
	 .default_value = "", MEDIUM, DATABASE, .order = 7, \
	 .width = CONNECT_WIDTH_LONG, .display_name = "Table Blacklist", \
	 .doc = "Tables not to read: bare names or schema.table."}

#define PATTERN_KEYS \
	{.name = "catalog.pattern", .type = CONNECT_CONFIG_STRING, MEDIUM, DATABASE, \
	 .order = 8, .width = CONNECT_WIDTH_SHORT, .display_name = "Catalog pattern", \
	 .doc = "Name of the database; empty or not set: any."}, \
	{.name = "schema.pattern", .type = CONNECT_CONFIG_STRING, HIGH, DATABASE, \
	 .order = 9, .width = CONNECT_WIDTH_SHORT, .display_name = "Schema pattern", \
	 .doc = "Schemas to look into, as a LIKE pattern; empty or not set: all."}, \
	{.name = "numeric.precision.mapping", .type = CONNECT_CONFIG_BOOLEAN, \
	 .default_value = "false", LOW, DATABASE, .order = 10, \
	 .width = CONNECT_WIDTH_SHORT, .display_name = "Map Numeric Values By Precision (deprecated)", \
	 .doc = "True is numeric.mapping=precision_only where that is not set."}

#define DIALECT_KEYS \
	{.name = "dialect.name", .type = CONNECT_CONFIG_STRING, \
	 .default_value = "", LOW, DATABASE, .order = 12, \
	 .width = CONNECT_WIDTH_LONG, .display_name = "Database Dialect", \
	 .recommended = dialects, .validator = check_enum, .allowed = dialects, \
	 .doc = "Dialect of the database, if the URL does not tell it."}

#define COLUMN_KEYS \
	{.name = "column.include.list", .type = CONNECT_CONFIG_LIST, \
	 .default_value = "", LOW, DATABASE, .order = 15, \
	 .width = CONNECT_WIDTH_LONG, .display_name = "Columns to read", \
	 .validator = check_regexes, \
	 .doc = "Regular expressions of schema.table.column; empty: all columns. Columns that the mode needs must be among them."}, \
	{.name = "column.exclude.list", .type = CONNECT_CONFIG_LIST, \
	 .default_value = "", LOW, DATABASE, .order = 16, \
	 .width = CONNECT_WIDTH_LONG, .display_name = "Columns not to read", \
	 .validator = check_regexes, \
	 .doc = "Regular expressions of schema.table.column that are left out."}

#define MODE_KEYS \
	{.name = "incrementing.column.name", .type = CONNECT_CONFIG_STRING, \
	 .default_value = "", MEDIUM, MODE, .order = 2, \
	 .width = CONNECT_WIDTH_MEDIUM, .display_name = "Incrementing Column Name", \
	 .doc = "Column that grows with each new row; empty: the identity or serial column."}, \
	{.name = "timestamp.column.name", .type = CONNECT_CONFIG_LIST, \
	 .default_value = "", MEDIUM, MODE, .order = 3, \
	 .width = CONNECT_WIDTH_MEDIUM, .display_name = "Timestamp Column Name", \
	 .doc = "Columns that tell when a row changed; of several the first that is not null counts."}, \
	{.name = "validate.non.null", .type = CONNECT_CONFIG_BOOLEAN, \
	 .default_value = "true", LOW, MODE, .order = 5, \
	 .width = CONNECT_WIDTH_SHORT, .display_name = "Validate Non Null", \
	 .doc = "Refuse a nullable incrementing column, and timestamp columns of which all are nullable."}, \
	{.name = "timestamp.delay.interval.ms", .type = CONNECT_CONFIG_LONG, \
	 .default_value = "0", HIGH, MODE, .order = 7, \
	 .width = CONNECT_WIDTH_MEDIUM, .display_name = "Delay Interval (ms)", \
	 .doc = "Rows younger than this are left for later. Not needed against late commits: open transactions are seen."}, \
	{.name = "timestamp.guard.interval.ms", .type = CONNECT_CONFIG_LONG, \
	 .default_value = "100", LOW, MODE, .order = 8, \
	 .width = CONNECT_WIDTH_SHORT, .display_name = "Guard Interval (ms)", \
	 .validator = connect_config_at_least, .min = 0, \
	 .doc = "How long a backend may take from reading the clock to showing that its transaction has begun."}, \
	{.name = "db.timezone", .type = CONNECT_CONFIG_STRING, \
	 .default_value = "UTC", MEDIUM, MODE, .order = 9, \
	 .width = CONNECT_WIDTH_MEDIUM, .display_name = "DB time zone", \
	 .validator = check_zone, \
	 .doc = "Zone that timestamps and times without zone are in."}, \
	{.name = "query", .type = CONNECT_CONFIG_STRING, .default_value = "", MEDIUM, MODE, \
	 .order = 10, .width = CONNECT_WIDTH_SHORT, .display_name = "Query", \
	 .validator = check_query, \
	 .doc = "A SELECT to read in place of tables. It may have clauses of its own."}

#define CONNECTOR_KEYS \
	{.name = "table.types", .type = CONNECT_CONFIG_LIST, \
	 .default_value = "TABLE", LOW, CONNECTOR, .order = 1, \
	 .width = CONNECT_WIDTH_MEDIUM, .display_name = "Table Types", \
	 .recommended = table_types, \
	 .doc = "Kinds of relations to read: TABLE, PARTITIONED TABLE (as one table), VIEW, MATERIALIZED VIEW, FOREIGN TABLE, SYSTEM TABLE, SYSTEM VIEW."}, \
	{.name = "poll.interval.ms", .type = CONNECT_CONFIG_INT, \
	 .default_value = "5000", HIGH, CONNECTOR, .order = 2, \
	 .width = CONNECT_WIDTH_SHORT, .display_name = "Poll Interval (ms)", \
	 .doc = "Pause between the end of one reading of a table and the next."}, \
	{.name = "table.poll.interval.ms", .type = CONNECT_CONFIG_LONG, \
	 .default_value = "60000", LOW, CONNECTOR, .order = 4, \
	 .width = CONNECT_WIDTH_SHORT, .display_name = "Metadata Change Monitoring Interval (ms)", \
	 .doc = "How often the list of tables is made again."}, \
	{.name = "table.split.bytes", .type = CONNECT_CONFIG_LONG, \
	 .default_value = "1073741824", LOW, CONNECTOR, .order = 4, \
	 .width = CONNECT_WIDTH_SHORT, .display_name = "Size of tables that are split", \
	 .validator = connect_config_at_least, .min = -1, \
	 .doc = "Mode bulk: tasks that are left when each table has one join in reading tables of this size or larger, in one snapshot; -1: never."}, \
	{.name = "numeric.unconstrained.scale", .type = CONNECT_CONFIG_INT, \
	 LOW, CONNECTOR, .order = 7, .width = CONNECT_WIDTH_SHORT, \
	 .display_name = "Scale of plain numeric", \
	 .doc = "Scale of the Decimals of numeric columns without precision, and of numeric expressions. A value with more decimals fails the task, it is never rounded. Not set: 127 for the Confluent class, 0 for the Aiven class, as those connectors have it."}

static const ConnectConfigKey keys[] = {
	{.name = "connection.url", .type = CONNECT_CONFIG_STRING, HIGH, DATABASE,
		.order = 1, .width = CONNECT_WIDTH_LONG, .display_name = "JDBC URL",
	.doc = "jdbc:postgresql: URL of this very database; not set: this database, as the connector's owner."},
	CONNECTION_KEYS,
	ATTEMPT_KEYS(.validator = check_positive, .min = 1,),
	LIST_KEYS,
	{.name = "table.include.list", .type = CONNECT_CONFIG_LIST,
		.default_value = "", MEDIUM, DATABASE, .order = 7,
		.width = CONNECT_WIDTH_LONG, .display_name = "Table Include List",
		.validator = check_regexes,
	.doc = "Regular expressions that match the whole of schema.table."},
	{.name = "table.exclude.list", .type = CONNECT_CONFIG_LIST,
		.default_value = "", MEDIUM, DATABASE, .order = 7,
		.width = CONNECT_WIDTH_LONG, .display_name = "Table Exclude List",
		.validator = check_regexes,
	.doc = "Regular expressions of tables to take out of table.include.list again."},
	PATTERN_KEYS,
	{.name = "numeric.mapping", .type = CONNECT_CONFIG_STRING, LOW, DATABASE,
		.order = 11, .width = CONNECT_WIDTH_SHORT, .display_name = "Map Numeric Values",
		.recommended = numeric_mappings, .validator = check_enum,
		.allowed = numeric_mappings,
	.doc = "Types of numeric columns: none (Decimal), precision_only (integers where they fit), best_fit (also doubles), best_fit_eager_double."},
	DIALECT_KEYS,
	{.name = "quote.sql.identifiers", .type = CONNECT_CONFIG_STRING,
		.default_value = "always", MEDIUM, DATABASE, .order = 13,
		.width = CONNECT_WIDTH_MEDIUM, .display_name = "Quote Identifiers",
		.recommended = quotings, .validator = connect_config_one_of_nocase,
		.allowed = quotings,
	.doc = "Whether names in task configurations are quoted. Statements name relations exactly in any case."},
	{.name = "table.names.qualify", .type = CONNECT_CONFIG_BOOLEAN,
		.default_value = "true", LOW, DATABASE, .order = 14,
		.width = CONNECT_WIDTH_SHORT, .display_name = "Qualify table names",
	.doc = "False: tables go by their bare names, in task configurations and in offsets."},
	COLUMN_KEYS,
	{.name = "mode", .type = CONNECT_CONFIG_STRING, .default_value = "", HIGH, MODE,
		.order = 1, .width = CONNECT_WIDTH_MEDIUM, .display_name = "Table Loading Mode",
		.dependents = mode_dependents, .recommended = modes,
		.validator = connect_config_one_of, .allowed = modes_or_none,
	.doc = "bulk: the whole table each time; incrementing: rows with a higher id; timestamp: rows with a later time; timestamp+incrementing: both."},
	MODE_KEYS,
	{.name = "incrementing.column.mapping", .type = CONNECT_CONFIG_LIST,
		.default_value = "", MEDIUM, MODE, .order = 2,
		.width = CONNECT_WIDTH_LONG, .display_name = "Incrementing Column Mapping",
		.validator = check_mappings,
	.doc = "The incrementing column by table: regex:column, … Each table must match one entry."},
	{.name = "timestamp.columns.mapping", .type = CONNECT_CONFIG_LIST,
		.default_value = "", MEDIUM, MODE, .order = 3,
		.width = CONNECT_WIDTH_LONG, .display_name = "Timestamp Columns Mapping",
		.validator = check_mappings,
	.doc = "The timestamp columns by table: regex:[c1|c2], … Each table must match one entry."},
	{.name = "incrementing.initial", .type = CONNECT_CONFIG_LONG, LOW, MODE,
		.order = 4, .width = CONNECT_WIDTH_SHORT, .display_name = "Incrementing initial",
	.doc = "Reading starts after this id where no offset is stored; not set: at the first row."},
	{.name = "timestamp.initial", .type = CONNECT_CONFIG_LONG, LOW, MODE,
		.order = 6, .width = CONNECT_WIDTH_SHORT, .display_name = "Unix time value of initial timestamp",
	.doc = "Reading starts after this time (ms since the epoch) where no offset is stored; -1: now; not set: at the first row."},
	{.name = "query.masked", .type = CONNECT_CONFIG_PASSWORD, .default_value = "",
		MEDIUM, MODE, .order = 10, .width = CONNECT_WIDTH_SHORT,
		.display_name = "Query (masked)", .validator = check_query,
	.doc = "As query, but never shown."},
	{.name = "query.suffix", .type = CONNECT_CONFIG_STRING, .default_value = "",
		LOW, MODE, .order = 11, .width = CONNECT_WIDTH_MEDIUM,
		.display_name = "Query suffix",
	.doc = "Text at the very end of each statement that reads rows."},
	{.name = "query.retry.attempts", .type = CONNECT_CONFIG_INT,
		.default_value = "-1", LOW, MODE, .order = 12,
		.width = CONNECT_WIDTH_SHORT, .display_name = "Query Retry Attempts",
	.doc = "Accepted; transient errors are retried by the runtime."},
	{.name = "transaction.isolation.mode", .type = CONNECT_CONFIG_STRING,
		.default_value = "DEFAULT", LOW, MODE, .order = 13,
		.width = CONNECT_WIDTH_MEDIUM, .display_name = "Transaction Isolation Mode",
		.recommended = isolations, .validator = connect_config_one_of_nocase,
		.allowed = isolations,
	.doc = "Accepted; each statement reads one snapshot, in a transaction of its own."},
	CONNECTOR_KEYS,
	{.name = "batch.max.rows", .type = CONNECT_CONFIG_INT,
		.default_value = "1000", LOW, CONNECTOR, .order = 3,
		.width = CONNECT_WIDTH_SHORT, .display_name = "Max Rows Per Batch",
		.validator = check_positive, .min = 1,
	.doc = "Rows that one statement reads, 1000 at the least."},
	{.name = "topic.prefix", .type = CONNECT_CONFIG_STRING, .default_value = "",
		HIGH, CONNECTOR, .order = 5, .width = CONNECT_WIDTH_MEDIUM,
		.display_name = "Topic Prefix", .validator = check_topic_prefix,
	.doc = "What topics' names begin with; the table's name follows. With a query it is the topic."},
	{.name = "timestamp.granularity", .type = CONNECT_CONFIG_STRING,
		.default_value = "connect_logical", LOW, CONNECTOR, .order = 8,
		.width = CONNECT_WIDTH_MEDIUM, .display_name = "Timestamp granularity",
		.recommended = granularities, .validator = check_enum,
		.allowed = granularities,
	.doc = "Form of timestamps: Connect's logical type (ms), or micro- or nanoseconds as number, text of the number or ISO text."},
	{.name = "date.calendar.system", .type = CONNECT_CONFIG_STRING,
		.default_value = "LEGACY", LOW, CONNECTOR, .order = 9,
		.width = CONNECT_WIDTH_MEDIUM, .display_name = "Calendar of old dates",
		.recommended = calendars, .validator = connect_config_one_of,
		.allowed = calendars,
	.doc = "LEGACY: days before 1582-10-15 count as Java's old classes count them; PROLEPTIC_GREGORIAN: as PostgreSQL does."},
	{.name = "max.buffer.size", .type = CONNECT_CONFIG_INT, .default_value = "0",
		LOW, CONNECTOR, .order = 10, .width = CONNECT_WIDTH_SHORT,
		.display_name = "Max buffer size",
	.doc = "Accepted; nothing is buffered between the table and the producer."},
	{.name = "poll.linger.ms", .type = CONNECT_CONFIG_LONG,
		.default_value = "5000", LOW, CONNECTOR, .order = 11,
		.width = CONNECT_WIDTH_SHORT, .display_name = "Poll linger (ms)",
	.doc = "Accepted; rows are sent as soon as they are read."},
	{.name = "table.monitoring.startup.polling.limit.ms",
		.type = CONNECT_CONFIG_LONG, .default_value = "10000", LOW,
		.internal = true,
	.doc = "Accepted; tables are listed before tasks start."},
	{.name = "jdbc.credentials.provider.class", .type = CONNECT_CONFIG_STRING,
		LOW, DATABASE, .order = 17, .width = CONNECT_WIDTH_LONG,
		.display_name = "Credentials provider",
	.doc = "Refused: put a ${secret:…} reference into connection.password."}
};

static const ConnectConfigKey aiven_keys[] = {
	{.name = "connection.url", .type = CONNECT_CONFIG_STRING, .required = true,
		HIGH, DATABASE, .order = 1, .width = CONNECT_WIDTH_LONG,
		.display_name = "JDBC URL",
	.doc = "jdbc:postgresql: URL of this very database."},
	CONNECTION_KEYS,
	ATTEMPT_KEYS(),
	LIST_KEYS,
	PATTERN_KEYS,
	{.name = "numeric.mapping", .type = CONNECT_CONFIG_STRING, LOW, DATABASE,
		.order = 11, .width = CONNECT_WIDTH_SHORT, .display_name = "Map Numeric Values",
		.recommended = aiven_numeric_mappings, .validator = check_enum,
		.allowed = aiven_numeric_mappings,
	.doc = "Types of numeric columns: none (Decimal), precision_only (integers where they fit), best_fit (also doubles)."},
	DIALECT_KEYS,
	{.name = "sql.quote.identifiers", .type = CONNECT_CONFIG_BOOLEAN,
		.default_value = "true", LOW, DATABASE, .order = 13,
		.width = CONNECT_WIDTH_SHORT, .display_name = "Quote identifiers",
	.doc = "Whether names in task configurations are quoted. Statements name relations exactly in any case."},
	{.name = "table.names.qualify", .type = CONNECT_CONFIG_BOOLEAN,
		.default_value = "true", LOW, DATABASE, .order = 14,
		.width = CONNECT_WIDTH_SHORT, .display_name = "Qualify table names",
	.doc = "False: tables go by their bare names, in task configurations and in offsets."},
	COLUMN_KEYS,
	{.name = "mode", .type = CONNECT_CONFIG_STRING, .required = true, HIGH, MODE,
		.order = 1, .width = CONNECT_WIDTH_MEDIUM, .display_name = "Table Loading Mode",
		.dependents = mode_dependents, .recommended = modes,
		.validator = connect_config_one_of, .allowed = modes,
	.doc = "bulk: the whole table each time; incrementing: rows with a higher id; timestamp: rows with a later time; timestamp+incrementing: both."},
	MODE_KEYS,
	{.name = "incrementing.initial", .type = CONNECT_CONFIG_LONG,
		.default_value = "-1", LOW, MODE, .order = 4,
		.width = CONNECT_WIDTH_SHORT, .display_name = "Incrementing initial",
	.doc = "Reading starts after this id where no offset is stored."},
	{.name = "timestamp.initial.ms", .type = CONNECT_CONFIG_LONG,
		.default_value = "0", LOW, MODE, .order = 6,
		.width = CONNECT_WIDTH_SHORT, .display_name = "Unix time value of initial timestamp",
	.doc = "Reading starts after this time (ms since the epoch) where no offset is stored."},
	CONNECTOR_KEYS,
	{.name = "batch.max.rows", .type = CONNECT_CONFIG_INT,
		.default_value = "100", LOW, CONNECTOR, .order = 3,
		.width = CONNECT_WIDTH_SHORT, .display_name = "Max Rows Per Batch",
		.validator = check_positive, .min = 1,
	.doc = "Rows that one statement reads, 1000 at the least."},
	{.name = "topic.prefix", .type = CONNECT_CONFIG_STRING, .required = true,
		HIGH, CONNECTOR, .order = 5, .width = CONNECT_WIDTH_MEDIUM,
		.display_name = "Topic Prefix",
	.doc = "What topics' names begin with; the table's name follows. With a query it is the topic."}
};

static const ConnectConfigDef confluent_def = {keys, lengthof(keys)};
static const ConnectConfigDef aiven_def = {aiven_keys, lengthof(aiven_keys)};

static bool
is_aiven(const ConnectConfig *cfg)
{
	const char *class_name = connect_config_get(cfg, "connector.class");

	return class_name != NULL && strncmp(class_name, "io.aiven.", 9) == 0;
}

/* A list whose default is no entry; NULL-terminated as it comes. */
static char **
read_list(const ConnectConfig *cfg, const char *key, int *n)
{
	return connect_config_list(cfg, &confluent_def, key, n);
}

static char *
check_zone(const ConnectConfigKey *key, const char *value)
{
	if (value != NULL && connect_zone_find(value) != NULL)
		return NULL;
	return connect_config_invalid(key, value, "Invalid time zone identifier");
}

/* Null is allowed: not set. */
static char *
check_enum(const ConnectConfigKey *key, const char *value)
{
	if (value == NULL || connect_config_one_of_nocase(key, value) == NULL)
		return NULL;
	return connect_config_invalid(key, value, "Invalid enumerator");
}

static char *
check_topic_prefix(const ConnectConfigKey *key, const char *value)
{
	if (value == NULL)
		return connect_config_invalid(key, value, "Value must be non-null");
	if (strlen(value) > 249)
		return connect_config_invalid(key, value,
									  "String must be at most 249 characters long");
	if (value[strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")] != '\0')
		return connect_config_invalid(key, value,
									  "String may contain letters, digits, '.', '_' and '-' only");
	return NULL;
}

/* Whether it is one statement that only reads is found out when it is read. */
static char *
check_query(const ConnectConfigKey *key, const char *value)
{
	static const char *const words[] = {"select", "with", "values", "table", "("};

	if (value == NULL || *value == '\0')
		return NULL;
	for (int i = 0; i < lengthof(words); i++)
	{
		if (pg_strncasecmp(value + strspn(value, " \t\r\n"), words[i],
						   strlen(words[i])) == 0)
			return NULL;
	}
	/* The value may be one that must not be shown. */
	return psprintf("Invalid value for configuration %s: the query must begin with SELECT",
					key->name);
}

/* A value that is no number has its error already. */
static char *
check_positive(const ConnectConfigKey *key, const char *value)
{
	return value == NULL ? NULL : connect_config_at_least(key, value);
}

/* Compiles a pattern that shall match whole names; false and *message if bad. */
static bool
compile(const char *pattern, regex_t *re, char **message)
{
	char	   *whole = psprintf("^(?:%s)$", pattern);
	int			len = strlen(whole);
	pg_wchar   *wide = palloc((len + 1) * sizeof(pg_wchar));
	int			code;
	char		text[100];

	len = pg_mb2wchar_with_len(whole, wide, len);
	code = pg_regcomp(re, wide, len, REG_ADVANCED, C_COLLATION_OID);
	if (code == REG_OKAY)
		return true;
	pg_regerror(code, re, text, sizeof(text));
	*message = psprintf("\"%s\" is no regular expression: %s", pattern, text);
	return false;
}

static char *
check_regexes(const ConnectConfigKey *key, const char *value)
{
	int			n;
	char	  **patterns = connect_config_split(value ? value : "", &n);

	for (int i = 0; i < n; i++)
	{
		regex_t		re;
		char	   *message;

		if (!compile(patterns[i], &re, &message))
			return connect_config_invalid(key, value, message);
		pg_regfree(&re);
	}
	return NULL;
}

bool
connect_jdbc_matches(const char *pattern, const char *text)
{
	regex_t		re;
	char	   *message;
	int			len = strlen(text);
	pg_wchar   *wide = palloc((len + 1) * sizeof(pg_wchar));
	bool		result;

	if (!compile(pattern, &re, &message))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_REGULAR_EXPRESSION),
				 errmsg("%s", message)));
	len = pg_mb2wchar_with_len(text, wide, len);
	result = pg_regexec(&re, wide, len, 0, NULL, 0, NULL, 0) == REG_OKAY;
	pg_regfree(&re);
	return result;
}

/*
 * Takes "pattern:column" or "pattern:[c1|c2]" apart; false if it is neither.  A
 * pattern may hold a colon: the last one counts.
 */
static bool
parse_mapping(char *entry, ConnectJdbcMapping *mapping)
{
	char	   *colon = strrchr(entry, ':');
	char	   *columns;
	size_t		len;

	if (colon == NULL)
		return false;
	*colon = '\0';
	columns = colon + 1;
	len = strlen(columns);
	if (len > 1 && *columns == '[' && columns[len - 1] == ']')
	{
		columns[len - 1] = '\0';
		columns++;
	}
	for (char *p = columns; *p != '\0'; p++)
	{
		if (*p == '|')
			*p = ',';
	}
	mapping->pattern = entry;
	mapping->columns = connect_config_split(columns, &mapping->ncolumns);
	return mapping->ncolumns > 0;
}

static char *
check_mappings(const ConnectConfigKey *key, const char *value)
{
	int			n;
	char	  **entries = connect_config_split(value ? value : "", &n);

	for (int i = 0; i < n; i++)
	{
		ConnectJdbcMapping mapping;
		regex_t		re;
		char	   *message;

		if (!parse_mapping(pstrdup(entries[i]), &mapping))
			return connect_config_invalid(key, value,
										  psprintf("\"%s\" is not regex:column or regex:[column|column]",
												   entries[i]));
		if (!compile(mapping.pattern, &re, &message))
			return connect_config_invalid(key, value, message);
		pg_regfree(&re);
	}
	return NULL;
}

static ConnectJdbcMapping *
read_mapping(const ConnectConfig *cfg, const char *key, int *n)
{
	char	  **entries = read_list(cfg, key, n);
	ConnectJdbcMapping *result = palloc0(Max(*n, 1) * sizeof(ConnectJdbcMapping));

	for (int i = 0; i < *n; i++)
		(void) parse_mapping(entries[i], &result[i]);
	return result;
}

static TimestampTz
instant_from_ms(int64 ms)
{
	int64		us;

	if (pg_mul_s64_overflow(ms, 1000, &us) ||
		pg_sub_s64_overflow(us, EPOCH_US, &us))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("time " INT64_FORMAT " ms is out of range", ms)));
	return us;
}

static int
enum_index(const char *const *allowed, const char *value)
{
	for (int i = 0; allowed[i] != NULL; i++)
	{
		if (pg_strcasecmp(allowed[i], value) == 0)
			return i;
	}
	return 0;
}

static ConnectJdbcMode
read_mode(const char *mode)
{
	if (strcmp(mode, "incrementing") == 0)
		return CONNECT_JDBC_INCREMENTING;
	if (strcmp(mode, "timestamp") == 0)
		return CONNECT_JDBC_TIMESTAMP;
	if (strcmp(mode, "timestamp+incrementing") == 0)
		return CONNECT_JDBC_TIMESTAMP_INCREMENTING;
	return CONNECT_JDBC_BULK;
}

/* How values are converted. */
static void
read_row_options(const ConnectConfig *cfg, const ConnectConfigDef *def,
				 ConnectJdbcSettings *settings)
{
	ConnectRowOptions *row = &settings->row;
	const char *mapping = connect_config_string(cfg, def, "numeric.mapping");
	const char *scale = connect_config_string(cfg, def,
											  "numeric.unconstrained.scale");
	const char *zone = connect_config_string(cfg, def, "db.timezone");
	bool		aiven = is_aiven(cfg);

	if (mapping != NULL)
		row->numeric = enum_index(numeric_mappings, mapping);
	else if (connect_config_bool(cfg, def, "numeric.precision.mapping"))
		row->numeric = CONNECT_NUMERIC_PRECISION_ONLY;
	if (!aiven)
	{
		row->timestamp = enum_index(granularities,
									connect_config_string(cfg, def, "timestamp.granularity"));
		row->proleptic = enum_index(calendars,
									connect_config_string(cfg, def, "date.calendar.system")) == 1;
	}
	row->decimal_precision = !aiven;
	row->unconstrained_scale = scale ? pg_strtoint32(scale) : (aiven ? 0 : 127);
	settings->zone = connect_zone_find(zone);
	row->zone = strcmp(zone, "UTC") == 0 ? NULL : settings->zone;
}

/* Reads a configuration that has passed its checks. */
ConnectJdbcSettings *
connect_jdbc_settings(const ConnectConfig *cfg)
{
	ConnectJdbcSettings *settings = palloc0(sizeof(ConnectJdbcSettings));
	bool		aiven = is_aiven(cfg);
	const ConnectConfigDef *def = aiven ? &aiven_def : &confluent_def;
	const char *query = connect_config_string(cfg, def, "query");
	const char *text;

	text = connect_config_string(cfg, def, "mode");
	settings->mode = read_mode(text ? text : "");
	settings->incrementing = settings->mode == CONNECT_JDBC_INCREMENTING ||
		settings->mode == CONNECT_JDBC_TIMESTAMP_INCREMENTING;
	settings->timestamp = settings->mode == CONNECT_JDBC_TIMESTAMP ||
		settings->mode == CONNECT_JDBC_TIMESTAMP_INCREMENTING;
	settings->incrementing_column = connect_config_string(cfg, def,
														  "incrementing.column.name");
	settings->timestamp_columns = read_list(cfg, "timestamp.column.name",
											&settings->ntimestamp_columns);
	settings->validate_non_null = connect_config_bool(cfg, def, "validate.non.null");
	settings->delay_ms = connect_config_int(cfg, def, "timestamp.delay.interval.ms");
	settings->guard_ms = connect_config_int(cfg, def, "timestamp.guard.interval.ms");

	settings->incrementing_initial = PG_INT64_MIN;
	if (connect_config_string(cfg, def, "incrementing.initial") != NULL)
		settings->incrementing_initial =
			connect_config_int(cfg, def, "incrementing.initial");
	settings->timestamp_initial = DT_NOBEGIN;
	text = aiven ? "timestamp.initial.ms" : "timestamp.initial";
	if (connect_config_string(cfg, def, text) != NULL)
	{
		int64		ms = connect_config_int(cfg, def, text);

		if (ms == -1 && !aiven)
			settings->timestamp_initial_now = true;
		else
			settings->timestamp_initial = instant_from_ms(ms);
	}

	settings->whitelist = read_list(cfg, "table.whitelist", &settings->nwhitelist);
	settings->blacklist = read_list(cfg, "table.blacklist", &settings->nblacklist);
	settings->column_include = read_list(cfg, "column.include.list",
										 &settings->ncolumn_include);
	settings->column_exclude = read_list(cfg, "column.exclude.list",
										 &settings->ncolumn_exclude);
	settings->types = connect_config_list(cfg, def, "table.types",
										  &settings->ntypes);
	settings->query_suffix = "";
	settings->quote = true;
	if (aiven)
		settings->quote = connect_config_bool(cfg, def, "sql.quote.identifiers");
	else
	{
		settings->include = read_list(cfg, "table.include.list",
									  &settings->ninclude);
		settings->exclude = read_list(cfg, "table.exclude.list",
									  &settings->nexclude);
		settings->incrementing_mapping =
			read_mapping(cfg, "incrementing.column.mapping",
						 &settings->nincrementing_mapping);
		settings->timestamp_mapping =
			read_mapping(cfg, "timestamp.columns.mapping",
						 &settings->ntimestamp_mapping);
		settings->query_suffix = connect_config_string(cfg, def, "query.suffix");
		settings->quote = pg_strcasecmp(connect_config_string(cfg, def, "quote.sql.identifiers"),
										"never") != 0;
		if (query == NULL || *query == '\0')
		{
			query = connect_config_string(cfg, def, "query.masked");
			settings->masked = true;
		}
	}
	settings->query = query != NULL && *query != '\0' ? query : NULL;
	settings->qualify = connect_config_bool(cfg, def, "table.names.qualify");
	settings->catalog_pattern = connect_config_string(cfg, def, "catalog.pattern");
	settings->schema_pattern = connect_config_string(cfg, def, "schema.pattern");
	settings->table_poll_ms = connect_config_int(cfg, def, "table.poll.interval.ms");

	settings->topic_prefix = connect_config_string(cfg, def, "topic.prefix");
	settings->poll_ms = Max(0, connect_config_int(cfg, def, "poll.interval.ms"));
	settings->batch = Min(Max(connect_config_int(cfg, def, "batch.max.rows"),
							  MIN_CHUNK), MAX_CHUNK);

	settings->split_bytes = connect_config_int(cfg, def, "table.split.bytes");

	settings->url = connect_config_string(cfg, def, "connection.url");
	if (settings->url != NULL && *settings->url == '\0')
		settings->url = NULL;
	settings->user = connect_config_string(cfg, def, "connection.user");
	settings->password = connect_config_string(cfg, def, "connection.password");
	settings->current_schema = connect_config_get(cfg, "connection.currentSchema");
	read_row_options(cfg, def, settings);
	return settings;
}

static bool
given(const ConnectConfig *cfg, const char *key)
{
	const char *value = connect_config_get(cfg, key);

	return value != NULL && value[strspn(value, " \t\r\n")] != '\0';
}

/* Two keys of which one must stay out. */
static void
check_exclusive(const ConnectConfig *cfg, ConnectConfigErrors *errors,
				const char *a, const char *b)
{
	if (!given(cfg, a) || !given(cfg, b))
		return;
	connect_config_error_add(errors, a, "%s and %s are exclusive.", a, b);
	connect_config_error_add(errors, b, "%s and %s are exclusive.", a, b);
}

/* What both classes refuse. */
static void
check_common(const ConnectConfig *cfg, ConnectConfigErrors *errors)
{
	static const char *const filters[] = {
		"table.whitelist", "table.blacklist", "table.include.list",
		"table.exclude.list"
	};
	const char *mode = connect_config_get(cfg, "mode");

	check_exclusive(cfg, errors, "table.whitelist", "table.blacklist");
	for (int i = 0; i < lengthof(filters); i++)
		check_exclusive(cfg, errors, "query", filters[i]);
	if (mode == NULL)
		return;
	if (strncmp(mode, "timestamp", 9) == 0 &&
		!given(cfg, "timestamp.column.name") &&
		!given(cfg, "timestamp.columns.mapping"))
		connect_config_error_add(errors, "timestamp.column.name",
								 "timestamp.column.name is needed with mode=%s.",
								 mode);
	if (strstr(mode, "incrementing") != NULL &&
		(given(cfg, "query") || given(cfg, "query.masked")) &&
		!given(cfg, "incrementing.column.name"))
		connect_config_error_add(errors, "incrementing.column.name",
								 "incrementing.column.name is needed with a query and mode=%s.",
								 mode);
}

/* The mapping of key must be there exactly if the mode uses it. */
static void
check_mapping(const ConnectConfig *cfg, ConnectConfigErrors *errors,
			  const char *key, bool used)
{
	if (used && !given(cfg, key))
		connect_config_error_add(errors, key,
								 "%s is needed with table.include.list and this mode.",
								 key);
	else if (!used && given(cfg, key))
		connect_config_error_add(errors, key, "%s is not used by this mode.",
								 key);
}

/* Whether the configured database is this one, and may be used. */
static ConnectJdbcReach
reach(const ConnectConfig *cfg, Oid *role, ConnectJdbcLogin *login,
	  char **message)
{
	ConnectJdbcReach result;

	result = connect_jdbc_reach(connect_jdbc_settings(cfg),
								GetUserNameFromId(GetUserId(), false), login,
								message);
	if (result == CONNECT_JDBC_NATIVE)
	{
		*role = connect_jdbc_role(login->role, GetUserId(), message);
		if (!OidIsValid(*role))
			result = CONNECT_JDBC_REFUSED;
	}
	return result;
}

static void
validate(const ConnectConfig *cfg, ConnectConfigErrors *errors)
{
	const char *mode = connect_config_get(cfg, "mode");
	bool		has_include = given(cfg, "table.include.list");
	Oid			role = GetUserId();
	ConnectJdbcLogin login = {0};
	char	   *message;

	if (!given(cfg, "mode"))
		connect_config_error_add(errors, "mode",
								 "Invalid value %s for configuration mode: one of bulk, timestamp, incrementing, timestamp+incrementing is needed",
								 mode ? "" : "null");
	check_common(cfg, errors);
	check_exclusive(cfg, errors, "query.masked", "query");
	check_exclusive(cfg, errors, "query.masked", "table.whitelist");
	check_exclusive(cfg, errors, "query.masked", "table.blacklist");
	check_exclusive(cfg, errors, "query.masked", "table.include.list");
	check_exclusive(cfg, errors, "table.include.list", "table.whitelist");
	check_exclusive(cfg, errors, "table.include.list", "table.blacklist");
	check_exclusive(cfg, errors, "incrementing.column.mapping",
					"incrementing.column.name");
	check_exclusive(cfg, errors, "timestamp.columns.mapping",
					"timestamp.column.name");
	if (given(cfg, "table.exclude.list") && !has_include)
		connect_config_error_add(errors, "table.exclude.list",
								 "table.exclude.list needs table.include.list.");
	if (mode != NULL && has_include)
	{
		if (!given(cfg, "incrementing.column.name"))
			check_mapping(cfg, errors, "incrementing.column.mapping",
						  strstr(mode, "incrementing") != NULL);
		if (!given(cfg, "timestamp.column.name"))
			check_mapping(cfg, errors, "timestamp.columns.mapping",
						  strncmp(mode, "timestamp", 9) == 0);
	}
	if (given(cfg, "jdbc.credentials.provider.class") &&
		strcmp(connect_config_get(cfg, "jdbc.credentials.provider.class"),
			   "io.confluent.connect.jdbc.util.DefaultJdbcCredentialsProvider") != 0)
		connect_config_error_add(errors, "jdbc.credentials.provider.class",
								 "Java credentials providers cannot run here: put a ${secret:…} reference into connection.password.");
	if (errors->nerrors == 0 && given(cfg, "connection.url"))
	{
		if (reach(cfg, &role, &login, &message) != CONNECT_JDBC_NATIVE)
		{
			connect_config_error_add(errors, "connection.url", "%s", message);
			connect_config_error_add(errors, "connection.user", "%s", message);
			connect_config_error_add(errors, "connection.password", "%s", message);
		}
	}
	if (errors->nerrors == 0)
	{
		message = connect_jdbc_query_check(connect_jdbc_settings(cfg), role,
										   login.search_path);
		if (message != NULL)
			connect_config_error_add(errors,
									 given(cfg, "query") ? "query" : "query.masked",
									 "The configured query is not valid: %s",
									 message);
	}
}

/*
 * The original asks the database for the tables that could be named, and tells
 * of what goes wrong on the way at the two lists.
 */
static void
aiven_validate(const ConnectConfig *cfg, ConnectConfigErrors *errors)
{
	const char *const lists[] = {"table.whitelist", "table.blacklist"};
	char	   *message = NULL;

	if (!given(cfg, "connection.url"))
		message = "connection.url cannot be null.";
	else
	{
		const ConnectConfigDef *def = &aiven_def;

		/* Of the options it reads, the first that is wrong is told. */
		for (int i = 0; i < def->nkeys && message == NULL; i++)
		{
			const ConnectConfigKey *key = &def->keys[i];
			const char *value = connect_config_get(cfg, key->name);

			if ((strcmp(key->name, "mode") == 0 ||
				 (strcmp(key->name, "dialect.name") == 0 && value != NULL)) &&
				key->validator(key, value) != NULL)
				message = key->validator(key, value);
		}
	}
	if (message == NULL)
	{
		char	   *reason;
		Oid			role;
		ConnectJdbcLogin login;

		switch (reach(cfg, &role, &login, &reason))
		{
			case CONNECT_JDBC_NATIVE:
				break;
			case CONNECT_JDBC_FAILED:
				message = psprintf("Invalid value org.postgresql.util.PSQLException: %s for configuration Couldn't open connection to %s",
								   reason,
								   connect_config_get(cfg, "connection.url"));
				break;
			case CONNECT_JDBC_REFUSED:
				connect_config_error_add(errors, "connection.url", "%s", reason);
				break;
		}
	}
	for (int i = 0; message != NULL && i < lengthof(lists); i++)
		connect_config_error_add(errors, lists[i],
								 "Can't get recommended tables: %s", message);
	check_common(cfg, errors);
}

static const char *const aliases[] = {"JdbcSource", NULL};

const ConnectConnectorClass connect_jdbc_source = {
	.abi = CONNECT_CONNECTOR_ABI,
	.class_name = "io.confluent.connect.jdbc.JdbcSourceConnector",
	.aliases = aliases,
	.type = CONNECT_SOURCE,
	.version = CONNECT_VERSION,
	.doc = "Reads tables, views or a query of this database.",
	.config = {keys, lengthof(keys)},
	.validate = validate,
	.task_configs = connect_jdbc_task_configs,
	.alter_offsets = connect_jdbc_alter_offsets,
	.start = connect_jdbc_start,
	.poll = connect_jdbc_poll,
	.idle = connect_jdbc_idle,
	.format_offset = connect_jdbc_format_offset,
	.stop = connect_jdbc_stop
};

const ConnectConnectorClass connect_jdbc_source_aiven = {
	.abi = CONNECT_CONNECTOR_ABI,
	.class_name = "io.aiven.connect.jdbc.JdbcSourceConnector",
	.type = CONNECT_SOURCE,
	.version = CONNECT_VERSION,
	.doc = "Reads tables, views or a query of this database, with the options of Aiven's connector.",
	.config = {aiven_keys, lengthof(aiven_keys)},
	.validate = aiven_validate,
	.task_configs = connect_jdbc_task_configs,
	.alter_offsets = connect_jdbc_alter_offsets,
	.start = connect_jdbc_start,
	.poll = connect_jdbc_poll,
	.idle = connect_jdbc_idle,
	.format_offset = connect_jdbc_format_offset,
	.stop = connect_jdbc_stop
};
