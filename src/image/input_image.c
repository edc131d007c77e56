/* SPDX-License-Identifier: Apache-2.0 */
/* From an input to the one image in it: which it is, its config, its layers. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/io.h"
#include "base/path.h"
#include "image/assemble.h"
#include "image/docker_archive.h"
#include "image/input_internal.h"
#include "image/layer_source.h"

static const struct fb_member *need(const struct fb_input *in, const char *name,
				    struct fb_err *err)
{
	const struct fb_member *member = fb_members_find(&in->members, name);

	if (!member)
		(void)fb_err_set(err, -EBADMSG, "'%s' is not in the archive",
				 name);
	return member;
}

static int read_member(const struct fb_input *in,
		       const struct fb_member *member, size_t max, char **ret,
		       size_t *ret_len, struct fb_err *err)
{
	FB_FREE char *text = NULL;
	ssize_t n;

	if (member->size_bytes > max)
		return fb_err_set(err, -E2BIG, "'%s' has over %zu bytes",
				  member->name, max);
	text = malloc((size_t)member->size_bytes + 1);
	if (!text)
		return fb_err_set(err, -ENOMEM, "read '%s': %m", member->name);
	n = fb_pread_full(in->fd, text, (size_t)member->size_bytes,
			  in->start + member->offset);
	if (n < 0 || (uint64_t)n != member->size_bytes)
		return fb_err_set(err, n < 0 ? (int)n : -EBADMSG,
				  "'%s' cannot be read", member->name);
	text[n] = '\0';
	*ret = FB_TAKE_PTR(text);
	*ret_len = (size_t)n;
	return 0;
}

static int check_digest(const struct fb_digest *want, const char *data,
			size_t len, struct fb_err *err)
{
	FB_HASH struct fb_hash *hash = fb_hash_new(want->kind);
	struct fb_digest got = { .set = true, .kind = want->kind };
	char a[FB_DIGEST_TEXT_MAX], b[FB_DIGEST_TEXT_MAX];

	if (!hash || fb_hash_update(hash, data, len) < 0 ||
	    fb_hash_final(hash, got.hash) < 0)
		return fb_err_set(err, -ENOMEM, "hash: %m");
	if (fb_digest_equal(want, &got))
		return 0;
	return fb_err_set(err, -EBADMSG, "blob '%s' is '%s'",
			  fb_digest_format(want, a), fb_digest_format(&got, b));
}

/* A manifest, index or config of a layout, verified */
static int read_blob(const struct fb_input *in, const struct fb_descriptor *d,
		     size_t max, char **ret, size_t *ret_len,
		     struct fb_err *err)
{
	char path[FB_LAYOUT_PATH_MAX];
	const struct fb_member *member;
	int r;

	fb_layout_path(&d->digest, path);
	if (in->dirfd >= 0) {
		FB_FD int fd = fb_open_beneath(in->dirfd, "blobs",
					       O_RDONLY | O_DIRECTORY, 0);

		r = fd < 0 ? fd
			   : fb_read_file_at(fd, path + strlen("blobs/"), max,
					     ret, ret_len);
		if (r < 0)
			return fb_err_set(err, r == -ENOENT ? -EBADMSG : r,
					  "'%s': %s", path, strerror(-r));
	} else {
		member = need(in, path, err);
		r = member ? read_member(in, member, max, ret, ret_len, err)
			   : -EBADMSG;
		if (r < 0)
			return r;
	}
	r = check_digest(&d->digest, *ret, *ret_len, err);
	if (r < 0) {
		free(*ret);
		*ret = NULL;
	}
	return r;
}

