/*
 * kafka_producer.c
 *	  The producer against the mock cluster: deliveries, faults, limits, close.
 */
#include "kafka_test.h"

#include <dirent.h>
#include <signal.h>

#define API_PRODUCE 0

typedef struct Tally
{
	int			ok;
	int			failed;
	int			purged;
	int			notices;
	int64_t		last_offset;
	ConnectKafkaError error;	/* of the last failure */
} Tally;

static char bootstrap[256];
static ConnectKafkaMock *mock;

static void
poll_all(ConnectKafkaProducer *producer, Tally *tally)
{
	ConnectKafkaDelivery out[100];
	ConnectKafkaNotice notice;
	int			n;

	while ((n = connect_kafka_producer_poll(producer, out, 100)) > 0)
	{
		for (int i = 0; i < n; i++)
		{
			if (out[i].code == CONNECT_KAFKA_NO_ERROR)
			{
				tally->ok++;
				tally->last_offset = out[i].offset;
			}
			else
			{
				if (out[i].code == CONNECT_KAFKA_PURGED)
					tally->purged++;
				tally->failed++;
				connect_kafka_delivery_error(producer, &out[i], &tally->error);
			}
		}
	}
	while (connect_kafka_client_notice(connect_kafka_producer_client(producer), &notice))
		tally->notices++;
}

static ConnectKafkaResult
put(ConnectKafkaProducer *producer, ConnectKafkaTopic *topic, const char *value)
{
	ConnectKafkaError err;

	return connect_kafka_produce(producer, topic, -1, NULL, 0, value,
								 value ? strlen(value) : 0, NULL, 0, -1, 7, &err);
}

static ConnectKafkaProducer *
open_producer(const ConnectKafkaConf *conf)
{
	ConnectKafkaError err;
	ConnectKafkaProducer *producer = connect_kafka_producer_open(conf, &err);

	check_err(producer != NULL, err);
	return producer;
}

/* Each thread but this one, and those of sanitizers, blocks every signal. */
static void
threads_block_signals(void)
{
	DIR		   *dir = opendir("/proc/self/task");
	struct dirent *entry;
	int			others = 0;

	while ((entry = readdir(dir)) != NULL)
	{
		char		path[300];
		char		line[200];
		unsigned long long blocked = 0;
		FILE	   *file;

		if (entry->d_name[0] == '.' || atoi(entry->d_name) == getpid())
			continue;
		snprintf(path, sizeof(path), "/proc/self/task/%s/status", entry->d_name);
		file = fopen(path, "r");
		if (file == NULL)
			continue;
		while (fgets(line, sizeof(line), file) != NULL)
			sscanf(line, "SigBlk: %llx", &blocked);
		fclose(file);
		others++;
		/* All but KILL and STOP, and the two that libc keeps for itself. */
		check((blocked | (1ULL << 8) | (1ULL << 18) | (3ULL << 31)) ==
			  0xffffffffffffffffULL);
	}
	closedir(dir);
	check(others >= 4);
}

static void
delivers(void)
{
	ConnectKafkaConf *conf = CONF(CONNECT_KAFKA_PRODUCER, bootstrap,
								  {"client.id", "unit"});
	ConnectKafkaProducer *producer = open_producer(conf);
	ConnectKafkaError err;
	ConnectKafkaTopic *topic = connect_kafka_producer_topic(producer, "plain", &err);
	ConnectKafkaHeader headers[2] = {{"a", "1", 1}, {"b", NULL, 0}};
	Tally		tally = {0};
	int64_t		start = test_now_ms();

	connect_kafka_conf_close(&conf);
	connect_kafka_conf_close(&conf);
	check(topic == connect_kafka_producer_topic(producer, "plain", &err));
	check(strcmp(connect_kafka_topic_name(topic), "plain") == 0);
	check(put(producer, topic, "first") == CONNECT_KAFKA_OK);
	wait_until(connect_kafka_producer_client(producer), tally.ok == 1,
			   poll_all(producer, &tally));
	printf("first message after %d ms\n", (int) (test_now_ms() - start));
	for (int i = 0; i < 1000; i++)
		check(put(producer, topic, i % 10 ? "value" : NULL) == CONNECT_KAFKA_OK);
	check(connect_kafka_produce(producer, topic, 0, "k", 1, "v", 1, headers, 2,
								1234567, 9, &err) == CONNECT_KAFKA_OK);
	check(connect_kafka_produce(producer, topic, 99, "k", 1, "v", 1, headers, 2,
								1234567, 9, &err) == CONNECT_KAFKA_FAILED);
	check_err(strstr(err.text, "\"plain\" partition 99") != NULL, err);
	wait_until(connect_kafka_producer_client(producer),
			   connect_kafka_producer_flush(producer) == CONNECT_KAFKA_OK,
			   poll_all(producer, &tally));
	check(tally.ok == 1002);
	check(tally.failed == 0);
	check(connect_kafka_producer_outstanding(producer) == 0);
	threads_block_signals();
	check(connect_kafka_producer_close(&producer, 1000));
	check(producer == NULL);
	check(connect_kafka_producer_close(&producer, 1000));
}

