/* SPDX-License-Identifier: Apache-2.0 */
#include "net/confine.h"

#include <sys/syscall.h>

#include "base/cleanup.h"
#include "base/filter.h"

static const unsigned int denied[] = {
	SYS_execve,
	SYS_execveat,
	SYS_ptrace,
	SYS_process_vm_readv,
	SYS_process_vm_writev,
	SYS_pidfd_getfd,
	SYS_kill,
	SYS_tgkill,
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
	SYS_personality,
	SYS_memfd_create,
	SYS_shmget,
	SYS_msgget,
	SYS_semget,
#ifdef SYS_fork
	SYS_fork,
	SYS_vfork,
#endif
};

int fb_net_confine(void)
{
	return fb_filter_calls(denied, FB_ARRAY_SIZE(denied), false);
}
