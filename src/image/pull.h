/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images from a registry.
 */
#ifndef FB_IMAGE_PULL_H
#define FB_IMAGE_PULL_H

#include <stdbool.h>

#include "base/err.h"
#include "image/image.h"
#include "image/trust.h"
#include "oci/platform.h"
#include "registry/client.h"

/**
 * struct fb_image_pull - What to pull
 * @reference: What the user typed
 * @platform:  NULL = this machine's
 * @registry:  How to reach it (borrowed); NULL = defaults.  Its log, tick and
 *             tick_ctx are set from the context where they are NULL
 * @fetch_only: Don't convert it.  Otherwise it is converted while its layers
 *             come, where this machine can run it
 * @trust:      Checked before any layer is fetched; NULL = whatever comes
 */
struct fb_image_pull {
	const char *reference;
	const struct fb_platform *platform;
	const struct fb_registry_options *registry;
	bool fetch_only;
	const struct fb_trust *trust;
};

/**
 * struct fb_image_pulled - What came of it
 * @name:     Canonical reference
 * @digest:   Of what the registry calls by that name: index or manifest
 * @manifest: Of the platform's manifest
 * @newer:    False where the name pointed there before
 */
struct fb_image_pulled {
	char *name;
	struct fb_digest digest;
	struct fb_digest manifest;
	bool newer;
};

void fb_image_pulled_release(struct fb_image_pulled *pulled);

#define FB_IMAGE_PULLED __attribute__((cleanup(fb_image_pulled_release)))

/**
 * fb_image_pull() - Fetch what is missing, verify, make it visible as a whole
 * @pull: What (borrowed)
 * @ret:  Written on success only
 *
 * Return: 0; as fb_registry_get_manifest(); -ENOENT nothing for the platform,
 * the text lists what there is; -EOPNOTSUPP artifacts, foreign layers, schema 1;
 * as fb_rootfs_convert(); as fb_trust_check().
 */
int fb_image_pull(const struct fb_image_context *ctx,
		  const struct fb_image_pull *pull, struct fb_image_pulled *ret,
		  struct fb_err *err);

/**
 * fb_image_pull_tags() - The tags of a repository that its registry has
 * @text: Name without a tag
 * @ret:  Canonical references; added to
 *
 * Return: 0; -EINVAL a tag or a digest was given; -ENOENT it has none; as
 * fb_registry_list_tags().
 */
int fb_image_pull_tags(const struct fb_image_context *ctx, const char *text,
		       const struct fb_registry_options *options,
		       struct fb_strv *ret, struct fb_err *err);

enum fb_pull_policy {
	FB_PULL_MISSING,
	FB_PULL_ALWAYS,
	FB_PULL_NEVER,
};

/** fb_pull_policy_parse() - "missing", "always", "never". Return: 0; -EINVAL, docker's text */
int fb_pull_policy_parse(const char *text, enum fb_pull_policy *ret,
			 struct fb_err *err);

/**
 * fb_image_obtain() - The image that `run` and `convert` need
 * @pull:       @reference as the user typed it, an id as well; an explicit
 *              @platform that the local image does not serve makes it missing
 * @policy:     When to ask the registry
 * @ret:        Image; release with fb_image_record_release()
 * @ret_pulled: Whether a registry was asked; may be NULL
 *
 * Return: 0; -ENOENT not here and @policy is FB_PULL_NEVER, or nowhere; as
 * fb_image_pull().
 */
int fb_image_obtain(const struct fb_image_context *ctx,
		    const struct fb_image_pull *pull,
		    enum fb_pull_policy policy, struct fb_image_record *ret,
		    bool *ret_pulled, struct fb_err *err);

#endif
