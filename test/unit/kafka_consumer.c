/*
 * kafka_consumer.c
 *	  The consumer against the mock cluster: manual and group mode, rebalance,
 *	  seek, pause, offsets, faults, close.
 */
#include "kafka_test.h"

static char bootstrap[256];
static ConnectKafkaMock *mock;

/* What a reader saw, by partition; offsets must come without a gap. */
typedef struct Reader
{
	ConnectKafkaConsumer *consumer;
	ConnectKafkaClient *client;
	int64_t		next[8];		/* -1: not assigned */
	int			count;
	int			bytes;
	int			disorder;
	int			assigns;
	int			revokes;
	int			lost;
	int			committed;
	int			left;
	int			errors;
	int			out_of_range;
	int			notices;
	ConnectKafkaError error;
	ConnectKafkaOffset offset;	/* of the last event of one partition */
	int64_t		low;
	int64_t		high;
	int64_t		offsets[8];		/* of the last OFFSETS event */
	int			noffsets;
	int64_t    *stored;			/* start offsets by partition, as a table has
								 * them */
	int			accept_delay;	/* polls before an assignment is answered */
} Reader;

static void
produce_to(const char *topic, int32_t partition, int count, int size)
{
	ConnectKafkaConf *conf = CONF(CONNECT_KAFKA_PRODUCER, bootstrap,
								  {"linger.ms", "1"}, {"batch.size", "2000"});
	ConnectKafkaError err;
	ConnectKafkaProducer *producer = connect_kafka_producer_open(conf, &err);
	ConnectKafkaTopic *handle = connect_kafka_producer_topic(producer, topic, &err);
	ConnectKafkaDelivery out[100];
	ConnectKafkaHeader headers[2] = {{"h1", "one", 3}, {"h2", NULL, 0}};
	char	   *value = malloc(size);
	int			delivered = 0;

	connect_kafka_conf_close(&conf);
	memset(value, 'v', size);
	for (int i = 0; i < count; i++)
		while (connect_kafka_produce(producer, handle, partition, i % 2 ? "key" : NULL,
									 3, i % 3 ? value : NULL, size, headers, 2,
									 1000 + i, i, &err) == CONNECT_KAFKA_QUEUE_FULL)
			delivered += connect_kafka_producer_poll(producer, out, 100);
	while (delivered < count)
	{
		delivered += connect_kafka_producer_poll(producer, out, 100);
		test_wait(connect_kafka_producer_client(producer), 20);
	}
	free(value);
	connect_kafka_producer_close(&producer, 0);
}

static Reader
reader_open(const char *group, const ConnectKafkaProperty *more, int nmore)
{
	ConnectKafkaProperty props[16] = {{"group.id", group},
	{"fetch.wait.max.ms", "20"}, {"session.timeout.ms", "6000"},
	{"heartbeat.interval.ms", "200"}};
	ConnectKafkaConf *conf;
	ConnectKafkaError err;
	Reader		reader = {0};

	for (int i = 0; i < nmore; i++)
		props[4 + i] = more[i];
	conf = test_conf(CONNECT_KAFKA_CONSUMER, bootstrap, props, 4 + nmore);
	reader.consumer = connect_kafka_consumer_open(conf, &err);
	check_err(reader.consumer != NULL, err);
	connect_kafka_conf_close(&conf);
	reader.client = connect_kafka_consumer_client(reader.consumer);
	for (int i = 0; i < 8; i++)
		reader.next[i] = -1;
	return reader;
}

