/*
 * handles.c
 *	  Bare idle librdkafka handles: what idle connectors are measured by.
 *
 *	  handles BOOTSTRAP TOPIC source|sink COUNT
 *
 *	  Opens as many producers, or consumers that have their partition of the
 *	  topic, in one process, prints a line when all are connected, and then
 *	  does nothing until it is killed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <librdkafka/rdkafka.h>

static void
set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
	char		error[200];

	if (rd_kafka_conf_set(conf, name, value, error, sizeof(error)) != RD_KAFKA_CONF_OK)
	{
		fprintf(stderr, "%s\n", error);
		exit(1);
	}
}

int
main(int argc, char **argv)
{
	int			is_sink = argc > 3 && strcmp(argv[3], "sink") == 0;
	int			n = argc > 4 ? atoi(argv[4]) : 0;

	if (n < 1)
	{
		fprintf(stderr, "usage: handles BOOTSTRAP TOPIC source|sink COUNT\n");
		return 2;
	}
	for (int i = 0; i < n; i++)
	{
		rd_kafka_conf_t *conf = rd_kafka_conf_new();
		const struct rd_kafka_metadata *metadata;
		rd_kafka_resp_err_t code;
		rd_kafka_t *rk;
		char		text[200];

		set(conf, "bootstrap.servers", argv[1]);
		if (is_sink)
		{
			snprintf(text, sizeof(text), "handles-%d-%d", (int) getpid(), i);
			set(conf, "group.id", text);
		}
		rk = rd_kafka_new(is_sink ? RD_KAFKA_CONSUMER : RD_KAFKA_PRODUCER, conf, text, sizeof(text));
		if (rk == NULL)
		{
			fprintf(stderr, "%s\n", text);
			return 1;
		}
		code = rd_kafka_metadata(rk, 0, rd_kafka_topic_new(rk, argv[2], NULL), &metadata, 10000);
		if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
		{
			fprintf(stderr, "%s\n", rd_kafka_err2str(code));
			return 1;
		}
		rd_kafka_metadata_destroy(metadata);
		if (is_sink)
		{
			rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
			rd_kafka_topic_partition_list_t *assigned;
			int			count = 0;

			rd_kafka_topic_partition_list_add(topics, argv[2], RD_KAFKA_PARTITION_UA);
			rd_kafka_poll_set_consumer(rk);
			rd_kafka_subscribe(rk, topics);
			rd_kafka_topic_partition_list_destroy(topics);
			while (count == 0)
			{
				rd_kafka_message_t *message = rd_kafka_consumer_poll(rk, 10);

				if (message != NULL)
					rd_kafka_message_destroy(message);
				if (rd_kafka_assignment(rk, &assigned) != RD_KAFKA_RESP_ERR_NO_ERROR)
					continue;
				count = assigned->cnt;
				rd_kafka_topic_partition_list_destroy(assigned);
			}
		}
	}
	puts("connected");
	fflush(stdout);
	pause();
	return 0;
}
