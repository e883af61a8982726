/*
 * property.c
 *	  Which client properties a user may set, and what they mean here.
 *
 * NOTES
 *	  The table is an allow-list: Java's names, as configurations of Kafka
 *	  Connect have them, and librdkafka's own.  A name that is not in it is
 *	  refused, so that nothing loads a library, runs a program or installs a
 *	  callback through a new property of a newer librdkafka.
 *
 *	  A property of another role (a consumer's in a producer's list) is
 *	  accepted and has no effect, as with the Java clients.
 */
#include "internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define P (1 << CONNECT_KAFKA_PRODUCER)
#define C (1 << CONNECT_KAFKA_CONSUMER)
#define A (1 << CONNECT_KAFKA_ADMIN)
#define ALL (P | C | A)

/* flags */
#define SECRET		1			/* never shown */
#define NEEDS_FILES	2			/* reads a file or runs a program */
#define OPTIONAL	4			/* ignored by a librdkafka without it */
#define KEPT		8			/* obeyed by the caller */
#define IGNORED		16			/* without a meaning here */

/* Takes the value over in its own way; false with sink->why set. */
typedef bool (*PropertyApply) (PropertySink *sink, const char *target,
							   const char *value);

typedef struct Property
{
	const char *key;
	const char *target;			/* librdkafka's name; NULL: the same */
	int			roles;
	int			flags;
	PropertyApply apply;		/* NULL: set target to value */
	int64_t		max;			/* without allow_files; 0: librdkafka's own */
} Property;

static bool apply_acks(PropertySink *sink, const char *target, const char *value);
static bool apply_assignor(PropertySink *sink, const char *target, const char *value);
static bool apply_batch_size(PropertySink *sink, const char *target, const char *value);
static bool apply_buffer_size(PropertySink *sink, const char *target, const char *value);
static bool apply_bytes_as_kbytes(PropertySink *sink, const char *target, const char *value);
static bool apply_group_protocol(PropertySink *sink, const char *target, const char *value);
static bool apply_ignore_keys(PropertySink *sink, const char *target, const char *value);
static bool apply_in_flight(PropertySink *sink, const char *target, const char *value);
static bool apply_idempotence(PropertySink *sink, const char *target, const char *value);
static bool apply_internal_topics(PropertySink *sink, const char *target, const char *value);
static bool apply_jaas(PropertySink *sink, const char *target, const char *value);
static bool apply_kerberos_name(PropertySink *sink, const char *target, const char *value);
static bool apply_mechanism(PropertySink *sink, const char *target, const char *value);
static bool apply_must_be_empty(PropertySink *sink, const char *target, const char *value);
static bool apply_must_be_false(PropertySink *sink, const char *target, const char *value);
static bool apply_offset_reset(PropertySink *sink, const char *target, const char *value);
static bool apply_partitioner_class(PropertySink *sink, const char *target, const char *value);
static bool apply_refresh(PropertySink *sink, const char *target, const char *value);
static bool apply_request_timeout(PropertySink *sink, const char *target, const char *value);
static bool apply_retries(PropertySink *sink, const char *target, const char *value);
static bool apply_store(PropertySink *sink, const char *target, const char *value);
static bool apply_verification(PropertySink *sink, const char *target, const char *value);

#define MB INT64_C(1048576)

