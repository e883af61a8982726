/*
 * validate.c
 *	  Checks of whole connector configurations.
 *
 * NOTES
 *	  Texts, their order and the order of keys are those of Kafka Connect's
 *	  validate request: keys without definition that have errors, the
 *	  framework's, those of transforms and predicates by alias, the connector's
 *	  own, those of converters that the connector names, client overrides.
 *	  All errors are found in one pass.  Values that came from references and
 *	  passwords are in no text.
 */
#include "postgres.h"

#include "catalog/pg_authid.h"
#include "miscadmin.h"
#include "utils/acl.h"

#include "catalog/catalog.h"
#include "catalog/framework.h"
#include "catalog/pattern.h"
#include "catalog/resolve.h"
#include "catalog/transforms.h"
#include "catalog/validate.h"
#include "catalog/worker.h"
#include "kafka/kafka.h"

/* State of one validation. */
typedef struct Check
{
	ConnectValidation *result;
	const ConnectConfig *raw;	/* as written */
	const ConnectConfig *cfg;	/* references resolved */
	const ConnectConnectorClass *cls;
	Oid			owner;
	List	   *undefined;		/* ConnectValidatedKey without definition */
	List	   *secrets;		/* texts to mask */
} Check;

/* A converter key of the framework and what belongs to it. */
typedef struct ConverterKey
{
	const char *key;
	const char *prefix;
	const char *version_key;
	ConnectConverterRole role;
} ConverterKey;

static const ConverterKey converter_keys[] = {
	{"header.converter", "header.converter.", "header.converter.plugin.version", CONNECT_CONVERT_HEADER},
	{"key.converter", "key.converter.", "key.converter.plugin.version", CONNECT_CONVERT_KEY},
	{"value.converter", "value.converter.", "value.converter.plugin.version", CONNECT_CONVERT_VALUE}
};

static const char *const no_values[] = {NULL};

static void check_def(Check *check, const ConnectConfigDef *def,
					  const ConnectConfig *cfg, const char *prefix);
static ConnectValidatedKey *add_key(Check *check, const ConnectConfigKey *key);
static void add_group(Check *check, const char *group);
static void add_error(Check *check, const char *key, const char *message);
static ConnectValidatedKey *add_undefined(Check *check, const char *key);
static ConnectValidatedKey *find_key(Check *check, const char *name);
static const char *value_text(const ConnectConfigKey *key, const char *value);
static const ConnectConfigDef *framework_def(const ConnectConnectorClass *cls,
											 const ConnectConfigDef *part);
static bool check_version(Check *check);
static void check_converter_class(Check *check, const ConverterKey *conv);
static void check_converter_keys(Check *check, const ConverterKey *conv);
static void sort_as_map(ConnectConfigKey *keys, int n);
static const char *const *converter_names(bool header);
static int	compare_names(const void *a, const void *b);
static void check_aliases(Check *check, const ConnectTransformKind *kind);
static void check_alias(Check *check, const ConnectTransformKind *kind,
						const ConnectConfig *cfg, const char *prefix,
						const char *alias);
static void check_options(Check *check, const ConnectConfigDef *def,
						  const ConnectConfig *cfg, const char *prefix,
						  const char *group);
static const char *str_replace_alias(const char *text, const char *alias);
static void check_sink(Check *check);
static void check_dead_letters(Check *check, int ntopics, char **topics,
							   const char *regex, const char *pattern);
static void check_source(Check *check);
static void check_overrides(Check *check);
static void check_client(Check *check, const char *prefix, ConnectKafkaRole role);
static void check_nulls(Check *check);
static void finish(Check *check);