static void
queue_full_loses_nothing(void)
{
	ConnectKafkaConf *conf = CONF(CONNECT_KAFKA_PRODUCER, bootstrap,
								  {"queue.buffering.max.messages", "100"});
	ConnectKafkaProducer *producer = open_producer(conf);
	ConnectKafkaTopic *topic = connect_kafka_producer_topic(producer, "full", NULL);
	Tally		tally = {0};
	int			full = 0;
	int			taken = 0;

	connect_kafka_conf_close(&conf);
	while (taken < 5000)
	{
		ConnectKafkaResult result = put(producer, topic, "x");

		if (result == CONNECT_KAFKA_OK)
			taken++;
		else if (check(result == CONNECT_KAFKA_QUEUE_FULL))
		{
			full++;
			test_wait(connect_kafka_producer_client(producer), 1000);
			poll_all(producer, &tally);
		}
		else
			break;
	}
	wait_until(connect_kafka_producer_client(producer), tally.ok == taken,
			   poll_all(producer, &tally));
	check(full > 0);
	connect_kafka_producer_close(&producer, 0);
}

static void
big_messages(void)
{
	ConnectKafkaConf *conf = CONF(CONNECT_KAFKA_PRODUCER, bootstrap,
								  {"max.request.size", "5000000"});
	ConnectKafkaProducer *producer = open_producer(conf);
	ConnectKafkaTopic *topic = connect_kafka_producer_topic(producer, "big", NULL);
	ConnectKafkaError err;
	Tally		tally = {0};
	char	   *value = calloc(1, 6000000);

	connect_kafka_conf_close(&conf);
	check(connect_kafka_produce(producer, topic, 0, NULL, 0, value, 4900000, NULL,
								0, -1, 1, &err) == CONNECT_KAFKA_OK);
	check(connect_kafka_produce(producer, topic, 0, NULL, 0, value, 6000000, NULL,
								0, -1, 1, &err) == CONNECT_KAFKA_FAILED);
	check(err.code == CONNECT_KAFKA_MSG_TOO_LARGE && !err.retriable && !err.fatal);
	check_err(strstr(err.text, "6000000") && strstr(err.text, "\"big\"") &&
			  strstr(err.text, "max.request.size"), err);
	check(strcmp(connect_kafka_error_class(err.code),
				 "org.apache.kafka.common.errors.RecordTooLargeException") == 0);
	wait_until(connect_kafka_producer_client(producer), tally.ok == 1,
			   poll_all(producer, &tally));
	/* Refused by the broker. */
	connect_kafka_mock_fail(mock, API_PRODUCE, (int[]) {CONNECT_KAFKA_MSG_TOO_LARGE}, 1);
	check(put(producer, topic, "small") == CONNECT_KAFKA_OK);
	wait_until(connect_kafka_producer_client(producer), tally.failed == 1,
			   poll_all(producer, &tally));
	check_err(tally.error.code == CONNECT_KAFKA_MSG_TOO_LARGE, tally.error);
	free(value);
	connect_kafka_producer_close(&producer, 0);
}

