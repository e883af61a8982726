/*
 * worker.c
 *	  The worker's configuration: connect.worker_defaults over our defaults.
 *
 * NOTES
 *	  connect.worker_defaults is a JSON object of worker-level keys.  A database
 *	  or a role may have its own.
 */
#include "postgres.h"

#include <unistd.h>

#include "postmaster/postmaster.h"

#include "catalog/catalog.h"
#include "catalog/json.h"
#include "catalog/worker.h"
#include "convert/json_read.h"

/*
 * Worker-level keys of Kafka Connect that mean nothing here, by the beginning
 * of their names.  All others work, or belong to clients and converters.
 */
static const struct
{
	const char *prefix;
	const char *reason;
}			refused[] = {
	{"plugin.path", "plugins are libraries in shared_preload_libraries"},
	{"plugin.discovery", "plugins are libraries in shared_preload_libraries"},
	{"config.providers", "${secret:...}, ${env:...} and ${file:...} are built in"},
	{"offset.storage.", "offsets are kept in the database"},
	{"config.storage.", "configurations are kept in the database"},
	{"status.storage.", "the status is kept in the database"},
	{"task.shutdown.graceful.timeout.ms", "set connect.task_shutdown_graceful_timeout"},
	{"offset.flush.timeout.ms", "offsets are flushed in a transaction of the database"},
	{"metric.reporters", "metrics are in the view connect.metric"},
	{"metrics.", "metrics are in the view connect.metric"},
	{"auto.include.jmx.reporter", "metrics are in the view connect.metric"},
	{"listeners", "there is no REST listener"},
	{"admin.listeners", "there is no REST listener"},
	{"rest.", "there is no REST listener"},
	{"access.control.", "there is no REST listener"},
	{"response.http.headers.config", "there is no REST listener"},
	{"topic.tracking.", "topics are not tracked"},
	{"connect.protocol", "workers form no group"},
	{"scheduled.rebalance.", "workers form no group"},
	{"worker.sync.", "workers form no group"},
	{"worker.unsync.", "workers form no group"},
	{"inter.worker.", "workers form no group"},
	{"session.timeout.ms", "workers form no group"},
	{"heartbeat.interval.ms", "workers form no group"},
	{"rebalance.timeout.ms", "workers form no group"}
};

static int	compare_versions(const char *a, const char *b);
static const char *key_refusal(const char *key, const char *value);

/*
 * A connector that names no converter gets JSON without envelopes; whoever
 * sets a converter gets that converter's own defaults.
 */
ConnectConfig *
connect_worker_config(void)
{
	static const char *const converters[] = {"key.converter", "value.converter"};
	ConnectConfig *cfg = connect_config_make();
	ConnectConfig *set = connect_worker_defaults != NULL &&
		*connect_worker_defaults != '\0' ?
		connect_config_from_jsonb(connect_json_parse(connect_worker_defaults)) :
		connect_config_make();

	for (int i = 0; i < lengthof(converters); i++)
	{
		if (connect_config_has(set, converters[i]))
			continue;
		connect_config_set(cfg, converters[i],
						   "org.apache.kafka.connect.json.JsonConverter");
		connect_config_set(cfg, psprintf("%s.schemas.enable", converters[i]),
						   "false");
		connect_config_set(cfg, psprintf("%s.decimal.format", converters[i]),
						   "NUMERIC");
	}
	connect_config_set(cfg, "header.converter",
					   "org.apache.kafka.connect.storage.SimpleHeaderConverter");
	connect_config_set(cfg, "connector.client.config.override.policy", "All");
	for (int i = 0; i < set->nentries; i++)
		connect_config_set(cfg, set->entries[i].key, set->entries[i].value);
	return cfg;
}

/* Has nobody named a value converter, neither cfg nor the worker? */
bool
connect_worker_plain_values(const ConnectConfig *cfg)
{
	return !connect_config_has(cfg, "value.converter") &&
		(connect_worker_defaults == NULL || *connect_worker_defaults == '\0' ||
		 !connect_config_has(connect_config_from_jsonb(connect_json_parse(connect_worker_defaults)),
							 "value.converter"));
}

