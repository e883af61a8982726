/*
 * config.c
 *	  Configurations, their typed readers and their check.
 *
 * NOTES
 *	  Pure code.  The texts of errors are those of Kafka's ConfigDef, which
 *	  clients of the REST interface know.  Maps are searched linearly: a
 *	  configuration has tens of entries and is read at start only.
 */
#include "pure.h"

#include <math.h>

#include "config/config.h"

static const char *effective_value(const ConnectConfig *cfg,
								   const ConnectConfigDef *def,
								   const char *key);
static bool parse_int(const char *value, int64 min, int64 max, int64 *result);
static bool parse_double(const char *value, double *result);
static char *trim(const char *value);

/* What Java's String.trim() takes off. */
static inline bool
is_blank(char c)
{
	return (unsigned char) c <= ' ';
}

/* What \s matches in Java's regular expressions. */
static inline bool
is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

ConnectConfig *
connect_config_make(void)
{
	return palloc0(sizeof(ConnectConfig));
}

ConnectConfig *
connect_config_copy(const ConnectConfig *cfg)
{
	return connect_config_with_prefix(cfg, "");
}

static ConnectConfigEntry *
find_entry(const ConnectConfig *cfg, const char *key)
{
	for (int i = 0; i < cfg->nentries; i++)
	{
		if (strcmp(cfg->entries[i].key, key) == 0)
			return &cfg->entries[i];
	}
	return NULL;
}

/* Key and value are copied; an entry that exists keeps its place. */
void
connect_config_set(ConnectConfig *cfg, const char *key, const char *value)
{
	ConnectConfigEntry *entry = find_entry(cfg, key);

	if (entry == NULL)
		connect_config_append(cfg, key, value);
	else
		entry->value = value ? pstrdup(value) : NULL;
}

void
connect_config_append(ConnectConfig *cfg, const char *key, const char *value)
{
	ConnectConfigEntry *entry;

	if (cfg->nentries == cfg->maxentries)
	{
		cfg->maxentries = Max(16, cfg->maxentries * 2);
		if (cfg->entries == NULL)
			cfg->entries = palloc(cfg->maxentries *
								  sizeof(ConnectConfigEntry));
		else
			cfg->entries = repalloc(cfg->entries,
									cfg->maxentries *
									sizeof(ConnectConfigEntry));
	}
	entry = &cfg->entries[cfg->nentries++];
	entry->key = pstrdup(key);
	entry->value = value ? pstrdup(value) : NULL;
}

void
connect_config_remove(ConnectConfig *cfg, const char *key)
{
	ConnectConfigEntry *entry = find_entry(cfg, key);

	if (entry == NULL)
		return;
	memmove(entry, entry + 1,
			(cfg->entries + cfg->nentries - entry - 1) * sizeof(*entry));
	cfg->nentries--;
}

bool
connect_config_has(const ConnectConfig *cfg, const char *key)
{
	return find_entry(cfg, key) != NULL;
}

const char *
connect_config_get(const ConnectConfig *cfg, const char *key)
{
	ConnectConfigEntry *entry = find_entry(cfg, key);

	return entry ? entry->value : NULL;
}

ConnectConfig *
connect_config_with_prefix(const ConnectConfig *cfg, const char *prefix)
{
	ConnectConfig *result = connect_config_make();
	size_t		len = strlen(prefix);

	for (int i = 0; i < cfg->nentries; i++)
	{
		const ConnectConfigEntry *entry = &cfg->entries[i];

		if (strncmp(entry->key, prefix, len) == 0)
			connect_config_append(result, entry->key + len, entry->value);
	}
	return result;
}

/* The order of entries does not matter. */
bool
connect_config_equal(const ConnectConfig *a, const ConnectConfig *b)
{
	if (a->nentries != b->nentries)
		return false;
	for (int i = 0; i < a->nentries; i++)
	{
		const ConnectConfigEntry *x = &a->entries[i];
		const ConnectConfigEntry *y = find_entry(b, x->key);

		if (y == NULL || (x->value == NULL) != (y->value == NULL))
			return false;
		if (x->value != NULL && strcmp(x->value, y->value) != 0)
			return false;
	}
	return true;
}

