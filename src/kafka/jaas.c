/*
 * jaas.c
 *	  sasl.jaas.config: what Java clients write where librdkafka has properties.
 *
 * NOTES
 *	  The text is "<login module class> <control flag> key=value …;".  Values
 *	  may be quoted, with backslash escapes.  Messages never show a value.
 */
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef struct JaasOption
{
	const char *module;			/* class name without its package */
	const char *option;
	const char *property;		/* of librdkafka, or NULL: no meaning here */
} JaasOption;

static const JaasOption options[] =
{
	{"PlainLoginModule", "username", "sasl.username"},
	{"PlainLoginModule", "password", "sasl.password"},
	{"ScramLoginModule", "username", "sasl.username"},
	{"ScramLoginModule", "password", "sasl.password"},
	{"OAuthBearerLoginModule", "clientId", "sasl.oauthbearer.client.id"},
	{"OAuthBearerLoginModule", "clientSecret", "sasl.oauthbearer.client.secret"},
	{"OAuthBearerLoginModule", "scope", "sasl.oauthbearer.scope"},
	{"Krb5LoginModule", "principal", "sasl.kerberos.principal"},
	{"Krb5LoginModule", "keyTab", "sasl.kerberos.keytab"},
	{"Krb5LoginModule", "serviceName", "sasl.kerberos.service.name"},
	{"Krb5LoginModule", "useKeyTab", NULL},
	{"Krb5LoginModule", "storeKey", NULL},
	{"Krb5LoginModule", "useTicketCache", NULL},
	{"Krb5LoginModule", "refreshKrb5Config", NULL},
	{"Krb5LoginModule", "doNotPrompt", NULL},
};

/*
 * Next word, quoted or not, or one of = and ;.  Returns its kind: 0 at the
 * end, '=' or ';', 'w' for a word (in out), '!' when it does not fit or a
 * quote is open.
 */
static int
jaas_next(const char **text, char *out, size_t outlen)
{
	const char *next = *text + strspn(*text, " \t\r\n");
	size_t		len = 0;
	char		quote = '\0';

	if (*next == '\0' || *next == '=' || *next == ';')
	{
		*text = *next == '\0' ? next : next + 1;
		return *next;
	}
	if (*next == '"' || *next == '\'')
		quote = *next++;
	for (;;)
	{
		if (quote != '\0' && *next == quote)
		{
			next++;
			break;
		}
		if (*next == '\0')
		{
			if (quote != '\0')
				return '!';
			break;
		}
		if (quote == '\0' && strchr(" \t\r\n=;", *next) != NULL)
			break;
		if (quote != '\0' && *next == '\\' && next[1] != '\0')
			next++;
		if (len + 1 >= outlen)
			return '!';
		out[len++] = *next++;
	}
	out[len] = '\0';
	*text = next;
	return 'w';
}

bool
jaas_apply(PropertySink *sink, const char *value)
{
	char		word[4096];
	char		module[128];
	const char *class_name;
	bool		is_module_known = false;
	int			kind;

	if (jaas_next(&value, word, sizeof(word)) != 'w')
		return property_refuse(sink, "expected: <login module class> required <option>=\"<value>\" …;");
	class_name = strrchr(word, '.');
	snprintf(module, sizeof(module), "%.100s",
			 class_name != NULL ? class_name + 1 : word);
	for (size_t i = 0; i < lengthof(options); i++)
		is_module_known |= strcmp(options[i].module, module) == 0;
	if (!is_module_known)
		return property_refuse(sink, "login module \"%s\" is not supported; known are PlainLoginModule, "
							   "ScramLoginModule, OAuthBearerLoginModule and Krb5LoginModule", module);
	if (jaas_next(&value, word, sizeof(word)) != 'w' ||
		(strcasecmp(word, "required") != 0 && strcasecmp(word, "requisite") != 0 &&
		 strcasecmp(word, "sufficient") != 0 && strcasecmp(word, "optional") != 0))
		return property_refuse(sink, "expected \"required\" after the login module");

	while ((kind = jaas_next(&value, word, sizeof(word))) == 'w')
	{
		char		name[128];
		const JaasOption *option = NULL;
		bool		is_ok;

		snprintf(name, sizeof(name), "%.100s", word);
		if (jaas_next(&value, word, sizeof(word)) != '=' ||
			jaas_next(&value, word, sizeof(word)) != 'w')
			return property_refuse(sink, "option \"%s\" has no value", name);
		for (size_t i = 0; i < lengthof(options); i++)
		{
			if (strcmp(options[i].module, module) == 0 &&
				strcmp(options[i].option, name) == 0)
				option = &options[i];
		}
		if (option == NULL)
		{
			explicit_bzero(word, sizeof(word));
			return property_refuse(sink, "option \"%s\" of login module \"%s\" is not supported",
								   name, module);
		}
		/* Through the allow-list: Kerberos needs rights. */
		is_ok = option->property == NULL ||
			property_apply(sink, option->property, word);
		explicit_bzero(word, sizeof(word));
		if (!is_ok)
			return false;
	}
	if (kind != ';')
		return property_refuse(sink, "expected \";\" at the end");
	/* Two login modules make sense in a server's file only. */
	if (jaas_next(&value, word, sizeof(word)) != 0)
		return property_refuse(sink, "expected nothing after \";\"");
	if (strcmp(module, "OAuthBearerLoginModule") == 0)
		return property_set(sink, "sasl.oauthbearer.method", "oidc");
	return true;
}
