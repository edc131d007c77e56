/* SPDX-License-Identifier: Apache-2.0 */
/* A store, and image archives made of a few bytes. */
#ifndef FB_TESTS_IMAGE_FIXTURE_H
#define FB_TESTS_IMAGE_FIXTURE_H

#include "../store/store_fixture.h"
#include "image/image.h"
#include "image/load.h"
#include "tar_maker.h"

/**
 * struct parts - The pieces of a one-layer image
 */
struct parts {
	char layer[2048]; /* a tar that holds nothing */
	size_t layer_len;
	char layer_digest[FB_DIGEST_TEXT_MAX];
	char config[1024];
	char config_digest[FB_DIGEST_TEXT_MAX];
	char manifest[2048];
	char manifest_digest[FB_DIGEST_TEXT_MAX];
};

static inline void digest_text(const void *data, size_t len,
			       char out[FB_DIGEST_TEXT_MAX])
{
	struct fb_digest d;

	if (fb_digest_of(data, len, &d) < 0)
		abort();
	(void)fb_digest_format(&d, out);
}

/* @seed makes the layer, and with it the whole image, another one */
static inline void make_parts(struct parts *p, const char *seed,
			      const char *arch)
{
	struct tar_maker t = TAR_MAKER_INIT;

	tar_text(&t, "seed", seed);
	tar_end(&t);
	memset(p, 0, sizeof(*p));
	p->layer_len = t.out.len;
	if (p->layer_len > sizeof(p->layer))
		abort();
	memcpy(p->layer, t.out.buf, p->layer_len);
	fb_str_release(&t.out);
	digest_text(p->layer, p->layer_len, p->layer_digest);
	(void)snprintf(
		p->config, sizeof(p->config),
		"{\"architecture\":\"%s\",\"os\":\"linux\","
		"\"created\":\"2024-05-06T07:08:09Z\","
		"\"config\":{\"Cmd\":[\"/bin/sh\"]},"
		"\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"%s\"]}}",
		arch, p->layer_digest);
	digest_text(p->config, strlen(p->config), p->config_digest);
	(void)snprintf(
		p->manifest, sizeof(p->manifest),
		"{\"schemaVersion\":2,\"mediaType\":\"" FB_MT_OCI_MANIFEST
		"\",\"config\":{\"mediaType\":\"" FB_MT_OCI_CONFIG
		"\",\"digest\":\"%s\",\"size\":%zu},\"layers\":["
		"{\"mediaType\":\"" FB_MT_OCI_LAYER
		"\",\"digest\":\"%s\",\"size\":%zu}]}",
		p->config_digest, strlen(p->config), p->layer_digest,
		p->layer_len);
	digest_text(p->manifest, strlen(p->manifest), p->manifest_digest);
}

/* "sha256:<hex>" → "blobs/sha256/<hex>" */
static inline const char *blob_name(const char *digest, char out[200])
{
	(void)snprintf(out, 200, "blobs/sha256/%.64s", digest + 7);
	return out;
}

static inline void tar_blob(struct tar_maker *t, const void *data, size_t len)
{
	char digest[FB_DIGEST_TEXT_MAX], name[200];

	digest_text(data, len, digest);
	tar_file(t, blob_name(digest, name), data, len);
}

static inline void tar_layout(struct tar_maker *t)
{
	tar_text(t, "oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}");
}

static inline void tar_parts(struct tar_maker *t, const struct parts *p)
{
	tar_blob(t, p->layer, p->layer_len);
	tar_blob(t, p->config, strlen(p->config));
	tar_blob(t, p->manifest, strlen(p->manifest));
}

static inline char *fixture_path(const struct fixture *f, const char *name)
{
	char *path = fb_path_join(f->dir, name);

	if (!path)
		abort();
	return path;
}

/* Writes the archive to a file and loads that. Return: what load returned */
static inline int load_tar(struct fixture *f, struct tar_maker *t,
			   const char *file, const char *name,
			   struct fb_strv *loaded, struct fb_err *err)
{
	struct fb_image_context ctx = { .store = f->store, .log = &f->sink };
	FB_FREE char *path = fixture_path(f, file);
	struct fb_image_load load = { .path = path, .fd = -1, .name = name };

	if (t->out.err ||
	    fb_write_file_at(AT_FDCWD, path, t->out.buf, t->out.len, 0600) < 0)
		abort();
	*err = (struct fb_err){ 0 };
	return fb_image_load(&ctx, &load, loaded, err);
}

/* Blobs in the store */
static inline int fixture_blobs(struct fixture *f)
{
	int count = fixture_count(f, "oci/blobs/sha256");

	return count < 0 ? 0 : count;
}

#endif