/* Of several handed over together each has its own outcome. */
static void
several_at_once(void)
{
	ConnectKafkaConf *conf = CONF(CONNECT_KAFKA_PRODUCER, bootstrap,
								  {"queue.buffering.max.messages", "4"},
								  {"max.request.size", "5000"});
	ConnectKafkaProducer *producer = open_producer(conf);
	ConnectKafkaTopic *topic = connect_kafka_producer_topic(producer, "several", NULL);
	ConnectKafkaError err;
	ConnectKafkaOutgoing messages[7];
	Tally		tally = {0};
	char		large[6000] = {0};

	connect_kafka_conf_close(&conf);
	for (int i = 0; i < 7; i++)
		messages[i] = (ConnectKafkaOutgoing) {.key = "k",.key_len = 1,.value = "v",.value_len = 1,.opaque = i};
	messages[0].key = NULL;
	messages[2].value = NULL;
	check(connect_kafka_produce_all(producer, topic, -1, messages, 3));
	messages[3].value = large;
	messages[3].value_len = sizeof(large);
	check(!connect_kafka_produce_all(producer, topic, -1, messages + 3, 4));
	check(messages[3].result == CONNECT_KAFKA_FAILED);
	connect_kafka_outgoing_error(producer, topic, -1, &messages[3], &err);
	check_err(err.code == CONNECT_KAFKA_MSG_TOO_LARGE && strstr(err.text, "6001") &&
			  strstr(err.text, "max.request.size"), err);
	check(messages[4].result == CONNECT_KAFKA_OK);
	check(messages[5].result == CONNECT_KAFKA_QUEUE_FULL);
	check(messages[6].result == CONNECT_KAFKA_QUEUE_FULL);
	wait_until(connect_kafka_producer_client(producer), tally.ok == 4,
			   poll_all(producer, &tally));
	check(tally.failed == 0);
	connect_kafka_producer_close(&producer, 0);
}

static void
errors_are_classified(void)
{
	ConnectKafkaConf *conf = CONF(CONNECT_KAFKA_PRODUCER, bootstrap,
								  {"enable.idempotence", "false"});
	ConnectKafkaProducer *producer = open_producer(conf);
	ConnectKafkaTopic *topic = connect_kafka_producer_topic(producer, "plain", NULL);
	Tally		tally = {0};

	connect_kafka_conf_close(&conf);
	/* Retried inside the client. */
	connect_kafka_mock_fail(mock, API_PRODUCE, (int[]) {6, 19, 7}, 3);
	check(put(producer, topic, "retried") == CONNECT_KAFKA_OK);
	wait_until(connect_kafka_producer_client(producer), tally.ok == 1,
			   poll_all(producer, &tally));
	check(tally.failed == 0);

	connect_kafka_mock_fail(mock, API_PRODUCE, (int[]) {29}, 1);
	check(put(producer, topic, "refused") == CONNECT_KAFKA_OK);
	wait_until(connect_kafka_producer_client(producer), tally.failed == 1,
			   poll_all(producer, &tally));
	check_err(tally.error.auth && !tally.error.retriable &&
			  strstr(tally.error.text, "\"plain\"") && strstr(tally.error.text, "ACL"),
			  tally.error);
	connect_kafka_producer_close(&producer, 0);
}

static void
topic_missing(void)
{
	ConnectKafkaConf *conf = CONF(CONNECT_KAFKA_PRODUCER, bootstrap,
								  {"topic.metadata.propagation.max.ms", "200"});
	ConnectKafkaProducer *producer = open_producer(conf);
	ConnectKafkaTopic *topic;
	Tally		tally = {0};

	connect_kafka_conf_close(&conf);
	connect_kafka_mock_topic_error(mock, "missing", CONNECT_KAFKA_UNKNOWN_TOPIC_OR_PART);
	topic = connect_kafka_producer_topic(producer, "missing", NULL);
	check(put(producer, topic, "x") == CONNECT_KAFKA_OK);
	wait_until(connect_kafka_producer_client(producer), tally.failed == 1,
			   poll_all(producer, &tally));
	check_err(tally.error.retriable && strstr(tally.error.text, "create the topic"),
			  tally.error);
	connect_kafka_mock_topic_error(mock, "missing", 0);
	connect_kafka_producer_close(&producer, 0);
}

