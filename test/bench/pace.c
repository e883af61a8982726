/*
 * pace.c
 *	  A bare librdkafka producer that keeps a rate.
 *
 *	  pace BOOTSTRAP TOPIC COUNT RATE
 *
 * Sends COUNT messages {"id": 1.., "at": seconds, "filler": 100 characters}, RATE a
 * second, none waiting for another; "at" is when it was handed to the producer, by
 * the clock of this machine.  Prints after how many milliseconds they were
 * acknowledged: p50 and p99, those of the first second left out.
 */
#include <librdkafka/rdkafka.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double *sent_at;
static double *ages;
static int	skip;
static int	nages;
static int	failed;
static int	done;

static double
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void
delivered(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
	int			id = (int) (intptr_t) message->_private;

	(void) rk;
	(void) opaque;
	done++;
	if (message->err)
		failed++;
	else if (id > skip)
		ages[nages++] = (now() - sent_at[id]) * 1000;
}

static int
compare(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return x < y ? -1 : x > y;
}

static rd_kafka_t *
open_producer(const char *bootstrap)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char		error[512];
	rd_kafka_t *producer;

	rd_kafka_conf_set_dr_msg_cb(conf, delivered);
	if (rd_kafka_conf_set(conf, "bootstrap.servers", bootstrap, error, sizeof(error)) ||
		rd_kafka_conf_set(conf, "linger.ms", "0", error, sizeof(error)) ||
		rd_kafka_conf_set(conf, "socket.nagle.disable", "true", error, sizeof(error)) ||
		(producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, error, sizeof(error))) == NULL)
	{
		fprintf(stderr, "pace: %s\n", error);
		exit(1);
	}
	return producer;
}

int
main(int argc, char **argv)
{
	int			count = argc > 4 ? atoi(argv[3]) : 0;
	double		rate = argc > 4 ? atof(argv[4]) : 0;
	rd_kafka_t *producer;
	double		start;
	char		filler[101];

	if (count <= 0 || rate <= 0)
		return 2;
	skip = (int) rate;
	sent_at = calloc(count + 1, sizeof(double));
	ages = calloc(count + 1, sizeof(double));
	memset(filler, 'x', 100);
	filler[100] = '\0';
	producer = open_producer(argv[1]);
	start = now();
	for (int id = 1; id <= count; id++)
	{
		double		left;
		char		text[256];
		int			len;

		/* acknowledgements are taken while it waits for its time */
		while ((left = start + id / rate - now()) > 0)
		{
			if (rd_kafka_poll(producer, 0) == 0)
			{
				struct timespec pause = {0, (long) ((left < 0.0002 ? left : 0.0002) * 1e9)};

				nanosleep(&pause, NULL);
			}
		}
		sent_at[id] = now();
		len = snprintf(text, sizeof(text), "{\"id\": %d, \"at\": %.6f, \"filler\": \"%s\"}", id, sent_at[id], filler);
		if (rd_kafka_producev(producer, RD_KAFKA_V_TOPIC(argv[2]), RD_KAFKA_V_VALUE(text, len),
							  RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_OPAQUE((void *) (intptr_t) id),
							  RD_KAFKA_V_END) != RD_KAFKA_RESP_ERR_NO_ERROR)
			return 1;
	}
	while (done < count)
		rd_kafka_poll(producer, 100);
	rd_kafka_destroy(producer);
	if (failed > 0 || nages == 0)
		return 1;
	qsort(ages, nages, sizeof(double), compare);
	printf("%.2f %.2f\n", ages[nages / 2], ages[(int) (nages * 0.99)]);
	return 0;
}
