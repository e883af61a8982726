/*
 * kafka_broker.c
 *	  src/kafka against a real broker: what the mock cluster cannot play.
 *
 *	  kafka_broker BOOTSTRAP [SASL-BOOTSTRAP]
 *
 * KAFKA_KILL and KAFKA_START are commands that kill (-9) and start the broker;
 * without them what needs them is left out.  The SASL listener has user alice
 * (PLAIN, alice-secret, no ACLs) and admin (SCRAM-SHA-256, admin-secret); the
 * plain one lets everybody do everything.  auto.create.topics.enable is off.
 */
#include "kafka_test.h"

#define MESSAGES 20000

static const char *bootstrap;
static char suffix[32];			/* so that a run can follow another */

static const char *
named(const char *name)
{
	static char names[32][64];
	static int	next;
	char	   *out = names[next++ % lengthof(names)];

	snprintf(out, sizeof(names[0]), "%s-%s", name, suffix);
	return out;
}

/* ------------------------------ admin ------------------------------ */

static ConnectKafkaAdmin *admin;
static ConnectKafkaAdminResult result;

/* The result of a request; it must be the next one. */
static bool
finished(uint64_t request)
{
	bool		has_result = false;

	if (!check(request != 0))
		return false;
	wait_until(connect_kafka_admin_client(admin), has_result,
			   has_result = connect_kafka_admin_poll(admin, &result));
	return check(has_result && result.request == request);
}

static void
create_topic(const char *name, int partitions)
{
	ConnectKafkaError err;
	ConnectKafkaNewTopic topic = {name, partitions, 1};

	if (finished(connect_kafka_admin_create_topics(admin, &topic, 1, 10000, &err)))
		check_err(result.error.code == 0 && result.items[0].error.code == 0,
				  result.items[0].error);
}

static void
admin_requests(void)
{
	ConnectKafkaError err;
	ConnectKafkaProperty configs[] = {{"cleanup.policy", "compact"}};
	ConnectKafkaProperty wrong[] = {{"cleanup.policy", "sometimes"}};
	ConnectKafkaNewTopic topics[] = {
		{named("a1"), 3, -1, configs, 1}, {named("a2"), -1, 1},
		{named("a3"), 1, 1, wrong, 1}, {"not/valid", 1, 1}, {named("a4"), 1, 99}
	};
	const char *names[] = {topics[0].name, topics[1].name, "absent"};
	ConnectKafkaOffset offsets[] = {{topics[0].name, 0, 5}, {topics[0].name, 2, 7}};

	finished(connect_kafka_admin_create_topics(admin, topics, 5, 10000, &err));
	check_err(result.nitems == 5 && result.error.code == 0, result.error);
	check_err(result.items[0].error.code == 0, result.items[0].error);
	check_err(result.items[1].error.code == 0, result.items[1].error);
	for (int i = 2; i < 5; i++)
	{
		check_err(result.items[i].error.code != 0 && !result.items[i].error.retriable &&
				  strstr(result.items[i].error.text, result.items[i].name),
				  result.items[i].error);
		printf("refused: %s\n", result.items[i].error.text);
	}
	finished(connect_kafka_admin_create_topics(admin, topics, 1, 10000, &err));
	check(result.items[0].error.code == CONNECT_KAFKA_TOPIC_ALREADY_EXISTS);

	finished(connect_kafka_admin_describe_topics(admin, names, 3, 10000, &err));
	check(result.nitems == 3 && result.items[0].partitions == 3 &&
		  result.items[0].replication_factor == 1 && result.items[1].partitions == 1);
	check(result.items[2].error.code == CONNECT_KAFKA_UNKNOWN_TOPIC_OR_PART);
	check(result.cluster_id != NULL && strlen(result.cluster_id) > 10);

	/* a coordinator that is still loading says so: the same again, later */
	for (int try = 0; try < 100; try++)
	{
		finished(connect_kafka_admin_alter_group_offsets(admin, named("ag"), offsets, 2, 10000, &err));
		if (!result.error.retriable &&
			(result.nitems != 2 || (!result.items[0].error.retriable && !result.items[1].error.retriable)))
			break;
		usleep(100 * 1000);
	}
	check_err(result.error.code == 0 && result.nitems == 2, result.error);
	check_err(result.items[0].error.code == 0, result.items[0].error);
	check_err(result.items[1].error.code == 0, result.items[1].error);
	finished(connect_kafka_admin_list_group_offsets(admin, named("ag"), NULL, 0, 10000, &err));
	check(result.nitems == 2 && result.items[0].offset + result.items[1].offset == 12);
	finished(connect_kafka_admin_delete_group_offsets(admin, named("ag"), offsets, 1, 10000, &err));
	check_err(result.error.code == 0, result.error);
	finished(connect_kafka_admin_list_group_offsets(admin, named("ag"), offsets, 2, 10000, &err));
	check(result.nitems == 2 &&
		  (result.items[0].offset == CONNECT_KAFKA_OFFSET_NONE ||
		   result.items[1].offset == CONNECT_KAFKA_OFFSET_NONE));
	finished(connect_kafka_admin_delete_group(admin, named("ag"), 10000, &err));
	check_err(result.error.code == 0, result.error);
	finished(connect_kafka_admin_delete_group(admin, "never was", 10000, &err));
	check(result.error.code == CONNECT_KAFKA_GROUP_NOT_FOUND);
	finished(connect_kafka_admin_delete_topics(admin, names, 3, 10000, &err));
	check(result.nitems == 3);
	for (int i = 0; i < result.nitems; i++)
		check_err(result.items[i].error.code ==
				  (strcmp(result.items[i].name, "absent") == 0 ?
				   CONNECT_KAFKA_UNKNOWN_TOPIC_OR_PART : 0), result.items[i].error);
}

