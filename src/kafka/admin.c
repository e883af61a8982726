/*
 * admin.c
 *	  Topics and groups: requests that end with a result, taken by poll.
 *
 * NOTES
 *	  All but describe_topics are librdkafka's own asynchronous requests; each
 *	  result comes as an event on the main queue.  librdkafka 2.0.2 describes
 *	  topics in a blocking call only: poll makes that call in slices.  The
 *	  first waits 100 ms at most, and when the network is too slow for that the
 *	  next one waits longer, up to a second.
 *
 *	  Requests that a group's coordinator answers must not time out inside
 *	  librdkafka (all versions up to 2.15): when the coordinator can be reached
 *	  afterwards, it uses the request's memory, which it has freed.  Their time
 *	  is kept here, and an answer that comes too late is dropped.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

#define SLICE_MS 100
#define SLICE_MAX_MS 1000
#define LIBRARY_MS (3600 * 1000)	/* librdkafka takes no longer time */

typedef struct Result
{
	ConnectKafkaAdminResult result;
	ConnectKafkaAdminItem *items;
	int			capacity;
	char	   *cluster_id;
} Result;

/* A describe_topics on its way. */
typedef struct Describe
{
	uint64_t	request;
	char	  **topics;			/* none: all topics */
	int			ntopics;
	int			next;			/* the one to ask for */
	int			slice_ms;
	int64_t		until;
	Result	   *result;
	struct Describe *following;
} Describe;

/* A request to a coordinator, on its way. */
typedef struct Pending
{
	uint64_t	request;
	ConnectKafkaAdminOp op;
	int64_t		until;
	struct Pending *following;
} Pending;

struct ConnectKafkaAdmin
{
	ConnectKafkaClient client;	/* first */
	uint64_t	last_request;
	Describe   *describes;		/* oldest first */
	Pending    *pendings;
	Result	   *taken;			/* what the caller looks at */
};

/* A request's number and its op travel through librdkafka as one pointer. */
#define TAG_OPS 16

static void
result_free(Result *result)
{
	if (result == NULL)
		return;
	for (int i = 0; i < result->result.nitems; i++)
	{
		free((char *) result->items[i].name);
		free((char *) result->items[i].metadata);
	}
	free(result->items);
	free(result->cluster_id);
	free(result);
}

static ConnectKafkaAdminItem *
result_add(Result *result, const char *name)
{
	ConnectKafkaAdminItem *item;

	if (result->result.nitems == result->capacity)
	{
		int			capacity = result->capacity * 2 + 8;

		item = realloc(result->items, sizeof(*item) * capacity);
		if (item == NULL)
			return NULL;
		result->items = item;
		result->capacity = capacity;
	}
	item = &result->items[result->result.nitems++];
	memset(item, 0, sizeof(*item));
	item->name = strdup(name);
	item->partition = -1;
	item->offset = CONNECT_KAFKA_OFFSET_NONE;
	return item;
}

ConnectKafkaAdmin *
connect_kafka_admin_open(const ConnectKafkaConf *conf, ConnectKafkaError *err)
{
	ConnectKafkaAdmin *admin;
	rd_kafka_conf_t *copy;

	kafka_error_clear(err);
	if (conf->role != CONNECT_KAFKA_ADMIN)
	{
		kafka_error_set(err, RD_KAFKA_RESP_ERR__INVALID_ARG,
						"not an admin client's configuration", "admin client");
		return NULL;
	}
	admin = calloc(1, sizeof(*admin));
	if (admin == NULL)
	{
		kafka_error_set(err, RD_KAFKA_RESP_ERR__FAIL, "out of memory",
						"admin client");
		return NULL;
	}
	copy = rd_kafka_conf_dup(conf->conf);
	rd_kafka_conf_set_events(copy, RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_LOG);
	/* A producer would create the topics that it asks for. */
	if (!client_open(&admin->client, RD_KAFKA_CONSUMER, conf, copy, err))
	{
		connect_kafka_admin_close(&admin);
		return NULL;
	}
	return admin;
}

ConnectKafkaClient *
connect_kafka_admin_client(ConnectKafkaAdmin *admin)
{
	return &admin->client;
}

static bool
is_for_coordinator(ConnectKafkaAdminOp op)
{
	return op == CONNECT_KAFKA_LIST_GROUP_OFFSETS ||
		op == CONNECT_KAFKA_ALTER_GROUP_OFFSETS ||
		op == CONNECT_KAFKA_DELETE_GROUP_OFFSETS ||
		op == CONNECT_KAFKA_DELETE_GROUP;
}

