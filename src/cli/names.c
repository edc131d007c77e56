/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/names.h"

#include <stdio.h>
#include <string.h>

const char *fb_names_image_id(const struct fb_digest *id, bool whole,
			      char out[FB_NAMES_ID_MAX])
{
	if (whole)
		return fb_digest_format(id, out);
	fb_digest_hex(id, out);
	out[12] = '\0';
	return out;
}

int fb_names_platform(const char *text, struct fb_platform *storage,
		      const struct fb_platform **ret, struct fb_err *err)
{
	int r = text ? fb_platform_parse(text, storage, err) : 0;

	if (r == 0)
		*ret = text ? storage : NULL;
	return r;
}

struct fb_registry_options fb_names_registry_options(const struct fb_cli *cli,
						     bool tls_verify)
{
	return (struct fb_registry_options){
		.log = &cli->log,
		.insecure = !tls_verify,
		.insecure_registries =
			(const char *const *)cli->config.insecure_registries,
		.mirrors = (const char *const *)cli->config.registry_mirrors,
	};
}

static const char *const phase_words[] = {
	[FB_PROGRESS_RESOLVING] = "resolving",
	[FB_PROGRESS_WAITING] = "waiting for another flamebox:",
	[FB_PROGRESS_DOWNLOADING] = "downloading",
	[FB_PROGRESS_UPLOADING] = "uploading",
	[FB_PROGRESS_LOADING] = "loading",
	[FB_PROGRESS_EXISTS] = "exists:",
	[FB_PROGRESS_COMPLETE] = "complete:",
	[FB_PROGRESS_CONVERTING] = "converting",
	[FB_PROGRESS_VERIFYING] = "verifying",
	[FB_PROGRESS_SAVING] = "saving",
	[FB_PROGRESS_DONE] = "done:",
};

static void show_event(void *ctx, const struct fb_progress_event *event)
{
	struct fb_image_progress *p = ctx;
	const char *id = event->id ? event->id : "";
	char what[160];

	/* of a digest, docker's twelve digits */
	if (!strncmp(id, "sha256:", 7))
		(void)snprintf(what, sizeof(what), "%s %.12s",
			       phase_words[event->phase], id + 7);
	else
		(void)snprintf(what, sizeof(what), "%s %s",
			       phase_words[event->phase], id);
	fb_progress_show(&p->line, what, event->done_bytes, event->total_bytes);
}

void fb_image_progress_start(struct fb_image_progress *p, struct fb_cli *cli,
			     bool quiet)
{
	fb_progress_start(&p->line, cli->err, quiet);
	p->progress = (struct fb_progress){ .event = show_event, .ctx = p };
	p->cli = cli;
	cli->progress = &p->line;
}

void fb_image_progress_end(struct fb_image_progress *p)
{
	fb_progress_clear(&p->line);
	if (p->cli)
		p->cli->progress = NULL;
	p->cli = NULL;
}
