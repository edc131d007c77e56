/* SPDX-License-Identifier: Apache-2.0 */
/* Blobs that are whole: opening, reading, listing, deleting. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/hash.h"
#include "base/io.h"
#include "store/blob.h"
#include "store/internal.h"

static const enum fb_hash_kind kinds[] = { FB_HASH_SHA256, FB_HASH_SHA512 };

static int open_or_make(int parent, const char *name, bool create)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0 || errno != ENOENT || !create)
		return fd < 0 ? -errno : fd;
	if (mkdirat(parent, name, 0755) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int fb_store_blob_dir(struct fb_store *store, enum fb_hash_kind kind,
		      bool create, struct fb_err *err)
{
	FB_FD int blobs = -EBADF;
	int oci = fb_store_dir_fd(store, FB_STORE_DIR_OCI, err);
	int fd;

	if (oci < 0)
		return oci;
	blobs = open_or_make(oci, "blobs", create);
	fd = blobs < 0 ? blobs
		       : open_or_make(blobs, fb_digest_kind_name(kind), create);
	if (fd < 0)
		return fb_err_set(err, fd, "open '%s/oci/blobs/%s': %s",
				  store->state, fb_digest_kind_name(kind),
				  strerror(-fd));
	return fd;
}

int fb_store_blobs_sync(struct fb_store *store, struct fb_err *err)
{
	for (size_t i = 0; i < FB_ARRAY_SIZE(kinds); i++) {
		FB_FD int fd = fb_store_blob_dir(store, kinds[i], false, NULL);

		if (fd == -ENOENT)
			continue;
		if (fd < 0 || fsync(fd) < 0)
			return fb_err_set(err, fd < 0 ? fd : -errno,
					  "sync the blobs of '%s': %m",
					  store->state);
	}
	return 0;
}

int fb_store_blob_open(struct fb_store *store, const struct fb_digest *digest,
		       uint64_t size_bytes, uint64_t *ret_size_bytes,
		       struct fb_err *err)
{
	FB_FD int dir = fb_store_blob_dir(store, digest->kind, false, err);
	FB_FD int fd = -EBADF;
	char text[FB_DIGEST_TEXT_MAX];
	struct stat st;

	if (dir < 0)
		return dir;
	fd = openat(dir, fb_digest_hex(digest, text),
		    O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return fb_err_set(err, -errno, "open blob '%s': %m",
				  fb_digest_format(digest, text));
	if (fstat(fd, &st) < 0)
		return fb_err_set(err, -errno, "stat blob '%s': %m",
				  fb_digest_format(digest, text));
	if (!S_ISREG(st.st_mode) ||
	    (size_bytes != UINT64_MAX && (uint64_t)st.st_size != size_bytes))
		return fb_err_set(err, -EBADMSG,
				  "blob '%s' has %lld bytes instead of %llu",
				  fb_digest_format(digest, text),
				  (long long)st.st_size,
				  (unsigned long long)size_bytes);
	if (ret_size_bytes)
		*ret_size_bytes = (uint64_t)st.st_size;
	return FB_TAKE_FD(fd);
}

int fb_store_blob_load(struct fb_store *store, const struct fb_digest *digest,
		       size_t max, char **ret_data, size_t *ret_len,
		       struct fb_err *err)
{
	FB_FD int fd = -EBADF;
	FB_HASH struct fb_hash *hash = fb_hash_new(digest->kind);
	FB_FREE char *data = NULL;
	uint8_t sum[FB_HASH_SIZE_MAX];
	char text[FB_DIGEST_TEXT_MAX];
	uint64_t size;
	ssize_t n;

	(void)fb_digest_format(digest, text);
	fd = fb_store_blob_open(store, digest, UINT64_MAX, &size, err);
	if (fd < 0)
		return fd;
	if (size > max)
		return fb_err_set(err, -EFBIG,
				  "blob '%s' is over the limit of %zu bytes",
				  text, max);
	data = malloc((size_t)size + 1);
	if (!data || !hash)
		return fb_err_set(err, -ENOMEM, "read blob '%s': %m", text);
	n = fb_read_full(fd, data, (size_t)size);
	if (n < 0)
		return fb_err_set(err, (int)n, "read blob '%s': %s", text,
				  strerror((int)-n));
	if (fb_hash_update(hash, data, (size_t)n) < 0 ||
	    fb_hash_final(hash, sum) < 0)
		return fb_err_set(err, -EIO, "hash blob '%s'", text);
	if ((uint64_t)n != size ||
	    memcmp(sum, digest->hash, fb_hash_size(digest->kind)) != 0)
		return fb_err_hint(err,
				   fb_err_set(err, -EBADMSG,
					      "blob '%s' in the store is "
					      "damaged",
					      text),
				   "mend it with flamebox verify --repair");
	data[n] = '\0';
	*ret_data = FB_TAKE_PTR(data);
	*ret_len = (size_t)n;
	return 0;
}

bool fb_store_blob_has(struct fb_store *store, const struct fb_digest *digest,
		       uint64_t size_bytes)
{
	FB_FD int dir = fb_store_blob_dir(store, digest->kind, false, NULL);
	char hex[FB_DIGEST_TEXT_MAX];
	struct stat st;

	return dir >= 0 &&
	       fstatat(dir, fb_digest_hex(digest, hex), &st,
		       AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISREG(st.st_mode) &&
	       (size_bytes == UINT64_MAX || (uint64_t)st.st_size == size_bytes);
}

bool fb_store_blob_unlink(struct fb_store *store,
			  const struct fb_digest *digest,
			  uint64_t *ret_freed_bytes)
{
	FB_FD int dir = fb_store_blob_dir(store, digest->kind, false, NULL);
	char hex[FB_DIGEST_TEXT_MAX];
	struct stat st;

	(void)fb_digest_hex(digest, hex);
	if (dir < 0 || fstatat(dir, hex, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    unlinkat(dir, hex, 0) < 0)
		return false;
	*ret_freed_bytes = (uint64_t)st.st_blocks * 512;
	return true;
}

/**
 * struct walk - A walk over the blobs
 * @visit: Called for each
 */