static int take_config(struct fb_input *in, const char *json, size_t len,
		       size_t layers, struct fb_err *err)
{
	int r = fb_image_config_parse(json, len, &in->config, err);

	if (r < 0)
		return fb_err_wrap(err, r, "image config");
	if (in->config.diff_id_count != layers)
		return fb_err_set(err, -EBADMSG,
				  "the manifest has %zu layers, the config %zu "
				  "diff_ids",
				  layers, in->config.diff_id_count);
	r = in->what->platform
		    ? fb_image_check_platform(in->ctx, &in->config.platform,
					      in->what->platform, err)
		    : 0;
	if (r < 0)
		return r;
	in->layers = calloc(layers + 1, sizeof(*in->layers));
	if (!in->layers)
		return fb_err_set(err, -ENOMEM, "convert: %m");
	in->layer_count = layers;
	for (size_t i = 0; i < layers; i++) {
		in->layers[i].fd = -EBADF;
		in->layers[i].diff_id = in->config.diff_ids[i];
	}
	return 0;
}

/* the archive's word for its size is exact: nothing behind it is read */
static int member_source(const struct fb_input *in,
			 const struct fb_member *member,
			 struct fb_rootfs_layer *layer, struct fb_err *err)
{
	layer->size_bytes = member->size_bytes;
	return fb_source_from_fd(in->fd, in->start + member->offset,
				 member->size_bytes, &layer->source, err);
}

static int blob_layer(const struct fb_input *in, const struct fb_descriptor *d,
		      struct fb_rootfs_layer *layer, struct fb_err *err)
{
	char path[FB_LAYOUT_PATH_MAX];
	const struct fb_member *member;
	int r;

	layer->digest = d->digest;
	layer->compression = fb_layer_compression(d->media_type);
	if (in->dirfd >= 0) {
		r = fb_layer_source_at(in->dirfd, &d->digest, &layer->source,
				       err);
	} else {
		fb_layout_path(&d->digest, path);
		member = need(in, path, err);
		r = member ? member_source(in, member, layer, err) : -EBADMSG;
	}
	layer->size_bytes = d->size_bytes;
	return r;
}

static int take_manifest(struct fb_input *in, const char *json, size_t len,
			 struct fb_err *err)
{
	FB_MANIFEST struct fb_manifest m = { 0 };
	FB_FREE char *config = NULL;
	size_t config_len;
	int r = fb_manifest_parse(json, len, &m, err);

	if (r == 0)
		r = fb_image_check_manifest(&m, err);
	if (r == 0)
		r = read_blob(in, &m.config, FB_CONFIG_SIZE_MAX, &config,
			      &config_len, err);
	if (r == 0)
		r = take_config(in, config, config_len, m.layer_count, err);
	for (size_t i = 0; r == 0 && i < m.layer_count; i++) {
		r = blob_layer(in, &m.layers[i], &in->layers[i], err);
		if (r < 0)
			r = fb_err_wrap(err, r, "layer %zu", i + 1);
	}
	return r;
}

static int select_for(const struct fb_input *in, const struct fb_index *index,
		      const struct fb_descriptor **ret, struct fb_err *err)
{
	struct fb_platform host;

	fb_platform_host(&host);
	return fb_index_select(index,
			       in->what->platform ? in->what->platform : &host,
			       ret, err);
}

/* @nested: an index that an index led to has to lead to a manifest */
static int take_document(struct fb_input *in, const struct fb_descriptor *d,
			 bool nested, struct fb_err *err)
{
	FB_FREE char *json = NULL;
	const struct fb_descriptor *entry;
	struct fb_index index = { 0 };
	size_t len;
	int r = read_blob(in, d, FB_MANIFEST_SIZE_MAX, &json, &len, err);

	if (r < 0)
		return r;
	if (nested ||
	    fb_document_kind(json, len, d->media_type) != FB_DOC_INDEX) {
		(void)fb_digest_format(&d->digest, in->text);
		return take_manifest(in, json, len, err);
	}
	r = fb_index_parse(json, len, &index, err);
	if (r == 0)
		r = select_for(in, &index, &entry, err);
	if (r == 0)
		r = take_document(in, entry, true, err);
	fb_index_release(&index);
	return r;
}

static bool has_name(const struct fb_descriptor *d, const char *name)
{
	return !strcmp(d->ref_name, name) || !strcmp(d->image_name, name);
}