ConnectValidation *
connect_config_validate(const ConnectConfig *cfg, Oid owner)
{
	Check		check = {0};
	ConnectConfig *resolved;
	ConnectConfigErrors errors = {0};
	ConnectError err = {0};

	if (!connect_config_resolve_masked(cfg, owner, &resolved, &check.secrets,
									   &err))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s", err.message)));

	check.result = palloc0(sizeof(ConnectValidation));
	check.result->class_name = connect_config_get(cfg, "connector.class");
	/* As written: others look it up in the stored configuration. */
	check.result->cls = check.cls = connect_config_class(cfg);
	check.raw = cfg;
	check.cfg = resolved;
	check.owner = owner;

	add_group(&check, "Common");
	add_group(&check, "Transforms");
	add_group(&check, "Predicates");
	add_group(&check, "Error Handling");
	check_def(&check, framework_def(check.cls, &connect_common_def),
			  resolved, NULL);
	if (!check_version(&check))
	{
		finish(&check);
		return check.result;
	}
	if (check.cls->type == CONNECT_SINK)
	{
		check_def(&check, &connect_sink_def, resolved, NULL);
		check_sink(&check);
	}
	else
	{
		add_group(&check, "Topic Creation");
		add_group(&check, "Exactly Once Support");
		add_group(&check, "offsets.topic");
		check_def(&check, &connect_source_def, resolved, NULL);
		check_source(&check);
	}
	for (int i = 0; i < lengthof(converter_keys); i++)
		check_converter_class(&check, &converter_keys[i]);
	check_aliases(&check, &connect_transforms);
	check_aliases(&check, &connect_predicates);

	check_def(&check, &check.cls->config, resolved, NULL);
	if (check.cls->validate != NULL)
	{
		ConnectRoleScope scope;

		connect_role_enter(&scope, owner);
		check.cls->validate(resolved, &errors);
		connect_role_leave(&scope);
		for (int i = 0; i < errors.nerrors; i++)
			add_error(&check, errors.errors[i].key, errors.errors[i].message);
	}
	for (int i = 0; i < lengthof(converter_keys); i++)
		check_converter_keys(&check, &converter_keys[i]);
	check_overrides(&check);
	check_nulls(&check);
	finish(&check);
	return check.result;
}

void
connect_validation_raise(const ConnectValidation *validation)
{
	StringInfoData text;
	ListCell   *lc;
	ListCell   *lc2;

	if (validation->nerrors == 0 && !validation->has_transforms)
		return;
	if (validation->nerrors == 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("transforms and predicates are not part of this version")));
	initStringInfo(&text);
	foreach(lc, validation->keys)
	{
		ConnectValidatedKey *key = lfirst(lc);

		foreach(lc2, key->errors)
			appendStringInfo(&text, "\n%s", (char *) lfirst(lc2));
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("Connector configuration is invalid and contains the following %d error(s):%s",
					validation->nerrors, text.data),
			 errhint("connect_validate() lists them by key.")));
}

bool
connect_validation_is_secret(const ConnectValidation *validation,
							 const char *key)
{
	ListCell   *lc;

	foreach(lc, validation->keys)
	{
		ConnectValidatedKey *entry = lfirst(lc);

		if (entry->key != NULL && strcmp(entry->name, key) == 0)
			return entry->key->type == CONNECT_CONFIG_PASSWORD;
	}
	return false;
}

const ConnectConnectorClass *
connect_config_class(const ConnectConfig *cfg)
{
	const char *name = connect_config_get(cfg, "connector.class");
	const ConnectConnectorClass *cls;
	const ConnectConnectorClass *const *all;
	StringInfoData names;
	int			n;

	if (name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("Connector config contains no connector type"),
				 errhint("Set \"connector.class\".")));
	cls = connect_connector_find(name);
	if (cls != NULL)
		return cls;

	initStringInfo(&names);
	all = connect_connector_all(&n);
	for (int i = 0; i < n; i++)
	{
		if (!(all[i]->flags & CONNECT_CONNECTOR_HIDDEN))
			appendStringInfo(&names, "%s%s", names.len > 0 ? ", " : "",
							 all[i]->class_name);
	}
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("Failed to find any class that implements Connector and which name matches %s, available connectors are: %s",
					name, names.data)));
}

List *
connect_plugin_keys(const ConnectConnectorClass *cls)
{
	const ConnectConfigDef *parts[] = {
		&cls->config,
		framework_def(cls, &connect_common_def),
		cls->type == CONNECT_SINK ? &connect_sink_def : &connect_source_def
	};
	List	   *result = NIL;

	for (int i = 0; i < lengthof(parts); i++)
	{
		for (int j = 0; j < parts[i]->nkeys; j++)
		{
			const ConnectConfigKey *key = &parts[i]->keys[j];

			if (key->internal ||
				(i > 0 && connect_config_def_key(&cls->config, key->name)))
				continue;
			result = lappend(result, unconstify(ConnectConfigKey *, key));
		}
	}
	return result;
}

