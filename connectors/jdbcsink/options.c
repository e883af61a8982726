/*
 * options.c
 *	  Classes and options of the table sink: Confluent's, Aiven's, Debezium's.
 *
 * NOTES
 *	  Validation runs in the backend of whoever creates a connector, the rest in
 *	  the task.  Three definitions share most of their keys; they all end in
 *	  one JdbcOptions, and no code past this file knows whose words were used
 *	  but where the connectors behave differently.
 *
 *	  Keys that only make sense for a JDBC driver (pools, dialects, providers)
 *	  are accepted, so that a configuration runs unchanged, and have no effect.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/formatting.h"

#include "connect.h"
#include "jdbcsink/jdbcsink.h"
#include "record/zone.h"
#include "registry.h"

static char *validate_zone(const ConnectConfigKey *key, const char *value);
static char *validate_mapping(const ConnectConfigKey *key, const char *value);
static char *validate_enum(const ConnectConfigKey *key, const char *value);
static char *validate_table_types(const ConnectConfigKey *key, const char *value);
static void validate_key_fields(const ConnectConfig *cfg, JdbcFlavour flavour,
								ConnectConfigErrors *errors);
static void validate_debezium(const ConnectConfig *cfg,
							  ConnectConfigErrors *errors);
static void read_jdbc(const ConnectConfig *cfg, const ConnectConfigDef *def,
					  JdbcOptions *options);
static void read_debezium(const ConnectConfig *cfg, JdbcOptions *options);

static const char *const insert_modes[] = {"insert", "upsert", "update", NULL};
static const char *const insert_modes_aiven[] = {
	"insert", "multi", "upsert", "update", NULL
};
static const char *const key_modes[] = {
	"none", "kafka", "record_key", "record_value", "record_header", NULL
};
static const char *const quote_modes[] = {"always", "never", NULL};
static const char *const unknown_modes[] = {"fail", "ignore", "collect", NULL};
static const char *const precisions[] = {"microseconds", "nanoseconds", NULL};
static const char *const date_zones[] = {"DB_TIMEZONE", "UTC", NULL};
static const char *const calendars[] = {
	"LEGACY", "PROLEPTIC_GREGORIAN", NULL
};
static const char *const evolutions[] = {
	"none", "validate-only", "basic", NULL
};
static const char *const batch_modes[] = {
	"deduplication", "passthrough", NULL
};

#define KEY(key, kind, dflt, imp, grp, ord, text, ...) \
	{.name = key, .type = CONNECT_CONFIG_##kind, .default_value = dflt, \
	 .importance = CONNECT_IMPORTANCE_##imp, .group = grp, .order = ord, \
	 .width = CONNECT_WIDTH_MEDIUM, .doc = text, __VA_ARGS__}

#define CONNECTION	"Connection"
#define WRITES		"Writes"
#define MAPPING		"Data Mapping"
#define DDL			"DDL Support"
#define RETRIES		"Retries"

/* Keys of Confluent's connector that Aiven's has too. */
#define JDBC_KEYS \
	KEY("connection.url", STRING, NULL, HIGH, CONNECTION, 1, \
		"A JDBC URL of this database; absent means this database."), \
	KEY("connection.user", STRING, NULL, HIGH, CONNECTION, 2, \
		"The user of a URL. Rows are written by the connector's owner."), \
	KEY("connection.password", PASSWORD, NULL, HIGH, CONNECTION, 3, \
		"The password of a URL."), \
	KEY("dialect.name", STRING, "", LOW, CONNECTION, 4, \
		"Accepted for compatibility; the target is PostgreSQL."), \
	KEY("connection.attempts", INT, "3", LOW, CONNECTION, 5, \
		"Accepted for compatibility.", \
		.validator = connect_config_at_least, .min = 1), \
	KEY("connection.backoff.ms", LONG, "10000", LOW, CONNECTION, 6, \
		"Accepted for compatibility."), \
	KEY("batch.size", INT, "3000", MEDIUM, WRITES, 2, \
		"The most records written by one statement.", \
		.validator = connect_config_at_least, .min = 0), \
	KEY("delete.enabled", BOOLEAN, "false", MEDIUM, WRITES, 3, \
		"Whether a record with a null value deletes the row of its key."), \
	KEY("synchronous.commit", BOOLEAN, "false", LOW, WRITES, 4, \
		"Whether a batch waits until its commit is on disk, and on standbys as " \
		"the server says. Without, a crash can undo the last batches together " \
		"with their position; they are written again."), \
	KEY("lock.timeout.ms", INT, "0", LOW, WRITES, 5, \
		"How long a batch waits for the lock of a table or row before it gives up " \
		"all that it holds, to be tried again. 0: as long as it takes.", \
		.validator = connect_config_at_least, .min = 0), \
	KEY("table.name.format", STRING, "${topic}", MEDIUM, MAPPING, 1, \
		"The table of a topic, as [schema.]table; ${topic} is replaced.", \
		.validator = connect_config_non_empty), \
	KEY("table.name.normalize", BOOLEAN, "false", LOW, MAPPING, 2, \
		"Whether characters that identifiers lack become _ in table names."), \
	KEY("topics.to.tables.mapping", LIST, NULL, LOW, MAPPING, 3, \
		"Tables of single topics, as topic:table; other topics are errors.", \
		.validator = validate_mapping), \
	KEY("pk.mode", STRING, "none", HIGH, MAPPING, 4, \
		"Where the key of a row comes from.", \
		.validator = validate_enum, .allowed = key_modes), \
	KEY("pk.fields", LIST, "", MEDIUM, MAPPING, 5, \
		"The key's columns; what they mean depends on pk.mode."), \
	KEY("fields.whitelist", LIST, "", MEDIUM, MAPPING, 6, \
		"The only fields of the value to store; the key is always stored."), \
	KEY("db.timezone", STRING, "UTC", MEDIUM, MAPPING, 7, \
		"Zone of times and timestamps in columns without a zone.", \
		.validator = validate_zone), \
	KEY("table.types", LIST, "TABLE,PARTITIONED TABLE", LOW, MAPPING, 8, \
		"What may be written to: TABLE, PARTITIONED TABLE, VIEW.", \
		.validator = validate_table_types), \
	KEY("replace.null.with.default", BOOLEAN, "true", LOW, MAPPING, 9, \
		"Whether a null in a field with a default is stored as that."), \
	KEY("timestamp.fields.list", LIST, "", MEDIUM, MAPPING, 10, \
		"Fields with numbers since the epoch that are timestamps."), \
	KEY("timestamp.precision.mode", STRING, "microseconds", MEDIUM, MAPPING, \
		11, "The unit of these numbers.", \
		.validator = connect_config_one_of, .allowed = precisions), \
	KEY("string.output.value.column.name", STRING, "record_value", LOW, \
		MAPPING, 12, "The column of a value that is a bare string."), \
	KEY("unknown.fields", STRING, "fail", MEDIUM, MAPPING, 13, \
		"What to do with a field of a JSON object that has no column.", \
		.validator = connect_config_one_of, .allowed = unknown_modes), \
	KEY("unknown.fields.column", STRING, "extra", LOW, MAPPING, 14, \
		"The jsonb column that collects such fields.", \
		.validator = connect_config_non_empty), \
	KEY("auto.create", BOOLEAN, "false", MEDIUM, DDL, 1, \
		"Whether a missing table is created from the record's schema."), \
	KEY("auto.evolve", BOOLEAN, "false", MEDIUM, DDL, 2, \
		"Whether missing columns are added from the record's schema."), \
	KEY("quote.sql.identifiers", STRING, "always", MEDIUM, DDL, 3, \
		"never: names are folded to lower case.", \
		.validator = validate_enum, .allowed = quote_modes), \
	KEY("max.retries", INT, "10", MEDIUM, RETRIES, 1, \
		"How often a batch is tried again after an error that may pass.", \
		.validator = connect_config_at_least, .min = 0), \
	KEY("retry.backoff.ms", INT, "3000", MEDIUM, RETRIES, 2, \
		"How long to wait before trying again.", \
		.validator = connect_config_at_least, .min = 0)