static int say_which(size_t count, struct fb_err *err)
{
	return fb_err_hint(
		err, fb_err_set(err, -EINVAL, "there are %zu images", count),
		"say which: flamebox convert -i FILE NAME -o OUT");
}

/* Entries that go by the name that was asked for, or by one name */
static int pick(const struct fb_input *in, const struct fb_index *index,
		struct fb_index *ret, struct fb_err *err)
{
	const char *name = in->what->name;

	for (size_t i = 0; i < index->manifest_count; i++) {
		const struct fb_descriptor *d = &index->manifests[i];

		if (name && !has_name(d, name))
			continue;
		if (ret->manifest_count &&
		    strcmp(d->ref_name, ret->manifests[0].ref_name) != 0)
			return say_which(index->manifest_count, err);
		ret->manifests[ret->manifest_count++] = *d;
	}
	if (ret->manifest_count)
		return 0;
	return name ? fb_err_set(err, -ENOENT, "no image '%s' in it", name)
		    : fb_err_set(err, -EBADMSG, "there is no image in it");
}

int fb_input_oci(struct fb_input *in, const char *json, size_t len,
		 struct fb_err *err)
{
	FB_FREE struct fb_descriptor *list = NULL;
	const struct fb_descriptor *entry;
	struct fb_index index = { 0 }, picked = { 0 };
	int r = fb_index_parse(json, len, &index, err);

	if (r < 0)
		return fb_err_wrap(err, r, "index.json");
	list = calloc(index.manifest_count + 1, sizeof(*list));
	picked.manifests = list;
	r = list ? pick(in, &index, &picked, err)
		 : fb_err_set(err, -ENOMEM, "read index.json: %m");
	if (r == 0) {
		entry = &picked.manifests[0];
		if (picked.manifest_count > 1)
			r = select_for(in, &picked, &entry, err);
	}
	if (r == 0)
		r = take_document(in, entry, false, err);
	fb_index_release(&index);
	return r;
}

static const struct fb_docker_image *
pick_docker(const struct fb_input *in, const struct fb_docker_archive *archive,
	    struct fb_err *err)
{
	const char *name = in->what->name;

	for (size_t i = 0; name && i < archive->image_count; i++)
		for (size_t k = 0; k < archive->images[i].tags.count; k++)
			if (!strcmp(archive->images[i].tags.v[k], name))
				return &archive->images[i];
	if (name)
		(void)fb_err_set(err, -ENOENT, "no image '%s' in it", name);
	else if (archive->image_count == 1)
		return &archive->images[0];
	else
		(void)say_which(archive->image_count, err);
	return NULL;
}

static int take_docker(struct fb_input *in, const struct fb_docker_image *image,
		       struct fb_err *err)
{
	const struct fb_member *member = need(in, image->config, err);
	FB_FREE char *json = NULL;
	size_t len;
	int r = member ? read_member(in, member, FB_CONFIG_SIZE_MAX, &json,
				     &len, err)
		       : -EBADMSG;

	if (r == 0)
		r = take_config(in, json, len, image->layers.count, err);
	for (size_t i = 0; r == 0 && i < image->layers.count; i++) {
		member = need(in, image->layers.v[i], err);
		in->layers[i].compression = FB_LAYER_UNKNOWN;
		r = member ? member_source(in, member, &in->layers[i], err)
			   : -EBADMSG;
	}
	return r;
}

int fb_input_docker(struct fb_input *in, struct fb_err *err)
{
	struct fb_docker_archive archive = { 0 };
	const struct fb_docker_image *image = NULL;
	int r = fb_docker_archive_parse(
		in->members.manifest, in->members.manifest_len, &archive, err);

	if (r == 0) {
		image = pick_docker(in, &archive, err);
		r = image	     ? take_docker(in, image, err)
		    : in->what->name ? -ENOENT
				     : -EINVAL;
	}
	fb_docker_archive_release(&archive);
	return r;
}
