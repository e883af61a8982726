/*
 * kafka_property.c
 *	  Client properties, sasl.jaas.config, topics.regex, what errors mean.
 */
#include "kafka_test.h"

#include <regex.h>

static const char *
check_property(const char *key, const char *value, ConnectKafkaRole role,
			   bool allow_files)
{
	static char why[400];

	why[0] = '\0';
	return connect_kafka_property_check(key, value, role, allow_files, why,
										sizeof(why)) ? NULL : why;
}

static void
properties_are_allowed_by_list(void)
{
	static const char *const refused[][2] = {
		{"plugin.library.paths", "/tmp/x.so"},
		{"sasl.kerberos.kinit.cmd", "touch /tmp/x"},
		{"interceptor.classes", "com.example.X"},
		{"internal.termination.signal", "10"},
		{"internal.auto.downgrade.txn.commit", "true"},
		{"dr_cb", "x"}, {"log_cb", "x"}, {"rebalance_cb", "x"}, {"opaque", "x"},
		{"test.mock.num.brokers", "3"},
		{"ssl.engine.location", "/tmp/x.so"}, {"ssl.providers", "x"},
		{"offset.store.path", "/tmp"}, {"made.up", "x"},
		{"sasl.login.callback.handler.class", "X"},
		{"sasl.client.callback.handler.class", "X"},
		{"security.providers", "X"}, {"ssl.engine.factory.class", "X"},
		{"partitioner.class", "com.example.X"},
		{"max.request.size", "1000000000"}, {"buffer.memory", "2000000000"},
		{"sasl.jaas.config", "com.sun.security.auth.module.JndiLoginModule required user=\"x\";"},
		{"sasl.kerberos.service.name", "kafka; touch x"},
		/* these need rights */
		{"ssl.ca.location", "/etc/passwd"}, {"ssl.keystore.location", "/etc/x.p12"},
		{"ssl.truststore.location", "/etc/x.pem"}, {"ssl.key.location", "/x"},
		{"ssl.certificate.location", "/x"}, {"ssl.crl.location", "/x"},
		{"sasl.kerberos.keytab", "/x"}, {"debug", "all"},
		{"sasl.mechanism", "GSSAPI"},
	};
	static const char *const taken[][2] = {
		{"acks", "all"}, {"acks", "1"}, {"compression.type", "zstd"},
		{"linger.ms", "20"}, {"batch.size", "16384"}, {"batch.size", "0"},
		{"buffer.memory", "33554432"}, {"max.request.size", "1048576"},
		{"max.block.ms", "60000"}, {"delivery.timeout.ms", "2147483647"},
		{"retries", "2147483647"}, {"request.timeout.ms", "30000"},
		{"send.buffer.bytes", "-1"}, {"partitioner.class", ""},
		{"partitioner.class", "org.apache.kafka.clients.producer.internals.DefaultPartitioner"},
		{"key.serializer", "org.apache.kafka.common.serialization.ByteArraySerializer"},
		{"metric.reporters", "x"}, {"security.protocol", "SASL_SSL"},
		{"interceptor.classes", ""}, {"client.dns.lookup", "use_all_dns_ips"},
		{"ssl.endpoint.identification.algorithm", ""}, {"max.poll.records", "500"},
		{"sasl.mechanism", "SCRAM-SHA-512"}, {"retry.backoff.max.ms", "1000"},
		{"connections.max.idle.ms", "540000"}, {"enable.metrics.push", "true"},
		/* what a value may be, the client says when it starts */
		{"linger.ms", "soon"}, {"acks", "bogus"},
	};

	for (size_t i = 0; i < lengthof(refused); i++)
	{
		const char *why = check_property(refused[i][0], refused[i][1],
										 CONNECT_KAFKA_PRODUCER, false);

		test_check(why != NULL && why[0] != '\0', __FILE__, __LINE__, refused[i][0], "");
	}
	for (size_t i = 0; i < lengthof(taken); i++)
	{
		const char *why = check_property(taken[i][0], taken[i][1],
										 CONNECT_KAFKA_PRODUCER, false);

		test_check(why == NULL, __FILE__, __LINE__, taken[i][0], why ? why : "");
	}
	check(check_property("ssl.ca.location", "/x", CONNECT_KAFKA_CONSUMER, true) == NULL);
	check(check_property("sasl.kerberos.keytab", "/x;reboot", CONNECT_KAFKA_CONSUMER, true) != NULL);
	check(check_property("enable.auto.commit", "true", CONNECT_KAFKA_CONSUMER, true) != NULL);
	check(check_property("max.poll.records", "0", CONNECT_KAFKA_CONSUMER, true) != NULL);
	check(check_property("auto.offset.reset", "sometimes", CONNECT_KAFKA_CONSUMER, true) != NULL);
	check(check_property("partition.assignment.strategy",
						 "org.apache.kafka.clients.consumer.RangeAssignor, roundrobin",
						 CONNECT_KAFKA_CONSUMER, true) == NULL);
	check(check_property("partition.assignment.strategy",
						 "org.apache.kafka.clients.consumer.StickyAssignor",
						 CONNECT_KAFKA_CONSUMER, true) != NULL);

	check(connect_kafka_property_is_secret("sasl.jaas.config"));
	check(connect_kafka_property_is_secret("ssl.key.password"));
	check(connect_kafka_property_is_secret("ssl.keystore.key"));
	check(connect_kafka_property_is_secret("some.new.password"));
	check(!connect_kafka_property_is_secret("sasl.username"));
	check(connect_kafka_property_reads_file("ssl.truststore.location"));
	check(!connect_kafka_property_reads_file("ssl.truststore.certificates"));
}

