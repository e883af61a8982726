/*
 * topics.c
 *	  Creating topics: topic.creation.* of sources, the dead letter queue.
 *
 * NOTES
 *	  A source's topic is looked at once: described, created if it is missing,
 *	  and from then on taken to exist.  Nothing here waits inside a poll: a
 *	  record of a topic that is not ready waits in the source's own queue.
 *
 *	  A topic that is left to the broker is created by the first question for
 *	  it, which is answered before that is done; the client then asks again
 *	  after a second.  We ask earlier, through the producer: for a topic whose
 *	  records are not acknowledged at once.
 *
 *	  The admin client is opened when it is first needed and closed as soon as
 *	  nothing is asked of it: it costs threads and sockets.
 */
#include "postgres.h"

#include "catalog/pg_collation.h"
#include "miscadmin.h"
#include "regex/regex.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/timestamp.h"

#include "runtime/clients.h"
#include "runtime/topics.h"

#define REQUEST_MS 30000
/* A new topic is asked for after this time, then after twice the pause each. */
#define LOOK_FIRST_MS 20
#define LOOK_MAX_MS 1000
#define LOOK_TIMEOUT_MS 100
#define MISSING_SHOWN_MS 1000	/* it is shown that a topic is not there */
#define PREFIX "topic.creation."
/* Answers after which the broker is left to create the topic or not. */
#define UNSUPPORTED_VERSION 35
#define UNSUPPORTED_FEATURE (-165)
#define TOPIC_AUTHORIZATION_FAILED 29
#define CLUSTER_AUTHORIZATION_FAILED 31

/* A group of topics that are created alike. */
typedef struct TopicGroup
{
	const char *name;
	char	  **include;
	char	  **exclude;
	int			partitions;
	int			replication_factor;
	ConnectKafkaProperty *configs;
	int			nconfigs;
} TopicGroup;

/* Hash entry; the name is the key. */
typedef struct TopicEntry
{
	char		name[256];
	ConnectTopic topic;
} TopicEntry;

struct ConnectTopics
{
	HTAB	   *table;
	ConnectKafkaAdmin *admin;
	int			asked;			/* requests under way for topics */
	int			nnew;			/* topics that are new to the producer */
	bool		missing_shown;
	bool		creates;		/* topic.creation.* is in force */
	TopicGroup *groups;			/* the default group is the last */
	int			ngroups;
};

static void read_groups(ConnectTaskRun *run);
static void read_group(ConnectTaskRun *run, TopicGroup *group,
					   const char *name, const TopicGroup *fallback);
static int	read_number(ConnectTaskRun *run, const char *group,
						const char *key, const int *fallback);
static void describe(ConnectTaskRun *run, ConnectTopic *topic);
static void create(ConnectTaskRun *run, ConnectTopic *topic);
static long look_for_new(ConnectTaskRun *run, ConnectKafkaProducer *producer);
static bool look_for(ConnectTaskRun *run, ConnectTopic *topic,
					 ConnectKafkaProducer *producer);
static void take_result(ConnectTaskRun *run,
						const ConnectKafkaAdminResult *result);
static bool left_to_broker(const ConnectKafkaError *err);
static const TopicGroup *group_of(const ConnectTopics *topics,
								  const char *name);
static bool matches_any(char **patterns, const char *name);

void
connect_topics_start(ConnectTaskRun *run)
{
	ConnectTopics *topics = palloc0(sizeof(ConnectTopics));
	HASHCTL		ctl = {0};
	const char *enabled = connect_config_get(run->worker,
											 PREFIX "enable");

	ctl.keysize = sizeof(((TopicEntry *) 0)->name);
	ctl.entrysize = sizeof(TopicEntry);
	ctl.hcxt = CurrentMemoryContext;
	topics->table = hash_create("Connect topics", 16, &ctl,
								HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
	run->topics = topics;
	if (run->task.cls->type == CONNECT_SOURCE &&
		(enabled == NULL || strcmp(enabled, "false") != 0))
		read_groups(run);
}

void
connect_topics_close(ConnectTaskRun *run)
{
	if (run->topics != NULL &&
		!connect_kafka_admin_close(&run->topics->admin))
		connect_task_leaves_threads();
	run->topics = NULL;
}

ConnectTopic *
connect_topics_find(ConnectTaskRun *run, const char *name,
					ConnectKafkaProducer *producer)
{
	TopicEntry *entry;
	bool		found;
	ConnectKafkaError err;

	if (strlen(name) >= sizeof(entry->name))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("topic name \"%s\" is too long", name)));
	entry = hash_search(run->topics->table, name, HASH_ENTER, &found);
	if (!found)
	{
		memset(&entry->topic, 0, sizeof(entry->topic));
		entry->topic.name = entry->name;
		entry->topic.ready = !run->topics->creates;
	}
	/* again if an error kept the last question from being asked */
	if (!entry->topic.ready && entry->topic.request == 0)
		describe(run, &entry->topic);
	if (entry->topic.handle == NULL && entry->topic.ready)
	{
		entry->topic.handle = connect_kafka_producer_topic(producer, name, &err);
		if (entry->topic.handle == NULL)
			connect_errors_raise_kafka("could not open the topic", &err);
		entry->topic.is_new = true;
		entry->topic.opened_at = GetCurrentTimestamp();
		entry->topic.look_at = TimestampTzPlusMilliseconds(entry->topic.opened_at,
														   LOOK_FIRST_MS);
		entry->topic.look_ms = LOOK_FIRST_MS;
		run->topics->nnew++;
	}
	return &entry->topic;
}

