/*
 * letter.c
 *	  connect.dead_letter_def: records that could not be processed.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "catalog/access.h"
#include "catalog/catalog.h"
#include "catalog/json.h"

static Datum bytes_or_null(const ConnectBytes *bytes, char *null);
void
connect_dead_letter_store(int64 connector_id, const ConnectDeadLetter *letter)
{
	static ConnectStatement stmt = {
		"INSERT INTO connect.dead_letter_def (connector_id, task, kafka_topic,"
		" kafka_partition, kafka_offset, kafka_timestamp, key, value, headers,"
		" stage, class_name, message, trace)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
		13, {INT8OID, INT4OID, TEXTOID, INT4OID, INT8OID, INT8OID, BYTEAOID,
		BYTEAOID, JSONBOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID}
	};
	char		nulls[] = "             ";
	Datum		values[] = {
		Int64GetDatum(connector_id),
		Int32GetDatum(letter->task),
		connect_catalog_text_arg(letter->topic, &nulls[2]),
		Int32GetDatum(letter->partition),
		Int64GetDatum(letter->offset),
		Int64GetDatum(letter->timestamp),
		bytes_or_null(&letter->key, &nulls[6]),
		bytes_or_null(&letter->value, &nulls[7]),
		(Datum) 0,
		connect_catalog_text_arg(letter->stage, &nulls[9]),
		connect_catalog_text_arg(letter->class_name, &nulls[10]),
		connect_catalog_text_arg(letter->message, &nulls[11]),
		connect_catalog_text_arg(letter->trace, &nulls[12])
	};

	if (letter->headers_json == NULL)
		nulls[8] = 'n';
	else
		values[8] = JsonbPGetDatum(connect_json_parse(letter->headers_json));
	connect_catalog_execute(&stmt, values, nulls);
}

static Datum
bytes_or_null(const ConnectBytes *bytes, char *null)
{
	if (bytes->data != NULL)
		return PointerGetDatum(cstring_to_text_with_len(bytes->data,
														bytes->len));
	*null = 'n';
	return (Datum) 0;
}
