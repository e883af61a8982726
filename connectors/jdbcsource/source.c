/*
 * source.c
 *	  The table source: which table is read when.
 *
 * NOTES
 *	  Each table (or the query) has a turn every poll.interval.ms:
 *
 *	  IDLE --due--> WAITING --nobody writes below the bound--> READING --> IDLE
 *	                (incrementing)                 chunk by chunk, drained
 *	  IDLE --due, bulk--> SCANNING (snapshot held between polls) --> IDLE
 *	                      or READING, where a statement is needed
 *	  a part of a table that several tasks read (split.c):
 *	  IDLE --due, others free--> OPENING --others have the snapshot-->
 *	  SCANNING --> JOINING --all have read theirs--> IDLE
 *
 *	  Waiting is never done inside of a transaction: poll() says when it wants
 *	  to be called again.  While one table waits the others go on; while one is
 *	  being read the others do not.
 *
 *	  Nothing is emitted that a crash could take back: WAL is flushed up to
 *	  where it was inserted when the snapshot was taken.
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "catalog/catalog.h"
#include "command/hide.h"
#include "connect.h"
#include "jdbcsource/turn.h"
#include "runtime/wal.h"
#include "runtime/xact.h"

/* Steps in which one looks again whether a writer or a lock has gone. */
#define MIN_STEP_MS		1
#define MAX_STEP_MS		50

#define PROGRESS_MS		1000

static ConnectJdbcTurn *next_turn(ConnectJdbcSource *state);
static void turn_begin(ConnectTask *task, ConnectJdbcTurn *turn);
static void turn_wait(ConnectTask *task, ConnectJdbcTurn *turn);
static void turn_read(ConnectTask *task, ConnectJdbcTurn *turn);
static void turn_scan(ConnectTask *task, ConnectJdbcTurn *turn);
static void store_rest(ConnectTask *task, ConnectJdbcTurn *turn);
static void turn_end(ConnectTask *task, ConnectJdbcTurn *turn);
static void watch_tables(ConnectTask *task);

/* A transaction with the rights that count; snapshot NULL: one of its own. */
void
connect_jdbc_begin(ConnectTask *task, const char *snapshot)
{
	ConnectJdbcSource *state = task->state;

	if (snapshot != NULL)
		connect_xact_begin_imported(snapshot);
	else
		connect_task_begin(task);
	if (OidIsValid(state->role))
	{
		GetUserIdAndSecContext(&state->user, &state->security);
		SetUserIdAndSecContext(state->role,
							   state->security | SECURITY_LOCAL_USERID_CHANGE);
	}
	if (state->search_path != NULL)
		(void) set_config_option("search_path", state->search_path, PGC_USERSET,
								 PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0, false);
}

void
connect_jdbc_commit(ConnectTask *task)
{
	ConnectJdbcSource *state = task->state;

	if (OidIsValid(state->role))
		SetUserIdAndSecContext(state->user, state->security);
	connect_task_commit(task);
}

/* Where reading starts: at the stored offset, by either protocol. */
static void
seek(ConnectTask *task, ConnectJdbcTurn *turn, const char *partition)
{
	const ConnectJdbcSettings *settings = turn->reader->settings;
	const char *stored = connect_task_source_offset(task, partition);
	ConnectJdbcOffset offset = {DT_NOBEGIN, PG_INT64_MIN};
	char	   *message;

	if (stored == NULL && turn->table.name != NULL)
		stored = connect_task_source_offset(task,
											connect_jdbc_partition_v0(turn->table.name));
	if (stored != NULL && !connect_jdbc_offset_parse(stored, &offset, &message))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("stored offset of %s cannot be used: %s", turn->label,
						message),
				 errdetail("The offset is: %s", stored)));
	if (settings->timestamp && offset.ts == DT_NOBEGIN)
		offset.ts = settings->timestamp_initial_now ? GetCurrentTimestamp() :
			settings->timestamp_initial;
	if (settings->incrementing && offset.id == PG_INT64_MIN)
		offset.id = settings->incrementing_initial;
	connect_jdbc_reader_seek(turn->reader, &offset);
}

