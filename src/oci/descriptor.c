/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/descriptor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "oci/json.h"

int fb_schema_check(const json_t *document, struct fb_err *err)
{
	const json_t *version = json_object_get(document, "schemaVersion");

	if (!version || json_is_null(version) ||
	    (json_is_integer(version) && json_integer_value(version) == 2))
		return 0;
	return fb_err_set(err, -EBADMSG, "schemaVersion is not 2");
}

int fb_descriptor_string(const json_t *object, const char *key, char *to,
			 size_t size, struct fb_err *err)
{
	const char *text;
	int r = fb_json_string(object, key, &text, err);

	if (r < 0)
		return r;
	if (text && strlen(text) >= size)
		return fb_err_set(err, -EBADMSG, "'%s' is over %zu bytes", key,
				  size - 1);
	(void)snprintf(to, size, "%s", text ? text : "");
	return 0;
}

static int parse_platform(const json_t *entry, struct fb_platform *ret,
			  struct fb_err *err)
{
	const json_t *platform = json_object_get(entry, "platform");
	int r;

	if (!platform || json_is_null(platform))
		return 0;
	if (!json_is_object(platform))
		return fb_err_set(err, -EBADMSG, "'platform' is not an object");
	r = fb_descriptor_string(platform, "os", ret->os, sizeof(ret->os), err);
	if (r == 0)
		r = fb_descriptor_string(platform, "architecture", ret->arch,
					 sizeof(ret->arch), err);
	if (r == 0)
		r = fb_descriptor_string(platform, "variant", ret->variant,
					 sizeof(ret->variant), err);
	return r;
}

/* annotations are informal: one that is too long is as good as none */
static void parse_annotations(const json_t *entry, struct fb_descriptor *d)
{
	const json_t *notes = json_object_get(entry, "annotations");

	if (fb_descriptor_string(notes, "org.opencontainers.image.ref.name",
				 d->ref_name, sizeof(d->ref_name), NULL) < 0)
		d->ref_name[0] = '\0';
	if (fb_descriptor_string(notes, "io.containerd.image.name",
				 d->image_name, sizeof(d->image_name),
				 NULL) < 0)
		d->image_name[0] = '\0';
}

static int parse_content(const json_t *json, struct fb_descriptor *d,
			 struct fb_err *err)
{
	const json_t *size = json_object_get(json, "size");
	const char *digest = NULL;
	int r = fb_json_string(json, "digest", &digest, err);

	if (r < 0)
		return r;
	if (!digest)
		return fb_err_set(err, -EBADMSG, "no digest");
	if (fb_digest_parse(digest, &d->digest, err) < 0)
		return -EBADMSG;
	/* no floats: they would not hold a 64-bit size */
	if (!json_is_integer(size) || json_integer_value(size) < 0)
		return fb_err_set(err, -EBADMSG,
				  "size of '%s' is not a number of bytes",
				  digest);
	d->size_bytes = (uint64_t)json_integer_value(size);
	return 0;
}

int fb_descriptor_parse(const json_t *json, struct fb_descriptor *ret,
			struct fb_err *err)
{
	struct fb_descriptor d = { 0 };
	int r;

	if (!json_is_object(json))
		return fb_err_set(err, -EBADMSG,
				  json ? "not an object" : "missing");
	r = fb_descriptor_string(json, "mediaType", d.media_type,
				 sizeof(d.media_type), err);
	if (r == 0)
		r = parse_content(json, &d, err);
	if (r == 0)
		r = parse_platform(json, &d.platform, err);
	if (r < 0)
		return r;
	parse_annotations(json, &d);
	*ret = d;
	return 0;
}

int fb_descriptors_parse(const json_t *object, const char *key, size_t max,
			 struct fb_descriptor **ret, size_t *ret_count,
			 struct fb_err *err)
{
	const json_t *array = json_object_get(object, key);
	FB_FREE struct fb_descriptor *list = NULL;
	size_t count = json_array_size(array);
	int r;

	if (!json_is_array(array))
		return fb_err_set(err, -EBADMSG, "'%s' is not a list", key);
	if (count > max)
		return fb_err_set(err, -E2BIG, "over %zu %s", max, key);
	list = calloc(count ? count : 1, sizeof(*list));
	if (!list)
		return fb_err_set(err, -ENOMEM, "'%s': %m", key);
	for (size_t i = 0; i < count; i++) {
		r = fb_descriptor_parse(json_array_get(array, i), &list[i],
					err);
		if (r < 0)
			return fb_err_wrap(err, r, "%s %zu", key, i + 1);
	}
	*ret = FB_TAKE_PTR(list);
	*ret_count = count;
	return 0;
}