/* ------------------------------ producing ------------------------------ */

typedef struct Writer
{
	ConnectKafkaProducer *producer;
	ConnectKafkaClient *client;
	ConnectKafkaTopic *topic;
	int			sent;
	int			acknowledged;
	int			failed;
	ConnectKafkaError error;
} Writer;

static Writer
writer_open(ConnectKafkaConf *conf, const char *topic)
{
	Writer		writer = {0};
	ConnectKafkaError err;

	writer.producer = connect_kafka_producer_open(conf, &err);
	check_err(writer.producer != NULL, err);
	connect_kafka_conf_close(&conf);
	writer.client = connect_kafka_producer_client(writer.producer);
	writer.topic = connect_kafka_producer_topic(writer.producer, topic, &err);
	return writer;
}

static void
writer_poll(Writer *writer)
{
	ConnectKafkaDelivery out[500];
	ConnectKafkaNotice notice;
	int			n;

	while ((n = connect_kafka_producer_poll(writer->producer, out, 500)) > 0)
	{
		for (int i = 0; i < n; i++)
		{
			if (out[i].code == 0)
				writer->acknowledged++;
			else
			{
				writer->failed++;
				connect_kafka_delivery_error(writer->producer, &out[i], &writer->error);
			}
		}
	}
	while (connect_kafka_client_notice(writer->client, &notice))
	{
		if (notice.kind == CONNECT_KAFKA_NOTICE_ERROR && !writer->error.auth)
			writer->error = notice.error;
	}
}

/* Numbered messages to partition 0, from the last one on. */
static void
write_numbers(Writer *writer, int count)
{
	ConnectKafkaError err;

	for (int i = 0; i < count;)
	{
		char		text[32];
		int			len = snprintf(text, sizeof(text), "%d", writer->sent);
		ConnectKafkaResult outcome =
			connect_kafka_produce(writer->producer, writer->topic, 0, text, len,
								  text, len, NULL, 0, -1, i, &err);

		if (outcome == CONNECT_KAFKA_OK)
		{
			writer->sent++;
			i++;
		}
		else if (!check_err(outcome == CONNECT_KAFKA_QUEUE_FULL, err))
			return;
		else
		{
			test_wait(writer->client, 100);
			writer_poll(writer);
		}
	}
}

