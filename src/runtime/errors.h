/*
 * errors.h
 *	  Records that cannot be processed: tolerance, log, dead letters.
 */
#ifndef CONNECT_ERRORS_H
#define CONNECT_ERRORS_H

#include "connect.h"

#include "connector.h"
#include "kafka/kafka.h"

typedef struct ConnectTaskRun ConnectTaskRun;

/* Where a record failed; names as Connect has them in headers and logs. */
typedef enum ConnectStage
{
	CONNECT_STAGE_TRANSFORMATION,
	CONNECT_STAGE_KEY_CONVERTER,
	CONNECT_STAGE_VALUE_CONVERTER,
	CONNECT_STAGE_HEADER_CONVERTER,
	CONNECT_STAGE_KAFKA_PRODUCE,
	CONNECT_STAGE_TASK_PUT
} ConnectStage;

typedef struct ConnectErrors
{
	bool		tolerant;		/* errors.tolerance = all */
	int64		retry_timeout;	/* ms; 0 = no retries, -1 = for ever */
	int64		delay_max;		/* ms */
	bool		log;
	bool		log_messages;
	const char *letter_topic;	/* NULL = no dead letter queue */
	int			letter_replication;
	bool		letter_headers;
	bool		letter_table;	/* errors.deadletterqueue.table.enable */

	ConnectKafkaProducer *letter_producer;
	ConnectKafkaTopic *letter_handle;
	bool		letter_failed;	/* a dead letter was refused */
	ConnectKafkaError letter_error;
	TimestampTz retry_until;	/* of the stage that fails now; 0 = none */
} ConnectErrors;

extern void connect_errors_start(ConnectTaskRun *run);
extern void connect_errors_close(ConnectTaskRun *run);

/*
 * A record has failed.  Returns if that is tolerated: the record is to be
 * skipped.  Raises otherwise, or when the stage shall be tried again.
 * message is what was consumed, for the dead letter; NULL for a source.
 */
extern void connect_errors_handle(ConnectTaskRun *run, ConnectStage stage,
								  const char *class_name,
								  const ConnectRecord *record,
								  const ConnectKafkaMessage *message,
								  const ConnectError *err);

/* The first part of it: counts, logs, sends the dead letter. */
extern void connect_errors_report(ConnectTaskRun *run, ConnectStage stage,
								  const char *class_name,
								  const ConnectRecord *record,
								  const ConnectKafkaMessage *message,
								  const ConnectError *err);

/* Takes acknowledgements of dead letters; raises if one was refused.  Number
 * of those that are not yet acknowledged. */
extern int	connect_errors_letters_pending(ConnectTaskRun *run);

/* "class: message", then a line "Caused by: …" for each cause. */
extern char *connect_errors_java_trace(const ConnectError *err);

/* Is trying again the right answer to this SQLSTATE? */
extern bool connect_errors_retriable(int sqlerrcode);

/* What of an error the status shows: first line and trace. */
extern char *connect_errors_reason(const ErrorData *edata);
extern char *connect_errors_trace(const ErrorData *edata);

/* Raises an error of the Kafka layer, classed by what can be done about it. */
extern void connect_errors_raise_kafka(const char *what,
									   const ConnectKafkaError *err) CONNECT_NORETURN;

#endif							/* CONNECT_ERRORS_H */
