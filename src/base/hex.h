/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_BASE_HEX_H
#define FB_BASE_HEX_H

#include <stddef.h>
#include <stdint.h>

/** fb_hex_encode() - @len bytes to 2 * @len lower-case digits and a NUL */
void fb_hex_encode(const uint8_t *data, size_t len, char *out);

/**
 * fb_hex_decode() - Lower-case digits to bytes
 * @text: At least 2 * @len characters
 * @len:  Bytes wanted
 * @out:  @len bytes; undefined on failure
 *
 * Return: 0; -EINVAL on anything but [0-9a-f].
 */
int fb_hex_decode(const char *text, size_t len, uint8_t *out);

#endif
