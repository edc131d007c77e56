/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/report.h"

#include <string.h>

/* docker's own sentences do */
static bool ends_in_stop(const char *text)
{
	size_t len = strlen(text);

	return len && text[len - 1] == '.';
}

void fb_report(struct fb_cli *cli, const struct fb_err *err)
{
	const char *msg = err->msg[0] ? err->msg : strerror(-err->code);
	char text[FB_ERR_MSG_MAX + FB_ERR_HINT_MAX + 8];

	if (cli->progress)
		fb_progress_clear(cli->progress);
	/* results that were printed before the error stay before it */
	(void)fflush(cli->out);
	(void)snprintf(text, sizeof(text), "%s%s%s", msg,
		       !err->hint[0]	   ? ""
		       : ends_in_stop(msg) ? " "
					   : "; ",
		       err->hint);
	if (cli->json_events)
		fb_progress_message(cli->err, "error", text);
	else
		(void)fprintf(cli->err, "flamebox: %s\n", text);
	(void)fflush(cli->err);
}