static void
broker_down_and_up(void)
{
	ConnectKafkaConf *conf = CONF(CONNECT_KAFKA_PRODUCER, bootstrap,
								  {"linger.ms", "0"});
	ConnectKafkaProducer *producer = open_producer(conf);
	ConnectKafkaClient *client = connect_kafka_producer_client(producer);
	ConnectKafkaTopic *topic = connect_kafka_producer_topic(producer, "plain", NULL);
	ConnectKafkaError err;
	Tally		tally = {0};

	connect_kafka_conf_close(&conf);
	check(put(producer, topic, "before") == CONNECT_KAFKA_OK);
	wait_until(client, tally.ok == 1, poll_all(producer, &tally));
	connect_kafka_mock_broker_up(mock, -1, false);
	for (int i = 0; i < 100; i++)
		check(put(producer, topic, "while down") == CONNECT_KAFKA_OK);
	wait_until(client, connect_kafka_client_is_down(client),
			   poll_all(producer, &tally));
	check(tally.notices > 0);
	check(connect_kafka_client_probe(client, 50, &err) == CONNECT_KAFKA_IN_PROGRESS);
	check_err(err.retriable, err);
	check(tally.ok == 1 && tally.failed == 0);
	connect_kafka_mock_broker_up(mock, -1, true);
	wait_until(client, tally.ok == 101, poll_all(producer, &tally));
	check(tally.failed == 0);
	check(!connect_kafka_client_is_down(client));
	connect_kafka_producer_close(&producer, 0);
}

static void
close_with_dead_broker(void)
{
	ConnectKafkaConf *conf = CONF(CONNECT_KAFKA_PRODUCER, bootstrap,
								  {"linger.ms", "0"});
	ConnectKafkaProducer *producer = open_producer(conf);
	ConnectKafkaClient *client = connect_kafka_producer_client(producer);
	ConnectKafkaTopic *topic = connect_kafka_producer_topic(producer, "plain", NULL);
	Tally		tally = {0};
	int64_t		start;

	check(put(producer, topic, "before") == CONNECT_KAFKA_OK);
	wait_until(client, tally.ok == 1, poll_all(producer, &tally));
	connect_kafka_mock_broker_up(mock, -1, false);
	for (int i = 0; i < 1000; i++)
		check(put(producer, topic, "lost") == CONNECT_KAFKA_OK);
	start = test_now_ms();
	check(connect_kafka_producer_close(&producer, 300));
	check(test_now_ms() - start < 1300);
	printf("close with 1000 messages and no broker: %d ms\n",
		   (int) (test_now_ms() - start));

	/* Purge tells of every message. */
	producer = open_producer(conf);
	client = connect_kafka_producer_client(producer);
	topic = connect_kafka_producer_topic(producer, "plain", NULL);
	memset(&tally, 0, sizeof(tally));
	for (int i = 0; i < 1000; i++)
		check(put(producer, topic, "purged") == CONNECT_KAFKA_OK);
	check(connect_kafka_producer_flush(producer) == CONNECT_KAFKA_IN_PROGRESS);
	connect_kafka_producer_purge(producer);
	wait_until(client, tally.purged == 1000, poll_all(producer, &tally));
	start = test_now_ms();
	check(connect_kafka_producer_close(&producer, 0));
	check(test_now_ms() - start < 500);
	connect_kafka_mock_broker_up(mock, -1, true);
	connect_kafka_conf_close(&conf);
}

