/*
 * source.c
 *	  TableStreamSource and OutboxSource: queues into topics.
 *
 * NOTES
 *	  Runs in the task.  Each poll is one transaction: some blocks of the initial
 *	  reads that are not finished, then events.  The task sleeps until a
 *	  transaction that wrote to the queue commits and wakes it.
 *
 *	  Source partitions: {"queue": connector} with the reader's position, and
 *	  {"table": name} with {"leaf", "file", "block"} while a table is first read,
 *	  then {"read": true}.
 */
#include "postgres.h"

#include "access/transam.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/hsearch.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/xid8.h"

#include "catalog/catalog.h"
#include "headers.h"
#include "registry.h"
#include "runtime/wal.h"
#include "stream/config.h"
#include "stream/initial.h"
#include "stream/shape.h"
#include "stream/stream.h"

#define TRIM_RETRY_MS 1000		/* until what is acknowledged can be emptied */
#define READ_DONE	(-1)		/* position.a of a finished initial read */
#define RECORDS_PER_EVENT 3		/* a changed key: delete, tombstone, create */

typedef struct StreamTask
{
	ConnectTask *task;
	ConnectBatchReader *reader;
	int32		queue_partition;
	HTAB	   *shapes;			/* ShapeEntry by layout id */
	List	   *streams;		/* of ConnectStream */
	List	   *reads;			/* of ConnectInitialRead, unfinished ones */
	ConnectInitialRead *reading;
	ConnectPosition last;		/* of the event before the one being emitted */
	bool		in_event;		/* an error struck between next and emit */
	TupleDesc	message_desc;
} StreamTask;

typedef struct ShapeEntry
{
	int64		layout;			/* hash key */
	ConnectShape *shape;		/* NULL: its stream has ended */
} ShapeEntry;

