/*
 * pure.c
 *	  Errors of the code that knows no server.
 */
#include "pure.h"

static char *format(const char *fmt, va_list args) pg_attribute_printf(1, 0);

static char *
format(const char *fmt, va_list args)
{
	StringInfoData buf;
	int			needed;
	int			save_errno = errno;

	initStringInfo(&buf);
	for (;;)
	{
		va_list		copy;

		va_copy(copy, args);
		errno = save_errno;
		needed = appendStringInfoVA(&buf, fmt, copy);
		va_end(copy);
		if (needed == 0)
			return buf.data;
		enlargeStringInfo(&buf, needed);
	}
}

bool
connect_error_set(ConnectError *err, const char *class_name,
				  const char *fmt,...)
{
	va_list		args;

	memset(err, 0, sizeof(*err));
	err->class_name = class_name;
	err->retriable = strcmp(class_name, CONNECT_RETRIABLE_EXCEPTION) == 0;
	va_start(args, fmt);
	err->message = format(fmt, args);
	va_end(args);
	return false;
}

bool
connect_error_wrap(ConnectError *err, const char *class_name,
				   const char *fmt,...)
{
	va_list		args;

	err->cause_class = err->class_name;
	err->cause_message = err->message;
	err->class_name = class_name;
	va_start(args, fmt);
	err->message = format(fmt, args);
	va_end(args);
	return false;
}