static const ConnectConfigKey confluent_keys[] = {
	JDBC_KEYS,
	KEY("jdbc.credentials.provider.class", STRING, NULL, LOW, CONNECTION, 7,
		"Accepted for compatibility."),
	KEY("insert.mode", STRING, "insert", HIGH, WRITES, 1,
		"insert, upsert (insert or update by key) or update.",
		.validator = validate_enum, .allowed = insert_modes_aiven),
	KEY("date.timezone", STRING, "DB_TIMEZONE", LOW, MAPPING, 15,
		"Accepted for compatibility: a date has no zone and is stored as it is.",
		.validator = connect_config_one_of_nocase, .allowed = date_zones),
	KEY("date.calendar.system", STRING, "LEGACY", LOW, MAPPING, 16,
		"How days and milliseconds before 1582-10-15 are read: LEGACY as "
		"Java's old classes do, by the Julian calendar, or PROLEPTIC_GREGORIAN.",
		.validator = connect_config_one_of_nocase, .allowed = calendars),
	KEY("mssql.use.merge.holdlock", BOOLEAN, "true", LOW, DDL, 4,
		"Accepted for compatibility."),
	{.name = "trim.sensitive.log", .type = CONNECT_CONFIG_BOOLEAN,
		.default_value = "false", .importance = CONNECT_IMPORTANCE_LOW,
		.doc = "Accepted for compatibility.", .internal = true},
};