static void
take_events(Reader *reader)
{
	ConnectKafkaEvent event;
	ConnectKafkaError err;
	ConnectKafkaOffset start[8];

	while (connect_kafka_consumer_event(reader->consumer, &event))
	{
		switch (event.kind)
		{
			case CONNECT_KAFKA_EVENT_ASSIGN:
				for (int i = 0; i < event.noffsets; i++)
				{
					int			p = event.offsets[i].partition;

					start[i] = event.offsets[i];
					start[i].offset = reader->stored ? reader->stored[p] : 0;
					start[i].opaque = &reader->next[p];
					reader->next[p] = start[i].offset;
				}
				reader->assigns++;
				check_err(connect_kafka_consumer_accept(reader->consumer, start,
														event.noffsets, &err), err);
				break;
			case CONNECT_KAFKA_EVENT_REVOKE:
				for (int i = 0; i < event.noffsets; i++)
				{
					int			p = event.offsets[i].partition;

					check(event.offsets[i].opaque == &reader->next[p]);
					if (reader->stored)
						reader->stored[p] = reader->next[p];
					reader->next[p] = -1;
				}
				reader->revokes++;
				reader->lost += event.lost;
				check_err(connect_kafka_consumer_revoke(reader->consumer, &err), err);
				break;
			case CONNECT_KAFKA_EVENT_COMMITTED:
				reader->committed++;
				reader->error = event.error;
				break;
			case CONNECT_KAFKA_EVENT_OFFSETS:
				reader->noffsets = event.noffsets;
				for (int i = 0; i < event.noffsets; i++)
					reader->offsets[event.offsets[i].partition] = event.offsets[i].offset;
				reader->error = event.error;
				break;
			case CONNECT_KAFKA_EVENT_OUT_OF_RANGE:
				reader->out_of_range++;
				reader->error = event.error;
				reader->offset = event.offsets[0];
				reader->low = event.low;
				reader->high = event.high;
				break;
			case CONNECT_KAFKA_EVENT_PARTITION_ERROR:
				reader->errors++;
				reader->error = event.error;
				reader->offset = event.offsets[0];
				break;
			case CONNECT_KAFKA_EVENT_LEFT:
				reader->left++;
				break;
		}
	}
}

static void
read_some(Reader *reader, int max)
{
	const ConnectKafkaMessage *messages;
	ConnectKafkaNotice notice;
	int			n = connect_kafka_consumer_fetch(reader->consumer, max, 1 << 20,
												 &messages);

	for (int i = 0; i < n; i++)
	{
		int64_t    *next = messages[i].opaque;
		ConnectKafkaHeader headers[4];

		if (messages[i].offset != *next)
		{
			printf("partition %d: offset %d instead of %d\n", messages[i].partition,
				   (int) messages[i].offset, (int) *next);
			reader->disorder++;
		}
		*next = messages[i].offset + 1;
		reader->count++;
		reader->bytes += messages[i].value_len;
		if (i == 0)
		{
			check(connect_kafka_message_headers(&messages[i], headers, 4) == 2);
			check(strcmp(headers[0].key, "h1") == 0 && headers[0].value_len == 3 &&
				  headers[1].value == NULL);
		}
	}
	connect_kafka_consumer_release(reader->consumer);
	take_events(reader);
	while (connect_kafka_client_notice(reader->client, &notice))
	{
		reader->notices++;
		if (notice.kind == CONNECT_KAFKA_NOTICE_ERROR)
			reader->error = notice.error;
	}
}

static void
assign_one(Reader *reader, const char *topic, int partition, int64_t offset)
{
	ConnectKafkaOffset start = {topic, partition, offset, &reader->next[partition]};
	ConnectKafkaError err;

	reader->next[partition] = offset < 0 ? 0 : offset;
	check_err(connect_kafka_consumer_assign(reader->consumer, &start, 1, &err), err);
}

