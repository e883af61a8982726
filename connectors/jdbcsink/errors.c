/*
 * errors.c
 *	  Whose fault an error is, by SQLSTATE.
 *
 * NOTES
 *	  The record's: class 21 (cardinality violation), 22 (data exception), 23
 *	  (integrity constraint violation), 44 (WITH CHECK OPTION violation) and
 *	  P0001 (a trigger's or function's RAISE).  These alone follow
 *	  errors.tolerance: a full disk or a lock timeout never discards a record.
 *
 *	  Passing: 08 (connection), 40 (rollback: deadlock, serialization), 53
 *	  (resources: disk full, out of memory), 55 (object state: lock timeout), 57
 *	  (operator intervention), 58 (I/O).  The whole batch is tried again.
 *
 *	  While a value is read, what its type's input function says in other words
 *	  is the record's too: no such table (regclass), a syntax error (jsonpath,
 *	  ltree), an internal error (hstore until 16, PostGIS).
 *
 *	  All others, 42 (no such column, no privilege), 25 and XX among them, fail
 *	  the task: the next record would meet the same.
 */
#include "postgres.h"

#include "jdbcsink/errors.h"

static bool
in_class(int sqlstate, const char *class_code)
{
	return ERRCODE_TO_CATEGORY(sqlstate) ==
		MAKE_SQLSTATE(class_code[0], class_code[1], '0', '0', '0');
}

JdbcFault
connect_jdbcsink_fault(int sqlstate)
{
	static const char *const record[] = {"21", "22", "23", "44"};
	static const char *const retry[] = {"08", "40", "53", "55", "57", "58"};

	if (sqlstate == ERRCODE_RAISE_EXCEPTION)
		return JDBC_FAULT_RECORD;
	for (int i = 0; i < lengthof(record); i++)
	{
		if (in_class(sqlstate, record[i]))
			return JDBC_FAULT_RECORD;
	}
	for (int i = 0; i < lengthof(retry); i++)
	{
		if (in_class(sqlstate, retry[i]))
			return JDBC_FAULT_RETRY;
	}
	return JDBC_FAULT_TASK;
}

JdbcFault
connect_jdbcsink_value_fault(int sqlstate)
{
	switch (sqlstate)
	{
		case ERRCODE_SYNTAX_ERROR:
		case ERRCODE_INVALID_NAME:
		case ERRCODE_UNDEFINED_OBJECT:
		case ERRCODE_UNDEFINED_TABLE:
		case ERRCODE_UNDEFINED_FUNCTION:
		case ERRCODE_AMBIGUOUS_FUNCTION:
		case ERRCODE_UNDEFINED_SCHEMA:
		case ERRCODE_INTERNAL_ERROR:
			return JDBC_FAULT_RECORD;
		default:
			return connect_jdbcsink_fault(sqlstate);
	}
}

/* Says which record an error is about. */
void
connect_jdbcsink_place_error(const ConnectRecord *record, ConnectError *err)
{
	err->message = psprintf("Record %s-%d@" INT64_FORMAT ": %s",
							record->topic, record->partition, record->offset,
							err->message ? err->message : "");
}

/*
 * As a record's error.  record and field may be NULL: not known.
 */
void
connect_jdbcsink_error_of(const ErrorData *edata, const ConnectRecord *record,
						  const char *field, ConnectError *err)
{
	StringInfoData where;

	initStringInfo(&where);
	if (record != NULL)
		appendStringInfo(&where, "Record %s-%d@" INT64_FORMAT,
						 record->topic, record->partition, record->offset);
	if (field != NULL)
		appendStringInfo(&where, ", field \"%s\"", field);
	connect_error_set(err, CONNECT_CONNECT_EXCEPTION, "%s%sERROR: %s%s%s",
					  where.data, where.len > 0 ? ": " : "",
					  edata->message,
					  edata->detail ? "\n  Detail: " : "",
					  edata->detail ? edata->detail : "");
}
