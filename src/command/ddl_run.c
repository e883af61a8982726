/*
 * ddl_run.c
 *	  connect_sql() and DO LANGUAGE connect: run the text dialect.
 *
 * NOTES
 *	  Statements run one after the other in the caller's transaction, with the
 *	  caller's rights.  SHOW and DESCRIBE read the views of schema connect as
 *	  the caller; their rows are JSON objects, or notices in a DO block, which
 *	  cannot return any.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "nodes/parsenodes.h"
#include "utils/builtins.h"

#include "catalog/validate.h"
#include "command/command.h"
#include "command/ddl.h"
#include "command/hide.h"
#include "connector.h"

CONNECT_FUNCTION(connect_sql);
CONNECT_FUNCTION(connect_language_inline);
CONNECT_FUNCTION(connect_language_call);
CONNECT_FUNCTION(connect_language_validator);

static void run_text(const char *text, ReturnSetInfo *rsinfo);
static void run_statement(const ConnectDdl *ddl, ReturnSetInfo *rsinfo);
static void raise_syntax_error(const char *text, const ConnectDdlError *error);
static void check_type(const ConnectDdl *ddl);
static void show(const char *query, const char *arg, ReturnSetInfo *rsinfo);

/* Rows of SHOW and DESCRIBE as JSON objects. */
Datum
connect_sql(PG_FUNCTION_ARGS)
{
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	run_text(text_to_cstring(PG_GETARG_TEXT_PP(0)),
			 (ReturnSetInfo *) fcinfo->resultinfo);
	return (Datum) 0;
}

Datum
connect_language_inline(PG_FUNCTION_ARGS)
{
	InlineCodeBlock *block = (InlineCodeBlock *) PG_GETARG_POINTER(0);

	run_text(block->source_text, NULL);
	PG_RETURN_VOID();
}

Datum
connect_language_call(PG_FUNCTION_ARGS)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("language \"connect\" is for DO blocks only")));
}

Datum
connect_language_validator(PG_FUNCTION_ARGS)
{
	return connect_language_call(fcinfo);
}

static void
run_text(const char *text, ReturnSetInfo *rsinfo)
{
	ConnectHiding hiding;
	ConnectDdlError error;
	ConnectDdl *ddl;
	int			position = 0;

	connect_hide_begin(&hiding);
	while ((ddl = connect_ddl_parse(text, &position, &error)) != NULL)
		run_statement(ddl, rsinfo);
	if (error.expected != NULL || error.message != NULL)
		raise_syntax_error(text, &error);
	connect_hide_end(&hiding);
}

