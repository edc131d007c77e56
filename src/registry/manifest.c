/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oci/manifest.h"
#include "registry/fetch.h"
#include "registry/header.h"
#include "registry/signatures.h"
#include "registry/tags.h"

#define MANIFEST_TIMEOUT_S 120u
#define RATE_FEW 10u
#define MANIFEST_ACCEPT                                                \
	FB_MT_OCI_INDEX ", " FB_MT_OCI_MANIFEST ", " FB_MT_DOCKER_LIST \
			", " FB_MT_DOCKER_MANIFEST

struct manifest_fetch {
	const struct fb_registry *reg;
	const struct fb_reference *ref;
	struct fb_str bytes;
	struct fb_registry_manifest out;
	char *next; /* Link's target, as it stands */
};

void fb_registry_manifest_release(struct fb_registry_manifest *m)
{
	free(m->bytes);
	memset(m, 0, sizeof(*m));
}

static int manifest_write(void *ctx, const void *data, size_t len,
			  struct fb_err *err)
{
	struct manifest_fetch *m = ctx;
	int r = fb_str_append(&m->bytes, data, len);

	return r < 0 ? fb_err_set(err, r, "manifest: %m") : 0;
}

static int manifest_reset(void *ctx, struct fb_err *err)
{
	struct manifest_fetch *m = ctx;

	(void)err;
	fb_str_truncate(&m->bytes, 0);
	return 0;
}

static int digest_of(const struct fb_str *bytes, enum fb_hash_kind kind,
		     struct fb_digest *ret)
{
	FB_HASH struct fb_hash *hash = fb_hash_new(kind);
	struct fb_digest d = { .set = true, .kind = kind };

	if (!hash)
		return -ENOMEM;
	if (fb_hash_update(hash, fb_str_cstr(bytes), bytes->len) < 0 ||
	    fb_hash_final(hash, d.hash) < 0)
		return -EIO;
	*ret = d;
	return 0;
}

/* Compare with what was asked for, or with what the registry itself states */
static int check_digest(struct manifest_fetch *m, const char *stated,
			struct fb_err *err)
{
	const struct fb_digest *asked = &m->ref->digest;
	char want[FB_DIGEST_TEXT_MAX], got[FB_DIGEST_TEXT_MAX];
	struct fb_digest expected = *asked;
	int r;

	if (!asked->set && fb_digest_parse(stated, &expected, NULL) < 0)
		expected = (struct fb_digest){ 0 };
	r = digest_of(&m->bytes, expected.kind, &m->out.digest);
	if (r < 0)
		return fb_err_set(err, r, "hash the manifest: %m");
	if (expected.set && !fb_digest_equal(&expected, &m->out.digest))
		return fb_err_set(err, -EBADMSG,
				  "the manifest's digest is '%s' where '%s' "
				  "was expected",
				  fb_digest_format(&m->out.digest, got),
				  fb_digest_format(&expected, want));
	/* a tag's image is known by its SHA-256, whatever was stated */
	if (!asked->set)
		return digest_of(&m->bytes, FB_HASH_SHA256, &m->out.digest);
	return 0;
}

static void tell_rate_limit(const struct manifest_fetch *m,
			    const struct fb_http_reply *reply)
{
	if (!reply->rate_remaining[0])
		return;
	/* worth a word without being asked when it is about to end */
	fb_log(m->reg->log,
	       strtoul(reply->rate_remaining, NULL, 10) < RATE_FEW
		       ? FB_LOG_WARN
		       : FB_LOG_INFO,
	       "rate limit of '%s': %.*s pulls left of %.*s", m->reg->domain,
	       (int)strcspn(reply->rate_remaining, ";"), reply->rate_remaining,
	       (int)strcspn(reply->rate_limit, ";"), reply->rate_limit);
}

static int manifest_finish(void *ctx, const struct fb_http_reply *reply,
			   struct fb_err *err)
{
	struct manifest_fetch *m = ctx;
	int r;