void
connect_topics_forget_handles(ConnectTaskRun *run)
{
	HASH_SEQ_STATUS scan;
	TopicEntry *entry;

	hash_seq_init(&scan, run->topics->table);
	while ((entry = hash_seq_search(&scan)) != NULL)
	{
		entry->topic.handle = NULL;
		entry->topic.is_new = false;
	}
	run->topics->nnew = 0;
}

long
connect_topics_turn(ConnectTaskRun *run, ConnectKafkaProducer *producer)
{
	ConnectTopics *topics = run->topics;
	ConnectKafkaAdminResult result;

	if (topics->admin != NULL)
	{
		while (connect_kafka_admin_poll(topics->admin, &result))
			take_result(run, &result);
		connect_clients_listen(run, connect_kafka_admin_client(topics->admin));
		connect_topics_idle(run);
	}
	return topics->nnew > 0 ? look_for_new(run, producer) : -1;
}

void
connect_topics_ensure_letters(ConnectTaskRun *run)
{
	const char *name = run->errors.letter_topic;
	ConnectKafkaAdminResult result;
	ConnectKafkaError err;
	ConnectKafkaNewTopic topic = {
		.name = name,
		.partitions = 1,
		.replication_factor = run->errors.letter_replication
	};
	uint64		request;

	if (connect_clients_embedded(run, CONNECT_KAFKA_ADMIN))
		return;					/* it creates what it is asked for */
	request = connect_kafka_admin_describe_topics(connect_topics_admin(run),
												  &name, 1, REQUEST_MS, &err);
	if (request == 0)
		connect_errors_raise_kafka("could not look for the dead letter queue",
								   &err);
	if (!connect_topics_await(run, request, &result))
		return;
	err = result.nitems > 0 ? result.items[0].error : result.error;
	if (result.error.code != CONNECT_KAFKA_NO_ERROR)
		err = result.error;
	if (err.code == CONNECT_KAFKA_UNKNOWN_TOPIC_OR_PART)
	{
		ereport(LOG,
				(errmsg("[%s|task-%d] Topic %s doesn't exist. Will attempt to create topic.",
						run->task.connector, run->task.id, name)));
		request = connect_kafka_admin_create_topics(connect_topics_admin(run),
													&topic, 1, REQUEST_MS,
													&err);
		if (request == 0)
			connect_errors_raise_kafka("could not create the dead letter queue",
									   &err);
		if (!connect_topics_await(run, request, &result))
			return;
		err = result.error.code != CONNECT_KAFKA_NO_ERROR || result.nitems == 0 ?
			result.error : result.items[0].error;
		if (err.code == CONNECT_KAFKA_TOPIC_ALREADY_EXISTS)
			err.code = CONNECT_KAFKA_NO_ERROR;
	}
	if (err.code != CONNECT_KAFKA_NO_ERROR)
		connect_errors_raise_kafka(psprintf("Could not initialize dead letter queue with topic=%s",
											name), &err);
	connect_topics_idle(run);
}

void
connect_topics_idle(ConnectTaskRun *run)
{
	if (run->topics->asked == 0 &&
		!connect_kafka_admin_close(&run->topics->admin))
		connect_task_leaves_threads();
}

int
connect_topics_fd(const ConnectTaskRun *run)
{
	if (run->topics == NULL || run->topics->admin == NULL)
		return -1;
	return connect_kafka_client_fd(connect_kafka_admin_client(run->topics->admin));
}

bool
connect_topics_await(ConnectTaskRun *run, uint64 request,
					 ConnectKafkaAdminResult *result)
{
	for (;;)
	{
		while (connect_kafka_admin_poll(run->topics->admin, result))
		{
			if (result->request == request)
				return true;
		}
		connect_clients_listen(run,
							   connect_kafka_admin_client(run->topics->admin));
		if (connect_task_interrupted(run))
			return false;
		connect_task_wait(run);
	}
}

