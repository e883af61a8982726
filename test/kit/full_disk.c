/*
 * full_disk.c
 *	  A directory that is a small disk, for a server that has this preloaded.
 *
 *	LD_PRELOAD=full_disk.so FULL_DISK=DIRECTORY postgres ...
 *
 *	The files beneath DIRECTORY may have as many bytes together as the file
 *	DIRECTORY.size says; what would make one of them longer than that fails with
 *	"no space left on device", as the kernel has it.  A mount or a quota would
 *	need rights that a container has not.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* Postgres has one thread that writes; files are of 64 bits. */
static long long used;

static int
add_size(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void) path;
	(void) ftw;
	if (flag == FTW_F)
		used += st->st_size;
	return 0;
}

static bool
has_room(int fd, long long end)
{
	const char *dir = getenv("FULL_DISK");
	char		link[64];
	char		path[4096];
	long long	size = 0;
	struct stat st;
	ssize_t		len;
	FILE	   *file;

	if (dir == NULL || fstat(fd, &st) != 0 || end <= st.st_size)
		return true;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof(path) - 1);
	if (len <= 0 || strncmp(path, dir, strlen(dir)) != 0 ||
		path[strlen(dir)] != '/')
		return true;
	snprintf(path, sizeof(path), "%s.size", dir);
	file = fopen(path, "r");
	if (file == NULL)
		return true;
	if (fscanf(file, "%lld", &size) != 1)
		size = 0;
	fclose(file);
	used = 0;
	nftw(dir, add_size, 8, FTW_PHYS);
	return used + end - st.st_size <= size;
}

static long long
length(const struct iovec *iov, int n)
{
	long long	sum = 0;

	for (int i = 0; i < n; i++)
		sum += iov[i].iov_len;
	return sum;
}

#define NEXT(name) ((__typeof__(&name)) dlsym(RTLD_NEXT, #name))

#define WRITE(name) \
ssize_t \
name(int fd, const void *data, size_t len, off_t offset) \
{ \
	if (has_room(fd, offset + (long long) len)) \
		return NEXT(name) (fd, data, len, offset); \
	errno = ENOSPC; \
	return -1; \
}

#define WRITEV(name) \
ssize_t \
name(int fd, const struct iovec *iov, int n, off_t offset) \
{ \
	if (has_room(fd, offset + length(iov, n))) \
		return NEXT(name) (fd, iov, n, offset); \
	errno = ENOSPC; \
	return -1; \
}

#define ALLOCATE(name) \
int \
name(int fd, off_t offset, off_t len) \
{ \
	return has_room(fd, offset + len) ? NEXT(name) (fd, offset, len) : ENOSPC; \
}

extern int	posix_fallocate(int fd, off_t offset, off_t len);
extern int	posix_fallocate64(int fd, off_t offset, off_t len);

WRITE(pwrite)
WRITE(pwrite64)
WRITEV(pwritev)
WRITEV(pwritev64)
ALLOCATE(posix_fallocate)
ALLOCATE(posix_fallocate64)
