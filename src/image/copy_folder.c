/* SPDX-License-Identifier: Apache-2.0 */
/* A copy into the OCI layout of a folder, which may have other images. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "image/copy_internal.h"
#include "image/save_internal.h"
#include "oci/json.h"

#define LAYOUT "{\"imageLayoutVersion\":\"1.0.0\"}"
#define LAYOUT_BYTES_MAX 4096
#define ANNOTATION_NAME "org.opencontainers.image.ref.name"

/* Does an entry have to go, where another gets its name? */
static bool is_replaced(const json_t *entry, const char *digest,
			const char *name)
{
	const json_t *notes = json_object_get(entry, "annotations");
	const char *has =
		json_string_value(json_object_get(notes, ANNOTATION_NAME));
	const char *other = json_string_value(json_object_get(entry, "digest"));

	if (name[0])
		return has && strcmp(has, name) == 0;
	return !has && other && strcmp(other, digest) == 0;
}

static json_t *make_entry(const struct fb_copy_doc *doc, const char *digest,
			  const char *name)
{
	if (name[0])
		return json_pack("{s:s, s:s, s:I, s:{s:s}}", "mediaType",
				 doc->media_type, "digest", digest, "size",
				 (json_int_t)doc->size_bytes, "annotations",
				 ANNOTATION_NAME, name);
	return json_pack("{s:s, s:s, s:I}", "mediaType", doc->media_type,
			 "digest", digest, "size", (json_int_t)doc->size_bytes);
}

int fb_copy_index_json(const char *old, size_t len,
		       const struct fb_copy_doc *doc, const char *name,
		       char **ret, struct fb_err *err)
{
	FB_JSON json_t *root = NULL;
	char digest[FB_DIGEST_TEXT_MAX];
	json_t *list;
	int r = 0;

	if (old)
		r = fb_json_load(old, len, "index.json", &root, err);
	else
		root = json_pack("{s:i, s:s, s:[]}", "schemaVersion", 2,
				 "mediaType", FB_MT_OCI_INDEX, "manifests");
	if (r < 0)
		return r;
	list = json_object_get(root, "manifests");
	if (!json_is_array(list))
		return fb_err_set(err, old ? -EBADMSG : -ENOMEM,
				  "'index.json' has no list of manifests");
	(void)fb_digest_format(&doc->digest, digest);
	for (size_t i = json_array_size(list); i > 0; i--)
		if (is_replaced(json_array_get(list, i - 1), digest, name))
			(void)json_array_remove(list, i - 1);
	if (json_array_append_new(list, make_entry(doc, digest, name)) == 0)
		*ret = json_dumps(root, JSON_COMPACT);
	return *ret ? 0 : fb_err_set(err, -ENOMEM, "index.json: %m");
}

/**
 * struct folder - The layout
 * @fd:    Of it, locked
 * @sink:  A folder in it where blobs are written
 * @temp:  That one's name
 * @fresh: It was no layout before, and has no index yet
 */
struct folder {
	int fd;
	bool fresh;
	struct fb_save_sink sink;
	char temp[64];
};

/* Only what is empty goes */
static void tidy(struct folder *f)
{
	(void)unlinkat(f->fd, "blobs/sha512", AT_REMOVEDIR);
	if (!f->fresh || unlinkat(f->fd, "blobs/sha256", AT_REMOVEDIR) < 0 ||
	    unlinkat(f->fd, "blobs", AT_REMOVEDIR) < 0)
		return;
	(void)unlinkat(f->fd, "oci-layout", 0);
}

static void folder_release(struct folder *f)
{
	fb_save_sink_release(&f->sink);
	if (f->fd >= 0 && f->temp[0])
		(void)fb_rmtree_at(f->fd, f->temp);
	if (f->fd >= 0)
		tidy(f);
	f->fd = fb_close(f->fd);
}

/* A folder with something else in it is left alone. Return: 0; 1 it is one only now */
static int check_layout(int fd, struct fb_err *err)
{
	FB_FREE char *text = NULL;
	size_t len;
	int r = fb_read_file_at(fd, "oci-layout", LAYOUT_BYTES_MAX, &text,
				&len);

	if (r == 0)
		return fb_oci_layout_check(text, len, err);
	if (r != -ENOENT)
		return fb_err_set(err, r, "'oci-layout': %s", strerror(-r));
	if (faccessat(fd, "index.json", F_OK, 0) == 0)
		return fb_err_set(err, -EBADMSG,
				  "the folder is no OCI layout: index.json is "
				  "there, oci-layout is not");
	r = fb_write_file_at(fd, "oci-layout", LAYOUT, strlen(LAYOUT), 0644);
	return r < 0 ? fb_err_set(err, r, "'oci-layout': %s", strerror(-r)) : 1;
}

