/*
 * hide.c
 *	  Keeps statements that may hold secrets out of the server log.
 *
 * NOTES
 *	  Runs in the backend of whoever calls a function that takes a
 *	  configuration or a secret.  The client still gets the context.  After an
 *	  error the callback stack is unwound by whoever catches it.
 */
#include "postgres.h"

#include "command/hide.h"

static void
hide(void *arg)
{
	errhidestmt(true);
	errhidecontext(true);
}

void
connect_hide_begin(ConnectHiding *hiding)
{
	hiding->callback.callback = hide;
	hiding->callback.arg = NULL;
	hiding->callback.previous = error_context_stack;
	error_context_stack = &hiding->callback;
}

void
connect_hide_end(ConnectHiding *hiding)
{
	error_context_stack = hiding->callback.previous;
}
