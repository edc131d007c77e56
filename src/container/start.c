/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation.  Everything that can fail for a reason worth explaining
 * happens here, in the client: choose an engine, make the writable disk, render
 * the plan and the spec.  The monitor then gets descriptors at fixed numbers
 * (launch.h), which is why the plan can be rendered before anything is open
 * where it will be.
 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/spawn.h"
#include "base/str.h"
#include "container/container.h"
#include "container/files.h"
#include "container/hosts.h"
#include "container/launch.h"
#include "container/terminal.h"
#include "machine/engine.h"
#include "machine/tsc.h"
#include "net/guard.h"
#include "net/passt.h"
#include "net/user.h"
#include "volume/upper.h"
#include "wire/mountopt.h"
#include "wire/spec.h"

#define CPU_PERIOD_US 100000u
/* user ids for VMMs that root starts: no account has them */
#define VMM_UID_FIRST 0x46420000u

struct preparation {
	const struct fb_container_spec *spec;
	struct fb_container *c;
	const struct fb_log *log;
	struct fb_engine_choice engine;
	struct fb_net_guest net;
	struct fb_net_passt passt;
	uid_t vmm_uid;
	int upper_fd;
	int kernel_fd;
	int initramfs_fd;
	struct fb_plan plan;
	struct fb_str resolv_conf;
	struct fb_str hosts;
	struct fb_spec_tmpfs *tmpfs;
	size_t tmpfs_count;
	struct fb_strv tmpfs_texts; /* owns path and options */
	struct fb_str plan_bytes;
	struct fb_str spec_bytes;
};

static void release(struct preparation *p)
{
	fb_engine_choice_release(&p->engine);
	fb_net_passt_release(&p->passt);
	fb_plan_release(&p->plan);
	(void)fb_close(p->upper_fd);
	(void)fb_close(p->kernel_fd);
	(void)fb_close(p->initramfs_fd);
	fb_str_release(&p->resolv_conf);
	fb_str_release(&p->hosts);
	free(p->tmpfs);
	fb_strv_release(&p->tmpfs_texts);
	fb_str_release(&p->plan_bytes);
	if (p->spec_bytes.buf) /* may hold secrets */
		explicit_bzero(p->spec_bytes.buf, p->spec_bytes.len);
	fb_str_release(&p->spec_bytes);
}

static bool wants_disk(const struct fb_container_spec *spec)
{
	return !spec->read_only && !spec->ephemeral;
}

static int check_tmpfs(char *const *list, struct fb_err *err)
{
	struct fb_mountopt options;
	const char *colon;
	int r = 0;

	for (; list && *list && r == 0; list++) {
		if ((*list)[0] != '/')
			return fb_err_set(err, -EINVAL,
					  "invalid mount path: '%s' mount path "
					  "must be absolute",
					  *list);
		colon = strchr(*list, ':');
		r = fb_mountopt_parse_tmpfs(colon ? colon + 1 : "", &options,
					    err);
	}
	return r;
}

int fb_container_check(const struct fb_container_spec *spec, struct fb_err *err)
{
	FB_STR struct fb_str hosts = FB_STR_INIT(FB_HOSTS_MAX);
	bool net = spec->net != FB_CONTAINER_NET_NONE;
	int r;

	if (spec->memory_bytes < FB_MACHINE_MEMORY_MIN)
		return fb_err_set(
			err, -EINVAL, "Minimum memory limit allowed is %lluMB",
			(unsigned long long)(FB_MACHINE_MEMORY_MIN >> 20));
	if (wants_disk(spec) && (spec->storage_bytes < FB_UPPER_SIZE_MIN ||
				 spec->storage_bytes > FB_UPPER_SIZE_MAX))
		return fb_err_set(err, -EINVAL,
				  "storage size must be between 32m and 16t");
	r = check_tmpfs(spec->tmpfs, err);
	if (r == 0)
		r = fb_hosts_render(spec->add_hosts,
				    net ? FB_NET_V4_GATEWAY : NULL,
				    net ? FB_NET_V4_ADDRESS : NULL,
				    spec->hostname ? spec->hostname : "x",
				    &hosts, err);
	return r;
}

