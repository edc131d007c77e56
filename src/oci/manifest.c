/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "oci/json.h"
#include "oci/manifest.h"

static const struct {
	const char *type;
	enum fb_document document;
} document_types[] = {
	{ FB_MT_OCI_INDEX, FB_DOC_INDEX },
	{ FB_MT_DOCKER_LIST, FB_DOC_INDEX },
	{ FB_MT_OCI_MANIFEST, FB_DOC_MANIFEST },
	{ FB_MT_DOCKER_MANIFEST, FB_DOC_MANIFEST },
	{ FB_MT_DOCKER_SCHEMA1, FB_DOC_SCHEMA1 },
	{ FB_MT_DOCKER_SCHEMA1_SIGNED, FB_DOC_SCHEMA1 },
};

static const struct {
	const char *type;
	enum fb_layer_compression compression;
} layer_types[] = {
	{ FB_MT_OCI_LAYER, FB_LAYER_PLAIN },
	{ FB_MT_OCI_LAYER_GZIP, FB_LAYER_GZIP },
	{ FB_MT_OCI_LAYER_ZSTD, FB_LAYER_ZSTD },
	{ FB_MT_DOCKER_LAYER, FB_LAYER_PLAIN },
	{ FB_MT_DOCKER_LAYER_GZIP, FB_LAYER_GZIP },
	{ FB_MT_DOCKER_LAYER ".zstd", FB_LAYER_ZSTD },
};

static enum fb_document document_by_type(const char *type)
{
	for (size_t i = 0; type && i < FB_ARRAY_SIZE(document_types); i++)
		if (!strcmp(type, document_types[i].type))
			return document_types[i].document;
	return FB_DOC_UNKNOWN;
}

static bool is_image_config(const json_t *manifest)
{
	const char *type = json_string_value(json_object_get(
		json_object_get(manifest, "config"), "mediaType"));

	return type && (!strcmp(type, FB_MT_OCI_CONFIG) ||
			!strcmp(type, FB_MT_DOCKER_CONFIG));
}

static enum fb_document document_by_shape(const json_t *json)
{
	bool manifests = json_is_array(json_object_get(json, "manifests"));
	bool layers = json_is_array(json_object_get(json, "layers")) ||
		      json_is_object(json_object_get(json, "config"));
	bool schema1 = json_is_array(json_object_get(json, "fsLayers"));

	if ((int)manifests + (int)layers + (int)schema1 != 1)
		return FB_DOC_UNKNOWN;
	if (manifests)
		return FB_DOC_INDEX;
	if (schema1)
		return FB_DOC_SCHEMA1;
	return is_image_config(json) ? FB_DOC_MANIFEST : FB_DOC_ARTIFACT;
}

enum fb_document fb_document_kind(const char *json, size_t len,
				  const char *media_type)
{
	FB_JSON json_t *object = NULL;
	enum fb_document shape, own, outside = document_by_type(media_type);
	const char *own_type = NULL;

	if (len > FB_MANIFEST_SIZE_MAX ||
	    fb_json_load(json, len, "document", &object, NULL) < 0 ||
	    fb_json_string(object, "mediaType", &own_type, NULL) < 0)
		return FB_DOC_UNKNOWN;
	shape = document_by_shape(object);
	own = own_type ? document_by_type(own_type) : shape;
	if (shape == FB_DOC_ARTIFACT)
		return own == FB_DOC_INDEX || outside == FB_DOC_INDEX ?
			       FB_DOC_UNKNOWN :
			       FB_DOC_ARTIFACT;
	/* an unknown type from outside ("application/json") says nothing */
	if (own != shape || (outside != FB_DOC_UNKNOWN && outside != shape))
		return FB_DOC_UNKNOWN;
	return shape;
}

static int copy_string(const json_t *object, const char *key, char *to,
		       size_t size, struct fb_err *err)
{
	const char *text;
	int r = fb_json_string(object, key, &text, err);

	if (r < 0)
		return r;
	if (text && strlen(text) >= size)
		return fb_err_set(err, -EBADMSG, "'%s' is over %zu bytes", key,
				  size - 1);
	strncpy(to, text ? text : "", size - 1);
	to[size - 1] = '\0';
	return 0;
}