static const Property properties[] =
{
	/* connections */
	{"bootstrap.servers", NULL, ALL},
	{"metadata.broker.list", "bootstrap.servers", ALL},
	{"client.id", NULL, ALL},
	{"client.rack", NULL, C},
	{"client.dns.lookup", NULL, ALL, OPTIONAL},
	{"request.timeout.ms", NULL, ALL, 0, apply_request_timeout},
	{"socket.timeout.ms", NULL, ALL},
	{"socket.keepalive.enable", NULL, ALL},
	{"socket.nagle.disable", NULL, ALL},
	{"socket.max.fails", NULL, ALL},
	{"socket.connection.setup.timeout.ms", NULL, ALL},
	{"socket.connection.setup.timeout.max.ms", NULL, ALL, IGNORED},
	{"send.buffer.bytes", "socket.send.buffer.bytes", ALL, 0, apply_buffer_size},
	{"receive.buffer.bytes", "socket.receive.buffer.bytes", ALL, 0, apply_buffer_size},
	{"socket.send.buffer.bytes", NULL, ALL},
	{"socket.receive.buffer.bytes", NULL, ALL},
	{"broker.address.family", NULL, ALL},
	{"broker.address.ttl", NULL, ALL},
	{"connections.max.idle.ms", NULL, ALL},
	{"reconnect.backoff.ms", NULL, ALL},
	{"reconnect.backoff.max.ms", NULL, ALL},
	{"reconnect.backoff.jitter.ms", NULL, ALL, IGNORED},
	{"retry.backoff.ms", NULL, P},
	{"retry.backoff.max.ms", NULL, P, OPTIONAL},
	{"metadata.max.age.ms", NULL, ALL, 0, apply_refresh},
	{"metadata.max.idle.ms", NULL, ALL, IGNORED},
	{"metadata.recovery.strategy", NULL, ALL, OPTIONAL},
	{"metadata.recovery.rebootstrap.trigger.ms", NULL, ALL, OPTIONAL},
	{"topic.metadata.refresh.interval.ms", NULL, ALL},
	{"topic.metadata.refresh.fast.interval.ms", NULL, ALL},
	{"topic.metadata.refresh.sparse", NULL, ALL},
	{"topic.metadata.propagation.max.ms", NULL, ALL},
	{"max.in.flight", "max.in.flight.requests.per.connection", ALL, 0, apply_in_flight},
	{"max.in.flight.requests.per.connection", NULL, ALL, 0, apply_in_flight},
	{"message.max.bytes", NULL, ALL, 0, NULL, 256 * MB},
	{"receive.message.max.bytes", NULL, ALL, 0, NULL, 512 * MB},
	{"api.version.request", NULL, ALL},
	{"api.version.request.timeout.ms", NULL, ALL},
	{"broker.version.fallback", NULL, ALL},
	{"log.connection.close", NULL, ALL},
	{"debug", NULL, ALL, NEEDS_FILES},
	{"enable.metrics.push", NULL, ALL, OPTIONAL},
	{"default.api.timeout.ms", NULL, C | A, KEPT, apply_store},

	/* security */
	{"security.protocol", NULL, ALL},
	{"sasl.mechanism", "sasl.mechanisms", ALL, 0, apply_mechanism},
	{"sasl.mechanisms", NULL, ALL, 0, apply_mechanism},
	{"sasl.jaas.config", NULL, ALL, SECRET, apply_jaas},
	{"sasl.username", NULL, ALL},
	{"sasl.password", NULL, ALL, SECRET},
	{"sasl.kerberos.service.name", NULL, ALL, 0, apply_kerberos_name},
	{"sasl.kerberos.principal", NULL, ALL, NEEDS_FILES, apply_kerberos_name},
	{"sasl.kerberos.keytab", NULL, ALL, NEEDS_FILES, apply_kerberos_name},
	{"sasl.kerberos.min.time.before.relogin", NULL, ALL},
	{"sasl.kerberos.ticket.renew.jitter", NULL, ALL, IGNORED},
	{"sasl.kerberos.ticket.renew.window.factor", NULL, ALL, IGNORED},
	{"sasl.login.connect.timeout.ms", NULL, ALL, IGNORED},
	{"sasl.login.read.timeout.ms", NULL, ALL, IGNORED},
	{"sasl.login.refresh.buffer.seconds", NULL, ALL, IGNORED},
	{"sasl.login.refresh.min.period.seconds", NULL, ALL, IGNORED},
	{"sasl.login.refresh.window.factor", NULL, ALL, IGNORED},
	{"sasl.login.refresh.window.jitter", NULL, ALL, IGNORED},
	{"sasl.login.retry.backoff.max.ms", NULL, ALL, IGNORED},
	{"sasl.login.retry.backoff.ms", NULL, ALL, IGNORED},
	{"sasl.oauthbearer.method", NULL, ALL},
	{"sasl.oauthbearer.client.id", NULL, ALL},
	{"sasl.oauthbearer.client.secret", NULL, ALL, SECRET},
	{"sasl.oauthbearer.scope", NULL, ALL},
	{"sasl.oauthbearer.extensions", NULL, ALL},
	{"sasl.oauthbearer.token.endpoint.url", NULL, ALL},
	{"security.providers", NULL, ALL, 0, apply_must_be_empty},
	{"ssl.protocol", NULL, ALL, IGNORED},
	{"ssl.provider", NULL, ALL, 0, apply_must_be_empty},
	{"ssl.enabled.protocols", NULL, ALL, IGNORED},
	{"ssl.keymanager.algorithm", NULL, ALL, IGNORED},
	{"ssl.trustmanager.algorithm", NULL, ALL, IGNORED},
	{"ssl.secure.random.implementation", NULL, ALL, IGNORED},
	{"ssl.engine.factory.class", NULL, ALL, 0, apply_must_be_empty},
	{"ssl.cipher.suites", NULL, ALL},
	{"ssl.curves.list", NULL, ALL},
	{"ssl.sigalgs.list", NULL, ALL},
	{"ssl.endpoint.identification.algorithm", NULL, ALL, 0, apply_verification},
	{"enable.ssl.certificate.verification", NULL, ALL},
	{"ssl.truststore.type", NULL, ALL, 0, apply_store},
	{"ssl.truststore.location", NULL, ALL, NEEDS_FILES, apply_store},
	{"ssl.truststore.password", NULL, ALL, SECRET | IGNORED},
	{"ssl.truststore.certificates", "ssl.ca.pem", ALL},
	{"ssl.keystore.type", NULL, ALL, 0, apply_store},
	{"ssl.keystore.location", NULL, ALL, NEEDS_FILES, apply_store},
	{"ssl.keystore.password", NULL, ALL, SECRET},
	{"ssl.keystore.certificate.chain", "ssl.certificate.pem", ALL},
	{"ssl.keystore.key", "ssl.key.pem", ALL, SECRET},
	{"ssl.key.password", NULL, ALL, SECRET},
	{"ssl.ca.location", NULL, ALL, NEEDS_FILES},
	{"ssl.ca.pem", NULL, ALL},
	{"ssl.certificate.location", NULL, ALL, NEEDS_FILES},
	{"ssl.certificate.pem", NULL, ALL},
	{"ssl.key.location", NULL, ALL, NEEDS_FILES},
	{"ssl.key.pem", NULL, ALL, SECRET},
	{"ssl.crl.location", NULL, ALL, NEEDS_FILES},

	/* producer */
	{"acks", NULL, P, 0, apply_acks},
	{"request.required.acks", "acks", P, 0, apply_acks},
	{"enable.idempotence", NULL, P, 0, apply_idempotence},
	{"retries", NULL, P, 0, apply_retries},
	{"message.send.max.retries", "retries", P, 0, apply_retries},
	{"compression.type", NULL, P},
	{"compression.codec", "compression.type", P},
	{"compression.level", NULL, P},
	{"compression.gzip.level", "compression.level", P},
	{"compression.lz4.level", "compression.level", P},
	{"compression.zstd.level", "compression.level", P},
	{"linger.ms", NULL, P},
	{"queue.buffering.max.ms", "linger.ms", P},
	{"batch.size", NULL, P, 0, apply_batch_size},
	{"batch.num.messages", NULL, P},
	{"buffer.memory", "queue.buffering.max.kbytes", P, 0, apply_bytes_as_kbytes, 256 * MB},
	{"queue.buffering.max.kbytes", NULL, P, 0, NULL, 256 * 1024},
	{"queue.buffering.max.messages", NULL, P, 0, NULL, 1000000},
	{"queue.buffering.backpressure.threshold", NULL, P},
	{"max.request.size", "message.max.bytes", P, 0, NULL, 256 * MB},
	{"message.copy.max.bytes", NULL, P},
	{"max.block.ms", NULL, P, KEPT, apply_store},
	{"delivery.timeout.ms", NULL, P},
	{"message.timeout.ms", "delivery.timeout.ms", P},
	{"partitioner.class", "partitioner", P, 0, apply_partitioner_class},
	{"partitioner", NULL, P},
	{"partitioner.ignore.keys", "partitioner", P, 0, apply_ignore_keys},
	{"partitioner.adaptive.partitioning.enable", NULL, P, IGNORED},
	{"partitioner.availability.timeout.ms", NULL, P, IGNORED},
	{"sticky.partitioning.linger.ms", NULL, P},
	{"transactional.id", NULL, P},
	{"transaction.timeout.ms", NULL, P},
	{"transaction.two.phase.commit.enable", NULL, P, 0, apply_must_be_false},
	{"key.serializer", NULL, P, IGNORED},
	{"value.serializer", NULL, P, IGNORED},

	/* consumer */
	{"group.id", NULL, C},
	{"group.instance.id", NULL, C},
	{"group.protocol", NULL, C, OPTIONAL, apply_group_protocol},
	{"group.remote.assignor", NULL, C, OPTIONAL},
	{"session.timeout.ms", NULL, C},
	{"heartbeat.interval.ms", NULL, C},
	{"max.poll.interval.ms", NULL, C},
	{"max.poll.records", NULL, C, KEPT, apply_store},
	{"partition.assignment.strategy", NULL, C, 0, apply_assignor},
	{"coordinator.query.interval.ms", NULL, C},
	{"fetch.min.bytes", NULL, C},
	{"fetch.max.bytes", NULL, C, 0, NULL, 256 * MB},
	{"fetch.max.wait.ms", "fetch.wait.max.ms", C},
	{"fetch.wait.max.ms", NULL, C},
	{"max.partition.fetch.bytes", "fetch.message.max.bytes", C, 0, NULL, 256 * MB},
	{"fetch.message.max.bytes", NULL, C, 0, NULL, 256 * MB},
	{"fetch.error.backoff.ms", NULL, C},
	{"fetch.queue.backoff.ms", NULL, C, OPTIONAL},
	{"queued.min.messages", NULL, C, 0, NULL, 1000000},
	{"queued.max.messages.kbytes", NULL, C, 0, NULL, 256 * 1024},
	{"isolation.level", NULL, C},
	{"check.crcs", NULL, C},
	{"enable.partition.eof", NULL, C, IGNORED},
	{"auto.offset.reset", NULL, C, KEPT, apply_offset_reset},
	{"enable.auto.commit", NULL, C, 0, apply_must_be_false},
	{"enable.auto.offset.store", NULL, C, 0, apply_must_be_false},
	{"auto.commit.interval.ms", NULL, C, IGNORED},
	{"exclude.internal.topics", "topic.blacklist", C, 0, apply_internal_topics},
	{"allow.auto.create.topics", NULL, C},
	{"key.deserializer", NULL, C, IGNORED},
	{"value.deserializer", NULL, C, IGNORED},

	/* of the Java clients' housekeeping */
	{"interceptor.classes", NULL, ALL, 0, apply_must_be_empty},
	{"metric.reporters", NULL, ALL, IGNORED},
	{"metrics.num.samples", NULL, ALL, IGNORED},
	{"metrics.recording.level", NULL, ALL, IGNORED},
	{"metrics.sample.window.ms", NULL, ALL, IGNORED},
	{"auto.include.jmx.reporter", NULL, ALL, IGNORED},
	{"statistics.interval.ms", NULL, ALL, IGNORED},
};

