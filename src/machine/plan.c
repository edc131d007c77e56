/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The encoding: little-endian 32-bit numbers, and texts as a number of bytes and
 * the bytes.  It never leaves the machine and the version that made it, so there
 * is nothing to negotiate; it is still bounded and checked like any input.
 */
#include "machine/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "machine/jail.h"
#include "machine/sandbox.h"

#define MAGIC 0x4e4c5046u /* "FPLN" */
#define TEXT_MAX 65536u

/* how a process gets its user */
enum { IDS_DROPPED = 1, IDS_JAILED };

void fb_plan_release(struct fb_plan *plan)
{
	for (size_t i = 0; i < plan->process_count; i++) {
		struct fb_plan_process *p = &plan->processes[i];

		free(p->name);
		free(p->path);
		free(p->jail);
		fb_strv_release(&p->cgroups);
		fb_strv_release(&p->argv);
		fb_strv_release(&p->readable);
		fb_strv_release(&p->writable);
		fb_strv_release(&p->sockets);
		for (size_t k = 0; k < p->text_count; k++)
			free(p->texts[k].text);
	}
	*plan = (struct fb_plan){ 0 };
}

struct fb_plan_process *fb_plan_add_process(struct fb_plan *plan,
					    const char *name, const char *path)
{
	struct fb_plan_process *p;

	if (plan->process_count == FB_PLAN_PROCESSES_MAX)
		return NULL;
	p = &plan->processes[plan->process_count];
	p->name = strdup(name);
	p->path = strdup(path);
	if (!p->name || !p->path) {
		free(p->name);
		free(p->path);
		p->name = p->path = NULL;
		return NULL;
	}
	p->argv.max = FB_PLAN_ARGS_MAX;
	p->readable.max = p->writable.max = FB_PLAN_PATHS_MAX;
	p->sockets.max = p->cgroups.max = FB_PLAN_PATHS_MAX;
	plan->process_count++;
	return p;
}

void fb_plan_allow_libraries(struct fb_plan_process *process)
{
	static const char *const paths[] = {
		"/usr",
		"/lib",
		"/lib64",
		"/etc/ld.so.cache",
		"/etc/ld.so.preload",
		"/proc/self",
	};

	for (size_t i = 0; i < FB_ARRAY_SIZE(paths); i++)
		(void)fb_strv_add(&process->readable, paths[i]);
}

int fb_plan_give_fd(struct fb_plan_process *process, int fd)
{
	if (process->fd_count == FB_PLAN_FDS_MAX)
		return -E2BIG;
	process->fds[process->fd_count++] = (struct fb_spawn_fd){ fd, fd };
	return 0;
}

int fb_plan_give_text(struct fb_plan_process *process, int fd, char *text)
{
	if (!text)
		return -ENOMEM;
	if (process->text_count == FB_PLAN_TEXTS_MAX) {
		free(text);
		return -E2BIG;
	}
	process->texts[process->text_count++] =
		(struct fb_plan_text){ fd, text };
	return 0;
}

static void put_u32(struct fb_str *out, uint32_t value)
{
	uint8_t bytes[4] = { (uint8_t)value, (uint8_t)(value >> 8),
			     (uint8_t)(value >> 16), (uint8_t)(value >> 24) };

	(void)fb_str_append(out, bytes, sizeof(bytes));
}

static void put_text(struct fb_str *out, const char *text)
{
	put_u32(out, (uint32_t)strlen(text));
	(void)fb_str_puts(out, text);
}

static void put_texts(struct fb_str *out, const struct fb_strv *texts)
{
	put_u32(out, (uint32_t)texts->count);
	for (size_t i = 0; i < texts->count; i++)
		put_text(out, texts->v[i]);
}

