/*
 * record.h
 *	  Schemas, values and records: Kafka Connect's data model.
 *
 * NOTES
 *	  Pure code.  A value is a flat cell of 16 bytes; a struct is an array of
 *	  cells beside its schema.  A table row becomes a struct value by one
 *	  conversion a column, straight from the Datum (src/record/row.h, server
 *	  side), without text, and JSON bytes come from the cells.  Cells point into
 *	  the memory that they were made from (the tuple, the message) wherever they
 *	  can: a value lives as long as its batch.
 *
 *	  A schema never changes once built.  Who builds it chooses its memory
 *	  context.  Plans are kept by the schema's id, not its address: an address
 *	  may come again with another schema behind it.
 *
 *	  Text is UTF-8.  Text from JSON may hold lone surrogates, coded as three
 *	  bytes each, because Java's strings may.
 */
#ifndef CONNECT_RECORD_H
#define CONNECT_RECORD_H

#include "pure.h"

typedef struct ConnectSchema ConnectSchema;
typedef struct ConnectValue ConnectValue;

typedef enum ConnectType
{
	CONNECT_INT8,
	CONNECT_INT16,
	CONNECT_INT32,
	CONNECT_INT64,
	CONNECT_FLOAT32,
	CONNECT_FLOAT64,
	CONNECT_BOOLEAN,
	CONNECT_STRING,
	CONNECT_BYTES,
	CONNECT_ARRAY,
	CONNECT_MAP,
	CONNECT_STRUCT
} ConnectType;

/* What the schema's name says of its base type. */
typedef enum ConnectLogical
{
	CONNECT_LOGICAL_NONE,
	CONNECT_LOGICAL_DECIMAL,
	CONNECT_LOGICAL_DATE,
	CONNECT_LOGICAL_TIME,
	CONNECT_LOGICAL_TIMESTAMP
} ConnectLogical;

/* What a cell holds; corresponds to the Java class of a value. */
typedef enum ConnectKind
{
	CONNECT_KIND_NULL = 0,
	CONNECT_KIND_BOOLEAN,		/* i */
	CONNECT_KIND_INT8,			/* i */
	CONNECT_KIND_INT16,			/* i */
	CONNECT_KIND_INT32,			/* i */
	CONNECT_KIND_INT64,			/* i */
	CONNECT_KIND_FLOAT32,		/* d, rounded to single precision */
	CONNECT_KIND_FLOAT64,		/* d */
	CONNECT_KIND_STRING,		/* p, len: UTF-8, not NUL-terminated */
	CONNECT_KIND_BYTES,			/* p, len */
	CONNECT_KIND_BYTEBUFFER,	/* p, len: differs from BYTES only in name */
	CONNECT_KIND_DECIMAL,		/* i unscaled, len = scale: fits 64 bits */
	CONNECT_KIND_BIG_DECIMAL,	/* p, len: text as Java's BigDecimal prints it;
								 * made by decimal.c alone */
	CONNECT_KIND_BIG_INTEGER,	/* p, len: decimal digits; java.math.BigInteger */
	CONNECT_KIND_DATE,			/* i: ms since the epoch; java.util.Date */
	CONNECT_KIND_ARRAY,			/* elems, len elements */
	CONNECT_KIND_MAP,			/* elems, len pairs: key, value, key, value */
	CONNECT_KIND_STRUCT,		/* elems, len fields in schema order; the schema
								 * is the one that goes with the value */
	CONNECT_KIND_NUMBER_TEXT,	/* p, len: a JSON number not yet read; only a
								 * decoder asked for it makes these */
	CONNECT_KIND_JSON_TEXT,		/* p, len: JSON, written as it is where plain
								 * JSON goes, a string elsewhere */
	CONNECT_KIND_CHAR			/* i: java.lang.Character; vectors only */
} ConnectKind;

struct ConnectValue
{
	union
	{
		int64		i;
		double		d;
		const char *p;
		ConnectValue *elems;
	}			u;
	int32		len;
	uint8		kind;			/* ConnectKind */
};

StaticAssertDecl(sizeof(ConnectValue) == 16, "cells are 16 bytes");

typedef struct ConnectParameter
{
	const char *key;
	const char *value;
} ConnectParameter;

typedef struct ConnectField
{
	const char *name;
	int			name_len;
	ConnectSchema *schema;
} ConnectField;

