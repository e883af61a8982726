/*
 * framework.c
 *	  Definitions of the keys that every connector has.
 *
 * NOTES
 *	  Names, types, groups and orders are those of Kafka Connect 4.3: clients
 *	  of the REST interface check the set of names exactly.
 */
#include "pure.h"

#include "catalog/framework.h"

#define COMMON "Common"
#define TRANSFORMS "Transforms"
#define PREDICATES "Predicates"
#define ERRORS "Error Handling"
#define TOPIC_CREATION "Topic Creation"
#define EXACTLY_ONCE "Exactly Once Support"
#define OFFSETS_TOPIC "offsets.topic"

static char *unique_aliases(const ConnectConfigKey *key, const char *value);
static char *known_group_names(const ConnectConfigKey *key, const char *value);
static char *at_least_or_null(const ConnectConfigKey *key, const char *value);

static const char *const reload_actions[] = {"none", "restart", NULL};
static const char *const tolerances[] = {"none", "all", NULL};
static const char *const support_levels[] = {"required", "requested", NULL};
static const char *const boundaries[] = {"interval", "poll", "connector", NULL};

static const ConnectConfigKey common_keys[] = {
	{
		.name = "name", .type = CONNECT_CONFIG_STRING, .required = true,
		.validator = connect_config_printable,
		.importance = CONNECT_IMPORTANCE_HIGH,
		.doc = "Name of the connector, unique in its database.",
		.group = COMMON, .order = 1, .width = CONNECT_WIDTH_MEDIUM,
		.display_name = "Connector name"
	},
	{
		.name = "connector.class", .type = CONNECT_CONFIG_STRING,
		.required = true, .importance = CONNECT_IMPORTANCE_HIGH,
		.doc = "Class of the connector: its Java name, the last part of that name, that part without \"Connector\", or an alias.",
		.group = COMMON, .order = 2, .width = CONNECT_WIDTH_LONG,
		.display_name = "Connector class"
	},
	{
		.name = "connector.plugin.version", .type = CONNECT_CONFIG_STRING,
		.importance = CONNECT_IMPORTANCE_MEDIUM,
		.doc = "Version of the connector.",
		.group = COMMON, .order = 3, .width = CONNECT_WIDTH_MEDIUM,
		.display_name = "Connector version"
	},
	{
		.name = "tasks.max", .type = CONNECT_CONFIG_INT, .default_value = "1",
		.validator = connect_config_at_least, .min = 1,
		.importance = CONNECT_IMPORTANCE_HIGH,
		.doc = "The most tasks that the connector may split its work into.",
		.group = COMMON, .order = 4, .width = CONNECT_WIDTH_SHORT,
		.display_name = "Tasks max"
	},
	{
		.name = "tasks.max.enforce", .type = CONNECT_CONFIG_BOOLEAN,
		.default_value = "true", .importance = CONNECT_IMPORTANCE_LOW,
		.doc = "Whether a connector that asks for more tasks than tasks.max fails. Deprecated.",
		.group = COMMON, .order = 5, .width = CONNECT_WIDTH_SHORT,
		.display_name = "Enforce tasks max"
	},
	{
		.name = "key.converter", .type = CONNECT_CONFIG_CLASS,
		.importance = CONNECT_IMPORTANCE_LOW,
		.doc = "Converter between record keys and their bytes in Kafka. Its own options take the prefix key.converter.",
		.group = COMMON, .order = 6, .width = CONNECT_WIDTH_SHORT,
		.display_name = "Key converter class"
	},
	{
		.name = "key.converter.plugin.version", .type = CONNECT_CONFIG_STRING,
		.importance = CONNECT_IMPORTANCE_LOW,
		.doc = "Version of the key converter.",
		.group = COMMON, .order = 7, .width = CONNECT_WIDTH_SHORT,
		.display_name = "Key converter version"
	},
	{
		.name = "value.converter", .type = CONNECT_CONFIG_CLASS,
		.importance = CONNECT_IMPORTANCE_LOW,
		.doc = "Converter between record values and their bytes in Kafka. Its own options take the prefix value.converter.",
		.group = COMMON, .order = 8, .width = CONNECT_WIDTH_SHORT,
		.display_name = "Value converter class"
	},
	{
		.name = "value.converter.plugin.version",
		.type = CONNECT_CONFIG_STRING, .importance = CONNECT_IMPORTANCE_LOW,
		.doc = "Version of the value converter.",
		.group = COMMON, .order = 9, .width = CONNECT_WIDTH_SHORT,
		.display_name = "Value converter version"
	},
	{
		.name = "header.converter", .type = CONNECT_CONFIG_CLASS,
		.importance = CONNECT_IMPORTANCE_LOW,
		.doc = "Converter between header values and their bytes in Kafka. Its own options take the prefix header.converter.",
		.group = COMMON, .order = 10, .width = CONNECT_WIDTH_SHORT,
		.display_name = "Header converter class"
	},
	{
		.name = "header.converter.plugin.version",
		.type = CONNECT_CONFIG_STRING, .importance = CONNECT_IMPORTANCE_LOW,
		.doc = "Version of the header converter.",
		.group = COMMON, .order = 11, .width = CONNECT_WIDTH_SHORT,
		.display_name = "Header converter version"
	},
	{
		.name = "transforms", .type = CONNECT_CONFIG_LIST,
		.default_value = "", .validator = unique_aliases,
		.importance = CONNECT_IMPORTANCE_LOW,
		.doc = "Aliases of the transformations that records pass, in this order.",
		.group = TRANSFORMS, .order = 12, .width = CONNECT_WIDTH_LONG,
		.display_name = "Transforms"
	},
	{
		.name = "predicates", .type = CONNECT_CONFIG_LIST,
		.default_value = "", .validator = unique_aliases,
		.importance = CONNECT_IMPORTANCE_LOW,
		.doc = "Aliases of the predicates that transformations use.",
		.group = PREDICATES, .order = 13, .width = CONNECT_WIDTH_LONG,
		.display_name = "Predicates"
	},
	{
		.name = "config.action.reload", .type = CONNECT_CONFIG_STRING,
		.default_value = "restart", .validator = connect_config_one_of,
		.allowed = reload_actions, .importance = CONNECT_IMPORTANCE_LOW,
		.doc = "What happens when a secret that the configuration refers to changes: restart starts the tasks anew, none waits for their next start.",
		.group = COMMON, .order = 14, .width = CONNECT_WIDTH_MEDIUM,
		.display_name = "Reload Action"
	},
	{
		.name = "errors.retry.timeout", .type = CONNECT_CONFIG_LONG,
		.default_value = "0", .importance = CONNECT_IMPORTANCE_MEDIUM,
		.doc = "For how many milliseconds an operation that failed is tried again. 0: not at all; -1: for ever.",
		.group = ERRORS, .order = 1, .width = CONNECT_WIDTH_MEDIUM,
		.display_name = "Retry Timeout for Errors"
	},
	{
		.name = "errors.retry.delay.max.ms", .type = CONNECT_CONFIG_LONG,
		.default_value = "60000", .importance = CONNECT_IMPORTANCE_MEDIUM,
		.doc = "The longest pause between two attempts, in milliseconds.",
		.group = ERRORS, .order = 2, .width = CONNECT_WIDTH_MEDIUM,
		.display_name = "Maximum Delay Between Retries for Errors"
	},
	{
		.name = "errors.tolerance", .type = CONNECT_CONFIG_STRING,
		.default_value = "none", .validator = connect_config_one_of,
		.allowed = tolerances, .importance = CONNECT_IMPORTANCE_MEDIUM,
		.doc = "What happens to a record that cannot be processed. none: the task fails; all: the record is skipped.",
		.group = ERRORS, .order = 3, .width = CONNECT_WIDTH_SHORT,
		.display_name = "Error Tolerance"
	},
	{
		.name = "errors.log.enable", .type = CONNECT_CONFIG_BOOLEAN,
		.default_value = "false", .importance = CONNECT_IMPORTANCE_MEDIUM,
		.doc = "Whether each tolerated error is written to the server log.",
		.group = ERRORS, .order = 4, .width = CONNECT_WIDTH_SHORT,
		.display_name = "Log Errors"
	},
	{
		.name = "errors.log.include.messages", .type = CONNECT_CONFIG_BOOLEAN,
		.default_value = "false", .importance = CONNECT_IMPORTANCE_MEDIUM,
		.doc = "Whether such log lines tell which record it was. They may then hold its data.",
		.group = ERRORS, .order = 5, .width = CONNECT_WIDTH_SHORT,
		.display_name = "Log Error Details"
	}
};

