/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation.  /proc is read once, process by process, into pairs of pid and
 * parent; what descends from the head is found in them.  Only then a pidfd is opened
 * for each, and its parent read again: a pid that went to another process meanwhile
 * has another parent.
 */
#include "container/family.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"

#define STAT_MAX 4096

/* "PID (NAME) STATE PARENT …", where NAME may hold anything */
static bool read_stat(int proc_fd, const char *path, char *ret_state,
		      pid_t *ret_parent)
{
	FB_FREE char *text = NULL;
	const char *at;

	if (fb_read_file_at(proc_fd, path, STAT_MAX, &text, NULL) < 0)
		return false;
	at = strrchr(text, ')');
	return at && sscanf(at, ") %c %d", ret_state, ret_parent) == 2;
}

static bool read_process(int proc_fd, pid_t pid, pid_t *ret_parent)
{
	char path[32], state;

	(void)snprintf(path, sizeof(path), "%d/stat", pid);
	return read_stat(proc_fd, path, &state, ret_parent);
}

static int add(struct fb_family *f, struct fb_family_member member)
{
	void *v;

	/* doubled whenever the count is a power of two */
	if ((f->count & (f->count - 1)) == 0) {
		v = reallocarray(f->v, f->count ? f->count * 2 : 1,
				 sizeof(*f->v));
		if (!v)
			return -ENOMEM;
		f->v = v;
	}
	f->v[f->count++] = member;
	return 0;
}

static int list_all(DIR *proc, struct fb_family *all)
{
	const struct dirent *entry;
	int r = 0;

	while (r == 0 && (entry = readdir(proc))) {
		struct fb_family_member m = { .pid = (pid_t)atol(entry->d_name),
					      .pidfd = -EBADF };

		if (m.pid > 0 && read_process(dirfd(proc), m.pid, &m.parent))
			r = add(all, m);
	}
	return r;
}

static bool has(const struct fb_family *f, pid_t pid)
{
	for (size_t i = 0; i < f->count; i++)
		if (f->v[i].pid == pid)
			return true;
	return false;
}

/* Return: 1 somebody was added; 0 nobody is left; a negative errno */
static int add_children(const struct fb_family *all, pid_t head,
			struct fb_family *ret)
{
	int r = 0;

	for (size_t i = 0; i < all->count && r >= 0; i++) {
		const struct fb_family_member *m = &all->v[i];

		if ((m->parent != head && !has(ret, m->parent)) ||
		    has(ret, m->pid))
			continue;
		r = add(ret, *m) < 0 ? -ENOMEM : 1;
	}
	return r;
}

/* what has ended meanwhile, or is somebody else by now, is left out */
static void hold(int proc_fd, struct fb_family *f)
{
	size_t kept = 0;
	pid_t parent;

	for (size_t i = 0; i < f->count; i++) {
		struct fb_family_member m = f->v[i];

		m.pidfd = pidfd_open(m.pid, 0);
		if (m.pidfd >= 0 && read_process(proc_fd, m.pid, &parent) &&
		    parent == m.parent)
			f->v[kept++] = m;
		else
			(void)fb_close(m.pidfd);
	}
	f->count = kept;
}

int fb_family_find(pid_t head, struct fb_family *ret)
{
	FB_DIR DIR *proc = opendir("/proc");
	FB_FAMILY struct fb_family all = { 0 };
	struct fb_family found = { 0 };
	int r;

	if (!proc)
		return -errno;
	r = list_all(proc, &all);
	if (r < 0)
		return r;
	do {
		r = add_children(&all, head, &found);
	} while (r > 0);
	if (r < 0) {
		fb_family_release(&found);
		return r;
	}
	hold(dirfd(proc), &found);
	*ret = found;
	return 0;
}

void fb_family_release(struct fb_family *family)
{
	for (size_t i = 0; i < family->count; i++)
		(void)fb_close(family->v[i].pidfd);
	free(family->v);
	*family = (struct fb_family){ 0 };
}

int fb_family_signal(const struct fb_family *family, int sig)
{
	int r = 0;

	for (size_t i = 0; i < family->count; i++)
		if (pidfd_send_signal(family->v[i].pidfd, sig, NULL, 0) < 0 &&
		    errno != ESRCH && r == 0)
			r = -errno;
	return r;
}

/* one that has ended stands as well */
static bool all_threads_stand(pid_t pid)
{
	char path[32], name[32], state;
	FB_DIR DIR *tasks = NULL;
	const struct dirent *entry;
	pid_t parent;

	(void)snprintf(path, sizeof(path), "/proc/%d/task", pid);
	tasks = opendir(path);
	while (tasks && (entry = readdir(tasks))) {
		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(name, sizeof(name), "%.10s/stat", entry->d_name);
		if (read_stat(dirfd(tasks), name, &state, &parent) &&
		    !strchr("TtZXx", state))
			return false;
	}
	return true;
}

bool fb_family_stands(const struct fb_family *family)
{
	for (size_t i = 0; i < family->count; i++)
		if (!all_threads_stand(family->v[i].pid))
			return false;
	return family->count > 0;
}