/* Refused with more than "unknown", because configurations have them. */
static const struct
{
	const char *key;
	const char *why;
}			refusals[] =
{
	{"sasl.client.callback.handler.class", "Java classes cannot be loaded; use sasl.jaas.config or sasl.username and sasl.password"},
	{"sasl.login.callback.handler.class", "Java classes cannot be loaded; use sasl.oauthbearer.method=oidc for tokens"},
	{"sasl.login.class", "Java classes cannot be loaded"},
	{"sasl.oauthbearer.config", "unsecured tokens are not accepted; use sasl.oauthbearer.method=oidc"},
	{"ssl.providers", "it loads libraries into the server"},
	{"plugin.library.paths", "it loads libraries into the server"},
	{"sasl.kerberos.kinit.cmd", "it runs a program in the server"},
	{"delivery.report.only.error", "every acknowledgement is needed to know what was delivered"},
	{"internal.termination.signal", "the server owns the signals of the process"},
};

static const Property *
property_find(const char *key)
{
	for (size_t i = 0; i < lengthof(properties); i++)
	{
		if (strcmp(properties[i].key, key) == 0)
			return &properties[i];
	}
	return NULL;
}

const char *
property_target(const char *key)
{
	const Property *property = property_find(key);

	return property != NULL && property->target != NULL ?
		property->target : key;
}

