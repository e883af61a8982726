/*
 * config.h
 *	  Options of TableStreamSource and OutboxSource.
 */
#ifndef CONNECT_STREAM_CONFIG_H
#define CONNECT_STREAM_CONFIG_H

#include "config/config.h"

/* The arrays stand apart, for the initialisers of the classes. */
#define CONNECT_STREAM_NKEYS 12
#define CONNECT_OUTBOX_NKEYS 4
extern const ConnectConfigKey connect_stream_keys[CONNECT_STREAM_NKEYS];
extern const ConnectConfigKey connect_outbox_keys[CONNECT_OUTBOX_NKEYS];
extern const ConnectConfigDef connect_stream_config;
extern const ConnectConfigDef connect_outbox_config;

extern void connect_stream_validate(const ConnectConfig *cfg,
									ConnectConfigErrors *errors);
/* table.<table>.<option>, or NULL. */
extern const char *connect_stream_option(const ConnectConfig *cfg,
										 const char *table,
										 const char *option);
extern char *connect_stream_topic(const ConnectConfig *cfg, const char *table,
								  const char *schema_name,
								  const char *table_name);
extern bool connect_stream_always(const ConnectConfig *cfg, const char *table);
extern int	connect_stream_operations(const ConnectConfig *cfg,
									  const char *table);

#endif							/* CONNECT_STREAM_CONFIG_H */