/* The request is answered, or not waited for any more; false if it was so. */
static bool
pending_remove(ConnectKafkaAdmin *admin, uint64_t request)
{
	for (Pending **link = &admin->pendings; *link != NULL; link = &(*link)->following)
	{
		Pending    *pending = *link;

		if (pending->request != request)
			continue;
		*link = pending->following;
		free(pending);
		return true;
	}
	return false;
}

/* Options of a request, with its tag; NULL on failure. */
static rd_kafka_AdminOptions_t *
options_new(ConnectKafkaAdmin *admin, ConnectKafkaAdminOp op,
			rd_kafka_admin_op_t rk_op, int timeout_ms, ConnectKafkaError *err)
{
	rd_kafka_AdminOptions_t *options;
	Pending    *pending = NULL;
	char		reason[256] = "out of memory";

	kafka_error_clear(err);
	if (is_for_coordinator(op))
		pending = calloc(1, sizeof(*pending));
	options = rd_kafka_AdminOptions_new(admin->client.rk, rk_op);
	if (options == NULL || (is_for_coordinator(op) && pending == NULL) ||
		rd_kafka_AdminOptions_set_request_timeout(options,
												  pending != NULL ? LIBRARY_MS :
												  timeout_ms, reason,
												  sizeof(reason)) != RD_KAFKA_RESP_ERR_NO_ERROR)
	{
		kafka_error_set(err, RD_KAFKA_RESP_ERR__INVALID_ARG, reason,
						"admin request");
		if (options != NULL)
			rd_kafka_AdminOptions_destroy(options);
		free(pending);
		return NULL;
	}
	rd_kafka_AdminOptions_set_opaque(options,
									 (void *) (uintptr_t) (++admin->last_request * TAG_OPS + op));
	if (pending != NULL)
	{
		pending->request = admin->last_request;
		pending->op = op;
		pending->until = client_now_ms() + timeout_ms;
		pending->following = admin->pendings;
		admin->pendings = pending;
	}
	return options;
}

uint64_t
connect_kafka_admin_create_topics(ConnectKafkaAdmin *admin,
								  const ConnectKafkaNewTopic *topics,
								  int ntopics, int timeout_ms,
								  ConnectKafkaError *err)
{
	rd_kafka_NewTopic_t **list = calloc(ntopics > 0 ? ntopics : 1, sizeof(*list));
	rd_kafka_AdminOptions_t *options;
	char		reason[256] = "out of memory";
	int			count = 0;
	uint64_t	request = 0;

	kafka_error_clear(err);
	for (; list != NULL && count < ntopics; count++)
	{
		rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;

		list[count] = rd_kafka_NewTopic_new(topics[count].name,
											topics[count].partitions,
											topics[count].replication_factor,
											reason, sizeof(reason));
		if (list[count] == NULL)
			break;
		for (int i = 0; i < topics[count].nconfigs; i++)
		{
			code = rd_kafka_NewTopic_set_config(list[count],
												topics[count].configs[i].key,
												topics[count].configs[i].value);
			if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
				break;
		}
		if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
		{
			strcpy(reason, "a topic configuration is not valid");
			rd_kafka_NewTopic_destroy(list[count]);
			break;
		}
	}
	if (list == NULL || count < ntopics)
		kafka_error_set(err, RD_KAFKA_RESP_ERR__INVALID_ARG, reason, "topic \"%s\"",
						topics[count].name);
	else
	{
		options = options_new(admin, CONNECT_KAFKA_CREATE_TOPICS,
							  RD_KAFKA_ADMIN_OP_CREATETOPICS, timeout_ms, err);
		if (options != NULL)
		{
			/* When the result comes the topics can be used. */
			(void) rd_kafka_AdminOptions_set_operation_timeout(options, timeout_ms,
															   reason, sizeof(reason));
			rd_kafka_CreateTopics(admin->client.rk, list, count, options,
								  admin->client.queue);
			rd_kafka_AdminOptions_destroy(options);
			request = admin->last_request;
		}
	}
	if (list != NULL)
		rd_kafka_NewTopic_destroy_array(list, count);
	free(list);
	return request;
}

