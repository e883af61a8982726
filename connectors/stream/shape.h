/*
 * shape.h
 *	  From a layout to the schemas and plans of its records.
 */
#ifndef CONNECT_SHAPE_H
#define CONNECT_SHAPE_H

#include "record/row.h"
#include "stream/stream.h"

typedef struct ConnectShape
{
	const ConnectLayout *layout;
	const ConnectStream *stream;
	ConnectRowPlan *plan;
	ConnectSchema *key_schema;	/* NULL = the table has no key */
	ConnectSchema *envelope;	/* NULL = plain rows */
	ConnectValue *source;		/* what does not change in the source block */
	Datum	   *values;			/* scratch */
	bool	   *nulls;
} ConnectShape;

extern ConnectShape *connect_shape_make(const ConnectLayout *layout,
										const ConnectStream *stream,
										const char *connector, bool plain);
extern ConnectValue connect_shape_row(ConnectShape *shape,
									  const Datum *values, const bool *nulls);
extern ConnectValue connect_shape_unpack(ConnectShape *shape, const bytea *row);
extern ConnectValue connect_shape_key(const ConnectShape *shape,
									  const ConnectValue *row);
extern ConnectValue connect_shape_envelope(const ConnectShape *shape, char op,
										   const ConnectValue *before,
										   const ConnectValue *after,
										   int64 at_ms, int64 now_ms,
										   uint64 txid);
extern ConnectValue connect_shape_truncate(const ConnectShape *shape,
										   const bytea *table,
										   int64 at_ms, int64 now_ms,
										   uint64 txid);

#endif							/* CONNECT_SHAPE_H */