const char *
connect_config_type_name(ConnectConfigType type)
{
	static const char *const names[] = {
		[CONNECT_CONFIG_BOOLEAN] = "BOOLEAN",
		[CONNECT_CONFIG_STRING] = "STRING",
		[CONNECT_CONFIG_INT] = "INT",
		[CONNECT_CONFIG_SHORT] = "SHORT",
		[CONNECT_CONFIG_LONG] = "LONG",
		[CONNECT_CONFIG_DOUBLE] = "DOUBLE",
		[CONNECT_CONFIG_LIST] = "LIST",
		[CONNECT_CONFIG_CLASS] = "CLASS",
		[CONNECT_CONFIG_PASSWORD] = "PASSWORD"
	};

	return names[type];
}

const char *
connect_importance_name(ConnectImportance importance)
{
	static const char *const names[] = {
		[CONNECT_IMPORTANCE_HIGH] = "HIGH",
		[CONNECT_IMPORTANCE_MEDIUM] = "MEDIUM",
		[CONNECT_IMPORTANCE_LOW] = "LOW"
	};

	return names[importance];
}

const char *
connect_width_name(ConnectWidth width)
{
	static const char *const names[] = {
		[CONNECT_WIDTH_NONE] = "NONE",
		[CONNECT_WIDTH_SHORT] = "SHORT",
		[CONNECT_WIDTH_MEDIUM] = "MEDIUM",
		[CONNECT_WIDTH_LONG] = "LONG"
	};

	return names[width];
}

/*
 * Checks cfg against def and adds def's keys to the answer, named with prefix.
 * Errors name the key without it, as Connect's do.
 */
static void
check_def(Check *check, const ConnectConfigDef *def,
		  const ConnectConfig *cfg, const char *prefix)
{
	for (int i = 0; i < def->nkeys; i++)
	{
		ConnectConfigKey *key = palloc(sizeof(ConnectConfigKey));
		ConnectConfigDef one = {&def->keys[i], 1};
		ConnectConfigErrors errors = {0};
		ConnectValidatedKey *entry;
		const char *value = connect_config_get(cfg, def->keys[i].name);

		*key = def->keys[i];
		if (prefix != NULL)
		{
			if (key->display_name == NULL)
				key->display_name = key->name;
			key->name = psprintf("%s%s", prefix, key->name);
		}
		if (find_key(check, key->name) != NULL)
			continue;			/* the framework's stands */
		if (key->type == CONNECT_CONFIG_PASSWORD && value != NULL)
			check->secrets = lappend(check->secrets, pstrdup(value));

		connect_config_check(cfg, &one, &errors);
		if (key->internal && errors.nerrors == 0 &&
			key->type != CONNECT_CONFIG_PASSWORD)
			continue;
		entry = add_key(check, key);
		if (!connect_config_has(cfg, def->keys[i].name))
			value = key->default_value;
		if (value != NULL &&
			connect_config_parse_error(&def->keys[i], value) == NULL)
			entry->value = value_text(key, value);
		for (int j = 0; j < errors.nerrors; j++)
			entry->errors = lappend(entry->errors, errors.errors[j].message);
	}
}

static ConnectValidatedKey *
add_key(Check *check, const ConnectConfigKey *key)
{
	ConnectValidatedKey *entry = palloc0(sizeof(ConnectValidatedKey));

	entry->name = key->name;
	entry->key = key;
	entry->recommended = key->recommended ? key->recommended : no_values;
	entry->visible = true;
	check->result->keys = lappend(check->result->keys, entry);
	if (key->group != NULL)
		add_group(check, key->group);
	return entry;
}

static void
add_group(Check *check, const char *group)
{
	ListCell   *lc;

	foreach(lc, check->result->groups)
	{
		if (strcmp(lfirst(lc), group) == 0)
			return;
	}
	check->result->groups = lappend(check->result->groups, pstrdup(group));
}

