/*
 * numeric.h
 *	  PostgreSQL's numeric to decimals and back, without text.
 *
 * NOTES
 *	  Server code.  The layout of a numeric on disk is private to numeric.c; it
 *	  is the same in all versions since 9.1, and infinities since 14.
 */
#ifndef CONNECT_NUMERIC_H
#define CONNECT_NUMERIC_H

#include "postgres.h"

#include "record/record.h"

/* With the number's own display scale.  False for NaN and the infinities. */
extern bool connect_numeric_to_value(Datum numeric, ConnectValue *cell);
/* NaN or an infinity */
extern double connect_numeric_special(Datum numeric);

/* unscaled * 10^-scale; scale from 0 to 16383. */
extern Datum connect_numeric_make(int64 unscaled, int scale);

#endif							/* CONNECT_NUMERIC_H */
