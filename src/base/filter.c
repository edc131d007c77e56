/* SPDX-License-Identifier: Apache-2.0 */
#include "base/filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#ifdef __x86_64__
#define OUR_ARCH AUDIT_ARCH_X86_64
#else
#define OUR_ARCH AUDIT_ARCH_AARCH64
#endif

/* x32's numbers have this bit and the same architecture */
#define X32_BIT 0x40000000u
#define CODE_MAX (FB_FILTER_CALLS_MAX * 2 + 16)

#define LOAD(field)                                             \
	(struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, \
				      offsetof(struct seccomp_data, field))
#define END(what) (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, what)
/* the next @n statements are for other values */
#define UNLESS(op, value, n) \
	(struct sock_filter) BPF_JUMP(BPF_JMP | (op) | BPF_K, value, 0, n)

/* clone3() keeps its flags in memory, where no filter sees them; who is told that it
 * is not there takes clone() */
static size_t add_clones(struct sock_filter *code, bool threads)
{
	size_t n = 0;

	code[n++] = UNLESS(BPF_JEQ, SYS_clone3, 1);
	code[n++] = END(SECCOMP_RET_ERRNO | (threads ? ENOSYS : EPERM));
	if (threads) {
		code[n++] = UNLESS(BPF_JEQ, SYS_clone, 4);
		code[n++] = LOAD(args[0]);
		code[n++] = UNLESS(BPF_JSET, CLONE_THREAD, 1);
		code[n++] = END(SECCOMP_RET_ALLOW);
		code[n++] = END(SECCOMP_RET_ERRNO | EPERM);
	} else {
		code[n++] = UNLESS(BPF_JEQ, SYS_clone, 1);
		code[n++] = END(SECCOMP_RET_ERRNO | EPERM);
	}
	return n;
}

int fb_filter_calls(const unsigned int *denied, size_t count, bool threads)
{
	struct sock_filter code[CODE_MAX];
	struct sock_fprog program = { .filter = code };
	size_t n = 0;

	if (count > FB_FILTER_CALLS_MAX)
		return -E2BIG;
	code[n++] = LOAD(arch);
	code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
						 OUR_ARCH, 1, 0);
	code[n++] = END(SECCOMP_RET_KILL_PROCESS);
	code[n++] = LOAD(nr);
	code[n++] = UNLESS(BPF_JGE, X32_BIT, 1);
	code[n++] = END(SECCOMP_RET_ERRNO | EPERM);
	n += add_clones(code + n, threads);
	for (size_t i = 0; i < count; i++) {
		code[n++] = UNLESS(BPF_JEQ, denied[i], 1);
		code[n++] = END(SECCOMP_RET_ERRNO | EPERM);
	}
	code[n++] = END(SECCOMP_RET_ALLOW);
	program.len = (unsigned short)n;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) < 0)
		return -errno;
	return 0;
}