const char *
connect_config_string(const ConnectConfig *cfg, const ConnectConfigDef *def,
					  const char *key)
{
	const char *value = effective_value(cfg, def, key);

	return value ? trim(value) : NULL;
}

bool
connect_config_bool(const ConnectConfig *cfg, const ConnectConfigDef *def,
					const char *key)
{
	const char *value = effective_value(cfg, def, key);

	return value != NULL && pg_strcasecmp(trim(value), "true") == 0;
}

int64
connect_config_int(const ConnectConfig *cfg, const ConnectConfigDef *def,
				   const char *key)
{
	const char *value = effective_value(cfg, def, key);
	int64		result;

	if (value == NULL ||
		!parse_int(trim(value), PG_INT64_MIN, PG_INT64_MAX, &result))
		return 0;
	return result;
}

double
connect_config_double(const ConnectConfig *cfg, const ConnectConfigDef *def,
					  const char *key)
{
	const char *value = effective_value(cfg, def, key);
	double		result;

	if (value == NULL || !parse_double(trim(value), &result))
		return 0;
	return result;
}

char	  **
connect_config_list(const ConnectConfig *cfg, const ConnectConfigDef *def,
					const char *key, int *n)
{
	const char *value = effective_value(cfg, def, key);

	return connect_config_split(value ? value : "", n);
}

/*
 * The text that a typed reader reads: what was configured if that is a value
 * of the key's type, else the default.
 */
static const char *
effective_value(const ConnectConfig *cfg, const ConnectConfigDef *def,
				const char *key)
{
	const ConnectConfigEntry *entry = find_entry(cfg, key);
	const ConnectConfigKey *defkey = connect_config_def_key(def, key);

	if (entry == NULL)
		return defkey ? defkey->default_value : NULL;
	if (defkey != NULL && entry->value != NULL &&
		connect_config_parse_error(defkey, entry->value) != NULL)
		return defkey->default_value;
	return entry->value;
}

/*
 * As Kafka: blanks around commas do not count, empty elements do.  NULL is an
 * empty list.
 */
char	  **
connect_config_split(const char *value, int *n)
{
	char	   *text = trim(value ? value : "");
	int			max = 2;
	char	  **result;
	char	   *p;

	*n = 0;
	for (p = text; *p != '\0'; p++)
		max += *p == ',';
	result = palloc0(max * sizeof(char *));
	if (*text == '\0')
		return result;

	p = text;
	for (;;)
	{
		char	   *comma = strchr(p, ',');
		char	   *end = comma ? comma : p + strlen(p);

		if (comma)
		{
			while (end > p && is_space(end[-1]))
				end--;
		}
		result[(*n)++] = pnstrdup(p, end - p);
		if (comma == NULL)
			return result;
		for (p = comma + 1; is_space(*p); p++)
			;
	}
}

