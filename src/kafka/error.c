/*
 * error.c
 *	  What the errors of Kafka and of librdkafka mean to a task.
 *
 * NOTES
 *	  One table says for each code whether the same thing may succeed later,
 *	  whether it is a matter of credentials or rights, which exception Kafka's
 *	  Java clients raise, and what the user can do.  A code that is not in the
 *	  table is neither retriable nor fatal.
 */
#include "internal.h"

#include <stdio.h>
#include <string.h>

#define RETRIABLE	1
#define FATAL		2
#define AUTH		4

typedef struct ErrorMeaning
{
	int			code;
	int			flags;
	const char *class_name;		/* in org.apache.kafka.common.errors */
	const char *remedy;			/* NULL if the reason says all */
} ErrorMeaning;

#define CREATE_TOPIC "create the topic, or let topic.creation.* or the broker's auto.create.topics.enable do it"
#define GRANT_ACL "an administrator of the Kafka cluster must grant an ACL"

static const ErrorMeaning meanings[] =
{
	/* librdkafka's own */
	{RD_KAFKA_RESP_ERR__TRANSPORT, RETRIABLE, "DisconnectException", "check bootstrap.servers and that the brokers run"},
	{RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, RETRIABLE, "DisconnectException", "check bootstrap.servers and that the brokers run"},
	{RD_KAFKA_RESP_ERR__RESOLVE, RETRIABLE, "NetworkException", "check the host names in bootstrap.servers and in the brokers' advertised.listeners"},
	{RD_KAFKA_RESP_ERR__TIMED_OUT, RETRIABLE, "TimeoutException", NULL},
	{RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE, RETRIABLE, "TimeoutException", NULL},
	{RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, RETRIABLE, "TimeoutException", "no broker acknowledged it within delivery.timeout.ms"},
	{RD_KAFKA_RESP_ERR__WAIT_COORD, RETRIABLE, "CoordinatorNotAvailableException", NULL},
	{RD_KAFKA_RESP_ERR__WAIT_CACHE, RETRIABLE, "TimeoutException", NULL},
	{RD_KAFKA_RESP_ERR__IN_PROGRESS, RETRIABLE, "TimeoutException", NULL},
	{RD_KAFKA_RESP_ERR__PREV_IN_PROGRESS, RETRIABLE, "TimeoutException", NULL},
	{RD_KAFKA_RESP_ERR__DESTROY, RETRIABLE, "DisconnectException", "its topic was deleted, or its broker left the cluster"},
	{RD_KAFKA_RESP_ERR__RETRY, RETRIABLE, "RetriableException", NULL},
	{RD_KAFKA_RESP_ERR__QUEUE_FULL, RETRIABLE, "BufferExhaustedException", NULL},
	{RD_KAFKA_RESP_ERR__ASSIGNMENT_LOST, RETRIABLE, "RebalanceInProgressException", NULL},
	{RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED, RETRIABLE, "CommitFailedException", "a batch took longer than max.poll.interval.ms: raise it or lower max.poll.records"},
	{RD_KAFKA_RESP_ERR__PURGE_QUEUE, RETRIABLE, "TimeoutException", "the producer was stopped before it was sent"},
	{RD_KAFKA_RESP_ERR__PURGE_INFLIGHT, RETRIABLE, "TimeoutException", "the producer was stopped before it was acknowledged"},
	{RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, RETRIABLE, "UnknownTopicOrPartitionException", CREATE_TOPIC},
	{RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION, RETRIABLE, "UnknownTopicOrPartitionException", "the topic has fewer partitions, or was deleted"},
	{RD_KAFKA_RESP_ERR__NO_OFFSET, RETRIABLE, "NoOffsetForPartitionException", NULL},
	{RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET, 0, "OffsetOutOfRangeException", NULL},
	{RD_KAFKA_RESP_ERR__AUTHENTICATION, AUTH, "SaslAuthenticationException", "check sasl.mechanism, user name and password"},
	{RD_KAFKA_RESP_ERR__SSL, RETRIABLE, "SslAuthenticationException", "check the ssl.* properties against the broker's certificate and listener"},
	{RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE, 0, "UnsupportedVersionException", NULL},
	{RD_KAFKA_RESP_ERR__FATAL, FATAL, "KafkaException", NULL},
	{RD_KAFKA_RESP_ERR__FENCED, FATAL, "ProducerFencedException", "another producer uses the same transactional.id"},
	{RD_KAFKA_RESP_ERR__INVALID_ARG, 0, "ConfigException", NULL},
	{RD_KAFKA_RESP_ERR__STATE, 0, "IllegalStateException", NULL},
	/* the brokers' */
	{RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE, 0, "OffsetOutOfRangeException", NULL},
	{RD_KAFKA_RESP_ERR_INVALID_MSG, RETRIABLE, "CorruptRecordException", NULL},
	{RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, RETRIABLE, "UnknownTopicOrPartitionException", CREATE_TOPIC},
	{RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, RETRIABLE, "LeaderNotAvailableException", NULL},
	{RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, RETRIABLE, "NotLeaderOrFollowerException", NULL},
	{RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, RETRIABLE, "TimeoutException", NULL},
	{RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE, RETRIABLE, "BrokerNotAvailableException", NULL},
	{RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE, RETRIABLE, "ReplicaNotAvailableException", NULL},
	{RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, 0, "RecordTooLargeException", "raise max.request.size here and max.message.bytes of the topic"},
	{RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE, 0, "OffsetMetadataTooLarge", NULL},
	{RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION, RETRIABLE, "NetworkException", NULL},
	{RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS, RETRIABLE, "CoordinatorLoadInProgressException", NULL},
	{RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE, RETRIABLE, "CoordinatorNotAvailableException", NULL},
	{RD_KAFKA_RESP_ERR_NOT_COORDINATOR, RETRIABLE, "NotCoordinatorException", NULL},
	{RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION, 0, "InvalidTopicException", "a topic name has 1 to 249 of the characters a-z A-Z 0-9 . _ -"},
	{RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE, 0, "RecordBatchTooLargeException", "lower batch.size, or raise max.message.bytes of the topic"},
	{RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, RETRIABLE, "NotEnoughReplicasException", "fewer replicas are in sync than the topic's min.insync.replicas"},
	{RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND, RETRIABLE, "NotEnoughReplicasAfterAppendException", NULL},
	{RD_KAFKA_RESP_ERR_INVALID_REQUIRED_ACKS, 0, "InvalidRequiredAcksException", NULL},
	{RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION, RETRIABLE, "IllegalGenerationException", NULL},
	{RD_KAFKA_RESP_ERR_INCONSISTENT_GROUP_PROTOCOL, 0, "InconsistentGroupProtocolException", "the group has members with another partition.assignment.strategy"},
	{RD_KAFKA_RESP_ERR_INVALID_GROUP_ID, 0, "InvalidGroupIdException", NULL},
	{RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID, RETRIABLE, "UnknownMemberIdException", "the group has active members, or this one was expelled"},
	{RD_KAFKA_RESP_ERR_INVALID_SESSION_TIMEOUT, 0, "InvalidSessionTimeoutException", NULL},
	{RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS, RETRIABLE, "RebalanceInProgressException", NULL},
	{RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, AUTH, "TopicAuthorizationException", GRANT_ACL " on the topic"},
	{RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, AUTH, "GroupAuthorizationException", GRANT_ACL " (READ) on the consumer group"},
	{RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, AUTH, "ClusterAuthorizationException", GRANT_ACL " on the cluster"},
	{RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP, 0, "InvalidTimestampException", NULL},
	{RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM, AUTH, "UnsupportedSaslMechanismException", "the listener offers other values of sasl.mechanism"},
	{RD_KAFKA_RESP_ERR_ILLEGAL_SASL_STATE, AUTH, "IllegalSaslStateException", "check security.protocol against the broker's listener"},
	{RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION, 0, "UnsupportedVersionException", NULL},
	{RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS, 0, "TopicExistsException", NULL},
	{RD_KAFKA_RESP_ERR_INVALID_PARTITIONS, 0, "InvalidPartitionsException", NULL},
	{RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR, 0, "InvalidReplicationFactorException", NULL},
	{RD_KAFKA_RESP_ERR_INVALID_CONFIG, 0, "InvalidConfigurationException", NULL},
	{RD_KAFKA_RESP_ERR_NOT_CONTROLLER, RETRIABLE, "NotControllerException", NULL},
	{RD_KAFKA_RESP_ERR_INVALID_REQUEST, 0, "InvalidRequestException", NULL},
	{RD_KAFKA_RESP_ERR_UNSUPPORTED_FOR_MESSAGE_FORMAT, 0, "UnsupportedForMessageFormatException", NULL},
	{RD_KAFKA_RESP_ERR_POLICY_VIOLATION, 0, "PolicyViolationException", NULL},
	{RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, FATAL, "OutOfOrderSequenceException", NULL},
	{RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH, FATAL, "InvalidProducerEpochException", NULL},
	{RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS, RETRIABLE, "ConcurrentTransactionsException", NULL},
	{RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT, 0, "InvalidTxnTimeoutException", "transaction.timeout.ms is above the broker's transaction.max.timeout.ms"},
	{RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED, AUTH, "TransactionalIdAuthorizationException", GRANT_ACL " on the transactional id"},
	{RD_KAFKA_RESP_ERR_SECURITY_DISABLED, 0, "SecurityDisabledException", NULL},
	{RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR, RETRIABLE, "KafkaStorageException", NULL},
	{RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED, AUTH, "SaslAuthenticationException", "check sasl.mechanism, user name and password"},
	{RD_KAFKA_RESP_ERR_UNKNOWN_PRODUCER_ID, FATAL, "UnknownProducerIdException", NULL},
	{RD_KAFKA_RESP_ERR_NON_EMPTY_GROUP, 0, "GroupNotEmptyException", "stop the members of the group first"},
	{RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND, 0, "GroupIdNotFoundException", NULL},
	{RD_KAFKA_RESP_ERR_UNSUPPORTED_COMPRESSION_TYPE, 0, "UnsupportedCompressionTypeException", NULL},
	{RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT, RETRIABLE, "UnstableOffsetCommitException", NULL},
	{RD_KAFKA_RESP_ERR_THROTTLING_QUOTA_EXCEEDED, RETRIABLE, "ThrottlingQuotaExceededException", NULL},
	{RD_KAFKA_RESP_ERR_PRODUCER_FENCED, FATAL, "ProducerFencedException", "another producer uses the same transactional.id"},
	{RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID, FATAL, "FencedInstanceIdException", "another consumer uses the same group.instance.id"},
};

