/*
 * base64.h
 *	  Base64 as in RFC 4648, with padding.
 */
#ifndef CONNECT_BASE64_H
#define CONNECT_BASE64_H

#include "pure.h"

extern void connect_base64_append(StringInfo out, const char *data, int len);

/*
 * As the JSON reader of the original takes it: blanks between groups of four
 * are skipped, padding is needed.  NULL if it is well-formed, else the reason.
 */
extern char *connect_base64_decode(const char *text, int len, StringInfo out);

#endif							/* CONNECT_BASE64_H */
