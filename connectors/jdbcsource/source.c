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
#include "jdbcsource/jdbcsource.h"
#include "runtime/wal.h"

/* Steps in which one looks again whether a writer or a lock has gone. */
#define MIN_STEP_MS		1
#define MAX_STEP_MS		50

typedef enum TurnState
{
	IDLE,
	WAITING,
	READING,
	SCANNING
} TurnState;

/* One table, or the query. */
typedef struct Turn
{
	ConnectJdbcTable table;		/* name NULL: the query */
	char	   *label;
	ConnectJdbcReader *reader;
	TurnState	state;
	TimestampTz due;			/* IDLE: when to begin; WAITING: to look again */
	long		step_ms;		/* of looking again */
	bool		held;			/* an open transaction holds the bound back */
	bool		missing;		/* there is no such table, and it was said */

	/* the window: up to which bound is read */
	int64		top;
	TimestampTz before;
	bool		last_chunk;		/* the statement has given all of it */
	ConnectWriter *writers;		/* WAITING */
	int			nwriters;
} Turn;

typedef struct SourceState
{
	ConnectJdbcSettings *settings;
	MemoryContext context;
	Oid			role;			/* whose rights count; InvalidOid: the owner */
	Oid			user;			/* who was before, in a transaction */
	int			security;
	const char *search_path;	/* of the query; NULL: that of tasks */
	const char *access;			/* for the status */
	Turn	   *turns;
	int			nturns;
	TimestampTz horizon;		/* connect_writers_horizon()'s last result */
	const char *digest;			/* of all tables; NULL: not ours to watch */
	TimestampTz list_due;
	bool		in_poll;		/* an error has left poll() */
	char	   *waiting_for;	/* as shown; NULL = nothing */
	const Turn *waiting_turn;	/* whose it is */
	TimestampTz shown_at;
} SourceState;

static void begin(ConnectTask *task);
static void commit(ConnectTask *task);
static Turn *next_turn(SourceState *state);
static void turn_begin(ConnectTask *task, Turn *turn);
static void turn_wait(ConnectTask *task, Turn *turn);
static void turn_read(ConnectTask *task, Turn *turn);
static void turn_scan(ConnectTask *task, Turn *turn);
static void store_rest(ConnectTask *task, Turn *turn);
static void turn_end(ConnectTask *task, Turn *turn);
static void watch_tables(ConnectTask *task);
static void show_waiting(ConnectTask *task, const Turn *turn, const char *what);
static void show_progress(ConnectTask *task, const Turn *turn, bool now);

/* ---- in the coordinator ---- */

/*
 * The tables in order, in runs of equal length, longer ones first.  The first
 * task watches whether the list changes.
 */
List *
connect_jdbc_task_configs(const ConnectConfig *cfg, int max_tasks)
{
	ConnectJdbcSettings *settings = connect_jdbc_settings(cfg);
	List	   *tables = NIL;
	List	   *result = NIL;
	int			ntasks;
	int			next = 0;

	if (settings->query == NULL)
	{
		tables = connect_jdbc_tables(settings);
		connect_jdbc_tables_check(tables);
	}
	ntasks = Max(Min(list_length(tables), max_tasks), 1);
	for (int i = 0; i < ntasks; i++)
	{
		ConnectConfig *task = connect_config_copy(cfg);
		int			n = list_length(tables) / ntasks +
			(i < list_length(tables) % ntasks);
		StringInfoData names;

		initStringInfo(&names);
		for (int j = 0; j < n; j++)
			appendStringInfo(&names, "%s%s", j > 0 ? "," : "",
							 connect_jdbc_table_quoted(list_nth(tables, next++),
													   settings->quote));
		connect_config_set(task, "tables", names.data);
		if (i == 0 && settings->query == NULL)
			connect_config_set(task, "tables.digest",
							   connect_jdbc_tables_digest(tables));
		result = lappend(result, task);
	}
	return result;
}

/* ---- in the task ---- */

