/* SPDX-License-Identifier: Apache-2.0 */
#include "image/assemble.h"

#include <errno.h>
#include <string.h>

#include "store/blob.h"

int fb_image_check_manifest(const struct fb_manifest *manifest,
			    struct fb_err *err)
{
	uint64_t sum = manifest->config.size_bytes;

	if (manifest->config.size_bytes > FB_CONFIG_SIZE_MAX)
		return fb_err_set(
			err, -E2BIG,
			"image config of %llu bytes, the limit is %u",
			(unsigned long long)manifest->config.size_bytes,
			FB_CONFIG_SIZE_MAX);
	for (size_t i = 0; i < manifest->layer_count; i++) {
		if (__builtin_add_overflow(sum, manifest->layers[i].size_bytes,
					   &sum) ||
		    sum > INT64_MAX)
			return fb_err_set(err, -E2BIG,
					  "the layers add up to more than any "
					  "disk holds");
	}
	return 0;
}

int fb_image_load_manifest(struct fb_store *store,
			   const struct fb_digest *digest,
			   struct fb_manifest *ret, struct fb_err *err)
{
	FB_FREE char *json = NULL;
	char text[FB_DIGEST_TEXT_MAX];
	size_t len;
	int r = fb_store_blob_load(store, digest, FB_MANIFEST_SIZE_MAX, &json,
				   &len, err);

	if (r == 0)
		r = fb_manifest_parse(json, len, ret, err);
	return r < 0 ? fb_err_wrap(err, r, "manifest '%s'",
				   fb_digest_format(digest, text))
		     : 0;
}

int fb_image_load_config(struct fb_store *store, const struct fb_digest *digest,
			 struct fb_image_config *ret, char **ret_json,
			 size_t *ret_len, struct fb_err *err)
{
	FB_FREE char *json = NULL;
	char text[FB_DIGEST_TEXT_MAX];
	size_t len;
	int r = fb_store_blob_load(store, digest, FB_CONFIG_SIZE_MAX, &json,
				   &len, err);

	if (r == 0)
		r = fb_image_config_parse(json, len, ret, err);
	if (r < 0)
		return fb_err_wrap(err, r, "image config '%s'",
				   fb_digest_format(digest, text));
	if (ret_json)
		*ret_json = FB_TAKE_PTR(json);
	if (ret_len)
		*ret_len = len;
	return 0;
}

int fb_image_check_platform(const struct fb_image_context *ctx,
			    const struct fb_platform *have,
			    const struct fb_platform *wanted,
			    struct fb_err *err)
{
	struct fb_platform host;
	char have_text[100], want_text[100];

	if (!have->os[0] && !have->arch[0])
		return 0; /* made before configs said so */
	fb_platform_host(&host);
	if (fb_platform_rank(wanted ? wanted : &host, have) > 0)
		return 0;
	(void)fb_platform_format(have, have_text);
	(void)fb_platform_format(wanted ? wanted : &host, want_text);
	if (wanted)
		return fb_err_set(err, -ENOENT,
				  "the image is for %s, not for %s", have_text,
				  want_text);
	fb_log(ctx->log, FB_LOG_WARN,
	       "the image is for %s, this machine is %s: it will not run here",
	       have_text, want_text);
	return 0;
}

static void add_blob(struct fb_image_entry *entry,
		     const struct fb_digest *digest, uint64_t size_bytes,
		     bool counted)
{
	struct fb_blob_ref *blobs = entry->blobs;

	for (size_t i = 0; i < entry->blob_count; i++)
		if (fb_digest_equal(&blobs[i].digest, digest))
			counted = false;
	blobs[entry->blob_count++] = (struct fb_blob_ref){
		.digest = *digest,
		.size_bytes = size_bytes,
	};
	if (counted)
		entry->record.size_bytes += size_bytes;
}

static int list_blobs(const struct fb_descriptor *descriptor,
		      const struct fb_manifest *manifest,
		      const struct fb_blob_ref *index,
		      struct fb_image_entry *entry, struct fb_err *err)
{
	entry->blobs = calloc(manifest->layer_count + 3, sizeof(*entry->blobs));
	if (!entry->blobs)
		return fb_err_set(err, -ENOMEM, "enter an image: %m");
	add_blob(entry, &descriptor->digest, descriptor->size_bytes, true);
	add_blob(entry, &manifest->config.digest, manifest->config.size_bytes,
		 true);
	for (size_t i = 0; i < manifest->layer_count; i++)
		add_blob(entry, &manifest->layers[i].digest,
			 manifest->layers[i].size_bytes, true);
	if (index)
		add_blob(entry, &index->digest, index->size_bytes, false);
	return 0;
}

/* Manifests of either kind may leave mediaType out; then the config tells. */
static const char *media_type(const struct fb_descriptor *descriptor,
			      const struct fb_manifest *manifest)
{
	if (manifest->media_type[0])
		return manifest->media_type;
	if (descriptor->media_type[0])
		return descriptor->media_type;
	return strcmp(manifest->config.media_type, FB_MT_DOCKER_CONFIG) == 0
		       ? FB_MT_DOCKER_MANIFEST
		       : FB_MT_OCI_MANIFEST;
}

static int describe(const struct fb_image_context *ctx,
		    const struct fb_descriptor *descriptor,
		    const struct fb_manifest *manifest,
		    const struct fb_platform *wanted,
		    struct fb_image_record *record, struct fb_err *err)
{
	FB_IMAGE_CONFIG struct fb_image_config config = { 0 };
	int r = fb_image_load_config(ctx->store, &manifest->config.digest,
				     &config, NULL, NULL, err);

	if (r < 0)
		return r;
	if (config.diff_id_count != manifest->layer_count)
		return fb_err_set(err, -EBADMSG,
				  "the manifest has %zu layers, the config %zu "
				  "diff_ids",
				  manifest->layer_count, config.diff_id_count);
	r = fb_image_check_platform(ctx, &config.platform, wanted, err);
	if (r < 0)
		return r;
	record->manifest = descriptor->digest;
	record->config = manifest->config.digest;
	record->platform = config.platform;
	record->created_s = config.created_s;
	(void)snprintf(record->media_type, sizeof(record->media_type), "%.63s",
		       media_type(descriptor, manifest));
	return 0;
}

int fb_image_assemble(const struct fb_image_context *ctx,
		      const struct fb_descriptor *descriptor,
		      const struct fb_blob_ref *index,
		      const struct fb_platform *wanted,
		      struct fb_image_entry *ret, struct fb_err *err)
{
	FB_MANIFEST struct fb_manifest manifest = { 0 };
	FB_IMAGE_ENTRY struct fb_image_entry entry = { 0 };
	int r = fb_image_load_manifest(ctx->store, &descriptor->digest,
				       &manifest, err);

	if (r == 0)
		r = fb_image_check_manifest(&manifest, err);
	if (r == 0)
		r = describe(ctx, descriptor, &manifest, wanted, &entry.record,
			     err);
	if (r == 0)
		r = list_blobs(descriptor, &manifest, index, &entry, err);
	if (r < 0)
		return r;
	*ret = entry;
	entry = (struct fb_image_entry){ 0 };
	return 0;
}