static const ErrorMeaning *
meaning_of(int code)
{
	for (size_t i = 0; i < lengthof(meanings); i++)
	{
		if (meanings[i].code == code)
			return &meanings[i];
	}
	return NULL;
}

const char *
connect_kafka_error_class(int code)
{
	static char class_names[lengthof(meanings)][80];
	const ErrorMeaning *meaning = meaning_of(code);
	char	   *name;

	if (meaning == NULL)
		return "org.apache.kafka.common.KafkaException";
	name = class_names[meaning - meanings];
	if (name[0] == '\0')
	{
		const char *package = "org.apache.kafka.common.errors.";

		if (strcmp(meaning->class_name, "KafkaException") == 0)
			package = "org.apache.kafka.common.";
		else if (strcmp(meaning->class_name, "ConfigException") == 0)
			package = "org.apache.kafka.common.config.";
		else if (strcmp(meaning->class_name, "IllegalStateException") == 0)
			package = "java.lang.";
		else if (strcmp(meaning->class_name, "CommitFailedException") == 0 ||
				 strcmp(meaning->class_name, "NoOffsetForPartitionException") == 0 ||
				 (strcmp(meaning->class_name, "OffsetOutOfRangeException") == 0 && code < 0))
			package = "org.apache.kafka.clients.consumer.";
		snprintf(name, sizeof(class_names[0]), "%s%s", package,
				 meaning->class_name);
	}
	return name;
}