static void
write_all(const char *topic, int count)
{
	Writer		writer = writer_open(CONF(CONNECT_KAFKA_PRODUCER, bootstrap, {"client.id", "w"}), topic);

	write_numbers(&writer, count);
	wait_until(writer.client, writer.acknowledged == count, writer_poll(&writer));
	check_err(writer.failed == 0, writer.error);
	connect_kafka_producer_close(&writer.producer, 0);
}

/* ------------------------------ consuming ------------------------------ */

typedef struct Reader
{
	ConnectKafkaConsumer *consumer;
	ConnectKafkaClient *client;
	int			count;
	int64_t		next[8];		/* -1: not assigned */
	int64_t    *stored;
	int			disorder;
	int			lost;
	int			errors;
	int			committed;
	ConnectKafkaError error;
} Reader;

static Reader
reader_open(const char *group, const char *topic)
{
	Reader		reader = {0};
	ConnectKafkaError err;
	ConnectKafkaConf *conf = CONF(CONNECT_KAFKA_CONSUMER, bootstrap,
								  {"group.id", group}, {"fetch.max.wait.ms", "100"},
								  {"session.timeout.ms", "6000"},
								  {"topic.metadata.refresh.interval.ms", "1000"});

	reader.consumer = connect_kafka_consumer_open(conf, &err);
	check_err(reader.consumer != NULL, err);
	connect_kafka_conf_close(&conf);
	reader.client = connect_kafka_consumer_client(reader.consumer);
	for (int i = 0; i < 8; i++)
		reader.next[i] = -1;
	check_err(connect_kafka_consumer_subscribe(reader.consumer, &topic, 1, &err), err);
	return reader;
}

static void
reader_poll(Reader *reader)
{
	const ConnectKafkaMessage *messages;
	ConnectKafkaEvent event;
	ConnectKafkaOffset start[8];
	ConnectKafkaNotice notice;
	int			n = connect_kafka_consumer_fetch(reader->consumer, 1000, 1 << 20, &messages);

	for (int i = 0; i < n; i++)
	{
		int64_t    *next = messages[i].opaque;

		if (messages[i].offset != *next)
		{
			printf("partition %d: offset %d instead of %d\n", messages[i].partition,
				   (int) messages[i].offset, (int) *next);
			reader->disorder++;
		}
		*next = messages[i].offset + 1;
		reader->count++;
	}
	connect_kafka_consumer_release(reader->consumer);
	while (connect_kafka_consumer_event(reader->consumer, &event))
	{
		for (int i = 0; i < event.noffsets && i < 8; i++)
		{
			int			p = event.offsets[i].partition;

			if (event.kind == CONNECT_KAFKA_EVENT_ASSIGN)
			{
				start[i] = event.offsets[i];
				start[i].offset = reader->stored ? reader->stored[p] : 0;
				start[i].opaque = &reader->next[p];
				reader->next[p] = start[i].offset;
			}
			else if (event.kind == CONNECT_KAFKA_EVENT_REVOKE)
			{
				if (reader->stored)
					reader->stored[p] = reader->next[p];
				reader->next[p] = -1;
			}
		}
		if (event.kind == CONNECT_KAFKA_EVENT_ASSIGN)
			check(connect_kafka_consumer_accept(reader->consumer, start, event.noffsets, NULL));
		else if (event.kind == CONNECT_KAFKA_EVENT_REVOKE)
		{
			reader->lost += event.lost;
			check(connect_kafka_consumer_revoke(reader->consumer, NULL));
		}
		else if (event.kind == CONNECT_KAFKA_EVENT_COMMITTED)
			reader->committed++;
		if (event.error.code != 0)
		{
			reader->errors++;
			reader->error = event.error;
		}
	}
	while (connect_kafka_client_notice(reader->client, &notice))
	{
		if (notice.kind == CONNECT_KAFKA_NOTICE_ERROR && !reader->error.auth)
			reader->error = notice.error;
	}
}