ConnectKafkaAdmin *
connect_topics_admin(ConnectTaskRun *run)
{
	ConnectTopics *topics = run->topics;

	if (topics->admin == NULL)
	{
		ConnectKafkaProperty extra[] = {
			{"client.id", psprintf("connector-adminclient-%s-%d",
								   run->task.connector, run->task.id)},
			{NULL, NULL}
		};
		ConnectKafkaConf *conf = connect_clients_conf(run, CONNECT_KAFKA_ADMIN,
													  extra);
		ConnectKafkaError err;

		topics->admin = connect_kafka_admin_open(conf, &err);
		run->fds_stale = true;
		connect_kafka_conf_close(&conf);
		if (topics->admin == NULL)
			connect_errors_raise_kafka("could not start the admin client", &err);
	}
	return topics->admin;
}

static void
read_groups(ConnectTaskRun *run)
{
	ConnectTopics *topics = run->topics;
	ConnectConfig *cfg = connect_config_with_prefix(run->config, PREFIX);
	char	  **names;
	int			n;

	if (cfg->nentries == 0)
		return;
	topics->creates = !connect_clients_embedded(run, CONNECT_KAFKA_ADMIN);
	names = connect_config_split(connect_config_get(cfg, "groups"), &n);
	topics->groups = palloc0((n + 1) * sizeof(TopicGroup));
	topics->ngroups = n + 1;
	read_group(run, &topics->groups[n], "default", NULL);
	for (int i = 0; i < n; i++)
		read_group(run, &topics->groups[i], names[i], &topics->groups[n]);
}

static void
read_group(ConnectTaskRun *run, TopicGroup *group, const char *name,
		   const TopicGroup *fallback)
{
	ConnectConfig *cfg = connect_config_with_prefix(run->config,
													psprintf(PREFIX "%s.", name));
	int			n;

	group->name = name;
	group->partitions = read_number(run, name, "partitions",
									fallback ? &fallback->partitions : NULL);
	group->replication_factor = read_number(run, name, "replication.factor",
											fallback ? &fallback->replication_factor : NULL);
	group->include = connect_config_split(connect_config_get(cfg, "include"), &n);
	if (n == 0 && fallback != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("Missing required configuration \"" PREFIX "%s.include\" which has no default value.",
						name)));
	group->exclude = connect_config_split(connect_config_get(cfg, "exclude"), &n);
	group->configs = palloc((cfg->nentries + 1) * sizeof(ConnectKafkaProperty));
	for (int i = 0; i < cfg->nentries; i++)
	{
		const ConnectConfigEntry *entry = &cfg->entries[i];

		if (entry->value == NULL || strcmp(entry->key, "partitions") == 0 ||
			strcmp(entry->key, "replication.factor") == 0 ||
			strcmp(entry->key, "include") == 0 ||
			strcmp(entry->key, "exclude") == 0)
			continue;
		group->configs[group->nconfigs].key = entry->key;
		group->configs[group->nconfigs].value = entry->value;
		group->nconfigs++;
	}
}

static int
read_number(ConnectTaskRun *run, const char *group, const char *key,
			const int *fallback)
{
	char	   *name = psprintf(PREFIX "%s.%s", group, key);
	const char *value = connect_config_get(run->config, name);
	char	   *end;
	long		n;

	if (value == NULL && fallback != NULL)
		return *fallback;
	if (value == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("Missing required configuration \"%s\" which has no default value.",
						name)));
	n = strtol(value, &end, 10);
	if (end == value || *end != '\0' || (n < 1 && n != -1) || n > PG_INT32_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("Invalid value %s for configuration %s", value, name),
				 errhint("It must be at least 1, or -1 for the broker's default.")));
	return n;
}

static void
describe(ConnectTaskRun *run, ConnectTopic *topic)
{
	ConnectKafkaError err;

	topic->request = connect_kafka_admin_describe_topics(connect_topics_admin(run),
														 &topic->name, 1,
														 REQUEST_MS, &err);
	if (topic->request == 0)
		connect_errors_raise_kafka("could not look for the topic", &err);
	run->topics->asked++;
}

static void
create(ConnectTaskRun *run, ConnectTopic *topic)
{
	const TopicGroup *group = group_of(run->topics, topic->name);
	ConnectKafkaNewTopic new_topic = {
		.name = topic->name,
		.partitions = group->partitions,
		.replication_factor = group->replication_factor,
		.configs = group->configs,
		.nconfigs = group->nconfigs
	};
	ConnectKafkaError err;

	topic->request = connect_kafka_admin_create_topics(connect_topics_admin(run),
													   &new_topic, 1,
													   REQUEST_MS, &err);
	if (topic->request == 0)
		connect_errors_raise_kafka("could not create the topic", &err);
	run->topics->asked++;
}

