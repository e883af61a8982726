/*
 * pattern.c
 *	  POSIX regular expressions of libc, as librdkafka uses them.
 *
 * NOTES
 *	  Apart from everything else, because the server has a <regex.h> of its own.
 */
#include <regex.h>
#include <stddef.h>

#include "catalog/pattern.h"

bool
connect_pattern_matches(const char *pattern, const char *text)
{
	regex_t		re;
	bool		matches;

	if (regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB) != 0)
		return false;
	matches = regexec(&re, text, 0, NULL, 0) == 0;
	regfree(&re);
	return matches;
}