static ConnectKafkaConf *
build(ConnectKafkaRole role, const ConnectKafkaProperty *props, int nprops,
	  bool allow_files, ConnectKafkaError *err)
{
	return connect_kafka_conf_build(role, props, nprops, allow_files, err);
}

#define BUILD(role, allow_files, err, ...) \
	build(role, (const ConnectKafkaProperty[]) {__VA_ARGS__}, \
		  (int) lengthof(((const ConnectKafkaProperty[]) {__VA_ARGS__})), \
		  allow_files, err)

static void
check_value(ConnectKafkaConf *conf, const char *key, const char *expected)
{
	const char *value = connect_kafka_conf_get(conf, key);

	test_check((value == NULL) == (expected == NULL) &&
			   (value == NULL || strcmp(value, expected) == 0),
			   __FILE__, __LINE__, key, value ? value : "(null)");
}

static void
java_names_are_translated(void)
{
	/* Where librdkafka's own is sound. */
	const char *sticky = connect_kafka_version_number() >= 0x020300ff ?
		"cooperative-sticky" : "roundrobin,range";
	ConnectKafkaError err;
	ConnectKafkaConf *conf;

	conf = BUILD(CONNECT_KAFKA_PRODUCER, false, &err,
				 {"bootstrap.servers", "x:1"}, {"linger.ms", "1"},
				 {"max.request.size", "2000000"}, {"buffer.memory", "33554432"},
				 {"partitioner.ignore.keys", "false"}, {"max.block.ms", "1000"},
				 {"linger.ms", "77"}, {"max.poll.records", "9"});
	check_err(conf != NULL, err);
	check_value(conf, "message.max.bytes", "2000000");
	check_value(conf, "max.request.size", "2000000");
	check_value(conf, "queue.buffering.max.kbytes", "32768");
	check_value(conf, "linger.ms", "77");
	check_value(conf, "enable.idempotence", "true");
	check_value(conf, "partitioner", "murmur2_random");
	check_value(conf, "max.block.ms", "1000");
	check_value(conf, "max.poll.records", NULL);
	check_value(conf, "acks", "-1");
	check(connect_kafka_conf_get_int(conf, "max.block.ms", 5) == 1000);
	check(connect_kafka_conf_get_int(conf, "absent", 5) == 5);
	connect_kafka_conf_close(&conf);

	/* A message that is larger than the queue would never get in. */
	conf = BUILD(CONNECT_KAFKA_PRODUCER, false, &err,
				 {"max.request.size", "50000000"}, {"acks", "1"});
	check_err(conf != NULL, err);
	check(connect_kafka_conf_get_int(conf, "queue.buffering.max.kbytes", 0) > 90000);
	check_value(conf, "enable.idempotence", "false");
	connect_kafka_conf_close(&conf);

	conf = BUILD(CONNECT_KAFKA_PRODUCER, false, &err, {"transactional.id", "t"},
				 {"transaction.timeout.ms", "10000"});
	check_err(conf != NULL, err);
	check_value(conf, "delivery.timeout.ms", "10000");
	connect_kafka_conf_close(&conf);

	conf = BUILD(CONNECT_KAFKA_CONSUMER, false, &err, {"group.id", "g"},
				 {"auto.offset.reset", "latest"}, {"max.poll.records", "100"},
				 {"fetch.max.wait.ms", "10"}, {"max.partition.fetch.bytes", "200000000"},
				 {"session.timeout.ms", "400000"},
				 {"security.protocol", "SASL_PLAINTEXT"}, {"sasl.mechanism", "SCRAM-SHA-256"},
				 {"sasl.jaas.config", "org.apache.kafka.common.security.scram.ScramLoginModule required\n username=\"bob\" password=\"a\\\"b;= c\" ;"});
	check_err(conf != NULL, err);
	check_value(conf, "auto.offset.reset", "latest");
	check_value(conf, "max.poll.records", "100");
	check_value(conf, "fetch.wait.max.ms", "10");
	check_value(conf, "sasl.username", "bob");
	check_value(conf, "sasl.password", "a\"b;= c");
	check_value(conf, "isolation.level", "read_committed");
	check_value(conf, "partition.assignment.strategy", sticky);
	connect_kafka_conf_close(&conf);

	conf = BUILD(CONNECT_KAFKA_CONSUMER, false, &err, {"group.id", "g"},
				 {"partition.assignment.strategy",
				 "org.apache.kafka.clients.consumer.CooperativeStickyAssignor"});
	check_err(conf != NULL, err);
	check_value(conf, "partition.assignment.strategy", sticky);
	connect_kafka_conf_close(&conf);

	conf = BUILD(CONNECT_KAFKA_ADMIN, true, &err, {"security.protocol", "SSL"},
				 {"ssl.truststore.location", "/x/ca.pem"},
				 {"ssl.keystore.location", "/x/client.jks"}, {"ssl.keystore.type", "PEM"});
	check_err(conf != NULL, err);
	check_value(conf, "ssl.ca.location", "/x/ca.pem");
	check_value(conf, "ssl.key.location", "/x/client.jks");
	connect_kafka_conf_close(&conf);

	conf = BUILD(CONNECT_KAFKA_ADMIN, true, &err, {"ssl.truststore.location", "/x/ca.jks"});
	check(conf == NULL && strstr(err.text, "PEM") != NULL);
	conf = BUILD(CONNECT_KAFKA_ADMIN, false, &err, {"security.protocol", "SASL_SSL"});
	check(conf == NULL && strstr(err.text, "sasl.mechanism") != NULL);
	conf = BUILD(CONNECT_KAFKA_ADMIN, true, &err, {"security.protocol", "SASL_SSL"},
				 {"sasl.mechanism", "OAUTHBEARER"});
	check(conf == NULL && strstr(err.text, "oidc") != NULL);
	/* What is wrong is told without the secret. */
	conf = BUILD(CONNECT_KAFKA_ADMIN, true, &err,
				 {"sasl.jaas.config", "x.PlainLoginModule required username=\"u\" secret=\"hush\";"});
	check(conf == NULL && strstr(err.text, "hush") == NULL);
	conf = BUILD(CONNECT_KAFKA_ADMIN, true, &err,
				 {"sasl.jaas.config", "x.PlainLoginModule required password=\"hush"});
	check(conf == NULL && strstr(err.text, "hush") == NULL);
	conf = BUILD(CONNECT_KAFKA_PRODUCER, true, &err, {"ssl.key.pem", "hush"});
	connect_kafka_conf_close(&conf);
	check(strstr(err.text, "hush") == NULL);
}

