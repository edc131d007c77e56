/* SPDX-License-Identifier: Apache-2.0 */
/* The machine: files, disk, network, and the plan made of them. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "container/files.h"
#include "container/hosts.h"
#include "container/launch.h"
#include "container/prepare.h"
#include "machine/tsc.h"
#include "net/slirp.h"
#include "volume/upper.h"

static int open_file(const char *given, const char *name, int *ret,
		     struct fb_err *err)
{
	FB_FREE char *found = NULL;
	int r = given ? 0 : fb_files_find(name, &found, err);

	if (r < 0)
		return r;
	*ret = open(given ? given : found, O_RDONLY | O_CLOEXEC);
	return *ret < 0 ? fb_err_set(err, -errno, "open '%s': %m",
				     given ? given : found)
			: 0;
}

/* what its VMM makes there, and when */
static int watch_folder(const struct fb_preparation *p, struct fb_err *err)
{
	FB_FD int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	char path[32];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", p->folder_fd);
	if (watch < 0 || inotify_add_watch(watch, path, IN_CREATE) < 0)
		return fb_err_set(err, -errno,
				  "watch the machine's folder: %m");
	p->c->watch = FB_TAKE_FD(watch);
	p->c->watch_folder = true;
	return 0;
}

/* a machine's own folder, for the sockets that its VMM makes */
static int make_folder(struct fb_preparation *p, struct fb_err *err)
{
	int dir = p->c->handle.dir_fd;

	if (mkdirat(dir, FB_CONTAINER_FOLDER_VMM, 0700) < 0 && errno != EEXIST)
		return fb_err_set(err, -errno, "make the machine's folder: %m");
	p->folder_fd = openat(dir, FB_CONTAINER_FOLDER_VMM,
			      O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (p->folder_fd < 0)
		return fb_err_set(err, -errno, "open the machine's folder: %m");
	return p->spec->timed ? watch_folder(p, err) : 0;
}

/*
 * A VMM that opens by path opens its descriptors again (machine/firecracker.c), which
 * asks for the files' modes: what is only this machine's is made its user's.
 */
static int give_files(const struct fb_preparation *p, struct fb_err *err)
{
	if (fchown(p->folder_fd, p->vmm_uid, p->vmm_gid) < 0 ||
	    (p->upper_fd >= 0 &&
	     fchown(p->upper_fd, p->vmm_uid, p->vmm_gid) < 0))
		return fb_err_set(err, -errno,
				  "give the machine's user its files: %m");
	return 0;
}

int fb_prepare_files(struct fb_preparation *p, struct fb_err *err)
{
	int disks,
		r = open_file(p->spec->kernel, "vmlinux", &p->kernel_fd, err);

	if (r == 0)
		r = open_file(p->spec->initramfs, "initramfs.cpio",
			      &p->initramfs_fd, err);
	if (r == 0 && p->engine.ops->folder)
		r = make_folder(p, err);
	if (r < 0 || !fb_wants_disk(p->spec))
		return r;
	disks = fb_store_dir_fd(p->c->store, FB_STORE_DIR_DISKS, err);
	if (disks < 0)
		return disks;
	return fb_upper_create(disks, p->c->handle.dir_fd,
			       FB_CONTAINER_FILE_UPPER, p->spec->storage_bytes,
			       &p->upper_fd, err);
}

/* the user of the machine need not be able to walk to it, but it must run it */
static int open_network(struct fb_preparation *p, struct fb_err *err)
{
	FB_FREE char *path = NULL;
	struct stat st;
	int r = fb_files_find(FB_NET_SLIRP_PROGRAM, &path, err);

	if (r < 0)
		return r;
	p->net_program_fd = open(path, O_PATH | O_CLOEXEC);
	if (p->net_program_fd < 0 || fstat(p->net_program_fd, &st) < 0)
		return fb_err_set(err, -errno, "open '%s': %m", path);
	if (geteuid() == 0 && (st.st_mode & 05) != 05) {
		r = fb_err_set(err, -EACCES, "'%s': other users may not run it",
			       path);
		return fb_err_hint(err, r, "chmod 755 %s", path);
	}
	return 0;
}

/* its socket and its program are placed by fb_launch() */
static int add_network(struct fb_preparation *p, struct fb_err *err)
{
	/* what it takes to look names up as the host does */
	static const char *const readable[] = {
		"/etc/resolv.conf",
		"/run/systemd/resolve",
		"/run/resolvconf",
		"/run/NetworkManager",
	};
	struct fb_plan_process *process;
	char path[32];
	int r = open_network(p, err);

	if (r < 0)
		return r;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d",
		       FB_LAUNCH_NET_PROGRAM);
	process = fb_plan_add_process(&p->plan, "network", path);
	if (!process)
		return fb_err_set(err, -ENOMEM, "prepare the network: %m");
	(void)fb_strv_add(&process->argv, FB_NET_SLIRP_PROGRAM);
	(void)fb_strv_addf(&process->argv, "%s%s", p->net.v4_prefix ? "4" : "",
			   p->net.v6_prefix ? "6" : "");
	(void)fb_strv_add(&process->readable, path);
	fb_plan_allow_libraries(process);
	for (size_t i = 0; i < FB_ARRAY_SIZE(readable); i++)
		(void)fb_strv_add(&process->readable, readable[i]);
	if (process->argv.err || process->readable.err)
		return fb_err_set(err, -ENOMEM, "prepare the network: %m");
	process->fds[0] = (struct fb_spawn_fd){ FB_LAUNCH_NET_NIC,
						FB_NET_SLIRP_STREAM_FD };
	process->fd_count = 1;
	process->network = true;
	process->drop_ids = geteuid() == 0;
	process->uid = process->gid = p->vmm_uid;
	return 0;
}

