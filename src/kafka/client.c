/*
 * client.c
 *	  What producer, consumer and admin client have in common: the handle, the
 *	  eventfd, notices, the end.
 */
#include "internal.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

/* What the destroying thread needs; whoever comes last frees it. */
typedef struct Destroyer
{
	rd_kafka_t *rk;
	int			flags;
	int			efd;			/* closed after rk, which may write to it */
	pthread_mutex_t lock;
	pthread_cond_t done_cond;
	bool		is_done;		/* under lock */
	bool		is_abandoned;	/* under lock */
} Destroyer;

static void *client_destroy_thread(void *arg);
static void destroyer_free(Destroyer *destroyer);

const char *
connect_kafka_version(void)
{
	return rd_kafka_version_str();
}

int
connect_kafka_version_number(void)
{
	return rd_kafka_version();
}

const char *
connect_kafka_version_warning(void)
{
	if (rd_kafka_version() < VERSION_SCRAM_FIXED)
		return "librdkafka before 2.6.1 cannot log in by SCRAM to Kafka 3.8.1 and later";
	return NULL;
}

int64_t
client_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void
signals_block(sigset_t *saved)
{
	sigset_t	all;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, saved);
}

void
signals_restore(const sigset_t *saved)
{
	pthread_sigmask(SIG_SETMASK, saved, NULL);
}

/* Takes copy over, also when it fails. */
bool
client_open(ConnectKafkaClient *client, rd_kafka_type_t type,
			const ConnectKafkaConf *conf, rd_kafka_conf_t *copy,
			ConnectKafkaError *err)
{
	char		reason[400];
	sigset_t	saved;

	client->pid = getpid();
	client->is_scram = conf->is_scram;
	client->notices = calloc(NOTICES_MAX, sizeof(ConnectKafkaNotice));
	client->efd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (client->notices == NULL || client->efd < 0)
	{
		kafka_error_set(err, RD_KAFKA_RESP_ERR__FAIL,
						client->efd < 0 ? strerror(errno) : "out of memory",
						"could not open a Kafka client");
		rd_kafka_conf_destroy(copy);
		return false;
	}

	signals_block(&saved);
	client->rk = rd_kafka_new(type, copy, reason, sizeof(reason));
	signals_restore(&saved);
	if (client->rk == NULL)
	{
		kafka_error_set(err, RD_KAFKA_RESP_ERR__INVALID_ARG, reason,
						"could not open a Kafka client");
		rd_kafka_conf_destroy(copy);
		return false;
	}

	client->queue = rd_kafka_queue_get_main(client->rk);
	rd_kafka_set_log_queue(client->rk, client->queue);
	client_watch(client, client->queue);
	/* Something may have been queued before we began to watch. */
	client_fd_set(client);
	return true;
}

void
client_watch(ConnectKafkaClient *client, rd_kafka_queue_t *queue)
{
	static const uint64_t one = 1;

	rd_kafka_queue_io_event_enable(queue, client->efd, &one, sizeof(one));
}

void
client_fd_clear(ConnectKafkaClient *client)
{
	eventfd_t	count;

	(void) eventfd_read(client->efd, &count);
}

void
client_fd_set(ConnectKafkaClient *client)
{
	(void) eventfd_write(client->efd, 1);
}

int
connect_kafka_client_fd(const ConnectKafkaClient *client)
{
	return client->efd;
}

bool
connect_kafka_client_is_down(const ConnectKafkaClient *client)
{
	return client->is_down;
}

ConnectKafkaResult
connect_kafka_client_probe(ConnectKafkaClient *client, int timeout_ms,
						   ConnectKafkaError *err)
{
	const struct rd_kafka_metadata *metadata;
	rd_kafka_resp_err_t code;

	if (!client_check(client, err))
		return CONNECT_KAFKA_FAILED;
	code = rd_kafka_metadata(client->rk, 0, NULL, &metadata, timeout_ms);
	if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
	{
		rd_kafka_metadata_destroy(metadata);
		client->is_down = false;
		return CONNECT_KAFKA_OK;
	}
	kafka_error_set(err, code, NULL, "no answer from the Kafka cluster");
	return CONNECT_KAFKA_IN_PROGRESS;
}

bool
connect_kafka_client_is_fatal(ConnectKafkaClient *client,
							  ConnectKafkaError *err)
{
	if (client->is_fatal && err != NULL)
		*err = client->fatal;
	return client->is_fatal;
}

bool
connect_kafka_client_notice(ConnectKafkaClient *client,
							ConnectKafkaNotice *notice)
{
	if (client->notices_count == 0)
		return false;
	*notice = client->notices[client->notices_first];
	client->notices_first = (client->notices_first + 1) % NOTICES_MAX;
	client->notices_count--;
	return true;
}

/* The newest give way: the first ones tell the cause. */
ConnectKafkaNotice *
client_add_notice(ConnectKafkaClient *client, ConnectKafkaNoticeKind kind)
{
	ConnectKafkaNotice *notice;

	if (client->notices_count == NOTICES_MAX)
	{
		client->notices_dropped++;
		return NULL;
	}
	notice = &client->notices[(client->notices_first +
							   client->notices_count) % NOTICES_MAX];
	client->notices_count++;
	memset(notice, 0, sizeof(*notice));
	notice->kind = kind;
	notice->dropped = client->notices_dropped;
	client->notices_dropped = 0;
	return notice;
}

