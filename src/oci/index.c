/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "oci/descriptor.h"
#include "oci/json.h"
#include "oci/manifest.h"

#define LIST_MAX 512

int fb_index_parse(const char *json, size_t len, struct fb_index *ret,
		   struct fb_err *err)
{
	FB_JSON json_t *object = NULL;
	struct fb_index index = { 0 };
	int r;

	if (len > FB_MANIFEST_SIZE_MAX)
		return fb_err_set(err, -E2BIG, "index is over %u bytes",
				  FB_MANIFEST_SIZE_MAX);
	r = fb_json_load(json, len, "index", &object, err);
	if (r < 0)
		return r;
	if (json_object_get(object, "layers") ||
	    json_object_get(object, "config"))
		return fb_err_set(err, -EBADMSG,
				  "index is a manifest at the same time");
	r = fb_schema_check(object, err);
	if (r == 0)
		r = fb_descriptors_parse(object, "manifests",
					 FB_INDEX_ENTRIES_MAX, &index.manifests,
					 &index.manifest_count, err);
	if (r < 0)
		return fb_err_wrap(err, r, "parse index");
	*ret = index;
	return 0;
}

void fb_index_release(struct fb_index *index)
{
	free(index->manifests);
	*index = (struct fb_index){ 0 };
}

static bool is_attestation(const struct fb_descriptor *d)
{
	return !strcmp(d->platform.os, "unknown");
}

static int no_match(const struct fb_index *index,
		    const struct fb_platform *want, struct fb_err *err)
{
	FB_STR struct fb_str list = FB_STR_INIT(LIST_MAX);
	bool nested = false;
	char text[100];

	for (size_t i = 0; i < index->manifest_count; i++) {
		const struct fb_descriptor *d = &index->manifests[i];

		if (is_attestation(d))
			continue;
		if (!d->platform.os[0]) {
			nested |= fb_document_by_type(d->media_type) ==
				  FB_DOC_INDEX;
			continue;
		}
		(void)fb_platform_format(&d->platform, text);
		if (list.len + strlen(text) + sizeof(", ...") > LIST_MAX) {
			fb_str_puts(&list, ", ...");
			break;
		}
		fb_str_printf(&list, "%s%s", list.len ? ", " : "", text);
	}
	return fb_err_set(err, -ENOENT, "no image for %s; there is %s",
			  fb_platform_format(want, text),
			  list.len ? fb_str_cstr(&list)
			  : nested ? "an index in the index, which is not "
				     "followed"
				   : "none");
}

int fb_index_select(const struct fb_index *index,
		    const struct fb_platform *want,
		    const struct fb_descriptor **ret_entry, struct fb_err *err)
{
	const struct fb_descriptor *best = NULL, *any = NULL;
	int best_rank = 0;

	for (size_t i = 0; i < index->manifest_count; i++) {
		const struct fb_descriptor *d = &index->manifests[i];
		int rank;

		if (is_attestation(d))
			continue;
		if (!d->platform.os[0]) {
			if (!any && fb_document_by_type(d->media_type) ==
					    FB_DOC_MANIFEST)
				any = d;
			continue;
		}
		rank = fb_platform_rank(want, &d->platform);
		if (rank > best_rank) {
			best_rank = rank;
			best = d;
		}
	}
	if (!best)
		best = any;
	if (!best)
		return no_match(index, want, err);
	*ret_entry = best;
	return 0;
}
