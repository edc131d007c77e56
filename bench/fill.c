/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Puts thousands of small images into a store, for bench/images.
 *
 *   bench-fill ROOT COUNT
 *
 * Blobs are written straight into the layout: a sync for each, which publishing
 * them would cost, is not what is measured.  The catalogue is filled by the
 * store itself.  All images share one layer, and each has a tag and the digest
 * that it was "pulled" by.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/io.h"
#include "base/path.h"
#include "oci/manifest.h"
#include "store/blob.h"
#include "store/catalogue.h"

struct fill {
	struct fb_store *store;
	int blobs;
	struct fb_blob_ref layer;
};

static void fail(const char *what, const struct fb_err *err)
{
	(void)fprintf(stderr, "bench-fill: %s: %s\n", what,
		      err ? err->msg : "failed");
	exit(1);
}

static struct fb_blob_ref put(struct fill *fill, const char *data, size_t len)
{
	struct fb_blob_ref ref = { .size_bytes = len };
	char hex[FB_DIGEST_TEXT_MAX];
	FB_FD int fd = -EBADF;

	if (fb_digest_of(data, len, &ref.digest) < 0)
		fail("hash", NULL);
	fd = openat(fill->blobs, fb_digest_hex(&ref.digest, hex),
		    O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0 || fb_write_full(fd, data, len) < 0)
		fail("write a blob", NULL);
	return ref;
}

static void describe(struct fb_image_record *record, unsigned int i)
{
	char digest[FB_DIGEST_TEXT_MAX];

	(void)snprintf(record->media_type, sizeof(record->media_type), "%s",
		       FB_MT_OCI_MANIFEST);
	(void)snprintf(record->platform.os, sizeof(record->platform.os),
		       "linux");
	(void)snprintf(record->platform.arch, sizeof(record->platform.arch),
		       "amd64");
	record->created_s = 1700000000 + (int64_t)(i * 7919u % 1000000u);
	if (fb_strv_addf(&record->names, "docker.io/team/app-%05u:v%u.%u", i,
			 i % 7, i % 13) < 0 ||
	    fb_strv_addf(&record->names, "docker.io/team/app-%05u@%s", i,
			 fb_digest_format(&record->manifest, digest)) < 0)
		fail("name an image", NULL);
}

static void make_image(struct fill *fill, unsigned int i,
		       struct fb_image_entry *entry)
{
	FB_STR struct fb_str text = FB_STR_INIT(65536);
	char digest[FB_DIGEST_TEXT_MAX], layer[FB_DIGEST_TEXT_MAX];
	struct fb_blob_ref *blobs = calloc(3, sizeof(*blobs));

	if (!blobs)
		fail("make an image", NULL);
	(void)fb_digest_format(&fill->layer.digest, layer);
	fb_str_printf(&text,
		      "{\"architecture\":\"amd64\",\"os\":\"linux\","
		      "\"config\":{\"Env\":[\"N=%u\"],\"Labels\":{\"n\":"
		      "\"%u\"}},\"rootfs\":{\"type\":\"layers\","
		      "\"diff_ids\":[\"%s\"]}}",
		      i, i, layer);
	blobs[1] = put(fill, text.buf, text.len);
	fb_str_truncate(&text, 0);
	fb_str_printf(&text,
		      "{\"schemaVersion\":2,\"mediaType\":\"" FB_MT_OCI_MANIFEST
		      "\",\"config\":{\"mediaType\":\"" FB_MT_OCI_CONFIG
		      "\",\"digest\":\"%s\",\"size\":%llu},\"layers\":["
		      "{\"mediaType\":\"" FB_MT_OCI_LAYER
		      "\",\"digest\":\"%s\",\"size\":%llu}]}",
		      fb_digest_format(&blobs[1].digest, digest),
		      (unsigned long long)blobs[1].size_bytes, layer,
		      (unsigned long long)fill->layer.size_bytes);
	blobs[0] = put(fill, text.buf, text.len);
	blobs[2] = fill->layer;
	entry->blobs = blobs;
	entry->blob_count = 3;
	entry->record.manifest = blobs[0].digest;
	entry->record.config = blobs[1].digest;
	entry->record.size_bytes =
		blobs[0].size_bytes + blobs[1].size_bytes + blobs[2].size_bytes;
	describe(&entry->record, i);
}

int main(int argc, char **argv)
{
	FB_STORE struct fb_store *store = NULL;
	FB_STORE_ROOTS struct fb_store_roots roots = { 0 };
	unsigned int count = argc == 3 ? (unsigned int)atoi(argv[2]) : 0;
	struct fb_image_entry *entries = calloc(count + 1, sizeof(*entries));
	struct fill fill = { .blobs = -EBADF };
	struct fb_err err = { 0 };
	FB_FREE char *path = NULL;

	if (argc != 3 || count == 0 || !entries) {
		(void)fprintf(stderr, "usage: bench-fill ROOT COUNT\n");
		return 2;
	}
	if (fb_store_roots_resolve(argv[1], &roots, &err) < 0 ||
	    fb_store_open(&roots, NULL, &store, &err) < 0)
		fail("open the store", &err);
	path = fb_path_join(roots.state, "oci/blobs/sha256");
	if (!path || fb_mkdirs(path, 0755, &err) < 0)
		fail("make the folder of blobs", &err);
	fill.store = store;
	fill.blobs = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fill.layer = put(&fill, "a layer", strlen("a layer"));
	for (unsigned int i = 0; i < count; i++)
		make_image(&fill, i, &entries[i]);
	if (fb_store_images_put(store, entries, count, &err) < 0)
		fail("enter the images", &err);
	for (unsigned int i = 0; i < count; i++)
		fb_image_entry_release(&entries[i]);
	free(entries);
	(void)fb_close(fill.blobs);
	return 0;
}
