/* SPDX-License-Identifier: Apache-2.0 */
/* docker-archives: manifest.json says which members make an image. */
#include <errno.h>
#include <string.h>

#include "image/assemble.h"
#include "image/docker_archive.h"
#include "image/load_internal.h"

static const struct fb_member *need(const struct fb_loader *loader,
				    const char *name, struct fb_err *err)
{
	const struct fb_member *member =
		fb_members_find(&loader->members, name);

	if (!member)
		(void)fb_err_set(err, -EBADMSG, "'%s' is not in the archive",
				 name);
	return member;
}

static int find_layers(struct fb_loader *loader,
		       const struct fb_docker_image *image,
		       struct fb_docker_layer *layers, struct fb_err *err)
{
	for (size_t i = 0; i < image->layers.count; i++) {
		const struct fb_member *member =
			need(loader, image->layers.v[i], err);

		if (!member)
			return -EBADMSG;
		layers[i] = (struct fb_docker_layer){
			.digest = member->digest,
			.size_bytes = member->size_bytes,
			.compression = member->compression,
		};
	}
	return 0;
}

/* A layer that is not compressed is its diff_id: no need to wait for that. */
static int check_diff_ids(struct fb_loader *loader,
			  const struct fb_digest *config_digest,
			  const struct fb_docker_layer *layers, size_t count,
			  struct fb_err *err)
{
	FB_IMAGE_CONFIG struct fb_image_config config = { 0 };
	char want[FB_DIGEST_TEXT_MAX], got[FB_DIGEST_TEXT_MAX];
	int r = fb_image_load_config(loader->ctx->store, config_digest, &config,
				     NULL, NULL, err);

	if (r < 0)
		return r;
	if (config.diff_id_count != count)
		return fb_err_set(
			err, -EBADMSG,
			"manifest.json has %zu layers, the config %zu "
			"diff_ids",
			count, config.diff_id_count);
	for (size_t i = 0; i < count; i++) {
		if (layers[i].compression != FB_LAYER_PLAIN ||
		    config.diff_ids[i].kind != FB_HASH_SHA256 ||
		    fb_digest_equal(&layers[i].digest, &config.diff_ids[i]))
			continue;
		return fb_err_set(err, -EBADMSG,
				  "layer %zu is '%s', the config says '%s'",
				  i + 1,
				  fb_digest_format(&layers[i].digest, got),
				  fb_digest_format(&config.diff_ids[i], want));
	}
	return 0;
}

static int make_manifest(struct fb_loader *loader,
			 const struct fb_member *config,
			 const struct fb_docker_layer *layers, size_t count,
			 struct fb_descriptor *ret, struct fb_err *err)
{
	FB_STR struct fb_str json = FB_STR_INIT(FB_MANIFEST_SIZE_MAX);
	int r = fb_docker_archive_manifest(&config->digest, config->size_bytes,
					   layers, count, &json, err);

	if (r < 0)
		return r;
	*ret = (struct fb_descriptor){ .media_type = FB_MT_OCI_MANIFEST,
				       .size_bytes = json.len };
	r = fb_store_blob_put(loader->ctx->store, loader->lease, json.buf,
			      json.len, &ret->digest, err);
	return r < 0 ? r : fb_members_note(&loader->members, &ret->digest);
}

static int load_image(struct fb_loader *loader,
		      const struct fb_docker_image *image, struct fb_err *err)
{
	FB_IMAGE_ENTRY struct fb_image_entry entry = { 0 };
	FB_FREE struct fb_docker_layer *layers =
		calloc(image->layers.count + 1, sizeof(*layers));
	const struct fb_member *config = need(loader, image->config, err);
	struct fb_descriptor descriptor;
	int r;

	if (!layers)
		return fb_err_set(err, -ENOMEM, "load an image: %m");
	if (!config)
		return -EBADMSG;
	r = find_layers(loader, image, layers, err);
	if (r == 0)
		r = check_diff_ids(loader, &config->digest, layers,
				   image->layers.count, err);
	if (r == 0)
		r = make_manifest(loader, config, layers, image->layers.count,
				  &descriptor, err);
	if (r == 0)
		r = fb_image_assemble(loader->ctx, &descriptor, NULL,
				      loader->what->platform, &entry, err);
	for (size_t i = 0;
	     r == 0 && !loader->what->name && i < image->tags.count; i++)
		r = fb_loader_name(&entry, image->tags.v[i], err);
	return r < 0 ? r : fb_loader_add(loader, &entry, err);
}

int fb_load_docker(struct fb_loader *loader, struct fb_err *err)
{
	struct fb_docker_archive archive = { 0 };
	int r = fb_docker_archive_parse(loader->members.manifest,
					loader->members.manifest_len, &archive,
					err);

	for (size_t i = 0; r == 0 && i < archive.image_count; i++) {
		r = load_image(loader, &archive.images[i], err);
		if (r < 0)
			r = fb_err_wrap(err, r, "image %zu of manifest.json",
					i + 1);
	}
	fb_docker_archive_release(&archive);
	return r;
}