static const ConnectConfigKey source_keys[] = {
	{
		.name = "topic.creation.groups", .type = CONNECT_CONFIG_LIST,
		.default_value = "", .validator = known_group_names,
		.importance = CONNECT_IMPORTANCE_LOW,
		.doc = "Groups of topics that are created with settings of their own: topic.creation.<group>.include, .exclude, .partitions, .replication.factor and topic settings.",
		.group = TOPIC_CREATION, .order = 1, .width = CONNECT_WIDTH_LONG,
		.display_name = "Topic Creation Groups"
	},
	{
		.name = "exactly.once.support", .type = CONNECT_CONFIG_STRING,
		.default_value = "requested",
		.validator = connect_config_one_of_nocase, .allowed = support_levels,
		.importance = CONNECT_IMPORTANCE_MEDIUM,
		.doc = "required: the connector is refused unless it can deliver exactly once; requested: it is not checked.",
		.group = EXACTLY_ONCE, .order = 2, .width = CONNECT_WIDTH_SHORT,
		.display_name = "Exactly once support"
	},
	{
		.name = "transaction.boundary", .type = CONNECT_CONFIG_STRING,
		.default_value = "poll", .validator = connect_config_one_of_nocase,
		.allowed = boundaries, .importance = CONNECT_IMPORTANCE_MEDIUM,
		.doc = "Where a Kafka transaction of an exactly-once source ends: with each poll, after an interval, or where the connector says.",
		.group = EXACTLY_ONCE, .order = 3, .width = CONNECT_WIDTH_SHORT,
		.display_name = "Transaction Boundary"
	},
	{
		.name = "transaction.boundary.interval.ms",
		.type = CONNECT_CONFIG_LONG, .validator = at_least_or_null,
		.min = 0, .importance = CONNECT_IMPORTANCE_LOW,
		.doc = "Length of a transaction with transaction.boundary=interval; by default that of offset.flush.interval.ms.",
		.group = EXACTLY_ONCE, .order = 4, .width = CONNECT_WIDTH_SHORT,
		.display_name = "Transaction boundary interval"
	},
	{
		.name = "offsets.storage.topic", .type = CONNECT_CONFIG_STRING,
		.validator = connect_config_non_empty,
		.importance = CONNECT_IMPORTANCE_LOW,
		.doc = "Topic that keeps the offsets of an exactly-once source. Others keep theirs in the database.",
		.group = OFFSETS_TOPIC, .order = 1, .width = CONNECT_WIDTH_LONG,
		.display_name = "Offsets topic"
	}
};

