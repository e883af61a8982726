/*
 * hooks.h
 *	  Commands of the server that our processes must make room for.
 */
#ifndef CONNECT_HOOKS_H
#define CONNECT_HOOKS_H

extern void connect_hooks_init(void);	/* in _PG_init */

#endif							/* CONNECT_HOOKS_H */
