/*
 * headers.h
 *	  Headers of records that come from SQL.
 */
#ifndef CONNECT_HEADERS_H
#define CONNECT_HEADERS_H

#include "postgres.h"

#include "utils/jsonb.h"

#include "record/record.h"

/*
 * The members of a JSON object as the record's headers: strings, other values
 * as their JSON text.  Made in the current context; texts point into headers.
 */
extern void connect_headers_from_jsonb(ConnectRecord *record, Jsonb *headers);

#endif							/* CONNECT_HEADERS_H */