static int choose_engine(struct preparation *p, struct fb_err *err)
{
	struct fb_probe probe = { .kvm = FB_KVM_UNKNOWN };
	const char *accel = p->spec->accel;
	int cache;
	int r;

	/* software emulation asks nothing of the host */
	if (!accel || strcmp(accel, "tcg")) {
		cache = fb_store_dir_fd(p->c->store, FB_STORE_DIR_RUN, NULL);
		fb_probe_cached(cache, &probe);
	}
	r = fb_engine_select(p->spec->engine, accel, &probe, &p->engine, err);
	if (r < 0)
		return r;
	fb_log(p->log, FB_LOG_INFO, "engine %s, accelerator %s%s%s",
	       p->engine.ops->name, fb_accel_name(p->engine.accel),
	       probe.reason[0] ? ": " : "", probe.reason);
	if (p->spec->cpus > p->engine.ops->cpus_max)
		return fb_err_set(err, -EINVAL, "%s has at most %u CPUs",
				  p->engine.ops->title,
				  p->engine.ops->cpus_max);
	return 0;
}

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

static int prepare_files(struct preparation *p, struct fb_err *err)
{
	int disks,
		r = open_file(p->spec->kernel, "vmlinux", &p->kernel_fd, err);

	if (r == 0)
		r = open_file(p->spec->initramfs, "initramfs.cpio",
			      &p->initramfs_fd, err);
	if (r < 0 || !wants_disk(p->spec))
		return r;
	disks = fb_store_dir_fd(p->c->store, FB_STORE_DIR_DISKS, err);
	if (disks < 0)
		return disks;
	return fb_upper_create(disks, p->c->handle.dir_fd,
			       FB_CONTAINER_FILE_UPPER, p->spec->storage_bytes,
			       &p->upper_fd, err);
}

/* passt where it works, otherwise the engine's own network */
static void choose_net(struct preparation *p)
{
	struct fb_net_passt_query query = {
		.cache_dir_fd =
			fb_store_dir_fd(p->c->store, FB_STORE_DIR_RUN, NULL),
		.drop_ids = geteuid() == 0,
		.uid = p->vmm_uid,
		.gid = p->vmm_uid,
	};

	if (!(p->engine.ops->nics & 1u << FB_NIC_STREAM))
		return;
	fb_net_routes_get(&query.routes);
	fb_net_passt_find(&query, &p->passt);
	if (p->passt.program)
		fb_net_passt_guest(&query.routes, &p->net);
	fb_log(p->log, FB_LOG_INFO, "network by %s%s%s",
	       p->passt.program ? p->passt.program : "the engine itself",
	       p->passt.reason[0] ? ": " : "", p->passt.reason);
}

/* the monitor's own program under another name, which needs no path of its own */
static int add_guard(struct preparation *p, struct fb_err *err)
{
	struct fb_plan_process *process = fb_plan_add_process(
		&p->plan, FB_NET_GUARD_NAME, "/proc/self/exe");

	if (!process || fb_strv_add(&process->argv, FB_NET_GUARD_NAME) < 0 ||
	    fb_strv_add(&process->readable, "/proc/self/exe") < 0)
		return fb_err_set(err, -ENOMEM, "prepare the network: %m");
	process->fds[0] = (struct fb_spawn_fd){ FB_LAUNCH_GUARD_GUEST,
						FB_NET_GUARD_GUEST_FD };
	process->fds[1] = (struct fb_spawn_fd){ FB_LAUNCH_GUARD_NET,
						FB_NET_GUARD_NET_FD };
	process->fd_count = 2;
	process->drop_ids = geteuid() == 0;
	process->uid = process->gid = p->vmm_uid;
	return 0;
}

