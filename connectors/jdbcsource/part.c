/*
 * part.c
 *	  The turns of a table that several tasks read: see split.c.
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "connect.h"
#include "jdbcsource/turn.h"
#include "runtime/fault.h"
#include "runtime/wal.h"

/* Looks again when others say something, and when it has held on for too long. */
static void
listen(ConnectJdbcTurn *turn)
{
	turn->listens = true;
	turn->due = turn->reader->holding ?
		TimestampTzPlusMilliseconds(turn->reader->held_since,
									connect_snapshot_max_age + 1) : DT_NOEND;
}

static void
show_part(ConnectTask *task, const ConnectJdbcTurn *turn, int other)
{
	connect_jdbc_show_waiting(task, turn, psprintf("task %d, which reads a part of %s", other,
									  turn->label));
}

/* The leader begins when no part is still at work for another pass. */
bool
connect_jdbc_part_ready(ConnectTask *task, ConnectJdbcTurn *turn)
{
	int			unready = connect_jdbc_split_unready(turn->split);

	if (unready < 0)
		return true;
	show_part(task, turn, unready);
	listen(turn);
	return false;
}

/* A part but the first joins the leader's pass, if there is one. */
void
connect_jdbc_part_follow(ConnectTask *task, ConnectJdbcTurn *turn)
{
	ConnectJdbcReader *reader = turn->reader;
	ConnectShare leader;

	if (!connect_jdbc_split_offered(turn->split, &leader))
	{
		listen(turn);
		return;
	}
	connect_jdbc_split_join(turn->split, &leader);
	connect_jdbc_begin(task, leader.snapshot);
	CONNECT_FAULT("part-joined");
	if (!connect_jdbc_open_table(task, turn) || !reader->statement->heap ||
		!connect_jdbc_reader_heap_begin(reader))
	{
		connect_jdbc_commit(task);
		connect_jdbc_split_refuse(turn->split);
		listen(turn);
		return;
	}
	/* Else the table may have been written anew before our lock was there. */
	if (!connect_jdbc_split_is_held(turn->split))
	{
		connect_jdbc_reader_heap_end(reader);
		connect_jdbc_commit(task);
		connect_jdbc_split_leave(turn->split);
		listen(turn);
		return;
	}
	connect_wal_settle();
	connect_jdbc_show_waiting(task, turn, NULL);
	reader->part = turn->split->part;
	reader->nparts = turn->split->nparts;
	reader->nblocks = leader.nblocks;
	reader->held_since = leader.since;
	reader->rows = 0;
	turn->state = CONNECT_JDBC_SCANNING;
}

/* The leader emits nothing before all others have the snapshot. */
void
connect_jdbc_part_open(ConnectTask *task, ConnectJdbcTurn *turn)
{
	int			other;
	ConnectJdbcOthers others = connect_jdbc_split_others(turn->split, &other);

	if (others <= CONNECT_JDBC_OTHERS_WORK)
	{
		connect_jdbc_show_waiting(task, turn, NULL);
		turn->state = CONNECT_JDBC_SCANNING;
	}
	else if (others == CONNECT_JDBC_OTHERS_FREE && !connect_jdbc_held_too_long(turn))
	{
		show_part(task, turn, other);
		listen(turn);
	}
	else
	{
		connect_jdbc_stop_holding(task, turn);
		connect_jdbc_split_close(turn->split);
		turn->state = CONNECT_JDBC_IDLE;
		connect_jdbc_look_again(turn);
	}
}

/* This part is read: what of the others? */
void
connect_jdbc_part_join(ConnectTask *task, ConnectJdbcTurn *turn)
{
	ConnectJdbcReader *reader = turn->reader;
	ConnectJdbcOthers others;
	int			other;

	if (turn->split->part > 0)
	{
		if (connect_jdbc_part_abandoned(task, turn))
			return;
		if (connect_task_in_flight(task) > 0)
		{
			connect_jdbc_look_again(turn);
			return;
		}
		connect_jdbc_split_done(turn->split);
		connect_jdbc_turn_over(task, turn);
		return;
	}

	others = connect_jdbc_split_others(turn->split, &other);
	if (others == CONNECT_JDBC_OTHERS_DONE)
	{
		if (reader->holding)
			connect_jdbc_stop_holding(task, turn);
		connect_jdbc_split_close(turn->split);
		connect_jdbc_show_progress(task, turn, true);
		connect_jdbc_turn_over(task, turn);
	}
	else if (others == CONNECT_JDBC_OTHERS_REFUSE ||
			 (others == CONNECT_JDBC_OTHERS_FREE && !reader->holding))
	{
		ereport(LOG,
				(errmsg("connector \"%s\" reads %s from its beginning again",
						task->connector, turn->label),
				 errdetail("Task %d has not read its part, and the snapshot is gone or cannot be had.",
						   other)));
		if (reader->holding)
			connect_jdbc_stop_holding(task, turn);
		connect_jdbc_split_close(turn->split);
		turn->state = CONNECT_JDBC_IDLE;
		connect_jdbc_look_again(turn);
	}
	else if (reader->holding && connect_jdbc_held_too_long(turn))
	{
		connect_jdbc_stop_holding(task, turn);
		connect_jdbc_show_progress(task, turn, true);
		turn->state = CONNECT_JDBC_JOINING;
		turn->due = 0;
	}
	else
	{
		connect_jdbc_show_progress(task, turn, false);
		show_part(task, turn, other);
		listen(turn);
	}
}

/* Has the leader given up the pass that this part reads for? */
bool
connect_jdbc_part_abandoned(ConnectTask *task, ConnectJdbcTurn *turn)
{
	if (turn->split == NULL || turn->split->part == 0 ||
		connect_jdbc_split_is_current(turn->split))
		return false;
	if (turn->reader->holding)
		connect_jdbc_stop_holding(task, turn);
	connect_jdbc_reader_reset(turn->reader);
	connect_jdbc_split_leave(turn->split);
	turn->state = CONNECT_JDBC_IDLE;
	turn->due = 0;
	return true;
}
