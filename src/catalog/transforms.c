/*
 * transforms.c
 *	  Names and options of Kafka Connect's transforms and predicates.
 */
#include "postgres.h"

#include "catalog/framework.h"
#include "catalog/transforms.h"
#include "kafka/kafka.h"

#define TRANSFORM "org.apache.kafka.connect.transforms."
#define PREDICATE "org.apache.kafka.connect.transforms.predicates."

static char *cast_spec(const ConnectConfigKey *key, const char *value);
static char *filled_list(const ConnectConfigKey *key, const char *value);
static char *java_regex(const ConnectConfigKey *key, const char *value);
static char *rename_pairs(const ConnectConfigKey *key, const char *value);
static char *some_list(const ConnectConfigKey *key, const char *value);
static char *text_if_any(const ConnectConfigKey *key, const char *value);

static const char *const path_syntaxes[] = {"V1", "V2", NULL};
static const char *const header_operations[] = {"move", "copy", NULL};
static const char *const time_types[] = {"string", "unix", "Date", "Time", "Timestamp", NULL};
static const char *const time_precisions[] = {"nanoseconds", "microseconds", "milliseconds", "seconds", NULL};

#define REQUIRED(n, t, i, d) \
	.name = n, .type = CONNECT_CONFIG_##t, .required = true, .importance = CONNECT_IMPORTANCE_##i, .doc = d
#define OPTIONAL(n, t, v, i, d) \
	.name = n, .type = CONNECT_CONFIG_##t, .default_value = v, .importance = CONNECT_IMPORTANCE_##i, .doc = d
#define DEFAULTS_FOR_NULLS \
	{OPTIONAL("replace.null.with.default", BOOLEAN, "true", MEDIUM, "Whether a null field counts as its default, if it has one.")}

static const ConnectConfigKey cast_keys[] = {
	{REQUIRED("spec", LIST, HIGH, "Fields and their new types, as field:type, or one type for the whole value."), .validator = cast_spec},
	DEFAULTS_FOR_NULLS
};

static const ConnectConfigKey drop_headers_keys[] = {
	{REQUIRED("headers", LIST, HIGH, "Names of the headers to remove."), .validator = some_list}
};

static const ConnectConfigKey extract_field_keys[] = {
	{REQUIRED("field", STRING, MEDIUM, "The field that takes the place of the whole.")},
	{
		OPTIONAL("field.syntax.version", STRING, "V1", HIGH, "V1: a field's name; V2: a path of names with dots."),
		.validator = connect_config_one_of_nocase, .allowed = path_syntaxes
	},
	DEFAULTS_FOR_NULLS
};

static const ConnectConfigKey flatten_keys[] = {
	{OPTIONAL("delimiter", STRING, ".", MEDIUM, "What stands between the names of nested fields.")}
};

static const ConnectConfigKey header_from_keys[] = {
	{REQUIRED("fields", LIST, HIGH, "Fields whose values become headers."), .validator = filled_list},
	{REQUIRED("headers", LIST, HIGH, "Names of these headers, in the order of the fields."), .validator = filled_list},
	{
		REQUIRED("operation", STRING, HIGH, "move takes the fields out of the record, copy leaves them."),
		.validator = connect_config_one_of, .allowed = header_operations
	},
	DEFAULTS_FOR_NULLS
};

static const ConnectConfigKey hoist_field_keys[] = {
	{REQUIRED("field", STRING, MEDIUM, "Name of the one field that the whole is put into.")}
};

static const ConnectConfigKey insert_field_keys[] = {
	{OPTIONAL("topic.field", STRING, NULL, MEDIUM, "Field for the topic.")},
	{OPTIONAL("partition.field", STRING, NULL, MEDIUM, "Field for the partition.")},
	{OPTIONAL("offset.field", STRING, NULL, MEDIUM, "Field for the offset; in sinks alone.")},
	{OPTIONAL("timestamp.field", STRING, NULL, MEDIUM, "Field for the record's time.")},
	{OPTIONAL("static.field", STRING, NULL, MEDIUM, "Field for a fixed value.")},
	{OPTIONAL("static.value", STRING, NULL, MEDIUM, "That value.")},
	DEFAULTS_FOR_NULLS
};

static const ConnectConfigKey insert_header_keys[] = {
	{REQUIRED("header", STRING, HIGH, "Name of the header.")},
	{REQUIRED("value.literal", STRING, HIGH, "Its value, as SimpleHeaderConverter reads it.")}
};

static const ConnectConfigKey mask_field_keys[] = {
	{REQUIRED("fields", LIST, HIGH, "Fields to mask."), .validator = some_list},
	{OPTIONAL("replacement", STRING, NULL, LOW, "What numbers and texts are replaced by."), .validator = text_if_any},
	DEFAULTS_FOR_NULLS
};