char *
connect_worker_refusal(const char *json)
{
	ConnectJsonReader reader;
	ConnectError err = {0};
	ConnectValue value;
	bool		missing;

	connect_json_reader_init(&reader, json, strlen(json), 0, &err);
	if (!connect_json_read(&reader, &value, &missing))
		return err.message;
	if (missing)
		return NULL;
	connect_json_skip_blanks(&reader);
	if (value.kind != CONNECT_KIND_MAP || reader.p != reader.end)
		return pstrdup("It must be a JSON object.");
	for (int i = 0; i < value.len; i++)
	{
		const ConnectValue *key = &value.u.elems[2 * i];
		const ConnectValue *member = &value.u.elems[2 * i + 1];
		char	   *name = pnstrdup(key->u.p, key->len);
		const char *reason;

		if (member->kind != CONNECT_KIND_STRING)
			reason = "its value must be a string";
		else
			reason = key_refusal(name, pnstrdup(member->u.p, member->len));
		if (reason != NULL)
			return psprintf("\"%s\": %s.", name, reason);
	}
	return NULL;
}

static const char *
key_refusal(const char *key, const char *value)
{
	static const char *const policies[] = {
		"All", "None", "Principal", "Allowlist", NULL
	};
	char	   *end;

	for (int i = 0; i < lengthof(refused); i++)
	{
		if (strncmp(key, refused[i].prefix, strlen(refused[i].prefix)) == 0)
			return refused[i].reason;
	}
	if (strcmp(key, "connector.client.config.override.policy") == 0)
	{
		for (int i = 0; policies[i] != NULL; i++)
		{
			if (pg_strcasecmp(value, policies[i]) == 0)
				return NULL;
		}
		return "the policies are All, None, Principal and Allowlist";
	}
	if (strcmp(key, "exactly.once.source.support") == 0 &&
		pg_strcasecmp(value, "disabled") != 0)
		return "exactly-once delivery of sources is not supported";
	if (strcmp(key, "offset.flush.interval.ms") == 0 &&
		(strtol(value, &end, 10) < 0 || end == value || *end != '\0'))
		return "it is a number of milliseconds";
	return NULL;
}

bool
connect_worker_allows_override(const char *property)
{
	ConnectConfig *cfg = connect_worker_config();
	const char *policy = connect_config_get(cfg,
											"connector.client.config.override.policy");
	const char *list = connect_config_get(cfg,
										  "connector.client.config.override.allowlist");
	char	  **names;
	int			n;

	if (policy == NULL || pg_strcasecmp(policy, "All") == 0)
		return true;
	if (pg_strcasecmp(policy, "Principal") == 0)
		return strcmp(property, "sasl.jaas.config") == 0 ||
			strcmp(property, "sasl.mechanism") == 0 ||
			strcmp(property, "security.protocol") == 0;
	if (pg_strcasecmp(policy, "Allowlist") != 0)
		return false;
	names = connect_config_split(list ? list : "", &n);
	for (int i = 0; i < n; i++)
	{
		if (strcmp(names[i], property) == 0)
			return true;
	}
	return false;
}

/* The first address that the server listens on says most about where it is. */
char *
connect_worker_name(void)
{
	char	   *host = pstrdup(ListenAddresses);

	host[strcspn(host, ", ")] = '\0';
	if (*host == '\0' || strcmp(host, "*") == 0 ||
		strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0)
	{
		host = palloc0(256);
		if (gethostname(host, 255) != 0)
			strcpy(host, "localhost");
	}
	return psprintf("%s:%d", host, PostPortNumber);
}

bool
connect_version_matches(const char *version, const char *range)
{
	size_t		len = strlen(range);
	const char *comma = strchr(range, ',');
	char	   *low;
	char	   *high;
	int			c;

	if (len < 2 || strchr("[(", range[0]) == NULL ||
		strchr("])", range[len - 1]) == NULL)
		return compare_versions(version, range) == 0;
	if (comma == NULL)
		return compare_versions(version, pnstrdup(range + 1, len - 2)) == 0;

	low = pnstrdup(range + 1, comma - range - 1);
	high = pnstrdup(comma + 1, range + len - 1 - comma - 1);
	c = compare_versions(version, low);
	if (*low != '\0' && (c < 0 || (c == 0 && range[0] == '(')))
		return false;
	c = compare_versions(version, high);
	return *high == '\0' || c < 0 || (c == 0 && range[len - 1] == ']');
}

/* Numbers between dots; anything else counts as 0. */
static int
compare_versions(const char *a, const char *b)
{
	while (*a != '\0' || *b != '\0')
	{
		char	   *end;
		long		x = strtol(a, &end, 10);
		long		y;

		a = end + strcspn(end, ".");
		y = strtol(b, &end, 10);
		b = end + strcspn(end, ".");
		if (x != y)
			return x < y ? -1 : 1;
		a += *a == '.';
		b += *b == '.';
	}
	return 0;
}
