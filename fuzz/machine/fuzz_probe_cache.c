/* SPDX-License-Identifier: Apache-2.0 */
/* The file that remembers what /dev/kvm can do; its first line is the key. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "machine/probe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	FB_FREE char *text = strndup((const char *)data, size);
	FB_FREE char *key = NULL;
	struct fb_probe probe = { .kvm = FB_KVM_UNKNOWN };

	if (!text)
		return 0;
	key = strndup(text, strcspn(text, "\n"));
	if (!key)
		return 0;
	if (fb_probe_parse(text, key, &probe) == 0 &&
	    (probe.kvm <= FB_KVM_UNKNOWN || probe.kvm >= FB_KVM_VERDICT_COUNT ||
	     strchr(probe.reason, '\n') || strchr(probe.fix, '\n')))
		abort();
	if (fb_probe_parse(text, "no such key", &probe) == 0 &&
	    strcmp(key, "no such key"))
		abort();
	return 0;
}
