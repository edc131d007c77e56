/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blobs are looked at once each; which image needs which comes from the
 * catalogue in the order of the digests, so that the images of a blob stand
 * together and are counted as they pass.
 */
#include "store/usage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "store/internal.h"

#define BLOCK_BYTES 512u

void fb_store_usage_release(struct fb_store_usage *usage)
{
	free(usage->images);
	free(usage->rootfs);
	*usage = (struct fb_store_usage){ 0 };
}

static uint64_t on_disk(const struct stat *st)
{
	return (uint64_t)st->st_blocks * BLOCK_BYTES;
}

static int by_seq(const void *a, const void *b)
{
	const struct fb_image_usage *x = a, *y = b;

	return (x->seq > y->seq) - (x->seq < y->seq);
}

static struct fb_image_usage *find_image(const struct fb_store_usage *usage,
					 int64_t seq)
{
	const struct fb_image_usage key = { .seq = seq };

	return usage->image_count
		       ? bsearch(&key, usage->images, usage->image_count,
				 sizeof(key), by_seq)
		       : NULL;
}

const struct fb_image_usage *
fb_store_usage_find(const struct fb_store_usage *usage, int64_t seq)
{
	return find_image(usage, seq);
}

/* Doubled whenever the count is a power of two. Return: the new slot; NULL */
static void *add_slot(void *list, size_t *count, size_t size)
{
	void **v = list;

	if ((*count & (*count - 1)) == 0) {
		void *grown = reallocarray(*v, *count ? *count * 2 : 1, size);

		if (!grown)
			return NULL;
		*v = grown;
	}
	memset((char *)*v + *count * size, 0, size);
	return (char *)*v + (*count)++ * size;
}

static int out_of_memory(struct fb_err *err)
{
	return fb_err_set(err, -ENOMEM, "measure the store: %m");
}

static int list_images(struct fb_store *store, struct fb_store_usage *usage,
		       struct fb_err *err)
{
	FB_STMT sqlite3_stmt *stmt = NULL;
	int r = fb_db_prepare(store, &stmt, err,
			      "SELECT i.seq, (SELECT count(*) FROM container c"
			      " JOIN image j ON j.manifest = c.manifest"
			      " WHERE j.config = i.config)"
			      " FROM image i ORDER BY i.seq",
			      "");

	while (r == 0 && (r = fb_db_step(store, stmt, err)) > 0) {
		struct fb_image_usage *image =
			add_slot(&usage->images, &usage->image_count,
				 sizeof(*usage->images));

		if (!image)
			return out_of_memory(err);
		image->seq = sqlite3_column_int64(stmt, 0);
		image->containers = (unsigned int)sqlite3_column_int(stmt, 1);
		r = 0;
	}
	return r;
}

/** struct sized_blob - A blob of the store; @needed: by an image */
struct sized_blob {
	struct fb_digest digest;
	uint64_t bytes;
	bool needed;
};

struct sized_blobs {
	struct sized_blob *v;
	size_t count;
};

static int add_blob(void *ctx, const struct fb_digest *digest,
		    const struct stat *st)
{
	struct sized_blobs *blobs = ctx;
	struct sized_blob *blob =
		add_slot(&blobs->v, &blobs->count, sizeof(*blobs->v));

	if (!blob)
		return -ENOMEM;
	blob->digest = *digest;
	blob->bytes = on_disk(st);
	return 0;
}

static int by_digest(const void *a, const void *b)
{
	const struct sized_blob *x = a, *y = b;

	if (x->digest.kind != y->digest.kind)
		return x->digest.kind < y->digest.kind ? -1 : 1;
	return memcmp(x->digest.hash, y->digest.hash, sizeof(x->digest.hash));
}

static struct sized_blob *find_blob(const struct sized_blobs *blobs,
				    const struct fb_digest *digest)
{
	const struct sized_blob key = { .digest = *digest };

	return blobs->count ? bsearch(&key, blobs->v, blobs->count, sizeof(key),
				      by_digest)
			    : NULL;
}

/* The images of the blob at work; @only is the first of them */
struct sharing {
	struct sized_blob *blob;
	struct fb_image_usage *only;
	size_t images;
	bool in_use;
};

static void account(struct fb_store_usage *usage, const struct sharing *s)
{
	if (!s->blob || s->images == 0)
		return;
	s->blob->needed = true;
	usage->blob_bytes += s->blob->bytes;
	if (!s->in_use)
		usage->blob_unused_bytes += s->blob->bytes;
	/* it was counted as shared while it was not known to be alone */
	if (s->images == 1) {
		s->only->shared_bytes -= s->blob->bytes;
		s->only->unique_bytes += s->blob->bytes;
	}
}

static int share_out(struct fb_store *store, const struct sized_blobs *blobs,
		     struct fb_store_usage *usage, struct fb_err *err)
{
	FB_STMT sqlite3_stmt *stmt = NULL;
	struct sharing s = { 0 };
	int r = fb_db_prepare(store, &stmt, err,
			      "SELECT digest, image FROM image_blob"
			      " ORDER BY digest, image",
			      "");

	while (r == 0 && (r = fb_db_step(store, stmt, err)) > 0) {
		struct fb_digest digest = fb_db_digest(stmt, 0);
		struct sized_blob *blob = find_blob(blobs, &digest);
		struct fb_image_usage *image =
			find_image(usage, sqlite3_column_int64(stmt, 1));

		r = 0;
		if (!blob || !image)
			continue;
		if (blob != s.blob) {
			account(usage, &s);
			s = (struct sharing){ .blob = blob, .only = image };
		}
		s.images++;
		s.in_use |= image->containers != 0;
		image->shared_bytes += blob->bytes;
	}
	account(usage, &s);
	return r;
}

