/*
 * broker.c
 *	  The embedded broker: librdkafka's mock cluster in a static worker.
 *
 * NOTES
 *	  Runs only with connect.embedded_broker.  Its address is in shared memory
 *	  while it lives.  It keeps nothing: not beyond its own end, and no more
 *	  than 5 MiB a partition.
 */
#include "postgres.h"

#include "storage/ipc.h"

#include "compat.h"
#include "kafka/kafka.h"
#include "runtime/slot.h"
#include "runtime/worker.h"

static ConnectKafkaMock *mock = NULL;

static void
close_mock(int code, Datum arg)
{
	connect_kafka_mock_close(&mock);
}

void
connect_broker_main(Datum arg)
{
	static uint32 wait_event = 0;
	char		address[256];
	ConnectKafkaError err = {0};

	(void) connect_worker_begin();
	connect_static_attach(CONNECT_BROKER);
	connect_worker_connect(InvalidOid, InvalidOid, false);

	before_shmem_exit(close_mock, (Datum) 0);
	mock = connect_kafka_mock_start(1, address, sizeof(address), &err);
	if (mock == NULL)
		ereport(FATAL,
				(errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
				 errmsg("could not start the embedded broker: %s", err.text)));
	connect_embedded_broker_set_address(address);
	ereport(LOG,
			(errmsg("embedded broker listens on %s", address),
			 errdetail("It is an imitation for demonstrations and keeps nothing.")));
	for (;;)
	{
		connect_worker_sleep(0, connect_wait_event(&wait_event, "ConnectBrokerMain"));
		connect_worker_check();
	}
}
