/*
 * client.c
 *	  The kit's own Kafka client: topics, records, offsets, ACLs.
 *
 *	kafka-client [-X property=value]... BOOTSTRAP COMMAND [ARGUMENT]...
 *
 *	version                             prints librdkafka's
 *	ready                               exits 0 once a broker answers
 *	create TOPIC PARTITIONS [REPLICAS [name=value]...]
 *	delete TOPIC
 *	grow TOPIC PARTITIONS
 *	trim TOPIC PARTITION OFFSET         deletes the records before OFFSET
 *	partitions TOPIC                    prints their number, 0 if there is no topic
 *	topic-config TOPIC                  prints name=value lines
 *	ends TOPIC                          prints partition, low, high (read committed)
 *	group-offsets GROUP                 prints topic, partition, offset
 *	acl PRINCIPAL OPERATION TOPIC       allows READ, WRITE, CREATE ... on topics
 *	                                    whose names begin so; "group:NAME" likewise
 *	produce TOPIC                       records from standard input
 *	consume TOPIC                       all records up to the end, to standard output
 *
 *	A record is a line of fields between tabs: partition (-1: by the key),
 *	offset (ignored by produce), timestamp in ms (0: now), key, value, then
 *	name and value of each header.  Keys, names and values are in hexadecimal,
 *	"-" is null.
 *
 *	Consume ends at the end of each partition as seen at its start, and reads
 *	committed transactions only unless -X isolation.level=read_uncommitted.  It
 *	names the group "kafka-client" to the broker (matters with ACLs) and commits
 *	nothing.
 *	Produce with -X transactional.id=ID sends all its lines in one transaction;
 *	"abort TOPIC" is the same but for its end, "leave TOPIC" leaves it open.
 */
#define _GNU_SOURCE
#include <librdkafka/rdkafka.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_MS 30000
#define MAX_FIELDS 512

static const char *bootstrap;
static const char *properties[64];
static int	property_count;

static void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

static void
die(const char *format, ...)
{
	va_list		args;

	va_start(args, format);
	fprintf(stderr, "kafka-client: ");
	vfprintf(stderr, format, args);
	fprintf(stderr, "\n");
	va_end(args);
	exit(1);
}

static void
check(rd_kafka_resp_err_t code, const char *message)
{
	if (code)
		die("%s: %s", rd_kafka_err2name(code), message ? message : rd_kafka_err2str(code));
}

static void
check_error(rd_kafka_error_t *error)
{
	if (error)
		die("%s: %s", rd_kafka_error_name(error), rd_kafka_error_string(error));
}

static void
set_property(rd_kafka_conf_t *conf, const char *name, const char *value)
{
	char		message[512];

	if (rd_kafka_conf_set(conf, name, value, message, sizeof(message)) != RD_KAFKA_CONF_OK)
		die("%s", message);
}

static bool
has_property(const char *name)
{
	for (int i = 0; i < property_count; i++)
	{
		if (strncmp(properties[i], name, strlen(name)) == 0 && properties[i][strlen(name)] == '=')
			return true;
	}
	return false;
}

static rd_kafka_t *
open_client(rd_kafka_type_t type, rd_kafka_conf_t *conf)
{
	char		message[512];
	rd_kafka_t *rk;

	set_property(conf, "bootstrap.servers", bootstrap);
	set_property(conf, "log_level", "0");
	for (int i = 0; i < property_count; i++)
	{
		char	   *name = strdup(properties[i]);
		char	   *value = strchr(name, '=');

		if (!value)
			die("property without a value: %s", name);
		*value++ = '\0';
		set_property(conf, name, value);
		free(name);
	}
	rk = rd_kafka_new(type, conf, message, sizeof(message));
	if (!rk)
		die("%s", message);
	return rk;
}

/* --- administration --------------------------------------------------------- */

static rd_kafka_event_t *
admin_result(rd_kafka_queue_t *queue)
{
	rd_kafka_event_t *event = rd_kafka_queue_poll(queue, TIMEOUT_MS);

	if (!event)
		die("no answer within %d ms", TIMEOUT_MS);
	check(rd_kafka_event_error(event), rd_kafka_event_error_string(event));
	return event;
}

static void
check_topics(const rd_kafka_topic_result_t **topics, size_t count)
{
	for (size_t i = 0; i < count; i++)
		check(rd_kafka_topic_result_error(topics[i]),
			  rd_kafka_topic_result_error_string(topics[i]));
}