static int measure_blobs(struct fb_store *store, struct fb_store_usage *usage,
			 struct fb_err *err)
{
	struct sized_blobs blobs = { 0 };
	int r = fb_store_blob_walk(store, add_blob, &blobs, err);

	if (r == 0 && blobs.count)
		qsort(blobs.v, blobs.count, sizeof(*blobs.v), by_digest);
	if (r == 0)
		r = share_out(store, &blobs, usage, err);
	for (size_t i = 0; r == 0 && i < blobs.count; i++) {
		if (blobs.v[i].needed)
			continue;
		usage->stray_count++;
		usage->stray_bytes += blobs.v[i].bytes;
	}
	free(blobs.v);
	return r == -ENOMEM ? out_of_memory(err) : r;
}

static int list_rootfs(struct fb_store *store, struct fb_store_usage *usage,
		       struct fb_err *err)
{
	FB_STMT sqlite3_stmt *stmt = NULL;
	int dir = fb_store_dir_fd(store, FB_STORE_DIR_ROOTFS, err);
	int r = dir < 0 ? dir
			: fb_db_prepare(store, &stmt, err,
					"SELECT key, used_s FROM rootfs"
					" ORDER BY used_s DESC, key",
					"");

	while (r == 0 && (r = fb_db_step(store, stmt, err)) > 0) {
		struct fb_rootfs_usage *rootfs =
			add_slot(&usage->rootfs, &usage->rootfs_count,
				 sizeof(*usage->rootfs));
		char name[FB_ROOTFS_NAME_MAX];

		if (!rootfs)
			return out_of_memory(err);
		rootfs->key = fb_db_digest(stmt, 0);
		rootfs->used_s = sqlite3_column_int64(stmt, 1);
		fb_store_rootfs_name(&rootfs->key, name);
		rootfs->bytes = fb_store_rootfs_on_disk(store, name);
		r = 0;
	}
	return r;
}

static int share_rootfs(struct fb_store *store, struct fb_store_usage *usage,
			struct fb_rootfs_usage *rootfs, struct fb_err *err)
{
	FB_STMT sqlite3_stmt *stmt = NULL;
	int r = fb_db_prepare(store, &stmt, err,
			      "SELECT image FROM rootfs_use WHERE key=?", "d",
			      &rootfs->key);

	while (r == 0 && (r = fb_db_step(store, stmt, err)) > 0) {
		struct fb_image_usage *image =
			find_image(usage, sqlite3_column_int64(stmt, 0));

		r = 0;
		if (!image)
			continue;
		image->rootfs_bytes += rootfs->bytes;
		rootfs->images++;
		rootfs->in_use |= image->containers != 0;
	}
	return r;
}

static int measure_rootfs(struct fb_store *store, struct fb_store_usage *usage,
			  struct fb_err *err)
{
	int r = list_rootfs(store, usage, err);

	for (size_t i = 0; r == 0 && i < usage->rootfs_count; i++)
		r = share_rootfs(store, usage, &usage->rootfs[i], err);
	return r;
}

/* Files of a folder, and of those in it; what goes meanwhile counts nothing. */
static uint64_t measure_tree(int parent, const char *name, size_t *count,
			     unsigned int depth)
{
	int fd = openat(parent, name,
			O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	FB_DIR DIR *list = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	uint64_t bytes = 0;
	struct stat st;

	if (!list) {
		(void)fb_close(fd);
		return 0;
	}
	while ((entry = readdir(list))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (fstatat(dirfd(list), entry->d_name, &st,
			    AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		bytes += on_disk(&st);
		if (S_ISDIR(st.st_mode) && depth)
			bytes += measure_tree(dirfd(list), entry->d_name, count,
					      depth - 1);
		else
			(*count)++;
	}
	return bytes;
}

static int measure_dir(struct fb_store *store, enum fb_store_dir dir,
		       size_t *count, uint64_t *bytes, struct fb_err *err)
{
	int fd = fb_store_dir_fd(store, dir, err);

	if (fd < 0)
		return fd;
	*bytes += measure_tree(fd, ".", count, 0);
	return 0;
}

uint64_t fb_store_container_usage(struct fb_store *store, const char *id)
{
	int dir = fb_store_dir_fd(store, FB_STORE_DIR_CONTAINERS, NULL);
	size_t count = 0;

	return dir < 0 ? 0 : measure_tree(dir, id, &count, 4);
}

int fb_store_usage(struct fb_store *store, struct fb_store_usage *ret,
		   struct fb_err *err)
{
	FB_STORE_USAGE struct fb_store_usage usage = { 0 };
	FB_DB_TX struct fb_db_tx tx = { 0 };
	int r = fb_db_snapshot(store, &tx, err);

	if (r == 0)
		r = list_images(store, &usage, err);
	if (r == 0)
		r = measure_blobs(store, &usage, err);
	if (r == 0)
		r = measure_rootfs(store, &usage, err);
	if (r == 0)
		r = measure_dir(store, FB_STORE_DIR_PARTIAL, &usage.stray_count,
				&usage.stray_bytes, err);
	if (r == 0)
		r = measure_dir(store, FB_STORE_DIR_TMP, &usage.stray_count,
				&usage.stray_bytes, err);
	if (r == 0)
		r = measure_dir(store, FB_STORE_DIR_DISKS,
				&usage.template_count, &usage.template_bytes,
				err);
	if (r < 0)
		return r;
	*ret = usage;
	usage = (struct fb_store_usage){ 0 };
	return 0;
}
