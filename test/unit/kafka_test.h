/*
 * kafka_test.h
 *	  What the unit programs of src/kafka share: checks, and waiting for a
 *	  condition as a worker does, on the client's fd.
 *
 * A program is built from its own file and src/kafka:
 *	  cc -std=gnu11 -D_GNU_SOURCE -g -fsanitize=address,undefined -Isrc \
 *		test/unit/kafka_X.c $(ls src/kafka/?*.c) -lrdkafka -lpthread
 */
#ifndef KAFKA_TEST_H
#define KAFKA_TEST_H

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "kafka/kafka.h"

#define lengthof(array) (sizeof(array) / sizeof((array)[0]))

static int	test_passed;
static int	test_failed;

static bool
test_check(bool is_ok, const char *file, int line, const char *what,
		   const char *detail)
{
	if (is_ok)
		test_passed++;
	else
	{
		test_failed++;
		printf("%s:%d: failed: %s%s%s\n", file, line, what,
			   detail[0] != '\0' ? ": " : "", detail);
		fflush(stdout);
	}
	return is_ok;
}

#define check(what) test_check((what), __FILE__, __LINE__, #what, "")
/* The same, with the text of an error. */
#define check_err(what, error) \
	test_check((what), __FILE__, __LINE__, #what, (error).text)

static inline int
test_end(void)
{
	printf("%d passed, %d failed\n", test_passed, test_failed);
	return test_failed == 0 ? 0 : 1;
}

static inline int64_t
test_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Sleeps until the client has something, or for ms. */
static inline bool
test_wait(ConnectKafkaClient *client, int ms)
{
	struct pollfd fd = {.fd = connect_kafka_client_fd(client),.events = POLLIN};

	return poll(&fd, 1, ms) > 0;
}

/* Runs step until condition holds or 30 s have passed. */
#define wait_until(client, condition, step) \
	do { \
		int64_t		until_ = test_now_ms() + 30000; \
		while (!(condition) && test_now_ms() < until_) \
		{ \
			step; \
			if (!(condition)) \
				test_wait((client), 50); \
		} \
		check(condition); \
	} while (0)

static inline ConnectKafkaConf *
test_conf(ConnectKafkaRole role, const char *bootstrap,
		  const ConnectKafkaProperty *more, int nmore)
{
	ConnectKafkaProperty props[32] = {{"bootstrap.servers", bootstrap}};
	ConnectKafkaError err;
	ConnectKafkaConf *conf;

	for (int i = 0; i < nmore; i++)
		props[i + 1] = more[i];
	conf = connect_kafka_conf_build(role, props, nmore + 1, true, &err);
	if (conf == NULL)
	{
		printf("conf: %s\n", err.text);
		exit(1);
	}
	return conf;
}

#define CONF(role, bootstrap, ...) \
	test_conf(role, bootstrap, (const ConnectKafkaProperty[]) {__VA_ARGS__}, \
			  (int) lengthof(((const ConnectKafkaProperty[]) {__VA_ARGS__})))

#endif							/* KAFKA_TEST_H */