bool
property_refuse(PropertySink *sink, const char *fmt,...)
{
	va_list		args;

	va_start(args, fmt);
	vsnprintf(sink->why, sizeof(sink->why), fmt, args);
	va_end(args);
	return false;
}

bool
property_set(PropertySink *sink, const char *key, const char *value)
{
	/* A value it does not like is printed by librdkafka: not our secrets. */
	if (rd_kafka_conf_set(sink->conf, key, value, sink->why,
						  sizeof(sink->why)) == RD_KAFKA_CONF_OK)
		return true;
	sink->is_value_bad = true;
	if (connect_kafka_property_is_secret(key))
		return property_refuse(sink, "the value is not valid");
	return false;
}

bool
property_apply(PropertySink *sink, const char *key, const char *value)
{
	const Property *property = property_find(key);
	const char *target;

	if (property == NULL)
	{
		for (size_t i = 0; i < lengthof(refusals); i++)
		{
			if (strcmp(refusals[i].key, key) == 0)
				return property_refuse(sink, "the property is not allowed: %s",
									   refusals[i].why);
		}
		return property_refuse(sink, "the property is not known or not allowed");
	}
	if ((property->flags & NEEDS_FILES) && !sink->allow_files)
		return property_refuse(sink, "the property needs the right to read files of the server");
	if ((property->flags & IGNORED) || !(property->roles & (1 << sink->role)))
		return true;

	target = property->target != NULL ? property->target : key;
	if (property->max > 0 && !sink->allow_files &&
		strtoll(value, NULL, 10) > property->max)
		return property_refuse(sink, "the value must not be above %lld",
							   (long long) property->max);
	if (property->flags & OPTIONAL)
	{
		char		unused[8];
		size_t		len = sizeof(unused);

		if (rd_kafka_conf_get(sink->conf, target, unused, &len) == RD_KAFKA_CONF_UNKNOWN)
			return true;
	}
	if (property->apply == apply_store)
		return apply_store(sink, key, value);
	if (property->apply != NULL)
		return property->apply(sink, target, value);
	return property_set(sink, target, value);
}

