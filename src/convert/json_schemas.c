/*
 * json_schemas.c
 *	  Schemas that came with JSON messages.
 */
#include "pure.h"

#include "common/hashfn.h"

#include "convert/json_schemas.h"

#define ENVELOPE_ERROR \
	"JsonConverter with schemas.enable requires \"schema\" and \"payload\" fields and may not contain additional fields. If you are trying to deserialize plain JSON data, set schemas.enable=false in your converter configuration."

typedef struct Entry
{
	uint32		hash;
	char	   *text;			/* message up to the payload */
	int			len;
	ConnectSchema *schema;
} Entry;

struct ConnectJsonSchemas
{
	ConnectJsonOptions options;
	MemoryContext context;
	Entry	   *entries;
	int			n;
	int			max;
	Entry	   *last;			/* of the last message; NULL = not kept */
};

ConnectJsonSchemas *
connect_json_schemas_make(const ConnectJsonOptions *options, int max)
{
	ConnectJsonSchemas *schemas = palloc0(sizeof(ConnectJsonSchemas));

	schemas->options = *options;
	schemas->context = CurrentMemoryContext;
	schemas->max = max;
	schemas->entries = palloc(max * sizeof(Entry));
	return schemas;
}

bool
connect_json_schemas_known(const ConnectJsonSchemas *schemas,
						   const ConnectJsonReader *r, const char **payload,
						   ConnectSchema **schema)
{
	const Entry *last = schemas->last;

	if (last == NULL || r->end - r->start <= last->len ||
		memcmp(r->start, last->text, last->len) != 0)
		return false;
	*payload = r->start + last->len;
	*schema = last->schema;
	return true;
}

/* Reads a schema, unless it is known by text. */
static bool
get_schema(ConnectJsonSchemas *schemas, const ConnectValue *node,
		   const char *text, int len, ConnectSchema **schema,
		   ConnectError *err)
{
	uint32		hash = hash_bytes((const unsigned char *) text, len);
	Entry	   *entry;
	MemoryContext old;
	bool		ok;

	for (int i = 0; i < schemas->n; i++)
	{
		entry = &schemas->entries[i];
		if (entry->hash == hash && entry->len == len &&
			memcmp(entry->text, text, len) == 0)
		{
			schemas->last = entry;
			*schema = entry->schema;
			return true;
		}
	}

	/* once where nothing stays if it is bad */
	schemas->last = NULL;
	if (!connect_json_to_schema(node, &schemas->options, schema, err))
		return false;
	if (schemas->n == schemas->max)
		return true;
	old = MemoryContextSwitchTo(schemas->context);
	ok = connect_json_to_schema(node, &schemas->options, schema, err);
	Assert(ok);
	entry = &schemas->entries[schemas->n++];
	entry->hash = hash;
	entry->len = len;
	entry->text = palloc(len);
	memcpy(entry->text, text, len);
	entry->schema = *schema;
	schemas->last = entry;
	MemoryContextSwitchTo(old);
	return ok;
}

static bool
is_text(const ConnectValue *v, const char *text, int len)
{
	return v->len == len && memcmp(v->u.p, text, len) == 0;
}

bool
connect_json_schemas_envelope(ConnectJsonSchemas *schemas,
							  ConnectJsonReader *r, ConnectSchema **schema,
							  ConnectValue *payload, ConnectError *err)
{
	ConnectValue node;
	const ConnectValue *pairs;
	const ConnectValue *schema_node;
	bool		missing;
	int			at;				/* of the schema's pair */

	if (!connect_json_read(r, &node, &missing))
		return false;
	pairs = node.u.elems;
	at = node.kind == CONNECT_KIND_MAP && node.len == 2 &&
		is_text(&pairs[0], "schema", 6) ? 0 : 1;
	if (node.kind != CONNECT_KIND_MAP || node.len != 2 ||
		!is_text(&pairs[2 * at], "schema", 6) ||
		!is_text(&pairs[2 - 2 * at], "payload", 7))
		return connect_error_set(err, CONNECT_DATA_EXCEPTION, ENVELOPE_ERROR);
	schema_node = &pairs[2 * at + 1];
	*payload = pairs[3 - 2 * at];

	/* what stands before the payload tells the schema, if nothing follows */
	if (at == 0 && r->nmembers == 2)
		return get_schema(schemas, schema_node, r->start,
						  r->payload - r->start, schema, err);
	return connect_json_to_schema(schema_node, &schemas->options, schema, err);
}