/* A transaction with the rights that count. */
static void
begin(ConnectTask *task)
{
	SourceState *state = task->state;

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

static void
commit(ConnectTask *task)
{
	SourceState *state = task->state;

	if (OidIsValid(state->role))
		SetUserIdAndSecContext(state->user, state->security);
	connect_task_commit(task);
}

/* Where reading starts: at the stored offset, by either protocol. */
static void
seek(ConnectTask *task, Turn *turn, const char *partition)
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
turn_make(ConnectTask *task, Turn *turn, const ConnectJdbcTable *table)
{
	SourceState *state = task->state;
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
	SourceState *state = palloc0(sizeof(SourceState));
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
		state->turns = palloc0(sizeof(Turn));
		state->nturns = 1;
		turn_make(task, state->turns, NULL);
	}
	else
	{
		List	   *tables = connect_jdbc_tables_parse(names ? names : "");

		state->turns = palloc0(sizeof(Turn) * Max(list_length(tables), 1));
		foreach(lc, tables)
			turn_make(task, &state->turns[state->nturns++], lfirst(lc));
	}
	if (state->nturns == 0)
		connect_task_progress(task, "no table is chosen");
	else
		show_progress(task, &state->turns[0], true);
}

/* Has an error ended a transaction that was to stay? */
static bool
lost_transaction(const SourceState *state)
{
	for (int i = 0; i < state->nturns; i++)
	{
		if (state->turns[i].state == SCANNING)
			return !IsTransactionState();
	}
	return false;
}

/* After an error: the transaction has gone, and what hung on it. */
static void
recover(SourceState *state)
{
	for (int i = 0; i < state->nturns; i++)
	{
		Turn	   *turn = &state->turns[i];

		if (turn->state == IDLE)
			continue;
		connect_jdbc_reader_reset(turn->reader);
		turn->state = IDLE;
		turn->due = 0;
	}
}