static ConnectValidatedKey *
find_key(Check *check, const char *name)
{
	ListCell   *lc;

	foreach(lc, check->result->keys)
	{
		ConnectValidatedKey *entry = lfirst(lc);

		if (strcmp(entry->name, name) == 0)
			return entry;
	}
	foreach(lc, check->undefined)
	{
		ConnectValidatedKey *entry = lfirst(lc);

		if (strcmp(entry->name, name) == 0)
			return entry;
	}
	return NULL;
}

static void
add_error(Check *check, const char *key, const char *message)
{
	ConnectValidatedKey *entry = find_key(check, key);

	if (entry == NULL)
		entry = add_undefined(check, key);
	entry->errors = lappend(entry->errors, pstrdup(message));
}

static ConnectValidatedKey *
add_undefined(Check *check, const char *key)
{
	ConnectValidatedKey *entry = palloc0(sizeof(ConnectValidatedKey));

	entry->name = pstrdup(key);
	entry->value = connect_config_get(check->cfg, key);
	entry->recommended = no_values;
	entry->visible = true;
	check->undefined = lappend(check->undefined, entry);
	return entry;
}

/* A value as Connect prints it back once it has parsed. */
static const char *
value_text(const ConnectConfigKey *key, const char *value)
{
	ConnectConfig *cfg = connect_config_make();
	ConnectConfigDef def = {key, 1};
	StringInfoData buf;
	char	  **elems;
	int			n;

	connect_config_set(cfg, key->name, value);
	switch (key->type)
	{
		case CONNECT_CONFIG_PASSWORD:
			return "[hidden]";
		case CONNECT_CONFIG_BOOLEAN:
			return connect_config_bool(cfg, &def, key->name) ? "true" : "false";
		case CONNECT_CONFIG_SHORT:
		case CONNECT_CONFIG_INT:
		case CONNECT_CONFIG_LONG:
			return psprintf(INT64_FORMAT,
							connect_config_int(cfg, &def, key->name));
		case CONNECT_CONFIG_LIST:
			initStringInfo(&buf);
			elems = connect_config_split(value, &n);
			for (int i = 0; i < n; i++)
				appendStringInfo(&buf, "%s%s", i > 0 ? "," : "", elems[i]);
			return buf.data;
		default:
			return connect_config_string(cfg, &def, key->name);
	}
}

/* The framework's keys with what is known only now: versions, converters. */
static const ConnectConfigDef *
framework_def(const ConnectConnectorClass *cls, const ConnectConfigDef *part)
{
	ConnectConfigKey *keys = palloc(part->nkeys * sizeof(ConnectConfigKey));
	ConnectConfigDef *def = palloc(sizeof(ConnectConfigDef));
	ConnectConfig *worker = connect_worker_config();

	memcpy(keys, part->keys, part->nkeys * sizeof(ConnectConfigKey));
	for (int i = 0; i < part->nkeys; i++)
	{
		ConnectConfigKey *key = &keys[i];

		if (strcmp(key->name, "connector.plugin.version") == 0)
		{
			const char **versions = palloc0(2 * sizeof(char *));

			versions[0] = key->default_value = cls->version;
			key->recommended = versions;
		}
		for (int j = 0; j < lengthof(converter_keys); j++)
		{
			const ConverterKey *conv = &converter_keys[j];

			if (strcmp(key->name, conv->key) == 0)
			{
				key->default_value = connect_config_get(worker, conv->key);
				key->recommended =
					converter_names(conv->role == CONNECT_CONVERT_HEADER);
			}
		}
	}
	def->keys = keys;
	def->nkeys = part->nkeys;
	return def;
}

/* False: there is no such version, and nothing else can be said. */
static bool
check_version(Check *check)
{
	const char *wanted = connect_config_get(check->cfg,
											"connector.plugin.version");
	char	   *message;

	if (wanted == NULL || connect_version_matches(check->cls->version, wanted))
		return true;
	message = psprintf("Plugin %s not found that matches the version range %s, available versions: [%s]",
					   connect_config_get(check->cfg, "connector.class"),
					   strpbrk(wanted, "[(") != NULL ? wanted :
					   psprintf("[%s,%s]", wanted, wanted),
					   check->cls->version);
	add_error(check, "connector.class", message);
	add_error(check, "connector.plugin.version", message);

	/* Nor is it known which converters that version would find. */
	for (int i = 0; i < lengthof(converter_keys); i++)
	{
		ConnectValidatedKey *entry = find_key(check, converter_keys[i].key);

		entry->value = NULL;
		entry->recommended = no_values;
		find_key(check, converter_keys[i].version_key)->visible = false;
	}
	return false;
}

