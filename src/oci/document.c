/* SPDX-License-Identifier: Apache-2.0 */
/* Media types, and what a document is by them and by its shape. */
#include <errno.h>
#include <string.h>

#include "oci/descriptor.h"
#include "oci/json.h"
#include "oci/manifest.h"

#define OCI_FOREIGN "application/vnd.oci.image.layer.nondistributable.v1.tar"

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
	{ "application/vnd.oci.artifact.manifest.v1+json", FB_DOC_ARTIFACT },
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

static const char *const foreign_types[] = {
	FB_MT_DOCKER_FOREIGN,
	OCI_FOREIGN,
	OCI_FOREIGN "+gzip",
	OCI_FOREIGN "+zstd",
};

/* the last three are what docker's first registries called a config */
static const char *const config_types[] = {
	FB_MT_OCI_CONFIG,
	FB_MT_DOCKER_CONFIG,
	"application/octet-stream",
	"application/json",
	"",
};

enum fb_document fb_document_by_type(const char *media_type)
{
	/* a Content-Type may go on: "; charset=utf-8" */
	size_t len = strcspn(media_type, "; \t");

	for (size_t i = 0; i < FB_ARRAY_SIZE(document_types); i++)
		if (strlen(document_types[i].type) == len &&
		    !memcmp(media_type, document_types[i].type, len))
			return document_types[i].document;
	return FB_DOC_UNKNOWN;
}

enum fb_layer_compression fb_layer_compression(const char *media_type)
{
	for (size_t i = 0; i < FB_ARRAY_SIZE(layer_types); i++)
		if (!strcmp(media_type, layer_types[i].type))
			return layer_types[i].compression;
	return FB_LAYER_UNKNOWN;
}

bool fb_layer_is_foreign(const char *media_type)
{
	for (size_t i = 0; i < FB_ARRAY_SIZE(foreign_types); i++)
		if (!strcmp(media_type, foreign_types[i]))
			return true;
	return false;
}

bool fb_config_type_is_image(const char *media_type)
{
	for (size_t i = 0; i < FB_ARRAY_SIZE(config_types); i++)
		if (!strcmp(media_type, config_types[i]))
			return true;
	return false;
}

static const char *type_of(const json_t *descriptor)
{
	const char *type =
		json_string_value(json_object_get(descriptor, "mediaType"));

	return type ? type : "";
}

static bool is_artifact(const json_t *manifest)
{
	const json_t *layers = json_object_get(manifest, "layers");

	if (!fb_config_type_is_image(
		    type_of(json_object_get(manifest, "config"))))
		return true;
	for (size_t i = 0; i < json_array_size(layers); i++) {
		const char *type = type_of(json_array_get(layers, i));

		if (fb_layer_compression(type) == FB_LAYER_UNKNOWN &&
		    !fb_layer_is_foreign(type))
			return true;
	}
	return false;
}

/* an artifact counts as a manifest here */
static enum fb_document by_shape(const json_t *json)
{
	bool manifests = json_object_get(json, "manifests");
	bool layers = json_object_get(json, "layers") ||
		      json_object_get(json, "config");
	bool schema1 = json_object_get(json, "fsLayers");

	if ((int)manifests + (int)layers + (int)schema1 != 1)
		return FB_DOC_UNKNOWN;
	return manifests ? FB_DOC_INDEX
	       : schema1 ? FB_DOC_SCHEMA1
			 : FB_DOC_MANIFEST;
}

enum fb_document fb_document_kind(const char *json, size_t len,
				  const char *media_type)
{
	FB_JSON json_t *object = NULL;
	enum fb_document shape, own, outside = fb_document_by_type(media_type);
	const char *type = NULL;

	if (len > FB_MANIFEST_SIZE_MAX ||
	    fb_json_load(json, len, "document", &object, NULL) < 0 ||
	    fb_json_string(object, "mediaType", &type, NULL) < 0)
		return FB_DOC_UNKNOWN;
	own = type ? fb_document_by_type(type) : FB_DOC_UNKNOWN;
	if (own == FB_DOC_ARTIFACT)
		return FB_DOC_ARTIFACT;
	shape = by_shape(object);
	/* a type from outside that we don't know ("text/plain") says nothing */
	if ((type && own != shape) ||
	    (outside != FB_DOC_UNKNOWN && outside != shape))
		return FB_DOC_UNKNOWN;
	return shape == FB_DOC_MANIFEST && is_artifact(object) ? FB_DOC_ARTIFACT
							       : shape;
}
