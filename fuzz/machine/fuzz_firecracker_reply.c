/* SPDX-License-Identifier: Apache-2.0 */
/* What Firecracker's API answers, or who took it over: refused, or read once whole. */
#include <stdint.h>
#include <stdlib.h>

#include "machine/firecracker_api.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fb_firecracker_reply reply = { 0 }, half = { 0 };
	struct fb_err err = { 0 };
	int r;

	if (size > FB_FIRECRACKER_REPLY_MAX)
		return 0;
	r = fb_firecracker_reply_parse((const char *)data, size, &reply, &err);
	if (r > 1 || (r < 0 && !err.code) || (r <= 0 && reply.body))
		abort();
	/* what was whole before the rest came stays what it was */
	if (fb_firecracker_reply_parse((const char *)data, size / 2, &half,
				       NULL) == 1 &&
	    (r != 1 || half.status != reply.status ||
	     !half.body != !reply.body))
		abort();
	if (half.body && !json_equal(half.body, reply.body))
		abort();
	json_decref(half.body);
	json_decref(reply.body);
	return 0;
}
