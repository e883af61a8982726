/*
 * text.c
 *	  Values as text, as Java's String.valueOf() makes it.
 *
 * NOTES
 *	  This is what StringConverter and file sinks write.  Bytes have no useful
 *	  text in Java (their address); here they are written in base64.
 */
#include "pure.h"

#include "record/record.h"
#include "record/calendar.h"
#include "record/base64.h"

static void
append_elements(StringInfo buf, const ConnectSchema *schema,
				const ConnectValue *v)
{
	const ConnectSchema *elem = schema ? schema->value_schema : NULL;
	const ConnectSchema *key = schema ? schema->key_schema : NULL;

	switch ((ConnectKind) v->kind)
	{
		case CONNECT_KIND_ARRAY:
			appendStringInfoChar(buf, '[');
			for (int i = 0; i < v->len; i++)
			{
				if (i > 0)
					appendStringInfoString(buf, ", ");
				connect_value_append_string(buf, elem, &v->u.elems[i]);
			}
			appendStringInfoChar(buf, ']');
			break;
		case CONNECT_KIND_MAP:
			appendStringInfoChar(buf, '{');
			for (int i = 0; i < v->len; i++)
			{
				if (i > 0)
					appendStringInfoString(buf, ", ");
				connect_value_append_string(buf, key, &v->u.elems[2 * i]);
				appendStringInfoChar(buf, '=');
				connect_value_append_string(buf, elem,
											&v->u.elems[2 * i + 1]);
			}
			appendStringInfoChar(buf, '}');
			break;
		default:
			{
				bool		first = true;

				appendStringInfoString(buf, "Struct{");
				for (int i = 0; i < v->len; i++)
				{
					if (v->u.elems[i].kind == CONNECT_KIND_NULL)
						continue;
					if (!first)
						appendStringInfoChar(buf, ',');
					first = false;
					appendStringInfo(buf, "%s=", schema->fields[i].name);
					connect_value_append_string(buf, schema->fields[i].schema,
												&v->u.elems[i]);
				}
				appendStringInfoChar(buf, '}');
			}
			break;
	}
}

void
connect_value_append_string(StringInfo buf, const ConnectSchema *schema,
							const ConnectValue *v)
{
	char		text[CONNECT_INT64_TEXT_LEN];

	switch ((ConnectKind) v->kind)
	{
		case CONNECT_KIND_NULL:
			appendStringInfoString(buf, "null");
			break;
		case CONNECT_KIND_BOOLEAN:
			appendStringInfoString(buf, v->u.i ? "true" : "false");
			break;
		case CONNECT_KIND_INT8:
		case CONNECT_KIND_INT16:
		case CONNECT_KIND_INT32:
		case CONNECT_KIND_INT64:
			appendBinaryStringInfo(buf, text,
								   connect_int64_text(v->u.i, text));
			break;
		case CONNECT_KIND_FLOAT32:
			connect_float_append_java(buf, (float) v->u.d);
			break;
		case CONNECT_KIND_FLOAT64:
			connect_double_append_java(buf, v->u.d);
			break;
		case CONNECT_KIND_STRING:
		case CONNECT_KIND_BIG_INTEGER:
		case CONNECT_KIND_NUMBER_TEXT:
		case CONNECT_KIND_JSON_TEXT:
			appendBinaryStringInfo(buf, v->u.p, v->len);
			break;
		case CONNECT_KIND_BYTES:
		case CONNECT_KIND_BYTEBUFFER:
			connect_base64_append(buf, v->u.p, v->len);
			break;
		case CONNECT_KIND_DECIMAL:
		case CONNECT_KIND_BIG_DECIMAL:
			connect_decimal_append_text(buf, v);
			break;
		case CONNECT_KIND_DATE:
			connect_date_append_java(buf, v->u.i);
			break;
		case CONNECT_KIND_CHAR:
			enlargeStringInfo(buf, 4);
			buf->len += connect_utf8_put(buf->data + buf->len, v->u.i);
			buf->data[buf->len] = '\0';
			break;
		case CONNECT_KIND_ARRAY:
		case CONNECT_KIND_MAP:
		case CONNECT_KIND_STRUCT:
			append_elements(buf, schema, v);
			break;
	}
}
