/*
 * emit.c
 *	  connect_emit(): a message through a connector's queue.
 *
 * NOTES
 *	  Runs in any backend.  The message goes the way of captured rows: into the
 *	  queue with the transaction, out of it if that commits.  Who may use a
 *	  connector is who has its owner's rights.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"

#include "catalog/access.h"
#include "catalog/catalog.h"
#include "stream/stream.h"

PG_FUNCTION_INFO_V1(connect_emit);

/* The bytes of an argument: bytea as it is, all else as its text. */
static Datum
bytes_of(FunctionCallInfo fcinfo, int arg)
{
	Oid			type = get_fn_expr_argtype(fcinfo->flinfo, arg);
	Datum		value = PG_GETARG_DATUM(arg);
	Oid			output;
	bool		varlena;

	if (type == UNKNOWNOID)
		return CStringGetTextDatum(DatumGetCString(value));
	if (type == BYTEAOID || type == TEXTOID)
		return PointerGetDatum(PG_DETOAST_DATUM_PACKED(value));
	getTypeOutputInfo(type, &output, &varlena);
	return CStringGetTextDatum(OidOutputFunctionCall(output, value));
}

/*
 * connect_emit(connector text, topic text, key "any", value "any", headers jsonb)
 */
PGDLLEXPORT Datum
connect_emit(PG_FUNCTION_ARGS)
{
	char	   *name;
	ConnectConnectorRow *connector;
	ConnectQueue *queue;
	TupleDesc	desc;
	Datum		values[4] = {0};
	bool		nulls[4];
	ConnectEvent event = {.op = CONNECT_OP_MESSAGE};

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("connector and topic must not be null")));
	PreventCommandIfReadOnly("connect_emit()");
	name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	connector = connect_catalog_connector(name);
	if (connector == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("connector \"%s\" does not exist", name),
				 errhint("Create one of class OutboxSource with connect_create().")));
	if (!has_privs_of_role(GetUserId(), connector->owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for connector \"%s\"", name),
				 errhint("Its owner's role must be granted to you, or a function of its owner must emit for you.")));
	if (connector->foreign)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("connector \"%s\" is that of another database", name),
				 errhint("connect_adopt() takes it on.")));
	queue = connect_queue_load(connector->id);
	if (queue == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("connector \"%s\" has no queue", name),
				 errhint("Its class must be OutboxSource or TableStreamSource.")));
	if (queue->dropped)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the queue of connector \"%s\" was full: it takes nothing any more", name),
				 errhint("Drop the connector and create it again.")));

	for (int i = 0; i < 4; i++)
		nulls[i] = PG_ARGISNULL(i + 1);
	values[0] = PointerGetDatum(PG_GETARG_TEXT_PP(1));
	if (!nulls[1])
		values[1] = bytes_of(fcinfo, 2);
	if (!nulls[2])
		values[2] = bytes_of(fcinfo, 3);
	if (!nulls[3])
	{
		values[3] = PG_GETARG_DATUM(4);
		if (!JB_ROOT_IS_OBJECT(DatumGetJsonbP(values[3])))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("headers must be a JSON object")));
		values[3] = PointerGetDatum(PG_DETOAST_DATUM_PACKED(values[3]));
	}
	desc = connect_layout_message_desc();
	event.new_row = connect_layout_pack(desc, values, nulls);
	connect_capture_add(queue, &event);
	PG_RETURN_VOID();
}
