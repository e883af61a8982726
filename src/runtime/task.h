/*
 * task.h
 *	  The loop of a task.
 */
#ifndef CONNECT_TASK_H
#define CONNECT_TASK_H

#include "runtime/slot.h"

/* The process of a task: from worker.c, once connected. */
extern void connect_task_main(ConnectSlot *slot);

#endif							/* CONNECT_TASK_H */
