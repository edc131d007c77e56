/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever decodes must encode again, and decode to the same bytes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wire/mountopt.h"
#include "wire/spec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int decode(const void *data, size_t size, struct fb_guest_spec *ret)
{
	uint8_t *blob = malloc(size ? size : 1);
	struct fb_err err;
	int r;

	if (!blob)
		abort();
	memcpy(blob, data, size);
	r = fb_spec_decode(blob, size, ret, &err);
	if (r < 0)
		free(blob);
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	FB_STR struct fb_str one = FB_STR_INIT(FB_GUEST_SPEC_MAX);
	FB_STR struct fb_str two = FB_STR_INIT(FB_GUEST_SPEC_MAX);
	struct fb_guest_spec spec = { 0 }, again = { 0 };
	struct fb_mountopt opt;

	if (decode(data, size, &spec) < 0)
		return 0;
	for (size_t i = 0; i < spec.tmpfs_count; i++)
		(void)fb_mountopt_parse_tmpfs(spec.tmpfs[i].options, &opt,
					      NULL);
	if (fb_spec_encode(&spec, &one, NULL) < 0 ||
	    decode(one.buf, one.len, &again) < 0 ||
	    fb_spec_encode(&again, &two, NULL) < 0 || one.len != two.len ||
	    memcmp(one.buf, two.buf, one.len) != 0)
		abort();
	fb_spec_release(&spec);
	fb_spec_release(&again);
	return 0;
}
