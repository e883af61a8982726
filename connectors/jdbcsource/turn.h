/*
 * turn.h
 *	  The turns of a source's tables: what source.c and part.c share.
 */
#ifndef CONNECT_JDBCSOURCE_TURN_H
#define CONNECT_JDBCSOURCE_TURN_H

#include "jdbcsource/jdbcsource.h"

typedef enum ConnectJdbcTurnState
{
	CONNECT_JDBC_IDLE,
	CONNECT_JDBC_WAITING,
	CONNECT_JDBC_READING,
	CONNECT_JDBC_SCANNING,
	CONNECT_JDBC_OPENING,
	CONNECT_JDBC_JOINING
} ConnectJdbcTurnState;

/* One table, or the query. */
typedef struct ConnectJdbcTurn
{
	ConnectJdbcTable table;		/* name NULL: the query */
	char	   *label;
	ConnectJdbcReader *reader;
	ConnectJdbcTurnState state;
	TimestampTz due;			/* IDLE: when to begin; WAITING: to look again */
	long		step_ms;		/* of looking again */
	bool		held;			/* an open transaction holds the bound back */
	bool		missing;		/* there is no such table, and it was said */
	ConnectJdbcSplit *split;	/* NULL = the whole table is ours */
	bool		listens;		/* looks again when others say something */

	bool		settled;		/* bulk: standbys were to catch up before */

	/* the window: up to which bound is read */
	int64		top;
	TimestampTz before;
	bool		last_chunk;		/* the statement has given all of it */
	ConnectWriter *writers;		/* WAITING */
	int			nwriters;
} ConnectJdbcTurn;

typedef struct ConnectJdbcSource
{
	ConnectJdbcSettings *settings;
	MemoryContext context;
	Oid			role;			/* whose rights count; InvalidOid: the owner */
	Oid			user;			/* who was before, in a transaction */
	int			security;
	const char *search_path;	/* of the query; NULL: that of tasks */
	const char *access;			/* for the status */
	ConnectJdbcTurn *turns;
	int			nturns;
	TimestampTz horizon;		/* connect_writers_horizon()'s last result */
	const char *digest;			/* of all tables; NULL: not ours to watch */
	TimestampTz list_due;
	bool		in_poll;		/* an error has left poll() */
	char	   *waiting_for;	/* as shown; NULL = nothing */
	const ConnectJdbcTurn *waiting_turn;	/* whose it is */
	TimestampTz shown_at;		/* progress was */
	bool		is_stale;		/* and there has been more since */
} ConnectJdbcSource;

/* ---- source.c ---- */

/*
 * A transaction with the rights that count; snapshot: one that another task has
 * exported, NULL = one of its own.
 */
extern void connect_jdbc_begin(ConnectTask *task, const char *snapshot);
extern void connect_jdbc_commit(ConnectTask *task);
/*
 * Takes the table's lock if it is free and sees to it that the statement is up
 * to date.  False if there is nothing to read now: due says when to try again.
 */
extern bool connect_jdbc_open_table(ConnectTask *task, ConnectJdbcTurn *turn);
/* Looks again soon, later each time. */
extern void connect_jdbc_look_again(ConnectJdbcTurn *turn);
/* Ends the scan and its transaction. */
extern void connect_jdbc_stop_holding(ConnectTask *task, ConnectJdbcTurn *turn);
extern bool connect_jdbc_held_too_long(const ConnectJdbcTurn *turn);
/* The table has been read; it has its next turn after the poll interval. */
extern void connect_jdbc_turn_over(ConnectTask *task, ConnectJdbcTurn *turn);
extern void connect_jdbc_show_waiting(ConnectTask *task,
									  const ConnectJdbcTurn *turn,
									  const char *what);
/* At most once a second, unless it must be now. */
extern void connect_jdbc_show_progress(ConnectTask *task,
									   const ConnectJdbcTurn *turn, bool now);

/* ---- part.c ---- */

extern bool connect_jdbc_part_ready(ConnectTask *task, ConnectJdbcTurn *turn);
extern void connect_jdbc_part_follow(ConnectTask *task, ConnectJdbcTurn *turn);
extern void connect_jdbc_part_open(ConnectTask *task, ConnectJdbcTurn *turn);
extern void connect_jdbc_part_join(ConnectTask *task, ConnectJdbcTurn *turn);
/* If so, the turn has begun anew. */
extern bool connect_jdbc_part_abandoned(ConnectTask *task, ConnectJdbcTurn *turn);

#endif							/* CONNECT_JDBCSOURCE_TURN_H */