static int parse_platform(const json_t *entry, struct fb_platform *ret,
			  struct fb_err *err)
{
	const json_t *platform = json_object_get(entry, "platform");
	int r;

	if (!platform || json_is_null(platform))
		return 0;
	r = copy_string(platform, "os", ret->os, sizeof(ret->os), err);
	if (r == 0)
		r = copy_string(platform, "architecture", ret->arch,
				sizeof(ret->arch), err);
	if (r == 0)
		r = copy_string(platform, "variant", ret->variant,
				sizeof(ret->variant), err);
	return r;
}

/* annotations are informal: one that is too long is as good as none */
static void parse_annotations(const json_t *entry, struct fb_descriptor *d)
{
	const json_t *notes = json_object_get(entry, "annotations");

	if (copy_string(notes, "org.opencontainers.image.ref.name", d->ref_name,
			sizeof(d->ref_name), NULL) < 0)
		d->ref_name[0] = '\0';
	if (copy_string(notes, "io.containerd.image.name", d->image_name,
			sizeof(d->image_name), NULL) < 0)
		d->image_name[0] = '\0';
}

static int parse_descriptor(const json_t *json, struct fb_descriptor *ret,
			    struct fb_err *err)
{
	struct fb_descriptor d = { 0 };
	const json_t *size = json_object_get(json, "size");
	const char *digest = NULL;
	int r;

	if (!json_is_object(json))
		return fb_err_set(err, -EBADMSG, "descriptor is not an object");
	r = copy_string(json, "mediaType", d.media_type, sizeof(d.media_type),
			err);
	if (r == 0)
		r = fb_json_string(json, "digest", &digest, err);
	if (r == 0 && !digest)
		r = fb_err_set(err, -EBADMSG, "descriptor without a digest");
	if (r == 0 && fb_digest_parse(digest, &d.digest, err) < 0)
		r = -EBADMSG;
	if (r == 0 && (!json_is_integer(size) || json_integer_value(size) < 0))
		r = fb_err_set(err, -EBADMSG, "size of '%s' is no size",
			       digest);
	if (r == 0)
		r = parse_platform(json, &d.platform, err);
	if (r < 0)
		return r;
	d.size_bytes = (uint64_t)json_integer_value(size);
	parse_annotations(json, &d);
	*ret = d;
	return 0;
}

static int parse_descriptors(const json_t *array, size_t max, const char *what,
			     struct fb_descriptor **ret, size_t *ret_count,
			     struct fb_err *err)
{
	FB_FREE struct fb_descriptor *list = NULL;
	size_t count = json_array_size(array);
	int r;

	if (!json_is_array(array))
		return fb_err_set(err, -EBADMSG, "'%s' is not a list", what);
	if (count > max)
		return fb_err_set(err, -E2BIG, "over %zu %s", max, what);
	list = calloc(count ? count : 1, sizeof(*list));
	if (!list)
		return fb_err_set(err, -ENOMEM, "parse %s: %m", what);
	for (size_t i = 0; i < count; i++) {
		r = parse_descriptor(json_array_get(array, i), &list[i], err);
		if (r < 0)
			return fb_err_wrap(err, r, "%s %zu", what, i + 1);
	}
	*ret = FB_TAKE_PTR(list);
	*ret_count = count;
	return 0;
}

int fb_index_parse(const char *json, size_t len, struct fb_index *ret,
		   struct fb_err *err)
{
	FB_JSON json_t *object = NULL;
	struct fb_index index = { 0 };
	int r;

	if (len > FB_MANIFEST_SIZE_MAX)
		return fb_err_set(err, -E2BIG, "index is over %u bytes",
				  FB_MANIFEST_SIZE_MAX);
	r = fb_json_load(json, len, "index", &object, err);
	if (r < 0)
		return r;
	if (json_object_get(object, "layers") ||
	    json_object_get(object, "config"))
		return fb_err_set(err, -EBADMSG,
				  "index is a manifest at the same time");
	r = parse_descriptors(json_object_get(object, "manifests"),
			      FB_INDEX_ENTRIES_MAX, "manifests",
			      &index.manifests, &index.manifest_count, err);
	if (r < 0)
		return fb_err_wrap(err, r, "parse index");
	*ret = index;
	return 0;
}

