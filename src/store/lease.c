/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation: a lease is a locked file with a digest a line.
 *
 * A pull takes minutes, a collection must not wait for it, and it must not take
 * away what the pull has fetched already.  So the pull writes down what it is
 * going to need, holding the gate (shared) for the moment of writing; the
 * collector, who holds the gate exclusively, reads every lease whose owner is
 * alive (its lock is held) and leaves alone what it names.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>

#include "base/io.h"
#include "store/blob.h"
#include "store/internal.h"

/* A lease names at most index + manifest + config + layers of its images. */
#define LEASE_BYTES_MAX (64u << 20)

struct fb_lease {
	struct fb_store *store;
	int fd;
	char name[64];
};

int fb_store_lease_open(struct fb_store *store, struct fb_lease **ret,
			struct fb_err *err)
{
	FB_LEASE struct fb_lease *lease = calloc(1, sizeof(*lease));
	int dir = fb_store_dir_fd(store, FB_STORE_DIR_LEASES, err);
	int r;

	if (dir < 0)
		return dir;
	if (!lease)
		return fb_err_set(err, -ENOMEM, "open a lease: %m");
	lease->store = store;
	lease->fd = -EBADF;
	do {
		lease->fd = fb_close(lease->fd);
		r = fb_store_random_name(lease->name, sizeof(lease->name));
		if (r < 0)
			return fb_err_set(err, r, "name a lease: %s",
					  strerror(-r));
		lease->fd =
			openat(dir, lease->name,
			       O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_APPEND,
			       0600);
		if (lease->fd < 0)
			return fb_err_set(err, -errno,
					  "create '%s/leases/%s': %m",
					  store->state, lease->name);
		r = fb_store_flock(lease->fd, LOCK_EX);
		if (r < 0)
			return fb_err_set(err, r, "lock '%s/leases/%s': %s",
					  store->state, lease->name,
					  strerror(-r));
	} while (!fb_store_same_file(dir, lease->name, lease->fd));
	*ret = FB_TAKE_PTR(lease);
	return 0;
}

int fb_lease_note(struct fb_lease *lease, const struct fb_digest *digest,
		  struct fb_err *err)
{
	char line[FB_DIGEST_TEXT_MAX + 1];
	size_t len;
	int r;

	(void)fb_digest_format(digest, line);
	len = strlen(line);
	line[len++] = '\n';
	r = fb_write_full(lease->fd, line, len);
	return r < 0 ? fb_err_set(err, r, "write '%s/leases/%s': %s",
				  lease->store->state, lease->name,
				  strerror(-r))
		     : 0;
}

int fb_store_lease_add(struct fb_lease *lease, const struct fb_digest *digest,
		       uint64_t size_bytes, bool *ret_has, struct fb_err *err)
{
	FB_FD int gate = fb_store_gate(lease->store, false, err);
	int r;

	if (gate < 0)
		return gate;
	r = fb_lease_note(lease, digest, err);
	if (r < 0)
		return r;
	if (ret_has)
		*ret_has = fb_store_blob_has(lease->store, digest, size_bytes);
	return 0;
}

void fb_store_lease_close(struct fb_lease *lease)
{
	if (!lease)
		return;
	if (lease->fd >= 0)
		(void)unlinkat(lease->store->fds[FB_STORE_DIR_LEASES],
			       lease->name, 0);
	(void)fb_close(lease->fd);
	free(lease);
}

static int read_lease(int dir, const char *name, struct fb_digest_set *set)
{
	FB_FREE char *text = NULL;
	struct fb_digest digest;
	char *line, *end;
	int r;

	r = fb_read_file_at(dir, name, LEASE_BYTES_MAX, &text, NULL);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	for (line = text; (end = strchr(line, '\n')); line = end + 1) {
		*end = '\0';
		if (fb_digest_parse(line, &digest, NULL) < 0)
			continue;
		r = fb_digest_set_add(set, &digest);
		if (r < 0)
			return r;
	}
	return 0;
}

int fb_store_leases_read(struct fb_store *store, struct fb_digest_set *set,
			 struct fb_err *err)
{
	FB_DIR DIR *list = NULL;
	struct dirent *entry;
	int r;

	r = fb_store_reap_dir(store, FB_STORE_DIR_LEASES, err);
	if (r < 0)
		return r;
	list = fb_store_listdir(store, FB_STORE_DIR_LEASES, err);
	if (!list)
		return -errno;
	while ((entry = readdir(list))) {
		if (entry->d_name[0] == '.')
			continue;
		r = read_lease(dirfd(list), entry->d_name, set);
		if (r < 0)
			return fb_err_set(err, r, "read '%s/leases/%s': %s",
					  store->state, entry->d_name,
					  strerror(-r));
	}
	return 0;
}