uint64_t
connect_kafka_admin_delete_topics(ConnectKafkaAdmin *admin,
								  const char *const *topics, int ntopics,
								  int timeout_ms, ConnectKafkaError *err)
{
	rd_kafka_AdminOptions_t *options;
	rd_kafka_DeleteTopic_t **list;
	char		reason[256];

	options = options_new(admin, CONNECT_KAFKA_DELETE_TOPICS,
						  RD_KAFKA_ADMIN_OP_DELETETOPICS, timeout_ms, err);
	if (options == NULL)
		return 0;
	(void) rd_kafka_AdminOptions_set_operation_timeout(options, timeout_ms,
													   reason, sizeof(reason));
	list = calloc(ntopics > 0 ? ntopics : 1, sizeof(*list));
	for (int i = 0; list != NULL && i < ntopics; i++)
		list[i] = rd_kafka_DeleteTopic_new(topics[i]);
	if (list != NULL)
	{
		rd_kafka_DeleteTopics(admin->client.rk, list, ntopics, options,
							  admin->client.queue);
		rd_kafka_DeleteTopic_destroy_array(list, ntopics);
		free(list);
	}
	rd_kafka_AdminOptions_destroy(options);
	return admin->last_request;
}

uint64_t
connect_kafka_admin_describe_topics(ConnectKafkaAdmin *admin,
									const char *const *topics, int ntopics,
									int timeout_ms, ConnectKafkaError *err)
{
	Describe   *describe = calloc(1, sizeof(*describe));
	Describe  **last = &admin->describes;

	kafka_error_clear(err);
	if (describe != NULL)
	{
		describe->result = calloc(1, sizeof(*describe->result));
		describe->topics = calloc(ntopics > 0 ? ntopics : 1, sizeof(char *));
	}
	if (describe == NULL || describe->result == NULL || describe->topics == NULL)
	{
		if (describe != NULL)
		{
			free(describe->result);
			free(describe->topics);
		}
		free(describe);
		kafka_error_set(err, RD_KAFKA_RESP_ERR__FAIL, "out of memory",
						"admin request");
		return 0;
	}
	for (int i = 0; i < ntopics; i++)
		describe->topics[i] = strdup(topics[i]);
	describe->ntopics = ntopics;
	describe->request = ++admin->last_request;
	describe->slice_ms = SLICE_MS;
	describe->until = client_now_ms() + timeout_ms;
	while (*last != NULL)
		last = &(*last)->following;
	*last = describe;
	client_fd_set(&admin->client);
	return describe->request;
}

static rd_kafka_topic_partition_list_t *
offset_list(const ConnectKafkaOffset *offsets, int noffsets)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(noffsets);

	for (int i = 0; i < noffsets; i++)
		rd_kafka_topic_partition_list_add(list, offsets[i].topic,
										  offsets[i].partition)->offset =
			offsets[i].offset;
	return list;
}

uint64_t
connect_kafka_admin_delete_group(ConnectKafkaAdmin *admin, const char *group,
								 int timeout_ms, ConnectKafkaError *err)
{
	rd_kafka_AdminOptions_t *options;
	rd_kafka_DeleteGroup_t *request;

	options = options_new(admin, CONNECT_KAFKA_DELETE_GROUP,
						  RD_KAFKA_ADMIN_OP_DELETEGROUPS, timeout_ms, err);
	if (options == NULL)
		return 0;
	request = rd_kafka_DeleteGroup_new(group);
	rd_kafka_DeleteGroups(admin->client.rk, &request, 1, options,
						  admin->client.queue);
	rd_kafka_DeleteGroup_destroy(request);
	rd_kafka_AdminOptions_destroy(options);
	return admin->last_request;
}

uint64_t
connect_kafka_admin_list_group_offsets(ConnectKafkaAdmin *admin,
									   const char *group,
									   const ConnectKafkaOffset *partitions,
									   int npartitions, int timeout_ms,
									   ConnectKafkaError *err)
{
	rd_kafka_AdminOptions_t *options;
	rd_kafka_ListConsumerGroupOffsets_t *request;
	rd_kafka_topic_partition_list_t *list = NULL;

	options = options_new(admin, CONNECT_KAFKA_LIST_GROUP_OFFSETS,
						  RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS, timeout_ms, err);
	if (options == NULL)
		return 0;
	if (npartitions > 0)
		list = offset_list(partitions, npartitions);
	request = rd_kafka_ListConsumerGroupOffsets_new(group, list);
	rd_kafka_ListConsumerGroupOffsets(admin->client.rk, &request, 1, options,
									  admin->client.queue);
	rd_kafka_ListConsumerGroupOffsets_destroy(request);
	if (list != NULL)
		rd_kafka_topic_partition_list_destroy(list);
	rd_kafka_AdminOptions_destroy(options);
	return admin->last_request;
}