int fb_prepare_net(struct fb_preparation *p, struct fb_err *err)
{
	bool net = p->spec->net != FB_CONTAINER_NET_NONE;
	FB_FREE char *host = NULL;
	uint8_t seed[3];
	int r = 0;

	if (getrandom(seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		return fb_err_set(err, -EIO, "make a MAC address: %m");
	p->resolv_conf = FB_STR_INIT(FB_RESOLV_CONF_MAX * 2);
	p->hosts = FB_STR_INIT(FB_HOSTS_MAX);
	if (net) {
		fb_net_routes_get(&p->routes);
		fb_net_user_plan(seed, &p->routes, &p->net);
		/* a host without one is fine */
		(void)fb_read_file_at(AT_FDCWD, "/etc/resolv.conf",
				      FB_RESOLV_CONF_MAX, &host, NULL);
		r = fb_net_resolv_conf(&p->net, host, &p->resolv_conf);
	}
	if (r < 0)
		return fb_err_set(err, r, "make resolv.conf: %m");
	return fb_hosts_render(p->spec->add_hosts,
			       net && p->routes.host[0] ? p->routes.host : NULL,
			       net ? FB_NET_V4_ADDRESS : NULL,
			       p->spec->hostname, &p->hosts, err);
}

/* the VMM's end of the network where it takes no stream of frames */
static void join_tap(const struct fb_preparation *p,
		     struct fb_machine_config *config)
{
	if (p->tap.user_ns >= 0)
		config->namespaces[config->namespace_count++] =
			FB_LAUNCH_USER_NS;
	config->namespaces[config->namespace_count++] = FB_LAUNCH_NET_NS;
}

int fb_prepare_plan(struct fb_preparation *p, struct fb_err *err)
{
	const struct fb_container_spec *spec = p->spec;
	struct fb_machine_config config = {
		.kernel_fd = FB_LAUNCH_VMM_KERNEL,
		.initramfs_fd = FB_LAUNCH_VMM_INITRAMFS,
		.cpus = spec->cpus,
		.memory_bytes = spec->memory_bytes,
		.disks = { { .fd = FB_LAUNCH_VMM_DISK, .read_only = true },
			   { .fd = FB_LAUNCH_VMM_DISK + 1,
			     .disposable = p->c->auto_remove } },
		.disk_count = fb_wants_disk(spec) ? 2 : 1,
		.nic = p->nic,
		.nic_fd = FB_LAUNCH_VMM_NIC,
		.channel_fd = FB_LAUNCH_VMM_CHANNEL,
		.folder_fd = FB_LAUNCH_VMM_FOLDER,
		.metrics_fd = FB_LAUNCH_VMM_METRICS,
		.console_fd = FB_LAUNCH_VMM_CONSOLE,
		.talkative = spec->console,
		.timed = spec->timed,
		.start_fd = FB_LAUNCH_VMM_START,
		.vmm_version = p->vmm_version,
		.interpreted = p->engine.interpreted,
		.drop_ids = geteuid() == 0,
	};
	struct fb_plan_process *vmm;
	int r;

	config.uid = p->vmm_uid;
	config.gid = p->vmm_gid;
	if (p->engine.accel == FB_ACCEL_TCG)
		config.tsc_khz = fb_tsc_khz(
			fb_store_dir_fd(p->c->store, FB_STORE_DIR_RUN, NULL));
	memcpy(config.mac, p->net.mac, sizeof(config.mac));
	for (size_t i = 0; i < config.disk_count; i++)
		memcpy(config.disks[i].rates, spec->rates[i],
		       sizeof(spec->rates[i]));
	r = config.nic == FB_NIC_NONE ? 0 : add_network(p, err);
	if (config.nic == FB_NIC_TAP)
		join_tap(p, &config);
	if (r == 0 && config.drop_ids && p->engine.ops->folder)
		r = give_files(p, err);
	if (r < 0)
		return r;
	r = p->engine.ops->render(&config, p->engine.accel, p->engine.program,
				  &p->plan, err);
	if (r < 0)
		return r;
	vmm = &p->plan.processes[p->plan.process_count - 1];
	if (vmm->fd_count == FB_PLAN_FDS_MAX)
		return fb_err_set(err, -E2BIG, "too many descriptors");
	vmm->fds[vmm->fd_count++] =
		(struct fb_spawn_fd){ FB_LAUNCH_VMM_STDERR, 2 };
	r = fb_prepare_jail(p, err);
	if (r < 0)
		return r;
	p->plan_bytes = FB_STR_INIT(FB_PLAN_ENCODED_MAX);
	r = fb_plan_encode(&p->plan, &p->plan_bytes);
	return r < 0 ? fb_err_set(err, r, "encode the plan: %m") : 0;
}