static void put_process(struct fb_str *out, const struct fb_plan_process *p)
{
	put_text(out, p->name);
	put_text(out, p->path);
	put_texts(out, &p->argv);
	put_texts(out, &p->readable);
	put_texts(out, &p->writable);
	put_texts(out, &p->sockets);
	put_u32(out, (uint32_t)p->text_count);
	for (size_t i = 0; i < p->text_count; i++) {
		put_u32(out, (uint32_t)p->texts[i].fd);
		put_text(out, p->texts[i].text);
	}
	put_u32(out, (uint32_t)p->fd_count);
	for (size_t i = 0; i < p->fd_count; i++) {
		put_u32(out, (uint32_t)p->fds[i].from);
		put_u32(out, (uint32_t)p->fds[i].to);
	}
	put_u32(out, (uint32_t)p->namespace_count);
	for (size_t i = 0; i < p->namespace_count; i++)
		put_u32(out, (uint32_t)p->namespaces[i]);
	put_u32(out, p->network);
	put_u32(out, p->filter);
	put_u32(out, p->jail ? IDS_JAILED : p->drop_ids ? IDS_DROPPED : 0);
	put_u32(out, p->uid);
	put_u32(out, p->gid);
	if (!p->jail)
		return;
	put_text(out, p->jail);
	put_u32(out, (uint32_t)p->jail_fd);
	put_texts(out, &p->cgroups);
}

int fb_plan_encode(const struct fb_plan *plan, struct fb_str *out)
{
	put_u32(out, MAGIC);
	put_u32(out, (uint32_t)plan->process_count);
	for (size_t i = 0; i < plan->process_count; i++)
		put_process(out, &plan->processes[i]);
	return out->err;
}

/* a cursor that stops at the first thing that does not fit */
struct cursor {
	const uint8_t *at;
	size_t left;
	int bad;
};

static uint32_t get_u32(struct cursor *c, uint32_t max)
{
	uint32_t value;

	if (c->bad)
		return 0;
	if (c->left < 4) {
		c->bad = -EBADMSG;
		return 0;
	}
	value = (uint32_t)c->at[0] | (uint32_t)c->at[1] << 8 |
		(uint32_t)c->at[2] << 16 | (uint32_t)c->at[3] << 24;
	c->at += 4;
	c->left -= 4;
	if (value > max) {
		c->bad = -E2BIG;
		return 0;
	}
	return value;
}

static char *get_text(struct cursor *c)
{
	uint32_t len = get_u32(c, TEXT_MAX);
	char *text;

	if (c->bad || len > c->left || memchr(c->at, '\0', len)) {
		c->bad = c->bad ? c->bad : -EBADMSG;
		return NULL;
	}
	text = strndup((const char *)c->at, len);
	if (!text)
		c->bad = -ENOMEM;
	c->at += len;
	c->left -= len;
	return text;
}

static void get_texts(struct cursor *c, struct fb_strv *out, uint32_t max)
{
	uint32_t count = get_u32(c, max);
	char *text;

	for (uint32_t i = 0; i < count && !c->bad; i++) {
		text = get_text(c);
		if (text && fb_strv_take_add(out, text) < 0)
			c->bad = out->err;
	}
}

static void get_files(struct cursor *c, struct fb_plan_process *p)
{
	uint32_t count = get_u32(c, FB_PLAN_TEXTS_MAX);

	for (uint32_t i = 0; i < count && !c->bad; i++) {
		int fd = (int)get_u32(c, 511);
		char *text = get_text(c);

		if (text)
			(void)fb_plan_give_text(p, fd, text);
	}
}

static void get_process(struct cursor *c, struct fb_plan *plan)
{
	FB_FREE char *name = get_text(c);
	FB_FREE char *path = get_text(c);
	struct fb_plan_process *p =
		name && path ? fb_plan_add_process(plan, name, path) : NULL;
	uint32_t ids;

	if (!p) {
		c->bad = c->bad ? c->bad : -ENOMEM;
		return;
	}
	get_texts(c, &p->argv, FB_PLAN_ARGS_MAX);
	get_texts(c, &p->readable, FB_PLAN_PATHS_MAX);
	get_texts(c, &p->writable, FB_PLAN_PATHS_MAX);
	get_texts(c, &p->sockets, FB_PLAN_PATHS_MAX);
	get_files(c, p);
	p->fd_count = get_u32(c, FB_PLAN_FDS_MAX);
	for (size_t i = 0; i < p->fd_count; i++) {
		p->fds[i].from = (int)get_u32(c, 65535);
		p->fds[i].to = (int)get_u32(c, 511);
	}
	p->namespace_count = get_u32(c, FB_PLAN_NAMESPACES_MAX);
	for (size_t i = 0; i < p->namespace_count; i++)
		p->namespaces[i] = (int)get_u32(c, 65535);
	p->network = get_u32(c, 1) != 0;
	p->filter = get_u32(c, 1) != 0;
	ids = get_u32(c, IDS_JAILED);
	p->drop_ids = ids == IDS_DROPPED;
	p->uid = get_u32(c, UINT32_MAX);
	p->gid = get_u32(c, UINT32_MAX);
	if (ids == IDS_JAILED) {
		p->jail = get_text(c);
		p->jail_fd = (int)get_u32(c, 511);
		get_texts(c, &p->cgroups, FB_PLAN_PATHS_MAX);
	}
	if (!c->bad && p->argv.count == 0)
		c->bad = -EBADMSG;
}

