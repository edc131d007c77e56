/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "container/monitor.h"

#define TIMEOUT_MAX_S 86400
/* a guest with gigabytes to write back to a slow disk takes its time */
#define RESET_TIMEOUT_S 60

static int parse_seconds(const char *text, unsigned int *ret)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (*end || n < 1 || n > TIMEOUT_MAX_S)
		return -1;
	*ret = (unsigned int)n;
	return 0;
}

int main(int argc, char **argv)
{
	struct fb_monitor_options options = {
		.reset_timeout_s = RESET_TIMEOUT_S,
	};

	if (argc < 3 || argc > 4 ||
	    parse_seconds(argv[1], &options.boot_timeout_s) < 0 ||
	    (argc == 4 && parse_seconds(argv[3], &options.reset_timeout_s) < 0))
		return 2;
	options.discard = !strcmp(argv[2], "discard");
	return fb_monitor_run(&options);
}