uint64_t
connect_kafka_admin_alter_group_offsets(ConnectKafkaAdmin *admin,
										const char *group,
										const ConnectKafkaOffset *offsets,
										int noffsets, int timeout_ms,
										ConnectKafkaError *err)
{
	rd_kafka_AdminOptions_t *options;
	rd_kafka_AlterConsumerGroupOffsets_t *request;
	rd_kafka_topic_partition_list_t *list;

	options = options_new(admin, CONNECT_KAFKA_ALTER_GROUP_OFFSETS,
						  RD_KAFKA_ADMIN_OP_ALTERCONSUMERGROUPOFFSETS, timeout_ms, err);
	if (options == NULL)
		return 0;
	list = offset_list(offsets, noffsets);
	request = rd_kafka_AlterConsumerGroupOffsets_new(group, list);
	rd_kafka_AlterConsumerGroupOffsets(admin->client.rk, &request, 1, options,
									   admin->client.queue);
	rd_kafka_AlterConsumerGroupOffsets_destroy(request);
	rd_kafka_topic_partition_list_destroy(list);
	rd_kafka_AdminOptions_destroy(options);
	return admin->last_request;
}

uint64_t
connect_kafka_admin_delete_group_offsets(ConnectKafkaAdmin *admin,
										 const char *group,
										 const ConnectKafkaOffset *partitions,
										 int npartitions, int timeout_ms,
										 ConnectKafkaError *err)
{
	rd_kafka_AdminOptions_t *options;
	rd_kafka_DeleteConsumerGroupOffsets_t *request;
	rd_kafka_topic_partition_list_t *list;

	options = options_new(admin, CONNECT_KAFKA_DELETE_GROUP_OFFSETS,
						  RD_KAFKA_ADMIN_OP_DELETECONSUMERGROUPOFFSETS, timeout_ms, err);
	if (options == NULL)
		return 0;
	list = offset_list(partitions, npartitions);
	request = rd_kafka_DeleteConsumerGroupOffsets_new(group, list);
	rd_kafka_DeleteConsumerGroupOffsets(admin->client.rk, &request, 1, options,
										admin->client.queue);
	rd_kafka_DeleteConsumerGroupOffsets_destroy(request);
	rd_kafka_topic_partition_list_destroy(list);
	rd_kafka_AdminOptions_destroy(options);
	return admin->last_request;
}

static void
take_topics(Result *result, const rd_kafka_topic_result_t **topics, size_t ntopics)
{
	for (size_t i = 0; i < ntopics; i++)
	{
		const char *name = rd_kafka_topic_result_name(topics[i]);
		rd_kafka_resp_err_t code = rd_kafka_topic_result_error(topics[i]);
		ConnectKafkaAdminItem *item = result_add(result, name);

		if (item != NULL && code != RD_KAFKA_RESP_ERR_NO_ERROR)
			kafka_error_set(&item->error, code,
							rd_kafka_topic_result_error_string(topics[i]),
							"topic \"%s\"", name);
	}
}

static void
take_groups(Result *result, const rd_kafka_group_result_t **groups, size_t ngroups)
{
	for (size_t i = 0; i < ngroups; i++)
	{
		const char *name = rd_kafka_group_result_name(groups[i]);
		const rd_kafka_error_t *error = rd_kafka_group_result_error(groups[i]);
		const rd_kafka_topic_partition_list_t *list =
			rd_kafka_group_result_partitions(groups[i]);

		if (error != NULL)
			kafka_error_set(&result->result.error, rd_kafka_error_code(error),
							rd_kafka_error_string(error), "group \"%s\"", name);
		if (list == NULL)
		{
			ConnectKafkaAdminItem *item = result_add(result, name);

			if (item != NULL)
				item->error = result->result.error;
			continue;
		}
		for (int j = 0; j < list->cnt; j++)
		{
			const rd_kafka_topic_partition_t *from = &list->elems[j];
			ConnectKafkaAdminItem *item = result_add(result, from->topic);

			if (item == NULL)
				return;
			item->partition = from->partition;
			if (from->offset >= 0)
				item->offset = from->offset;
			if (from->metadata_size > 0)
				item->metadata = strndup(from->metadata, from->metadata_size);
			if (from->err != RD_KAFKA_RESP_ERR_NO_ERROR)
				kafka_error_set(&item->error, from->err, NULL,
								"topic \"%s\" partition %d", from->topic,
								from->partition);
		}
	}
}

