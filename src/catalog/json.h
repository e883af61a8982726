/*
 * json.h
 *	  Configurations as jsonb, and small readers of jsonb.
 */
#ifndef CONNECT_JSON_H
#define CONNECT_JSON_H

#include "postgres.h"

#include "utils/jsonb.h"

#include "config/config.h"

/* An object of scalars; numbers and booleans become their text. */
extern ConnectConfig *connect_config_from_jsonb(Jsonb *jb);
extern Jsonb *connect_config_to_jsonb(const ConnectConfig *cfg);

/* Text of a JSON scalar: strings without quotes, NULL for null. */
extern char *connect_json_scalar(const JsonbValue *value);
extern Jsonb *connect_json_parse(const char *text);
extern char *connect_json_text(Jsonb *jb);
/* Appends a JSON string with its quotes; NULL appends null. */
extern void connect_json_string(StringInfo out, const char *value);

#endif							/* CONNECT_JSON_H */