	(void)snprintf(m->out.media_type, sizeof(m->out.media_type), "%s",
		       reply->content_type);
	tell_rate_limit(m, reply);
	(void)fb_link_next_parse(reply->link, &m->next);
	if (strcmp(m->out.media_type, FB_MT_DOCKER_SCHEMA1) == 0 ||
	    strcmp(m->out.media_type, FB_MT_DOCKER_SCHEMA1_SIGNED) == 0)
		return fb_err_set(err, -EOPNOTSUPP,
				  "'%s' has this image in docker's old format "
				  "(schema 1) only, which is not supported",
				  m->reg->domain);
	r = check_digest(m, reply->content_digest, err);
	if (r < 0)
		return r;
	m->out.len = m->bytes.len;
	m->out.bytes = fb_str_take(&m->bytes);
	return m->out.bytes ? 0 : fb_err_set(err, -ENOMEM, "manifest: %m");
}

static const struct fb_fetch_ops manifest_ops = {
	.write = manifest_write,
	.reset = manifest_reset,
	.finish = manifest_finish,
};

static struct fb_fetch fetch_for(struct manifest_fetch *m, const char *accept)
{
	return (struct fb_fetch){ .repository = m->ref->path,
				  .accept = accept,
				  .size_bytes = UINT64_MAX,
				  .limit_bytes = FB_MANIFEST_SIZE_MAX,
				  .timeout_s = MANIFEST_TIMEOUT_S,
				  .plain = true,
				  .ops = &manifest_ops,
				  .ctx = m };
}

int fb_registry_get_manifest(struct fb_registry *reg,
			     const struct fb_reference *ref,
			     struct fb_registry_manifest *ret,
			     struct fb_err *err)
{
	struct manifest_fetch m = { .reg = reg,
				    .ref = ref,
				    .bytes =
					    FB_STR_INIT(FB_MANIFEST_SIZE_MAX) };
	struct fb_fetch f = fetch_for(&m, MANIFEST_ACCEPT);
	char digest[FB_DIGEST_TEXT_MAX];
	const char *which = ref->digest.set
				    ? fb_digest_format(&ref->digest, digest)
				    : ref->tag;
	int r;

	(void)snprintf(f.what, sizeof(f.what), "%s '%s'",
		       ref->digest.set ? "manifest" : "tag", which);
	if (asprintf(&f.path, "/v2/%s/manifests/%s", ref->path, which) < 0)
		return fb_err_set(err, -ENOMEM, "manifest: %m");
	r = fb_fetch_run(reg, &f, 1, err);
	fb_fetch_release(&f);
	fb_str_release(&m.bytes);
	free(m.next);
	if (r < 0) {
		fb_registry_manifest_release(&m.out);
		return r;
	}
	*ret = m.out;
	return 0;
}

int fb_registry_get_referrers(struct fb_registry *reg,
			      const struct fb_reference *ref,
			      const struct fb_digest *digest, const char *page,
			      struct fb_registry_manifest *ret, char **ret_next,
			      struct fb_err *err)
{
	struct fb_reference any = *ref;
	struct manifest_fetch m = { .reg = reg,
				    .ref = &any,
				    .bytes =
					    FB_STR_INIT(FB_MANIFEST_SIZE_MAX) };
	struct fb_fetch f = fetch_for(&m, FB_MT_OCI_INDEX);
	char text[FB_DIGEST_TEXT_MAX];
	int r;

	any.digest = (struct fb_digest){ 0 };
	(void)snprintf(f.what, sizeof(f.what), "list of referrers");
	f.at = page ? strdup(page) : NULL;
	if (asprintf(&f.path, "/v2/%s/referrers/%s", ref->path,
		     fb_digest_format(digest, text)) < 0)
		return fb_err_set(err, -ENOMEM, "referrers: %m");
	r = fb_fetch_run(reg, &f, 1, err);
	if (r == 0 && m.next)
		r = fb_registry_next_page(reg, f.endpoint, f.at ? f.at : f.path,
					  m.next, ret_next, err);
	fb_fetch_release(&f);
	fb_str_release(&m.bytes);
	free(m.next);
	if (r < 0)
		fb_registry_manifest_release(&m.out);
	else
		*ret = m.out;
	return r;
}