static int
partition_count(rd_kafka_t *rk, const char *topic)
{
	const struct rd_kafka_metadata *metadata;
	int			count = 0;

	check(rd_kafka_metadata(rk, 1, NULL, &metadata, TIMEOUT_MS), NULL);
	for (int i = 0; i < metadata->topic_cnt; i++)
	{
		if (strcmp(metadata->topics[i].topic, topic) == 0)
			count = metadata->topics[i].partition_cnt;
	}
	rd_kafka_metadata_destroy(metadata);
	return count;
}

/* A broker answers admin requests before its metadata shows their effect. */
static void
wait_for_partitions(rd_kafka_t *rk, const char *topic, int count)
{
	for (int i = 0; i < TIMEOUT_MS / 20; i++)
	{
		if (partition_count(rk, topic) == count)
			return;
		rd_kafka_poll(rk, 20);
	}
	die("topic %s does not come to %d partitions", topic, count);
}

static void
create_topic(rd_kafka_t *rk, rd_kafka_queue_t *queue, char **args, int nargs)
{
	char		message[512];
	int			replicas = nargs > 2 ? atoi(args[2]) : -1;
	rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(args[0], atoi(args[1]), replicas,
													   message, sizeof(message));
	rd_kafka_event_t *event;
	const rd_kafka_topic_result_t **topics;
	size_t		count;

	if (!topic)
		die("%s", message);
	for (int i = 3; i < nargs; i++)
	{
		char	   *value = strchr(args[i], '=');

		if (!value)
			die("topic setting without a value: %s", args[i]);
		*value++ = '\0';
		check(rd_kafka_NewTopic_set_config(topic, args[i], value), NULL);
	}
	rd_kafka_CreateTopics(rk, &topic, 1, NULL, queue);
	event = admin_result(queue);
	topics = rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
	check_topics(topics, count);
	wait_for_partitions(rk, args[0], atoi(args[1]));
}

static void
delete_topic(rd_kafka_t *rk, rd_kafka_queue_t *queue, const char *name)
{
	rd_kafka_DeleteTopic_t *topic = rd_kafka_DeleteTopic_new(name);
	rd_kafka_event_t *event;
	const rd_kafka_topic_result_t **topics;
	size_t		count;

	rd_kafka_DeleteTopics(rk, &topic, 1, NULL, queue);
	event = admin_result(queue);
	topics = rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(event), &count);
	check_topics(topics, count);
	wait_for_partitions(rk, name, 0);
}

static void
grow_topic(rd_kafka_t *rk, rd_kafka_queue_t *queue, const char *name, int partitions)
{
	char		message[512];
	rd_kafka_NewPartitions_t *grown = rd_kafka_NewPartitions_new(name, partitions, message,
																 sizeof(message));
	rd_kafka_event_t *event;
	const rd_kafka_topic_result_t **topics;
	size_t		count;

	if (!grown)
		die("%s", message);
	rd_kafka_CreatePartitions(rk, &grown, 1, NULL, queue);
	event = admin_result(queue);
	topics = rd_kafka_CreatePartitions_result_topics(rd_kafka_event_CreatePartitions_result(event), &count);
	check_topics(topics, count);
	wait_for_partitions(rk, name, partitions);
}

static void
trim_topic(rd_kafka_t *rk, rd_kafka_queue_t *queue, const char *name, int partition, int64_t offset)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
	const rd_kafka_topic_partition_list_t *done;
	rd_kafka_DeleteRecords_t *request;
	rd_kafka_event_t *event;

	rd_kafka_topic_partition_list_add(list, name, partition)->offset = offset;
	request = rd_kafka_DeleteRecords_new(list);
	rd_kafka_DeleteRecords(rk, &request, 1, NULL, queue);
	event = admin_result(queue);
	done = rd_kafka_DeleteRecords_result_offsets(rd_kafka_event_DeleteRecords_result(event));
	for (int i = 0; i < done->cnt; i++)
		check(done->elems[i].err, NULL);
}

