/*
 * transforms.h
 *	  Names and options of Kafka Connect's transforms and predicates.
 *
 * NOTES
 *	  Validation answers with them, so that every mistake in a configuration is
 *	  told; records do not pass them: connectors that name any are refused.
 */
#ifndef CONNECT_TRANSFORMS_H
#define CONNECT_TRANSFORMS_H

#include "config/config.h"

typedef struct ConnectTransformClass
{
	const char *class_name;
	ConnectConfigDef config;
} ConnectTransformClass;

typedef struct ConnectTransformKind
{
	const char *list_key;		/* "transforms" */
	const char *group;			/* of keys: "Transforms" */
	const ConnectConfigDef *head;	/* keys of each alias */
	const ConnectConfigDef *tail;	/* keys beside those of its class */
	const ConnectTransformClass *classes;	/* by name */
	int			nclasses;
} ConnectTransformKind;

extern const ConnectTransformKind connect_transforms;
extern const ConnectTransformKind connect_predicates;

/* By the whole name, or what follows its last dot; NULL if unknown. */
extern const ConnectTransformClass *connect_transform_find(const ConnectTransformKind *kind,
														   const char *name);
/* Of all classes, NULL-terminated. */
extern const char *const *connect_transform_names(const ConnectTransformKind *kind);

/*
 * "Name$Key, Name$Value" if name is what these two have in common; else NULL.
 */
extern char *connect_transform_variants(const ConnectTransformKind *kind,
										const char *name);

/* The keys of a class and of its kind, in the order that Connect gives them. */
extern ConnectConfigDef connect_transform_def(const ConnectTransformKind *kind,
											  const ConnectTransformClass *cls);

#endif							/* CONNECT_TRANSFORMS_H */