struct walk {
	int (*visit)(void *ctx, const struct fb_digest *digest,
		     const struct stat *st);
	void *ctx;
};

static int visit_entry(const struct walk *walk, int dir, const char *algorithm,
		       const char *name)
{
	FB_FREE char *text = NULL;
	struct fb_digest digest;
	struct stat st;

	if (name[0] == '.' || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	if (asprintf(&text, "%s:%s", algorithm, name) < 0) {
		text = NULL;
		return -ENOMEM;
	}
	/* what is not named like a blob is not ours to judge */
	if (!S_ISREG(st.st_mode) || fb_digest_parse(text, &digest, NULL) < 0)
		return 0;
	return walk->visit(walk->ctx, &digest, &st);
}

static int visit_kind(struct fb_store *store, const struct walk *walk,
		      enum fb_hash_kind kind, struct fb_err *err)
{
	int fd = fb_store_blob_dir(store, kind, false, NULL);
	FB_DIR DIR *list = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	int r = 0;

	if (fd == -ENOENT)
		return 0;
	if (!list) {
		r = fd < 0 ? fd : -errno;
		(void)fb_close(fd);
		return fb_err_set(err, r, "read the blobs of '%s': %s",
				  store->state, strerror(-r));
	}
	while (r >= 0 && (entry = readdir(list)))
		r = visit_entry(walk, dirfd(list), fb_digest_kind_name(kind),
				entry->d_name);
	return r < 0 ? r : 0;
}

int fb_store_blob_walk(struct fb_store *store,
		       int (*visit)(void *ctx, const struct fb_digest *digest,
				    const struct stat *st),
		       void *ctx, struct fb_err *err)
{
	const struct walk walk = { .visit = visit, .ctx = ctx };
	int r = 0;

	for (size_t i = 0; r == 0 && i < FB_ARRAY_SIZE(kinds); i++)
		r = visit_kind(store, &walk, kinds[i], err);
	return r;
}

/** struct sizes - A visitor that only wants sizes */
struct sizes {
	int (*visit)(void *ctx, const struct fb_digest *digest,
		     uint64_t size_bytes);
	void *ctx;
};

static int visit_size(void *ctx, const struct fb_digest *digest,
		      const struct stat *st)
{
	const struct sizes *sizes = ctx;

	return sizes->visit(sizes->ctx, digest, (uint64_t)st->st_size);
}

int fb_store_blob_list(struct fb_store *store,
		       int (*visit)(void *ctx, const struct fb_digest *digest,
				    uint64_t size_bytes),
		       void *ctx, struct fb_err *err)
{
	struct sizes sizes = { .visit = visit, .ctx = ctx };

	return fb_store_blob_walk(store, visit_size, &sizes, err);
}