static int
assigned_count(Reader *reader)
{
	int			count = 0;

	for (int i = 0; i < 8; i++)
		count += reader->next[i] >= 0;
	return count;
}

/* ------------------------------ scenarios ------------------------------ */

static void
two_members_share(void)
{
	const char *topic = named("share");
	const char *group = named("gshare");
	int64_t		stored[8] = {0};
	Reader		a;
	Reader		b;
	ConnectKafkaOffset at;
	ConnectKafkaError err;
	int			start;

	create_topic(topic, 4);
	write_all(topic, MESSAGES);
	a = reader_open(group, topic);
	a.stored = stored;
	wait_until(a.client, a.count > 1000, reader_poll(&a));
	b = reader_open(group, topic);
	b.stored = stored;
	wait_until(a.client, assigned_count(&a) == 2 && assigned_count(&b) == 2,
			   (reader_poll(&a), reader_poll(&b)));
	wait_until(a.client, a.count + b.count == MESSAGES,
			   (reader_poll(&a), reader_poll(&b)));
	check(a.disorder + b.disorder == 0);

	at = (ConnectKafkaOffset) {topic, 0, MESSAGES};
	check(connect_kafka_consumer_commit(a.consumer, &at, 1, &err) != 0);
	wait_until(a.client, a.committed == 1, reader_poll(&a));
	check_err(a.errors == 0, a.error);
	finished(connect_kafka_admin_list_group_offsets(admin, group, &at, 1, 5000, &err));
	check(result.nitems == 1 && result.items[0].offset == MESSAGES);
	/* Not while it has members. */
	finished(connect_kafka_admin_alter_group_offsets(admin, group, &at, 1, 5000, &err));
	check(result.error.code != 0 || result.items[0].error.code != 0);
	finished(connect_kafka_admin_delete_group(admin, group, 5000, &err));
	check_err(result.error.code == CONNECT_KAFKA_GROUP_NOT_EMPTY, result.error);

	start = (int) test_now_ms();
	check(connect_kafka_consumer_close(&b.consumer, 3000));
	printf("closing a member took %d ms\n", (int) test_now_ms() - start);
	wait_until(a.client, assigned_count(&a) == 4, reader_poll(&a));
	check(connect_kafka_consumer_close(&a.consumer, 3000));
}

static void
broker_killed(void)
{
	const char *topic = named("kill");
	Writer		writer;
	Reader		reader;
	int			start;

	if (getenv("KAFKA_KILL") == NULL || getenv("KAFKA_START") == NULL)
		return;
	create_topic(topic, 1);
	writer = writer_open(CONF(CONNECT_KAFKA_PRODUCER, bootstrap, {"client.id", "w"}), topic);
	reader = reader_open(named("gkill"), topic);
	write_numbers(&writer, MESSAGES);
	wait_until(reader.client, reader.count > 100, reader_poll(&reader));
	check(system(getenv("KAFKA_KILL")) == 0);
	write_numbers(&writer, MESSAGES);
	wait_until(writer.client, connect_kafka_client_is_down(writer.client),
			   (writer_poll(&writer), reader_poll(&reader)));
	check_err(writer.failed == 0, writer.error);
	check(system(getenv("KAFKA_START")) == 0);
	start = (int) test_now_ms();
	wait_until(writer.client, writer.acknowledged == 2 * MESSAGES,
			   (writer_poll(&writer), reader_poll(&reader)));
	printf("all acknowledged %d ms after the broker was back\n", (int) test_now_ms() - start);
	check_err(writer.failed == 0, writer.error);
	wait_until(reader.client, reader.count >= 2 * MESSAGES, reader_poll(&reader));
	check(reader.count == 2 * MESSAGES && reader.disorder == 0);
	printf("all read after %d ms\n", (int) test_now_ms() - start);
	check(!connect_kafka_client_is_down(reader.client));

	/* Stopping while it is away. */
	check(system(getenv("KAFKA_KILL")) == 0);
	write_numbers(&writer, 1000);
	start = (int) test_now_ms();
	check(connect_kafka_producer_close(&writer.producer, 300));
	check(connect_kafka_consumer_close(&reader.consumer, 300));
	printf("both closed without a broker in %d ms\n", (int) test_now_ms() - start);
	check((int) test_now_ms() - start < 2000);
	check(system(getenv("KAFKA_START")) == 0);
}

