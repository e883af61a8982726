/*
 * latency.c
 *	  Reads a topic as it grows and prints how old its messages are.
 *
 *	  latency BOOTSTRAP TOPIC COUNT [SKIP [FILE]]
 *
 * A message holds "us":N somewhere, the microsecond at which it was made, by the
 * clock of this machine.  Prints "ready" once it reads, then, when SKIP messages
 * have been passed over and COUNT measured: p50, p99 and max in milliseconds.
 * Ends with what it has when nothing comes for five seconds.  FILE gets a line a
 * message, skipped or not: the microsecond at which it was seen.
 */
#define _GNU_SOURCE
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define IDLE_MS 5000

static int
compare(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return x < y ? -1 : x > y;
}

static double
now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * 1e6 + ts.tv_nsec / 1e3;
}

/* The number behind "us":, or 0. */
static double
made_at(const rd_kafka_message_t *message)
{
	static const char key[] = "\"us\":";
	const char *p = message->len == 0 ? NULL :
		memmem(message->payload, message->len, key, sizeof(key) - 1);

	return p == NULL ? 0 : strtod(p + sizeof(key) - 1, NULL);
}

static rd_kafka_t *
open_consumer(const char *bootstrap)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char		error[512];
	rd_kafka_t *consumer;

	if (rd_kafka_conf_set(conf, "bootstrap.servers", bootstrap, error, sizeof(error)) ||
		rd_kafka_conf_set(conf, "group.id", "latency", error, sizeof(error)) ||
		rd_kafka_conf_set(conf, "enable.auto.commit", "false", error, sizeof(error)) ||
		rd_kafka_conf_set(conf, "enable.partition.eof", "true", error, sizeof(error)) ||
		(consumer = rd_kafka_new(RD_KAFKA_CONSUMER, conf, error, sizeof(error))) == NULL)
	{
		fprintf(stderr, "latency: %s\n", error);
		exit(1);
	}
	return consumer;
}

int
main(int argc, char **argv)
{
	int			count = argc > 3 ? atoi(argv[3]) : 0;
	int			skip = argc > 4 ? atoi(argv[4]) : 0;
	double	   *ages = malloc(sizeof(double) * (count + 1));
	rd_kafka_topic_partition_list_t *parts = rd_kafka_topic_partition_list_new(1);
	rd_kafka_message_t *message;
	rd_kafka_t *consumer;
	int			seen = 0;
	int			n = 0;
	int			ready = 0;
	FILE	   *file = argc > 5 ? fopen(argv[5], "w") : NULL;

	if (count == 0)
		return 2;
	consumer = open_consumer(argv[1]);
	rd_kafka_topic_partition_list_add(parts, argv[2], 0)->offset = RD_KAFKA_OFFSET_END;
	rd_kafka_assign(consumer, parts);

	while (n < count &&
		   (message = rd_kafka_consumer_poll(consumer, ready ? IDLE_MS : 60000)) != NULL)
	{
		double		seen_at = now_us();
		double		made = message->err ? 0 : made_at(message);

		/* the end of the partition is where it begins */
		if (!ready)
		{
			ready = 1;
			printf("ready\n");
			fflush(stdout);
		}
		if (made > 0 && file != NULL)
			fprintf(file, "%.0f\n", seen_at);
		if (made > 0 && seen++ >= skip)
			ages[n++] = (seen_at - made) / 1000;
		rd_kafka_message_destroy(message);
	}
	if (file != NULL)
		fclose(file);
	if (n == 0)
	{
		fprintf(stderr, "latency: no message\n");
		return 1;
	}
	qsort(ages, n, sizeof(double), compare);
	printf("%.2f %.2f %.2f %d\n", ages[n / 2], ages[(int) (n * 0.99)], ages[n - 1], n);
	return 0;
}
