/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

#define READ_ACCESS                                                            \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE |           \
	 LANDLOCK_ACCESS_FS_READ_DIR)
#define FILE_ACCESS                                                            \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE |           \
	 LANDLOCK_ACCESS_FS_WRITE_FILE)
/* all that version 1 knows, so that it works on every kernel with Landlock */
#define ALL_ACCESS                                                             \
	(READ_ACCESS | LANDLOCK_ACCESS_FS_WRITE_FILE |                         \
	 LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |      \
	 LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR |          \
	 LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |          \
	 LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |        \
	 LANDLOCK_ACCESS_FS_MAKE_SYM)

static int create_ruleset(const struct landlock_ruleset_attr *attr,
			  size_t size, unsigned int flags)
{
	return (int)syscall(SYS_landlock_create_ruleset, attr, size, flags);
}

bool fb_sandbox_available(void)
{
	return create_ruleset(NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) >= 1;
}

static int allow(int ruleset, const char *path, uint64_t access)
{
	struct landlock_path_beneath_attr rule = { .allowed_access = access };
	struct stat st;
	int r = 0, fd = open(path, O_PATH | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (fstat(fd, &st) == 0 && !S_ISDIR(st.st_mode))
		rule.allowed_access &= FILE_ACCESS;
	rule.parent_fd = fd;
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH,
		    &rule, 0) < 0)
		r = -errno;
	(void)close(fd);
	return r;
}

int fb_sandbox_apply(char *const *readable, char *const *writable)
{
	struct landlock_ruleset_attr attr = { .handled_access_fs = ALL_ACCESS };
	FB_FD int ruleset = -EBADF;
	int r = 0;

	if (!fb_sandbox_available())
		return 0;
	ruleset = create_ruleset(&attr, sizeof(attr), 0);
	if (ruleset < 0)
		return -errno;
	for (; readable && *readable && r == 0; readable++)
		r = allow(ruleset, *readable, READ_ACCESS);
	for (; writable && *writable && r == 0; writable++)
		r = allow(ruleset, *writable,
			  READ_ACCESS | LANDLOCK_ACCESS_FS_WRITE_FILE);
	if (r < 0)
		return r;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		return -errno;
	return 0;
}
