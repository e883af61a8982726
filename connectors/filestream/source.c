/*
 * source.c
 *	  FileStreamSource: follows a text file, a record a line.
 *
 * NOTES
 *	  A line ends with LF, CR or CRLF; a CR at the end of what is there waits for
 *	  the next character.  A last line without an end waits for it.
 *
 *	  The stored position counts characters as Java does (UTF-16 units), as
 *	  Kafka Connect stores it.  Connect takes the number for bytes when it starts
 *	  again, and so goes wrong in text that is not ASCII; here the file is read
 *	  from its beginning to find the byte that belongs to the position.
 *
 *	  The task sleeps on inotify: of the file, or of its folder while it is
 *	  missing.
 */
#include "postgres.h"

#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/time.h>
#include <unistd.h>

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

#include "connect.h"
#include "filestream/file.h"
#include "registry.h"

#define READ_SIZE (64 * 1024)
#define FALLBACK_WAIT_MS 1000	/* where inotify cannot be had */

static const ConnectConfigKey keys[] = {
	{
		.name = "file", .type = CONNECT_CONFIG_STRING,
		.importance = CONNECT_IMPORTANCE_HIGH,
		.doc = "The file to follow, by its absolute path on the server."
	},
	{
		.name = "topic", .type = CONNECT_CONFIG_STRING, .required = true,
		.importance = CONNECT_IMPORTANCE_HIGH,
		.doc = "The topic that the lines go to.",
		.validator = connect_config_non_empty
	},
	{
		.name = "batch.size", .type = CONNECT_CONFIG_INT,
		.default_value = "2000", .importance = CONNECT_IMPORTANCE_LOW,
		.doc = "How many lines are read at most each time the task looks into the file."
	}
};

static const ConnectConfigDef def = {keys, lengthof(keys)};

typedef struct FileSource
{
	const char *path;
	const char *topic;
	int			batch_size;
	int32		partition;
	ConnectFile *file;
	ConnectFile *watch;			/* an inotify descriptor; fd -1 = none */
	ConnectSchema *schema;		/* of a line */
	int64		position;		/* characters emitted or skipped */
	int			done;			/* bytes of buf that have been emitted */
	int64		skip;			/* characters still to be skipped */
	StringInfoData buf;			/* read and not yet emitted */
	int			scanned;		/* bytes of buf without a line end */
} FileSource;

static void watch_path(FileSource *state);

static void
source_validate(const ConnectConfig *cfg, ConnectConfigErrors *errors)
{
	connect_file_validate(cfg, false, errors);
}

/* Always one task. */
static List *
source_task_configs(const ConnectConfig *cfg, int max_tasks)
{
	return list_make1(connect_config_copy(cfg));
}

/* ---- requested offsets ---- */

static JsonbValue *
member(const char *json, const char *name)
{
	Datum		value = DirectFunctionCall1(jsonb_in, CStringGetDatum(json));
	JsonbValue	key = {.type = jbvString};

	key.val.string.val = unconstify(char *, name);
	key.val.string.len = strlen(name);
	return findJsonbValueFromContainer(&DatumGetJsonbP(value)->root,
									   JB_FOBJECT, &key);
}

static void
refuse_offset(const char *message)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s", message)));
}

static bool
is_long(const char *text)
{
	char	   *end;

	errno = 0;
	(void) strtoi64(text, &end, 10);
	return errno == 0 && *end == '\0';
}

static void
source_alter_offsets(const ConnectConfig *cfg, const ConnectOffset *offsets,
					 int n)
{
	for (int i = 0; i < n; i++)
	{
		JsonbValue *position;
		char	   *text;

		if (offsets[i].partition == NULL)
			refuse_offset("Partition objects cannot be null");
		if (member(offsets[i].partition, "filename") == NULL)
			refuse_offset("Partition objects should contain the key 'filename'");
		if (offsets[i].offset == NULL)
			continue;
		position = member(offsets[i].offset, "position");
		if (position == NULL)
			refuse_offset("Offset objects should either be null or contain the key 'position'");
		text = position->type != jbvNumeric ? NULL :
			DatumGetCString(DirectFunctionCall1(numeric_out,
												NumericGetDatum(position->val.numeric)));
		if (text == NULL || !is_long(text))
			refuse_offset("The value for the 'position' key in the offset is expected to be a Long value");
		if (text[0] == '-')
			refuse_offset("The value for the 'position' key in the offset should be a non-negative value");
	}
}

/* ---- reading ---- */

/*
 * Java characters that begin with this byte of UTF-8: one a code point, two
 * above the BMP.  The sum over bytes is defined for any text, so that what is
 * no UTF-8 cannot lead a restart astray.
 */