static const ConnectConfigKey aiven_keys[] = {
	JDBC_KEYS,
	KEY("insert.mode", STRING, "insert", HIGH, WRITES, 1,
		"insert, multi (the same here), upsert or update.",
		.validator = validate_enum, .allowed = insert_modes_aiven),
	KEY("sql.quote.identifiers", BOOLEAN, "true", MEDIUM, DDL, 4,
		"false: names are folded to lower case."),
};

static const ConnectConfigKey debezium_keys[] = {
	KEY("connection.url", STRING, NULL, HIGH, CONNECTION, 1,
		"A JDBC URL of this database; absent means this database."),
	KEY("connection.username", STRING, NULL, HIGH, CONNECTION, 2,
		"The user of a URL. Rows are written by the connector's owner."),
	KEY("connection.password", PASSWORD, NULL, HIGH, CONNECTION, 3,
		"The password of a URL."),
	KEY("connection.provider", STRING, NULL, LOW, CONNECTION, 4,
		"Accepted for compatibility."),
	KEY("connection.pool.min_size", INT, "5", LOW, CONNECTION, 5,
		"Accepted for compatibility."),
	KEY("connection.pool.max_size", INT, "32", LOW, CONNECTION, 6,
		"Accepted for compatibility."),
	KEY("connection.pool.timeout", LONG, "1800", LOW, CONNECTION, 7,
		"Accepted for compatibility."),
	KEY("connection.restart.on.errors", BOOLEAN, "false", LOW, CONNECTION, 8,
		"Accepted for compatibility."),
	KEY("insert.mode", STRING, "insert", HIGH, WRITES, 1,
		"insert, upsert (insert or update by key) or update.",
		.validator = connect_config_one_of_nocase, .allowed = insert_modes),
	KEY("delete.enabled", BOOLEAN, "false", MEDIUM, WRITES, 2,
		"Whether delete events and null values delete the row of their key."),
	KEY("truncate.enabled", BOOLEAN, "false", MEDIUM, WRITES, 3,
		"Whether truncate events empty the table."),
	KEY("batch.size", INT, "500", MEDIUM, WRITES, 4,
		"The most records written by one statement.",
		.validator = connect_config_at_least, .min = 0),
	KEY("use.reduction.buffer", BOOLEAN, "false", LOW, WRITES, 5,
		"Accepted for compatibility: the last change of a key always wins."),
	KEY("keyed.message.batch.mode", STRING, "deduplication", LOW, WRITES, 6,
		"Accepted for compatibility.",
		.validator = connect_config_one_of_nocase, .allowed = batch_modes),
	KEY("synchronous.commit", BOOLEAN, "false", LOW, WRITES, 7,
		"Whether a batch waits until its commit is on disk, and on standbys as "
		"the server says. Without, a crash can undo the last batches together "
		"with their position; they are written again."),
	KEY("lock.timeout.ms", INT, "0", LOW, WRITES, 8,
		"How long a batch waits for the lock of a table or row before it gives up "
		"all that it holds, to be tried again. 0: as long as it takes.",
		.validator = connect_config_at_least, .min = 0),
	KEY("primary.key.mode", STRING, "none", HIGH, MAPPING, 1,
		"Where the key of a row comes from.",
		.validator = connect_config_one_of_nocase, .allowed = key_modes),
	KEY("primary.key.fields", LIST, NULL, MEDIUM, MAPPING, 2,
		"The key's columns; what they mean depends on primary.key.mode."),
	KEY("collection.name.format", STRING, NULL, MEDIUM, MAPPING, 3,
		"The table of a topic; ${topic} and ${source.field} are replaced. "
		"Absent: the topic, its dots as underscores."),
	KEY("table.name.format", STRING, NULL, MEDIUM, MAPPING, 4,
		"The older name of collection.name.format."),
	KEY("collection.naming.strategy", STRING, NULL, LOW, MAPPING, 5,
		"Accepted for compatibility."),
	KEY("table.naming.strategy", STRING, NULL, LOW, MAPPING, 6,
		"Accepted for compatibility."),
	KEY("column.naming.strategy", STRING, NULL, LOW, MAPPING, 7,
		"Accepted for compatibility."),
	KEY("field.include.list", LIST, NULL, MEDIUM, MAPPING, 8,
		"The only fields to store, as field or topic:field."),
	KEY("field.exclude.list", LIST, NULL, MEDIUM, MAPPING, 9,
		"Fields not to store, as field or topic:field."),
	KEY("use.time.zone", STRING, "UTC", MEDIUM, MAPPING, 10,
		"Zone of times and timestamps in columns without a zone.",
		.validator = validate_zone),
	KEY("database.time_zone", STRING, NULL, LOW, MAPPING, 11,
		"The older name of use.time.zone.", .validator = validate_zone),
	KEY("unknown.fields", STRING, "fail", MEDIUM, MAPPING, 12,
		"What to do with a field of a JSON object that has no column.",
		.validator = connect_config_one_of, .allowed = unknown_modes),
	KEY("unknown.fields.column", STRING, "extra", LOW, MAPPING, 13,
		"The jsonb column that collects such fields.",
		.validator = connect_config_non_empty),
	KEY("schema.evolution", STRING, "none", MEDIUM, DDL, 1,
		"basic: missing tables and columns are made. validate-only: tables "
		"must be there when the task starts.",
		.validator = connect_config_one_of_nocase, .allowed = evolutions),
	KEY("quote.identifiers", BOOLEAN, "false", MEDIUM, DDL, 2,
		"false: names are folded to lower case."),
	KEY("dialect.postgres.postgis.schema", STRING, "public", LOW, DDL, 3,
		"Accepted for compatibility."),
	KEY("dialect.postgres.unnest.insert.enabled", BOOLEAN, "false", LOW, DDL, 4,
		"Accepted for compatibility: batches are always one statement."),
	KEY("flush.max.retries", INT, "5", MEDIUM, RETRIES, 1,
		"How often a batch is tried again after an error that may pass.",
		.validator = connect_config_at_least, .min = 0),
	KEY("flush.retry.delay.ms", LONG, "1000", MEDIUM, RETRIES, 2,
		"How long to wait before trying again.",
		.validator = connect_config_at_least, .min = 0),
};

