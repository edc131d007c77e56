/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "container/monitor.h"
#include "net/guard.h"

int main(int argc, char **argv)
{
	long timeout_s;

	/* the same program, so that there is no other file to be found */
	if (argc == 1 && !strcmp(argv[0], FB_NET_GUARD_NAME))
		return fb_net_guard_run(FB_NET_GUARD_GUEST_FD,
					FB_NET_GUARD_NET_FD) < 0;
	if (argc != 3)
		return 2;
	timeout_s = strtol(argv[1], NULL, 10);
	if (timeout_s < 1 || timeout_s > 86400)
		return 2;
	return fb_monitor_run((unsigned int)timeout_s,
			      !strcmp(argv[2], "discard"));
}
