/*
 * conf.c
 *	  Client configurations: our defaults, the user's properties, what must hold.
 *
 * NOTES
 *	  Memory.  A producer keeps at most 16 MB of keys and values waiting and a
 *	  consumer 16 MB fetched (librdkafka's own bounds are 1 GB and 64 MB), so
 *	  that a server can run many tasks.  With 256 KB batches and a few requests
 *	  in flight this costs no throughput worth naming.
 *
 *	  Assignors.  Up to librdkafka 2.2.0 a client that has joined a group with
 *	  cooperative-sticky and is closed before its first assignment fails an
 *	  assertion: it frees the assignor's state, which there is only after the
 *	  first assignment.  An assertion that fails in a task restarts the server.
 *	  So those versions get assignors that keep no state, whatever is asked for.
 */
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define P (1 << CONNECT_KAFKA_PRODUCER)
#define C (1 << CONNECT_KAFKA_CONSUMER)
#define A (1 << CONNECT_KAFKA_ADMIN)

typedef struct Default
{
	int			roles;
	const char *key;
	const char *value;
} Default;

/* The user's properties replace these. */
static const Default defaults[] =
{
	{P | C | A, "socket.nagle.disable", "true"},
	{P | C | A, "socket.keepalive.enable", "true"},
	{P | C | A, "log.connection.close", "false"},
	{P | C | A, "reconnect.backoff.max.ms", "1000"},
	{P | C | A, "topic.metadata.refresh.fast.interval.ms", "100"},
	{P | C | A, "enable.metrics.push", "false"},

	{P, "enable.idempotence", "true"},
	{P, "acks", "all"},
	{P, "partitioner", "murmur2_random"},
	{P, "linger.ms", "5"},
	{P, "batch.size", "262144"},
	{P, "queue.buffering.max.kbytes", "16384"},
	{P, "queue.buffering.max.messages", "100000"},
	{P, "message.max.bytes", "1048576"},

	{C, "partition.assignment.strategy", "cooperative-sticky"},
	/* What an aborted transaction wrote never happened. */
	{C, "isolation.level", "read_committed"},
	{C, "check.crcs", "true"},
	{C, "fetch.max.bytes", "8388608"},
	{C, "queued.min.messages", "100000"},
	{C, "queued.max.messages.kbytes", "16384"},
	{C, "fetch.queue.backoff.ms", "10"},
	{C, "topic.blacklist", "^__consumer_offsets$,^__transaction_state$,^__share_group_state$"},
};

/* These replace the user's. */
static const Default fixed[] =
{
	{P | C | A, "log.queue", "true"},
	{C, "enable.auto.commit", "false"},
	{C, "enable.auto.offset.store", "false"},
	{C, "auto.offset.reset", "error"},
	{A, "allow.auto.create.topics", "false"},
};

static int64_t
conf_number(rd_kafka_conf_t *conf, const char *key)
{
	char		value[64];
	size_t		len = sizeof(value);

	if (rd_kafka_conf_get(conf, key, value, &len) != RD_KAFKA_CONF_OK)
		return 0;
	return strtoll(value, NULL, 10);
}

static bool
conf_raise(PropertySink *sink, const char *key, int64_t at_least)
{
	char		value[32];

	if (conf_number(sink->conf, key) >= at_least)
		return true;
	snprintf(value, sizeof(value), "%lld", (long long) at_least);
	return property_set(sink, key, value);
}

/* Leaves out what this librdkafka does not know. */
static bool
conf_set_all(PropertySink *sink, const Default *values, size_t count)
{
	for (size_t i = 0; i < count; i++)
	{
		if (!(values[i].roles & (1 << sink->role)))
			continue;
		if (rd_kafka_conf_set(sink->conf, values[i].key, values[i].value,
							  sink->why, sizeof(sink->why)) ==
			RD_KAFKA_CONF_INVALID)
			return false;
	}
	return true;
}

/* What must hold between properties. */
static bool
conf_reconcile(PropertySink *sink)
{
	if (sink->role == CONNECT_KAFKA_PRODUCER)
	{
		char		id[256];
		size_t		len = sizeof(id);
		bool		has_id = rd_kafka_conf_get(sink->conf, "transactional.id",
											   id, &len) == RD_KAFKA_CONF_OK &&
			id[0] != '\0';
		int64_t		limit = conf_number(sink->conf, "transaction.timeout.ms");

		/* A message larger than the queue would wait for room forever. */
		if (!conf_raise(sink, "queue.buffering.max.kbytes",
						2 * conf_number(sink->conf, "message.max.bytes") / 1024 + 1))
			return false;
		if (has_id &&
			conf_number(sink->conf, "delivery.timeout.ms") > limit)
		{
			char		value[32];

			snprintf(value, sizeof(value), "%lld", (long long) limit);
			return property_set(sink, "delivery.timeout.ms", value);
		}
	}
	else if (sink->role == CONNECT_KAFKA_CONSUMER)
	{
		/* librdkafka insists on these. */
		if (!conf_raise(sink, "fetch.max.bytes",
						conf_number(sink->conf, "message.max.bytes")) ||
			!conf_raise(sink, "receive.message.max.bytes",
						conf_number(sink->conf, "fetch.max.bytes") + 512) ||
			!conf_raise(sink, "max.poll.interval.ms",
						conf_number(sink->conf, "session.timeout.ms")))
			return false;
	}
	return true;
}