static void
manual_mode(void)
{
	Reader		reader = reader_open("manual", NULL, 0);
	ConnectKafkaError err;
	int64_t		low;
	int64_t		high;
	int			before;

	connect_kafka_mock_topic(mock, "manual", 2, &err);
	produce_to("manual", 0, 3000, 100);
	assign_one(&reader, "manual", 0, CONNECT_KAFKA_OFFSET_BEGINNING);
	wait_until(reader.client, reader.count == 3000, read_some(&reader, 100));
	check(reader.bytes == 200000);
	check(connect_kafka_consumer_watermarks(reader.consumer, "manual", 0, &low, &high));
	check(high == 3000);
	check(connect_kafka_consumer_query_watermarks(reader.consumer, "manual", 0, 1000,
												  &low, &high, &err) == CONNECT_KAFKA_OK);
	check(low == 0 && high == 3000);

	/* Seek back, also in the middle, and right after an assignment. */
	for (int round = 0; round < 5; round++)
	{
		before = reader.count;
		check_err(connect_kafka_consumer_seek(reader.consumer, "manual", 0, 500 * round, &err), err);
		reader.next[0] = 500 * round;
		wait_until(reader.client, reader.count >= before + 200, read_some(&reader, 50));
	}
	assign_one(&reader, "manual", 0, 5);
	check_err(connect_kafka_consumer_seek(reader.consumer, "manual", 0, 2900, &err), err);
	reader.next[0] = 2900;
	before = reader.count;
	wait_until(reader.client, reader.count >= before + 100, read_some(&reader, 1000));
	check(!connect_kafka_consumer_seek(reader.consumer, "manual", 1, 0, &err));

	/* Pause and resume in the middle skip and repeat nothing. */
	assign_one(&reader, "manual", 0, 0);
	before = reader.count;
	for (int round = 0; round < 20; round++)
	{
		int			at;

		wait_until(reader.client, reader.count >= before + 100 * round, read_some(&reader, 30));
		check(connect_kafka_consumer_pause(reader.consumer, NULL, 0, &err));
		at = reader.count;
		for (int i = 0; i < 5; i++)
		{
			read_some(&reader, 30);
			test_wait(reader.client, 5);
		}
		check(reader.count == at);
		check(connect_kafka_consumer_resume(reader.consumer, NULL, 0, &err));
	}
	wait_until(reader.client, reader.count == before + 3000, read_some(&reader, 1000));
	check(reader.disorder == 0);
	check(connect_kafka_consumer_close(&reader.consumer, 500));
	check(reader.consumer == NULL);
}

static void
batches_are_bounded(void)
{
	Reader		reader = reader_open("bounded", NULL, 0);
	const ConnectKafkaMessage *messages;
	ConnectKafkaError err;
	int			n = 0;
	int			more;

	connect_kafka_mock_topic(mock, "bounded", 1, &err);
	produce_to("bounded", 0, 300, 10000);
	assign_one(&reader, "bounded", 0, 0);
	wait_until(reader.client, n > 0,
			   n = connect_kafka_consumer_fetch(reader.consumer, 1, 1 << 20, &messages));
	check(n == 1);
	/* What is held stays while more is fetched. */
	more = 0;
	wait_until(reader.client, more > 0,
			   more = connect_kafka_consumer_fetch(reader.consumer, 1000, 100000, &messages));
	check(more < 50);
	connect_kafka_consumer_release(reader.consumer);
	connect_kafka_consumer_close(&reader.consumer, 0);
}

static void
out_of_range(void)
{
	Reader		reader = reader_open("range", NULL, 0);
	ConnectKafkaError err;
	ConnectKafkaOffset at;

	assign_one(&reader, "manual", 0, 99999);
	wait_until(reader.client, reader.out_of_range == 1, read_some(&reader, 100));
	check(reader.offset.offset == 99999 && reader.low == 0 && reader.high == 3000);
	check_err(strstr(reader.error.text, "99999") && strstr(reader.error.text, "3000") &&
			  reader.error.code == CONNECT_KAFKA_OFFSET_OUT_OF_RANGE, reader.error);
	check(connect_kafka_consumer_seek(reader.consumer, "manual", 0, 2990, &err));
	reader.next[0] = 2990;
	check(connect_kafka_consumer_position(reader.consumer, "manual", 0) == 2990);
	wait_until(reader.client, reader.count == 10, read_some(&reader, 100));
	check(connect_kafka_consumer_position(reader.consumer, "manual", 0) == 3000);
	check(connect_kafka_consumer_position(reader.consumer, "manual", 7) == CONNECT_KAFKA_OFFSET_NONE);

	/* No committed offset, then one. */
	assign_one(&reader, "manual", 1, CONNECT_KAFKA_OFFSET_COMMITTED);
	wait_until(reader.client, reader.out_of_range == 2, read_some(&reader, 100));
	check(reader.offset.offset == CONNECT_KAFKA_OFFSET_NONE);
	at = (ConnectKafkaOffset) {"manual", 1, 42};
	check(connect_kafka_consumer_commit(reader.consumer, &at, 1, &err) > 0);
	wait_until(reader.client, reader.committed == 1, read_some(&reader, 100));
	check_err(reader.error.code == 0, reader.error);
	check(connect_kafka_consumer_committed(reader.consumer, &at, 1, 5000, &err) > 0);
	wait_until(reader.client, reader.noffsets == 1, read_some(&reader, 100));
	check(reader.offsets[1] == 42);
	connect_kafka_consumer_close(&reader.consumer, 1000);
}