/* An event of an admin request as a result; NULL if it is another one. */
static Result *
take_event(ConnectKafkaAdmin *admin, rd_kafka_event_t *event)
{
	uint64_t	tag = (uintptr_t) rd_kafka_event_opaque(event);
	rd_kafka_resp_err_t code = rd_kafka_event_error(event);
	Result	   *result;
	size_t		count = 0;

	if (is_for_coordinator(tag % TAG_OPS) &&
		!pending_remove(admin, tag / TAG_OPS))
		return NULL;
	result = tag != 0 ? calloc(1, sizeof(*result)) : NULL;
	if (result == NULL)
		return NULL;
	result->result.request = tag / TAG_OPS;
	result->result.op = tag % TAG_OPS;

	if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
	{
		kafka_error_set(&result->result.error, code,
						rd_kafka_event_error_string(event), "admin request");
		client_explain(&admin->client, &result->result.error);
		return result;
	}
	admin->client.is_down = false;
	switch (rd_kafka_event_type(event))
	{
		case RD_KAFKA_EVENT_CREATETOPICS_RESULT:
			{
				const rd_kafka_CreateTopics_result_t *answer =
					rd_kafka_event_CreateTopics_result(event);
				const rd_kafka_topic_result_t **topics =
					rd_kafka_CreateTopics_result_topics(answer, &count);

				take_topics(result, topics, count);
				break;
			}
		case RD_KAFKA_EVENT_DELETETOPICS_RESULT:
			{
				const rd_kafka_DeleteTopics_result_t *answer =
					rd_kafka_event_DeleteTopics_result(event);
				const rd_kafka_topic_result_t **topics =
					rd_kafka_DeleteTopics_result_topics(answer, &count);

				take_topics(result, topics, count);
				break;
			}
		case RD_KAFKA_EVENT_DELETEGROUPS_RESULT:
			{
				const rd_kafka_DeleteGroups_result_t *answer =
					rd_kafka_event_DeleteGroups_result(event);
				const rd_kafka_group_result_t **groups =
					rd_kafka_DeleteGroups_result_groups(answer, &count);

				take_groups(result, groups, count);
				break;
			}
		case RD_KAFKA_EVENT_LISTCONSUMERGROUPOFFSETS_RESULT:
			{
				const rd_kafka_ListConsumerGroupOffsets_result_t *answer =
					rd_kafka_event_ListConsumerGroupOffsets_result(event);
				const rd_kafka_group_result_t **groups =
					rd_kafka_ListConsumerGroupOffsets_result_groups(answer, &count);

				take_groups(result, groups, count);
				break;
			}
		case RD_KAFKA_EVENT_ALTERCONSUMERGROUPOFFSETS_RESULT:
			{
				const rd_kafka_AlterConsumerGroupOffsets_result_t *answer =
					rd_kafka_event_AlterConsumerGroupOffsets_result(event);
				const rd_kafka_group_result_t **groups =
					rd_kafka_AlterConsumerGroupOffsets_result_groups(answer, &count);

				take_groups(result, groups, count);
				break;
			}
		case RD_KAFKA_EVENT_DELETECONSUMERGROUPOFFSETS_RESULT:
			{
				const rd_kafka_DeleteConsumerGroupOffsets_result_t *answer =
					rd_kafka_event_DeleteConsumerGroupOffsets_result(event);
				const rd_kafka_group_result_t **groups =
					rd_kafka_DeleteConsumerGroupOffsets_result_groups(answer, &count);

				take_groups(result, groups, count);
				break;
			}
		default:
			break;
	}
	return result;
}

static void
describe_free(Describe *describe)
{
	for (int i = 0; i < describe->ntopics; i++)
		free(describe->topics[i]);
	free(describe->topics);
	result_free(describe->result);
	free(describe);
}

