/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blobs being written.
 *
 * An anonymous one is a file in tmp/ that dies with its writer.  One that can be
 * resumed stands in partial/ under its digest: whoever holds its lock writes
 * it, and a file that nobody holds is a beginning for the next.  What is found
 * there is only believed once the whole has the right digest: after a power cut
 * it may be full of zeroes.
 *
 * Publishing: sync the file; then, with the gate held, note it in the lease and
 * rename it.  The folder is synced before anything refers to what is in it
 * (fb_store_blobs_sync()): until then a power cut costs no more than a download.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/hash.h"
#include "base/io.h"
#include "store/blob.h"
#include "store/internal.h"

/* Start writing out early, so that the sync at the end has little to do. */
#define WRITE_OUT_BYTES (8u << 20)

struct fb_blob_writer {
	struct fb_store *store;
	struct fb_lease *lease;
	struct fb_digest expected; /* unset: whatever comes out */
	uint64_t expected_bytes;
	struct fb_hash *hash; /* NULL: the caller verifies */
	uint64_t size_bytes;
	uint64_t written_out_bytes;
	enum fb_store_dir dir; /* tmp/ or partial/ */
	int fd;
	char name[FB_DIGEST_TEXT_MAX];
};

static void writer_free(struct fb_blob_writer *writer)
{
	fb_hash_free(writer->hash);
	(void)fb_close(writer->fd);
	free(writer);
}

static int writer_error(const struct fb_blob_writer *writer, int code,
			const char *what, struct fb_err *err)
{
	char text[FB_DIGEST_TEXT_MAX];

	return fb_err_set(err, code, "%s blob '%s': %s", what,
			  writer->expected.set
				  ? fb_digest_format(&writer->expected, text)
				  : writer->name,
			  strerror(-code));
}

static int open_temp(struct fb_blob_writer *writer, struct fb_err *err)
{
	struct fb_store_temp temp = FB_STORE_TEMP_INIT;
	int r = fb_store_temp_create(writer->store, &temp, err);

	if (r < 0)
		return r;
	writer->dir = FB_STORE_DIR_TMP;
	writer->fd = temp.fd;
	memcpy(writer->name, temp.name, sizeof(temp.name));
	return 0;
}

