/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "archive/tar_internal.h"

static int base256(const uint8_t *field, size_t len, int64_t *ret)
{
	bool negative = (field[0] & 0x40) != 0;
	uint64_t value = 0;
	uint8_t byte;

	for (size_t i = 0; i < len; i++) {
		byte = field[i];
		if (i == 0)
			byte = negative ? byte | 0x80 : byte & 0x7f;
		if (negative)
			byte = (uint8_t)~byte;
		if (value >> 55)
			return -EBADMSG;
		value = value << 8 | byte;
	}
	*ret = negative ? -(int64_t)value - 1 : (int64_t)value;
	return 0;
}

int tar_number(const uint8_t *field, size_t len, int64_t *ret)
{
	uint64_t value = 0;
	size_t i = 0, end = len;

	if (field[0] & 0x80)
		return base256(field, len, ret);
	while (i < end && (field[i] == ' ' || field[i] == '\0'))
		i++;
	while (end > i && (field[end - 1] == ' ' || field[end - 1] == '\0'))
		end--;
	for (; i < end && field[i] != '\0'; i++) {
		if (field[i] < '0' || field[i] > '7' || value >> 60)
			return -EBADMSG;
		value = value << 3 | (uint64_t)(field[i] - '0');
	}
	*ret = (int64_t)value;
	return 0;
}

int tar_decimal(const char *text, size_t len, uint64_t *ret)
{
	uint64_t value = 0;

	if (len == 0)
		return -EBADMSG;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9' ||
		    value > (UINT64_MAX - 9) / 10)
			return -EBADMSG;
		value = value * 10 + (uint64_t)(text[i] - '0');
	}
	*ret = value;
	return 0;
}

bool tar_checksum_ok(const uint8_t *block)
{
	int64_t want, plain = 0, with_sign = 0;
	uint8_t byte;

	if (tar_number(block + TAR_CHKSUM, 8, &want) < 0)
		return false;
	for (unsigned int i = 0; i < TAR_BLOCK; i++) {
		byte = i >= TAR_CHKSUM && i < TAR_CHKSUM + 8 ? ' ' : block[i];
		plain += byte;
		with_sign += (int8_t)byte;
	}
	return want == plain || want == with_sign;
}
