/*
 * guc.h
 *	  The settings connect.*; the variables are in connect.h.
 */
#ifndef CONNECT_GUC_H
#define CONNECT_GUC_H

extern void connect_guc_define(void);	/* in _PG_init */

#endif							/* CONNECT_GUC_H */
