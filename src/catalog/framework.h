/*
 * framework.h
 *	  Definitions of the keys that every connector has.
 */
#ifndef CONNECT_FRAMEWORK_H
#define CONNECT_FRAMEWORK_H

#include "config/config.h"

/*
 * Common to all, then what sources or sinks have besides.  Defaults that come
 * from the worker are not filled in.
 */
extern const ConnectConfigDef connect_common_def;
extern const ConnectConfigDef connect_source_def;
extern const ConnectConfigDef connect_sink_def;

/* Keys of one transform or predicate, names without the prefix of its alias. */
extern const ConnectConfigDef connect_transform_head_def;	/* type, version */
extern const ConnectConfigDef connect_transform_tail_def;	/* negate, predicate */
extern const ConnectConfigDef connect_predicate_head_def;	/* type, version */

#endif							/* CONNECT_FRAMEWORK_H */
