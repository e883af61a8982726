/*
 * clients.c
 *	  Kafka clients of a task: their properties and what they have to say.
 *
 * NOTES
 *	  Properties come in layers, later ones win: defaults of ours, the worker's
 *	  security settings, the worker's keys with the role's prefix, the
 *	  connector's overrides.  A superuser sets the worker's keys, so they may
 *	  name files of the server; in an override that needs pg_read_server_files.
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "runtime/clients.h"

#define ADDRESS_LEN 128
#define INITIAL_LAYERS 64
#define REPEAT_MS 60000			/* the same log line at most that often */

typedef struct Layers
{
	ConnectKafkaProperty *props;
	int			n;
	int			max;
} Layers;

static const char *const prefixes[] = {
	[CONNECT_KAFKA_PRODUCER] = "producer.",
	[CONNECT_KAFKA_CONSUMER] = "consumer.",
	[CONNECT_KAFKA_ADMIN] = "admin."
};

static const char *const override_prefixes[] = {
	[CONNECT_KAFKA_PRODUCER] = "producer.override.",
	[CONNECT_KAFKA_CONSUMER] = "consumer.override.",
	[CONNECT_KAFKA_ADMIN] = "admin.override."
};

/*
 * A broker that is away is waited for, as Connect's worker does.  All other
 * defaults are the Kafka layer's.
 */
static const ConnectKafkaProperty producer_defaults[] = {
	{"delivery.timeout.ms", "2147483647"},
	{NULL, NULL}
};

static void layers_add(Layers *layers, const char *key, const char *value);
static void layers_add_all(Layers *layers, const ConnectKafkaProperty *props);
static void layers_add_config(Layers *layers, const ConnectConfig *cfg);
static const char *default_bootstrap(ConnectTaskRun *run, char *embedded);

ConnectKafkaConf *
connect_clients_conf(ConnectTaskRun *run, ConnectKafkaRole role,
					 const ConnectKafkaProperty *extra)
{
	Layers		layers = {0};
	ConnectConfig *overrides;
	ConnectKafkaConf *conf;
	ConnectKafkaError err;
	char		embedded[ADDRESS_LEN];

	overrides = connect_config_with_prefix(run->config,
										   override_prefixes[role]);
	for (int i = 0; i < overrides->nentries; i++)
	{
		const ConnectConfigEntry *entry = &overrides->entries[i];
		char		reason[256];

		if (entry->value != NULL &&
			!connect_kafka_property_check(entry->key, entry->value, role,
										  run->files_allowed, reason,
										  sizeof(reason)))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("\"%s%s\" cannot be set: %s",
							override_prefixes[role], entry->key, reason)));
	}

	layers_add(&layers, "bootstrap.servers", default_bootstrap(run, embedded));
	if (role == CONNECT_KAFKA_PRODUCER)
	{
		layers_add_all(&layers, producer_defaults);
		if (run->task.cls->flags & CONNECT_CONNECTOR_PROMPT)
			layers_add(&layers, "linger.ms", "0");
	}
	if (extra != NULL)
		layers_add_all(&layers, extra);
	for (int i = 0; i < run->worker->nentries; i++)
	{
		const ConnectConfigEntry *entry = &run->worker->entries[i];

		if (strncmp(entry->key, "security.", 9) == 0 ||
			strncmp(entry->key, "sasl.", 5) == 0 ||
			strncmp(entry->key, "ssl.", 4) == 0)
			layers_add(&layers, entry->key, entry->value);
	}
	layers_add_config(&layers, connect_config_with_prefix(run->worker,
														  prefixes[role]));
	layers_add_config(&layers, overrides);

	conf = connect_kafka_conf_build(role, layers.props, layers.n, true, &err);
	if (conf == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s", err.text)));
	if (connect_kafka_conf_get(conf, "bootstrap.servers") == NULL)
	{
		connect_kafka_conf_close(&conf);
		ereport(ERROR,
				(errcode(ERRCODE_CONFIG_FILE_ERROR),
				 errmsg("no Kafka brokers are configured"),
				 errhint("Set \"connect.bootstrap_servers\".")));
	}
	return conf;
}

bool
connect_clients_embedded(ConnectTaskRun *run, ConnectKafkaRole role)
{
	char		address[ADDRESS_LEN];
	char	   *key = psprintf("%sbootstrap.servers", override_prefixes[role]);
	const char *override = connect_config_get(run->config, key);
	const char *bootstrap;

	connect_embedded_broker_address(address, sizeof(address));
	bootstrap = default_bootstrap(run, address);
	return address[0] != '\0' && override == NULL && bootstrap != NULL &&
		strcmp(bootstrap, address) == 0;
}

void
connect_clients_listen(ConnectTaskRun *run, ConnectKafkaClient *client)
{
	static char last_text[sizeof(((ConnectKafkaError *) 0)->text)];
	static TimestampTz last_time;	/* when that was logged */
	ConnectKafkaNotice notice;
	ConnectKafkaError err;

	while (connect_kafka_client_notice(client, &notice))
	{
		TimestampTz now = GetCurrentTimestamp();

		if (notice.kind == CONNECT_KAFKA_NOTICE_ERROR && notice.error.auth)
			connect_errors_raise_kafka("Kafka refuses the task's credentials",
									   &notice.error);
		if (notice.dropped > 0)
			ereport(DEBUG1,
					(errmsg_internal("%u messages of the Kafka client were lost",
									 notice.dropped)));
		if (strcmp(notice.error.text, last_text) == 0 &&
			!TimestampDifferenceExceeds(last_time, now, REPEAT_MS))
			continue;
		strlcpy(last_text, notice.error.text, sizeof(last_text));
		last_time = now;
		ereport(notice.kind == CONNECT_KAFKA_NOTICE_ERROR ||
				notice.level <= 4 ? LOG : DEBUG1,
				(errmsg("Kafka client: %s", notice.error.text)));
	}
	if (connect_kafka_client_is_fatal(client, &err))
		connect_errors_raise_kafka("the Kafka client cannot go on", &err);
}

/* The worker's keys before the GUC, the embedded broker last. */
static const char *
default_bootstrap(ConnectTaskRun *run, char *embedded)
{
	const char *value = connect_config_get(run->worker, "bootstrap.servers");

	if (value != NULL && value[0] != '\0')
		return value;
	if (connect_bootstrap_servers != NULL && connect_bootstrap_servers[0] != '\0')
		return connect_bootstrap_servers;
	connect_embedded_broker_address(embedded, ADDRESS_LEN);
	return embedded[0] != '\0' ? embedded : NULL;
}

static void
layers_add(Layers *layers, const char *key, const char *value)
{
	if (value == NULL)
		return;
	if (layers->n == layers->max)
	{
		layers->max = layers->max == 0 ? INITIAL_LAYERS : layers->max * 2;
		layers->props = layers->props == NULL ?
			palloc(layers->max * sizeof(ConnectKafkaProperty)) :
			repalloc(layers->props, layers->max * sizeof(ConnectKafkaProperty));
	}
	layers->props[layers->n].key = key;
	layers->props[layers->n].value = value;
	layers->n++;
}

static void
layers_add_all(Layers *layers, const ConnectKafkaProperty *props)
{
	for (; props->key != NULL; props++)
		layers_add(layers, props->key, props->value);
}

static void
layers_add_config(Layers *layers, const ConnectConfig *cfg)
{
	for (int i = 0; i < cfg->nentries; i++)
		layers_add(layers, cfg->entries[i].key, cfg->entries[i].value);
}
