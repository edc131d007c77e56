/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy.json: which images are trusted. Pure.
 *
 * Fails closed: what is not understood is an error, not a permission.
 * Source: containers-policy.json(5).
 */
#ifndef FB_OCI_POLICY_H
#define FB_OCI_POLICY_H

#include <stddef.h>

#include "base/err.h"
#include "base/str.h"
#include "oci/reference.h"

#define FB_POLICY_JSON_MAX (1u << 20)
#define FB_POLICY_SCOPES_MAX 1024
#define FB_POLICY_RULES_MAX 32

/** enum fb_transport - Where images come from, as policy.json calls it */
enum fb_transport {
	FB_TRANSPORT_DOCKER, /* registries */
	FB_TRANSPORT_DOCKER_ARCHIVE,
	FB_TRANSPORT_OCI, /* a layout in a folder */
	FB_TRANSPORT_OCI_ARCHIVE,
	FB_TRANSPORT_TARBALL, /* the tar of a root file system */
};

/** fb_transport_name() - "docker-archive" */
const char *fb_transport_name(enum fb_transport transport);

/** fb_transport_parse() - The reverse. Return: 0; -EINVAL */
int fb_transport_parse(const char *name, enum fb_transport *ret);

enum fb_policy_kind {
	FB_POLICY_ACCEPT, /* insecureAcceptAnything */
	FB_POLICY_REJECT,
	FB_POLICY_SIGNED, /* sigstoreSigned; signedBy with keyType sigstore… */
	FB_POLICY_UNSUPPORTED, /* GPG keys, Fulcio, Rekor: never met */
};

/** enum fb_policy_identity - What a signature must say about the image's name */
enum fb_policy_identity {
	FB_IDENTITY_DIGEST_OR_EXACT, /* matchRepoDigestOrExact, the default */
	FB_IDENTITY_EXACT,
	FB_IDENTITY_REPOSITORY,
	FB_IDENTITY_EXACT_REFERENCE,  /* @identity_name */
	FB_IDENTITY_EXACT_REPOSITORY, /* @identity_name */
	FB_IDENTITY_ANY, /* not of a file: what --require-signature is */
};

/**
 * struct fb_policy_rule - One requirement; all of a scope's must hold
 * @key_paths: PEM files: one of them and of @keys must have signed
 * @keys:      Base64 of PEM, as in the file
 */
struct fb_policy_rule {
	enum fb_policy_kind kind;
	struct fb_strv key_paths;
	struct fb_strv keys;
	enum fb_policy_identity identity;
	char identity_name[FB_REFERENCE_TEXT_MAX];
};

/** struct fb_policy_scope - @name as in the file; rules in its order */
struct fb_policy_scope {
	enum fb_transport transport;
	char *name;
	struct fb_policy_rule *rules;
	size_t rule_count;
};

/**
 * struct fb_policy - What a file says
 * @scopes:   Of the transports that we know
 * @fallback: "default"
 */
struct fb_policy {
	struct fb_policy_scope *scopes;
	size_t scope_count;
	struct fb_policy_scope fallback;
};

/**
 * fb_policy_parse() - Text to policy
 * @json: Bytes (borrowed)
 * @len:  At most FB_POLICY_JSON_MAX
 * @ret:  Release with fb_policy_release(); written on success only
 *
 * Return: 0; -EBADMSG malformed, or something that is not understood; -E2BIG;
 * -ENOMEM.
 */
int fb_policy_parse(const char *json, size_t len, struct fb_policy *ret,
		    struct fb_err *err);
void fb_policy_release(struct fb_policy *policy);

/**
 * fb_policy_lookup() - The rules for an image
 *
 * The most exact scope: reference, repository, its namespaces, host, "*.domain",
 * "" of the transport, then the default.
 *
 * Return: borrowed; never NULL.
 */
const struct fb_policy_scope *fb_policy_lookup(const struct fb_policy *policy,
					       const struct fb_reference *ref);

/**
 * fb_policy_lookup_path() - The rules for an image of a file or folder
 * @path: Absolute, without symbolic links; "" = a pipe
 *
 * The path, the folders above it, "" of the transport, then the default.  A tag
 * counts for nothing, whatever containers-policy.json(5) says: skopeo and podman
 * look at the path alone.
 *
 * Return: borrowed; never NULL.
 */
const struct fb_policy_scope *
fb_policy_lookup_path(const struct fb_policy *policy,
		      enum fb_transport transport, const char *path);

/**
 * struct fb_signature_payload - What was signed ("simple signing")
 * @digest: Of the manifest
 * @reference: docker-reference
 */
struct fb_signature_payload {
	struct fb_digest digest;
	char reference[FB_REFERENCE_TEXT_MAX];
};

/** fb_signature_payload_parse() - Return: 0; -EBADMSG. Source: containers-signature(5) */
int fb_signature_payload_parse(const char *json, size_t len,
			       struct fb_signature_payload *ret,
			       struct fb_err *err);

/**
 * fb_policy_identity_matches() - Is a signature about the image that is wanted?
 * @signed_as: docker-reference of the payload
 * @wanted:    What the user named
 */
bool fb_policy_identity_matches(const struct fb_policy_rule *rule,
				const char *signed_as,
				const struct fb_reference *wanted);

#endif
