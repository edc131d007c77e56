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
#include "base/filter.h"

/* what the headers of older distributions lack; numbers of the kernel's ABI */
#define ACCESS_FS_REFER (1ull << 13)	/* version 2 */
#define ACCESS_FS_TRUNCATE (1ull << 14) /* version 3 */
#define ACCESS_NET_BIND_TCP (1ull << 0) /* version 4 */
#define ACCESS_NET_CONNECT_TCP (1ull << 1)
#define ACCESS_FS_IOCTL_DEV (1ull << 15)  /* version 5 */
#define SCOPE_ABSTRACT_SOCKET (1ull << 0) /* version 6 */
#define SCOPE_SIGNAL (1ull << 1)

struct ruleset_attr {
	uint64_t fs;
	uint64_t net;
	uint64_t scoped;
};

#define READ_ACCESS                                                  \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | \
	 LANDLOCK_ACCESS_FS_READ_DIR)
#define WRITE_ACCESS                                          \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | ACCESS_FS_TRUNCATE | \
	 ACCESS_FS_IOCTL_DEV)
/* rights that the kernel accepts on what is no directory */
#define FILE_ACCESS                                                  \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | \
	 WRITE_ACCESS)
#define CHANGE_ACCESS                                                     \
	(LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE | \
	 LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR |     \
	 LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |     \
	 LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |   \
	 LANDLOCK_ACCESS_FS_MAKE_SYM | ACCESS_FS_REFER)

static int create_ruleset(const void *attr, size_t size, unsigned int flags)
{
	return (int)syscall(SYS_landlock_create_ruleset, attr, size, flags);
}

int fb_sandbox_version(void)
{
	int version = create_ruleset(NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	return version < 0 ? 0 : version;
}

bool fb_sandbox_available(void)
{
	return fb_sandbox_version() > 0;
}

/* Return: how many bytes of @ret this version takes */
static size_t closed_rights(int version, bool network, struct ruleset_attr *ret)
{
	*ret = (struct ruleset_attr){
		.fs = READ_ACCESS | WRITE_ACCESS | CHANGE_ACCESS,
	};
	if (version < 2)
		ret->fs &= ~ACCESS_FS_REFER;
	if (version < 3)
		ret->fs &= ~ACCESS_FS_TRUNCATE;
	if (version < 5)
		ret->fs &= ~ACCESS_FS_IOCTL_DEV;
	if (version >= 4 && !network)
		ret->net = ACCESS_NET_BIND_TCP | ACCESS_NET_CONNECT_TCP;
	if (version >= 6)
		ret->scoped = SCOPE_ABSTRACT_SOCKET | SCOPE_SIGNAL;
	if (version >= 6)
		return sizeof(*ret);
	return version >= 4 ? 2 * sizeof(uint64_t) : sizeof(uint64_t);
}

static int allow(int ruleset, const char *path, uint64_t access)
{
	struct landlock_path_beneath_attr rule = { .allowed_access = access };
	struct stat st;
	int r = 0, fd = open(path, O_PATH | O_CLOEXEC);

	/* what this user can't even walk to needs no rule */
	if (fd < 0)
		return errno == ENOENT || errno == EACCES || errno == ENOTDIR
			       ? 0
			       : -errno;
	if (fstat(fd, &st) == 0 && !S_ISDIR(st.st_mode))
		rule.allowed_access &= FILE_ACCESS;
	rule.parent_fd = fd;
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH,
		    &rule, 0) < 0)
		r = -errno;
	(void)close(fd);
	return r;
}

static int allow_all(int ruleset, char *const *paths, uint64_t access)
{
	int r = 0;

	for (; paths && *paths && r == 0; paths++)
		r = allow(ruleset, *paths, access);
	return r;
}

int fb_sandbox_apply(const struct fb_sandbox *sandbox)
{
	int version = fb_sandbox_version(), r;
	FB_FD int ruleset = -EBADF;
	struct ruleset_attr attr;
	size_t size;

	if (version < 1)
		return 0;
	size = closed_rights(version, sandbox->network, &attr);
	ruleset = create_ruleset(&attr, size, 0);
	if (ruleset < 0)
		return -errno;
	r = allow_all(ruleset, sandbox->readable, READ_ACCESS & attr.fs);
	if (r == 0)
		r = allow_all(ruleset, sandbox->writable,
			      (READ_ACCESS | WRITE_ACCESS) & attr.fs);
	if (r == 0)
		r = allow_all(ruleset, sandbox->sockets,
			      LANDLOCK_ACCESS_FS_MAKE_SOCK);
	if (r < 0)
		return r;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		return -errno;
	return 0;
}

/* a program that is run next must be allowed to be: Landlock and the lack of rights
 * limit what that may be */
static const unsigned int denied[] = {
	SYS_ptrace,
	SYS_process_vm_readv,
	SYS_process_vm_writev,
	SYS_pidfd_getfd,
	SYS_kill,
	SYS_tkill,
	SYS_unshare,
	SYS_setns,
	SYS_mount,
	SYS_umount2,
	SYS_move_mount,
	SYS_fsopen,
	SYS_open_tree,
	SYS_pivot_root,
	SYS_chroot,
	SYS_keyctl,
	SYS_add_key,
	SYS_request_key,
	SYS_bpf,
	SYS_perf_event_open,
	SYS_io_uring_setup,
	SYS_userfaultfd,
	SYS_open_by_handle_at,
	SYS_init_module,
	SYS_finit_module,
	SYS_kexec_load,
	SYS_reboot,
	SYS_swapon,
	SYS_setuid,
	SYS_setgid,
	SYS_setresuid,
	SYS_setresgid,
	SYS_setgroups,
#ifdef SYS_fork
	SYS_fork,
	SYS_vfork,
#endif
};

int fb_sandbox_filter(void)
{
	return fb_filter_calls(denied, FB_ARRAY_SIZE(denied), true);
}
