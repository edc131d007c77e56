/* SPDX-License-Identifier: Apache-2.0 */
/* The image that a command needs: from here, or from a registry. */
#include <errno.h>
#include <string.h>

#include "image/pull.h"

int fb_pull_policy_parse(const char *text, enum fb_pull_policy *ret,
			 struct fb_err *err)
{
	static const char *const names[] = {
		[FB_PULL_MISSING] = "missing",
		[FB_PULL_ALWAYS] = "always",
		[FB_PULL_NEVER] = "never",
	};

	for (size_t i = 0; i < FB_ARRAY_SIZE(names); i++) {
		if (!strcmp(text, names[i])) {
			*ret = (enum fb_pull_policy)i;
			return 0;
		}
	}
	return fb_err_set(err, -EINVAL,
			  "invalid pull option: '%s': must be one of "
			  "\"always\", \"missing\" or \"never\"",
			  text);
}

/* Return: 0 here, and for the platform that was asked for; -ENOENT */
static int find_local(const struct fb_image_context *ctx,
		      const struct fb_image_pull *pull,
		      struct fb_image_record *ret, char **ret_name,
		      struct fb_err *err)
{
	char have[100], want[100];
	int r = fb_image_resolve(ctx, pull->reference, ret, ret_name, err);

	if (r < 0 || !pull->platform ||
	    fb_platform_rank(pull->platform, &ret->platform) > 0)
		return r;
	(void)fb_platform_format(&ret->platform, have);
	(void)fb_platform_format(pull->platform, want);
	fb_image_record_release(ret);
	free(*ret_name);
	*ret_name = NULL;
	return fb_err_set(err, -ENOENT, "image '%s' is here for %s, not for %s",
			  pull->reference, have, want);
}

static int pull_and_find(const struct fb_image_context *ctx,
			 const struct fb_image_pull *pull,
			 struct fb_image_record *ret, bool *ret_pulled,
			 struct fb_err *err)
{
	FB_IMAGE_PULLED struct fb_image_pulled pulled = { 0 };
	int r = fb_image_pull(ctx, pull, &pulled, err);

	if (r == 0)
		r = fb_store_image_by_manifest(ctx->store, &pulled.manifest,
					       ret, err);
	if (r == 0 && ret_pulled)
		*ret_pulled = true;
	return r;
}

/* What is remembered of it need not be asked again, and works without a network */
static int check_remembered(const struct fb_image_context *ctx,
			    const struct fb_image_pull *pull,
			    const struct fb_image_record *record,
			    const struct fb_trust_subject *unknown,
			    struct fb_err *err)
{
	struct fb_trust_subject subject = *unknown;
	FB_STRV struct fb_strv known = { 0 };
	FB_STRV struct fb_strv found = { 0 };
	struct fb_err ignored = { 0 };
	int r = fb_store_image_facts(ctx->store, &record->manifest, &known,
				     err);

	if (r < 0)
		return r;
	subject.facts = &known;
	r = fb_trust_check(ctx, pull->trust, &subject, &found, err);
	if (r == 0 && found.count &&
	    fb_store_image_add_facts(ctx->store, &record->manifest, &found,
				     &ignored) < 0)
		fb_log(ctx->log, FB_LOG_INFO,
		       "a good signature is not remembered: %s", ignored.msg);
	return r;
}

/*
 * An image that is here may have come in another way, or before a key was asked
 * for.  By its id it is called what it was pulled as.
 */
static int check_local(const struct fb_image_context *ctx,
		       const struct fb_image_pull *pull,
		       const struct fb_image_record *record, struct fb_err *err)
{
	struct fb_digest digests[8] = { record->manifest };
	struct fb_reference ref, named;
	size_t count = 1;
	bool known = fb_reference_parse(pull->reference, &ref, NULL) == 0;
	bool listed = false;

	if (!pull->trust ||
	    (!pull->trust->has_policy && !pull->trust->required.count))
		return 0;
	for (size_t i = 0; i < record->names.count; i++) {
		if (fb_reference_parse(record->names.v[i], &named, NULL) < 0)
			continue;
		if (!listed && known)
			listed = strcmp(named.domain, ref.domain) == 0 &&
				 strcmp(named.path, ref.path) == 0;
		/* an index that it was pulled by is signed in its place */
		if (named.digest.set && count < FB_ARRAY_SIZE(digests))
			digests[count++] = named.digest;
	}
	if (!listed)
		listed =
			record->names.count &&
			fb_reference_parse(record->names.v[0], &ref, NULL) == 0;
	return check_remembered(
		ctx, pull, record,
		&(struct fb_trust_subject){ .options = pull->registry,
					    .ref = listed ? &ref : NULL,
					    .digests = digests,
					    .count = count },
		err);
}

int fb_image_obtain(const struct fb_image_context *ctx,
		    const struct fb_image_pull *pull,
		    enum fb_pull_policy policy, struct fb_image_record *ret,
		    bool *ret_pulled, struct fb_err *err)
{
	struct fb_err local = { 0 };
	FB_FREE char *name = NULL;
	struct fb_reference ref;
	int r = find_local(ctx, pull, ret, &name, &local);

	if (ret_pulled)
		*ret_pulled = false;
	if (r == 0 && policy == FB_PULL_ALWAYS && name[0]) {
		fb_image_record_release(ret);
		return pull_and_find(ctx, pull, ret, ret_pulled, err);
	}
	if (r == 0) {
		r = check_local(ctx, pull, ret, err);
		if (r < 0)
			fb_image_record_release(ret);
		return r;
	}
	/* an id, or a damaged store: no registry helps */
	if (r != -ENOENT || policy == FB_PULL_NEVER ||
	    strncmp(pull->reference, "sha256:", 7) == 0 ||
	    fb_reference_parse(pull->reference, &ref, NULL) < 0) {
		if (err)
			*err = local;
		return r;
	}
	return pull_and_find(ctx, pull, ret, ret_pulled, err);
}