/* its socket is placed by launch(); it makes its own sandbox */
static int add_passt(struct preparation *p, struct fb_err *err)
{
	struct fb_plan_process *process;

	if (!p->passt.program)
		return 0;
	process = fb_plan_add_process(&p->plan, "passt", p->passt.program);
	if (!process ||
	    fb_net_passt_render(&p->net, FB_LAUNCH_NET_NIC, &process->argv) <
		    0 ||
	    fb_plan_give_fd(process, FB_LAUNCH_NET_NIC) < 0)
		return fb_err_set(err, -ENOMEM, "prepare passt: %m");
	process->drop_ids = geteuid() == 0;
	process->uid = process->gid = p->vmm_uid;
	return p->passt.guard ? add_guard(p, err) : 0;
}

static int prepare_net(struct preparation *p, struct fb_err *err)
{
	bool net = p->spec->net != FB_CONTAINER_NET_NONE;
	FB_FREE char *host = NULL;
	uint8_t seed[3];
	int r = 0;

	/* four digits of the id: machines of one host rarely share a user id */
	p->vmm_uid =
		VMM_UID_FIRST +
		(uid_t)strtoul((char[]){ p->c->handle.id[0], p->c->handle.id[1],
					 p->c->handle.id[2], p->c->handle.id[3],
					 '\0' },
			       NULL, 16);
	if (getrandom(seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		return fb_err_set(err, -EIO, "make a MAC address: %m");
	p->resolv_conf = FB_STR_INIT(FB_RESOLV_CONF_MAX * 2);
	p->hosts = FB_STR_INIT(FB_HOSTS_MAX);
	if (net) {
		fb_net_user_plan(seed, &p->net);
		choose_net(p);
		/* a host without one is fine */
		(void)fb_read_file_at(AT_FDCWD, "/etc/resolv.conf",
				      FB_RESOLV_CONF_MAX, &host, NULL);
		r = fb_net_resolv_conf(&p->net, host, &p->resolv_conf);
	}
	if (r < 0)
		return fb_err_set(err, r, "make resolv.conf: %m");
	return fb_hosts_render(p->spec->add_hosts,
			       net ? FB_NET_V4_GATEWAY : NULL,
			       net ? FB_NET_V4_ADDRESS : NULL,
			       p->spec->hostname, &p->hosts, err);
}

static int prepare_plan(struct preparation *p, struct fb_err *err)
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
		.disk_count = wants_disk(spec) ? 2 : 1,
		.nic = spec->net == FB_CONTAINER_NET_NONE ? FB_NIC_NONE
		       : p->passt.program		  ? FB_NIC_STREAM
							  : FB_NIC_USER,
		.nic_fd = FB_LAUNCH_VMM_NIC,
		.channel_fd = FB_LAUNCH_VMM_CHANNEL,
		.console_fd = FB_LAUNCH_VMM_CONSOLE,
		.drop_ids = geteuid() == 0,
	};
	struct fb_plan_process *vmm;
	int r;

	config.uid = config.gid = p->vmm_uid;
	if (p->engine.accel == FB_ACCEL_KVM)
		(void)fb_probe_kvm_group(&config.gid);
	if (p->engine.accel == FB_ACCEL_TCG)
		config.tsc_khz = fb_tsc_khz(
			fb_store_dir_fd(p->c->store, FB_STORE_DIR_RUN, NULL));
	memcpy(config.mac, p->net.mac, sizeof(config.mac));
	r = add_passt(p, err);
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
	p->plan_bytes = FB_STR_INIT(FB_PLAN_ENCODED_MAX);
	r = fb_plan_encode(&p->plan, &p->plan_bytes);
	return r < 0 ? fb_err_set(err, r, "encode the plan: %m") : 0;
}