void
client_explain(ConnectKafkaClient *client, ConnectKafkaError *err)
{
	if (err == NULL)
		return;
	if (err->auth && client->is_scram &&
		rd_kafka_version() < VERSION_SCRAM_FIXED &&
		(err->code == RD_KAFKA_RESP_ERR__AUTHENTICATION ||
		 err->code == RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED))
		kafka_error_add_hint(err, "librdkafka %s cannot log in by SCRAM to Kafka 3.8.1 and later: "
							 "install librdkafka 2.6.1 or later, or use another sasl.mechanism",
							 rd_kafka_version_str());
	if (err->fatal && !client->is_fatal)
	{
		client->is_fatal = true;
		client->fatal = *err;
	}
}

void
client_add_error(ConnectKafkaClient *client, int code, const char *reason)
{
	ConnectKafkaNotice *notice;
	ConnectKafkaError error;

	if (code == RD_KAFKA_RESP_ERR__FATAL)
	{
		char		text[400];
		int			cause = rd_kafka_fatal_error(client->rk, text, sizeof(text));

		kafka_error_set(&error, cause ? cause : code, cause ? text : reason,
						"Kafka client");
		error.fatal = true;
		error.retriable = false;
	}
	else
		kafka_error_set(&error, code, reason, "Kafka client");
	if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
		client->is_down = true;
	client_explain(client, &error);

	notice = client_add_notice(client, CONNECT_KAFKA_NOTICE_ERROR);
	if (notice != NULL)
		notice->error = error;
}

rd_kafka_event_t *
client_next_event(ConnectKafkaClient *client)
{
	rd_kafka_event_t *event;

	while ((event = rd_kafka_queue_poll(client->queue, 0)) != NULL)
	{
		switch (rd_kafka_event_type(event))
		{
			case RD_KAFKA_EVENT_LOG:
				{
					const char *facility;
					const char *text;
					int			level;
					ConnectKafkaNotice *notice;

					if (rd_kafka_event_log(event, &facility, &text, &level) != 0)
						break;
					notice = client_add_notice(client, CONNECT_KAFKA_NOTICE_LOG);
					if (notice == NULL)
						break;
					notice->level = level;
					snprintf(notice->facility, sizeof(notice->facility), "%s",
							 facility);
					snprintf(notice->error.text, sizeof(notice->error.text),
							 "%s", text);
					break;
				}
			case RD_KAFKA_EVENT_ERROR:
				client_add_error(client,
								 rd_kafka_event_error_is_fatal(event) ?
								 RD_KAFKA_RESP_ERR__FATAL :
								 rd_kafka_event_error(event),
								 rd_kafka_event_error_string(event));
				break;
			case RD_KAFKA_EVENT_STATS:
				break;
			default:
				return event;
		}
		rd_kafka_event_destroy(event);
	}
	return NULL;
}

bool
client_check(ConnectKafkaClient *client, ConnectKafkaError *err)
{
	if (client->pid == getpid())
		return true;
	kafka_error_set(err, RD_KAFKA_RESP_ERR__STATE,
					"opened by another process", "Kafka client");
	return false;
}

bool
client_close(ConnectKafkaClient *client, int destroy_flags, int deadline_ms)
{
	Destroyer  *destroyer;
	pthread_t	thread;
	pthread_condattr_t attr;
	struct timespec until;
	sigset_t	saved;
	bool		is_done;

	free(client->notices);
	client->notices = NULL;
	if (client->rk == NULL)
	{
		if (client->efd >= 0)
			close(client->efd);
		return true;
	}
	/* A child of fork has none of the threads: nothing can be freed. */
	if (client->pid != getpid())
		return true;

	rd_kafka_queue_io_event_enable(client->queue, -1, NULL, 0);
	rd_kafka_queue_destroy(client->queue);

	destroyer = calloc(1, sizeof(*destroyer));
	if (destroyer == NULL)
		return false;
	destroyer->rk = client->rk;
	destroyer->flags = destroy_flags;
	destroyer->efd = client->efd;
	client->rk = NULL;
	pthread_mutex_init(&destroyer->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&destroyer->done_cond, &attr);
	pthread_condattr_destroy(&attr);

	/*
	 * rd_kafka_destroy joins librdkafka's threads, and one of them may sit in
	 * a name look-up for many seconds.  So it runs beside us.
	 */
	signals_block(&saved);
	if (pthread_create(&thread, NULL, client_destroy_thread, destroyer) != 0)
	{
		signals_restore(&saved);
		rd_kafka_destroy_flags(destroyer->rk, destroyer->flags);
		destroyer_free(destroyer);
		return true;
	}
	signals_restore(&saved);

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += deadline_ms / 1000;
	until.tv_nsec += (long) (deadline_ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000)
	{
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&destroyer->lock);
	while (!destroyer->is_done &&
		   pthread_cond_timedwait(&destroyer->done_cond, &destroyer->lock,
								  &until) == 0)
		;
	is_done = destroyer->is_done;
	destroyer->is_abandoned = !is_done;
	pthread_mutex_unlock(&destroyer->lock);

	if (is_done)
	{
		pthread_join(thread, NULL);
		destroyer_free(destroyer);
	}
	else
		pthread_detach(thread);
	return is_done;
}

/* @locality its own thread, which blocks all signals */
static void *
client_destroy_thread(void *arg)
{
	Destroyer  *destroyer = arg;
	bool		is_abandoned;

	rd_kafka_destroy_flags(destroyer->rk, destroyer->flags);

	pthread_mutex_lock(&destroyer->lock);
	destroyer->is_done = true;
	is_abandoned = destroyer->is_abandoned;
	pthread_cond_signal(&destroyer->done_cond);
	pthread_mutex_unlock(&destroyer->lock);
	if (is_abandoned)
		destroyer_free(destroyer);
	return NULL;
}

static void
destroyer_free(Destroyer *destroyer)
{
	close(destroyer->efd);
	pthread_mutex_destroy(&destroyer->lock);
	pthread_cond_destroy(&destroyer->done_cond);
	free(destroyer);
}