int fb_plan_decode(const void *data, size_t len, struct fb_plan *ret,
		   struct fb_err *err)
{
	struct cursor c = { .at = data, .left = len };
	struct fb_plan plan = { 0 };
	uint32_t count;

	if (len > FB_PLAN_ENCODED_MAX)
		return fb_err_set(err, -E2BIG, "machine plan is too large");
	if (get_u32(&c, UINT32_MAX) != MAGIC)
		c.bad = -EBADMSG;
	count = get_u32(&c, FB_PLAN_PROCESSES_MAX);
	for (uint32_t i = 0; i < count && !c.bad; i++)
		get_process(&c, &plan);
	if (!c.bad && (count == 0 || c.left > 0))
		c.bad = -EBADMSG;
	if (c.bad) {
		fb_plan_release(&plan);
		return fb_err_set(err, c.bad, "machine plan is malformed");
	}
	*ret = plan;
	return 0;
}

static int prepare_child(void *ctx)
{
	const struct fb_plan_process *p = ctx;
	const struct fb_sandbox sandbox = {
		.readable = p->readable.v,
		.writable = p->writable.v,
		.sockets = p->sockets.v,
		.network = p->network,
	};
	int r;

	if (setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 }) < 0)
		return -errno;
	if (p->jail)
		return fb_jail_enter(p);
	r = p->readable.count ? fb_sandbox_apply(&sandbox) : 0;
	return r == 0 && p->filter ? fb_sandbox_filter() : r;
}

/* as a file of memory that goes with the process; any user may open it again */
static int make_file(const struct fb_plan_text *text, int *ret,
		     struct fb_err *err)
{
	FB_FD int fd = memfd_create("flamebox", MFD_CLOEXEC);
	int r;

	if (fd < 0)
		return fb_err_set(err, -errno, "hand over a text: %m");
	r = fb_write_full(fd, text->text, strlen(text->text));
	if (r < 0)
		return fb_err_set(err, r, "hand over a text: %m");
	*ret = FB_TAKE_FD(fd);
	return 0;
}

/* Return: descriptors in @ret, those of texts at its end and ours to close */
static int gather_fds(const struct fb_plan_process *p, struct fb_spawn_fd *ret,
		      struct fb_err *err)
{
	size_t n = p->fd_count;
	int r = 0;

	memcpy(ret, p->fds, n * sizeof(*ret));
	for (size_t i = 0; i < p->text_count; i++)
		ret[n + i] = (struct fb_spawn_fd){ -EBADF, p->texts[i].fd };
	for (size_t i = 0; i < p->text_count && r == 0; i++)
		r = make_file(&p->texts[i], &ret[n + i].from, err);
	return r;
}

int fb_plan_spawn(const struct fb_plan_process *process, pid_t *ret_pid,
		  int *ret_pidfd, struct fb_err *err)
{
	struct fb_spawn_fd fds[FB_PLAN_FDS_MAX + FB_PLAN_TEXTS_MAX];
	struct fb_plan_process copy = *process;
	struct fb_spawn spec = {
		.path = process->path,
		.argv = process->argv.v,
		.envp = (char *[]){ (char[]){ "PATH=/usr/bin:/bin" },
				    (char[]){ "LC_ALL=C" }, NULL },
		.fds = fds,
		.fd_count = process->fd_count + process->text_count,
		.namespaces = process->namespaces,
		.namespace_count = process->namespace_count,
		.new_pid_namespace = process->jail != NULL,
		.die_with_parent = true,
		.drop_ids = process->drop_ids,
		.uid = process->uid,
		.gid = process->gid,
		.prepare = prepare_child,
		.prepare_ctx = &copy,
	};
	int r = gather_fds(process, fds, err);

	if (r == 0)
		r = fb_spawn(&spec, ret_pid, ret_pidfd, err);
	for (size_t i = 0; i < process->text_count; i++)
		(void)fb_close(fds[process->fd_count + i].from);
	return r;
}
