/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Beside a converted image, rootfs/<key>.squashfs, stands what its conversion
 * remembered of its layers, rootfs/<key>.layers.  The store removes both together.
 */
#include "image/known_layers.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define SUFFIX ".layers"
#define HEX 64
/* images that are looked at, and of which files are held open */
#define LOOK_MAX 4096
#define OPEN_MAX 8u

void fb_known_layers_release(struct fb_known_layers *known)
{
	for (size_t i = 0; i < known->fd_count; i++)
		(void)fb_close(known->fds[i]);
	free(known->fds);
	free(known->v);
	*known = (struct fb_known_layers){ 0 };
}

const struct fb_rootfs_known *
fb_known_layers_of(const struct fb_known_layers *known, size_t layer)
{
	return known->v && known->v[layer].recipe_fd >= 0 ? &known->v[layer]
							  : NULL;
}

/* Return: layers found in it */
static size_t look(struct fb_known_layers *k, int recipe_fd, int image_fd,
		   const struct fb_digest *diff_ids, size_t count,
		   const struct fb_rootfs_options *options)
{
	struct fb_rootfs_known at = { .image_fd = image_fd };
	size_t found = 0;

	for (size_t i = 0; i < count; i++) {
		if (k->v[i].recipe_fd >= 0 ||
		    fb_rootfs_known_find(recipe_fd, options, &diff_ids[i],
					 &at) < 0)
			continue;
		k->v[i] = at;
		found++;
	}
	return found;
}

static bool is_ours(const char *name)
{
	return strlen(name) == HEX + strlen(SUFFIX) &&
	       !strcmp(name + HEX, SUFFIX);
}

static int open_beside(int dir, const char *name, int *ret_image)
{
	char image[HEX + sizeof(".squashfs")];
	FB_FD int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	(void)snprintf(image, sizeof(image), "%.64s.squashfs", name);
	*ret_image =
		fd < 0 ? -1
		       : openat(dir, image, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	return *ret_image < 0 ? -errno : FB_TAKE_FD(fd);
}

int fb_known_layers_find(struct fb_store *store,
			 const struct fb_digest *diff_ids, size_t count,
			 const struct fb_rootfs_options *options,
			 struct fb_known_layers *ret, struct fb_err *err)
{
	int dir = fb_store_dir_fd(store, FB_STORE_DIR_ROOTFS, err);
	int list = dir < 0 ? dir : openat(dir, ".", O_RDONLY | O_CLOEXEC);
	FB_DIR DIR *names = list < 0 ? NULL : fdopendir(list);
	size_t left = count, looked = 0;
	struct dirent *entry;
	size_t found;
	int fd, image;

	ret->v = calloc(count + 1, sizeof(*ret->v));
	ret->fds = calloc(2u * OPEN_MAX, sizeof(*ret->fds));
	if (!names || !ret->v || !ret->fds)
		return fb_err_set(err, names ? -ENOMEM : -EIO,
				  "look for known layers: %m");
	for (size_t i = 0; i < count; i++)
		ret->v[i].recipe_fd = -EBADF;
	while (left && ret->fd_count < 2u * OPEN_MAX && looked < LOOK_MAX &&
	       (entry = readdir(names))) {
		if (!is_ours(entry->d_name))
			continue;
		looked++;
		fd = open_beside(dir, entry->d_name, &image);
		if (fd < 0)
			continue;
		found = look(ret, fd, image, diff_ids, count, options);
		left -= found;
		if (!found) {
			(void)fb_close(fd);
			(void)fb_close(image);
			continue;
		}
		ret->fds[ret->fd_count++] = fd;
		ret->fds[ret->fd_count++] = image;
	}
	return 0;
}

void fb_known_layers_keep(const struct fb_digest *key,
			  struct fb_store_temp *temp)
{
	char hex[FB_DIGEST_TEXT_MAX], name[FB_DIGEST_TEXT_MAX + 8];

	(void)snprintf(name, sizeof(name), "%s" SUFFIX,
		       fb_digest_hex(key, hex));
	/* without it everything is as right as with it */
	(void)fb_store_temp_publish(temp, FB_STORE_DIR_ROOTFS, name, 0444,
				    NULL);
}
