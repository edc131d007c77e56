/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/process.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define DEFAULT_PATH                                                           \
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
		return fb_err_hint(err,
				   fb_err_set(err, -EINVAL,
					      "no command specified"),
				   "the image has no entrypoint and no command: "
				   "name one after the image");
	/* an entrypoint of "" is refused by docker as well */
	if (!ret->v[0][0])
		return fb_err_set(err, -EINVAL, "the command to run is empty");
	return 0;
}

static size_t name_length(const char *variable)
{
	return strcspn(variable, "=");
}

/* later ones replace earlier ones where these stand */
static int set_variable(struct fb_strv *env, const char *variable)
{
	size_t len = name_length(variable);
	char *copy;

	for (size_t i = 0; i < env->count; i++) {
		if (name_length(env->v[i]) != len ||
		    strncmp(env->v[i], variable, len))
			continue;
		copy = strdup(variable);
		if (!copy)
			return -ENOMEM;
		free(env->v[i]);
		env->v[i] = copy;
		return 0;
	}
	return fb_strv_add(env, variable);
}

static int set_all(struct fb_strv *env, char *const *list)
{
	int r = 0;

	for (; r == 0 && list && *list; list++)
		r = set_variable(env, *list);
	return r;
}

/* docker's order: PATH, HOSTNAME, TERM; then the image's; then the user's */
static int merge_env(const struct fb_image_config *config,
		     const struct fb_process_flags *flags, struct fb_strv *ret,
		     struct fb_err *err)
{
	int r = fb_strv_add(ret, DEFAULT_PATH);

	if (r == 0 && flags->hostname)
		r = fb_strv_addf(ret, "HOSTNAME=%s", flags->hostname);
	if (r == 0 && flags->terminal)
		r = fb_strv_add(ret, "TERM=xterm");
	if (r == 0)
		r = set_all(ret, config->env);
	if (r == 0)
		r = set_all(ret, flags->env);
	return r < 0 ? fb_err_set(err, r, "merge environment: %m") : 0;
}

static int merge_cwd(const struct fb_image_config *config,
		     const struct fb_process_flags *flags, char **ret,
		     struct fb_err *err)
{
	const char *cwd = flags->cwd ? flags->cwd : config->working_dir;

	if (!cwd || !cwd[0])
		cwd = "/";
	/* an image may say it relative to its root; a user may not */
	if (cwd[0] != '/' && flags->cwd)
		return fb_err_set(err, -EINVAL,
				  "the working directory '%s' is invalid, it "
				  "needs to be an absolute path",
				  cwd);
	if (asprintf(ret, "%s%s", cwd[0] == '/' ? "" : "/", cwd) < 0) {
		*ret = NULL;
		return fb_err_set(err, -ENOMEM, "merge working directory: %m");
	}
	return 0;
}

static int merge_stop_signal(const struct fb_image_config *config,
			     const struct fb_process_flags *flags, int *ret,
			     struct fb_err *err)
{
	const char *text = flags->stop_signal ? flags->stop_signal :
						config->stop_signal;
	int number = text && text[0] ? fb_signal_parse(text) : SIGTERM;

	if (number < 0)
		return fb_err_set(err, -EINVAL, "invalid signal: %s", text);
	*ret = number;
	return 0;
}

/* @p is released by the caller, also half built */
static int merge_into(const struct fb_image_config *config,
		      const struct fb_process_flags *flags,
		      struct fb_process *p, struct fb_err *err)
{
	FB_STRV struct fb_strv args = { 0 }, env = { 0 };
	const char *user = flags->user ? flags->user : config->user;
	int r;

	if (flags->rlimit_count > FB_RLIMITS_MAX)
		return fb_err_set(err, -EINVAL, "over %d ulimits",
				  FB_RLIMITS_MAX);
	if ((r = merge_args(config, flags, &args, err)) < 0 ||
	    (r = merge_env(config, flags, &env, err)) < 0 ||
	    (r = merge_cwd(config, flags, &p->cwd, err)) < 0 ||
	    (r = merge_stop_signal(config, flags, &p->stop_signal, err)) < 0)
		return r;
	p->user = strdup(user ? user : "");
	if (!p->user)
		return fb_err_set(err, -ENOMEM, "merge user: %m");
	p->args = FB_TAKE_PTR(args.v);
	p->env = FB_TAKE_PTR(env.v);
	args = (struct fb_strv){ 0 };
	env = (struct fb_strv){ 0 };
	p->terminal = flags->terminal;
	p->rlimit_count = flags->rlimit_count;
	if (p->rlimit_count)
		memcpy(p->rlimits, flags->rlimits,
		       p->rlimit_count * sizeof(p->rlimits[0]));
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