static void
run_statement(const ConnectDdl *ddl, ReturnSetInfo *rsinfo)
{
	switch (ddl->kind)
	{
		case CONNECT_DDL_CREATE:
			check_type(ddl);
			connect_command_create(ddl->name, ddl->config, CONNECT_RUNNING,
								   ddl->if_exists);
			break;
		case CONNECT_DDL_ALTER:
			connect_command_patch(ddl->name, ddl->config);
			break;
		case CONNECT_DDL_DROP:
			connect_command_drop(ddl->name, ddl->if_exists);
			break;
		case CONNECT_DDL_PAUSE:
			connect_command_set_target(ddl->name, CONNECT_PAUSED);
			break;
		case CONNECT_DDL_RESUME:
			connect_command_set_target(ddl->name, CONNECT_RUNNING);
			break;
		case CONNECT_DDL_STOP:
			connect_command_set_target(ddl->name, CONNECT_STOPPED);
			break;
		case CONNECT_DDL_RESTART:
			if (ddl->task >= 0)
				connect_command_restart_task(ddl->name, ddl->task,
											 ddl->only_failed);
			else
				connect_command_restart(ddl->name, true, ddl->only_failed);
			break;
		case CONNECT_DDL_RESET_OFFSETS:
			connect_command_reset_offsets(ddl->name);
			break;
		case CONNECT_DDL_SHOW_CONNECTORS:
			show("SELECT json_build_object('connector', s.connector,"
				 " 'type', s.type, 'class', c.class, 'status',"
				 " CASE WHEN s.state <> 'RUNNING' THEN s.state"
				 " ELSE format('%s (%s/%s tasks RUNNING)',"
				 " CASE WHEN s.tasks > 0 AND r.n = 0 THEN 'WARNING'"
				 " ELSE 'RUNNING' END, r.n, s.tasks) END)"
				 " FROM connect.connector_status s"
				 " LEFT JOIN connect.connector c USING (connector)"
				 " CROSS JOIN LATERAL (SELECT count(*) AS n"
				 " FROM connect.task_status t WHERE t.connector = s.connector"
				 " AND t.state = 'RUNNING') r"
				 " WHERE $1 IS NULL OR s.type = $1 ORDER BY s.connector",
				 ddl->type, rsinfo);
			break;
		case CONNECT_DDL_SHOW_PLUGINS:
			show("SELECT json_build_object('class', class, 'type', type,"
				 " 'version', version) FROM connect.plugin"
				 " WHERE $1 IS NULL OR type = $1",
				 NULL, rsinfo);
			break;
		case CONNECT_DDL_SHOW_OFFSETS:
			(void) connect_command_find(ddl->name);
			show("SELECT o.entry FROM (SELECT json_build_object("
				 "'partition', source_partition, 'offset', source_offset) AS entry"
				 " FROM connect.source_offset WHERE connector = $1"
				 " UNION ALL SELECT json_build_object('partition',"
				 " json_build_object('kafka_topic', kafka_topic,"
				 " 'kafka_partition', kafka_partition), 'offset',"
				 " json_build_object('kafka_offset', kafka_offset))"
				 " FROM connect.sink_offset WHERE connector = $1) o"
				 " ORDER BY o.entry::text",
				 ddl->name, rsinfo);
			break;
		case CONNECT_DDL_DESCRIBE:
			(void) connect_command_find(ddl->name);
			show("SELECT json_build_object('connector', s.connector,"
				 " 'class', c.class, 'type', s.type, 'state', s.state,"
				 " 'worker_id', s.worker_id, 'trace', coalesce(s.trace, s.reason),"
				 " 'tasks', coalesce((SELECT json_agg(json_build_object("
				 "'task', t.task, 'state', t.state,"
				 " 'trace', coalesce(t.trace, t.reason)) ORDER BY t.task)"
				 " FROM connect.task_status t WHERE t.connector = s.connector),"
				 " '[]'::json), 'config', c.config)"
				 " FROM connect.connector_status s"
				 " JOIN connect.connector c USING (connector)"
				 " WHERE s.connector = $1",
				 ddl->name, rsinfo);
			break;
	}
}

/* What is between quotes is masked in the text that goes with the error. */
static void
raise_syntax_error(const char *text, const ConnectDdlError *error)
{
	char	   *message = error->message;

	if (message == NULL && error->near != NULL)
		message = psprintf("syntax error at or near \"%s\"", error->near);
	else if (message == NULL)
		message = "syntax error at end of input";
	ereport(ERROR,
			(errcode(ERRCODE_SYNTAX_ERROR),
			 errmsg("%s", message),
			 error->expected == NULL ? 0 :
			 errdetail("Expected %s.", error->expected),
			 internalerrquery(connect_ddl_mask(text)),
			 internalerrposition(pg_mbstrlen_with_len(text,
													  error->position) + 1)));
}

/* CREATE SOURCE CONNECTOR with the class of a sink, and the other way round. */
static void
check_type(const ConnectDdl *ddl)
{
	const ConnectConnectorClass *cls;

	if (ddl->type == NULL)
		return;
	cls = connect_config_class(ddl->config);
	if ((cls->type == CONNECT_SINK) != (strcmp(ddl->type, "sink") == 0))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("class \"%s\" is not a %s connector",
						cls->class_name, ddl->type)));
}

static void
show(const char *query, const char *arg, ReturnSetInfo *rsinfo)
{
	Oid			types[] = {TEXTOID};
	Datum		values[] = {arg ? CStringGetTextDatum(arg) : (Datum) 0};

	if (SPI_connect() != SPI_OK_CONNECT ||
		SPI_execute_with_args(query, 1, types, values, arg ? NULL : "n",
							  false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not execute \"%s\"", query);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		HeapTuple	tuple = SPI_tuptable->vals[i];
		TupleDesc	desc = SPI_tuptable->tupdesc;
		bool		isnull;
		Datum		value = SPI_getbinval(tuple, desc, 1, &isnull);

		if (rsinfo != NULL)
			tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc,
								 &value, &isnull);
		else
			ereport(NOTICE,
					(errmsg("%s", SPI_getvalue(tuple, desc, 1))));
	}
	SPI_finish();
}