struct ConnectSchema
{
	uint64		id;				/* never used twice in a process */
	ConnectType type;
	ConnectLogical logical;		/* derived from the name */
	bool		has_scale;		/* of a Decimal: the parameter is a number */
	int			scale;
	bool		optional;
	bool		has_default;
	bool		has_version;
	int			version;
	const char *name;			/* NULL = none, likewise below */
	const char *doc;
	int			nparameters;
	ConnectParameter *parameters;
	ConnectValue default_value;
	ConnectSchema *key_schema;	/* of a map; may be NULL */
	ConnectSchema *value_schema;	/* of a map or an array; may be NULL */
	int			nfields;
	ConnectField *fields;
};

typedef struct ConnectHeader
{
	const char *name;
	ConnectSchema *schema;		/* NULL = none */
	ConnectValue value;
} ConnectHeader;

/* Bytes as Kafka has them; data NULL = null. */
typedef struct ConnectBytes
{
	const char *data;
	int			len;
} ConnectBytes;

/*
 * Where a source record comes from: an index into the task's table of source
 * partitions, and up to two numbers that the connector turns into its offset
 * map when, and only when, an offset is stored.
 */
typedef struct ConnectPosition
{
	int32		partition;		/* from connect_task_source_partition(); -1:
								 * no offset is kept */
	int64		a;
	int64		b;
} ConnectPosition;

typedef struct ConnectRecord
{
	const char *topic;
	int32		partition;		/* Kafka partition, -1 = not set */
	int64		timestamp;		/* ms since the epoch, -1 = not set */
	ConnectSchema *key_schema;	/* NULL = schemaless */
	ConnectValue key;
	ConnectSchema *value_schema;
	ConnectValue value;
	int			nheaders;
	ConnectHeader *headers;

	/* source records */
	ConnectPosition position;

	/* sink records: as they were consumed, before any transform */
	const char *origin_topic;
	int32		origin_partition;
	int64		offset;
	int			timestamp_type; /* 0 none, 1 create time, 2 log append time */
	ConnectBytes raw_key;
	ConnectBytes raw_value;
	bool		value_decoded;	/* false: value is still in raw_value alone
								 * (CONNECT_CONNECTOR_RAW_VALUES) */
} ConnectRecord;

#define CONNECT_DECIMAL_NAME	"org.apache.kafka.connect.data.Decimal"
#define CONNECT_DATE_NAME		"org.apache.kafka.connect.data.Date"
#define CONNECT_TIME_NAME		"org.apache.kafka.connect.data.Time"
#define CONNECT_TIMESTAMP_NAME	"org.apache.kafka.connect.data.Timestamp"

/* Plug-ins in other libraries call these. */
#pragma GCC visibility push(default)

/* Schemas (schema.c). */
extern ConnectSchema *connect_schema_make(ConnectType type);
extern ConnectSchema *connect_schema_make_logical(ConnectLogical logical,
												  int scale);
extern ConnectSchema *connect_schema_make_struct(const char *name, int nfields);
extern ConnectSchema *connect_schema_copy(const ConnectSchema *schema);
/* Sets name and derives logical and scale from it and the parameters. */
extern void connect_schema_set_name(ConnectSchema *schema, const char *name);
extern void connect_schema_set_field(ConnectSchema *schema, int i,
									 const char *name, ConnectSchema *field);
extern void connect_schema_add_parameter(ConnectSchema *schema,
										 const char *key, const char *value);
extern const char *connect_schema_parameter(const ConnectSchema *schema,
											const char *key);
/* -1 if there is no such field. */
extern int	connect_schema_field(const ConnectSchema *schema,
								 const char *name, int len);
extern bool connect_schema_equal(const ConnectSchema *a, const ConnectSchema *b);
extern const char *connect_type_name(ConnectType type); /* "INT8" … */

/* Values (value.c). */
static inline ConnectValue
connect_value_null(void)
{
	ConnectValue v = {{0}, 0, CONNECT_KIND_NULL};

	return v;
}

static inline ConnectValue
connect_value_int(ConnectKind kind, int64 i)
{
	ConnectValue v = {{0}, 0, kind};

	v.u.i = i;
	return v;
}

static inline ConnectValue
connect_value_double(ConnectKind kind, double d)
{
	ConnectValue v = {{0}, 0, kind};

	v.u.d = d;
	return v;
}

