/*
 * mask.h
 *	  Secrets that this process knows, kept out of what it says.
 */
#ifndef CONNECT_MASK_H
#define CONNECT_MASK_H

#include "postgres.h"

#include "nodes/pg_list.h"

/* A shorter one says nothing, and masked would make messages unreadable. */
#define CONNECT_MASK_MIN 4

/* Values put in for references, as texts; what is known stays known. */
extern void connect_mask_learn(List *secrets);
extern void connect_mask_forget(void);

/* Text itself if there is nothing to hide in it; else a copy.  Takes NULL. */
extern const char *connect_masked(const char *text);
/* Every text of it that is shown. */
extern void connect_mask_error(ErrorData *edata);

#endif							/* CONNECT_MASK_H */