static void
survives_broker_loss(void)
{
	Reader		reader = reader_open("loss", NULL, 0);

	assign_one(&reader, "manual", 0, 0);
	wait_until(reader.client, reader.count > 100, read_some(&reader, 100));
	connect_kafka_mock_broker_up(mock, -1, false);
	wait_until(reader.client, connect_kafka_client_is_down(reader.client),
			   read_some(&reader, 10));
	connect_kafka_mock_broker_up(mock, -1, true);
	wait_until(reader.client, reader.count == 3000, read_some(&reader, 1000));
	check(reader.disorder == 0);
	/* Close while all brokers are away. */
	connect_kafka_mock_broker_up(mock, -1, false);
	{
		int64_t		start = test_now_ms();

		check(connect_kafka_consumer_close(&reader.consumer, 500));
		check(test_now_ms() - start < 1500);
	}
	connect_kafka_mock_broker_up(mock, -1, true);
}

static int
assigned_count(Reader *reader)
{
	int			count = 0;

	for (int i = 0; i < 4; i++)
		count += reader->next[i] >= 0;
	return count;
}

static void
group_mode(void)
{
	const char *topics[] = {"group"};
	int64_t		stored[8] = {0};
	Reader		a = reader_open("group", NULL, 0);
	Reader		b;
	ConnectKafkaError err;
	int64_t		start;

	a.stored = stored;
	connect_kafka_mock_topic(mock, "group", 4, &err);
	for (int p = 0; p < 4; p++)
		produce_to("group", p, 1000, 50);
	check_err(connect_kafka_consumer_subscribe(a.consumer, topics, 1, &err), err);
	wait_until(a.client, a.count >= 1000, read_some(&a, 100));

	/* A second member joins; what stays with the first goes on in order. */
	b = reader_open("group", NULL, 0);
	b.stored = stored;
	check_err(connect_kafka_consumer_subscribe(b.consumer, topics, 1, &err), err);
	wait_until(a.client, assigned_count(&a) == 2 && assigned_count(&b) == 2,
			   (read_some(&a, 10), read_some(&b, 10)));
	for (int p = 0; p < 4; p++)
		produce_to("group", p, 500, 50);
	wait_until(a.client, a.count + b.count == 6000,
			   (read_some(&a, 100), read_some(&b, 100)));
	check(a.disorder == 0 && b.disorder == 0);
	check(a.lost == 0 && b.lost == 0);

	/* One leaves, answering the revocation itself; the other takes over. */
	check_err(connect_kafka_consumer_leave(b.consumer, &err), err);
	wait_until(b.client, b.left == 1, (read_some(&a, 100), read_some(&b, 100)));
	check(assigned_count(&b) == 0);
	start = test_now_ms();
	check(connect_kafka_consumer_close(&b.consumer, 1000));
	check(test_now_ms() - start < 500);
	wait_until(a.client, assigned_count(&a) == 4, read_some(&a, 100));
	for (int p = 0; p < 4; p++)
		produce_to("group", p, 10, 50);
	wait_until(a.client, a.next[0] + a.next[1] + a.next[2] + a.next[3] == 6040,
			   read_some(&a, 100));
	check(a.disorder == 0);

	/* All paused, also what is assigned later; polling keeps the membership. */
	check(connect_kafka_consumer_pause(a.consumer, NULL, 0, &err));
	start = a.count;
	produce_to("group", 0, 10, 50);
	for (int i = 0; i < 20; i++)
	{
		read_some(&a, 100);
		test_wait(a.client, 10);
	}
	check(a.count == start);
	check(connect_kafka_consumer_resume(a.consumer, NULL, 0, &err));
	wait_until(a.client, a.count == start + 10, read_some(&a, 100));

	start = test_now_ms();
	check(connect_kafka_consumer_close(&a.consumer, 2000));
	printf("closing a member took %d ms\n", (int) (test_now_ms() - start));
	check(test_now_ms() - start < 1500);
}

