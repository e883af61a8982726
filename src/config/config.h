/*
 * config.h
 *	  Configurations (ordered string maps) and their definitions.
 *
 * NOTES
 *	  Pure code.  A ConnectConfig is what the user wrote: keys and values are
 *	  strings, a value may be null.  A ConnectConfigDef is a table of keys with
 *	  everything that Kafka Connect's definitions carry; it feeds validation,
 *	  SQL, REST and the docs alike.
 */
#ifndef CONNECT_CONFIG_H
#define CONNECT_CONFIG_H

#include "pure.h"

typedef struct ConnectConfigEntry
{
	const char *key;
	const char *value;			/* NULL = JSON null */
} ConnectConfigEntry;

typedef struct ConnectConfig
{
	int			nentries;
	int			maxentries;
	ConnectConfigEntry *entries;	/* in the order written */
} ConnectConfig;

typedef enum ConnectConfigType
{
	CONNECT_CONFIG_BOOLEAN,
	CONNECT_CONFIG_STRING,
	CONNECT_CONFIG_INT,
	CONNECT_CONFIG_SHORT,
	CONNECT_CONFIG_LONG,
	CONNECT_CONFIG_DOUBLE,
	CONNECT_CONFIG_LIST,
	CONNECT_CONFIG_CLASS,
	CONNECT_CONFIG_PASSWORD
} ConnectConfigType;

typedef enum ConnectImportance
{
	CONNECT_IMPORTANCE_HIGH,
	CONNECT_IMPORTANCE_MEDIUM,
	CONNECT_IMPORTANCE_LOW
} ConnectImportance;

typedef enum ConnectWidth
{
	CONNECT_WIDTH_NONE,
	CONNECT_WIDTH_SHORT,
	CONNECT_WIDTH_MEDIUM,
	CONNECT_WIDTH_LONG
} ConnectWidth;

/* One error of one key; a key may have several. */
typedef struct ConnectConfigError
{
	const char *key;
	char	   *message;
} ConnectConfigError;

typedef struct ConnectConfigErrors
{
	int			nerrors;
	int			maxerrors;
	ConnectConfigError *errors;
} ConnectConfigErrors;

typedef struct ConnectConfigKey ConnectConfigKey;

/*
 * Checks one value that has parsed as its type, trimmed.  Returns NULL or the
 * palloc'ed text of what is wrong, in Kafka's words.  value is NULL for null,
 * for a required key that is missing and for a value that did not parse.
 */
typedef char *(*ConnectConfigValidator) (const ConnectConfigKey *key,
										 const char *value);

struct ConnectConfigKey
{
	const char *name;
	ConnectConfigType type;
	const char *default_value;	/* in text; NULL = null unless required */
	bool		required;		/* has no default */
	ConnectImportance importance;
	const char *doc;			/* our own words */
	const char *group;			/* NULL = none */
	int			order;			/* within the group; 0 = none (-1 in REST) */
	ConnectWidth width;
	const char *display_name;	/* NULL = name */
	const char *const *dependents;	/* NULL-terminated, or NULL */
	const char *const *recommended; /* NULL-terminated, or NULL */
	ConnectConfigValidator validator;	/* NULL = none */
	const char *const *allowed; /* for connect_config_one_of(): the values */
	int64		min;			/* for connect_config_at_least() */
	bool		internal;		/* works, but is not shown */
};

typedef struct ConnectConfigDef
{
	const ConnectConfigKey *keys;
	int			nkeys;
} ConnectConfigDef;

/* Plug-ins in other libraries call these. */
#pragma GCC visibility push(default)

/* The map. */
extern ConnectConfig *connect_config_make(void);
extern ConnectConfig *connect_config_copy(const ConnectConfig *cfg);
extern void connect_config_set(ConnectConfig *cfg, const char *key,
							   const char *value);
/* A key that is known not to be there: without a search. */
extern void connect_config_append(ConnectConfig *cfg, const char *key,
								  const char *value);
extern void connect_config_remove(ConnectConfig *cfg, const char *key);
extern bool connect_config_has(const ConnectConfig *cfg, const char *key);
/* NULL if absent or null. */
extern const char *connect_config_get(const ConnectConfig *cfg,
									  const char *key);
/* The entries whose key starts with prefix, prefix taken off. */
extern ConnectConfig *connect_config_with_prefix(const ConnectConfig *cfg,
												 const char *prefix);
extern bool connect_config_equal(const ConnectConfig *a,
								 const ConnectConfig *b);

/*
 * Typed readers for a configuration that has been validated: the definition's
 * default applies when the key is absent.  A value that does not parse is
 * answered with the default: validation has refused it already.
 */
extern const char *connect_config_string(const ConnectConfig *cfg,
										 const ConnectConfigDef *def,
										 const char *key);
extern bool connect_config_bool(const ConnectConfig *cfg,
								const ConnectConfigDef *def, const char *key);
extern int64 connect_config_int(const ConnectConfig *cfg,
								const ConnectConfigDef *def, const char *key);
extern double connect_config_double(const ConnectConfig *cfg,
									const ConnectConfigDef *def,
									const char *key);
/* Comma separated, trimmed; *n elements; the array is NULL-terminated. */
extern char **connect_config_list(const ConnectConfig *cfg,
								  const ConnectConfigDef *def,
								  const char *key, int *n);
extern char **connect_config_split(const char *value, int *n);
/* Is an element there twice? */
extern bool connect_config_has_twins(char **elements, int n);
/* A list as Java prints it, for error texts: "[a, b]". */
extern char *connect_config_list_text(const char *value);

/* Definitions. */
extern const ConnectConfigKey *connect_config_def_key(const ConnectConfigDef *def,
													  const char *name);
/* Checks all keys of def in cfg: missing, malformed, refused by validator. */
extern void connect_config_check(const ConnectConfig *cfg,
								 const ConnectConfigDef *def,
								 ConnectConfigErrors *errors);
/* The same, the first error alone, as a ConfigException. */
extern bool connect_config_parse(const ConnectConfig *cfg,
								 const ConnectConfigDef *def,
								 ConnectError *err);
/* What is wrong with value as a value of the key's type; NULL if nothing. */
extern char *connect_config_parse_error(const ConnectConfigKey *key,
										const char *value);
extern void connect_config_error_add(ConnectConfigErrors *errors,
									 const char *key, const char *fmt,...) pg_attribute_printf(3, 4);

/* Ready validators. */
extern char *connect_config_one_of(const ConnectConfigKey *key, const char *value);
extern char *connect_config_one_of_nocase(const ConnectConfigKey *key, const char *value);
extern char *connect_config_at_least(const ConnectConfigKey *key, const char *value);
extern char *connect_config_non_empty(const ConnectConfigKey *key, const char *value);
/* Not empty and free of control characters: names. */
extern char *connect_config_printable(const ConnectConfigKey *key, const char *value);
/* The text of a validator's refusal: "Invalid value V for configuration K: …". */
extern char *connect_config_invalid(const ConnectConfigKey *key,
									const char *value, const char *reason);

#pragma GCC visibility pop

#endif							/* CONNECT_CONFIG_H */