static int prepare_tmpfs(struct preparation *p, struct fb_err *err)
{
	char *const *list = p->spec->tmpfs;
	size_t count = 0;
	char *colon;

	while (list && list[count])
		count++;
	p->tmpfs = calloc(count ? count : 1, sizeof(*p->tmpfs));
	if (!p->tmpfs)
		return fb_err_set(err, -ENOMEM, "prepare tmpfs: %m");
	for (size_t i = 0; i < count; i++) {
		if (fb_strv_add(&p->tmpfs_texts, list[i]) < 0)
			return fb_err_set(err, -ENOMEM, "prepare tmpfs: %m");
		colon = strchr(p->tmpfs_texts.v[i], ':');
		if (colon)
			*colon = '\0';
		p->tmpfs[i] = (struct fb_spec_tmpfs){
			.path = p->tmpfs_texts.v[i],
			.options = colon ? colon + 1 : "",
		};
	}
	p->tmpfs_count = count;
	return 0;
}

static size_t count_strings(char *const *list)
{
	size_t n = 0;

	while (list && list[n])
		n++;
	return n;
}

static void fill_process(const struct preparation *p,
			 struct fb_spec_process *out)
{
	const struct fb_process *from = p->spec->process;

	out->args = from->args;
	out->arg_count = count_strings(from->args);
	out->env = from->env;
	out->env_count = count_strings(from->env);
	out->cwd = from->cwd;
	out->user = from->user;
	out->terminal = from->terminal;
	out->stdin_open = p->spec->stdin_open;
	if (from->terminal)
		out->size = fb_terminal_size();
	for (unsigned int i = 0; i < from->rlimit_count; i++) {
		struct fb_spec_rlimit *limit = &out->rlimits[i];

		(void)snprintf(limit->name, sizeof(limit->name), "%s",
			       from->rlimits[i].name);
		limit->soft = from->rlimits[i].soft;
		limit->hard = from->rlimits[i].hard;
	}
	out->rlimit_count = from->rlimit_count;
}

static void fill_net(const struct preparation *p, struct fb_spec_net *out)
{
	if (p->spec->net == FB_CONTAINER_NET_NONE)
		return;
	(void)snprintf(out->name, sizeof(out->name), "eth0");
	memcpy(out->mac, p->net.mac, sizeof(out->mac));
	out->mtu = p->net.mtu;
	memcpy(out->v4.addr, p->net.v4, sizeof(p->net.v4));
	memcpy(out->v4.gateway, p->net.v4_gateway, sizeof(p->net.v4_gateway));
	out->v4.prefix = p->net.v4_prefix;
	out->v4.has_gateway = true;
	memcpy(out->v6.addr, p->net.v6, sizeof(p->net.v6));
	memcpy(out->v6.gateway, p->net.v6_gateway, sizeof(p->net.v6_gateway));
	out->v6.prefix = p->net.v6_prefix;
	out->v6.has_gateway = true;
}

static int prepare_spec(struct preparation *p, struct fb_err *err)
{
	const struct fb_container_spec *spec = p->spec;
	struct fb_guest_spec guest = {
		.root = { .device = p->plan.disk_names[0],
			  .fs = FB_SPEC_FS_SQUASHFS,
			  .upper_device = wants_disk(spec)
						  ? p->plan.disk_names[1]
						  : NULL,
			  .disposable = p->c->auto_remove,
			  .read_only = spec->read_only },
		.hostname = spec->hostname,
		.hosts = fb_str_cstr(&p->hosts),
		.resolv_conf = fb_str_cstr(&p->resolv_conf),
		.tmpfs = p->tmpfs,
		.tmpfs_count = p->tmpfs_count,
		.init = spec->init,
		.cpu_quota_us = spec->cpu_quota_us,
		.cpu_period_us = CPU_PERIOD_US,
		.debug = spec->debug,
	};

	fill_process(p, &guest.process);
	fill_net(p, &guest.net);
	p->spec_bytes = FB_STR_INIT(FB_SPEC_ENCODED_MAX);
	return fb_spec_encode(&guest, &p->spec_bytes, err);
}

/* any bytes are legal in a word; what is not UTF-8 is shown with '?' */
static json_t *json_text(const char *word)
{
	json_t *text = json_string(word);
	FB_FREE char *copy = text ? NULL : strdup(word);

	for (char *c = copy; c && *c; c++)
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	return text ? text : json_string(copy ? copy : "");
}