bool
connect_kafka_property_is_secret(const char *key)
{
	const Property *property = property_find(key);

	if (property != NULL)
		return (property->flags & SECRET) != 0;
	/* A name that we do not know may still be somebody's password. */
	return strcasestr(key, "password") != NULL ||
		strcasestr(key, "secret") != NULL || strcasestr(key, "jaas") != NULL ||
		strcasestr(key, "token") != NULL || strcasestr(key, ".key.pem") != NULL;
}

bool
connect_kafka_property_reads_file(const char *key)
{
	const Property *property = property_find(key);

	return property != NULL && (property->flags & NEEDS_FILES) != 0;
}

/* Keeps it, for the caller or until all are known. */
static bool
apply_store(PropertySink *sink, const char *key, const char *value)
{
	static const char *const numbers[] = {"max.poll.records", "max.block.ms",
	"default.api.timeout.ms"};
	KeptProperty *kept;

	for (size_t i = 0; i < lengthof(numbers); i++)
	{
		char	   *end;

		if (strcmp(key, numbers[i]) != 0)
			continue;
		errno = 0;
		if (strtoll(value, &end, 10) < (i == 0 ? 1 : 0) || *end != '\0' ||
			end == value || errno != 0)
			return property_refuse(sink, "the value must be a number, %d or more",
								   i == 0 ? 1 : 0);
	}
	for (kept = sink->kept; kept != NULL; kept = kept->next)
	{
		if (strcmp(kept->key, key) == 0)
			break;
	}
	if (kept == NULL)
	{
		kept = calloc(1, sizeof(*kept));
		if (kept == NULL)
			return property_refuse(sink, "out of memory");
		kept->key = strdup(key);
		kept->next = sink->kept;
		sink->kept = kept;
	}
	free(kept->value);
	kept->value = strdup(value);
	if (kept->key == NULL || kept->value == NULL)
		return property_refuse(sink, "out of memory");
	return true;
}

