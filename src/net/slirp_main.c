/* SPDX-License-Identifier: Apache-2.0 */
/* argv: "flamebox-net" FAMILIES, of "4", "6", "46" */
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>

#include "net/confine.h"
#include "net/slirp.h"

int main(int argc, char **argv)
{
	struct fb_net_slirp_options options = { .fd = FB_NET_SLIRP_STREAM_FD };

	if (argc != 2)
		return 2;
	options.v4 = strchr(argv[1], '4') != NULL;
	options.v6 = strchr(argv[1], '6') != NULL;
	/* started by a descriptor, it has that one's number for a name */
	(void)prctl(PR_SET_NAME, FB_NET_SLIRP_PROGRAM);
	(void)signal(SIGPIPE, SIG_IGN);
	/* one wall of several: a kernel without it is no reason not to run */
	(void)fb_net_confine();
	return fb_net_slirp_run(&options) < 0;
}