static void
turn_make(ConnectTask *task, ConnectJdbcTurn *turn, const ConnectJdbcTable *table)
{
	ConnectJdbcSource *state = task->state;
	ConnectJdbcSettings *settings = state->settings;
	const char *partition = CONNECT_JDBC_QUERY_PARTITION;
	const char *topic = settings->topic_prefix;
	bool		keyed = settings->mode != CONNECT_JDBC_BULK;

	if (table != NULL)
	{
		turn->table = *table;
		turn->label = connect_jdbc_table_dotted(table);
		partition = connect_jdbc_partition(turn->label);
		topic = psprintf("%s%s", settings->topic_prefix, table->name);
	}
	else
		turn->label = pstrdup("the query");
	turn->reader = connect_jdbc_reader_make(task, settings, topic,
											table ? table->name : NULL,
											keyed ? connect_task_source_partition(task, partition) : -1);
	if (keyed)
		seek(task, turn, partition);
}

void
connect_jdbc_start(ConnectTask *task)
{
	ConnectJdbcSource *state = palloc0(sizeof(ConnectJdbcSource));
	ConnectJdbcSettings *settings = connect_jdbc_settings(task->config);
	const char *names = connect_config_get(task->config, "tables");
	ConnectJdbcLogin login;
	char	   *message = NULL;
	ListCell   *lc;

	task->state = state;
	state->settings = settings;
	settings->row.plain = connect_worker_plain_values(task->config);
	state->context = CurrentMemoryContext;
	state->horizon = DT_NOBEGIN;
	state->digest = connect_config_get(task->config, "tables.digest");
	state->list_due = TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
												  settings->table_poll_ms);
	state->access = "native access";
	if (settings->url != NULL)
	{
		ConnectJdbcReach reach = connect_jdbc_reach(settings,
														connect_jdbc_owner(task),
														&login, &message);

		if (reach == CONNECT_JDBC_NATIVE)
		{
			connect_task_begin(task);
			state->role = connect_jdbc_role(login.role, task->owner, &message);
			connect_task_commit(task);
			MemoryContextSwitchTo(task->context);
			if (!OidIsValid(state->role))
				reach = CONNECT_JDBC_REFUSED;
			state->access = psprintf("native access as %s", login.role);
			/* Tables have their schemas; a query may count on it. */
			if (settings->query != NULL)
				state->search_path = login.search_path;
		}
		if (reach != CONNECT_JDBC_NATIVE)
			ereport(ERROR,
					(errcode(reach == CONNECT_JDBC_FAILED ?
							 ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION :
							 ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("%s", message),
					 errhint("Leave connection.url out to read this database as the connector's owner.")));
		if (state->role == task->owner)
			state->role = InvalidOid;
	}

	if (settings->query != NULL)
	{
		state->turns = palloc0(sizeof(ConnectJdbcTurn));
		state->nturns = 1;
		turn_make(task, state->turns, NULL);
	}
	else
	{
		List	   *tables = connect_jdbc_tables_parse(names ? names : "");

		state->turns = palloc0(sizeof(ConnectJdbcTurn) * Max(list_length(tables), 1));
		foreach(lc, tables)
			turn_make(task, &state->turns[state->nturns++], lfirst(lc));
		if (state->nturns == 1)
			state->turns[0].split = connect_jdbc_split_make(task);
	}
	if (state->nturns == 0)
		connect_task_progress(task, "no table is chosen");
	else
		connect_jdbc_show_progress(task, &state->turns[0], true);
}

/* Has an error ended a transaction that was to stay? */
static bool
lost_transaction(const ConnectJdbcSource *state)
{
	for (int i = 0; i < state->nturns; i++)
	{
		if (state->turns[i].reader->holding)
			return !IsTransactionState();
	}
	return false;
}

/* After an error: the transaction has gone, and what hung on it. */
static void
recover(ConnectJdbcSource *state)
{
	for (int i = 0; i < state->nturns; i++)
	{
		ConnectJdbcTurn *turn = &state->turns[i];

		if (turn->split != NULL)
			connect_jdbc_split_leave(turn->split);
		if (turn->state == CONNECT_JDBC_IDLE)
			continue;
		connect_jdbc_reader_reset(turn->reader);
		turn->state = CONNECT_JDBC_IDLE;
		turn->due = 0;
	}
}

