/*
 * pure.h
 *	  Ground of the code that knows no server.
 *
 * NOTES
 *	  Everything in src/config, src/record, src/convert and src/transform
 *	  includes this file in place of postgres.h, as src/common does in
 *	  PostgreSQL itself.  In the server it compiles against postgres.h: memory
 *	  is palloc'ed in CurrentMemoryContext.  With -DFRONTEND it compiles against
 *	  postgres_fe.h and libpgcommon, so that the same code runs under ASan and
 *	  UBSan in the unit programs.
 *
 *	  Such code never raises: a function that can fail returns false and fills
 *	  a ConnectError.  (palloc may still raise on out of memory.)  It keeps no
 *	  static state but constant tables and the counter of schema ids.
 *
 *	  Memory contexts are the server's.  Stand-alone there is one, malloc's,
 *	  which is never reset; the names below let one text compile both ways.
 */
#ifndef CONNECT_PURE_H
#define CONNECT_PURE_H

#ifdef FRONTEND
#include "postgres_fe.h"
#else
#include "postgres.h"

#include "utils/memutils.h"
#endif

#include "lib/stringinfo.h"

#ifdef FRONTEND
typedef struct ConnectNoContext *MemoryContext;

#define CurrentMemoryContext			((MemoryContext) NULL)
#define ALLOCSET_DEFAULT_SIZES			0
#define ALLOCSET_SMALL_SIZES			0
#define AllocSetContextCreate(parent, name, sizes) ((MemoryContext) (parent))

static inline MemoryContext
MemoryContextSwitchTo(MemoryContext context)
{
	return context;
}

static inline void
MemoryContextReset(MemoryContext context)
{
}
#endif

/* After a declaration; the server's own macro changes its place with 18. */
#define CONNECT_NORETURN __attribute__((noreturn))

/*
 * An error as Kafka Connect words it.  The class is the Java class that the
 * original raises; status views, dead letters and REST answers show it.
 */
typedef struct ConnectError
{
	const char *class_name;		/* never NULL once set; static storage */
	char	   *message;		/* palloc'ed; may be NULL, as in Java */
	const char *cause_class;	/* NULL if there is no cause */
	char	   *cause_message;
	bool		retriable;		/* a RetriableException */
} ConnectError;

#define CONNECT_DATA_EXCEPTION		"org.apache.kafka.connect.errors.DataException"
#define CONNECT_CONNECT_EXCEPTION	"org.apache.kafka.connect.errors.ConnectException"
#define CONNECT_RETRIABLE_EXCEPTION "org.apache.kafka.connect.errors.RetriableException"
#define CONNECT_CONFIG_EXCEPTION	"org.apache.kafka.common.config.ConfigException"
#define CONNECT_SERIALIZATION_EXCEPTION "org.apache.kafka.common.errors.SerializationException"
#define CONNECT_SCHEMA_BUILDER_EXCEPTION "org.apache.kafka.connect.errors.SchemaBuilderException"

/* Plug-ins in other libraries call these. */
#pragma GCC visibility push(default)

/* Fills *err and returns false, so that callers can "return connect_error_set(...)". */
extern bool connect_error_set(ConnectError *err, const char *class_name,
							  const char *fmt,...) pg_attribute_printf(3, 4);
/* Makes what *err holds the cause of a new outer error; returns false. */
extern bool connect_error_wrap(ConnectError *err, const char *class_name,
							   const char *fmt,...) pg_attribute_printf(3, 4);

#pragma GCC visibility pop

#endif							/* CONNECT_PURE_H */
