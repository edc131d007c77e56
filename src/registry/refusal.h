/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a registry or a token service says in the body of an error. Pure.
 * Source: OCI distribution-spec 1.1 "Error Codes"; RFC 6749 section 5.2.
 */
#ifndef FB_REGISTRY_REFUSAL_H
#define FB_REGISTRY_REFUSAL_H

#include <stddef.h>

/**
 * struct fb_refusal - The first error of a body; "" what is not there
 * @code:    "MANIFEST_UNKNOWN", "invalid_grant", …
 * @message: For people
 */
struct fb_refusal {
	char code[64];
	char message[256];
};

/**
 * fb_refusal_parse() - Read an error body
 * @body: @len bytes (borrowed), any content: what is no error object says nothing
 */
void fb_refusal_parse(const char *body, size_t len, struct fb_refusal *ret);

/**
 * fb_refusal_text() - " (message)" or " (code)", or ""
 * @out: 300 bytes
 *
 * Return: @out.
 */
const char *fb_refusal_text(const struct fb_refusal *refusal, char out[300]);

#endif
