/* SPDX-License-Identifier: Apache-2.0 */
/* The host's resolv.conf: of any text a guest's file with our server alone. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "net/user.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const char *out)
{
	size_t servers = 0, n;

	for (; *out; out += n) {
		n = strcspn(out, "\n") + 1;
		servers += !strncmp(out, "nameserver", 10);
		if (strncmp(out, "nameserver ", 11) &&
		    strncmp(out, "search", 6) && strncmp(out, "domain", 6) &&
		    strncmp(out, "options", 7))
			abort();
		if (out[n - 1] != '\n')
			abort();
	}
	if (servers != 1)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	FB_STR struct fb_str out = FB_STR_INIT(FB_RESOLV_CONF_MAX * 2);
	FB_FREE char *text = strndup((const char *)data, size);
	const struct fb_net_routes routes = { .v4 = true, .v6 = true };
	struct fb_net_guest guest;
	uint8_t seed[3] = { 1, 2, 3 };

	fb_net_user_plan(seed, &routes, &guest);
	if (size % 2)
		guest.v4_prefix = 0;
	if (text && fb_net_resolv_conf(&guest, text, &out) == 0)
		check(fb_str_cstr(&out));
	return 0;
}
