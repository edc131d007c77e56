/* SPDX-License-Identifier: Apache-2.0 */
/* Index and manifest: no document is both. */
#include "oci/manifest.h"
#include "text.h"

static void use_index(const struct fb_index *index)
{
	struct fb_platform want = { .os = "linux", .arch = "amd64" };
	const struct fb_descriptor *entry = NULL;
	struct fb_err err = { 0 };

	if (fb_index_select(index, &want, &entry, &err) == 0)
		FUZZ_CHECK(entry >= index->manifests &&
			   entry < index->manifests + index->manifest_count);
	else
		FUZZ_CHECK(err.msg[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *json = (const char *)data;
	struct fb_manifest manifest = { 0 };
	struct fb_index index = { 0 };
	struct fb_err err = { 0 };
	bool is_index = fb_index_parse(json, size, &index, &err) == 0;
	bool is_manifest = fb_manifest_parse(json, size, &manifest, &err) == 0;
	enum fb_document kind = fb_document_kind(json, size, "");

	FUZZ_CHECK(!is_index || !is_manifest);
	FUZZ_CHECK(kind != FB_DOC_INDEX || !is_manifest);
	FUZZ_CHECK(kind != FB_DOC_MANIFEST || !is_index);
	if (is_index)
		use_index(&index);
	for (size_t i = 0; i < manifest.layer_count; i++)
		FUZZ_CHECK(
			fb_layer_compression(manifest.layers[i].media_type) !=
			FB_LAYER_UNKNOWN);
	fb_index_release(&index);
	fb_manifest_release(&manifest);
	return 0;
}