void
kafka_error_clear(ConnectKafkaError *err)
{
	if (err != NULL)
		memset(err, 0, sizeof(*err));
}

void
kafka_error_add_hint(ConnectKafkaError *err, const char *fmt,...)
{
	size_t		len;
	va_list		args;

	if (err == NULL)
		return;
	len = strlen(err->text);
	if (len > 0 && len + 3 < sizeof(err->text))
	{
		memcpy(err->text + len, "; ", 3);
		len += 2;
	}
	va_start(args, fmt);
	vsnprintf(err->text + len, sizeof(err->text) - len, fmt, args);
	va_end(args);
}

static void __attribute__((format(printf, 4, 0)))
error_fill(ConnectKafkaError *err, int code, const char *reason,
		   const char *fmt, va_list args)
{
	const ErrorMeaning *meaning = meaning_of(code);
	size_t		len;
	int			flags = meaning ? meaning->flags : 0;

	kafka_error_clear(err);
	err->code = code;
	err->retriable = (flags & RETRIABLE) != 0;
	err->fatal = (flags & FATAL) != 0;
	err->auth = (flags & AUTH) != 0;

	vsnprintf(err->text, sizeof(err->text), fmt, args);
	len = strlen(err->text);
	if (reason == NULL)
		reason = rd_kafka_err2str((rd_kafka_resp_err_t) code);
	snprintf(err->text + len, sizeof(err->text) - len, "%s%s",
			 len > 0 ? ": " : "", reason);

	/* A certificate that does not match is a matter of credentials. */
	if (code == RD_KAFKA_RESP_ERR__SSL && strstr(reason, "verif") != NULL)
	{
		err->auth = true;
		err->retriable = false;
	}
	if (meaning != NULL && meaning->remedy != NULL)
		kafka_error_add_hint(err, "%s", meaning->remedy);
}

int
kafka_error_set(ConnectKafkaError *err, int code, const char *reason,
				const char *fmt,...)
{
	va_list		args;

	if (err == NULL)
		return code;
	va_start(args, fmt);
	error_fill(err, code, reason, fmt, args);
	va_end(args);
	return code;
}

void
kafka_error_take(ConnectKafkaError *err, rd_kafka_error_t *error,
				 const char *fmt,...)
{
	va_list		args;

	if (err != NULL)
	{
		va_start(args, fmt);
		error_fill(err, rd_kafka_error_code(error),
				   rd_kafka_error_string(error), fmt, args);
		va_end(args);
		err->fatal = rd_kafka_error_is_fatal(error);
		err->abort = rd_kafka_error_txn_requires_abort(error);
		err->retriable = rd_kafka_error_is_retriable(error);
	}
	rd_kafka_error_destroy(error);
}
