/*
 * registry.h
 *	  The connector classes that this library brings.
 */
#ifndef CONNECT_REGISTRY_H
#define CONNECT_REGISTRY_H

#include "connector.h"

extern const ConnectConnectorClass connect_jdbc_source;
extern const ConnectConnectorClass connect_jdbc_source_aiven;
extern const ConnectConnectorClass connect_jdbcsink;
extern const ConnectConnectorClass connect_jdbcsink_aiven;
extern const ConnectConnectorClass connect_jdbcsink_debezium;
extern const ConnectConnectorClass connect_function_source;
extern const ConnectConnectorClass connect_function_sink;
extern const ConnectConnectorClass connect_file_stream_source;
extern const ConnectConnectorClass connect_file_stream_sink;
extern const ConnectConnectorClass connect_verifiable_source;
extern const ConnectConnectorClass connect_verifiable_sink;
extern const ConnectConnectorClass connect_mock_source;
extern const ConnectConnectorClass connect_mock_sink;
extern const ConnectConnectorClass connect_table_stream_source;
extern const ConnectConnectorClass connect_outbox_source;

#endif							/* CONNECT_REGISTRY_H */