/*
 * A member that is closed when it has joined and has no assignment yet:
 * librdkafka before 2.3.0 aborts then with cooperative-sticky.
 */
static void
closes_before_its_assignment(const char *assignor)
{
	const char *topics[] = {"group"};
	const ConnectKafkaProperty props[] = {{"debug", "cgrp"}, {"partition.assignment.strategy", assignor}};
	Reader		reader = reader_open("early", props, assignor != NULL ? 2 : 1);
	ConnectKafkaNotice notice;
	ConnectKafkaError err;
	int			codes[64];
	bool		has_joined = false;

	for (size_t i = 0; i < lengthof(codes); i++)
		codes[i] = 27;			/* REBALANCE_IN_PROGRESS */
	connect_kafka_mock_fail(mock, 14 /* SyncGroup */ , codes, lengthof(codes));
	check_err(connect_kafka_consumer_subscribe(reader.consumer, topics, 1, &err), err);
	do
	{
		take_events(&reader);
		while (connect_kafka_client_notice(reader.client, &notice))
			has_joined |= strstr(notice.error.text, "JoinGroup response: GenerationId") != NULL;
	} while (!has_joined && test_wait(reader.client, 10000));
	check(has_joined && reader.assigns == 0);
	connect_kafka_consumer_close(&reader.consumer, 500);
	connect_kafka_mock_fail(mock, 14, NULL, 0);
}

static void
group_by_regex(void)
{
	char		pattern[200];
	char		why[200];
	const char *topics[] = {pattern};
	Reader		reader = reader_open("regex", NULL, 0);
	ConnectKafkaError err;

	connect_kafka_mock_topic(mock, "re-12", 1, &err);
	connect_kafka_mock_topic(mock, "re-12x", 1, &err);
	produce_to("re-12", 0, 10, 10);
	check(connect_kafka_regex_translate("re-\\d+", pattern, sizeof(pattern), why, sizeof(why)));
	check_err(connect_kafka_consumer_subscribe(reader.consumer, topics, 1, &err), err);
	wait_until(reader.client, reader.count == 10, read_some(&reader, 100));
	check(reader.assigns == 1);
	connect_kafka_consumer_close(&reader.consumer, 1000);
}

static void
partition_errors(void)
{
	Reader		reader = reader_open("errors", NULL, 0);
	int			codes[] = {29, 29, 29};

	connect_kafka_mock_fail(mock, 1 /* Fetch */ , codes, 1);
	assign_one(&reader, "manual", 0, 0);
	wait_until(reader.client, reader.errors > 0 || reader.count == 3000,
			   read_some(&reader, 1000));
	if (reader.errors > 0)
		check_err(strstr(reader.error.text, "\"manual\"") != NULL, reader.error);
	wait_until(reader.client, reader.count == 3000, read_some(&reader, 1000));
	check(reader.disorder == 0);
	connect_kafka_consumer_close(&reader.consumer, 0);
}

