/*
 * pattern.h
 *	  POSIX regular expressions of libc, as librdkafka uses them.
 */
#ifndef CONNECT_PATTERN_H
#define CONNECT_PATTERN_H

#include <stdbool.h>

/* False also if the pattern is malformed. */
extern bool connect_pattern_matches(const char *pattern, const char *text);

#endif							/* CONNECT_PATTERN_H */
