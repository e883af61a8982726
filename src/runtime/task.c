/*
 * task.c
 *	  The loop of a task: shows the state that is wanted.
 */
#include "postgres.h"

#include "storage/latch.h"

#include "compat.h"
#include "runtime/task.h"
#include "runtime/worker.h"

void
connect_task_main(ConnectSlot *slot)
{
	static uint32 wait_event = 0;
	ConnectState wanted;

	while (connect_my_slot_wanted(&wanted))
	{
		if (slot->state != wanted)
			connect_my_slot_set_state(wanted, NULL);
		connect_worker_sleep(0, connect_wait_event(&wait_event, "ConnectTaskMain"));
		connect_worker_check();
	}
}
