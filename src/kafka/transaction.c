/*
 * transaction.c
 *	  Transactions of a producer, in steps that never wait long.
 *
 * NOTES
 *	  init, commit and abort of librdkafka go on in the background when their
 *	  timeout passes, and a repeated call picks them up.  Commit and abort also
 *	  want all deliveries to be polled before they can end: the caller does
 *	  that between two calls.
 */
#include "internal.h"

#include "producer.h"

/* What a step returned, in our terms. */
static ConnectKafkaResult
transaction_result(ConnectKafkaProducer *producer, rd_kafka_error_t *error,
				   const char *step, ConnectKafkaError *err)
{
	ConnectKafkaError own;
	rd_kafka_resp_err_t code;

	if (error == NULL)
	{
		producer->client.is_down = false;
		return CONNECT_KAFKA_OK;
	}
	code = rd_kafka_error_code(error);
	if (err == NULL)
		err = &own;
	if (code == RD_KAFKA_RESP_ERR__FATAL)
	{
		char		text[400];
		int			cause = rd_kafka_fatal_error(producer->client.rk, text,
												 sizeof(text));

		rd_kafka_error_destroy(error);
		kafka_error_set(err, cause, text, "%s", step);
		err->fatal = true;
	}
	else
		kafka_error_take(err, error, "%s", step);
	client_explain(&producer->client, err);
	if (err->fatal || err->abort || !err->retriable)
		return CONNECT_KAFKA_FAILED;
	return CONNECT_KAFKA_IN_PROGRESS;
}

ConnectKafkaResult
connect_kafka_txn_init(ConnectKafkaProducer *producer, int timeout_ms,
					   ConnectKafkaError *err)
{
	kafka_error_clear(err);
	return transaction_result(producer,
							  rd_kafka_init_transactions(producer->client.rk,
														 timeout_ms),
							  "transactions could not be initialized", err);
}

ConnectKafkaResult
connect_kafka_txn_begin(ConnectKafkaProducer *producer, ConnectKafkaError *err)
{
	ConnectKafkaResult result;

	kafka_error_clear(err);
	result = transaction_result(producer,
								rd_kafka_begin_transaction(producer->client.rk),
								"transaction could not begin", err);
	producer->is_in_transaction |= result == CONNECT_KAFKA_OK;
	return result;
}

ConnectKafkaResult
connect_kafka_txn_commit(ConnectKafkaProducer *producer, int timeout_ms,
						 ConnectKafkaError *err)
{
	ConnectKafkaResult result;

	kafka_error_clear(err);
	/* It would only wait for deliveries that nobody polls meanwhile. */
	if (connect_kafka_producer_flush(producer) != CONNECT_KAFKA_OK)
		return CONNECT_KAFKA_IN_PROGRESS;
	result = transaction_result(producer,
								rd_kafka_commit_transaction(producer->client.rk,
															timeout_ms),
								"transaction could not be committed", err);
	if (result == CONNECT_KAFKA_OK)
		producer->is_in_transaction = false;
	return result;
}

ConnectKafkaResult
connect_kafka_txn_abort(ConnectKafkaProducer *producer, int timeout_ms,
						ConnectKafkaError *err)
{
	ConnectKafkaResult result;

	kafka_error_clear(err);
	result = transaction_result(producer,
								rd_kafka_abort_transaction(producer->client.rk,
														   timeout_ms),
								"transaction could not be aborted", err);
	if (result == CONNECT_KAFKA_OK)
		producer->is_in_transaction = false;
	return result;
}
