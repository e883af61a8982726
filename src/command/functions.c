/*
 * functions.c
 *	  SQL functions: thin wrappers around the commands.
 *
 * NOTES
 *	  Statements that call these may hold passwords.  While one runs, an error
 *	  context callback keeps the statement and the context of whatever is
 *	  reported out of the server log.
 */
#include "postgres.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"
#include "catalog/pg_type.h"

#include "catalog/json.h"
#include "catalog/validate.h"
#include "catalog/worker.h"
#include "command/command.h"
#include "command/hide.h"
#include "connector.h"

CONNECT_FUNCTION(connect_create);
CONNECT_FUNCTION(connect_alter);
CONNECT_FUNCTION(connect_patch);
CONNECT_FUNCTION(connect_config_locked);
CONNECT_FUNCTION(connect_drop);
CONNECT_FUNCTION(connect_pause);
CONNECT_FUNCTION(connect_resume);
CONNECT_FUNCTION(connect_stop);
CONNECT_FUNCTION(connect_restart);
CONNECT_FUNCTION(connect_restart_task);
CONNECT_FUNCTION(connect_wait);
CONNECT_FUNCTION(connect_alter_owner);
CONNECT_FUNCTION(connect_adopt);
CONNECT_FUNCTION(connect_offsets);
CONNECT_FUNCTION(connect_alter_offsets);
CONNECT_FUNCTION(connect_reset_offsets);
CONNECT_FUNCTION(connect_rollback);
CONNECT_FUNCTION(connect_secret_set);
CONNECT_FUNCTION(connect_secret_drop);
CONNECT_FUNCTION(connect_plugins);
CONNECT_FUNCTION(connect_plugin_config);
CONNECT_FUNCTION(connect_validate);
CONNECT_FUNCTION(connect_class_type);
CONNECT_FUNCTION(connect_diff);
CONNECT_FUNCTION(connect_worker_id);

static ConnectState state_argument(text *arg);
static Datum name_array(const char *const *names);
static Datum list_array(List *texts);
static void put_text(Datum *value, bool *null, const char *text);

Datum
connect_create(PG_FUNCTION_ARGS)
{
	ConnectHiding hiding;

	connect_hide_begin(&hiding);
	connect_command_create(text_to_cstring(PG_GETARG_TEXT_PP(0)),
						   connect_config_from_jsonb(PG_GETARG_JSONB_P(1)),
						   state_argument(PG_GETARG_TEXT_PP(2)), false);
	connect_hide_end(&hiding);
	PG_RETURN_VOID();
}

Datum
connect_alter(PG_FUNCTION_ARGS)
{
	ConnectHiding hiding;

	connect_hide_begin(&hiding);
	connect_command_alter(text_to_cstring(PG_GETARG_TEXT_PP(0)),
						  connect_config_from_jsonb(PG_GETARG_JSONB_P(1)));
	connect_hide_end(&hiding);
	PG_RETURN_VOID();
}

Datum
connect_patch(PG_FUNCTION_ARGS)
{
	ConnectHiding hiding;

	connect_hide_begin(&hiding);
	connect_command_patch(text_to_cstring(PG_GETARG_TEXT_PP(0)),
						  connect_config_from_jsonb(PG_GETARG_JSONB_P(1)));
	connect_hide_end(&hiding);
	PG_RETURN_VOID();
}

Datum
connect_config_locked(PG_FUNCTION_ARGS)
{
	ConnectConnectorRow *row;

	row = connect_command_lock(text_to_cstring(PG_GETARG_TEXT_PP(0)), true);
	if (row == NULL)
		PG_RETURN_NULL();
	PG_RETURN_JSONB_P(connect_config_to_jsonb(row->config));
}

Datum
connect_drop(PG_FUNCTION_ARGS)
{
	connect_command_drop(text_to_cstring(PG_GETARG_TEXT_PP(0)),
						 PG_GETARG_BOOL(1));
	PG_RETURN_VOID();
}

Datum
connect_pause(PG_FUNCTION_ARGS)
{
	connect_command_set_target(text_to_cstring(PG_GETARG_TEXT_PP(0)),
							   CONNECT_PAUSED);
	PG_RETURN_VOID();
}

Datum
connect_resume(PG_FUNCTION_ARGS)
{
	connect_command_set_target(text_to_cstring(PG_GETARG_TEXT_PP(0)),
							   CONNECT_RUNNING);
	PG_RETURN_VOID();
}

Datum
connect_stop(PG_FUNCTION_ARGS)
{
	connect_command_set_target(text_to_cstring(PG_GETARG_TEXT_PP(0)),
							   CONNECT_STOPPED);
	PG_RETURN_VOID();
}

Datum
connect_restart(PG_FUNCTION_ARGS)
{
	connect_command_restart(text_to_cstring(PG_GETARG_TEXT_PP(0)),
							PG_GETARG_BOOL(1), PG_GETARG_BOOL(2));
	PG_RETURN_VOID();
}