static json_t *json_strings(char *const *list)
{
	json_t *array = json_array();

	for (; list && *list; list++)
		(void)json_array_append_new(array, json_text(*list));
	return array;
}

/* what `inspect` will show; not read back by run */
static int write_config(const struct preparation *p, struct fb_err *err)
{
	const struct fb_process *process = p->spec->process;
	json_t *json = json_pack(
		"{s:s, s:s*, s:o, s:o, s:o, s:o, s:b, s:o, s:i, s:I, s:s, s:s}",
		"Id", p->c->handle.id, "Name", p->c->name, "Args",
		json_strings(process->args), "Env", json_strings(process->env),
		"Cwd", json_text(process->cwd), "User",
		json_text(process->user), "Terminal", process->terminal,
		"Labels", json_strings(p->spec->labels), "Cpus",
		(int)p->spec->cpus, "MemoryBytes",
		(json_int_t)p->spec->memory_bytes, "Engine",
		p->engine.ops->name, "Accelerator",
		fb_accel_name(p->engine.accel));
	FB_FREE char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
	int r;

	json_decref(json);
	if (!text)
		return fb_err_set(err, -ENOMEM, "keep the configuration: %m");
	/* a power failure ends the machine as well: nothing waits for the disk */
	r = fb_replace_file_at(p->c->handle.dir_fd, FB_CONTAINER_FILE_CONFIG,
			       text, strlen(text), 0600);
	if (r == 0)
		r = fb_replace_file_at(p->c->handle.dir_fd,
				       FB_CONTAINER_FILE_READY, "", 0, 0600);
	return r < 0 ? fb_err_set(err, r, "keep the configuration: %m") : 0;
}

static int make_memfd(const char *name, const struct fb_str *bytes, int *ret,
		      struct fb_err *err)
{
	FB_FD int fd = memfd_create(name, MFD_CLOEXEC);
	int r;

	if (fd < 0)
		return fb_err_set(err, -errno, "hand over the %s: %m", name);
	r = fb_write_full(fd, fb_str_cstr(bytes), bytes->len);
	if (r < 0)
		return fb_err_set(err, r, "hand over the %s: %m", name);
	*ret = FB_TAKE_FD(fd);
	return 0;
}

/* descriptors made for the monitor; all closed here afterwards */
struct handover {
	int client[2];
	int channel[2];
	int console[2];
	int nic[2];
	int guard[2];
	int stderr_pipe[2];
	int plan;
	int spec;
};

static void close_handover(struct handover *h)
{
	int *all = (int *)h;

	for (size_t i = 0; i < sizeof(*h) / sizeof(int); i++)
		all[i] = fb_close(all[i]);
}

static int open_handover(const struct preparation *p, struct handover *h,
			 struct fb_err *err)
{
	int type = SOCK_STREAM | SOCK_CLOEXEC;
	int r;

	if (socketpair(AF_UNIX, type, 0, h->client) < 0 ||
	    socketpair(AF_UNIX, type, 0, h->channel) < 0 ||
	    socketpair(AF_UNIX, type, 0, h->console) < 0 ||
	    socketpair(AF_UNIX, type, 0, h->nic) < 0 ||
	    socketpair(AF_UNIX, type, 0, h->guard) < 0 ||
	    pipe2(h->stderr_pipe, O_CLOEXEC) < 0)
		return fb_err_set(err, -errno, "make sockets: %m");
	r = make_memfd("plan", &p->plan_bytes, &h->plan, err);
	return r < 0 ? r : make_memfd("spec", &p->spec_bytes, &h->spec, err);
}