static char *
validate_zone(const ConnectConfigKey *key, const char *value)
{
	if (value == NULL || connect_zone_find(value) != NULL)
		return NULL;
	return connect_config_invalid(key, value, "Invalid time zone identifier");
}

static char *
validate_mapping(const ConnectConfigKey *key, const char *value)
{
	char	  **entries;
	int			n;
	bool		ok;

	if (value == NULL)
		return NULL;
	entries = connect_config_split(value, &n);
	ok = n > 0;
	for (int i = 0; i < n && ok; i++)
	{
		const char *colon = strchr(entries[i], ':');

		ok = colon != NULL && colon[1] != '\0';
	}
	return ok ? NULL :
		connect_config_invalid(key, connect_config_list_text(value),
							   "Invalid topics to tables mapping");
}

/* Confluent's EnumValidator: all lower case or all upper case. */
static char *
validate_enum(const ConnectConfigKey *key, const char *value)
{
	for (int i = 0; value != NULL && key->allowed[i] != NULL; i++)
	{
		if (strcmp(value, key->allowed[i]) == 0 ||
			strcmp(value, asc_toupper(key->allowed[i],
									  strlen(key->allowed[i]))) == 0)
			return NULL;
	}
	return connect_config_invalid(key, value ? value : "null",
								  "Invalid enumerator");
}

