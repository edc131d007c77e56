/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way from a fresh process in fresh namespaces to the entrypoint.
 *
 * Order matters.  The control group comes before its namespace; the root before
 * every mount, so that the image's links stay inside; all mount points before
 * the root turns read-only; /proc before whatever is set through it; what needs
 * root before the user; and the program is looked for as the user, since what
 * it may execute is what counts.
 */
#include "container.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/path.h"
#include "mounts.h"
#include "reaper.h"
#include "user.h"

#define NOFILE_MAX 1048576u /* docker's, and what the kernel allows */

static const struct {
	char name[12];
	int resource;
} rlimit_names[] = {
	{ "as", RLIMIT_AS },
	{ "core", RLIMIT_CORE },
	{ "cpu", RLIMIT_CPU },
	{ "data", RLIMIT_DATA },
	{ "fsize", RLIMIT_FSIZE },
	{ "locks", RLIMIT_LOCKS },
	{ "memlock", RLIMIT_MEMLOCK },
	{ "msgqueue", RLIMIT_MSGQUEUE },
	{ "nice", RLIMIT_NICE },
	{ "nofile", RLIMIT_NOFILE },
	{ "nproc", RLIMIT_NPROC },
	{ "rss", RLIMIT_RSS },
	{ "rtprio", RLIMIT_RTPRIO },
	{ "rttime", RLIMIT_RTTIME },
	{ "sigpending", RLIMIT_SIGPENDING },
	{ "stack", RLIMIT_STACK },
};

static int set_rlimit(const struct fb_spec_rlimit *l, struct fb_err *err)
{
	const struct rlimit limit = { .rlim_cur = l->soft,
				      .rlim_max = l->hard };

	for (size_t i = 0; i < FB_ARRAY_SIZE(rlimit_names); i++) {
		if (strcmp(rlimit_names[i].name, l->name) != 0)
			continue;
		if (setrlimit(rlimit_names[i].resource, &limit) < 0)
			return fb_err_set(err, -errno,
					  "set resource limit '%s': %m",
					  l->name);
		return 0;
	}
	return fb_err_set(err, -EINVAL, "unknown resource limit '%s'", l->name);
}

static int set_rlimits(const struct fb_spec_process *p, struct fb_err *err)
{
	const struct rlimit files = { NOFILE_MAX, NOFILE_MAX };
	const struct rlimit processes = { RLIM_INFINITY, RLIM_INFINITY };
	int r = 0;

	(void)setrlimit(RLIMIT_NOFILE, &files);
	(void)setrlimit(RLIMIT_NPROC, &processes);
	for (size_t i = 0; i < p->rlimit_count && r == 0; i++)
		r = set_rlimit(&p->rlimits[i], err);
	return r;
}

/* docker's: every user may ping, and listen on port 80 */
static void open_network_to_users(void)
{
	static const char *const settings[][2] = {
		{ "/proc/sys/net/ipv4/ping_group_range", "0 2147483647" },
		{ "/proc/sys/net/ipv4/ip_unprivileged_port_start", "0" },
	};

	for (size_t i = 0; i < FB_ARRAY_SIZE(settings); i++) {
		FB_FD int fd = open(settings[i][0], O_WRONLY | O_CLOEXEC);

		if (fd >= 0)
			(void)fb_write_full(fd, settings[i][1],
					    strlen(settings[i][1]));
	}
}

static int set_up(const struct fb_container *c, struct fb_err *err)
{
	const struct fb_guest_spec *spec = c->spec;
	int r;

	if (c->in_cgroup && unshare(CLONE_NEWCGROUP) < 0)
		return fb_err_set(err, -errno, "leave the control group: %m");
	r = fb_mounts_enter_root(err);
	if (r == 0)
		r = fb_mounts_container(spec, c->terminals, err);
	fb_trace_mark(c->trace, "mounts");
	if (r == 0)
		r = fb_files_mount(&c->files, err);
	if (r < 0)
		return r;
	if (spec->hostname &&
	    sethostname(spec->hostname, strlen(spec->hostname)) < 0)
		return fb_err_set(err, -errno, "set host name '%s': %m",
				  spec->hostname);
	open_network_to_users();
	return 0;
}

/* Made if it is missing, owned by root, before / turns read-only */
static int enter_folder(const char *cwd, struct fb_err *err)
{
	int r;

	if (!cwd)
		cwd = "/";
	if (chdir(cwd) == 0)
		return 0;
	r = errno == ENOENT ? fb_mkdirs(cwd, 0755, err) : -errno;
	if (r == 0 && chdir(cwd) < 0)
		r = -errno;
	return r < 0 ? fb_err_set(err, r, "enter working directory '%s': %m",
				  cwd)
		     : 0;
}