void fb_index_release(struct fb_index *index)
{
	free(index->manifests);
	*index = (struct fb_index){ 0 };
}

static bool is_attestation(const struct fb_descriptor *d)
{
	return !strcmp(d->platform.os, "unknown");
}

static int no_match(const struct fb_index *index,
		    const struct fb_platform *want, struct fb_err *err)
{
	char text[100], list[512] = "";
	size_t used = 0;

	for (size_t i = 0; i < index->manifest_count; i++) {
		const struct fb_descriptor *d = &index->manifests[i];

		if (is_attestation(d) || !d->platform.os[0] ||
		    used + sizeof(text) > sizeof(list))
			continue;
		fb_platform_format(&d->platform, text);
		used += (size_t)snprintf(list + used, sizeof(list) - used,
					 "%s%s", used ? ", " : "", text);
	}
	return fb_err_set(err, -ENOENT,
			  "no image for platform '%s' in the index; it has %s",
			  fb_platform_format(want, text),
			  used ? list : "no images");
}

int fb_index_select(const struct fb_index *index, const struct fb_platform *want,
		    const struct fb_descriptor **ret_entry, struct fb_err *err)
{
	const struct fb_descriptor *best = NULL, *any = NULL;
	int best_rank = 0, rank;

	for (size_t i = 0; i < index->manifest_count; i++) {
		const struct fb_descriptor *d = &index->manifests[i];

		if (is_attestation(d))
			continue;
		if (!d->platform.os[0]) {
			if (!any && document_by_type(d->media_type) ==
					    FB_DOC_MANIFEST)
				any = d;
			continue;
		}
		rank = fb_platform_rank(want, &d->platform);
		if (rank > best_rank) {
			best_rank = rank;
			best = d;
		}
	}
	if (!best)
		best = any;
	if (!best)
		return no_match(index, want, err);
	*ret_entry = best;
	return 0;
}

int fb_manifest_parse(const char *json, size_t len, struct fb_manifest *ret,
		      struct fb_err *err)
{
	FB_JSON json_t *object = NULL;
	struct fb_manifest m = { 0 };
	int r;

	if (len > FB_MANIFEST_SIZE_MAX)
		return fb_err_set(err, -E2BIG, "manifest is over %u bytes",
				  FB_MANIFEST_SIZE_MAX);
	r = fb_json_load(json, len, "manifest", &object, err);
	if (r < 0)
		return r;
	if (json_object_get(object, "fsLayers"))
		return fb_err_set(err, -EOPNOTSUPP,
				  "manifest is docker's old schema 1");
	if (json_object_get(object, "manifests"))
		return fb_err_set(err, -EBADMSG,
				  "manifest is an index at the same time");
	r = copy_string(object, "mediaType", m.media_type,
			sizeof(m.media_type), err);
	if (r == 0)
		r = parse_descriptor(json_object_get(object, "config"),
				     &m.config, err);
	if (r < 0)
		return fb_err_wrap(err, r, "parse manifest: config");
	r = parse_descriptors(json_object_get(object, "layers"), FB_LAYERS_MAX,
			      "layers", &m.layers, &m.layer_count, err);
	if (r < 0)
		return fb_err_wrap(err, r, "parse manifest");
	*ret = m;
	return 0;
}

void fb_manifest_release(struct fb_manifest *manifest)
{
	free(manifest->layers);
	*manifest = (struct fb_manifest){ 0 };
}

enum fb_layer_compression fb_layer_compression(const char *media_type)
{
	for (size_t i = 0; i < FB_ARRAY_SIZE(layer_types); i++)
		if (!strcmp(media_type, layer_types[i].type))
			return layer_types[i].compression;
	return FB_LAYER_UNKNOWN;
}
