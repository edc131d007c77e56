/* SPDX-License-Identifier: Apache-2.0 */
/* Where the state lives: options, environment, XDG's folders. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "store/internal.h"

static int out_of_memory(struct fb_err *err)
{
	return fb_err_set(err, -ENOMEM, "find the state folder: out of memory");
}

/* An absolute copy: the monitor and other children change their folder. */
static char *absolute(const char *path)
{
	FB_FREE char *cwd = NULL;

	if (path[0] == '/')
		return strdup(path);
	cwd = getcwd(NULL, 0);
	return cwd ? fb_path_join(cwd, path) : NULL;
}

/* XDG: "all paths must be absolute; a relative one is to be ignored" */
static const char *xdg(const char *variable)
{
	const char *value = getenv(variable);

	return value && value[0] == '/' ? value : NULL;
}

static int roots_from_dir(const char *dir, struct fb_store_roots *ret,
			  struct fb_err *err)
{
	FB_FREE char *state = absolute(dir);
	FB_FREE char *run = state ? fb_path_join(state, "run") : NULL;

	if (!run)
		return out_of_memory(err);
	ret->state = FB_TAKE_PTR(state);
	ret->run = FB_TAKE_PTR(run);
	return 0;
}

static int roots_of_root(struct fb_store_roots *ret, struct fb_err *err)
{
	FB_FREE char *state = strdup("/var/lib/flamebox");
	FB_FREE char *run = strdup("/run/flamebox");

	if (!state || !run)
		return out_of_memory(err);
	ret->state = FB_TAKE_PTR(state);
	ret->run = FB_TAKE_PTR(run);
	return 0;
}

static int roots_of_user(struct fb_store_roots *ret, struct fb_err *err)
{
	const char *data = xdg("XDG_DATA_HOME");
	const char *runtime = xdg("XDG_RUNTIME_DIR");
	const char *home = xdg("HOME");
	FB_FREE char *state = NULL;
	FB_FREE char *run = NULL;

	if (!data && !home)
		return fb_err_hint(err,
				   fb_err_set(err, -ENOENT,
					      "find the state folder: neither "
					      "XDG_DATA_HOME nor HOME is set"),
				   "set HOME, or say --root DIR");
	state = data ? fb_path_join(data, "flamebox")
		     : fb_path_join(home, ".local/share/flamebox");
	if (!state)
		return out_of_memory(err);
	run = runtime ? fb_path_join(runtime, "flamebox")
		      : fb_path_join(state, "run");
	if (!run)
		return out_of_memory(err);
	ret->state = FB_TAKE_PTR(state);
	ret->run = FB_TAKE_PTR(run);
	return 0;
}

int fb_store_roots_resolve(const char *root_option, struct fb_store_roots *ret,
			   struct fb_err *err)
{
	const char *from_env = getenv("FLAMEBOX_ROOT");

	if (root_option && !root_option[0])
		return fb_err_set(err, -EINVAL, "--root: empty folder name");
	if (root_option)
		return roots_from_dir(root_option, ret, err);
	if (from_env && from_env[0])
		return roots_from_dir(from_env, ret, err);
	return geteuid() == 0 ? roots_of_root(ret, err)
			      : roots_of_user(ret, err);
}

void fb_store_roots_release(struct fb_store_roots *roots)
{
	free(roots->state);
	free(roots->run);
	*roots = (struct fb_store_roots){ 0 };
}