static int take_streams(const struct fb_container *c, struct fb_err *err)
{
	FB_FD int null = -EBADF;
	int from[3] = { c->stdio.input, c->stdio.output, c->stdio.error };
	int r;

	(void)setsid();
	if (c->spec->process.terminal) {
		r = fb_terminal_enter(&c->terminal, err);
		if (r < 0)
			return r;
		for (int i = 0; i < 3; i++)
			from[i] = c->terminal.slave;
	} else if (from[0] < 0) {
		null = open("/dev/null", O_RDONLY | O_CLOEXEC);
		from[0] = null;
	}
	for (int i = 0; i < 3; i++)
		if (dup2(from[i], i) < 0)
			return fb_err_set(err, -errno,
					  "open standard streams: %m");
	return 0;
}

/* A file of the image's, or "" where there is none that can be read */
static int read_image_file(const char *path, char **ret, struct fb_err *err)
{
	struct stat st;
	int r = 0;

	*ret = NULL;
	/* not a pipe, on which opening would wait for ever */
	if (stat(path, &st) == 0 && S_ISREG(st.st_mode))
		r = fb_read_file_at(AT_FDCWD, path, FB_USER_FILE_MAX, ret,
				    NULL);
	return r < 0 ? fb_err_set(err, r, "read '%s': %m", path) : 0;
}

static int find_user(const char *text, struct fb_user *ret, struct fb_err *err)
{
	FB_FREE char *passwd = NULL;
	FB_FREE char *group = NULL;
	struct fb_user_files files;
	int r = read_image_file("/etc/passwd", &passwd, err);

	if (r == 0)
		r = read_image_file("/etc/group", &group, err);
	if (r < 0)
		return r;
	files.passwd = passwd ? passwd : "";
	files.group = group ? group : "";
	return fb_user_resolve(text, &files, ret, err);
}

static int become(const struct fb_container *c, const struct fb_user *user,
		  struct fb_err *err)
{
	/* so that /dev/stdout can be opened by who runs here */
	for (int fd = c->stdio.input < 0 && !c->spec->process.terminal;
	     user->uid != 0 && fd < 3; fd++)
		(void)fchown(fd, user->uid, (gid_t)-1);
	if (setgroups(user->group_count, user->groups) < 0 ||
	    setgid(user->gid) < 0 || setuid(user->uid) < 0)
		return fb_err_set(err, -errno, "become user %u:%u: %m",
				  user->uid, user->gid);
	return 0;
}

/* The environment, with HOME where it has none. Return: vector (returned), or NULL */
static char **complete_env(const struct fb_spec_process *p,
			   const struct fb_user *user)
{
	FB_FREE char **env = calloc(p->env_count + 2, sizeof(*env));
	char *home = NULL;
	bool found = false;

	if (!env || asprintf(&home, "HOME=%s", user->home) < 0)
		return NULL;
	for (size_t i = 0; i < p->env_count; i++) {
		env[i] = p->env[i];
		found = found || strncmp(env[i], "HOME=", 5) == 0;
	}
	env[p->env_count] = found ? NULL : home;
	return FB_TAKE_PTR(env);
}

static int prepare(const struct fb_container *c, struct fb_user *user,
		   struct fb_err *err)
{
	const struct fb_guest_spec *spec = c->spec;
	int r = set_up(c, err);

	if (r == 0)
		r = enter_folder(spec->process.cwd, err);
	if (r == 0 && spec->root.read_only)
		r = fb_mounts_read_only(err);
	if (r == 0)
		r = take_streams(c, err);
	if (r == 0)
		r = set_rlimits(&spec->process, err);
	if (r == 0)
		r = find_user(spec->process.user, user, err);
	return r;
}

static int await_init(int go, struct fb_err *err)
{
	char byte;

	if (fb_read_full(go, &byte, 1) != 1)
		return fb_err_set(err, -ECANCELED, "start the process: %m");
	return 0;
}

/* Return: 0 in the process that becomes the entrypoint */
static int split_init(const struct fb_spec_process *p, struct fb_err *err)
{
	pid_t pid = fork();

	if (pid < 0)
		return fb_err_set(err, -errno, "start the process: %m");
	if (pid > 0)
		fb_reaper_run(pid);
	fb_reaper_detach(p->terminal);
	return 0;
}

int fb_container_enter(const struct fb_container *c, struct fb_failure *ret)
{
	const struct fb_spec_process *p = &c->spec->process;
	struct fb_user user;
	struct fb_err err = { 0 };
	char **env = NULL;
	int r = prepare(c, &user, &err);

	fb_trace_mark(c->trace, "prepared");
	if (r == 0)
		r = await_init(c->go, &err);
	if (r == 0 && c->spec->init)
		r = split_init(p, &err);
	if (r == 0)
		r = become(c, &user, &err);
	if (r == 0) {
		env = complete_env(p, &user);
		r = env ? 0 : fb_err_set(&err, -ENOMEM, "environment: %m");
	}
	if (r < 0)
		return fb_failure_set(ret, FB_GUEST_SETUP_FAILED, r, "%s",
				      err.msg);
	(void)umask(022);
	(void)signal(SIGPIPE, SIG_DFL);
	fb_trace_mark(c->trace, "exec");
	return fb_exec(p->args, env, ret);
}