static int open_partial(struct fb_blob_writer *writer, struct fb_err *err)
{
	int dir = fb_store_dir_fd(writer->store, FB_STORE_DIR_PARTIAL, err);
	char hex[FB_DIGEST_TEXT_MAX];
	int r;

	if (dir < 0)
		return dir;
	writer->dir = FB_STORE_DIR_PARTIAL;
	(void)snprintf(writer->name, sizeof(writer->name), "%s-%s",
		       fb_digest_kind_name(writer->expected.kind),
		       fb_digest_hex(&writer->expected, hex));
	do {
		writer->fd = fb_close(writer->fd);
		writer->fd =
			openat(dir, writer->name,
			       O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (writer->fd < 0)
			return writer_error(writer, -errno, "create", err);
		r = fb_store_flock(writer->fd, LOCK_EX | LOCK_NB);
		if (r == -EWOULDBLOCK)
			return fb_err_set(err, -EBUSY,
					  "another process is fetching '%s'",
					  writer->name);
		if (r < 0)
			return writer_error(writer, r, "lock", err);
	} while (!fb_store_same_file(dir, writer->name, writer->fd));
	return 0;
}

/* Hash what an earlier process left, so that ours continues behind it. */
static int take_up(struct fb_blob_writer *writer, struct fb_err *err)
{
	uint8_t buf[65536];
	struct stat st;
	ssize_t n;

	if (fstat(writer->fd, &st) < 0)
		return writer_error(writer, -errno, "stat", err);
	if ((uint64_t)st.st_size > writer->expected_bytes)
		return fb_store_blob_restart(writer, err);
	if (!writer->hash) {
		writer->size_bytes = (uint64_t)st.st_size;
		return 0;
	}
	while ((n = fb_pread_full(writer->fd, buf, sizeof(buf),
				  writer->size_bytes)) > 0) {
		if (fb_hash_update(writer->hash, buf, (size_t)n) < 0)
			return writer_error(writer, -EIO, "hash", err);
		writer->size_bytes += (uint64_t)n;
	}
	return n < 0 ? writer_error(writer, (int)n, "read", err) : 0;
}

int fb_store_blob_create(struct fb_store *store,
			 const struct fb_blob_options *options,
			 struct fb_blob_writer **ret, struct fb_err *err)
{
	struct fb_blob_writer *writer = calloc(1, sizeof(*writer));
	int r;

	if (!writer)
		return fb_err_set(err, -ENOMEM, "create a blob: %m");
	writer->store = store;
	writer->lease = options->lease;
	writer->expected_bytes = options->size_bytes;
	writer->fd = -EBADF;
	if (options->digest)
		writer->expected = *options->digest;
	if (!writer->expected.set || !options->verified)
		writer->hash =
			fb_hash_new(writer->expected.set ? writer->expected.kind
							 : FB_HASH_SHA256);
	if (!writer->hash && !(writer->expected.set && options->verified)) {
		writer_free(writer);
		return fb_err_set(err, -ENOMEM, "create a blob: %m");
	}
	if (options->resume && writer->expected.set) {
		r = open_partial(writer, err);
		if (r == 0)
			r = take_up(writer, err);
	} else {
		r = open_temp(writer, err);
	}
	if (r < 0) {
		writer_free(writer);
		return r;
	}
	*ret = writer;
	return 0;
}

uint64_t fb_store_blob_size(const struct fb_blob_writer *writer)
{
	return writer->size_bytes;
}

int fb_store_blob_write(struct fb_blob_writer *writer, const void *data,
			size_t len, struct fb_err *err)
{
	int r;

	if (writer->expected_bytes != UINT64_MAX &&
	    len > writer->expected_bytes - writer->size_bytes)
		return fb_err_set(err, -EFBIG,
				  "blob '%s' has more than the %llu bytes that "
				  "were announced",
				  writer->name,
				  (unsigned long long)writer->expected_bytes);
	r = fb_pwrite_full(writer->fd, data, len, writer->size_bytes);
	if (r < 0)
		return writer_error(writer, r, "write", err);
	if (writer->hash && fb_hash_update(writer->hash, data, len) < 0)
		return writer_error(writer, -EIO, "hash", err);
	writer->size_bytes += len;
	if (writer->size_bytes - writer->written_out_bytes >= WRITE_OUT_BYTES)
		fb_store_blob_write_out(writer);
	return 0;
}

void fb_store_blob_write_out(struct fb_blob_writer *writer)
{
	uint64_t behind = writer->size_bytes - writer->written_out_bytes;

	if (behind == 0)
		return;
	(void)sync_file_range(writer->fd, (off64_t)writer->written_out_bytes,
			      (off64_t)behind, SYNC_FILE_RANGE_WRITE);
	writer->written_out_bytes = writer->size_bytes;
}

ssize_t fb_store_blob_read(struct fb_blob_writer *writer, uint64_t offset,
			   void *buf, size_t len)
{
	if (offset >= writer->size_bytes)
		return 0;
	if (len > writer->size_bytes - offset)
		len = (size_t)(writer->size_bytes - offset);
	return fb_pread_full(writer->fd, buf, len, offset);
}

int fb_store_blob_follow(const struct fb_blob_writer *writer)
{
	/* opened anew: a duplicate would share the lock */
	int fd = openat(writer->store->fds[writer->dir], writer->name,
			O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	return fd < 0 ? -errno : fd;
}

int fb_store_blob_restart(struct fb_blob_writer *writer, struct fb_err *err)
{
	uint8_t scratch[FB_HASH_SIZE_MAX];

	if (ftruncate(writer->fd, 0) < 0)
		return writer_error(writer, -errno, "truncate", err);
	if (writer->hash && fb_hash_final(writer->hash, scratch) < 0)
		return writer_error(writer, -EIO, "hash", err);
	writer->size_bytes = 0;
	writer->written_out_bytes = 0;
	return 0;
}

/* Return: 0 with @ret what the bytes are; -EBADMSG not what was expected */
static int verify(struct fb_blob_writer *writer, struct fb_digest *ret,
		  struct fb_err *err)
{
	struct fb_digest got = { .set = true, .kind = FB_HASH_SHA256 };
	char want_text[FB_DIGEST_TEXT_MAX], got_text[FB_DIGEST_TEXT_MAX];

	(void)fb_digest_format(&writer->expected, want_text);
	if (writer->expected_bytes != UINT64_MAX &&
	    writer->size_bytes != writer->expected_bytes)
		return fb_err_set(err, -EBADMSG,
				  "blob '%s' has %llu bytes instead of %llu",
				  want_text,
				  (unsigned long long)writer->size_bytes,
				  (unsigned long long)writer->expected_bytes);
	if (!writer->hash) {
		*ret = writer->expected;
		return 0;
	}
	if (writer->expected.set)
		got.kind = writer->expected.kind;
	if (fb_hash_final(writer->hash, got.hash) < 0)
		return writer_error(writer, -EIO, "hash", err);
	if (writer->expected.set && !fb_digest_equal(&got, &writer->expected))
		return fb_err_set(err, -EBADMSG,
				  "blob '%s' is not what its digest says: it "
				  "is '%s'",
				  want_text, fb_digest_format(&got, got_text));
	*ret = got;
	return 0;
}

static int publish(struct fb_blob_writer *writer,
		   const struct fb_digest *digest, struct fb_err *err)
{
	int from = writer->store->fds[writer->dir];
	FB_FD int to =
		fb_store_blob_dir(writer->store, digest->kind, true, err);
	FB_FD int gate = -EBADF;
	char hex[FB_DIGEST_TEXT_MAX];
	int r;

	if (to < 0)
		return to;
	gate = fb_store_gate(writer->store, false, err);
	if (gate < 0)
		return gate;
	r = writer->lease ? fb_lease_note(writer->lease, digest, err) : 0;
	if (r < 0)
		return r;
	if (fb_store_blob_has(writer->store, digest, writer->size_bytes)) {
		(void)unlinkat(from, writer->name, 0);
		return 0;
	}
	if (renameat(from, writer->name, to, fb_digest_hex(digest, hex)) < 0)
		return writer_error(writer, -errno, "publish", err);
	return 0;
}

int fb_store_blob_commit(struct fb_blob_writer *writer,
			 struct fb_digest *ret_digest, struct fb_err *err)
{
	struct fb_digest digest;
	int r = verify(writer, &digest, err);

	if (r < 0) {
		/* a beginning that leads nowhere: not for the next process */
		if (r == -EBADMSG)
			(void)fb_store_blob_restart(writer, NULL);
		return r;
	}
	if (fchmod(writer->fd, 0644) < 0 || fsync(writer->fd) < 0)
		return writer_error(writer, -errno, "write", err);
	r = publish(writer, &digest, err);
	if (r < 0)
		return r;
	if (ret_digest)
		*ret_digest = digest;
	writer_free(writer);
	return 0;
}

void fb_store_blob_suspend(struct fb_blob_writer *writer)
{
	if (!writer)
		return;
	if (writer->dir != FB_STORE_DIR_PARTIAL || writer->size_bytes == 0 ||
	    ftruncate(writer->fd, (off_t)writer->size_bytes) < 0) {
		fb_store_blob_discard(writer);
		return;
	}
	writer_free(writer);
}

void fb_store_blob_discard(struct fb_blob_writer *writer)
{
	if (!writer)
		return;
	(void)unlinkat(writer->store->fds[writer->dir], writer->name, 0);
	writer_free(writer);
}

int fb_store_blob_put(struct fb_store *store, struct fb_lease *lease,
		      const void *data, size_t len,
		      struct fb_digest *ret_digest, struct fb_err *err)
{
	FB_BLOB_WRITER struct fb_blob_writer *writer = NULL;
	struct fb_blob_options options = {
		.size_bytes = len,
		.lease = lease,
	};
	int r = fb_store_blob_create(store, &options, &writer, err);

	if (r == 0)
		r = fb_store_blob_write(writer, data, len, err);
	if (r == 0)
		r = fb_store_blob_commit(writer, ret_digest, err);
	if (r == 0)
		writer = NULL;
	return r;
}
