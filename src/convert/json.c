/*
 * json.c
 *	  JsonConverter: JSON with or without a schema beside the value.
 *
 * NOTES
 *	  Writers are kept by schema id, schemas that came with messages by their
 *	  text (json_schemas.h); schemas.cache.size bounds both.
 */
#include "pure.h"

#include "convert/convert.h"
#include "convert/json_read.h"
#include "convert/json_schemas.h"
#include "convert/json_write.h"

typedef struct WriterEntry
{
	uint64		schema_id;		/* 0 = free */
	ConnectJsonWriter *writer;
	char	   *prefix;			/* envelope up to the payload, or empty */
	int			prefix_len;
} WriterEntry;

typedef struct JsonConverter
{
	ConnectConverter base;
	ConnectJsonOptions options;
	ConnectSchema *content;		/* schema.content; NULL = none */
	int			cache_size;
	bool		keep_numbers;	/* see connect_json_converter_keep_numbers() */

	/* writing */
	MemoryContext writer_context;	/* reset when there are too many */
	WriterEntry *writers;		/* hash table with linear probing */
	int			nwriters;
	int			maxwriters;		/* a power of 2 */
	ConnectJsonWriter *schemaless;

	/* reading */
	ConnectJsonSchemas *schemas;
} JsonConverter;

static const ConnectConfigKey keys[] = {
	{.name = "schemas.enable",
		.type = CONNECT_CONFIG_BOOLEAN,
		.default_value = "true",
		.importance = CONNECT_IMPORTANCE_HIGH,
		.group = "Schemas",
		.width = CONNECT_WIDTH_MEDIUM,
		.display_name = "Enable Schemas",
	.doc = "Whether each message carries the schema of its value."},
	{.name = "schemas.cache.size",
		.type = CONNECT_CONFIG_INT,
		.default_value = "1000",
		.importance = CONNECT_IMPORTANCE_HIGH,
		.group = "Schemas",
		.order = 1,
		.width = CONNECT_WIDTH_MEDIUM,
		.display_name = "Schema Cache Size",
	.doc = "How many schemas are kept ready."},
	{.name = "decimal.format",
		.type = CONNECT_CONFIG_STRING,
		.default_value = "BASE64",
		.importance = CONNECT_IMPORTANCE_LOW,
		.group = "Serialization",
		.width = CONNECT_WIDTH_MEDIUM,
		.display_name = "Decimal Format",
		.validator = connect_config_one_of_nocase,
		.allowed = (const char *const[]) {"NUMERIC", "BASE64", NULL},
	.doc = "How decimals are written: BASE64 (unscaled bytes) or NUMERIC (a JSON number). Both are read."},
	{.name = "replace.null.with.default",
		.type = CONNECT_CONFIG_BOOLEAN,
		.default_value = "true",
		.importance = CONNECT_IMPORTANCE_LOW,
		.group = "Serialization",
		.order = 1,
		.width = CONNECT_WIDTH_MEDIUM,
		.display_name = "Replace null with default",
	.doc = "Whether a null is replaced by the default of its field."},
	{.name = "schema.content",
		.type = CONNECT_CONFIG_STRING,
		.importance = CONNECT_IMPORTANCE_HIGH,
		.group = "Schemas",
		.order = 2,
		.width = CONNECT_WIDTH_MEDIUM,
		.display_name = "Schema Content",
	.doc = "A schema in JSON that all messages read have; they are payloads without envelope then."},
};

static ConnectConverter *
json_make(const ConnectConverterClass *cls, const ConnectConfig *cfg,
		  ConnectConverterRole role, ConnectError *err)
{
	JsonConverter *self;
	const char *content;
	int64		cache_size;

	if (!connect_config_parse(cfg, &cls->config, err))
		return NULL;
	self = palloc0(sizeof(JsonConverter));
	self->base.cls = cls;
	self->base.role = role;
	self->writer_context = AllocSetContextCreate(CurrentMemoryContext,
												 "Connect JSON writers",
												 ALLOCSET_DEFAULT_SIZES);
	self->options.schemas_enable = connect_config_bool(cfg, &cls->config,
													   "schemas.enable");
	self->options.decimal_numeric =
		pg_strcasecmp(connect_config_string(cfg, &cls->config,
											"decimal.format"),
					  "NUMERIC") == 0;
	self->options.replace_null = connect_config_bool(cfg, &cls->config,
													 "replace.null.with.default");
	cache_size = connect_config_int(cfg, &cls->config, "schemas.cache.size");
	self->cache_size = Max(16, Min(cache_size, 100000));
	self->schemas = connect_json_schemas_make(&self->options,
											  self->cache_size);
	self->schemaless = connect_json_writer_make(NULL, &self->options);

	content = connect_config_string(cfg, &cls->config, "schema.content");
	if (content != NULL && *content != '\0')
	{
		ConnectJsonReader reader;
		ConnectValue node;
		bool		missing;

		connect_json_reader_init(&reader, content, strlen(content),
								 CONNECT_JSON_NUMBER_TEXT, err);
		if (!connect_json_read(&reader, &node, &missing))
		{
			err->message = pstrdup("Failed to parse schema in converter config due to serialization error: ");
			return NULL;
		}
		if (!connect_json_to_schema(&node, &self->options, &self->content,
									err))
			return NULL;
	}
	return &self->base;
}

static WriterEntry *
find_slot(JsonConverter *self, uint64 schema_id)
{
	uint32		i = (uint32) schema_id & (self->maxwriters - 1);

	while (self->writers[i].schema_id != 0 &&
		   self->writers[i].schema_id != schema_id)
		i = (i + 1) & (self->maxwriters - 1);
	return &self->writers[i];
}