static int
compare_elements(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

bool
connect_config_has_twins(char **elements, int n)
{
	char	  **sorted = palloc((n + 1) * sizeof(char *));

	memcpy(sorted, elements, n * sizeof(char *));
	qsort(sorted, n, sizeof(char *), compare_elements);
	for (int i = 1; i < n; i++)
	{
		if (strcmp(sorted[i - 1], sorted[i]) == 0)
			return true;
	}
	return false;
}

char *
connect_config_list_text(const char *value)
{
	StringInfoData buf;
	int			n;
	char	  **elements;

	if (value == NULL)
		return pstrdup("null");
	elements = connect_config_split(value, &n);
	initStringInfo(&buf);
	appendStringInfoChar(&buf, '[');
	for (int i = 0; i < n; i++)
		appendStringInfo(&buf, "%s%s", i > 0 ? ", " : "", elements[i]);
	appendStringInfoChar(&buf, ']');
	return buf.data;
}

const ConnectConfigKey *
connect_config_def_key(const ConnectConfigDef *def, const char *name)
{
	for (int i = 0; i < def->nkeys; i++)
	{
		if (strcmp(def->keys[i].name, name) == 0)
			return &def->keys[i];
	}
	return NULL;
}

/*
 * As in Kafka, a value that does not parse, or is missing, meets the validator
 * as null: a key may get two errors.
 */
void
connect_config_check(const ConnectConfig *cfg, const ConnectConfigDef *def,
					 ConnectConfigErrors *errors)
{
	for (int i = 0; i < def->nkeys; i++)
	{
		const ConnectConfigKey *key = &def->keys[i];
		const ConnectConfigEntry *entry = find_entry(cfg, key->name);
		const char *value = NULL;
		char	   *message = NULL;

		if (entry != NULL)
		{
			value = entry->value;
			message = value ? connect_config_parse_error(key, value) : NULL;
		}
		else if (key->required)
			message = psprintf("Missing required configuration \"%s\" which has no default value.",
							   key->name);
		else
			value = key->default_value;

		if (message != NULL)
		{
			connect_config_error_add(errors, key->name, "%s", message);
			value = NULL;
		}
		if (key->validator != NULL)
		{
			message = key->validator(key, value ? trim(value) : NULL);
			if (message != NULL)
				connect_config_error_add(errors, key->name, "%s", message);
		}
	}
}

bool
connect_config_parse(const ConnectConfig *cfg, const ConnectConfigDef *def,
					 ConnectError *err)
{
	ConnectConfigErrors errors = {0};

	connect_config_check(cfg, def, &errors);
	if (errors.nerrors > 0)
		return connect_error_set(err, CONNECT_CONFIG_EXCEPTION, "%s",
								 errors.errors[0].message);
	return true;
}

void
connect_config_error_add(ConnectConfigErrors *errors, const char *key,
						 const char *fmt,...)
{
	ConnectConfigError *error;
	StringInfoData buf;

	if (errors->nerrors == errors->maxerrors)
	{
		errors->maxerrors = Max(8, errors->maxerrors * 2);
		if (errors->errors == NULL)
			errors->errors = palloc(errors->maxerrors *
									sizeof(ConnectConfigError));
		else
			errors->errors = repalloc(errors->errors, errors->maxerrors *
									  sizeof(ConnectConfigError));
	}
	error = &errors->errors[errors->nerrors++];
	error->key = pstrdup(key);

	initStringInfo(&buf);
	for (;;)
	{
		va_list		args;
		int			needed;

		va_start(args, fmt);
		needed = appendStringInfoVA(&buf, fmt, args);
		va_end(args);
		if (needed == 0)
			break;
		enlargeStringInfo(&buf, needed);
	}
	error->message = buf.data;
}

/* What is wrong with value as a value of the key's type; NULL if nothing. */
char *
connect_config_parse_error(const ConnectConfigKey *key, const char *value)
{
	char	   *text = trim(value);
	const char *type = NULL;
	int64		i;
	double		d;

	switch (key->type)
	{
		case CONNECT_CONFIG_BOOLEAN:
			if (pg_strcasecmp(text, "true") != 0 &&
				pg_strcasecmp(text, "false") != 0)
				return psprintf("Invalid value %s for configuration %s: Expected value to be either true or false",
								value, key->name);
			break;
		case CONNECT_CONFIG_SHORT:
			if (!parse_int(text, PG_INT16_MIN, PG_INT16_MAX, &i))
				type = "SHORT";
			break;
		case CONNECT_CONFIG_INT:
			if (!parse_int(text, PG_INT32_MIN, PG_INT32_MAX, &i))
				type = "INT";
			break;
		case CONNECT_CONFIG_LONG:
			if (!parse_int(text, PG_INT64_MIN, PG_INT64_MAX, &i))
				type = "LONG";
			break;
		case CONNECT_CONFIG_DOUBLE:
			if (!parse_double(text, &d))
				type = "DOUBLE";
			break;
		case CONNECT_CONFIG_STRING:
		case CONNECT_CONFIG_LIST:
		case CONNECT_CONFIG_CLASS:
		case CONNECT_CONFIG_PASSWORD:
			break;
	}
	if (type == NULL)
		return NULL;
	return psprintf("Invalid value %s for configuration %s: Not a number of type %s",
					value, key->name, type);
}

/* As Java's parseLong(): a sign and digits, nothing around them. */
static bool
parse_int(const char *value, int64 min, int64 max, int64 *result)
{
	const char *p = value + (*value == '-' || *value == '+');
	char	   *end;

	if (*p < '0' || *p > '9')
		return false;
	errno = 0;
	*result = strtoi64(value, &end, 10);
	return errno == 0 && *end == '\0' && *result >= min && *result <= max;
}

/* As Java's parseDouble(), hexadecimal notation left out. */
static bool
parse_double(const char *value, double *result)
{
	const char *p = value + (*value == '-' || *value == '+');
	char	   *end;

	if (strcmp(p, "NaN") == 0)
		*result = NAN;
	else if (strcmp(p, "Infinity") == 0)
		*result = *value == '-' ? -INFINITY : INFINITY;
	else if (p[strspn(p, "0123456789.eE+-fFdD")] != '\0' ||
			 strchr("eEfFdD", *p) != NULL)
		return false;
	else
	{
		*result = strtod(value, &end);
		if (end == value)
			return false;
		if (*end != '\0' && strchr("fFdD", *end) != NULL)
			end++;
		return *end == '\0';
	}
	return true;
}

static char *
trim(const char *value)
{
	const char *end = value + strlen(value);

	while (*value != '\0' && is_blank(*value))
		value++;
	while (end > value && is_blank(end[-1]))
		end--;
	return pnstrdup(value, end - value);
}

static char *
join(const char *const *values, bool upper)
{
	StringInfoData buf;

	initStringInfo(&buf);
	for (int i = 0; values[i] != NULL; i++)
	{
		if (i > 0)
			appendStringInfoString(&buf, ", ");
		for (const char *p = values[i]; *p != '\0'; p++)
			appendStringInfoCharMacro(&buf, upper ?
									  pg_ascii_toupper((unsigned char) *p) : *p);
	}
	return buf.data;
}

char *
connect_config_invalid(const ConnectConfigKey *key, const char *value,
					   const char *reason)
{
	return psprintf("Invalid value %s for configuration %s: %s",
					value ? value : "null", key->name, reason);
}

char *
connect_config_one_of(const ConnectConfigKey *key, const char *value)
{
	for (int i = 0; value != NULL && key->allowed[i] != NULL; i++)
	{
		if (strcmp(key->allowed[i], value) == 0)
			return NULL;
	}
	return connect_config_invalid(key, value,
								  psprintf("String must be one of: %s",
										   join(key->allowed, false)));
}

char *
connect_config_one_of_nocase(const ConnectConfigKey *key, const char *value)
{
	for (int i = 0; value != NULL && key->allowed[i] != NULL; i++)
	{
		if (pg_strcasecmp(key->allowed[i], value) == 0)
			return NULL;
	}
	return connect_config_invalid(key, value,
								  psprintf("String must be one of (case insensitive): %s",
										   join(key->allowed, true)));
}

char *
connect_config_at_least(const ConnectConfigKey *key, const char *value)
{
	double		d;

	if (value == NULL)
		return connect_config_invalid(key, value, "Value must be non-null");
	if (parse_double(value, &d) && d < (double) key->min)
		return connect_config_invalid(key, value,
									  psprintf("Value must be at least " INT64_FORMAT,
											   key->min));
	return NULL;
}

char *
connect_config_non_empty(const ConnectConfigKey *key, const char *value)
{
	if (value != NULL && *value == '\0')
		return connect_config_invalid(key, value, "String must be non-empty");
	return NULL;
}

/* The C1 control characters are two bytes in UTF-8: C2 80 to C2 9F. */
char *
connect_config_printable(const ConnectConfigKey *key, const char *value)
{
	StringInfoData found;

	if (value == NULL)
		return NULL;
	if (*value == '\0')
		return connect_config_invalid(key, value, "String may not be empty");
	initStringInfo(&found);
	for (const unsigned char *p = (const unsigned char *) value; *p != '\0'; p++)
	{
		int			c = *p;

		if (c == 0xC2 && p[1] >= 0x80 && p[1] <= 0x9F)
			c = *++p;
		else if (c >= 0x20 && c != 0x7F)
			continue;
		appendStringInfo(&found, "%s%d", found.len > 0 ? ", " : "", c);
	}
	if (found.len == 0)
		return NULL;
	return connect_config_invalid(key, value,
								  psprintf("String may not contain control sequences but had the following ASCII chars: %s",
										   found.data));
}
