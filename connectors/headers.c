/*
 * headers.c
 *	  Headers of records that come from SQL.
 */
#include "postgres.h"

#include "lib/stringinfo.h"

#include "headers.h"

void
connect_headers_from_jsonb(ConnectRecord *record, Jsonb *headers)
{
	JsonbIterator *it = JsonbIteratorInit(&headers->root);
	JsonbValue	v;
	JsonbIteratorToken token;
	int			max = JsonContainerSize(&headers->root);
	StringInfoData text;

	record->headers = palloc0(sizeof(ConnectHeader) * Max(max, 1));
	while ((token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			record->headers[record->nheaders].name =
				pnstrdup(v.val.string.val, v.val.string.len);
		else if (token == WJB_VALUE)
		{
			ConnectHeader *header = &record->headers[record->nheaders++];

			if (v.type == jbvNull)
				continue;
			header->schema = connect_schema_make(CONNECT_STRING);
			if (v.type == jbvString)
			{
				header->value = connect_value_text(CONNECT_KIND_STRING,
												   v.val.string.val,
												   v.val.string.len);
				continue;
			}
			initStringInfo(&text);
			JsonbToCString(&text, &JsonbValueToJsonb(&v)->root, 0);
			header->value = connect_value_text(CONNECT_KIND_STRING, text.data,
											   text.len);
		}
	}
}
