/*
 * sink.c
 *	  FileStreamSink: appends the values of topics to a file, a line each.
 *
 * NOTES
 *	  At least once: offsets are stored after the file has been synced.  A batch
 *	  is written by one call, so that tasks that share a file do not mix lines.
 */
#include "postgres.h"

#include <fcntl.h>
#include <unistd.h>

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "storage/fd.h"

#include "connect.h"
#include "filestream/file.h"
#include "registry.h"

static const ConnectConfigKey keys[] = {
	{
		.name = "file", .type = CONNECT_CONFIG_STRING,
		.importance = CONNECT_IMPORTANCE_HIGH,
		.doc = "The file to append to, by its absolute path on the server."
	}
};

static const ConnectConfigDef def = {keys, lengthof(keys)};

typedef struct FileSink
{
	const char *path;
	ConnectFile *file;
	bool		unsynced;
} FileSink;

static void
sink_validate(const ConnectConfig *cfg, ConnectConfigErrors *errors)
{
	connect_file_validate(cfg, true, errors);
}

static void
sink_start(ConnectTask *task)
{
	FileSink   *state = palloc0(sizeof(FileSink));

	connect_task_begin(task);
	connect_file_check_role(task->owner, true);
	connect_task_commit(task);
	MemoryContextSwitchTo(task->context);

	task->state = state;
	state->path = connect_config_string(task->config, &def, "file");
	connect_file_check_path(state->path, true);
	state->file = connect_file_make(task->context);
	connect_file_open(state->file, state->path, O_WRONLY | O_APPEND | O_CREAT);
}

static void
sink_put(ConnectTask *task, ConnectRecord *records, int n)
{
	FileSink   *state = task->state;
	StringInfoData lines;

	initStringInfo(&lines);
	for (int i = 0; i < n; i++)
	{
		connect_value_append_string(&lines, records[i].value_schema,
									&records[i].value);
		appendStringInfoChar(&lines, '\n');
	}
	for (int done = 0; done < lines.len;)
	{
		ssize_t		written = write(state->file->fd, lines.data + done,
									lines.len - done);

		if (written < 0 && errno != EINTR)
			ereport(ERROR,
					(errcode_for_file_access(),
					 errmsg("could not write to file \"%s\": %m",
							state->path)));
		done += Max(written, 0);
		CHECK_FOR_INTERRUPTS();
	}
	state->unsynced = true;
}

static void
sink_flush(ConnectTask *task)
{
	FileSink   *state = task->state;

	/*
	 * After a failure the kernel may have dropped what it could not write: the
	 * task must not try again, but fail, and begin at its stored offsets.
	 */
	if (state->unsynced && pg_fsync(state->file->fd) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not fsync file \"%s\": %m", state->path),
				 errhint("Restart the task when the disk is well; it begins at its stored offsets.")));
	state->unsynced = false;
}

static void
sink_stop(ConnectTask *task)
{
	connect_file_close(((FileSink *) task->state)->file);
}

static const char *const aliases[] = {"FileStreamSink", NULL};

const ConnectConnectorClass connect_file_stream_sink = {
	.abi = CONNECT_CONNECTOR_ABI,
	.class_name = "org.apache.kafka.connect.file.FileStreamSinkConnector",
	.aliases = aliases,
	.type = CONNECT_SINK,
	.version = CONNECT_KAFKA_VERSION,
	.doc = "Values of topics into a file on the server, a line each.",
	.config = {keys, lengthof(keys)},
	.validate = sink_validate,
	.start = sink_start,
	.put = sink_put,
	.flush = sink_flush,
	.stop = sink_stop
};
