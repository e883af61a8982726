/*
 * json.c
 *	  Configurations as jsonb, and small readers of jsonb.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/numeric.h"

#include "catalog/json.h"

ConnectConfig *
connect_config_from_jsonb(Jsonb *jb)
{
	ConnectConfig *cfg = connect_config_make();
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue	value;
	char	   *key = NULL;

	if (!JB_ROOT_IS_OBJECT(jb))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a configuration must be a JSON object")));

	it = JsonbIteratorInit(&jb->root);
	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			key = pnstrdup(value.val.string.val, value.val.string.len);
		else if (token == WJB_VALUE)
		{
			if (value.type == jbvBinary)
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("value of \"%s\" must be a string, a number, a boolean or null",
								key)));
			/* jsonb has each key once */
			connect_config_append(cfg, key, connect_json_scalar(&value));
		}
	}
	return cfg;
}

Jsonb *
connect_config_to_jsonb(const ConnectConfig *cfg)
{
	JsonbParseState *state = NULL;
	JsonbValue *result;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < cfg->nentries; i++)
	{
		const ConnectConfigEntry *entry = &cfg->entries[i];
		JsonbValue	key;
		JsonbValue	value;

		key.type = jbvString;
		key.val.string.val = unconstify(char *, entry->key);
		key.val.string.len = strlen(entry->key);
		pushJsonbValue(&state, WJB_KEY, &key);

		value.type = jbvNull;
		if (entry->value != NULL)
		{
			value.type = jbvString;
			value.val.string.val = unconstify(char *, entry->value);
			value.val.string.len = strlen(entry->value);
		}
		pushJsonbValue(&state, WJB_VALUE, &value);
	}
	result = pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	return JsonbValueToJsonb(result);
}

char *
connect_json_scalar(const JsonbValue *value)
{
	switch (value->type)
	{
		case jbvNull:
			return NULL;
		case jbvString:
			return pnstrdup(value->val.string.val, value->val.string.len);
		case jbvBool:
			return pstrdup(value->val.boolean ? "true" : "false");
		case jbvNumeric:
			return DatumGetCString(DirectFunctionCall1(numeric_out,
													   NumericGetDatum(value->val.numeric)));
		default:
			elog(ERROR, "unexpected JSON type %d", (int) value->type);
	}
}

Jsonb *
connect_json_parse(const char *text)
{
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text)));
}

char *
connect_json_text(Jsonb *jb)
{
	return JsonbToCString(NULL, &jb->root, VARSIZE(jb));
}

void
connect_json_string(StringInfo out, const char *value)
{
	if (value == NULL)
		appendStringInfoString(out, "null");
	else
		escape_json(out, value);
}
