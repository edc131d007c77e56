/* SPDX-License-Identifier: Apache-2.0 */
#include "container/files.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path.h"

static char *program_folder(void)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	char *slash;

	if (n <= 0)
		return NULL;
	path[n] = '\0';
	slash = strrchr(path, '/');
	if (!slash)
		return NULL;
	*slash = '\0';
	return strdup(path[0] ? path : "/");
}

/* Return: @folder/@between/@name if it is there, or NULL */
static char *look_in(const char *folder, const char *between, const char *name)
{
	char *path = NULL;

	if (asprintf(&path, "%s/%s%s", folder, between, name) < 0)
		return NULL;
	if (access(path, R_OK) == 0)
		return path;
	free(path);
	return NULL;
}

int fb_files_find(const char *name, char **ret, struct fb_err *err)
{
	static const char *const places[] = { "", "../libexec/flamebox/",
					      "../lib/flamebox/" };
	const char *own = getenv("FLAMEBOX_LIBEXEC");
	FB_FREE char *folder = own && own[0] ? strdup(own) : program_folder();
	size_t count = own && own[0] ? 1 : FB_ARRAY_SIZE(places);
	char *found = NULL;

	for (size_t i = 0; folder && i < count && !found; i++)
		found = look_in(folder, places[i], name);
	if (!found)
		return fb_err_hint(err,
				   fb_err_set(err, -ENOENT,
					      "'%s' not found beside the "
					      "program",
					      name),
				   "build it with 'make', or set "
				   "FLAMEBOX_LIBEXEC to its folder");
	*ret = found;
	return 0;
}
