/*
 * fault.h
 *	  Places where a test may make a process die or fail.
 *
 * NOTES
 *	  Only builds with -DCONNECT_FAULTS have them: there the setting
 *	  connect.fault names a place and what happens when a process comes by:
 *	  "NAME" or "NAME:kill" (SIGKILL), "NAME:error" (a retriable error),
 *	  "NAME:stop" (SIGSTOP).  What CONNECT_FAULT_SKIPS() guards is left out with
 *	  "NAME:skip": so a test shows that it would notice.  In other builds both
 *	  are nothing.
 */
#ifndef CONNECT_FAULT_H
#define CONNECT_FAULT_H

#ifdef CONNECT_FAULTS
#define CONNECT_FAULT(name) connect_fault_pass(name)
#define CONNECT_FAULT_SKIPS(name) connect_fault_skips(name)
extern void connect_fault_pass(const char *name);
extern bool connect_fault_skips(const char *name);
extern void connect_fault_define_setting(void);
#else
#define CONNECT_FAULT(name) ((void) 0)
#define CONNECT_FAULT_SKIPS(name) false
#endif

#endif							/* CONNECT_FAULT_H */
