/* SPDX-License-Identifier: Apache-2.0 */
#include "image/docker_archive.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "oci/json.h"

char *fb_member_clean(const char *name)
{
	FB_FREE char *out = malloc(strlen(name) + 1);
	size_t len = 0;

	if (!out)
		return NULL;
	while (*name) {
		size_t part = strcspn(name, "/");

		if (part == 2 && name[0] == '.' && name[1] == '.')
			return NULL;
		if (part > 0 && !(part == 1 && name[0] == '.')) {
			if (len)
				out[len++] = '/';
			memcpy(out + len, name, part);
			len += part;
		}
		name += part;
		name += strspn(name, "/");
	}
	out[len] = '\0';
	return FB_TAKE_PTR(out);
}

/* Cut the last component off. Return: false where there is none */
static bool go_up(char *path)
{
	char *slash = strrchr(path, '/');

	if (!path[0])
		return false;
	if (slash)
		*slash = '\0';
	else
		path[0] = '\0';
	return true;
}

char *fb_member_target(const char *name, const char *link)
{
	FB_FREE char *dir = strdup(name);
	FB_FREE char *joined = NULL;

	if (!dir || link[0] == '/')
		return NULL;
	(void)go_up(dir);
	while (strncmp(link, "../", 3) == 0 || strncmp(link, "./", 2) == 0) {
		if (link[1] == '.' && !go_up(dir))
			return NULL;
		link += link[1] == '.' ? 3 : 2;
	}
	if (asprintf(&joined, "%s/%s", dir, link) < 0) {
		joined = NULL;
		return NULL;
	}
	return fb_member_clean(joined);
}

/* A string of the JSON that names a member. Return: 0; -EBADMSG; -ENOMEM */
static int member_name(const json_t *value, char **ret, struct fb_err *err)
{
	const char *text = json_string_value(value);
	char *clean;

	if (!text || !text[0])
		return fb_err_set(err, -EBADMSG, "a file name is missing");
	clean = fb_member_clean(text);
	if (!clean)
		return fb_err_set(err, -EBADMSG,
				  "'%s' leads out of the archive", text);
	*ret = clean;
	return 0;
}

static const json_t *list_member(const json_t *object, const char *key,
				 size_t max, int *ret, struct fb_err *err)
{
	const json_t *list = json_object_get(object, key);

	*ret = 0;
	if (!list || json_is_null(list))
		return NULL;
	if (!json_is_array(list))
		*ret = fb_err_set(err, -EBADMSG, "'%s' is not a list", key);
	else if (json_array_size(list) > max)
		*ret = fb_err_set(err, -E2BIG, "'%s' has over %zu entries", key,
				  max);
	return list;
}

static int parse_tags(const json_t *object, struct fb_strv *ret,
		      struct fb_err *err)
{
	int r;
	const json_t *list = list_member(object, "RepoTags",
					 FB_DOCKER_ARCHIVE_TAGS_MAX, &r, err);

	for (size_t i = 0; r == 0 && i < json_array_size(list); i++) {
		const char *text = json_string_value(json_array_get(list, i));

		if (!text)
			return fb_err_set(err, -EBADMSG,
					  "'RepoTags' holds something else "
					  "than names");
		r = fb_strv_add(ret, text);
	}
	return r;
}

static int parse_layers(const json_t *object, struct fb_strv *ret,
			struct fb_err *err)
{
	int r;
	const json_t *list =
		list_member(object, "Layers", FB_LAYERS_MAX, &r, err);

	for (size_t i = 0; r == 0 && i < json_array_size(list); i++) {
		char *name = NULL;

		r = member_name(json_array_get(list, i), &name, err);
		if (r == 0)
			r = fb_strv_take_add(ret, name);
	}
	return r;
}

static int parse_image(const json_t *object, struct fb_docker_image *ret,
		       struct fb_err *err)
{
	int r;

	if (!json_is_object(object))
		return fb_err_set(err, -EBADMSG, "not an object");
	r = member_name(json_object_get(object, "Config"), &ret->config, err);
	if (r == 0)
		r = parse_tags(object, &ret->tags, err);
	if (r == 0)
		r = parse_layers(object, &ret->layers, err);
	return r;
}

static int parse_images(const json_t *list, struct fb_docker_archive *ret,
			struct fb_err *err)
{
	size_t count = json_array_size(list);
	int r = 0;