ConnectPollResult
connect_jdbc_poll(ConnectTask *task)
{
	SourceState *state = task->state;
	Turn	   *turn;
	ConnectHiding hiding;

	if (state->settings->masked)
		connect_hide_begin(&hiding);
	if (state->in_poll || lost_transaction(state))
		recover(state);
	state->in_poll = true;
	while (task->room > 0 && (turn = next_turn(state)) != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		switch (turn->state)
		{
			case IDLE:
				turn_begin(task, turn);
				break;
			case WAITING:
				turn_wait(task, turn);
				break;
			case READING:
				turn_read(task, turn);
				break;
			case SCANNING:
				turn_scan(task, turn);
				break;
		}
		if (turn->state == SCANNING)
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
static Turn *
next_turn(SourceState *state)
{
	TimestampTz now = GetCurrentTimestamp();
	Turn	   *result = NULL;

	for (int i = 0; i < state->nturns; i++)
	{
		Turn	   *turn = &state->turns[i];

		if (turn->state == READING || turn->state == SCANNING)
			return turn;
		if (turn->due <= now && (result == NULL || turn->due < result->due))
			result = turn;
	}
	return result;
}

/* Looks again soon, later each time. */
static void
look_again(Turn *turn)
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
static bool
open_table(ConnectTask *task, Turn *turn)
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
			show_waiting(task, turn, psprintf("the lock of %s", turn->label));
			look_again(turn);
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
execute(ConnectTask *task, Turn *turn, Datum *args)
{
	ConnectJdbcReader *reader = turn->reader;

	connect_jdbc_reader_execute(reader, reader->statement->read, args, false);
	turn->last_chunk = !reader->statement->chunked ||
		reader->chunk_rows < reader->settings->batch;
	commit(task);
	turn->state = READING;
	if (reader->store == NULL)
		turn_end(task, turn);
}

/* Incrementing: the highest id that there is beyond the last one. */
static bool
find_top(Turn *turn, Datum *args)
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
begin_incrementing(ConnectTask *task, Turn *turn)
{
	ConnectJdbcReader *reader = turn->reader;
	ConnectJdbcStatement *statement = reader->statement;
	Datum		args[1] = {next_id(reader)};
	bool		found = reader->last.id != PG_INT64_MAX && find_top(turn, args);

	commit(task);
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
	turn->state = turn->nwriters > 0 ? WAITING : READING;
	turn->due = 0;
	turn->step_ms = 0;
}

/*
 * The bound of times comes before the snapshot, and the prepared transactions
 * after the bound: see writers.c.  False: not now.
 */
static bool
find_bound(ConnectTask *task, Turn *turn)
{
	SourceState *state = task->state;
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
		show_waiting(task, turn,
					 state->horizon == DT_NOBEGIN ?
					 psprintf("pid %d, whose transaction shows no start", holder) :
					 psprintf("pid %d, whose transaction began at %s", holder,
							  timestamptz_to_str(state->horizon)));
	prepared = connect_writers(statement->relids, statement->nrelids, true,
							   &nprepared);
	if (nprepared == 0)
		return true;
	begin(task);
	show_waiting(task, turn, connect_writer_describe(&prepared[0]));
	commit(task);
	look_again(turn);
	return false;
}

/* The arguments of the window's next chunk. */
static void
window_arguments(const Turn *turn, Datum *args)
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
turn_begin(ConnectTask *task, Turn *turn)
{
	SourceState *state = task->state;
	ConnectJdbcReader *reader = turn->reader;
	bool		bounded = false;

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

		begin(task);
		if (!open_table(task, turn))
		{
			commit(task);
			return;
		}
		/* The bound is known of the relations that the statement reads. */
		if (!state->settings->timestamp ||
			(bounded && reader->statement == before))
			break;
		commit(task);
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
				turn->state = SCANNING;
				return;
			}
			break;
		default:
			if (turn->before <= reader->last.ts)
			{
				commit(task);
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
turn_wait(ConnectTask *task, Turn *turn)
{
	ConnectJdbcStatement *statement = turn->reader->statement;
	int			before = turn->nwriters;

	turn->nwriters = connect_writers_remaining(turn->writers, turn->nwriters,
											   statement->relids,
											   statement->nrelids);
	if (turn->nwriters > 0)
	{
		if (turn->step_ms == MAX_STEP_MS &&
			(before != turn->nwriters || ((SourceState *) task->state)->waiting_turn != turn))
		{
			begin(task);
			show_waiting(task, turn, connect_writer_describe(&turn->writers[0]));
			commit(task);
		}
		look_again(turn);
		return;
	}
	pfree(turn->writers);
	turn->writers = NULL;
	turn->state = READING;
}

/* Rows that were put aside, else the next chunk. */
static void
turn_read(ConnectTask *task, Turn *turn)
{
	ConnectJdbcReader *reader = turn->reader;
	Datum		args[3];
	bool		drained;

	begin(task);
	if (reader->store != NULL)
	{
		drained = connect_jdbc_reader_drain(reader);
		commit(task);
		if (drained)
			turn_end(task, turn);
		else
			show_progress(task, turn, false);
		return;
	}
	if (!open_table(task, turn))
	{
		commit(task);
		turn->state = IDLE;
		return;
	}
	connect_wal_settle();
	window_arguments(turn, args);
	execute(task, turn, args);
}

static void
stop_holding(ConnectTask *task, Turn *turn)
{
	connect_jdbc_reader_heap_end(turn->reader);
	commit(task);
	turn->state = READING;
	turn->last_chunk = true;
}

static bool
held_too_long(const Turn *turn)
{
	return TimestampDifferenceExceeds(turn->reader->held_since,
									  GetCurrentTimestamp(),
									  connect_snapshot_max_age);
}

/* Lets go of the snapshot: what is left of the table waits in a file. */
static void
store_rest(ConnectTask *task, Turn *turn)
{
	connect_jdbc_reader_heap_store(turn->reader);
	stop_holding(task, turn);
	show_progress(task, turn, true);
}

static void
turn_scan(ConnectTask *task, Turn *turn)
{
	ConnectJdbcReader *reader = turn->reader;

	if (!connect_jdbc_reader_heap_next(reader))
	{
		if (held_too_long(turn))
			store_rest(task, turn);
		else
			show_progress(task, turn, false);
		return;
	}
	stop_holding(task, turn);
	turn_end(task, turn);
}

/* The chunk has been emitted; was it the last one? */
static void
turn_end(ConnectTask *task, Turn *turn)
{
	SourceState *state = task->state;
	ConnectJdbcReader *reader = turn->reader;

	if (connect_jdbc_reader_complete(reader))
	{
		ConnectPosition position;

		connect_jdbc_reader_position(reader, &reader->done, &position);
		connect_task_skip(task, &position);
	}
	show_progress(task, turn, turn->last_chunk);
	if (!turn->last_chunk)
		return;
	turn->state = IDLE;
	turn->step_ms = 0;
	turn->due = TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
											state->settings->poll_ms);
	if (state->waiting_turn == turn && !turn->held)
		show_waiting(task, NULL, NULL);
}

/*
 * The runtime does not poll now: paused, or Kafka takes no more.  A snapshot
 * is not held for long.  Milliseconds until this wants to be called again.
 */
long
connect_jdbc_idle(ConnectTask *task)
{
	SourceState *state = task->state;

	long		ms = -1;

	if (state->in_poll || lost_transaction(state))
		return -1;				/* the next poll mends that */
	state->in_poll = true;
	for (int i = 0; i < state->nturns; i++)
	{
		Turn	   *turn = &state->turns[i];

		if (turn->state != SCANNING)
			continue;
		if (held_too_long(turn))
			store_rest(task, turn);
		else
			ms = connect_snapshot_max_age + 1 -
				TimestampDifferenceMilliseconds(turn->reader->held_since,
												GetCurrentTimestamp());
	}
	state->in_poll = false;
	return ms < 0 ? -1 : Max(ms, 1);
}

void
connect_jdbc_stop(ConnectTask *task)
{
	SourceState *state = task->state;

	for (int i = 0; i < state->nturns; i++)
	{
		if (state->turns[i].state == SCANNING && IsTransactionState())
			stop_holding(task, &state->turns[i]);
	}
}

/* The first task looks whether the list of tables has changed. */
static void
watch_tables(ConnectTask *task)
{
	SourceState *state = task->state;
	char	   *digest;

	if (state->digest == NULL || GetCurrentTimestamp() < state->list_due)
		return;
	begin(task);
	digest = connect_jdbc_tables_digest(connect_jdbc_tables(state->settings));
	commit(task);
	if (strcmp(digest, state->digest) != 0)
		connect_task_reconfigure(task);
	state->list_due = TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
												  state->settings->table_poll_ms);
}

void
connect_jdbc_format_offset(ConnectTask *task, const ConnectPosition *position,
				   StringInfo out)
{
	const ConnectJdbcSettings *settings = ((SourceState *) task->state)->settings;
	ConnectJdbcOffset offset = {position->a, position->b};

	connect_jdbc_offset_format(out, settings->timestamp,
							   settings->incrementing, &offset);
}

/* ---- status ---- */

static void
show_waiting(ConnectTask *task, const Turn *turn, const char *what)
{
	SourceState *state = task->state;

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
static void
show_progress(ConnectTask *task, const Turn *turn, bool now)
{
	SourceState *state = task->state;
	TimestampTz at = GetCurrentTimestamp();
	const ConnectJdbcReader *reader = turn->reader;
	StringInfoData text;

	if (!now && !TimestampDifferenceExceeds(state->shown_at, at, 1000))
		return;
	state->shown_at = at;
	initStringInfo(&text);
	appendStringInfo(&text, "%s; %s: " INT64_FORMAT " rows", state->access,
					 turn->label, reader->rows);
	if (turn->state == SCANNING)
		appendStringInfo(&text, ", block %u of %u, snapshot held since %s",
						 reader->next_block, reader->nblocks,
						 timestamptz_to_str(reader->held_since));
	else if (reader->store != NULL)
		appendStringInfoString(&text, ", the rest is in temporary storage");
	connect_task_progress(task, text.data);
	pfree(text.data);
}
