/* SPDX-License-Identifier: Apache-2.0 */
/* What PID 1 is told. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "container/prepare.h"
#include "container/terminal.h"

#define CPU_PERIOD_US 100000u

static int prepare_tmpfs(struct fb_preparation *p, struct fb_err *err)
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

static void fill_process(const struct fb_preparation *p,
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

static void fill_net(const struct fb_preparation *p, struct fb_spec_net *out)
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

int fb_prepare_spec(struct fb_preparation *p, struct fb_err *err)
{
	const struct fb_container_spec *spec = p->spec;
	struct fb_guest_spec guest = {
		.root = { .device = p->plan.disk_names[0],
			  .fs = FB_SPEC_FS_SQUASHFS,
			  .upper_device = fb_wants_disk(spec)
						  ? p->plan.disk_names[1]
						  : NULL,
			  .disposable = p->c->auto_remove,
			  .read_only = spec->read_only },
		.hostname = spec->hostname,
		.hosts = fb_str_cstr(&p->hosts),
		.resolv_conf = fb_str_cstr(&p->resolv_conf),
		.init = spec->init,
		.cpu_quota_us = spec->cpu_quota_us,
		.cpu_period_us = CPU_PERIOD_US,
		.debug = spec->debug,
	};
	int r = prepare_tmpfs(p, err);

	if (r < 0)
		return r;
	guest.tmpfs = p->tmpfs;
	guest.tmpfs_count = p->tmpfs_count;
	fill_process(p, &guest.process);
	fill_net(p, &guest.net);
	p->spec_bytes = FB_STR_INIT(FB_SPEC_ENCODED_MAX);
	return fb_spec_encode(&guest, &p->spec_bytes, err);
}
