/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "machine/plan.h"
#include "tap.h"

static void fill(struct fb_plan *plan)
{
	struct fb_plan_process *p =
		fb_plan_add_process(plan, "passt", "/usr/bin/passt");

	if (!p)
		abort();
	(void)fb_strv_add(&p->argv, "passt");
	(void)fb_plan_give_fd(p, 24);
	p = fb_plan_add_process(plan, "QEMU", "/opt/a b/qemu");
	if (!p)
		abort();
	(void)fb_strv_add(&p->argv, "qemu");
	(void)fb_strv_add(&p->argv, "");
	(void)fb_strv_add(&p->argv, "a\nb\xff");
	(void)fb_strv_add(&p->readable, "/usr");
	(void)fb_strv_add(&p->readable, "/lib");
	(void)fb_strv_add(&p->writable, "/dev/null");
	(void)fb_plan_give_fd(p, 20);
	p->fds[p->fd_count++] = (struct fb_spawn_fd){ 22, 2 };
	(void)fb_strv_add(&p->sockets, "/run/machine");
	(void)fb_plan_give_text(p, 64, strdup("{}\n"));
	(void)fb_plan_give_text(p, 65, strdup(""));
	p->namespaces[p->namespace_count++] = 39;
	p->namespaces[p->namespace_count++] = 38;
	p->network = true;
	p->filter = true;
	p->drop_ids = true;
	p->uid = 0x46421234;
	p->gid = 0x46421235;
	p = fb_plan_add_process(plan, "Firecracker", "/usr/bin/jailer");
	if (!p)
		abort();
	(void)fb_strv_add(&p->argv, "jailer");
	p->jail = strdup("firecracker/x/root");
	p->jail_fd = 24;
	(void)fb_strv_add(&p->cgroups, "/sys/fs/cgroup/flamebox/x");
}

static bool same_texts(const struct fb_strv *a, const struct fb_strv *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (strcmp(a->v[i], b->v[i]))
			return false;
	return true;
}

static bool same_files(const struct fb_plan_process *a,
		       const struct fb_plan_process *b)
{
	if (a->text_count != b->text_count)
		return false;
	for (size_t i = 0; i < a->text_count; i++)
		if (a->texts[i].fd != b->texts[i].fd ||
		    strcmp(a->texts[i].text, b->texts[i].text))
			return false;
	return true;
}

static bool same(const struct fb_plan_process *a,
		 const struct fb_plan_process *b)
{
	return !strcmp(a->name, b->name) && !strcmp(a->path, b->path) &&
	       same_texts(&a->argv, &b->argv) &&
	       same_texts(&a->readable, &b->readable) &&
	       same_texts(&a->writable, &b->writable) &&
	       same_texts(&a->sockets, &b->sockets) && same_files(a, b) &&
	       a->fd_count == b->fd_count &&
	       !memcmp(a->fds, b->fds, a->fd_count * sizeof(a->fds[0])) &&
	       a->namespace_count == b->namespace_count &&
	       !memcmp(a->namespaces, b->namespaces,
		       a->namespace_count * sizeof(a->namespaces[0])) &&
	       a->network == b->network && a->filter == b->filter &&
	       a->drop_ids == b->drop_ids && a->uid == b->uid &&
	       a->gid == b->gid && !a->jail == !b->jail &&
	       (!a->jail || !strcmp(a->jail, b->jail)) &&
	       a->jail_fd == b->jail_fd && same_texts(&a->cgroups, &b->cgroups);
}

static void test_round_trip(struct fb_str *bytes)
{
	FB_PLAN struct fb_plan plan = { 0 }, got = { 0 };
	struct fb_err err = { 0 };

	fill(&plan);
	TAP_INT(fb_plan_encode(&plan, bytes), 0, "encode");
	TAP_INT(fb_plan_decode(bytes->buf, bytes->len, &got, &err), 0,
		"decode: %s", err.msg);
	TAP_INT(got.process_count, 3, "three processes");
	TAP_OK(got.process_count == 3 &&
		       same(&plan.processes[0], &got.processes[0]) &&
		       same(&plan.processes[1], &got.processes[1]) &&
		       same(&plan.processes[2], &got.processes[2]),
	       "all of them came over");
}

/* every cut, and every byte changed: an error or a plan, never a crash */
static void test_damage(const struct fb_str *bytes)
{
	size_t cut_ok = 0, broken = 0;
	char *copy;

	for (size_t len = 0; len < bytes->len; len++) {
		struct fb_plan got = { 0 };

		/* of the exact size, so that a sanitizer sees overruns */
		copy = malloc(len ? len : 1);
		if (!copy)
			abort();
		memcpy(copy, bytes->buf, len);
		if (fb_plan_decode(copy, len, &got, NULL) == 0)
			cut_ok++;
		if (got.process_count)
			broken++;
		fb_plan_release(&got);
		free(copy);
	}
	TAP_INT(cut_ok, 0, "no part of a plan is a plan");
	TAP_INT(broken, 0, "a failure writes nothing");
	copy = malloc(bytes->len);
	if (!copy)
		abort();
	for (size_t i = 0; i < bytes->len; i++) {
		struct fb_plan got = { 0 };

		memcpy(copy, bytes->buf, bytes->len);
		copy[i] = (char)~copy[i];
		(void)fb_plan_decode(copy, bytes->len, &got, NULL);
		fb_plan_release(&got);
	}
	TAP_OK(true, "each byte changed");
	free(copy);
}