static void
print_topic_config(rd_kafka_t *rk, rd_kafka_queue_t *queue, const char *name)
{
	rd_kafka_ConfigResource_t *resource =
		rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, name);
	rd_kafka_event_t *event;
	const rd_kafka_ConfigResource_t **resources;
	const rd_kafka_ConfigEntry_t **entries;
	size_t		count;

	rd_kafka_DescribeConfigs(rk, &resource, 1, NULL, queue);
	event = admin_result(queue);
	resources = rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(event),
														  &count);
	check(rd_kafka_ConfigResource_error(resources[0]),
		  rd_kafka_ConfigResource_error_string(resources[0]));
	entries = rd_kafka_ConfigResource_configs(resources[0], &count);
	for (size_t i = 0; i < count; i++)
	{
		const char *value = rd_kafka_ConfigEntry_value(entries[i]);

		printf("%s=%s\n", rd_kafka_ConfigEntry_name(entries[i]), value ? value : "");
	}
}

static void
print_group_offsets(rd_kafka_t *rk, rd_kafka_queue_t *queue, const char *group)
{
	rd_kafka_ListConsumerGroupOffsets_t *request =
		rd_kafka_ListConsumerGroupOffsets_new(group, NULL);
	const rd_kafka_ListConsumerGroupOffsets_result_t *result;
	const rd_kafka_group_result_t **groups;
	const rd_kafka_topic_partition_list_t *list;
	size_t		count;

	rd_kafka_ListConsumerGroupOffsets(rk, &request, 1, NULL, queue);
	result = rd_kafka_event_ListConsumerGroupOffsets_result(admin_result(queue));
	groups = rd_kafka_ListConsumerGroupOffsets_result_groups(result, &count);
	check_error((rd_kafka_error_t *) rd_kafka_group_result_error(groups[0]));
	list = rd_kafka_group_result_partitions(groups[0]);
	for (int i = 0; i < list->cnt; i++)
		printf("%s\t%d\t%lld\n", list->elems[i].topic, list->elems[i].partition,
			   (long long) list->elems[i].offset);
}

static rd_kafka_AclOperation_t
acl_operation(const char *name)
{
	for (int i = RD_KAFKA_ACL_OPERATION_ALL; i < RD_KAFKA_ACL_OPERATION__CNT; i++)
	{
		if (strcmp(rd_kafka_AclOperation_name(i), name) == 0)
			return i;
	}
	die("no such operation: %s", name);
}

static void
allow(rd_kafka_t *rk, rd_kafka_queue_t *queue, const char *principal, const char *operation,
	  const char *resource)
{
	char		message[512];
	bool		group = strncmp(resource, "group:", 6) == 0;
	rd_kafka_AclBinding_t *acl =
		rd_kafka_AclBinding_new(group ? RD_KAFKA_RESOURCE_GROUP : RD_KAFKA_RESOURCE_TOPIC,
								group ? resource + 6 : resource,
								RD_KAFKA_RESOURCE_PATTERN_PREFIXED, principal, "*",
								acl_operation(operation),
								RD_KAFKA_ACL_PERMISSION_TYPE_ALLOW, message, sizeof(message));
	const rd_kafka_CreateAcls_result_t *result;
	const rd_kafka_acl_result_t **results;
	size_t		count;

	if (!acl)
		die("%s", message);
	rd_kafka_CreateAcls(rk, &acl, 1, NULL, queue);
	result = rd_kafka_event_CreateAcls_result(admin_result(queue));
	results = rd_kafka_CreateAcls_result_acls(result, &count);
	check_error((rd_kafka_error_t *) rd_kafka_acl_result_error(results[0]));
}

static int
administrate(const char *command, char **args, int nargs)
{
	rd_kafka_t *rk = open_client(RD_KAFKA_PRODUCER, rd_kafka_conf_new());
	rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
	const struct rd_kafka_metadata *metadata;

	if (strcmp(command, "version") == 0)
		printf("%s\n", rd_kafka_version_str());
	else if (strcmp(command, "ready") == 0)
		return rd_kafka_metadata(rk, 0, NULL, &metadata, 1000) ? 1 : 0;
	else if (strcmp(command, "create") == 0 && nargs >= 2)
		create_topic(rk, queue, args, nargs);
	else if (strcmp(command, "delete") == 0 && nargs == 1)
		delete_topic(rk, queue, args[0]);
	else if (strcmp(command, "grow") == 0 && nargs == 2)
		grow_topic(rk, queue, args[0], atoi(args[1]));
	else if (strcmp(command, "trim") == 0 && nargs == 3)
		trim_topic(rk, queue, args[0], atoi(args[1]), atoll(args[2]));
	else if (strcmp(command, "partitions") == 0 && nargs == 1)
		printf("%d\n", partition_count(rk, args[0]));
	else if (strcmp(command, "topic-config") == 0 && nargs == 1)
		print_topic_config(rk, queue, args[0]);
	else if (strcmp(command, "group-offsets") == 0 && nargs == 1)
		print_group_offsets(rk, queue, args[0]);
	else if (strcmp(command, "acl") == 0 && nargs == 3)
		allow(rk, queue, args[0], args[1], args[2]);
	else
		die("no such command, or wrong arguments: %s", command);
	return 0;
}

