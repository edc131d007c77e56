/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/report.h"

#include <string.h>

void fb_report(struct fb_cli *cli, const struct fb_err *err)
{
	if (cli->progress)
		fb_progress_clear(cli->progress);
	/* results that were printed before the error stay before it */
	(void)fflush(cli->out);
	(void)fprintf(cli->err, "flamebox: %s%s%s\n",
		      err->msg[0] ? err->msg : strerror(-err->code),
		      err->hint[0] ? "; " : "", err->hint);
	(void)fflush(cli->err);
}
