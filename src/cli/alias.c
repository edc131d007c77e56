/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/alias.h"

#include <string.h>

static char containers_option[] = "--containers";
static char only_containers_option[] = "--only-containers";
static char type_container_option[] = "--type=container";
static char type_image_option[] = "--type=image";

/* @option: put in front of what the user typed, or NULL */
static const struct {
	const char *group;
	const char *word;
	const char *command;
	char *option;
} aliases[] = {
	{ "container", "inspect", "inspect", type_container_option },
	{ "container", "list", "ps", NULL },
	{ "container", "ls", "ps", NULL },
	{ "container", "pause", "pause", NULL },
	{ "container", "prune", "prune", only_containers_option },
	{ "container", "rm", "rm", NULL },
	{ "container", "run", "run", NULL },
	{ "container", "unpause", "unpause", NULL },
	{ "image", "history", "history", NULL },
	{ "image", "inspect", "inspect", type_image_option },
	{ "image", "list", "images", NULL },
	{ "image", "load", "load", NULL },
	{ "image", "ls", "images", NULL },
	{ "image", "prune", "prune", NULL },
	{ "image", "pull", "pull", NULL },
	{ "image", "push", "push", NULL },
	{ "image", "remove", "rmi", NULL },
	{ "image", "rm", "rmi", NULL },
	{ "image", "save", "save", NULL },
	{ "image", "tag", "tag", NULL },
	{ "system", "df", "df", NULL },
	{ "system", "prune", "prune", containers_option },
};

const struct fb_command *fb_alias_apply(char **words, size_t count,
					char ***ret_words, size_t *ret_count)
{
	const struct fb_command *command;

	for (size_t i = 0; count >= 2 && i < FB_ARRAY_SIZE(aliases); i++) {
		if (strcmp(words[0], aliases[i].group) != 0 ||
		    strcmp(words[1], aliases[i].word) != 0)
			continue;
		command = fb_command_find(aliases[i].command);
		if (!command)
			return NULL;
		*ret_words = words + 2;
		*ret_count = count - 2;
		if (aliases[i].option) {
			words[1] = aliases[i].option;
			*ret_words = words + 1;
			*ret_count = count - 1;
		}
		return command;
	}
	return NULL;
}
