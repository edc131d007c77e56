/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `docker save` writes, without the bytes: manifest.json and the names of
 * archive members.  Pure.
 * Source: docker's image spec v1.2, "Combined Image JSON + Filesystem Changeset
 * Format".
 */
#ifndef FB_IMAGE_DOCKER_ARCHIVE_H
#define FB_IMAGE_DOCKER_ARCHIVE_H

#include <stddef.h>

#include "base/err.h"
#include "base/str.h"
#include "oci/manifest.h"

#define FB_DOCKER_ARCHIVE_JSON_MAX (8u << 20)
#define FB_DOCKER_ARCHIVE_IMAGES_MAX 4096
#define FB_DOCKER_ARCHIVE_TAGS_MAX 4096

/**
 * struct fb_docker_image - One image of manifest.json
 * @config: Member that holds the config
 * @tags:   As they stand there; may be empty
 * @layers: Members, base first
 */
struct fb_docker_image {
	char *config;
	struct fb_strv tags;
	struct fb_strv layers;
};

struct fb_docker_archive {
	struct fb_docker_image *images;
	size_t image_count;
};

/**
 * fb_docker_archive_parse() - manifest.json to struct
 * @json: Bytes (borrowed)
 * @len:  At most FB_DOCKER_ARCHIVE_JSON_MAX
 * @ret:  Release with fb_docker_archive_release(); names are cleaned
 *
 * Return: 0; -EBADMSG malformed, or a name that leads out; -E2BIG; -ENOMEM.
 */
int fb_docker_archive_parse(const char *json, size_t len,
			    struct fb_docker_archive *ret, struct fb_err *err);
void fb_docker_archive_release(struct fb_docker_archive *archive);

/**
 * fb_member_clean() - The plain form of a member's name
 * @name: "./a//b", "/a/b", "a/./b"
 *
 * Return: malloc'ed "a/b" (returned), "" for the top; NULL where ".." is in it,
 * or out of memory.
 */
char *fb_member_clean(const char *name);

/**
 * fb_member_target() - Where a symbolic link of a member leads
 * @name: Clean name of the link itself
 * @link: Its target, "../0123/layer.tar"
 *
 * Return: malloc'ed clean name (returned); NULL where it is absolute or leads out
 * of the archive, or out of memory.
 */
char *fb_member_target(const char *name, const char *link);

/**
 * struct fb_docker_layer - What is known of a layer when the manifest is made
 */
struct fb_docker_layer {
	struct fb_digest digest;
	uint64_t size_bytes;
	enum fb_layer_compression compression;
};

/**
 * fb_docker_archive_manifest() - Make the OCI manifest that an archive lacks
 * @config:       Digest of the config
 * @config_bytes: Its size
 * @layers:       Base first
 * @count:        Of @layers
 * @ret:          JSON; the same input gives the same bytes
 *
 * Return: 0; -ENOMEM; -E2BIG.
 */
int fb_docker_archive_manifest(const struct fb_digest *config,
			       uint64_t config_bytes,
			       const struct fb_docker_layer *layers,
			       size_t count, struct fb_str *ret,
			       struct fb_err *err);

#endif