Datum
connect_restart_task(PG_FUNCTION_ARGS)
{
	connect_command_restart_task(text_to_cstring(PG_GETARG_TEXT_PP(0)),
								 PG_GETARG_INT32(1), false);
	PG_RETURN_VOID();
}

Datum
connect_wait(PG_FUNCTION_ARGS)
{
	int64		timeout_ms = -1;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	if (!PG_ARGISNULL(2))
	{
		Interval   *timeout = PG_GETARG_INTERVAL_P(2);

		timeout_ms = timeout->time / 1000 +
			(timeout->day + timeout->month * INT64CONST(30)) *
			(USECS_PER_DAY / 1000);
		timeout_ms = Max(timeout_ms, 0);
	}
	PG_RETURN_BOOL(connect_command_wait(text_to_cstring(PG_GETARG_TEXT_PP(0)),
										state_argument(PG_GETARG_TEXT_PP(1)),
										timeout_ms));
}

Datum
connect_alter_owner(PG_FUNCTION_ARGS)
{
	connect_command_alter_owner(text_to_cstring(PG_GETARG_TEXT_PP(0)),
								PG_GETARG_OID(1));
	PG_RETURN_VOID();
}

Datum
connect_adopt(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(connect_command_adopt(PG_ARGISNULL(0) ? NULL :
										  text_to_cstring(PG_GETARG_TEXT_PP(0))));
}

Datum
connect_offsets(PG_FUNCTION_ARGS)
{
	char	   *json = connect_command_offsets(text_to_cstring(PG_GETARG_TEXT_PP(0)));

	PG_RETURN_JSONB_P(connect_json_parse(json));
}

Datum
connect_alter_offsets(PG_FUNCTION_ARGS)
{
	connect_command_alter_offsets(text_to_cstring(PG_GETARG_TEXT_PP(0)),
								  connect_json_text(PG_GETARG_JSONB_P(1)));
	PG_RETURN_VOID();
}

Datum
connect_reset_offsets(PG_FUNCTION_ARGS)
{
	connect_command_reset_offsets(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	PG_RETURN_VOID();
}

Datum
connect_rollback(PG_FUNCTION_ARGS)
{
	ConnectHiding hiding;

	connect_hide_begin(&hiding);
	connect_command_rollback(text_to_cstring(PG_GETARG_TEXT_PP(0)),
							 PG_GETARG_INT64(1));
	connect_hide_end(&hiding);
	PG_RETURN_VOID();
}

Datum
connect_secret_set(PG_FUNCTION_ARGS)
{
	ConnectHiding hiding;

	connect_hide_begin(&hiding);
	connect_command_secret_set(text_to_cstring(PG_GETARG_TEXT_PP(0)),
							   text_to_cstring(PG_GETARG_TEXT_PP(1)));
	connect_hide_end(&hiding);
	PG_RETURN_VOID();
}

Datum
connect_secret_drop(PG_FUNCTION_ARGS)
{
	connect_command_secret_drop(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	PG_RETURN_VOID();
}

/* (class, type, version, doc) of connectors and converters */
Datum
connect_plugins(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	static const ConnectConnectorType order[] = {CONNECT_SINK, CONNECT_SOURCE};
	const ConnectConnectorClass *const *connectors;
	const ConnectConverterClass *const *converters;
	int			n;

	InitMaterializedSRF(fcinfo, 0);
	connectors = connect_connector_all(&n);
	for (int i = 0; i < lengthof(order); i++)
	{
		for (int j = 0; j < n; j++)
		{
			const ConnectConnectorClass *cls = connectors[j];
			Datum		values[4];
			bool		nulls[4] = {0};

			if (cls->type != order[i] || (cls->flags & CONNECT_CONNECTOR_HIDDEN))
				continue;
			put_text(&values[0], &nulls[0], cls->class_name);
			put_text(&values[1], &nulls[1],
					 cls->type == CONNECT_SINK ? "sink" : "source");
			put_text(&values[2], &nulls[2], cls->version);
			put_text(&values[3], &nulls[3], cls->doc);
			tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc,
								 values, nulls);
		}
	}
	converters = connect_converter_all(&n);
	for (int header = 0; header <= 1; header++)
	{
		for (int j = 0; j < n; j++)
		{
			const ConnectConverterClass *cls = converters[j];
			Datum		values[4];
			bool		nulls[4] = {0};

			if (!(header ? cls->is_header_converter : cls->is_converter))
				continue;
			put_text(&values[0], &nulls[0], cls->class_name);
			put_text(&values[1], &nulls[1],
					 header ? "header_converter" : "converter");
			put_text(&values[2], &nulls[2], cls->version);
			put_text(&values[3], &nulls[3], cls->doc);
			tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc,
								 values, nulls);
		}
	}
	return (Datum) 0;
}