static inline ConnectValue
connect_value_text(ConnectKind kind, const char *p, int len)
{
	ConnectValue v = {{0}, len, kind};

	v.u.p = p;
	return v;
}

static inline ConnectValue
connect_value_elems(ConnectKind kind, ConnectValue *elems, int len)
{
	ConnectValue v = {{0}, len, kind};

	v.u.elems = elems;
	return v;
}

static inline bool
connect_value_is_null(const ConnectValue *v)
{
	return v->kind == CONNECT_KIND_NULL;
}

extern ConnectValue connect_value_string(const char *cstring);
/* Deep copy into the current memory context. */
extern ConnectValue connect_value_copy(const ConnectValue *v);
extern bool connect_value_equal(const ConnectValue *a, const ConnectValue *b);
/* As Java prints the value's class: "class java.lang.Integer". */
extern const char *connect_value_class(const ConnectValue *v);
/* ConnectSchema.validateValue(): false and *err if v does not fit schema. */
extern bool connect_value_validate(const ConnectSchema *schema,
								   const ConnectValue *v, ConnectError *err);
/* The same for a field, which the message names. */
extern bool connect_value_validate_field(const ConnectField *field,
										 const ConnectValue *v,
										 ConnectError *err);
/* Whether v, not null, is of the class that schema asks for; not deep. */
extern bool connect_value_fits(const ConnectSchema *schema,
							   const ConnectValue *v);
/* Looks a field up in a struct or string-keyed map; NULL if absent. */
extern const ConnectValue *connect_value_field(const ConnectSchema *schema,
											   const ConnectValue *v,
											   const char *name, int len);
/* Java's String.valueOf(): what StringConverter and FileStreamSink write. */
extern void connect_value_append_string(StringInfo buf,
										const ConnectSchema *schema,
										const ConnectValue *v);

/*
 * Decimals (decimal.c): a number is an unscaled integer and a scale, which may
 * be negative; it is exact at any size.
 */
extern ConnectValue connect_decimal_make(int64 unscaled, int scale);
/* The unscaled integer as two's complement, big-endian, no byte too many. */
extern void connect_decimal_append_bytes(StringInfo out, const ConnectValue *v);
/* len > 0. */
extern ConnectValue connect_decimal_from_bytes(const char *data, int len,
											   int scale);
/* From text such as "-12.30" or "1e3"; false if it is no number. */
extern bool connect_decimal_from_text(const char *p, int len, ConnectValue *out);
/* As BigDecimal.toString(): "12.30", "1E+2". */
extern void connect_decimal_append_text(StringInfo buf, const ConnectValue *v);
/* As BigDecimal.toPlainString(): never an exponent. */
extern void connect_decimal_append_plain(StringInfo buf, const ConnectValue *v);
extern int	connect_decimal_scale(const ConnectValue *v);
/* Integer part, modulo 2^64, as BigDecimal.longValue(). */
extern int64 connect_decimal_to_int64(const ConnectValue *v);
extern double connect_decimal_to_double(const ConnectValue *v);
/* The number with another scale; false if digits would be lost. */
extern bool connect_decimal_rescale(const ConnectValue *v, int scale,
									ConnectValue *out);
/* Fills *scale from schema's parameter, or says why it cannot. */
extern bool connect_decimal_schema_scale(const ConnectSchema *schema,
										 int *scale, ConnectError *err);

/* Java's notation of numbers (number.c): "1.0E7". */
extern void connect_double_append_java(StringInfo buf, double d);
extern void connect_float_append_java(StringInfo buf, float f);

#define CONNECT_INT64_TEXT_LEN	21
#define CONNECT_DOUBLE_TEXT_LEN	32

/* The same into a buffer of that many bytes; return the length, no NUL. */
extern int	connect_int64_text(int64 i, char *buf);
extern int	connect_double_text(double d, char *buf);
extern int	connect_float_text(float f, char *buf);

/* Text (utf8.c). */

/* Length of the longest well-formed start of p. */
extern int	connect_utf8_valid_len(const char *p, int len);
/* As Java decodes UTF-8: what is malformed becomes U+FFFD. */
extern void connect_utf8_append_java(StringInfo buf, const char *p, int len);
/* Writes a code point (surrogates too); returns the number of bytes. */
extern int	connect_utf8_put(char *p, uint32 c);

#pragma GCC visibility pop

#endif							/* CONNECT_RECORD_H */
