/*
 * validate.h
 *	  Checks of whole connector configurations.
 */
#ifndef CONNECT_VALIDATE_H
#define CONNECT_VALIDATE_H

#include "postgres.h"

#include "nodes/pg_list.h"

#include "config/config.h"
#include "connector.h"

/* One key of the answer. */
typedef struct ConnectValidatedKey
{
	const char *name;
	const ConnectConfigKey *key;	/* NULL = no definition */
	const char *value;			/* as it was understood; secrets hidden */
	const char *const *recommended; /* NULL-terminated */
	List	   *errors;			/* of texts */
	bool		visible;
} ConnectValidatedKey;

typedef struct ConnectValidation
{
	const char *class_name;		/* as written */
	const ConnectConnectorClass *cls;
	List	   *groups;			/* of texts */
	List	   *keys;			/* of ConnectValidatedKey, in Connect's order */
	int			nerrors;
	bool		has_transforms; /* or predicates, which cannot be run yet */
} ConnectValidation;

/*
 * Checks cfg as it would run with owner's rights.  Raises if it names no class
 * or one that is not known.
 */
extern ConnectValidation *connect_config_validate(const ConnectConfig *cfg,
												  Oid owner);
/* Raises one error with all that is wrong, if anything is. */
extern void connect_validation_raise(const ConnectValidation *validation);

/* Is this key's value a password, as far as the validation knows the key? */
extern bool connect_validation_is_secret(const ConnectValidation *validation,
										 const char *key);

/* The class that a configuration names; raises if there is none. */
extern const ConnectConnectorClass *connect_config_class(const ConnectConfig *cfg);

/* What a plugin's own definitions and the framework's say, for listings. */
extern List *connect_plugin_keys(const ConnectConnectorClass *cls); /* of ConnectConfigKey */

extern const char *connect_config_type_name(ConnectConfigType type);
extern const char *connect_importance_name(ConnectImportance importance);
extern const char *connect_width_name(ConnectWidth width);

#endif							/* CONNECT_VALIDATE_H */