ConnectPollResult
connect_jdbc_poll(ConnectTask *task)
{
	ConnectJdbcSource *state = task->state;
	ConnectJdbcTurn *turn;
	ConnectHiding hiding;

	if (state->settings->masked)
		connect_hide_begin(&hiding);
	if (state->in_poll || lost_transaction(state))
		recover(state);
	state->in_poll = true;
	for (int i = 0; i < state->nturns; i++)
	{
		if (state->turns[i].listens)
			state->turns[i].due = 0;
		state->turns[i].listens = false;
	}
	while (task->room > 0 && (turn = next_turn(state)) != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		switch (turn->state)
		{
			case CONNECT_JDBC_IDLE:
				turn_begin(task, turn);
				break;
			case CONNECT_JDBC_WAITING:
				turn_wait(task, turn);
				break;
			case CONNECT_JDBC_READING:
				turn_read(task, turn);
				break;
			case CONNECT_JDBC_SCANNING:
				turn_scan(task, turn);
				break;
			case CONNECT_JDBC_OPENING:
				connect_jdbc_part_open(task, turn);
				break;
			case CONNECT_JDBC_JOINING:
				connect_jdbc_part_join(task, turn);
				break;
		}
		if (turn->reader->holding)
			MemoryContextSwitchTo(task->batch_context);
	}
	if (!IsTransactionState())
		watch_tables(task);
	state->in_poll = false;
	if (state->settings->masked)
		connect_hide_end(&hiding);
	if (task->room <= 0)
		return CONNECT_POLL_AGAIN;

	/* Nothing is due. */
	task->wait_ms = -1;
	for (int i = 0; i <= state->nturns; i++)
	{
		TimestampTz due;
		long		ms;

		if (i < state->nturns)
			due = state->turns[i].due;
		else if (state->digest != NULL)
			due = state->list_due;
		else
			break;
		ms = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), due);
		task->wait_ms = task->wait_ms < 0 ? ms : Min(task->wait_ms, ms);
	}
	return CONNECT_POLL_WAIT;
}

/* What is being read goes on; else what has been due for the longest time. */
static ConnectJdbcTurn *
next_turn(ConnectJdbcSource *state)
{
	TimestampTz now = GetCurrentTimestamp();
	ConnectJdbcTurn *result = NULL;

	for (int i = 0; i < state->nturns; i++)
	{
		ConnectJdbcTurn *turn = &state->turns[i];

		if (turn->state == CONNECT_JDBC_READING || turn->state == CONNECT_JDBC_SCANNING)
			return turn;
		if (turn->due <= now && (result == NULL || turn->due < result->due))
			result = turn;
	}
	return result;
}

/* Looks again soon, later each time. */
void
connect_jdbc_look_again(ConnectJdbcTurn *turn)
{
	turn->step_ms = turn->step_ms == 0 ? MIN_STEP_MS :
		Min(turn->step_ms * 2, MAX_STEP_MS);
	turn->due = TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
											turn->step_ms);
}

/*
 * Takes the table's lock if it is free and sees to it that the statement is up
 * to date.  False if there is nothing to read now: due says when to try again.
 */
bool
connect_jdbc_open_table(ConnectTask *task, ConnectJdbcTurn *turn)
{
	ConnectJdbcReader *reader = turn->reader;
	ConnectJdbcStatement *statement = reader->statement;
	Oid			relid = InvalidOid;

	if (turn->table.name != NULL)
	{
		relid = connect_jdbc_table_lookup(&turn->table);
		if (OidIsValid(relid) &&
			!ConditionalLockRelationOid(relid, AccessShareLock))
		{
			connect_jdbc_show_waiting(task, turn, psprintf("the lock of %s", turn->label));
			connect_jdbc_look_again(turn);
			return false;
		}
		/* It may have been dropped before the lock was there. */
		if (OidIsValid(relid) && connect_jdbc_table_lookup(&turn->table) != relid)
			relid = InvalidOid;
		if (!OidIsValid(relid))
		{
			if (!turn->missing)
			{
				ereport(LOG,
						(errmsg("table %s is gone, connector \"%s\" reads it no more",
								turn->label, task->connector)));
				connect_task_reconfigure(task);
			}
			turn->missing = true;
			turn->due = TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
													reader->settings->poll_ms);
			return false;
		}
		turn->missing = false;
	}
	if (statement != NULL &&
		(statement->relid != relid || statement->version != connect_jdbc_version()))
	{
		connect_jdbc_statement_free(statement);
		reader->statement = statement = NULL;
	}
	if (statement == NULL)
		reader->statement = connect_jdbc_statement_make(reader->settings, relid,
														reader->context);
	return true;
}