static const ConnectConfigKey regex_router_keys[] = {
	{REQUIRED("regex", STRING, HIGH, "Java regular expression that a topic's name matches as a whole."), .validator = java_regex},
	{REQUIRED("replacement", STRING, HIGH, "The new name, with $1 and so on for groups.")}
};

static const ConnectConfigKey replace_field_keys[] = {
	{OPTIONAL("exclude", LIST, "", MEDIUM, "Fields to leave out; this goes before include.")},
	{OPTIONAL("include", LIST, "", MEDIUM, "Fields to keep; all if empty.")},
	{OPTIONAL("renames", LIST, "", MEDIUM, "New names, as old:new."), .validator = rename_pairs},
	DEFAULTS_FOR_NULLS
};

static const ConnectConfigKey set_schema_keys[] = {
	{OPTIONAL("schema.name", STRING, NULL, HIGH, "Name of the schema.")},
	{OPTIONAL("schema.version", INT, NULL, HIGH, "Version of the schema.")},
	DEFAULTS_FOR_NULLS
};

static const ConnectConfigKey timestamp_converter_keys[] = {
	{OPTIONAL("field", STRING, "", HIGH, "The field with the time; empty: the whole is the time.")},
	{
		REQUIRED("target.type", STRING, HIGH, "What the time becomes: string, unix, Date, Time or Timestamp."),
		.validator = connect_config_one_of, .allowed = time_types
	},
	{OPTIONAL("format", STRING, "", MEDIUM, "Pattern of java.text.SimpleDateFormat, for texts.")},
	{
		OPTIONAL("unix.precision", STRING, "milliseconds", LOW, "Unit of unix times."),
		.validator = connect_config_one_of, .allowed = time_precisions
	},
	DEFAULTS_FOR_NULLS
};

static const ConnectConfigKey timestamp_router_keys[] = {
	{OPTIONAL("topic.format", STRING, "${topic}-${timestamp}", HIGH, "The new name of the topic.")},
	{OPTIONAL("timestamp.format", STRING, "yyyyMMdd", HIGH, "Pattern of java.text.SimpleDateFormat for ${timestamp}.")}
};

static const ConnectConfigKey value_to_key_keys[] = {
	{REQUIRED("fields", LIST, HIGH, "Fields of the value that make the key."), .validator = some_list},
	DEFAULTS_FOR_NULLS
};

static const ConnectConfigKey has_header_keys[] = {
	{REQUIRED("name", STRING, MEDIUM, "Name of the header."), .validator = connect_config_non_empty}
};

static const ConnectConfigKey topic_name_keys[] = {
	{REQUIRED("pattern", STRING, MEDIUM, "Java regular expression that the topic's name matches as a whole."), .validator = java_regex}
};

#define CLASS(name, keys) {name, {keys, lengthof(keys)}}
#define BOTH(name, keys) CLASS(TRANSFORM name "$Key", keys), CLASS(TRANSFORM name "$Value", keys)

static const ConnectTransformClass transforms[] = {
	BOTH("Cast", cast_keys),
	CLASS(TRANSFORM "DropHeaders", drop_headers_keys),
	BOTH("ExtractField", extract_field_keys),
	{TRANSFORM "Filter", {NULL, 0}},
	BOTH("Flatten", flatten_keys),
	BOTH("HeaderFrom", header_from_keys),
	BOTH("HoistField", hoist_field_keys),
	BOTH("InsertField", insert_field_keys),
	CLASS(TRANSFORM "InsertHeader", insert_header_keys),
	BOTH("MaskField", mask_field_keys),
	CLASS(TRANSFORM "RegexRouter", regex_router_keys),
	BOTH("ReplaceField", replace_field_keys),
	BOTH("SetSchemaMetadata", set_schema_keys),
	BOTH("TimestampConverter", timestamp_converter_keys),
	CLASS(TRANSFORM "TimestampRouter", timestamp_router_keys),
	CLASS(TRANSFORM "ValueToKey", value_to_key_keys)
};

static const ConnectTransformClass predicates[] = {
	CLASS(PREDICATE "HasHeaderKey", has_header_keys),
	{PREDICATE "RecordIsTombstone", {NULL, 0}},
	CLASS(PREDICATE "TopicNameMatches", topic_name_keys)
};

static const ConnectConfigDef no_keys = {NULL, 0};

const ConnectTransformKind connect_transforms = {
	"transforms", "Transforms", &connect_transform_head_def,
	&connect_transform_tail_def, transforms, lengthof(transforms)
};
const ConnectTransformKind connect_predicates = {
	"predicates", "Predicates", &connect_predicate_head_def, &no_keys,
	predicates, lengthof(predicates)
};

const ConnectTransformClass *
connect_transform_find(const ConnectTransformKind *kind, const char *name)
{
	for (int i = 0; i < kind->nclasses; i++)
	{
		const char *full = kind->classes[i].class_name;

		if (strcmp(full, name) == 0 || strcmp(strrchr(full, '.') + 1, name) == 0)
			return &kind->classes[i];
	}
	return NULL;
}

