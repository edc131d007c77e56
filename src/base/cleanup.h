/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scope-bound ownership.
 *
 * A resource is declared together with its cleanup; it is moved out, into the
 * object that owns it from then on, with FB_TAKE_PTR() or FB_TAKE_FD().  An
 * empty file descriptor is -EBADF (-9), never 0.
 */
#ifndef FB_BASE_CLEANUP_H
#define FB_BASE_CLEANUP_H

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FB_CLEANUP(fn) __attribute__((cleanup(fn)))

/** FB_TAKE_PTR() - Move a pointer out of a variable, leaving NULL behind */
#define FB_TAKE_PTR(p)                                      \
	({                                                  \
		__typeof__(p) *fb_take_src_ = &(p);         \
		__typeof__(p) fb_take_val_ = *fb_take_src_; \
		*fb_take_src_ = NULL;                       \
		fb_take_val_;                               \
	})

/** FB_TAKE_FD() - Move a descriptor out of a variable, leaving -EBADF behind */
#define FB_TAKE_FD(fd)                            \
	({                                        \
		int *fb_take_src_ = &(fd);        \
		int fb_take_val_ = *fb_take_src_; \
		*fb_take_src_ = -EBADF;           \
		fb_take_val_;                     \
	})

#define FB_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/** fb_close() - Close @fd if it is open, keep errno, return -EBADF */
static inline int fb_close(int fd)
{
	int saved = errno;

	if (fd >= 0)
		(void)close(fd);
	errno = saved;
	return -EBADF;
}

static inline void fb_cleanup_fd(int *fd)
{
	*fd = fb_close(*fd);
}

static inline void fb_cleanup_free(void *p)
{
	int saved = errno;

	free(*(void **)p);
	errno = saved;
}

static inline void fb_cleanup_file(FILE **f)
{
	if (*f)
		(void)fclose(*f);
}

static inline void fb_cleanup_dir(DIR **d)
{
	if (*d)
		(void)closedir(*d);
}

/** FB_FD - `FB_FD int fd = -EBADF;` is closed at the end of its scope */
#define FB_FD FB_CLEANUP(fb_cleanup_fd)
/** FB_FREE - `FB_FREE char *s = NULL;` is freed at the end of its scope */
#define FB_FREE FB_CLEANUP(fb_cleanup_free)
#define FB_FILE FB_CLEANUP(fb_cleanup_file)
#define FB_DIR FB_CLEANUP(fb_cleanup_dir)

#endif
