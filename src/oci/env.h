/* SPDX-License-Identifier: Apache-2.0 */
/* Environments: docker's -e and --env-file, and how several become one. */
#ifndef FB_OCI_ENV_H
#define FB_OCI_ENV_H

#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

#define FB_ENV_FILE_MAX (16u << 20)

/**
 * struct fb_env_host - Where "-e NAME" takes its value from
 * @lookup: Return: value (borrowed); NULL where there is none
 * @ctx:    Passed to @lookup
 */
struct fb_env_host {
	const char *(*lookup)(void *ctx, const char *name);
	void *ctx;
};

/**
 * fb_env_add() - One -e
 * @text: "NAME=value", or "NAME": the host's value, and where it has none
 *        "NAME" alone is added, which takes the image's away
 * @host: Host environment (borrowed)
 * @env:  Appended to
 *
 * Return: 0; -EINVAL "invalid environment variable: …"; -ENOMEM; -E2BIG.
 */
int fb_env_add(const char *text, const struct fb_env_host *host,
	       struct fb_strv *env, struct fb_err *err);

/**
 * fb_env_file_parse() - One --env-file
 * @text: Its bytes (borrowed); a leading UTF-8 byte-order mark is skipped
 * @len:  Count
 * @host: For lines without '='; those that the host does not have are dropped;
 *        NULL = it has none
 * @env:  Appended to; unspecified after a failure
 *
 * Lines end with "\n" or "\r\n"; leading white space, empty lines and lines
 * that start with '#' are skipped; values are taken as they are, quotes
 * included.  Unlike docker, a value need not be UTF-8.
 *
 * Return: 0; -EINVAL with docker's reason and the line's number; -ENOMEM;
 * -E2BIG.
 */
int fb_env_file_parse(const char *text, size_t len,
		      const struct fb_env_host *host, struct fb_strv *env,
		      struct fb_err *err);

/**
 * struct fb_env_list - A source of variables
 * @v:    NULL-terminated (borrowed); NULL = empty
 * @rank: Of two values of one name that of the higher rank counts, of equal
 *        ranks the later one
 */
struct fb_env_list {
	char *const *v;
	unsigned int rank;
};

/**
 * fb_env_merge() - Several environments to one
 * @lists: In the order in which their names shall stand
 * @count: Of @lists
 * @ret:   Appended to: each name once, where it was first; a winner without
 *         '=' takes its name away
 *
 * n log n, since an image may bring many thousand variables.
 *
 * Return: 0; -ENOMEM; -E2BIG.
 */
int fb_env_merge(const struct fb_env_list *lists, size_t count,
		 struct fb_strv *ret);

#endif