static char *
validate_table_types(const ConnectConfigKey *key, const char *value)
{
	int			n = 0;
	char	  **types = connect_config_split(value ? value : "", &n);

	if (n == 0)
		return connect_config_invalid(key, value ? value : "null",
									  "Expected at least one table type");
	for (int i = 0; i < n; i++)
	{
		if (pg_strcasecmp(types[i], "TABLE") != 0 &&
			pg_strcasecmp(types[i], "PARTITIONED TABLE") != 0 &&
			pg_strcasecmp(types[i], "VIEW") != 0)
			return connect_config_invalid(key, types[i],
										  "Expected one of TABLE, PARTITIONED TABLE, VIEW");
	}
	return NULL;
}

static const ConnectConfigDef *
def_of(JdbcFlavour flavour)
{
	switch (flavour)
	{
		case JDBC_CONFLUENT:
			return &connect_jdbcsink.config;
		case JDBC_AIVEN:
			return &connect_jdbcsink_aiven.config;
		case JDBC_DEBEZIUM:
			return &connect_jdbcsink_debezium.config;
	}
	pg_unreachable();
}

/* Number of value in a list of names; -1 if it is none of them. */
static int
choice(const char *const *names, const char *value)
{
	for (int i = 0; value != NULL && names[i] != NULL; i++)
	{
		if (pg_strcasecmp(names[i], value) == 0)
			return i;
	}
	return -1;
}

/* What one key alone cannot tell. */
static void
validate(const ConnectConfig *cfg, JdbcFlavour flavour,
		 ConnectConfigErrors *errors)
{
	if (flavour == JDBC_DEBEZIUM)
		validate_debezium(cfg, errors);
	else
	{
		const ConnectConfigDef *def = def_of(flavour);
		const char *mode = connect_config_string(cfg, def, "pk.mode");

		if (connect_config_bool(cfg, def, "delete.enabled") &&
			choice(key_modes, mode) != JDBC_KEY_RECORD_KEY)
			connect_config_error_add(errors, "delete.enabled",
									 "Delete support only works with pk.mode=record_key");
		validate_key_fields(cfg, flavour, errors);
	}
}

