/*
 * errors.h
 *	  Whose fault an error is, and how a record's error is worded: for sinks that
 *	  run SQL inside the transaction of a batch.
 */
#ifndef CONNECT_JDBCSINK_ERRORS_H
#define CONNECT_JDBCSINK_ERRORS_H

#include "connector.h"

typedef enum JdbcFault
{
	JDBC_FAULT_RECORD,			/* the record's: follows errors.tolerance */
	JDBC_FAULT_RETRY,			/* passes: the whole batch is tried again */
	JDBC_FAULT_TASK				/* the task fails */
} JdbcFault;

extern JdbcFault connect_jdbcsink_fault(int sqlstate);
extern JdbcFault connect_jdbcsink_value_fault(int sqlstate);
extern void connect_jdbcsink_place_error(const ConnectRecord *record,
										 ConnectError *err);
extern void connect_jdbcsink_error_of(const ErrorData *edata,
									  const ConnectRecord *record,
									  const char *field, ConnectError *err);

#endif							/* CONNECT_JDBCSINK_ERRORS_H */
