/* SPDX-License-Identifier: Apache-2.0 */
/* Source: RFC 4648 section 4 */
#ifndef FB_REGISTRY_BASE64_H
#define FB_REGISTRY_BASE64_H

#include <stddef.h>
#include <stdint.h>

/**
 * fb_base64_encode() - Bytes to padded text
 *
 * Return: malloc'ed text (returned); NULL out of memory.
 */
char *fb_base64_encode(const void *data, size_t len);

/**
 * fb_base64_decode() - Padded text to bytes
 * @text:    With its padding, nothing else
 * @ret_len: Bytes, without the NUL that follows them
 *
 * Return: malloc'ed bytes (returned); NULL malformed, or out of memory.
 */
char *fb_base64_decode(const char *text, size_t *ret_len);

#endif