Datum
connect_plugin_config(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	ConnectConfig *cfg = connect_config_make();
	ListCell   *lc;

	InitMaterializedSRF(fcinfo, 0);
	connect_config_set(cfg, "connector.class",
					   text_to_cstring(PG_GETARG_TEXT_PP(0)));
	foreach(lc, connect_plugin_keys(connect_config_class(cfg)))
	{
		const ConnectConfigKey *key = lfirst(lc);
		Datum		values[12];
		bool		nulls[12] = {0};

		put_text(&values[0], &nulls[0], key->name);
		put_text(&values[1], &nulls[1], connect_config_type_name(key->type));
		values[2] = BoolGetDatum(key->required);
		put_text(&values[3], &nulls[3],
				 key->default_value != NULL &&
				 key->type == CONNECT_CONFIG_PASSWORD ? "[hidden]" :
				 key->default_value);
		put_text(&values[4], &nulls[4],
				 connect_importance_name(key->importance));
		put_text(&values[5], &nulls[5], key->doc);
		put_text(&values[6], &nulls[6], key->group);
		values[7] = Int32GetDatum(key->group == NULL ? -1 : key->order);
		put_text(&values[8], &nulls[8], connect_width_name(key->width));
		put_text(&values[9], &nulls[9],
				 key->display_name ? key->display_name : key->name);
		values[10] = name_array(key->dependents);
		values[11] = name_array(key->recommended);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc,
							 values, nulls);
	}
	return (Datum) 0;
}

/* (key, value, errors, recommended_values, visible) */
Datum
connect_validate(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	ConnectValidation *validation;
	ConnectHiding hiding;
	ListCell   *lc;

	connect_hide_begin(&hiding);
	InitMaterializedSRF(fcinfo, 0);
	validation = connect_config_validate(connect_config_from_jsonb(PG_GETARG_JSONB_P(0)),
										 GetUserId());
	foreach(lc, validation->keys)
	{
		ConnectValidatedKey *key = lfirst(lc);
		Datum		values[5];
		bool		nulls[5] = {0};

		put_text(&values[0], &nulls[0], key->name);
		put_text(&values[1], &nulls[1], key->value);
		values[2] = list_array(key->errors);
		values[3] = name_array(key->recommended);
		values[4] = BoolGetDatum(key->visible);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc,
							 values, nulls);
	}
	connect_hide_end(&hiding);
	return (Datum) 0;
}

/* (key, value1, value2) of keys that differ */
Datum
connect_diff(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	ConnectConfig *old_cfg = connect_command_version(name, PG_GETARG_INT64(1));
	ConnectConfig *new_cfg = connect_command_version(name, PG_GETARG_INT64(2));
	ConnectConfig *all = connect_config_copy(old_cfg);

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < new_cfg->nentries; i++)
		connect_config_set(all, new_cfg->entries[i].key, NULL);
	for (int i = 0; i < all->nentries; i++)
	{
		const char *key = all->entries[i].key;
		const char *old_value = connect_config_get(old_cfg, key);
		const char *new_value = connect_config_get(new_cfg, key);
		Datum		values[3];
		bool		nulls[3];

		if (old_value == NULL ? new_value == NULL :
			new_value != NULL && strcmp(old_value, new_value) == 0)
			continue;
		put_text(&values[0], &nulls[0], key);
		put_text(&values[1], &nulls[1], old_value);
		put_text(&values[2], &nulls[2], new_value);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc,
							 values, nulls);
	}
	return (Datum) 0;
}

Datum
connect_worker_id(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(connect_worker_name()));
}

/* source, sink, or unknown when the class is not there (any more) */
Datum
connect_class_type(PG_FUNCTION_ARGS)
{
	const ConnectConnectorClass *cls =
		connect_connector_find(text_to_cstring(PG_GETARG_TEXT_PP(0)));

	PG_RETURN_TEXT_P(cstring_to_text(cls == NULL ? "unknown" :
									 cls->type == CONNECT_SINK ? "sink" : "source"));
}

static ConnectState
state_argument(text *arg)
{
	char	   *name = text_to_cstring(arg);
	ConnectState state;

	if (!connect_state_parse(name, &state))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" is not a state", name)));
	return state;
}

static Datum
name_array(const char *const *names)
{
	List	   *texts = NIL;

	for (; names != NULL && *names != NULL; names++)
		texts = lappend(texts, unconstify(char *, *names));
	return list_array(texts);
}

static Datum
list_array(List *texts)
{
	Datum	   *elems = palloc(Max(list_length(texts), 1) * sizeof(Datum));
	int			n = 0;
	ListCell   *lc;

	foreach(lc, texts)
		elems[n++] = CStringGetTextDatum(lfirst(lc));
	return PointerGetDatum(construct_array(elems, n, TEXTOID, -1, false,
										   TYPALIGN_INT));
}

static void
put_text(Datum *value, bool *null, const char *text)
{
	*null = text == NULL;
	*value = text == NULL ? (Datum) 0 : CStringGetTextDatum(text);
}
