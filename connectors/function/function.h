/*
 * function.h
 *	  Connectors in SQL: a sink that calls a function, a source that asks one.
 *
 * NOTES
 *	  A function is named by an option and looked up again for each call, so
 *	  that one that is replaced, or dropped and made anew, is what is called
 *	  next.  It is called by its schema, name and argument types: no search_path
 *	  and no overload made later changes which one that is.
 *
 *	  From the look-up to the end of the transaction the function is locked
 *	  (AccessShare), as an open table would be: a DROP waits for a batch, a batch
 *	  for a DROP that has not committed.
 */
#ifndef CONNECT_FUNCTION_H
#define CONNECT_FUNCTION_H

#include "connector.h"

#include "access/htup_details.h"
#include "catalog/pg_proc.h"
#include "executor/spi.h"
#include "utils/jsonb.h"

#define FUNCTION_MAX_ARGS 3

/* ---- resolve.c ---- */

/* What an option's function is for. */
typedef struct FunctionUse
{
	const char *option;			/* that names it */
	const char *example;		/* how it would be declared, for hints */
	/* NULL if it can be called so, or what is wrong with it. */
	char	   *(*refuse) (HeapTuple proc, char **hint);
} FunctionUse;

/* A function that was found. */
typedef struct FunctionRef
{
	Oid			oid;
	TransactionId xmin;			/* of its catalog row, and where that is: they */
	ItemPointerData tid;		/* change when it is replaced */
	char	   *call;			/* schema and name, quoted */
	char	   *signature;		/* for people */
	int			nargs;
	Oid			args[FUNCTION_MAX_ARGS];
} FunctionRef;

typedef struct FunctionProblem
{
	int			sqlstate;
	char	   *message;
	char	   *hint;
} FunctionProblem;

/* In a transaction, with the rights of the current user. */
extern bool connect_function_find(const char *name, const FunctionUse *use,
								  FunctionRef *ref, FunctionProblem *problem);
extern void connect_function_raise(const FunctionUse *use,
								   const FunctionProblem *problem) CONNECT_NORETURN;
/* The same for validation: what is wrong becomes an error of the option. */
extern bool connect_function_check(const ConnectConfig *cfg,
								   const FunctionUse *use, FunctionRef *ref,
								   ConnectConfigErrors *errors);
/* The same for a call: locks the function; raises what is wrong. */
extern void connect_function_open(ConnectTask *task, const char *name,
								  const FunctionUse *use, FunctionRef *ref);
/* Are both the same function in the same version? */
extern bool connect_function_same(const FunctionRef *a, const FunctionRef *b);

/* ---- argument.c ---- */

/* argument.form */
typedef enum FunctionForm
{
	FUNCTION_FORM_AUTO,
	FUNCTION_FORM_RECORD,		/* the whole record, by names of its parts */
	FUNCTION_FORM_VALUE			/* the value */
} FunctionForm;

typedef struct FunctionArgument FunctionArgument;

/* NULL, or why records do not go into an argument of this type. */
extern char *connect_function_argument_refuse(Oid type, FunctionForm form,
											  char **hint);
/* connect.record[] */
extern Oid	connect_function_record_array(void);
/*
 * The plan that makes an array of elem, which has not been refused, from
 * records.  plain_json: values that come raw are JSON without schemas.  Made in
 * the current context.
 */
extern FunctionArgument *connect_function_argument_make(Oid elem,
														FunctionForm form,
														bool ignore_unknown,
														bool plain_json);
/* Does the plan still fit its type? */
extern bool connect_function_argument_is_current(const FunctionArgument *argument);
/* One element; an error is the record's: raised, or returned. */
extern bool connect_function_element(FunctionArgument *argument,
									 ConnectTask *task, ConnectRecord *record,
									 Datum *value, bool *isnull,
									 ConnectError *err);
extern Oid	connect_function_array_type(const FunctionArgument *argument);
extern Datum connect_function_array(const FunctionArgument *argument,
									Datum *values, bool *nulls, int n);

/* ---- rows.c ---- */

/* The columns of a source function's result. */
typedef enum FunctionColumn
{
	FUNCTION_COLUMN_VALUE,
	FUNCTION_COLUMN_OFFSET,
	FUNCTION_COLUMN_KEY,
	FUNCTION_COLUMN_TOPIC,
	FUNCTION_COLUMN_PARTITION,
	FUNCTION_COLUMN_HEADERS,
	FUNCTION_COLUMN_TIMESTAMP,
	FUNCTION_NCOLUMNS
} FunctionColumn;

typedef struct FunctionRows FunctionRows;

/* NULL, or why rows of this shape are no records. */
extern char *connect_function_rows_refuse(TupleDesc desc, char **hint);
extern bool connect_function_rows_have(TupleDesc desc, FunctionColumn column);
/*
 * The plan that makes records of rows that have not been refused.  Made in the
 * current context.  plain: for plain JSON.
 */
extern FunctionRows *connect_function_rows_make(TupleDesc desc,
												const char *topic, bool plain);
extern TupleDesc connect_function_rows_desc(const FunctionRows *rows);
/*
 * In a transaction.  Fills record but for its position; raises what is wrong
 * with the row.  *offset: the row's, NULL if it has none.
 */
extern void connect_function_rows_record(FunctionRows *rows,
										 const Datum *values,
										 const bool *isnull,
										 ConnectRecord *record,
										 Jsonb **offset);

/* ---- partitions.c ---- */

extern const FunctionUse connect_function_partitions_use;

/*
 * The source partitions of a configuration as JSON objects, in order, each
 * once; NIL if it names none.  In a transaction.
 */
extern List *connect_function_partitions(const ConnectConfig *cfg);
extern bool connect_function_is_partitioned(const ConnectConfig *cfg);

#endif							/* CONNECT_FUNCTION_H */