/* The class that a converter key names, and its version. */
static void
check_converter_class(Check *check, const ConverterKey *conv)
{
	ConnectValidatedKey *entry = find_key(check, conv->key);
	ConnectValidatedKey *version = find_key(check, conv->version_key);
	bool		header = conv->role == CONNECT_CONVERT_HEADER;
	const char *wanted = connect_config_get(check->cfg, conv->version_key);
	ConnectConfigKey *version_key = palloc(sizeof(ConnectConfigKey));
	const ConnectConverterClass *cls;

	if (entry->value == NULL)
		return;
	cls = connect_converter_find(entry->value);
	if (cls != NULL && (header ? cls->is_header_converter : cls->is_converter))
	{
		const char **versions = palloc0(2 * sizeof(char *));

		entry->value = cls->class_name;
		*version_key = *version->key;
		versions[0] = version_key->default_value = cls->version;
		version_key->recommended = versions;
		version->key = version_key;
		version->recommended = versions;
		if (wanted == NULL)
			version->value = cls->version;
		else if (!connect_version_matches(cls->version, wanted))
			add_error(check, conv->version_key,
					  psprintf("Plugin %s not found that matches the version range %s, available versions: [%s]",
							   cls->class_name, wanted, cls->version));
	}
	else if (cls != NULL || connect_connector_find(entry->value) != NULL)
		add_error(check, conv->key,
				  psprintf("Class class %s does not implement the %s interface",
						   entry->value,
						   header ? "HeaderConverter" : "Converter"));
	else
	{
		add_error(check, conv->key,
				  psprintf("Invalid value %s for configuration %s: Class %s could not be found.",
						   entry->value, conv->key, entry->value));
		entry->value = NULL;
		version->visible = false;
	}
}

/* The options of a converter that the connector itself names. */
static void
check_converter_keys(Check *check, const ConverterKey *conv)
{
	const char *name = connect_config_get(check->cfg, conv->key);
	const ConnectConverterClass *cls = name ? connect_converter_find(name) : NULL;
	static const char *const types[] = {
		[CONNECT_CONVERT_KEY] = "key",
		[CONNECT_CONVERT_VALUE] = "value",
		[CONNECT_CONVERT_HEADER] = "header"
	};
	/* The framework sets it; Connect lists it all the same. */
	static const ConnectConfigKey type_key = {
		.name = "converter.type", .type = CONNECT_CONFIG_STRING,
		.required = true, .importance = CONNECT_IMPORTANCE_LOW,
		.doc = "What the converter is used for: key, value or header."
	};
	ConnectConfig *cfg;
	ConnectConfigKey *keys;
	ConnectConfigDef def = {0};

	if (cls == NULL || find_key(check, conv->key)->errors != NIL)
		return;
	cfg = connect_config_with_prefix(check->cfg, conv->prefix);
	def.keys = keys = palloc((cls->config.nkeys + 1) * sizeof(ConnectConfigKey));
	if (cls->is_converter)
	{
		connect_config_set(cfg, type_key.name, types[conv->role]);
		keys[def.nkeys++] = type_key;
	}
	for (int i = 0; i < cls->config.nkeys; i++)
		keys[def.nkeys++] = cls->config.keys[i];
	sort_as_map(keys, def.nkeys);
	check_def(check, &def, cfg, conv->prefix);
}

/* Where a text lands in a java.util.HashMap of that many slots. */
static uint32
map_slot(const char *text, uint32 nslots)
{
	uint32		hash = 0;

	for (; *text != '\0'; text++)
		hash = hash * 31 + (unsigned char) *text;
	return (hash ^ hash >> 16) & (nslots - 1);
}

/* Connect answers with these keys in the order of a Java map. */
static void
sort_as_map(ConnectConfigKey *keys, int n)
{
	uint32		nslots = 16;

	while (n * 4 > nslots * 3)
		nslots *= 2;
	for (int i = 1; i < n; i++)
	{
		ConnectConfigKey key = keys[i];
		int			j = i;

		for (; j > 0 && map_slot(keys[j - 1].name, nslots) > map_slot(key.name, nslots); j--)
			keys[j] = keys[j - 1];
		keys[j] = key;
	}
}

