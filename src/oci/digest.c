/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/digest.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"

const char *fb_digest_kind_name(enum fb_hash_kind kind)
{
	return kind == FB_HASH_SHA512 ? "sha512" : "sha256";
}

/* image-spec descriptor.md: algorithm ::= [a-z0-9]+ ([+._-][a-z0-9]+)* */
static bool is_algorithm(const char *text, size_t len)
{
	bool component = false;

	for (size_t i = 0; i < len; i++) {
		if ((text[i] >= 'a' && text[i] <= 'z') ||
		    (text[i] >= '0' && text[i] <= '9'))
			component = true;
		else if (component && strchr("+._-", text[i]))
			component = false;
		else
			return false;
	}
	return component;
}

static int refuse(int code, const char *text, const char *reason,
		  struct fb_err *err)
{
	return fb_err_set(err, code, "digest '%.160s': %s", text, reason);
}

/* the reasons are the words of docker's go-digest */
int fb_digest_parse(const char *text, struct fb_digest *ret, struct fb_err *err)
{
	static const enum fb_hash_kind kinds[] = { FB_HASH_SHA256,
						   FB_HASH_SHA512 };
	const char *colon = strchr(text, ':');
	size_t size;

	if (!colon || !colon[1] || !is_algorithm(text, (size_t)(colon - text)))
		return refuse(-EINVAL, text, "invalid checksum digest format",
			      err);
	for (size_t i = 0; i < FB_ARRAY_SIZE(kinds); i++) {
		struct fb_digest d = { .set = true, .kind = kinds[i] };

		if ((size_t)(colon - text) != 6 ||
		    strncmp(text, fb_digest_kind_name(kinds[i]), 6))
			continue;
		size = fb_hash_size(kinds[i]);
		if (strlen(colon + 1) != 2 * size)
			return refuse(-EINVAL, text,
				      "invalid checksum digest length", err);
		if (fb_hex_decode(colon + 1, size, d.hash) < 0)
			return refuse(-EINVAL, text,
				      "invalid checksum digest format", err);
		*ret = d;
		return 0;
	}
	return refuse(-EOPNOTSUPP, text, "unsupported digest algorithm", err);
}

const char *fb_digest_hex(const struct fb_digest *d,
			  char out[FB_DIGEST_TEXT_MAX])
{
	out[0] = '\0';
	if (d->set)
		fb_hex_encode(d->hash, fb_hash_size(d->kind), out);
	return out;
}

const char *fb_digest_format(const struct fb_digest *d,
			     char out[FB_DIGEST_TEXT_MAX])
{
	out[0] = '\0';
	if (d->set) {
		memcpy(out, fb_digest_kind_name(d->kind), 6);
		out[6] = ':';
		fb_hex_encode(d->hash, fb_hash_size(d->kind), out + 7);
	}
	return out;
}

bool fb_digest_equal(const struct fb_digest *a, const struct fb_digest *b)
{
	return a->set && b->set && a->kind == b->kind &&
	       !memcmp(a->hash, b->hash, sizeof(a->hash));
}

int fb_digest_of(const void *data, size_t len, struct fb_digest *ret)
{
	struct fb_digest d = { .set = true, .kind = FB_HASH_SHA256 };
	int r = fb_sha256(data, len, d.hash);

	if (r == 0)
		*ret = d;
	return r;
}
