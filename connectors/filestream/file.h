/*
 * file.h
 *	  What the file source and the file sink share.
 */
#ifndef CONNECT_FILESTREAM_FILE_H
#define CONNECT_FILESTREAM_FILE_H

#include "connector.h"

/* An open file that is closed with its memory context at the latest. */
typedef struct ConnectFile
{
	int			fd;				/* -1 = closed */
	MemoryContextCallback callback;
} ConnectFile;

/* Reading may find no file: then fd is -1. */
extern ConnectFile *connect_file_make(MemoryContext context);
extern void connect_file_open(ConnectFile *file, const char *path, int flags);
extern void connect_file_close(ConnectFile *file);

/* Refuses the standard streams and relative paths. */
extern void connect_file_check_path(const char *path, bool writing);
/* Refuse roles that may not touch server files. */
extern void connect_file_validate(const ConnectConfig *cfg, bool writing,
								  ConnectConfigErrors *errors);
extern void connect_file_check_role(Oid role, bool writing);

#endif							/* CONNECT_FILESTREAM_FILE_H */