static void
regexes_match_as_in_java(void)
{
	/* pattern, names that match, names that do not */
	static const char *const cases[][5] = {
		{"a.*", "a", "abc", "ba", "b"},
		{"a|b", "a", "b", "ab", "c"},
		{"ab|cd", "ab", "cd", "abd", "acd"},
		{"t-\\d+", "t-1", "t-99", "t-", "t-x"},
		{"\\w+\\.x", "a_1.x", "b.x", "a-x", ".x"},
		{"(?:a|b)+c", "abc", "ac", "c", "abd"},
		{"(?<n>a)b", "ab", NULL, "a", "b"},
		{"a{2,3}?", "aa", "aaa", "a", "aaaa"},
		{"a+?b*?", "a", "aab", "b", "c"},
		{"^x$", "x", NULL, "xx", "ax"},
		{"(?i)Ab[c]", "aBc", "ABC", "abd", "x"},
		{"[\\w.-]+", "a.b-c", "x", "a/b", "a b"},
		{"[^\\d]+", "abc", NULL, "a1", "1"},
		{"\\Qa.b+\\Ec", "a.b+c", NULL, "axb+c", "a.bc"},
		{"\\p{Lower}\\p{Digit}", "a1", NULL, "A1", "aa"},
		{"[a\\-z]+", "a-z", "zz", "b", "m"},
		{"a\\.b", "a.b", NULL, "axb", "ab"},
		{"\\D+", "abc", NULL, "a1", "1"},
		{"[a-c]x|d", "bx", "d", "dx", "x"},
		{"a}b", "a}b", NULL, "ab", "a"},
		{"a{0}b{1,}", "b", "bb", "a", "ab"},
		{".{1,249}", "a", "ab", "", NULL},
		{"((a+)+)+b", "ab", "aaab", "b", "a"},
	};
	static const char *const refused[] = {"(?=a)b", "a(?!b)", "(a)\\1", "a++",
	"a*+", "[a&&b]", "\\bx", "a^b", "[a", "(a", "\\", "(?i)[a-f]", "\\p{IsGreek}",
		"a)|(b", "*a", "a|+b", "(?:*a)", "a{,2}", "a{", "a{x}", "a{2",
		/* what the C library would be killed by */
		"a{32000}", "((((((((a{9}){9}){9}){9}){9}){9}){9}){9})", "((a{50}){50}){50}",
		"a{9}{9}{9}{9}{9}{9}{9}", "a{4294967297}", "a{1,18446744073709551617}",
		"(((((((((((((((((((((((a+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+",
		"((((((((((((((((((((((((((((((((((((((((((((((((((((((a))))))))))))))))))))))))))))))))))))))))))))))))))))))"};
	char		pattern[300];
	char		why[200];

	for (size_t i = 0; i < lengthof(cases); i++)
	{
		regex_t		compiled;

		if (!test_check(connect_kafka_regex_translate(cases[i][0], pattern, sizeof(pattern),
													  why, sizeof(why)),
						__FILE__, __LINE__, cases[i][0], why))
			continue;
		check(pattern[0] == '^');
		check(regcomp(&compiled, pattern, REG_EXTENDED) == 0);
		for (int j = 1; j < 5; j++)
		{
			if (cases[i][j] != NULL)
				test_check((regexec(&compiled, cases[i][j], 0, NULL, 0) == 0) == (j < 3),
						   __FILE__, __LINE__, cases[i][0], cases[i][j]);
		}
		regfree(&compiled);
	}
	for (size_t i = 0; i < lengthof(refused); i++)
		test_check(!connect_kafka_regex_translate(refused[i], pattern, sizeof(pattern),
												  why, sizeof(why)) && why[0] != '\0',
				   __FILE__, __LINE__, refused[i], pattern);
	check(!connect_kafka_regex_translate("abcdefghij", pattern, 8, why, sizeof(why)));
}

