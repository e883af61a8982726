/*
 * resolve.c
 *	  References in configurations.
 *
 * NOTES
 *	  The grammar is Kafka Connect's: ${provider:[path:]key}, any number in a
 *	  value, no recursion, and what does not resolve stays as written.
 *
 *	  ${secret:name} is for owners with the rights of the secret's owner.
 *	  ${env:NAME} and ${file:path:key} show what the server's operating system
 *	  user can read: they are for members of pg_read_server_files.
 */
#include "postgres.h"

#include <sys/stat.h>

#include "catalog/pg_authid.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "utils/acl.h"

#include "catalog/catalog.h"
#include "catalog/command.h"
#include "catalog/properties.h"
#include "catalog/resolve.h"

#define MAX_FILE_SIZE (1024 * 1024)

typedef enum Provider
{
	PROVIDER_NONE,
	PROVIDER_SECRET,
	PROVIDER_ENV,
	PROVIDER_FILE
} Provider;

/* One reference in a value. */
typedef struct Reference
{
	Provider	provider;
	const char *start;			/* the dollar sign */
	const char *end;			/* behind the closing brace */
	char	   *rest;			/* between the first colon and the brace */
} Reference;

static size_t secret_length_at(const char *text, List *secrets);
static bool next_reference(const char *value, Reference *ref);
static bool resolve_value(const char *value, Oid owner, List **secrets,
						  char **result, ConnectError *err);
static bool resolve_reference(const Reference *ref, Oid owner, char **result,
							  ConnectError *err);
static bool read_file_key(char *rest, char **result, ConnectError *err);
static char *read_properties(const char *path, ConnectError *err);

bool
connect_config_resolve(const ConnectConfig *cfg, Oid owner,
					   ConnectConfig **resolved, ConnectError *err)
{
	List	   *secrets = NIL;

	return connect_config_resolve_masked(cfg, owner, resolved, &secrets, err);
}

bool
connect_config_resolve_masked(const ConnectConfig *cfg, Oid owner,
							  ConnectConfig **resolved, List **secrets,
							  ConnectError *err)
{
	*resolved = connect_config_make();
	for (int i = 0; i < cfg->nentries; i++)
	{
		const ConnectConfigEntry *entry = &cfg->entries[i];
		char	   *value = NULL;

		CHECK_FOR_INTERRUPTS();
		if (entry->value != NULL &&
			!resolve_value(entry->value, owner, secrets, &value, err))
			return false;
		connect_config_append(*resolved, entry->key, value);
	}
	return true;
}

bool
connect_config_has_reference(const char *value)
{
	Reference	ref;

	for (; next_reference(value, &ref); value = ref.end)
	{
		if (ref.provider != PROVIDER_NONE)
			return true;
	}
	return false;
}

char *
connect_mask(const char *text, List *secrets)
{
	StringInfoData out;

	initStringInfo(&out);
	while (*text != '\0')
	{
		size_t		len = secret_length_at(text, secrets);

		if (len > 0)
			appendStringInfoString(&out, "[hidden]");
		else
		{
			len = 1;
			appendStringInfoChar(&out, *text);
		}
		text += len;
	}
	return out.data;
}

/* The longest one counts: another may be its beginning. */
static size_t
secret_length_at(const char *text, List *secrets)
{
	size_t		longest = 0;
	ListCell   *lc;

	foreach(lc, secrets)
	{
		const char *secret = lfirst(lc);
		size_t		len = strlen(secret);

		if (len > longest && strncmp(text, secret, len) == 0)
			longest = len;
	}
	return longest;
}

/* Finds the first ${provider:rest} in value. */
static bool
next_reference(const char *value, Reference *ref)
{
	const char *start = value;

	while ((start = strstr(start, "${")) != NULL)
	{
		const char *brace = strchr(start, '}');
		const char *colon = strchr(start, ':');

		if (brace == NULL)
			return false;
		if (colon != NULL && colon < brace)
		{
			char	   *name = pnstrdup(start + 2, colon - start - 2);

			ref->provider =
				strcmp(name, "secret") == 0 ? PROVIDER_SECRET :
				strcmp(name, "env") == 0 ? PROVIDER_ENV :
				strcmp(name, "file") == 0 ? PROVIDER_FILE : PROVIDER_NONE;
			ref->start = start;
			ref->end = brace + 1;
			ref->rest = pnstrdup(colon + 1, brace - colon - 1);
			return true;
		}
		start = brace + 1;
	}
	return false;
}

static bool
resolve_value(const char *value, Oid owner, List **secrets, char **result,
			  ConnectError *err)
{
	StringInfoData out;
	Reference	ref;

	initStringInfo(&out);
	for (; next_reference(value, &ref); value = ref.end)
	{
		char	   *found = NULL;

		if (!resolve_reference(&ref, owner, &found, err))
			return false;
		appendBinaryStringInfo(&out, value, ref.start - value);
		if (found != NULL)
		{
			*secrets = lappend(*secrets, found);
			appendStringInfoString(&out, found);
		}
		else
			appendBinaryStringInfo(&out, ref.start, ref.end - ref.start);
	}
	appendStringInfoString(&out, value);
	*result = out.data;
	return true;
}

/* *result stays NULL if the reference stays as written. */
static bool
resolve_reference(const Reference *ref, Oid owner, char **result,
				  ConnectError *err)
{
	char	   *value;

	switch (ref->provider)
	{
		case PROVIDER_NONE:
			return true;
		case PROVIDER_SECRET:
			*result = connect_secret_get(ref->rest, owner);
			return true;
		case PROVIDER_ENV:
			if (!has_privs_of_role(owner, ROLE_PG_READ_SERVER_FILES))
				return true;
			value = getenv(ref->rest);
			if (value != NULL && pg_verifymbstr(value, strlen(value), true))
				*result = pstrdup(value);
			return true;
		case PROVIDER_FILE:
			if (!has_privs_of_role(owner, ROLE_PG_READ_SERVER_FILES))
				return true;
			return read_file_key(ref->rest, result, err);
	}
	return true;
}

/* rest is path:key. */
static bool
read_file_key(char *rest, char **result, ConnectError *err)
{
	char	   *colon = strchr(rest, ':');
	char	   *text;

	if (colon == NULL)
		return true;
	*colon = '\0';
	text = read_properties(rest, err);
	*colon = ':';
	if (text == NULL)
		return false;
	*result = connect_properties_get(text, colon + 1);
	return true;
}

static char *
read_properties(const char *path, ConnectError *err)
{
	struct stat st;
	char	   *text = NULL;
	FILE	   *file;
	size_t		len;

	if (stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
		st.st_size <= MAX_FILE_SIZE &&
		(file = AllocateFile(path, PG_BINARY_R)) != NULL)
	{
		text = palloc(MAX_FILE_SIZE + 1);
		len = fread(text, 1, MAX_FILE_SIZE, file);
		text[len] = '\0';
		FreeFile(file);
		if (strlen(text) == len && pg_verifymbstr(text, len, true))
			return text;
	}
	connect_error_set(err, CONNECT_CONFIG_EXCEPTION,
					  "Could not read properties from file %s", path);
	return NULL;
}