static int decode(const void *data, size_t len)
{
	struct fb_plan got = { 0 };
	struct fb_err err = { 0 };
	int r = fb_plan_decode(data, len, &got, &err);

	fb_plan_release(&got);
	if (r < 0 && !err.msg[0])
		return 1; /* an error without a text */
	return r;
}

static void test_malformed(const struct fb_str *good)
{
	FB_STR struct fb_str s = FB_STR_INIT(FB_PLAN_ENCODED_MAX + 16);

	TAP_INT(decode("", 0), -EBADMSG, "nothing");
	TAP_INT(decode("FPLX\1\0\0\0", 8), -EBADMSG, "another magic");
	TAP_INT(decode("FPLN\0\0\0\0", 8), -EBADMSG, "no process");
	TAP_INT(decode("FPLN\5\0\0\0", 8), -E2BIG, "too many processes");
	TAP_INT(decode("FPLN\1\0\0\0\xff\xff\xff\xff", 12), -E2BIG,
		"a text of 4 GiB");
	TAP_INT(decode("FPLN\1\0\0\0\x03\0\0\0a\0b", 15), -EBADMSG,
		"a NUL in a text");
	TAP_INT(decode("FPLN\1\0\0\0\1\0\0\0n\1\0\0\0p\xff\xff\0\0", 22),
		-E2BIG, "too many arguments");
	(void)fb_str_append(&s, good->buf, good->len);
	(void)fb_str_putc(&s, 'x');
	TAP_INT(decode(s.buf, s.len), -EBADMSG, "a byte too many");
	while (s.len <= FB_PLAN_ENCODED_MAX)
		(void)fb_str_append(&s, "0123456789", 10);
	TAP_INT(decode(s.buf, s.len), -E2BIG, "too many bytes");
}

static void test_limits(void)
{
	FB_STR struct fb_str out = FB_STR_INIT(100);
	FB_PLAN struct fb_plan plan = { 0 };
	struct fb_plan_process *p = NULL;
	int r = 0;

	for (int i = 0; i < FB_PLAN_PROCESSES_MAX; i++)
		p = fb_plan_add_process(&plan, "a", "/a");
	TAP_OK(p && !fb_plan_add_process(&plan, "a", "/a"),
	       "at most %d processes", FB_PLAN_PROCESSES_MAX);
	for (int i = 0; i < FB_PLAN_FDS_MAX; i++)
		r = r ? r : fb_plan_give_fd(p, i);
	TAP_INT(r, 0, "as many descriptors as there may be");
	TAP_INT(fb_plan_give_fd(p, 99), -E2BIG, "and no more");
	for (int i = 0; i < FB_PLAN_TEXTS_MAX; i++)
		r = r ? r : fb_plan_give_text(p, i, strdup(""));
	TAP_INT(r, 0, "as many texts as there may be");
	TAP_INT(fb_plan_give_text(p, 99, strdup("")), -E2BIG, "and no more");
	TAP_INT(fb_plan_give_text(p, 99, NULL), -ENOMEM, "a text that is none");
	TAP_INT(fb_plan_encode(&plan, &out), -E2BIG, "a full buffer is said");
}

static void test_spawn_errors(void)
{
	FB_PLAN struct fb_plan plan = { 0 };
	struct fb_plan_process *p =
		fb_plan_add_process(&plan, "gone", "/nonexistent/program");
	struct fb_err err = { 0 };
	int pidfd = -EBADF;
	pid_t pid;

	(void)fb_strv_add(&p->argv, "program");
	TAP_INT(fb_plan_spawn(p, &pid, &pidfd, &err), -ENOENT,
		"a missing program: %s", err.msg);
	TAP_INT(pidfd, -EBADF, "and nothing was returned");
}

/* a program reads its text by the path that it is told */
static void test_text_as_file(void)
{
	FB_PLAN struct fb_plan plan = { 0 };
	struct fb_plan_process *p =
		fb_plan_add_process(&plan, "cat", "/bin/cat");
	FB_FD int from = -EBADF, to = -EBADF, pidfd = -EBADF;
	struct fb_err err = { 0 };
	int fds[2], status = -1, r;
	char got[16] = "";
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		abort();
	from = fds[0];
	to = fds[1];
	(void)fb_strv_add(&p->argv, "cat");
	(void)fb_strv_add(&p->argv, "/proc/self/fd/64");
	(void)fb_strv_add(&p->argv, "/proc/self/fd/65");
	(void)fb_plan_give_text(p, 65, strdup("two\n"));
	(void)fb_plan_give_text(p, 64, strdup("one\n"));
	p->fds[p->fd_count++] = (struct fb_spawn_fd){ to, 1 };
	r = fb_plan_spawn(p, &pid, &pidfd, &err);
	to = fb_close(to);
	TAP_INT(r, 0, "start: %s", err.msg);
	if (r < 0)
		return;
	(void)fb_read_full(from, got, sizeof(got) - 1);
	(void)fb_spawn_wait(pid, &status);
	TAP_STR(got, "one\ntwo\n", "it read both texts");
	TAP_INT(status, 0, "and ended well");
}

int main(void)
{
	FB_STR struct fb_str bytes = FB_STR_INIT(FB_PLAN_ENCODED_MAX);

	test_round_trip(&bytes);
	test_damage(&bytes);
	test_malformed(&bytes);
	test_limits();
	test_spawn_errors();
	test_text_as_file();
	return tap_done();
}
