/* SPDX-License-Identifier: Apache-2.0 */
#include "base/program.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/spawn.h"

int fb_program_ask(const char *program, const char *argument, char *out,
		   size_t size, struct fb_err *err)
{
	FB_FREE char *name = strdup(program), *word = strdup(argument);
	char *argv[] = { name, word, NULL };
	FB_FD int from = -EBADF, to = -EBADF;
	struct fb_spawn_fd fd = { .to = STDOUT_FILENO };
	struct fb_spawn spawn = { .path = program,
				  .argv = argv,
				  .fds = &fd,
				  .fd_count = 1,
				  .die_with_parent = 1 };
	int fds[2], status, r;
	ssize_t n;
	pid_t pid;

	out[0] = '\0';
	if (!name || !word)
		return fb_err_set(err, -ENOMEM, "ask '%s': %m", program);
	if (pipe2(fds, O_CLOEXEC) < 0)
		return fb_err_set(err, -errno, "ask '%s': %m", program);
	from = fds[0];
	fd.from = to = fds[1];
	r = fb_spawn(&spawn, &pid, NULL, err);
	if (r < 0)
		return r;
	to = fb_close(to);
	n = fb_read_full(from, out, size - 1);
	out[n > 0 ? n : 0] = '\0';
	/* one that has more to say must not wait for us */
	from = fb_close(from);
	return fb_spawn_wait(pid, &status);
}

int fb_program_needs_libraries(const char *path)
{
	FB_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	Elf64_Ehdr head;
	Elf64_Phdr part;
	ssize_t n = fd < 0 ? -errno : fb_pread_full(fd, &head, sizeof(head), 0);

	if (n < 0)
		return (int)n;
	if (n != (ssize_t)sizeof(head) ||
	    memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 ||
	    head.e_ident[EI_CLASS] != ELFCLASS64 ||
	    head.e_phentsize != sizeof(part))
		return -ENOEXEC;
	for (uint64_t i = 0; i < head.e_phnum; i++) {
		n = fb_pread_full(fd, &part, sizeof(part),
				  head.e_phoff + i * sizeof(part));
		if (n < 0)
			return (int)n;
		if (n != (ssize_t)sizeof(part))
			return -ENOEXEC;
		if (part.p_type == PT_INTERP)
			return 1;
	}
	return 0;
}