static void
mistakes_in_regexes_are_told_as_by_java(void)
{
	static const char *const cases[][2] = {
		{"[a", "Unclosed character class near index 1\n[a\n ^"},
		{"[a-", "Illegal character range near index 3\n[a-"},
		{"x[b-a]", "Illegal character range near index 4\nx[b-a]\n    ^"},
		{"(", "Unclosed group near index 1\n("},
		{"*", "Dangling meta character '*' near index 0\n*\n^"},
		{"a|+", "Dangling meta character '+' near index 2\na|+\n  ^"},
		{"a)", "Unmatched closing ')' near index 0\na)\n^"},
		{")", "Unmatched closing ')'\n)"},
	};
	char		pattern[300];
	char		why[300];

	for (size_t i = 0; i < lengthof(cases); i++)
	{
		check(!connect_kafka_regex_translate(cases[i][0], pattern, sizeof(pattern), why, sizeof(why)));
		test_check(strcmp(why, cases[i][1]) == 0, __FILE__, __LINE__, cases[i][0], why);
	}
}

static void
error_classes(void)
{
	check(strcmp(connect_kafka_error_class(29),
				 "org.apache.kafka.common.errors.TopicAuthorizationException") == 0);
	check(strcmp(connect_kafka_error_class(12345),
				 "org.apache.kafka.common.KafkaException") == 0);
	check(strcmp(connect_kafka_error_class(-186),
				 "org.apache.kafka.common.config.ConfigException") == 0);
	check(connect_kafka_version_number() >= 0x02000000);
}

int
main(void)
{
	properties_are_allowed_by_list();
	java_names_are_translated();
	regexes_match_as_in_java();
	mistakes_in_regexes_are_told_as_by_java();
	error_classes();
	return test_end();
}