static void
validate_key_fields(const ConnectConfig *cfg, JdbcFlavour flavour,
					ConnectConfigErrors *errors)
{
	const ConnectConfigDef *def = def_of(flavour);
	const char *mode = connect_config_string(cfg, def, "pk.mode");
	int			n;

	connect_config_list(cfg, def, "pk.fields", &n);
	switch (choice(key_modes, mode))
	{
		case JDBC_KEY_NONE:
			if (flavour == JDBC_AIVEN && n > 0)
				connect_config_error_add(errors, "pk.fields",
										 "Primary key fields should not be set when pkMode is 'none'.");
			break;
		case JDBC_KEY_KAFKA:
			if (n != 3 && (n != 0 || flavour == JDBC_AIVEN))
				connect_config_error_add(errors, "pk.fields",
										 "Primary key fields must be set with three fields (topic, partition, offset) when pkMode is 'kafka'.");
			break;
		case JDBC_KEY_RECORD_HEADER:
			if (n == 0)
				connect_config_error_add(errors, "pk.fields",
										 "Primary key fields must be set when pkMode is 'record_header'.");
			break;
		case JDBC_KEY_RECORD_KEY:
		case JDBC_KEY_RECORD_VALUE:
			break;
		default:
			connect_config_error_add(errors, "pk.fields",
									 "Invalid pkMode value: %s", mode ? mode : "null");
	}
}

static void
validate_debezium(const ConnectConfig *cfg, ConnectConfigErrors *errors)
{
	const ConnectConfigDef *def = &connect_jdbcsink_debezium.config;
	int			key_mode = choice(key_modes,
								  connect_config_string(cfg, def, "primary.key.mode"));
	int			insert_mode = choice(insert_modes,
									 connect_config_string(cfg, def, "insert.mode"));
	int			included;
	int			excluded;
	int			n;

	if (insert_mode == JDBC_UPSERT && key_mode == JDBC_KEY_NONE)
		connect_config_error_add(errors, "primary.key.mode",
								 "When using insert.mode 'upsert', 'primary.key.mode' cannot be set to 'none'");
	if (connect_config_bool(cfg, def, "delete.enabled") &&
		(key_mode == JDBC_KEY_NONE || key_mode == JDBC_KEY_KAFKA))
		connect_config_error_add(errors, "primary.key.mode",
								 "When 'delete.enabled' is set to 'true', 'primary.key.mode' must be 'record_key', 'record_value' or 'record_header'");
	connect_config_list(cfg, def, "primary.key.fields", &n);
	if (key_mode == JDBC_KEY_KAFKA && n != 0 && n != 3)
		connect_config_error_add(errors, "primary.key.fields",
								 "'primary.key.fields' must name three fields (topic, partition, offset) when 'primary.key.mode' is 'kafka'");
	if (key_mode == JDBC_KEY_RECORD_HEADER && n == 0)
		connect_config_error_add(errors, "primary.key.fields",
								 "'primary.key.fields' must be set when 'primary.key.mode' is 'record_header'");
	connect_config_list(cfg, def, "field.include.list", &included);
	connect_config_list(cfg, def, "field.exclude.list", &excluded);
	if (included > 0 && excluded > 0)
		connect_config_error_add(errors, "field.exclude.list",
								 "Cannot define both field.include.list and field.exclude.list");
}

void
connect_jdbcsink_options(const ConnectConfig *cfg, JdbcFlavour flavour,
						 JdbcOptions *options)
{
	const ConnectConfigDef *def = def_of(flavour);

	memset(options, 0, sizeof(*options));
	options->flavour = flavour;
	options->delete_enabled = connect_config_bool(cfg, def, "delete.enabled");
	options->batch_size = connect_config_int(cfg, def, "batch.size");
	options->lock_timeout_ms = connect_config_int(cfg, def, "lock.timeout.ms");
	options->unknown = choice(unknown_modes,
							  connect_config_string(cfg, def, "unknown.fields"));
	options->unknown_column = connect_config_string(cfg, def,
													"unknown.fields.column");
	options->allow_table = true;
	options->allow_partitioned = true;
	options->string_column = "record_value";
	options->null_to_default = true;
	options->datum.json_text = true;
	options->datum.rounds = true;
	if (flavour == JDBC_DEBEZIUM)
		read_debezium(cfg, options);
	else
		read_jdbc(cfg, def, options);
}

