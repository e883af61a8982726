/*
 * latency.c
 *	  Reads a topic as it grows and prints how old its messages are.
 *
 *	  latency BOOTSTRAP TOPIC COUNT [SKIP [FILE [RATE]]]
 *
 * A message holds "us":N somewhere, the microsecond at which it was made, by the
 * clock of this machine.  Prints "ready" once it reads, then, when SKIP messages
 * have been passed over and COUNT measured: p50, p99 and max in milliseconds.
 * Ends with what it has when nothing comes for five seconds.  FILE gets a line a
 * message, skipped or not: the microsecond at which it was seen.
 *
 * With RATE it measures the floor: another process makes the messages, RATE a
 * second at random times, writes each to FILE.log, flushes that to disk as a
 * commit does, and hands it to a bare librdkafka producer.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <librdkafka/rdkafka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define IDLE_MS 5000
#define LOG_BYTES (16 * 1024 * 1024)	/* written before, as WAL is */

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

static void
set(rd_kafka_conf_t *conf, const char *key, const char *value)
{
	char		error[512];

	if (rd_kafka_conf_set(conf, key, value, error, sizeof(error)) != RD_KAFKA_CONF_OK)
	{
		fprintf(stderr, "latency: %s\n", error);
		exit(1);
	}
}

static rd_kafka_t *
open_client(rd_kafka_type_t type, rd_kafka_conf_t *conf)
{
	char		error[512];
	rd_kafka_t *client = rd_kafka_new(type, conf, error, sizeof(error));

	if (client == NULL)
	{
		fprintf(stderr, "latency: %s\n", error);
		exit(1);
	}
	return client;
}

static rd_kafka_t *
open_consumer(const char *bootstrap)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();

	set(conf, "bootstrap.servers", bootstrap);
	set(conf, "group.id", "latency");
	set(conf, "enable.auto.commit", "false");
	set(conf, "enable.partition.eof", "true");
	return open_client(RD_KAFKA_CONSUMER, conf);
}

/* A file that is as long as it will be. */
static int
open_log(const char *file)
{
	static char zeros[65536];
	char		name[1024];
	int			fd;

	snprintf(name, sizeof(name), "%s.log", file);
	fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
	for (int i = 0; fd >= 0 && i < LOG_BYTES / (int) sizeof(zeros); i++)
	{
		if (write(fd, zeros, sizeof(zeros)) != sizeof(zeros))
			exit(1);
	}
	if (fd < 0 || fsync(fd) != 0)
	{
		perror(name);
		exit(1);
	}
	return fd;
}

static void
produce(const char *bootstrap, const char *name, int count, double rate, const char *file)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_topic_t *topic;
	rd_kafka_t *producer;
	int			fd = open_log(file);
	double		next = now_us();

	set(conf, "bootstrap.servers", bootstrap);
	set(conf, "enable.idempotence", "true");
	set(conf, "linger.ms", "0");
	producer = open_client(RD_KAFKA_PRODUCER, conf);
	topic = rd_kafka_topic_new(producer, name, NULL);
	for (int i = 0; i < count; i++)
	{
		char		message[8192];
		double		pause;

		next -= log(1 - drand48()) * 1e6 / rate;
		pause = next - now_us();
		if (pause > 0)
			usleep((useconds_t) pause);
		memset(message, 0, sizeof(message));
		snprintf(message, sizeof(message), "{\"id\":%d,\"us\":%.0f,\"note\":\"a row of some length\"}", i, now_us());
		if (pwrite(fd, message, sizeof(message), (long) i * sizeof(message) % LOG_BYTES) != sizeof(message) ||
			fdatasync(fd) != 0)
			exit(1);
		if (rd_kafka_produce(topic, 0, RD_KAFKA_MSG_F_COPY, message, strlen(message), NULL, 0, NULL) != 0)
			exit(1);
		rd_kafka_poll(producer, 0);
	}
	rd_kafka_flush(producer, 10000);
	exit(0);
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
	int			go[2];
	FILE	   *file = argc > 5 ? fopen(argv[5], "w") : NULL;

	if (count == 0)
		return 2;
	if (argc > 6 && (pipe(go) != 0 || fork() == 0))
	{
		char		byte;

		if (read(go[0], &byte, 1) == 1)
			produce(argv[1], argv[2], count + skip, atof(argv[6]), argv[5]);
		return 1;
	}
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
			if (argc > 6 && write(go[1], "", 1) != 1)
				return 1;
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
