/*
 * resolve.c
 *	  From the name in an option to the function to be called.
 *
 * NOTES
 *	  A name is schema.function, or schema.function(type, …) where there are
 *	  several of the name.  The schema is required: what an unqualified name
 *	  means depends on a search_path, and on who may create in its schemas.
 *	  Types are compared as text, and so found in no search_path either.
 *
 *	  Runs in the user's backend (validation), in the coordinator and in tasks.
 */
#include "postgres.h"

#include "access/transam.h"
#include "catalog/namespace.h"
#include "catalog/pg_namespace.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/catcache.h"
#include "utils/inval.h"
#include "utils/syscache.h"
#include "utils/varlena.h"

#include "compat.h"
#include "function/function.h"

/* Fills the problem and returns false. */
static bool
problem_set(FunctionProblem *problem, int sqlstate, char *message, char *hint)
{
	problem->sqlstate = sqlstate;
	problem->message = message;
	problem->hint = hint;
	return false;
}

/* Types as they are compared: without blanks, in lower case out of quotes. */
static char *
folded(const char *text)
{
	char	   *result = palloc(strlen(text) + 1);
	char	   *out = result;
	bool		quoted = false;

	for (const char *p = text; *p != '\0'; p++)
	{
		quoted ^= *p == '"';
		if (quoted)
			*out++ = *p;
		else if (!isspace((unsigned char) *p))
			*out++ = pg_tolower((unsigned char) *p);
	}
	*out = '\0';
	return result;
}

/* For people, and to be written into the option: no search_path matters. */
static char *
signature_of(const char *call, Form_pg_proc proc, bool with_pg_catalog)
{
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfo(&buf, "%s(", call);
	for (int i = 0; i < proc->pronargs; i++)
	{
		char	   *type = format_type_be_qualified(proc->proargtypes.values[i]);

		if (!with_pg_catalog && strncmp(type, "pg_catalog.", 11) == 0)
			type += 11;
		appendStringInfo(&buf, "%s%s", i > 0 ? ", " : "", type);
	}
	appendStringInfoChar(&buf, ')');
	return buf.data;
}

/* Does the option's "(type, …)" mean this function? */
static bool
types_match(const char *types, Form_pg_proc proc)
{
	const char *wanted = folded(types);

	return strcmp(wanted, folded(signature_of("", proc, true))) == 0 ||
		strcmp(wanted, folded(signature_of("", proc, false))) == 0;
}

/*
 * Splits the option's value.  *types is "(…)" or NULL.
 */
static bool
split_name(const char *name, char **schema, char **function, char **types)
{
	char	   *copy = pstrdup(name);
	char	   *paren = NULL;
	bool		quoted = false;
	List	   *parts;

	for (char *p = copy; *p != '\0' && paren == NULL; p++)
	{
		if (*p == '"')
			quoted = !quoted;
		else if (*p == '(' && !quoted)
			paren = p;
	}
	*types = NULL;
	if (paren != NULL)
	{
		*types = pstrdup(paren);
		*paren = '\0';
	}
	if (!SplitIdentifierString(copy, '.', &parts) || list_length(parts) > 2)
		return false;
	*schema = list_length(parts) == 2 ? linitial(parts) : NULL;
	*function = llast(parts);
	return true;
}

static bool
refuse_kind(Form_pg_proc proc, const char *signature, FunctionProblem *problem)
{
	const char *kind;
	char	   *hint = "Name a function.";

	switch (proc->prokind)
	{
		case PROKIND_FUNCTION:
			return false;
		case PROKIND_PROCEDURE:
			kind = "a procedure";
			hint = "Make it a function: it runs inside a transaction of the connector and cannot end that.";
			break;
		case PROKIND_AGGREGATE:
			kind = "an aggregate";
			break;
		default:
			kind = "a window function";
			break;
	}
	problem_set(problem, ERRCODE_WRONG_OBJECT_TYPE,
				psprintf("%s is %s", signature, kind), hint);
	return true;
}

