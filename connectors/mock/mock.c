/*
 * mock.c
 *	  MockSource and MockSink: connectors that fail when they are told to.
 *
 * NOTES
 *	  With mock_mode = task-failure each task fails delay_ms after its start,
 *	  with connector-failure the connector does while its tasks go on.
 *	  Otherwise they do nothing.
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "connect.h"
#include "registry.h"

static const char *const modes[] = {
	"connector-failure", "task-failure", NULL
};

static const ConnectConfigKey keys[] = {
	{
		.name = "mock_mode", .type = CONNECT_CONFIG_STRING,
		.importance = CONNECT_IMPORTANCE_HIGH,
		.doc = "What fails; nothing if it is not set.",
		.validator = connect_config_one_of, .allowed = modes,
		.recommended = modes
	},
	{
		.name = "delay_ms", .type = CONNECT_CONFIG_LONG,
		.default_value = "15000", .importance = CONNECT_IMPORTANCE_MEDIUM,
		.doc = "How long after the start that is.",
		.validator = connect_config_at_least, .min = 0
	}
};

static const ConnectConfigDef def = {keys, lengthof(keys)};

typedef struct Mock
{
	const char *mode;			/* NULL: nothing fails any more */
	TimestampTz fail_at;
} Mock;

static void
mock_start(ConnectTask *task)
{
	Mock	   *state = palloc0(sizeof(Mock));

	task->state = state;
	state->mode = connect_config_get(task->config, "mock_mode");
	state->fail_at =
		TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
									connect_config_int(task->config, &def,
													   "delay_ms"));
}

/* Milliseconds until something fails, -1 if nothing; fails when it is time. */
static long
fail_in_time(ConnectTask *task)
{
	Mock	   *state = task->state;
	TimestampTz now = GetCurrentTimestamp();

	if (state->mode == NULL)
		return -1;
	if (now < state->fail_at)
		return TimestampDifferenceMilliseconds(now, state->fail_at) + 1;
	if (strcmp(state->mode, "task-failure") == 0)
		ereport(ERROR,
				(errcode(ERRCODE_RAISE_EXCEPTION),
				 errmsg("the mock task fails as it was told to")));
	connect_task_fail_connector(task, "the mock connector fails as it was told to");
	state->mode = NULL;
	return -1;
}

static ConnectPollResult
mock_poll(ConnectTask *task)
{
	task->wait_ms = fail_in_time(task);
	return CONNECT_POLL_WAIT;
}

static void
mock_put(ConnectTask *task, ConnectRecord *records, int n)
{
	(void) fail_in_time(task);
}

static const char *const source_aliases[] = {"MockSource", NULL};
static const char *const sink_aliases[] = {"MockSink", NULL};

const ConnectConnectorClass connect_mock_source = {
	.abi = CONNECT_CONNECTOR_ABI,
	.class_name = "org.apache.kafka.connect.tools.MockSourceConnector",
	.aliases = source_aliases,
	.type = CONNECT_SOURCE,
	.version = CONNECT_KAFKA_VERSION,
	.doc = "Fails when it is told to, for tests.",
	.config = {keys, lengthof(keys)},
	.flags = CONNECT_CONNECTOR_HIDDEN,
	.start = mock_start,
	.poll = mock_poll
};

const ConnectConnectorClass connect_mock_sink = {
	.abi = CONNECT_CONNECTOR_ABI,
	.class_name = "org.apache.kafka.connect.tools.MockSinkConnector",
	.aliases = sink_aliases,
	.type = CONNECT_SINK,
	.version = CONNECT_KAFKA_VERSION,
	.doc = "Fails when it is told to, for tests.",
	.config = {keys, lengthof(keys)},
	.flags = CONNECT_CONNECTOR_HIDDEN,
	.start = mock_start,
	.put = mock_put
};
