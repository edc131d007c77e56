/* SPDX-License-Identifier: Apache-2.0 */
/* The monitor's reader of a machine plan: what it accepts it writes back. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "machine/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	FB_STR struct fb_str bytes = FB_STR_INIT(FB_PLAN_ENCODED_MAX);
	FB_PLAN struct fb_plan plan = { 0 };
	struct fb_err err = { 0 };

	if (fb_plan_decode(data, size, &plan, &err) < 0) {
		if (plan.process_count || !err.msg[0])
			abort();
		return 0;
	}
	if (plan.process_count == 0 ||
	    plan.process_count > FB_PLAN_PROCESSES_MAX)
		abort();
	for (size_t i = 0; i < plan.process_count; i++) {
		const struct fb_plan_process *p = &plan.processes[i];

		if (!p->argv.v || !p->argv.v[0] ||
		    p->argv.count > FB_PLAN_ARGS_MAX ||
		    p->fd_count > FB_PLAN_FDS_MAX)
			abort();
	}
	/* there is one way to write a plan */
	if (fb_plan_encode(&plan, &bytes) < 0 || bytes.len != size ||
	    memcmp(bytes.buf, data, size))
		abort();
	return 0;
}