static void
clear_writers(JsonConverter *self)
{
	MemoryContextReset(self->writer_context);
	self->nwriters = 0;
	self->maxwriters = 64;
	while (self->maxwriters < self->cache_size * 2)
		self->maxwriters *= 2;
	self->writers = palloc0(self->maxwriters * sizeof(WriterEntry));
}

/* The writer of a schema, made when it comes first; NULL with an error. */
static WriterEntry *
get_writer(JsonConverter *self, const ConnectSchema *schema,
		   ConnectError *err)
{
	WriterEntry *entry = NULL;
	MemoryContext old;
	StringInfoData prefix;

	if (likely(self->writers != NULL))
	{
		entry = find_slot(self, schema->id);
		if (likely(entry->schema_id != 0))
			return entry;
	}

	old = MemoryContextSwitchTo(self->writer_context);
	if (self->writers == NULL || self->nwriters == self->cache_size)
	{
		clear_writers(self);
		entry = find_slot(self, schema->id);
	}
	initStringInfo(&prefix);
	if (self->options.schemas_enable)
	{
		appendStringInfoString(&prefix, "{\"schema\":");
		if (!connect_json_append_schema(&prefix, schema, &self->options, err))
		{
			MemoryContextSwitchTo(old);
			return NULL;
		}
		appendStringInfoString(&prefix, ",\"payload\":");
	}
	entry->writer = connect_json_writer_make(schema, &self->options);
	entry->prefix = prefix.data;
	entry->prefix_len = prefix.len;
	entry->schema_id = schema->id;
	self->nwriters++;
	MemoryContextSwitchTo(old);
	return entry;
}

static bool
json_from_connect(ConnectConverter *base, const char *topic,
				  const ConnectSchema *schema, const ConnectValue *value,
				  StringInfo out, bool *is_null, ConnectError *err)
{
	static const char schemaless_prefix[] = "{\"schema\":null,\"payload\":";
	JsonConverter *self = (JsonConverter *) base;
	ConnectJsonWriter *writer = self->schemaless;
	int			start = out->len;

	*is_null = schema == NULL && value->kind == CONNECT_KIND_NULL;
	if (*is_null)
		return true;
	if (schema != NULL)
	{
		WriterEntry *entry = get_writer(self, schema, err);

		if (entry == NULL)
			return false;
		writer = entry->writer;
		appendBinaryStringInfo(out, entry->prefix, entry->prefix_len);
	}
	else if (self->options.schemas_enable)
		appendBinaryStringInfo(out, schemaless_prefix,
							   sizeof(schemaless_prefix) - 1);
	if (!connect_json_write(writer, value, out, err))
	{
		out->len = start;
		return false;
	}
	if (self->options.schemas_enable)
		appendStringInfoChar(out, '}');
	return true;
}

/* A message that begins like the last one is read on from its payload. */
static bool
read_envelope(JsonConverter *self, ConnectJsonReader *r,
			  ConnectSchema **schema, ConnectValue *value, ConnectError *err)
{
	ConnectValue payload;
	const char *p;

	if (connect_json_schemas_known(self->schemas, r, &p, schema))
	{
		const char *start = r->p;

		r->p = p;
		r->depth = 1;
		if (!connect_json_read_value(r, &payload))
			return false;
		connect_json_skip_blanks(r);
		if (r->p < r->end && *r->p == '}')
			return connect_json_to_value(*schema, &payload, &self->options,
										 value, err);
		/* more members, or an error: for the general way to tell */
		r->p = start;
		r->depth = 0;
		r->nstack = 0;
	}
	return connect_json_schemas_envelope(self->schemas, r, schema, &payload,
										 err) &&
		connect_json_to_value(*schema, &payload, &self->options, value, err);
}

static bool
json_to_connect(ConnectConverter *base, const char *topic,
				const char *data, int len, ConnectSchema **schema,
				ConnectValue *value, ConnectError *err)
{
	JsonConverter *self = (JsonConverter *) base;
	ConnectJsonReader reader;
	bool		missing;

	*schema = NULL;
	*value = connect_value_null();
	if (data == NULL)
		return true;
	connect_json_reader_init(&reader, data, len,
							 self->options.schemas_enable || self->keep_numbers ?
							 CONNECT_JSON_NUMBER_TEXT : 0, err);
	if (!self->options.schemas_enable)
		return connect_json_read(&reader, value, &missing);
	if (self->content != NULL)
	{
		ConnectValue node;

		if (!connect_json_read(&reader, &node, &missing))
			return false;
		*schema = self->content;
		if (missing)
			node = connect_json_missing();
		return connect_json_to_value(self->content, &node, &self->options,
									 value, err);
	}
	return read_envelope(self, &reader, schema, value, err);
}

const ConnectConverterClass connect_json_converter = {
	.class_name = "org.apache.kafka.connect.json.JsonConverter",
	.aliases = (const char *const[]) {"JsonConverter", "Json", NULL},
	.version = CONNECT_CONVERTER_VERSION,
	.doc = "JSON, with the schema in each message or without.",
	.config = {keys, lengthof(keys)},
	.is_converter = true,
	.is_header_converter = true,
	.make = json_make,
	.from_connect = json_from_connect,
	.to_connect = json_to_connect,
};

bool
connect_json_converter_is_plain(const ConnectConverter *converter)
{
	const JsonConverter *self = (const JsonConverter *) converter;

	return converter->cls == &connect_json_converter &&
		!self->options.schemas_enable && self->content == NULL;
}

void
connect_json_converter_keep_numbers(ConnectConverter *converter)
{
	if (converter->cls == &connect_json_converter)
		((JsonConverter *) converter)->keep_numbers = true;
}
