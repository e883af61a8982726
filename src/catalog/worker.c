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

static int	compare_versions(const char *a, const char *b);

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