static inline int
chars_at(unsigned char c)
{
	return ((c & 0xC0) != 0x80) + (c >= 0xF0 && c <= 0xF4);
}

static int64
count_chars(const char *p, int len)
{
	int64		n = 0;

	for (int i = 0; i < len; i++)
		n += chars_at(p[i]);
	return n;
}

static void
source_start(ConnectTask *task)
{
	FileSource *state = palloc0(sizeof(FileSource));
	StringInfoData partition;
	const char *offset;

	connect_task_begin(task);
	connect_file_check_role(task->owner, false);
	connect_task_commit(task);
	MemoryContextSwitchTo(task->context);

	task->state = state;
	state->path = connect_config_string(task->config, &def, "file");
	connect_file_check_path(state->path, false);
	state->topic = connect_config_string(task->config, &def, "topic");
	/* Connect looks at the size after a line, so it is one at the least. */
	state->batch_size = (int) Max(connect_config_int(task->config, &def,
													 "batch.size"), 1);
	state->file = connect_file_make(task->context);
	state->watch = connect_file_make(task->context);
	state->schema = connect_schema_make(CONNECT_STRING);
	initStringInfo(&state->buf);

	initStringInfo(&partition);
	appendStringInfoString(&partition, "{\"filename\":");
	escape_json(&partition, state->path);
	appendStringInfoChar(&partition, '}');
	state->partition = connect_task_source_partition(task, partition.data);
	offset = connect_task_source_offset(task, partition.data);
	if (offset != NULL)
	{
		JsonbValue *position = member(offset, "position");

		if (position != NULL && position->type == jbvNumeric)
			state->skip =
				DatumGetInt64(DirectFunctionCall1(numeric_int8,
												  NumericGetDatum(position->val.numeric)));
	}
	watch_path(state);
}

static void
source_stop(ConnectTask *task)
{
	FileSource *state = task->state;

	connect_file_close(state->file);
	connect_file_close(state->watch);
}

/* Watches the file, or while it is missing its folder. */
static void
watch_path(FileSource *state)
{
	char	   *folder = pstrdup(state->path);

	get_parent_directory(folder);
	/* one descriptor for good: the task's wait set knows it by its number */
	if (state->watch->fd < 0 && AcquireExternalFD())
	{
		state->watch->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
		if (state->watch->fd < 0)
			ReleaseExternalFD();
	}
	if (state->watch->fd >= 0 &&
		inotify_add_watch(state->watch->fd,
						  state->file->fd >= 0 ? state->path : folder,
						  state->file->fd >= 0 ? IN_MODIFY :
						  IN_CREATE | IN_MOVED_TO) < 0)
		connect_file_close(state->watch);
	pfree(folder);
}

static void
drain_watch(FileSource *state)
{
	char		events[4096];

	while (state->watch->fd >= 0 &&
		   read(state->watch->fd, events, sizeof(events)) > 0)
		 /* what it says does not matter */ ;
}

/* Reads more of the file into buf; false at its end. */
static bool
read_more(FileSource *state)
{
	ssize_t		n;

	/* what has been emitted leaves; what an error kept back stays */
	state->buf.len -= state->done;
	memmove(state->buf.data, state->buf.data + state->done, state->buf.len);
	state->scanned = Max(state->scanned - state->done, 0);
	state->done = 0;
	enlargeStringInfo(&state->buf, READ_SIZE);
	n = read(state->file->fd, state->buf.data + state->buf.len, READ_SIZE);
	if (n < 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not read file \"%s\": %m", state->path)));
	if (n == 0)
		return false;
	state->buf.len += n;
	return true;
}

/*
 * Skips the characters that the stored offset says are done.  A position
 * behind the end of the file waits for the file to grow.
 */
static bool
skip_done(FileSource *state)
{
	while (state->skip > 0)
	{
		int			i = 0;

		CHECK_FOR_INTERRUPTS();
		if (!read_more(state))
			return false;
		for (; i < state->buf.len && state->skip > 0; i++)
		{
			int			n = chars_at(state->buf.data[i]);

			state->skip -= n;
			state->position += n;
		}
		state->buf.len -= i;
		memmove(state->buf.data, state->buf.data + i, state->buf.len);
	}
	return true;
}