static void
read_jdbc(const ConnectConfig *cfg, const ConnectConfigDef *def,
		  JdbcOptions *options)
{
	const char *mode = connect_config_string(cfg, def, "insert.mode");
	char	  **types;
	int			ntypes;

	options->insert_mode = pg_strcasecmp(mode, "multi") == 0 ? JDBC_INSERT :
		choice(insert_modes, mode);
	options->key_mode = choice(key_modes,
							   connect_config_string(cfg, def, "pk.mode"));
	options->key_fields = connect_config_list(cfg, def, "pk.fields",
											  &options->nkey_fields);
	options->fields = connect_config_list(cfg, def, "fields.whitelist",
										  &options->nfields);
	options->table_format = connect_config_string(cfg, def,
												  "table.name.format");
	options->topic_tables = connect_config_list(cfg, def,
												"topics.to.tables.mapping",
												&options->ntopic_tables);
	options->normalize = connect_config_bool(cfg, def, "table.name.normalize");
	options->fold_names =
		choice(quote_modes, connect_config_string(cfg, def,
												  "quote.sql.identifiers")) == 1 ||
		(connect_config_has(cfg, "sql.quote.identifiers") &&
		 !connect_config_bool(cfg, def, "sql.quote.identifiers"));
	options->auto_create = connect_config_bool(cfg, def, "auto.create");
	options->auto_evolve = connect_config_bool(cfg, def, "auto.evolve");
	options->null_to_default = connect_config_bool(cfg, def,
												   "replace.null.with.default");
	options->string_column = connect_config_string(cfg, def,
												   "string.output.value.column.name");
	options->timestamp_fields = connect_config_list(cfg, def,
													"timestamp.fields.list",
													&options->ntimestamp_fields);
	options->timestamp_nanos =
		choice(precisions, connect_config_string(cfg, def,
												 "timestamp.precision.mode")) == 1;
	options->max_retries = connect_config_int(cfg, def, "max.retries");
	options->retry_backoff_ms = connect_config_int(cfg, def,
												   "retry.backoff.ms");
	options->synchronous_commit = connect_config_bool(cfg, def,
													  "synchronous.commit");
	options->datum.zone =
		connect_zone_find(connect_config_string(cfg, def, "db.timezone"));
	/* Aiven's has no choice. */
	options->datum.proleptic = options->flavour == JDBC_CONFLUENT &&
		choice(calendars, connect_config_string(cfg, def,
												"date.calendar.system")) == 1;

	options->allow_table = options->allow_partitioned = false;
	types = connect_config_list(cfg, def, "table.types", &ntypes);
	for (int i = 0; i < ntypes; i++)
	{
		if (pg_strcasecmp(types[i], "TABLE") == 0)
			options->allow_table = true;
		else if (pg_strcasecmp(types[i], "PARTITIONED TABLE") == 0)
			options->allow_partitioned = true;
		else
			options->allow_view = true;
	}
}

static void
read_debezium(const ConnectConfig *cfg, JdbcOptions *options)
{
	const ConnectConfigDef *def = &connect_jdbcsink_debezium.config;
	const char *zone = connect_config_string(cfg, def, "database.time_zone");
	int			evolution = choice(evolutions,
								   connect_config_string(cfg, def,
														 "schema.evolution"));

	options->insert_mode = choice(insert_modes,
								  connect_config_string(cfg, def, "insert.mode"));
	options->key_mode = choice(key_modes,
							   connect_config_string(cfg, def,
													 "primary.key.mode"));
	options->key_fields = connect_config_list(cfg, def, "primary.key.fields",
											  &options->nkey_fields);
	options->fields = connect_config_list(cfg, def, "field.include.list",
										  &options->nfields);
	options->excluded = connect_config_list(cfg, def, "field.exclude.list",
											&options->nexcluded);
	options->table_format = connect_config_string(cfg, def,
												  "collection.name.format");
	if (options->table_format == NULL)
		options->table_format = connect_config_string(cfg, def,
													  "table.name.format");
	options->truncate_enabled = connect_config_bool(cfg, def,
													"truncate.enabled");
	options->fold_names = !connect_config_bool(cfg, def, "quote.identifiers");
	options->auto_create = options->auto_evolve = evolution == 2;
	options->must_exist = evolution == 1;
	options->allow_view = true;
	options->override_identity = true;
	options->synchronous_commit = connect_config_bool(cfg, def,
													  "synchronous.commit");
	options->max_retries = connect_config_int(cfg, def, "flush.max.retries");
	options->retry_backoff_ms = connect_config_int(cfg, def,
												   "flush.retry.delay.ms");
	if (zone == NULL)
		zone = connect_config_string(cfg, def, "use.time.zone");
	options->datum.zone = connect_zone_find(zone);
	options->datum.proleptic = true;
}

