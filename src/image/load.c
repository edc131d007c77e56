/* SPDX-License-Identifier: Apache-2.0 */
#include "image/load.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/io.h"
#include "base/path.h"
#include "image/load_internal.h"
#include "oci/reference.h"

#define LAYOUT_BYTES_MAX 4096

char *fb_load_base_name(const char *path)
{
	static const char *const suffixes[] = { ".gz",	  ".zst", ".tgz",
						".tar",	  ".oci", ".img",
						".docker" };
	FB_FREE char *full = realpath(path, NULL);
	const char *slash = strrchr(full ? full : path, '/');
	FB_FREE char *name = strdup(slash ? slash + 1 : path);
	struct fb_reference ref;

	if (!name)
		return NULL;
	for (size_t i = 0; i < FB_ARRAY_SIZE(suffixes); i++) {
		size_t len = strlen(name), cut = strlen(suffixes[i]);

		if (len > cut && !strcmp(name + len - cut, suffixes[i]))
			name[len - cut] = '\0';
	}
	for (char *p = name; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	if (strpbrk(name, "/:@") || fb_reference_parse(name, &ref, NULL) < 0)
		name[0] = '\0';
	return FB_TAKE_PTR(name);
}

static bool is_of_image(const struct fb_image_entry *entry,
			const struct fb_digest *digest)
{
	/* the manifest, or the index that it came from: the last of the blobs */
	return fb_digest_equal(&entry->record.manifest, digest) ||
	       (entry->blob_count &&
		fb_digest_equal(&entry->blobs[entry->blob_count - 1].digest,
				digest));
}

int fb_loader_name(struct fb_image_entry *entry, const char *text,
		   struct fb_err *err)
{
	char name[FB_REFERENCE_TEXT_MAX + 256];
	struct fb_reference ref;
	int r = fb_reference_parse(text, &ref, err);

	if (r < 0)
		return fb_err_wrap(err, r, "name '%s'", text);
	if (ref.digest.set) {
		/* an archive's word for what another image's digest is */
		if (!is_of_image(entry, &ref.digest))
			return 0;
		ref.tag[0] = '\0';
	}
	(void)fb_reference_canonical(&ref, name);
	for (size_t i = 0; i < entry->record.names.count; i++)
		if (!strcmp(entry->record.names.v[i], name))
			return 0;
	return fb_strv_add(&entry->record.names, name);
}

/* The same image under several names is one entry. */
static int merge_names(struct fb_image_entry *into,
		       const struct fb_image_entry *from)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < from->record.names.count; i++)
		r = fb_strv_add(&into->record.names, from->record.names.v[i]);
	return r;
}

int fb_loader_add(struct fb_loader *loader, struct fb_image_entry *entry,
		  struct fb_err *err)
{
	for (size_t i = 0; i < loader->count; i++) {
		int r;

		if (!fb_digest_equal(&loader->entries[i].record.manifest,
				     &entry->record.manifest))
			continue;
		r = merge_names(&loader->entries[i], entry);
		fb_image_entry_release(entry);
		return r;
	}
	if (loader->count == loader->cap) {
		size_t cap = loader->cap ? loader->cap * 2 : 4;
		void *v = reallocarray(loader->entries, cap,
				       sizeof(*loader->entries));

		if (!v)
			return fb_err_set(err, -ENOMEM, "load images: %m");
		loader->entries = v;
		loader->cap = cap;
	}
	loader->entries[loader->count++] = *entry;
	*entry = (struct fb_image_entry){ 0 };
	return 0;
}

static int check_trust(struct fb_loader *loader, enum fb_transport transport,
		       struct fb_err *err)
{
	return fb_trust_check_file(loader->what->trust, transport,
				   loader->what->path, &loader->fact, err);
}

static int load_folder(struct fb_loader *loader, struct fb_err *err)
{
	FB_FREE char *layout = NULL;
	FB_FREE char *index = NULL;
	size_t layout_len, index_len;
	int r;

	r = fb_read_file_at(loader->dirfd, "oci-layout", LAYOUT_BYTES_MAX,
			    &layout, &layout_len);
	if (r < 0)
		return fb_err_hint(err,
				   fb_err_set(err, r == -ENOENT ? -EBADMSG : r,
					      "no OCI layout: 'oci-layout': %s",
					      strerror(-r)),
				   "name a folder made by skopeo, umoci or "
				   "buildah, or an archive");
	r = fb_oci_layout_check(layout, layout_len, err);
	if (r == 0)
		r = check_trust(loader, FB_TRANSPORT_OCI, err);
	if (r < 0)
		return r;
	r = fb_read_file_at(loader->dirfd, "index.json", FB_LOAD_INDEX_MAX,
			    &index, &index_len);
	if (r < 0)
		return fb_err_set(err, r == -ENOENT ? -EBADMSG : r,
				  "'index.json': %s", strerror(-r));
	return fb_load_oci(loader, index, index_len, err);
}

/* Newer docker writes both kinds of description; the OCI one keeps digests. */
static int load_archive(struct fb_loader *loader, int fd, struct fb_err *err)
{
	FB_SOURCE struct fb_source *source = NULL;
	struct fb_members *m = &loader->members;
	off_t at = lseek(fd, 0, SEEK_CUR);
	int r;

	r = fb_source_from_fd(fd, at > 0 ? (uint64_t)at : 0, UINT64_MAX,
			      &source, err);
	if (r == 0)
		r = fb_members_read(loader->ctx, loader->lease, source, m, err);
	if (r < 0)
		return r;
	if (m->layout && m->index) {
		r = fb_oci_layout_check(m->layout, strlen(m->layout), err);
		if (r == 0)
			r = check_trust(loader, FB_TRANSPORT_OCI_ARCHIVE, err);
		return r < 0 ? r
			     : fb_load_oci(loader, m->index, m->index_len, err);
	}
	if (m->manifest && loader->whole)
		return fb_err_set(err, -EOPNOTSUPP,
				  "a docker-archive holds no index: leave "
				  "--all away");
	if (m->manifest) {
		r = check_trust(loader, FB_TRANSPORT_DOCKER_ARCHIVE, err);
		return r < 0 ? r : fb_load_docker(loader, err);
	}
	return fb_err_hint(
		err,
		fb_err_set(err, -EBADMSG,
			   "no image archive: neither manifest.json "
			   "nor oci-layout and index.json are in it"),
		"what is loaded is made by `docker save`, `podman "
		"save` or `skopeo copy`; a root file system alone is "
		"no image");
}

