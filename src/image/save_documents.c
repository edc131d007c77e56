/* SPDX-License-Identifier: Apache-2.0 */
/*
 * index.json and manifest.json of what is saved.
 *
 * Names, media types and platforms were checked when they came into the
 * catalogue: none of them has a character that JSON would want quoted.
 */
#include <stdio.h>
#include <string.h>

#include "image/save_internal.h"
#include "oci/reference.h"

const char *fb_save_blob_name(const struct fb_digest *digest,
			      char out[FB_SAVE_NAME_MAX])
{
	char hex[FB_DIGEST_TEXT_MAX];

	(void)snprintf(out, FB_SAVE_NAME_MAX, "blobs/%s/%s",
		       fb_digest_kind_name(digest->kind),
		       fb_digest_hex(digest, hex));
	return out;
}

static const char *tag_of(const char *canonical)
{
	const char *colon = strrchr(canonical, ':');

	return colon ? colon + 1 : canonical;
}

/* @tag is NULL for an image without a name */
static void put_entry(const struct fb_saved *image, const char *tag,
		      bool bare_tags, struct fb_str *out)
{
	const struct fb_platform *p = &image->record.platform;
	char text[FB_DIGEST_TEXT_MAX];

	fb_str_printf(out,
		      "{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%llu",
		      image->record.media_type,
		      fb_digest_format(&image->record.manifest, text),
		      (unsigned long long)image->manifest_bytes);
	if (tag)
		fb_str_printf(out,
			      ",\"annotations\":{"
			      "\"io.containerd.image.name\":\"%s\","
			      "\"org.opencontainers.image.ref.name\":\"%s\"}",
			      tag, bare_tags ? tag_of(tag) : tag);
	/* entries that differ in nothing but this are taken for one image */
	if (tag && p->os[0]) {
		fb_str_printf(out,
			      ",\"platform\":{\"architecture\":\"%s\","
			      "\"os\":\"%s\"",
			      p->arch, p->os);
		if (p->variant[0])
			fb_str_printf(out, ",\"variant\":\"%s\"", p->variant);
		fb_str_putc(out, '}');
	}
	fb_str_putc(out, '}');
}

void fb_save_index(const struct fb_saved_list *list, bool bare_tags,
		   struct fb_str *out)
{
	const char *between = "";

	fb_str_puts(out, "{\"schemaVersion\":2,\"mediaType\":\"" FB_MT_OCI_INDEX
			 "\",\"manifests\":[");
	for (size_t i = 0; i < list->count; i++) {
		const struct fb_saved *image = &list->v[i];

		for (size_t t = 0; t == 0 || t < image->tags.count; t++) {
			fb_str_puts(out, between);
			put_entry(image,
				  image->tags.count ? image->tags.v[t] : NULL,
				  bare_tags, out);
			between = ",";
		}
	}
	fb_str_puts(out, "]}\n");
}

static void put_tags(const struct fb_strv *tags, struct fb_str *out)
{
	char text[FB_REFERENCE_TEXT_MAX];
	struct fb_reference ref;
	const char *between = "";

	fb_str_putc(out, '[');
	for (size_t i = 0; i < tags->count; i++) {
		if (fb_reference_parse(tags->v[i], &ref, NULL) < 0)
			continue;
		fb_str_printf(out, "%s\"%s\"", between,
			      fb_reference_familiar(&ref, text));
		between = ",";
	}
	fb_str_putc(out, ']');
}

void fb_save_manifest_json(const struct fb_saved_list *list, struct fb_str *out)
{
	char name[FB_SAVE_NAME_MAX];

	fb_str_putc(out, '[');
	for (size_t i = 0; i < list->count; i++) {
		const struct fb_saved *image = &list->v[i];
		const struct fb_manifest *m = &image->manifest;

		fb_str_printf(
			out, "%s{\"Config\":\"%s\",\"RepoTags\":", i ? "," : "",
			fb_save_blob_name(&m->config.digest, name));
		if (image->tags.count)
			put_tags(&image->tags, out);
		else
			fb_str_puts(out, "null");
		fb_str_puts(out, ",\"Layers\":[");
		for (size_t k = 0; k < m->layer_count; k++)
			fb_str_printf(out, "%s\"%s\"", k ? "," : "",
				      fb_save_blob_name(&m->layers[k].digest,
							name));
		fb_str_puts(out, "]}");
	}
	fb_str_puts(out, "]\n");
}
