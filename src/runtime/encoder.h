/*
 * encoder.h
 *	  Records as bytes: key, value and headers through the task's converters.
 *
 * NOTES
 *	  The buffers gather the bytes of several records until they are reset; they
 *	  may move with each.  Large ones are given back then.
 */
#ifndef CONNECT_ENCODER_H
#define CONNECT_ENCODER_H

#include "postgres.h"

#include "lib/stringinfo.h"

#include "runtime/task.h"

typedef struct ConnectEncoder
{
	MemoryContext context;
	StringInfoData key;			/* of all since the last reset */
	StringInfoData value;
	StringInfoData header_values;	/* of the last record */
	ConnectKafkaHeader *headers;	/* of the last record */
	int			maxheaders;
} ConnectEncoder;

extern void connect_encoder_init(ConnectEncoder *encoder,
								 MemoryContext context);
extern void connect_encoder_reset(ConnectEncoder *encoder);
/*
 * The record's bytes, valid until the next call; its headers are in
 * encoder->headers.  False if the record is to be skipped.
 */
extern bool connect_encoder_encode(ConnectEncoder *encoder, ConnectTaskRun *run,
								   const ConnectRecord *record,
								   ConnectBytes *key, ConnectBytes *value);

#endif							/* CONNECT_ENCODER_H */