/* One slice of the oldest describe; its result when that was the last. */
static Result *
describe_step(ConnectKafkaAdmin *admin)
{
	Describe   *describe = admin->describes;
	Result	   *result = describe->result;
	const struct rd_kafka_metadata *metadata;
	rd_kafka_topic_t *rkt = NULL;
	rd_kafka_resp_err_t code;
	int64_t		left = describe->until - client_now_ms();
	int			slice = left < describe->slice_ms ? (int) left : describe->slice_ms;

	if (describe->ntopics > 0)
		rkt = rd_kafka_topic_new(admin->client.rk,
								 describe->topics[describe->next], NULL);
	code = rd_kafka_metadata(admin->client.rk, describe->ntopics == 0, rkt,
							 &metadata, slice > 0 ? slice : 1);
	if (rkt != NULL)
		rd_kafka_topic_destroy(rkt);

	if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
	{
		admin->client.is_down = false;
		for (int i = 0; i < metadata->topic_cnt; i++)
		{
			const struct rd_kafka_metadata_topic *topic = &metadata->topics[i];
			ConnectKafkaAdminItem *item = result_add(result, topic->topic);

			if (item == NULL)
				break;
			item->partitions = topic->partition_cnt;
			if (topic->partition_cnt > 0)
				item->replication_factor = topic->partitions[0].replica_cnt;
			if (topic->err != RD_KAFKA_RESP_ERR_NO_ERROR)
				kafka_error_set(&item->error, topic->err, NULL, "topic \"%s\"",
								topic->topic);
		}
		rd_kafka_metadata_destroy(metadata);
		describe->next++;
		describe->slice_ms = SLICE_MS;
		if (describe->next < describe->ntopics)
			return NULL;
		/* Known since the first answer of a broker. */
		{
			char	   *cluster_id = rd_kafka_clusterid(admin->client.rk, 1);

			if (cluster_id != NULL)
			{
				result->cluster_id = strdup(cluster_id);
				rd_kafka_mem_free(admin->client.rk, cluster_id);
			}
		}
	}
	else
	{
		if (describe->slice_ms < SLICE_MAX_MS)
			describe->slice_ms *= 2;
		/* No broker yet, or none that answered in this slice. */
		if ((code == RD_KAFKA_RESP_ERR__TIMED_OUT ||
			 code == RD_KAFKA_RESP_ERR__TRANSPORT) &&
			client_now_ms() < describe->until)
			return NULL;
		kafka_error_set(&result->result.error, code, NULL,
						"topics could not be described");
		client_explain(&admin->client, &result->result.error);
	}
	result->result.request = describe->request;
	result->result.op = CONNECT_KAFKA_DESCRIBE_TOPICS;
	admin->describes = describe->following;
	describe->result = NULL;
	describe_free(describe);
	return result;
}

/* The result of a request to a coordinator whose time is over; NULL if none. */
static Result *
take_expired(ConnectKafkaAdmin *admin)
{
	int64_t		now = client_now_ms();
	Result	   *result;

	for (Pending *pending = admin->pendings; pending != NULL; pending = pending->following)
	{
		if (pending->until > now)
			continue;
		result = calloc(1, sizeof(*result));
		if (result == NULL)
			return NULL;
		result->result.request = pending->request;
		result->result.op = pending->op;
		kafka_error_set(&result->result.error, RD_KAFKA_RESP_ERR__TIMED_OUT,
						"the group's coordinator has not answered", "admin request");
		client_explain(&admin->client, &result->result.error);
		(void) pending_remove(admin, pending->request);
		return result;
	}
	return NULL;
}

bool
connect_kafka_admin_poll(ConnectKafkaAdmin *admin,
						 ConnectKafkaAdminResult *result)
{
	Result	   *taken = NULL;

	result_free(admin->taken);
	admin->taken = NULL;
	client_fd_clear(&admin->client);
	while (taken == NULL)
	{
		rd_kafka_event_t *event = client_next_event(&admin->client);

		if (event == NULL)
			break;
		taken = take_event(admin, event);
		rd_kafka_event_destroy(event);
	}
	if (taken == NULL)
		taken = take_expired(admin);
	if (taken == NULL && admin->describes != NULL)
		taken = describe_step(admin);
	if (taken != NULL || admin->describes != NULL)
		client_fd_set(&admin->client);
	if (taken == NULL)
		return false;
	admin->taken = taken;
	taken->result.items = taken->items;
	taken->result.cluster_id = taken->cluster_id;
	*result = taken->result;
	return true;
}

bool
connect_kafka_admin_close(ConnectKafkaAdmin **handle)
{
	ConnectKafkaAdmin *admin = *handle;
	bool		is_done;

	if (admin == NULL)
		return true;
	*handle = NULL;
	while (admin->describes != NULL)
	{
		Describe   *describe = admin->describes;

		admin->describes = describe->following;
		describe_free(describe);
	}
	while (admin->pendings != NULL)
		(void) pending_remove(admin, admin->pendings->request);
	result_free(admin->taken);
	is_done = client_close(&admin->client, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE,
						   1000);
	free(admin);
	return is_done;
}
