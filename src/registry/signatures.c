/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/signatures.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "oci/json.h"
#include "registry/base64.h"

#define MT_SIMPLE_SIGNING "application/vnd.dev.cosign.simplesigning.v1+json"
#define AT_SIGNATURE "application/vnd.dev.cosign.artifact.sig.v1+json"
#define ANNOTATION "dev.cosignproject.cosign/signature"
#define PAGES_MAX 8u
#define REFERRERS_MAX 64u

void fb_signatures_release(struct fb_signatures *s)
{
	for (size_t i = 0; i < s->count; i++) {
		free(s->v[i].payload);
		free(s->v[i].sig);
	}
	free(s->v);
	*s = (struct fb_signatures){ 0 };
}

static int memory_write(void *ctx, const void *data, size_t len,
			struct fb_err *err)
{
	int r = fb_str_append(ctx, data, len);

	return r < 0 ? fb_err_set(err, r, "signature: %m") : 0;
}

static int memory_reset(void *ctx, struct fb_err *err)
{
	(void)err;
	fb_str_truncate(ctx, 0);
	return 0;
}

static int memory_done(void *ctx, struct fb_err *err)
{
	(void)ctx;
	(void)err;
	return 0;
}

static int fetch_payload(struct fb_registry *reg,
			 const struct fb_reference *ref,
			 const struct fb_digest *digest, uint64_t size_bytes,
			 struct fb_signature *ret, struct fb_err *err)
{
	FB_STR struct fb_str bytes = FB_STR_INIT(FB_SIGNATURE_PAYLOAD_MAX);
	const struct fb_registry_blob blob = {
		.digest = *digest,
		.size_bytes = size_bytes,
		.sink = { .ctx = &bytes,
			  .write = memory_write,
			  .reset = memory_reset,
			  .done = memory_done },
	};
	int r = fb_registry_fetch_blobs(reg, ref->path, &blob, 1, err);

	if (r < 0)
		return r;
	ret->payload_len = bytes.len;
	ret->payload = fb_str_take(&bytes);
	return ret->payload ? 0 : fb_err_set(err, -ENOMEM, "signature: %m");
}

/* One layer of a signature's manifest. Return: 0, also where it is none */
static int take_layer(struct fb_registry *reg, const struct fb_reference *ref,
		      const json_t *layer, struct fb_signatures *ret,
		      struct fb_err *err)
{
	const json_t *notes = json_object_get(layer, "annotations");
	const char *type =
		json_string_value(json_object_get(layer, "mediaType"));
	const char *text = json_string_value(json_object_get(layer, "digest"));
	const char *sig = json_string_value(json_object_get(notes, ANNOTATION));
	json_int_t size = json_integer_value(json_object_get(layer, "size"));
	struct fb_signature one = { 0 };
	struct fb_digest digest;
	int r;

	if (!type || strcmp(type, MT_SIMPLE_SIGNING) != 0 || !sig || !text ||
	    size <= 0 || size > (json_int_t)FB_SIGNATURE_PAYLOAD_MAX ||
	    fb_digest_parse(text, &digest, NULL) < 0 ||
	    ret->count == FB_SIGNATURES_MAX)
		return 0;
	if (!ret->v)
		ret->v = calloc(FB_SIGNATURES_MAX, sizeof(*ret->v));
	if (!ret->v)
		return fb_err_set(err, -ENOMEM, "signature: %m");
	one.sig = fb_base64_decode(sig, &one.sig_len);
	if (!one.sig)
		return 0;
	r = fetch_payload(reg, ref, &digest, (uint64_t)size, &one, err);
	if (r < 0) {
		free(one.sig);
		return r;
	}
	ret->v[ret->count++] = one;
	return 0;
}

/* @subject: what it must refer to; NULL for what its tag says */
static int take_manifest(struct fb_registry *reg,
			 const struct fb_reference *ref, const char *subject,
			 struct fb_signatures *ret, struct fb_err *err)
{
	FB_REGISTRY_MANIFEST struct fb_registry_manifest doc = { 0 };
	FB_JSON json_t *root = NULL;
	const char *about;
	const json_t *layers;
	int r = fb_registry_get_manifest(reg, ref, &doc, err);

