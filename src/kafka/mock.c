/*
 * mock.c
 *	  librdkafka's imitation of a Kafka cluster, for demos and tests.
 *
 * NOTES
 *	  The mock's thread, unlike librdkafka's others, takes the signal mask of
 *	  its creator: all are blocked around its start.
 */
#include "internal.h"

#include <librdkafka/rdkafka_mock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define API_LIST_OFFSETS 2

struct ConnectKafkaMock
{
	rd_kafka_t *rk;				/* only carries the cluster */
	rd_kafka_mock_cluster_t *cluster;
};

ConnectKafkaMock *
connect_kafka_mock_start(int nbrokers, char *bootstrap, size_t bootstrap_len,
						 ConnectKafkaError *err)
{
	ConnectKafkaMock *mock = calloc(1, sizeof(*mock));
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char		reason[300] = "out of memory";
	const char *bootstraps;
	sigset_t	saved;

	kafka_error_clear(err);
	/* Its own client has nothing to say, and would say it on stderr. */
	rd_kafka_conf_set_log_cb(conf, NULL);
	signals_block(&saved);
	if (mock != NULL)
		mock->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof(reason));
	if (mock != NULL && mock->rk != NULL)
		mock->cluster = rd_kafka_mock_cluster_new(mock->rk, nbrokers);
	else
		rd_kafka_conf_destroy(conf);
	signals_restore(&saved);

	bootstraps = mock != NULL && mock->cluster != NULL ?
		rd_kafka_mock_cluster_bootstraps(mock->cluster) : NULL;
	if (bootstraps == NULL || strlen(bootstraps) >= bootstrap_len)
	{
		kafka_error_set(err, RD_KAFKA_RESP_ERR__FAIL, reason,
						"could not start the embedded broker");
		connect_kafka_mock_close(&mock);
		return NULL;
	}
	strcpy(bootstrap, bootstraps);
	/* Its answers to newer requests have a wrong layout in librdkafka 2.0.2. */
	rd_kafka_mock_set_apiversion(mock->cluster, API_LIST_OFFSETS, 0, 3);
	return mock;
}

bool
connect_kafka_mock_topic(ConnectKafkaMock *mock, const char *topic,
						 int partitions, ConnectKafkaError *err)
{
	rd_kafka_resp_err_t code = rd_kafka_mock_topic_create(mock->cluster, topic,
														  partitions, 1);

	kafka_error_clear(err);
	if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
		kafka_error_set(err, code, NULL, "topic \"%s\"", topic);
	return code == RD_KAFKA_RESP_ERR_NO_ERROR;
}

void
connect_kafka_mock_close(ConnectKafkaMock **mock)
{
	if (*mock == NULL)
		return;
	if ((*mock)->cluster != NULL)
		rd_kafka_mock_cluster_destroy((*mock)->cluster);
	if ((*mock)->rk != NULL)
		rd_kafka_destroy((*mock)->rk);
	free(*mock);
	*mock = NULL;
}

void
connect_kafka_mock_broker_up(ConnectKafkaMock *mock, int broker, bool up)
{
	if (up)
		rd_kafka_mock_broker_set_up(mock->cluster, broker);
	else
		rd_kafka_mock_broker_set_down(mock->cluster, broker);
}

void
connect_kafka_mock_broker_delay(ConnectKafkaMock *mock, int broker, int ms)
{
	rd_kafka_mock_broker_set_rtt(mock->cluster, broker, ms);
}

void
connect_kafka_mock_fail(ConnectKafkaMock *mock, int api_key, const int *codes,
						int ncodes)
{
	rd_kafka_resp_err_t errors[64];
	int			count = ncodes < 64 ? ncodes : 64;

	rd_kafka_mock_clear_request_errors(mock->cluster, api_key);
	for (int i = 0; i < count; i++)
		errors[i] = (rd_kafka_resp_err_t) codes[i];
	rd_kafka_mock_push_request_errors_array(mock->cluster, api_key, count,
											errors);
}

void
connect_kafka_mock_topic_error(ConnectKafkaMock *mock, const char *topic,
							   int code)
{
	rd_kafka_mock_topic_set_error(mock->cluster, topic,
								  (rd_kafka_resp_err_t) code);
}

void
connect_kafka_mock_leader(ConnectKafkaMock *mock, const char *topic,
						  int partition, int broker)
{
	rd_kafka_mock_partition_set_leader(mock->cluster, topic, partition, broker);
}