static int make_dirs(int fd, struct fb_err *err)
{
	static const char *const dirs[] = { "blobs", "blobs/sha256",
					    "blobs/sha512" };

	for (size_t i = 0; i < FB_ARRAY_SIZE(dirs); i++)
		if (mkdirat(fd, dirs[i], 0755) < 0 && errno != EEXIST)
			return fb_err_set(err, -errno, "make '%s': %m",
					  dirs[i]);
	return 0;
}

static int folder_open(const char *path, struct folder *f, struct fb_err *err)
{
	int r = fb_mkdirs(path, 0755, err);

	if (r < 0)
		return r;
	f->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->fd < 0)
		return fb_err_set(err, -errno, "%m");
	while (flock(f->fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return fb_err_set(err, -errno, "lock: %m");
	r = check_layout(f->fd, err);
	if (r < 0)
		return r;
	f->fresh = r == 1;
	/* ours alone while the lock is held: also what a killed process left */
	(void)snprintf(f->temp, sizeof(f->temp), ".flamebox-copy");
	(void)fb_rmtree_at(f->fd, f->temp);
	if (mkdirat(f->fd, f->temp, 0700) < 0)
		return fb_err_set(err, -errno, "make '%s': %m", f->temp);
	f->sink.folder = f->sink.owned = true;
	f->sink.fd = openat(f->fd, f->temp, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->sink.fd < 0)
		return fb_err_set(err, -errno, "open '%s': %m", f->temp);
	r = make_dirs(f->fd, err);
	return r < 0 ? r : make_dirs(f->sink.fd, err);
}

static bool has(const struct folder *f, const struct fb_digest *digest,
		uint64_t size_bytes)
{
	char name[FB_SAVE_NAME_MAX];
	struct stat st;

	return fstatat(f->fd, fb_save_blob_name(digest, name), &st,
		       AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISREG(st.st_mode) && (uint64_t)st.st_size == size_bytes;
}

static int put_blob(struct fb_copy *c, struct folder *f,
		    const struct fb_digest *digest, uint64_t size_bytes,
		    struct fb_err *err)
{
	if (has(f, digest, size_bytes))
		return 0;
	return fb_save_sink_blob(&f->sink, c->ctx, digest, size_bytes, err);
}

static int publish(struct folder *f, const struct fb_digest *digest,
		   struct fb_err *err)
{
	char name[FB_SAVE_NAME_MAX];

	(void)fb_save_blob_name(digest, name);
	if (renameat(f->sink.fd, name, f->fd, name) < 0 && errno != ENOENT)
		return fb_err_set(err, -errno, "write '%s': %m", name);
	return 0;
}

static int put_blobs(struct fb_copy *c, struct folder *f, struct fb_err *err)
{
	int r = 0;

	for (size_t i = 0; i < c->blob_count && r == 0; i++)
		r = put_blob(c, f, &c->blobs[i].digest, c->blobs[i].size_bytes,
			     err);
	for (size_t i = 0; i < c->doc_count && r == 0; i++)
		r = put_blob(c, f, &c->docs[i].digest, c->docs[i].size_bytes,
			     err);
	if (r == 0 && syncfs(f->fd) < 0)
		r = fb_err_set(err, -errno, "write blobs: %m");
	for (size_t i = 0; i < c->blob_count && r == 0; i++)
		r = publish(f, &c->blobs[i].digest, err);
	for (size_t i = 0; i < c->doc_count && r == 0; i++)
		r = publish(f, &c->docs[i].digest, err);
	return r;
}

static int put_index(struct fb_copy *c, struct folder *f, struct fb_err *err)
{
	FB_FREE char *old = NULL;
	FB_FREE char *text = NULL;
	size_t len = 0;
	int r = fb_read_file_at(f->fd, "index.json", FB_LOAD_INDEX_MAX, &old,
				&len);

	if (r < 0 && r != -ENOENT)
		return fb_err_set(err, r, "'index.json': %s", strerror(-r));
	r = fb_copy_index_json(old, len, fb_copy_top(c), c->to.name, &text,
			       err);
	if (r < 0 || !text)
		return r < 0 ? r : -ENOMEM;
	r = fb_write_file_at(f->fd, "index.json", text, strlen(text), 0644);
	if (r < 0)
		return fb_err_set(err, r, "'index.json': %s", strerror(-r));
	f->fresh = false;
	return 0;
}

int fb_copy_to_folder(struct fb_copy *c, struct fb_err *err)
{
	__attribute__((cleanup(folder_release))) struct folder f = {
		.fd = -EBADF, .sink = FB_SAVE_SINK_INIT
	};
	int r = folder_open(c->to.path, &f, err);

	if (r == 0)
		r = put_blobs(c, &f, err);
	return r < 0 ? r : put_index(c, &f, err);
}
