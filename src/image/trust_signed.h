/* SPDX-License-Identifier: Apache-2.0 */
/* Rules about signatures; for trust.c alone. */
#ifndef FB_IMAGE_TRUST_SIGNED_H
#define FB_IMAGE_TRUST_SIGNED_H

#include "image/trust.h"
#include "registry/signatures.h"

/**
 * struct fb_trust_check - One image being checked
 * @ctx:     Store and sinks
 * @what:    The image
 * @own:     Client that was made for it (owned), or NULL
 * @fetched: @signatures are there
 * @found:   Facts to remember are added here; NULL = nowhere
 */
struct fb_trust_check {
	const struct fb_image_context *ctx;
	const struct fb_trust_subject *what;
	struct fb_registry *own;
	bool fetched;
	struct fb_signatures signatures;
	struct fb_strv *found;
};

/** fb_trust_check_release() - Free what it fetched */
void fb_trust_check_release(struct fb_trust_check *c);

/**
 * fb_trust_signed() - Has one of a rule's keys signed it?
 *
 * No registry is asked where @c's facts say so of the same keys.
 *
 * Return: 0 yes; as fb_trust_check().
 */
int fb_trust_signed(struct fb_trust_check *c, const struct fb_policy_rule *rule,
		    struct fb_err *err);

#endif