static void
topic_deleted(void)
{
	const char *topic = named("gone");
	Writer		writer;
	Reader		reader;
	ConnectKafkaError err;

	create_topic(topic, 1);
	writer = writer_open(CONF(CONNECT_KAFKA_PRODUCER, bootstrap,
							  {"topic.metadata.propagation.max.ms", "1000"},
							  {"topic.metadata.refresh.interval.ms", "1000"}), topic);
	reader = reader_open(named("ggone"), topic);
	write_numbers(&writer, 100);
	wait_until(reader.client, reader.count == 100, (reader_poll(&reader), writer_poll(&writer)));
	finished(connect_kafka_admin_delete_topics(admin, &topic, 1, 10000, &err));
	write_numbers(&writer, 10);
	wait_until(writer.client, writer.failed > 0, (reader_poll(&reader), writer_poll(&writer)));
	check_err(writer.error.retriable && strstr(writer.error.text, topic), writer.error);
	printf("producer: %s\n", writer.error.text);
	wait_until(reader.client, assigned_count(&reader) == 0 || reader.errors > 0,
			   reader_poll(&reader));
	printf("consumer: %d assigned, %s\n", assigned_count(&reader), reader.error.text);
	connect_kafka_producer_close(&writer.producer, 0);
	connect_kafka_consumer_close(&reader.consumer, 1000);

	/* A topic that never was. */
	writer = writer_open(CONF(CONNECT_KAFKA_PRODUCER, bootstrap,
							  {"topic.metadata.propagation.max.ms", "1000"}), named("never"));
	write_numbers(&writer, 1);
	wait_until(writer.client, writer.failed == 1, writer_poll(&writer));
	check_err(writer.error.retriable && strstr(writer.error.text, "create the topic"), writer.error);
	connect_kafka_producer_close(&writer.producer, 0);
}