/* Text that is not UTF-8 gets U+FFFD in the place of each bad byte. */
static ConnectValue
line_value(const char *p, int len)
{
	StringInfoData fixed;

	if (pg_encoding_verifymbstr(PG_UTF8, p, len) == len)
		return connect_value_text(CONNECT_KIND_STRING, p, len);
	initStringInfo(&fixed);
	for (int i = 0; i < len;)
	{
		int			n = pg_encoding_verifymbchar(PG_UTF8, p + i, len - i);

		if (n > 0)
			appendBinaryStringInfo(&fixed, p + i, n);
		else
			appendStringInfoString(&fixed, "\xEF\xBF\xBD");
		i += Max(n, 1);
	}
	return connect_value_text(CONNECT_KIND_STRING, fixed.data, fixed.len);
}

/* Length of the first line of p, its end in *end; -1 if it has no end yet. */
static int
line_length(const char *p, int len, int from, int *end)
{
	const char *lf = memchr(p + from, '\n', len - from);
	const char *cr = memchr(p + from, '\r', (lf ? lf - p : len) - from);

	if (cr != NULL)
	{
		if (cr + 1 == p + len)
			return -1;
		*end = cr[1] == '\n' ? 2 : 1;
		return cr - p;
	}
	*end = 1;
	return lf ? lf - p : -1;
}

static int64
now_ms(void)
{
	struct timeval now;

	gettimeofday(&now, NULL);
	return (int64) now.tv_sec * 1000 + now.tv_usec / 1000;
}

/* Emits the complete lines of buf, at most limit; returns how many. */
static int
emit_lines(ConnectTask *task, int limit)
{
	FileSource *state = task->state;
	int			emitted = 0;
	int			line;
	int			end;
	int64		timestamp = now_ms();

	while (emitted < limit &&
		   (line = line_length(state->buf.data + state->done,
							   state->buf.len - state->done,
							   Max(state->scanned - state->done, 0),
							   &end)) >= 0)
	{
		const char *p = state->buf.data + state->done;
		int64		next = state->position + count_chars(p, line + end);
		ConnectRecord record = {
			.topic = state->topic,
			.partition = -1,
			.timestamp = timestamp,
			.value_schema = state->schema,
			.value = line_value(p, line),
			.position.partition = state->partition
		};

		record.position.a = next;
		connect_task_emit(task, &record);
		state->position = next;
		state->done += line + end;
		emitted++;
	}
	if (emitted < limit)
	{
		/* a CR at the very end must be looked at again */
		state->scanned = state->buf.len;
		if (state->buf.len > state->done &&
			state->buf.data[state->buf.len - 1] == '\r')
			state->scanned--;
	}
	return emitted;
}

static ConnectPollResult
source_poll(ConnectTask *task)
{
	FileSource *state = task->state;
	int			limit = Min(task->room, state->batch_size);
	int			emitted = 0;

	drain_watch(state);
	if (state->file->fd < 0)
	{
		connect_file_open(state->file, state->path, O_RDONLY);
		if (state->file->fd >= 0)
			watch_path(state);
		connect_task_waiting_for(task, state->file->fd >= 0 ? NULL :
								 psprintf("file \"%s\"", state->path));
	}
	if (state->file->fd >= 0 && skip_done(state))
	{
		emitted = emit_lines(task, limit);
		while (emitted < limit)
		{
			CHECK_FOR_INTERRUPTS();
			if (!read_more(state))
				break;
			emitted += emit_lines(task, limit - emitted);
		}
	}
	if (emitted == limit)
		return CONNECT_POLL_AGAIN;
	task->wait_socket = state->watch->fd >= 0 ? state->watch->fd : PGINVALID_SOCKET;
	task->wait_events = WL_SOCKET_READABLE;
	task->wait_ms = state->watch->fd >= 0 ? -1 : FALLBACK_WAIT_MS;
	return CONNECT_POLL_WAIT;
}

static void
source_format_offset(ConnectTask *task, const ConnectPosition *position,
					 StringInfo out)
{
	appendStringInfo(out, "{\"position\":" INT64_FORMAT "}", position->a);
}

static const char *const aliases[] = {"FileStreamSource", NULL};

const ConnectConnectorClass connect_file_stream_source = {
	.abi = CONNECT_CONNECTOR_ABI,
	.class_name = "org.apache.kafka.connect.file.FileStreamSourceConnector",
	.aliases = aliases,
	.type = CONNECT_SOURCE,
	.version = CONNECT_KAFKA_VERSION,
	.doc = "Lines of a file on the server into a topic.",
	.config = {keys, lengthof(keys)},
	.validate = source_validate,
	.task_configs = source_task_configs,
	.alter_offsets = source_alter_offsets,
	.start = source_start,
	.poll = source_poll,
	.format_offset = source_format_offset,
	.stop = source_stop
};
