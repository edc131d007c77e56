/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/process.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "oci/env.h"

#define DEFAULT_PATH \
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static int add_all(struct fb_strv *to, char *const *list)
{
	for (; list && *list; list++)
		(void)fb_strv_add(to, *list);
	return to->err;
}

static int merge_args(const struct fb_image_config *config,
		      const struct fb_process_flags *flags, struct fb_strv *ret,
		      struct fb_err *err)
{
	bool own_entrypoint = flags->entrypoint != NULL;
	bool words = flags->args && flags->args[0];
	int r;

	if (own_entrypoint && flags->entrypoint[0])
		(void)fb_strv_add(ret, flags->entrypoint);
	else if (!own_entrypoint)
		(void)add_all(ret, config->entrypoint);
	if (words)
		r = add_all(ret, flags->args);
	else if (!own_entrypoint)
		r = add_all(ret, config->cmd);
	else
		r = ret->err;
	if (r < 0)
		return fb_err_set(err, r, "merge arguments: %m");
	if (ret->count == 0)
		return fb_err_hint(
			err, fb_err_set(err, -EINVAL, "no command specified"),
			"the image has no entrypoint and no command: "
			"name one after the image");
	return 0;
}

/*
 * Docker's order: its own PATH, HOSTNAME, TERM; the user's; what the image has
 * besides.  The user's value counts before the image's, that before docker's.
 */
static int merge_env(const struct fb_image_config *config,
		     const struct fb_process_flags *flags, struct fb_strv *ret,
		     struct fb_err *err)
{
	FB_STRV struct fb_strv own = { 0 };
	int r = fb_strv_add(&own, DEFAULT_PATH);

	if (r == 0 && flags->hostname)
		r = fb_strv_addf(&own, "HOSTNAME=%s", flags->hostname);
	if (r == 0 && flags->terminal)
		r = fb_strv_add(&own, "TERM=xterm");
	if (r == 0) {
		const struct fb_env_list lists[] = {
			{ own.v, 0 },
			{ flags->env, 2 },
			{ config->env, 1 },
		};

		r = fb_env_merge(lists, FB_ARRAY_SIZE(lists), ret);
	}
	/* "-e PATH" can have taken everything away */
	if (r == 0 && !ret->v)
		ret->v = calloc(1, sizeof(*ret->v));
	if (r == 0 && !ret->v)
		r = -ENOMEM;
	return r < 0 ? fb_err_set(err, r, "merge environment: %m") : 0;
}

/* "/a//b/./../c/" → "/a/c", by its letters alone, as docker does */
static void clean_path(char *path)
{
	char *to = path;
	const char *from = path;
	size_t n;

	for (; *from; from += n) {
		from += strspn(from, "/");
		n = strcspn(from, "/");
		if (n == 2 && from[0] == '.' && from[1] == '.') {
			while (to > path && *--to != '/')
				;
		} else if (n > 0 && !(n == 1 && from[0] == '.')) {
			*to++ = '/';
			memmove(to, from, n);
			to += n;
		}
	}
	if (to == path)
		*to++ = '/';
	*to = '\0';
}

static int merge_cwd(const struct fb_image_config *config,
		     const struct fb_process_flags *flags, char **ret,
		     struct fb_err *err)
{
	bool own = flags->cwd && flags->cwd[0];
	const char *cwd = own ? flags->cwd : config->working_dir;

	/* an image may say it relative to its root; a user may not */
	if (own && cwd[0] != '/')
		return fb_err_set(err, -EINVAL,
				  "the working directory '%s' is invalid, it "
				  "needs to be an absolute path",
				  cwd);
	if (asprintf(ret, "/%s", cwd ? cwd : "") < 0) {
		*ret = NULL;
		return fb_err_set(err, -ENOMEM, "merge working directory: %m");
	}
	clean_path(*ret);
	return 0;
}

/* a signal that an image names wrongly is SIGTERM, as with docker */
static int merge_stop_signal(const struct fb_image_config *config,
			     const struct fb_process_flags *flags, int *ret,
			     struct fb_err *err)
{
	const char *text = flags->stop_signal;
	int number = -EINVAL;

	if (text && text[0]) {
		number = fb_signal_parse(text);
		if (number < 0)
			return fb_err_set(err, -EINVAL, "invalid signal: %s",
					  text);
	} else if (config->stop_signal && config->stop_signal[0]) {
		number = fb_signal_parse(config->stop_signal);
	}
	*ret = number < 0 ? SIGTERM : number;
	return 0;
}

/* of several values for one limit the last one counts */
static int merge_rlimits(const struct fb_process_flags *flags,
			 struct fb_process *p, struct fb_err *err)
{
	for (unsigned int i = 0; i < flags->rlimit_count; i++) {
		unsigned int k = 0;

		while (k < p->rlimit_count &&
		       strcmp(p->rlimits[k].name, flags->rlimits[i].name))
			k++;
		if (k == FB_RLIMITS_MAX)
			return fb_err_set(err, -EINVAL, "over %d ulimits",
					  FB_RLIMITS_MAX);
		p->rlimits[k] = flags->rlimits[i];
		if (k == p->rlimit_count)
			p->rlimit_count++;
	}
	return 0;
}

/* @p is released by the caller, also half built */
static int merge_into(const struct fb_image_config *config,
		      const struct fb_process_flags *flags,
		      struct fb_process *p, struct fb_err *err)
{
	FB_STRV struct fb_strv args = { 0 }, env = { 0 };
	const char *user =
		flags->user && flags->user[0] ? flags->user : config->user;
	int r;

	if ((r = merge_args(config, flags, &args, err)) < 0 ||
	    (r = merge_env(config, flags, &env, err)) < 0 ||
	    (r = merge_cwd(config, flags, &p->cwd, err)) < 0 ||
	    (r = merge_stop_signal(config, flags, &p->stop_signal, err)) < 0 ||
	    (r = merge_rlimits(flags, p, err)) < 0)
		return r;
	p->user = strdup(user ? user : "");
	if (!p->user)
		return fb_err_set(err, -ENOMEM, "merge user: %m");
	p->args = FB_TAKE_PTR(args.v);
	p->env = FB_TAKE_PTR(env.v);
	args = (struct fb_strv){ 0 };
	env = (struct fb_strv){ 0 };
	p->terminal = flags->terminal;
	return 0;
}

int fb_process_merge(const struct fb_image_config *config,
		     const struct fb_process_flags *flags,
		     struct fb_process *ret, struct fb_err *err)
{
	struct fb_process p = { 0 };
	int r = merge_into(config, flags, &p, err);

	if (r < 0) {
		fb_process_release(&p);
		return r;
	}
	*ret = p;
	return 0;
}

static void free_list(char **list)
{
	for (char **item = list; item && *item; item++)
		free(*item);
	free(list);
}

void fb_process_release(struct fb_process *process)
{
	free_list(process->args);
	free_list(process->env);
	free(process->cwd);
	free(process->user);
	*process = (struct fb_process){ 0 };
}