static int spawn_monitor(struct preparation *p, const struct handover *h,
			 struct fb_err *err)
{
	const struct fb_container_handle *handle = &p->c->handle;
	bool guard = p->passt.guard;
	/* those that this machine does not have are left out below */
	struct fb_spawn_fd fds[] = {
		{ h->client[1], FB_LAUNCH_CLIENT },
		{ handle->dir_fd, FB_LAUNCH_DIR },
		{ handle->lock_fd, FB_LAUNCH_LOCK },
		{ h->plan, FB_LAUNCH_PLAN },
		{ h->spec, FB_LAUNCH_SPEC },
		{ h->channel[0], FB_LAUNCH_CHANNEL },
		{ h->console[0], FB_LAUNCH_CONSOLE },
		{ h->stderr_pipe[0], FB_LAUNCH_STDERR },
		{ h->channel[1], FB_LAUNCH_VMM_CHANNEL },
		{ h->console[1], FB_LAUNCH_VMM_CONSOLE },
		{ h->stderr_pipe[1], FB_LAUNCH_VMM_STDERR },
		{ h->nic[0], FB_LAUNCH_VMM_NIC },
		{ guard ? h->guard[1] : h->nic[1], FB_LAUNCH_NET_NIC },
		{ guard ? h->nic[1] : -EBADF, FB_LAUNCH_GUARD_GUEST },
		{ guard ? h->guard[0] : -EBADF, FB_LAUNCH_GUARD_NET },
		{ p->kernel_fd, FB_LAUNCH_VMM_KERNEL },
		{ p->initramfs_fd, FB_LAUNCH_VMM_INITRAMFS },
		{ p->spec->root_fd, FB_LAUNCH_VMM_DISK },
		{ p->upper_fd, FB_LAUNCH_VMM_DISK + 1 },
	};
	FB_FREE char *path = NULL;
	char timeout[16];
	char *const argv[] = { (char[]){ FB_MONITOR_PROGRAM }, timeout,
			       p->c->auto_remove ? (char[]){ "discard" }
						 : (char[]){ "keep" },
			       NULL };
	struct fb_spawn spawn = {
		.argv = argv,
		.fds = fds,
		.new_session = true,
	};
	int r = fb_files_find(FB_MONITOR_PROGRAM, &path, err);

	if (r < 0)
		return r;
	(void)snprintf(timeout, sizeof(timeout), "%u", p->spec->boot_timeout_s);
	for (size_t i = 0; i < FB_ARRAY_SIZE(fds); i++)
		if (fds[i].from >= 0)
			fds[spawn.fd_count++] = fds[i];
	spawn.path = path;
	return fb_spawn(&spawn, &p->c->monitor_pid, NULL, err);
}

static int launch(struct preparation *p, struct fb_err *err)
{
	struct handover h;
	int r;

	memset(&h, 0xff, sizeof(h)); /* -1 everywhere */
	r = open_handover(p, &h, err);
	if (r == 0)
		r = spawn_monitor(p, &h, err);
	if (r == 0) {
		p->c->socket = FB_TAKE_FD(h.client[0]);
		/* from now on the lock is the monitor's alone */
		p->c->handle.lock_fd = fb_close(p->c->handle.lock_fd);
	}
	close_handover(&h);
	return r;
}

int fb_container_start(struct fb_container *c,
		       const struct fb_container_spec *spec,
		       const struct fb_log *log, struct fb_err *err)
{
	struct preparation p = { .spec = spec,
				 .c = c,
				 .log = log,
				 .upper_fd = -EBADF,
				 .kernel_fd = -EBADF,
				 .initramfs_fd = -EBADF };
	int r;

	if ((r = choose_engine(&p, err)) < 0 ||
	    (r = prepare_files(&p, err)) < 0 ||
	    (r = prepare_net(&p, err)) < 0 || (r = prepare_plan(&p, err)) < 0 ||
	    (r = prepare_tmpfs(&p, err)) < 0 ||
	    (r = prepare_spec(&p, err)) < 0 || (r = write_config(&p, err)) < 0)
		fb_err_wrap(err, r, "prepare container '%s'", c->name);
	else if ((r = launch(&p, err)) < 0)
		fb_err_wrap(err, r, "start container '%s'", c->name);
	release(&p);
	return r;
}