/* Emits and stores the rows of the statement; ends the transaction. */
static void
execute(ConnectTask *task, ConnectJdbcTurn *turn, Datum *args)
{
	ConnectJdbcReader *reader = turn->reader;

	connect_jdbc_reader_execute(reader, reader->statement->read, args, false);
	turn->last_chunk = !reader->statement->chunked ||
		reader->chunk_rows < reader->settings->batch;
	connect_jdbc_commit(task);
	turn->state = CONNECT_JDBC_READING;
	if (reader->store == NULL)
		turn_end(task, turn);
}

/* Incrementing: the highest id that there is beyond the last one. */
static bool
find_top(ConnectJdbcTurn *turn, Datum *args)
{
	ConnectJdbcStatement *statement = turn->reader->statement;
	bool		isnull = true;

	SPI_connect();
	if (SPI_execute_plan(statement->top, args, NULL, true, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not find the highest id");
	if (SPI_processed == 1)
	{
		Datum		top = SPI_getbinval(SPI_tuptable->vals[0],
										SPI_tuptable->tupdesc, 1, &isnull);

		if (!isnull)
			turn->top = connect_jdbc_id(SPI_gettypeid(SPI_tuptable->tupdesc, 1),
										top);
	}
	SPI_finish();
	return !isnull;
}

/* The next id to be read. */
static Datum
next_id(const ConnectJdbcReader *reader)
{
	if (reader->last.id == PG_INT64_MIN || reader->last.id == PG_INT64_MAX)
		return Int64GetDatum(reader->last.id);
	return Int64GetDatum(reader->last.id + 1);
}

static void
begin_incrementing(ConnectTask *task, ConnectJdbcTurn *turn)
{
	ConnectJdbcReader *reader = turn->reader;
	ConnectJdbcStatement *statement = reader->statement;
	Datum		args[1] = {next_id(reader)};
	bool		found = reader->last.id != PG_INT64_MAX && find_top(turn, args);

	connect_jdbc_commit(task);
	if (!found)
	{
		turn->last_chunk = true;
		turn_end(task, turn);
		return;
	}
	MemoryContextSwitchTo(reader->context);
	turn->writers = connect_writers(statement->relids, statement->nrelids,
									false, &turn->nwriters);
	MemoryContextSwitchTo(task->batch_context);
	turn->state = turn->nwriters > 0 ? CONNECT_JDBC_WAITING : CONNECT_JDBC_READING;
	turn->due = 0;
	turn->step_ms = 0;
}

/*
 * The bound of times comes before the snapshot, and the prepared transactions
 * after the bound: see writers.c.  False: not now.
 */
static bool
find_bound(ConnectTask *task, ConnectJdbcTurn *turn)
{
	ConnectJdbcSource *state = task->state;
	const ConnectJdbcSettings *settings = state->settings;
	ConnectJdbcStatement *statement = turn->reader->statement;
	TimestampTz now = GetCurrentTimestamp();
	TimestampTz delayed = now - settings->delay_ms * INT64CONST(1000);
	ConnectWriter *prepared;
	int			nprepared;
	int			holder;

	state->horizon = connect_writers_horizon(state->horizon, &holder);
	turn->before = state->horizon == DT_NOBEGIN ? DT_NOBEGIN :
		Min(delayed, state->horizon - settings->guard_ms * INT64CONST(1000));
	turn->held = holder != 0 &&
		now - turn->before > USECS_PER_SEC + now - delayed;
	if (turn->held)
		connect_jdbc_show_waiting(task, turn,
					 state->horizon == DT_NOBEGIN ?
					 psprintf("pid %d, whose transaction shows no start", holder) :
					 psprintf("pid %d, whose transaction began at %s", holder,
							  timestamptz_to_str(state->horizon)));
	prepared = connect_writers(statement->relids, statement->nrelids, true,
							   &nprepared);
	if (nprepared == 0)
		return true;
	connect_jdbc_begin(task, NULL);
	connect_jdbc_show_waiting(task, turn, connect_writer_describe(&prepared[0]));
	connect_jdbc_commit(task);
	connect_jdbc_look_again(turn);
	return false;
}

/* The arguments of the window's next chunk. */
static void
window_arguments(const ConnectJdbcTurn *turn, Datum *args)
{
	const ConnectJdbcReader *reader = turn->reader;
	const ConnectJdbcSettings *settings = reader->settings;
	int			n = 0;

	if (settings->timestamp)
	{
		args[n++] = reader->has_bound ? reader->last_bound :
			connect_jdbc_statement_bound(reader->statement, settings,
										 reader->last.ts);
		args[n++] = connect_jdbc_statement_bound(reader->statement, settings,
												 turn->before);
	}
	if (settings->incrementing)
		args[n++] = next_id(reader);
	if (settings->mode == CONNECT_JDBC_INCREMENTING)
		args[n++] = Int64GetDatum(turn->top);
}

static void
turn_begin(ConnectTask *task, ConnectJdbcTurn *turn)
{
	ConnectJdbcSource *state = task->state;
	ConnectJdbcReader *reader = turn->reader;
	bool		bounded = false;

	if (turn->split != NULL && turn->split->part > 0)
	{
		connect_jdbc_part_follow(task, turn);
		return;
	}
	if (turn->split != NULL && !connect_jdbc_part_ready(task, turn))
		return;
	if (state->settings->mode == CONNECT_JDBC_BULK)
	{
		/* Standbys that lag behind are waited for while nothing is held. */
		if (!turn->settled)
			connect_wal_settle();
		turn->settled = connect_wal_waits;
		if (connect_wal_waits)
		{
			connect_jdbc_look_again(turn);
			return;
		}
	}

	if (state->settings->timestamp && reader->statement != NULL)
	{
		if (!find_bound(task, turn))
			return;
		bounded = true;
	}
	else
		reader->rows = 0;

	for (;;)
	{
		ConnectJdbcStatement *before = reader->statement;

		connect_jdbc_begin(task, NULL);
		if (!connect_jdbc_open_table(task, turn))
		{
			connect_jdbc_commit(task);
			return;
		}
		/* The bound is known of the relations that the statement reads. */
		if (!state->settings->timestamp ||
			(bounded && reader->statement == before))
			break;
		connect_jdbc_commit(task);
		if (!find_bound(task, turn))
			return;
		bounded = true;
	}

	switch (state->settings->mode)
	{
		case CONNECT_JDBC_INCREMENTING:
			begin_incrementing(task, turn);
			return;
		case CONNECT_JDBC_BULK:
			connect_wal_settle();
			if (reader->statement->heap && connect_jdbc_reader_heap_begin(reader))
			{
				turn->state = CONNECT_JDBC_SCANNING;
				if (turn->split != NULL)
				{
					reader->nparts = turn->split->nparts;
					connect_jdbc_split_open(turn->split, reader);
					turn->state = CONNECT_JDBC_OPENING;
				}
				return;
			}
			break;
		default:
			if (turn->before <= reader->last.ts)
			{
				connect_jdbc_commit(task);
				turn->last_chunk = true;
				turn_end(task, turn);
				return;
			}
			connect_wal_settle();
			break;
	}
	{
		Datum		args[3];

		window_arguments(turn, args);
		execute(task, turn, args);
	}
}

static void
turn_wait(ConnectTask *task, ConnectJdbcTurn *turn)
{
	ConnectJdbcStatement *statement = turn->reader->statement;
	int			before = turn->nwriters;

	turn->nwriters = connect_writers_remaining(turn->writers, turn->nwriters,
											   statement->relids,
											   statement->nrelids);
	if (turn->nwriters > 0)
	{
		if (turn->step_ms == MAX_STEP_MS &&
			(before != turn->nwriters || ((ConnectJdbcSource *) task->state)->waiting_turn != turn))
		{
			connect_jdbc_begin(task, NULL);
			connect_jdbc_show_waiting(task, turn, connect_writer_describe(&turn->writers[0]));
			connect_jdbc_commit(task);
		}
		connect_jdbc_look_again(turn);
		return;
	}
	pfree(turn->writers);
	turn->writers = NULL;
	turn->state = CONNECT_JDBC_READING;
}

/* Rows that were put aside, else the next chunk. */
static void
turn_read(ConnectTask *task, ConnectJdbcTurn *turn)
{
	ConnectJdbcReader *reader = turn->reader;
	Datum		args[3];
	bool		drained;

	if (connect_jdbc_part_abandoned(task, turn))
		return;
	connect_jdbc_begin(task, NULL);
	if (reader->store != NULL)
	{
		drained = connect_jdbc_reader_drain(reader);
		connect_jdbc_commit(task);
		if (drained)
			turn_end(task, turn);
		else
			connect_jdbc_show_progress(task, turn, false);
		return;
	}
	if (!connect_jdbc_open_table(task, turn))
	{
		connect_jdbc_commit(task);
		turn->state = CONNECT_JDBC_IDLE;
		return;
	}
	connect_wal_settle();
	window_arguments(turn, args);
	execute(task, turn, args);
}

void
connect_jdbc_stop_holding(ConnectTask *task, ConnectJdbcTurn *turn)
{
	if (turn->split != NULL)
		connect_jdbc_split_let_go(turn->split);
	connect_jdbc_reader_heap_end(turn->reader);
	connect_jdbc_commit(task);
	turn->state = CONNECT_JDBC_READING;
	turn->last_chunk = true;
}

bool
connect_jdbc_held_too_long(const ConnectJdbcTurn *turn)
{
	return TimestampDifferenceExceeds(turn->reader->held_since,
									  GetCurrentTimestamp(),
									  connect_snapshot_max_age);
}

/* Lets go of the snapshot: what is left of the table waits in a file. */
static void
store_rest(ConnectTask *task, ConnectJdbcTurn *turn)
{
	connect_jdbc_reader_heap_store(turn->reader);
	connect_jdbc_stop_holding(task, turn);
	connect_jdbc_show_progress(task, turn, true);
}

static void
turn_scan(ConnectTask *task, ConnectJdbcTurn *turn)
{
	ConnectJdbcReader *reader = turn->reader;

	if (connect_jdbc_part_abandoned(task, turn))
		return;
	if (!connect_jdbc_reader_heap_next(reader))
	{
		if (connect_jdbc_held_too_long(turn))
			store_rest(task, turn);
		else
			connect_jdbc_show_progress(task, turn, false);
		return;
	}
	if (turn->split != NULL && turn->split->part == 0)
	{
		/* A part that must begin again needs the snapshot. */
		turn->state = CONNECT_JDBC_JOINING;
		turn->due = 0;
		return;
	}
	connect_jdbc_stop_holding(task, turn);
	turn_end(task, turn);
}

/* The chunk has been emitted; was it the last one? */
static void
turn_end(ConnectTask *task, ConnectJdbcTurn *turn)
{
	ConnectJdbcReader *reader = turn->reader;

	if (connect_jdbc_reader_complete(reader))
	{
		ConnectPosition position;

		connect_jdbc_reader_position(reader, &reader->done, &position);
		connect_task_skip(task, &position);
	}
	connect_jdbc_show_progress(task, turn, turn->last_chunk);
	if (!turn->last_chunk)
		return;
	if (turn->split != NULL &&
		(turn->split->part > 0 || connect_jdbc_split_is_open(turn->split)))
	{
		turn->state = CONNECT_JDBC_JOINING;
		turn->due = 0;
	}
	else
		connect_jdbc_turn_over(task, turn);
}

void
connect_jdbc_turn_over(ConnectTask *task, ConnectJdbcTurn *turn)
{
	ConnectJdbcSource *state = task->state;

	turn->state = CONNECT_JDBC_IDLE;
	turn->step_ms = 0;
	turn->due = TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
											state->settings->poll_ms);
	if (state->waiting_turn == turn && !turn->held)
		connect_jdbc_show_waiting(task, NULL, NULL);
}

/*
 * The runtime does not poll now: paused, or Kafka takes no more.  A snapshot
 * is not held for long.  Milliseconds until this wants to be called again.
 */
long
connect_jdbc_idle(ConnectTask *task)
{
	ConnectJdbcSource *state = task->state;

	long		ms = -1;

	if (state->in_poll || lost_transaction(state))
		return -1;				/* the next poll mends that */
	state->in_poll = true;
	for (int i = 0; i < state->nturns; i++)
	{
		ConnectJdbcTurn *turn = &state->turns[i];
		TimestampTz due;

		/* These emit nothing. */
		if (turn->state == CONNECT_JDBC_OPENING)
			connect_jdbc_part_open(task, turn);
		else if (turn->state == CONNECT_JDBC_JOINING)
			connect_jdbc_part_join(task, turn);
		else if (turn->state == CONNECT_JDBC_SCANNING && connect_jdbc_held_too_long(turn))
			store_rest(task, turn);
		else if (turn->state == CONNECT_JDBC_SCANNING && state->is_stale)
			connect_jdbc_show_progress(task, turn, false);

		if (turn->reader->holding)
		{
			due = TimestampTzPlusMilliseconds(turn->reader->held_since,
											  connect_snapshot_max_age + 1);
			if (state->is_stale)
				due = Min(due, TimestampTzPlusMilliseconds(state->shown_at,
														   PROGRESS_MS + 1));
		}
		else if (turn->state == CONNECT_JDBC_JOINING)
			due = turn->due;
		else
			continue;
		if (due != DT_NOEND)
			ms = Max(1, TimestampDifferenceMilliseconds(GetCurrentTimestamp(), due));
	}
	state->in_poll = false;
	return ms;
}

void
connect_jdbc_stop(ConnectTask *task)
{
	ConnectJdbcSource *state = task->state;

	for (int i = 0; i < state->nturns; i++)
	{
		ConnectJdbcTurn *turn = &state->turns[i];

		if (turn->reader->holding && IsTransactionState())
			connect_jdbc_stop_holding(task, turn);
		if (turn->split != NULL)
			connect_jdbc_split_leave(turn->split);
	}
}

/* The first task looks whether the list of tables has changed. */
static void
watch_tables(ConnectTask *task)
{
	ConnectJdbcSource *state = task->state;
	char	   *digest;

	if (state->digest == NULL || GetCurrentTimestamp() < state->list_due)
		return;
	connect_jdbc_begin(task, NULL);
	digest = connect_jdbc_tables_digest(connect_jdbc_tables(state->settings));
	connect_jdbc_commit(task);
	if (strcmp(digest, state->digest) != 0)
		connect_task_reconfigure(task);
	state->list_due = TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
												  state->settings->table_poll_ms);
}

