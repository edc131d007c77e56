/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signatures that are stored beside an image, as cosign does: under the tag
 * sha256-<digest>.sig, and as OCI referrers.
 * Source: cosign's SIGNATURE_SPEC; OCI distribution-spec 1.1 "Listing Referrers".
 */
#ifndef FB_REGISTRY_SIGNATURES_H
#define FB_REGISTRY_SIGNATURES_H

#include "registry/client.h"

#define FB_SIGNATURES_MAX 256
#define FB_SIGNATURE_PAYLOAD_MAX (64u << 10)

/** struct fb_signature - Not verified in any way but for the payload's digest */
struct fb_signature {
	char *payload;
	size_t payload_len;
	char *sig;
	size_t sig_len;
};

struct fb_signatures {
	struct fb_signature *v;
	size_t count;
};

void fb_signatures_release(struct fb_signatures *s);

/**
 * fb_registry_get_signatures() - All signatures of a manifest or index
 * @reg:    Client of @ref's domain (borrowed)
 * @ref:    Its repository counts
 * @digest: What was signed
 * @ret:    Added to, at most FB_SIGNATURES_MAX in all
 *
 * Return: 0, also where there are none; as fb_registry_get_manifest().
 */
int fb_registry_get_signatures(struct fb_registry *reg,
			       const struct fb_reference *ref,
			       const struct fb_digest *digest,
			       struct fb_signatures *ret, struct fb_err *err);

/**
 * fb_registry_get_referrers() - One page of what refers to a manifest
 * @page: NULL = the first; @ret_next of the page before
 * @ret:  An index
 * @ret_next: URL of the next page (returned), or NULL
 *
 * Return: 0; -ENOENT the registry has no such list; as fb_registry_get_manifest().
 */
int fb_registry_get_referrers(struct fb_registry *reg,
			      const struct fb_reference *ref,
			      const struct fb_digest *digest, const char *page,
			      struct fb_registry_manifest *ret, char **ret_next,
			      struct fb_err *err);

#endif