static int load_path(struct fb_loader *loader, struct fb_err *err)
{
	const char *path = loader->what->path;
	FB_FD int fd = -EBADF;
	struct stat st;

	if (!strcmp(path, "-"))
		return load_archive(loader, loader->what->fd, err);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) < 0)
		return fb_err_set(err, -errno, "%m");
	if (!S_ISDIR(st.st_mode))
		return load_archive(loader, fd, err);
	loader->dirfd = FB_TAKE_FD(fd);
	return load_folder(loader, err);
}

static int check_name(const char *name, struct fb_err *err)
{
	struct fb_reference ref;
	int r = fb_reference_parse(name, &ref, err);

	if (r < 0)
		return fb_err_wrap(err, r, "--name '%s'", name);
	if (ref.digest.set)
		return fb_err_set(err, -EINVAL,
				  "--name '%s': a name to give has no digest",
				  name);
	return 0;
}

static int give_name(struct fb_loader *loader, struct fb_err *err)
{
	if (!loader->what->name)
		return 0;
	if (loader->count != 1)
		return fb_err_hint(
			err,
			fb_err_set(err, -EINVAL,
				   "--name is for one image, there are %zu",
				   loader->count),
			"leave --name away, and rename with flamebox tag");
	return fb_loader_name(&loader->entries[0], loader->what->name, err);
}

static int report(const struct fb_loader *loader, struct fb_strv *ret)
{
	char text[FB_REFERENCE_TEXT_MAX + 256];
	char digest[FB_DIGEST_TEXT_MAX];
	struct fb_reference ref;
	int r = 0;

	for (size_t i = 0; r == 0 && i < loader->count; i++) {
		const struct fb_image_record *record =
			&loader->entries[i].record;

		for (size_t j = 0; r == 0 && j < record->names.count; j++) {
			if (fb_reference_parse(record->names.v[j], &ref,
					       NULL) == 0)
				r = fb_strv_add(
					ret, fb_reference_familiar(&ref, text));
		}
		if (r == 0 && record->names.count == 0)
			r = fb_strv_add(ret, fb_digest_format(&record->config,
							      digest));
	}
	return r;
}

int fb_loader_run(struct fb_loader *loader, struct fb_err *err)
{
	const char *path = loader->what->path;
	int r;

	loader->base = strcmp(path, "-") ? fb_load_base_name(path) : strdup("");
	if (!loader->base)
		return fb_err_set(err, -ENOMEM, "load images: %m");
	r = fb_store_lease_open(loader->ctx->store, &loader->lease, err);
	if (r == 0)
		r = load_path(loader, err);
	if (r == 0 && loader->count == 0 && !loader->whole && !loader->only)
		r = fb_err_set(err, loader->passed ? -EOPNOTSUPP : -EBADMSG,
			       loader->passed
				       ? "there is an artifact in it, no image"
				       : "there is no image in it");
	return r;
}

void fb_loader_release(struct fb_loader *loader)
{
	const struct fb_image_context *ctx = loader->ctx;

	fb_store_lease_close(loader->lease);
	/* whatever passed by and is in no image */
	if (loader->members.made_count &&
	    fb_store_collect_blobs(ctx->store, loader->members.made,
				   loader->members.made_count, NULL) < 0)
		fb_log(ctx->log, FB_LOG_INFO,
		       "blobs that are not needed are left for the next prune");
	for (size_t i = 0; i < loader->count; i++)
		fb_image_entry_release(&loader->entries[i]);
	free(loader->entries);
	fb_members_release(&loader->members);
	(void)fb_close(loader->dirfd);
	free(loader->base);
	free(loader->fact);
	*loader = (struct fb_loader){ .dirfd = -EBADF };
}

static int load_all(struct fb_loader *loader, struct fb_strv *ret_loaded,
		    struct fb_err *err)
{
	const struct fb_image_context *ctx = loader->ctx;
	int r = fb_loader_run(loader, err);

	if (r == 0)
		r = give_name(loader, err);
	for (size_t i = 0; r == 0 && i < loader->count; i++)
		if (fb_strv_add(&loader->entries[i].facts, loader->fact) < 0)
			r = fb_err_set(err, -ENOMEM, "load images: %m");
	if (r == 0)
		r = fb_store_images_put(ctx->store, loader->entries,
					loader->count, err);
	if (r < 0)
		return r;
	fb_progress(ctx->progress, FB_PROGRESS_DONE, loader->what->path, 0, 0);
	return report(loader, ret_loaded);
}

int fb_image_load(const struct fb_image_context *ctx,
		  const struct fb_image_load *load, struct fb_strv *ret_loaded,
		  struct fb_err *err)
{
	struct fb_loader loader = { .ctx = ctx, .what = load, .dirfd = -EBADF };
	int r = load->name ? check_name(load->name, err) : 0;

	if (r < 0)
		return r;
	r = load_all(&loader, ret_loaded, err);
	fb_loader_release(&loader);
	return r < 0 ? fb_err_wrap(err, r, "load '%s'", load->path) : 0;
}