static bool
idempotence_off(PropertySink *sink)
{
	if (sink->has_idempotence)
		return true;
	return property_set(sink, "enable.idempotence", "false");
}

/* As in Java: a conflict switches idempotence off unless it was asked for. */
static bool
apply_acks(PropertySink *sink, const char *target, const char *value)
{
	if (strcmp(value, "all") != 0 && strcmp(value, "-1") != 0 &&
		!idempotence_off(sink))
		return false;
	return property_set(sink, target, value);
}

static bool
apply_in_flight(PropertySink *sink, const char *target, const char *value)
{
	if (sink->role != CONNECT_KAFKA_PRODUCER)
		return true;
	if (strtoll(value, NULL, 10) > 5 && !idempotence_off(sink))
		return false;
	return property_set(sink, target, value);
}

static bool
apply_retries(PropertySink *sink, const char *target, const char *value)
{
	if (strcmp(value, "0") == 0 && !idempotence_off(sink))
		return false;
	return property_set(sink, target, value);
}

static bool
apply_idempotence(PropertySink *sink, const char *target, const char *value)
{
	sink->has_idempotence = true;
	return property_set(sink, target, value);
}

static bool
apply_batch_size(PropertySink *sink, const char *target, const char *value)
{
	/* Java's 0 means no batching. */
	return property_set(sink, target, strcmp(value, "0") == 0 ? "1" : value);
}

static bool
apply_buffer_size(PropertySink *sink, const char *target, const char *value)
{
	/* Java's -1 is the system's default. */
	return property_set(sink, target, strcmp(value, "-1") == 0 ? "0" : value);
}

static bool
apply_bytes_as_kbytes(PropertySink *sink, const char *target, const char *value)
{
	char		text[32];
	char	   *end;
	long long	bytes;

	errno = 0;
	bytes = strtoll(value, &end, 10);
	if (end == value || *end != '\0' || errno != 0 || bytes < 0)
		return property_refuse(sink, "the value must be a number of bytes");
	snprintf(text, sizeof(text), "%lld", bytes < 1024 ? 1 : bytes / 1024);
	return property_set(sink, target, text);
}

static bool
apply_request_timeout(PropertySink *sink, const char *target, const char *value)
{
	if (!property_set(sink, "socket.timeout.ms", value))
		return false;
	return sink->role != CONNECT_KAFKA_PRODUCER ||
		property_set(sink, target, value);
}

static bool
apply_refresh(PropertySink *sink, const char *target, const char *value)
{
	return property_set(sink, target, value) &&
		property_set(sink, "topic.metadata.refresh.interval.ms", value);
}

static bool
apply_partitioner_class(PropertySink *sink, const char *target, const char *value)
{
	if (value[0] == '\0' ||
		strcmp(value, "org.apache.kafka.clients.producer.internals.DefaultPartitioner") == 0)
		return property_set(sink, target, "murmur2_random");
	if (strcmp(value, "org.apache.kafka.clients.producer.UniformStickyPartitioner") == 0)
		return property_set(sink, target, "random");
	return property_refuse(sink, "Java classes cannot be loaded; "
						   "without it records go by the hash of their key as in Kafka's default partitioner, "
						   "and \"partitioner\" takes librdkafka's: murmur2_random, random, consistent, fnv1a_random");
}

static bool
apply_ignore_keys(PropertySink *sink, const char *target, const char *value)
{
	return strcasecmp(value, "true") != 0 ||
		property_set(sink, target, "random");
}

