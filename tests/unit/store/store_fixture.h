/* SPDX-License-Identifier: Apache-2.0 */
/* A store in a folder of its own, and images made of nothing but small blobs. */
#ifndef FB_TESTS_STORE_FIXTURE_H
#define FB_TESTS_STORE_FIXTURE_H

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "oci/manifest.h"
#include "store/blob.h"
#include "store/catalogue.h"
#include "store/container.h"
#include "store/rootfs_file.h"
#include "store/store.h"
#include "tap.h"

struct fixture {
	char dir[64];
	struct fb_store_roots roots;
	struct fb_store *store;
	char log[4096]; /* what the store said, a line each */
	struct fb_log sink;
};

static inline void fixture_log(void *ctx, enum fb_log_level level,
			       const char *line)
{
	struct fixture *f = ctx;
	size_t used = strlen(f->log);

	(void)level;
	(void)snprintf(f->log + used, sizeof(f->log) - used, "%s\n", line);
}

static inline void fixture_open(struct fixture *f)
{
	struct fb_err err = { 0 };

	if (fb_store_open(&f->roots, &f->sink, &f->store, &err) < 0) {
		printf("Bail out! open the store: %s\n", err.msg);
		exit(1);
	}
}

static inline void fixture_reopen(struct fixture *f)
{
	fb_store_close(f->store);
	f->store = NULL;
	fixture_open(f);
}

static inline void fixture_start(struct fixture *f)
{
	*f = (struct fixture){ .sink = { .level = FB_LOG_DEBUG,
					 .emit = fixture_log } };
	f->sink.ctx = f;
	(void)snprintf(f->dir, sizeof(f->dir), "/tmp/fb-store-XXXXXX");
	if (!mkdtemp(f->dir) ||
	    fb_store_roots_resolve(f->dir, &f->roots, NULL) < 0) {
		printf("Bail out! no folder for the test\n");
		exit(1);
	}
	fixture_open(f);
}

static inline void fixture_end(struct fixture *f)
{
	fb_store_close(f->store);
	fb_store_roots_release(&f->roots);
	(void)fb_rmtree_at(AT_FDCWD, f->dir);
}

/* A small blob with the given text */
static inline struct fb_blob_ref
fixture_blob(struct fixture *f, struct fb_lease *lease, const char *text)
{
	struct fb_blob_ref ref = { .size_bytes = strlen(text) };

	if (fb_store_blob_put(f->store, lease, text, strlen(text), &ref.digest,
			      NULL) < 0) {
		printf("Bail out! write a blob\n");
		exit(1);
	}
	return ref;
}

/*
 * An image whose manifest, config and layer are the texts "m-@seed", "c-@config",
 * "l-@layer"; names are given with NULL behind the last.
 */
static inline struct fb_digest
fixture_image(struct fixture *f, const char *seed, const char *config,
	      const char *layer, const char *const *names)
{
	FB_LEASE struct fb_lease *lease = NULL;
	struct fb_blob_ref blobs[3];
	struct fb_image_entry entry = { .blobs = blobs, .blob_count = 3 };
	struct fb_image_record *record = &entry.record;
	struct fb_digest manifest;
	struct fb_err err = { 0 };
	char text[3][256];

	(void)snprintf(text[0], sizeof(text[0]), "m-%s", seed);
	(void)snprintf(text[1], sizeof(text[1]), "c-%s", config);
	(void)snprintf(text[2], sizeof(text[2]), "l-%s", layer);
	if (fb_store_lease_open(f->store, &lease, &err) < 0) {
		printf("Bail out! lease: %s\n", err.msg);
		exit(1);
	}
	for (int i = 0; i < 3; i++)
		blobs[i] = fixture_blob(f, lease, text[i]);
	record->manifest = blobs[0].digest;
	record->config = blobs[1].digest;
	(void)snprintf(record->media_type, sizeof(record->media_type), "%s",
		       FB_MT_OCI_MANIFEST);
	(void)snprintf(record->platform.os, sizeof(record->platform.os),
		       "linux");
	(void)snprintf(record->platform.arch, sizeof(record->platform.arch),
		       "amd64");
	record->created_s = 1000;
	record->size_bytes =
		blobs[0].size_bytes + blobs[1].size_bytes + blobs[2].size_bytes;
	for (; names && *names; names++)
		(void)fb_strv_add(&record->names, *names);
	if (fb_store_images_put(f->store, &entry, 1, &err) < 0) {
		printf("Bail out! put an image: %s\n", err.msg);
		exit(1);
	}
	manifest = record->manifest;
	fb_image_record_release(record);
	return manifest;
}

/* Files in a folder of the store, "." and ".." left out */
static inline int fixture_count(struct fixture *f, const char *sub)
{
	FB_FREE char *path = fb_path_join(f->roots.state, sub);
	FB_DIR DIR *dir = path ? opendir(path) : NULL;
	struct dirent *entry;
	int count = 0;

	while (dir && (entry = readdir(dir)))
		count += strcmp(entry->d_name, ".") != 0 &&
			 strcmp(entry->d_name, "..") != 0;
	return dir ? count : -1;
}

#endif