const char *const *
connect_transform_names(const ConnectTransformKind *kind)
{
	const char **names = palloc0((kind->nclasses + 1) * sizeof(char *));

	for (int i = 0; i < kind->nclasses; i++)
		names[i] = kind->classes[i].class_name;
	return names;
}

char *
connect_transform_variants(const ConnectTransformKind *kind, const char *name)
{
	const ConnectTransformClass *key = connect_transform_find(kind, psprintf("%s$Key", name));

	return key == NULL ? NULL :
		psprintf("%s, %s", key->class_name, key[1].class_name);
}

/* Keys without a default, then by importance, then by name. */
static int
compare_keys(const void *a, const void *b)
{
	const ConnectConfigKey *x = a;
	const ConnectConfigKey *y = b;

	if (x->required != y->required)
		return x->required ? -1 : 1;
	if (x->importance != y->importance)
		return x->importance < y->importance ? -1 : 1;
	return strcmp(x->name, y->name);
}

ConnectConfigDef
connect_transform_def(const ConnectTransformKind *kind,
					  const ConnectTransformClass *cls)
{
	int			n = cls->config.nkeys + kind->tail->nkeys;
	ConnectConfigKey *keys = palloc((n + 1) * sizeof(ConnectConfigKey));
	ConnectConfigDef def = {keys, n};

	for (int i = 0; i < cls->config.nkeys; i++)
		keys[i] = cls->config.keys[i];
	for (int i = 0; i < kind->tail->nkeys; i++)
		keys[cls->config.nkeys + i] = kind->tail->keys[i];
	qsort(keys, n, sizeof(ConnectConfigKey), compare_keys);
	return def;
}

/* ---- validators ---- */

static char *
some_list(const ConnectConfigKey *key, const char *value)
{
	if (value != NULL && *value != '\0')
		return NULL;
	return psprintf("Configuration '%s' must not be empty. Valid values include: any non-empty value",
					key->name);
}

static char *
filled_list(const ConnectConfigKey *key, const char *value)
{
	if (value != NULL && *value != '\0')
		return NULL;
	return connect_config_invalid(key, value ? "[]" : NULL, "Empty list");
}

static char *
text_if_any(const ConnectConfigKey *key, const char *value)
{
	return value == NULL ? NULL : connect_config_non_empty(key, value);
}

static char *
java_regex(const ConnectConfigKey *key, const char *value)
{
	char		pattern[1024];
	char		reason[512];

	if (value == NULL)
		return connect_config_invalid(key, NULL,
									  "Invalid regex: Cannot invoke \"String.isEmpty()\" because \"this.pattern\" is null");
	if (connect_kafka_regex_translate(value, pattern, sizeof(pattern), reason, sizeof(reason)))
		return NULL;
	return connect_config_invalid(key, value, psprintf("Invalid regex: %s", reason));
}

static char *
rename_pairs(const ConnectConfigKey *key, const char *value)
{
	int			n;
	char	  **pairs = connect_config_split(value ? value : "", &n);

	for (int i = 0; i < n; i++)
	{
		const char *colon = strchr(pairs[i], ':');

		if (colon == NULL || colon[1] == '\0' || strchr(colon + 1, ':') != NULL)
			return connect_config_invalid(key, connect_config_list_text(value),
										  psprintf("Invalid rename mapping: %s", pairs[i]));
	}
	return NULL;
}

static char *
cast_spec(const ConnectConfigKey *key, const char *value)
{
	static const char *const types[] = {
		"INT8", "INT16", "INT32", "INT64", "FLOAT32", "FLOAT64", "BOOLEAN", "STRING"
	};
	int			n;
	char	  **casts = connect_config_split(value ? value : "", &n);
	bool		casts_whole = false;

	if (n == 0)
		return pstrdup("Must specify at least one field to cast.");
	for (int i = 0; i < n; i++)
	{
		const char *colon = strchr(casts[i], ':');
		const char *type = colon != NULL ? colon + 1 : casts[i];
		bool		is_known = false;

		if (strchr(type, ':') != NULL)
			return psprintf("Invalid value %s for configuration renames: Invalid rename mapping: %s",
							connect_config_list_text(value), casts[i]);
		for (int j = 0; j < lengthof(types); j++)
			is_known = is_known || pg_strcasecmp(types[j], type) == 0;
		if (!is_known)
		{
			char	   *upper = pstrdup(type);

			for (char *p = upper; *p != '\0'; p++)
				*p = pg_ascii_toupper((unsigned char) *p);
			return psprintf("Invalid value java.lang.IllegalArgumentException: No enum constant org.apache.kafka.connect.data.Schema.Type.%s for configuration Invalid type found in casting spec: %s",
							upper, type);
		}
		casts_whole = casts_whole || colon == NULL;
	}
	if (casts_whole && n > 1)
		return pstrdup("Cast transformations that specify a type to cast the entire value to may only specify a single cast in their spec");
	return NULL;
}
