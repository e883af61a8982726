/*
 * access.h
 *	  How the catalog's own files reach the connect.* tables.
 *
 * NOTES
 *	  Nobody but src/catalog includes this.  Between enter and leave the current
 *	  user is the owner of our tables and search_path is pinned; only the fixed
 *	  statements of this folder run there.  An error leaves by the abort of the
 *	  (sub)transaction, which restores both.
 */
#ifndef CONNECT_ACCESS_H
#define CONNECT_ACCESS_H

#include "connect.h"

#include "executor/spi.h"
#include "utils/jsonb.h"

#include "config/config.h"

#define CONNECT_STATEMENT_ARGS 16

/* A fixed statement; its plan is kept for the life of the process. */
typedef struct ConnectStatement
{
	const char *sql;
	int			nargs;
	Oid			argtypes[CONNECT_STATEMENT_ARGS];
	SPIPlanPtr	plan;
	bool		latest;			/* sees what is committed now, also in a
								 * transaction whose snapshot is older */
} ConnectStatement;

typedef struct ConnectCatalogScope
{
	MemoryContext caller;		/* where results go */
	Oid			user;			/* to be restored */
	int			sec_context;
	int			guc_level;
} ConnectCatalogScope;

extern void connect_catalog_enter(ConnectCatalogScope *scope);
extern void connect_catalog_leave(ConnectCatalogScope *scope);

/* Runs one; rows are in SPI_tuptable.  nulls may be NULL.  Rows processed. */
extern uint64 connect_catalog_run(ConnectStatement *stmt, Datum *values,
								  const char *nulls);

/* Enters, runs one, leaves.  Rows processed; none is read. */
extern uint64 connect_catalog_execute(ConnectStatement *stmt, Datum *values,
									  const char *nulls);

/*
 * Enters, runs one, leaves: the list of what make has made of each row, in the
 * caller's context.
 */
extern List *connect_catalog_list(ConnectStatement *stmt, Datum *values,
								  void *(*make) (const ConnectCatalogScope *scope, uint64 row));

/* An argument from a text that may be NULL: then sets *null. */
extern Datum connect_catalog_text_arg(const char *value, char *null);

/* Column col (from 1) of row row, in the caller's context. */
extern char *connect_catalog_text(const ConnectCatalogScope *scope,
								  uint64 row, int col); /* NULL if null */
extern int64 connect_catalog_int64(uint64 row, int col, int64 if_null);
extern bool connect_catalog_bool(uint64 row, int col);
extern ConnectConfig *connect_catalog_config(const ConnectCatalogScope *scope,
											 uint64 row, int col);

#endif							/* CONNECT_ACCESS_H */
