/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hex.h"

#include <errno.h>

void fb_hex_encode(const uint8_t *data, size_t len, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		out[2 * i] = digits[data[i] >> 4];
		out[2 * i + 1] = digits[data[i] & 15];
	}
	out[2 * len] = '\0';
}

/* Value + 1, so that what is no digit is 0; digits of hashes defy prediction */
static const uint8_t values[256] = {
	['0'] = 1,  ['1'] = 2,	['2'] = 3,  ['3'] = 4,	['4'] = 5,  ['5'] = 6,
	['6'] = 7,  ['7'] = 8,	['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12,
	['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
};

int fb_hex_decode(const char *text, size_t len, uint8_t *out)
{
	unsigned int hi, lo;

	for (size_t i = 0; i < len; i++) {
		hi = values[(unsigned char)text[2 * i]];
		if (!hi)
			return -EINVAL;
		lo = values[(unsigned char)text[2 * i + 1]];
		if (!lo)
			return -EINVAL;
		out[i] = (uint8_t)((hi - 1) << 4 | (lo - 1));
	}
	return 0;
}
