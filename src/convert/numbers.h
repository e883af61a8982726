/*
 * numbers.h
 *	  Converters of single numbers and booleans.
 */
#ifndef CONNECT_NUMBERS_H
#define CONNECT_NUMBERS_H

#include "convert/convert.h"

extern const ConnectConverterClass connect_short_converter;
extern const ConnectConverterClass connect_integer_converter;
extern const ConnectConverterClass connect_long_converter;
extern const ConnectConverterClass connect_float_converter;
extern const ConnectConverterClass connect_double_converter;
extern const ConnectConverterClass connect_boolean_converter;

#endif							/* CONNECT_NUMBERS_H */
