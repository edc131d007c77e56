/* SPDX-License-Identifier: Apache-2.0 */
/* What input.c and input_image.c share; nobody else includes this. */
#ifndef FB_IMAGE_INPUT_INTERNAL_H
#define FB_IMAGE_INPUT_INTERNAL_H

#include "image/input.h"
#include "image/load_internal.h"

/**
 * struct fb_input - An input at work
 * @dirfd:   Of a layout; -EBADF for an archive
 * @fd:      Of an archive that is a file and not packed; @spool's, or ours
 * @start:   Where the archive begins in it
 * @spool:   What had to be unpacked, or read from a pipe
 * @members: Of an archive
 * @config:  Of the image; empty for a root file system
 * @layers:  @layer_count of them, each with a source (owned)
 */
struct fb_input {
	const struct fb_image_context *ctx;
	const struct fb_image_input *what;
	int dirfd;
	int fd;
	uint64_t start;
	struct fb_store_temp spool;
	struct fb_members members;
	struct fb_image_config config;
	struct fb_rootfs_layer *layers;
	size_t layer_count;
	char text[FB_DIGEST_TEXT_MAX];
};

/**
 * fb_input_oci() - Find layers and config of an image in an OCI layout
 * @json: index.json
 *
 * Return: 0; as fb_image_convert_input().
 */
int fb_input_oci(struct fb_input *in, const char *json, size_t len,
		 struct fb_err *err);

/** fb_input_docker() - The same in a docker-archive */
int fb_input_docker(struct fb_input *in, struct fb_err *err);

#endif