static const char *const *
converter_names(bool header)
{
	int			n;
	const ConnectConverterClass *const *all = connect_converter_all(&n);
	const char **names = palloc0((n + 1) * sizeof(char *));
	int			m = 0;

	for (int i = 0; i < n; i++)
	{
		if (header ? all[i]->is_header_converter : all[i]->is_converter)
			names[m++] = all[i]->class_name;
	}
	qsort(names, m, sizeof(char *), compare_names);
	return names;
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* Keys of each alias in a list of transforms or predicates. */
static void
check_aliases(Check *check, const ConnectTransformKind *kind)
{
	const char *value = connect_config_get(check->cfg, kind->list_key);
	int			n;
	char	  **aliases = connect_config_split(value ? value : "", &n);

	for (int i = 0; i < n; i++)
	{
		char	   *prefix = psprintf("%s.%s.", kind->list_key, aliases[i]);
		ConnectConfig *cfg = connect_config_with_prefix(check->cfg, prefix);

		check->result->has_transforms = true;
		if (find_key(check, psprintf("%stype", prefix)) != NULL)
			continue;			/* listed twice: that is an error already */
		check_alias(check, kind, cfg, prefix, aliases[i]);
		if (kind->tail->nkeys > 0 && connect_config_has(cfg, "negate") &&
			!connect_config_has(cfg, "predicate"))
			add_error(check, psprintf("%stype", prefix),
					  psprintf("Config '%snegate' was provided but there is no config '%spredicate' defining a predicate to be negated.",
							   prefix, prefix));
	}
}

/* The keys of one alias: those that all have, then those of its class. */
static void
check_alias(Check *check, const ConnectTransformKind *kind,
			const ConnectConfig *cfg, const char *prefix, const char *alias)
{
	int			nkeys = kind->head->nkeys;
	ConnectConfigKey *keys = palloc(nkeys * sizeof(ConnectConfigKey));
	ConnectConfigDef def = {keys, nkeys};
	char	   *group = psprintf("%s: %s", kind->group, alias);
	char	   *type_key = psprintf("%stype", prefix);
	const char *type = connect_config_get(cfg, "type");
	const ConnectTransformClass *cls = type ? connect_transform_find(kind, type) : NULL;
	char	   *variants = type ? connect_transform_variants(kind, type) : NULL;
	ConnectConfigDef options;

	for (int i = 0; i < nkeys; i++)
	{
		keys[i] = kind->head->keys[i];
		if (strcmp(keys[i].name, "type") == 0)
			keys[i].recommended = connect_transform_names(kind);
		else if (cls != NULL)
		{
			const char **versions = palloc0(2 * sizeof(char *));

			versions[0] = keys[i].default_value = CONNECT_KAFKA_VERSION;
			keys[i].recommended = versions;
		}
		keys[i].name = psprintf("%s%s", prefix, keys[i].name);
		keys[i].doc = str_replace_alias(keys[i].doc, alias);
		keys[i].display_name = str_replace_alias(keys[i].display_name, alias);
		keys[i].group = group;
	}
	check_def(check, &def, check->cfg, NULL);
	if (cls != NULL)
	{
		find_key(check, type_key)->value = cls->class_name;
		options = connect_transform_def(kind, cls);
		check_options(check, &options, cfg, prefix, group);
	}
	else if (variants != NULL)
		add_error(check, type_key,
				  psprintf("This class is abstract and cannot be created. Did you mean %s?",
						   variants));
	else if (type != NULL)
	{
		add_error(check, type_key,
				  psprintf("Invalid value %s for configuration %s: Class %s could not be found.",
						   type, type_key, type));
		find_key(check, type_key)->value = NULL;
	}
}

/*
 * What is missing or malformed is told with the whole key, what a validator
 * refuses with the key as the class knows it.
 */
static void
check_options(Check *check, const ConnectConfigDef *def,
			  const ConnectConfig *cfg, const char *prefix, const char *group)
{
	for (int i = 0; i < def->nkeys; i++)
	{
		ConnectConfigKey *key = palloc(sizeof(ConnectConfigKey));
		ConnectConfigDef whole = {key, 1};
		ConnectConfigDef one = {&def->keys[i], 1};
		ConnectConfigErrors errors = {0};
		ConnectValidatedKey *entry;
		int			nformat;

		*key = def->keys[i];
		key->name = psprintf("%s%s", prefix, key->name);
		key->display_name = def->keys[i].name;
		key->group = group;
		key->order = i + 2;
		key->validator = NULL;
		check_def(check, &whole, check->cfg, NULL);
		entry = find_key(check, key->name);
		nformat = list_length(entry->errors);
		connect_config_check(cfg, &one, &errors);
		for (int j = nformat; j < errors.nerrors; j++)
			entry->errors = lappend(entry->errors, errors.errors[j].message);
	}
}

/* Text with %s replaced by the alias. */
static const char *
str_replace_alias(const char *text, const char *alias)
{
	const char *mark = strstr(text, "%s");

	return psprintf("%.*s%s%s", (int) (mark - text), text, alias, mark + 2);
}

static void
check_sink(Check *check)
{
	const char *topics = connect_config_get(check->cfg, "topics");
	const char *regex = connect_config_get(check->cfg, "topics.regex");
	bool		has_topics = topics != NULL && *topics != '\0';
	bool		has_regex = regex != NULL && *regex != '\0';
	char		pattern[1024] = "";
	char		reason[512];
	char	  **names;
	int			n;

	if (has_topics == has_regex)
	{
		const char *message = has_topics ?
			"topics and topics.regex are mutually exclusive options, but both are set." :
			"Must configure one of topics or topics.regex";

		add_error(check, "topics", message);
		add_error(check, "topics.regex", message);
		return;
	}
	if (has_regex &&
		!connect_kafka_regex_translate(regex, pattern, sizeof(pattern),
									   reason, sizeof(reason)))
	{
		add_error(check, "topics.regex",
				  psprintf("Invalid value %s for configuration topics.regex: Invalid regex: %s",
						   regex, reason));
		return;
	}
	names = connect_config_split(has_topics ? topics : "", &n);
	if (connect_config_has_twins(names, n))
	{
		add_error(check, "topics",
				  "Configuration 'topics' values must not be duplicated.");
		return;
	}
	check_dead_letters(check, n, names, regex, pattern);
}

/* A sink must not read the topic of its own dead letters. */
static void
check_dead_letters(Check *check, int ntopics, char **topics,
				   const char *regex, const char *pattern)
{
	const char *letters = connect_config_get(check->cfg,
											 "errors.deadletterqueue.topic.name");

	if (letters == NULL || *letters == '\0')
		return;
	for (int i = 0; i < ntopics; i++)
	{
		if (strcmp(topics[i], letters) == 0)
			add_error(check, "topics",
					  psprintf("The DLQ topic '%s' may not be included in the list of topics ('topics=%s') consumed by the connector",
							   letters,
							   connect_config_list_text(connect_config_get(check->cfg, "topics"))));
	}
	if (*pattern != '\0' && connect_pattern_matches(pattern, letters))
		add_error(check, "topics.regex",
				  psprintf("The DLQ topic '%s' may not be matched by the regex for the topics ('topics.regex=%s') consumed by the connector",
						   letters, regex));
}

static void
check_source(Check *check)
{
	const char *boundary = connect_config_get(check->cfg,
											  "transaction.boundary");
	const char *support = connect_config_get(check->cfg,
											 "exactly.once.support");

	if (support != NULL && pg_strcasecmp(support, "required") == 0)
		add_error(check, "exactly.once.support",
				  "This worker does not have exactly-once source support enabled.");
	if (boundary != NULL && pg_strcasecmp(boundary, "connector") == 0)
		add_error(check, "transaction.boundary",
				  "The connector does not support connector-defined transaction boundaries with the given configuration. Please reconfigure it to use a different transaction boundary definition.");
}

/* Client properties of the clients that the connector uses. */
static void
check_overrides(Check *check)
{
	bool		is_sink = check->cls->type == CONNECT_SINK;
	const char *letters = connect_config_get(check->cfg,
											 "errors.deadletterqueue.topic.name");
	bool		has_letters = letters != NULL && *letters != '\0';
	bool		creates = connect_config_with_prefix(check->cfg, "topic.creation.")->nentries > 0;
	const char *own_group = connect_config_get(check->cfg,
											   "consumer.override.group.id");
	const char *group = connect_config_get(connect_worker_config(), "group.id");

	if (is_sink && own_group != NULL)
	{
		ConnectValidatedKey *entry = add_undefined(check, "consumer.override.group.id");

		if (group != NULL && strcmp(group, own_group) == 0)
			entry->errors = list_make1(psprintf("Consumer group %s conflicts with Connect worker group %s",
												own_group, group));
	}
	if (!is_sink || has_letters)
		check_client(check, "producer.override.", CONNECT_KAFKA_PRODUCER);
	if (is_sink ? has_letters : creates)
		check_client(check, "admin.override.", CONNECT_KAFKA_ADMIN);
	if (is_sink)
		check_client(check, "consumer.override.", CONNECT_KAFKA_CONSUMER);
}

static void
check_client(Check *check, const char *prefix, ConnectKafkaRole role)
{
	ConnectConfig *cfg = connect_config_with_prefix(check->cfg, prefix);
	bool		files = has_privs_of_role(check->owner,
										  ROLE_PG_READ_SERVER_FILES);
	ConnectConfigKey *names = palloc0((cfg->nentries + 1) * sizeof(ConnectConfigKey));

	for (int i = 0; i < cfg->nentries; i++)
		names[i].name = cfg->entries[i].key;
	sort_as_map(names, cfg->nentries);
	for (int i = 0; i < cfg->nentries; i++)
	{
		const char *name = names[i].name;
		const char *value = connect_config_get(cfg, name);
		ConnectConfigKey *key = palloc0(sizeof(ConnectConfigKey));
		ConnectValidatedKey *entry;
		char		reason[512];

		if (value == NULL)
			continue;
		key->name = psprintf("%s%s", prefix, name);
		key->type = connect_kafka_property_is_secret(name) ?
			CONNECT_CONFIG_PASSWORD : CONNECT_CONFIG_STRING;
		key->importance = CONNECT_IMPORTANCE_LOW;
		key->doc = "Property of the Kafka client.";
		entry = add_key(check, key);
		entry->value = value_text(key, value);
		if (key->type == CONNECT_CONFIG_PASSWORD)
			check->secrets = lappend(check->secrets, pstrdup(value));
		if (!connect_worker_allows_override(name))
			entry->errors = list_make1(psprintf("The '%s' policy does not allow '%s' to be overridden in the connector configuration.",
												connect_config_get(connect_worker_config(),
																   "connector.client.config.override.policy"),
												name));
		else if (!connect_kafka_property_check(name, value, role, files,
											   reason, sizeof(reason)))
			entry->errors = list_make1(psprintf("Invalid value %s for configuration %s: %s",
												value, name, reason));
	}
}

/* A key without definition must not be null. */
static void
check_nulls(Check *check)
{
	for (int i = 0; i < check->cfg->nentries; i++)
	{
		const ConnectConfigEntry *entry = &check->cfg->entries[i];
		ConnectValidatedKey *known = find_key(check, entry->key);

		CHECK_FOR_INTERRUPTS();
		if (entry->value == NULL && (known == NULL || known->key == NULL))
			add_error(check, entry->key,
					  "Null value can not be supplied as the configuration value.");
	}
}

/* Puts keys without definition first, masks secrets, counts errors. */
static void
finish(Check *check)
{
	ConnectValidation *result = check->result;
	ListCell   *lc;
	ListCell   *lc2;
	const char *raw;

	result->keys = list_concat(check->undefined, result->keys);
	foreach(lc, result->keys)
	{
		ConnectValidatedKey *entry = lfirst(lc);

		result->nerrors += list_length(entry->errors);
		foreach(lc2, entry->errors)
			lfirst(lc2) = connect_mask(lfirst(lc2), check->secrets);
		raw = connect_config_get(check->raw, entry->name);
		if (entry->value != NULL && raw != NULL &&
			connect_config_has_reference(raw))
			entry->value = connect_mask(entry->value, check->secrets);
	}
}