	if (!json_is_array(list) || count == 0)
		return fb_err_set(err, -EBADMSG,
				  "manifest.json lists no image");
	if (count > FB_DOCKER_ARCHIVE_IMAGES_MAX)
		return fb_err_set(err, -E2BIG,
				  "manifest.json has over %d images",
				  FB_DOCKER_ARCHIVE_IMAGES_MAX);
	ret->images = calloc(count, sizeof(*ret->images));
	if (!ret->images)
		return fb_err_set(err, -ENOMEM, "parse manifest.json: %m");
	ret->image_count = count;
	for (size_t i = 0; r == 0 && i < count; i++) {
		r = parse_image(json_array_get(list, i), &ret->images[i], err);
		if (r < 0)
			r = fb_err_wrap(err, r, "manifest.json: image %zu",
					i + 1);
	}
	return r;
}

int fb_docker_archive_parse(const char *json, size_t len,
			    struct fb_docker_archive *ret, struct fb_err *err)
{
	static const char before[] = "{\"images\":", after[] = "}";
	FB_STR struct fb_str text =
		FB_STR_INIT(FB_DOCKER_ARCHIVE_JSON_MAX + 64);
	FB_JSON json_t *root = NULL;
	struct fb_docker_archive archive = { 0 };
	int r;

	if (len > FB_DOCKER_ARCHIVE_JSON_MAX)
		return fb_err_set(err, -E2BIG, "manifest.json is over %u bytes",
				  FB_DOCKER_ARCHIVE_JSON_MAX);
	/* the reader of foreign JSON takes objects only, this is a list */
	fb_str_append(&text, before, sizeof(before) - 1);
	fb_str_append(&text, json, len);
	fb_str_append(&text, after, sizeof(after) - 1);
	if (text.err)
		return fb_err_set(err, text.err, "parse manifest.json: %s",
				  strerror(-text.err));
	r = fb_json_load(text.buf, text.len, "manifest.json", &root, err);
	if (r == 0 && json_object_size(root) != 1)
		r = fb_err_set(err, -EBADMSG, "manifest.json is no list");
	if (r == 0)
		r = parse_images(json_object_get(root, "images"), &archive,
				 err);
	if (r < 0) {
		fb_docker_archive_release(&archive);
		return r;
	}
	*ret = archive;
	return 0;
}

void fb_docker_archive_release(struct fb_docker_archive *archive)
{
	for (size_t i = 0; i < archive->image_count; i++) {
		free(archive->images[i].config);
		fb_strv_release(&archive->images[i].tags);
		fb_strv_release(&archive->images[i].layers);
	}
	free(archive->images);
	*archive = (struct fb_docker_archive){ 0 };
}

static const char *layer_type(enum fb_layer_compression compression)
{
	switch (compression) {
	case FB_LAYER_GZIP:
		return FB_MT_OCI_LAYER_GZIP;
	case FB_LAYER_ZSTD:
		return FB_MT_OCI_LAYER_ZSTD;
	case FB_LAYER_PLAIN:
	case FB_LAYER_UNKNOWN:
		break;
	}
	return FB_MT_OCI_LAYER;
}

int fb_docker_archive_manifest(const struct fb_digest *config,
			       uint64_t config_bytes,
			       const struct fb_docker_layer *layers,
			       size_t count, struct fb_str *ret,
			       struct fb_err *err)
{
	char text[FB_DIGEST_TEXT_MAX];

	fb_str_printf(ret,
		      "{\"schemaVersion\":2,\"mediaType\":\"" FB_MT_OCI_MANIFEST
		      "\",\"config\":{\"mediaType\":\"" FB_MT_OCI_CONFIG
		      "\",\"digest\":\"%s\",\"size\":%llu},\"layers\":[",
		      fb_digest_format(config, text),
		      (unsigned long long)config_bytes);
	for (size_t i = 0; i < count; i++)
		fb_str_printf(ret,
			      "%s{\"mediaType\":\"%s\",\"digest\":\"%s\","
			      "\"size\":%llu}",
			      i ? "," : "", layer_type(layers[i].compression),
			      fb_digest_format(&layers[i].digest, text),
			      (unsigned long long)layers[i].size_bytes);
	fb_str_puts(ret, "]}");
	return ret->err ? fb_err_set(err, ret->err, "make a manifest: %s",
				     strerror(-ret->err))
			: 0;
}
