/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Image references as docker reads them: [domain/]path[:tag][@digest].
 * Source: distribution/reference grammar; Docker Hub's familiar names.
 */
#ifndef FB_OCI_REFERENCE_H
#define FB_OCI_REFERENCE_H

#include <stdbool.h>

#include "base/err.h"
#include "oci/digest.h"

/* longest: domain, path, tag, digest, their separators and a NUL */
#define FB_REFERENCE_TEXT_MAX 800

/**
 * struct fb_reference - A normalised reference, plain data
 * @domain:     "docker.io", "localhost:5000", "[::1]:5000"
 * @path:       "library/alpine"
 * @tag:        "latest", or "" where only a digest was given
 * @digest:     Not set where only a tag was given
 *
 * Names without a domain are Docker Hub's; a single component there gets
 * "library/"; neither tag nor digest means "latest".
 */
struct fb_reference {
	char domain[256];
	char path[256];
	char tag[129];
	struct fb_digest digest;
};

/**
 * fb_reference_parse() - Text to normalised reference
 * @text: What the user typed (borrowed)
 * @ret:  Written on success only
 *
 * Return: 0; -EINVAL malformed, with docker's reason ("repository name must be
 * lowercase", …).
 */
int fb_reference_parse(const char *text, struct fb_reference *ret,
		       struct fb_err *err);

/** fb_reference_canonical() - "docker.io/library/alpine:3[@sha256:…]". Return: @out */
const char *fb_reference_canonical(const struct fb_reference *ref,
				   char out[FB_REFERENCE_TEXT_MAX]);

/** fb_reference_familiar() - As docker shows it: "alpine:3". Return: @out */
const char *fb_reference_familiar(const struct fb_reference *ref,
				  char out[FB_REFERENCE_TEXT_MAX]);

/** fb_reference_repository() - Familiar name without tag and digest. Return: @out */
const char *fb_reference_repository(const struct fb_reference *ref,
				    char out[FB_REFERENCE_TEXT_MAX]);

/** fb_reference_is_loopback() - The domain is localhost, 127.0.0.0/8 or ::1 */
bool fb_reference_is_loopback(const struct fb_reference *ref);

#endif