static bool
apply_assignor(PropertySink *sink, const char *target, const char *value)
{
	static const struct
	{
		const char *java;
		const char *name;
	}			assignors[] =
	{
		{"org.apache.kafka.clients.consumer.CooperativeStickyAssignor", "cooperative-sticky"},
		{"org.apache.kafka.clients.consumer.RangeAssignor", "range"},
		{"org.apache.kafka.clients.consumer.RoundRobinAssignor", "roundrobin"},
	};
	char		list[200] = "";
	const char *next = value;

	while (*next != '\0')
	{
		size_t		len;
		const char *name = NULL;
		size_t		name_len;

		next += strspn(next, " ,");
		len = strcspn(next, " ,");
		if (len == 0)
			break;
		name_len = len;
		for (size_t i = 0; i < lengthof(assignors); i++)
		{
			if (strlen(assignors[i].java) == len &&
				strncmp(assignors[i].java, next, len) == 0)
			{
				name = assignors[i].name;
				name_len = strlen(name);
			}
		}
		if (name == NULL && memchr(next, '.', len) != NULL)
			return property_refuse(sink, "Java classes cannot be loaded; known are "
								   "cooperative-sticky, range and roundrobin and their Kafka classes");
		if (strlen(list) + name_len + 2 > sizeof(list))
			return property_refuse(sink, "the list is too long");
		if (list[0] != '\0')
			strcat(list, ",");
		strncat(list, name != NULL ? name : next, name_len);
		next += len;
	}
	sink->was_sticky = strstr(list, "cooperative-sticky") != NULL &&
		rd_kafka_version() < VERSION_STICKY_FIXED;
	if (sink->was_sticky)
		return property_set(sink, target, EAGER_ASSIGNORS);
	/* Kafka's default, range and then cooperative-sticky, is a migration path. */
	if (strcmp(list, "range,cooperative-sticky") == 0)
		return property_set(sink, target, "cooperative-sticky");
	return property_set(sink, target, list);
}

static bool
apply_group_protocol(PropertySink *sink, const char *target, const char *value)
{
	if (strcasecmp(value, "consumer") == 0 &&
		rd_kafka_version() < VERSION_GROUP_PROTOCOL)
		return property_refuse(sink, "\"consumer\" needs librdkafka 2.12 or later, here is %s",
							   rd_kafka_version_str());
	return property_set(sink, target, value);
}

static bool
apply_internal_topics(PropertySink *sink, const char *target, const char *value)
{
	return strcasecmp(value, "false") != 0 || property_set(sink, target, "");
}

static bool
apply_offset_reset(PropertySink *sink, const char *target, const char *value)
{
	if (strcmp(value, "earliest") != 0 && strcmp(value, "latest") != 0 &&
		strcmp(value, "none") != 0)
		return property_refuse(sink, "the value must be earliest, latest or none");
	return apply_store(sink, target, value);
}

static bool
apply_must_be_false(PropertySink *sink, const char *target, const char *value)
{
	if (strcasecmp(value, "false") == 0)
		return true;
	return property_refuse(sink, "only \"false\" is possible: %s",
						   sink->role == CONNECT_KAFKA_CONSUMER ?
						   "offsets are committed with the data" :
						   "it is not supported");
}

static bool
apply_must_be_empty(PropertySink *sink, const char *target, const char *value)
{
	return value[0] == '\0' ||
		property_refuse(sink, "Java classes cannot be loaded");
}

static bool
apply_jaas(PropertySink *sink, const char *target, const char *value)
{
	return jaas_apply(sink, value);
}

static bool
apply_mechanism(PropertySink *sink, const char *target, const char *value)
{
	if (strcasecmp(value, "GSSAPI") == 0 && !sink->allow_files)
		return property_refuse(sink, "GSSAPI runs a program and reads files of the server: it needs the right to do so");
	sink->has_mechanism = true;
	return property_set(sink, target, value);
}

/* These end up in the command line of kinit, which librdkafka runs. */
static bool
apply_kerberos_name(PropertySink *sink, const char *target, const char *value)
{
	if (value[strspn(value, "abcdefghijklmnopqrstuvwxyz"
					 "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/@-")] != '\0' ||
		value[0] == '-')
		return property_refuse(sink, "only letters, digits and . _ / @ - are possible");
	return property_set(sink, target, value);
}

