/* SPDX-License-Identifier: Apache-2.0 */
/* May this image be used?  Asked before anything of it is converted or booted. */
#ifndef FB_IMAGE_TRUST_H
#define FB_IMAGE_TRUST_H

#include "base/err.h"
#include "image/image.h"
#include "oci/policy.h"
#include "registry/client.h"

/**
 * struct fb_trust - What is asked of an image
 * @policy:     policy.json
 * @has_policy: It was there; where it is not, everything is accepted
 * @path:       Of it, for messages (owned)
 * @required:   Further public keys that must have signed, each (paths)
 */
struct fb_trust {
	struct fb_policy policy;
	bool has_policy;
	char *path;
	struct fb_strv required;
};

/**
 * fb_trust_load() - Read the policy of this user
 * @required: NULL-terminated paths of PEM files, or NULL
 * @ret:      Release with fb_trust_release(); written on success only
 *
 * ~/.config/containers/policy.json ($XDG_CONFIG_HOME), otherwise
 * /etc/containers/policy.json, as podman.
 *
 * Return: 0; as fb_policy_parse(); -ENOMEM; another negative errno of a file that
 * is there and can't be read.
 */
int fb_trust_load(const char *const *required, struct fb_trust *ret,
		  struct fb_err *err);
void fb_trust_release(struct fb_trust *trust);

#define FB_TRUST __attribute__((cleanup(fb_trust_release)))

/**
 * struct fb_trust_subject - The image that is asked about
 * @registry: Client of @ref's domain, where its signatures are; NULL = one is made
 *            with @options when there is something to be fetched
 * @options:  See @registry; may be NULL
 * @ref:      What the user named; NULL = nothing that a registry knows: the
 *            policy's default decides, and there are no signatures
 * @digests:  By which it is known: index and manifest; a signature of one will do
 * @count:    Of @digests
 * @facts:    What the store remembers of it (borrowed), or NULL
 */
struct fb_trust_subject {
	struct fb_registry *registry;
	const struct fb_registry_options *options;
	const struct fb_reference *ref;
	const struct fb_digest *digests;
	size_t count;
	const struct fb_strv *facts;
};

/**
 * fb_trust_check() - Is an image trusted?
 * @trust:     What is asked; NULL = nothing
 * @ret_facts: Signatures that were found good are added, to be remembered with the
 *             image; NULL = not wanted
 *
 * An image that a file or folder brought is judged by where it comes from, if
 * @facts say so, otherwise by @ref.
 *
 * Return: 0 yes; -EPERM the policy rejects it; -EKEYREJECTED no signature by a key
 * that is asked for, or none about this image; -EOPNOTSUPP a kind of signature
 * that is not supported; -ENOENT a key's file; as fb_registry_get_signatures().
 */
int fb_trust_check(const struct fb_image_context *ctx,
		   const struct fb_trust *trust,
		   const struct fb_trust_subject *subject,
		   struct fb_strv *ret_facts, struct fb_err *err);

/**
 * fb_trust_check_file() - The same for what a file or folder brings
 * @path:     As the user wrote it; "-" = a pipe
 * @ret_fact: Remember this with the image (returned); NULL = not wanted
 *
 * There are no signatures in files: a rule that asks for one refuses, as skopeo and
 * podman do.
 *
 * Return: as fb_trust_check().
 */
int fb_trust_check_file(const struct fb_trust *trust,
			enum fb_transport transport, const char *path,
			char **ret_fact, struct fb_err *err);

#endif
