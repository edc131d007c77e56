/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/base64.h"

#include <stdlib.h>
#include <string.h>

static const char digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	"abcdefghijklmnopqrstuvwxyz0123456789+/";

char *fb_base64_encode(const void *data, size_t len)
{
	const uint8_t *in = data;
	char *out = malloc((len + 2) / 3 * 4 + 1), *p = out;
	uint32_t v;

	if (!out)
		return NULL;
	for (size_t i = 0; i < len; i += 3) {
		v = (uint32_t)in[i] << 16;
		v |= i + 1 < len ? (uint32_t)in[i + 1] << 8 : 0;
		v |= i + 2 < len ? (uint32_t)in[i + 2] : 0;
		*p++ = digits[v >> 18 & 63];
		*p++ = digits[v >> 12 & 63];
		*p++ = i + 1 < len ? digits[v >> 6 & 63] : '=';
		*p++ = i + 2 < len ? digits[v & 63] : '=';
	}
	*p = '\0';
	return out;
}

static int digit_value(char c)
{
	const char *hit = c ? strchr(digits, c) : NULL;

	return hit ? (int)(hit - digits) : -1;
}

static int decode_digits(const char *text, size_t count, char *out)
{
	uint32_t v = 0;
	int bits = 0, d;

	for (size_t i = 0; i < count; i++) {
		d = digit_value(text[i]);
		if (d < 0)
			return -1;
		v = (v << 6 | (uint32_t)d) & 0xffffff;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			*out++ = (char)(uint8_t)(v >> bits & 255);
		}
	}
	/* bits that belong to no byte must be zero: one text a value */
	return v & ((1u << bits) - 1) ? -1 : 0;
}

char *fb_base64_decode(const char *text, size_t *ret_len)
{
	size_t len = strlen(text), pad = 0;
	char *out;

	if (len % 4 != 0)
		return NULL;
	while (pad < 2 && pad < len && text[len - 1 - pad] == '=')
		pad++;
	out = malloc(len / 4 * 3 + 1);
	if (!out)
		return NULL;
	if (decode_digits(text, len - pad, out) < 0) {
		explicit_bzero(out, len / 4 * 3 + 1);
		free(out);
		return NULL;
	}
	*ret_len = len / 4 * 3 - pad;
	out[*ret_len] = '\0';
	return out;
}
