/* SPDX-License-Identifier: Apache-2.0 */
/* docker-archive's manifest.json, and names of archive members. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "image/docker_archive.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A clean name has no empty, "." or ".." component and no slash at its ends. */
static void check_clean(const char *name)
{
	while (*name) {
		size_t part = strcspn(name, "/");

		if (part == 0 || (part == 1 && name[0] == '.') ||
		    (part == 2 && name[0] == '.' && name[1] == '.'))
			abort();
		name += part;
		if (*name == '/' && !*++name)
			abort();
	}
}

static void check_names(const uint8_t *data, size_t size)
{
	FB_FREE char *text = malloc(size + 1);
	FB_FREE char *clean = NULL;
	FB_FREE char *target = NULL;
	char *link;

	if (!text)
		abort();
	memcpy(text, data, size);
	text[size] = '\0';
	clean = fb_member_clean(text);
	if (clean)
		check_clean(clean);
	/* the second line is where the first leads to */
	link = strchr(text, '\n');
	if (!link)
		return;
	*link++ = '\0';
	free(clean);
	clean = fb_member_clean(text);
	target = clean ? fb_member_target(clean, link) : NULL;
	if (target)
		check_clean(target);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fb_docker_archive archive = { 0 };
	struct fb_err err = { 0 };
	FB_FREE char *text = malloc(size ? size : 1);

	if (!text)
		abort();
	memcpy(text, data, size);
	if (fb_docker_archive_parse(text, size, &archive, &err) == 0) {
		if (archive.image_count == 0 || err.code)
			abort();
		for (size_t i = 0; i < archive.image_count; i++) {
			check_clean(archive.images[i].config);
			for (size_t j = 0; j < archive.images[i].layers.count;
			     j++)
				check_clean(archive.images[i].layers.v[j]);
		}
		fb_docker_archive_release(&archive);
	} else if (!err.code || !err.msg[0]) {
		abort();
	}
	check_names(data, size);
	return 0;
}