bool
connect_function_find(const char *name, const FunctionUse *use,
					  FunctionRef *ref, FunctionProblem *problem)
{
	char	   *schema;
	char	   *function;
	char	   *types;
	Oid			nsp;
	CatCList   *candidates;
	StringInfoData others;
	int			nnamed = 0;
	int			nfit = 0;

	memset(ref, 0, sizeof(*ref));
	if (!split_name(name, &schema, &function, &types))
		return problem_set(problem, ERRCODE_INVALID_NAME,
						   psprintf("\"%s\" is no name of a function", name),
						   "Write schema.function, or schema.function(type, ...) where there are several of the name.");
	if (schema == NULL)
		return problem_set(problem, ERRCODE_INVALID_NAME,
						   psprintf("the function \"%s\" is named without its schema",
									name),
						   psprintf("Write the schema too, such as public.%s.",
									quote_identifier(function)));
	nsp = get_namespace_oid(schema, true);
	ref->call = quote_qualified_identifier(schema, function);
	if (!OidIsValid(nsp))
		return problem_set(problem, ERRCODE_UNDEFINED_SCHEMA,
						   psprintf("function %s does not exist", ref->call),
						   psprintf("There is no schema %s.",
									quote_identifier(schema)));
	if (!connect_may(NamespaceRelationId, nsp, GetUserId(), ACL_USAGE))
		return problem_set(problem, ERRCODE_INSUFFICIENT_PRIVILEGE,
						   psprintf("permission denied for schema %s",
									quote_identifier(schema)),
						   psprintf("GRANT USAGE ON SCHEMA %s TO %s.",
									quote_identifier(schema),
									quote_identifier(GetUserNameFromId(GetUserId(), false))));

	initStringInfo(&others);
	memset(problem, 0, sizeof(*problem));
	candidates = SearchSysCacheList1(PROCNAMEARGSNSP, CStringGetDatum(function));
	for (int i = 0; i < candidates->n_members; i++)
	{
		HeapTuple	tuple = &candidates->members[i]->tuple;
		Form_pg_proc proc = (Form_pg_proc) GETSTRUCT(tuple);
		char	   *signature;
		char	   *hint = NULL;
		char	   *reason;

		if (proc->pronamespace != nsp)
			continue;
		signature = signature_of(ref->call, proc, false);
		if (types != NULL && !types_match(types, proc))
		{
			appendStringInfo(&others, "%s%s", others.len > 0 ? ", " : "",
							 signature);
			continue;
		}
		nnamed++;
		if (refuse_kind(proc, signature, problem))
			continue;
		reason = use->refuse(tuple, &hint);
		if (reason != NULL)
		{
			problem_set(problem, ERRCODE_INVALID_FUNCTION_DEFINITION,
						psprintf("function %s %s", signature, reason),
						hint ? hint : psprintf("Declare it like %s.",
											   use->example));
			continue;
		}
		appendStringInfo(&others, "%s%s", others.len > 0 ? ", " : "", signature);
		if (++nfit > 1)
			continue;
		ref->oid = proc->oid;
		ref->xmin = HeapTupleHeaderGetRawXmin(tuple->t_data);
		ref->tid = tuple->t_self;
		ref->signature = signature;
		ref->nargs = proc->pronargs;
		memcpy(ref->args, proc->proargtypes.values, ref->nargs * sizeof(Oid));
	}
	ReleaseSysCacheList(candidates);

	if (nfit > 1)
		return problem_set(problem, ERRCODE_AMBIGUOUS_FUNCTION,
						   psprintf("function %s is not unique", ref->call),
						   psprintf("Write the one that is meant with its types: %s.",
									others.data));
	if (nnamed == 0)
		return problem_set(problem, ERRCODE_UNDEFINED_FUNCTION,
						   psprintf("function %s%s does not exist", ref->call,
									types ? types : ""),
						   others.len > 0 ? psprintf("There is %s.", others.data) :
						   psprintf("Create it, like %s.", use->example));
	if (nfit == 0)
		return false;
	if (!connect_may(ProcedureRelationId, ref->oid, GetUserId(), ACL_EXECUTE))
		return problem_set(problem, ERRCODE_INSUFFICIENT_PRIVILEGE,
						   psprintf("permission denied for function %s",
									ref->signature),
						   psprintf("GRANT EXECUTE ON FUNCTION %s TO %s.",
									ref->signature,
									quote_identifier(GetUserNameFromId(GetUserId(), false))));
	return true;
}

bool
connect_function_check(const ConnectConfig *cfg, const FunctionUse *use,
					   FunctionRef *ref, ConnectConfigErrors *errors)
{
	const char *name = connect_config_get(cfg, use->option);
	FunctionProblem problem;

	/* That it is missing has been said. */
	if (name == NULL || name[0] == '\0')
		return false;
	if (connect_function_find(name, use, ref, &problem))
		return true;
	connect_config_error_add(errors, use->option,
							 "Invalid value %s for configuration %s: %s. %s",
							 name, use->option, problem.message, problem.hint);
	return false;
}

void
connect_function_raise(const FunctionUse *use, const FunctionProblem *problem)
{
	ereport(ERROR,
			(errcode(problem->sqlstate),
			 errmsg("%s", problem->message),
			 errdetail("It is named by \"%s\".", use->option),
			 errhint("%s", problem->hint)));
}

/* Waits for whoever drops it or has dropped it, and says so. */
static void
lock_function(ConnectTask *task, const FunctionRef *ref)
{
	LOCKTAG		tag;

	SET_LOCKTAG_OBJECT(tag, MyDatabaseId, ProcedureRelationId, ref->oid, 0);
	if (LockAcquire(&tag, AccessShareLock, false, true) == LOCKACQUIRE_NOT_AVAIL)
	{
		connect_task_waiting_for(task, psprintf("lock on function %s",
												ref->signature));
		(void) LockAcquire(&tag, AccessShareLock, false, false);
		connect_task_waiting_for(task, NULL);
	}
	AcceptInvalidationMessages();
}

void
connect_function_open(ConnectTask *task, const char *name,
					  const FunctionUse *use, FunctionRef *ref)
{
	Oid			locked = InvalidOid;

	for (;;)
	{
		FunctionProblem problem;

		if (!connect_function_find(name, use, ref, &problem))
			connect_function_raise(use, &problem);
		if (ref->oid == locked)
			return;
		lock_function(task, ref);
		locked = ref->oid;
	}
}

bool
connect_function_same(const FunctionRef *a, const FunctionRef *b)
{
	return a->oid == b->oid && a->xmin == b->xmin &&
		ItemPointerEquals(unconstify(ItemPointerData *, &a->tid),
						  unconstify(ItemPointerData *, &b->tid));
}
