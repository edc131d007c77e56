/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "container/monitor.h"

int main(int argc, char **argv)
{
	long timeout_s;

	if (argc != 3)
		return 2;
	timeout_s = strtol(argv[1], NULL, 10);
	if (timeout_s < 1 || timeout_s > 86400)
		return 2;
	return fb_monitor_run((unsigned int)timeout_s,
			      !strcmp(argv[2], "discard"));
}
