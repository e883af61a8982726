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

#endif							/* CONNECT_FUNCTION_H */