static bool
apply_verification(PropertySink *sink, const char *target, const char *value)
{
	/* Java's empty value switches the check off. */
	return property_set(sink, target, value[0] == '\0' ? "none" : value);
}

static const char *
kept_get(const PropertySink *sink, const char *key)
{
	for (KeptProperty *kept = sink->kept; kept != NULL; kept = kept->next)
	{
		if (strcmp(kept->key, key) == 0)
			return kept->value;
	}
	return NULL;
}

/* PEM, PKCS12 or JKS: as said, else by the file's name. */
static const char *
store_type(const char *type, const char *location)
{
	const char *dot = strrchr(location, '.');

	if (type != NULL)
		return type;
	if (dot != NULL && (strcasecmp(dot, ".p12") == 0 ||
						strcasecmp(dot, ".pfx") == 0))
		return "PKCS12";
	if (dot != NULL && (strcasecmp(dot, ".pem") == 0 ||
						strcasecmp(dot, ".crt") == 0 ||
						strcasecmp(dot, ".cer") == 0))
		return "PEM";
	return "JKS";
}

static bool
property_is(PropertySink *sink, const char *key, const char *prefix)
{
	char		value[256];
	size_t		len = sizeof(value);

	return rd_kafka_conf_get(sink->conf, key, value, &len) == RD_KAFKA_CONF_OK &&
		strncasecmp(value, prefix, strlen(prefix)) == 0;
}

bool
property_finish(PropertySink *sink)
{
	const char *location = kept_get(sink, "ssl.truststore.location");

	if (location != NULL)
	{
		if (strcasecmp(store_type(kept_get(sink, "ssl.truststore.type"), location),
					   "PEM") != 0)
			return property_refuse(sink, "ssl.truststore.location: only ssl.truststore.type=PEM can be read; "
								   "export the certificates with: keytool -exportcert -rfc");
		if (!property_set(sink, "ssl.ca.location", location))
			return false;
	}
	location = kept_get(sink, "ssl.keystore.location");
	if (location != NULL)
	{
		const char *type = store_type(kept_get(sink, "ssl.keystore.type"),
									  location);

		if (strcasecmp(type, "PEM") == 0)
		{
			if (!property_set(sink, "ssl.certificate.location", location) ||
				!property_set(sink, "ssl.key.location", location))
				return false;
		}
		else if (strcasecmp(type, "PKCS12") != 0)
			return property_refuse(sink, "ssl.keystore.location: only ssl.keystore.type PEM and PKCS12 can be read; "
								   "convert it with: keytool -importkeystore -deststoretype PKCS12");
		else if (!property_set(sink, "ssl.keystore.location", location))
			return false;
	}

	/* librdkafka's default mechanism is GSSAPI, as Java's. */
	if (property_is(sink, "security.protocol", "sasl") &&
		!sink->has_mechanism && !apply_mechanism(sink, "sasl.mechanisms", "GSSAPI"))
		return property_refuse(sink, "sasl.mechanism is not set");
	if (sink->has_mechanism && property_is(sink, "sasl.mechanisms", "OAUTHBEARER") &&
		!property_is(sink, "sasl.oauthbearer.method", "oidc"))
		return property_refuse(sink, "OAUTHBEARER needs sasl.oauthbearer.method=oidc");
	return true;
}

void
property_sink_clear(PropertySink *sink)
{
	while (sink->kept != NULL)
	{
		KeptProperty *kept = sink->kept;

		sink->kept = kept->next;
		free(kept->key);
		free(kept->value);
		free(kept);
	}
}

bool
connect_kafka_property_check(const char *key, const char *value,
							 ConnectKafkaRole role, bool allow_files,
							 char *errbuf, size_t errbuf_len)
{
	PropertySink sink = {.role = role,.allow_files = allow_files};
	bool		is_ok;

	sink.conf = rd_kafka_conf_new();
	is_ok = property_apply(&sink, key, value) || sink.is_value_bad;
	if (!is_ok && errbuf_len > 0)
		snprintf(errbuf, errbuf_len, "%s", sink.why);
	property_sink_clear(&sink);
	rd_kafka_conf_destroy(sink.conf);
	return is_ok;
}
