/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/manifest.h"

#include <errno.h>
#include <string.h>

#include "oci/descriptor.h"
#include "oci/json.h"

static int check_layers(const struct fb_manifest *m, struct fb_err *err)
{
	for (size_t i = 0; i < m->layer_count; i++) {
		const char *type = m->layers[i].media_type;

		if (fb_layer_is_foreign(type))
			return fb_err_set(err, -EOPNOTSUPP,
					  "layer %zu is foreign ('%s'): no "
					  "registry hands it out",
					  i + 1, type);
		if (fb_layer_compression(type) == FB_LAYER_UNKNOWN)
			return fb_err_set(err, -EOPNOTSUPP,
					  "layer %zu is of type '%s', which is "
					  "no image layer",
					  i + 1, type);
	}
	return 0;
}

static int parse_parts(const json_t *object, struct fb_manifest *m,
		       struct fb_err *err)
{
	int r = fb_schema_check(object, err);

	if (r == 0)
		r = fb_descriptor_string(object, "mediaType", m->media_type,
					 sizeof(m->media_type), err);
	if (r < 0)
		return r;
	r = fb_descriptor_parse(json_object_get(object, "config"), &m->config,
				err);
	if (r < 0)
		return fb_err_wrap(err, r, "config");
	if (!fb_config_type_is_image(m->config.media_type))
		return fb_err_set(err, -EOPNOTSUPP,
				  "an artifact of type '%s', not an image",
				  m->config.media_type);
	r = fb_descriptors_parse(object, "layers", FB_LAYERS_MAX, &m->layers,
				 &m->layer_count, err);
	return r < 0 ? r : check_layers(m, err);
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
	r = parse_parts(object, &m, err);
	if (r < 0) {
		fb_manifest_release(&m);
		return fb_err_wrap(err, r, "parse manifest");
	}
	*ret = m;
	return 0;
}

void fb_manifest_release(struct fb_manifest *manifest)
{
	free(manifest->layers);
	*manifest = (struct fb_manifest){ 0 };
}