static void
transactions(void)
{
	const char *topic = named("txn");
	ConnectKafkaError err;
	Writer		old;
	Writer		new;
	Reader		reader;
	ConnectKafkaResult outcome;
	int64_t		low;
	int64_t		high;

	create_topic(topic, 1);
	old = writer_open(CONF(CONNECT_KAFKA_PRODUCER, bootstrap, {"transactional.id", named("t")},
						   {"linger.ms", "0"}), topic);
	reader = reader_open(named("gtxn"), topic);
	outcome = CONNECT_KAFKA_IN_PROGRESS;
	wait_until(old.client, outcome != CONNECT_KAFKA_IN_PROGRESS,
			   (outcome = connect_kafka_txn_init(old.producer, 100, &err), writer_poll(&old)));
	check_err(outcome == CONNECT_KAFKA_OK, err);
	for (int round = 0; round < 3; round++)
	{
		check_err(connect_kafka_txn_begin(old.producer, &err) == CONNECT_KAFKA_OK, err);
		write_numbers(&old, 100);
		outcome = CONNECT_KAFKA_IN_PROGRESS;
		wait_until(old.client, outcome != CONNECT_KAFKA_IN_PROGRESS,
				   (outcome = round == 1 ? connect_kafka_txn_abort(old.producer, 100, &err)
					: connect_kafka_txn_commit(old.producer, 100, &err), writer_poll(&old)));
		check_err(outcome == CONNECT_KAFKA_OK, err);
	}
	wait_until(reader.client, reader.count == 200, reader_poll(&reader));
	/* The aborted hundred and the markers take offsets that nobody sees. */
	check(reader.disorder > 0 && reader.next[0] >= 201);
	check_err(connect_kafka_consumer_query_watermarks(reader.consumer, topic, 0, 5000, &low, &high, &err) ==
			  CONNECT_KAFKA_OK, err);
	check(high > reader.next[0]);
	wait_until(reader.client, connect_kafka_consumer_position(reader.consumer, topic, 0) == high,
			   reader_poll(&reader));

	/* A newer producer of the same id fences the older one. */
	check_err(connect_kafka_txn_begin(old.producer, &err) == CONNECT_KAFKA_OK, err);
	write_numbers(&old, 10);
	new = writer_open(CONF(CONNECT_KAFKA_PRODUCER, bootstrap, {"transactional.id", named("t")}), topic);
	outcome = CONNECT_KAFKA_IN_PROGRESS;
	wait_until(new.client, outcome != CONNECT_KAFKA_IN_PROGRESS,
			   (outcome = connect_kafka_txn_init(new.producer, 100, &err), writer_poll(&new)));
	check_err(outcome == CONNECT_KAFKA_OK, err);
	outcome = CONNECT_KAFKA_IN_PROGRESS;
	wait_until(old.client, outcome != CONNECT_KAFKA_IN_PROGRESS,
			   (outcome = connect_kafka_txn_commit(old.producer, 100, &err), writer_poll(&old)));
	check_err(outcome == CONNECT_KAFKA_FAILED && err.fatal, err);
	printf("fenced: %s\n", err.text);
	check(connect_kafka_client_is_fatal(old.client, NULL));
	connect_kafka_producer_close(&old.producer, 0);
	connect_kafka_producer_close(&new.producer, 0);
	connect_kafka_consumer_close(&reader.consumer, 1000);
}

static void
message_too_large_for_topic(void)
{
	const char *topic = named("small");
	ConnectKafkaError err;
	ConnectKafkaProperty configs[] = {{"max.message.bytes", "2000"}};
	ConnectKafkaNewTopic new = {topic, 1, 1, configs, 1};
	Writer		writer;
	char		value[10000];

	finished(connect_kafka_admin_create_topics(admin, &new, 1, 10000, &err));
	writer = writer_open(CONF(CONNECT_KAFKA_PRODUCER, bootstrap, {"linger.ms", "0"}), topic);
	write_numbers(&writer, 1);
	wait_until(writer.client, writer.acknowledged == 1, writer_poll(&writer));
	memset(value, 'x', sizeof(value));
	check(connect_kafka_produce(writer.producer, writer.topic, 0, NULL, 0, value,
								sizeof(value), NULL, 0, -1, 0, &err) == CONNECT_KAFKA_OK);
	wait_until(writer.client, writer.failed == 1, writer_poll(&writer));
	check_err(writer.error.code == CONNECT_KAFKA_MSG_TOO_LARGE && !writer.error.retriable,
			  writer.error);
	/* The next ones go through. */
	write_numbers(&writer, 10);
	wait_until(writer.client, writer.acknowledged == 11, writer_poll(&writer));
	check(!connect_kafka_client_is_fatal(writer.client, &err));
	connect_kafka_producer_close(&writer.producer, 0);
}

