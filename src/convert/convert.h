/*
 * convert.h
 *	  Converters: Connect values to Kafka bytes and back.
 *
 * NOTES
 *	  Pure code.  A converter is an instance made from its configuration; it
 *	  belongs to one task and is used by it alone.  It may cache plans by schema
 *	  address in the memory context that it was made in.
 */
#ifndef CONNECT_CONVERT_H
#define CONNECT_CONVERT_H

#include "config/config.h"
#include "record/record.h"

typedef struct ConnectConverter ConnectConverter;
typedef struct ConnectConverterClass ConnectConverterClass;

/* Kafka's release that the converters behave like. */
#define CONNECT_CONVERTER_VERSION	"4.3.1"

typedef enum ConnectConverterRole
{
	CONNECT_CONVERT_KEY,
	CONNECT_CONVERT_VALUE,
	CONNECT_CONVERT_HEADER
} ConnectConverterRole;

struct ConnectConverterClass
{
	const char *class_name;		/* the Java class it stands for */
	const char *const *aliases; /* other names; NULL-terminated or NULL */
	const char *version;
	const char *doc;
	ConnectConfigDef config;
	bool		is_converter;
	bool		is_header_converter;

	/*
	 * cfg has the prefix taken off.  NULL and *err if it is refused.  The
	 * result is palloc'ed in the current context and starts with a
	 * ConnectConverter.
	 */
	ConnectConverter *(*make) (const ConnectConverterClass *cls,
							   const ConnectConfig *cfg,
							   ConnectConverterRole role, ConnectError *err);

	/*
	 * Appends to *out; sets *is_null instead for a null (tombstone).  topic
	 * may matter to converters with a registry.
	 */
	bool		(*from_connect) (ConnectConverter *self, const char *topic,
								 const ConnectSchema *schema,
								 const ConnectValue *value,
								 StringInfo out, bool *is_null,
								 ConnectError *err);

	/* data NULL = null.  The value may point into data. */
	bool		(*to_connect) (ConnectConverter *self, const char *topic,
							   const char *data, int len,
							   ConnectSchema **schema, ConnectValue *value,
							   ConnectError *err);
};

struct ConnectConverter
{
	const ConnectConverterClass *cls;
	ConnectConverterRole role;
};

/* By Java class name, simple name or alias; NULL if unknown. */
extern const ConnectConverterClass *connect_converter_find(const char *name);
extern const ConnectConverterClass *const *connect_converter_all(int *n);
/* While the server starts; false: there is no room for more. */
extern bool connect_converter_add(const ConnectConverterClass *cls);

/* Plain JSON without envelope: for a connector that names no converter. */
extern const ConnectConverterClass connect_json_converter;
/* Is it that converter, and are its messages without schemas? */
extern bool connect_json_converter_is_plain(const ConnectConverter *converter);
/*
 * From now on such numbers stay as they are written (CONNECT_KIND_NUMBER_TEXT),
 * for sinks that store them exactly.  Other converters are left as they are.
 */
extern void connect_json_converter_keep_numbers(ConnectConverter *converter);
extern const ConnectConverterClass connect_string_converter;
extern const ConnectConverterClass connect_bytes_converter;
extern const ConnectConverterClass connect_simple_header_converter;

#endif							/* CONNECT_CONVERT_H */