/* --- records ------------------------------------------------------------------ */

static void
print_hex(const void *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *p = bytes;

	putchar('\t');
	if (!p)
		putchar('-');
	for (size_t i = 0; p && i < len; i++)
	{
		putchar(digits[p[i] >> 4]);
		putchar(digits[p[i] & 15]);
	}
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	die("not a hexadecimal digit: %c", c);
}

/* In place; NULL for "-".  An empty value is not null. */
static void *
parse_hex(char *text, size_t *len)
{
	*len = 0;
	if (strcmp(text, "-") == 0)
		return NULL;
	for (char *p = text; *p; p += 2)
		text[(*len)++] = hex_digit(p[0]) << 4 | hex_digit(p[1]);
	return text;
}

static void
delivered(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
	(void) rk;
	(void) opaque;
	check(message->err, NULL);
}

static void
produce_line(rd_kafka_t *rk, const char *topic, char *line)
{
	char	   *fields[MAX_FIELDS];
	int			count = 0;
	size_t		key_len,
				value_len;
	void	   *key,
			   *value;
	rd_kafka_headers_t *headers = NULL;
	rd_kafka_resp_err_t err;

	while (line && count < MAX_FIELDS)
		fields[count++] = strsep(&line, "\t");
	if (count < 5 || count % 2 == 0)
		die("a record has 5 fields and 2 for each header, not %d", count);
	key = parse_hex(fields[3], &key_len);
	value = parse_hex(fields[4], &value_len);
	if (count > 5)
		headers = rd_kafka_headers_new(count / 2);
	for (int i = 5; i < count; i += 2)
	{
		size_t		name_len,
					header_len;
		char	   *name = parse_hex(fields[i], &name_len);
		void	   *header = parse_hex(fields[i + 1], &header_len);

		check(rd_kafka_header_add(headers, name, name_len, header, header_len), NULL);
	}

	for (;;)
	{
		err = headers ?
			rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(atoi(fields[0])),
							  RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
							  RD_KAFKA_V_TIMESTAMP(atoll(fields[2])),
							  RD_KAFKA_V_KEY(key, key_len), RD_KAFKA_V_VALUE(value, value_len),
							  RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END) :
			rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(atoi(fields[0])),
							  RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
							  RD_KAFKA_V_TIMESTAMP(atoll(fields[2])),
							  RD_KAFKA_V_KEY(key, key_len), RD_KAFKA_V_VALUE(value, value_len),
							  RD_KAFKA_V_END);
		if (err != RD_KAFKA_RESP_ERR__QUEUE_FULL)
			break;
		rd_kafka_poll(rk, 100);
	}
	check(err, NULL);
}

typedef enum TransactionEnd
{
	COMMIT,
	ABORT,
	LEAVE
} TransactionEnd;

static int
produce(const char *topic, TransactionEnd end)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	bool		transaction = has_property("transactional.id");
	rd_kafka_t *rk;
	char	   *line = NULL;
	size_t		size = 0;
	ssize_t		len;

	rd_kafka_conf_set_dr_msg_cb(conf, delivered);
	set_property(conf, "enable.idempotence", "true");
	set_property(conf, "linger.ms", "1");
	rk = open_client(RD_KAFKA_PRODUCER, conf);
	if (transaction)
	{
		check_error(rd_kafka_init_transactions(rk, TIMEOUT_MS));
		check_error(rd_kafka_begin_transaction(rk));
	}
	while ((len = getline(&line, &size, stdin)) > 0)
	{
		if (line[len - 1] == '\n')
			line[len - 1] = '\0';
		produce_line(rk, topic, line);
		rd_kafka_poll(rk, 0);
	}
	free(line);
	check(rd_kafka_flush(rk, TIMEOUT_MS), NULL);
	if (transaction && end == COMMIT)
		check_error(rd_kafka_commit_transaction(rk, TIMEOUT_MS));
	if (transaction && end == ABORT)
		check_error(rd_kafka_abort_transaction(rk, TIMEOUT_MS));
	rd_kafka_destroy(rk);
	return 0;
}