static void
refusals(const char *sasl)
{
	const char *topic = named("acl");
	Writer		writer;

	create_topic(topic, 1);
	writer = writer_open(CONF(CONNECT_KAFKA_PRODUCER, sasl,
							  {"security.protocol", "SASL_PLAINTEXT"}, {"sasl.mechanism", "PLAIN"},
							  {"sasl.jaas.config", "org.apache.kafka.common.security.plain.PlainLoginModule "
							   "required username=\"alice\" password=\"alice-secret\";"}), topic);
	write_numbers(&writer, 1);
	wait_until(writer.client, writer.failed == 1, writer_poll(&writer));
	check_err(writer.error.auth && !writer.error.retriable && strstr(writer.error.text, topic),
			  writer.error);
	printf("no ACL: %s\n", writer.error.text);
	connect_kafka_producer_close(&writer.producer, 0);

	writer = writer_open(CONF(CONNECT_KAFKA_PRODUCER, sasl,
							  {"security.protocol", "SASL_PLAINTEXT"}, {"sasl.mechanism", "PLAIN"},
							  {"sasl.username", "alice"}, {"sasl.password", "wrong"}), topic);
	wait_until(writer.client, writer.error.auth, writer_poll(&writer));
	printf("wrong password: %s\n", writer.error.text);
	check(strstr(writer.error.text, "wrong") == NULL);
	connect_kafka_producer_close(&writer.producer, 0);

	writer = writer_open(CONF(CONNECT_KAFKA_PRODUCER, sasl,
							  {"security.protocol", "SASL_PLAINTEXT"}, {"sasl.mechanism", "SCRAM-SHA-256"},
							  {"sasl.username", "admin"}, {"sasl.password", "admin-secret"}), topic);
	write_numbers(&writer, 1);
	wait_until(writer.client, writer.error.auth || writer.acknowledged == 1, writer_poll(&writer));
	if (connect_kafka_version_number() < 0x020601ff)
		check_err(writer.error.auth && strstr(writer.error.text, "2.6.1"), writer.error);
	else
		check_err(writer.acknowledged == 1, writer.error);
	printf("SCRAM: %s\n", writer.error.text);
	connect_kafka_producer_close(&writer.producer, 0);
}

static void
consumer_is_refused(const char *sasl)
{
	const char *topic = named("acl");
	ConnectKafkaError err;
	ConnectKafkaConf *conf = CONF(CONNECT_KAFKA_CONSUMER, sasl, {"group.id", named("gacl")},
								  {"security.protocol", "SASL_PLAINTEXT"}, {"sasl.mechanism", "PLAIN"},
								  {"sasl.username", "alice"}, {"sasl.password", "alice-secret"});
	Reader		reader = {0};

	reader.consumer = connect_kafka_consumer_open(conf, &err);
	connect_kafka_conf_close(&conf);
	reader.client = connect_kafka_consumer_client(reader.consumer);
	check(connect_kafka_consumer_subscribe(reader.consumer, &topic, 1, &err));
	wait_until(reader.client, reader.error.auth, reader_poll(&reader));
	printf("consumer without ACL: %s\n", reader.error.text);
	connect_kafka_consumer_close(&reader.consumer, 500);
}

int
main(int argc, char **argv)
{
	ConnectKafkaConf *conf;
	ConnectKafkaError err;

	if (argc < 2)
	{
		fprintf(stderr, "usage: %s BOOTSTRAP [SASL-BOOTSTRAP]\n", argv[0]);
		return 2;
	}
	bootstrap = argv[1];
	snprintf(suffix, sizeof(suffix), "%lld", (long long) time(NULL));
	conf = CONF(CONNECT_KAFKA_ADMIN, bootstrap, {"client.id", "admin"});
	admin = connect_kafka_admin_open(conf, &err);
	connect_kafka_conf_close(&conf);

	admin_requests();
	two_members_share();
	message_too_large_for_topic();
	transactions();
	topic_deleted();
	if (argc > 2)
	{
		refusals(argv[2]);
		consumer_is_refused(argv[2]);
	}
	broker_killed();
	connect_kafka_admin_close(&admin);
	return test_end();
}
