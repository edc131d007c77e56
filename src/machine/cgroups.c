/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/cgroups.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/io.h"

#define MOUNTS_MAX (1u << 20)
#define CONTROLLERS_MAX 4096

/* Is @word among the words of @text? */
static bool has_word(const char *text, const char *separators, const char *word)
{
	size_t len = strlen(word);

	while (*text) {
		size_t n = strcspn(text, separators);

		if (n == len && !strncmp(text, word, n))
			return true;
		text += n;
		text += strspn(text, separators);
	}
	return false;
}

static void take(char to[FB_CGROUPS_PATH_MAX], const char *place)
{
	if (!to[0])
		(void)snprintf(to, FB_CGROUPS_PATH_MAX, "%s", place);
}

static void look_at_v2(int root_fd, const char *place, struct fb_cgroups *ret)
{
	char path[FB_CGROUPS_PATH_MAX + 32];
	FB_FREE char *text = NULL;

	(void)snprintf(path, sizeof(path), "%s/cgroup.subtree_control",
		       place + 1);
	if (fb_read_file_at(root_fd, path, CONTROLLERS_MAX, &text, NULL) < 0)
		return;
	if (has_word(text, " \n", "cpu"))
		take(ret->cpu, place);
	if (has_word(text, " \n", "memory"))
		take(ret->memory, place);
}

/* one line: what, where, type, options, and two numbers */
static void look_at(int root_fd, char *line, struct fb_cgroups *v1,
		    struct fb_cgroups *v2)
{
	const char *place, *type, *options;

	(void)strsep(&line, " ");
	place = strsep(&line, " ");
	type = strsep(&line, " ");
	options = strsep(&line, " ");
	/* a space in a path is written as an escape, and not worth the care */
	if (!options || place[0] != '/' || strchr(place, '\\') ||
	    strlen(place) >= FB_CGROUPS_PATH_MAX ||
	    has_word(options, ",", "ro"))
		return;
	if (!strcmp(type, "cgroup2"))
		look_at_v2(root_fd, place, v2);
	if (strcmp(type, "cgroup") != 0)
		return;
	if (has_word(options, ",", "cpu"))
		take(v1->cpu, place);
	if (has_word(options, ",", "memory"))
		take(v1->memory, place);
}

void fb_cgroups_find(int root_fd, struct fb_cgroups *ret)
{
	struct fb_cgroups v1 = { .version = 1 }, v2 = { .version = 2 };
	FB_FREE char *mounts = NULL;
	char *rest, *line;

	*ret = (struct fb_cgroups){ 0 };
	if (fb_read_file_at(root_fd, "proc/mounts", MOUNTS_MAX, &mounts, NULL) <
	    0)
		return;
	rest = mounts;
	while ((line = strsep(&rest, "\n")))
		look_at(root_fd, line, &v1, &v2);
	if (v2.cpu[0] || v2.memory[0])
		*ret = v2;
	else if (v1.cpu[0] || v1.memory[0])
		*ret = v1;
}
