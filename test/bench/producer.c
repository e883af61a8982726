/*
 * producer.c
 *	  A bare librdkafka producer: the ceiling that sources are measured by.
 *
 *	  producer BOOTSTRAP TOPIC FILE [PROPERTY=VALUE...]
 *
 *	  Sends each line of FILE as a message, waits until all are acknowledged
 *	  and prints the seconds and the CPU seconds that it took.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#include <librdkafka/rdkafka.h>

static long acknowledged = 0;
static long failed = 0;

static void
delivered(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
	(void) rk;
	(void) opaque;
	if (message->err)
		failed++;
	else
		acknowledged++;
}

static double
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static double
cpu_seconds(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec +
		(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

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
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_topic_t *topic;
	rd_kafka_t *rk;
	char		error[200];
	struct stat st;
	int			fd;
	char	   *data;
	char	   *p;
	char	   *end;
	long		sent = 0;
	double		start;
	double		cpu_start;

	if (argc < 4)
	{
		fprintf(stderr, "usage: producer BOOTSTRAP TOPIC FILE [PROPERTY=VALUE...]\n");
		return 2;
	}
	set(conf, "bootstrap.servers", argv[1]);
	set(conf, "enable.idempotence", "true");
	set(conf, "acks", "all");
	set(conf, "linger.ms", "5");
	set(conf, "batch.size", "1000000");
	set(conf, "queue.buffering.max.messages", "1000000");
	for (int i = 4; i < argc; i++)
	{
		char	   *equals = strchr(argv[i], '=');

		*equals = '\0';
		set(conf, argv[i], equals + 1);
	}
	rd_kafka_conf_set_dr_msg_cb(conf, delivered);
	rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, error, sizeof(error));
	if (rk == NULL)
	{
		fprintf(stderr, "%s\n", error);
		return 1;
	}
	topic = rd_kafka_topic_new(rk, argv[2], NULL);

	fd = open(argv[3], O_RDONLY);
	if (fd < 0 || fstat(fd, &st) != 0)
	{
		perror(argv[3]);
		return 1;
	}
	data = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	if (data == MAP_FAILED)
	{
		perror("mmap");
		return 1;
	}
	end = data + st.st_size;

	start = now();
	cpu_start = cpu_seconds();
	for (p = data; p < end;)
	{
		char	   *newline = memchr(p, '\n', end - p);

		while (rd_kafka_produce(topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY,
								p, newline - p, NULL, 0, NULL) != 0)
			rd_kafka_poll(rk, 10);
		if (++sent % 1000 == 0)
			rd_kafka_poll(rk, 0);
		p = newline + 1;
	}
	while (acknowledged + failed < sent)
		rd_kafka_poll(rk, 100);
	printf("%.3f %.2f\n", now() - start, cpu_seconds() - cpu_start);
	rd_kafka_topic_destroy(topic);
	rd_kafka_destroy(rk);
	return failed > 0;
}
