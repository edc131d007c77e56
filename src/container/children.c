/* SPDX-License-Identifier: Apache-2.0 */
#include "container/children.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "machine/jail.h"

void fb_children_init(struct fb_children *c)
{
	*c = (struct fb_children){ 0 };
	for (size_t i = 0; i < FB_PLAN_PROCESSES_MAX; i++)
		c->pidfds[i] = -EBADF;
}

static int load_plan(int fd, struct fb_plan *ret, struct fb_err *err)
{
	FB_FREE char *data = malloc(FB_PLAN_ENCODED_MAX);
	ssize_t n;

	if (!data)
		return fb_err_set(err, -ENOMEM, "read the plan: %m");
	n = fb_pread_full(fd, data, FB_PLAN_ENCODED_MAX, 0);
	if (n < 0)
		return fb_err_set(err, (int)n, "read the plan: %m");
	return fb_plan_decode(data, (size_t)n, ret, err);
}

int fb_children_start(struct fb_children *c, int plan_fd, struct fb_err *err)
{
	int r = load_plan(plan_fd, &c->plan, err);

	if (r < 0)
		return r;
	if (c->plan.process_count == 0)
		r = fb_err_set(err, -EBADMSG, "the plan has no process");
	for (size_t i = 0; i < c->plan.process_count && r == 0; i++)
		r = fb_plan_spawn(&c->plan.processes[i], &c->pids[i],
				  &c->pidfds[i], err);
	return r;
}

/* Return: index of the VMM, or -1 while there is no plan */
static int vmm(const struct fb_children *c)
{
	return (int)c->plan.process_count - 1;
}

int fb_children_vmm_fd(const struct fb_children *c)
{
	return vmm(c) < 0 ? -EBADF : c->pidfds[vmm(c)];
}

void fb_children_kill_vmm(const struct fb_children *c)
{
	if (vmm(c) >= 0 && c->pids[vmm(c)] > 0)
		(void)kill(c->pids[vmm(c)], SIGKILL);
}

static int reap(struct fb_children *c, size_t i)
{
	int status = 0;

	if (fb_spawn_wait(c->pids[i], &status) < 0)
		status = 0;
	c->pids[i] = 0;
	c->pidfds[i] = fb_close(c->pidfds[i]);
	if (!c->plan.processes[i].jail)
		return status;
	fb_jail_remove_cgroups(&c->plan.processes[i]);
	return fb_jail_status(status);
}

int fb_children_reap_vmm(struct fb_children *c)
{
	return reap(c, (size_t)vmm(c));
}

void fb_children_release(struct fb_children *c)
{
	for (size_t i = 0; i < FB_PLAN_PROCESSES_MAX; i++) {
		if (c->pids[i] <= 0)
			continue;
		(void)kill(c->pids[i], SIGKILL);
		(void)reap(c, i);
	}
	fb_plan_release(&c->plan);
}