static void
print_message(const rd_kafka_message_t *message)
{
	rd_kafka_headers_t *headers;
	const char *name;
	const void *value;
	size_t		size;

	printf("%d\t%lld\t%lld", message->partition, (long long) message->offset,
		   (long long) rd_kafka_message_timestamp(message, NULL));
	print_hex(message->key, message->key_len);
	print_hex(message->payload, message->len);
	if (rd_kafka_message_headers(message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR)
	{
		for (size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size) == 0; i++)
		{
			print_hex(name, strlen(name));
			print_hex(value, size);
		}
	}
	putchar('\n');
}

static rd_kafka_t *
open_consumer(void)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_t *rk;

	set_property(conf, "group.id", "kafka-client");
	set_property(conf, "enable.auto.commit", "false");
	set_property(conf, "enable.partition.eof", "true");
	set_property(conf, "auto.offset.reset", "earliest");
	set_property(conf, "fetch.wait.max.ms", "10");
	rk = open_client(RD_KAFKA_CONSUMER, conf);
	rd_kafka_poll_set_consumer(rk);
	return rk;
}

static int
consume(const char *topic)
{
	rd_kafka_t *rk = open_consumer();
	rd_kafka_topic_partition_list_t *list;
	int			left = partition_count(rk, topic);

	list = rd_kafka_topic_partition_list_new(left);
	for (int i = 0; i < left; i++)
		rd_kafka_topic_partition_list_add(list, topic, i)->offset = RD_KAFKA_OFFSET_BEGINNING;
	check(rd_kafka_assign(rk, list), NULL);
	while (left > 0)
	{
		rd_kafka_message_t *message = rd_kafka_consumer_poll(rk, TIMEOUT_MS);

		if (!message)
			die("no record and no end of a partition within %d ms", TIMEOUT_MS);
		if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
		{
			rd_kafka_topic_partition_list_t *done = rd_kafka_topic_partition_list_new(1);

			rd_kafka_topic_partition_list_add(done, topic, message->partition);
			check_error(rd_kafka_incremental_unassign(rk, done));
			rd_kafka_topic_partition_list_destroy(done);
			left--;
		}
		else
		{
			check(message->err, rd_kafka_message_errstr(message));
			print_message(message);
		}
		rd_kafka_message_destroy(message);
	}
	rd_kafka_topic_partition_list_destroy(list);
	rd_kafka_consumer_close(rk);
	rd_kafka_destroy(rk);
	return 0;
}

static int
print_ends(const char *topic)
{
	rd_kafka_t *rk = open_consumer();
	int			count = partition_count(rk, topic);

	for (int i = 0; i < count; i++)
	{
		int64_t		low,
					high;

		check(rd_kafka_query_watermark_offsets(rk, topic, i, &low, &high, TIMEOUT_MS), NULL);
		printf("%d\t%lld\t%lld\n", i, (long long) low, (long long) high);
	}
	rd_kafka_destroy(rk);
	return 0;
}

int
main(int argc, char **argv)
{
	int			i = 1;

	for (; i + 1 < argc && strcmp(argv[i], "-X") == 0; i += 2)
	{
		if (property_count == (int) (sizeof(properties) / sizeof(properties[0])))
			die("too many properties");
		properties[property_count++] = argv[i + 1];
	}
	if (argc - i < 2)
		die("usage: [-X property=value]... BOOTSTRAP COMMAND [ARGUMENT]...");
	bootstrap = argv[i++];
	if (strcmp(argv[i], "produce") == 0 && argc - i == 2)
		return produce(argv[i + 1], COMMIT);
	if (strcmp(argv[i], "abort") == 0 && argc - i == 2)
		return produce(argv[i + 1], ABORT);
	if (strcmp(argv[i], "leave") == 0 && argc - i == 2)
		return produce(argv[i + 1], LEAVE);
	if (strcmp(argv[i], "consume") == 0 && argc - i == 2)
		return consume(argv[i + 1]);
	if (strcmp(argv[i], "ends") == 0 && argc - i == 2)
		return print_ends(argv[i + 1]);
	return administrate(argv[i], argv + i + 1, argc - i - 1);
}