static void
admin_client(void)
{
	ConnectKafkaConf *conf = CONF(CONNECT_KAFKA_ADMIN, bootstrap, {"client.id", "unit"});
	ConnectKafkaError err;
	ConnectKafkaAdmin *admin = connect_kafka_admin_open(conf, &err);
	ConnectKafkaClient *client = connect_kafka_admin_client(admin);
	ConnectKafkaAdminResult result;
	const char *names[] = {"group", "not-there"};
	uint64_t	request;
	bool		has_result = false;
	int64_t		start;

	connect_kafka_conf_close(&conf);
	connect_kafka_mock_topic_error(mock, "not-there", CONNECT_KAFKA_UNKNOWN_TOPIC_OR_PART);
	request = connect_kafka_admin_describe_topics(admin, names, 2, 10000, &err);
	wait_until(client, has_result, has_result = connect_kafka_admin_poll(admin, &result));
	check(result.request == request && result.op == CONNECT_KAFKA_DESCRIBE_TOPICS);
	check_err(result.nitems == 2 && result.error.code == 0, result.error);
	check(result.items[0].partitions == 4 && result.items[0].error.code == 0);
	check(result.items[1].error.code == CONNECT_KAFKA_UNKNOWN_TOPIC_OR_PART);

	has_result = false;
	(void) connect_kafka_admin_describe_topics(admin, NULL, 0, 10000, &err);
	wait_until(client, has_result, has_result = connect_kafka_admin_poll(admin, &result));
	check(result.nitems >= 4);

	has_result = false;
	request = connect_kafka_admin_list_group_offsets(admin, "range",
													 &(ConnectKafkaOffset) {"manual", 1},
													 1, 5000, &err);
	wait_until(client, has_result, has_result = connect_kafka_admin_poll(admin, &result));
	check(result.request == request && result.nitems == 1);
	check(result.items[0].offset == 42 && result.items[0].partition == 1);

	/* With the cluster away a request ends with an error in its time. */
	connect_kafka_mock_broker_up(mock, -1, false);
	start = test_now_ms();
	has_result = false;
	(void) connect_kafka_admin_describe_topics(admin, names, 1, 500, &err);
	wait_until(client, has_result, has_result = connect_kafka_admin_poll(admin, &result));
	check_err(result.error.retriable, result.error);
	check(test_now_ms() - start < 1500);
	has_result = false;
	(void) connect_kafka_admin_create_topics(admin,
											 &(ConnectKafkaNewTopic) {"new", 1, 1}, 1, 500, &err);
	wait_until(client, has_result, has_result = connect_kafka_admin_poll(admin, &result));
	check_err(result.error.code != 0, result.error);
	/* The coordinator comes back after the end of a request to it. */
	has_result = false;
	(void) connect_kafka_admin_list_group_offsets(admin, "range", NULL, 0, 300, &err);
	wait_until(client, has_result, has_result = connect_kafka_admin_poll(admin, &result));
	check_err(result.error.retriable, result.error);
	connect_kafka_mock_broker_up(mock, -1, true);
	has_result = false;
	request = connect_kafka_admin_list_group_offsets(admin, "range", NULL, 0, 10000, &err);
	wait_until(client, has_result, has_result = connect_kafka_admin_poll(admin, &result));
	check_err(result.request == request && result.error.code == 0, result.error);
	connect_kafka_mock_broker_up(mock, -1, false);
	/* Closing with one under way. */
	(void) connect_kafka_admin_create_topics(admin,
											 &(ConnectKafkaNewTopic) {"new", 1, 1}, 1, 5000, &err);
	check(connect_kafka_admin_close(&admin));
	connect_kafka_mock_broker_up(mock, -1, true);
}

int
main(void)
{
	ConnectKafkaError err;

	mock = connect_kafka_mock_start(1, bootstrap, sizeof(bootstrap), &err);
	check_err(mock != NULL, err);
	manual_mode();
	batches_are_bounded();
	out_of_range();
	survives_broker_loss();
	group_mode();
	closes_before_its_assignment(NULL);
	closes_before_its_assignment("cooperative-sticky");
	group_by_regex();
	partition_errors();
	admin_client();
	connect_kafka_mock_close(&mock);
	return test_end();
}