static const ConnectConfigKey sink_keys[] = {
	{
		.name = "topics", .type = CONNECT_CONFIG_LIST, .default_value = "",
		.importance = CONNECT_IMPORTANCE_HIGH,
		.doc = "Topics to read, separated by commas.",
		.group = COMMON, .order = 4, .width = CONNECT_WIDTH_LONG,
		.display_name = "Topics"
	},
	{
		.name = "topics.regex", .type = CONNECT_CONFIG_STRING,
		.default_value = "", .importance = CONNECT_IMPORTANCE_HIGH,
		.doc = "Regular expression that the names of the topics to read match as a whole. Excludes topics.",
		.group = COMMON, .order = 4, .width = CONNECT_WIDTH_LONG,
		.display_name = "Topics regex"
	},
	{
		.name = "errors.deadletterqueue.topic.name",
		.type = CONNECT_CONFIG_STRING, .default_value = "",
		.importance = CONNECT_IMPORTANCE_MEDIUM,
		.doc = "Topic that records go to that cannot be processed. Empty: none.",
		.group = ERRORS, .order = 6, .width = CONNECT_WIDTH_MEDIUM,
		.display_name = "Dead Letter Queue Topic Name"
	},
	{
		.name = "errors.deadletterqueue.topic.replication.factor",
		.type = CONNECT_CONFIG_SHORT, .default_value = "3",
		.importance = CONNECT_IMPORTANCE_MEDIUM,
		.doc = "Replication factor of that topic if it has to be created.",
		.group = ERRORS, .order = 7, .width = CONNECT_WIDTH_MEDIUM,
		.display_name = "Dead Letter Queue Topic Replication Factor"
	},
	{
		.name = "errors.deadletterqueue.context.headers.enable",
		.type = CONNECT_CONFIG_BOOLEAN, .default_value = "false",
		.importance = CONNECT_IMPORTANCE_MEDIUM,
		.doc = "Whether such records get headers (__connect.errors....) that tell what went wrong and where.",
		.group = ERRORS, .order = 8, .width = CONNECT_WIDTH_MEDIUM,
		.display_name = "Enable Error Context Headers"
	},
	{
		.name = "errors.deadletterqueue.table.enable",
		.type = CONNECT_CONFIG_BOOLEAN, .default_value = "false",
		.importance = CONNECT_IMPORTANCE_MEDIUM, .internal = true,
		.doc = "Whether such records are kept in connect.dead_letter too.",
		.display_name = "Keep Dead Letters In A Table"
	}
};