	if (r < 0)
		return r;
	if (fb_json_load(doc.bytes, doc.len, "signature", &root, NULL) < 0)
		return 0;
	about = json_string_value(
		json_object_get(json_object_get(root, "subject"), "digest"));
	if (subject && (!about || strcmp(about, subject) != 0))
		return 0;
	layers = json_object_get(root, "layers");
	for (size_t i = 0; i < json_array_size(layers) && r == 0; i++)
		r = take_layer(reg, ref, json_array_get(layers, i), ret, err);
	return r;
}

/* Return: how many were looked at; negative errno */
static int take_page(struct fb_registry *reg, const struct fb_reference *ref,
		     const struct fb_registry_manifest *page,
		     const char *subject, struct fb_signatures *ret,
		     struct fb_err *err)
{
	struct fb_reference one = *ref;
	FB_JSON json_t *root = NULL;
	const json_t *list;
	int seen = 0, r = 0;

	if (fb_json_load(page->bytes, page->len, "referrers", &root, err) < 0)
		return -EBADMSG;
	list = json_object_get(root, "manifests");
	for (size_t i = 0;
	     i < json_array_size(list) && r == 0 && seen < (int)REFERRERS_MAX;
	     i++) {
		const json_t *entry = json_array_get(list, i);
		const char *type = json_string_value(
			json_object_get(entry, "artifactType"));
		const char *text =
			json_string_value(json_object_get(entry, "digest"));

		if (!text ||
		    (type && strcmp(type, AT_SIGNATURE) != 0 &&
		     strcmp(type, MT_SIMPLE_SIGNING) != 0) ||
		    fb_digest_parse(text, &one.digest, NULL) < 0)
			continue;
		seen++;
		r = take_manifest(reg, &one, subject, ret, err);
	}
	return r < 0 ? r : seen;
}

/* A registry without the list has it as an index under a tag, perhaps */
static int by_tag_schema(struct fb_registry *reg,
			 const struct fb_reference *ref,
			 const struct fb_digest *digest, const char *subject,
			 struct fb_signatures *ret, struct fb_err *err)
{
	FB_REGISTRY_MANIFEST struct fb_registry_manifest page = { 0 };
	struct fb_reference tag = *ref;
	char hex[FB_DIGEST_TEXT_MAX];
	int r;

	tag.digest = (struct fb_digest){ 0 };
	(void)snprintf(tag.tag, sizeof(tag.tag), "sha256-%.64s",
		       fb_digest_hex(digest, hex));
	r = fb_registry_get_manifest(reg, &tag, &page, err);
	return r < 0 ? r : take_page(reg, ref, &page, subject, ret, err);
}

static int by_referrers(struct fb_registry *reg, const struct fb_reference *ref,
			const struct fb_digest *digest,
			struct fb_signatures *ret, struct fb_err *err)
{
	char subject[FB_DIGEST_TEXT_MAX];
	FB_FREE char *at = NULL;
	int r = 1, seen = 0;

	(void)fb_digest_format(digest, subject);
	for (unsigned int i = 0;
	     i < PAGES_MAX && r >= 0 && seen < (int)REFERRERS_MAX; i++) {
		FB_REGISTRY_MANIFEST struct fb_registry_manifest page = { 0 };
		char *next = NULL;

		r = fb_registry_get_referrers(reg, ref, digest, at, &page,
					      &next, err);
		if (r == -ENOENT && i == 0)
			return by_tag_schema(reg, ref, digest, subject, ret,
					     err);
		if (r == 0)
			r = take_page(reg, ref, &page, subject, ret, err);
		free(at);
		at = next;
		seen += r > 0 ? r : 0;
		if (!at)
			break;
	}
	return r < 0 ? r : 0;
}

int fb_registry_get_signatures(struct fb_registry *reg,
			       const struct fb_reference *ref,
			       const struct fb_digest *digest,
			       struct fb_signatures *ret, struct fb_err *err)
{
	struct fb_reference tag = *ref;
	struct fb_err other = { 0 };
	char hex[FB_DIGEST_TEXT_MAX];
	int r;

	if (digest->kind != FB_HASH_SHA256)
		return fb_err_set(err, -EOPNOTSUPP,
				  "signatures of SHA-512 digests");
	tag.digest = (struct fb_digest){ 0 };
	(void)snprintf(tag.tag, sizeof(tag.tag), "sha256-%.64s.sig",
		       fb_digest_hex(digest, hex));
	r = take_manifest(reg, &tag, NULL, ret, err);
	if (r < 0 && r != -ENOENT)
		return r;
	/* what is not found there is no signature: it never opens anything */
	(void)by_referrers(reg, ref, digest, ret, &other);
	return 0;
}
