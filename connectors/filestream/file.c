/*
 * file.c
 *	  What the file source and the file sink share.
 */
#include "postgres.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "catalog/pg_authid.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "utils/acl.h"

#include "filestream/file.h"

static void
close_callback(void *arg)
{
	connect_file_close(arg);
}

ConnectFile *
connect_file_make(MemoryContext context)
{
	ConnectFile *file = MemoryContextAllocZero(context, sizeof(ConnectFile));

	file->fd = -1;
	file->callback.func = close_callback;
	file->callback.arg = file;
	MemoryContextRegisterResetCallback(context, &file->callback);
	return file;
}

void
connect_file_close(ConnectFile *file)
{
	if (file->fd < 0)
		return;
	close(file->fd);
	ReleaseExternalFD();
	file->fd = -1;
}

/* In Connect's words, where it has any. */
static void
refuse(const char *path, int flags)
{
	ConnectError err;

	if ((flags & O_ACCMODE) == O_RDONLY || (errno != ENOENT && errno != EACCES))
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not open file \"%s\": %m", path)));
	connect_error_set(&err, errno == ENOENT ?
					  "java.nio.file.NoSuchFileException" :
					  "java.nio.file.AccessDeniedException", "%s", path);
	connect_error_wrap(&err, CONNECT_CONNECT_EXCEPTION,
					   "Couldn't find or create file '%s' for FileStreamSinkTask",
					   path);
	connect_error_raise(&err);
}

/*
 * Opens path; for reading it may be missing.  Anything but a regular file is
 * refused: a pipe could block the process.
 */
void
connect_file_open(ConnectFile *file, const char *path, int flags)
{
	struct stat st;
	int			fd;

	if (!AcquireExternalFD())
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not open file \"%s\": %m", path)));
	fd = BasicOpenFilePerm(path, flags | O_NONBLOCK | O_CLOEXEC, 0644);
	if (fd < 0)
	{
		int			save_errno = errno;

		ReleaseExternalFD();
		errno = save_errno;
		if (errno == ENOENT && (flags & O_ACCMODE) == O_RDONLY)
			return;
		refuse(path, flags);
	}
	file->fd = fd;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
	{
		connect_file_close(file);
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a regular file", path)));
	}
}

static bool
role_may(Oid role, bool writing)
{
	return has_privs_of_role(role, writing ? ROLE_PG_WRITE_SERVER_FILES :
							 ROLE_PG_READ_SERVER_FILES);
}

void
connect_file_check_role(Oid role, bool writing)
{
	if (!role_may(role, writing))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to %s server files",
						writing ? "write" : "read"),
				 errhint("The connector's owner must be a member of role %s.",
						 writing ? "pg_write_server_files" :
						 "pg_read_server_files")));
}

void
connect_file_check_path(const char *path, bool writing)
{
	if (path == NULL || path[0] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a server process has no standard %s",
						writing ? "output" : "input"),
				 errhint("Name a file in \"file\".")));
	if (!is_absolute_path(path))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("file name \"%s\" is not an absolute path", path)));
}

void
connect_file_validate(const ConnectConfig *cfg, bool writing,
					  ConnectConfigErrors *errors)
{
	if (!role_may(GetUserId(), writing))
		connect_config_error_add(errors, "file",
								 "Role \"%s\" may not %s server files: it must be a member of %s",
								 GetUserNameFromId(GetUserId(), false),
								 writing ? "write" : "read",
								 writing ? "pg_write_server_files" :
								 "pg_read_server_files");
}
