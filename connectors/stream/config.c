/*
 * config.c
 *	  Options of TableStreamSource and OutboxSource.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "stream/config.h"
#include "stream/stream.h"

static const char *const formats[] = {"plain", "debezium", NULL};
static const char *const snapshot_modes[] = {"initial", "never", NULL};
static const char *const policies[] = {"hold", "fail", "drop", NULL};
static const char *const table_options[] = {
	"topic", "columns", "where", "key", "operations", "always", NULL
};

#define QUEUE_KEYS(first_order) \
	{ \
		.name = "queue.max.bytes", .type = CONNECT_CONFIG_LONG, \
		.default_value = "0", .importance = CONNECT_IMPORTANCE_MEDIUM, \
		.doc = "Size of the capture queue at which queue.full.policy applies; 0 sets no limit.", \
		.group = "Queue", .order = first_order, .width = CONNECT_WIDTH_MEDIUM, \
		.validator = connect_config_at_least, .min = 0 \
	}, \
	{ \
		.name = "queue.full.policy", .type = CONNECT_CONFIG_STRING, \
		.default_value = "hold", .importance = CONNECT_IMPORTANCE_MEDIUM, \
		.doc = "What happens when the queue has reached its limit: hold keeps everything, " \
		"fail makes the writer's statement fail, drop ends the capture and fails the task.", \
		.group = "Queue", .order = first_order + 1, .width = CONNECT_WIDTH_SHORT, \
		.validator = connect_config_one_of, .allowed = policies, \
		.recommended = policies \
	}

const ConnectConfigKey connect_stream_keys[CONNECT_STREAM_NKEYS] = {
	{
		.name = "tables", .type = CONNECT_CONFIG_LIST, .required = true,
		.importance = CONNECT_IMPORTANCE_HIGH,
		.doc = "Tables to stream, as schema.table.",
		.group = "Tables", .order = 1, .width = CONNECT_WIDTH_LONG,
		.validator = connect_config_non_empty
	},
	{
		.name = "topic.prefix", .type = CONNECT_CONFIG_STRING,
		.default_value = "", .importance = CONNECT_IMPORTANCE_HIGH,
		.doc = "Text before each topic's name.",
		.group = "Tables", .order = 2, .width = CONNECT_WIDTH_MEDIUM
	},
	{
		.name = "topic.format", .type = CONNECT_CONFIG_STRING,
		.default_value = "${table}", .importance = CONNECT_IMPORTANCE_MEDIUM,
		.doc = "Name of a table's topic after the prefix; ${schema} and ${table} stand for the table's.",
		.group = "Tables", .order = 3, .width = CONNECT_WIDTH_MEDIUM,
		.validator = connect_config_non_empty
	},
	{
		.name = "operations", .type = CONNECT_CONFIG_LIST,
		.default_value = "insert,update,delete",
		.importance = CONNECT_IMPORTANCE_MEDIUM,
		.doc = "Which of insert, update, delete and truncate are captured.",
		.group = "Tables", .order = 4, .width = CONNECT_WIDTH_MEDIUM
	},
	{
		.name = "create.triggers", .type = CONNECT_CONFIG_BOOLEAN,
		.default_value = "true", .importance = CONNECT_IMPORTANCE_LOW,
		.doc = "Whether the connector makes its triggers itself; if not, CREATE TRIGGER with connect_capture() is the user's.",
		.group = "Tables", .order = 5, .width = CONNECT_WIDTH_SHORT
	},
	{
		.name = "triggers.always", .type = CONNECT_CONFIG_BOOLEAN,
		.default_value = "false", .importance = CONNECT_IMPORTANCE_LOW,
		.doc = "Whether what replication applies, and sessions with session_replication_role = replica do, is captured too.",
		.group = "Tables", .order = 6, .width = CONNECT_WIDTH_SHORT
	},
	{
		.name = "format", .type = CONNECT_CONFIG_STRING,
		.default_value = "plain", .importance = CONNECT_IMPORTANCE_HIGH,
		.doc = "plain: the row itself, nothing for a delete but its tombstone; debezium: before, after, op, source, ts_ms.",
		.group = "Records", .order = 1, .width = CONNECT_WIDTH_SHORT,
		.validator = connect_config_one_of, .allowed = formats,
		.recommended = formats
	},
	{
		.name = "tombstones.on.delete", .type = CONNECT_CONFIG_BOOLEAN,
		.default_value = "true", .importance = CONNECT_IMPORTANCE_MEDIUM,
		.doc = "Whether a delete is followed by a record with the row's key and no value.",
		.group = "Records", .order = 2, .width = CONNECT_WIDTH_SHORT
	},
	{
		.name = "old.row", .type = CONNECT_CONFIG_BOOLEAN,
		.default_value = "true", .importance = CONNECT_IMPORTANCE_LOW,
		.doc = "Whether updates carry the row as it was in \"before\".",
		.group = "Records", .order = 3, .width = CONNECT_WIDTH_SHORT
	},
	{
		.name = "snapshot.mode", .type = CONNECT_CONFIG_STRING,
		.default_value = "initial", .importance = CONNECT_IMPORTANCE_MEDIUM,
		.doc = "initial: the rows that are there come first; never: changes alone.",
		.group = "Records", .order = 4, .width = CONNECT_WIDTH_SHORT,
		.validator = connect_config_one_of, .allowed = snapshot_modes,
		.recommended = snapshot_modes
	},
	QUEUE_KEYS(1)
};

const ConnectConfigDef connect_stream_config = {
	connect_stream_keys, CONNECT_STREAM_NKEYS
};

#define BYTES_CONVERTER "org.apache.kafka.connect.converters.ByteArrayConverter"

const ConnectConfigKey connect_outbox_keys[CONNECT_OUTBOX_NKEYS] = {
	{
		.name = "key.converter", .type = CONNECT_CONFIG_CLASS,
		.default_value = BYTES_CONVERTER,
		.importance = CONNECT_IMPORTANCE_LOW,
		.doc = "Converter of keys; as it is they are sent byte for byte.",
		.group = "Common", .order = 5, .width = CONNECT_WIDTH_SHORT,
		.display_name = "Key converter class"
	},
	{
		.name = "value.converter", .type = CONNECT_CONFIG_CLASS,
		.default_value = BYTES_CONVERTER,
		.importance = CONNECT_IMPORTANCE_LOW,
		.doc = "Converter of values; as it is they are sent byte for byte.",
		.group = "Common", .order = 6, .width = CONNECT_WIDTH_SHORT,
		.display_name = "Value converter class"
	},
	QUEUE_KEYS(1)
};

const ConnectConfigDef connect_outbox_config = {
	connect_outbox_keys, CONNECT_OUTBOX_NKEYS
};

const char *
connect_stream_option(const ConnectConfig *cfg, const char *table,
					  const char *option)
{
	return connect_config_get(cfg, psprintf("table.%s.%s", table, option));
}

static int
operation_bit(const char *name)
{
	if (pg_strcasecmp(name, "insert") == 0)
		return CONNECT_CAPTURE_INSERT;
	if (pg_strcasecmp(name, "update") == 0)
		return CONNECT_CAPTURE_UPDATE;
	if (pg_strcasecmp(name, "delete") == 0)
		return CONNECT_CAPTURE_DELETE;
	if (pg_strcasecmp(name, "truncate") == 0)
		return CONNECT_CAPTURE_TRUNCATE;
	return 0;
}

int
connect_stream_operations(const ConnectConfig *cfg, const char *table)
{
	const char *value = connect_stream_option(cfg, table, "operations");
	int			bits = 0;
	int			n;
	char	  **names = value ? connect_config_split(value, &n) :
		connect_config_list(cfg, &connect_stream_config, "operations", &n);

	for (int i = 0; i < n; i++)
		bits |= operation_bit(names[i]);
	return bits;
}

bool
connect_stream_always(const ConnectConfig *cfg, const char *table)
{
	const char *value = connect_stream_option(cfg, table, "always");

	return value ? pg_strcasecmp(value, "true") == 0 :
		connect_config_bool(cfg, &connect_stream_config, "triggers.always");
}

/* Replaces the placeholders of topic.format. */
char *
connect_stream_topic(const ConnectConfig *cfg, const char *table,
					 const char *schema_name, const char *table_name)
{
	const char *own = connect_stream_option(cfg, table, "topic");
	StringInfoData buf;

	if (own != NULL)
		return pstrdup(own);
	initStringInfo(&buf);
	appendStringInfoString(&buf, connect_config_string(cfg, &connect_stream_config,
													   "topic.prefix"));
	for (const char *p = connect_config_string(cfg, &connect_stream_config,
											   "topic.format"); *p; p++)
	{
		if (strncmp(p, "${schema}", 9) == 0)
		{
			appendStringInfoString(&buf, schema_name);
			p += 8;
		}
		else if (strncmp(p, "${table}", 8) == 0)
		{
			appendStringInfoString(&buf, table_name);
			p += 7;
		}
		else
			appendStringInfoChar(&buf, *p);
	}
	return buf.data;
}