/* Asks for the topics whose time has come. */
static long
look_for_new(ConnectTaskRun *run, ConnectKafkaProducer *producer)
{
	ConnectTopics *topics = run->topics;
	bool		settled = connect_kafka_producer_outstanding(producer) == 0;
	const char *missing = NULL;
	long		ms = -1;
	HASH_SEQ_STATUS scan;
	TopicEntry *entry;

	hash_seq_init(&scan, topics->table);
	while ((entry = hash_seq_search(&scan)) != NULL)
	{
		ConnectTopic *topic = &entry->topic;
		long		wait;

		if (!topic->is_new)
			continue;
		if (settled || look_for(run, topic, producer))
		{
			topic->is_new = false;
			topics->nnew--;
			continue;
		}
		wait = connect_task_ms_until(topic->look_at);
		ms = ms < 0 ? wait : Min(ms, wait);
		if (TimestampDifferenceExceeds(topic->opened_at, GetCurrentTimestamp(),
									   MISSING_SHOWN_MS))
			missing = topic->name;
	}
	if (connect_kafka_client_is_down(connect_kafka_producer_client(producer)))
		missing = NULL;
	if (missing != NULL && run->waits_runtime == NULL)
		connect_task_waits_in_runtime(run,
									  psprintf("topic \"%s\", which Kafka does not have",
											   missing));
	else if (missing == NULL && topics->missing_shown)
		connect_task_waits_in_runtime(run, NULL);
	topics->missing_shown = missing != NULL;
	return ms;
}

/* True if the producer knows the topic now. */
static bool
look_for(ConnectTaskRun *run, ConnectTopic *topic,
		 ConnectKafkaProducer *producer)
{
	TimestampTz now = GetCurrentTimestamp();
	ConnectKafkaError err;

	if (now < topic->look_at)
		return false;
	if (!connect_kafka_client_is_down(connect_kafka_producer_client(producer)) &&
		connect_kafka_producer_look(producer, topic->handle, LOOK_TIMEOUT_MS,
									&err) == CONNECT_KAFKA_OK)
		return true;
	topic->look_at = TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
												 topic->look_ms);
	topic->look_ms = Min(topic->look_ms * 2, LOOK_MAX_MS);
	return false;
}

static void
take_result(ConnectTaskRun *run, const ConnectKafkaAdminResult *result)
{
	HASH_SEQ_STATUS scan;
	TopicEntry *entry;
	ConnectTopic *topic = NULL;
	ConnectKafkaError err;

	hash_seq_init(&scan, run->topics->table);
	while ((entry = hash_seq_search(&scan)) != NULL)
	{
		if (entry->topic.request == result->request)
		{
			topic = &entry->topic;
			hash_seq_term(&scan);
			break;
		}
	}
	if (topic == NULL)
		return;
	run->topics->asked--;
	topic->request = 0;
	err = result->error.code != CONNECT_KAFKA_NO_ERROR || result->nitems == 0 ?
		result->error : result->items[0].error;

	if (result->op == CONNECT_KAFKA_DESCRIBE_TOPICS &&
		err.code == CONNECT_KAFKA_UNKNOWN_TOPIC_OR_PART)
		create(run, topic);
	else if (err.code == CONNECT_KAFKA_NO_ERROR ||
			 err.code == CONNECT_KAFKA_TOPIC_ALREADY_EXISTS)
		topic->ready = true;
	else if (left_to_broker(&err))
	{
		ereport(LOG,
				(errmsg("could not create topic \"%s\": %s", topic->name,
						err.text),
				 errdetail("It is left to the broker to create it.")));
		topic->ready = true;
	}
	else if (err.retriable)
		describe(run, topic);
	else
		connect_errors_raise_kafka(psprintf("could not create topic \"%s\"",
											topic->name), &err);
}

static bool
left_to_broker(const ConnectKafkaError *err)
{
	return err->code == UNSUPPORTED_VERSION ||
		err->code == UNSUPPORTED_FEATURE ||
		err->code == TOPIC_AUTHORIZATION_FAILED ||
		err->code == CLUSTER_AUTHORIZATION_FAILED;
}

static const TopicGroup *
group_of(const ConnectTopics *topics, const char *name)
{
	for (int i = 0; i < topics->ngroups - 1; i++)
	{
		const TopicGroup *group = &topics->groups[i];

		if (matches_any(group->include, name) &&
			!matches_any(group->exclude, name))
			return group;
	}
	return &topics->groups[topics->ngroups - 1];
}

static bool
matches_any(char **patterns, const char *name)
{
	for (; *patterns != NULL; patterns++)
	{
		text	   *pattern = cstring_to_text(psprintf("^(?:%s)$", *patterns));

		if (RE_compile_and_execute(pattern, unconstify(char *, name),
								   strlen(name), REG_ADVANCED, C_COLLATION_OID,
								   0, NULL))
			return true;
	}
	return false;
}