static void
check_confluent(const ConnectConfig *cfg, ConnectConfigErrors *errors)
{
	validate(cfg, JDBC_CONFLUENT, errors);
}

static void
check_aiven(const ConnectConfig *cfg, ConnectConfigErrors *errors)
{
	validate(cfg, JDBC_AIVEN, errors);
}

static void
check_debezium(const ConnectConfig *cfg, ConnectConfigErrors *errors)
{
	validate(cfg, JDBC_DEBEZIUM, errors);
}

static void
start_confluent(ConnectTask *task)
{
	connect_jdbcsink_start(task, JDBC_CONFLUENT);
}

static void
start_aiven(ConnectTask *task)
{
	connect_jdbcsink_start(task, JDBC_AIVEN);
}

static void
start_debezium(ConnectTask *task)
{
	connect_jdbcsink_start(task, JDBC_DEBEZIUM);
}

static const char *const confluent_aliases[] = {"JdbcSink", NULL};
static const char *const aiven_aliases[] = {"AivenJdbcSink", NULL};
static const char *const debezium_aliases[] = {"DebeziumJdbcSink", NULL};

const ConnectConnectorClass connect_jdbcsink = {
	.abi = CONNECT_CONNECTOR_ABI,
	.class_name = "io.confluent.connect.jdbc.JdbcSinkConnector",
	.aliases = confluent_aliases,
	.type = CONNECT_SINK,
	.version = CONNECT_VERSION,
	.doc = "Topics into tables of this database; rows and position commit together.",
	.config = {confluent_keys, lengthof(confluent_keys)},
	.flags = CONNECT_CONNECTOR_TRANSACTIONAL | CONNECT_CONNECTOR_RAW_VALUES,
	.validate = check_confluent,
	.start = start_confluent,
	.open = connect_jdbcsink_open,
	.put = connect_jdbcsink_put,
	.stop = connect_jdbcsink_stop,
};

const ConnectConnectorClass connect_jdbcsink_aiven = {
	.abi = CONNECT_CONNECTOR_ABI,
	.class_name = "io.aiven.connect.jdbc.JdbcSinkConnector",
	.aliases = aiven_aliases,
	.type = CONNECT_SINK,
	.version = CONNECT_VERSION,
	.doc = "The same with the options of Aiven's connector.",
	.config = {aiven_keys, lengthof(aiven_keys)},
	.flags = CONNECT_CONNECTOR_TRANSACTIONAL | CONNECT_CONNECTOR_RAW_VALUES,
	.validate = check_aiven,
	.start = start_aiven,
	.open = connect_jdbcsink_open,
	.put = connect_jdbcsink_put,
	.stop = connect_jdbcsink_stop,
};

const ConnectConnectorClass connect_jdbcsink_debezium = {
	.abi = CONNECT_CONNECTOR_ABI,
	.class_name = "io.debezium.connector.jdbc.JdbcSinkConnector",
	.aliases = debezium_aliases,
	.type = CONNECT_SINK,
	.version = CONNECT_VERSION,
	.doc = "The same with the options of Debezium's connector.",
	.config = {debezium_keys, lengthof(debezium_keys)},
	.flags = CONNECT_CONNECTOR_TRANSACTIONAL | CONNECT_CONNECTOR_RAW_VALUES,
	.validate = check_debezium,
	.start = start_debezium,
	.open = connect_jdbcsink_open,
	.put = connect_jdbcsink_put,
	.stop = connect_jdbcsink_stop,
};
