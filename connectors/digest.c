/*
 * digest.c
 *	  What a connector has to read, as one number.  See digest.h.
 */
#include "postgres.h"

#include "common/hashfn.h"

#include "digest.h"

char *
connect_digest(List *texts)
{
	uint64		hash = list_length(texts);
	ListCell   *lc;

	foreach(lc, texts)
	{
		const char *text = lfirst(lc);

		hash = hash_bytes_extended((const unsigned char *) text, strlen(text),
								   hash);
	}
	return psprintf(UINT64_FORMAT, hash);
}
