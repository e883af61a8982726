/*
 * properties.h
 *	  Java's properties files.
 */
#ifndef CONNECT_PROPERTIES_H
#define CONNECT_PROPERTIES_H

#include "pure.h"

/* Value of the last entry of that key, or NULL.  text is UTF-8. */
extern char *connect_properties_get(const char *text, const char *key);

#endif							/* CONNECT_PROPERTIES_H */