static int64
unix_ms(TimestampTz at)
{
	return (at + (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY) / 1000;
}

/* A member of a stored offset, as text; NULL if it is not there. */
static char *
offset_member(const char *offset, const char *name)
{
	Datum		value = DirectFunctionCall1(jsonb_in, CStringGetDatum(offset));
	JsonbValue	key = {.type = jbvString};
	JsonbValue *member;

	key.val.string.val = unconstify(char *, name);
	key.val.string.len = strlen(name);
	member = findJsonbValueFromContainer(&DatumGetJsonbP(value)->root,
										 JB_FOBJECT, &key);
	if (member == NULL)
		return NULL;
	if (member->type == jbvString)
		return pnstrdup(member->val.string.val, member->val.string.len);
	if (member->type == jbvNumeric)
		return DatumGetCString(DirectFunctionCall1(numeric_out,
												   NumericGetDatum(member->val.numeric)));
	return pstrdup("true");
}

static int64
member_int(const char *offset, const char *name)
{
	char	   *text = offset_member(offset, name);

	return text ? strtoll(text, NULL, 10) : 0;
}

static Datum
snapshot_in(const char *text)
{
	return DirectFunctionCall1(pg_snapshot_in, CStringGetDatum(text));
}

/* Up to where a connector's queue is acknowledged, as stored: a pg_snapshot. */
Datum
connect_stream_stored(int64 connector_id)
{
	ListCell   *lc;

	foreach(lc, connect_source_offsets(connector_id))
	{
		ConnectSourceOffsetRow *row = lfirst(lc);
		char	   *from = offset_member(row->offset, "from");

		if (from != NULL)
			return snapshot_in(from);
	}
	return snapshot_in("1:1:");
}

static char *
partition_of_table(const ConnectStream *stream)
{
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfoString(&buf, "{\"table\":");
	escape_json(&buf, psprintf("%s.%s", stream->schema_name,
							   stream->table_name));
	appendStringInfoChar(&buf, '}');
	return buf.data;
}

static void
start_reads(StreamTask *state)
{
	ListCell   *lc;

	foreach(lc, state->streams)
	{
		ConnectStream *stream = lfirst(lc);
		ConnectInitialRead *read;
		char	   *partition;
		const char *offset;

		if (!stream->pending || !OidIsValid(stream->relid))
			continue;
		read = palloc0(sizeof(ConnectInitialRead));
		read->stream = stream;
		partition = partition_of_table(stream);
		read->partition = connect_task_source_partition(state->task, partition);
		offset = connect_task_source_offset(state->task, partition);
		if (offset != NULL)
			connect_initial_seek(read, (Oid) member_int(offset, "leaf"),
								 (Oid) member_int(offset, "file"),
								 (BlockNumber) member_int(offset, "block"));
		state->reads = lappend(state->reads, read);
	}
}

static void
stream_start(ConnectTask *task)
{
	StreamTask *state = palloc0(sizeof(StreamTask));
	HASHCTL		ctl = {
		.keysize = sizeof(int64),
		.entrysize = sizeof(ShapeEntry),
		.hcxt = task->context
	};
	StringInfoData partition;
	const char *offset;

	task->state = state;
	state->task = task;
	state->last.partition = -1; /* nothing to be stored yet */
	state->shapes = hash_create("Connect shapes", 32, &ctl,
								HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	state->reader = connect_reader_make(task->context, task->connector_id);

	initStringInfo(&partition);
	appendStringInfoString(&partition, "{\"queue\":");
	escape_json(&partition, task->connector);
	appendStringInfoChar(&partition, '}');
	state->queue_partition = connect_task_source_partition(task, partition.data);

	connect_task_begin(task);
	MemoryContextSwitchTo(task->context);
	state->message_desc = connect_layout_message_desc();
	offset = connect_task_source_offset(task, partition.data);
	if (offset == NULL)
		connect_reader_seek(state->reader, snapshot_in("1:1:"), (Datum) 0, 0);
	else
	{
		char	   *from = offset_member(offset, "from");
		char	   *to = offset_member(offset, "to");

		if (from == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("stored offset of the queue cannot be used: it has no \"from\""),
					 errdetail("The offset is: %s", offset)));
		connect_reader_seek(state->reader, snapshot_in(from),
							to ? snapshot_in(to) : (Datum) 0,
							member_int(offset, "events"));
	}
	state->streams = connect_stream_list(task->connector_id);
	start_reads(state);
	connect_task_commit(task);
}

static const ConnectStream *
find_stream(const StreamTask *state, int64 id)
{
	ListCell   *lc;

	foreach(lc, state->streams)
	{
		if (((ConnectStream *) lfirst(lc))->id == id)
			return lfirst(lc);
	}
	return NULL;
}

/*
 * A stream by its number; NULL if it has ended.  One that began after this task
 * did counts: its events may come before the task is started anew.
 */
static const ConnectStream *
stream_get(StreamTask *state, int64 id)
{
	const ConnectStream *stream = find_stream(state, id);

	if (stream == NULL)
	{
		state->streams = connect_stream_list(state->task->connector_id);
		stream = find_stream(state, id);
	}
	return stream;
}

/* The shape of a layout; NULL if its table is streamed no more. */
static ConnectShape *
shape_get(StreamTask *state, int64 layout_id)
{
	ShapeEntry *entry = hash_search(state->shapes, &layout_id, HASH_FIND, NULL);
	ConnectShape *shape = NULL;
	MemoryContext old;
	ConnectLayout *layout;
	const ConnectStream *stream;

	if (entry != NULL)
		return entry->shape;
	old = MemoryContextSwitchTo(state->task->context);
	layout = connect_layout_load(layout_id);
	if (layout != NULL &&
		(stream = stream_get(state, layout->stream)) != NULL)
		shape = connect_shape_make(layout, stream, state->task->connector,
								   connect_worker_plain_values(state->task->config));
	MemoryContextSwitchTo(old);

	/* entered when it is whole: an error above leaves nothing behind */
	entry = hash_search(state->shapes, &layout_id, HASH_ENTER, NULL);
	entry->shape = shape;
	return shape;
}

/* Sends one record of a shape; value NULL = tombstone. */
static void
emit(StreamTask *state, const ConnectShape *shape, const ConnectValue *key,
	 const ConnectValue *value, int64 at_ms, const ConnectPosition *position)
{
	ConnectRecord record = {
		.topic = shape->stream->topic,
		.partition = -1,
		.timestamp = at_ms,
		.position = *position
	};

	if (!connect_value_is_null(key))
	{
		record.key_schema = shape->key_schema;
		record.key = *key;
	}
	if (value != NULL)
	{
		record.value_schema = shape->envelope ? shape->envelope :
			shape->plan->schema;
		record.value = *value;
	}
	connect_task_emit(state->task, &record);
}

/* The value of a record that tells of one change. */
static ConnectValue
change_value(const ConnectShape *shape, char op, const ConnectValue *before,
			 const ConnectValue *after, int64 at_ms, uint64 txid)
{
	ConnectValue none = connect_value_null();

	if (shape->envelope == NULL)
		return *after;
	if (op == CONNECT_OP_UPDATE && !shape->stream->old_row)
		before = &none;
	return connect_shape_envelope(shape, op, before, after, at_ms,
								  unix_ms(GetCurrentTimestamp()), txid);
}

/*
 * The records of a delete.  In plain form it is the tombstone alone.  Only the
 * last record of an event carries its position.
 */
static void
emit_delete(StreamTask *state, ConnectShape *shape, const ConnectEvent *event,
			const ConnectValue *key, const ConnectValue *before,
			const ConnectPosition *position)
{
	int64		at_ms = unix_ms(event->at);
	ConnectValue none = connect_value_null();
	bool		tombstone = !connect_value_is_null(key) &&
		shape->stream->tombstones;

	if (shape->envelope != NULL)
	{
		ConnectValue value = change_value(shape, CONNECT_OP_DELETE, before,
										  &none, at_ms, event->txid);

		emit(state, shape, key, &value, at_ms,
			 tombstone ? &state->last : position);
	}
	if (tombstone)
		emit(state, shape, key, NULL, at_ms, position);
	else if (shape->envelope == NULL)
		connect_task_skip(state->task, position);
}

static void
emit_change(StreamTask *state, ConnectShape *shape, const ConnectEvent *event,
			const ConnectPosition *position)
{
	int64		at_ms = unix_ms(event->at);
	ConnectValue before = connect_shape_unpack(shape, event->old_row);
	ConnectValue after = connect_shape_unpack(shape, event->new_row);
	ConnectValue old_key = connect_shape_key(shape, &before);
	ConnectValue new_key = connect_shape_key(shape, &after);
	ConnectValue none = connect_value_null();
	char		op = event->op;
	ConnectValue value;

	if (op == CONNECT_OP_DELETE)
	{
		emit_delete(state, shape, event, &old_key, &before, position);
		return;
	}
	else if (op == CONNECT_OP_UPDATE && !connect_value_is_null(&old_key) &&
			 !connect_value_equal(&old_key, &new_key))
	{
		/* another key is another row to a reader of the topic */
		emit_delete(state, shape, event, &old_key, &before, &state->last);
		op = CONNECT_OP_INSERT;
		before = none;
	}
	value = change_value(shape, op, &before, &after, at_ms, event->txid);
	emit(state, shape, &new_key, &value, at_ms, position);
}

static void
emit_truncate(StreamTask *state, ConnectShape *shape, const ConnectEvent *event,
			  const ConnectPosition *position)
{
	int64		at_ms = unix_ms(event->at);
	ConnectValue none = connect_value_null();
	ConnectValue value;

	if (shape->envelope == NULL)
	{
		/* plain rows have no word for it */
		connect_task_skip(state->task, position);
		return;
	}
	value = connect_shape_truncate(shape, event->old_row, at_ms,
								   unix_ms(GetCurrentTimestamp()), event->txid);
	emit(state, shape, &none, &value, at_ms, position);
}

/* connect_emit(): key and value are bytes, whatever they were made from. */
static void
emit_message(StreamTask *state, const ConnectEvent *event,
			 const ConnectPosition *position)
{
	Datum		values[4];
	bool		nulls[4];
	ConnectRecord record = {
		.partition = -1,
		.timestamp = unix_ms(event->at),
		.position = *position
	};

	connect_layout_unpack(state->message_desc, event->new_row, values, nulls);
	record.topic = TextDatumGetCString(values[0]);
	if (!nulls[1])
	{
		record.key_schema = connect_schema_make(CONNECT_BYTES);
		record.key = connect_value_text(CONNECT_KIND_BYTES,
										VARDATA_ANY(DatumGetPointer(values[1])),
										VARSIZE_ANY_EXHDR(DatumGetPointer(values[1])));
	}
	if (!nulls[2])
	{
		record.value_schema = connect_schema_make(CONNECT_BYTES);
		record.value = connect_value_text(CONNECT_KIND_BYTES,
										  VARDATA_ANY(DatumGetPointer(values[2])),
										  VARSIZE_ANY_EXHDR(DatumGetPointer(values[2])));
	}
	if (!nulls[3])
		connect_headers_from_jsonb(&record, DatumGetJsonbP(values[3]));
	connect_task_emit(state->task, &record);
}

/* ---- initial reads ---- */

static int
room_left(void *arg)
{
	return ((StreamTask *) arg)->task->room;
}

/* The file and the block in it, as one number of a position. */
static int64
place_in_leaf(const ConnectInitialRead *read)
{
	return (int64) ((uint64) read->file << 32 | read->block);
}

static void
emit_read(void *arg, const ConnectLayout *layout, const Datum *values,
		  const bool *nulls)
{
	StreamTask *state = arg;
	ConnectInitialRead *read = state->reading;
	ConnectShape *shape = shape_get(state, layout->id);
	ConnectPosition position = {
		.partition = read->partition,
		.a = read->leaf,
		.b = place_in_leaf(read)
	};
	int64		at_ms = unix_ms(GetCurrentTimestamp());
	ConnectValue none = connect_value_null();
	ConnectValue row;
	ConnectValue key;
	ConnectValue value;

	row = connect_shape_row(shape, values, nulls);
	key = connect_shape_key(shape, &row);
	value = change_value(shape, CONNECT_OP_READ, &none, &row, at_ms, 0);
	emit(state, shape, &key, &value, at_ms, &position);
}

static void
poll_reads(StreamTask *state)
{
	while (state->reads != NIL)
	{
		ConnectInitialRead *read = linitial(state->reads);
		ConnectPosition position = {.partition = read->partition};
		bool		more;

		state->reading = read;
		more = connect_initial_read(read, room_left, emit_read, state);
		position.a = more ? (int64) read->leaf : READ_DONE;
		position.b = place_in_leaf(read);
		connect_task_skip(state->task, &position);
		connect_task_progress(state->task,
							  more ? psprintf("first read of \"%s\".\"%s\": block %u",
											  read->stream->schema_name,
											  read->stream->table_name,
											  read->block) : NULL);
		if (more)
			return;
		state->reads = list_delete_first(state->reads);
	}
}

/* ---- the class ---- */

static ConnectPollResult
stream_poll(ConnectTask *task)
{
	StreamTask *state = task->state;
	ConnectPosition position = {.partition = state->queue_partition};
	ConnectEvent *event = NULL;

	connect_task_begin(task);
	if (state->reads != NIL)
		connect_wal_settle();
	if (state->in_event)
		connect_reader_recover(state->reader);
	state->in_event = true;
	poll_reads(state);
	while (task->room >= RECORDS_PER_EVENT &&
		   (event = connect_reader_next(state->reader, &position)) != NULL)
	{
		ConnectShape *shape;

		if (event->op == CONNECT_OP_MESSAGE)
			emit_message(state, event, &position);
		else if ((shape = shape_get(state, event->layout)) == NULL)
			connect_task_skip(task, &position);
		else if (event->op == CONNECT_OP_TRUNCATE)
			emit_truncate(state, shape, event, &position);
		else
			emit_change(state, shape, event, &position);
		state->last = position;
		connect_reader_emitted(state->reader);
	}
	connect_reader_rest(state->reader);
	state->in_event = false;
	if (event == NULL && state->reads == NIL)
		task->wait_ms = connect_reader_trim(state->reader) ? -1 : TRIM_RETRY_MS;
	connect_task_commit(task);
	return event != NULL || state->reads != NIL ? CONNECT_POLL_AGAIN :
		CONNECT_POLL_WAIT;
}

static void
stream_format_offset(ConnectTask *task, const ConnectPosition *position,
					 StringInfo out)
{
	StreamTask *state = task->state;

	if (position->partition == state->queue_partition)
		connect_reader_format(state->reader, position, out);
	else if (position->a == READ_DONE)
		appendStringInfoString(out, "{\"read\":true}");
	else
		appendStringInfo(out, "{\"leaf\":" INT64_FORMAT ",\"file\":%u,\"block\":%u}",
						 position->a, (uint32) ((uint64) position->b >> 32),
						 (uint32) position->b);
}

/* A snapshot that is ahead of all transactions would have events passed over. */
static void
check_snapshot(const char *text)
{
	Datum		xmax = DirectFunctionCall1(pg_snapshot_xmax, snapshot_in(text));

	if (U64FromFullTransactionId(DatumGetFullTransactionId(xmax)) >
		U64FromFullTransactionId(ReadNextFullTransactionId()))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("snapshot %s is ahead of all transactions", text)));
}