static void
check_operations(const char *key, const char *value,
				 ConnectConfigErrors *errors)
{
	int			n;
	char	  **names = connect_config_split(value, &n);

	for (int i = 0; i < n; i++)
	{
		if (operation_bit(names[i]) == 0)
			connect_config_error_add(errors, key,
									 "Invalid value %s for configuration %s: must be insert, update, delete or truncate",
									 names[i], key);
	}
	if (n == 0)
		connect_config_error_add(errors, key,
								 "Invalid value for configuration %s: at least one operation is needed",
								 key);
}

/* Per-table keys must name a streamed table and an option that exists. */
static void
check_table_key(const char *key, char **tables, int n,
				ConnectConfigErrors *errors)
{
	const char *name = key + strlen("table.");
	const char *dot = strrchr(name, '.');
	bool		known = false;

	for (int i = 0; dot != NULL && table_options[i] != NULL; i++)
		known |= strcmp(dot + 1, table_options[i]) == 0;
	if (!known)
	{
		connect_config_error_add(errors, key,
								 "Unknown option of a table: one of topic, columns, where, key, operations, always is expected at the end of %s",
								 key);
		return;
	}
	for (int i = 0; i < n; i++)
	{
		if (strlen(tables[i]) == dot - name &&
			strncmp(tables[i], name, dot - name) == 0)
			return;
	}
	connect_config_error_add(errors, key,
							 "%s names a table that \"tables\" does not", key);
}

void
connect_stream_validate(const ConnectConfig *cfg, ConnectConfigErrors *errors)
{
	const char *operations = connect_config_get(cfg, "operations");
	int			n;
	char	  **tables = connect_config_list(cfg, &connect_stream_config,
											 "tables", &n);

	if (operations != NULL)
		check_operations("operations", operations, errors);
	for (int i = 0; i < cfg->nentries; i++)
	{
		const char *key = cfg->entries[i].key;
		Size		len = strlen(key);

		if (strncmp(key, "table.", 6) != 0)
			continue;
		CHECK_FOR_INTERRUPTS();
		check_table_key(key, tables, n, errors);
		if (len > 11 && strcmp(key + len - 11, ".operations") == 0 &&
			cfg->entries[i].value != NULL)
			check_operations(key, cfg->entries[i].value, errors);
		if (len > 7 && strcmp(key + len - 7, ".always") == 0 &&
			cfg->entries[i].value != NULL &&
			pg_strcasecmp(cfg->entries[i].value, "true") != 0 &&
			pg_strcasecmp(cfg->entries[i].value, "false") != 0)
			connect_config_error_add(errors, key,
									 "Invalid value %s for configuration %s: Expected value to be either true or false",
									 cfg->entries[i].value, key);
	}
}