void
connect_jdbc_format_offset(ConnectTask *task, const ConnectPosition *position,
				   StringInfo out)
{
	const ConnectJdbcSettings *settings = ((ConnectJdbcSource *) task->state)->settings;
	ConnectJdbcOffset offset = {position->a, position->b};

	connect_jdbc_offset_format(out, settings->timestamp,
							   settings->incrementing, &offset);
}

/* ---- status ---- */

void
connect_jdbc_show_waiting(ConnectTask *task, const ConnectJdbcTurn *turn, const char *what)
{
	ConnectJdbcSource *state = task->state;

	state->waiting_turn = turn;
	if (what == NULL && state->waiting_for == NULL)
		return;
	if (what != NULL && state->waiting_for != NULL &&
		strcmp(what, state->waiting_for) == 0)
		return;
	if (state->waiting_for != NULL)
		pfree(state->waiting_for);
	state->waiting_for = what ? MemoryContextStrdup(state->context, what) : NULL;
	connect_task_waiting_for(task, what);
}

/* At most once a second, unless it must be now. */
void
connect_jdbc_show_progress(ConnectTask *task, const ConnectJdbcTurn *turn, bool now)
{
	ConnectJdbcSource *state = task->state;
	TimestampTz at = GetCurrentTimestamp();
	const ConnectJdbcReader *reader = turn->reader;
	StringInfoData text;

	state->is_stale = !now &&
		!TimestampDifferenceExceeds(state->shown_at, at, PROGRESS_MS);
	if (state->is_stale)
		return;
	state->shown_at = at;
	initStringInfo(&text);
	appendStringInfo(&text, "%s; %s: " INT64_FORMAT " rows", state->access,
					 turn->label, reader->rows);
	if (turn->split != NULL)
		appendStringInfo(&text, ", part %d of %d", turn->split->part + 1,
						 turn->split->nparts);
	if (reader->holding)
		appendStringInfo(&text, ", block %u of %u, ACCESS SHARE lock and snapshot (xmin %u) held since %s",
						 reader->next_block, reader->nblocks, reader->xmin,
						 timestamptz_to_str(reader->held_since));
	else if (reader->store != NULL)
		appendStringInfoString(&text, ", the rest is in temporary storage");
	connect_task_progress(task, text.data);
	pfree(text.data);
}
