/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole reads and writes, and files that are never seen half written.
 */
#ifndef FB_BASE_IO_H
#define FB_BASE_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * fb_read_full() - Read until @len bytes or end of file
 * @fd:  Blocking descriptor (borrowed)
 * @buf: @len bytes
 * @len: Count, at most SSIZE_MAX
 *
 * Return: bytes read, less than @len only at end of file; negative errno.
 */
ssize_t fb_read_full(int fd, void *buf, size_t len);

/** fb_pread_full() - fb_read_full() at @offset, the file position unmoved */
ssize_t fb_pread_full(int fd, void *buf, size_t len, uint64_t offset);

/** fb_write_full() - Write all of @buf. Return: 0 or a negative errno */
int fb_write_full(int fd, const void *buf, size_t len);

/** fb_pwrite_full() - fb_write_full() at @offset */
int fb_pwrite_full(int fd, const void *buf, size_t len, uint64_t offset);

/**
 * fb_read_file_at() - Read a small regular file whole
 * @dirfd:    Directory, or AT_FDCWD
 * @path:     Relative or absolute name
 * @max:      Most bytes that are accepted
 * @ret_data: malloc'ed, NUL-terminated (returned); on success only
 * @ret_len:  Bytes without the NUL, or NULL
 *
 * Return: 0; -EFBIG over @max; another negative errno.
 */
int fb_read_file_at(int dirfd, const char *path, size_t max, char **ret_data,
		    size_t *ret_len);

/**
 * fb_write_file_at() - Replace a file as a whole, durably
 * @dirfd: Directory, or AT_FDCWD
 * @path:  Final name
 * @data:  Contents (borrowed), @len bytes
 * @len:   Count
 * @mode:  Permission bits
 *
 * Writes a temporary beside it, syncs, renames, syncs the directory; a reader
 * sees the old contents or the new ones.
 *
 * Return: 0 or a negative errno; nothing is left behind on failure.
 */
int fb_write_file_at(int dirfd, const char *path, const void *data, size_t len,
		     mode_t mode);

/**
 * fb_replace_file_at() - fb_write_file_at() without waiting for the disk
 *
 * As atomic for readers and for kill -9; a power failure may lose the file.  For
 * what means nothing after one, such as the state of a machine that ran.
 */
int fb_replace_file_at(int dirfd, const char *path, const void *data,
		       size_t len, mode_t mode);

/** fb_set_nonblock() - Switch O_NONBLOCK. Return: 0 or a negative errno */
int fb_set_nonblock(int fd, bool on);

/** fb_set_cloexec() - Switch FD_CLOEXEC. Return: 0 or a negative errno */
int fb_set_cloexec(int fd, bool on);

#endif
