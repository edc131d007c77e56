/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Index, manifest and image config: foreign JSON to structs.
 * Source: OCI image-spec 1.1 (image-index.md, manifest.md, config.md),
 * docker's distribution manifest v2 schema 2.
 */
#ifndef FB_OCI_MANIFEST_H
#define FB_OCI_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "oci/digest.h"
#include "oci/platform.h"

#define FB_MANIFEST_SIZE_MAX (4u << 20)
#define FB_CONFIG_SIZE_MAX (8u << 20)
#define FB_LAYERS_MAX 1000
#define FB_INDEX_ENTRIES_MAX 4096

#define FB_MT_OCI_INDEX "application/vnd.oci.image.index.v1+json"
#define FB_MT_OCI_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define FB_MT_OCI_CONFIG "application/vnd.oci.image.config.v1+json"
#define FB_MT_OCI_LAYER "application/vnd.oci.image.layer.v1.tar"
#define FB_MT_OCI_LAYER_GZIP FB_MT_OCI_LAYER "+gzip"
#define FB_MT_OCI_LAYER_ZSTD FB_MT_OCI_LAYER "+zstd"
#define FB_MT_DOCKER_LIST \
	"application/vnd.docker.distribution.manifest.list.v2+json"
#define FB_MT_DOCKER_MANIFEST \
	"application/vnd.docker.distribution.manifest.v2+json"
#define FB_MT_DOCKER_SCHEMA1 \
	"application/vnd.docker.distribution.manifest.v1+json"
#define FB_MT_DOCKER_SCHEMA1_SIGNED \
	"application/vnd.docker.distribution.manifest.v1+prettyjws"
#define FB_MT_DOCKER_CONFIG "application/vnd.docker.container.image.v1+json"
#define FB_MT_DOCKER_LAYER "application/vnd.docker.image.rootfs.diff.tar"
#define FB_MT_DOCKER_LAYER_GZIP FB_MT_DOCKER_LAYER ".gzip"
#define FB_MT_DOCKER_FOREIGN \
	"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"

/**
 * struct fb_descriptor - A pointer to content
 * @media_type:   At most 255 bytes
 * @digest:       Always set
 * @size_bytes:   0 … 2^63−1
 * @platform:     Only in an index; os[0] == 0 where not given
 * @ref_name:     Annotation org.opencontainers.image.ref.name, or ""
 * @image_name:   Annotation io.containerd.image.name, or ""
 */
struct fb_descriptor {
	char media_type[256];
	struct fb_digest digest;
	uint64_t size_bytes;
	struct fb_platform platform;
	char ref_name[512];
	char image_name[512];
};

/** struct fb_index - An image index or docker manifest list */
struct fb_index {
	struct fb_descriptor *manifests;
	size_t manifest_count;
};

/** struct fb_manifest - An image manifest; layers base first */
struct fb_manifest {
	char media_type[256];
	struct fb_descriptor config;
	struct fb_descriptor *layers;
	size_t layer_count;
};

/** enum fb_layer_compression - What a layer's media type says */
enum fb_layer_compression {
	FB_LAYER_PLAIN,
	FB_LAYER_GZIP,
	FB_LAYER_ZSTD,
	FB_LAYER_UNKNOWN, /* not a layer that can be unpacked */
};

/** struct fb_image_config - What an image config says, strings never NULL unless said */
struct fb_image_config {
	struct fb_platform platform;
	struct fb_digest *diff_ids; /* base first */
	size_t diff_id_count;
	int64_t created_s;    /* UNIX seconds, or FB_TIME_UNKNOWN */
	char *user;	      /* "" where none */
	char *working_dir;    /* "" where none */
	char *stop_signal;    /* "" where none */
	char **entrypoint;    /* NULL-terminated; NULL where not given */
	char **cmd;	      /* likewise */
	char **env;	      /* NULL-terminated "NAME=value", never NULL */
	char **volumes;	      /* NULL-terminated paths, never NULL */
	char **exposed_ports; /* "80/tcp", never NULL */
	char **labels;	      /* NULL-terminated "key=value", never NULL */
};

/** enum fb_document - What a JSON document is, by mediaType or by its shape */
enum fb_document {
	FB_DOC_UNKNOWN,
	FB_DOC_INDEX,
	FB_DOC_MANIFEST,
	FB_DOC_SCHEMA1,
	FB_DOC_ARTIFACT, /* a manifest whose config or layers are not an image's */
};

/**
 * fb_document_kind() - Tell what a fetched document is
 * @json:       Bytes (borrowed)
 * @len:        Count
 * @media_type: What its descriptor or Content-Type says, or ""
 *
 * Parameters ("; charset=utf-8") and types that name no document ("text/plain")
 * are ignored in @media_type.  A document whose own mediaType contradicts it or
 * its shape, or that has both "manifests" and "layers", is FB_DOC_UNKNOWN
 * (image-spec 1.1, CVE-2021-41190).
 */
enum fb_document fb_document_kind(const char *json, size_t len,
				  const char *media_type);

/** fb_index_parse() - Return: 0; -EBADMSG malformed; -E2BIG; -ENOMEM */
int fb_index_parse(const char *json, size_t len, struct fb_index *ret,
		   struct fb_err *err);
void fb_index_release(struct fb_index *index);

/**
 * fb_index_select() - The entry that serves a platform best
 * @ret_entry: Borrowed from @index
 *
 * Entries without a platform match only when nothing else does and they are
 * image manifests; attestation entries (unknown/unknown) never.
 *
 * Return: 0; -ENOENT none, the text lists what there is.
 */
int fb_index_select(const struct fb_index *index,
		    const struct fb_platform *want,
		    const struct fb_descriptor **ret_entry, struct fb_err *err);

/**
 * fb_manifest_parse() - An image manifest
 *
 * Every layer of a manifest that was accepted is of a type that
 * fb_layer_compression() knows.
 *
 * Return: 0; -EBADMSG malformed; -EOPNOTSUPP schema 1, an artifact, a foreign
 * or unknown layer; -E2BIG; -ENOMEM.
 */
int fb_manifest_parse(const char *json, size_t len, struct fb_manifest *ret,
		      struct fb_err *err);
void fb_manifest_release(struct fb_manifest *manifest);

/** fb_layer_compression() - By media type */
enum fb_layer_compression fb_layer_compression(const char *media_type);

/** fb_layer_is_foreign() - A layer that is distributed some other way */
bool fb_layer_is_foreign(const char *media_type);

/* Before 1970: nobody's images are so old, but many are of its first second */
#define FB_TIME_UNKNOWN (-1)

/**
 * fb_oci_time_parse() - RFC 3339, as documents have it, to UNIX seconds
 * @text: "2024-05-01T12:00:00.5Z", or NULL; the fraction is dropped
 *
 * Return: seconds; FB_TIME_UNKNOWN where it can't be read or is before 1970: it is
 * only shown.
 */
int64_t fb_oci_time_parse(const char *text);

/** fb_image_config_parse() - Return: 0; -EBADMSG malformed; -E2BIG; -ENOMEM */
int fb_image_config_parse(const char *json, size_t len,
			  struct fb_image_config *ret, struct fb_err *err);
void fb_image_config_release(struct fb_image_config *config);

#endif
