/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parser of an image's passwd and group.  The input is the user that is asked
 * for, passwd and group, each ended by a 0xff byte.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "user.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A copy of the next part, exactly as long as it is, so that overruns show */
static char *next_part(const uint8_t **data, size_t *size)
{
	const uint8_t *end = memchr(*data, 0xff, *size);
	size_t len = end ? (size_t)(end - *data) : *size;
	char *part = malloc(len + 1);

	if (!part)
		abort();
	memcpy(part, *data, len);
	part[len] = '\0';
	*data += len + (end != NULL);
	*size -= len + (end != NULL);
	return part;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fb_user user;
	char *text, *passwd, *group;
	struct fb_user_files files;
	struct fb_err err;

	if (size == 0)
		return 0;
	text = next_part(&data, &size);
	passwd = next_part(&data, &size);
	group = next_part(&data, &size);
	files.passwd = passwd;
	files.group = group;
	if (fb_user_resolve(text, &files, &user, &err) == 0 &&
	    (user.group_count == 0 || user.group_count > FB_USER_GROUPS_MAX ||
	     user.groups[0] != user.gid || user.uid > INT32_MAX ||
	     strnlen(user.home, sizeof(user.home)) == sizeof(user.home)))
		abort();
	free(text);
	free(passwd);
	free(group);
	return 0;
}