static void
stream_alter_offsets(const ConnectConfig *cfg, const ConnectOffset *offsets,
					 int n)
{
	const char *connector = connect_config_get(cfg, "name");

	for (int i = 0; i < n; i++)
	{
		const char *offset = offsets[i].offset;
		const char *queue = offset_member(offsets[i].partition, "queue");
		const char *from = offset ? offset_member(offset, "from") : NULL;
		const char *to = offset ? offset_member(offset, "to") : NULL;

		if (queue == NULL ? offset_member(offsets[i].partition, "table") == NULL :
			strcmp(queue, connector) != 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("%s is no source partition of this connector",
							offsets[i].partition),
					 errhint("Partitions are {\"queue\":\"%s\"} and {\"table\":\"schema.table\"}.",
							 connector)));
		if (offset == NULL || queue == NULL)
			continue;
		if (from == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("offset of a queue has no \"from\"")));
		check_snapshot(from);
		if (to != NULL)
			check_snapshot(to);
	}
}

static void
stream_acknowledged(ConnectTask *task, const ConnectPosition *position)
{
	StreamTask *state = task->state;
	ListCell   *lc;

	if (position->partition == state->queue_partition)
	{
		connect_reader_acknowledged(state->reader, position);
		return;
	}
	if (position->a != READ_DONE)
		return;
	foreach(lc, state->streams)
	{
		ConnectStream *stream = lfirst(lc);

		if (connect_task_source_partition(task, partition_of_table(stream)) ==
			position->partition)
			connect_stream_read(stream->id);
	}
}

