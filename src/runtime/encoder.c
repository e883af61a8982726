/*
 * encoder.c
 *	  Records as bytes: see encoder.h.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "runtime/encoder.h"
#include "runtime/errors.h"

#define KEPT_BYTES 1048576		/* larger buffers are not kept */

static bool convert_headers(ConnectEncoder *encoder, ConnectTaskRun *run,
							const ConnectRecord *record);
static bool convert_part(ConnectTaskRun *run, ConnectConverter *converter,
						 ConnectStage stage, const ConnectRecord *record,
						 const char *topic, const ConnectSchema *schema,
						 const ConnectValue *value, StringInfo buf,
						 ConnectBytes *out);

static void
init_buffer(ConnectEncoder *encoder, StringInfo buf)
{
	MemoryContext old = MemoryContextSwitchTo(encoder->context);

	initStringInfo(buf);
	MemoryContextSwitchTo(old);
}

void
connect_encoder_init(ConnectEncoder *encoder, MemoryContext context)
{
	memset(encoder, 0, sizeof(*encoder));
	encoder->context = context;
	init_buffer(encoder, &encoder->key);
	init_buffer(encoder, &encoder->value);
	init_buffer(encoder, &encoder->header_values);
}

static void
reset_buffer(ConnectEncoder *encoder, StringInfo buf)
{
	if (buf->maxlen > KEPT_BYTES)
	{
		pfree(buf->data);
		init_buffer(encoder, buf);
	}
	resetStringInfo(buf);
}

void
connect_encoder_reset(ConnectEncoder *encoder)
{
	reset_buffer(encoder, &encoder->key);
	reset_buffer(encoder, &encoder->value);
	reset_buffer(encoder, &encoder->header_values);
}

bool
connect_encoder_encode(ConnectEncoder *encoder, ConnectTaskRun *run,
					   const ConnectRecord *record, ConnectBytes *key,
					   ConnectBytes *value)
{
	resetStringInfo(&encoder->header_values);
	return (record->nheaders == 0 || convert_headers(encoder, run, record)) &&
		convert_part(run, run->key_converter, CONNECT_STAGE_KEY_CONVERTER,
					 record, record->topic, record->key_schema, &record->key,
					 &encoder->key, key) &&
		convert_part(run, run->value_converter, CONNECT_STAGE_VALUE_CONVERTER,
					 record, record->topic, record->value_schema,
					 &record->value, &encoder->value, value);
}

static bool
convert_headers(ConnectEncoder *encoder, ConnectTaskRun *run,
				const ConnectRecord *record)
{
	ConnectBytes bytes;

	if (record->nheaders > encoder->maxheaders)
	{
		encoder->maxheaders = record->nheaders * 2;
		encoder->headers = MemoryContextAlloc(encoder->context,
											 encoder->maxheaders *
											 sizeof(ConnectKafkaHeader));
	}
	for (int i = 0; i < record->nheaders; i++)
	{
		const ConnectHeader *header = &record->headers[i];
		int			start = encoder->header_values.len;

		if (!convert_part(run, run->header_converter,
						  CONNECT_STAGE_HEADER_CONVERTER, record,
						  header->name, header->schema, &header->value,
						  &encoder->header_values, &bytes))
			return false;
		encoder->headers[i].key = header->name;
		/* The buffer may move yet: the start for now, null apart. */
		encoder->headers[i].value = bytes.data == NULL ? NULL :
			(const void *) (uintptr_t) (start + 1);
		encoder->headers[i].value_len = encoder->header_values.len - start;
	}
	for (int i = 0; i < record->nheaders; i++)
	{
		if (encoder->headers[i].value != NULL)
			encoder->headers[i].value = encoder->header_values.data +
				(uintptr_t) encoder->headers[i].value - 1;
	}
	return true;
}

/* Appends one converted value to buf. */
static bool
convert_part(ConnectTaskRun *run, ConnectConverter *converter,
			 ConnectStage stage, const ConnectRecord *record, const char *topic,
			 const ConnectSchema *schema, const ConnectValue *value,
			 StringInfo buf, ConnectBytes *out)
{
	int			start = buf->len;
	bool		is_null = false;
	ConnectError err;

	if (!converter->cls->from_connect(converter, topic, schema, value, buf,
									  &is_null, &err))
	{
		connect_errors_handle(run, stage, converter->cls->class_name, record,
							  NULL, &err);
		return false;
	}
	out->data = is_null ? NULL : buf->data + start;
	out->len = is_null ? 0 : buf->len - start;
	return true;
}