static const ConnectConfigKey transform_keys[] = {
	{
		.name = "type", .type = CONNECT_CONFIG_CLASS, .required = true,
		.importance = CONNECT_IMPORTANCE_HIGH,
		.doc = "Class for the '%s' transformation.",
		.order = 0, .width = CONNECT_WIDTH_LONG,
		.display_name = "Transformation type for %s"
	},
	{
		.name = "plugin.version", .type = CONNECT_CONFIG_STRING,
		.importance = CONNECT_IMPORTANCE_HIGH,
		.doc = "Version of the '%s' transformation.",
		.order = 1, .width = CONNECT_WIDTH_LONG,
		.display_name = "Transformation version for %s"
	}
};

static const ConnectConfigKey transform_tail_keys[] = {
	{
		.name = "negate", .type = CONNECT_CONFIG_BOOLEAN,
		.default_value = "false", .importance = CONNECT_IMPORTANCE_MEDIUM,
		.doc = "Whether the transformation applies where its predicate does not hold."
	},
	{
		.name = "predicate", .type = CONNECT_CONFIG_STRING,
		.importance = CONNECT_IMPORTANCE_MEDIUM,
		.doc = "Alias of the predicate that says to which records the transformation applies."
	}
};

static const ConnectConfigKey predicate_keys[] = {
	{
		.name = "type", .type = CONNECT_CONFIG_CLASS, .required = true,
		.importance = CONNECT_IMPORTANCE_HIGH,
		.doc = "Class for the '%s' predicate.",
		.order = 0, .width = CONNECT_WIDTH_LONG,
		.display_name = "Predicate type for %s"
	},
	{
		.name = "plugin.version", .type = CONNECT_CONFIG_STRING,
		.importance = CONNECT_IMPORTANCE_HIGH,
		.doc = "Version of the '%s' predicate.",
		.order = 1, .width = CONNECT_WIDTH_LONG,
		.display_name = "Predicate version for %s"
	}
};

const ConnectConfigDef connect_common_def = {
	common_keys, lengthof(common_keys)
};
const ConnectConfigDef connect_source_def = {
	source_keys, lengthof(source_keys)
};
const ConnectConfigDef connect_sink_def = {
	sink_keys, lengthof(sink_keys)
};
const ConnectConfigDef connect_transform_head_def = {
	transform_keys, lengthof(transform_keys)
};
const ConnectConfigDef connect_transform_tail_def = {
	transform_tail_keys, lengthof(transform_tail_keys)
};
const ConnectConfigDef connect_predicate_head_def = {
	predicate_keys, lengthof(predicate_keys)
};

static char *
unique_aliases(const ConnectConfigKey *key, const char *value)
{
	int			n;
	char	  **aliases;

	if (value == NULL)
		return NULL;
	aliases = connect_config_split(value, &n);
	for (int i = 0; i < n; i++)
	{
		for (int j = 0; j < i; j++)
		{
			if (strcmp(aliases[i], aliases[j]) == 0)
				return connect_config_invalid(key,
											  connect_config_list_text(value),
											  "Duplicate alias provided.");
		}
	}
	return NULL;
}

/* The group "default" is always there and never listed. */
static char *
known_group_names(const ConnectConfigKey *key, const char *value)
{
	int			n;
	char	  **groups;

	if (value == NULL)
		return NULL;
	groups = connect_config_split(value, &n);
	for (int i = 0; i < n; i++)
	{
		if (strcmp(groups[i], "default") == 0)
			return connect_config_invalid(key, connect_config_list_text(value),
										  psprintf("The default group '%s' is always defined implicitly and its definition must not be included in the list of additional groups to be configured.",
												   "default"));
	}
	return unique_aliases(key, value);
}

static char *
at_least_or_null(const ConnectConfigKey *key, const char *value)
{
	return value == NULL ? NULL : connect_config_at_least(key, value);
}