static void
transactions(void)
{
	ConnectKafkaConf *conf = CONF(CONNECT_KAFKA_PRODUCER, bootstrap,
								  {"transactional.id", "unit-1"},
								  {"linger.ms", "0"});
	ConnectKafkaProducer *producer = open_producer(conf);
	ConnectKafkaClient *client = connect_kafka_producer_client(producer);
	ConnectKafkaTopic *topic = connect_kafka_producer_topic(producer, "txn", NULL);
	ConnectKafkaResult result = CONNECT_KAFKA_IN_PROGRESS;
	ConnectKafkaError err;
	Tally		tally = {0};

	connect_kafka_conf_close(&conf);
	wait_until(client, result != CONNECT_KAFKA_IN_PROGRESS,
			   (result = connect_kafka_txn_init(producer, 100, &err),
				poll_all(producer, &tally)));
	check_err(result == CONNECT_KAFKA_OK, err);
	for (int round = 0; round < 3; round++)
	{
		check_err(connect_kafka_txn_begin(producer, &err) == CONNECT_KAFKA_OK, err);
		for (int i = 0; i < 100; i++)
			check(put(producer, topic, "in transaction") == CONNECT_KAFKA_OK);
		if (round == 1)
		{
			/* The cluster goes away while the commit runs. */
			wait_until(client, tally.ok == 200, poll_all(producer, &tally));
			connect_kafka_mock_broker_up(mock, -1, false);
			check(connect_kafka_txn_commit(producer, 100, &err) == CONNECT_KAFKA_IN_PROGRESS);
			connect_kafka_mock_broker_up(mock, -1, true);
		}
		result = CONNECT_KAFKA_IN_PROGRESS;
		wait_until(client, result != CONNECT_KAFKA_IN_PROGRESS,
				   (result = round < 2 ? connect_kafka_txn_commit(producer, 100, &err)
					: connect_kafka_txn_abort(producer, 100, &err),
					poll_all(producer, &tally)));
		check_err(result == CONNECT_KAFKA_OK, err);
	}
	check(tally.ok + tally.failed == 300);

	/* A refusal asks for an abort. */
	check_err(connect_kafka_txn_begin(producer, &err) == CONNECT_KAFKA_OK, err);
	connect_kafka_mock_fail(mock, 24 /* AddPartitionsToTxn */ , (int[]) {29}, 1);
	check(put(producer, topic, "refused") == CONNECT_KAFKA_OK);
	wait_until(client, tally.ok + tally.failed == 301, poll_all(producer, &tally));
	check(connect_kafka_txn_commit(producer, 100, &err) == CONNECT_KAFKA_FAILED);
	check_err(err.abort && !err.fatal, err);
	result = CONNECT_KAFKA_IN_PROGRESS;
	wait_until(client, result != CONNECT_KAFKA_IN_PROGRESS,
			   (result = connect_kafka_txn_abort(producer, 100, &err),
				poll_all(producer, &tally)));
	check_err(result == CONNECT_KAFKA_OK, err);
	connect_kafka_producer_close(&producer, 0);
}

static void
fatal_errors_are_told(void)
{
	ConnectKafkaConf *conf = CONF(CONNECT_KAFKA_PRODUCER, bootstrap,
								  {"linger.ms", "0"});
	ConnectKafkaProducer *producer = open_producer(conf);
	ConnectKafkaClient *client = connect_kafka_producer_client(producer);
	ConnectKafkaTopic *topic = connect_kafka_producer_topic(producer, "plain", NULL);
	ConnectKafkaError err;
	Tally		tally = {0};

	check(put(producer, topic, "before") == CONNECT_KAFKA_OK);
	wait_until(client, tally.ok == 1, poll_all(producer, &tally));
	/* The brokers say that a sequence number is missing. */
	connect_kafka_mock_fail(mock, API_PRODUCE, (int[]) {45}, 1);
	check(put(producer, topic, "x") == CONNECT_KAFKA_OK);
	wait_until(client, connect_kafka_client_is_fatal(client, &err),
			   poll_all(producer, &tally));
	check_err(err.fatal && err.text[0] != '\0', err);
	check(connect_kafka_produce(producer, topic, -1, NULL, 0, "x", 1, NULL, 0, -1,
								0, &err) == CONNECT_KAFKA_FAILED);
	check_err(err.fatal, err);
	check(connect_kafka_producer_close(&producer, 0));
	/* A new handle goes on. */
	memset(&tally, 0, sizeof(tally));
	producer = open_producer(conf);
	topic = connect_kafka_producer_topic(producer, "plain", NULL);
	check(put(producer, topic, "after") == CONNECT_KAFKA_OK);
	wait_until(connect_kafka_producer_client(producer), tally.ok == 1,
			   poll_all(producer, &tally));
	connect_kafka_producer_close(&producer, 0);
	connect_kafka_conf_close(&conf);
}

int
main(void)
{
	ConnectKafkaError err;

	mock = connect_kafka_mock_start(1, bootstrap, sizeof(bootstrap), &err);
	check_err(mock != NULL, err);
	delivers();
	queue_full_loses_nothing();
	big_messages();
	several_at_once();
	errors_are_classified();
	topic_missing();
	broker_down_and_up();
	close_with_dead_broker();
	transactions();
	fatal_errors_are_told();
	connect_kafka_mock_close(&mock);
	connect_kafka_mock_close(&mock);
	return test_end();
}