const ConnectConnectorClass connect_table_stream_source = {
	.abi = CONNECT_CONNECTOR_ABI,
	.class_name = "TableStreamSource",
	.type = CONNECT_SOURCE,
	.version = CONNECT_VERSION,
	.doc = "Changes of tables of this database, captured by triggers in the transaction that makes them.",
	.config = {connect_stream_keys, CONNECT_STREAM_NKEYS},
	.flags = CONNECT_CONNECTOR_PROMPT,
	.validate = connect_stream_validate,
	.alter_offsets = stream_alter_offsets,
	.created = connect_stream_created,
	.altered = connect_stream_altered,
	.dropped = connect_stream_dropped,
	.adopted = connect_stream_adopted,
	.start = stream_start,
	.poll = stream_poll,
	.format_offset = stream_format_offset,
	.acknowledged = stream_acknowledged
};

const ConnectConnectorClass connect_outbox_source = {
	.abi = CONNECT_CONNECTOR_ABI,
	.class_name = "OutboxSource",
	.type = CONNECT_SOURCE,
	.version = CONNECT_VERSION,
	.doc = "Messages of connect_emit(), sent if and only if their transaction commits.",
	.config = {connect_outbox_keys, CONNECT_OUTBOX_NKEYS},
	.flags = CONNECT_CONNECTOR_PROMPT,
	.alter_offsets = stream_alter_offsets,
	.created = connect_outbox_created,
	.altered = connect_outbox_altered,
	.dropped = connect_stream_dropped,
	.adopted = connect_outbox_adopted,
	.start = stream_start,
	.poll = stream_poll,
	.format_offset = stream_format_offset,
	.acknowledged = stream_acknowledged
};