ConnectKafkaConf *
connect_kafka_conf_build(ConnectKafkaRole role,
						 const ConnectKafkaProperty *props, int nprops,
						 bool allow_files, ConnectKafkaError *err)
{
	PropertySink sink = {.role = role,.allow_files = allow_files};
	ConnectKafkaConf *conf;
	const char *culprit = NULL;
	const char *mechanism;
	bool		is_ok;

	kafka_error_clear(err);
	sink.conf = rd_kafka_conf_new();
	is_ok = conf_set_all(&sink, defaults, lengthof(defaults));
	if (is_ok && role == CONNECT_KAFKA_CONSUMER &&
		rd_kafka_version() < VERSION_STICKY_FIXED)
		is_ok = property_set(&sink, "partition.assignment.strategy",
							 EAGER_ASSIGNORS);
	/* Connect's producers wait for as long as it takes. */
	if (is_ok && role == CONNECT_KAFKA_PRODUCER)
		is_ok = property_set(&sink, "delivery.timeout.ms", "2147483647");
	for (int i = 0; is_ok && i < nprops; i++)
	{
		culprit = props[i].key;
		is_ok = property_apply(&sink, props[i].key, props[i].value);
	}
	if (is_ok)
	{
		culprit = NULL;
		is_ok = property_finish(&sink) &&
			conf_set_all(&sink, fixed, lengthof(fixed)) &&
			conf_reconcile(&sink);
	}

	conf = is_ok ? calloc(1, sizeof(*conf)) : NULL;
	if (conf == NULL)
	{
		if (culprit != NULL)
			kafka_error_set(err, CONNECT_KAFKA_INVALID_CONFIG, sink.why,
							"client property \"%s\"", culprit);
		else
			kafka_error_set(err, CONNECT_KAFKA_INVALID_CONFIG, sink.why,
							"client properties");
		property_sink_clear(&sink);
		rd_kafka_conf_destroy(sink.conf);
		return NULL;
	}
	conf->role = role;
	conf->conf = sink.conf;
	conf->kept = sink.kept;
	conf->was_sticky = sink.was_sticky;
	mechanism = connect_kafka_conf_get(conf, "sasl.mechanisms");
	conf->is_scram = mechanism != NULL && strncmp(mechanism, "SCRAM", 5) == 0;
	return conf;
}

void
connect_kafka_conf_close(ConnectKafkaConf **conf)
{
	PropertySink sink = {0};

	if (*conf == NULL)
		return;
	sink.kept = (*conf)->kept;
	property_sink_clear(&sink);
	rd_kafka_conf_destroy((*conf)->conf);
	free(*conf);
	*conf = NULL;
}

const char *
connect_kafka_conf_get(ConnectKafkaConf *conf, const char *key)
{
	const char *target = property_target(key);
	KeptProperty *kept;
	size_t		len;

	for (kept = conf->kept; kept != NULL; kept = kept->next)
	{
		if (strcmp(kept->key, key) == 0)
			return kept->value;
	}
	/* Ours, not what librdkafka was told in its place. */
	if (strcmp(key, "auto.offset.reset") == 0)
		return NULL;
	if (rd_kafka_conf_get(conf->conf, target, NULL, &len) != RD_KAFKA_CONF_OK ||
		len <= 1)
		return NULL;

	/* librdkafka hands out copies; this one lives as long as the conf. */
	kept = calloc(1, sizeof(*kept));
	if (kept == NULL)
		return NULL;
	kept->key = strdup(key);
	kept->value = malloc(len);
	if (kept->key == NULL || kept->value == NULL ||
		rd_kafka_conf_get(conf->conf, target, kept->value, &len) != RD_KAFKA_CONF_OK)
	{
		free(kept->key);
		free(kept->value);
		free(kept);
		return NULL;
	}
	kept->next = conf->kept;
	conf->kept = kept;
	return kept->value;
}

int64_t
connect_kafka_conf_get_int(ConnectKafkaConf *conf, const char *key,
						   int64_t if_unset)
{
	const char *value = connect_kafka_conf_get(conf, key);

	return value != NULL ? strtoll(value, NULL, 10) : if_unset;
}
