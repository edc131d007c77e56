/* SPDX-License-Identifier: Apache-2.0 */
#include "archive/source.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "tap.h"

static int file_with(const char *text)
{
	int fd = memfd_create("source", MFD_CLOEXEC);

	if (fd < 0 || fb_write_full(fd, text, strlen(text)) < 0)
		return -1;
	return fd;
}

static void test_memory(void)
{
	FB_SOURCE struct fb_source *s = NULL;
	const uint8_t *at = NULL;
	char buf[16];

	TAP_INT(fb_source_from_memory("abcdef", 6, &s, NULL), 0, "memory");
	TAP_INT(fb_source_read(s, buf, 4, NULL), 4, "four bytes");
	TAP_OK(!memcmp(buf, "abcd", 4), "the first four");
	TAP_INT(fb_source_view(s, buf, 16, &at, NULL), 2, "a view of the rest");
	TAP_OK(at && at != (uint8_t *)buf && !memcmp(at, "ef", 2),
	       "in place, not copied");
	TAP_INT(fb_source_read(s, buf, 4, NULL), 0, "then the end");
	TAP_INT(fb_source_read(s, buf, 4, NULL), 0, "and again");
	TAP_INT(fb_source_rewind(s, NULL), 0, "rewind");
	TAP_INT(fb_source_read_full(s, buf, 16, NULL), 6, "all of it");
	fb_source_cancel(s);
}

static void test_empty(void)
{
	FB_SOURCE struct fb_source *s = NULL;
	const uint8_t *at;
	char buf[4];

	TAP_INT(fb_source_from_memory(NULL, 0, &s, NULL), 0, "nothing");
	TAP_INT(fb_source_read(s, buf, 4, NULL), 0, "reads as nothing");
	TAP_INT(fb_source_view(s, buf, 4, &at, NULL), 0, "is seen as nothing");
	fb_source_free(NULL);
}

static void test_file(void)
{
	FB_SOURCE struct fb_source *a = NULL;
	FB_SOURCE struct fb_source *b = NULL;
	const uint8_t *at = NULL;
	FB_FD int fd = file_with("0123456789");
	char buf[32];

	TAP_INT(fb_source_from_fd(fd, 2, 5, &a, NULL), 0, "part of a file");
	TAP_INT(fb_source_from_fd(fd, 0, UINT64_MAX, &b, NULL), 0, "a file");
	TAP_INT(fb_source_read(a, buf, 3, NULL), 3, "read");
	TAP_INT(fb_source_read(b, buf + 3, 2, NULL), 2,
		"two sources share a descriptor");
	TAP_OK(!memcmp(buf, "23401", 5), "each has its own position");
	TAP_INT(fb_source_read_full(a, buf, 32, NULL), 2, "not past its part");
	TAP_INT(fb_source_rewind(a, NULL), 0, "rewind");
	TAP_INT(fb_source_view(a, buf, 32, &at, NULL), 5, "view of a file");
	TAP_OK(at == (uint8_t *)buf && !memcmp(buf, "23456", 5),
	       "goes through the caller's buffer");
}

static void test_pipe(void)
{
	FB_SOURCE struct fb_source *s = NULL;
	FB_FD int reader = -EBADF;
	struct fb_err err = { 0 };
	char buf[8];
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0 || write(fds[1], "abc", 3) != 3) {
		TAP_OK(false, "pipe");
		return;
	}
	reader = fds[0];
	fb_close(fds[1]);
	TAP_INT(fb_source_from_fd(reader, 1, UINT64_MAX, &s, &err), -ESPIPE,
		"no offset in a pipe");
	TAP_INT(fb_source_from_fd(reader, 0, UINT64_MAX, &s, NULL), 0, "pipe");
	TAP_INT(fb_source_read_full(s, buf, 8, NULL), 3, "read a pipe");
	TAP_INT(fb_source_rewind(s, &err), -ESPIPE, "a pipe has no way back");
	TAP_OK(err.msg[0], "says so: %s", err.msg);
}

static void test_errors(void)
{
	FB_SOURCE struct fb_source *s = NULL;
	struct fb_err err = { 0 };
	FB_FD int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char buf[8];

	TAP_INT(fb_source_from_fd(-1, 0, 1, &s, &err), -EBADF, "no descriptor");
	TAP_INT(fb_source_from_fd(fd, 0, 8, &s, NULL), 0, "a folder opens");
	TAP_INT(fb_source_read(s, buf, 8, &err), -EISDIR, "but is not read");
}

int main(void)
{
	test_memory();
	test_empty();
	test_file();
	test_pipe();
	test_errors();
	return tap_done();
}
